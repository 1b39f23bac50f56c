//! Text into XML. One set of rules serves both the documents we write and canonical form (Canonical XML 1.0, 2.3), so
//! that what we write is already canonical.

/// Appends `text` as element content: `&`, `<`, `>` and the carriage return are replaced.
pub(crate) fn push_text(out: &mut String, text: &str) {
    push(out, text, |byte| match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'\r' => Some("&#xD;"),
        _ => None,
    });
}

/// Appends `value` as the content of an attribute in double quotes.
pub(crate) fn push_attribute_value(out: &mut String, value: &str) {
    push(out, value, |byte| match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'"' => Some("&quot;"),
        b'\t' => Some("&#x9;"),
        b'\n' => Some("&#xA;"),
        b'\r' => Some("&#xD;"),
        _ => None,
    });
}

/// `text` as element content. Characters that XML cannot carry at all become U+FFFD.
pub(crate) fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_text(&mut out, &representable(text));
    out
}

/// `value` as attribute content, for double quotes. Characters that XML cannot carry at all become U+FFFD.
pub(crate) fn attribute(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    push_attribute_value(&mut out, &representable(value));
    out
}

fn representable(text: &str) -> String {
    let is_xml_char = |c: char| match c {
        '\t' | '\n' | '\r' => true,
        '\u{FFFE}' | '\u{FFFF}' => false,
        _ => c >= ' ',
    };
    text.chars().map(|c| if is_xml_char(c) { c } else { '\u{FFFD}' }).collect()
}

/// Copies runs between the replaced bytes whole. All replaced bytes are ASCII, so a run ends on a character boundary.
#[inline]
fn push(out: &mut String, text: &str, replacement: impl Fn(u8) -> Option<&'static str>) {
    let mut run = 0;
    for (at, byte) in text.bytes().enumerate() {
        if let Some(entity) = replacement(byte) {
            out.push_str(text.get(run..at).unwrap_or_default());
            out.push_str(entity);
            run = at + 1;
        }
    }
    out.push_str(text.get(run..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    #[test]
    fn escapes_by_the_rules_of_canonical_xml() {
        assert_eq!(super::text("a<b>&\"'\r\n\té"), "a&lt;b&gt;&amp;\"'&#xD;\n\té");
        assert_eq!(super::attribute("a<b>&\"'\r\n\té"), "a&lt;b>&amp;&quot;'&#xD;&#xA;&#x9;é");
        assert_eq!(super::text("a\0b\u{FFFF}"), "a\u{FFFD}b\u{FFFD}");
    }
}
