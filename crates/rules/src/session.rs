//! May a session token be minted; may an organization be made active (TOK-9, TOK-10).

use doorward_model::{Millis, Session, SessionStatus};

/// How long a session lives (TOK-11): seven days.
pub const SESSION_LIFETIME: Millis = 7 * 24 * 60 * 60 * 1000;
/// How long a session token lives, in seconds (TOK-7).
pub const TOKEN_LIFETIME_SECONDS: i64 = 60;

/// Why no token is minted.
#[derive(Debug, PartialEq, Eq)]
pub enum MintRefusal {
    /// The session ended one way or another.
    NotActive(SessionStatus),
    /// The user may no longer be signed in.
    UserBlocked,
    /// The wanted organization is none of the user's.
    NotAMember,
}

/// Decides. `wants_organization` is whether the caller named one; `is_member` whether the user is a member of it.
pub fn mint(
    session: &Session,
    now: Millis,
    user_blocked: bool,
    wants_organization: bool,
    is_member: bool,
) -> Result<(), MintRefusal> {
    match session.status_at(now) {
        SessionStatus::Active => {}
        status => return Err(MintRefusal::NotActive(status)),
    }
    if user_blocked {
        return Err(MintRefusal::UserBlocked);
    }
    if wants_organization && !is_member {
        return Err(MintRefusal::NotAMember);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(status: SessionStatus) -> Session {
        Session {
            id: "sess_1".into(),
            client_id: "client_1".into(),
            user_id: "user_1".into(),
            status,
            last_active_organization_id: None,
            last_active_at: 0,
            authenticated_at: 0,
            expire_at: 100,
            abandon_at: 200,
            created_at: 0,
            updated_at: 0,
        }
    }

    #[test]
    fn only_an_active_session_before_its_end_mints() {
        assert_eq!(mint(&session(SessionStatus::Active), 99, false, false, false), Ok(()));
        let late = mint(&session(SessionStatus::Active), 100, false, false, false);
        assert_eq!(late, Err(MintRefusal::NotActive(SessionStatus::Expired)));
        for status in [SessionStatus::Revoked, SessionStatus::Ended, SessionStatus::Removed] {
            assert_eq!(mint(&session(status), 1, false, false, false), Err(MintRefusal::NotActive(status)));
        }
    }

    #[test]
    fn a_blocked_user_and_a_foreign_organization_are_refused() {
        let active = session(SessionStatus::Active);
        assert_eq!(mint(&active, 1, true, false, false), Err(MintRefusal::UserBlocked));
        assert_eq!(mint(&active, 1, false, true, false), Err(MintRefusal::NotAMember));
        assert_eq!(mint(&active, 1, false, true, true), Ok(()));
    }
}
