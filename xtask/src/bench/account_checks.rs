//! How many accounts at EASIE providers the server checks in a second, and what one check costs it: claim, refresh over HTTP and
//! verdict, of accounts that are all due.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::backend::Backend;
use super::process;
use super::table::{Row, Table, Value as Measured};
use crate::conformance::Database;
use crate::{shell, workspace};

const ACCOUNTS: u64 = 3000;

pub(super) fn measure(name: &str, database: Database<'_>, table: &mut Table) -> Result<()> {
    let place = database.place("bench_accounts")?;
    let mut provider = Provider::start()?;
    let url = provider.ask(&json!({ "do": "describe" }))?;
    let server = place.start(&workspace::binary("release"))?;
    let connection = json!({
        "name": "Accounts", "provider": "oauth_google", "domains": ["accounts.test"], "active": true,
        "oidc": {
            "client_id": "bench", "client_secret": "bench",
            "discovery_url": format!("{}/.well-known/openid-configuration", url["url"].as_str().context("no address")?),
        },
    });
    let connection = Backend::open(&server)?.send("POST", "/v1/enterprise_connections", &connection)?;
    drop(server);
    provider.ask(&json!({
        "do": "fill", "database_url": place.database_url, "encryption_key": place.encryption_key(),
        "connection_id": connection["id"], "count": ACCOUNTS,
    }))?;

    // The first look for accounts that are due is at the start; the provider keeps the first answers back.
    let server = place.start(&workspace::binary("release"))?;
    std::thread::sleep(Duration::from_secs(1));
    let begin = process::cpu_us(server.pid)?;
    provider.ask(&json!({ "do": "open" }))?;
    let deadline = Instant::now() + Duration::from_secs(120);
    let path =
        format!("/v1/enterprise_connections/{}/account_checks?limit=1", connection["id"].as_str().context("no id")?);
    let seconds = loop {
        let progress = provider.ask(&json!({ "do": "progress" }))?;
        if progress["answered"] == ACCOUNTS {
            break progress["seconds"].as_f64().context("no time")?;
        }
        ensure!(Instant::now() < deadline, "{progress} of {ACCOUNTS} accounts were asked after");
        std::thread::sleep(Duration::from_millis(20));
    };
    // The last verdicts are on their way into the store.
    std::thread::sleep(Duration::from_millis(200));
    let cost = (process::cpu_us(server.pid)? - begin) / ACCOUNTS as f64;
    let worst = Backend::open(&server)?.get(&path)?["data"][0].clone();
    ensure!(worst["consecutive_failures"] == 0 && worst["last_error"].is_null(), "a check failed: {worst}");
    let mut add = |measure: &str, value| {
        table.add(Row { measure: format!("{measure}, {name}"), value, base: None, target: None });
    };
    add("one EASIE account check", Measured::CpuMicroseconds(cost));
    add("EASIE account checks in a second", Measured::PerSecond(ACCOUNTS as f64 / seconds));
    Ok(())
}

/// `examples/bench_accounts.rs`, running.
struct Provider {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Provider {
    fn start() -> Result<Self> {
        let arguments = ["--release", "--locked", "-p", "xtask", "--example", "bench_accounts"];
        shell::run(workspace::cargo().arg("build").args(arguments))?;
        let mut program = workspace::cargo();
        let program = program.args(["run", "-q"]).args(arguments);
        let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().context("no standard output")?);
        Ok(Self { child, requests, answers })
    }

    fn ask(&mut self, request: &Value) -> Result<Value> {
        writeln!(self.requests.as_mut().context("ended")?, "{request}")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        serde_json::from_str(&answer).context("the provider of the bench ended")
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.requests.take());
        let _ended = self.child.wait();
    }
}
