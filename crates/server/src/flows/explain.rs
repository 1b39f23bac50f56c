//! What would happen if somebody signed in with an address now, and which rule decides each step. It asks the rules that sign
//! people in, and changes nothing.

use crate::flows::sign_in::complete::{organization_of, owner_of};
use crate::flows::sign_in::trip::connections_for;
use crate::flows::{FlowError, Refusal};
use doorward_model::{Email, EnterpriseConnection, Organization, Role, UserId};
use doorward_rules::account_linking::{self, Linking};
use doorward_rules::explain::{Step, of_join, of_linking, of_route, of_serving};
use doorward_rules::join::{self, Join};
use doorward_rules::sign_in_route::{Serving, covers, route, serving};
use doorward_store::{Tx, enterprise_accounts, memberships, roles};

/// What would happen.
#[derive(Debug)]
pub struct Explanation {
    pub email: Email,
    /// Whether single sign-on is the only way in.
    pub is_enforced: bool,
    pub route: Step,
    /// Who owns the address: only who has verified it (LNK-4).
    pub owner: Option<UserId>,
    /// Every connection that lists the domain or one above it, oldest first.
    pub connections: Vec<ConnectionExplanation>,
}

/// What would happen through one connection.
#[derive(Debug)]
pub struct ConnectionExplanation {
    pub connection: EnterpriseConnection,
    pub serving: Step,
    /// `None` for a connection that does not take part.
    pub sign_in: Option<SignInExplanation>,
}

/// What a sign-in would come to, if the identity provider vouches for this address.
#[derive(Debug)]
pub struct SignInExplanation {
    pub account: Step,
    /// Whose sign-in it is; `None` where a user would be made, or nobody signs in.
    pub user_id: Option<UserId>,
    pub organization: Option<Organization>,
    /// `None` where nobody signs in.
    pub membership: Option<Step>,
    /// The role that the person would have in the organization.
    pub role: Option<Role>,
    /// Why nobody signs in.
    pub refusal: Option<Refusal>,
}

/// Explains an address.
pub async fn explain(tx: &mut Tx, email: Email) -> Result<Explanation, FlowError> {
    let found = connections_for(tx, &email).await?;
    let routed = route(&email, &found);
    let (is_enforced, route) = (!routed.connections().is_empty(), of_route(&routed));
    let owner = owner_of(tx, &email).await?.map(|(_, user)| user.id);
    let mut connections = Vec::with_capacity(found.len());
    for connection in found {
        let standing = serving(&connection, &email);
        let sign_in = match standing {
            Serving::Serves => Some(sign_in(tx, &connection, &email).await?),
            _ => None,
        };
        connections.push(ConnectionExplanation { connection, serving: of_serving(standing), sign_in });
    }
    Ok(Explanation { email, is_enforced, route, owner, connections })
}

/// An account is known by the identity provider's subject, which only a sign-in brings, so the one that the owner of the
/// address has there is taken for it.
async fn sign_in(
    tx: &mut Tx,
    connection: &EnterpriseConnection,
    email: &Email,
) -> Result<SignInExplanation, FlowError> {
    let owner = owner_of(tx, email).await?;
    let account = match &owner {
        Some((_, user)) => enterprise_accounts::of_user(tx, &user.id).await?,
        None => Vec::new(),
    };
    let mut account = account.into_iter().map(|(account, _)| account);
    let account = account.rfind(|account| account.enterprise_connection_id == connection.id);
    let owner = owner.as_ref().map(|(address, user)| (address, user));
    let linking = account_linking::link(account_linking::Facts {
        account: account.as_ref().zip(owner.map(|(_, user)| user)),
        account_is_covered: account.as_ref().is_none_or(|account| covers(connection, &account.email_address)),
        owner,
        jit_disabled: connection.disable_jit_provisioning,
    });
    let (user_id, refusal) = match &linking {
        Linking::Known(user_id) | Linking::Attach { user_id, .. } => (Some(user_id.clone()), None),
        Linking::Create => (None, None),
        Linking::JitDisabled => (None, Some(Refusal::JitDisabled { email_address: email.to_string() })),
        Linking::AccountOfFormerDomain => {
            let expected = connection.domains.iter().map(ToString::to_string).collect();
            let received = account.as_ref().map_or_else(|| email.domain(), |account| account.email_address.domain());
            (None, Some(Refusal::DomainMismatch { expected, received: received.to_string() }))
        }
        Linking::Blocked(reason) => (None, Some(Refusal::of_blocked(*reason))),
    };
    let (organization, default_role) = organization_of(tx, connection).await?;
    let explained = SignInExplanation {
        account: of_linking(&linking),
        user_id,
        organization,
        membership: None,
        role: None,
        refusal,
    };
    if explained.refusal.is_some() {
        return Ok(SignInExplanation { refusal: worded(explained.refusal, connection), ..explained });
    }
    let membership = match (&explained.user_id, &explained.organization) {
        (Some(user), Some(organization)) => memberships::get(tx, &organization.id, user).await?,
        _ => None,
    };
    let joined = join::join(join::Facts {
        organization: explained.organization.as_ref(),
        membership: membership.as_ref(),
        default_role: default_role.as_ref(),
    });
    let (role_id, refusal) = match &joined {
        Join::NoOrganization => (None, None),
        Join::Keep => (membership.map(|membership| membership.role_id), None),
        Join::Add(role) => (Some(role.clone()), None),
        Join::Full { max_allowed_memberships: max } => (None, Some(Refusal::MembershipQuotaForSso { max: *max })),
    };
    let role = match role_id {
        Some(id) => roles::roles(tx).await?.into_iter().find(|role| role.id == id),
        None => None,
    };
    let refusal = worded(refusal, connection);
    Ok(SignInExplanation { membership: Some(of_join(&joined)), role, refusal, ..explained })
}

fn worded(refusal: Option<Refusal>, connection: &EnterpriseConnection) -> Option<Refusal> {
    refusal.map(|refusal| refusal.in_words_of(connection.provider.protocol()))
}
