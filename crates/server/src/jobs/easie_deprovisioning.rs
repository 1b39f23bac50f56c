//! Nobody stays signed in whose account at an EASIE provider is gone, although nobody asks for a session token (EAS-4, EAS-5).

use crate::app::App;
use crate::flows::{FlowError, deprovision};
use doorward_model::EasieProvider;
use std::sync::Arc;

/// Checks the accounts at a provider that are due and with which somebody is signed in; answers how many.
pub async fn run(app: &Arc<App>, provider: EasieProvider) -> Result<usize, FlowError> {
    deprovision::run_due(app, provider).await
}

/// Leaves those alone with which nobody is signed in.
pub async fn rest(app: &App) -> Result<(), FlowError> {
    deprovision::rest(app).await
}
