//! The server process on one database: how fast it is there, what it holds when idle, what a sign-in and a token cost it.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::http::Connection;
use super::identity_provider::IdentityProvider;
use super::median;
use super::process;
use super::sign_in::{self, Browser, address, oidc_address};
use super::table::{Row, Table, Value};
use crate::conformance::Database;
use crate::server::{Place, Server};
use crate::workspace;

const STARTS: usize = 5;
const ROUNDS: usize = 7;
const SIGN_INS: usize = 300;
const REFRESHES: usize = 500;
const PEOPLE: usize = 100;
/// A twentieth of what SAML Jackson takes on the machine that the targets were set on.
const START_MS: f64 = 100.0;
const IDLE_MB: f64 = 25.0;
/// Of a SAML sign-in: it has a request less to answer and one more to make.
const OIDC_SIGN_IN: f64 = 1.0;

/// The targets that are ratios to one signature, and how the rows are named.
pub(super) struct Targets {
    database: &'static str,
    sign_in: f64,
    refresh: f64,
}

pub(super) const ON_SQLITE: Targets = Targets { database: "SQLite", sign_in: 1.8, refresh: 1.1 };
pub(super) const ON_POSTGRES: Targets = Targets { database: "PostgreSQL", sign_in: 1.8, refresh: 1.25 };

/// Returns what one sign-in takes, in microseconds of CPU time of the server.
pub(super) fn measure(
    targets: &Targets,
    database: Database<'_>,
    idp: &mut IdentityProvider,
    table: &mut Table,
) -> Result<f64> {
    let place = database.place("bench")?;
    let mut add = |measure: &str, value, base, target| {
        table.add(Row { measure: format!("{measure}, {}", targets.database), value, base, target });
    };
    let (_, first_start) = start(&place)?;
    add("first start to first answer", Value::Milliseconds(first_start), None, None);
    let starts = (0..STARTS).map(|_| Ok(start(&place)?.1)).collect::<Result<Vec<f64>>>()?;
    add("start to first answer", Value::Milliseconds(median(starts)), None, Some(START_MS));

    let (server, _) = start(&place)?;
    std::thread::sleep(Duration::from_secs(2));
    add("idle memory", Value::Megabytes(process::resident_mb(server.pid)?), None, Some(IDLE_MB));

    let costs = load(&server, idp)?;
    let signature = Some(("signature", costs.signature));
    add("one RS256-2048 signature, while measuring", Value::CpuMicroseconds(costs.signature), None, None);
    add("whole SAML sign-in over HTTP", Value::CpuMicroseconds(costs.sign_in), signature, Some(targets.sign_in));
    let saml = Some(("SAML", costs.sign_in));
    add("whole OIDC sign-in over HTTP", Value::CpuMicroseconds(costs.oidc_sign_in), saml, Some(OIDC_SIGN_IN));
    add("token refresh over HTTP", Value::CpuMicroseconds(costs.refresh), signature, Some(targets.refresh));
    Ok(costs.sign_in)
}

/// Has aws-lc do without the instructions that make RSA three times as fast on some processors (AVX-512 IFMA): the targets were
/// set on one that lacks them, and against a cheaper signature all else weighs more.
pub(super) const WITHOUT_IFMA: (&str, &str) = ("OPENSSL_ia32cap", ":~0x200000");

/// Whether this processor has them.
pub(super) fn has_ifma() -> bool {
    std::fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| text.contains("avx512ifma"))
}

/// The ratios once more, as on a processor like that of the targets. `idp` runs so, too.
pub(super) fn measure_without_ifma(
    targets: &Targets,
    database: Database<'_>,
    idp: &mut IdentityProvider,
    table: &mut Table,
) -> Result<()> {
    let place = database.place("bench_without_ifma")?;
    let server = place.start_with(&workspace::binary("release"), &[WITHOUT_IFMA])?;
    let costs = load(&server, idp)?;
    let mut add = |measure: &str, cost, base, target| {
        let measure = format!("{measure} without AVX-512 IFMA, {}", targets.database);
        table.add(Row { measure, value: Value::CpuMicroseconds(cost), base, target });
    };
    let signature = Some(("signature", costs.signature));
    add("one RS256-2048 signature", costs.signature, None, None);
    add("whole SAML sign-in over HTTP", costs.sign_in, signature, Some(targets.sign_in));
    add("token refresh over HTTP", costs.refresh, signature, Some(targets.refresh));
    Ok(())
}

struct Costs {
    signature: f64,
    sign_in: f64,
    oidc_sign_in: f64,
    refresh: f64,
}

/// They take turns, so that a busy machine slows all of them alike.
fn load(server: &Server, idp: &mut IdentityProvider) -> Result<Costs> {
    sign_in::prepare(server, idp)?;
    sign_in::prepare_oidc(server, idp)?;
    let mut browser = Browser::open(server)?;
    // Everybody's first sign-in creates an account; what is measured is coming back.
    for person in 0..PEOPLE {
        browser.sign_in(&address(person), idp)?;
        browser.sign_in_by_oidc(&oidc_address(person), idp)?;
    }
    let (mut signature, mut sign_in, mut oidc_sign_in, mut refresh) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        signature.push(idp.signature_us()?);
        sign_in
            .push(server_cpu_us(server, SIGN_INS, |number| browser.sign_in(&address(number % PEOPLE), idp).map(drop))?);
        oidc_sign_in.push(server_cpu_us(server, SIGN_INS, |number| {
            browser.sign_in_by_oidc(&oidc_address(number % PEOPLE), idp).map(drop)
        })?);
        let session_id = browser.sign_in(&address(0), idp)?;
        refresh.push(server_cpu_us(server, REFRESHES, |_| browser.refresh(&session_id))?);
    }
    let [signature, sign_in, oidc_sign_in, refresh] = [signature, sign_in, oidc_sign_in, refresh].map(median);
    Ok(Costs { signature, sign_in, oidc_sign_in, refresh })
}

/// CPU time of the server process for one operation, on the average of `times`.
fn server_cpu_us(server: &Server, times: usize, mut operation: impl FnMut(usize) -> Result<()>) -> Result<f64> {
    let begin = process::cpu_us(server.pid)?;
    for number in 0..times {
        operation(number)?;
    }
    Ok((process::cpu_us(server.pid)? - begin) / times as f64)
}

/// Starts the server and has it answer one request; how many milliseconds that took.
fn start(place: &Place) -> Result<(Server, f64)> {
    let begin = Instant::now();
    let server = place.start(&workspace::binary("release"))?;
    let answer = Connection::open(&server.base)?.get("/.well-known/jwks.json", &[])?;
    let took = begin.elapsed();
    ensure!(answer.status == 200, "the first answer is {}", answer.status);
    Ok((server, took.as_secs_f64() * 1000.0))
}
