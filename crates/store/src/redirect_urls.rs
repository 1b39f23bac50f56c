//! URLs the operator allows browsers to be sent to.

use crate::db::{Row, Tx, args, statements};
use crate::error::StoreError;
use crate::filter::Page;
use doorward_model::{RedirectUrl, RedirectUrlId};

macro_rules! columns {
    () => {
        "id, url, created_at, updated_at"
    };
}

statements! {
    BY_ID = concat!("SELECT ", columns!(), " FROM redirect_urls WHERE id = $1");
    BY_URL = concat!("SELECT ", columns!(), " FROM redirect_urls WHERE url = $1");
    LIST = concat!("SELECT ", columns!(), " FROM redirect_urls ORDER BY created_at DESC, id DESC LIMIT CAST($1 AS BIGINT) OFFSET CAST($2 AS BIGINT)");
    COUNT = "SELECT COUNT(*) FROM redirect_urls";
    INSERT = "INSERT INTO redirect_urls (id, url, created_at, updated_at) VALUES ($1, $2, $3, $4)";
    DELETE = "DELETE FROM redirect_urls WHERE id = $1";
}

fn read(row: &mut Row<'_>) -> Result<RedirectUrl, StoreError> {
    Ok(RedirectUrl { id: row.id()?, url: row.text()?, created_at: row.int()?, updated_at: row.int()? })
}

/// One by id.
pub async fn by_id(tx: &mut Tx, id: &RedirectUrlId) -> Result<Option<RedirectUrl>, StoreError> {
    tx.optional(BY_ID, args![id.as_str()], read).await
}

/// One by its exact text.
pub async fn by_url(tx: &mut Tx, url: &str) -> Result<Option<RedirectUrl>, StoreError> {
    tx.optional(BY_URL, args![url], read).await
}

/// A page, newest first.
pub async fn list(tx: &mut Tx, page: Page) -> Result<Vec<RedirectUrl>, StoreError> {
    tx.all(LIST, args![page.limit, page.offset], read).await
}

/// How many there are.
pub async fn count(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(tx.optional(COUNT, args![], |row| row.int()).await?.unwrap_or(0))
}

/// Adds one.
pub async fn insert(tx: &mut Tx, url: &RedirectUrl) -> Result<(), StoreError> {
    tx.run(INSERT, args![url.id.as_str(), &url.url, url.created_at, url.updated_at]).await.map(drop)
}

/// Removes one; answers whether it was there.
pub async fn delete(tx: &mut Tx, id: &RedirectUrlId) -> Result<bool, StoreError> {
    Ok(tx.run(DELETE, args![id.as_str()]).await? > 0)
}
