//! May a member of an organization do this (ROL-1, ROL-2, ROL-20, ORG-21)?

use doorward_model::Role;

/// Change the organization's own fields.
pub const MANAGE_PROFILE: &str = "org:sys_profile:manage";
/// Delete the organization.
pub const DELETE_PROFILE: &str = "org:sys_profile:delete";
/// See who is a member, and which roles members may have.
pub const READ_MEMBERSHIPS: &str = "org:sys_memberships:read";
/// Add, change and remove members.
pub const MANAGE_MEMBERSHIPS: &str = "org:sys_memberships:manage";

/// Why not.
#[derive(Debug, PartialEq, Eq)]
pub enum Denied {
    /// To who is no member the organization does not exist, whatever role they have elsewhere.
    NotAMember,
    /// The permissions that the member's role lacks, of those that are wanted.
    Missing(Vec<&'static str>),
}

/// Decides. `held` is the caller's role in this organization, `None` for who is no member of it; an empty `wanted` is what
/// every member may do.
pub fn permit(held: Option<&Role>, wanted: &[&'static str]) -> Result<(), Denied> {
    let role = held.ok_or(Denied::NotAMember)?;
    let has = |key: &str| role.permissions.iter().any(|permission| permission.key == key);
    // Who manages members has to see them.
    let holds = |key: &str| has(key) || (key == READ_MEMBERSHIPS && has(MANAGE_MEMBERSHIPS));
    let missing: Vec<&str> = wanted.iter().copied().filter(|key| !holds(key)).collect();
    if missing.is_empty() { Ok(()) } else { Err(Denied::Missing(missing)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::membership::tests::role;
    use doorward_model::SYSTEM_PERMISSIONS;

    #[test]
    fn org21_who_is_no_member_is_told_nothing_of_permissions() {
        assert_eq!(permit(None, &[]), Err(Denied::NotAMember));
        assert_eq!(permit(None, &[MANAGE_PROFILE]), Err(Denied::NotAMember));
    }

    #[test]
    fn rol20_the_missing_permissions_are_named_and_no_others() {
        let reader = role("org:reader", &[READ_MEMBERSHIPS]);
        assert_eq!(permit(Some(&reader), &[]), Ok(()));
        assert_eq!(permit(Some(&reader), &[READ_MEMBERSHIPS]), Ok(()));
        let both = permit(Some(&reader), &[MANAGE_MEMBERSHIPS, READ_MEMBERSHIPS, DELETE_PROFILE]);
        assert_eq!(both, Err(Denied::Missing(vec![MANAGE_MEMBERSHIPS, DELETE_PROFILE])));
    }

    #[test]
    fn who_manages_members_sees_them_and_nothing_else_follows_from_another() {
        let all = [MANAGE_PROFILE, DELETE_PROFILE, READ_MEMBERSHIPS, MANAGE_MEMBERSHIPS];
        for held in all {
            for wanted in all {
                let expected = held == wanted || (held, wanted) == (MANAGE_MEMBERSHIPS, READ_MEMBERSHIPS);
                assert_eq!(permit(Some(&role("org:one", &[held])), &[wanted]).is_ok(), expected, "{held} {wanted}");
            }
        }
    }

    #[test]
    fn rol2_a_permission_is_its_whole_key() {
        for key in ["org:sys_profile", "org:sys_profile:manage:all", "ORG:SYS_PROFILE:MANAGE", "org:profile:manage", ""]
        {
            let near = role("org:near", &[key]);
            assert_eq!(permit(Some(&near), &[MANAGE_PROFILE]), Err(Denied::Missing(vec![MANAGE_PROFILE])), "{key}");
        }
    }

    #[test]
    fn rol1_the_stock_roles_may_what_they_should() {
        let keys = |member: bool| -> Vec<&'static str> {
            let all = SYSTEM_PERMISSIONS.iter();
            all.filter(|found| !member || found.held_by_member).map(|found| found.key).collect()
        };
        let (admin, member) = (role("org:admin", &keys(false)), role("org:member", &keys(true)));
        for (wanted, member_may) in
            [(MANAGE_PROFILE, false), (DELETE_PROFILE, false), (READ_MEMBERSHIPS, true), (MANAGE_MEMBERSHIPS, false)]
        {
            assert_eq!(permit(Some(&admin), &[wanted]), Ok(()), "{wanted}");
            assert_eq!(permit(Some(&member), &[wanted]).is_ok(), member_may, "{wanted}");
        }
    }
}
