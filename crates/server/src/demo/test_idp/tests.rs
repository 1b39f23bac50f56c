use super::*;
use crate::demo::stage::Stage;
use crate::testing::Answer;
use axum::body::Body;
use axum::http::Request;
use doorward_saml::AuthnRequest;

struct Idp(Stage);

impl Idp {
    async fn new(name: &str) -> Self {
        Self(Stage::new(name).await)
    }

    async fn post(&self, path: &str, content_type: &str, form: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::post(path).header(header::CONTENT_TYPE, content_type).body(Body::from(body)).unwrap();
        self.0.send(request).await
    }

    /// The query of a request from the service provider of `COMPANIES[index]`, with the ACS of `COMPANIES[acs]`.
    fn query(&self, index: usize, acs: usize, login_hint: Option<&str>) -> String {
        self.request(index, acs, |request| {
            let url = request.redirect_url(Some("<state>&\"'"), login_hint, None).unwrap();
            url.split_once('?').unwrap().1.to_owned()
        })
    }

    fn request(&self, index: usize, acs: usize, send: impl FnOnce(AuthnRequest<'_>) -> String) -> String {
        let config = &self.0.server.app.config;
        send(AuthnRequest {
            id: "_0123456789abcdef",
            issue_instant_ms: self.0.server.now(),
            idp_sso_url: &self.0.base,
            acs_url: &saml_urls::acs_url(config, &self.0.connections[acs].saml_connection_id),
            sp_entity_id: &saml_urls::sp_entity_id(config, &self.0.connections[index].saml_connection_id),
            force_authn: false,
            name_id_format: None,
        })
    }
}

#[tokio::test]
async fn the_person_page_shows_everybody_and_puts_the_expected_one_first_in_line() {
    let idp = Idp::new("people").await;
    let page = idp.0.get(&format!("/acme/sso?{}", idp.query(0, 0, Some("alice@acme.test")))).await;
    assert_eq!(page.status, StatusCode::OK);
    for part in ["Alice Müller", "陳 大文", "nobody is asked for a password", "alice@acme.test"] {
        assert!(page.text.contains(part), "{part}");
    }
    assert!(!page.text.contains("bob@globex.test"));
    assert_eq!(page.text.matches("class=\"button secondary\"").count(), 2);
    let unexpected = idp.0.get(&format!("/acme/sso?{}", idp.query(0, 0, Some("zoe@acme.test")))).await;
    assert_eq!(unexpected.text.matches("class=\"button\"").count(), 3);
    idp.0.close().await;
}

#[tokio::test]
async fn the_answer_goes_to_the_registered_address_with_the_state_unchanged() {
    let idp = Idp::new("answer").await;
    let page = idp.0.get(&format!("/globex/sso/as/bob?{}", idp.query(1, 1, None))).await;
    assert_eq!(page.status, StatusCode::OK);
    let acs_url = saml_urls::acs_url(&idp.0.server.app.config, &idp.0.connections[1].saml_connection_id);
    assert!(page.text.contains(&format!("action=\"{acs_url}\"")));
    assert!(page.text.contains("value=\"&#60;state&#62;&#38;&#34;&#39;\""), "{}", page.text);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
    // The one page with a script; the others allow none.
    let people = idp.0.get(&format!("/globex/sso?{}", idp.query(1, 1, None))).await;
    assert!(!people.headers["content-security-policy"].to_str().unwrap().contains("script-src"));
    idp.0.close().await;
}

/// The metadata names both bindings, so that either can be tried.
#[tokio::test]
async fn con22_every_address_of_the_metadata_takes_requests() {
    const FORM: &str = "application/x-www-form-urlencoded";
    let idp = Idp::new("bindings").await;
    let metadata = idp.0.get("/acme/metadata").await.text;
    for binding in ["HTTP-Redirect", "HTTP-POST"] {
        let service = format!("bindings:{binding}\" Location=\"{}/acme/sso\"", idp.0.base);
        assert!(metadata.contains(&service), "{binding} {metadata}");
    }
    let posted = idp.request(0, 0, |request| request.post_form(None, None, None).unwrap().saml_request);
    let form = [("SAMLRequest", posted.as_str()), ("RelayState", "<state>&\"'")];
    let page = idp.post("/acme/sso?login_hint=alice%40acme.test", FORM, &form).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let redirected = idp.0.get(&format!("/acme/sso?{}", idp.query(0, 0, Some("alice@acme.test")))).await;
    assert_eq!(page.text, redirected.text, "both ways lead to the same page with the same links");
    // As careful as with redirects.
    let of_globex = idp.request(1, 1, |request| request.post_form(None, None, None).unwrap().saml_request);
    for (request, content_type, status) in
        [(of_globex.as_str(), FORM, 400), ("%", FORM, 400), ("", FORM, 400), (posted.as_str(), "text/plain", 415)]
    {
        let refused = idp.post("/acme/sso", content_type, &[("SAMLRequest", request)]).await;
        assert_eq!(refused.status, status, "{request} {content_type}");
    }
    assert_eq!(idp.post("/initech/sso", FORM, &form).await.status, StatusCode::NOT_FOUND);
    idp.0.close().await;
}

#[tokio::test]
async fn strangers_get_no_answer() {
    let idp = Idp::new("strangers").await;
    // Another company's service provider, and the right one with another one's address.
    for (index, acs) in [(1, 1), (0, 1)] {
        for path in ["/acme/sso", "/acme/sso/as/alice"] {
            let refused = idp.0.get(&format!("{path}?{}", idp.query(index, acs, None))).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{path} {index} {acs}");
            assert!(!refused.text.contains("SAMLResponse") && refused.text.contains("nobody is asked for a password"));
        }
    }
    for path in ["/acme/sso", "/acme/sso?SAMLRequest=%21", "/acme/sso/as/alice?RelayState=x"] {
        assert_eq!(idp.0.get(path).await.status, StatusCode::BAD_REQUEST, "{path}");
    }
    let of_acme = format!("/acme/sso/as/bob?{}", idp.query(0, 0, None));
    for path in ["/initech/sso", "/initech/metadata", "/nowhere", &of_acme] {
        assert_eq!(idp.0.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    idp.0.close().await;
}

#[tokio::test]
async fn a_suspended_person_cannot_sign_in() {
    let idp = Idp::new("suspended").await;
    let query = idp.query(0, 0, None);
    idp.0.set("alice@acme.test", "suspend").await;
    let people = idp.0.get(&format!("/acme/sso?{query}")).await;
    assert!(people.text.contains("suspended") && !people.text.contains("/acme/sso/as/alice"), "{}", people.text);
    assert!(people.text.contains("/acme/sso/as/carol"));
    let forced = idp.0.get(&format!("/acme/sso/as/alice?{query}")).await;
    assert!(forced.status == StatusCode::FORBIDDEN && !forced.text.contains("SAMLResponse"), "{}", forced.text);
    idp.0.set("alice@acme.test", "restore").await;
    assert_eq!(idp.0.get(&format!("/acme/sso/as/alice?{query}")).await.status, StatusCode::OK);
    idp.0.close().await;
}

#[tokio::test]
async fn people_are_suspended_by_the_start_page_alone() {
    let idp = Idp::new("people").await;
    let stage = &idp.0;
    let form = [("person", "grace@meadow.test"), ("action", "suspend")];
    let is_suspended = || stage.idp.directory.is_suspended("grace@meadow.test");
    for header in [
        ("origin", "https://evil.test"),
        ("origin", "null"),
        ("origin", ""),
        ("origin", "http://127.0.0.1:1"),
        ("origin", "http://localhost:4401"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "none"),
    ] {
        let refused = stage.post("/people", &form, header).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{header:?}");
        assert!(refused.text.contains("This form counts only from"), "{}", refused.text);
    }
    let own = ("origin", stage.base.as_str());
    for form in [
        [("person", "nobody@meadow.test"), ("action", "suspend")],
        [("person", "grace@meadow.test"), ("action", "delete")],
        [("person", "grace@meadow.test"), ("x", "suspend")],
    ] {
        assert_eq!(stage.post("/people", &form, own).await.status, StatusCode::BAD_REQUEST, "{form:?}");
    }
    assert_eq!(
        stage.get("/people?person=grace%40meadow.test&action=suspend").await.status,
        StatusCode::METHOD_NOT_ALLOWED
    );
    let text = Request::post("/people").header("origin", &stage.base).header(header::CONTENT_TYPE, "text/plain");
    let text = text.body(Body::from("person=grace%40meadow.test&action=suspend")).unwrap();
    assert_eq!(stage.send(text).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(!is_suspended());
    assert!(stage.get("/").await.text.contains("aria-label=\"Suspend Grace Okafor\""));
    assert_eq!(stage.post("/people", &form, own).await.location(), "/");
    assert!(is_suspended());
    assert!(stage.get("/").await.text.contains("aria-label=\"Restore Grace Okafor\""));
    // A program on this machine, which names no page.
    stage.post("/people", &[("person", "grace@meadow.test"), ("action", "restore")], ("", "")).await;
    assert!(!is_suspended());
    idp.0.close().await;
}
