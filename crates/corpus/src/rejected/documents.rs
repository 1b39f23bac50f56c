//! XML and its encoding: text and markup that software reads differently, and documents that are no documents.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use doorward_saml::idp::{RsaDigest, SignedPart};

use super::{Bases, EVIL, case};
use crate::Case;
use crate::accepted::NAME_ID;
use crate::edit::{assertion, replace};

/// Text that reads differently to different software. Comments do not change canonical form, so signatures still hold.
pub(super) fn text_tricks(bases: &Bases<'_>) -> Vec<Case> {
    let xml = &bases.assertion;
    let in_name_id = |to: &str| xml.replacen(&format!(">{NAME_ID}</saml:NameID>"), &format!(">{to}</saml:NameID>"), 1);
    let in_name_id_signed = |to: &str| {
        let plain = bases.plain.replacen(&format!(">{NAME_ID}</saml:NameID>"), &format!(">{to}</saml:NameID>"), 1);
        bases.scene.signed(&plain, SignedPart::Assertion, RsaDigest::Sha256)
    };
    let genuine = |from: &str, to: &str| {
        bases.scene.signed(&replace(&bases.plain, from, to), SignedPart::Assertion, RsaDigest::Sha256)
    };
    let insert = |before: &str, text: &str| {
        let at = xml.find(before).unwrap() + before.len();
        // behind the first characters of the value
        format!("{}{text}{}", &xml[..at + 4], &xml[at + 4..])
    };
    vec![
        case(
            "comment-in-name-id",
            "comment_in_text",
            "jane<!-- -->.doe@…: the rest is cut off by careless software (CVE-2017-11427, CVE-2026-57580)",
            in_name_id("jane<!-- x -->.doe@example.test"),
        ),
        case(
            "comment-before-name-id",
            "comment_in_text",
            "a comment in front",
            in_name_id(&format!("<!---->{NAME_ID}")),
        ),
        case(
            "comment-in-attribute-value",
            "comment_in_text",
            "the same in an attribute",
            replace(xml, "<saml:AttributeValue>engineering", "<saml:AttributeValue>engi<!-- -->neering"),
        ),
        case(
            "comment-in-audience",
            "comment_in_text",
            "the same in the audience",
            insert("<saml:Audience>", "<!-- -->"),
        ),
        case(
            "comment-in-issuer",
            "comment_in_text",
            "the same in the Issuer",
            insert("Version=\"2.0\"><saml:Issuer>", "<!-- -->"),
        ),
        case(
            "comment-in-digest",
            "comment_in_text",
            "in DigestValue (CVE-2025-29774)",
            insert("<ds:DigestValue>", "<!-- -->"),
        ),
        case(
            "comment-in-signature-value",
            "comment_in_text",
            "in SignatureValue",
            insert("<ds:SignatureValue>", "<!-- -->"),
        ),
        case(
            "comment-in-empty-value",
            "comment_in_text",
            "nothing but a comment",
            replace(
                xml,
                "<saml:AttributeValue>engineering</saml:AttributeValue>",
                "<saml:AttributeValue><!--engineering--></saml:AttributeValue>",
            ),
        ),
        case(
            "comment-in-mixed-content",
            "comment_in_text",
            "a comment beside text and elements",
            replace(
                &genuine(
                    "<saml:AttributeValue>engineering",
                    "<saml:AttributeValue>engineering<saml:NameID>x</saml:NameID>",
                ),
                "</saml:NameID></saml:AttributeValue>",
                "</saml:NameID><!-- --></saml:AttributeValue>",
            ),
        ),
        case(
            "cdata-in-name-id",
            "xml_cdata",
            "CDATA is text to some and markup to others",
            in_name_id("<![CDATA[jane.doe]]>@example.test"),
        ),
        case(
            "cdata-in-attribute-value",
            "xml_cdata",
            "the same in an attribute",
            replace(xml, "<saml:AttributeValue>engineering", "<saml:AttributeValue><![CDATA[engineering]]>"),
        ),
        case(
            "element-in-name-id-signed",
            "name_id_invalid",
            "markup inside of NameID",
            in_name_id_signed("jane<b xmlns=\"urn:b\"/>.doe@example.test"),
        ),
        case("name-id-empty-signed", "name_id_invalid", "nobody", in_name_id_signed("")),
        case("name-id-blank-signed", "name_id_invalid", "only white space", in_name_id_signed(" \n ")),
        case(
            "name-id-control-character-signed",
            "name_id_invalid",
            "a line break inside",
            in_name_id_signed("jane\ndoe"),
        ),
        case(
            "name-id-too-long-signed",
            "name_id_invalid",
            "longer than any store expects",
            in_name_id_signed(&"x".repeat(1025)),
        ),
    ]
}

pub(super) fn xml_tricks(bases: &Bases<'_>) -> Vec<Case> {
    let xml = &bases.assertion;
    let extensions = |content: &str| {
        replace(xml, "<samlp:Status>", &format!("<samlp:Extensions>{content}</samlp:Extensions><samlp:Status>"))
    };
    let lol: String = (1..10)
        .map(|n| {
            let reference = format!("&lol{};", n - 1).repeat(10);
            format!("<!ENTITY lol{n} \"{reference}\">")
        })
        .collect();
    let declarations: String = (0..33).map(|n| format!(" xmlns:p{n}=\"urn:p\"")).collect();
    let attributes: String = (0..41).map(|n| format!(" a{n}=\"\"")).collect();
    vec![
        case("doctype", "xml_doctype", "a DOCTYPE, even an empty one", format!("<!DOCTYPE x>{xml}")),
        case(
            "entity-in-name-id",
            "xml_doctype",
            "an entity in NameID that is another person",
            format!("<!DOCTYPE x [<!ENTITY e \"{EVIL}\">]>{}", xml.replacen(NAME_ID, "&e;", 1)),
        ),
        case(
            "external-entity",
            "xml_doctype",
            "an entity that is a file",
            format!("<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>{}", xml.replacen(NAME_ID, "&e;", 1)),
        ),
        case(
            "attribute-default",
            "xml_doctype",
            "a DTD that gives an element the signed id (ATTLIST default)",
            format!("<!DOCTYPE x [<!ATTLIST saml:Subject ID ID \"_assertion1\">]>{xml}"),
        ),
        case(
            "parameter-entity",
            "xml_doctype",
            "a DTD whose declarations come from elsewhere",
            format!("<!DOCTYPE x [<!ENTITY % e SYSTEM \"http://127.0.0.1:1/x.dtd\"> %e;]>{xml}"),
        ),
        case(
            "billion-laughs",
            "xml_doctype",
            "entities that multiply",
            format!("<!DOCTYPE x [<!ENTITY lol0 \"lol\">{lol}]>{}", xml.replacen(NAME_ID, "&lol9;", 1)),
        ),
        case(
            "undeclared-entity",
            "xml_entity_reference",
            "an entity without DOCTYPE",
            xml.replacen(NAME_ID, "&nbsp;", 1),
        ),
        case(
            "null-character-reference",
            "xml_entity_reference",
            "a character XML does not have",
            xml.replacen(NAME_ID, "jane&#0;", 1),
        ),
        case(
            "processing-instruction-in-name-id",
            "xml_processing_instruction",
            "a PI splits text like a comment",
            xml.replacen(NAME_ID, "jane<?x?>.doe@example.test", 1),
        ),
        case(
            "stylesheet",
            "xml_processing_instruction",
            "a stylesheet in front",
            format!("<?xml-stylesheet href=\"x\"?>{xml}"),
        ),
        case(
            "latin-1",
            "xml_encoding",
            "declared to be in another encoding",
            format!("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>{xml}"),
        ),
        case(
            "too-deep",
            "xml_too_deep",
            "33 levels",
            extensions(&format!("{}{}", "<x>".repeat(31), "</x>".repeat(31))),
        ),
        case("too-wide", "xml_too_many_attributes", "41 attributes on a tag", extensions(&format!("<x{attributes}/>"))),
        case(
            "too-many-namespaces",
            "xml_too_many_namespaces",
            "33 declarations in scope",
            extensions(&format!("<x{declarations}/>")),
        ),
        case("too-many-elements", "xml_too_many_elements", "more than 4096 elements", extensions(&"<x/>".repeat(4096))),
        case(
            "default-namespace-twice",
            "xml_namespace_declaration",
            "xmlns twice on a tag",
            extensions("<x xmlns=\"urn:a\" xmlns=\"urn:b\"/>"),
        ),
        case(
            "prefixed-xmlns",
            "xml_namespace_declaration",
            "an attribute named xmlns in a namespace",
            extensions("<x xmlns:e=\"urn:e\" e:xmlns=\"urn:a\"/>"),
        ),
        case(
            "attribute-twice",
            "xml_malformed",
            "an attribute twice (not well-formed)",
            replace(xml, "<saml:Assertion ", "<saml:Assertion Version=\"2.0\" "),
        ),
        case("undeclared-prefix", "xml_malformed", "a prefix without declaration", extensions("<x:x/>")),
        case("cut-off", "xml_malformed", "the end is missing", xml[..xml.len() - 20].to_owned()),
        case("second-root", "xml_malformed", "something behind the root", format!("{xml}<x/>")),
        case("text-behind-root", "xml_malformed", "text behind the root", format!("{xml}x")),
        case("empty-document", "xml_malformed", "nothing at all", String::new()),
        case(
            "not-a-response",
            "not_a_response",
            "just the signed Assertion",
            assertion(xml).replacen(
                "<saml:Assertion ",
                "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ",
                1,
            ),
        ),
        case(
            "response-of-other-namespace",
            "not_a_response",
            "the right name in another namespace",
            replace(xml, "urn:oasis:names:tc:SAML:2.0:protocol", "urn:oasis:names:tc:SAML:3.0:protocol"),
        ),
    ]
}

pub(super) fn encoding(bases: &Bases<'_>) -> Vec<Case> {
    let good = STANDARD.encode(&bases.assertion);
    let coded = |name: &str, error: &str, about: &str, base64: String| Case {
        base64: Some(base64),
        ..case(name, error, about, String::new())
    };
    let utf16: Vec<u8> = bases.assertion.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let mut latin1 = bases.assertion.replacen("Zürich", "Z\u{1}rich", 1).into_bytes();
    latin1.iter_mut().filter(|byte| **byte == 1).for_each(|byte| *byte = 0xFC);
    vec![
        coded("base64-garbage", "base64_invalid", "a character outside of the alphabet", format!("!{good}")),
        coded("base64-url-alphabet", "base64_invalid", "the other alphabet", format!("__--{good}")),
        coded(
            "base64-two-values",
            "base64_invalid",
            "two documents in a row",
            format!("{}{good}", STANDARD.encode("<a/>")),
        ),
        coded("base64-truncated", "base64_invalid", "a character is missing", good[..good.len() - 1].to_owned()),
        coded("base64-empty", "xml_malformed", "an empty form value", String::new()),
        coded("plain-xml", "base64_invalid", "XML that is not encoded", bases.assertion.clone()),
        coded("utf-16", "xml_encoding", "UTF-16", STANDARD.encode(utf16)),
        coded("invalid-utf-8", "xml_encoding", "a byte that is not UTF-8", STANDARD.encode(latin1)),
        coded("deflated", "xml_encoding", "compressed as for HTTP-Redirect", {
            use std::io::Write;
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(bases.assertion.as_bytes()).unwrap();
            STANDARD.encode(encoder.finish().unwrap())
        }),
    ]
}
