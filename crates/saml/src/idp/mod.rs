//! The other side of the wire: an IdP that answers AuthnRequests with signed Responses. It serves a test IdP, tests and
//! benchmarks; it keeps no accounts and asks nobody for a password.

mod encrypt;
mod key;
mod metadata;
mod received;
mod response;
mod sign;

pub use encrypt::{AssertionEncryption, ContentCipher, KeyTransport, encrypt_assertion, encrypted_assertion};
pub use key::IdpKey;
pub use metadata::idp_metadata;
pub use received::ReceivedAuthnRequest;
pub use response::{IssuedAttribute, IssuedResponse};
pub use sign::{RsaDigest, SignedPart, sign_by_id, sign_by_id_with_prefixes};

use crate::certificate::CertificateError;
use crate::error::Shown;
use crate::xml::XmlError;

/// Why the IdP could not do its part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdpError {
    /// The private key is not PKCS#8 of an RSA key of at least 2048 bits.
    #[error("the private key is not usable: {0}")]
    Key(Shown),
    /// The certificate is not usable.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The certificate is for another key.
    #[error("the certificate does not belong to the private key")]
    KeyMismatch,
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
    /// No element, or no place for a signature in it.
    #[error("there is no element with an Issuer and the ID {0} to sign")]
    NothingToSign(Shown),
    /// Encryption failed.
    #[error("the Assertion cannot be encrypted: {0}")]
    Encrypting(&'static str),
    /// The signing operation failed.
    #[error("signing failed")]
    Signing,
}
