//! What each room of the program must not know.

use anyhow::{Context, Result};
use serde_json::Value;

use super::Violation;
use super::source::Source;

/// Protocol crates: values in, values out. `server/outbound` moves the bytes.
const PURE_CRATES: &[&str] = &["saml", "oidc", "scim"];
const NO_INPUT_OUTPUT: &[&str] =
    &["reqwest", "hyper", "axum", "sqlx", "tokio", "rusqlite", "tokio-postgres", "tower", "tower-http"];

/// The arrows between our own crates. A crate that is not listed here (the server, this tool) may use any.
const ARROWS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("saml", &[]),
    ("oidc", &[]),
    ("scim", &[]),
    ("rules", &["model"]),
    ("store", &["model"]),
    ("corpus", &["saml"]),
];

/// Checks the manifests of our crates, as `cargo metadata` reads them.
pub(super) fn dependencies(metadata: &Value) -> Result<Vec<Violation>> {
    let root = metadata["workspace_root"].as_str().context("cargo metadata names no workspace root")?;
    let mut found = Vec::new();
    for package in metadata["packages"].as_array().context("cargo metadata lists no packages")? {
        let manifest = package["manifest_path"].as_str().unwrap_or_default();
        let path = manifest.strip_prefix(root).unwrap_or(manifest).trim_start_matches('/');
        let Some(folder) = path.strip_prefix("crates/").and_then(|path| path.strip_suffix("/Cargo.toml")) else {
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let name = dependency["name"].as_str().unwrap_or_default();
            let kind = dependency["kind"].as_str().unwrap_or("normal");
            found.extend(refused(folder, name, kind).map(|reason| Violation::new(path, 1, reason)));
        }
    }
    Ok(found)
}

fn refused(folder: &str, dependency: &str, kind: &str) -> Option<String> {
    if let Some(ours) = dependency.strip_prefix("doorward-") {
        let (_, allowed) = ARROWS.iter().find(|(from, _)| *from == folder)?;
        return (!allowed.contains(&ours))
            .then(|| format!("crates/{folder} must not depend on {dependency}: no arrow leads there"));
    }
    let barred = PURE_CRATES.contains(&folder) && kind != "dev" && NO_INPUT_OUTPUT.contains(&dependency);
    barred.then(|| format!("crates/{folder} must not depend on {dependency}: it does no input or output"))
}

/// Checks what the code of a room mentions.
pub(super) fn sources(source: &Source<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut forbid = |words: &[&str], reason: &str| {
        for word in words {
            found.extend(
                source
                    .words(word)
                    .into_iter()
                    .map(|at| Violation::new(source.path, source.line(at), format!("`{word}`: {reason}"))),
            );
        }
    };
    if within(source.path, &["crates/rules/src/"]) {
        forbid(&["async", ".await"], "rules decide on facts that are already there; they never wait");
    }
    if within(source.path, &["crates/server/src/flows/", "crates/server/src/jobs/"]) {
        forbid(&["axum", "StatusCode"], "flows and jobs know no HTTP; the edge maps outcomes to answers");
    }
    found.extend(sql(source));
    found.extend(writes(source));
    found
}

/// SQL stands in `store` alone. A string is taken for SQL by how it begins.
fn sql(source: &Source<'_>) -> Vec<Violation> {
    const STATEMENTS: &[&str] = &[
        "SELECT ",
        "INSERT INTO ",
        "INSERT OR ",
        "UPDATE ",
        "DELETE FROM ",
        "CREATE TABLE ",
        "ALTER TABLE ",
        "DROP TABLE ",
    ];
    if !within(source.path, &["crates/"]) || within(source.path, &["crates/store/"]) {
        return Vec::new();
    }
    let begins_statement = |at: &usize| {
        let content = source.literals[at + 1..].trim_start();
        STATEMENTS.iter().any(|statement| content.starts_with(statement))
    };
    let quotes = source.literals.match_indices('"').map(|(at, _)| at);
    let strings = quotes.filter(|at| begins_statement(at) && !source.is_test(*at));
    strings.map(|at| Violation::new(source.path, source.line(at), "SQL stands in crates/store alone")).collect()
}

/// A write transaction is opened where a use case is carried out, and nowhere else.
fn writes(source: &Source<'_>) -> Vec<Violation> {
    let allowed = ["crates/store/", "crates/server/src/flows/", "crates/server/src/jobs/"];
    if !within(source.path, &["crates/"]) || within(source.path, &allowed) {
        return Vec::new();
    }
    let is_of_store = |at: &usize| {
        let before = source.code[..*at].trim_end();
        before.strip_suffix("()").unwrap_or(before).ends_with("store")
    };
    let calls = source.code.match_indices(".write(").map(|(at, _)| at).filter(is_of_store);
    let outside = calls.chain(source.words("write_tx!")).filter(|at| !source.is_test(*at));
    outside
        .map(|at| {
            Violation::new(source.path, source.line(at), "writing transactions are for flows and jobs; call a flow")
        })
        .collect()
}

fn within(path: &str, folders: &[&str]) -> bool {
    folders.iter().any(|folder| path.starts_with(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        sources(&Source::new(path, text)).iter().map(|violation| violation.line).collect()
    }

    #[test]
    fn arrows() {
        assert!(refused("saml", "doorward-model", "normal").is_some());
        assert!(refused("saml", "doorward-model", "dev").is_some());
        assert!(refused("saml", "tokio", "normal").is_some());
        assert!(refused("saml", "tokio", "dev").is_none());
        assert!(refused("saml", "roxmltree", "normal").is_none());
        assert!(refused("rules", "doorward-model", "normal").is_none());
        assert!(refused("rules", "doorward-store", "normal").is_some());
        assert!(refused("server", "doorward-store", "normal").is_none());
    }

    #[test]
    fn reads_metadata() {
        let metadata = serde_json::json!({"workspace_root": "/x", "packages": [
            {"manifest_path": "/x/crates/saml/Cargo.toml", "dependencies": [{"name": "reqwest", "kind": null}]},
            {"manifest_path": "/x/xtask/Cargo.toml", "dependencies": [{"name": "doorward-saml", "kind": null}]},
        ]});
        let found = dependencies(&metadata).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "crates/saml/Cargo.toml");
    }

    #[test]
    fn rules_never_wait() {
        assert_eq!(lines("crates/rules/src/join.rs", "// async\nasync fn f() { g().await }\n"), [2, 2]);
        assert!(lines("crates/server/src/app.rs", "async fn f() {}").is_empty());
    }

    #[test]
    fn flows_know_no_http() {
        assert_eq!(lines("crates/server/src/flows/a.rs", "use axum::Json;\nuse http::StatusCode;\n"), [1, 2]);
        assert!(lines("crates/server/src/http/a.rs", "use axum::Json;").is_empty());
        assert!(lines("crates/server/src/flows/a.rs", "// axum\nlet a = \"axum\";").is_empty());
    }

    #[test]
    fn sql_in_store_alone() {
        let text = "let a = \"SELECT 1\";\nlet b = r#\"\n  DELETE FROM users\"#;\nlet c = \"Select one\";\n";
        assert_eq!(lines("crates/server/src/app.rs", text), [1, 2]);
        assert!(lines("crates/store/src/users.rs", text).is_empty());
        assert!(lines("crates/server/tests/harness/mod.rs", text).is_empty());
    }

    #[test]
    fn writes_in_flows_and_jobs() {
        let text = "app.store.write(|tx| x);\napp.store()\n    .write(|tx| x);\nlock.write();\nfile.write(bytes);\nwrite_tx!(store, |tx| x);\n";
        assert_eq!(lines("crates/server/src/backend_api/users.rs", text), [1, 3, 6]);
        assert!(lines("crates/server/src/flows/users.rs", text).is_empty());
    }
}
