//! Documents made at random, the same on every run: namespaces declared, taken back and bound anew, text and attributes with
//! all that canonical form has to escape.

/// xorshift; the same documents on every run.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: usize) -> usize {
        for _ in 0..3 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
        }
        (self.0 % bound as u64) as usize
    }
}

const PREFIXES: [&str; 3] = ["p", "q", "r"];

pub fn declarations(random: &mut Random) -> String {
    PREFIXES.iter().map(|prefix| format!(" xmlns:{prefix}=\"urn:{}\"", random.below(4))).collect()
}

/// An element with declarations of its own, attributes, text and children, all at random.
pub fn element(random: &mut Random, depth: usize) -> String {
    const TEXTS: [&str; 10] = [
        "",
        "x",
        " \n\t",
        "&lt;&amp;&gt;",
        "&#13;",
        "\r\n",
        "\r",
        "é😀",
        "&#x20AC;&quot;'",
        "a<g xmlns=\"\"> <!-- c --><e/></g>b",
    ];
    const VALUES: [&str; 7] = ["", "v", "&#9;&#10;&#13;", "\t\r\n", "&lt;&amp;>", "&quot;'", "é"];
    let mut tag = String::new();
    let mut bound: Vec<String> = Vec::new();
    for prefix in PREFIXES {
        if random.below(4) == 0 {
            bound.push(format!(" xmlns:{prefix}=\"urn:{}\"", random.below(4)));
        }
    }
    match random.below(5) {
        0 => bound.push(" xmlns=\"\"".to_owned()),
        1 => bound.push(format!(" xmlns=\"urn:{}\"", random.below(4))),
        _ => {}
    }
    // One prefixed attribute at most for each local name, as two prefixes may share a URI.
    for local in ["a", "b", "c", "d"] {
        let value = VALUES[random.below(VALUES.len())];
        match random.below(6) {
            0 => bound.push(format!(" {local}=\"{value}\"")),
            1 => bound.push(format!(" {}:{local}=\"{value}\"", PREFIXES[random.below(3)])),
            2 if local == "a" => bound.push(format!(" xml:lang=\"{value}\"")),
            _ => {}
        }
    }
    while !bound.is_empty() {
        tag.push_str(&bound.swap_remove(random.below(bound.len())));
    }
    let name = ["e", "f", "p:e", "q:e", "r:f", "saml:e"][random.below(6)];
    let mut content = String::from(TEXTS[random.below(TEXTS.len())]);
    if depth < 5 {
        for _ in 0..random.below(4) {
            content.push_str(&element(random, depth + 1));
            content.push_str(TEXTS[random.below(TEXTS.len())]);
        }
    }
    match content.is_empty() {
        true => format!("<{name}{tag}/>"),
        false => format!("<{name}{tag}>{content}</{name}>"),
    }
}
