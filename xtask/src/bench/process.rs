//! What the kernel says about a process.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::shell;

/// CPU time so far of all threads of a process, in microseconds, as the scheduler charged it: the counters of whole processes
/// are kept in hundredths of a second. A thread that ended is no longer counted.
pub(super) fn cpu_us(pid: u32) -> Result<f64> {
    let mut total = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task")).context("the server is gone")? {
        let charged = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        total += charged_ns(&charged).unwrap_or(0);
    }
    Ok(total as f64 / 1000.0)
}

/// The same of all processes that a process has started.
pub(super) fn cpu_us_of_children(pid: u32) -> Result<f64> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    children.split_whitespace().map(|child| cpu_us(child.parse()?)).sum()
}

/// Keeps a process, and what it starts from now on, on one processor. Where those who talk to each other sit on two, each
/// message costs the sender an interrupt of the other, and where the kernel puts them is luck.
pub(super) fn keep_on_one_processor(pid: u32) -> Result<()> {
    let status = fs::read_to_string("/proc/self/status")?;
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).context("no processors")?;
    let first: String = allowed.trim().chars().take_while(char::is_ascii_digit).collect();
    shell::output(Command::new("taskset").args(["--cpu-list", "--pid", &first, &pid.to_string()])).map(drop)
}

/// Memory in use now, in megabytes.
pub(super) fn resident_mb(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the server is gone")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("/proc/…/status has no VmRSS")?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes / 1024.0)
}

fn charged_ns(schedstat: &str) -> Option<u64> {
    schedstat.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::time::Duration;

    #[test]
    fn reads_this_process_and_its_children() {
        let pid = std::process::id();
        assert!(super::cpu_us(pid).unwrap() > 0.0);
        assert!(super::resident_mb(pid).unwrap() > 1.0);
        assert!(super::cpu_us(0).is_err());
    }

    #[test]
    fn counts_the_work_of_children() {
        let script = "sh -c 'while :; do :; done' & read -r _; kill $!";
        let mut parent = Command::new("sh").args(["-c", script]).stdin(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(300));
        let worked = super::cpu_us_of_children(parent.id());
        drop(parent.stdin.take());
        parent.wait().unwrap();
        assert!(worked.unwrap() > 20_000.0);
    }
}
