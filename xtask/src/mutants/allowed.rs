//! The checks that no test can notice, with the reason for each, in `allowed.txt`.

use super::sites::Site;

const ALLOWED: &str = include_str!("allowed.txt");

struct Entry {
    check: &'static str,
    reason: &'static str,
    used: bool,
}

pub(super) struct Allowed(Vec<Entry>);

impl Allowed {
    /// A line names a check, the indented line below it says why; lines that start with `#` are left out.
    pub(super) fn read() -> Self {
        let lines: Vec<&str> =
            ALLOWED.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()).collect();
        let entries = lines.chunks(2).map(|pair| Entry {
            check: pair.first().copied().unwrap_or_default().trim(),
            reason: pair.get(1).copied().unwrap_or_default().trim(),
            used: false,
        });
        Allowed(entries.collect())
    }

    pub(super) fn reason(&mut self, site: &Site) -> Option<&'static str> {
        let key = site.key();
        let entry = self.0.iter_mut().find(|entry| entry.check == key)?;
        entry.used = true;
        Some(entry.reason)
    }

    pub(super) fn unused(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter(|entry| !entry.used).map(|entry| entry.check)
    }
}
