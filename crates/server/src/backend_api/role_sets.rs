//! `/v1/role_sets`

use super::short_list::{Entry, cut};
use super::wire::role::role_set;
use super::wire::{Deleted, deleted};
use crate::app::App;
use crate::flows::Refusal;
use crate::flows::role_reassignment::Mappings;
use crate::flows::role_sets::{self as flow, AddedRoles, NewRoleSet, RoleSetChange, RoleSetView};
use crate::http::pagination::list as wire_list;
use crate::http::{ApiError, Field, Params, Path, Query};
use axum::Json;
use axum::extract::State;
use doorward_model::{RoleSet, RoleSetType};
use doorward_store::roles;
use serde_json::Value;
use std::sync::Arc;

/// The role sets of the instance. Members are counted only for a single one.
pub async fn list(State(app): State<Arc<App>>, query: Query) -> Result<Json<Value>, ApiError> {
    let mut tx = app.store.read().await?;
    let entry: fn(&RoleSet) -> Entry<'_> =
        |set| Entry { id: set.id.as_str(), key: &set.key, name: &set.name, created_at: set.created_at };
    let (found, total) = cut(roles::role_sets(&mut tx).await?, &query, entry)?;
    let all = roles::roles(&mut tx).await?;
    let mut data = Vec::with_capacity(found.len());
    for set in found {
        data.push(role_set(&RoleSetView::load(&mut tx, set, &all).await?));
    }
    Ok(Json(wire_list(data, total)))
}

/// Makes a role set.
pub async fn create(State(app): State<Arc<App>>, params: Params) -> Result<Json<Value>, ApiError> {
    let new = NewRoleSet {
        name: params.required_text("name")?,
        key: params.text("key")?.value(),
        description: params.text("description")?.value(),
        kind: match params.text("type")? {
            Field::Absent | Field::Null => RoleSetType::Custom,
            Field::Value(text) => RoleSetType::parse(&text).ok_or_else(|| unknown_type("must be initial or custom"))?,
        },
        default_role_key: params.required_text("default_role_key")?,
        creator_role_key: params.required_text("creator_role_key")?,
        roles: params.texts("roles")?.value().ok_or(Refusal::ParamMissing { param: "roles" })?,
    };
    Ok(Json(role_set(&flow::create(&app, new).await?)))
}

fn unknown_type(reason: &str) -> Refusal {
    Refusal::ParamInvalid { param: "type".into(), reason: reason.into() }
}

/// One role set, by key or id.
pub async fn get(State(app): State<Arc<App>>, Path(key_or_id): Path<String>) -> Result<Json<Value>, ApiError> {
    let mut tx = app.store.read().await?;
    let set = flow::by_key_or_id(&mut tx, &key_or_id).await?;
    let all = roles::roles(&mut tx).await?;
    let view = RoleSetView::load(&mut tx, set, &all).await?.counted(&mut tx).await?;
    Ok(Json(role_set(&view)))
}

/// Changes a role set. A set stops being the initial one only when another becomes it (ROL-12).
pub async fn update(
    State(app): State<Arc<App>>,
    Path(key_or_id): Path<String>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let becomes_initial = match params.text("type")?.value().as_deref() {
        None => false,
        Some("initial") => true,
        Some(_) => return Err(unknown_type("can only be set to initial").into()),
    };
    let change = RoleSetChange {
        name: params.text("name")?.value(),
        key: params.text("key")?.value(),
        description: match params.text("description")? {
            Field::Absent => None,
            Field::Null => Some(None),
            Field::Value(text) => Some(Some(text)),
        },
        becomes_initial,
        default_role_key: params.text("default_role_key")?.value(),
        creator_role_key: params.text("creator_role_key")?.value(),
    };
    Ok(Json(role_set(&flow::update(&app, &key_or_id, change).await?)))
}

/// Adds roles to a set.
pub async fn add_roles(
    State(app): State<Arc<App>>,
    Path(key_or_id): Path<String>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let added = AddedRoles {
        role_keys: params.texts("role_keys")?.value().ok_or(Refusal::ParamMissing { param: "role_keys" })?,
        default_role_key: params.text("default_role_key")?.value(),
        creator_role_key: params.text("creator_role_key")?.value(),
    };
    Ok(Json(role_set(&flow::add_roles(&app, &key_or_id, added).await?)))
}

/// Takes a role out of a set and puts another in its place.
pub async fn replace_role(
    State(app): State<Arc<App>>,
    Path(key_or_id): Path<String>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let (role_key, to_role_key) = (params.required_text("role_key")?, params.required_text("to_role_key")?);
    Ok(Json(role_set(&flow::replace_role(&app, &key_or_id, &role_key, &to_role_key).await?)))
}

/// Deletes a set and puts another in its place.
pub async fn replace(
    State(app): State<Arc<App>>,
    Path(key_or_id): Path<String>,
    params: Params,
) -> Result<Json<Deleted>, ApiError> {
    let dest = params.required_text("dest_role_set_key")?;
    let replaced = flow::replace(&app, &key_or_id, &dest, &mappings(&params)?).await?;
    Ok(deleted("role_set", replaced.as_str()))
}

/// `reassignment_mappings`: role keys by role keys.
pub(super) fn mappings(params: &Params) -> Result<Mappings, Refusal> {
    let name = "reassignment_mappings";
    let given = params.object(name)?.value().unwrap_or_default();
    let text = |(from, to): (String, Value)| match to {
        Value::String(to) => Ok((from, to)),
        _ => Err(Refusal::ParamType { param: params.name(name), expected: "an object of role keys" }),
    };
    given.into_iter().map(text).collect()
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod together;
