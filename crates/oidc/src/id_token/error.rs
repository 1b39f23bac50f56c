//! Why an ID token was refused, for the operator who has to repair a connection.

use crate::jws::JwsError;
use crate::shown::Shown;

/// Why an ID token was refused. The message says what was expected and what came; [`code`](Self::code) is for machines.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdTokenError {
    /// Not a token that the provider has signed.
    #[error("the ID token was refused: {0}")]
    Jws(#[from] JwsError),
    /// A claim that must be there (Core 2).
    #[error("the token has no {0}")]
    Missing(&'static str),
    /// A claim of another type or form.
    #[error("{claim} must be {expected}, got {got}")]
    Claim {
        /// Which claim.
        claim: &'static str,
        /// In words.
        expected: &'static str,
        /// In words.
        got: &'static str,
    },
    /// Another issuer (Core 3.1.3.7, 2).
    #[error("iss: expected {expected}, got {got}")]
    IssuerMismatch {
        /// The connection's issuer; with a template, that of the token's tenant.
        expected: Shown,
        /// What came.
        got: Shown,
    },
    /// `tid` is not a tenant's id.
    #[error("tid must be a GUID, got {got}")]
    TenantInvalid {
        /// What came.
        got: Shown,
    },
    /// Signed by a key that is for another issuer, such as that of another kind of tenant.
    #[error("the issuer of the signing key: expected {expected}, got {got}")]
    KeyIssuerMismatch {
        /// `iss` of the token.
        expected: Shown,
        /// That of the key, with the token's tenant in its place.
        got: Shown,
    },
    /// For another client (Core 3.1.3.7, 3).
    #[error("aud: expected {expected}, got {got}")]
    AudienceMismatch {
        /// Our client.
        expected: Shown,
        /// What came.
        got: Shown,
    },
    /// Several audiences, and none of them is said to be the one the token was made for (Core 3.1.3.7, 4).
    #[error("azp is missing, expected {expected} as there are several audiences")]
    AuthorizedPartyMissing {
        /// Our client.
        expected: Shown,
    },
    /// Made for another client (Core 3.1.3.7, 5).
    #[error("azp: expected {expected}, got {got}")]
    AuthorizedPartyMismatch {
        /// Our client.
        expected: Shown,
        /// What came.
        got: Shown,
    },
    /// `exp` has passed.
    #[error("the token was valid until {exp_ms}; our clock says {now_ms} (Unix milliseconds)")]
    Expired {
        /// `exp`, in Unix milliseconds.
        exp_ms: i64,
        /// In Unix milliseconds.
        now_ms: i64,
    },
    /// `nbf` lies ahead.
    #[error("the token is valid from {nbf_ms}; our clock says {now_ms} (Unix milliseconds)")]
    NotYetValid {
        /// `nbf`, in Unix milliseconds.
        nbf_ms: i64,
        /// In Unix milliseconds.
        now_ms: i64,
    },
    /// `iat` lies ahead.
    #[error("the token was issued at {iat_ms}, in the future; our clock says {now_ms} (Unix milliseconds)")]
    IssuedInFuture {
        /// `iat`, in Unix milliseconds.
        iat_ms: i64,
        /// In Unix milliseconds.
        now_ms: i64,
    },
    /// `iat` is longer ago than accepted.
    #[error("the token was issued at {iat_ms}, too long ago; our clock says {now_ms} (Unix milliseconds)")]
    IssuedTooLongAgo {
        /// `iat`, in Unix milliseconds.
        iat_ms: i64,
        /// In Unix milliseconds.
        now_ms: i64,
    },
    /// Not the nonce of this sign-in: a token of another one. Neither is shown.
    #[error("nonce is not the one of this sign-in")]
    NonceMismatch,
    /// The access token that came along is not the one the ID token was made with (Core 3.1.3.8). Neither is shown.
    #[error("at_hash does not fit the access token")]
    AccessTokenHashMismatch,
    /// The person gave her credentials longer ago than asked for (Core 3.1.3.7, 13).
    #[error(
        "auth_time is {auth_time_ms}, longer ago than the {max_age_s} s asked for; our clock says {now_ms} (Unix milliseconds)"
    )]
    AuthenticatedTooLongAgo {
        /// `auth_time`, in Unix milliseconds.
        auth_time_ms: i64,
        /// What was asked for.
        max_age_s: u64,
        /// In Unix milliseconds.
        now_ms: i64,
    },
    /// `sub` is empty, longer than 255 bytes or not printable ASCII (Core 2).
    #[error("sub is not usable: it must have 1 to 255 printable ASCII characters")]
    SubjectInvalid,
}

impl IdTokenError {
    /// A short stable reason for machines, such as `audience_mismatch`.
    pub fn code(&self) -> &'static str {
        match self {
            IdTokenError::Jws(error) => error.code(),
            IdTokenError::Missing(_) => "claim_missing",
            IdTokenError::Claim { .. } => "claim_invalid",
            IdTokenError::IssuerMismatch { .. } => "issuer_mismatch",
            IdTokenError::TenantInvalid { .. } => "tenant_invalid",
            IdTokenError::KeyIssuerMismatch { .. } => "key_issuer_mismatch",
            IdTokenError::AudienceMismatch { .. } => "audience_mismatch",
            IdTokenError::AuthorizedPartyMissing { .. } => "authorized_party_missing",
            IdTokenError::AuthorizedPartyMismatch { .. } => "authorized_party_mismatch",
            IdTokenError::Expired { .. } => "token_expired",
            IdTokenError::NotYetValid { .. } => "token_not_yet_valid",
            IdTokenError::IssuedInFuture { .. } => "issued_in_future",
            IdTokenError::IssuedTooLongAgo { .. } => "issued_too_long_ago",
            IdTokenError::NonceMismatch => "nonce_mismatch",
            IdTokenError::AccessTokenHashMismatch => "access_token_hash_mismatch",
            IdTokenError::AuthenticatedTooLongAgo { .. } => "authenticated_too_long_ago",
            IdTokenError::SubjectInvalid => "subject_invalid",
        }
    }

    /// Whether to fetch the keys again and try once more: see [`JwsError::wants_new_keys`].
    pub fn wants_new_keys(&self) -> bool {
        matches!(self, IdTokenError::Jws(error) if error.wants_new_keys())
    }
}
