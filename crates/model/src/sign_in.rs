//! Sign-in and sign-up attempts, and the trip to the IdP that each may be on (DEC).

use crate::{
    ClientId, Email, EnterpriseConnectionId, JsonMap, Millis, Provider, SessionId, SignInId, SignUpId, UserId,
};
use serde::{Deserialize, Serialize};

/// An attempt to sign in.
#[derive(Clone, Debug, PartialEq)]
pub struct SignIn {
    pub id: SignInId,
    pub client_id: ClientId,
    pub status: SignInStatus,
    /// What was typed.
    pub identifier: Option<Email>,
    pub verification: Option<Verification>,
    pub created_session_id: Option<SessionId>,
    pub abandon_at: Millis,
    pub created_at: Millis,
    pub updated_at: Millis,
}

/// Where a sign-in stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInStatus {
    NeedsIdentifier,
    NeedsFirstFactor,
    Complete,
}

impl SignInStatus {
    /// The word on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NeedsIdentifier => "needs_identifier",
            Self::NeedsFirstFactor => "needs_first_factor",
            Self::Complete => "complete",
        }
    }

    /// Reads [`Self::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::NeedsIdentifier, Self::NeedsFirstFactor, Self::Complete].into_iter().find(|s| s.as_str() == text)
    }
}

/// An attempt to sign up.
#[derive(Clone, Debug, PartialEq)]
pub struct SignUp {
    pub id: SignUpId,
    pub client_id: ClientId,
    pub status: SignUpStatus,
    pub email_address: Option<Email>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub unsafe_metadata: JsonMap,
    /// State of the trip to the IdP: `verifications.external_account`.
    pub verification: Option<Verification>,
    pub created_session_id: Option<SessionId>,
    pub created_user_id: Option<UserId>,
    pub abandon_at: Millis,
    pub created_at: Millis,
    pub updated_at: Millis,
}

/// Where a sign-up stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUpStatus {
    MissingRequirements,
    Complete,
}

impl SignUpStatus {
    /// The word on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingRequirements => "missing_requirements",
            Self::Complete => "complete",
        }
    }

    /// Reads [`Self::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::MissingRequirements, Self::Complete].into_iter().find(|s| s.as_str() == text)
    }
}

/// The state of a verification by an IdP (SML-26).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    pub status: VerificationStatus,
    pub connection_id: EnterpriseConnectionId,
    /// Of what kind the connection is. Verifications from before there was another protocol do not say.
    #[serde(default = "saml")]
    pub provider: Provider,
    /// Where to send the browser; `None` once the answer came.
    pub external_verification_redirect_url: Option<String>,
    pub error: Option<SsoError>,
    pub expire_at: Millis,
    pub attempts: i64,
    /// The request whose verified profile a transfer may use; only with status `transferable`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer_profile: Option<SsoProfile>,
}

fn saml() -> Provider {
    Provider::SamlCustom
}

/// Where a verification stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerificationStatus {
    Unverified,
    Verified,
    Failed,
    Expired,
    Transferable,
}

impl VerificationStatus {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unverified => "unverified",
            Self::Verified => "verified",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Transferable => "transferable",
        }
    }
}

/// Why a trip to the IdP failed, in the terms of the error catalogue (DEC-17).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SsoError {
    pub code: String,
    pub message: String,
    pub long_message: String,
    #[serde(default, skip_serializing_if = "JsonMap::is_empty")]
    pub meta: JsonMap,
}

/// The attempt a trip to the IdP belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    SignIn,
    SignUp,
}

/// The attempt with its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptId {
    SignIn(SignInId),
    SignUp(SignUpId),
}

impl AttemptId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::SignIn(id) => id.as_str(),
            Self::SignUp(id) => id.as_str(),
        }
    }
}

/// One trip to a SAML IdP: the AuthnRequest that was sent and, later, what came back.
#[derive(Clone, Debug, PartialEq)]
pub struct SamlRequest {
    /// Hexadecimal SHA-256 of the RelayState.
    pub relay_state_sha256: String,
    /// The AuthnRequest's ID, which the answer must name in InResponseTo.
    pub request_id: String,
    pub connection_id: EnterpriseConnectionId,
    pub attempt: AttemptId,
    /// Only this browser may finish.
    pub client_id: ClientId,
    /// Where the browser goes when more is to be done.
    pub redirect_url: String,
    /// Where it goes once a session exists.
    pub action_complete_redirect_url: String,
    /// Origin and path under which the browser reaches us: the public URL or a checked proxy URL.
    pub base_url: String,
    pub expires_at: Millis,
    /// What the IdP's answer amounted to; set once.
    pub outcome: Option<SsoOutcome>,
    /// Hexadecimal SHA-256 of the token with which the browser collects the outcome.
    pub finish_sha256: Option<String>,
    pub created_at: Millis,
}

/// One trip to an OpenID Connect provider: what its answer has to fit.
#[derive(Clone, Debug, PartialEq)]
pub struct OidcRequest {
    /// Hexadecimal SHA-256 of the state.
    pub state_sha256: String,
    /// What the ID token has to repeat.
    pub nonce: String,
    /// The PKCE code verifier under the instance's encryption key; `None` where no challenge was sent.
    pub encrypted_code_verifier: Option<String>,
    pub connection_id: EnterpriseConnectionId,
    /// What the connection expected of its provider when the browser left, as a digest: the code goes nowhere else.
    pub trust_sha256: String,
    pub attempt: AttemptId,
    /// Only this browser may finish.
    pub client_id: ClientId,
    /// Where the browser goes when more is to be done.
    pub redirect_url: String,
    /// Where it goes once a session exists.
    pub action_complete_redirect_url: String,
    /// Origin and path under which the browser reaches us: the public URL or a checked proxy URL.
    pub base_url: String,
    /// Whether this trip asked for consent anew, because the one before it brought no refresh token.
    pub asks_consent: bool,
    pub expires_at: Millis,
    pub created_at: Millis,
}

/// What an IdP's answer amounted to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SsoOutcome {
    Verified(SsoProfile),
    Failed(SsoError),
}

/// A person whom an IdP sent without having been asked; waits for the browser to come back.
#[derive(Clone, Debug, PartialEq)]
pub struct UnsolicitedArrival {
    /// Of the one-time token the browser brings.
    pub finish_sha256: String,
    pub connection_id: EnterpriseConnectionId,
    /// Of the cookie the browser was given with it.
    pub cookie_sha256: String,
    pub profile: SsoProfile,
    /// Where the person lands.
    pub redirect_url: String,
    pub expires_at: Millis,
    pub created_at: Millis,
}

/// A person as the IdP of one connection vouches for them; made only from verified bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SsoProfile {
    pub subject: String,
    pub email_address: Email,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    /// Custom attributes, destined for the user's public metadata.
    pub public_metadata: JsonMap,
    /// What the connection expected of its IdP when this was verified, as a digest; what it no longer expects signs nobody in.
    #[serde(default)]
    pub trust_sha256: String,
    /// SHA-256 of the keys that signed; each has to be that of a trusted certificate still.
    #[serde(default)]
    pub signed_by: Vec<String>,
    /// Of an EASIE connection: whose tenant it was, and how the account is asked after from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub easie: Option<Box<EasieProof>>,
}

/// What an EASIE sign-in brings beside the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EasieProof {
    /// Google's `hd` or Microsoft's `tid`, in lower case.
    pub tenant: String,
    /// Our application that the refresh token was given to.
    pub client_id: String,
    /// Under the instance's encryption key; `None` where the provider gave none, as it has given one before.
    pub encrypted_refresh_token: Option<String>,
}
