//! What signed-in users do with their own memberships.

use crate::app::App;
use crate::flows::clients::{self as browsers, ClientCookie};
use crate::flows::memberships::others_in_charge;
use crate::flows::{FlowError, Refusal};
use doorward_model::{Client, OrganizationId, OrganizationMembership, Session, SessionId, SessionStatus};
use doorward_rules::membership::{Leave, leave as decide};
use doorward_store::{Tx, enterprise_accounts, memberships, roles, sessions, write_tx};

/// The signed-in user of a request: the browser's named session, else the one in focus.
pub async fn signed_in(
    tx: &mut Tx,
    cookie: Option<&ClientCookie>,
    session_id: Option<&SessionId>,
    now: i64,
) -> Result<(Client, Session), FlowError> {
    let client = browsers::find(tx, cookie).await?.ok_or(Refusal::SignedOut)?;
    let id = session_id.or(client.last_active_session_id.as_ref()).cloned().ok_or(Refusal::SignedOut)?;
    let session = sessions::by_id(tx, &id).await?;
    // Another browser's session does not exist for this one.
    let session =
        session.filter(|session| session.client_id == client.id && session.status_at(now) == SessionStatus::Active);
    Ok((client, session.ok_or(Refusal::SignedOut)?))
}

/// Leaves an organization; those who came through its connection may not (MEM-9).
pub async fn leave(
    app: &App,
    cookie: Option<&ClientCookie>,
    session_id: Option<&SessionId>,
    organization_id: &OrganizationId,
) -> Result<(Client, OrganizationMembership), FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| {
        let (client, session) = signed_in(tx, cookie, session_id, now).await?;
        let membership = memberships::get(tx, organization_id, &session.user_id).await?;
        let membership = membership.ok_or(Refusal::OrganizationNotFound)?;
        let came_through = enterprise_accounts::user_came_through(tx, &session.user_id, organization_id).await?;
        let all_roles = roles::roles(tx).await?;
        let held = all_roles.iter().find(|role| role.id == membership.role_id).ok_or(Refusal::NotAMember)?;
        let others = others_in_charge(tx, &all_roles, &membership).await?;
        match decide(came_through, held, others) {
            Leave::Allowed => memberships::delete(tx, &membership, now).await?,
            Leave::CameThroughConnection => return Err(Refusal::CannotLeave.into()),
            Leave::LeavesNobodyInCharge => return Err(Refusal::MinimumPermissionsNeeded.into()),
        }
        Ok((client, membership))
    })
}
