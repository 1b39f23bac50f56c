//! Encrypted assertions: every mode is read, and whoever has no key of the IdP learns nothing and gets nobody in.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_saml::SamlKey;
use doorward_saml::idp::{
    AssertionEncryption, ContentCipher, IssuedAttribute, IssuedResponse, KeyTransport, RsaDigest, encrypt_assertion,
    encrypted_assertion, sign_by_id,
};
use doorward_saml::{
    Assertion, DEFAULT_CLOCK_SKEW_MS, DecryptionKey, Expectations, ResponseError, TrustedCertificate, validate_response,
};

const NOW: i64 = 1_795_510_800_000;
const CIPHERS: [ContentCipher; 4] =
    [ContentCipher::Aes128Gcm, ContentCipher::Aes256Gcm, ContentCipher::Aes128Cbc, ContentCipher::Aes256Cbc];

fn read(name: &str) -> String {
    fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/keys").join(name)).unwrap()
}

fn idp(name: &str) -> SamlKey {
    SamlKey::from_pem(&read(&format!("{name}.key")), &read(&format!("{name}.crt"))).unwrap()
}

fn decryption_key(name: &str) -> DecryptionKey {
    let pem = read(&format!("{name}.key"));
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    DecryptionKey::from_pkcs8(&STANDARD.decode(base64).unwrap()).unwrap()
}

fn sp_certificate() -> TrustedCertificate {
    TrustedCertificate::parse(&read("sp.crt")).unwrap()
}

fn unsigned() -> String {
    let attributes = [IssuedAttribute { name: "mail".into(), values: vec!["zoë@acme.test".into()] }];
    IssuedResponse {
        response_id: "_response1",
        assertion_id: "_assertion1",
        issuer: "https://idp.example.test/saml",
        acs_url: "https://sp.example.test/acs",
        audience: "https://sp.example.test/metadata",
        in_response_to: Some("_request1"),
        issue_instant_ms: NOW,
        not_on_or_after_ms: NOW + 300_000,
        authn_instant_ms: NOW,
        session_index: "_session1",
        name_id: "zoe",
        attributes: &attributes,
        ..IssuedResponse::default()
    }
    .to_unsigned_xml()
}

#[derive(Clone, Copy, PartialEq)]
enum Sign {
    Nothing,
    Assertion,
    Response,
    Both,
}

const SIGNED: [Sign; 3] = [Sign::Assertion, Sign::Response, Sign::Both];

/// The good message with its assertion encrypted for us.
fn message(cipher: ContentCipher, transport: KeyTransport, sign: Sign) -> String {
    sealed(&unsigned(), cipher, transport, sign, &idp("idp"))
}

fn sealed(xml: &str, cipher: ContentCipher, transport: KeyTransport, sign: Sign, key: &SamlKey) -> String {
    let recipient = sp_certificate();
    let mut xml = xml.to_owned();
    if matches!(sign, Sign::Assertion | Sign::Both) {
        xml = sign_by_id(&xml, "_assertion1", key, RsaDigest::Sha256).unwrap();
    }
    let encryption = AssertionEncryption { recipient: &recipient, cipher, transport, random: [7; 48] };
    xml = encrypt_assertion(&xml, &encryption).unwrap();
    if matches!(sign, Sign::Response | Sign::Both) {
        xml = sign_by_id(&xml, "_response1", key, RsaDigest::Sha256).unwrap();
    }
    xml
}

/// A message in which these bytes are encrypted in place of the assertion.
fn holding(plaintext: &str, sign: Sign) -> String {
    let recipient = sp_certificate();
    let encryption = AssertionEncryption {
        recipient: &recipient,
        cipher: ContentCipher::Aes256Gcm,
        transport: KeyTransport::OaepSha1,
        random: [9; 48],
    };
    let xml = unsigned();
    let encrypted = encrypted_assertion(plaintext.as_bytes(), &encryption).unwrap();
    let xml = xml.replace(&assertion_of(&xml), &encrypted);
    match sign {
        Sign::Response => sign_by_id(&xml, "_response1", &idp("idp"), RsaDigest::Sha256).unwrap(),
        _ => xml,
    }
}

fn assertion_of(xml: &str) -> String {
    let start = xml.find("<saml:Assertion").unwrap();
    let end = xml.find("</saml:Assertion>").unwrap() + "</saml:Assertion>".len();
    xml[start..end].to_owned()
}

/// An assertion on its own, as it stands in a plaintext.
fn standalone(sign: Sign) -> String {
    let declared = "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"";
    let assertion = assertion_of(&unsigned()).replace("<saml:Assertion", declared);
    match sign {
        Sign::Assertion => sign_by_id(&assertion, "_assertion1", &idp("idp"), RsaDigest::Sha256).unwrap(),
        _ => assertion,
    }
}

fn validate(xml: &str, keys: &[DecryptionKey]) -> Result<Assertion, ResponseError> {
    let certificates = [TrustedCertificate::parse(&read("idp.crt")).unwrap()];
    let expected = Expectations {
        now_ms: NOW,
        clock_skew_ms: DEFAULT_CLOCK_SKEW_MS,
        acs_url: "https://sp.example.test/acs",
        sp_entity_id: "https://sp.example.test/metadata",
        idp_entity_id: "https://idp.example.test/saml",
        certificates: &certificates,
        decryption_keys: keys,
        in_response_to: Some("_request1"),
    };
    validate_response(&STANDARD.encode(xml), &expected)
}

fn code(xml: &str) -> &'static str {
    validate(xml, &[decryption_key("sp")]).unwrap_err().code()
}

#[test]
fn every_mode_is_read_whatever_is_signed() {
    let keys = [decryption_key("sp")];
    for cipher in CIPHERS {
        for transport in [KeyTransport::OaepSha1, KeyTransport::OaepSha256] {
            for sign in SIGNED {
                let xml = message(cipher, transport, sign);
                assert!(!xml.contains("acme.test"));
                let assertion = validate(&xml, &keys).unwrap();
                assert_eq!((assertion.id.as_str(), assertion.name_id.value.as_str()), ("_assertion1", "zoe"));
                assert_eq!(assertion.values("mail").collect::<Vec<_>>(), ["zoë@acme.test"]);
            }
        }
    }
}

#[test]
fn an_older_key_of_ours_still_decrypts() {
    let xml = message(ContentCipher::Aes128Gcm, KeyTransport::OaepSha1, Sign::Assertion);
    assert!(validate(&xml, &[decryption_key("foreign"), decryption_key("sp")]).is_ok());
}

#[test]
fn without_the_right_key_nothing_is_read() {
    let xml = message(ContentCipher::Aes128Gcm, KeyTransport::OaepSha1, Sign::Both);
    assert_eq!(validate(&xml, &[]).unwrap_err().code(), "decryption_key_missing");
    assert_eq!(validate(&xml, &[decryption_key("foreign")]).unwrap_err().code(), "decryption_failed");
}

#[test]
fn encryption_is_no_signature() {
    for cipher in CIPHERS {
        assert_eq!(code(&message(cipher, KeyTransport::OaepSha1, Sign::Nothing)), "decryption_failed");
    }
    let foreign = idp("foreign");
    let signed_by_stranger =
        |sign| sealed(&unsigned(), ContentCipher::Aes256Gcm, KeyTransport::OaepSha256, sign, &foreign);
    assert_eq!(code(&signed_by_stranger(Sign::Assertion)), "decryption_failed");
    assert_eq!(code(&signed_by_stranger(Sign::Response)), "signature_invalid");
    assert_eq!(code(&signed_by_stranger(Sign::Both)), "signature_invalid");
}

/// Where the IdP signed around an assertion of a stranger, the assertion's own signature still has to hold.
#[test]
fn a_foreign_signature_inside_a_signed_response_is_refused() {
    let inside = sealed(
        &sign_by_id(&unsigned(), "_assertion1", &idp("foreign"), RsaDigest::Sha256).unwrap(),
        ContentCipher::Aes128Gcm,
        KeyTransport::OaepSha1,
        Sign::Response,
        &idp("idp"),
    );
    assert_eq!(code(&inside), "signature_invalid");
}

#[test]
fn a_changed_ciphertext_fails_in_one_way_only() {
    for cipher in CIPHERS {
        let xml = message(cipher, KeyTransport::OaepSha1, Sign::Assertion);
        let start = xml.rfind("<xenc:CipherValue>").unwrap() + "<xenc:CipherValue>".len();
        let end = xml.rfind("</xenc:CipherValue>").unwrap();
        let ciphertext = STANDARD.decode(&xml[start..end]).unwrap();
        let tamper = |changed: &[u8]| {
            let xml = format!("{}{}{}", &xml[..start], STANDARD.encode(changed), &xml[end..]);
            validate(&xml, &[decryption_key("sp")]).unwrap_err().to_string()
        };
        let mut answers = BTreeSet::new();
        // Every byte of the first blocks and the last, where padding and tag are, and some between.
        let places = (0..48).chain((48..ciphertext.len()).step_by(61)).chain(ciphertext.len() - 33..ciphertext.len());
        for at in places {
            let mut changed = ciphertext.clone();
            changed[at] ^= 1;
            answers.insert(tamper(&changed));
        }
        for length in [0, 1, 12, 16, 17, 28, 32, ciphertext.len() - 16, ciphertext.len() - 4, ciphertext.len() - 1] {
            answers.insert(tamper(&ciphertext[..length]));
        }
        assert_eq!(answers.len(), 1, "{cipher:?}: {answers:#?}");
        assert!(answers.pop_first().unwrap().contains("could not be decrypted"));
    }
}

#[test]
fn a_changed_content_key_fails_in_the_same_way() {
    let xml = message(ContentCipher::Aes128Cbc, KeyTransport::OaepSha1, Sign::Assertion);
    let start = xml.find("<xenc:CipherValue>").unwrap() + "<xenc:CipherValue>".len();
    let end = xml.find("</xenc:CipherValue>").unwrap();
    let tamper = |wrapped: &[u8]| code(&format!("{}{}{}", &xml[..start], STANDARD.encode(wrapped), &xml[end..]));
    let wrapped = STANDARD.decode(&xml[start..end]).unwrap();
    for at in [0, 1, 128, 255] {
        let mut changed = wrapped.clone();
        changed[at] ^= 1;
        assert_eq!(tamper(&changed), "decryption_failed");
    }
    assert_eq!(tamper(&[]), "decryption_failed");
    assert_eq!(tamper(&wrapped[1..]), "decryption_failed");
    // A key of the right form, but too short or too long for the cipher.
    let other = message(ContentCipher::Aes256Cbc, KeyTransport::OaepSha1, Sign::Assertion);
    assert_eq!(code(&other.replace("#aes256-cbc", "#aes128-cbc")), "decryption_failed");
    assert_eq!(code(&xml.replace("#aes128-cbc", "#aes256-cbc")), "decryption_failed");
    assert_eq!(
        code(&xml.replace("xmlenc#aes128-cbc", "xmlenc11#aes128-gcm").replace("2001/04/xmlenc11", "2009/xmlenc11")),
        "decryption_failed"
    );
}

#[test]
fn a_response_signature_covers_the_ciphertext() {
    let xml = message(ContentCipher::Aes128Gcm, KeyTransport::OaepSha1, Sign::Response);
    let other = message(ContentCipher::Aes128Gcm, KeyTransport::OaepSha1, Sign::Assertion);
    let data = |xml: &str| {
        let start = xml.find("<saml:EncryptedAssertion").unwrap();
        xml[start..xml.find("</samlp:Response>").unwrap()].to_owned()
    };
    assert_eq!(code(&xml.replace(&data(&xml), &data(&other))), "digest_mismatch");
}

#[test]
fn weak_and_unknown_algorithms_are_refused_by_name() {
    let xml = message(ContentCipher::Aes128Cbc, KeyTransport::OaepSha1, Sign::Assertion);
    for (from, to, expected) in [
        ("#aes128-cbc", "#tripledes-cbc", "encryption_algorithm_refused"),
        ("#aes128-cbc", "#aes192-cbc", "encryption_algorithm_refused"),
        ("#aes128-cbc", "#none", "encryption_algorithm_refused"),
        ("#rsa-oaep-mgf1p", "#rsa-1_5", "key_transport_refused"),
        ("#rsa-oaep-mgf1p", "#kw-aes128", "key_transport_refused"),
        ("xmldsig#sha1", "xmldsig#md5", "key_transport_refused"),
        ("http://www.w3.org/2000/09/xmldsig#sha1", "http://www.w3.org/2001/04/xmlenc#sha256", "key_transport_refused"),
        (" Algorithm=\"http://www.w3.org/2001/04/xmlenc#aes128-cbc\"", "", "encryption_malformed"),
    ] {
        let changed = xml.replace(from, to);
        assert_ne!(changed, xml, "{from}");
        assert_eq!(code(&changed), expected, "{to}");
    }
    let mixed = message(ContentCipher::Aes128Cbc, KeyTransport::OaepSha256, Sign::Assertion);
    assert_eq!(code(&mixed.replace("#mgf1sha256", "#mgf1sha1")), "key_transport_refused");
}

#[test]
fn another_shape_is_refused() {
    let xml = message(ContentCipher::Aes128Gcm, KeyTransport::OaepSha1, Sign::Assertion);
    let key = &xml[xml.find("<xenc:EncryptedKey>").unwrap()..xml.find("</ds:KeyInfo>").unwrap()];
    let data = &xml[xml.find("<xenc:EncryptedData").unwrap()..xml.find("</saml:EncryptedAssertion>").unwrap()];
    let whole = &xml[xml.find("<saml:EncryptedAssertion").unwrap()..xml.find("</samlp:Response>").unwrap()];
    let value = "<xenc:CipherValue>";
    let reference = "<xenc:CipherReference URI=\"http://127.0.0.1/\"/>";
    let cipher_value = &xml[xml.rfind(value).unwrap()..xml.rfind("</xenc:CipherValue>").unwrap() + 19];
    for (changed, expected) in [
        (xml.replace(key, ""), "encryption_malformed"),
        (xml.replace(key, &format!("{key}{key}")), "encryption_malformed"),
        (xml.replace(data, &format!("{data}{data}")), "encryption_malformed"),
        (xml.replace(data, ""), "encryption_malformed"),
        (xml.replace(cipher_value, reference), "encryption_malformed"),
        (xml.replace(value, "<xenc:CipherValue>*"), "encryption_malformed"),
        (xml.replace(value, "<xenc:CipherValue><x/>"), "encryption_malformed"),
        (xml.replace("#Element\"", "#Content\""), "encryption_malformed"),
        (xml.replace(whole, &format!("{whole}{whole}")), "assertion_multiple"),
        (xml.replace(whole, &format!("{whole}{}", standalone(Sign::Assertion))), "assertion_multiple"),
        (xml.replace(whole, &format!("<samlp:Extensions>{whole}</samlp:Extensions>")), "assertion_missing"),
    ] {
        assert_ne!(changed, xml);
        assert_eq!(code(&changed), expected);
    }
    // Beside the EncryptedData is the other place of the EncryptedKey (SAML core 2.3.4).
    let declared = key.replacen('>', " xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\">", 1);
    let moved = xml.replace(key, "").replace("</xenc:EncryptedData>", &format!("</xenc:EncryptedData>{declared}"));
    assert!(validate(&moved, &[decryption_key("sp")]).is_ok());
}

/// A signature that the IdP made, put where only the ciphertext belongs.
#[test]
fn a_signature_beside_the_ciphertext_is_refused() {
    let xml = message(ContentCipher::Aes128Gcm, KeyTransport::OaepSha1, Sign::Assertion);
    let signed = standalone(Sign::Assertion);
    let signature = &signed[signed.find("<ds:Signature ").unwrap()..signed.find("</ds:Signature>").unwrap() + 15];
    let changed = xml.replace("<xenc:EncryptedData ", &format!("{signature}<xenc:EncryptedData "));
    assert_eq!(code(&changed), "signature_misplaced");
    let changed = xml.replace("<xenc:EncryptedKey>", &format!("{signature}<xenc:EncryptedKey>"));
    assert_eq!(code(&changed), "signature_misplaced");
}

#[test]
fn what_is_inside_is_as_strictly_read_as_what_is_outside() {
    assert!(validate(&holding(&standalone(Sign::Assertion), Sign::Nothing), &[decryption_key("sp")]).is_ok());
    assert!(validate(&holding(&standalone(Sign::Nothing), Sign::Response), &[decryption_key("sp")]).is_ok());
    let good = standalone(Sign::Assertion);
    let wrapper = "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_evil\" Version=\"2.0\">";
    for plaintext in [
        String::new(),
        "hello".to_owned(),
        good.replace("zoe<", "eve<"),
        format!("{good}{good}"),
        format!("<!DOCTYPE x>{good}"),
        format!("<?x?>{good}"),
        format!("<x>{good}</x>"),
        format!("{wrapper}{good}</saml:Assertion>"),
        format!("{wrapper}<saml:Advice>{good}</saml:Advice></saml:Assertion>"),
        good.replace(">zoe<", ">z<!---->oe<"),
        good.replace("</saml:Assertion>", "<saml:EncryptedAssertion/></saml:Assertion>"),
        good.replace("<saml:Subject>", "<saml:Subject ID=\"_assertion1\">"),
        holding(&good, Sign::Nothing),
        unsigned(),
    ] {
        assert_eq!(code(&holding(&plaintext, Sign::Nothing)), "decryption_failed", "{plaintext:.100}");
        assert!(validate(&holding(&plaintext, Sign::Response), &[decryption_key("sp")]).is_err(), "{plaintext:.100}");
    }
}

/// The claims of an encrypted assertion are checked like any other's; the IdP signed them, so they can be told.
#[test]
fn the_claims_inside_are_checked() {
    let for_others = unsigned().replace("https://sp.example.test/metadata", "https://other.example.test");
    for sign in SIGNED {
        let xml = sealed(&for_others, ContentCipher::Aes256Gcm, KeyTransport::OaepSha1, sign, &idp("idp"));
        assert_eq!(code(&xml), "audience_mismatch");
    }
}

#[test]
fn short_and_foreign_keys_do_not_decrypt() {
    let elliptic = read("ec.key");
    let base64: String = elliptic.lines().filter(|line| !line.starts_with('-')).collect();
    assert!(DecryptionKey::from_pkcs8(&STANDARD.decode(base64).unwrap()).is_err());
    assert!(DecryptionKey::from_pkcs8(b"").is_err());
    let weak: String = read("weak.key").lines().filter(|line| !line.starts_with('-')).collect();
    assert!(DecryptionKey::from_pkcs8(&STANDARD.decode(weak).unwrap()).is_err());
    assert_eq!(format!("{:?}", decryption_key("sp")), "DecryptionKey { bits: 2048, .. }");
}
