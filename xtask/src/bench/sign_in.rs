//! People signing in over HTTP as a browser with Clerk's client does it, and their sessions' tokens being refreshed.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::backend::Backend;
use super::http::{Connection, Request, Response, form};
use super::identity_provider::IdentityProvider;
use crate::server::Server;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const DOMAIN: &str = "bench.test";
const OIDC_DOMAIN: &str = "oidc-bench.test";

/// A browser's state: one connection, one cookie.
pub(super) struct Browser<'a> {
    server: &'a Server,
    connection: Connection,
    client: Option<String>,
}

/// One organization whose connection leads to the identity provider; answers both as the API shows them.
pub(super) fn prepare(server: &Server, idp: &mut IdentityProvider) -> Result<[Value; 2]> {
    let mut backend = Backend::open(server)?;
    let organization = backend.send("POST", "/v1/organizations", &json!({ "name": "Bench" }))?;
    let connection = connection_to(&idp.describe()?, DOMAIN, &organization["id"]);
    let connection = backend.send("POST", "/v1/enterprise_connections", &connection)?;
    Ok([organization, connection])
}

/// What creates a connection that leads people at `domain` to the identity provider.
pub(super) fn connection_to(idp: &Value, domain: &str, organization_id: &Value) -> Value {
    json!({
        "name": "Bench", "provider": "saml_custom", "domains": [domain], "active": true, "organization_id": organization_id,
        "saml": { "idp_entity_id": idp["entity_id"], "idp_sso_url": idp["sso_url"], "idp_certificate": idp["certificate"] },
    })
}

/// As [`prepare`], with a connection that speaks OpenID Connect.
pub(super) fn prepare_oidc(server: &Server, idp: &mut IdentityProvider) -> Result<()> {
    let mut backend = Backend::open(server)?;
    let organization = backend.send("POST", "/v1/organizations", &json!({ "name": "Bench OIDC" }))?;
    let connection = json!({
        "name": "Bench OIDC", "provider": "oidc_custom", "domains": [OIDC_DOMAIN], "active": true,
        "organization_id": organization["id"], "oidc": idp.describe_op()?,
    });
    backend.send("POST", "/v1/enterprise_connections", &connection).map(drop)
}

/// The address of one of the people whom the connection of [`prepare`] serves.
pub(super) fn address(person: usize) -> String {
    format!("person{person}@{DOMAIN}")
}

/// As [`address`], for [`prepare_oidc`].
pub(super) fn oidc_address(person: usize) -> String {
    format!("person{person}@{OIDC_DOMAIN}")
}

impl<'a> Browser<'a> {
    pub(super) fn open(server: &'a Server) -> Result<Self> {
        Ok(Self { server, connection: Connection::open(&server.base)?, client: None })
    }

    /// From the email field to the session token; returns the session's id.
    pub(super) fn sign_in(&mut self, email: &str, idp: &mut IdentityProvider) -> Result<String> {
        let url = self.begin(email)?;
        let answer = idp.respond(&url, email)?;
        let location = self.post_answer(&answer)?;
        self.finish(location)
    }

    /// The same through OpenID Connect.
    pub(super) fn sign_in_by_oidc(&mut self, email: &str, idp: &mut IdentityProvider) -> Result<String> {
        let url = self.begin(email)?;
        let answer = idp.authorize(&url, email)?;
        let location = answer["location"].as_str().context("no way back")?;
        // The redirect URI carries the public host; the bench speaks to the server directly.
        let path = location.find("/v1/").and_then(|at| location.get(at..)).context("a redirect URI without /v1/")?;
        self.finish(path.to_owned())
    }

    fn done(&self) -> String {
        format!("{}/done", self.server.base)
    }

    /// From the email field to the identity provider: its address.
    fn begin(&mut self, email: &str) -> Result<String> {
        self.client = None;
        let done = self.done();
        let sign_in = self.post("/v1/client/sign_ins", &[("identifier", email)])?.json()?;
        let id = sign_in["response"]["id"].as_str().context("a sign-in without id")?;
        let fields =
            [("strategy", "enterprise_sso"), ("redirect_url", done.as_str()), ("action_complete_redirect_url", &done)];
        let prepared = self.post(&format!("/v1/client/sign_ins/{id}/prepare_first_factor"), &fields)?.json()?;
        let verification = &prepared["response"]["first_factor_verification"];
        let url = verification["external_verification_redirect_url"]
            .as_str()
            .context("no address of the identity provider")?;
        Ok(url.to_owned())
    }

    /// From wherever the identity provider's answer leads to the session token; returns the session's id.
    fn finish(&mut self, mut location: String) -> Result<String> {
        let done = self.done();
        while !location.starts_with(&done) {
            let path = location.strip_prefix(&self.server.base).unwrap_or(&location).to_owned();
            let response = self.get(&path)?;
            location =
                response.header("location").with_context(|| format!("{path} answered {}", response.status))?.to_owned();
        }
        let client = self.get("/v1/client")?.json()?;
        let client = &client["response"];
        let session_id = client["last_active_session_id"].as_str().context("no session after the sign-in")?;
        let session = client["sessions"].as_array().into_iter().flatten().find(|session| session["id"] == session_id);
        ensure!(
            session.is_some_and(|session| session["last_active_token"]["jwt"].is_string()),
            "a session without token"
        );
        Ok(session_id.to_owned())
    }

    pub(super) fn refresh(&mut self, session_id: &str) -> Result<()> {
        let token = self.post(&format!("/v1/client/sessions/{session_id}/tokens"), &[])?.json()?;
        ensure!(token["jwt"].is_string(), "no token");
        Ok(())
    }

    /// The identity provider's form comes from another site, so no cookie comes with it.
    fn post_answer(&mut self, answer: &Value) -> Result<String> {
        let text = |name: &str| answer[name].as_str().unwrap_or_default();
        let acs = text("acs_url");
        // The ACS URL carries the public host; the bench speaks to the server directly.
        let path = acs.find("/v1/").map(|at| &acs[at..]).context("an ACS URL without /v1/")?;
        let body = form(&[("SAMLResponse", text("saml_response")), ("RelayState", text("relay_state"))]);
        let response = self.connection.send(&Request { method: "POST", path, headers: &[FORM], body: &body })?;
        let body = || String::from_utf8_lossy(&response.body).into_owned();
        let location =
            response.header("location").with_context(|| format!("the ACS answered {}: {}", response.status, body()))?;
        Ok(location.to_owned())
    }

    fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<Response> {
        self.send("POST", path, &form(fields))
    }

    fn get(&mut self, path: &str) -> Result<Response> {
        self.send("GET", path, "")
    }

    fn send(&mut self, method: &str, path: &str, body: &str) -> Result<Response> {
        let cookie = self.client.as_ref().map(|client| format!("__client={client}"));
        let mut headers = vec![("origin", self.server.base.as_str())];
        headers.extend(cookie.as_deref().map(|cookie| ("cookie", cookie)));
        if method == "POST" {
            headers.push(FORM);
        }
        let response = self.connection.send(&Request { method, path, headers: &headers, body })?;
        if let Some(client) = response.cookie("__client") {
            self.client = Some(client.to_owned());
        }
        Ok(response)
    }
}
