//! `/v1/organizations`: what signed-in people do with organizations.

use crate::app::App;
use crate::flows::member_organizations::{self as flow, Caller};
use crate::frontend_api::reply;
use crate::frontend_api::visit::Visit;
use crate::frontend_api::wire::organization::organization;
use crate::http::json::object;
use crate::http::{ApiError, Params, Path};
use axum::extract::State;
use axum::response::Response;
use doorward_model::OrganizationId;
use std::sync::Arc;

/// Makes an organization (ORG-9). A form without a slug may send an empty one.
pub async fn create(State(app): State<Arc<App>>, visit: Visit, params: Params) -> Result<Response, ApiError> {
    // Strangers are told that they are, not what is missing.
    Caller::load(&mut app.store.read().await?, visit.claimed(), app.now()).await?;
    let name = params.required_text("name")?;
    let slug = params.text("slug")?.value().filter(|slug| !slug.is_empty());
    let (client, view) = flow::create(&app, visit.claimed(), &name, slug.as_deref()).await?;
    reply::with_known_client(&app, &visit, client, organization(&view.organization)).await
}

/// One of the caller's organizations.
pub async fn get(
    State(app): State<Arc<App>>,
    visit: Visit,
    Path(id): Path<OrganizationId>,
) -> Result<Response, ApiError> {
    let mut tx = app.store.read().await?;
    let caller = Caller::load(&mut tx, visit.claimed(), app.now()).await?;
    Ok(reply::only(organization(&caller.own(&mut tx, &id).await?)))
}

/// Changes name and slug.
pub async fn update(
    State(app): State<Arc<App>>,
    visit: Visit,
    Path(id): Path<OrganizationId>,
    params: Params,
) -> Result<Response, ApiError> {
    // Strangers are told that they are, not what is missing.
    Caller::load(&mut app.store.read().await?, visit.claimed(), app.now()).await?;
    let (name, slug) = (params.text("name")?.value(), params.text("slug")?.value());
    let (client, view) = flow::update(&app, visit.claimed(), &id, name, slug).await?;
    reply::with_known_client(&app, &visit, client, organization(&view.organization)).await
}

/// Deletes an organization.
pub async fn delete(
    State(app): State<Arc<App>>,
    visit: Visit,
    Path(id): Path<OrganizationId>,
) -> Result<Response, ApiError> {
    let (client, gone) = flow::delete(&app, visit.claimed(), &id).await?;
    let deleted = object! { object: "organization", id: &gone.id, slug: &gone.slug, deleted: true };
    reply::with_known_client(&app, &visit, client, deleted).await
}
