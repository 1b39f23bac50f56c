//! What exists: the entities of one instance, their ids and the small value types they are made of.
//!
//! Nothing here decides anything (that is `rules`), stores anything (`store`) or knows a wire format (`server`).
//! Times are Unix milliseconds, as on the wire.

mod connection;
mod easie;
mod email;
mod id;
mod instance;
mod metadata_refresh;
mod organization;
mod role;
mod session;
mod sign_in;
mod user;

pub use connection::{
    AttributeMapping, ConnectionKey, CustomAttribute, EnterpriseAccount, EnterpriseConnection, KeyPurpose, LoginHint,
    LoginHintMode, OidcAttributeMapping, OidcConfig, Protocol, Provider, SamlConfig, SsoBinding,
};
pub use easie::{EasieConfirmations, EasieGrant, EasieGrantState, EasieProvider};
pub use email::{Domain, Email, InvalidDomain, InvalidEmail};
pub use id::{
    ClientId, EmailAddressId, EnterpriseAccountId, EnterpriseConnectionId, InstanceId, OauthConfigId, OrganizationId,
    OrganizationMembershipId, PermissionId, RedirectUrlId, RoleId, RoleSetId, SamlConnectionId, SecretKeyId, SessionId,
    SignInId, SignUpId, UserId,
};
pub use instance::{Instance, OrganizationSettings, RedirectUrl, SecretKey, SigningKey};
pub use metadata_refresh::{
    MetadataRefresh, MetadataRefreshNotice, MetadataRefreshOutcome, MetadataRefreshRecord, RefreshedCertificate,
};
pub use organization::{Organization, OrganizationMembership};
pub use role::{Permission, PermissionType, Role, RoleSet, RoleSetType, SYSTEM_PERMISSIONS, SystemPermission};
pub use session::{Client, Session, SessionStatus};
pub use sign_in::{
    Attempt, AttemptId, EasieProof, OidcRequest, SamlRequest, SignIn, SignInStatus, SignUp, SignUpStatus, SsoError,
    SsoOutcome, SsoProfile, UnsolicitedArrival, Verification, VerificationStatus,
};
pub use user::{EmailAddress, EmailVerification, User};

/// Unix time in milliseconds.
pub type Millis = i64;

/// A JSON object, as used for metadata.
pub type JsonMap = serde_json::Map<String, serde_json::Value>;

/// The source of random bytes. The program passes the operating system's; tests pass a seeded one.
pub trait Random: Send + Sync {
    /// Overwrites `bytes` with random ones.
    fn fill(&self, bytes: &mut [u8]);
}
