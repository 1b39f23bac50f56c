//! What is posted to an ACS beside SAML itself: the form it comes in (RELIABILITY §4.8). A refused form uses nothing up: the
//! sign-in that waits is finished by the genuine one afterwards.

use super::support::{Trip, alice, footprint};
use crate::testing::{Answer, TestApp, TestIdp};
use axum::body::Body;
use axum::http::{Method, Request, header};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream;
use serde_json::Value;
use std::convert::Infallible;
use std::io::Write as _;

const FORM: &str = "application/x-www-form-urlencoded";

/// Names and values, in order.
type Form<'a> = &'a [(&'a str, &'a str)];

fn encode(pairs: Form<'_>) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

async fn post(app: &TestApp, url: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    let path = url.strip_prefix("https://clerk.example.com").unwrap();
    let request = Request::post(path).header(header::ORIGIN, "https://idp.example.net");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    app.request(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn sml1_a_form_that_says_two_things_or_none_is_refused_and_uses_nothing_up() {
    for app in TestApp::on_each_database().await {
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        let trip = Trip::begin(&app, &idp, "alice@acme.test").await;
        let genuine = idp.respond(&app, &trip.request, &alice(), |_| {});
        let relay = trip.request.relay_state.as_deref().unwrap();
        let (saml, state) = (("SAMLResponse", genuine.as_str()), ("RelayState", relay));
        let before = footprint(&app).await;
        let cases: &[(Form<'_>, u16, &str)] = &[
            (&[saml, saml, state], 422, "form_param_duplicate"),
            (&[("SAMLResponse", "PHg+"), saml, state], 422, "form_param_duplicate"),
            (&[saml, ("SAMLResponse", ""), state], 422, "form_param_duplicate"),
            (&[saml, ("SAMLResponse[]", "PHg+"), state], 422, "form_param_duplicate"),
            (&[saml, state, state], 422, "form_param_duplicate"),
            (&[saml, state, ("RelayState", "https://app.example.com/")], 422, "form_param_duplicate"),
            (&[state], 422, "form_param_missing"),
            (&[], 422, "form_param_missing"),
            (&[("samlresponse", &genuine), state], 422, "form_param_missing"),
            (&[("SAMLResponse ", &genuine), state], 422, "form_param_missing"),
            (&[("SAMLRequest", &genuine), state], 422, "form_param_missing"),
            (&[("SAMLart", "AAQAA"), state], 422, "form_param_missing"),
            (&[saml, ("relaystate", relay)], 400, "saml_response_relaystate_missing"),
            (&[saml, ("RelayState", "")], 400, "saml_response_relaystate_missing"),
            (&[saml, ("RelayState", "unknown")], 401, "saml_response_invalid"),
            (&[saml, ("RelayState", &relay.to_uppercase())], 401, "saml_response_invalid"),
            (&[saml, ("RelayState", &format!(" {relay}"))], 401, "saml_response_invalid"),
            (&[saml, ("RelayState", &format!("{relay}\0"))], 422, "form_param_value_invalid"),
            (&[saml, ("RelayState", "a\r\nSet-Cookie: x=y")], 422, "form_param_value_invalid"),
            (&[saml, ("RelayState", &"r".repeat(1025))], 422, "form_param_max_length_exceeded"),
            (&[("SAMLResponse", &format!("{genuine}\0")), state], 422, "form_param_value_invalid"),
        ];
        for (form, status, code) in cases {
            let refused = post(&app, idp.acs_url(), &[("content-type", FORM)], encode(form)).await;
            assert_eq!(refused.error(), (*status, (*code).to_owned()), "{:?}", form.iter().map(|(name, _)| name));
        }
        // Octets that are no UTF-8, escapes that are none, and values in the address instead of the form.
        let no_text =
            post(&app, idp.acs_url(), &[("content-type", FORM)], format!("{}&RelayState=%FF%FE", encode(&[saml])));
        assert_eq!(no_text.await.error(), (401, "saml_response_invalid".to_owned()));
        let no_escape = post(&app, idp.acs_url(), &[("content-type", FORM)], "SAMLResponse=%zz%&RelayState=%");
        assert_eq!(no_escape.await.error(), (401, "saml_response_invalid".to_owned()));
        let in_address = format!("{}?{}", idp.acs_url(), encode(&[saml, state]));
        let in_address = post(&app, &in_address, &[("content-type", FORM)], "").await;
        assert_eq!(in_address.error(), (422, "form_param_missing".to_owned()));
        assert_eq!(footprint(&app).await, before);
        trip.deliver(idp.acs_url(), &genuine).await.unwrap();
        app.close().await;
    }
}

#[tokio::test]
async fn sml1_only_a_form_is_read_as_one() {
    for app in TestApp::on_each_database().await {
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        let trip = Trip::begin(&app, &idp, "alice@acme.test").await;
        let genuine = idp.respond(&app, &trip.request, &alice(), |_| {});
        let form = encode(&trip.form(&genuine));
        let before = footprint(&app).await;
        let unsupported = (415, "unsupported_content_type".to_owned());
        for content_type in
            ["text/plain", "text/xml", "application/octet-stream", "application/x-www-form-urlencoded-2", ""]
        {
            let refused = post(&app, idp.acs_url(), &[("content-type", content_type)], form.clone()).await;
            assert_eq!(refused.error(), unsupported, "{content_type}");
        }
        assert_eq!(post(&app, idp.acs_url(), &[], form.clone()).await.error(), unsupported);
        let json = serde_json::json!({"SAMLResponse": genuine, "RelayState": trip.request.relay_state}).to_string();
        let refused = post(&app, idp.acs_url(), &[("content-type", "application/json")], json).await;
        assert_eq!(refused.error(), unsupported);
        let part = |(name, value): (&str, &str)| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let multipart: String = trip.form(&genuine).into_iter().map(part).collect::<String>() + "--b--\r\n";
        let refused =
            post(&app, idp.acs_url(), &[("content-type", "multipart/form-data; boundary=b")], multipart).await;
        assert_eq!(refused.error(), unsupported);

        // Not as it is declared: compressed, or in another encoding. Nothing is unpacked, so nothing can swell.
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(form.as_bytes()).unwrap();
        let packed = encoder.finish().unwrap();
        let headers = [("content-type", FORM), ("content-encoding", "gzip")];
        let refused = post(&app, idp.acs_url(), &headers, packed).await;
        assert_eq!(refused.error(), (422, "form_param_missing".to_owned()));
        let wide: Vec<u8> = form.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-16le")];
        let refused = post(&app, idp.acs_url(), &headers, wide).await;
        assert_eq!(refused.error(), (422, "form_param_missing".to_owned()));

        // Too much, said beforehand or not.
        let large = vec![b'a'; 1024 * 1024 + 1];
        let too_large = (413, "request_body_too_large".to_owned());
        let refused = post(&app, idp.acs_url(), &[("content-type", FORM)], large.clone()).await;
        assert_eq!(refused.error(), too_large);
        let refused = post(&app, idp.acs_url(), &[("content-type", FORM)], in_chunks(&large, 65_536)).await;
        assert_eq!(refused.error(), too_large);
        assert_eq!(footprint(&app).await, before);

        // The form of a browser with a charset, in as many pieces as the line makes of it.
        let headers = [("content-type", "Application/X-WWW-Form-URLEncoded; charset=ISO-8859-1")];
        let posted = post(&app, idp.acs_url(), &headers, in_chunks(form.as_bytes(), 7)).await;
        trip.come_back(&posted).await.unwrap();
        app.close().await;
    }
}

/// A body of unknown length that comes in pieces.
fn in_chunks(bytes: &[u8], size: usize) -> Body {
    let chunks: Vec<_> = bytes.chunks(size).map(|chunk| Ok::<_, Infallible>(Bytes::copy_from_slice(chunk))).collect();
    Body::from_stream(stream::iter(chunks))
}

#[tokio::test]
async fn sml17_an_acs_is_posted_to_and_exists_only_under_the_id_of_its_connection() {
    for app in TestApp::on_each_database().await {
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        let trip = Trip::begin(&app, &idp, "alice@acme.test").await;
        let genuine = idp.respond(&app, &trip.request, &alice(), |_| {});
        let form = encode(&trip.form(&genuine));
        let before = footprint(&app).await;
        let acs = idp.acs_url();
        for (url, status, code) in [
            (format!("{acs}x"), 404, "saml_connection_active_not_found"),
            (
                acs.to_uppercase()
                    .replace("HTTPS://CLERK.EXAMPLE.COM/V1/SAML/ACS", "https://clerk.example.com/v1/saml/acs"),
                404,
                "saml_connection_active_not_found",
            ),
            (acs.replace("samlc_", "entconn_"), 404, "saml_connection_active_not_found"),
            (
                acs.replace(idp.acs_url().rsplit('/').next().unwrap(), idp.connection_id()),
                404,
                "saml_connection_active_not_found",
            ),
            (acs.replace("samlc_", "%27%20OR%201%3D1--"), 404, "saml_connection_active_not_found"),
            (format!("{acs}{}", "x".repeat(5000)), 404, "saml_connection_active_not_found"),
            (format!("{acs}%00"), 404, "resource_not_found"),
            (format!("{acs}%FF"), 404, "resource_not_found"),
            (format!("{acs}/"), 404, "resource_not_found"),
            ("https://clerk.example.com/v1/saml/acs/".to_owned(), 404, "resource_not_found"),
        ] {
            let refused = post(&app, &url, &[("content-type", FORM)], form.clone()).await;
            assert_eq!(refused.error(), (status, code.to_owned()), "{}", url.chars().take(200).collect::<String>());
        }
        let path = acs.strip_prefix("https://clerk.example.com").unwrap();
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
            let request = Request::builder().method(method.clone()).uri(format!("{path}?{form}"));
            let refused = app.request(request.body(Body::empty()).unwrap()).await;
            assert_eq!(refused.status, 405, "{method} {}", refused.text);
        }
        // Without an answer there is nothing to collect.
        for token in ["", "?token=", "?token=x", "?token=%00", "?token=a&token=b"] {
            let refused = trip.browser.get(&format!("/v1/saml/finish{token}")).await;
            assert!(refused.status.is_client_error(), "{token} {}", refused.text);
            assert_eq!(refused.json()["errors"].as_array().map(Vec::len), Some(1), "{token}");
        }
        assert_eq!(footprint(&app).await, before);
        assert_ne!(trip.deliver(acs, &genuine).await.unwrap(), Value::Null);
        app.close().await;
    }
}
