//! Making, changing and deleting roles and permissions of the operator's own (ROL-5 … ROL-10).

use crate::app::App;
use crate::flows::role_reassignment::require_somebody_in_charge;
use crate::flows::role_sets::{add_to_initial, checked_name};
use crate::flows::{FlowError, Refusal};
use doorward_model::{Permission, PermissionId, PermissionType, Role, RoleId};
use doorward_rules::role::{
    self, DeleteRefusal, MAX_CUSTOM_ROLES, PermissionChange, PermissionKeyRefusal, RoleKeyRefusal,
};
use doorward_store::role_holders::{self, Scope};
use doorward_store::{Tx, roles, write_tx};

/// A role to be made.
#[derive(Clone, Debug)]
pub struct NewRole {
    pub name: String,
    pub key: String,
    pub description: Option<String>,
    pub permissions: Vec<PermissionId>,
    /// Joins the role set of new organizations.
    pub include_in_initial_role_set: bool,
}

/// What changes of a role; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct RoleChange {
    pub name: Option<String>,
    pub key: Option<String>,
    /// `Some(None)` clears it.
    pub description: Option<Option<String>>,
    /// All it has from now on.
    pub permissions: Option<Vec<PermissionId>>,
}

/// A permission to be made.
#[derive(Clone, Debug)]
pub struct NewPermission {
    pub name: String,
    pub key: String,
    pub description: String,
}

/// What changes of a permission; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct PermissionPatch {
    pub name: Option<String>,
    pub key: Option<String>,
    pub description: Option<String>,
}

fn role_by_id(all: &[Role], id: &RoleId) -> Result<Role, Refusal> {
    let found = all.iter().find(|role| role.id == *id).cloned();
    found.ok_or_else(|| Refusal::NotFound { what: "role", id: id.to_string() })
}

fn permission_by_id(all: &[Permission], id: &PermissionId) -> Result<Permission, Refusal> {
    let found = all.iter().find(|permission| permission.id == *id).cloned();
    found.ok_or_else(|| Refusal::NotFound { what: "permission", id: id.to_string() })
}

/// The permissions named by ids, each once, in the order in which they were made.
fn named(all: &[Permission], ids: &[PermissionId]) -> Result<Vec<Permission>, Refusal> {
    for id in ids {
        permission_by_id(all, id)?;
    }
    Ok(all.iter().filter(|permission| ids.contains(&permission.id)).cloned().collect())
}

fn checked_role_key(key: &str, all: &[Role], own: Option<&RoleId>) -> Result<(), Refusal> {
    role::check_role_key(key, all, own).map_err(|refusal| match refusal {
        RoleKeyRefusal::Malformed => Refusal::ParamFormat {
            param: "key".into(),
            reason: "must be org: and lower-case letters, digits and underscores".into(),
        },
        RoleKeyRefusal::Taken => Refusal::IdentifierExists { param: "key", value: key.to_owned() },
        RoleKeyRefusal::TooManyRoles => Refusal::RoleQuota { max: MAX_CUSTOM_ROLES },
    })
}

fn checked_permission_key(key: &str, all: &[Permission], own: Option<&PermissionId>) -> Result<(), Refusal> {
    let malformed = |reason: &str| Refusal::ParamFormat { param: "key".into(), reason: reason.into() };
    role::check_permission_key(key, all, own).map_err(|refusal| match refusal {
        PermissionKeyRefusal::Malformed => {
            malformed("must be org:<feature>:<action>, both of lower-case letters, digits and underscores")
        }
        PermissionKeyRefusal::Reserved => malformed("must not begin with org:sys_, which is for system permissions"),
        PermissionKeyRefusal::Taken => Refusal::IdentifierExists { param: "key", value: key.to_owned() },
    })
}

/// Makes a role.
pub async fn create(app: &App, new: NewRole) -> Result<Role, FlowError> {
    let now = app.now();
    let name = checked_name(&new.name)?;
    let made = write_tx!(app.store, FlowError, |tx| {
        checked_role_key(&new.key, &roles::roles(tx).await?, None)?;
        let role = Role {
            id: RoleId::generate(now, &*app.random),
            key: new.key.clone(),
            name: name.clone(),
            description: new.description.clone(),
            permissions: named(&roles::permissions(tx).await?, &new.permissions)?,
            created_at: now,
            updated_at: now,
        };
        roles::insert_role(tx, &role).await?;
        if new.include_in_initial_role_set {
            add_to_initial(tx, &role, now).await?;
        }
        Ok(role)
    })?;
    app.roles.forget();
    Ok(made)
}

/// Saves a role's new permissions where nothing is broken by them (ROL-7, ORG-14).
async fn save_permissions(tx: &mut Tx, all: &[Role], before: &Role, after: &Role) -> Result<(), FlowError> {
    match role::change_permissions(before, after, &roles::role_sets(tx).await?) {
        PermissionChange::Allowed => {}
        PermissionChange::CreatorRoleLacks(missing) => {
            let missing = missing.into_iter().map(str::to_owned).collect();
            return Err(Refusal::MissingCreatorPermissions { missing }.into());
        }
        PermissionChange::EndsCharge => {
            let changed = |role: &Role| if role.id == after.id { after.clone() } else { role.clone() };
            let next: Vec<Role> = all.iter().map(changed).collect();
            require_somebody_in_charge(tx, Scope::Instance, all, &next, &[]).await?;
        }
    }
    Ok(roles::update_role(tx, after).await?)
}

/// Changes a role. Its key and permissions count for everybody who holds it (ROL-14).
pub async fn update(app: &App, id: &RoleId, change: RoleChange) -> Result<Role, FlowError> {
    let now = app.now();
    let name = change.name.as_deref().map(checked_name).transpose()?;
    let changed = write_tx!(app.store, FlowError, |tx| {
        let all = roles::roles(tx).await?;
        let before = role_by_id(&all, id)?;
        let mut after = Role { updated_at: now, ..before.clone() };
        if let Some(name) = &name {
            after.name.clone_from(name);
        }
        if let Some(key) = &change.key {
            checked_role_key(key, &all, Some(id))?;
            after.key.clone_from(key);
        }
        if let Some(description) = &change.description {
            after.description.clone_from(description);
        }
        if let Some(ids) = &change.permissions {
            after.permissions = named(&roles::permissions(tx).await?, ids)?;
        }
        save_permissions(tx, &all, &before, &after).await?;
        Ok(after)
    })?;
    app.roles.forget();
    Ok(changed)
}

/// Gives a role one permission more.
pub async fn assign_permission(app: &App, id: &RoleId, permission: &PermissionId) -> Result<Role, FlowError> {
    let now = app.now();
    let changed = write_tx!(app.store, FlowError, |tx| {
        let all = roles::roles(tx).await?;
        let before = role_by_id(&all, id)?;
        let permission = permission_by_id(&roles::permissions(tx).await?, permission)?;
        let mut after = role::with_permission(&before, &permission).map_err(|_| Refusal::PermissionHeld)?;
        after.updated_at = now;
        save_permissions(tx, &all, &before, &after).await?;
        Ok(after)
    })?;
    app.roles.forget();
    Ok(changed)
}

/// Takes a permission from a role.
pub async fn remove_permission(app: &App, id: &RoleId, permission: &PermissionId) -> Result<Role, FlowError> {
    let now = app.now();
    let changed = write_tx!(app.store, FlowError, |tx| {
        let all = roles::roles(tx).await?;
        let before = role_by_id(&all, id)?;
        permission_by_id(&roles::permissions(tx).await?, permission)?;
        let mut after = role::without_permission(&before, permission).map_err(|_| Refusal::PermissionNotHeld)?;
        after.updated_at = now;
        save_permissions(tx, &all, &before, &after).await?;
        Ok(after)
    })?;
    app.roles.forget();
    Ok(changed)
}

/// Deletes a role that nothing depends on (ROL-9).
pub async fn delete(app: &App, id: &RoleId) -> Result<(), FlowError> {
    write_tx!(app.store, FlowError, |tx| {
        role_by_id(&roles::roles(tx).await?, id)?;
        let is_held = role_holders::any(tx, id).await?;
        role::delete(id, &roles::role_sets(tx).await?, is_held).map_err(|refusal| match refusal {
            DeleteRefusal::CreatorRole => Refusal::RoleIsCreatorRole,
            DeleteRefusal::DefaultRole => Refusal::RoleIsDefaultRole,
            DeleteRefusal::HeldByMembers => Refusal::RoleHasMembers,
        })?;
        Ok(roles::delete_role(tx, id).await?)
    })?;
    app.roles.forget();
    Ok(())
}

/// Makes a permission.
pub async fn create_permission(app: &App, new: NewPermission) -> Result<Permission, FlowError> {
    let now = app.now();
    let name = checked_name(&new.name)?;
    write_tx!(app.store, FlowError, |tx| {
        checked_permission_key(&new.key, &roles::permissions(tx).await?, None)?;
        let permission = Permission {
            id: PermissionId::generate(now, &*app.random),
            key: new.key.clone(),
            name: name.clone(),
            description: new.description.clone(),
            kind: PermissionType::User,
            created_at: now,
            updated_at: now,
        };
        roles::insert_permission(tx, &permission).await?;
        Ok(permission)
    })
}

/// The permission with this id, if the operator may change it (ROL-6).
fn modifiable(all: &[Permission], id: &PermissionId) -> Result<Permission, Refusal> {
    let permission = permission_by_id(all, id)?;
    if role::is_modifiable(&permission) { Ok(permission) } else { Err(Refusal::PermissionNotModifiable) }
}

/// Changes a permission, in every role that has it.
pub async fn update_permission(app: &App, id: &PermissionId, change: PermissionPatch) -> Result<Permission, FlowError> {
    let now = app.now();
    let name = change.name.as_deref().map(checked_name).transpose()?;
    let changed = write_tx!(app.store, FlowError, |tx| {
        let all = roles::permissions(tx).await?;
        let mut permission = modifiable(&all, id)?;
        if let Some(name) = &name {
            permission.name.clone_from(name);
        }
        if let Some(key) = &change.key {
            checked_permission_key(key, &all, Some(id))?;
            permission.key.clone_from(key);
        }
        if let Some(description) = &change.description {
            permission.description.clone_from(description);
        }
        permission.updated_at = now;
        roles::update_permission(tx, &permission).await?;
        Ok(permission)
    })?;
    app.roles.forget();
    Ok(changed)
}

/// Deletes a permission; every role that had it loses it.
pub async fn delete_permission(app: &App, id: &PermissionId) -> Result<(), FlowError> {
    write_tx!(app.store, FlowError, |tx| {
        modifiable(&roles::permissions(tx).await?, id)?;
        Ok(roles::delete_permission(tx, id).await?)
    })?;
    app.roles.forget();
    Ok(())
}
