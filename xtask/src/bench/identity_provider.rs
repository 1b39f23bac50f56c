//! `examples/bench_idp`, running.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{shell, workspace};

pub(super) struct IdentityProvider {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl IdentityProvider {
    pub(super) fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// As [`Self::start`], with further variables.
    pub(super) fn start_with(variables: &[(&str, &str)]) -> Result<Self> {
        let arguments = ["--release", "--locked", "-p", "xtask", "--example", "bench_idp"];
        shell::run(workspace::cargo().arg("build").args(arguments))?;
        let mut program = workspace::cargo();
        program.args(["run", "-q"]).args(arguments);
        program.envs(variables.iter().copied());
        let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().context("no standard output")?);
        Ok(Self { child, requests, answers })
    }

    /// Its entity id, address and certificate.
    pub(super) fn describe(&mut self) -> Result<Value> {
        self.ask(&json!({ "do": "describe" }))
    }

    /// Has a person signed in who was sent to `url`; the address and the form to post.
    pub(super) fn respond(&mut self, url: &str, email: &str) -> Result<Value> {
        self.ask(&json!({ "do": "respond", "url": url, "email": email }))
    }

    /// Its OpenID Connect provider: discovery URL and client.
    pub(super) fn describe_op(&mut self) -> Result<Value> {
        self.ask(&json!({ "do": "describe_op" }))
    }

    /// Has a person signed in who was sent to `url` of that provider: where she is sent back to.
    pub(super) fn authorize(&mut self, url: &str, email: &str) -> Result<Value> {
        self.ask(&json!({ "do": "authorize", "url": url, "email": email }))
    }

    /// CPU microseconds of one RS256-2048 signature.
    pub(super) fn signature_us(&mut self) -> Result<f64> {
        self.ask(&json!({ "do": "signature" }))?["cpu_us"].as_f64().context("no cost of a signature")
    }

    fn ask(&mut self, request: &Value) -> Result<Value> {
        writeln!(self.requests.as_mut().context("ended")?, "{request}")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        serde_json::from_str(&answer).context("the identity provider of the bench ended")
    }
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        drop(self.requests.take());
        let _ended = self.child.wait();
    }
}
