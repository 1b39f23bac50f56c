//! What changes while somebody is on the way (RELIABILITY §4.5): between the request and the answer, and between the answer
//! and the browser's return. What holds is how things stand in the end, and a refusal leaves nothing behind.

use super::support::{Trip, alice, footprint, members, organization, users};
use crate::testing::{TestApp, TestIdp};
use axum::http::Method;
use serde_json::{Value, json};

/// When something changes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    BeforeTheAnswer,
    BeforeTheReturn,
}

const EVER: [When; 2] = [When::BeforeTheAnswer, When::BeforeTheReturn];

/// An organization, its connection, and somebody on the way.
struct Scene {
    acme: String,
    idp: TestIdp,
}

impl Scene {
    async fn new(app: &TestApp) -> Self {
        let acme = organization(app, json!({"name": "Acme", "max_allowed_memberships": 2})).await;
        let idp = TestIdp::connect(app, "acme.test", Some(&acme), 0).await;
        Self { acme, idp }
    }

    fn connection(&self) -> String {
        format!("/v1/enterprise_connections/{}", self.idp.connection_id())
    }

    /// Alice signs in; meanwhile the operator does something. What became of her, and what was there before.
    async fn play(
        &self,
        app: &TestApp,
        when: When,
        (method, path, body): (Method, &str, Value),
    ) -> (Result<Value, (String, String)>, Value) {
        let trip = Trip::begin(app, &self.idp, "alice@acme.test").await;
        let response = self.idp.respond(app, &trip.request, &alice(), |_| {});
        let interfere = async || {
            let done = app.backend(method.clone(), path, body.clone()).await;
            assert!(done.status.is_success(), "{}", done.text);
            footprint(app).await
        };
        let mut before = Value::Null;
        if when == When::BeforeTheAnswer {
            before = interfere().await;
        }
        let posted = trip.post(self.idp.acs_url(), &response).await;
        if when == When::BeforeTheReturn {
            before = interfere().await;
        }
        if posted.status != 303 {
            return (Err((posted.error().1, posted.text)), before);
        }
        let finished = trip.browser.get(posted.location().strip_prefix("https://clerk.example.com").unwrap()).await;
        if finished.status != 303 {
            return (Err((finished.error().1, finished.text)), before);
        }
        let client = super::support::client(&trip.browser).await;
        let outcome = match client["sessions"].as_array().unwrap().first() {
            Some(session) => Ok(session.clone()),
            None => {
                let error = &client["sign_in"]["first_factor_verification"]["error"];
                Err((error["code"].as_str().unwrap().to_owned(), error["long_message"].to_string()))
            }
        };
        (outcome, before)
    }
}

#[tokio::test]
async fn sml17_con37_a_connection_that_is_changed_meanwhile_signs_nobody_in() {
    let stranger = TestApp::new().await;
    let other = TestIdp::connect(&stranger, "other.test", None, 1).await.certificate().pem();
    stranger.close().await;
    let (inactive, mismatch, invalid) =
        ("saml_connection_active_not_found", "saml_email_address_domain_mismatch", "saml_response_invalid");
    let changes = [
        (json!({"active": false}), inactive),
        (json!({"authenticatable": false}), inactive),
        (json!({"domains": ["other.test"]}), mismatch),
        (json!({"domains": ["eu.acme.test"]}), mismatch),
        (json!({"disable_jit_provisioning": true}), "saml_jit_provisioning_disabled"),
        (json!({"saml": {"idp_certificate": other}}), invalid),
        (json!({"saml": {"idp_entity_id": "https://other.test"}}), invalid),
    ];
    for app in TestApp::on_each_database().await {
        for when in EVER {
            for (change, code) in &changes {
                let scene = Scene::new(&app).await;
                let path = scene.connection();
                let (outcome, before) = scene.play(&app, when, (Method::PATCH, &path, change.clone())).await;
                let error = outcome.expect_err(code);
                assert_eq!(error.0, *code, "{when:?} {change} {}", error.1);
                assert_eq!(footprint(&app).await, before, "{when:?} {change}");
                app.backend(Method::DELETE, &path, Value::Null).await.ok();
            }
        }
        assert!(users(&app).await.is_empty());
        app.close().await;
    }
}

#[tokio::test]
async fn con34_a_connection_that_is_deleted_meanwhile_signs_nobody_in() {
    for app in TestApp::on_each_database().await {
        for (when, code) in EVER.into_iter().zip(["saml_connection_active_not_found", "saml_response_invalid"]) {
            let scene = Scene::new(&app).await;
            let path = scene.connection();
            let (outcome, before) = scene.play(&app, when, (Method::DELETE, &path, Value::Null)).await;
            assert_eq!(outcome.unwrap_err().0, code, "{when:?}");
            assert_eq!(footprint(&app).await, before, "{when:?}");
        }
        app.close().await;
    }
}

#[tokio::test]
async fn mem12_a_connection_that_moves_meanwhile_leads_to_the_new_organization_alone() {
    for app in TestApp::on_each_database().await {
        for when in EVER {
            let scene = Scene::new(&app).await;
            let new = organization(&app, json!({"name": "New"})).await;
            let path = scene.connection();
            let change = (Method::PATCH, path.as_str(), json!({"organization_id": new}));
            let session = scene.play(&app, when, change).await.0.unwrap();
            assert_eq!(session["last_active_organization_id"], json!(new), "{when:?}");
            assert_eq!((members(&app, &scene.acme).await.len(), members(&app, &new).await.len()), (0, 1), "{when:?}");
            app.backend(Method::DELETE, &path, Value::Null).await.ok();
        }
        app.close().await;
    }
}

/// Its connection is switched off with it, so that nobody is taken in on its behalf.
#[tokio::test]
async fn an_organization_that_is_deleted_meanwhile_signs_nobody_in() {
    for app in TestApp::on_each_database().await {
        for when in EVER {
            let scene = Scene::new(&app).await;
            let path = format!("/v1/organizations/{}", scene.acme);
            let (outcome, before) = scene.play(&app, when, (Method::DELETE, &path, Value::Null)).await;
            assert_eq!(outcome.unwrap_err().0, "saml_connection_active_not_found", "{when:?}");
            assert_eq!(footprint(&app).await, before, "{when:?}");
            app.backend(Method::DELETE, &scene.connection(), Value::Null).await.ok();
        }
        app.close().await;
    }
}

#[tokio::test]
async fn mem4_seats_that_are_taken_meanwhile_are_gone() {
    for app in TestApp::on_each_database().await {
        for when in EVER {
            let scene = Scene::new(&app).await;
            let user = app.backend(Method::POST, "/v1/users", json!({"username": format!("u{when:?}").to_lowercase()}));
            let user = user.await.ok()["id"].as_str().unwrap().to_owned();
            let fill =
                (Method::PATCH, format!("/v1/organizations/{}", scene.acme), json!({"max_allowed_memberships": 1}));
            let path = format!("/v1/organizations/{}/memberships", scene.acme);
            app.backend(Method::POST, &path, json!({"user_id": user, "role": "org:member"})).await.ok();
            let (outcome, before) = scene.play(&app, when, (fill.0, &fill.1, fill.2)).await;
            assert_eq!(outcome.unwrap_err().0, "organization_membership_quota_exceeded_for_sso", "{when:?}");
            assert_eq!(footprint(&app).await, before, "{when:?}");
            app.backend(Method::DELETE, &scene.connection(), Value::Null).await.ok();
        }
        app.close().await;
    }
}

#[tokio::test]
async fn a_person_who_is_banned_or_deleted_meanwhile_is_not_signed_in_as_who_she_was() {
    for app in TestApp::on_each_database().await {
        for when in EVER {
            let scene = Scene::new(&app).await;
            scene.idp.sign_in(&app, &app.browser(), "alice@acme.test", &alice()).await;
            let id = users(&app).await[0]["id"].as_str().unwrap().to_owned();
            let ban = format!("/v1/users/{id}/ban");
            let (outcome, before) = scene.play(&app, when, (Method::POST, &ban, Value::Null)).await;
            assert_eq!(outcome.unwrap_err().0, "user_banned", "{when:?}");
            assert_eq!(footprint(&app).await, before, "{when:?}");
            app.backend(Method::POST, &format!("/v1/users/{id}/unban"), Value::Null).await.ok();
            let path = format!("/v1/users/{id}");
            let session = scene.play(&app, when, (Method::DELETE, &path, Value::Null)).await.0.unwrap();
            assert_ne!(session["user"]["id"], json!(id), "{when:?}");
            assert_eq!(members(&app, &scene.acme).await.len(), 1, "{when:?}");
            app.backend(Method::DELETE, &format!("/v1/users/{}", session["user"]["id"].as_str().unwrap()), Value::Null)
                .await
                .ok();
            app.backend(Method::DELETE, &scene.connection(), Value::Null).await.ok();
        }
        app.close().await;
    }
}

#[tokio::test]
async fn an_outcome_that_is_collected_too_late_signs_nobody_in() {
    for app in TestApp::on_each_database().await {
        let scene = Scene::new(&app).await;
        let before = footprint(&app).await;
        // The trip ends twenty minutes after it began, to the millisecond.
        for (milliseconds, in_time) in [(60_000, false), (59_999, true)] {
            let trip = Trip::begin(&app, &scene.idp, "alice@acme.test").await;
            app.advance(19 * 60 * 1000);
            let response = scene.idp.respond(&app, &trip.request, &alice(), |_| {});
            let posted = trip.post(scene.idp.acs_url(), &response).await;
            app.advance(milliseconds);
            if in_time {
                trip.come_back(&posted).await.unwrap();
                continue;
            }
            let path = posted.location().strip_prefix("https://clerk.example.com").unwrap();
            assert_eq!(trip.browser.get(path).await.error(), (401, "saml_response_invalid".to_owned()));
            assert_eq!(footprint(&app).await, before);
        }
        app.close().await;
    }
}
