//! `/v1/sessions`

use super::wire::session::session;
use crate::app::App;
use crate::flows::{Refusal, sessions as flow};
use crate::http::pagination::{list as wire_list, page};
use crate::http::{ApiError, Params, Path, Query};
use axum::Json;
use axum::extract::State;
use doorward_model::{OrganizationId, SessionId, SessionStatus, UserId};
use doorward_rules::session::TOKEN_LIFETIME_SECONDS;
use doorward_store::sessions::{self as store, ListFilter};
use serde_json::{Value, json};
use std::sync::Arc;

/// A page of sessions, newest first: a bare list, or with `paginated=true` with the total.
pub async fn list(State(app): State<Arc<App>>, query: Query) -> Result<Json<Value>, ApiError> {
    let page = page(&query)?;
    let paginated = query.bool("paginated")? == Some(true);
    let status = match query.text("status") {
        None => None,
        Some(text) => Some(SessionStatus::parse(text).ok_or_else(|| Refusal::QueryInvalid {
            param: "status".into(),
            reason: "is no status of a session".into(),
        })?),
    };
    let text = |name: &str| query.text(name).map(str::to_owned);
    let filter = ListFilter { client_id: text("client_id"), user_id: text("user_id"), status };
    let now = app.now();
    let mut tx = app.store.read().await?;
    let found = store::list(&mut tx, &filter, now, page).await?;
    let data: Vec<Value> = found.iter().map(|found| session(found, now)).collect();
    if !paginated {
        return Ok(Json(Value::Array(data)));
    }
    Ok(Json(wire_list(data, store::count(&mut tx, &filter, now).await?)))
}

/// Makes a session for a user.
pub async fn create(State(app): State<Arc<App>>, params: Params) -> Result<Json<Value>, ApiError> {
    let user_id = UserId::from(params.required_text("user_id")?);
    let organization = params.text("active_organization_id")?.value().filter(|id| !id.is_empty());
    let organization = organization.map(OrganizationId::from);
    let made = flow::create(&app, &user_id, organization.as_ref()).await?;
    Ok(Json(session(&made, app.now())))
}

/// One session.
pub async fn get(State(app): State<Arc<App>>, Path(id): Path<SessionId>) -> Result<Json<Value>, ApiError> {
    let found = flow::by_id(&mut app.store.read().await?, &id).await?;
    Ok(Json(session(&found, app.now())))
}

/// Ends a session.
pub async fn revoke(State(app): State<Arc<App>>, Path(id): Path<SessionId>) -> Result<Json<Value>, ApiError> {
    Ok(Json(session(&flow::revoke(&app, &id).await?, app.now())))
}

/// A session token (TOK-7).
pub async fn token(
    State(app): State<Arc<App>>,
    Path(id): Path<SessionId>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let lifetime = params.int("expires_in_seconds", 30..=315_360_000)?.value().unwrap_or(TOKEN_LIFETIME_SECONDS);
    let jwt = flow::token(&app, &id, lifetime).await?;
    Ok(Json(json!({"object": "token", "jwt": jwt})))
}
