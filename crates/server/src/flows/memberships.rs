//! Adding, changing and removing members by the operator (MEM-10, MEM-18, ORG-11, ORG-14).

use crate::app::App;
use crate::flows::organizations::{MetadataChange, OrganizationView, by_id};
use crate::flows::{FlowError, Refusal};
use doorward_model::{
    EmailAddress, JsonMap, Organization, OrganizationId, OrganizationMembership, OrganizationMembershipId, Role, User,
    UserId,
};
use doorward_rules::membership::{AddRefusal, add, is_creator_eligible, leaves_nobody_in_charge};
use doorward_store::{Tx, memberships, roles, users, write_tx};

/// A membership to be made.
#[derive(Clone, Debug)]
pub struct NewMembership {
    pub organization_id: OrganizationId,
    pub user_id: UserId,
    pub role_key: String,
    pub public_metadata: JsonMap,
    pub private_metadata: JsonMap,
}

/// A membership with all that is shown of it.
#[derive(Clone, Debug)]
pub struct Member {
    pub membership: OrganizationMembership,
    pub role: Role,
    pub view: OrganizationView,
    pub user: User,
    pub identifier: String,
}

/// What a user is told apart by: the primary address, else any address, else the username.
pub fn identifier(user: &User, addresses: &[EmailAddress]) -> String {
    let mut own = addresses.iter().filter(|address| address.user_id == user.id);
    let primary = own.clone().find(|address| Some(&address.id) == user.primary_email_address_id.as_ref());
    match (primary.or_else(|| own.next()), &user.username) {
        (Some(address), _) => address.address.to_string(),
        (None, username) => username.clone().unwrap_or_default(),
    }
}

/// A role by key, if the organization's role set holds it (ROL-13).
async fn role_of(tx: &mut Tx, all: &[Role], organization: &Organization, key: &str) -> Result<Option<Role>, FlowError> {
    match all.iter().find(|role| role.key == key) {
        Some(role) if roles::role_set_has_role(tx, &organization.role_set_id, &role.id).await? => {
            Ok(Some(role.clone()))
        }
        _ => Ok(None),
    }
}

fn unknown_role(key: &str) -> FlowError {
    Refusal::RoleNotFound { param: "role", key: key.to_owned() }.into()
}

async fn shown(
    tx: &mut Tx,
    membership: OrganizationMembership,
    role: Role,
    organization: Organization,
) -> Result<Member, FlowError> {
    let user = users::by_id(tx, &membership.user_id).await?.ok_or(Refusal::NotAMember)?;
    let identifier = identifier(&user, &users::addresses(tx, &user.id).await?);
    let view = OrganizationView::load(tx, organization).await?;
    Ok(Member { membership, role, view, user, identifier })
}

/// Organization, membership and the role held.
async fn load(
    tx: &mut Tx,
    all: &[Role],
    organization: &OrganizationId,
    user: &UserId,
) -> Result<(Organization, OrganizationMembership, Role), FlowError> {
    let organization = by_id(tx, organization).await?;
    let membership = memberships::get(tx, &organization.id, user).await?.ok_or(Refusal::NotAMember)?;
    let role = all.iter().find(|role| role.id == membership.role_id).cloned();
    let role = role.ok_or_else(|| FlowError::Internal(format!("{} holds an unknown role", membership.id)))?;
    Ok((organization, membership, role))
}

/// How many other members hold a role that can run the organization.
pub async fn others_in_charge(
    tx: &mut Tx,
    all: &[Role],
    membership: &OrganizationMembership,
) -> Result<i64, FlowError> {
    let mut others = 0;
    for role in all.iter().filter(|role| is_creator_eligible(role)) {
        let (organization, user) = (&membership.organization_id, &membership.user_id);
        others += memberships::count_others_with_role(tx, organization, user, &role.id).await?;
    }
    Ok(others)
}

/// Somebody must be left who can run the organization (ORG-14).
async fn check_someone_in_charge(
    tx: &mut Tx,
    all: &[Role],
    membership: &OrganizationMembership,
    held: &Role,
    next: Option<&Role>,
) -> Result<(), FlowError> {
    match leaves_nobody_in_charge(held, next, others_in_charge(tx, all, membership).await?) {
        true => Err(Refusal::MinimumPermissionsNeeded.into()),
        false => Ok(()),
    }
}

/// Makes a user a member.
pub async fn create(app: &App, new: NewMembership) -> Result<Member, FlowError> {
    write_tx!(app.store, FlowError, |tx| { create_in(tx, app, &new).await })
}

/// As [`create`], in the caller's transaction.
pub async fn create_in(tx: &mut Tx, app: &App, new: &NewMembership) -> Result<Member, FlowError> {
    let now = app.now();
    let mut organization = by_id(tx, &new.organization_id).await?;
    if users::by_id(tx, &new.user_id).await?.is_none() {
        return Err(Refusal::NotFound { what: "user", id: new.user_id.to_string() }.into());
    }
    let is_member = memberships::get(tx, &organization.id, &new.user_id).await?.is_some();
    let all = roles::roles(tx).await?;
    let role = role_of(tx, &all, &organization, &new.role_key).await?;
    add(&organization, is_member, role.is_some()).map_err(|refusal| match refusal {
        AddRefusal::AlreadyMember => Refusal::AlreadyMember { user_id: new.user_id.to_string() }.into(),
        AddRefusal::RoleNotInSet => unknown_role(&new.role_key),
        AddRefusal::Full { max_allowed_memberships } => {
            Refusal::MembershipQuota { max: max_allowed_memberships }.into()
        }
    })?;
    let role = role.ok_or_else(|| unknown_role(&new.role_key))?;
    let membership = OrganizationMembership {
        id: OrganizationMembershipId::generate(now, &*app.random),
        organization_id: organization.id.clone(),
        user_id: new.user_id.clone(),
        role_id: role.id.clone(),
        public_metadata: new.public_metadata.clone(),
        private_metadata: new.private_metadata.clone(),
        created_at: now,
        updated_at: now,
    };
    memberships::insert(tx, &membership).await?;
    organization.members_count += 1;
    shown(tx, membership, role, organization).await
}

/// Gives a member another role.
pub async fn change_role(
    app: &App,
    organization: &OrganizationId,
    user: &UserId,
    role_key: &str,
) -> Result<Member, FlowError> {
    write_tx!(app.store, FlowError, |tx| { change_role_in(tx, app, organization, user, role_key).await })
}

/// As [`change_role`], in the caller's transaction.
pub async fn change_role_in(
    tx: &mut Tx,
    app: &App,
    organization: &OrganizationId,
    user: &UserId,
    role_key: &str,
) -> Result<Member, FlowError> {
    let all = roles::roles(tx).await?;
    let (organization, mut membership, held) = load(tx, &all, organization, user).await?;
    let next = role_of(tx, &all, &organization, role_key).await?.ok_or_else(|| unknown_role(role_key))?;
    check_someone_in_charge(tx, &all, &membership, &held, Some(&next)).await?;
    membership.role_id = next.id.clone();
    membership.updated_at = app.now();
    memberships::update(tx, &membership).await?;
    shown(tx, membership, next, organization).await
}

/// Changes a membership's metadata.
pub async fn update_metadata(
    app: &App,
    organization: &OrganizationId,
    user: &UserId,
    change: MetadataChange,
) -> Result<Member, FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| {
        let all = roles::roles(tx).await?;
        let (organization, mut membership, role) = load(tx, &all, organization, user).await?;
        if change.apply(&mut membership.public_metadata, &mut membership.private_metadata)? {
            membership.updated_at = now;
            memberships::update(tx, &membership).await?;
        }
        shown(tx, membership, role, organization).await
    })
}

/// Removes a member. One who came by single sign-on is added again at the next sign-in (MEM-8).
pub async fn delete(app: &App, organization: &OrganizationId, user: &UserId) -> Result<Member, FlowError> {
    write_tx!(app.store, FlowError, |tx| { delete_in(tx, app, organization, user).await })
}

/// As [`delete`], in the caller's transaction.
pub async fn delete_in(
    tx: &mut Tx,
    app: &App,
    organization: &OrganizationId,
    user: &UserId,
) -> Result<Member, FlowError> {
    let all = roles::roles(tx).await?;
    let (mut organization, membership, held) = load(tx, &all, organization, user).await?;
    check_someone_in_charge(tx, &all, &membership, &held, None).await?;
    memberships::delete(tx, &membership, app.now()).await?;
    organization.members_count -= 1;
    shown(tx, membership, held, organization).await
}
