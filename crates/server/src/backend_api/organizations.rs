//! `/v1/organizations`

use super::role_sets::mappings;
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
        reassignment_mappings: mappings(&params)?,
        created_at: params.time("created_at")?.value(),
    };
    if change.role_set_key.is_none() && !change.reassignment_mappings.is_empty() {
        return Err(Refusal::ParamMissing { param: "role_set_key" }.into());
    }
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

#[cfg(test)]
mod tests {
    use crate::testing::TestApp;
    use axum::http::Method;
    use serde_json::{Value, json};

    async fn user(app: &TestApp, address: &str) -> String {
        let user = app.backend(Method::POST, "/v1/users", json!({"email_address": [address]})).await.ok();
        user["id"].as_str().unwrap().to_owned()
    }

    async fn organization(app: &TestApp, body: Value) -> Value {
        app.advance(1);
        app.backend(Method::POST, "/v1/organizations", body).await.ok()
    }

    fn path(organization: &Value) -> String {
        format!("/v1/organizations/{}", organization["id"].as_str().unwrap())
    }

    #[tokio::test]
    async fn org8_the_creator_is_the_first_member_with_the_creator_role() {
        for app in TestApp::on_each_database().await {
            let ada = user(&app, "ada@people.test").await;
            let acme = organization(&app, json!({"name": " Acme ", "created_by": ada})).await;
            assert_eq!((&acme["name"], &acme["created_by"]), (&json!("Acme"), &json!(ada)));
            assert!(acme["slug"].as_str().unwrap().starts_with("acme-"));
            let members = app.backend(Method::GET, &format!("{}/memberships", path(&acme)), Value::Null).await.ok();
            assert_eq!(members["total_count"], 1);
            assert_eq!(members["data"][0]["role"], "org:admin");
            assert_eq!(members["data"][0]["public_user_data"]["identifier"], "ada@people.test");
            app.close().await;
        }
    }

    #[tokio::test]
    async fn every_refusal_of_create_and_update_leaves_nothing_behind() {
        for app in TestApp::on_each_database().await {
            let acme = organization(&app, json!({"name": "Acme", "slug": "acme"})).await;
            let cases = [
                (json!({"name": ""}), 422, "form_param_value_invalid"),
                (json!({"name": "x".repeat(257)}), 422, "form_param_max_length_exceeded"),
                (json!({"name": "<b>"}), 422, "form_param_value_invalid"),
                (json!({"name": 7}), 422, "form_param_type_invalid"),
                (json!({"name": "A", "slug": "Not A Slug"}), 422, "form_param_format_invalid"),
                (json!({"name": "A", "slug": "taken"}), 422, "form_identifier_exists"),
                (json!({"name": "A", "max_allowed_memberships": -1}), 422, "form_param_value_invalid"),
                (json!({"name": "A", "created_at": "yesterday"}), 422, "form_param_invalid_time"),
                (json!({"name": "A", "role_set_key": "role_set:none"}), 422, "form_resource_not_found"),
            ];
            organization(&app, json!({"name": "Other", "slug": "taken"})).await;
            for (body, status, code) in cases {
                for (method, path) in [(Method::POST, "/v1/organizations".to_owned()), (Method::PATCH, path(&acme))] {
                    let answer = app.backend(method.clone(), &path, body.clone()).await;
                    assert_eq!(answer.error(), (status, code.to_owned()), "{method} {body}");
                }
            }
            let missing = app.backend(Method::POST, "/v1/organizations", json!({})).await;
            assert_eq!(missing.error(), (422, "form_param_missing".to_owned()));
            let orphan = json!({"name": "A", "created_by": "user_nobody"});
            let orphan = app.backend(Method::POST, "/v1/organizations", orphan).await;
            assert_eq!(orphan.error(), (400, "organization_creator_not_found".to_owned()));
            assert_eq!(app.backend(Method::GET, "/v1/organizations", Value::Null).await.ok()["total_count"], 2);
            assert_eq!(app.backend(Method::GET, &path(&acme), Value::Null).await.ok(), acme);
            app.close().await;
        }
    }

    #[tokio::test]
    async fn org7_a_slug_reads_and_does_nothing_else() {
        let app = TestApp::new().await;
        let acme = organization(&app, json!({"name": "Acme", "slug": "acme"})).await;
        assert_eq!(app.backend(Method::GET, "/v1/organizations/acme", Value::Null).await.ok(), acme);
        let not_found = (404, "resource_not_found".to_owned());
        for (method, path, body) in [
            (Method::GET, "/v1/organizations/nobody", Value::Null),
            (Method::PATCH, "/v1/organizations/acme", json!({"name": "X"})),
            (Method::DELETE, "/v1/organizations/acme", Value::Null),
            (Method::PATCH, "/v1/organizations/acme/metadata", json!({"public_metadata": {}})),
            (Method::PUT, "/v1/organizations/org_nobody/metadata", json!({"public_metadata": {}})),
            (Method::GET, "/v1/organizations/%00", Value::Null),
            (Method::GET, "/v1/organizations/%FF", Value::Null),
        ] {
            assert_eq!(app.backend(method, path, body).await.error(), not_found, "{path}");
        }
        app.close().await;
    }

    #[tokio::test]
    async fn org19_metadata_merges_replaces_and_has_a_limit() {
        let app = TestApp::new().await;
        let acme = organization(&app, json!({"name": "Acme", "public_metadata": {"z": 1, "a": {"x": 1}}})).await;
        let metadata = format!("{}/metadata", path(&acme));
        let patched = json!({"public_metadata": {"a": {"y": 2}, "z": null}, "private_metadata": {"p": 1}});
        let patched = app.backend(Method::PATCH, &metadata, patched).await.ok();
        assert_eq!(patched["public_metadata"], json!({"a": {"x": 1, "y": 2}}));
        let replaced = app.backend(Method::PUT, &metadata, json!({"public_metadata": {"b": 2}})).await.ok();
        assert_eq!(replaced["public_metadata"], json!({"b": 2}));
        assert_eq!(replaced["private_metadata"], json!({"p": 1}));
        let half = json!({"public_metadata": {"c": "x".repeat(5000)}});
        app.backend(Method::PATCH, &metadata, half).await.ok();
        let rest = json!({"public_metadata": {"d": "x".repeat(5000)}});
        let answer = app.backend(Method::PATCH, &metadata, rest).await;
        assert_eq!(answer.error(), (422, "form_param_value_invalid".to_owned()));
        let answer = app.backend(Method::PATCH, &path(&acme), json!({"public_metadata": {}})).await;
        assert_eq!(answer.error(), (422, "form_param_deprecated".to_owned()));
        app.close().await;
    }

    #[tokio::test]
    async fn rol15_a_role_set_without_the_roles_that_are_held_is_refused() {
        for app in TestApp::on_each_database().await {
            let (ada, bob) = (user(&app, "ada@people.test").await, user(&app, "bob@people.test").await);
            let acme = organization(&app, json!({"name": "Acme", "created_by": ada})).await;
            let set = json!({"name": "Admins", "key": "role_set:admins", "roles": ["org:admin"],
                "default_role_key": "org:admin", "creator_role_key": "org:admin"});
            app.backend(Method::POST, "/v1/role_sets", set).await.ok();
            let join = json!({"user_id": bob, "role": "org:member"});
            app.backend(Method::POST, &format!("{}/memberships", path(&acme)), join).await.ok();
            let change = json!({"role_set_key": "role_set:admins"});
            let answer = app.backend(Method::PATCH, &path(&acme), change.clone()).await;
            assert_eq!(answer.error(), (422, "organization_role_set_reassignment_mappings_missing".to_owned()));
            assert_eq!(answer.json()["errors"][0]["meta"]["role_keys"], json!(["org:member"]));
            app.backend(Method::DELETE, &format!("{}/memberships/{bob}", path(&acme)), Value::Null).await.ok();
            let changed = app.backend(Method::PATCH, &path(&acme), change).await.ok();
            assert_eq!(changed["role_set_key"], "role_set:admins");
            app.close().await;
        }
    }

    #[tokio::test]
    async fn org22_extras_come_on_demand() {
        let app = TestApp::new().await;
        let ada = user(&app, "ada@people.test").await;
        organization(&app, json!({"name": "Run", "created_by": ada})).await;
        organization(&app, json!({"name": "Empty"})).await;
        let plain = app.backend(Method::GET, "/v1/organizations", Value::Null).await.ok();
        assert!(plain["data"][0].get("members_count").is_none());
        let asked =
            "/v1/organizations?include_members_count=true&include_missing_member_with_elevated_permissions=true";
        let asked = app.backend(Method::GET, asked, Value::Null).await.ok();
        let found =
            |row: &Value| json!([row["name"], row["members_count"], row["missing_member_with_elevated_permissions"]]);
        assert_eq!(found(&asked["data"][0]), json!(["Empty", 0, true]));
        assert_eq!(found(&asked["data"][1]), json!(["Run", 1, false]));
        for bad in ["limit=0", "limit=501", "offset=-1", "order_by=slug", "include_members_count=maybe"] {
            let answer = app.backend(Method::GET, &format!("/v1/organizations?{bad}"), Value::Null).await;
            assert_eq!(answer.error(), (422, "form_param_value_invalid".to_owned()), "{bad}");
        }
        app.close().await;
    }
}
