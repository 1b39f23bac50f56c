//! The same person in every mode of encryption, and with an elliptic signature.

use std::fs;
use std::path::Path;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use doorward_saml::idp::{
    AssertionEncryption, ContentCipher, IssuedAttribute, IssuedResponse, KeyTransport, RsaDigest, SignedPart,
    encrypt_assertion,
};
use doorward_saml::{DecryptionKey, SamlKey, TrustedCertificate};

pub(crate) const ATTRIBUTES: usize = 15;
const NAMESPACE: &str = "http://www.w3.org/2000/09/xmldsig#";

fn pem(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

fn der(folder: &Path, name: &str) -> Vec<u8> {
    let base64: String = pem(folder, name).lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(base64).unwrap()
}

/// A Response of about 6 KB with a signed assertion.
pub(crate) fn signed(key: &SamlKey, now_ms: i64) -> String {
    let attribute = |number| IssuedAttribute {
        name: format!("http://schemas.example.test/ws/2005/05/identity/claims/attribute{number}"),
        values: vec![format!("a value of some length, as a department has, number {number}")],
    };
    let attributes: Vec<IssuedAttribute> = (0..ATTRIBUTES).map(attribute).collect();
    IssuedResponse {
        response_id: "_resp1",
        assertion_id: "_a1",
        issuer: "https://idp.example.test/saml",
        acs_url: "https://sp.example.test/acs",
        audience: "https://sp.example.test/metadata",
        in_response_to: Some("_req1"),
        issue_instant_ms: now_ms,
        not_on_or_after_ms: now_ms + 300_000,
        authn_instant_ms: now_ms,
        session_index: "_s1",
        name_id: "jane.doe@example.test",
        attributes: &attributes,
        ..IssuedResponse::default()
    }
    .to_signed_xml(key, SignedPart::Assertion, RsaDigest::Sha256)
    .unwrap()
}

/// Name, certificate that verifies it, and base64 of each Response.
pub(crate) fn responses(key: &SamlKey, keys: &Path, now_ms: i64) -> Vec<(String, TrustedCertificate, String)> {
    let xml = signed(key, now_ms);
    let recipient = TrustedCertificate::parse(&pem(keys, "sp.crt")).unwrap();
    let mut responses = vec![
        ("mode/rsa-sha256".to_owned(), key.certificate().clone(), STANDARD.encode(&xml)),
        (
            "mode/ecdsa-p256-sha256".to_owned(),
            TrustedCertificate::parse(&pem(keys, "ec.crt")).unwrap(),
            STANDARD.encode(elliptic(&xml, &der(keys, "ec.key"))),
        ),
    ];
    for (name, cipher) in [
        ("aes128-gcm", ContentCipher::Aes128Gcm),
        ("aes256-gcm", ContentCipher::Aes256Gcm),
        ("aes128-cbc", ContentCipher::Aes128Cbc),
        ("aes256-cbc", ContentCipher::Aes256Cbc),
    ] {
        let transport = KeyTransport::OaepSha1;
        let encryption = AssertionEncryption { recipient: &recipient, cipher, transport, random: [3; 48] };
        let encrypted = encrypt_assertion(&xml, &encryption).unwrap();
        responses.push((format!("mode/{name}"), key.certificate().clone(), STANDARD.encode(encrypted)));
    }
    responses
}

pub(crate) fn decryption_key(keys: &Path) -> DecryptionKey {
    DecryptionKey::from_pkcs8(&der(keys, "sp.key")).unwrap()
}

/// The same signature by an elliptic key; the issuing side has RSA only.
fn elliptic(xml: &str, pkcs8: &[u8]) -> String {
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).unwrap();
    let xml = xml.replace("#rsa-sha256", "#ecdsa-sha256");
    let between = |start: &str, end: &str| xml.split_once(start).unwrap().1.split_once(end).unwrap().0.to_owned();
    let signed_info = between("<ds:SignedInfo>", "</ds:SignedInfo>");
    let canonical = format!("<ds:SignedInfo xmlns:ds=\"{NAMESPACE}\">{signed_info}</ds:SignedInfo>");
    let signature = key.sign(&SystemRandom::new(), canonical.as_bytes()).unwrap();
    let old = between("<ds:SignatureValue>", "</ds:SignatureValue>");
    xml.replace(&old, &STANDARD.encode(signature))
}
