//! Answers that nobody asked for: people who start at their identity provider (SML-9 … SML-11, Q-16).

use super::support::{alice, change, client, members, organization, users};
use crate::testing::{TestApp, TestIdp, begin_sign_in};
use axum::body::Body;
use axum::http::Request;
use serde_json::json;

/// Acme with a connection that takes answers nobody asked for.
async fn open_door(app: &TestApp) -> (String, TestIdp) {
    let acme = organization(app, json!({"name": "Acme"})).await;
    let idp = TestIdp::connect(app, "acme.test", Some(&acme), 0).await;
    change(app, &idp, json!({"saml": {"allow_idp_initiated": true}})).await;
    (acme, idp)
}

#[tokio::test]
async fn sml9_who_starts_at_the_idp_is_signed_in_and_lands_in_the_application() {
    for app in TestApp::on_each_database().await {
        let (acme, idp) = open_door(&app).await;
        let browser = app.browser();
        for (relay_state, landing) in [
            (None, "https://clerk.example.com"),
            (Some(""), "https://clerk.example.com"),
            (Some("https://app.example.com/reports"), "https://app.example.com/reports"),
            (Some("https://evil.example/"), "https://clerk.example.com"),
            (Some("javascript:alert(1)"), "https://clerk.example.com"),
            (Some("some state of the IdP"), "https://clerk.example.com"),
        ] {
            let response = idp.respond_unsolicited(&app, &alice());
            let mut form = vec![("SAMLResponse", response.as_str())];
            form.extend(relay_state.map(|text| ("RelayState", text)));
            let posted = browser.post_cross_site(idp.acs_url(), &form).await;
            // The link alone is worth nothing.
            let planted = app.browser().visit(posted.location()).await;
            assert!(planted.text.contains("another browser"), "{}", planted.text);
            let done = browser.visit(posted.location()).await;
            assert_eq!(done.location(), landing, "{relay_state:?}");
            // Once only.
            let again = browser.visit(posted.location()).await;
            assert!(again.text.contains("collected before"), "{}", again.text);
        }
        assert_eq!(members(&app, &acme).await, [("alice@acme.test".to_owned(), "org:member".to_owned())]);
        assert_eq!(users(&app).await.len(), 1);
        let client = client(&browser).await;
        assert_eq!(client["sessions"].as_array().unwrap().len(), 1, "an older session of hers is replaced");
        assert_eq!(client["sessions"][0]["last_active_organization_id"], json!(acme));
        app.close().await;
    }
}

#[tokio::test]
async fn sml9_sml10_sml11_what_comes_unasked_is_checked_like_any_answer() {
    for app in TestApp::on_each_database().await {
        let (_, idp) = open_door(&app).await;
        let invalid = (401, "saml_response_invalid".to_owned());
        let post =
            async |response: &str| app.browser().post_cross_site(idp.acs_url(), &[("SAMLResponse", response)]).await;
        // An answer to a request, whether pending or not, is not unasked.
        let request = idp.receive(&begin_sign_in(&app.browser(), "alice@acme.test").await);
        let refused = post(&idp.respond(&app, &request, &alice(), |_| {})).await;
        assert_eq!(refused.error(), invalid);
        assert!(refused.text.contains("no request is pending"), "{}", refused.text);
        // Twice, in whatever browser.
        let response = idp.respond_unsolicited(&app, &alice());
        assert_eq!(post(&response).await.status, 303);
        assert_eq!(post(&response).await.error(), invalid);
        // At another node, too.
        let node = app.second_node().await;
        let again = node.browser().post_cross_site(idp.acs_url(), &[("SAMLResponse", &response)]).await;
        assert_eq!(again.error(), invalid);
        // Another organization's IdP and another domain.
        let other = TestIdp::connect(&app, "evil.test", None, 1).await;
        change(&app, &other, json!({"saml": {"allow_idp_initiated": true}})).await;
        assert_eq!(post(&other.respond_unsolicited(&app, &alice())).await.error(), invalid);
        let foreign = other.respond_unsolicited(&app, &alice());
        let foreign = app.browser().post_cross_site(other.acs_url(), &[("SAMLResponse", &foreign)]).await;
        assert_eq!(foreign.error(), (400, "saml_email_address_domain_mismatch".to_owned()));
        // A late browser, and one that is in time to the millisecond.
        for (milliseconds, people) in [(60_000, 0), (59_999, 1)] {
            let browser = app.browser();
            let response = idp.respond_unsolicited(&app, &alice());
            let posted = browser.post_cross_site(idp.acs_url(), &[("SAMLResponse", &response)]).await;
            app.advance(milliseconds);
            let came = browser.visit(posted.location()).await;
            assert_eq!(came.text.contains("too late"), people == 0, "{}", came.text);
            assert_eq!(users(&app).await.len(), people);
        }
        app.close().await;
    }
}

#[tokio::test]
async fn sml9_switches_decide_whether_anybody_may_come_unasked() {
    let app = TestApp::new().await;
    let (_, idp) = open_door(&app).await;
    let browser = app.browser();
    let post = async || {
        let response = idp.respond_unsolicited(&app, &alice());
        browser.post_cross_site(idp.acs_url(), &[("SAMLResponse", &response)]).await
    };
    change(&app, &idp, json!({"saml": {"force_authn": true}})).await;
    assert_eq!(post().await.error(), (401, "saml_response_invalid".to_owned()));
    change(&app, &idp, json!({"saml": {"force_authn": false}, "disable_jit_provisioning": true})).await;
    let posted = post().await;
    let stranger = browser.visit(posted.location()).await;
    assert_eq!(stranger.status, 404);
    assert!(stranger.text.contains("saml_jit_provisioning_disabled"), "{}", stranger.text);
    change(&app, &idp, json!({"disable_jit_provisioning": false})).await;
    // A refused arrival is used up.
    assert!(browser.visit(posted.location()).await.text.contains("collected before"));
    // Changed between the answer and the browser's return: switched off, or no longer trusting whom it trusted.
    for (before, after, status) in [
        (json!({"allow_idp_initiated": true}), json!({"allow_idp_initiated": false}), 400),
        (json!({"allow_idp_initiated": true}), json!({"force_authn": true}), 401),
        (json!({"force_authn": false}), json!({"idp_entity_id": "https://other.test"}), 401),
    ] {
        change(&app, &idp, json!({ "saml": before })).await;
        let posted = post().await;
        change(&app, &idp, json!({ "saml": after })).await;
        assert_eq!(browser.visit(posted.location()).await.status, status, "{after}");
    }
    change(&app, &idp, json!({"saml": {"idp_entity_id": idp.entity_id, "allow_idp_initiated": false}})).await;
    assert_eq!(post().await.error(), (400, "saml_response_relaystate_missing".to_owned()));
    change(&app, &idp, json!({"saml": {"allow_idp_initiated": true}, "active": false})).await;
    assert_eq!(post().await.error(), (404, "saml_connection_active_not_found".to_owned()));
    assert_eq!(users(&app).await.len(), 0);
    app.close().await;
}

/// A picture in somebody's page must not sign its reader in as somebody else.
#[tokio::test]
async fn an_outcome_is_collected_by_a_window_only() {
    let app = TestApp::new().await;
    let (_, idp) = open_door(&app).await;
    let browser = app.browser();
    let response = idp.respond_unsolicited(&app, &alice());
    let posted = browser.post_cross_site(idp.acs_url(), &[("SAMLResponse", &response)]).await;
    for destination in ["image", "iframe", "empty", "script", "object"] {
        let refused = browser.visit_with(posted.location(), &[("sec-fetch-dest", destination)]).await;
        assert!(refused.status.is_client_error(), "{destination}");
    }
    let done = browser.visit_with(posted.location(), &[("sec-fetch-dest", "document")]).await;
    assert_eq!(done.location(), "https://clerk.example.com");
    app.close().await;
}

#[tokio::test]
async fn answers_nobody_asked_for_are_limited_per_address() {
    let app = TestApp::with(|raw| {
        raw.rate_limits = Some("on".into());
        raw.trust_forwarded_for = Some("on".into());
    })
    .await;
    let (_, idp) = open_door(&app).await;
    let post = async |address: &str| {
        let request = Request::post(idp.acs_url()).header("x-forwarded-for", address);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        app.request(request.body(Body::from("SAMLResponse=bm90aGluZw%3D%3D")).unwrap()).await.status
    };
    for _ in 0..20 {
        assert_eq!(post("192.0.2.1").await, 401);
    }
    assert_eq!(post("192.0.2.1").await, 429);
    assert_eq!(post("192.0.2.2").await, 401, "others are not held up");
    app.close().await;
}

#[tokio::test]
async fn q16_people_who_start_at_the_idp_land_at_home() {
    let app = TestApp::with(|raw| raw.home_url = Some("https://www.example.org/start?tour=1".into())).await;
    let (_, idp) = open_door(&app).await;
    let response = idp.respond_unsolicited(&app, &alice());
    let browser = app.browser();
    let posted = browser.post_cross_site(idp.acs_url(), &[("SAMLResponse", &response)]).await;
    assert_eq!(browser.visit(posted.location()).await.location(), "https://www.example.org/start?tour=1");
    let environment = browser.get("/v1/environment").await.ok();
    assert_eq!(environment["display_config"]["after_sign_in_url"], "https://www.example.org/start?tour=1");
    app.close().await;
}
