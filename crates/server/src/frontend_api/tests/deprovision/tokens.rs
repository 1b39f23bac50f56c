//! When a session token waits for the provider, and what it is answered.

use super::super::support::{claims, client};
use super::*;

#[tokio::test]
async fn eas4_a_token_asks_the_provider_once_its_last_word_is_ten_minutes_old() {
    for world in World::on_each_database().await {
        let alice = world.person("alice").await;
        world.app.advance(INTERVAL - 1);
        Person::is_minted(&alice.token().await);
        Person::is_minted(&world.backend_token(&alice.session).await);
        assert_eq!(world.provider.refreshes(), 0, "its word still counts");
        world.app.advance(1);
        Person::is_minted(&alice.token().await);
        assert_eq!(world.provider.refreshes(), 1);
        let grant = world.grant(&alice.account).await;
        assert_eq!(grant.confirmed_at, world.app.now());
        assert_eq!((grant.claimed_until, grant.failures, grant.last_error), (0, 0, None));
        for _ in 0..3 {
            Person::is_minted(&alice.token().await);
            Person::is_minted(&world.backend_token(&alice.session).await);
        }
        assert_eq!(world.provider.refreshes(), 1);
        world.app.advance(INTERVAL);
        Person::is_minted(&world.backend_token(&alice.session).await);
        assert_eq!(world.provider.refreshes(), 2);
        world.close().await;
    }
}

#[tokio::test]
async fn eas4_the_browsers_view_and_the_handshake_ask_before_they_hand_out_a_token() {
    let world = World::new().await;
    let alice = world.person("alice").await;
    let shown = async || client(&alice.browser).await["sessions"][0]["last_active_token"]["jwt"].clone();
    let handshake = async || {
        let to = "/v1/client/handshake?redirect_url=https%3A%2F%2Fapp.example.com%2F";
        let location = alice.browser.visit(to).await.location().to_owned();
        let url = url::Url::parse(&location).unwrap();
        let in_query = url.query_pairs().find(|(name, _)| name == "__clerk_handshake").map(|(_, jwt)| jwt.into_owned());
        let jwt = in_query.or_else(|| alice.browser.cookie("__clerk_handshake")).unwrap();
        claims(&jwt)["handshake"].to_string().contains("__session=ey")
    };
    world.app.advance(INTERVAL);
    assert!(shown().await.is_string());
    assert_eq!(world.provider.refreshes(), 1);
    world.app.advance(INTERVAL);
    assert!(handshake().await);
    assert_eq!(world.provider.refreshes(), 2);
    // What answers a change has no time to ask: the page fetches the token itself.
    world.app.advance(INTERVAL);
    let touch = format!("/v1/client/sessions/{}/touch", alice.session);
    let touched = alice.browser.post(&touch, &[]).await.ok();
    assert_eq!(touched["response"]["last_active_token"], Value::Null);
    assert_eq!(world.provider.refreshes(), 2);

    world.provider.accounts().live.clear();
    assert!(!handshake().await);
    assert_eq!(client(&alice.browser).await["sessions"], json!([]));
    assert_eq!(world.provider.refreshes(), 3);
    world.close().await;
}

#[tokio::test]
async fn eas5_of_an_account_that_is_gone_all_sessions_end_and_say_why() {
    for world in World::on_each_database().await {
        let alice = world.person("alice").await;
        let bob = world.person("bob").await;
        let (elsewhere, elsewhere_session, _) = world.sign_in("alice").await;
        let (signed_out, signed_out_session, _) = world.sign_in("alice").await;
        signed_out.post(&format!("/v1/client/sessions/{signed_out_session}/end"), &[]).await.ok();
        let (_, revoked_session, _) = world.sign_in("alice").await;
        world.app.backend(Method::POST, &format!("/v1/sessions/{revoked_session}/revoke"), Value::Null).await.ok();
        world.app.advance(INTERVAL);
        world.provider.accounts().live.remove("refresh-of-alice");
        assert_eq!(alice.token().await.error(), error(401, "deprovisioned"));
        // Once and for all, and not asked again.
        let elsewhere_tokens = format!("/v1/client/sessions/{elsewhere_session}/tokens");
        for _ in 0..2 {
            assert_eq!(alice.token().await.error(), error(401, "deprovisioned"));
            assert_eq!(elsewhere.post(&elsewhere_tokens, &[]).await.error(), error(401, "deprovisioned"));
            assert_eq!(world.backend_token(&alice.session).await.error(), error(400, "deprovisioned"));
        }
        assert_eq!(world.provider.refreshes(), 1);
        assert_eq!((alice.sessions().await, client(&elsewhere).await["sessions"].as_array().unwrap().len()), (0, 0));
        let status = async |session: &str| {
            world.app.backend(Method::GET, &format!("/v1/sessions/{session}"), Value::Null).await.ok()["status"].clone()
        };
        assert_eq!([status(&alice.session).await, status(&elsewhere_session).await], ["revoked", "revoked"]);
        // What ended before, ended for another reason.
        assert_eq!(status(&signed_out_session).await, "ended");
        for session in [&signed_out_session, &revoked_session] {
            assert_eq!(world.backend_token(session).await.error(), error(400, "invalid_action_for_session"));
        }
        let grant = world.grant(&alice.account).await;
        assert_eq!((grant.state, grant.encrypted_refresh_token, grant.due_at), (EasieGrantState::Gone, None, None));
        Person::is_minted(&bob.token().await);
        assert_eq!(bob.sessions().await, 1, "nobody else");
        world.close().await;
    }
}

#[tokio::test]
async fn eas5_the_loss_of_one_account_does_not_touch_sessions_that_begin_later_another_way() {
    for world in World::on_each_database().await {
        let alice = world.person("alice").await;
        world.app.advance(INTERVAL);
        world.provider.accounts().live.clear();
        assert_eq!(world.backend_token(&alice.session).await.error(), error(400, "deprovisioned"));
        world.app.advance(1);
        let (browser, session, user) = world.sign_in("alice").await;
        assert_eq!(user, alice.user);
        for _ in 0..2 {
            let token = browser.post(&format!("/v1/client/sessions/{session}/tokens"), &[]).await;
            Person::is_minted(&token);
            world.app.advance(INTERVAL);
        }
        assert_eq!(world.provider.refreshes(), 1, "what is gone is not asked after");
        assert_eq!(alice.token().await.error(), error(401, "deprovisioned"));
        assert_eq!(world.backend_token(&alice.session).await.error(), error(400, "deprovisioned"));
        world.close().await;
    }
}

#[tokio::test]
async fn eas4_who_has_two_accounts_is_asked_after_at_both() {
    let world = World::new().await;
    let alice = world.person("alice").await;
    world.give(&alice.user, &"entacc_second".into(), "second").await;
    world.app.advance(INTERVAL);
    Person::is_minted(&alice.token().await);
    assert_eq!(world.provider.refreshes(), 2);
    world.app.advance(INTERVAL);
    world.provider.accounts().live.remove("second");
    assert_eq!(alice.token().await.error(), error(401, "deprovisioned"));
    world.close().await;
}

#[tokio::test]
async fn a_stranger_and_an_ended_session_have_nobody_asked() {
    let world = World::new().await;
    let alice = world.person("alice").await;
    world.app.advance(INTERVAL);
    let tokens = format!("/v1/client/sessions/{}/tokens", alice.session);
    assert_eq!(world.app.browser().post(&tokens, &[]).await.error(), error(401, "signed_out"));
    let (mallory, _, _) = world.sign_in("mallory").await;
    assert_eq!(mallory.post(&tokens, &[]).await.error(), error(404, "resource_not_found"));
    let forged = world.app.browser();
    let cookie = alice.browser.cookie("__client").unwrap();
    forged.set_cookie("__client", &format!("{}x", &cookie[..cookie.len() - 1]));
    assert_eq!(forged.post(&tokens, &[]).await.error(), error(401, "signed_out"));
    alice.browser.post(&format!("/v1/client/sessions/{}/end", alice.session), &[]).await.ok();
    assert_eq!(alice.token().await.error(), error(401, "signed_out"));
    assert_eq!(world.provider.refreshes(), 0);
    world.close().await;
}
