//! JWK sets: which keys count.

use doorward_oidc::{Algorithm, KeySet, Lookup};
use serde_json::{Map, Value, json};

use crate::signer::{base64url, jwks, keys};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn with(mut jwk: Map<String, Value>, name: &str, value: impl Into<Value>) -> Map<String, Value> {
    jwk.insert(name.into(), value.into());
    jwk
}

/// Why a key is left out, beside one that is not.
fn ignored(jwk: Value) -> &'static str {
    let good = Value::Object(with(keys().ed25519.jwk(), "kid", "good"));
    let set = KeySet::parse(json!({"keys": [jwk, good]}).to_string().as_bytes()).unwrap();
    assert_eq!(set.keys().len(), 1, "{jwk}");
    assert_eq!(set.keys()[0].kid(), Some("good"));
    set.ignored()[0].reason
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Value {
    json!({"kty": "RSA", "n": base64url(modulus), "e": base64url(exponent)})
}

/// A number of so many bits, odd.
fn modulus(bits: usize) -> Vec<u8> {
    let mut bytes = vec![0xA5; bits / 8];
    bytes[0] = 0x80;
    bytes
}

#[test]
fn reads_each_kind_of_key() {
    let all = [&keys().rsa, &keys().p256, &keys().p384, &keys().p521, &keys().ed25519];
    let set = KeySet::parse(&jwks(&all.map(|key| with(key.jwk(), "use", "sig")))).unwrap();
    assert!(set.ignored().is_empty());
    let fitting = |at: usize| {
        let fits = |algorithm: &Algorithm| set.keys()[at].fits(*algorithm);
        Algorithm::ALL.into_iter().filter(fits).map(Algorithm::name).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(fitting(0), "RS256 RS384 RS512 PS256 PS384 PS512");
    assert_eq!([fitting(1), fitting(2), fitting(3), fitting(4)], ["ES256", "ES384", "ES512", "EdDSA"]);
    let operations = with(keys().rsa.jwk(), "key_ops", json!(["verify"]));
    assert_eq!(KeySet::parse(&jwks(&[operations])).unwrap().keys().len(), 1);
}

#[test]
fn leaves_out_keys_that_are_not_for_signatures_or_not_public() {
    let rsa = || keys().rsa.jwk();
    for (jwk, reason) in [
        (with(rsa(), "use", "enc"), "its use is not sig"),
        (with(rsa(), "use", 1), "its use is not sig"),
        (with(rsa(), "key_ops", json!(["encrypt"])), "its key_ops do not contain verify"),
        (with(rsa(), "key_ops", "verify"), "its key_ops do not contain verify"),
        (with(rsa(), "d", "AQ"), "its private part is published, so everybody could sign with it"),
        (with(keys().p256.jwk(), "d", "AQ"), "its private part is published, so everybody could sign with it"),
        (with(keys().ed25519.jwk(), "d", ""), "its private part is published, so everybody could sign with it"),
        (with(rsa(), "k", "AQ"), "it is a symmetric key, which everybody who reads it could sign with"),
        (with(rsa(), "alg", "RSA-OAEP"), "its alg is none of the accepted ones"),
        (with(rsa(), "alg", "none"), "its alg is none of the accepted ones"),
        (with(rsa(), "alg", "HS256"), "its alg is none of the accepted ones"),
        (with(rsa(), "alg", "ES256"), "its alg is not one of its kind of key"),
        (with(keys().p256.jwk(), "alg", "ES384"), "its alg is not one of its kind of key"),
        (with(rsa(), "kty", "XYZ"), "its kty is none of the accepted ones"),
        (with(rsa(), "kty", "rsa"), "its kty is none of the accepted ones"),
        (with(rsa(), "issuer", 1), "its issuer is no string"),
        (with(rsa(), "kid", 1), "its kid is no string or too long"),
        (with(rsa(), "kid", "k".repeat(513)), "its kid is no string or too long"),
        (
            object(json!({"kty": "oct", "k": "c2VjcmV0", "kid": "x"})),
            "it is a symmetric key, which everybody who reads it could sign with",
        ),
        (object(json!({})), "its kty is none of the accepted ones"),
    ] {
        assert_eq!(ignored(Value::Object(jwk.clone())), reason, "{jwk:?}");
    }
    for jwk in [json!(null), json!("x"), json!([])] {
        assert_eq!(ignored(jwk), "it is no object");
    }
}

#[test]
fn leaves_out_rsa_keys_that_are_weak_or_malformed() {
    const E: &[u8] = &[1, 0, 1];
    let size = "its modulus is even or not of 2048 to 8192 bits";
    let exponent = "its exponent is even, smaller than 65537 or longer than 32 bits";
    for (jwk, reason) in [
        (rsa(&modulus(1024), E), size),
        (rsa(&modulus(2040), E), size),
        (rsa(&[&[0; 128], modulus(1024).as_slice()].concat(), E), size),
        (rsa(&[modulus(2040), vec![2]].concat(), E), size),
        (rsa(&[], E), size),
        (rsa(&modulus(16384), E), "its modulus is longer than 8192 bits"),
        (rsa(&modulus(2048), &[]), exponent),
        (rsa(&modulus(2048), &[1]), exponent),
        (rsa(&modulus(2048), &[3]), exponent),
        (rsa(&modulus(2048), &[1, 0, 0]), exponent),
        (rsa(&modulus(2048), &[1, 0, 0, 0, 1]), exponent),
        (rsa(&modulus(2048), &modulus(2048)), exponent),
        (json!({"kty": "RSA", "n": "AQ==", "e": "AQAB"}), "a part of it is not base64url"),
        (json!({"kty": "RSA", "n": "A+/A", "e": "AQAB"}), "a part of it is not base64url"),
        (json!({"kty": "RSA", "n": 5, "e": "AQAB"}), size),
    ] {
        assert_eq!(ignored(jwk.clone()), reason, "{jwk}");
    }
    for bits in [2048, 3072, 4096, 8192] {
        let set = KeySet::parse(&jwks(&[object(rsa(&modulus(bits), E))])).unwrap();
        assert_eq!(set.keys().len(), 1, "{bits}");
    }
    // The zero in front that ASN.1 needs and a JWK should not have.
    let padded = object(rsa(&[vec![0], keys().rsa.public_bytes()].concat(), E));
    let set = KeySet::parse(&jwks(&[padded])).unwrap();
    let setting = crate::signer::Setting { keys: set, ..crate::signer::setting() };
    setting.verify(&crate::signer::draft().without_header("kid").sign()).unwrap();
}

#[test]
fn leaves_out_points_that_are_on_no_accepted_curve() {
    let p256 = keys().p256.jwk();
    let off_curve = with(p256.clone(), "y", p256["x"].clone());
    let length = "its coordinates have another length than its curve";
    for (jwk, reason) in [
        (off_curve, "it is no point of its curve"),
        (with(p256.clone(), "x", base64url([0; 32])), "it is no point of its curve"),
        (with(p256.clone(), "x", base64url([0xFF; 32])), "it is no point of its curve"),
        (with(p256.clone(), "x", base64url([1; 31])), length),
        (with(p256.clone(), "x", base64url([1; 33])), length),
        (with(p256.clone(), "y", ""), length),
        (with(p256.clone(), "crv", "P-384"), length),
        (with(p256.clone(), "crv", "secp256k1"), "its curve is none of the accepted ones"),
        (with(p256, "crv", 256), "its curve is none of the accepted ones"),
        (with(keys().ed25519.jwk(), "x", base64url([1; 31])), "it has another length than an Ed25519 key"),
        (with(keys().ed25519.jwk(), "crv", "X25519"), "its curve is none of the accepted ones"),
        (with(keys().ed25519.jwk(), "crv", "Ed448"), "its curve is none of the accepted ones"),
    ] {
        assert_eq!(ignored(Value::Object(jwk.clone())), reason, "{jwk:?}");
    }
}

#[test]
fn refuses_sets_that_are_none_or_too_large() {
    let code = |text: &str| KeySet::parse(text.as_bytes()).unwrap_err().code();
    assert_eq!(code("{}"), "key_set_without_keys");
    assert_eq!(code(r#"{"keys":{}}"#), "key_set_without_keys");
    assert_eq!(code(r#"{"keys":[]}"#), "key_set_no_usable_key");
    assert_eq!(code(r#"{"keys":[{"kty":"oct","k":"AQ"}]}"#), "key_set_no_usable_key");
    assert_eq!(code("[]"), "json_not_an_object");
    assert_eq!(code("<html>"), "json_malformed");
    let jwk = serde_json::to_string(&keys().ed25519.jwk()).unwrap();
    let many = |count: usize| format!("{{\"keys\":[{}]}}", vec![jwk.as_str(); count].join(","));
    assert_eq!(KeySet::parse(many(128).as_bytes()).unwrap().keys().len(), 128);
    assert_eq!(code(&many(129)), "key_set_too_many_keys");
    assert_eq!(code(&format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(600_000))), "json_too_large");
    assert_eq!(code(&format!("{{\"keys\":[],\"keys\":[{jwk}]}}")), "json_malformed");
}

#[test]
fn finds_keys_by_id_and_algorithm() {
    let nameless = {
        let mut jwk = keys().p384.jwk();
        jwk.shift_remove("kid");
        jwk
    };
    let set = KeySet::parse(&jwks(&[keys().rsa.jwk(), keys().foreign.jwk(), keys().p256.jwk(), nameless])).unwrap();
    let found = |kid: Option<&str>, algorithm| match set.lookup(kid, algorithm) {
        Lookup::Keys(keys) => keys.len().to_string(),
        Lookup::WrongAlgorithm => "wrong algorithm".to_owned(),
        Lookup::UnknownKey => "unknown".to_owned(),
    };
    assert_eq!(found(Some("rsa-1"), Algorithm::RS256), "2");
    assert_eq!(found(None, Algorithm::RS256), "2");
    assert_eq!(found(None, Algorithm::ES384), "1");
    assert_eq!(found(Some("rsa-1"), Algorithm::ES256), "wrong algorithm");
    assert_eq!(found(Some("p384-1"), Algorithm::ES384), "unknown");
    assert_eq!(found(None, Algorithm::EdDSA), "unknown");
    assert!(!format!("{set:?}").contains(keys().rsa.jwk()["n"].as_str().unwrap()));
}
