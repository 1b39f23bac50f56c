//! What EASIE providers gave us with which to ask whether an account is still there.

use crate::db::{Row, Tx, args, statements};
use crate::error::StoreError;
use doorward_model::{EasieGrant, EasieGrantState, EnterpriseAccountId};

macro_rules! columns {
    () => {
        "account_id, user_id, connection_id, client_id, encrypted_refresh_token, state, confirmed_at, due_at, claimed_until, \
         failures, last_error, created_at, updated_at"
    };
}

statements! {
    OF_ACCOUNT = concat!("SELECT ", columns!(), " FROM easie_grants WHERE account_id = $1");
    SAVE = concat!("INSERT INTO easie_grants (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
                   ON CONFLICT (account_id) DO UPDATE SET client_id = excluded.client_id, \
                   encrypted_refresh_token = excluded.encrypted_refresh_token, state = excluded.state, \
                   confirmed_at = excluded.confirmed_at, due_at = excluded.due_at, claimed_until = excluded.claimed_until, \
                   failures = excluded.failures, last_error = excluded.last_error, updated_at = excluded.updated_at");
}

fn read(row: &mut Row<'_>) -> Result<EasieGrant, StoreError> {
    Ok(EasieGrant {
        account_id: row.id()?,
        user_id: row.id()?,
        connection_id: row.id()?,
        client_id: row.text()?,
        encrypted_refresh_token: row.maybe_text()?,
        state: row.word(EasieGrantState::parse)?,
        confirmed_at: row.int()?,
        due_at: row.maybe_int()?,
        claimed_until: row.int()?,
        failures: row.int()?,
        last_error: row.maybe_text()?,
        created_at: row.int()?,
        updated_at: row.int()?,
    })
}

/// That of an account.
pub async fn of_account(tx: &mut Tx, account: &EnterpriseAccountId) -> Result<Option<EasieGrant>, StoreError> {
    tx.optional(OF_ACCOUNT, args![account.as_str()], read).await
}

/// Saves what a sign-in brought, in the place of what there was: a claim that somebody has ends with it.
pub async fn save(tx: &mut Tx, grant: &EasieGrant) -> Result<(), StoreError> {
    let args = args![
        grant.account_id.as_str(),
        grant.user_id.as_str(),
        grant.connection_id.as_str(),
        &grant.client_id,
        &grant.encrypted_refresh_token,
        grant.state.as_str(),
        grant.confirmed_at,
        grant.due_at,
        grant.claimed_until,
        grant.failures,
        &grant.last_error,
        grant.created_at,
        grant.updated_at,
    ];
    tx.run(SAVE, args).await.map(drop)
}
