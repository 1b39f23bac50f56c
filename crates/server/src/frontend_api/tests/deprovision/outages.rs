//! A provider that does not answer, answers late, or repeats what it was sent.

use super::*;
use std::sync::Mutex;
use std::time::Duration;

#[tokio::test]
async fn eas6_in_an_outage_sessions_go_on_and_the_provider_is_asked_less_and_less_often() {
    for world in World::on_each_database().await {
        let alice = world.person("alice").await;
        world.app.advance(INTERVAL);
        world.provider.say(500, &json!({}));
        let mut asked = 0;
        // Half an hour in which she fetches a token every half minute.
        for _ in 0..60 {
            Person::is_minted(&alice.token().await);
            asked = world.provider.refreshes();
            world.app.advance(MINUTE / 2);
        }
        assert_eq!(asked, 6, "at once, after 1, 2, 4 and 8 minutes, and then after 10");
        let checks = world.account_checks().await;
        assert_eq!(checks["total_count"], 1);
        let check = &checks["data"][0];
        assert_eq!((&check["state"], &check["consecutive_failures"]), (&json!("live"), &json!(6)));
        assert!(check["last_error"].as_str().unwrap().contains("500"), "{check}");
        assert!(check["next_at"].as_i64() > check["confirmed_at"].as_i64());

        world.provider.accounts().answer = None;
        world.app.advance(INTERVAL);
        Person::is_minted(&alice.token().await);
        let check = world.account_checks().await["data"][0].clone();
        assert_eq!((&check["consecutive_failures"], &check["last_error"]), (&json!(0), &Value::Null));
        assert_eq!(check["confirmed_at"], world.app.now());
        world.close().await;
    }
}

#[tokio::test]
async fn eas6_who_is_found_gone_after_an_outage_is_put_out() {
    let world = World::new().await;
    let alice = world.person("alice").await;
    world.app.advance(INTERVAL);
    world.provider.say(429, &json!({}));
    Person::is_minted(&alice.token().await);
    world.provider.accounts().answer = None;
    world.provider.accounts().live.clear();
    world.app.advance(MINUTE);
    assert_eq!(alice.token().await.error(), error(401, "deprovisioned"));
    world.close().await;
}

#[tokio::test]
async fn a_provider_that_asks_to_slow_down_is_left_alone_for_a_while_for_everybody() {
    let world = World::new().await;
    let [alice, bob] = [world.person("alice").await, world.person("bob").await];
    world.app.advance(INTERVAL);
    world.provider.say(429, &json!({}));
    Person::is_minted(&alice.token().await);
    Person::is_minted(&bob.token().await);
    assert_eq!(world.provider.refreshes(), 1);
    assert!(world.grant(&bob.account).await.last_error.unwrap().contains("left alone"));
    world.app.advance(MINUTE);
    Person::is_minted(&bob.token().await);
    assert_eq!(world.provider.refreshes(), 2);
    world.close().await;
}

#[tokio::test]
async fn an_unreachable_provider_or_document_puts_nobody_out() {
    // Nothing listens there any more.
    let nowhere = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let world = World::new().await;
    let alice = world.person("alice").await;
    let elsewhere = format!("{nowhere}/.well-known/openid-configuration");
    world
        .app
        .sql(&format!(
            "UPDATE enterprise_connections SET oidc = REPLACE(oidc, '{}', '{elsewhere}')",
            world.provider.discovery_url("oauth_google")
        ))
        .await;
    world.app.advance(INTERVAL);
    Person::is_minted(&alice.token().await);
    let grant = world.grant(&alice.account).await;
    assert_eq!((grant.state, grant.failures), (EasieGrantState::Live, 1));
    assert!(grant.last_error.unwrap().contains("could not be reached"));
    assert_eq!(world.provider.refreshes(), 0);
    world.close().await;
}

#[tokio::test]
async fn a_token_waits_for_a_slow_provider_but_not_for_ever_and_the_verdict_counts_all_the_same() {
    let world = World::new().await;
    let alice = world.person("alice").await;
    world.app.advance(INTERVAL);
    world.provider.accounts().delay = Duration::from_secs(5);
    world.provider.accounts().live.clear();
    let begun = std::time::Instant::now();
    Person::is_minted(&alice.token().await);
    let waited = begun.elapsed();
    assert!((Duration::from_secs(3)..Duration::from_secs(5)).contains(&waited), "{waited:?}");
    crate::flows::deprovision::finish(&world.app.app, Duration::from_secs(10)).await;
    assert_eq!(alice.token().await.error(), error(401, "deprovisioned"));
    assert_eq!(world.provider.refreshes(), 1);
    world.close().await;
}

#[derive(Clone, Default)]
struct Log(std::sync::Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn neither_the_log_nor_an_answer_nor_the_store_tells_a_secret_and_the_log_is_not_flooded() {
    let world = World::new().await;
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let mut answers = String::new();
    for (name, status, code) in
        [("alice", 400, "invalid_grant"), ("bob", 400, "invalid_client"), ("carol", 400, "login_required")]
    {
        let person = world.person(name).await;
        world.app.advance(INTERVAL);
        let repeated = format!("Basic s3cret and {} and application", format_args!("refresh-of-{name}"));
        world.provider.say(status, &json!({"error": code, "error_description": repeated}));
        answers += &person.token().await.text;
        answers += &world.backend_token(&person.session).await.text;
    }
    // Many at once in an outage are one warning.
    world.provider.say(500, &json!({}));
    let people = [world.person("dora").await, world.person("emil").await, world.person("fritz").await];
    world.app.advance(INTERVAL);
    for person in &people {
        Person::is_minted(&person.token().await);
    }
    answers += &world.account_checks().await.to_string();
    drop(guard);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for words in ["account deprovisioned", "without a new sign-in", "account cannot be confirmed for now"] {
        assert!(log.contains(words), "{words}: {log}");
    }
    let warnings = log.lines().filter(|line| line.contains("WARN") && line.contains("cannot be confirmed for now"));
    assert_eq!(warnings.count(), 2, "bob's, and one for the outage");
    for secret in ["s3cret", "refresh-of"] {
        assert!(!log.contains(secret), "the log tells {secret}");
        assert!(!answers.contains(secret), "an answer tells {secret}: {answers}");
    }
    let grant = world.grant(&"entacc_dora".into()).await;
    assert!(!format!("{grant:?}").contains("refresh-of"));
    world.close().await;
}
