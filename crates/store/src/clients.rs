//! Browsers.

use crate::db::{Row, Tx, args, statements};
use crate::error::StoreError;
use doorward_model::{Client, ClientId, Millis, SessionId, SignInId, SignUpId};

macro_rules! columns {
    () => {
        "b.id, b.token_sha256, b.last_active_session_id, b.sign_in_id, b.sign_up_id, b.last_authentication_strategy, b.created_at, b.updated_at"
    };
}

statements! {
    BY_ID = concat!("SELECT ", columns!(), " FROM clients b WHERE b.id = $1");
    INSERT = "INSERT INTO clients (id, token_sha256, last_active_session_id, sign_in_id, sign_up_id, last_authentication_strategy, created_at, updated_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    UPDATE = "UPDATE clients SET token_sha256 = $2, last_active_session_id = $3, sign_in_id = $4, sign_up_id = $5, \
              last_authentication_strategy = $6, updated_at = $7 WHERE id = $1";
    DELETE = "DELETE FROM clients WHERE id = $1";
    PRUNE = "DELETE FROM clients WHERE id IN (SELECT b.id FROM clients b WHERE b.last_authentication_strategy IS NULL AND b.updated_at <= $1 \
             AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.client_id = b.id) \
             AND NOT EXISTS (SELECT 1 FROM sign_ins i WHERE i.client_id = b.id) \
             AND NOT EXISTS (SELECT 1 FROM sign_ups u WHERE u.client_id = b.id) LIMIT 1000)";
}

fn read(row: &mut Row<'_>) -> Result<Client, StoreError> {
    Ok(Client {
        id: row.id()?,
        token_sha256: row.text()?,
        last_active_session_id: row.maybe_id()?,
        sign_in_id: row.maybe_id()?,
        sign_up_id: row.maybe_id()?,
        last_authentication_strategy: row.maybe_text()?,
        created_at: row.int()?,
        updated_at: row.int()?,
    })
}

/// One by id.
pub async fn by_id(tx: &mut Tx, id: &ClientId) -> Result<Option<Client>, StoreError> {
    tx.optional(BY_ID, args![id.as_str()], read).await
}

/// Adds a browser.
pub async fn insert(tx: &mut Tx, client: &Client) -> Result<(), StoreError> {
    let args = args![
        client.id.as_str(),
        &client.token_sha256,
        client.last_active_session_id.as_ref().map(SessionId::as_str),
        client.sign_in_id.as_ref().map(SignInId::as_str),
        client.sign_up_id.as_ref().map(SignUpId::as_str),
        &client.last_authentication_strategy,
        client.created_at,
        client.updated_at,
    ];
    tx.run(INSERT, args).await.map(drop)
}

/// Saves a browser.
pub async fn update(tx: &mut Tx, client: &Client) -> Result<(), StoreError> {
    let args = args![
        client.id.as_str(),
        &client.token_sha256,
        client.last_active_session_id.as_ref().map(SessionId::as_str),
        client.sign_in_id.as_ref().map(SignInId::as_str),
        client.sign_up_id.as_ref().map(SignUpId::as_str),
        &client.last_authentication_strategy,
        client.updated_at,
    ];
    tx.run(UPDATE, args).await.map(drop)
}

/// Removes a browser with its sessions and attempts.
pub async fn delete(tx: &mut Tx, id: &ClientId) -> Result<bool, StoreError> {
    Ok(tx.run(DELETE, args![id.as_str()]).await? > 0)
}

/// Removes up to a thousand browsers that nobody ever signed in with, have no attempt left and were last changed at or
/// before `before`; answers how many.
pub async fn prune(tx: &mut Tx, before: Millis) -> Result<u64, StoreError> {
    tx.run(PRUNE, args![before]).await
}
