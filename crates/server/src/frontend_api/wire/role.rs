//! Roles as members choose among them.

use crate::http::json::object;
use doorward_model::{Permission, Role};
use doorward_rules::membership::is_creator_eligible;
use serde::Serialize;

/// `role`, with its permissions.
pub fn role(role: &Role) -> impl Serialize {
    let permissions: Vec<_> = role.permissions.iter().map(permission).collect();
    object! {
        object: "role",
        id: &role.id,
        name: &role.name,
        key: &role.key,
        description: role.description.as_deref().unwrap_or_default(),
        is_creator_eligible: is_creator_eligible(role),
        permissions: permissions,
        created_at: role.created_at,
        updated_at: role.updated_at,
    }
}

fn permission(permission: &Permission) -> impl Serialize {
    object! {
        object: "permission",
        id: &permission.id,
        name: &permission.name,
        key: &permission.key,
        description: &permission.description,
        r#type: permission.kind.as_str(),
        created_at: permission.created_at,
        updated_at: permission.updated_at,
    }
}
