//! The Response as a message to us, apart from the Assertion in it (SAML core 3.2.2, bindings 3.5.5.2, profiles 4.1.4.3).

use roxmltree::Node;

use super::Expectations;
use super::layout::{check_is_response, id_of};
use crate::error::{ResponseError, Shown};
use crate::instant::UnixMillis;
use crate::xml::read::{children, plain_text};
use crate::xml::{NS_ASSERTION, NS_PROTOCOL};

const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

/// What is left of a Response once it has been checked.
pub(super) struct Envelope {
    pub(super) response_id: String,
}

impl Envelope {
    /// Checks the Response element: from its signed bytes if `signed`, else as it came. In the latter case these checks
    /// only catch accidents; the Assertion's own checks then carry the weight.
    pub(super) fn check(response: Node, signed: bool, expected: &Expectations) -> Result<Self, ResponseError> {
        check_is_response(response)?;
        check_status(response)?;
        check_destination(response, signed, expected)?;
        check_issuer(response, expected)?;
        check_in_response_to(response, "the Response", expected)?;
        check_issue_instant(response, "IssueInstant of the Response", expected)?;
        Ok(Envelope { response_id: id_of(response, "Response")?.to_owned() })
    }
}

/// The top status must be Success (core 3.2.2.2).
pub(super) fn check_status(response: Node) -> Result<(), ResponseError> {
    let statuses: Vec<Node> = children(response, NS_PROTOCOL, "Status").take(2).collect();
    let [status] = statuses.as_slice() else {
        return Err(ResponseError::ElementCount {
            parent: "the Response",
            element: "Status",
            got: children(response, NS_PROTOCOL, "Status").count(),
        });
    };
    let code = children(*status, NS_PROTOCOL, "StatusCode").next();
    let value = code.and_then(|code| code.attribute("Value"));
    if value == Some(SUCCESS) {
        return Ok(());
    }
    let sub_status =
        code.and_then(|code| children(code, NS_PROTOCOL, "StatusCode").next()).and_then(|code| code.attribute("Value"));
    let message = children(*status, NS_PROTOCOL, "StatusMessage").next().and_then(plain_text);
    Err(ResponseError::StatusNotSuccess {
        status: value.unwrap_or("no status").into(),
        sub_status: sub_status.map(Shown::from),
        message: message.map(Shown::from),
    })
}

/// bindings 3.5.5.2: a signed message must say where it was sent, and that must be here.
fn check_destination(response: Node, signed: bool, expected: &Expectations) -> Result<(), ResponseError> {
    match response.attribute("Destination") {
        None if signed => Err(ResponseError::DestinationMissing { expected: expected.acs_url.into() }),
        Some(destination) if destination != expected.acs_url => {
            Err(ResponseError::DestinationMismatch { expected: expected.acs_url.into(), got: destination.into() })
        }
        _ => Ok(()),
    }
}

/// The Response's Issuer may be absent (core 3.2.2); if present it is the IdP.
fn check_issuer(response: Node, expected: &Expectations) -> Result<(), ResponseError> {
    let issuers = children(response, NS_ASSERTION, "Issuer").count();
    if issuers > 1 {
        return Err(ResponseError::ElementCount { parent: "the Response", element: "Issuer", got: issuers });
    }
    let Some(issuer) = children(response, NS_ASSERTION, "Issuer").next() else {
        return Ok(());
    };
    let got = plain_text(issuer).unwrap_or_default().trim_ascii();
    match got == expected.idp_entity_id {
        true => Ok(()),
        false => {
            Err(ResponseError::ResponseIssuerMismatch { expected: expected.idp_entity_id.into(), got: got.into() })
        }
    }
}

/// `@InResponseTo` of `node` names the pending request, or is absent when none is pending (profiles 4.1.4.3, 4.1.5).
pub(super) fn check_in_response_to(
    node: Node,
    element: &'static str,
    expected: &Expectations,
) -> Result<(), ResponseError> {
    match (expected.in_response_to, node.attribute("InResponseTo")) {
        (None, None) => Ok(()),
        (Some(request), Some(got)) if request == got => Ok(()),
        (Some(request), Some(got)) => {
            Err(ResponseError::InResponseToMismatch { element, expected: request.into(), got: got.into() })
        }
        (Some(request), None) => Err(ResponseError::InResponseToMissing { element, expected: request.into() }),
        (None, Some(got)) => Err(ResponseError::InResponseToUnexpected { element, got: got.into() }),
    }
}

/// `@IssueInstant` of `node` is neither in the future nor more than a day ago.
pub(super) fn check_issue_instant(
    node: Node,
    field: &'static str,
    expected: &Expectations,
) -> Result<UnixMillis, ResponseError> {
    let got = required_time(node, "IssueInstant", field)?;
    let now = expected.now();
    if expected.is_ahead(got) {
        return Err(ResponseError::IssuedInFuture { field, got, now });
    }
    if expected.has_ended(too_old_at(got)) {
        return Err(ResponseError::IssuedTooLongAgo { field, got, now });
    }
    Ok(got)
}

/// When something issued at `instant` becomes too old.
pub(super) fn too_old_at(instant: UnixMillis) -> UnixMillis {
    UnixMillis(instant.0.saturating_add(super::OLDEST_MS))
}

pub(super) fn required_time(node: Node, attribute: &str, field: &'static str) -> Result<UnixMillis, ResponseError> {
    optional_time(node, attribute, field)?.ok_or_else(|| ResponseError::TimeInvalid { field, got: "nothing".into() })
}

pub(super) fn optional_time(
    node: Node,
    attribute: &str,
    field: &'static str,
) -> Result<Option<UnixMillis>, ResponseError> {
    let Some(text) = node.attribute(attribute) else {
        return Ok(None);
    };
    match UnixMillis::parse(text) {
        Some(instant) => Ok(Some(instant)),
        None => Err(ResponseError::TimeInvalid { field, got: text.into() }),
    }
}
