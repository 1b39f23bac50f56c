//! Where the provider gives no refresh token, and what becomes of the one there is (EAS-6).

use super::{NOT_OURS, Trip, both, change, grant_of, of_entra, of_google, pinned, signed_in};
use crate::frontend_api::tests::support::{client, footprint, users};
use crate::testing::{Browser, TestApp, TestOp, callback_url, parameters};
use axum::http::Method;
use doorward_model::{EasieGrant, EasieGrantState};
use doorward_store::{StoreError, easie_grants, write_tx};
use serde_json::{Value, json};
use std::sync::Arc;

const MISSING: &str = "oauth_missing_refresh_token";

/// Refresh tokens come with consent alone, as at Google after the first time.
fn only_with_consent(op: &TestOp) {
    op.state().gives_refresh_token = Arc::new(|asked| asked.get("prompt").is_some_and(|prompt| prompt == "consent"));
}

fn never(op: &TestOp) {
    op.state().gives_refresh_token = Arc::new(|_| false);
}

pub(super) async fn begin_sign_up(browser: &Browser<'_>, email: &str) -> String {
    let form = [
        ("email_address", email),
        ("strategy", "enterprise_sso"),
        ("redirect_url", "https://app.example.com/sso-callback"),
        ("action_complete_redirect_url", "https://app.example.com/done"),
    ];
    let created = browser.post("/v1/client/sign_ups", &form).await.ok();
    let verification = &created["response"]["verifications"]["external_account"];
    verification["external_verification_redirect_url"].as_str().unwrap().to_owned()
}

async fn put(app: &TestApp, grant: &EasieGrant) {
    let saved: Result<(), StoreError> =
        write_tx!(app.app.store, StoreError, |tx| { easie_grants::save(tx, grant).await });
    saved.unwrap();
}

#[tokio::test]
async fn eas6_without_a_refresh_token_the_browser_is_sent_for_consent_and_then_signed_in() {
    for app in TestApp::on_each_database().await {
        for (op, person) in both(&app).await {
            change(&app, &op, json!({"active": true})).await;
            only_with_consent(&op);
            let trip = Trip::begin(&app, "alice@acme.test").await;
            let sent = op.answer(&app, &trip.browser, &trip.redirect, &person).await;
            let (first, second) = (parameters(&trip.redirect), parameters(sent.location()));
            assert_eq!(second["prompt"], "consent");
            assert!(!first.contains_key("prompt"));
            for name in ["client_id", "redirect_uri", "scope", "login_hint"] {
                assert_eq!(first[name], second[name], "{name}");
            }
            for name in ["state", "nonce", "code_challenge"] {
                assert_ne!(first[name], second[name], "{name}");
            }
            // Until she is back nothing has happened.
            let waiting = client(&trip.browser).await;
            assert_eq!(waiting["sign_in"]["first_factor_verification"]["status"], "unverified");
            assert_eq!((waiting["sessions"].as_array().unwrap().len(), users(&app).await.len()), (0, 0));
            let redirect = sent.location().to_owned();
            let session = trip.come_back(&op.authorize(&app, &redirect, &person)).await.unwrap();
            assert!(grant_of(&app, &session).await.unwrap().encrypted_refresh_token.is_some());
            app.backend(Method::DELETE, &format!("/v1/users/{}", session["user"]["id"].as_str().unwrap()), Value::Null)
                .await
                .ok();
            change(&app, &op, json!({"active": false})).await;
        }
        app.close().await;
    }
}

#[tokio::test]
async fn eas6_who_brings_none_with_consent_either_is_not_signed_in() {
    for app in TestApp::on_each_database().await {
        for (op, person) in both(&app).await {
            change(&app, &op, json!({"active": true})).await;
            never(&op);
            let before = footprint(&app).await;
            let trip = Trip::begin(&app, "alice@acme.test").await;
            let sent = op.answer(&app, &trip.browser, &trip.redirect, &person).await;
            let redirect = sent.location().to_owned();
            let error = trip.come_back(&op.authorize(&app, &redirect, &person)).await.unwrap_err();
            assert_eq!(error.0, MISSING);
            assert!(error.1.contains("offline access"), "{error:?}");
            assert_eq!(footprint(&app).await, before);
            // Of a caller who asks for consent at first it is not asked again.
            let browser = app.browser();
            let form = [
                ("identifier", "alice@acme.test"),
                ("strategy", "enterprise_sso"),
                ("redirect_url", "https://app.example.com/sso-callback"),
                ("action_complete_redirect_url", "https://app.example.com/done"),
                ("oidc_prompt", "consent"),
            ];
            let created = browser.post("/v1/client/sign_ins", &form).await.ok();
            let verification = &created["response"]["first_factor_verification"];
            let redirect = verification["external_verification_redirect_url"].as_str().unwrap();
            assert_eq!(parameters(redirect)["prompt"], "consent");
            let back = op.answer(&app, &browser, redirect, &person).await;
            assert_eq!(back.location(), "https://app.example.com/sso-callback");
            let error = &client(&browser).await["sign_in"]["first_factor_verification"]["error"];
            assert_eq!(error["code"], MISSING);
            if op.connection["provider"] == "oauth_microsoft" {
                assert_eq!(pinned(&app, &op).await, Value::Null, "who is not signed in pins nothing");
            }
            change(&app, &op, json!({"active": false})).await;
        }
        app.close().await;
    }
}

#[tokio::test]
async fn eas6_the_token_there_is_serves_on_where_the_provider_does_not_repeat_itself() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::google(&app, &["acme.test"], None).await;
        let session = signed_in(&app, &op, &of_google()).await;
        let mut first = grant_of(&app, &session).await.unwrap();
        // Somebody is asking with it right now, and may get another one for it.
        first.claimed_until = app.now() + 60_000;
        first.failures = 3;
        put(&app, &first).await;
        never(&op);
        app.advance(5000);
        let session = signed_in(&app, &op, &of_google()).await;
        let kept = grant_of(&app, &session).await.unwrap();
        assert_eq!(kept.encrypted_refresh_token, first.encrypted_refresh_token);
        assert_eq!((kept.confirmed_at, kept.failures, kept.created_at), (app.now(), 0, first.created_at));
        assert_eq!(kept.claimed_until, first.claimed_until, "the claim of whoever asks is not broken");
        // A new one takes its place, and ends the claim.
        op.state().gives_refresh_token = Arc::new(|_| true);
        app.advance(5000);
        let session = signed_in(&app, &op, &of_google()).await;
        let replaced = grant_of(&app, &session).await.unwrap();
        assert_ne!(replaced.encrypted_refresh_token, first.encrypted_refresh_token);
        assert_eq!(replaced.claimed_until, 0);
        app.close().await;
    }
}

#[tokio::test]
async fn eas6_a_token_that_is_of_no_use_any_more_does_not_serve_on() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::google(&app, &["acme.test"], None).await;
        let session = signed_in(&app, &op, &of_google()).await;
        let live = grant_of(&app, &session).await.unwrap();
        only_with_consent(&op);
        for spoilt in [
            EasieGrant { state: EasieGrantState::Gone, due_at: None, ..live.clone() },
            EasieGrant { state: EasieGrantState::SignInNeeded, due_at: None, ..live.clone() },
            EasieGrant { encrypted_refresh_token: None, ..live.clone() },
            EasieGrant { client_id: "an application we had before".into(), ..live.clone() },
        ] {
            put(&app, &spoilt).await;
            let trip = Trip::begin(&app, "alice@acme.test").await;
            let sent = op.answer(&app, &trip.browser, &trip.redirect, &of_google()).await;
            let redirect = sent.location().to_owned();
            assert_eq!(parameters(&redirect).get("prompt").map(String::as_str), Some("consent"), "{spoilt:?}");
            let session = trip.come_back(&op.authorize(&app, &redirect, &of_google())).await.unwrap();
            let grant = grant_of(&app, &session).await.unwrap();
            assert_eq!((grant.state, grant.due_at.is_some()), (EasieGrantState::Live, true), "{spoilt:?}");
            assert_eq!(grant.client_id, op.state().client_id);
        }
        app.close().await;
    }
}

#[tokio::test]
async fn eas5_who_was_gone_and_is_back_signs_in_again() {
    for app in TestApp::on_each_database().await {
        for (op, person) in both(&app).await {
            change(&app, &op, json!({"active": true})).await;
            let session = signed_in(&app, &op, &person).await;
            let live = grant_of(&app, &session).await.unwrap();
            for state in [EasieGrantState::Gone, EasieGrantState::SignInNeeded] {
                let last_error = Some("invalid_grant".to_owned());
                let gone =
                    EasieGrant { state, encrypted_refresh_token: None, due_at: None, last_error, ..live.clone() };
                put(&app, &gone).await;
                let session = signed_in(&app, &op, &person).await;
                let grant = grant_of(&app, &session).await.unwrap();
                assert_eq!((grant.state, grant.last_error), (EasieGrantState::Live, None));
            }
            app.backend(Method::DELETE, &format!("/v1/users/{}", session["user"]["id"].as_str().unwrap()), Value::Null)
                .await
                .ok();
            change(&app, &op, json!({"active": false})).await;
        }
        app.close().await;
    }
}

#[tokio::test]
async fn eas6_nobody_is_sent_for_consent_who_would_not_be_signed_in() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::google(&app, &["acme.test"], None).await;
        never(&op);
        let stranger = of_google().with("hd", json!("evil.test"));
        super::refused(&app, &op, &stranger, NOT_OURS, "got evil.test").await;
        change(&app, &op, json!({"disable_jit_provisioning": true})).await;
        super::refused(&app, &op, &of_google(), "saml_jit_provisioning_disabled", "alice@acme.test").await;
        app.close().await;
    }
}

#[tokio::test]
async fn wire4_the_second_trip_belongs_to_the_browser_of_the_first() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::google(&app, &["acme.test"], None).await;
        only_with_consent(&op);
        let trip = Trip::begin(&app, "alice@acme.test").await;
        let brought = op.authorize(&app, &trip.redirect, &of_google());
        let sent = trip.browser.visit(&callback_url(&brought)).await;
        let second = op.authorize(&app, sent.location(), &of_google());
        let invalid = (400, "oauth_callback_invalid".to_owned());
        assert_eq!(app.browser().get(&callback_url(&second)).await.error(), invalid);
        assert_eq!(trip.browser.get(&callback_url(&brought)).await.error(), invalid, "the first is over");
        // The code of the first trip with the state of the second.
        let mut mixed = second.clone();
        mixed[0].1 = brought[0].1.clone();
        let error = trip.come_back(&mixed).await.unwrap_err();
        assert_eq!(error.0, "oauth_token_exchange_error");
        assert_eq!(trip.browser.get(&callback_url(&second)).await.error(), invalid);
        assert_eq!(users(&app).await.len(), 0);
        app.close().await;
    }
}

#[tokio::test]
async fn dec10_dec15_sign_ups_of_new_and_known_people_go_the_same_way() {
    for app in TestApp::on_each_database().await {
        for (op, person) in both(&app).await {
            change(&app, &op, json!({"active": true})).await;
            only_with_consent(&op);
            let browser = app.browser();
            let redirect = begin_sign_up(&browser, "alice@acme.test").await;
            let sent = op.answer(&app, &browser, &redirect, &person).await;
            let done = op.answer(&app, &browser, sent.location(), &person).await;
            assert_eq!(done.location(), "https://app.example.com/done");
            let session = client(&browser).await["sessions"][0].clone();
            let first = grant_of(&app, &session).await.unwrap();

            // Known, and with a token that has been used up meanwhile.
            put(&app, &EasieGrant { state: EasieGrantState::SignInNeeded, due_at: None, ..first.clone() }).await;
            let again = app.browser();
            let redirect = begin_sign_up(&again, "alice@acme.test").await;
            let sent = op.answer(&app, &again, &redirect, &person).await;
            assert_eq!(parameters(sent.location())["prompt"], "consent");
            let back = op.answer(&app, &again, sent.location(), &person).await;
            assert_eq!(back.location(), "https://app.example.com/sso-callback");
            let verification = &client(&again).await["sign_up"]["verifications"]["external_account"];
            assert_eq!(verification["status"], "transferable");
            let transferred = again.post("/v1/client/sign_ins", &[("transfer", "true")]).await.ok();
            assert_eq!(transferred["response"]["status"], "complete");
            let second = grant_of(&app, &session).await.unwrap();
            assert_eq!(second.state, EasieGrantState::Live);
            assert_ne!(second.encrypted_refresh_token, first.encrypted_refresh_token);

            // Known, and never to bring one.
            put(&app, &EasieGrant { encrypted_refresh_token: None, ..second }).await;
            never(&op);
            let third = app.browser();
            let redirect = begin_sign_up(&third, "alice@acme.test").await;
            let sent = op.answer(&app, &third, &redirect, &person).await;
            op.answer(&app, &third, sent.location(), &person).await;
            let verification = &client(&third).await["sign_up"]["verifications"]["external_account"];
            assert_eq!((&verification["status"], &verification["error"]["code"]), (&json!("failed"), &json!(MISSING)));

            app.backend(Method::DELETE, &format!("/v1/users/{}", session["user"]["id"].as_str().unwrap()), Value::Null)
                .await
                .ok();
            change(&app, &op, json!({"active": false})).await;
        }
        app.close().await;
    }
}

#[tokio::test]
async fn eas6_a_refresh_token_is_in_no_row_in_clear() {
    let app = TestApp::new().await;
    let op = TestOp::entra(&app, &["acme.test"], None).await;
    signed_in(&app, &op, &of_entra()).await;
    // A sign-up of somebody known keeps its profile, with the token, until it is transferred.
    let browser = app.browser();
    let redirect = begin_sign_up(&browser, "alice@acme.test").await;
    op.answer(&app, &browser, &redirect, &of_entra()).await;
    let shown = client(&browser).await.to_string();
    assert!(shown.contains("transferable") && !shown.contains("refresh"), "{shown}");
    assert!(app.database_bytes().windows(8).all(|window| window != b"refresh-"), "a token stands in the database");
    app.close().await;
}
