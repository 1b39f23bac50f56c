//! `/v1/enterprise_connections/{id}/metadata_refresh`: an extension; see `docs/API.md`.

use crate::app::App;
use crate::flows::metadata_refresh as flow;
use crate::http::json::{object, respond};
use crate::http::{ApiError, Path};
use axum::extract::State;
use axum::response::Response;
use doorward_model::{EnterpriseConnection, EnterpriseConnectionId, MetadataRefresh, MetadataRefreshRecord};
use serde::Serialize;
use std::sync::Arc;

/// When and how metadata was read last, what that changed, and when it is read next. Times are Unix milliseconds.
fn wire<'a>(connection: &'a EnterpriseConnection, state: Option<&'a MetadataRefresh>) -> impl Serialize + 'a {
    let changes: &[MetadataRefreshRecord] = state.map_or(&[], |state| &state.changes);
    object! {
        object: "metadata_refresh",
        enterprise_connection_id: connection.id.as_str(),
        enabled: connection.saml.refresh_idp_metadata,
        idp_metadata_url: &connection.saml.idp_metadata_url,
        next_at: state.and_then(|state| state.due_at),
        last_success_at: state.and_then(|state| state.succeeded_at),
        consecutive_failures: state.map_or(0, |state| state.failures),
        last: state.and_then(|state| state.last.as_ref()),
        changes: changes,
    }
}

async fn show(app: &App, id: &EnterpriseConnectionId) -> Result<Response, ApiError> {
    let (connection, state) = flow::state(&mut app.store.read().await?, id).await?;
    Ok(respond(&wire(&connection, state.as_ref())))
}

/// Where it stands.
pub async fn get(State(app): State<Arc<App>>, Path(id): Path<EnterpriseConnectionId>) -> Result<Response, ApiError> {
    show(&app, &id).await
}

/// Reads the metadata now. A failure to do so is an outcome, and in the answer.
pub async fn create(State(app): State<Arc<App>>, Path(id): Path<EnterpriseConnectionId>) -> Result<Response, ApiError> {
    flow::run_now(&app, &id).await?;
    show(&app, &id).await
}

#[cfg(test)]
mod tests;
