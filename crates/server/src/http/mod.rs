//! What the HTTP surfaces share: answers and errors, parameters, pages, cookies, origins, trace ids.

pub mod cookies;
pub mod error;
pub mod error_table;
pub mod json;
pub mod origin;
pub mod pagination;
pub mod params;
pub mod path;
pub mod rate_limit;
pub mod trace;

pub use error::ApiError;
pub use params::{Field, Params, Query};
pub use path::Path;
