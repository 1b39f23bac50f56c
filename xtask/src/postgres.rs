//! A private throw-away PostgreSQL cluster: on loopback, on a free port, gone at the end of the run.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::reaper::Reaper;
use crate::{install, server, shell};

pub(crate) struct Postgres {
    programs: PathBuf,
    port: u16,
    pid: u32,
    _reaper: Reaper,
}

/// Speed over safety: the data is thrown away. Many test binaries connect at the same time.
const SETTINGS: &str = "-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=300 \
    -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off";

impl Postgres {
    /// Installs PostgreSQL if it is absent, and starts a new cluster.
    pub(crate) fn start() -> Result<Self> {
        let programs = install::postgres()?;
        let user = if install::is_root()? { Some("postgres") } else { None };
        let as_owner = |program: PathBuf| match user {
            // initdb and postgres refuse to run as root.
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", user, "--"]).arg(program).current_dir("/");
                command
            }
            None => Command::new(program),
        };
        let folder = shell::output(as_owner("mktemp".into()).args(["-d", "-t", "doorward-postgres-XXXXXXXX"]))?
            .trim()
            .to_owned();
        let data = format!("{folder}/data");
        let pg_ctl = programs.join("pg_ctl");
        let reaper = Reaper::new(
            r#"$3 "$1" stop -m immediate -w -D "$2/data"; rm -rf "$2""#,
            &[&pg_ctl.to_string_lossy(), &folder, if user.is_some() { "runuser -u postgres --" } else { "" }],
        )?;
        shell::output(as_owner(programs.join("initdb")).args([
            "-D",
            &data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]))?;
        let port = server::free_port()?;
        let log = format!("{folder}/log");
        let options = format!("-p {port} {SETTINGS}");
        // Without its standard output: the server inherits it and would hold the pipe open.
        let started = as_owner(pg_ctl).args(["start", "-s", "-w", "-D", &data, "-l", &log, "-o", &options]).status()?;
        if !started.success() {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            anyhow::bail!("PostgreSQL did not start:\n{log}");
        }
        println!("PostgreSQL from {} listens on 127.0.0.1:{port}", programs.display());
        let pid = std::fs::read_to_string(format!("{data}/postmaster.pid"))?;
        let pid = pid.lines().next().and_then(|pid| pid.parse().ok()).context("postmaster.pid holds no number")?;
        Ok(Self { programs, port, pid, _reaper: reaper })
    }

    /// The process that starts all others of the cluster.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// The maintenance database, from which tests create their own.
    pub(crate) fn url(&self) -> String {
        self.url_of("postgres")
    }

    pub(crate) fn create_database(&self, name: &str) -> Result<String> {
        let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        for sql in [sql, format!("CREATE DATABASE {name}")] {
            let mut psql = Command::new(self.programs.join("psql"));
            shell::output(psql.args(["-q", "-X", "-v", "ON_ERROR_STOP=1", "-d", &self.url(), "-c", &sql]))
                .context("cannot create a database")?;
        }
        Ok(self.url_of(name))
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}
