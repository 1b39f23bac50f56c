//! Tokens that the provider did sign, for somebody else, for another time, or about nobody.

use doorward_oidc::{Algorithm, Issuer};
use serde_json::{Value, json};

use crate::signer::{
    ACCESS_TOKEN, Attack, CLIENT_ID, ISSUER, NONCE, NOW_S, Setting, assert_refused, assert_refused_by, base64url,
    draft, draft_by, setting, with_payload,
};

fn with(name: &str, value: impl Into<Value>) -> String {
    draft().claim(name, value).sign()
}

#[test]
fn refuses_other_issuers() {
    let attacks: Vec<Attack<'_>> = vec![
        ("missing", draft().without("iss").sign(), "claim_missing"),
        ("another", with("iss", "https://evil.test"), "issuer_mismatch"),
        ("a slash behind", with("iss", format!("{ISSUER}/")), "issuer_mismatch"),
        ("other case", with("iss", ISSUER.replace("acme", "Acme")), "issuer_mismatch"),
        ("another scheme", with("iss", ISSUER.replace("https", "http")), "issuer_mismatch"),
        ("its port spelled out", with("iss", ISSUER.replace(".test/", ".test:443/")), "issuer_mismatch"),
        ("percent-encoded", with("iss", ISSUER.replace("acme", "%61cme")), "issuer_mismatch"),
        ("a path that leads there", with("iss", ISSUER.replace("/realms", "/x/../realms")), "issuer_mismatch"),
        ("the beginning of it", with("iss", "https://op.example.test/realms/acm"), "issuer_mismatch"),
        ("more behind it", with("iss", format!("{ISSUER}.evil.test")), "issuer_mismatch"),
        ("space behind", with("iss", format!("{ISSUER} ")), "issuer_mismatch"),
        ("empty", with("iss", ""), "issuer_mismatch"),
        ("a list with it", with("iss", json!([ISSUER])), "claim_invalid"),
        ("null", with("iss", Value::Null), "claim_invalid"),
    ];
    assert_refused(&attacks);
}

#[test]
fn refuses_tenants_that_do_not_fit_the_template() {
    const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
    const OTHER: &str = "11111111-86f1-41af-91ab-2d7cd011db47";
    let template = "https://login.microsoftonline.com/{tenantid}/v2.0";
    let of = |tenant: &str| template.replace("{tenantid}", tenant);
    let setting = Setting { issuer: Issuer::TenantTemplate(template.to_owned()), ..setting() };
    let token = |tid: Value, iss: String| draft().claim("tid", tid).claim("iss", iss).sign();
    setting.verify(&token(TENANT.into(), of(TENANT))).unwrap();
    let attacks: Vec<Attack<'_>> = vec![
        ("the issuer of another tenant", token(TENANT.into(), of(OTHER)), "issuer_mismatch"),
        ("no tid", draft().claim("iss", of(TENANT)).sign(), "claim_missing"),
        ("the template itself", token("{tenantid}".into(), template.into()), "tenant_invalid"),
        ("a name", token("common".into(), of("common")), "tenant_invalid"),
        ("empty", token("".into(), of("")), "tenant_invalid"),
        ("a path", token("x/../y".into(), of("x/../y")), "tenant_invalid"),
        (
            "another host",
            token(TENANT.into(), of(TENANT).replace("microsoftonline.com", "evil.test")),
            "issuer_mismatch",
        ),
        ("the older version", token(TENANT.into(), format!("https://sts.windows.net/{TENANT}/")), "issuer_mismatch"),
        ("other case in the issuer", token(TENANT.into(), of(&TENANT.to_uppercase())), "issuer_mismatch"),
        ("in braces", token(format!("{{{TENANT}}}").into(), of(&format!("{{{TENANT}}}"))), "tenant_invalid"),
        ("not ASCII", token("é".repeat(18).into(), of(&"é".repeat(18))), "tenant_invalid"),
        ("a number", token(1.into(), of(TENANT)), "claim_invalid"),
    ];
    assert_refused_by(&setting, &attacks);
}

#[test]
fn refuses_keys_that_are_for_tenants_of_another_kind() {
    const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
    let template = "https://login.microsoftonline.com/{tenantid}/v2.0";
    let iss = template.replace("{tenantid}", TENANT);
    let by_key_for = |issuer: &str| {
        let mut jwk = crate::signer::keys().rsa.jwk();
        jwk.insert("issuer".into(), issuer.into());
        let keys = doorward_oidc::KeySet::parse(&crate::signer::jwks(&[jwk])).unwrap();
        Setting { keys, issuer: Issuer::TenantTemplate(template.to_owned()), ..setting() }
    };
    let token = draft().claim("tid", TENANT).claim("iss", iss.clone()).sign();
    by_key_for(template).verify(&token).unwrap();
    by_key_for(&iss).verify(&token).unwrap();
    for issuer in [
        "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
        "https://sts.windows.net/{tenantid}/",
        "",
    ] {
        assert_refused_by(&by_key_for(issuer), &[(issuer, token.clone(), "key_issuer_mismatch")]);
    }
    // Elsewhere it is a member that nobody has given a meaning.
    Setting { issuer: Issuer::Exact(ISSUER.to_owned()), ..by_key_for(template) }.verify(&draft().sign()).unwrap();
}

#[test]
fn refuses_tokens_for_other_clients() {
    let many: Vec<String> = (0..64).map(|at| format!("client-{at}")).chain([CLIENT_ID.to_owned()]).collect();
    let attacks: Vec<Attack<'_>> = vec![
        ("missing", draft().without("aud").sign(), "claim_missing"),
        ("another", with("aud", "other-client"), "audience_mismatch"),
        ("other case", with("aud", "Doorward-Client"), "audience_mismatch"),
        ("the beginning of it", with("aud", "doorward"), "audience_mismatch"),
        ("more behind it", with("aud", "doorward-client-2"), "audience_mismatch"),
        ("a text with it", with("aud", "other doorward-client"), "audience_mismatch"),
        ("empty", with("aud", ""), "audience_mismatch"),
        ("an empty list", with("aud", json!([])), "audience_mismatch"),
        ("a list of others", with("aud", json!(["a", "b"])), "audience_mismatch"),
        ("null", with("aud", Value::Null), "claim_invalid"),
        ("a number", with("aud", 1), "claim_invalid"),
        ("an object", with("aud", json!({CLIENT_ID: true})), "claim_invalid"),
        ("a list with a number", with("aud", json!([CLIENT_ID, 1])), "claim_invalid"),
        ("a list in a list", with("aud", json!([[CLIENT_ID]])), "claim_invalid"),
        ("more than accepted", with("aud", many), "claim_invalid"),
        ("several without azp", with("aud", json!([CLIENT_ID, "b"])), "authorized_party_missing"),
        ("ours twice without azp", with("aud", json!([CLIENT_ID, CLIENT_ID])), "authorized_party_missing"),
        (
            "several, azp another",
            draft().claim("aud", json!([CLIENT_ID, "b"])).claim("azp", "b").sign(),
            "authorized_party_mismatch",
        ),
        ("azp another", with("azp", "other-client"), "authorized_party_mismatch"),
        ("azp empty", with("azp", ""), "authorized_party_mismatch"),
        ("azp ours, aud another", draft().claim("aud", "b").claim("azp", CLIENT_ID).sign(), "audience_mismatch"),
        ("azp a list", with("azp", json!([CLIENT_ID])), "claim_invalid"),
    ];
    assert_refused(&attacks);
    let nameless = Setting { client_id: "", ..setting() };
    assert_refused_by(&nameless, &[("a client without id", with("aud", ""), "audience_mismatch")]);
}

#[test]
fn refuses_tokens_of_other_times() {
    let number = |claim: &str, text: &str| {
        let json = draft().without(claim).claims_json();
        with_payload(format!("{},\"{claim}\":{text}}}", &json[..json.len() - 1]))
    };
    let attacks: Vec<Attack<'_>> = vec![
        ("no exp", draft().without("exp").sign(), "claim_missing"),
        ("expired by the skew, to the second", with("exp", NOW_S - 60), "token_expired"),
        ("expired long ago", with("exp", 0), "token_expired"),
        ("exp before iat", draft().claim("exp", NOW_S - 100).claim("iat", NOW_S - 50).sign(), "token_expired"),
        ("exp a string", with("exp", (NOW_S + 300).to_string()), "claim_invalid"),
        ("exp null", with("exp", Value::Null), "claim_invalid"),
        ("exp true", with("exp", true), "claim_invalid"),
        ("exp in milliseconds", with("exp", (NOW_S + 300) * 1000), "claim_invalid"),
        ("exp negative", with("exp", -1), "claim_invalid"),
        ("exp beyond all clocks", number("exp", "1e300"), "claim_invalid"),
        ("exp a list", with("exp", json!([NOW_S + 300])), "claim_invalid"),
        ("no iat", draft().without("iat").sign(), "claim_missing"),
        ("iat in the future", with("iat", NOW_S + 61), "issued_in_future"),
        ("iat too long ago", with("iat", NOW_S - 24 * 3600 - 61), "issued_too_long_ago"),
        ("iat zero", with("iat", 0), "issued_too_long_ago"),
        ("iat a string", with("iat", NOW_S.to_string()), "claim_invalid"),
        ("nbf in the future", with("nbf", NOW_S + 61), "token_not_yet_valid"),
        ("nbf a string", with("nbf", "0"), "claim_invalid"),
    ];
    assert_refused(&attacks);
}

#[test]
fn refuses_tokens_of_other_sign_ins() {
    let attacks: Vec<Attack<'_>> = vec![
        ("no nonce", draft().without("nonce").sign(), "claim_missing"),
        ("another", with("nonce", "n-0S6_WzA2Mj"), "nonce_mismatch"),
        ("empty", with("nonce", ""), "nonce_mismatch"),
        ("other case", with("nonce", NONCE.to_lowercase()), "nonce_mismatch"),
        ("the beginning of it", with("nonce", &NONCE[..NONCE.len() - 1]), "nonce_mismatch"),
        ("more behind it", with("nonce", format!("{NONCE}A")), "nonce_mismatch"),
        ("a list with it", with("nonce", json!([NONCE])), "claim_invalid"),
        ("null", with("nonce", Value::Null), "claim_invalid"),
    ];
    assert_refused(&attacks);
    let forgotten = Setting { nonce: Some(""), ..setting() };
    assert_refused_by(&forgotten, &[("nothing to compare with", with("nonce", ""), "nonce_mismatch")]);
}

#[test]
fn refuses_access_tokens_of_others() {
    let half = |algorithm, token: &str| {
        let hash = aws_lc_rs::digest::digest(algorithm, token.as_bytes());
        base64url(&hash.as_ref()[..hash.as_ref().len() / 2])
    };
    use aws_lc_rs::digest::{SHA256, SHA384, SHA512};
    let good = half(&SHA256, ACCESS_TOKEN);
    setting().verify(&with("at_hash", good.clone())).unwrap();
    let by = |algorithm, hash: String| draft_by(algorithm).claim("at_hash", hash).sign();
    let attacks: Vec<Attack<'_>> = vec![
        ("of another token", with("at_hash", half(&SHA256, "other")), "access_token_hash_mismatch"),
        (
            "the whole hash",
            with("at_hash", base64url(aws_lc_rs::digest::digest(&SHA256, ACCESS_TOKEN.as_bytes()))),
            "access_token_hash_mismatch",
        ),
        ("padded", with("at_hash", format!("{good}==")), "access_token_hash_mismatch"),
        ("shortened", with("at_hash", &good[..8]), "access_token_hash_mismatch"),
        ("empty", with("at_hash", ""), "access_token_hash_mismatch"),
        ("the token itself", with("at_hash", ACCESS_TOKEN), "access_token_hash_mismatch"),
        ("SHA-256 where RS512 signs", by(Algorithm::RS512, good.clone()), "access_token_hash_mismatch"),
        ("SHA-256 where ES384 signs", by(Algorithm::ES384, good.clone()), "access_token_hash_mismatch"),
        ("SHA-256 where EdDSA signs", by(Algorithm::EdDSA, good), "access_token_hash_mismatch"),
        ("SHA-384 where ES512 signs", by(Algorithm::ES512, half(&SHA384, ACCESS_TOKEN)), "access_token_hash_mismatch"),
        ("SHA-512 where PS256 signs", by(Algorithm::PS256, half(&SHA512, ACCESS_TOKEN)), "access_token_hash_mismatch"),
        ("a number", with("at_hash", 1), "claim_invalid"),
    ];
    assert_refused(&attacks);
}

#[test]
fn refuses_an_older_sign_in_where_a_fresh_one_was_asked_for() {
    let fresh = Setting { max_age_s: Some(300), ..setting() };
    let attacks: Vec<Attack<'_>> = vec![
        ("no auth_time", draft().sign(), "claim_missing"),
        ("too long ago, to the second", with("auth_time", NOW_S - 361), "authenticated_too_long_ago"),
        ("a string", with("auth_time", NOW_S.to_string()), "claim_invalid"),
        ("null", with("auth_time", Value::Null), "claim_invalid"),
    ];
    assert_refused_by(&fresh, &attacks);
    let at_once = Setting { max_age_s: Some(0), ..setting() };
    assert_refused_by(&at_once, &[("two minutes ago", with("auth_time", NOW_S - 120), "authenticated_too_long_ago")]);
    let largest = Setting { max_age_s: Some(u64::MAX), ..setting() };
    largest.verify(&with("auth_time", 0)).unwrap();
}

#[test]
fn refuses_subjects_that_name_nobody() {
    let attacks: Vec<Attack<'_>> = vec![
        ("missing", draft().without("sub").sign(), "claim_missing"),
        ("empty", with("sub", ""), "subject_invalid"),
        ("longer than 255", with("sub", "x".repeat(256)), "subject_invalid"),
        ("not ASCII", with("sub", "jané"), "subject_invalid"),
        ("a letter that looks like another", with("sub", "аdmin"), "subject_invalid"),
        ("a zero byte", with("sub", "admin\0"), "subject_invalid"),
        ("a line break", with("sub", "admin\n"), "subject_invalid"),
        ("white space alone", with("sub", " "), "subject_invalid"),
        ("space behind", with("sub", "admin "), "subject_invalid"),
        ("a number", with("sub", 1), "claim_invalid"),
        ("null", with("sub", Value::Null), "claim_invalid"),
        ("a list", with("sub", json!(["admin"])), "claim_invalid"),
        ("an object", with("sub", json!({"$ne": ""})), "claim_invalid"),
    ];
    assert_refused(&attacks);
}

#[test]
fn says_what_was_expected_and_what_came() {
    let message = |token: String| setting().verify(&token).unwrap_err().to_string();
    assert_eq!(message(with("aud", json!(["a", "b"]))), "aud: expected doorward-client, got a, b");
    assert_eq!(message(with("iss", "https://evil.test\r\n")), format!("iss: expected {ISSUER}, got https://evil.test"));
    let message = message(draft().header("alg", "none").sign());
    assert!(message.contains("alg: expected one of RS256, RS384") && message.ends_with("got none"), "{message}");
}
