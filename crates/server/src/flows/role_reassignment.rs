//! Members whose role leaves their organization's set get another one (ROL-13, ROL-15), in the transaction that takes it away.

use crate::flows::{FlowError, Refusal};
use doorward_model::{Millis, OrganizationId, Role, RoleId, RoleSetId};
use doorward_rules::role_set::{MAX_REASSIGNED, Moves, ReassignRefusal, charge, reassign};
use doorward_store::Tx;
use doorward_store::role_holders::{self, Scope};
use std::collections::BTreeMap;

/// What role keys become, as the operator says it.
pub type Mappings = BTreeMap<String, String>;

fn refusal(refusal: ReassignRefusal) -> Refusal {
    match refusal {
        ReassignRefusal::Missing { role_keys } => Refusal::RoleReassignmentMissing { role_keys },
        ReassignRefusal::Invalid { role_key } => Refusal::RoleReassignmentInvalid { role_key },
        ReassignRefusal::TooMany { members } => Refusal::RoleReassignmentTooLarge { members, max: MAX_REASSIGNED },
    }
}

/// Refuses what would leave an organization in which somebody could run it with nobody who can (ORG-14).
pub async fn require_somebody_in_charge(
    tx: &mut Tx,
    scope: Scope<'_>,
    before: &[Role],
    after: &[Role],
    moves: &[(RoleId, RoleId)],
) -> Result<(), FlowError> {
    let charge = charge(before, after, moves);
    let is_lost =
        !charge.ends.is_empty() && role_holders::any_without_charge(tx, scope, &charge.ends, &charge.stays).await?;
    if is_lost { Err(Refusal::MinimumPermissionsNeeded.into()) } else { Ok(()) }
}

async fn decided(
    tx: &mut Tx,
    scope: Scope<'_>,
    all: &[Role],
    held: &[(RoleId, i64)],
    next: &[RoleId],
    mappings: &Mappings,
) -> Result<Moves, FlowError> {
    let moves = reassign(all, held, next, mappings).map_err(refusal)?;
    require_somebody_in_charge(tx, scope, all, all, &moves).await?;
    Ok(moves)
}

/// The members of every organization of a set get roles of `next`.
pub async fn of_role_set(
    tx: &mut Tx,
    set: &RoleSetId,
    all: &[Role],
    next: &[RoleId],
    mappings: &Mappings,
    now: Millis,
) -> Result<(), FlowError> {
    let held = role_holders::of_role_set(tx, set).await?;
    let moves = decided(tx, Scope::RoleSet(set), all, &held, next, mappings).await?;
    Ok(role_holders::reassign_in_role_set(tx, set, &moves, now).await?)
}

/// The members of one organization get roles of `next`.
pub async fn of_organization(
    tx: &mut Tx,
    organization: &OrganizationId,
    all: &[Role],
    next: &[RoleId],
    mappings: &Mappings,
    now: Millis,
) -> Result<(), FlowError> {
    let held = role_holders::of_organization(tx, organization).await?;
    let moves = decided(tx, Scope::Organization(organization), all, &held, next, mappings).await?;
    Ok(role_holders::reassign_in_organization(tx, organization, &moves, now).await?)
}
