//! The metadata of every connection that wants it is not older than the interval.

use crate::app::App;
use crate::flows::{FlowError, metadata_refresh};
use std::sync::Arc;

/// Refreshes what is due, unless the operator has switched that off.
pub async fn run(app: &Arc<App>) -> Result<(), FlowError> {
    if app.config.metadata_refresh_interval.is_some() {
        metadata_refresh::run_due(app).await?;
    }
    Ok(())
}
