//! `sign_in_attempt`

use crate::http::error_table::sso_error_wire;
use crate::http::json::{NULL, object};
use doorward_model::{
    EnterpriseConnection, EnterpriseConnectionId, Millis, Protocol, SignIn, SignInStatus, Verification,
    VerificationStatus,
};
use serde::Serialize;

/// A sign-in. `connections` serve its address and are active; with several of them the person chooses (DEC-5).
pub fn sign_in(sign_in: &SignIn, connections: &[EnterpriseConnection], now: Millis) -> impl Serialize {
    let status = match sign_in.status {
        SignInStatus::Complete => "complete",
        _ if now >= sign_in.abandon_at => "abandoned",
        status => status.as_str(),
    };
    let factors = match sign_in.status {
        SignInStatus::NeedsIdentifier => None,
        _ => Some(factors(connections)),
    };
    object! {
        object: "sign_in_attempt",
        id: &sign_in.id,
        status: status,
        supported_identifiers: ["email_address"],
        supported_first_factors: factors,
        supported_second_factors: NULL,
        first_factor_verification: sign_in.verification.as_ref().map(|found| verification(found, "enterprise_sso", now)),
        second_factor_verification: NULL,
        identifier: &sign_in.identifier,
        user_data: NULL,
        created_session_id: &sign_in.created_session_id,
        abandon_at: &sign_in.abandon_at,
    }
}

#[derive(Serialize)]
struct Factor<'a> {
    strategy: &'static str,
    #[serde(flatten)]
    choice: Option<Choice<'a>>,
}

#[derive(Serialize)]
struct Choice<'a> {
    enterprise_connection_id: &'a EnterpriseConnectionId,
    enterprise_connection_name: &'a str,
}

/// One factor a connection; a single one needs no name, since there is nothing to choose.
fn factors(connections: &[EnterpriseConnection]) -> Vec<Factor<'_>> {
    let is_choice = connections.len() > 1;
    let choices = connections.iter().map(|connection| Choice {
        enterprise_connection_id: &connection.id,
        enterprise_connection_name: &connection.name,
    });
    choices.map(|choice| Factor { strategy: "enterprise_sso", choice: is_choice.then_some(choice) }).collect()
}

/// The state of a trip to an IdP. `strategy` is what the place calls it.
pub fn verification(verification: &Verification, strategy: &str, now: Millis) -> impl Serialize {
    let status = match verification.status {
        VerificationStatus::Unverified | VerificationStatus::Transferable if now >= verification.expire_at => "expired",
        status => status.as_str(),
    };
    object! {
        object: match verification.provider.protocol() {
            Protocol::Saml => "verification_saml",
            Protocol::Oidc => "verification_oauth",
        },
        status: status,
        strategy: strategy,
        external_verification_redirect_url: &verification.external_verification_redirect_url,
        error: verification.error.as_ref().map(sso_error_wire),
        expire_at: &verification.expire_at,
        attempts: &verification.attempts,
    }
}
