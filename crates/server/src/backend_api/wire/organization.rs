//! Organizations.

use doorward_model::Organization;
use serde_json::{Value, json};

/// What is added on demand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extras {
    pub members_count: bool,
    /// Whether nobody can run the organization, where that was asked.
    pub missing_member_with_elevated_permissions: Option<bool>,
}

/// An organization. There are no pictures, so `image_url` is empty.
pub fn organization(organization: &Organization, role_set_key: Option<&str>, extras: Extras) -> Value {
    let mut object = json!({
        "object": "organization",
        "id": organization.id,
        "name": organization.name,
        "slug": organization.slug,
        "image_url": "",
        "has_image": false,
        "max_allowed_memberships": organization.max_allowed_memberships,
        "admin_delete_enabled": organization.admin_delete_enabled,
        "public_metadata": organization.public_metadata,
        "private_metadata": organization.private_metadata,
        "created_at": organization.created_at,
        "updated_at": organization.updated_at,
        "role_set_key": role_set_key,
    });
    // The document allows no null here.
    if let Some(user) = &organization.created_by {
        object["created_by"] = json!(user);
    }
    if extras.members_count {
        object["members_count"] = json!(organization.members_count);
    }
    if let Some(missing) = extras.missing_member_with_elevated_permissions {
        object["missing_member_with_elevated_permissions"] = json!(missing);
    }
    object
}
