//! Sessions, and the one query behind a session token.

use crate::db::{Arg, Row, Tx, args, statements};
use crate::error::StoreError;
use crate::filter::{Direction, Filter, Page};
use doorward_model::{
    ClientId, EasieConfirmations, Millis, OrganizationId, RoleId, Session, SessionId, SessionStatus, UserId,
};

macro_rules! columns {
    () => {
        "s.id, s.client_id, s.user_id, s.status, s.last_active_organization_id, s.last_active_at, s.authenticated_at, s.expire_at, \
         s.abandon_at, s.created_at, s.updated_at"
    };
}

statements! {
    BY_ID = concat!("SELECT ", columns!(), " FROM sessions s WHERE s.id = $1");
    OF_CLIENT = concat!("SELECT ", columns!(), " FROM sessions s WHERE s.client_id = $1 ORDER BY s.created_at, s.id");
    SELECT = concat!("SELECT ", columns!(), " FROM sessions s");
    COUNT = "SELECT COUNT(*) FROM sessions s";
    INSERT = "INSERT INTO sessions (id, client_id, user_id, status, last_active_organization_id, last_active_at, authenticated_at, expire_at, \
              abandon_at, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    UPDATE = "UPDATE sessions SET status = $2, last_active_organization_id = $3, last_active_at = $4, updated_at = $5 WHERE id = $1";
    END_ALL_OF_USER = "UPDATE sessions SET status = $2, updated_at = $3 WHERE user_id = $1 AND status = 'active'";
    FACTS_OF_TOKEN = concat!("SELECT ", columns!(), ", b.token_sha256, u.banned, u.locked, u.deprovisioned, o.id, o.slug, r.id, r.key, \
                             (SELECT COUNT(*) FROM role_permissions rp JOIN permissions p ON p.id = rp.permission_id \
                              WHERE rp.role_id = m.role_id AND p.kind <> 'system'), \
                             (SELECT MIN(g.confirmed_at) FROM easie_grants g JOIN enterprise_connections c ON c.id = g.connection_id \
                              WHERE g.user_id = s.user_id AND g.state = 'live' AND c.active), \
                             (SELECT MIN(COALESCE(g.due_at, 0)) FROM easie_grants g JOIN enterprise_connections c ON c.id = g.connection_id \
                              WHERE g.user_id = s.user_id AND g.state = 'live' AND c.active) \
                             FROM sessions s JOIN clients b ON b.id = s.client_id JOIN users u ON u.id = s.user_id \
                             LEFT JOIN organization_memberships m ON m.user_id = s.user_id \
                             AND m.organization_id = COALESCE(CAST($2 AS TEXT), s.last_active_organization_id) \
                             LEFT JOIN organizations o ON o.id = m.organization_id LEFT JOIN roles r ON r.id = m.role_id WHERE s.id = $1");
}

fn read(row: &mut Row<'_>) -> Result<Session, StoreError> {
    Ok(Session {
        id: row.id()?,
        client_id: row.id()?,
        user_id: row.id()?,
        status: row.word(SessionStatus::parse)?,
        last_active_organization_id: row.maybe_id()?,
        last_active_at: row.int()?,
        authenticated_at: row.int()?,
        expire_at: row.int()?,
        abandon_at: row.int()?,
        created_at: row.int()?,
        updated_at: row.int()?,
    })
}

/// One by id.
pub async fn by_id(tx: &mut Tx, id: &SessionId) -> Result<Option<Session>, StoreError> {
    tx.optional(BY_ID, args![id.as_str()], read).await
}

/// A browser's sessions, ended ones too, oldest first.
pub async fn of_client(tx: &mut Tx, client: &ClientId) -> Result<Vec<Session>, StoreError> {
    tx.all(OF_CLIENT, args![client.as_str()], read).await
}

/// What a list of sessions asks for.
#[derive(Clone, Debug, Default)]
pub struct ListFilter {
    pub client_id: Option<String>,
    pub user_id: Option<String>,
    pub status: Option<SessionStatus>,
}

/// `status` means the status at `now`, so an active session past its end counts as expired or abandoned.
fn conditions(wanted: &ListFilter, now: Millis) -> Filter {
    let mut filter = Filter::new();
    if let Some(client) = &wanted.client_id {
        filter.and("s.client_id = ?", [Arg::from(client)]);
    }
    if let Some(user) = &wanted.user_id {
        filter.and("s.user_id = ?", [Arg::from(user)]);
    }
    match wanted.status {
        Some(SessionStatus::Active) => {
            filter.and("s.status = 'active' AND s.expire_at > ? AND s.abandon_at > ?", [now.into(), now.into()]);
        }
        Some(SessionStatus::Expired) => {
            filter.and("(s.status = 'expired' OR (s.status = 'active' AND s.expire_at <= ?))", [now.into()]);
        }
        Some(SessionStatus::Abandoned) => filter.and(
            "(s.status = 'abandoned' OR (s.status = 'active' AND s.expire_at > ? AND s.abandon_at <= ?))",
            [now.into(), now.into()],
        ),
        Some(status) => filter.and("s.status = ?", [Arg::from(status.as_str())]),
        None => {}
    }
    filter
}

/// A page of sessions, newest first.
pub async fn list(tx: &mut Tx, wanted: &ListFilter, now: Millis, page: Page) -> Result<Vec<Session>, StoreError> {
    let (sql, args) = conditions(wanted, now).page(SELECT, ("s.created_at", Direction::Descending), "s.id", page);
    tx.all_sql(sql, args, read).await
}

/// How many sessions a list would find in all.
pub async fn count(tx: &mut Tx, wanted: &ListFilter, now: Millis) -> Result<i64, StoreError> {
    let (sql, args) = conditions(wanted, now).query(COUNT);
    tx.count_sql(sql, args).await
}

/// Adds a session.
pub async fn insert(tx: &mut Tx, session: &Session) -> Result<(), StoreError> {
    let args = args![
        session.id.as_str(),
        session.client_id.as_str(),
        session.user_id.as_str(),
        session.status.as_str(),
        session.last_active_organization_id.as_ref().map(OrganizationId::as_str),
        session.last_active_at,
        session.authenticated_at,
        session.expire_at,
        session.abandon_at,
        session.created_at,
        session.updated_at,
    ];
    tx.run(INSERT, args).await.map(drop)
}

/// Saves status, active organization and activity.
pub async fn update(tx: &mut Tx, session: &Session) -> Result<(), StoreError> {
    let args = args![
        session.id.as_str(),
        session.status.as_str(),
        session.last_active_organization_id.as_ref().map(OrganizationId::as_str),
        session.last_active_at,
        session.updated_at,
    ];
    tx.run(UPDATE, args).await.map(drop)
}

/// Ends every active session of a user with the given status.
pub async fn end_all_of_user(tx: &mut Tx, user: &UserId, status: SessionStatus, now: Millis) -> Result<(), StoreError> {
    tx.run(END_ALL_OF_USER, args![user.as_str(), status.as_str(), now]).await.map(drop)
}

/// All that decides whether a session token may be minted, and what it says; read in one query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFacts {
    pub session: Session,
    /// Of the client that holds the session.
    pub client_token_sha256: String,
    pub user_banned: bool,
    pub user_locked: bool,
    pub user_deprovisioned: bool,
    /// The user's membership in the wanted organization, if there is one.
    pub membership: Option<TokenMembership>,
    /// What EASIE providers said of the user; `None` for who has no live account at one.
    pub easie: Option<EasieConfirmations>,
}

/// A membership as a session token tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenMembership {
    pub organization_id: OrganizationId,
    pub organization_slug: String,
    pub role_id: RoleId,
    pub role_key: String,
    /// How many permissions of the role appear in tokens (ROL-4).
    pub custom_permissions: i64,
}

/// The facts behind a token of a session for `organization`, or for the session's active organization.
pub async fn token_facts(
    tx: &mut Tx,
    id: &SessionId,
    organization: Option<&OrganizationId>,
) -> Result<Option<TokenFacts>, StoreError> {
    let args = args![id.as_str(), organization.map(OrganizationId::as_str)];
    tx.optional(FACTS_OF_TOKEN, args, read_token_facts).await
}

fn read_token_facts(row: &mut Row<'_>) -> Result<TokenFacts, StoreError> {
    let session = read(row)?;
    let client_token_sha256 = row.text()?;
    let (user_banned, user_locked, user_deprovisioned) = (row.bool()?, row.bool()?, row.bool()?);
    let membership = match (row.maybe_id()?, row.maybe_text()?, row.maybe_id()?, row.maybe_text()?, row.int()?) {
        (Some(organization_id), Some(organization_slug), Some(role_id), Some(role_key), custom_permissions) => {
            Some(TokenMembership { organization_id, organization_slug, role_id, role_key, custom_permissions })
        }
        _ => None,
    };
    let easie =
        row.maybe_int()?.zip(row.maybe_int()?).map(|(oldest_confirmed_at, earliest_due_at)| EasieConfirmations {
            oldest_confirmed_at,
            // What rests comes as zero: before all others.
            earliest_due_at: (earliest_due_at != 0).then_some(earliest_due_at),
        });
    Ok(TokenFacts { session, client_token_sha256, user_banned, user_locked, user_deprovisioned, membership, easie })
}
