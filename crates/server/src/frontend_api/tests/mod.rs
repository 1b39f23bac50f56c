//! Walks over the Frontend API: a real server, browsers with cookies, identity providers that sign.

mod encryption;
mod idp_initiated;
mod requests;
mod sessions;
mod sign_in;
mod support;
