//! Documents made to be expensive. Those that an IdP could sign are signed, so that canonicalization has to happen: the
//! IdP of one organization may be hostile to the others.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use doorward_saml::SamlKey;
use doorward_saml::idp::{RsaDigest, sign_by_id};

/// The largest document accepted.
const LIMIT: usize = 256 * 1024;

/// Name, the code it is refused with, and the form value.
pub(crate) fn documents(key: &SamlKey) -> Vec<(&'static str, &'static str, String)> {
    let sized = |unit: &dyn Fn(usize) -> String, most: usize, room: usize| {
        let mut filled = String::new();
        for n in 0..most {
            let next = unit(n);
            if filled.len() + next.len() > LIMIT - room {
                break;
            }
            filled.push_str(&next);
        }
        filled
    };
    let prefixes: String = (0..28).map(|n| format!(" xmlns:prefix{n:02}=\"urn:{n:02}{}\"", "u".repeat(240))).collect();
    let short: String = (0..28).map(|n| format!(" xmlns:prefix{n:02}=\"urn:{n}\"")).collect();
    let forty: String = (0..40).map(|n| format!(" {}:a{n}=\"\"", prefix(27))).collect();
    let text_heavy = sized(&|_| "&#38;&gt;\r\r".to_owned(), usize::MAX, 8000);
    let elements = sized(&|_| format!("<{}:e/>", prefix(27)), 4050, 20_000);
    let attributes = sized(&|_| format!("<e{forty}/>"), 99, 20_000);
    let attribute_text = sized(&|_| format!("<e a=\"{}\"/>", "\t&quot;".repeat(8)), 4000, 8000);
    let redeclared =
        sized(&|n| format!("<e xmlns:x=\"urn:{n}\" xmlns:y=\"urn:{n}y\" xmlns:z=\"urn:z{n}\"/>"), 670, 20_000);
    let ids = sized(&|n| format!("<e ID=\"{:040}\"/>", 99_999 - n), 4050, 8000);
    let nested = sized(&|_| format!("{}{}", "<e>".repeat(28), "</e>".repeat(28)), 144, 8000);
    let comments = format!("{}{}", "<!---->".repeat(60), "<e/>".repeat(4000));
    let values = sized(&|_| format!("<saml:AttributeValue>{}</saml:AttributeValue>", "v".repeat(20)), 4000, 8000);
    let changed = "digest_mismatch";
    let mut documents = vec![
        ("text", changed, signed(key, "", &text_heavy)),
        ("elements", changed, signed(key, &short, &elements)),
        ("elements-expanding", "canonical_form_too_large", signed(key, &prefixes, &elements)),
        ("attributes", changed, signed(key, &prefixes, &attributes)),
        ("attribute-text", changed, signed(key, "", &attribute_text)),
        ("redeclared-namespaces", changed, signed(key, "", &redeclared)),
        ("ids", changed, signed(key, "", &ids)),
        ("nested", changed, signed(key, "", &nested)),
        ("comments", changed, signed(key, "", &comments)),
        ("expanding-canonical-form", "canonical_form_too_large", {
            // Each child declares all the prefixes of the root again in canonical form.
            let used: String = (0..28).map(|n| format!(" {}:a=\"\"", prefix(n))).collect();
            signed(key, &prefixes, &sized(&|_| format!("<e{used}/>"), 140, 20_000))
        }),
        ("unsigned-elements", "signature_missing", unsigned(&prefixes, &elements)),
        ("genuine-values", "audience_mismatch", all_checks(key, "", &values)),
        ("genuine-attributes", "audience_mismatch", {
            all_checks(key, &short, &format!("<saml:AttributeValue>{attributes}</saml:AttributeValue>"))
        }),
        ("genuine-attributes-long-uri", "audience_mismatch", {
            all_checks(key, &prefixes, &format!("<saml:AttributeValue>{attributes}</saml:AttributeValue>"))
        }),
        ("genuine-attribute-text", "audience_mismatch", {
            all_checks(key, "", &format!("<saml:AttributeValue>{attribute_text}</saml:AttributeValue>"))
        }),
        ("genuine-text", "audience_mismatch", {
            let text = sized(&|_| "&#38;&gt;\r\r".to_owned(), usize::MAX, 140_000);
            all_checks(key, "", &format!("<saml:AttributeValue>{text}</saml:AttributeValue>"))
        }),
    ];
    let wide: String = (0..20_000).map(|n| format!(" a{n}=\"\"")).collect();
    let wide = format!("<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\"{wide}/>");
    documents.push(("wide-tag", "xml_too_many_attributes", STANDARD.encode(wide)));
    documents
}

fn prefix(n: usize) -> String {
    format!("prefix{n:02}")
}

const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";

fn document(declarations: &str, content: &str) -> String {
    format!(
        "<samlp:Response xmlns:samlp=\"{PROTOCOL}\" xmlns:saml=\"{ASSERTION}\"{declarations} ID=\"_r\" Version=\"2.0\">\
         <saml:Issuer>i</saml:Issuer><samlp:Extensions>{content}</samlp:Extensions><samlp:Status><samlp:StatusCode \
         Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:Status><saml:Assertion ID=\"_a\" Version=\"2.0\">\
         <saml:Issuer>i</saml:Issuer></saml:Assertion></samlp:Response>"
    )
}

fn unsigned(declarations: &str, content: &str) -> String {
    STANDARD.encode(document(declarations, content))
}

/// Both parts are signed. The signatures are of a small document, so SignedInfo passes, and then the content does not.
fn signed(key: &SamlKey, declarations: &str, content: &str) -> String {
    let small = document(declarations, "");
    let small = sign_by_id(&small, "_a", key, RsaDigest::Sha256).unwrap();
    let small = sign_by_id(&small, "_r", key, RsaDigest::Sha256).unwrap();
    let xml = small.replacen("<samlp:Extensions>", &format!("<samlp:Extensions>{content}"), 1);
    assert!(xml.len() <= LIMIT, "{}", xml.len());
    STANDARD.encode(xml)
}

/// A large Assertion that passes every check but the last but one; both parts are signed as they are.
fn all_checks(key: &SamlKey, declarations: &str, values: &str) -> String {
    use doorward_saml::idp::{IssuedAttribute, IssuedResponse};
    let attributes = [IssuedAttribute { name: "groups".to_owned(), values: vec![String::new()] }];
    let xml = IssuedResponse {
        response_id: "_r",
        assertion_id: "_a",
        issuer: "https://idp.example.test/saml",
        acs_url: "https://sp.example.test/acs",
        audience: "https://other.example.test",
        in_response_to: Some("_req1"),
        issue_instant_ms: 1_795_503_600_000,
        not_on_or_after_ms: 1_795_503_900_000,
        authn_instant_ms: 1_795_503_600_000,
        name_id: "x",
        attributes: &attributes,
        ..IssuedResponse::default()
    }
    .to_unsigned_xml();
    let xml = xml.replacen("<saml:AttributeValue></saml:AttributeValue>", values, 1);
    let xml = xml.replacen("<samlp:Response", &format!("<samlp:Response{declarations}"), 1);
    let xml = sign_by_id(&xml, "_a", key, RsaDigest::Sha256).unwrap();
    let xml = sign_by_id(&xml, "_r", key, RsaDigest::Sha256).unwrap();
    assert!(xml.len() <= LIMIT, "{}", xml.len());
    STANDARD.encode(xml)
}
