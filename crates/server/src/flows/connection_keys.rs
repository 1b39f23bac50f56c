//! Our key pairs towards the IdPs of connections.

use crate::app::{App, internal};
use crate::flows::{FlowError, Refusal};
use crate::keys::connection_key;
use doorward_model::{ConnectionKey, EnterpriseConnectionId, KeyPurpose};
use doorward_saml::DecryptionKey;
use doorward_store::{Tx, connection_keys, enterprise_connections, write_tx};

/// What the private key is encrypted for, so that it is of no use in another row.
fn context(connection: &EnterpriseConnectionId, purpose: KeyPurpose) -> String {
    format!("{} key of {connection}", purpose.as_str())
}

/// The key pair of a connection, made when it is first published: until then no IdP can use it.
pub async fn publish(
    app: &App,
    connection: &EnterpriseConnectionId,
    purpose: KeyPurpose,
) -> Result<ConnectionKey, FlowError> {
    let found = connection_keys::get(&mut app.store.read().await?, connection, purpose).await?;
    if let Some(key) = found {
        return Ok(key);
    }
    let made = tokio::task::spawn_blocking(connection_key::generate).await.map_err(internal)?.map_err(internal)?;
    let sealed = app.encryption.encrypt(&made.pkcs8, &context(connection, purpose), &*app.random).map_err(internal)?;
    let key = ConnectionKey {
        connection_id: connection.clone(),
        purpose,
        certificate: made.certificate,
        encrypted_private_key: sealed,
        created_at: app.now(),
    };
    write_tx!(app.store, FlowError, |tx| {
        // Another request may have been faster; the key that is there counts.
        if let Some(found) = connection_keys::get(tx, connection, purpose).await? {
            return Ok(found);
        }
        if enterprise_connections::by_id(tx, connection).await?.is_none() {
            return Err(Refusal::ConnectionNotFound { id: connection.to_string() }.into());
        }
        connection_keys::insert(tx, &key).await?;
        Ok(key.clone())
    })
}

/// The keys that decrypt what the IdP of a connection sends; none before the first was published.
pub async fn decryption_keys(
    app: &App,
    tx: &mut Tx,
    connection: &EnterpriseConnectionId,
) -> Result<Vec<DecryptionKey>, FlowError> {
    let Some(key) = connection_keys::get(tx, connection, KeyPurpose::Decryption).await? else { return Ok(Vec::new()) };
    let context = context(connection, KeyPurpose::Decryption);
    let pkcs8 = app.encryption.decrypt(&key.encrypted_private_key, &context).map_err(internal)?;
    Ok(vec![DecryptionKey::from_pkcs8(&pkcs8).map_err(internal)?])
}
