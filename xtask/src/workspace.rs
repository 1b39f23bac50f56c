//! Where things are, and how cargo is called.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Reference material (identity providers, samples, specifications) that may lie beside the project.
pub(crate) fn shared() -> PathBuf {
    root().with_file_name("shared")
}

pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// Cargo, as if called from a shell: `cargo xtask` is itself run by cargo, and the variables it adds would make some build
/// scripts run again.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    if std::env::var_os("CI").is_some() {
        command.env("CARGO_TERM_COLOR", "never");
    }
    command.current_dir(root());
    command
}

pub(crate) fn metadata(arguments: &[&str]) -> Result<Value> {
    let output = cargo()
        .args(["metadata", "--format-version=1"])
        .args(arguments)
        .output()
        .context("cargo metadata did not start")?;
    anyhow::ensure!(
        output.status.success(),
        "cargo metadata failed:\n{}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The program under test as `cargo build` leaves it.
pub(crate) fn binary(profile_folder: &str) -> PathBuf {
    target().join(profile_folder).join("doorward")
}
