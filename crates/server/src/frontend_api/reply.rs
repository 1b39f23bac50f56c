//! Answers: `{"response": …, "client": …}` and the cookies that go with them (API-3).

use crate::app::App;
use crate::flows::clients::{self as browsers, Browser};
use crate::frontend_api::visit::Visit;
use crate::frontend_api::wire::client::{ClientView, Known};
use crate::http::json::{NULL, object, respond};
use crate::http::{ApiError, cookies};
use axum::response::Response;
use doorward_model::Client;
use serde::Serialize;

/// An answer to a mutation: the resource, and the browser as it is now, from which the page takes its new state.
pub async fn with_client(
    app: &App,
    visit: &Visit,
    browser: &Browser,
    known: &Known<'_>,
    response: impl Serialize,
) -> Result<Response, ApiError> {
    let mut tx = app.store.read().await?;
    let azp = visit.caller.authorized_party.as_deref();
    let view = ClientView::load(app, &mut tx, &browser.client, known, azp, app.now()).await?;
    drop(tx);
    let mut answer = respond(&object! { response: response, client: view.wire() });
    let mut lines = Vec::new();
    if let Some(secret) = &browser.new_secret {
        lines.push(cookies::set_client(&browser.client.id, secret, visit.caller.site));
    }
    lines.extend(cookies::set_client_uat(view.signed_in_at(), &app.config, visit.caller.site));
    cookies::append(answer.headers_mut(), lines);
    Ok(answer)
}

/// As [`with_client`], for a browser that keeps its secret.
pub async fn with_known_client(
    app: &App,
    visit: &Visit,
    client: Client,
    response: impl Serialize,
) -> Result<Response, ApiError> {
    with_client(app, visit, &Browser { client, new_secret: None }, &Known::default(), response).await
}

/// An answer to a question: only the resource.
pub fn only(response: impl Serialize) -> Response {
    respond(&object! { response: response, client: NULL })
}

/// The browser of a visit, or the refusal that nobody is signed in.
pub async fn known_client(app: &App, visit: &Visit) -> Result<Client, ApiError> {
    let mut tx = app.store.read().await?;
    let found = browsers::find(&mut tx, visit.cookie.as_ref()).await?;
    found.ok_or_else(|| crate::flows::Refusal::SignedOut.into())
}
