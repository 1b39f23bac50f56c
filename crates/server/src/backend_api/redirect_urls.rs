//! `/v1/redirect_urls`

use super::wire::{Deleted, deleted};
use crate::app::App;
use crate::config::parse_redirect_url;
use crate::flows::{Refusal, instance as flow};
use crate::http::pagination::{list as wire_list, page};
use crate::http::{ApiError, Params, Path, Query};
use axum::Json;
use axum::extract::State;
use doorward_model::{RedirectUrl, RedirectUrlId};
use doorward_store::redirect_urls as store;
use serde_json::{Value, json};
use std::sync::Arc;

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
    let url = parse_redirect_url(&text)
        .map_err(|reason| Refusal::ParamInvalid { param: "url".into(), reason: reason.into() })?;
    let made = flow::allow_redirect_url(&app, &url).await?;
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

#[cfg(test)]
mod tests {
    use crate::testing::TestApp;
    use axum::http::Method;
    use futures_util::future::join_all;
    use serde_json::{Value, json};

    const URLS: &str = "/v1/redirect_urls";

    #[tokio::test]
    async fn dec28_a_url_that_is_none_or_does_harm_is_refused() {
        let app = TestApp::new().await;
        let invalid = "form_param_value_invalid";
        let mut cases = vec![(json!({}), "form_param_missing"), (json!({"url": 7}), "form_param_type_invalid")];
        for url in [
            "",
            " ",
            "not a url",
            "/relative",
            "example.test/x",
            "https://",
            "javascript:alert(1)",
            " JavaScript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "https://user@app.test/",
            "https://app.test/?x=1",
            "https://app.test/#x",
        ] {
            cases.push((json!({"url": url}), invalid));
        }
        for (body, code) in cases {
            let answer = app.backend(Method::POST, URLS, body.clone()).await;
            assert_eq!(answer.error(), (422, code.to_owned()), "{body}");
            assert_eq!(answer.json()["errors"][0]["meta"]["param_name"], "url", "{body}");
        }
        assert_eq!(app.backend(Method::GET, URLS, Value::Null).await.ok(), json!([]));
        app.close().await;
    }

    #[tokio::test]
    async fn dec28_a_url_is_listed_once_whoever_asks() {
        for app in TestApp::on_each_database().await {
            for urls in [["https://app.test/callback"; 6], ["https://App.test:443/callback"; 6]] {
                let calls = urls.map(|url| app.backend(Method::POST, URLS, json!({"url": url})));
                for answer in join_all(calls).await.iter().filter(|answer| !answer.status.is_success()) {
                    assert_eq!(answer.error(), (400, "duplicate_record".to_owned()));
                }
            }
            let list = app.backend(Method::GET, &format!("{URLS}?paginated=true"), Value::Null).await.ok();
            assert_eq!(list["total_count"], 1);
            app.close().await;
        }
    }

    #[tokio::test]
    async fn dec28_urls_are_read_listed_and_deleted() {
        let app = TestApp::new().await;
        let mut made = Vec::new();
        for url in ["https://one.test/x", "my-app://callback", "http://localhost:3000/x"] {
            app.advance(1);
            let one = app.backend(Method::POST, URLS, json!({"url": url})).await.ok();
            assert_eq!(one["url"], url);
            made.insert(0, one);
        }
        assert_eq!(app.backend(Method::GET, URLS, Value::Null).await.ok(), json!(made));
        let page = app.backend(Method::GET, &format!("{URLS}?paginated=true&limit=1&offset=1"), Value::Null).await.ok();
        assert_eq!(page, json!({"data": [made[1]], "total_count": 3}));
        let one = format!("{URLS}/{}", made[0]["id"].as_str().unwrap());
        assert_eq!(app.backend(Method::GET, &one, Value::Null).await.ok(), made[0]);
        let gone = app.backend(Method::DELETE, &one, Value::Null).await.ok();
        assert_eq!(gone, json!({"object": "redirect_url", "id": made[0]["id"], "deleted": true}));
        for method in [Method::GET, Method::DELETE] {
            let answer = app.backend(method, &one, Value::Null).await;
            assert_eq!(answer.error(), (404, "resource_not_found".to_owned()));
        }
        for bad in ["limit=0", "offset=-1", "paginated=maybe"] {
            let answer = app.backend(Method::GET, &format!("{URLS}?{bad}"), Value::Null).await;
            assert_eq!(answer.error(), (422, "form_param_value_invalid".to_owned()), "{bad}");
        }
        app.close().await;
    }
}
