//! Browsers and the sessions in them (TOK).

use crate::{ClientId, Millis, OrganizationId, SessionId, SignInId, SignUpId, UserId};

/// A browser. Its cookie holds the id and a secret of which only the hash is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    pub id: ClientId,
    /// Hexadecimal SHA-256 of the cookie's secret.
    pub token_sha256: String,
    pub last_active_session_id: Option<SessionId>,
    pub sign_in_id: Option<SignInId>,
    pub sign_up_id: Option<SignUpId>,
    pub last_authentication_strategy: Option<String>,
    pub created_at: Millis,
    pub updated_at: Millis,
}

/// A signed-in user in a browser, or one made by the operator over the Backend API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub client_id: ClientId,
    pub user_id: UserId,
    /// As stored; [`Session::status_at`] also knows of time.
    pub status: SessionStatus,
    pub last_active_organization_id: Option<OrganizationId>,
    pub last_active_at: Millis,
    /// When the first factor was verified.
    pub authenticated_at: Millis,
    pub expire_at: Millis,
    pub abandon_at: Millis,
    pub created_at: Millis,
    pub updated_at: Millis,
}

impl Session {
    /// A session that begins now and ends after `lifetime`, whether it is used or not.
    pub fn begin(
        id: SessionId,
        client_id: ClientId,
        user_id: UserId,
        organization: Option<OrganizationId>,
        lifetime: Millis,
        now: Millis,
    ) -> Self {
        Self {
            id,
            client_id,
            user_id,
            status: SessionStatus::Active,
            last_active_organization_id: organization,
            last_active_at: now,
            authenticated_at: now,
            expire_at: now + lifetime,
            abandon_at: now + lifetime,
            created_at: now,
            updated_at: now,
        }
    }

    /// The status at `now`: an active session past its end is expired, whether or not anyone noticed yet.
    pub fn status_at(&self, now: Millis) -> SessionStatus {
        match self.status {
            SessionStatus::Active if now >= self.expire_at => SessionStatus::Expired,
            SessionStatus::Active if now >= self.abandon_at => SessionStatus::Abandoned,
            status => status,
        }
    }
}

/// Session statuses (TOK-11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionStatus {
    Active,
    Ended,
    Expired,
    Removed,
    Revoked,
    Replaced,
    Abandoned,
}

impl SessionStatus {
    const ALL: [Self; 7] =
        [Self::Active, Self::Ended, Self::Expired, Self::Removed, Self::Revoked, Self::Replaced, Self::Abandoned];

    /// The word on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Ended => "ended",
            Self::Expired => "expired",
            Self::Removed => "removed",
            Self::Revoked => "revoked",
            Self::Replaced => "replaced",
            Self::Abandoned => "abandoned",
        }
    }

    /// Reads [`Self::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}
