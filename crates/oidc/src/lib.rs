#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod algorithm;
mod authorization_request;
mod callback;
mod claims;
mod discovery;
pub mod easie;
mod endpoint;
mod http;
mod id_token;
mod json;
mod jws;
mod key_set;
mod pkce;
mod secret;
mod shown;
mod token;
mod userinfo;

pub use algorithm::Algorithm;
pub use authorization_request::{AuthorizationRequest, AuthorizationRequestError, ResponseMode};
pub use callback::{AuthorizationError, AuthorizationErrorKind, Callback, CallbackError};
pub use claims::{Claims, EmailVerified, Mapping, Nesting, Profile};
pub use discovery::{
    DiscoveryError, ExpectedIssuer, IdentitySource, Issuer, ManualEndpoints, ProviderMetadata, TENANT_PLACEHOLDER,
    discovery_url,
};
pub use endpoint::EndpointError;
pub use http::{HttpMethod, HttpRequest, HttpResponse};
pub use id_token::{
    DEFAULT_CLOCK_SKEW_MS, DEFAULT_OLDEST_TOKEN_MS, Expectations, IdToken, IdTokenError, verify_id_token,
};
pub use json::JsonError;
pub use jws::JwsError;
pub use key_set::{IgnoredKey, KeySet, KeySetError, Lookup, VerifyingKey};
pub use pkce::{CodeVerifier, CodeVerifierError, opaque_value};
pub use secret::Secret;
pub use shown::Shown;
pub use token::{
    ClientAuthMethod, ClientAuthentication, OidcClient, Refusal, TokenError, TokenRequestError, TokenResponse,
    Unavailability, authorization_code_request, refresh_request,
};
pub use userinfo::{UserInfo, UserInfoError, UserInfoJwt, UserInfoSubject, userinfo_request};
