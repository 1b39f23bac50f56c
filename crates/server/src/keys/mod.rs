//! Secrets of the instance: the encryption key, the keys that sign session tokens, the keys of the Backend API, the keys
//! towards IdPs.

pub mod connection_key;
pub mod encryption;
pub mod secret_key;
pub mod session_token;
