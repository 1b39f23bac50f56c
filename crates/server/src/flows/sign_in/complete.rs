//! A verified profile becomes a signed-in member: account, user, membership and session in one transaction.
//!
//! Shared by every protocol and by sign-in and sign-up. All decisions are taken before the first write, so a refusal
//! leaves nothing behind.

use crate::app::{App, internal};
use crate::config::Config;
use crate::flows::clients as browsers;
use crate::flows::{FlowError, Refusal, idp_certificates, oidc_clients, oidc_provider};
use crate::random::sha256_hex;
use doorward_model::{
    Client, Domain, EasieGrant, EasieGrantState, EmailAddress, EmailAddressId, EmailVerification, EnterpriseAccount,
    EnterpriseAccountId, EnterpriseConnection, EnterpriseConnectionId, JsonMap, Millis, Organization, OrganizationId,
    OrganizationMembership, OrganizationMembershipId, Protocol, RoleId, Session, SessionId, SessionStatus, SignUp,
    SsoProfile, User, UserId, Verification, VerificationStatus,
};
use doorward_rules::account_linking::{self, Linking};
use doorward_rules::deprovision::due_after;
use doorward_rules::easie::{self, Consent, Grant, Tenant, Tenants};
use doorward_rules::join::{self, Join};
use doorward_rules::metadata::fits;
use doorward_rules::session::SESSION_LIFETIME;
use doorward_rules::sign_in_route::covers;
use doorward_rules::{oidc_trip, saml_answer};
use doorward_store::{
    Tx, clients, easie_grants, enterprise_accounts, enterprise_connections, memberships, organizations, roles,
    sessions, users,
};

/// What became of a verified profile.
#[derive(Debug)]
pub enum Arrival {
    /// Signed in; the text is the browser's new secret.
    Session(Session, String),
    /// Not signed in.
    Refused(Refusal),
    /// Would be signed in, but for a refresh token that another trip may bring (EAS-6).
    NeedsConsent,
}

impl Arrival {
    /// The refusal; for callers that have handled the session.
    pub fn into_refusal(self) -> Refusal {
        match self {
            Self::Refused(refusal) => refusal,
            Self::NeedsConsent => Refusal::RefreshTokenMissing,
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
    /// Of the account, at an EASIE connection.
    easie_grant: Option<EasieGrant>,
}

impl Facts {
    /// Whether the connection still speaks for the person's address.
    fn is_covered(&self, profile: &SsoProfile) -> bool {
        covers(&self.connection, &profile.email_address)
    }

    /// Whether what vouched for the profile when it was verified still does.
    fn is_trusted(&self, config: &Config, profile: &SsoProfile) -> bool {
        let trust_sha256 = trust_sha256(config, &self.connection);
        match self.connection.provider.protocol() {
            Protocol::Saml => {
                saml_answer::is_still_trusted(profile, &trust_sha256, &idp_certificates::keys(&self.connection))
            }
            Protocol::Oidc => oidc_trip::is_still_trusted(profile, &trust_sha256),
        }
    }

    /// Whether the person is of the tenant that the connection is for, as it is now. `None` where no tenants are told apart.
    fn tenant(&self, profile: &SsoProfile) -> Option<Tenant> {
        let provider = self.connection.provider.easie()?;
        let of_discovery_url = oidc_provider::tenant_of_discovery_url(&self.connection);
        let tenants = Tenants {
            provider,
            domains: &self.connection.domains,
            pinned: self.connection.oidc.as_ref().and_then(|oidc| oidc.tenant_id.as_deref()),
            of_discovery_url: of_discovery_url.as_deref(),
        };
        // Without a proof nobody is of any tenant.
        Some(easie::tenant(tenants, profile.easie.as_ref().map(|proof| proof.tenant.as_str()).unwrap_or_default()))
    }

    /// Which refresh token the account is asked after with from now on. `None` where accounts are not asked after.
    fn grant(&self, config: &Config, profile: &SsoProfile, consent: Consent) -> Option<Grant> {
        self.connection.provider.easie()?;
        let brought = profile.easie.as_ref().is_some_and(|proof| proof.encrypted_refresh_token.is_some());
        let client_id = oidc_clients::client_id(config, &self.connection).unwrap_or_default();
        Some(easie::grant(brought, self.easie_grant.as_ref(), client_id, consent))
    }

    /// The connection does not speak for addresses of this domain.
    fn domain_mismatch(&self, received: &Domain) -> Arrival {
        let expected = self.connection.domains.iter().map(ToString::to_string).collect();
        Arrival::Refused(Refusal::DomainMismatch { expected, received: received.to_string() })
    }
}

/// What a connection expects of its IdP, beside the certificates that sign: what it no longer expects when the browser comes
/// back signs nobody in.
///
/// The tenant that an EASIE connection is pinned to is none of it, as the first sign-in pins it while others are under way: it
/// is checked by itself.
pub fn trust_sha256(config: &Config, connection: &EnterpriseConnection) -> String {
    let Some(oidc) = &connection.oidc else { return saml_trust_sha256(connection) };
    if connection.provider.easie().is_some() {
        let application = (oidc_clients::whose(config, connection), oidc_clients::client_id(config, connection));
        let discovery_url = oidc_provider::discovery_url(connection);
        return sha256_hex(&format!("easie {:?} {discovery_url:?} {application:?}", connection.provider));
    }
    let by_hand = match oidc.discovery_url {
        // The document names the endpoints.
        Some(_) => None,
        None => Some((&oidc.authorization_url, &oidc.token_url, &oidc.user_info_url)),
    };
    let provider = (&oidc.discovery_url, by_hand, &oidc.client_id);
    sha256_hex(&format!("oidc {provider:?} {:?}", oidc.attribute_mapping))
}

/// [`trust_sha256`] of a connection that speaks SAML.
pub fn saml_trust_sha256(connection: &EnterpriseConnection) -> String {
    let saml = &connection.saml;
    sha256_hex(&format!("{:?} {}", saml.idp_entity_id, saml.force_authn))
}

/// Whether a profile that may sign in belongs to somebody who has an account here already.
#[derive(Debug)]
pub enum Known {
    No,
    Yes,
    /// Yes, but what it brings does not suffice: see [`Arrival::NeedsConsent`].
    NeedsConsent,
    Refused(Refusal),
}

/// Decides, for a sign-up.
pub async fn known(
    tx: &mut Tx,
    app: &App,
    connection: &EnterpriseConnectionId,
    profile: &SsoProfile,
    consent: Consent,
) -> Result<Known, FlowError> {
    let Some(facts) = load(tx, connection, profile).await? else { return Ok(Known::No) };
    let may_sign_in = facts.is_covered(profile)
        && facts.is_trusted(&app.config, profile)
        && !matches!(facts.tenant(profile), Some(Tenant::Mismatch { .. }));
    if !may_sign_in || (facts.account.is_none() && facts.owner.is_none()) {
        return Ok(Known::No);
    }
    Ok(match facts.grant(&app.config, profile, consent) {
        None | Some(Grant::Save | Grant::Keep) => Known::Yes,
        Some(Grant::AskConsent) => Known::NeedsConsent,
        Some(Grant::Missing) => Known::Refused(Refusal::RefreshTokenMissing),
    })
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
    let easie_grant = match &account {
        Some(account) if connection.provider.easie().is_some() => easie_grants::of_account(tx, &account.id).await?,
        _ => None,
    };
    Ok(Some(Facts { connection, account, account_user, owner, organization, default_role, easie_grant }))
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

/// The refusal of a connection that is gone or switched off.
async fn inactive(tx: &mut Tx, id: &EnterpriseConnectionId) -> Result<Refusal, FlowError> {
    let provider = enterprise_connections::by_id(tx, id).await?.and_then(|connection| connection.provider.easie());
    let id = id.to_string();
    Ok(if provider.is_some() { Refusal::EasieNotEnabled { id } } else { Refusal::ActiveConnectionNotFound { id } })
}

/// How somebody comes.
#[derive(Clone, Copy, Debug)]
pub struct Entrance<'a> {
    /// It adds what its form collected to a new user.
    pub sign_up: Option<&'a SignUp>,
    pub consent: Consent,
}

impl Entrance<'_> {
    /// Without a sign-up, and with no trip to go on.
    pub const PLAIN: Self = Self { sign_up: None, consent: Consent::WasAsked };
}

/// Signs the person in, or says why not.
pub async fn arrive(
    tx: &mut Tx,
    app: &App,
    connection_id: &EnterpriseConnectionId,
    profile: &SsoProfile,
    entrance: Entrance<'_>,
    client: &mut Client,
    now: Millis,
) -> Result<Arrival, FlowError> {
    let Some(facts) = load(tx, connection_id, profile).await? else {
        return Ok(Arrival::Refused(inactive(tx, connection_id).await?));
    };
    if !facts.is_covered(profile) {
        return Ok(facts.domain_mismatch(&profile.email_address.domain()));
    }
    if !facts.is_trusted(&app.config, profile) {
        let reason = "The connection was changed meanwhile; sign in again.".to_owned();
        return Ok(Arrival::Refused(Refusal::SamlResponseInvalid { reason }));
    }
    let tenant = facts.tenant(profile);
    if let Some(Tenant::Mismatch { expected }) = &tenant {
        let got = profile.easie.as_ref().map_or("none", |proof| proof.tenant.as_str());
        let reason = format!("The tenant: expected {expected}, got {got}.");
        return Ok(Arrival::Refused(Refusal::OtherTenant { reason }));
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
    let grant = facts.grant(&app.config, profile, entrance.consent);
    match grant {
        Some(Grant::AskConsent) => return Ok(Arrival::NeedsConsent),
        Some(Grant::Missing) => return Ok(Arrival::Refused(Refusal::RefreshTokenMissing)),
        None | Some(Grant::Save | Grant::Keep) => {}
    }
    let user = match existing {
        Some(user) => refresh_user(tx, &facts, user, profile, now).await?,
        None => create_user(tx, app, profile, entrance.sign_up, now).await?,
    };
    let account = save_account(tx, app, &facts, &user.id, profile, now).await?;
    if let Some(grant) = grant {
        save_grant(tx, app, &facts, (&account, grant), profile, now).await?;
    }
    if tenant == Some(Tenant::Pin) {
        pin_tenant(tx, &facts.connection, profile, now).await?;
    }
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
) -> Result<EnterpriseAccount, FlowError> {
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
    Ok(account)
}

/// The provider has just stood by the account, so it is asked again after the interval, whatever became of it before: who was
/// suspended and is back signs in again.
async fn save_grant(
    tx: &mut Tx,
    app: &App,
    facts: &Facts,
    (account, grant): (&EnterpriseAccount, Grant),
    profile: &SsoProfile,
    now: Millis,
) -> Result<(), FlowError> {
    let proof = profile.easie.as_ref().ok_or_else(|| missing("the proof of an EASIE sign-in"))?;
    let stored = facts.easie_grant.as_ref();
    let (encrypted_refresh_token, claimed_until) = match grant {
        // Whoever is asking with it right now may get another in its place, which must not be lost.
        Grant::Keep => (
            stored.and_then(|stored| stored.encrypted_refresh_token.clone()),
            stored.map_or(0, |stored| stored.claimed_until),
        ),
        Grant::Save | Grant::AskConsent | Grant::Missing => (proof.encrypted_refresh_token.clone(), 0),
    };
    let grant = EasieGrant {
        account_id: account.id.clone(),
        user_id: account.user_id.clone(),
        connection_id: account.enterprise_connection_id.clone(),
        client_id: proof.client_id.clone(),
        encrypted_refresh_token,
        state: EasieGrantState::Live,
        confirmed_at: now,
        due_at: Some(due_after(now, app.config.easie_check_interval)),
        claimed_until,
        failures: 0,
        last_error: None,
        created_at: stored.map_or(now, |stored| stored.created_at),
        updated_at: now,
    };
    Ok(easie_grants::save(tx, &grant).await?)
}

/// From now on the connection is for this tenant alone (EAS-9).
async fn pin_tenant(
    tx: &mut Tx,
    connection: &EnterpriseConnection,
    profile: &SsoProfile,
    now: Millis,
) -> Result<(), FlowError> {
    let mut connection = connection.clone();
    if let (Some(oidc), Some(proof)) = (connection.oidc.as_mut(), &profile.easie) {
        oidc.tenant_id = Some(proof.tenant.clone());
        connection.updated_at = now;
        enterprise_connections::update(tx, &connection).await?;
        tracing::info!(connection = %connection.id, tenant = %proof.tenant, "the connection is pinned to the tenant of its first sign-in");
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
pub fn verified(connection: &EnterpriseConnectionId, now: Millis) -> Verification {
    Verification {
        status: VerificationStatus::Verified,
        connection_id: connection.clone(),
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
