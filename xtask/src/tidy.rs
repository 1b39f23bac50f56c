//! The rules about this source tree that the compiler cannot check. `docs/ARCHITECTURE.md` gives their reasons at length; here
//! each violation is printed as `file:line: reason`. They also run as a test of this crate, below.

mod layers;
mod rust_source;
mod source;
mod text;

use std::fmt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::report::Counts;
use crate::{shell, workspace};
use source::Source;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    path: String,
    line: usize,
    reason: String,
}

impl Violation {
    fn new(path: &str, line: usize, reason: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, reason: reason.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, reason } = self;
        write!(f, "{path}:{line}: {reason}")
    }
}

pub(crate) fn run() -> Result<Counts> {
    let (files, violations) = violations()?;
    for violation in &violations {
        println!("{violation}");
    }
    println!("{files} files checked");
    Ok(Counts { passed: u64::from(violations.is_empty()), failed: violations.len() as u64, skipped: 0 })
}

/// How many files were read, and what is wrong in them.
fn violations() -> Result<(usize, Vec<Violation>)> {
    let root = workspace::root();
    let paths = paths(root)?;
    let mut found = layers::dependencies(&workspace::metadata(&["--no-deps"])?)?;
    found.extend(paths.iter().flat_map(|path| text::names(path)));
    let mut readme = None;
    for path in &paths {
        // Binary files, and files that another process has just removed, have no text to check.
        let Ok(content) = std::fs::read_to_string(root.join(path)) else {
            continue;
        };
        found.extend(text::content(path, &content));
        if path.ends_with(".rs") {
            let source = Source::new(path, &content);
            found.extend(layers::sources(&source));
            found.extend(rust_source::check(&source));
        }
        if path == "README.md" {
            readme = Some(content);
        }
    }
    found.extend(text::readme(readme.as_deref()));
    found.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    Ok((paths.len(), found))
}

/// The files of the project: what git knows, and what it would be offered.
pub(crate) fn paths(root: &Path) -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listed = shell::output(&mut git).context("tidy asks git which files belong to the project")?;
    Ok(listed.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_source_tree_is_tidy() {
        let (_, violations) = super::violations().unwrap();
        let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
    }
}
