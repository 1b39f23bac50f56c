//! Organizations.

use crate::db::{Arg, Row, Tx, args, json_text, statements};
use crate::error::StoreError;
use crate::filter::{Direction, Filter, Page, Selection, contains_pattern};
use crate::totals::{self, Counted};
use doorward_model::{Organization, OrganizationId, UserId};

macro_rules! columns {
    () => {
        "o.id, o.name, o.slug, o.created_by, o.max_allowed_memberships, o.admin_delete_enabled, o.self_serve_sso_enabled, \
         o.public_metadata, o.private_metadata, o.role_set_id, o.members_count, o.created_at, o.updated_at"
    };
}
pub(crate) use columns;

statements! {
    BY_ID = concat!("SELECT ", columns!(), " FROM organizations o WHERE o.id = $1");
    BY_SLUG = concat!("SELECT ", columns!(), " FROM organizations o WHERE o.slug = $1");
    SELECT = concat!("SELECT ", columns!(), " FROM organizations o");
    COUNT = "SELECT COUNT(*) FROM organizations o";
    COUNT_CREATED_BY = "SELECT COUNT(*) FROM organizations o WHERE o.created_by = $1";
    INSERT = "INSERT INTO organizations (id, name, slug, created_by, max_allowed_memberships, admin_delete_enabled, self_serve_sso_enabled, \
              public_metadata, private_metadata, role_set_id, members_count, created_at, updated_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12)";
    // SQLite writes the entry of every index over a column that is set, whether or not its value changes.
    UPDATE = "UPDATE organizations SET max_allowed_memberships = $2, admin_delete_enabled = $3, self_serve_sso_enabled = $4, \
              public_metadata = $5, private_metadata = $6, updated_at = $7 WHERE id = $1 RETURNING name, slug, role_set_id, created_at";
    UPDATE_INDEXED = "UPDATE organizations SET name = $2, slug = $3, role_set_id = $4, created_at = $5 WHERE id = $1";
    ADD_MEMBERS = "UPDATE organizations SET members_count = members_count + $2 WHERE id = $1";
    MEMBERS_COUNT = "SELECT members_count FROM organizations WHERE id = $1";
    DELETE = "DELETE FROM organizations WHERE id = $1";
}

/// Reads the columns of [`columns!`].
pub(crate) fn read(row: &mut Row<'_>) -> Result<Organization, StoreError> {
    Ok(Organization {
        id: row.id()?,
        name: row.text()?,
        slug: row.text()?,
        created_by: row.maybe_id()?,
        max_allowed_memberships: row.int()?,
        admin_delete_enabled: row.bool()?,
        self_serve_sso_enabled: row.bool()?,
        public_metadata: row.json()?,
        private_metadata: row.json()?,
        role_set_id: row.id()?,
        members_count: row.int()?,
        created_at: row.int()?,
        updated_at: row.int()?,
    })
}

/// One by id.
pub async fn by_id(tx: &mut Tx, id: &OrganizationId) -> Result<Option<Organization>, StoreError> {
    tx.optional(BY_ID, args![id.as_str()], read).await
}

/// One by slug.
pub async fn by_slug(tx: &mut Tx, slug: &str) -> Result<Option<Organization>, StoreError> {
    tx.optional(BY_SLUG, args![slug], read).await
}

/// What a list asks for (ORG-22).
#[derive(Clone, Debug, Default)]
pub struct ListFilter {
    /// Exact on id, partial on name and slug.
    pub query: Option<String>,
    /// Organizations with these members.
    pub user_id: Selection,
    pub organization_id: Selection,
}

/// What a list is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    CreatedAt,
    Name,
    MembersCount,
}

impl Order {
    fn column(self) -> &'static str {
        match self {
            Self::CreatedAt => "o.created_at",
            Self::Name => "o.name",
            Self::MembersCount => "o.members_count",
        }
    }
}

fn conditions(wanted: &ListFilter) -> Filter {
    let mut filter = Filter::new();
    if let Some(query) = &wanted.query {
        let pattern = contains_pattern(query);
        filter.and(
            "(o.id = ? OR LOWER(o.name) LIKE LOWER(?) ESCAPE '\\' OR LOWER(o.slug) LIKE LOWER(?) ESCAPE '\\')",
            [Arg::from(query), pattern.clone(), pattern],
        );
    }
    wanted.user_id.apply(
        &mut filter,
        "o.id IN (SELECT m.organization_id FROM organization_memberships m WHERE m.user_id IN",
        "o.id NOT IN (SELECT m.organization_id FROM organization_memberships m WHERE m.user_id IN",
        ")",
    );
    wanted.organization_id.apply(&mut filter, "o.id IN", "o.id NOT IN", "");
    filter
}

/// A page of organizations.
pub async fn list(
    tx: &mut Tx,
    wanted: &ListFilter,
    order: (Order, Direction),
    page: Page,
) -> Result<Vec<Organization>, StoreError> {
    let (sql, args) = conditions(wanted).page(SELECT, (order.0.column(), order.1), "o.id", page);
    tx.all_sql(sql, args, read).await
}

/// How many organizations a list would find in all.
pub async fn count(tx: &mut Tx, wanted: &ListFilter) -> Result<i64, StoreError> {
    let filter = conditions(wanted);
    if filter.is_empty() {
        return totals::of(tx, Counted::Organizations).await;
    }
    let (sql, args) = filter.query(COUNT);
    tx.count_sql(sql, args).await
}

/// How many organizations there are that a user made (ORG-10).
pub async fn count_created_by(tx: &mut Tx, user: &UserId) -> Result<i64, StoreError> {
    Ok(tx.optional(COUNT_CREATED_BY, args![user.as_str()], |row| row.int()).await?.unwrap_or(0))
}

/// Adds an organization without members.
pub async fn insert(tx: &mut Tx, organization: &Organization) -> Result<(), StoreError> {
    let args = args![
        organization.id.as_str(),
        &organization.name,
        &organization.slug,
        organization.created_by.as_ref().map(|id| id.as_str()),
        organization.max_allowed_memberships,
        organization.admin_delete_enabled,
        organization.self_serve_sso_enabled,
        json_text(&organization.public_metadata)?,
        json_text(&organization.private_metadata)?,
        organization.role_set_id.as_str(),
        organization.created_at,
        organization.updated_at,
    ];
    tx.run(INSERT, args).await?;
    totals::add(tx, Counted::Organizations, organization.id.as_str(), 1).await
}

/// Saves an organization's own fields; the members count is kept by `memberships`.
pub async fn update(tx: &mut Tx, organization: &Organization) -> Result<(), StoreError> {
    let id = organization.id.as_str();
    let args = args![
        id,
        organization.max_allowed_memberships,
        organization.admin_delete_enabled,
        organization.self_serve_sso_enabled,
        json_text(&organization.public_metadata)?,
        json_text(&organization.private_metadata)?,
        organization.updated_at,
    ];
    let Organization { name, slug, role_set_id, created_at, .. } = organization;
    let indexed = (name.clone(), slug.clone(), role_set_id.clone(), *created_at);
    let read = |row: &mut Row<'_>| Ok((row.text()?, row.text()?, row.id()?, row.int()?));
    if tx.optional(UPDATE, args, read).await?.is_some_and(|before| before != indexed) {
        tx.run(UPDATE_INDEXED, args![id, name, slug, role_set_id.as_str(), *created_at]).await?;
    }
    Ok(())
}

pub(crate) async fn add_members(tx: &mut Tx, id: &OrganizationId, count: i64) -> Result<(), StoreError> {
    tx.run(ADD_MEMBERS, args![id.as_str(), count]).await.map(drop)
}

/// Removes an organization with its memberships; connections and sessions lose their link to it.
pub async fn delete(tx: &mut Tx, id: &OrganizationId) -> Result<bool, StoreError> {
    let Some(members) = tx.optional(MEMBERS_COUNT, args![id.as_str()], |row| row.int()).await? else {
        return Ok(false);
    };
    tx.run(DELETE, args![id.as_str()]).await?;
    totals::add(tx, Counted::Organizations, id.as_str(), -1).await?;
    totals::add(tx, Counted::Memberships, id.as_str(), -members).await?;
    Ok(true)
}
