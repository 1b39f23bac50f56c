//! Configuration documents and key sets that are made to hurt, and tokens that are played again.

use super::outages::{DISCOVERY, not_begun};
use super::{Trip, alice, refused};
use crate::frontend_api::tests::support::{footprint, users};
use crate::testing::{OpKey, TestApp, TestOp};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const JSON: (&str, &str) = ("content-type", "application/json");
const MISCONFIGURED: &str = "misconfigured_oauth_provider";
/// After a failure nobody asks again for so long.
const PAUSE: i64 = 5000;

/// Where a server must not be sent by anybody's redirect.
const INSIDE: [&str; 6] = [
    "http://127.0.0.2/keys",
    "http://169.254.169.254/latest/meta-data",
    "https://10.0.0.1/keys",
    "https://[::1]/keys",
    "https://[::ffff:192.168.0.1]/keys",
    "http://localhost/keys",
];

#[tokio::test]
async fn oid3_a_hostile_configuration_document_begins_no_trip() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::connect(&app, "acme.test", None).await;
        let genuine = reqwest::get(op.discovery_url()).await.unwrap().text().await.unwrap();
        let inside = genuine.strip_suffix('}').unwrap();
        let nested = format!("{inside},\"x\":{}{}}}", "[".repeat(50), "]".repeat(50));
        let documents = [
            (format!("{genuine}{}", " ".repeat(128 * 1024)), "larger than"),
            (format!("{inside},\"issuer\":\"https://evil.test\"}}"), "configuration document was refused"),
            (
                format!("{inside},\"token_endpoint\":\"https://evil.test/token\"}}"),
                "configuration document was refused",
            ),
            (nested, "configuration document was refused"),
            (format!("\u{feff}{genuine}"), "configuration document was refused"),
            (format!("{genuine}{{}}"), "configuration document was refused"),
            (format!("[{genuine}]"), "configuration document was refused"),
            ("null".to_owned(), "configuration document was refused"),
        ];
        for (document, words) in documents {
            op.can(DISCOVERY, 200, &[JSON], &document);
            assert_eq!(not_begun(&app, words).await.1, MISCONFIGURED, "{words}");
            app.advance(PAUSE);
        }
        for target in INSIDE {
            op.can(DISCOVERY, 302, &[("location", target)], "");
            assert_eq!(not_begun(&app, "could not be reached").await.1, MISCONFIGURED, "{target}");
            app.advance(PAUSE);
        }
        op.can(DISCOVERY, 302, &[("location", DISCOVERY)], "");
        assert_eq!(not_begun(&app, "too many redirects").await.1, MISCONFIGURED);
        op.state().canned.clear();
        let slash = format!("{}/realm", op.url);
        for (name, value, words) in [
            ("issuer", json!(slash), "issuer: expected"),
            ("issuer", json!(op.url.to_uppercase()), "issuer"),
            ("issuer", json!(op.url.replace("127.0.0.1", "localhost")), "issuer: expected"),
            ("issuer", json!("https://login.test/{tenantid}/v2.0"), "issuer: expected"),
            ("issuer", Value::Array(vec![json!(op.url)]), "issuer must be"),
            ("authorization_endpoint", json!("javascript:alert(1)"), "authorization_endpoint"),
            ("authorization_endpoint", json!("https://user:pw@op.test/auth"), "authorization_endpoint"),
            ("authorization_endpoint", json!("https://op.test/auth#x"), "authorization_endpoint"),
            ("token_endpoint", json!("file:///etc/passwd"), "token_endpoint"),
            ("jwks_uri", json!("data:application/json,{}"), "jwks_uri"),
            ("userinfo_endpoint", json!("//op.test/userinfo"), "userinfo_endpoint"),
            ("response_types_supported", json!(["token"]), "response_types_supported"),
        ] {
            op.state().document = json!({ name: value });
            app.advance(PAUSE);
            assert_eq!(not_begun(&app, words).await.1, MISCONFIGURED, "{name} {value}");
        }
        op.state().document = json!({});
        app.advance(PAUSE);
        Trip::begin(&app, "alice@acme.test").await.answer(&app, &op, &alice()).await.unwrap();
        app.close().await;
    }
}

#[tokio::test]
async fn oid13_a_hostile_key_set_signs_nobody_in() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::connect(&app, "acme.test", None).await;
        let genuine = OpKey::set(&op.state().keys);
        let jwk = |change: Value| {
            let mut set: Value = serde_json::from_str(&genuine).unwrap();
            for (name, value) in change.as_object().unwrap() {
                set["keys"][0][name] = value.clone();
            }
            set.to_string()
        };
        let one: Value = serde_json::from_str(&genuine).unwrap();
        let many = json!({ "keys": vec![one["keys"][0].clone(); 129] }).to_string();
        let sets = [
            (format!("{genuine}{}", " ".repeat(512 * 1024)), "larger than"),
            ("<html>".to_owned(), "key set"),
            ("{}".to_owned(), "keys"),
            ("{\"keys\": []}".to_owned(), "none of the 0 keys"),
            (json!({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "key-1"}]}).to_string(), "none of the 1 keys"),
            (jwk(json!({"d": "AQ"})), "none of the 1 keys"),
            (jwk(json!({"use": "enc"})), "none of the 1 keys"),
            (jwk(json!({"alg": "HS256"})), "none of the 1 keys"),
            (jwk(json!({"crv": "P-384"})), "none of the 1 keys"),
            (jwk(json!({"x": one["keys"][0]["y"]})), "none of the 1 keys"),
            (
                json!({"keys": [{"kty": "RSA", "kid": "key-1", "n": "AQAB", "e": "AQAB"}]}).to_string(),
                "none of the 1 keys",
            ),
            (many, "129"),
            (genuine.replacen("{\"keys\"", "{\"keys\":[],\"keys\"", 1), "key set"),
        ];
        for (set, words) in sets {
            op.can("/jwks", 200, &[JSON], &set);
            refused(&app, &op, &alice(), MISCONFIGURED, words).await;
            app.advance(PAUSE);
        }
        for target in INSIDE {
            op.can("/jwks", 302, &[("location", target)], "");
            refused(&app, &op, &alice(), MISCONFIGURED, "could not be reached").await;
            app.advance(PAUSE);
        }
        for status in [401, 404, 500] {
            op.can("/jwks", status, &[], &genuine);
            refused(&app, &op, &alice(), MISCONFIGURED, &format!("status {status}")).await;
            app.advance(PAUSE);
        }
        // The right keys, of somebody else.
        op.can("/jwks", 200, &[JSON], &OpKey::set(&[OpKey::new("key-1")]));
        refused(&app, &op, &alice(), "oauth_token_exchange_error", "fits none of").await;
        op.state().canned.clear();
        app.advance(10_000);
        assert!(users(&app).await.is_empty());
        // The token names its key, so the set is fetched again when its time has come.
        app.advance(3600 * 1000);
        Trip::begin(&app, "alice@acme.test").await.answer(&app, &op, &alice()).await.unwrap();
        app.close().await;
    }
}

#[tokio::test]
async fn oid11_documents_that_never_come_are_given_up() {
    let app = TestApp::new().await;
    let op = TestOp::connect(&app, "acme.test", None).await;
    op.state().delays.insert("/jwks", Duration::from_secs(30));
    refused(&app, &op, &alice(), "gateway_timeout", "The key set").await;
    // Whoever comes next does not wait as long, nor does he ask again.
    let asked = op.hits("/jwks");
    let person = alice();
    let again = refused(&app, &op, &person, "gateway_timeout", "The key set");
    tokio::time::timeout(Duration::from_secs(5), again).await.unwrap();
    assert_eq!(op.hits("/jwks"), asked);
    app.close().await;
}

#[tokio::test]
async fn a_token_brings_no_key_and_names_no_place_where_one_is_fetched() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::connect(&app, "acme.test", None).await;
        let forger = TestOp::start().await;
        let key = forger.state().keys[0].clone();
        let set: Value = serde_json::from_str(&OpKey::set(std::slice::from_ref(&key))).unwrap();
        for (name, value) in [
            ("jku", json!(format!("{}/jwks", forger.url))),
            ("x5u", json!(format!("{}/certificate", forger.url))),
            ("jwk", set["keys"][0].clone()),
        ] {
            let key = key.clone();
            op.change_tokens(move |tokens| {
                let token = tokens["id_token"].as_str().unwrap();
                let parts: Vec<Value> = token.split('.').take(2).map(crate::testing::decode_part).collect();
                let mut header = parts[0].clone();
                header[name] = value.clone();
                tokens["id_token"] = key.sign(&header, &parts[1]).into();
            });
            refused(&app, &op, &alice(), "oauth_token_exchange_error", name).await;
        }
        assert!(forger.state().requests.is_empty(), "nobody is asked");
        app.close().await;
    }
}

#[tokio::test]
async fn a_token_or_code_of_an_earlier_sign_in_is_not_taken_again() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::connect(&app, "acme.test", None).await;
        // A provider that answers with the token it gave before, which is genuine in all else.
        let first: Arc<Mutex<Option<Value>>> = Arc::default();
        let kept = first.clone();
        op.change_tokens(move |tokens| {
            let mut first = kept.lock().unwrap();
            match first.clone() {
                Some(before) => *tokens = before,
                None => *first = Some(tokens.clone()),
            }
        });
        let trip = Trip::begin(&app, "alice@acme.test").await;
        let used = op.authorize(&app, &trip.redirect, &alice());
        trip.come_back(&used).await.unwrap();
        refused(&app, &op, &alice(), "oauth_token_exchange_error", "nonce is not the one").await;
        op.state().change_tokens = None;
        // The code that bought it, with the state of another sign-in.
        let before = footprint(&app).await;
        let again = Trip::begin(&app, "alice@acme.test").await;
        let mut brought = op.authorize(&app, &again.redirect, &alice());
        brought[0].1 = used[0].1.clone();
        let error = again.come_back(&brought).await.unwrap_err();
        assert!(error.0 == "oauth_token_exchange_error" && error.1.contains("invalid_grant"), "{error:?}");
        assert_eq!(footprint(&app).await, before);
        app.close().await;
    }
}
