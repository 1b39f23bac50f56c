//! What an answer that came to the ACS of a connection is taken for (SML-8 … SML-10, CON-17, CON-18).

use doorward_model::{EnterpriseConnection, Millis, SamlRequest, SsoProfile};

/// What is known before the answer itself is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The connection whose ACS it came to.
    pub connection: &'a EnterpriseConnection,
    /// Whether RelayState came with it. An IdP may put an address to land at there, so it need not be ours.
    pub has_relay_state: bool,
    /// The trip that RelayState belongs to.
    pub trip: Option<&'a SamlRequest>,
    pub now: Millis,
}

/// What it is taken for.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// The answer to this trip's request.
    ToTrip,
    /// An answer nobody asked for (SAML profiles 4.1.5).
    Unsolicited,
    /// The trip had its answer already: one RelayState buys one verification.
    AnsweredBefore,
    /// The trip began at another connection: what one organization's IdP signed never answers a sign-in at another's.
    OtherConnection,
    /// RelayState belongs to no trip, or its time has run out.
    UnknownTrip,
    /// No RelayState, where nobody may come unasked.
    RelayStateMissing,
    /// Nobody asked for it, but the connection wants a fresh sign-in, which has to be asked for.
    FreshSignInWanted,
}

/// Decides.
pub fn answer(facts: Facts<'_>) -> Answer {
    let Facts { connection, has_relay_state, trip, now } = facts;
    if let Some(trip) = trip.filter(|trip| now < trip.expires_at) {
        return if trip.outcome.is_some() {
            Answer::AnsweredBefore
        } else if trip.connection_id == connection.id {
            Answer::ToTrip
        } else {
            Answer::OtherConnection
        };
    }
    match (connection.saml.allow_idp_initiated, has_relay_state) {
        (true, _) if connection.saml.force_authn => Answer::FreshSignInWanted,
        (true, _) => Answer::Unsolicited,
        (false, true) => Answer::UnknownTrip,
        (false, false) => Answer::RelayStateMissing,
    }
}

/// Whether the sign-in at the IdP is as fresh as the connection wants it (CON-18). The wish may have been taken out of a
/// request that was not signed, so the answer has to show it. `clock_skew` is in milliseconds.
pub fn is_fresh(connection: &EnterpriseConnection, asked_at: Millis, signed_in_at: Millis, clock_skew: Millis) -> bool {
    !connection.saml.force_authn || signed_in_at.saturating_add(clock_skew) >= asked_at
}

/// Whether a profile that was verified before may still sign in, as the connection is now. Keys that came since, or
/// went without having signed it, make no difference: an IdP that changes its key interrupts nobody, nor does a certificate
/// that goes while another over the same key stays.
pub fn is_still_trusted(profile: &SsoProfile, trust_sha256: &str, trusted_keys: &[String]) -> bool {
    profile.trust_sha256 == trust_sha256
        && !profile.signed_by.is_empty()
        && profile.signed_by.iter().all(|signer| trusted_keys.contains(signer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign_in_route::tests::connection;
    use doorward_model::{AttemptId, SsoError, SsoOutcome};

    fn trip(connection: &str) -> SamlRequest {
        SamlRequest {
            relay_state_sha256: "r".into(),
            request_id: "_q".into(),
            connection_id: connection.into(),
            attempt: AttemptId::SignIn("sia_1".into()),
            client_id: "client_1".into(),
            redirect_url: "https://app.test/".into(),
            action_complete_redirect_url: "https://app.test/".into(),
            base_url: "https://sso.test".into(),
            expires_at: 100,
            outcome: None,
            finish_sha256: None,
            created_at: 0,
        }
    }

    fn decide(
        idp_initiated: bool,
        force: bool,
        has_relay_state: bool,
        trip: Option<&SamlRequest>,
        now: Millis,
    ) -> Answer {
        let mut acme = connection("ec_acme", &["acme.test"]);
        acme.saml.allow_idp_initiated = idp_initiated;
        acme.saml.force_authn = force;
        answer(Facts { connection: &acme, has_relay_state, trip, now })
    }

    #[test]
    fn sml8_a_trip_under_way_is_answered_once_and_by_its_own_connection() {
        let own = trip("ec_acme");
        let error =
            SsoError { code: "c".into(), message: "m".into(), long_message: "l".into(), meta: Default::default() };
        let answered = SamlRequest { outcome: Some(SsoOutcome::Failed(error)), ..own.clone() };
        // Whatever the switches say: who has a trip does not come unasked.
        for (idp_initiated, force) in [(false, false), (true, false), (false, true), (true, true)] {
            assert_eq!(decide(idp_initiated, force, true, Some(&own), 99), Answer::ToTrip);
            assert_eq!(decide(idp_initiated, force, true, Some(&answered), 99), Answer::AnsweredBefore);
            assert_eq!(decide(idp_initiated, force, true, Some(&trip("ec_evil")), 99), Answer::OtherConnection);
        }
    }

    #[test]
    fn sml9_only_a_connection_that_allows_it_is_answered_unasked() {
        let own = trip("ec_acme");
        assert_eq!(decide(false, false, false, None, 0), Answer::RelayStateMissing);
        assert_eq!(decide(false, false, true, None, 0), Answer::UnknownTrip);
        assert_eq!(decide(false, false, true, Some(&own), 100), Answer::UnknownTrip);
        assert_eq!(decide(true, false, false, None, 0), Answer::Unsolicited);
        assert_eq!(decide(true, false, true, None, 0), Answer::Unsolicited);
        assert_eq!(decide(true, true, false, None, 0), Answer::FreshSignInWanted);
    }

    #[test]
    fn sml9_a_profile_stays_good_while_all_that_signed_it_is_trusted() {
        let texts = |names: &[&str]| -> Vec<String> { names.iter().map(|name| (*name).to_owned()).collect() };
        let profile = |signed_by: &[&str]| SsoProfile {
            subject: "s".into(),
            email_address: doorward_model::Email::parse("a@acme.test").unwrap(),
            first_name: None,
            last_name: None,
            public_metadata: Default::default(),
            trust_sha256: "t".into(),
            signed_by: texts(signed_by),
            easie: None,
        };
        for (signed_by, trust, trusted, expected) in [
            (&["a"][..], "t", &["a"][..], true),
            (&["a"], "t", &["b", "a"], true),
            (&["a", "b"], "t", &["b", "a", "c"], true),
            (&["a", "b"], "t", &["b"], false),
            (&["a"], "t", &["b"], false),
            (&["a"], "t", &[], false),
            (&["a"], "other", &["a"], false),
            (&[], "t", &["a"], false),
        ] {
            assert_eq!(
                is_still_trusted(&profile(signed_by), trust, &texts(trusted)),
                expected,
                "{signed_by:?} {trusted:?}"
            );
        }
    }

    #[test]
    fn con18_a_fresh_sign_in_is_no_older_than_the_request() {
        let mut acme = connection("ec_acme", &["acme.test"]);
        assert!(is_fresh(&acme, 1000, 0, 60));
        acme.saml.force_authn = true;
        assert!(is_fresh(&acme, 1000, 940, 60));
        assert!(!is_fresh(&acme, 1000, 939, 60));
        assert!(is_fresh(&acme, 1000, i64::MAX, 60));
    }
}
