//! The userinfo endpoint, in JSON and signed.

use doorward_oidc::{
    Algorithm, Claims, HttpMethod, HttpResponse, Issuer, KeySet, Nesting, Secret, UserInfo, UserInfoError, UserInfoJwt,
    UserInfoSubject, userinfo_request,
};
use serde_json::{Map, Value, json};

use crate::signer::{CLIENT_ID, Draft, ISSUER, NOW_S, draft, keys, provider_keys, setting};

const SUBJECT: &str = "248289761001";

fn parse(
    content_type: &str,
    body: impl AsRef<[u8]>,
    subject: UserInfoSubject<'_>,
    keys: Option<&KeySet>,
) -> Result<UserInfo, UserInfoError> {
    let issuer = Issuer::Exact(ISSUER.to_owned());
    let jwt = keys.map(|keys| UserInfoJwt {
        keys,
        algorithms: &Algorithm::ALL,
        issuer: &issuer,
        client_id: CLIENT_ID,
        now_ms: NOW_S * 1000,
        clock_skew_ms: 60_000,
    });
    let response = HttpResponse { status: 200, content_type: Some(content_type), body: body.as_ref() };
    UserInfo::parse(&response, subject, jwt.as_ref())
}

fn in_json(body: Value) -> Result<UserInfo, UserInfoError> {
    parse("application/json; charset=utf-8", body.to_string(), UserInfoSubject::SameAs(SUBJECT), None)
}

fn signed(token: String) -> Result<UserInfo, UserInfoError> {
    parse("application/jwt", token, UserInfoSubject::SameAs(SUBJECT), Some(&provider_keys()))
}

#[test]
fn asks_with_the_token_in_the_header() {
    let request = userinfo_request("https://op.example.test/userinfo?a=1", &Secret::new("at")).unwrap();
    assert_eq!((request.method, request.body.as_deref()), (HttpMethod::Get, None));
    assert_eq!(request.url, "https://op.example.test/userinfo?a=1");
    let headers = [("accept", "application/json, application/jwt"), ("authorization", "Bearer at")];
    assert_eq!(request.headers, headers.map(|(name, value)| (name, value.to_owned())));
    assert_eq!(userinfo_request("file:///etc/passwd", &Secret::new("at")).unwrap_err().code(), "endpoint_invalid");
}

#[test]
fn reads_claims_about_the_same_person() {
    let info = in_json(json!({"sub": SUBJECT, "email": "jane@acme.test"})).unwrap();
    assert_eq!(info.subject(), SUBJECT);
    assert_eq!(info.claims().text("email", Nesting::Off).as_deref(), Some("jane@acme.test"));
}

#[test]
fn refuses_claims_about_anybody_else() {
    let code = |body: Value| in_json(body).unwrap_err().code();
    assert_eq!(code(json!({"sub": "admin"})), "userinfo_subject_mismatch");
    assert_eq!(code(json!({"sub": format!("{SUBJECT} ")})), "userinfo_subject_mismatch");
    assert_eq!(code(json!({"sub": ""})), "userinfo_subject_mismatch");
    assert_eq!(code(json!({"sub": 248_289_761_001_u64})), "userinfo_subject_missing");
    assert_eq!(code(json!({"sub": null})), "userinfo_subject_missing");
    assert_eq!(code(json!({"email": "jane@acme.test"})), "userinfo_subject_missing");
    let message = in_json(json!({"sub": "admin\n"})).unwrap_err().to_string();
    assert_eq!(message, "sub of userinfo: expected 248289761001, got admin");
}

#[test]
fn refuses_answers_that_are_none() {
    let same = UserInfoSubject::SameAs(SUBJECT);
    let good = json!({"sub": SUBJECT}).to_string();
    for status in [201, 204, 302, 401, 403, 500] {
        let response = HttpResponse { status, content_type: Some("application/json"), body: good.as_bytes() };
        assert_eq!(UserInfo::parse(&response, same, None).unwrap_err(), UserInfoError::Status(status));
    }
    let code = |content_type: &str, body: &str| parse(content_type, body, same, None).unwrap_err().code();
    for content_type in ["text/html", "", "text/json", "application/jsonp", "application/x-www-form-urlencoded"] {
        assert_eq!(code(content_type, &good), "userinfo_content_type", "{content_type}");
    }
    assert_eq!(code("application/json", "[]"), "json_not_an_object");
    assert_eq!(code("application/json", &format!("{{\"sub\":\"admin\",{}", &good[1..])), "json_malformed");
    assert_eq!(code("application/json", &format!("{{\"x\":\"{}\"}}", "x".repeat(300_000))), "json_too_large");
    assert_eq!(code("application/jwt", &draft().sign()), "userinfo_no_keys");
}

fn without_times() -> Draft {
    draft().without("exp").without("iat").without("nonce")
}

#[test]
fn accepts_signed_claims_of_the_provider_for_us() {
    assert_eq!(signed(without_times().sign()).unwrap().subject(), SUBJECT);
    assert_eq!(signed(draft().sign()).unwrap().subject(), SUBJECT);
    assert_eq!(signed(without_times().without("iss").without("aud").sign()).unwrap().subject(), SUBJECT);
    assert_eq!(signed(format!("{}\r\n", draft().sign())).unwrap().subject(), SUBJECT);
}

#[test]
fn refuses_signed_claims_of_others_or_for_others() {
    for (name, token, code) in [
        ("by a foreign key", without_times().sign_with(&keys().foreign), "signature_invalid"),
        ("unsigned", without_times().header("alg", "none").sign(), "algorithm_refused"),
        ("of another issuer", without_times().claim("iss", "https://evil.test").sign(), "issuer_mismatch"),
        ("for another client", without_times().claim("aud", "other").sign(), "audience_mismatch"),
        (
            "for others too",
            without_times().claim("aud", json!([CLIENT_ID, "other"])).sign(),
            "authorized_party_missing",
        ),
        ("expired", without_times().claim("exp", NOW_S - 60).sign(), "token_expired"),
        ("not yet valid", without_times().claim("nbf", NOW_S + 61).sign(), "token_not_yet_valid"),
        ("an access token", without_times().header("typ", "at+jwt").sign(), "token_type_mismatch"),
        ("about somebody else", without_times().claim("sub", "admin").sign(), "userinfo_subject_mismatch"),
        ("about nobody", without_times().without("sub").sign(), "userinfo_subject_missing"),
        ("in JSON, said to be signed", json!({"sub": SUBJECT}).to_string(), "token_parts"),
    ] {
        assert_eq!(signed(token).unwrap_err().code(), code, "{name}");
    }
    let odd = parse("application/jwt", [0xFF, b'.', b'.'], UserInfoSubject::SameAs(SUBJECT), Some(&provider_keys()));
    assert_eq!(odd.unwrap_err().code(), "token_base64_invalid");
    assert!(signed(without_times().header("kid", "new").sign()).unwrap_err().wants_new_keys());
    assert!(!in_json(json!({"sub": "admin"})).unwrap_err().wants_new_keys());
}

#[test]
fn a_provider_by_hand_may_name_people_by_a_claim_of_its_own() {
    let by = |claim: &str, body: Value| {
        parse("application/json", body.to_string(), UserInfoSubject::Claim(claim), None)
            .map(|info| info.subject().to_owned())
            .map_err(|error| error.code())
    };
    assert_eq!(by("sub", json!({"sub": "x"})), Ok("x".to_owned()));
    assert_eq!(by("id", json!({"id": 583_231, "login": "octocat"})), Ok("583231".to_owned()));
    assert_eq!(by("user.id", json!({"user": {"id": "u1"}})), Ok("u1".to_owned()));
    for body in [
        json!({"id": ""}),
        json!({"id": 1.5}),
        json!({"id": true}),
        json!({"id": null}),
        json!({"id": "a\n"}),
        json!({"id": ["x"]}),
        json!({}),
    ] {
        assert_eq!(by("id", body), Err("userinfo_subject_missing"));
    }
}

#[test]
fn merged_claims_are_the_id_tokens_first() {
    let token = |draft: Draft| setting().verify(&draft.sign()).unwrap();
    let info = |more: Value| {
        let mut body: Map<String, Value> = more.as_object().unwrap().clone();
        body.insert("sub".into(), SUBJECT.into());
        in_json(body.into()).unwrap()
    };
    let merged = Claims::merged(
        Some(&token(draft())),
        Some(&info(json!({"given_name": "Eve", "phone_number": "+1", "iss": "https://evil.test"}))),
    );
    assert_eq!(merged.get("given_name"), Some(&json!("Jane")));
    assert_eq!(merged.get("phone_number"), Some(&json!("+1")));
    assert_eq!(merged.get("iss"), Some(&json!(ISSUER)));
    assert_eq!(Claims::merged(None, None), Claims::default());
}

#[test]
fn a_verified_address_is_never_made_of_two_halves() {
    let merged = |in_token: &[(&str, Value)], in_userinfo: Value| {
        let mut draft = draft().without("email").without("email_verified");
        for (name, value) in in_token {
            draft = draft.claim(name, value.clone());
        }
        let mut body = in_userinfo.as_object().unwrap().clone();
        body.insert("sub".into(), SUBJECT.into());
        let token = setting().verify(&draft.sign()).unwrap();
        let claims = Claims::merged(Some(&token), Some(&in_json(body.into()).unwrap()));
        (claims.get("email").cloned(), claims.get("email_verified").cloned())
    };
    let (a, b) = (json!("a@acme.test"), json!("b@acme.test"));
    let yes = json!(true);
    // The token's address, and a word about another one.
    assert_eq!(merged(&[("email", a.clone())], json!({"email": b, "email_verified": true})), (Some(a.clone()), None));
    assert_eq!(merged(&[("email", a.clone())], json!({"email_verified": true})), (Some(a.clone()), None));
    // A word in the token, and an address from elsewhere.
    assert_eq!(merged(&[("email_verified", yes.clone())], json!({"email": b})), (Some(b.clone()), None));
    // Both about one address.
    assert_eq!(
        merged(&[("email", a.clone())], json!({"email": a, "email_verified": true})),
        (Some(a.clone()), Some(yes.clone()))
    );
    assert_eq!(merged(&[], json!({"email": b, "email_verified": true})), (Some(b.clone()), Some(yes.clone())));
    let no = json!(false);
    let both = [("email", a.clone()), ("email_verified", no.clone())];
    assert_eq!(merged(&both, json!({"email": a, "email_verified": true})), (Some(a), Some(no)));
}
