//! Where things are in a Response: one Assertion, and signatures only where SAML puts them. Signature wrapping needs a
//! second Response, Assertion or Signature somewhere in the document, or an id that two elements share.

use roxmltree::{Document, Node};

use crate::error::ResponseError;
use crate::xml::read::{children, describe, elements, has_element_content, is};
use crate::xml::{NS_ASSERTION, NS_PROTOCOL, NS_SIGNATURE};

/// The longest id accepted; ids in use have some 40 characters.
const LONGEST_ID: usize = 256;

/// The elements that matter, found and counted but not verified.
pub(super) struct Layout<'a, 'i> {
    pub(super) response: Node<'a, 'i>,
    pub(super) response_id: &'a str,
    pub(super) response_signature: Option<Node<'a, 'i>>,
    pub(super) assertion: Node<'a, 'i>,
    pub(super) assertion_id: &'a str,
    pub(super) assertion_signature: Option<Node<'a, 'i>>,
}

/// The root must be a Response of SAML 2.0 (core 3.2.2).
pub(super) fn check_is_response(root: Node) -> Result<(), ResponseError> {
    if !is(&root, NS_PROTOCOL, "Response") {
        return Err(ResponseError::NotAResponse { got: describe(&root).into() });
    }
    check_version(root, "Response")
}

/// `@Version` must be `2.0` (core 2.3.3, 3.2.2).
pub(super) fn check_version(node: Node, element: &'static str) -> Result<(), ResponseError> {
    match node.attribute("Version") {
        Some("2.0") => Ok(()),
        got => Err(ResponseError::Version { element, got: got.unwrap_or("nothing").into() }),
    }
}

impl<'a, 'i> Layout<'a, 'i> {
    pub(super) fn find(document: &'a Document<'i>) -> Result<Self, ResponseError> {
        let response = document.root_element();
        let assertion = only_assertion(response)?;
        check_everywhere(document, response, assertion)?;
        check_children(
            response,
            "Response",
            &[
                (NS_ASSERTION, "Issuer"),
                (NS_SIGNATURE, "Signature"),
                (NS_PROTOCOL, "Extensions"),
                (NS_PROTOCOL, "Status"),
                (NS_ASSERTION, "Assertion"),
            ],
        )?;
        Ok(Layout {
            response,
            response_id: id_of(response, "Response")?,
            response_signature: only_signature(response, "Response")?,
            assertion,
            assertion_id: id_of(assertion, "Assertion")?,
            assertion_signature: only_signature(assertion, "Assertion")?,
        })
    }
}

/// The only Assertion directly in `response`.
pub(super) fn only_assertion<'a, 'i>(response: Node<'a, 'i>) -> Result<Node<'a, 'i>, ResponseError> {
    if children(response, NS_ASSERTION, "EncryptedAssertion").next().is_some() {
        return Err(ResponseError::EncryptedAssertionUnsupported);
    }
    let mut assertions = children(response, NS_ASSERTION, "Assertion");
    match (assertions.next(), assertions.count()) {
        (None, _) => Err(ResponseError::AssertionMissing),
        (Some(only), 0) => Ok(only),
        (Some(_), more) => Err(ResponseError::AssertionMultiple { got: more + 1 }),
    }
}

/// One walk over all nodes: no second Response, Assertion or Signature in hiding, no shared id, no comment in a value.
fn check_everywhere<'a>(document: &'a Document, response: Node, assertion: Node) -> Result<(), ResponseError> {
    let mut ids: Vec<&'a str> = Vec::with_capacity(8);
    for node in document.descendants() {
        if node.is_comment() {
            check_comment(node)?;
        } else if node.is_element() {
            check_place(node, response, assertion)?;
            ids.extend(ids_of(node));
        }
    }
    ids.sort_unstable();
    match ids.windows(2).find(|pair| pair.first() == pair.last()) {
        Some(shared) => Err(ResponseError::DuplicateId { id: (*shared.first().unwrap_or(&"")).into() }),
        None => Ok(()),
    }
}

fn check_place(node: Node, response: Node, assertion: Node) -> Result<(), ResponseError> {
    let parent = node.parent().filter(Node::is_element);
    let parent_name = || parent.map_or(String::new(), |parent| describe(&parent)).into();
    let is_assertion_of_saml = || node.tag_name().namespace() == Some(NS_ASSERTION);
    match node.tag_name().name() {
        "Signature"
            if is(&node, NS_SIGNATURE, "Signature") && parent != Some(response) && parent != Some(assertion) =>
        {
            Err(ResponseError::SignatureMisplaced { parent: parent_name() })
        }
        "Assertion" | "EncryptedAssertion" if is_assertion_of_saml() && node != assertion => {
            Err(ResponseError::AssertionMisplaced { parent: parent_name() })
        }
        "Response" if is(&node, NS_PROTOCOL, "Response") && node != response => {
            Err(ResponseError::UnexpectedElement { parent: "the Response", got: "another Response".into() })
        }
        _ => Ok(()),
    }
}

/// Everything some software takes for an id: `ID`, `Id`, `id`, `xml:id`, `wsu:Id`, …
fn ids_of<'a>(node: Node<'a, '_>) -> impl Iterator<Item = &'a str> {
    node.attributes().filter(|attribute| attribute.name().eq_ignore_ascii_case("id")).map(|attribute| attribute.value())
}

/// Canonical form drops comments, so a value with one in it reads differently before and after. This looks at all
/// siblings of each comment; the gate lets only few comments through.
fn check_comment(comment: Node) -> Result<(), ResponseError> {
    match comment.parent().filter(Node::is_element) {
        Some(parent) if !has_element_content(parent) || elements(parent).next().is_none() => {
            Err(ResponseError::CommentInText { element: describe(&parent).into() })
        }
        _ => Ok(()),
    }
}

/// Refuses child elements other than `allowed`, and text between them.
pub(super) fn check_children(node: Node, parent: &'static str, allowed: &[(&str, &str)]) -> Result<(), ResponseError> {
    if !has_element_content(node) {
        return Err(ResponseError::UnexpectedElement { parent, got: "text".into() });
    }
    let stranger = elements(node).find(|child| !allowed.iter().any(|(namespace, name)| is(child, namespace, name)));
    match stranger {
        Some(stranger) => Err(ResponseError::UnexpectedElement { parent, got: describe(&stranger).into() }),
        None => Ok(()),
    }
}

fn only_signature<'a, 'i>(node: Node<'a, 'i>, parent: &'static str) -> Result<Option<Node<'a, 'i>>, ResponseError> {
    let mut signatures = children(node, NS_SIGNATURE, "Signature");
    let first = signatures.next();
    match signatures.count() {
        0 => Ok(first),
        more => Err(ResponseError::SignatureMultiple { parent, got: more + 1 }),
    }
}

/// `@ID`, printable ASCII without what has a meaning in a URI reference or an XPointer.
pub(super) fn id_of<'a>(node: Node<'a, '_>, element: &'static str) -> Result<&'a str, ResponseError> {
    let id = node.attribute("ID").unwrap_or_default();
    let usable = !id.is_empty()
        && id.len() <= LONGEST_ID
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:~+/=@".contains(&byte));
    match usable {
        true => Ok(id),
        false => Err(ResponseError::Id { element, got: id.into() }),
    }
}

/// The only child `{urn:…:assertion}name` of `node`.
pub(super) fn only_child<'a, 'i: 'a>(
    node: Node<'a, 'i>,
    parent: &'static str,
    name: &'static str,
) -> Result<Node<'a, 'i>, ResponseError> {
    let mut found = children(node, NS_ASSERTION, name);
    match (found.next(), found.count()) {
        (Some(only), 0) => Ok(only),
        (first, more) => {
            Err(ResponseError::ElementCount { parent, element: name, got: usize::from(first.is_some()) + more })
        }
    }
}
