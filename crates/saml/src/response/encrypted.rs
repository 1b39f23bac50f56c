//! A Response whose Assertion is encrypted (SAML core 2.3.4, 6.1).

use roxmltree::Node;

use super::assertion::Assertion;
use super::envelope::Envelope;
use super::layout::{self, AssertionLayout, Layout};
use super::{Expectations, assertion_signature, response_signature};
use crate::encryption::{EncryptionError, decrypt};
use crate::error::ResponseError;
use crate::signature::{self, Signed};
use crate::xml::{self, Limits};

/// Checks a Response that holds `encrypted`.
///
/// If the IdP signed the Response, it vouches for the ciphertext, and what is wrong inside can be told. If not, anybody can
/// have made it, and all that goes wrong before the Assertion's own signature is verified is one and the same error.
pub(super) fn check(layout: &Layout, encrypted: Node, expected: &Expectations) -> Result<Assertion, ResponseError> {
    let Some(response_signature_node) = layout.response_signature else {
        let plaintext = decrypt(encrypted, expected.decryption_keys)?;
        let signed = signed_assertion(&plaintext, expected).map_err(|_| EncryptionError::Failed)?;
        // What is expected is told only to those who hold something the IdP signed.
        let envelope = Envelope::check(layout.response, false, expected)?;
        let document = signed.parse().map_err(assertion_signature)?;
        return Assertion::check(document.root_element(), envelope, [None, Some(&signed)], expected);
    };
    let signed = signature::verify(layout.response, layout.response_id, response_signature_node, expected.certificates)
        .map_err(response_signature)?;
    let document = signed.parse().map_err(response_signature)?;
    let response = document.root_element();
    let envelope = Envelope::check(response, true, expected)?;
    // The ciphertext is taken from the signed bytes, too.
    let plaintext = decrypt(layout::only_encrypted_assertion(response)?, expected.decryption_keys)?;
    let document = xml::parse(xml::admit(plaintext.as_bytes(), &Limits::RESPONSE)?)?;
    let assertion = AssertionLayout::of_document(&document)?;
    match verify(&assertion, expected)? {
        Some(inner) => {
            let document = inner.parse().map_err(assertion_signature)?;
            Assertion::check(document.root_element(), envelope, [Some(&signed), Some(&inner)], expected)
        }
        None => Assertion::check(assertion.node, envelope, [Some(&signed), None], expected),
    }
}

/// The Assertion in a plaintext nobody vouches for: it has to be signed itself.
fn signed_assertion(plaintext: &str, expected: &Expectations) -> Result<Signed, ResponseError> {
    let document = xml::parse(xml::admit(plaintext.as_bytes(), &Limits::RESPONSE)?)?;
    let assertion = AssertionLayout::of_document(&document)?;
    verify(&assertion, expected)?.ok_or(ResponseError::SignatureMissing)
}

fn verify(assertion: &AssertionLayout, expected: &Expectations) -> Result<Option<Signed>, ResponseError> {
    let verify = |signature| {
        signature::verify(assertion.node, assertion.id, signature, expected.certificates).map_err(assertion_signature)
    };
    assertion.signature.map(verify).transpose()
}
