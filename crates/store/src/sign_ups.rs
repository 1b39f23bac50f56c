//! Sign-up attempts.

use crate::db::{Row, Tx, args, json_text, statements};
use crate::error::StoreError;
use doorward_model::{Email, Millis, SessionId, SignUp, SignUpId, SignUpStatus, UserId};

macro_rules! columns {
    () => {
        "id, client_id, status, email_address, first_name, last_name, unsafe_metadata, verification, created_session_id, created_user_id, \
         abandon_at, created_at, updated_at"
    };
}

statements! {
    BY_ID = concat!("SELECT ", columns!(), " FROM sign_ups WHERE id = $1");
    INSERT = concat!("INSERT INTO sign_ups (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)");
    UPDATE = "UPDATE sign_ups SET status = $2, email_address = $3, first_name = $4, last_name = $5, unsafe_metadata = $6, verification = $7, \
              created_session_id = $8, created_user_id = $9, updated_at = $10 WHERE id = $1";
    PRUNE = "DELETE FROM sign_ups WHERE id IN (SELECT id FROM sign_ups WHERE abandon_at <= $1 LIMIT 1000)";
}

fn read(row: &mut Row<'_>) -> Result<SignUp, StoreError> {
    Ok(SignUp {
        id: row.id()?,
        client_id: row.id()?,
        status: row.word(SignUpStatus::parse)?,
        email_address: row.maybe_text()?.map(Email::from_stored),
        first_name: row.maybe_text()?,
        last_name: row.maybe_text()?,
        unsafe_metadata: row.json()?,
        verification: row.maybe_json()?,
        created_session_id: row.maybe_id()?,
        created_user_id: row.maybe_id()?,
        abandon_at: row.int()?,
        created_at: row.int()?,
        updated_at: row.int()?,
    })
}

/// One by id.
pub async fn by_id(tx: &mut Tx, id: &SignUpId) -> Result<Option<SignUp>, StoreError> {
    tx.optional(BY_ID, args![id.as_str()], read).await
}

/// Adds an attempt.
pub async fn insert(tx: &mut Tx, sign_up: &SignUp) -> Result<(), StoreError> {
    let args = args![
        sign_up.id.as_str(),
        sign_up.client_id.as_str(),
        sign_up.status.as_str(),
        sign_up.email_address.as_ref().map(Email::as_str),
        &sign_up.first_name,
        &sign_up.last_name,
        json_text(&sign_up.unsafe_metadata)?,
        sign_up.verification.as_ref().map(json_text).transpose()?,
        sign_up.created_session_id.as_ref().map(SessionId::as_str),
        sign_up.created_user_id.as_ref().map(UserId::as_str),
        sign_up.abandon_at,
        sign_up.created_at,
        sign_up.updated_at,
    ];
    tx.run(INSERT, args).await.map(drop)
}

/// Saves an attempt.
pub async fn update(tx: &mut Tx, sign_up: &SignUp) -> Result<(), StoreError> {
    let args = args![
        sign_up.id.as_str(),
        sign_up.status.as_str(),
        sign_up.email_address.as_ref().map(Email::as_str),
        &sign_up.first_name,
        &sign_up.last_name,
        json_text(&sign_up.unsafe_metadata)?,
        sign_up.verification.as_ref().map(json_text).transpose()?,
        sign_up.created_session_id.as_ref().map(SessionId::as_str),
        sign_up.created_user_id.as_ref().map(UserId::as_str),
        sign_up.updated_at,
    ];
    tx.run(UPDATE, args).await.map(drop)
}

/// Removes up to a thousand attempts that were abandoned at or before `before`; answers how many.
pub async fn prune(tx: &mut Tx, before: Millis) -> Result<u64, StoreError> {
    tx.run(PRUNE, args![before]).await
}
