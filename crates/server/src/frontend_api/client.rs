//! `/v1/client`: the browser.

use crate::app::App;
use crate::flows::clients as browsers;
use crate::flows::{Refusal, browser_sessions, deprovision};
use crate::frontend_api::reply;
use crate::frontend_api::visit::Visit;
use crate::frontend_api::wire::client::{ClientView, Known};
use crate::http::json::NULL;
use crate::http::{ApiError, cookies};
use axum::extract::State;
use axum::response::Response;
use doorward_model::Client;
use doorward_store::Tx;
use std::sync::Arc;

/// The browser, or `null` for one that never began anything.
pub async fn get(State(app): State<Arc<App>>, visit: Visit) -> Result<Response, ApiError> {
    let mut tx = app.store.read().await?;
    let Some(found) = browsers::find(&mut tx, visit.cookie.as_ref()).await? else {
        return Ok(reply::only(NULL));
    };
    let mut shown = view(&app, &mut tx, &visit, &found).await?;
    if let Some(user) = shown.unconfirmed().cloned() {
        drop(tx);
        deprovision::confirm(&app, &user).await?;
        tx = app.store.read().await?;
        shown = view(&app, &mut tx, &visit, &found).await?;
    }
    let mut answer = reply::only(shown.wire());
    cookies::append(
        answer.headers_mut(),
        cookies::set_client_uat(shown.signed_in_at(), &app.config, visit.caller.site),
    );
    Ok(answer)
}

/// Makes the browser known, if it is not yet.
pub async fn create(State(app): State<Arc<App>>, visit: Visit) -> Result<Response, ApiError> {
    app.rate_limits.attempt(visit.address, None)?;
    let browser = browsers::ensure(&app, visit.cookie.as_ref()).await?;
    let mut tx = app.store.read().await?;
    let view = view(&app, &mut tx, &visit, &browser.client).await?;
    drop(tx);
    reply::with_client(&app, &visit, &browser, &Known::default(), view.wire()).await
}

/// Signs out everywhere in this browser and forgets it.
pub async fn delete(State(app): State<Arc<App>>, visit: Visit) -> Result<Response, ApiError> {
    browser_sessions::sign_out(&app, visit.cookie.as_ref()).await?;
    let mut answer = reply::only(NULL);
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
    let view = view(&app, &mut tx, &visit, &known).await?;
    drop(tx);
    reply::with_known_client(&app, &visit, known.clone(), view.wire()).await
}

async fn view<'a>(app: &App, tx: &mut Tx, visit: &Visit, client: &'a Client) -> Result<ClientView<'a>, ApiError> {
    let azp = visit.caller.authorized_party.as_deref();
    Ok(ClientView::load(app, tx, client, &Known::default(), azp, app.now()).await?)
}
