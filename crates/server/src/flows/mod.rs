//! Use cases: load, decide, save. No HTTP, no SQL.
//!
//! A flow loads facts from `store`, asks `rules`, applies the outcome in one transaction and answers with model values or
//! a [`FlowError`]. The network is awaited only outside transactions.

pub mod browser_sessions;
pub mod client_secrets;
pub mod clients;
pub mod connection_keys;
pub mod connection_oidc;
pub mod deprovision;
pub mod easie_grants;
pub mod enterprise_connections;
pub mod explain;
pub mod idp_certificates;
pub mod instance;
pub mod key_rotation;
pub mod me;
pub mod member_organizations;
pub mod memberships;
pub mod metadata_refresh;
pub mod oidc_clients;
pub mod oidc_provider;
pub mod organizations;
pub mod redirects;
pub mod refusal;
pub mod role_reassignment;
pub mod role_sets;
pub mod roles;
pub mod saml_urls;
pub mod session_tokens;
pub mod sessions;
pub mod setup;
pub mod sign_in;
pub mod users;

pub use refusal::{FlowError, Refusal};
