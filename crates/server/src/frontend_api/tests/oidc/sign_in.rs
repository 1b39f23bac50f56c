//! What works.

use super::{Trip, alice};
use crate::frontend_api::tests::support::{claims, client, members, organization, users};
use crate::testing::{CLIENT_SECRET, Person, TestApp, TestOp, begin_sign_in, parameters};
use axum::http::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn mem1_an_employee_signs_in_and_is_a_member_with_a_verified_token() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme", "slug": "acme"})).await;
        let op = TestOp::connect(&app, "acme.test", Some(&acme)).await;
        let browser = app.browser();
        let done = op.sign_in(&app, &browser, "alice@acme.test", &alice()).await;
        assert_eq!(done.location(), "https://app.example.com/done");
        assert_eq!(members(&app, &acme).await, [("alice@acme.test".to_owned(), "org:member".to_owned())]);
        let session = client(&browser).await["sessions"][0].clone();
        assert_eq!(session["last_active_organization_id"], json!(acme));
        assert_eq!(
            (&session["user"]["first_name"], &session["user"]["last_name"]),
            (&json!("Alice"), &json!("Müller"))
        );
        let account = &session["user"]["enterprise_accounts"][0];
        assert_eq!(account["email_address"], "alice@acme.test");
        assert_eq!(account["provider_user_id"], alice().id_token["sub"]);
        let path = format!("/v1/client/sessions/{}/tokens", session["id"].as_str().unwrap());
        let token = browser.post(&path, &[]).await.ok();
        assert_eq!(claims(token["jwt"].as_str().unwrap())["o"], json!({"id": acme, "rol": "member", "slg": "acme"}));
        // Everything stood in the ID token, so nothing else was asked.
        assert_eq!((op.hits("/token"), op.hits("/userinfo")), (1, 0));
        app.close().await;
    }
}

#[tokio::test]
async fn lnk6_a_second_sign_in_makes_no_second_user_and_asks_for_no_document_again() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme"})).await;
        let op = TestOp::connect(&app, "acme.test", Some(&acme)).await;
        let married =
            Person::new("alice.smith@acme.test", "Alice", "Smith").with("sub", alice().id_token["sub"].clone());
        for person in [alice(), alice(), married] {
            let done = op.sign_in(&app, &app.browser(), "alice@acme.test", &person).await;
            assert_eq!(done.location(), "https://app.example.com/done");
            app.advance(1000);
        }
        assert_eq!((users(&app).await.len(), members(&app, &acme).await.len()), (1, 1));
        assert_eq!(users(&app).await[0]["last_name"], "Smith");
        assert_eq!((op.hits("/.well-known/openid-configuration"), op.hits("/jwks"), op.hits("/token")), (1, 1, 3));
        app.close().await;
    }
}

#[tokio::test]
async fn lnk2_who_has_a_verified_account_gets_that_one() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::connect(&app, "acme.test", None).await;
        let user = json!({"email_address": ["alice@acme.test"], "first_name": "Ada"});
        let id = app.backend(Method::POST, "/v1/users", user).await.ok()["id"].clone();
        let session = Trip::begin(&app, "alice@acme.test").await.answer(&app, &op, &alice()).await.unwrap();
        assert_eq!(session["user"]["id"], id);
        assert_eq!(users(&app).await.len(), 1);
        app.close().await;
    }
}

#[tokio::test]
async fn x10_a_verification_through_openid_connect_is_called_so_whatever_became_of_it() {
    for app in TestApp::on_each_database().await {
        for (provider, word) in [("oidc_custom", "oauth_custom_oidc"), ("oidc_gitlab", "oauth_custom_gitlab")] {
            let op = TestOp::start().await;
            let body = json!({
                "name": "SSO", "provider": provider, "domains": ["acme.test"], "active": true,
                "oidc": {"client_id": op.state().client_id, "client_secret": CLIENT_SECRET, "discovery_url": op.discovery_url()},
            });
            let connection = app.backend(Method::POST, "/v1/enterprise_connections", body).await.ok();
            let stranger = alice().with("email_verified", json!(false));
            for (person, status) in [(&stranger, "failed"), (&alice(), "verified")] {
                // Client after a sign-in loses the attempt, so it is asked for by its id.
                let browser = app.browser();
                let form = [
                    ("identifier", "alice@acme.test"),
                    ("strategy", "enterprise_sso"),
                    ("redirect_url", "https://app.example.com/sso-callback"),
                ];
                let begun = browser.post("/v1/client/sign_ins", &form).await.ok()["response"].clone();
                let shown = |attempt: &Value| {
                    let found = &attempt["first_factor_verification"];
                    ["object", "strategy", "status"].map(|name| found[name].as_str().unwrap().to_owned())
                };
                assert_eq!(shown(&begun), ["verification_oauth", "enterprise_sso", "unverified"]);
                let redirect =
                    begun["first_factor_verification"]["external_verification_redirect_url"].as_str().unwrap();
                op.answer(&app, &browser, redirect, person).await;
                let path = format!("/v1/client/sign_ins/{}", begun["id"].as_str().unwrap());
                let ended = browser.get(&path).await.ok()["response"].clone();
                assert_eq!(shown(&ended), ["verification_oauth", "enterprise_sso", status]);
            }
            let browser = app.browser();
            let redirect = begin_sign_up(&browser, "alice@acme.test", &[]).await;
            let shown = async || {
                let client = client(&browser).await;
                let found = &client["sign_up"]["verifications"]["external_account"];
                ["object", "strategy", "status"].map(|name| found[name].as_str().unwrap().to_owned())
            };
            assert_eq!(shown().await, ["verification_oauth", word, "unverified"]);
            op.answer(&app, &browser, &redirect, &alice()).await;
            assert_eq!(shown().await, ["verification_oauth", word, "transferable"]);
            let path = format!("/v1/enterprise_connections/{}", connection["id"].as_str().unwrap());
            app.backend(Method::DELETE, &path, Value::Null).await.ok();
        }
        app.close().await;
    }
}

async fn begin_sign_up(browser: &crate::testing::Browser<'_>, email: &str, extra: &[(&str, &str)]) -> String {
    let form = [
        ("email_address", email),
        ("strategy", "enterprise_sso"),
        ("redirect_url", "https://app.example.com/sso-callback"),
        ("action_complete_redirect_url", "https://app.example.com/done"),
    ];
    let created = browser.post("/v1/client/sign_ups", &[&form[..], extra].concat()).await.ok();
    let verification = &created["response"]["verifications"]["external_account"];
    verification["external_verification_redirect_url"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn dec10_dec15_a_sign_up_makes_a_member_and_that_of_somebody_known_is_transferred() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme"})).await;
        let op = TestOp::connect(&app, "acme.test", Some(&acme)).await;
        let browser = app.browser();
        let redirect = begin_sign_up(&browser, "alice@acme.test", &[("unsafe_metadata", "{\"plan\": 1}")]).await;
        let done = op.answer(&app, &browser, &redirect, &alice()).await;
        assert_eq!(done.location(), "https://app.example.com/done");
        assert_eq!(users(&app).await[0]["unsafe_metadata"], json!({"plan": 1}));
        assert_eq!(members(&app, &acme).await.len(), 1);

        let again = app.browser();
        let redirect = begin_sign_up(&again, "alice@acme.test", &[]).await;
        let back = op.answer(&app, &again, &redirect, &alice()).await;
        assert_eq!(back.location(), "https://app.example.com/sso-callback");
        let verification = &client(&again).await["sign_up"]["verifications"]["external_account"];
        assert_eq!(
            (&verification["status"], &verification["error"]["code"]),
            (&json!("transferable"), &json!("external_account_exists"))
        );
        let transferred = again.post("/v1/client/sign_ins", &[("transfer", "true")]).await.ok();
        assert_eq!(transferred["response"]["status"], "complete");
        assert_eq!(users(&app).await.len(), 1);
        app.close().await;
    }
}

#[tokio::test]
async fn dec15_a_transfer_ends_where_the_connection_was_changed_meanwhile() {
    let app = TestApp::new().await;
    let op = TestOp::connect(&app, "acme.test", None).await;
    op.sign_in(&app, &app.browser(), "alice@acme.test", &alice()).await;
    let path = format!("/v1/enterprise_connections/{}", op.connection_id());
    for (change, code) in [
        (json!({"oidc": {"attribute_mapping": {"first_name": "nickname"}}}), "oauth_callback_invalid"),
        (json!({"domains": ["other.test"]}), "enterprise_sso_email_address_domain_mismatch"),
        (json!({"domains": ["acme.test"], "active": false}), "oauth_provider_not_enabled"),
    ] {
        let browser = app.browser();
        app.backend(Method::PATCH, &path, json!({"active": true, "domains": ["acme.test"]})).await.ok();
        let redirect = begin_sign_up(&browser, "alice@acme.test", &[]).await;
        op.answer(&app, &browser, &redirect, &alice()).await;
        app.backend(Method::PATCH, &path, change).await.ok();
        let transferred = browser.post("/v1/client/sign_ins", &[("transfer", "true")]).await;
        assert_eq!(transferred.error().1, code);
    }
    app.close().await;
}

#[tokio::test]
async fn dec5_a_domain_with_a_saml_and_an_oidc_connection_asks_which() {
    for app in TestApp::on_each_database().await {
        let saml = crate::testing::TestIdp::connect(&app, "acme.test", None, 0).await;
        app.advance(1);
        let op = TestOp::connect(&app, "acme.test", None).await;
        let browser = app.browser();
        let created = browser.post("/v1/client/sign_ins", &[("identifier", "alice@acme.test")]).await.ok();
        let factors = created["response"]["supported_first_factors"].as_array().unwrap().clone();
        let ids: Vec<&Value> = factors.iter().map(|factor| &factor["enterprise_connection_id"]).collect();
        assert_eq!(ids, [saml.connection_id(), op.connection_id()]);
        let path = format!("/v1/client/sign_ins/{}/prepare_first_factor", created["response"]["id"].as_str().unwrap());
        let form = [("strategy", "enterprise_sso"), ("redirect_url", "https://app.example.com/sso-callback")];
        let unchosen = browser.post(&path, &form).await.error();
        assert_eq!(unchosen.1, "enterprise_connection_id_is_required_with_multiple_connections");
        let chosen = [&form[..], &[("enterprise_connection_id", op.connection_id())]].concat();
        let prepared = browser.post(&path, &chosen).await.ok();
        let url = &prepared["response"]["first_factor_verification"]["external_verification_redirect_url"];
        op.answer(&app, &browser, url.as_str().unwrap(), &alice()).await;
        let session = client(&browser).await["sessions"][0].clone();
        assert_eq!(session["user"]["enterprise_accounts"][0]["enterprise_connection_id"], op.connection_id());
        app.close().await;
    }
}

#[tokio::test]
async fn two_nodes_on_one_database_serve_one_sign_in() {
    for first in TestApp::on_each_database().await {
        let second = first.second_node().await;
        let op = TestOp::connect(&first, "acme.test", None).await;
        let browser = first.browser();
        let redirect = begin_sign_in(&browser, "alice@acme.test").await;
        let there = browser.on(&second);
        let done = op.answer(&second, &there, &redirect, &alice()).await;
        assert_eq!(done.location(), "https://app.example.com/done");
        second.close().await;
        first.close().await;
    }
}

#[tokio::test]
async fn wire4_the_cookie_is_another_one_after_a_sign_in() {
    let app = TestApp::new().await;
    let op = TestOp::connect(&app, "acme.test", None).await;
    let browser = app.browser();
    let redirect = begin_sign_in(&browser, "alice@acme.test").await;
    let before = browser.cookie("__client").unwrap();
    op.answer(&app, &browser, &redirect, &alice()).await;
    assert_ne!(browser.cookie("__client").unwrap(), before);
    let thief = app.browser();
    thief.set_cookie("__client", &before);
    assert_eq!(client(&thief).await, Value::Null);
    app.close().await;
}

#[tokio::test]
async fn oid7_a_public_client_proves_itself_by_pkce_alone() {
    let app = TestApp::new().await;
    let op = TestOp::start().await;
    op.state().client_secret = None;
    let without = json!({"client_secret": null, "requires_pkce": true});
    let op = op.connected(&app, "acme.test", None, without).await;
    let trip = Trip::begin(&app, "alice@acme.test").await;
    assert_eq!(parameters(&trip.redirect)["code_challenge_method"], "S256");
    trip.answer(&app, &op, &alice()).await.unwrap();
    app.close().await;
}
