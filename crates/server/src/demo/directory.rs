//! Who of the demo's people is suspended at work. It is kept in the data directory, so that nobody comes back by a restart.

use anyhow::Context as _;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The suspended people, by their addresses.
pub struct Directory {
    file: PathBuf,
    suspended: Mutex<BTreeSet<String>>,
}

impl Directory {
    /// Reads the list, which may not be there yet.
    pub fn load(folder: &Path) -> anyhow::Result<Self> {
        let file = folder.join("suspended-people");
        let text = match std::fs::read_to_string(&file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            read => read.with_context(|| format!("cannot read {}", file.display()))?,
        };
        let suspended = text.lines().map(str::to_owned).collect();
        Ok(Self { file, suspended: Mutex::new(suspended) })
    }

    pub fn is_suspended(&self, email: &str) -> bool {
        self.suspended.lock().unwrap_or_else(PoisonError::into_inner).contains(email)
    }

    /// Suspends or restores somebody. What cannot be kept is not done.
    pub fn set(&self, email: &str, is_suspended: bool) -> std::io::Result<()> {
        let mut suspended = self.suspended.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = suspended.clone();
        match is_suspended {
            true => changed.insert(email.to_owned()),
            false => changed.remove(email),
        };
        let lines: String = changed.iter().flat_map(|email| [email, "\n"]).collect();
        std::fs::write(&self.file, lines)?;
        *suspended = changed;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suspension_outlives_a_restart() {
        let folder = std::env::temp_dir().join(format!("doorward-directory-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let directory = Directory::load(&folder).unwrap();
        directory.set("a@x.test", true).unwrap();
        directory.set("b@x.test", true).unwrap();
        directory.set("a@x.test", false).unwrap();
        for directory in [&directory, &Directory::load(&folder).unwrap()] {
            assert!(!directory.is_suspended("a@x.test") && directory.is_suspended("b@x.test"));
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
