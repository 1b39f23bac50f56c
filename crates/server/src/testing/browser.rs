//! A browser: it keeps cookies as browsers do, and sends them where browsers would.

use crate::testing::TestApp;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub async fn read(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 10 * 1024 * 1024).await.unwrap();
        Self { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text))
    }

    /// The body of a request that must have succeeded.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.text);
        self.json()
    }

    /// Status and code of the first error.
    #[track_caller]
    pub fn error(&self) -> (u16, String) {
        let body = self.json();
        let code =
            body["errors"][0]["code"].as_str().unwrap_or_else(|| panic!("no error: {} {}", self.status, self.text));
        assert_eq!(body["clerk_trace_id"].as_str().map(str::len), Some(32), "every error carries its trace id");
        (self.status.as_u16(), code.to_owned())
    }

    /// Where a redirect leads.
    #[track_caller]
    pub fn location(&self) -> &str {
        assert!(self.status.is_redirection(), "{} {}", self.status, self.text);
        self.headers[header::LOCATION].to_str().unwrap()
    }
}

/// A browser with its cookies for the server's host.
pub struct Browser<'a> {
    server: &'a TestApp,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl<'a> Browser<'a> {
    pub(super) fn new(server: &'a TestApp) -> Self {
        Self { server, cookies: Mutex::new(BTreeMap::new()) }
    }

    /// The same browser, now led to another node by a load balancer.
    pub fn on<'b>(&self, server: &'b TestApp) -> Browser<'b> {
        Browser { server, cookies: Mutex::new(self.cookies.lock().unwrap().clone()) }
    }

    /// A cookie's value.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    /// Sets a cookie by force.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.into(), value.into());
    }

    async fn send(&self, request: axum::http::request::Builder, body: Body, with_cookies: bool) -> Answer {
        let jar: Vec<String> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request =
            if with_cookies && !jar.is_empty() { request.header(header::COOKIE, jar.join("; ")) } else { request };
        let answer = self.server.request(request.body(body).unwrap()).await;
        for line in answer.headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            let mut cookies = self.cookies.lock().unwrap();
            if line.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.into(), value.into());
            }
        }
        answer
    }

    /// A page of the application asks.
    pub async fn get(&self, path: &str) -> Answer {
        let request = Request::builder().uri(path).header(header::ORIGIN, "https://app.example.com");
        self.send(request, Body::empty(), true).await
    }

    /// A page of the application posts a form.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.post_from("https://app.example.com", path, form).await
    }

    /// A page of any origin posts a form, with whatever cookies the browser has.
    pub async fn post_from(&self, origin: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        let request = Request::builder().method(Method::POST).uri(path).header(header::ORIGIN, origin);
        self.send(request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded"), encode(form), true).await
    }

    /// The address bar: a top-level navigation, as after a redirect. Lax cookies go with it.
    pub async fn visit(&self, url: &str) -> Answer {
        let path = url.strip_prefix("https://clerk.example.com").unwrap_or(url);
        let request =
            Request::builder().uri(path).header(header::ACCEPT, "text/html").header("sec-fetch-site", "cross-site");
        self.send(request, Body::empty(), true).await
    }

    /// As [`Self::visit`], with what the browser says about the request.
    pub async fn visit_with(&self, url: &str, headers: &[(&str, &str)]) -> Answer {
        let path = url.strip_prefix("https://clerk.example.com").unwrap_or(url);
        let request =
            headers.iter().fold(Request::builder().uri(path), |request, (name, value)| request.header(*name, *value));
        self.send(request, Body::empty(), true).await
    }

    /// A form of another site that posts itself here, as an IdP's does. Lax cookies stay behind.
    pub async fn post_cross_site(&self, url: &str, form: &[(&str, &str)]) -> Answer {
        let path = url.strip_prefix("https://clerk.example.com").unwrap_or(url);
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::ORIGIN, "https://idp.example.net")
            .header("sec-fetch-site", "cross-site")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request, encode(form), false).await
    }
}

fn encode(form: &[(&str, &str)]) -> Body {
    Body::from(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish())
}
