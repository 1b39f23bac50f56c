//! Encrypts an Assertion for an SP (SAML core 6).

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{self, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::IdpError;
use crate::certificate::TrustedCertificate;
use crate::encryption::{ContentAlgorithm, KeyAlgorithm, TYPE_ELEMENT};
use crate::xml::read::is;
use crate::xml::{self, Limits, NS_ASSERTION, NS_ENCRYPTION, NS_SIGNATURE, c14n};

/// How to encrypt the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentCipher {
    /// AES-128 in GCM mode.
    Aes128Gcm,
    /// AES-256 in GCM mode.
    Aes256Gcm,
    /// AES-128 in CBC mode.
    Aes128Cbc,
    /// AES-256 in CBC mode.
    Aes256Cbc,
}

/// Which digest and mask RSA-OAEP uses for the content key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyTransport {
    /// SHA-1 and MGF1 with SHA-1, which is what most IdPs use.
    OaepSha1,
    /// SHA-256 and MGF1 with SHA-256.
    OaepSha256,
}

/// For whom and how an Assertion is encrypted.
#[derive(Clone, Copy, Debug)]
pub struct AssertionEncryption<'a> {
    /// The SP's encryption certificate; RSA.
    pub recipient: &'a TrustedCertificate,
    /// For the content.
    pub cipher: ContentCipher,
    /// For the content key.
    pub transport: KeyTransport,
    /// 48 random bytes: content key and initialization vector. Use them once.
    pub random: [u8; 48],
}

/// Replaces the Assertion in `xml` by an EncryptedAssertion. Sign the Assertion before, the Response afterwards.
///
/// # Errors
/// `xml` does not parse or has no Assertion, or the certificate's key is not RSA.
pub fn encrypt_assertion(xml: &str, encryption: &AssertionEncryption) -> Result<String, IdpError> {
    let admitted = xml::admit(xml.as_bytes(), &Limits::METADATA)?;
    let document = xml::parse(admitted)?;
    let assertion = document.descendants().find(|node| is(node, NS_ASSERTION, "Assertion"));
    let assertion = assertion.ok_or(IdpError::Encrypting("there is no Assertion"))?;
    // Canonical form declares every prefix it uses, so it can be read on its own.
    let plaintext = c14n::exclusive(assertion, None, &[]).map_err(|_| IdpError::Encrypting("it is too long"))?;
    let encrypted = encrypted_assertion(plaintext.as_bytes(), encryption)?;
    let range = assertion.range();
    let (before, _) = admitted.split_at(range.start);
    let (_, behind) = admitted.split_at(range.end);
    Ok(format!("{before}{encrypted}{behind}"))
}

/// An `EncryptedAssertion` with these bytes in it, whatever they are.
///
/// # Errors
/// The certificate's key is not RSA.
pub fn encrypted_assertion(plaintext: &[u8], encryption: &AssertionEncryption) -> Result<String, IdpError> {
    let failed = |_| IdpError::Encrypting("the cryptography failed");
    let (algorithm, key_length) = match encryption.cipher {
        ContentCipher::Aes128Gcm => (ContentAlgorithm::Aes128Gcm, 16),
        ContentCipher::Aes256Gcm => (ContentAlgorithm::Aes256Gcm, 32),
        ContentCipher::Aes128Cbc => (ContentAlgorithm::Aes128Cbc, 16),
        ContentCipher::Aes256Cbc => (ContentAlgorithm::Aes256Cbc, 32),
    };
    let (key, iv) = encryption.random.split_at(32);
    let (key, _) = key.split_at(key_length);
    let ciphertext = match encryption.cipher {
        ContentCipher::Aes128Gcm => seal(&aead::AES_128_GCM, key, iv, plaintext),
        ContentCipher::Aes256Gcm => seal(&aead::AES_256_GCM, key, iv, plaintext),
        ContentCipher::Aes128Cbc => chain(&cipher::AES_128, key, iv, plaintext),
        ContentCipher::Aes256Cbc => chain(&cipher::AES_256, key, iv, plaintext),
    };
    let transport = match encryption.transport {
        KeyTransport::OaepSha1 => KeyAlgorithm::OaepSha1,
        KeyTransport::OaepSha256 => KeyAlgorithm::OaepSha256,
    };
    let (_, certificate) = X509Certificate::from_der(encryption.recipient.der())
        .map_err(|_| IdpError::Encrypting("the certificate is malformed"))?;
    let recipient = PublicEncryptingKey::from_der(certificate.public_key().raw)
        .map_err(|_| IdpError::Encrypting("the certificate's key is not RSA"))?;
    let recipient = OaepPublicEncryptingKey::new(recipient).map_err(failed)?;
    let mut wrapped = vec![0; recipient.ciphertext_size()];
    let wrapped = recipient.encrypt(transport.oaep(), key, &mut wrapped, None).map_err(failed)?;
    Ok(format!(
        "<saml:EncryptedAssertion xmlns:saml=\"{NS_ASSERTION}\"><xenc:EncryptedData xmlns:xenc=\"{NS_ENCRYPTION}\" \
         Type=\"{TYPE_ELEMENT}\"><xenc:EncryptionMethod Algorithm=\"{content}\"/><ds:KeyInfo xmlns:ds=\"{NS_SIGNATURE}\">\
         <xenc:EncryptedKey>{method}<xenc:CipherData><xenc:CipherValue>{wrapped}</xenc:CipherValue></xenc:CipherData>\
         </xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData><xenc:CipherValue>{data}</xenc:CipherValue></xenc:CipherData>\
         </xenc:EncryptedData></saml:EncryptedAssertion>",
        content = algorithm.uri(),
        method = transport.method_xml(),
        wrapped = STANDARD.encode(wrapped),
        data = STANDARD.encode(ciphertext.map_err(failed)?),
    ))
}

type Ciphertext = Result<Vec<u8>, aws_lc_rs::error::Unspecified>;

fn seal(algorithm: &'static aead::Algorithm, key: &[u8], iv: &[u8], plaintext: &[u8]) -> Ciphertext {
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key)?);
    let (nonce, _) = iv.split_at(aead::NONCE_LEN);
    let mut sealed = plaintext.to_vec();
    key.seal_in_place_append_tag(Nonce::try_assume_unique_for_key(nonce)?, Aad::empty(), &mut sealed)?;
    Ok([nonce, &sealed].concat())
}

fn chain(algorithm: &'static cipher::Algorithm, key: &[u8], iv: &[u8], plaintext: &[u8]) -> Ciphertext {
    const BLOCK: usize = 16;
    let key = EncryptingKey::cbc(UnboundCipherKey::new(algorithm, key)?)?;
    let padding = BLOCK - plaintext.len() % BLOCK;
    let mut blocks = plaintext.to_vec();
    // Only the last byte has a meaning.
    blocks.extend(std::iter::repeat_n(0xA5, padding - 1));
    blocks.push(padding as u8);
    let vector: [u8; BLOCK] = iv.try_into().map_err(|_| aws_lc_rs::error::Unspecified)?;
    key.less_safe_encrypt(&mut blocks, EncryptionContext::Iv128(FixedLength::from(vector)))?;
    Ok([iv, &blocks].concat())
}
