//! Signing in and up through an enterprise connection.
//!
//! ```text
//! start ── route by domain ──▶ trip ── AuthnRequest ──▶ (browser at the IdP)
//!                                                            │ SAML response
//!                      finish ◀── one-time token ── saml_callback: verify, map, store the outcome
//!                        │ only the browser that began
//!                     complete: account, user, membership, session in one transaction
//! ```

pub mod complete;
pub mod finish;
pub mod saml_callback;
pub mod sign_up;
pub mod start;
pub mod trip;
