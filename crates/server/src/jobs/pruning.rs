//! What ran out of time is gone: trips to IdPs, used assertions, attempts, browsers nobody signed in with.

use crate::app::App;
use crate::flows::FlowError;
use doorward_model::Millis;
use doorward_store::{clients, oidc_requests, saml_requests, sign_ins, sign_ups, unsolicited_arrivals, write_tx};

/// Attempts stay readable for a day after they were abandoned.
const ATTEMPTS_KEPT: Millis = 24 * 60 * 60 * 1000;

/// Removes rows in portions of a thousand, each in a transaction of its own, so that nobody waits long for the writer.
pub async fn run(app: &App) -> Result<u64, FlowError> {
    let now = app.now();
    let mut removed = 0;
    loop {
        let portion = write_tx!(app.store, FlowError, |tx| {
            let trips = saml_requests::prune(tx, now).await? + oidc_requests::prune(tx, now).await?;
            let assertions = saml_requests::prune_assertions(tx, now).await?;
            let arrivals = unsolicited_arrivals::prune(tx, now).await?;
            let sign_ins = sign_ins::prune(tx, now - ATTEMPTS_KEPT).await?;
            let sign_ups = sign_ups::prune(tx, now - ATTEMPTS_KEPT).await?;
            let clients = clients::prune(tx, now - ATTEMPTS_KEPT).await?;
            Ok(trips + assertions + arrivals + sign_ins + sign_ups + clients)
        })?;
        removed += portion;
        if portion == 0 {
            return Ok(removed);
        }
    }
}
