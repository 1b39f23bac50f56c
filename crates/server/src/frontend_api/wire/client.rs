//! `client`: a browser with its sessions and attempts, and `session`.

use crate::app::App;
use crate::flows::sign_in::trip;
use crate::flows::{FlowError, browser_sessions};
use crate::frontend_api::wire::sign_in::sign_in;
use crate::frontend_api::wire::sign_up::sign_up;
use crate::frontend_api::wire::user::UserView;
use doorward_model::{Client, Email, EnterpriseConnection, Millis, Session, SessionStatus, SignIn};
use doorward_rules::sign_in_route::route;
use doorward_store::{Tx, sessions, sign_ins, sign_ups, users};
use serde_json::{Value, json};

/// What the browser shows: its active sessions and the attempts under way.
pub struct ClientView {
    pub wire: Value,
    /// When the newest active session began; `None` when nobody is signed in.
    pub signed_in_at: Option<Millis>,
}

/// What the caller has just loaded or made, so that it is not loaded again.
#[derive(Default)]
pub struct Known<'a> {
    /// The browser's current sign-in with the connections that serve its address.
    pub sign_in: Option<(&'a SignIn, &'a [EnterpriseConnection])>,
}

/// Loads a browser's view. The session in focus comes with a token, so that a page needs no second request.
pub async fn client(
    app: &App,
    tx: &mut Tx,
    client: &Client,
    known: &Known<'_>,
    azp: Option<&str>,
    now: Millis,
) -> Result<ClientView, FlowError> {
    let mut shown = Vec::new();
    let mut signed_in_at = None;
    for of_client in sessions::of_client(tx, &client.id).await? {
        if of_client.status_at(now) != SessionStatus::Active {
            continue;
        }
        let Some(user) = users::by_id(tx, &of_client.user_id).await? else { continue };
        let view = UserView::load(tx, user).await?;
        let token = if client.last_active_session_id.as_ref() == Some(&of_client.id) {
            browser_sessions::token_for_view(app, tx, &of_client, azp.map(str::to_owned)).await?
        } else {
            None
        };
        signed_in_at = signed_in_at.max(Some(of_client.created_at));
        shown.push(session(&of_client, &view, token.as_deref(), now));
    }
    let wire = json!({
        "object": "client",
        "id": client.id,
        "sessions": shown,
        "sign_in": current_sign_in(tx, client, known, now).await?,
        "sign_up": current_sign_up(tx, client, now).await?,
        "last_active_session_id": client.last_active_session_id,
        "last_authentication_strategy": client.last_authentication_strategy,
        "cookie_expires_at": null,
        "captcha_bypass": false,
        "created_at": client.created_at,
        "updated_at": client.updated_at,
    });
    Ok(ClientView { wire, signed_in_at })
}

async fn current_sign_in(
    tx: &mut Tx,
    client: &Client,
    known: &Known<'_>,
    now: Millis,
) -> Result<Option<Value>, FlowError> {
    let Some(id) = &client.sign_in_id else { return Ok(None) };
    if let Some((found, connections)) = known.sign_in.filter(|(found, _)| found.id == *id) {
        return Ok(Some(sign_in(found, connections, now)));
    }
    let Some(found) = sign_ins::by_id(tx, id).await?.filter(|found| now < found.abandon_at) else { return Ok(None) };
    let connections = connections_of(tx, &found).await?;
    Ok(Some(sign_in(&found, &connections, now)))
}

/// The connections to show for a sign-in.
pub async fn connections_of(tx: &mut Tx, found: &SignIn) -> Result<Vec<EnterpriseConnection>, FlowError> {
    match &found.identifier {
        Some(email) => Ok(usable(email, trip::connections_for(tx, email).await?)),
        None => Ok(Vec::new()),
    }
}

/// Those of the loaded connections that the address may use, oldest first.
pub fn usable(email: &Email, loaded: Vec<EnterpriseConnection>) -> Vec<EnterpriseConnection> {
    route(email, &loaded).connections().into_iter().cloned().collect()
}

async fn current_sign_up(tx: &mut Tx, client: &Client, now: Millis) -> Result<Option<Value>, FlowError> {
    let Some(id) = &client.sign_up_id else { return Ok(None) };
    let found = sign_ups::by_id(tx, id).await?.filter(|found| now < found.abandon_at);
    Ok(found.map(|found| sign_up(&found, now)))
}

/// `session`
pub fn session(session: &Session, user: &UserView, token: Option<&str>, now: Millis) -> Value {
    json!({
        "object": "session",
        "id": session.id,
        "status": session.status_at(now).as_str(),
        "expire_at": session.expire_at,
        "abandon_at": session.abandon_at,
        "last_active_at": session.last_active_at,
        "last_active_token": token.map(|jwt| json!({"object": "token", "jwt": jwt})),
        "last_active_organization_id": session.last_active_organization_id,
        "actor": null,
        "tasks": null,
        "user": user.user(),
        "public_user_data": user.public_user_data(),
        "factor_verification_age": [(now - session.authenticated_at).max(0) / 60_000, -1],
        "created_at": session.created_at,
        "updated_at": session.updated_at,
    })
}
