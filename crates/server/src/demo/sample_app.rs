//! A small application without any SDK: how a server-rendered product uses Doorward.
//!
//! 1. A browser without a fresh `__session` cookie, but with `__client_uat`, is sent to the handshake.
//! 2. It comes back with `__clerk_handshake`, a signed list of cookies. The application checks the signature, sets them,
//!    and has a session token.
//! 3. The token is verified with the published keys; who the ids in it are is asked at the Backend API.

use crate::app::App;
use crate::demo::token::{TokenError, VerifiedToken, check_party, verify};
use crate::http::cookies;
use crate::pages::{render, see_other};
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::Value;
use std::sync::Arc;

const HANDSHAKE: &str = "__clerk_handshake";
const ROUNDS: &str = "__clerk_redirect_count";
/// Rounds through the handshake before the application gives up.
const MAX_ROUNDS: u32 = 3;

struct SampleApp {
    /// For the clock only; everything else comes over HTTP, as it would to an application on another machine.
    app: Arc<App>,
    client: reqwest::Client,
    origin: String,
    public_url: String,
    issuer: String,
    secret_key: String,
}

/// The application.
pub fn router(app: Arc<App>, origin: String, secret_key: String) -> Router {
    let (public_url, issuer) = (app.config.public_url.clone(), app.config.issuer());
    let client = reqwest::Client::builder().no_proxy().build().unwrap_or_default();
    let sample = SampleApp { app, client, origin, public_url, issuer, secret_key };
    Router::new()
        .route("/", get(home))
        .route("/assets/style.css", get(crate::pages::style))
        .with_state(Arc::new(sample))
}

#[derive(Template)]
#[template(path = "demo/app_signed_out.html")]
struct SignedOutPage {
    sign_in_url: String,
    notice: Option<String>,
}

#[derive(Template)]
#[template(path = "demo/app_signed_in.html")]
struct SignedInPage {
    name: String,
    email: String,
    organization: Option<(String, String)>,
    role: String,
    header: String,
    claims: String,
    kid: String,
    jwks_url: String,
    sign_out_url: String,
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

    fn verify(&self, jwt: &str, jwks: &Value) -> Result<VerifiedToken, TokenError> {
        verify(jwt, jwks, &self.issuer, self.app.now() / 1000)
    }

    fn signed_out(&self, notice: Option<String>) -> Response {
        let encoded: String = url::form_urlencoded::byte_serialize(format!("{}/", self.origin).as_bytes()).collect();
        let page = SignedOutPage { sign_in_url: format!("{}/sign-in?redirect_url={encoded}", self.public_url), notice };
        render(StatusCode::OK, &page)
    }
}

async fn home(State(sample): State<Arc<SampleApp>>, headers: HeaderMap) -> Response {
    match answer(&sample, &headers).await {
        Ok(response) => response,
        Err(reason) => sample.signed_out(Some(format!("Doorward could not be asked: {reason}"))),
    }
}

async fn answer(sample: &SampleApp, headers: &HeaderMap) -> Result<Response, String> {
    let is_signed_in_there =
        cookies::get(headers, "__client_uat").is_some_and(|value| value != "0" && !value.is_empty());
    let handshake = cookies::get(headers, HANDSHAKE).filter(|value| !value.is_empty());
    let session = cookies::get(headers, "__session").filter(|value| !value.is_empty());
    if handshake.is_none() && !is_signed_in_there {
        return Ok(sample.signed_out(None));
    }
    let jwks = sample.fetch(&sample.jwks_url(), false).await?;
    if let Some(handshake) = handshake {
        return Ok(accept_handshake(sample, handshake, &jwks));
    }
    let verified = session.ok_or(TokenError::Expired).and_then(|jwt| {
        let token = sample.verify(jwt, &jwks)?;
        check_party(&token, &sample.origin).map(|()| token)
    });
    match verified {
        Ok(token) => show(sample, &token).await,
        Err(reason) => Ok(begin_handshake(sample, headers, &reason)),
    }
}

/// Sends the browser to fetch a token, unless it goes round in circles.
fn begin_handshake(sample: &SampleApp, headers: &HeaderMap, reason: &TokenError) -> Response {
    let rounds: u32 = cookies::get(headers, ROUNDS).and_then(|text| text.parse().ok()).unwrap_or(0);
    if rounds >= MAX_ROUNDS {
        return sample.signed_out(Some(format!("No usable session token was to be had: {reason}.")));
    }
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("redirect_url", &format!("{}/", sample.origin))
        .append_pair("__clerk_api_version", "2026-05-12")
        .append_pair("suffixed_cookies", "false")
        .append_pair("__clerk_hs_reason", "session-token-missing-or-expired")
        .finish();
    let location = format!("{}/v1/client/handshake?{query}", sample.public_url);
    let Ok(location) = HeaderValue::from_str(&location) else { return sample.signed_out(None) };
    let mut response = (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location)]).into_response();
    let count = format!("{ROUNDS}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age=2", rounds + 1);
    cookies::append(response.headers_mut(), [count]);
    response
}

/// Sets the cookies of a handshake whose signature holds, and comes back without it.
fn accept_handshake(sample: &SampleApp, jwt: &str, jwks: &Value) -> Response {
    let clear = format!("{HANDSHAKE}=; Path=/; Max-Age=0");
    let mut response = see_other("/");
    if let Ok(token) = sample.verify(jwt, jwks) {
        let directives = token.claims["handshake"].as_array().into_iter().flatten();
        cookies::append(response.headers_mut(), directives.filter_map(Value::as_str).map(str::to_owned));
    }
    cookies::append(response.headers_mut(), [clear]);
    response
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
    let encoded: String = url::form_urlencoded::byte_serialize(format!("{}/", sample.origin).as_bytes()).collect();
    let page = SignedInPage {
        name: format!("{} {}", text(&user["first_name"]), text(&user["last_name"])).trim().to_owned(),
        email: text(&user["email_addresses"][0]["email_address"]),
        organization,
        role: text(&claims["o"]["rol"]),
        header: pretty(&token.header),
        claims: pretty(claims),
        kid: text(&token.header["kid"]),
        jwks_url: sample.jwks_url(),
        sign_out_url: format!("{}/sign-out?redirect_url={encoded}", sample.public_url),
    };
    Ok(render(StatusCode::OK, &page))
}
