//! Signing messages: Responses on the side of an IdP, AuthnRequests on ours.

mod enveloped;
mod key;

pub use enveloped::{RsaDigest, SignedPart, sign_by_id, sign_by_id_with_prefixes};
pub use key::SamlKey;

use crate::certificate::CertificateError;
use crate::error::Shown;
use crate::xml::XmlError;

/// Why nothing was signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// The private key is not PKCS#8 of an RSA key of at least 2048 bits.
    #[error("the private key is not usable: {0}")]
    Key(Shown),
    /// The certificate is not usable.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The certificate is for another key.
    #[error("the certificate does not belong to the private key")]
    KeyMismatch,
    /// The gate or the parser refused the XML.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// No element, or no place for a signature in it.
    #[error("there is no element with an Issuer and the ID {0} to sign")]
    NothingToSign(Shown),
    /// The signing operation failed.
    #[error("signing failed")]
    Signing,
}
