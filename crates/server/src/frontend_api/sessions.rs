//! `/v1/client/sessions/{id}`

use crate::app::App;
use crate::flows::browser_sessions::{self, Choice};
use crate::flows::{FlowError, Refusal};
use crate::frontend_api::reply;
use crate::frontend_api::visit::Visit;
use crate::frontend_api::wire::client::SessionView;
use crate::frontend_api::wire::user::UserView;
use crate::http::json::{object, respond};
use crate::http::{ApiError, Params, Path};
use axum::extract::State;
use axum::response::Response;
use doorward_model::{Client, Session, SessionId, SessionStatus};
use doorward_store::users;
use std::sync::Arc;

/// An organization parameter: absent keeps, empty is the personal workspace (TOK-9).
fn choice(params: &Params, name: &str) -> Result<Choice, Refusal> {
    if !params.has(name) {
        return Ok(Choice::Keep);
    }
    Ok(match params.text(name)?.value() {
        Some(id) if !id.is_empty() => Choice::Organization(id),
        _ => Choice::Personal,
    })
}

/// Reads a session of this browser.
pub async fn get(State(app): State<Arc<App>>, visit: Visit, Path(id): Path<String>) -> Result<Response, ApiError> {
    let client = reply::known_client(&app, &visit).await?;
    let mut tx = app.store.read().await?;
    let found = browser_sessions::get(&mut tx, &client, &SessionId::from(id)).await?;
    drop(tx);
    Ok(reply::only(view(&app, &visit, found).await?.wire(app.now())))
}

/// A session token (TOK-9). Not wrapped in an envelope.
pub async fn token(
    State(app): State<Arc<App>>,
    visit: Visit,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    let choice = choice(&params, "organization_id")?;
    let azp = visit.caller.authorized_party;
    let jwt = browser_sessions::token(&app, visit.cookie.as_ref(), &SessionId::from(id), &choice, azp).await?;
    Ok(respond(&object! { object: "token", jwt: jwt }))
}

/// Notes activity and switches the organization (TOK-10).
pub async fn touch(
    State(app): State<Arc<App>>,
    visit: Visit,
    Path(id): Path<String>,
    params: Params,
) -> Result<Response, ApiError> {
    if let Some(intent) = params.text("intent")?.value()
        && !matches!(intent.as_str(), "" | "focus" | "select_session" | "select_org")
    {
        return Err(
            Refusal::ParamInvalid { param: "intent".into(), reason: "is none of the known intents".into() }.into()
        );
    }
    let choice = choice(&params, "active_organization_id")?;
    let touched = browser_sessions::touch(&app, visit.cookie.as_ref(), &SessionId::from(id), &choice).await?;
    answer(&app, &visit, touched).await
}

/// Ends a session.
pub async fn end(State(app): State<Arc<App>>, visit: Visit, Path(id): Path<String>) -> Result<Response, ApiError> {
    let ended = end_as(&app, &visit, id, SessionStatus::Ended).await?;
    answer(&app, &visit, ended).await
}

/// Removes a session from the browser.
pub async fn remove(State(app): State<Arc<App>>, visit: Visit, Path(id): Path<String>) -> Result<Response, ApiError> {
    let removed = end_as(&app, &visit, id, SessionStatus::Removed).await?;
    answer(&app, &visit, removed).await
}

async fn end_as(app: &App, visit: &Visit, id: String, status: SessionStatus) -> Result<(Client, Session), FlowError> {
    browser_sessions::end(app, visit.cookie.as_ref(), &SessionId::from(id), status).await
}

async fn answer(app: &App, visit: &Visit, (client, found): (Client, Session)) -> Result<Response, ApiError> {
    let view = view(app, visit, found).await?;
    reply::with_known_client(app, visit, client, view.wire(app.now())).await
}

async fn view(app: &App, visit: &Visit, session: Session) -> Result<SessionView, ApiError> {
    let mut tx = app.store.read().await?;
    let user = users::by_id(&mut tx, &session.user_id).await?.ok_or(Refusal::SignedOut)?;
    let user = UserView::load(app, &mut tx, user).await?;
    let azp = visit.caller.authorized_party.clone();
    let token = browser_sessions::token_for_view(app, &mut tx, &session, azp).await?.minted();
    Ok(SessionView { session, user, token })
}
