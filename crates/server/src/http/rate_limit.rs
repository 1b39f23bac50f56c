//! Limits on what strangers may try (API-7, DECISIONS "Wire" 11): per address and per identifier.
//!
//! Each node counts for itself; behind several nodes a caller gets at most that many times the limit.

use crate::flows::Refusal;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

/// The limits of one server.
pub struct RateLimits {
    attempts_per_address: Option<DefaultKeyedRateLimiter<IpAddr>>,
    attempts_per_identifier: Option<DefaultKeyedRateLimiter<String>>,
    clock: DefaultClock,
}

/// Sign-ins and sign-ups one address may begin in ten seconds. Clerk allows 5; offices share an address, so more here.
const PER_ADDRESS: u32 = 20;
/// Sign-ins and sign-ups with one identifier in ten seconds (API-7).
const PER_IDENTIFIER: u32 = 5;
const WINDOW: Duration = Duration::from_secs(10);

fn quota(in_window: u32) -> Option<Quota> {
    let burst = NonZeroU32::new(in_window)?;
    Quota::with_period(WINDOW / in_window).map(|quota| quota.allow_burst(burst))
}

impl RateLimits {
    /// Limits, or none at all.
    pub fn new(enabled: bool) -> Self {
        let enabled_quota = |in_window| quota(in_window).filter(|_| enabled);
        Self {
            attempts_per_address: enabled_quota(PER_ADDRESS).map(DefaultKeyedRateLimiter::keyed),
            attempts_per_identifier: enabled_quota(PER_IDENTIFIER).map(DefaultKeyedRateLimiter::keyed),
            clock: DefaultClock::default(),
        }
    }

    /// Counts an attempt of an address with an identifier.
    pub fn attempt(&self, address: Option<IpAddr>, identifier: Option<&str>) -> Result<(), Refusal> {
        let now = self.clock.now();
        if let (Some(limiter), Some(address)) = (&self.attempts_per_address, address) {
            limiter.check_key(&network(address)).map_err(|until| too_many(until.wait_time_from(now)))?;
        }
        if let (Some(limiter), Some(identifier)) = (&self.attempts_per_identifier, identifier) {
            let key = identifier.trim().to_lowercase();
            limiter.check_key(&key).map_err(|until| too_many(until.wait_time_from(now)))?;
        }
        Ok(())
    }

    /// Forgets callers that have been quiet for a while, so that the memory does not grow with their number.
    pub fn forget_idle(&self) {
        if let Some(limiter) = &self.attempts_per_address {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        if let Some(limiter) = &self.attempts_per_identifier {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

/// What counts as one caller: an IPv4 address, or the /64 that one subscriber gets.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        v4 => v4,
    }
}

fn too_many(wait: Duration) -> Refusal {
    Refusal::TooManyRequests { retry_after_seconds: wait.as_secs() + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixth_attempt_with_an_identifier_waits_whatever_its_case() {
        let limits = RateLimits::new(true);
        for _ in 0..PER_IDENTIFIER {
            assert_eq!(limits.attempt(None, Some("alice@acme.test")), Ok(()));
        }
        assert!(matches!(limits.attempt(None, Some("Alice@ACME.test ")), Err(Refusal::TooManyRequests { .. })));
        assert_eq!(limits.attempt(None, Some("bob@acme.test")), Ok(()));
    }

    #[test]
    fn an_address_is_limited_and_others_are_not() {
        let limits = RateLimits::new(true);
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        for n in 0..PER_ADDRESS {
            assert_eq!(limits.attempt(Some(address), Some(&n.to_string())), Ok(()));
        }
        assert!(limits.attempt(Some(address), Some("x")).is_err());
        assert_eq!(limits.attempt("192.0.2.2".parse().ok(), Some("y")), Ok(()));
    }

    #[test]
    fn a_subscribers_whole_ipv6_network_is_one_caller() {
        let limits = RateLimits::new(true);
        for n in 0..PER_ADDRESS {
            assert_eq!(limits.attempt(format!("2001:db8::{n:x}").parse().ok(), None), Ok(()));
        }
        assert!(limits.attempt("2001:db8::ffff".parse().ok(), None).is_err());
        assert_eq!(limits.attempt("2001:db8:0:1::1".parse().ok(), None), Ok(()));
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), "192.0.2.1".parse::<IpAddr>().unwrap());
    }

    #[test]
    fn switched_off_nothing_is_limited() {
        let limits = RateLimits::new(false);
        for _ in 0..100 {
            assert_eq!(limits.attempt("192.0.2.1".parse().ok(), Some("a")), Ok(()));
        }
    }
}
