//! Encrypted assertions (SAML core 2.3.4 and 6; XML Encryption 1.1): a content key by RSA-OAEP, the content by AES.
//!
//! What went wrong while decrypting is never said: whoever can send changed ciphertexts and learn which of them decrypt
//! to something sensible can decrypt others, block by block (Jager and Somorovsky, 2011).

mod algorithm;

use std::fmt;

use aws_lc_rs::rsa::{OaepPrivateDecryptingKey, PrivateDecryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roxmltree::Node;

use crate::error::Shown;
use crate::xml::read::{children, elements, is, plain_text};
use crate::xml::{NS_ENCRYPTION, NS_SIGNATURE};
pub(crate) use algorithm::{ContentAlgorithm, KeyAlgorithm};

/// `@Type` of an encrypted element (XML Encryption 1.1, 3.1).
pub(crate) const TYPE_ELEMENT: &str = "http://www.w3.org/2001/04/xmlenc#Element";

/// The shortest RSA key that may decrypt, in bits.
const SHORTEST_KEY: usize = 2048;

/// Why an encrypted Assertion was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncryptionError {
    /// The connection has given nobody a key to encrypt with.
    #[error("the connection has no decryption key; turn encryption off at the IdP, or give it our metadata again")]
    KeyMissing,
    /// Not of the shape SAML core 6 describes.
    #[error("it is malformed: {0}")]
    Malformed(Shown),
    /// A content encryption outside of the list: triple DES, AES-192, …
    #[error("the content encryption {0} is not accepted; use AES-128 or AES-256 in GCM or CBC mode")]
    AlgorithmRefused(Shown),
    /// A key transport outside of the list: RSA-1_5, key wrapping, a mixed OAEP, …
    #[error(
        "the key transport {0} is not accepted; use RSA-OAEP with SHA-1 and MGF1-SHA-1, or with SHA-256 and MGF1-SHA-256"
    )]
    KeyAlgorithmRefused(Shown),
    /// Wrong key, changed ciphertext, no Assertion in it, or not one that the IdP signed. One error for all of them.
    #[error(
        "it could not be decrypted, or what was in it is not what the IdP signed; does the IdP have our current certificate?"
    )]
    Failed,
}

impl EncryptionError {
    /// A short stable reason for machines.
    pub fn code(&self) -> &'static str {
        match self {
            EncryptionError::KeyMissing => "decryption_key_missing",
            EncryptionError::Malformed(_) => "encryption_malformed",
            EncryptionError::AlgorithmRefused(_) => "encryption_algorithm_refused",
            EncryptionError::KeyAlgorithmRefused(_) => "key_transport_refused",
            EncryptionError::Failed => "decryption_failed",
        }
    }
}

/// A private key is not usable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the decryption key is not PKCS#8 of an RSA key of at least 2048 bits")]
pub struct DecryptionKeyError;

/// The private RSA key of a connection, for which an IdP encrypts.
pub struct DecryptionKey(OaepPrivateDecryptingKey);

impl DecryptionKey {
    /// From the DER of a PKCS#8 private key.
    ///
    /// # Errors
    /// It is something else, or too short.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, DecryptionKeyError> {
        let key = PrivateDecryptingKey::from_pkcs8(der).map_err(|_| DecryptionKeyError)?;
        if key.key_size_bits() < SHORTEST_KEY {
            return Err(DecryptionKeyError);
        }
        OaepPrivateDecryptingKey::new(key).map(DecryptionKey).map_err(|_| DecryptionKeyError)
    }

    fn unwrap_key(&self, algorithm: KeyAlgorithm, wrapped: &[u8]) -> Option<Vec<u8>> {
        let mut out = vec![0; self.0.min_output_size()];
        self.0.decrypt(algorithm.oaep(), wrapped, &mut out, None).ok().map(|key| key.to_vec())
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecryptionKey").field("bits", &self.0.key_size_bits()).finish_non_exhaustive()
    }
}

/// Decrypts an `EncryptedAssertion`. The result is text that anybody may have encrypted; our certificate is public.
pub(crate) fn decrypt(encrypted_assertion: Node, keys: &[DecryptionKey]) -> Result<String, EncryptionError> {
    if keys.is_empty() {
        return Err(EncryptionError::KeyMissing);
    }
    let data = only(encrypted_assertion, NS_ENCRYPTION, "EncryptedData")?;
    if !matches!(data.attribute("Type"), None | Some(TYPE_ELEMENT)) {
        return Err(malformed("EncryptedData is not of the type Element"));
    }
    let content = ContentAlgorithm::of(only(data, NS_ENCRYPTION, "EncryptionMethod")?)?;
    let encrypted_key = encrypted_key(encrypted_assertion, data)?;
    let transport = KeyAlgorithm::of(only(encrypted_key, NS_ENCRYPTION, "EncryptionMethod")?)?;
    let (wrapped, ciphertext) = (cipher_value(encrypted_key)?, cipher_value(data)?);
    let content_key = keys.iter().find_map(|key| key.unwrap_key(transport, &wrapped));
    let plaintext = content_key.and_then(|content_key| content.decrypt(&content_key, ciphertext));
    plaintext.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(EncryptionError::Failed)
}

/// The one EncryptedKey: in the KeyInfo of EncryptedData, or beside it (SAML core 2.3.4).
fn encrypted_key<'a, 'i>(assertion: Node<'a, 'i>, data: Node<'a, 'i>) -> Result<Node<'a, 'i>, EncryptionError> {
    let inside = children(data, NS_SIGNATURE, "KeyInfo").flat_map(elements);
    let mut keys = inside.chain(elements(assertion)).filter(|node| is(node, NS_ENCRYPTION, "EncryptedKey"));
    match (keys.next(), keys.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(malformed("there is no EncryptedKey")),
        (Some(_), Some(_)) => Err(malformed("there are several EncryptedKeys, expected one for us")),
    }
}

/// The bytes of `CipherData/CipherValue`. A CipherReference would have us fetch them from somewhere.
fn cipher_value(node: Node) -> Result<Vec<u8>, EncryptionError> {
    let value = only(only(node, NS_ENCRYPTION, "CipherData")?, NS_ENCRYPTION, "CipherValue")?;
    let mut text = plain_text(value).ok_or_else(|| malformed("markup inside of CipherValue"))?.as_bytes().to_vec();
    text.retain(|byte| !byte.is_ascii_whitespace());
    STANDARD.decode(text).map_err(|_| malformed("CipherValue is not base64"))
}

fn only<'a, 'i>(
    parent: Node<'a, 'i>,
    namespace: &'static str,
    name: &'static str,
) -> Result<Node<'a, 'i>, EncryptionError> {
    let mut found = elements(parent).filter(|child| is(child, namespace, name));
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        _ => Err(malformed(&format!("{} does not have exactly one {name}", parent.tag_name().name()))),
    }
}

fn malformed(why: &str) -> EncryptionError {
    EncryptionError::Malformed(why.into())
}
