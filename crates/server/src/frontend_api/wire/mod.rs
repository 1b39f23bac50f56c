//! Shapes of the Frontend API (OBJECTS.md).

pub mod client;
pub mod environment;
pub mod organization;
pub mod role;
pub mod sign_in;
pub mod sign_up;
pub mod user;
