//! The step with which a browser comes back from an identity provider, whatever the protocol.

use crate::app::App;
use crate::flows::sign_in::outcome::Finished;
use crate::hosted_pages::error_page;
use crate::http::ApiError;
use crate::http::cookies::{self, Site};
use crate::pages::see_other;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};

/// On to the application, with the cookies of a session if there is one.
pub fn answer(app: &App, finished: Finished) -> Response {
    let mut response = see_other(&finished.redirect_to);
    if let Some((client, secret)) = finished.signed_in {
        // The host this browser sees is that of the URL under which it began.
        let is_proxied = finished.base_url != app.config.public_url;
        let site = Site { is_https: finished.base_url.starts_with("https://"), is_proxied };
        cookies::append(response.headers_mut(), [cookies::set_client(&client.id, &secret, site)]);
        cookies::append(response.headers_mut(), cookies::set_client_uat(Some(client.updated_at), &app.config, site));
    }
    response
}

/// Whether the browser goes here with its window, not for a picture or a frame in somebody's page. Programs and old browsers
/// do not say.
pub fn is_navigation(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-dest").is_none_or(|destination| destination == "document")
}

/// Whether a person will look at the answer.
pub fn accepts_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|value| value.contains("text/html"))
}

/// A person gets a page, a program the error object.
pub fn answer_error(error: ApiError, wants_html: bool) -> Response {
    if wants_html { error_page(&error) } else { error.into_response() }
}
