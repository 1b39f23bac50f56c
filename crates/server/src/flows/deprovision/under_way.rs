//! What this program remembers of account checks: which are under way, how the token endpoints do, what was warned of. Another
//! program knows nothing of it, nor has to.

use doorward_model::{EnterpriseAccountId, EnterpriseConnectionId, Millis};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// How many requests to one token endpoint are under way at once.
const AT_ONCE: usize = 32;
/// After so many failures in a row an endpoint is left alone for a while. One alone may be about one account.
const MOST_FAILURES: u32 = 3;
/// How often a connection is warned of.
const QUIET: Millis = 60_000;
/// How many endpoints or connections are remembered before those are let go of that say nothing.
const MOST: usize = 1000;

/// All of it.
#[derive(Default)]
pub struct AccountChecks {
    checks: Arc<Checks>,
    endpoints: Mutex<HashMap<String, Endpoint>>,
    warned_at: Mutex<HashMap<EnterpriseConnectionId, Millis>>,
}

struct Checks {
    under_way: Mutex<HashMap<EnterpriseAccountId, watch::Receiver<()>>>,
    count: watch::Sender<usize>,
}

impl Default for Checks {
    fn default() -> Self {
        Self { under_way: Mutex::default(), count: watch::Sender::new(0) }
    }
}

/// A mutex here guards maps that are whole after every step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who checks an account.
pub(super) enum Turn {
    /// Whoever holds this, until it is dropped.
    Mine(Mine),
    /// Somebody else in this program does already.
    Others(Others),
}

pub(super) struct Mine {
    checks: Arc<Checks>,
    account: EnterpriseAccountId,
    /// Its end is what the others wait for.
    _done: watch::Sender<()>,
}

impl Drop for Mine {
    fn drop(&mut self) {
        lock(&self.checks.under_way).remove(&self.account);
        self.checks.count.send_modify(|count| *count -= 1);
    }
}

pub(super) struct Others(watch::Receiver<()>);

impl Others {
    pub(super) async fn wait(mut self) {
        // Nothing is ever sent: it fails once the sender is gone.
        while self.0.changed().await.is_ok() {}
    }
}

/// How a token endpoint does.
struct Endpoint {
    room: Arc<Semaphore>,
    failures: u32,
    paused_until: Millis,
}

impl Default for Endpoint {
    fn default() -> Self {
        Self { room: Arc::new(Semaphore::new(AT_ONCE)), failures: 0, paused_until: Millis::MIN }
    }
}

/// What a request says about its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// It speaks the protocol.
    Good,
    /// It could not be reached, or something is broken there.
    Bad,
    /// It asks us to slow down.
    Crowded,
}

impl AccountChecks {
    /// Whose turn it is to check an account.
    pub(super) fn enter(&self, account: &EnterpriseAccountId) -> Turn {
        let mut under_way = lock(&self.checks.under_way);
        if let Some(others) = under_way.get(account) {
            return Turn::Others(Others(others.clone()));
        }
        let (done, others) = watch::channel(());
        under_way.insert(account.clone(), others);
        self.checks.count.send_modify(|count| *count += 1);
        Turn::Mine(Mine { checks: self.checks.clone(), account: account.clone(), _done: done })
    }

    /// Waits until nothing is under way.
    pub(super) async fn all_done(&self) {
        drop(self.checks.count.subscribe().wait_for(|count| *count == 0).await);
    }

    /// Waits for room at an endpoint; `None` if it is left alone for now.
    pub(super) async fn room_at(&self, endpoint: &str, now: Millis) -> Option<OwnedSemaphorePermit> {
        let room = {
            let mut endpoints = lock(&self.endpoints);
            if endpoints.len() > MOST {
                endpoints
                    .retain(|_, endpoint| endpoint.paused_until > now || endpoint.room.available_permits() < AT_ONCE);
            }
            let endpoint = endpoints.entry(endpoint.to_owned()).or_default();
            if endpoint.paused_until > now {
                return None;
            }
            endpoint.room.clone()
        };
        room.acquire_owned().await.ok()
    }

    /// Notes how an endpoint does; `pause` is how long one is left alone that does badly.
    pub(super) fn note(&self, endpoint: &str, health: Health, now: Millis, pause: Millis) {
        let mut endpoints = lock(&self.endpoints);
        let endpoint = endpoints.entry(endpoint.to_owned()).or_default();
        endpoint.failures = match health {
            Health::Good => 0,
            Health::Bad => endpoint.failures.saturating_add(1),
            Health::Crowded => MOST_FAILURES,
        };
        if endpoint.failures >= MOST_FAILURES {
            endpoint.paused_until = now + pause;
        }
    }

    /// Whether it is time to warn of a connection again; if so, it is noted that it was.
    pub(super) fn may_warn(&self, connection: &EnterpriseConnectionId, now: Millis) -> bool {
        let mut warned_at = lock(&self.warned_at);
        if warned_at.len() > MOST {
            warned_at.retain(|_, at| now - *at < QUIET);
        }
        let is_time = warned_at.get(connection).is_none_or(|at| now - at >= QUIET);
        if is_time {
            warned_at.insert(connection.clone(), now);
        }
        is_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[tokio::test]
    async fn who_comes_second_waits_for_the_first_however_that_ends() {
        let (checks, account) = (AccountChecks::default(), EnterpriseAccountId::from("entacc_1"));
        for panics in [false, true] {
            let Turn::Mine(mine) = checks.enter(&account) else { panic!("nobody is at it") };
            let Turn::Others(mut others) = checks.enter(&account) else { panic!("somebody is at it") };
            assert!(matches!(checks.enter(&"entacc_2".into()), Turn::Mine(_)), "another account");
            assert!(others.0.changed().now_or_never().is_none());
            let task = tokio::spawn(async move {
                let _mine = mine;
                assert!(!panics, "as a check may");
            });
            others.wait().await;
            assert_eq!(task.await.is_err(), panics);
            checks.all_done().await;
        }
        let Turn::Mine(mine) = checks.enter(&account) else { panic!("nobody is at it") };
        assert!(checks.all_done().now_or_never().is_none());
        drop(mine);
        checks.all_done().await;
    }

    #[tokio::test]
    async fn an_endpoint_is_left_alone_after_three_failures_in_a_row_or_when_it_asks_for_it() {
        let checks = AccountChecks::default();
        let is_open = async |url: &str, now| checks.room_at(url, now).await.is_some();
        for health in [Health::Bad, Health::Bad, Health::Good, Health::Bad, Health::Bad] {
            checks.note("a", health, 0, 100);
            assert!(is_open("a", 0).await);
        }
        checks.note("a", Health::Bad, 10, 100);
        assert!(!is_open("a", 109).await);
        assert!(is_open("b", 109).await, "another endpoint");
        assert!(is_open("a", 110).await);
        checks.note("a", Health::Bad, 110, 100);
        assert!(!is_open("a", 111).await, "still failing");
        checks.note("a", Health::Good, 210, 100);
        checks.note("a", Health::Bad, 210, 100);
        assert!(is_open("a", 211).await);
        checks.note("b", Health::Crowded, 0, 100);
        assert!(!is_open("b", 99).await);
    }

    #[tokio::test]
    async fn requests_to_one_endpoint_are_bounded() {
        let checks = AccountChecks::default();
        let mut permits = Vec::new();
        for _ in 0..AT_ONCE {
            permits.push(checks.room_at("a", 0).await.unwrap());
        }
        assert!(checks.room_at("a", 0).now_or_never().is_none());
        assert!(checks.room_at("b", 0).await.is_some());
        permits.pop();
        assert!(checks.room_at("a", 0).now_or_never().flatten().is_some());
    }

    #[test]
    fn a_connection_is_warned_of_once_a_minute() {
        let (checks, one, two) = (AccountChecks::default(), "entconn_1".into(), "entconn_2".into());
        assert!(checks.may_warn(&one, 0));
        assert!(!checks.may_warn(&one, QUIET - 1));
        assert!(checks.may_warn(&two, QUIET - 1));
        assert!(checks.may_warn(&one, QUIET));
        assert!(!checks.may_warn(&one, QUIET + 1));
    }
}
