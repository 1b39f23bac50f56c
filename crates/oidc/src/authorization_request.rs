//! The request that a browser carries to the provider (OpenID Connect Core 3.1.2.1, RFC 6749 section 4.1.1).

use std::fmt;

use url::{Url, form_urlencoded};

use crate::endpoint::{self, EndpointError};
use crate::shown::Shown;

/// What this crate sets, and what would change the meaning of the request if it came from elsewhere: with a `request` object
/// the provider ignores the parameters beside it (OpenID Connect Core 6.1).
const RESERVED: [&str; 21] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "login_hint",
    "prompt",
    "max_age",
    "response_mode",
    "request",
    "request_uri",
    "registration",
    "claims",
    "id_token_hint",
    "code",
    "error",
    "iss",
    "client_secret",
];
const LONGEST_VALUE: usize = 1024;

/// Why no URL could be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorizationRequestError {
    /// The endpoint or the redirect URI is of no use.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// A value that must not be empty, or is too long.
    #[error("{0} is empty or longer than {LONGEST_VALUE} bytes")]
    Value(&'static str),
    /// A scope with other characters than RFC 6749, section 3.3, allows.
    #[error("{0} is not a scope")]
    Scope(Shown),
    /// An additional parameter that is not for the caller to set.
    #[error("{0} cannot be set as an additional parameter")]
    Reserved(Shown),
}

impl AuthorizationRequestError {
    /// A short stable reason for machines.
    pub fn code(&self) -> &'static str {
        match self {
            AuthorizationRequestError::Endpoint(error) => error.code(),
            AuthorizationRequestError::Value(_) => "parameter_invalid",
            AuthorizationRequestError::Scope(_) => "scope_invalid",
            AuthorizationRequestError::Reserved(_) => "parameter_reserved",
        }
    }
}

/// How the response comes back. The fragment is not offered, as no server sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query of the redirect URI, by GET.
    Query,
    /// In a form that the browser posts (OAuth 2.0 Form Post Response Mode).
    FormPost,
}

/// A request that the provider sign somebody in.
#[derive(Clone, Copy)]
pub struct AuthorizationRequest<'a> {
    /// Where the browser is sent; a query it has is kept.
    pub authorization_endpoint: &'a str,
    /// Our client at the provider.
    pub client_id: &'a str,
    /// Where the browser comes back to; the token request repeats it.
    pub redirect_uri: &'a str,
    /// What is asked for; `openid` is added in front if it is not there.
    pub scopes: &'a [&'a str],
    /// From [`opaque_value`](crate::opaque_value); finds the sign-in when the browser comes back.
    pub state: &'a str,
    /// From [`opaque_value`](crate::opaque_value), not the state; the ID token has to repeat it.
    pub nonce: &'a str,
    /// From [`CodeVerifier::challenge`](crate::CodeVerifier::challenge); the method is S256.
    pub code_challenge: Option<&'a str>,
    /// The address the person typed.
    pub login_hint: Option<&'a str>,
    /// `prompt` as the standard has it, such as `login` or `select_account`.
    pub prompt: Option<&'a str>,
    /// In seconds; the ID token's `auth_time` has to be checked against it.
    pub max_age_s: Option<u64>,
    /// `None` leaves it to the provider, whose default for a code is the query.
    pub response_mode: Option<ResponseMode>,
    /// Parameters of this provider, such as `hd`, `access_type` or `domain_hint`.
    pub additional: &'a [(&'a str, &'a str)],
}

impl fmt::Debug for AuthorizationRequest<'_> {
    /// Without state, nonce and the person's address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("AuthorizationRequest");
        shown.field("authorization_endpoint", &self.authorization_endpoint).field("client_id", &self.client_id);
        shown.field("redirect_uri", &self.redirect_uri).field("scopes", &self.scopes).finish_non_exhaustive()
    }
}

impl AuthorizationRequest<'_> {
    /// The URL for the browser. Parameters that the endpoint already has stay in front; those among them that have a meaning
    /// here are dropped, so that none occurs twice (RFC 6749, section 3.1) and none overrides ours.
    ///
    /// # Errors
    /// An address or value is of no use, or an additional parameter is one that is set here.
    pub fn url(&self) -> Result<String, AuthorizationRequestError> {
        let endpoint = endpoint::checked("authorization_endpoint", self.authorization_endpoint)?;
        endpoint::checked("redirect_uri", self.redirect_uri)?;
        let ours = self.parameters()?;
        // The check above has parsed it already.
        let mut url = Url::parse(&endpoint).map_err(|_| AuthorizationRequestError::Value("authorization_endpoint"))?;
        let is_ours = |name: &str| RESERVED.contains(&name) || ours.iter().any(|(own, _)| *own == name);
        let is_kept = |raw: &&str| {
            let mut pairs = form_urlencoded::parse(raw.as_bytes());
            pairs.next().is_some_and(|(name, _)| !is_ours(&name))
        };
        let kept = url.query().unwrap_or_default().split('&').filter(is_kept).collect::<Vec<&str>>().join("&");
        let mut query = form_urlencoded::Serializer::new(kept);
        query.extend_pairs(&ours);
        url.set_query(Some(&query.finish()));
        Ok(url.into())
    }

    fn parameters(&self) -> Result<Vec<(&str, String)>, AuthorizationRequestError> {
        let mut ours = vec![
            ("response_type", "code".to_owned()),
            ("client_id", bounded("client_id", self.client_id)?),
            ("redirect_uri", self.redirect_uri.to_owned()),
            ("scope", scope(self.scopes)?),
            ("state", bounded("state", self.state)?),
            ("nonce", bounded("nonce", self.nonce)?),
        ];
        if let Some(challenge) = self.code_challenge {
            ours.push(("code_challenge", bounded("code_challenge", challenge)?));
            ours.push(("code_challenge_method", "S256".to_owned()));
        }
        for (name, value) in [("login_hint", self.login_hint), ("prompt", self.prompt)] {
            if let Some(value) = value {
                ours.push((name, bounded(name, value)?));
            }
        }
        if let Some(seconds) = self.max_age_s {
            ours.push(("max_age", seconds.to_string()));
        }
        match self.response_mode {
            Some(ResponseMode::Query) => ours.push(("response_mode", "query".to_owned())),
            Some(ResponseMode::FormPost) => ours.push(("response_mode", "form_post".to_owned())),
            None => {}
        }
        for (name, value) in self.additional {
            if name.is_empty() || ours.iter().any(|(own, _)| own == name) || RESERVED.contains(name) {
                return Err(AuthorizationRequestError::Reserved(Shown::from(*name)));
            }
            ours.push((name, bounded("an additional parameter", value)?));
        }
        Ok(ours)
    }
}

fn bounded(name: &'static str, value: &str) -> Result<String, AuthorizationRequestError> {
    let is_usable = !value.is_empty() && value.len() <= LONGEST_VALUE;
    if is_usable { Ok(value.to_owned()) } else { Err(AuthorizationRequestError::Value(name)) }
}

/// Scopes in their order, each once, `openid` always among them (OpenID Connect Core 3.1.2.1).
fn scope(scopes: &[&str]) -> Result<String, AuthorizationRequestError> {
    let mut all = vec!["openid"];
    for scope in scopes {
        let is_scope = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        if scope.is_empty() || !scope.bytes().all(is_scope) {
            return Err(AuthorizationRequestError::Scope(Shown::from(*scope)));
        }
        if !all.contains(scope) {
            all.push(scope);
        }
    }
    bounded("scope", &all.join(" "))
}
