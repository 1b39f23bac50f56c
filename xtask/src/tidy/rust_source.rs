//! Rules for every Rust file.

use super::Violation;
use super::source::Source;

const MOST_LINES: usize = 800;

/// Flat catalogues, one entry after the other, may be long: there is no second idea in them to move elsewhere.
const CATALOGUES: &[&str] = &["crates/saml/examples/make_corpus/rejected.rs"];

/// Where the clock is read and random values are made; everyone else is handed them. The tool measures itself.
const CLOCK_AND_RANDOM: &[&str] = &["crates/server/src/clock.rs", "crates/server/src/random.rs", "xtask/"];

pub(super) fn check(source: &Source<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    let lines = source.code.lines().count();
    if lines > MOST_LINES && !CATALOGUES.contains(&source.path) {
        found.push(Violation::new(
            source.path,
            lines,
            format!("more than {MOST_LINES} lines: do two ideas live here?"),
        ));
    }
    for unfinished in ["todo!", "unimplemented!", "#[ignore"] {
        let hits = source.code.match_indices(unfinished);
        found.extend(
            hits.map(|(at, _)| {
                Violation::new(source.path, source.line(at), format!("`{unfinished}` is unfinished work"))
            }),
        );
    }
    found.extend(clock_and_random(source));
    found
}

fn clock_and_random(source: &Source<'_>) -> Vec<Violation> {
    const SOURCES: &[(&str, &str)] = &[
        ("SystemTime::now", "the time is an argument"),
        ("Instant::now", "the time is an argument"),
        ("now_utc", "the time is an argument"),
        ("Utc::now", "the time is an argument"),
        ("thread_rng", "randomness is an argument"),
        ("rand::random", "randomness is an argument"),
        ("rand::rng", "randomness is an argument"),
        ("rand::fill", "randomness is an argument"),
    ];
    if CLOCK_AND_RANDOM.iter().any(|allowed| source.path.starts_with(allowed)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (call, reason) in SOURCES {
        let hits = source.words(call).into_iter().filter(|at| !source.is_test(*at) && !is_expected(source, *at));
        found.extend(hits.map(|at| Violation::new(source.path, source.line(at), format!("`{call}`: {reason}"))));
    }
    found
}

/// Measuring, as in the job runner, is marked for clippy with its reason, and then needs no second mark here.
fn is_expected(source: &Source<'_>, at: usize) -> bool {
    let before: Vec<&str> = source.code[..at].lines().rev().take(4).collect();
    before.iter().any(|line| line.contains("expect(clippy::disallowed_methods"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(path: &str, text: &str) -> Vec<String> {
        check(&Source::new(path, text)).into_iter().map(|violation| violation.reason).collect()
    }

    #[test]
    fn long_files() {
        assert_eq!(reasons("crates/x/src/a.rs", &"//\n".repeat(801)).len(), 1);
        assert!(reasons("crates/x/src/a.rs", &"//\n".repeat(800)).is_empty());
    }

    #[test]
    fn unfinished_work() {
        assert_eq!(reasons("crates/x/src/a.rs", "fn f() { todo!() }\n#[ignore = \"later\"]\nfn g() {}").len(), 2);
        assert!(reasons("crates/x/src/a.rs", "// todo!\nlet a = \"unimplemented!\";").is_empty());
    }

    #[test]
    fn clock_and_random_are_arguments() {
        let text = "let a = SystemTime::now();\nlet b = OffsetDateTime::now_utc();\nlet c: u8 = rand::random();";
        assert_eq!(reasons("crates/server/src/flows/a.rs", text).len(), 3);
        assert!(reasons("crates/server/src/clock.rs", text).is_empty());
        assert!(reasons("crates/server/tests/a.rs", text).is_empty());
        assert!(reasons("crates/x/src/a.rs", &format!("#[cfg(test)]\nmod tests {{\n{text}\n}}")).is_empty());
    }

    #[test]
    fn a_reasoned_expectation_is_enough() {
        let text = "#[expect(clippy::disallowed_methods, reason = \"measures\")]\nlet start = Instant::now();";
        assert!(reasons("crates/server/src/jobs/runner.rs", text).is_empty());
    }
}
