//! Encrypted Assertions: a few styles that must pass, and what must not. Anybody can encrypt for us, so most of these are
//! what a stranger could make; "signed" in a name means that the IdP's own key signed the Response around the ciphertext.

mod ciphertexts;
mod contents;
mod keys;

use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, Pkcs1PublicEncryptingKey};
use aws_lc_rs::rsa::{PrivateDecryptingKey, PublicEncryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use doorward_saml::TrustedCertificate;
use doorward_saml::idp::{
    AssertionEncryption, ContentCipher, KeyTransport, RsaDigest, encrypted_assertion, sign_by_id,
};
use serde_json::{Map, Value, json};

use crate::accepted::{self, ASSERTION_ID, RESPONSE_ID, plain};
use crate::edit::{assertion, between, replace};
use crate::{Case, key, key_file, tests_folder};

/// Content key and initialization vector of every case.
const RANDOM: [u8; 48] = [7; 48];

const FAILED: &str = "decryption_failed";
const MALFORMED: &str = "encryption_malformed";

pub(crate) fn accepted() -> Vec<Case> {
    use ContentCipher::{Aes128Cbc, Aes128Gcm, Aes256Cbc, Aes256Gcm};
    use KeyTransport::{OaepSha1, OaepSha256};
    let good = signed_assertion();
    let unsigned = standalone();
    let style =
        |name: &str, about: &str, xml: String| accepted::case(name, about, xml).with("decryption_keys", json!(["sp"]));
    let sealed = |content: &str, cipher, transport| seal(content.as_bytes(), cipher, transport);
    vec![
        style("encrypted", "AES-256-GCM, the Assertion signed", message(&sealed(&good, Aes256Gcm, OaepSha1))),
        style("encrypted-cbc", "AES-128-CBC, the Assertion signed", message(&sealed(&good, Aes128Cbc, OaepSha1))),
        style(
            "encrypted-response-signed",
            "AES-128-GCM, only the Response around it signed",
            signed(&sealed(&unsigned, Aes128Gcm, OaepSha256)),
        ),
        style(
            "encrypted-both-signed",
            "AES-256-CBC, Assertion and Response signed",
            signed(&sealed(&good, Aes256Cbc, OaepSha256)),
        ),
        style(
            "encrypted-key-beside-data",
            "EncryptedKey stands beside EncryptedData (SAML core 2.3.4)",
            message(&key_beside_data(&sealed(&good, Aes256Gcm, OaepSha1))),
        ),
        style(
            "encrypted-for-older-key",
            "the second of our keys decrypts",
            message(&sealed(&good, Aes256Gcm, OaepSha1)),
        )
        .with("decryption_keys", json!(["foreign", "sp"])),
    ]
}

pub(crate) fn rejected() -> Vec<Case> {
    [ciphertexts::authenticated(), ciphertexts::chained(), keys::transport(), keys::places()]
        .into_iter()
        .chain([contents::unsigned(), contents::strange(), contents::signed(), contents::places()])
        .flatten()
        .collect()
}

/// A case made from `base`.
fn case(base: &str, name: &str, error: &str, about: &str, xml: String) -> Case {
    Case::new(name, about, xml)
        .with("base", base.into())
        .with("error", error.into())
        .with("decryption_keys", json!(["sp"]))
}

/// The Assertion on its own, as it stands in a plaintext.
fn standalone() -> String {
    let declared = "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ";
    assertion(&plain()).replacen("<saml:Assertion ", declared, 1)
}

fn signed_assertion() -> String {
    sign_by_id(&standalone(), ASSERTION_ID, &key("idp"), RsaDigest::Sha256).unwrap()
}

/// The usual style.
fn sealed(content: &str) -> String {
    seal(content.as_bytes(), ContentCipher::Aes256Gcm, KeyTransport::OaepSha1)
}

fn seal(content: &[u8], cipher: ContentCipher, transport: KeyTransport) -> String {
    let recipient = TrustedCertificate::parse(&key_file("sp.crt")).unwrap();
    let encryption = AssertionEncryption { recipient: &recipient, cipher, transport, random: RANDOM };
    let length = match cipher {
        ContentCipher::Aes128Gcm | ContentCipher::Aes128Cbc => 16,
        ContentCipher::Aes256Gcm | ContentCipher::Aes256Cbc => 32,
    };
    let name = match transport {
        KeyTransport::OaepSha1 => format!("sp-oaep-sha1-{length}"),
        KeyTransport::OaepSha256 => format!("sp-oaep-sha256-{length}"),
    };
    with_key(&encrypted_assertion(content, &encryption).unwrap(), &name)
}

/// A message with this in the place of the Assertion; nobody signed the Response.
fn message(encrypted: &str) -> String {
    let plain = plain();
    replace(&plain, assertion(&plain), encrypted)
}

/// The same, and the IdP signed the Response.
fn signed(encrypted: &str) -> String {
    sign_by_id(&message(encrypted), RESPONSE_ID, &key("idp"), RsaDigest::Sha256).unwrap()
}

const VALUE: (&str, &str) = ("<xenc:CipherValue>", "</xenc:CipherValue>");

/// Puts another encrypted content key, a stored one, into `encrypted`.
fn with_key(encrypted: &str, name: &str) -> String {
    let old = between(encrypted, VALUE.0, VALUE.1);
    encrypted.replacen(old, &format!("{}{}{}", VALUE.0, wrapped_key(name), VALUE.1), 1)
}

fn ciphertext(encrypted: &str) -> Vec<u8> {
    let (_, value) = encrypted.rsplit_once(VALUE.0).unwrap();
    STANDARD.decode(value.split_once(VALUE.1).unwrap().0).unwrap()
}

/// Puts another ciphertext into `encrypted`.
fn with_ciphertext(encrypted: &str, ciphertext: &[u8]) -> String {
    let (before, rest) = encrypted.rsplit_once(VALUE.0).unwrap();
    let (_, behind) = rest.split_once(VALUE.1).unwrap();
    format!("{before}{}{}{}{behind}", VALUE.0, STANDARD.encode(ciphertext), VALUE.1)
}

fn encrypted_key(encrypted: &str) -> &str {
    between(encrypted, "<xenc:EncryptedKey>", "</xenc:EncryptedKey>")
}

fn key_beside_data(encrypted: &str) -> String {
    let key = encrypted_key(encrypted).to_owned();
    let declared = key.replacen('>', " xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\">", 1);
    let data_end = "</xenc:EncryptedData>";
    replace(&replace(encrypted, &key, ""), data_end, &format!("{data_end}{declared}"))
}

/// A content key encrypted for somebody, from `tests/keys/content-keys.json`. Each encryption of one differs from the others,
/// so they are made once and kept.
fn wrapped_key(name: &str) -> String {
    let path = tests_folder().join("keys/content-keys.json");
    let stored = std::fs::read(&path).unwrap_or_else(|_| b"{}".to_vec());
    let mut stored: Map<String, Value> = serde_json::from_slice(&stored).unwrap();
    let value = stored.entry(name).or_insert_with(|| STANDARD.encode(wrap(name)).into()).as_str().unwrap().to_owned();
    std::fs::write(path, serde_json::to_string_pretty(&stored).unwrap() + "\n").unwrap();
    value
}

/// `recipient-algorithm-length`.
fn wrap(name: &str) -> Vec<u8> {
    let (recipient, rest) = name.split_once('-').unwrap();
    let (algorithm, length) = rest.rsplit_once('-').unwrap();
    let content_key = vec![RANDOM[0]; length.parse().unwrap()];
    let pem = key_file(&format!("{recipient}.key"));
    let der: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let public: PublicEncryptingKey =
        PrivateDecryptingKey::from_pkcs8(&STANDARD.decode(der).unwrap()).unwrap().public_key();
    let mut out = vec![0; 256];
    match algorithm {
        "oaep-sha1" => {
            let key = OaepPublicEncryptingKey::new(public).unwrap();
            key.encrypt(&OAEP_SHA1_MGF1SHA1, &content_key, &mut out, None).unwrap().to_vec()
        }
        "oaep-sha256" => {
            let key = OaepPublicEncryptingKey::new(public).unwrap();
            key.encrypt(&OAEP_SHA256_MGF1SHA256, &content_key, &mut out, None).unwrap().to_vec()
        }
        _ => {
            let key = Pkcs1PublicEncryptingKey::new(public).unwrap();
            key.encrypt(&content_key, &mut out).unwrap().to_vec()
        }
    }
}
