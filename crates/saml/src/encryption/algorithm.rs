//! The algorithms of XML Encryption 1.1 that are accepted. Only what is listed here exists.

use aws_lc_rs::aead::{self, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::cipher::{self, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::{FixedLength, IV_LEN_128_BIT};
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm};
use roxmltree::Node;

use super::{EncryptionError, malformed};
use crate::xml::read::{describe, elements, is};
use crate::xml::{NS_ENCRYPTION11, NS_SIGNATURE};

const SHA1: &str = "http://www.w3.org/2000/09/xmldsig#sha1";
const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
const MGF1_SHA1: &str = "http://www.w3.org/2009/xmlenc11#mgf1sha1";
const MGF1_SHA256: &str = "http://www.w3.org/2009/xmlenc11#mgf1sha256";
/// The mask of this one is always MGF1 with SHA-1 (XML Encryption 1.1, 5.5.2).
const OAEP_MGF1P: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
const OAEP: &str = "http://www.w3.org/2009/xmlenc11#rsa-oaep";

/// How the content is encrypted (XML Encryption 1.1, 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContentAlgorithm {
    Aes128Gcm,
    Aes256Gcm,
    Aes128Cbc,
    Aes256Cbc,
}

impl ContentAlgorithm {
    pub(crate) const ALL: [Self; 4] = [Self::Aes128Gcm, Self::Aes256Gcm, Self::Aes128Cbc, Self::Aes256Cbc];

    pub(crate) fn uri(self) -> &'static str {
        match self {
            Self::Aes128Gcm => "http://www.w3.org/2009/xmlenc11#aes128-gcm",
            Self::Aes256Gcm => "http://www.w3.org/2009/xmlenc11#aes256-gcm",
            Self::Aes128Cbc => "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
            Self::Aes256Cbc => "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
        }
    }

    /// Reads an `EncryptionMethod`.
    pub(super) fn of(method: Node) -> Result<Self, EncryptionError> {
        let uri = method.attribute("Algorithm").ok_or_else(|| malformed("EncryptionMethod without Algorithm"))?;
        let known = Self::ALL.into_iter().find(|algorithm| algorithm.uri() == uri);
        known.ok_or_else(|| EncryptionError::AlgorithmRefused(uri.into()))
    }

    /// `None` whatever is wrong.
    pub(super) fn decrypt(self, key: &[u8], ciphertext: Vec<u8>) -> Option<Vec<u8>> {
        match self {
            Self::Aes128Gcm => gcm(&aead::AES_128_GCM, key, ciphertext),
            Self::Aes256Gcm => gcm(&aead::AES_256_GCM, key, ciphertext),
            Self::Aes128Cbc => cbc(&cipher::AES_128, key, ciphertext),
            Self::Aes256Cbc => cbc(&cipher::AES_256, key, ciphertext),
        }
    }
}

/// 96 bits of nonce, the ciphertext, 128 bits of tag (XML Encryption 1.1, 5.2.4).
fn gcm(algorithm: &'static aead::Algorithm, key: &[u8], mut data: Vec<u8>) -> Option<Vec<u8>> {
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
    let (nonce, sealed) = data.split_at_mut_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    key.open_in_place(nonce, Aad::empty(), sealed).ok().map(|opened| opened.to_vec())
}

/// 128 bits of initialization vector, then blocks, of which the last byte of all says how many bytes are padding
/// (XML Encryption 1.1, 5.2.1 and 5.2.2).
fn cbc(algorithm: &'static cipher::Algorithm, key: &[u8], mut data: Vec<u8>) -> Option<Vec<u8>> {
    let key = PaddedBlockDecryptingKey::cbc_iso10126(UnboundCipherKey::new(algorithm, key).ok()?).ok()?;
    let (iv, blocks) = data.split_at_mut_checked(IV_LEN_128_BIT)?;
    let iv: [u8; IV_LEN_128_BIT] = (&*iv).try_into().ok()?;
    let context = DecryptionContext::Iv128(FixedLength::from(iv));
    key.decrypt(blocks, context).ok().map(|opened| opened.to_vec())
}

/// How the content key is encrypted (XML Encryption 1.1, 5.5.2). RSA-1_5 is not among them: Bleichenbacher's attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyAlgorithm {
    OaepSha1,
    OaepSha256,
}

impl KeyAlgorithm {
    pub(crate) const URIS: [&'static str; 2] = [OAEP_MGF1P, OAEP];

    /// Reads the `EncryptionMethod` of an EncryptedKey.
    pub(super) fn of(method: Node) -> Result<Self, EncryptionError> {
        let uri = method.attribute("Algorithm").ok_or_else(|| malformed("EncryptionMethod without Algorithm"))?;
        if !matches!(uri, OAEP | OAEP_MGF1P) {
            return Err(EncryptionError::KeyAlgorithmRefused(uri.into()));
        }
        let (mut digest, mut mask) = (SHA1, MGF1_SHA1);
        for parameter in elements(method) {
            let value = parameter.attribute("Algorithm").unwrap_or_default();
            if is(&parameter, NS_SIGNATURE, "DigestMethod") {
                digest = value;
            } else if is(&parameter, NS_ENCRYPTION11, "MGF") && uri == OAEP {
                mask = value;
            } else {
                let refused = format!("{uri} with {}", describe(&parameter));
                return Err(EncryptionError::KeyAlgorithmRefused(refused.into()));
            }
        }
        match (digest, mask) {
            (SHA1, MGF1_SHA1) => Ok(Self::OaepSha1),
            (SHA256, MGF1_SHA256) => Ok(Self::OaepSha256),
            _ => Err(EncryptionError::KeyAlgorithmRefused(format!("{uri} with {digest} and {mask}").into())),
        }
    }

    pub(crate) fn oaep(self) -> &'static OaepAlgorithm {
        match self {
            Self::OaepSha1 => &OAEP_SHA1_MGF1SHA1,
            Self::OaepSha256 => &OAEP_SHA256_MGF1SHA256,
        }
    }

    /// `EncryptionMethod` with its parameters, as an IdP writes it.
    pub(crate) fn method_xml(self) -> String {
        match self {
            Self::OaepSha1 => format!(
                "<xenc:EncryptionMethod Algorithm=\"{OAEP_MGF1P}\"><ds:DigestMethod xmlns:ds=\"{NS_SIGNATURE}\" \
                 Algorithm=\"{SHA1}\"/></xenc:EncryptionMethod>"
            ),
            Self::OaepSha256 => format!(
                "<xenc:EncryptionMethod Algorithm=\"{OAEP}\"><ds:DigestMethod xmlns:ds=\"{NS_SIGNATURE}\" \
                 Algorithm=\"{SHA256}\"/><xenc11:MGF xmlns:xenc11=\"{NS_ENCRYPTION11}\" Algorithm=\"{MGF1_SHA256}\"/>\
                 </xenc:EncryptionMethod>"
            ),
        }
    }
}
