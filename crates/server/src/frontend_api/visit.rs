//! Who calls: the checked site and the cookie a request came with.

use crate::app::App;
use crate::flows::clients::ClientCookie;
use crate::flows::member_organizations::Claimed;
use crate::flows::sign_in::trip::TripUrls;
use crate::flows::{FlowError, Refusal, redirects};
use crate::http::origin::{self, Caller};
use crate::http::{ApiError, Params, Query, cookies};
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use doorward_model::SessionId;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// A request of a page.
#[derive(Clone, Debug)]
pub struct Visit {
    pub caller: Caller,
    pub cookie: Option<ClientCookie>,
    /// The caller's network address, for limits.
    pub address: Option<IpAddr>,
    /// The session the page acts for (`_clerk_session_id`).
    pub session_id: Option<SessionId>,
}

impl Visit {
    /// What the request says of who sends it.
    pub fn claimed(&self) -> Claimed<'_> {
        Claimed { cookie: self.cookie.as_ref(), session_id: self.session_id.as_ref() }
    }
}

/// The cookie of a request.
pub fn cookie(headers: &HeaderMap) -> Option<ClientCookie> {
    cookies::client(headers).map(|(id, secret)| ClientCookie { id, secret: secret.to_owned() })
}

/// The address of the connection, or behind a trusted reverse proxy the last one that proxy saw.
pub fn address(app: &App, request: &Request) -> Option<IpAddr> {
    if app.config.trust_forwarded_for {
        // The last line and the last entry in it are the proxy's own; those before are whatever the caller wrote.
        let last =
            request.headers().get_all("x-forwarded-for").iter().next_back().and_then(|value| value.to_str().ok());
        let entry = last.and_then(|list| list.rsplit(',').next()).unwrap_or_default().trim();
        let with_port = entry.parse::<SocketAddr>().map(|address| address.ip());
        if let Ok(address) = entry.parse().or(with_port) {
            return Some(address);
        }
    }
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip())
}

/// Identifies the caller before any handler runs, and lets allowed pages of other origins read the answer.
pub async fn middleware(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let caller = match origin::identify(&app, request.method(), request.headers()).await {
        Ok(caller) => caller,
        Err(error) => return error.into_response(),
    };
    let cross_origin = caller.cross_origin.clone();
    let query = Query::parse(request.uri().query().unwrap_or_default());
    let session_id = query.text("_clerk_session_id").map(SessionId::from);
    let cookie = cookie(request.headers());
    let address = address(&app, &request);
    let is_preflight = request.method() == Method::OPTIONS;
    request.extensions_mut().insert(Visit { caller, cookie, address, session_id });
    let mut response = if is_preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    share(response.headers_mut(), cross_origin.as_deref(), is_preflight);
    response
}

fn share(headers: &mut HeaderMap, origin: Option<&str>, is_preflight: bool) {
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let Some(Ok(origin)) = origin.map(HeaderValue::from_str) else { return };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    let exposed = HeaderValue::from_static("Authorization, Clerk-Db-Jwt, X-Country, Retry-After");
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    if is_preflight {
        let methods = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Content-Type, Authorization"));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let visit = parts.extensions.get::<Self>().cloned();
        visit.ok_or_else(|| ApiError::internal("a handler runs without its middleware"))
    }
}

/// The two URLs of a trip, checked; `None` when the request names none.
pub async fn trip_urls(app: &App, params: &Params, caller: &Caller) -> Result<Option<TripUrls>, FlowError> {
    let redirect_url = params.long_text("redirect_url", 4096)?.value();
    let complete = params.long_text("action_complete_redirect_url", 4096)?.value();
    let Some(redirect_url) = redirect_url else {
        return match complete {
            Some(_) => Err(Refusal::ParamMissing { param: "redirect_url" }.into()),
            None => Ok(None),
        };
    };
    let action_complete_redirect_url = complete.unwrap_or_else(|| redirect_url.clone());
    redirects::allowed(app, &redirect_url, &caller.base_url).await?;
    redirects::allowed(app, &action_complete_redirect_url, &caller.base_url).await?;
    Ok(Some(TripUrls { redirect_url, action_complete_redirect_url, base_url: caller.base_url.clone() }))
}
