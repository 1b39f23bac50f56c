//! What every request and job works with.

use crate::clock::Clock;
use crate::config::Config;
use crate::flows::FlowError;
use crate::flows::deprovision::AccountChecks;
use crate::flows::oidc_provider::OidcDocuments;
use crate::http::rate_limit::RateLimits;
use crate::keys::encryption::EncryptionKey;
use crate::keys::session_token::SigningKeys;
use crate::outbound::Outbound;
use doorward_model::{Instance, Millis, Random, Role, RoleId};
use doorward_store::{Store, StoreError, Tx};
use std::sync::{Arc, RwLock};
use tokio::sync::Semaphore;

/// The program's parts.
pub struct App {
    pub config: Config,
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub encryption: EncryptionKey,
    /// Key pairs towards IdPs are made one at a time: each takes a tenth of a second of a core.
    pub key_making: Semaphore,
    pub signing_keys: SigningKeys,
    pub outbound: Outbound,
    pub oidc_documents: OidcDocuments,
    pub account_checks: AccountChecks,
    pub rate_limits: RateLimits,
    pub instance: Recent<Instance>,
    pub roles: Recent<Vec<Role>>,
}

impl App {
    /// The instance and its settings.
    pub async fn instance(&self) -> Result<Arc<Instance>, StoreError> {
        let now = self.clock.now();
        if let Some(instance) = self.instance.get(now) {
            return Ok(instance);
        }
        let mut tx = self.store.read().await?;
        Ok(self.instance.put(load_instance(&mut tx).await?, now))
    }

    /// All roles with their permissions, for showing them. What decides reads them in its own transaction.
    ///
    /// `wanted` are those that will be looked for. One that is not among the kept ones has just been made at another node, and
    /// whoever holds it must not look like somebody without a role.
    pub async fn roles<'a>(
        &self,
        tx: &mut Tx,
        wanted: impl IntoIterator<Item = &'a RoleId>,
    ) -> Result<Arc<Vec<Role>>, StoreError> {
        let now = self.clock.now();
        if let Some(kept) = self.roles.get(now)
            && wanted.into_iter().all(|id| kept.iter().any(|role| role.id == *id))
        {
            return Ok(kept);
        }
        Ok(self.roles.put(doorward_store::roles::roles(tx).await?, now))
    }
}

/// The instance row; every database that was set up has one.
pub async fn load_instance(tx: &mut Tx) -> Result<Instance, StoreError> {
    let instance = doorward_store::instance::get(tx).await?;
    instance.ok_or_else(|| StoreError::Corrupt("the database has no instance".into()))
}

/// Something every request asks for and that changes a few times a year, kept for a moment. A change over another node shows
/// after [`Recent::LIFETIME`], one over this node at once if who makes it calls [`Recent::forget`].
pub struct Recent<T>(RwLock<Option<(Arc<T>, Millis)>>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(RwLock::new(None))
    }
}

impl<T> Recent<T> {
    /// How long another node's change may stay unseen, in milliseconds.
    const LIFETIME: Millis = 2000;

    fn get(&self, now: Millis) -> Option<Arc<T>> {
        let kept = self.0.read().ok()?;
        let (value, loaded_at) = kept.as_ref()?;
        (now - loaded_at < Self::LIFETIME && now >= *loaded_at).then(|| value.clone())
    }

    fn put(&self, value: T, now: Millis) -> Arc<T> {
        let value = Arc::new(value);
        if let Ok(mut kept) = self.0.write() {
            *kept = Some((value.clone(), now));
        }
        value
    }

    /// Forgets the value after a change.
    pub fn forget(&self) {
        if let Ok(mut kept) = self.0.write() {
            *kept = None;
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
