//! Encrypted Assertions: a few styles that must pass, and what must not. Anybody can encrypt for us, so most of these are
//! what a stranger could make; "signed" in a name means that the IdP's own key signed the Response around the ciphertext.

mod ciphertexts;
mod contents;
mod keys;

use aws_lc_rs::rsa::PublicEncryptingKey;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, Pkcs1PublicEncryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use doorward_saml::TrustedCertificate;
use doorward_saml::idp::{
    AssertionEncryption, ContentCipher, KeyTransport, RsaDigest, encrypted_assertion, sign_by_id,
};
use serde_json::json;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use crate::accepted::{self, ASSERTION_ID, RESPONSE_ID, plain};
use crate::edit::{assertion, between, replace};
use crate::{Case, Group, Scene};

/// Content key and initialization vector of every case.
const RANDOM: [u8; 48] = [7; 48];

const FAILED: &str = "decryption_failed";
const MALFORMED: &str = "encryption_malformed";

pub(crate) fn accepted(scene: &Scene) -> Vec<Case> {
    use ContentCipher::{Aes128Cbc, Aes128Gcm, Aes256Cbc, Aes256Gcm};
    use KeyTransport::{OaepSha1, OaepSha256};
    let good = signed_assertion(scene);
    let unsigned = standalone(scene);
    let style =
        |name: &str, about: &str, xml: String| accepted::case(name, about, xml).with("decryption_keys", json!(["sp"]));
    let sealed = |content: &str, cipher, transport| seal(scene, content.as_bytes(), cipher, transport);
    vec![
        style("encrypted", "AES-256-GCM, the Assertion signed", message(scene, &sealed(&good, Aes256Gcm, OaepSha1))),
        style(
            "encrypted-cbc",
            "AES-128-CBC, the Assertion signed",
            message(scene, &sealed(&good, Aes128Cbc, OaepSha1)),
        ),
        style(
            "encrypted-response-signed",
            "AES-128-GCM, only the Response around it signed",
            signed(scene, &sealed(&unsigned, Aes128Gcm, OaepSha256)),
        ),
        style(
            "encrypted-both-signed",
            "AES-256-CBC, Assertion and Response signed",
            signed(scene, &sealed(&good, Aes256Cbc, OaepSha256)),
        ),
        style(
            "encrypted-key-beside-data",
            "EncryptedKey stands beside EncryptedData (SAML core 2.3.4)",
            message(scene, &key_beside_data(&sealed(&good, Aes256Gcm, OaepSha1))),
        ),
        style(
            "encrypted-for-older-key",
            "the second of our keys decrypts",
            message(scene, &sealed(&good, Aes256Gcm, OaepSha1)),
        )
        .with("decryption_keys", json!(["foreign", "sp"])),
    ]
}

/// What must be refused, by what it aims at.
pub(crate) const GROUPS: &[Group] = &[
    ciphertexts::authenticated,
    ciphertexts::chained,
    keys::transport,
    keys::places,
    contents::unsigned,
    contents::strange,
    contents::signed,
    contents::places,
];

/// A case made from `base`.
fn case(base: &str, name: &str, error: &str, about: &str, xml: String) -> Case {
    Case::new(name, about, xml)
        .with("base", base.into())
        .with("error", error.into())
        .with("decryption_keys", json!(["sp"]))
}

/// The Assertion on its own, as it stands in a plaintext.
fn standalone(scene: &Scene) -> String {
    let declared = "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ";
    assertion(&plain(scene)).replacen("<saml:Assertion ", declared, 1)
}

fn signed_assertion(scene: &Scene) -> String {
    sign_by_id(&standalone(scene), ASSERTION_ID, &scene.key("idp"), RsaDigest::Sha256).unwrap()
}

/// The usual style.
fn sealed(scene: &Scene, content: &str) -> String {
    seal(scene, content.as_bytes(), ContentCipher::Aes256Gcm, KeyTransport::OaepSha1)
}

fn seal(scene: &Scene, content: &[u8], cipher: ContentCipher, transport: KeyTransport) -> String {
    let encryption = AssertionEncryption { recipient: &scene.recipient, cipher, transport, random: RANDOM };
    let length = match cipher {
        ContentCipher::Aes128Gcm | ContentCipher::Aes128Cbc => 16,
        ContentCipher::Aes256Gcm | ContentCipher::Aes256Cbc => 32,
    };
    let name = match transport {
        KeyTransport::OaepSha1 => format!("sp-oaep-sha1-{length}"),
        KeyTransport::OaepSha256 => format!("sp-oaep-sha256-{length}"),
    };
    with_key(scene, &encrypted_assertion(content, &encryption).unwrap(), &name)
}

/// A message with this in the place of the Assertion; nobody signed the Response.
fn message(scene: &Scene, encrypted: &str) -> String {
    let plain = plain(scene);
    replace(&plain, assertion(&plain), encrypted)
}

/// The same, and the IdP signed the Response.
fn signed(scene: &Scene, encrypted: &str) -> String {
    sign_by_id(&message(scene, encrypted), RESPONSE_ID, &scene.key("idp"), RsaDigest::Sha256).unwrap()
}

const VALUE: (&str, &str) = ("<xenc:CipherValue>", "</xenc:CipherValue>");

/// Puts another encrypted content key, a stored one, into `encrypted`.
fn with_key(scene: &Scene, encrypted: &str, name: &str) -> String {
    let old = between(encrypted, VALUE.0, VALUE.1);
    encrypted.replacen(old, &format!("{}{}{}", VALUE.0, wrapped_key(scene, name), VALUE.1), 1)
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

/// A content key encrypted for somebody: `recipient-algorithm-length`.
fn wrapped_key(scene: &Scene, name: &str) -> String {
    let mut stored = scene.content_keys.borrow_mut();
    stored.entry(name.to_owned()).or_insert_with(|| STANDARD.encode(wrap(scene, name))).clone()
}

fn wrap(scene: &Scene, name: &str) -> Vec<u8> {
    let (recipient, rest) = name.split_once('-').unwrap();
    let (algorithm, length) = rest.rsplit_once('-').unwrap();
    let content_key = vec![RANDOM[0]; length.parse().unwrap()];
    let public = match recipient {
        "sp" => public_key(&scene.recipient),
        _ => public_key(&TrustedCertificate::parse(&scene.foreign.certificate).unwrap()),
    };
    let mut out = vec![0; public.key_size_bytes()];
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

fn public_key(certificate: &TrustedCertificate) -> PublicEncryptingKey {
    let (_, parsed) = X509Certificate::from_der(certificate.der()).unwrap();
    PublicEncryptingKey::from_der(parsed.public_key().raw).unwrap()
}
