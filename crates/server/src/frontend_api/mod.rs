//! The Frontend API: forms and cookies, called by browsers.

mod arrival;
mod client;
mod environment;
mod handshake;
mod me;
mod npm;
mod oauth_callback;
mod organization_memberships;
mod organization_roles;
mod organizations;
mod reply;
mod saml;
mod sessions;
mod sign_ins;
mod sign_ups;
#[cfg(test)]
mod tests;
pub mod visit;
mod well_known;
pub mod wire;

pub use sign_ins::connection_id as chosen_connection;

use crate::app::App;
use crate::backend_api::require_organizations;
use crate::flows::Refusal;
use crate::http::ApiError;
use axum::Router;
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, patch, post};
use std::sync::Arc;

/// All operations. Those a page calls know their caller; those an IdP or the browser's address bar calls stand apart.
pub fn router(app: Arc<App>) -> Router {
    let called_by_pages = Router::new()
        .route("/v1/environment", get(environment::get).patch(environment::get))
        .route("/v1/client", get(client::get).put(client::create).post(client::create).delete(client::delete))
        .route("/v1/client/sign_ins", post(sign_ins::create))
        .route("/v1/client/sign_ins/{id}", get(sign_ins::get))
        .route("/v1/client/sign_ins/{id}/prepare_first_factor", post(sign_ins::prepare))
        .route("/v1/client/sign_ups", post(sign_ups::create))
        .route("/v1/client/sign_ups/{id}", get(sign_ups::get).patch(sign_ups::update))
        .route("/v1/client/sign_ups/{id}/prepare_verification", post(sign_ups::update))
        .route("/v1/client/sign_ups/{id}/enterprise_connections", get(sign_ups::enterprise_connections))
        .route("/v1/client/sessions", delete(client::sign_out))
        .route("/v1/client/sessions/{id}", get(sessions::get))
        .route("/v1/client/sessions/{id}/touch", post(sessions::touch))
        .route("/v1/client/sessions/{id}/end", post(sessions::end))
        .route("/v1/client/sessions/{id}/remove", post(sessions::remove))
        .route("/v1/client/sessions/{id}/tokens", post(sessions::token))
        .route("/v1/me", get(me::get))
        .route("/v1/me/organization_memberships", get(me::organization_memberships))
        .route("/v1/me/organization_memberships/{organization_id}", delete(me::leave))
        .merge(of_organizations(&app))
        .method_not_allowed_fallback(async || ApiError::from(Refusal::MethodNotAllowed).into_response())
        .route_layer(middleware::from_fn_with_state(app.clone(), visit::middleware));
    Router::new()
        .route("/v1/health", get(well_known::health))
        .route("/.well-known/jwks.json", get(well_known::jwks))
        .route("/npm/@clerk/{package}/dist/{*file}", get(npm::get))
        .route("/v1/client/handshake", get(handshake::get))
        .route("/v1/saml/metadata/{file}", get(saml::metadata))
        .route("/v1/saml/send", get(saml::send))
        .route("/v1/saml/acs/{id}", post(saml::acs))
        .route("/v1/saml/finish", get(saml::finish))
        .route(oauth_callback::PATH, get(oauth_callback::get).post(oauth_callback::post))
        .merge(called_by_pages)
        .with_state(app)
}

/// The operations that are refused while organizations are switched off (ORG-2).
fn of_organizations(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route("/v1/me/organization_creation_defaults", get(me::organization_creation_defaults))
        // To list all of them takes the key of the Backend API, which is told here as at its own addresses.
        .route("/v1/organizations", post(organizations::create).get(async || without_key()))
        .route(
            "/v1/organizations/{id}",
            get(organizations::get).patch(organizations::update).delete(organizations::delete),
        )
        .route(
            "/v1/organizations/{id}/memberships",
            get(organization_memberships::list).post(organization_memberships::create),
        )
        .route(
            "/v1/organizations/{id}/memberships/{user_id}",
            patch(organization_memberships::update).delete(organization_memberships::delete),
        )
        .route("/v1/organizations/{id}/roles", get(organization_roles::list))
        .route_layer(middleware::from_fn_with_state(app.clone(), require_organizations))
}

fn without_key() -> Response {
    ApiError::from(Refusal::AuthenticationMissing).into_response()
}
