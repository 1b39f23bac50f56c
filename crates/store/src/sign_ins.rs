//! Sign-in attempts.

use crate::db::{Row, Tx, args, json_text, statements};
use crate::error::StoreError;
use doorward_model::{Email, Millis, SessionId, SignIn, SignInId, SignInStatus};

macro_rules! columns {
    () => {
        "id, client_id, status, identifier, verification, created_session_id, abandon_at, created_at, updated_at"
    };
}

statements! {
    BY_ID = concat!("SELECT ", columns!(), " FROM sign_ins WHERE id = $1");
    INSERT = concat!("INSERT INTO sign_ins (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
    UPDATE = "UPDATE sign_ins SET status = $2, identifier = $3, verification = $4, created_session_id = $5, updated_at = $6 WHERE id = $1";
    PRUNE = "DELETE FROM sign_ins WHERE id IN (SELECT id FROM sign_ins WHERE abandon_at <= $1 LIMIT 1000)";
}

fn read(row: &mut Row<'_>) -> Result<SignIn, StoreError> {
    Ok(SignIn {
        id: row.id()?,
        client_id: row.id()?,
        status: row.word(SignInStatus::parse)?,
        identifier: row.maybe_text()?.map(Email::from_stored),
        verification: row.maybe_json()?,
        created_session_id: row.maybe_id()?,
        abandon_at: row.int()?,
        created_at: row.int()?,
        updated_at: row.int()?,
    })
}

/// One by id.
pub async fn by_id(tx: &mut Tx, id: &SignInId) -> Result<Option<SignIn>, StoreError> {
    tx.optional(BY_ID, args![id.as_str()], read).await
}

/// Adds an attempt.
pub async fn insert(tx: &mut Tx, sign_in: &SignIn) -> Result<(), StoreError> {
    let args = args![
        sign_in.id.as_str(),
        sign_in.client_id.as_str(),
        sign_in.status.as_str(),
        sign_in.identifier.as_ref().map(Email::as_str),
        sign_in.verification.as_ref().map(json_text).transpose()?,
        sign_in.created_session_id.as_ref().map(SessionId::as_str),
        sign_in.abandon_at,
        sign_in.created_at,
        sign_in.updated_at,
    ];
    tx.run(INSERT, args).await.map(drop)
}

/// Saves an attempt.
pub async fn update(tx: &mut Tx, sign_in: &SignIn) -> Result<(), StoreError> {
    let args = args![
        sign_in.id.as_str(),
        sign_in.status.as_str(),
        sign_in.identifier.as_ref().map(Email::as_str),
        sign_in.verification.as_ref().map(json_text).transpose()?,
        sign_in.created_session_id.as_ref().map(SessionId::as_str),
        sign_in.updated_at,
    ];
    tx.run(UPDATE, args).await.map(drop)
}

/// Removes up to a thousand attempts that were abandoned at or before `before`; answers how many.
pub async fn prune(tx: &mut Tx, before: Millis) -> Result<u64, StoreError> {
    tx.run(PRUNE, args![before]).await
}
