//! What becomes of an EASIE account that its provider was asked about, and when it has to be asked (EAS-4 … EAS-6, Q-11).

use doorward_model::{EasieConfirmations, EasieGrant, EasieGrantState, Millis, Session, SessionStatus};

/// What the provider's answer to a refresh amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It stands by the account.
    Confirmed,
    /// It stands by an account that is not the one we ask about, or not one of the connection any more.
    OtherAccount,
    /// It does not stand by the account any more.
    Gone,
    /// The grant is used up, which says nothing about the account.
    SignInNeeded,
    /// It could not be reached, or answered nothing to go by; or our own client is broken.
    Unknown,
}

/// What becomes of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything goes on; it is asked about again at `due_at`.
    Keep { confirmed_at: Millis, due_at: Millis },
    /// It is deprovisioned: all of the user's sessions end (EAS-5).
    Revoke,
    /// All of the user's sessions end because the account cannot be confirmed any more; it is not called deprovisioned.
    EndSessions,
    /// Everything goes on as before; it is asked about again at `due_at`.
    Retry { failures: i64, due_at: Millis },
}

/// Decides. `failures` is how often in a row the provider gave no answer to go by, `interval` for how long its word counts.
///
/// Without an answer sessions go on, for as long as sessions live ([`SESSION_LIFETIME`](crate::session::SESSION_LIFETIME)) and no
/// shorter: nobody can sign in through a provider that does not answer, or with our own expired secret, so a shorter bound would
/// put out all organizations at once with no way back in.
pub fn after_check(answer: Answer, failures: i64, interval: Millis, now: Millis) -> Outcome {
    match answer {
        Answer::Confirmed => Outcome::Keep { confirmed_at: now, due_at: due_after(now, interval) },
        Answer::OtherAccount | Answer::Gone => Outcome::Revoke,
        Answer::SignInNeeded => Outcome::EndSessions,
        Answer::Unknown => {
            let failures = failures.saturating_add(1);
            Outcome::Retry { failures, due_at: now + back_off(failures, interval) }
        }
    }
}

/// When an account is asked about again that was confirmed at this time. That is a quarter of the interval before the provider's
/// word stops to count, so that whoever is gone is found in time although nobody asks for a token, and whoever asks for one
/// seldom has to wait for the provider.
pub fn due_after(confirmed_at: Millis, interval: Millis) -> Millis {
    confirmed_at + interval - interval / 4
}

/// How long to wait after so many failures in a row: with the longest interval of ten minutes 1, 2, 4, 8 and then 10 minutes.
pub fn back_off(failures: i64, interval: Millis) -> Millis {
    let doublings = u32::try_from(failures.saturating_sub(1).clamp(0, 10)).unwrap_or(0);
    (interval / 10).saturating_mul(1 << doublings).clamp(1, interval.max(1))
}

/// How often it is looked for accounts that are due: a quarter of the interval, within bounds.
pub fn pause_between_looks(interval: Millis) -> Millis {
    (interval / 4).clamp(250, 60_000)
}

/// Whether a session token may be minted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mint {
    Now,
    /// The accounts have to be asked about first.
    CheckFirst,
}

/// Decides for a session that is alive (EAS-4). An account that could not be confirmed is asked about again when its next attempt is
/// due, and not for every token. Accounts that are gone are not among `confirmations`: they ended the sessions there were, and
/// say nothing about those that began since through another connection.
pub fn before_token(confirmations: Option<EasieConfirmations>, interval: Millis, now: Millis) -> Mint {
    let Some(EasieConfirmations { oldest_confirmed_at, earliest_due_at }) = confirmations else { return Mint::Now };
    let is_due = match earliest_due_at {
        // Off the schedule: who is signed in again puts it back.
        None => true,
        Some(due_at) => due_at <= now && oldest_confirmed_at.saturating_add(interval) <= now,
    };
    if is_due { Mint::CheckFirst } else { Mint::Now }
}

/// Whether a grant can be used to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    Yes,
    /// Nothing has to be asked to know what the answer amounts to.
    Answered(Answer),
    /// The account is not asked about: it was decided already, or sessions do not depend on the connection.
    Not,
}

/// Decides. `client_id` is our application's at the provider, if we have one now.
///
/// A connection that was switched off lets nobody in and does not put out those who are in, as with any other kind of connection.
/// A grant of another application is of no use, whatever became of the account; having no application is a broken client.
pub fn may_ask(grant: &EasieGrant, is_active: bool, client_id: Option<&str>) -> Ask {
    if grant.state != EasieGrantState::Live || !is_active {
        return Ask::Not;
    }
    match client_id {
        None => Ask::Answered(Answer::Unknown),
        Some(client_id) if client_id != grant.client_id => Ask::Answered(Answer::SignInNeeded),
        Some(_) if grant.encrypted_refresh_token.is_none() => Ask::Answered(Answer::SignInNeeded),
        Some(_) => Ask::Yes,
    }
}

/// Whether a session was ended because an account of its user is gone; `gone_at` is when accounts of the user were found to be. What
/// ended before, or for another reason since, was not (EAS-5).
pub fn was_deprovisioned(session: &Session, gone_at: &[Millis]) -> bool {
    session.status == SessionStatus::Revoked && gone_at.contains(&session.updated_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Millis = 60_000;
    const INTERVAL: Millis = 10 * MINUTE;
    const NOW: Millis = 1_000 * MINUTE;

    #[test]
    fn eas5_what_becomes_of_an_account() {
        let keep = Outcome::Keep { confirmed_at: NOW, due_at: NOW + 450_000 };
        for failures in [0, 1, 50] {
            assert_eq!(after_check(Answer::Confirmed, failures, INTERVAL, NOW), keep);
            assert_eq!(after_check(Answer::Gone, failures, INTERVAL, NOW), Outcome::Revoke);
            assert_eq!(after_check(Answer::OtherAccount, failures, INTERVAL, NOW), Outcome::Revoke);
            assert_eq!(after_check(Answer::SignInNeeded, failures, INTERVAL, NOW), Outcome::EndSessions);
            let retry = after_check(Answer::Unknown, failures, INTERVAL, NOW);
            assert!(
                matches!(retry, Outcome::Retry { failures: f, due_at } if f == failures + 1 && due_at > NOW),
                "{retry:?}"
            );
        }
    }

    #[test]
    fn eas6_who_does_not_answer_is_asked_less_and_less_often() {
        let waits: Vec<_> = (1..=7).map(|failures| back_off(failures, INTERVAL) / MINUTE).collect();
        assert_eq!(waits, [1, 2, 4, 8, 10, 10, 10]);
        // A demo's interval is scaled alike.
        let waits: Vec<_> = (1..=6).map(|failures| back_off(failures, 1000)).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1000, 1000]);
        for failures in [i64::MIN, -1, 0, 63, 64, i64::MAX] {
            assert!((1..=INTERVAL).contains(&back_off(failures, INTERVAL)), "{failures}");
        }
        assert!(matches!(
            after_check(Answer::Unknown, i64::MAX, INTERVAL, NOW),
            Outcome::Retry { failures: i64::MAX, due_at } if due_at == NOW + INTERVAL
        ));
    }

    #[test]
    fn eas4_whoever_is_gone_is_found_within_the_interval_although_nobody_asks() {
        for interval in [1000, 1500, 60_000, INTERVAL] {
            let found_by = due_after(0, interval) + pause_between_looks(interval);
            assert!(found_by <= interval, "{interval}: {found_by}");
        }
        assert_eq!(pause_between_looks(1000), 250);
        assert_eq!(pause_between_looks(INTERVAL), MINUTE);
    }

    #[test]
    fn eas4_q11_before_a_token() {
        let old = NOW - INTERVAL;
        let facts =
            |oldest_confirmed_at, earliest_due_at| Some(EasieConfirmations { oldest_confirmed_at, earliest_due_at });
        for (confirmations, expected, why) in [
            (None, Mint::Now, "no account to ask about"),
            (facts(NOW, Some(NOW + 1)), Mint::Now, "confirmed just now"),
            (facts(old + 1, Some(NOW - 1)), Mint::Now, "due, but its word counts for another moment"),
            (facts(old, Some(NOW)), Mint::CheckFirst, "confirmed too long ago"),
            (facts(0, Some(0)), Mint::CheckFirst, "confirmed long ago"),
            (facts(0, Some(NOW + 1)), Mint::Now, "the provider did not answer; the next attempt is later"),
            (facts(0, Some(NOW)), Mint::CheckFirst, "the provider did not answer; the next attempt is now"),
            (facts(NOW, None), Mint::CheckFirst, "off the schedule while nobody was signed in"),
            (facts(NOW + MINUTE, Some(NOW + MINUTE)), Mint::Now, "a clock that was put back"),
            (facts(i64::MAX, Some(0)), Mint::Now, "no overflow"),
        ] {
            assert_eq!(before_token(confirmations, INTERVAL, NOW), expected, "{why}");
        }
    }

    fn grant() -> EasieGrant {
        EasieGrant {
            account_id: "entacc_1".into(),
            user_id: "user_1".into(),
            connection_id: "entconn_1".into(),
            client_id: "application".into(),
            encrypted_refresh_token: Some("sealed".into()),
            state: EasieGrantState::Live,
            confirmed_at: 0,
            due_at: Some(0),
            claimed_until: 0,
            failures: 0,
            last_error: None,
            created_at: 0,
            updated_at: 0,
        }
    }

    #[test]
    fn eas6_only_a_live_grant_of_our_application_at_an_active_connection_is_used() {
        let live = grant();
        let spent = EasieGrant { encrypted_refresh_token: None, ..grant() };
        let gone = EasieGrant { state: EasieGrantState::Gone, ..grant() };
        let used_up = EasieGrant { state: EasieGrantState::SignInNeeded, ..grant() };
        let answered = |answer| Ask::Answered(answer);
        for (grant, is_active, client_id, expected) in [
            (&live, true, Some("application"), Ask::Yes),
            (&live, false, Some("application"), Ask::Not),
            (&live, false, None, Ask::Not),
            (&live, true, None, answered(Answer::Unknown)),
            (&live, true, Some("another"), answered(Answer::SignInNeeded)),
            (&live, true, Some("Application"), answered(Answer::SignInNeeded)),
            (&spent, true, Some("application"), answered(Answer::SignInNeeded)),
            (&spent, true, None, answered(Answer::Unknown)),
            (&gone, true, Some("application"), Ask::Not),
            (&used_up, true, Some("application"), Ask::Not),
        ] {
            assert_eq!(may_ask(grant, is_active, client_id), expected, "{grant:?} {is_active} {client_id:?}");
        }
    }

    #[test]
    fn eas5_only_sessions_that_the_loss_of_the_account_ended_say_so() {
        let session = |status, updated_at| Session {
            id: "sess_1".into(),
            client_id: "client_1".into(),
            user_id: "user_1".into(),
            status,
            last_active_organization_id: None,
            last_active_at: 0,
            authenticated_at: 0,
            expire_at: 0,
            abandon_at: 0,
            created_at: 0,
            updated_at,
        };
        for (status, updated_at, gone_at, expected) in [
            (SessionStatus::Revoked, 5, &[5][..], true),
            (SessionStatus::Revoked, 5, &[1, 5], true),
            (SessionStatus::Revoked, 5, &[], false),
            (SessionStatus::Revoked, 4, &[5], false),
            (SessionStatus::Revoked, 6, &[5], false),
            (SessionStatus::Ended, 5, &[5], false),
            (SessionStatus::Active, 5, &[5], false),
        ] {
            let session = session(status, updated_at);
            assert_eq!(was_deprovisioned(&session, gone_at), expected, "{status:?} {updated_at} {gone_at:?}");
        }
    }
}
