//! What the assertion states: that the person signed in (SAML core 2.7.2) and what is known of them (2.7.3).

use roxmltree::Node;

use super::Expectations;
use super::assertion::{Attribute, has_child};
use super::envelope::{optional_time, required_time};
use crate::error::ResponseError;
use crate::instant::UnixMillis;
use crate::xml::read::{children, plain_text};
use crate::xml::{NS_ASSERTION, NS_SCHEMA_INSTANCE};

/// What the AuthnStatement says.
pub(super) struct Authn {
    pub(super) instant: UnixMillis,
    pub(super) session_index: Option<String>,
    pub(super) session_not_on_or_after: Option<UnixMillis>,
    pub(super) context: Option<String>,
}

/// At least one AuthnStatement (profiles 4.1.4.2). The first is reported; every one must be current.
pub(super) fn authn(assertion: Node, expected: &Expectations) -> Result<Authn, ResponseError> {
    let mut statements = children(assertion, NS_ASSERTION, "AuthnStatement");
    let first = statements.next().ok_or(ResponseError::AuthnStatementMissing)?;
    let authn = read_authn(first, expected)?;
    for further in statements {
        read_authn(further, expected)?;
    }
    Ok(authn)
}

fn read_authn(statement: Node, expected: &Expectations) -> Result<Authn, ResponseError> {
    let field = "AuthnInstant";
    let instant = required_time(statement, field, field)?;
    let now = expected.now();
    if expected.is_ahead(instant) {
        let got = instant;
        return Err(ResponseError::IssuedInFuture { field, got, now });
    }
    let field = "SessionNotOnOrAfter";
    let end = optional_time(statement, field, field)?;
    if let Some(not_on_or_after) = end.filter(|end| expected.has_ended(*end)) {
        return Err(ResponseError::SessionExpired { not_on_or_after, now });
    }
    let context = children(statement, NS_ASSERTION, "AuthnContext")
        .flat_map(|context| children(context, NS_ASSERTION, "AuthnContextClassRef"))
        .next()
        .and_then(plain_text)
        .map(|text| text.trim_ascii().to_owned());
    Ok(Authn {
        instant,
        session_index: statement.attribute("SessionIndex").map(str::to_owned),
        session_not_on_or_after: end,
        context,
    })
}

/// The attributes of all AttributeStatements, in document order.
pub(super) fn attributes(assertion: Node) -> Result<Vec<Attribute>, ResponseError> {
    let mut attributes = Vec::new();
    for statement in children(assertion, NS_ASSERTION, "AttributeStatement") {
        if has_child(statement, "EncryptedAttribute") {
            return Err(ResponseError::EncryptedPartUnsupported { element: "an Attribute" });
        }
        for attribute in children(statement, NS_ASSERTION, "Attribute") {
            attributes.push(read_attribute(attribute)?);
        }
    }
    Ok(attributes)
}

fn read_attribute(node: Node) -> Result<Attribute, ResponseError> {
    let name = node.attribute("Name").filter(|name| !name.is_empty()).ok_or(ResponseError::AttributeNameMissing)?;
    let is_nil = |value: &Node| {
        let nil = value.attribute((NS_SCHEMA_INSTANCE, "nil"));
        matches!(nil, Some("true" | "1"))
    };
    let values = children(node, NS_ASSERTION, "AttributeValue")
        .filter(|value| !is_nil(value))
        .filter_map(plain_text)
        .map(str::to_owned)
        .collect();
    Ok(Attribute { name: name.to_owned(), friendly_name: node.attribute("FriendlyName").map(str::to_owned), values })
}
