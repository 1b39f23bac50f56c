//! Documents of others that are kept for a while: fetched once for all who wait, and still of use for a time when they cannot be
//! fetched again.

use doorward_model::Millis;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

const SECOND: Millis = 1000;
const HOUR: Millis = 3600 * SECOND;
/// How long a document counts as fresh: what its server says, within these bounds.
const SHORTEST: Millis = 60 * SECOND;
const LONGEST: Millis = 24 * HOUR;
/// Where its server does not say.
const USUAL: Millis = HOUR;
/// How long after that it is still used while it cannot be fetched again.
const STALE: Millis = 6 * HOUR;
/// How long after a failure nobody tries again.
const PAUSE: Millis = 5 * SECOND;
/// How often, at most, a fresh document is fetched because something is missing in it.
const PATIENCE: Millis = 10 * SECOND;

/// A document that was fetched and read.
pub struct Fetched<T> {
    pub value: T,
    /// What it weighs, in bytes.
    pub size: usize,
    pub cache_control: Option<String>,
}

/// Whose document it is, and where it comes from. What one connection's server says is never used for another connection, even
/// if both name the same address; those of a public provider that no connection names belong to that provider.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub owner: String,
    pub url: String,
}

/// How a document is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// As it is kept, while it is fresh.
    Fresh,
    /// Newer than the one that was fetched at this time, if that is long enough ago.
    NewerThan(Millis),
}

/// A document in use.
pub struct Kept<T> {
    pub value: Arc<T>,
    pub fetched_at: Millis,
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), fetched_at: self.fetched_at }
    }
}

/// A shelf of limited room for documents of one kind.
pub struct Shelf<T, E> {
    slots: Mutex<HashMap<Key, Arc<Slot<T, E>>>>,
    most: usize,
    most_bytes: usize,
}

struct Slot<T, E> {
    state: Mutex<State<T, E>>,
    /// Held by the one who fetches.
    turn: tokio::sync::Mutex<()>,
}

struct State<T, E> {
    kept: Option<Kept<T>>,
    fresh_until: Millis,
    size: usize,
    /// When a fetch failed last, and how.
    failure: Option<(Millis, E)>,
    /// Counts the fetches that ended, so that who waited for one takes its outcome.
    ended: u64,
    used_at: Millis,
}

impl<T, E: Clone> Shelf<T, E> {
    /// A shelf for this many documents of together this size.
    pub fn new(most: usize, most_bytes: usize) -> Self {
        Self { slots: Mutex::default(), most, most_bytes }
    }

    /// The document: the one that is kept, or what `fetch` answers.
    pub async fn get(
        &self,
        key: &Key,
        want: Want,
        now: Millis,
        fetch: impl AsyncFnOnce() -> Result<Fetched<T>, E>,
    ) -> Result<Kept<T>, E> {
        let slot = self.slot(key, now);
        let seen = slot.lock().ended;
        if let Some(outcome) = slot.lock().without_fetching(want, now) {
            return outcome;
        }
        let _turn = slot.turn.lock().await;
        {
            let state = slot.lock();
            if state.ended != seen
                && let Some(outcome) = state.last_outcome(now)
            {
                return outcome;
            }
        }
        let fetched = fetch().await;
        let outcome = slot.lock().end(fetched, now);
        self.make_room(key);
        outcome
    }

    fn slot(&self, key: &Key, now: Millis) -> Arc<Slot<T, E>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = slots.entry(key.clone()).or_insert_with(|| Arc::new(Slot::new())).clone();
        slot.lock().used_at = now;
        slot
    }

    /// Lets go of what was used longest ago, but never of `key`.
    fn make_room(&self, key: &Key) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes: usize = slots.values().map(|slot| slot.lock().size).sum();
        while slots.len() > self.most || bytes > self.most_bytes {
            let others = slots.iter().filter(|(other, _)| *other != key);
            let Some(oldest) = others.min_by_key(|(_, slot)| slot.lock().used_at).map(|(key, _)| key.clone()) else {
                return;
            };
            let size = slots.remove(&oldest).map_or(0, |slot| slot.lock().size);
            bytes = bytes.saturating_sub(size);
        }
    }
}

impl<T, E> Slot<T, E> {
    fn new() -> Self {
        let state = State { kept: None, fresh_until: 0, size: 0, failure: None, ended: 0, used_at: 0 };
        Self { state: Mutex::new(state), turn: tokio::sync::Mutex::new(()) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State<T, E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T, E: Clone> State<T, E> {
    /// The answer where none has to be fetched.
    fn without_fetching(&self, want: Want, now: Millis) -> Option<Result<Kept<T>, E>> {
        if let Some(kept) = &self.kept {
            let is_good = match want {
                Want::Fresh => now < self.fresh_until,
                Want::NewerThan(fetched_at) => kept.fetched_at > fetched_at || now - kept.fetched_at < PATIENCE,
            };
            if is_good {
                return Some(Ok(kept.clone()));
            }
        }
        let is_pausing = self.failure.as_ref().is_some_and(|(failed_at, _)| now - failed_at < PAUSE);
        if is_pausing { self.last_outcome(now) } else { None }
    }

    /// Takes what a fetch ended with.
    fn end(&mut self, fetched: Result<Fetched<T>, E>, now: Millis) -> Result<Kept<T>, E> {
        self.ended += 1;
        match fetched {
            Ok(Fetched { value, size, cache_control }) => {
                let kept = Kept { value: Arc::new(value), fetched_at: now };
                self.failure = None;
                self.fresh_until = now.saturating_add(lifetime(cache_control.as_deref()));
                self.size = size;
                self.kept = Some(kept.clone());
                Ok(kept)
            }
            Err(error) => {
                self.failure = Some((now, error.clone()));
                self.usable(now).ok_or(error)
            }
        }
    }

    /// What the last fetch amounts to; `None` if there was none.
    fn last_outcome(&self, now: Millis) -> Option<Result<Kept<T>, E>> {
        match &self.failure {
            Some((_, error)) => Some(self.usable(now).ok_or_else(|| error.clone())),
            None => self.kept.clone().map(Ok),
        }
    }

    /// The document from before, after a failure: for a while.
    fn usable(&self, now: Millis) -> Option<Kept<T>> {
        self.kept.clone().filter(|_| now < self.fresh_until.saturating_add(STALE))
    }
}

/// For how long a document is fresh by its `Cache-Control` (RFC 9111, section 5.2.2), within our bounds.
fn lifetime(cache_control: Option<&str>) -> Millis {
    let Some(text) = cache_control else { return USUAL };
    let mut wanted = USUAL;
    for directive in text.split(',').map(|directive| directive.trim().to_ascii_lowercase()) {
        if directive == "no-store" || directive == "no-cache" {
            return SHORTEST;
        }
        if let Some(seconds) = directive.strip_prefix("max-age=") {
            // What is no number, or too large for one, is no promise of ours to keep.
            wanted = seconds.trim_matches('"').parse::<Millis>().map_or(SHORTEST, |s| s.saturating_mul(SECOND));
        }
    }
    wanted.clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::Semaphore;

    type TestShelf = Shelf<String, &'static str>;

    fn key(owner: &str) -> Key {
        Key { owner: owner.into(), url: "https://op.test/jwks".into() }
    }

    fn document(text: &str) -> Result<Fetched<String>, &'static str> {
        with(text, None)
    }

    fn with(text: &str, cache_control: Option<&str>) -> Result<Fetched<String>, &'static str> {
        Ok(Fetched { value: text.into(), size: text.len(), cache_control: cache_control.map(str::to_owned) })
    }

    async fn get(shelf: &TestShelf, want: Want, now: Millis, answer: Result<Fetched<String>, &'static str>) -> String {
        let kept = shelf.get(&key("a"), want, now, async || answer).await;
        kept.map_or_else(|error| format!("error {error}"), |kept| kept.value.to_string())
    }

    #[test]
    fn lifetimes_keep_within_their_bounds() {
        for (text, expected) in [
            (None, USUAL),
            (Some("public"), USUAL),
            (Some("public, max-age=600"), 600 * SECOND),
            (Some("MAX-AGE=\"600\""), 600 * SECOND),
            (Some("max-age=0"), SHORTEST),
            (Some("max-age=-5"), SHORTEST),
            (Some("max-age=forever"), SHORTEST),
            (Some("max-age=99999999999999999999"), SHORTEST),
            (Some("max-age=9223372036854775807"), LONGEST),
            (Some("max-age=31536000"), LONGEST),
            (Some("no-store, max-age=600"), SHORTEST),
            (Some("no-cache"), SHORTEST),
        ] {
            assert_eq!(lifetime(text), expected, "{text:?}");
        }
    }

    #[tokio::test]
    async fn a_fresh_document_is_kept_and_a_stale_one_outlives_an_outage_for_a_while() {
        let shelf = TestShelf::new(10, 1000);
        let fetched = get(&shelf, Want::Fresh, 0, with("one", Some("max-age=600"))).await;
        assert_eq!(fetched, "one");
        let ends = 600 * SECOND;
        assert_eq!(get(&shelf, Want::Fresh, ends - 1, document("two")).await, "one");
        assert_eq!(get(&shelf, Want::Fresh, ends, Err("down")).await, "one");
        // Nobody tries again at once, and then somebody does.
        assert_eq!(get(&shelf, Want::Fresh, ends + PAUSE - 1, document("two")).await, "one");
        assert_eq!(get(&shelf, Want::Fresh, ends + STALE - 1, Err("down")).await, "one");
        assert_eq!(get(&shelf, Want::Fresh, ends + STALE + PAUSE, Err("down")).await, "error down");
        assert_eq!(get(&shelf, Want::Fresh, ends + STALE + 2 * PAUSE, document("two")).await, "two");
    }

    #[tokio::test]
    async fn a_newer_document_is_fetched_once_and_not_too_often() {
        let shelf = TestShelf::new(10, 1000);
        get(&shelf, Want::Fresh, 0, document("one")).await;
        assert_eq!(get(&shelf, Want::NewerThan(0), PATIENCE - 1, document("two")).await, "one");
        assert_eq!(get(&shelf, Want::NewerThan(0), PATIENCE, document("two")).await, "two");
        // Somebody else has the old one still; it has been replaced since.
        assert_eq!(get(&shelf, Want::NewerThan(0), 3 * PATIENCE, document("three")).await, "two");
        assert_eq!(get(&shelf, Want::NewerThan(PATIENCE), 3 * PATIENCE, Err("down")).await, "two");
    }

    #[tokio::test]
    async fn all_who_wait_share_one_fetch_and_its_failure() {
        for answer in [Ok("one"), Err("down")] {
            let (shelf, fetches, gate) = (TestShelf::new(10, 1000), AtomicUsize::new(0), Semaphore::new(0));
            let one = async || {
                let owner = key("a");
                let fetch = async || {
                    fetches.fetch_add(1, Ordering::SeqCst);
                    drop(gate.acquire().await);
                    answer.and_then(document)
                };
                shelf.get(&owner, Want::Fresh, 0, fetch).await.map(|kept| kept.value.to_string())
            };
            let all = futures_util::future::join_all((0..50).map(|_| one()));
            let open = async { gate.add_permits(100) };
            let (outcomes, ()) = futures_util::future::join(all, open).await;
            assert!(outcomes.iter().all(|outcome| outcome.as_deref() == answer.as_deref()), "{outcomes:?}");
            assert_eq!(fetches.load(Ordering::SeqCst), 1);
        }
    }

    #[tokio::test]
    async fn one_owner_never_gets_what_was_fetched_for_another() {
        let shelf = TestShelf::new(10, 1000);
        get(&shelf, Want::Fresh, 0, document("of a")).await;
        let other = shelf.get(&key("b"), Want::Fresh, 0, async || document("of b")).await.unwrap();
        assert_eq!(*other.value, "of b");
        assert_eq!(get(&shelf, Want::Fresh, 0, Err("down")).await, "of a");
    }

    #[tokio::test]
    async fn room_is_limited_in_number_and_size() {
        let count = |shelf: &TestShelf| shelf.slots.lock().unwrap().len();
        let shelf = TestShelf::new(3, 10);
        for (now, owner) in ["a", "b", "c", "d"].into_iter().enumerate() {
            shelf.get(&key(owner), Want::Fresh, now as Millis, async || document("x")).await.unwrap();
        }
        assert_eq!(count(&shelf), 3);
        assert!(!shelf.slots.lock().unwrap().contains_key(&key("a")), "the oldest goes");
        shelf.get(&key("e"), Want::Fresh, 9, async || document("nine bytes")).await.unwrap();
        assert_eq!(count(&shelf), 1);
        // Larger than all there is room for: it is used, and alone.
        shelf.get(&key("f"), Want::Fresh, 9, async || document("eleven bytes")).await.unwrap();
        assert_eq!(count(&shelf), 1);
    }
}
