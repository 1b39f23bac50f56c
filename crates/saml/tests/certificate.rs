//! Certificates as operators paste them.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail by panicking")]

use std::fs;
use std::path::PathBuf;

use doorward_saml::SamlKey;
use doorward_saml::{CertificateError, TrustedCertificate};

fn read(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
    fs::read_to_string(folder.join(name)).unwrap()
}

fn code(text: &str) -> &'static str {
    match TrustedCertificate::parse(text) {
        Ok(_) => "ok",
        Err(error) => error.code(),
    }
}

#[test]
fn reads_pem_and_base64_alike() {
    let pem = read("idp.crt");
    let certificate = TrustedCertificate::parse(&pem).unwrap();
    let base64 = certificate.base64();
    for text in [
        base64.clone(),
        format!("\n   {}\n", base64.replace("MII", "MI\r\n\tI")),
        certificate.pem(),
        format!("subject=/CN=x\n{pem}\ntrailing"),
        pem.replace('\n', "\r\n"),
    ] {
        assert_eq!(TrustedCertificate::parse(&text).as_ref(), Ok(&certificate));
    }
    assert_eq!(TrustedCertificate::from_der(certificate.der().to_vec()).as_ref(), Ok(&certificate));
}

#[test]
fn says_what_the_certificate_is() {
    let certificate = TrustedCertificate::parse(&read("idp.crt")).unwrap();
    assert_eq!(certificate.subject(), "CN=idp.example.test");
    assert_eq!(certificate.not_after_ms() - certificate.not_before_ms(), 7300 * 86_400_000);
    assert_eq!(certificate.fingerprint().len(), 64);
    assert!(certificate.fingerprint().bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert!(!format!("{certificate:?}").contains("MII"));
}

#[test]
fn a_key_is_told_by_the_digest_of_its_subject_public_key_info() {
    let of = |name: &str| TrustedCertificate::parse(&read(name)).unwrap().key_sha256().to_owned();
    // openssl x509 -noout -pubkey | openssl pkey -pubin -outform der | sha256sum
    assert_eq!(of("idp.crt"), "a63a0d2042990fe70e4111fc52326addefdf48b1c40cd7983e53058001ab5703");
    assert_eq!(of("ec.crt"), "d4843103b2876d3c7def3d44630e6f03c28191cc92e90b7c661d0ab6fb47c0bb");
}

#[test]
fn refuses_what_cannot_verify_anything() {
    let pem = read("idp.crt");
    let base64 = TrustedCertificate::parse(&pem).unwrap().base64();
    for (expected, text) in [
        ("certificate_rsa_too_short", read("weak.crt")),
        ("certificate_not_a_certificate", read("idp.key")),
        ("certificate_multiple", format!("{pem}{}", read("foreign.crt"))),
        ("certificate_encoding", "not base64".to_owned()),
        ("certificate_encoding", pem.replace("-----END CERTIFICATE-----", "")),
        ("certificate_encoding", "-----BEGIN CERTIFICATE".to_owned()),
        ("certificate_encoding", format!("{pem}{}", " ".repeat(64 * 1024 + 1 - pem.len()))),
        ("ok", format!("{pem}{}", " ".repeat(64 * 1024 - pem.len()))),
        ("certificate_malformed", String::new()),
        ("certificate_malformed", "AAAA".to_owned()),
        ("certificate_malformed", base64[..base64.len() / 2 / 4 * 4].to_owned()),
    ] {
        assert_eq!(code(&text), expected, "{text}");
    }
    assert_eq!(TrustedCertificate::parse(&read("weak.crt")), Err(CertificateError::RsaTooShort { got: 1024 }));
    assert_eq!(code(&read("ec.crt")), "ok");
}

#[test]
fn says_which_kind_of_key_is_of_no_use() {
    let kind = |name: &str| match TrustedCertificate::parse(&read(name)) {
        Err(CertificateError::KeyUnsupported(kind)) => kind.to_string(),
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(kind("ed25519.crt"), "1.3.101.112");
    assert_eq!(kind("secp224r1.crt"), "an elliptic curve of 224 bits");
    // As long as P-256, which it is not.
    assert!(!kind("secp256k1.crt").is_empty());
}

#[test]
fn a_certificate_ends_where_it_says() {
    let mut der = TrustedCertificate::parse(&read("idp.crt")).unwrap().der().to_vec();
    der.push(0);
    assert_eq!(TrustedCertificate::from_der(der.clone()).unwrap_err().to_string(), {
        "the certificate is not valid X.509: bytes behind its end"
    });
    // The modulus is no number any more: its tag says that it is a string.
    der.pop();
    let modulus = der.windows(4).position(|bytes| bytes == [0x02, 0x82, 0x01, 0x01]).unwrap();
    der[modulus] = 0x04;
    assert_eq!(TrustedCertificate::from_der(der).unwrap_err().code(), "certificate_malformed");
}

#[test]
fn an_idp_key_and_its_certificate_belong_together() {
    assert!(SamlKey::from_pem(&read("idp.key"), &read("idp.crt")).is_ok());
    assert!(SamlKey::from_pem(&read("idp.key"), &read("foreign.crt")).is_err());
    assert!(SamlKey::from_pem(&read("ec.key"), &read("ec.crt")).is_err());
    assert!(SamlKey::from_pem("", &read("idp.crt")).is_err());
    let key = SamlKey::from_pem(&read("idp.key"), &read("idp.crt")).unwrap();
    assert!(!format!("{key:?}").contains("PRIVATE"));
}
