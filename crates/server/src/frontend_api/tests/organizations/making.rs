//! Making, naming and deleting an organization.

use super::{Operation, Person, Town, create, delete, not_found, read, refused, rename};
use crate::frontend_api::tests::support::{alice, client, footprint, members};
use crate::testing::{TestApp, TestIdp};
use axum::http::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn org9_who_makes_an_organization_runs_it_and_has_it_active() {
    for app in TestApp::on_each_database().await {
        let town = Town::found(&app).await;
        let ada = town.arrive("ada").await;
        assert_eq!(ada.token().await, Value::Null);
        let answer = ada.does(&create(&[("name", " Acme "), ("slug", "acme")])).await.ok();
        let made = &answer["response"];
        assert_eq!(
            (&made["object"], &made["name"], &made["slug"]),
            (&json!("organization"), &json!("Acme"), &json!("acme"))
        );
        assert_eq!((&made["members_count"], &made["public_metadata"]), (&json!(1), &json!({})));
        assert!(made.get("private_metadata").is_none() && made.get("created_by").is_none(), "{made}");
        let id = made["id"].as_str().unwrap();
        // The page takes its new state from the client beside the answer.
        let session = &answer["client"]["sessions"][0];
        assert_eq!(session["last_active_organization_id"], json!(id));
        assert_eq!(session["user"]["organization_memberships"][0]["role"], "org:admin");
        let token = ada.token().await;
        assert_eq!((&token["id"], &token["slg"], &token["rol"]), (&json!(id), &json!("acme"), &json!("admin")));
        assert_eq!(members(&app, id).await, [("ada@people.test".to_owned(), "org:admin".to_owned())]);
        let seen = app.backend(Method::GET, &format!("/v1/organizations/{id}"), Value::Null).await.ok();
        assert_eq!(seen["created_by"], json!(ada.user));
        app.close().await;
    }
}

#[tokio::test]
async fn org9_the_named_session_gets_it_and_no_other() {
    let app = TestApp::new().await;
    let town = Town::found(&app).await;
    let ada = town.arrive("ada").await;
    // Somebody else signs in with the same browser, and is in focus.
    let (first, browser) = (ada.session.clone(), ada.browser);
    town.idp
        .sign_in(&app, &browser, "bob@people.test", &crate::testing::Identity::new("bob@people.test", "Bob", "B"))
        .await;
    let made = create(&[("name", "Acme")]).of_session(&first).by(&browser).await.ok();
    for session in made["client"]["sessions"].as_array().unwrap() {
        let active = session["last_active_organization_id"] == made["response"]["id"];
        assert_eq!(active, session["id"] == json!(first), "{session}");
    }
    app.close().await;
}

#[tokio::test]
async fn org5_org6_bad_names_and_slugs_are_refused_and_leave_nothing_behind() {
    for app in TestApp::on_each_database().await {
        let town = Town::found(&app).await;
        let ada = town.arrive("ada").await;
        town.organization("taken").await;
        let made = ada.does(&create(&[("name", "Acme"), ("slug", "acme")])).await.ok();
        let acme = made["response"]["id"].as_str().unwrap().to_owned();
        let before = footprint(&app).await;
        let long = "x".repeat(257);
        type Case<'a> = (&'a [(&'static str, &'a str)], &'a str, &'a str);
        let cases: [Case<'_>; 10] = [
            (&[("name", "  ")], "form_param_value_invalid", "name"),
            (&[("name", &long)], "form_param_max_length_exceeded", "name"),
            (&[("name", "https://evil.test")], "form_param_value_invalid", "name"),
            (&[("name", "see www.evil.test")], "form_param_value_invalid", "name"),
            (&[("name", "<img src=x>")], "form_param_value_invalid", "name"),
            (&[("name", "a\u{0}b")], "form_param_value_invalid", "name"),
            (&[("name", "A"), ("slug", "Not A Slug")], "form_param_format_invalid", "slug"),
            (&[("name", "A"), ("slug", "-a")], "form_param_format_invalid", "slug"),
            (&[("name", "A"), ("slug", &long)], "form_param_format_invalid", "slug"),
            (&[("name", "A"), ("slug", "taken")], "form_identifier_exists", "slug"),
        ];
        for (form, code, param) in cases {
            let change = Operation::new(Method::PATCH, format!("/v1/organizations/{acme}"), form);
            for operation in [create(form), change] {
                let answer = ada.does(&operation).await;
                assert_eq!(answer.error(), refused(422, code), "{operation:?}");
                assert_eq!(answer.json()["errors"][0]["meta"]["param_name"], param, "{operation:?}");
            }
        }
        assert_eq!(ada.does(&create(&[])).await.error(), refused(422, "form_param_missing"));
        assert_eq!(ada.does(&create(&[("slug", "b")])).await.error(), refused(422, "form_param_missing"));
        let empty = Operation::new(Method::PATCH, format!("/v1/organizations/{acme}"), &[("slug", "")]);
        assert_eq!(ada.does(&empty).await.error(), refused(422, "form_param_format_invalid"));
        assert_eq!(footprint(&app).await, before);
        app.close().await;
    }
}

#[tokio::test]
async fn org6_a_slug_is_made_where_none_is_given_and_refused_where_slugs_are_off() {
    let app = TestApp::new().await;
    let town = Town::found(&app).await;
    let ada = town.arrive("ada").await;
    for form in [&[("name", "Acme")][..], &[("name", "Acme"), ("slug", "")]] {
        let made = ada.does(&create(form)).await.ok();
        assert!(made["response"]["slug"].as_str().unwrap().starts_with("acme-"), "{made}");
    }
    app.backend(Method::PATCH, "/v1/instance/organization_settings", json!({"slug_disabled": true})).await.ok();
    let asked = ada.does(&create(&[("name", "Acme"), ("slug", "acme")])).await;
    assert_eq!(asked.error(), refused(403, "organization_slugs_disabled"));
    ada.does(&create(&[("name", "Acme")])).await.ok();
    app.close().await;
}

#[tokio::test]
async fn org9_org10_permission_and_limit_are_the_users_own() {
    for app in TestApp::on_each_database().await {
        let town = Town::found(&app).await;
        let ada = town.arrive("ada").await;
        let user = format!("/v1/users/{}", ada.user);
        app.backend(Method::PATCH, &user, json!({"create_organization_enabled": false})).await.ok();
        let barred = ada.does(&create(&[("name", "Acme")])).await;
        assert_eq!(barred.error(), refused(403, "user_create_organization_not_enabled"));
        let change = json!({"create_organization_enabled": true, "create_organizations_limit": 2});
        app.backend(Method::PATCH, &user, change).await.ok();
        assert_eq!(ada.browser.get("/v1/me").await.ok()["response"]["create_organizations_limit"], 2);
        let first = ada.does(&create(&[("name", "One")])).await.ok();
        ada.does(&create(&[("name", "Two")])).await.ok();
        let third = ada.does(&create(&[("name", "Three")])).await;
        assert_eq!(third.error(), refused(403, "org_creation_limit_exceeded"));
        // Only what is there counts, and only what this user made.
        town.join(&town.organization("other").await, &ada, "org:admin").await;
        ada.does(&delete(first["response"]["id"].as_str().unwrap())).await.ok();
        ada.does(&create(&[("name", "Three")])).await.ok();
        app.backend(Method::PATCH, &user, json!({"create_organizations_limit": 0})).await.ok();
        ada.does(&create(&[("name", "Four")])).await.ok();
        app.backend(Method::PATCH, &user, json!({"create_organizations_limit": null})).await.ok();
        assert_eq!(ada.browser.get("/v1/me").await.ok()["response"]["create_organizations_limit"], 100);
        app.close().await;
    }
}

#[tokio::test]
async fn a_renamed_organization_shows_everywhere_and_keeps_what_was_not_changed() {
    for app in TestApp::on_each_database().await {
        let town = Town::found(&app).await;
        let acme = town.organization("acme").await;
        let settings = json!({"max_allowed_memberships": 7});
        app.backend(Method::PATCH, &format!("/v1/organizations/{acme}"), settings).await.ok();
        let admin = town.member(&acme, "admin", "org:admin").await;
        admin.activate(&acme).await;
        let renamed = admin.does(&rename(&acme, "Acme Two")).await.ok();
        assert_eq!((&renamed["response"]["name"], &renamed["response"]["slug"]), (&json!("Acme Two"), &json!("acme")));
        let seen = &renamed["client"]["sessions"][0]["user"]["organization_memberships"][0]["organization"];
        assert_eq!(seen["name"], "Acme Two");
        let slug = Operation::new(Method::PATCH, format!("/v1/organizations/{acme}"), &[("slug", "acme-two")]);
        let changed = admin.does(&slug).await.ok();
        assert_eq!(
            (&changed["response"]["name"], &changed["response"]["slug"]),
            (&json!("Acme Two"), &json!("acme-two"))
        );
        assert_eq!(admin.token().await["slg"], "acme-two");
        // Its own slug again is no conflict; what is the operator's is not read.
        let more = [
            ("slug", "acme-two"),
            ("max_allowed_memberships", "0"),
            ("admin_delete_enabled", "false"),
            ("role_set_key", "x"),
            ("public_metadata", "{\"a\":1}"),
        ];
        let same = Operation::new(Method::PATCH, format!("/v1/organizations/{acme}"), &more);
        let same = admin.does(&same).await.ok();
        let kept = &same["response"];
        assert_eq!((&kept["max_allowed_memberships"], &kept["admin_delete_enabled"]), (&json!(7), &json!(true)));
        assert_eq!(kept["public_metadata"], json!({}));
        assert_eq!(admin.does(&read(&acme, "")).await.ok()["response"], *kept);
        app.close().await;
    }
}

#[tokio::test]
async fn org17_a_deleted_organization_is_gone_for_all_its_members_and_leaves_their_sessions() {
    for app in TestApp::on_each_database().await {
        let town = Town::found(&app).await;
        let acme = town.organization("acme").await;
        let admin = town.member(&acme, "admin", "org:admin").await;
        let member = town.member(&acme, "member", "org:member").await;
        for person in [&admin, &member] {
            person.activate(&acme).await;
        }
        let answer = admin.does(&delete(&acme)).await.ok();
        assert_eq!(answer["response"], json!({"object": "organization", "id": acme, "slug": "acme", "deleted": true}));
        assert_eq!(answer["client"]["sessions"][0]["user"]["organization_memberships"], json!([]));
        for person in [&admin, &member] {
            assert_eq!(person.token().await, Value::Null);
            assert_eq!(client(&person.browser).await["sessions"][0]["last_active_organization_id"], Value::Null);
            assert_eq!(person.does(&read(&acme, "")).await.error(), not_found());
        }
        assert_eq!(admin.does(&delete(&acme)).await.error(), not_found(), "a second time");
        app.close().await;
    }
}

#[tokio::test]
async fn org15_where_it_is_switched_off_members_delete_nothing_and_the_operator_still_does() {
    for app in TestApp::on_each_database().await {
        let town = Town::found(&app).await;
        let acme = town.organization("acme").await;
        let admin = town.member(&acme, "admin", "org:admin").await;
        let member = town.member(&acme, "member", "org:member").await;
        let path = format!("/v1/organizations/{acme}");
        app.backend(Method::PATCH, &path, json!({"admin_delete_enabled": false})).await.ok();
        assert_eq!(admin.does(&delete(&acme)).await.error(), refused(403, "organization_admin_delete_not_enabled"));
        assert_eq!(member.does(&delete(&acme)).await.error(), refused(403, "missing_organization_permission"));
        admin.does(&read(&acme, "")).await.ok();
        app.backend(Method::DELETE, &path, Value::Null).await.ok();
        app.close().await;
    }
}

#[tokio::test]
async fn org18_the_connection_of_an_organization_that_its_member_deleted_stops() {
    for app in TestApp::on_each_database().await {
        let town = Town::found(&app).await;
        let acme = town.organization("acme").await;
        let idp = TestIdp::connect(&app, "acme.test", Some(&acme), 1).await;
        let admin = town.member(&acme, "admin", "org:admin").await;
        admin.does(&delete(&acme)).await.ok();
        let path = format!("/v1/enterprise_connections/{}", idp.connection_id());
        let connection = app.backend(Method::GET, &path, Value::Null).await.ok();
        assert_eq!((&connection["active"], &connection["organization_id"]), (&json!(false), &Value::Null));
        app.close().await;
    }
}

#[tokio::test]
async fn org25_the_form_begins_with_the_name_of_the_company() {
    let app = TestApp::new().await;
    let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
    let alice = Person {
        user: String::new(),
        session: String::new(),
        browser: {
            let browser = app.browser();
            idp.sign_in(&app, &browser, "alice@acme.test", &alice()).await;
            browser
        },
    };
    let defaults = alice.browser.get("/v1/me/organization_creation_defaults").await.ok();
    assert_eq!(defaults["response"], json!({"form": {"name": "Acme", "logo": null}, "advisory": null}));
    let environment = alice.browser.get("/v1/environment").await.ok();
    assert_eq!(environment["user_settings"]["actions"]["create_organization"], true);
    app.close().await;
}
