//! The token endpoint (RFC 6749, sections 4.1.3, 5 and 6; OpenID Connect Core 3.1.3).

mod client;
mod error;
mod request;
mod response;

pub use client::{ClientAuthMethod, ClientAuthentication, OidcClient};
pub use error::{Refusal, TokenError, Unavailability};
pub use request::{TokenRequestError, authorization_code_request, refresh_request};
pub use response::TokenResponse;
