#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod authn_request;
mod certificate;
mod encryption;
mod error;
#[cfg(test)]
mod fuzz;
mod hex;
pub mod idp;
mod instant;
mod metadata;
mod response;
mod signature;
mod signing;
mod xml;

pub use authn_request::{AuthnRequest, AuthnRequestError, PostForm, request_id};
pub use certificate::{CertificateError, TrustedCertificate};
pub use encryption::{DecryptionKey, DecryptionKeyError, EncryptionError};
pub use error::{ResponseError, Shown};
pub use instant::UnixMillis;
pub use metadata::{IdpMetadata, MetadataError, SpMetadata, SsoBinding};
pub use response::{
    Assertion, Attribute, DEFAULT_CLOCK_SKEW_MS, Expectations, NameId, UnverifiedHeader, UnverifiedResponse,
    validate_response,
};
pub use signature::SignatureError;
pub use signing::{SamlKey, SigningError};
pub use xml::XmlError;

/// The `NameID` format of an e-mail address (SAML core 8.3.2).
pub const NAME_ID_EMAIL: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";
/// The `NameID` format that leaves the choice to the IdP (SAML core 8.3.1).
pub const NAME_ID_UNSPECIFIED: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";
/// The `NameID` format of a stable opaque identifier (SAML core 8.3.7).
pub const NAME_ID_PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
/// The `NameID` format of an identifier that changes at each sign-in (SAML core 8.3.8).
pub const NAME_ID_TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
