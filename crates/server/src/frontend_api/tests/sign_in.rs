//! The way in, walked by a browser and an identity provider that signs (DEC, MEM, LNK, TOK; DECISIONS "Wire" 4–7).

use super::support::{alice, change, claims, client, members, organization, sign_in_error, users};
use crate::testing::{Browser, Identity, TestApp, TestIdp, begin_sign_in};
use axum::http::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn mem1_an_employee_signs_in_and_is_a_member_with_a_verified_token() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme", "slug": "acme"})).await;
        let idp = TestIdp::connect(&app, "acme.test", Some(&acme), 0).await;
        let browser = app.browser();
        let done = idp.sign_in(&app, &browser, "alice@acme.test", &alice()).await;
        assert_eq!(done.location(), "https://app.example.com/done");
        assert_eq!(members(&app, &acme).await, [("alice@acme.test".to_owned(), "org:member".to_owned())]);

        let client = client(&browser).await;
        let session = &client["sessions"][0];
        assert_eq!(client["last_active_session_id"], session["id"]);
        assert_eq!(session["last_active_organization_id"], json!(acme));
        assert_eq!(session["user"]["first_name"], "Alice");
        assert_eq!(session["user"]["last_name"], "Müller");
        assert_eq!(session["user"]["enterprise_accounts"][0]["email_address"], "alice@acme.test");

        let path = format!("/v1/client/sessions/{}/tokens", session["id"].as_str().unwrap());
        let token = browser.post(&path, &[]).await.ok();
        let found = claims(token["jwt"].as_str().unwrap());
        assert_eq!(found["o"], json!({"id": acme, "rol": "member", "slg": "acme"}));
        assert_eq!(found["sub"], session["user"]["id"]);
        assert_eq!(found["sid"], session["id"]);
        assert_eq!(found["azp"], "https://app.example.com");
        assert_eq!(found["iss"], "https://clerk.example.com");
        assert_eq!((&found["v"], &found["sts"], &found["fva"]), (&json!(2), &json!("active"), &json!([0, -1])));
        assert_eq!(found["exp"].as_i64().unwrap() - found["iat"].as_i64().unwrap(), 60);
        app.close().await;
    }
}

#[tokio::test]
async fn lnk6_a_second_sign_in_makes_no_second_user_and_no_second_membership() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme"})).await;
        let idp = TestIdp::connect(&app, "acme.test", Some(&acme), 0).await;
        for _ in 0..2 {
            let done = idp.sign_in(&app, &app.browser(), "alice@acme.test", &alice()).await;
            assert_eq!(done.location(), "https://app.example.com/done");
            app.advance(1000);
        }
        // The address at the IdP changed; the person did not.
        let mut married = alice();
        married.attributes = Identity::new("alice.smith@acme.test", "Alice", "Smith").attributes;
        idp.sign_in(&app, &app.browser(), "alice.smith@acme.test", &married).await;
        assert_eq!(users(&app).await.len(), 1);
        assert_eq!(members(&app, &acme).await.len(), 1);
        assert_eq!(users(&app).await[0]["last_name"], "Smith");
        app.close().await;
    }
}

#[tokio::test]
async fn rol8_the_role_set_decides_whether_newcomers_are_admins() {
    for app in TestApp::on_each_database().await {
        let set = json!({"name": "Admins", "key": "role_set:admins", "default_role_key": "org:admin",
            "creator_role_key": "org:admin", "roles": ["org:admin", "org:member"]});
        app.backend(Method::POST, "/v1/role_sets", set).await.ok();
        let globex = organization(&app, json!({"name": "Globex", "role_set_key": "role_set:admins"})).await;
        let idp = TestIdp::connect(&app, "globex.test", Some(&globex), 0).await;
        let bob = Identity::new("bob@globex.test", "Bob", "B");
        idp.sign_in(&app, &app.browser(), "bob@globex.test", &bob).await;
        assert_eq!(members(&app, &globex).await, [("bob@globex.test".to_owned(), "org:admin".to_owned())]);
        app.close().await;
    }
}

#[tokio::test]
async fn dec4_an_sso_address_is_offered_nothing_but_sso_whether_or_not_an_account_exists() {
    let app = TestApp::new().await;
    TestIdp::connect(&app, "acme.test", None, 0).await;
    app.backend(Method::POST, "/v1/users", json!({"email_address": ["known@acme.test"]})).await.ok();
    for address in ["known@acme.test", "stranger@acme.test", "Known@ACME.test"] {
        let created = app.browser().post("/v1/client/sign_ins", &[("identifier", address)]).await.ok();
        let sign_in = &created["response"];
        assert_eq!(sign_in["status"], "needs_first_factor");
        assert_eq!(sign_in["supported_first_factors"], json!([{"strategy": "enterprise_sso"}]), "{address}");
        let password = app.browser().post("/v1/client/sign_ins", &[("identifier", address), ("password", "x")]).await;
        assert_eq!(password.error(), (400, "strategy_for_user_invalid".to_owned()));
    }
    app.close().await;
}

#[tokio::test]
async fn dec3_other_addresses_keep_other_methods() {
    let app = TestApp::new().await;
    TestIdp::connect(&app, "acme.test", None, 0).await;
    app.backend(Method::POST, "/v1/users", json!({"email_address": ["known@other.test"]})).await.ok();
    let known = app.browser().post("/v1/client/sign_ins", &[("identifier", "known@other.test")]).await.ok();
    assert_eq!(known["response"]["supported_first_factors"], json!([]));
    let stranger = app.browser().post("/v1/client/sign_ins", &[("identifier", "who@other.test")]).await;
    assert_eq!(stranger.error(), (422, "form_identifier_not_found".to_owned()));
    let sso = [("identifier", "known@other.test"), ("strategy", "enterprise_sso")];
    let missing = app.browser().post("/v1/client/sign_ins", &sso).await;
    assert_eq!(missing.error(), (422, "enterprise_sso_sign_in_connection_missing".to_owned()));
    for malformed in ["alice@", "a b@acme.test"] {
        let answer = app.browser().post("/v1/client/sign_ins", &[("identifier", malformed)]).await;
        assert_eq!(answer.error(), (422, "form_param_format_invalid".to_owned()), "{malformed}");
    }
    app.close().await;
}

#[tokio::test]
async fn dec5_with_several_connections_the_person_chooses() {
    let app = TestApp::new().await;
    let first = TestIdp::connect(&app, "acme.test", None, 0).await;
    app.advance(1);
    let second = TestIdp::connect(&app, "acme.test", None, 1).await;
    let browser = app.browser();
    let created = browser.post("/v1/client/sign_ins", &[("identifier", "alice@acme.test")]).await.ok();
    let factors = created["response"]["supported_first_factors"].as_array().unwrap().clone();
    let ids: Vec<&str> = factors.iter().map(|factor| factor["enterprise_connection_id"].as_str().unwrap()).collect();
    assert_eq!(ids, [first.connection_id(), second.connection_id()]);
    let path = format!("/v1/client/sign_ins/{}/prepare_first_factor", created["response"]["id"].as_str().unwrap());
    let form = |id: &'static str| {
        vec![
            ("strategy", "enterprise_sso"),
            ("redirect_url", "https://app.example.com/x"),
            ("enterprise_connection_id", id),
        ]
    };
    let none = browser.post(&path, &form("")).await;
    assert_eq!(none.error(), (422, "enterprise_connection_id_is_required_with_multiple_connections".to_owned()));
    let unknown = browser.post(&path, &form("entconn_unknown")).await;
    assert_eq!(unknown.error(), (404, "resource_not_found".to_owned()));
    let mut chosen = form("");
    chosen[2].1 = second.connection_id();
    let prepared = browser.post(&path, &chosen).await.ok();
    let url = prepared["response"]["first_factor_verification"]["external_verification_redirect_url"].clone();
    assert!(url.as_str().unwrap().starts_with("https://idp.acme.test/sso?"));
    app.close().await;
}

#[tokio::test]
async fn dec8_one_form_begins_the_trip_at_once() {
    let app = TestApp::new().await;
    let acme = organization(&app, json!({"name": "Acme"})).await;
    let idp = TestIdp::connect(&app, "acme.test", Some(&acme), 0).await;
    let browser = app.browser();
    let form = [
        ("strategy", "enterprise_sso"),
        ("identifier", "alice@acme.test"),
        ("redirect_url", "https://app.example.com/cb"),
        ("action_complete_redirect_url", "https://app.example.com/done"),
    ];
    let created = browser.post("/v1/client/sign_ins", &form).await.ok();
    let verification = &created["response"]["first_factor_verification"];
    let done = idp
        .answer(&app, &browser, verification["external_verification_redirect_url"].as_str().unwrap(), &alice())
        .await;
    assert_eq!(done.location(), "https://app.example.com/done");
    let again = browser.post("/v1/client/sign_ins", &form).await;
    assert_eq!(again.error(), (400, "identifier_already_signed_in".to_owned()));
    app.close().await;
}

#[tokio::test]
async fn wire4_only_the_browser_that_began_may_finish_and_only_once() {
    for app in TestApp::on_each_database().await {
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        let (victim, attacker) = (app.browser(), app.browser());
        let redirect = begin_sign_in(&victim, "alice@acme.test").await;
        begin_sign_in(&attacker, "alice@acme.test").await;
        let request = idp.receive(&redirect);
        let response = idp.respond(&app, &request, &alice(), |_| {});
        let relay_state = request.relay_state.clone().unwrap();
        let form = [("SAMLResponse", response.as_str()), ("RelayState", relay_state.as_str())];
        let posted = victim.post_cross_site(idp.acs_url(), &form).await;
        let finish = posted.location().to_owned();
        assert!(finish.starts_with("https://clerk.example.com/v1/saml/finish?token="));
        for other in [&attacker, &app.browser()] {
            let refused = other.get(finish.strip_prefix("https://clerk.example.com").unwrap()).await;
            assert_eq!(refused.error(), (401, "saml_response_invalid".to_owned()));
        }
        let before = victim.cookie("__client").unwrap();
        assert_eq!(victim.visit(&finish).await.location(), "https://app.example.com/done");
        assert_ne!(victim.cookie("__client").unwrap(), before, "the client cookie changes at sign-in");
        let again = victim.get(finish.strip_prefix("https://clerk.example.com").unwrap()).await;
        assert_eq!(again.error(), (401, "saml_response_invalid".to_owned()));
        // The cookie from before the sign-in is worth nothing.
        let thief = app.browser();
        thief.set_cookie("__client", &before);
        assert_eq!(client(&thief).await, Value::Null);
        app.close().await;
    }
}

#[tokio::test]
async fn sml11_a_response_is_used_once_also_for_another_sign_in() {
    for app in TestApp::on_each_database().await {
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        let browser = app.browser();
        let request = idp.receive(&begin_sign_in(&browser, "alice@acme.test").await);
        let response = idp.respond(&app, &request, &alice(), |_| {});
        let relay_state = request.relay_state.clone().unwrap();
        let form = [("SAMLResponse", response.as_str()), ("RelayState", relay_state.as_str())];
        browser.post_cross_site(idp.acs_url(), &form).await.location();
        let replayed = browser.post_cross_site(idp.acs_url(), &form).await;
        assert_eq!(replayed.error(), (401, "saml_response_invalid".to_owned()));
        let other = app.browser();
        let other_request = idp.receive(&begin_sign_in(&other, "alice@acme.test").await);
        let relay_state = other_request.relay_state.clone().unwrap();
        let form = [("SAMLResponse", response.as_str()), ("RelayState", relay_state.as_str())];
        let posted = other.post_cross_site(idp.acs_url(), &form).await;
        assert_eq!(other.visit(posted.location()).await.location(), "https://app.example.com/sso-callback");
        assert_eq!(sign_in_error(&other).await, "saml_response_invalid");
        assert!(client(&other).await["sessions"].as_array().unwrap().is_empty());
        app.close().await;
    }
}

#[tokio::test]
async fn sml8_sml9_an_unsolicited_or_unknown_answer_is_refused() {
    let app = TestApp::new().await;
    let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
    let browser = app.browser();
    let request = idp.receive(&begin_sign_in(&browser, "alice@acme.test").await);
    let unsolicited = idp.respond(&app, &request, &alice(), |response| response.in_response_to = None);
    let none = browser.post_cross_site(idp.acs_url(), &[("SAMLResponse", &unsolicited)]).await;
    assert_eq!(none.error(), (400, "saml_response_relaystate_missing".to_owned()));
    let unknown = browser.post_cross_site(idp.acs_url(), &[("SAMLResponse", &unsolicited), ("RelayState", "x")]).await;
    assert_eq!(unknown.error(), (401, "saml_response_invalid".to_owned()));
    let relay_state = request.relay_state.clone().unwrap();
    let form = [("SAMLResponse", unsolicited.as_str()), ("RelayState", relay_state.as_str())];
    let posted = browser.post_cross_site(idp.acs_url(), &form).await;
    browser.visit(posted.location()).await;
    assert_eq!(sign_in_error(&browser).await, "saml_response_invalid");
    let nowhere = browser.post_cross_site("/v1/saml/acs/samlc_unknown", &form).await;
    assert_eq!(nowhere.error(), (404, "saml_connection_active_not_found".to_owned()));
    let empty = browser.post_cross_site(idp.acs_url(), &[]).await;
    assert_eq!(empty.error(), (422, "form_param_missing".to_owned()));
    app.close().await;
}

#[tokio::test]
async fn a_trip_runs_out_of_time() {
    let app = TestApp::new().await;
    let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
    let browser = app.browser();
    let request = idp.receive(&begin_sign_in(&browser, "alice@acme.test").await);
    app.advance(21 * 60 * 1000);
    let response = idp.respond(&app, &request, &alice(), |_| {});
    let relay_state = request.relay_state.clone().unwrap();
    let late =
        browser.post_cross_site(idp.acs_url(), &[("SAMLResponse", &response), ("RelayState", &relay_state)]).await;
    assert_eq!(late.error(), (401, "saml_response_invalid".to_owned()));
    app.close().await;
}

/// Two hostile tenants with the same entity id and the same subjects (RELIABILITY §2c, §4.4).
#[tokio::test]
async fn wire6_one_organizations_idp_cannot_sign_in_at_another() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme"})).await;
        let evil = organization(&app, json!({"name": "Evil"})).await;
        let mut honest = TestIdp::connect(&app, "acme.test", Some(&acme), 0).await;
        let mut hostile = TestIdp::connect(&app, "evil.test", Some(&evil), 1).await;
        for idp in [&mut honest, &mut hostile] {
            idp.entity_id = "https://same.test/idp".into();
            let path = format!("/v1/enterprise_connections/{}", idp.connection_id());
            app.backend(Method::PATCH, &path, json!({"saml": {"idp_entity_id": "https://same.test/idp"}})).await.ok();
        }
        honest.sign_in(&app, &app.browser(), "alice@acme.test", &alice()).await;

        // Posted to the honest connection's ACS for a sign-in there, but signed by the other IdP.
        let browser = app.browser();
        let request = honest.receive(&begin_sign_in(&browser, "alice@acme.test").await);
        let acs_url: &'static str = honest.acs_url().to_owned().leak();
        let audience: &'static str = honest.sp_entity_id().to_owned().leak();
        let forged = hostile.respond(&app, &request, &alice(), |response| {
            response.acs_url = acs_url;
            response.audience = audience;
        });
        let relay_state = request.relay_state.clone().unwrap();
        let form = [("SAMLResponse", forged.as_str()), ("RelayState", relay_state.as_str())];
        let posted = browser.post_cross_site(honest.acs_url(), &form).await;
        browser.visit(posted.location()).await;
        assert_eq!(sign_in_error(&browser).await, "saml_response_invalid");

        // Posted to the hostile connection's own ACS with the RelayState of a sign-in at the honest one.
        let request = honest.receive(&begin_sign_in(&browser, "alice@acme.test").await);
        let crossed = hostile.respond(&app, &request, &alice(), |_| {});
        let relay_state = request.relay_state.clone().unwrap();
        let form = [("SAMLResponse", crossed.as_str()), ("RelayState", relay_state.as_str())];
        let refused = browser.post_cross_site(hostile.acs_url(), &form).await;
        assert_eq!(refused.error(), (401, "saml_response_invalid".to_owned()));

        // Its own sign-in, its own signature, somebody else's address: a connection vouches for its own domains only.
        let foreign = hostile.sign_in(&app, &app.browser(), "mallory@evil.test", &alice()).await;
        assert_eq!(foreign.location(), "https://app.example.com/sso-callback");

        // Its own sign-in and domain with the subject the honest IdP uses: another identity.
        let mut same_subject = Identity::new("mallory@evil.test", "M", "M");
        same_subject.subject = alice().subject;
        let own = app.browser();
        hostile.sign_in(&app, &own, "mallory@evil.test", &same_subject).await;
        let client = client(&own).await;
        assert_eq!(client["sessions"][0]["user"]["email_addresses"][0]["email_address"], "mallory@evil.test");
        assert_eq!(members(&app, &acme).await.len(), 1);
        assert_eq!(members(&app, &evil).await.len(), 1);
        app.close().await;
    }
}

#[tokio::test]
async fn sml15_sml16_attributes_and_domains_are_checked_and_the_failure_is_kept() {
    let app = TestApp::new().await;
    let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
    let mut without_mail = alice();
    without_mail.attributes.retain(|(name, _)| name != "mail");
    let mut two = alice();
    two.attributes[0].1.push("bob@acme.test".into());
    let cases = [
        (without_mail, "saml_user_attribute_missing"),
        (two, "saml_user_attribute_missing"),
        (Identity::new("alice@globex.test", "A", "A"), "saml_email_address_domain_mismatch"),
        (Identity::new("alice@eu.acme.test", "A", "A"), "saml_email_address_domain_mismatch"),
        (Identity::new("alice@acme.test.evil.test", "A", "A"), "saml_email_address_domain_mismatch"),
    ];
    for (identity, code) in cases {
        let browser = app.browser();
        let back = idp.sign_in(&app, &browser, "alice@acme.test", &identity).await;
        assert_eq!(back.location(), "https://app.example.com/sso-callback");
        assert_eq!(sign_in_error(&browser).await, code);
        // The page clears the error by an empty sign-in.
        let cleared = browser.post("/v1/client/sign_ins", &[]).await.ok();
        assert_eq!(cleared["response"]["status"], "needs_identifier");
        assert_eq!(cleared["response"]["first_factor_verification"], Value::Null);
    }
    assert!(users(&app).await.is_empty());
    app.close().await;
}

#[tokio::test]
async fn lnk2_an_existing_user_with_the_verified_address_is_linked() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme"})).await;
        let idp = TestIdp::connect(&app, "acme.test", Some(&acme), 0).await;
        let made = app.backend(Method::POST, "/v1/users", json!({"email_address": ["alice@acme.test"]})).await.ok();
        let browser = app.browser();
        idp.sign_in(&app, &browser, "alice@acme.test", &alice()).await;
        assert_eq!(client(&browser).await["sessions"][0]["user"]["id"], made["id"]);
        assert_eq!(users(&app).await.len(), 1);
        app.close().await;
    }
}

#[tokio::test]
async fn lnk4_an_unverified_address_of_somebody_else_is_not_linked() {
    let app = TestApp::new().await;
    let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
    let reserved = json!({"email_address": ["alice@acme.test"], "email_address_identification_status": ["reserved"]});
    let squatter = app.backend(Method::POST, "/v1/users", reserved).await.ok();
    let browser = app.browser();
    idp.sign_in(&app, &browser, "alice@acme.test", &alice()).await;
    assert_ne!(client(&browser).await["sessions"][0]["user"]["id"], squatter["id"]);
    assert_eq!(users(&app).await.len(), 2);
    app.close().await;
}

#[tokio::test]
async fn mem3_without_jit_strangers_are_refused_and_users_sign_in() {
    let app = TestApp::new().await;
    let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
    let path = format!("/v1/enterprise_connections/{}", idp.connection_id());
    app.backend(Method::PATCH, &path, json!({"disable_jit_provisioning": true})).await.ok();
    let browser = app.browser();
    idp.sign_in(&app, &browser, "alice@acme.test", &alice()).await;
    assert_eq!(sign_in_error(&browser).await, "saml_jit_provisioning_disabled");
    assert!(users(&app).await.is_empty());
    app.backend(Method::POST, "/v1/users", json!({"email_address": ["alice@acme.test"]})).await.ok();
    let done = idp.sign_in(&app, &app.browser(), "alice@acme.test", &alice()).await;
    assert_eq!(done.location(), "https://app.example.com/done");
    app.close().await;
}

#[tokio::test]
async fn mem4_q8_a_full_organization_turns_newcomers_away_and_makes_no_user() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme", "max_allowed_memberships": 1})).await;
        let idp = TestIdp::connect(&app, "acme.test", Some(&acme), 0).await;
        idp.sign_in(&app, &app.browser(), "alice@acme.test", &alice()).await;
        let browser = app.browser();
        let bob = Identity::new("bob@acme.test", "Bob", "B");
        idp.sign_in(&app, &browser, "bob@acme.test", &bob).await;
        assert_eq!(sign_in_error(&browser).await, "organization_membership_quota_exceeded_for_sso");
        assert_eq!(users(&app).await.len(), 1);
        // a member comes back although there is no seat left.
        let done = idp.sign_in(&app, &app.browser(), "alice@acme.test", &alice()).await;
        assert_eq!(done.location(), "https://app.example.com/done");
        app.close().await;
    }
}

#[tokio::test]
async fn mem8_a_removed_member_comes_back_at_the_next_sign_in() {
    let app = TestApp::new().await;
    let acme = organization(&app, json!({"name": "Acme"})).await;
    let idp = TestIdp::connect(&app, "acme.test", Some(&acme), 0).await;
    let browser = app.browser();
    idp.sign_in(&app, &browser, "alice@acme.test", &alice()).await;
    let user = client(&browser).await["sessions"][0]["user"]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/organizations/{acme}/memberships/{user}");
    app.backend(Method::DELETE, &path, Value::Null).await.ok();
    assert!(members(&app, &acme).await.is_empty());
    assert_eq!(client(&browser).await["sessions"][0]["last_active_organization_id"], Value::Null);
    idp.sign_in(&app, &app.browser(), "alice@acme.test", &alice()).await;
    assert_eq!(members(&app, &acme).await.len(), 1);
    app.close().await;
}

#[tokio::test]
async fn mem12_moving_a_connection_leaves_old_members_and_brings_them_to_the_new_organization() {
    for app in TestApp::on_each_database().await {
        let (old, new) =
            (organization(&app, json!({"name": "Old"})).await, organization(&app, json!({"name": "New"})).await);
        let idp = TestIdp::connect(&app, "acme.test", Some(&old), 0).await;
        idp.sign_in(&app, &app.browser(), "alice@acme.test", &alice()).await;
        let path = format!("/v1/enterprise_connections/{}", idp.connection_id());
        app.backend(Method::PATCH, &path, json!({"organization_id": new})).await.ok();
        assert_eq!((members(&app, &old).await.len(), members(&app, &new).await.len()), (1, 0));
        let browser = app.browser();
        idp.sign_in(&app, &browser, "alice@acme.test", &alice()).await;
        assert_eq!((members(&app, &old).await.len(), members(&app, &new).await.len()), (1, 1));
        let session = client(&browser).await["sessions"][0].clone();
        assert_eq!(session["last_active_organization_id"], json!(new));
        // MEM-9: not out of the one she came through; MEM-13: out of the old one.
        let leave = |id: &str| format!("/v1/me/organization_memberships/{id}?_method=DELETE");
        let refused = browser.post(&leave(&new), &[]).await;
        assert_eq!(refused.error(), (403, "organization_membership_enterprise_connection_cannot_remove".to_owned()));
        browser.post(&leave(&old), &[]).await.ok();
        assert_eq!((members(&app, &old).await.len(), members(&app, &new).await.len()), (0, 1));
        app.close().await;
    }
}

#[tokio::test]
async fn a_connection_switched_off_meanwhile_signs_nobody_in() {
    let app = TestApp::new().await;
    let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
    let path = format!("/v1/enterprise_connections/{}", idp.connection_id());
    // Between the request and the response.
    let browser = app.browser();
    let redirect = begin_sign_in(&browser, "alice@acme.test").await;
    app.backend(Method::PATCH, &path, json!({"active": false})).await.ok();
    idp.answer(&app, &browser, &redirect, &alice()).await;
    assert_eq!(sign_in_error(&browser).await, "saml_connection_active_not_found");
    // Between the response and the browser's return.
    app.backend(Method::PATCH, &path, json!({"active": true})).await.ok();
    let request = idp.receive(&begin_sign_in(&browser, "alice@acme.test").await);
    let response = idp.respond(&app, &request, &alice(), |_| {});
    let relay_state = request.relay_state.clone().unwrap();
    let posted =
        browser.post_cross_site(idp.acs_url(), &[("SAMLResponse", &response), ("RelayState", &relay_state)]).await;
    app.backend(Method::PATCH, &path, json!({"active": false})).await.ok();
    browser.visit(posted.location()).await;
    assert_eq!(sign_in_error(&browser).await, "saml_connection_active_not_found");
    assert!(users(&app).await.is_empty());
    app.close().await;
}

#[tokio::test]
async fn banned_and_locked_users_do_not_sign_in_and_a_ban_ends_sessions() {
    let app = TestApp::new().await;
    let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
    let browser = app.browser();
    idp.sign_in(&app, &browser, "alice@acme.test", &alice()).await;
    let session = client(&browser).await["sessions"][0].clone();
    let user = session["user"]["id"].as_str().unwrap().to_owned();
    let tokens = format!("/v1/client/sessions/{}/tokens", session["id"].as_str().unwrap());
    for (action, undo, code) in [("ban", "unban", "user_banned"), ("lock", "unlock", "user_locked")] {
        browser.post(&tokens, &[]).await.ok();
        app.backend(Method::POST, &format!("/v1/users/{user}/{action}"), Value::Null).await.ok();
        assert_eq!(browser.post(&tokens, &[]).await.error(), (401, "signed_out".to_owned()));
        let other = app.browser();
        idp.sign_in(&app, &other, "alice@acme.test", &alice()).await;
        assert_eq!(sign_in_error(&other).await, code);
        app.backend(Method::POST, &format!("/v1/users/{user}/{undo}"), Value::Null).await.ok();
        if action == "ban" {
            let still_out = browser.post(&tokens, &[]).await;
            assert_eq!(still_out.error(), (401, "signed_out".to_owned()), "the ban ended the session for good");
            browser.post("/v1/client?_method=DELETE", &[]).await.ok();
            break;
        }
    }
    app.close().await;
}

#[tokio::test]
async fn dec15_a_sign_up_of_somebody_with_an_account_is_transferred_to_a_sign_in() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme"})).await;
        let idp = TestIdp::connect(&app, "acme.test", Some(&acme), 0).await;
        idp.sign_in(&app, &app.browser(), "alice@acme.test", &alice()).await;
        let browser = app.browser();
        let redirect = begin_sign_up(&browser, "alice@acme.test").await;
        let back = idp.answer(&app, &browser, &redirect, &alice()).await;
        assert_eq!(back.location(), "https://app.example.com/sso-callback");
        let sign_up = client(&browser).await["sign_up"].clone();
        let verification = &sign_up["verifications"]["external_account"];
        assert_eq!(verification["status"], "transferable");
        assert_eq!(verification["error"]["code"], "external_account_exists");
        let stranger = app.browser().post("/v1/client/sign_ins", &[("transfer", "true")]).await;
        assert_eq!(stranger.error(), (400, "account_transfer_invalid".to_owned()));
        let transferred = browser.post("/v1/client/sign_ins", &[("transfer", "true")]).await.ok();
        assert_eq!(transferred["response"]["status"], "complete");
        assert_eq!(transferred["client"]["sessions"][0]["id"], transferred["response"]["created_session_id"]);
        assert_eq!(users(&app).await.len(), 1);
        let again = browser.post("/v1/client/sign_ins", &[("transfer", "true")]).await;
        assert_eq!(again.error(), (400, "account_transfer_invalid".to_owned()));
        app.close().await;
    }
}

#[tokio::test]
async fn dec15_a_sign_up_by_a_key_removed_meanwhile_does_not_learn_that_there_is_an_account() {
    for app in TestApp::on_each_database().await {
        let old = TestIdp::connect(&app, "acme.test", None, 0).await;
        old.sign_in(&app, &app.browser(), "alice@acme.test", &alice()).await;
        let mut learned = Vec::new();
        for email in ["alice@acme.test", "nobody@acme.test"] {
            change(&app, &old, json!({"saml": {"idp_certificates": [old.certificate().pem()]}})).await;
            let browser = app.browser();
            let request = old.receive(&begin_sign_up(&browser, email).await);
            let response = old.respond(&app, &request, &Identity::new(email, "A", "B"), |_| {});
            let relay_state = request.relay_state.unwrap();
            let form = [("SAMLResponse", response.as_str()), ("RelayState", relay_state.as_str())];
            let posted = browser.post_cross_site(old.acs_url(), &form).await;
            let new = old.with_other_key(1);
            change(&app, &old, json!({"saml": {"idp_certificates": [new.certificate().pem()]}})).await;
            browser.visit(posted.location()).await;
            let verification = client(&browser).await["sign_up"]["verifications"]["external_account"].clone();
            learned.push((verification["status"].clone(), verification["error"]["code"].clone()));
        }
        assert_eq!(learned[0], (json!("failed"), json!("saml_response_invalid")));
        assert_eq!(learned[0], learned[1]);
        app.close().await;
    }
}

async fn begin_sign_up(browser: &Browser<'_>, email: &str) -> String {
    let created = browser.post("/v1/client/sign_ups", &[("email_address", email)]).await.ok();
    assert_eq!(created["response"]["status"], "missing_requirements");
    assert_eq!(created["response"]["missing_fields"], json!(["enterprise_sso"]));
    let path = format!("/v1/client/sign_ups/{}?_method=PATCH", created["response"]["id"].as_str().unwrap());
    let form = [
        ("strategy", "enterprise_sso"),
        ("redirect_url", "https://app.example.com/sso-callback"),
        ("action_complete_redirect_url", "https://app.example.com/done"),
    ];
    let updated = browser.post(&path, &form).await.ok();
    let verification = &updated["response"]["verifications"]["external_account"];
    verification["external_verification_redirect_url"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn dec10_a_sign_up_through_the_connection_makes_a_member() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme"})).await;
        let idp = TestIdp::connect(&app, "acme.test", Some(&acme), 0).await;
        let browser = app.browser();
        let redirect = begin_sign_up(&browser, "alice@acme.test").await;
        let done = idp.answer(&app, &browser, &redirect, &alice()).await;
        assert_eq!(done.location(), "https://app.example.com/done");
        assert_eq!(members(&app, &acme).await.len(), 1);
        app.close().await;
    }
}

#[tokio::test]
async fn dec11_dec23_without_a_connection_nobody_signs_up() {
    let app = TestApp::new().await;
    let plain = app.browser().post("/v1/client/sign_ups", &[("email_address", "who@other.test")]).await;
    assert_eq!(plain.error(), (403, "sign_up_mode_restricted".to_owned()));
    let form = [("email_address", "who@other.test"), ("strategy", "enterprise_sso")];
    let sso = app.browser().post("/v1/client/sign_ups", &form).await;
    assert_eq!(sso.error(), (422, "enterprise_sso_sign_up_connection_missing".to_owned()));
    let transfer = app.browser().post("/v1/client/sign_ups", &[("transfer", "true")]).await;
    assert_eq!(transfer.error(), (400, "account_transfer_invalid".to_owned()));
    app.close().await;
}

#[tokio::test]
async fn dec29_another_browsers_attempts_and_sessions_do_not_exist() {
    let app = TestApp::new().await;
    let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
    let (owner, other) = (app.browser(), app.browser());
    let created = owner.post("/v1/client/sign_ins", &[("identifier", "bob@acme.test")]).await.ok();
    let sign_in = created["response"]["id"].as_str().unwrap().to_owned();
    let created = owner.post("/v1/client/sign_ups", &[("email_address", "bob@acme.test")]).await.ok();
    let sign_up = created["response"]["id"].as_str().unwrap().to_owned();
    idp.sign_in(&app, &owner, "alice@acme.test", &alice()).await;
    let session = client(&owner).await["sessions"][0]["id"].as_str().unwrap().to_owned();
    other.post("/v1/client?_method=PUT", &[]).await.ok();
    let form = [("strategy", "enterprise_sso"), ("redirect_url", "https://app.example.com/x")];
    let stranger = app.browser();
    for browser in [&other, &stranger] {
        let is_known = browser.cookie("__client").is_some();
        let expected = if is_known { (404, "resource_not_found".to_owned()) } else { (401, "signed_out".to_owned()) };
        for path in [
            format!("/v1/client/sign_ins/{sign_in}"),
            format!("/v1/client/sign_ups/{sign_up}"),
            format!("/v1/client/sessions/{session}"),
        ] {
            assert_eq!(browser.get(&path).await.error(), expected, "{path}");
        }
        for path in [
            format!("/v1/client/sign_ins/{sign_in}/prepare_first_factor"),
            format!("/v1/client/sign_ups/{sign_up}?_method=PATCH"),
            format!("/v1/client/sessions/{session}/tokens"),
            format!("/v1/client/sessions/{session}/touch"),
            format!("/v1/client/sessions/{session}/end"),
            format!("/v1/client/sessions/{session}/remove"),
        ] {
            assert_eq!(browser.post(&path, &form).await.error(), expected, "{path}");
        }
        assert_eq!(browser.get("/v1/me").await.error(), (401, "signed_out".to_owned()));
        let memberships = browser.get("/v1/me/organization_memberships").await;
        assert_eq!(memberships.error(), (401, "signed_out".to_owned()));
        let leave = browser.post("/v1/me/organization_memberships/org_x?_method=DELETE", &[]).await;
        assert_eq!(leave.error(), (401, "signed_out".to_owned()));
    }
    app.close().await;
}

#[tokio::test]
async fn two_nodes_on_one_database_serve_one_instance() {
    for first in TestApp::on_each_database().await {
        let second = first.second_node().await;
        let acme = organization(&first, json!({"name": "Acme"})).await;
        let idp = TestIdp::connect(&second, "acme.test", Some(&acme), 0).await;
        // Begun at one node, answered at the other, finished at the first, used at the second.
        let browser = first.browser();
        let request = idp.receive(&begin_sign_in(&browser, "alice@acme.test").await);
        let response = idp.respond(&second, &request, &alice(), |_| {});
        let relay_state = request.relay_state.clone().unwrap();
        let form = [("SAMLResponse", response.as_str()), ("RelayState", relay_state.as_str())];
        let posted = browser.on(&second).post_cross_site(idp.acs_url(), &form).await;
        let replayed = browser.post_cross_site(idp.acs_url(), &form).await;
        assert_eq!(replayed.error(), (401, "saml_response_invalid".to_owned()), "the other node remembers");
        assert_eq!(browser.visit(posted.location()).await.location(), "https://app.example.com/done");
        let there = client(&browser.on(&second)).await;
        assert_eq!(there["sessions"][0]["last_active_organization_id"], json!(acme));
        let keys = [&first, &second].map(|node| node.app.signing_keys.jwks());
        assert_eq!(keys[0], keys[1]);
        second.close().await;
        first.close().await;
    }
}

#[tokio::test]
async fn q8_people_who_arrive_together_never_oversell_the_last_seat() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme", "max_allowed_memberships": 3})).await;
        let idp = TestIdp::connect(&app, "acme.test", Some(&acme), 0).await;
        let people: Vec<String> = (0..8).map(|n| format!("p{n}@acme.test")).collect();
        let browsers: Vec<Browser<'_>> = people.iter().map(|_| app.browser()).collect();
        let mut finishes = Vec::new();
        for (email, browser) in people.iter().zip(&browsers) {
            let request = idp.receive(&begin_sign_in(browser, email).await);
            let response = idp.respond(&app, &request, &Identity::new(email, "P", "P"), |_| {});
            let relay_state = request.relay_state.clone().unwrap();
            let form = [("SAMLResponse", response.as_str()), ("RelayState", relay_state.as_str())];
            finishes.push(browser.post_cross_site(idp.acs_url(), &form).await.location().to_owned());
        }
        let arrivals = browsers.iter().zip(&finishes).map(|(browser, finish)| browser.visit(finish));
        let arrived = futures_util::future::join_all(arrivals).await;
        let seated = arrived.iter().filter(|answer| answer.location() == "https://app.example.com/done").count();
        assert_eq!((seated, members(&app, &acme).await.len(), users(&app).await.len()), (3, 3, 3));
        app.close().await;
    }
}

#[tokio::test]
async fn a_repointed_connection_does_not_hand_over_its_former_users() {
    let app = TestApp::new().await;
    let acme = organization(&app, json!({"name": "Acme"})).await;
    let globex = organization(&app, json!({"name": "Globex"})).await;
    let idp = TestIdp::connect(&app, "acme.test", Some(&acme), 0).await;
    idp.sign_in(&app, &app.browser(), "alice@acme.test", &alice()).await;
    let path = format!("/v1/enterprise_connections/{}", idp.connection_id());
    let change = json!({"domains": ["globex.test"], "organization_id": globex});
    app.backend(Method::PATCH, &path, change).await.ok();
    let mut same_subject = Identity::new("mallory@globex.test", "M", "M");
    same_subject.subject = alice().subject;
    let browser = app.browser();
    idp.sign_in(&app, &browser, "mallory@globex.test", &same_subject).await;
    assert_eq!(sign_in_error(&browser).await, "saml_email_address_domain_mismatch");
    assert!(members(&app, &globex).await.is_empty());
    app.close().await;
}

#[tokio::test]
async fn what_an_idp_sends_is_bounded_and_does_not_pile_up() {
    for app in TestApp::on_each_database().await {
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        let large = |key: &str, size: usize| (format!("public_metadata_{key}"), vec!["x".repeat(size)]);
        let mut long_subject = alice();
        long_subject.subject = "s".repeat(5000);
        let mut long_name = alice();
        long_name.attributes[1].1 = vec!["n".repeat(5000)];
        let mut much = alice();
        much.attributes.push(large("a", 9000));
        for identity in [long_subject, long_name, much] {
            let browser = app.browser();
            idp.sign_in(&app, &browser, "alice@acme.test", &identity).await;
            assert_eq!(sign_in_error(&browser).await, "saml_response_invalid");
        }
        // Each sign-in fits; together they do not.
        for (key, fits) in [("a", true), ("b", false)] {
            let mut identity = alice();
            identity.attributes.push(large(key, 5000));
            let done = idp.sign_in(&app, &app.browser(), "alice@acme.test", &identity).await;
            assert_eq!(done.location() == "https://app.example.com/done", fits, "{key}");
        }
        app.close().await;
    }
}

#[tokio::test]
async fn what_changes_between_answer_and_return_counts() {
    let app = TestApp::new().await;
    let other_certificate = TestIdp::connect(&app, "else.test", None, 1).await.certificate().pem();
    for change in [
        json!({"authenticatable": false}),
        json!({"domains": ["other.test"]}),
        json!({"saml": {"idp_certificate": other_certificate}}),
        json!({"saml": {"idp_entity_id": "https://other.test"}}),
        json!({"saml": {"force_authn": true}}),
    ] {
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        let browser = app.browser();
        let request = idp.receive(&begin_sign_in(&browser, "alice@acme.test").await);
        let response = idp.respond(&app, &request, &alice(), |_| {});
        let relay_state = request.relay_state.clone().unwrap();
        let form = [("SAMLResponse", response.as_str()), ("RelayState", relay_state.as_str())];
        let posted = browser.post_cross_site(idp.acs_url(), &form).await;
        let path = format!("/v1/enterprise_connections/{}", idp.connection_id());
        app.backend(Method::PATCH, &path, change).await.ok();
        browser.visit(posted.location()).await;
        assert!(client(&browser).await["sessions"].as_array().unwrap().is_empty());
        app.backend(Method::DELETE, &path, Value::Null).await.ok();
    }
    assert!(users(&app).await.is_empty());
    app.close().await;
}

#[tokio::test]
async fn con18_a_fresh_sign_in_that_was_asked_for_must_be_fresh() {
    let app = TestApp::new().await;
    let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
    let path = format!("/v1/enterprise_connections/{}", idp.connection_id());
    app.backend(Method::PATCH, &path, json!({"saml": {"force_authn": true}})).await.ok();
    for (age, accepted) in [(3_600_000, false), (0, true)] {
        let browser = app.browser();
        let request = idp.receive(&begin_sign_in(&browser, "alice@acme.test").await);
        assert!(request.force_authn);
        let authenticated_at = app.now() - age;
        let response = idp.respond(&app, &request, &alice(), |response| response.authn_instant_ms = authenticated_at);
        let relay_state = request.relay_state.clone().unwrap();
        let form = [("SAMLResponse", response.as_str()), ("RelayState", relay_state.as_str())];
        let posted = browser.post_cross_site(idp.acs_url(), &form).await;
        browser.visit(posted.location()).await;
        let sessions = client(&browser).await["sessions"].as_array().unwrap().len();
        assert_eq!(sessions == 1, accepted, "{age}");
    }
    app.close().await;
}
