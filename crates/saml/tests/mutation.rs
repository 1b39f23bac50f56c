//! Thousands of damaged copies of good Responses, the same on every run. Whatever the damage, there is no panic, and what
//! is accepted says exactly what the undamaged one said.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail by panicking")]

use std::fs;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use doorward_saml::idp::ReceivedAuthnRequest;
use doorward_saml::{
    Assertion, DEFAULT_CLOCK_SKEW_MS, Expectations, IdpMetadata, TrustedCertificate, UnverifiedResponse,
    validate_response,
};

const BASES: [&str; 6] = [
    "assertion-signed",
    "response-signed",
    "both-signed",
    "default-namespaces",
    "inclusive-namespaces",
    "comment-between-elements",
];
const ROUNDS: usize = 1500;

fn tests_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn certificate() -> TrustedCertificate {
    let pem = fs::read_to_string(tests_folder().join("keys/idp.crt")).unwrap();
    TrustedCertificate::parse(&pem).unwrap()
}

/// xorshift; the same damage on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        for _ in 0..3 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
        }
        (self.0 % bound.max(1) as u64) as usize
    }

    /// A place in `text`, mostly one where a tag starts, as damage there stays well-formed more often.
    fn place(&mut self, text: &[u8]) -> usize {
        let from = self.below(text.len());
        match self.below(4) {
            0 => from,
            _ => text[from..].iter().position(|byte| *byte == b'<').map_or(from, |at| from + at),
        }
    }

    /// From the start of a tag to the end of that element, if there is one.
    fn element(&mut self, text: &[u8]) -> (usize, usize) {
        let start = self.place(text);
        let name: Vec<u8> = text[start..]
            .iter()
            .skip(1)
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b':')
            .copied()
            .collect();
        let end_tag = [b"</", name.as_slice(), b">"].concat();
        let end = text[start..].windows(end_tag.len()).position(|window| window == end_tag);
        (start, end.map_or(start, |end| start + end + end_tag.len()))
    }

    fn damage(&mut self, text: &[u8]) -> Vec<u8> {
        const SNIPPETS: [&str; 20] = [
            "<!-- -->",
            "<![CDATA[x]]>",
            "<?x?>",
            "&#x41;",
            "&amp;",
            "\r",
            " ",
            "\0",
            "é",
            "<",
            ">",
            "\"",
            "'",
            "/",
            "=",
            " ID=\"_assertion1\"",
            " xmlns=\"urn:x\"",
            " xmlns:saml=\"urn:x\"",
            "<x/>",
            "admin@example.test",
        ];
        let mut damaged = text.to_vec();
        let at = self.place(text);
        match self.below(8) {
            0 => damaged[at] ^= 1 << self.below(8),
            1 => {
                let snippet = SNIPPETS[self.below(SNIPPETS.len())];
                damaged.splice(at..at, snippet.bytes());
            }
            2 => {
                let end = (at + 1 + self.below(40)).min(text.len());
                damaged.drain(at..end);
            }
            3 => {
                let (start, end) = self.element(text);
                damaged.drain(start..end);
            }
            4 => {
                let (start, end) = self.element(text);
                damaged.splice(at..at, text[start..end].iter().copied());
            }
            5 => {
                // Moves an element, which keeps the document the same length.
                let (start, end) = self.element(text);
                let element: Vec<u8> = damaged.drain(start..end).collect();
                let at = self.place(&damaged);
                damaged.splice(at..at, element);
            }
            6 => {
                let (start, end) = self.element(text);
                let (other_start, other_end) = self.element(text);
                damaged.splice(start..end, text[other_start..other_end].iter().copied());
            }
            _ => {
                let (from, to) =
                    [("jane.doe", "admin"), ("_assertion1", "_x"), ("saml:", "ds:"), ("#", "")][self.below(4)];
                let text = String::from_utf8_lossy(text).replacen(from, to, 1 + self.below(3));
                damaged = text.into_bytes();
            }
        }
        damaged
    }
}

#[test]
fn damaged_responses_never_say_something_else() {
    let certificates = [certificate()];
    let expected = Expectations {
        now_ms: 1_795_510_800_000,
        clock_skew_ms: DEFAULT_CLOCK_SKEW_MS,
        acs_url: "https://sp.example.test/acs",
        sp_entity_id: "https://sp.example.test/metadata",
        idp_entity_id: "https://idp.example.test/saml",
        certificates: &certificates,
        decryption_keys: &[],
        in_response_to: Some("_request1"),
    };
    let without_response_id = |assertion: Assertion| {
        let mut assertion = assertion;
        assertion.response_id.clear(); // the one field that may be unsigned
        assertion
    };
    let mut accepted = 0;
    for (seed, base) in BASES.iter().enumerate() {
        let xml = fs::read(tests_folder().join("accepted").join(base).join("response.xml")).unwrap();
        let good = validate_response(&STANDARD.encode(&xml), &expected).unwrap();
        let good = without_response_id(good);
        let mut random = Random(seed as u64 + 1);
        for round in 0..ROUNDS {
            let mut damaged = random.damage(&xml);
            if random.below(3) == 0 {
                damaged = random.damage(&damaged);
            }
            if let Ok(assertion) = validate_response(&STANDARD.encode(&damaged), &expected) {
                accepted += 1;
                let text = String::from_utf8_lossy(&damaged);
                assert_eq!(without_response_id(assertion), good, "{base} round {round}: {text}");
            }
        }
    }
    // Some damage is harmless, such as white space between attributes. If nothing were accepted, this would test little.
    assert!(accepted > 20, "{accepted} accepted");
}

#[test]
fn damaged_base64_never_panics() {
    let xml = fs::read(tests_folder().join("accepted/both-signed/response.xml")).unwrap();
    let good = STANDARD.encode(xml);
    let mut random = Random(9);
    for _ in 0..2000 {
        let damaged = random.damage(good.as_bytes());
        if let Ok(response) = UnverifiedResponse::decode(&String::from_utf8_lossy(&damaged)) {
            let _ = response.header();
        }
    }
}

#[test]
fn damaged_metadata_and_requests_never_panic() {
    let certificate = certificate();
    let metadata = doorward_saml::idp::idp_metadata("https://i.test", "https://i.test/sso", &[&certificate]);
    let request = doorward_saml::AuthnRequest {
        id: "_1",
        issue_instant_ms: 0,
        idp_sso_url: "https://i.test/sso",
        acs_url: "https://s.test/acs",
        sp_entity_id: "https://s.test",
        force_authn: true,
        name_id_format: None,
    };
    let query = request.redirect_url(Some("state"), None, None).unwrap();
    let mut random = Random(5);
    for _ in 0..2000 {
        let _ = IdpMetadata::parse(&random.damage(metadata.as_bytes()));
        let _ = ReceivedAuthnRequest::from_xml(&random.damage(request.to_xml().as_bytes()));
        let damaged = random.damage(query.as_bytes());
        let _ = ReceivedAuthnRequest::from_redirect_query(&String::from_utf8_lossy(&damaged));
        let pem = random.damage(certificate.pem().as_bytes());
        let _ = TrustedCertificate::parse(&String::from_utf8_lossy(&pem));
        let _ = TrustedCertificate::from_der(random.damage(certificate.der()));
    }
}
