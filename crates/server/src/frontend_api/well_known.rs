//! What anybody may ask: the key set and whether the server answers.

use crate::app::App;
use crate::http::ApiError;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};
use serde_json::{Value, json};
use std::sync::Arc;

/// Programs of any origin may verify tokens.
const OPEN: [(HeaderName, &str); 2] =
    [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (header::CACHE_CONTROL, "public, max-age=300")];

/// `GET /.well-known/jwks.json`
pub async fn jwks(State(app): State<Arc<App>>) -> ([(HeaderName, &'static str); 2], Json<Value>) {
    (OPEN, Json(app.signing_keys.jwks()))
}

/// `GET /v1/health`: answers only when the database does.
pub async fn health(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    let mut tx = app.store.read().await?;
    crate::app::load_instance(&mut tx).await?;
    Ok(Json(json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")})))
}
