//! `accepted/` has a folder per style of Response, `rejected/` a folder per attack or mistake; each names its base, an
//! accepted Response from which it differs in that one thing. `cargo run -p doorward-corpus --example make_corpus` writes them.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use doorward_saml::{
    Assertion, DEFAULT_CLOCK_SKEW_MS, DecryptionKey, Expectations, ResponseError, TrustedCertificate, validate_response,
};
use serde_json::Value;

struct Case {
    name: String,
    saml_response: String,
    params: Value,
}

impl Case {
    fn read(folder: &Path) -> Case {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let params = fs::read(folder.join("params.json")).unwrap();
        let saml_response = match fs::read(folder.join("response.xml")) {
            Ok(xml) => STANDARD.encode(xml),
            Err(_) => fs::read_to_string(folder.join("response.b64")).unwrap(),
        };
        Case { saml_response, params: serde_json::from_slice(&params).unwrap(), name }
    }

    fn text(&self, key: &str) -> &str {
        self.params[key].as_str().unwrap_or_else(|| panic!("{}: no {key}", self.name))
    }

    fn validate(&self) -> Result<Assertion, ResponseError> {
        self.validate_at(self.params["now_ms"].as_i64().unwrap())
    }

    fn validate_at(&self, now_ms: i64) -> Result<Assertion, ResponseError> {
        let certificates: Vec<TrustedCertificate> = self.params["certificates"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| certificate(name.as_str().unwrap()))
            .collect();
        let keys = self.params["decryption_keys"].as_array().into_iter().flatten();
        let decryption_keys: Vec<DecryptionKey> = keys.map(|name| decryption_key(name.as_str().unwrap())).collect();
        validate_response(
            &self.saml_response,
            &Expectations {
                now_ms,
                clock_skew_ms: DEFAULT_CLOCK_SKEW_MS,
                acs_url: self.text("acs_url"),
                sp_entity_id: self.text("sp_entity_id"),
                idp_entity_id: self.text("idp_entity_id"),
                certificates: &certificates,
                decryption_keys: &decryption_keys,
                in_response_to: self.params["in_response_to"].as_str(),
            },
        )
    }
}

fn tests_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn certificate(name: &str) -> TrustedCertificate {
    let path = tests_folder().join("keys").join(name).with_extension("crt");
    TrustedCertificate::parse(&fs::read_to_string(path).unwrap()).unwrap()
}

fn decryption_key(name: &str) -> DecryptionKey {
    let pem = fs::read_to_string(tests_folder().join("keys").join(name).with_extension("key")).unwrap();
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    DecryptionKey::from_pkcs8(&STANDARD.decode(base64).unwrap()).unwrap()
}

fn cases(kind: &str) -> Vec<Case> {
    let mut folders: Vec<PathBuf> =
        fs::read_dir(tests_folder().join(kind)).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders.iter().map(|folder| Case::read(folder)).collect()
}

fn assert_accepted(case: &Case) -> Assertion {
    let assertion =
        case.validate().unwrap_or_else(|error| panic!("{} was refused: {} {error}", case.name, error.code()));
    assert_eq!(assertion.name_id.value, case.text("name_id"), "{}", case.name);
    assert_eq!(assertion.id, case.text("assertion_id"), "{}", case.name);
    assertion
}

#[test]
fn every_accepted_case_is_accepted() {
    let cases = cases("accepted");
    assert!(cases.len() >= 35, "{} cases", cases.len());
    for case in &cases {
        let assertion = assert_accepted(case);
        let groups: Vec<&str> = assertion.values("groups").collect();
        let expected = case.params["groups"].as_array().unwrap();
        let expected: Vec<&str> = expected.iter().filter_map(Value::as_str).collect();
        assert_eq!(groups, expected, "{}", case.name);
    }
}

#[test]
fn replays_are_too_late_when_they_are_forgotten() {
    for case in cases("accepted") {
        let forgotten = case.validate().unwrap().not_on_or_after_ms;
        assert!(case.validate_at(forgotten - 1).is_ok(), "{}", case.name);
        assert!(case.validate_at(forgotten).is_err(), "{}", case.name);
    }
}

#[test]
fn every_rejected_case_is_rejected_for_its_own_reason() {
    let cases = cases("rejected");
    assert!(cases.len() >= 350, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        // The base must pass: otherwise the case could fail for a reason it shares with it.
        assert_accepted(&Case::read(&tests_folder().join("accepted").join(case.text("base"))));
        match case.validate() {
            Ok(assertion) => wrong.push(format!("{} signed in {}", case.name, assertion.name_id.value)),
            Err(error) if error.code() == case.text("error") => {}
            Err(error) => {
                wrong.push(format!("{}: expected {}, got {} ({error})", case.name, case.text("error"), error.code()))
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whatever became of a ciphertext that nobody vouches for: whoever sent it learns nothing from the answer.
#[test]
fn decryption_fails_in_one_way_only() {
    let mut answers: Vec<(String, String)> = cases("rejected")
        .iter()
        .filter(|case| case.text("error") == "decryption_failed")
        .map(|case| (case.validate().unwrap_err().to_string(), case.name.clone()))
        .collect();
    assert!(answers.len() >= 50, "{} cases", answers.len());
    answers.sort();
    answers.dedup_by(|a, b| a.0 == b.0);
    assert_eq!(answers.len(), 1, "{answers:#?}");
}

/// The form value's own limit stands before everything else, so that nothing long is decoded.
#[test]
fn a_form_value_is_not_longer_than_a_document_can_be() {
    let case = &cases("accepted")[0];
    let code = |length: usize| {
        let saml_response = format!("{}{}", case.saml_response, " ".repeat(length - case.saml_response.len()));
        let params = case.params.clone();
        Case { name: case.name.clone(), saml_response, params }.validate().map_err(|error| error.code())
    };
    let longest = 256 * 1024 / 3 * 4 + 256 * 1024 / 16;
    assert!(code(longest).is_ok());
    assert_eq!(code(longest + 1), Err("response_too_large"));
}

#[test]
fn messages_are_bounded_and_carry_no_control_characters() {
    for case in cases("rejected") {
        let message = case.validate().unwrap_err().to_string();
        assert!(message.chars().count() < 700, "{}: {message}", case.name);
        assert!(!message.chars().any(char::is_control), "{}", case.name);
    }
}
