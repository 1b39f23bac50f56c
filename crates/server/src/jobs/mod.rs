//! Background work. A job looks at the state, takes no input and may run twice, also on two nodes at once.

pub mod pruning;

use crate::app::App;
use std::sync::Arc;
use std::time::Duration;

/// How often jobs look.
const INTERVAL: Duration = Duration::from_secs(60);

/// Runs all jobs until the task is dropped.
pub async fn run(app: Arc<App>) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        app.rate_limits.forget_idle();
        match pruning::run(&app).await {
            Ok(0) => {}
            Ok(removed) => tracing::debug!(removed, "pruned"),
            Err(error) => tracing::error!(%error, "pruning failed; it is tried again in a minute"),
        }
    }
}
