//! A person's clicks, in a real browser, through real identity providers and back.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::postgres::Postgres;
use crate::report::Counts;
use crate::{install, shell, workspace};

const LIMIT: Duration = Duration::from_secs(20 * 60);

pub(crate) fn run(postgres: Option<&Postgres>) -> Result<Counts> {
    let postgres = postgres.context("needs PostgreSQL, which did not start")?;
    let folder = workspace::root().join("tests/browser");
    let script = folder.join("run.mjs");
    ensure!(script.is_file(), "{} is missing", script.display());
    install::npm(&folder)?;
    install::chromium()?;
    let identity_providers = install::identity_providers()?;

    let mut command = Command::new("node");
    command.arg(script).arg("--binary").arg(workspace::binary("debug")).env("DOORWARD_TEST_POSTGRES", postgres.url());
    match &identity_providers {
        Some(folder) => {
            command.arg("--idps").arg(folder);
        }
        None => println!(
            "skipped: sign-ins through SimpleSAMLphp, because {} is absent",
            workspace::shared().join("idps").display()
        ),
    }
    let mut counts = shell::run_tests(command.current_dir(workspace::root()), LIMIT)?;
    counts.skipped += u64::from(identity_providers.is_none());
    Ok(counts)
}
