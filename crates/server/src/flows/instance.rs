//! The instance's settings and its list of redirect URLs.

use crate::app::{App, load_instance};
use crate::flows::{FlowError, Refusal};
use doorward_model::{Instance, RedirectUrl, RedirectUrlId, Role, RoleId, RoleSet};
use doorward_rules::membership::missing_creator_permissions;
use doorward_store::{Tx, instance, redirect_urls, roles, write_tx};

/// The settings for organizations with the initial role set, which holds the default and the creator role.
pub struct OrganizationSettingsView {
    pub instance: Instance,
    pub set: RoleSet,
    pub roles: Vec<Role>,
}

impl OrganizationSettingsView {
    /// Loads the settings.
    pub async fn load(tx: &mut Tx) -> Result<Self, FlowError> {
        let instance = load_instance(tx).await?;
        let set = roles::initial_role_set(tx).await?;
        Ok(Self { instance, set, roles: roles::roles(tx).await? })
    }

    /// The key of a role.
    pub fn role_key(&self, id: &RoleId) -> &str {
        self.roles.iter().find(|role| role.id == *id).map_or("", |role| role.key.as_str())
    }
}

/// What changes of the settings; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct OrganizationSettingsChange {
    pub enabled: Option<bool>,
    pub max_allowed_memberships: Option<i64>,
    pub admin_delete_enabled: Option<bool>,
    pub domains_enabled: Option<bool>,
    pub domains_enrollment_modes: Option<Vec<String>>,
    pub slug_disabled: Option<bool>,
    pub creator_role_id: Option<RoleId>,
    pub default_role_id: Option<RoleId>,
}

/// Changes the settings. The two roles are those of the initial role set (ROL-7, ROL-8).
pub async fn update_organization_settings(
    app: &App,
    change: &OrganizationSettingsChange,
) -> Result<OrganizationSettingsView, FlowError> {
    let now = app.now();
    let view = write_tx!(app.store, FlowError, |tx| {
        let mut view = OrganizationSettingsView::load(tx).await?;
        let settings = &mut view.instance.organization_settings;
        settings.enabled = change.enabled.unwrap_or(settings.enabled);
        settings.max_allowed_memberships = change.max_allowed_memberships.unwrap_or(settings.max_allowed_memberships);
        settings.admin_delete_enabled = change.admin_delete_enabled.unwrap_or(settings.admin_delete_enabled);
        settings.domains_enabled = change.domains_enabled.unwrap_or(settings.domains_enabled);
        settings.slug_disabled = change.slug_disabled.unwrap_or(settings.slug_disabled);
        if let Some(modes) = &change.domains_enrollment_modes {
            settings.domains_enrollment_modes.clone_from(modes);
        }
        view.instance.updated_at = now;
        if let Some(id) = &change.creator_role_id {
            view.set.creator_role_id = creator_role(tx, &view, id).await?;
        }
        if let Some(id) = &change.default_role_id {
            view.set.default_role_id = role_in_set(tx, &view, id, "domains_default_role_id").await?.id.clone();
        }
        if change.creator_role_id.is_some() || change.default_role_id.is_some() {
            view.set.updated_at = now;
            roles::update_role_set(tx, &view.set).await?;
        }
        instance::update(tx, &view.instance).await?;
        Ok(view)
    })?;
    app.instance.forget();
    Ok(view)
}

async fn role_in_set<'a>(
    tx: &mut Tx,
    view: &'a OrganizationSettingsView,
    id: &RoleId,
    param: &'static str,
) -> Result<&'a Role, FlowError> {
    let role = view.roles.iter().find(|role| role.id == *id);
    let role = role.ok_or_else(|| Refusal::RoleNotFound { param, key: id.to_string() })?;
    if roles::role_set_has_role(tx, &view.set.id, id).await? {
        return Ok(role);
    }
    Err(Refusal::RoleNotFound { param, key: role.key.clone() }.into())
}

async fn creator_role(tx: &mut Tx, view: &OrganizationSettingsView, id: &RoleId) -> Result<RoleId, FlowError> {
    let role = role_in_set(tx, view, id, "creator_role_id").await?;
    let missing = missing_creator_permissions(role);
    if missing.is_empty() {
        return Ok(role.id.clone());
    }
    Err(Refusal::MissingCreatorPermissions { missing: missing.into_iter().map(str::to_owned).collect() }.into())
}

/// Changes origins and support address; `None` stays as it is.
pub async fn update(
    app: &App,
    allowed_origins: Option<Vec<String>>,
    support_email: Option<Option<String>>,
) -> Result<(), FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| {
        let mut found = load_instance(tx).await?;
        if let Some(origins) = &allowed_origins {
            found.allowed_origins.clone_from(origins);
        }
        if let Some(email) = &support_email {
            found.support_email.clone_from(email);
        }
        found.updated_at = now;
        Ok(instance::update(tx, &found).await?)
    })?;
    app.instance.forget();
    Ok(())
}

/// Allows a URL. Query and fragment of the URLs that browsers are sent to do not count, so it may have none.
pub async fn allow_redirect_url(app: &App, url: &str) -> Result<RedirectUrl, FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| {
        if redirect_urls::by_url(tx, url).await?.is_some() {
            return Err(Refusal::DuplicateRecord { value: url.to_owned() }.into());
        }
        let id = RedirectUrlId::generate(now, &*app.random);
        let new = RedirectUrl { id, url: url.to_owned(), created_at: now, updated_at: now };
        redirect_urls::insert(tx, &new).await?;
        Ok(new)
    })
}

/// Forbids a URL again.
pub async fn forbid_redirect_url(app: &App, id: &RedirectUrlId) -> Result<(), FlowError> {
    write_tx!(app.store, FlowError, |tx| {
        if redirect_urls::delete(tx, id).await? {
            return Ok(());
        }
        Err(Refusal::NotFound { what: "redirect URL", id: id.to_string() }.into())
    })
}
