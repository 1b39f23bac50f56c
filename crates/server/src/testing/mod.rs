//! The harness: a real server in process, on a database of its own, with a clock to move, browsers and identity providers.
//!
//! Actors go through the public interfaces only.

mod account_provider;
mod app;
mod browser;
mod idp;
mod metadata_server;
mod oidc_provider;

pub use account_provider::AccountProvider;
pub use app::{SECRET_KEY, TestApp};
pub use browser::{Answer, Browser};
pub use idp::{Identity, TestIdp, begin_sign_in, encrypt_for};
pub use metadata_server::MetadataServer;
pub use oidc_provider::{CLIENT_SECRET, OpKey, Person, TestOp, callback_url, decode_part, parameters};
