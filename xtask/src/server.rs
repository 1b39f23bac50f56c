//! The program under test: `doorward serve` with a fresh database, on a free port.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::reaper::Reaper;
use crate::{shell, workspace};

pub(crate) struct Server {
    pub(crate) base: String,
    pub(crate) secret_key: String,
    pub(crate) publishable_key: String,
    pub(crate) pid: u32,
    pub(crate) log: PathBuf,
    child: Child,
    reaper: Option<Reaper>,
}

/// What survives a restart of the server: its database, its keys, its address.
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    pub(crate) database_url: String,
    port: u16,
    secret_key: String,
    encryption_key: String,
}

impl Place {
    /// An empty folder under the target folder; SQLite lives in it unless another database is named.
    pub(crate) fn new(name: &str, database_url: Option<String>) -> Result<Self> {
        let folder = workspace::target().join("xtask").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let database_url = database_url.unwrap_or_else(|| format!("sqlite://{}", folder.join("doorward.db").display()));
        let encryption_key = STANDARD.encode(random::<32>()?);
        Ok(Self { folder, database_url, port: free_port()?, secret_key: new_secret_key()?, encryption_key })
    }

    /// With which the server encrypts what it stores.
    pub(crate) fn encryption_key(&self) -> &str {
        &self.encryption_key
    }

    pub(crate) fn start(&self, binary: &Path) -> Result<Server> {
        self.start_with(binary, &[])
    }

    /// As [`Self::start`], with further variables.
    pub(crate) fn start_with(&self, binary: &Path, variables: &[(&str, &str)]) -> Result<Server> {
        let base = format!("http://127.0.0.1:{}", self.port);
        let log = self.folder.join("server.log");
        let messages = File::options().create(true).append(true).open(&log)?;
        let mut child = Command::new(binary)
            .arg("serve")
            .current_dir(&self.folder)
            .env("DOORWARD_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("DOORWARD_DATABASE_URL", &self.database_url)
            .env("DOORWARD_SECRET_KEY", &self.secret_key)
            .env("DOORWARD_ENCRYPTION_KEY", &self.encryption_key)
            .env("DOORWARD_OUTBOUND_ALLOW", "http://127.0.0.1")
            .env("DOORWARD_RATE_LIMITS", "off")
            .env("DOORWARD_ALLOWED_ORIGINS", &base)
            .env("DOORWARD_REDIRECT_URLS", format!("{base}/done"))
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(messages.try_clone()?)
            .spawn()
            .with_context(|| format!("{} did not start", binary.display()))?;
        let pid = child.id();
        let reaper = Reaper::new(r#"kill -KILL "$1""#, &[&pid.to_string()])?;
        let stdout = child.stdout.take().context("no standard output")?;
        let server = Server {
            publishable_key: publishable_key(self.port),
            secret_key: self.secret_key.clone(),
            base,
            pid,
            log,
            child,
            reaper: Some(reaper),
        };
        if !wait_until_ready(stdout, messages) {
            let log = fs::read_to_string(&server.log).unwrap_or_default();
            bail!("the server did not print `ready …`; its messages:\n{log}");
        }
        Ok(server)
    }
}

impl Drop for Server {
    /// Stops the server as an operator would, and only kills it if it does not stop.
    fn drop(&mut self) {
        let _sent = Command::new("kill").args(["-TERM", &self.pid.to_string()]).status();
        let stopped = matches!(shell::wait(&mut self.child, Duration::from_secs(10)), Ok(Some(_)));
        if !stopped {
            println!("warning: the server did not stop within ten seconds of SIGTERM and is killed");
        }
        drop(self.reaper.take());
        let _ended = self.child.wait();
    }
}

/// Everything the server prints goes to its log; true once the line `ready <url>` has come.
fn wait_until_ready(stdout: ChildStdout, mut log: File) -> bool {
    let (ready, is_ready) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _logged = writeln!(log, "{line}");
            if line.starts_with("ready ") {
                let _waiting = ready.send(());
            }
        }
    });
    is_ready.recv_timeout(Duration::from_secs(60)).is_ok()
}

pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0").context("no free port on 127.0.0.1")?.local_addr()?.port())
}

fn publishable_key(port: u16) -> String {
    format!("pk_live_{}", STANDARD.encode(format!("127.0.0.1:{port}$")))
}

fn new_secret_key() -> Result<String> {
    let digits = random::<24>()?.map(|byte| format!("{byte:02x}"));
    Ok(format!("sk_live_{}", digits.concat()))
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        assert_eq!(publishable_key(4400), "pk_live_MTI3LjAuMC4xOjQ0MDAk");
        assert_eq!(new_secret_key().unwrap().len(), "sk_live_".len() + 48);
    }
}
