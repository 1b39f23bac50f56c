use super::corpus::{self, Server, Target};
use super::finding::{Finding, Status};
use crate::random::SystemRandom;
use crate::testing::{SECRET_KEY, TestApp, TestIdp};
use axum::http::Method;
use doorward_model::EnterpriseConnection;
use doorward_store::{enterprise_connections, instance};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

async fn connection(app: &TestApp) -> EnterpriseConnection {
    let idp = TestIdp::connect(app, "acme.test", None, 0).await;
    let mut tx = app.app.store.read().await.unwrap();
    enterprise_connections::by_id(&mut tx, &idp.connection_id().into()).await.unwrap().unwrap()
}

async fn run(app: &TestApp, url: &str, secret_key: &str) -> (Vec<Finding>, usize) {
    let tried = AtomicUsize::new(0);
    let target = Target {
        url,
        secret_key,
        now: &|| app.now(),
        random: &SystemRandom,
        progress: &|done, _| tried.store(done, Ordering::SeqCst),
    };
    let signing_keys = instance::signing_keys(&mut app.app.store.read().await.unwrap()).await.unwrap();
    let findings = corpus::check(&target, &signing_keys, &connection(app).await).await;
    (findings, tried.load(Ordering::SeqCst))
}

async fn total(app: &TestApp, path: &str) -> Value {
    app.backend(Method::GET, path, Value::Null).await.ok()["total_count"].clone()
}

#[tokio::test]
async fn a_running_server_takes_what_is_genuine_and_refuses_the_rest() {
    for app in TestApp::on_each_database().await {
        let (url, _stop) = app.listen().await;
        let (findings, tried) = run(&app, &url, SECRET_KEY).await;
        assert!(findings.iter().all(|finding| finding.status == Status::Good), "{findings:#?}");
        let counted = |check: &str| -> usize {
            let found = findings.iter().find(|finding| finding.check == check).unwrap();
            found.what.split(' ').next().unwrap().parse().unwrap()
        };
        assert!(counted("corpus_takes") >= 20 && counted("corpus_refuses") >= 250, "{findings:#?}");
        assert_eq!(counted("corpus_takes") + counted("corpus_refuses"), tried);
        // It leaves nothing but the connection that was there, and made nobody.
        assert_eq!(total(&app, "/v1/enterprise_connections").await, 1);
        assert_eq!(app.backend(Method::GET, "/v1/users/count", Value::Null).await.ok()["total_count"], 0);
        app.close().await;
    }
}

#[tokio::test]
async fn what_an_interrupted_run_left_is_removed_and_nothing_else() {
    let app = TestApp::new().await;
    let (url, _stop) = app.listen().await;
    let now = || app.now();
    let target = Target { url: &url, secret_key: SECRET_KEY, now: &now, random: &SystemRandom, progress: &|_, _| () };
    let create = async |name: &str, domain: &str| {
        let wanted = json!({"name": name, "provider": "saml_custom", "domains": [domain]});
        app.backend(Method::POST, "/v1/enterprise_connections", wanted).await.ok();
    };
    create("Self-check (throw-away)", "0123.selfcheck.invalid").await;
    create("Self-check (throw-away)", "self-check.test").await;
    create("Self-check (throw-away)", "selfcheck.invalid").await;
    create("Another name", "4567.selfcheck.invalid").await;
    // More of them than one page of the list has, and newer.
    for number in 0..100 {
        create("Acme", &format!("acme{number}.test")).await;
    }
    // It may belong to a run that is under way.
    corpus::remove_left_over(&Server::new(&target).unwrap()).await.unwrap();
    assert_eq!(total(&app, "/v1/enterprise_connections").await, 104);
    app.advance(31 * 60 * 1000);
    corpus::remove_left_over(&Server::new(&target).unwrap()).await.unwrap();
    assert_eq!(total(&app, "/v1/enterprise_connections").await, 103);
    app.close().await;
}

#[tokio::test]
async fn a_wrong_key_and_a_server_that_is_not_there_are_problems() {
    let app = TestApp::new().await;
    let (url, stop) = app.listen().await;
    let (findings, tried) = run(&app, &url, "sk_live_somebodyelsessomebodyelse").await;
    assert_eq!((findings[0].status, tried), (Status::Problem, 0), "{findings:#?}");
    assert!(findings[0].what.contains("401"), "{findings:#?}");
    drop(stop);
    let (findings, _) = run(&app, "http://127.0.0.1:1", SECRET_KEY).await;
    assert!(findings[0].what.contains("could not be reached"), "{findings:#?}");
    app.close().await;
}

/// Somebody else's program, which keeps what it is sent.
async fn stranger(answer: Value) -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (seen, body) = (Arc::new(Mutex::new(Vec::new())), answer.to_string());
    let kept = seen.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = vec![0; 4096];
            let length = stream.read(&mut bytes).await.unwrap();
            kept.lock().unwrap().extend_from_slice(&bytes[..length]);
            let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        }
    });
    (url, seen)
}

#[tokio::test]
async fn the_secret_key_goes_to_the_server_of_the_database_alone() {
    let app = TestApp::new().await;
    for keys in [json!([]), json!([{"kid": "ins_somebodyelse"}])] {
        let (url, seen) = stranger(json!({ "keys": keys })).await;
        let (findings, tried) = run(&app, &url, SECRET_KEY).await;
        assert!(findings[0].what.contains("is not the server of this database"), "{findings:#?}");
        let seen = String::from_utf8(seen.lock().unwrap().clone()).unwrap();
        assert!(seen.starts_with("GET /.well-known/jwks.json ") && !seen.contains("sk_live"), "{seen}");
        assert_eq!((findings[0].status, tried), (Status::Problem, 0));
    }
    for url in ["http://sso.example.com", "http://192.0.2.1:4400", "http://127.0.0.1.example.com"] {
        let (findings, _) = run(&app, url, SECRET_KEY).await;
        assert!(findings[0].what.contains("neither https nor on this machine"), "{findings:#?}");
    }
    app.close().await;
}
