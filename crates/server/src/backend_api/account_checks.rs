//! `/v1/enterprise_connections/{id}/account_checks`: an extension; see `docs/API.md`.

use crate::app::App;
use crate::flows::{Refusal, enterprise_connections as flow};
use crate::http::pagination::{list as wire_list, page};
use crate::http::{ApiError, Path, Query};
use axum::Json;
use axum::extract::State;
use doorward_model::{EasieGrant, Email, EnterpriseConnectionId};
use doorward_store::easie_grants;
use serde_json::{Value, json};
use std::sync::Arc;

/// When the provider was asked about an account, what came of it, and when it is asked next.
fn wire((grant, email_address): &(EasieGrant, Email)) -> Value {
    json!({
        "object": "account_check",
        "enterprise_account_id": grant.account_id,
        "user_id": grant.user_id,
        "email_address": email_address,
        "state": grant.state.as_str(),
        "confirmed_at": grant.confirmed_at,
        "next_at": grant.due_at,
        "consecutive_failures": grant.failures,
        "last_error": grant.last_error,
        "updated_at": grant.updated_at,
    })
}

/// A page of a connection's accounts, those first whose provider failed most often in a row.
pub async fn list(
    State(app): State<Arc<App>>,
    Path(id): Path<EnterpriseConnectionId>,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    let page = page(&query)?;
    let mut tx = app.store.read().await?;
    let connection = flow::by_id(&mut tx, &id).await?;
    if connection.provider.easie().is_none() {
        let reason = "Accounts are asked after at EASIE providers alone.";
        return Err(Refusal::ConnectionTypeInvalid { reason }.into());
    }
    let found = easie_grants::of_connection(&mut tx, &id, page).await?;
    let total = easie_grants::count_of_connection(&mut tx, &id).await?;
    Ok(Json(wire_list(found.iter().map(wire).collect(), total)))
}
