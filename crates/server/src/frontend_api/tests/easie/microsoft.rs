//! Accounts that are not of the connection's Entra ID tenant, or that nobody vouches for.

use super::{
    NO_ADDRESS, NO_TOKEN, NOT_OURS, OTHER_DOMAIN, OTHER_TENANT, TENANT, UNVERIFIED, change, of_entra, pinned, refused,
    signed_in,
};
use crate::testing::{TestApp, TestOp};
use axum::http::Method;
use doorward_oidc::easie::microsoft::PERSONAL_TENANT;
use serde_json::{Value, json};

#[tokio::test]
async fn eas9_after_the_first_sign_in_no_other_tenant_comes_in() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::entra(&app, &["acme.test"], None).await;
        signed_in(&app, &op, &of_entra()).await;
        // A tenant that has proved to own the domain as well, after it was given up.
        let stranger = of_entra().with("tid", json!(OTHER_TENANT));
        let words = format!("tid: expected {TENANT}, got {OTHER_TENANT}");
        refused(&app, &op, &stranger, NOT_OURS, &words).await;
        assert_eq!(pinned(&app, &op).await, TENANT);
        // The operator may decide otherwise.
        change(&app, &op, json!({"oidc": {"tenant_id": ""}})).await;
        signed_in(&app, &op, &stranger).await;
        assert_eq!(pinned(&app, &op).await, OTHER_TENANT);
        refused(&app, &op, &of_entra(), NOT_OURS, "tid: expected").await;
        app.close().await;
    }
}

#[tokio::test]
async fn eas9_a_tenant_that_the_operator_sets_is_the_first_one_too() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::entra(&app, &["acme.test"], None).await;
        change(&app, &op, json!({"oidc": {"tenant_id": TENANT.to_uppercase()}})).await;
        refused(&app, &op, &of_entra().with("tid", json!(OTHER_TENANT)), NOT_OURS, "tid: expected").await;
        signed_in(&app, &op, &of_entra()).await;
        app.close().await;
    }
}

#[tokio::test]
async fn eas8_the_issuer_is_that_of_the_tenant_and_the_tenant_is_one() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::entra(&app, &["acme.test"], None).await;
        let url = op.url.clone();
        // The issuer of one tenant with the tid of another.
        for iss in [
            format!("{url}/{OTHER_TENANT}/v2.0"),
            format!("{url}/{{tenantid}}/v2.0"),
            format!("{url}/organizations/v2.0"),
            format!("{url}/{TENANT}/v2.0/"),
            format!("{url}/{TENANT}"),
            format!("https://sts.windows.net/{TENANT}/"),
            "https://accounts.google.com".to_owned(),
        ] {
            op.spoil(move |_, claims| claims["iss"] = json!(iss));
            refused(&app, &op, &of_entra(), NO_TOKEN, "iss").await;
        }
        op.state().change = None;
        for tenant in [
            json!("organizations"),
            json!("common"),
            json!("{tenantid}"),
            json!("acme.test"),
            json!(""),
            json!(format!("{TENANT}/v2.0/..")),
            json!(format!(" {TENANT}")),
            json!(TENANT.replace('-', "")),
            json!(7),
            Value::Null,
        ] {
            refused(&app, &op, &of_entra().with("tid", tenant), NO_TOKEN, "tid").await;
        }
        refused(&app, &op, &of_entra().without("tid"), NO_TOKEN, "tid").await;
        assert_eq!(pinned(&app, &op).await, Value::Null, "whom nobody believes pins nothing");
        app.close().await;
    }
}

#[tokio::test]
async fn eas8_personal_accounts_and_guests_are_of_nobodys_organization() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::entra(&app, &["acme.test"], None).await;
        for tenant in [PERSONAL_TENANT.to_owned(), PERSONAL_TENANT.to_uppercase()] {
            refused(&app, &op, &of_entra().with("tid", json!(tenant)), NOT_OURS, "personal Microsoft account").await;
        }
        for (claim, value) in [
            ("idp", json!(format!("https://sts.windows.net/{OTHER_TENANT}/"))),
            ("idp", json!("live.com")),
            ("idp", json!("google.com")),
            ("idp", json!("")),
            ("idp", json!([format!("https://sts.windows.net/{TENANT}/")])),
            ("idp", Value::Null),
            ("acct", json!(1)),
            ("acct", json!("1")),
            ("acct", json!(true)),
            ("acct", Value::Null),
            ("upn", json!("alice_evil.test#EXT#@acme.test")),
            ("preferred_username", json!("alice_evil.test#ext#@acme.test")),
            ("unique_name", json!("live.com#EXT#alice@acme.test")),
            ("email", json!("alice#EXT#@acme.test")),
        ] {
            refused(&app, &op, &of_entra().with(claim, value), NOT_OURS, "guest of the tenant").await;
        }
        assert_eq!(pinned(&app, &op).await, Value::Null);
        app.close().await;
    }
}

#[tokio::test]
async fn eas8_noauth_an_address_that_another_tenants_administrator_wrote_is_no_proof() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::entra(&app, &["acme.test"], None).await;
        let victim = json!({"email_address": ["alice@acme.test"]});
        app.backend(Method::POST, "/v1/users", victim).await.ok();
        let hostile = of_entra().with("tid", json!(OTHER_TENANT));
        for edov in [
            json!(false),
            json!(0),
            json!("0"),
            json!("false"),
            json!("TRUE"),
            json!("yes"),
            json!(2),
            json!(1.5),
            json!([true]),
            json!({"value": true}),
            json!(""),
            Value::Null,
        ] {
            refused(&app, &op, &hostile.clone().with("xms_edov", edov), UNVERIFIED, "xms_edov: expected true, got")
                .await;
        }
        let silent = hostile.clone().without("xms_edov");
        refused(&app, &op, &silent, UNVERIFIED, "xms_edov: expected true, got nothing").await;
        // email_verified is no claim of Entra ID, and whoever writes it does not replace the other.
        refused(&app, &op, &silent.with("email_verified", json!(true)), UNVERIFIED, "xms_edov").await;
        // Said by userinfo, it is not said.
        let mut told = of_entra();
        told.id_token.as_object_mut().unwrap().shift_remove("xms_edov");
        refused(&app, &op, &told, UNVERIFIED, "got nothing").await;
        assert_eq!(pinned(&app, &op).await, Value::Null, "the hostile tenant is not the connection's");
        signed_in(&app, &op, &of_entra()).await;
        assert_eq!(pinned(&app, &op).await, TENANT);
        app.close().await;
    }
}

#[tokio::test]
async fn eas8_who_has_no_identity_or_no_address_of_the_connection() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::entra(&app, &["acme.test"], None).await;
        let nobody = "oauth_fetch_user_error";
        for object in [json!("not a guid"), json!(""), json!(format!("{TENANT}.{TENANT}")), json!(7), Value::Null] {
            refused(&app, &op, &of_entra().with("oid", object), nobody, "oid is missing or not a GUID").await;
        }
        refused(&app, &op, &of_entra().without("oid"), nobody, "oid is missing").await;
        for (email, code) in [
            (json!("alice@evil.test"), OTHER_DOMAIN),
            (json!("alice@sub.acme.test"), OTHER_DOMAIN),
            (json!("alice@acme.onmicrosoft.com"), OTHER_DOMAIN),
            (json!("alice@evil.test,alice@acme.test"), NO_ADDRESS),
            (json!("alice"), NO_ADDRESS),
            (Value::Null, NO_ADDRESS),
        ] {
            refused(&app, &op, &of_entra().with("email", email), code, "identity provider").await;
        }
        // Her name to sign in with is no address.
        refused(&app, &op, &of_entra().without("email"), NO_ADDRESS, "the claim email").await;
        assert_eq!(pinned(&app, &op).await, Value::Null);
        app.close().await;
    }
}

#[tokio::test]
async fn lnk6_the_same_object_id_in_two_tenants_is_two_people() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::entra(&app, &["acme.test"], None).await;
        let first = signed_in(&app, &op, &of_entra()).await;
        change(&app, &op, json!({"oidc": {"tenant_id": ""}})).await;
        // Whoever can choose the oid of an account in a tenant of his own is still somebody else.
        let other = of_entra().with("tid", json!(OTHER_TENANT)).with("email", json!("mallory@acme.test"));
        let second = signed_in(&app, &op, &other).await;
        assert_ne!(first["user"]["id"], second["user"]["id"]);
        app.close().await;
    }
}
