//! Who holds the roles of a set, and giving all of them other roles at once.

use crate::db::{Tx, args, statements};
use crate::error::StoreError;
use crate::filter::{Direction, Filter, Page};
use doorward_model::{Millis, OrganizationId, RoleId, RoleSetId};

/// The most roles that [`reassign`] takes: an instance has no more.
const PAIRS: usize = 12;

// One statement for all roles, or two that change places would end up as one.
macro_rules! reassign {
    ($scope:literal) => {
        concat!(
            "UPDATE organization_memberships SET updated_at = $2, role_id = CASE role_id WHEN $3 THEN $4 WHEN $5 THEN $6 WHEN $7 THEN $8 WHEN $9 THEN $10 WHEN $11 THEN $12 WHEN $13 THEN $14 \
             WHEN $15 THEN $16 WHEN $17 THEN $18 WHEN $19 THEN $20 WHEN $21 THEN $22 WHEN $23 THEN $24 WHEN $25 THEN $26 ELSE role_id END \
             WHERE role_id IN ($3, $5, $7, $9, $11, $13, $15, $17, $19, $21, $23, $25) AND ",
            $scope
        )
    };
}

statements! {
    OF_SET = "SELECT m.role_id, COUNT(*) FROM organization_memberships m JOIN organizations o ON o.id = m.organization_id \
              WHERE o.role_set_id = $1 GROUP BY m.role_id";
    OF_ORGANIZATION = "SELECT m.role_id, COUNT(*) FROM organization_memberships m WHERE m.organization_id = $1 GROUP BY m.role_id";
    ANY = "SELECT m.id FROM organization_memberships m WHERE m.role_id = $1 LIMIT 1";
    REASSIGN_IN_SET = reassign!("organization_id IN (SELECT id FROM organizations WHERE role_set_id = $1)");
    REASSIGN_IN_ORGANIZATION = reassign!("organization_id = $1");
    MOVE_ORGANIZATIONS = "UPDATE organizations SET role_set_id = $2, updated_at = $3 WHERE role_set_id = $1";
}

const WITHOUT_CHARGE: &str =
    "SELECT m.organization_id FROM organization_memberships m JOIN organizations o ON o.id = m.organization_id";

/// Whose members are meant.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'a> {
    /// Those of every organization.
    Instance,
    /// Those of the organizations that use a role set.
    RoleSet(&'a RoleSetId),
    Organization(&'a OrganizationId),
}

/// How many members hold each role in the organizations of a set.
pub async fn of_role_set(tx: &mut Tx, id: &RoleSetId) -> Result<Vec<(RoleId, i64)>, StoreError> {
    tx.all(OF_SET, args![id.as_str()], |row| Ok((row.id()?, row.int()?))).await
}

/// How many members of an organization hold each role.
pub async fn of_organization(tx: &mut Tx, id: &OrganizationId) -> Result<Vec<(RoleId, i64)>, StoreError> {
    tx.all(OF_ORGANIZATION, args![id.as_str()], |row| Ok((row.id()?, row.int()?))).await
}

/// Whether anybody anywhere holds a role.
pub async fn any(tx: &mut Tx, role: &RoleId) -> Result<bool, StoreError> {
    Ok(tx.optional(ANY, args![role.as_str()], |row| row.text()).await?.is_some())
}

/// Gives the holders of roles other ones, all at the same moment.
pub async fn reassign_in_role_set(
    tx: &mut Tx,
    set: &RoleSetId,
    moves: &[(RoleId, RoleId)],
    now: Millis,
) -> Result<(), StoreError> {
    reassign(tx, REASSIGN_IN_SET, set.as_str(), moves, now).await
}

/// As [`reassign_in_role_set`], for the members of one organization.
pub async fn reassign_in_organization(
    tx: &mut Tx,
    organization: &OrganizationId,
    moves: &[(RoleId, RoleId)],
    now: Millis,
) -> Result<(), StoreError> {
    reassign(tx, REASSIGN_IN_ORGANIZATION, organization.as_str(), moves, now).await
}

async fn reassign(
    tx: &mut Tx,
    sql: &'static str,
    scope: &str,
    moves: &[(RoleId, RoleId)],
    now: Millis,
) -> Result<(), StoreError> {
    let Some(first) = moves.first() else { return Ok(()) };
    if moves.len() > PAIRS {
        return Err(StoreError::Corrupt(format!("{} roles are more than an instance has", moves.len())));
    }
    let mut args = args![scope, now];
    // The places that are left say the first pair again.
    for (from, to) in moves.iter().chain(std::iter::repeat(first)).take(PAIRS) {
        args.extend(args![from.as_str(), to.as_str()]);
    }
    tx.run(sql, args).await.map(drop)
}

/// Whether an organization has somebody who holds one of the roles `ends`, and nobody who holds one of `stays`.
pub async fn any_without_charge(
    tx: &mut Tx,
    scope: Scope<'_>,
    ends: &[RoleId],
    stays: &[RoleId],
) -> Result<bool, StoreError> {
    let mut filter = Filter::new();
    match scope {
        Scope::Instance => {}
        Scope::RoleSet(id) => filter.and("o.role_set_id = ?", [id.as_str().into()]),
        Scope::Organization(id) => filter.and("m.organization_id = ?", [id.as_str().into()]),
    }
    let texts = |ids: &[RoleId]| ids.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>();
    filter.and_in("m.role_id IN", &texts(ends), "");
    let somebody_else = "NOT EXISTS (SELECT 1 FROM organization_memberships s WHERE s.organization_id = m.organization_id AND s.role_id IN";
    filter.and_in(somebody_else, &texts(stays), ")");
    let page = Page { limit: 1, offset: 0 };
    let (sql, args) = filter.page(WITHOUT_CHARGE, ("m.organization_id", Direction::Ascending), "m.id", page);
    Ok(!tx.all_sql(sql, args, |row| row.text()).await?.is_empty())
}

/// Gives every organization of a role set another one.
pub async fn move_organizations(tx: &mut Tx, from: &RoleSetId, to: &RoleSetId, now: Millis) -> Result<(), StoreError> {
    tx.run(MOVE_ORGANIZATIONS, args![from.as_str(), to.as_str(), now]).await.map(drop)
}
