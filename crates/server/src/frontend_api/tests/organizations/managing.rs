//! Members who see and manage members.

use super::{Person, Town, add, give_role, not_found, read, refused, remove};
use crate::frontend_api::tests::support::{footprint, members};
use crate::testing::{TestApp, TestIdp};
use axum::http::Method;
use serde_json::{Value, json};

fn names(list: &Value) -> Vec<&str> {
    let rows = list.as_array().unwrap();
    rows.iter().map(|row| row["public_user_data"]["identifier"].as_str().unwrap().split('@').next().unwrap()).collect()
}

#[tokio::test]
async fn members_are_listed_newest_first_by_role_and_by_text() {
    for app in TestApp::on_each_database().await {
        let town = Town::found(&app).await;
        let (acme, globex) = (town.organization("acme").await, town.organization("globex").await);
        let admin = town.member(&acme, "admin", "org:admin").await;
        town.member(&acme, "bob", "org:member").await;
        town.member(&acme, "carol", "org:member").await;
        town.member(&globex, "bobby", "org:admin").await;
        let bare = admin.does(&read(&acme, "/memberships")).await.ok();
        assert_eq!(names(&bare["response"]), ["carol", "bob", "admin"]);
        let list = async |query: &str| {
            let answer = admin.does(&read(&acme, &format!("/memberships?paginated=true&{query}"))).await.ok();
            answer["response"].clone()
        };
        for (query, expected, total) in [
            ("", &["carol", "bob", "admin"][..], 3),
            ("limit=1&offset=1", &["bob"], 3),
            ("role=org:admin", &["admin"], 1),
            ("role=org:admin&role=org:member&limit=2", &["carol", "bob"], 3),
            ("role[]=org:member", &["carol", "bob"], 2),
            ("role=org:nothing", &[], 0),
            ("query=BOB", &["bob"], 1),
            ("query=%25", &[], 0),
            ("query=people.test&role=org:member", &["carol", "bob"], 2),
            ("query=globex", &[], 0),
        ] {
            let found = list(query).await;
            assert_eq!(names(&found["data"]), expected, "{query}");
            assert_eq!(found["total_count"], total, "{query}");
        }
        let row = &list("query=bob").await["data"][0];
        assert_eq!(
            (&row["object"], &row["role"], &row["role_name"]),
            (&json!("organization_membership"), &json!("org:member"), &json!("Member"))
        );
        assert_eq!(row["organization"]["id"], json!(acme));
        let mut permissions: Vec<&str> =
            row["permissions"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
        permissions.sort_unstable();
        assert_eq!(permissions, ["org:sys_billing:read", "org:sys_memberships:read"]);
        assert!(row.get("private_metadata").is_none() && row["organization"].get("private_metadata").is_none());
        for bad in ["limit=0", "limit=501", "limit=x", "offset=-1", "paginated=perhaps"] {
            let answer = admin.does(&read(&acme, &format!("/memberships?{bad}"))).await;
            assert_eq!(answer.error(), refused(422, "form_param_value_invalid"), "{bad}");
        }
        app.close().await;
    }
}

#[tokio::test]
async fn rol13_the_roles_are_those_of_the_organizations_set() {
    for app in TestApp::on_each_database().await {
        let town = Town::found(&app).await;
        let acme = town.organization("acme").await;
        let admin = town.member(&acme, "admin", "org:admin").await;
        let listed = admin.does(&read(&acme, "/roles?limit=20")).await.ok();
        let roles = &listed["response"];
        let keys: Vec<&Value> = roles["data"].as_array().unwrap().iter().map(|role| &role["key"]).collect();
        assert_eq!(keys, ["org:admin", "org:member"]);
        assert_eq!((&roles["total_count"], &roles["has_role_set_migration"]), (&json!(2), &json!(false)));
        assert_eq!(roles["data"][0]["permissions"].as_array().unwrap().len(), 9);
        assert_eq!(roles["data"][0]["permissions"][0]["type"], "system");
        let second = admin.does(&read(&acme, "/roles?limit=1&offset=1")).await.ok();
        assert_eq!(
            (&second["response"]["data"][0]["key"], &second["response"]["total_count"]),
            (&json!("org:member"), &json!(2))
        );

        let set = json!({"name": "Admins", "key": "role_set:admins", "roles": ["org:admin"],
            "default_role_key": "org:admin", "creator_role_key": "org:admin"});
        app.backend(Method::POST, "/v1/role_sets", set).await.ok();
        let change = json!({"role_set_key": "role_set:admins"});
        app.backend(Method::PATCH, &format!("/v1/organizations/{acme}"), change).await.ok();
        let listed = admin.does(&read(&acme, "/roles")).await.ok();
        assert_eq!(listed["response"]["total_count"], 1);
        // The role is there, but not for this organization.
        let newcomer = town.arrive("newcomer").await;
        let other = town.member(&acme, "other", "org:admin").await;
        let before = footprint(&app).await;
        for operation in [add(&acme, &newcomer.user, "org:member"), give_role(&acme, &other.user, "org:member")] {
            let answer = admin.does(&operation).await;
            assert_eq!(answer.error(), refused(422, "form_param_value_invalid"), "{operation:?}");
            assert_eq!(answer.json()["errors"][0]["meta"]["param_name"], "role");
        }
        assert_eq!(footprint(&app).await, before);
        app.close().await;
    }
}

#[tokio::test]
async fn tok_a_changed_role_shows_in_the_next_token() {
    for app in TestApp::on_each_database().await {
        let town = Town::found(&app).await;
        let acme = town.organization("acme").await;
        let admin = town.member(&acme, "admin", "org:admin").await;
        let bob = town.member(&acme, "bob", "org:member").await;
        bob.activate(&acme).await;
        assert_eq!(bob.token().await["rol"], "member");
        let changed = admin.does(&give_role(&acme, &bob.user, "org:admin")).await.ok();
        assert_eq!(
            (&changed["response"]["role"], &changed["response"]["public_user_data"]["user_id"]),
            (&json!("org:admin"), &json!(bob.user))
        );
        assert_eq!(bob.token().await["rol"], "admin");
        // And she may step down, now that somebody else is in charge.
        admin.activate(&acme).await;
        let answer = admin.does(&give_role(&acme, &admin.user, "org:member")).await.ok();
        assert_eq!(answer["client"]["sessions"][0]["user"]["organization_memberships"][0]["role"], "org:member");
        assert_eq!(admin.token().await["rol"], "member");
        let late = admin.does(&give_role(&acme, &admin.user, "org:admin")).await;
        assert_eq!(late.error(), refused(403, "missing_organization_permission"), "what she was counts no more");
        app.close().await;
    }
}

#[tokio::test]
async fn mem10_a_removed_member_is_out_at_once() {
    for app in TestApp::on_each_database().await {
        let town = Town::found(&app).await;
        let acme = town.organization("acme").await;
        let admin = town.member(&acme, "admin", "org:admin").await;
        let bob = town.member(&acme, "bob", "org:admin").await;
        bob.activate(&acme).await;
        assert_eq!(bob.token().await["id"], json!(acme));
        let removed = admin.does(&remove(&acme, &bob.user)).await.ok();
        assert_eq!(removed["response"]["public_user_data"]["identifier"], "bob@people.test");
        assert_eq!(removed["response"]["organization"]["members_count"], 1);
        assert_eq!(bob.token().await, Value::Null);
        let tokens = format!("/v1/client/sessions/{}/tokens", bob.session);
        assert_eq!(bob.browser.post(&tokens, &[("organization_id", &acme)]).await.error(), not_found());
        assert_eq!(bob.does(&read(&acme, "/memberships")).await.error(), not_found());
        assert_eq!(bob.does(&remove(&acme, &admin.user)).await.error(), not_found());
        assert_eq!(admin.does(&remove(&acme, &bob.user)).await.error(), refused(404, "resource_not_found"));
        // His session itself goes on.
        bob.browser.get("/v1/me").await.ok();
        app.close().await;
    }
}

#[tokio::test]
async fn org14_mem11_somebody_stays_in_charge() {
    for app in TestApp::on_each_database().await {
        let town = Town::found(&app).await;
        let acme = town.organization("acme").await;
        let admin = town.member(&acme, "admin", "org:admin").await;
        town.member(&acme, "bob", "org:member").await;
        let before = footprint(&app).await;
        for operation in [give_role(&acme, &admin.user, "org:member"), remove(&acme, &admin.user)] {
            let answer = admin.does(&operation).await;
            assert_eq!(answer.error(), refused(400, "organization_minimum_permissions_needed"), "{operation:?}");
        }
        assert_eq!(footprint(&app).await, before);
        app.close().await;
    }
}

#[tokio::test]
async fn mem9_who_came_by_sso_is_removed_by_others_and_leaves_by_no_door() {
    for app in TestApp::on_each_database().await {
        let town = Town::found(&app).await;
        let acme = town.organization("acme").await;
        let idp = TestIdp::connect(&app, "acme.test", Some(&acme), 1).await;
        let alice = Person::sign_in(&app, &idp, "alice@acme.test", "Alice").await;
        let admin = town.member(&acme, "admin", "org:admin").await;
        admin.does(&give_role(&acme, &alice.user, "org:admin")).await.ok();
        let cannot = refused(403, "organization_membership_enterprise_connection_cannot_remove");
        // Even as an admin, to whom the other address is open.
        assert_eq!(alice.does(&remove(&acme, &alice.user)).await.error(), cannot);
        let leave = format!("/v1/me/organization_memberships/{acme}?_method=DELETE");
        assert_eq!(alice.browser.post(&leave, &[]).await.error(), cannot);
        assert_eq!(members(&app, &acme).await.len(), 2);
        admin.does(&remove(&acme, &alice.user)).await.ok();
        assert_eq!(members(&app, &acme).await, [("admin@people.test".to_owned(), "org:admin".to_owned())]);
        // MEM-8: the next sign-in brings her back, as a plain member.
        let again = Person::sign_in(&app, &idp, "alice@acme.test", "Alice").await;
        assert_eq!((again.user.as_str(), &again.token().await["rol"]), (alice.user.as_str(), &json!("member")));
        // Who came otherwise removes herself by either.
        town.member(&acme, "second", "org:admin").await;
        admin.does(&remove(&acme, &admin.user)).await.ok();
        assert_eq!(admin.does(&read(&acme, "")).await.error(), not_found());
        app.close().await;
    }
}

#[tokio::test]
async fn every_refusal_of_adding_and_changing() {
    for app in TestApp::on_each_database().await {
        let town = Town::found(&app).await;
        let acme = town.organization("acme").await;
        let admin = town.member(&acme, "admin", "org:admin").await;
        let newcomer = town.arrive("newcomer").await;
        let second = town.arrive("second").await;
        let one = format!("/v1/organizations/{acme}/memberships/{}?_method=PATCH", admin.user);
        let all = format!("/v1/organizations/{acme}/memberships");
        let before = footprint(&app).await;
        let post = async |path: &str, form: &[(&str, &str)]| admin.browser.post(path, form).await.error();
        let missing = refused(422, "form_param_missing");
        assert_eq!(post(&one, &[]).await, missing);
        assert_eq!(post(&all, &[("role", "org:member")]).await, missing);
        assert_eq!(post(&all, &[("user_id", &newcomer.user)]).await, missing);
        for role in ["org:owner", "member", "ORG:MEMBER", "org:member ", "' OR 1=1"] {
            let invalid = refused(422, "form_param_value_invalid");
            assert_eq!(post(&one, &[("role", role)]).await, invalid, "{role}");
            assert_eq!(post(&all, &[("user_id", &newcomer.user), ("role", role)]).await, invalid, "{role}");
        }
        let nobody = refused(404, "resource_not_found");
        assert_eq!(post(&all, &[("user_id", "user_nobody"), ("role", "org:member")]).await, nobody);
        assert_eq!(admin.does(&give_role(&acme, "user_nobody", "org:member")).await.error(), nobody);
        assert_eq!(admin.does(&give_role(&acme, &newcomer.user, "org:member")).await.error(), nobody, "no member yet");
        assert_eq!(admin.does(&remove(&acme, &newcomer.user)).await.error(), nobody);
        let already = admin.does(&add(&acme, &admin.user, "org:member")).await;
        assert_eq!(already.error(), refused(400, "already_a_member_in_organization"));
        assert_eq!(footprint(&app).await, before);
        let seats = json!({"max_allowed_memberships": 2});
        app.backend(Method::PATCH, &format!("/v1/organizations/{acme}"), seats).await.ok();
        let added = admin.does(&add(&acme, &newcomer.user, "org:member")).await.ok();
        assert_eq!(added["response"]["organization"]["members_count"], 2);
        let full = admin.does(&add(&acme, &second.user, "org:member")).await;
        assert_eq!(full.error(), refused(403, "organization_membership_quota_exceeded"));
        app.close().await;
    }
}
