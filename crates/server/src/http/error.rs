//! Errors on the wire: `{"errors": [{code, message, long_message, meta}], "clerk_trace_id"}` (ERR).

use crate::flows::refusal::ErrorEntry;
use crate::flows::{FlowError, Refusal};
use crate::http::{error_table, trace};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use doorward_store::StoreError;
use serde_json::{Value, json};

/// What a handler answers when it cannot do what was asked.
#[derive(Debug)]
pub struct ApiError {
    entries: Vec<ErrorEntry>,
    retry_after_seconds: Option<u64>,
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self::from(vec![refusal])
    }
}

impl From<Vec<Refusal>> for ApiError {
    fn from(refusals: Vec<Refusal>) -> Self {
        let retry_after_seconds = refusals.iter().find_map(|refusal| match refusal {
            Refusal::TooManyRequests { retry_after_seconds } => Some(*retry_after_seconds),
            _ => None,
        });
        Self { entries: refusals.iter().map(error_table::describe).collect(), retry_after_seconds }
    }
}

impl From<FlowError> for ApiError {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::Refused(refusals) => Self::from(refusals),
            FlowError::Store(error) => Self::from(error),
            FlowError::Internal(reason) => Self::internal(&reason),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::internal(&error.to_string())
    }
}

impl ApiError {
    /// A failure that is ours. It is logged here, once; the caller learns only the trace id.
    pub fn internal(reason: &str) -> Self {
        tracing::error!(reason, "internal error");
        Self { entries: vec![error_table::internal()], retry_after_seconds: None }
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        let status = self.entries.first().map_or(500, |entry| entry.status);
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Adds the headers of the refusal, whatever its body looks like.
    pub fn with_headers(&self, mut response: Response) -> Response {
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// The first entry, for pages that show one sentence.
    pub fn first(&self) -> Option<&ErrorEntry> {
        self.entries.first()
    }
}

/// One error object.
pub fn wire(entry: &ErrorEntry) -> Value {
    let mut object = json!({"message": entry.message, "long_message": entry.long_message, "code": entry.code});
    if !entry.meta.is_empty() {
        object["meta"] = Value::Object(entry.meta.clone());
    }
    object
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let errors: Vec<Value> = self.entries.iter().map(wire).collect();
        let body = json!({"errors": errors, "clerk_trace_id": trace::current()});
        self.with_headers((self.status(), axum::Json(body)).into_response())
    }
}
