//! Requests to the token endpoint, and what its answers mean.

use doorward_oidc::easie::AccountState;
use doorward_oidc::{
    ClientAuthMethod, ClientAuthentication, CodeVerifier, ExpectedIssuer, HttpMethod, HttpRequest, HttpResponse,
    OidcClient, ProviderMetadata, Refusal, Secret, TokenError, TokenResponse, Unavailability,
    authorization_code_request, refresh_request,
};
use serde_json::{Value, json};

const ENDPOINT: &str = "https://op.example.test/token";
const REDIRECT: &str = "https://sso.example.test/v1/oauth_callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn client(authentication: ClientAuthentication<'_>) -> OidcClient<'_> {
    OidcClient { client_id: "my client", authentication }
}

fn exchange(client: &OidcClient<'_>) -> HttpRequest {
    let verifier = CodeVerifier::from_stored(VERIFIER).unwrap();
    authorization_code_request(ENDPOINT, client, &Secret::new("c/1"), REDIRECT, Some(&verifier)).unwrap()
}

const EXCHANGE: &str = "grant_type=authorization_code&code=c%2F1&redirect_uri=https%3A%2F%2Fsso.example.test%2Fv1%2Foauth_callback\
                        &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

#[test]
fn the_secret_in_the_header_is_form_encoded_first() {
    let request = exchange(&client(ClientAuthentication::SecretBasic("p%ss:w~rd+é")));
    assert_eq!((request.method, request.url.as_str()), (HttpMethod::Post, ENDPOINT));
    // base64 of "my+client:p%25ss%3Aw%7Erd%2B%C3%A9"
    let basic = "Basic bXkrY2xpZW50OnAlMjVzcyUzQXclN0VyZCUyQiVDMyVBOQ==";
    let headers = [
        ("accept", "application/json".to_owned()),
        ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ("authorization", basic.to_owned()),
    ];
    assert_eq!(request.headers, headers);
    assert_eq!(request.body.as_deref(), Some(EXCHANGE));
}

#[test]
fn the_secret_in_the_body() {
    let request = exchange(&client(ClientAuthentication::SecretPost("p%ss")));
    assert_eq!(request.body.unwrap(), format!("{EXCHANGE}&client_id=my+client&client_secret=p%25ss"));
    assert!(request.headers.iter().all(|(name, _)| *name != "authorization"));
}

#[test]
fn a_public_client_shows_its_verifier_or_nothing_is_sent() {
    let public = client(ClientAuthentication::None);
    assert_eq!(exchange(&public).body.unwrap(), format!("{EXCHANGE}&client_id=my+client"));
    let refused = authorization_code_request(ENDPOINT, &public, &Secret::new("c"), REDIRECT, None).unwrap_err();
    assert_eq!(refused.code(), "public_client_without_pkce");
}

#[test]
fn the_request_of_a_refresh() {
    let client = client(ClientAuthentication::SecretPost("s"));
    let request = refresh_request(ENDPOINT, &client, &Secret::new("r&1"), None).unwrap();
    let body = "grant_type=refresh_token&refresh_token=r%261&client_id=my+client&client_secret=s";
    assert_eq!(request.body.as_deref(), Some(body));
    let request = refresh_request(ENDPOINT, &client, &Secret::new("r"), Some("openid email")).unwrap();
    assert!(request.body.unwrap().starts_with("grant_type=refresh_token&refresh_token=r&scope=openid+email&"));
}

#[test]
fn sends_no_empty_values_and_to_no_odd_addresses() {
    let basic = client(ClientAuthentication::SecretBasic("s"));
    let refresh = |endpoint, client: &OidcClient<'_>, token: &str| {
        refresh_request(endpoint, client, &Secret::new(token), None).unwrap_err().code()
    };
    assert_eq!(refresh(ENDPOINT, &basic, ""), "token_parameter_empty");
    assert_eq!(refresh(ENDPOINT, &client(ClientAuthentication::SecretPost("")), "r"), "token_parameter_empty");
    assert_eq!(refresh(ENDPOINT, &OidcClient { client_id: "", ..basic }, "r"), "token_parameter_empty");
    assert_eq!(refresh("ftp://op.test", &basic, "r"), "endpoint_invalid");
}

#[test]
fn chooses_how_to_authenticate_by_what_the_provider_takes() {
    let mut document = crate::discovery::document();
    let mut chosen = |methods: Value, id: &'static str, secret: Option<&'static str>| {
        document["token_endpoint_auth_methods_supported"] = methods;
        let expected = ExpectedIssuer::Exact(crate::discovery::ISSUER);
        let provider = ProviderMetadata::parse(document.to_string().as_bytes(), expected).unwrap();
        OidcClient::choose(id, secret, &provider).map(|client| client.authentication).map_err(|error| error.code())
    };
    use ClientAuthentication::{None as Public, SecretBasic, SecretPost};
    let both = json!(["client_secret_post", "client_secret_basic"]);
    assert_eq!(chosen(both.clone(), "id", Some("plain")), Ok(SecretBasic("plain")));
    assert_eq!(chosen(both.clone(), "id", Some("w~rd")), Ok(SecretPost("w~rd")));
    assert_eq!(chosen(both.clone(), "my id", Some("plain")), Ok(SecretPost("plain")));
    assert_eq!(chosen(json!(["client_secret_basic"]), "id", Some("w~rd")), Ok(SecretBasic("w~rd")));
    assert_eq!(chosen(json!(["client_secret_post", "private_key_jwt"]), "id", Some("s")), Ok(SecretPost("s")));
    assert_eq!(chosen(Value::Null, "id", Some("w~rd")), Ok(SecretBasic("w~rd")));
    assert_eq!(chosen(json!(["private_key_jwt"]), "id", Some("s")), Err("no_client_auth_method"));
    assert_eq!(chosen(json!(["none"]), "id", Some("s")), Err("no_client_auth_method"));
    assert_eq!(chosen(both, "id", None), Ok(Public));
    assert_eq!(ClientAuthMethod::from_name("tls_client_auth"), None);
}

#[test]
fn secrets_are_never_printed() {
    const SECRET: &str = "s3cret-s3cret";
    let client = client(ClientAuthentication::SecretPost(SECRET));
    let request = refresh_request(ENDPOINT, &client, &Secret::new(SECRET), None).unwrap();
    let answer = json!({"access_token": SECRET, "token_type": "Bearer", "id_token": SECRET, "refresh_token": SECRET});
    let body = answer.to_string();
    let response = HttpResponse { status: 200, content_type: Some("application/json"), body: body.as_bytes() };
    let tokens = TokenResponse::parse(&response).unwrap();
    let basic = OidcClient { authentication: ClientAuthentication::SecretBasic(SECRET), ..client };
    let printed = format!("{client:?} {basic:?} {request:?} {response:?} {tokens:?} {:?}", Secret::new(SECRET));
    assert!(!printed.contains(SECRET), "{printed}");
}

fn parse(status: u16, body: &Value) -> Result<TokenResponse, TokenError> {
    let body = body.to_string();
    TokenResponse::parse(&HttpResponse { status, content_type: Some("application/json"), body: body.as_bytes() })
}

fn tokens() -> Value {
    json!({"access_token": "at", "token_type": "Bearer", "expires_in": 3599, "id_token": "a.b.c", "refresh_token": "rt", "scope": "openid"})
}

fn changed(name: &str, value: Value) -> Value {
    let mut tokens = tokens();
    tokens[name] = value;
    tokens
}

#[test]
fn reads_a_successful_answer() {
    let read = parse(200, &tokens()).unwrap();
    assert_eq!(read.access_token.expose(), "at");
    assert_eq!(read.id_token, Some(Secret::new("a.b.c")));
    assert_eq!(read.refresh_token, Some(Secret::new("rt")));
    assert_eq!((read.expires_in_s, read.scope.as_deref()), (Some(3599), Some("openid")));
    for token_type in ["bearer", "BEARER"] {
        parse(200, &changed("token_type", token_type.into())).unwrap();
    }
    assert_eq!(parse(200, &changed("expires_in", "3599".into())).unwrap().expires_in_s, Some(3599));
    for odd in [json!(-1), json!(null), json!(1.5), json!("soon")] {
        assert_eq!(parse(200, &changed("expires_in", odd)).unwrap().expires_in_s, None);
    }
    let least =
        parse(200, &json!({"access_token": "at", "token_type": "Bearer", "id_token": null, "refresh_token": ""}));
    assert_eq!(least.unwrap().refresh_token, None);
}

#[test]
fn answers_that_are_none_say_nothing_about_the_account() {
    let raw = |status, content_type, body: &[u8]| TokenResponse::parse(&HttpResponse { status, content_type, body });
    let json = Some("application/json;charset=UTF-8");
    let good = tokens().to_string();
    raw(200, json, good.as_bytes()).unwrap();
    let invalid_grant = br#"{"error":"invalid_grant"}"#;
    let twice = br#"{"error":"invalid_grant","error":"server_error"}"#;
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(300_000));
    let unavailable: Vec<(u16, Option<&str>, &[u8])> = vec![
        (200, Some("text/html"), good.as_bytes()),
        (200, None, good.as_bytes()),
        (200, json, b""),
        (200, json, b"<html>invalid_grant</html>"),
        (200, json, b"access_token=at&token_type=bearer"),
        (200, json, b"[]"),
        (200, json, large.as_bytes()),
        (201, json, good.as_bytes()),
        (204, json, b""),
        (302, json, invalid_grant),
        (400, json, good.as_bytes()),
        (400, json, b"<html>invalid_grant</html>"),
        (400, json, b"{}"),
        (400, json, br#"{"error":{"code":400,"message":"invalid_grant"}}"#),
        (400, json, twice),
        (401, Some("text/html"), b"Unauthorized"),
        (403, Some("text/html"), b"<h1>Blocked by the firewall</h1>"),
        (404, json, invalid_grant),
        (429, json, invalid_grant),
        (500, json, invalid_grant),
        (502, Some("text/html"), b"Bad Gateway"),
        (503, json, br#"{"error":"temporarily_unavailable"}"#),
    ];
    for (status, content_type, body) in unavailable {
        let error = raw(status, content_type, body).unwrap_err();
        assert!(matches!(error, TokenError::Unavailable(_)), "{status} {error:?}");
        assert_eq!(AccountState::of(&Err(error)), AccountState::Unknown);
    }
    for odd in [
        changed("access_token", Value::Null),
        changed("access_token", "".into()),
        changed("access_token", 1.into()),
        changed("access_token", "a b".into()),
        changed("access_token", "a\r\nX-Injected: 1".into()),
        changed("access_token", "x".repeat(70_000).into()),
        changed("token_type", "mac".into()),
        changed("token_type", "DPoP".into()),
        changed("token_type", Value::Null),
        changed("id_token", json!({})),
        changed("refresh_token", "é".into()),
    ] {
        assert!(matches!(parse(200, &odd), Err(TokenError::Unavailable(Unavailability::Malformed(_)))), "{odd}");
    }
    assert_eq!(TokenError::Unavailable(Unavailability::Unreachable).code(), "token_endpoint_unavailable");
}

/// What an error means, by its code and by what becomes of the account.
fn verdict(status: u16, body: Value) -> (&'static str, AccountState) {
    let outcome = parse(status, &body);
    let state = AccountState::of(&outcome);
    let error = outcome.unwrap_err();
    crate::signer::assert_fit_for_a_log(&error.to_string());
    (error.code(), state)
}

#[test]
fn tells_gone_accounts_from_used_up_grants_and_from_our_own_faults() {
    let deleted = ("account_deleted", AccountState::Gone(Refusal::AccountDeleted));
    let disabled = ("account_disabled", AccountState::Gone(Refusal::AccountDisabled));
    let withdrawn = ("access_withdrawn", AccountState::Gone(Refusal::AccessWithdrawn));
    let invalid = ("grant_invalid", AccountState::Gone(Refusal::GrantInvalid));
    let sign_in = ("sign_in_needed", AccountState::SignInNeeded);
    let ours = ("client_rejected", AccountState::Unknown);
    let later = ("token_endpoint_unavailable", AccountState::Unknown);
    let entra = |code: u64, error: &str| {
        let description = format!("AADSTS{code}: Something. Trace ID: 0000aaaa-11bb-cccc-dd22-eeeeee333333");
        json!({"error": error, "error_description": description, "error_codes": [code], "suberror": "bad_token"})
    };
    let google = |description: &str| json!({"error": "invalid_grant", "error_description": description});
    for (status, body, expected) in [
        // The standard, with 400 and with 401.
        (400, json!({"error": "invalid_grant"}), invalid),
        (401, json!({"error": "invalid_grant"}), invalid),
        (403, json!({"error": "access_denied"}), withdrawn),
        (200, json!({"error": "invalid_grant"}), invalid),
        (401, json!({"error": "invalid_client"}), ours),
        (400, json!({"error": "invalid_client"}), ours),
        (400, json!({"error": "unauthorized_client"}), ours),
        (400, json!({"error": "invalid_request"}), ours),
        (400, json!({"error": "invalid_scope"}), ours),
        (400, json!({"error": "unsupported_grant_type"}), ours),
        (200, json!({"error": "bad_verification_code"}), ours),
        (200, json!({"error": "bad_refresh_token"}), invalid),
        (400, json!({"error": "interaction_required"}), sign_in),
        (400, json!({"error": "login_required"}), sign_in),
        (400, json!({"error": "server_error"}), later),
        (400, json!({"error": "temporarily_unavailable"}), later),
        // Google.
        (400, google("Token has been expired or revoked."), invalid),
        (400, google("Bad Request"), invalid),
        (400, google("Account has been deleted"), deleted),
        (400, google("The account has been deleted"), deleted),
        (400, google("Account has been disabled"), disabled),
        (400, google("reauth related error (invalid_rapt)"), sign_in),
        (400, json!({"error": "invalid_grant", "error_subtype": "invalid_rapt"}), sign_in),
        (400, json!({"error": "admin_policy_enforced"}), withdrawn),
        (401, json!({"error": "deleted_client", "error_description": "The OAuth client was deleted."}), ours),
        // Entra ID.
        (400, entra(50057, "invalid_grant"), disabled),
        (400, entra(50034, "invalid_grant"), deleted),
        (400, entra(500341, "invalid_grant"), deleted),
        (400, entra(50020, "invalid_grant"), deleted),
        (400, entra(50105, "invalid_grant"), withdrawn),
        (400, entra(65001, "invalid_grant"), withdrawn),
        (400, entra(700082, "invalid_grant"), sign_in),
        (400, entra(70008, "invalid_grant"), sign_in),
        (400, entra(70043, "invalid_grant"), sign_in),
        (400, entra(50173, "invalid_grant"), sign_in),
        (400, entra(50076, "interaction_required"), sign_in),
        (400, entra(53003, "access_denied"), sign_in),
        (400, entra(700016, "unauthorized_client"), ours),
        (401, entra(7000215, "invalid_client"), ours),
        (401, entra(7000222, "invalid_client"), ours),
        (400, entra(90033, "invalid_grant"), later),
        (400, entra(99999, "invalid_grant"), invalid),
        (400, entra(99999, "invalid_client"), ours),
        (400, json!({"error": "invalid_grant", "error_codes": [70000, 50057]}), disabled),
        (400, json!({"error": "invalid_grant", "error_codes": "50034"}), invalid),
        (400, json!({"error": "invalid_grant", "suberror": "consent_required"}), withdrawn),
        (400, json!({"error": "invalid_grant", "suberror": "basic_action"}), sign_in),
    ] {
        assert_eq!(verdict(status, body.clone()), expected, "{status} {body}");
    }
    assert_eq!(AccountState::of(&parse(200, &tokens())), AccountState::Active);
}

#[test]
fn messages_show_what_the_provider_said_but_no_token_it_repeats() {
    let token = "1__0gLongRefreshTokenThatAProviderRepeatsInItsMessage";
    let body = json!({"error": "invalid_grant", "error_description": format!("Token {token} is\r\nunknown")});
    let message = parse(400, &body).unwrap_err().to_string();
    assert_eq!(message, "the provider refused the grant: invalid_grant (Token […] isunknown)");
}
