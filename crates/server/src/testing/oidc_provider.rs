//! An OpenID Connect provider that signs: it keeps to the protocol where a test does not tell it otherwise.

use crate::random::token;
use crate::testing::{Answer, Browser, TestApp};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use doorward_model::Millis;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

const WELL_KNOWN: &str = "/.well-known/openid-configuration";
pub const CLIENT_SECRET: &str = "a secret: with / and & in it";

type ChangeTokens = Arc<dyn Fn(&mut Value) + Send + Sync>;
type GivesRefreshToken = Arc<dyn Fn(&BTreeMap<String, String>) -> bool + Send + Sync>;
type Change = Arc<dyn Fn(&mut Value, &mut Value) + Send + Sync>;

/// A person, as the provider knows her.
#[derive(Clone, Debug)]
pub struct Person {
    /// What the ID token says beside the protocol's own claims.
    pub id_token: Value,
    /// What userinfo says.
    pub userinfo: Value,
}

impl Person {
    /// Everything stands in the ID token.
    pub fn new(email: &str, first: &str, last: &str) -> Self {
        let claims = json!({
            "sub": format!("subject-of-{email}"), "email": email, "email_verified": true,
            "given_name": first, "family_name": last,
        });
        Self { userinfo: claims.clone(), id_token: claims }
    }

    /// Of a Google Workspace organization.
    pub fn of_google(email: &str, hosted_domain: &str) -> Self {
        Self::new(email, "Alice", "Müller").with("hd", json!(hosted_domain))
    }

    /// Of an Entra ID tenant, whose document vouches for the address by `xms_edov`.
    pub fn of_entra(email: &str, object_id: &str, tenant: &str) -> Self {
        Self::new(email, "Alice", "Müller")
            .without("email_verified")
            .with("oid", json!(object_id))
            .with("tid", json!(tenant))
            .with("preferred_username", json!(email))
            .with("xms_edov", json!(true))
    }

    /// Without a claim, in both places.
    pub fn without(mut self, name: &str) -> Self {
        for claims in [&mut self.id_token, &mut self.userinfo] {
            claims.as_object_mut().unwrap().shift_remove(name);
        }
        self
    }

    /// The same in both places, changed.
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.id_token[name] = value.clone();
        self.userinfo[name] = value;
        self
    }

    /// The ID token says who it is and nothing else.
    pub fn in_userinfo_alone(mut self) -> Self {
        self.id_token = json!({"sub": self.id_token["sub"]});
        self
    }
}

/// A key pair under its id.
pub struct OpKey {
    pub kid: String,
    pair: EcdsaKeyPair,
}

impl OpKey {
    pub fn new(kid: &str) -> Arc<Self> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Arc::new(Self { kid: kid.to_owned(), pair })
    }

    /// The public half, as a key set has it.
    pub fn jwk(&self) -> Value {
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        let [x, y] = [x, y].map(|half| URL_SAFE_NO_PAD.encode(half));
        json!({"kty": "EC", "crv": "P-256", "kid": self.kid, "use": "sig", "alg": "ES256", "x": x, "y": y})
    }

    /// The compact form of a token.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let message = format!("{header}.{claims}");
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

/// What somebody was given a code for.
struct Grant {
    person: Person,
    nonce: Option<String>,
    challenge: Option<String>,
    redirect_uri: String,
    has_refresh_token: bool,
    now: Millis,
}

/// An answer that is not the protocol's.
#[derive(Clone, Debug, Default)]
pub struct Canned {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// What a test can change while the provider runs.
pub struct OpState {
    pub client_id: String,
    pub client_secret: Option<&'static str>,
    /// Who it says it is, `{tenantid}` for the tenant; `None`: its address.
    pub issuer: Option<String>,
    /// Whether responses carry `iss`, which Google and Entra ID do not send.
    pub sends_iss: bool,
    /// Whether an authorization request like this one brings a refresh token.
    pub gives_refresh_token: GivesRefreshToken,
    /// The first one signs.
    pub keys: Vec<Arc<OpKey>>,
    /// Members of the configuration document that differ; `null` takes one away.
    pub document: Value,
    /// Answers for a path in the place of its own.
    pub canned: BTreeMap<&'static str, Canned>,
    /// How long a path takes.
    pub delays: BTreeMap<&'static str, Duration>,
    /// Spoils header and claims of ID tokens.
    pub change: Option<Change>,
    /// Spoils the answer of the token endpoint.
    pub change_tokens: Option<ChangeTokens>,
    pub cache_control: Option<String>,
    /// Path and body of each request.
    pub requests: Vec<(String, String)>,
    codes: BTreeMap<String, Grant>,
    tokens: BTreeMap<String, Value>,
}

/// A provider, and the connection that trusts it once [`TestOp::connect`] has made it.
#[derive(Clone)]
pub struct TestOp {
    pub url: String,
    state: Arc<Mutex<OpState>>,
    /// As the Backend API shows it.
    pub connection: Value,
}

impl TestOp {
    /// A provider on loopback, without a connection.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = OpState {
            client_id: "doorward at op".into(),
            client_secret: Some(CLIENT_SECRET),
            issuer: None,
            sends_iss: true,
            gives_refresh_token: Arc::new(|_| false),
            keys: vec![OpKey::new("key-1")],
            document: json!({}),
            canned: BTreeMap::new(),
            delays: BTreeMap::new(),
            change: None,
            change_tokens: None,
            cache_control: None,
            requests: Vec::new(),
            codes: BTreeMap::new(),
            tokens: BTreeMap::new(),
        };
        let op = Self { url, state: Arc::new(Mutex::new(state)), connection: Value::Null };
        let router = Router::new().fallback(answer).with_state(op.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        op
    }

    /// A provider with an active connection for `domain`, linked to `organization`.
    pub async fn connect(server: &TestApp, domain: &str, organization: Option<&str>) -> Self {
        Self::connect_with(server, domain, organization, json!({})).await
    }

    /// As [`Self::connect`]; `oidc` adds to the connection's OpenID Connect half, and `null` takes away.
    pub async fn connect_with(server: &TestApp, domain: &str, organization: Option<&str>, oidc: Value) -> Self {
        let op = Self::start().await;
        op.connected(server, domain, organization, oidc).await
    }

    /// This provider with an active connection.
    pub async fn connected(self, server: &TestApp, domain: &str, organization: Option<&str>, oidc: Value) -> Self {
        self.connected_as(server, "oidc_custom", &[domain], organization, oidc).await
    }

    /// A provider of many organizations like Google's, with an active connection.
    pub async fn google(server: &TestApp, domains: &[&str], organization: Option<&str>) -> Self {
        let op = Self::start().await;
        op.state().issuer = Some("https://accounts.google.com".into());
        op.is_easie().connected_as(server, "oauth_google", domains, organization, json!({})).await
    }

    /// A provider of many organizations like Entra ID, with an active connection.
    pub async fn entra(server: &TestApp, domains: &[&str], organization: Option<&str>) -> Self {
        let op = Self::start().await;
        let issuer = format!("{}/{{tenantid}}/v2.0", op.url);
        op.state().issuer = Some(issuer);
        op.is_easie().connected_as(server, "oauth_microsoft", domains, organization, json!({})).await
    }

    fn is_easie(self) -> Self {
        {
            let mut state = self.state();
            state.sends_iss = false;
            state.document = json!({"authorization_response_iss_parameter_supported": null});
            state.gives_refresh_token = Arc::new(|asked| {
                asked.get("access_type").is_some_and(|access| access == "offline")
                    || asked["scope"].split(' ').any(|scope| scope == "offline_access")
            });
        }
        self
    }

    /// This provider with another active connection, to a kind of provider.
    pub async fn connected_as(
        mut self,
        server: &TestApp,
        provider: &str,
        domains: &[&str],
        organization: Option<&str>,
        oidc: Value,
    ) -> Self {
        let mut half = json!({
            "client_id": self.state().client_id,
            "client_secret": self.state().client_secret,
            "discovery_url": self.discovery_url(),
        });
        merge(&mut half, &oidc);
        let body = json!({
            "name": format!("SSO of {}", domains[0]),
            "provider": provider,
            "domains": domains,
            "organization_id": organization,
            "active": true,
            "oidc": half,
        });
        self.connection = server.backend(Method::POST, "/v1/enterprise_connections", body).await.ok();
        self.state().requests.clear();
        self
    }

    pub fn state(&self) -> MutexGuard<'_, OpState> {
        self.state.lock().unwrap()
    }

    pub fn discovery_url(&self) -> String {
        let is_for_tenants = self.state().issuer.as_ref().is_some_and(|issuer| issuer.contains("{tenantid}"));
        let place = if is_for_tenants { "/organizations/v2.0" } else { "" };
        format!("{}{place}{WELL_KNOWN}", self.url)
    }

    /// The connection's id.
    pub fn connection_id(&self) -> &str {
        self.connection["id"].as_str().unwrap()
    }

    /// How often a path was asked.
    pub fn hits(&self, path: &str) -> usize {
        self.state().requests.iter().filter(|(asked, _)| asked == path).count()
    }

    /// Answers a path with something else from now on.
    pub fn can(&self, path: &'static str, status: u16, headers: &[(&'static str, &str)], body: &str) {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        self.state().canned.insert(path, Canned { status, headers, body: body.to_owned() });
    }

    /// Spoils ID tokens from now on.
    pub fn spoil(&self, change: impl Fn(&mut Value, &mut Value) + Send + Sync + 'static) {
        self.state().change = Some(Arc::new(change));
    }

    /// Spoils answers of the token endpoint from now on.
    pub fn change_tokens(&self, change: impl Fn(&mut Value) + Send + Sync + 'static) {
        self.state().change_tokens = Some(Arc::new(change));
    }

    /// The person signs in at the provider, which sends her back: the parameters she brings.
    pub fn authorize(&self, server: &TestApp, redirect: &str, person: &Person) -> Vec<(String, String)> {
        let asked = parameters(redirect);
        assert!(redirect.starts_with(&format!("{}/auth?", self.url)), "{redirect}");
        assert_eq!(asked.get("response_type").map(String::as_str), Some("code"));
        assert!(asked["scope"].split(' ').any(|scope| scope == "openid"), "{asked:?}");
        let code = token(&*server.app.random);
        let mut state = self.state();
        assert_eq!(asked["client_id"], state.client_id);
        let has_refresh_token = (state.gives_refresh_token)(&asked);
        state.codes.insert(
            code.clone(),
            Grant {
                person: person.clone(),
                nonce: asked.get("nonce").cloned(),
                challenge: asked.get("code_challenge").cloned(),
                redirect_uri: asked["redirect_uri"].clone(),
                has_refresh_token,
                now: server.now(),
            },
        );
        let mut brought = vec![
            ("code".to_owned(), code),
            ("state".to_owned(), asked["state"].clone()),
            (REDIRECT_URI.to_owned(), asked["redirect_uri"].clone()),
        ];
        if state.sends_iss {
            brought.push(("iss".to_owned(), self.url.clone()));
        }
        brought
    }

    /// From the redirect to the provider to the answer of the callback, in one browser.
    pub async fn answer(&self, server: &TestApp, browser: &Browser<'_>, redirect: &str, person: &Person) -> Answer {
        browser.visit(&callback_url(&self.authorize(server, redirect, person))).await
    }

    /// The whole way from the typed address to the answer of the callback.
    pub async fn sign_in(&self, server: &TestApp, browser: &Browser<'_>, email: &str, person: &Person) -> Answer {
        let redirect = crate::testing::begin_sign_in(browser, email).await;
        self.answer(server, browser, &redirect, person).await
    }

    /// The document at this path.
    fn document(&self, path: &str) -> Value {
        let url = &self.url;
        let own = path.strip_suffix(WELL_KNOWN).unwrap_or_default();
        let issuer = match self.state().issuer.clone() {
            Some(issuer) if own.is_empty() || own.starts_with("/organizations/") => issuer,
            _ => format!("{url}{own}"),
        };
        let mut document = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{url}/auth"),
            "token_endpoint": format!("{url}/token"),
            "userinfo_endpoint": format!("{url}/userinfo"),
            "jwks_uri": format!("{url}/jwks"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256", "RS256"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
        });
        merge(&mut document, &self.state().document);
        document
    }

    fn tokens(
        &self,
        authorization: Option<&str>,
        form: &BTreeMap<String, String>,
    ) -> Result<Value, (u16, &'static str)> {
        let mut state = self.state();
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let named = form.get("client_id").is_some_and(|id| *id == state.client_id);
        let is_client = match state.client_secret {
            Some(secret) => {
                let basic = STANDARD.encode(format!("{}:{}", encode(&state.client_id), encode(secret)));
                authorization == Some(&format!("Basic {basic}"))
                    || (named && form.get("client_secret").is_some_and(|sent| sent == secret))
            }
            None => named && authorization.is_none() && !form.contains_key("client_secret"),
        };
        if !is_client {
            return Err((401, "invalid_client"));
        }
        // A code buys one answer, right or wrong.
        let grant = form.get("code").and_then(|code| state.codes.remove(code)).ok_or((400, "invalid_grant"))?;
        let verifier =
            form.get("code_verifier").map(|verifier| URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())));
        if grant.challenge != verifier || form.get("redirect_uri") != Some(&grant.redirect_uri) {
            return Err((400, "invalid_grant"));
        }
        let access_token = format!("access-{}", form["code"]);
        let key = state.keys[0].clone();
        let mut header = json!({"alg": "ES256", "kid": key.kid, "typ": "JWT"});
        let mut claims = grant.person.id_token.clone();
        let seconds = grant.now / 1000;
        let tenant = claims["tid"].as_str().unwrap_or("none");
        let issuer = state.issuer.as_ref().map_or(self.url.clone(), |issuer| issuer.replace("{tenantid}", tenant));
        merge(
            &mut claims,
            &json!({
                "iss": issuer, "aud": state.client_id, "iat": seconds, "exp": seconds + 300, "nonce": grant.nonce,
                "at_hash": URL_SAFE_NO_PAD.encode(&digest(&SHA256, access_token.as_bytes()).as_ref()[..16]),
            }),
        );
        if let Some(change) = &state.change {
            change(&mut header, &mut claims);
        }
        let mut tokens = json!({
            "access_token": access_token, "token_type": "Bearer", "expires_in": 300, "id_token": key.sign(&header, &claims),
        });
        if grant.has_refresh_token {
            tokens["refresh_token"] = json!(format!("refresh-{}", form["code"]));
        }
        if let Some(change) = &state.change_tokens {
            change(&mut tokens);
        }
        state.tokens.insert(access_token, grant.person.userinfo);
        Ok(tokens)
    }
}

/// The members of one object put into another; `null` takes away.
fn merge(into: &mut Value, from: &Value) {
    for (name, value) in from.as_object().unwrap() {
        match value {
            Value::Null => drop(into.as_object_mut().unwrap().shift_remove(name)),
            value => into[name] = value.clone(),
        }
    }
}

/// Header or claims of a token.
pub fn decode_part(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The parameters of an address.
pub fn parameters(url: &str) -> BTreeMap<String, String> {
    url::Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

/// The parameter among what a browser brings that only says where it comes to; no provider sends it back.
const REDIRECT_URI: &str = "redirect_uri";

/// The callback of the connection that the browser comes back from, with these parameters.
pub fn callback_url<K: AsRef<str>, V: AsRef<str>>(parameters: &[(K, V)]) -> String {
    let (place, brought): (Vec<_>, Vec<_>) = parameters.iter().partition(|(name, _)| name.as_ref() == REDIRECT_URI);
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(brought.iter().map(|(name, value)| (name.as_ref(), value.as_ref())))
        .finish();
    format!("{}?{query}", url::Url::parse(place[0].1.as_ref()).unwrap().path())
}

fn json_answer(status: u16, cache_control: Option<String>, body: &Value) -> Response {
    let mut response = (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
    if let Some(text) = cache_control {
        response.headers_mut().insert(header::CACHE_CONTROL, text.parse().unwrap());
    }
    response
}

async fn answer(State(op): State<TestOp>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1024 * 1024).await.unwrap();
    let path = parts.uri.path().to_owned();
    let (delay, canned, cache_control) = {
        let mut state = op.state();
        state.requests.push((path.clone(), String::from_utf8(body.to_vec()).unwrap()));
        (
            state.delays.get(path.as_str()).copied(),
            state.canned.get(path.as_str()).cloned(),
            state.cache_control.clone(),
        )
    };
    if let Some(delay) = delay {
        tokio::time::sleep(delay).await;
    }
    if let Some(canned) = canned {
        let start = Response::builder().status(canned.status);
        let response = canned.headers.iter().fold(start, |response, (name, value)| response.header(*name, value));
        return response.body(Body::from(canned.body)).unwrap();
    }
    let authorization = parts.headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    match (parts.method, path.as_str()) {
        (Method::GET, path) if path.ends_with(WELL_KNOWN) => json_answer(200, cache_control, &op.document(path)),
        (Method::GET, "/jwks") => {
            let keys: Vec<Value> = op.state().keys.iter().map(|key| key.jwk()).collect();
            json_answer(200, cache_control, &json!({"keys": keys}))
        }
        (Method::POST, "/token") => {
            let form = url::form_urlencoded::parse(&body).into_owned().collect();
            match op.tokens(authorization.as_deref(), &form) {
                Ok(tokens) => json_answer(200, Some("no-store".into()), &tokens),
                Err((status, error)) => json_answer(status, None, &json!({"error": error})),
            }
        }
        (Method::GET, "/userinfo") => {
            let bearer = authorization.as_deref().and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default();
            match op.state().tokens.get(bearer) {
                Some(claims) => json_answer(200, None, claims),
                None => json_answer(401, None, &json!({"error": "invalid_token"})),
            }
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
