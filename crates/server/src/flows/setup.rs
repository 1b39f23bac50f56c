//! The first start of a new database: instance, keys, stock roles; and loading them at every start.

use crate::app::internal;
use crate::config::Config;
use crate::flows::FlowError;
use crate::keys::encryption::EncryptionKey;
use crate::keys::secret_key;
use crate::keys::session_token::{SigningKeyPair, SigningKeys};
use crate::random::{hex, sha256_hex};
use doorward_model::{
    Instance, InstanceId, Millis, OrganizationSettings, Permission, PermissionId, PermissionType, Random, Role, RoleId,
    RoleSet, RoleSetId, RoleSetType, SYSTEM_PERMISSIONS, SigningKey,
};
use doorward_store::{Store, instance, roles, write_tx};

/// What the stored private key is encrypted for.
const SIGNING_KEY_CONTEXT: &str = "signing key";

/// What a start made or found.
pub struct Setup {
    pub signing_keys: SigningKeys,
    /// The secret key in clear, if this start generated one. It is never shown again.
    pub generated_secret_key: Option<String>,
}

/// Prepares a new database and loads the keys of any.
pub async fn run(
    store: &Store,
    config: &Config,
    encryption: &EncryptionKey,
    now: Millis,
    random: &dyn Random,
) -> Result<Setup, FlowError> {
    let mut tx = store.read().await?;
    let is_new = instance::get(&mut tx).await?.is_none();
    drop(tx);
    let mut generated_secret_key = None;
    if is_new {
        let (key, generated) = match &config.secret_key {
            Some(key) => (key.expose().to_owned(), false),
            None => (secret_key::generate(random), true),
        };
        if create(store, encryption, &key, now, random).await? && generated {
            generated_secret_key = Some(key);
        }
    }
    warn_of_other_secret_key(store, config).await?;
    Ok(Setup { signing_keys: load_signing_keys(store, encryption).await?, generated_secret_key })
}

/// The configured secret key counts at the first start only; who changes it later should learn that nothing changed.
async fn warn_of_other_secret_key(store: &Store, config: &Config) -> Result<(), FlowError> {
    let Some(key) = &config.secret_key else { return Ok(()) };
    let known = instance::secret_key_by_sha256(&mut store.read().await?, &sha256_hex(key.expose())).await?;
    if known.is_none() {
        tracing::warn!(
            "secret_key is ignored: this database has another; `doorward secret-key rotate` makes a new one"
        );
    }
    Ok(())
}

/// Answers `false` when another process was faster.
async fn create(
    store: &Store,
    encryption: &EncryptionKey,
    secret_key: &str,
    now: Millis,
    random: &dyn Random,
) -> Result<bool, FlowError> {
    let pkcs8 = SigningKeyPair::generate().map_err(internal)?;
    let signing_key = SigningKey {
        kid: format!("ins_{}", &sha256_hex(&hex(&pkcs8))[..27]),
        encrypted_private_key: encryption.encrypt(&pkcs8, SIGNING_KEY_CONTEXT, random).map_err(internal)?,
        created_at: now,
    };
    write_tx!(store, FlowError, |tx| {
        if instance::get(tx).await?.is_some() {
            return Ok(false);
        }
        let new = Instance {
            id: InstanceId::generate(now, random),
            organization_settings: OrganizationSettings::default(),
            allowed_origins: Vec::new(),
            support_email: None,
            created_at: now,
            updated_at: now,
        };
        instance::insert(tx, &new).await?;
        instance::insert_signing_key(tx, &signing_key).await?;
        instance::insert_secret_key(tx, &secret_key::stored(secret_key, now, random)).await?;
        let permissions: Vec<Permission> =
            SYSTEM_PERMISSIONS.iter().map(|system| permission(system, now, random)).collect();
        for permission in &permissions {
            roles::insert_permission(tx, permission).await?;
        }
        let [admin, member] = stock_roles(&permissions, now, random);
        roles::insert_role(tx, &admin).await?;
        roles::insert_role(tx, &member).await?;
        let set = RoleSet {
            id: RoleSetId::generate(now, random),
            key: "role_set:default".into(),
            name: "Default role set".into(),
            description: None,
            kind: RoleSetType::Initial,
            default_role_id: member.id.clone(),
            creator_role_id: admin.id.clone(),
            created_at: now,
            updated_at: now,
        };
        roles::insert_role_set(tx, &set, &[admin.id, member.id]).await?;
        Ok(true)
    })
}

fn permission(system: &doorward_model::SystemPermission, now: Millis, random: &dyn Random) -> Permission {
    Permission {
        id: PermissionId::generate(now, random),
        key: system.key.into(),
        name: system.name.into(),
        description: system.description.into(),
        kind: PermissionType::System,
        created_at: now,
        updated_at: now,
    }
}

/// `org:admin` with every permission, `org:member` with those a plain member has (ROL-1).
fn stock_roles(permissions: &[Permission], now: Millis, random: &dyn Random) -> [Role; 2] {
    let role = |key: &str, name: &str, description: &str, permissions: Vec<Permission>| Role {
        id: RoleId::generate(now, random),
        key: key.into(),
        name: name.into(),
        description: Some(description.into()),
        permissions,
        created_at: now,
        updated_at: now,
    };
    let held = permissions.iter().zip(&SYSTEM_PERMISSIONS).filter(|(_, system)| system.held_by_member);
    let held = held.map(|(permission, _)| permission.clone()).collect();
    [
        role("org:admin", "Admin", "Runs the organization", permissions.to_vec()),
        role("org:member", "Member", "Belongs to the organization", held),
    ]
}

async fn load_signing_keys(store: &Store, encryption: &EncryptionKey) -> Result<SigningKeys, FlowError> {
    let mut tx = store.read().await?;
    let stored = instance::signing_keys(&mut tx).await?;
    let parse = |key: &SigningKey| {
        let pkcs8 = encryption.decrypt(&key.encrypted_private_key, SIGNING_KEY_CONTEXT).map_err(internal)?;
        SigningKeyPair::parse(&key.kid, &pkcs8).map_err(internal)
    };
    SigningKeys::new(stored.iter().map(parse).collect::<Result<_, FlowError>>()?).map_err(internal)
}

/// Replaces the secret key; the old ones stay valid for `grace` milliseconds. Answers the new key in clear.
pub async fn rotate_secret_key(
    store: &Store,
    now: Millis,
    grace: Millis,
    random: &dyn Random,
) -> Result<String, FlowError> {
    let key = secret_key::generate(random);
    let stored = secret_key::stored(&key, now, random);
    write_tx!(store, FlowError, |tx| {
        if instance::get(tx).await?.is_none() {
            return Err(FlowError::Internal("the database has no instance yet; start the server once".into()));
        }
        instance::delete_expired_secret_keys(tx, now).await?;
        instance::expire_secret_keys(tx, now + grace).await?;
        instance::insert_secret_key(tx, &stored).await?;
        Ok(())
    })?;
    Ok(key)
}
