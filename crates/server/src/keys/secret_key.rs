//! Keys of the Backend API: `sk_live_` + random, stored as a hash.

use crate::random::sha256_hex;
use doorward_model::{Millis, Random, SecretKey, SecretKeyId};

/// What every secret key begins with.
pub const PREFIX: &str = "sk_live_";

/// A new secret key in clear.
pub fn generate(random: &dyn Random) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut key = PREFIX.to_owned();
    while key.len() < PREFIX.len() + 43 {
        let mut bytes = [0u8; 64];
        random.fill(&mut bytes);
        // Bytes beyond the last whole multiple of 62 would favour the first letters.
        let even = bytes.iter().filter(|byte| usize::from(**byte) < 62 * 4);
        key.extend(even.map(|byte| char::from(ALPHABET[usize::from(*byte) % 62])));
    }
    key.truncate(PREFIX.len() + 43);
    key
}

/// Whether a text can be a secret key at all: the prefix and at least 20 letters or digits.
pub fn is_well_formed(key: &str) -> bool {
    key.strip_prefix(PREFIX).is_some_and(|rest| rest.len() >= 20 && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// What is stored of a key.
pub fn stored(key: &str, now: Millis, random: &dyn Random) -> SecretKey {
    SecretKey {
        id: SecretKeyId::generate(now, random),
        sha256: sha256_hex(key),
        hint: key.chars().skip(key.chars().count().saturating_sub(4)).collect(),
        created_at: now,
        expires_at: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn keys_are_well_formed_and_only_their_hash_and_end_are_stored() {
        let key = generate(&SystemRandom);
        assert!(is_well_formed(&key), "{key}");
        let kept = stored(&key, 1, &SystemRandom);
        assert!(!format!("{kept:?}").contains(&key));
        assert!(key.ends_with(&kept.hint));
        assert_ne!(key, generate(&SystemRandom));
        for malformed in ["sk_test_aaaaaaaaaaaaaaaaaaaaaaaa", "sk_live_short", "sk_live_aaaaaaaaaaaaaaaaaaaaaaaa;"] {
            assert!(!is_well_formed(malformed));
        }
    }
}
