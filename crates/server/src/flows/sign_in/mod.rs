//! Signing in and up through an enterprise connection.
//!
//! ```text
//! start ── route by domain ──▶ trip ── AuthnRequest ──▶ (browser at the IdP)
//!                                                            │ SAML response
//!                      finish ◀── one-time token ── saml_callback: verify, map, store the outcome
//!                        │ only the browser that began
//!                     outcome: the sign-in or sign-up it belongs to
//!                        │
//!                     complete: account, user, membership, session in one transaction
//! ```
//!
//! Through OpenID Connect the browser's own GET brings the answer, so there is nothing to wait for:
//!
//! ```text
//! trip ── oidc_trip: authorization request ──▶ (browser at the provider)
//!                                                   │ code and state
//! outcome ◀── oidc_identity: tokens, profile ◀── oidc_callback: only the browser that began, and once
//! ```

pub mod complete;
mod easie_identity;
pub mod finish;
pub mod oidc_callback;
mod oidc_identity;
pub mod oidc_trip;
pub mod outcome;
pub mod saml_callback;
pub mod sign_up;
pub mod start;
pub mod trip;
