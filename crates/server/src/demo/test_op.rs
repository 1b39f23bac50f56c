//! OpenID providers, for testing only: a plain one, one like Google's and one like Microsoft's. They keep to the protocol in all
//! that a relying party could notice, but ask nobody for a password. What sets them apart stands in `profile.rs`.

mod answer;
mod authorize;
mod keys;
mod profile;
mod token;
mod userinfo;

pub use keys::OpKeys;
pub use profile::Profile;

use crate::demo::companies::{COMPANIES, Company};
use crate::demo::test_idp::TestIdp;
use crate::flows::connection_oidc::redirect_uri;
use answer::{Fault, answer};
use authorize::Grant;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use doorward_model::Random;
use doorward_oidc::TENANT_PLACEHOLDER;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path as FilePath;
use std::sync::{Arc, Mutex};

/// What the server is called at every provider.
pub const CLIENT_ID: &str = "doorward-demo";

/// The provider of a company.
pub struct Op {
    /// In [`COMPANIES`].
    index: usize,
    pub company: &'static Company,
    profile: &'static Profile,
    /// The listener's address.
    base: String,
    keys: OpKeys,
    codes: Mutex<BTreeMap<String, Grant>>,
    /// Who has let the client in before.
    consented: Mutex<BTreeSet<&'static str>>,
}

impl Op {
    /// The providers of all companies that have one. Their keys are made at the first start.
    pub fn load_all(folder: &FilePath, base: &str, random: &dyn Random) -> anyhow::Result<Vec<Self>> {
        let load = |(index, company): (usize, &'static Company)| {
            let profile = Profile::of(company)?;
            let file = folder.join(format!("test-op-{}.json", company.slug));
            let keys = OpKeys::load(&file, random);
            Some(keys.map(|keys| Self {
                index,
                company,
                profile,
                base: base.to_owned(),
                keys,
                codes: Mutex::default(),
                consented: Mutex::default(),
            }))
        };
        COMPANIES.iter().enumerate().filter_map(load).collect()
    }

    /// Where the endpoints are.
    fn url(&self) -> String {
        format!("{}{}", self.base, self.profile.path)
    }

    /// The address of the configuration document that a connection is given.
    pub fn discovery_url(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.url())
    }

    /// The secret that a connection is given.
    pub fn client_secret(&self) -> &str {
        &self.keys.client_secret
    }

    /// Who signs for a tenant; without one, what the shared document says.
    fn issuer(&self, tenant: Option<&str>) -> String {
        let template = format!("{}{}", self.base, self.profile.issuer_path);
        tenant.map_or(template.clone(), |tenant| template.replace(TENANT_PLACEHOLDER, tenant))
    }

    fn document(&self, tenant: Option<&str>) -> Value {
        let url = self.url();
        let mut document = json!({
            "issuer": self.issuer(tenant),
            "authorization_endpoint": format!("{url}/authorize"),
            "token_endpoint": format!("{url}/token"),
            "userinfo_endpoint": format!("{url}/userinfo"),
            "jwks_uri": format!("{url}/jwks"),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "subject_types_supported": [self.profile.subject_type],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": self.profile.scopes,
            "claims_supported": self.profile.claims_supported,
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "request_parameter_supported": false,
            "request_uri_parameter_supported": false,
        });
        if self.profile.names_pkce {
            document["code_challenge_methods_supported"] = json!(["S256"]);
        }
        if self.profile.sends_iss {
            document["authorization_response_iss_parameter_supported"] = json!(true);
        }
        document
    }
}

/// A provider as it is served.
#[derive(Clone)]
struct Served {
    idp: Arc<TestIdp>,
    /// Among the providers.
    at: usize,
}

impl Served {
    fn op(&self) -> &Op {
        &self.idp.ops[self.at]
    }

    /// Where codes may be sent: the callback of the company's connection, and nowhere else. `None` while there is none yet.
    fn redirect_uri(&self) -> Option<String> {
        let connection = self.idp.connection(self.op().index)?;
        Some(redirect_uri(&self.idp.app.config, connection))
    }

    /// Whether the company stands by somebody.
    fn is_suspended(&self, email: &str) -> bool {
        self.idp.directory.is_suspended(email)
    }
}

/// The endpoints of all providers.
pub fn router(idp: &Arc<TestIdp>) -> Router {
    idp.ops.iter().enumerate().fold(Router::new(), |router, (at, op)| {
        let served = Served { idp: idp.clone(), at };
        let endpoints = Router::new()
            .route("/.well-known/openid-configuration", get(shared_document))
            .route("/jwks", get(key_set))
            .route("/authorize", get(authorize::choose).post(authorize::choose_posted))
            .route("/authorize/as/{login}", get(authorize::continue_as))
            .route("/token", axum::routing::post(token::token))
            .route("/userinfo", get(userinfo::userinfo).post(userinfo::userinfo))
            .with_state(served.clone());
        let router = router.nest(op.profile.path, endpoints);
        match op.profile.issuer_path.contains(TENANT_PLACEHOLDER) {
            true => {
                router.route("/{tenant}/v2.0/.well-known/openid-configuration", get(tenant_document).with_state(served))
            }
            false => router,
        }
    })
}

async fn shared_document(State(served): State<Served>) -> Response {
    answer(StatusCode::OK, &served.op().document(None))
}

/// The document of one tenant, whose issuer has no placeholder.
async fn tenant_document(State(served): State<Served>, Path(tenant): Path<String>) -> Response {
    let op = served.op();
    let mut tenants = op.company.accounts().map(|person| profile::tenant(op.company, person));
    match tenants.any(|known| known == tenant) {
        true => answer(StatusCode::OK, &op.document(Some(&tenant))),
        false => Fault::Tenant.response(op.profile),
    }
}

async fn key_set(State(served): State<Served>) -> Response {
    answer(StatusCode::OK, &json!({"keys": [served.op().keys.signing.jwk()]}))
}

#[cfg(test)]
mod tests;
