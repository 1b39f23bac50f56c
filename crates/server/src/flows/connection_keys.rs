//! Our key pairs towards the IdPs of connections.

use crate::app::{App, internal};
use crate::flows::{FlowError, Refusal, idp_certificates};
use crate::keys::connection_key;
use crate::keys::encryption::EncryptionKey;
use doorward_model::{ConnectionKey, EnterpriseConnection, EnterpriseConnectionId, KeyPurpose};
use doorward_rules::connection_keys::signing;
use doorward_saml::{DecryptionKey, SamlKey};
use doorward_store::{Tx, connection_keys, enterprise_connections, write_tx};

/// What the private key is encrypted for, so that it is of no use in another row.
fn context(connection: &EnterpriseConnectionId, purpose: KeyPurpose) -> String {
    format!("{} key of {connection}", purpose.as_str())
}

/// The key pair of a connection, made when it is first published: until then no IdP can use it.
async fn publish(
    app: &App,
    connection: &EnterpriseConnectionId,
    purpose: KeyPurpose,
) -> Result<ConnectionKey, FlowError> {
    let find = async || connection_keys::newest(&mut app.store.read().await?, connection, purpose).await;
    if let Some(key) = find().await? {
        return Ok(key);
    }
    // Anybody may ask for metadata; however many do, one key is made at a time, and one for a connection.
    let _turn = app.key_making.acquire().await.map_err(internal)?;
    if let Some(key) = find().await? {
        return Ok(key);
    }
    let key = make(app, connection, purpose).await?;
    write_tx!(app.store, FlowError, |tx| {
        if enterprise_connections::by_id(tx, connection).await?.is_none() {
            return Err(Refusal::ConnectionNotFound { id: connection.to_string() }.into());
        }
        keep_first(tx, &key).await
    })
}

/// A new key pair, to be stored by [`keep_first`]. Takes a while: not within a transaction.
pub async fn make(
    app: &App,
    connection: &EnterpriseConnectionId,
    purpose: KeyPurpose,
) -> Result<ConnectionKey, FlowError> {
    let made = tokio::task::spawn_blocking(connection_key::generate).await.map_err(internal)?.map_err(internal)?;
    let sealed = app.encryption.encrypt(&made.pkcs8, &context(connection, purpose), &*app.random).map_err(internal)?;
    Ok(ConnectionKey {
        connection_id: connection.clone(),
        purpose,
        certificate: made.certificate,
        encrypted_private_key: sealed,
        created_at: app.now(),
    })
}

/// Stores a key pair unless another request was faster; answers the one that counts.
pub async fn keep_first(tx: &mut Tx, key: &ConnectionKey) -> Result<ConnectionKey, FlowError> {
    if let Some(found) = connection_keys::newest(tx, &key.connection_id, key.purpose).await? {
        return Ok(found);
    }
    connection_keys::insert(tx, key).await?;
    Ok(key.clone())
}

/// What AuthnRequests of a connection are signed with; `None` where they are not signed.
pub async fn request_key(
    app: &App,
    tx: &mut Tx,
    connection: &EnterpriseConnection,
) -> Result<Option<SamlKey>, FlowError> {
    if !connection.saml.sign_requests {
        return Ok(None);
    }
    let held = connection_keys::all(tx, &connection.id, KeyPurpose::Signing).await?;
    let key = signing_first(connection, held).into_iter().next();
    let key = key.ok_or_else(|| internal("a connection that signs has no key"))?;
    Ok(Some(open_signing(&app.encryption, &key)?))
}

/// Of the key pairs for signing, the one that does so first, then the others.
pub fn signing_first(connection: &EnterpriseConnection, mut held: Vec<ConnectionKey>) -> Vec<ConnectionKey> {
    let fingerprint = |key: &ConnectionKey| idp_certificates::fingerprint(&key.certificate);
    let fingerprints: Vec<String> = held.iter().map(fingerprint).collect();
    let signs = signing(&fingerprints, connection.saml.signing_key.as_deref());
    if let Some(at) = signs.and_then(|signs| fingerprints.iter().position(|one| one == signs)) {
        held[..=at].rotate_right(1);
    }
    held
}

/// The certificates of all key pairs of a purpose, as our metadata lists them; one is made if there is none.
pub async fn published(
    app: &App,
    connection: &EnterpriseConnection,
    purpose: KeyPurpose,
) -> Result<Vec<String>, FlowError> {
    publish(app, &connection.id, purpose).await?;
    let held = connection_keys::all(&mut app.store.read().await?, &connection.id, purpose).await?;
    let held = if purpose == KeyPurpose::Signing { signing_first(connection, held) } else { held };
    Ok(held.into_iter().map(|key| key.certificate).collect())
}

/// The key pair that signs, out of its encryption.
pub fn open_signing(encryption: &EncryptionKey, key: &ConnectionKey) -> Result<SamlKey, FlowError> {
    SamlKey::from_pkcs8(&open(encryption, key)?, &key.certificate).map_err(internal)
}

/// The private key that decrypts, out of its encryption.
pub fn open_decryption(encryption: &EncryptionKey, key: &ConnectionKey) -> Result<DecryptionKey, FlowError> {
    DecryptionKey::from_pkcs8(&open(encryption, key)?).map_err(internal)
}

fn open(encryption: &EncryptionKey, key: &ConnectionKey) -> Result<Vec<u8>, FlowError> {
    encryption.decrypt(&key.encrypted_private_key, &context(&key.connection_id, key.purpose)).map_err(internal)
}

/// The keys that decrypt what the IdP of a connection sends; none before the first was published. One that cannot be opened
/// is an error in the log and does not keep the others from decrypting; if none can, that is the answer.
pub async fn decryption_keys(
    app: &App,
    tx: &mut Tx,
    connection: &EnterpriseConnectionId,
) -> Result<Vec<DecryptionKey>, FlowError> {
    let keys = connection_keys::all(tx, connection, KeyPurpose::Decryption).await?;
    let (mut opened, mut failed) = (Vec::new(), None);
    for key in &keys {
        match open_decryption(&app.encryption, key) {
            Ok(key) => opened.push(key),
            Err(error) => {
                let fingerprint = idp_certificates::fingerprint(&key.certificate);
                tracing::error!(%connection, fingerprint, %error, "a connection key that decrypts cannot be opened");
                failed = Some(error);
            }
        }
    }
    match failed {
        Some(error) if opened.is_empty() => Err(error),
        _ => Ok(opened),
    }
}
