//! A refresh token is used once at a time, and what comes in its place is kept.

use super::*;
use doorward_store::easie_grants::Claim;
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn eas6_what_the_provider_gives_in_the_place_of_a_refresh_token_is_used_next() {
    for world in World::on_each_database().await {
        let alice = world.person("alice").await;
        world.provider.accounts().rotates = true;
        for _ in 0..3 {
            world.app.advance(INTERVAL);
            Person::is_minted(&alice.token().await);
        }
        let refreshes = world.provider.accounts().refreshes.clone();
        let thefts = world.provider.accounts().thefts;
        let first = "refresh-of-alice";
        assert_eq!(refreshes, [first.to_owned(), format!("{first}.1"), format!("{first}.1.2")]);
        assert_eq!(thefts, 0);
        world.close().await;
    }
}

#[tokio::test]
async fn many_tokens_at_once_on_two_nodes_send_a_refresh_token_once() {
    for world in World::on_each_database().await {
        let alice = world.person("alice").await;
        let node = world.app.second_node().await;
        world.provider.accounts().rotates = true;
        world.provider.accounts().delay = Duration::from_millis(300);
        world.app.advance(INTERVAL);
        let there = alice.browser.on(&node);
        let path = format!("/v1/client/sessions/{}/tokens", alice.session);
        let asks = (0..10).map(|n| if n % 2 == 0 { alice.browser.post(&path, &[]) } else { there.post(&path, &[]) });
        for answer in join_all(asks).await {
            Person::is_minted(&answer);
        }
        assert_eq!((world.provider.refreshes(), world.provider.accounts().thefts), (1, 0));

        // And if she is gone, all of them hear so.
        world.app.advance(INTERVAL);
        world.provider.accounts().live.clear();
        let asks = (0..10).map(|n| if n % 2 == 0 { alice.browser.post(&path, &[]) } else { there.post(&path, &[]) });
        for answer in join_all(asks).await {
            assert_eq!(answer.error(), error(401, "deprovisioned"));
        }
        assert_eq!(world.provider.refreshes(), 2);
        node.close().await;
        world.close().await;
    }
}

/// A node claims the account and uses its refresh token, and ends before it has saved anything.
async fn dies_after_the_refresh(world: &World, account: &EnterpriseAccountId, refresh_token: &str) {
    let now = world.app.now();
    write_tx!(world.app.app.store, StoreError, |tx| {
        easie_grants::claim(tx, account, now, now + 2 * MINUTE, false)
            .await?
            .map(|grant| Claim::of(&grant))
            .ok_or(StoreError::Outdated)
    })
    .unwrap();
    if world.provider.accounts().rotates {
        let mut accounts = world.provider.accounts();
        accounts.live.remove(refresh_token);
        accounts.spent.insert(refresh_token.to_owned());
    }
}

#[tokio::test]
async fn a_node_that_dies_between_refresh_and_save_costs_a_new_sign_in_at_the_most() {
    for (rotates, expected) in [(false, 200), (true, 401)] {
        let world = World::new().await;
        let alice = world.person("alice").await;
        world.provider.accounts().rotates = rotates;
        world.app.advance(INTERVAL);
        dies_after_the_refresh(&world, &alice.account, "refresh-of-alice").await;
        // The account is the dead node's: the token waits, and then does without.
        Person::is_minted(&alice.token().await);
        assert_eq!(world.provider.refreshes(), 0);
        world.app.advance(2 * MINUTE);
        let answer = alice.token().await;
        assert_eq!(answer.status.as_u16(), expected, "{}", answer.text);
        assert_eq!(world.provider.refreshes(), 1, "the claim ran out, and another node took over");
        world.close().await;
    }
}

#[tokio::test]
async fn a_sign_in_meanwhile_is_not_undone_by_what_was_asked_before_it() {
    for world in World::on_each_database().await {
        let alice = world.person("alice").await;
        world.app.advance(INTERVAL);
        world.provider.accounts().delay = Duration::from_millis(400);
        world.provider.accounts().live.clear();
        let path = format!("/v1/client/sessions/{}/tokens", alice.session);
        let sign_in = async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            world.give(&alice.user, &alice.account, "of-the-sign-in").await;
        };
        let (answer, ()) = futures_util::future::join(alice.browser.post(&path, &[]), sign_in).await;
        Person::is_minted(&answer);
        let grant = world.grant(&alice.account).await;
        assert_eq!((grant.state, grant.confirmed_at), (EasieGrantState::Live, world.app.now()));
        world.app.advance(INTERVAL);
        Person::is_minted(&alice.token().await);
        assert_eq!(world.provider.accounts().refreshes.last().unwrap(), "of-the-sign-in");
        world.close().await;
    }
}

#[tokio::test]
async fn a_refresh_token_is_not_sent_when_the_claim_is_about_to_end() {
    let world = World::new().await;
    let alice = world.person("alice").await;
    world.app.advance(INTERVAL);
    let now = world.app.now();
    // The provider's document takes so long that two minutes have passed.
    let app = Arc::clone(&world.app.app);
    let claimed = write_tx!(app.store, StoreError, |tx| {
        easie_grants::claim(tx, &alice.account, now, now + 2 * MINUTE, false).await
    });
    let grant = claimed.unwrap().unwrap();
    world.app.advance(2 * MINUTE - 29_999);
    crate::flows::deprovision::check_claimed(&app, grant).await;
    assert_eq!(world.provider.refreshes(), 0);
    let grant = world.grant(&alice.account).await;
    assert_eq!((grant.claimed_until, grant.failures, grant.due_at), (0, 0, Some(world.app.now() + MINUTE)));
    world.close().await;
}

#[tokio::test]
async fn a_token_that_cannot_be_opened_or_a_panic_is_one_accounts_failure() {
    for world in World::on_each_database().await {
        let [alice, bob] = [world.person("alice").await, world.person("bob").await];
        world
            .app
            .sql("UPDATE easie_grants SET encrypted_refresh_token = 'rubbish' WHERE account_id = 'entacc_alice'")
            .await;
        world.app.advance(INTERVAL);
        for person in [&alice, &bob] {
            Person::is_minted(&person.token().await);
        }
        let grant = world.grant(&alice.account).await;
        assert_eq!((grant.state, grant.failures, grant.claimed_until), (EasieGrantState::Live, 1, 0));
        assert!(grant.last_error.unwrap().contains("the log has the reason"));
        assert_eq!(world.grant(&bob.account).await.confirmed_at, world.app.now());
        world.close().await;
    }
}
