//! `GET /v1/client/handshake`: brings a session to a server-rendered application (TOK-14).
//!
//! The application's server saw a browser without a fresh `__session` cookie and sent it here. The answer sends it back
//! with a signed list of cookies, which that server checks with the published keys and sets on its own host.

use crate::app::App;
use crate::flows::browser_sessions::ViewToken;
use crate::flows::{Refusal, browser_sessions, clients as browsers, deprovision, redirects};
use crate::frontend_api::visit::cookie;
use crate::http::{ApiError, Query, cookies, origin};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use doorward_model::{Session, SessionStatus};
use doorward_store::sessions;
use serde_json::json;
use std::sync::Arc;
use url::Url;

const COOKIE: &str = "__clerk_handshake";

/// Answers 307 to `redirect_url` with the handshake.
pub async fn get(State(app): State<Arc<App>>, query: Query, headers: HeaderMap) -> Result<Response, ApiError> {
    let caller = origin::identify(&app, &Method::GET, &headers).await?;
    let redirect_url = query.text("redirect_url").unwrap_or_default();
    redirects::allowed_origin(&app, redirect_url, &caller.base_url).await?;
    let redirect_url = Url::parse(redirect_url).map_err(|_| Refusal::RedirectUrlInvalid)?;
    let azp = Some(redirect_url.origin().ascii_serialization());
    let (token, signed_in_at) = session_token(&app, &headers, azp).await?;
    let suffix = cookies::suffix(&app.config.publishable_key);
    let secure = if redirect_url.scheme() == "https" { "; Secure" } else { "" };
    let mut directives = Vec::new();
    for name in ["__session".to_owned(), format!("__session_{suffix}")] {
        directives.push(match &token {
            Some(jwt) => format!("{name}={jwt}; Path=/; SameSite=Lax{secure}"),
            None => format!("{name}=; Path=/; SameSite=Lax; Max-Age=0{secure}"),
        });
    }
    let seconds = signed_in_at.map_or(0, |at| at / 1000);
    for name in ["__client_uat".to_owned(), format!("__client_uat_{suffix}")] {
        directives.push(format!("{name}={seconds}; Path=/; SameSite=Lax{secure}"));
    }
    let now = app.now() / 1000;
    let claims = json!({"handshake": directives, "iss": app.config.issuer(), "iat": now, "nbf": now, "exp": now + 60});
    let handshake = app.signing_keys.sign(&claims).map_err(|error| ApiError::internal(&error.to_string()))?;
    deliver(&app, redirect_url, &handshake)
}

/// By cookie where the application shares our site, else in the query.
fn deliver(app: &App, redirect_url: Url, handshake: &str) -> Result<Response, ApiError> {
    let domain = app.config.cookie_domain();
    let host = redirect_url.host_str().unwrap_or_default().to_owned();
    let own_host = app.config.host.split(':').next().unwrap_or_default();
    let shares_domain = domain.as_ref().is_some_and(|name| host == *name || host.ends_with(&format!(".{name}")));
    let is_same_site = host == own_host || shares_domain;
    let mut target = redirect_url;
    let mut lines = Vec::new();
    if is_same_site {
        let secure = if target.scheme() == "https" { "; Secure" } else { "" };
        let domain = domain.map_or(String::new(), |name| format!("; Domain={name}"));
        lines.push(format!("{COOKIE}={handshake}; Path=/; SameSite=Lax; Max-Age=60; HttpOnly{domain}{secure}"));
    } else {
        target.query_pairs_mut().append_pair(COOKIE, handshake);
    }
    let location = HeaderValue::from_str(target.as_str());
    let location = location.map_err(|_| ApiError::internal("a redirect URL that is no header value"))?;
    let headers = [(header::LOCATION, location), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    let mut response = (StatusCode::TEMPORARY_REDIRECT, headers).into_response();
    cookies::append(response.headers_mut(), lines);
    Ok(response)
}

/// A token of the session in focus, and when it began.
async fn session_token(
    app: &Arc<App>,
    headers: &HeaderMap,
    azp: Option<String>,
) -> Result<(Option<String>, Option<i64>), ApiError> {
    let (mut session, mut token) = focused(app, headers, azp.clone()).await?;
    if let (Some(unconfirmed), ViewToken::Unconfirmed) = (&session, &token) {
        deprovision::confirm(app, &unconfirmed.user_id).await?;
        (session, token) = focused(app, headers, azp).await?;
    }
    let token = token.minted();
    Ok((token.clone(), session.filter(|_| token.is_some()).map(|session| session.created_at)))
}

/// The session in focus with its token.
async fn focused(
    app: &App,
    headers: &HeaderMap,
    azp: Option<String>,
) -> Result<(Option<Session>, ViewToken), ApiError> {
    let nobody = (None, ViewToken::None);
    let mut tx = app.store.read().await?;
    let Some(client) = browsers::find(&mut tx, cookie(headers).as_ref()).await? else { return Ok(nobody) };
    let Some(id) = &client.last_active_session_id else { return Ok(nobody) };
    let session = sessions::by_id(&mut tx, id).await?;
    let Some(session) = session.filter(|session| session.status_at(app.now()) == SessionStatus::Active) else {
        return Ok(nobody);
    };
    let token = browser_sessions::token_for_view(app, &mut tx, &session, azp).await?;
    Ok((Some(session), token))
}
