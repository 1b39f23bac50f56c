//! The other side of the wire: an IdP that answers AuthnRequests with signed Responses. It serves a test IdP, tests and
//! benchmarks; it keeps no accounts and asks nobody for a password.

mod encrypt;
mod metadata;
mod received;
mod response;

pub use crate::signing::{RsaDigest, SignedPart, sign_by_id, sign_by_id_with_prefixes};
pub use encrypt::{AssertionEncryption, ContentCipher, KeyTransport, encrypt_assertion, encrypted_assertion};
pub use metadata::idp_metadata;
pub use received::ReceivedAuthnRequest;
pub use response::{IssuedAttribute, IssuedResponse};

use crate::error::Shown;
use crate::signing::SigningError;
use crate::xml::XmlError;

/// Why the IdP could not do its part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdpError {
    /// The query has no `SAMLRequest`.
    #[error("the query has no SAMLRequest")]
    RequestMissing,
    /// `SAMLRequest` is not base64, does not inflate, or inflates to too much.
    #[error("SAMLRequest cannot be decoded: {0}")]
    RequestEncoding(&'static str),
    /// The gate or the parser refused the XML.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// The XML is no AuthnRequest, or lacks what it must have.
    #[error("SAMLRequest is not a usable AuthnRequest: {0}")]
    NotAnAuthnRequest(Shown),
    /// Encryption failed.
    #[error("the Assertion cannot be encrypted: {0}")]
    Encrypting(&'static str),
    /// The Response could not be signed.
    #[error(transparent)]
    Signing(#[from] SigningError),
}
