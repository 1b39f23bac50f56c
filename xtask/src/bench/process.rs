//! What the kernel says about a process.

use std::fs;

use anyhow::{Context, Result};

/// CPU time so far, user and system, of all its threads, in microseconds. The kernel counts in hundredths of a second.
pub(super) fn cpu_us(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("the server is gone")?;
    ticks(&stat).map(|ticks| ticks as f64 * 10_000.0).context("/proc/…/stat is not as expected")
}

/// Memory in use now, in megabytes.
pub(super) fn resident_mb(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the server is gone")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("/proc/…/status has no VmRSS")?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes / 1024.0)
}

/// The fields utime and stime; the name before them may contain spaces and brackets.
fn ticks(stat: &str) -> Option<u64> {
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn reads_the_right_fields() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 5087 0 4 0 120 34 0 0 20 0 6 0 2461 298024960 7551";
        assert_eq!(super::ticks(stat), Some(154));
    }

    #[test]
    fn reads_this_process() {
        assert!(super::cpu_us(std::process::id()).is_ok());
        assert!(super::resident_mb(std::process::id()).unwrap() > 1.0);
    }
}
