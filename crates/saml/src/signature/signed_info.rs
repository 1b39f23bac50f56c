//! `ds:SignedInfo` in the one shape SAML allows (SAML core 5.4): one Reference, two transforms, nothing else.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roxmltree::Node;

use super::SignatureError;
use super::algorithm::SignatureAlgorithm;
use crate::certificate::DigestSize;
use crate::xml::read::{describe, elements, has_element_content, is, plain_text};
use crate::xml::{EXCLUSIVE_C14N, NS_SIGNATURE};

const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

/// The most prefixes a PrefixList may name; more could not be in scope anyway.
const MOST_PREFIXES: usize = 32;

/// What a SignedInfo says.
pub(super) struct SignedInfo<'a> {
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) reference_uri: &'a str,
    /// PrefixList of the Reference's exclusive canonicalization.
    pub(super) prefixes: Vec<&'a str>,
    pub(super) digest_size: DigestSize,
    pub(super) digest: Vec<u8>,
}

/// The PrefixList with which the SignedInfo itself is canonicalized, read ahead of its verification.
pub(super) fn canonicalization_prefixes<'a>(signed_info: Node<'a, '_>) -> Result<Vec<&'a str>, SignatureError> {
    let method = elements(signed_info)
        .next()
        .filter(|first| is(first, NS_SIGNATURE, "CanonicalizationMethod"))
        .ok_or_else(|| malformed("SignedInfo does not start with CanonicalizationMethod"))?;
    exclusive_prefixes(method)
}

impl<'a> SignedInfo<'a> {
    /// Reads the root element of a canonical SignedInfo.
    pub(super) fn read(node: Node<'a, '_>) -> Result<Self, SignatureError> {
        let [canonicalization, method, reference] =
            exactly(node, ["CanonicalizationMethod", "SignatureMethod", "Reference"])?;
        only_attributes(node, &["Id"])?;
        exclusive_prefixes(canonicalization)?;
        let algorithm = SignatureAlgorithm::from_uri(algorithm_of(method)?)?;
        empty(method)?;
        only_attributes(reference, &["Id", "URI", "Type"])?;
        let reference_uri = reference.attribute("URI").ok_or_else(|| malformed("Reference has no URI"))?;
        let [transforms, digest_method, digest_value] =
            exactly(reference, ["Transforms", "DigestMethod", "DigestValue"])?;
        let prefixes = read_transforms(transforms)?;
        let digest_size = DigestSize::from_uri(algorithm_of(digest_method)?)?;
        empty(digest_method)?;
        only_attributes(digest_value, &[])?;
        Ok(SignedInfo { algorithm, reference_uri, prefixes, digest_size, digest: base64_content(digest_value)? })
    }
}

/// First enveloped-signature, then exclusive canonicalization; no third, no XPath, no XSLT. Returns the PrefixList.
fn read_transforms<'a>(transforms: Node<'a, '_>) -> Result<Vec<&'a str>, SignatureError> {
    only_attributes(transforms, &[])?;
    if !has_element_content(transforms) {
        return Err(malformed("text in Transforms"));
    }
    let found: Vec<Node> = elements(transforms).take(3).collect();
    let mut uris = Vec::with_capacity(2);
    for transform in &found {
        if !is(transform, NS_SIGNATURE, "Transform") {
            return Err(malformed("Transforms contains something else"));
        }
        uris.push(algorithm_of(*transform)?);
    }
    match found.as_slice() {
        [enveloped, exclusive] if uris == [ENVELOPED, EXCLUSIVE_C14N] => {
            empty(*enveloped)?;
            exclusive_prefixes(*exclusive)
        }
        _ => Err(SignatureError::TransformRefused(uris.join(", ").into())),
    }
}

/// Checks that `method` is exclusive canonicalization and returns its PrefixList (exc-c14n 4).
fn exclusive_prefixes<'a>(method: Node<'a, '_>) -> Result<Vec<&'a str>, SignatureError> {
    let uri = algorithm_of(method)?;
    if uri != EXCLUSIVE_C14N {
        return Err(SignatureError::CanonicalizationRefused(uri.into()));
    }
    if !has_element_content(method) {
        return Err(malformed("text in a canonicalization method"));
    }
    let mut children = elements(method);
    let list = match (children.next(), children.next()) {
        (None, _) => return Ok(Vec::new()),
        (Some(only), None) if is(&only, EXCLUSIVE_C14N, "InclusiveNamespaces") => only,
        _ => {
            return Err(malformed("unknown parameters of exclusive canonicalization"));
        }
    };
    only_attributes(list, &["PrefixList"])?;
    if !matches!(plain_text(list), Some("")) {
        return Err(malformed("InclusiveNamespaces is not empty"));
    }
    let prefixes: Vec<&str> = list
        .attribute("PrefixList")
        .unwrap_or_default()
        .split_ascii_whitespace()
        .map(|prefix| if prefix == "#default" { "" } else { prefix })
        .take(MOST_PREFIXES + 1)
        .collect();
    if prefixes.len() > MOST_PREFIXES {
        return Err(malformed("PrefixList is too long"));
    }
    Ok(prefixes)
}

/// The content of `node` as base64, white space skipped (XML Signature 4.0.1).
pub(super) fn base64_content(node: Node) -> Result<Vec<u8>, SignatureError> {
    let text = plain_text(node).ok_or_else(|| malformed("markup inside of base64"))?;
    let mut compact = text.as_bytes().to_vec();
    compact.retain(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    STANDARD.decode(compact).map_err(|_| malformed("a value is not base64"))
}

/// The element children of `parent`, which must be exactly these of the signature namespace, in this order.
pub(super) fn exactly<'a, 'i, const N: usize>(
    parent: Node<'a, 'i>,
    names: [&str; N],
) -> Result<[Node<'a, 'i>; N], SignatureError> {
    let local = parent.tag_name().name();
    if !has_element_content(parent) {
        return Err(malformed(&format!("text in {local}")));
    }
    let found: Vec<Node> = elements(parent).take(N + 1).collect();
    let found: [Node; N] =
        found.try_into().map_err(|_| malformed(&format!("{local} does not contain exactly {}", names.join(", "))))?;
    for (child, name) in found.iter().zip(names) {
        if !is(child, NS_SIGNATURE, name) {
            let got = describe(child);
            return Err(malformed(&format!("{local} contains {got} instead of {name}")));
        }
    }
    Ok(found)
}

fn algorithm_of<'a>(node: Node<'a, '_>) -> Result<&'a str, SignatureError> {
    only_attributes(node, &["Algorithm"])?;
    node.attribute("Algorithm").ok_or_else(|| malformed("a method without Algorithm"))
}

/// `HMACOutputLength`, XPath and the like are children of methods; none is accepted.
fn empty(node: Node) -> Result<(), SignatureError> {
    match has_element_content(node) && elements(node).next().is_none() {
        true => Ok(()),
        false => Err(malformed("a method has parameters")),
    }
}

/// Refuses attributes other than `names` without a namespace.
pub(super) fn only_attributes(node: Node, names: &[&str]) -> Result<(), SignatureError> {
    let allowed =
        node.attributes().all(|attribute| attribute.namespace().is_none() && names.contains(&attribute.name()));
    match allowed {
        true => Ok(()),
        false => {
            let local = node.tag_name().name();
            Err(malformed(&format!("{local} has an unknown attribute")))
        }
    }
}

fn malformed(why: &str) -> SignatureError {
    SignatureError::Malformed(why.into())
}
