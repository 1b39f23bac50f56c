//! `/v1/organization_permissions`

use super::short_list::{Entry, cut};
use super::wire::role::permission;
use super::wire::{Deleted, deleted};
use crate::app::App;
use crate::flows::Refusal;
use crate::flows::roles::{self as flow, NewPermission, PermissionPatch};
use crate::http::pagination::list as wire_list;
use crate::http::{ApiError, Params, Path, Query};
use axum::Json;
use axum::extract::State;
use doorward_model::{Permission, PermissionId};
use doorward_store::roles;
use serde_json::Value;
use std::sync::Arc;

/// The permissions of the instance.
pub async fn list(State(app): State<Arc<App>>, query: Query) -> Result<Json<Value>, ApiError> {
    let all = roles::permissions(&mut app.store.read().await?).await?;
    let entry: fn(&Permission) -> Entry<'_> = |permission| Entry {
        id: permission.id.as_str(),
        key: &permission.key,
        name: &permission.name,
        created_at: permission.created_at,
    };
    let (found, total) = cut(all, &query, entry)?;
    Ok(Json(wire_list(found.iter().map(permission).collect(), total)))
}

/// One permission.
pub async fn get(State(app): State<Arc<App>>, Path(id): Path<PermissionId>) -> Result<Json<Value>, ApiError> {
    let all = roles::permissions(&mut app.store.read().await?).await?;
    match all.iter().find(|permission| permission.id == id) {
        Some(found) => Ok(Json(permission(found))),
        None => Err(Refusal::NotFound { what: "permission", id: id.to_string() }.into()),
    }
}

/// Makes a permission.
pub async fn create(State(app): State<Arc<App>>, params: Params) -> Result<Json<Value>, ApiError> {
    let new = NewPermission {
        name: params.required_text("name")?,
        key: params.required_text("key")?,
        description: params.text("description")?.value().unwrap_or_default(),
    };
    Ok(Json(permission(&flow::create_permission(&app, new).await?)))
}

/// Changes a permission.
pub async fn update(
    State(app): State<Arc<App>>,
    Path(id): Path<PermissionId>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let change = PermissionPatch {
        name: params.text("name")?.value(),
        key: params.text("key")?.value(),
        description: params.text("description")?.value(),
    };
    Ok(Json(permission(&flow::update_permission(&app, &id, change).await?)))
}

/// Deletes a permission.
pub async fn delete(State(app): State<Arc<App>>, Path(id): Path<PermissionId>) -> Result<Json<Deleted>, ApiError> {
    flow::delete_permission(&app, &id).await?;
    Ok(deleted("permission", id.as_str()))
}
