//! How a document is changed: as text, and by its tags and elements, so that much of what comes out is still XML.

use arbitrary::{Arbitrary, Unstructured};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// One change. The numbers choose a place and are taken modulo the number of places there are.
#[derive(Arbitrary, Debug)]
enum Change {
    FlipBit(u32, u8),
    Insert(u32, u8),
    InsertInTag(u16, u8),
    Delete(u32, u8),
    Replace(u8),
    DeleteElement(u16),
    CopyElement(u16, u16),
    MoveElement(u16, u16),
    ExchangeElement(u16, u16),
    WrapElement(u16, u8),
    /// An element of another document of the corpus.
    ElementOfAnother(u16, u16, u16),
    /// The same, in the place of an element.
    ExchangeForAnother(u16, u16, u16),
    SwapAttributes(u16),
    DeleteAttribute(u16, u8),
    RenamePrefix(u16, u8),
    WriteAsReference(u32),
    Nest(u16, u8),
    Repeat(u16, u16),
    /// One bit of what a base64 text stands for.
    FlipInBase64(u16, u16, u8),
}

/// Text that has a meaning somewhere.
const PIECES: [&str; 46] = [
    "<!-- x -->",
    "<![CDATA[x]]>",
    "<?x y?>",
    "<!DOCTYPE x>",
    "&#x41;",
    "&#65;",
    "&amp;",
    "&lt;",
    "&x;",
    "&#0;",
    "&#xD;",
    "\r",
    "\r\n",
    " ",
    "\t",
    "\0",
    "é",
    "\u{FEFF}",
    "\u{202E}",
    "]]>",
    "<",
    ">",
    "\"",
    "'",
    "/",
    "=",
    ":",
    "-->",
    "<x/>",
    "<x></x>",
    "<saml:Assertion ID=\"_x\"/>",
    "<saml:NameID>admin@example.test</saml:NameID>",
    "<ds:Signature/>",
    "<ds:Object>",
    "</saml:Assertion>",
    "<samlp:Extensions>",
    "</samlp:Response>",
    "admin@example.test",
    "<?xml version=\"1.0\"?>",
    "xml",
    "xmlns",
    "#",
    "%",
    "\u{FFFE}",
    "2026-11-24T09:00:00Z",
    "_assertion1",
];

const IN_TAGS: [&str; 20] = [
    " ID=\"_assertion1\"",
    " Id=\"_response1\"",
    " xml:id=\"_assertion1\"",
    " ID='_x'",
    " xmlns=\"\"",
    " xmlns=\"urn:x\"",
    " xmlns:saml=\"urn:x\"",
    " xmlns:ds=\"urn:x\"",
    " xmlns:a=\"urn:a\"",
    " a:b=\"c\"",
    " xml:lang=\"en\"",
    " xmlns:xml=\"urn:x\"",
    " Version=\"2.0\"",
    " InResponseTo=\"_request1\"",
    "  ",
    " /",
    " a = 'b'",
    " a=\"&#10;\"",
    " x:xmlns=\"u\"",
    " xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"",
];

const REPLACED: [(&str, &str); 22] = [
    ("jane.doe", "admin"),
    ("_assertion1", "_x"),
    ("saml:", "ds:"),
    ("saml:Assertion", "saml:EncryptedAssertion"),
    ("#", ""),
    ("2026", "2027"),
    ("http://", "https://"),
    ("sp.example", "xp.example"),
    ("idp.example", "xdp.example"),
    ("sha256", "sha1"),
    ("rsa-sha256", "rsa-sha512"),
    ("2001/10/xml-exc-c14n#", "2001/10/xml-exc-c14n#WithComments"),
    ("urn:oasis", "urn:Oasis"),
    ("Success", "Responder"),
    ("_request1", "_request2"),
    ("bearer", "holder-of-key"),
    ("<", "\n<"),
    ("\"", "'"),
    ("></", "/></"),
    ("_response1", "_assertion1"),
    ("ds:", ""),
    ("samlp:", ""),
];

/// A document made from one of `kept`, of which the first `original` are the corpus.
pub(super) fn changed(kept: &[Vec<u8>], original: usize, choices: &mut Unstructured) -> Vec<u8> {
    let from_corpus = original == kept.len() || choices.arbitrary().unwrap_or(false);
    let range = if from_corpus { 0..original } else { original..kept.len() };
    let at = choices.choose_index(range.len()).unwrap_or(0) + range.start;
    let mut document = kept[at].clone();
    for _ in 0..choices.int_in_range(1..=4).unwrap_or(1) {
        let Ok(change) = choices.arbitrary() else { break };
        document = apply(&document, &change, kept);
        // Where limits are tried, one large document is enough; a pool of them would slow everything down.
        document.truncate(400 * 1024);
    }
    document
}

fn apply(document: &[u8], change: &Change, kept: &[Vec<u8>]) -> Vec<u8> {
    let mut new = document.to_vec();
    let place = |number: u32| number as usize % document.len().max(1);
    let tags: Vec<usize> = starts(document).collect();
    let tag = |number: u16| tags.get(usize::from(number) % tags.len().max(1)).copied().unwrap_or(0);
    let element = |number: u16| element_at(document, tag(number));
    match *change {
        Change::FlipBit(at, bit) => {
            if let Some(byte) = new.get_mut(place(at)) {
                *byte ^= 1 << (bit % 8);
            }
        }
        Change::Insert(at, piece) => insert(&mut new, place(at), pick(&PIECES, piece).as_bytes()),
        Change::InsertInTag(number, piece) => {
            let start = tag(number);
            let name = document.iter().skip(start + 1).take_while(|byte| !b" />\t\r\n".contains(byte)).count();
            insert(&mut new, start + 1 + name, pick(&IN_TAGS, piece).as_bytes());
        }
        Change::Delete(at, length) => remove(&mut new, place(at), usize::from(length % 40) + 1),
        Change::Replace(which) => {
            let (from, to) = pick(&REPLACED, which);
            new = String::from_utf8_lossy(document).replace(from, to).into_bytes();
        }
        Change::DeleteElement(number) => remove(&mut new, tag(number), element(number).len()),
        Change::CopyElement(number, to) => insert(&mut new, tag(to), element(number)),
        Change::MoveElement(number, to) => {
            let (start, to, moved) = (tag(number), tag(to), element(number));
            remove(&mut new, start, moved.len());
            insert(&mut new, if to > start { to.saturating_sub(moved.len()) } else { to }, moved);
        }
        Change::ExchangeElement(number, other) => {
            remove(&mut new, tag(number), element(number).len());
            insert(&mut new, tag(number), element(other));
        }
        Change::WrapElement(number, how) => {
            let (start, inner) = (tag(number), element(number));
            let end = start + inner.len();
            let (before, behind) = pick(
                &[
                    ("<x>", "</x>"),
                    ("<samlp:Extensions>", "</samlp:Extensions>"),
                    ("<saml:Advice>", "</saml:Advice>"),
                    ("<ds:Object>", "</ds:Object>"),
                    ("<x xmlns:saml=\"urn:x\">", "</x>"),
                    ("<!--", "-->"),
                ],
                how,
            );
            insert(&mut new, end, behind.as_bytes());
            insert(&mut new, start, before.as_bytes());
        }
        Change::ElementOfAnother(number, other, to) => insert(&mut new, tag(to), foreign(kept, other, number)),
        Change::ExchangeForAnother(number, other, to) => {
            remove(&mut new, tag(to), element(to).len());
            insert(&mut new, tag(to), foreign(kept, other, number));
        }
        Change::SwapAttributes(number) => {
            if let Some([first, second, ..]) = attributes(document, tag(number)).get(..) {
                let (a, b) = (document[first.clone()].to_vec(), document[second.clone()].to_vec());
                new.splice(second.clone(), a);
                new.splice(first.clone(), b);
            }
        }
        Change::DeleteAttribute(number, which) => {
            let found = attributes(document, tag(number));
            if let Some(range) = found.get(usize::from(which) % found.len().max(1)) {
                new.drain(range.clone());
            }
        }
        Change::RenamePrefix(number, how) => {
            let start = tag(number) + 1;
            let name = document.iter().skip(start).take_while(|byte| !b" />\t\r\n".contains(byte)).count();
            let range = start.min(document.len())..(start + name).min(document.len());
            let old = String::from_utf8_lossy(&document[range.clone()]).into_owned();
            let local = old.rsplit(':').next().unwrap_or_default();
            let prefix = pick(&["", "saml:", "samlp:", "ds:", "x:", "xml:", "a:"], how);
            let renamed = format!("{prefix}{local}");
            new.splice(range, renamed.bytes());
            let rest = String::from_utf8_lossy(&new[start.min(new.len())..]).into_owned();
            let rest = rest.replacen(&format!("</{old}>"), &format!("</{renamed}>"), 1);
            new.splice(start.min(new.len()).., rest.bytes());
        }
        Change::WriteAsReference(at) => {
            let at = place(at);
            if let Some(byte) = document.get(at).filter(|byte| byte.is_ascii_alphanumeric()) {
                remove(&mut new, at, 1);
                insert(&mut new, at, format!("&#x{byte:X};").as_bytes());
            }
        }
        Change::Nest(number, depth) => {
            let (start, inner) = (tag(number), element(number).len());
            let depth = usize::from(depth % 40);
            insert(&mut new, start + inner, "</x>".repeat(depth).as_bytes());
            insert(&mut new, start, "<x>".repeat(depth).as_bytes());
        }
        Change::Repeat(number, times) => {
            // Now and then up to the limits.
            let times = if times % 64 == 0 { usize::from(times) % 5000 } else { usize::from(times) % 8 };
            let copied = element(number);
            let times = times.min(300_000 / copied.len().max(1));
            insert(&mut new, tag(number), &copied.repeat(times));
        }
        Change::FlipInBase64(number, at, bit) => {
            let start = tag(number);
            let text: Vec<u8> = document[start.min(document.len())..]
                .iter()
                .copied()
                .skip_while(|byte| *byte != b'>')
                .skip(1)
                .take_while(|byte| *byte != b'<')
                .collect();
            if let Ok(mut bytes) = STANDARD.decode(&text)
                && !bytes.is_empty()
            {
                let at = usize::from(at) % bytes.len();
                bytes[at] ^= 1 << (bit % 8);
                let text = String::from_utf8_lossy(&text).into_owned();
                new = String::from_utf8_lossy(document).replacen(&text, &STANDARD.encode(bytes), 1).into_bytes();
            }
        }
    }
    new
}

fn pick<T: Copy>(list: &[T], number: u8) -> T {
    list[usize::from(number) % list.len()]
}

fn foreign(kept: &[Vec<u8>], other: u16, number: u16) -> &[u8] {
    let other = &kept[usize::from(other) % kept.len()];
    let tags: Vec<usize> = starts(other).collect();
    element_at(other, tags.get(usize::from(number) % tags.len().max(1)).copied().unwrap_or(0))
}

fn insert(document: &mut Vec<u8>, at: usize, piece: &[u8]) {
    let at = at.min(document.len());
    document.splice(at..at, piece.iter().copied());
}

fn remove(document: &mut Vec<u8>, at: usize, length: usize) {
    let at = at.min(document.len());
    document.drain(at..(at + length).min(document.len()));
}

/// Where start tags begin, as far as one can see without parsing.
fn starts(document: &[u8]) -> impl Iterator<Item = usize> {
    document
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| pair[0] == b'<' && !matches!(pair[1], b'/' | b'!' | b'?'))
        .map(|(at, _)| at)
}

/// From a start tag to the end tag of that element, or to the end of the tag.
fn element_at(document: &[u8], start: usize) -> &[u8] {
    let rest = &document[start.min(document.len())..];
    let tag = rest.iter().position(|byte| *byte == b'>').map_or(rest.len(), |end| end + 1);
    if rest[..tag].ends_with(b"/>") {
        return &rest[..tag];
    }
    let name = rest.iter().skip(1).take_while(|byte| !b" />\t\r\n".contains(byte)).count();
    let (name, mut depth, mut at) = (&rest[1.min(rest.len())..(1 + name).min(rest.len())], 0_usize, 0);
    while let Some(next) = rest[at..].iter().position(|byte| *byte == b'<') {
        at += next;
        let tag = &rest[at..];
        let end = tag.iter().position(|byte| *byte == b'>').map_or(tag.len(), |end| end + 1);
        if tag[1..].starts_with(name) && !tag[..end].ends_with(b"/>") {
            depth += 1;
        } else if tag.len() > 1 && tag[1] == b'/' && tag[2..].starts_with(name) {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return &rest[..at + end];
            }
        }
        at += end;
    }
    &rest[..tag]
}

/// The attributes of a tag, each with the white space in front of it.
fn attributes(document: &[u8], start: usize) -> Vec<std::ops::Range<usize>> {
    let end = document.iter().skip(start).position(|byte| *byte == b'>').map_or(document.len(), |end| start + end);
    let (mut found, mut at) = (Vec::new(), start);
    while let Some(space) = document[at.min(end)..end].iter().position(u8::is_ascii_whitespace) {
        let from = at + space;
        let Some(open) = document[from..end].iter().position(|byte| matches!(byte, b'"' | b'\'')) else { break };
        let quote = document[from + open];
        let Some(close) = document[from + open + 1..end].iter().position(|byte| *byte == quote) else { break };
        at = from + open + 1 + close + 1;
        found.push(from..at);
    }
    found
}
