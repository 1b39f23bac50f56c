//! AuthnRequests: signed where the connection says so, posted where the identity provider wants that.

use super::support::{alice, members, organization};
use crate::testing::{Answer, Browser, TestApp, TestIdp, begin_sign_in};
use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_saml::TrustedCertificate;
use doorward_saml::idp::{ReceivedAuthnRequest, idp_metadata};
use serde_json::{Value, json};

async fn change(app: &TestApp, idp: &TestIdp, saml: Value) -> Answer {
    let path = format!("/v1/enterprise_connections/{}", idp.connection_id());
    app.backend(Method::PATCH, &path, json!({ "saml": saml })).await
}

async fn metadata(app: &TestApp, idp: &TestIdp) -> String {
    let url = idp.connection["saml_connection"]["sp_metadata_url"].as_str().unwrap();
    app.browser().visit(url).await.text
}

fn certificates(metadata: &str, purpose: &str) -> Vec<TrustedCertificate> {
    let descriptors = metadata.split("<md:KeyDescriptor use=\"").skip(1);
    let of_purpose = descriptors.filter_map(|rest| rest.strip_prefix(purpose));
    let base64 = |rest: &str| rest.split_once("<ds:X509Certificate>").unwrap().1.split_once('<').unwrap().0.to_owned();
    of_purpose.map(|rest| TrustedCertificate::parse(&base64(rest)).unwrap()).collect()
}

fn is_signed_by(redirect: &str, certificate: &TrustedCertificate) -> bool {
    ReceivedAuthnRequest::is_redirect_signed_by(redirect.split_once('?').unwrap().1, certificate)
}

/// The fields of the page that posts a request, and where it goes.
fn form_of(page: &Answer) -> (String, String, String) {
    assert_eq!(page.status, 200, "{}", page.text);
    let value = |start: &str| {
        let (_, rest) = page.text.split_once(start).unwrap();
        let text = rest.split_once('"').unwrap().0;
        text.replace("&#38;", "&").replace("&amp;", "&").replace("&#61;", "=").replace("&#43;", "+")
    };
    let field = |name: &str| value(&format!("name=\"{name}\" value=\""));
    (value("<form method=\"post\" action=\""), field("SAMLRequest"), field("RelayState"))
}

/// From the page that posts the request to the answer of the last redirect.
async fn answer_form(app: &TestApp, idp: &TestIdp, browser: &Browser<'_>, page: &Answer) -> Answer {
    let (_, saml_request, relay_state) = form_of(page);
    let request = ReceivedAuthnRequest::from_xml(&STANDARD.decode(saml_request).unwrap()).unwrap();
    let response = idp.respond(app, &request, &alice(), |_| {});
    let form = [("SAMLResponse", response.as_str()), ("RelayState", relay_state.as_str())];
    let posted = browser.post_cross_site(idp.acs_url(), &form).await;
    browser.visit(posted.location()).await
}

#[tokio::test]
async fn requests_are_signed_with_the_key_in_the_metadata_where_the_connection_says_so() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme"})).await;
        let idp = TestIdp::connect(&app, "acme.test", Some(&acme), 0).await;
        let plain = begin_sign_in(&app.browser(), "alice@acme.test").await;
        assert!(!plain.contains("Signature="));
        let before = metadata(&app, &idp).await;
        assert!(before.contains("AuthnRequestsSigned=\"false\"") && certificates(&before, "signing").is_empty());

        let changed = change(&app, &idp, json!({"sign_requests": true})).await.ok();
        assert_eq!(changed["saml_connection"]["sign_requests"], true);
        let after = metadata(&app, &idp).await;
        assert!(after.contains("AuthnRequestsSigned=\"true\""));
        let [key] = certificates(&after, "signing").try_into().unwrap();
        assert_ne!(vec![key.clone()], certificates(&after, "encryption"), "one key for each purpose");
        let browser = app.browser();
        let redirect = begin_sign_in(&browser, "alice@acme.test").await;
        assert!(is_signed_by(&redirect, &key), "{redirect}");
        assert!(!is_signed_by(&redirect.replace("RelayState=", "RelayState=x"), &key));
        let done = idp.answer(&app, &browser, &redirect, &alice()).await;
        assert_eq!(done.location(), "https://app.example.com/done");

        // The key stays, through off and on and on another node.
        change(&app, &idp, json!({"sign_requests": false})).await.ok();
        assert!(!begin_sign_in(&app.browser(), "alice@acme.test").await.contains("Signature="));
        let node = app.second_node().await;
        change(&node, &idp, json!({"sign_requests": true})).await.ok();
        assert!(is_signed_by(&begin_sign_in(&node.browser(), "alice@acme.test").await, &key));
        app.close().await;
    }
}

#[tokio::test]
async fn an_idp_that_wants_requests_posted_gets_them_from_a_page_of_ours() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme"})).await;
        let idp = TestIdp::connect(&app, "acme.test", Some(&acme), 0).await;
        for sign_requests in [false, true] {
            let hint = json!({"mode": "email_address"});
            let settings = json!({"idp_sso_binding": "post", "sign_requests": sign_requests, "login_hint": hint});
            change(&app, &idp, settings).await.ok();
            let browser = app.browser();
            let url = begin_sign_in(&browser, "alice@acme.test").await;
            assert!(url.starts_with("https://clerk.example.com/v1/saml/send?"), "{url}");
            // No cookie is needed, so that it may be opened in the system's browser.
            let page = app.browser().visit(&url).await;
            assert!(page.headers["content-security-policy"].to_str().unwrap().contains("script-src 'self'"));
            let (action, saml_request, _) = form_of(&page);
            assert_eq!(action, "https://idp.acme.test/sso?login_hint=alice%40acme.test");
            let xml = String::from_utf8(STANDARD.decode(&saml_request).unwrap()).unwrap();
            assert_eq!(xml.contains("<ds:Signature "), sign_requests);
            // Asked for again, it is the same request.
            assert_eq!(form_of(&app.browser().visit(&url).await).1, saml_request);
            let done = answer_form(&app, &idp, &browser, &page).await;
            assert_eq!(done.location(), "https://app.example.com/done");
            // Answered, it is over.
            let over = app.browser().visit(&url).await;
            assert_eq!(over.status, 401);
            assert!(over.text.contains("saml_response_invalid"), "{}", over.text);
        }
        assert_eq!(members(&app, &acme).await.len(), 1);
        app.close().await;
    }
}

#[tokio::test]
async fn the_page_that_posts_knows_only_trips_under_way() {
    let app = TestApp::new().await;
    let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
    change(&app, &idp, json!({"idp_sso_binding": "post"})).await.ok();
    for (query, status) in [
        ("", 401),
        ("?relay_state=", 401),
        ("?relay_state=x", 401),
        ("?relay_state=%22%3E%3Cscript%3E", 401),
        ("?relay_state=%00", 422),
    ] {
        let page = app.browser().visit(&format!("/v1/saml/send{query}")).await;
        assert_eq!(page.status, status, "{query}");
        assert!(!page.text.contains("<script>"), "{query}");
    }
    let url = begin_sign_in(&app.browser(), "alice@acme.test").await;
    let hostile = format!("{url}&login_hint=%22%3E%3Cscript%3Ealert(1)%3C/script%3E");
    assert!(!app.browser().visit(&hostile).await.text.contains("<script>alert"));
    let path = format!("/v1/enterprise_connections/{}", idp.connection_id());
    app.backend(Method::PATCH, &path, json!({"active": false})).await.ok();
    assert_eq!(app.browser().visit(&url).await.status, 404);
    app.backend(Method::PATCH, &path, json!({"active": true})).await.ok();
    app.advance(21 * 60 * 1000);
    assert_eq!(app.browser().visit(&url).await.status, 401);
    app.close().await;
}

#[tokio::test]
async fn metadata_says_how_requests_travel_and_whether_they_are_signed() {
    let app = TestApp::new().await;
    let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
    let certificate = idp.certificate();
    let document = idp_metadata("https://idp.acme.test", "https://idp.acme.test/sso", &[certificate]);
    let by_post = document.replace("HTTP-Redirect", "SOAP");
    let by_redirect = document.replace("HTTP-POST", "SOAP");
    let wants_signed = document.replace("WantAuthnRequestsSigned=\"false\"", "WantAuthnRequestsSigned=\"true\"");
    for (metadata, sign_requests, expected) in [
        (&document, None, ("redirect", false)),
        (&by_post, None, ("post", false)),
        // Where both are offered it stays as it was.
        (&wants_signed, None, ("post", true)),
        (&by_redirect, Some(false), ("redirect", false)),
        (&wants_signed, Some(false), ("redirect", false)),
        (&document, Some(true), ("redirect", true)),
        // Metadata that does not ask for signatures takes nothing away.
        (&document, None, ("redirect", true)),
    ] {
        let mut saml = json!({ "idp_metadata": metadata });
        if let Some(flag) = sign_requests {
            saml["sign_requests"] = json!(flag);
        }
        let connection = change(&app, &idp, saml).await.ok();
        let found = &connection["saml_connection"];
        assert_eq!((&found["idp_sso_binding"], &found["sign_requests"]), (&json!(expected.0), &json!(expected.1)));
    }
    for wrong in
        [json!({"idp_sso_binding": "artifact"}), json!({"sign_requests": "yes"}), json!({"idp_sso_binding": 1})]
    {
        assert_eq!(change(&app, &idp, wrong.clone()).await.status, 422, "{wrong}");
    }
    app.close().await;
}
