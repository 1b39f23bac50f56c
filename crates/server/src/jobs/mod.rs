//! Background work. A job looks at the state, takes no input and may run twice, also on two nodes at once.

pub mod easie_deprovisioning;
pub mod metadata_refresh;
pub mod pruning;

use crate::app::App;
use doorward_model::EasieProvider;
use doorward_rules::deprovision::pause_between_looks;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// How often most jobs look.
const INTERVAL: Duration = Duration::from_secs(60);

/// Runs all jobs until the task is dropped. What waits for the network keeps nothing else waiting.
pub async fn run(app: Arc<App>) {
    tokio::join!(
        keep_running("pruning", INTERVAL, || keep_tidy(app.clone())),
        keep_running("refreshing metadata", INTERVAL, || refresh_metadata(app.clone())),
        keep_running("resting EASIE accounts", INTERVAL, || rest_accounts(app.clone())),
        // One for each provider: that one does not answer keeps nobody's accounts at the other waiting.
        keep_running("checking accounts at Google", INTERVAL, || check_accounts(app.clone(), EasieProvider::Google)),
        keep_running("checking accounts at Microsoft", INTERVAL, || check_accounts(
            app.clone(),
            EasieProvider::Microsoft
        )),
    );
}

/// Runs a job in a task of its own, which ends with this one. One that dies is started again, after a pause so that what
/// kills it at once does not fill the log.
async fn keep_running<J>(job: &str, pause: Duration, start: impl Fn() -> J)
where
    J: Future<Output = ()> + Send + 'static,
{
    loop {
        let mut task = JoinSet::new();
        task.spawn(start());
        let reason = match task.join_next().await {
            Some(Err(error)) => error.to_string(),
            Some(Ok(())) | None => "it came to an end".to_owned(),
        };
        tracing::error!(job, reason, "a job died; it is started again");
        tokio::time::sleep(pause).await;
    }
}

fn ticks(interval: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks
}

async fn keep_tidy(app: Arc<App>) {
    let mut ticks = ticks(INTERVAL);
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

async fn refresh_metadata(app: Arc<App>) {
    let mut ticks = ticks(INTERVAL);
    loop {
        ticks.tick().await;
        if let Err(error) = metadata_refresh::run(&app).await {
            tracing::error!(%error, "refreshing metadata failed; it is tried again in a minute");
        }
    }
}

/// How often it is looked for accounts that are due.
fn look(app: &App) -> Duration {
    Duration::from_millis(u64::try_from(pause_between_looks(app.config.easie_check_interval)).unwrap_or(1000))
}

async fn check_accounts(app: Arc<App>, provider: EasieProvider) {
    let mut ticks = ticks(look(&app));
    loop {
        ticks.tick().await;
        match easie_deprovisioning::run(&app, provider).await {
            Ok(0) => {}
            Ok(checked) => tracing::debug!(checked, ?provider, "EASIE accounts checked"),
            Err(error) => {
                tracing::error!(%error, ?provider, "checking EASIE accounts failed; it is tried again in a moment")
            }
        }
    }
}

async fn rest_accounts(app: Arc<App>) {
    let mut ticks = ticks(look(&app));
    loop {
        ticks.tick().await;
        if let Err(error) = easie_deprovisioning::rest(&app).await {
            tracing::error!(%error, "taking EASIE accounts off the schedule failed; it is tried again in a moment");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn a_job_that_dies_is_started_again_and_keeps_no_other_from_running() {
        let starts = Arc::new(AtomicUsize::new(0));
        let job = || {
            let starts = starts.clone();
            async move {
                match starts.fetch_add(1, Ordering::SeqCst) {
                    0 => panic!("a tenant's document"),
                    1 => {}
                    _ => std::future::pending().await,
                }
            }
        };
        let third = async {
            while starts.load(Ordering::SeqCst) < 3 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = keep_running("test", Duration::ZERO, job) => panic!("it never ends"),
            () = third => {}
        }
    }
}
