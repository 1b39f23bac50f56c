//! The same operations by other software, in the same run: SAML libraries that validate one response, servers that sign somebody in.
//!
//! The programs are those of `../shared/peers/bench`; each proves first that it refuses five forged responses. They are copied and
//! installed on demand, since they bring some hundred megabytes from npm, pip and apt.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use serde_json::Value as Json;

use super::median;
use super::table::{Row, Table, Value};
use crate::{install, shell, workspace};

const ROUNDS: usize = 3;
const LIMIT_SECONDS: &str = "300";

/// What our own rows of the same run cost, in microseconds of CPU time.
pub(super) struct Ours {
    pub(super) validation: f64,
    pub(super) sign_in: f64,
}

/// The programs, installed.
pub(super) struct Peers {
    folder: PathBuf,
    python: PathBuf,
}

impl Peers {
    pub(super) fn install() -> Result<Self> {
        let source = workspace::shared().join("peers/bench");
        ensure!(source.is_dir(), "{} is missing: the programs of the peers are there", source.display());
        let folder = workspace::target().join("xtask/peers");
        install::copy_folder(&source, &folder)?;
        let packages = ["libxml2-dev", "libxmlsec1-dev", "xmlsec1", "libclang-dev", "pkg-config", "openssl"];
        let installed =
            Command::new("dpkg").arg("-s").args(packages).output().is_ok_and(|output| output.status.success());
        install::apt_unless(installed, &packages, "SAML libraries in C, to compare with")?;
        install::npm(&folder.join("node"))?;
        install::npm_with(&folder.join("better-auth"), &["--legacy-peer-deps", "--omit=dev", "--omit=optional"])?;
        let python = install::python("peers-venv", &folder.join("python/requirements.txt"))?;
        for program in ["rust", "rust-extra"] {
            // Its own folder: the profile and the locked versions are those that the published figures were measured with.
            shell::run(
                Command::new("cargo").args(["build", "--release", "--locked", "-q"]).current_dir(folder.join(program)),
            )?;
        }
        shell::run(Command::new("node").arg(folder.join("node/make-fixtures.cjs")))?;
        Ok(Self { folder, python })
    }

    /// A peer that cannot be measured is named; the others still are.
    pub(super) fn measure(&self, ours: &Ours, table: &mut Table) -> Result<()> {
        let validation = |table: &mut Table, (name, cost): (String, f64)| {
            table.add(Row {
                measure: format!("the same, {name}"),
                value: Value::CpuMicroseconds(cost),
                base: Some(("ours", ours.validation)),
                target: None,
            });
        };
        for measured in self.libraries()? {
            validation(table, measured);
        }
        for (name, cost) in self.servers()? {
            table.add(Row {
                measure: format!("whole sign-in, {name}"),
                value: Value::CpuMicroseconds(cost),
                base: Some(("ours", ours.sign_in)),
                target: None,
            });
        }
        Ok(())
    }

    fn libraries(&self) -> Result<Vec<(String, f64)>> {
        let node = |library: &str, times: &str| self.node(&["node/bench-validate.cjs", library, times, "3"]);
        let python = |library: &str, times: &str| {
            let mut command = Command::new(&self.python);
            command.args(["python/bench_validate.py", library, times, "3"]);
            command
        };
        let rust = |program: &str| {
            let mut command = Command::new(self.folder.join(program));
            command.args(["0.7", "3"]).env("FIXTURES", self.folder.join("fixtures"));
            command
        };
        self.rounds("lib", || {
            vec![
                rust("rust/target/release/saml-floor"),
                rust("rust-extra/target/release/saml-extra"),
                node("node-saml", "200"),
                node("saml20", "150"),
                node("samlify", "120"),
                python("python3-saml", "200"),
                python("pysaml2", "15"),
            ]
        })
    }

    fn servers(&self) -> Result<Vec<(String, f64)>> {
        let node = |arguments: &[&str]| self.node(arguments);
        self.rounds("server", || {
            // SAML Jackson on SQLite is left out: it needs a module that a script of its package compiles, and no package's scripts are run.
            vec![
                node(&["node/bench-signin.cjs", "mem", "150", "2", "4"]),
                node(&["better-auth/bench.mjs", "100", "2", "4"]),
            ]
        })
    }

    fn node(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("node");
        command.args(arguments);
        command
    }

    /// The median over the rounds of what each program prints under the name in `key`. They take turns.
    fn rounds(&self, key: &str, programs: impl Fn() -> Vec<Command>) -> Result<Vec<(String, f64)>> {
        let mut costs: Vec<(String, Vec<f64>)> = Vec::new();
        for _ in 0..ROUNDS {
            for program in programs() {
                match shell::output(&mut within_limit(&program, &self.folder)) {
                    Ok(output) => {
                        for (name, cost) in output.lines().filter_map(|line| measured(line, key)) {
                            match costs.iter_mut().find(|(known, _)| *known == name) {
                                Some((_, all)) => all.push(cost),
                                None => costs.push((name, vec![cost])),
                            }
                        }
                    }
                    Err(reason) => println!("not measured: {reason:#}"),
                }
            }
        }
        ensure!(!costs.is_empty(), "no peer could be measured");
        Ok(costs.into_iter().map(|(name, all)| (name, median(all))).collect())
    }
}

/// The program under `timeout`: one that waits for ever is a peer that cannot be measured.
fn within_limit(program: &Command, folder: &Path) -> Command {
    let mut limited = Command::new("timeout");
    limited.arg(LIMIT_SECONDS).arg(program.get_program()).args(program.get_args()).current_dir(folder);
    for (name, value) in program.get_envs() {
        limited.env(name, value.unwrap_or_default());
    }
    limited
}

/// A line of a program that names what it measured. Those of the bare cryptography, which our own bench measures, are left out.
fn measured(line: &str, key: &str) -> Option<(String, f64)> {
    let line: Json = serde_json::from_str(line).ok()?;
    let name = line[key].as_str()?;
    let is_cryptography = ["floor", "aws-lc-rs ", "ring "].iter().any(|word| name.starts_with(word));
    let cost = line["cpu_us"].as_f64().or_else(|| Some(line["server_cpu_ms_per_signin"].as_f64()? * 1000.0))?;
    (!is_cryptography).then(|| (name.to_owned(), cost))
}
