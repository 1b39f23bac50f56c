//! What every page shares: the stylesheet, the headers, the rendering.

use crate::http::ApiError;
use askama::Template;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};

const STYLE: &str = include_str!("style.css");

/// No scripts, no frames, nothing from elsewhere. Forms may lead on to an identity provider anywhere: browsers apply
/// `form-action` to the redirect that follows a form as well.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self' https: http:; \
                      base-uri 'none'; frame-ancestors 'none'";

/// As [`POLICY`], for a page with a script of our own.
const POLICY_WITH_SCRIPT: &str = "default-src 'none'; style-src 'self'; img-src data:; script-src 'self'; \
                                  form-action 'self' https: http:; base-uri 'none'; frame-ancestors 'none'";

/// Headers of every page, beside its policy.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    // Not `no-referrer`: with it browsers send `Origin: null` with our own forms.
    (header::REFERRER_POLICY, "strict-origin"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// Renders a page.
pub fn render(status: StatusCode, page: &impl Template) -> Response {
    render_under(POLICY, status, page)
}

/// Renders a page with a script of our own.
pub fn render_with_script(status: StatusCode, page: &impl Template) -> Response {
    render_under(POLICY_WITH_SCRIPT, status, page)
}

fn render_under(policy: &'static str, status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, HEADERS, [(header::CONTENT_SECURITY_POLICY, policy)], Html(html)).into_response(),
        Err(error) => ApiError::internal(&format!("a page cannot be rendered: {error}")).into_response(),
    }
}

/// `GET /assets/style.css`
pub async fn style() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=600")];
    (headers, STYLE).into_response()
}

/// `GET /assets/continue.js`: sends the form that is on the page; without scripts its button does.
pub async fn continue_script() -> Response {
    let headers =
        [(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=600")];
    (headers, "document.forms[0].submit();\n").into_response()
}

/// 303: whatever the method was, the next request is a GET.
pub fn see_other(location: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(location) else {
        return ApiError::internal("a redirect URL that is no header value").into_response();
    };
    let headers = [(header::LOCATION, location), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::SEE_OTHER, headers).into_response()
}
