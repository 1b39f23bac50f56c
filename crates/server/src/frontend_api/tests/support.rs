//! What the walks of this folder share.

use crate::testing::{Browser, Identity, TestApp};
use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

pub async fn organization(app: &TestApp, body: Value) -> String {
    app.backend(Method::POST, "/v1/organizations", body).await.ok()["id"].as_str().unwrap().to_owned()
}

pub async fn members(app: &TestApp, organization: &str) -> Vec<(String, String)> {
    let path = format!("/v1/organizations/{organization}/memberships?limit=100");
    let list = app.backend(Method::GET, &path, Value::Null).await.ok();
    let member = |row: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&row["public_user_data"]["identifier"]), text(&row["role"]))
    };
    list["data"].as_array().unwrap().iter().map(member).collect()
}

pub async fn users(app: &TestApp) -> Vec<Value> {
    app.backend(Method::GET, "/v1/users?limit=100", Value::Null).await.ok().as_array().unwrap().clone()
}

pub fn alice() -> Identity {
    Identity::new("alice@acme.test", "Alice", "Müller")
}

/// The claims of a token, unverified.
pub fn claims(jwt: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

pub async fn client(browser: &Browser<'_>) -> Value {
    browser.get("/v1/client").await.ok()["response"].clone()
}

/// The error that a failed trip left on the browser's sign-in.
pub async fn sign_in_error(browser: &Browser<'_>) -> String {
    let client = client(browser).await;
    let verification = &client["sign_in"]["first_factor_verification"];
    assert_eq!(verification["status"], "failed", "{client}");
    verification["error"]["code"].as_str().unwrap().to_owned()
}
