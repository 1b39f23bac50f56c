//! Which organization and role a sign-in through a connection brings (MEM-1 … MEM-4, Q-7, Q-8).

use doorward_model::{Organization, OrganizationMembership, RoleId};

/// What is known about the connection's organization.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The organization the connection is linked to now (MEM-12: membership follows the link at each sign-in).
    pub organization: Option<&'a Organization>,
    /// The user's membership in it.
    pub membership: Option<&'a OrganizationMembership>,
    /// The default role of the organization's role set.
    pub default_role: Option<&'a RoleId>,
}

/// What a sign-in does to memberships.
#[derive(Debug, PartialEq, Eq)]
pub enum Join {
    /// The connection serves no organization (CON-31).
    NoOrganization,
    /// Already a member; the role stays.
    Keep,
    /// Becomes a member with this role (MEM-1).
    Add(RoleId),
    /// No seat is left (ORG-12).
    Full { max_allowed_memberships: i64 },
}

/// Decides.
pub fn join(facts: Facts<'_>) -> Join {
    let (Some(organization), Some(role)) = (facts.organization, facts.default_role) else {
        return Join::NoOrganization;
    };
    if facts.membership.is_some() {
        return Join::Keep;
    }
    if seats_left(organization) { Join::Add(role.clone()) } else { full(organization) }
}

fn full(organization: &Organization) -> Join {
    Join::Full { max_allowed_memberships: organization.max_allowed_memberships }
}

/// Whether one more member fits (ORG-11: `0` is unlimited).
pub fn seats_left(organization: &Organization) -> bool {
    organization.max_allowed_memberships == 0 || organization.members_count < organization.max_allowed_memberships
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use doorward_model::JsonMap;

    pub(crate) fn organization(max: i64, members: i64) -> Organization {
        Organization {
            id: "org_1".into(),
            name: "Acme".into(),
            slug: "acme".into(),
            created_by: None,
            max_allowed_memberships: max,
            admin_delete_enabled: true,
            self_serve_sso_enabled: false,
            public_metadata: JsonMap::new(),
            private_metadata: JsonMap::new(),
            role_set_id: "roleset_1".into(),
            members_count: members,
            created_at: 1,
            updated_at: 1,
        }
    }

    fn membership() -> OrganizationMembership {
        OrganizationMembership {
            id: "orgmem_1".into(),
            organization_id: "org_1".into(),
            user_id: "user_1".into(),
            role_id: "role_admin".into(),
            public_metadata: JsonMap::new(),
            private_metadata: JsonMap::new(),
            created_at: 1,
            updated_at: 1,
        }
    }

    #[test]
    fn mem1_a_newcomer_gets_the_default_role_of_the_organizations_role_set() {
        let acme = organization(0, 3);
        let role = RoleId::from("role_member");
        let facts = Facts { organization: Some(&acme), membership: None, default_role: Some(&role) };
        assert_eq!(join(facts), Join::Add(role.clone()));
    }

    #[test]
    fn q7_a_member_keeps_role_and_seat_even_when_the_organization_is_full() {
        let acme = organization(1, 1);
        let role = RoleId::from("role_member");
        let member = membership();
        let facts = Facts { organization: Some(&acme), membership: Some(&member), default_role: Some(&role) };
        assert_eq!(join(facts), Join::Keep);
    }

    #[test]
    fn mem4_no_seat_left_is_full() {
        let role = RoleId::from("role_member");
        for (max, members, fits) in [(0, 1000, true), (5, 4, true), (5, 5, false), (5, 6, false)] {
            let acme = organization(max, members);
            let facts = Facts { organization: Some(&acme), membership: None, default_role: Some(&role) };
            let expected = if fits { Join::Add(role.clone()) } else { Join::Full { max_allowed_memberships: max } };
            assert_eq!(join(facts), expected, "{max} {members}");
        }
    }

    #[test]
    fn con31_a_connection_without_organization_changes_no_membership() {
        assert_eq!(join(Facts { organization: None, membership: None, default_role: None }), Join::NoOrganization);
    }
}
