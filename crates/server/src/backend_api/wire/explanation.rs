//! `sso_explanation`, an extension; see `docs/API.md`.

use crate::flows::explain::{ConnectionExplanation, Explanation, SignInExplanation};
use crate::http::error_table::{sso_error, sso_error_wire};
use doorward_rules::explain::Step;
use serde_json::{Value, json};

/// All of it.
pub fn explanation(of: &Explanation) -> Value {
    json!({
        "object": "sso_explanation",
        "email": of.email,
        "domain": of.email.domain().as_str(),
        "enforced": of.is_enforced,
        "route": step(&of.route),
        "user_id": of.owner,
        "enterprise_connections": of.connections.iter().map(connection).collect::<Vec<_>>(),
    })
}

fn step(of: &Step) -> Value {
    json!({"rule": of.rule, "decision": of.decision, "reason": of.reason})
}

fn connection(of: &ConnectionExplanation) -> Value {
    json!({
        "id": of.connection.id,
        "name": of.connection.name,
        "provider": of.connection.provider.as_str(),
        "active": of.connection.active,
        "domains": of.connection.domains.iter().map(|domain| domain.as_str()).collect::<Vec<_>>(),
        "serving": step(&of.serving),
        "sign_in": of.sign_in.as_ref().map(sign_in),
    })
}

fn sign_in(of: &SignInExplanation) -> Value {
    let organization = of.organization.as_ref();
    json!({
        "account": step(&of.account),
        "user_id": of.user_id,
        "organization": organization.map(|found| json!({"id": found.id, "name": found.name, "slug": found.slug})),
        "membership": of.membership.as_ref().map(step),
        "role": of.role.as_ref().map(|role| &role.key),
        "error": of.refusal.as_ref().map(|refusal| sso_error_wire(&sso_error(refusal))),
    })
}
