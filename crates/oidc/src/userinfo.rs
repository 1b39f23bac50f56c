//! The userinfo endpoint (OpenID Connect Core 5.3).

use serde_json::{Map, Value};

use crate::algorithm::Algorithm;
use crate::claims::{self, Claims, Nesting};
use crate::discovery::Issuer;
use crate::endpoint::{self, EndpointError};
use crate::http::{HttpMethod, HttpRequest, HttpResponse};
use crate::id_token::{self, IdTokenError};
use crate::json::{self, JsonError};
use crate::jws;
use crate::key_set::KeySet;
use crate::secret::Secret;
use crate::shown::Shown;

const LARGEST: usize = 256 * 1024;

/// Why userinfo was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UserInfoError {
    /// Another status than 200. With 401 and 403 the access token was refused.
    #[error("the userinfo endpoint answered {0}, expected 200")]
    Status(u16),
    /// Neither JSON nor a signed token.
    #[error("the userinfo endpoint answered with {got}, expected application/json or application/jwt")]
    ContentType {
        /// What came.
        got: Shown,
    },
    /// Not an acceptable JSON object.
    #[error("userinfo was refused: {0}")]
    Json(#[from] JsonError),
    /// A signed answer where the provider's keys are not known.
    #[error("userinfo is signed, and no keys of the provider are configured")]
    NoKeys,
    /// The signed answer was refused.
    #[error("the signed userinfo was refused: {0}")]
    Signed(#[from] IdTokenError),
    /// Who it is about is not said in a usable way.
    #[error("userinfo has no usable {claim}, so it is not known whom it is about")]
    SubjectMissing {
        /// Which claim was looked for.
        claim: Shown,
    },
    /// It is about somebody else than the ID token (Core 5.3.2).
    #[error("sub of userinfo: expected {expected}, got {got}")]
    SubjectMismatch {
        /// That of the ID token.
        expected: Shown,
        /// What came.
        got: Shown,
    },
}

impl UserInfoError {
    /// A short stable reason for machines.
    pub fn code(&self) -> &'static str {
        match self {
            UserInfoError::Status(_) => "userinfo_status",
            UserInfoError::ContentType { .. } => "userinfo_content_type",
            UserInfoError::Json(error) => error.code(),
            UserInfoError::NoKeys => "userinfo_no_keys",
            UserInfoError::Signed(error) => error.code(),
            UserInfoError::SubjectMissing { .. } => "userinfo_subject_missing",
            UserInfoError::SubjectMismatch { .. } => "userinfo_subject_mismatch",
        }
    }

    /// Whether to fetch the keys again and try once more.
    pub fn wants_new_keys(&self) -> bool {
        matches!(self, UserInfoError::Signed(error) if error.wants_new_keys())
    }
}

/// Whom userinfo has to be about.
#[derive(Clone, Copy, Debug)]
pub enum UserInfoSubject<'a> {
    /// The `sub` of the verified ID token. Required wherever there is one: without it, userinfo for a stolen access token could
    /// be put beside somebody else's ID token (Core 5.3.2).
    SameAs(&'a str),
    /// There is no verified ID token: a provider configured by hand. The claim, usually `sub`, only has to be there.
    Claim(&'a str),
}

/// What verifies a signed answer.
#[derive(Clone, Copy, Debug)]
pub struct UserInfoJwt<'a> {
    /// The provider's keys.
    pub keys: &'a KeySet,
    /// [`ProviderMetadata::userinfo_algorithms`](crate::ProviderMetadata).
    pub algorithms: &'a [Algorithm],
    /// The provider's issuer.
    pub issuer: &'a Issuer,
    /// Our client.
    pub client_id: &'a str,
    /// The time, in Unix milliseconds.
    pub now_ms: i64,
    /// In milliseconds.
    pub clock_skew_ms: i64,
}

/// Claims about the person, told for an access token.
#[derive(Clone, Debug, PartialEq)]
pub struct UserInfo {
    subject: String,
    claims: Claims,
}

impl UserInfo {
    /// Reads an answer of at most 256 KiB. A signed one is verified with `jwt`; of its `iss` and `aud`, which Core 5.3.2 says it
    /// should have, each must be right if it is there, as must `exp` and `nbf`.
    ///
    /// # Errors
    /// See [`UserInfoError`].
    pub fn parse(
        response: &HttpResponse<'_>,
        subject: UserInfoSubject<'_>,
        jwt: Option<&UserInfoJwt<'_>>,
    ) -> Result<Self, UserInfoError> {
        if response.status != 200 {
            return Err(UserInfoError::Status(response.status));
        }
        let members = match response.media_type().as_str() {
            "application/jwt" => signed(response.body, jwt.ok_or(UserInfoError::NoKeys)?)?,
            _ if response.is_json() => json::object(response.body, LARGEST)?,
            other => return Err(UserInfoError::ContentType { got: other.into() }),
        };
        let claims = Claims::new(members);
        let claim = match subject {
            UserInfoSubject::SameAs(_) => "sub",
            UserInfoSubject::Claim(claim) => claim,
        };
        let got = match subject {
            // `sub` is a string (Core 5.1); only a claim of a provider's own may be a number.
            UserInfoSubject::SameAs(_) => claims.get(claim).and_then(Value::as_str).map(str::to_owned),
            UserInfoSubject::Claim(_) => claims::subject(&claims, claim, Nesting::Dotted),
        };
        let got = got.ok_or_else(|| UserInfoError::SubjectMissing { claim: claim.into() })?;
        if let UserInfoSubject::SameAs(expected) = subject
            && expected != got
        {
            return Err(UserInfoError::SubjectMismatch { expected: expected.into(), got: got.into() });
        }
        Ok(UserInfo { subject: got, claims })
    }

    /// Whom it is about.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// All claims.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }
}

fn signed(body: &[u8], jwt: &UserInfoJwt<'_>) -> Result<Map<String, Value>, UserInfoError> {
    let token = std::str::from_utf8(body).map_err(|_| IdTokenError::from(jws::JwsError::Base64("whole")))?;
    let claims = jws::verify(token.trim_ascii(), jwt.keys, jwt.algorithms).map_err(IdTokenError::from)?.claims;
    if claims.contains_key("iss") {
        id_token::issuer(&claims, jwt.issuer)?;
    }
    if claims.contains_key("aud") {
        id_token::audience(&claims, jwt.client_id)?;
    }
    id_token::optional_times(&claims, jwt.now_ms, jwt.clock_skew_ms)?;
    Ok(claims)
}

/// Asks for the claims (Core 5.3.1). The token goes into the header, where it is not logged (RFC 6750, section 2).
///
/// # Errors
/// The endpoint is of no use.
pub fn userinfo_request(userinfo_endpoint: &str, access_token: &Secret) -> Result<HttpRequest, EndpointError> {
    let headers = vec![
        ("accept", "application/json, application/jwt".to_owned()),
        ("authorization", format!("Bearer {}", access_token.expose())),
    ];
    Ok(HttpRequest {
        method: HttpMethod::Get,
        url: endpoint::checked("userinfo_endpoint", userinfo_endpoint)?,
        headers,
        body: None,
    })
}
