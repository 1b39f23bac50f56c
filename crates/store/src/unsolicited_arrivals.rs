//! People whom an IdP sent without having been asked (IdP-initiated sign-in).

use crate::db::{Row, Tx, args, json_text, statements};
use crate::error::StoreError;
use doorward_model::{Millis, UnsolicitedArrival};

statements! {
    BY_FINISH = "SELECT finish_sha256, connection_id, cookie_sha256, profile, redirect_url, expires_at, created_at FROM unsolicited_arrivals \
                 WHERE finish_sha256 = $1";
    INSERT = "INSERT INTO unsolicited_arrivals (finish_sha256, connection_id, cookie_sha256, profile, redirect_url, expires_at, created_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7)";
    DELETE = "DELETE FROM unsolicited_arrivals WHERE finish_sha256 = $1";
    PRUNE = "DELETE FROM unsolicited_arrivals WHERE finish_sha256 IN \
             (SELECT finish_sha256 FROM unsolicited_arrivals WHERE expires_at <= $1 LIMIT 1000)";
}

fn read(row: &mut Row<'_>) -> Result<UnsolicitedArrival, StoreError> {
    Ok(UnsolicitedArrival {
        finish_sha256: row.text()?,
        connection_id: row.id()?,
        cookie_sha256: row.text()?,
        profile: row.json()?,
        redirect_url: row.text()?,
        expires_at: row.int()?,
        created_at: row.int()?,
    })
}

/// The arrival that waits under this hashed token.
pub async fn by_finish(tx: &mut Tx, sha256: &str) -> Result<Option<UnsolicitedArrival>, StoreError> {
    tx.optional(BY_FINISH, args![sha256], read).await
}

/// Adds an arrival.
pub async fn insert(tx: &mut Tx, arrival: &UnsolicitedArrival) -> Result<(), StoreError> {
    let args = args![
        &arrival.finish_sha256,
        arrival.connection_id.as_str(),
        &arrival.cookie_sha256,
        json_text(&arrival.profile)?,
        &arrival.redirect_url,
        arrival.expires_at,
        arrival.created_at,
    ];
    tx.run(INSERT, args).await.map(drop)
}

/// Ends an arrival; it counts once.
pub async fn delete(tx: &mut Tx, sha256: &str) -> Result<bool, StoreError> {
    Ok(tx.run(DELETE, args![sha256]).await? > 0)
}

/// Removes up to a thousand arrivals that ran out at or before `now`; answers how many.
pub async fn prune(tx: &mut Tx, now: Millis) -> Result<u64, StoreError> {
    tx.run(PRUNE, args![now]).await
}
