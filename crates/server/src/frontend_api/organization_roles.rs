//! `/v1/organizations/{id}/roles`

use crate::app::App;
use crate::flows::member_organizations::Caller;
use crate::frontend_api::reply;
use crate::frontend_api::visit::Visit;
use crate::frontend_api::wire::role::role;
use crate::http::json::object;
use crate::http::{ApiError, Path, Query, pagination};
use axum::extract::State;
use axum::response::Response;
use doorward_model::OrganizationId;
use doorward_store::roles as store;
use std::sync::Arc;

/// The roles that the organization's members may hold, in the order of its role set (ROL-13).
pub async fn list(
    State(app): State<Arc<App>>,
    visit: Visit,
    Path(id): Path<OrganizationId>,
    query: Query,
) -> Result<Response, ApiError> {
    let page = pagination::page(&query)?;
    let mut tx = app.store.read().await?;
    let caller = Caller::load(&mut tx, visit.claimed(), app.now()).await?;
    let organization = caller.with_visible_members(&mut tx, &id).await?;
    let ids = store::role_set_roles(&mut tx, &organization.role_set_id).await?;
    let roles = store::roles(&mut tx).await?;
    let of_set: Vec<_> = ids.iter().filter_map(|id| roles.iter().find(|role| role.id == *id)).map(role).collect();
    let (from, limit) = (usize::try_from(page.offset).unwrap_or(usize::MAX), usize::try_from(page.limit).unwrap_or(0));
    let total_count = of_set.len();
    let data: Vec<_> = of_set.into_iter().skip(from).take(limit).collect();
    // Roles of a set are never reassigned in the background here.
    Ok(reply::only(object! { data: data, total_count: total_count, has_role_set_migration: false }))
}
