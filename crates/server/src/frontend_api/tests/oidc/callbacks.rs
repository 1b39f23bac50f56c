//! What a browser brings to the callback, and which browser (OID-1, OID-11; DECISIONS "Wire" 4; RFC 9207).

use super::{Trip, alice};
use crate::frontend_api::tests::support::{client, footprint, members, organization, users};
use crate::testing::{Person, TestApp, TestOp, begin_sign_in, callback_url, parameters};
use axum::body::Body;
use axum::http::Request;
use serde_json::json;

const INVALID: (u16, &str) = (400, "oauth_callback_invalid");

fn invalid() -> (u16, String) {
    (INVALID.0, INVALID.1.to_owned())
}

/// Parameters with one of them set or, with an empty value, taken away.
fn with(parameters: &[(String, String)], name: &str, value: &str) -> Vec<(String, String)> {
    let mut changed: Vec<_> = parameters.iter().filter(|(known, _)| known != name).cloned().collect();
    if !value.is_empty() {
        changed.push((name.to_owned(), value.to_owned()));
    }
    changed
}

#[tokio::test]
async fn wire4_a_state_serves_once_in_the_browser_that_began_and_in_no_other() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::connect(&app, "acme.test", None).await;
        let trip = Trip::begin(&app, "alice@acme.test").await;
        let brought = op.authorize(&app, &trip.redirect, &alice());
        let before = footprint(&app).await;
        // A browser without a cookie, one with another's, and one that is on a sign-in of its own.
        let (bare, other, busy) = (app.browser(), app.browser(), app.browser());
        other.post("/v1/client?_method=PUT", &[]).await.ok();
        begin_sign_in(&busy, "alice@acme.test").await;
        for stranger in [&bare, &other, &busy] {
            let refused = stranger.get(&callback_url(&brought)).await;
            assert_eq!(refused.error(), invalid());
            assert!(refused.text.contains("another browser"), "{}", refused.text);
            assert!(!refused.text.contains(&brought[0].1), "the code is repeated");
        }
        assert_eq!(footprint(&app).await, before);
        assert_eq!(op.hits("/token"), 0, "nobody's code was sent anywhere");
        // Nothing of the owner's was used up.
        trip.come_back(&brought).await.unwrap();
        let replayed = trip.browser.get(&callback_url(&brought)).await;
        assert_eq!(replayed.error(), invalid());
        assert_eq!((op.hits("/token"), client(&trip.browser).await["sessions"].as_array().unwrap().len()), (1, 1));
        app.close().await;
    }
}

#[tokio::test]
async fn oid11_unknown_and_late_states_are_refused() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::connect(&app, "acme.test", None).await;
        let trip = Trip::begin(&app, "alice@acme.test").await;
        let brought = op.authorize(&app, &trip.redirect, &alice());
        for state in ["unknown", "", &brought[1].1.to_lowercase(), &"x".repeat(600)] {
            let refused = trip.browser.get(&callback_url(&with(&brought, "state", state))).await;
            assert_eq!(refused.error(), invalid(), "{state}");
        }
        let place = parameters(&trip.redirect)["redirect_uri"].replace("https://clerk.example.com", "");
        assert_eq!(trip.browser.get(&place).await.error(), invalid());
        for elsewhere in ["/v1/oauth_callback/entconn_nobody", "/v1/oauth_callback/%0d%0ax:y", "/v1/oauth_callback/%3F"]
        {
            let query = callback_url(&brought).split_once('?').unwrap().1.to_owned();
            assert_eq!(trip.browser.get(&format!("{elsewhere}?{query}")).await.error(), invalid());
            let form = [("code", "a"), ("state", "s")];
            let posted = app.browser().post_cross_site(elsewhere, &form).await;
            assert_eq!(posted.status.is_redirection(), elsewhere.ends_with("nobody"), "{elsewhere}");
        }
        assert_eq!(trip.browser.get("/v1/oauth_callback").await.status, 404);
        app.advance(20 * 60 * 1000);
        assert_eq!(trip.browser.get(&callback_url(&brought)).await.error(), invalid());
        assert_eq!((op.hits("/token"), users(&app).await.len()), (0, 0));
        // A person gets a page.
        let page = trip.browser.visit(&callback_url(&brought)).await;
        assert_eq!(page.status, 400);
        assert!(page.text.contains("oauth_callback_invalid") && page.text.contains("<main"), "{}", page.text);
        app.close().await;
    }
}

#[tokio::test]
async fn a_response_that_is_none_ends_its_sign_in_with_a_reason() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::connect(&app, "acme.test", None).await;
        let twice = |mut brought: Vec<(String, String)>, name: &str| {
            let again = brought.iter().find(|(known, _)| known == name).unwrap().clone();
            brought.push(again);
            brought
        };
        type Change<'a> = Box<dyn Fn(Vec<(String, String)>) -> Vec<(String, String)> + 'a>;
        let changes: Vec<(&str, Change<'_>)> = vec![
            ("neither a code nor an error", Box::new(|brought| with(&brought, "code", ""))),
            ("a code and an error", Box::new(|brought| with(&brought, "error", "access_denied"))),
            ("code occurs more than once", Box::new(|brought| twice(brought, "code"))),
            ("iss occurs more than once", Box::new(|brought| twice(brought, "iss"))),
            ("code is too long", Box::new(|brought| with(&brought, "code", &"c".repeat(9000)))),
            ("iss: expected", Box::new(|brought| with(&brought, "iss", "https://other.test"))),
            ("iss: expected", Box::new(|brought| with(&brought, "iss", &format!("{}/", op.url)))),
            ("iss is missing", Box::new(|brought| with(&brought, "iss", ""))),
        ];
        for (words, change) in changes {
            let before = footprint(&app).await;
            let trip = Trip::begin(&app, "alice@acme.test").await;
            let brought = op.authorize(&app, &trip.redirect, &alice());
            let error = trip.come_back(&change(brought.clone())).await.expect_err(words);
            assert!(error.0 == INVALID.1 && error.1.contains(words), "{words}: {error:?}");
            // It was this sign-in's answer; another one does not repair it.
            assert_eq!(trip.browser.get(&callback_url(&brought)).await.error(), invalid(), "{words}");
            assert_eq!(footprint(&app).await, before, "{words}");
        }
        assert_eq!(op.hits("/token"), 0);
        // Two states name no sign-in.
        let trip = Trip::begin(&app, "alice@acme.test").await;
        let brought = op.authorize(&app, &trip.redirect, &alice());
        let refused = trip.browser.get(&callback_url(&twice(brought.clone(), "state"))).await;
        assert_eq!(refused.error(), invalid());
        trip.come_back(&brought).await.unwrap();
        app.close().await;
    }
}

#[tokio::test]
async fn rfc9207_an_issuer_is_checked_wherever_it_is_there() {
    let app = TestApp::new().await;
    let op = TestOp::start().await;
    op.state().document = json!({"authorization_response_iss_parameter_supported": null});
    let op = op.connected(&app, "acme.test", None, json!({})).await;
    for (iss, accepted) in [(None, true), (Some(op.url.as_str()), true), (Some("https://evil.test"), false)] {
        let trip = Trip::begin(&app, "alice@acme.test").await;
        let brought = with(&op.authorize(&app, &trip.redirect, &alice()), "iss", iss.unwrap_or_default());
        assert_eq!(trip.come_back(&brought).await.is_ok(), accepted, "{iss:?}");
    }
    app.close().await;
}

#[tokio::test]
async fn oid11_what_the_provider_says_instead_of_a_code_is_told() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::connect(&app, "acme.test", None).await;
        for (error, description, code) in [
            ("access_denied", "User said no", "oauth_access_denied"),
            ("login_required", "", "oauth_access_denied"),
            ("invalid_scope", "no such scope", "misconfigured_oauth_provider"),
            ("unauthorized_client", "", "misconfigured_oauth_provider"),
            ("invalid_request", "redirect_uri is not allowed", "misconfigured_oauth_provider"),
            ("redirect_uri_mismatch", "", "redirect_uri_mismatch"),
            ("server_error", "", "oauth_callback_invalid"),
            ("something_else", "<script>alert(1)</script>", "oauth_callback_invalid"),
        ] {
            let trip = Trip::begin(&app, "alice@acme.test").await;
            let state = parameters(&trip.redirect)["state"].clone();
            let place = &parameters(&trip.redirect)["redirect_uri"];
            let brought = [
                ("error", error),
                ("error_description", description),
                ("state", &state),
                ("iss", &op.url),
                ("redirect_uri", place),
            ];
            let told = trip.come_back(&brought).await.expect_err(error);
            assert!(told.0 == code && told.1.contains(error) && told.1.contains(description), "{error}: {told:?}");
        }
        // Another provider cannot end a sign-in in this one's name.
        let trip = Trip::begin(&app, "alice@acme.test").await;
        let state = parameters(&trip.redirect)["state"].clone();
        let place = &parameters(&trip.redirect)["redirect_uri"];
        let brought = [("error", "access_denied"), ("state", &state), ("redirect_uri", place)];
        let told = trip.come_back(&brought).await.unwrap_err();
        assert!(told.0 == INVALID.1 && told.1.contains("iss is missing"), "{told:?}");
        assert_eq!(op.hits("/token"), 0);
        app.close().await;
    }
}

#[tokio::test]
async fn codes_of_others_and_of_other_sign_ins_are_worth_nothing() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::connect(&app, "acme.test", None).await;
        let mallory = Person::new("mallory@acme.test", "M", "M");
        // By PKCE at the provider; where it knows no PKCE, by the nonce.
        for (methods, code, words) in [
            (json!(["S256"]), "oauth_token_exchange_error", "invalid_grant"),
            (json!(["plain"]), "oauth_token_exchange_error", "nonce is not the one"),
        ] {
            op.state().document = json!({"code_challenge_methods_supported": methods});
            app.advance(2 * 3600 * 1000);
            let attacker = Trip::begin(&app, "mallory@acme.test").await;
            let stolen = op.authorize(&app, &attacker.redirect, &mallory);
            let victim = Trip::begin(&app, "alice@acme.test").await;
            assert_eq!(parameters(&victim.redirect).contains_key("code_challenge"), words == "invalid_grant");
            let own = op.authorize(&app, &victim.redirect, &alice());
            let error = victim.come_back(&with(&own, "code", &stolen[0].1)).await.unwrap_err();
            assert!(error.0 == code && error.1.contains(words), "{error:?}");
            assert!(!error.1.contains(&stolen[0].1));
        }
        assert!(users(&app).await.is_empty());
        app.close().await;
    }
}

#[tokio::test]
async fn wire6_two_providers_cannot_be_mixed_up() {
    for app in TestApp::on_each_database().await {
        let (acme, evil) =
            (organization(&app, json!({"name": "A"})).await, organization(&app, json!({"name": "E"})).await);
        let honest = TestOp::connect(&app, "acme.test", Some(&acme)).await;
        let hostile = TestOp::connect(&app, "evil.test", Some(&evil)).await;
        let before = footprint(&app).await;
        // Whoever runs the hostile one sends the browser on to the honest one, with the state of his own trip. The honest one
        // sends it to any address, here to his; then the issuer still tells.
        let at_his = |trip: &Trip<'_>, brought: &[(String, String)]| {
            let asked = parameters(&trip.redirect);
            with(&with(brought, "state", &asked["state"]), "redirect_uri", &asked["redirect_uri"])
        };
        let trip = Trip::begin(&app, "mallory@evil.test").await;
        let at_honest = begin_sign_in(&app.browser(), "alice@acme.test").await;
        let brought = at_his(&trip, &honest.authorize(&app, &at_honest, &alice()));
        let error = trip.come_back(&brought).await.unwrap_err();
        assert!(error.0 == INVALID.1 && error.1.contains("iss: expected"), "{error:?}");
        assert_eq!((honest.hits("/token"), hostile.hits("/token")), (0, 0), "the code stays here");
        // And the reverse: his code for a sign-in at the honest one.
        let trip = Trip::begin(&app, "alice@acme.test").await;
        let his = begin_sign_in(&app.browser(), "mallory@evil.test").await;
        let mut brought = at_his(&trip, &hostile.authorize(&app, &his, &alice()));
        assert!(trip.come_back(&brought).await.unwrap_err().1.contains("iss: expected"));
        let trip = Trip::begin(&app, "alice@acme.test").await;
        brought = with(&at_his(&trip, &brought), "iss", &honest.url);
        let error = trip.come_back(&brought).await.unwrap_err();
        assert!(error.0 == "oauth_token_exchange_error" && error.1.contains("invalid_grant"), "{error:?}");
        assert_eq!((honest.hits("/token"), hostile.hits("/token")), (1, 0));
        assert_eq!(footprint(&app).await, before);
        app.close().await;
    }
}

#[tokio::test]
async fn a_hundred_callbacks_with_one_state_make_one_session() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme"})).await;
        let op = TestOp::connect(&app, "acme.test", Some(&acme)).await;
        let trip = Trip::begin(&app, "alice@acme.test").await;
        let url = callback_url(&op.authorize(&app, &trip.redirect, &alice()));
        let browsers: Vec<_> = (0..100).map(|_| trip.browser.on(&app)).collect();
        let answers = futures_util::future::join_all(browsers.iter().map(|browser| browser.get(&url))).await;
        let signed_in = answers.iter().filter(|answer| answer.status == 303).count();
        let refused = answers.iter().filter(|answer| answer.status == 400).count();
        assert_eq!((signed_in, refused, op.hits("/token")), (1, 99, 1));
        let sessions = app.backend(axum::http::Method::GET, "/v1/sessions?limit=100", json!(null)).await.ok();
        let sessions = sessions.as_array().or_else(|| sessions["data"].as_array()).unwrap().len();
        assert_eq!((sessions, users(&app).await.len(), members(&app, &acme).await.len()), (1, 1, 1));
        app.close().await;
    }
}

#[tokio::test]
async fn only_a_navigation_brings_an_answer() {
    let app = TestApp::new().await;
    let op = TestOp::connect(&app, "acme.test", None).await;
    let trip = Trip::begin(&app, "alice@acme.test").await;
    let brought = op.authorize(&app, &trip.redirect, &alice());
    for destination in ["image", "iframe", "empty", "script"] {
        let refused = trip.browser.visit_with(&callback_url(&brought), &[("sec-fetch-dest", destination)]).await;
        assert_eq!(refused.error(), invalid(), "{destination}");
    }
    trip.come_back(&brought).await.unwrap();
    app.close().await;
}

#[tokio::test]
async fn oid1_a_posted_answer_becomes_a_get_that_the_cookie_comes_with() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::start().await;
        op.state().document = json!({"response_modes_supported": ["form_post", "fragment"]});
        let op = op.connected(&app, "acme.test", None, json!({})).await;
        let trip = Trip::begin(&app, "alice@acme.test").await;
        assert_eq!(parameters(&trip.redirect)["response_mode"], "form_post");
        let brought = op.authorize(&app, &trip.redirect, &alice());
        let place = parameters(&trip.redirect)["redirect_uri"].clone();
        let brought = &brought[..3];
        let mut form: Vec<(&str, &str)> = brought.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        form.push(("session_state", "of no interest"));
        let posted =
            trip.browser.post_cross_site(place.strip_prefix("https://clerk.example.com").unwrap(), &form).await;
        assert_eq!((posted.status.as_u16(), posted.text.as_str()), (303, ""));
        assert!(users(&app).await.is_empty(), "nobody is signed in without a cookie");
        let location = posted.location().to_owned();
        assert!(location.starts_with(&format!("{place}?")), "{location}");
        let expected: std::collections::BTreeMap<String, String> = brought.iter().cloned().collect();
        assert_eq!(parameters(&location), expected);
        assert_eq!(app.browser().visit(&location).await.status, 400, "another browser is nobody");
        assert_eq!(trip.browser.visit(&location).await.location(), "https://app.example.com/done");

        for form in [
            vec![("code", "a"), ("code", "b"), ("state", "s")],
            vec![("code", "a"), ("state", "s"), ("state", "t")],
            vec![("code", "a\0"), ("state", "s")],
        ] {
            assert_eq!(
                app.browser().post_cross_site("/v1/oauth_callback/entconn_1", &form).await.status,
                422,
                "{form:?}"
            );
        }
        let json = Request::post("/v1/oauth_callback/entconn_1").header("content-type", "application/json");
        assert_eq!(app.request(json.body(Body::from("{}")).unwrap()).await.status, 415);
        app.close().await;
    }
}

#[tokio::test]
async fn a_browser_that_knows_us_under_a_proxy_is_sent_there_with_its_answer() {
    let app = TestApp::new().await;
    let op = TestOp::connect(&app, "acme.test", None).await;
    let browser = app.browser();
    let proxy =
        [("clerk-proxy-url", "https://app.example.com/__clerk"), ("clerk-secret-key", crate::testing::SECRET_KEY)];
    let form =
        "identifier=alice%40acme.test&strategy=enterprise_sso&redirect_url=https%3A%2F%2Fapp.example.com%2Fcallback";
    let request =
        proxy.iter().fold(Request::post("/v1/client/sign_ins"), |request, (name, value)| request.header(*name, *value));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let created = app.request(request.body(Body::from(form)).unwrap()).await;
    let cookie = created.headers.get_all("set-cookie").iter().find_map(|line| {
        line.to_str().unwrap().strip_prefix("__client=").map(|rest| rest.split(';').next().unwrap().to_owned())
    });
    let verification = &created.ok()["response"]["first_factor_verification"];
    let redirect = verification["external_verification_redirect_url"].as_str().unwrap().to_owned();
    assert!(parameters(&redirect)["redirect_uri"].starts_with("https://clerk.example.com/v1/oauth_callback/entconn_"));
    let brought = callback_url(&op.authorize(&app, &redirect, &alice()));
    // The cookie is the proxy's, so it does not come here.
    let sent_on = browser.visit(&brought).await.location().to_owned();
    assert_eq!(sent_on, format!("https://app.example.com/__clerk{brought}&moved=1"));
    let with_more = browser.visit(&format!("{brought}&x=1")).await.location().to_owned();
    assert_eq!(with_more, sent_on, "what it means nothing by is not passed on");
    // A proxy that does not say who it is: the way ends here.
    assert_eq!(browser.visit(&format!("{brought}&moved=1")).await.status, 400);
    assert_eq!(op.hits("/token"), 0);
    browser.set_cookie("__client", "client_x.wrong");
    assert_eq!(browser.visit_with(&brought, &proxy).await.error(), invalid(), "and not round in circles");
    browser.set_cookie("__client", &cookie.unwrap());
    assert_eq!(browser.visit_with(&brought, &proxy).await.location(), "https://app.example.com/callback");
    assert_eq!(users(&app).await.len(), 1);
    app.close().await;
}

#[tokio::test]
async fn wire6_a_code_of_one_provider_is_not_taken_to_another_even_if_neither_names_itself() {
    for app in TestApp::on_each_database().await {
        let acme = TestOp::connect(&app, "acme.test", None).await;
        let evil = TestOp::connect(&app, "evil.test", None).await;
        // What the attacker has in his own browser: a trip to Acme, whose state, nonce and challenge he hands on.
        let his = Trip::begin(&app, "mallory@acme.test").await;
        // Alice goes to evil.test, which sends her on to Acme with her own state and all the rest of his.
        let hers = Trip::begin(&app, "alice@evil.test").await;
        let at_acme = acme.authorize(&app, &his.redirect, &alice());
        let without_issuer: Vec<_> = at_acme.iter().filter(|(name, _)| name != "iss").cloned().collect();
        let lured = with(&without_issuer, "state", &parameters(&hers.redirect)["state"]);
        assert_eq!(hers.browser.get(&callback_url(&lured)).await.error(), invalid());
        assert_eq!((acme.hits("/token"), evil.hits("/token")), (0, 0), "the code went nowhere");
        // Her own trip is still good, at its own address.
        let brought = evil.authorize(&app, &hers.redirect, &Person::new("alice@evil.test", "Alice", "Müller"));
        assert_eq!(hers.browser.visit(&callback_url(&brought)).await.location(), "https://app.example.com/done");
        app.close().await;
    }
}
