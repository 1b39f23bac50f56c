//! One canonical form, by two implementations with two parsers. `doorward-saml` does not give its canonical form away, but
//! what it signs is the digest of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../saml/tests/generated/mod.rs"]
mod generated;

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use doorward_differential::{Bergshamra, corpus, samples};
use doorward_saml::SamlKey;
use doorward_saml::idp::{RsaDigest, sign_by_id_with_prefixes};
use generated::{Random, declarations, element};

fn key() -> SamlKey {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("saml").join("tests/keys");
    let read = |name| fs::read_to_string(folder.join(name)).unwrap();
    SamlKey::from_pem(&read("idp.key"), &read("idp.crt")).unwrap()
}

/// The digest that signing puts into the document. There may be other signatures in it.
fn our_digest<'a>(xml: &str, signed: &'a str) -> &'a str {
    // The XML declaration is not kept.
    let xml = xml.strip_prefix("<?xml ").and_then(|rest| rest.split_once("?>")).map_or(xml, |(_, rest)| rest);
    let length = signed.len() - xml.len();
    let is_new = |at: &usize| signed[..*at] == xml[..*at] && signed[at + length..] == xml[*at..];
    let at = signed.match_indices("<ds:Signature ").map(|(at, _)| at).find(is_new).unwrap();
    signed[at..].split_once("<ds:DigestValue>").unwrap().1.split_once('<').unwrap().0
}

/// Compares the digests of the element `id`. `None` if we do not sign it.
fn compare(name: &str, xml: &str, id: &str, prefixes: &[&str], key: &SamlKey) -> Option<()> {
    let signed = sign_by_id_with_prefixes(xml, id, key, RsaDigest::Sha256, prefixes).ok()?;
    let theirs = Bergshamra.canonical(&normalized(xml), id, prefixes).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(
        our_digest(xml, &signed),
        digest(&theirs),
        "{name}, {id}, {prefixes:?}: {}",
        String::from_utf8_lossy(&theirs)
    );
    Some(())
}

fn digest(bytes: &[u8]) -> String {
    STANDARD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes))
}

/// Line ends and tabs inside of attribute values as the spaces that they are to a parser (XML 1.0, 2.11 and 3.3.3), which
/// theirs leaves to us.
fn normalized(xml: &str) -> String {
    let (mut out, mut quote) = (String::with_capacity(xml.len()), None);
    let mut in_tag = false;
    for c in xml.replace("\r\n", "\n").chars() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), '\t' | '\n' | '\r') => {
                out.push(' ');
                continue;
            }
            (None, '<') => in_tag = true,
            (None, '>') => in_tag = false,
            (None, '"' | '\'') if in_tag => quote = Some(c),
            _ => {}
        }
        out.push(c);
    }
    out
}

/// The one difference, which [`normalized`] makes up for. Once it is gone, so may that be.
#[test]
fn theirs_does_not_normalize_attribute_values() {
    let xml = "<r xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_r\" a=\"\t\"><saml:Issuer/></r>";
    let signed = sign_by_id_with_prefixes(xml, "_r", &key(), RsaDigest::Sha256, &[]).unwrap();
    assert_ne!(our_digest(xml, &signed), digest(&Bergshamra.canonical(xml, "_r", &[]).unwrap()));
    let canonical =
        "<r ID=\"_r\" a=\" \"><saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"></saml:Issuer></r>";
    assert_eq!(our_digest(xml, &signed), digest(canonical.as_bytes()));
}

#[test]
fn of_generated_documents() {
    let key = key();
    for seed in 1..=400 {
        let mut random = Random(seed);
        let declared = declarations(&mut random);
        let content = element(&mut random, 0);
        let saml = "xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"";
        let xml = format!(
            "<r {saml}{declared} ID=\"_r\"><saml:Issuer/><saml:Assertion ID=\"_a\"><saml:Issuer/>{content}</saml:Assertion></r>"
        );
        for prefixes in [&[][..], &["p", "q"], &["r", "saml", "nowhere"]] {
            for id in ["_r", "_a"] {
                compare(&format!("seed {seed}"), &xml, id, prefixes, &key).unwrap();
            }
        }
    }
}

/// Those of the corpus and the recorded ones that we take for XML.
#[test]
fn of_the_corpus_and_of_recorded_responses() {
    let key = key();
    let recorded = samples().unwrap();
    if recorded.is_empty() {
        eprintln!("SKIPPED: no recorded Responses beside the project");
    }
    let mut compared = 0;
    for judged in corpus().unwrap().iter().chain(&recorded) {
        // The signed elements of each, by their ids.
        for id in judged.xml.split(" ID=\"").skip(1).filter_map(|rest| rest.split_once('"')) {
            for prefixes in [&[][..], &["saml", "xs", "ds"]] {
                compared += usize::from(compare(&judged.name, &judged.xml, id.0, prefixes, &key).is_some());
            }
        }
    }
    assert!(compared > 700, "{compared} compared");
}
