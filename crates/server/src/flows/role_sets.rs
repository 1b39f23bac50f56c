//! Making, changing and replacing role sets (ROL-11, ROL-12, ROL-15, ROL-17, ROL-18).

use crate::app::App;
use crate::flows::role_reassignment::{self, Mappings};
use crate::flows::{FlowError, Refusal};
use doorward_model::{Millis, Role, RoleId, RoleSet, RoleSetId, RoleSetType};
use doorward_rules::organization::{MAX_NAME_LENGTH, is_key, key_from};
use doorward_rules::role_set::{self, MAX_ROLES};
use doorward_store::{Tx, role_holders, roles, write_tx};

/// What every role set's key begins with.
const KEY_PREFIX: &str = "role_set:";

/// A role set to be made. Roles are given by key.
#[derive(Clone, Debug)]
pub struct NewRoleSet {
    pub name: String,
    /// Made from the name when absent.
    pub key: Option<String>,
    pub description: Option<String>,
    pub kind: RoleSetType,
    pub roles: Vec<String>,
    pub default_role_key: String,
    pub creator_role_key: String,
}

/// What changes of a role set; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct RoleSetChange {
    pub name: Option<String>,
    pub key: Option<String>,
    /// `Some(None)` clears it.
    pub description: Option<Option<String>>,
    /// Makes it the set of new organizations.
    pub becomes_initial: bool,
    pub default_role_key: Option<String>,
    pub creator_role_key: Option<String>,
}

/// Roles that join a set.
#[derive(Clone, Debug)]
pub struct AddedRoles {
    pub role_keys: Vec<String>,
    pub default_role_key: Option<String>,
    pub creator_role_key: Option<String>,
}

/// A role set with its roles, in their order.
#[derive(Clone, Debug)]
pub struct RoleSetView {
    pub set: RoleSet,
    pub roles: Vec<Role>,
    /// How many members hold each role. `None` where it was not counted: it costs a look at every membership.
    pub holders: Option<Vec<(RoleId, i64)>>,
}

impl RoleSetView {
    /// Adds the roles.
    pub async fn load(tx: &mut Tx, set: RoleSet, all: &[Role]) -> Result<Self, FlowError> {
        let ids = roles::role_set_roles(tx, &set.id).await?;
        let found = ids.iter().filter_map(|id| all.iter().find(|role| role.id == *id)).cloned().collect();
        Ok(Self { set, roles: found, holders: None })
    }

    /// Adds who holds the roles.
    pub async fn counted(mut self, tx: &mut Tx) -> Result<Self, FlowError> {
        self.holders = Some(role_holders::of_role_set(tx, &self.set.id).await?);
        Ok(self)
    }
}

fn not_found(key_or_id: &str) -> FlowError {
    Refusal::NotFound { what: "role set", id: key_or_id.to_owned() }.into()
}

/// The role set that the parameter `role_set_key` names.
pub async fn role_set_by_key(tx: &mut Tx, key: &str) -> Result<RoleSet, FlowError> {
    let set = roles::role_set_by_key(tx, key).await?;
    Ok(set.ok_or(Refusal::ResourceMissing { param: "role_set_key" })?)
}

/// The role set with this key or id.
pub async fn by_key_or_id(tx: &mut Tx, key_or_id: &str) -> Result<RoleSet, FlowError> {
    let found = match key_or_id.starts_with(KEY_PREFIX) {
        true => roles::role_set_by_key(tx, key_or_id).await?,
        false => roles::role_set_by_id(tx, &RoleSetId::from(key_or_id)).await?,
    };
    found.ok_or_else(|| not_found(key_or_id))
}

fn refusal(refusal: role_set::Refusal) -> Refusal {
    let invalid = |param: &str, reason: String| Refusal::ParamInvalid { param: param.into(), reason };
    match refusal {
        role_set::Refusal::NoRoles => invalid("roles", "must hold at least one role".into()),
        role_set::Refusal::TooManyRoles => invalid("roles", format!("must hold at most {MAX_ROLES} roles")),
        role_set::Refusal::DefaultRoleOutside => {
            invalid("default_role_key", "must be one of the role set's roles".into())
        }
        role_set::Refusal::CreatorRoleOutside => {
            invalid("creator_role_key", "must be one of the role set's roles".into())
        }
        role_set::Refusal::CreatorRoleLacks(missing) => {
            Refusal::MissingCreatorPermissions { missing: missing.into_iter().map(str::to_owned).collect() }
        }
    }
}

/// The name of a role, permission or role set.
pub fn checked_name(name: &str) -> Result<String, Refusal> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Refusal::ParamInvalid { param: "name".into(), reason: "must not be empty".into() });
    }
    if name.chars().count() > MAX_NAME_LENGTH {
        return Err(Refusal::ParamTooLong { param: "name".into(), max: MAX_NAME_LENGTH });
    }
    Ok(name.to_owned())
}

fn checked_key(key: &str) -> Result<(), Refusal> {
    if is_key(key, KEY_PREFIX) {
        return Ok(());
    }
    let reason = format!("must be {KEY_PREFIX} and lower-case letters, digits and underscores");
    Err(Refusal::ParamFormat { param: "key".into(), reason })
}

/// A key made from the name that is well-formed and free; a number is put behind it where it is not.
async fn unused_key(tx: &mut Tx, app: &App, name: &str) -> Result<String, FlowError> {
    let key = key_from(name, KEY_PREFIX);
    if key == KEY_PREFIX {
        return Ok(format!("{KEY_PREFIX}{}", crate::random::digits(&*app.random)));
    }
    match roles::role_set_by_key(tx, &key).await? {
        None => Ok(key),
        Some(_) => Ok(format!("{}_{}", key.chars().take(60).collect::<String>(), crate::random::digits(&*app.random))),
    }
}

/// The role that a parameter names by key.
fn role_by_key<'a>(all: &'a [Role], key: &str, param: &'static str) -> Result<&'a Role, Refusal> {
    let role = all.iter().find(|role| role.key == key);
    role.ok_or_else(|| Refusal::RoleNotFound { param, key: key.to_owned() })
}

/// The roles that a parameter names by keys, each once.
fn named(all: &[Role], keys: &[String], param: &'static str) -> Result<Vec<Role>, Refusal> {
    let found = keys.iter().map(|key| role_by_key(all, key, param).cloned()).collect::<Result<Vec<_>, _>>()?;
    Ok(role_set::with_roles(&[], &found))
}

fn key_of(roles: &[Role], id: &RoleId) -> String {
    roles.iter().find(|role| role.id == *id).map(|role| role.key.clone()).unwrap_or_default()
}

fn ids(roles: &[Role]) -> Vec<RoleId> {
    roles.iter().map(|role| role.id.clone()).collect()
}

/// There is exactly one initial set (ROL-12): the one before becomes a custom one.
async fn demote_initial(tx: &mut Tx, now: i64) -> Result<(), FlowError> {
    let mut before = roles::initial_role_set(tx).await?;
    before.kind = RoleSetType::Custom;
    before.updated_at = now;
    Ok(roles::update_role_set(tx, &before).await?)
}

/// Makes a role set.
pub async fn create(app: &App, new: NewRoleSet) -> Result<RoleSetView, FlowError> {
    let now = app.now();
    let name = checked_name(&new.name)?;
    if let Some(key) = &new.key {
        checked_key(key)?;
    }
    if new.roles.len() > MAX_ROLES {
        return Err(refusal(role_set::Refusal::TooManyRoles).into());
    }
    write_tx!(app.store, FlowError, |tx| {
        let members = named(&roles::roles(tx).await?, &new.roles, "roles")?;
        let checked = role_set::check(&members, &new.default_role_key, &new.creator_role_key);
        let (default, creator) = checked.map_err(refusal)?;
        let key = match &new.key {
            None => unused_key(tx, app, &name).await?,
            Some(key) if roles::role_set_by_key(tx, key).await?.is_some() => {
                return Err(Refusal::IdentifierExists { param: "key", value: key.clone() }.into());
            }
            Some(key) => key.clone(),
        };
        if new.kind == RoleSetType::Initial {
            demote_initial(tx, now).await?;
        }
        let set = RoleSet {
            id: RoleSetId::generate(now, &*app.random),
            key,
            name: name.clone(),
            description: new.description.clone(),
            kind: new.kind,
            default_role_id: default.id.clone(),
            creator_role_id: creator.id.clone(),
            created_at: now,
            updated_at: now,
        };
        roles::insert_role_set(tx, &set, &ids(&members)).await?;
        Ok(RoleSetView { set, roles: members, holders: Some(Vec::new()) })
    })
}

/// Changes a role set's own fields.
pub async fn update(app: &App, key_or_id: &str, change: RoleSetChange) -> Result<RoleSetView, FlowError> {
    let now = app.now();
    let name = change.name.as_deref().map(checked_name).transpose()?;
    if let Some(key) = &change.key {
        checked_key(key)?;
    }
    write_tx!(app.store, FlowError, |tx| {
        let set = by_key_or_id(tx, key_or_id).await?;
        let all = roles::roles(tx).await?;
        let mut view = RoleSetView::load(tx, set, &all).await?;
        let set = &mut view.set;
        let default_key = change.default_role_key.clone().unwrap_or_else(|| key_of(&view.roles, &set.default_role_id));
        let creator_key = change.creator_role_key.clone().unwrap_or_else(|| key_of(&view.roles, &set.creator_role_id));
        let (default, creator) = role_set::check(&view.roles, &default_key, &creator_key).map_err(refusal)?;
        set.default_role_id = default.id.clone();
        set.creator_role_id = creator.id.clone();
        if let Some(name) = &name {
            set.name.clone_from(name);
        }
        if let Some(description) = &change.description {
            set.description.clone_from(description);
        }
        if let Some(key) = change.key.as_ref().filter(|key| **key != set.key) {
            if roles::role_set_by_key(tx, key).await?.is_some() {
                return Err(Refusal::IdentifierExists { param: "key", value: key.clone() }.into());
            }
            set.key.clone_from(key);
        }
        if change.becomes_initial && set.kind != RoleSetType::Initial {
            demote_initial(tx, now).await?;
            set.kind = RoleSetType::Initial;
        }
        set.updated_at = now;
        roles::update_role_set(tx, set).await?;
        view.counted(tx).await
    })
}

/// Gives a set these roles, of which two are default and creator role. The caller has seen to those who hold others.
async fn set_roles(
    tx: &mut Tx,
    view: &mut RoleSetView,
    next: Vec<Role>,
    default_role_key: &str,
    creator_role_key: &str,
    now: Millis,
) -> Result<(), FlowError> {
    let (default, creator) = role_set::check(&next, default_role_key, creator_role_key).map_err(refusal)?;
    view.set.default_role_id = default.id.clone();
    view.set.creator_role_id = creator.id.clone();
    view.set.updated_at = now;
    roles::set_role_set_roles(tx, &view.set.id, &ids(&next)).await?;
    roles::update_role_set(tx, &view.set).await?;
    view.roles = next;
    Ok(())
}

/// Adds a role that has just been made to the set of new organizations.
pub async fn add_to_initial(tx: &mut Tx, role: &Role, now: Millis) -> Result<(), FlowError> {
    let set = roles::initial_role_set(tx).await?;
    let all = roles::roles(tx).await?;
    let mut view = RoleSetView::load(tx, set, &all).await?;
    if view.roles.len() >= MAX_ROLES {
        let reason = format!("cannot be granted: the initial role set has {MAX_ROLES} roles");
        return Err(Refusal::ParamInvalid { param: "include_in_initial_role_set".into(), reason }.into());
    }
    let next = role_set::with_roles(&view.roles, std::slice::from_ref(role));
    let (default, creator) =
        (key_of(&view.roles, &view.set.default_role_id), key_of(&view.roles, &view.set.creator_role_id));
    set_roles(tx, &mut view, next, &default, &creator, now).await
}

/// Adds roles to a set, for every organization that uses it (ROL-14).
pub async fn add_roles(app: &App, key_or_id: &str, added: AddedRoles) -> Result<RoleSetView, FlowError> {
    let now = app.now();
    let invalid = |reason: String| Refusal::ParamInvalid { param: "role_keys".into(), reason };
    if added.role_keys.is_empty() {
        return Err(invalid("must hold at least one role".into()).into());
    }
    write_tx!(app.store, FlowError, |tx| {
        let set = by_key_or_id(tx, key_or_id).await?;
        let all = roles::roles(tx).await?;
        let mut view = RoleSetView::load(tx, set, &all).await?;
        let next = role_set::with_roles(&view.roles, &named(&all, &added.role_keys, "role_keys")?);
        if next.len() > MAX_ROLES {
            return Err(invalid(format!("must leave the role set with at most {MAX_ROLES} roles")).into());
        }
        let default = added.default_role_key.clone().unwrap_or_else(|| key_of(&view.roles, &view.set.default_role_id));
        let creator = added.creator_role_key.clone().unwrap_or_else(|| key_of(&view.roles, &view.set.creator_role_id));
        set_roles(tx, &mut view, next, &default, &creator, now).await?;
        view.counted(tx).await
    })
}

/// Takes a role out of a set; those who hold it get another one (ROL-15, ROL-18).
pub async fn replace_role(
    app: &App,
    key_or_id: &str,
    role_key: &str,
    to_role_key: &str,
) -> Result<RoleSetView, FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| {
        let set = by_key_or_id(tx, key_or_id).await?;
        let all = roles::roles(tx).await?;
        let mut view = RoleSetView::load(tx, set, &all).await?;
        let (role, by) = (role_by_key(&all, role_key, "role_key")?, role_by_key(&all, to_role_key, "to_role_key")?);
        let next = role_set::replace_role(&view.set, &view.roles, role, by);
        let next = next.map_err(|refusal| match refusal {
            role_set::ReplaceRefusal::NotInSet => Refusal::RoleNotFound { param: "role_key", key: role_key.to_owned() },
            role_set::ReplaceRefusal::SameRole => {
                Refusal::ParamInvalid { param: "to_role_key".into(), reason: "must be another role".into() }
            }
        })?;
        let mappings = Mappings::from([(role_key.to_owned(), to_role_key.to_owned())]);
        role_reassignment::of_role_set(tx, &view.set.id, &all, &ids(&next.roles), &mappings, now).await?;
        set_roles(tx, &mut view, next.roles, &next.default_role_key, &next.creator_role_key, now).await?;
        view.counted(tx).await
    })
}

/// Deletes a set; its organizations use another one from now on (ROL-17). Answers the id of the set that is gone.
pub async fn replace(
    app: &App,
    key_or_id: &str,
    dest_role_set_key: &str,
    mappings: &Mappings,
) -> Result<RoleSetId, FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| {
        let set = by_key_or_id(tx, key_or_id).await?;
        let dest = roles::role_set_by_key(tx, dest_role_set_key).await?;
        let dest = dest.ok_or(Refusal::ResourceMissing { param: "dest_role_set_key" })?;
        role_set::replace_set(&set, &dest).map_err(|refusal| match refusal {
            role_set::DeleteRefusal::Initial => Refusal::InitialRoleSetStays,
            role_set::DeleteRefusal::SameSet => {
                Refusal::ParamInvalid { param: "dest_role_set_key".into(), reason: "must be another role set".into() }
            }
        })?;
        let next = roles::role_set_roles(tx, &dest.id).await?;
        let all = roles::roles(tx).await?;
        role_reassignment::of_role_set(tx, &set.id, &all, &next, mappings, now).await?;
        role_holders::move_organizations(tx, &set.id, &dest.id, now).await?;
        roles::delete_role_set(tx, &set.id).await?;
        Ok(set.id)
    })
}
