//! The Backend API: JSON, authenticated by the secret key. One file per resource; `wire/` holds what goes over the line.

mod account_checks;
mod connection_keys;
mod enterprise_connections;
mod idp_certificates;
mod instance;
mod jwks;
mod metadata_refresh;
mod organization_memberships;
mod organization_permissions;
mod organization_roles;
mod organizations;
mod redirect_urls;
mod role_sets;
mod sessions;
mod short_list;
mod sso;
mod users;
pub mod wire;

use crate::app::App;
use crate::flows::Refusal;
use crate::flows::organizations::require_enabled;
use crate::http::{ApiError, origin};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, patch, post};
use std::sync::Arc;

/// All operations. Authentication comes before anything else of a known route, so nothing is learnt without a key.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/v1/jwks", get(jwks::get))
        .merge(of_organizations(&app))
        .merge(of_users())
        .route("/v1/sessions", get(sessions::list).post(sessions::create))
        .route("/v1/sessions/{id}", get(sessions::get))
        .route("/v1/sessions/{id}/revoke", post(sessions::revoke))
        .route("/v1/sessions/{id}/tokens", post(sessions::token))
        .route("/v1/instance", get(instance::get).patch(instance::update))
        .route(
            "/v1/instance/organization_settings",
            get(instance::get_organization_settings).patch(instance::update_organization_settings),
        )
        .route("/v1/redirect_urls", get(redirect_urls::list).post(redirect_urls::create))
        .route("/v1/redirect_urls/{id}", get(redirect_urls::get).delete(redirect_urls::delete))
        .merge(of_roles())
        .route("/v1/enterprise_connections", get(enterprise_connections::list).post(enterprise_connections::create))
        .route(
            "/v1/enterprise_connections/{id}",
            get(enterprise_connections::get)
                .patch(enterprise_connections::update)
                .delete(enterprise_connections::delete),
        )
        .route("/v1/enterprise_connections/{id}/certificates", get(idp_certificates::list).post(idp_certificates::add))
        .route("/v1/enterprise_connections/{id}/certificates/{fingerprint}", delete(idp_certificates::remove))
        .route("/v1/enterprise_connections/{id}/keys", get(connection_keys::list).post(connection_keys::create))
        .route("/v1/enterprise_connections/{id}/keys/{fingerprint}", delete(connection_keys::delete))
        .route("/v1/enterprise_connections/{id}/keys/{fingerprint}/sign", post(connection_keys::sign))
        .route(
            "/v1/enterprise_connections/{id}/metadata_refresh",
            get(metadata_refresh::get).post(metadata_refresh::create),
        )
        .route("/v1/sso/explain", post(sso::explain))
        .route("/v1/enterprise_connections/{id}/account_checks", get(account_checks::list))
        .method_not_allowed_fallback(async || ApiError::from(Refusal::MethodNotAllowed).into_response())
        .route_layer(middleware::from_fn_with_state(app.clone(), authenticate))
        .fallback(async || ApiError::from(Refusal::RouteNotFound).into_response())
        .with_state(app)
}

fn of_users() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/users", get(users::list).post(users::create))
        .route("/v1/users/count", get(users::count))
        .route("/v1/users/{id}", get(users::get).patch(users::update).delete(users::delete))
        .route("/v1/users/{id}/metadata", patch(users::merge_metadata).put(users::replace_metadata))
        .route("/v1/users/{id}/organization_memberships", get(users::organization_memberships))
        .route("/v1/users/{id}/ban", post(users::ban))
        .route("/v1/users/{id}/unban", post(users::unban))
        .route("/v1/users/{id}/lock", post(users::lock))
        .route("/v1/users/{id}/unlock", post(users::unlock))
}

fn of_roles() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/organization_roles", get(organization_roles::list).post(organization_roles::create))
        .route(
            "/v1/organization_roles/{id}",
            get(organization_roles::get).patch(organization_roles::update).delete(organization_roles::delete),
        )
        .route(
            "/v1/organization_roles/{id}/permissions/{permission_id}",
            post(organization_roles::assign_permission).delete(organization_roles::remove_permission),
        )
        .route(
            "/v1/organization_permissions",
            get(organization_permissions::list).post(organization_permissions::create),
        )
        .route(
            "/v1/organization_permissions/{id}",
            get(organization_permissions::get)
                .patch(organization_permissions::update)
                .delete(organization_permissions::delete),
        )
        .route("/v1/role_sets", get(role_sets::list).post(role_sets::create))
        .route("/v1/role_sets/{key_or_id}", get(role_sets::get).patch(role_sets::update))
        .route("/v1/role_sets/{key_or_id}/replace", post(role_sets::replace))
        .route("/v1/role_sets/{key_or_id}/roles", post(role_sets::add_roles))
        .route("/v1/role_sets/{key_or_id}/roles/replace", post(role_sets::replace_role))
}

/// The operations that are refused while organizations are switched off (ORG-2).
fn of_organizations(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route("/v1/organizations", get(organizations::list).post(organizations::create))
        .route(
            "/v1/organizations/{id}",
            get(organizations::get).patch(organizations::update).delete(organizations::delete),
        )
        .route(
            "/v1/organizations/{id}/metadata",
            patch(organizations::merge_metadata).put(organizations::replace_metadata),
        )
        .route(
            "/v1/organizations/{id}/memberships",
            get(organization_memberships::list).post(organization_memberships::create),
        )
        .route(
            "/v1/organizations/{id}/memberships/{user_id}",
            patch(organization_memberships::update).delete(organization_memberships::delete),
        )
        .route("/v1/organizations/{id}/memberships/{user_id}/metadata", patch(organization_memberships::merge_metadata))
        .route("/v1/organization_memberships", get(organization_memberships::list_all))
        .route_layer(middleware::from_fn_with_state(app.clone(), require_organizations))
}

/// Lets nothing through while organizations are switched off.
pub async fn require_organizations(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match require_enabled(&app).await {
        Ok(()) => next.run(request).await,
        Err(error) => ApiError::from(error).into_response(),
    }
}

/// Whether a request is one of the Backend API's (DECISIONS "Wire" 1).
pub fn is_addressed(headers: &HeaderMap) -> bool {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    authorization.is_some_and(|value| value.starts_with("Bearer sk_"))
}

async fn authenticate(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match check_key(&app, request.headers()).await {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

async fn check_key(app: &Arc<App>, headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(authorization) = headers.get(header::AUTHORIZATION) else {
        return Err(Refusal::AuthenticationMissing.into());
    };
    let key = authorization.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
    let Some(key) = key.filter(|key| key.starts_with("sk_")) else {
        return Err(Refusal::AuthorizationFormat.into());
    };
    // A page of another site must not be able to use a key that leaked into a browser.
    if headers.contains_key(header::ORIGIN) {
        return Err(Refusal::OriginConflict.into());
    }
    if origin::is_secret_key(app, key).await? { Ok(()) } else { Err(Refusal::SecretKeyInvalid.into()) }
}

#[cfg(test)]
mod tests {
    use crate::testing::TestApp;
    use axum::body::Body;
    use axum::http::{Method, Request};
    use serde_json::{Value, json};

    /// Every operation that only the Backend API has, with addresses of nothing.
    const OPERATIONS: &[(&str, &str)] = &[
        ("GET", "/v1/jwks"),
        ("GET", "/v1/users"),
        ("POST", "/v1/users"),
        ("GET", "/v1/users/count"),
        ("GET", "/v1/users/x"),
        ("PATCH", "/v1/users/x"),
        ("DELETE", "/v1/users/x"),
        ("PATCH", "/v1/users/x/metadata"),
        ("PUT", "/v1/users/x/metadata"),
        ("GET", "/v1/users/x/organization_memberships"),
        ("POST", "/v1/users/x/ban"),
        ("POST", "/v1/users/x/unban"),
        ("POST", "/v1/users/x/lock"),
        ("POST", "/v1/users/x/unlock"),
        ("GET", "/v1/sessions"),
        ("POST", "/v1/sessions"),
        ("GET", "/v1/sessions/x"),
        ("POST", "/v1/sessions/x/revoke"),
        ("POST", "/v1/sessions/x/tokens"),
        ("GET", "/v1/instance"),
        ("PATCH", "/v1/instance"),
        ("GET", "/v1/instance/organization_settings"),
        ("PATCH", "/v1/instance/organization_settings"),
        ("GET", "/v1/redirect_urls"),
        ("POST", "/v1/redirect_urls"),
        ("GET", "/v1/redirect_urls/x"),
        ("DELETE", "/v1/redirect_urls/x"),
        ("GET", "/v1/organization_memberships"),
        ("PUT", "/v1/organizations/x/metadata"),
        ("PATCH", "/v1/organizations/x/metadata"),
        ("PATCH", "/v1/organizations/x/memberships/y/metadata"),
        ("GET", "/v1/organization_roles"),
        ("POST", "/v1/organization_roles"),
        ("GET", "/v1/organization_roles/x"),
        ("PATCH", "/v1/organization_roles/x"),
        ("DELETE", "/v1/organization_roles/x"),
        ("POST", "/v1/organization_roles/x/permissions/y"),
        ("DELETE", "/v1/organization_roles/x/permissions/y"),
        ("GET", "/v1/organization_permissions"),
        ("POST", "/v1/organization_permissions"),
        ("GET", "/v1/organization_permissions/x"),
        ("PATCH", "/v1/organization_permissions/x"),
        ("DELETE", "/v1/organization_permissions/x"),
        ("GET", "/v1/role_sets"),
        ("POST", "/v1/role_sets"),
        ("GET", "/v1/role_sets/x"),
        ("PATCH", "/v1/role_sets/x"),
        ("POST", "/v1/sso/explain"),
        ("POST", "/v1/role_sets/x/replace"),
        ("POST", "/v1/role_sets/x/roles"),
        ("POST", "/v1/role_sets/x/roles/replace"),
        ("GET", "/v1/enterprise_connections"),
        ("POST", "/v1/enterprise_connections"),
        ("GET", "/v1/enterprise_connections/x"),
        ("PATCH", "/v1/enterprise_connections/x"),
        ("DELETE", "/v1/enterprise_connections/x"),
        ("GET", "/v1/enterprise_connections/x/certificates"),
        ("POST", "/v1/enterprise_connections/x/certificates"),
        ("DELETE", "/v1/enterprise_connections/x/certificates/y"),
        ("GET", "/v1/enterprise_connections/x/keys"),
        ("POST", "/v1/enterprise_connections/x/keys"),
        ("DELETE", "/v1/enterprise_connections/x/keys/y"),
        ("POST", "/v1/enterprise_connections/x/keys/y/sign"),
        ("GET", "/v1/enterprise_connections/x/metadata_refresh"),
        ("POST", "/v1/enterprise_connections/x/metadata_refresh"),
        ("GET", "/v1/enterprise_connections/x/account_checks"),
    ];

    /// These are the Frontend API's too: without a key it answers.
    const WITH_FRONTEND_NAMESAKE: &[(&str, &str)] = &[
        ("GET", "/v1/organizations"),
        ("POST", "/v1/organizations"),
        ("GET", "/v1/organizations/x"),
        ("PATCH", "/v1/organizations/x"),
        ("DELETE", "/v1/organizations/x"),
        ("GET", "/v1/organizations/x/memberships"),
        ("POST", "/v1/organizations/x/memberships"),
        ("PATCH", "/v1/organizations/x/memberships/y"),
        ("DELETE", "/v1/organizations/x/memberships/y"),
    ];

    #[tokio::test]
    async fn api1_nothing_without_a_key_or_with_a_wrong_one() {
        let app = TestApp::new().await;
        for (method, path) in OPERATIONS.iter().chain(WITH_FRONTEND_NAMESAKE) {
            let call = |key: Option<&str>| {
                let request = Request::builder().method(*method).uri(*path);
                let request = match key {
                    Some(key) => request.header("authorization", format!("Bearer {key}")),
                    None => request,
                };
                app.request(request.body(Body::empty()).unwrap())
            };
            let wrong = call(Some("sk_live_wrongwrongwrongwrongwrongwrong")).await;
            assert_eq!(wrong.error(), (401, "clerk_key_invalid".to_owned()), "{method} {path}");
            let none = call(None).await;
            assert!(matches!(none.status.as_u16(), 401 | 404), "{method} {path}: {}", none.status);
            if OPERATIONS.contains(&(*method, *path)) {
                assert_eq!(none.error(), (401, "authentication_invalid".to_owned()), "{method} {path}");
            }
        }
        app.close().await;
    }

    #[tokio::test]
    async fn org2_organizations_can_be_switched_off() {
        let app = TestApp::new().await;
        let off = json!({"enabled": false});
        app.backend(Method::PATCH, "/v1/instance/organization_settings", off).await.ok();
        for (method, path) in WITH_FRONTEND_NAMESAKE {
            let answer = app.backend(method.parse().unwrap(), path, json!({})).await;
            assert_eq!(answer.error(), (403, "organization_not_enabled_in_instance".to_owned()), "{method} {path}");
        }
        for path in ["/v1/organization_roles", "/v1/role_sets", "/v1/enterprise_connections"] {
            app.backend(Method::GET, path, Value::Null).await.ok();
        }
        app.close().await;
    }

    #[tokio::test]
    async fn an_unknown_address_or_method_is_not_found() {
        let app = TestApp::new().await;
        for (method, path) in [
            (Method::PUT, "/v1/organizations"),
            (Method::DELETE, "/v1/role_sets/role_set:default"),
            (Method::GET, "/v1/enterprise_connections/x/y"),
        ] {
            let answer = app.backend(method, path, Value::Null).await;
            assert_eq!(answer.error(), (404, "resource_not_found".to_owned()), "{path}");
        }
        app.close().await;
    }
}
