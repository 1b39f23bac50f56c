//! The steps of a run: each is timed, a failed one does not stop the others, and a table closes the run.

use std::ops::AddAssign;
use std::time::{Duration, Instant};

use anyhow::Result;

#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    pub(crate) const ONE_PASSED: Self = Self { passed: 1, failed: 0, skipped: 0 };
    pub(crate) const ONE_FAILED: Self = Self { passed: 0, failed: 1, skipped: 0 };

    /// Reads a test runner's closing line: cargo's `test result: ok. 3 passed; 0 failed; 0 ignored; …` or the plain
    /// `3 passed, 0 failed, 1 skipped`.
    pub(crate) fn of_closing_line(line: &str) -> Option<Self> {
        let line = line.trim();
        let (text, separator) = match line.strip_prefix("test result: ") {
            Some(rest) => (rest.split_once(". ")?.1, ';'),
            None => (line, ','),
        };
        let mut counts = Self::default();
        let mut seen = 0;
        for part in text.split(separator) {
            match part.trim().split_once(' ') {
                Some((number, "passed")) => counts.passed = number.parse().ok()?,
                Some((number, "failed")) => counts.failed = number.parse().ok()?,
                Some((number, "ignored" | "skipped")) => {
                    counts.skipped = number.parse().ok()?;
                    continue;
                }
                _ if separator == ';' => continue,
                _ => return None,
            }
            seen += 1;
        }
        (seen == 2).then_some(counts)
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

struct Row {
    name: String,
    counts: Counts,
    took: Duration,
}

#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

impl Report {
    pub(crate) fn step(&mut self, name: &str, work: impl FnOnce() -> Result<Counts>) {
        println!("\n==> {name}");
        let start = Instant::now();
        let counts = work().unwrap_or_else(|error| {
            println!("error: {error:#}");
            Counts::ONE_FAILED
        });
        self.rows.push(Row { name: name.to_owned(), counts, took: start.elapsed() });
    }

    /// Prints the table and the plain closing line; true if nothing failed.
    pub(crate) fn close(self) -> bool {
        let width = self.rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
        let mut total = Counts::default();
        println!();
        for Row { name, counts, took } in &self.rows {
            let verdict = if counts.failed == 0 { "ok" } else { "FAILED" };
            println!("{verdict:<6}  {name:<width$}  {:>7.1} s  {counts}", took.as_secs_f64());
            total += *counts;
        }
        println!("\n{total}");
        total.failed == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines() {
        let counts = |passed, failed, skipped| Some(Counts { passed, failed, skipped });
        for (line, expected) in [
            (
                "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
                counts(12, 0, 1),
            ),
            ("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out", counts(3, 2, 0)),
            ("40 passed, 1 failed", counts(40, 1, 0)),
            ("40 passed, 0 failed, 2 skipped", counts(40, 0, 2)),
            ("40 passed", None),
            ("the form was passed, nothing failed", None),
            ("", None),
        ] {
            assert_eq!(Counts::of_closing_line(line), expected, "{line}");
        }
    }

    #[test]
    fn a_failing_step_does_not_hide_the_next() {
        let mut report = Report::default();
        report.step("first", || anyhow::bail!("no"));
        report.step("second", || Ok(Counts::ONE_PASSED));
        assert_eq!(report.rows.len(), 2);
        assert!(!report.close());
    }
}
