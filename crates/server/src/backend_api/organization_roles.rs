//! `/v1/organization_roles`

use super::short_list::{Entry, cut};
use super::wire::role::role;
use crate::app::App;
use crate::flows::Refusal;
use crate::http::pagination::list as wire_list;
use crate::http::{ApiError, Path, Query};
use axum::Json;
use axum::extract::State;
use doorward_model::{Role, RoleId};
use doorward_store::roles;
use serde_json::Value;
use std::sync::Arc;

/// The roles of the instance.
pub async fn list(State(app): State<Arc<App>>, query: Query) -> Result<Json<Value>, ApiError> {
    let all = roles::roles(&mut app.store.read().await?).await?;
    let entry: fn(&Role) -> Entry<'_> =
        |role| Entry { id: role.id.as_str(), key: &role.key, name: &role.name, created_at: role.created_at };
    let (found, total) = cut(all, &query, entry)?;
    Ok(Json(wire_list(found.iter().map(role).collect(), total)))
}

/// One role.
pub async fn get(State(app): State<Arc<App>>, Path(id): Path<RoleId>) -> Result<Json<Value>, ApiError> {
    let all = roles::roles(&mut app.store.read().await?).await?;
    match all.iter().find(|role| role.id == id) {
        Some(found) => Ok(Json(role(found))),
        None => Err(Refusal::NotFound { what: "role", id: id.to_string() }.into()),
    }
}
