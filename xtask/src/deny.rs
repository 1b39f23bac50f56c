//! Which crates may be in the program: licences, banned crates and sources, by the lists of `deny.toml`.
//!
//! `cargo deny` checks more, but takes minutes to install. What matters for every change is checked here from what cargo says.

use std::collections::HashSet;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::report::Counts;
use crate::{shell, workspace};

/// The lists of `deny.toml`.
struct Policy {
    licences: Vec<String>,
    banned: Vec<String>,
}

/// One crate that is compiled on this machine's platform.
struct Package {
    name: String,
    version: String,
    licence: Option<String>,
    /// Nothing for our own crates.
    source: Option<String>,
}

pub(crate) fn check() -> Result<Counts> {
    let policy = Policy::parse(&fs::read_to_string(workspace::root().join("deny.toml")).context("deny.toml")?);
    ensure!(!policy.licences.is_empty() && !policy.banned.is_empty(), "deny.toml has no `allow` or no `deny` list");
    let packages = packages()?;
    let refusals: Vec<String> = packages.iter().filter_map(|package| refusal(package, &policy)).collect();
    for refusal in &refusals {
        println!("error: {refusal}");
    }
    println!("{} crates checked", packages.len());
    Ok(Counts { passed: (packages.len() - refusals.len()) as u64, failed: refusals.len() as u64, skipped: 0 })
}

/// Runs cargo-deny, which reads the same `deny.toml`. Known vulnerabilities only where their database can be reached.
pub(crate) fn cargo_deny() -> Result<()> {
    let tools = workspace::target().join("tools");
    let program = shell::find("cargo-deny").unwrap_or_else(|| tools.join("bin/cargo-deny"));
    if !program.exists() {
        println!("installing with cargo: cargo-deny into {} (takes some minutes)", tools.display());
        shell::run(workspace::cargo().args(["install", "cargo-deny", "--locked", "--root"]).arg(&tools))?;
    }
    let deny = |checks: &[&str]| {
        let mut command = Command::new(&program);
        command.current_dir(workspace::root()).args(["--locked", "check"]).args(checks);
        shell::run(&mut command)
    };
    deny(&["licenses", "bans", "sources"])?;
    if shell::output(Command::new(&program).current_dir(workspace::root()).args(["fetch", "db"])).is_err() {
        println!("skipped: known vulnerabilities, because their database cannot be reached from here");
        return Ok(());
    }
    deny(&["advisories"])
}

fn packages() -> Result<Vec<Package>> {
    // `cargo metadata` also lists what another platform or feature would need; `cargo tree` says what is compiled here.
    let mut tree = workspace::cargo();
    tree.args(["tree", "--workspace", "--locked", "--prefix=none", "--no-dedupe", "--format={p}"]);
    let tree = shell::output(&mut tree)?;
    let compiled: HashSet<(&str, &str)> = tree.lines().filter_map(name_and_version).collect();
    let metadata = workspace::metadata(&["--locked"])?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let packages: Vec<Package> = packages
        .iter()
        .filter_map(|package| {
            let (name, version) = (text(&package["name"])?, text(&package["version"])?);
            compiled.contains(&(name.as_str(), version.as_str())).then(|| Package {
                name,
                version,
                licence: text(&package["license"]),
                source: text(&package["source"]),
            })
        })
        .collect();
    ensure!(packages.len() >= compiled.len(), "cargo tree and cargo metadata disagree");
    Ok(packages)
}

/// Reads a line of `cargo tree`, such as `syn v2.0.119 (proc-macro)`.
fn name_and_version(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split(' ');
    Some((words.next()?, words.next()?.strip_prefix('v')?))
}

fn refusal(package: &Package, policy: &Policy) -> Option<String> {
    let Package { name, version, licence, source } = package;
    if policy.banned.contains(name) {
        return Some(format!("{name} {version} is banned by deny.toml; `cargo tree -i {name}` shows who brings it"));
    }
    if let Some(source) = source
        && !(source.starts_with("registry+") && source.ends_with("/crates.io-index"))
    {
        return Some(format!("{name} {version} comes from {source}, not from the crate registry"));
    }
    match licence {
        None => Some(format!("{name} {version} names no licence")),
        Some(expression) if !permits(expression, &policy.licences) => {
            Some(format!("{name} {version} is under `{expression}`, which deny.toml does not allow"))
        }
        Some(_) => None,
    }
}

impl Policy {
    fn parse(toml: &str) -> Self {
        let licences = list(toml, "[licenses]", "allow").iter().flat_map(|line| quoted(line)).collect();
        let banned = list(toml, "[bans]", "deny").iter().filter_map(|line| quoted(line).into_iter().next()).collect();
        Self { licences, banned }
    }
}

/// The lines of the array `key` of a section; one entry a line, as our `deny.toml` is written.
fn list<'a>(toml: &'a str, section: &str, key: &str) -> Vec<&'a str> {
    let opening = format!("{key} = [");
    toml.lines()
        .map(str::trim)
        .skip_while(|line| *line != section)
        .skip_while(|line| *line != opening)
        .skip(1)
        .take_while(|line| *line != "]")
        .filter(|line| !line.starts_with('#'))
        .collect()
}

fn quoted(line: &str) -> Vec<String> {
    line.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether an SPDX expression (`(MIT OR Apache-2.0) AND Unicode-3.0`) can be met by allowed licences alone.
fn permits(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any_of(&mut rest, allowed) && rest.is_empty()
}

fn any_of(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut met = all_of(words, allowed);
    while let ["OR", rest @ ..] = *words {
        *words = rest;
        met |= all_of(words, allowed);
    }
    met
}

fn all_of(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut met = one(words, allowed);
    while let ["AND", rest @ ..] = *words {
        *words = rest;
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut &[&str], allowed: &[String]) -> bool {
    let (licence, rest) = match *words {
        ["(", rest @ ..] => {
            *words = rest;
            let met = any_of(words, allowed);
            let [")", rest @ ..] = *words else {
                return false;
            };
            *words = rest;
            return met;
        }
        [licence, "WITH", exception, rest @ ..] => (format!("{licence} WITH {exception}"), rest),
        [licence, rest @ ..] => ((*licence).to_owned(), rest),
        [] => return false,
    };
    *words = rest;
    allowed.contains(&licence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions() {
        let allowed: Vec<String> =
            ["MIT", "Apache-2.0", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned).into();
        for (expression, expected) in [
            ("MIT", true),
            ("MIT OR GPL-3.0", true),
            ("GPL-3.0 OR MIT", true),
            ("MIT/Apache-2.0", true),
            ("MIT AND GPL-3.0", false),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("(MIT OR Apache-2.0) AND OpenSSL", false),
            ("GPL-3.0 OR (MIT AND OpenSSL)", false),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("MIT WITH LLVM-exception", false),
            ("", false),
            ("(MIT", false),
        ] {
            assert_eq!(permits(expression, &allowed), expected, "{expression}");
        }
    }

    #[test]
    fn lines_of_cargo_tree() {
        assert_eq!(name_and_version("syn v2.0.119"), Some(("syn", "2.0.119")));
        assert_eq!(name_and_version("ours v0.1.0 (/somewhere)"), Some(("ours", "0.1.0")));
        assert_eq!(name_and_version(""), None);
    }

    fn package(name: &str, source: Option<&str>, licence: Option<&str>) -> Package {
        Package {
            name: name.into(),
            version: "1.0.0".into(),
            licence: licence.map(str::to_owned),
            source: source.map(str::to_owned),
        }
    }

    #[test]
    fn refusals() {
        let policy = Policy::parse(
            "[licenses]\nallow = [\n    # permissive\n    \"MIT\",\n]\n[bans]\ndeny = [\n    { crate = \"ring\", reason = \"one is enough\" },\n]\n",
        );
        let registry = Some("registry+https://example.test/crates.io-index");
        assert!(refusal(&package("good", registry, Some("MIT")), &policy).is_none());
        assert!(refusal(&package("ours", None, Some("MIT")), &policy).is_none());
        assert!(refusal(&package("ring", registry, Some("MIT")), &policy).is_some());
        assert!(refusal(&package("fork", Some("git+https://example.test/fork"), Some("MIT")), &policy).is_some());
        assert!(refusal(&package("other", registry, Some("GPL-3.0")), &policy).is_some());
        assert!(refusal(&package("silent", registry, None), &policy).is_some());
    }
}
