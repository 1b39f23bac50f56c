//! Secrets of the instance: the encryption key, the keys that sign session tokens, the keys of the Backend API.

pub mod encryption;
pub mod secret_key;
pub mod session_token;
