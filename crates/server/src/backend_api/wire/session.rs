//! Sessions.

use doorward_model::{Millis, Session};
use serde_json::{Value, json};

/// `session`, with the status it has now.
pub fn session(session: &Session, now: Millis) -> Value {
    json!({
        "object": "session",
        "id": session.id,
        "user_id": session.user_id,
        "client_id": session.client_id,
        "actor": null,
        "status": session.status_at(now).as_str(),
        "last_active_organization_id": session.last_active_organization_id,
        "last_active_at": session.last_active_at,
        "expire_at": session.expire_at,
        "abandon_at": session.abandon_at,
        "tasks": null,
        "created_at": session.created_at,
        "updated_at": session.updated_at,
    })
}
