//! XML signatures as SAML profiles them (SAML core 5.4): enveloped, one Reference to the parent by its ID.
//!
//! [`verify`] is the only way to a [`Signed`] value, and a [`Signed`] value is the only thing from which a claim may be
//! read: it owns the canonical bytes whose digest a configured key signed.

pub(crate) mod algorithm;
mod signed_info;

use aws_lc_rs::digest::Digest;
use roxmltree::{Document, Node};

use crate::certificate::TrustedCertificate;
use crate::error::Shown;
use crate::xml::c14n::{self, TooLong};
use crate::xml::read::{elements, has_element_content, is};
use crate::xml::{self, NS_SIGNATURE, XmlError};
use algorithm::SignatureAlgorithm;
use signed_info::{SignedInfo, base64_content, canonicalization_prefixes, only_attributes};

/// Why a signature was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// Not of the shape SAML core 5.4 describes.
    #[error("the Signature is malformed: {0}")]
    Malformed(Shown),
    /// An algorithm outside of the list: SHA-1, MD5, HMAC, DSA, …
    #[error("the signature algorithm {0} is not accepted; use RSA or ECDSA with SHA-256, SHA-384 or SHA-512")]
    AlgorithmRefused(Shown),
    /// A digest outside of the list: SHA-1, MD5, …
    #[error("the digest algorithm {0} is not accepted; use SHA-256, SHA-384 or SHA-512")]
    DigestAlgorithmRefused(Shown),
    /// Canonicalization other than exclusive without comments.
    #[error("the canonicalization {0} is not accepted; use exclusive canonicalization without comments")]
    CanonicalizationRefused(Shown),
    /// Transforms other than enveloped-signature and then exclusive canonicalization.
    #[error("the transforms are [{0}], expected enveloped-signature and then exclusive canonicalization")]
    TransformRefused(Shown),
    /// The Reference does not point to the signature's parent.
    #[error("the signature refers to {got}, expected #{expected}, the element it is in")]
    ReferenceUri { expected: Shown, got: Shown },
    /// No configured key made the signature.
    #[error("no configured certificate verifies it; the IdP may sign with another key")]
    Invalid,
    /// The signature is genuine, but of other content.
    #[error("the content was changed after it had been signed")]
    DigestMismatch,
    /// The canonical form is too long.
    #[error("the canonical form is longer than {limit} bytes")]
    CanonicalFormTooLarge { limit: usize },
    /// Canonical form did not parse again. It always should.
    #[error("the canonical form is not well-formed: {0}")]
    CanonicalForm(XmlError),
}

impl SignatureError {
    /// A short stable reason for machines.
    pub fn code(&self) -> &'static str {
        match self {
            SignatureError::Malformed(_) => "signature_malformed",
            SignatureError::AlgorithmRefused(_) => "signature_algorithm_refused",
            SignatureError::DigestAlgorithmRefused(_) => "digest_algorithm_refused",
            SignatureError::CanonicalizationRefused(_) => "canonicalization_refused",
            SignatureError::TransformRefused(_) => "transform_refused",
            SignatureError::ReferenceUri { .. } => "reference_uri_mismatch",
            SignatureError::Invalid => "signature_invalid",
            SignatureError::DigestMismatch => "digest_mismatch",
            SignatureError::CanonicalFormTooLarge { .. } => "canonical_form_too_large",
            SignatureError::CanonicalForm(_) => "canonical_form_malformed",
        }
    }
}

impl From<TooLong> for SignatureError {
    fn from(_: TooLong) -> Self {
        let limit = c14n::CANONICAL_BYTES;
        SignatureError::CanonicalFormTooLarge { limit }
    }
}

/// The canonical bytes of an element, whose digest a configured key signed.
pub(crate) struct Signed {
    canonical: String,
    /// SHA-256 of the key that signed.
    pub(crate) signer: String,
}

impl Signed {
    /// Parses the signed bytes; the signed element is the root of the result.
    pub(crate) fn parse(&self) -> Result<Document<'_>, SignatureError> {
        xml::parse(&self.canonical).map_err(SignatureError::CanonicalForm)
    }
}

/// Verifies `signature`, a child of `parent`, as the enveloped signature of `parent`, whose `ID` is `id`.
///
/// Keys come from `certificates` alone; KeyInfo is not looked at. The signature over SignedInfo is checked before the
/// content is canonicalized, so that only an IdP can make that work happen.
pub(crate) fn verify(
    parent: Node,
    id: &str,
    signature: Node,
    certificates: &[TrustedCertificate],
) -> Result<Signed, SignatureError> {
    let (signed_info, signature_value) = parts(signature)?;
    let prefixes = canonicalization_prefixes(signed_info)?;
    let canonical = c14n::exclusive(signed_info, None, &prefixes)?;
    // From here on SignedInfo is read from the bytes that were signed, not from the document.
    let document = xml::parse(&canonical).map_err(SignatureError::CanonicalForm)?;
    let signed_info = SignedInfo::read(document.root_element())?;
    if signed_info.reference_uri.strip_prefix('#') != Some(id) {
        return Err(SignatureError::ReferenceUri { expected: id.into(), got: signed_info.reference_uri.into() });
    }
    let signer =
        verify_value(signed_info.algorithm, canonical.as_bytes(), &base64_content(signature_value)?, certificates)?;
    let canonical = c14n::exclusive(parent, Some(signature.id()), &signed_info.prefixes)?;
    let digest: Digest = signed_info.digest_size.digest(canonical.as_bytes());
    if digest.as_ref() != signed_info.digest {
        return Err(SignatureError::DigestMismatch);
    }
    Ok(Signed { canonical, signer: signer.key_sha256().to_owned() })
}

/// SignedInfo and SignatureValue. KeyInfo may follow; Object, or anything else, may not (SAML core 5.4.5).
fn parts<'a, 'i>(signature: Node<'a, 'i>) -> Result<(Node<'a, 'i>, Node<'a, 'i>), SignatureError> {
    let malformed = |why: &str| Err(SignatureError::Malformed(why.into()));
    only_attributes(signature, &["Id"])?;
    if !has_element_content(signature) {
        return malformed("text in Signature");
    }
    let children: Vec<Node> = elements(signature).take(4).collect();
    let (signed_info, value) = match children.as_slice() {
        [signed_info, value] => (signed_info, value),
        [signed_info, value, key_info] if is(key_info, NS_SIGNATURE, "KeyInfo") => (signed_info, value),
        _ => return malformed("expected SignedInfo, SignatureValue and perhaps KeyInfo"),
    };
    if !is(signed_info, NS_SIGNATURE, "SignedInfo") || !is(value, NS_SIGNATURE, "SignatureValue") {
        return malformed("expected SignedInfo, SignatureValue and perhaps KeyInfo");
    }
    only_attributes(*value, &["Id"])?;
    Ok((*signed_info, *value))
}

/// The certificate whose key made the signature.
fn verify_value<'a>(
    algorithm: SignatureAlgorithm,
    message: &[u8],
    value: &[u8],
    certificates: &'a [TrustedCertificate],
) -> Result<&'a TrustedCertificate, SignatureError> {
    let signed = |certificate: &&TrustedCertificate| {
        algorithm.key(certificate).is_some_and(|key| key.verify_sig(message, value).is_ok())
    };
    certificates.iter().find(signed).ok_or(SignatureError::Invalid)
}
