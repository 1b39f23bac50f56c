use super::*;
use crate::testing::TestApp;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use serde_json::json;
use tower::ServiceExt as _;

const ORIGIN: &str = "http://127.0.0.1:4402";

/// The application with the server's keys at hand, so that nothing is asked over the network.
fn sample(server: &TestApp) -> Router {
    let app = server.app.clone();
    let keys = Arc::new(app.signing_keys.jwks());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let (public_url, issuer) = ("http://127.0.0.1:1".to_owned(), app.config.issuer());
    let keys = Mutex::new(Some((keys, server.now())));
    let secret_key = String::new();
    routes(SampleApp { app, client, origin: ORIGIN.into(), public_url, issuer, secret_key, idp: String::new(), keys })
}

struct Reply {
    status: StatusCode,
    location: String,
    cookies: Vec<String>,
    text: String,
}

async fn visit(router: &Router, cookies: &str) -> Reply {
    let request = Request::get("/").header(header::COOKIE, cookies).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let text = |value: &axum::http::HeaderValue| value.to_str().unwrap().to_owned();
    Reply {
        status: response.status(),
        location: response.headers().get(header::LOCATION).map(text).unwrap_or_default(),
        cookies: response.headers().get_all(header::SET_COOKIE).iter().map(text).collect(),
        text: String::from_utf8(to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap(),
    }
}

fn claims(server: &TestApp) -> Value {
    let now = server.now() / 1000;
    json!({
        "iss": server.app.config.issuer(), "azp": ORIGIN, "sub": "user_1", "sts": "active",
        "iat": now, "nbf": now - 10, "exp": now + 60,
    })
}

fn sign(server: &TestApp, claims: &Value) -> String {
    server.app.signing_keys.sign(claims).unwrap()
}

#[tokio::test]
async fn a_signed_out_browser_loses_the_token_it_still_has() {
    let server = TestApp::new().await;
    let token = sign(&server, &claims(&server));
    for cookies in [format!("__session={token}"), format!("__session={token}; __client_uat=0")] {
        let reply = visit(&sample(&server), &cookies).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert!(reply.text.contains("/sign-in?redirect_url=http%3A%2F%2F127.0.0.1%3A4402%2F"));
        assert!(reply.cookies.iter().any(|line| line.starts_with("__session=; ") && line.contains("Max-Age=0")));
    }
    server.close().await;
}

#[tokio::test]
async fn a_token_that_does_not_count_leads_to_the_handshake_and_says_why() {
    let server = TestApp::new().await;
    let now = server.now() / 1000;
    let with = |name: &str, value: Value| {
        let mut claims = claims(&server);
        claims[name] = value;
        format!("; __session={}", sign(&server, &claims))
    };
    let cases = [
        (String::new(), "session-token-missing"),
        (with("exp", json!(now - 5)), "session-token-expired"),
        (with("nbf", json!(now + 60)), "session-token-not-active-yet"),
        // Made before somebody else signed in with this browser.
        (with("iat", json!(now - 1)), "session-token-iat-before-client-uat"),
        (with("azp", json!("http://other.test")), "unexpected-error"),
        (with("iss", json!("https://other.test")), "unexpected-error"),
        ("; __session=nonsense".into(), "unexpected-error"),
    ];
    for (session, hint) in cases {
        let reply = visit(&sample(&server), &format!("__client_uat={now}{session}")).await;
        assert_eq!(reply.status, StatusCode::TEMPORARY_REDIRECT, "{hint}");
        assert!(reply.location.starts_with("http://127.0.0.1:1/v1/client/handshake?redirect_url="));
        assert!(reply.location.contains(&format!("__clerk_hs_reason={hint}")), "{hint}: {}", reply.location);
        assert!(reply.cookies[0].starts_with("__clerk_redirect_count=1; "));
    }
    server.close().await;
}

#[tokio::test]
async fn a_browser_that_goes_round_in_circles_is_stopped() {
    let server = TestApp::new().await;
    let reply = visit(&sample(&server), "__client_uat=1; __clerk_redirect_count=2").await;
    assert!(reply.cookies[0].starts_with("__clerk_redirect_count=3; ") && reply.cookies[0].contains("Max-Age=2"));
    let reply = visit(&sample(&server), "__client_uat=1; __clerk_redirect_count=3").await;
    assert_eq!(reply.status, StatusCode::OK);
    assert!(reply.text.contains("No usable session token"));
    server.close().await;
}

#[tokio::test]
async fn only_a_signed_handshake_sets_cookies_and_only_those_it_is_for() {
    let server = TestApp::new().await;
    let suffix = cookies::suffix(&server.app.config.publishable_key);
    let ours = ["__session=a; Path=/".into(), format!("__session_{suffix}=a; Path=/"), "__client_uat=1; Path=/".into()];
    let mut handshake = claims(&server);
    handshake["handshake"] = json!([&ours[0], &ours[1], &ours[2], "__client=stolen; Path=/", "other=1", 7]);
    let jwt = sign(&server, &handshake);
    let cleared = "__clerk_handshake=; Path=/; SameSite=Lax; Max-Age=0".to_owned();
    let reply = visit(&sample(&server), &format!("__clerk_handshake={jwt}")).await;
    assert_eq!((reply.status, reply.location.as_str()), (StatusCode::TEMPORARY_REDIRECT, "/"));
    assert_eq!(reply.cookies, [&ours[..], std::slice::from_ref(&cleared)].concat());
    let other = sign(&server, &claims(&server));
    let forged = format!("{}.{}", jwt.rsplit_once('.').unwrap().0, other.rsplit_once('.').unwrap().1);
    for bad in [forged.as_str(), "nonsense"] {
        let reply = visit(&sample(&server), &format!("__clerk_handshake={bad}")).await;
        assert_eq!(reply.cookies, std::slice::from_ref(&cleared), "{bad}");
    }
    server.close().await;
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_a_sentence() {
    let server = TestApp::new().await;
    let now = server.now() / 1000;
    let reply =
        visit(&sample(&server), &format!("__client_uat={now}; __session={}", sign(&server, &claims(&server)))).await;
    assert_eq!(reply.status, StatusCode::BAD_GATEWAY);
    assert!(reply.text.contains("Doorward could not be asked"));
    server.close().await;
}

#[test]
fn the_address_shown_is_the_primary_one() {
    let addresses = json!([{"id": "1", "email_address": "a@x.test"}, {"id": "2", "email_address": "b@x.test"}]);
    assert_eq!(primary_email(&json!({"primary_email_address_id": "2", "email_addresses": addresses})), "b@x.test");
    assert_eq!(primary_email(&json!({"primary_email_address_id": null, "email_addresses": addresses})), "a@x.test");
    assert_eq!(primary_email(&json!({"email_addresses": []})), "");
}
