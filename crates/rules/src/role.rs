//! Roles and permissions of the operator's own (ROL-5 … ROL-7, ROL-9, ROL-10, ORG-14).

use crate::membership::{is_creator_eligible, missing_creator_permissions};
use crate::organization::is_key;
use doorward_model::{Permission, PermissionId, PermissionType, Role, RoleId, RoleSet};

/// The most roles beside the stock ones (ROL-5).
pub const MAX_CUSTOM_ROLES: usize = 10;

/// The keys of the two roles every instance begins with (ROL-1).
pub const STOCK_ROLE_KEYS: [&str; 2] = ["org:admin", "org:member"];

/// What every key of a role or permission begins with.
const PREFIX: &str = "org:";

/// The features whose permissions are built in begin with this (ROL-6).
const SYSTEM_FEATURE: &str = "sys_";

/// Why a role may not have a key.
#[derive(Debug, PartialEq, Eq)]
pub enum RoleKeyRefusal {
    Malformed,
    Taken,
    /// There are [`MAX_CUSTOM_ROLES`] beside it.
    TooManyRoles,
}

/// May the role `own`, or a new one, have this key beside the roles there are?
pub fn check_role_key(key: &str, all: &[Role], own: Option<&RoleId>) -> Result<(), RoleKeyRefusal> {
    if !is_key(key, PREFIX) {
        return Err(RoleKeyRefusal::Malformed);
    }
    let others = || all.iter().filter(|role| Some(&role.id) != own);
    if others().any(|role| role.key == key) {
        return Err(RoleKeyRefusal::Taken);
    }
    let is_custom = |key: &str| !STOCK_ROLE_KEYS.contains(&key);
    if is_custom(key) && others().filter(|role| is_custom(&role.key)).count() >= MAX_CUSTOM_ROLES {
        return Err(RoleKeyRefusal::TooManyRoles);
    }
    Ok(())
}

/// Why a permission may not have a key.
#[derive(Debug, PartialEq, Eq)]
pub enum PermissionKeyRefusal {
    /// Not `org:<feature>:<action>`.
    Malformed,
    /// The feature's name is one of the built-in ones.
    Reserved,
    Taken,
}

/// May the permission `own`, or a new one, have this key beside the permissions there are?
pub fn check_permission_key(
    key: &str,
    all: &[Permission],
    own: Option<&PermissionId>,
) -> Result<(), PermissionKeyRefusal> {
    let parts = key.strip_prefix(PREFIX).and_then(|rest| rest.split_once(':'));
    let (feature, action) = parts.ok_or(PermissionKeyRefusal::Malformed)?;
    if !is_key(feature, "") || !is_key(action, "") {
        return Err(PermissionKeyRefusal::Malformed);
    }
    if feature.starts_with(SYSTEM_FEATURE) {
        return Err(PermissionKeyRefusal::Reserved);
    }
    match all.iter().any(|permission| permission.key == key && Some(&permission.id) != own) {
        true => Err(PermissionKeyRefusal::Taken),
        false => Ok(()),
    }
}

/// May the operator change or delete this permission (ROL-6)?
pub fn is_modifiable(permission: &Permission) -> bool {
    match permission.kind {
        PermissionType::System => false,
        PermissionType::User => true,
    }
}

/// Why a role stays (ROL-9).
#[derive(Debug, PartialEq, Eq)]
pub enum DeleteRefusal {
    CreatorRole,
    DefaultRole,
    HeldByMembers,
}

/// May a role be deleted? `sets` are all role sets. A set it is in without being one of its two named roles just loses it.
pub fn delete(role: &RoleId, sets: &[RoleSet], is_held: bool) -> Result<(), DeleteRefusal> {
    if sets.iter().any(|set| set.creator_role_id == *role) {
        return Err(DeleteRefusal::CreatorRole);
    }
    if sets.iter().any(|set| set.default_role_id == *role) {
        return Err(DeleteRefusal::DefaultRole);
    }
    if is_held { Err(DeleteRefusal::HeldByMembers) } else { Ok(()) }
}

/// The role already has the permission.
#[derive(Debug, PartialEq, Eq)]
pub struct AlreadyHeld;

/// The role with one permission more (ROL-10).
pub fn with_permission(role: &Role, permission: &Permission) -> Result<Role, AlreadyHeld> {
    if role.permissions.iter().any(|held| held.id == permission.id) {
        return Err(AlreadyHeld);
    }
    let mut next = role.clone();
    next.permissions.push(permission.clone());
    Ok(next)
}

/// The role does not have the permission.
#[derive(Debug, PartialEq, Eq)]
pub struct NotHeld;

/// The role with one permission less (ROL-10).
pub fn without_permission(role: &Role, permission: &PermissionId) -> Result<Role, NotHeld> {
    let mut next = role.clone();
    next.permissions.retain(|held| held.id != *permission);
    if next.permissions.len() == role.permissions.len() { Err(NotHeld) } else { Ok(next) }
}

/// What new permissions of a role mean for those who hold it.
#[derive(Debug, PartialEq, Eq)]
pub enum PermissionChange {
    Allowed,
    /// The creator role of a set must keep these (ROL-7).
    CreatorRoleLacks(Vec<&'static str>),
    /// Its holders could run their organizations and no longer can: allowed where in each of these organizations somebody
    /// else still can (ORG-14).
    EndsCharge,
}

/// Decides on a role's new permissions. `sets` are all role sets.
pub fn change_permissions(before: &Role, after: &Role, sets: &[RoleSet]) -> PermissionChange {
    let missing = missing_creator_permissions(after);
    if missing.is_empty() || !is_creator_eligible(before) {
        return PermissionChange::Allowed;
    }
    match sets.iter().any(|set| set.creator_role_id == after.id) {
        true => PermissionChange::CreatorRoleLacks(missing),
        false => PermissionChange::EndsCharge,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::membership::CREATOR_PERMISSIONS;
    use crate::membership::tests::role;
    use crate::role_set::tests::set;

    fn permission(key: &str, kind: PermissionType) -> Permission {
        Permission { kind, ..role("org:a", &[key]).permissions.remove(0) }
    }

    #[test]
    fn rol5_role_keys() {
        let all = [role("org:admin", &[]), role("org:analyst", &[])];
        let own = RoleId::from("org:analyst");
        for (key, own, expected) in [
            ("org:reader_2", None, Ok(())),
            // Only permissions keep the prefix for themselves.
            ("org:sys_reader", None, Ok(())),
            ("org:analyst", None, Err(RoleKeyRefusal::Taken)),
            ("org:admin", Some(&own), Err(RoleKeyRefusal::Taken)),
            ("org:analyst", Some(&own), Ok(())),
            ("org:", None, Err(RoleKeyRefusal::Malformed)),
            ("org:Reader", None, Err(RoleKeyRefusal::Malformed)),
            ("org:re-ader", None, Err(RoleKeyRefusal::Malformed)),
            ("org:reports:read", None, Err(RoleKeyRefusal::Malformed)),
            ("reader", None, Err(RoleKeyRefusal::Malformed)),
            ("role_set:reader", None, Err(RoleKeyRefusal::Malformed)),
        ] {
            assert_eq!(check_role_key(key, &all, own), expected, "{key}");
        }
    }

    #[test]
    fn rol5_ten_roles_beside_the_stock_ones() {
        let mut all: Vec<Role> = (0..9).map(|n| role(&format!("org:r{n}"), &[])).collect();
        all.extend([role("org:admin", &[]), role("org:member", &[])]);
        assert_eq!(check_role_key("org:r9", &all, None), Ok(()));
        all.push(role("org:r9", &[]));
        assert_eq!(check_role_key("org:r10", &all, None), Err(RoleKeyRefusal::TooManyRoles));
        // Another key for one of the ten is none more; another key for a stock role is.
        assert_eq!(check_role_key("org:other", &all, Some(&"org:r0".into())), Ok(()));
        assert_eq!(check_role_key("org:boss", &all, Some(&"org:admin".into())), Err(RoleKeyRefusal::TooManyRoles));
        // A stock role that was deleted may come back.
        all.retain(|role| role.key != "org:member");
        assert_eq!(check_role_key("org:member", &all, None), Ok(()));
    }

    #[test]
    fn rol6_permission_keys() {
        let all = [permission("org:reports:read", PermissionType::User)];
        let own = PermissionId::from("org:reports:read");
        for (key, own, expected) in [
            ("org:reports:write", None, Ok(())),
            ("org:reports:sys_write", None, Ok(())),
            ("org:system:read_2", None, Ok(())),
            ("org:reports:read", Some(&own), Ok(())),
            ("org:reports:read", None, Err(PermissionKeyRefusal::Taken)),
            ("org:sys_reports:read", None, Err(PermissionKeyRefusal::Reserved)),
            ("org:sys_memberships:manage", None, Err(PermissionKeyRefusal::Reserved)),
            ("org:reports", None, Err(PermissionKeyRefusal::Malformed)),
            ("org:reports:", None, Err(PermissionKeyRefusal::Malformed)),
            ("org::read", None, Err(PermissionKeyRefusal::Malformed)),
            ("org:reports:read:all", None, Err(PermissionKeyRefusal::Malformed)),
            ("org:reports:Read", None, Err(PermissionKeyRefusal::Malformed)),
            // A comma would end the name within the token's claim.
            ("org:a,b:read", None, Err(PermissionKeyRefusal::Malformed)),
            ("user:reports:read", None, Err(PermissionKeyRefusal::Malformed)),
        ] {
            assert_eq!(check_permission_key(key, &all, own), expected, "{key}");
        }
    }

    #[test]
    fn rol6_system_permissions_stay_as_they_are() {
        assert!(is_modifiable(&permission("org:reports:read", PermissionType::User)));
        assert!(!is_modifiable(&permission("org:sys_billing:read", PermissionType::System)));
    }

    #[test]
    fn rol9_what_keeps_a_role() {
        let sets = [set("one", "org:member", "org:admin"), set("two", "org:reader", "org:boss")];
        for (key, is_held, expected) in [
            ("org:admin", true, Err(DeleteRefusal::CreatorRole)),
            ("org:boss", false, Err(DeleteRefusal::CreatorRole)),
            ("org:member", false, Err(DeleteRefusal::DefaultRole)),
            ("org:reader", true, Err(DeleteRefusal::DefaultRole)),
            ("org:analyst", true, Err(DeleteRefusal::HeldByMembers)),
            ("org:analyst", false, Ok(())),
        ] {
            assert_eq!(delete(&key.into(), &sets, is_held), expected, "{key}");
        }
    }

    #[test]
    fn rol10_a_permission_is_given_once_and_taken_once() {
        let analyst = role("org:analyst", &["org:reports:read"]);
        let (read, write) = (&analyst.permissions[0], permission("org:reports:write", PermissionType::User));
        assert_eq!(with_permission(&analyst, read), Err(AlreadyHeld));
        let more = with_permission(&analyst, &write).unwrap();
        assert_eq!(more.permissions, [read.clone(), write.clone()]);
        assert_eq!(without_permission(&more, &write.id).unwrap(), analyst);
        assert_eq!(without_permission(&analyst, &write.id), Err(NotHeld));
    }

    #[test]
    fn rol7_org14_taking_permissions_from_those_in_charge() {
        let sets = [set("one", "org:member", "org:admin")];
        let eligible = |key: &str| role(key, &CREATOR_PERMISSIONS);
        let less = |key: &str| role(key, &CREATOR_PERMISSIONS[1..]);
        let lacks = PermissionChange::CreatorRoleLacks(vec![CREATOR_PERMISSIONS[0]]);
        for (before, after, expected) in [
            (eligible("org:admin"), less("org:admin"), lacks),
            (eligible("org:boss"), less("org:boss"), PermissionChange::EndsCharge),
            (less("org:boss"), role("org:boss", &[]), PermissionChange::Allowed),
            (less("org:boss"), eligible("org:boss"), PermissionChange::Allowed),
            (eligible("org:admin"), eligible("org:admin"), PermissionChange::Allowed),
        ] {
            assert_eq!(change_permissions(&before, &after, &sets), expected, "{before:?}");
        }
    }
}
