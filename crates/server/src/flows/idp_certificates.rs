//! The certificates that the IdP of a connection may sign with, one by one: an IdP that changes its key is trusted with the
//! new one before, and without the old one after.

use crate::app::App;
use crate::flows::enterprise_connections::{by_id, check_against_others};
use crate::flows::{FlowError, Refusal};
use doorward_model::{EnterpriseConnection, EnterpriseConnectionId};
use doorward_saml::TrustedCertificate;
use doorward_store::{enterprise_connections, write_tx};

/// The most certificates a connection trusts; each costs at every sign-in.
const MAX_CERTIFICATES: usize = 16;

/// The certificates of a connection, in order of preference. What is stored was parsed before.
pub fn of(connection: &EnterpriseConnection) -> Vec<TrustedCertificate> {
    connection.saml.idp_certificates.iter().filter_map(|text| TrustedCertificate::parse(text).ok()).collect()
}

/// Trusts one more certificate. Adding one that is there changes nothing.
pub async fn add(app: &App, id: &EnterpriseConnectionId, certificate: &TrustedCertificate) -> Result<(), FlowError> {
    let base64 = certificate.base64();
    change(app, id, |certificates| {
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
    change(app, id, |certificates| {
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
    change: impl Fn(&mut Vec<String>) -> Result<(), Refusal> + Send + Sync,
) -> Result<(), FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| {
        let mut connection = by_id(tx, id).await?;
        let before = connection.saml.idp_certificates.clone();
        change(&mut connection.saml.idp_certificates)?;
        if connection.saml.idp_certificates == before {
            return Ok(());
        }
        // The document no longer says what is in force.
        connection.saml.idp_metadata = None;
        connection.updated_at = now;
        check_against_others(tx, &connection, None).await?;
        Ok(enterprise_connections::update(tx, &connection).await?)
    })
}
