//! Responses recorded from SimpleSAMLphp and samlp, with the verdict that python3-saml and xmlsec1 gave.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test says what it skips")]

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_saml::{
    Assertion, DEFAULT_CLOCK_SKEW_MS, DecryptionKey, Expectations, IdpMetadata, ResponseError, TrustedCertificate,
    UnverifiedResponse, validate_response,
};
use serde_json::Value;

struct Sample {
    name: String,
    json: Value,
    metadata: IdpMetadata,
}

impl Sample {
    fn text(&self, pointer: &str) -> &str {
        self.json.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{}: no {pointer}", self.name))
    }

    fn validate(&self, now_ms: i64, in_response_to: Option<&str>) -> Result<Assertion, ResponseError> {
        validate_response(
            self.text("/samlResponse"),
            &Expectations {
                now_ms,
                clock_skew_ms: DEFAULT_CLOCK_SKEW_MS,
                acs_url: self.text("/sp/acsUrl"),
                sp_entity_id: self.text("/sp/entityId"),
                idp_entity_id: self.text("/expected/issuer"),
                certificates: &self.metadata.certificates,
                decryption_keys: &[self.decryption_key()],
                in_response_to,
            },
        )
    }

    /// What the service provider of the recording had.
    fn decryption_key(&self) -> DecryptionKey {
        let pem = self.text("/sp/privateKeyPem");
        let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        DecryptionKey::from_pkcs8(&STANDARD.decode(base64).unwrap()).unwrap()
    }

    fn request(&self) -> Option<&str> {
        match self.json["idpInitiated"] == Value::Bool(true) {
            true => None,
            false => Some(self.text("/requestId")),
        }
    }

    /// The milliseconds of a time under `/expected/validity`.
    fn time(&self, field: &str) -> i64 {
        let text = self.text(&format!("/expected/validity/{field}"));
        let format = &time::format_description::well_known::Rfc3339;
        let moment = time::OffsetDateTime::parse(text, format).unwrap();
        i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).unwrap()
    }
}

/// All samples, or none with a message if the folder is not there.
fn samples() -> Vec<Sample> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples");
    let Ok(entries) = fs::read_dir(&folder) else {
        eprintln!("SKIPPED: no recorded responses at {}", folder.display());
        return Vec::new();
    };
    let mut samples: Vec<Sample> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let json: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            let metadata = json["idpMetadata"].as_str().unwrap();
            Sample {
                name: path.file_stem().unwrap().to_string_lossy().into_owned(),
                metadata: IdpMetadata::parse(metadata.as_bytes()).unwrap(),
                json,
            }
        })
        .collect();
    samples.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(samples.len(), 15);
    samples
}

/// The code with which a sample must be refused whatever the time, or `None` if it is good.
fn refusal(sample: &Sample) -> Option<&'static str> {
    (sample.name == "samlp-sha1").then_some("signature_algorithm_refused")
}

#[test]
fn samples_give_their_verdict_inside_of_their_validity() {
    for sample in samples() {
        for now in [
            sample.time("issueInstant"),
            sample.time("issueInstant") + 120_000,
            sample.time("issueInstant") - 59_000,
            sample.time("subjectConfirmationNotOnOrAfter") + 59_000,
        ] {
            match (sample.validate(now, sample.request()), refusal(&sample)) {
                (Ok(assertion), None) => assert_claims(&sample, &assertion),
                (Err(error), Some(code)) => assert_eq!(error.code(), code, "{}", sample.name),
                (result, expected) => {
                    panic!("{}: expected {expected:?}, got {result:?}", sample.name)
                }
            }
        }
    }
}

fn assert_claims(sample: &Sample, assertion: &Assertion) {
    let name = &sample.name;
    assert_eq!(assertion.issuer, sample.text("/expected/issuer"), "{name}");
    assert_eq!(assertion.id, sample.text("/expected/assertionId"), "{name}");
    assert_eq!(assertion.response_id, sample.text("/expected/responseId"), "{name}");
    assert_eq!(assertion.name_id.value, sample.text("/expected/nameId"), "{name}");
    assert_eq!(assertion.name_id.format.as_deref(), Some(sample.text("/expected/nameIdFormat")), "{name}");
    assert_eq!(assertion.session_index.as_deref(), Some(sample.text("/expected/sessionIndex")), "{name}");
    let expected = sample.json["expected"]["attributes"].as_object().unwrap();
    assert_eq!(assertion.attributes.len(), expected.len(), "{name}");
    for (attribute, values) in expected {
        let values: Vec<&str> = values.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let got: Vec<&str> = assertion.values(attribute).collect();
        assert_eq!(got, values, "{name}: {attribute}");
    }
}

#[test]
fn good_samples_are_refused_outside_of_their_validity() {
    for sample in samples() {
        if refusal(&sample).is_some() {
            continue;
        }
        let code = |now| sample.validate(now, sample.request()).unwrap_err().code();
        let end = sample.time("subjectConfirmationNotOnOrAfter") + DEFAULT_CLOCK_SKEW_MS;
        assert!(code(end).ends_with("_expired"), "{}", sample.name);
        let accepted = sample.validate(end - 1, sample.request()).unwrap();
        assert_eq!(accepted.not_on_or_after_ms, end, "{}", sample.name);
        let before = sample.time("issueInstant") - DEFAULT_CLOCK_SKEW_MS - 1;
        assert_eq!(code(before), "issued_in_future", "{}", sample.name);
        assert_eq!(code(0), "issued_in_future", "{}", sample.name);
        assert_eq!(code(i64::MAX), "issued_too_long_ago", "{}", sample.name);
        assert_eq!(code(i64::MIN), "issued_in_future", "{}", sample.name);
    }
}

#[test]
fn samples_answer_only_their_own_request() {
    for sample in samples() {
        if refusal(&sample).is_some() {
            continue;
        }
        let now = sample.time("issueInstant");
        let code = |request| sample.validate(now, request).unwrap_err().code();
        match sample.request() {
            None => assert_eq!(code(Some("_other")), "in_response_to_missing"),
            Some(_) => {
                assert_eq!(code(Some("_other")), "in_response_to_mismatch");
                assert_eq!(code(None), "in_response_to_unexpected");
            }
        }
    }
}

#[test]
fn unverified_headers_name_request_and_issuer() {
    for sample in samples() {
        let response = UnverifiedResponse::decode(sample.text("/samlResponse")).unwrap();
        let header = response.header().unwrap();
        assert_eq!(header.issuer.as_deref(), Some(sample.text("/expected/issuer")));
        assert_eq!(header.id.as_deref(), Some(sample.text("/expected/responseId")));
        assert_eq!(header.in_response_to.as_deref(), sample.request());
        assert_eq!(header.destination.as_deref(), Some(sample.text("/sp/acsUrl")));
    }
}

/// The Responses that other implementations are measured with: one good, five bad.
#[test]
fn fixtures_of_the_comparison_give_their_verdict() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/peers/bench/fixtures");
    let read = |name: &str| fs::read_to_string(folder.join(name));
    let Ok(pem) = read("idp.crt") else {
        eprintln!("SKIPPED: no fixtures at {}", folder.display());
        return;
    };
    let certificates = [TrustedCertificate::parse(&pem).unwrap()];
    let code = |name: &str| {
        let expected = Expectations {
            now_ms: 1_795_503_600_000,
            clock_skew_ms: DEFAULT_CLOCK_SKEW_MS,
            acs_url: "https://sp.example.test/acs",
            sp_entity_id: "https://sp.example.test/metadata",
            idp_entity_id: "https://idp.example.test/saml",
            certificates: &certificates,
            decryption_keys: &[],
            in_response_to: Some("_req1"),
        };
        match validate_response(&read(name).unwrap(), &expected) {
            Ok(_) => "ok",
            Err(error) => error.code(),
        }
    };
    assert_eq!(code("good.b64"), "ok");
    assert_eq!(code("bad-attr.b64"), "digest_mismatch");
    assert_eq!(code("bad-key.b64"), "signature_invalid");
    assert_eq!(code("bad-sig.b64"), "signature_invalid");
    assert_eq!(code("bad-unsigned.b64"), "signature_missing");
    assert_eq!(code("bad-xsw.b64"), "assertion_multiple");
}
