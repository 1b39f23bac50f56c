//! The Frontend API: forms and cookies, called by browsers.

use crate::app::App;
use axum::Router;
use std::sync::Arc;

/// All operations.
pub fn router(app: Arc<App>) -> Router {
    Router::new().with_state(app)
}
