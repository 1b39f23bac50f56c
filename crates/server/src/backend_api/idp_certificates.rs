//! `/v1/enterprise_connections/{id}/certificates`: an extension; see `docs/API.md`.

use super::wire::{Deleted, deleted};
use crate::app::App;
use crate::flows::enterprise_connections as connections;
use crate::flows::{Refusal, idp_certificates as flow};
use crate::http::json::{object, respond};
use crate::http::{ApiError, Params, Path};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use doorward_model::EnterpriseConnectionId;
use doorward_saml::TrustedCertificate;
use serde::Serialize;
use std::sync::Arc;

/// The longest certificate that is read, in characters.
const MAX_CERTIFICATE: usize = 64 * 1024;

/// A certificate with its validity, in Unix milliseconds. It is shown and not enforced.
fn wire(certificate: &TrustedCertificate) -> impl Serialize {
    object! {
        object: "idp_certificate",
        fingerprint: certificate.fingerprint(),
        subject: certificate.subject(),
        issued_at: certificate.not_before_ms(),
        expires_at: certificate.not_after_ms(),
        certificate: certificate.pem(),
    }
}

/// All that the IdP may sign with.
pub async fn list(State(app): State<Arc<App>>, Path(id): Path<EnterpriseConnectionId>) -> Result<Response, ApiError> {
    let connection = connections::saml_by_id(&mut app.store.read().await?, &id).await?;
    let certificates = flow::of(&connection);
    let data: Vec<_> = certificates.iter().map(wire).collect();
    Ok(respond(&object! { total_count: data.len(), data: data }))
}

/// Trusts one more, as PEM or base64 of DER.
pub async fn add(
    State(app): State<Arc<App>>,
    Path(id): Path<EnterpriseConnectionId>,
    params: Params,
) -> Result<Response, ApiError> {
    let text = params.long_text("certificate", MAX_CERTIFICATE)?.value();
    let text = text.ok_or(Refusal::ParamMissing { param: "certificate" })?;
    let certificate = TrustedCertificate::parse(&text).map_err(|error| Refusal::ParamInvalid {
        param: "certificate".into(),
        reason: format!("cannot be used: {error}"),
    })?;
    flow::add(&app, &id, &certificate).await?;
    Ok(respond(&wire(&certificate)))
}

/// Trusts one no longer.
pub async fn remove(
    State(app): State<Arc<App>>,
    Path((id, fingerprint)): Path<(EnterpriseConnectionId, String)>,
) -> Result<Json<Deleted>, ApiError> {
    flow::remove(&app, &id, &fingerprint).await?;
    Ok(deleted("idp_certificate", fingerprint))
}

#[cfg(test)]
mod tests;
