//! ECDSA signatures. The issuing side has RSA only, so these are made by hand: the signature of a good document is
//! replaced by one of an elliptic key over a SignedInfo that says so.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail by panicking")]

use std::fs;
use std::path::PathBuf;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use doorward_saml::{DEFAULT_CLOCK_SKEW_MS, Expectations, TrustedCertificate, validate_response};

fn read(path: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests");
    fs::read_to_string(folder.join(path)).unwrap()
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap();
    rest.split_once(end).unwrap().0
}

fn code(xml: &str, certificates: &[TrustedCertificate]) -> &'static str {
    let expected = Expectations {
        now_ms: 1_795_510_800_000,
        clock_skew_ms: DEFAULT_CLOCK_SKEW_MS,
        acs_url: "https://sp.example.test/acs",
        sp_entity_id: "https://sp.example.test/metadata",
        idp_entity_id: "https://idp.example.test/saml",
        certificates,
        decryption_keys: &[],
        in_response_to: Some("_request1"),
    };
    match validate_response(&STANDARD.encode(xml), &expected) {
        Ok(_) => "ok",
        Err(error) => error.code(),
    }
}

/// The good Response with a signature by the elliptic key of that name, said to be made by `method`.
fn signed(key: &str, curve: &'static EcdsaSigningAlgorithm, method: &str) -> String {
    let pem: String = read(&format!("keys/{key}.key")).lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(pem).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(curve, &der).unwrap();
    let xml = read("accepted/assertion-signed/response.xml").replace("#rsa-sha256", &format!("#{method}"));
    let signed_info = between(&xml, "<ds:SignedInfo>", "</ds:SignedInfo>");
    let canonical =
        format!("<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{signed_info}</ds:SignedInfo>");
    let signature = key.sign(&SystemRandom::new(), canonical.as_bytes()).unwrap();
    let old = between(&xml, "<ds:SignatureValue>", "</ds:SignatureValue>");
    xml.replace(old, &STANDARD.encode(signature))
}

fn certificate(name: &str) -> TrustedCertificate {
    TrustedCertificate::parse(&read(&format!("keys/{name}.crt"))).unwrap()
}

/// A key goes with one digest; what it makes is not taken for something by another, whatever the document says.
#[test]
fn each_curve_goes_with_its_digest() {
    let curves: [(&str, &'static EcdsaSigningAlgorithm, &str); 3] = [
        ("ec", &ECDSA_P256_SHA256_FIXED_SIGNING, "ecdsa-sha256"),
        ("p384", &ECDSA_P384_SHA384_FIXED_SIGNING, "ecdsa-sha384"),
        ("p521", &ECDSA_P521_SHA512_FIXED_SIGNING, "ecdsa-sha512"),
    ];
    for (name, curve, own) in curves {
        for (_, _, method) in curves {
            let expected = if method == own { "ok" } else { "signature_invalid" };
            assert_eq!(code(&signed(name, curve, method), &[certificate(name)]), expected, "{name} by {method}");
        }
    }
}

#[test]
fn p256_with_sha256_verifies_by_its_own_key_only() {
    let xml = signed("ec", &ECDSA_P256_SHA256_FIXED_SIGNING, "ecdsa-sha256");
    let (elliptic, rsa) = (certificate("ec"), certificate("idp"));
    assert_eq!(code(&xml, std::slice::from_ref(&elliptic)), "ok");
    assert_eq!(code(&xml, std::slice::from_ref(&rsa)), "signature_invalid");
    assert_eq!(code(&xml, &[rsa, elliptic.clone()]), "ok");
    let other = xml.replace("#ecdsa-sha256", "#ecdsa-sha384");
    assert_eq!(code(&other, std::slice::from_ref(&elliptic)), "signature_invalid");
    let changed = xml.replace("jane.doe", "john.doe");
    assert_eq!(code(&changed, &[elliptic]), "digest_mismatch");
}
