//! `/v1/redirect_urls`

use super::wire::{Deleted, deleted};
use crate::app::App;
use crate::flows::{Refusal, instance as flow};
use crate::http::pagination::{list as wire_list, page};
use crate::http::{ApiError, Params, Path, Query};
use axum::Json;
use axum::extract::State;
use doorward_model::{RedirectUrl, RedirectUrlId};
use doorward_store::redirect_urls as store;
use serde_json::{Value, json};
use std::sync::Arc;
use url::Url;

fn shown(url: &RedirectUrl) -> Value {
    json!({
        "object": "redirect_url",
        "id": url.id,
        "url": url.url,
        "created_at": url.created_at,
        "updated_at": url.updated_at,
    })
}

/// The URLs, newest first: a bare list, or with `paginated=true` with the total.
pub async fn list(State(app): State<Arc<App>>, query: Query) -> Result<Json<Value>, ApiError> {
    let page = page(&query)?;
    let paginated = query.bool("paginated")? == Some(true);
    let mut tx = app.store.read().await?;
    let data: Vec<Value> = store::list(&mut tx, page).await?.iter().map(shown).collect();
    if !paginated {
        return Ok(Json(Value::Array(data)));
    }
    Ok(Json(wire_list(data, store::count(&mut tx).await?)))
}

/// Allows a URL.
pub async fn create(State(app): State<Arc<App>>, params: Params) -> Result<Json<Value>, ApiError> {
    let text = params.required_text("url")?;
    let invalid = |reason: &str| Refusal::ParamInvalid { param: "url".into(), reason: reason.into() };
    let url = Url::parse(text.trim()).map_err(|_| invalid("must be an absolute URL"))?;
    if matches!(url.scheme(), "javascript" | "data" | "vbscript" | "file" | "blob" | "about") {
        return Err(invalid("has a scheme that browsers must not be sent to").into());
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("must hold neither credentials nor query nor fragment").into());
    }
    // Browsers' spelling of the URL, so that it can be compared; what was sent comes back where the two are the same place.
    let made = flow::allow_redirect_url(&app, url.as_str()).await?;
    Ok(Json(shown(&made)))
}

/// One URL.
pub async fn get(State(app): State<Arc<App>>, Path(id): Path<RedirectUrlId>) -> Result<Json<Value>, ApiError> {
    match store::by_id(&mut app.store.read().await?, &id).await? {
        Some(found) => Ok(Json(shown(&found))),
        None => Err(Refusal::NotFound { what: "redirect URL", id: id.to_string() }.into()),
    }
}

/// Forbids a URL again.
pub async fn delete(State(app): State<Arc<App>>, Path(id): Path<RedirectUrlId>) -> Result<Json<Deleted>, ApiError> {
    flow::forbid_redirect_url(&app, &id).await?;
    Ok(deleted("redirect_url", id.as_str()))
}
