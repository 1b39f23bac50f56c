//! Configuration documents and configuration by hand.

use doorward_oidc::{
    Algorithm, ClientAuthMethod, DiscoveryError, ExpectedIssuer, IdentitySource, Issuer, ManualEndpoints,
    ProviderMetadata, discovery_url,
};
use serde_json::{Value, json};

pub const ISSUER: &str = "https://op.example.test/realms/acme";

pub fn document() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://op.example.test/auth?tenant=acme",
        "token_endpoint": "https://op.example.test/token",
        "userinfo_endpoint": "https://op.example.test/userinfo",
        "jwks_uri": "https://keys.example.test/jwks",
        "response_types_supported": ["code", "id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["none", "HS256", "RS256", "ES256", "Ed25519"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_post", "client_secret_basic"],
        "code_challenge_methods_supported": ["plain", "S256"],
        "response_modes_supported": ["query", "form_post"],
        "authorization_response_iss_parameter_supported": true,
        "claims_supported": ["sub"], "op_policy_uri": null,
    })
}

fn parse(document: &Value) -> Result<ProviderMetadata, DiscoveryError> {
    ProviderMetadata::parse(document.to_string().as_bytes(), ExpectedIssuer::Exact(ISSUER))
}

fn changed(name: &str, value: impl Into<Value>) -> Value {
    let mut document = document();
    document[name] = value.into();
    document
}

fn without(name: &str) -> Value {
    let mut document = document();
    document.as_object_mut().unwrap().shift_remove(name).unwrap();
    document
}

#[test]
fn reads_a_complete_document() {
    let metadata = parse(&document()).unwrap();
    assert_eq!(metadata.issuer, Some(Issuer::Exact(ISSUER.to_owned())));
    assert_eq!(metadata.authorization_endpoint, "https://op.example.test/auth?tenant=acme");
    assert_eq!(metadata.token_endpoint, "https://op.example.test/token");
    assert_eq!(metadata.userinfo_endpoint.as_deref(), Some("https://op.example.test/userinfo"));
    assert_eq!(metadata.jwks_uri.as_deref(), Some("https://keys.example.test/jwks"));
    assert_eq!(metadata.id_token_algorithms, [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA]);
    assert_eq!(metadata.userinfo_algorithms, metadata.id_token_algorithms);
    let methods = [ClientAuthMethod::SecretPost, ClientAuthMethod::SecretBasic];
    assert_eq!(metadata.token_endpoint_auth_methods.as_deref(), Some(methods.as_slice()));
    assert_eq!(metadata.response_modes, ["query", "form_post"]);
    assert!(metadata.authorization_response_iss_parameter_supported);
    assert_eq!((metadata.supports_pkce(), metadata.identity_source()), (Some(true), IdentitySource::IdToken));
}

#[test]
fn takes_the_standards_defaults_for_what_is_not_said() {
    let required = ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"];
    let mut least = document();
    least.as_object_mut().unwrap().retain(|name, _| required.contains(&name.as_str()));
    let metadata = parse(&least).unwrap();
    assert_eq!(metadata.id_token_algorithms, [Algorithm::RS256]);
    assert_eq!((metadata.supports_pkce(), &metadata.token_endpoint_auth_methods), (None, &None));
    assert_eq!(metadata.response_modes, ["query", "fragment"]);
    assert!(!metadata.authorization_response_iss_parameter_supported);
    for name in required {
        least[name].take();
        assert_eq!(parse(&least).unwrap_err(), DiscoveryError::Missing(name));
        least[name] = document()[name].clone();
    }
}

#[test]
fn accepts_no_issuer_but_the_expected_one() {
    for issuer in [
        "https://op.example.test/realms/acme/",
        "https://op.example.test/realms/Acme",
        "http://op.example.test/realms/acme",
        "https://op.example.test:443/realms/acme",
        "https://op.example.test/realms/acme2",
        "https://evil.test/realms/acme",
        "https://op.example.test/{tenantid}",
    ] {
        assert_eq!(parse(&changed("issuer", issuer)).unwrap_err().code(), "issuer_mismatch", "{issuer}");
    }
    for issuer in [
        "",
        "acme",
        "https://op.example.test?x=1",
        "https://op.example.test#x",
        "javascript:alert(1)",
        "https://a:b@op.test",
    ] {
        assert_eq!(parse(&changed("issuer", issuer)).unwrap_err().code(), "issuer_invalid", "{issuer}");
    }
    assert_eq!(parse(&changed("issuer", 1)).unwrap_err().code(), "discovery_member_type");
}

#[test]
fn an_issuer_and_its_document_belong_together() {
    assert_eq!(discovery_url(ISSUER).unwrap(), format!("{ISSUER}/.well-known/openid-configuration"));
    assert_eq!(discovery_url("https://x.test/").unwrap(), "https://x.test/.well-known/openid-configuration");
    assert_eq!(discovery_url("ftp://x.test").unwrap_err().code(), "issuer_invalid");
    let url = "https://x.test/a/.well-known/openid-configuration";
    let of = |issuer: &str| {
        let document = changed("issuer", issuer).to_string();
        ProviderMetadata::parse(document.as_bytes(), ExpectedIssuer::OfDiscoveryUrl(url))
            .map(|metadata| metadata.issuer)
    };
    for issuer in ["https://x.test/a", "https://x.test/a/"] {
        assert_eq!(of(issuer).unwrap(), Some(Issuer::Exact(issuer.to_owned())));
    }
    let with_query = ExpectedIssuer::OfDiscoveryUrl("https://x.test/a/.well-known/openid-configuration?appid=1");
    ProviderMetadata::parse(changed("issuer", "https://x.test/a").to_string().as_bytes(), with_query).unwrap();
    for issuer in ["https://x.test", "https://x.test/a//", "https://x.test/b", "https://x.test/{tenantid}"] {
        assert_eq!(of(issuer).unwrap_err().code(), "issuer_mismatch", "{issuer}");
    }
    let message = of("https://evil.test").unwrap_err().to_string();
    assert_eq!(message, "issuer: expected https://x.test/a, got https://evil.test");
}

#[test]
fn a_tenant_template_is_an_expectation_of_its_own() {
    let template = "https://login.microsoftonline.com/{tenantid}/v2.0";
    let document = changed("issuer", template).to_string();
    let parse = |expected| ProviderMetadata::parse(document.as_bytes(), expected).map(|metadata| metadata.issuer);
    assert_eq!(parse(ExpectedIssuer::TenantTemplate(template)), Ok(Some(Issuer::TenantTemplate(template.to_owned()))));
    for expected in [
        ExpectedIssuer::Exact(template),
        ExpectedIssuer::OfDiscoveryUrl(
            "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration",
        ),
        ExpectedIssuer::TenantTemplate("https://evil.test/{tenantid}/v2.0"),
    ] {
        assert_eq!(parse(expected).unwrap_err().code(), "issuer_mismatch", "{expected:?}");
    }
    // Without the placeholder it is no template: every token would be of the one issuer, whatever its tenant.
    let plain = changed("issuer", "https://login.microsoftonline.com/v2.0").to_string();
    let expected = ExpectedIssuer::TenantTemplate("https://login.microsoftonline.com/v2.0");
    assert_eq!(ProviderMetadata::parse(plain.as_bytes(), expected).unwrap_err().code(), "issuer_mismatch");
}

#[test]
fn refuses_addresses_that_are_none() {
    let long = format!("https://op.example.test/{}", "x".repeat(2048));
    for endpoint in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"] {
        for address in [
            "",
            "/auth",
            "op.example.test/auth",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "ftp://x.test/",
            "https:op.example.test",
            "https://",
            "https://user:pw@op.example.test/",
            "https://user@op.example.test/",
            "https://op.example.test/#x",
            "https://op.example.test\\@evil.test/",
            " https://op.example.test/",
            "https://op.exam\tple.test/",
            "https://op.example.test/\n",
            &long,
        ] {
            assert_eq!(
                parse(&changed(endpoint, address)).unwrap_err().code(),
                "endpoint_invalid",
                "{endpoint} {address:?}"
            );
        }
        assert_eq!(parse(&changed(endpoint, json!(["https://x.test"]))).unwrap_err().code(), "discovery_member_type");
        // Whether it may be connected to is the business of the client that connects.
        parse(&changed(endpoint, "http://127.0.0.1:8080/x")).unwrap();
    }
}

#[test]
fn passwords_in_addresses_are_not_shown() {
    for address in ["https://user:s3cret@op.test/", "https://user:s3cret@op.test/ x", "ftp://user:s3cret@op.test/"] {
        let message = parse(&changed("token_endpoint", address)).unwrap_err().to_string();
        assert!(message.starts_with("token_endpoint ") && !message.contains("s3cret"), "{message}");
    }
}

#[test]
fn refuses_providers_that_cannot_be_used() {
    assert_eq!(parse(&changed("response_types_supported", json!(["id_token"]))).unwrap_err().code(), "no_code_flow");
    for algorithms in [json!(["none"]), json!(["HS256", "HS512"]), json!([])] {
        let document = changed("id_token_signing_alg_values_supported", algorithms);
        assert_eq!(parse(&document).unwrap_err().code(), "no_signature_algorithm");
    }
    for name in ["jwks_uri", "token_endpoint", "issuer"] {
        assert_eq!(parse(&without(name)).unwrap_err().code(), "discovery_member_missing");
    }
}

#[test]
fn refuses_documents_that_are_too_large_or_of_other_types() {
    assert_eq!(parse(&changed("x", "x".repeat(140_000))).unwrap_err().code(), "json_too_large");
    let mut many = document();
    for at in 0..260 {
        many[format!("x{at}")] = json!(1);
    }
    assert_eq!(parse(&many).unwrap_err().code(), "discovery_too_many_members");
    let long: Vec<String> = (0..129).map(|at| format!("m{at}")).collect();
    assert_eq!(parse(&changed("response_modes_supported", long)).unwrap_err().code(), "discovery_list_too_long");
    for value in [json!("S256"), json!([1]), json!({"S256": true})] {
        let document = changed("code_challenge_methods_supported", value);
        assert_eq!(parse(&document).unwrap_err().code(), "discovery_member_type");
    }
    let document = changed("authorization_response_iss_parameter_supported", "true");
    assert_eq!(parse(&document).unwrap_err().code(), "discovery_member_type");
    let twice = format!("{{\"issuer\":\"https://evil.test\",{}", &self::document().to_string()[1..]);
    let refused = ProviderMetadata::parse(twice.as_bytes(), ExpectedIssuer::Exact(ISSUER));
    assert_eq!(refused.unwrap_err().code(), "json_malformed");
    let page = ProviderMetadata::parse(b"<html>", ExpectedIssuer::Exact(ISSUER));
    assert_eq!(page.unwrap_err().code(), "json_malformed");
}

#[test]
fn by_hand_people_are_known_by_userinfo_unless_issuer_and_keys_are_given() {
    let base = ManualEndpoints {
        authorization_endpoint: "https://git.test/login/oauth/authorize",
        token_endpoint: "https://git.test/login/oauth/access_token",
        ..ManualEndpoints::default()
    };
    let userinfo_endpoint = Some("https://git.test/api/user");
    let source = |endpoints| ProviderMetadata::manual(endpoints).map(|metadata| metadata.identity_source());
    assert_eq!(source(ManualEndpoints { userinfo_endpoint, ..base }), Ok(IdentitySource::UserInfo));
    let (issuer, jwks_uri) = (Some("https://git.test"), Some("https://git.test/jwks"));
    assert_eq!(source(ManualEndpoints { issuer, jwks_uri, ..base }), Ok(IdentitySource::IdToken));
    for endpoints in [base, ManualEndpoints { issuer, ..base }, ManualEndpoints { jwks_uri, ..base }] {
        assert_eq!(source(endpoints), Err(DiscoveryError::NoIdentitySource));
    }
    // Half of what verifies an ID token verifies none.
    assert_eq!(source(ManualEndpoints { issuer, userinfo_endpoint, ..base }), Ok(IdentitySource::UserInfo));
    let template = Some("https://login.test/{tenantid}/v2.0");
    assert_eq!(source(ManualEndpoints { issuer: template, jwks_uri, ..base }).unwrap_err().code(), "issuer_invalid");
    let odd = ManualEndpoints { token_endpoint: "token", userinfo_endpoint, ..base };
    assert_eq!(source(odd).unwrap_err().code(), "endpoint_invalid");
}
