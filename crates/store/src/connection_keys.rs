//! Our own key pairs towards the IdPs of connections.

use crate::db::{Row, Tx, args, statements};
use crate::error::StoreError;
use doorward_model::{ConnectionKey, EnterpriseConnectionId, KeyPurpose};

statements! {
    BY_PURPOSE = "SELECT connection_id, purpose, certificate, encrypted_private_key, created_at FROM connection_keys \
                  WHERE connection_id = $1 AND purpose = $2 ORDER BY created_at DESC";
    INSERT = "INSERT INTO connection_keys (connection_id, purpose, certificate, encrypted_private_key, created_at) \
              VALUES ($1, $2, $3, $4, $5)";
    DELETE = "DELETE FROM connection_keys WHERE connection_id = $1 AND purpose = $2 AND created_at = $3";
}

fn read(row: &mut Row<'_>) -> Result<ConnectionKey, StoreError> {
    Ok(ConnectionKey {
        connection_id: row.id()?,
        purpose: row.word(KeyPurpose::parse)?,
        certificate: row.text()?,
        encrypted_private_key: row.text()?,
        created_at: row.int()?,
    })
}

/// The key pairs of a connection for a purpose, newest first.
pub async fn all(
    tx: &mut Tx,
    connection: &EnterpriseConnectionId,
    purpose: KeyPurpose,
) -> Result<Vec<ConnectionKey>, StoreError> {
    tx.all(BY_PURPOSE, args![connection.as_str(), purpose.as_str()], read).await
}

/// The newest of them.
pub async fn newest(
    tx: &mut Tx,
    connection: &EnterpriseConnectionId,
    purpose: KeyPurpose,
) -> Result<Option<ConnectionKey>, StoreError> {
    tx.optional(BY_PURPOSE, args![connection.as_str(), purpose.as_str()], read).await
}

/// Adds a key pair.
pub async fn insert(tx: &mut Tx, key: &ConnectionKey) -> Result<(), StoreError> {
    let args = args![
        key.connection_id.as_str(),
        key.purpose.as_str(),
        &key.certificate,
        &key.encrypted_private_key,
        key.created_at,
    ];
    tx.run(INSERT, args).await.map(drop)
}

/// Removes a key pair. Answers `false` if it is gone already.
pub async fn delete(tx: &mut Tx, key: &ConnectionKey) -> Result<bool, StoreError> {
    let args = args![key.connection_id.as_str(), key.purpose.as_str(), key.created_at];
    Ok(tx.run(DELETE, args).await? > 0)
}
