//! What a provider keeps in the data directory: with it, refresh tokens are good after a restart.

use crate::keys::encryption::EncryptionKey;
use crate::keys::session_token::SigningKeyPair;
use crate::random::token;
use crate::server::write_private;
use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_model::Random;
use serde::{Deserialize, Serialize};
use std::path::Path;

#[derive(Serialize, Deserialize)]
struct Kept {
    kid: String,
    signing_key: String,
    sealing_key: String,
    client_secret: String,
}

impl Kept {
    fn new(random: &dyn Random) -> anyhow::Result<Self> {
        Ok(Self {
            kid: token(random),
            signing_key: STANDARD.encode(SigningKeyPair::generate()?),
            sealing_key: EncryptionKey::generate(random),
            client_secret: token(random),
        })
    }
}

/// The secrets of a provider.
pub struct OpKeys {
    /// Signs ID tokens.
    pub signing: SigningKeyPair,
    /// Access and refresh tokens are facts under this key, so that no list of them is needed.
    pub sealing: EncryptionKey,
    pub client_secret: String,
}

impl OpKeys {
    /// Reads the file, making it at the first start.
    pub fn load(file: &Path, random: &dyn Random) -> anyhow::Result<Self> {
        let wrong = || format!("{} has no usable keys; delete it to get new ones", file.display());
        if !file.exists() {
            let text = serde_json::to_string_pretty(&Kept::new(random)?)?;
            write_private(file, &text, random).with_context(|| format!("cannot write {}", file.display()))?;
        }
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let kept: Kept = serde_json::from_str(&text).with_context(wrong)?;
        let pkcs8 = STANDARD.decode(&kept.signing_key).with_context(wrong)?;
        Ok(Self {
            signing: SigningKeyPair::parse(&kept.kid, &pkcs8).with_context(wrong)?,
            sealing: EncryptionKey::parse(&kept.sealing_key).with_context(wrong)?,
            client_secret: kept.client_secret,
        })
    }
}
