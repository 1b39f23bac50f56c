//! Exclusive XML Canonicalization 1.0, without comments, of one element (<https://www.w3.org/TR/xml-exc-c14n/>).
//!
//! The apex is an element of a document that passed the gate, and everything below it is in the node-set, except for one
//! element left out: the signature that an enveloped-signature transform removes (XML Signature 6.6.4).

use roxmltree::{Attribute, Node, NodeId};

use super::escape;

/// Canonical form may not grow beyond this. It can be larger than its source, because a declaration is repeated on each
/// element that uses it first; a document made for that would otherwise expand a thousandfold.
pub(crate) const CANONICAL_BYTES: usize = 2 * crate::response::RESPONSE_BYTES;

/// The canonical form exceeds [`CANONICAL_BYTES`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

/// The canonical form of `apex` without `left_out`. `inclusive` is the PrefixList of InclusiveNamespaces (2.1), with
/// `""` for `#default`.
pub(crate) fn exclusive(apex: Node, left_out: Option<NodeId>, inclusive: &[&str]) -> Result<String, TooLong> {
    let source = apex.document().input_text();
    let mut writer = Writer {
        source,
        left_out,
        inclusive,
        rendered: Vec::with_capacity(16),
        out: String::with_capacity(apex.range().len() + 256),
    };
    writer.element(apex)?;
    Ok(writer.out)
}

struct Writer<'a> {
    source: &'a str,
    left_out: Option<NodeId>,
    inclusive: &'a [&'a str],
    /// Declarations written by the open elements, outermost first: prefix and URI.
    rendered: Vec<(&'a str, &'a str)>,
    out: String,
}

impl<'a> Writer<'a> {
    /// The gate bounds the nesting, and so this recursion.
    fn element<'i>(&mut self, node: Node<'a, 'i>) -> Result<(), TooLong> {
        let prefix = match node.tag_name().namespace() {
            Some(_) => prefix_at(self.source, node.range().start + 1),
            None => "",
        };
        let outer = self.rendered.len();
        self.out.push('<');
        self.qualified_name(prefix, node.tag_name().name());
        self.declarations(node, prefix, outer);
        self.attributes(node);
        self.out.push('>');
        for child in node.children() {
            if child.is_text() {
                escape::push_text(&mut self.out, child.text().unwrap_or_default());
            } else if child.is_element() && Some(child.id()) != self.left_out {
                self.element(child)?;
            }
            if self.out.len() > CANONICAL_BYTES {
                return Err(TooLong);
            }
        }
        self.out.push_str("</");
        self.qualified_name(prefix, node.tag_name().name());
        self.out.push('>');
        self.rendered.truncate(outer);
        Ok(())
    }

    fn qualified_name(&mut self, prefix: &str, local: &str) {
        if !prefix.is_empty() {
            self.out.push_str(prefix);
            self.out.push(':');
        }
        self.out.push_str(local);
    }

    /// Writes the declarations that the element visibly utilizes, or that the PrefixList names, and that no open element
    /// has written with the same value (3, steps 3.1 to 3.3), sorted by prefix.
    fn declarations(&mut self, node: Node<'a, '_>, prefix: &'a str, outer: usize) {
        self.declare(node, prefix);
        let mut last = prefix; // neighbours mostly share their prefix
        for attribute in node.attributes() {
            let prefix = self.attribute_prefix(&attribute);
            if !prefix.is_empty() && prefix != last {
                self.declare(node, prefix);
                last = prefix;
            }
        }
        for prefix in self.inclusive {
            self.declare(node, prefix);
        }
        if let Some(new) = self.rendered.get_mut(outer..) {
            new.sort_unstable();
            for (prefix, uri) in new.iter() {
                self.out.push_str(" xmlns");
                if !prefix.is_empty() {
                    self.out.push(':');
                    self.out.push_str(prefix);
                }
                self.out.push_str("=\"");
                escape::push_attribute_value(&mut self.out, uri);
                self.out.push('"');
            }
        }
    }

    fn declare(&mut self, node: Node<'a, '_>, prefix: &'a str) {
        if prefix == "xml" {
            return; // bound by definition, never declared
        }
        let name = (!prefix.is_empty()).then_some(prefix);
        let declared = node.namespaces().find(|declared| declared.name() == name);
        // Nothing is in scope of an absent default namespace, or of a prefix that only the PrefixList has.
        let uri = declared.map_or("", |declared| declared.uri());
        let rendered = self.rendered.iter().rev().find(|(rendered, _)| *rendered == prefix).map(|(_, uri)| *uri);
        // What is absent is not written, but that a default namespace ends: it needs `xmlns=""` only where an open element declared another.
        if rendered != Some(uri) && !(rendered.is_none() && uri.is_empty()) {
            self.rendered.push((prefix, uri));
        }
    }

    /// Attributes without a namespace first, then by namespace URI, then by local name (Canonical XML 1.0, 2.2).
    fn attributes<'i>(&mut self, node: Node<'a, 'i>) {
        let mut attributes = node.attributes();
        if attributes.len() < 2 {
            attributes.for_each(|attribute| self.attribute(&attribute));
            return;
        }
        let mut sorted: Vec<Attribute<'a, 'i>> = attributes.by_ref().collect();
        sorted.sort_by(|a, b| (a.namespace(), a.name()).cmp(&(b.namespace(), b.name())));
        for attribute in &sorted {
            self.attribute(attribute);
        }
    }

    fn attribute(&mut self, attribute: &Attribute<'a, '_>) {
        let prefix = self.attribute_prefix(attribute);
        self.out.push(' ');
        self.qualified_name(prefix, attribute.name());
        self.out.push_str("=\"");
        escape::push_attribute_value(&mut self.out, attribute.value());
        self.out.push('"');
    }

    fn attribute_prefix(&self, attribute: &Attribute<'a, '_>) -> &'a str {
        match attribute.namespace() {
            Some(_) => prefix_at(self.source, attribute.range().start),
            None => "",
        }
    }
}

/// The prefix of the qualified name that starts at byte `start` of `source`. The parser does not keep it, and two
/// prefixes may stand for one URI, so it is read from the source.
fn prefix_at(source: &str, start: usize) -> &str {
    let name = source.get(start..).unwrap_or_default();
    for (at, byte) in name.bytes().enumerate() {
        match byte {
            b':' => return name.get(..at).unwrap_or_default(),
            b'=' | b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n' => break,
            _ => {}
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::{TooLong, exclusive};
    use crate::xml::parse;

    /// Canonicalizes the first element named `apex` of `xml`.
    fn canonical(xml: &str, apex: &str, inclusive: &[&str]) -> Result<String, TooLong> {
        let document = parse(xml).unwrap();
        let apex = document.descendants().find(|node| node.tag_name().name() == apex).unwrap();
        let left_out = document.descendants().find(|node| node.tag_name().name() == "left-out");
        exclusive(apex, left_out.map(|node| node.id()), inclusive)
    }

    #[test]
    fn writes_only_declarations_in_use() {
        // The example of exc-c14n 2.2: the surroundings of elem2 do not change its canonical form.
        let expected = "<n1:elem2 xmlns:n1=\"http://example.net\" xml:lang=\"en\">\n  \
                        <n3:stuff xmlns:n3=\"ftp://example.org\"></n3:stuff>\n</n1:elem2>";
        for surroundings in [
            ("<n0:local xmlns:n0=\"foo:bar\" xmlns:n3=\"ftp://example.org\">", "</n0:local>"),
            ("<n2:pdu xmlns:n1=\"http://example.com\" xmlns:n2=\"http://foo.example\" xml:lang=\"fr\">", "</n2:pdu>"),
        ] {
            let xml = format!(
                "{}<n1:elem2 xmlns:n1=\"http://example.net\" xml:lang=\"en\">\n  <n3:stuff \
                 xmlns:n3=\"ftp://example.org\"/>\n</n1:elem2>{}",
                surroundings.0, surroundings.1
            );
            assert_eq!(canonical(&xml, "elem2", &[]).unwrap(), expected);
        }
    }

    #[test]
    fn canonical_forms() {
        for (xml, inclusive, expected) in [
            // Empty elements get end tags; white space inside of tags goes.
            ("<a  b = 'c' />", vec![], "<a b=\"c\"></a>"),
            // Comments go, text around them stays.
            ("<a>b<!-- c -->d</a>", vec![], "<a>bd</a>"),
            // Attributes: first those without namespace, then by URI (not by prefix), then by local name.
            (
                "<a z='1' y='2' p:m='3' q:m='4' xmlns:p='urn:2' xmlns:q='urn:1' xml:id='i'/>",
                vec![],
                "<a xmlns:p=\"urn:2\" xmlns:q=\"urn:1\" y=\"2\" z=\"1\" xml:id=\"i\" q:m=\"4\" p:m=\"3\"></a>",
            ),
            // Declarations by prefix, the default one first; unused ones go.
            (
                "<a xmlns='urn:d' xmlns:u='urn:u' xmlns:c='urn:c' xmlns:b='urn:b' c:x='' b:x=''/>",
                vec![],
                "<a xmlns=\"urn:d\" xmlns:b=\"urn:b\" xmlns:c=\"urn:c\" b:x=\"\" c:x=\"\"></a>",
            ),
            // Two prefixes of one URI stay apart.
            (
                "<a xmlns:p='urn:u' xmlns:q='urn:u'><p:b/><q:b/></a>",
                vec![],
                "<a><p:b xmlns:p=\"urn:u\"></p:b><q:b xmlns:q=\"urn:u\"></q:b></a>",
            ),
            // A declaration is repeated on siblings, and not on descendants.
            (
                "<a xmlns:p='urn:u'><p:b><p:c/></p:b><p:b/></a>",
                vec![],
                "<a><p:b xmlns:p=\"urn:u\"><p:c></p:c></p:b><p:b xmlns:p=\"urn:u\"></p:b></a>",
            ),
            // A prefix bound anew, and bound back.
            (
                "<p:a xmlns:p='urn:1'><p:b xmlns:p='urn:2'><p:c xmlns:p='urn:1'/></p:b><p:d/></p:a>",
                vec![],
                "<p:a xmlns:p=\"urn:1\"><p:b xmlns:p=\"urn:2\"><p:c xmlns:p=\"urn:1\"></p:c></p:b><p:d></p:d></p:a>",
            ),
            // The default namespace taken back: only where one was written.
            ("<a xmlns='urn:d'><b xmlns=''><c/></b></a>", vec![], "<a xmlns=\"urn:d\"><b xmlns=\"\"><c></c></b></a>"),
            ("<a xmlns=''><b xmlns=''/></a>", vec![], "<a><b></b></a>"),
            ("<p:a xmlns='urn:d' xmlns:p='urn:p'><b xmlns=''/></p:a>", vec![], "<p:a xmlns:p=\"urn:p\"><b></b></p:a>"),
            // Escapes, and characters that were written as references.
            (
                "<a b='&#9;&#10;&#13;\t\n&lt;&gt;&amp;&quot;&apos;'>&#13;&lt;&gt;&amp;\"&#x41;\r\né</a>",
                vec![],
                "<a b=\"&#x9;&#xA;&#xD;  &lt;>&amp;&quot;'\">&#xD;&lt;&gt;&amp;\"A\né</a>",
            ),
            // A PrefixList: declared where in scope, though not in use; `#default` too.
            (
                "<a xmlns:p='urn:p' xmlns:q='urn:q' xmlns='urn:d'><x/></a>",
                vec!["p", "nowhere"],
                "<a xmlns=\"urn:d\" xmlns:p=\"urn:p\"><x></x></a>",
            ),
            (
                "<q:a xmlns:p='urn:p' xmlns:q='urn:q' xmlns='urn:d'><q:x xmlns:p='urn:o'/></q:a>",
                vec!["p", ""],
                "<q:a xmlns=\"urn:d\" xmlns:p=\"urn:p\" xmlns:q=\"urn:q\"><q:x xmlns:p=\"urn:o\"></q:x></q:a>",
            ),
            // The enveloped signature goes, its surroundings stay.
            ("<a>1<left-out><b/>x</left-out>2</a>", vec![], "<a>12</a>"),
        ] {
            assert_eq!(canonical(xml, "a", &inclusive).unwrap(), expected, "{xml}");
        }
    }

    #[test]
    fn canonical_form_is_its_own_canonical_form() {
        let xml = "<a xmlns='urn:d' xmlns:p='urn:p' p:z='&#13;' b='\"'><p:c xmlns='' d=''>&#xD;&amp;<e/></p:c></a>";
        let once = canonical(xml, "a", &[]).unwrap();
        assert_eq!(canonical(&once, "a", &[]).unwrap(), once);
    }

    #[test]
    fn growth_is_bounded() {
        let text = |n: usize| format!("<a>{}</a>", "x".repeat(n));
        let most = super::CANONICAL_BYTES - "<a>".len();
        assert_eq!(canonical(&text(most), "a", &[]), Ok(text(most)));
        assert_eq!(canonical(&text(most + 1), "a", &[]), Err(TooLong));
        let children = "<p:b/>".repeat(4000);
        let xml = format!("<a xmlns:p='urn:{}'>{children}</a>", "u".repeat(250));
        assert_eq!(canonical(&xml, "a", &[]), Err(TooLong));
    }
}
