//! Changing our own key pairs towards the IdP of a connection, step by step.

use crate::app::App;
use crate::flows::enterprise_connections::saml_by_id;
use crate::flows::{FlowError, Refusal, connection_keys as keys, idp_certificates};
use doorward_model::{ConnectionKey, EnterpriseConnection, EnterpriseConnectionId, KeyPurpose};
use doorward_rules::connection_keys::{self as rules, Key};
use doorward_store::{Tx, connection_keys, enterprise_connections, write_tx};

/// A key pair as the operator sees it.
#[derive(Debug)]
pub struct Shown {
    pub key: ConnectionKey,
    pub fingerprint: String,
    /// Whether it stands in our metadata.
    pub is_published: bool,
    /// Whether requests are signed with it, if they are signed.
    pub signs: bool,
}

/// The key pairs of a connection, those that decrypt first, newest first.
pub async fn list(tx: &mut Tx, id: &EnterpriseConnectionId) -> Result<Vec<Shown>, FlowError> {
    let connection = saml_by_id(tx, id).await?;
    let held = all(tx, id).await?;
    let signs = signing(&connection, &held);
    let show = |key: ConnectionKey| {
        let fingerprint = idp_certificates::fingerprint(&key.certificate);
        let is_published = key.purpose == KeyPurpose::Decryption || connection.saml.sign_requests;
        let signs = signs.as_deref() == Some(fingerprint.as_str());
        Shown { key, fingerprint, is_published, signs }
    };
    Ok(held.into_iter().map(show).collect())
}

async fn all(tx: &mut Tx, id: &EnterpriseConnectionId) -> Result<Vec<ConnectionKey>, FlowError> {
    let mut held = connection_keys::all(tx, id, KeyPurpose::Decryption).await?;
    held.extend(connection_keys::all(tx, id, KeyPurpose::Signing).await?);
    Ok(held)
}

/// The fingerprint of the one that signs.
fn signing(connection: &EnterpriseConnection, held: &[ConnectionKey]) -> Option<String> {
    let for_signing = held.iter().filter(|key| key.purpose == KeyPurpose::Signing).cloned().collect();
    keys::signing_first(connection, for_signing).first().map(|key| idp_certificates::fingerprint(&key.certificate))
}

fn facts(held: &[ConnectionKey]) -> Vec<Key> {
    let fact = |key: &ConnectionKey| Key {
        fingerprint: idp_certificates::fingerprint(&key.certificate),
        purpose: key.purpose,
    };
    held.iter().map(fact).collect()
}

/// Makes another key pair, which is published beside those there are. Answers its fingerprint.
pub async fn add(app: &App, id: &EnterpriseConnectionId, purpose: KeyPurpose) -> Result<String, FlowError> {
    let check = async |tx: &mut Tx| -> Result<Vec<ConnectionKey>, FlowError> {
        saml_by_id(tx, id).await?;
        let held = connection_keys::all(tx, id, purpose).await?;
        rules::add(held.len()).map_err(|refusal| refused(refusal, ""))?;
        Ok(held)
    };
    // Making one takes a while, so it is not made in vain; what counts is the check below.
    check(&mut app.store.read().await?).await?;
    let made = {
        let _turn = app.key_making.acquire().await.map_err(crate::app::internal)?;
        keys::make(app, id, purpose).await?
    };
    let fingerprint = idp_certificates::fingerprint(&made.certificate);
    write_tx!(app.store, FlowError, |tx| {
        let held = check(tx).await?;
        let mut key = made.clone();
        // It is the newest, whatever the clocks of the nodes say.
        key.created_at = held.first().map_or(key.created_at, |newest| key.created_at.max(newest.created_at + 1));
        Ok(connection_keys::insert(tx, &key).await?)
    })?;
    tracing::info!(connection = %id, fingerprint, purpose = purpose.as_str(), "connection key added");
    Ok(fingerprint)
}

/// Signs requests with this one from now on.
pub async fn choose(app: &App, id: &EnterpriseConnectionId, fingerprint: &str) -> Result<(), FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| {
        let mut connection = saml_by_id(tx, id).await?;
        let held = all(tx, id).await?;
        rules::choose(&facts(&held), fingerprint).map_err(|refusal| refused(refusal, fingerprint))?;
        connection.saml.signing_key = Some(fingerprint.to_owned());
        connection.updated_at = now;
        Ok(enterprise_connections::update(tx, &connection).await?)
    })?;
    tracing::info!(connection = %id, fingerprint, "connection key signs from now on");
    Ok(())
}

/// Takes one away, for good.
pub async fn retire(app: &App, id: &EnterpriseConnectionId, fingerprint: &str) -> Result<(), FlowError> {
    write_tx!(app.store, FlowError, |tx| {
        let connection = saml_by_id(tx, id).await?;
        let held = all(tx, id).await?;
        let signs = signing(&connection, &held);
        rules::retire(&facts(&held), fingerprint, signs.as_deref()).map_err(|refusal| refused(refusal, fingerprint))?;
        for key in held.iter().filter(|key| idp_certificates::fingerprint(&key.certificate) == fingerprint) {
            connection_keys::delete(tx, key).await?;
        }
        Ok(())
    })?;
    tracing::info!(connection = %id, fingerprint, "connection key taken away");
    Ok(())
}

fn refused(refusal: rules::Refusal, fingerprint: &str) -> Refusal {
    let invalid = |param: &str, reason: String| Refusal::ParamInvalid { param: param.into(), reason };
    match refusal {
        rules::Refusal::TooMany { limit } => {
            invalid("purpose", format!("has {limit} keys already; take one away before"))
        }
        rules::Refusal::Unknown => {
            Refusal::NotFound { what: "connection key", id: fingerprint.chars().take(100).collect() }
        }
        rules::Refusal::NotForSigning => {
            invalid("fingerprint", "is that of a key that decrypts and does not sign".into())
        }
        rules::Refusal::LastOne => {
            invalid("fingerprint", "is that of the only key for its purpose; add another before".into())
        }
        rules::Refusal::Signs => {
            invalid("fingerprint", "is that of the key that signs; sign with another before".into())
        }
    }
}
