//! The certificates that the IdP of a connection may sign with, one by one: an IdP that changes its key is trusted with the
//! new one before, and without the old one after.

use crate::app::App;
use crate::flows::enterprise_connections::{check_against_others, saml_by_id};
use crate::flows::{FlowError, Refusal};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_model::{EnterpriseConnection, EnterpriseConnectionId};
use doorward_rules::certificate_provenance::{Print, change_by_hand, from_metadata};
use doorward_rules::metadata_refresh::MAX_CERTIFICATES;
use doorward_saml::{IdpMetadata, TrustedCertificate};
use doorward_store::{enterprise_connections, write_tx};

/// What a document may name can be trusted. `saml` knows nothing of `rules`, so each has its constant.
const _: () = assert!(IdpMetadata::MOST_CERTIFICATES == MAX_CERTIFICATES);

/// The certificates of a connection, in order of preference. What is stored was parsed before.
pub fn of(connection: &EnterpriseConnection) -> Vec<TrustedCertificate> {
    connection.saml.idp_certificates.iter().filter_map(|text| TrustedCertificate::parse(text).ok()).collect()
}

/// The keys of all that a connection trusts, as [`TrustedCertificate::key_sha256`] tells them.
pub fn keys(connection: &EnterpriseConnection) -> Vec<String> {
    of(connection).iter().map(|certificate| certificate.key_sha256().to_owned()).collect()
}

/// The fingerprint of a stored certificate, without parsing what was parsed before.
pub fn fingerprint(base64: &str) -> String {
    let der = STANDARD.decode(base64).unwrap_or_default();
    crate::random::hex(digest(&SHA256, &der).as_ref())
}

/// What the rules need to know of stored certificates.
pub fn prints(stored: &[String]) -> Vec<Print> {
    let print = |text: &String| Print {
        fingerprint: fingerprint(text),
        key: TrustedCertificate::parse(text).ok().map(|certificate| certificate.key_sha256().to_owned()),
    };
    stored.iter().map(print).collect()
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
        let (was, added) = (prints(&before.idp_certificates), prints(added));
        let named = from_metadata(&before, &was);
        let is_adopted = added.iter().any(|print| named.contains(&print.fingerprint));
        if connection.saml.idp_certificates == before.idp_certificates && !is_adopted {
            return Ok(());
        }
        let is = prints(&connection.saml.idp_certificates);
        change_by_hand(&mut connection.saml, &was, &is, &added);
        connection.updated_at = now;
        check_against_others(tx, &app.config, &connection, None).await?;
        Ok(enterprise_connections::update(tx, &connection).await?)
    })
}
