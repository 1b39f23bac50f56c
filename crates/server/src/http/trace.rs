//! A trace id for every request: in the log, and in every error body (`clerk_trace_id`).

use crate::app::App;
use crate::random::hex;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;
use tracing::Instrument as _;

tokio::task_local! {
    static TRACE_ID: String;
}

/// The id of the request that is being handled; empty outside of one.
pub fn current() -> String {
    TRACE_ID.try_with(Clone::clone).unwrap_or_default()
}

/// Gives the request its id and logs its end; of those that went well only on demand, since a line costs more than many
/// an answer and the reverse proxy in front has them all. The log holds no query, cookie, header or body: they carry secrets.
pub async fn middleware(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut bytes = [0u8; 16];
    app.random.fill(&mut bytes);
    let trace_id = hex(&bytes);
    let span = tracing::info_span!("request", trace_id, method = %request.method(), path = request.uri().path());
    let started = app.clock.now();
    TRACE_ID
        .scope(
            trace_id,
            async move {
                let response = next.run(request).await;
                let (status, milliseconds) = (response.status().as_u16(), app.clock.now() - started);
                if status < 400 {
                    tracing::debug!(status, milliseconds, "handled");
                } else {
                    tracing::info!(status, milliseconds, "handled");
                }
                response
            }
            .instrument(span),
        )
        .await
}
