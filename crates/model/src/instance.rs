//! The one instance a deployment is, its keys and settings.

use crate::{InstanceId, Millis, RedirectUrlId, SecretKeyId};
use serde::{Deserialize, Serialize};

/// The instance and what the operator set for all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    pub id: InstanceId,
    pub organization_settings: OrganizationSettings,
    /// Origins that may call the Frontend API with cookies.
    pub allowed_origins: Vec<String>,
    pub support_email: Option<String>,
    pub created_at: Millis,
    pub updated_at: Millis,
}

/// Instance-wide organization settings. The default and the creator role live on the initial role set (ROL-7, ROL-8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationSettings {
    pub enabled: bool,
    /// For new organizations; `0` means unlimited.
    pub max_allowed_memberships: i64,
    pub admin_delete_enabled: bool,
    pub domains_enabled: bool,
    pub domains_enrollment_modes: Vec<String>,
    pub slug_disabled: bool,
}

impl Default for OrganizationSettings {
    /// Organizations are what this product is for, so they are on; seats are unlimited, since an employee who is
    /// turned away by a forgotten limit of five is not what an operator of single sign-on expects.
    fn default() -> Self {
        Self {
            enabled: true,
            max_allowed_memberships: 0,
            admin_delete_enabled: true,
            domains_enabled: false,
            domains_enrollment_modes: Vec::new(),
            slug_disabled: false,
        }
    }
}

/// A key of the Backend API. Only its SHA-256 is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretKey {
    pub id: SecretKeyId,
    /// Hexadecimal SHA-256 of the whole key.
    pub sha256: String,
    /// The last four characters, to tell keys apart.
    pub hint: String,
    pub created_at: Millis,
    /// From this time on the key is refused.
    pub expires_at: Option<Millis>,
}

/// A key pair that signs session tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// `kid` in tokens and JWKS.
    pub kid: String,
    /// PKCS#8, encrypted under the instance's encryption key; base64.
    pub encrypted_private_key: String,
    pub created_at: Millis,
}

/// A URL the operator allows browsers to be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectUrl {
    pub id: RedirectUrlId,
    pub url: String,
    pub created_at: Millis,
    pub updated_at: Millis,
}
