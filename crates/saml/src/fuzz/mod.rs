//! Fuzzing: documents made by changing and crossing those of the corpus, and what must hold for each of them.
//!
//! In the test suite every target runs a fixed number of rounds from a fixed seed, so it makes the same documents each time.
//! `cargo xtask fuzz` runs them for minutes and from any seed. There is no instrumentation of the code, which stable Rust does
//! not offer; what a target says of a document (mostly, why it is refused) stands in for it: a document with a new answer
//! joins those that are changed further.

mod change;
mod seeds;
mod targets;

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use arbitrary::Unstructured;

/// The seed of the suite.
const SEED: u64 = 20_261_124;

/// The most documents kept for further changes.
const MOST_KEPT: usize = 4000;

/// When to stop.
enum Budget {
    Rounds(u64),
    Until(Instant),
}

/// How a run is set by the environment: `FUZZ_SEED`, `FUZZ_SECONDS`, `FUZZ_SAVE` (a folder), `FUZZ_REPLAY` (a document).
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Tries `target` on documents that come from `seeds`. It panics where something does not hold, and else says in a few words
/// what became of the document.
fn fuzz(name: &str, rounds: u64, seeds: Vec<Vec<u8>>, target: impl Fn(&[u8], &mut Unstructured) -> String) {
    if let Some(path) = setting("FUZZ_REPLAY") {
        let document = std::fs::read(path).unwrap();
        for seed in 0..200 {
            target(&document, &mut Unstructured::new(&entropy(seed)));
        }
        return;
    }
    let seed = setting("FUZZ_SEED").map_or(SEED, |seed| seed.parse().unwrap());
    let budget = match setting("FUZZ_SECONDS") {
        Some(seconds) => {
            #[expect(clippy::disallowed_methods, reason = "a long run is bounded by time; the suite's is not")]
            let start = Instant::now();
            Budget::Until(start + Duration::from_secs(seconds.parse().unwrap()))
        }
        None => Budget::Rounds(rounds),
    };
    let original = seeds.len();
    let (mut kept, mut answers, mut round) = (seeds, HashSet::new(), 0_u64);
    // First the documents as they are.
    for document in &kept {
        answers.insert(checked(name, document, &entropy(seed), &target));
    }
    while !is_over(&budget, round) {
        let entropy = entropy(seed ^ round.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut choices = Unstructured::new(&entropy);
        let document = change::changed(&kept, original, &mut choices);
        let answer = checked(name, &document, choices.take_rest(), &target);
        if !answers.contains(&answer) && kept.len() < original + MOST_KEPT {
            kept.push(document);
            answers.insert(answer);
        }
        round += 1;
    }
    // If all were refused in one way, this would test little.
    assert!(answers.len() > 3, "{name}: only {answers:?} in {round} rounds");
    let kept = kept.len() - original;
    println!("{name}: seed {seed}, {round} rounds, {} answers, {kept} documents kept for them", answers.len());
}

fn is_over(budget: &Budget, round: u64) -> bool {
    match budget {
        Budget::Rounds(rounds) => round >= *rounds,
        Budget::Until(end) => {
            #[expect(clippy::disallowed_methods, reason = "a long run is bounded by time; the suite's is not")]
            let now = Instant::now();
            now >= *end
        }
    }
}

/// Runs the target; a document for which something does not hold is saved before the test fails.
fn checked(
    name: &str,
    document: &[u8],
    choices: &[u8],
    target: &impl Fn(&[u8], &mut Unstructured) -> String,
) -> String {
    match catch_unwind(AssertUnwindSafe(|| target(document, &mut Unstructured::new(choices)))) {
        Ok(answer) => answer,
        Err(panic) => {
            let folder =
                setting("FUZZ_SAVE").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").to_owned() + "/../../target");
            let path = PathBuf::from(folder).join(format!("fuzz-{name}.xml"));
            std::fs::write(&path, document).unwrap();
            println!("{name}: the document is saved as {}", path.display());
            resume_unwind(panic)
        }
    }
}

/// Bytes from which choices are made (splitmix64).
fn entropy(mut state: u64) -> Vec<u8> {
    let words = (0..64).flat_map(|_| {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (word ^ (word >> 31)).to_le_bytes()
    });
    words.collect()
}
