//! Users and their email addresses.

use crate::db::{Arg, Row, Tx, args, json_text, statements};
use crate::error::StoreError;
use crate::filter::{Direction, Filter, Page, Selection, address_contains_pattern, contains_pattern};
use crate::totals::{self, Counted};
use doorward_model::{Email, EmailAddress, EmailAddressId, EmailVerification, Millis, User, UserId};

macro_rules! columns {
    () => {
        "u.id, u.external_id, u.username, u.first_name, u.last_name, u.locale, u.primary_email_address_id, u.public_metadata, \
         u.private_metadata, u.unsafe_metadata, u.banned, u.locked, u.deprovisioned, u.delete_self_enabled, \
         u.create_organization_enabled, u.create_organizations_limit, u.bypass_client_trust, u.legal_accepted_at, \
         u.last_sign_in_at, u.last_active_at, u.created_at, u.updated_at"
    };
}
pub(crate) use columns;

macro_rules! address_columns {
    () => {
        "e.id, e.user_id, e.address, e.verification, e.created_at, e.updated_at"
    };
}

/// The address a list orders by.
pub(crate) const PRIMARY_ADDRESS: &str =
    "COALESCE((SELECT e.address FROM email_addresses e WHERE e.id = u.primary_email_address_id), '')";
pub(crate) const ADDRESS_CONTAINS: &str =
    "EXISTS (SELECT 1 FROM email_addresses e WHERE e.user_id = u.id AND e.address LIKE ? ESCAPE '\\')";
pub(crate) const NAME_CONTAINS: &str =
    "LOWER(COALESCE(u.first_name, '') || ' ' || COALESCE(u.last_name, '')) LIKE LOWER(?) ESCAPE '\\'";
const ANYTHING_CONTAINS: &str = "(LOWER(u.id) LIKE LOWER(?) ESCAPE '\\' OR LOWER(u.username) LIKE LOWER(?) ESCAPE '\\' \
     OR LOWER(COALESCE(u.first_name, '') || ' ' || COALESCE(u.last_name, '')) LIKE LOWER(?) ESCAPE '\\' \
     OR EXISTS (SELECT 1 FROM email_addresses e WHERE e.user_id = u.id AND e.address LIKE ? ESCAPE '\\'))";

statements! {
    BY_ID = concat!("SELECT ", columns!(), " FROM users u WHERE u.id = $1");
    BY_EXTERNAL_ID = concat!("SELECT ", columns!(), " FROM users u WHERE u.external_id = $1");
    BY_USERNAME = concat!("SELECT ", columns!(), " FROM users u WHERE u.username = $1");
    SELECT = concat!("SELECT ", columns!(), " FROM users u");
    COUNT = "SELECT COUNT(*) FROM users u";
    INSERT = "INSERT INTO users (id, external_id, username, first_name, last_name, locale, primary_email_address_id, public_metadata, \
              private_metadata, unsafe_metadata, banned, locked, deprovisioned, delete_self_enabled, create_organization_enabled, \
              create_organizations_limit, bypass_client_trust, legal_accepted_at, last_sign_in_at, last_active_at, created_at, updated_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)";
    // SQLite writes the entry of every index over a column that is set, whether or not its value changes; sign-ins change none.
    UPDATE = "UPDATE users SET locale = $2, primary_email_address_id = $3, public_metadata = $4, private_metadata = $5, \
              unsafe_metadata = $6, banned = $7, locked = $8, deprovisioned = $9, delete_self_enabled = $10, \
              create_organization_enabled = $11, create_organizations_limit = $12, bypass_client_trust = $13, legal_accepted_at = $14, \
              last_sign_in_at = $15, last_active_at = $16, updated_at = $17 WHERE id = $1 \
              RETURNING external_id, username, first_name, last_name, created_at";
    UPDATE_INDEXED = "UPDATE users SET external_id = $2, username = $3, first_name = $4, last_name = $5, created_at = $6 WHERE id = $1";
    LEAVE_ORGANIZATIONS = "UPDATE organizations SET members_count = members_count - 1 \
                           WHERE id IN (SELECT organization_id FROM organization_memberships WHERE user_id = $1)";
    DELETE = "DELETE FROM users WHERE id = $1";
    TOUCH = "UPDATE users SET last_active_at = $2 WHERE id = $1";
    ADDRESSES_OF = concat!("SELECT ", address_columns!(), " FROM email_addresses e WHERE e.user_id = $1 ORDER BY e.created_at, e.id");
    SELECT_ADDRESSES = concat!("SELECT ", address_columns!(), " FROM email_addresses e");
    ADDRESSES_NAMED = concat!("SELECT ", address_columns!(), " FROM email_addresses e WHERE e.address = $1 ORDER BY e.created_at, e.id");
    INSERT_ADDRESS = "INSERT INTO email_addresses (id, user_id, address, verification, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6)";
    VERIFY_ADDRESS = "UPDATE email_addresses SET verification = $2, updated_at = $3 WHERE id = $1";
}

/// Reads the columns of [`columns!`].
pub(crate) fn read(row: &mut Row<'_>) -> Result<User, StoreError> {
    Ok(User {
        id: row.id()?,
        external_id: row.maybe_text()?,
        username: row.maybe_text()?,
        first_name: row.maybe_text()?,
        last_name: row.maybe_text()?,
        locale: row.maybe_text()?,
        primary_email_address_id: row.maybe_id()?,
        public_metadata: row.json()?,
        private_metadata: row.json()?,
        unsafe_metadata: row.json()?,
        banned: row.bool()?,
        locked: row.bool()?,
        deprovisioned: row.bool()?,
        delete_self_enabled: row.bool()?,
        create_organization_enabled: row.bool()?,
        create_organizations_limit: row.maybe_int()?,
        bypass_client_trust: row.bool()?,
        legal_accepted_at: row.maybe_int()?,
        last_sign_in_at: row.maybe_int()?,
        last_active_at: row.maybe_int()?,
        created_at: row.int()?,
        updated_at: row.int()?,
    })
}

fn read_address(row: &mut Row<'_>) -> Result<EmailAddress, StoreError> {
    Ok(EmailAddress {
        id: row.id()?,
        user_id: row.id()?,
        address: Email::from_stored(row.text()?),
        verification: row.word(EmailVerification::parse)?,
        created_at: row.int()?,
        updated_at: row.int()?,
    })
}

/// One by id.
pub async fn by_id(tx: &mut Tx, id: &UserId) -> Result<Option<User>, StoreError> {
    tx.optional(BY_ID, args![id.as_str()], read).await
}

/// One by the operator's own id for it.
pub async fn by_external_id(tx: &mut Tx, external_id: &str) -> Result<Option<User>, StoreError> {
    tx.optional(BY_EXTERNAL_ID, args![external_id], read).await
}

/// One by username.
pub async fn by_username(tx: &mut Tx, username: &str) -> Result<Option<User>, StoreError> {
    tx.optional(BY_USERNAME, args![username], read).await
}

/// What a list of users asks for.
#[derive(Clone, Debug, Default)]
pub struct ListFilter {
    /// Exact addresses, lower-case.
    pub email_address: Vec<String>,
    pub external_id: Selection,
    pub username: Vec<String>,
    pub user_id: Selection,
    pub organization_id: Selection,
    /// Part of an address, username, user id or name.
    pub query: Option<String>,
    pub email_address_query: Option<String>,
    pub username_query: Option<String>,
    pub name_query: Option<String>,
    pub banned: Option<bool>,
    pub last_active_at_before: Option<Millis>,
    pub last_active_at_after: Option<Millis>,
    pub created_at_before: Option<Millis>,
    pub created_at_after: Option<Millis>,
    pub last_sign_in_at_before: Option<Millis>,
    pub last_sign_in_at_after: Option<Millis>,
    /// Users after this one in the default order.
    pub older_than: Option<(Millis, UserId)>,
    /// Users after this one in ascending order of creation.
    pub newer_than: Option<(Millis, UserId)>,
}

/// What a list of users is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    CreatedAt,
    UpdatedAt,
    EmailAddress,
    FirstName,
    LastName,
    Username,
    LastActiveAt,
    LastSignInAt,
}

impl Order {
    fn column(self) -> &'static str {
        match self {
            Self::CreatedAt => "u.created_at",
            Self::UpdatedAt => "u.updated_at",
            Self::EmailAddress => PRIMARY_ADDRESS,
            Self::FirstName => "COALESCE(u.first_name, '')",
            Self::LastName => "COALESCE(u.last_name, '')",
            Self::Username => "COALESCE(u.username, '')",
            Self::LastActiveAt => "COALESCE(u.last_active_at, 0)",
            Self::LastSignInAt => "COALESCE(u.last_sign_in_at, 0)",
        }
    }
}

/// Conditions that lists of users and of members share.
pub(crate) fn match_texts(filter: &mut Filter, addresses: &[String], usernames: &[String], query: Option<&str>) {
    if !addresses.is_empty() {
        filter.and_in("u.id IN (SELECT e.user_id FROM email_addresses e WHERE e.address IN", addresses, ")");
    }
    if !usernames.is_empty() {
        filter.and_in("u.username IN", usernames, "");
    }
    if let Some(query) = query {
        let pattern = contains_pattern(query);
        filter.and(ANYTHING_CONTAINS, [pattern.clone(), pattern.clone(), pattern, address_contains_pattern(query)]);
    }
}

fn conditions(wanted: &ListFilter) -> Filter {
    let mut filter = Filter::new();
    match_texts(&mut filter, &wanted.email_address, &wanted.username, wanted.query.as_deref());
    wanted.external_id.apply(
        &mut filter,
        "(u.external_id IN",
        // `NULL NOT IN (…)` is not true, but who has no external id is not among those named.
        "(u.external_id IS NULL OR u.external_id NOT IN",
        ")",
    );
    wanted.user_id.apply(&mut filter, "u.id IN", "u.id NOT IN", "");
    wanted.organization_id.apply(
        &mut filter,
        "u.id IN (SELECT m.user_id FROM organization_memberships m WHERE m.organization_id IN",
        "u.id NOT IN (SELECT m.user_id FROM organization_memberships m WHERE m.organization_id IN",
        ")",
    );
    if let Some(text) = &wanted.email_address_query {
        filter.and(ADDRESS_CONTAINS, [address_contains_pattern(text)]);
    }
    let texts =
        [("LOWER(u.username) LIKE LOWER(?) ESCAPE '\\'", &wanted.username_query), (NAME_CONTAINS, &wanted.name_query)];
    for (fragment, text) in texts {
        if let Some(text) = text {
            filter.and(fragment, [contains_pattern(text)]);
        }
    }
    if let Some(banned) = wanted.banned {
        filter.and("u.banned = ?", [banned.into()]);
    }
    let bounds = [
        ("u.last_active_at < ?", wanted.last_active_at_before),
        ("u.last_active_at > ?", wanted.last_active_at_after),
        ("u.created_at < ?", wanted.created_at_before),
        ("u.created_at > ?", wanted.created_at_after),
        ("u.last_sign_in_at < ?", wanted.last_sign_in_at_before),
        ("u.last_sign_in_at > ?", wanted.last_sign_in_at_after),
    ];
    for (fragment, bound) in bounds {
        if let Some(bound) = bound {
            filter.and(fragment, [Arg::from(bound)]);
        }
    }
    if let Some((created_at, id)) = &wanted.older_than {
        filter.and("(u.created_at, u.id) < (?, ?)", [Arg::from(*created_at), id.as_str().into()]);
    }
    if let Some((created_at, id)) = &wanted.newer_than {
        filter.and("(u.created_at, u.id) > (?, ?)", [Arg::from(*created_at), id.as_str().into()]);
    }
    filter
}

/// A page of users.
pub async fn list(
    tx: &mut Tx,
    wanted: &ListFilter,
    order: (Order, Direction),
    page: Page,
) -> Result<Vec<User>, StoreError> {
    let (sql, args) = conditions(wanted).page(SELECT, (order.0.column(), order.1), "u.id", page);
    tx.all_sql(sql, args, read).await
}

/// How many users a list would find in all.
pub async fn count(tx: &mut Tx, wanted: &ListFilter) -> Result<i64, StoreError> {
    let filter = conditions(wanted);
    if filter.is_empty() {
        return totals::of(tx, Counted::Users).await;
    }
    let (sql, args) = filter.query(COUNT);
    tx.count_sql(sql, args).await
}

/// Adds a user.
pub async fn insert(tx: &mut Tx, user: &User) -> Result<(), StoreError> {
    let args = args![
        user.id.as_str(),
        &user.external_id,
        &user.username,
        &user.first_name,
        &user.last_name,
        &user.locale,
        user.primary_email_address_id.as_ref().map(EmailAddressId::as_str),
        json_text(&user.public_metadata)?,
        json_text(&user.private_metadata)?,
        json_text(&user.unsafe_metadata)?,
        user.banned,
        user.locked,
        user.deprovisioned,
        user.delete_self_enabled,
        user.create_organization_enabled,
        user.create_organizations_limit,
        user.bypass_client_trust,
        user.legal_accepted_at,
        user.last_sign_in_at,
        user.last_active_at,
        user.created_at,
        user.updated_at,
    ];
    tx.run(INSERT, args).await?;
    totals::add(tx, Counted::Users, user.id.as_str(), 1).await
}

/// Saves a user.
pub async fn update(tx: &mut Tx, user: &User) -> Result<(), StoreError> {
    let id = user.id.as_str();
    let args = args![
        id,
        &user.locale,
        user.primary_email_address_id.as_ref().map(EmailAddressId::as_str),
        json_text(&user.public_metadata)?,
        json_text(&user.private_metadata)?,
        json_text(&user.unsafe_metadata)?,
        user.banned,
        user.locked,
        user.deprovisioned,
        user.delete_self_enabled,
        user.create_organization_enabled,
        user.create_organizations_limit,
        user.bypass_client_trust,
        user.legal_accepted_at,
        user.last_sign_in_at,
        user.last_active_at,
        user.updated_at,
    ];
    let User { external_id, username, first_name, last_name, created_at, .. } = user;
    let indexed = (external_id.clone(), username.clone(), first_name.clone(), last_name.clone(), *created_at);
    let read = |row: &mut Row<'_>| {
        Ok((row.maybe_text()?, row.maybe_text()?, row.maybe_text()?, row.maybe_text()?, row.int()?))
    };
    if tx.optional(UPDATE, args, read).await?.is_some_and(|before| before != indexed) {
        let args = args![id, external_id, username, first_name, last_name, *created_at];
        tx.run(UPDATE_INDEXED, args).await?;
    }
    Ok(())
}

/// Notes that a user was active.
pub async fn touch(tx: &mut Tx, id: &UserId, now: Millis) -> Result<(), StoreError> {
    tx.run(TOUCH, args![id.as_str(), now]).await.map(drop)
}

/// Removes a user with addresses, accounts, memberships and sessions.
pub async fn delete(tx: &mut Tx, id: &UserId) -> Result<bool, StoreError> {
    let memberships = tx.run(LEAVE_ORGANIZATIONS, args![id.as_str()]).await?;
    if tx.run(DELETE, args![id.as_str()]).await? == 0 {
        return Ok(false);
    }
    totals::add(tx, Counted::Users, id.as_str(), -1).await?;
    totals::add(tx, Counted::Memberships, id.as_str(), -(memberships as i64)).await?;
    Ok(true)
}

/// A user's addresses, oldest first.
pub async fn addresses(tx: &mut Tx, user: &UserId) -> Result<Vec<EmailAddress>, StoreError> {
    tx.all(ADDRESSES_OF, args![user.as_str()], read_address).await
}

/// The addresses of many users.
pub async fn addresses_of_all(tx: &mut Tx, users: &[&str]) -> Result<Vec<EmailAddress>, StoreError> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    let mut filter = Filter::new();
    filter.and_in("e.user_id IN", users, " ORDER BY e.created_at, e.id");
    let (sql, args) = filter.query(SELECT_ADDRESSES);
    tx.all_sql(sql, args, read_address).await
}

/// Every row with this address; at most one of them is verified.
pub async fn addresses_named(tx: &mut Tx, address: &Email) -> Result<Vec<EmailAddress>, StoreError> {
    tx.all(ADDRESSES_NAMED, args![address.as_str()], read_address).await
}

/// Adds an address to a user.
pub async fn insert_address(tx: &mut Tx, address: &EmailAddress) -> Result<(), StoreError> {
    let args = args![
        address.id.as_str(),
        address.user_id.as_str(),
        address.address.as_str(),
        address.verification.as_str(),
        address.created_at,
        address.updated_at,
    ];
    tx.run(INSERT_ADDRESS, args).await.map(drop)
}

/// Records how an address came to be trusted.
pub async fn verify_address(
    tx: &mut Tx,
    id: &EmailAddressId,
    verification: EmailVerification,
    now: Millis,
) -> Result<(), StoreError> {
    tx.run(VERIFY_ADDRESS, args![id.as_str(), verification.as_str(), now]).await.map(drop)
}
