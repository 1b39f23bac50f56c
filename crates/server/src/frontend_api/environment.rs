//! `GET /v1/environment`

use crate::app::App;
use crate::frontend_api::wire::environment::environment;
use crate::http::ApiError;
use axum::Json;
use axum::extract::State;
use doorward_store::roles;
use serde_json::Value;
use std::sync::Arc;

/// What the pages need to know of the instance. Not wrapped: the one resource without an envelope.
pub async fn get(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    let instance = app.instance().await?;
    let mut tx = app.store.read().await?;
    let set = roles::initial_role_set(&mut tx).await?;
    let all = app.roles(&mut tx, [&set.creator_role_id, &set.default_role_id]).await?;
    let role = |id| {
        all.iter().find(|role| role.id == id).ok_or_else(|| ApiError::internal("a role of the initial set is gone"))
    };
    Ok(Json(environment(
        &app.config,
        &instance,
        role(set.creator_role_id.clone())?,
        role(set.default_role_id.clone())?,
    )))
}
