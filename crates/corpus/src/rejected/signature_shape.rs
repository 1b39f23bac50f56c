//! Signatures that verify and say no more than one expects, but have something in them that does not belong there. What it
//! would mean to other software, nobody can say; so each is refused.

use super::{Bases, case};
use crate::Case;
use crate::edit::{between, replace};

const MALFORMED: &str = "signature_malformed";

/// Around SignedInfo, where the signature does not reach.
pub(super) fn signature(bases: &Bases<'_>) -> Vec<Case> {
    let xml = &bases.assertion;
    let key_info = between(xml, "<ds:KeyInfo>", "</ds:KeyInfo>").to_owned();
    let signed_info = between(xml, "<ds:SignedInfo>", "</ds:SignedInfo>").to_owned();
    vec![
        case(
            "attribute-on-signature",
            MALFORMED,
            "an attribute that Signature does not have",
            xml.replacen("<ds:Signature ", "<ds:Signature Target=\"#x\" ", 1),
        ),
        case(
            "attribute-on-signature-value",
            MALFORMED,
            "an attribute that SignatureValue does not have",
            replace(xml, "<ds:SignatureValue>", "<ds:SignatureValue Encoding=\"hex\">"),
        ),
        case(
            "attribute-on-signature-value-namespaced",
            MALFORMED,
            "an Id of another namespace",
            replace(xml, "<ds:SignatureValue>", "<ds:SignatureValue xmlns:x=\"urn:x\" x:Id=\"_x\">"),
        ),
        case(
            "object-instead-of-key-info",
            MALFORMED,
            "an Object in the place of KeyInfo",
            replace(xml, &key_info, "<ds:Object/>"),
        ),
        case(
            "signed-info-of-other-namespace",
            MALFORMED,
            "a SignedInfo that is none",
            replace(
                xml,
                &signed_info,
                &signed_info
                    .replace("<ds:SignedInfo>", "<SignedInfo xmlns=\"urn:x\">")
                    .replace("</ds:SignedInfo>", "</SignedInfo>"),
            ),
        ),
        case(
            "signature-value-of-other-name",
            MALFORMED,
            "a SignatureValue by another name",
            xml.replace("ds:SignatureValue>", "ds:Value>"),
        ),
        case(
            "element-in-signature-value",
            MALFORMED,
            "an element inside of the value",
            replace(xml, "</ds:SignatureValue>", "<ds:x/></ds:SignatureValue>"),
        ),
        case(
            "signature-value-garbage",
            MALFORMED,
            "a value that is not base64",
            replace(xml, "</ds:SignatureValue>", "*</ds:SignatureValue>"),
        ),
    ]
}

/// Inside of SignedInfo. The IdP's own key signed each of them like that.
pub(super) fn signed_info(bases: &Bases<'_>) -> Vec<Case> {
    let xml = &bases.assertion;
    let edit = |from: &str, to: &str| bases.scene.resign(xml, |info| replace(info, from, to));
    let canonicalization = between(xml, "<ds:CanonicalizationMethod ", "</ds:CanonicalizationMethod>").to_owned();
    let method = between(xml, "<ds:SignatureMethod ", "</ds:SignatureMethod>").to_owned();
    let exclusive = "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">";
    let rename = |from: &str, to: &str| {
        bases.scene.resign(xml, |info| {
            info.replace(&format!("<ds:{from} "), &format!("<ds:{to} "))
                .replace(&format!("</ds:{from}>"), &format!("</ds:{to}>"))
        })
    };
    vec![
        case(
            "signature-method-first-signed",
            MALFORMED,
            "SignedInfo does not begin with how it is canonicalized",
            edit(&format!("{canonicalization}{method}"), &format!("{method}{canonicalization}")),
        ),
        case(
            "canonicalization-missing-signed",
            MALFORMED,
            "SignedInfo does not say how it is canonicalized",
            edit(&canonicalization, ""),
        ),
        case(
            "signed-info-empty-signed",
            MALFORMED,
            "a SignedInfo with nothing in it",
            bases.scene.resign(xml, |_| "<ds:SignedInfo></ds:SignedInfo>".to_owned()),
        ),
        case(
            "attribute-on-signed-info-signed",
            MALFORMED,
            "an attribute that SignedInfo does not have",
            edit("<ds:SignedInfo>", "<ds:SignedInfo Target=\"#x\">"),
        ),
        case(
            "attribute-on-reference-signed",
            MALFORMED,
            "an attribute that Reference does not have",
            edit("URI=\"#_assertion1\"", "Target=\"#x\" URI=\"#_assertion1\""),
        ),
        case(
            "attribute-on-digest-value-signed",
            MALFORMED,
            "an attribute that DigestValue does not have",
            edit("<ds:DigestValue>", "<ds:DigestValue Encoding=\"hex\">"),
        ),
        case(
            "attribute-on-transforms-signed",
            MALFORMED,
            "an attribute that Transforms does not have",
            edit("<ds:Transforms>", "<ds:Transforms First=\"2\">"),
        ),
        case(
            "attribute-on-transform-signed",
            MALFORMED,
            "an attribute that Transform does not have",
            edit(exclusive, &exclusive.replace("\">", "\" Except=\"#x\">")),
        ),
        case(
            "attribute-on-method-signed",
            MALFORMED,
            "an attribute that SignatureMethod does not have",
            edit("#rsa-sha256\">", "#rsa-sha256\" Salt=\"0\">"),
        ),
        case(
            "method-without-algorithm-signed",
            MALFORMED,
            "a SignatureMethod that leaves the algorithm open",
            edit(" Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"", ""),
        ),
        case(
            "text-in-method-signed",
            MALFORMED,
            "text inside of SignatureMethod",
            edit("#rsa-sha256\">", "#rsa-sha256\">x"),
        ),
        case(
            "digest-method-with-parameters-signed",
            MALFORMED,
            "parameters of the digest",
            edit("</ds:DigestMethod>", "<ds:Length></ds:Length></ds:DigestMethod>"),
        ),
        case(
            "text-in-signed-info-signed",
            MALFORMED,
            "text between the children of SignedInfo",
            edit("<ds:Reference ", "x<ds:Reference "),
        ),
        case(
            "text-in-transforms-signed",
            MALFORMED,
            "text between the Transforms",
            edit("<ds:Transforms>", "<ds:Transforms>x"),
        ),
        case(
            "reference-of-other-name-signed",
            MALFORMED,
            "something else in the place of the Reference",
            rename("Reference", "Manifest"),
        ),
        case("transform-of-other-name-signed", MALFORMED, "Transforms by another name", rename("Transform", "Step")),
    ]
}

/// Parameters of exclusive canonicalization (exc-c14n 4). The IdP's own key signed each of them like that.
pub(super) fn canonicalization(bases: &Bases<'_>) -> Vec<Case> {
    let xml = &bases.assertion;
    let exclusive = "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform>";
    let with = |content: &str| {
        let to = exclusive.replace("></", &format!(">{content}</"));
        bases.scene.resign(xml, |info| replace(info, exclusive, &to))
    };
    let list = |attributes: &str, content: &str| {
        format!(
            "<ec:InclusiveNamespaces xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\"{attributes}>{content}\
             </ec:InclusiveNamespaces>"
        )
    };
    let prefixes: String = (0..33).map(|n| format!("p{n} ")).collect();
    vec![
        case("text-in-canonicalization-signed", MALFORMED, "text beside the parameters", with("x")),
        case(
            "canonicalization-with-other-parameter-signed",
            MALFORMED,
            "a parameter that exclusive canonicalization does not have",
            with("<ds:XPath></ds:XPath>"),
        ),
        case(
            "two-prefix-lists-signed",
            MALFORMED,
            "two PrefixLists, so which one counts?",
            with(&format!("{}{}", list(" PrefixList=\"a\"", ""), list(" PrefixList=\"b\"", ""))),
        ),
        case(
            "attribute-on-prefix-list-signed",
            MALFORMED,
            "an attribute beside PrefixList",
            with(&list(" Except=\"a\" PrefixList=\"a\"", "")),
        ),
        case(
            "content-in-prefix-list-signed",
            MALFORMED,
            "content where only an attribute belongs",
            with(&list(" PrefixList=\"a\"", "b")),
        ),
        case(
            "prefix-list-too-long-signed",
            MALFORMED,
            "33 prefixes",
            with(&list(&format!(" PrefixList=\"{}\"", prefixes.trim_end()), "")),
        ),
    ]
}
