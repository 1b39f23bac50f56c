//! Accounts that are not of the connection's Google Workspace organization.

use super::{NO_ADDRESS, NO_TOKEN, NOT_OURS, OTHER_DOMAIN, UNVERIFIED, of_google, refused, signed_in};
use crate::frontend_api::tests::support::organization;
use crate::testing::{Person, TestApp, TestOp};
use axum::http::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn eas7_no_account_of_another_organization_or_of_none_signs_in() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme"})).await;
        let op = TestOp::google(&app, &["acme.test"], Some(&acme)).await;
        let got = |hd: &str| format!("hd: expected one of acme.test, got {hd}");
        for (hd, words) in [
            (json!("evil.test"), got("evil.test")),
            (json!("sub.acme.test"), got("sub.acme.test")),
            (json!("acme.test.evil.test"), got("acme.test.evil.test")),
            (json!("acme.test."), got("acme.test.")),
            (json!(" acme.test"), "hd: expected one of acme.test".into()),
            (json!("\u{430}cme.test"), "hd: expected one of acme.test".into()),
            (json!("*"), got("*")),
            (json!(""), "hd: expected one of acme.test".into()),
            (json!(["acme.test"]), "hd: expected one of acme.test".into()),
            (json!({"acme.test": true}), "hd: expected one of acme.test".into()),
            (json!(true), "hd: expected one of acme.test".into()),
            (Value::Null, "there is no hd, expected one of acme.test".into()),
        ] {
            refused(&app, &op, &of_google().with("hd", hd), NOT_OURS, &words).await;
        }
        // A consumer account that somebody made with her address at work, which Google has verified.
        refused(&app, &op, &of_google().without("hd"), NOT_OURS, "no Google Workspace organization").await;
        app.close().await;
    }
}

#[tokio::test]
async fn eas7_what_userinfo_says_is_no_proof_of_an_organization_or_an_address() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::google(&app, &["acme.test"], None).await;
        let without = |name: &str| {
            let mut person = of_google();
            person.id_token.as_object_mut().unwrap().shift_remove(name);
            person
        };
        refused(&app, &op, &without("hd"), NOT_OURS, "there is no hd").await;
        refused(&app, &op, &without("email_verified"), UNVERIFIED, "email_verified: expected true, got nothing").await;
        refused(&app, &op, &without("email"), NO_ADDRESS, "the claim email").await;
        // Nor does it take another's place.
        let mut person = of_google();
        person.id_token["email"] = json!("alice@globex.test");
        refused(&app, &op, &person, OTHER_DOMAIN, "globex.test").await;
        assert_eq!(op.hits("/userinfo"), 0);
        app.close().await;
    }
}

#[tokio::test]
async fn eas7_addresses_that_google_does_not_vouch_for() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::google(&app, &["acme.test"], None).await;
        for verified in [json!(false), json!("false"), json!(1), json!("TRUE"), json!("1"), json!([true]), Value::Null]
        {
            let person = of_google().with("email_verified", verified.clone());
            refused(&app, &op, &person, UNVERIFIED, "email_verified: expected true, got").await;
        }
        app.close().await;
    }
}

#[tokio::test]
async fn oid13_addresses_of_the_organization_that_are_not_the_connections() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::google(&app, &["acme.test"], None).await;
        let victim = json!({"email_address": ["admin@globex.test"]});
        app.backend(Method::POST, "/v1/users", victim).await.ok();
        for (email, code) in [
            (json!("admin@globex.test"), OTHER_DOMAIN),
            (json!("alice@sub.acme.test"), OTHER_DOMAIN),
            (json!("alice@acme.test.evil.test"), OTHER_DOMAIN),
            (json!("alice@evil.test@acme.test"), NO_ADDRESS),
            (json!("@acme.test"), NO_ADDRESS),
            (json!("alice"), NO_ADDRESS),
            (json!(" alice@acme.test"), NO_ADDRESS),
            (json!(["alice@acme.test"]), NO_ADDRESS),
            (Value::Null, NO_ADDRESS),
        ] {
            refused(&app, &op, &of_google().with("email", email), code, "identity provider").await;
        }
        app.close().await;
    }
}

#[tokio::test]
async fn oid11_tokens_that_are_not_googles_or_not_ours() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::google(&app, &["acme.test"], None).await;
        let url = op.url.clone();
        for iss in [
            "https://accounts.google.com/",
            "accounts.google.com",
            "https://accounts.google.com.evil.test",
            "https://login.microsoftonline.com/common/v2.0",
            &url,
        ] {
            let iss = iss.to_owned();
            op.spoil(move |_, claims| claims["iss"] = json!(iss));
            refused(&app, &op, &of_google(), NO_TOKEN, "iss").await;
        }
        // Every other application at Google has tokens of Google for the same person.
        op.spoil(|_, claims| claims["aud"] = json!("another application"));
        refused(&app, &op, &of_google(), NO_TOKEN, "aud").await;
        op.spoil(|_, claims| claims["nonce"] = json!("another sign-in"));
        refused(&app, &op, &of_google(), NO_TOKEN, "nonce").await;
        op.state().change = None;
        signed_in(&app, &op, &of_google()).await;
        app.close().await;
    }
}

#[tokio::test]
async fn lnk6_who_gets_an_address_after_somebody_else_does_not_get_her_account() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::google(&app, &["acme.test"], None).await;
        let first = signed_in(&app, &op, &of_google()).await;
        // Google gives a new sub with each account. Linking by a verified address is LNK-2's decision, and seen in the accounts.
        let heir = of_google().with("sub", json!("another account"));
        let second = signed_in(&app, &op, &heir).await;
        assert_eq!(first["user"]["id"], second["user"]["id"]);
        let accounts = second["user"]["enterprise_accounts"].as_array().unwrap();
        assert_eq!(accounts.len(), 2);
        // Her sub with an address of hers that changed is she.
        let renamed =
            Person::of_google("alice.smith@acme.test", "acme.test").with("sub", of_google().id_token["sub"].clone());
        assert_eq!(signed_in(&app, &op, &renamed).await["user"]["id"], first["user"]["id"]);
        app.close().await;
    }
}
