//! Adding, changing and leaving a membership by other ways than SSO (ORG-11, ORG-14, ROL-7, ROL-13, MEM-9, MEM-11).

use crate::join::seats_left;
use doorward_model::{Organization, Role};

/// The permissions without which an organization has nobody to run it (ROL-7).
pub const CREATOR_PERMISSIONS: [&str; 3] =
    ["org:sys_memberships:manage", "org:sys_memberships:read", "org:sys_profile:delete"];

/// Whether a role may be a creator role.
pub fn is_creator_eligible(role: &Role) -> bool {
    missing_creator_permissions(role).is_empty()
}

/// Which of [`CREATOR_PERMISSIONS`] a role does not hold.
pub fn missing_creator_permissions(role: &Role) -> Vec<&'static str> {
    let holds = |wanted: &&str| role.permissions.iter().any(|held| held.key == **wanted);
    CREATOR_PERMISSIONS.into_iter().filter(|wanted| !holds(wanted)).collect()
}

/// Why a member may not be added.
#[derive(Debug, PartialEq, Eq)]
pub enum AddRefusal {
    AlreadyMember,
    /// The role is not one of the organization's role set (ROL-13).
    RoleNotInSet,
    Full {
        max_allowed_memberships: i64,
    },
}

/// May the operator add this user with this role?
pub fn add(organization: &Organization, is_member: bool, role_in_set: bool) -> Result<(), AddRefusal> {
    if is_member {
        return Err(AddRefusal::AlreadyMember);
    }
    if !role_in_set {
        return Err(AddRefusal::RoleNotInSet);
    }
    if !seats_left(organization) {
        return Err(AddRefusal::Full { max_allowed_memberships: organization.max_allowed_memberships });
    }
    Ok(())
}

/// Whether taking this role from a member leaves nobody to run the organization (ORG-14, MEM-11).
///
/// `others` is how many other members hold a creator-eligible role. An organization whose last such member was never one
/// (people who joined as plain members by SSO) has nothing to lose.
pub fn leaves_nobody_in_charge(held: &Role, next: Option<&Role>, others: i64) -> bool {
    is_creator_eligible(held) && !next.is_some_and(is_creator_eligible) && others == 0
}

/// May a member leave an organization by themselves? Those who came through a connection of it may not (MEM-9, X-12).
#[derive(Debug, PartialEq, Eq)]
pub enum Leave {
    Allowed,
    CameThroughConnection,
    LeavesNobodyInCharge,
}

/// Decides.
pub fn leave(came_through_connection: bool, held: &Role, others_in_charge: i64) -> Leave {
    if came_through_connection {
        Leave::CameThroughConnection
    } else if leaves_nobody_in_charge(held, None, others_in_charge) {
        Leave::LeavesNobodyInCharge
    } else {
        Leave::Allowed
    }
}

/// May a member with the permission remove somebody? Removing oneself is leaving, by whatever address it is asked for (MEM-9, MEM-10).
pub fn remove(is_self: bool, came_through_connection: bool, held: &Role, others_in_charge: i64) -> Leave {
    leave(is_self && came_through_connection, held, others_in_charge)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::join::tests::organization;
    use doorward_model::{Permission, PermissionType};

    pub(crate) fn role(key: &str, permissions: &[&str]) -> Role {
        let permission = |key: &&str| Permission {
            id: (*key).into(),
            key: (*key).into(),
            name: String::new(),
            description: String::new(),
            kind: PermissionType::System,
            created_at: 0,
            updated_at: 0,
        };
        Role {
            id: key.into(),
            key: key.into(),
            name: key.into(),
            description: None,
            permissions: permissions.iter().map(permission).collect(),
            created_at: 0,
            updated_at: 0,
        }
    }

    #[test]
    fn rol7_a_creator_role_needs_three_permissions() {
        assert!(is_creator_eligible(&role("org:admin", &CREATOR_PERMISSIONS)));
        assert!(!is_creator_eligible(&role("org:member", &CREATOR_PERMISSIONS[..2])));
    }

    #[test]
    fn org14_the_last_one_in_charge_stays_in_charge() {
        let (admin, member) = (role("org:admin", &CREATOR_PERMISSIONS), role("org:member", &[]));
        assert!(leaves_nobody_in_charge(&admin, None, 0));
        assert!(leaves_nobody_in_charge(&admin, Some(&member), 0));
        assert!(!leaves_nobody_in_charge(&admin, Some(&admin), 0));
        assert!(!leaves_nobody_in_charge(&admin, Some(&member), 1));
        assert!(!leaves_nobody_in_charge(&member, None, 0));
    }

    #[test]
    fn mem9_who_came_by_sso_cannot_leave() {
        let member = role("org:member", &[]);
        assert_eq!(leave(true, &member, 5), Leave::CameThroughConnection);
        assert_eq!(leave(false, &member, 5), Leave::Allowed);
        assert_eq!(leave(false, &role("org:admin", &CREATOR_PERMISSIONS), 0), Leave::LeavesNobodyInCharge);
    }

    #[test]
    fn mem10_others_remove_who_came_by_sso_and_nobody_removes_the_last_one_in_charge() {
        let (admin, member) = (role("org:admin", &CREATOR_PERMISSIONS), role("org:member", &[]));
        assert_eq!(remove(false, true, &member, 1), Leave::Allowed);
        assert_eq!(remove(true, true, &admin, 1), Leave::CameThroughConnection);
        assert_eq!(remove(true, false, &admin, 1), Leave::Allowed);
        assert_eq!(remove(false, true, &admin, 0), Leave::LeavesNobodyInCharge);
        assert_eq!(remove(true, false, &admin, 0), Leave::LeavesNobodyInCharge);
    }

    #[test]
    fn adding_checks_membership_then_role_then_seats() {
        assert_eq!(add(&organization(1, 1), true, false), Err(AddRefusal::AlreadyMember));
        assert_eq!(add(&organization(1, 1), false, false), Err(AddRefusal::RoleNotInSet));
        assert_eq!(add(&organization(1, 1), false, true), Err(AddRefusal::Full { max_allowed_memberships: 1 }));
        assert_eq!(add(&organization(2, 1), false, true), Ok(()));
    }
}
