//! Organizations whose identity providers do not wish each other well (RELIABILITY §2c, §4.4, §4.6), and what is left of
//! somebody who is deleted.

use super::support::{Trip, alice, change, client, footprint, members, organization, users};
use crate::testing::{Browser, Identity, TestApp, TestIdp, begin_sign_in};
use axum::http::Method;
use serde_json::{Value, json};

/// Two organizations behind one identity provider: one entity id, one key, one subject for each person.
async fn shared(app: &TestApp) -> [(String, TestIdp); 2] {
    let mut tenants = Vec::new();
    for (name, domain) in [("Acme", "acme.test"), ("Globex", "globex.test")] {
        let organization = organization(app, json!({ "name": name })).await;
        let mut idp = TestIdp::connect(app, domain, Some(&organization), 0).await;
        idp.entity_id = "https://shared.test/idp".into();
        change(app, &idp, json!({"saml": {"idp_entity_id": idp.entity_id, "allow_idp_initiated": true}})).await;
        tenants.push((organization, idp));
    }
    tenants.try_into().unwrap_or_else(|_| unreachable!())
}

fn person(email: &str) -> Identity {
    Identity { subject: "the same for all".into(), ..Identity::new(email, "P", "P") }
}

#[tokio::test]
async fn wire6_what_a_shared_identity_provider_says_to_one_organization_is_nothing_to_another() {
    for app in TestApp::on_each_database().await {
        let [(acme, at_acme), (globex, at_globex)] = shared(&app).await;
        let before = footprint(&app).await;
        let invalid = (401, "saml_response_invalid".to_owned());
        // Genuine for one, delivered at the other, for a sign-in there.
        let trip = Trip::begin(&app, &at_acme, "alice@acme.test").await;
        let genuine = at_globex.respond(&app, &trip.request, &person("alice@acme.test"), |_| {});
        let error = trip.deliver(at_acme.acs_url(), &genuine).await.unwrap_err();
        assert!(error.0 == "saml_response_invalid" && error.1.contains("expected"), "{error:?}");
        // For a sign-in at the one, at the ACS of the other; then unasked.
        let trip = Trip::begin(&app, &at_acme, "alice@acme.test").await;
        let genuine = at_acme.respond(&app, &trip.request, &person("alice@acme.test"), |_| {});
        assert_eq!(trip.post(at_globex.acs_url(), &genuine).await.error(), invalid);
        let unasked = at_acme.respond_unsolicited(&app, &person("alice@acme.test"));
        let refused = app.browser().post_cross_site(at_globex.acs_url(), &[("SAMLResponse", &unasked)]).await;
        assert_eq!(refused.error(), invalid);
        assert!(refused.text.contains("expected"), "{}", refused.text);
        assert_eq!(footprint(&app).await, before);
        // The sign-in still waits for its own; the same subject at the other is another person.
        trip.deliver(at_acme.acs_url(), &genuine).await.unwrap();
        at_globex.sign_in(&app, &app.browser(), "bob@globex.test", &person("bob@globex.test")).await;
        let of = async |id: &str| members(&app, id).await.into_iter().map(|(email, _)| email).collect::<Vec<_>>();
        assert_eq!(of(&acme).await, ["alice@acme.test"]);
        assert_eq!(of(&globex).await, ["bob@globex.test"]);
        assert_eq!(users(&app).await.len(), 2);
        app.close().await;
    }
}

#[tokio::test]
async fn dec5_a_connection_of_another_domain_cannot_be_chosen() {
    for app in TestApp::on_each_database().await {
        let [(_, at_acme), (_, at_globex)] = shared(&app).await;
        let before = footprint(&app).await;
        let missing = (404, "resource_not_found".to_owned());
        let browser = app.browser();
        let created = browser.post("/v1/client/sign_ins", &[("identifier", "alice@acme.test")]).await.ok();
        let path = format!("/v1/client/sign_ins/{}/prepare_first_factor", created["response"]["id"].as_str().unwrap());
        let form = |id| {
            [
                ("strategy", "enterprise_sso"),
                ("redirect_url", "https://app.example.com/x"),
                ("enterprise_connection_id", id),
            ]
        };
        let refused = browser.post(&path, &form(at_globex.connection_id())).await;
        assert_eq!(refused.error(), missing);
        let identifier = [("identifier", "alice@acme.test")];
        let at_once =
            browser.post("/v1/client/sign_ins", &[&identifier[..], &form(at_globex.connection_id())].concat()).await;
        assert_eq!(at_once.error(), missing);
        let sign_up = [&[("email_address", "alice@acme.test")][..], &form(at_globex.connection_id())].concat();
        assert_eq!(app.browser().post("/v1/client/sign_ups", &sign_up).await.error(), missing);
        browser.post(&path, &form(at_acme.connection_id())).await.ok();
        assert_eq!(footprint(&app).await, before);
        app.close().await;
    }
}

/// A connection may answer with another person than the one who was typed, but only with its own.
#[tokio::test]
async fn sml16_nobody_joins_or_is_linked_by_an_address_beyond_the_domains_of_the_connection() {
    for app in TestApp::on_each_database().await {
        let evil = organization(&app, json!({"name": "Evil"})).await;
        let idp = TestIdp::connect(&app, "evil.test", Some(&evil), 1).await;
        change(&app, &idp, json!({"saml": {"allow_idp_initiated": true}})).await;
        // Victims: with an account, with a reserved one, with an account through a connection of their own, and with none.
        app.backend(Method::POST, "/v1/users", json!({"email_address": ["admin@other.test"]})).await.ok();
        let reserved =
            json!({"email_address": ["new@other.test"], "email_address_identification_status": ["reserved"]});
        app.backend(Method::POST, "/v1/users", reserved).await.ok();
        let acme = organization(&app, json!({"name": "Acme"})).await;
        let honest = TestIdp::connect(&app, "acme.test", Some(&acme), 0).await;
        honest.sign_in(&app, &app.browser(), "alice@acme.test", &alice()).await;
        let before = footprint(&app).await;
        for victim in ["admin@other.test", "new@other.test", "alice@acme.test", "nobody@acme.test", "who@gmail.com"] {
            let identity = Identity { subject: alice().subject, ..Identity::new(victim, "E", "E") };
            let trip = Trip::begin(&app, &idp, "mallory@evil.test").await;
            let response = idp.respond(&app, &trip.request, &identity, |_| {});
            let error = trip.deliver(idp.acs_url(), &response).await.expect_err(victim);
            assert_eq!(error.0, "saml_email_address_domain_mismatch", "{victim}");
            let unasked = idp.respond_unsolicited(&app, &identity);
            let refused = app.browser().post_cross_site(idp.acs_url(), &[("SAMLResponse", &unasked)]).await;
            assert_eq!(refused.error(), (400, "saml_email_address_domain_mismatch".to_owned()), "{victim}");
            // By a sign-up, too.
            let browser = app.browser();
            let form = [
                ("email_address", "mallory@evil.test"),
                ("strategy", "enterprise_sso"),
                ("redirect_url", "https://app.example.com/x"),
            ];
            let created = browser.post("/v1/client/sign_ups", &form).await.ok();
            let url = &created["response"]["verifications"]["external_account"]["external_verification_redirect_url"];
            idp.answer(&app, &browser, url.as_str().unwrap(), &identity).await;
            let verification = &client(&browser).await["sign_up"]["verifications"]["external_account"];
            assert_eq!(verification["error"]["code"], "saml_email_address_domain_mismatch", "{victim}");
            assert_eq!(footprint(&app).await, before, "{victim}");
        }
        app.close().await;
    }
}

#[tokio::test]
async fn con31_lnk6_who_is_deleted_comes_back_as_somebody_else_without_the_former_organizations() {
    for app in TestApp::on_each_database().await {
        let former = organization(&app, json!({"name": "Former"})).await;
        let acme = organization(&app, json!({"name": "Acme"})).await;
        let idp = TestIdp::connect(&app, "acme.test", Some(&former), 0).await;
        let browser = app.browser();
        idp.sign_in(&app, &browser, "alice@acme.test", &alice()).await;
        change(&app, &idp, json!({"organization_id": acme})).await;
        idp.sign_in(&app, &app.browser(), "alice@acme.test", &alice()).await;
        let id = users(&app).await[0]["id"].as_str().unwrap().to_owned();
        let admin = json!({"role": "org:admin"});
        app.backend(Method::PATCH, &format!("/v1/organizations/{acme}/memberships/{id}"), admin).await.ok();
        app.backend(Method::DELETE, &format!("/v1/users/{id}"), Value::Null).await.ok();
        assert_eq!((members(&app, &former).await.len(), members(&app, &acme).await.len()), (0, 0));
        // Whoever now has the subject and the address: nothing of hers, at no organization.
        app.advance(1000);
        let newcomer = app.browser();
        idp.sign_in(&app, &newcomer, "alice@acme.test", &alice()).await;
        let user = client(&newcomer).await["sessions"][0]["user"].clone();
        assert_ne!(user["id"], json!(id));
        assert_eq!(user["organization_memberships"].as_array().unwrap().len(), 1);
        assert_eq!(members(&app, &acme).await, [("alice@acme.test".to_owned(), "org:member".to_owned())]);
        assert!(members(&app, &former).await.is_empty());
        // Her old browser is nobody's.
        assert_eq!(client(&browser).await["sessions"].as_array().map(Vec::len).unwrap_or_default(), 0);
        app.close().await;
    }
}

#[tokio::test]
async fn con34_lnk6_a_connection_made_anew_inherits_no_accounts_by_subject() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme"})).await;
        let idp = TestIdp::connect(&app, "acme.test", Some(&acme), 0).await;
        idp.sign_in(&app, &app.browser(), "alice@acme.test", &alice()).await;
        let path = format!("/v1/enterprise_connections/{}", idp.connection_id());
        app.backend(Method::DELETE, &path, Value::Null).await.ok();
        let globex = organization(&app, json!({"name": "Globex"})).await;
        let mut heir = TestIdp::connect(&app, "globex.test", Some(&globex), 0).await;
        heir.entity_id.clone_from(&idp.entity_id);
        change(&app, &heir, json!({"saml": {"idp_entity_id": heir.entity_id}})).await;
        let same = Identity { subject: alice().subject, ..Identity::new("mallory@globex.test", "M", "M") };
        let browser = app.browser();
        heir.sign_in(&app, &browser, "mallory@globex.test", &same).await;
        let user = client(&browser).await["sessions"][0]["user"].clone();
        assert_eq!(user["email_addresses"][0]["email_address"], "mallory@globex.test");
        assert_eq!(user["organization_memberships"][0]["organization"]["id"], json!(globex));
        assert_eq!(users(&app).await.len(), 2);
        app.close().await;
    }
}

/// RELIABILITY §2d: no other way in is left open, for an address, a second one of the same person, a name, or a new account.
#[tokio::test]
async fn dec4_dec11_no_other_strategy_signs_anybody_in_or_up() {
    const STRATEGIES: [&str; 13] = [
        "password",
        "email_code",
        "email_link",
        "phone_code",
        "passkey",
        "ticket",
        "oauth_google",
        "google_one_tap",
        "reset_password_email_code",
        "web3_metamask_signature",
        "backup_code",
        "totp",
        "admin",
    ];
    const STEPS: [&str; 5] = [
        "attempt_first_factor",
        "attempt_second_factor",
        "attempt_verification",
        "prepare_second_factor",
        "reset_password",
    ];
    let secrets = [("password", "correct horse"), ("code", "424242"), ("ticket", "t"), ("token", "t")];
    for app in TestApp::on_each_database().await {
        let [(_, idp), _] = shared(&app).await;
        idp.sign_in(&app, &app.browser(), "alice@acme.test", &alice()).await;
        let two = json!({"email_address": ["bob@acme.test", "bob@other.test"], "username": "bobby"});
        app.backend(Method::POST, "/v1/users", two).await.ok();
        let before = footprint(&app).await;
        let addresses =
            ["alice@acme.test", "bob@acme.test", "bob@other.test", "bobby", "new@acme.test", "new@other.test"];
        for address in addresses {
            for (path, name, prepare) in [
                ("/v1/client/sign_ins", "identifier", "prepare_first_factor"),
                ("/v1/client/sign_ups", "email_address", "prepare_verification"),
            ] {
                let browser = app.browser();
                // Where an attempt can be begun, it offers SSO or nothing.
                let created = browser.post(path, &[(name, address)]).await;
                let attempt = (created.status == 200).then(|| created.ok()["response"].clone());
                for factor in attempt.iter().flat_map(|attempt| attempt["supported_first_factors"].as_array()).flatten()
                {
                    assert_eq!(factor["strategy"], "enterprise_sso", "{path} {address}");
                }
                for strategy in STRATEGIES {
                    let with = |pair| [&[pair, ("strategy", strategy)][..], &secrets].concat();
                    let refused = browser.post(path, &with((name, address))).await;
                    assert!(refused.status.is_client_error(), "{path} {strategy} {address}: {}", refused.text);
                    let Some(attempt) = &attempt else { continue };
                    for step in [prepare].into_iter().chain(STEPS) {
                        let url = format!("{path}/{}/{step}", attempt["id"].as_str().unwrap());
                        let refused = browser.post(&url, &with(("redirect_url", "https://app.example.com/x"))).await;
                        assert!(refused.status.is_client_error(), "{step} {strategy} {address}: {}", refused.text);
                    }
                }
                let client = client(&browser).await;
                assert!(client.is_null() || client["sessions"] == json!([]), "{path} {address}");
            }
        }
        assert_eq!(footprint(&app).await, before);
        app.close().await;
    }
}

#[tokio::test]
async fn con36_an_inactive_connection_routes_nobody_takes_nothing_in_and_ends_no_session() {
    for app in TestApp::on_each_database().await {
        let [(_, idp), _] = shared(&app).await;
        let signed_in = app.browser();
        idp.sign_in(&app, &signed_in, "bob@acme.test", &Identity::new("bob@acme.test", "B", "B")).await;
        let session = client(&signed_in).await["sessions"][0]["id"].as_str().unwrap().to_owned();
        let trip = Trip::begin(&app, &idp, "alice@acme.test").await;
        let genuine = idp.respond(&app, &trip.request, &alice(), |_| {});
        for off in [json!({"active": false}), json!({"authenticatable": false})] {
            change(&app, &idp, off.clone()).await;
            let before = footprint(&app).await;
            let unasked = idp.respond_unsolicited(&app, &alice());
            let refused = app.browser().post_cross_site(idp.acs_url(), &[("SAMLResponse", &unasked)]).await;
            assert_eq!(refused.error(), (404, "saml_connection_active_not_found".to_owned()), "{off}");
            let created = app.browser().post("/v1/client/sign_ins", &[("identifier", "alice@acme.test")]).await;
            assert_eq!(created.error(), (422, "form_identifier_not_found".to_owned()), "{off}");
            signed_in.post(&format!("/v1/client/sessions/{session}/tokens"), &[]).await.ok();
            assert_eq!(footprint(&app).await, before, "{off}");
            change(&app, &idp, json!({"active": true, "authenticatable": true})).await;
        }
        // Switched on again, what had waited goes on.
        trip.deliver(idp.acs_url(), &genuine).await.unwrap();
        begin_sign_in(&app.browser(), "alice@acme.test").await;
        app.close().await;
    }
}

#[tokio::test]
async fn con34_con35_a_deleted_connection_leaves_people_who_may_leave() {
    for app in TestApp::on_each_database().await {
        let [(acme, idp), _] = shared(&app).await;
        let browser = app.browser();
        idp.sign_in(&app, &browser, "alice@acme.test", &alice()).await;
        let leave = format!("/v1/me/organization_memberships/{acme}?_method=DELETE");
        let refused = browser.post(&leave, &[]).await;
        assert_eq!(refused.error(), (403, "organization_membership_enterprise_connection_cannot_remove".to_owned()));
        let path = format!("/v1/enterprise_connections/{}", idp.connection_id());
        app.backend(Method::DELETE, &path, Value::Null).await.ok();
        assert_eq!(members(&app, &acme).await.len(), 1);
        assert_eq!(users(&app).await[0]["enterprise_accounts"], json!([]));
        browser.post(&leave, &[]).await.ok();
        assert_eq!((members(&app, &acme).await.len(), users(&app).await.len()), (0, 1));
        app.close().await;
    }
}

/// One person in several browsers, through two connections that serve her domain (CON-33), at two nodes, all at once.
#[tokio::test]
async fn lnk1_who_arrives_several_times_at_once_is_one_user_and_one_member() {
    for app in TestApp::on_each_database().await {
        let node = app.second_node().await;
        let acme = organization(&app, json!({"name": "Acme"})).await;
        let beta = organization(&app, json!({"name": "Beta"})).await;
        let first = TestIdp::connect(&app, "acme.test", Some(&acme), 0).await;
        let second = TestIdp::connect(&app, "acme.test", Some(&beta), 1).await;
        let browsers: Vec<Browser<'_>> = (0..8).map(|_| app.browser()).collect();
        let mut finishes = Vec::new();
        for (number, browser) in browsers.iter().enumerate() {
            let idp = if number % 2 == 0 { &first } else { &second };
            let form = [
                ("strategy", "enterprise_sso"),
                ("identifier", "alice@acme.test"),
                ("enterprise_connection_id", idp.connection_id()),
                ("redirect_url", "https://app.example.com/sso-callback"),
                ("action_complete_redirect_url", "https://app.example.com/done"),
            ];
            let created = browser.post("/v1/client/sign_ins", &form).await.ok();
            let url = &created["response"]["first_factor_verification"]["external_verification_redirect_url"];
            let request = idp.receive(url.as_str().unwrap());
            let response = idp.respond(&app, &request, &alice(), |_| {});
            let relay_state = request.relay_state.as_deref().unwrap();
            let form = [("SAMLResponse", response.as_str()), ("RelayState", relay_state)];
            finishes.push(browser.post_cross_site(idp.acs_url(), &form).await.location().to_owned());
        }
        let here_or_there: Vec<Browser<'_>> = browsers
            .iter()
            .enumerate()
            .map(|(number, browser)| browser.on(if number % 4 < 2 { &app } else { &node }))
            .collect();
        let arrivals = here_or_there.iter().zip(&finishes).map(|(browser, finish)| browser.visit(finish));
        for arrived in futures_util::future::join_all(arrivals).await {
            assert_eq!(arrived.location(), "https://app.example.com/done");
        }
        let found = users(&app).await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["enterprise_accounts"].as_array().unwrap().len(), 2);
        assert_eq!((members(&app, &acme).await.len(), members(&app, &beta).await.len()), (1, 1));
        node.close().await;
        app.close().await;
    }
}
