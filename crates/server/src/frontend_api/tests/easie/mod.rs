//! The way in through EASIE, where one provider and one application of ours serve many organizations, some of them hostile (EAS,
//! DECISIONS "Wire" 3).

mod google;
mod meanwhile;
mod microsoft;
mod neighbours;
mod refresh_tokens;
mod sign_in;

use super::oidc::{Trip, refused};
use crate::testing::{Person, TestApp, TestOp};
use axum::http::Method;
use doorward_model::EasieGrant;
use doorward_store::easie_grants;
use serde_json::{Value, json};

const TENANT: &str = "aaaaaaaa-1111-4111-8111-11111111111a";
const OTHER_TENANT: &str = "bbbbbbbb-6666-4666-8666-66666666666b";
const OBJECT: &str = "cccccccc-2222-4222-8222-22222222222c";

const NOT_OURS: &str = "enterprise_sso_hosted_domain_mismatch";
const UNVERIFIED: &str = "external_account_email_address_verification_required";
const OTHER_DOMAIN: &str = "enterprise_sso_email_address_domain_mismatch";
const NO_ADDRESS: &str = "enterprise_sso_user_attribute_missing";
const NO_TOKEN: &str = "oauth_token_exchange_error";

fn of_google() -> Person {
    Person::of_google("alice@acme.test", "acme.test")
}

fn of_entra() -> Person {
    Person::of_entra("alice@acme.test", OBJECT, TENANT)
}

/// A sign-in of Alice that succeeds: her session.
async fn signed_in(app: &TestApp, op: &TestOp, person: &Person) -> Value {
    Trip::begin(app, "alice@acme.test").await.answer(app, op, person).await.unwrap()
}

/// Changes the connection.
async fn change(app: &TestApp, op: &TestOp, change: Value) -> Value {
    app.backend(Method::PATCH, &path(op), change).await.ok()
}

fn path(op: &TestOp) -> String {
    format!("/v1/enterprise_connections/{}", op.connection_id())
}

/// The connection's tenant, as the Backend API shows it.
async fn pinned(app: &TestApp, op: &TestOp) -> Value {
    app.backend(Method::GET, &path(op), Value::Null).await.ok()["oauth_config"]["tenant_id"].clone()
}

/// With what the account of a session is asked after.
async fn grant_of(app: &TestApp, session: &Value) -> Option<EasieGrant> {
    let account = session["user"]["enterprise_accounts"][0]["id"].as_str().unwrap().into();
    easie_grants::of_account(&mut app.app.store.read().await.unwrap(), &account).await.unwrap()
}

/// Both kinds, with somebody of theirs.
async fn both(app: &TestApp) -> [(TestOp, Person); 2] {
    // The domains are the same, so one at a time.
    let google = TestOp::google(app, &["acme.test"], None).await;
    change(app, &google, json!({"active": false})).await;
    let entra = TestOp::entra(app, &["acme.test"], None).await;
    change(app, &entra, json!({"active": false})).await;
    [(google, of_google()), (entra, of_entra())]
}
