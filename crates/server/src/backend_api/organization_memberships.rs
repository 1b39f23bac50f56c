//! `/v1/organizations/{id}/memberships` and `/v1/organization_memberships`

use super::organizations::{metadata_change, role_set_keys};
use super::wire::membership::membership;
use crate::app::App;
use crate::flows::memberships::{self as flow, Member, NewMembership, identifier};
use crate::flows::organizations::{MetadataMode, by_id};
use crate::http::pagination::{list as wire_list, order, page, selection};
use crate::http::{ApiError, Params, Path, Query};
use axum::Json;
use axum::extract::State;
use doorward_model::{Organization, OrganizationId, OrganizationMembership, User, UserId};
use doorward_store::memberships::{self as store, ListFilter, Order};
use doorward_store::{Direction, Page, Selection, Tx, organizations, roles, users};
use serde_json::Value;
use std::sync::Arc;

/// What a list can be ordered by. Nobody has a telephone number here, so by it all are equal.
const ORDERS: &[(&str, Order)] = &[
    ("created_at", Order::CreatedAt),
    ("email_address", Order::EmailAddress),
    ("first_name", Order::FirstName),
    ("last_name", Order::LastName),
    ("username", Order::Username),
    ("phone_number", Order::CreatedAt),
];

const NEWEST_FIRST: (Order, Direction) = (Order::CreatedAt, Direction::Descending);

fn shown(member: &Member) -> Json<Value> {
    let Member { membership: held, role, view, user, identifier } = member;
    Json(membership(held, role, &view.organization, Some(&view.role_set_key), Some((user, identifier))))
}

/// The members of an organization, page by page.
pub async fn list(
    State(app): State<Arc<App>>,
    Path(id): Path<OrganizationId>,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    let order = order(&query, ORDERS, NEWEST_FIRST)?;
    let page = page(&query)?;
    let mut tx = app.store.read().await?;
    let organization = by_id(&mut tx, &id).await?;
    let Some(filter) = filter(&mut tx, &organization.id, &query).await? else {
        return Ok(Json(wire_list(Vec::new(), 0)));
    };
    let found = store::list(&mut tx, &filter, order, page).await?;
    let data = rows(&mut tx, found, &[organization]).await?;
    Ok(Json(wire_list(data, store::count(&mut tx, &filter).await?)))
}

/// What a query asks for; `None` if for something nobody has.
async fn filter(tx: &mut Tx, id: &OrganizationId, query: &Query) -> Result<Option<ListFilter>, ApiError> {
    let text = |name: &str| query.text(name).map(str::to_owned);
    let lower = |values: Vec<String>| values.into_iter().map(|value| value.to_lowercase()).collect();
    let role_keys = query.texts("role")?;
    let filter = ListFilter {
        organization_id: Some(id.clone()),
        user_id: selection(query, "user_id")?,
        email_address: lower(query.texts("email_address")?),
        username: query.texts("username")?,
        role_id: match role_keys.is_empty() {
            true => None,
            false => {
                let all = roles::roles(tx).await?;
                Some(all.into_iter().filter(|role| role_keys.contains(&role.key)).map(|role| role.id).collect())
            }
        },
        query: text("query"),
        email_address_query: text("email_address_query"),
        username_query: text("username_query"),
        name_query: text("name_query"),
        last_active_at_before: query.int("last_active_at_before")?,
        last_active_at_after: query.int("last_active_at_after")?,
        created_at_before: query.int("created_at_before")?,
        created_at_after: query.int("created_at_after")?,
    };
    let asks_for_what_nobody_has = !query.texts("phone_number")?.is_empty()
        || !query.texts("web3_wallet")?.is_empty()
        || query.text("phone_number_query").is_some();
    Ok((!asks_for_what_nobody_has).then_some(filter))
}

/// The memberships of all organizations, page by page.
pub async fn list_all(State(app): State<Arc<App>>, query: Query) -> Result<Json<Value>, ApiError> {
    let order = order(&query, ORDERS, NEWEST_FIRST)?;
    let page = page(&query)?;
    let mut tx = app.store.read().await?;
    let filter = ListFilter::default();
    let found = store::list(&mut tx, &filter, order, page).await?;
    let organizations = organizations_of(&mut tx, &found).await?;
    let data = rows(&mut tx, found, &organizations).await?;
    Ok(Json(wire_list(data, store::count(&mut tx, &filter).await?)))
}

async fn organizations_of(
    tx: &mut Tx,
    found: &[(OrganizationMembership, User)],
) -> Result<Vec<Organization>, ApiError> {
    let mut ids: Vec<String> = found.iter().map(|(held, _)| held.organization_id.to_string()).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let page = Page { limit: i64::try_from(ids.len()).unwrap_or(i64::MAX), offset: 0 };
    let organization_id = Selection { include: ids, exclude: Vec::new() };
    let filter = organizations::ListFilter { organization_id, ..Default::default() };
    let order = (organizations::Order::CreatedAt, Direction::Descending);
    Ok(organizations::list(tx, &filter, order, page).await?)
}

async fn rows(
    tx: &mut Tx,
    found: Vec<(OrganizationMembership, User)>,
    organizations: &[Organization],
) -> Result<Vec<Value>, ApiError> {
    let all_roles = roles::roles(tx).await?;
    let keys = role_set_keys(tx).await?;
    let ids: Vec<&str> = found.iter().map(|(_, user)| user.id.as_str()).collect();
    let addresses = users::addresses_of_all(tx, &ids).await?;
    let mut data = Vec::with_capacity(found.len());
    for (held, user) in &found {
        let organization = organizations.iter().find(|organization| organization.id == held.organization_id);
        let role = all_roles.iter().find(|role| role.id == held.role_id);
        // One that was deleted between the queries is left out.
        let (Some(organization), Some(role)) = (organization, role) else { continue };
        let role_set_key = keys.get(&organization.role_set_id).map(String::as_str);
        let identifier = identifier(user, &addresses);
        data.push(membership(held, role, organization, role_set_key, Some((user, &identifier))));
    }
    Ok(data)
}

/// Makes a user a member.
pub async fn create(
    State(app): State<Arc<App>>,
    Path(id): Path<OrganizationId>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let new = NewMembership {
        organization_id: id,
        user_id: UserId::from(params.required_text("user_id")?),
        role_key: params.required_text("role")?,
        public_metadata: params.object("public_metadata")?.value().unwrap_or_default(),
        private_metadata: params.object("private_metadata")?.value().unwrap_or_default(),
    };
    Ok(shown(&flow::create(&app, new).await?))
}

/// Gives a member another role.
pub async fn update(
    State(app): State<Arc<App>>,
    Path((id, user)): Path<(OrganizationId, UserId)>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let role = params.required_text("role")?;
    Ok(shown(&flow::change_role(&app, &id, &user, &role).await?))
}

/// Removes a member; the answer is the membership as it was.
pub async fn delete(
    State(app): State<Arc<App>>,
    Path((id, user)): Path<(OrganizationId, UserId)>,
) -> Result<Json<Value>, ApiError> {
    Ok(shown(&flow::delete(&app, &id, &user).await?))
}

/// Lays metadata over what a membership has.
pub async fn merge_metadata(
    State(app): State<Arc<App>>,
    Path((id, user)): Path<(OrganizationId, UserId)>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let change = metadata_change(&params, MetadataMode::Merge)?;
    Ok(shown(&flow::update_metadata(&app, &id, &user, change).await?))
}
