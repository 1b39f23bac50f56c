use crate::flows::connection_keys::decryption_keys;
use crate::testing::{Identity, TestApp, TestIdp, begin_sign_in};
use axum::http::Method;
use doorward_saml::TrustedCertificate;
use doorward_saml::idp::ReceivedAuthnRequest;
use futures_util::future::join_all;
use serde_json::{Value, json};

fn keys_of(idp: &TestIdp) -> String {
    format!("/v1/enterprise_connections/{}/keys", idp.connection_id())
}

async fn list(app: &TestApp, idp: &TestIdp, purpose: &str) -> Vec<Value> {
    let found = app.backend(Method::GET, &keys_of(idp), Value::Null).await.ok();
    assert_eq!(found["total_count"], found["data"].as_array().unwrap().len());
    let data = found["data"].as_array().unwrap().iter();
    data.filter(|key| key["purpose"] == purpose).cloned().collect()
}

async fn add(app: &TestApp, idp: &TestIdp, purpose: &str) -> Value {
    app.backend(Method::POST, &keys_of(idp), json!({ "purpose": purpose })).await.ok()
}

fn fingerprint(key: &Value) -> &str {
    key["fingerprint"].as_str().unwrap()
}

fn path(idp: &TestIdp, key: &Value, below: &str) -> String {
    format!("{}/{}{below}", keys_of(idp), fingerprint(key))
}

/// The fingerprints of a purpose in our metadata, in order.
async fn published(app: &TestApp, idp: &TestIdp, purpose: &str) -> Vec<String> {
    let url = idp.connection["saml_connection"]["sp_metadata_url"].as_str().unwrap();
    let metadata = app.browser().visit(url).await.text;
    let descriptors = metadata.split("<md:KeyDescriptor use=\"").skip(1);
    let of_purpose = descriptors.filter_map(|rest| rest.strip_prefix(purpose));
    let base64 = |rest: &str| rest.split_once("<ds:X509Certificate>").unwrap().1.split_once('<').unwrap().0.to_owned();
    of_purpose.map(|rest| TrustedCertificate::parse(&base64(rest)).unwrap().fingerprint()).collect()
}

fn certificate(key: &Value) -> TrustedCertificate {
    let certificate = TrustedCertificate::parse(key["certificate"].as_str().unwrap()).unwrap();
    assert_eq!(certificate.fingerprint(), fingerprint(key));
    certificate
}

/// Whether a sign-in begins with a request that this key signed.
async fn signs(app: &TestApp, key: &Value) -> bool {
    let redirect = begin_sign_in(&app.browser(), "alice@acme.test").await;
    ReceivedAuthnRequest::is_redirect_signed_by(redirect.split_once('?').unwrap().1, &certificate(key))
}

/// Whether a person gets in whose IdP encrypts for this key.
async fn reads(app: &TestApp, idp: &TestIdp, key: &Value) -> bool {
    let browser = app.browser();
    let request = idp.receive(&begin_sign_in(&browser, "alice@acme.test").await);
    let alice = Identity::new("alice@acme.test", "Alice", "Müller");
    let response = idp.respond_encrypted(app, &request, &alice, &certificate(key));
    let relay_state = request.relay_state.unwrap();
    let form = [("SAMLResponse", response.as_str()), ("RelayState", relay_state.as_str())];
    let posted = browser.post_cross_site(idp.acs_url(), &form).await;
    browser.visit(posted.location()).await.location() == "https://app.example.com/done"
}

#[tokio::test]
async fn the_key_that_signs_changes_in_steps_that_can_be_taken_back() {
    for app in TestApp::on_each_database().await {
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        let connection = format!("/v1/enterprise_connections/{}", idp.connection_id());
        app.backend(Method::PATCH, &connection, json!({"saml": {"sign_requests": true}})).await.ok();
        let old = list(&app, &idp, "signing").await.remove(0);
        assert_eq!((&old["signs"], &old["published"]), (&json!(true), &json!(true)));

        let new = add(&app, &idp, "signing").await;
        assert_eq!((&new["signs"], &new["published"]), (&json!(false), &json!(true)));
        assert_eq!(published(&app, &idp, "signing").await, [fingerprint(&old), fingerprint(&new)]);
        assert!(signs(&app, &old).await, "published first, used later");
        let refused = app.backend(Method::DELETE, &path(&idp, &old, ""), Value::Null).await;
        assert_eq!(refused.error(), (422, "form_param_value_invalid".to_owned()));

        let chosen = app.backend(Method::POST, &path(&idp, &new, "/sign"), Value::Null).await.ok();
        assert_eq!(chosen["signs"], true);
        let node = app.second_node().await;
        assert!(signs(&node, &new).await);
        assert_eq!(published(&node, &idp, "signing").await, [fingerprint(&new), fingerprint(&old)]);
        node.close().await;
        // The IdP was not ready: back, and forth again.
        app.backend(Method::POST, &path(&idp, &old, "/sign"), Value::Null).await.ok();
        assert!(signs(&app, &old).await);
        app.backend(Method::POST, &path(&idp, &new, "/sign"), Value::Null).await.ok();

        let deleted = app.backend(Method::DELETE, &path(&idp, &old, ""), Value::Null).await.ok();
        assert_eq!(deleted["deleted"], true);
        assert_eq!(published(&app, &idp, "signing").await, [fingerprint(&new)]);
        assert!(signs(&app, &new).await);
        let refused = app.backend(Method::DELETE, &path(&idp, &new, ""), Value::Null).await;
        assert_eq!(refused.error(), (422, "form_param_value_invalid".to_owned()), "the last one stays");
        // Off and on again, it is still this one.
        for sign_requests in [false, true] {
            app.backend(Method::PATCH, &connection, json!({"saml": {"sign_requests": sign_requests}})).await.ok();
        }
        assert!(signs(&app, &new).await);
        app.close().await;
    }
}

#[tokio::test]
async fn an_idp_may_encrypt_for_the_old_key_until_it_is_taken_away() {
    for app in TestApp::on_each_database().await {
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        assert!(list(&app, &idp, "decryption").await.is_empty(), "none before the first is published");
        idp.encryption_certificate(&app).await;
        let old = list(&app, &idp, "decryption").await.remove(0);
        let new = add(&app, &idp, "decryption").await;
        assert_eq!(
            published(&app, &idp, "encryption").await,
            [fingerprint(&new), fingerprint(&old)],
            "the newest first"
        );
        assert_eq!((reads(&app, &idp, &old).await, reads(&app, &idp, &new).await), (true, true));
        let refused = app.backend(Method::POST, &path(&idp, &new, "/sign"), Value::Null).await;
        assert_eq!(refused.error(), (422, "form_param_value_invalid".to_owned()));
        app.backend(Method::DELETE, &path(&idp, &old, ""), Value::Null).await.ok();
        assert_eq!((reads(&app, &idp, &old).await, reads(&app, &idp, &new).await), (false, true));
        assert_eq!(published(&app, &idp, "encryption").await, [fingerprint(&new)]);
        app.close().await;
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_opened_keeps_no_other_from_decrypting() {
    for app in TestApp::on_each_database().await {
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        idp.encryption_certificate(&app).await;
        let old = list(&app, &idp, "decryption").await.remove(0);
        let new = add(&app, &idp, "decryption").await;
        let spoil = async |key: &Value| {
            let base64 = certificate(key).base64();
            app.sql(&format!("UPDATE connection_keys SET encrypted_private_key = 'x' WHERE certificate = '{base64}'"))
                .await;
        };
        spoil(&new).await;
        assert_eq!((reads(&app, &idp, &old).await, reads(&app, &idp, &new).await), (true, false));
        spoil(&old).await;
        let mut tx = app.app.store.read().await.unwrap();
        let none = decryption_keys(&app.app, &mut tx, &idp.connection_id().into()).await;
        drop(tx);
        assert!(none.is_err(), "an answer that nobody could read is our failure, not the IdP's");
        app.close().await;
    }
}

#[tokio::test]
async fn keys_that_are_added_together_are_all_kept_up_to_the_limit() {
    for app in TestApp::on_each_database().await {
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        let node = app.second_node().await;
        let (body, path) = (json!({"purpose": "decryption"}), keys_of(&idp));
        let nodes = [&app, &node, &app, &node];
        let answers = join_all(nodes.map(|node| node.backend(Method::POST, &path, body.clone()))).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 200, 422]);
        assert_eq!(list(&app, &idp, "decryption").await.len(), 3);
        node.close().await;
        app.close().await;
    }
}

#[tokio::test]
async fn what_is_no_key_or_no_purpose_is_refused() {
    let app = TestApp::new().await;
    let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
    let other = TestIdp::connect(&app, "other.test", None, 0).await;
    let foreign = add(&app, &other, "signing").await;
    for body in [json!({}), json!({"purpose": null}), json!({"purpose": "both"}), json!({"purpose": 1})] {
        assert_eq!(app.backend(Method::POST, &keys_of(&idp), body.clone()).await.status, 422, "{body}");
    }
    for (method, below) in [(Method::DELETE, ""), (Method::POST, "/sign")] {
        let answer = app.backend(method.clone(), &path(&idp, &foreign, below), Value::Null).await;
        assert_eq!(answer.error(), (404, "resource_not_found".to_owned()), "another connection's key");
        let nowhere = format!("/v1/enterprise_connections/entconn_nobody/keys/x{below}");
        assert_eq!(app.backend(method, &nowhere, Value::Null).await.status, 404);
    }
    let nowhere = "/v1/enterprise_connections/entconn_nobody/keys";
    assert_eq!(app.backend(Method::GET, nowhere, Value::Null).await.status, 404);
    assert_eq!(app.backend(Method::POST, nowhere, json!({"purpose": "signing"})).await.status, 404);
    assert!(!app.backend(Method::GET, &keys_of(&other), Value::Null).await.text.contains("private"));
    app.close().await;
}
