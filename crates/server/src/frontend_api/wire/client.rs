//! `client`: a browser with its sessions and attempts, and `session`.

use crate::app::App;
use crate::flows::browser_sessions::ViewToken;
use crate::flows::sign_in::trip;
use crate::flows::{FlowError, browser_sessions, clients as browsers};
use crate::frontend_api::wire::sign_in::sign_in;
use crate::frontend_api::wire::sign_up::sign_up;
use crate::frontend_api::wire::user::UserView;
use crate::http::json::{NULL, object};
use doorward_model::{Client, Email, EnterpriseConnection, Millis, Session, SignIn, SignUp, UserId};
use doorward_rules::sign_in_route::route;
use doorward_store::{Tx, sign_ins, sign_ups, users};
use serde::Serialize;
use std::borrow::Cow;

/// What the browser shows: its active sessions and the attempts under way.
pub struct ClientView<'a> {
    client: &'a Client,
    sessions: Vec<SessionView>,
    sign_in: Option<(Cow<'a, SignIn>, Cow<'a, [EnterpriseConnection]>)>,
    sign_up: Option<SignUp>,
    now: Millis,
    /// Whose session in focus has no token, because an EASIE provider has to be asked first.
    unconfirmed: Option<UserId>,
}

/// What the caller has just loaded or made, so that it is not loaded again.
#[derive(Default)]
pub struct Known<'a> {
    /// The browser's current sign-in with the connections that serve its address.
    pub sign_in: Option<(&'a SignIn, &'a [EnterpriseConnection])>,
}

impl<'a> ClientView<'a> {
    /// Loads a browser's view. The session in focus comes with a token, so that a page needs no second request.
    pub async fn load(
        app: &App,
        tx: &mut Tx,
        client: &'a Client,
        known: &Known<'a>,
        azp: Option<&str>,
        now: Millis,
    ) -> Result<Self, FlowError> {
        let (mut shown, mut unconfirmed) = (Vec::new(), None);
        for session in browsers::active_sessions(tx, client, now).await? {
            let Some(user) = users::by_id(tx, &session.user_id).await? else { continue };
            let user = UserView::load(app, tx, user).await?;
            let token = if client.last_active_session_id.as_ref() == Some(&session.id) {
                browser_sessions::token_for_view(app, tx, &session, azp.map(str::to_owned)).await?
            } else {
                ViewToken::None
            };
            if matches!(token, ViewToken::Unconfirmed) {
                unconfirmed = Some(session.user_id.clone());
            }
            let token = token.minted();
            shown.push(SessionView { session, user, token });
        }
        let sign_in = current_sign_in(tx, client, known, now).await?;
        let sign_up = current_sign_up(tx, client, now).await?;
        Ok(Self { client, sessions: shown, sign_in, sign_up, now, unconfirmed })
    }

    /// Whose accounts have to be asked about before the session in focus can have a token.
    pub fn unconfirmed(&self) -> Option<&UserId> {
        self.unconfirmed.as_ref()
    }

    /// When the newest active session began; `None` when nobody is signed in.
    pub fn signed_in_at(&self) -> Option<Millis> {
        self.sessions.iter().map(|shown| shown.session.created_at).max()
    }

    /// `client`
    pub fn wire(&self) -> impl Serialize {
        let sessions: Vec<_> = self.sessions.iter().map(|shown| shown.wire(self.now)).collect();
        object! {
            object: "client",
            id: &self.client.id,
            sessions: sessions,
            sign_in: self.sign_in.as_ref().map(|(found, connections)| sign_in(found, connections, self.now)),
            sign_up: self.sign_up.as_ref().map(|found| sign_up(found, self.now)),
            last_active_session_id: &self.client.last_active_session_id,
            last_authentication_strategy: &self.client.last_authentication_strategy,
            cookie_expires_at: NULL,
            captcha_bypass: false,
            created_at: self.client.created_at,
            updated_at: self.client.updated_at,
        }
    }
}

async fn current_sign_in<'a>(
    tx: &mut Tx,
    client: &Client,
    known: &Known<'a>,
    now: Millis,
) -> Result<Option<(Cow<'a, SignIn>, Cow<'a, [EnterpriseConnection]>)>, FlowError> {
    let Some(id) = &client.sign_in_id else { return Ok(None) };
    if let Some((found, connections)) = known.sign_in.filter(|(found, _)| found.id == *id) {
        return Ok(Some((Cow::Borrowed(found), Cow::Borrowed(connections))));
    }
    let Some(found) = sign_ins::by_id(tx, id).await?.filter(|found| now < found.abandon_at) else { return Ok(None) };
    let connections = connections_of(tx, &found).await?;
    Ok(Some((Cow::Owned(found), Cow::Owned(connections))))
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

async fn current_sign_up(tx: &mut Tx, client: &Client, now: Millis) -> Result<Option<SignUp>, FlowError> {
    let Some(id) = &client.sign_up_id else { return Ok(None) };
    Ok(sign_ups::by_id(tx, id).await?.filter(|found| now < found.abandon_at))
}

/// A session with all that is shown of it.
pub struct SessionView {
    pub session: Session,
    pub user: UserView,
    pub token: Option<String>,
}

impl SessionView {
    /// `session`
    pub fn wire(&self, now: Millis) -> impl Serialize {
        let session = &self.session;
        object! {
            object: "session",
            id: &session.id,
            status: session.status_at(now).as_str(),
            expire_at: session.expire_at,
            abandon_at: session.abandon_at,
            last_active_at: session.last_active_at,
            last_active_token: self.token.as_deref().map(|jwt| object! { object: "token", jwt: jwt }),
            last_active_organization_id: &session.last_active_organization_id,
            actor: NULL,
            tasks: NULL,
            user: self.user.user(),
            public_user_data: self.user.public_user_data(),
            factor_verification_age: [(now - session.authenticated_at).max(0) / 60_000, -1],
            created_at: session.created_at,
            updated_at: session.updated_at,
        }
    }
}
