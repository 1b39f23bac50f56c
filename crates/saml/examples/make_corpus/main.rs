//! Writes `tests/accepted/` and `tests/rejected/`: `cargo run -p doorward-saml --example make_corpus`.
//!
//! Signatures are deterministic, so a second run writes the same bytes. A case is a change to an accepted base; the
//! error it must cause stands beside it, so that it cannot be refused for another reason unnoticed.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a tool of the tests, run by hand")]

mod accepted;
mod edit;
mod rejected;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use doorward_saml::SamlKey;
use serde_json::{Value, json};

pub(crate) const ACS_URL: &str = "https://sp.example.test/acs";
pub(crate) const SP_ENTITY_ID: &str = "https://sp.example.test/metadata";
pub(crate) const IDP_ENTITY_ID: &str = "https://idp.example.test/saml";
pub(crate) const REQUEST_ID: &str = "_request1";
/// 2026-11-24T09:00:00Z.
pub(crate) const NOW_MS: i64 = 1_795_510_800_000;

/// One folder: a document and what is expected of it and with it.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) xml: String,
    /// Written instead of `xml` where the base64 itself is the point.
    pub(crate) base64: Option<String>,
    pub(crate) params: Value,
}

impl Case {
    pub(crate) fn new(name: &str, about: &str, xml: String) -> Case {
        Case {
            name: name.to_owned(),
            xml,
            base64: None,
            params: json!({
                "about": about,
                "now_ms": NOW_MS,
                "acs_url": ACS_URL,
                "sp_entity_id": SP_ENTITY_ID,
                "idp_entity_id": IDP_ENTITY_ID,
                "in_response_to": REQUEST_ID,
                "certificates": ["idp"],
            }),
        }
    }

    pub(crate) fn with(mut self, key: &str, value: Value) -> Case {
        self.params[key] = value;
        self
    }

    fn write(&self, kind: &str) {
        let folder = tests_folder().join(kind).join(&self.name);
        fs::create_dir_all(&folder).unwrap();
        match &self.base64 {
            Some(base64) => fs::write(folder.join("response.b64"), base64).unwrap(),
            None => fs::write(folder.join("response.xml"), &self.xml).unwrap(),
        }
        // In order of their names, so that a second run writes the same bytes however objects are kept.
        let params: BTreeMap<&String, &Value> = self.params.as_object().unwrap().iter().collect();
        let params = serde_json::to_string_pretty(&params).unwrap();
        fs::write(folder.join("params.json"), params + "\n").unwrap();
    }
}

fn tests_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// A file of `tests/keys`.
pub(crate) fn key_file(name: &str) -> String {
    fs::read_to_string(tests_folder().join("keys").join(name)).unwrap()
}

/// A key of `tests/keys` with its certificate.
pub(crate) fn key(name: &str) -> SamlKey {
    let (private, certificate) = (format!("{name}.key"), format!("{name}.crt"));
    SamlKey::from_pem(&key_file(&private), &key_file(&certificate)).unwrap()
}

fn main() {
    for (kind, cases) in [("accepted", accepted::cases()), ("rejected", rejected::cases())] {
        let folder = tests_folder().join(kind);
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        for case in &cases {
            case.write(kind);
        }
        println!("{}: {} cases", folder.display(), cases.len());
    }
}
