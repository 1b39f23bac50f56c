//! A Rust file as the rules see it: without comments, with or without the contents of its strings, and with its test code known.

use std::ops::Range;

pub(super) struct Source<'a> {
    pub(super) path: &'a str,
    /// Comments are blanked out.
    pub(super) literals: String,
    /// Comments and the contents of strings are blanked out.
    pub(super) code: String,
    tests: Vec<Range<usize>>,
}

impl<'a> Source<'a> {
    pub(super) fn new(path: &'a str, text: &str) -> Self {
        let literals = blank(text, false);
        let code = blank(text, true);
        let tests = test_modules(&code);
        Self { path, literals, code, tests }
    }

    /// Test, bench and example code, by folder or by `#[cfg(test)]`.
    pub(super) fn is_test(&self, offset: usize) -> bool {
        let in_folder = self.path.split('/').any(|part| matches!(part, "tests" | "benches" | "examples"));
        let named = self.path.ends_with("/tests.rs") || self.path.ends_with("_tests.rs");
        in_folder || named || self.tests.iter().any(|range| range.contains(&offset))
    }

    /// Offsets of `word` in the code, where it is not part of a longer word.
    pub(super) fn words(&self, word: &str) -> Vec<usize> {
        let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        let bytes = self.code.as_bytes();
        let ends_as_word = word.ends_with(|character: char| character.is_alphanumeric());
        let alone = |offset: &usize| {
            let before = offset.checked_sub(1).and_then(|before| bytes.get(before));
            let goes_on = ends_as_word && is_part(bytes.get(offset + word.len()));
            !(is_part(before) || goes_on)
        };
        self.code.match_indices(word).map(|(offset, _)| offset).filter(alone).collect()
    }

    pub(super) fn line(&self, offset: usize) -> usize {
        self.code.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count() + 1
    }
}

/// Replaces comments, and on demand the contents of strings, by spaces; every line keeps its length.
fn blank(text: &str, strings: bool) -> String {
    let mut out = text.as_bytes().to_vec();
    let mut at = 0;
    while at < out.len() {
        let rest = &text.as_bytes()[at..];
        let (length, hidden) = match rest {
            [b'/', b'/', ..] => (line_length(rest), 0..line_length(rest)),
            [b'/', b'*', ..] => (block_comment_length(rest), 0..block_comment_length(rest)),
            _ => match literal(rest) {
                Some((length, content)) => (length, if strings { content } else { 0..0 }),
                None => (word_length(rest), 0..0),
            },
        };
        for byte in &mut out[at + hidden.start..at + hidden.end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at += length;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn line_length(rest: &[u8]) -> usize {
    rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
}

fn block_comment_length(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at + 1 < rest.len() {
        match &rest[at..at + 2] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// A name or number as a whole, so that the `r` of `for"` does not begin a raw string; else one byte.
fn word_length(rest: &[u8]) -> usize {
    let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    length.max(1)
}

/// The length of the string or character literal that begins here, and where its contents are.
fn literal(rest: &[u8]) -> Option<(usize, Range<usize>)> {
    let prefix = rest.iter().take_while(|byte| matches!(byte, b'b' | b'c' | b'r')).count();
    let raw = rest[..prefix].contains(&b'r');
    let hashes = rest[prefix..].iter().take_while(|byte| **byte == b'#').count();
    let start = prefix + hashes + 1;
    match rest.get(start - 1)? {
        b'"' if raw => {
            let closing = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
            let length =
                rest[start..].windows(closing.len()).position(|window| window == closing).unwrap_or(rest.len() - start);
            Some(((start + length + closing.len()).min(rest.len()), start..start + length))
        }
        b'"' if hashes == 0 => Some(quoted(rest, start, b'"')),
        b'\'' if hashes == 0 && !raw && is_character(&rest[start..]) => Some(quoted(rest, start, b'\'')),
        _ => None,
    }
}

/// Tells a character from a lifetime.
fn is_character(after_quote: &[u8]) -> bool {
    match after_quote {
        [b'\\', ..] => true,
        [first, rest @ ..] if first.is_ascii() => rest.first() == Some(&b'\''),
        _ => after_quote.iter().take(5).any(|byte| *byte == b'\''),
    }
}

fn quoted(rest: &[u8], start: usize, quote: u8) -> (usize, Range<usize>) {
    let mut at = start;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    let end = at.min(rest.len());
    ((end + 1).min(rest.len()), start..end)
}

/// The items after `#[cfg(test)]`, up to their closing brace.
fn test_modules(code: &str) -> Vec<Range<usize>> {
    code.match_indices("#[cfg(test)]").map(|(start, _)| start..start + item_length(&code[start..])).collect()
}

fn item_length(code: &str) -> usize {
    let mut depth = 0;
    for (offset, character) in code.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 1 => return offset + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return offset + 1,
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_comments_and_strings() {
        for (text, literals, code) in [
            ("a // b", "a     ", "a     "),
            ("a /* b /* c */ d */ e", "a                   e", "a                   e"),
            (r#"f("x // y") // z"#, r#"f("x // y")     "#, r#"f("      ")     "#),
            (r##"r#"a " b"# c"##, r##"r#"a " b"# c"##, r##"r#"     "# c"##),
            (r#"'"' x "y""#, r#"'"' x "y""#, r#"' ' x " ""#),
            ("&'a str, 'b'", "&'a str, 'b'", "&'a str, ' '"),
            (r#""\"//" z"#, r#""\"//" z"#, r#""    " z"#),
            ("br\"x\" b'y'", "br\"x\" b'y'", "br\" \" b' '"),
        ] {
            assert_eq!(blank(text, false), literals, "{text}");
            assert_eq!(blank(text, true), code, "{text}");
        }
    }

    #[test]
    fn knows_test_code() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n  fn b() { '}'; }\n}\nfn c() {}\n";
        let source = Source::new("crates/x/src/lib.rs", text);
        let at = |word: &str| source.words(word)[0];
        assert!(!source.is_test(at("a")));
        assert!(source.is_test(at("b")));
        assert!(!source.is_test(at("c")));
        assert!(Source::new("crates/x/tests/a.rs", text).is_test(at("a")));
    }

    #[test]
    fn whole_words() {
        let source = Source::new("x.rs", "async_x; async fn; my_async; .await");
        assert_eq!(source.words("async"), [9]);
        assert_eq!(source.words(".await").len(), 1);
    }
}
