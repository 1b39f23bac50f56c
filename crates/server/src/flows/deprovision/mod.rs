//! Asking EASIE providers whether accounts are still there, and ending the sessions of those that are not (EAS-4 … EAS-6, Q-11).
//!
//! One way of checking serves the job, which looks for accounts that are due, and the session token that waits for one. A check is
//! claimed in the database, so that of all nodes one has an account, and is a task of its own here, which all who want it wait
//! for: a refresh token is never sent twice at the same time, which providers that change it with each use take for theft. What
//! comes of a check is saved by whoever has the claim; who lost it, because somebody signed in meanwhile, saves nothing.

mod ask;
mod under_way;

pub use under_way::AccountChecks;

use crate::app::App;
use crate::flows::{FlowError, Refusal, oidc_clients};
use ask::Heard;
use doorward_model::{
    EasieGrant, EasieGrantState, EasieProvider, EnterpriseAccountId, Millis, Session, SessionStatus, UserId,
};
use doorward_rules::deprovision::{
    Answer, Ask, Mint, Outcome, after_check, back_off, before_token, may_ask, was_deprovisioned,
};
use doorward_store::easie_grants::{self, Claim};
use doorward_store::sessions::TokenFacts;
use doorward_store::{StoreError, Tx, enterprise_accounts, sessions, write_tx};
use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinHandle, JoinSet};
use under_way::Turn;

/// How long a node has an account it claimed: more than the outbound client takes at the most for a configuration document, a
/// refresh and, twice, the keys, each of which may have to wait for somebody else's fetch to fail first.
const CLAIM: Millis = 2 * 60 * 1000;
/// How many accounts of one provider a node checks at once.
const AT_ONCE: usize = 16;
/// How long a session token waits for the outcome of a check. After that it is as if the provider had not answered; the check
/// goes on, and what comes of it counts.
const PATIENCE: Duration = Duration::from_secs(4);
/// How often, and how many times, it is looked whether another node is done: less than the patience together.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS: usize = 50;

/// Whether accounts of the user have to be asked about before a token is minted for a session that may have one.
pub fn is_to_be_confirmed(app: &App, facts: &TokenFacts, now: Millis) -> bool {
    before_token(facts.easie, app.config.easie_check_interval, now) == Mint::CheckFirst
}

/// Asks about the user's accounts that are due, and waits for the outcome, though not for long. No transaction of the caller may be
/// open. What was found out is in the store afterwards: whether the session is still alive, above all.
pub async fn confirm(app: &Arc<App>, user: &UserId) -> Result<(), FlowError> {
    let accounts = easie_grants::to_confirm(&mut app.store.read().await?, user, app.now()).await?;
    let checks = accounts.iter().map(|account| check_account(app, account));
    if tokio::time::timeout(PATIENCE, join_all(checks)).await.is_err() {
        tracing::debug!(%user, "a session token does not wait any longer for an account check");
    }
    Ok(())
}

/// Why a session that has ended mints no token: `otherwise`, unless it ended because an account of its user is gone.
pub async fn why_ended(
    tx: &mut Tx,
    session: &Session,
    gone: Refusal,
    otherwise: Refusal,
) -> Result<Refusal, FlowError> {
    if session.status != SessionStatus::Revoked {
        return Ok(otherwise);
    }
    let gone_at = easie_grants::gone_at(tx, &session.user_id).await?;
    Ok(if was_deprovisioned(session, &gone_at) { gone } else { otherwise })
}

/// Checks an account, or waits for whoever is at it, here or on another node.
pub async fn check_account(app: &Arc<App>, account: &EnterpriseAccountId) {
    match app.account_checks.enter(account) {
        Turn::Mine(turn) => {
            let (app, account) = (app.clone(), account.clone());
            // A task of its own goes on when whoever waits for it has lost patience or gone away.
            let task = tokio::spawn(async move {
                let _turn = turn;
                match claim(&app, &account).await {
                    Ok(Some(grant)) => check_claimed(&app, grant).await,
                    Ok(None) => wait_for_other_node(&app, &account).await,
                    Err(error) => tracing::error!(%account, %error, "an account check cannot be begun"),
                }
            });
            drop(task.await);
        }
        Turn::Others(others) => others.wait().await,
    }
}

async fn claim(app: &App, account: &EnterpriseAccountId) -> Result<Option<EasieGrant>, FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| { Ok(easie_grants::claim(tx, account, now, now + CLAIM, false).await?) })
}

async fn wait_for_other_node(app: &App, account: &EnterpriseAccountId) {
    for _ in 0..LOOKS {
        let is_claimed = async { easie_grants::is_claimed(&mut app.store.read().await?, account, app.now()).await };
        match is_claimed.await {
            Ok(true) => tokio::time::sleep(LOOK).await,
            Ok(false) => return,
            Err(error) => return tracing::error!(%account, %error, "waiting for an account check"),
        }
    }
}

/// Checks every account of a provider that is due, each once; answers how many. The accounts of a provider that does not answer
/// keep those of no other waiting, as each provider has its own.
pub async fn run_due(app: &Arc<App>, provider: EasieProvider) -> Result<usize, FlowError> {
    let (mut checked, mut running) = (0, FuturesUnordered::new());
    loop {
        let room = AT_ONCE - running.len();
        // In portions: each is a transaction. All of it begins at once, so no claim runs out before its turn.
        if room >= AT_ONCE / 2 {
            running.extend(claim_due(app, provider, room).await?.into_iter().map(|grant| begin(app, grant)));
        }
        if running.next().await.is_none() {
            return Ok(checked);
        }
        checked += 1;
    }
}

/// Claims up to so many accounts that are due. They are looked for outside of the transaction, which so touches their rows alone: what
/// read the schedule in it would be in the way of everybody who saves a verdict. Of those that waited longest some are picked at
/// random, as other nodes look for them, too.
async fn claim_due(app: &App, provider: EasieProvider, most: usize) -> Result<Vec<EasieGrant>, FlowError> {
    let now = app.now();
    let wide = i64::try_from(most * 8).unwrap_or(i64::MAX);
    let mut due = easie_grants::due(&mut app.store.read().await?, provider, now, wide).await?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let mut random = [0; 4];
    app.random.fill(&mut random);
    let start = usize::try_from(u32::from_le_bytes(random)).unwrap_or(0) % due.len();
    due.rotate_left(start);
    due.truncate(most);
    let claimed = write_tx!(app.store, FlowError, |tx| {
        let mut claimed = Vec::with_capacity(most);
        for account in &due {
            claimed.extend(easie_grants::claim(tx, account, now, now + CLAIM, true).await?);
        }
        Ok(claimed)
    });
    match claimed {
        // Others were quicker, again and again: they have them.
        Err(FlowError::Store(StoreError::Conflict(_))) => Ok(Vec::new()),
        claimed => claimed,
    }
}

/// Begins the check of a claimed account. It does not end with whoever began it: what a provider gave in the place of the old
/// refresh token has to be saved.
fn begin(app: &Arc<App>, grant: EasieGrant) -> JoinHandle<()> {
    let app = app.clone();
    let turn = app.account_checks.enter(&grant.account_id);
    tokio::spawn(async move {
        check_claimed(&app, grant).await;
        drop(turn);
    })
}

/// Takes accounts off the schedule that nobody is signed in with, and those of connections that were switched off. Their next
/// session token puts them back.
pub async fn rest(app: &App) -> Result<(), FlowError> {
    let now = app.now();
    while write_tx!(app.store, FlowError, |tx| { Ok(easie_grants::rest(tx, now).await?) })? > 0 {}
    Ok(())
}

/// Waits until no check is under way any more, though not for longer than this.
pub async fn finish(app: &App, at_most: Duration) {
    if tokio::time::timeout(at_most, app.account_checks.all_done()).await.is_err() {
        tracing::warn!("account checks are broken off; a refresh token that a provider gave just now may be lost");
    }
}

/// Checks an account that was claimed: here, or by the job.
pub async fn check_claimed(app: &Arc<App>, grant: EasieGrant) {
    let account = grant.account_id.clone();
    // In a task of its own, which ends with this one: a panic there is this account's failure and nobody else's.
    let mut task = JoinSet::new();
    task.spawn(follow(app.clone(), grant.clone()));
    let error = match task.join_next().await {
        Some(Ok(Ok(()))) => return,
        Some(Ok(Err(error))) => error.to_string(),
        Some(Err(panic)) => panic.to_string(),
        None => "it was not begun".to_owned(),
    };
    let error: String = error.chars().take(300).collect();
    tracing::error!(%account, error, "an account check broke off; it is put down as unanswered");
    if let Err(error) = give_up(app, &grant).await {
        tracing::error!(%account, %error, "an account check cannot be recorded; the account is free when its claim ends");
    }
}

/// Puts a claimed check down as unanswered, for a reason that should not be and stands in the log. A new refresh token that it
/// had saved already ended this claim: then nothing is put down, and the account is free when the other one ends.
async fn give_up(app: &App, grant: &EasieGrant) -> Result<(), FlowError> {
    let heard = Heard {
        answer: Answer::Unknown,
        said: Some("Something failed here that should not; the log has the reason.".to_owned()),
        claim: Claim::of(grant),
        encrypted_refresh_token: grant.encrypted_refresh_token.clone(),
    };
    save(app, grant, &heard).await
}

/// Checks a claimed account.
async fn follow(app: Arc<App>, grant: EasieGrant) -> Result<(), FlowError> {
    let found = enterprise_accounts::by_id(&mut app.store.read().await?, &grant.account_id).await?;
    // Deleted, and the grant with it.
    let Some((account, connection)) = found else { return Ok(()) };
    let claim = Claim::of(&grant);
    let client_id = oidc_clients::client_id(&app.config, &connection);
    match may_ask(&grant, connection.active, client_id) {
        Ask::Yes => match ask::ask(&app, &grant, &account, &connection).await? {
            Some(heard) => save(&app, &grant, &heard).await,
            None => give_back(&app, &claim, Some(app.now() + back_off(1, app.config.easie_check_interval))).await,
        },
        Ask::Answered(answer) => {
            let said = match answer {
                Answer::Unknown => {
                    "There is no application of ours at the provider; see easie_google_client_id and easie_microsoft_client_id."
                }
                _ => "Our application at the provider is another than the one the person signed in to.",
            };
            let encrypted_refresh_token = grant.encrypted_refresh_token.clone();
            let heard = Heard { answer, said: Some(said.to_owned()), claim, encrypted_refresh_token };
            save(&app, &grant, &heard).await
        }
        Ask::Not => give_back(&app, &claim, None).await,
    }
}

async fn give_back(app: &App, claim: &Claim, due_at: Option<Millis>) -> Result<(), FlowError> {
    write_tx!(app.store, FlowError, |tx| { Ok(easie_grants::give_back(tx, claim, due_at).await?) })
}

/// Decides, and saves the verdict with what follows from it.
async fn save(app: &App, grant: &EasieGrant, heard: &Heard) -> Result<(), FlowError> {
    let now = app.now();
    let outcome = after_check(heard.answer, grant.failures, app.config.easie_check_interval, now);
    let saved = decided(grant, heard, outcome, now);
    let is_saved = write_tx!(app.store, FlowError, |tx| {
        if !easie_grants::save_claimed(tx, &heard.claim, &saved).await? {
            return Ok(false);
        }
        if saved.state != EasieGrantState::Live {
            sessions::end_all_of_user(tx, &grant.user_id, SessionStatus::Revoked, now).await?;
        }
        Ok(true)
    })?;
    if is_saved {
        log(app, &saved, outcome, now);
    } else {
        tracing::debug!(account = %grant.account_id, "an account check came too late");
    }
    Ok(())
}

/// The grant as it is from now on.
fn decided(grant: &EasieGrant, heard: &Heard, outcome: Outcome, now: Millis) -> EasieGrant {
    let before = EasieGrant {
        encrypted_refresh_token: heard.encrypted_refresh_token.clone(),
        last_error: heard.said.clone(),
        updated_at: now,
        ..grant.clone()
    };
    let ended =
        |state| EasieGrant { encrypted_refresh_token: None, state, due_at: None, failures: 0, ..before.clone() };
    match outcome {
        Outcome::Keep { confirmed_at, due_at } => {
            EasieGrant { confirmed_at, due_at: Some(due_at), failures: 0, last_error: None, ..before }
        }
        Outcome::Revoke => ended(EasieGrantState::Gone),
        Outcome::EndSessions => ended(EasieGrantState::SignInNeeded),
        Outcome::Retry { failures, due_at } => EasieGrant { failures, due_at: Some(due_at), ..before },
    }
}

/// A provider that does not answer would fill the log with the accounts that it has: one line a minute for each connection.
fn log(app: &App, grant: &EasieGrant, outcome: Outcome, now: Millis) {
    let EasieGrant { account_id: account, user_id: user, connection_id: connection, last_error, .. } = grant;
    let reason = last_error.as_deref().unwrap_or_default();
    match outcome {
        Outcome::Keep { .. } => tracing::debug!(%account, %connection, "account confirmed"),
        Outcome::Revoke => {
            tracing::info!(%account, %connection, %user, reason, "account deprovisioned; the user's sessions ended");
        }
        Outcome::EndSessions => {
            tracing::info!(%account, %connection, %user, reason, "account cannot be confirmed without a new sign-in; the user's sessions ended");
        }
        Outcome::Retry { failures, .. } if app.account_checks.may_warn(connection, now) => {
            tracing::warn!(%account, %connection, failures, reason, "account cannot be confirmed for now; sessions go on");
        }
        Outcome::Retry { failures, .. } => {
            tracing::debug!(%account, %connection, failures, reason, "account cannot be confirmed for now; sessions go on");
        }
    }
}
