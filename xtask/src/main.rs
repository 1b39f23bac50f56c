//! The project's own commands: `cargo xtask <command>`. They print every program they start and everything they install.

#![expect(clippy::print_stdout, reason = "a command-line tool speaks on standard output")]
#![expect(clippy::disallowed_methods, reason = "this tool measures time; the rule is for the product's code")]

mod bench;
mod browser;
mod conformance;
mod deny;
mod fuzz;
mod install;
mod mutants;
mod postgres;
mod reaper;
mod report;
mod server;
mod shell;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
cargo xtask <command>

  test           everything below except deny and bench; installs what it needs (apt, npm, pip) and says so
  test --fast    tidy, licences, fmt, clippy and the Rust tests on SQLite; installs nothing
  check          tidy, licences, fmt, clippy
  tidy           the rules about this source tree that the compiler cannot check
  conformance    Clerk's SDKs against the running server, on SQLite and on PostgreSQL
  browser        sign-ins in a real browser, through real identity providers
  deny           cargo-deny with everything it checks; installs cargo-deny into target/tools
  fuzz           the fuzz targets of the verifier, release build, a minute each; fuzz --target T --minutes N --seed S, and
                 fuzz --target T --replay FILE for a document that was saved
  mutants        switches off each check of the verifier in turn, in a copy, and names the test that notices; fails if none
                 does (only those whose file, function or code contains a text: mutants TEXT)
  bench          release build; CPU time, memory and start time, as ratios to the cost of the bare cryptography; and what an
                 operation costs among 1,000,000 organizations against 1,000 (alone: bench --only scale)
  bench --only accounts
                 asking after accounts at EASIE providers
  bench --only peers
                 the SAML rows beside other software, which is installed under target/ first (apt, npm, pip; some minutes)
";

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// False if a check failed; an error if a command could not be carried out.
fn run() -> Result<bool> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["test"] => Ok(test::everything()),
        ["test", "--fast"] => Ok(test::fast()),
        ["check"] => Ok(test::check()),
        ["tidy"] => Ok(test::tidy()),
        ["conformance"] => Ok(test::conformance()),
        ["browser"] => Ok(test::browser()),
        ["deny"] => deny::cargo_deny().map(|()| true),
        ["fuzz", options @ ..] => fuzz::run(options),
        ["mutants"] => mutants::run(""),
        ["mutants", wanted] => mutants::run(wanted),
        ["bench"] => bench::run(bench::Part::All).map(|()| true),
        ["bench", "--only", "accounts"] => bench::run(bench::Part::Accounts).map(|()| true),
        ["bench", "--only", "peers"] => bench::run(bench::Part::Peers).map(|()| true),
        ["bench", "--only", "scale"] => bench::run(bench::Part::Scale).map(|()| true),
        [] | ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(true)
        }
        unknown => bail!("unknown command `{}`\n\n{USAGE}", unknown.join(" ")),
    }
}
