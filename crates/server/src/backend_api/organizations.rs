//! `/v1/organizations`

use super::wire::organization::{Extras, organization};
use super::wire::{Deleted, deleted};
use crate::app::App;
use crate::flows::organizations::{
    self as flow, MetadataChange, MetadataMode, NewOrganization, OrganizationChange, OrganizationView,
};
use crate::flows::{FlowError, Refusal};
use crate::http::pagination::{list as wire_list, order, page, selection};
use crate::http::{ApiError, Params, Path, Query};
use axum::Json;
use axum::extract::State;
use doorward_model::{OrganizationId, RoleSetId, UserId};
use doorward_store::organizations::{ListFilter, Order};
use doorward_store::{Direction, Tx, organizations as store, roles};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// What a list can be ordered by.
const ORDERS: &[(&str, Order)] =
    &[("name", Order::Name), ("created_at", Order::CreatedAt), ("members_count", Order::MembersCount)];

/// Keys of all role sets, by id.
pub(super) async fn role_set_keys(tx: &mut Tx) -> Result<HashMap<RoleSetId, String>, ApiError> {
    Ok(roles::role_sets(tx).await?.into_iter().map(|set| (set.id, set.key)).collect())
}

/// What of an organization is asked for beyond itself.
#[derive(Clone, Copy)]
struct Wanted {
    members_count: bool,
    missing_member: bool,
}

impl Wanted {
    fn parse(query: &Query) -> Result<Self, Refusal> {
        Ok(Self {
            members_count: query.bool("include_members_count")?.unwrap_or(false),
            missing_member: query.bool("include_missing_member_with_elevated_permissions")?.unwrap_or(false),
        })
    }

    async fn extras(self, tx: &mut Tx, id: &OrganizationId) -> Result<Extras, FlowError> {
        let missing = if self.missing_member { Some(flow::lacks_elevated_member(tx, id).await?) } else { None };
        Ok(Extras { members_count: self.members_count, missing_member_with_elevated_permissions: missing })
    }
}

fn shown(view: &OrganizationView) -> Json<Value> {
    Json(organization(&view.organization, Some(&view.role_set_key), Extras::default()))
}

/// The organizations, page by page (ORG-22).
pub async fn list(State(app): State<Arc<App>>, query: Query) -> Result<Json<Value>, ApiError> {
    let wanted = Wanted::parse(&query)?;
    let filter = ListFilter {
        query: query.text("query").map(str::to_owned),
        user_id: selection(&query, "user_id")?,
        organization_id: selection(&query, "organization_id")?,
    };
    let order = order(&query, ORDERS, (Order::CreatedAt, Direction::Descending))?;
    let page = page(&query)?;
    let mut tx = app.store.read().await?;
    let keys = role_set_keys(&mut tx).await?;
    let mut data = Vec::new();
    for found in store::list(&mut tx, &filter, order, page).await? {
        let extras = wanted.extras(&mut tx, &found.id).await?;
        data.push(organization(&found, keys.get(&found.role_set_id).map(String::as_str), extras));
    }
    Ok(Json(wire_list(data, store::count(&mut tx, &filter).await?)))
}

/// Makes an organization.
pub async fn create(State(app): State<Arc<App>>, params: Params) -> Result<Json<Value>, ApiError> {
    let new = NewOrganization {
        name: params.required_text("name")?,
        slug: params.text("slug")?.value(),
        created_by: params.text("created_by")?.value().filter(|id| !id.is_empty()).map(UserId::from),
        max_allowed_memberships: seats(&params)?,
        public_metadata: params.object("public_metadata")?.value().unwrap_or_default(),
        private_metadata: params.object("private_metadata")?.value().unwrap_or_default(),
        role_set_key: params.text("role_set_key")?.value(),
        created_at: params.time("created_at")?.value(),
    };
    Ok(shown(&flow::create(&app, new).await?))
}

fn seats(params: &Params) -> Result<Option<i64>, Refusal> {
    Ok(params.int("max_allowed_memberships", 0..=i64::from(i32::MAX))?.value())
}

/// One organization, by id or slug (ORG-7).
pub async fn get(
    State(app): State<Arc<App>>,
    Path(id_or_slug): Path<String>,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    let wanted = Wanted::parse(&query)?;
    let mut tx = app.store.read().await?;
    let found = match store::by_id(&mut tx, &OrganizationId::from(id_or_slug.as_str())).await? {
        Some(found) => Some(found),
        None => store::by_slug(&mut tx, &id_or_slug).await?,
    };
    let found = found.ok_or(Refusal::NotFound { what: "organization", id: id_or_slug })?;
    let extras = wanted.extras(&mut tx, &found.id).await?;
    let view = OrganizationView::load(&mut tx, found).await?;
    Ok(Json(organization(&view.organization, Some(&view.role_set_key), extras)))
}

/// Changes an organization. Metadata has an operation of its own (ORG-19).
pub async fn update(
    State(app): State<Arc<App>>,
    Path(id): Path<OrganizationId>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    for param in ["public_metadata", "private_metadata"] {
        if params.has(param) {
            return Err(Refusal::ParamDeprecated { param, instead: "PATCH or PUT /organizations/{id}/metadata" }.into());
        }
    }
    let change = OrganizationChange {
        name: params.text("name")?.value(),
        slug: params.text("slug")?.value(),
        max_allowed_memberships: seats(&params)?,
        admin_delete_enabled: params.bool("admin_delete_enabled")?.value(),
        role_set_key: params.text("role_set_key")?.value(),
        created_at: params.time("created_at")?.value(),
    };
    Ok(shown(&flow::update(&app, &id, change).await?))
}

/// Deletes an organization.
pub async fn delete(State(app): State<Arc<App>>, Path(id): Path<OrganizationId>) -> Result<Json<Deleted>, ApiError> {
    flow::delete(&app, &id).await?;
    Ok(deleted("organization", id.as_str()))
}

/// A change of metadata as it is sent for organizations and for memberships.
pub(super) fn metadata_change(params: &Params, mode: MetadataMode) -> Result<MetadataChange, Refusal> {
    Ok(MetadataChange {
        mode,
        public_metadata: params.object("public_metadata")?.value(),
        private_metadata: params.object("private_metadata")?.value(),
    })
}

/// Lays metadata over what is there.
pub async fn merge_metadata(
    State(app): State<Arc<App>>,
    Path(id): Path<OrganizationId>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let change = metadata_change(&params, MetadataMode::Merge)?;
    Ok(shown(&flow::update_metadata(&app, &id, change).await?))
}

/// Puts metadata in the place of what is there.
pub async fn replace_metadata(
    State(app): State<Arc<App>>,
    Path(id): Path<OrganizationId>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let change = metadata_change(&params, MetadataMode::Replace)?;
    Ok(shown(&flow::update_metadata(&app, &id, change).await?))
}
