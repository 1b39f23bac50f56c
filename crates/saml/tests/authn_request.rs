//! The AuthnRequest from our side to the IdP's and back to the fields it was made of.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail by panicking")]

use std::io::{Read as _, Write as _};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use doorward_saml::idp::{IdpError, ReceivedAuthnRequest};
use doorward_saml::{AuthnRequest, AuthnRequestError, NAME_ID_EMAIL, SamlKey, TrustedCertificate, request_id};
use url::Url;

const REQUEST: AuthnRequest = AuthnRequest {
    id: "_0a1b",
    issue_instant_ms: 1_795_502_916_663,
    idp_sso_url: "https://idp.example.test/sso",
    acs_url: "https://sp.example.test/acs?a=1&b=2",
    sp_entity_id: "https://sp.example.test/<\"entity\">",
    force_authn: false,
    name_id_format: None,
};

fn received(url: &str) -> ReceivedAuthnRequest {
    let url = Url::parse(url).unwrap();
    ReceivedAuthnRequest::from_redirect_query(url.query().unwrap()).unwrap()
}

#[test]
fn ids_are_names_made_of_the_bytes() {
    assert_eq!(request_id(&[0, 0x9f, 0xff]), "_009fff");
}

#[test]
fn the_idp_receives_what_was_asked() {
    let url = REQUEST.redirect_url(Some("signin_1 &=+/"), Some("jane+x@example.test"), None).unwrap();
    assert!(url.starts_with("https://idp.example.test/sso?SAMLRequest="), "{url}");
    let got = received(&url);
    assert_eq!(got.id, REQUEST.id);
    assert_eq!(got.issuer, REQUEST.sp_entity_id);
    assert_eq!(got.acs_url.as_deref(), Some(REQUEST.acs_url));
    assert_eq!(got.destination.as_deref(), Some(REQUEST.idp_sso_url));
    assert_eq!(got.relay_state.as_deref(), Some("signin_1 &=+/"));
    assert_eq!(got.login_hint.as_deref(), Some("jane+x@example.test"));
    assert!(!got.force_authn);
    assert_eq!(got.name_id_format, None);

    let strict = AuthnRequest { force_authn: true, name_id_format: Some(NAME_ID_EMAIL), ..REQUEST };
    let got = received(&strict.redirect_url(None, None, None).unwrap());
    assert!(got.force_authn);
    assert_eq!(got.name_id_format.as_deref(), Some(NAME_ID_EMAIL));
    assert_eq!((got.relay_state, got.login_hint), (None, None));
}

#[test]
fn a_posted_request_says_the_same_as_a_redirected_one() {
    let form = REQUEST.post_form(Some("r"), None, None).unwrap();
    let query =
        ReceivedAuthnRequest::redirect_query_of_form(&form.saml_request, Some("<r&>"), Some("j@x.test")).unwrap();
    let got = ReceivedAuthnRequest::from_redirect_query(&query).unwrap();
    let expected = received(&REQUEST.redirect_url(Some("<r&>"), Some("j@x.test"), None).unwrap());
    assert_eq!(got, expected);
    let bare = ReceivedAuthnRequest::redirect_query_of_form(&form.saml_request, None, None).unwrap();
    let bare = ReceivedAuthnRequest::from_redirect_query(&bare).unwrap();
    assert_eq!((bare.relay_state, bare.login_hint), (None, None));
    let deflated = Url::parse(&REQUEST.redirect_url(None, None, None).unwrap()).unwrap();
    let deflated = deflated.query_pairs().next().unwrap().1.into_owned();
    for wrong in ["", "%", &deflated, &STANDARD.encode("<x/>"), &STANDARD.encode(vec![b' '; 70_000])] {
        assert!(ReceivedAuthnRequest::redirect_query_of_form(wrong, None, None).is_err());
    }
}

#[test]
fn the_xml_is_as_the_standard_has_it() {
    let xml = REQUEST.to_xml();
    for part in [
        "Version=\"2.0\"",
        "IssueInstant=\"2026-11-24T06:48:36.663Z\"",
        "ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\"",
        "<saml:Issuer>https://sp.example.test/&lt;\"entity\"&gt;</saml:Issuer>",
        "<samlp:NameIDPolicy AllowCreate=\"true\"/>",
    ] {
        assert!(xml.contains(part), "{part} in {xml}");
    }
    assert!(!xml.contains("Subject"), "who signs in goes by login_hint");
}

#[test]
fn a_query_of_the_idp_is_kept() {
    let request = AuthnRequest { idp_sso_url: "https://idp.example.test/sso?tenant=a%20b&x#fragment", ..REQUEST };
    let url = request.redirect_url(Some("s"), None, None).unwrap();
    assert!(url.starts_with("https://idp.example.test/sso?tenant=a%20b&x&SAMLRequest="), "{url}");
    assert!(!url.contains('#'));
    assert_eq!(received(&url).id, REQUEST.id);
}

#[test]
fn refuses_urls_no_browser_should_follow_and_long_relay_states() {
    for idp_sso_url in ["javascript:alert(1)", "data:text/html,x", "/sso", "", "ftp://idp.example.test/"] {
        let request = AuthnRequest { idp_sso_url, ..REQUEST };
        assert_eq!(request.redirect_url(None, None, None), Err(AuthnRequestError::SsoUrl), "{idp_sso_url}");
    }
    assert!(REQUEST.redirect_url(Some(&"x".repeat(80)), None, None).is_ok());
    assert_eq!(
        REQUEST.redirect_url(Some(&"x".repeat(81)), None, None),
        Err(AuthnRequestError::RelayStateTooLong { got: 81 })
    );
}

fn sp_key() -> SamlKey {
    let keys = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
    let read = |name: &str| std::fs::read_to_string(keys.join(name)).unwrap();
    SamlKey::from_pem(&read("sp.key"), &read("sp.crt")).unwrap()
}

#[test]
fn a_redirect_is_signed_as_it_stands() {
    let key = sp_key();
    let request = AuthnRequest { idp_sso_url: "https://idp.example.test/sso?tenant=a", ..REQUEST };
    let url = request.redirect_url(Some("state &=+/"), Some("jane+x@example.test"), Some(&key)).unwrap();
    let (_, query) = url.split_once("?tenant=a&").unwrap();
    let (signed, rest) = query.split_once("&Signature=").unwrap();
    assert!(signed.starts_with("SAMLRequest="));
    let names: Vec<&str> = signed.split('&').map(|pair| pair.split_once('=').unwrap().0).collect();
    assert_eq!(names, ["SAMLRequest", "RelayState", "SigAlg"]);
    assert!(signed.ends_with("SigAlg=http%3A%2F%2Fwww.w3.org%2F2001%2F04%2Fxmldsig-more%23rsa-sha256"));
    let query: Vec<(String, String)> = Url::parse(&url).unwrap().query_pairs().into_owned().collect();
    let value = |name: &str| query.iter().find(|(key, _)| key == name).unwrap().1.clone();
    let is_signed = |query: &str| ReceivedAuthnRequest::is_redirect_signed_by(query, key.certificate());
    let (_, whole) = url.split_once('?').unwrap();
    assert!(is_signed(whole));
    assert!(!is_signed(&whole.replace("RelayState=s", "RelayState=t")));
    assert!(!is_signed(&whole.replace("rsa-sha256", "rsa-sha1")));
    assert!(!is_signed(signed));
    let other = TrustedCertificate::parse(include_str!("keys/idp.crt")).unwrap();
    assert!(!ReceivedAuthnRequest::is_redirect_signed_by(whole, &other));
    assert_eq!(value("login_hint"), "jane+x@example.test");
    assert!(rest.contains("login_hint="), "the hint is not part of what is signed");
    assert_eq!(received(&url).relay_state.as_deref(), Some("state &=+/"));
    // Without RelayState it is not in the signed text either.
    let url = request.redirect_url(None, None, Some(&key)).unwrap();
    assert!(url.contains("&SigAlg=") && !url.contains("RelayState"));
}

#[test]
fn a_form_carries_the_request_signed_or_not() {
    let request = AuthnRequest { idp_sso_url: "https://idp.example.test/sso?tenant=a#x", ..REQUEST };
    let plain = request.post_form(Some("s"), None, None).unwrap();
    assert_eq!(plain.action, "https://idp.example.test/sso?tenant=a");
    assert_eq!(STANDARD.decode(&plain.saml_request).unwrap(), request.to_xml().as_bytes());
    let form = request.post_form(Some("s"), Some("jane@example.test"), Some(&sp_key())).unwrap();
    assert_eq!(form.action, "https://idp.example.test/sso?tenant=a&login_hint=jane%40example.test");
    let xml = String::from_utf8(STANDARD.decode(&form.saml_request).unwrap()).unwrap();
    // The schema has the signature behind the Issuer.
    assert!(xml.contains("</saml:Issuer><ds:Signature "));
    assert_eq!(ReceivedAuthnRequest::from_xml(xml.as_bytes()).unwrap().id, request.id);
    for idp_sso_url in ["javascript:alert(1)", "/sso"] {
        let request = AuthnRequest { idp_sso_url, ..REQUEST };
        assert_eq!(request.post_form(None, None, None), Err(AuthnRequestError::SsoUrl));
    }
    let long = "x".repeat(81);
    assert_eq!(request.post_form(Some(&long), None, None), Err(AuthnRequestError::RelayStateTooLong { got: 81 }));
}

#[test]
fn a_request_longer_than_a_stored_block_inflates_to_itself() {
    let acs_url = format!("https://sp.example.test/{}", "a".repeat(150_000));
    let request = AuthnRequest { acs_url: &acs_url, ..REQUEST };
    let url = url::Url::parse(&request.redirect_url(None, None, None).unwrap()).unwrap();
    let (_, deflated) = url.query_pairs().find(|(name, _)| name == "SAMLRequest").unwrap();
    let deflated = STANDARD.decode(deflated.as_bytes()).unwrap();
    let mut inflated = String::new();
    flate2::read::DeflateDecoder::new(deflated.as_slice()).read_to_string(&mut inflated).unwrap();
    assert_eq!(inflated, request.to_xml());
}

fn query(xml: &[u8]) -> String {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(xml).unwrap();
    let request = STANDARD.encode(encoder.finish().unwrap());
    url::form_urlencoded::Serializer::new(String::new()).append_pair("SAMLRequest", &request).finish()
}

#[test]
fn the_idp_refuses_what_is_no_request() {
    let refused = |query: &str| ReceivedAuthnRequest::from_redirect_query(query).unwrap_err();
    assert_eq!(refused("RelayState=x"), IdpError::RequestMissing);
    assert!(matches!(refused("SAMLRequest=!"), IdpError::RequestEncoding(_)));
    assert!(matches!(refused("SAMLRequest=AAAA"), IdpError::RequestEncoding(_) | IdpError::Xml(_)));
    // A bomb: 10 MB of spaces in 10 KB.
    let bomb = query(&vec![b' '; 10_000_000]);
    assert!(bomb.len() < 20_000);
    assert_eq!(refused(&bomb), IdpError::RequestEncoding("it inflates to more than 64 KB"));
    assert!(matches!(refused(&query(b"<!DOCTYPE x><x/>")), IdpError::Xml(_)));
    assert!(matches!(refused(&query(b"<x/>")), IdpError::NotAnAuthnRequest(_)));
    let xml = REQUEST.to_xml();
    for broken in [
        xml.replace(" ID=\"_0a1b\"", ""),
        xml.replace("Version=\"2.0\"", "Version=\"1.1\""),
        xml.replace("saml:Issuer>", "saml:Other>"),
    ] {
        assert!(matches!(refused(&query(broken.as_bytes())), IdpError::NotAnAuthnRequest(_)));
    }
}
