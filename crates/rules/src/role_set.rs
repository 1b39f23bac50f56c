//! What a role set must be like, and what becomes of members whose role leaves it (ROL-7, ROL-11, ROL-15, ROL-17, ROL-18,
//! ORG-14).

use crate::membership::{is_creator_eligible, missing_creator_permissions};
use doorward_model::{Role, RoleId, RoleSet, RoleSetType};
use std::collections::BTreeMap;

/// The most roles in a set.
pub const MAX_ROLES: usize = 10;

/// The most members that get another role at once (ROL-15). It is one transaction, which others have to wait for.
pub const MAX_REASSIGNED: i64 = 50_000;

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
    let missing = missing_creator_permissions(creator);
    if missing.is_empty() { Ok((default, creator)) } else { Err(Refusal::CreatorRoleLacks(missing)) }
}

/// The roles of a set with others added behind them; those it has count once.
pub fn with_roles(roles: &[Role], added: &[Role]) -> Vec<Role> {
    let mut next = roles.to_vec();
    for role in added {
        if !next.iter().any(|known| known.id == role.id) {
            next.push(role.clone());
        }
    }
    next
}

/// A role set after one of its roles gave way to another.
#[derive(Debug, PartialEq, Eq)]
pub struct Replaced {
    pub roles: Vec<Role>,
    pub default_role_key: String,
    pub creator_role_key: String,
}

/// Why a role of a set may not be replaced.
#[derive(Debug, PartialEq, Eq)]
pub enum ReplaceRefusal {
    /// The role to be removed is none of the set's.
    NotInSet,
    /// A role cannot take its own place.
    SameRole,
}

/// Puts `by` into the place of `role`: as default and as creator role too, where it was that (ROL-18). `by` may be another role
/// of the set, or one it did not have.
pub fn replace_role(set: &RoleSet, roles: &[Role], role: &Role, by: &Role) -> Result<Replaced, ReplaceRefusal> {
    if !roles.iter().any(|known| known.id == role.id) {
        return Err(ReplaceRefusal::NotInSet);
    }
    if role.id == by.id {
        return Err(ReplaceRefusal::SameRole);
    }
    let key_of = |id: &RoleId| roles.iter().find(|role| role.id == *id).map(|role| role.key.clone());
    let successor = |id: &RoleId| if *id == role.id { Some(by.key.clone()) } else { key_of(id) };
    let mut next = Vec::with_capacity(roles.len());
    for known in roles {
        let kept = if known.id == role.id { by } else { known };
        if !next.iter().any(|taken: &Role| taken.id == kept.id) {
            next.push(kept.clone());
        }
    }
    Ok(Replaced {
        roles: next,
        default_role_key: successor(&set.default_role_id).unwrap_or_default(),
        creator_role_key: successor(&set.creator_role_id).unwrap_or_default(),
    })
}

/// Why a role set may not be replaced as a whole.
#[derive(Debug, PartialEq, Eq)]
pub enum DeleteRefusal {
    /// New organizations would have none (ROL-17).
    Initial,
    /// It cannot take its own place.
    SameSet,
}

/// May a role set go and `by` take its place?
pub fn replace_set(set: &RoleSet, by: &RoleSet) -> Result<(), DeleteRefusal> {
    match set.kind {
        RoleSetType::Initial => Err(DeleteRefusal::Initial),
        RoleSetType::Custom if set.id == by.id => Err(DeleteRefusal::SameSet),
        RoleSetType::Custom => Ok(()),
    }
}

/// Which members' role becomes which, by role.
pub type Moves = Vec<(RoleId, RoleId)>;

/// Why members cannot be given other roles as asked (ROL-15).
#[derive(Debug, PartialEq, Eq)]
pub enum ReassignRefusal {
    /// Members hold these roles; nothing says what they become.
    Missing { role_keys: Vec<String> },
    /// The mappings name a role that is not there, or lead to one that the next set does not have.
    Invalid { role_key: String },
    /// More members than [`MAX_REASSIGNED`].
    TooMany { members: i64 },
}

/// What becomes of members when their organization's roles are `next` from now on.
///
/// `held` tells how many members hold which role. `mappings` lead from role key to role key; a role that is not mapped stays
/// with its members if `next` has it.
pub fn reassign(
    all: &[Role],
    held: &[(RoleId, i64)],
    next: &[RoleId],
    mappings: &BTreeMap<String, String>,
) -> Result<Moves, ReassignRefusal> {
    let by_key = |key: &str| all.iter().find(|role| role.key == key);
    let mut mapped = BTreeMap::new();
    for (from_key, to_key) in mappings {
        let invalid = |key: &String| ReassignRefusal::Invalid { role_key: key.clone() };
        let from = by_key(from_key).ok_or_else(|| invalid(from_key))?;
        let to = by_key(to_key).filter(|role| next.contains(&role.id)).ok_or_else(|| invalid(to_key))?;
        mapped.insert(&from.id, &to.id);
    }
    let (mut moves, mut missing, mut members) = (Vec::new(), Vec::new(), 0);
    for (role, count) in held.iter().filter(|(_, count)| *count > 0) {
        match mapped.get(role) {
            Some(to) if *to == role => {}
            Some(to) => {
                members += count;
                moves.push((role.clone(), (*to).clone()));
            }
            None if next.contains(role) => {}
            None => missing.push(role),
        }
    }
    if !missing.is_empty() {
        let key = |id: &RoleId| {
            all.iter().find(|role| role.id == *id).map_or_else(|| id.to_string(), |role| role.key.clone())
        };
        return Err(ReassignRefusal::Missing { role_keys: missing.into_iter().map(key).collect() });
    }
    if members > MAX_REASSIGNED { Err(ReassignRefusal::TooMany { members }) } else { Ok(moves) }
}

/// Who can run an organization after roles were changed (ORG-14).
#[derive(Debug, PartialEq, Eq)]
pub struct Charge {
    /// Whoever holds one of these could and no longer can.
    pub ends: Vec<RoleId>,
    /// Whoever holds one of these can afterwards.
    pub stays: Vec<RoleId>,
}

/// Compares roles, and what becomes of those who hold them. `before` and `after` are the same roles with what they permit.
pub fn charge(before: &[Role], after: &[Role], moves: &[(RoleId, RoleId)]) -> Charge {
    let moved =
        |id: &RoleId| moves.iter().find(|(from, _)| from == id).map_or_else(|| id.clone(), |(_, to)| to.clone());
    let is_eligible =
        |roles: &[Role], id: &RoleId| roles.iter().any(|role| role.id == *id && is_creator_eligible(role));
    let ids = || before.iter().map(|role| &role.id);
    let stays: Vec<RoleId> = ids().filter(|id| is_eligible(after, &moved(id))).cloned().collect();
    let ends = ids().filter(|id| is_eligible(before, id) && !stays.contains(id)).cloned().collect();
    Charge { ends, stays }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::membership::CREATOR_PERMISSIONS;
    use crate::membership::tests::role;

    /// A set whose roles have their keys for ids.
    pub(crate) fn set(id: &str, default_role: &str, creator_role: &str) -> RoleSet {
        RoleSet {
            id: id.into(),
            key: format!("role_set:{id}"),
            name: id.into(),
            description: None,
            kind: RoleSetType::Custom,
            default_role_id: default_role.into(),
            creator_role_id: creator_role.into(),
            created_at: 0,
            updated_at: 0,
        }
    }

    fn mappings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect()
    }

    fn keys(roles: &[Role]) -> Vec<&str> {
        roles.iter().map(|role| role.key.as_str()).collect()
    }

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

    #[test]
    fn rol11_roles_are_added_once() {
        let [admin, member, reader] = ["org:admin", "org:member", "org:reader"].map(|key| role(key, &[]));
        let next = with_roles(&[admin, member.clone()], &[member, reader.clone(), reader]);
        assert_eq!(keys(&next), ["org:admin", "org:member", "org:reader"]);
    }

    #[test]
    fn rol18_a_replacement_takes_every_place_of_the_role() {
        let [admin, member, reader] = ["org:admin", "org:member", "org:reader"].map(|key| role(key, &[]));
        let roles = [admin.clone(), member.clone()];
        let the_set = set("one", "org:member", "org:admin");
        for (from, to, expected, default, creator) in [
            (&member, &admin, vec!["org:admin"], "org:admin", "org:admin"),
            (&member, &reader, vec!["org:admin", "org:reader"], "org:reader", "org:admin"),
            (&admin, &member, vec!["org:member"], "org:member", "org:member"),
            (&admin, &reader, vec!["org:reader", "org:member"], "org:member", "org:reader"),
        ] {
            let next = replace_role(&the_set, &roles, from, to).unwrap();
            assert_eq!(keys(&next.roles), expected);
            assert_eq!((next.default_role_key.as_str(), next.creator_role_key.as_str()), (default, creator));
        }
        assert_eq!(replace_role(&the_set, &roles, &reader, &admin), Err(ReplaceRefusal::NotInSet));
        assert_eq!(replace_role(&the_set, &roles, &admin, &admin), Err(ReplaceRefusal::SameRole));
    }

    #[test]
    fn rol17_the_initial_set_stays() {
        let (one, two) = (set("one", "org:a", "org:a"), set("two", "org:a", "org:a"));
        let initial = RoleSet { kind: RoleSetType::Initial, ..one.clone() };
        assert_eq!(replace_set(&one, &two), Ok(()));
        assert_eq!(replace_set(&two, &initial), Ok(()));
        assert_eq!(replace_set(&initial, &two), Err(DeleteRefusal::Initial));
        assert_eq!(replace_set(&one, &one), Err(DeleteRefusal::SameSet));
    }

    #[test]
    fn rol15_what_becomes_of_members() {
        let all = ["org:admin", "org:member", "org:reader", "org:writer"].map(|key| role(key, &[]));
        let next: [RoleId; 2] = ["org:admin".into(), "org:reader".into()];
        let held =
            |pairs: &[(&str, i64)]| pairs.iter().map(|(role, count)| ((*role).into(), *count)).collect::<Vec<_>>();
        let moves = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect::<Moves>();
        let missing = |keys: &[&str]| {
            Err(ReassignRefusal::Missing { role_keys: keys.iter().map(|key| (*key).to_owned()).collect() })
        };
        let invalid = |key: &str| Err(ReassignRefusal::Invalid { role_key: key.to_owned() });
        for (count, given, expected) in [
            (vec![], vec![], Ok(vec![])),
            (vec![("org:admin", 3)], vec![], Ok(vec![])),
            (vec![("org:member", 3)], vec![], missing(&["org:member"])),
            (vec![("org:member", 1), ("org:writer", 1)], vec![], missing(&["org:member", "org:writer"])),
            (vec![("org:member", 0)], vec![], Ok(vec![])),
            (vec![("org:member", 3)], vec![("org:member", "org:reader")], Ok(moves(&[("org:member", "org:reader")]))),
            (vec![("org:member", 3)], vec![("org:writer", "org:reader")], missing(&["org:member"])),
            // One that could stay is moved where that is asked for.
            (vec![("org:admin", 3)], vec![("org:admin", "org:reader")], Ok(moves(&[("org:admin", "org:reader")]))),
            (vec![("org:admin", 3)], vec![("org:admin", "org:admin")], Ok(vec![])),
            (vec![("org:member", 3)], vec![("org:member", "org:writer")], invalid("org:writer")),
            (vec![("org:member", 3)], vec![("org:member", "org:none")], invalid("org:none")),
            (vec![], vec![("org:none", "org:admin")], invalid("org:none")),
            (vec![], vec![("org:member", "org:member")], invalid("org:member")),
            (
                vec![("org:member", MAX_REASSIGNED)],
                vec![("org:member", "org:reader")],
                Ok(moves(&[("org:member", "org:reader")])),
            ),
            (
                vec![("org:member", MAX_REASSIGNED), ("org:writer", 1)],
                vec![("org:member", "org:reader"), ("org:writer", "org:admin")],
                Err(ReassignRefusal::TooMany { members: MAX_REASSIGNED + 1 }),
            ),
            // Those who stay cost nothing.
            (vec![("org:admin", MAX_REASSIGNED + 1)], vec![], Ok(vec![])),
        ] {
            assert_eq!(reassign(&all, &held(&count), &next, &mappings(&given)), expected, "{count:?} {given:?}");
        }
    }

    #[test]
    fn org14_who_is_in_charge_after_a_reassignment() {
        let (admin, boss) = (role("org:admin", &CREATOR_PERMISSIONS), role("org:boss", &CREATOR_PERMISSIONS));
        let (member, reader) = (role("org:member", &[]), role("org:reader", &[]));
        let all = [admin.clone(), boss, member.clone(), reader];
        let ids = |keys: &[&str]| keys.iter().map(|key| RoleId::from(*key)).collect::<Vec<_>>();
        for (moves, ends, stays) in [
            (vec![], vec![], vec!["org:admin", "org:boss"]),
            (vec![("org:admin", "org:boss")], vec![], vec!["org:admin", "org:boss"]),
            (vec![("org:admin", "org:member")], vec!["org:admin"], vec!["org:boss"]),
            (vec![("org:reader", "org:boss")], vec![], vec!["org:admin", "org:boss", "org:reader"]),
            (vec![("org:admin", "org:member"), ("org:boss", "org:reader")], vec!["org:admin", "org:boss"], vec![]),
            (
                vec![("org:admin", "org:member"), ("org:member", "org:admin")],
                vec!["org:admin"],
                vec!["org:boss", "org:member"],
            ),
        ] {
            let moves: Moves = moves.iter().map(|(from, to)| ((*from).into(), (*to).into())).collect();
            assert_eq!(charge(&all, &all, &moves), Charge { ends: ids(&ends), stays: ids(&stays) }, "{moves:?}");
        }
        // Without a move: the role itself permits less than before.
        let less = [role("org:admin", &[]), member.clone()];
        let Charge { ends, stays } = charge(&[admin, member], &less, &[]);
        assert_eq!((ends, stays), (ids(&["org:admin"]), vec![]));
    }
}
