use crate::testing::{Answer, Browser, Identity, TestApp, TestIdp};
use axum::http::Method;
use serde_json::json;

const OWN: &str = "https://clerk.example.com";

async fn submit(browser: &Browser<'_>, form: &[(&str, &str)]) -> Answer {
    browser.post_from(OWN, "/sign-in", form).await
}

#[tokio::test]
async fn a_person_signs_in_by_the_page_alone_and_out_again() {
    for app in TestApp::on_each_database().await {
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        let browser = app.browser();
        let page = browser.visit("/sign-in?redirect_url=https%3A%2F%2Fapp.example.com%2Fhome").await;
        assert!(page.text.contains("value=\"https://app.example.com/home\""), "{}", page.text);
        assert!(page.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
        let form = [("identifier", "alice@acme.test"), ("redirect_url", "https://app.example.com/home")];
        let sent = submit(&browser, &form).await;
        let alice = Identity::new("alice@acme.test", "Alice", "A");
        let done = idp.answer(&app, &browser, sent.location(), &alice).await;
        assert_eq!(done.location(), "https://app.example.com/home");
        // Signed in already: the page leads on, and without a place to go says who is signed in.
        let on = browser.visit("/sign-in?redirect_url=https%3A%2F%2Fapp.example.com%2Fhome").await;
        assert_eq!(on.location(), "https://app.example.com/home");
        assert!(browser.visit("/sign-in").await.text.contains("alice@acme.test"));
        assert_eq!(submit(&browser, &form).await.location(), "https://app.example.com/home");
        let out = browser.post_from(OWN, "/sign-out?redirect_url=https%3A%2F%2Fapp.example.com%2F", &[]).await;
        assert_eq!(out.location(), "https://app.example.com/");
        assert!(browser.visit("/sign-in").await.text.contains("name=\"identifier\""));
        app.close().await;
    }
}

#[tokio::test]
async fn what_went_wrong_at_the_idp_is_told_in_a_sentence() {
    let app = TestApp::new().await;
    let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
    let browser = app.browser();
    let sent = submit(&browser, &[("identifier", "alice@acme.test"), ("redirect_url", "")]).await;
    let foreign = Identity::new("alice@globex.test", "A", "A");
    let back = idp.answer(&app, &browser, sent.location(), &foreign).await;
    assert_eq!(back.location(), "https://clerk.example.com/sign-in/callback?redirect_url=");
    let page = browser.visit(back.location()).await;
    assert!(page.text.contains("globex.test; this connection serves acme.test"), "{}", page.text);
    assert!(page.text.contains("saml_email_address_domain_mismatch"));
    app.close().await;
}

#[tokio::test]
async fn dec5_the_page_asks_which_connection() {
    let app = TestApp::new().await;
    TestIdp::connect(&app, "acme.test", None, 0).await;
    app.advance(1);
    let second = TestIdp::connect(&app, "acme.test", None, 1).await;
    let browser = app.browser();
    let page = submit(&browser, &[("identifier", "alice@acme.test"), ("redirect_url", "")]).await;
    assert!(page.text.contains(second.connection_id()), "{}", page.text);
    let form =
        [("identifier", "alice@acme.test"), ("redirect_url", ""), ("enterprise_connection_id", second.connection_id())];
    assert!(submit(&browser, &form).await.location().starts_with("https://idp.acme.test/sso?"));
    app.close().await;
}

#[tokio::test]
async fn mistakes_are_shown_beside_the_field_and_markup_is_text() {
    let app = TestApp::new().await;
    for (typed, status, sentence) in [
        ("who@other.test", 422, "Single sign-on is not set up for this email address."),
        ("nobody", 422, "find your account"),
        ("<script>@acme.test", 422, "identifier must be a valid email address."),
    ] {
        let page = submit(&app.browser(), &[("identifier", typed), ("redirect_url", "")]).await;
        assert_eq!(page.status, status, "{typed}");
        assert!(page.text.contains(sentence), "{}", page.text);
        assert!(page.text.contains("aria-describedby=\"error\""));
        assert!(!page.text.contains("<script>"));
    }
    app.close().await;
}

#[tokio::test]
async fn foreign_sites_and_foreign_targets_are_refused() {
    let app = TestApp::new().await;
    TestIdp::connect(&app, "acme.test", None, 0).await;
    let browser = app.browser();
    for (path, form) in [("/sign-in", vec![("identifier", "alice@acme.test")]), ("/sign-out", Vec::new())] {
        let refused = browser.post_from("https://evil.example.net", path, &form).await;
        assert_eq!(refused.status, 400, "{path}");
        assert!(refused.text.contains("origin_invalid"));
    }
    let target = browser.visit("/sign-in?redirect_url=https%3A%2F%2Fevil.example.net%2F").await;
    assert_eq!(target.status, 400);
    assert!(target.text.contains("resource_missmatch"));
    let form = [("identifier", "alice@acme.test"), ("redirect_url", "https://evil.example.net/")];
    assert_eq!(submit(&browser, &form).await.status, 400);
    app.backend(Method::PATCH, "/v1/instance", json!({"allowed_origins": ["https://evil.example.net"]})).await;
    assert!(submit(&browser, &form).await.location().starts_with("https://idp.acme.test/sso?"));
    app.close().await;
}

#[tokio::test]
async fn api7_guessing_with_one_identifier_is_limited_on_the_page_and_in_the_api() {
    let app = TestApp::with(|raw| raw.rate_limits = Some("on".into())).await;
    let identifier = [("identifier", "alice@acme.test")];
    for _ in 0..5 {
        assert_eq!(submit(&app.browser(), &identifier).await.status, 422);
    }
    let page = submit(&app.browser(), &identifier).await;
    assert_eq!(page.status, 429);
    assert!(page.text.contains("Too many requests. Try again in"), "{}", page.text);
    let refused = app.browser().post("/v1/client/sign_ins", &identifier).await;
    assert_eq!(refused.error(), (429, "too_many_requests".into()));
    for answer in [page, refused] {
        assert!(answer.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
    }
    // Others are not held up.
    assert_eq!(submit(&app.browser(), &[("identifier", "bob@acme.test")]).await.status, 422);
    app.close().await;
}
