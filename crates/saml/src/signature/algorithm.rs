//! The algorithms a signature may use, by their URIs. The lists are closed: what is not here is refused.

use aws_lc_rs::digest;
use aws_lc_rs::signature::ParsedPublicKey;

use super::SignatureError;
use crate::certificate::{DigestSize, TrustedCertificate};

/// `ds:SignatureMethod/@Algorithm` (RFC 6931, 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignatureAlgorithm {
    Rsa(DigestSize),
    Ecdsa(DigestSize),
}

const MORE: &str = "http://www.w3.org/2001/04/xmldsig-more#";

impl SignatureAlgorithm {
    pub(crate) fn from_uri(uri: &str) -> Result<Self, SignatureError> {
        use DigestSize::{Sha256, Sha384, Sha512};
        let algorithm = match uri.strip_prefix(MORE) {
            Some("rsa-sha256") => SignatureAlgorithm::Rsa(Sha256),
            Some("rsa-sha384") => SignatureAlgorithm::Rsa(Sha384),
            Some("rsa-sha512") => SignatureAlgorithm::Rsa(Sha512),
            Some("ecdsa-sha256") => SignatureAlgorithm::Ecdsa(Sha256),
            Some("ecdsa-sha384") => SignatureAlgorithm::Ecdsa(Sha384),
            Some("ecdsa-sha512") => SignatureAlgorithm::Ecdsa(Sha512),
            _ => return Err(SignatureError::AlgorithmRefused(uri.into())),
        };
        Ok(algorithm)
    }

    pub(crate) fn uri(self) -> String {
        let name = match self {
            SignatureAlgorithm::Rsa(DigestSize::Sha256) => "rsa-sha256",
            SignatureAlgorithm::Rsa(DigestSize::Sha384) => "rsa-sha384",
            SignatureAlgorithm::Rsa(DigestSize::Sha512) => "rsa-sha512",
            SignatureAlgorithm::Ecdsa(DigestSize::Sha256) => "ecdsa-sha256",
            SignatureAlgorithm::Ecdsa(DigestSize::Sha384) => "ecdsa-sha384",
            SignatureAlgorithm::Ecdsa(DigestSize::Sha512) => "ecdsa-sha512",
        };
        format!("{MORE}{name}")
    }

    /// The key of `certificate` for this algorithm, if it is of that kind. The kind is the certificate's, never the
    /// document's: a document cannot make an RSA key be used as something else.
    pub(crate) fn key(self, certificate: &TrustedCertificate) -> Option<&ParsedPublicKey> {
        match self {
            SignatureAlgorithm::Rsa(size) => certificate.rsa_key(size),
            SignatureAlgorithm::Ecdsa(size) => certificate.ecdsa_key(size),
        }
    }
}

impl DigestSize {
    /// `ds:DigestMethod/@Algorithm` (RFC 6931, 2.1, and XML encryption 5.8).
    pub(crate) fn from_uri(uri: &str) -> Result<Self, SignatureError> {
        match uri {
            "http://www.w3.org/2001/04/xmlenc#sha256" => Ok(DigestSize::Sha256),
            "http://www.w3.org/2001/04/xmldsig-more#sha384" => Ok(DigestSize::Sha384),
            "http://www.w3.org/2001/04/xmlenc#sha512" => Ok(DigestSize::Sha512),
            _ => Err(SignatureError::DigestAlgorithmRefused(uri.into())),
        }
    }

    pub(crate) fn uri(self) -> &'static str {
        match self {
            DigestSize::Sha256 => "http://www.w3.org/2001/04/xmlenc#sha256",
            DigestSize::Sha384 => "http://www.w3.org/2001/04/xmldsig-more#sha384",
            DigestSize::Sha512 => "http://www.w3.org/2001/04/xmlenc#sha512",
        }
    }

    pub(crate) fn digest(self, bytes: &[u8]) -> digest::Digest {
        let algorithm = match self {
            DigestSize::Sha256 => &digest::SHA256,
            DigestSize::Sha384 => &digest::SHA384,
            DigestSize::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, bytes)
    }
}
