//! EASIE: connections to Google Workspace and Microsoft Entra ID through one application each (EAS).

use crate::{EnterpriseAccountId, EnterpriseConnectionId, Millis, UserId};

/// The multi-tenant provider behind an EASIE connection (EAS-1): one application of ours there serves all organizations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EasieProvider {
    Google,
    Microsoft,
}

/// What an EASIE provider gave us with which to ask whether an account is still there (EAS-4, EAS-6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EasieGrant {
    pub account_id: EnterpriseAccountId,
    pub user_id: UserId,
    pub connection_id: EnterpriseConnectionId,
    /// Our application that it was given to: no other can use it.
    pub client_id: String,
    /// The refresh token under the instance's encryption key; `None` once it is of no use.
    pub encrypted_refresh_token: Option<String>,
    pub state: EasieGrantState,
    /// When the provider last stood by the account.
    pub confirmed_at: Millis,
    /// When it is asked next; `None` for a grant that is not live, or that rests because nobody is signed in with it.
    pub due_at: Option<Millis>,
    /// Until then one node has it; the number is that node's proof.
    pub claimed_until: Millis,
    /// How often in a row the provider gave no answer to go by.
    pub failures: i64,
    /// What the provider said, or why it said nothing; for the operator.
    pub last_error: Option<String>,
    pub created_at: Millis,
    pub updated_at: Millis,
}

/// A user's live grants at active connections, as far as a session token depends on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EasieConfirmations {
    /// When the one was confirmed that has waited longest.
    pub oldest_confirmed_at: Millis,
    /// When the first one is due; `None` if one rests.
    pub earliest_due_at: Option<Millis>,
}

/// Where a grant stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EasieGrantState {
    /// The account is asked after with it.
    Live,
    /// The provider does not stand by the account any more (EAS-5).
    Gone,
    /// The grant is used up, which says nothing about the account.
    SignInNeeded,
}

impl EasieGrantState {
    /// The word in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Gone => "gone",
            Self::SignInNeeded => "sign_in_needed",
        }
    }

    /// Reads [`Self::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Live, Self::Gone, Self::SignInNeeded].into_iter().find(|state| state.as_str() == text)
    }
}
