//! Organization memberships. Adding and removing one keeps the organization's members count.

use crate::db::{Arg, Row, Tx, args, json_text, statements};
use crate::error::StoreError;
use crate::filter::{Direction, Filter, Page, Selection, address_contains_pattern, contains_pattern};
use crate::totals::{self, Counted};
use crate::{organizations, users};
use doorward_model::{Millis, Organization, OrganizationId, OrganizationMembership, RoleId, User, UserId};

macro_rules! columns {
    () => {
        "m.id, m.organization_id, m.user_id, m.role_id, m.public_metadata, m.private_metadata, m.created_at, m.updated_at"
    };
}

statements! {
    BY_PAIR = concat!("SELECT ", columns!(), " FROM organization_memberships m WHERE m.organization_id = $1 AND m.user_id = $2");
    SELECT_WITH_USER = concat!("SELECT ", columns!(), ", ", users::columns!(), " FROM organization_memberships m \
                               JOIN users u ON u.id = m.user_id");
    COUNT = "SELECT COUNT(*) FROM organization_memberships m JOIN users u ON u.id = m.user_id";
    OF_USER = concat!("SELECT ", columns!(), ", ", organizations::columns!(), " FROM organization_memberships m \
                      JOIN organizations o ON o.id = m.organization_id WHERE m.user_id = $1 \
                      ORDER BY m.created_at DESC, m.id DESC LIMIT CAST($2 AS BIGINT) OFFSET CAST($3 AS BIGINT)");
    COUNT_OF_USER = "SELECT COUNT(*) FROM organization_memberships m WHERE m.user_id = $1";
    LATEST_OF_USER = concat!("SELECT ", columns!(), " FROM organization_memberships m WHERE m.user_id = $1 \
                             ORDER BY m.created_at DESC, m.id DESC LIMIT 1");
    INSERT = "INSERT INTO organization_memberships (id, organization_id, user_id, role_id, public_metadata, private_metadata, created_at, updated_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    UPDATE = "UPDATE organization_memberships SET role_id = $2, public_metadata = $3, private_metadata = $4, updated_at = $5 WHERE id = $1";
    DELETE = "DELETE FROM organization_memberships WHERE id = $1";
    FORGET_IN_SESSIONS = "UPDATE sessions SET last_active_organization_id = NULL, updated_at = $3 \
                          WHERE user_id = $1 AND last_active_organization_id = $2";
    ANY_WITH_ROLE = "SELECT m.id FROM organization_memberships m WHERE m.organization_id = $1 AND m.role_id = $2 LIMIT 1";
    OTHERS_WITH_ROLES = "SELECT COUNT(*) FROM organization_memberships m WHERE m.organization_id = $1 AND m.user_id <> $2 AND m.role_id = $3";
}

fn read(row: &mut Row<'_>) -> Result<OrganizationMembership, StoreError> {
    Ok(OrganizationMembership {
        id: row.id()?,
        organization_id: row.id()?,
        user_id: row.id()?,
        role_id: row.id()?,
        public_metadata: row.json()?,
        private_metadata: row.json()?,
        created_at: row.int()?,
        updated_at: row.int()?,
    })
}

/// The membership of a user in an organization.
pub async fn get(
    tx: &mut Tx,
    organization: &OrganizationId,
    user: &UserId,
) -> Result<Option<OrganizationMembership>, StoreError> {
    tx.optional(BY_PAIR, args![organization.as_str(), user.as_str()], read).await
}

/// What a list of an organization's members asks for.
#[derive(Clone, Debug, Default)]
pub struct ListFilter {
    /// `None` lists the members of all organizations.
    pub organization_id: Option<OrganizationId>,
    pub user_id: Selection,
    /// Exact addresses, lower-case.
    pub email_address: Vec<String>,
    pub username: Vec<String>,
    pub role_id: Option<Vec<RoleId>>,
    /// Part of an address, username, user id or name.
    pub query: Option<String>,
    pub email_address_query: Option<String>,
    pub username_query: Option<String>,
    pub name_query: Option<String>,
    pub last_active_at_before: Option<Millis>,
    pub last_active_at_after: Option<Millis>,
    pub created_at_before: Option<Millis>,
    pub created_at_after: Option<Millis>,
}

/// What a list of members is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    CreatedAt,
    EmailAddress,
    FirstName,
    LastName,
    Username,
}

impl Order {
    fn column(self) -> &'static str {
        match self {
            Self::CreatedAt => "m.created_at",
            Self::EmailAddress => users::PRIMARY_ADDRESS,
            Self::FirstName => "COALESCE(u.first_name, '')",
            Self::LastName => "COALESCE(u.last_name, '')",
            Self::Username => "COALESCE(u.username, '')",
        }
    }
}

fn conditions(wanted: &ListFilter) -> Filter {
    let mut filter = Filter::new();
    if let Some(organization) = &wanted.organization_id {
        filter.and("m.organization_id = ?", [organization.as_str().into()]);
    }
    wanted.user_id.apply(&mut filter, "m.user_id IN", "m.user_id NOT IN", "");
    if let Some(roles) = &wanted.role_id {
        let roles: Vec<&str> = roles.iter().map(RoleId::as_str).collect();
        filter.and_in("m.role_id IN", &roles, "");
    }
    users::match_texts(&mut filter, &wanted.email_address, &wanted.username, wanted.query.as_deref());
    if let Some(text) = &wanted.email_address_query {
        filter.and(users::ADDRESS_CONTAINS, [address_contains_pattern(text)]);
    }
    if let Some(text) = &wanted.username_query {
        filter.and("LOWER(u.username) LIKE LOWER(?) ESCAPE '\\'", [contains_pattern(text)]);
    }
    if let Some(text) = &wanted.name_query {
        filter.and(users::NAME_CONTAINS, [contains_pattern(text)]);
    }
    let bounds = [
        ("u.last_active_at < ?", wanted.last_active_at_before),
        ("u.last_active_at > ?", wanted.last_active_at_after),
        ("m.created_at < ?", wanted.created_at_before),
        ("m.created_at > ?", wanted.created_at_after),
    ];
    for (fragment, bound) in bounds {
        if let Some(bound) = bound {
            filter.and(fragment, [Arg::from(bound)]);
        }
    }
    filter
}

/// A page of memberships with their users.
pub async fn list(
    tx: &mut Tx,
    wanted: &ListFilter,
    order: (Order, Direction),
    page: Page,
) -> Result<Vec<(OrganizationMembership, User)>, StoreError> {
    let (sql, args) = conditions(wanted).page(SELECT_WITH_USER, (order.0.column(), order.1), "m.id", page);
    tx.all_sql(sql, args, |row| Ok((read(row)?, users::read(row)?))).await
}

/// How many memberships a list would find in all.
pub async fn count(tx: &mut Tx, wanted: &ListFilter) -> Result<i64, StoreError> {
    let filter = conditions(wanted);
    if filter.is_empty() {
        return totals::of(tx, Counted::Memberships).await;
    }
    let (sql, args) = filter.query(COUNT);
    tx.count_sql(sql, args).await
}

/// A page of a user's memberships with their organizations, newest first.
pub async fn of_user(
    tx: &mut Tx,
    user: &UserId,
    page: Page,
) -> Result<Vec<(OrganizationMembership, Organization)>, StoreError> {
    let args = args![user.as_str(), page.limit, page.offset];
    tx.all(OF_USER, args, |row| Ok((read(row)?, organizations::read(row)?))).await
}

/// How many organizations a user is a member of.
pub async fn count_of_user(tx: &mut Tx, user: &UserId) -> Result<i64, StoreError> {
    Ok(tx.optional(COUNT_OF_USER, args![user.as_str()], |row| row.int()).await?.unwrap_or(0))
}

/// The membership a user got last.
pub async fn latest_of_user(tx: &mut Tx, user: &UserId) -> Result<Option<OrganizationMembership>, StoreError> {
    tx.optional(LATEST_OF_USER, args![user.as_str()], read).await
}

/// How many members other than `user` hold a role.
pub async fn count_others_with_role(
    tx: &mut Tx,
    organization: &OrganizationId,
    user: &UserId,
    role: &RoleId,
) -> Result<i64, StoreError> {
    let args = args![organization.as_str(), user.as_str(), role.as_str()];
    Ok(tx.optional(OTHERS_WITH_ROLES, args, |row| row.int()).await?.unwrap_or(0))
}

/// Whether any member holds a role.
pub async fn any_with_role(tx: &mut Tx, organization: &OrganizationId, role: &RoleId) -> Result<bool, StoreError> {
    let args = args![organization.as_str(), role.as_str()];
    Ok(tx.optional(ANY_WITH_ROLE, args, |row| row.text()).await?.is_some())
}

/// Adds a membership.
pub async fn insert(tx: &mut Tx, membership: &OrganizationMembership) -> Result<(), StoreError> {
    let args = args![
        membership.id.as_str(),
        membership.organization_id.as_str(),
        membership.user_id.as_str(),
        membership.role_id.as_str(),
        json_text(&membership.public_metadata)?,
        json_text(&membership.private_metadata)?,
        membership.created_at,
        membership.updated_at,
    ];
    tx.run(INSERT, args).await?;
    totals::add(tx, Counted::Memberships, membership.id.as_str(), 1).await?;
    organizations::add_members(tx, &membership.organization_id, 1).await
}

/// Saves role and metadata.
pub async fn update(tx: &mut Tx, membership: &OrganizationMembership) -> Result<(), StoreError> {
    let args = args![
        membership.id.as_str(),
        membership.role_id.as_str(),
        json_text(&membership.public_metadata)?,
        json_text(&membership.private_metadata)?,
        membership.updated_at,
    ];
    tx.run(UPDATE, args).await.map(drop)
}

/// Removes a membership; the user's sessions no longer have the organization active.
pub async fn delete(tx: &mut Tx, membership: &OrganizationMembership, now: Millis) -> Result<(), StoreError> {
    if tx.run(DELETE, args![membership.id.as_str()]).await? > 0 {
        totals::add(tx, Counted::Memberships, membership.id.as_str(), -1).await?;
        organizations::add_members(tx, &membership.organization_id, -1).await?;
    }
    let args = args![membership.user_id.as_str(), membership.organization_id.as_str(), now];
    tx.run(FORGET_IN_SESSIONS, args).await.map(drop)
}
