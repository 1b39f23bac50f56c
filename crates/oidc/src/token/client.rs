//! Who we are to the token endpoint (RFC 6749, section 2.3; OpenID Connect Core 9).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

use super::TokenRequestError;
use crate::discovery::ProviderMetadata;
use crate::shown::Shown;

/// A way to authenticate, as metadata names it. Those with keys (`private_key_jwt`, mutual TLS) are not offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuthMethod {
    /// `client_secret_basic`.
    SecretBasic,
    /// `client_secret_post`.
    SecretPost,
    /// `none`.
    None,
}

impl ClientAuthMethod {
    /// By its name in metadata.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "client_secret_basic" => Some(ClientAuthMethod::SecretBasic),
            "client_secret_post" => Some(ClientAuthMethod::SecretPost),
            "none" => Some(ClientAuthMethod::None),
            _ => None,
        }
    }
}

/// A way to authenticate, with what it takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ClientAuthentication<'a> {
    /// The secret in the `Authorization` header, form-encoded before base64 (RFC 6749, section 2.3.1).
    SecretBasic(&'a str),
    /// The secret in the body.
    SecretPost(&'a str),
    /// A public client: the id alone. PKCE is compulsory then.
    None,
}

impl fmt::Debug for ClientAuthentication<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ClientAuthentication::SecretBasic(_) => "SecretBasic([secret])",
            ClientAuthentication::SecretPost(_) => "SecretPost([secret])",
            ClientAuthentication::None => "None",
        })
    }
}

/// Our client at a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OidcClient<'a> {
    /// `client_id`.
    pub client_id: &'a str,
    /// How it proves to be that client.
    pub authentication: ClientAuthentication<'a>,
}

impl<'a> OidcClient<'a> {
    /// The client of a connection with this provider: public if there is no secret, else by the header or the body, whichever
    /// the provider takes. Of both, the header is preferred, except for credentials that form-encoding changes: half of the
    /// servers forget to decode them there, while in the body nobody does. If the provider does not say, it is the header
    /// (OpenID Connect Core 9, Discovery 3).
    ///
    /// # Errors
    /// The provider takes no secret in either place.
    pub fn choose(
        client_id: &'a str,
        secret: Option<&'a str>,
        provider: &ProviderMetadata,
    ) -> Result<Self, TokenRequestError> {
        let Some(secret) = secret else {
            return Ok(OidcClient { client_id, authentication: ClientAuthentication::None });
        };
        let authentication = match &provider.token_endpoint_auth_methods {
            None => ClientAuthentication::SecretBasic(secret),
            Some(methods) => {
                let basic = methods.contains(&ClientAuthMethod::SecretBasic);
                let post = methods.contains(&ClientAuthMethod::SecretPost);
                let is_changed = encoded(secret) != secret || encoded(client_id) != client_id;
                match (basic, post) {
                    (true, true) if is_changed => ClientAuthentication::SecretPost(secret),
                    (true, _) => ClientAuthentication::SecretBasic(secret),
                    (false, true) => ClientAuthentication::SecretPost(secret),
                    (false, false) => return Err(TokenRequestError::NoAuthMethod),
                }
            }
        };
        Ok(OidcClient { client_id, authentication })
    }

    pub(super) fn check(&self) -> Result<(), TokenRequestError> {
        let secret = match self.authentication {
            ClientAuthentication::SecretBasic(secret) | ClientAuthentication::SecretPost(secret) => secret,
            ClientAuthentication::None => "none",
        };
        if self.client_id.is_empty() {
            return Err(TokenRequestError::Empty(Shown::from("client_id")));
        }
        if secret.is_empty() { Err(TokenRequestError::Empty(Shown::from("client_secret"))) } else { Ok(()) }
    }

    pub(super) fn authorization_header(&self) -> Option<String> {
        let ClientAuthentication::SecretBasic(secret) = self.authentication else { return None };
        Some(format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(self.client_id), encoded(secret)))))
    }
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
