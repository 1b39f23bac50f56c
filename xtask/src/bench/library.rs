//! Validation of a SAML response without a server around it.

use anyhow::{Context, Result};
use serde_json::Value as Json;

use super::table::{Row, Table, Value};
use crate::{shell, workspace};

/// Name in the program's output, name in the table, most that it may cost in floors.
const ROWS: &[(&str, &str, Option<f64>)] = &[
    ("floor", "floor: SHA-256 over the document, one RSA-2048 verification", None),
    ("validate", "validate a 6 KB response, all checks", Some(5.5)),
    ("mode/rsa-sha256", "… of our own making, RSA", None),
    ("mode/ecdsa-p256-sha256", "… ECDSA on P-256", None),
    ("mode/aes128-gcm", "… RSA, encrypted with AES-128-GCM", None),
    ("mode/aes256-gcm", "… RSA, encrypted with AES-256-GCM", None),
    ("mode/aes128-cbc", "… RSA, encrypted with AES-128-CBC", None),
    ("mode/aes256-cbc", "… RSA, encrypted with AES-256-CBC", None),
    ("worst_hostile", "worst hostile document within the size limit", Some(450.0)),
];

/// Returns what one validation takes, in microseconds of CPU time.
pub(super) fn measure(table: &mut Table) -> Result<f64> {
    let mut program = workspace::cargo();
    program.args(["run", "--release", "--locked", "-q", "-p", "doorward-saml", "--example", "bench_validate"]);
    println!("measuring the SAML library …");
    let output = shell::output(&mut program)?;
    let measured: Vec<Json> = output.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let cost = |wanted: &str| {
        let is_wanted =
            |line: &&Json| line["measure"].as_str().is_some_and(|name| name.split('=').next() == Some(wanted));
        measured.iter().find(is_wanted)?["cpu_us"].as_f64()
    };
    let floor = cost("floor").context("bench_validate printed no measure named floor")?;
    for (name, measure, target) in ROWS {
        if let Some(cpu_us) = cost(name) {
            let base = (*name != "floor").then_some(("floor", floor));
            table.add(Row {
                measure: (*measure).to_owned(),
                value: Value::CpuMicroseconds(cpu_us),
                base,
                target: *target,
            });
        }
    }
    cost("validate").context("bench_validate printed no measure named validate")
}
