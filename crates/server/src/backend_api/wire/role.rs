//! Roles, permissions and role sets.

use crate::flows::role_sets::RoleSetView;
use doorward_model::{Permission, Role, RoleId};
use doorward_rules::membership::is_creator_eligible;
use serde_json::{Value, json};

/// A permission.
pub fn permission(permission: &Permission) -> Value {
    json!({
        "object": "permission",
        "id": permission.id,
        "name": permission.name,
        "key": permission.key,
        "description": permission.description,
        "type": permission.kind.as_str(),
        "created_at": permission.created_at,
        "updated_at": permission.updated_at,
    })
}

/// A role with its permissions.
pub fn role(role: &Role) -> Value {
    json!({
        "object": "role",
        "id": role.id,
        "name": role.name,
        "key": role.key,
        "description": role.description,
        "is_creator_eligible": is_creator_eligible(role),
        "permissions": role.permissions.iter().map(permission).collect::<Vec<_>>(),
        "created_at": role.created_at,
        "updated_at": role.updated_at,
    })
}

/// A role set with its roles.
pub fn role_set(view: &RoleSetView) -> Value {
    let item = |role: &Role| role_set_item(role, view);
    let named = |id: &RoleId| view.roles.iter().find(|role| role.id == *id).map(item);
    let set = &view.set;
    json!({
        "object": "role_set",
        "id": set.id,
        "name": set.name,
        "key": set.key,
        "description": set.description,
        "roles": view.roles.iter().map(item).collect::<Vec<_>>(),
        "default_role": named(&set.default_role_id),
        "creator_role": named(&set.creator_role_id),
        "type": set.kind.as_str(),
        "role_set_migration": null,
        "created_at": set.created_at,
        "updated_at": set.updated_at,
    })
}

fn role_set_item(role: &Role, view: &RoleSetView) -> Value {
    let members = view.holders.as_ref().map(|holders| {
        let found = holders.iter().find(|(id, _)| *id == role.id);
        found.map_or(0, |(_, count)| *count)
    });
    json!({
        "object": "role_set_item",
        "id": role.id,
        "name": role.name,
        "key": role.key,
        "description": role.description,
        "members_count": members,
        "has_members": members.map(|count| count > 0),
        "created_at": role.created_at,
        "updated_at": role.updated_at,
    })
}
