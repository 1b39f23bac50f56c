//! Why a use case refuses, in the words of the field. `http::error_table` gives each its status and code.

use doorward_model::{JsonMap, Protocol};
use doorward_rules::account_linking::Blocked;
use doorward_store::{StoreError, TransactionError};

/// A refusal with its data.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    // Parameters
    ParamMissing {
        param: &'static str,
    },
    ParamType {
        param: String,
        expected: &'static str,
    },
    /// `reason` completes "`param` …".
    ParamInvalid {
        param: String,
        reason: String,
    },
    ParamFormat {
        param: String,
        reason: String,
    },
    ParamTooLong {
        param: String,
        max: usize,
    },
    ParamUnknown {
        param: String,
        reason: &'static str,
    },
    /// Two names of one parameter hold different values.
    ParamConflict {
        param: String,
        other: &'static str,
    },
    /// Not a time in RFC 3339 format.
    ParamTime {
        param: &'static str,
    },
    /// A list that must be as long as another one.
    ParamLength {
        param: &'static str,
        expected: usize,
    },
    ParamDuplicate {
        param: &'static str,
    },
    VerificationNeeded {
        param: &'static str,
    },
    /// A parameter names something that is not there.
    ResourceMissing {
        param: &'static str,
    },
    /// A user without any identifier.
    DataMissing,
    /// Moved to another operation.
    ParamDeprecated {
        param: &'static str,
        instead: &'static str,
    },
    IdentifierExists {
        param: &'static str,
        value: String,
    },
    IdentifierNotFound {
        param: &'static str,
    },
    /// A query parameter outside its bounds.
    QueryInvalid {
        param: String,
        reason: String,
    },

    // Things that are not there
    NotFound {
        what: &'static str,
        id: String,
    },
    OrganizationNotFound,
    RoleNotFound {
        param: &'static str,
        key: String,
    },

    // Organizations and memberships
    OrganizationsDisabled,
    OrganizationCreatorNotFound {
        user_id: String,
    },
    SlugsDisabled,
    AlreadyMember {
        user_id: String,
    },
    MembershipQuota {
        max: i64,
    },
    MembershipQuotaForSso {
        max: i64,
    },
    MinimumPermissionsNeeded,
    CannotLeave,
    NotAMember,
    /// The caller's role lacks these permissions (ROL-20).
    MissingOrganizationPermission {
        permissions: Vec<&'static str>,
    },
    CreateOrganizationNotEnabled,
    OrganizationCreationLimit {
        limit: i64,
    },
    AdminDeleteNotEnabled,
    MissingCreatorPermissions {
        missing: Vec<String>,
    },
    /// Members hold roles that another role set does not have.
    RoleReassignmentMissing {
        role_keys: Vec<String>,
    },
    /// Members cannot become that, or come from there.
    RoleReassignmentInvalid {
        role_key: String,
    },
    RoleReassignmentTooLarge {
        members: i64,
        max: i64,
    },
    InitialRoleSetStays,
    RoleQuota {
        max: usize,
    },
    RoleIsCreatorRole,
    RoleIsDefaultRole,
    RoleHasMembers,
    PermissionNotModifiable,
    PermissionHeld,
    PermissionNotHeld,

    // Enterprise connections
    OrganizationHasConnection,
    CommonDomain {
        domain: String,
    },
    CannotBeActivated {
        missing: Vec<&'static str>,
    },
    MetadataFetch {
        reason: String,
    },
    MetadataInvalid {
        reason: String,
    },
    MetadataIncomplete {
        missing: Vec<&'static str>,
    },
    /// The connection speaks something else than what was asked for.
    ConnectionTypeInvalid {
        reason: &'static str,
    },
    /// Providers of this kind have no discovery document.
    DiscoveryImpossible,
    DiscoveryFailed {
        url: String,
        reason: String,
    },
    DiscoveryIssuerMismatch {
        /// The issuer to which the discovery URL belongs.
        expected: String,
        issuer: String,
    },
    PublicClientNeedsPkce,
    /// No application at an EASIE provider, or half of one.
    EasieCredentials {
        reason: &'static str,
    },
    /// A stored client secret would be sent to a provider that it was not given for.
    ClientSecretOfAnotherProvider,
    /// Another request or node is reading the metadata right now.
    MetadataRefreshUnderWay,

    // Signing in
    SignInConnectionMissing,
    SignUpConnectionMissing,
    ConnectionIdRequired,
    ConnectionNotFound {
        id: String,
    },
    ActiveConnectionNotFound {
        id: String,
    },
    StrategyInvalid,
    SignUpRestricted,
    TransferInvalid,
    AlreadySignedIn {
        session_id: String,
    },
    SamlResponseInvalid {
        reason: String,
    },
    RelayStateMissing,
    AttributeMissing {
        attribute: String,
    },
    AddressInvalid {
        value: String,
    },
    DomainMismatch {
        expected: Vec<String>,
        received: String,
    },
    /// Typed a username although the account signs in through a connection (DEC-14).
    MustUseEnterpriseIdentifier,
    /// The browser that comes back is not the one that began.
    OtherBrowser,
    JitDisabled {
        email_address: String,
    },
    AccountExists,
    UserBanned,
    UserLocked,
    UserDeactivated,
    RedirectUrlInvalid,
    RedirectUrlScheme,
    RedirectUrlNotAllowed {
        url: String,
    },

    // Signing in by OpenID Connect
    /// The person or a policy at the provider said no.
    OauthAccessDenied {
        reason: String,
    },
    /// What came back fits no sign-in, or not this one.
    OauthCallbackInvalid {
        reason: String,
    },
    /// No usable tokens for the code.
    OauthTokenExchange {
        reason: String,
    },
    OauthFetchUser {
        reason: String,
    },
    /// The provider does not know our callback.
    OauthRedirectUri {
        redirect_uri: String,
        reason: String,
    },
    /// Provider and connection do not fit; for the operator.
    OauthMisconfigured {
        reason: String,
    },
    /// The connection lacks what a sign-in needs.
    OauthConfigMissing {
        missing: &'static str,
    },
    OauthNotEnabled {
        id: String,
    },
    /// `what` took too long.
    GatewayTimeout {
        what: &'static str,
    },
    AddressUnverified {
        address: String,
        is_denied: bool,
    },
    SsoAttributeMissing {
        attribute: String,
    },
    SsoAddressInvalid {
        value: String,
    },
    SsoDomainMismatch {
        expected: Vec<String>,
        received: String,
    },

    // Signing in by EASIE
    EasieNotEnabled {
        id: String,
    },
    /// An account of another organization, or of none. `reason` says what was expected and what came.
    OtherTenant {
        reason: String,
    },
    /// The provider does not vouch for the address.
    EasieAddressUnverified {
        reason: String,
    },
    RefreshTokenMissing,

    // Sessions and requests
    SignedOut,
    ActionInvalidForSession,
    /// An account of the caller is gone at its provider (EAS-5).
    Deprovisioned,
    /// An account of the session's user is gone at its provider; for the operator.
    TargetDeprovisioned,
    AuthenticationMissing,
    AuthorizationFormat,
    SecretKeyInvalid,
    OriginConflict,
    OriginInvalid {
        origin: String,
    },
    ProxySecretKeyMissing,
    ProxySecretKeyInvalid,
    BodyInvalid,
    BodyTooLarge {
        max: usize,
    },
    ContentType {
        received: String,
    },
    TooManyRequests {
        retry_after_seconds: u64,
    },
    RouteNotFound,
    MethodNotAllowed,
    DuplicateRecord {
        value: String,
    },
}

impl Refusal {
    /// Why a user may not be signed in.
    pub fn of_blocked(reason: Blocked) -> Self {
        match reason {
            Blocked::Banned => Self::UserBanned,
            Blocked::Locked => Self::UserLocked,
            Blocked::Deprovisioned => Self::UserDeactivated,
        }
    }

    /// The refusal in the words of the protocol that somebody came by: those of [`complete`](super::sign_in::complete), which
    /// all protocols share, are SAML's.
    pub fn in_words_of(self, protocol: Protocol) -> Self {
        match (protocol, self) {
            (Protocol::Saml, refusal) => refusal,
            (Protocol::Oidc, Self::ActiveConnectionNotFound { id }) => Self::OauthNotEnabled { id },
            (Protocol::Oidc, Self::SamlResponseInvalid { reason }) => Self::OauthCallbackInvalid { reason },
            (Protocol::Oidc, Self::DomainMismatch { expected, received }) => {
                Self::SsoDomainMismatch { expected, received }
            }
            (Protocol::Oidc, refusal) => refusal,
        }
    }
}

/// How a use case fails.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// The request cannot be granted.
    #[error("refused: {0:?}")]
    Refused(Vec<Refusal>),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something failed that should not.
    #[error("internal error: {0}")]
    Internal(String),
}

impl From<Refusal> for FlowError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(vec![refusal])
    }
}

impl TransactionError for FlowError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

/// A refusal as it is written into answers and verifications.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorEntry {
    /// HTTP status.
    pub status: u16,
    pub code: &'static str,
    pub message: String,
    pub long_message: String,
    pub meta: JsonMap,
}
