//! Trips to OpenID Connect providers.

use crate::db::{Row, Tx, args, statements};
use crate::error::StoreError;
use crate::saml_requests::{attempt_word, read_attempt};
use doorward_model::{Millis, OidcRequest};

macro_rules! columns {
    () => {
        "state_sha256, nonce, encrypted_code_verifier, connection_id, trust_sha256, attempt, attempt_id, client_id, redirect_url, \
         action_complete_redirect_url, base_url, asks_consent, expires_at, created_at"
    };
}

statements! {
    BY_STATE = concat!("SELECT ", columns!(), " FROM oidc_requests WHERE state_sha256 = $1");
    INSERT = concat!("INSERT INTO oidc_requests (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)");
    TAKE = concat!("DELETE FROM oidc_requests WHERE state_sha256 = $1 RETURNING ", columns!());
    PRUNE = "DELETE FROM oidc_requests WHERE state_sha256 IN (SELECT state_sha256 FROM oidc_requests WHERE expires_at <= $1 LIMIT 1000)";
}

fn read(row: &mut Row<'_>) -> Result<OidcRequest, StoreError> {
    Ok(OidcRequest {
        state_sha256: row.text()?,
        nonce: row.text()?,
        encrypted_code_verifier: row.maybe_text()?,
        connection_id: row.id()?,
        trust_sha256: row.text()?,
        attempt: read_attempt(row)?,
        client_id: row.id()?,
        redirect_url: row.text()?,
        action_complete_redirect_url: row.text()?,
        base_url: row.text()?,
        asks_consent: row.bool()?,
        expires_at: row.int()?,
        created_at: row.int()?,
    })
}

/// The trip with this hashed state, which stays where it is.
pub async fn by_state(tx: &mut Tx, sha256: &str) -> Result<Option<OidcRequest>, StoreError> {
    tx.optional(BY_STATE, args![sha256], read).await
}

/// Adds a trip that begins.
pub async fn insert(tx: &mut Tx, request: &OidcRequest) -> Result<(), StoreError> {
    let args = args![
        &request.state_sha256,
        &request.nonce,
        &request.encrypted_code_verifier,
        request.connection_id.as_str(),
        &request.trust_sha256,
        attempt_word(&request.attempt),
        request.attempt.as_str(),
        request.client_id.as_str(),
        &request.redirect_url,
        &request.action_complete_redirect_url,
        &request.base_url,
        request.asks_consent,
        request.expires_at,
        request.created_at,
    ];
    tx.run(INSERT, args).await.map(drop)
}

/// Ends the trip with this hashed state and answers it: whoever comes second with the state finds nothing.
pub async fn take(tx: &mut Tx, sha256: &str) -> Result<Option<OidcRequest>, StoreError> {
    tx.optional(TAKE, args![sha256], read).await
}

/// Removes up to a thousand trips that ran out at or before `now`; answers how many.
pub async fn prune(tx: &mut Tx, now: Millis) -> Result<u64, StoreError> {
    tx.run(PRUNE, args![now]).await
}
