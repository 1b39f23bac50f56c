//! Signature wrapping, signatures in wrong places and shared ids: what is verified and what is read differ.

use super::{Bases, EVIL, RESPONSE_ID_ATTRIBUTE, case, on};
use crate::Case;
use crate::accepted::{ASSERTION_ID, NAME_ID};
use crate::edit::{assertion, replace, signature, unsigned};

/// An Assertion as the attacker would have it.
fn evil_assertion(bases: &Bases<'_>) -> String {
    let evil = assertion(&bases.plain).replace(NAME_ID, EVIL);
    replace(&evil, ASSERTION_ID, "_evil")
}

/// The numbered signature wrapping attacks of "On Breaking SAML" (2012): what is signed and what is read differ.
pub(super) fn wrapping(bases: &Bases<'_>) -> Vec<Case> {
    let evil = evil_assertion(bases);
    let original = unsigned(&bases.response);
    let evil_response = replace(&bases.response.replace(NAME_ID, EVIL), RESPONSE_ID_ATTRIBUTE, " ID=\"_evil\"");
    let bare = unsigned(&bases.assertion);
    let bare = assertion(&bare).to_owned();
    let signature = signature(&bases.assertion).to_owned();
    let evil_with_signature = replace(&evil, "</saml:Issuer>", &format!("</saml:Issuer>{signature}"));
    let around = |inner: &str| replace(&bases.assertion, assertion(&bases.assertion), inner);
    vec![
        on(
            "response-signed",
            case(
                "xsw1-response-in-signature-object",
                "unexpected_element",
                "the signed Response sits in an Object of the signature of a forged one",
                replace(&evil_response, "</ds:KeyInfo>", &format!("</ds:KeyInfo><ds:Object>{original}</ds:Object>")),
            ),
        ),
        on(
            "response-signed",
            case(
                "xsw2-response-before-signature",
                "unexpected_element",
                "the signed Response sits in a forged one, beside the detached signature",
                replace(&evil_response, "<ds:Signature ", &format!("{original}<ds:Signature ")),
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
            replace(&bases.assertion, "<saml:Assertion ", &format!("{evil}<saml:Assertion ")),
        ),
        case(
            "xsw3-forged-assertion-last",
            "assertion_multiple",
            "a forged Assertion behind the signed one (CVE-2022-41912)",
            replace(&bases.assertion, "</saml:Assertion>", &format!("</saml:Assertion>{evil}")),
        ),
        case(
            "xsw4-original-in-forged",
            "assertion_misplaced",
            "the signed Assertion as a child of the forged one",
            around(&replace(&evil, "</saml:Assertion>", &format!("{}</saml:Assertion>", assertion(&bases.assertion)))),
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
            around(&replace(&evil_with_signature, "</ds:Signature>", &format!("{bare}</ds:Signature>"))),
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
            bases.assertion.replacen("<saml:AttributeValue>", &format!("<saml:AttributeValue>{evil}"), 1),
        ),
        case("no-assertion", "assertion_missing", "success, and nobody signed in", around("")),
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

/// Signatures in wrong places, and ids that two elements share.
pub(super) fn placement(bases: &Bases<'_>) -> Vec<Case> {
    let signature = signature(&bases.assertion).to_owned();
    let bare = unsigned(&bases.assertion);
    vec![
        case("unsigned", "signature_missing", "nothing is signed", bases.plain.clone()),
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
            replace(&bare, "<saml:Subject>", &format!("<saml:Subject>{signature}")),
        ),
        case(
            "signature-in-key-info",
            "signature_misplaced",
            "a second signature in KeyInfo of the first",
            replace(&bases.assertion, "</ds:X509Data>", &format!("</ds:X509Data>{signature}")),
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
            replace(&bases.assertion, "</ds:Signature>", &format!("</ds:Signature>{signature}")),
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
                replace(&bases.both, "Version=\"2.0\" Destination", "Version=\"2.0\" Consent=\"urn:x\" Destination"),
            ),
        ),
        case(
            "duplicate-id-on-response",
            "duplicate_id",
            "Response and Assertion share an id",
            replace(&bases.assertion, RESPONSE_ID_ATTRIBUTE, " ID=\"_assertion1\""),
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
            replace(&bases.assertion, "<saml:Assertion ", "<saml:Assertion xml:id=\"_assertion1\" "),
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
