//! `cargo xtask mutants`: switches off one check of the verifier after the other, in a copy of it, and sees whether a test
//! notices.
//!
//! All switches are compiled into the copy at once and one of them is thrown by an environment variable, so it is compiled
//! once. A check without which there is no value to go on with cannot be switched off; there, a test must come to the
//! refusal. Tests by chance (fuzzing) and tests against other programs do not count: a check that nothing else
//! notices deserves a test that says what it is for.

mod allowed;
mod sites;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::report::Counts;
use crate::{shell, tidy, workspace};
use sites::{Kind, Site};

/// The name of the switch's module in the copy.
const SWITCH: &str = include_str!("mutants/switch.rs");

/// An endless loop is noticed, too: a program may take so many times what it takes with all checks in force, or this long.
const PATIENCE: u32 = 20;
const LEAST_PATIENCE: Duration = Duration::from_secs(30);

/// Files of a crate that judge what comes from outside, and the tests that should notice.
struct Judge {
    package: &'static str,
    folder: &'static str,
    judging: &'static [&'static str],
    tests: &'static [&'static str],
    /// Which tests of those.
    selection: &'static [&'static str],
}

const JUDGES: [Judge; 7] = [
    Judge {
        package: "doorward-saml",
        folder: "crates/saml",
        judging: &[
            "certificate.rs",
            "encryption/",
            "instant.rs",
            "metadata/idp.rs",
            "response/",
            "signature/",
            "xml/c14n.rs",
            "xml/gate.rs",
            "xml/mod.rs",
            "xml/read.rs",
        ],
        tests: &[
            "--lib",
            "--test=corpus",
            "--test=encryption",
            "--test=metadata",
            "--test=certificate",
            "--test=ecdsa",
        ],
        selection: &["--skip", "fuzz::"],
    },
    Judge {
        package: "doorward-rules",
        folder: "crates/rules",
        judging: &[
            "account_linking.rs",
            "deprovision.rs",
            "easie.rs",
            "join.rs",
            "member_permission.rs",
            "oidc_connection.rs",
            "oidc_profile.rs",
            "oidc_trip.rs",
            "profile.rs",
            "saml_answer.rs",
            "sign_in_route.rs",
        ],
        tests: &["--lib"],
        selection: &[],
    },
    Judge {
        package: "doorward-oidc",
        folder: "crates/oidc",
        judging: &[
            "algorithm.rs",
            "authorization_request.rs",
            "callback.rs",
            "claims.rs",
            "discovery.rs",
            "easie/",
            "endpoint.rs",
            "http.rs",
            "id_token/",
            "json.rs",
            "jws.rs",
            "key_set.rs",
            "pkce.rs",
            "secret.rs",
            "shown.rs",
            "token/",
            "userinfo.rs",
        ],
        tests: &["--lib", "--test=oidc"],
        selection: &[],
    },
    Judge {
        package: "doorward",
        folder: "crates/server",
        judging: &["outbound/kept.rs", "outbound/mod.rs"],
        tests: &["--bin=doorward"],
        selection: &["outbound::"],
    },
    Judge {
        package: "doorward",
        folder: "crates/server",
        judging: &["flows/oidc_provider.rs", "flows/sign_in/oidc_"],
        tests: &["--bin=doorward"],
        selection: &["frontend_api::tests::easie::", "frontend_api::tests::oidc::"],
    },
    Judge {
        package: "doorward",
        folder: "crates/server",
        judging: &["flows/deprovision/", "flows/sign_in/easie_identity.rs"],
        tests: &["--bin=doorward"],
        selection: &["flows::deprovision::", "frontend_api::tests::deprovision::", "frontend_api::tests::easie::"],
    },
    Judge {
        package: "doorward",
        folder: "crates/server",
        judging: &[
            "flows/sign_in/complete.rs",
            "flows/sign_in/finish.rs",
            "flows/sign_in/outcome.rs",
            "flows/sign_in/saml_callback.rs",
        ],
        tests: &["--bin=doorward"],
        selection: &["frontend_api::tests::"],
    },
];

/// Runs the mutants whose check `wanted` is a part of, or all.
pub(crate) fn run(wanted: &str) -> Result<bool> {
    let start = Instant::now();
    let copy = workspace::target().join("mutants");
    let mut counts = Counts::default();
    let mut allowed = allowed::Allowed::read();
    let sites = make_copy(&copy)?;
    for judge in &JUDGES {
        let of_judge: Vec<&Site> = sites.iter().filter(|site| judge.judges(&site.path)).collect();
        let of_judge: Vec<&Site> = of_judge.into_iter().filter(|site| site.key().contains(wanted)).collect();
        if of_judge.is_empty() {
            continue;
        }
        let programs = build(judge, &copy)?;
        let (reached, slowest) = reached(judge, &programs, &copy)?;
        let limit = (slowest * PATIENCE).max(LEAST_PATIENCE);
        let noticed = notice(judge, &programs, &of_judge, &copy, limit);
        for site in of_judge {
            let by = noticed.get(&site.number).or_else(|| reached.get(&site.number));
            match (by, allowed.reason(site)) {
                (Some(by), None) => {
                    counts.passed += 1;
                    println!("noticed      {site} ← {by}");
                }
                (None, Some(reason)) => {
                    counts.skipped += 1;
                    println!("allowed      {site}: {reason}");
                }
                (Some(by), Some(_)) => {
                    counts.failed += 1;
                    println!("NOT NEEDED   {site} is in allowed.txt, but noticed by {by}");
                }
                (None, None) => {
                    counts.failed += 1;
                    println!("NOT NOTICED  {site}");
                }
            }
        }
    }
    if wanted.is_empty() {
        for stale in allowed.unused() {
            counts.failed += 1;
            println!("NOT THERE    {stale} is in allowed.txt, but there is no such check");
        }
    }
    ensure!(counts.passed > 0, "no check contains `{wanted}`");
    println!(
        "{} checks: {} noticed, {} allowed, {} failed; {} s",
        counts.passed + counts.skipped + counts.failed,
        counts.passed,
        counts.skipped,
        counts.failed,
        start.elapsed().as_secs()
    );
    Ok(counts.failed == 0)
}

/// Writes the workspace with its switches; files that stay the same are left alone, so that cargo does not compile them.
fn make_copy(copy: &Path) -> Result<Vec<Site>> {
    let (mut sites, mut written) = (Vec::new(), HashSet::new());
    for path in tidy::paths(workspace::root())? {
        let belongs = ["crates/", "xtask/", "Cargo."].iter().any(|start| path.starts_with(start));
        let Some(content) = fs::read(workspace::root().join(&path)).ok().filter(|_| belongs) else { continue };
        let last = sites.last().map_or(0, |site: &Site| site.number);
        let content = if path == "Cargo.toml" {
            of_other_version(&content)?
        } else if JUDGES.iter().any(|judge| judge.is_root(&path)) {
            [content.as_slice(), b"\nmod mutant;\n"].concat()
        } else if JUDGES.iter().any(|judge| judge.judges(&path)) {
            let (code, found) = sites::instrument(&path, std::str::from_utf8(&content)?, last)?;
            sites.extend(found);
            code.into_bytes()
        } else {
            content
        };
        write_changed(&copy.join(&path), &content)?;
        written.insert(copy.join(&path));
    }
    for judge in &JUDGES {
        // What only some crates have use for is no mistake.
        let switch = SWITCH.replacen("\nuse std::io", "\n#![allow(dead_code)]\n\nuse std::io", 1);
        let path = copy.join(judge.folder).join("src/mutant.rs");
        write_changed(&path, switch.as_bytes())?;
        written.insert(path);
    }
    for folder in ["crates", "xtask"] {
        remove_others(&copy.join(folder), &written)?;
    }
    Ok(sites)
}

/// Files of an earlier copy that the workspace no longer has.
fn remove_others(folder: &Path, written: &HashSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            remove_others(&path, written)?;
        } else if !written.contains(&path) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// The copy shares the target folder with the original, so that nothing that both depend on is compiled twice. Cargo tells
/// two packages in one folder apart by name, version and path inside of the workspace, and only the version can differ.
fn of_other_version(manifest: &[u8]) -> Result<Vec<u8>> {
    let manifest = std::str::from_utf8(manifest)?;
    let (before, rest) = manifest.split_once("[workspace.package]\nversion = \"").context("no workspace version")?;
    let (_, behind) = rest.split_once('"').context("no workspace version")?;
    Ok(format!("{before}[workspace.package]\nversion = \"0.0.0-mutants\"{behind}").into_bytes())
}

impl Judge {
    fn file<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix(self.folder)?.strip_prefix("/src/")
    }

    /// The file that gets the switch's module.
    fn is_root(&self, path: &str) -> bool {
        matches!(self.file(path), Some("lib.rs" | "main.rs"))
    }

    fn judges(&self, path: &str) -> bool {
        let is_test = path.ends_with("/tests.rs");
        self.file(path).is_some_and(|file| !is_test && self.judging.iter().any(|judging| file.starts_with(judging)))
    }
}

fn write_changed(path: &Path, content: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().context("no folder")?)?;
    fs::write(path, content).with_context(|| path.display().to_string())
}

/// The test programs of the copy.
fn build(judge: &Judge, copy: &Path) -> Result<Vec<PathBuf>> {
    let mut command = workspace::cargo();
    command.current_dir(copy).env("CARGO_TARGET_DIR", workspace::target()).args([
        "test",
        "--offline",
        "--no-run",
        "--message-format=json-render-diagnostics",
        "--package",
        judge.package,
    ]);
    let messages = shell::output(command.args(judge.tests))?;
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs: Vec<(usize, PathBuf)> = messages
        .filter_map(|message| {
            let program = message["executable"].as_str()?;
            let name = message["target"]["name"].as_str()?;
            let place = judge.tests.iter().position(|test| test.strip_prefix("--test=") == Some(name));
            Some((place.unwrap_or(0), PathBuf::from(program)))
        })
        .collect();
    ensure!(programs.len() == judge.tests.len(), "{} test programs instead of {}", programs.len(), judge.tests.len());
    programs.sort();
    Ok(programs.into_iter().map(|(_, program)| program).collect())
}

/// With all checks in force every test passes; says by which of them each refusal is reached, and how long the slowest program
/// took.
fn reached(judge: &Judge, programs: &[PathBuf], copy: &Path) -> Result<(HashMap<u32, String>, Duration)> {
    let notes = copy.join("reached.txt");
    let _absent = fs::remove_file(&notes);
    let mut slowest = Duration::ZERO;
    for program in programs {
        let start = Instant::now();
        let mut command = Command::new(program);
        command.args(judge.selection);
        shell::output(command.env("MUTANT_REACHED", &notes)).context("the tests fail with all checks in force")?;
        slowest = slowest.max(start.elapsed());
    }
    let mut reached = HashMap::new();
    for line in fs::read_to_string(&notes).unwrap_or_default().lines() {
        if let Some((number, test)) = line.split_once(' ')
            && let Ok(number) = number.parse()
        {
            reached.entry(number).or_insert_with(|| test.to_owned());
        }
    }
    Ok((reached, slowest))
}

/// Who notices each check that can be switched off.
fn notice(judge: &Judge, programs: &[PathBuf], sites: &[&Site], copy: &Path, limit: Duration) -> HashMap<u32, String> {
    let waiting = Mutex::new(sites.iter().filter(|site| site.kind != Kind::Needed));
    let noticed = Mutex::new(HashMap::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (waiting, noticed) = (&waiting, &noticed);
            scope.spawn(move || {
                let log = copy.join(format!("output-{worker}.txt"));
                loop {
                    let Some(site) = waiting.lock().ok().and_then(|mut waiting| waiting.next()) else { return };
                    let by = programs.iter().find_map(|program| failure(judge, program, site.number, &log, limit));
                    if let (Some(by), Ok(mut noticed)) = (by, noticed.lock()) {
                        noticed.insert(site.number, by);
                    }
                }
            });
        }
    });
    noticed.into_inner().unwrap_or_default()
}

/// The first test of a program that fails with a check switched off.
fn failure(judge: &Judge, program: &Path, number: u32, log: &Path, limit: Duration) -> Option<String> {
    let name = program.file_stem()?.to_string_lossy();
    let name = name.rsplit_once('-').map_or(&*name, |(name, _)| name).to_owned();
    let mut command = Command::new(program);
    command.args(judge.selection);
    command.env("MUTANT_OFF", number.to_string()).env("RUST_TEST_THREADS", "1").env_remove("RUST_BACKTRACE");
    // A program that is stopped leaves behind what it made; one database is enough to notice.
    let made = log.with_extension("made");
    fs::create_dir_all(&made).ok()?;
    command.env("TMPDIR", &made).env_remove("DOORWARD_TEST_POSTGRES");
    let noticed = first_failure(command, &name, log, limit);
    let _removed = fs::remove_dir_all(&made);
    noticed
}

fn first_failure(mut command: Command, name: &str, log: &Path, limit: Duration) -> Option<String> {
    let output = fs::File::create(log).ok()?;
    let mut child = command.stdin(Stdio::null()).stdout(output).stderr(Stdio::null()).spawn().ok()?;
    let start = Instant::now();
    let failed = |output: &str| {
        output.lines().find_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED").map(str::to_owned))
    };
    loop {
        let ended = child.try_wait().ok()?;
        let output = fs::read_to_string(log).unwrap_or_default();
        match (ended, failed(&output)) {
            (Some(status), None) if status.success() => return None,
            (Some(_), None) => return Some(format!("{name} (crashed)")),
            (Some(_), Some(test)) => return Some(format!("{name} {test}")),
            // One test is enough.
            (None, Some(test)) => {
                stop(&mut child);
                return Some(format!("{name} {test}"));
            }
            (None, None) if start.elapsed() > limit => {
                stop(&mut child);
                return Some(format!("{name}: does not end"));
            }
            (None, None) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

fn stop(child: &mut std::process::Child) {
    let _killed = child.kill();
    let _status = child.wait();
}
