//! The relying party from outside: tokens are signed here, by keys made for each run, and every attack is one change to a
//! token that is accepted without it.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail by panicking")]

mod accepted_tokens;
mod attacks_on_claims;
mod attacks_on_form;
mod attacks_on_header;
mod attacks_on_signature;
mod authorization;
mod damage;
mod discovery;
mod easie;
mod key_sets;
mod limits;
mod profile;
mod signer;
mod token_endpoint;
mod userinfo;
