//! Clerk's published SDKs, unmodified, against the running server on each database.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::postgres::Postgres;
use crate::report::Counts;
use crate::server::{Place, Server};
use crate::{install, shell, workspace};

const LIMIT: Duration = Duration::from_secs(15 * 60);

#[derive(Clone, Copy)]
pub(crate) enum Database<'a> {
    Sqlite,
    Postgres(Option<&'a Postgres>),
}

impl Database<'_> {
    pub(crate) fn place(self, purpose: &str) -> Result<Place> {
        match self {
            Self::Sqlite => Place::new(&format!("{purpose}-sqlite"), None),
            Self::Postgres(cluster) => {
                let cluster = cluster.context("needs PostgreSQL, which did not start")?;
                Place::new(
                    &format!("{purpose}-postgres"),
                    Some(cluster.create_database(&format!("doorward_{purpose}"))?),
                )
            }
        }
    }
}

pub(crate) fn run(database: Database<'_>) -> Result<Counts> {
    let folder = workspace::root().join("tests/conformance");
    install::npm(&folder)?;
    let python = install::python("conformance-venv", &folder.join("requirements.txt"))?;
    let server = database.place("conformance")?.start(&workspace::binary("debug"))?;
    let publishable_key = ["--publishable-key", &server.publishable_key];
    let mut counts = run_one("node", "run.mjs", &server, &publishable_key)?;
    counts += run_one(&python.to_string_lossy(), "run.py", &server, &[])?;
    if counts.failed > 0 {
        println!("the server's messages are in {}", server.log.display());
    }
    Ok(counts)
}

fn run_one(interpreter: &str, script: &str, server: &Server, more: &[&str]) -> Result<Counts> {
    let script = workspace::root().join("tests/conformance").join(script);
    ensure!(script.is_file(), "{} is missing", script.display());
    let mut command = Command::new(interpreter);
    command.arg(script).args(["--base", &server.base, "--secret-key", &server.secret_key]).args(more);
    shell::run_tests(command.current_dir(workspace::root()), LIMIT)
}
