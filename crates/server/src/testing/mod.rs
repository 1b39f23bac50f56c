//! The harness: a real server in process, on a database of its own, with a clock to move, browsers and identity providers.
//!
//! Actors go through the public interfaces only.

mod app;
mod browser;
mod idp;

pub use app::TestApp;
pub use browser::{Answer, Browser};
pub use idp::{Identity, TestIdp, begin_sign_in, encrypt_for};
