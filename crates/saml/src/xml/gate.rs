//! The gate in front of the parser: one pass over the bytes, without memory, that refuses what no SAML IdP sends and
//! what would cost the parser more than linear time.
//!
//! roxmltree compares each attribute with the others of its tag and each prefix with the namespaces in scope, so a tag
//! with many attributes or many declarations costs it quadratic time; the limits keep those products small. It also takes
//! `x:xmlns="…"` for a default namespace declaration and lets a second `xmlns="…"` on one tag pass; both would make its
//! reading of a document differ from that of other software, so they are refused here.

use super::error::XmlError;
use super::limits::{DEEPEST, Limits};

/// Checks `bytes` against `limits`; returns the text behind a byte order mark and the XML declaration.
pub(crate) fn check<'a>(bytes: &'a [u8], limits: &Limits) -> Result<&'a str, XmlError> {
    if bytes.len() > limits.bytes {
        return Err(XmlError::TooLarge { limit: limits.bytes, got: bytes.len() });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| XmlError::Encoding(error.to_string().as_str().into()))?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let text = skip_declaration(text)?;
    Scanner::new(text, limits).run()?;
    Ok(text)
}

/// How many elements, attributes (declarations among them) and comments there are in text that was let through.
#[cfg(test)]
pub(super) fn counted(text: &str, limits: &Limits) -> (usize, usize, usize) {
    let mut scanner = Scanner::new(text, limits);
    scanner.run().unwrap();
    (scanner.elements, scanner.attributes, scanner.comments)
}

/// Skips `<?xml … ?>` at the very start (XML 1.0, 2.8). Only version 1.0 in UTF-8 is accepted.
fn skip_declaration(text: &str) -> Result<&str, XmlError> {
    let Some(rest) = text.strip_prefix("<?xml") else {
        return Ok(text);
    };
    if !rest.starts_with([' ', '\t', '\r', '\n']) {
        return Ok(text); // some other target, such as xml-stylesheet: the scan refuses it
    }
    let Some((declaration, rest)) = rest.split_once("?>") else {
        return Err(malformed("unterminated XML declaration"));
    };
    if declaration.contains('<') {
        return Err(malformed("unterminated XML declaration"));
    }
    let version = pseudo_attribute(declaration, "version");
    if version != Some("1.0") {
        return Err(malformed("the XML version is not 1.0"));
    }
    match pseudo_attribute(declaration, "encoding") {
        None => Ok(rest),
        Some(name) if ["utf-8", "us-ascii"].contains(&name.to_ascii_lowercase().as_str()) => Ok(rest),
        Some(name) => Err(XmlError::Encoding(format!("declared {name}").as_str().into())),
    }
}

fn pseudo_attribute<'a>(declaration: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = declaration.split_once(name)?;
    let rest = rest.trim_ascii_start().strip_prefix('=')?.trim_ascii_start();
    let (quote, rest) = rest.split_at_checked(1).filter(|(quote, _)| matches!(*quote, "\"" | "'"))?;
    rest.split_once(quote).map(|(value, _)| value)
}

fn malformed(why: &str) -> XmlError {
    XmlError::Malformed(why.into())
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    limits: &'a Limits,
    elements: usize,
    comments: usize,
    attributes: usize,
    namespaces: usize,
    namespaces_in_scope: usize,
    /// Declarations made by each open element.
    open: [u8; DEEPEST],
    depth: usize,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str, limits: &'a Limits) -> Self {
        Scanner {
            text,
            bytes: text.as_bytes(),
            at: 0,
            limits,
            elements: 0,
            comments: 0,
            attributes: 0,
            namespaces: 0,
            namespaces_in_scope: 0,
            open: [0; DEEPEST],
            depth: 0,
        }
    }

    fn run(&mut self) -> Result<(), XmlError> {
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'<' => self.markup()?,
                b'&' => self.reference()?,
                _ => self.at += 1,
            }
        }
        Ok(())
    }

    fn markup(&mut self) -> Result<(), XmlError> {
        match self.bytes.get(self.at + 1) {
            Some(b'!') if self.starts_with(b"<!--") => {
                self.comments += 1;
                if self.comments > self.limits.comments {
                    let limit = self.limits.comments;
                    return Err(XmlError::TooManyComments { limit });
                }
                self.skip_past(4, b"-->")
            }
            Some(b'!') if self.starts_with(b"<![CDATA[") => {
                if !self.limits.cdata {
                    return Err(XmlError::Cdata);
                }
                self.skip_past(9, b"]]>")
            }
            Some(b'!') => Err(XmlError::Doctype),
            Some(b'?') => Err(XmlError::ProcessingInstruction),
            Some(b'/') => self.end_tag(),
            Some(_) => self.start_tag(),
            None => Err(malformed("the document ends inside a tag")),
        }
    }

    fn starts_with(&self, prefix: &[u8]) -> bool {
        self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(prefix))
    }

    /// Skips `opening` bytes and then everything up to and including `terminator`.
    fn skip_past(&mut self, opening: usize, terminator: &[u8]) -> Result<(), XmlError> {
        let start = self.at + opening;
        let found = self
            .bytes
            .get(start..)
            .and_then(|rest| rest.windows(terminator.len()).position(|w| w == terminator))
            .ok_or_else(|| malformed("unterminated comment or CDATA section"))?;
        self.at = start + found + terminator.len();
        Ok(())
    }

    fn end_tag(&mut self) -> Result<(), XmlError> {
        self.depth = self.depth.checked_sub(1).ok_or_else(|| malformed("an end tag without its start tag"))?;
        self.namespaces_in_scope -= usize::from(self.open.get(self.depth).copied().unwrap_or(0));
        self.skip_past(2, b">")
    }

    fn start_tag(&mut self) -> Result<(), XmlError> {
        self.at += 1;
        self.name()?;
        self.elements += 1;
        if self.elements > self.limits.elements {
            let limit = self.limits.elements;
            return Err(XmlError::TooManyElements { limit });
        }
        if self.depth >= self.limits.depth {
            let limit = self.limits.depth;
            return Err(XmlError::TooDeep { limit });
        }
        let declared = self.attributes_of_tag()?;
        match self.bytes.get(self.at) {
            Some(b'>') => {
                if let Some(slot) = self.open.get_mut(self.depth) {
                    *slot = declared;
                }
                self.depth += 1;
                self.at += 1;
                Ok(())
            }
            Some(b'/') if self.bytes.get(self.at + 1) == Some(&b'>') => {
                self.namespaces_in_scope -= usize::from(declared);
                self.at += 2;
                Ok(())
            }
            _ => Err(malformed("a start tag does not end")),
        }
    }

    /// Reads attributes up to the `>` or `/` that ends the tag. Returns how many of them declare a namespace.
    fn attributes_of_tag(&mut self) -> Result<u8, XmlError> {
        let (mut count, mut declared, mut default_declared) = (0, 0_u8, false);
        loop {
            let spaced = self.skip_whitespace();
            if matches!(self.bytes.get(self.at), None | Some(b'>' | b'/')) {
                return Ok(declared);
            }
            if !spaced {
                return Err(malformed("no space before an attribute"));
            }
            count += 1;
            if count > self.limits.attributes_per_tag {
                let limit = self.limits.attributes_per_tag;
                return Err(XmlError::TooManyAttributesOnTag { limit });
            }
            self.attributes += 1;
            if self.attributes > self.limits.attributes {
                let limit = self.limits.attributes;
                return Err(XmlError::TooManyAttributes { limit });
            }
            let name = self.name()?;
            let value_bytes = self.attribute_value()?;
            if self.is_declaration(name, value_bytes, &mut default_declared)? {
                declared += 1;
            }
        }
    }

    /// Whether the attribute declares a namespace; counts it if so.
    fn is_declaration(
        &mut self,
        name: &str,
        value_bytes: usize,
        default_declared: &mut bool,
    ) -> Result<bool, XmlError> {
        let refused = || Err(XmlError::NamespaceDeclaration(name.into()));
        match name.split_once(':') {
            None if name == "xmlns" => {
                if std::mem::replace(default_declared, true) {
                    return refused();
                }
            }
            Some(("xmlns", "xml" | "xmlns")) => return refused(),
            Some(("xmlns", _)) if value_bytes == 0 => return refused(),
            Some(("xmlns", _)) => {}
            Some((_, "xmlns")) => return refused(),
            _ => return Ok(false),
        }
        if value_bytes > self.limits.namespace_uri_bytes {
            return refused();
        }
        self.namespaces += 1;
        if self.namespaces > self.limits.namespaces {
            let limit = self.limits.namespaces;
            return Err(XmlError::TooManyNamespaces { limit });
        }
        self.namespaces_in_scope += 1;
        if self.namespaces_in_scope > self.limits.namespaces_in_scope {
            let limit = self.limits.namespaces_in_scope;
            return Err(XmlError::TooManyNamespacesInScope { limit });
        }
        Ok(true)
    }

    /// A qualified name: at most one colon, and not at either end (Namespaces in XML 1.0, 4).
    fn name(&mut self) -> Result<&'a str, XmlError> {
        let start = self.at;
        let mut colon = None;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b'=' | b'>' | b'/' => break,
                b'<' | b'&' | b'"' | b'\'' => return Err(malformed("a bad character in a name")),
                b':' if colon.is_some() => return Err(malformed("a name with two colons")),
                b':' => colon = Some(self.at),
                _ => {}
            }
            self.at += 1;
        }
        if start == self.at || colon == Some(start) || colon.is_some_and(|at| at + 1 == self.at) {
            return Err(malformed("an incomplete name"));
        }
        Ok(self.text.get(start..self.at).unwrap_or_default())
    }

    /// `= "value"`; returns the number of bytes between the quotes.
    fn attribute_value(&mut self) -> Result<usize, XmlError> {
        self.skip_whitespace();
        if self.bytes.get(self.at) != Some(&b'=') {
            return Err(malformed("an attribute without a value"));
        }
        self.at += 1;
        self.skip_whitespace();
        let quote = match self.bytes.get(self.at) {
            Some(&quote @ (b'"' | b'\'')) => quote,
            _ => return Err(malformed("an attribute value without quotes")),
        };
        self.at += 1;
        let start = self.at;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'<' => return Err(malformed("'<' in an attribute value")),
                b'&' => self.reference()?,
                _ if byte == quote => {
                    self.at += 1;
                    return Ok(self.at - 1 - start);
                }
                _ => self.at += 1,
            }
        }
        Err(malformed("an attribute value does not end"))
    }

    /// Steps over a reference to a character or to one of the five predefined entities (XML 1.0, 4.1 and 4.6).
    fn reference(&mut self) -> Result<(), XmlError> {
        /// Enough for `&#x10FFFF;` with some leading zeros.
        const LONGEST: usize = 16;
        let rest = self.bytes.get(self.at + 1..).unwrap_or_default();
        let end = rest.iter().take(LONGEST).position(|&byte| byte == b';');
        let name = end.and_then(|end| self.text.get(self.at + 1..self.at + 1 + end));
        let Some(name) = name else {
            return Err(malformed("'&' does not start a reference"));
        };
        let known = match name.strip_prefix('#') {
            Some(number) => is_xml_character(number),
            None => matches!(name, "amp" | "lt" | "gt" | "quot" | "apos"),
        };
        if !known {
            return Err(XmlError::EntityReference(name.into()));
        }
        self.at += name.len() + 2;
        Ok(())
    }

    fn skip_whitespace(&mut self) -> bool {
        let start = self.at;
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        self.at > start
    }
}

/// Whether the digits behind `&#` name a character of XML 1.0 (2.2).
fn is_xml_character(number: &str) -> bool {
    let (digits, radix) = match number.strip_prefix('x') {
        Some(hexadecimal) => (hexadecimal, 16),
        None => (number, 10),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return false; // from_str_radix would take a sign
    }
    let Some(c) = u32::from_str_radix(digits, radix).ok().and_then(char::from_u32) else {
        return false;
    };
    matches!(c, '\t' | '\n' | '\r') || (c >= ' ' && !matches!(c, '\u{FFFE}' | '\u{FFFF}'))
}

#[cfg(test)]
mod tests {
    use super::{Limits, XmlError, check};

    fn code(xml: &str) -> &'static str {
        match check(xml.as_bytes(), &Limits::RESPONSE) {
            Ok(_) => "ok",
            Err(error) => error.code(),
        }
    }

    #[test]
    fn lets_plain_documents_through() {
        for xml in [
            "<a/>",
            "\u{FEFF}<a/>",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a/>",
            "<?xml version='1.0' encoding='utf-8' standalone='yes'?><a/>",
            "<a>&#32;&#x20;</a>",
            "<!-- c --><a b='1' c = \"2\"><!-- <d> & --><x:y xmlns:x='u' x:z='>'/>&amp;&#10;&#x10FFFF;</a >",
        ] {
            assert_eq!(code(xml), "ok", "{xml}");
        }
        let xml = "<?xml version='1.0'?><a/>";
        assert_eq!(check(xml.as_bytes(), &Limits::RESPONSE), Ok("<a/>"));
    }

    #[test]
    fn names_what_it_refuses() {
        for (expected, xml) in [
            ("xml_doctype", "<!DOCTYPE a><a/>"),
            ("xml_doctype", "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>"),
            ("xml_doctype", "<a><!ENTITY e 'x'></a>"),
            ("xml_processing_instruction", "<a><?php x?></a>"),
            ("xml_processing_instruction", "<?xml-stylesheet href='x'?><a/>"),
            ("xml_processing_instruction", " <?xml version='1.0'?><a/>"),
            ("xml_cdata", "<a><![CDATA[x]]></a>"),
            ("xml_encoding", "<?xml version='1.0' encoding='ISO-8859-1'?><a/>"),
            ("xml_malformed", "<?xml version='1.1'?><a/>"),
            ("xml_malformed", "<?xml version?><a/>"),
            ("xml_malformed", "<?xml version=?><a/>"),
            ("xml_malformed", "<?xml version=x1.0x?><a/>"),
            ("xml_malformed", "<?xml version='1.0"),
            ("xml_malformed", "<?xml version='1.0' <a/><?x?>"),
            ("xml_entity_reference", "<a>&#xFFFE;</a>"),
            ("xml_entity_reference", "<a>&#31;</a>"),
            ("xml_malformed", "< a='1'/>"),
            ("xml_malformed", "<a ='1'/>"),
            ("xml_malformed", "<a'b/>"),
            ("xml_malformed", "<a/b>"),
            ("xml_malformed", "<a b ''c'/>"),
            ("xml_entity_reference", "<a>&e;</a>"),
            ("xml_entity_reference", "<a b='&e;'/>"),
            ("xml_entity_reference", "<a>&#0;</a>"),
            ("xml_entity_reference", "<a>&#xD800;</a>"),
            ("xml_entity_reference", "<a>&#+65;</a>"),
            ("xml_entity_reference", "<a>&#;</a>"),
            ("xml_malformed", "<a>& b</a>"),
            ("xml_malformed", "<a b=c/>"),
            ("xml_malformed", "<a b='1'c='2'/>"),
            ("xml_malformed", "<a b='<'/>"),
            ("xml_malformed", "<:a/>"),
            ("xml_malformed", "<a:/>"),
            ("xml_malformed", "<a:b:c/>"),
            ("xml_malformed", "</a>"),
            ("xml_malformed", "<"),
            ("xml_malformed", "<a"),
            ("xml_malformed", "<a b='"),
            ("xml_malformed", "<a><!-- "),
            ("xml_namespace_declaration", "<a xmlns='u' xmlns='v'/>"),
            ("xml_namespace_declaration", "<a x:xmlns='u' xmlns:x='v'/>"),
            ("xml_namespace_declaration", "<a xmlns:x=''/>"),
            ("xml_namespace_declaration", "<a xmlns:xmlns='u'/>"),
            ("xml_namespace_declaration", "<a xmlns:xml='http://www.w3.org/XML/1998/namespace'/>"),
        ] {
            assert_eq!(code(xml), expected, "{xml}");
        }
        assert_eq!(code(&format!("<a xmlns='{}'/>", "u".repeat(256))), "ok");
        let uri = "u".repeat(257);
        assert_eq!(code(&format!("<a xmlns='{uri}'/>")), "xml_namespace_declaration");
        assert!(matches!(check(b"<a>\xff</a>", &Limits::RESPONSE), Err(XmlError::Encoding(_))));
        assert!(check(b"<a><![CDATA[x]]></a>", &Limits::METADATA).is_ok());
    }

    #[test]
    fn holds_every_limit_to_the_last_one() {
        let nested = |n: usize| format!("{}{}", "<a>".repeat(n), "</a>".repeat(n));
        assert_eq!(code(&nested(32)), "ok");
        assert_eq!(code(&nested(33)), "xml_too_deep");

        let wide = |n: usize| {
            let attributes: String = (0..n).map(|i| format!(" a{i}=''")).collect();
            format!("<a{attributes}/>")
        };
        assert_eq!(code(&wide(40)), "ok");
        assert_eq!(code(&wide(41)), "xml_too_many_attributes");

        let many = |n: usize| format!("<a>{}</a>", "<b/>".repeat(n - 1));
        assert_eq!(code(&many(4096)), "ok");
        assert_eq!(code(&many(4097)), "xml_too_many_elements");

        let attributes = |n: usize| format!("<a>{}</a>", "<b c='' d=''/>".repeat(n / 2));
        assert_eq!(code(&attributes(4096)), "ok");
        assert_eq!(code(&attributes(4098)), "xml_too_many_attributes");

        let declared = |n: usize| format!("<a>{}</a>", "<b xmlns='u'/>".repeat(n));
        assert_eq!(code(&declared(2048)), "ok");
        assert_eq!(code(&declared(2049)), "xml_too_many_namespaces");

        let in_scope = |n: usize| {
            let open: String = (0..n).map(|i| format!("<a xmlns:p{i}='u' xmlns:q{i}='u'>")).collect();
            format!("{open}{}", "</a>".repeat(n))
        };
        assert_eq!(code(&in_scope(16)), "ok");
        assert_eq!(code(&in_scope(17)), "xml_too_many_namespaces");

        let commented = |n: usize| format!("<a>{}<b/></a>", "<!---->".repeat(n));
        assert_eq!(code(&commented(64)), "ok");
        assert_eq!(code(&commented(65)), "xml_too_many_comments");

        let big = |n: usize| format!("<a>{}</a>", "x".repeat(n - "<a></a>".len()));
        assert_eq!(code(&big(Limits::RESPONSE.bytes)), "ok");
        assert_eq!(code(&big(Limits::RESPONSE.bytes + 1)), "xml_too_large");
    }
}
