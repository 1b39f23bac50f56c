//! From the `SAMLResponse` form value to an [`Assertion`], or a reason why not.
//!
//! The order is: form value, gate, parser ([`unverified`]); shape ([`layout`]); signatures; and only then, on the bytes
//! that were signed, what the message says ([`envelope`], [`assertion`] and its parts).

mod assertion;
mod conditions;
mod encrypted;
mod envelope;
mod layout;
mod statements;
mod subject;
mod unverified;

pub use assertion::{Assertion, Attribute, NameId};
pub use unverified::{UnverifiedHeader, UnverifiedResponse};

use roxmltree::Document;

use crate::certificate::TrustedCertificate;
use crate::encryption::DecryptionKey;
use crate::error::ResponseError;
use crate::instant::UnixMillis;
use crate::signature::{self, Signed};
use envelope::Envelope;
use layout::{AssertionLayout, Content, Layout};

/// The largest Response accepted, in bytes of XML.
pub(crate) const RESPONSE_BYTES: usize = 256 * 1024;

/// How far the clocks of IdP and SP may differ: one minute.
pub const DEFAULT_CLOCK_SKEW_MS: i64 = 60_000;

/// The oldest `IssueInstant` accepted. It also bounds how long replays must be remembered.
const OLDEST_MS: i64 = 24 * 60 * 60 * 1000;

/// What a Response must agree with. All of it comes from the connection and the pending request, never from the Response.
#[derive(Clone, Copy, Debug)]
pub struct Expectations<'a> {
    /// The time of receipt, in Unix milliseconds.
    pub now_ms: i64,
    /// Tolerance for all times, in milliseconds; usually [`DEFAULT_CLOCK_SKEW_MS`].
    pub clock_skew_ms: i64,
    /// The ACS URL at which the Response arrived.
    pub acs_url: &'a str,
    /// Our entity id towards this IdP.
    pub sp_entity_id: &'a str,
    /// The IdP's entity id.
    pub idp_entity_id: &'a str,
    /// The certificates of the connection. Several are normal while an IdP changes its key; none refuses everything.
    pub certificates: &'a [TrustedCertificate],
    /// The private keys of the connection, newest first, if its IdP may encrypt.
    pub decryption_keys: &'a [DecryptionKey],
    /// The id of the AuthnRequest that this Response must answer. `None` expects an unsolicited (IdP-initiated)
    /// Response, which then must not claim to answer any request (SAML profiles 4.1.5); whether such a Response is
    /// welcome at all is for the caller to decide.
    pub in_response_to: Option<&'a str>,
}

impl Expectations<'_> {
    pub(crate) fn now(&self) -> UnixMillis {
        UnixMillis(self.now_ms)
    }

    /// Whether `instant` lies ahead of our clock by more than the skew.
    pub(crate) fn is_ahead(&self, instant: UnixMillis) -> bool {
        instant.0 > self.now_ms.saturating_add(self.clock_skew_ms)
    }

    /// From when on something that ends at `not_on_or_after` is refused: the skew later.
    pub(crate) fn end(&self, not_on_or_after: UnixMillis) -> i64 {
        not_on_or_after.0.saturating_add(self.clock_skew_ms)
    }

    /// Whether something that ends at `not_on_or_after` has ended, the skew included.
    pub(crate) fn has_ended(&self, not_on_or_after: UnixMillis) -> bool {
        self.now_ms >= self.end(not_on_or_after)
    }
}

/// Checks a Response that arrived by HTTP-POST (SAML bindings 3.5.4): `saml_response` is the form value, decoded from the
/// form but still base64.
///
/// Every claim of the result was read from bytes that a key of `expected.certificates` signed. What is left to the caller:
/// accept each [`Assertion::id`] once, until [`Assertion::not_on_or_after_ms`].
///
/// # Errors
/// The first thing that is wrong, with what was expected and what came.
pub fn validate_response(saml_response: &str, expected: &Expectations) -> Result<Assertion, ResponseError> {
    UnverifiedResponse::decode(saml_response)?.validate(expected)
}

fn validate(document: &Document, expected: &Expectations) -> Result<Assertion, ResponseError> {
    let root = document.root_element();
    layout::check_is_response(root)?;
    // An IdP seldom signs a failure, and the operator needs to see it. It can only refuse, so it needs no signature.
    envelope::check_status(root)?;
    let layout = Layout::find(document)?;
    if expected.certificates.is_empty() {
        return Err(ResponseError::NoCertificates);
    }
    let assertion = match &layout.content {
        Content::Assertion(assertion) => assertion,
        Content::EncryptedAssertion(encrypted) => return encrypted::check(&layout, *encrypted, expected),
    };
    let verified = verify_signatures(&layout, assertion, expected.certificates)?;
    let envelope = match verified.response() {
        Some(response) => {
            let document = response.parse().map_err(response_signature)?;
            Envelope::check(document.root_element(), true, expected)?
        }
        None => Envelope::check(root, false, expected)?,
    };
    match &verified {
        Verified::Assertion { assertion, response } => {
            let signatures = [response.as_ref(), Some(assertion)];
            let document = assertion.parse().map_err(assertion_signature)?;
            Assertion::check(document.root_element(), envelope, signatures, expected)
        }
        Verified::Response(response) => {
            let document = response.parse().map_err(response_signature)?;
            let assertion = layout::only_assertion(document.root_element())?;
            Assertion::check(assertion, envelope, [Some(response), None], expected)
        }
    }
}

/// What was verified: one of the two or both. There is no third variant, as without a signature there is nothing to read
/// claims from.
enum Verified {
    Response(Signed),
    Assertion { assertion: Signed, response: Option<Signed> },
}

impl Verified {
    fn response(&self) -> Option<&Signed> {
        match self {
            Verified::Response(response) => Some(response),
            Verified::Assertion { response, .. } => response.as_ref(),
        }
    }
}

/// Verifies every signature that is there; one that fails is never outweighed by another that passes.
fn verify_signatures(
    layout: &Layout,
    assertion: &AssertionLayout,
    certificates: &[TrustedCertificate],
) -> Result<Verified, ResponseError> {
    let of_response = layout.response_signature.map(|signature| {
        signature::verify(layout.response, layout.response_id, signature, certificates).map_err(response_signature)
    });
    let of_assertion = assertion.signature.map(|signature| {
        signature::verify(assertion.node, assertion.id, signature, certificates).map_err(assertion_signature)
    });
    match (of_response.transpose()?, of_assertion.transpose()?) {
        (response, Some(assertion)) => Ok(Verified::Assertion { assertion, response }),
        (Some(response), None) => Ok(Verified::Response(response)),
        (None, None) => Err(ResponseError::SignatureMissing),
    }
}

fn response_signature(error: signature::SignatureError) -> ResponseError {
    ResponseError::Signature { signed: "Response", error }
}

fn assertion_signature(error: signature::SignatureError) -> ResponseError {
    ResponseError::Signature { signed: "Assertion", error }
}
