//! `/v1/organization_roles`

use super::short_list::{Entry, cut};
use super::wire::role::role;
use super::wire::{Deleted, deleted};
use crate::app::App;
use crate::flows::Refusal;
use crate::flows::roles::{self as flow, NewRole, RoleChange};
use crate::http::pagination::list as wire_list;
use crate::http::{ApiError, Field, Params, Path, Query};
use axum::Json;
use axum::extract::State;
use doorward_model::{PermissionId, Role, RoleId};
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

fn permissions(params: &Params) -> Result<Option<Vec<PermissionId>>, Refusal> {
    let ids = params.texts("permissions")?.value();
    Ok(ids.map(|ids| ids.into_iter().map(PermissionId::from).collect()))
}

/// Makes a role.
pub async fn create(State(app): State<Arc<App>>, params: Params) -> Result<Json<Value>, ApiError> {
    let new = NewRole {
        name: params.required_text("name")?,
        key: params.required_text("key")?,
        description: params.text("description")?.value(),
        permissions: permissions(&params)?.unwrap_or_default(),
        include_in_initial_role_set: params.bool("include_in_initial_role_set")?.value().unwrap_or(false),
    };
    Ok(Json(role(&flow::create(&app, new).await?)))
}

/// Changes a role.
pub async fn update(
    State(app): State<Arc<App>>,
    Path(id): Path<RoleId>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let change = RoleChange {
        name: params.text("name")?.value(),
        key: params.text("key")?.value(),
        description: match params.text("description")? {
            Field::Absent => None,
            Field::Null => Some(None),
            Field::Value(text) => Some(Some(text)),
        },
        permissions: permissions(&params)?,
    };
    Ok(Json(role(&flow::update(&app, &id, change).await?)))
}

/// Deletes a role.
pub async fn delete(State(app): State<Arc<App>>, Path(id): Path<RoleId>) -> Result<Json<Deleted>, ApiError> {
    flow::delete(&app, &id).await?;
    Ok(deleted("role", id.as_str()))
}

/// Gives a role a permission.
pub async fn assign_permission(
    State(app): State<Arc<App>>,
    Path((id, permission)): Path<(RoleId, PermissionId)>,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(role(&flow::assign_permission(&app, &id, &permission).await?)))
}

/// Takes a permission from a role.
pub async fn remove_permission(
    State(app): State<Arc<App>>,
    Path((id, permission)): Path<(RoleId, PermissionId)>,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(role(&flow::remove_permission(&app, &id, &permission).await?)))
}

#[cfg(test)]
mod tests;
