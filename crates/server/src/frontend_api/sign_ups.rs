//! `/v1/client/sign_ups`

use crate::app::App;
use crate::flows::Refusal;
use crate::flows::sign_in::sign_up::{self as flow, SignUpChange, Started};
use crate::flows::sign_in::trip;
use crate::frontend_api::reply;
use crate::frontend_api::sign_ins::{connection_id, oidc_prompt, strategy};
use crate::frontend_api::visit::{Visit, trip_urls};
use crate::frontend_api::wire::client::{Known, usable};
use crate::frontend_api::wire::sign_up::sign_up;
use crate::http::json::object;
use crate::http::{ApiError, Params, Path};
use axum::extract::State;
use axum::response::Response;
use doorward_model::{Email, SignUpId};
use std::sync::Arc;

async fn change(app: &App, params: &Params, visit: &Visit) -> Result<SignUpChange, ApiError> {
    let email = params.text("email_address")?.value().filter(|text| !text.is_empty());
    let email_address = email.map(|text| Email::parse(&text)).transpose();
    let malformed =
        |_| Refusal::ParamFormat { param: "email_address".into(), reason: "must be a valid email address".into() };
    Ok(SignUpChange {
        email_address: email_address.map_err(malformed)?,
        first_name: params.text("first_name")?.value(),
        last_name: params.text("last_name")?.value(),
        unsafe_metadata: params.object("unsafe_metadata")?.value(),
        strategy: strategy(params)?,
        has_password: params.has("password"),
        enterprise_connection_id: connection_id(params)?,
        urls: trip_urls(app, params, &visit.caller).await?,
        oidc_prompt: oidc_prompt(params)?,
    })
}

/// Begins a sign-up.
pub async fn create(State(app): State<Arc<App>>, visit: Visit, params: Params) -> Result<Response, ApiError> {
    // A sign-in through a connection makes the account itself (DECISIONS "Wire" 7), so none ever waits to be transferred.
    if params.bool("transfer")?.value() == Some(true) {
        return Err(Refusal::TransferInvalid.into());
    }
    let change = change(&app, &params, &visit).await?;
    app.rate_limits.attempt(visit.address, change.email_address.as_ref().map(Email::as_str))?;
    let started = flow::create(&app, visit.cookie.as_ref(), &change).await?;
    answer(&app, &visit, started).await
}

/// Changes a sign-up; with `strategy=enterprise_sso` and redirect URLs, begins the trip to the IdP (DEC-10).
pub async fn update(
    State(app): State<Arc<App>>,
    visit: Visit,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    let change = change(&app, &params, &visit).await?;
    app.rate_limits.attempt(visit.address, change.email_address.as_ref().map(Email::as_str))?;
    let started = flow::update(&app, visit.cookie.as_ref(), &SignUpId::from(id), &change).await?;
    answer(&app, &visit, started).await
}

/// Reads a sign-up of this browser.
pub async fn get(State(app): State<Arc<App>>, visit: Visit, Path(id): Path<String>) -> Result<Response, ApiError> {
    let client = reply::known_client(&app, &visit).await?;
    let mut tx = app.store.read().await?;
    let found = flow::get(&mut tx, &client, &SignUpId::from(id)).await?;
    Ok(reply::only(sign_up(&found, app.now())))
}

/// The connections that serve the sign-up's address, to choose from (DEC-12).
pub async fn enterprise_connections(
    State(app): State<Arc<App>>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let client = reply::known_client(&app, &visit).await?;
    let mut tx = app.store.read().await?;
    let found = flow::get(&mut tx, &client, &SignUpId::from(id)).await?;
    let connections = match &found.email_address {
        Some(email) => usable(email, trip::connections_for(&mut tx, email).await?),
        None => Vec::new(),
    };
    let wire = connections.iter().map(|connection| object! { id: &connection.id, name: &connection.name });
    Ok(reply::only(wire.collect::<Vec<_>>()))
}

async fn answer(app: &App, visit: &Visit, started: Started) -> Result<Response, ApiError> {
    reply::with_client(app, visit, &started.browser, &Known::default(), sign_up(&started.sign_up, app.now())).await
}
