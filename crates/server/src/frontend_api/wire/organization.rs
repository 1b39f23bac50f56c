//! Organizations and memberships as their members see them: without private metadata.

use crate::http::json::{NULL, object};
use doorward_model::{Organization, OrganizationMembership, Role};
use serde::Serialize;

/// `organization`
pub fn organization(organization: &Organization) -> impl Serialize {
    object! {
        object: "organization",
        id: &organization.id,
        name: &organization.name,
        slug: &organization.slug,
        image_url: "",
        has_image: false,
        logo_url: NULL,
        members_count: &organization.members_count,
        pending_invitations_count: 0,
        max_allowed_memberships: &organization.max_allowed_memberships,
        admin_delete_enabled: &organization.admin_delete_enabled,
        self_serve_sso_enabled: &organization.self_serve_sso_enabled,
        public_metadata: &organization.public_metadata,
        created_at: &organization.created_at,
        updated_at: &organization.updated_at,
    }
}

/// `organization_membership`, with the permissions that decide what the member is shown (ROL-4).
pub fn membership(
    membership: &OrganizationMembership,
    of: &Organization,
    role: &Role,
    public_user_data: impl Serialize,
) -> impl Serialize {
    let permissions: Vec<&str> = role.permissions.iter().map(|permission| permission.key.as_str()).collect();
    object! {
        object: "organization_membership",
        id: &membership.id,
        public_metadata: &membership.public_metadata,
        role: &role.key,
        role_name: &role.name,
        permissions: permissions,
        organization: organization(of),
        public_user_data: public_user_data,
        created_at: &membership.created_at,
        updated_at: &membership.updated_at,
    }
}
