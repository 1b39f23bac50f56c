//! What changes while somebody is at the provider, and while the callback waits for it.

use super::{NOT_OURS, OBJECT, OTHER_DOMAIN, OTHER_TENANT, TENANT, Trip, change, of_entra, of_google, path, pinned};
use crate::frontend_api::tests::support::{client, footprint, members, organization, users};
use crate::testing::{Person, TestApp, TestOp, callback_url};
use axum::http::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// Lets the operator do something while the callback waits for the token endpoint: what became of the trip.
async fn during(
    app: &TestApp,
    op: &TestOp,
    person: &Person,
    (method, body): (Method, Value),
) -> Result<Value, (String, String)> {
    let trip = Trip::begin(app, "alice@acme.test").await;
    let brought = op.authorize(app, &trip.redirect, person);
    let asked = op.hits("/token");
    op.state().delays.insert("/token", Duration::from_millis(300));
    let interfere = async {
        while op.hits("/token") == asked {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        app.backend(method, &path(op), body).await.ok();
    };
    let (outcome, ()) = futures_util::future::join(trip.come_back(&brought), interfere).await;
    op.state().delays.clear();
    outcome
}

/// The same while the browser is still at the provider.
async fn before(app: &TestApp, op: &TestOp, person: &Person, body: Value) -> Result<Value, (String, String)> {
    let trip = Trip::begin(app, "alice@acme.test").await;
    let brought = op.authorize(app, &trip.redirect, person);
    change(app, op, body).await;
    trip.come_back(&brought).await
}

#[tokio::test]
async fn eas9_of_two_tenants_that_come_first_at_once_one_wins() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme"})).await;
        let op = TestOp::entra(&app, &["acme.test"], Some(&acme)).await;
        let hostile = Person::of_entra("mallory@acme.test", OBJECT, OTHER_TENANT);
        let trips = [Trip::begin(&app, "alice@acme.test").await, Trip::begin(&app, "mallory@acme.test").await];
        let brought =
            [op.authorize(&app, &trips[0].redirect, &of_entra()), op.authorize(&app, &trips[1].redirect, &hostile)];
        // Both have passed the check of their tokens before either is saved.
        op.state().delays.insert("/token", Duration::from_millis(200));
        let come_back = futures_util::future::join(trips[0].come_back(&brought[0]), trips[1].come_back(&brought[1]));
        let (alice, mallory) = come_back.await;
        let (winner, error) = match (alice, mallory) {
            (Ok(_), Err(error)) => (TENANT, error),
            (Err(error), Ok(_)) => (OTHER_TENANT, error),
            both => panic!("{both:?}"),
        };
        assert_eq!(pinned(&app, &op).await, winner);
        assert_eq!(error.0, NOT_OURS);
        assert!(error.1.contains(&format!("expected {winner}, got")), "{error:?}");
        assert_eq!((users(&app).await.len(), members(&app, &acme).await.len()), (1, 1), "nothing is left of the other");
        app.close().await;
    }
}

#[tokio::test]
async fn eas9_many_of_one_tenant_at_once_all_come_in() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::entra(&app, &["acme.test"], None).await;
        op.state().delays.insert("/token", Duration::from_millis(200));
        let mut trips = Vec::new();
        for at in 0..5 {
            let email = format!("p{at}@acme.test");
            let person = Person::of_entra(&email, &OBJECT.replace('2', &at.to_string()), TENANT);
            let trip = Trip::begin(&app, &email).await;
            let brought = op.authorize(&app, &trip.redirect, &person);
            trips.push((trip, brought));
        }
        let done = trips.iter().map(|(trip, brought)| trip.come_back(brought));
        for outcome in futures_util::future::join_all(done).await {
            outcome.expect("somebody of the same tenant");
        }
        assert_eq!(users(&app).await.len(), 5);
        app.close().await;
    }
}

#[tokio::test]
async fn eas9_a_tenant_that_is_pinned_meanwhile_keeps_others_out() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::entra(&app, &["acme.test"], None).await;
        let pin = json!({"oidc": {"tenant_id": OTHER_TENANT}});
        let empty = footprint(&app).await;
        let error = before(&app, &op, &of_entra(), pin.clone()).await.unwrap_err();
        assert_eq!(error.0, NOT_OURS);
        change(&app, &op, json!({"oidc": {"tenant_id": ""}})).await;
        let error = during(&app, &op, &of_entra(), (Method::PATCH, pin)).await.unwrap_err();
        assert_eq!(error.0, NOT_OURS);
        assert!(error.1.contains(&format!("expected {OTHER_TENANT}, got {TENANT}")), "{error:?}");
        assert_eq!((footprint(&app).await, pinned(&app, &op).await), (empty, json!(OTHER_TENANT)));
        app.close().await;
    }
}

#[tokio::test]
async fn eas7_a_domain_that_is_taken_away_meanwhile_is_no_organization_any_more() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::google(&app, &["acme.test", "acme.example"], None).await;
        // Her address is on the one that stays, her organization the other.
        let person = Person::of_google("alice@acme.test", "acme.example");
        let empty = footprint(&app).await;
        let less = json!({"domains": ["acme.test"]});
        let error = during(&app, &op, &person, (Method::PATCH, less.clone())).await.unwrap_err();
        assert_eq!(error.0, NOT_OURS);
        assert!(error.1.contains("expected acme.test, got acme.example"), "{error:?}");
        let error = before(&app, &op, &person, less).await.unwrap_err();
        assert_eq!(error.0, NOT_OURS);
        let error = during(&app, &op, &of_google(), (Method::PATCH, json!({"domains": ["globex.test"]}))).await;
        assert_eq!(error.unwrap_err().0, OTHER_DOMAIN);
        assert_eq!(footprint(&app).await, empty);
        app.close().await;
    }
}

#[tokio::test]
async fn con37_eas11_a_connection_that_is_changed_meanwhile_signs_nobody_in() {
    for app in TestApp::on_each_database().await {
        let stranger = TestOp::google(&app, &["stranger.test"], None).await;
        let op = TestOp::google(&app, &["acme.test"], None).await;
        let empty = footprint(&app).await;
        let back = json!({"active": true, "authenticatable": true, "oidc": {
            "client_id": op.state().client_id,
            "client_secret": op.state().client_secret,
            "discovery_url": op.discovery_url(),
        }});
        let mut elsewhere = back.clone();
        elsewhere["oidc"]["discovery_url"] = json!(stranger.discovery_url());
        for (body, code) in [
            (json!({"active": false}), "easie_connection_active_not_found"),
            (json!({"authenticatable": false}), "easie_connection_active_not_found"),
            (json!({"oidc": {"client_id": "another", "client_secret": "another"}}), "oauth_callback_invalid"),
            (elsewhere, "oauth_callback_invalid"),
        ] {
            let asked = op.hits("/token");
            let error = before(&app, &op, &of_google(), body.clone()).await.unwrap_err();
            assert_eq!((error.0.as_str(), op.hits("/token")), (code, asked), "{body}");
            change(&app, &op, back.clone()).await;
            let error = during(&app, &op, &of_google(), (Method::PATCH, body.clone())).await.unwrap_err();
            assert_eq!(error.0, code, "{body}");
            change(&app, &op, back.clone()).await;
        }
        let error = during(&app, &op, &of_google(), (Method::DELETE, Value::Null)).await.unwrap_err();
        assert_eq!(error.0, "oauth_provider_not_enabled", "of one that is gone nobody knows what it was");
        assert_eq!((footprint(&app).await, stranger.hits("/token")), (empty, 0));
        app.close().await;
    }
}

#[tokio::test]
async fn con37_who_comes_to_a_connection_that_was_moved_joins_where_it_is_now() {
    for app in TestApp::on_each_database().await {
        let first = organization(&app, json!({"name": "First"})).await;
        let second = organization(&app, json!({"name": "Second"})).await;
        let op = TestOp::google(&app, &["acme.test"], Some(&first)).await;
        before(&app, &op, &of_google(), json!({"organization_id": second})).await.unwrap();
        assert_eq!((members(&app, &first).await.len(), members(&app, &second).await.len()), (0, 1));
        app.close().await;
    }
}

#[tokio::test]
async fn dec15_a_transfer_ends_where_the_tenant_was_pinned_meanwhile() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::entra(&app, &["acme.test"], None).await;
        super::signed_in(&app, &op, &of_entra()).await;
        let browser = app.browser();
        let redirect = super::refresh_tokens::begin_sign_up(&browser, "alice@acme.test").await;
        op.answer(&app, &browser, &redirect, &of_entra()).await;
        assert_eq!(client(&browser).await["sign_up"]["verifications"]["external_account"]["status"], "transferable");
        change(&app, &op, json!({"oidc": {"tenant_id": OTHER_TENANT}})).await;
        let before = footprint(&app).await;
        let refused = browser.post("/v1/client/sign_ins", &[("transfer", "true")]).await;
        assert_eq!(refused.error(), (400, NOT_OURS.to_owned()));
        assert_eq!(footprint(&app).await, before);
        app.close().await;
    }
}

#[tokio::test]
async fn wire4_a_callback_is_used_once_and_by_its_own_browser() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::google(&app, &["acme.test"], None).await;
        let trip = Trip::begin(&app, "alice@acme.test").await;
        let brought = op.authorize(&app, &trip.redirect, &of_google());
        let victim = app.browser();
        crate::testing::begin_sign_in(&victim, "alice@acme.test").await;
        let lured = victim.get(&callback_url(&brought)).await;
        assert_eq!(lured.error(), (400, "oauth_callback_invalid".to_owned()));
        trip.come_back(&brought).await.unwrap();
        let asked = op.hits("/token");
        let again = trip.browser.get(&callback_url(&brought)).await;
        assert_eq!(again.error(), (400, "oauth_callback_invalid".to_owned()));
        assert_eq!(op.hits("/token"), asked);
        app.close().await;
    }
}
