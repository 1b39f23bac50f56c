//! Sessions, tokens and the requests around them: who may call, and where browsers may be sent (TOK, DEC-28, DECISIONS "Wire" 10).

use super::support::{Trip, alice, claims, client, organization};
use crate::testing::{Answer, TestApp, TestIdp};
use axum::http::Method;
use serde_json::json;

#[tokio::test]
async fn tok10_the_active_organization_is_switched_and_only_among_ones_own() {
    let app = TestApp::new().await;
    let acme = organization(&app, json!({"name": "Acme"})).await;
    let idp = TestIdp::connect(&app, "acme.test", Some(&acme), 0).await;
    let browser = app.browser();
    idp.sign_in(&app, &browser, "alice@acme.test", &alice()).await;
    let session = client(&browser).await["sessions"][0].clone();
    let (id, user) = (session["id"].as_str().unwrap(), session["user"]["id"].as_str().unwrap());
    let second = organization(&app, json!({"name": "Second", "slug": "second"})).await;
    let foreign = organization(&app, json!({"name": "Foreign", "slug": "foreign"})).await;
    let join = json!({"user_id": user, "role": "org:admin"});
    app.backend(Method::POST, &format!("/v1/organizations/{second}/memberships"), join).await.ok();
    let touch = format!("/v1/client/sessions/{id}/touch");
    let tokens = format!("/v1/client/sessions/{id}/tokens");
    for wanted in [second.as_str(), "second"] {
        let touched = browser.post(&touch, &[("active_organization_id", wanted), ("intent", "select_org")]).await.ok();
        let jwt = touched["client"]["sessions"][0]["last_active_token"]["jwt"].as_str().unwrap().to_owned();
        assert_eq!(claims(&jwt)["o"]["id"], json!(second), "the next token carries the new organization");
    }
    for stranger in [foreign.as_str(), "foreign", "org_none"] {
        let refused = browser.post(&touch, &[("active_organization_id", stranger)]).await;
        assert_eq!(refused.error(), (404, "organization_not_found_or_unauthorized".to_owned()));
        let refused = browser.post(&tokens, &[("organization_id", stranger)]).await;
        assert_eq!(refused.error(), (404, "organization_not_found_or_unauthorized".to_owned()));
    }
    let other = browser.post(&tokens, &[("organization_id", &acme)]).await.ok();
    assert_eq!(claims(other["jwt"].as_str().unwrap())["o"]["id"], json!(acme));
    browser.post(&touch, &[("active_organization_id", "")]).await.ok();
    let personal = browser.post(&tokens, &[]).await.ok();
    assert!(claims(personal["jwt"].as_str().unwrap()).get("o").is_none());
    let listed = browser.get("/v1/me/organization_memberships?paginated=true").await.ok();
    assert_eq!(listed["response"]["total_count"], 2);
    app.close().await;
}

#[tokio::test]
async fn signing_out_ends_sessions_and_their_tokens() {
    for app in TestApp::on_each_database().await {
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        for path in ["end", "remove"] {
            let browser = app.browser();
            idp.sign_in(&app, &browser, "alice@acme.test", &alice()).await;
            assert_ne!(browser.cookie("__client_uat").as_deref(), Some("0"));
            let id = client(&browser).await["sessions"][0]["id"].as_str().unwrap().to_owned();
            let ended = browser.post(&format!("/v1/client/sessions/{id}/{path}"), &[]).await.ok();
            assert!(ended["client"]["sessions"].as_array().unwrap().is_empty());
            assert_eq!(browser.cookie("__client_uat").as_deref(), Some("0"));
            let tokens = browser.post(&format!("/v1/client/sessions/{id}/tokens"), &[]).await;
            assert_eq!(tokens.error(), (401, "signed_out".to_owned()));
        }
        for path in ["/v1/client/sessions?_method=DELETE", "/v1/client?_method=DELETE"] {
            let browser = app.browser();
            idp.sign_in(&app, &browser, "alice@acme.test", &alice()).await;
            browser.post(path, &[]).await.ok();
            assert_eq!(browser.cookie("__client_uat").as_deref(), Some("0"));
            assert_eq!(browser.get("/v1/me").await.error(), (401, "signed_out".to_owned()));
        }
        app.close().await;
    }
}

#[tokio::test]
async fn tok11_a_session_ends_after_seven_days() {
    let app = TestApp::new().await;
    let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
    let browser = app.browser();
    idp.sign_in(&app, &browser, "alice@acme.test", &alice()).await;
    let id = client(&browser).await["sessions"][0]["id"].as_str().unwrap().to_owned();
    app.advance(7 * 24 * 3600 * 1000 - 1);
    browser.post(&format!("/v1/client/sessions/{id}/tokens"), &[]).await.ok();
    app.advance(1);
    let late = browser.post(&format!("/v1/client/sessions/{id}/tokens"), &[]).await;
    assert_eq!(late.error(), (401, "signed_out".to_owned()));
    app.close().await;
}

#[tokio::test]
async fn wire10_cookies_of_another_origin_change_nothing() {
    let app = TestApp::new().await;
    let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
    let browser = app.browser();
    idp.sign_in(&app, &browser, "alice@acme.test", &alice()).await;
    for origin in ["https://evil.example.net", "https://app.example.com.evil.test", "http://app.example.com", "null"] {
        for path in ["/v1/client?_method=DELETE", "/v1/client/sign_ins", "/v1/client/sessions?_method=DELETE"] {
            let refused = browser.post_from(origin, path, &[]).await;
            assert_eq!(refused.error(), (400, "origin_invalid".to_owned()), "{origin} {path}");
            assert!(refused.headers.get("access-control-allow-origin").is_none());
        }
    }
    assert_eq!(client(&browser).await["sessions"].as_array().unwrap().len(), 1);
    let allowed = browser.get("/v1/client").await;
    assert_eq!(allowed.headers["access-control-allow-origin"], "https://app.example.com");
    assert_eq!(allowed.headers["access-control-allow-credentials"], "true");
    app.close().await;
}

#[tokio::test]
async fn dec28_browsers_are_sent_to_allowed_urls_only() {
    let app = TestApp::new().await;
    TestIdp::connect(&app, "acme.test", None, 0).await;
    let browser = app.browser();
    let attempt = async |redirect: &str, complete: &str| -> Answer {
        let form = [
            ("strategy", "enterprise_sso"),
            ("identifier", "alice@acme.test"),
            ("redirect_url", redirect),
            ("action_complete_redirect_url", complete),
        ];
        browser.post("/v1/client/sign_ins", &form).await
    };
    let good = "https://app.example.com/x";
    attempt(good, good).await.ok();
    for (url, status, code) in [
        ("https://evil.example.net/", 400, "resource_missmatch"),
        ("https://app.example.com.evil.test/", 400, "resource_missmatch"),
        ("https://app.example.com@evil.test/", 422, "invalid_redirect_url"),
        ("//evil.test", 422, "invalid_redirect_url"),
        ("javascript:alert(1)", 422, "invalid_url_scheme"),
        ("/relative", 422, "invalid_redirect_url"),
        ("myapp://callback", 400, "resource_missmatch"),
    ] {
        assert_eq!(attempt(url, good).await.error(), (status, code.to_owned()), "{url}");
        assert_eq!(attempt(good, url).await.error(), (status, code.to_owned()), "{url}");
    }
    app.backend(Method::POST, "/v1/redirect_urls", json!({"url": "myapp://callback"})).await.ok();
    attempt("myapp://callback", good).await.ok();
    app.backend(Method::PATCH, "/v1/instance", json!({"allowed_origins": ["https://second.example.com"]})).await;
    attempt("https://second.example.com/any", good).await.ok();
    app.close().await;
}

#[tokio::test]
async fn a_proxy_is_believed_only_with_the_secret_key() {
    let app = TestApp::new().await;
    let request = |key: Option<&str>| {
        let mut request = axum::http::Request::builder()
            .uri("/v1/client")
            .header("clerk-proxy-url", "https://app.example.com/__clerk");
        if let Some(key) = key {
            request = request.header("clerk-secret-key", key);
        }
        request.body(axum::body::Body::empty()).unwrap()
    };
    assert_eq!(app.request(request(None)).await.error(), (400, "proxy_request_missing_secret_key".to_owned()));
    let wrong = app.request(request(Some("sk_live_wrongwrongwrongwrongwrong"))).await;
    assert_eq!(wrong.error(), (401, "proxy_request_invalid_secret_key".to_owned()));
    app.request(request(Some("sk_live_testtesttesttesttesttesttest"))).await.ok();
    app.close().await;
}

/// The cookies in a handshake, whose signature the application would check.
fn handshake_cookies(jwt: &str) -> Vec<String> {
    let directives = claims(jwt)["handshake"].clone();
    directives.as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn tok14_a_handshake_brings_a_session_to_a_server_rendered_application() {
    let app = TestApp::new().await;
    let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
    let browser = app.browser();
    let path = "/v1/client/handshake?redirect_url=https%3A%2F%2Fapp.example.com%2Fhome&format=nonce";
    let signed_out = browser.visit(path).await;
    assert_eq!((signed_out.status.as_u16(), signed_out.location()), (307, "https://app.example.com/home"));
    let cookies = handshake_cookies(&browser.cookie("__clerk_handshake").unwrap());
    assert!(cookies.iter().any(|line| line.starts_with("__session=; ")), "{cookies:?}");
    assert!(cookies.iter().any(|line| line.starts_with("__client_uat=0; ")));
    idp.sign_in(&app, &browser, "alice@acme.test", &alice()).await;
    let signed_in = browser.visit(path).await;
    assert!(signed_in.headers["set-cookie"].to_str().unwrap().contains("Domain=example.com"));
    let cookies = handshake_cookies(&browser.cookie("__clerk_handshake").unwrap());
    let session = cookies.iter().find_map(|line| line.strip_prefix("__session=")).unwrap();
    let token = claims(session.split(';').next().unwrap());
    assert_eq!(token["azp"], "https://app.example.com");
    let uat = cookies.iter().find_map(|line| line.strip_prefix("__client_uat=")).unwrap();
    let uat: i64 = uat.split(';').next().unwrap().parse().unwrap();
    assert!(uat <= token["iat"].as_i64().unwrap(), "a token older than the sign-in would send the browser round again");
    let foreign = browser.get("/v1/client/handshake?redirect_url=https%3A%2F%2Fevil.example.net%2F").await;
    assert_eq!(foreign.error(), (400, "resource_missmatch".to_owned()));
    // An application on another site cannot read our cookies, so it gets the handshake in its address.
    app.backend(Method::PATCH, "/v1/instance", json!({"allowed_origins": ["https://other.example.org"]})).await;
    let elsewhere =
        browser.visit("/v1/client/handshake?redirect_url=https%3A%2F%2Fother.example.org%2Fx%3Fa%3D1").await;
    assert!(elsewhere.location().starts_with("https://other.example.org/x?a=1&__clerk_handshake=ey"));
    app.close().await;
}

#[tokio::test]
async fn the_environment_the_key_set_and_the_metadata_are_there_for_anybody() {
    let app = TestApp::new().await;
    let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
    let environment = app.browser().get("/v1/environment").await.ok();
    assert_eq!(environment["user_settings"]["enterprise_sso"]["enabled"], true);
    assert_eq!(environment["organization_settings"]["enabled"], true);
    let jwks = app.browser().visit("/.well-known/jwks.json").await.ok();
    assert_eq!(jwks["keys"][0]["alg"], "RS256");
    let id = idp.connection["saml_connection"]["id"].as_str().unwrap();
    let metadata = app.browser().visit(&format!("/v1/saml/metadata/{id}.xml")).await;
    assert_eq!(metadata.headers["content-type"], "application/samlmetadata+xml");
    assert!(metadata.text.contains(idp.acs_url()) && metadata.text.contains(idp.sp_entity_id()));
    let unknown = app.browser().visit("/v1/saml/metadata/samlc_none.xml").await;
    assert_eq!(unknown.error(), (404, "resource_not_found".to_owned()));
    app.close().await;
}

#[tokio::test]
async fn the_server_is_healthy_while_its_database_answers() {
    for app in TestApp::on_each_database().await {
        assert_eq!(app.browser().visit("/v1/health").await.ok()["status"], "healthy");
        app.app.store.close().await;
        let answer = app.browser().visit("/v1/health").await;
        assert_eq!((answer.status.as_u16(), &answer.json()["status"]), (503, &json!("unhealthy")));
        app.close().await;
    }
}

#[tokio::test]
async fn a_session_token_is_handed_to_allowed_origins_only() {
    let app = TestApp::new().await;
    let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
    let browser = app.browser();
    idp.sign_in(&app, &browser, "alice@acme.test", &alice()).await;
    for (listed, encoded) in
        [("myapp://callback", "myapp%3A%2F%2Fcallback"), ("https://partner.test/in", "https%3A%2F%2Fpartner.test%2Fin")]
    {
        app.backend(Method::POST, "/v1/redirect_urls", json!({"url": listed})).await.ok();
        let refused = browser.get(&format!("/v1/client/handshake?redirect_url={encoded}")).await;
        assert_eq!(refused.error(), (400, "resource_missmatch".to_owned()), "{listed}");
    }
    app.close().await;
}

#[tokio::test]
async fn a_redirect_url_with_a_line_break_is_no_url() {
    let app = TestApp::new().await;
    TestIdp::connect(&app, "acme.test", None, 0).await;
    let form = [
        ("strategy", "enterprise_sso"),
        ("identifier", "alice@acme.test"),
        ("redirect_url", "https://app.example.com/x\nSet-Cookie: a=b"),
    ];
    let refused = app.browser().post("/v1/client/sign_ins", &form).await;
    assert_eq!(refused.error(), (422, "invalid_redirect_url".to_owned()));
    app.close().await;
}

/// `SessionNotOnOrAfter` is a wish about the session at the identity provider (SAML core 2.7.2); ours goes on (docs/API.md).
#[tokio::test]
async fn the_end_of_the_session_at_the_identity_provider_is_not_the_end_of_ours() {
    for app in TestApp::on_each_database().await {
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        let trip = Trip::begin(&app, &idp, "alice@acme.test").await;
        let end = app.now() + 10 * 60 * 1000;
        let response = idp.respond(&app, &trip.request, &alice(), |response| {
            response.session_not_on_or_after_ms = Some(end);
        });
        let session = trip.deliver(idp.acs_url(), &response).await.unwrap();
        app.advance(60 * 60 * 1000);
        let path = format!("/v1/client/sessions/{}/tokens", session["id"].as_str().unwrap());
        trip.browser.post(&path, &[]).await.ok();
        app.close().await;
    }
}
