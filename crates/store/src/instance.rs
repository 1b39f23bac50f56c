//! The instance row, its secret keys and its signing keys.

use crate::db::{Row, Tx, args, json_text, statements};
use crate::error::StoreError;
use doorward_model::{Instance, Millis, SecretKey, SigningKey};

statements! {
    GET = "SELECT id, organization_settings, allowed_origins, support_email, created_at, updated_at FROM instance";
    INSERT = "INSERT INTO instance (id, singleton, organization_settings, allowed_origins, support_email, created_at, updated_at) \
              VALUES ($1, 1, $2, $3, $4, $5, $6)";
    UPDATE = "UPDATE instance SET organization_settings = $2, allowed_origins = $3, support_email = $4, updated_at = $5 WHERE id = $1";
    SECRET_KEY_BY_HASH = "SELECT id, sha256, hint, expires_at, created_at FROM secret_keys WHERE sha256 = $1";
    SECRET_KEYS = "SELECT id, sha256, hint, expires_at, created_at FROM secret_keys ORDER BY created_at, id";
    INSERT_SECRET_KEY = "INSERT INTO secret_keys (id, sha256, hint, expires_at, created_at) VALUES ($1, $2, $3, $4, $5)";
    EXPIRE_SECRET_KEYS = "UPDATE secret_keys SET expires_at = $1 WHERE expires_at IS NULL OR expires_at > $1";
    DELETE_EXPIRED_SECRET_KEYS = "DELETE FROM secret_keys WHERE expires_at IS NOT NULL AND expires_at <= $1";
    SIGNING_KEYS = "SELECT kid, encrypted_private_key, created_at FROM signing_keys ORDER BY created_at, kid";
    INSERT_SIGNING_KEY = "INSERT INTO signing_keys (kid, encrypted_private_key, created_at) VALUES ($1, $2, $3)";
}

fn read_instance(row: &mut Row<'_>) -> Result<Instance, StoreError> {
    Ok(Instance {
        id: row.id()?,
        organization_settings: row.json()?,
        allowed_origins: row.json()?,
        support_email: row.maybe_text()?,
        created_at: row.int()?,
        updated_at: row.int()?,
    })
}

fn read_secret_key(row: &mut Row<'_>) -> Result<SecretKey, StoreError> {
    Ok(SecretKey {
        id: row.id()?,
        sha256: row.text()?,
        hint: row.text()?,
        expires_at: row.maybe_int()?,
        created_at: row.int()?,
    })
}

/// The instance, if the database has been set up.
pub async fn get(tx: &mut Tx) -> Result<Option<Instance>, StoreError> {
    tx.optional(GET, args![], read_instance).await
}

/// Writes the instance of a new database. A second one is a conflict.
pub async fn insert(tx: &mut Tx, instance: &Instance) -> Result<(), StoreError> {
    let settings = json_text(&instance.organization_settings)?;
    let origins = json_text(&instance.allowed_origins)?;
    let email = &instance.support_email;
    let args = args![instance.id.as_str(), settings, origins, email, instance.created_at, instance.updated_at];
    tx.run(INSERT, args).await.map(drop)
}

/// Saves the instance's settings.
pub async fn update(tx: &mut Tx, instance: &Instance) -> Result<(), StoreError> {
    let settings = json_text(&instance.organization_settings)?;
    let origins = json_text(&instance.allowed_origins)?;
    let args = args![instance.id.as_str(), settings, origins, &instance.support_email, instance.updated_at];
    tx.run(UPDATE, args).await.map(drop)
}

/// The secret key with this hash, expired or not.
pub async fn secret_key_by_sha256(tx: &mut Tx, sha256: &str) -> Result<Option<SecretKey>, StoreError> {
    tx.optional(SECRET_KEY_BY_HASH, args![sha256], read_secret_key).await
}

/// All secret keys, oldest first.
pub async fn secret_keys(tx: &mut Tx) -> Result<Vec<SecretKey>, StoreError> {
    tx.all(SECRET_KEYS, args![], read_secret_key).await
}

/// Adds a secret key.
pub async fn insert_secret_key(tx: &mut Tx, key: &SecretKey) -> Result<(), StoreError> {
    let args = args![key.id.as_str(), &key.sha256, &key.hint, key.expires_at, key.created_at];
    tx.run(INSERT_SECRET_KEY, args).await.map(drop)
}

/// Lets every key that is valid beyond `at` end then.
pub async fn expire_secret_keys(tx: &mut Tx, at: Millis) -> Result<(), StoreError> {
    tx.run(EXPIRE_SECRET_KEYS, args![at]).await.map(drop)
}

/// Removes keys that ended at or before `now`.
pub async fn delete_expired_secret_keys(tx: &mut Tx, now: Millis) -> Result<(), StoreError> {
    tx.run(DELETE_EXPIRED_SECRET_KEYS, args![now]).await.map(drop)
}

/// All signing keys, oldest first.
pub async fn signing_keys(tx: &mut Tx) -> Result<Vec<SigningKey>, StoreError> {
    tx.all(SIGNING_KEYS, args![], |row| {
        Ok(SigningKey { kid: row.text()?, encrypted_private_key: row.text()?, created_at: row.int()? })
    })
    .await
}

/// Adds a signing key.
pub async fn insert_signing_key(tx: &mut Tx, key: &SigningKey) -> Result<(), StoreError> {
    tx.run(INSERT_SIGNING_KEY, args![&key.kid, &key.encrypted_private_key, key.created_at]).await.map(drop)
}
