//! Signatures of a wrong shape, by a wrong algorithm or by a wrong key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use doorward_saml::idp::{RsaDigest, sign_by_id};
use serde_json::json;

use super::{Bases, EVIL, case, on};
use crate::accepted::{ASSERTION_ID, NAME_ID, RESPONSE_ID};
use crate::edit::{between, replace, resign};
use crate::{Case, key};

/// SignedInfo and Reference of a wrong shape. "Signed" means that the IdP's own key signed it like that.
pub(super) fn references(bases: &Bases) -> Vec<Case> {
    let xml = &bases.assertion;
    let reference = between(xml, "<ds:Reference ", "</ds:Reference>").to_owned();
    let signed_info = between(xml, "<ds:SignedInfo>", "</ds:SignedInfo>").to_owned();
    let edit = |from: &str, to: &str| resign(xml, |info| replace(info, from, to));
    let enveloped = "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>";
    let exclusive = "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform>";
    let transform = |uri: &str, content: &str| format!("<ds:Transform Algorithm=\"{uri}\">{content}</ds:Transform>");
    let issuer_digest = {
        // The digest of an element that says nothing about a person.
        let small = "<saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_issuer\">x</saml:Issuer>";
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, small.as_bytes());
        STANDARD.encode(digest)
    };
    let digest_value = between(xml, "<ds:DigestValue>", "</ds:DigestValue>").to_owned();
    vec![
        case(
            "two-references-signed",
            "signature_malformed",
            "two References, both genuine (CVE-2026-33487)",
            edit(&reference, &format!("{reference}{reference}")),
        ),
        case("no-reference-signed", "signature_malformed", "a SignedInfo that refers to nothing", edit(&reference, "")),
        case(
            "two-signed-infos",
            "signature_malformed",
            "a forged SignedInfo in front of the signed one (CVE-2025-29775)",
            replace(xml, "<ds:SignedInfo>", &format!("{signed_info}<ds:SignedInfo>")),
        ),
        case(
            "signed-info-behind-value",
            "signature_malformed",
            "SignedInfo is not the first child",
            replace(xml, "</ds:SignatureValue>", &format!("</ds:SignatureValue>{signed_info}")),
        ),
        case(
            "object-in-signature",
            "signature_malformed",
            "an Object, where content can hide",
            replace(xml, "</ds:KeyInfo>", "</ds:KeyInfo><ds:Object/>"),
        ),
        case(
            "text-in-signature",
            "signature_malformed",
            "text between the children of Signature",
            replace(xml, "<ds:SignatureValue>", "x<ds:SignatureValue>"),
        ),
        case(
            "empty-reference-uri-signed",
            "reference_uri_mismatch",
            "an empty URI means the whole document, whatever is in it",
            edit("URI=\"#_assertion1\"", "URI=\"\""),
        ),
        case(
            "missing-reference-uri-signed",
            "signature_malformed",
            "no URI: the application is to know",
            edit(" URI=\"#_assertion1\"", ""),
        ),
        case(
            "external-reference-signed",
            "reference_uri_mismatch",
            "a URI elsewhere: verifying must not fetch",
            edit("URI=\"#_assertion1\"", "URI=\"http://127.0.0.1:1/x#_assertion1\""),
        ),
        case(
            "file-reference-signed",
            "reference_uri_mismatch",
            "a URI of a file",
            edit("URI=\"#_assertion1\"", "URI=\"file:///etc/passwd\""),
        ),
        case(
            "xpointer-reference-signed",
            "reference_uri_mismatch",
            "the id by XPointer",
            edit("URI=\"#_assertion1\"", "URI=\"#xpointer(id('_assertion1'))\""),
        ),
        case(
            "reference-to-other-element-signed",
            "reference_uri_mismatch",
            "the signature is genuine, but of something else",
            replace(
                &resign(xml, |info| {
                    let info = replace(info, "#_assertion1", "#_issuer");
                    replace(&info, &digest_value, &format!("<ds:DigestValue>{issuer_digest}</ds:DigestValue>"))
                }),
                "<saml:Issuer>https://idp.example.test/saml</saml:Issuer><ds:",
                "<saml:Issuer ID=\"_issuer\">x</saml:Issuer><ds:",
            ),
        ),
        case(
            "xslt-transform-signed",
            "transform_refused",
            "a program instead of a document",
            edit(
                exclusive,
                &transform(
                    "http://www.w3.org/TR/1999/REC-xslt-19991116",
                    "<xsl:stylesheet xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\"></xsl:stylesheet>",
                ),
            ),
        ),
        case(
            "xpath-transform-signed",
            "transform_refused",
            "an XPath that selects what is hashed",
            edit(
                exclusive,
                &transform(
                    "http://www.w3.org/TR/1999/REC-xpath-19991116",
                    "<ds:XPath>not(ancestor-or-self::ds:Signature)</ds:XPath>",
                ),
            ),
        ),
        case(
            "xpath-filter2-transform-signed",
            "transform_refused",
            "the newer XPath transform",
            edit(enveloped, &format!("{enveloped}{}", transform("http://www.w3.org/2002/06/xmldsig-filter2", ""))),
        ),
        case(
            "base64-transform-signed",
            "transform_refused",
            "a transform that drops all markup",
            edit(exclusive, &transform("http://www.w3.org/2000/09/xmldsig#base64", "")),
        ),
        case(
            "no-enveloped-transform-signed",
            "transform_refused",
            "only exclusive canonicalization",
            edit(enveloped, ""),
        ),
        case(
            "no-canonicalization-transform-signed",
            "transform_refused",
            "only enveloped-signature, so inclusive canonicalization is implied",
            edit(exclusive, ""),
        ),
        case(
            "transforms-in-other-order-signed",
            "transform_refused",
            "canonicalization first",
            edit(&format!("{enveloped}{exclusive}"), &format!("{exclusive}{enveloped}")),
        ),
        case(
            "canonicalization-twice-signed",
            "transform_refused",
            "exclusive canonicalization where enveloped-signature belongs",
            edit(&format!("{enveloped}{exclusive}"), &format!("{exclusive}{exclusive}")),
        ),
        case(
            "transform-twice-signed",
            "transform_refused",
            "three transforms",
            edit(exclusive, &format!("{exclusive}{exclusive}")),
        ),
        case(
            "transform-with-parameters-signed",
            "signature_malformed",
            "enveloped-signature with something in it",
            edit(
                enveloped,
                "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\">\
                 <ds:XPath>x</ds:XPath></ds:Transform>",
            ),
        ),
        case(
            "inclusive-c14n-transform-signed",
            "transform_refused",
            "inclusive canonicalization of the content",
            edit(exclusive, &transform("http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "")),
        ),
        case(
            "with-comments-transform-signed",
            "transform_refused",
            "canonicalization that keeps comments",
            edit(exclusive, &transform("http://www.w3.org/2001/10/xml-exc-c14n#WithComments", "")),
        ),
        case(
            "inclusive-c14n-method-signed",
            "canonicalization_refused",
            "inclusive canonicalization of SignedInfo",
            edit(
                "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">",
                "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\">",
            ),
        ),
        case(
            "with-comments-method",
            "canonicalization_refused",
            "SignedInfo canonicalized with comments",
            replace(
                xml,
                "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">",
                "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#WithComments\">",
            ),
        ),
        case(
            "void-canonicalization-signed",
            "digest_mismatch",
            "a digest of nothing, as of a canonicalization that failed quietly (CVE-2025-66568), and a relative namespace",
            replace(
                &resign(xml, |info| {
                    replace(
                        info,
                        &digest_value,
                        "<ds:DigestValue>47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=</ds:DigestValue>",
                    )
                }),
                "<saml:Subject>",
                "<saml:Subject xmlns:v=\"1\" v:v=\"1\">",
            ),
        ),
        case(
            "digest-of-other-length-signed",
            "digest_mismatch",
            "the first half of the digest",
            edit(&digest_value, "<ds:DigestValue>47DEQpj8HBSa+/TImW+5JA==</ds:DigestValue>"),
        ),
        case(
            "empty-digest-signed",
            "digest_mismatch",
            "no digest at all",
            edit(&digest_value, "<ds:DigestValue></ds:DigestValue>"),
        ),
    ]
}

/// Attributes, text and parameters where the schema of a signature has none: whatever is not understood is refused, though
/// the IdP's own key signed it.
pub(super) fn strictness(bases: &Bases) -> Vec<Case> {
    let xml = &bases.assertion;
    let edit = |from: &str, to: &str| resign(xml, |info| replace(info, from, to));
    let malformed = |name: &str, about: &str, xml: String| case(name, "signature_malformed", about, xml);
    let on_attribute = |place: &str, from: &str, to: &str| {
        malformed(&format!("attribute-on-{place}-signed"), "an attribute that no schema has", edit(from, to))
    };
    let digest_method = "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"";
    let mut cases = vec![
        on_attribute("reference", "URI=\"#_assertion1\"", "URI=\"#_assertion1\" x=\"\""),
        on_attribute("transforms", "<ds:Transforms>", "<ds:Transforms x=\"\">"),
        on_attribute("digest-value", "<ds:DigestValue>", "<ds:DigestValue x=\"\">"),
        on_attribute("method", digest_method, &format!("{digest_method} x=\"\"")),
        malformed(
            "attribute-on-signed-info",
            "an attribute that no schema has",
            replace(xml, "<ds:SignedInfo>", "<ds:SignedInfo x=\"\">"),
        ),
    ];
    cases.extend([
        malformed(
            "attribute-on-signature",
            "an attribute that no schema has",
            replace(xml, "<ds:Signature ", "<ds:Signature x=\"\" "),
        ),
        malformed(
            "attribute-on-signature-value",
            "an attribute that no schema has",
            replace(xml, "<ds:SignatureValue>", "<ds:SignatureValue x=\"\">"),
        ),
        malformed(
            "text-in-signed-info-signed",
            "text between the children of SignedInfo",
            edit("<ds:Reference ", "x<ds:Reference "),
        ),
        malformed(
            "text-in-transforms-signed",
            "text between transforms",
            edit("</ds:Transforms>", "x</ds:Transforms>"),
        ),
        malformed(
            "other-element-among-transforms-signed",
            "something else that has an Algorithm",
            edit(
                "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>",
                "<ds:Other Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Other>",
            ),
        ),
        malformed(
            "text-in-canonicalization-method-signed",
            "text where parameters may be",
            edit("</ds:CanonicalizationMethod>", "x</ds:CanonicalizationMethod>"),
        ),
        malformed(
            "parameters-of-digest-method-signed",
            "a digest method with something in it",
            edit("</ds:DigestMethod>", "<ds:x></ds:x></ds:DigestMethod>"),
        ),
    ]);
    let namespaces = |attributes: &str, content: &str| {
        let list = format!(
            "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"><ec:InclusiveNamespaces \
             xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\"{attributes}>{content}</ec:InclusiveNamespaces></ds:Transform>"
        );
        edit("<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform>", &list)
    };
    let many: Vec<String> = (0..33).map(|n| format!("p{n}")).collect();
    cases.extend([
        malformed(
            "prefix-list-too-long-signed",
            "33 prefixes",
            namespaces(&format!(" PrefixList=\"{}\"", many.join(" ")), ""),
        ),
        malformed(
            "prefix-list-with-content-signed",
            "text in InclusiveNamespaces",
            namespaces(" PrefixList=\"xs\"", "x"),
        ),
        malformed(
            "prefix-list-with-attribute-signed",
            "an attribute that no schema has",
            namespaces(" PrefixList=\"xs\" x=\"\"", ""),
        ),
    ]);
    cases
}

pub(super) fn algorithms(bases: &Bases) -> Vec<Case> {
    let xml = &bases.assertion;
    let method = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    let digest = "http://www.w3.org/2001/04/xmlenc#sha256";
    let with_method = |uri: &str| replace(xml, method, uri);
    let with_digest = |uri: &str| resign(xml, |info| replace(info, digest, uri));
    let error = "signature_algorithm_refused";
    vec![
        case("rsa-sha1", error, "SHA-1 is broken", with_method("http://www.w3.org/2000/09/xmldsig#rsa-sha1")),
        case("rsa-md5", error, "MD5 is broken", with_method("http://www.w3.org/2001/04/xmldsig-more#rsa-md5")),
        case("dsa-sha1", error, "DSA", with_method("http://www.w3.org/2000/09/xmldsig#dsa-sha1")),
        case(
            "hmac-with-certificate",
            error,
            "a MAC whose secret is the public certificate",
            with_method("http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"),
        ),
        case(
            "hmac-sha1",
            error,
            "the MAC of the first standard",
            with_method("http://www.w3.org/2000/09/xmldsig#hmac-sha1"),
        ),
        case(
            "rsa-pss",
            error,
            "PSS is not on the list",
            with_method("http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"),
        ),
        case("no-algorithm", error, "an algorithm named none", with_method("none")),
        case(
            "hmac-output-length",
            "signature_malformed",
            "a method with parameters, such as a MAC of one bit (CVE-2009-0217)",
            replace(
                xml,
                &format!("<ds:SignatureMethod Algorithm=\"{method}\">"),
                &format!("<ds:SignatureMethod Algorithm=\"{method}\"><ds:HMACOutputLength>1</ds:HMACOutputLength>"),
            ),
        ),
        case(
            "digest-sha1-signed",
            "digest_algorithm_refused",
            "RSA-SHA256 over a SHA-1 digest",
            with_digest("http://www.w3.org/2000/09/xmldsig#sha1"),
        ),
        case(
            "digest-md5-signed",
            "digest_algorithm_refused",
            "RSA-SHA256 over an MD5 digest",
            with_digest("http://www.w3.org/2001/04/xmldsig-more#md5"),
        ),
        case(
            "ecdsa-with-rsa-key",
            "signature_invalid",
            "the document says ECDSA, the configured key is RSA: the key decides",
            with_method("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"),
        ),
        case(
            "rsa-with-ecdsa-key",
            "signature_invalid",
            "the document says RSA, the configured key is elliptic",
            xml.clone(),
        )
        .with("certificates", json!(["ec"])),
        case(
            "signed-with-other-digest-than-said",
            "signature_invalid",
            "made with SHA-256, said to be SHA-512",
            with_method("http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"),
        ),
    ]
}

/// Who signed.
pub(super) fn keys(bases: &Bases) -> Vec<Case> {
    let foreign = key("foreign");
    let digest = RsaDigest::Sha256;
    let evil = bases.plain.replace(NAME_ID, EVIL);
    let by_foreign = sign_by_id(&evil, ASSERTION_ID, &foreign, digest).unwrap();
    let certificate = foreign.certificate().base64();
    let genuine = key("idp").certificate().base64();
    let value = between(&bases.assertion, "<ds:SignatureValue>", "</ds:SignatureValue>");
    let zeros = STANDARD.encode([0; 256]);
    vec![
        case(
            "foreign-key-in-key-info",
            "signature_invalid",
            "another key, with its certificate in KeyInfo (CVE-2024-32962, CVE-2026-9090)",
            by_foreign.clone(),
        ),
        case(
            "foreign-key-with-genuine-certificate",
            "signature_invalid",
            "another key under the IdP's certificate",
            replace(&by_foreign, &certificate, &genuine),
        ),
        case(
            "foreign-key-without-key-info",
            "signature_invalid",
            "another key without KeyInfo",
            replace(&by_foreign, between(&by_foreign, "<ds:KeyInfo>", "</ds:KeyInfo>"), ""),
        ),
        on(
            "both-signed",
            case(
                "foreign-response-signature",
                "signature_invalid",
                "the Assertion by the IdP, the Response around it by somebody else",
                sign_by_id(&bases.assertion, RESPONSE_ID, &foreign, digest).unwrap(),
            ),
        ),
        case("no-certificates", "no_certificates", "nothing is configured (CVE-2026-28323)", bases.assertion.clone())
            .with("certificates", json!([])),
        case(
            "certificate-removed",
            "signature_invalid",
            "the connection has another certificate by now",
            bases.assertion.clone(),
        )
        .with("certificates", json!(["foreign"])),
        case(
            "signature-value-empty",
            "signature_invalid",
            "no signature value",
            replace(&bases.assertion, value, "<ds:SignatureValue></ds:SignatureValue>"),
        ),
        case(
            "signature-value-zero",
            "signature_invalid",
            "all zeros",
            replace(&bases.assertion, value, &format!("<ds:SignatureValue>{zeros}</ds:SignatureValue>")),
        ),
        case(
            "name-id-changed",
            "digest_mismatch",
            "another person under a genuine signature",
            bases.assertion.replace(NAME_ID, EVIL),
        ),
        case(
            "attribute-added",
            "digest_mismatch",
            "one more group",
            replace(
                &bases.assertion,
                "<saml:AttributeValue>engineering",
                "<saml:AttributeValue>admins</saml:AttributeValue><saml:AttributeValue>engineering",
            ),
        ),
        case(
            "attribute-name-prefix-changed",
            "digest_mismatch",
            "the same names under other prefixes are other bytes",
            bases
                .assertion
                .replace("<saml:Subject>", "<s:Subject xmlns:s=\"urn:oasis:names:tc:SAML:2.0:assertion\">")
                .replace("</saml:Subject>", "</s:Subject>"),
        ),
    ]
}
