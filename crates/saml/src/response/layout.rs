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
    pub(super) content: Content<'a, 'i>,
}

/// What a Response is about.
pub(super) enum Content<'a, 'i> {
    Assertion(AssertionLayout<'a, 'i>),
    EncryptedAssertion(Node<'a, 'i>),
}

/// An Assertion and where its signature is.
pub(super) struct AssertionLayout<'a, 'i> {
    pub(super) node: Node<'a, 'i>,
    pub(super) id: &'a str,
    pub(super) signature: Option<Node<'a, 'i>>,
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
        let carried = only_carried(response)?;
        check_everywhere(document, Some(response), carried)?;
        check_children(
            response,
            "Response",
            &[
                (NS_ASSERTION, "Issuer"),
                (NS_SIGNATURE, "Signature"),
                (NS_PROTOCOL, "Extensions"),
                (NS_PROTOCOL, "Status"),
                (NS_ASSERTION, carried.tag_name().name()),
            ],
        )?;
        Ok(Layout {
            response,
            response_id: id_of(response, "Response")?,
            response_signature: only_signature(response, "Response")?,
            content: match is_encrypted(&carried) {
                true => Content::EncryptedAssertion(carried),
                false => Content::Assertion(AssertionLayout::of(carried)?),
            },
        })
    }
}

impl<'a, 'i> AssertionLayout<'a, 'i> {
    fn of(node: Node<'a, 'i>) -> Result<Self, ResponseError> {
        Ok(AssertionLayout { node, id: id_of(node, "Assertion")?, signature: only_signature(node, "Assertion")? })
    }

    /// Of a document that was encrypted: an Assertion and nothing else.
    pub(super) fn of_document(document: &'a Document<'i>) -> Result<Self, ResponseError> {
        let root = document.root_element();
        if !is(&root, NS_ASSERTION, "Assertion") {
            return Err(ResponseError::AssertionMissing);
        }
        check_everywhere(document, None, root)?;
        Self::of(root)
    }
}

fn is_encrypted(node: &Node) -> bool {
    is(node, NS_ASSERTION, "EncryptedAssertion")
}

/// The only Assertion, encrypted or not, directly in `response`.
fn only_carried<'a, 'i>(response: Node<'a, 'i>) -> Result<Node<'a, 'i>, ResponseError> {
    let mut found = elements(response).filter(|node| is(node, NS_ASSERTION, "Assertion") || is_encrypted(node));
    match (found.next(), found.count()) {
        (None, _) => Err(ResponseError::AssertionMissing),
        (Some(only), 0) => Ok(only),
        (Some(_), more) => Err(ResponseError::AssertionMultiple { got: more + 1 }),
    }
}

/// The only Assertion directly in `response`, which is not encrypted.
pub(super) fn only_assertion<'a, 'i>(response: Node<'a, 'i>) -> Result<Node<'a, 'i>, ResponseError> {
    let carried = only_carried(response)?;
    if is_encrypted(&carried) { Err(ResponseError::AssertionMissing) } else { Ok(carried) }
}

/// The only Assertion directly in `response`, which is encrypted.
pub(super) fn only_encrypted_assertion<'a, 'i>(response: Node<'a, 'i>) -> Result<Node<'a, 'i>, ResponseError> {
    let carried = only_carried(response)?;
    if is_encrypted(&carried) { Ok(carried) } else { Err(ResponseError::AssertionMissing) }
}

/// One walk over all nodes: no second Response, Assertion or Signature in hiding, no shared id, no comment in a value.
fn check_everywhere<'a>(document: &'a Document, response: Option<Node>, carried: Node) -> Result<(), ResponseError> {
    let mut ids: Vec<&'a str> = Vec::with_capacity(8);
    for node in document.descendants() {
        if node.is_comment() {
            check_comment(node)?;
        } else if node.is_element() {
            check_place(node, response, carried)?;
            ids.extend(ids_of(node));
        }
    }
    ids.sort_unstable();
    match ids.windows(2).find(|pair| pair.first() == pair.last()) {
        Some(shared) => Err(ResponseError::DuplicateId { id: (*shared.first().unwrap_or(&"")).into() }),
        None => Ok(()),
    }
}

fn check_place(node: Node, response: Option<Node>, carried: Node) -> Result<(), ResponseError> {
    let parent = node.parent().filter(Node::is_element);
    let parent_name = || parent.map_or(String::new(), |parent| describe(&parent)).into();
    let may_be_signed = |parent| Some(parent) == response || (parent == carried && !is_encrypted(&carried));
    let is_assertion_of_saml = || node.tag_name().namespace() == Some(NS_ASSERTION);
    match node.tag_name().name() {
        "Signature" if is(&node, NS_SIGNATURE, "Signature") && !parent.is_some_and(may_be_signed) => {
            Err(ResponseError::SignatureMisplaced { parent: parent_name() })
        }
        "Assertion" | "EncryptedAssertion" if is_assertion_of_saml() && node != carried => {
            Err(ResponseError::AssertionMisplaced { parent: parent_name() })
        }
        "Response" if is(&node, NS_PROTOCOL, "Response") && Some(node) != response => {
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
