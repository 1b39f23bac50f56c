//! What a self-check found, for people and for programs.

use serde::Serialize;
use std::fmt::Write as _;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Good,
    /// Sign-ins work, but somebody should look at it.
    Warning,
    /// Sign-ins do not work, or not as they should.
    Problem,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A stable name for programs.
    pub check: &'static str,
    pub status: Status,
    /// What is so.
    pub what: String,
    /// Why it matters.
    pub why: &'static str,
    /// How to mend it; nothing where all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

/// The findings about one connection, in the order they were made.
#[derive(Debug, Serialize)]
pub struct Report {
    pub connection: String,
    /// Whether nothing is a problem.
    pub works: bool,
    pub findings: Vec<Finding>,
}

/// One kind of check, to be found good or not.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    pub name: &'static str,
    pub why: &'static str,
}

impl Check {
    pub const fn new(name: &'static str, why: &'static str) -> Self {
        Self { name, why }
    }

    pub fn good(self, what: impl Into<String>) -> Finding {
        Finding { check: self.name, status: Status::Good, what: what.into(), why: self.why, mend: None }
    }

    pub fn warning(self, what: impl Into<String>, mend: impl Into<String>) -> Finding {
        self.bad(Status::Warning, what, mend)
    }

    pub fn problem(self, what: impl Into<String>, mend: impl Into<String>) -> Finding {
        self.bad(Status::Problem, what, mend)
    }

    fn bad(self, status: Status, what: impl Into<String>, mend: impl Into<String>) -> Finding {
        Finding { check: self.name, status, what: what.into(), why: self.why, mend: Some(mend.into()) }
    }
}

impl Report {
    pub fn new(connection: &str, findings: Vec<Finding>) -> Self {
        let works = findings.iter().all(|finding| finding.status < Status::Problem);
        Self { connection: connection.to_owned(), works, findings }
    }

    /// A line for each finding, and two more for one that is not good.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let mut counts = [0; 3];
        for finding in &self.findings {
            counts[finding.status as usize] += 1;
            let word = match finding.status {
                Status::Good => "ok      ",
                Status::Warning => "warning ",
                Status::Problem => "PROBLEM ",
            };
            // What an identity provider wrote must not be able to write on the terminal.
            let what: String = finding.what.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let _ = writeln!(text, "{word} {}: {what}", finding.check);
            if let Some(mend) = &finding.mend {
                let _ = writeln!(text, "          why:  {}", finding.why);
                let _ = writeln!(text, "          mend: {mend}");
            }
        }
        let [good, warnings, problems] = counts;
        let verdict = if self.works { "would work" } else { "would NOT work" };
        let _ = writeln!(
            text,
            "\n{} {verdict}: {good} checks passed, {warnings} warnings, {problems} problems",
            self.connection
        );
        text
    }
}
