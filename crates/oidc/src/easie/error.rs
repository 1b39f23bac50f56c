//! Why an account is not one of the connection.

use crate::shown::Shown;

/// Why an account is not one of the connection. The message says what was expected and what came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EasieError {
    /// A Google account of no organization, such as one at gmail.com.
    #[error("the account belongs to no Google Workspace organization: there is no hd, expected one of {expected}")]
    HostedDomainMissing {
        /// The connection's domains.
        expected: Shown,
    },
    /// An account of another Google Workspace organization.
    #[error("hd: expected one of {expected}, got {got}")]
    HostedDomainMismatch {
        /// The connection's domains.
        expected: Shown,
        /// What came.
        got: Shown,
    },
    /// No address.
    #[error("the token has no email")]
    EmailMissing,
    /// Not an address.
    #[error("email is not an address, got {got}")]
    EmailInvalid {
        /// What came.
        got: Shown,
    },
    /// An address on another domain.
    #[error("the domain of email: expected one of {expected}, got {got}")]
    EmailDomain {
        /// The connection's domains.
        expected: Shown,
        /// What came.
        got: Shown,
    },
    /// The provider does not vouch for the address.
    #[error("{claim}: expected true, got {got}")]
    EmailNotVerified {
        /// `email_verified` or `xms_edov`.
        claim: &'static str,
        /// What came.
        got: Shown,
    },
    /// The token's issuer was not checked against its tenant.
    #[error("the token was not verified against a tenant template")]
    TenantNotVerified,
    /// `tid` is not a GUID.
    #[error("tid is not a GUID, got {got}")]
    TenantInvalid {
        /// What came.
        got: Shown,
    },
    /// A personal Microsoft account, which belongs to no organization.
    #[error("the account is a personal Microsoft account")]
    PersonalAccount,
    /// An account of another tenant than at first.
    #[error("tid: expected {expected}, got {got}")]
    TenantMismatch {
        /// The pinned tenant.
        expected: Shown,
        /// What came.
        got: Shown,
    },
    /// A guest: another organization, or a consumer service, authenticates the person.
    #[error("the account is a guest of the tenant: {claim} is {got}")]
    Guest {
        /// Which claim tells.
        claim: &'static str,
        /// What came.
        got: Shown,
    },
    /// No `oid`, or not a GUID.
    #[error("oid is missing or not a GUID (the scope profile is needed), got {got}")]
    ObjectIdInvalid {
        /// What came.
        got: Shown,
    },
}

impl EasieError {
    /// A short stable reason for machines.
    pub fn code(&self) -> &'static str {
        match self {
            EasieError::HostedDomainMissing { .. } => "hosted_domain_missing",
            EasieError::HostedDomainMismatch { .. } => "hosted_domain_mismatch",
            EasieError::EmailMissing => "email_missing",
            EasieError::EmailInvalid { .. } => "email_invalid",
            EasieError::EmailDomain { .. } => "email_domain_mismatch",
            EasieError::EmailNotVerified { .. } => "email_not_verified",
            EasieError::TenantNotVerified => "tenant_not_verified",
            EasieError::TenantInvalid { .. } => "tenant_invalid",
            EasieError::PersonalAccount => "personal_account",
            EasieError::TenantMismatch { .. } => "tenant_mismatch",
            EasieError::Guest { .. } => "guest_account",
            EasieError::ObjectIdInvalid { .. } => "object_id_invalid",
        }
    }
}
