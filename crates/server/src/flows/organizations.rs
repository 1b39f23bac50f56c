//! Making, changing and deleting organizations (ORG).

use crate::app::{App, load_instance};
use crate::flows::role_reassignment::{Mappings, of_organization};
use crate::flows::role_sets::role_set_by_key;
use crate::flows::{FlowError, Refusal};
use crate::random::digits;
use doorward_model::{
    JsonMap, Millis, Organization, OrganizationId, OrganizationMembership, OrganizationMembershipId, RoleSet, UserId,
};
use doorward_rules::membership::is_creator_eligible;
use doorward_rules::metadata::{fits, merge};
use doorward_rules::organization::{MAX_NAME_LENGTH, NameRefusal, check_name, is_slug, slug_from};
use doorward_store::{Tx, enterprise_connections, memberships, organizations, roles, users, write_tx};

/// An organization to be made; what is `None` comes from the instance's settings.
#[derive(Clone, Debug, Default)]
pub struct NewOrganization {
    pub name: String,
    pub slug: Option<String>,
    /// Becomes the first member, with the creator role (ORG-8).
    pub created_by: Option<UserId>,
    pub max_allowed_memberships: Option<i64>,
    pub public_metadata: JsonMap,
    pub private_metadata: JsonMap,
    pub role_set_key: Option<String>,
    pub created_at: Option<Millis>,
}

/// What changes of an organization; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct OrganizationChange {
    pub name: Option<String>,
    pub slug: Option<String>,
    pub max_allowed_memberships: Option<i64>,
    pub admin_delete_enabled: Option<bool>,
    pub role_set_key: Option<String>,
    /// What becomes of members whose role the other set does not have (ROL-15).
    pub reassignment_mappings: Mappings,
    pub created_at: Option<Millis>,
}

/// Whether a change of metadata is laid over what is there or takes its place (ORG-19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataMode {
    Merge,
    Replace,
}

/// New metadata; `None` stays as it is.
#[derive(Clone, Debug)]
pub struct MetadataChange {
    pub mode: MetadataMode,
    pub public_metadata: Option<JsonMap>,
    pub private_metadata: Option<JsonMap>,
}

impl MetadataChange {
    /// Applies the change; answers whether there was one.
    pub fn apply(&self, public: &mut JsonMap, private: &mut JsonMap) -> Result<bool, Refusal> {
        let sides =
            [("public_metadata", public, &self.public_metadata), ("private_metadata", private, &self.private_metadata)];
        let mut is_changed = false;
        for (param, current, change) in sides {
            let Some(change) = change.clone() else { continue };
            match self.mode {
                MetadataMode::Merge => merge(current, change),
                MetadataMode::Replace => *current = change,
            }
            if !fits(current) {
                return Err(Refusal::ParamInvalid { param: param.into(), reason: "must not exceed 8 KB".into() });
            }
            is_changed = true;
        }
        Ok(is_changed)
    }
}

/// An organization and the role set it uses.
#[derive(Clone, Debug)]
pub struct OrganizationView {
    pub organization: Organization,
    pub role_set_key: String,
}

impl OrganizationView {
    /// Adds the role set's key.
    pub async fn load(tx: &mut Tx, organization: Organization) -> Result<Self, FlowError> {
        let set = roles::role_set_by_id(tx, &organization.role_set_id).await?;
        Ok(Self { organization, role_set_key: set.map(|set| set.key).unwrap_or_default() })
    }
}

fn not_found(id: &OrganizationId) -> Refusal {
    Refusal::NotFound { what: "organization", id: id.to_string() }
}

/// The organization with this id.
pub async fn by_id(tx: &mut Tx, id: &OrganizationId) -> Result<Organization, FlowError> {
    Ok(organizations::by_id(tx, id).await?.ok_or_else(|| not_found(id))?)
}

/// Refuses while organizations are switched off (ORG-2).
pub async fn require_enabled(app: &App) -> Result<(), FlowError> {
    match app.instance().await?.organization_settings.enabled {
        true => Ok(()),
        false => Err(Refusal::OrganizationsDisabled.into()),
    }
}

/// Whether nobody in the organization holds a role that can run it.
pub async fn lacks_elevated_member(tx: &mut Tx, id: &OrganizationId) -> Result<bool, FlowError> {
    for role in roles::roles(tx).await?.iter().filter(|role| is_creator_eligible(role)) {
        if memberships::any_with_role(tx, id, &role.id).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn checked_name(name: &str) -> Result<String, Refusal> {
    let invalid = |reason: &str| Refusal::ParamInvalid { param: "name".into(), reason: reason.into() };
    match check_name(name) {
        Ok(()) => Ok(name.trim().to_owned()),
        Err(NameRefusal::Empty) => Err(invalid("must not be empty")),
        Err(NameRefusal::TooLong) => Err(Refusal::ParamTooLong { param: "name".into(), max: MAX_NAME_LENGTH }),
        Err(NameRefusal::Unsafe) => Err(invalid("must contain neither URLs nor HTML")),
    }
}

fn checked_slug(slug: &str) -> Result<(), Refusal> {
    if is_slug(slug) {
        return Ok(());
    }
    let reason = "must hold only lower-case letters, digits and inner dashes".into();
    Err(Refusal::ParamFormat { param: "slug".into(), reason })
}

/// A slug that was asked for must be allowed and free, save for the organization's own.
async fn claim_slug(tx: &mut Tx, slug: &str, own: Option<&OrganizationId>) -> Result<(), FlowError> {
    if load_instance(tx).await?.organization_settings.slug_disabled {
        return Err(Refusal::SlugsDisabled.into());
    }
    match organizations::by_slug(tx, slug).await? {
        Some(holder) if Some(&holder.id) != own => {
            Err(Refusal::IdentifierExists { param: "slug", value: slug.to_owned() }.into())
        }
        _ => Ok(()),
    }
}

/// Makes an organization, with its creator as the first member if there is one.
pub async fn create(app: &App, new: NewOrganization) -> Result<OrganizationView, FlowError> {
    write_tx!(app.store, FlowError, |tx| { create_in(tx, app, &new).await })
}

/// As [`create`], in the caller's transaction.
pub async fn create_in(tx: &mut Tx, app: &App, new: &NewOrganization) -> Result<OrganizationView, FlowError> {
    let now = app.now();
    let name = checked_name(&new.name)?;
    if let Some(slug) = &new.slug {
        checked_slug(slug)?;
    }
    let settings = load_instance(tx).await?.organization_settings;
    let set = match &new.role_set_key {
        Some(key) => role_set_by_key(tx, key).await?,
        None => roles::initial_role_set(tx).await?,
    };
    let slug = match &new.slug {
        Some(slug) => {
            claim_slug(tx, slug, None).await?;
            slug.clone()
        }
        None => slug_from(&name, &digits(&*app.random)),
    };
    let mut organization = Organization {
        id: OrganizationId::generate(now, &*app.random),
        name: name.clone(),
        slug,
        created_by: new.created_by.clone(),
        max_allowed_memberships: new.max_allowed_memberships.unwrap_or(settings.max_allowed_memberships),
        admin_delete_enabled: settings.admin_delete_enabled,
        self_serve_sso_enabled: false,
        public_metadata: new.public_metadata.clone(),
        private_metadata: new.private_metadata.clone(),
        role_set_id: set.id.clone(),
        members_count: 0,
        created_at: new.created_at.unwrap_or(now),
        updated_at: now,
    };
    organizations::insert(tx, &organization).await?;
    if let Some(creator) = &new.created_by {
        if users::by_id(tx, creator).await?.is_none() {
            return Err(Refusal::OrganizationCreatorNotFound { user_id: creator.to_string() }.into());
        }
        memberships::insert(tx, &first_membership(app, &organization, creator, &set, now)).await?;
        organization.members_count = 1;
    }
    Ok(OrganizationView { organization, role_set_key: set.key })
}

fn first_membership(
    app: &App,
    organization: &Organization,
    creator: &UserId,
    set: &RoleSet,
    now: Millis,
) -> OrganizationMembership {
    OrganizationMembership {
        id: OrganizationMembershipId::generate(now, &*app.random),
        organization_id: organization.id.clone(),
        user_id: creator.clone(),
        role_id: set.creator_role_id.clone(),
        public_metadata: JsonMap::new(),
        private_metadata: JsonMap::new(),
        created_at: now,
        updated_at: now,
    }
}

/// Changes an organization's own fields.
pub async fn update(app: &App, id: &OrganizationId, change: OrganizationChange) -> Result<OrganizationView, FlowError> {
    write_tx!(app.store, FlowError, |tx| { update_in(tx, app, id, &change).await })
}

/// As [`update`], in the caller's transaction.
pub async fn update_in(
    tx: &mut Tx,
    app: &App,
    id: &OrganizationId,
    change: &OrganizationChange,
) -> Result<OrganizationView, FlowError> {
    let now = app.now();
    let name = change.name.as_deref().map(checked_name).transpose()?;
    if let Some(slug) = &change.slug {
        checked_slug(slug)?;
    }
    let mut organization = by_id(tx, id).await?;
    if let Some(name) = &name {
        organization.name.clone_from(name);
    }
    if let Some(slug) = &change.slug {
        claim_slug(tx, slug, Some(id)).await?;
        organization.slug.clone_from(slug);
    }
    if let Some(key) = &change.role_set_key {
        let set = role_set_by_key(tx, key).await?;
        if set.id != organization.role_set_id || !change.reassignment_mappings.is_empty() {
            let (all, next) = (roles::roles(tx).await?, roles::role_set_roles(tx, &set.id).await?);
            of_organization(tx, id, &all, &next, &change.reassignment_mappings, now).await?;
        }
        organization.role_set_id = set.id;
    }
    organization.max_allowed_memberships =
        change.max_allowed_memberships.unwrap_or(organization.max_allowed_memberships);
    organization.admin_delete_enabled = change.admin_delete_enabled.unwrap_or(organization.admin_delete_enabled);
    organization.created_at = change.created_at.unwrap_or(organization.created_at);
    organization.updated_at = now;
    organizations::update(tx, &organization).await?;
    OrganizationView::load(tx, organization).await
}

/// Changes an organization's metadata.
pub async fn update_metadata(
    app: &App,
    id: &OrganizationId,
    change: MetadataChange,
) -> Result<OrganizationView, FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| {
        let mut organization = by_id(tx, id).await?;
        if change.apply(&mut organization.public_metadata, &mut organization.private_metadata)? {
            organization.updated_at = now;
            organizations::update(tx, &organization).await?;
        }
        OrganizationView::load(tx, organization).await
    })
}

/// Deletes an organization with its memberships. Its connections lose the link and stop: what they would do
/// without an organization, the operator has to say.
pub async fn delete(app: &App, id: &OrganizationId) -> Result<(), FlowError> {
    write_tx!(app.store, FlowError, |tx| { delete_in(tx, app, id).await })
}

/// As [`delete`], in the caller's transaction.
pub async fn delete_in(tx: &mut Tx, app: &App, id: &OrganizationId) -> Result<(), FlowError> {
    let now = app.now();
    by_id(tx, id).await?;
    for mut connection in enterprise_connections::of_organization(tx, id).await? {
        connection.organization_id = None;
        connection.active = false;
        connection.updated_at = now;
        enterprise_connections::update(tx, &connection).await?;
    }
    organizations::delete(tx, id).await?;
    Ok(())
}
