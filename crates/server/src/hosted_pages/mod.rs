//! temp
use crate::http::ApiError;
use axum::response::{IntoResponse as _, Response};
pub fn error_page(e: &ApiError) -> Response {
    (e.status(), "x").into_response()
}
