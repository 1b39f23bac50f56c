//! What a browser carries to the provider (OID-2, OID-7, OID-9, CON-19).

use super::{Trip, alice};
use crate::testing::{TestApp, TestOp, parameters};
use axum::http::Method;
use serde_json::json;
use std::collections::BTreeMap;

#[tokio::test]
async fn oid2_the_request_says_who_asks_for_whom_and_nothing_else() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::connect(&app, "acme.test", None).await;
        let (one, two) = (Trip::begin(&app, "alice@acme.test").await, Trip::begin(&app, "alice@acme.test").await);
        let (first, second) = (parameters(&one.redirect), parameters(&two.redirect));
        let names: Vec<&str> = first.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "client_id",
                "code_challenge",
                "code_challenge_method",
                "login_hint",
                "nonce",
                "redirect_uri",
                "response_type",
                "scope",
                "state"
            ]
        );
        let text = |name: &str| first[name].as_str();
        let id = op.connection["id"].as_str().unwrap();
        assert_eq!(text("redirect_uri"), format!("https://clerk.example.com/v1/oauth_callback/{id}"));
        assert_eq!(op.connection["oauth_config"]["redirect_uri"], text("redirect_uri"));
        assert_eq!((text("client_id"), text("login_hint")), ("doorward at op", "alice@acme.test"));
        assert_eq!((text("scope"), text("code_challenge_method")), ("openid profile email", "S256"));
        for name in ["state", "nonce", "code_challenge"] {
            assert_eq!(first[name].len(), 43, "{name}");
            assert_ne!(first[name], second[name], "{name}");
        }
        assert_ne!(first["state"], first["nonce"]);
        app.close().await;
    }
}

#[tokio::test]
async fn oid9_con19_prompt_hint_and_scopes_are_as_asked_for() {
    let app = TestApp::new().await;
    let op = TestOp::connect(&app, "acme.test", None).await;
    let path = format!("/v1/enterprise_connections/{}", op.connection_id());
    let begin = async |prompt: &'static str| -> BTreeMap<String, String> {
        let form = [
            ("identifier", "alice@acme.test"),
            ("strategy", "enterprise_sso"),
            ("redirect_url", "https://app.example.com/x"),
            ("oidc_prompt", prompt),
        ];
        let created = app.browser().post("/v1/client/sign_ins", &form).await.ok();
        let verification = &created["response"]["first_factor_verification"];
        parameters(verification["external_verification_redirect_url"].as_str().unwrap())
    };
    assert_eq!(begin("select_account").await["prompt"], "select_account");
    assert_eq!(begin("login consent").await["prompt"], "login consent");
    assert!(!begin("").await.contains_key("prompt"));
    // The same when prepared, and in a sign-up.
    let browser = app.browser();
    let created = browser.post("/v1/client/sign_ins", &[("identifier", "alice@acme.test")]).await.ok();
    let prepare = format!("/v1/client/sign_ins/{}/prepare_first_factor", created["response"]["id"].as_str().unwrap());
    let form =
        [("strategy", "enterprise_sso"), ("redirect_url", "https://app.example.com/x"), ("oidc_prompt", "login")];
    let prepared = browser.post(&prepare, &form).await.ok();
    let url = &prepared["response"]["first_factor_verification"]["external_verification_redirect_url"];
    assert_eq!(parameters(url.as_str().unwrap())["prompt"], "login");
    let form = [&form[..], &[("email_address", "alice@acme.test")]].concat();
    let created = app.browser().post("/v1/client/sign_ups", &form).await.ok();
    let url = &created["response"]["verifications"]["external_account"]["external_verification_redirect_url"];
    assert_eq!(parameters(url.as_str().unwrap())["prompt"], "login");

    let off = json!({"oidc": {"login_hint": {"mode": "off"}, "scopes": ["groups"]}});
    app.backend(Method::PATCH, &path, off).await.ok();
    let asked = begin("").await;
    assert_eq!((asked.contains_key("login_hint"), asked["scope"].as_str()), (false, "openid groups"));
    let custom = json!({"oidc": {"login_hint": {"mode": "custom_attribute", "source": "upn"}}});
    app.backend(Method::PATCH, &path, custom).await.ok();
    assert!(!begin("").await.contains_key("login_hint"));
    let user = json!({"email_address": ["alice@acme.test"], "public_metadata": {"upn": "al1"}});
    app.backend(Method::POST, "/v1/users", user).await.ok();
    assert_eq!(begin("").await["login_hint"], "al1");
    app.close().await;
}

#[tokio::test]
async fn con19_a_hint_that_fits_into_no_request_is_refused_with_its_reason() {
    let app = TestApp::new().await;
    let hint = json!({"login_hint": {"mode": "custom_attribute", "source": "name"}});
    TestOp::connect_with(&app, "acme.test", None, hint).await;
    let user = json!({"email_address": ["alice@acme.test"], "public_metadata": {"name": "x".repeat(2000)}});
    app.backend(axum::http::Method::POST, "/v1/users", user).await.ok();
    let form = [
        ("identifier", "alice@acme.test"),
        ("strategy", "enterprise_sso"),
        ("redirect_url", "https://app.example.com/sso-callback"),
    ];
    let answer = app.browser().post("/v1/client/sign_ins", &form).await;
    assert_eq!(answer.error(), (400, "misconfigured_oauth_provider".to_owned()));
    assert!(answer.text.contains("login_hint"), "{}", answer.text);
    app.close().await;
}

#[tokio::test]
async fn oid7_a_challenge_is_sent_unless_the_provider_says_that_it_knows_none() {
    for (methods, requires, expected) in [
        (json!(["plain", "S256"]), false, true),
        (json!(null), false, true),
        (json!(["plain"]), false, false),
        (json!(["plain"]), true, true),
    ] {
        let app = TestApp::new().await;
        let op = TestOp::start().await;
        op.state().document = json!({"code_challenge_methods_supported": methods});
        let op = op.connected(&app, "acme.test", None, json!({"requires_pkce": requires})).await;
        let trip = Trip::begin(&app, "alice@acme.test").await;
        assert_eq!(parameters(&trip.redirect).contains_key("code_challenge"), expected, "{methods} {requires}");
        trip.answer(&app, &op, &alice()).await.unwrap();
        let sent = op.state().requests.iter().find(|(path, _)| path == "/token").unwrap().1.clone();
        assert_eq!(sent.contains("code_verifier="), expected);
        assert!(!sent.contains("client_id"), "by the header or by the body, not by both: {sent}");
        app.close().await;
    }
}

/// A copy of the database is of no use to somebody who would finish a sign-in.
#[tokio::test]
async fn what_is_kept_of_a_trip_gives_neither_its_state_nor_its_verifier_away() {
    for app in TestApp::on_each_database().await {
        TestOp::connect(&app, "acme.test", None).await;
        let trip = Trip::begin(&app, "alice@acme.test").await;
        let asked = parameters(&trip.redirect);
        let mut tx = app.app.store.read().await.unwrap();
        let sha256 = crate::random::sha256_hex(&asked["state"]);
        let kept = doorward_store::oidc_requests::by_state(&mut tx, &sha256).await.unwrap().unwrap();
        drop(tx);
        let debug = format!("{kept:?}");
        assert!(!debug.contains(&asked["state"]) && !debug.contains(&asked["code_challenge"]));
        let verifier = crate::flows::sign_in::oidc_trip::verifier_of(&app.app, &kept).unwrap().unwrap();
        assert_eq!(verifier.challenge(), asked["code_challenge"]);
        assert!(!debug.contains(verifier.as_str()), "the verifier is stored as it is");
        let moved = doorward_model::OidcRequest { state_sha256: "of another row".into(), ..kept };
        assert!(crate::flows::sign_in::oidc_trip::verifier_of(&app.app, &moved).is_err());
        app.close().await;
    }
}

/// A log that is kept in memory.
#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn neither_the_log_nor_an_answer_tells_a_secret() {
    let app = TestApp::new().await;
    let op = TestOp::connect(&app, "acme.test", None).await;
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let (mut secrets, mut answers) = (vec![crate::testing::CLIENT_SECRET.to_owned()], String::new());
    // One that works, and every kind of failure; some servers repeat what they were sent.
    for failure in ["", "token", "userinfo", "id_token", "state", "error"] {
        let trip = Trip::begin(&app, "alice@acme.test").await;
        let mut brought = op.authorize(&app, &trip.redirect, &alice().in_userinfo_alone());
        let code = brought[0].1.clone();
        secrets.extend([code.clone(), brought[1].1.clone(), format!("access-{code}")]);
        let repeated = format!("{{\"error\": \"invalid_grant\", \"error_description\": \"no {code}\"}}");
        match failure {
            "token" => op.can("/token", 400, &[("content-type", "application/json")], &repeated),
            "userinfo" => op.can("/userinfo", 401, &[], &repeated),
            "id_token" => op.spoil(|_, claims| claims["aud"] = "another".into()),
            "state" => brought[1].1.push('x'),
            "error" => brought[0] = ("error".to_owned(), "server_error".to_owned()),
            _ => {}
        }
        answers += &trip.browser.visit(&crate::testing::callback_url(&brought)).await.text;
        // A sign-in that is not over shows its own browser where to go.
        if failure != "state" {
            answers += &trip.browser.get("/v1/client").await.text;
        }
        op.state().canned.clear();
        op.state().change = None;
    }
    for (path, body) in &op.state().requests {
        let form: BTreeMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        assert!(path != "/token" || form["code_verifier"].len() == 43);
        secrets.extend(form.get("code_verifier").cloned());
    }
    drop(guard);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("ID token refused") && log.contains("OpenID Connect code refused"), "{log}");
    assert!(answers.contains("oauth_token_exchange_error"), "{answers}");
    for secret in secrets {
        assert!(!log.contains(&secret), "the log tells {secret}");
        assert!(!answers.contains(&secret), "an answer tells {secret}");
    }
    app.close().await;
}
