//! Rules for every file, whatever its language.

use super::Violation;

/// What a reader of the project cannot resolve: folders of one machine, and hosts that package managers are configured with.
/// Written in two parts so that this file does not break its own rule.
const FOLDERS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/")];
const REGISTRIES: &[&str] = &[
    concat!("registry.", "npmjs.org"),
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("https://", "crates.io"),
    concat!("pypi.", "org"),
    concat!("files.", "pythonhosted.org"),
    concat!("deb.", "debian.org"),
];
const LOCK_FILES: &[&str] = &["Cargo.lock", "package-lock.json"];

/// A name that says nothing collects everything.
const EMPTY_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "manager", "managers", "common", "misc"];

pub(super) fn names(path: &str) -> Vec<Violation> {
    let stem = |part: &'static str, name: &str| name.split('.').next() == Some(part);
    let parts = || path.split('/');
    let found = EMPTY_NAMES.iter().filter(|empty| parts().any(|part| stem(empty, part)));
    found.map(|empty| Violation::new(path, 1, format!("`{empty}` says nothing: name it after what it does"))).collect()
}

pub(super) fn content(path: &str, text: &str) -> Vec<Violation> {
    let is_lock = LOCK_FILES.contains(&path.rsplit('/').next().unwrap_or(path));
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for folder in FOLDERS.iter().filter(|folder| begins_path(line, folder)) {
            found.push(Violation::new(path, number + 1, format!("`{folder}` is a folder of one machine")));
        }
        for host in REGISTRIES.iter().filter(|host| !is_lock && line.contains(**host)) {
            found.push(Violation::new(
                path,
                number + 1,
                format!("`{host}`: which registry is used is set on the machine"),
            ));
        }
    }
    found
}

/// Whether a path that begins with the folder stands in the line, rather than a longer path or an address that contains it.
fn begins_path(line: &str, folder: &str) -> bool {
    let continues = |character: char| character.is_alphanumeric() || "._-}~)$/*".contains(character);
    line.match_indices(folder).any(|(at, _)| !line[..at].ends_with(continues))
}

pub(super) fn readme(text: Option<&str>) -> Vec<Violation> {
    let Some(text) = text else {
        return vec![Violation::new("README.md", 1, "is missing")];
    };
    let commands = ["cargo run --release -- demo", "cargo xtask test"];
    let absent = commands.iter().filter(|command| !text.contains(**command));
    absent.map(|command| Violation::new("README.md", 1, format!("does not show `{command}`"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_names() {
        assert_eq!(names("crates/x/src/utils.rs").len(), 1);
        assert_eq!(names("crates/x/tests/common/mod.rs").len(), 1);
        assert!(names("crates/x/src/community.rs").is_empty());
    }

    #[test]
    fn machine_paths() {
        let inside = format!("see {}main", FOLDERS[0]);
        assert_eq!(content("docs/a.md", &inside).len(), 1);
        assert!(content("docs/a.md", &format!("https://example.test{}", FOLDERS[0])).is_empty());
        assert!(content("docs/a.md", "/workers/ and ~/work").is_empty());
    }

    #[test]
    fn registries() {
        assert_eq!(content("docs/a.md", REGISTRIES[0]).len(), 1);
        assert!(content("tests/browser/package-lock.json", REGISTRIES[0]).is_empty());
    }

    #[test]
    fn both_commands() {
        assert_eq!(readme(None).len(), 1);
        assert_eq!(readme(Some("cargo xtask test")).len(), 1);
        assert!(readme(Some("`cargo run --release -- demo` and `cargo xtask test --fast`")).is_empty());
    }
}
