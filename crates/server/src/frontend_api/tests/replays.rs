//! One answer, several takers (SML-11): the same browser, two browsers, two nodes, and at the same time.

use super::support::{Trip, alice, change, client, footprint, sign_in_error};
use crate::testing::{Answer, Browser, TestApp, TestIdp, begin_sign_in, encrypt_for};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

/// How many came through; every other got the one refusal.
fn taken(answers: &[Answer]) -> usize {
    let (taken, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 303);
    for answer in refused {
        assert_eq!(answer.error(), (401, "saml_response_invalid".to_owned()));
    }
    taken.len()
}

#[tokio::test]
async fn sml11_after_signing_out_the_same_answer_is_of_no_use_to_anybody() {
    for app in TestApp::on_each_database().await {
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        let node = app.second_node().await;
        let trip = Trip::begin(&app, &idp, "alice@acme.test").await;
        let response = idp.respond(&app, &trip.request, &alice(), |_| {});
        let posted = trip.post(idp.acs_url(), &response).await;
        let finish = posted.location().to_owned();
        trip.come_back(&posted).await.unwrap();
        trip.browser.post("/v1/client/sessions?_method=DELETE", &[]).await.ok();
        let before = footprint(&app).await;
        let invalid = (401, "saml_response_invalid".to_owned());
        // The recorded form and the recorded link, in the browser that used them, in another and at another node.
        let stranger = app.browser();
        for browser in [&trip.browser, &stranger, &trip.browser.on(&node), &node.browser()] {
            let form = trip.form(&response);
            assert_eq!(browser.post_cross_site(idp.acs_url(), &form).await.error(), invalid);
            let path = finish.strip_prefix("https://clerk.example.com").unwrap();
            assert_eq!(browser.get(path).await.error(), invalid);
            // In the name of a sign-in of its own.
            let request = idp.receive(&begin_sign_in(browser, "alice@acme.test").await);
            let form = [("SAMLResponse", response.as_str()), ("RelayState", request.relay_state.as_deref().unwrap())];
            let posted = browser.post_cross_site(idp.acs_url(), &form).await;
            browser.visit(posted.location()).await;
            assert_eq!(sign_in_error(browser).await, "saml_response_invalid");
        }
        assert_eq!(footprint(&app).await, before);
        node.close().await;
        app.close().await;
    }
}

#[tokio::test]
async fn sml11_an_assertion_signed_again_in_another_answer_is_still_the_same() {
    for app in TestApp::on_each_database().await {
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        let other = TestIdp::connect(&app, "evil.test", None, 1).await;
        let deliver = async |idp: &TestIdp, email: &'static str| {
            let trip = Trip::begin(&app, idp, email).await;
            let identity = crate::testing::Identity::new(email, "A", "A");
            let response = idp.respond(&app, &trip.request, &identity, |response| response.assertion_id = "_same");
            trip.deliver(idp.acs_url(), &response).await
        };
        // One organization's identity provider cannot use up the ids of another's.
        deliver(&other, "mallory@evil.test").await.unwrap();
        deliver(&idp, "alice@acme.test").await.unwrap();
        let error = deliver(&idp, "bob@acme.test").await.unwrap_err();
        assert_eq!(error.0, "saml_response_invalid");
        assert!(error.1.contains("used before"), "{}", error.1);
        app.close().await;
    }
}

/// Whoever knows the certificate can encrypt an assertion once more; it is the assertion that is remembered.
#[tokio::test]
async fn sml11_an_assertion_encrypted_again_is_still_the_same() {
    for app in TestApp::on_each_database().await {
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        change(&app, &idp, json!({"saml": {"allow_idp_initiated": true}})).await;
        let recipient = idp.encryption_certificate(&app).await;
        let signed = STANDARD.decode(idp.respond_unsolicited(&app, &alice())).unwrap();
        let signed = std::str::from_utf8(&signed).unwrap();
        let mut posted = Vec::new();
        for random in 1..4 {
            let response = STANDARD.encode(encrypt_for([random; 48], &recipient, signed));
            posted.push(app.browser().post_cross_site(idp.acs_url(), &[("SAMLResponse", response.as_str())]).await);
        }
        posted.push(app.browser().post_cross_site(idp.acs_url(), &[("SAMLResponse", &STANDARD.encode(signed))]).await);
        assert_eq!(posted[0].status, 303);
        assert_eq!(taken(&posted), 1);
        assert!(posted[1..].iter().all(|refused| refused.text.contains("used before")), "{posted:?}");
        app.close().await;
    }
}

#[tokio::test]
async fn sml11_nodes_that_get_one_answer_at_once_take_it_once() {
    for app in TestApp::on_each_database().await {
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        change(&app, &idp, json!({"saml": {"allow_idp_initiated": true}})).await;
        let node = app.second_node().await;
        for round in 0..4 {
            // The answer to a request.
            let trip = Trip::begin(&app, &idp, "alice@acme.test").await;
            let response = idp.respond(&app, &trip.request, &alice(), |_| {});
            let form = trip.form(&response);
            let browsers: Vec<Browser<'_>> =
                (0..6).map(|n| if n % 2 == 0 { app.browser() } else { node.browser() }).collect();
            let posts = browsers.iter().map(|browser| browser.post_cross_site(idp.acs_url(), &form));
            let posted = futures_util::future::join_all(posts).await;
            assert_eq!(taken(&posted), 1, "{round}");
            // Its collection, by the one browser that may.
            let posted = posted.iter().find(|answer| answer.status == 303).unwrap();
            let path = posted.location().strip_prefix("https://clerk.example.com").unwrap();
            let (here, there) = (trip.browser.on(&app), trip.browser.on(&node));
            let (here, there) = tokio::join!(here.get(path), there.get(path));
            assert_eq!(taken(&[here, there]), 1, "{round}");
            // An answer nobody asked for.
            let response = idp.respond_unsolicited(&app, &alice());
            let form = [("SAMLResponse", response.as_str())];
            let posts = browsers.iter().map(|browser| browser.post_cross_site(idp.acs_url(), &form));
            assert_eq!(taken(&futures_util::future::join_all(posts).await), 1, "{round}");
        }
        let [users, _, _, sessions] = footprint(&app).await.as_array().unwrap().clone().try_into().unwrap();
        assert_eq!((users.as_array().unwrap().len(), sessions.as_array().unwrap().len()), (1, 4));
        node.close().await;
        app.close().await;
    }
}

/// The memory is as long as the answer: at its last moment it is still refused for having been used.
#[tokio::test]
async fn sml11_sml12_an_answer_is_remembered_for_as_long_as_it_is_valid() {
    for app in TestApp::on_each_database().await {
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        change(&app, &idp, json!({"saml": {"allow_idp_initiated": true}})).await;
        let response = idp.respond_unsolicited(&app, &alice());
        let post = async || app.browser().post_cross_site(idp.acs_url(), &[("SAMLResponse", response.as_str())]).await;
        assert_eq!(post().await.status, 303);
        let mut waited = 0;
        loop {
            crate::jobs::pruning::run(&app.app).await.unwrap();
            let refused = post().await;
            assert_eq!(refused.error(), (401, "saml_response_invalid".to_owned()));
            let is_over = !refused.text.contains("used before");
            assert!(is_over == refused.text.contains("our clock says"), "{}", refused.text);
            if is_over {
                break;
            }
            app.advance(30_000);
            waited += 30_000;
        }
        assert!((300_000..600_000).contains(&waited), "{waited}");
        assert_eq!(client(&app.browser()).await, serde_json::Value::Null);
        app.close().await;
    }
}
