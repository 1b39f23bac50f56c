//! Memberships of organizations.

use super::organization::{Extras, organization as organization_object};
use doorward_model::{Organization, OrganizationMembership, Role, User};
use serde_json::{Value, json};

/// A membership with its organization; with the user's public data where `user` (and their identifier) is given.
pub fn membership(
    membership: &OrganizationMembership,
    role: &Role,
    organization: &Organization,
    role_set_key: Option<&str>,
    user: Option<(&User, &str)>,
) -> Value {
    // System permissions are named here, although never in session tokens (ROL-4).
    let permissions: Vec<&str> = role.permissions.iter().map(|permission| permission.key.as_str()).collect();
    let mut object = json!({
        "object": "organization_membership",
        "id": membership.id,
        "role": role.key,
        "role_name": role.name,
        "permissions": permissions,
        "public_metadata": membership.public_metadata,
        "private_metadata": membership.private_metadata,
        "organization": organization_object(organization, role_set_key, Extras::default()),
        "created_at": membership.created_at,
        "updated_at": membership.updated_at,
    });
    if let Some((user, identifier)) = user {
        object["public_user_data"] = public_user_data(user, identifier);
    }
    object
}

fn public_user_data(user: &User, identifier: &str) -> Value {
    json!({
        "user_id": user.id,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "username": user.username,
        "identifier": Some(identifier).filter(|text| !text.is_empty()),
        "profile_image_url": null,
        "image_url": "",
        "has_image": false,
        "banned": user.banned,
        "deprovisioned": user.deprovisioned,
    })
}
