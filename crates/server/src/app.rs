//! What every request and job works with.

use crate::clock::Clock;
use crate::config::Config;
use crate::flows::FlowError;
use crate::http::rate_limit::RateLimits;
use crate::keys::session_token::SigningKeys;
use crate::outbound::Outbound;
use doorward_model::{Instance, Millis, Random};
use doorward_store::{Store, StoreError, Tx};
use std::sync::{Arc, RwLock};

/// The program's parts.
pub struct App {
    pub config: Config,
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub signing_keys: SigningKeys,
    pub outbound: Outbound,
    pub rate_limits: RateLimits,
    pub instance: InstanceCache,
}

impl App {
    /// The instance and its settings.
    pub async fn instance(&self) -> Result<Arc<Instance>, StoreError> {
        let now = self.clock.now();
        if let Some(instance) = self.instance.get(now) {
            return Ok(instance);
        }
        let mut tx = self.store.read().await?;
        let instance = Arc::new(load_instance(&mut tx).await?);
        self.instance.put(instance.clone(), now);
        Ok(instance)
    }
}

/// The instance row; every database that was set up has one.
pub async fn load_instance(tx: &mut Tx) -> Result<Instance, StoreError> {
    let instance = doorward_store::instance::get(tx).await?;
    instance.ok_or_else(|| StoreError::Corrupt("the database has no instance".into()))
}

/// The instance's settings, kept for a moment: every request asks for them, and they change a few times a year.
/// A change over this node shows at once, one over another node after [`InstanceCache::LIFETIME`].
#[derive(Default)]
pub struct InstanceCache(RwLock<Option<(Arc<Instance>, Millis)>>);

impl InstanceCache {
    /// How long another node's change may stay unseen, in milliseconds.
    const LIFETIME: Millis = 2000;

    fn get(&self, now: Millis) -> Option<Arc<Instance>> {
        let cached = self.0.read().ok()?;
        let (instance, loaded_at) = cached.as_ref()?;
        (now - loaded_at < Self::LIFETIME && now >= *loaded_at).then(|| instance.clone())
    }

    fn put(&self, instance: Arc<Instance>, now: Millis) {
        if let Ok(mut cached) = self.0.write() {
            *cached = Some((instance, now));
        }
    }

    /// Forgets the settings after a change.
    pub fn forget(&self) {
        if let Ok(mut cached) = self.0.write() {
            *cached = None;
        }
    }
}

/// Time and random bytes, for flows that make things.
impl App {
    /// Now, in Unix milliseconds.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }
}

/// A failure that should not be, as a flow error.
pub fn internal(error: impl std::fmt::Display) -> FlowError {
    FlowError::Internal(error.to_string())
}
