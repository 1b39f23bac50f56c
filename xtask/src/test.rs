//! Which steps each command takes.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::conformance::Database;
use crate::postgres::Postgres;
use crate::report::{Counts, Report};
use crate::{browser, conformance, deny, shell, tidy, workspace};

const CARGO_TEST_LIMIT: Duration = Duration::from_secs(45 * 60);

/// The whole suite. A failed step does not keep the others from running.
pub(crate) fn everything() -> bool {
    let mut report = Report::default();
    static_checks(&mut report);
    let postgres = start_postgres(&mut report);
    report.step("cargo test, on SQLite and PostgreSQL", || cargo_test(Some(postgres.as_ref())));
    if build(&mut report) {
        report.step("conformance, on SQLite", || conformance::run(Database::Sqlite));
        report.step("conformance, on PostgreSQL", || conformance::run(Database::Postgres(postgres.as_ref())));
        report.step("browser", || browser::run(postgres.as_ref()));
    }
    report.close()
}

/// What needs nothing installed.
pub(crate) fn fast() -> bool {
    let mut report = Report::default();
    static_checks(&mut report);
    report.step("cargo test, on SQLite", || cargo_test(None));
    report.close()
}

pub(crate) fn check() -> bool {
    let mut report = Report::default();
    static_checks(&mut report);
    report.close()
}

pub(crate) fn tidy() -> bool {
    let mut report = Report::default();
    report.step("tidy", tidy::run);
    report.close()
}

pub(crate) fn conformance() -> bool {
    let mut report = Report::default();
    let postgres = start_postgres(&mut report);
    if build(&mut report) {
        report.step("conformance, on SQLite", || conformance::run(Database::Sqlite));
        report.step("conformance, on PostgreSQL", || conformance::run(Database::Postgres(postgres.as_ref())));
    }
    report.close()
}

pub(crate) fn browser() -> bool {
    let mut report = Report::default();
    let postgres = start_postgres(&mut report);
    if build(&mut report) {
        report.step("browser", || browser::run(postgres.as_ref()));
    }
    report.close()
}

fn static_checks(report: &mut Report) {
    report.step("tidy", tidy::run);
    report.step("licences, banned crates, sources", deny::check);
    report.step("fmt", || succeeds(workspace::cargo().args(["fmt", "--all", "--check"])));
    report.step("clippy", || {
        succeeds(workspace::cargo().args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]))
    });
}

fn start_postgres(report: &mut Report) -> Option<Postgres> {
    let mut started = None;
    report.step("PostgreSQL", || {
        started = Some(Postgres::start()?);
        Ok(Counts::ONE_PASSED)
    });
    started
}

/// `None`: on SQLite only. `Some(None)`: PostgreSQL was wanted and did not start.
fn cargo_test(postgres: Option<Option<&Postgres>>) -> Result<Counts> {
    let mut command = workspace::cargo();
    command.args(["test", "--workspace", "--locked", "--no-fail-fast"]).env_remove("DOORWARD_TEST_POSTGRES");
    if let Some(postgres) = postgres {
        ensure!(
            postgres.is_some(),
            "needs PostgreSQL, which did not start; `cargo xtask test --fast` runs on SQLite alone"
        );
        command.envs(postgres.map(|cluster| ("DOORWARD_TEST_POSTGRES", cluster.url())));
    }
    shell::run_tests(&mut command, CARGO_TEST_LIMIT)
}

fn build(report: &mut Report) -> bool {
    let mut built = false;
    report.step("build", || {
        let counts = succeeds(workspace::cargo().args(["build", "--workspace", "--locked"]))?;
        built = true;
        Ok(counts)
    });
    if !built {
        println!("the steps that need the program were not run");
    }
    built
}

fn succeeds(command: &mut Command) -> Result<Counts> {
    shell::run(command)?;
    Ok(Counts::ONE_PASSED)
}
