//! A small application without any SDK: how a server-rendered product uses Doorward.
//!
//! 1. `__client_uat` says when this browser last signed in, `0` that it is signed out. A browser that is signed in but has
//!    no fresh `__session` cookie is sent to the handshake.
//! 2. It comes back with `__clerk_handshake`, a signed list of cookies. The application checks the signature, sets them,
//!    and has a session token.
//! 3. The token is verified with the published keys; who the ids in it are is asked at the Backend API, and whether the
//!    session has ended meanwhile. Who does without that question learns of it when the token ends, at most a minute later.

mod pages;

use crate::app::App;
use crate::demo::companies::{COMPANIES, full_name};
use crate::demo::introduction::check_time;
use crate::demo::token::{TokenError, VerifiedToken, check_session, verify};
use crate::http::cookies;
use crate::pages::{render, see_other};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use doorward_model::Millis;
use pages::{SignedInPage, SignedOutPage};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

const SESSION: &str = "__session";
const CLIENT_UAT: &str = "__client_uat";
const HANDSHAKE: &str = "__clerk_handshake";
const ROUNDS: &str = "__clerk_redirect_count";
/// Rounds through the handshake before the application gives up.
const MAX_ROUNDS: u32 = 3;
/// How long the published keys are kept, in milliseconds.
const KEYS_LIFETIME: Millis = 60_000;
/// How soon they are fetched again when a token names a key that is not among them.
const KEYS_PATIENCE: Millis = 5_000;

struct SampleApp {
    /// For the clock only; everything else comes over HTTP, as it would to an application on another machine.
    app: Arc<App>,
    client: reqwest::Client,
    origin: String,
    public_url: String,
    issuer: String,
    secret_key: String,
    /// Where the test identity providers are, for people who read about them.
    idp: String,
    /// The published keys and when they were fetched.
    keys: Mutex<Option<(Arc<Value>, Millis)>>,
}

/// The application.
pub fn router(app: Arc<App>, origin: String, secret_key: String, idp: String) -> reqwest::Result<Router> {
    let (public_url, issuer) = (app.config.public_url.clone(), app.config.issuer());
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
    let sample = SampleApp { app, client, origin, public_url, issuer, secret_key, idp, keys: Mutex::default() };
    Ok(routes(sample))
}

fn routes(sample: SampleApp) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/assets/style.css", get(crate::pages::style))
        .with_state(Arc::new(sample))
}

impl SampleApp {
    fn jwks_url(&self) -> String {
        format!("{}/.well-known/jwks.json", self.public_url)
    }

    async fn fetch(&self, url: &str, with_key: bool) -> Result<Value, String> {
        let mut request = self.client.get(url);
        if with_key {
            request = request.bearer_auth(&self.secret_key);
        }
        let response = request.send().await.map_err(|error| error.to_string())?;
        if !response.status().is_success() {
            return Err(format!("{url} answered {}", response.status()));
        }
        let body = response.bytes().await.map_err(|error| error.to_string())?;
        serde_json::from_slice(&body).map_err(|error| error.to_string())
    }

    /// The published keys, not older than this.
    async fn keys(&self, lifetime: Millis) -> Result<Arc<Value>, String> {
        let mut kept = self.keys.lock().await;
        let now = self.app.now();
        if let Some((keys, fetched_at)) = &*kept
            && (0..lifetime).contains(&(now - fetched_at))
        {
            return Ok(keys.clone());
        }
        let keys = Arc::new(self.fetch(&self.jwks_url(), false).await?);
        *kept = Some((keys.clone(), now));
        Ok(keys)
    }

    /// The outer error is that the keys could not be had. Keys may be replaced at any time, so an unknown one is looked for.
    async fn verify(&self, jwt: &str) -> Result<Result<VerifiedToken, TokenError>, String> {
        let now = self.app.now() / 1000;
        match verify(jwt, &*self.keys(KEYS_LIFETIME).await?, &self.issuer, now) {
            Err(TokenError::UnknownKey) => Ok(verify(jwt, &*self.keys(KEYS_PATIENCE).await?, &self.issuer, now)),
            outcome => Ok(outcome),
        }
    }

    /// Whether the session of a token goes on, as the server knows it.
    async fn is_session_active(&self, token: &VerifiedToken) -> Result<bool, String> {
        let id = token.claims["sid"].as_str().unwrap_or_default();
        let session = self.fetch(&format!("{}/v1/sessions/{id}", self.public_url), true).await?;
        Ok(session["status"] == "active")
    }

    /// A URL of the server that leads back here.
    fn and_back(&self, path: &str) -> String {
        let back: String = url::form_urlencoded::byte_serialize(format!("{}/", self.origin).as_bytes()).collect();
        format!("{}{path}?redirect_url={back}", self.public_url)
    }

    /// Cookies that hold a token of this instance; the second is there for SDKs on the same host.
    fn is_session_cookie(&self, name: &str) -> bool {
        name == SESSION || name == format!("{SESSION}_{}", cookies::suffix(&self.app.config.publishable_key))
    }

    /// What a handshake may set here: its signature says who wrote it, this says what it is for.
    fn may_set(&self, directive: &str) -> bool {
        let name = directive.split('=').next().unwrap_or_default();
        self.is_session_cookie(name) || name.starts_with(CLIENT_UAT)
    }

    fn signed_out(&self, status: StatusCode, notice: Option<String>) -> Response {
        let page = SignedOutPage {
            sign_in_url: self.and_back("/sign-in"),
            notice,
            companies: &COMPANIES,
            idp: &self.idp,
            time: check_time(&self.app.config),
        };
        let mut response = render(status, &page);
        let suffixed = format!("{SESSION}_{}", cookies::suffix(&self.app.config.publishable_key));
        cookies::append(response.headers_mut(), [SESSION, suffixed.as_str()].map(expired));
        response
    }
}

async fn home(State(sample): State<Arc<SampleApp>>, headers: HeaderMap) -> Response {
    match answer(&sample, &headers).await {
        Ok(response) => response,
        Err(reason) => {
            sample.signed_out(StatusCode::BAD_GATEWAY, Some(format!("Doorward could not be asked: {reason}.")))
        }
    }
}

async fn answer(sample: &SampleApp, headers: &HeaderMap) -> Result<Response, String> {
    // Not a number is as good as not there.
    let changed_at: i64 = cookies::get(headers, CLIENT_UAT).and_then(|value| value.parse().ok()).unwrap_or(0);
    let handshake = cookies::get(headers, HANDSHAKE).filter(|value| !value.is_empty());
    if let Some(handshake) = handshake {
        return accept_handshake(sample, handshake).await;
    }
    if changed_at == 0 {
        return Ok(sample.signed_out(StatusCode::OK, None));
    }
    let Some(session) = cookies::get(headers, SESSION).filter(|value| !value.is_empty()) else {
        return Ok(begin_handshake(sample, headers, "session-token-missing", "there is none"));
    };
    let verified = sample.verify(session).await?;
    match verified.and_then(|token| check_session(&token, &sample.origin, changed_at).map(|()| token)) {
        Ok(token) if !sample.is_session_active(&token).await? => {
            let reason = TokenError::NotActive;
            Ok(begin_handshake(sample, headers, hint(&reason), &reason.to_string()))
        }
        Ok(token) => show(sample, &token).await,
        Err(reason) => Ok(begin_handshake(sample, headers, hint(&reason), &reason.to_string())),
    }
}

/// Why a handshake is needed, in the words SDKs use.
fn hint(error: &TokenError) -> &'static str {
    match error {
        TokenError::Expired => "session-token-expired",
        TokenError::NotYetValid => "session-token-not-active-yet",
        TokenError::Outdated => "session-token-iat-before-client-uat",
        _ => "unexpected-error",
    }
}

/// Sends the browser to fetch a token, unless it goes round in circles.
fn begin_handshake(sample: &SampleApp, headers: &HeaderMap, hint: &str, reason: &str) -> Response {
    let rounds: u32 = cookies::get(headers, ROUNDS).and_then(|text| text.parse().ok()).unwrap_or(0);
    if rounds >= MAX_ROUNDS {
        let notice = format!("No usable session token was to be had: {reason}.");
        return sample.signed_out(StatusCode::OK, Some(notice));
    }
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("redirect_url", &format!("{}/", sample.origin))
        .append_pair("__clerk_api_version", "2026-05-12")
        .append_pair("suffixed_cookies", "false")
        .append_pair("__clerk_hs_reason", hint)
        .finish();
    let location = format!("{}/v1/client/handshake?{query}", sample.public_url);
    let mut response = redirect(&location);
    let count = format!("{ROUNDS}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age=2", rounds + 1);
    cookies::append(response.headers_mut(), [count]);
    response
}

/// 307, and never from a cache.
fn redirect(location: &str) -> Response {
    let mut response = see_other(location);
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    response
}

/// A cookie that takes itself away.
fn expired(name: &str) -> String {
    format!("{name}=; Path=/; SameSite=Lax; Max-Age=0")
}

/// Sets the cookies of a handshake whose signature holds, and comes back without it.
async fn accept_handshake(sample: &SampleApp, jwt: &str) -> Result<Response, String> {
    let mut response = redirect("/");
    if let Ok(token) = sample.verify(jwt).await? {
        let directives = token.claims["handshake"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let ours = directives.filter(|directive| sample.may_set(directive)).map(str::to_owned);
        cookies::append(response.headers_mut(), ours);
    }
    cookies::append(response.headers_mut(), [expired(HANDSHAKE)]);
    Ok(response)
}

/// The address the user chose as the first, else any.
fn primary_email(user: &Value) -> &str {
    let addresses = user["email_addresses"].as_array().map(Vec::as_slice).unwrap_or_default();
    let primary = addresses.iter().find(|address| address["id"] == user["primary_email_address_id"]);
    primary.or(addresses.first()).and_then(|address| address["email_address"].as_str()).unwrap_or_default()
}

async fn show(sample: &SampleApp, token: &VerifiedToken) -> Result<Response, String> {
    let claims = &token.claims;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let user = sample.fetch(&format!("{}/v1/users/{}", sample.public_url, text(&claims["sub"])), true).await?;
    let organization = match claims["o"]["id"].as_str() {
        Some(id) => {
            let found = sample.fetch(&format!("{}/v1/organizations/{id}", sample.public_url), true).await?;
            Some((text(&found["name"]), id.to_owned()))
        }
        None => None,
    };
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
    let email = primary_email(&user).to_owned();
    let is_watched = COMPANIES
        .iter()
        .any(|company| company.kind.is_watched() && company.people.iter().any(|person| person.email(company) == email));
    let name = full_name(&text(&user["first_name"]), &text(&user["last_name"]));
    let page = SignedInPage {
        name: if name.is_empty() { email.clone() } else { name },
        email,
        organization,
        role: text(&claims["o"]["rol"]),
        header: pretty(&token.header),
        claims: pretty(claims),
        kid: text(&token.header["kid"]),
        jwks_url: sample.jwks_url(),
        sign_out_url: sample.and_back("/sign-out"),
        is_watched,
        idp: sample.idp.clone(),
        time: check_time(&sample.app.config),
    };
    Ok(render(StatusCode::OK, &page))
}

#[cfg(test)]
mod tests;
