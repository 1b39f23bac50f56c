//! What has to be accepted, for each algorithm, with `jsonwebtoken` for a second opinion.

use aws_lc_rs::digest;
use doorward_oidc::{
    Algorithm, Expectations, ExpectedIssuer, Issuer, KeySet, ManualEndpoints, ProviderMetadata, Secret, verify_id_token,
};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Value, json};

use crate::signer::{
    self, ACCESS_TOKEN, CLIENT_ID, Draft, ISSUER, NONCE, NOW_S, SigningKey, base64url, draft, draft_by, jwks, key_for,
    keys, setting,
};

fn accepts(draft: Draft) -> doorward_oidc::IdToken {
    setting().verify(&draft.sign()).unwrap()
}

/// `jsonwebtoken` has no ES512.
fn in_jsonwebtoken(algorithm: Algorithm) -> Option<jsonwebtoken::Algorithm> {
    algorithm.name().parse().ok()
}

fn decoding_key(key: &SigningKey) -> DecodingKey {
    let jwk = key.jwk();
    let text = |name: &str| jwk[name].as_str().unwrap();
    match text("kty") {
        "RSA" => DecodingKey::from_rsa_components(text("n"), text("e")).unwrap(),
        "EC" => DecodingKey::from_ec_components(text("x"), text("y")).unwrap(),
        _ => DecodingKey::from_ed_components(text("x")).unwrap(),
    }
}

#[test]
fn each_algorithm_and_jsonwebtoken_agrees() {
    for algorithm in Algorithm::ALL {
        let token = draft_by(algorithm).sign();
        let verified = setting().verify(&token).unwrap();
        assert_eq!((verified.subject(), verified.issuer()), ("248289761001", ISSUER), "{algorithm}");
        assert_eq!(verified.algorithm(), algorithm);
        assert_eq!((verified.expires_at_ms(), verified.issued_at_ms()), ((NOW_S + 300) * 1000, (NOW_S - 2) * 1000));
        assert_eq!(verified.claims().get("email"), Some(&json!("jane@acme.test")));
        if let Some(theirs) = in_jsonwebtoken(algorithm) {
            let mut validation = Validation::new(theirs);
            validation.set_audience(&[CLIENT_ID]);
            validation.validate_exp = false;
            let data = jsonwebtoken::decode::<Value>(&token, &decoding_key(key_for(algorithm)), &validation).unwrap();
            assert_eq!(data.claims, Value::Object(draft().claims));
        }
    }
}

#[test]
fn what_jsonwebtoken_signs() {
    for algorithm in Algorithm::ALL {
        let Some(theirs) = in_jsonwebtoken(algorithm) else { continue };
        let der = key_for(algorithm).private_der();
        let key = match algorithm {
            Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_der(&der),
            Algorithm::EdDSA => EncodingKey::from_ed_der(&der),
            _ => EncodingKey::from_rsa_der(&der),
        };
        let header = Header { kid: Some(key_for(algorithm).kid.to_owned()), ..Header::new(theirs) };
        let token = jsonwebtoken::encode(&header, &draft().claims, &key).unwrap();
        assert_eq!(setting().verify(&token).unwrap().subject(), "248289761001", "{algorithm}");
    }
}

#[test]
fn the_signed_example_of_rfc_7515_and_its_ed25519_sibling() {
    // RFC 8037, appendix A.4: the payload is no JSON, so what is refused is the payload, behind a good signature.
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let keys = KeySet::parse(&jwks(&[jwk.as_object().unwrap().clone()])).unwrap();
    let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let code = |token: &str| signer::Setting { keys: keys.clone(), ..setting() }.verify(token).unwrap_err().code();
    assert_eq!(code(token), "token_payload_invalid");
    assert_eq!(code(&token.replace("hgyY", "hgyZ")), "signature_invalid");
}

#[test]
fn headers_that_honest_providers_send() {
    for (name, value) in [
        ("typ", json!("jwt")),
        ("typ", json!("application/jwt")),
        ("x5t", json!("dGh1bWJwcmludA")),
        ("x5t#S256", json!("dGh1bWJwcmludA")),
        ("x5c", json!(["MIIB"])),
        ("cty", json!("JWT")),
        ("vendor", json!({"a": [1, 2]})),
    ] {
        accepts(draft().header(name, value));
    }
    accepts(draft().without_header("typ"));
    accepts(draft().without_header("kid"));
    accepts(draft_by(Algorithm::EdDSA).header("alg", "Ed25519"));
}

#[test]
fn audiences_and_parties() {
    accepts(draft().claim("aud", json!([CLIENT_ID])));
    accepts(draft().claim("azp", CLIENT_ID));
    accepts(draft().claim("aud", json!(["https://api.test", CLIENT_ID])).claim("azp", CLIENT_ID));
}

#[test]
fn times_within_the_skew_of_a_minute_and_with_fractions() {
    accepts(draft().claim("exp", NOW_S - 59));
    accepts(draft().claim("iat", NOW_S + 60));
    accepts(draft().claim("nbf", NOW_S + 60));
    accepts(draft().claim("iat", NOW_S - 24 * 3600 - 60));
    let token = accepts(draft().claim("exp", json!(NOW_S as f64 + 0.5)).claim("iat", json!(NOW_S as f64 - 0.25)));
    assert_eq!((token.expires_at_ms(), token.issued_at_ms()), (NOW_S * 1000 + 500, NOW_S * 1000 - 250));
}

#[test]
fn at_hash_of_each_algorithms_own_hash() {
    for algorithm in Algorithm::ALL {
        let hash = match algorithm.name() {
            "RS256" | "PS256" | "ES256" => digest::digest(&digest::SHA256, ACCESS_TOKEN.as_bytes()),
            "RS384" | "PS384" | "ES384" => digest::digest(&digest::SHA384, ACCESS_TOKEN.as_bytes()),
            _ => digest::digest(&digest::SHA512, ACCESS_TOKEN.as_bytes()),
        };
        let half = base64url(&hash.as_ref()[..hash.as_ref().len() / 2]);
        accepts(draft_by(algorithm).claim("at_hash", half));
    }
}

#[test]
fn at_hash_of_the_standards_own_example() {
    // OpenID Connect Core, appendix A.3, with the access token of the same response.
    let setting = signer::Setting { access_token: Some("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"), ..setting() };
    setting.verify(&draft().claim("at_hash", "77QmUPtjPfzWtF2AnpK9RQ").sign()).unwrap();
}

#[test]
fn a_fresh_sign_in_where_one_was_asked_for() {
    let setting = signer::Setting { max_age_s: Some(300), ..setting() };
    let token = setting.verify(&draft().claim("auth_time", NOW_S - 360).sign()).unwrap();
    assert_eq!(token.auth_time_ms(), Some((NOW_S - 360) * 1000));
    // Unasked, it may be missing or of any form.
    assert_eq!(accepts(draft()).auth_time_ms(), None);
    assert_eq!(accepts(draft().claim("auth_time", "yesterday")).auth_time_ms(), None);
}

#[test]
fn a_token_that_comes_with_a_refresh_needs_no_nonce() {
    let setting = signer::Setting { nonce: None, ..setting() };
    setting.verify(&draft().without("nonce").sign()).unwrap();
}

#[test]
fn a_sign_in_expects_what_the_providers_metadata_says() {
    let document = crate::discovery::document().to_string();
    let provider = ProviderMetadata::parse(document.as_bytes(), ExpectedIssuer::Exact(ISSUER)).unwrap();
    let access_token = Secret::new(ACCESS_TOKEN);
    let expected = Expectations::of_sign_in(&provider, CLIENT_ID, NONCE, &access_token, NOW_S * 1000).unwrap();
    let keys = setting().keys;
    let code = |draft: Draft| verify_id_token(&draft.sign(), &keys, &expected).map_err(|error| error.code()).err();
    assert_eq!(code(draft()), None);
    assert_eq!(code(draft_by(Algorithm::PS256)), Some("algorithm_refused"));
    assert_eq!(code(draft().claim("nonce", "other")), Some("nonce_mismatch"));
    assert_eq!(code(draft().claim("at_hash", "other")), Some("access_token_hash_mismatch"));
    assert_eq!(code(draft().claim("exp", NOW_S - 60)), Some("token_expired"));
    assert_eq!(code(draft().claim("iss", "https://evil.test")), Some("issuer_mismatch"));
    let printed = format!("{expected:?}");
    assert!(!printed.contains(NONCE) && !printed.contains(ACCESS_TOKEN), "{printed}");

    // Half of what verifies an ID token verifies none.
    let endpoints = ManualEndpoints {
        authorization_endpoint: "https://op.test/auth",
        token_endpoint: "https://op.test/token",
        userinfo_endpoint: Some("https://op.test/userinfo"),
        issuer: Some(ISSUER),
        jwks_uri: None,
    };
    let by_hand = ProviderMetadata::manual(endpoints).unwrap();
    assert!(Expectations::of_sign_in(&by_hand, CLIENT_ID, NONCE, &access_token, NOW_S * 1000).is_none());
}

#[test]
fn a_tenant_in_the_place_of_the_template() {
    let template = "https://login.microsoftonline.com/{tenantid}/v2.0";
    let setting = signer::Setting { issuer: Issuer::TenantTemplate(template.to_owned()), ..setting() };
    let tenant = "72F988BF-86f1-41af-91ab-2d7cd011db47";
    let draft = draft().claim("tid", tenant).claim("iss", template.replace("{tenantid}", tenant));
    let token = setting.verify(&draft.sign()).unwrap();
    assert_eq!(token.tenant(), Some(tenant));
    assert_eq!(accepts(signer::draft().claim("tid", tenant)).tenant(), None);
}

#[test]
fn after_a_change_of_keys_both_are_good_and_ids_may_be_shared() {
    let mut old = keys().foreign.jwk();
    old.insert("use".into(), "sig".into());
    let both = KeySet::parse(&jwks(&[old, keys().rsa.jwk()])).unwrap();
    let setting = signer::Setting { keys: both, ..setting() };
    setting.verify(&draft().sign()).unwrap();
    setting.verify(&draft().sign_with(&keys().foreign)).unwrap();
    setting.verify(&draft().without_header("kid").sign_with(&keys().foreign)).unwrap();
}

#[test]
fn subjects_of_any_printable_form() {
    for subject in ["x".repeat(255), "auth0|5f7c8ec7".to_owned(), "a b/c@d~!".to_owned()] {
        assert_eq!(accepts(draft().claim("sub", subject.clone())).subject(), subject);
    }
}
