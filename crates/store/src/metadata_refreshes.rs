//! Where the refreshing of each connection's IdP metadata stands, and whose turn it is.

use crate::db::{Row, Tx, args, json_text, statements};
use crate::error::StoreError;
use doorward_model::{EnterpriseConnectionId, MetadataRefresh, MetadataRefreshRecord, Millis};

statements! {
    BY_CONNECTION = "SELECT connection_id, due_at, claimed_until, failures, succeeded_at, last, changes FROM metadata_refreshes \
                     WHERE connection_id = $1";
    DUE = "SELECT connection_id FROM metadata_refreshes WHERE due_at <= $1 AND claimed_until <= $1 \
           ORDER BY due_at, connection_id LIMIT 32";
    SCHEDULE = "INSERT INTO metadata_refreshes (connection_id, due_at, claimed_until, failures, changes) VALUES ($1, $2, 0, 0, '[]') \
                ON CONFLICT (connection_id) DO UPDATE SET due_at = excluded.due_at, failures = 0";
    ADD = "INSERT INTO metadata_refreshes (connection_id, claimed_until, failures, changes) VALUES ($1, 0, 0, '[]') \
           ON CONFLICT DO NOTHING";
    UNSCHEDULE = "UPDATE metadata_refreshes SET due_at = NULL WHERE connection_id = $1";
    CLAIM = "UPDATE metadata_refreshes SET claimed_until = $3 WHERE connection_id = $1 AND claimed_until <= $2";
    CLAIM_DUE = "UPDATE metadata_refreshes SET claimed_until = $3 WHERE connection_id = $1 AND claimed_until <= $2 AND due_at <= $2";
    PUT_OFF = "UPDATE metadata_refreshes SET due_at = $3, claimed_until = 0 \
               WHERE connection_id = $1 AND claimed_until = $2 AND due_at IS NOT NULL";
    SAVE = "UPDATE metadata_refreshes SET due_at = $3, claimed_until = 0, failures = $4, succeeded_at = $5, last = $6, changes = $7 \
            WHERE connection_id = $1 AND claimed_until = $2";
}

fn read(row: &mut Row<'_>) -> Result<MetadataRefresh, StoreError> {
    Ok(MetadataRefresh {
        connection_id: row.id()?,
        due_at: row.maybe_int()?,
        claimed_until: row.int()?,
        failures: row.int()?,
        succeeded_at: row.maybe_int()?,
        last: row.maybe_json::<MetadataRefreshRecord>()?,
        changes: row.json()?,
    })
}

/// That of a connection; none if it never was on the schedule nor refreshed.
pub async fn of(tx: &mut Tx, connection: &EnterpriseConnectionId) -> Result<Option<MetadataRefresh>, StoreError> {
    tx.optional(BY_CONNECTION, args![connection.as_str()], read).await
}

/// Up to 32 connections that are due and that nobody has claimed, those first that waited longest.
pub async fn due(tx: &mut Tx, now: Millis) -> Result<Vec<EnterpriseConnectionId>, StoreError> {
    tx.all(DUE, args![now], |row| row.id()).await
}

/// Makes room for the refreshes of a connection that is not on the schedule.
pub async fn add(tx: &mut Tx, connection: &EnterpriseConnectionId) -> Result<(), StoreError> {
    tx.run(ADD, args![connection.as_str()]).await.map(drop)
}

/// Sets when a connection is due and forgets its failures; `None` takes it off the schedule.
pub async fn schedule(
    tx: &mut Tx,
    connection: &EnterpriseConnectionId,
    due_at: Option<Millis>,
) -> Result<(), StoreError> {
    match due_at {
        Some(due_at) => tx.run(SCHEDULE, args![connection.as_str(), due_at]).await.map(drop),
        None => tx.run(UNSCHEDULE, args![connection.as_str()]).await.map(drop),
    }
}

/// Takes a connection for the caller alone until `until`, if nobody has it and, with `only_if_due`, it is still due. `until`
/// is the caller's proof: while it has not given the connection back, no other claim has the same, because others have to wait
/// until this one has run out and then end later.
pub async fn claim(
    tx: &mut Tx,
    connection: &EnterpriseConnectionId,
    now: Millis,
    until: Millis,
    only_if_due: bool,
) -> Result<bool, StoreError> {
    let sql = if only_if_due { CLAIM_DUE } else { CLAIM };
    Ok(tx.run(sql, args![connection.as_str(), now, until]).await? > 0)
}

/// Gives a claim back without having read anything, and has the connection due at another time if it is on the schedule.
pub async fn put_off(
    tx: &mut Tx,
    connection: &EnterpriseConnectionId,
    claimed_until: Millis,
    due_at: Millis,
) -> Result<(), StoreError> {
    tx.run(PUT_OFF, args![connection.as_str(), claimed_until, due_at]).await.map(drop)
}

/// Saves what came of a claim and gives it back. Answers `false`, and saves nothing, if somebody else has the connection now.
pub async fn save(tx: &mut Tx, refresh: &MetadataRefresh) -> Result<bool, StoreError> {
    let last = refresh.last.as_ref().map(json_text).transpose()?;
    let args = args![
        refresh.connection_id.as_str(),
        refresh.claimed_until,
        refresh.due_at,
        refresh.failures,
        refresh.succeeded_at,
        last,
        json_text(&refresh.changes)?,
    ];
    Ok(tx.run(SAVE, args).await? > 0)
}
