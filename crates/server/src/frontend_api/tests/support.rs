//! What the walks of this folder share.

use crate::testing::{Answer, Browser, Identity, TestApp, TestIdp, begin_sign_in};
use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_saml::idp::ReceivedAuthnRequest;
use serde_json::{Value, json};

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

/// Changes the connection of an identity provider.
pub async fn change(app: &TestApp, idp: &TestIdp, change: Value) {
    let path = format!("/v1/enterprise_connections/{}", idp.connection_id());
    app.backend(Method::PATCH, &path, change).await.ok();
}

/// Everything the operator sees: users with their accounts, organizations with their members, sessions. A refusal leaves
/// all of it as it was.
pub async fn footprint(app: &TestApp) -> Value {
    let get = async |path: String| app.backend(Method::GET, &path, Value::Null).await.ok();
    let organizations = get("/v1/organizations?limit=100&include_members_count=true".into()).await;
    let mut members = Vec::new();
    for organization in organizations["data"].as_array().unwrap() {
        let id = organization["id"].as_str().unwrap();
        members.push(get(format!("/v1/organizations/{id}/memberships?limit=100")).await);
    }
    let sessions = get("/v1/sessions?limit=100".into()).await;
    json!([get("/v1/users?limit=100".into()).await, organizations, members, sessions])
}

/// A sign-in whose browser is at the identity provider.
pub struct Trip<'a> {
    pub browser: Browser<'a>,
    pub request: ReceivedAuthnRequest,
}

impl<'a> Trip<'a> {
    pub async fn begin(app: &'a TestApp, idp: &TestIdp, email: &str) -> Self {
        let browser = app.browser();
        let request = idp.receive(&begin_sign_in(&browser, email).await);
        Self { browser, request }
    }

    /// The form that brings the identity provider's answer.
    pub fn form<'b>(&'b self, saml_response: &'b str) -> [(&'static str, &'b str); 2] {
        [("SAMLResponse", saml_response), ("RelayState", self.request.relay_state.as_deref().unwrap())]
    }

    /// Posts an answer to an ACS.
    pub async fn post(&self, acs_url: &str, saml_response: &str) -> Answer {
        self.browser.post_cross_site(acs_url, &self.form(saml_response)).await
    }

    /// Posts an answer and comes back; whether there is a session, or else code and reason of the refusal.
    pub async fn deliver(&self, acs_url: &str, saml_response: &str) -> Result<Value, (String, String)> {
        let posted = self.post(acs_url, saml_response).await;
        self.come_back(&posted).await
    }

    /// From the answer of the ACS.
    pub async fn come_back(&self, posted: &Answer) -> Result<Value, (String, String)> {
        let location = self.browser.visit(posted.location()).await.location().to_owned();
        let client = client(&self.browser).await;
        if let Some(session) = client["sessions"].as_array().unwrap().first() {
            assert_eq!(location, "https://app.example.com/done");
            return Ok(session.clone());
        }
        assert_eq!(location, "https://app.example.com/sso-callback");
        let error = &client["sign_in"]["first_factor_verification"]["error"];
        let text = |name: &str| error[name].as_str().unwrap_or_else(|| panic!("{client}")).to_owned();
        Err((text("code"), text("long_message")))
    }
}

/// The error that a failed trip left on the browser's sign-in.
pub async fn sign_in_error(browser: &Browser<'_>) -> String {
    let client = client(browser).await;
    let verification = &client["sign_in"]["first_factor_verification"];
    assert_eq!(verification["status"], "failed", "{client}");
    verification["error"]["code"].as_str().unwrap().to_owned()
}
