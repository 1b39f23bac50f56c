//! What must hold, whatever the document.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roxmltree::{Document, Node, NodeId};

use super::{fuzz, seeds};
use crate::idp::{
    AssertionEncryption, ContentCipher, KeyTransport, ReceivedAuthnRequest, RsaDigest, encrypted_assertion, sign_by_id,
};
use crate::xml::{self, Limits, c14n, read};
use crate::{Assertion, IdpMetadata, ResponseError, TrustedCertificate, UnverifiedResponse, validate_response};

/// An error in a few words: its code and the words of its message, without what comes from the document.
fn answer(code: &str, message: &str) -> String {
    let words = message.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 2).take(6);
    format!("{code} {}", words.collect::<Vec<_>>().join(" "))
}

/// What the gate lets through is within its limits, by the parser's own count; and what it takes for a tag, an attribute, a
/// declaration or a comment is what the parser takes for one.
#[test]
fn gate() {
    fuzz("gate", 2000, seeds::all(), |document, choices| {
        let limits = if choices.arbitrary().unwrap_or(true) { &Limits::RESPONSE } else { &Limits::METADATA };
        let admitted = xml::admit(document, limits);
        if let Err(error) = &admitted {
            return answer(error.code(), &error.to_string());
        }
        let admitted = admitted.unwrap();
        assert!(document.ends_with(admitted.as_bytes()));
        let counted = crate::xml::counted(admitted, limits);
        match xml::parse(admitted) {
            Ok(parsed) => {
                assert_eq!(counted, count(&parsed), "gate and parser see different documents");
                assert_within(&parsed, document.len(), limits);
                "parsed".to_owned()
            }
            Err(error) => answer("unparsed", &error.to_string()),
        }
    });
}

/// Elements, attributes with declarations, comments.
fn count(document: &Document) -> (usize, usize, usize) {
    let elements = document.descendants().filter(Node::is_element);
    let comments = document.descendants().filter(Node::is_comment).count();
    (elements.clone().count(), elements.map(|node| node.attributes().len() + declared(node)).sum(), comments)
}

/// The declarations on a tag. The parser gives those in scope, so the tag itself is read.
fn declared(node: Node) -> usize {
    let source = node.document().input_text();
    let (mut rest, mut found, mut quote) = (&source[node.range().start..], 0, None);
    while let Some(c) = rest.chars().next() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == '>' => break,
            None if c.is_ascii_whitespace() => {
                let name = rest.trim_ascii_start();
                let after =
                    name.strip_prefix("xmlns").filter(|after| after.starts_with([':', '=', ' ', '\t', '\r', '\n']));
                // Several spaces before one name count once.
                found += usize::from(after.is_some() && !rest[1..].starts_with([' ', '\t', '\r', '\n']));
            }
            None => {}
        }
        rest = &rest[c.len_utf8()..];
    }
    found
}

fn assert_within(document: &Document, bytes: usize, limits: &Limits) {
    assert!(bytes <= limits.bytes);
    let (elements, attributes, comments) = count(document);
    assert!(elements <= limits.elements && attributes <= limits.attributes && comments <= limits.comments);
    for node in document.descendants() {
        assert!(!node.is_pi());
        assert!(node.ancestors().filter(Node::is_element).count() <= limits.depth);
        assert!(node.attributes().len() + declared(node) <= limits.attributes_per_tag);
        // `xml` is always in scope.
        assert!(node.namespaces().len() <= limits.namespaces_in_scope + 1);
    }
}

/// Canonical form parses, passes the gate but for its size, is its own canonical form, and says what its source says.
#[test]
fn canonical() {
    fuzz("canonical", 2000, seeds::all(), |document, choices| {
        let Ok(admitted) = xml::admit(document, &Limits::RESPONSE) else { return "refused".to_owned() };
        let Ok(parsed) = xml::parse(admitted) else { return "unparsed".to_owned() };
        let elements: Vec<Node> = parsed.descendants().filter(Node::is_element).collect();
        let apex = match choices.ratio(1, 2) {
            Ok(true) => elements[choices.choose_index(elements.len()).unwrap_or(0)],
            _ => parsed.root_element(),
        };
        let below: Vec<Node> = apex.descendants().filter(|node| node.is_element() && *node != apex).collect();
        let left_out = match choices.ratio(1, 2) {
            Ok(true) if !below.is_empty() => Some(below[choices.choose_index(below.len()).unwrap_or(0)].id()),
            _ => None,
        };
        let lists: [&[&str]; 5] = [&[], &["saml"], &["", "xs"], &["ds", "nowhere", "x"], &["xml"]];
        let prefixes = *choices.choose(&lists).unwrap_or(&lists[0]);
        let Ok(canonical) = c14n::exclusive(apex, left_out, prefixes) else { return "too long".to_owned() };
        let again = xml::parse(&canonical).unwrap_or_else(|error| panic!("{error}: {canonical}"));
        assert_eq!(c14n::exclusive(again.root_element(), None, prefixes).unwrap(), canonical);
        assert_same(apex, again.root_element(), left_out);
        let larger =
            Limits { bytes: c14n::CANONICAL_BYTES, namespaces: usize::MAX, attributes: usize::MAX, ..Limits::RESPONSE };
        if let Err(error) = xml::admit(canonical.as_bytes(), &larger) {
            // Declarations that a PrefixList draws down may be more on one tag than an IdP writes.
            assert_eq!(error.code(), "xml_too_many_attributes", "{error}: {canonical}");
        }
        format!("{} {} {prefixes:?}", apex == parsed.root_element(), left_out.is_some())
    });
}

/// The same elements with the same attributes and the same text, comments apart.
fn assert_same(source: Node, canonical: Node, left_out: Option<NodeId>) {
    // The parser tells `xmlns=""` from no declaration; it means the same.
    let name =
        |node: Node| format!("{{{}}}{}", node.tag_name().namespace().unwrap_or_default(), node.tag_name().name());
    assert_eq!(name(source), name(canonical));
    let attributes = |node: Node| {
        let mut all: Vec<(String, String, String)> = node
            .attributes()
            .map(|a| (a.namespace().unwrap_or_default().into(), a.name().into(), a.value().into()))
            .collect();
        all.sort();
        all
    };
    assert_eq!(attributes(source), attributes(canonical));
    let text = |node: Node| -> String {
        node.children().filter(Node::is_text).map(|text| text.text().unwrap_or_default()).collect()
    };
    assert_eq!(text(source), text(canonical));
    let kept: Vec<Node> = read::elements(source).filter(|node| Some(node.id()) != left_out).collect();
    let again: Vec<Node> = read::elements(canonical).collect();
    assert_eq!(kept.len(), again.len());
    for (source, canonical) in kept.into_iter().zip(again) {
        assert_same(source, canonical, left_out);
    }
}

fn without_response_id(mut assertion: Assertion) -> Assertion {
    assertion.response_id.clear(); // the one field that may be unsigned
    assertion
}

fn answered(result: &Result<Assertion, ResponseError>) -> String {
    match result {
        Ok(_) => "accepted".to_owned(),
        Err(error) => answer(error.code(), &error.to_string()),
    }
}

/// Whoever holds every Response of the corpus cannot make one that says something else than the IdP said in one of them.
#[test]
fn verifier() {
    let (certificates, keys) = ([seeds::certificate("idp")], [seeds::decryption_key()]);
    let expected = seeds::expectations(&certificates, &keys);
    // Comments are not signed; without them, some of what is rejected is good.
    let without_comments = |document: &Vec<u8>| {
        let mut text = String::from_utf8_lossy(document).into_owned();
        while let Some((before, rest)) = text.split_once("<!--") {
            text = format!("{before}{}", rest.split_once("-->").map_or("", |(_, behind)| behind));
        }
        text.into_bytes()
    };
    let all = seeds::all();
    let good: Vec<Assertion> = all
        .iter()
        .chain(&all.iter().map(without_comments).collect::<Vec<_>>())
        .filter_map(|document| validate_response(&STANDARD.encode(document), &expected).ok())
        .map(without_response_id)
        .collect();
    assert!(good.len() > 20);
    fuzz("verifier", 2500, all, |document, _| {
        let result = validate_response(&STANDARD.encode(document), &expected);
        if let Ok(assertion) = &result {
            let assertion = without_response_id(assertion.clone());
            assert!(good.contains(&assertion), "{assertion:#?}\n{}", String::from_utf8_lossy(document));
        }
        answered(&result)
    });
}

/// A hostile or careless IdP signs the changed document. What is then accepted is what anybody reads in it: there is one
/// Assertion, its NameID and its values are the texts that stand there, and it is for us.
#[test]
fn signed_by_the_idp() {
    let (certificates, idp) = ([seeds::certificate("idp")], seeds::idp());
    let expected = seeds::expectations(&certificates, &[]);
    let unsigned: Vec<Vec<u8>> = seeds::all().iter().map(|document| without_signatures(document)).collect();
    fuzz("signed_by_the_idp", 1200, unsigned, |document, choices| {
        let Ok(text) = std::str::from_utf8(document) else { return "not utf-8".to_owned() };
        let id = if choices.arbitrary().unwrap_or(true) { "_assertion1" } else { "_response1" };
        let Ok(signed) = sign_by_id(text, id, &idp, RsaDigest::Sha256) else { return "cannot be signed".to_owned() };
        let result = validate_response(&STANDARD.encode(&signed), &expected);
        if let Ok(assertion) = &result {
            assert_eq!(assertion.issuer, expected.idp_entity_id);
            assert!(is_for_us(&signed, expected.sp_entity_id, expected.acs_url), "{signed}");
            assert_eq!(without_text(assertion), read_naively(&signed), "{signed}");
        }
        answered(&result)
    });
}

fn is_for_us(xml: &str, sp_entity_id: &str, acs_url: &str) -> bool {
    let document = Document::parse(xml).unwrap();
    let audience =
        |node: Node| node.has_tag_name((xml::NS_ASSERTION, "Audience")) && text_in(node).trim_ascii() == sp_entity_id;
    document.descendants().any(audience)
        && document.descendants().any(|node| node.attribute("Recipient") == Some(acs_url))
}

fn text_in(node: Node) -> String {
    node.descendants().filter(Node::is_text).filter_map(|text| text.text()).collect()
}

fn without_signatures(document: &[u8]) -> Vec<u8> {
    let mut text = String::from_utf8_lossy(document).into_owned();
    while let Some((before, rest)) = text.split_once("<ds:Signature ") {
        text = format!("{before}{}", rest.split_once("</ds:Signature>").map_or("", |(_, behind)| behind));
    }
    text.into_bytes()
}

/// Id, NameID and values of an accepted assertion.
fn without_text(assertion: &Assertion) -> (String, String, Vec<String>) {
    let values = assertion.attributes.iter().flat_map(|attribute| attribute.values.clone()).collect();
    (assertion.id.clone(), assertion.name_id.value.clone(), values)
}

/// The same, read without this crate's ways to read: the first of each name, and all text that is anywhere inside.
fn read_naively(xml: &str) -> (String, String, Vec<String>) {
    let document = Document::parse(xml).unwrap();
    let below = |nodes: Vec<Node<'_, '_>>, name: &str| -> Vec<_> {
        let children = nodes.iter().flat_map(|node| node.children().map(|child| child.id()).collect::<Vec<_>>());
        let children = children.filter_map(|id| document.get_node(id));
        children.filter(|child| child.has_tag_name((xml::NS_ASSERTION, name))).map(|child| child.id()).collect()
    };
    let nodes = |ids: Vec<NodeId>| -> Vec<Node> { ids.into_iter().filter_map(|id| document.get_node(id)).collect() };
    let path = |from: Node, names: &[&str]| {
        names.iter().fold(vec![from.id()], |found, name| below(nodes(found), name)).into_iter().collect::<Vec<_>>()
    };
    let assertion = document.descendants().find(|node| node.has_tag_name((xml::NS_ASSERTION, "Assertion"))).unwrap();
    let name_id = nodes(path(assertion, &["Subject", "NameID"])).first().map(|node| text_in(*node)).unwrap_or_default();
    const NIL: &str = "http://www.w3.org/2001/XMLSchema-instance";
    let is_nil = |node: &Node| {
        node.attributes().any(|a| (a.namespace(), a.name()) == (Some(NIL), "nil") && matches!(a.value(), "true" | "1"))
    };
    let is_plain = |node: &Node| read::elements(*node).next().is_none() && !is_nil(node);
    let values = nodes(path(assertion, &["AttributeStatement", "Attribute", "AttributeValue"]));
    let values = values.into_iter().filter(is_plain).map(text_in).collect();
    (assertion.attribute("ID").unwrap_or_default().to_owned(), name_id.trim_ascii().to_owned(), values)
}

/// What a stranger encrypts for us, whatever it is, is either what the IdP signed or fails in one way only.
#[test]
fn decrypted() {
    let (certificates, keys) = ([seeds::certificate("idp")], [seeds::decryption_key()]);
    let expected = seeds::expectations(&certificates, &keys);
    let recipient = seeds::certificate("sp");
    let idp = seeds::idp();
    let plain = String::from_utf8(without_signatures(&seeds::responses("accepted")[0])).unwrap();
    let (before, rest) = plain.split_once("<saml:Assertion ").unwrap();
    let (inner, behind) = rest.split_once("</saml:Assertion>").unwrap();
    let declared = "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ";
    let unsigned = format!("{declared}{inner}</saml:Assertion>");
    let signed = sign_by_id(&unsigned, "_assertion1", &idp, RsaDigest::Sha256).unwrap();
    let answer_to = |content: &[u8], cipher| {
        let encryption =
            AssertionEncryption { recipient: &recipient, cipher, transport: KeyTransport::OaepSha1, random: [7; 48] };
        let encrypted = encrypted_assertion(content, &encryption).unwrap();
        validate_response(&STANDARD.encode(format!("{before}{encrypted}{behind}")), &expected)
    };
    let good = answer_to(signed.as_bytes(), ContentCipher::Aes256Gcm).unwrap();
    let seeds = vec![signed.into_bytes(), unsigned.into_bytes(), plain.clone().into_bytes()];
    // Every failure is the same to the sender, so a plaintext's own verdict leads on.
    fuzz("decrypted", 700, seeds, |content, choices| {
        let cipher =
            if choices.arbitrary().unwrap_or(true) { ContentCipher::Aes256Gcm } else { ContentCipher::Aes128Cbc };
        match answer_to(content, cipher) {
            Ok(assertion) => assert_eq!(assertion, good),
            // A document of its limit's size cannot be encrypted within it.
            Err(error) if error.code() == "xml_too_large" || error.code() == "response_too_large" => {}
            Err(error) => assert_eq!(error.code(), "decryption_failed", "{error}"),
        }
        answered(&validate_response(&STANDARD.encode(content), &expected))
    });
}

/// Metadata that is accepted has all that a connection needs, and every certificate in it can be read again.
#[test]
fn metadata() {
    fuzz("metadata", 2000, seeds::metadata(), |document, _| match IdpMetadata::parse(document) {
        Ok(metadata) => {
            assert!(!metadata.entity_id.is_empty() && !metadata.sso_urls.is_empty());
            assert!(
                metadata.sso_urls.iter().all(|(_, url)| url::Url::parse(url).unwrap().scheme().starts_with("http"))
            );
            assert!((1..=16).contains(&metadata.certificates.len()));
            for certificate in &metadata.certificates {
                assert_eq!(TrustedCertificate::parse(&certificate.base64()).as_ref(), Ok(certificate));
            }
            format!("accepted {} {}", metadata.certificates.len(), metadata.unusable_certificates.len())
        }
        Err(error) => answer(error.code(), &error.to_string()),
    });
}

/// A form value that decodes is the document that was encoded, white space apart.
#[test]
fn form_value() {
    let values: Vec<Vec<u8>> =
        seeds::responses("accepted").iter().map(|xml| STANDARD.encode(xml).into_bytes()).collect();
    fuzz("form_value", 1500, values, |value, _| {
        let value = String::from_utf8_lossy(value);
        match UnverifiedResponse::decode(&value) {
            Ok(response) => {
                let compact: String = value.split_ascii_whitespace().collect();
                assert_eq!(STANDARD.encode(response.xml()), compact);
                answer("decoded", &format!("{:?}", response.header().map(|header| header.issuer.is_some())))
            }
            Err(error) => answer(error.code(), &error.to_string()),
        }
    });
}

/// A certificate that is accepted says the same when it is read again.
#[test]
fn certificate() {
    let names = ["idp", "foreign", "ec", "p384", "p521", "ed25519", "weak"];
    let pem = names.map(|name| seeds::read(&format!("{name}.crt")).into_bytes());
    let der = ["idp", "ec", "p521"].map(|name| seeds::certificate(name).der().to_vec());
    fuzz("certificate", 2000, [pem.to_vec(), der.to_vec()].concat(), |document, _| {
        let parsed = match std::str::from_utf8(document) {
            Ok(text) => TrustedCertificate::parse(text),
            Err(_) => TrustedCertificate::from_der(document.to_vec()),
        };
        match parsed {
            Ok(certificate) => {
                let again = TrustedCertificate::parse(&certificate.pem()).unwrap();
                assert_eq!((again.subject(), again.fingerprint()), (certificate.subject(), certificate.fingerprint()));
                "accepted".to_owned()
            }
            Err(error) => answer(error.code(), &error.to_string()),
        }
    });
}

/// An AuthnRequest as an IdP receives it: it has an id and an Issuer, or is refused.
#[test]
fn request() {
    let request = seeds::request();
    let query = request.redirect_url(Some("state"), Some("jane@example.test"), Some(&seeds::idp())).unwrap();
    let query = query.split_once('?').unwrap().1.as_bytes().to_vec();
    let certificate = seeds::certificate("idp");
    fuzz("request", 1000, vec![request.to_xml().into_bytes(), query], |document, _| {
        let text = String::from_utf8_lossy(document);
        let _either = ReceivedAuthnRequest::is_redirect_signed_by(&text, &certificate);
        let received = match text.contains("SAMLRequest=") {
            true => ReceivedAuthnRequest::from_redirect_query(&text),
            false => ReceivedAuthnRequest::from_xml(document),
        };
        match received {
            Ok(request) => {
                assert!(!request.issuer.is_empty());
                "received".to_owned()
            }
            Err(error) => answer("refused", &error.to_string()),
        }
    });
}
