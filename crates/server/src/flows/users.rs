//! Making, changing and deleting users by the operator.

use crate::app::App;
use crate::flows::organizations::MetadataMode;
use crate::flows::{FlowError, Refusal};
use doorward_model::{
    Email, EmailAddress, EmailAddressId, EmailVerification, JsonMap, Millis, SessionStatus, User, UserId,
};
use doorward_rules::metadata::{fits, merge};
use doorward_store::{Tx, sessions, users, write_tx};

/// A user to be made.
#[derive(Clone, Debug, Default)]
pub struct NewUser {
    pub profile: UserChange,
    /// Addresses and whether each is verified; the first is the primary one.
    pub addresses: Vec<(Email, bool)>,
    pub public_metadata: JsonMap,
    pub private_metadata: JsonMap,
    pub unsafe_metadata: JsonMap,
    pub banned: bool,
    pub locked: bool,
    /// A user without any identifier is wanted.
    pub may_lack_identifier: bool,
}

/// What changes of a user; `None` stays as it is, `Some(None)` clears.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    pub external_id: Option<Option<String>>,
    pub username: Option<Option<String>>,
    pub first_name: Option<Option<String>>,
    pub last_name: Option<Option<String>>,
    pub locale: Option<Option<String>>,
    pub primary_email_address_id: Option<EmailAddressId>,
    pub delete_self_enabled: Option<bool>,
    pub create_organization_enabled: Option<bool>,
    pub create_organizations_limit: Option<Option<i64>>,
    pub bypass_client_trust: Option<bool>,
    pub legal_accepted_at: Option<Option<Millis>>,
    pub created_at: Option<Millis>,
}

/// New metadata of a user; `None` stays as it is.
#[derive(Clone, Debug)]
pub struct UserMetadataChange {
    pub mode: MetadataMode,
    pub public_metadata: Option<JsonMap>,
    pub private_metadata: Option<JsonMap>,
    pub unsafe_metadata: Option<JsonMap>,
}

fn not_found(id: &UserId) -> Refusal {
    Refusal::NotFound { what: "user", id: id.to_string() }
}

/// The user with this id.
pub async fn by_id(tx: &mut Tx, id: &UserId) -> Result<User, FlowError> {
    Ok(users::by_id(tx, id).await?.ok_or_else(|| not_found(id))?)
}

/// Makes a user.
pub async fn create(app: &App, new: &NewUser) -> Result<User, FlowError> {
    let now = app.now();
    for (index, (address, _)) in new.addresses.iter().enumerate() {
        if new.addresses[..index].iter().any(|(earlier, _)| earlier == address) {
            return Err(Refusal::ParamDuplicate { param: "email_address" }.into());
        }
    }
    let has_username = matches!(&new.profile.username, Some(Some(_)));
    if new.addresses.is_empty() && !has_username && !new.may_lack_identifier {
        return Err(Refusal::DataMissing.into());
    }
    write_tx!(app.store, FlowError, |tx| {
        let mut user = User::new(UserId::generate(now, &*app.random), now);
        user.public_metadata = new.public_metadata.clone();
        user.private_metadata = new.private_metadata.clone();
        user.unsafe_metadata = new.unsafe_metadata.clone();
        user.banned = new.banned;
        user.locked = new.locked;
        apply(tx, &mut user, &new.profile).await?;
        let addresses = addresses(tx, app, &user.id, &new.addresses, now).await?;
        user.primary_email_address_id = addresses.first().map(|address| address.id.clone());
        users::insert(tx, &user).await?;
        for address in &addresses {
            users::insert_address(tx, address).await?;
        }
        Ok(user)
    })
}

/// The addresses of a new user. An address that anybody has, verified or reserved, is taken.
async fn addresses(
    tx: &mut Tx,
    app: &App,
    user: &UserId,
    wanted: &[(Email, bool)],
    now: Millis,
) -> Result<Vec<EmailAddress>, FlowError> {
    let mut made = Vec::with_capacity(wanted.len());
    // Addresses are listed by time, so the primary one must be the oldest.
    for (offset, (address, is_verified)) in (0..).zip(wanted) {
        if !users::addresses_named(tx, address).await?.is_empty() {
            return Err(Refusal::IdentifierExists { param: "email_address", value: address.to_string() }.into());
        }
        made.push(EmailAddress {
            id: EmailAddressId::generate(now + offset, &*app.random),
            user_id: user.clone(),
            address: address.clone(),
            verification: if *is_verified { EmailVerification::Admin } else { EmailVerification::Unverified },
            created_at: now,
            updated_at: now,
        });
    }
    Ok(made)
}

async fn apply(tx: &mut Tx, user: &mut User, change: &UserChange) -> Result<(), FlowError> {
    if let Some(Some(external_id)) = &change.external_id
        && users::by_external_id(tx, external_id).await?.is_some_and(|other| other.id != user.id)
    {
        return Err(Refusal::IdentifierExists { param: "external_id", value: external_id.clone() }.into());
    }
    if let Some(Some(username)) = &change.username
        && users::by_username(tx, username).await?.is_some_and(|other| other.id != user.id)
    {
        return Err(Refusal::IdentifierExists { param: "username", value: username.clone() }.into());
    }
    if let Some(id) = &change.primary_email_address_id {
        let of_user = users::addresses(tx, &user.id).await?;
        let address = of_user.iter().find(|address| address.id == *id);
        let address = address.ok_or(Refusal::ResourceMissing { param: "primary_email_address_id" })?;
        if !address.verification.is_verified() {
            return Err(Refusal::VerificationNeeded { param: "primary_email_address_id" }.into());
        }
        user.primary_email_address_id = Some(id.clone());
    }
    let texts = [
        (&mut user.external_id, &change.external_id),
        (&mut user.username, &change.username),
        (&mut user.first_name, &change.first_name),
        (&mut user.last_name, &change.last_name),
        (&mut user.locale, &change.locale),
    ];
    for (current, change) in texts {
        if let Some(value) = change {
            current.clone_from(value);
        }
    }
    user.delete_self_enabled = change.delete_self_enabled.unwrap_or(user.delete_self_enabled);
    user.create_organization_enabled = change.create_organization_enabled.unwrap_or(user.create_organization_enabled);
    user.create_organizations_limit = change.create_organizations_limit.unwrap_or(user.create_organizations_limit);
    user.bypass_client_trust = change.bypass_client_trust.unwrap_or(user.bypass_client_trust);
    user.legal_accepted_at = change.legal_accepted_at.unwrap_or(user.legal_accepted_at);
    user.created_at = change.created_at.unwrap_or(user.created_at);
    Ok(())
}

/// Changes a user.
pub async fn update(app: &App, id: &UserId, change: &UserChange) -> Result<User, FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| {
        let mut user = by_id(tx, id).await?;
        apply(tx, &mut user, change).await?;
        user.updated_at = now;
        users::update(tx, &user).await?;
        Ok(user)
    })
}

/// Changes a user's metadata (ORG-19 holds for users too).
pub async fn update_metadata(app: &App, id: &UserId, change: &UserMetadataChange) -> Result<User, FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| {
        let mut user = by_id(tx, id).await?;
        let sides = [
            ("public_metadata", &mut user.public_metadata, &change.public_metadata),
            ("private_metadata", &mut user.private_metadata, &change.private_metadata),
            ("unsafe_metadata", &mut user.unsafe_metadata, &change.unsafe_metadata),
        ];
        for (param, current, change_of_side) in sides {
            let Some(change_of_side) = change_of_side.clone() else { continue };
            match change.mode {
                MetadataMode::Merge => merge(current, change_of_side),
                MetadataMode::Replace => *current = change_of_side,
            }
            if !fits(current) {
                return Err(Refusal::ParamInvalid { param: param.into(), reason: "must not exceed 8 KB".into() }.into());
            }
        }
        user.updated_at = now;
        users::update(tx, &user).await?;
        Ok(user)
    })
}

/// Deletes a user with everything of theirs.
pub async fn delete(app: &App, id: &UserId) -> Result<User, FlowError> {
    write_tx!(app.store, FlowError, |tx| {
        let user = by_id(tx, id).await?;
        users::delete(tx, id).await?;
        Ok(user)
    })
}

/// Keeps a user from signing in, or lets them again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Ban,
    Unban,
    Lock,
    Unlock,
}

/// Bans, unbans, locks or unlocks a user. A ban ends all sessions at once.
pub async fn set_access(app: &App, id: &UserId, access: Access) -> Result<User, FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| {
        let mut user = by_id(tx, id).await?;
        match access {
            Access::Ban => user.banned = true,
            Access::Unban => user.banned = false,
            Access::Lock => user.locked = true,
            Access::Unlock => user.locked = false,
        }
        if access == Access::Ban {
            sessions::end_all_of_user(tx, id, SessionStatus::Revoked, now).await?;
        }
        user.updated_at = now;
        users::update(tx, &user).await?;
        Ok(user)
    })
}
