//! EASIE: one multi-tenant application at Google or Microsoft serves all organizations, so each connection has to tell its own
//! tenant from all others. The functions here look at verified claims and say whose account it is, or why it is not one of this
//! connection.

mod account;
mod error;
pub mod google;
pub mod microsoft;

pub use account::{SameAccount, is_same_google_account, is_same_microsoft_account};
pub use error::EasieError;

use crate::token::{Refusal, TokenError, TokenResponse};

/// A person of the connection's tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EasieIdentity {
    /// Never changes and never becomes another person's: Google's `sub`, or Microsoft's `oid.tid`.
    pub subject: String,
    /// The address, on a domain of the connection, its domain in lower case.
    pub email: String,
    /// Google's `hd`, or Microsoft's `tid`, in lower case: what to pin.
    pub tenant: String,
}

/// What a refresh told about an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountState {
    /// It was there a moment ago.
    Active,
    /// The provider does not stand by it any more.
    Gone(Refusal),
    /// The grant is used up without telling anything about the account.
    SignInNeeded,
    /// No answer to go by, or our client is broken.
    Unknown,
}

impl AccountState {
    /// Reads the outcome of a [`refresh_request`](crate::refresh_request). A broken client is no proof against anybody: else an
    /// expired secret would put out all organizations at once.
    pub fn of(refresh: &Result<TokenResponse, TokenError>) -> Self {
        match refresh {
            Ok(_) => AccountState::Active,
            Err(TokenError::Refused { reason, .. }) => AccountState::Gone(*reason),
            Err(TokenError::SignInNeeded { .. }) => AccountState::SignInNeeded,
            Err(TokenError::ClientRejected { .. } | TokenError::Unavailable(_)) => AccountState::Unknown,
        }
    }
}

/// The address, if its domain is one of `domains` (lower-case A-labels).
fn email_on_domains(email: Option<&str>, domains: &[&str]) -> Result<String, EasieError> {
    const LONGEST: usize = 254;
    let email = email.ok_or(EasieError::EmailMissing)?;
    let invalid = || EasieError::EmailInvalid { got: email.into() };
    let (local, domain) = email.split_once('@').ok_or_else(invalid)?;
    let is_plain = email.len() <= LONGEST && !email.chars().any(|c| c.is_whitespace() || c.is_control());
    if !is_plain || local.is_empty() || domain.is_empty() || domain.contains('@') {
        return Err(invalid());
    }
    if !contains_domain(domains, domain) {
        return Err(EasieError::EmailDomain { expected: domains.join(", ").into(), got: domain.into() });
    }
    Ok(format!("{local}@{}", domain.to_ascii_lowercase()))
}

fn contains_domain(domains: &[&str], domain: &str) -> bool {
    !domain.is_empty() && domains.iter().any(|own| own.eq_ignore_ascii_case(domain))
}
