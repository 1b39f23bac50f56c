//! People and their addresses.

use crate::{Email, EmailAddressId, JsonMap, Millis, UserId};

/// A person.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    pub id: UserId,
    pub external_id: Option<String>,
    pub username: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub locale: Option<String>,
    pub primary_email_address_id: Option<EmailAddressId>,
    pub public_metadata: JsonMap,
    pub private_metadata: JsonMap,
    pub unsafe_metadata: JsonMap,
    pub banned: bool,
    pub locked: bool,
    pub deprovisioned: bool,
    pub delete_self_enabled: bool,
    pub create_organization_enabled: bool,
    /// `None` takes the instance's limit, `0` is unlimited (ORG-10).
    pub create_organizations_limit: Option<i64>,
    pub bypass_client_trust: bool,
    pub legal_accepted_at: Option<Millis>,
    pub last_sign_in_at: Option<Millis>,
    pub last_active_at: Option<Millis>,
    pub created_at: Millis,
    pub updated_at: Millis,
}

impl User {
    /// A user of whom nothing is known yet, with the rights every user has at first.
    pub fn new(id: UserId, now: Millis) -> Self {
        Self {
            id,
            external_id: None,
            username: None,
            first_name: None,
            last_name: None,
            locale: None,
            primary_email_address_id: None,
            public_metadata: JsonMap::new(),
            private_metadata: JsonMap::new(),
            unsafe_metadata: JsonMap::new(),
            banned: false,
            locked: false,
            deprovisioned: false,
            delete_self_enabled: true,
            create_organization_enabled: true,
            create_organizations_limit: None,
            bypass_client_trust: false,
            legal_accepted_at: None,
            last_sign_in_at: None,
            last_active_at: None,
            created_at: now,
            updated_at: now,
        }
    }
}

/// An address of a user. At most one user holds a verified address (LNK-1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress {
    pub id: EmailAddressId,
    pub user_id: UserId,
    pub address: Email,
    pub verification: EmailVerification,
    pub created_at: Millis,
    pub updated_at: Millis,
}

/// How an address came to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailVerification {
    /// Set by the operator over the Backend API.
    Admin,
    /// An IdP vouched for it (SML-19).
    EnterpriseSso,
    /// Held for the user, not verified.
    Unverified,
}

impl EmailVerification {
    /// The word in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::EnterpriseSso => "enterprise_sso",
            Self::Unverified => "unverified",
        }
    }

    /// Reads [`Self::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Admin, Self::EnterpriseSso, Self::Unverified].into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether the address belongs to the user for certain.
    pub fn is_verified(self) -> bool {
        self != Self::Unverified
    }
}
