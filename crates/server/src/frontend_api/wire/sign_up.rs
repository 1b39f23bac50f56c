//! `sign_up_attempt`

use crate::frontend_api::wire::sign_in::verification;
use doorward_model::{Millis, SignUp, SignUpStatus};
use serde_json::{Value, json};

/// A sign-up. What it still needs is the IdP's word (DEC-10), or an address to know which IdP.
pub fn sign_up(sign_up: &SignUp, now: Millis) -> Value {
    let status = match sign_up.status {
        SignUpStatus::Complete => "complete",
        _ if now >= sign_up.abandon_at => "abandoned",
        status => status.as_str(),
    };
    let missing: &[&str] = match (sign_up.status, &sign_up.email_address) {
        (SignUpStatus::Complete, _) => &[],
        (SignUpStatus::MissingRequirements, Some(_)) => &["enterprise_sso"],
        (SignUpStatus::MissingRequirements, None) => &["email_address"],
    };
    json!({
        "object": "sign_up_attempt",
        "id": sign_up.id,
        "status": status,
        "required_fields": ["email_address"],
        "optional_fields": ["first_name", "last_name", "enterprise_sso"],
        "missing_fields": missing,
        "unverified_fields": [],
        "verifications": {
            "email_address": null,
            "phone_number": null,
            "web3_wallet": null,
            "external_account": sign_up.verification.as_ref().map(|found| verification(found, "saml", now)),
        },
        "username": null,
        "email_address": sign_up.email_address,
        "phone_number": null,
        "web3_wallet": null,
        "password_enabled": false,
        "first_name": sign_up.first_name,
        "last_name": sign_up.last_name,
        "unsafe_metadata": sign_up.unsafe_metadata,
        "public_metadata": {},
        "custom_action": false,
        "external_id": null,
        "created_session_id": sign_up.created_session_id,
        "created_user_id": sign_up.created_user_id,
        "abandon_at": sign_up.abandon_at,
        "legal_accepted_at": null,
    })
}
