//! Metadata, ours and theirs.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail by panicking")]

use std::fs;
use std::path::PathBuf;

use doorward_saml::idp::idp_metadata;
use doorward_saml::{IdpMetadata, MetadataError, SpMetadata, SsoBinding, TrustedCertificate};

const ENTITY_ID: &str = "https://idp.example.test/saml?a=1&b=2";
const SSO_URL: &str = "https://idp.example.test/sso?a=1&b=2";

fn certificate(name: &str) -> TrustedCertificate {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
    TrustedCertificate::parse(&fs::read_to_string(folder.join(name)).unwrap()).unwrap()
}

fn weak_base64() -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
    let pem = fs::read_to_string(folder.join("weak.crt")).unwrap();
    pem.lines().filter(|line| !line.starts_with('-')).collect()
}

fn good() -> String {
    idp_metadata(ENTITY_ID, SSO_URL, &[&certificate("idp.crt"), &certificate("foreign.crt")])
}

fn refused(xml: &str) -> MetadataError {
    IdpMetadata::parse(xml.as_bytes()).unwrap_err()
}

#[test]
fn ours_is_as_recorded_from_production() {
    let xml = SpMetadata {
        entity_id: "https://clerk.example.test/saml/samlc_1?a&b",
        acs_url: "https://clerk.example.test/v1/saml/acs/samlc_1",
        encryption_certificates: &[],
        signing_certificates: &[],
    }
    .to_xml();
    assert_eq!(
        xml,
        r#"<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://clerk.example.test/saml/samlc_1?a&amp;b">
  <md:SPSSODescriptor AuthnRequestsSigned="false" WantAssertionsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://clerk.example.test/v1/saml/acs/samlc_1" index="1"/>
  </md:SPSSODescriptor>
</md:EntityDescriptor>
"#
    );
}

#[test]
fn the_time_a_document_holds_is_the_shortest_any_level_says() {
    let plain = IdpMetadata::parse(good().as_bytes()).unwrap();
    assert_eq!((plain.valid_until_ms, plain.cache_duration_ms), (None, None));
    let role = good().replace(
        "<md:IDPSSODescriptor",
        r#"<md:IDPSSODescriptor validUntil="2026-11-24T06:48:36Z" cacheDuration="P1D" "#,
    );
    let entity = role.replace("entityID", r#"validUntil="2026-11-24T06:48:35Z" cacheDuration="PT6H" entityID"#);
    let (_, entity) = entity.split_once("?>").unwrap();
    let aggregate = format!(
        r#"<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" validUntil="2030-01-01T00:00:00Z" cacheDuration="soon">{entity}</md:EntitiesDescriptor>"#
    );
    for document in [entity, &aggregate] {
        let read = IdpMetadata::parse(document.as_bytes()).unwrap();
        assert_eq!(read.valid_until_ms, Some(1_795_502_915_000));
        assert_eq!(read.cache_duration_ms, Some(21_600_000));
    }
    let wrong = good().replace("entityID", r#"validUntil="tomorrow" entityID"#);
    assert!(matches!(refused(&wrong), MetadataError::ValidUntil { .. }));
}

#[test]
fn ours_names_the_key_to_encrypt_for_and_what_we_decrypt() {
    let encryption_certificates = &["MIIC+/="][..];
    let (entity_id, acs_url) = ("https://sp.test", "https://sp.test/acs");
    let sp = SpMetadata { entity_id, acs_url, encryption_certificates, signing_certificates: &[] };
    let xml = sp.to_xml();
    assert!(!xml.contains("use=\"signing\""));
    let key = xml.split_once("<md:KeyDescriptor use=\"encryption\">").unwrap().1;
    let (key, behind) = key.split_once("</md:KeyDescriptor>").unwrap();
    assert!(key.contains("<ds:X509Certificate>MIIC+/=</ds:X509Certificate>"));
    let methods: Vec<&str> = key.split("Algorithm=\"").skip(1).map(|rest| rest.split_once('"').unwrap().0).collect();
    assert_eq!(
        methods,
        [
            "http://www.w3.org/2009/xmlenc11#aes128-gcm",
            "http://www.w3.org/2009/xmlenc11#aes256-gcm",
            "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
            "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
            "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
            "http://www.w3.org/2009/xmlenc11#rsa-oaep",
        ]
    );
    // The schema wants keys before everything else of the role.
    assert!(behind.contains("<md:NameIDFormat>") && !behind.contains("KeyDescriptor"));
}

#[test]
fn ours_names_the_key_that_signs_requests() {
    let (entity_id, acs_url) = ("https://sp.test", "https://sp.test/acs");
    let (encryption_certificates, signing_certificates) = (&["RU5D"][..], &["U0lHTg=="][..]);
    let xml = SpMetadata { entity_id, acs_url, encryption_certificates, signing_certificates }.to_xml();
    assert!(xml.contains("AuthnRequestsSigned=\"true\""));
    let key =
        xml.split_once("<md:KeyDescriptor use=\"signing\">").unwrap().1.split_once("</md:KeyDescriptor>").unwrap().0;
    assert!(key.contains("<ds:X509Certificate>U0lHTg==</ds:X509Certificate>") && !key.contains("EncryptionMethod"));
}

#[test]
fn an_idp_that_takes_requests_by_post_only_is_known_by_it() {
    let metadata = IdpMetadata::parse(good().replace("HTTP-Redirect", "SOAP").as_bytes()).unwrap();
    assert_eq!(metadata.sso(SsoBinding::Redirect), (SsoBinding::Post, SSO_URL));
}

#[test]
fn reads_what_the_idp_writes() {
    let metadata = IdpMetadata::parse(good().as_bytes()).unwrap();
    assert_eq!(metadata.entity_id, ENTITY_ID);
    for binding in [SsoBinding::Redirect, SsoBinding::Post] {
        assert_eq!(metadata.sso(binding), (binding, SSO_URL));
    }
    assert_eq!(metadata.certificates, [certificate("idp.crt"), certificate("foreign.crt")]);
    assert!(metadata.unusable_certificates.is_empty());
    assert!(!metadata.want_authn_requests_signed);
}

#[test]
fn keys_count_by_their_use() {
    let base64 = certificate("foreign.crt").base64();
    let key_of = |with: &str| {
        let xml = good().replacen("<md:KeyDescriptor use=\"signing\">", &format!("<md:KeyDescriptor{with}>"), 1);
        IdpMetadata::parse(xml.as_bytes()).unwrap().certificates
    };
    assert_eq!(key_of(" use=\"encryption\""), [certificate("foreign.crt")]);
    assert_eq!(key_of("").len(), 2);

    // The second certificate of one KeyInfo is an issuer, not a key of the IdP.
    let chain = format!("</ds:X509Certificate><ds:X509Certificate>{base64}</ds:X509Certificate></ds:X509Data>");
    let xml = idp_metadata(ENTITY_ID, SSO_URL, &[&certificate("idp.crt")])
        .replace("</ds:X509Certificate></ds:X509Data>", &chain);
    let metadata = IdpMetadata::parse(xml.as_bytes()).unwrap();
    assert_eq!(metadata.certificates, [certificate("idp.crt")]);
}

#[test]
fn weak_keys_are_left_out_and_named() {
    let base64 = certificate("foreign.crt").base64();
    let xml = good().replace(&base64, &weak_base64());
    let metadata = IdpMetadata::parse(xml.as_bytes()).unwrap();
    assert_eq!(metadata.certificates, [certificate("idp.crt")]);
    assert_eq!(metadata.unusable_certificates.len(), 1);

    let xml = idp_metadata(ENTITY_ID, SSO_URL, &[&certificate("foreign.crt")]).replace(&base64, &weak_base64());
    assert_eq!(refused(&xml).code(), "certificate_rsa_too_short");
}

#[test]
fn lists_all_that_is_missing() {
    let missing = |xml: &str| match refused(xml) {
        MetadataError::MissingFields(fields) => fields,
        other => panic!("{other}"),
    };
    let xml = good();
    assert_eq!(missing(&xml.replace(" entityID=", " other=")), ["idp_entity_id"]);
    assert_eq!(
        missing(&xml.replace("?a=1&amp;b=2\"", "\"").replace("\"https://idp.example.test/saml\"", "\" \"")),
        ["idp_entity_id"]
    );
    let blank = idp_metadata(ENTITY_ID, SSO_URL, &[&certificate("idp.crt")]);
    let blank = blank.replace(&certificate("idp.crt").base64(), " \n ");
    assert_eq!(missing(&blank), ["idp_certificate"]);
    assert_eq!(missing(&xml.replace("HTTP-Redirect", "SOAP").replace("HTTP-POST", "SOAP")), ["idp_sso_url"]);
    assert_eq!(missing(&xml.replace("use=\"signing\"", "use=\"encryption\"")), ["idp_certificate"]);
    assert_eq!(missing(&xml.replace("IDPSSODescriptor", "SPSSODescriptor")), ["idp_sso_url", "idp_certificate"]);
    assert_eq!(
        missing("<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\"/>"),
        ["idp_entity_id", "idp_sso_url", "idp_certificate"]
    );
    // An IdP that speaks only SAML 1.1 is none for us.
    let old = xml.replace("urn:oasis:names:tc:SAML:2.0:protocol", "urn:oasis:names:tc:SAML:1.1:protocol");
    assert_eq!(missing(&old), ["idp_sso_url", "idp_certificate"]);
}

#[test]
fn an_aggregate_may_have_one_idp() {
    let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    let idp = good().replace(declaration, "");
    let sp = SpMetadata {
        entity_id: "https://sp.test",
        acs_url: "https://sp.test/acs",
        encryption_certificates: &[],
        signing_certificates: &[],
    };
    let sp = sp.to_xml().replace(declaration, "");
    let aggregate = |content: &str| {
        format!(
            "\u{FEFF}{declaration}<EntitiesDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\">{content}</EntitiesDescriptor>"
        )
    };
    let one = aggregate(&format!("{sp}{sp}<EntitiesDescriptor>{idp}</EntitiesDescriptor><!-- <x> --><![CDATA[ ]]>"));
    assert_eq!(IdpMetadata::parse(one.as_bytes()).unwrap().entity_id, ENTITY_ID);
    assert_eq!(refused(&aggregate(&format!("{idp}{idp}"))), MetadataError::SeveralIdps { got: 2 });
    assert_eq!(refused(&aggregate(&sp)).code(), "missing_fields");
    // Only an EntityDescriptor is an IdP, whatever else has such a role in it.
    let role = &idp[idp.find("<md:IDPSSODescriptor").unwrap()..idp.find("</md:EntityDescriptor>").unwrap()];
    let other = format!("<x xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"x\">{role}</x>");
    let beside = aggregate(&format!("{other}{idp}"));
    assert_eq!(IdpMetadata::parse(beside.as_bytes()).unwrap().entity_id, ENTITY_ID);
}

#[test]
fn refuses_other_documents_and_urls() {
    assert_eq!(refused("<html/>").code(), "not_metadata");
    assert_eq!(refused("").code(), "xml_malformed");
    assert_eq!(refused("<!DOCTYPE html><html/>").code(), "xml_doctype");
    assert_eq!(refused(&" ".repeat(1_100_000)).code(), "xml_too_large");
    for url in ["javascript:alert(1)", "data:x", "/sso", "http:", "ftp://x.test/"] {
        let xml = good().replace(&SSO_URL.replace('&', "&amp;"), url);
        assert_eq!(refused(&xml).code(), "sso_url_invalid", "{url}");
    }
    let most = vec![certificate("idp.crt"); 16];
    let most: Vec<&TrustedCertificate> = most.iter().collect();
    let most = IdpMetadata::parse(idp_metadata(ENTITY_ID, SSO_URL, &most).as_bytes()).unwrap();
    assert_eq!(most.certificates, [certificate("idp.crt")]);
    let many: Vec<TrustedCertificate> = (0..17).map(|_| certificate("idp.crt")).collect();
    let many: Vec<&TrustedCertificate> = many.iter().collect();
    assert_eq!(refused(&idp_metadata(ENTITY_ID, SSO_URL, &many)).code(), "too_many_certificates");
}
