//! What a role set must be like (ROL-7, ROL-11).

use crate::membership::CREATOR_PERMISSIONS;
use doorward_model::Role;

/// The most roles in a set.
pub const MAX_ROLES: usize = 10;

/// Why a role set may not be as it would be.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    NoRoles,
    TooManyRoles,
    /// The default role is not one of the set's.
    DefaultRoleOutside,
    /// The creator role is not one of the set's.
    CreatorRoleOutside,
    /// The creator role lacks permissions without which nobody could run an organization.
    CreatorRoleLacks(Vec<&'static str>),
}

/// Picks the default and the creator role, by key, from the roles of a set.
pub fn check<'a>(
    roles: &'a [Role],
    default_role_key: &str,
    creator_role_key: &str,
) -> Result<(&'a Role, &'a Role), Refusal> {
    if roles.is_empty() {
        return Err(Refusal::NoRoles);
    }
    if roles.len() > MAX_ROLES {
        return Err(Refusal::TooManyRoles);
    }
    let find = |key: &str| roles.iter().find(|role| role.key == key);
    let default = find(default_role_key).ok_or(Refusal::DefaultRoleOutside)?;
    let creator = find(creator_role_key).ok_or(Refusal::CreatorRoleOutside)?;
    let holds = |wanted: &str| creator.permissions.iter().any(|held| held.key == wanted);
    let missing: Vec<&str> = CREATOR_PERMISSIONS.into_iter().filter(|wanted| !holds(wanted)).collect();
    if missing.is_empty() { Ok((default, creator)) } else { Err(Refusal::CreatorRoleLacks(missing)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::membership::tests::role;

    #[test]
    fn rol11_default_and_creator_role_are_drawn_from_the_set() {
        let roles = [role("org:admin", &CREATOR_PERMISSIONS), role("org:member", &[])];
        let (default, creator) = check(&roles, "org:member", "org:admin").unwrap();
        assert_eq!((default.key.as_str(), creator.key.as_str()), ("org:member", "org:admin"));
        assert_eq!(check(&roles[..1], "org:member", "org:admin"), Err(Refusal::DefaultRoleOutside));
        assert_eq!(check(&roles[1..], "org:member", "org:admin"), Err(Refusal::CreatorRoleOutside));
    }

    #[test]
    fn rol7_the_creator_role_needs_its_permissions() {
        let roles = [role("org:half", &CREATOR_PERMISSIONS[..2])];
        assert_eq!(
            check(&roles, "org:half", "org:half"),
            Err(Refusal::CreatorRoleLacks(vec!["org:sys_profile:delete"]))
        );
    }

    #[test]
    fn rol11_a_set_has_one_to_ten_roles() {
        assert_eq!(check(&[], "org:a", "org:a"), Err(Refusal::NoRoles));
        let many: Vec<Role> = (0..11).map(|i| role(&format!("org:r{i}"), &CREATOR_PERMISSIONS)).collect();
        assert_eq!(check(&many, "org:r0", "org:r0"), Err(Refusal::TooManyRoles));
        assert!(check(&many[..10], "org:r0", "org:r0").is_ok());
    }
}
