//! Trips to SAML IdPs, and the memory of assertions that were accepted.

use crate::db::{Row, Tx, args, json_text, statements};
use crate::error::StoreError;
use doorward_model::{AttemptId, EnterpriseConnectionId, Millis, SamlRequest, SsoOutcome};

macro_rules! columns {
    () => {
        "relay_state_sha256, request_id, connection_id, attempt, attempt_id, client_id, redirect_url, action_complete_redirect_url, \
         base_url, outcome, finish_sha256, expires_at, created_at"
    };
}

statements! {
    BY_RELAY_STATE = concat!("SELECT ", columns!(), " FROM saml_requests WHERE relay_state_sha256 = $1");
    BY_FINISH = concat!("SELECT ", columns!(), " FROM saml_requests WHERE finish_sha256 = $1");
    INSERT = "INSERT INTO saml_requests (relay_state_sha256, request_id, connection_id, attempt, attempt_id, client_id, redirect_url, \
              action_complete_redirect_url, base_url, expires_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    ANSWER = "UPDATE saml_requests SET outcome = $2, finish_sha256 = $3 WHERE relay_state_sha256 = $1 AND outcome IS NULL";
    DELETE = "DELETE FROM saml_requests WHERE relay_state_sha256 = $1";
    PRUNE = "DELETE FROM saml_requests WHERE relay_state_sha256 IN (SELECT relay_state_sha256 FROM saml_requests WHERE expires_at <= $1 LIMIT 1000)";
    REMEMBER = "INSERT INTO saml_assertions (connection_id, assertion_id, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    PRUNE_ASSERTIONS = "DELETE FROM saml_assertions WHERE (connection_id, assertion_id) IN \
                        (SELECT connection_id, assertion_id FROM saml_assertions WHERE expires_at <= $1 LIMIT 1000)";
}

pub(crate) fn attempt_word(attempt: &AttemptId) -> &'static str {
    match attempt {
        AttemptId::SignIn(_) => "sign_in",
        AttemptId::SignUp(_) => "sign_up",
    }
}

pub(crate) fn read_attempt(row: &mut Row<'_>) -> Result<AttemptId, StoreError> {
    match (row.text()?.as_str(), row.text()?) {
        ("sign_in", id) => Ok(AttemptId::SignIn(id.into())),
        ("sign_up", id) => Ok(AttemptId::SignUp(id.into())),
        (other, _) => Err(StoreError::Corrupt(format!("{other:?} is no attempt"))),
    }
}

fn read(row: &mut Row<'_>) -> Result<SamlRequest, StoreError> {
    Ok(SamlRequest {
        relay_state_sha256: row.text()?,
        request_id: row.text()?,
        connection_id: row.id()?,
        attempt: read_attempt(row)?,
        client_id: row.id()?,
        redirect_url: row.text()?,
        action_complete_redirect_url: row.text()?,
        base_url: row.text()?,
        outcome: row.maybe_json()?,
        finish_sha256: row.maybe_text()?,
        expires_at: row.int()?,
        created_at: row.int()?,
    })
}

/// The trip with this hashed RelayState.
pub async fn by_relay_state(tx: &mut Tx, sha256: &str) -> Result<Option<SamlRequest>, StoreError> {
    tx.optional(BY_RELAY_STATE, args![sha256], read).await
}

/// The trip whose outcome waits under this hashed token.
pub async fn by_finish(tx: &mut Tx, sha256: &str) -> Result<Option<SamlRequest>, StoreError> {
    tx.optional(BY_FINISH, args![sha256], read).await
}

/// Adds a trip that begins.
pub async fn insert(tx: &mut Tx, request: &SamlRequest) -> Result<(), StoreError> {
    let args = args![
        &request.relay_state_sha256,
        &request.request_id,
        request.connection_id.as_str(),
        attempt_word(&request.attempt),
        request.attempt.as_str(),
        request.client_id.as_str(),
        &request.redirect_url,
        &request.action_complete_redirect_url,
        &request.base_url,
        request.expires_at,
        request.created_at,
    ];
    tx.run(INSERT, args).await.map(drop)
}

/// Stores what the IdP's answer amounted to. Answers `false` when the trip had its answer already.
pub async fn answer(
    tx: &mut Tx,
    relay_state_sha256: &str,
    outcome: &SsoOutcome,
    finish_sha256: &str,
) -> Result<bool, StoreError> {
    let args = args![relay_state_sha256, json_text(outcome)?, finish_sha256];
    Ok(tx.run(ANSWER, args).await? > 0)
}

/// Ends a trip; its outcome can be collected once.
pub async fn delete(tx: &mut Tx, relay_state_sha256: &str) -> Result<bool, StoreError> {
    Ok(tx.run(DELETE, args![relay_state_sha256]).await? > 0)
}

/// Removes up to a thousand trips that ran out at or before `now`; answers how many.
pub async fn prune(tx: &mut Tx, now: Millis) -> Result<u64, StoreError> {
    tx.run(PRUNE, args![now]).await
}

/// Remembers that a connection's assertion was used, until `expires_at`. Answers `false` for one that was used before (SML-11).
pub async fn remember_assertion(
    tx: &mut Tx,
    connection: &EnterpriseConnectionId,
    assertion_id: &str,
    expires_at: Millis,
) -> Result<bool, StoreError> {
    Ok(tx.run(REMEMBER, args![connection.as_str(), assertion_id, expires_at]).await? > 0)
}

/// Forgets up to a thousand assertions that can no longer be valid; answers how many.
pub async fn prune_assertions(tx: &mut Tx, now: Millis) -> Result<u64, StoreError> {
    tx.run(PRUNE_ASSERTIONS, args![now]).await
}
