//! What goes over the line: model values as the Backend API writes them.

pub mod account;
pub mod enterprise_connection;
pub mod explanation;
pub mod membership;
pub mod organization;
pub mod role;
pub mod session;
pub mod user;

use axum::Json;
use serde::Serialize;

/// What is left of something deleted.
#[derive(Serialize)]
pub struct Deleted {
    object: &'static str,
    id: String,
    deleted: bool,
}

/// The answer to a deletion.
pub fn deleted(object: &'static str, id: impl Into<String>) -> Json<Deleted> {
    Json(Deleted { object, id: id.into(), deleted: true })
}
