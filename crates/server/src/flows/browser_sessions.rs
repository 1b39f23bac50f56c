//! What a browser does with its sessions: tokens, touch, end, sign-out (TOK-9, TOK-10).

use crate::app::App;
use crate::flows::clients::{self as browsers, ClientCookie, secret_matches};
use crate::flows::{FlowError, Refusal, deprovision, session_tokens as tokens};
use doorward_model::{Client, OrganizationId, Session, SessionId, SessionStatus};
use doorward_rules::session::{MintRefusal, TOKEN_LIFETIME_SECONDS, mint};
use doorward_store::sessions::TokenFacts;
use doorward_store::{Tx, clients, memberships, organizations, sessions, users, write_tx};
use std::sync::Arc;

/// Which organization a token or a session is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Leave what is.
    Keep,
    /// None: the personal workspace.
    Personal,
    Organization(String),
}

/// Mints a session token for the browser that holds the session. One query and one signature; where an EASIE provider has to be
/// asked about the user's account first, that, and the query once more.
pub async fn token(
    app: &Arc<App>,
    cookie: Option<&ClientCookie>,
    id: &SessionId,
    choice: &Choice,
    authorized_party: Option<String>,
) -> Result<String, FlowError> {
    let cookie = cookie.ok_or(Refusal::SignedOut)?;
    let wanted = match choice {
        Choice::Organization(id) => Some(OrganizationId::from(id.as_str())),
        Choice::Keep | Choice::Personal => None,
    };
    let mut tx = app.store.read().await?;
    let mut facts = facts_for(&mut tx, cookie, id, wanted.as_ref()).await?;
    let mut may = may_mint(&facts, app.now(), wanted.is_some());
    if may.is_ok() && deprovision::is_to_be_confirmed(app, &facts, app.now()) {
        drop(tx);
        deprovision::confirm(app, &facts.session.user_id).await?;
        tx = app.store.read().await?;
        facts = facts_for(&mut tx, cookie, id, wanted.as_ref()).await?;
        may = may_mint(&facts, app.now(), wanted.is_some());
    }
    if let Err(refusal) = may {
        let (session, gone) = (&facts.session, Refusal::Deprovisioned);
        return Err(deprovision::why_ended(&mut tx, session, gone, refusal).await?.into());
    }
    if *choice == Choice::Personal {
        facts.membership = None;
    }
    tokens::mint(app, &mut tx, &facts, authorized_party, app.now(), TOKEN_LIFETIME_SECONDS).await
}

/// The facts behind a token for the browser that holds the session.
async fn facts_for(
    tx: &mut Tx,
    cookie: &ClientCookie,
    id: &SessionId,
    wanted: Option<&OrganizationId>,
) -> Result<TokenFacts, FlowError> {
    let facts = sessions::token_facts(tx, id, wanted).await?;
    let Some(facts) = facts.filter(|facts| facts.session.client_id == cookie.id) else {
        // Only a known browser is told that the session is not its own; the page of any other has to sign in.
        let known = browsers::find(tx, Some(cookie)).await?;
        return Err(known.map_or(Refusal::SignedOut, |_| not_found(id)).into());
    };
    if !secret_matches(&cookie.secret, &facts.client_token_sha256) {
        return Err(Refusal::SignedOut.into());
    }
    Ok(facts)
}

/// The token of a session for the page that shows it.
pub enum ViewToken {
    Minted(String),
    /// An EASIE provider has to be asked about the user's account first, which takes the transaction to end.
    Unconfirmed,
    /// There is none to be had.
    None,
}

impl ViewToken {
    /// The token, if there is one.
    pub fn minted(self) -> Option<String> {
        match self {
            Self::Minted(jwt) => Some(jwt),
            Self::Unconfirmed | Self::None => None,
        }
    }
}

/// Mints a token of a session for the page that shows it.
pub async fn token_for_view(
    app: &App,
    tx: &mut Tx,
    session: &Session,
    authorized_party: Option<String>,
) -> Result<ViewToken, FlowError> {
    let now = app.now();
    let Some(facts) = sessions::token_facts(tx, &session.id, None).await? else { return Ok(ViewToken::None) };
    if may_mint(&facts, now, false).is_err() {
        return Ok(ViewToken::None);
    }
    if deprovision::is_to_be_confirmed(app, &facts, now) {
        return Ok(ViewToken::Unconfirmed);
    }
    tokens::mint(app, tx, &facts, authorized_party, now, TOKEN_LIFETIME_SECONDS).await.map(ViewToken::Minted)
}

fn may_mint(facts: &TokenFacts, now: i64, wants_organization: bool) -> Result<(), Refusal> {
    let blocked = facts.user_banned || facts.user_locked || facts.user_deprovisioned;
    mint(&facts.session, now, blocked, wants_organization, facts.membership.is_some()).map_err(
        |refusal| match refusal {
            MintRefusal::NotActive(_) | MintRefusal::UserBlocked => Refusal::SignedOut,
            MintRefusal::NotAMember => Refusal::OrganizationNotFound,
        },
    )
}

fn not_found(id: &SessionId) -> Refusal {
    Refusal::NotFound { what: "session", id: id.as_str().chars().take(100).collect() }
}

/// A session of this browser; another browser's does not exist for it.
pub async fn get(tx: &mut Tx, client: &Client, id: &SessionId) -> Result<Session, FlowError> {
    let session = sessions::by_id(tx, id).await?.filter(|session| session.client_id == client.id);
    Ok(session.ok_or_else(|| not_found(id))?)
}

/// Notes that a session is in use, and makes an organization or the session itself the active one.
pub async fn touch(
    app: &App,
    cookie: Option<&ClientCookie>,
    id: &SessionId,
    choice: &Choice,
) -> Result<(Client, Session), FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| {
        let mut client = browsers::find(tx, cookie).await?.ok_or(Refusal::SignedOut)?;
        let mut session = get(tx, &client, id).await?;
        if session.status_at(now) != SessionStatus::Active {
            return Err(Refusal::SignedOut.into());
        }
        match choice {
            Choice::Keep => {}
            Choice::Personal => session.last_active_organization_id = None,
            Choice::Organization(wanted) => {
                session.last_active_organization_id = Some(organization_of_member(tx, &session, wanted).await?);
            }
        }
        session.last_active_at = now;
        session.updated_at = now;
        sessions::update(tx, &session).await?;
        users::touch(tx, &session.user_id, now).await?;
        client.last_active_session_id = Some(session.id.clone());
        client.updated_at = now;
        clients::update(tx, &client).await?;
        Ok((client, session))
    })
}

/// The organization with this id or slug, if the session's user is a member of it (ORG-21: else it does not exist).
async fn organization_of_member(tx: &mut Tx, session: &Session, wanted: &str) -> Result<OrganizationId, FlowError> {
    let id = OrganizationId::from(wanted);
    let organization = match organizations::by_id(tx, &id).await? {
        Some(organization) => Some(organization),
        None => organizations::by_slug(tx, wanted).await?,
    };
    let organization = organization.ok_or(Refusal::OrganizationNotFound)?;
    match memberships::get(tx, &organization.id, &session.user_id).await? {
        Some(_) => Ok(organization.id),
        None => Err(Refusal::OrganizationNotFound.into()),
    }
}

/// Ends one session of this browser, with the status `ended` or `removed`. Ending an ended one changes nothing.
pub async fn end(
    app: &App,
    cookie: Option<&ClientCookie>,
    id: &SessionId,
    status: SessionStatus,
) -> Result<(Client, Session), FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| {
        let mut client = browsers::find(tx, cookie).await?.ok_or(Refusal::SignedOut)?;
        let mut session = get(tx, &client, id).await?;
        if session.status_at(now) == SessionStatus::Active {
            session.status = status;
            session.updated_at = now;
            sessions::update(tx, &session).await?;
        }
        leave_active(tx, &mut client, now).await?;
        Ok((client, session))
    })
}

/// Ends all sessions of this browser. Answers `None` when there is no such browser.
pub async fn sign_out(app: &App, cookie: Option<&ClientCookie>) -> Result<Option<Client>, FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| {
        let Some(mut client) = browsers::find(tx, cookie).await? else { return Ok(None) };
        for mut session in browsers::active_sessions(tx, &client, now).await? {
            session.status = SessionStatus::Removed;
            session.updated_at = now;
            sessions::update(tx, &session).await?;
        }
        client.sign_in_id = None;
        client.sign_up_id = None;
        leave_active(tx, &mut client, now).await?;
        Ok(Some(client))
    })
}

/// Lets the newest session that is still active be the one in focus.
async fn leave_active(tx: &mut Tx, client: &mut Client, now: i64) -> Result<(), FlowError> {
    let active = browsers::active_sessions(tx, client, now).await?;
    client.last_active_session_id = active.last().map(|session| session.id.clone());
    client.updated_at = now;
    Ok(clients::update(tx, client).await?)
}
