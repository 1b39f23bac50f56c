//! Ends what a step started, however the step ends.
//!
//! A destructor does not run when this program is interrupted or killed. So each thing to be ended gets a small shell that
//! waits for its standard input to close, which happens when the [`Reaper`] is dropped and also when this program dies.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

pub(crate) struct Reaper {
    shell: Child,
}

impl Reaper {
    /// Runs the shell commands in `script` when dropped; `arguments` are its `$1`, `$2`, …
    pub(crate) fn new(script: &str, arguments: &[&str]) -> Result<Self> {
        let shell = Command::new("sh")
            .args(["-c", &format!("read -r _; {script}"), "reaper"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("`sh` did not start")?;
        Ok(Self { shell })
    }

    /// Ends every process of a process group: first politely, after five seconds for good.
    pub(crate) fn of_group(leader: u32) -> Result<Self> {
        const SCRIPT: &str = r#"kill -TERM "-$1" || exit 0
            for _ in $(seq 50); do kill -0 "-$1" || exit 0; sleep 0.1; done
            kill -KILL "-$1""#;
        Self::new(SCRIPT, &[&leader.to_string()])
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ended = self.shell.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_a_whole_group() {
        let mut leader = Command::new("sh").args(["-c", "sleep 600 & wait"]).process_group(0).spawn().unwrap();
        let reaper = Reaper::of_group(leader.id()).unwrap();
        assert!(leader.try_wait().unwrap().is_none());
        let waiting = std::thread::spawn(move || leader.wait().unwrap());
        drop(reaper);
        assert!(!waiting.join().unwrap().success());
    }
}
