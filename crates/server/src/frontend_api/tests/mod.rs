//! Walks over the Frontend API: a real server, browsers with cookies, identity providers that sign.

mod deprovision;
mod easie;
mod encryption;
mod explained;
mod hostile_answers;
mod hostile_documents;
mod hostile_forms;
mod idp_initiated;
mod look_alikes;
mod meanwhile;
mod oidc;
mod organizations;
mod replays;
mod requests;
mod sessions;
mod sign_in;
mod support;
mod tenants;
