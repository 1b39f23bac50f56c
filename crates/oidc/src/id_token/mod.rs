//! The ID token (OpenID Connect Core 2), verified by the rules of Core 3.1.3.7.

mod error;
mod verify;

use crate::algorithm::Algorithm;
use crate::claims::Claims;
use crate::discovery::{IdentitySource, Issuer, ProviderMetadata};
use crate::secret::Secret;

pub use error::IdTokenError;
pub use verify::verify_id_token;
pub(crate) use verify::{audience, is_subject, issuer, optional_times};

/// How far the provider's clock may be from ours, in milliseconds.
pub const DEFAULT_CLOCK_SKEW_MS: i64 = 60_000;
/// How long ago a token may have been issued, in milliseconds: a day. The nonce is what makes a token fresh; this bound is for
/// what a mistaken clock or an archive brings.
pub const DEFAULT_OLDEST_TOKEN_MS: i64 = 24 * 60 * 60 * 1000;

/// What a token has to agree with.
#[derive(Clone, Copy)]
pub struct Expectations<'a> {
    /// The time, in Unix milliseconds.
    pub now_ms: i64,
    /// See [`DEFAULT_CLOCK_SKEW_MS`].
    pub clock_skew_ms: i64,
    /// See [`DEFAULT_OLDEST_TOKEN_MS`].
    pub oldest_token_ms: i64,
    /// Whose token it has to be.
    pub issuer: &'a Issuer,
    /// Our client, for whom it has to be.
    pub client_id: &'a str,
    /// What the provider may sign with: [`ProviderMetadata::id_token_algorithms`](crate::ProviderMetadata).
    pub algorithms: &'a [Algorithm],
    /// The nonce of the authorization request. `None` only for a token that came with a refresh, which need not repeat it
    /// (Core 12.2).
    pub nonce: Option<&'a str>,
    /// The access token that came along, for `at_hash`.
    pub access_token: Option<&'a str>,
    /// The `max_age` of the authorization request, in seconds.
    pub max_age_s: Option<u64>,
}

impl<'a> Expectations<'a> {
    /// Those of a sign-in with this provider, with the default tolerances: the provider's issuer and algorithms, the nonce of
    /// the request, and the access token that came along. `None` if people are not known by ID tokens there, see
    /// [`ProviderMetadata::identity_source`].
    pub fn of_sign_in(
        provider: &'a ProviderMetadata,
        client_id: &'a str,
        nonce: &'a str,
        access_token: &'a Secret,
        now_ms: i64,
    ) -> Option<Self> {
        let issuer = provider.issuer.as_ref().filter(|_| provider.identity_source() == IdentitySource::IdToken)?;
        Some(Expectations {
            now_ms,
            clock_skew_ms: DEFAULT_CLOCK_SKEW_MS,
            oldest_token_ms: DEFAULT_OLDEST_TOKEN_MS,
            issuer,
            client_id,
            algorithms: &provider.id_token_algorithms,
            nonce: Some(nonce),
            access_token: Some(access_token.expose()),
            max_age_s: None,
        })
    }
}

impl std::fmt::Debug for Expectations<'_> {
    /// Without nonce and access token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Expectations");
        shown.field("now_ms", &self.now_ms).field("issuer", &self.issuer).field("client_id", &self.client_id);
        shown.field("algorithms", &self.algorithms).finish_non_exhaustive()
    }
}

/// A verified ID token. There is no way to one but [`verify_id_token`].
#[derive(Clone, Debug, PartialEq)]
pub struct IdToken {
    issuer: String,
    subject: String,
    tenant: Option<String>,
    algorithm: Algorithm,
    expires_at_ms: i64,
    issued_at_ms: i64,
    auth_time_ms: Option<i64>,
    claims: Claims,
}

impl IdToken {
    /// `iss`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// `sub`: who it is, at this issuer.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// `tid` as it stands in the token, if the issuer was checked against it: see [`Issuer::TenantTemplate`].
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// The algorithm it is signed with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// `exp`, in Unix milliseconds.
    pub fn expires_at_ms(&self) -> i64 {
        self.expires_at_ms
    }

    /// `iat`, in Unix milliseconds.
    pub fn issued_at_ms(&self) -> i64 {
        self.issued_at_ms
    }

    /// `auth_time`, when the person gave her credentials, in Unix milliseconds.
    pub fn auth_time_ms(&self) -> Option<i64> {
        self.auth_time_ms
    }

    /// All claims.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }
}
