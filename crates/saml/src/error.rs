//! Why a Response was refused, for the operator who has to repair a connection.

use std::fmt;

use crate::encryption::EncryptionError;
use crate::instant::UnixMillis;
use crate::signature::SignatureError;
use crate::xml::XmlError;

/// A piece of somebody else's text made fit for a message: at most 200 characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown(String);

impl Shown {
    const LONGEST: usize = 200;
}

impl From<&str> for Shown {
    fn from(text: &str) -> Self {
        let is_unfit = |c: char| {
            // Control characters and the marks that reorder text would let a sender forge the look of a log line.
            c.is_control() || matches!(c, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
        };
        let mut shown: String = text.chars().filter(|c| !is_unfit(*c)).take(Self::LONGEST + 1).collect();
        if let Some((end, _)) = shown.char_indices().nth(Self::LONGEST) {
            shown.truncate(end);
            shown.push('…');
        }
        Shown(shown)
    }
}

impl From<String> for Shown {
    fn from(text: String) -> Self {
        Shown::from(text.as_str())
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a Response was refused. The message says what was expected and what came; [`code`](Self::code) is for machines.
///
/// Nothing in here is trustworthy: most of it comes from documents that failed verification.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseError {
    // The form value and the XML.
    /// The form value is longer than any accepted document could be.
    #[error("SAMLResponse has {got} characters, at most {limit} are accepted")]
    TooLarge { limit: usize, got: usize },
    /// The form value is not base64 (RFC 4648, section 4, padded; white space is skipped).
    #[error("SAMLResponse is not base64: {0}")]
    Base64(Shown),
    /// The gate or the parser refused the document.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// A comment between pieces of text or inside a value.
    #[error("there is a comment inside the text of {element}; such text is ambiguous")]
    CommentInText { element: Shown },
    /// Two elements claim one id.
    #[error("the id {id} occurs more than once in the document")]
    DuplicateId { id: Shown },

    // The shape of the Response (SAML core 3.2.2 and 3.3.3).
    /// The document is something else.
    #[error("expected a SAML 2.0 Response, got {got}")]
    NotAResponse { got: Shown },
    /// Not SAML 2.0.
    #[error("{element} has version {got}, expected 2.0")]
    Version { element: &'static str, got: Shown },
    /// `ID` is absent or not usable as one.
    #[error("the ID of {element} is missing or malformed: {got}")]
    Id { element: &'static str, got: Shown },
    /// An element where the schema has none.
    #[error("{parent} contains {got}, which does not belong there")]
    UnexpectedElement { parent: &'static str, got: Shown },
    /// An element that must be there exactly once.
    #[error("{parent} has {got} {element} elements, expected exactly one")]
    ElementCount { parent: &'static str, element: &'static str, got: usize },
    /// The IdP reports that it did not sign the person in (core 3.2.2.2).
    #[error("the IdP answered {status}{detail}, expected Success", detail = status_detail(sub_status, message))]
    StatusNotSuccess { status: Shown, sub_status: Option<Shown>, message: Option<Shown> },
    /// No assertion in a Response that reports success.
    #[error("the Response has no Assertion")]
    AssertionMissing,
    /// More than one assertion.
    #[error("the Response has {got} Assertions, expected exactly one")]
    AssertionMultiple { got: usize },
    /// An assertion hidden inside another element.
    #[error("there is an Assertion inside {parent}; it belongs directly into the Response")]
    AssertionMisplaced { parent: Shown },
    /// The encrypted assertion was refused.
    #[error("the encrypted Assertion was refused: {0}")]
    Encryption(#[from] EncryptionError),
    /// The NameID or an attribute is encrypted.
    #[error("{element} is encrypted, which is not supported; turn encryption off at the IdP")]
    EncryptedPartUnsupported { element: &'static str },

    // Signatures.
    /// The connection has no certificate, so nothing can be verified.
    #[error("no IdP certificate is configured, so no signature can be verified")]
    NoCertificates,
    /// Neither the Response nor the Assertion is signed.
    #[error("neither the Response nor the Assertion is signed")]
    SignatureMissing,
    /// Two signatures in one parent.
    #[error("{parent} has {got} Signatures, expected at most one")]
    SignatureMultiple { parent: &'static str, got: usize },
    /// A signature elsewhere than directly in the Response or the Assertion.
    #[error("there is a Signature inside {parent}; it belongs directly into the Response or the Assertion")]
    SignatureMisplaced { parent: Shown },
    /// A signature did not pass.
    #[error("the signature of the {signed} was refused: {error}")]
    Signature { signed: &'static str, error: SignatureError },

    // The Response as a message to us (bindings 3.5.5.2, profiles 4.1.4.3).
    /// A signed Response must say where it was sent.
    #[error("the Response is signed but has no Destination, expected {expected}")]
    DestinationMissing { expected: Shown },
    /// The Response was sent to somebody else.
    #[error("Destination: expected {expected}, got {got}")]
    DestinationMismatch { expected: Shown, got: Shown },
    /// The Response comes from another IdP.
    #[error("Issuer of the Response: expected {expected}, got {got}")]
    ResponseIssuerMismatch { expected: Shown, got: Shown },
    /// The Assertion comes from another IdP.
    #[error("Issuer of the Assertion: expected {expected}, got {got}")]
    IssuerMismatch { expected: Shown, got: Shown },
    /// The answer does not say which request it answers.
    #[error("InResponseTo of {element} is missing, expected {expected}")]
    InResponseToMissing { element: &'static str, expected: Shown },
    /// The answer to another request.
    #[error("InResponseTo of {element}: expected {expected}, got {got}")]
    InResponseToMismatch { element: &'static str, expected: Shown, got: Shown },
    /// An unsolicited Response must not answer a request (profiles 4.1.5).
    #[error("no request is pending, but InResponseTo of {element} is {got}")]
    InResponseToUnexpected { element: &'static str, got: Shown },

    // Times. All comparisons allow for the clock skew.
    /// A time is missing or not an `xs:dateTime`.
    #[error("{field} is missing or not a time: {got}")]
    TimeInvalid { field: &'static str, got: Shown },
    /// Made in the future.
    #[error("{field} is {got}, in the future; our clock says {now}")]
    IssuedInFuture { field: &'static str, got: UnixMillis, now: UnixMillis },
    /// Made too long ago.
    #[error("{field} is {got}, more than a day ago; our clock says {now}")]
    IssuedTooLongAgo { field: &'static str, got: UnixMillis, now: UnixMillis },
    /// `Conditions/@NotBefore` lies ahead (core 2.5.1.2).
    #[error("the Assertion is valid from {not_before}; our clock says {now}")]
    ConditionsNotYetValid { not_before: UnixMillis, now: UnixMillis },
    /// `Conditions/@NotOnOrAfter` has passed (core 2.5.1.2).
    #[error("the Assertion was valid until {not_on_or_after}; our clock says {now}")]
    ConditionsExpired { not_on_or_after: UnixMillis, now: UnixMillis },
    /// `SubjectConfirmationData/@NotOnOrAfter` has passed (profiles 4.1.4.3).
    #[error("the sign-in had to be delivered before {not_on_or_after}; our clock says {now}")]
    SubjectConfirmationExpired { not_on_or_after: UnixMillis, now: UnixMillis },
    /// `AuthnStatement/@SessionNotOnOrAfter` has passed (core 2.7.2).
    #[error("the session at the IdP ended at {not_on_or_after}; our clock says {now}")]
    SessionExpired { not_on_or_after: UnixMillis, now: UnixMillis },

    // The subject (core 2.4, profiles 4.1.4.2).
    /// The NameID is empty, too long, has markup or control characters in it.
    #[error("the NameID is not usable: {reason}")]
    NameIdInvalid { reason: &'static str },
    /// Not exactly one bearer confirmation.
    #[error("the Subject has {got} bearer SubjectConfirmations, expected exactly one")]
    SubjectConfirmationCount { got: usize },
    /// A bearer confirmation may not delay its validity (profiles 4.1.4.2).
    #[error("SubjectConfirmationData has NotBefore {got}, which the profile forbids")]
    SubjectConfirmationNotBefore { got: Shown },
    /// The assertion does not say to whom it may be delivered.
    #[error("Recipient is missing, expected {expected}")]
    RecipientMissing { expected: Shown },
    /// The assertion was made for another place.
    #[error("Recipient: expected {expected}, got {got}")]
    RecipientMismatch { expected: Shown, got: Shown },

    // Conditions (core 2.5.1).
    /// A condition we do not understand makes the assertion invalid (core 2.5.1).
    #[error("the Assertion depends on {got}, a condition we do not know")]
    UnknownCondition { got: Shown },
    /// No AudienceRestriction at all.
    #[error("the Assertion names no Audience, expected {expected}")]
    AudienceMissing { expected: Shown },
    /// An AudienceRestriction that does not name us.
    #[error("Audience: expected {expected}, got {got}")]
    AudienceMismatch { expected: Shown, got: Shown },

    // Statements (core 2.7).
    /// The assertion does not say that anybody signed in.
    #[error("the Assertion has no AuthnStatement")]
    AuthnStatementMissing,
    /// An attribute without a name.
    #[error("an Attribute has no Name")]
    AttributeNameMissing,
}

impl ResponseError {
    /// A short stable reason for machines, such as `audience_mismatch`.
    pub fn code(&self) -> &'static str {
        use ResponseError as E;
        match self {
            E::TooLarge { .. } => "response_too_large",
            E::Base64(_) => "base64_invalid",
            E::Xml(error) => error.code(),
            E::CommentInText { .. } => "comment_in_text",
            E::DuplicateId { .. } => "duplicate_id",
            E::NotAResponse { .. } => "not_a_response",
            E::Version { .. } => "version_mismatch",
            E::Id { .. } => "id_invalid",
            E::UnexpectedElement { .. } => "unexpected_element",
            E::ElementCount { .. } => "element_count",
            E::StatusNotSuccess { .. } => "status_not_success",
            E::AssertionMissing => "assertion_missing",
            E::AssertionMultiple { .. } => "assertion_multiple",
            E::AssertionMisplaced { .. } => "assertion_misplaced",
            E::Encryption(error) => error.code(),
            E::EncryptedPartUnsupported { .. } => "encrypted_part_unsupported",
            E::NoCertificates => "no_certificates",
            E::SignatureMissing => "signature_missing",
            E::SignatureMultiple { .. } => "signature_multiple",
            E::SignatureMisplaced { .. } => "signature_misplaced",
            E::Signature { error, .. } => error.code(),
            E::DestinationMissing { .. } => "destination_missing",
            E::DestinationMismatch { .. } => "destination_mismatch",
            E::ResponseIssuerMismatch { .. } => "response_issuer_mismatch",
            E::IssuerMismatch { .. } => "issuer_mismatch",
            E::InResponseToMissing { .. } => "in_response_to_missing",
            E::InResponseToMismatch { .. } => "in_response_to_mismatch",
            E::InResponseToUnexpected { .. } => "in_response_to_unexpected",
            E::TimeInvalid { .. } => "time_invalid",
            E::IssuedInFuture { .. } => "issued_in_future",
            E::IssuedTooLongAgo { .. } => "issued_too_long_ago",
            E::ConditionsNotYetValid { .. } => "conditions_not_yet_valid",
            E::ConditionsExpired { .. } => "conditions_expired",
            E::SubjectConfirmationExpired { .. } => "subject_confirmation_expired",
            E::SessionExpired { .. } => "session_expired",
            E::NameIdInvalid { .. } => "name_id_invalid",
            E::SubjectConfirmationCount { .. } => "subject_confirmation_count",
            E::SubjectConfirmationNotBefore { .. } => "subject_confirmation_not_before",
            E::RecipientMissing { .. } => "recipient_missing",
            E::RecipientMismatch { .. } => "recipient_mismatch",
            E::UnknownCondition { .. } => "unknown_condition",
            E::AudienceMissing { .. } => "audience_missing",
            E::AudienceMismatch { .. } => "audience_mismatch",
            E::AuthnStatementMissing => "authn_statement_missing",
            E::AttributeNameMissing => "attribute_name_missing",
        }
    }
}

fn status_detail(sub_status: &Option<Shown>, message: &Option<Shown>) -> String {
    let mut detail = String::new();
    if let Some(sub_status) = sub_status {
        detail.push_str(&format!(" / {sub_status}"));
    }
    if let Some(message) = message {
        detail.push_str(&format!(" ({message})"));
    }
    detail
}

#[cfg(test)]
mod tests {
    use super::Shown;

    #[test]
    fn shows_bounded_text_without_control_characters() {
        assert_eq!(Shown::from("a\nb\u{202E}c\u{7F}é").to_string(), "abcé");
        let long = Shown::from("é".repeat(1000)).to_string();
        assert_eq!(long.chars().count(), 201);
        assert!(long.ends_with('…'));
    }
}
