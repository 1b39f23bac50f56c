//! `GET /v1/jwks`: the keys that verify session tokens.

use crate::app::App;
use axum::Json;
use axum::extract::State;
use serde_json::Value;
use std::sync::Arc;

/// The JSON Web Key Set (TOK-8).
pub async fn get(State(app): State<Arc<App>>) -> Json<Value> {
    Json(app.signing_keys.jwks())
}
