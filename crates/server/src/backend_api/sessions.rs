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

#[cfg(test)]
mod tests {
    use crate::testing::TestApp;
    use axum::http::Method;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    const SESSIONS: &str = "/v1/sessions";
    const DAY: i64 = 24 * 60 * 60 * 1000;

    async fn user(app: &TestApp, address: &str) -> Value {
        let user = app.backend(Method::POST, "/v1/users", json!({"email_address": [address]})).await.ok();
        user["id"].clone()
    }

    async fn organization(app: &TestApp, body: Value) -> Value {
        app.advance(1);
        app.backend(Method::POST, "/v1/organizations", body).await.ok()
    }

    async fn start(app: &TestApp, body: Value) -> Value {
        app.advance(1);
        app.backend(Method::POST, SESSIONS, body).await.ok()
    }

    fn path(session: &Value) -> String {
        format!("{SESSIONS}/{}", session["id"].as_str().unwrap())
    }

    async fn claims(app: &TestApp, session: &Value) -> Value {
        let token = app.backend(Method::POST, &format!("{}/tokens", path(session)), Value::Null).await.ok();
        let payload = token["jwt"].as_str().unwrap().split('.').nth(1).unwrap().to_owned();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn every_refusal_of_create_leaves_no_session_behind() {
        for app in TestApp::on_each_database().await {
            let ada = user(&app, "ada@people.test").await;
            let others = organization(&app, json!({"name": "Others"})).await;
            let hidden = "organization_not_found_or_unauthorized";
            let cases = [
                (json!({}), 422, "form_param_missing"),
                (json!({"user_id": ""}), 422, "form_param_value_invalid"),
                (json!({"user_id": 7}), 422, "form_param_type_invalid"),
                (json!({"user_id": "user_nobody"}), 404, "resource_not_found"),
                (json!({"user_id": ada, "active_organization_id": others["id"]}), 404, hidden),
                (json!({"user_id": ada, "active_organization_id": "org_nowhere"}), 404, hidden),
            ];
            for (body, status, code) in cases {
                let answer = app.backend(Method::POST, SESSIONS, body.clone()).await;
                assert_eq!(answer.error(), (status, code.to_owned()), "{body}");
            }
            assert_eq!(app.backend(Method::GET, SESSIONS, Value::Null).await.ok(), json!([]));
            app.close().await;
        }
    }

    #[tokio::test]
    async fn org8_mem18_the_organization_joined_last_is_active() {
        for app in TestApp::on_each_database().await {
            let ada = user(&app, "ada@people.test").await;
            assert_eq!(start(&app, json!({"user_id": ada})).await["last_active_organization_id"], Value::Null);
            let first = organization(&app, json!({"name": "First", "created_by": ada})).await["id"].clone();
            let second = organization(&app, json!({"name": "Second"})).await["id"].clone();
            assert_eq!(start(&app, json!({"user_id": ada})).await["last_active_organization_id"], first);
            app.advance(1);
            let members = format!("/v1/organizations/{}/memberships", second.as_str().unwrap());
            let join = json!({"user_id": ada, "role": "org:member"});
            app.backend(Method::POST, &members, join).await.ok();
            assert_eq!(start(&app, json!({"user_id": ada})).await["last_active_organization_id"], second);
            let wish = json!({"user_id": ada, "active_organization_id": first});
            assert_eq!(start(&app, wish).await["last_active_organization_id"], first);
            app.close().await;
        }
    }

    #[tokio::test]
    async fn tok11_a_session_lives_for_seven_days() {
        for app in TestApp::on_each_database().await {
            let ada = user(&app, "ada@people.test").await;
            let session = start(&app, json!({"user_id": ada})).await;
            let [created, end] = ["created_at", "expire_at"].map(|name| session[name].as_i64().unwrap());
            assert_eq!(end - created, 7 * DAY);
            app.advance(7 * DAY - 1);
            claims(&app, &session).await;
            app.advance(1);
            assert_eq!(app.backend(Method::GET, &path(&session), Value::Null).await.ok()["status"], "expired");
            let token = app.backend(Method::POST, &format!("{}/tokens", path(&session)), Value::Null).await;
            assert_eq!(token.error(), (400, "invalid_action_for_session".to_owned()));
            let count = async |status: &str| {
                let list = format!("{SESSIONS}?paginated=true&status={status}");
                app.backend(Method::GET, &list, Value::Null).await.ok()["total_count"].clone()
            };
            assert_eq!((count("active").await, count("expired").await), (json!(0), json!(1)));
            // What expired is not revoked afterwards.
            let revoked = app.backend(Method::POST, &format!("{}/revoke", path(&session)), Value::Null).await.ok();
            assert_eq!(revoked["status"], "expired");
            app.close().await;
        }
    }

    #[tokio::test]
    async fn tok17_a_revoked_session_stays_revoked_and_mints_nothing() {
        let app = TestApp::new().await;
        let ada = user(&app, "ada@people.test").await;
        let (one, two) = (start(&app, json!({"user_id": ada})).await, start(&app, json!({"user_id": ada})).await);
        let revoke = format!("{}/revoke", path(&one));
        for _ in 0..2 {
            assert_eq!(app.backend(Method::POST, &revoke, Value::Null).await.ok()["status"], "revoked");
        }
        let token = app.backend(Method::POST, &format!("{}/tokens", path(&one)), Value::Null).await;
        assert_eq!(token.error(), (400, "invalid_action_for_session".to_owned()));
        claims(&app, &two).await;
        app.close().await;
    }

    #[tokio::test]
    async fn unknown_sessions_and_unreadable_queries_are_refused() {
        let app = TestApp::new().await;
        for (method, rest) in [(Method::GET, ""), (Method::POST, "/revoke"), (Method::POST, "/tokens")] {
            let answer = app.backend(method, &format!("{SESSIONS}/sess_none{rest}"), Value::Null).await;
            assert_eq!(answer.error(), (404, "resource_not_found".to_owned()), "{rest}");
        }
        for bad in ["status=asleep", "limit=0", "offset=-1", "paginated=maybe"] {
            let answer = app.backend(Method::GET, &format!("{SESSIONS}?{bad}"), Value::Null).await;
            assert_eq!(answer.error(), (422, "form_param_value_invalid".to_owned()), "{bad}");
        }
        app.close().await;
    }

    #[tokio::test]
    async fn tok7_a_lifetime_has_bounds() {
        let app = TestApp::new().await;
        let ada = user(&app, "ada@people.test").await;
        let session = start(&app, json!({"user_id": ada})).await;
        let tokens = format!("{}/tokens", path(&session));
        for (lifetime, code) in [
            (json!(29), "form_param_value_invalid"),
            (json!(315_360_001), "form_param_value_invalid"),
            (json!("soon"), "form_param_type_invalid"),
            (json!(60.5), "form_param_type_invalid"),
        ] {
            let answer = app.backend(Method::POST, &tokens, json!({"expires_in_seconds": lifetime})).await;
            assert_eq!(answer.error(), (422, code.to_owned()), "{lifetime}");
        }
        for lifetime in [json!(30), json!(315_360_000), Value::Null] {
            app.backend(Method::POST, &tokens, json!({"expires_in_seconds": lifetime})).await.ok();
        }
        app.close().await;
    }

    #[tokio::test]
    async fn tok1_tok2_a_token_tells_who_where_and_since_when() {
        for app in TestApp::on_each_database().await {
            let ada = user(&app, "ada@people.test").await;
            let acme = organization(&app, json!({"name": "Acme", "slug": "acme", "created_by": ada})).await;
            let session = start(&app, json!({"user_id": ada})).await;
            app.advance(5 * 60_000);
            let told = claims(&app, &session).await;
            assert_eq!((&told["sub"], &told["sid"], &told["v"]), (&ada, &session["id"], &json!(2)));
            assert_eq!(told["iss"], "https://clerk.example.com");
            assert_eq!(told["fva"], json!([5, -1]));
            assert_eq!(told["exp"].as_i64().unwrap() - told["iat"].as_i64().unwrap(), 60);
            assert_eq!(told["o"], json!({"id": acme["id"], "rol": "admin", "slg": "acme"}));
            let acme = format!("/v1/organizations/{}", acme["id"].as_str().unwrap());
            app.backend(Method::DELETE, &acme, Value::Null).await.ok();
            assert!(claims(&app, &session).await.get("o").is_none());
            app.close().await;
        }
    }
}
