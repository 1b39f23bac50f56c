//! `/v1/organizations/{id}/memberships`: members, as those of them who hold the permission see and manage them.

use crate::app::App;
use crate::flows::member_organizations::{self as flow, Caller};
use crate::flows::memberships::{Member, identifier};
use crate::frontend_api::reply;
use crate::frontend_api::visit::Visit;
use crate::frontend_api::wire::organization::membership;
use crate::frontend_api::wire::user::public_user_data;
use crate::http::json::object;
use crate::http::{ApiError, Params, Path, Query, pagination};
use axum::extract::State;
use axum::response::Response;
use doorward_model::{OrganizationId, UserId};
use doorward_store::memberships::{self as store, ListFilter, Order};
use doorward_store::{Direction, users};
use serde::Serialize;
use std::sync::Arc;

fn shown(member: &Member) -> impl Serialize {
    let Member { membership: held, role, view, user, identifier } = member;
    membership(held, &view.organization, role, public_user_data(user, identifier))
}

/// The members of an organization: a bare list, or with `paginated=true` a page and the total; newest first.
pub async fn list(
    State(app): State<Arc<App>>,
    visit: Visit,
    Path(id): Path<OrganizationId>,
    query: Query,
) -> Result<Response, ApiError> {
    let page = pagination::page(&query)?;
    let paginated = query.bool("paginated")? == Some(true);
    let role_keys = query.texts("role")?;
    let mut tx = app.store.read().await?;
    let caller = Caller::load(&mut tx, visit.claimed(), app.now()).await?;
    let organization = caller.with_visible_members(&mut tx, &id).await?;
    let roles = doorward_store::roles::roles(&mut tx).await?;
    let wanted = roles.iter().filter(|role| role_keys.contains(&role.key)).map(|role| role.id.clone());
    let filter = ListFilter {
        organization_id: Some(organization.id.clone()),
        role_id: (!role_keys.is_empty()).then(|| wanted.collect()),
        query: query.text("query").map(str::to_owned),
        ..ListFilter::default()
    };
    let found = store::list(&mut tx, &filter, (Order::CreatedAt, Direction::Descending), page).await?;
    let total = store::count(&mut tx, &filter).await?;
    let ids: Vec<&str> = found.iter().map(|(_, user)| user.id.as_str()).collect();
    let addresses = users::addresses_of_all(&mut tx, &ids).await?;
    let shown: Vec<_> = found
        .iter()
        .filter_map(|(held, user)| {
            let role = roles.iter().find(|role| role.id == held.role_id)?;
            Some(membership(held, &organization, role, public_user_data(user, identifier(user, &addresses))))
        })
        .collect();
    Ok(if paginated { reply::only(object! { data: shown, total_count: total }) } else { reply::only(shown) })
}

/// Makes a user a member.
pub async fn create(
    State(app): State<Arc<App>>,
    visit: Visit,
    Path(id): Path<OrganizationId>,
    params: Params,
) -> Result<Response, ApiError> {
    // Strangers are told that they are, not what is missing.
    Caller::load(&mut app.store.read().await?, visit.claimed(), app.now()).await?;
    let user = UserId::from(params.required_text("user_id")?);
    let role = params.required_text("role")?;
    let (client, member) = flow::add_member(&app, visit.claimed(), &id, &user, &role).await?;
    reply::with_known_client(&app, &visit, client, shown(&member)).await
}

/// Gives a member another role.
pub async fn update(
    State(app): State<Arc<App>>,
    visit: Visit,
    Path((id, user)): Path<(OrganizationId, UserId)>,
    params: Params,
) -> Result<Response, ApiError> {
    // Strangers are told that they are, not what is missing.
    Caller::load(&mut app.store.read().await?, visit.claimed(), app.now()).await?;
    let role = params.required_text("role")?;
    let (client, member) = flow::change_role(&app, visit.claimed(), &id, &user, &role).await?;
    reply::with_known_client(&app, &visit, client, shown(&member)).await
}

/// Removes a member; the answer is the membership as it was.
pub async fn delete(
    State(app): State<Arc<App>>,
    visit: Visit,
    Path((id, user)): Path<(OrganizationId, UserId)>,
) -> Result<Response, ApiError> {
    let (client, member) = flow::remove_member(&app, visit.claimed(), &id, &user).await?;
    reply::with_known_client(&app, &visit, client, shown(&member)).await
}
