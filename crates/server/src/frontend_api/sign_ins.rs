//! `/v1/client/sign_ins`

use crate::app::App;
use crate::flows::Refusal;
use crate::flows::sign_in::start::{self, NewSignIn, Started, Strategy};
use crate::frontend_api::reply;
use crate::frontend_api::visit::{Visit, trip_urls};
use crate::frontend_api::wire::client::{Known, connections_of, usable};
use crate::frontend_api::wire::sign_in::sign_in;
use crate::http::{ApiError, Params, Path};
use axum::extract::State;
use axum::response::Response;
use doorward_model::{EnterpriseConnectionId, SignInId};
use std::sync::Arc;

/// The strategy a form names. `enterprise_sso` starts every protocol; `saml` is its older name (DEC-30).
pub fn strategy(params: &Params) -> Result<Option<Strategy>, Refusal> {
    Ok(params.text("strategy")?.value().filter(|text| !text.is_empty()).map(|text| match text.as_str() {
        "enterprise_sso" | "saml" => Strategy::EnterpriseSso,
        _ => Strategy::Other,
    }))
}

/// The connection a form chooses.
pub fn connection_id(params: &Params) -> Result<Option<EnterpriseConnectionId>, Refusal> {
    let text = params.text("enterprise_connection_id")?.value().filter(|text| !text.is_empty());
    Ok(text.map(EnterpriseConnectionId::from))
}

/// What the provider is to ask of the person (OID-9), as the protocol has it.
pub fn oidc_prompt(params: &Params) -> Result<Option<String>, Refusal> {
    Ok(params.limited_text("oidc_prompt", 200)?.value().filter(|text| !text.trim().is_empty()))
}

/// Begins a sign-in. An empty form begins one without identifier, which clears an earlier one and its error.
pub async fn create(State(app): State<Arc<App>>, visit: Visit, params: Params) -> Result<Response, ApiError> {
    let new = NewSignIn {
        identifier: params.text("identifier")?.value().filter(|text| !text.is_empty()),
        strategy: strategy(&params)?,
        has_password: params.has("password"),
        transfer: params.bool("transfer")?.value() == Some(true),
        enterprise_connection_id: connection_id(&params)?,
        urls: trip_urls(&app, &params, &visit.caller).await?,
        oidc_prompt: oidc_prompt(&params)?,
    };
    app.rate_limits.attempt(visit.address, new.identifier.as_deref())?;
    let started = start::create(&app, visit.cookie.as_ref(), &new).await?;
    answer(&app, &visit, started).await
}

/// Reads a sign-in of this browser.
pub async fn get(State(app): State<Arc<App>>, visit: Visit, Path(id): Path<String>) -> Result<Response, ApiError> {
    let client = reply::known_client(&app, &visit).await?;
    let mut tx = app.store.read().await?;
    let found = start::get(&mut tx, &client, &SignInId::from(id)).await?;
    let connections = connections_of(&mut tx, &found).await?;
    Ok(reply::only(sign_in(&found, &connections, app.now())))
}

/// Prepares the trip to the IdP (DEC-7).
pub async fn prepare(
    State(app): State<Arc<App>>,
    visit: Visit,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    match strategy(&params)? {
        None => return Err(Refusal::ParamMissing { param: "strategy" }.into()),
        Some(Strategy::Other) => return Err(Refusal::StrategyInvalid.into()),
        Some(Strategy::EnterpriseSso) => {}
    }
    let urls = trip_urls(&app, &params, &visit.caller).await?;
    let urls = urls.ok_or(Refusal::ParamMissing { param: "redirect_url" })?;
    let (connection_id, prompt) = (connection_id(&params)?, oidc_prompt(&params)?);
    app.rate_limits.attempt(visit.address, None)?;
    let how = (&urls, prompt.as_deref());
    let prepared = start::prepare(&app, visit.cookie.as_ref(), &SignInId::from(id), connection_id.as_ref(), how).await;
    answer(&app, &visit, prepared?).await
}

async fn answer(app: &App, visit: &Visit, started: Started) -> Result<Response, ApiError> {
    let Started { browser, sign_in: found, connections } = started;
    let connections = match &found.identifier {
        Some(email) => usable(email, connections),
        None => Vec::new(),
    };
    let known = Known { sign_in: Some((&found, &connections)) };
    reply::with_client(app, visit, &browser, &known, sign_in(&found, &connections, app.now())).await
}
