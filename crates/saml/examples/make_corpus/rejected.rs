//! Attacks and mistakes. Each list is one class; the comments name incidents where there was one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use doorward_saml::idp::{RsaDigest, SignedPart, sign_by_id};
use serde_json::{Value, json};

use crate::accepted::{ASSERTION_ID, NAME_ID, RESPONSE_ID, plain, signed};
use crate::edit::{assertion, between, replace, resign, signature, unsigned};
use crate::{ACS_URL, Case, IDP_ENTITY_ID, REQUEST_ID, SP_ENTITY_ID, key};

const EVIL: &str = "admin@example.test";

/// The bases, signed.
struct Bases {
    plain: String,
    assertion: String,
    response: String,
    both: String,
}

pub(crate) fn cases() -> Vec<Case> {
    let plain = plain();
    let bases = Bases {
        assertion: signed(&plain, SignedPart::Assertion, RsaDigest::Sha256),
        response: signed(&plain, SignedPart::Response, RsaDigest::Sha256),
        both: signed(&plain, SignedPart::Both, RsaDigest::Sha256),
        plain,
    };
    let mut cases = Vec::new();
    cases.extend(wrapping(&bases));
    cases.extend(placement(&bases));
    cases.extend(references(&bases));
    cases.extend(algorithms(&bases));
    cases.extend(keys(&bases));
    cases.extend(text_tricks(&bases));
    cases.extend(xml_tricks(&bases));
    cases.extend(encoding(&bases));
    cases.extend(envelope(&bases));
    cases.extend(subject(&bases));
    cases.extend(conditions(&bases));
    cases.extend(times(&bases));
    cases.extend(statements(&bases));
    cases
}

fn case(name: &str, error: &str, about: &str, xml: String) -> Case {
    Case::new(name, about, xml)
        .with("base", "assertion-signed".into())
        .with("error", error.into())
}

fn on(base: &str, case: Case) -> Case {
    case.with("base", base.into())
}

/// An Assertion as the attacker would have it.
fn evil_assertion(bases: &Bases) -> String {
    let evil = assertion(&bases.plain).replace(NAME_ID, EVIL);
    replace(&evil, ASSERTION_ID, "_evil")
}

/// The numbered signature wrapping attacks of "On Breaking SAML" (2012): what is signed and what is read differ.
fn wrapping(bases: &Bases) -> Vec<Case> {
    let evil = evil_assertion(bases);
    let original = unsigned(&bases.response);
    let evil_response = replace(
        &bases.response.replace(NAME_ID, EVIL),
        RESPONSE_ID_ATTRIBUTE,
        " ID=\"_evil\"",
    );
    let bare = unsigned(&bases.assertion);
    let bare = assertion(&bare).to_owned();
    let signature = signature(&bases.assertion).to_owned();
    let evil_with_signature = replace(
        &evil,
        "</saml:Issuer>",
        &format!("</saml:Issuer>{signature}"),
    );
    let around = |inner: &str| replace(&bases.assertion, assertion(&bases.assertion), inner);
    vec![
        on(
            "response-signed",
            case(
                "xsw1-response-in-signature-object",
                "unexpected_element",
                "the signed Response sits in an Object of the signature of a forged one",
                replace(
                    &evil_response,
                    "</ds:KeyInfo>",
                    &format!("</ds:KeyInfo><ds:Object>{original}</ds:Object>"),
                ),
            ),
        ),
        on(
            "response-signed",
            case(
                "xsw2-response-before-signature",
                "unexpected_element",
                "the signed Response sits in a forged one, beside the detached signature",
                replace(
                    &evil_response,
                    "<ds:Signature ",
                    &format!("{original}<ds:Signature "),
                ),
            ),
        ),
        on(
            "response-signed",
            case(
                "xsw2-response-without-assertion-in-extensions",
                "unexpected_element",
                "the same with a signed Response that has no Assertion",
                replace(
                    &evil_response,
                    "<samlp:Status>",
                    "<samlp:Extensions><samlp:Response ID=\"_response1\"/></samlp:Extensions><samlp:Status>",
                ),
            ),
        ),
        case(
            "xsw3-forged-assertion-first",
            "assertion_multiple",
            "a forged Assertion before the signed one (CVE-2026-25922)",
            replace(
                &bases.assertion,
                "<saml:Assertion ",
                &format!("{evil}<saml:Assertion "),
            ),
        ),
        case(
            "xsw3-forged-assertion-last",
            "assertion_multiple",
            "a forged Assertion behind the signed one (CVE-2022-41912)",
            replace(
                &bases.assertion,
                "</saml:Assertion>",
                &format!("</saml:Assertion>{evil}"),
            ),
        ),
        case(
            "xsw4-original-in-forged",
            "assertion_misplaced",
            "the signed Assertion as a child of the forged one",
            around(&replace(
                &evil,
                "</saml:Assertion>",
                &format!("{}</saml:Assertion>", assertion(&bases.assertion)),
            )),
        ),
        case(
            "xsw5-signature-moved",
            "assertion_multiple",
            "the signature is in the forged Assertion, the original behind it",
            around(&format!("{evil_with_signature}{bare}")),
        ),
        case(
            "xsw6-original-in-signature",
            "assertion_misplaced",
            "the original inside of the moved signature",
            around(&replace(
                &evil_with_signature,
                "</ds:Signature>",
                &format!("{bare}</ds:Signature>"),
            )),
        ),
        case(
            "xsw7-forged-in-extensions",
            "assertion_misplaced",
            "the forged Assertion in Extensions, whose content is free",
            replace(
                &bases.assertion,
                "<samlp:Status>",
                &format!("<samlp:Extensions>{evil}</samlp:Extensions><samlp:Status>"),
            ),
        ),
        case(
            "xsw8-original-in-object",
            "assertion_misplaced",
            "the original in an Object of the moved signature",
            around(&replace(
                &evil_with_signature,
                "</ds:KeyInfo>",
                &format!("</ds:KeyInfo><ds:Object>{bare}</ds:Object>"),
            )),
        ),
        case(
            "forged-in-advice",
            "assertion_misplaced",
            "the forged Assertion in the Advice of the signed one",
            replace(
                &bases.assertion,
                "<saml:AuthnStatement ",
                &format!("<saml:Advice>{evil}</saml:Advice><saml:AuthnStatement "),
            ),
        ),
        case(
            "forged-in-attribute-value",
            "assertion_misplaced",
            "the forged Assertion in a value",
            bases.assertion.replacen(
                "<saml:AttributeValue>",
                &format!("<saml:AttributeValue>{evil}"),
                1,
            ),
        ),
        case(
            "no-assertion",
            "assertion_missing",
            "success, and nobody signed in",
            around(""),
        ),
        case(
            "assertion-of-saml-1",
            "unexpected_element",
            "an Assertion of another version beside ours",
            replace(
                &bases.assertion,
                "<samlp:Status>",
                "<Assertion xmlns=\"urn:oasis:names:tc:SAML:1.0:assertion\"/><samlp:Status>",
            ),
        ),
        case(
            "text-in-response",
            "unexpected_element",
            "text between elements",
            replace(&bases.assertion, "<samlp:Status>", "x<samlp:Status>"),
        ),
    ]
}

const RESPONSE_ID_ATTRIBUTE: &str = " ID=\"_response1\"";

/// Signatures in wrong places, and ids that two elements share.
fn placement(bases: &Bases) -> Vec<Case> {
    let signature = signature(&bases.assertion).to_owned();
    let bare = unsigned(&bases.assertion);
    vec![
        case(
            "unsigned",
            "signature_missing",
            "nothing is signed",
            bases.plain.clone(),
        ),
        case(
            "unsigned-and-forged",
            "signature_missing",
            "the signature was taken off and the person changed",
            bare.replace(NAME_ID, EVIL),
        ),
        case(
            "signature-relocated-to-response",
            "reference_uri_mismatch",
            "the Assertion's signature directly in the Response",
            bare.replacen("</saml:Issuer>", &format!("</saml:Issuer>{signature}"), 1),
        ),
        case(
            "signature-relocated-to-status",
            "signature_misplaced",
            "the Assertion's signature in StatusDetail",
            replace(
                &bare,
                "</samlp:Status>",
                &format!("<samlp:StatusDetail>{signature}</samlp:StatusDetail></samlp:Status>"),
            ),
        ),
        case(
            "signature-in-extensions",
            "signature_misplaced",
            "the Assertion's signature in Extensions",
            replace(
                &bare,
                "<samlp:Status>",
                &format!("<samlp:Extensions>{signature}</samlp:Extensions><samlp:Status>"),
            ),
        ),
        case(
            "signature-in-subject",
            "signature_misplaced",
            "the signature deeper in the Assertion",
            replace(
                &bare,
                "<saml:Subject>",
                &format!("<saml:Subject>{signature}"),
            ),
        ),
        case(
            "signature-in-key-info",
            "signature_misplaced",
            "a second signature in KeyInfo of the first",
            replace(
                &bases.assertion,
                "</ds:X509Data>",
                &format!("</ds:X509Data>{signature}"),
            ),
        ),
        case(
            "decoy-signature-first",
            "signature_multiple",
            "an empty signature in front of the real one: removed by name, it takes the place of the real one",
            replace(
                &bases.assertion,
                "<ds:Signature ",
                "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/><ds:Signature ",
            ),
        ),
        case(
            "decoy-signature-last",
            "signature_multiple",
            "the signature twice",
            replace(
                &bases.assertion,
                "</ds:Signature>",
                &format!("</ds:Signature>{signature}"),
            ),
        ),
        on(
            "both-signed",
            case(
                "forged-assertion-in-signed-response",
                "digest_mismatch",
                "the Assertion was changed; its own signature fails, and so does the Response's",
                bases.both.replace(NAME_ID, EVIL),
            ),
        ),
        on(
            "both-signed",
            case(
                "broken-response-signature-beside-good-assertion",
                "digest_mismatch",
                "a signature that fails is not outweighed by one that passes",
                replace(
                    &bases.both,
                    "Version=\"2.0\" Destination",
                    "Version=\"2.0\" Consent=\"urn:x\" Destination",
                ),
            ),
        ),
        case(
            "duplicate-id-on-response",
            "duplicate_id",
            "Response and Assertion share an id",
            replace(
                &bases.assertion,
                RESPONSE_ID_ATTRIBUTE,
                " ID=\"_assertion1\"",
            ),
        ),
        case(
            "duplicate-id-in-extensions",
            "duplicate_id",
            "an element of Extensions has the Assertion's id",
            replace(
                &bases.assertion,
                "<samlp:Status>",
                "<samlp:Extensions><x ID=\"_assertion1\"/></samlp:Extensions><samlp:Status>",
            ),
        ),
        case(
            "duplicate-id-lower-case",
            "duplicate_id",
            "the same by an attribute named id",
            replace(
                &bases.assertion,
                "<samlp:Status>",
                "<samlp:Extensions><x id=\"_assertion1\"/></samlp:Extensions><samlp:Status>",
            ),
        ),
        case(
            "duplicate-id-xml-id",
            "duplicate_id",
            "the same by xml:id",
            replace(
                &bases.assertion,
                "<samlp:Status>",
                "<samlp:Extensions><x xml:id=\"_assertion1\"/></samlp:Extensions><samlp:Status>",
            ),
        ),
        case(
            "duplicate-id-namespaced",
            "duplicate_id",
            "the same by an attribute of another namespace (CVE-2025-23369 and kin)",
            replace(
                &bases.assertion,
                "<samlp:Status>",
                "<samlp:Extensions><x xmlns:e=\"urn:e\" e:ID=\"_assertion1\"/></samlp:Extensions><samlp:Status>",
            ),
        ),
        case(
            "id-twice-on-assertion",
            "duplicate_id",
            "the Assertion itself has two attributes that are ids",
            replace(
                &bases.assertion,
                "<saml:Assertion ",
                "<saml:Assertion xml:id=\"_assertion1\" ",
            ),
        ),
        case(
            "id-missing",
            "id_invalid",
            "the Assertion has no ID",
            replace(&bases.assertion, " ID=\"_assertion1\"", ""),
        ),
        case(
            "id-is-an-xpointer",
            "id_invalid",
            "an ID that reads as an XPointer when referred to",
            bases.assertion.replace("_assertion1", "xpointer(/)"),
        ),
    ]
}

/// SignedInfo and Reference of a wrong shape. "Signed" means that the IdP's own key signed it like that.
fn references(bases: &Bases) -> Vec<Case> {
    let xml = &bases.assertion;
    let reference = between(xml, "<ds:Reference ", "</ds:Reference>").to_owned();
    let signed_info = between(xml, "<ds:SignedInfo>", "</ds:SignedInfo>").to_owned();
    let edit = |from: &str, to: &str| resign(xml, |info| replace(info, from, to));
    let enveloped = "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>";
    let exclusive =
        "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform>";
    let transform = |uri: &str, content: &str| {
        format!("<ds:Transform Algorithm=\"{uri}\">{content}</ds:Transform>")
    };
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
        case(
            "no-reference-signed",
            "signature_malformed",
            "a SignedInfo that refers to nothing",
            edit(&reference, ""),
        ),
        case(
            "two-signed-infos",
            "signature_malformed",
            "a forged SignedInfo in front of the signed one (CVE-2025-29775)",
            replace(
                xml,
                "<ds:SignedInfo>",
                &format!("{signed_info}<ds:SignedInfo>"),
            ),
        ),
        case(
            "signed-info-behind-value",
            "signature_malformed",
            "SignedInfo is not the first child",
            replace(
                xml,
                "</ds:SignatureValue>",
                &format!("</ds:SignatureValue>{signed_info}"),
            ),
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
            edit(
                "URI=\"#_assertion1\"",
                "URI=\"http://127.0.0.1:1/x#_assertion1\"",
            ),
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
            edit(
                "URI=\"#_assertion1\"",
                "URI=\"#xpointer(id('_assertion1'))\"",
            ),
        ),
        case(
            "reference-to-other-element-signed",
            "reference_uri_mismatch",
            "the signature is genuine, but of something else",
            replace(
                &resign(xml, |info| {
                    let info = replace(info, "#_assertion1", "#_issuer");
                    replace(
                        &info,
                        &digest_value,
                        &format!("<ds:DigestValue>{issuer_digest}</ds:DigestValue>"),
                    )
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
            edit(
                enveloped,
                &format!(
                    "{enveloped}{}",
                    transform("http://www.w3.org/2002/06/xmldsig-filter2", "")
                ),
            ),
        ),
        case(
            "base64-transform-signed",
            "transform_refused",
            "a transform that drops all markup",
            edit(
                exclusive,
                &transform("http://www.w3.org/2000/09/xmldsig#base64", ""),
            ),
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
            edit(
                &format!("{enveloped}{exclusive}"),
                &format!("{exclusive}{enveloped}"),
            ),
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
            edit(
                exclusive,
                &transform("http://www.w3.org/TR/2001/REC-xml-c14n-20010315", ""),
            ),
        ),
        case(
            "with-comments-transform-signed",
            "transform_refused",
            "canonicalization that keeps comments",
            edit(
                exclusive,
                &transform("http://www.w3.org/2001/10/xml-exc-c14n#WithComments", ""),
            ),
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
            edit(
                &digest_value,
                "<ds:DigestValue>47DEQpj8HBSa+/TImW+5JA==</ds:DigestValue>",
            ),
        ),
        case(
            "empty-digest-signed",
            "digest_mismatch",
            "no digest at all",
            edit(&digest_value, "<ds:DigestValue></ds:DigestValue>"),
        ),
    ]
}

fn algorithms(bases: &Bases) -> Vec<Case> {
    let xml = &bases.assertion;
    let method = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    let digest = "http://www.w3.org/2001/04/xmlenc#sha256";
    let with_method = |uri: &str| replace(xml, method, uri);
    let with_digest = |uri: &str| resign(xml, |info| replace(info, digest, uri));
    let error = "signature_algorithm_refused";
    vec![
        case(
            "rsa-sha1",
            error,
            "SHA-1 is broken",
            with_method("http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
        ),
        case(
            "rsa-md5",
            error,
            "MD5 is broken",
            with_method("http://www.w3.org/2001/04/xmldsig-more#rsa-md5"),
        ),
        case(
            "dsa-sha1",
            error,
            "DSA",
            with_method("http://www.w3.org/2000/09/xmldsig#dsa-sha1"),
        ),
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
        case(
            "no-algorithm",
            error,
            "an algorithm named none",
            with_method("none"),
        ),
        case(
            "hmac-output-length",
            "signature_malformed",
            "a method with parameters, such as a MAC of one bit (CVE-2009-0217)",
            replace(
                xml,
                &format!("<ds:SignatureMethod Algorithm=\"{method}\">"),
                &format!(
                    "<ds:SignatureMethod Algorithm=\"{method}\"><ds:HMACOutputLength>1</ds:HMACOutputLength>"
                ),
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
fn keys(bases: &Bases) -> Vec<Case> {
    let foreign = key("foreign");
    let digest = RsaDigest::Sha256;
    let evil = bases.plain.replace(NAME_ID, EVIL);
    let by_foreign = sign_by_id(&evil, ASSERTION_ID, &foreign, digest).unwrap();
    let certificate = foreign.certificate().base64();
    let genuine = key("idp").certificate().base64();
    let value = between(
        &bases.assertion,
        "<ds:SignatureValue>",
        "</ds:SignatureValue>",
    );
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
            replace(
                &by_foreign,
                between(&by_foreign, "<ds:KeyInfo>", "</ds:KeyInfo>"),
                "",
            ),
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
        case(
            "no-certificates",
            "no_certificates",
            "nothing is configured (CVE-2026-28323)",
            bases.assertion.clone(),
        )
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
            replace(
                &bases.assertion,
                value,
                "<ds:SignatureValue></ds:SignatureValue>",
            ),
        ),
        case(
            "signature-value-zero",
            "signature_invalid",
            "all zeros",
            replace(
                &bases.assertion,
                value,
                &format!("<ds:SignatureValue>{zeros}</ds:SignatureValue>"),
            ),
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
                .replace(
                    "<saml:Subject>",
                    "<s:Subject xmlns:s=\"urn:oasis:names:tc:SAML:2.0:assertion\">",
                )
                .replace("</saml:Subject>", "</s:Subject>"),
        ),
    ]
}

/// Text that reads differently to different software. Comments do not change canonical form, so signatures still hold.
fn text_tricks(bases: &Bases) -> Vec<Case> {
    let xml = &bases.assertion;
    let in_name_id = |to: &str| {
        xml.replacen(
            &format!(">{NAME_ID}</saml:NameID>"),
            &format!(">{to}</saml:NameID>"),
            1,
        )
    };
    let in_name_id_signed = |to: &str| {
        let plain = bases.plain.replacen(
            &format!(">{NAME_ID}</saml:NameID>"),
            &format!(">{to}</saml:NameID>"),
            1,
        );
        signed(&plain, SignedPart::Assertion, RsaDigest::Sha256)
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
            replace(
                xml,
                "<saml:AttributeValue>engineering",
                "<saml:AttributeValue>engi<!-- -->neering",
            ),
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
            "cdata-in-name-id",
            "xml_cdata",
            "CDATA is text to some and markup to others",
            in_name_id("<![CDATA[jane.doe]]>@example.test"),
        ),
        case(
            "cdata-in-attribute-value",
            "xml_cdata",
            "the same in an attribute",
            replace(
                xml,
                "<saml:AttributeValue>engineering",
                "<saml:AttributeValue><![CDATA[engineering]]>",
            ),
        ),
        case(
            "element-in-name-id-signed",
            "name_id_invalid",
            "markup inside of NameID",
            in_name_id_signed("jane<b xmlns=\"urn:b\"/>.doe@example.test"),
        ),
        case(
            "name-id-empty-signed",
            "name_id_invalid",
            "nobody",
            in_name_id_signed(""),
        ),
        case(
            "name-id-blank-signed",
            "name_id_invalid",
            "only white space",
            in_name_id_signed(" \n "),
        ),
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

fn xml_tricks(bases: &Bases) -> Vec<Case> {
    let xml = &bases.assertion;
    let extensions = |content: &str| {
        replace(
            xml,
            "<samlp:Status>",
            &format!("<samlp:Extensions>{content}</samlp:Extensions><samlp:Status>"),
        )
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
        case(
            "doctype",
            "xml_doctype",
            "a DOCTYPE, even an empty one",
            format!("<!DOCTYPE x>{xml}"),
        ),
        case(
            "entity-in-name-id",
            "xml_doctype",
            "an entity in NameID that is another person",
            format!(
                "<!DOCTYPE x [<!ENTITY e \"{EVIL}\">]>{}",
                xml.replacen(NAME_ID, "&e;", 1)
            ),
        ),
        case(
            "external-entity",
            "xml_doctype",
            "an entity that is a file",
            format!(
                "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>{}",
                xml.replacen(NAME_ID, "&e;", 1)
            ),
        ),
        case(
            "billion-laughs",
            "xml_doctype",
            "entities that multiply",
            format!(
                "<!DOCTYPE x [<!ENTITY lol0 \"lol\">{lol}]>{}",
                xml.replacen(NAME_ID, "&lol9;", 1)
            ),
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
        case(
            "too-wide",
            "xml_too_many_attributes",
            "41 attributes on a tag",
            extensions(&format!("<x{attributes}/>")),
        ),
        case(
            "too-many-namespaces",
            "xml_too_many_namespaces",
            "33 declarations in scope",
            extensions(&format!("<x{declarations}/>")),
        ),
        case(
            "too-many-elements",
            "xml_too_many_elements",
            "more than 4096 elements",
            extensions(&"<x/>".repeat(4096)),
        ),
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
        case(
            "undeclared-prefix",
            "xml_malformed",
            "a prefix without declaration",
            extensions("<x:x/>"),
        ),
        case(
            "cut-off",
            "xml_malformed",
            "the end is missing",
            xml[..xml.len() - 20].to_owned(),
        ),
        case(
            "second-root",
            "xml_malformed",
            "something behind the root",
            format!("{xml}<x/>"),
        ),
        case(
            "text-behind-root",
            "xml_malformed",
            "text behind the root",
            format!("{xml}x"),
        ),
        case(
            "empty-document",
            "xml_malformed",
            "nothing at all",
            String::new(),
        ),
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
            replace(
                xml,
                "urn:oasis:names:tc:SAML:2.0:protocol",
                "urn:oasis:names:tc:SAML:3.0:protocol",
            ),
        ),
    ]
}

fn encoding(bases: &Bases) -> Vec<Case> {
    let good = STANDARD.encode(&bases.assertion);
    let coded = |name: &str, error: &str, about: &str, base64: String| Case {
        base64: Some(base64),
        ..case(name, error, about, String::new())
    };
    let utf16: Vec<u8> = bases
        .assertion
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    let mut latin1 = bases
        .assertion
        .replacen("Zürich", "Z\u{1}rich", 1)
        .into_bytes();
    latin1
        .iter_mut()
        .filter(|byte| **byte == 1)
        .for_each(|byte| *byte = 0xFC);
    vec![
        coded(
            "base64-garbage",
            "base64_invalid",
            "a character outside of the alphabet",
            format!("!{good}"),
        ),
        coded(
            "base64-url-alphabet",
            "base64_invalid",
            "the other alphabet",
            format!("__--{good}"),
        ),
        coded(
            "base64-two-values",
            "base64_invalid",
            "two documents in a row",
            format!("{}{good}", STANDARD.encode("<a/>")),
        ),
        coded(
            "base64-truncated",
            "base64_invalid",
            "a character is missing",
            good[..good.len() - 1].to_owned(),
        ),
        coded(
            "base64-empty",
            "xml_malformed",
            "an empty form value",
            String::new(),
        ),
        coded(
            "plain-xml",
            "base64_invalid",
            "XML that is not encoded",
            bases.assertion.clone(),
        ),
        coded("utf-16", "xml_encoding", "UTF-16", STANDARD.encode(utf16)),
        coded(
            "invalid-utf-8",
            "xml_encoding",
            "a byte that is not UTF-8",
            STANDARD.encode(latin1),
        ),
        coded(
            "deflated",
            "xml_encoding",
            "compressed as for HTTP-Redirect",
            {
                use std::io::Write;
                let mut encoder =
                    flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(bases.assertion.as_bytes()).unwrap();
                STANDARD.encode(encoder.finish().unwrap())
            },
        ),
    ]
}

/// A change that the IdP signed.
fn genuine(bases: &Bases, from: &str, to: &str) -> String {
    signed(
        &replace(&bases.plain, from, to),
        SignedPart::Assertion,
        RsaDigest::Sha256,
    )
}

fn envelope(bases: &Bases) -> Vec<Case> {
    let xml = &bases.assertion;
    let response_issuer = format!("<saml:Issuer>{IDP_ENTITY_ID}</saml:Issuer><samlp:Status>");
    let status = between(xml, "<samlp:Status>", "</samlp:Status>").to_owned();
    let in_response = format!("{RESPONSE_ID_ATTRIBUTE} InResponseTo=\"{REQUEST_ID}\"");
    let response = |from: &str, to: &str| {
        signed(
            &replace(&bases.plain, from, to),
            SignedPart::Response,
            RsaDigest::Sha256,
        )
    };
    vec![
        case(
            "version-1-1",
            "version_mismatch",
            "a Response of version 1.1",
            replace(
                xml,
                "Version=\"2.0\" Destination",
                "Version=\"1.1\" Destination",
            ),
        ),
        case(
            "assertion-version-1-1-signed",
            "version_mismatch",
            "an Assertion of version 1.1",
            genuine(
                bases,
                "Version=\"2.0\"><saml:Issuer>https://idp.example.test/saml</saml:Issuer><saml:Subject>",
                "Version=\"1.1\"><saml:Issuer>https://idp.example.test/saml</saml:Issuer><saml:Subject>",
            ),
        ),
        case(
            "status-responder",
            "status_not_success",
            "the IdP reports a failure",
            replace(
                xml,
                &status,
                "<samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Responder\"><samlp:StatusCode \
             Value=\"urn:oasis:names:tc:SAML:2.0:status:AuthnFailed\"/></samlp:StatusCode><samlp:StatusMessage>the \
             person\ncancelled</samlp:StatusMessage></samlp:Status>",
            ),
        ),
        case(
            "status-nested-success",
            "status_not_success",
            "Success only as the second code",
            replace(
                xml,
                &status,
                "<samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Requester\"><samlp:StatusCode \
             Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:StatusCode></samlp:Status>",
            ),
        ),
        case(
            "status-without-code",
            "status_not_success",
            "a Status without code",
            replace(xml, &status, "<samlp:Status/>"),
        ),
        case(
            "status-missing",
            "element_count",
            "no Status",
            replace(xml, &status, ""),
        ),
        case(
            "status-twice",
            "element_count",
            "two Statuses",
            replace(xml, &status, &format!("{status}{status}")),
        ),
        case(
            "destination-elsewhere",
            "destination_mismatch",
            "sent to another SP",
            replace(
                xml,
                &format!("Destination=\"{ACS_URL}\""),
                "Destination=\"https://other.example.test/acs\"",
            ),
        ),
        case(
            "destination-prefix",
            "destination_mismatch",
            "an address that starts with ours",
            replace(
                xml,
                &format!("Destination=\"{ACS_URL}\""),
                &format!("Destination=\"{ACS_URL}/x\""),
            ),
        ),
        on(
            "response-signed",
            case(
                "destination-missing-signed",
                "destination_missing",
                "a signed Response that does not say where to",
                response(&format!(" Destination=\"{ACS_URL}\""), ""),
            ),
        ),
        on(
            "response-signed",
            case(
                "destination-elsewhere-signed",
                "destination_mismatch",
                "a signed Response to another SP",
                response(
                    &format!("Destination=\"{ACS_URL}\""),
                    "Destination=\"https://other.example.test/acs\"",
                ),
            ),
        ),
        case(
            "response-issuer-other",
            "response_issuer_mismatch",
            "the Response names another IdP",
            replace(
                xml,
                &response_issuer,
                "<saml:Issuer>https://other.example.test/saml</saml:Issuer><samlp:Status>",
            ),
        ),
        case(
            "response-issuer-twice",
            "element_count",
            "the Response has two Issuers",
            replace(
                xml,
                &response_issuer,
                &format!("<saml:Issuer>{IDP_ENTITY_ID}</saml:Issuer>{response_issuer}"),
            ),
        ),
        case(
            "response-in-response-to-other",
            "in_response_to_mismatch",
            "the Response answers another request",
            replace(
                xml,
                &in_response,
                &format!("{RESPONSE_ID_ATTRIBUTE} InResponseTo=\"_other\""),
            ),
        ),
        case(
            "response-in-response-to-missing",
            "in_response_to_missing",
            "the Response does not say what it answers",
            replace(xml, &in_response, RESPONSE_ID_ATTRIBUTE),
        ),
        on(
            "unsolicited",
            case(
                "unsolicited-with-in-response-to",
                "in_response_to_unexpected",
                "no request is pending, yet it answers one (CVE-2026-53425)",
                xml.clone(),
            )
            .with("in_response_to", Value::Null),
        ),
        on(
            "unsolicited",
            case(
                "unsolicited-with-in-response-to-inside",
                "in_response_to_unexpected",
                "the same, only in the signed part",
                replace(xml, &in_response, RESPONSE_ID_ATTRIBUTE),
            )
            .with("in_response_to", Value::Null),
        ),
        case(
            "encrypted-assertion",
            "encrypted_assertion_unsupported",
            "an EncryptedAssertion",
            replace(xml, assertion(xml), "<saml:EncryptedAssertion/>"),
        ),
        case(
            "encrypted-beside-signed",
            "encrypted_assertion_unsupported",
            "an EncryptedAssertion beside the signed one",
            replace(
                xml,
                "<saml:Assertion ",
                "<saml:EncryptedAssertion/><saml:Assertion ",
            ),
        ),
    ]
}

fn subject(bases: &Bases) -> Vec<Case> {
    let subject = between(&bases.plain, "<saml:Subject>", "</saml:Subject>").to_owned();
    let name_id = between(&bases.plain, "<saml:NameID ", "</saml:NameID>").to_owned();
    let confirmation = between(
        &bases.plain,
        "<saml:SubjectConfirmation ",
        "</saml:SubjectConfirmation>",
    )
    .to_owned();
    let data = between(&bases.plain, "<saml:SubjectConfirmationData ", "/>").to_owned();
    let in_data = format!("<saml:SubjectConfirmationData InResponseTo=\"{REQUEST_ID}\"");
    let genuine = |from: &str, to: &str| genuine(bases, from, to);
    let issuer = format!("<saml:Issuer>{IDP_ENTITY_ID}</saml:Issuer><saml:Subject>");
    vec![
        case(
            "issuer-other-signed",
            "issuer_mismatch",
            "the same key signs for another IdP",
            genuine(
                &issuer,
                "<saml:Issuer>https://other.example.test/saml</saml:Issuer><saml:Subject>",
            ),
        ),
        on(
            "response-signed",
            case(
                "issuer-missing-signed",
                "element_count",
                "no Issuer in the Assertion",
                signed(
                    &replace(&bases.plain, &issuer, "<saml:Subject>"),
                    SignedPart::Response,
                    RsaDigest::Sha256,
                ),
            ),
        ),
        case(
            "issuer-twice-signed",
            "element_count",
            "two Issuers",
            genuine(
                &issuer,
                &format!("<saml:Issuer>{IDP_ENTITY_ID}</saml:Issuer>{issuer}"),
            ),
        ),
        case(
            "subject-missing-signed",
            "element_count",
            "no Subject",
            genuine(&subject, ""),
        ),
        case(
            "subject-twice-signed",
            "element_count",
            "two Subjects",
            genuine(&subject, &format!("{subject}{subject}")),
        ),
        case(
            "name-id-missing-signed",
            "element_count",
            "a Subject without NameID",
            genuine(&name_id, ""),
        ),
        case(
            "name-id-twice-signed",
            "element_count",
            "two NameIDs",
            genuine(&name_id, &format!("{name_id}{name_id}")),
        ),
        case(
            "encrypted-id-signed",
            "encrypted_part_unsupported",
            "an encrypted NameID",
            genuine(&name_id, "<saml:EncryptedID/>"),
        ),
        case(
            "confirmation-missing-signed",
            "subject_confirmation_count",
            "no SubjectConfirmation",
            genuine(&confirmation, ""),
        ),
        case(
            "confirmation-twice-signed",
            "subject_confirmation_count",
            "two bearer confirmations",
            genuine(&confirmation, &format!("{confirmation}{confirmation}")),
        ),
        case(
            "confirmation-holder-of-key-signed",
            "subject_confirmation_count",
            "not for a bearer",
            genuine("cm:bearer", "cm:holder-of-key"),
        ),
        case(
            "confirmation-data-missing-signed",
            "element_count",
            "a confirmation without data",
            genuine(&data, ""),
        ),
        case(
            "recipient-elsewhere-signed",
            "recipient_mismatch",
            "made for another SP",
            genuine(
                &format!("Recipient=\"{ACS_URL}\""),
                "Recipient=\"https://other.example.test/acs\"",
            ),
        ),
        case(
            "recipient-missing-signed",
            "recipient_missing",
            "made for nobody in particular",
            genuine(&format!(" Recipient=\"{ACS_URL}\""), ""),
        ),
        case(
            "in-response-to-other-signed",
            "in_response_to_mismatch",
            "the Assertion answers another request (CVE-2026-53424)",
            genuine(
                &in_data,
                "<saml:SubjectConfirmationData InResponseTo=\"_other\"",
            ),
        ),
        case(
            "in-response-to-missing-signed",
            "in_response_to_missing",
            "the Assertion does not say what it answers",
            genuine(&in_data, "<saml:SubjectConfirmationData"),
        ),
        case(
            "confirmation-not-before-signed",
            "subject_confirmation_not_before",
            "NotBefore is forbidden there",
            genuine(
                &in_data,
                &format!("{in_data} NotBefore=\"2026-11-24T08:00:00Z\""),
            ),
        ),
    ]
}

fn conditions(bases: &Bases) -> Vec<Case> {
    let conditions = between(&bases.plain, "<saml:Conditions ", "</saml:Conditions>").to_owned();
    let restriction = between(
        &bases.plain,
        "<saml:AudienceRestriction>",
        "</saml:AudienceRestriction>",
    )
    .to_owned();
    let audience = format!("<saml:Audience>{SP_ENTITY_ID}</saml:Audience>");
    let other = "<saml:Audience>https://other.example.test</saml:Audience>";
    let genuine = |from: &str, to: &str| genuine(bases, from, to);
    vec![
        case(
            "conditions-missing-signed",
            "element_count",
            "no Conditions (CVE-2026-41577)",
            genuine(&conditions, ""),
        ),
        case(
            "conditions-twice-signed",
            "element_count",
            "two Conditions",
            genuine(&conditions, &format!("{conditions}{conditions}")),
        ),
        case(
            "audience-missing-signed",
            "audience_missing",
            "no AudienceRestriction",
            genuine(&restriction, ""),
        ),
        case(
            "audience-other-signed",
            "audience_mismatch",
            "for another SP (CVE-2026-9093)",
            genuine(&audience, other),
        ),
        case(
            "audience-empty-signed",
            "audience_mismatch",
            "for nobody",
            genuine(&audience, ""),
        ),
        case(
            "audience-prefix-signed",
            "audience_mismatch",
            "an entity id that starts with ours",
            genuine(
                &audience,
                &format!("<saml:Audience>{SP_ENTITY_ID}2</saml:Audience>"),
            ),
        ),
        case(
            "audience-second-restriction-signed",
            "audience_mismatch",
            "every restriction must name us",
            genuine(
                &restriction,
                &format!(
                    "{restriction}<saml:AudienceRestriction>{other}</saml:AudienceRestriction>"
                ),
            ),
        ),
        case(
            "condition-unknown-signed",
            "unknown_condition",
            "a condition we cannot judge",
            genuine(&restriction, &format!("{restriction}<saml:Condition/>")),
        ),
        case(
            "condition-of-other-namespace-signed",
            "unknown_condition",
            "a condition of somebody's own",
            genuine(
                &restriction,
                &format!("{restriction}<d:Delegate xmlns:d=\"urn:d\"/>"),
            ),
        ),
        case(
            "element-unknown-signed",
            "unexpected_element",
            "an element the schema does not have",
            genuine(&conditions, &format!("{conditions}<x xmlns=\"urn:x\"/>")),
        ),
    ]
}

/// Every time there is, before and behind.
fn times(bases: &Bases) -> Vec<Case> {
    const PAST: &str = "2026-11-24T08:58:59Z";
    const FUTURE: &str = "2026-11-24T09:01:01Z";
    let issued = "2026-11-24T08:59:58.000Z";
    let until = "2026-11-24T09:05:00.000Z";
    let genuine = |from: &str, to: &str| genuine(bases, from, to);
    let assertion_issued = format!("ID=\"_assertion1\" IssueInstant=\"{issued}\"");
    let assertion_at = |at: &str| {
        genuine(
            &assertion_issued,
            &format!("ID=\"_assertion1\" IssueInstant=\"{at}\""),
        )
    };
    let response_issued = format!("InResponseTo=\"{REQUEST_ID}\" IssueInstant=\"{issued}\"");
    let response_at = |at: &str| {
        genuine(
            &response_issued,
            &format!("InResponseTo=\"{REQUEST_ID}\" IssueInstant=\"{at}\""),
        )
    };
    let not_before = |at: &str| {
        genuine(
            &format!("NotBefore=\"{issued}\""),
            &format!("NotBefore=\"{at}\""),
        )
    };
    let conditions_until = |to: &str| {
        genuine(
            &format!("\" NotOnOrAfter=\"{until}\"><saml:AudienceRestriction>"),
            &format!("\"{to}><saml:AudienceRestriction>"),
        )
    };
    let confirmed_until = |to: &str| {
        genuine(
            &format!(" NotOnOrAfter=\"{until}\" Recipient"),
            &format!("{to} Recipient"),
        )
    };
    let session = |at: &str| {
        genuine(
            "SessionNotOnOrAfter=\"2026-11-24T17:00:00.000Z\"",
            &format!("SessionNotOnOrAfter=\"{at}\""),
        )
    };
    vec![
        case(
            "response-issued-in-future",
            "issued_in_future",
            "the Response comes from the future",
            response_at(FUTURE),
        ),
        case(
            "response-issued-long-ago",
            "issued_too_long_ago",
            "the Response is older than a day",
            response_at("2026-11-23T08:58:59Z"),
        ),
        case(
            "response-issue-instant-missing",
            "time_invalid",
            "the Response has no IssueInstant",
            genuine(&response_issued, &format!("InResponseTo=\"{REQUEST_ID}\"")),
        ),
        case(
            "assertion-issued-in-future-signed",
            "issued_in_future",
            "the Assertion comes from the future",
            assertion_at(FUTURE),
        ),
        case(
            "assertion-issued-long-ago-signed",
            "issued_too_long_ago",
            "the Assertion is older than a day",
            assertion_at("2026-11-23T08:58:59Z"),
        ),
        case(
            "assertion-issue-instant-garbage-signed",
            "time_invalid",
            "not a time",
            assertion_at("yesterday"),
        ),
        case(
            "conditions-not-yet-valid-signed",
            "conditions_not_yet_valid",
            "NotBefore lies ahead",
            not_before(FUTURE),
        ),
        case(
            "conditions-not-before-garbage-signed",
            "time_invalid",
            "NotBefore is not a time",
            not_before(""),
        ),
        case(
            "conditions-expired-signed",
            "conditions_expired",
            "NotOnOrAfter has passed",
            conditions_until(&format!(" NotOnOrAfter=\"{PAST}\"")),
        ),
        case(
            "conditions-expired-to-the-millisecond-signed",
            "conditions_expired",
            "the limit itself is too late",
            conditions_until(" NotOnOrAfter=\"2026-11-24T08:59:00.000Z\""),
        ),
        case(
            "confirmation-expired-signed",
            "subject_confirmation_expired",
            "delivered too late (CVE-2026-1190)",
            confirmed_until(&format!(" NotOnOrAfter=\"{PAST}\"")),
        ),
        case(
            "confirmation-without-end-signed",
            "time_invalid",
            "a bearer confirmation must end",
            confirmed_until(""),
        ),
        case(
            "session-expired-signed",
            "session_expired",
            "the session at the IdP is over",
            session(PAST),
        ),
        case(
            "session-end-garbage-signed",
            "time_invalid",
            "not a time",
            session("0"),
        ),
        case(
            "authn-instant-in-future-signed",
            "issued_in_future",
            "signed in in the future",
            genuine(
                "AuthnInstant=\"2026-11-24T08:59:00.000Z\"",
                &format!("AuthnInstant=\"{FUTURE}\""),
            ),
        ),
        case(
            "authn-instant-missing-signed",
            "time_invalid",
            "signed in at no time",
            genuine(" AuthnInstant=\"2026-11-24T08:59:00.000Z\"", ""),
        ),
        case(
            "replayed-next-day",
            "issued_too_long_ago",
            "a good Response a day later",
            bases.assertion.clone(),
        )
        .with("now_ms", (crate::NOW_MS + 86_400_000 + 60_000).into()),
        case(
            "replayed-after-ten-minutes",
            "subject_confirmation_expired",
            "a good Response ten minutes later",
            bases.assertion.clone(),
        )
        .with("now_ms", (crate::NOW_MS + 600_000).into()),
    ]
}

fn statements(bases: &Bases) -> Vec<Case> {
    let authn = between(
        &bases.plain,
        "<saml:AuthnStatement ",
        "</saml:AuthnStatement>",
    )
    .to_owned();
    let expired = "<saml:AuthnStatement AuthnInstant=\"2026-11-24T08:00:00Z\" SessionNotOnOrAfter=\"2026-11-24T08:30:00Z\"/>";
    let genuine = |from: &str, to: &str| genuine(bases, from, to);
    vec![
        case(
            "authn-statement-missing-signed",
            "authn_statement_missing",
            "nobody signed in",
            genuine(&authn, ""),
        ),
        case(
            "authn-statement-second-expired-signed",
            "session_expired",
            "one of two statements is over",
            genuine(&authn, &format!("{authn}{expired}")),
        ),
        case(
            "attribute-without-name-signed",
            "attribute_name_missing",
            "an attribute without a name",
            genuine("<saml:Attribute Name=\"mail\">", "<saml:Attribute>"),
        ),
        case(
            "encrypted-attribute-signed",
            "encrypted_part_unsupported",
            "an encrypted attribute",
            genuine(
                "<saml:AttributeStatement>",
                "<saml:AttributeStatement><saml:EncryptedAttribute/>",
            ),
        ),
        case(
            "attribute-statement-text-signed",
            "unexpected_element",
            "text between statements",
            genuine(&authn, &format!("{authn}x")),
        ),
        case(
            "for-other-idp",
            "response_issuer_mismatch",
            "the connection expects another IdP",
            bases.assertion.clone(),
        )
        .with("idp_entity_id", "https://other.example.test/saml".into()),
        case(
            "for-other-sp",
            "audience_mismatch",
            "the connection has another entity id",
            bases.assertion.clone(),
        )
        .with("sp_entity_id", "https://other.example.test".into()),
        case(
            "for-other-acs",
            "destination_mismatch",
            "delivered at another connection's ACS",
            bases.assertion.clone(),
        )
        .with("acs_url", "https://sp.example.test/acs/2".into()),
    ]
}
