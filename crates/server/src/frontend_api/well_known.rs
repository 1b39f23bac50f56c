//! What anybody may ask: the key set and whether the server answers.

use crate::app::App;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use doorward_store::StoreError;
use serde_json::{Value, json};
use std::sync::Arc;

/// Programs of any origin may verify tokens.
const OPEN: [(HeaderName, &str); 2] =
    [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (header::CACHE_CONTROL, "public, max-age=300")];

/// `GET /.well-known/jwks.json`
pub async fn jwks(State(app): State<Arc<App>>) -> ([(HeaderName, &'static str); 2], Json<Value>) {
    (OPEN, Json(app.signing_keys.jwks()))
}

/// `GET /v1/health`: healthy only when the database answers.
pub async fn health(State(app): State<Arc<App>>) -> Response {
    match database_answers(&app).await {
        Ok(()) => Json(json!({"status": "healthy", "version": env!("CARGO_PKG_VERSION")})).into_response(),
        Err(error) => {
            tracing::error!(reason = %error, "unhealthy");
            let body = json!({"status": "unhealthy", "message": "The database does not answer."});
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
}

async fn database_answers(app: &App) -> Result<(), StoreError> {
    let mut tx = app.store.read().await?;
    crate::app::load_instance(&mut tx).await.map(drop)
}
