//! Answers that the right key signed and that are for somebody or something else (RELIABILITY §2b, §4.3): each check alone
//! stands between them and a session.

use super::support::{Trip, alice, footprint};
use crate::testing::{TestApp, TestIdp};
use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_saml::idp::{IssuedResponse, SignedPart};
use doorward_store::write_tx;
use serde_json::{Value, json};

const HOUR: i64 = 60 * 60 * 1000;

/// What the answer says, before it is signed.
type Change = fn(&mut IssuedResponse<'_>);

fn same(xml: String) -> String {
    xml
}

/// Replaces the last `from`, which must be there.
fn last(xml: &str, from: &str, to: &str) -> String {
    let (before, after) = xml.rsplit_once(from).unwrap_or_else(|| panic!("{from} is not in {xml}"));
    format!("{before}{to}{after}")
}

/// Replaces the first `from`, which must be there.
fn first(xml: &str, from: &str, to: &str) -> String {
    assert!(xml.contains(from), "{from} is not in {xml}");
    xml.replacen(from, to, 1)
}

/// The value of an attribute as it stands behind `at`.
fn attribute_behind<'a>(xml: &'a str, at: &str, name: &str) -> &'a str {
    let (_, rest) = xml.split_once(at).unwrap();
    let (_, rest) = rest.split_once(&format!(" {name}=\"")).unwrap();
    rest.split_once('"').unwrap().0
}

/// What its document looks like, before it is signed.
type Edit = fn(String) -> String;

/// Name, what the answer says, its document, and what the refusal says.
const CASES: &[(&str, Change, Edit, &str)] = &[
    ("for another audience", |r| r.audience = "https://other.test", same, "Audience: expected"),
    (
        "for an audience that begins like us",
        |_| {},
        |xml| first(&xml, "</saml:Audience>", "x</saml:Audience>"),
        "Audience: expected",
    ),
    (
        "for nobody in particular",
        |_| {},
        |xml| {
            let (before, rest) = xml.split_once("<saml:AudienceRestriction>").unwrap();
            format!("{before}{}", rest.split_once("</saml:AudienceRestriction>").unwrap().1)
        },
        "names no Audience",
    ),
    (
        "for us and, by a second restriction, for others alone",
        |_| {},
        |xml| {
            let other = "<saml:AudienceRestriction><saml:Audience>https://other.test</saml:Audience></saml:AudienceRestriction>";
            first(&xml, "</saml:Conditions>", &format!("{other}</saml:Conditions>"))
        },
        "Audience: expected",
    ),
    (
        "to be delivered elsewhere",
        |_| {},
        |xml| {
            let acs = attribute_behind(&xml, "<saml:SubjectConfirmationData", "Recipient");
            last(&xml, &format!("Recipient=\"{acs}\""), "Recipient=\"https://other.test/acs\"")
        },
        "Recipient: expected",
    ),
    (
        "to be delivered anywhere",
        |_| {},
        |xml| {
            let acs = attribute_behind(&xml, "<saml:SubjectConfirmationData", "Recipient");
            last(&xml, &format!(" Recipient=\"{acs}\""), "")
        },
        "Recipient is missing",
    ),
    (
        "sent elsewhere",
        |_| {},
        |xml| {
            let acs = attribute_behind(&xml, "<samlp:Response", "Destination");
            first(&xml, &format!("Destination=\"{acs}\""), "Destination=\"https://other.test/acs\"")
        },
        "Destination: expected",
    ),
    ("of another identity provider", |r| r.issuer = "https://idp.other.test/metadata", same, "Issuer of the"),
    (
        "of another identity provider, inside",
        |_| {},
        |xml| {
            last(&xml, "<saml:Issuer>https://idp.acme.test/metadata<", "<saml:Issuer>https://idp.other.test/metadata<")
        },
        "Issuer of the Assertion: expected",
    ),
    ("to another request", |r| r.in_response_to = Some("_other"), same, "InResponseTo of"),
    (
        "to another request, inside",
        |_| {},
        |xml| {
            let request = attribute_behind(&xml, "<saml:SubjectConfirmationData", "InResponseTo");
            last(&xml, &format!("InResponseTo=\"{request}\""), "InResponseTo=\"_other\"")
        },
        "InResponseTo of the SubjectConfirmationData: expected",
    ),
    (
        "to no request, inside",
        |_| {},
        |xml| {
            let request = attribute_behind(&xml, "<saml:SubjectConfirmationData", "InResponseTo");
            last(&xml, &format!(" InResponseTo=\"{request}\""), "")
        },
        "InResponseTo of the SubjectConfirmationData is missing",
    ),
    ("to no request", |r| r.in_response_to = None, same, "InResponseTo of the Response is missing"),
    ("too late", |r| r.not_on_or_after_ms -= HOUR, same, "our clock says"),
    (
        "too late to be delivered, though still valid",
        |_| {},
        |xml| {
            let end = attribute_behind(&xml, "<saml:SubjectConfirmationData", "NotOnOrAfter").to_owned();
            first(&xml, &format!("NotOnOrAfter=\"{end}\""), "NotOnOrAfter=\"2026-01-15T11:00:00Z\"")
        },
        "had to be delivered before",
    ),
    (
        "still to be delivered, but no longer valid",
        |_| {},
        |xml| {
            let end = attribute_behind(&xml, "<saml:Conditions", "NotOnOrAfter").to_owned();
            last(&xml, &format!("NotOnOrAfter=\"{end}\""), "NotOnOrAfter=\"2026-01-15T11:00:00Z\"")
        },
        "was valid until",
    ),
    (
        "not valid yet",
        |_| {},
        |xml| {
            let start = attribute_behind(&xml, "<saml:Conditions", "NotBefore").to_owned();
            first(&xml, &format!("NotBefore=\"{start}\""), "NotBefore=\"2026-01-15T12:30:00Z\"")
        },
        "is valid from",
    ),
    ("from the future", |r| r.issue_instant_ms += HOUR, same, "in the future"),
    ("from the day before yesterday", |r| r.issue_instant_ms -= 48 * HOUR, same, "more than a day ago"),
    (
        "of a session that is over",
        |r| r.session_not_on_or_after_ms = Some(r.issue_instant_ms - HOUR),
        same,
        "the session at the IdP ended",
    ),
    ("about a failure", |_| {}, |xml| first(&xml, "status:Success", "status:Responder"), "expected Success"),
    (
        "to be confirmed otherwise",
        |_| {},
        |xml| first(&xml, "cm:bearer", "cm:holder-of-key"),
        "0 bearer SubjectConfirmations",
    ),
    (
        "under a condition we do not know",
        |_| {},
        |xml| first(&xml, "</saml:Conditions>", "<x:Other xmlns:x=\"urn:x\"/></saml:Conditions>"),
        "condition we do not know",
    ),
    (
        "without a sign-in",
        |_| {},
        |xml| {
            let (before, rest) = xml.split_once("<saml:AuthnStatement ").unwrap();
            format!("{before}{}", rest.split_once("</saml:AuthnStatement>").unwrap().1)
        },
        "no AuthnStatement",
    ),
    (
        "without a subject",
        |_| {},
        |xml| {
            let (before, rest) = xml.split_once("<saml:NameID ").unwrap();
            format!("{before}{}", rest.split_once("</saml:NameID>").unwrap().1)
        },
        "NameID",
    ),
];

#[tokio::test]
async fn sml10_sml12_sml14_an_answer_is_for_us_for_now_and_for_this_sign_in() {
    for app in TestApp::on_each_database().await {
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        let before = footprint(&app).await;
        let deliver = async |change: Change, edit: Edit| {
            let trip = Trip::begin(&app, &idp, "alice@acme.test").await;
            // Both are signed, so that every part of it is the identity provider's word.
            let xml = idp.document(&app, &trip.request, &alice(), SignedPart::Both, change, edit);
            trip.deliver(idp.acs_url(), &STANDARD.encode(xml)).await
        };
        for (name, change, edit, reason) in CASES {
            let error = deliver(*change, *edit).await.expect_err(name);
            assert_eq!(error.0, "saml_response_invalid", "{name}: {}", error.1);
            assert!(error.1.contains(reason), "{name}: {}", error.1);
            assert_eq!(footprint(&app).await, before, "{name}");
        }
        deliver(|_| {}, same).await.unwrap();
        app.close().await;
    }
}

/// An interrupted migration or a hand in the database may leave a connection without a certificate, or with a broken one.
#[tokio::test]
async fn con9_without_a_certificate_nobody_signs_in() {
    for app in TestApp::on_each_database().await {
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        let path = format!("/v1/enterprise_connections/{}", idp.connection_id());
        // The API leaves an active connection its last one, and activates none without.
        let fingerprint = idp.certificate().fingerprint();
        let kept = app.backend(Method::DELETE, &format!("{path}/certificates/{fingerprint}"), Value::Null).await;
        assert_eq!(kept.status, 422, "{}", kept.text);
        let bare = json!({"name": "Bare", "provider": "saml_custom", "domains": ["bare.test"], "active": true,
            "saml": {"idp_entity_id": idp.entity_id, "idp_sso_url": "https://idp.bare.test/sso"}});
        let refused = app.backend(Method::POST, "/v1/enterprise_connections", bare).await;
        assert_eq!(refused.error(), (422, "saml_connection_cant_be_activated".to_owned()));

        let before = footprint(&app).await;
        let id = idp.connection_id().into();
        for (certificates, accepted) in [
            (vec![], false),
            (vec!["bm90aGluZw==".to_owned()], false),
            (vec!["bm90aGluZw==".to_owned(), idp.certificate().base64().to_owned()], true),
        ] {
            write_tx!(app.app.store, doorward_store::StoreError, |tx| {
                let mut found = doorward_store::enterprise_connections::by_id(tx, &id).await?.unwrap();
                found.saml.idp_certificates.clone_from(&certificates);
                doorward_store::enterprise_connections::update(tx, &found).await
            })
            .unwrap();
            let trip = Trip::begin(&app, &idp, "alice@acme.test").await;
            let response = idp.respond(&app, &trip.request, &alice(), |_| {});
            let outcome = trip.deliver(idp.acs_url(), &response).await;
            if accepted {
                outcome.unwrap();
                continue;
            }
            let error = outcome.unwrap_err();
            assert_eq!(error.0, "saml_response_invalid", "{}", error.1);
            assert!(error.1.contains("no IdP certificate is configured"), "{}", error.1);
            assert_eq!(footprint(&app).await, before);
        }
        app.close().await;
    }
}
