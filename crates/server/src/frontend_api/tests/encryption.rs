//! Assertions that the identity provider encrypts.

use super::support::{alice, client, members, organization, sign_in_error};
use crate::testing::{Browser, TestApp, TestIdp, begin_sign_in};
use serde_json::json;

/// The answer of an IdP that encrypts for `recipient`, posted by the browser that asked.
async fn answer_encrypted(app: &TestApp, idp: &TestIdp, browser: &Browser<'_>, recipient: &TestIdp) -> String {
    let recipient = recipient.encryption_certificate(app).await;
    let request = idp.receive(&begin_sign_in(browser, "alice@acme.test").await);
    let response = idp.respond_encrypted(app, &request, &alice(), &recipient);
    let relay_state = request.relay_state.unwrap();
    let form = [("SAMLResponse", response.as_str()), ("RelayState", relay_state.as_str())];
    let posted = browser.post_cross_site(idp.acs_url(), &form).await;
    browser.visit(posted.location()).await.location().to_owned()
}

#[tokio::test]
async fn an_idp_may_encrypt_for_the_key_in_the_metadata_of_its_connection() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme"})).await;
        let idp = TestIdp::connect(&app, "acme.test", Some(&acme), 0).await;
        let other = TestIdp::connect(&app, "other.test", None, 1).await;
        let browser = app.browser();
        let location = answer_encrypted(&app, &idp, &browser, &idp).await;
        assert_eq!(location, "https://app.example.com/done");
        assert_eq!(members(&app, &acme).await, [("alice@acme.test".to_owned(), "org:member".to_owned())]);

        // Every connection has its own key, which stays, on every node.
        let own = idp.encryption_certificate(&app).await;
        assert_eq!(idp.encryption_certificate(&app).await, own);
        assert_ne!(other.encryption_certificate(&app).await, own);
        let second = app.second_node().await;
        assert_eq!(idp.encryption_certificate(&second).await, own);

        let browser = app.browser();
        let location = answer_encrypted(&app, &idp, &browser, &other).await;
        assert_eq!(location, "https://app.example.com/sso-callback");
        assert_eq!(sign_in_error(&browser).await, "saml_response_invalid");
        let shown = client(&browser).await.to_string();
        assert!(shown.contains("could not be decrypted"), "{shown}");
        app.close().await;
    }
}

#[tokio::test]
async fn nodes_that_publish_a_connections_key_at_once_publish_the_same() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme"})).await;
        let idp = TestIdp::connect(&app, "acme.test", Some(&acme), 0).await;
        let second = app.second_node().await;
        let (here, there, again) = tokio::join!(
            idp.encryption_certificate(&app),
            idp.encryption_certificate(&second),
            idp.encryption_certificate(&app),
        );
        assert_eq!(here, there);
        assert_eq!(here, again);
        app.close().await;
    }
}
