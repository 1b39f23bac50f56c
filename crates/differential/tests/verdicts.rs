//! Verdicts on signatures, ours and others'. Where they differ is listed in `differences.txt`, with the reasons.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test fails by panicking, and says what it skips")]

use std::collections::BTreeSet;
use std::path::Path;

use doorward_differential::{Bergshamra, Judged, Xmlsec1, corpus, samples};

const DIFFERENCES: &str = include_str!("differences.txt");

/// The listed differences of a program: lines `program verdict document`, reasons above them.
fn listed(program: &str) -> BTreeSet<String> {
    let lines = DIFFERENCES.lines().filter(|line| !line.starts_with('#'));
    let words = lines.filter_map(|line| line.split_once(' '));
    words.filter(|(who, _)| [program, "both"].contains(who)).map(|(_, difference)| difference.to_owned()).collect()
}

/// Documents with a signature that can be seen; of what is encrypted, only we know what is inside.
fn documents() -> Vec<Judged> {
    let recorded = samples().unwrap();
    if recorded.is_empty() {
        eprintln!("SKIPPED: no recorded Responses beside the project");
    }
    let mut all = corpus().unwrap();
    assert!(all.len() > 370, "{} documents", all.len());
    all.extend(recorded);
    all.retain(|judged| judged.xml.contains("Signature") || !judged.xml.contains("EncryptedAssertion"));
    all
}

fn compare(program: &str, documents: &[Judged], verifies: impl Fn(&Judged) -> bool + Sync) {
    let workers = 2;
    let mut found = BTreeSet::new();
    std::thread::scope(|scope| {
        let parts = documents.chunks(documents.len().div_ceil(workers));
        let threads: Vec<_> = parts
            .map(|part| {
                scope
                    .spawn(|| part.iter().filter_map(|judged| difference(judged, verifies(judged))).collect::<Vec<_>>())
            })
            .collect();
        for thread in threads {
            found.extend(thread.join().unwrap());
        }
    });
    let listed: BTreeSet<String> = listed(program)
        .into_iter()
        // Without the recorded Responses nothing can be said of theirs.
        .filter(|line| !line.contains(" recorded/") || documents.iter().any(|judged| line.ends_with(&judged.name)))
        .collect();
    let new: Vec<String> = found.difference(&listed).map(|line| format!("{program} {line}")).collect();
    let gone: Vec<String> = listed.difference(&found).map(|line| format!("{program} {line}")).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "not listed:\n{}\nlisted, but no more:\n{}",
        new.join("\n"),
        gone.join("\n")
    );
}

fn difference(judged: &Judged, theirs: bool) -> Option<String> {
    match (judged.is_signature_good(), theirs) {
        (true, true) | (false, false) => None,
        (false, true) => Some(format!("verifies {}", judged.name)),
        (true, false) => Some(format!("refuses {}", judged.name)),
    }
}

#[test]
fn bergshamra() {
    compare("bergshamra", &documents(), |judged| Bergshamra.verifies(judged));
}

#[test]
fn xmlsec1() {
    let Some(program) = Xmlsec1::find(Path::new(env!("CARGO_TARGET_TMPDIR"))) else {
        eprintln!("SKIPPED: the program xmlsec1 is not installed");
        return;
    };
    compare("xmlsec1", &documents(), |judged| program.verifies(judged).unwrap());
}

/// What they verify and we refuse is strictness; what they refuse and we accept would be a hole, and no reason makes up for it.
#[test]
fn nobody_refuses_a_signature_that_we_accept() {
    let refusals: Vec<&str> = DIFFERENCES.lines().filter(|line| line.contains(" refuses ")).collect();
    for judged in documents().iter().filter(|judged| judged.refusal.is_none()) {
        assert!(!refusals.iter().any(|line| line.ends_with(&judged.name)), "{}", judged.name);
    }
    assert!(refusals.iter().all(|line| line.contains(" rejected/")), "{refusals:?}");
}
