//! Reading elements: by namespace and local name, never by prefix, and text only where there is nothing but text.

use roxmltree::Node;

/// Whether `node` is the element `{namespace}name`. Text and comments have no name.
pub(crate) fn is(node: &Node, namespace: &str, name: &str) -> bool {
    let tag = node.tag_name();
    tag.name() == name && tag.namespace() == Some(namespace)
}

/// The child elements `{namespace}name` of `parent`, in document order.
pub(crate) fn children<'a, 'i: 'a>(
    parent: Node<'a, 'i>,
    namespace: &'a str,
    name: &'a str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    parent.children().filter(move |child| is(child, namespace, name))
}

/// All child elements of `parent`, in document order.
pub(crate) fn elements<'a, 'i: 'a>(parent: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    parent.children().filter(Node::is_element)
}

/// The whole content of `node` if that is text and nothing else; `None` if there is an element or a comment in it.
///
/// Software that reads only the first piece of `admin@a.test<!-- -->.b.test` has let people in as somebody else
/// (CVE-2017-11427 and again CVE-2026-57580), so a text in pieces is no text here.
pub(crate) fn plain_text<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    let mut children = node.children();
    match (children.next(), children.next()) {
        (None, _) => Some(""),
        (Some(only), None) if only.is_text() => only.text(),
        _ => None,
    }
}

/// Whether `parent` has, beside elements and comments, only white space.
pub(crate) fn has_element_content(parent: Node) -> bool {
    parent.children().filter(Node::is_text).all(|text| text.text().unwrap_or_default().trim_ascii().is_empty())
}

/// `{namespace}name` for messages.
pub(crate) fn describe(node: &Node) -> String {
    let tag = node.tag_name();
    match tag.namespace() {
        Some(namespace) if !namespace.is_empty() => format!("{{{namespace}}}{}", tag.name()),
        _ => tag.name().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::describe;
    use crate::xml::parse;

    #[test]
    fn describes_by_namespace() {
        let shown = |xml: &str| describe(&parse(xml).unwrap().root_element());
        assert_eq!(shown("<p:a xmlns:p='urn:p'/>"), "{urn:p}a");
        assert_eq!(shown("<a/>"), "a");
        assert_eq!(shown("<a xmlns=''/>"), "a");
    }
}
