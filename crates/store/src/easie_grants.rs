//! What EASIE providers gave us with which to ask whether an account is still there.

use crate::db::{Row, Tx, args, statements};
use crate::error::StoreError;
use crate::filter::Page;
use doorward_model::{
    EasieGrant, EasieGrantState, EasieProvider, Email, EnterpriseAccountId, EnterpriseConnectionId, Millis, Provider,
    UserId,
};

macro_rules! columns {
    () => {
        "account_id, user_id, connection_id, client_id, encrypted_refresh_token, state, confirmed_at, due_at, claimed_until, \
         failures, last_error, created_at, updated_at"
    };
}

/// Whether somebody is signed in as the user of the grant `g` at the time `$1`.
macro_rules! is_signed_in {
    () => {
        "EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = g.user_id AND s.status = 'active' AND s.expire_at > $1 AND s.abandon_at > $1)"
    };
}

statements! {
    OF_ACCOUNT = concat!("SELECT ", columns!(), " FROM easie_grants WHERE account_id = $1");
    SAVE = concat!("INSERT INTO easie_grants (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
                   ON CONFLICT (account_id) DO UPDATE SET client_id = excluded.client_id, \
                   encrypted_refresh_token = excluded.encrypted_refresh_token, state = excluded.state, \
                   confirmed_at = excluded.confirmed_at, due_at = excluded.due_at, claimed_until = excluded.claimed_until, \
                   failures = excluded.failures, last_error = excluded.last_error, updated_at = excluded.updated_at");
    TO_CONFIRM = "SELECT g.account_id FROM easie_grants g JOIN enterprise_connections c ON c.id = g.connection_id \
                  WHERE g.user_id = $1 AND g.state = 'live' AND c.active AND (g.due_at IS NULL OR g.due_at <= $2) ORDER BY g.account_id";
    CLAIM = concat!("UPDATE easie_grants SET claimed_until = $3 WHERE account_id = $1 AND claimed_until <= $2 AND state = 'live' \
                    RETURNING ", columns!());
    DUE = concat!("SELECT g.account_id FROM easie_grants g JOIN enterprise_connections c ON c.id = g.connection_id \
                  WHERE g.due_at <= $1 AND g.claimed_until <= $1 AND c.provider = $2 AND c.active AND ", is_signed_in!(), " \
                  ORDER BY g.due_at, g.account_id LIMIT CAST($3 AS BIGINT)");
    CLAIM_DUE = concat!("UPDATE easie_grants SET claimed_until = $3 WHERE account_id = $1 AND claimed_until <= $2 AND due_at <= $2 \
                        AND state = 'live' RETURNING ", columns!());
    REST = concat!("UPDATE easie_grants SET due_at = NULL WHERE claimed_until <= $1 AND account_id IN \
                   (SELECT g.account_id FROM easie_grants g JOIN enterprise_connections c ON c.id = g.connection_id \
                   WHERE g.due_at <= $1 AND g.claimed_until <= $1 AND NOT (c.active AND ", is_signed_in!(), ") \
                   ORDER BY g.due_at, g.account_id LIMIT 500)");
    REPLACE_TOKEN = "UPDATE easie_grants SET encrypted_refresh_token = $4, updated_at = $5 \
                     WHERE account_id = $1 AND claimed_until = $2 AND COALESCE(encrypted_refresh_token, '') = $3";
    SAVE_CLAIMED = "UPDATE easie_grants SET encrypted_refresh_token = $4, state = $5, confirmed_at = $6, due_at = $7, claimed_until = 0, \
                    failures = $8, last_error = $9, updated_at = $10 \
                    WHERE account_id = $1 AND claimed_until = $2 AND COALESCE(encrypted_refresh_token, '') = $3";
    GIVE_BACK = "UPDATE easie_grants SET claimed_until = 0, due_at = $3 WHERE account_id = $1 AND claimed_until = $2 AND state = 'live'";
    IS_CLAIMED = "SELECT claimed_until FROM easie_grants WHERE account_id = $1 AND claimed_until > $2";
    GONE_AT = "SELECT updated_at FROM easie_grants WHERE user_id = $1 AND state = 'gone'";
    OF_CONNECTION = concat!("SELECT ", columns!(), ", (SELECT a.email_address FROM enterprise_accounts a WHERE a.id = g.account_id) \
                            FROM easie_grants g WHERE connection_id = $1 \
                            ORDER BY failures DESC, account_id LIMIT CAST($2 AS BIGINT) OFFSET CAST($3 AS BIGINT)");
    COUNT_OF_CONNECTION = "SELECT COUNT(*) FROM easie_grants WHERE connection_id = $1";
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

/// A user's live accounts at active connections that are due or rest.
pub async fn to_confirm(tx: &mut Tx, user: &UserId, now: Millis) -> Result<Vec<EnterpriseAccountId>, StoreError> {
    tx.all(TO_CONFIRM, args![user.as_str(), now], |row| row.id()).await
}

/// A claimed grant is the claimer's alone until its `claimed_until`. This time and the refresh token together are the proof: as
/// long as the claim was not given back nobody else has the same, because others have to wait until it has run out and then claim
/// until later, and because every sealed token is another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    account_id: EnterpriseAccountId,
    claimed_until: Millis,
    encrypted_refresh_token: Option<String>,
}

impl Claim {
    /// The proof of who was given this grant by [`claim`].
    pub fn of(grant: &EasieGrant) -> Self {
        Self {
            account_id: grant.account_id.clone(),
            claimed_until: grant.claimed_until,
            encrypted_refresh_token: grant.encrypted_refresh_token.clone(),
        }
    }

    /// Until when nobody else can have it.
    pub fn until(&self) -> Millis {
        self.claimed_until
    }

    fn token(&self) -> &str {
        self.encrypted_refresh_token.as_deref().unwrap_or_default()
    }
}

/// Takes a live grant for the caller alone, if nobody has it and, with `only_if_due`, it is still due.
pub async fn claim(
    tx: &mut Tx,
    account: &EnterpriseAccountId,
    now: Millis,
    until: Millis,
    only_if_due: bool,
) -> Result<Option<EasieGrant>, StoreError> {
    let sql = if only_if_due { CLAIM_DUE } else { CLAIM };
    tx.optional(sql, args![account.as_str(), now, until], read).await
}

/// Up to `most` accounts at active connections to a provider that are due, that nobody has claimed, and with which somebody is
/// signed in; those first that waited longest.
pub async fn due(
    tx: &mut Tx,
    provider: EasieProvider,
    now: Millis,
    most: i64,
) -> Result<Vec<EnterpriseAccountId>, StoreError> {
    let provider = match provider {
        EasieProvider::Google => Provider::OauthGoogle,
        EasieProvider::Microsoft => Provider::OauthMicrosoft,
    };
    tx.all(DUE, args![now, provider.as_str(), most], |row| row.id()).await
}

/// Takes up to 500 grants that are due off the schedule because nobody is signed in with them or their connection was switched
/// off; answers how many. So those that are asked after stand at the front of the index.
pub async fn rest(tx: &mut Tx, now: Millis) -> Result<u64, StoreError> {
    tx.run(REST, args![now]).await
}

/// Whether somebody has a grant.
pub async fn is_claimed(tx: &mut Tx, account: &EnterpriseAccountId, now: Millis) -> Result<bool, StoreError> {
    Ok(tx.optional(IS_CLAIMED, args![account.as_str(), now], |row| row.int()).await?.is_some())
}

/// Puts another refresh token in the place of the one that was used, and answers the new proof; `None`, and nothing is changed, if
/// the caller has the grant no more.
pub async fn replace_token(
    tx: &mut Tx,
    claim: &Claim,
    encrypted_refresh_token: &str,
    now: Millis,
) -> Result<Option<Claim>, StoreError> {
    let args = args![claim.account_id.as_str(), claim.claimed_until, claim.token(), encrypted_refresh_token, now];
    let is_ours = tx.run(REPLACE_TOKEN, args).await? > 0;
    Ok(is_ours.then(|| Claim { encrypted_refresh_token: Some(encrypted_refresh_token.to_owned()), ..claim.clone() }))
}

/// Saves what came of a claim and gives it back. Answers `false`, and saves nothing, if the caller has the grant no more.
pub async fn save_claimed(tx: &mut Tx, claim: &Claim, grant: &EasieGrant) -> Result<bool, StoreError> {
    let args = args![
        claim.account_id.as_str(),
        claim.claimed_until,
        claim.token(),
        &grant.encrypted_refresh_token,
        grant.state.as_str(),
        grant.confirmed_at,
        grant.due_at,
        grant.failures,
        &grant.last_error,
        grant.updated_at,
    ];
    Ok(tx.run(SAVE_CLAIMED, args).await? > 0)
}

/// Gives a claim back without having found out anything, and has the grant due at another time or rest.
pub async fn give_back(tx: &mut Tx, claim: &Claim, due_at: Option<Millis>) -> Result<(), StoreError> {
    tx.run(GIVE_BACK, args![claim.account_id.as_str(), claim.claimed_until, due_at]).await.map(drop)
}

/// When accounts of a user were found to be gone.
pub async fn gone_at(tx: &mut Tx, user: &UserId) -> Result<Vec<Millis>, StoreError> {
    tx.all(GONE_AT, args![user.as_str()], |row| row.int()).await
}

/// A page of those of a connection with the accounts' addresses, those first whose provider failed most often in a row.
pub async fn of_connection(
    tx: &mut Tx,
    connection: &EnterpriseConnectionId,
    page: Page,
) -> Result<Vec<(EasieGrant, Email)>, StoreError> {
    let args = args![connection.as_str(), page.limit, page.offset];
    tx.all(OF_CONNECTION, args, |row| Ok((read(row)?, Email::from_stored(row.text()?)))).await
}

/// How many a connection has.
pub async fn count_of_connection(tx: &mut Tx, connection: &EnterpriseConnectionId) -> Result<i64, StoreError> {
    Ok(tx.optional(COUNT_OF_CONNECTION, args![connection.as_str()], |row| row.int()).await?.unwrap_or(0))
}
