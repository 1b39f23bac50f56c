//! `/v1/client`: the browser.

use crate::app::App;
use crate::flows::clients as browsers;
use crate::flows::{Refusal, browser_sessions};
use crate::frontend_api::reply;
use crate::frontend_api::visit::Visit;
use crate::frontend_api::wire::client::client;
use crate::http::{ApiError, cookies};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use std::sync::Arc;

/// The browser, or `null` for one that never began anything.
pub async fn get(State(app): State<Arc<App>>, visit: Visit) -> Result<Response, ApiError> {
    let mut tx = app.store.read().await?;
    let Some(found) = browsers::find(&mut tx, visit.cookie.as_ref()).await? else {
        return Ok(reply::only(Value::Null));
    };
    let view = client(&app, &mut tx, &found, visit.caller.authorized_party.as_deref(), app.now()).await?;
    let mut answer = reply::only(view.wire);
    cookies::append(answer.headers_mut(), cookies::set_client_uat(view.signed_in_at, &app.config, visit.caller.site));
    Ok(answer)
}

/// Makes the browser known, if it is not yet.
pub async fn create(State(app): State<Arc<App>>, visit: Visit) -> Result<Response, ApiError> {
    app.rate_limits.attempt(visit.address, None)?;
    let browser = browsers::ensure(&app, visit.cookie.as_ref()).await?;
    let mut tx = app.store.read().await?;
    let view = client(&app, &mut tx, &browser.client, visit.caller.authorized_party.as_deref(), app.now()).await?;
    drop(tx);
    reply::with_client(&app, &visit, &browser, view.wire).await
}

/// Signs out everywhere in this browser and forgets it.
pub async fn delete(State(app): State<Arc<App>>, visit: Visit) -> Result<Response, ApiError> {
    browser_sessions::sign_out(&app, visit.cookie.as_ref()).await?;
    let mut answer = Json(json!({"response": null, "client": null})).into_response();
    let site = visit.caller.site;
    cookies::append(answer.headers_mut(), [cookies::clear_client(site)]);
    cookies::append(answer.headers_mut(), cookies::set_client_uat(None, &app.config, site));
    Ok(answer)
}

/// Signs out everywhere in this browser, which stays known.
pub async fn sign_out(State(app): State<Arc<App>>, visit: Visit) -> Result<Response, ApiError> {
    let signed_out = browser_sessions::sign_out(&app, visit.cookie.as_ref()).await?;
    let Some(known) = signed_out else { return Err(Refusal::SignedOut.into()) };
    let mut tx = app.store.read().await?;
    let view = client(&app, &mut tx, &known, None, app.now()).await?;
    drop(tx);
    reply::with_known_client(&app, &visit, known, view.wire).await
}
