//! A verified profile becomes a signed-in member: account, user, membership and session in one transaction.
//!
//! Shared by every protocol and by sign-in and sign-up. All decisions are taken before the first write, so a refusal
//! leaves nothing behind.

use crate::app::{App, internal};
use crate::flows::clients as browsers;
use crate::flows::{FlowError, Refusal, idp_certificates};
use crate::random::sha256_hex;
use doorward_model::{
    Client, Domain, EmailAddress, EmailAddressId, EmailVerification, EnterpriseAccount, EnterpriseAccountId,
    EnterpriseConnection, EnterpriseConnectionId, JsonMap, Millis, Organization, OrganizationId,
    OrganizationMembership, OrganizationMembershipId, Protocol, Provider, RoleId, Session, SessionId, SessionStatus,
    SignUp, SsoProfile, User, UserId, Verification, VerificationStatus,
};
use doorward_rules::account_linking::{self, Linking};
use doorward_rules::join::{self, Join};
use doorward_rules::metadata::fits;
use doorward_rules::session::SESSION_LIFETIME;
use doorward_rules::sign_in_route::covers;
use doorward_rules::{oidc_trip, saml_answer};
use doorward_store::{
    Tx, clients, enterprise_accounts, enterprise_connections, memberships, organizations, roles, sessions, users,
};

/// What became of a verified profile.
#[derive(Debug)]
pub enum Arrival {
    /// Signed in; the text is the browser's new secret.
    Session(Session, String),
    /// Not signed in.
    Refused(Refusal),
}

impl Arrival {
    /// The refusal; for callers that have handled the session.
    pub fn into_refusal(self) -> Refusal {
        match self {
            Self::Refused(refusal) => refusal,
            Self::Session(..) => Refusal::TransferInvalid,
        }
    }
}

/// Everything the decisions need, loaded once.
struct Facts {
    connection: EnterpriseConnection,
    account: Option<EnterpriseAccount>,
    account_user: Option<User>,
    owner: Option<(EmailAddress, User)>,
    organization: Option<Organization>,
    default_role: Option<RoleId>,
}

impl Facts {
    /// Whether the connection still speaks for the person's address.
    fn is_covered(&self, profile: &SsoProfile) -> bool {
        covers(&self.connection, &profile.email_address)
    }

    /// Whether what vouched for the profile when it was verified still does.
    fn is_trusted(&self, profile: &SsoProfile) -> bool {
        let trust_sha256 = trust_sha256(&self.connection);
        match self.connection.provider.protocol() {
            Protocol::Saml => {
                saml_answer::is_still_trusted(profile, &trust_sha256, &idp_certificates::keys(&self.connection))
            }
            Protocol::Oidc => oidc_trip::is_still_trusted(profile, &trust_sha256),
        }
    }

    /// The connection does not speak for addresses of this domain.
    fn domain_mismatch(&self, received: &Domain) -> Arrival {
        let expected = self.connection.domains.iter().map(ToString::to_string).collect();
        Arrival::Refused(Refusal::DomainMismatch { expected, received: received.to_string() })
    }
}

/// What a connection expects of its IdP, beside the certificates that sign: what it no longer expects when the browser comes
/// back signs nobody in.
pub fn trust_sha256(connection: &EnterpriseConnection) -> String {
    let Some(oidc) = &connection.oidc else {
        let saml = &connection.saml;
        return sha256_hex(&format!("{:?} {}", saml.idp_entity_id, saml.force_authn));
    };
    let by_hand = match oidc.discovery_url {
        // The document names the endpoints.
        Some(_) => None,
        None => Some((&oidc.authorization_url, &oidc.token_url, &oidc.user_info_url, &oidc.issuer, &oidc.jwks_url)),
    };
    let provider = (&oidc.discovery_url, by_hand, &oidc.client_id);
    sha256_hex(&format!("oidc {provider:?} {:?}", oidc.attribute_mapping))
}

/// Whether a profile that may still sign in belongs to somebody who has an account here already.
pub async fn is_known(
    tx: &mut Tx,
    connection: &EnterpriseConnectionId,
    profile: &SsoProfile,
) -> Result<bool, FlowError> {
    let Some(facts) = load(tx, connection, profile).await? else { return Ok(false) };
    Ok(facts.is_covered(profile) && facts.is_trusted(profile) && (facts.account.is_some() || facts.owner.is_some()))
}

async fn load(tx: &mut Tx, id: &EnterpriseConnectionId, profile: &SsoProfile) -> Result<Option<Facts>, FlowError> {
    // The connection is read again: it may have been switched off or moved since the browser left (RELIABILITY §4.5).
    let Some(connection) = enterprise_connections::by_id(tx, id).await? else { return Ok(None) };
    if !connection.active || !connection.authenticatable {
        return Ok(None);
    }
    let account = enterprise_accounts::by_subject(tx, id, &profile.subject).await?;
    let account_user = match &account {
        Some(account) => users::by_id(tx, &account.user_id).await?,
        None => None,
    };
    let owner = if account.is_some() { None } else { owner_of(tx, profile).await? };
    let (organization, default_role) = organization_of(tx, &connection).await?;
    Ok(Some(Facts { connection, account, account_user, owner, organization, default_role }))
}

async fn owner_of(tx: &mut Tx, profile: &SsoProfile) -> Result<Option<(EmailAddress, User)>, FlowError> {
    let addresses = users::addresses_named(tx, &profile.email_address).await?;
    let Some(address) = addresses.into_iter().find(|address| address.verification.is_verified()) else {
        return Ok(None);
    };
    let user = users::by_id(tx, &address.user_id).await?;
    Ok(user.map(|user| (address, user)))
}

async fn organization_of(
    tx: &mut Tx,
    connection: &EnterpriseConnection,
) -> Result<(Option<Organization>, Option<RoleId>), FlowError> {
    let Some(id) = &connection.organization_id else { return Ok((None, None)) };
    let Some(organization) = organizations::by_id(tx, id).await? else { return Ok((None, None)) };
    let set = roles::role_set_by_id(tx, &organization.role_set_id).await?;
    Ok((Some(organization), set.map(|set| set.default_role_id)))
}

/// Signs the person in, or says why not. A `sign_up` adds what its form collected to a new user.
pub async fn arrive(
    tx: &mut Tx,
    app: &App,
    connection_id: &EnterpriseConnectionId,
    profile: &SsoProfile,
    sign_up: Option<&SignUp>,
    client: &mut Client,
    now: Millis,
) -> Result<Arrival, FlowError> {
    let Some(facts) = load(tx, connection_id, profile).await? else {
        return Ok(Arrival::Refused(Refusal::ActiveConnectionNotFound { id: connection_id.to_string() }));
    };
    if !facts.is_covered(profile) {
        return Ok(facts.domain_mismatch(&profile.email_address.domain()));
    }
    if !facts.is_trusted(profile) {
        let reason = "The connection was changed meanwhile; sign in again.".to_owned();
        return Ok(Arrival::Refused(Refusal::SamlResponseInvalid { reason }));
    }
    let linking = account_linking::link(account_linking::Facts {
        account: facts.account.as_ref().zip(facts.account_user.as_ref()),
        account_is_covered: facts
            .account
            .as_ref()
            .is_none_or(|account| covers(&facts.connection, &account.email_address)),
        owner: facts.owner.as_ref().map(|(address, user)| (address, user)),
        jit_disabled: facts.connection.disable_jit_provisioning,
    });
    let existing = match &linking {
        Linking::Known(_) => facts.account_user.clone(),
        Linking::Attach { .. } => facts.owner.as_ref().map(|(_, user)| user.clone()),
        Linking::Create => None,
        Linking::AccountOfFormerDomain => {
            let former = facts.account.as_ref().map_or(&profile.email_address, |account| &account.email_address);
            return Ok(facts.domain_mismatch(&former.domain()));
        }
        Linking::JitDisabled => {
            let email_address = profile.email_address.to_string();
            return Ok(Arrival::Refused(Refusal::JitDisabled { email_address }));
        }
        Linking::Blocked(reason) => return Ok(Arrival::Refused(Refusal::of_blocked(*reason))),
    };
    let membership = match (&existing, &facts.organization) {
        (Some(user), Some(organization)) => memberships::get(tx, &organization.id, &user.id).await?,
        _ => None,
    };
    let joined = join::join(join::Facts {
        organization: facts.organization.as_ref(),
        membership: membership.as_ref(),
        default_role: facts.default_role.as_ref(),
    });
    if let Join::Full { max_allowed_memberships } = joined {
        return Ok(Arrival::Refused(Refusal::MembershipQuotaForSso { max: max_allowed_memberships }));
    }
    if let Some(user) = &existing
        && facts.connection.sync_user_attributes
        && !fits(&merged_metadata(user, profile))
    {
        let reason = "The metadata it brings does not fit beside what the account has.".to_owned();
        return Ok(Arrival::Refused(Refusal::SamlResponseInvalid { reason }));
    }
    let user = match existing {
        Some(user) => refresh_user(tx, &facts, user, profile, now).await?,
        None => create_user(tx, app, profile, sign_up, now).await?,
    };
    save_account(tx, app, &facts, &user.id, profile, now).await?;
    if let (Join::Add(role), Some(organization)) = (&joined, &facts.organization) {
        add_member(tx, app, &organization.id, &user.id, role, now).await?;
    }
    let active = match (&joined, &facts.organization) {
        (Join::Keep | Join::Add(_), Some(organization)) => Some(organization.id.clone()),
        _ => memberships::latest_of_user(tx, &user.id).await?.map(|membership| membership.organization_id),
    };
    let (session, secret) = open_session(tx, app, client, &user.id, active, now).await?;
    Ok(Arrival::Session(session, secret))
}

/// What the user's public metadata is after this sign-in.
fn merged_metadata(user: &User, profile: &SsoProfile) -> JsonMap {
    let mut merged = user.public_metadata.clone();
    merged.extend(profile.public_metadata.clone());
    merged
}

/// Brings an existing user up to date (MEM-7, CON-11).
async fn refresh_user(
    tx: &mut Tx,
    facts: &Facts,
    mut user: User,
    profile: &SsoProfile,
    now: Millis,
) -> Result<User, FlowError> {
    if facts.connection.sync_user_attributes {
        user.first_name = profile.first_name.clone().or(user.first_name);
        user.last_name = profile.last_name.clone().or(user.last_name);
        user.public_metadata = merged_metadata(&user, profile);
    }
    user.last_sign_in_at = Some(now);
    user.last_active_at = Some(now);
    user.updated_at = now;
    users::update(tx, &user).await?;
    Ok(user)
}

/// Makes the user, whose address the IdP has verified (SML-19).
async fn create_user(
    tx: &mut Tx,
    app: &App,
    profile: &SsoProfile,
    sign_up: Option<&SignUp>,
    now: Millis,
) -> Result<User, FlowError> {
    let user_id = UserId::generate(now, &*app.random);
    let address = EmailAddress {
        id: EmailAddressId::generate(now, &*app.random),
        user_id: user_id.clone(),
        address: profile.email_address.clone(),
        verification: EmailVerification::EnterpriseSso,
        created_at: now,
        updated_at: now,
    };
    let user = User {
        first_name: profile.first_name.clone().or_else(|| sign_up?.first_name.clone()),
        last_name: profile.last_name.clone().or_else(|| sign_up?.last_name.clone()),
        primary_email_address_id: Some(address.id.clone()),
        public_metadata: profile.public_metadata.clone(),
        unsafe_metadata: sign_up.map(|sign_up| sign_up.unsafe_metadata.clone()).unwrap_or_default(),
        last_sign_in_at: Some(now),
        last_active_at: Some(now),
        ..User::new(user_id, now)
    };
    users::insert(tx, &user).await?;
    users::insert_address(tx, &address).await?;
    Ok(user)
}

async fn save_account(
    tx: &mut Tx,
    app: &App,
    facts: &Facts,
    user_id: &UserId,
    profile: &SsoProfile,
    now: Millis,
) -> Result<(), FlowError> {
    let known = facts.account.as_ref();
    let account = EnterpriseAccount {
        id: known.map_or_else(|| EnterpriseAccountId::generate(now, &*app.random), |account| account.id.clone()),
        user_id: user_id.clone(),
        enterprise_connection_id: facts.connection.id.clone(),
        subject: profile.subject.clone(),
        email_address: profile.email_address.clone(),
        first_name: profile.first_name.clone(),
        last_name: profile.last_name.clone(),
        public_metadata: profile.public_metadata.clone(),
        last_authenticated_at: now,
        created_at: known.map_or(now, |account| account.created_at),
        updated_at: now,
    };
    match known {
        Some(_) => enterprise_accounts::update(tx, &account).await?,
        None => enterprise_accounts::insert(tx, &account).await?,
    }
    Ok(())
}

async fn add_member(
    tx: &mut Tx,
    app: &App,
    organization: &OrganizationId,
    user: &UserId,
    role: &RoleId,
    now: Millis,
) -> Result<(), FlowError> {
    let membership = OrganizationMembership {
        id: OrganizationMembershipId::generate(now, &*app.random),
        organization_id: organization.clone(),
        user_id: user.clone(),
        role_id: role.clone(),
        public_metadata: JsonMap::new(),
        private_metadata: JsonMap::new(),
        created_at: now,
        updated_at: now,
    };
    Ok(memberships::insert(tx, &membership).await?)
}

/// Opens a session in the browser, with the organization active (MEM-5). An older session of the same user is replaced.
async fn open_session(
    tx: &mut Tx,
    app: &App,
    client: &mut Client,
    user: &UserId,
    organization: Option<OrganizationId>,
    now: Millis,
) -> Result<(Session, String), FlowError> {
    for mut older in browsers::active_sessions(tx, client, now).await? {
        if older.user_id == *user {
            older.status = SessionStatus::Replaced;
            older.updated_at = now;
            sessions::update(tx, &older).await?;
        }
    }
    let id = SessionId::generate(now, &*app.random);
    let session = Session::begin(id, client.id.clone(), user.clone(), organization, SESSION_LIFETIME, now);
    sessions::insert(tx, &session).await?;
    client.last_active_session_id = Some(session.id.clone());
    client.sign_in_id = None;
    client.sign_up_id = None;
    client.last_authentication_strategy = Some("enterprise_sso".into());
    client.updated_at = now;
    let secret = browsers::rotate(client, app);
    clients::update(tx, client).await?;
    Ok((session, secret))
}

/// The verification of an attempt that succeeded.
pub fn verified(connection: &EnterpriseConnectionId, provider: Provider, now: Millis) -> Verification {
    Verification {
        status: VerificationStatus::Verified,
        connection_id: connection.clone(),
        provider,
        external_verification_redirect_url: None,
        error: None,
        expire_at: now,
        attempts: 1,
        transfer_profile: None,
    }
}

/// A stored value that should be there.
pub fn missing(what: &str) -> FlowError {
    internal(format!("{what} is gone"))
}
