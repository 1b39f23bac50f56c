//! `/v1/organization_roles`

use super::short_list::{Entry, cut};
use super::wire::role::role;
use crate::app::App;
use crate::flows::Refusal;
use crate::http::pagination::list as wire_list;
use crate::http::{ApiError, Path, Query};
use axum::Json;
use axum::extract::State;
use doorward_model::{Role, RoleId};
use doorward_store::roles;
use serde_json::Value;
use std::sync::Arc;

/// The roles of the instance.
pub async fn list(State(app): State<Arc<App>>, query: Query) -> Result<Json<Value>, ApiError> {
    let all = roles::roles(&mut app.store.read().await?).await?;
    let entry: fn(&Role) -> Entry<'_> =
        |role| Entry { id: role.id.as_str(), key: &role.key, name: &role.name, created_at: role.created_at };
    let (found, total) = cut(all, &query, entry)?;
    Ok(Json(wire_list(found.iter().map(role).collect(), total)))
}

/// One role.
pub async fn get(State(app): State<Arc<App>>, Path(id): Path<RoleId>) -> Result<Json<Value>, ApiError> {
    let all = roles::roles(&mut app.store.read().await?).await?;
    match all.iter().find(|role| role.id == id) {
        Some(found) => Ok(Json(role(found))),
        None => Err(Refusal::NotFound { what: "role", id: id.to_string() }.into()),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::TestApp;
    use axum::http::Method;
    use serde_json::{Value, json};

    #[tokio::test]
    async fn rol1_the_stock_roles_are_listed_and_read() {
        let app = TestApp::new().await;
        let roles = app.backend(Method::GET, "/v1/organization_roles?order_by=key", Value::Null).await.ok();
        assert_eq!(roles["total_count"], 2);
        let found = |role: &Value| json!([role["key"], role["is_creator_eligible"]]);
        let [admin, member] = [&roles["data"][0], &roles["data"][1]];
        assert_eq!(json!([found(admin), found(member)]), json!([["org:admin", true], ["org:member", false]]));
        let path = format!("/v1/organization_roles/{}", admin["id"].as_str().unwrap());
        assert_eq!(app.backend(Method::GET, &path, Value::Null).await.ok(), *admin);
        let permission = &admin["permissions"][0];
        let path = format!("/v1/organization_permissions/{}", permission["id"].as_str().unwrap());
        assert_eq!(app.backend(Method::GET, &path, Value::Null).await.ok(), *permission);
        for path in ["/v1/organization_roles/role_none", "/v1/organization_permissions/perm_none"] {
            let answer = app.backend(Method::GET, path, Value::Null).await;
            assert_eq!(answer.error(), (404, "resource_not_found".to_owned()), "{path}");
        }
        app.close().await;
    }
}
