use super::corpus::{self, Server, Target};
use super::finding::{Finding, Status};
use crate::random::SystemRandom;
use crate::testing::{SECRET_KEY, TestApp, TestIdp};
use axum::http::Method;
use doorward_model::EnterpriseConnection;
use doorward_store::enterprise_connections;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

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
    let findings = corpus::check(&target, &connection(app).await).await;
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
    let create = async |name: &str, domain: &str| {
        let wanted = json!({"name": name, "provider": "saml_custom", "domains": [domain]});
        app.backend(Method::POST, "/v1/enterprise_connections", wanted).await.ok();
    };
    create("Self-check (throw-away)", "0123.selfcheck.invalid").await;
    create("Self-check, our company's product", "self-check.test").await;
    create("Self-check of somebody", "selfcheck.invalid").await;
    let now = || app.now();
    let target = Target { url: &url, secret_key: SECRET_KEY, now: &now, random: &SystemRandom, progress: &|_, _| () };
    corpus::remove_left_over(&Server::new(&target).unwrap()).await.unwrap();
    assert_eq!(total(&app, "/v1/enterprise_connections").await, 2);
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
    assert!(!format!("{findings:?}").contains(SECRET_KEY));
    app.close().await;
}
