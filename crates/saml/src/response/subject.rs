//! Whom the assertion is about, and who may deliver it (SAML core 2.4, profiles 4.1.4.2 and 4.1.4.3).

use roxmltree::Node;

use super::Expectations;
use super::assertion::{NameId, has_child};
use super::envelope::{check_in_response_to, required_time};
use super::layout::only_child;
use crate::error::ResponseError;
use crate::instant::UnixMillis;
use crate::xml::NS_ASSERTION;
use crate::xml::read::{children, plain_text};

const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";

/// The longest NameID accepted, in bytes. SAML bounds persistent ones to 256 characters (core 8.3.7).
const LONGEST_NAME_ID: usize = 1024;

/// The subject's NameID, and until when the assertion may be delivered.
pub(super) fn check(assertion: Node, expected: &Expectations) -> Result<(NameId, UnixMillis), ResponseError> {
    let subject = only_child(assertion, "the Assertion", "Subject")?;
    if has_child(subject, "EncryptedID") {
        return Err(ResponseError::EncryptedPartUnsupported { element: "the NameID" });
    }
    let name_id = read_name_id(only_child(subject, "the Subject", "NameID")?)?;
    let until = check_confirmation(subject, expected)?;
    Ok((name_id, until))
}

fn read_name_id(node: Node) -> Result<NameId, ResponseError> {
    let invalid = |reason| Err(ResponseError::NameIdInvalid { reason });
    let Some(text) = plain_text(node) else {
        return invalid("it has markup in it");
    };
    let value = text.trim_ascii();
    if value.is_empty() {
        return invalid("it is empty");
    }
    if value.len() > LONGEST_NAME_ID {
        return invalid("it is longer than 1024 bytes");
    }
    if value.chars().any(char::is_control) {
        return invalid("it has control characters in it");
    }
    let attribute = |name| node.attribute(name).map(str::to_owned);
    Ok(NameId {
        value: value.to_owned(),
        format: attribute("Format"),
        name_qualifier: attribute("NameQualifier"),
        sp_name_qualifier: attribute("SPNameQualifier"),
    })
}

/// Exactly one bearer confirmation, which must hold. Confirmations by other methods grant nothing and are ignored.
fn check_confirmation(subject: Node, expected: &Expectations) -> Result<UnixMillis, ResponseError> {
    let bearers: Vec<Node> = children(subject, NS_ASSERTION, "SubjectConfirmation")
        .filter(|confirmation| confirmation.attribute("Method") == Some(BEARER))
        .collect();
    let [bearer] = bearers.as_slice() else {
        return Err(ResponseError::SubjectConfirmationCount { got: bearers.len() });
    };
    let data = only_child(*bearer, "the SubjectConfirmation", "SubjectConfirmationData")?;
    check_recipient(data, expected)?;
    check_in_response_to(data, "the SubjectConfirmationData", expected)?;
    if let Some(not_before) = data.attribute("NotBefore") {
        return Err(ResponseError::SubjectConfirmationNotBefore { got: not_before.into() });
    }
    let not_on_or_after = required_time(data, "NotOnOrAfter", "NotOnOrAfter of the SubjectConfirmationData")?;
    if expected.has_ended(not_on_or_after) {
        return Err(ResponseError::SubjectConfirmationExpired { not_on_or_after, now: expected.now() });
    }
    Ok(not_on_or_after)
}

fn check_recipient(data: Node, expected: &Expectations) -> Result<(), ResponseError> {
    match data.attribute("Recipient") {
        Some(recipient) if recipient == expected.acs_url => Ok(()),
        Some(recipient) => {
            Err(ResponseError::RecipientMismatch { expected: expected.acs_url.into(), got: recipient.into() })
        }
        None => Err(ResponseError::RecipientMissing { expected: expected.acs_url.into() }),
    }
}
