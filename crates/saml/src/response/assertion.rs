//! The Assertion (SAML core 2.3.3), read from signed bytes only.

use roxmltree::Node;

use super::envelope::{Envelope, check_issue_instant, too_old_at};
use super::layout::{check_children, check_version, id_of, only_child};
use super::{Expectations, conditions, statements, subject};
use crate::error::ResponseError;
use crate::signature::Signed;
use crate::xml::read::{children, plain_text};
use crate::xml::{NS_ASSERTION, NS_SIGNATURE};

/// A person, as the IdP of `issuer` vouches for them. Every field but [`response_id`](Self::response_id) was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Assertion {
    /// `Assertion/@ID`. To be accepted once.
    pub id: String,
    /// `Response/@ID`. Signed only if the Response was; for logs.
    pub response_id: String,
    /// The IdP's entity id, equal to the expected one.
    pub issuer: String,
    /// Who.
    pub name_id: NameId,
    /// `AuthnStatement/@SessionIndex`: the session at the IdP.
    pub session_index: Option<String>,
    /// `AuthnStatement/@AuthnInstant`: when the person signed in at the IdP, in Unix milliseconds.
    pub authn_instant_ms: i64,
    /// `AuthnContextClassRef`: how the person signed in at the IdP.
    pub authn_context: Option<String>,
    /// `AuthnStatement/@SessionNotOnOrAfter`: when a session should end at the latest, in Unix milliseconds.
    pub session_not_on_or_after_ms: Option<i64>,
    /// From this time on (Unix milliseconds, clock skew included) the Response would be refused as too late. Until then
    /// its [`id`](Self::id) has to be remembered, so that it is not accepted twice.
    pub not_on_or_after_ms: i64,
    /// The attributes, in document order.
    pub attributes: Vec<Attribute>,
    /// The keys that signed the Response, the Assertion or both, as
    /// [`TrustedCertificate::key_sha256`](crate::TrustedCertificate::key_sha256) tells them; at least one.
    pub signed_by: Vec<String>,
}

/// The subject of an assertion (SAML core 2.2.3).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NameId {
    /// The identifier: not empty, no control characters, no white space around it, at most 1024 bytes.
    pub value: String,
    /// `@Format`; absent means unspecified (core 8.3.1).
    pub format: Option<String>,
    /// `@NameQualifier`.
    pub name_qualifier: Option<String>,
    /// `@SPNameQualifier`.
    pub sp_name_qualifier: Option<String>,
}

/// One attribute (SAML core 2.7.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attribute {
    /// `@Name`, never empty.
    pub name: String,
    /// `@FriendlyName`.
    pub friendly_name: Option<String>,
    /// The values that are text, as they were written. Values with elements in them, and `xsi:nil`, are left out.
    pub values: Vec<String>,
}

impl Assertion {
    /// The values of all attributes named `name`, in document order.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.attributes
            .iter()
            .filter(move |attribute| attribute.name == name)
            .flat_map(|attribute| attribute.values.iter().map(String::as_str))
    }

    /// Reads and checks an Assertion element that a signature covered.
    pub(super) fn check(
        node: Node,
        envelope: Envelope,
        signatures: [Option<&Signed>; 2],
        expected: &Expectations,
    ) -> Result<Self, ResponseError> {
        check_version(node, "Assertion")?;
        let id = id_of(node, "Assertion")?;
        check_children(node, "the Assertion", &CHILDREN)?;
        let issuer = check_issuer(node, expected)?;
        let issued = check_issue_instant(node, "IssueInstant of the Assertion", expected)?;
        let (name_id, confirmed_until) = subject::check(node, expected)?;
        let valid_until = conditions::check(node, expected)?;
        let authn = statements::authn(node, expected)?;
        let ends = [Some(too_old_at(issued)), Some(confirmed_until), valid_until, authn.session_not_on_or_after];
        let end = ends.into_iter().flatten().min().unwrap_or(confirmed_until);
        Ok(Assertion {
            id: id.to_owned(),
            response_id: envelope.response_id,
            issuer,
            name_id,
            session_index: authn.session_index,
            authn_instant_ms: authn.instant.0,
            authn_context: authn.context,
            session_not_on_or_after_ms: authn.session_not_on_or_after.map(|end| end.0),
            not_on_or_after_ms: expected.end(end),
            attributes: statements::attributes(node)?,
            signed_by: signers(signatures),
        })
    }
}

/// The content model of an Assertion (core 2.3.3).
const CHILDREN: [(&str, &str); 9] = [
    (NS_ASSERTION, "Issuer"),
    (NS_SIGNATURE, "Signature"),
    (NS_ASSERTION, "Subject"),
    (NS_ASSERTION, "Conditions"),
    (NS_ASSERTION, "Advice"),
    (NS_ASSERTION, "Statement"),
    (NS_ASSERTION, "AuthnStatement"),
    (NS_ASSERTION, "AuthzDecisionStatement"),
    (NS_ASSERTION, "AttributeStatement"),
];

fn check_issuer(node: Node, expected: &Expectations) -> Result<String, ResponseError> {
    let issuer = only_child(node, "the Assertion", "Issuer")?;
    let got = plain_text(issuer).unwrap_or_default().trim_ascii();
    match got == expected.idp_entity_id {
        true => Ok(got.to_owned()),
        false => Err(ResponseError::IssuerMismatch { expected: expected.idp_entity_id.into(), got: got.into() }),
    }
}

/// Each signer once.
fn signers(signatures: [Option<&Signed>; 2]) -> Vec<String> {
    let mut signers: Vec<String> = signatures.into_iter().flatten().map(|signed| signed.signer.clone()).collect();
    signers.dedup();
    signers
}

/// Whether `node` has a child `{urn:…:assertion}name`.
pub(super) fn has_child(node: Node, name: &str) -> bool {
    children(node, NS_ASSERTION, name).next().is_some()
}
