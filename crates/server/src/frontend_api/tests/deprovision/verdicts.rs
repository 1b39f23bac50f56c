//! What providers answer, and what it amounts to.

use super::*;

/// Asks after ten minutes with this answer; the token call's status and the grant.
async fn after(world: &World, name: &str, status: u16, body: &Value) -> (u16, EasieGrant, usize) {
    let person = world.person(name).await;
    world.provider.say(status, body);
    world.app.advance(INTERVAL);
    let answer = person.token().await;
    let grant = world.grant(&person.account).await;
    let code = if answer.status.is_success() { "minted".to_owned() } else { answer.error().1 };
    let is_told = match grant.state {
        EasieGrantState::Live => "minted",
        EasieGrantState::Gone => "deprovisioned",
        EasieGrantState::SignInNeeded => "signed_out",
    };
    assert_eq!(code, is_told, "{body}");
    let sessions = person.sessions().await;
    (answer.status.as_u16(), grant, sessions)
}

fn entra(error: &str, code: u64) -> Value {
    json!({
        "error": error, "error_description": format!("AADSTS{code}: what it means. Trace ID: 0e4f8a1c"), "error_codes": [code],
        "timestamp": "2026-01-15 12:00:00Z", "correlation_id": "0e4f8a1c-1b1b-4b1b-8b1b-1b1b1b1b1b1b",
    })
}

#[tokio::test]
async fn eas5_eas6_each_word_of_google_and_entra_for_an_account_that_is_gone() {
    let world = World::new().await;
    let google = |description: &str| json!({"error": "invalid_grant", "error_description": description});
    for (n, (status, body, reason)) in [
        (400, json!({"error": "invalid_grant"}), "grant_invalid"),
        (400, google("Bad Request"), "grant_invalid"),
        (400, google("Token has been expired or revoked."), "grant_invalid"),
        (400, google("Account has been deleted"), "account_deleted"),
        (401, google("Account has been disabled"), "account_disabled"),
        (400, json!({"error": "admin_policy_enforced"}), "access_withdrawn"),
        (400, entra("invalid_grant", 50034), "account_deleted"),
        (400, entra("invalid_grant", 50057), "account_disabled"),
        (400, entra("invalid_grant", 65001), "access_withdrawn"),
        (400, entra("invalid_grant", 50105), "access_withdrawn"),
        (400, entra("invalid_grant", 12345), "grant_invalid"),
    ]
    .into_iter()
    .enumerate()
    {
        let (answered, grant, sessions) = after(&world, &format!("person{n}"), status, &body).await;
        assert_eq!((answered, sessions, grant.state), (401, 0, EasieGrantState::Gone), "{body}");
        assert_eq!((grant.encrypted_refresh_token, grant.due_at, grant.claimed_until), (None, None, 0), "{body}");
        assert!(grant.last_error.as_ref().unwrap().starts_with(reason), "{body}: {:?}", grant.last_error);
    }
    world.close().await;
}

#[tokio::test]
async fn eas6_a_grant_that_is_used_up_ends_sessions_without_calling_anybody_deprovisioned() {
    let world = World::new().await;
    for (n, (status, body)) in [
        (400, json!({"error": "invalid_grant", "error_subtype": "invalid_rapt"})),
        (400, json!({"error": "interaction_required"})),
        (400, entra("invalid_grant", 700082)),
        (400, entra("invalid_grant", 50173)),
        (400, entra("interaction_required", 50076)),
        (400, entra("invalid_grant", 53003)),
    ]
    .into_iter()
    .enumerate()
    {
        let (answered, grant, sessions) = after(&world, &format!("person{n}"), status, &body).await;
        assert_eq!((answered, sessions, grant.state), (401, 0, EasieGrantState::SignInNeeded), "{body}");
        assert_eq!((grant.encrypted_refresh_token, grant.due_at), (None, None), "{body}");
        assert!(grant.last_error.as_ref().unwrap().starts_with("sign_in_needed"), "{:?}", grant.last_error);
    }
    let alice = world.person("alice").await;
    world.app.advance(INTERVAL);
    assert_eq!(world.backend_token(&alice.session).await.error(), error(400, "invalid_action_for_session"));
    world.close().await;
}

#[tokio::test]
async fn eas6_a_broken_client_or_provider_puts_nobody_out() {
    let world = World::new().await;
    for (n, (status, body, reason)) in [
        (401, json!({"error": "invalid_client"}), "client_rejected"),
        (401, entra("invalid_client", 7_000_222), "client_rejected"),
        (400, entra("unauthorized_client", 700_016), "client_rejected"),
        (400, json!({"error": "invalid_request"}), "client_rejected"),
        (400, json!({"error": "unsupported_grant_type"}), "client_rejected"),
        (503, json!({"error": "invalid_grant"}), "token_endpoint_unavailable"),
        (400, json!({"error": "temporarily_unavailable"}), "token_endpoint_unavailable"),
        (404, json!({"error": "invalid_grant"}), "token_endpoint_unavailable"),
        (200, json!({"token_type": "Bearer"}), "token_endpoint_unavailable"),
        (200, json!("invalid_grant"), "token_endpoint_unavailable"),
        (302, json!({"error": "invalid_grant"}), "token_endpoint_unavailable"),
    ]
    .into_iter()
    .enumerate()
    {
        let (answered, grant, sessions) = after(&world, &format!("person{n}"), status, &body).await;
        assert_eq!((answered, sessions, grant.state), (200, 1, EasieGrantState::Live), "{body}");
        assert!(grant.encrypted_refresh_token.is_some() && grant.failures == 1, "{body}");
        assert!(grant.confirmed_at < world.app.now(), "{body}");
        assert!(grant.last_error.as_ref().unwrap().starts_with(reason), "{body}: {:?}", grant.last_error);
    }
    world.close().await;
}

/// A person whose provider sends these claims in the ID token that comes with a refresh.
async fn with_id_token(word: &str, subject: &str, change: impl Fn(&AccountProvider, &mut Value)) -> EasieGrant {
    let world = World::on(TestApp::new().await, word, json!({})).await;
    let alice = world.person("alice").await;
    world.app.sql(&format!("UPDATE enterprise_accounts SET subject = '{subject}' WHERE id = 'entacc_alice'")).await;
    let sealed =
        refresh_tokens::seal(&world.app.app, &world.connection.as_str().into(), subject, &Secret::new("for-her"));
    world.app.sql(&format!("UPDATE easie_grants SET encrypted_refresh_token = '{}'", sealed.unwrap())).await;
    world.provider.accounts().live.insert("for-her".into());
    world.provider.accounts().rotates = true;
    let mut claims = json!({"sub": "pairwise", "exp": world.app.now() / 1000 + 100_000});
    change(&world.provider, &mut claims);
    world.provider.accounts().id_token = Some(claims);
    world.app.advance(INTERVAL);
    let answer = alice.token().await;
    let grant = world.grant(&alice.account).await;
    let expected = if grant.state == EasieGrantState::Live { 200 } else { 401 };
    assert_eq!(answer.status.as_u16(), expected, "{}", answer.text);
    if let Some(sealed) = &grant.encrypted_refresh_token {
        // Whatever the token says, what was given in the place of the old one is kept.
        let opened = refresh_tokens::open(&world.app.app, &grant.connection_id, subject, sealed).unwrap();
        assert_eq!(opened.expose(), "for-her.1");
    }
    world.close().await;
    grant
}

#[tokio::test]
async fn eas7_a_google_account_that_left_the_organization_is_gone() {
    let verdict = async |name: &str, value: Value| {
        let grant = with_id_token("oauth_google", "1234", |_, claims| {
            claims["sub"] = json!("1234");
            claims["hd"] = json!("easie.test");
            claims[name] = value.clone();
        });
        let grant = grant.await;
        (grant.state, grant.failures, grant.last_error.unwrap_or_default())
    };
    assert_eq!(verdict("email", json!("renamed@elsewhere.test")).await, (EasieGrantState::Live, 0, String::new()));
    assert_eq!(verdict("hd", json!("EASIE.test")).await.0, EasieGrantState::Live);
    for (name, value, words) in [
        ("hd", Value::Null, "hd: expected one of easie.test, got null"),
        ("hd", json!("other.test"), "hd: expected one of easie.test, got other.test"),
        ("hd", json!(["easie.test"]), "hd: expected one of easie.test"),
        ("sub", json!("another"), "sub: expected 1234, got another"),
    ] {
        let (state, _, said) = verdict(name, value).await;
        assert_eq!(state, EasieGrantState::Gone, "{words}");
        assert!(said.contains(words), "{said}");
    }
    // What is not genuine says nothing about anybody.
    for (name, value, words) in
        [("iss", json!("https://evil.test"), "issuer"), ("aud", json!("another"), "audience"), ("exp", json!(1), "exp")]
    {
        let (state, failures, said) = verdict(name, value).await;
        assert_eq!((state, failures), (EasieGrantState::Live, 1), "{words}");
        assert!(said.starts_with("id_token: ") && said.contains(words), "{said}");
    }
}

#[tokio::test]
async fn eas9_an_entra_account_that_moved_to_another_tenant_is_gone() {
    const OBJECT: &str = "b3809430-6c28-4e43-870d-fa7d38636dcd";
    const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
    const OTHER: &str = "11111111-86f1-41af-91ab-2d7cd011db47";
    let subject = format!("{OBJECT}.{TENANT}");
    let verdict = async |object: Value, tenant: &str| {
        let grant = with_id_token("oauth_microsoft", &subject, |provider, claims| {
            claims["oid"] = object.clone();
            claims["tid"] = json!(tenant);
            claims["iss"] = json!(format!("{}/{tenant}/v2.0", provider.url));
        });
        let grant = grant.await;
        (grant.state, grant.failures)
    };
    assert_eq!(verdict(json!(OBJECT.to_uppercase()), TENANT).await, (EasieGrantState::Live, 0));
    assert_eq!(verdict(json!(OBJECT), OTHER).await.0, EasieGrantState::Gone);
    assert_eq!(verdict(json!(OTHER), TENANT).await.0, EasieGrantState::Gone);
    assert_eq!(verdict(Value::Null, TENANT).await, (EasieGrantState::Live, 1), "it does not say whom it is about");
}

#[tokio::test]
async fn eas2_a_grant_of_another_application_is_of_no_use() {
    for world in World::on_each_database().await {
        let alice = world.person("alice").await;
        world.change_connection(json!({"oidc": {"client_id": "new one", "client_secret": "new"}})).await;
        world.app.advance(INTERVAL);
        assert_eq!(alice.token().await.error(), error(401, "signed_out"));
        assert_eq!(world.provider.refreshes(), 0, "it is not shown to anybody else");
        let grant = world.grant(&alice.account).await;
        assert_eq!((grant.state, grant.encrypted_refresh_token), (EasieGrantState::SignInNeeded, None));
        world.close().await;
    }
}

#[tokio::test]
async fn eas2_the_instances_application_asks_where_the_connection_has_none() {
    let with = |id: &'static str| {
        TestApp::with(move |raw| {
            raw.easie_google_client_id = Some(id.into());
            raw.easie_google_client_secret = Some("s3cret".into());
        })
    };
    for (id, state) in [("application", EasieGrantState::Live), ("another", EasieGrantState::SignInNeeded)] {
        let world = World::on(with(id).await, "oauth_google", json!({"client_id": null, "client_secret": null})).await;
        let alice = world.person("alice").await;
        world.app.advance(INTERVAL);
        let minted = alice.token().await.status.is_success();
        let grant = world.grant(&alice.account).await;
        assert_eq!((minted, grant.state, grant.failures), (state == EasieGrantState::Live, state, 0), "{id}");
        world.close().await;
    }
}

#[tokio::test]
async fn a_connection_that_is_switched_off_keeps_those_in_who_are_in_and_asks_again_when_it_is_on() {
    for world in World::on_each_database().await {
        let alice = world.person("alice").await;
        world.change_connection(json!({"active": false})).await;
        world.provider.accounts().live.clear();
        world.app.advance(2 * INTERVAL);
        Person::is_minted(&alice.token().await);
        assert_eq!(world.provider.refreshes(), 0);
        crate::flows::deprovision::rest(&world.app.app).await.unwrap();
        assert_eq!(world.grant(&alice.account).await.due_at, None, "it rests");
        world.change_connection(json!({"active": true})).await;
        assert_eq!(alice.token().await.error(), error(401, "deprovisioned"));
        world.close().await;
    }
}

#[tokio::test]
async fn a_deleted_connection_takes_its_grants_along_and_sessions_go_on() {
    let world = World::new().await;
    let alice = world.person("alice").await;
    let path = format!("/v1/enterprise_connections/{}", world.connection);
    world.app.backend(Method::DELETE, &path, Value::Null).await.ok();
    world.app.advance(INTERVAL);
    Person::is_minted(&alice.token().await);
    assert_eq!(world.provider.refreshes(), 0);
    world.close().await;
}
