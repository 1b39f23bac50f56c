//! Organizations and their members (ORG, MEM).

use crate::{JsonMap, Millis, OrganizationId, OrganizationMembershipId, RoleId, RoleSetId, UserId};

/// A customer of the operator.
#[derive(Clone, Debug, PartialEq)]
pub struct Organization {
    pub id: OrganizationId,
    pub name: String,
    /// Unique per instance; empty names are never stored.
    pub slug: String,
    pub created_by: Option<UserId>,
    /// `0` means unlimited (ORG-11).
    pub max_allowed_memberships: i64,
    pub admin_delete_enabled: bool,
    pub self_serve_sso_enabled: bool,
    pub public_metadata: JsonMap,
    pub private_metadata: JsonMap,
    pub role_set_id: RoleSetId,
    /// Kept with every change of a membership, so that the seat limit costs one look-up.
    pub members_count: i64,
    pub created_at: Millis,
    pub updated_at: Millis,
}

/// A user's place in an organization.
#[derive(Clone, Debug, PartialEq)]
pub struct OrganizationMembership {
    pub id: OrganizationMembershipId,
    pub organization_id: OrganizationId,
    pub user_id: UserId,
    pub role_id: RoleId,
    pub public_metadata: JsonMap,
    pub private_metadata: JsonMap,
    pub created_at: Millis,
    pub updated_at: Millis,
}
