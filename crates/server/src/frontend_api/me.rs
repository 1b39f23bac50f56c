//! `/v1/me`: the signed-in user.

use crate::app::App;
use crate::flows::Refusal;
use crate::flows::me as flow;
use crate::flows::member_organizations::Caller;
use crate::frontend_api::reply;
use crate::frontend_api::visit::Visit;
use crate::frontend_api::wire::user::UserView;
use crate::http::json::{NULL, object};
use crate::http::{ApiError, Path, Query, pagination};
use axum::extract::State;
use axum::response::Response;
use doorward_model::{OrganizationId, User};
use doorward_store::{Tx, memberships, users};
use std::sync::Arc;

async fn user(app: &App, tx: &mut Tx, visit: &Visit) -> Result<User, ApiError> {
    let (_, session) = flow::signed_in(tx, visit.cookie.as_ref(), visit.session_id.as_ref(), app.now()).await?;
    Ok(users::by_id(tx, &session.user_id).await?.ok_or(Refusal::SignedOut)?)
}

/// The signed-in user.
pub async fn get(State(app): State<Arc<App>>, visit: Visit) -> Result<Response, ApiError> {
    let mut tx = app.store.read().await?;
    let user = user(&app, &mut tx, &visit).await?;
    Ok(reply::only(UserView::load(&app, &mut tx, user).await?.user()))
}

/// The user's memberships: a bare list, or with `paginated=true` a page and the total.
pub async fn organization_memberships(
    State(app): State<Arc<App>>,
    visit: Visit,
    query: Query,
) -> Result<Response, ApiError> {
    let page = pagination::page(&query)?;
    let paginated = query.bool("paginated")? == Some(true);
    let mut tx = app.store.read().await?;
    let user = user(&app, &mut tx, &visit).await?;
    let found = memberships::of_user(&mut tx, &user.id, page).await?;
    let total = memberships::count_of_user(&mut tx, &user.id).await?;
    let all_roles = app.roles(&mut tx, found.iter().map(|(held, _)| &held.role_id)).await?;
    let view = UserView::load(&app, &mut tx, user).await?;
    let shown: Vec<_> = found
        .iter()
        .filter_map(|(held, organization)| {
            let role = all_roles.iter().find(|role| role.id == held.role_id)?;
            Some(view.membership(held, organization, role))
        })
        .collect();
    Ok(if paginated { reply::only(object! { data: shown, total_count: total }) } else { reply::only(shown) })
}

/// What the form for a new organization begins with (ORG-25).
pub async fn organization_creation_defaults(State(app): State<Arc<App>>, visit: Visit) -> Result<Response, ApiError> {
    let mut tx = app.store.read().await?;
    let caller = Caller::load(&mut tx, visit.claimed(), app.now()).await?;
    let name = caller.suggested_name(&mut tx).await?;
    Ok(reply::only(object! { form: object! { name: name, logo: NULL }, advisory: NULL }))
}

/// Leaves an organization; refused to those who came through its connection (MEM-9).
pub async fn leave(
    State(app): State<Arc<App>>,
    visit: Visit,
    Path(organization_id): Path<String>,
) -> Result<Response, ApiError> {
    let id = OrganizationId::from(organization_id);
    let (client, left) = flow::leave(&app, visit.cookie.as_ref(), visit.session_id.as_ref(), &id).await?;
    let deleted = object! { object: "organization_membership", id: left.id, deleted: true };
    reply::with_known_client(&app, &visit, client, deleted).await
}
