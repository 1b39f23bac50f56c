//! What works.

use super::{OBJECT, TENANT, Trip, both, change, grant_of, of_entra, of_google, pinned, signed_in};
use crate::flows::easie_grants;
use crate::frontend_api::tests::support::{members, organization, users};
use crate::testing::{Person, TestApp, TestOp, parameters};
use axum::http::Method;
use doorward_model::EasieGrantState;
use serde_json::{Value, json};

const TEN_MINUTES: i64 = 10 * 60 * 1000;

#[tokio::test]
async fn eas1_eas7_an_employee_signs_in_through_google_and_is_a_member() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme"})).await;
        let op = TestOp::google(&app, &["acme.test"], Some(&acme)).await;
        let trip = Trip::begin(&app, "alice@acme.test").await;
        let asked = parameters(&trip.redirect);
        let expected = [
            ("scope", "openid email profile"),
            ("access_type", "offline"),
            ("hd", "acme.test"),
            ("login_hint", "alice@acme.test"),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in expected {
            assert_eq!(asked.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert!(!asked.contains_key("prompt"), "consent is never asked for at first");
        let session = trip.answer(&app, &op, &of_google()).await.unwrap();
        assert_eq!(session["last_active_organization_id"], json!(acme));
        assert_eq!(members(&app, &acme).await, [("alice@acme.test".to_owned(), "org:member".to_owned())]);
        let account = &session["user"]["enterprise_accounts"][0];
        let shown = [&account["provider"], &account["protocol"], &account["verification"]["strategy"]];
        assert_eq!(shown, [&json!("oauth_google"), &json!("oauth"), &json!("oauth_google")]);
        assert_eq!(account["provider_user_id"], of_google().id_token["sub"]);
        // Everything stood in the ID token, so nothing else was asked.
        assert_eq!((op.hits("/token"), op.hits("/userinfo")), (1, 0));
        app.close().await;
    }
}

#[tokio::test]
async fn eas8_eas9_an_employee_signs_in_through_entra_and_her_tenant_is_the_connections() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme"})).await;
        let op = TestOp::entra(&app, &["acme.test"], Some(&acme)).await;
        let trip = Trip::begin(&app, "alice@acme.test").await;
        let asked = parameters(&trip.redirect);
        assert_eq!(asked["scope"], "openid email profile offline_access");
        assert_eq!(asked["domain_hint"], "acme.test");
        assert!(!asked.contains_key("prompt"), "where administrators consent, nobody else can be asked to");
        assert_eq!(pinned(&app, &op).await, Value::Null);
        let session = trip.answer(&app, &op, &of_entra()).await.unwrap();
        assert_eq!(pinned(&app, &op).await, TENANT);
        assert_eq!(members(&app, &acme).await.len(), 1);
        let account = &session["user"]["enterprise_accounts"][0];
        let shown = [&account["provider"], &account["protocol"], &account["verification"]["strategy"]];
        assert_eq!(shown, [&json!("oauth_microsoft"), &json!("oauth"), &json!("oauth_microsoft")]);
        assert_eq!(account["provider_user_id"], format!("{OBJECT}.{TENANT}"));
        // Another application of ours would be told another sub.
        signed_in(&app, &op, &of_entra().with("sub", json!("pairwise-2"))).await;
        assert_eq!(users(&app).await.len(), 1);
        app.close().await;
    }
}

#[tokio::test]
async fn eas8_each_form_in_which_entra_vouches_for_the_domain() {
    let app = TestApp::new().await;
    let op = TestOp::entra(&app, &["acme.test"], None).await;
    for edov in [json!(true), json!(1), json!("1"), json!("true")] {
        signed_in(&app, &op, &of_entra().with("xms_edov", edov)).await;
    }
    // What a member's token may hold besides.
    let member = of_entra()
        .with("acct", json!(0))
        .with("tid", json!(TENANT.to_uppercase()))
        .with("idp", json!(format!("https://sts.windows.net/{TENANT}/")));
    signed_in(&app, &op, &member).await;
    assert_eq!(users(&app).await.len(), 1);
    app.close().await;
}

#[tokio::test]
async fn eas7_accounts_of_each_domain_of_the_connection() {
    let app = TestApp::new().await;
    let op = TestOp::google(&app, &["acme.test", "acme.example"], None).await;
    let trip = Trip::begin(&app, "alice@acme.test").await;
    assert_eq!(parameters(&trip.redirect)["hd"], "*", "of several, any");
    trip.answer(&app, &op, &of_google()).await.unwrap();
    // The organization's main domain is the one, her address on the other.
    let person = Person::of_google("bob@acme.example", "ACME.test");
    Trip::begin(&app, "bob@acme.example").await.answer(&app, &op, &person).await.unwrap();
    assert_eq!(users(&app).await.len(), 2);
    app.close().await;
}

#[tokio::test]
async fn eas4_eas6_the_refresh_token_is_kept_sealed_for_this_account_alone() {
    for app in TestApp::on_each_database().await {
        for (op, person) in both(&app).await {
            change(&app, &op, json!({"active": true})).await;
            let session = signed_in(&app, &op, &person).await;
            let grant = grant_of(&app, &session).await.unwrap();
            assert_eq!((grant.state, grant.claimed_until, grant.failures), (EasieGrantState::Live, 0, 0));
            // Three quarters of the ten minutes for which its word counts.
            assert_eq!((grant.confirmed_at, grant.due_at), (app.now(), Some(app.now() + TEN_MINUTES * 3 / 4)));
            assert_eq!(grant.client_id, op.state().client_id);
            assert_eq!(json!(grant.user_id), session["user"]["id"]);
            let sealed = grant.encrypted_refresh_token.unwrap();
            assert!(!sealed.contains("refresh-"));
            let subject = session["user"]["enterprise_accounts"][0]["provider_user_id"].as_str().unwrap();
            let opened = easie_grants::open(&app.app, &grant.connection_id, subject, &sealed).unwrap();
            assert!(opened.expose().starts_with("refresh-"));
            assert!(easie_grants::open(&app.app, &grant.connection_id, "another", &sealed).is_err());
            assert!(easie_grants::open(&app.app, &"entconn_2".into(), subject, &sealed).is_err());
            for path in ["/v1/users?limit=10", "/v1/sessions?limit=10", "/v1/enterprise_connections"] {
                let answer = app.backend(Method::GET, path, Value::Null).await;
                assert!(!answer.text.contains("refresh-") && !answer.text.contains(&sealed), "{path}");
            }
            let user = format!("/v1/users/{}", session["user"]["id"].as_str().unwrap());
            app.backend(Method::DELETE, &user, Value::Null).await.ok();
            change(&app, &op, json!({"active": false})).await;
            app.advance(1000);
        }
        app.close().await;
    }
}

#[tokio::test]
async fn eas8_names_that_entra_leaves_out_are_asked_for() {
    let app = TestApp::new().await;
    let op = TestOp::entra(&app, &["acme.test"], None).await;
    let mut nameless = of_entra();
    for name in ["given_name", "family_name"] {
        nameless.id_token.as_object_mut().unwrap().shift_remove(name);
    }
    let session = signed_in(&app, &op, &nameless).await;
    assert_eq!((&session["user"]["last_name"], op.hits("/userinfo")), (&json!("Müller"), 1));
    // What userinfo says about somebody else is not taken.
    nameless.userinfo["sub"] = json!("somebody else");
    super::refused(&app, &op, &nameless, "oauth_fetch_user_error", "sub of userinfo").await;
    app.close().await;
}

#[tokio::test]
async fn eas9_the_document_of_one_tenant_is_for_that_tenant() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::entra(&app, &["acme.test"], None).await;
        let own = format!("{}/{TENANT}/v2.0/.well-known/openid-configuration", op.url);
        change(&app, &op, json!({"oidc": {"discovery_url": own}})).await;
        let stranger = of_entra().with("tid", json!(super::OTHER_TENANT));
        // Its tokens are another issuer's only in the tenant.
        super::refused(&app, &op, &stranger, super::NOT_OURS, &format!("expected {TENANT}")).await;
        signed_in(&app, &op, &of_entra()).await;
        assert_eq!(pinned(&app, &op).await, TENANT);
        app.close().await;
    }
}
