//! Permissions, roles and role sets. There are few of each (at most a dozen roles), so lists are read whole. Who holds the roles
//! of a set stands in [`role_holders`](crate::role_holders).

use crate::db::{Row, Tx, args, statements};
use crate::error::StoreError;
use doorward_model::{Permission, PermissionId, PermissionType, Role, RoleId, RoleSet, RoleSetId, RoleSetType};

macro_rules! permission_columns {
    () => {
        "p.id, p.key, p.name, p.description, p.kind, p.created_at, p.updated_at"
    };
}

macro_rules! role_set_columns {
    () => {
        "id, key, name, description, kind, default_role_id, creator_role_id, created_at, updated_at"
    };
}

statements! {
    PERMISSIONS = concat!("SELECT ", permission_columns!(), " FROM permissions p ORDER BY p.created_at, p.id");
    INSERT_PERMISSION = "INSERT INTO permissions (id, key, name, description, kind, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    UPDATE_PERMISSION = "UPDATE permissions SET key = $2, name = $3, description = $4, updated_at = $5 WHERE id = $1";
    DELETE_PERMISSION = "DELETE FROM permissions WHERE id = $1";
    ROLES = "SELECT id, key, name, description, created_at, updated_at FROM roles ORDER BY created_at, id";
    ROLE_PERMISSIONS = concat!("SELECT rp.role_id, ", permission_columns!(), " FROM role_permissions rp \
                               JOIN permissions p ON p.id = rp.permission_id ORDER BY p.created_at, p.id");
    INSERT_ROLE = "INSERT INTO roles (id, key, name, description, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6)";
    INSERT_ROLE_PERMISSION = "INSERT INTO role_permissions (role_id, permission_id) VALUES ($1, $2)";
    UPDATE_ROLE = "UPDATE roles SET key = $2, name = $3, description = $4, updated_at = $5 WHERE id = $1";
    DELETE_ROLE_PERMISSIONS = "DELETE FROM role_permissions WHERE role_id = $1";
    DELETE_ROLE = "DELETE FROM roles WHERE id = $1";
    DELETE_ROLE_IN_SETS = "DELETE FROM role_set_roles WHERE role_id = $1";
    ROLE_SETS = concat!("SELECT ", role_set_columns!(), " FROM role_sets ORDER BY created_at, id");
    ROLE_SET_BY_ID = concat!("SELECT ", role_set_columns!(), " FROM role_sets WHERE id = $1");
    ROLE_SET_BY_KEY = concat!("SELECT ", role_set_columns!(), " FROM role_sets WHERE key = $1");
    INITIAL_ROLE_SET = concat!("SELECT ", role_set_columns!(), " FROM role_sets WHERE kind = 'initial'");
    ROLE_SET_ROLES = "SELECT role_id FROM role_set_roles WHERE role_set_id = $1 ORDER BY position";
    ROLE_SET_HAS_ROLE = "SELECT COUNT(*) FROM role_set_roles WHERE role_set_id = $1 AND role_id = $2";
    INSERT_ROLE_SET = "INSERT INTO role_sets (id, key, name, description, kind, default_role_id, creator_role_id, created_at, updated_at) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    UPDATE_ROLE_SET = "UPDATE role_sets SET key = $2, name = $3, description = $4, kind = $5, default_role_id = $6, creator_role_id = $7, \
                       updated_at = $8 WHERE id = $1";
    DELETE_ROLE_SET = "DELETE FROM role_sets WHERE id = $1";
    DELETE_ROLE_SET_ROLES = "DELETE FROM role_set_roles WHERE role_set_id = $1";
    INSERT_ROLE_SET_ROLE = "INSERT INTO role_set_roles (role_set_id, role_id, position) VALUES ($1, $2, $3)";
}

fn read_permission(row: &mut Row<'_>) -> Result<Permission, StoreError> {
    Ok(Permission {
        id: row.id()?,
        key: row.text()?,
        name: row.text()?,
        description: row.text()?,
        kind: row.word(PermissionType::parse)?,
        created_at: row.int()?,
        updated_at: row.int()?,
    })
}

/// A role without its permissions.
fn read_role(row: &mut Row<'_>) -> Result<Role, StoreError> {
    Ok(Role {
        id: row.id()?,
        key: row.text()?,
        name: row.text()?,
        description: row.maybe_text()?,
        permissions: Vec::new(),
        created_at: row.int()?,
        updated_at: row.int()?,
    })
}

fn read_role_set(row: &mut Row<'_>) -> Result<RoleSet, StoreError> {
    Ok(RoleSet {
        id: row.id()?,
        key: row.text()?,
        name: row.text()?,
        description: row.maybe_text()?,
        kind: row.word(RoleSetType::parse)?,
        default_role_id: row.id()?,
        creator_role_id: row.id()?,
        created_at: row.int()?,
        updated_at: row.int()?,
    })
}

/// All permissions, oldest first.
pub async fn permissions(tx: &mut Tx) -> Result<Vec<Permission>, StoreError> {
    tx.all(PERMISSIONS, args![], read_permission).await
}

/// Adds a permission.
pub async fn insert_permission(tx: &mut Tx, permission: &Permission) -> Result<(), StoreError> {
    let args = args![
        permission.id.as_str(),
        &permission.key,
        &permission.name,
        &permission.description,
        permission.kind.as_str(),
        permission.created_at,
        permission.updated_at,
    ];
    tx.run(INSERT_PERMISSION, args).await.map(drop)
}

/// Saves a permission's key, name and description.
pub async fn update_permission(tx: &mut Tx, permission: &Permission) -> Result<(), StoreError> {
    let args = args![
        permission.id.as_str(),
        &permission.key,
        &permission.name,
        &permission.description,
        permission.updated_at,
    ];
    tx.run(UPDATE_PERMISSION, args).await.map(drop)
}

/// Deletes a permission; the roles that had it lose it.
pub async fn delete_permission(tx: &mut Tx, id: &PermissionId) -> Result<(), StoreError> {
    tx.run(DELETE_PERMISSION, args![id.as_str()]).await.map(drop)
}

/// All roles with their permissions, oldest first.
pub async fn roles(tx: &mut Tx) -> Result<Vec<Role>, StoreError> {
    let mut roles = tx.all(ROLES, args![], read_role).await?;
    let pairs = tx.all(ROLE_PERMISSIONS, args![], |row| Ok((row.id::<RoleId>()?, read_permission(row)?))).await?;
    for (role_id, permission) in pairs {
        if let Some(role) = roles.iter_mut().find(|role| role.id == role_id) {
            role.permissions.push(permission);
        }
    }
    Ok(roles)
}

/// Adds a role and its permissions.
pub async fn insert_role(tx: &mut Tx, role: &Role) -> Result<(), StoreError> {
    let args = args![role.id.as_str(), &role.key, &role.name, &role.description, role.created_at, role.updated_at];
    tx.run(INSERT_ROLE, args).await?;
    for permission in &role.permissions {
        insert_role_permission(tx, &role.id, &permission.id).await?;
    }
    Ok(())
}

/// Saves a role and its permissions.
pub async fn update_role(tx: &mut Tx, role: &Role) -> Result<(), StoreError> {
    let args = args![role.id.as_str(), &role.key, &role.name, &role.description, role.updated_at];
    tx.run(UPDATE_ROLE, args).await?;
    tx.run(DELETE_ROLE_PERMISSIONS, args![role.id.as_str()]).await?;
    for permission in &role.permissions {
        insert_role_permission(tx, &role.id, &permission.id).await?;
    }
    Ok(())
}

/// Deletes a role that no member holds and no role set names as default or creator role; the sets that had it lose it.
pub async fn delete_role(tx: &mut Tx, id: &RoleId) -> Result<(), StoreError> {
    tx.run(DELETE_ROLE_IN_SETS, args![id.as_str()]).await?;
    tx.run(DELETE_ROLE, args![id.as_str()]).await.map(drop)
}

async fn insert_role_permission(tx: &mut Tx, role: &RoleId, permission: &PermissionId) -> Result<(), StoreError> {
    tx.run(INSERT_ROLE_PERMISSION, args![role.as_str(), permission.as_str()]).await.map(drop)
}

/// All role sets, oldest first.
pub async fn role_sets(tx: &mut Tx) -> Result<Vec<RoleSet>, StoreError> {
    tx.all(ROLE_SETS, args![], read_role_set).await
}

/// One role set.
pub async fn role_set_by_id(tx: &mut Tx, id: &RoleSetId) -> Result<Option<RoleSet>, StoreError> {
    tx.optional(ROLE_SET_BY_ID, args![id.as_str()], read_role_set).await
}

/// One role set by key.
pub async fn role_set_by_key(tx: &mut Tx, key: &str) -> Result<Option<RoleSet>, StoreError> {
    tx.optional(ROLE_SET_BY_KEY, args![key], read_role_set).await
}

/// The role set new organizations get. Every instance has one.
pub async fn initial_role_set(tx: &mut Tx) -> Result<RoleSet, StoreError> {
    let set = tx.optional(INITIAL_ROLE_SET, args![], read_role_set).await?;
    set.ok_or_else(|| StoreError::Corrupt("the instance has no initial role set".into()))
}

/// The roles of a set, in their order.
pub async fn role_set_roles(tx: &mut Tx, id: &RoleSetId) -> Result<Vec<RoleId>, StoreError> {
    tx.all(ROLE_SET_ROLES, args![id.as_str()], |row| row.id()).await
}

/// Whether a set holds a role.
pub async fn role_set_has_role(tx: &mut Tx, id: &RoleSetId, role: &RoleId) -> Result<bool, StoreError> {
    let count = tx.optional(ROLE_SET_HAS_ROLE, args![id.as_str(), role.as_str()], |row| row.int()).await?;
    Ok(count.unwrap_or(0) > 0)
}

/// Adds a role set with its roles.
pub async fn insert_role_set(tx: &mut Tx, set: &RoleSet, roles: &[RoleId]) -> Result<(), StoreError> {
    let args = args![
        set.id.as_str(),
        &set.key,
        &set.name,
        &set.description,
        set.kind.as_str(),
        set.default_role_id.as_str(),
        set.creator_role_id.as_str(),
        set.created_at,
        set.updated_at,
    ];
    tx.run(INSERT_ROLE_SET, args).await?;
    insert_role_set_roles(tx, &set.id, roles).await
}

async fn insert_role_set_roles(tx: &mut Tx, set: &RoleSetId, roles: &[RoleId]) -> Result<(), StoreError> {
    for (position, role) in (0i64..).zip(roles) {
        tx.run(INSERT_ROLE_SET_ROLE, args![set.as_str(), role.as_str(), position]).await?;
    }
    Ok(())
}

/// Gives a role set other roles.
pub async fn set_role_set_roles(tx: &mut Tx, set: &RoleSetId, roles: &[RoleId]) -> Result<(), StoreError> {
    tx.run(DELETE_ROLE_SET_ROLES, args![set.as_str()]).await?;
    insert_role_set_roles(tx, set, roles).await
}

/// Deletes a role set that no organization uses.
pub async fn delete_role_set(tx: &mut Tx, id: &RoleSetId) -> Result<(), StoreError> {
    tx.run(DELETE_ROLE_SET, args![id.as_str()]).await.map(drop)
}

/// Saves a role set's own fields.
pub async fn update_role_set(tx: &mut Tx, set: &RoleSet) -> Result<(), StoreError> {
    let args = args![
        set.id.as_str(),
        &set.key,
        &set.name,
        &set.description,
        set.kind.as_str(),
        set.default_role_id.as_str(),
        set.creator_role_id.as_str(),
        set.updated_at,
    ];
    tx.run(UPDATE_ROLE_SET, args).await.map(drop)
}
