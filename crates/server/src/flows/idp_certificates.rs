//! The certificates that the IdP of a connection may sign with, one by one: an IdP that changes its key is trusted with the
//! new one before, and without the old one after.

use crate::app::App;
use crate::flows::enterprise_connections::{check_against_others, saml_by_id};
use crate::flows::{FlowError, Refusal};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_model::{EnterpriseConnection, EnterpriseConnectionId, SamlConfig};
use doorward_rules::metadata_refresh::MAX_CERTIFICATES;
use doorward_saml::TrustedCertificate;
use doorward_store::{enterprise_connections, write_tx};

/// The certificates of a connection, in order of preference. What is stored was parsed before.
pub fn of(connection: &EnterpriseConnection) -> Vec<TrustedCertificate> {
    connection.saml.idp_certificates.iter().filter_map(|text| TrustedCertificate::parse(text).ok()).collect()
}

/// The fingerprint of a stored certificate, without parsing what was parsed before.
pub fn fingerprint(base64: &str) -> String {
    let der = STANDARD.decode(base64).unwrap_or_default();
    crate::random::hex(digest(&SHA256, &der).as_ref())
}

/// The fingerprints of all that a connection trusts.
pub fn fingerprints(saml: &SamlConfig) -> Vec<String> {
    saml.idp_certificates.iter().map(|text| fingerprint(text)).collect()
}

/// The fingerprints of what it trusts because metadata named it. A document that is kept says all that is in force.
pub fn from_metadata(saml: &SamlConfig) -> Vec<String> {
    if saml.idp_metadata.is_some() { fingerprints(saml) } else { saml.metadata_certificates.clone() }
}

/// Notes that a document no longer says what is in force, and which certificates came from it.
pub fn outgrow_metadata(saml: &mut SamlConfig) {
    saml.metadata_certificates = from_metadata(saml);
    saml.idp_metadata = None;
}

/// Notes a change of the trusted set by hand: what was added is the operator's, what was taken away does not come back by
/// itself.
pub fn note_change_by_hand(saml: &mut SamlConfig, before: &[String], added: &[String]) {
    let (before, after) = (before.iter().map(|text| fingerprint(text)), fingerprints(saml));
    let removed: Vec<String> = before.filter(|known| !after.contains(known)).collect();
    saml.removed_certificates.retain(|known| !after.contains(known) && !removed.contains(known));
    saml.removed_certificates.extend(removed);
    let added: Vec<String> = added.iter().map(|text| fingerprint(text)).collect();
    saml.metadata_certificates.retain(|known| after.contains(known) && !added.contains(known));
}

/// Trusts one more certificate. Adding one that metadata named makes it the operator's: no refresh drops it then.
pub async fn add(app: &App, id: &EnterpriseConnectionId, certificate: &TrustedCertificate) -> Result<(), FlowError> {
    let base64 = certificate.base64();
    change(app, id, std::slice::from_ref(&base64), |certificates| {
        if certificates.contains(&base64) {
            return Ok(());
        }
        if certificates.len() >= MAX_CERTIFICATES {
            let reason = format!("cannot be added to {MAX_CERTIFICATES} others; remove one before");
            return Err(Refusal::ParamInvalid { param: "certificate".into(), reason });
        }
        certificates.push(base64.clone());
        Ok(())
    })
    .await
}

/// Trusts a certificate no longer. The last one of an active connection stays, or nobody could sign in (CON-9).
pub async fn remove(app: &App, id: &EnterpriseConnectionId, fingerprint: &str) -> Result<(), FlowError> {
    let is_wanted = |text: &String| {
        TrustedCertificate::parse(text).is_ok_and(|certificate| certificate.fingerprint() == fingerprint)
    };
    change(app, id, &[], |certificates| {
        let before = certificates.len();
        certificates.retain(|text| !is_wanted(text));
        if certificates.len() < before {
            return Ok(());
        }
        Err(Refusal::NotFound { what: "certificate", id: fingerprint.chars().take(100).collect() })
    })
    .await
}

async fn change(
    app: &App,
    id: &EnterpriseConnectionId,
    added: &[String],
    change: impl Fn(&mut Vec<String>) -> Result<(), Refusal> + Send + Sync,
) -> Result<(), FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| {
        let mut connection = saml_by_id(tx, id).await?;
        let before = connection.saml.clone();
        change(&mut connection.saml.idp_certificates)?;
        let is_adopted = added.iter().any(|text| from_metadata(&before).contains(&fingerprint(text)));
        if connection.saml.idp_certificates == before.idp_certificates && !is_adopted {
            return Ok(());
        }
        connection.saml.metadata_certificates = from_metadata(&before);
        connection.saml.idp_metadata = None;
        note_change_by_hand(&mut connection.saml, &before.idp_certificates, added);
        connection.updated_at = now;
        check_against_others(tx, &connection, None).await?;
        Ok(enterprise_connections::update(tx, &connection).await?)
    })
}
