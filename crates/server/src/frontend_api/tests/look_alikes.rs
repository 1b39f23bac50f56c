//! Addresses that look like others (RELIABILITY §2c, §4.6): what an identity provider sends, and what a person types.

use super::support::{Trip, footprint, organization, users};
use crate::testing::{Identity, TestApp, TestIdp, begin_sign_in};
use axum::http::Method;
use serde_json::json;

const MISMATCH: &str = "saml_email_address_domain_mismatch";
const UNREADABLE: &str = "saml_user_attribute_missing";

/// Sent by the identity provider of acme.test, which owns no other domain.
const REFUSED: &[(&str, &str)] = &[
    // Below, above, beside, before and behind.
    ("victim@eu.acme.test", MISMATCH),
    ("victim@test", UNREADABLE),
    ("victim@badacme.test", MISMATCH),
    ("victim@acme.tests", MISMATCH),
    ("victim@acme.test.evil.test", MISMATCH),
    ("victim@acme-test.test", MISMATCH),
    ("victim@acme.test-evil.test", MISMATCH),
    ("victim@xn--acme.test", UNREADABLE),
    // Cyrillic а and е, Greek α, in letters and as it travels; a letter with a dot; sharp s, which once became ss.
    ("victim@\u{430}cme.test", MISMATCH),
    ("victim@acm\u{435}.test", MISMATCH),
    ("victim@\u{3b1}cme.test", MISMATCH),
    ("victim@xn--cme-5cd.test", MISMATCH),
    ("victim@acm\u{117}.test", MISMATCH),
    ("victim@acme.te\u{df}t", MISMATCH),
    // Where does the domain begin?
    ("victim@acme.test@evil.test", UNREADABLE),
    ("victim@evil.test@acme.test", UNREADABLE),
    ("\"victim@evil.test\"@acme.test", UNREADABLE),
    ("\"victim\"@acme.test", UNREADABLE),
    ("victim(@evil.test)@acme.test", UNREADABLE),
    ("Victim <victim@acme.test>", UNREADABLE),
    ("<victim@acme.test>", UNREADABLE),
    ("mailto:victim@acme.test", UNREADABLE),
    ("victim@acme.test,mallory@acme.test", UNREADABLE),
    ("victim@acme.test;mallory@acme.test", UNREADABLE),
    ("victim@acme.test mallory@acme.test", UNREADABLE),
    ("victim@[127.0.0.1]", UNREADABLE),
    ("victim@127.0.0.1", UNREADABLE),
    ("@acme.test", UNREADABLE),
    ("victim@", UNREADABLE),
    ("victim", UNREADABLE),
    ("victim@acme..test", UNREADABLE),
    ("victim@.acme.test", UNREADABLE),
    ("victim@acme.test..", UNREADABLE),
    ("victim@acme.test/x", UNREADABLE),
    ("victim@acme.test:25", UNREADABLE),
    ("victim@*.test", UNREADABLE),
    // White space and what cannot be seen.
    ("vic tim@acme.test", UNREADABLE),
    ("victim @acme.test", UNREADABLE),
    ("victim@ac me.test", UNREADABLE),
    ("vic\u{a0}tim@acme.test", UNREADABLE),
    ("vic\ntim@acme.test", UNREADABLE),
    ("vic\u{200b}tim@acme.test", UNREADABLE),
    ("vic\u{ad}tim@acme.test", UNREADABLE),
    ("\u{202e}victim@acme.test", UNREADABLE),
    ("\u{feff}victim@acme.test", UNREADABLE),
    ("victi\u{301}m@acme.test", UNREADABLE),
];

/// The same person, however it is written: case, a final dot, white space around, and widths that IDNA takes for one.
const VICTIM: &[&str] = &[
    "victim@acme.test",
    "VICTIM@ACME.TEST",
    "Victim@Acme.Test.",
    "  victim@acme.test\t",
    "victim@\u{ff41}cme.test",
    "victim@acme\u{3002}test",
];

/// Other people of the same company, whatever a reader may think.
const OTHERS: &[&str] = &[
    "victim+admin@acme.test",
    "victim%evil.test@acme.test",
    "evil.test!victim@acme.test",
    "vict\u{456}m@acme.test",
    "\u{ff56}ictim@acme.test",
    "v\u{131}ctim@acme.test",
    "vic.tim@acme.test",
];

#[tokio::test]
async fn sml16_q24_look_alikes_are_refused_or_other_people_and_never_the_victim() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme"})).await;
        let idp = TestIdp::connect(&app, "acme.test", Some(&acme), 0).await;
        let victim = json!({"email_address": ["victim@acme.test"]});
        let victim = app.backend(Method::POST, "/v1/users", victim).await.ok()["id"].clone();
        let deliver = async |sent: &str| {
            let trip = Trip::begin(&app, &idp, "mallory@acme.test").await;
            // The subject is no address, so that it is the address that is judged.
            let identity = Identity { subject: crate::random::sha256_hex(sent), ..Identity::new(sent, "M", "M") };
            let response = idp.respond(&app, &trip.request, &identity, |_| {});
            trip.deliver(idp.acs_url(), &response).await
        };
        let before = footprint(&app).await;
        for (sent, code) in REFUSED {
            let error = deliver(sent).await.expect_err(sent);
            assert_eq!(error.0, *code, "{sent:?} {}", error.1);
            assert_eq!(footprint(&app).await, before, "{sent:?}");
        }
        for sent in VICTIM {
            assert_eq!(deliver(sent).await.unwrap()["user"]["id"], victim, "{sent:?}");
        }
        let mut seen = vec![victim];
        for sent in OTHERS {
            let id = deliver(sent).await.unwrap()["user"]["id"].clone();
            assert!(!seen.contains(&id), "{sent:?}");
            seen.push(id);
        }
        assert_eq!(users(&app).await.len(), 1 + OTHERS.len());
        app.close().await;
    }
}

#[tokio::test]
async fn dec1_con16_a_typed_look_alike_leads_to_no_identity_provider_of_another() {
    for app in TestApp::on_each_database().await {
        // Two tenants whose domains look alike, and one that lets its subdomains in.
        TestIdp::connect(&app, "acme.test", None, 0).await;
        TestIdp::connect(&app, "xn--cme-5cd.test", None, 1).await;
        let wide = TestIdp::connect(&app, "globex.com", None, 0).await;
        let path = format!("/v1/enterprise_connections/{}", wide.connection_id());
        app.backend(Method::PATCH, &path, json!({"saml": {"allow_subdomains": true}})).await.ok();
        for (typed, host) in [
            ("a@acme.test", "idp.acme.test"),
            ("A@ACME.TEST.", "idp.acme.test"),
            (" a@acme.test ", "idp.acme.test"),
            ("a@\u{ff41}cme.test", "idp.acme.test"),
            ("a@\u{430}cme.test", "idp.xn--cme-5cd.test"),
            ("a@XN--CME-5CD.test", "idp.xn--cme-5cd.test"),
            ("a@globex.com", "idp.globex.com"),
            ("a@eu.globex.com", "idp.globex.com"),
            ("a@deep.eu.globex.com", "idp.globex.com"),
        ] {
            let url = begin_sign_in(&app.browser(), typed).await;
            assert!(url.starts_with(&format!("https://{host}/sso?")), "{typed:?} {url}");
        }
        for (typed, code) in [
            ("a@eu.acme.test", "form_identifier_not_found"),
            ("a@badglobex.com", "form_identifier_not_found"),
            ("a@globex.com.evil.test", "form_identifier_not_found"),
            ("a@globex.co", "form_identifier_not_found"),
            ("a@com", "form_param_format_invalid"),
            ("a@evil.test@acme.test", "form_param_format_invalid"),
            ("\"a@evil.test\"@acme.test", "form_param_format_invalid"),
            ("a@acme.test@evil.test", "form_param_format_invalid"),
            ("a\u{200b}@acme.test", "form_param_format_invalid"),
        ] {
            let refused = app.browser().post("/v1/client/sign_ins", &[("identifier", typed)]).await;
            assert_eq!(refused.error(), (422, code.to_owned()), "{typed:?}");
        }
        app.close().await;
    }
}
