//! The key that messages are signed with.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::KeyPair;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::{RsaDigest, SigningError};
use crate::certificate::TrustedCertificate;

/// An RSA key and its certificate: an IdP's, or ours where an IdP wants requests signed.
pub struct SamlKey {
    key: RsaKeyPair,
    certificate: TrustedCertificate,
}

impl SamlKey {
    /// From the DER of a PKCS#8 private key, and a certificate for it as PEM or base64.
    ///
    /// # Errors
    /// The key or the certificate is unusable, or they do not belong together.
    pub fn from_pkcs8(private_key: &[u8], certificate: &str) -> Result<Self, SigningError> {
        let key = RsaKeyPair::from_pkcs8(private_key).map_err(|error| SigningError::Key(error.to_string().into()))?;
        let certificate = TrustedCertificate::parse(certificate)?;
        let belongs = X509Certificate::from_der(certificate.der())
            .is_ok_and(|(_, parsed)| *parsed.public_key().subject_public_key.data == *key.public_key().as_ref());
        match belongs {
            true => Ok(SamlKey { key, certificate }),
            false => Err(SigningError::KeyMismatch),
        }
    }

    /// From a PKCS#8 private key (`BEGIN PRIVATE KEY`) and its certificate, both as PEM.
    ///
    /// # Errors
    /// See [`from_pkcs8`](Self::from_pkcs8).
    pub fn from_pem(private_key: &str, certificate: &str) -> Result<Self, SigningError> {
        let base64: Option<String> = private_key
            .split_once("-----BEGIN PRIVATE KEY-----")
            .and_then(|(_, rest)| rest.split_once("-----END PRIVATE KEY-----"))
            .map(|(body, _)| body.split_ascii_whitespace().collect());
        let der = base64.and_then(|base64| STANDARD.decode(base64).ok());
        let der = der.ok_or_else(|| SigningError::Key("not PEM of PKCS#8".into()))?;
        Self::from_pkcs8(&der, certificate)
    }

    /// The certificate that verifies what this key signs.
    pub fn certificate(&self) -> &TrustedCertificate {
        &self.certificate
    }

    /// RSASSA-PKCS1-v1_5 over `message`, which is deterministic.
    pub(crate) fn sign(&self, digest: RsaDigest, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(digest.encoding(), &SystemRandom::new(), message, &mut signature)
            .map_err(|_| SigningError::Signing)?;
        Ok(signature)
    }
}

impl fmt::Debug for SamlKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SamlKey").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}
