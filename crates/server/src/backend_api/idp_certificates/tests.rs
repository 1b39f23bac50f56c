use crate::testing::{Identity, TestApp, TestIdp};
use axum::http::Method;
use serde_json::{Value, json};

async fn list(app: &TestApp, path: &str) -> Vec<Value> {
    let found = app.backend(Method::GET, path, Value::Null).await.ok();
    assert_eq!(found["total_count"], found["data"].as_array().unwrap().len());
    found["data"].as_array().unwrap().clone()
}

/// Signs in through an IdP of the connection; whether that worked.
async fn signs_in(app: &TestApp, idp: &TestIdp) -> bool {
    let alice = Identity::new("alice@acme.test", "Alice", "Müller");
    let done = idp.sign_in(app, &app.browser(), "alice@acme.test", &alice).await;
    done.location() == "https://app.example.com/done"
}

#[tokio::test]
async fn con23_an_idp_changes_its_key_without_locking_anybody_out() {
    for app in TestApp::on_each_database().await {
        let old = TestIdp::connect(&app, "acme.test", None, 0).await;
        let new = old.with_other_key(1);
        let path = format!("/v1/enterprise_connections/{}/certificates", old.connection_id());
        assert_eq!((signs_in(&app, &old).await, signs_in(&app, &new).await), (true, false));

        let body = json!({"certificate": new.certificate().pem()});
        let added = app.backend(Method::POST, &path, body.clone()).await.ok();
        assert_eq!(added["fingerprint"], new.certificate().fingerprint());
        assert!(added["issued_at"].as_i64().unwrap() < added["expires_at"].as_i64().unwrap());
        assert_eq!((signs_in(&app, &old).await, signs_in(&app, &new).await), (true, true));
        // Twice is once.
        app.backend(Method::POST, &path, body).await.ok();
        let listed = list(&app, &path).await;
        assert_eq!(listed.len(), 2);
        assert_eq!(listed[1], added);

        let first = format!("{path}/{}", old.certificate().fingerprint());
        let deleted = app.backend(Method::DELETE, &first, Value::Null).await.ok();
        assert_eq!(deleted["deleted"], true);
        assert_eq!((signs_in(&app, &old).await, signs_in(&app, &new).await), (false, true));
        assert_eq!(app.backend(Method::DELETE, &first, Value::Null).await.error().0, 404);
        app.close().await;
    }
}

#[tokio::test]
async fn con9_the_last_certificate_of_an_active_connection_stays() {
    for app in TestApp::on_each_database().await {
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        let connection = format!("/v1/enterprise_connections/{}", idp.connection_id());
        let path = format!("{connection}/certificates");
        let last = format!("{path}/{}", idp.certificate().fingerprint());
        let refused = app.backend(Method::DELETE, &last, Value::Null).await;
        assert_eq!(refused.error(), (422, "saml_connection_cant_be_activated".to_owned()));
        assert!(signs_in(&app, &idp).await);
        app.backend(Method::PATCH, &connection, json!({"active": false})).await.ok();
        app.backend(Method::DELETE, &last, Value::Null).await.ok();
        assert!(list(&app, &path).await.is_empty());
        app.close().await;
    }
}

#[tokio::test]
async fn what_is_no_certificate_or_one_too_many_is_refused() {
    let app = TestApp::new().await;
    let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
    let path = format!("/v1/enterprise_connections/{}/certificates", idp.connection_id());
    for (body, status) in [
        (json!({}), 422),
        (json!({"certificate": null}), 422),
        (json!({"certificate": ""}), 422),
        (json!({"certificate": "nonsense"}), 422),
        (json!({"certificate": 1}), 422),
        (json!({"certificate": "x".repeat(70_000)}), 422),
    ] {
        assert_eq!(app.backend(Method::POST, &path, body.clone()).await.status, status, "{body}");
    }
    for number in 0..15 {
        let name = format!("{number}.test");
        let pem = rcgen::generate_simple_self_signed(vec![name]).unwrap().cert.pem();
        app.backend(Method::POST, &path, json!({ "certificate": pem })).await.ok();
    }
    let pem = rcgen::generate_simple_self_signed(vec!["one.test".into()]).unwrap().cert.pem();
    let refused = app.backend(Method::POST, &path, json!({ "certificate": pem })).await;
    assert_eq!(refused.status, 422);
    assert_eq!(list(&app, &path).await.len(), 16);
    let nowhere = "/v1/enterprise_connections/ent_nobody/certificates";
    assert_eq!(app.backend(Method::GET, nowhere, Value::Null).await.status, 404);
    let body = json!({"certificate": idp.certificate().pem()});
    assert_eq!(app.backend(Method::POST, nowhere, body).await.status, 404);
    app.close().await;
}
