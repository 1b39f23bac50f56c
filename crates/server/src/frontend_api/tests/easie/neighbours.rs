//! Two organizations with one provider and one application: what one of them can do to the other.

use super::{NOT_OURS, OBJECT, OTHER_DOMAIN, OTHER_TENANT, Trip, of_entra, of_google, refused, signed_in};
use crate::flows::oidc_provider;
use crate::frontend_api::tests::support::{client, footprint, members, organization, users};
use crate::testing::{Person, TestApp, TestOp, callback_url, parameters};
use axum::http::Method;
use serde_json::{Value, json};

/// Acme's connection and Globex's, by the same application at the same provider.
async fn neighbours(app: &TestApp, provider: &str) -> ([TestOp; 2], [String; 2]) {
    let organizations =
        [organization(app, json!({"name": "Acme"})).await, organization(app, json!({"name": "Globex"})).await];
    let acme = match provider {
        "oauth_google" => TestOp::google(app, &["acme.test"], Some(&organizations[0])).await,
        _ => TestOp::entra(app, &["acme.test"], Some(&organizations[0])).await,
    };
    let globex = acme.clone().connected_as(app, provider, &["globex.test"], Some(&organizations[1]), json!({})).await;
    ([acme, globex], organizations)
}

#[tokio::test]
async fn eas7_google_people_of_one_organization_are_nobody_in_the_other() {
    for app in TestApp::on_each_database().await {
        let ([acme, globex], organizations) = neighbours(&app, "oauth_google").await;
        signed_in(&app, &acme, &of_google()).await;
        let mallory = Person::of_google("mallory@globex.test", "globex.test");
        refused(&app, &acme, &mallory, NOT_OURS, "expected one of acme.test, got globex.test").await;
        // An administrator there can give addresses on domains that Google has not seen proof of, but no hd.
        refused(&app, &acme, &mallory.clone().with("email", json!("alice@acme.test")), NOT_OURS, "got globex.test")
            .await;
        // Of both, but not of this connection's.
        refused(&app, &acme, &of_google().with("email", json!("alice@globex.test")), OTHER_DOMAIN, "globex.test").await;
        Trip::begin(&app, "mallory@globex.test").await.answer(&app, &globex, &mallory).await.unwrap();
        // The same sub through the other connection is not Alice.
        let twin = mallory.with("sub", of_google().id_token["sub"].clone());
        let session = Trip::begin(&app, "mallory@globex.test").await.answer(&app, &globex, &twin).await.unwrap();
        assert_eq!(session["user"]["email_addresses"][0]["email_address"], "mallory@globex.test");
        assert_eq!(users(&app).await.len(), 2);
        for organization in organizations {
            assert_eq!(members(&app, &organization).await.len(), 1);
        }
        app.close().await;
    }
}

#[tokio::test]
async fn eas8_entra_people_of_one_tenant_are_nobody_in_the_other() {
    for app in TestApp::on_each_database().await {
        let ([acme, globex], _) = neighbours(&app, "oauth_microsoft").await;
        signed_in(&app, &acme, &of_entra()).await;
        let mallory = Person::of_entra("mallory@globex.test", OBJECT, OTHER_TENANT);
        Trip::begin(&app, "mallory@globex.test").await.answer(&app, &globex, &mallory).await.unwrap();
        refused(&app, &acme, &mallory, NOT_OURS, "tid: expected").await;
        refused(&app, &acme, &mallory.clone().with("email", json!("alice@acme.test")), NOT_OURS, "tid: expected").await;
        // Alice's own tenant, through the connection of the other organization.
        let before = footprint(&app).await;
        let trip = Trip::begin(&app, "mallory@globex.test").await;
        let alice = of_entra().with("email", json!("alice@globex.test"));
        assert_eq!(trip.answer(&app, &globex, &alice).await.unwrap_err().0, NOT_OURS);
        assert_eq!(footprint(&app).await, before);
        app.close().await;
    }
}

#[tokio::test]
async fn wire6_a_code_for_one_connection_is_of_no_use_at_the_other() {
    for app in TestApp::on_each_database().await {
        for provider in ["oauth_google", "oauth_microsoft"] {
            let ([acme, globex], _) = neighbours(&app, provider).await;
            let person = if provider == "oauth_google" { of_google() } else { of_entra() };
            let before = footprint(&app).await;
            // Alice's code, with the state of a sign-in at the neighbour's connection: another address and another verifier.
            let (own, other) = (Trip::begin(&app, "alice@acme.test").await, Trip::begin(&app, "m@globex.test").await);
            let code = acme.authorize(&app, &own.redirect, &person)[0].clone();
            let mut brought = globex.authorize(&app, &other.redirect, &person);
            brought[0] = code;
            let error = other.come_back(&brought).await.unwrap_err();
            assert_eq!(error.0, "oauth_token_exchange_error");
            // The state of one at the address of the other, and at the address that connections by the instance's application share.
            let elsewhere = parameters(&other.redirect)["redirect_uri"].clone();
            let shared = format!("https://clerk.example.com/v1/oauth_callback/{provider}");
            for address in [elsewhere, shared] {
                let mut brought = acme.authorize(&app, &own.redirect, &person);
                brought[2].1 = address;
                let refused = own.browser.get(&callback_url(&brought)).await;
                assert_eq!(refused.error(), (400, "oauth_callback_invalid".to_owned()));
                assert!(refused.text.contains("unknown"), "{}", refused.text);
            }
            assert_eq!(footprint(&app).await, before);
            for op in [acme, globex] {
                app.backend(Method::DELETE, &super::path(&op), Value::Null).await.ok();
            }
        }
        app.close().await;
    }
}

#[tokio::test]
async fn eas2_connections_by_the_instances_application_share_one_address_at_the_provider() {
    let app = TestApp::with(|raw| {
        raw.easie_google_client_id = Some("instance client".into());
        raw.easie_google_client_secret = Some("instance secret".into());
    })
    .await;
    let shared = "https://clerk.example.com/v1/oauth_callback/oauth_google";
    let mut made = Vec::new();
    for domain in ["acme.test", "globex.test"] {
        let body = json!({"name": "G", "provider": "oauth_google", "domains": [domain], "active": true});
        let connection = app.backend(Method::POST, "/v1/enterprise_connections", body).await.ok();
        assert_eq!(connection["oauth_config"]["redirect_uri"], shared);
        assert_eq!(connection["oauth_config"]["client_id"], Value::Null);
        made.push(connection["id"].as_str().unwrap().to_owned());
    }
    // Google's document as it is, without asking Google.
    let google = "https://accounts.google.com";
    let document = json!({
        "issuer": google,
        "authorization_endpoint": format!("{google}/o/oauth2/v2/auth"),
        "token_endpoint": "https://oauth2.googleapis.com/token",
        "jwks_uri": "https://www.googleapis.com/oauth2/v3/certs",
        "response_types_supported": ["code"],
    });
    oidc_provider::keep(&app.app, &made[0].as_str().into(), document.to_string().as_bytes()).await;
    let trip = Trip::begin(&app, "alice@acme.test").await;
    let asked = parameters(&trip.redirect);
    assert!(trip.redirect.starts_with("https://accounts.google.com/o/oauth2/v2/auth?"));
    assert_eq!((asked["client_id"].as_str(), asked["redirect_uri"].as_str()), ("instance client", shared));
    // The other organization's browser is sent to the same address; each answer finds its own sign-in, in its own browser.
    let other = Trip::begin(&app, "mallory@globex.test").await;
    let answer = |trip: &Trip<'_>| {
        let state = parameters(&trip.redirect)["state"].clone();
        [
            ("error".to_owned(), "access_denied".to_owned()),
            ("state".to_owned(), state),
            ("redirect_uri".to_owned(), shared.to_owned()),
        ]
    };
    assert_eq!(trip.browser.get(&callback_url(&answer(&other))).await.error().1, "oauth_callback_invalid");
    assert_eq!(client(&trip.browser).await["sign_in"]["first_factor_verification"]["error"], Value::Null);
    let mut own_address = answer(&trip);
    own_address[2].1 = format!("https://clerk.example.com/v1/oauth_callback/{}", made[0]);
    assert_eq!(trip.browser.get(&callback_url(&own_address)).await.error().1, "oauth_callback_invalid");
    assert_eq!(trip.come_back(&answer(&trip)).await.unwrap_err().0, "oauth_access_denied");
    assert_eq!(other.come_back(&answer(&other)).await.unwrap_err().0, "oauth_access_denied");
    app.close().await;
}
