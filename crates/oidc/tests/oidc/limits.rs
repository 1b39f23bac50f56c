//! What is exactly as large, late or long as accepted passes; one more does not. And what looks like enough and is not.

use doorward_oidc::easie::{google, microsoft};
use doorward_oidc::{
    Algorithm, Callback, ExpectedIssuer, HttpResponse, Issuer, KeySet, Nesting, ProviderMetadata, TokenError,
    TokenResponse, Unavailability, UserInfo, UserInfoJwt, UserInfoSubject,
};
use serde_json::{Value, json};

use crate::discovery::{ISSUER as DOCUMENT_ISSUER, document};
use crate::signer::{
    CLIENT_ID, Draft, ISSUER, NOW_S, Setting, base64url, draft, jwks, keys, provider_keys, setting, with_header,
};

/// The same with one character more or less in `name`, until the token is of this length.
fn token_of_length(length: usize) -> String {
    let sign =
        |claim: usize, header: usize| draft().claim("x", "x".repeat(claim)).header("x5t", "x".repeat(header)).sign();
    let missing = length - sign(0, 0).len();
    for header in 0..4 {
        for claim in missing * 3 / 4 - 8..missing * 3 / 4 + 8 {
            let token = sign(claim, header);
            if token.len() == length {
                return token;
            }
        }
    }
    panic!("no token has {length} characters")
}

#[test]
fn tokens_may_be_as_long_as_accepted() {
    setting().verify(&token_of_length(65_536)).unwrap();
    assert_eq!(setting().verify(&token_of_length(65_537)).unwrap_err().code(), "token_too_long");
}

#[test]
fn key_ids_may_be_as_long_as_accepted() {
    let mut jwk = keys().rsa.jwk();
    jwk.insert("kid".into(), "k".repeat(512).into());
    let set = Setting { keys: KeySet::parse(&jwks(&[jwk])).unwrap(), ..setting() };
    set.verify(&draft().header("kid", "k".repeat(512)).sign()).unwrap();
    let longer = set.verify(&draft().header("kid", "k".repeat(513)).sign()).unwrap_err();
    assert_eq!(longer.code(), "token_header_parameter_invalid");
}

#[test]
fn a_token_may_be_for_as_many_audiences_as_accepted() {
    let audiences = |count: usize| {
        let mut list = vec![CLIENT_ID.to_owned()];
        list.extend((1..count).map(|at| format!("other-{at}")));
        draft().claim("aud", list).claim("azp", CLIENT_ID).sign()
    };
    setting().verify(&audiences(64)).unwrap();
    assert_eq!(setting().verify(&audiences(65)).unwrap_err().code(), "claim_invalid");
}

#[test]
fn keys_may_be_as_large_as_accepted() {
    let mut modulus = vec![0xA5; 1025];
    (modulus[0], modulus[1]) = (0, 0x80);
    let rsa =
        |modulus: &[u8], exponent: &[u8]| json!({"kty": "RSA", "n": base64url(modulus), "e": base64url(exponent)});
    let set = |keys: Value| KeySet::parse(json!({ "keys": keys }).to_string().as_bytes());
    assert_eq!(set(json!([rsa(&modulus, &[1, 0, 1])])).unwrap().keys().len(), 1);
    let good = keys().ed25519.jwk();
    let reason = |key: Value| set(json!([key, good])).unwrap().ignored()[0].reason;
    modulus.insert(0, 0);
    assert_eq!(reason(rsa(&modulus, &[1, 0, 1])), "its modulus is longer than 8192 bits");
    let even = "its exponent is even, smaller than 65537 or longer than 32 bits";
    assert_eq!(reason(rsa(&modulus[1..], &[1, 0, 2])), even);
    let symmetric = "it is a symmetric key, which everybody who reads it could sign with";
    assert_eq!(reason(json!({"kty": "oct"})), symmetric);
    // As many bytes as are read of a set, and one more.
    let text = json!({ "keys": [good] }).to_string();
    let padded = |length: usize| format!("{text}{}", " ".repeat(length - text.len()));
    KeySet::parse(padded(512 * 1024).as_bytes()).unwrap();
    assert_eq!(KeySet::parse(padded(512 * 1024 + 1).as_bytes()).unwrap_err().code(), "json_too_large");
}

#[test]
fn a_header_may_be_as_large_as_accepted() {
    let header = draft().header_json();
    let padded = |length: usize| with_header(format!("{header}{}", " ".repeat(length - header.len())));
    setting().verify(&padded(16 * 1024)).unwrap();
    assert_eq!(setting().verify(&padded(16 * 1024 + 1)).unwrap_err().code(), "token_header_invalid");
}

#[test]
fn configuration_documents_may_be_as_large_as_accepted() {
    let parse = |document: &Value| {
        let parsed = ProviderMetadata::parse(document.to_string().as_bytes(), ExpectedIssuer::Exact(DOCUMENT_ISSUER));
        parsed.map_err(|error| error.code())
    };
    let with = |name: &str, value: Value| {
        let mut document = document();
        document[name] = value;
        document
    };
    let with_members = |count: usize| {
        let mut document = document();
        for at in document.as_object().unwrap().len()..count {
            document[format!("x{at}")] = json!(1);
        }
        document
    };
    parse(&with_members(256)).unwrap();
    assert_eq!(parse(&with_members(257)), Err("discovery_too_many_members"));
    let modes = |count: usize| with("response_modes_supported", vec!["query"; count].into());
    parse(&modes(128)).unwrap();
    assert_eq!(parse(&modes(129)), Err("discovery_list_too_long"));
    let address = |length: usize| format!("https://op.example.test/{}", "x".repeat(length - 24));
    parse(&with("token_endpoint", address(2048).into())).unwrap();
    assert_eq!(parse(&with("token_endpoint", address(2049).into())), Err("endpoint_invalid"));
    for (length, expected) in [(1024, "issuer_mismatch"), (1025, "issuer_invalid")] {
        assert_eq!(parse(&with("issuer", address(length).into())), Err(expected), "{length}");
    }
    for list in [
        "response_types_supported",
        "id_token_signing_alg_values_supported",
        "userinfo_signing_alg_values_supported",
        "token_endpoint_auth_methods_supported",
        "code_challenge_methods_supported",
        "response_modes_supported",
    ] {
        assert_eq!(parse(&with(list, json!("code"))), Err("discovery_member_type"), "{list}");
    }
    assert_eq!(parse(&with("token_endpoint", json!("https://:s3cret@op.example.test/"))), Err("endpoint_invalid"));
}

#[test]
fn a_template_is_no_issuer_though_it_stands_in_the_address_of_its_document() {
    let template = "https://login.test/{tenantid}/v2.0";
    let mut document = document();
    document["issuer"] = json!(template);
    let url = format!("{template}/.well-known/openid-configuration");
    let parsed = ProviderMetadata::parse(document.to_string().as_bytes(), ExpectedIssuer::OfDiscoveryUrl(&url));
    assert_eq!(parsed.unwrap_err().code(), "issuer_mismatch");
}

#[test]
fn a_tenant_in_iss_fits_no_other_version_and_no_template_without_its_place() {
    let document = document().to_string();
    let expected = ExpectedIssuer::Exact(DOCUMENT_ISSUER);
    let mut provider = ProviderMetadata::parse(document.as_bytes(), expected).unwrap();
    let mut code = |template: &str, iss: &str| {
        provider.issuer = Some(Issuer::TenantTemplate(template.to_owned()));
        let callback = Callback::parse([("code", "a"), ("state", "st"), ("iss", iss)]).unwrap();
        callback.code(&provider).map(|_| ()).map_err(|error| error.code())
    };
    let of_tenant = "https://login.test/72f988bf-86f1-41af-91ab-2d7cd011db47";
    let template = "https://login.test/{tenantid}/v2.0";
    assert_eq!(code(template, &format!("{of_tenant}/v2.0")), Ok(()));
    assert_eq!(code(template, &format!("{of_tenant}/v1.0")), Err("callback_issuer_mismatch"));
    assert_eq!(code("https://login.test/v2.0", "https://login.test/v2.0"), Err("callback_issuer_mismatch"));
    assert_eq!(microsoft::issuer_template("login.test/common/.well-known/openid-configuration"), None);
}

#[test]
fn what_a_browser_brings_may_be_as_long_as_accepted() {
    let code = |parameters: Vec<(&str, String)>| Callback::parse(parameters).map(|_| ()).map_err(|error| error.code());
    let with = |name: &str, length: usize| {
        let mut parameters = vec![("code", "c".to_owned()), ("state", "s".to_owned()), ("iss", ISSUER.to_owned())];
        match parameters.iter_mut().find(|(known, _)| *known == name) {
            Some((_, value)) => *value = "x".repeat(length),
            None => parameters.push(("error_description", "x".repeat(length))),
        }
        code(parameters)
    };
    for (name, longest) in [("code", 8192), ("state", 512), ("iss", 2048), ("error_description", 2048)] {
        assert_eq!(with(name, longest), Ok(()), "{name}");
        assert_eq!(with(name, longest + 1), Err("callback_parameter_too_long"), "{name}");
    }
    let many = |count: usize| {
        let mut parameters = vec![("code", "c".to_owned()), ("state", "s".to_owned())];
        parameters.resize(count, ("x", String::new()));
        code(parameters)
    };
    assert_eq!((many(64), many(65)), (Ok(()), Err("callback_too_many_parameters")));
}

#[test]
fn what_a_request_carries_may_be_as_long_as_accepted() {
    let url = |state: &str| {
        let request = doorward_oidc::AuthorizationRequest {
            authorization_endpoint: "https://op.example.test/auth",
            client_id: "client",
            redirect_uri: "https://sso.example.test/callback",
            scopes: &[],
            state,
            nonce: "n",
            code_challenge: None,
            login_hint: None,
            prompt: None,
            max_age_s: None,
            response_mode: None,
            additional: &[],
        };
        request.url().map(|_| ()).map_err(|error| error.code())
    };
    assert_eq!(url(&"s".repeat(1024)), Ok(()));
    assert_eq!(url(&"s".repeat(1025)), Err("parameter_invalid"));
}

#[test]
fn claims_are_found_and_read_within_their_limits() {
    let nested =
        |depth: usize| (1..depth).rev().fold(json!("deep"), |inner, at| json!({ format!("p{}", at + 1): inner }));
    let path = |depth: usize| (1..=depth).map(|at| format!("p{at}")).collect::<Vec<_>>().join(".");
    let text = |draft: Draft, name: &str| setting().verify(&draft.sign()).unwrap().claims().text(name, Nesting::Dotted);
    assert_eq!(text(draft().claim("p1", nested(8)), &path(8)).as_deref(), Some("deep"));
    assert_eq!(text(draft().claim("p1", nested(9)), &path(9)), None);
    let of_length = |length: usize| text(draft().claim("long", "x".repeat(length)), "long").map(|text| text.len());
    assert_eq!((of_length(1024), of_length(1025)), (Some(1024), None));
    let flag = |value: Value| {
        setting().verify(&draft().claim("flag", value).sign()).unwrap().claims().flag("flag", Nesting::Off)
    };
    assert_eq!([flag(json!("true")), flag(json!("false"))], [Some(true), Some(false)]);
    for neither in [json!("maybe"), json!(""), json!("FALSE"), json!(0), Value::Null] {
        assert_eq!(flag(neither.clone()), None, "{neither}");
    }
}

#[test]
fn signed_userinfo_begins_to_count_within_the_skew() {
    let issuer = Issuer::Exact(ISSUER.to_owned());
    let key_set = provider_keys();
    let jwt = UserInfoJwt {
        keys: &key_set,
        algorithms: &Algorithm::ALL,
        issuer: &issuer,
        client_id: CLIENT_ID,
        now_ms: NOW_S * 1000,
        clock_skew_ms: 60_000,
    };
    let parse = |not_before: i64| {
        let body = draft().claim("nbf", not_before).sign();
        let response = HttpResponse { status: 200, content_type: Some("application/jwt"), body: body.as_bytes() };
        UserInfo::parse(&response, UserInfoSubject::SameAs("248289761001"), Some(&jwt)).map(|_| ())
    };
    parse(NOW_S + 60).unwrap();
    parse(NOW_S + 61).unwrap_err();
}

#[test]
fn answers_of_the_token_endpoint_are_what_they_say_they_are() {
    let parse = |status: u16, content_type: &str, body: &str| {
        TokenResponse::parse(&HttpResponse { status, content_type: Some(content_type), body: body.as_bytes() })
    };
    let tokens = |access_token: &str| json!({"access_token": access_token, "token_type": "Bearer"}).to_string();
    let json = "application/json";
    parse(200, json, &tokens(&"x".repeat(65_536))).unwrap();
    let malformed = |outcome| matches!(outcome, Err(TokenError::Unavailable(Unavailability::Malformed(_))));
    assert!(malformed(parse(200, json, &tokens(&"x".repeat(65_537)))));
    parse(200, "application/vnd.tokens+json", &tokens("x")).unwrap();
    for other in ["text/x+json", "image/svg+json", "+json", "text/json"] {
        assert!(malformed(parse(200, other, &tokens("x"))), "{other}");
    }
    // What is no token response is told by its status, unless it is said to be one.
    assert!(malformed(parse(200, json, "<html>")));
    for status in [400, 401, 403] {
        let Err(TokenError::Unavailable(why)) = parse(status, json, "<html>") else { panic!("{status}") };
        assert_eq!(why, Unavailability::Status(status));
    }
}

#[test]
fn addresses_of_easie_accounts_are_plain_and_within_their_limits() {
    let issuer = Issuer::Exact("https://accounts.google.com".to_owned());
    let code = |email: &str| {
        let draft = draft().claim("iss", issuer.as_str()).claim("hd", "acme.test").claim("email", email);
        let token = Setting { issuer: issuer.clone(), ..setting() }.verify(&draft.sign()).unwrap();
        google::check(&token, &["acme.test"]).map(|_| ()).map_err(|error| error.code())
    };
    let of_length = |length: usize| format!("{}@acme.test", "x".repeat(length - 10));
    assert_eq!((code(&of_length(254)), code(&of_length(255))), (Ok(()), Err("email_invalid")));
    for odd in ["ja ne@acme.test", "jane\t@acme.test", "jane\u{a0}@acme.test", "ja\u{7}ne@acme.test", "jane@ acme.test"]
    {
        assert_eq!(code(odd), Err("email_invalid"), "{odd:?}");
    }
}
