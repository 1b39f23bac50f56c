//! The request that the browser carries, and what it brings back.

use doorward_oidc::{
    AuthorizationErrorKind, AuthorizationRequest, Callback, CallbackError, CodeVerifier, ExpectedIssuer, Issuer,
    ManualEndpoints, ProviderMetadata, ResponseMode, opaque_value,
};
use url::Url;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn request<'a>() -> AuthorizationRequest<'a> {
    AuthorizationRequest {
        authorization_endpoint: "https://op.example.test/auth",
        client_id: "client & co",
        redirect_uri: "https://sso.example.test/v1/oauth_callback",
        scopes: &["email", "openid", "profile", "email"],
        state: "st-1",
        nonce: "no-1",
        code_challenge: Some(CHALLENGE),
        login_hint: None,
        prompt: None,
        max_age_s: None,
        response_mode: None,
        additional: &[],
    }
}

fn parameters(url: &str) -> Vec<(String, String)> {
    Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

#[test]
fn the_url_of_a_plain_request() {
    assert_eq!(
        request().url().unwrap(),
        "https://op.example.test/auth?response_type=code&client_id=client+%26+co\
         &redirect_uri=https%3A%2F%2Fsso.example.test%2Fv1%2Foauth_callback&scope=openid+email+profile&state=st-1\
         &nonce=no-1&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
    );
    assert_eq!(CodeVerifier::from_stored(VERIFIER).unwrap().challenge(), CHALLENGE);
}

#[test]
fn the_url_of_a_request_with_everything() {
    let request = AuthorizationRequest {
        authorization_endpoint: "https://op.example.test/auth?tenant=a%20b",
        scopes: &[],
        login_hint: Some("jane+x@acme.test"),
        prompt: Some("login"),
        max_age_s: Some(0),
        response_mode: Some(ResponseMode::FormPost),
        additional: &[("hd", "acme.test"), ("access_type", "offline")],
        ..request()
    };
    assert_eq!(
        request.url().unwrap(),
        "https://op.example.test/auth?tenant=a%20b&response_type=code&client_id=client+%26+co\
         &redirect_uri=https%3A%2F%2Fsso.example.test%2Fv1%2Foauth_callback&scope=openid&state=st-1&nonce=no-1\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256\
         &login_hint=jane%2Bx%40acme.test&prompt=login&max_age=0&response_mode=form_post&hd=acme.test&access_type=offline"
    );
    let query = AuthorizationRequest { response_mode: Some(ResponseMode::Query), ..request }.url().unwrap();
    assert!(query.contains("&response_mode=query"));
}

#[test]
fn the_endpoints_own_parameters_override_nothing() {
    let request = AuthorizationRequest {
        authorization_endpoint: "https://op.example.test/auth?p=B2C_1&client_id=evil&%73tate=evil&request=eyJ&\
                                 request_uri=https://evil.test&response_mode=fragment&redirect_uri=x&hd=evil&claims=%7B%7D&&q",
        additional: &[("hd", "acme.test")],
        ..request()
    };
    let got = parameters(&request.url().unwrap());
    let mut names: Vec<&str> = got.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names[..2], ["p", "q"]);
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), got.len(), "{got:?}");
    assert!(!got.iter().any(|(_, value)| value.contains("evil")), "{got:?}");
    assert!(!names.contains(&"request") && !names.contains(&"request_uri") && !names.contains(&"response_mode"));
}

#[test]
fn refuses_what_the_caller_must_not_set() {
    let code = |request: AuthorizationRequest<'_>| request.url().unwrap_err().code();
    for name in
        ["state", "nonce", "redirect_uri", "response_type", "request", "request_uri", "response_mode", "claims", ""]
    {
        assert_eq!(
            code(AuthorizationRequest { additional: &[(name, "x")], ..request() }),
            "parameter_reserved",
            "{name}"
        );
    }
    let twice = AuthorizationRequest { additional: &[("hd", "a"), ("hd", "b")], ..request() };
    assert_eq!(code(twice), "parameter_reserved");
    for scope in ["", "a b", "a\"b", "a\\b", "é", "a\n"] {
        assert_eq!(code(AuthorizationRequest { scopes: &[scope], ..request() }), "scope_invalid", "{scope:?}");
    }
    assert_eq!(code(AuthorizationRequest { state: "", ..request() }), "parameter_invalid");
    assert_eq!(code(AuthorizationRequest { nonce: "", ..request() }), "parameter_invalid");
    assert_eq!(code(AuthorizationRequest { client_id: "", ..request() }), "parameter_invalid");
    let long = "x".repeat(1025);
    assert_eq!(code(AuthorizationRequest { login_hint: Some(&long), ..request() }), "parameter_invalid");
    for endpoint in ["javascript:alert(1)", "https://op.test/#x", "/auth"] {
        assert_eq!(code(AuthorizationRequest { authorization_endpoint: endpoint, ..request() }), "endpoint_invalid");
        assert_eq!(code(AuthorizationRequest { redirect_uri: endpoint, ..request() }), "endpoint_invalid");
    }
}

#[test]
fn random_values_fit_into_a_url_and_are_not_printed() {
    assert_eq!(opaque_value(&[0xFF; 32]), "__________________________________________8");
    assert_ne!(opaque_value(&[1; 32]), opaque_value(&[2; 32]));
    let printed = format!("{:?}", request());
    assert!(!printed.contains("st-1") && !printed.contains("no-1"), "{printed}");
}

fn provider() -> ProviderMetadata {
    let document = crate::discovery::document().to_string();
    ProviderMetadata::parse(document.as_bytes(), ExpectedIssuer::Exact(crate::discovery::ISSUER)).unwrap()
}

const ISS: &str = "&iss=https%3A%2F%2Fop.example.test%2Frealms%2Facme";

fn code_of(query: &str) -> Result<String, &'static str> {
    let callback = Callback::parse_query(query).map_err(|error| error.code())?;
    assert_eq!(callback.state(), "st");
    callback.code(&provider()).map(|code| code.expose().to_owned()).map_err(|error| error.code())
}

#[test]
fn takes_the_code_of_the_right_provider() {
    assert_eq!(code_of(&format!("code=a%2Fb&state=st{ISS}&session_state=x&session_state=y")), Ok("a/b".to_owned()));
    assert_eq!(code_of(&format!("code=a&error=&error_description=&state=st{ISS}")), Ok("a".to_owned()));
    let pairs = [("state", "st"), ("code", "c"), ("iss", crate::discovery::ISSUER)];
    let callback = Callback::parse(pairs).unwrap();
    assert_eq!(callback.code(&provider()).unwrap().expose(), "c");
    let printed = format!("{callback:?}");
    assert!(!printed.contains("\"st\"") && !printed.contains("\"c\""), "{printed}");
}

#[test]
fn refuses_parameters_twice_missing_or_too_long() {
    for (query, code) in [
        (format!("code=a&code=b&state=st{ISS}"), "callback_parameter_duplicate"),
        (format!("code=a&state=st&state=st{ISS}"), "callback_parameter_duplicate"),
        (format!("code=a&%63ode=b&state=st{ISS}"), "callback_parameter_duplicate"),
        (format!("code=a&state=st{ISS}{ISS}"), "callback_parameter_duplicate"),
        (format!("error=a&error=b&state=st{ISS}"), "callback_parameter_duplicate"),
        (format!("code=a{ISS}"), "state_missing"),
        (format!("code=a&state={ISS}"), "state_missing"),
        (format!("error=access_denied{ISS}"), "state_missing"),
        (format!("state=st{ISS}"), "code_missing"),
        (format!("code=&state=st{ISS}"), "code_missing"),
        (format!("error=&state=st{ISS}"), "code_missing"),
        (format!("Code=a&state=st{ISS}"), "code_missing"),
        (format!("code=a&error=access_denied&state=st{ISS}"), "code_and_error"),
        (format!("code=&error=&state=st{ISS}"), "code_missing"),
        (format!("code=&error=access_denied&state=st{ISS}"), "authorization_denied"),
        (format!("code={}&state=st{ISS}", "x".repeat(8193)), "callback_parameter_too_long"),
        (format!("code=a&state={}{ISS}", "x".repeat(513)), "callback_parameter_too_long"),
        (format!("code=a&state=st{ISS}&error_description={}", "x".repeat(2049)), "callback_parameter_too_long"),
        (format!("code=a&state=st{ISS}{}", "&x=1".repeat(70)), "callback_too_many_parameters"),
        (String::new(), "state_missing"),
    ] {
        assert_eq!(code_of(&query), Err(code), "{query}");
    }
}

#[test]
fn refuses_responses_of_another_provider() {
    for (query, code) in [
        ("code=a&state=st".to_owned(), "callback_issuer_missing"),
        ("code=a&state=st&iss=".to_owned(), "callback_issuer_mismatch"),
        ("code=a&state=st&iss=https://evil.test".to_owned(), "callback_issuer_mismatch"),
        (format!("code=a&state=st{ISS}/"), "callback_issuer_mismatch"),
        ("error=access_denied&state=st&iss=https://evil.test".to_owned(), "callback_issuer_mismatch"),
        ("error=access_denied&state=st".to_owned(), "callback_issuer_missing"),
    ] {
        assert_eq!(code_of(&query), Err(code), "{query}");
    }
    // Whoever does not announce iss may leave it out, but may not send another.
    let mut silent = provider();
    silent.authorization_response_iss_parameter_supported = false;
    let code = |query: &str| Callback::parse_query(query).unwrap().code(&silent);
    code("code=a&state=st").unwrap();
    assert_eq!(code("code=a&state=st&iss=https://evil.test").unwrap_err().code(), "callback_issuer_mismatch");
    let message = code("code=a&state=st&iss=https://evil.test").unwrap_err().to_string();
    assert_eq!(message, "iss: expected https://op.example.test/realms/acme, got https://evil.test");
}

#[test]
fn a_tenant_in_iss_has_to_fit_the_template() {
    let mut provider = provider();
    provider.issuer = Some(Issuer::TenantTemplate("https://login.test/{tenantid}/v2.0".to_owned()));
    let code = |iss: &str| Callback::parse([("code", "a"), ("state", "st"), ("iss", iss)]).unwrap().code(&provider);
    code("https://login.test/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0").unwrap();
    for iss in [
        "https://login.test/common/v2.0",
        "https://login.test/{tenantid}/v2.0",
        "https://login.test//v2.0",
        "https://evil.test/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0",
    ] {
        assert_eq!(code(iss).unwrap_err().code(), "callback_issuer_mismatch", "{iss}");
    }
    let by_hand = ProviderMetadata::manual(ManualEndpoints {
        authorization_endpoint: "https://git.test/auth",
        token_endpoint: "https://git.test/token",
        userinfo_endpoint: Some("https://git.test/user"),
        ..ManualEndpoints::default()
    });
    Callback::parse([("code", "a"), ("state", "st")]).unwrap().code(&by_hand.unwrap()).unwrap();
}

#[test]
fn errors_are_told_by_their_kind_and_fit_for_a_log() {
    let error = |query: &str| match Callback::parse_query(&format!("{query}&state=st{ISS}")).unwrap().code(&provider())
    {
        Err(CallbackError::Provider(error)) => error,
        other => panic!("{other:?}"),
    };
    for (name, kind) in [
        ("access_denied", AuthorizationErrorKind::Denied),
        ("login_required", AuthorizationErrorKind::InteractionRequired),
        ("interaction_required", AuthorizationErrorKind::InteractionRequired),
        ("consent_required", AuthorizationErrorKind::InteractionRequired),
        ("unauthorized_client", AuthorizationErrorKind::Misconfigured),
        ("invalid_scope", AuthorizationErrorKind::Misconfigured),
        ("redirect_uri_mismatch", AuthorizationErrorKind::Misconfigured),
        ("server_error", AuthorizationErrorKind::Unavailable),
        ("temporarily_unavailable", AuthorizationErrorKind::Unavailable),
        ("vendor_error", AuthorizationErrorKind::Other),
    ] {
        assert_eq!(error(&format!("error={name}")).kind, kind, "{name}");
    }
    let denied = error("error=access_denied&error_description=The+user%0D%0Asaid+no");
    assert_eq!(denied.to_string(), "the provider answered access_denied (The usersaid no)");
    let long = error(&format!("error=access_denied&error_description={}", "no+".repeat(600))).to_string();
    crate::signer::assert_fit_for_a_log(&long);
}
