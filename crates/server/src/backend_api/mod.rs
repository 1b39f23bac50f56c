//! The Backend API: JSON, authenticated by the secret key. One file per resource; `wire/` holds what goes over the line.

mod jwks;

use crate::app::App;
use crate::flows::Refusal;
use crate::http::{ApiError, origin};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use std::sync::Arc;

/// All operations. Authentication comes before anything else of a known route, so nothing is learnt without a key.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/v1/jwks", get(jwks::get))
        .method_not_allowed_fallback(async || ApiError::from(Refusal::MethodNotAllowed).into_response())
        .route_layer(middleware::from_fn_with_state(app.clone(), authenticate))
        .fallback(async || ApiError::from(Refusal::RouteNotFound).into_response())
        .with_state(app)
}

/// Whether a request is one of the Backend API's (DECISIONS "Wire" 1).
pub fn is_addressed(headers: &HeaderMap) -> bool {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    authorization.is_some_and(|value| value.starts_with("Bearer sk_"))
}

async fn authenticate(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match check_key(&app, request.headers()).await {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

async fn check_key(app: &Arc<App>, headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(authorization) = headers.get(header::AUTHORIZATION) else {
        return Err(Refusal::AuthenticationMissing.into());
    };
    let key = authorization.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
    let Some(key) = key.filter(|key| key.starts_with("sk_")) else {
        return Err(Refusal::AuthorizationFormat.into());
    };
    // A page of another site must not be able to use a key that leaked into a browser.
    if headers.contains_key(header::ORIGIN) {
        return Err(Refusal::OriginConflict.into());
    }
    if origin::is_secret_key(app, key).await? { Ok(()) } else { Err(Refusal::SecretKeyInvalid.into()) }
}
