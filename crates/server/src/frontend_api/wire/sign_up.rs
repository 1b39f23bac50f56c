//! `sign_up_attempt`

use crate::backend_api::wire::account::strategy;
use crate::frontend_api::wire::sign_in::verification;
use crate::http::json::{EMPTY, NULL, object};
use doorward_model::{Millis, SignUp, SignUpStatus};
use serde::Serialize;

/// A sign-up. What it still needs is the IdP's word (DEC-10), or an address to know which IdP.
pub fn sign_up(sign_up: &SignUp, now: Millis) -> impl Serialize {
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
    object! {
        object: "sign_up_attempt",
        id: &sign_up.id,
        status: status,
        required_fields: ["email_address"],
        optional_fields: ["first_name", "last_name", "enterprise_sso"],
        missing_fields: missing,
        unverified_fields: EMPTY,
        verifications: object! {
            email_address: NULL,
            phone_number: NULL,
            web3_wallet: NULL,
            external_account: sign_up.verification.as_ref().map(|found| verification(found, strategy(found.provider), now)),
        },
        username: NULL,
        email_address: &sign_up.email_address,
        phone_number: NULL,
        web3_wallet: NULL,
        password_enabled: false,
        first_name: &sign_up.first_name,
        last_name: &sign_up.last_name,
        unsafe_metadata: &sign_up.unsafe_metadata,
        public_metadata: object! {},
        custom_action: false,
        external_id: NULL,
        created_session_id: &sign_up.created_session_id,
        created_user_id: &sign_up.created_user_id,
        abandon_at: &sign_up.abandon_at,
        legal_accepted_at: NULL,
    }
}
