//! `/v1/enterprise_connections/{id}/keys`: an extension; see `docs/API.md`.

use super::wire::{Deleted, deleted};
use crate::app::App;
use crate::flows::Refusal;
use crate::flows::key_rotation::{self as flow, Shown};
use crate::http::json::{object, respond};
use crate::http::{ApiError, Params, Path};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use doorward_model::{EnterpriseConnectionId, KeyPurpose};
use serde::Serialize;
use std::sync::Arc;

/// A key pair without its private half.
fn wire(shown: &Shown) -> impl Serialize {
    object! {
        object: "connection_key",
        fingerprint: &shown.fingerprint,
        purpose: shown.key.purpose.as_str(),
        published: shown.is_published,
        signs: shown.signs,
        certificate: &shown.key.certificate,
        created_at: shown.key.created_at,
    }
}

/// All of them.
pub async fn list(State(app): State<Arc<App>>, Path(id): Path<EnterpriseConnectionId>) -> Result<Response, ApiError> {
    let shown = flow::list(&mut app.store.read().await?, &id).await?;
    let data: Vec<_> = shown.iter().map(wire).collect();
    Ok(respond(&object! { total_count: data.len(), data: data }))
}

async fn one(app: &App, id: &EnterpriseConnectionId, fingerprint: &str) -> Result<Response, ApiError> {
    let shown = flow::list(&mut app.store.read().await?, id).await?;
    let found = shown.iter().find(|shown| shown.fingerprint == fingerprint);
    let gone = || Refusal::NotFound { what: "connection key", id: fingerprint.chars().take(100).collect() };
    Ok(respond(&wire(found.ok_or_else(gone)?)))
}

/// Makes another for a purpose.
pub async fn create(
    State(app): State<Arc<App>>,
    Path(id): Path<EnterpriseConnectionId>,
    params: Params,
) -> Result<Response, ApiError> {
    let purpose = KeyPurpose::parse(&params.required_text("purpose")?).ok_or_else(|| Refusal::ParamInvalid {
        param: "purpose".into(),
        reason: "must be signing or decryption".into(),
    })?;
    let fingerprint = flow::add(&app, &id, purpose).await?;
    one(&app, &id, &fingerprint).await
}

/// Signs with one from now on.
pub async fn sign(
    State(app): State<Arc<App>>,
    Path((id, fingerprint)): Path<(EnterpriseConnectionId, String)>,
) -> Result<Response, ApiError> {
    flow::choose(&app, &id, &fingerprint).await?;
    one(&app, &id, &fingerprint).await
}

/// Takes one away.
pub async fn delete(
    State(app): State<Arc<App>>,
    Path((id, fingerprint)): Path<(EnterpriseConnectionId, String)>,
) -> Result<Json<Deleted>, ApiError> {
    flow::retire(&app, &id, &fingerprint).await?;
    Ok(deleted("connection_key", fingerprint))
}

#[cfg(test)]
mod tests;
