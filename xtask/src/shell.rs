//! Starting programs: each is printed before it runs, and nothing that it leaves behind outlives the step.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::reaper::Reaper;
use crate::report::Counts;

/// Runs a program to its end; an error unless it succeeds.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", describe(command));
    let status =
        command.stdin(Stdio::null()).status().with_context(|| format!("`{}` did not start", program(command)))?;
    ensure!(status.success(), "`{}` failed ({status})", describe(command));
    Ok(())
}

/// Runs a program and returns what it prints; an error with its messages unless it succeeds.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("`{}` did not start", program(command)))?;
    ensure!(
        output.status.success(),
        "`{}` failed: {}",
        describe(command),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a test runner and adds up its closing lines. Ends it, and whatever it started, at the time limit.
pub(crate) fn run_tests(command: &mut Command, limit: Duration) -> Result<Counts> {
    println!("$ {}", describe(command));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .with_context(|| format!("`{}` did not start", program(command)))?;
    let reaper = Reaper::of_group(child.id())?;
    let stdout = child.stdout.take().context("no standard output")?;
    let reader = std::thread::spawn(move || print_and_count(BufReader::new(stdout)));
    let ended_at_the_limit = wait(&mut child, limit)?.is_none();
    let ending = std::thread::spawn(move || drop(reaper));
    let status = child.wait()?;
    let _joined = ending.join();
    let mut counts = reader.join().unwrap_or_default();
    ensure!(!ended_at_the_limit, "`{}` was ended after {} minutes", describe(command), limit.as_secs() / 60);
    if !status.success() && counts.failed == 0 {
        println!("error: `{}` failed ({status})", describe(command));
        counts.failed += 1;
    }
    ensure!(counts.passed + counts.failed > 0, "`{}` ran no test", describe(command));
    Ok(counts)
}

/// The exit status, or nothing if the time is over first.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let start = Instant::now();
    while start.elapsed() < limit {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(None)
}

/// Where a program is, or nothing if it is not on the PATH.
pub(crate) fn find(program: &str) -> Option<std::path::PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|dir| dir.join(program)).find(|path| path.is_file())
}

fn print_and_count(lines: impl BufRead) -> Counts {
    let mut counts = Counts::default();
    for line in lines.split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        counts += Counts::of_closing_line(&line).unwrap_or_default();
    }
    counts
}

fn program(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn adds_up_closing_lines() {
        let counts =
            run_tests(&mut sh("echo '2 passed, 0 failed'; echo '3 passed, 1 failed'; exit 1"), Duration::from_secs(10))
                .unwrap();
        assert_eq!(counts, Counts { passed: 5, failed: 1, skipped: 0 });
    }

    #[test]
    fn a_crash_counts_as_a_failure() {
        let counts = run_tests(&mut sh("echo '2 passed, 0 failed'; exit 3"), Duration::from_secs(10)).unwrap();
        assert_eq!(counts.failed, 1);
    }

    #[test]
    fn no_tests_is_an_error() {
        assert!(run_tests(&mut sh("true"), Duration::from_secs(10)).is_err());
    }

    #[test]
    fn ends_at_the_limit_and_does_not_wait_for_what_is_left_behind() {
        let start = Instant::now();
        assert!(run_tests(&mut sh("sleep 600 & sleep 600"), Duration::from_millis(100)).is_err());
        assert!(run_tests(&mut sh("sleep 600 & echo '1 passed, 0 failed'"), Duration::from_secs(60)).is_ok());
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}
