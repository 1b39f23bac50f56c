//! `cargo xtask fuzz`: the fuzz targets of the SAML crate, which the test suite runs briefly, for longer and from another seed.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use crate::{shell, workspace};

struct Options<'a> {
    target: &'a str,
    minutes: u64,
    seed: u64,
    replay: Option<PathBuf>,
}

impl<'a> Options<'a> {
    fn read(arguments: &[&'a str]) -> Result<Self> {
        let seed = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let mut options = Options { target: "", minutes: 1, seed, replay: None };
        for pair in arguments.chunks(2) {
            match *pair {
                ["--target", target] => options.target = target,
                ["--minutes", minutes] => options.minutes = minutes.parse().context("--minutes")?,
                ["--seed", seed] => options.seed = seed.parse().context("--seed")?,
                ["--replay", file] => options.replay = Some(std::fs::canonicalize(file).context("--replay")?),
                _ => bail!("unknown option `{}`", pair.join(" ")),
            }
        }
        Ok(options)
    }
}

/// Runs one target, or all of them side by side.
pub(crate) fn run(arguments: &[&str]) -> Result<bool> {
    let options = Options::read(arguments)?;
    let saved = workspace::target().join("fuzz");
    std::fs::create_dir_all(&saved)?;
    println!("seed {}; what breaks a target is saved in {}", options.seed, saved.display());
    let mut command = workspace::cargo();
    command.args(["test", "--release", "--locked", "--package", "doorward-saml", "--lib", "--", "--nocapture"]);
    match options.target {
        "" => command.arg("fuzz::targets::"),
        target => command.args(["--exact", &format!("fuzz::targets::{target}")]),
    };
    command.env("FUZZ_SEED", options.seed.to_string()).env("FUZZ_SAVE", &saved);
    match &options.replay {
        Some(file) => command.env("FUZZ_REPLAY", file),
        None => command.env("FUZZ_SECONDS", (options.minutes * 60).to_string()),
    };
    // All targets may have to take turns on a small machine, and the crate may have to be compiled first.
    let limit = Duration::from_secs((options.minutes * 10 + 30) * 60);
    let counts = shell::run_tests(&mut command, limit)?;
    Ok(counts.failed == 0)
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn options_come_in_any_order() {
        let options = Options::read(&["--seed", "7", "--minutes", "3", "--target", "gate"]).unwrap();
        assert_eq!((options.target, options.minutes, options.seed), ("gate", 3, 7));
        assert!(Options::read(&["--minutes"]).is_err());
        assert!(Options::read(&["--minutes", "x"]).is_err());
        assert!(Options::read(&["--replay", "there/is/no/such/file"]).is_err());
    }
}
