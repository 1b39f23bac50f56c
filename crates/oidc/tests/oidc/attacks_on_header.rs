//! Headers that want another algorithm, another key, or another kind of token (RFC 8725).

use aws_lc_rs::hmac;
use doorward_oidc::{Algorithm, KeySet};
use serde_json::{Value, json};

use crate::signer::{
    Attack, Setting, assert_refused, assert_refused_by, base64url, draft, draft_by, jwks, keys, raw, setting,
};

fn unsigned(algorithm: impl Into<Value>) -> String {
    let draft = draft().header("alg", algorithm);
    format!("{}.{}.", base64url(draft.header_json()), base64url(draft.claims_json()))
}

fn by_hmac(name: &str, algorithm: hmac::Algorithm, secret: &[u8]) -> String {
    let draft = draft().header("alg", name);
    let message = format!("{}.{}", base64url(draft.header_json()), base64url(draft.claims_json()));
    let tag = hmac::sign(&hmac::Key::new(algorithm, secret), message.as_bytes());
    format!("{message}.{}", base64url(tag))
}

#[test]
fn refuses_tokens_without_a_signature_in_every_spelling() {
    let attacks: Vec<Attack<'_>> = vec![
        ("none", unsigned("none"), "algorithm_refused"),
        ("None", unsigned("None"), "algorithm_refused"),
        ("NONE", unsigned("NONE"), "algorithm_refused"),
        ("nOnE", unsigned("nOnE"), "algorithm_refused"),
        ("none with a signature", draft().header("alg", "none").sign(), "algorithm_refused"),
        ("none and a space", unsigned("none "), "algorithm_refused"),
        ("an empty name", unsigned(""), "algorithm_refused"),
        ("null", unsigned(Value::Null), "token_header_parameter_invalid"),
        ("false", unsigned(false), "token_header_parameter_invalid"),
        ("a list", unsigned(json!(["RS256"])), "token_header_parameter_invalid"),
        ("no alg", raw(&keys().rsa, "RS256", r#"{"kid":"rsa-1"}"#, draft().claims_json()), "algorithm_refused"),
    ];
    assert_refused(&attacks);
}

#[test]
fn refuses_the_public_key_as_a_shared_secret() {
    let modulus = keys().rsa.public_bytes();
    let jwk = serde_json::to_vec(&keys().rsa.jwk()).unwrap();
    let attacks: Vec<Attack<'_>> = vec![
        ("HS256 by the modulus", by_hmac("HS256", hmac::HMAC_SHA256, &modulus), "algorithm_refused"),
        ("HS256 by the text of the JWK", by_hmac("HS256", hmac::HMAC_SHA256, &jwk), "algorithm_refused"),
        ("HS256 by nothing", by_hmac("HS256", hmac::HMAC_SHA256, b""), "algorithm_refused"),
        ("HS384", by_hmac("HS384", hmac::HMAC_SHA384, &modulus), "algorithm_refused"),
        ("HS512", by_hmac("HS512", hmac::HMAC_SHA512, &modulus), "algorithm_refused"),
        ("an HMAC that says RS256", by_hmac("RS256", hmac::HMAC_SHA256, &modulus), "signature_invalid"),
    ];
    assert_refused(&attacks);
}

#[test]
fn refuses_algorithms_that_are_unknown_or_not_the_providers() {
    let attacks: Vec<Attack<'_>> = vec![
        ("lower case", draft().header("alg", "rs256").sign(), "algorithm_refused"),
        ("a space behind", draft().header("alg", "RS256 ").sign(), "algorithm_refused"),
        ("RS1", draft().header("alg", "RS1").sign(), "algorithm_refused"),
        ("ES256K", draft().header("alg", "ES256K").sign(), "algorithm_refused"),
        ("Ed448", draft().header("alg", "Ed448").sign(), "algorithm_refused"),
        ("an algorithm of encryption", draft().header("alg", "RSA-OAEP").sign(), "algorithm_refused"),
    ];
    assert_refused(&attacks);
    let only_rs256 = Setting { algorithms: vec![Algorithm::RS256], ..setting() };
    only_rs256.verify(&draft().sign()).unwrap();
    let others = Algorithm::ALL.into_iter().filter(|algorithm| *algorithm != Algorithm::RS256);
    let attacks: Vec<Attack<'_>> =
        others.map(|algorithm| (algorithm.name(), draft_by(algorithm).sign(), "algorithm_refused")).collect();
    assert_refused_by(&only_rs256, &attacks);
    let nothing = Setting { algorithms: Vec::new(), ..setting() };
    assert_refused_by(&nothing, &[("none is accepted", draft().sign(), "algorithm_refused")]);
}

#[test]
fn refuses_keys_for_algorithms_they_are_not_of() {
    let mut confined = keys().rsa.jwk();
    confined.insert("alg".into(), "RS256".into());
    let confined = Setting { keys: KeySet::parse(&jwks(&[confined])).unwrap(), ..setting() };
    confined.verify(&draft().sign()).unwrap();
    assert_refused_by(
        &confined,
        &[
            ("PS256 by a key for RS256", draft_by(Algorithm::PS256).sign(), "key_algorithm_mismatch"),
            ("RS512 by a key for RS256", draft_by(Algorithm::RS512).sign(), "key_algorithm_mismatch"),
        ],
    );
    let attacks: Vec<Attack<'_>> = vec![
        ("ES256 by an RSA key", draft().header("alg", "ES256").sign_with(&keys().rsa), "key_algorithm_mismatch"),
        ("EdDSA by an RSA key", draft().header("alg", "EdDSA").sign_with(&keys().rsa), "key_algorithm_mismatch"),
        ("RS256 by a P-256 key", draft().header("kid", "p256-1").sign_with(&keys().p256), "key_algorithm_mismatch"),
        ("ES384 by a P-256 key", draft_by(Algorithm::ES256).header("alg", "ES384").sign(), "key_algorithm_mismatch"),
        ("ES256 by a P-384 key", draft_by(Algorithm::ES384).header("alg", "ES256").sign(), "key_algorithm_mismatch"),
        ("ES256 by a P-521 key", draft_by(Algorithm::ES512).header("alg", "ES256").sign(), "key_algorithm_mismatch"),
        ("EdDSA by a P-256 key", draft_by(Algorithm::ES256).header("alg", "EdDSA").sign(), "key_algorithm_mismatch"),
    ];
    assert_refused(&attacks);
    // The header says one padding or hash, the signature has another.
    let relabelled = |says: Algorithm, is: &str| {
        let draft = draft_by(says);
        raw(&keys().rsa, is, draft.header_json(), draft.claims_json())
    };
    assert_refused(&[
        ("PS256 over RS256", relabelled(Algorithm::PS256, "RS256"), "signature_invalid"),
        ("RS256 over PS256", relabelled(Algorithm::RS256, "PS256"), "signature_invalid"),
        ("RS512 over RS256", relabelled(Algorithm::RS512, "RS256"), "signature_invalid"),
        ("PS384 over PS256", relabelled(Algorithm::PS384, "PS256"), "signature_invalid"),
    ]);
}

#[test]
fn never_takes_a_key_from_the_token() {
    let foreign = keys().foreign.jwk();
    let by_foreign = |name: &str, value: Value| draft().header(name, value).sign_with(&keys().foreign);
    let attacks: Vec<Attack<'_>> = vec![
        ("jwk", by_foreign("jwk", foreign.clone().into()), "header_parameter_refused"),
        (
            "jwk without kid",
            draft().without_header("kid").header("jwk", foreign).sign_with(&keys().foreign),
            "header_parameter_refused",
        ),
        ("jwk of the provider itself", draft().header("jwk", keys().rsa.jwk()).sign(), "header_parameter_refused"),
        ("jku", by_foreign("jku", "https://evil.test/jwks".into()), "header_parameter_refused"),
        ("x5u", by_foreign("x5u", "https://evil.test/chain.pem".into()), "header_parameter_refused"),
        ("x5c", by_foreign("x5c", json!(["MIIB"])), "signature_invalid"),
        ("x5t", by_foreign("x5t", "AAAA".into()), "signature_invalid"),
    ];
    assert_refused(&attacks);
}

#[test]
fn refuses_extensions_it_does_not_understand() {
    let attacks: Vec<Attack<'_>> = vec![
        ("crit", draft().header("crit", json!(["exp"])).sign(), "header_parameter_refused"),
        ("an empty crit", draft().header("crit", json!([])).sign(), "header_parameter_refused"),
        ("crit that is null", draft().header("crit", Value::Null).sign(), "header_parameter_refused"),
        (
            "crit with b64",
            draft().header("crit", json!(["b64"])).header("b64", false).sign(),
            "header_parameter_refused",
        ),
        ("b64 false", draft().header("b64", false).sign(), "header_parameter_refused"),
        ("b64 true", draft().header("b64", true).sign(), "header_parameter_refused"),
    ];
    assert_refused(&attacks);
}

#[test]
fn refuses_tokens_of_other_kinds() {
    let mut attacks: Vec<Attack<'_>> = Vec::new();
    for kind in ["at+jwt", "application/at+jwt", "AT+JWT", "logout+jwt", "secevent+jwt", "dpop+jwt", "JOSE", "", "JWT "]
    {
        attacks.push((kind, draft().header("typ", kind).sign(), "token_type_mismatch"));
    }
    attacks.push(("a number", draft().header("typ", 1).sign(), "token_header_parameter_invalid"));
    assert_refused(&attacks);
}

#[test]
fn refuses_key_ids_of_no_key_and_asks_for_new_keys_only_then() {
    let attacks: Vec<Attack<'_>> = vec![
        ("unknown", draft().header("kid", "rsa-2").sign(), "key_unknown"),
        ("in other case", draft().header("kid", "RSA-1").sign(), "key_unknown"),
        ("empty", draft().header("kid", "").sign(), "key_unknown"),
        ("a path", draft().header("kid", "../../dev/null").sign(), "key_unknown"),
        ("a query", draft().header("kid", "x' UNION SELECT 'y").sign(), "key_unknown"),
        ("control characters", draft().header("kid", "rsa-1\u{1b}[2J\r\n").sign(), "key_unknown"),
        ("a number", draft().header("kid", 1).sign(), "token_header_parameter_invalid"),
        ("null", draft().header("kid", Value::Null).sign(), "token_header_parameter_invalid"),
        ("longer than accepted", draft().header("kid", "k".repeat(600)).sign(), "token_header_parameter_invalid"),
    ];
    assert_refused(&attacks);
    for (_, token, code) in attacks {
        assert_eq!(setting().verify(&token).unwrap_err().wants_new_keys(), code == "key_unknown");
    }
    let foreign = |draft: crate::signer::Draft| draft.sign_with(&keys().foreign);
    assert!(setting().verify(&foreign(draft().without_header("kid"))).unwrap_err().wants_new_keys());
    assert!(!setting().verify(&foreign(draft())).unwrap_err().wants_new_keys());
    assert!(!setting().verify(&draft().claim("aud", "x").sign()).unwrap_err().wants_new_keys());
}
