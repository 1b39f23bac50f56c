//! `/v1/sso`: an extension; see `docs/API.md`.

use super::wire::explanation::explanation;
use crate::app::App;
use crate::flows::{Refusal, explain as flow};
use crate::http::{ApiError, Params};
use axum::Json;
use axum::extract::State;
use doorward_model::Email;
use serde_json::Value;
use std::sync::Arc;

/// What would happen if somebody signed in with an address now.
pub async fn explain(State(app): State<Arc<App>>, params: Params) -> Result<Json<Value>, ApiError> {
    let text = params.required_text("email")?;
    let format = |_| Refusal::ParamFormat { param: "email".into(), reason: "must be a valid email address".into() };
    let email = Email::parse(&text).map_err(format)?;
    Ok(Json(explanation(&flow::explain(&mut app.store.read().await?, email).await?)))
}
