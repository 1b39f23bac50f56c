//! Writes `tests/accepted/` and `tests/rejected/` of `doorward-saml`: `cargo run -p doorward-corpus --example make_corpus`.
//!
//! Signatures are deterministic, and so is encryption with the content keys kept in `tests/keys`; so a second run writes the
//! same bytes. A case is a change to an accepted base; the error it must cause stands beside it, so that it cannot be refused
//! for another reason unnoticed.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a tool of the tests, run by hand")]

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};

use doorward_corpus::{Case, KeyPair, Scene};
use doorward_saml::TrustedCertificate;
use serde_json::{Value, json};

fn tests_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).with_file_name("saml").join("tests")
}

fn key_file(name: &str) -> String {
    fs::read_to_string(tests_folder().join("keys").join(name)).unwrap()
}

fn key(name: &str) -> KeyPair {
    KeyPair::from_pem(&key_file(&format!("{name}.key")), &key_file(&format!("{name}.crt")))
}

fn main() {
    let content_keys = tests_folder().join("keys/content-keys.json");
    let scene = Scene {
        acs_url: "https://sp.example.test/acs".to_owned(),
        sp_entity_id: "https://sp.example.test/metadata".to_owned(),
        idp_entity_id: "https://idp.example.test/saml".to_owned(),
        request_id: "_request1".to_owned(),
        now_ms: 1_795_510_800_000, // 2026-11-24T09:00:00Z
        idp: key("idp"),
        foreign: key("foreign"),
        recipient: TrustedCertificate::parse(&key_file("sp.crt")).unwrap(),
        content_keys: RefCell::new(serde_json::from_slice(&fs::read(&content_keys).unwrap()).unwrap()),
    };
    for (kind, cases) in [("accepted", scene.accepted()), ("rejected", scene.rejected())] {
        let folder = tests_folder().join(kind);
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        for case in &cases {
            write(&scene, case, &folder.join(&case.name));
        }
        println!("{}: {} cases", folder.display(), cases.len());
    }
    let stored = serde_json::to_string_pretty(&*scene.content_keys.borrow()).unwrap();
    fs::write(content_keys, stored + "\n").unwrap();
}

fn write(scene: &Scene, case: &Case, folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    match &case.base64 {
        Some(base64) => fs::write(folder.join("response.b64"), base64).unwrap(),
        None => fs::write(folder.join("response.xml"), &case.xml).unwrap(),
    }
    let mut params = json!({
        "now_ms": scene.now_ms,
        "acs_url": scene.acs_url,
        "sp_entity_id": scene.sp_entity_id,
        "idp_entity_id": scene.idp_entity_id,
        "in_response_to": scene.request_id,
        "certificates": ["idp"],
    });
    for (key, value) in &case.params {
        params[key] = value.clone();
    }
    params.sort_all_objects();
    let params = serde_json::to_string_pretty::<Value>(&params).unwrap();
    fs::write(folder.join("params.json"), params + "\n").unwrap();
}
