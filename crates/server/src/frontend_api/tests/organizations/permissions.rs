//! Who may do what: every operation by everybody who may not.

use super::{
    Operation, Town, add, create, delete, give_role, not_found, on_organization, read, refused, remove, rename,
};
use crate::frontend_api::tests::support::footprint;
use crate::testing::TestApp;
use axum::http::Method;
use serde_json::json;

#[tokio::test]
async fn nobody_acts_without_a_session_of_their_own_browser() {
    for app in TestApp::on_each_database().await {
        let town = Town::found(&app).await;
        let acme = town.organization("acme").await;
        let admin = town.member(&acme, "admin", "org:admin").await;
        let other = town.member(&acme, "other", "org:admin").await;
        let newcomer = town.arrive("newcomer").await;
        let before = footprint(&app).await;
        let mut operations: Vec<Operation> =
            on_organization(&acme, &other.user, &newcomer.user).into_iter().map(|(operation, _)| operation).collect();
        operations.push(create(&[("name", "Mine")]));
        operations.push(Operation::new(Method::GET, "/v1/me/organization_creation_defaults", &[]));
        let signed_out = refused(401, "signed_out");
        // The admin's browser, all but the last letter of its secret.
        let forged = app.browser();
        let cookie = admin.browser.cookie("__client").unwrap();
        let last = if cookie.ends_with('A') { "B" } else { "A" };
        forged.set_cookie("__client", &format!("{}{last}", &cookie[..cookie.len() - 1]));
        for operation in operations {
            assert_eq!(operation.by(&forged).await.error(), signed_out, "a forged cookie: {operation:?}");
            assert_eq!(operation.by(&app.browser()).await.error(), signed_out, "no cookie: {operation:?}");
            let foreign = operation.of_session(&admin.session);
            assert_eq!(newcomer.does(&foreign).await.error(), signed_out, "the admin's session: {operation:?}");
        }
        assert_eq!(footprint(&app).await, before);
        app.close().await;
    }
}

#[tokio::test]
async fn org21_to_who_is_no_member_the_organization_does_not_exist() {
    for app in TestApp::on_each_database().await {
        let town = Town::found(&app).await;
        let (acme, globex) = (town.organization("acme").await, town.organization("globex").await);
        let admin = town.member(&acme, "admin", "org:admin").await;
        let neighbour = town.member(&globex, "neighbour", "org:admin").await;
        let stranger = town.arrive("stranger").await;
        let former = town.member(&acme, "former", "org:admin").await;
        admin.does(&remove(&acme, &former.user)).await.ok();
        let before = footprint(&app).await;
        for (operation, _) in on_organization(&acme, &admin.user, &neighbour.user) {
            for person in [&neighbour, &stranger, &former] {
                assert_eq!(person.does(&operation).await.error(), not_found(), "{operation:?}");
            }
        }
        // The answer is that for an organization nobody has, word for word.
        for (there, nowhere) in on_organization(&acme, &admin.user, &neighbour.user).into_iter().zip(on_organization(
            "org_nobody",
            &admin.user,
            &neighbour.user,
        )) {
            let (mut there, mut nowhere) =
                (neighbour.does(&there.0).await.json(), neighbour.does(&nowhere.0).await.json());
            for answer in [&mut there, &mut nowhere] {
                answer["clerk_trace_id"] = json!(null);
            }
            assert_eq!(there, nowhere);
        }
        assert_eq!(footprint(&app).await, before);
        app.close().await;
    }
}

#[tokio::test]
async fn rol20_a_member_without_the_permission_is_told_which() {
    for app in TestApp::on_each_database().await {
        let town = Town::found(&app).await;
        let acme = town.organization("acme").await;
        let admin = town.member(&acme, "admin", "org:admin").await;
        let member = town.member(&acme, "member", "org:member").await;
        let newcomer = town.arrive("newcomer").await;
        let before = footprint(&app).await;
        let missing = async |wanted: &str, operation: &Operation| {
            let answer = member.does(operation).await;
            assert_eq!(answer.error(), refused(403, "missing_organization_permission"), "{operation:?}");
            assert_eq!(answer.json()["errors"][0]["meta"], json!({"permissions": [wanted]}), "{operation:?}");
        };
        for (operation, wanted) in on_organization(&acme, &admin.user, &newcomer.user) {
            match wanted {
                Some("org:sys_memberships:read") | None => drop(member.does(&operation).await.ok()),
                Some(wanted) => missing(wanted, &operation).await,
            }
        }
        // Not even with oneself.
        missing("org:sys_memberships:manage", &give_role(&acme, &member.user, "org:admin")).await;
        missing("org:sys_memberships:manage", &remove(&acme, &member.user)).await;
        assert_eq!(footprint(&app).await, before);

        // A role that may nothing at all sees the organization and no more.
        app.sql("DELETE FROM role_permissions WHERE role_id = (SELECT id FROM roles WHERE key = 'org:member')").await;
        member.does(&read(&acme, "")).await.ok();
        for rest in ["/memberships", "/memberships?paginated=true", "/roles"] {
            missing("org:sys_memberships:read", &read(&acme, rest)).await;
        }
        app.close().await;
    }
}

#[tokio::test]
async fn each_permission_opens_its_own_operations() {
    for app in TestApp::on_each_database().await {
        let town = Town::found(&app).await;
        let acme = town.organization("acme").await;
        let admin = town.member(&acme, "admin", "org:admin").await;
        let member = town.member(&acme, "member", "org:member").await;
        let newcomer = town.arrive("newcomer").await;
        let only = async |permission: &str| {
            app.sql("DELETE FROM role_permissions WHERE role_id = (SELECT id FROM roles WHERE key = 'org:member')")
                .await;
            let grant = format!(
                "INSERT INTO role_permissions (role_id, permission_id) SELECT r.id, p.id FROM roles r, permissions p \
                 WHERE r.key = 'org:member' AND p.key = '{permission}'"
            );
            app.sql(&grant).await;
        };
        // Deleting comes last.
        let order = [
            "org:sys_memberships:read",
            "org:sys_memberships:manage",
            "org:sys_profile:manage",
            "org:sys_profile:delete",
        ];
        for held in order {
            only(held).await;
            let mut operations = on_organization(&acme, &admin.user, &newcomer.user);
            // What is done to the only admin would be refused for another reason.
            operations.retain(|(operation, _)| !operation.path.ends_with(&admin.user));
            operations.push((give_role(&acme, &newcomer.user, "org:member"), Some("org:sys_memberships:manage")));
            operations.push((remove(&acme, &newcomer.user), Some("org:sys_memberships:manage")));
            // Deleting last, or nothing is left to ask of.
            operations
                .sort_by_key(|(operation, _)| operation.path.ends_with(&acme) && operation.method == Method::DELETE);
            for (operation, wanted) in operations {
                let answer = member.does(&operation).await;
                let follows = (held, wanted) == ("org:sys_memberships:manage", Some("org:sys_memberships:read"));
                if follows || wanted.is_none_or(|wanted| wanted == held) {
                    answer.ok();
                } else {
                    let expected = refused(403, "missing_organization_permission");
                    assert_eq!(answer.error(), expected, "{held}: {operation:?}");
                }
            }
        }
        assert_eq!(admin.does(&read(&acme, "")).await.error(), not_found(), "it was deleted");
        app.close().await;
    }
}

#[tokio::test]
async fn what_counts_is_the_role_in_the_organization_that_is_asked_for() {
    for app in TestApp::on_each_database().await {
        let town = Town::found(&app).await;
        let (acme, globex) = (town.organization("acme").await, town.organization("globex").await);
        let admin = town.member(&acme, "admin", "org:admin").await;
        let both = town.member(&acme, "both", "org:member").await;
        town.join(&globex, &both, "org:admin").await;
        // With the organization active where she is an admin.
        both.activate(&globex).await;
        for operation in [
            rename(&acme, "Taken"),
            delete(&acme),
            remove(&acme, &admin.user),
            give_role(&acme, &both.user, "org:admin"),
        ] {
            assert_eq!(
                both.does(&operation).await.error(),
                refused(403, "missing_organization_permission"),
                "{operation:?}"
            );
        }
        // A member of another organization is out of reach, whatever one may in one's own.
        for operation in [give_role(&globex, &admin.user, "org:member"), remove(&globex, &admin.user)] {
            assert_eq!(both.does(&operation).await.error(), refused(404, "resource_not_found"), "{operation:?}");
        }
        both.does(&rename(&globex, "Ours")).await.ok();
        app.close().await;
    }
}

#[tokio::test]
async fn who_may_get_no_token_manages_nothing() {
    for app in TestApp::on_each_database().await {
        let town = Town::found(&app).await;
        let acme = town.organization("acme").await;
        let admin = town.member(&acme, "admin", "org:admin").await;
        let other = town.member(&acme, "other", "org:admin").await;
        let newcomer = town.arrive("newcomer").await;
        app.backend(Method::POST, &format!("/v1/users/{}/lock", admin.user), json!(null)).await.ok();
        let before = footprint(&app).await;
        for (operation, _) in on_organization(&acme, &other.user, &newcomer.user) {
            assert_eq!(admin.does(&operation).await.error(), refused(401, "signed_out"), "{operation:?}");
        }
        assert_eq!(admin.does(&create(&[("name", "Mine")])).await.error(), refused(401, "signed_out"));
        assert_eq!(footprint(&app).await, before);
        app.close().await;
    }
}

#[tokio::test]
async fn org2_everything_is_refused_while_organizations_are_off() {
    let app = TestApp::new().await;
    let town = Town::found(&app).await;
    let acme = town.organization("acme").await;
    let admin = town.member(&acme, "admin", "org:admin").await;
    let newcomer = town.arrive("newcomer").await;
    app.backend(Method::PATCH, "/v1/instance/organization_settings", json!({"enabled": false})).await.ok();
    let mut operations: Vec<Operation> =
        on_organization(&acme, &admin.user, &newcomer.user).into_iter().map(|(operation, _)| operation).collect();
    operations.push(create(&[("name", "Mine")]));
    operations.push(Operation::new(Method::GET, "/v1/me/organization_creation_defaults", &[]));
    for operation in operations {
        let answer = admin.does(&operation).await;
        assert_eq!(answer.error(), refused(403, "organization_not_enabled_in_instance"), "{operation:?}");
    }
    app.close().await;
}

#[tokio::test]
async fn api1_nobody_lists_all_organizations_without_the_key() {
    let app = TestApp::new().await;
    let town = Town::found(&app).await;
    let acme = town.organization("acme").await;
    let admin = town.member(&acme, "admin", "org:admin").await;
    let listed = admin.browser.get("/v1/organizations").await;
    assert_eq!(listed.error(), refused(401, "authentication_invalid"));
    app.close().await;
}

#[tokio::test]
async fn what_cannot_be_an_id_leads_nowhere() {
    for app in TestApp::on_each_database().await {
        let town = Town::found(&app).await;
        let acme = town.organization("acme").await;
        let admin = town.member(&acme, "admin", "org:admin").await;
        // Members name their organization by id; the slug is a name that others may read.
        for id in ["acme", "org_", "ACME", &acme.to_uppercase(), "%20", "'%20OR%201=1--"] {
            assert_eq!(admin.does(&read(id, "")).await.error(), not_found(), "{id}");
            assert_eq!(admin.does(&delete(id)).await.error(), not_found(), "{id}");
        }
        for id in ["%00", "%FF"] {
            assert_eq!(admin.does(&read(id, "")).await.error().0, 404, "{id}");
            assert_eq!(admin.does(&add(id, &admin.user, "org:member")).await.error().0, 404, "{id}");
            assert_eq!(admin.does(&remove(&acme, id)).await.error().0, 404, "{id}");
        }
        app.close().await;
    }
}
