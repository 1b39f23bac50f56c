//! The identities people have at the IdPs of connections.

use crate::db::{Row, Tx, args, json_text, statements};
use crate::enterprise_connections;
use crate::error::StoreError;
use crate::filter::Filter;
use doorward_model::{
    Email, EnterpriseAccount, EnterpriseAccountId, EnterpriseConnection, EnterpriseConnectionId, OrganizationId, UserId,
};

macro_rules! columns {
    () => {
        "a.id, a.user_id, a.connection_id, a.subject, a.email_address, a.first_name, a.last_name, a.public_metadata, \
         a.last_authenticated_at, a.created_at, a.updated_at"
    };
}

statements! {
    BY_SUBJECT = concat!("SELECT ", columns!(), " FROM enterprise_accounts a WHERE a.connection_id = $1 AND a.subject = $2");
    SELECT = concat!("SELECT ", columns!(), " FROM enterprise_accounts a");
    OF_USER = concat!("SELECT ", columns!(), ", ", enterprise_connections::columns!(), " FROM enterprise_accounts a \
                      JOIN enterprise_connections c ON c.id = a.connection_id WHERE a.user_id = $1 ORDER BY a.created_at, a.id");
    BY_ID = concat!("SELECT ", columns!(), ", ", enterprise_connections::columns!(), " FROM enterprise_accounts a \
                    JOIN enterprise_connections c ON c.id = a.connection_id WHERE a.id = $1");
    COUNT_OF_USER_IN_ORGANIZATION = "SELECT COUNT(*) FROM enterprise_accounts a JOIN enterprise_connections c ON c.id = a.connection_id \
                                     WHERE a.user_id = $1 AND c.organization_id = $2";
    INSERT = "INSERT INTO enterprise_accounts (id, user_id, connection_id, subject, email_address, first_name, last_name, public_metadata, \
              last_authenticated_at, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    UPDATE = "UPDATE enterprise_accounts SET email_address = $2, first_name = $3, last_name = $4, public_metadata = $5, \
              last_authenticated_at = $6, updated_at = $7 WHERE id = $1";
}

fn read(row: &mut Row<'_>) -> Result<EnterpriseAccount, StoreError> {
    Ok(EnterpriseAccount {
        id: row.id()?,
        user_id: row.id()?,
        enterprise_connection_id: row.id()?,
        subject: row.text()?,
        email_address: Email::from_stored(row.text()?),
        first_name: row.maybe_text()?,
        last_name: row.maybe_text()?,
        public_metadata: row.json()?,
        last_authenticated_at: row.int()?,
        created_at: row.int()?,
        updated_at: row.int()?,
    })
}

/// The account of a subject at one connection (LNK-6).
pub async fn by_subject(
    tx: &mut Tx,
    connection: &EnterpriseConnectionId,
    subject: &str,
) -> Result<Option<EnterpriseAccount>, StoreError> {
    tx.optional(BY_SUBJECT, args![connection.as_str(), subject], read).await
}

/// One by id, with its connection.
pub async fn by_id(
    tx: &mut Tx,
    id: &EnterpriseAccountId,
) -> Result<Option<(EnterpriseAccount, EnterpriseConnection)>, StoreError> {
    tx.optional(BY_ID, args![id.as_str()], |row| Ok((read(row)?, enterprise_connections::read(row)?))).await
}

/// A user's accounts with their connections, oldest account first.
pub async fn of_user(tx: &mut Tx, user: &UserId) -> Result<Vec<(EnterpriseAccount, EnterpriseConnection)>, StoreError> {
    tx.all(OF_USER, args![user.as_str()], |row| Ok((read(row)?, enterprise_connections::read(row)?))).await
}

/// The accounts of many users.
pub async fn of_users(tx: &mut Tx, users: &[&str]) -> Result<Vec<EnterpriseAccount>, StoreError> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    let mut filter = Filter::new();
    filter.and_in("a.user_id IN", users, " ORDER BY a.created_at, a.id");
    let (sql, args) = filter.query(SELECT);
    tx.all_sql(sql, args, read).await
}

/// Whether a user has an account at a connection, active or not, that is linked to an organization.
pub async fn user_came_through(tx: &mut Tx, user: &UserId, organization: &OrganizationId) -> Result<bool, StoreError> {
    let args = args![user.as_str(), organization.as_str()];
    Ok(tx.optional(COUNT_OF_USER_IN_ORGANIZATION, args, |row| row.int()).await?.unwrap_or(0) > 0)
}

/// Adds an account.
pub async fn insert(tx: &mut Tx, account: &EnterpriseAccount) -> Result<(), StoreError> {
    let args = args![
        account.id.as_str(),
        account.user_id.as_str(),
        account.enterprise_connection_id.as_str(),
        &account.subject,
        account.email_address.as_str(),
        &account.first_name,
        &account.last_name,
        json_text(&account.public_metadata)?,
        account.last_authenticated_at,
        account.created_at,
        account.updated_at,
    ];
    tx.run(INSERT, args).await.map(drop)
}

/// Saves what the IdP said at the latest sign-in.
pub async fn update(tx: &mut Tx, account: &EnterpriseAccount) -> Result<(), StoreError> {
    let args = args![
        account.id.as_str(),
        account.email_address.as_str(),
        &account.first_name,
        &account.last_name,
        json_text(&account.public_metadata)?,
        account.last_authenticated_at,
        account.updated_at,
    ];
    tx.run(UPDATE, args).await.map(drop)
}
