//! Background work. A job looks at the state, takes no input and may run twice, also on two nodes at once.

pub mod metadata_refresh;
pub mod pruning;

use crate::app::App;
use std::sync::Arc;
use std::time::Duration;

/// How often jobs look.
const INTERVAL: Duration = Duration::from_secs(60);

/// Runs all jobs until the task is dropped. What waits for the network keeps nothing else waiting.
pub async fn run(app: Arc<App>) {
    tokio::join!(keep_tidy(&app), refresh_metadata(&app));
}

fn ticks() -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks
}

async fn keep_tidy(app: &App) {
    let mut ticks = ticks();
    loop {
        ticks.tick().await;
        app.rate_limits.forget_idle();
        match pruning::run(app).await {
            Ok(0) => {}
            Ok(removed) => tracing::debug!(removed, "pruned"),
            Err(error) => tracing::error!(%error, "pruning failed; it is tried again in a minute"),
        }
    }
}

async fn refresh_metadata(app: &App) {
    let mut ticks = ticks();
    loop {
        ticks.tick().await;
        if let Err(error) = metadata_refresh::run(app).await {
            tracing::error!(%error, "refreshing metadata failed; it is tried again in a minute");
        }
    }
}
