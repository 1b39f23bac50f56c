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

#[cfg(test)]
mod tests {
    use crate::testing::TestApp;
    use axum::http::Method;
    use futures_util::future::join_all;
    use serde_json::{Value, json};

    async fn user(app: &TestApp, name: &str) -> String {
        let body = json!({"email_address": [format!("{name}@people.test")], "first_name": name});
        app.advance(1);
        app.backend(Method::POST, "/v1/users", body).await.ok()["id"].as_str().unwrap().to_owned()
    }

    /// An organization with an administrator: its memberships' address and the administrator's id.
    async fn team(app: &TestApp, name: &str, seats: i64) -> (String, String) {
        let admin = user(app, &format!("admin-of-{name}")).await;
        let body = json!({"name": name, "created_by": admin, "max_allowed_memberships": seats});
        let organization = app.backend(Method::POST, "/v1/organizations", body).await.ok();
        (format!("/v1/organizations/{}/memberships", organization["id"].as_str().unwrap()), admin)
    }

    #[tokio::test]
    async fn every_refusal_of_adding() {
        for app in TestApp::on_each_database().await {
            let (acme, admin) = team(&app, "acme", 1).await;
            let bob = user(&app, "bob").await;
            let cases = [
                (json!({"role": "org:member"}), 422, "form_param_missing"),
                (json!({"user_id": bob}), 422, "form_param_missing"),
                (json!({"user_id": "user_nobody", "role": "org:member"}), 404, "resource_not_found"),
                (json!({"user_id": bob, "role": "org:nothing"}), 404, "resource_not_found"),
                (json!({"user_id": admin, "role": "org:member"}), 400, "already_a_member_in_organization"),
                (json!({"user_id": bob, "role": "org:member"}), 403, "organization_membership_quota_exceeded"),
                (json!({"user_id": bob, "role": "org:member", "public_metadata": 1}), 422, "form_param_type_invalid"),
            ];
            for (body, status, code) in cases {
                let answer = app.backend(Method::POST, &acme, body.clone()).await;
                assert_eq!(answer.error(), (status, code.to_owned()), "{body}");
            }
            let body = json!({"user_id": bob, "role": "org:member"});
            let answer = app.backend(Method::POST, "/v1/organizations/org_nobody/memberships", body).await;
            assert_eq!(answer.error(), (404, "resource_not_found".to_owned()));
            assert_eq!(app.backend(Method::GET, &acme, Value::Null).await.ok()["total_count"], 1);
            app.close().await;
        }
    }

    #[tokio::test]
    async fn another_organizations_members_are_out_of_reach() {
        for app in TestApp::on_each_database().await {
            let (acme, _) = team(&app, "acme", 0).await;
            let (_, stranger) = team(&app, "globex", 0).await;
            let one = format!("{acme}/{stranger}");
            for (method, path, body) in [
                (Method::PATCH, one.clone(), json!({"role": "org:member"})),
                (Method::DELETE, one.clone(), Value::Null),
                (Method::PATCH, format!("{one}/metadata"), json!({"public_metadata": {"a": 1}})),
            ] {
                let answer = app.backend(method, &path, body).await;
                assert_eq!(answer.error(), (404, "resource_not_found".to_owned()), "{path}");
            }
            let found = app.backend(Method::GET, &format!("{acme}?user_id={stranger}"), Value::Null).await.ok();
            assert_eq!(found["total_count"], 0);
            let all = app.backend(Method::GET, "/v1/organization_memberships", Value::Null).await.ok();
            let names: Vec<&Value> =
                all["data"].as_array().unwrap().iter().map(|held| &held["organization"]["name"]).collect();
            assert_eq!(names, ["globex", "acme"]);
            app.close().await;
        }
    }

    #[tokio::test]
    async fn org14_somebody_stays_in_charge() {
        for app in TestApp::on_each_database().await {
            let (acme, admin) = team(&app, "acme", 0).await;
            let bob = user(&app, "bob").await;
            app.backend(Method::POST, &acme, json!({"user_id": bob, "role": "org:member"})).await.ok();
            let refused = (400, "organization_minimum_permissions_needed".to_owned());
            let step_down = json!({"role": "org:member"});
            let one = format!("{acme}/{admin}");
            assert_eq!(app.backend(Method::PATCH, &one, step_down.clone()).await.error(), refused);
            assert_eq!(app.backend(Method::DELETE, &one, Value::Null).await.error(), refused);
            let other = format!("{acme}/{bob}");
            app.backend(Method::PATCH, &other, json!({"role": "org:admin"})).await.ok();
            let both = [&one, &other].map(|path| app.backend(Method::PATCH, path, step_down.clone()));
            join_all(both).await;
            let admins = app.backend(Method::GET, &format!("{acme}?role=org:admin"), Value::Null).await.ok();
            assert_eq!(admins["total_count"], 1, "both stepped down");
            app.close().await;
        }
    }

    #[tokio::test]
    async fn org11_simultaneous_joins_keep_the_seat_limit() {
        for app in TestApp::on_each_database().await {
            let (acme, _) = team(&app, "acme", 3).await;
            let mut crowd = Vec::new();
            for i in 0..8 {
                crowd.push(user(&app, &format!("user{i}")).await);
            }
            let join = |id: &String| app.backend(Method::POST, &acme, json!({"user_id": id, "role": "org:member"}));
            let mut statuses: Vec<u16> =
                join_all(crowd.iter().map(join)).await.iter().map(|answer| answer.status.as_u16()).collect();
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 200, 403, 403, 403, 403, 403, 403]);
            assert_eq!(app.backend(Method::GET, &acme, Value::Null).await.ok()["total_count"], 3);
            app.close().await;
        }
    }

    #[tokio::test]
    async fn what_nobody_has_finds_nobody() {
        let app = TestApp::new().await;
        let (acme, admin) = team(&app, "acme", 0).await;
        for query in ["phone_number=%2B15550100", "web3_wallet=x", "phone_number_query=1", "role=org:none"] {
            let found = app.backend(Method::GET, &format!("{acme}?{query}"), Value::Null).await.ok();
            assert_eq!(found, json!({"data": [], "total_count": 0}), "{query}");
        }
        let found = app.backend(Method::GET, &format!("{acme}?query=ADMIN-OF"), Value::Null).await.ok();
        assert_eq!(found["data"][0]["public_user_data"]["user_id"], json!(admin));
        app.close().await;
    }
}
