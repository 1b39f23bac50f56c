//! Providers that are down, slow, or answer with something else; and what is kept of them meanwhile.

use super::{Trip, alice, refused};
use crate::frontend_api::tests::support::{footprint, users};
use crate::testing::{TestApp, TestOp};
use serde_json::json;
use std::time::Duration;

const HOUR: i64 = 3600 * 1000;
pub(super) const DISCOVERY: &str = "/.well-known/openid-configuration";

/// Prepares a sign-in of Alice; status and code of the refusal.
pub(super) async fn not_begun(app: &TestApp, words: &str) -> (u16, String) {
    let form = [
        ("identifier", "alice@acme.test"),
        ("strategy", "enterprise_sso"),
        ("redirect_url", "https://app.example.com/sso-callback"),
    ];
    let answer = app.browser().post("/v1/client/sign_ins", &form).await;
    assert!(answer.text.contains(words), "{words}: {}", answer.text);
    answer.error()
}

#[tokio::test]
async fn oid11_a_token_endpoint_that_gives_no_tokens_ends_the_sign_in_with_a_reason() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::connect(&app, "acme.test", None).await;
        let json = ("content-type", "application/json");
        let elsewhere = format!("{}/elsewhere", op.url);
        let large = format!("{{\"access_token\": \"{}\"}}", "x".repeat(300_000));
        let (exchange, set_up) = ("oauth_token_exchange_error", "misconfigured_oauth_provider");
        for (status, headers, body, code, words) in [
            (500, vec![json], "{}", exchange, "answered 500"),
            (503, vec![], "<html>", exchange, "answered 503"),
            (429, vec![json], "{}", exchange, "429, too many requests"),
            (200, vec![json], "garbage", exchange, "not a token response"),
            (200, vec![json], "{\"access_token\": \"a\", \"access_token\": \"b\"}", exchange, "not a token response"),
            (200, vec![("content-type", "text/html")], "{\"access_token\": \"a\"}", exchange, "not application/json"),
            (200, vec![json], "{\"token_type\": \"Bearer\"}", exchange, "access_token is missing"),
            (200, vec![json], &large, exchange, "larger than"),
            (307, vec![("location", elsewhere.as_str())], "", exchange, "answered 307"),
            (302, vec![("location", elsewhere.as_str())], "", exchange, "answered 302"),
            (400, vec![json], "{\"error\": \"invalid_grant\"}", exchange, "invalid_grant"),
            (200, vec![json], "{\"error\": \"bad_verification_code\"}", exchange, "bad_verification_code"),
            (401, vec![json], "{\"error\": \"invalid_client\"}", set_up, "invalid_client"),
            (
                400,
                vec![json],
                "{\"error\": \"invalid_grant\", \"error_description\": \"redirect_uri differs\"}",
                "redirect_uri_mismatch",
                "register https://clerk.example.com/v1/oauth_callback/entconn_",
            ),
        ] {
            op.can("/token", status, &headers, body);
            refused(&app, &op, &alice(), code, words).await;
        }
        assert_eq!(op.hits("/elsewhere"), 0, "a code follows no redirect");
        op.state().canned.clear();
        // Nobody listens.
        op.state().document = json!({"token_endpoint": "http://127.0.0.1:1/token"});
        app.advance(2 * HOUR);
        refused(&app, &op, &alice(), exchange, "could not be reached").await;
        // A host that is not to be asked.
        op.state().document = json!({"token_endpoint": "https://169.254.169.254/token"});
        app.advance(2 * HOUR);
        refused(&app, &op, &alice(), exchange, "the address is not public").await;
        assert!(users(&app).await.is_empty());
        app.close().await;
    }
}

#[tokio::test]
async fn oid11_what_is_too_slow_is_given_up() {
    let app = TestApp::new().await;
    let op = TestOp::connect(&app, "acme.test", None).await;
    op.state().delays.insert("/token", Duration::from_secs(30));
    let before = footprint(&app).await;
    let trip = Trip::begin(&app, "alice@acme.test").await;
    // While one waits, the database is nobody's.
    let (slow, others) = futures_util::future::join(trip.answer(&app, &op, &alice()), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        footprint(&app).await
    })
    .await;
    assert_eq!(others, before);
    let error = slow.unwrap_err();
    assert!(error.0 == "gateway_timeout" && error.1.contains("The token endpoint"), "{error:?}");
    app.close().await;
}

#[tokio::test]
async fn oid3_without_a_usable_configuration_no_trip_begins() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::connect(&app, "acme.test", None).await;
        let code = (400, "misconfigured_oauth_provider".to_owned());
        for (status, body, words) in
            [(500, "", "status 500"), (200, "<html>", "configuration document was refused"), (404, "", "status 404")]
        {
            op.can(DISCOVERY, status, &[], body);
            assert_eq!(not_begun(&app, words).await, code);
            // Whoever comes next is told the same, and nobody is asked again so soon.
            let asked = op.hits(DISCOVERY);
            assert_eq!(not_begun(&app, words).await, code);
            assert_eq!(op.hits(DISCOVERY), asked);
            app.advance(5000);
        }
        op.state().canned.clear();
        for (document, words) in [
            (json!({"issuer": "https://other.test"}), "issuer: expected"),
            (json!({"jwks_uri": null}), "no jwks_uri"),
            (json!({"authorization_endpoint": "http://op.test/auth"}), "does not begin with https"),
            (json!({"id_token_signing_alg_values_supported": ["none", "HS256"]}), "none of the accepted algorithms"),
        ] {
            op.state().document = document;
            assert_eq!(not_begun(&app, words).await, code);
            app.advance(5000);
        }
        op.state().document = json!({});
        Trip::begin(&app, "alice@acme.test").await.answer(&app, &op, &alice()).await.unwrap();
        app.close().await;
    }
}

#[tokio::test]
async fn documents_are_fetched_once_for_many_and_kept_as_long_as_their_server_says() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::connect(&app, "acme.test", None).await;
        op.state().cache_control = Some("max-age=7200".into());
        op.state().delays.insert(DISCOVERY, Duration::from_millis(100));
        op.state().delays.insert("/jwks", Duration::from_millis(100));
        let trips = futures_util::future::join_all((0..30).map(|_| Trip::begin(&app, "alice@acme.test"))).await;
        assert_eq!(op.hits(DISCOVERY), 1);
        let person = alice();
        let back = futures_util::future::join_all(trips.iter().map(|trip| trip.answer(&app, &op, &person))).await;
        assert!(back.iter().all(Result::is_ok), "{back:?}");
        assert_eq!((op.hits(DISCOVERY), op.hits("/jwks"), users(&app).await.len()), (1, 1, 1));
        let sign_in = async || Trip::begin(&app, "alice@acme.test").await.answer(&app, &op, &alice()).await.unwrap();
        app.advance(2 * HOUR - 1);
        sign_in().await;
        assert_eq!((op.hits(DISCOVERY), op.hits("/jwks")), (1, 1));
        app.advance(1);
        sign_in().await;
        assert_eq!((op.hits(DISCOVERY), op.hits("/jwks")), (2, 2));
        app.close().await;
    }
}

#[tokio::test]
async fn while_its_documents_cannot_be_fetched_people_sign_in_by_those_that_are_kept_for_a_while() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::connect(&app, "acme.test", None).await;
        let sign_in = async || Trip::begin(&app, "alice@acme.test").await.answer(&app, &op, &alice()).await.unwrap();
        sign_in().await;
        for path in [DISCOVERY, "/jwks"] {
            op.can(path, 503, &[], "");
        }
        app.advance(HOUR);
        sign_in().await;
        sign_in().await;
        assert_eq!((op.hits(DISCOVERY), op.hits("/jwks")), (2, 2), "nobody waits for what has just failed");
        app.advance(6 * HOUR - 1);
        sign_in().await;
        app.advance(5001);
        assert_eq!(not_begun(&app, "status 503").await.1, "misconfigured_oauth_provider");
        op.state().canned.clear();
        app.advance(5000);
        sign_in().await;
        app.close().await;
    }
}

#[tokio::test]
async fn a_provider_that_has_become_slow_keeps_nobody_waiting_who_can_sign_in_by_what_is_kept() {
    let app = TestApp::new().await;
    let op = TestOp::connect(&app, "acme.test", None).await;
    let sign_in = async || Trip::begin(&app, "alice@acme.test").await.answer(&app, &op, &alice()).await.unwrap();
    sign_in().await;
    app.advance(HOUR);
    for path in [DISCOVERY, "/jwks"] {
        op.state().delays.insert(path, Duration::from_secs(4));
    }
    // A second for each document, one of them twice: for the way there and the way back.
    tokio::time::timeout(Duration::from_secs(7), sign_in()).await.unwrap();
    // The new ones come all the same, and are not asked for again.
    tokio::time::sleep(Duration::from_secs(5)).await;
    sign_in().await;
    assert_eq!((op.hits(DISCOVERY), op.hits("/jwks")), (2, 2));
    app.close().await;
}

#[tokio::test]
async fn one_connections_documents_are_of_no_use_to_another() {
    let app = TestApp::new().await;
    let op = TestOp::connect(&app, "acme.test", None).await;
    let twin = op.clone().connected(&app, "globex.test", None, json!({})).await;
    Trip::begin(&app, "alice@acme.test").await.answer(&app, &op, &alice()).await.unwrap();
    let bob = crate::testing::Person::new("bob@globex.test", "B", "B");
    Trip::begin(&app, "bob@globex.test").await.answer(&app, &twin, &bob).await.unwrap();
    assert_eq!((op.hits(DISCOVERY), op.hits("/jwks")), (2, 2));
    app.close().await;
}
