//! Enveloped signatures as SAML core 5.4 describes them.

use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaSignatureEncoding};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roxmltree::{Document, Node};

use super::{SamlKey, SigningError};
use crate::certificate::DigestSize;
use crate::signature::algorithm::SignatureAlgorithm;
use crate::xml::escape::attribute;
use crate::xml::read::{elements, is};
use crate::xml::{self, EXCLUSIVE_C14N, Limits, NS_ASSERTION, NS_SIGNATURE, c14n};

/// Which SHA-2 digest goes with RSA.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RsaDigest {
    /// RSA-SHA256.
    #[default]
    Sha256,
    /// RSA-SHA384.
    Sha384,
    /// RSA-SHA512.
    Sha512,
}

impl RsaDigest {
    fn size(self) -> DigestSize {
        match self {
            RsaDigest::Sha256 => DigestSize::Sha256,
            RsaDigest::Sha384 => DigestSize::Sha384,
            RsaDigest::Sha512 => DigestSize::Sha512,
        }
    }

    pub(super) fn encoding(self) -> &'static RsaSignatureEncoding {
        match self {
            RsaDigest::Sha256 => &RSA_PKCS1_SHA256,
            RsaDigest::Sha384 => &RSA_PKCS1_SHA384,
            RsaDigest::Sha512 => &RSA_PKCS1_SHA512,
        }
    }
}

/// What of a Response is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignedPart {
    /// The Response, and with it the Assertion.
    Response,
    /// The Assertion alone.
    #[default]
    Assertion,
    /// First the Assertion, then the Response around it.
    Both,
}

/// Signs the element of `xml` whose `ID` is `id`: inserts a Signature behind its Issuer, where the SAML schema wants it.
///
/// # Errors
/// `xml` does not parse, has no such element, or the element has no Issuer.
pub fn sign_by_id(xml: &str, id: &str, key: &SamlKey, digest: RsaDigest) -> Result<String, SigningError> {
    sign_by_id_with_prefixes(xml, id, key, digest, &[])
}

/// As [`sign_by_id`], with a PrefixList of InclusiveNamespaces (exc-c14n 4) as some IdPs write it. `#default` is not
/// among `prefixes`.
///
/// # Errors
/// See [`sign_by_id`].
pub fn sign_by_id_with_prefixes(
    xml: &str,
    id: &str,
    key: &SamlKey,
    digest: RsaDigest,
    prefixes: &[&str],
) -> Result<String, SigningError> {
    let admitted = xml::admit(xml.as_bytes(), &Limits::METADATA)?;
    let document = xml::parse(admitted)?;
    let nothing = || SigningError::NothingToSign(id.into());
    let element = find(&document, id).ok_or_else(nothing)?;
    let issuer = elements(element).next().filter(|first| is(first, NS_ASSERTION, "Issuer")).ok_or_else(nothing)?;
    let signature = signature_element(element, id, key, digest, prefixes)?;
    let at = issuer.range().end;
    let (before, behind) = admitted.split_at_checked(at).ok_or_else(nothing)?;
    Ok(format!("{before}{signature}{behind}"))
}

fn find<'a, 'i>(document: &'a Document<'i>, id: &str) -> Option<Node<'a, 'i>> {
    document.descendants().find(|node| node.attribute("ID") == Some(id))
}

/// The `ds:Signature` for `element`, which does not have one yet.
fn signature_element(
    element: Node,
    id: &str,
    key: &SamlKey,
    digest: RsaDigest,
    prefixes: &[&str],
) -> Result<String, SigningError> {
    let size = digest.size();
    let canonical = c14n::exclusive(element, None, prefixes).map_err(|_| SigningError::Signing)?;
    let digest_value = STANDARD.encode(size.digest(canonical.as_bytes()));
    let method = SignatureAlgorithm::Rsa(size).uri();
    let digest_method = size.uri();
    let id = attribute(id);
    let list = match prefixes {
        [] => String::new(),
        _ => format!(
            "<ec:InclusiveNamespaces xmlns:ec=\"{EXCLUSIVE_C14N}\" PrefixList=\"{}\"></ec:InclusiveNamespaces>",
            attribute(&prefixes.join(" "))
        ),
    };
    // Written in canonical form, with the declaration that canonicalization would add, so that it is signed as it stands.
    let contents = format!(
        "<ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE_C14N}\"></ds:CanonicalizationMethod>\
         <ds:SignatureMethod Algorithm=\"{method}\"></ds:SignatureMethod>\
         <ds:Reference URI=\"#{id}\"><ds:Transforms>\
         <ds:Transform Algorithm=\"{NS_SIGNATURE}enveloped-signature\"></ds:Transform>\
         <ds:Transform Algorithm=\"{EXCLUSIVE_C14N}\">{list}</ds:Transform></ds:Transforms>\
         <ds:DigestMethod Algorithm=\"{digest_method}\"></ds:DigestMethod>\
         <ds:DigestValue>{digest_value}</ds:DigestValue></ds:Reference>"
    );
    let signed_info = format!("<ds:SignedInfo xmlns:ds=\"{NS_SIGNATURE}\">{contents}</ds:SignedInfo>");
    let value = STANDARD.encode(key.sign(digest, signed_info.as_bytes())?);
    let certificate = key.certificate().base64();
    Ok(format!(
        "<ds:Signature xmlns:ds=\"{NS_SIGNATURE}\"><ds:SignedInfo>{contents}</ds:SignedInfo>\
         <ds:SignatureValue>{value}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>\
         <ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>"
    ))
}
