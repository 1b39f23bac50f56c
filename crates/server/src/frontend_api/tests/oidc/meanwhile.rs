//! What changes while somebody is on the way: between the request and the callback, and while the callback waits for the provider.

use super::{Trip, alice};
use crate::frontend_api::tests::support::{client, footprint, organization, users};
use crate::testing::{TestApp, TestOp, callback_url, parameters};
use axum::http::Method;
use serde_json::{Value, json};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    BeforeTheCallback,
    DuringTheCallback,
}

/// Alice signs in; meanwhile the operator does something. What became of her, and what was there before.
async fn play(
    app: &TestApp,
    op: &TestOp,
    when: When,
    (method, path, body): (Method, &str, Value),
) -> (Result<Value, (String, String)>, Value) {
    let interfere = async || {
        let done = app.backend(method.clone(), path, body.clone()).await;
        assert!(done.status.is_success(), "{}", done.text);
        footprint(app).await
    };
    let trip = Trip::begin(app, "alice@acme.test").await;
    let brought = op.authorize(app, &trip.redirect, &alice());
    let asked = op.hits("/token");
    if when == When::BeforeTheCallback {
        let before = interfere().await;
        let deleted = method == Method::DELETE && path.contains("enterprise_connections");
        if deleted {
            let refused = trip.browser.get(&callback_url(&brought)).await;
            return (Err((refused.error().1, refused.text)), before);
        }
        let outcome = trip.come_back(&brought).await;
        return (outcome, before);
    }
    op.state().delays.insert("/token", Duration::from_millis(300));
    let changed = async {
        while op.hits("/token") == asked {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        interfere().await
    };
    let played = futures_util::future::join(trip.come_back(&brought), changed).await;
    op.state().delays.clear();
    played
}

#[tokio::test]
async fn con37_a_connection_that_is_changed_meanwhile_signs_nobody_in() {
    let stranger = TestOp::start().await;
    stranger.state().client_id = "doorward at op".into();
    let changes = [
        (json!({"active": false}), "oauth_provider_not_enabled"),
        (json!({"authenticatable": false}), "oauth_provider_not_enabled"),
        (json!({"domains": ["other.test"]}), "enterprise_sso_email_address_domain_mismatch"),
        (json!({"domains": ["eu.acme.test"]}), "enterprise_sso_email_address_domain_mismatch"),
        (json!({"disable_jit_provisioning": true}), "saml_jit_provisioning_disabled"),
        (
            json!({"oidc": {"discovery_url": stranger.discovery_url(), "client_secret": "of the stranger"}}),
            "oauth_callback_invalid",
        ),
        (json!({"oidc": {"client_id": "another"}}), "oauth_callback_invalid"),
        (json!({"oidc": {"attribute_mapping": {"user_id": "email"}}}), "oauth_callback_invalid"),
    ];
    for app in TestApp::on_each_database().await {
        for when in [When::BeforeTheCallback, When::DuringTheCallback] {
            for (change, code) in &changes {
                let acme = organization(&app, json!({"name": "Acme"})).await;
                let op = TestOp::connect(&app, "acme.test", Some(&acme)).await;
                let path = format!("/v1/enterprise_connections/{}", op.connection_id());
                let (outcome, before) = play(&app, &op, when, (Method::PATCH, &path, change.clone())).await;
                let error = outcome.expect_err(code);
                assert_eq!(error.0, *code, "{when:?} {change} {}", error.1);
                assert_eq!(footprint(&app).await, before, "{when:?} {change}");
                app.backend(Method::DELETE, &path, Value::Null).await.ok();
            }
        }
        assert!(users(&app).await.is_empty());
        assert_eq!(stranger.hits("/token"), 0, "no code goes to a provider that did not give it");
        app.close().await;
    }
}

#[tokio::test]
async fn con37_a_connection_that_is_changed_while_its_document_is_fetched_sends_nobody_to_the_old_provider() {
    const DISCOVERY: &str = "/.well-known/openid-configuration";
    let stranger = TestOp::start().await;
    let form = [
        ("identifier", "alice@acme.test"),
        ("strategy", "enterprise_sso"),
        ("redirect_url", "https://app.example.com/sso-callback"),
    ];
    let elsewhere = json!({"discovery_url": stranger.discovery_url(), "client_secret": "of the stranger"});
    for app in TestApp::on_each_database().await {
        for (change, client_id) in [(elsewhere.clone(), None), (json!({"client_id": "another"}), Some("another"))] {
            let op = TestOp::connect(&app, "acme.test", None).await;
            let path = format!("/v1/enterprise_connections/{}", op.connection_id());
            op.state().delays.insert(DISCOVERY, Duration::from_millis(300));
            let browser = app.browser();
            let changed = async {
                while op.hits(DISCOVERY) == 0 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                app.backend(Method::PATCH, &path, json!({"oidc": change})).await.ok();
            };
            let (begun, ()) = futures_util::future::join(browser.post("/v1/client/sign_ins", &form), changed).await;
            match client_id {
                // What the document says is of use still, for what the connection is now.
                Some(client_id) => {
                    let begun = begun.ok();
                    let found = &begun["response"]["first_factor_verification"]["external_verification_redirect_url"];
                    assert_eq!(parameters(found.as_str().unwrap())["client_id"], client_id);
                }
                None => {
                    assert_eq!(begun.error(), (400, "misconfigured_oauth_provider".to_owned()));
                    assert!(begun.text.contains("at this very moment"), "{}", begun.text);
                }
            }
            app.backend(Method::DELETE, &path, Value::Null).await.ok();
        }
        app.close().await;
    }
}

#[tokio::test]
async fn a_document_that_was_fetched_for_a_connection_begins_no_trip_to_the_one_that_took_its_place() {
    const DISCOVERY: &str = "/.well-known/openid-configuration";
    let form = [
        ("identifier", "alice@acme.test"),
        ("strategy", "enterprise_sso"),
        ("redirect_url", "https://app.example.com/sso-callback"),
    ];
    for app in TestApp::on_each_database().await {
        let op = TestOp::connect(&app, "acme.test", None).await;
        let path = format!("/v1/enterprise_connections/{}", op.connection_id());
        op.state().delays.insert(DISCOVERY, Duration::from_secs(1));
        let browser = app.browser();
        let replaced = async {
            while op.hits(DISCOVERY) == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            op.state().delays.clear();
            app.backend(Method::DELETE, &path, Value::Null).await.ok();
            op.clone().connected(&app, "acme.test", None, json!({})).await
        };
        let (begun, heir) = futures_util::future::join(browser.post("/v1/client/sign_ins", &form), replaced).await;
        assert_eq!(begun.error(), (400, "misconfigured_oauth_provider".to_owned()), "{}", begun.text);
        assert!(begun.text.contains("at this very moment"), "{}", begun.text);
        Trip::begin(&app, "alice@acme.test").await.answer(&app, &heir, &alice()).await.unwrap();
        app.close().await;
    }
}

#[tokio::test]
async fn a_new_client_secret_interrupts_nobody() {
    let app = TestApp::new().await;
    let op = TestOp::connect(&app, "acme.test", None).await;
    let path = format!("/v1/enterprise_connections/{}", op.connection_id());
    op.state().client_secret = Some("the new one");
    let change = json!({"name": "Renamed", "oidc": {"client_secret": "the new one"}});
    play(&app, &op, When::BeforeTheCallback, (Method::PATCH, &path, change)).await.0.unwrap();
    app.close().await;
}

#[tokio::test]
async fn con34_a_connection_that_is_deleted_meanwhile_signs_nobody_in() {
    for app in TestApp::on_each_database().await {
        for (when, code) in [
            (When::BeforeTheCallback, "oauth_callback_invalid"),
            (When::DuringTheCallback, "oauth_provider_not_enabled"),
        ] {
            let op = TestOp::connect(&app, "acme.test", None).await;
            let path = format!("/v1/enterprise_connections/{}", op.connection_id());
            let (outcome, before) = play(&app, &op, when, (Method::DELETE, &path, Value::Null)).await;
            assert_eq!(outcome.unwrap_err().0, code, "{when:?}");
            assert_eq!(footprint(&app).await, before, "{when:?}");
        }
        app.close().await;
    }
}

#[tokio::test]
async fn a_person_who_is_banned_meanwhile_is_not_signed_in() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::connect(&app, "acme.test", None).await;
        let user = json!({"email_address": ["alice@acme.test"]});
        let id = app.backend(Method::POST, "/v1/users", user).await.ok()["id"].as_str().unwrap().to_owned();
        let ban = format!("/v1/users/{id}/ban");
        for when in [When::BeforeTheCallback, When::DuringTheCallback] {
            let (outcome, before) = play(&app, &op, when, (Method::POST, &ban, Value::Null)).await;
            assert_eq!(outcome.unwrap_err().0, "user_banned", "{when:?}");
            assert_eq!(footprint(&app).await, before, "{when:?}");
            app.backend(Method::POST, &format!("/v1/users/{id}/unban"), Value::Null).await.ok();
        }
        app.close().await;
    }
}

#[tokio::test]
async fn lnk1_the_same_person_many_times_at_once_is_one_user() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme"})).await;
        let op = TestOp::connect(&app, "acme.test", Some(&acme)).await;
        let mut trips = Vec::new();
        for _ in 0..10 {
            trips.push(Trip::begin(&app, "alice@acme.test").await);
        }
        let person = alice();
        let back = futures_util::future::join_all(trips.iter().map(|trip| trip.answer(&app, &op, &person))).await;
        assert!(back.iter().all(Result::is_ok), "{back:?}");
        assert_eq!(users(&app).await.len(), 1);
        for trip in &trips {
            assert_eq!(client(&trip.browser).await["sessions"].as_array().unwrap().len(), 1);
        }
        app.close().await;
    }
}
