mod party;
mod refresh;

use super::*;
use crate::demo::stage::Stage;
use crate::testing::parameters;
use axum::http::header;
use doorward_oidc::easie::{AccountState, EasieError, EasieIdentity, google, microsoft};
use doorward_oidc::{
    ClientAuthMethod, ClientAuthentication, CodeVerifier, Expectations, HttpResponse, IdToken, KeySet, OidcClient,
    Refusal, Secret, UserInfo, UserInfoSubject, refresh_request, userinfo_request, verify_id_token,
};
use party::{NONCE, Party, STATE, path, read};

const OPS: [&str; 3] = ["initech", "meadow", "harbour"];

fn by_google(token: &IdToken) -> Result<EasieIdentity, EasieError> {
    google::check(token, &["meadow.test"])
}

#[tokio::test]
async fn a_relying_party_finds_its_way_and_can_verify_who_signed_in() {
    let stage = Stage::new("op-way").await;
    for (slug, login, name) in [("initech", "erin", "Erin"), ("meadow", "grace", "Grace"), ("harbour", "iris", "Iris")]
    {
        let party = Party::at(&stage, slug).await;
        let methods = party.provider.token_endpoint_auth_methods.as_ref().unwrap();
        assert!(methods.contains(&ClientAuthMethod::SecretBasic) && methods.contains(&ClientAuthMethod::SecretPost));
        let tokens = party.tokens(login, &party.additional()).await;
        let id_token = party.verified(&tokens, Some(NONCE)).await;
        assert!(id_token.auth_time_ms().is_some());
        let client = party.provider.userinfo_endpoint.as_ref().unwrap();
        let userinfo = party.send(userinfo_request(client, &tokens.access_token).unwrap()).await;
        let response = HttpResponse {
            status: userinfo.status.as_u16(),
            content_type: Some("application/json"),
            body: userinfo.text.as_bytes(),
        };
        let subject = UserInfoSubject::SameAs(id_token.subject());
        assert!(UserInfo::parse(&response, subject, None).is_ok(), "{}", userinfo.text);
        assert_eq!(userinfo.json()["given_name"], json!(name));
        // The plain one tells in userinfo alone who it is.
        assert_eq!(id_token.claims().get("given_name").is_some(), slug != "initech");
    }
    stage.close().await;
}

#[tokio::test]
async fn eas7_eas8_the_people_of_a_tenant_pass_and_outsiders_with_its_addresses_do_not() {
    let stage = Stage::new("op-tenants").await;
    let meadow = Party::at(&stage, "meadow").await;
    let grace = meadow.verified(&meadow.tokens("grace", &[]).await, Some(NONCE)).await;
    let identity = by_google(&grace).unwrap();
    assert_eq!((identity.email.as_str(), identity.tenant.as_str()), ("grace@meadow.test", "meadow.test"));
    assert!(grace.subject().len() == 21 && grace.subject().bytes().all(|byte| byte.is_ascii_digit()));
    let sam = meadow.verified(&meadow.tokens("sam", &[]).await, Some(NONCE)).await;
    assert_eq!(sam.claims().get("email"), Some(&json!("sam@meadow.test")));
    assert_eq!(by_google(&sam).unwrap_err().code(), "hosted_domain_missing");

    let harbour = Party::at(&stage, "harbour").await;
    let domains: &[&str] = &["harbour.test"];
    let iris = harbour.verified(&harbour.tokens("iris", &[]).await, Some(NONCE)).await;
    let identity = microsoft::check(&iris, domains, None).unwrap();
    assert_eq!(identity.email, "iris@harbour.test");
    assert_ne!(identity.subject.split('.').next().unwrap(), iris.subject(), "the object's id, not the pairwise one");
    let jonas = harbour.verified(&harbour.tokens("jonas", &[]).await, Some(NONCE)).await;
    assert!(microsoft::check(&jonas, domains, Some(&identity.tenant)).is_ok());
    let mallory = harbour.verified(&harbour.tokens("mallory", &[]).await, Some(NONCE)).await;
    assert_eq!(mallory.claims().get("email"), Some(&json!("mallory@harbour.test")));
    assert_eq!(microsoft::check(&mallory, domains, None).unwrap_err().code(), "email_not_verified");
    assert_eq!(microsoft::check(&mallory, domains, Some(&identity.tenant)).unwrap_err().code(), "tenant_mismatch");
    // Each tenant has a document of its own, in which the issuer has no placeholder.
    for (tenant, status) in [(identity.tenant.as_str(), 200), ("11111111-86f1-41af-91ab-2d7cd011db47", 400)] {
        let document = stage.get(&format!("/{tenant}/v2.0/.well-known/openid-configuration")).await;
        assert_eq!(document.status, status, "{}", document.text);
        assert_eq!(document.json()["issuer"] == json!(iris.issuer()), status == 200);
    }
    stage.close().await;
}

#[tokio::test]
async fn only_the_registered_address_gets_an_answer_and_only_our_client() {
    let stage = Stage::new("op-redirects").await;
    for slug in OPS {
        let party = Party::at(&stage, slug).await;
        let good = party.request(&[], Some(&party.verifier.challenge()));
        let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let registered = encoded(&party.redirect_uri);
        let other = redirect_uri(&stage.server.app.config, &stage.connections[0]);
        let wrong: Vec<String> = ["/", "?a=b", "#a", "x", ".evil.test", "/../../x"]
            .iter()
            .map(|more| format!("{}{more}", party.redirect_uri))
            .chain([other, party.redirect_uri.to_uppercase(), "https://evil.test/".into(), String::new()])
            .map(|uri| good.replace(&registered, &encoded(&uri)))
            .chain([
                format!("{good}&redirect_uri={registered}"),
                format!("{good}&redirect_uri=https%3A%2F%2Fevil.test"),
            ])
            .chain([good.replace(CLIENT_ID, "somebody"), format!("{good}&client_id=somebody")])
            .chain([good.replace("client_id", "x"), good.replace("redirect_uri", "x")])
            .collect();
        for request in wrong {
            for request in [request.replace("/authorize?", "/authorize/as/erin?"), request] {
                let request = request.replace("erin?", &format!("{}?", party.op.company.people[0].login));
                let refused = stage.get(&request).await;
                assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{request}");
                assert!(!refused.text.contains("/as/") && refused.text.contains("nobody is asked for a password"));
            }
        }
        assert_eq!(
            stage.get(&good.replace("/authorize?", "/authorize/as/nobody?")).await.status,
            StatusCode::NOT_FOUND
        );
    }
    stage.close().await;
}

#[tokio::test]
async fn a_wrong_request_is_told_to_the_client() {
    let stage = Stage::new("op-errors").await;
    let party = Party::at(&stage, "initech").await;
    let good = party.request(&[], Some(&party.verifier.challenge()));
    let challenge = party.verifier.challenge();
    for (request, error) in [
        (good.replace("response_type=code", "response_type=token"), "unsupported_response_type"),
        (good.replace("response_type=code", ""), "unsupported_response_type"),
        (good.replace("scope=openid", "scope=profile"), "invalid_scope"),
        (format!("{good}&response_mode=fragment"), "invalid_request"),
        (format!("{good}&prompt=none"), "login_required"),
        (format!("{good}&request=e30.e30."), "request_not_supported"),
        (format!("{good}&request_uri=https%3A%2F%2Fevil.test"), "request_uri_not_supported"),
        (format!("{good}&nonce=twice"), "invalid_request"),
        (good.replace("S256", "plain"), "invalid_request"),
        (good.replace("code_challenge_method=S256", ""), "invalid_request"),
        (good.replace(&challenge, "short"), "invalid_request"),
    ] {
        for request in [request.replace("/authorize?", "/authorize/as/erin?"), request] {
            let back = stage.get(&request).await;
            assert!(back.location().starts_with(&format!("{}?", party.redirect_uri)), "{request}");
            let told = parameters(back.location());
            assert_eq!((told["error"].as_str(), told["state"].as_str()), (error, STATE), "{request}");
            assert!(!told.contains_key("code"));
            assert_eq!(told["iss"], party.op.issuer(None));
        }
    }
    // As a form it is the same request.
    let (endpoint, query) = good.split_once('?').unwrap();
    let form: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let posted = stage.post(endpoint, &form, ("", "")).await;
    assert!(posted.status == StatusCode::OK && posted.text.contains("/authorize/as/erin?"), "{}", posted.text);
    stage.close().await;
}

#[tokio::test]
async fn a_code_buys_one_answer_for_its_client_its_address_and_its_verifier_within_a_minute() {
    let stage = Stage::new("op-codes").await;
    for slug in OPS {
        let party = Party::at(&stage, slug).await;
        let login = party.op.company.people[0].login;
        let secret = party.op.client_secret();
        let authentication = ClientAuthentication::SecretPost(secret);
        let by_post = OidcClient { client_id: CLIENT_ID, authentication };
        let code = party.code(login, &[]).await;
        assert!(party.exchange_with(&code, &by_post).await.is_ok());
        assert_eq!(party.exchange_with(&code, &by_post).await.unwrap_err().code(), "grant_invalid", "twice");

        let code = party.code(login, &[]).await;
        let elsewhere = Party { redirect_uri: format!("{}/", party.redirect_uri), ..Party::at(&stage, slug).await };
        assert_eq!(elsewhere.exchange_with(&code, &by_post).await.unwrap_err().code(), "grant_invalid", "redirect URI");
        assert!(party.exchange_with(&code, &by_post).await.is_err(), "a wrong try uses it up");

        let code = party.code(login, &[]).await;
        let other = Party { verifier: CodeVerifier::from_random(&[8; 32]), ..Party::at(&stage, slug).await };
        assert_eq!(other.exchange_with(&code, &by_post).await.unwrap_err().code(), "grant_invalid", "verifier");
        let code = party.code(login, &[]).await;
        let without = [
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", &party.redirect_uri),
            ("client_id", CLIENT_ID),
            ("client_secret", secret),
        ];
        let endpoint = path(&party.provider.token_endpoint);
        let refused = stage.post(&endpoint, &without, ("", "")).await;
        assert_eq!(read(&refused).unwrap_err().code(), "grant_invalid", "no verifier");

        let code = party.code(login, &[]).await;
        for secret in ["", "wrong", &secret[1..], &format!("{secret}x")] {
            let refused =
                stage.post(&endpoint, &[&without[..4], &[("client_secret", secret)]].concat(), ("", "")).await;
            assert_eq!((refused.status.as_u16(), refused.json()["error"].as_str()), (401, Some("invalid_client")));
            assert!(refused.headers.contains_key(header::WWW_AUTHENTICATE));
            let wrong = party.exchange_with(&code, &party.client(if secret.is_empty() { "x" } else { secret })).await;
            assert_eq!(wrong.unwrap_err().code(), "client_rejected");
        }
        let twice = stage.post(&endpoint, &without, ("authorization", "Basic eDp5")).await;
        assert_eq!(twice.json()["error"], json!("invalid_request"), "two ways at once");
        stage.server.advance(60_000);
        assert_eq!(party.exchange_with(&code, &by_post).await.unwrap_err().code(), "grant_invalid", "too late");

        // A code of the neighbour.
        let neighbour = Party::at(&stage, if slug == "meadow" { "harbour" } else { "meadow" }).await;
        let code = neighbour.code(neighbour.op.company.people[0].login, &[]).await;
        assert!(party.exchange_with(&code, &by_post).await.is_err());
        for (form, error) in [
            (vec![("grant_type", "password")], "unsupported_grant_type"),
            (vec![], "invalid_request"),
            (vec![("grant_type", "authorization_code")], "invalid_request"),
            (vec![("grant_type", "refresh_token")], "invalid_request"),
            (vec![("grant_type", "refresh_token"), ("refresh_token", "x")], "invalid_grant"),
            (
                vec![("grant_type", "refresh_token"), ("grant_type", "refresh_token"), ("refresh_token", "x")],
                "invalid_grant",
            ),
        ] {
            let form = [&form[..], &[("client_id", CLIENT_ID), ("client_secret", secret)]].concat();
            let refused = stage.post(&endpoint, &form, ("", "")).await;
            assert_eq!((refused.status.as_u16(), refused.json()["error"].as_str()), (400, Some(error)), "{form:?}");
            assert_eq!(refused.json()["error_codes"].is_array(), slug == "harbour");
        }
    }
    stage.close().await;
}

#[test]
fn keys_are_made_once_and_are_their_owners_alone() {
    let folder = crate::demo::stage::folder("op-keys");
    let load = || Op::load_all(&folder, "http://127.0.0.1:1", &crate::random::SystemRandom);
    let (first, second) = (load().unwrap(), load().unwrap());
    for (one, same) in first.iter().zip(&second) {
        assert_eq!((one.client_secret(), one.keys.signing.jwk()), (same.client_secret(), same.keys.signing.jwk()));
    }
    assert_eq!(first.len(), 3);
    assert_ne!(first[0].client_secret(), first[1].client_secret());
    let file = folder.join("test-op-meadow.json");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    std::fs::write(&file, "{}").unwrap();
    assert!(load().err().unwrap().to_string().contains("delete it to get new ones"));
    std::fs::remove_dir_all(&folder).unwrap();
}
