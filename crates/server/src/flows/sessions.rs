//! What the operator does with sessions: make, revoke, mint tokens.

use crate::app::App;
use crate::flows::clients as browsers;
use crate::flows::{FlowError, Refusal, deprovision, session_tokens, users as people};
use doorward_model::{Millis, OrganizationId, Session, SessionId, SessionStatus, UserId};
use doorward_rules::account_linking::blocked;
use doorward_rules::session::{SESSION_LIFETIME, mint};
use doorward_store::sessions::TokenFacts;
use doorward_store::{Tx, memberships, sessions, write_tx};
use std::sync::Arc;

fn not_found(id: &SessionId) -> Refusal {
    Refusal::NotFound { what: "session", id: id.to_string() }
}

/// The session with this id.
pub async fn by_id(tx: &mut Tx, id: &SessionId) -> Result<Session, FlowError> {
    Ok(sessions::by_id(tx, id).await?.ok_or_else(|| not_found(id))?)
}

/// Makes a session for a user in a browser of its own, for tests of the operator's application. Without a wish the
/// organization the user joined last is active (ORG-8, MEM-18).
pub async fn create(app: &App, user_id: &UserId, organization: Option<&OrganizationId>) -> Result<Session, FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| {
        let user = people::by_id(tx, user_id).await?;
        if let Some(reason) = blocked(&user) {
            return Err(Refusal::of_blocked(reason).into());
        }
        let active = match organization {
            Some(id) => match memberships::get(tx, id, user_id).await? {
                Some(membership) => Some(membership.organization_id),
                None => return Err(Refusal::OrganizationNotFound.into()),
            },
            None => memberships::latest_of_user(tx, user_id).await?.map(|membership| membership.organization_id),
        };
        let mut browser = browsers::find_or_make(tx, None, app, now).await?;
        let id = SessionId::generate(now, &*app.random);
        browser.client.last_active_session_id = Some(id.clone());
        browsers::save(tx, &browser).await?;
        let client = browser.client;
        let session = Session::begin(id, client.id, user_id.clone(), active, SESSION_LIFETIME, now);
        sessions::insert(tx, &session).await?;
        Ok(session)
    })
}

/// Ends a session; one that has ended stays as it ended.
pub async fn revoke(app: &App, id: &SessionId) -> Result<Session, FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| {
        let mut session = by_id(tx, id).await?;
        if session.status_at(now) == SessionStatus::Active {
            session.status = SessionStatus::Revoked;
            session.updated_at = now;
            sessions::update(tx, &session).await?;
        }
        Ok(session)
    })
}

/// Mints a token of any session that is alive.
pub async fn token(app: &Arc<App>, id: &SessionId, lifetime_seconds: Millis) -> Result<String, FlowError> {
    let mut tx = app.store.read().await?;
    let mut facts = sessions::token_facts(&mut tx, id, None).await?.ok_or_else(|| not_found(id))?;
    if may_mint(&facts, app.now()) && deprovision::is_to_be_confirmed(app, &facts, app.now()) {
        drop(tx);
        deprovision::confirm(app, &facts.session.user_id).await?;
        tx = app.store.read().await?;
        facts = sessions::token_facts(&mut tx, id, None).await?.ok_or_else(|| not_found(id))?;
    }
    let now = app.now();
    if !may_mint(&facts, now) {
        let (gone, otherwise) = (Refusal::TargetDeprovisioned, Refusal::ActionInvalidForSession);
        return Err(deprovision::why_ended(&mut tx, &facts.session, gone, otherwise).await?.into());
    }
    session_tokens::mint(app, &mut tx, &facts, None, now, lifetime_seconds).await
}

fn may_mint(facts: &TokenFacts, now: Millis) -> bool {
    let is_blocked = facts.user_banned || facts.user_locked || facts.user_deprovisioned;
    mint(&facts.session, now, is_blocked, false, facts.membership.is_some()).is_ok()
}
