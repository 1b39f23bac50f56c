//! Styles of Responses that must pass.

use doorward_saml::idp::{
    IssuedAttribute, IssuedResponse, RsaDigest, SignedPart, sign_by_id, sign_by_id_with_prefixes,
};
use serde_json::{Value, json};

use crate::edit::replace;
use crate::{Case, Scene};

/// The person.
pub const NAME_ID: &str = "jane.doe@example.test";
/// The Assertion.
pub const ASSERTION_ID: &str = "_assertion1";
/// The Response.
pub const RESPONSE_ID: &str = "_response1";
const GROUPS: [&str; 3] = ["engineering", "R&D <platform>", "Zürich"];

/// What the bases say, not signed yet.
pub(crate) fn plain(scene: &Scene) -> String {
    let groups: Vec<String> = GROUPS.iter().map(|group| (*group).to_owned()).collect();
    issued(
        scene,
        &[
            IssuedAttribute { name: "mail".to_owned(), values: vec![NAME_ID.to_owned()] },
            IssuedAttribute { name: "groups".to_owned(), values: groups },
        ],
    )
}

fn issued(scene: &Scene, attributes: &[IssuedAttribute]) -> String {
    issued_at(scene, scene.now_ms, attributes)
}

fn issued_at(scene: &Scene, now_ms: i64, attributes: &[IssuedAttribute]) -> String {
    IssuedResponse {
        response_id: RESPONSE_ID,
        assertion_id: ASSERTION_ID,
        issuer: &scene.idp_entity_id,
        acs_url: &scene.acs_url,
        audience: &scene.sp_entity_id,
        in_response_to: Some(&scene.request_id),
        issue_instant_ms: now_ms - 2000,
        not_on_or_after_ms: now_ms + 300_000,
        authn_instant_ms: now_ms - 60_000,
        session_index: "_session1",
        session_not_on_or_after_ms: Some(now_ms + 28_800_000),
        name_id: NAME_ID,
        attributes,
        ..IssuedResponse::default()
    }
    .to_unsigned_xml()
}

pub(crate) fn case(name: &str, about: &str, xml: String) -> Case {
    Case::new(name, about, xml)
        .with("name_id", NAME_ID.into())
        .with("assertion_id", ASSERTION_ID.into())
        .with("groups", json!(GROUPS))
}

pub(crate) fn cases(scene: &Scene) -> Vec<Case> {
    let signed = |xml: &str, part, digest| scene.signed(xml, part, digest);
    let assertion = |xml: &str| signed(xml, SignedPart::Assertion, RsaDigest::Sha256);
    let both = |xml: &str, digest| signed(xml, SignedPart::Both, digest);
    let plain = plain(scene);
    let mut cases = vec![
        case("assertion-signed", "the Assertion is signed, as most IdPs do", assertion(&plain)),
        case("response-signed", "only the Response is signed", signed(&plain, SignedPart::Response, RsaDigest::Sha256)),
        case("both-signed", "Assertion and Response are signed", both(&plain, RsaDigest::Sha256)),
        case("both-signed-sha384", "SHA-384 throughout", both(&plain, RsaDigest::Sha384)),
        case("both-signed-sha512", "SHA-512 throughout", both(&plain, RsaDigest::Sha512)),
        case(
            "mixed-digest",
            "the content's digest is SHA-512, the signature's SHA-256",
            scene.resign(&assertion(&plain), |info| {
                let to = "http://www.w3.org/2001/04/xmlenc#sha512";
                let info = replace(info, "http://www.w3.org/2001/04/xmlenc#sha256", to);
                let digest = |xml: &str| {
                    let value = crate::edit::between(xml, "<ds:DigestValue>", "</ds:DigestValue>");
                    value.to_owned()
                };
                let sha512 = signed(&plain, SignedPart::Assertion, RsaDigest::Sha512);
                replace(&info, &digest(&info), &digest(&sha512))
            }),
        ),
        unsolicited(scene, &plain),
        case("key-rollover", "two certificates are configured and the second one signs", assertion(&plain))
            .with("certificates", json!(["foreign", "idp"])),
        case("mixed-key-kinds", "an elliptic key is configured beside the RSA key that signs", assertion(&plain))
            .with("certificates", json!(["ec", "idp"])),
        case(
            "xml-declaration",
            "an XML declaration and a comment around the root",
            format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- x -->{}\n", assertion(&plain)),
        ),
        case(
            "comment-between-elements",
            "a comment where there is no text; canonical form drops it",
            replace(&assertion(&plain), "<saml:Conditions ", "<!-- x --><saml:Conditions "),
        ),
        case("pretty-printed", "line breaks and indentation, signed as they are", pretty(scene, &plain)),
        case("windows-line-ends", "the same with CR LF", pretty(scene, &plain).replace('\n', "\r\n")),
        case("default-namespaces", "no prefixes, as Entra writes it", default_namespaces(scene, &plain)),
        case(
            "declared-on-response",
            "the Assertion leans on declarations of the Response; xsi:type",
            typed(scene, &plain),
        ),
        case("inclusive-namespaces", "a PrefixList, as Okta and Shibboleth write it", inclusive(scene, &plain)),
        many_groups(scene),
        expired_certificate(scene),
        case(
            "valid-for-years",
            "the conditions hold until 2040, so only the age of the Assertion ends them",
            assertion(
                &plain
                    .replace(&scene.time(300_000), "2040-01-01T00:00:00Z")
                    .replace(&format!(" SessionNotOnOrAfter=\"{}\"", scene.time(28_800_000)), ""),
            ),
        ),
    ];
    cases.extend(lenient(scene, &plain));
    cases
}

fn unsolicited(scene: &Scene, plain: &str) -> Case {
    let request_id = &scene.request_id;
    let xml = plain.replace(&format!(" InResponseTo=\"{request_id}\""), "");
    let xml = scene.signed(&xml, SignedPart::Assertion, RsaDigest::Sha256);
    case("unsolicited", "IdP-initiated: answers no request", xml).with("in_response_to", Value::Null)
}

const LONGEST_ID: &str = concat!(
    "_23456789_123456789_123456789_123456789_123456789_123456789_1234",
    "56789_123456789_123456789_123456789_123456789_123456789_12345678",
    "9_123456789_123456789_123456789_123456789_123456789_123456789_12",
    "3456789_123456789_123456789_123456789_123456789_123456789_123456",
);

fn signed_as(scene: &Scene, xml: &str, id: &str) -> String {
    sign_by_id(xml, id, &scene.key("idp"), RsaDigest::Sha256).unwrap()
}

/// What the standard allows and IdPs make use of.
fn lenient(scene: &Scene, plain: &str) -> Vec<Case> {
    let Scene { acs_url, idp_entity_id, sp_entity_id, .. } = scene;
    let long = "x".repeat(1024);
    let prefixes: Vec<String> = (0..32).map(|n| format!("p{n}")).collect();
    let prefixes: Vec<&str> = prefixes.iter().map(String::as_str).collect();
    let assertion = |xml: &str| scene.signed(xml, SignedPart::Assertion, RsaDigest::Sha256);
    vec![
        case(
            "no-destination-unsigned-response",
            "Destination may be absent from a Response that is not signed itself",
            assertion(&replace(plain, &format!(" Destination=\"{acs_url}\""), "")),
        ),
        case(
            "no-response-issuer",
            "the Response's Issuer may be absent",
            assertion(&plain.replacen(&format!("<saml:Issuer>{idp_entity_id}</saml:Issuer>"), "", 1)),
        ),
        case(
            "several-audiences",
            "we are one of the audiences, twice over",
            assertion(&replace(
                plain,
                "<saml:AudienceRestriction>",
                &format!(
                    "<saml:OneTimeUse/><saml:ProxyRestriction Count=\"0\"/><saml:AudienceRestriction><saml:Audience>\
                     {sp_entity_id}</saml:Audience></saml:AudienceRestriction><saml:AudienceRestriction>\
                     <saml:Audience>https://other.example.test</saml:Audience>"
                ),
            )),
        ),
        case(
            "holder-of-key-beside-bearer",
            "a confirmation by another method is ignored",
            assertion(&replace(
                plain,
                "<saml:SubjectConfirmation Method",
                "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:holder-of-key\"/>\
                 <saml:SubjectConfirmation Method",
            )),
        ),
        case(
            "structured-attribute-value",
            "a value with elements in it is left out, the others stay",
            assertion(&replace(
                plain,
                "<saml:Attribute Name=\"groups\">",
                "<saml:Attribute Name=\"groups\"><saml:AttributeValue><saml:NameID>x</saml:NameID>\
                 </saml:AttributeValue><saml:AttributeValue xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
                 xsi:nil=\"true\"/>",
            )),
        ),
        case("clock-behind", "the first millisecond with the skew", assertion(plain))
            .with("now_ms", (scene.now_ms - 62_000).into()),
        case(
            "longest-id",
            "an ID of 256 characters",
            signed_as(scene, &replace(plain, &format!("\"{ASSERTION_ID}\""), &format!("\"{LONGEST_ID}\"")), LONGEST_ID),
        )
        .with("assertion_id", LONGEST_ID.into()),
        case(
            "longest-name-id",
            "a NameID of 1024 bytes",
            assertion(&plain.replacen(&format!(">{NAME_ID}</saml:NameID>"), &format!(">{long}</saml:NameID>"), 1)),
        )
        .with("name_id", long.as_str().into()),
        case(
            "longest-prefix-list",
            "a PrefixList of 32 prefixes",
            sign_by_id_with_prefixes(plain, ASSERTION_ID, &scene.key("idp"), RsaDigest::Sha256, &prefixes).unwrap(),
        ),
        case("clock-ahead", "the last millisecond with the skew", assertion(plain))
            .with("now_ms", (scene.now_ms + 359_999).into()),
    ]
}

fn pretty(scene: &Scene, plain: &str) -> String {
    let xml = plain.replace("><", ">\n  <");
    scene.signed(&xml, SignedPart::Both, RsaDigest::Sha256)
}

fn default_namespaces(scene: &Scene, plain: &str) -> String {
    let xml = replace(plain, "<saml:Assertion ", "<Assertion xmlns=\"urn:oasis:names:tc:SAML:2.0:assertion\" ");
    let (envelope, rest) = xml.split_once("<Assertion ").unwrap();
    let envelope = envelope.replace("<saml:Issuer>", "<Issuer xmlns=\"urn:oasis:names:tc:SAML:2.0:assertion\">");
    let envelope = envelope.replace("</saml:Issuer>", "</Issuer>");
    let rest = rest.replace("<saml:", "<").replace("</saml:", "</");
    let xml = format!("{envelope}<Assertion {rest}");
    let xml = replace(&xml, " xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"", "");
    scene.signed(&xml, SignedPart::Both, RsaDigest::Sha256)
}

const TYPED: &str = " xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" \
                     xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";

fn typed(scene: &Scene, plain: &str) -> String {
    let xml = replace(plain, "<samlp:Response", &format!("<samlp:Response{TYPED}"));
    let xml = xml.replace("<saml:AttributeValue>", "<saml:AttributeValue xsi:type=\"xs:string\">");
    scene.signed(&xml, SignedPart::Both, RsaDigest::Sha256)
}

fn inclusive(scene: &Scene, plain: &str) -> String {
    let xml = replace(plain, "<samlp:Response", &format!("<samlp:Response{TYPED}"));
    let xml = xml.replace("<saml:AttributeValue>", "<saml:AttributeValue xsi:type=\"xs:string\">");
    let key = scene.key("idp");
    let digest = RsaDigest::Sha256;
    let xml = sign_by_id_with_prefixes(&xml, ASSERTION_ID, &key, digest, &["xs"]).unwrap();
    sign_by_id_with_prefixes(&xml, RESPONSE_ID, &key, digest, &["xs", "saml"]).unwrap()
}

/// IdPs go on signing with expired certificates; only the key counts.
fn expired_certificate(scene: &Scene) -> Case {
    /// 2047-01-01T00:00:00Z, when no certificate of `tests/keys` is valid any more.
    const LATER_MS: i64 = 2_429_913_600_000;
    let xml = scene.signed(&issued_at(scene, LATER_MS, &[]), SignedPart::Assertion, RsaDigest::Sha256);
    case("expired-certificate", "the certificate's dates are not looked at", xml)
        .with("now_ms", LATER_MS.into())
        .with("groups", json!([]))
}

/// A person in 300 groups, each value declaring two namespaces again, as OpenSAML and .NET write them.
fn many_groups(scene: &Scene) -> Case {
    let groups: Vec<String> = (0..300).map(|n| format!("group-{n}")).collect();
    let xml = issued(scene, &[IssuedAttribute { name: "groups".to_owned(), values: groups.clone() }]);
    let value = format!("<saml:AttributeValue{TYPED} xsi:type=\"xs:string\">");
    let xml = xml.replace("<saml:AttributeValue>", &value);
    let xml = scene.signed(&xml, SignedPart::Assertion, RsaDigest::Sha256);
    case("many-groups", "300 groups with two declarations each", xml).with("groups", json!(groups))
}
