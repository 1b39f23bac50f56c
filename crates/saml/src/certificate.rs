//! The certificates of a connection: each only carries a public key. No chain is built and no expiry enforced, as the
//! operator's configuration is the trust (SAML metadata interoperability profile 2.6); the dates are there to warn.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;

use crate::error::Shown;
use crate::hex::hex;

/// Why a certificate is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// Neither PEM nor base64 of DER.
    #[error("the certificate is neither PEM nor base64")]
    Encoding,
    /// More than one certificate in one value.
    #[error("the value holds more than one certificate")]
    Multiple,
    /// A private key where a certificate belongs.
    #[error("the value holds {0}, not a certificate")]
    NotACertificate(Shown),
    /// Not X.509.
    #[error("the certificate is not valid X.509: {0}")]
    Malformed(Shown),
    /// An RSA key that is too short.
    #[error("the certificate's RSA key has {got} bits, at least 2048 are needed")]
    RsaTooShort { got: usize },
    /// A key of another kind.
    #[error("the certificate's key is of an unsupported kind: {0}")]
    KeyUnsupported(Shown),
}

impl CertificateError {
    /// A short stable reason for machines.
    pub fn code(&self) -> &'static str {
        match self {
            CertificateError::Encoding => "certificate_encoding",
            CertificateError::Multiple => "certificate_multiple",
            CertificateError::NotACertificate(_) => "certificate_not_a_certificate",
            CertificateError::Malformed(_) => "certificate_malformed",
            CertificateError::RsaTooShort { .. } => "certificate_rsa_too_short",
            CertificateError::KeyUnsupported(_) => "certificate_key_unsupported",
        }
    }
}

/// Certificates are a few kilobytes; nothing longer is decoded.
const LONGEST: usize = 64 * 1024;

/// A certificate that an operator trusts to sign for an IdP, its public key parsed and ready.
///
/// Parsing costs a quarter of verifying a signature, so it pays to keep the result.
#[derive(Clone)]
pub struct TrustedCertificate {
    der: Vec<u8>,
    key: VerifyingKey,
    key_sha256: String,
    not_before_ms: i64,
    not_after_ms: i64,
    subject: String,
}

/// One parsed key per digest it may be used with, as the library binds a parsed key to its algorithm.
#[derive(Clone)]
enum VerifyingKey {
    Rsa { bits: usize, sha256: ParsedPublicKey, sha384: ParsedPublicKey, sha512: ParsedPublicKey },
    Ecdsa { curve: Curve, key: ParsedPublicKey },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
}

impl TrustedCertificate {
    /// Parses PEM, or base64 of DER with or without line breaks, as it stands in metadata.
    pub fn parse(text: &str) -> Result<Self, CertificateError> {
        if text.len() > LONGEST {
            return Err(CertificateError::Encoding);
        }
        let base64: String = body(text)?.split_ascii_whitespace().collect();
        let der = STANDARD.decode(base64).map_err(|_| CertificateError::Encoding)?;
        Self::from_der(der)
    }

    /// Parses DER.
    pub fn from_der(der: Vec<u8>) -> Result<Self, CertificateError> {
        let malformed = |why: String| CertificateError::Malformed(why.into());
        let (rest, certificate) = X509Certificate::from_der(&der).map_err(|error| malformed(error.to_string()))?;
        if !rest.is_empty() {
            return Err(malformed("bytes behind its end".to_owned()));
        }
        let key = VerifyingKey::parse(&certificate)?;
        let key_sha256 = hex(digest(&SHA256, certificate.public_key().raw).as_ref());
        let validity = certificate.validity();
        let not_before_ms = validity.not_before.timestamp().saturating_mul(1000);
        let not_after_ms = validity.not_after.timestamp().saturating_mul(1000);
        let subject = Shown::from(certificate.subject().to_string()).to_string();
        Ok(TrustedCertificate { key, key_sha256, not_before_ms, not_after_ms, subject, der })
    }

    /// The certificate as DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate as one line of base64, as it stands in metadata.
    pub fn base64(&self) -> String {
        STANDARD.encode(&self.der)
    }

    /// The certificate as PEM.
    pub fn pem(&self) -> String {
        let base64 = self.base64();
        let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
        for (at, c) in base64.chars().enumerate() {
            if at > 0 && at % 64 == 0 {
                pem.push('\n');
            }
            pem.push(c);
        }
        pem.push_str("\n-----END CERTIFICATE-----\n");
        pem
    }

    /// Start of validity in Unix milliseconds. Not enforced.
    pub fn not_before_ms(&self) -> i64 {
        self.not_before_ms
    }

    /// End of validity in Unix milliseconds. Not enforced: IdPs go on using expired certificates.
    pub fn not_after_ms(&self) -> i64 {
        self.not_after_ms
    }

    /// The subject, for display.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Kind and size of the key, for display: `RSA 2048`, `ECDSA P-256`.
    pub fn key_kind(&self) -> String {
        match &self.key {
            VerifyingKey::Rsa { bits, .. } => format!("RSA {bits}"),
            VerifyingKey::Ecdsa { curve: Curve::P256, .. } => "ECDSA P-256".into(),
            VerifyingKey::Ecdsa { curve: Curve::P384, .. } => "ECDSA P-384".into(),
            VerifyingKey::Ecdsa { curve: Curve::P521, .. } => "ECDSA P-521".into(),
        }
    }

    /// SHA-256 of the DER as lower-case hexadecimal without separators.
    pub fn fingerprint(&self) -> String {
        hex(digest(&SHA256, &self.der).as_ref())
    }

    /// SHA-256 of the SubjectPublicKeyInfo in the same form: what certificates that are issued over one key have in common.
    pub fn key_sha256(&self) -> &str {
        &self.key_sha256
    }

    /// The parsed key for RSA PKCS#1 v1.5 with `digest`, if this is an RSA key.
    pub(crate) fn rsa_key(&self, digest: DigestSize) -> Option<&ParsedPublicKey> {
        match (&self.key, digest) {
            (VerifyingKey::Rsa { sha256, .. }, DigestSize::Sha256) => Some(sha256),
            (VerifyingKey::Rsa { sha384, .. }, DigestSize::Sha384) => Some(sha384),
            (VerifyingKey::Rsa { sha512, .. }, DigestSize::Sha512) => Some(sha512),
            (VerifyingKey::Ecdsa { .. }, _) => None,
        }
    }

    /// The parsed key for ECDSA, if this is a key on the curve that goes with `digest`.
    pub(crate) fn ecdsa_key(&self, digest: DigestSize) -> Option<&ParsedPublicKey> {
        match &self.key {
            VerifyingKey::Ecdsa { curve, key } if curve.digest() == digest => Some(key),
            _ => None,
        }
    }
}

impl fmt::Debug for TrustedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustedCertificate")
            .field("subject", &self.subject)
            .field("fingerprint", &self.fingerprint())
            .finish_non_exhaustive()
    }
}

impl PartialEq for TrustedCertificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for TrustedCertificate {}

/// The members of the SHA-2 family that signatures may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DigestSize {
    Sha256,
    Sha384,
    Sha512,
}

impl Curve {
    /// The digest that goes with the curve (RFC 6931, 2.3.6, and the only pairs the library verifies in this format).
    fn digest(self) -> DigestSize {
        match self {
            Curve::P256 => DigestSize::Sha256,
            Curve::P384 => DigestSize::Sha384,
            Curve::P521 => DigestSize::Sha512,
        }
    }
}

impl VerifyingKey {
    fn parse(certificate: &X509Certificate) -> Result<Self, CertificateError> {
        let spki = certificate.public_key();
        match spki.parsed() {
            Ok(PublicKey::RSA(rsa)) => {
                let bits = bit_length(rsa.modulus);
                if bits < 2048 {
                    return Err(CertificateError::RsaTooShort { got: bits });
                }
                Ok(VerifyingKey::Rsa {
                    bits,
                    sha256: parsed(&signature::RSA_PKCS1_2048_8192_SHA256, spki.raw)?,
                    sha384: parsed(&signature::RSA_PKCS1_2048_8192_SHA384, spki.raw)?,
                    sha512: parsed(&signature::RSA_PKCS1_2048_8192_SHA512, spki.raw)?,
                })
            }
            Ok(PublicKey::EC(point)) => {
                let (curve, algorithm): (_, &'static dyn VerificationAlgorithm) = match point.key_size() {
                    256 => (Curve::P256, &signature::ECDSA_P256_SHA256_FIXED),
                    384 => (Curve::P384, &signature::ECDSA_P384_SHA384_FIXED),
                    // The size is that of the encoded coordinates, a whole number of bytes.
                    521 | 528 => (Curve::P521, &signature::ECDSA_P521_SHA512_FIXED),
                    bits => {
                        let kind = format!("an elliptic curve of {bits} bits");
                        return Err(CertificateError::KeyUnsupported(kind.into()));
                    }
                };
                let key = parsed(algorithm, spki.raw)?;
                Ok(VerifyingKey::Ecdsa { curve, key })
            }
            Ok(_) => Err(CertificateError::KeyUnsupported(spki.algorithm.algorithm.to_id_string().into())),
            Err(error) => Err(CertificateError::Malformed(error.to_string().into())),
        }
    }
}

fn parsed(algorithm: &'static dyn VerificationAlgorithm, spki: &[u8]) -> Result<ParsedPublicKey, CertificateError> {
    ParsedPublicKey::new(algorithm, spki).map_err(|error| CertificateError::KeyUnsupported(error.to_string().into()))
}

fn bit_length(modulus: &[u8]) -> usize {
    let significant = modulus.iter().position(|&byte| byte != 0);
    significant.map_or(0, |zeros| {
        let first = modulus.get(zeros).copied().unwrap_or(0);
        (modulus.len() - zeros) * 8 - first.leading_zeros() as usize
    })
}

/// The base64 between the PEM boundaries, or the whole text if there are none.
fn body(text: &str) -> Result<&str, CertificateError> {
    let Some((_, rest)) = text.split_once("-----BEGIN ") else {
        return Ok(text);
    };
    let (label, rest) = rest.split_once("-----").ok_or(CertificateError::Encoding)?;
    if label != "CERTIFICATE" {
        return Err(CertificateError::NotACertificate(label.to_lowercase().into()));
    }
    let (base64, rest) = rest.split_once("-----END CERTIFICATE-----").ok_or(CertificateError::Encoding)?;
    if rest.contains("-----BEGIN ") {
        return Err(CertificateError::Multiple);
    }
    Ok(base64)
}
