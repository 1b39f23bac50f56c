//! Secrets at rest: AES-256-GCM under the instance's encryption key.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_model::Random;

/// Encrypts and decrypts stored secrets.
pub struct EncryptionKey(LessSafeKey);

/// A stored secret cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum EncryptionError {
    #[error("the encryption key must be 32 bytes in base64")]
    MalformedKey,
    #[error("a stored secret cannot be decrypted: the encryption key is not the one it was encrypted with")]
    WrongKey,
}

const NONCE_LENGTH: usize = 12;

impl EncryptionKey {
    /// Reads a key from its base64 form.
    pub fn parse(text: &str) -> Result<Self, EncryptionError> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| EncryptionError::MalformedKey)?;
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| EncryptionError::MalformedKey)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// A new key in its base64 form.
    pub fn generate(random: &dyn Random) -> String {
        let mut bytes = [0u8; 32];
        random.fill(&mut bytes);
        STANDARD.encode(bytes)
    }

    /// Encrypts; `context` says what the secret is for and must be given again to decrypt.
    pub fn encrypt(&self, secret: &[u8], context: &str, random: &dyn Random) -> Result<String, EncryptionError> {
        let mut nonce = [0u8; NONCE_LENGTH];
        random.fill(&mut nonce);
        let mut sealed = secret.to_vec();
        let aad = Aad::from(context.as_bytes());
        let sealing = self.0.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed);
        sealing.map_err(|_| EncryptionError::WrongKey)?;
        Ok(STANDARD.encode([&nonce[..], &sealed].concat()))
    }

    /// Decrypts what [`Self::encrypt`] made for the same context.
    pub fn decrypt(&self, stored: &str, context: &str) -> Result<Vec<u8>, EncryptionError> {
        let bytes = STANDARD.decode(stored).map_err(|_| EncryptionError::WrongKey)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LENGTH).ok_or(EncryptionError::WrongKey)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| EncryptionError::WrongKey)?;
        let mut opened = sealed.to_vec();
        let plain = self.0.open_in_place(nonce, Aad::from(context.as_bytes()), &mut opened);
        plain.map(|plain| plain.to_vec()).map_err(|_| EncryptionError::WrongKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn a_secret_comes_back_only_with_its_key_and_context() {
        let key = EncryptionKey::parse(&EncryptionKey::generate(&SystemRandom)).unwrap();
        let other = EncryptionKey::parse(&EncryptionKey::generate(&SystemRandom)).unwrap();
        let stored = key.encrypt(b"secret", "a", &SystemRandom).unwrap();
        assert_eq!(key.decrypt(&stored, "a").unwrap(), b"secret");
        assert!(key.decrypt(&stored, "b").is_err());
        assert!(other.decrypt(&stored, "a").is_err());
        for malformed in ["", "AAAA", "not base64!"] {
            assert!(key.decrypt(malformed, "a").is_err());
        }
        assert!(EncryptionKey::parse("AAAA").is_err());
    }
}
