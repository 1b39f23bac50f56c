//! What is decided: pure functions over model values.
//!
//! A function here takes facts and returns an enum whose variants name every outcome, refusals with their data. Nothing
//! awaits, nothing is loaded, nothing is saved; flows do that around it. Rule ids are those of the behaviour catalogue.

pub mod account_linking;
pub mod certificate_dates;
pub mod certificate_provenance;
pub mod connection_change;
pub mod connection_keys;
pub mod deprovision;
pub mod easie;
pub mod explain;
pub mod join;
pub mod member_permission;
pub mod membership;
pub mod metadata;
pub mod metadata_refresh;
pub mod oidc_connection;
pub mod oidc_profile;
pub mod oidc_trip;
pub mod organization;
pub mod own_organization;
pub mod profile;
pub mod redirect;
pub mod role;
pub mod role_set;
pub mod saml_answer;
pub mod session;
pub mod session_token;
pub mod sign_in_route;
