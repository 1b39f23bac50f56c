//! An EASIE provider as it is met after a sign-in: it is asked whether accounts are still there. Refresh tokens are used up or kept,
//! as it likes, and one that is used twice is taken for stolen.

use crate::testing::{OpKey, TestApp};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_model::Millis;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

type Hook = Arc<dyn Fn() + Send + Sync>;

/// What a test can change while the provider runs.
pub struct Accounts {
    pub client_id: String,
    pub client_secret: String,
    /// Whether a refresh token is used up by using it.
    pub rotates: bool,
    /// Refresh tokens that are good.
    pub live: BTreeSet<String>,
    /// Refresh tokens that were used up.
    pub spent: BTreeSet<String>,
    /// How often one was used that was used up.
    pub thefts: usize,
    /// Every refresh token that was sent, in order.
    pub refreshes: Vec<String>,
    /// What the token endpoint answers in the place of its own.
    pub answer: Option<(u16, String)>,
    /// What stands in the ID token, if one comes along.
    pub id_token: Option<Value>,
    pub key: Arc<OpKey>,
    /// How long the token endpoint takes.
    pub delay: Duration,
    /// What happens when it is asked.
    pub hook: Option<Hook>,
    /// How many were asking at once, at the most.
    pub most_at_once: usize,
    at_once: usize,
    issued: usize,
    now: Millis,
}

/// The provider.
#[derive(Clone)]
pub struct AccountProvider {
    pub url: String,
    accounts: Arc<Mutex<Accounts>>,
}

impl AccountProvider {
    /// A provider on loopback.
    pub async fn start(server: &TestApp) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let accounts = Accounts {
            client_id: "application".into(),
            client_secret: "s3cret".into(),
            rotates: false,
            live: BTreeSet::new(),
            spent: BTreeSet::new(),
            thefts: 0,
            refreshes: Vec::new(),
            answer: None,
            id_token: None,
            key: OpKey::new("key-1"),
            delay: Duration::ZERO,
            hook: None,
            most_at_once: 0,
            at_once: 0,
            issued: 0,
            now: server.now(),
        };
        let provider = Self { url, accounts: Arc::new(Mutex::new(accounts)) };
        let router = Router::new().fallback(answer).with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    /// An active connection to it. `word` is `oauth_google` or `oauth_microsoft`; `oidc` differs where it says so.
    pub async fn connect(&self, server: &TestApp, word: &str, domain: &str, oidc: Value) -> String {
        let mut half = json!({
            "client_id": "application", "client_secret": "s3cret", "discovery_url": self.discovery_url(word),
        });
        for (name, value) in oidc.as_object().unwrap() {
            half[name] = value.clone();
        }
        half.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let body = json!({"name": domain, "provider": word, "domains": [domain], "active": true, "oidc": half});
        let made = server.backend(Method::POST, "/v1/enterprise_connections", body).await.ok();
        made["id"].as_str().unwrap().to_owned()
    }

    pub fn discovery_url(&self, word: &str) -> String {
        let place = if word == "oauth_microsoft" { "/organizations/v2.0" } else { "" };
        format!("{}{place}/.well-known/openid-configuration", self.url)
    }

    pub fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap()
    }

    /// How often the token endpoint was asked.
    pub fn refreshes(&self) -> usize {
        self.accounts().refreshes.len()
    }

    /// Has the token endpoint answer this from now on.
    pub fn say(&self, status: u16, body: &Value) {
        self.accounts().answer = Some((status, body.to_string()));
    }

    fn document(&self, path: &str) -> Value {
        let url = &self.url;
        let is_entra = path.starts_with("/organizations/");
        let issuer = if is_entra { format!("{url}/{{tenantid}}/v2.0") } else { url.clone() };
        json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{url}/auth"),
            "token_endpoint": format!("{url}/token"),
            "jwks_uri": format!("{url}/jwks"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256", "RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        })
    }

    fn refresh(&self, authorization: Option<&str>, form: &BTreeMap<String, String>) -> (u16, String) {
        let mut accounts = self.accounts();
        let sent = form.get("refresh_token").cloned().unwrap_or_default();
        accounts.refreshes.push(sent.clone());
        if let Some(hook) = &accounts.hook {
            hook();
        }
        if let Some(answer) = &accounts.answer {
            return answer.clone();
        }
        let refused = |error: &str, status| (status, json!({"error": error}).to_string());
        let basic = STANDARD.encode(format!("{}:{}", accounts.client_id, accounts.client_secret));
        if authorization != Some(&format!("Basic {basic}")) {
            return refused("invalid_client", 401);
        }
        assert_eq!(form.get("grant_type").map(String::as_str), Some("refresh_token"));
        if accounts.spent.contains(&sent) {
            accounts.thefts += 1;
            return refused("invalid_grant", 400);
        }
        if !accounts.live.contains(&sent) {
            return refused("invalid_grant", 400);
        }
        let mut tokens = json!({"access_token": "access", "token_type": "Bearer", "expires_in": 3600});
        if accounts.rotates {
            accounts.issued += 1;
            let next = format!("{sent}.{}", accounts.issued);
            accounts.live.remove(&sent);
            accounts.spent.insert(sent);
            accounts.live.insert(next.clone());
            tokens["refresh_token"] = json!(next);
        }
        if let Some(claims) = &accounts.id_token {
            let seconds = accounts.now / 1000;
            let mut all = json!({"aud": accounts.client_id, "iss": self.url, "iat": seconds, "exp": seconds + 86_400});
            all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
            let header = json!({"alg": "ES256", "kid": accounts.key.kid, "typ": "JWT"});
            tokens["id_token"] = json!(accounts.key.sign(&header, &all));
        }
        (200, tokens.to_string())
    }
}

async fn answer(State(provider): State<AccountProvider>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1024 * 1024).await.unwrap();
    let path = parts.uri.path().to_owned();
    let json = |status: u16, body: String| {
        let status = StatusCode::from_u16(status).unwrap();
        (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
    };
    match path.as_str() {
        path if path.ends_with("/.well-known/openid-configuration") => json(200, provider.document(path).to_string()),
        "/jwks" => json(200, json!({"keys": [provider.accounts().key.jwk()]}).to_string()),
        "/token" => {
            let delay = {
                let mut accounts = provider.accounts();
                accounts.at_once += 1;
                accounts.most_at_once = accounts.most_at_once.max(accounts.at_once);
                accounts.delay
            };
            tokio::time::sleep(delay).await;
            let authorization =
                parts.headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
            let form = url::form_urlencoded::parse(&body).into_owned().collect();
            let (status, body) = provider.refresh(authorization.as_deref(), &form);
            provider.accounts().at_once -= 1;
            json(status, body)
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
