//! Accounts are asked after although nobody asks for a token (EAS-4).

use super::super::support::client;
use super::*;
use crate::jobs::easie_deprovisioning as job;
use doorward_model::{EasieProvider, Session};
use doorward_store::{sessions, users};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

async fn run(app: &TestApp) -> usize {
    job::run(&app.app, EasieProvider::Google).await.unwrap()
}

#[tokio::test]
async fn eas4_eas5_the_job_puts_out_whoever_is_gone_within_the_interval() {
    for world in World::on_each_database().await {
        let [alice, bob] = [world.person("alice").await, world.person("bob").await];
        world.provider.accounts().live.remove("refresh-of-alice");
        world.app.advance(INTERVAL * 3 / 4 - 1);
        assert_eq!(run(&world.app).await, 0, "too early");
        world.app.advance(1);
        assert_eq!(job::run(&world.app.app, EasieProvider::Microsoft).await.unwrap(), 0, "another provider's");
        assert_eq!(run(&world.app).await, 2);
        assert_eq!((world.grant(&alice.account).await.state, alice.sessions().await), (EasieGrantState::Gone, 0));
        assert_eq!((world.grant(&bob.account).await.confirmed_at, bob.sessions().await), (world.app.now(), 1));
        assert_eq!(alice.token().await.error(), error(401, "deprovisioned"));
        assert_eq!(run(&world.app).await, 0);
        // Whom the job confirms, need not wait for the provider.
        world.app.advance(INTERVAL * 3 / 4);
        assert_eq!(run(&world.app).await, 1);
        world.app.advance(INTERVAL - 1);
        Person::is_minted(&bob.token().await);
        assert_eq!(world.provider.refreshes(), 3);
        world.close().await;
    }
}

#[tokio::test]
async fn eas4_nobody_is_asked_after_who_is_not_signed_in_and_whoever_comes_back_is_at_once() {
    for world in World::on_each_database().await {
        let alice = world.person("alice").await;
        alice.browser.post("/v1/client/sessions", &[("_method", "DELETE")]).await;
        alice.browser.post(&format!("/v1/client/sessions/{}/end", alice.session), &[]).await;
        world.app.advance(INTERVAL);
        assert_eq!(run(&world.app).await, 0);
        job::rest(&world.app.app).await.unwrap();
        assert_eq!(world.grant(&alice.account).await.due_at, None);
        assert_eq!(world.provider.refreshes(), 0);
        world.provider.accounts().live.clear();
        // She comes back through another connection, and is found to be gone with her first token; it is a token that she asks for.
        let browser = world.app.browser();
        let email = "alice@acme.test";
        world.idp.sign_in(&world.app, &browser, email, &Identity::new(email, "alice", "Müller")).await;
        assert_eq!(client(&browser).await["sessions"], json!([]));
        assert_eq!(world.provider.refreshes(), 1);
        // The account ends the sessions there are, once.
        let (browser, session, _) = world.sign_in("alice").await;
        Person::is_minted(&browser.post(&format!("/v1/client/sessions/{session}/tokens"), &[]).await);
        world.close().await;
    }
}

/// Many accounts with a session each, all due.
async fn crowd(world: &World, count: usize) {
    let alice = world.person("alice").await;
    let now = world.app.now();
    let template = {
        let tx = &mut world.app.app.store.read().await.unwrap();
        let session = sessions::by_id(tx, &alice.session.as_str().into()).await.unwrap().unwrap();
        (users::by_id(tx, &alice.user).await.unwrap().unwrap(), session)
    };
    for n in 1..count {
        let user = doorward_model::User { id: UserId::from(format!("user_{n:05}")), ..template.0.clone() };
        let session =
            Session { id: format!("sess_{n:05}").as_str().into(), user_id: user.id.clone(), ..template.1.clone() };
        write_tx!(world.app.app.store, StoreError, |tx| {
            users::insert(tx, &user).await?;
            sessions::insert(tx, &session).await
        })
        .unwrap();
        world.give(&user.id, &EnterpriseAccountId::from(format!("entacc_{n:05}")), &format!("token-{n}")).await;
    }
    assert_eq!(world.app.now(), now);
    world.app.advance(INTERVAL);
}

#[tokio::test]
async fn eas4_two_nodes_ask_after_hundreds_each_once_and_a_bounded_number_at_once() {
    const COUNT: usize = 300;
    for world in World::on_each_database().await {
        crowd(&world, COUNT).await;
        world.provider.accounts().rotates = true;
        world.provider.accounts().delay = Duration::from_millis(2);
        let node = world.app.second_node().await;
        let (here, there) = futures_util::future::join(run(&world.app), run(&node)).await;
        assert_eq!(here + there, COUNT, "{here} and {there}");
        assert!(here > 0 && there > 0, "{here} and {there}");
        {
            let accounts = world.provider.accounts();
            assert_eq!(accounts.refreshes.iter().collect::<HashSet<_>>().len(), COUNT);
            assert_eq!((accounts.refreshes.len(), accounts.thefts), (COUNT, 0));
            assert!(accounts.most_at_once <= 32, "{}", accounts.most_at_once);
        }
        assert_eq!(run(&world.app).await, 0);
        node.close().await;
        world.close().await;
    }
}

#[tokio::test]
async fn a_check_that_panics_keeps_no_other_from_its_turn() {
    let world = World::new().await;
    crowd(&world, 5).await;
    let (app, broken) = (Arc::new(world.app.clock_breaker()), AtomicBool::new(false));
    world.provider.accounts().hook = Some(Arc::new(move || {
        // Once: while the first account's answer is on its way.
        if !broken.swap(true, Ordering::SeqCst) {
            app();
        }
    }));
    assert_eq!(run(&world.app).await, 5);
    let checks = world.account_checks().await;
    let failed: Vec<_> =
        checks["data"].as_array().unwrap().iter().filter(|check| check["consecutive_failures"] != 0).collect();
    assert_eq!(failed.len(), 1, "{checks}");
    assert!(failed[0]["last_error"].as_str().unwrap().contains("the log has the reason"));
    world.app.advance(MINUTE);
    assert_eq!(run(&world.app).await, 1, "it is tried again");
    world.close().await;
}

#[tokio::test]
async fn an_outage_is_noticed_and_does_not_cost_a_request_for_each_account() {
    let world = World::new().await;
    crowd(&world, 100).await;
    world.provider.say(503, &json!({}));
    assert_eq!(run(&world.app).await, 100);
    assert!(world.provider.refreshes() < 40, "{}", world.provider.refreshes());
    assert_eq!(run(&world.app).await, 0, "they wait");
    world.provider.accounts().answer = None;
    world.app.advance(MINUTE);
    assert_eq!(run(&world.app).await, 100);
    assert_eq!(world.account_checks().await["data"][0]["consecutive_failures"], 0);
    world.close().await;
}
