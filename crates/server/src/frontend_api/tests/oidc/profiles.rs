//! Who somebody is, by what the provider says (OID-5, OID-6, OID-13, LNK-6; DECISIONS "Wire" 3, 6).

use super::{Trip, alice, refused};
use crate::frontend_api::tests::support::{footprint, members, organization, users};
use crate::testing::{OpKey, Person, TestApp, TestOp};
use axum::http::Method;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn oid6_an_address_that_nobody_vouches_for_signs_nobody_in() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::connect(&app, "acme.test", None).await;
        app.backend(Method::POST, "/v1/users", json!({"email_address": ["alice@acme.test"]})).await.ok();
        let code = "external_account_email_address_verification_required";
        let with = |verified: Value| alice().with("email_verified", verified);
        for verified in [json!(false), json!("false"), json!(0), json!("no"), json!(1)] {
            refused(&app, &op, &with(verified), code, "says that alice@acme.test is not verified").await;
        }
        refused(&app, &op, &with(Value::Null), code, "is not verified").await;
        let mut silent = alice();
        for claims in [&mut silent.id_token, &mut silent.userinfo] {
            claims.as_object_mut().unwrap().shift_remove("email_verified");
        }
        refused(&app, &op, &silent, code, "does not say whether alice@acme.test is verified").await;
        // Where the operator vouches for the provider, its silence is enough, and its no is still a no.
        let path = format!("/v1/enterprise_connections/{}", op.connection_id());
        let vouch = json!({"oidc": {"attribute_mapping": {"email_verified_default": true}}});
        app.backend(Method::PATCH, &path, vouch).await.ok();
        refused(&app, &op, &with(json!(false)), code, "is not verified").await;
        Trip::begin(&app, "alice@acme.test").await.answer(&app, &op, &silent).await.unwrap();
        app.close().await;
    }
}

#[tokio::test]
async fn oid6_a_verified_address_does_not_vouch_for_another_one() {
    for app in TestApp::on_each_database().await {
        let mapping = json!({"attribute_mapping": {"email_address": "upn"}});
        let op = TestOp::connect_with(&app, "acme.test", None, mapping).await;
        // She has verified one address and wrote another into a field of her profile.
        let person = Person::new("mallory@acme.test", "M", "M").with("upn", json!("alice@acme.test"));
        let code = "external_account_email_address_verification_required";
        refused(&app, &op, &person, code, "does not say whether alice@acme.test").await;
        let same = person.with("upn", json!("Mallory@acme.test"));
        Trip::begin(&app, "alice@acme.test").await.answer(&app, &op, &same).await.unwrap();
        app.close().await;
    }
}

#[tokio::test]
async fn oid13_addresses_of_other_domains_and_no_addresses_sign_nobody_in() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme"})).await;
        let op = TestOp::connect(&app, "acme.test", Some(&acme)).await;
        let victim = json!({"email_address": ["admin@globex.test"]});
        app.backend(Method::POST, "/v1/users", victim).await.ok();
        let mismatch = "enterprise_sso_email_address_domain_mismatch";
        for address in ["admin@globex.test", "x@eu.acme.test", "x@acme.test.evil.test", "x@acme.test@evil.test"] {
            let person = alice().with("email", json!(address));
            let expected =
                if address.matches('@').count() == 1 { mismatch } else { "enterprise_sso_user_attribute_missing" };
            refused(&app, &op, &person, expected, "identity provider").await;
        }
        let missing = "enterprise_sso_user_attribute_missing";
        for address in [Value::Null, json!(""), json!("  "), json!(["alice@acme.test"]), json!({"a": 1})] {
            refused(&app, &op, &alice().with("email", address), missing, "the claim email").await;
        }
        refused(&app, &op, &alice().with("email", json!("alice")), missing, "\"alice\"").await;
        let trip = Trip::begin(&app, "alice@acme.test").await;
        trip.answer(&app, &op, &alice().with("email", json!("admin@globex.test"))).await.unwrap_err();
        let client = crate::frontend_api::tests::support::client(&trip.browser).await;
        let meta = &client["sign_in"]["first_factor_verification"]["error"]["meta"];
        assert_eq!(meta, &json!({"expected_domain": "acme.test", "received_domain": "globex.test"}));
        app.close().await;
    }
}

#[tokio::test]
async fn userinfo_completes_an_id_token_only_about_the_same_person() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::connect(&app, "acme.test", None).await;
        let person = alice().in_userinfo_alone();
        let code = "oauth_fetch_user_error";
        for (sub, words) in [
            (json!("subject-of-bob@acme.test"), "sub of userinfo: expected"),
            (json!("Subject-of-alice@acme.test"), "sub of userinfo: expected"),
            (json!(7), "no usable sub"),
            (Value::Null, "no usable sub"),
        ] {
            let mut other = person.clone();
            other.userinfo["sub"] = sub;
            refused(&app, &op, &other, code, words).await;
        }
        for (status, kind, body, words) in [
            (500, "text/html", "oops", "answered 500, expected 200"),
            (401, "application/json", "{}", "answered 401, expected 200"),
            (302, "text/html", "", "answered 302, expected 200"),
            (200, "text/html", "<html>", "text/html, expected application/json"),
            (200, "application/json", "{\"sub\": \"a\", \"sub\": \"b\"}", "userinfo was refused"),
            (200, "application/jwt", "e30.e30.AAAA", "the signed userinfo was refused"),
        ] {
            op.can("/userinfo", status, &[("content-type", kind), ("location", &op.discovery_url())], body);
            refused(&app, &op, &person, code, words).await;
        }
        let large = format!("{{\"sub\": \"{}\"}}", "x".repeat(300_000));
        op.can("/userinfo", 200, &[("content-type", "application/json")], &large);
        refused(&app, &op, &person, code, "larger than").await;
        op.state().canned.clear();
        let session = Trip::begin(&app, "alice@acme.test").await.answer(&app, &op, &person).await.unwrap();
        assert_eq!(session["user"]["last_name"], "Müller");
        app.close().await;
    }
}

#[tokio::test]
async fn without_userinfo_who_is_known_by_the_id_token_still_signs_in() {
    let app = TestApp::new().await;
    let op = TestOp::connect(&app, "acme.test", None).await;
    let mut nameless = alice();
    nameless.id_token = json!({"sub": "s-1", "email": "alice@acme.test", "email_verified": true});
    nameless.userinfo = json!({"sub": "s-1", "given_name": "Alice", "email": "bob@acme.test"});
    let session = Trip::begin(&app, "alice@acme.test").await.answer(&app, &op, &nameless).await.unwrap();
    let address = &session["user"]["email_addresses"][0]["email_address"];
    assert_eq!((&session["user"]["first_name"], address), (&json!("Alice"), &json!("alice@acme.test")));
    op.can("/userinfo", 503, &[], "");
    Trip::begin(&app, "alice@acme.test").await.answer(&app, &op, &nameless).await.unwrap();
    // Not down, but about somebody else.
    op.state().canned.clear();
    nameless.userinfo["sub"] = json!("s-2");
    refused(&app, &op, &nameless, "oauth_fetch_user_error", "sub of userinfo").await;
    app.close().await;
}

#[tokio::test]
async fn a_slow_userinfo_endpoint_is_waited_for_where_it_has_to_say_who_it_is_and_missed_where_not() {
    let app = TestApp::new().await;
    let (acme, globex) =
        (TestOp::connect(&app, "acme.test", None).await, TestOp::connect(&app, "globex.test", None).await);
    for op in [&acme, &globex] {
        op.state().delays.insert("/userinfo", Duration::from_secs(30));
    }
    let unknown = alice().in_userinfo_alone();
    let mut nameless = Person::new("bob@globex.test", "Bob", "B");
    nameless.id_token = json!({"sub": "b-1", "email": "bob@globex.test", "email_verified": true});
    let at_acme = Trip::begin(&app, "alice@acme.test").await;
    let at_globex = Trip::begin(&app, "bob@globex.test").await;
    let hers = at_acme.answer(&app, &acme, &unknown);
    let (refused, signed_in) = futures_util::future::join(hers, at_globex.answer(&app, &globex, &nameless)).await;
    let error = refused.unwrap_err();
    assert!(error.0 == "gateway_timeout" && error.1.contains("The userinfo endpoint"), "{error:?}");
    assert_eq!(signed_in.unwrap()["user"]["first_name"], Value::Null);
    app.close().await;
}

#[tokio::test]
async fn con27_metadata_that_is_too_large_signs_nobody_in() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::connect(&app, "acme.test", None).await;
        let large: Vec<String> = (0..40).map(|_| "x".repeat(1000)).collect();
        let person = alice().with("public_metadata_notes", json!(large));
        let custom = json!({"custom_attributes": [
            {"name": "Notes", "key": "notes", "sso_path": "public_metadata_notes", "multi_valued": true},
        ]});
        app.backend(Method::PATCH, &format!("/v1/enterprise_connections/{}", op.connection_id()), custom).await.ok();
        refused(&app, &op, &person, "oauth_fetch_user_error", "too large").await;
        app.close().await;
    }
}

#[tokio::test]
async fn lnk6_the_same_subject_at_two_providers_is_two_people() {
    for app in TestApp::on_each_database().await {
        let (acme, globex) =
            (organization(&app, json!({"name": "A"})).await, organization(&app, json!({"name": "G"})).await);
        let at_acme = TestOp::connect(&app, "acme.test", Some(&acme)).await;
        let at_globex = TestOp::connect(&app, "globex.test", Some(&globex)).await;
        Trip::begin(&app, "alice@acme.test").await.answer(&app, &at_acme, &alice()).await.unwrap();
        let same = Person::new("mallory@globex.test", "M", "M").with("sub", alice().id_token["sub"].clone());
        let session = Trip::begin(&app, "mallory@globex.test").await.answer(&app, &at_globex, &same).await.unwrap();
        assert_eq!(session["user"]["email_addresses"][0]["email_address"], "mallory@globex.test");
        assert_eq!((users(&app).await.len(), members(&app, &acme).await.len()), (2, 1));
        // The same person, after her connection came to serve other people.
        let path = format!("/v1/enterprise_connections/{}", at_globex.connection_id());
        app.backend(Method::PATCH, &path, json!({"domains": ["initech.test"]})).await.ok();
        let before = footprint(&app).await;
        let heir = same.with("email", json!("heir@initech.test"));
        let error = Trip::begin(&app, "heir@initech.test").await.answer(&app, &at_globex, &heir).await.unwrap_err();
        assert_eq!(error.0, "enterprise_sso_email_address_domain_mismatch");
        assert_eq!(footprint(&app).await, before);
        app.close().await;
    }
}

#[tokio::test]
async fn con27_claims_become_metadata_by_name_and_by_path() {
    let app = TestApp::new().await;
    let op = TestOp::connect(&app, "acme.test", None).await;
    let custom = json!({"custom_attributes": [
        {"name": "Team", "key": "team", "sso_path": "dept"},
        {"name": "Roles", "key": "roles", "sso_path": "realm_access.roles", "multi_valued": true},
    ]});
    app.backend(Method::PATCH, &format!("/v1/enterprise_connections/{}", op.connection_id()), custom).await.ok();
    let person = alice()
        .with("dept", json!("R&D"))
        .with("realm_access", json!({"roles": ["a", "b", {"no": "role"}]}))
        .with("public_metadata_plan", json!("gold"));
    let session = Trip::begin(&app, "alice@acme.test").await.answer(&app, &op, &person).await.unwrap();
    let expected = json!({"plan": "gold", "team": "R&D", "roles": ["a", "b"]});
    assert_eq!(session["user"]["public_metadata"], expected);
    app.close().await;
}

#[tokio::test]
async fn mem3_mem4_nobody_new_where_none_may_come_and_no_seat_is_left() {
    for app in TestApp::on_each_database().await {
        let full = organization(&app, json!({"name": "Full", "max_allowed_memberships": 1})).await;
        let op = TestOp::connect(&app, "acme.test", Some(&full)).await;
        Trip::begin(&app, "bob@acme.test")
            .await
            .answer(&app, &op, &Person::new("bob@acme.test", "B", "B"))
            .await
            .unwrap();
        refused(&app, &op, &alice(), "organization_membership_quota_exceeded_for_sso", "limit 1").await;
        let path = format!("/v1/enterprise_connections/{}", op.connection_id());
        app.backend(Method::PATCH, &path, json!({"disable_jit_provisioning": true})).await.ok();
        refused(&app, &op, &alice(), "saml_jit_provisioning_disabled", "alice@acme.test").await;
        app.close().await;
    }
}

/// Endpoints by hand, with the issuer and keys of the provider.
fn by_hand_with_keys(op: &TestOp) -> Value {
    json!({
        "discovery_url": null,
        "auth_url": format!("{}/auth", op.url),
        "token_url": format!("{}/token", op.url),
        "issuer": op.url,
        "jwks_url": format!("{}/jwks", op.url),
    })
}

#[tokio::test]
async fn oid2_issuer_and_keys_by_hand_verify_the_id_token_as_a_discovery_document_does() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::start().await;
        let by_hand = by_hand_with_keys(&op);
        let op = op.connected(&app, "acme.test", None, by_hand).await;
        let session = Trip::begin(&app, "alice@acme.test").await.answer(&app, &op, &alice()).await.unwrap();
        assert_eq!(session["user"]["email_addresses"][0]["email_address"], "alice@acme.test");
        assert_eq!((op.hits("/.well-known/openid-configuration"), op.hits("/jwks"), op.hits("/userinfo")), (0, 1, 0));
        let exchange = "oauth_token_exchange_error";
        type Spoil = fn(&mut Value, &mut Value);
        let spoiled: [(Spoil, &str); 6] = [
            (|_, claims| claims["iss"] = json!("https://other.test"), "iss"),
            (|_, claims| claims["aud"] = json!("another"), "aud"),
            (|_, claims| claims["nonce"] = json!("of another sign-in"), "nonce"),
            (|_, claims| claims["exp"] = json!(1), "was valid until"),
            (|header, _| header["alg"] = json!("none"), "alg"),
            (|header, _| header["kid"] = json!("unknown"), "kid"),
        ];
        for (spoil, words) in spoiled {
            op.spoil(spoil);
            refused(&app, &op, &alice(), exchange, words).await;
        }
        op.state().change = None;
        // Nobody falls back on userinfo because a token is missing.
        op.change_tokens(|tokens| tokens["id_token"] = Value::Null);
        refused(&app, &op, &alice(), exchange, "id_token").await;
        op.state().change_tokens = None;
        // Signed by a key that is not published.
        let published = op.state().keys.clone();
        op.can("/jwks", 200, &[("content-type", "application/json")], &OpKey::set(&published));
        op.state().keys = vec![OpKey::new("key-1")];
        refused(&app, &op, &alice(), exchange, "signature").await;
        op.state().keys = published;
        Trip::begin(&app, "alice@acme.test").await.answer(&app, &op, &alice()).await.unwrap();
        app.close().await;
    }
}

#[tokio::test]
async fn con37_issuer_and_keys_by_hand_that_are_changed_meanwhile_sign_nobody_in() {
    let app = TestApp::new().await;
    let op = TestOp::start().await;
    let by_hand = by_hand_with_keys(&op);
    let op = op.connected(&app, "acme.test", None, by_hand.clone()).await;
    let path = format!("/v1/enterprise_connections/{}", op.connection_id());
    for change in [
        json!({"issuer": "https://other.test"}),
        json!({"jwks_url": format!("{}/other", op.url)}),
        json!({"issuer": "", "jwks_url": "", "user_info_url": format!("{}/userinfo", op.url)}),
    ] {
        let before = footprint(&app).await;
        let trip = Trip::begin(&app, "alice@acme.test").await;
        let brought = op.authorize(&app, &trip.redirect, &alice());
        app.backend(Method::PATCH, &path, json!({"oidc": change})).await.ok();
        let error = trip.come_back(&brought).await.unwrap_err();
        assert!(error.0 == "oauth_callback_invalid" && error.1.contains("changed meanwhile"), "{change} {error:?}");
        assert_eq!(footprint(&app).await, before);
        let mut restored = by_hand.clone();
        restored["discovery_url"] = json!("");
        app.backend(Method::PATCH, &path, json!({"oidc": restored})).await.ok();
    }
    assert_eq!(op.hits("/token"), 0);
    app.close().await;
}

#[tokio::test]
async fn oid2_a_provider_configured_by_hand_is_known_by_userinfo() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::start().await;
        let by_hand = json!({
            "discovery_url": null,
            "auth_url": format!("{}/auth", op.url),
            "token_url": format!("{}/token", op.url),
            "user_info_url": format!("{}/userinfo", op.url),
        });
        let op = op.connected(&app, "acme.test", None, by_hand).await;
        // The ID token says something else; nobody could check it.
        let mut person = alice();
        person.id_token = Person::new("mallory@acme.test", "M", "M").id_token;
        let trip = Trip::begin(&app, "alice@acme.test").await;
        assert!(crate::testing::parameters(&trip.redirect).contains_key("code_challenge"));
        let session = trip.answer(&app, &op, &person).await.unwrap();
        assert_eq!(session["user"]["email_addresses"][0]["email_address"], "alice@acme.test");
        assert_eq!((op.hits("/.well-known/openid-configuration"), op.hits("/jwks"), op.hits("/userinfo")), (0, 0, 1));
        person.userinfo["sub"] = Value::Null;
        refused(&app, &op, &person, "oauth_fetch_user_error", "no usable sub").await;
        app.close().await;
    }
}
