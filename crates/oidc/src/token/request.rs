//! Requests to the token endpoint.

use url::form_urlencoded;

use super::client::{ClientAuthentication, OidcClient};
use crate::endpoint::{self, EndpointError};
use crate::http::{HttpMethod, HttpRequest};
use crate::pkce::CodeVerifier;
use crate::secret::Secret;
use crate::shown::Shown;

/// Why no request could be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenRequestError {
    /// The token endpoint is of no use.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The provider takes neither `client_secret_basic` nor `client_secret_post`.
    #[error("the token endpoint takes a client secret neither in the header nor in the body")]
    NoAuthMethod,
    /// A client without a secret has nothing but PKCE to show that the code is its own.
    #[error("a client without a secret needs PKCE")]
    PublicClientWithoutPkce,
    /// A value that must not be empty.
    #[error("{0} is empty")]
    Empty(Shown),
}

impl TokenRequestError {
    /// A short stable reason for machines.
    pub fn code(&self) -> &'static str {
        match self {
            TokenRequestError::Endpoint(error) => error.code(),
            TokenRequestError::NoAuthMethod => "no_client_auth_method",
            TokenRequestError::PublicClientWithoutPkce => "public_client_without_pkce",
            TokenRequestError::Empty(_) => "token_parameter_empty",
        }
    }
}

/// Exchanges a code (RFC 6749, section 4.1.3; RFC 7636, section 4.5). `redirect_uri` is that of the authorization request,
/// character by character.
///
/// # Errors
/// The endpoint is of no use, a value is empty, or a client without a secret has no verifier.
pub fn authorization_code_request(
    token_endpoint: &str,
    client: &OidcClient<'_>,
    code: &Secret,
    redirect_uri: &str,
    code_verifier: Option<&CodeVerifier>,
) -> Result<HttpRequest, TokenRequestError> {
    if client.authentication == ClientAuthentication::None && code_verifier.is_none() {
        return Err(TokenRequestError::PublicClientWithoutPkce);
    }
    let mut parameters =
        vec![("grant_type", "authorization_code"), ("code", code.expose()), ("redirect_uri", redirect_uri)];
    parameters.extend(code_verifier.map(|verifier| ("code_verifier", verifier.as_str())));
    request(token_endpoint, client, &parameters)
}

/// Uses a refresh token (RFC 6749, section 6). Without `scope` the new token has the old one's.
///
/// # Errors
/// The endpoint is of no use or a value is empty.
pub fn refresh_request(
    token_endpoint: &str,
    client: &OidcClient<'_>,
    refresh_token: &Secret,
    scope: Option<&str>,
) -> Result<HttpRequest, TokenRequestError> {
    let mut parameters = vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())];
    parameters.extend(scope.map(|scope| ("scope", scope)));
    request(token_endpoint, client, &parameters)
}

fn request(
    token_endpoint: &str,
    client: &OidcClient<'_>,
    parameters: &[(&str, &str)],
) -> Result<HttpRequest, TokenRequestError> {
    let url = endpoint::checked("token_endpoint", token_endpoint)?;
    client.check()?;
    if let Some((name, _)) = parameters.iter().find(|(_, value)| value.is_empty()) {
        return Err(TokenRequestError::Empty(Shown::from(*name)));
    }
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(parameters);
    let mut headers = vec![
        ("accept", "application/json".to_owned()),
        ("content-type", "application/x-www-form-urlencoded".to_owned()),
    ];
    match client.authorization_header() {
        Some(header) => headers.push(("authorization", header)),
        // With the header, the id in the body would be a second way to say who we are, which section 2.3 forbids.
        None => {
            body.append_pair("client_id", client.client_id);
        }
    }
    if let ClientAuthentication::SecretPost(secret) = client.authentication {
        body.append_pair("client_secret", secret);
    }
    Ok(HttpRequest { method: HttpMethod::Post, url, headers, body: Some(body.finish()) })
}
