//! CPU time of validating a Response, against a floor: SHA-256 over its bytes and one RSA-2048 verification.
//!
//! `cargo run --release -p doorward-saml --example bench_validate` prints a JSON line per measure. The measures take
//! turns, so that a busy machine slows all of them alike; the figure is the median of the rounds.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, run by hand")]

mod hostile;
mod modes;

use std::fs;
use std::hint::black_box;
use std::path::PathBuf;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use doorward_saml::SamlKey;
use doorward_saml::{DEFAULT_CLOCK_SKEW_MS, Expectations, TrustedCertificate, validate_response};

const ROUNDS: usize = 41;
/// What one round of one measure should take at least, in nanoseconds.
const ROUND_NS: u64 = 4_000_000;

struct Measure<'a> {
    name: String,
    run: Box<dyn Fn() + 'a>,
    per_round: u64,
    rounds_ns: Vec<f64>,
}

fn main() {
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/peers/bench/fixtures");
    let keys = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
    let read = |folder: &PathBuf, name: &str| fs::read_to_string(folder.join(name));
    let key = SamlKey::from_pem(&read(&keys, "idp.key").unwrap(), &read(&keys, "idp.crt").unwrap()).unwrap();
    // 2026-11-24T07:00:00Z, shortly after the fixture was made.
    let now_ms = 1_795_503_600_000;
    let (good, certificate) = match (read(&fixtures, "good.b64"), read(&fixtures, "idp.crt")) {
        (Ok(good), Ok(pem)) => (good.trim().to_owned(), TrustedCertificate::parse(&pem).unwrap()),
        _ => {
            println!("{{\"note\":\"no fixture at {}, measuring our own\"}}", fixtures.display());
            (own_response(&key, now_ms), key.certificate().clone())
        }
    };
    let certificates = [certificate];
    let own = [key.certificate().clone()];
    let expected = |certificates| Expectations {
        now_ms,
        clock_skew_ms: DEFAULT_CLOCK_SKEW_MS,
        acs_url: "https://sp.example.test/acs",
        sp_entity_id: "https://sp.example.test/metadata",
        idp_entity_id: "https://idp.example.test/saml",
        certificates,
        decryption_keys: &[],
        in_response_to: Some("_req1"),
    };
    let good_expected: Expectations = expected(&certificates);
    let hostile_expected: Expectations = expected(&own);
    assert_eq!(validate_response(&good, &good_expected).unwrap().name_id.value, "jane.doe@example.test");

    let document = STANDARD.decode(&good).unwrap();
    let (verifier, signature) = rsa_pair(&read(&keys, "idp.key").unwrap(), &document[..1000]);
    let hostile = hostile::documents(&key);
    let modes = modes::responses(&key, &keys, now_ms);
    let decryption_keys = [modes::decryption_key(&keys)];
    let mut measures = vec![
        measure("floor", || {
            black_box(digest(&SHA256, black_box(&document)));
            verifier.verify_sig(black_box(&document[..1000]), &signature).unwrap();
        }),
        measure("validate", || {
            black_box(validate_response(black_box(&good), &good_expected)).unwrap();
        }),
        measure("certificate_parse", || {
            black_box(TrustedCertificate::from_der(black_box(own[0].der().to_vec()))).unwrap();
        }),
    ];
    for (name, certificate, base64) in &modes {
        let expected =
            Expectations { decryption_keys: &decryption_keys, ..expected(std::slice::from_ref(certificate)) };
        assert_eq!(validate_response(base64, &expected).unwrap().attributes.len(), modes::ATTRIBUTES, "{name}");
        measures.push(measure(name, move || {
            black_box(validate_response(black_box(base64), &expected)).unwrap();
        }));
    }
    for (name, code, base64) in &hostile {
        let error = validate_response(base64, &hostile_expected).unwrap_err();
        assert_eq!(error.code(), *code, "{name}: {error}");
        measures.push(measure(&format!("hostile/{name}"), || {
            black_box(validate_response(black_box(base64), &hostile_expected)).unwrap_err();
        }));
    }
    measure_in_turns(&mut measures);
    report(&measures);
}

fn measure<'a>(name: &str, run: impl Fn() + 'a) -> Measure<'a> {
    Measure { name: name.to_owned(), run: Box::new(run), per_round: 1, rounds_ns: Vec::with_capacity(ROUNDS) }
}

fn measure_in_turns(measures: &mut [Measure]) {
    for measure in measures.iter_mut() {
        (measure.run)();
        let once = cpu_ns(&measure.run, 1).max(1);
        measure.per_round = (ROUND_NS / once).clamp(1, 1000);
    }
    for _ in 0..ROUNDS {
        for measure in measures.iter_mut() {
            let ns = cpu_ns(&measure.run, measure.per_round);
            measure.rounds_ns.push(ns as f64 / measure.per_round as f64);
        }
    }
}

/// CPU time of `times` runs: what the scheduler charged this thread (first field of schedstat), in nanoseconds.
fn cpu_ns(run: &dyn Fn(), times: u64) -> u64 {
    let start = charged_ns();
    for _ in 0..times {
        run();
    }
    charged_ns() - start
}

fn charged_ns() -> u64 {
    // The kernel brings the counter up to date when the thread is scheduled; yielding makes it do so now.
    std::thread::yield_now();
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse().unwrap()
}

fn report(measures: &[Measure]) {
    let median = |measure: &Measure| {
        let mut sorted = measure.rounds_ns.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    };
    let floor = median(&measures[0]);
    let mut worst = (0.0, "");
    for measure in measures {
        let ns = median(measure);
        if measure.name.starts_with("hostile/") && ns > worst.0 {
            worst = (ns, &measure.name);
        }
        print_line(&measure.name, ns, floor);
    }
    print_line(&format!("worst_hostile={}", worst.1), worst.0, floor);
}

fn print_line(name: &str, ns: f64, floor: f64) {
    println!("{{\"measure\":\"{name}\",\"cpu_us\":{:.1},\"times_floor\":{:.2}}}", ns / 1000.0, ns / floor);
}

fn own_response(key: &SamlKey, now_ms: i64) -> String {
    STANDARD.encode(modes::signed(key, now_ms))
}

fn rsa_pair(pem: &str, message: &[u8]) -> (ParsedPublicKey, Vec<u8>) {
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let key = RsaKeyPair::from_pkcs8(&STANDARD.decode(base64).unwrap()).unwrap();
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
    let verifier = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key()).unwrap();
    (verifier, signature)
}
