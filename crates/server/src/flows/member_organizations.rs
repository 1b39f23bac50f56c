//! What signed-in people do with organizations: make one, change or delete their own, and manage its members (ORG-9, ORG-15,
//! ORG-16, ORG-21, MEM-10, ROL-20). Whether they may is decided in the transaction that does it.

use crate::app::App;
use crate::flows::clients::ClientCookie;
use crate::flows::me::signed_in;
use crate::flows::memberships::{self as members, Member, NewMembership, others_in_charge};
use crate::flows::organizations::{self as operator, NewOrganization, OrganizationChange, OrganizationView};
use crate::flows::{FlowError, Refusal};
use doorward_model::{Client, Email, JsonMap, Millis, Organization, OrganizationId, Session, User, UserId};
use doorward_rules::account_linking::blocked;
use doorward_rules::member_permission::{
    DELETE_PROFILE, Denied, MANAGE_MEMBERSHIPS, MANAGE_PROFILE, READ_MEMBERSHIPS, permit,
};
use doorward_rules::membership::{Leave, remove as may_remove};
use doorward_rules::own_organization::{CreationRefusal, may_create, members_may_delete, suggested_name};
use doorward_store::{Tx, enterprise_accounts, memberships, organizations, roles, sessions, users, write_tx};

/// What a request says of who sends it; believed only after [`Caller::load`].
#[derive(Clone, Copy, Debug)]
pub struct Claimed<'a> {
    pub cookie: Option<&'a ClientCookie>,
    pub session_id: Option<&'a doorward_model::SessionId>,
}

/// Who is signed in.
#[derive(Clone, Debug)]
pub struct Caller {
    pub client: Client,
    pub session: Session,
    pub user: User,
}

impl Caller {
    /// The signed-in user. Who could not get a session token is signed out here too.
    pub async fn load(tx: &mut Tx, claimed: Claimed<'_>, now: Millis) -> Result<Self, FlowError> {
        let (client, session) = signed_in(tx, claimed.cookie, claimed.session_id, now).await?;
        let user = users::by_id(tx, &session.user_id).await?.filter(|user| blocked(user).is_none());
        Ok(Self { client, session, user: user.ok_or(Refusal::SignedOut)? })
    }

    /// The organization, if this user is a member of it and holds what is `wanted` there.
    async fn permitted(
        &self,
        tx: &mut Tx,
        id: &OrganizationId,
        wanted: &[&'static str],
    ) -> Result<Organization, FlowError> {
        let held = match memberships::get(tx, id, &self.user.id).await? {
            Some(membership) => roles::roles(tx).await?.into_iter().find(|role| role.id == membership.role_id),
            None => None,
        };
        permit(held.as_ref(), wanted).map_err(|denied| match denied {
            Denied::NotAMember => Refusal::OrganizationNotFound,
            Denied::Missing(permissions) => Refusal::MissingOrganizationPermission { permissions },
        })?;
        Ok(organizations::by_id(tx, id).await?.ok_or(Refusal::OrganizationNotFound)?)
    }

    /// An organization as every member may see it.
    pub async fn own(&self, tx: &mut Tx, id: &OrganizationId) -> Result<Organization, FlowError> {
        self.permitted(tx, id, &[]).await
    }

    /// An organization whose members and their roles the caller may see.
    pub async fn with_visible_members(&self, tx: &mut Tx, id: &OrganizationId) -> Result<Organization, FlowError> {
        self.permitted(tx, id, &[READ_MEMBERSHIPS]).await
    }

    /// What to call the organization this user is about to make (ORG-25).
    pub async fn suggested_name(&self, tx: &mut Tx) -> Result<String, FlowError> {
        let addresses = users::addresses(tx, &self.user.id).await?;
        let primary = addresses.iter().find(|address| Some(&address.id) == self.user.primary_email_address_id.as_ref());
        let email: Option<&Email> = primary.map(|address| &address.address);
        Ok(suggested_name(email, &self.user))
    }
}

/// Makes an organization. The caller is its first member, with the creator role, and has it active (ORG-9).
pub async fn create(
    app: &App,
    claimed: Claimed<'_>,
    name: &str,
    slug: Option<&str>,
) -> Result<(Client, OrganizationView), FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| {
        let mut caller = Caller::load(tx, claimed, now).await?;
        let made = organizations::count_created_by(tx, &caller.user.id).await?;
        may_create(&caller.user, made).map_err(|refusal| match refusal {
            CreationRefusal::NotEnabled => Refusal::CreateOrganizationNotEnabled,
            CreationRefusal::LimitReached { limit } => Refusal::OrganizationCreationLimit { limit },
        })?;
        let new = NewOrganization {
            name: name.to_owned(),
            slug: slug.map(str::to_owned),
            created_by: Some(caller.user.id.clone()),
            ..NewOrganization::default()
        };
        let view = operator::create_in(tx, app, &new).await?;
        caller.session.last_active_organization_id = Some(view.organization.id.clone());
        caller.session.updated_at = now;
        sessions::update(tx, &caller.session).await?;
        Ok((caller.client, view))
    })
}

/// Changes name and slug of the caller's organization.
pub async fn update(
    app: &App,
    claimed: Claimed<'_>,
    id: &OrganizationId,
    name: Option<String>,
    slug: Option<String>,
) -> Result<(Client, OrganizationView), FlowError> {
    let now = app.now();
    let change = OrganizationChange { name, slug, ..OrganizationChange::default() };
    write_tx!(app.store, FlowError, |tx| {
        let caller = Caller::load(tx, claimed, now).await?;
        caller.permitted(tx, id, &[MANAGE_PROFILE]).await?;
        Ok((caller.client, operator::update_in(tx, app, id, &change).await?))
    })
}

/// Deletes the caller's organization, where its members may do that.
pub async fn delete(app: &App, claimed: Claimed<'_>, id: &OrganizationId) -> Result<(Client, Organization), FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| {
        let caller = Caller::load(tx, claimed, now).await?;
        let organization = caller.permitted(tx, id, &[DELETE_PROFILE]).await?;
        if !members_may_delete(&organization) {
            return Err(Refusal::AdminDeleteNotEnabled.into());
        }
        operator::delete_in(tx, app, id).await?;
        Ok((caller.client, organization))
    })
}

/// Makes another user a member of the caller's organization.
pub async fn add_member(
    app: &App,
    claimed: Claimed<'_>,
    id: &OrganizationId,
    user_id: &UserId,
    role_key: &str,
) -> Result<(Client, Member), FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| {
        let caller = Caller::load(tx, claimed, now).await?;
        caller.permitted(tx, id, &[MANAGE_MEMBERSHIPS]).await?;
        let new = NewMembership {
            organization_id: id.clone(),
            user_id: user_id.clone(),
            role_key: role_key.to_owned(),
            public_metadata: JsonMap::new(),
            private_metadata: JsonMap::new(),
        };
        let member = members::create_in(tx, app, &new).await.map_err(role_in_words_of_members)?;
        Ok((caller.client, member))
    })
}

/// Gives a member of the caller's organization another role.
pub async fn change_role(
    app: &App,
    claimed: Claimed<'_>,
    id: &OrganizationId,
    user_id: &UserId,
    role_key: &str,
) -> Result<(Client, Member), FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| {
        let caller = Caller::load(tx, claimed, now).await?;
        caller.permitted(tx, id, &[MANAGE_MEMBERSHIPS]).await?;
        let changed = members::change_role_in(tx, app, id, user_id, role_key).await;
        Ok((caller.client, changed.map_err(role_in_words_of_members)?))
    })
}

/// Removes a member of the caller's organization. Who came by single sign-on does not leave it by this door either (MEM-9).
pub async fn remove_member(
    app: &App,
    claimed: Claimed<'_>,
    id: &OrganizationId,
    user_id: &UserId,
) -> Result<(Client, Member), FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| {
        let caller = Caller::load(tx, claimed, now).await?;
        caller.permitted(tx, id, &[MANAGE_MEMBERSHIPS]).await?;
        let membership = memberships::get(tx, id, user_id).await?.ok_or(Refusal::NotAMember)?;
        let all = roles::roles(tx).await?;
        let held = all.iter().find(|role| role.id == membership.role_id).ok_or(Refusal::NotAMember)?;
        let came_through = enterprise_accounts::user_came_through(tx, user_id, id).await?;
        let others = others_in_charge(tx, &all, &membership).await?;
        match may_remove(caller.user.id == *user_id, came_through, held, others) {
            Leave::Allowed => {}
            Leave::CameThroughConnection => return Err(Refusal::CannotLeave.into()),
            Leave::LeavesNobodyInCharge => return Err(Refusal::MinimumPermissionsNeeded.into()),
        }
        Ok((caller.client, members::delete_in(tx, app, id, user_id).await?))
    })
}

/// A role that members cannot hand out is a wrong value of theirs, whether or not the instance has it (ROL-13, ROL-19).
fn role_in_words_of_members(error: FlowError) -> FlowError {
    let translate = |refusal| match refusal {
        Refusal::RoleNotFound { param, .. } => {
            let reason = "must be one of the organization's roles".into();
            Refusal::ParamInvalid { param: param.into(), reason }
        }
        refusal => refusal,
    };
    match error {
        FlowError::Refused(refusals) => FlowError::Refused(refusals.into_iter().map(translate).collect()),
        error => error,
    }
}
