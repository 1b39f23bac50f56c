//! What an error of the token endpoint means for the account (RFC 6749, section 5.2, and what providers make of it).
//!
//! A refused refresh token ends sessions, so the question is what a provider says when an account is gone, and what it says
//! when only the grant is: too old, a factor missing, our client broken, a bad day.

use serde_json::{Map, Value};

use crate::shown::Shown;

/// Why a provider refuses a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The account does not exist any more.
    AccountDeleted,
    /// The account exists and is blocked or suspended.
    AccountDisabled,
    /// Person or administrator took the application's access away.
    AccessWithdrawn,
    /// Revoked, expired or unknown, without saying which. This is what RFC 6749 has, and what most providers answer in all of
    /// the cases above.
    GrantInvalid,
}

/// Why there is no usable answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailability {
    /// Status 429.
    #[error("it answered 429, too many requests")]
    TooManyRequests,
    /// A status that says nothing about the grant, such as 5xx, or 4xx with another body than the protocol's.
    #[error("it answered {0} without an error of the protocol")]
    Status(u16),
    /// `server_error`, `temporarily_unavailable` and the like.
    #[error("it answered {0}")]
    Temporary(Shown),
    /// Not a token response.
    #[error("its answer is not a token response: {0}")]
    Malformed(Shown),
    /// For the caller: no connection, no answer in time.
    #[error("it could not be reached")]
    Unreachable,
}

/// Why there are no tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The provider does not stand by this account or grant any more. On a refresh: end the sessions.
    #[error("the provider refused the grant: {error}{}", in_brackets(description))]
    Refused {
        /// What the provider says about it.
        reason: Refusal,
        /// The value of `error`.
        error: Shown,
        /// The value of `error_description`.
        description: Option<Shown>,
    },
    /// The grant is of no use without the person: it is too old, a factor is missing, a password has changed, a policy wants
    /// something of the device. No proof that the account is gone, and none that it is there.
    #[error("the provider wants the person to sign in again: {error}{}", in_brackets(description))]
    SignInNeeded {
        /// The value of `error`.
        error: Shown,
        /// The value of `error_description`.
        description: Option<Shown>,
    },
    /// Our client, not the person: secret expired, client unknown or not allowed to do this.
    #[error("the provider refused our client: {error}{}", in_brackets(description))]
    ClientRejected {
        /// The value of `error`.
        error: Shown,
        /// The value of `error_description`.
        description: Option<Shown>,
    },
    /// No answer to go by; try again later.
    #[error("the token endpoint is not available: {0}")]
    Unavailable(Unavailability),
}

impl TokenError {
    /// A short stable reason for machines.
    pub fn code(&self) -> &'static str {
        match self {
            TokenError::Refused { reason: Refusal::AccountDeleted, .. } => "account_deleted",
            TokenError::Refused { reason: Refusal::AccountDisabled, .. } => "account_disabled",
            TokenError::Refused { reason: Refusal::AccessWithdrawn, .. } => "access_withdrawn",
            TokenError::Refused { reason: Refusal::GrantInvalid, .. } => "grant_invalid",
            TokenError::SignInNeeded { .. } => "sign_in_needed",
            TokenError::ClientRejected { .. } => "client_rejected",
            TokenError::Unavailable(_) => "token_endpoint_unavailable",
        }
    }

    pub(super) fn classify(error: &str, members: &Map<String, Value>) -> Self {
        let text = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default();
        let description = text("error_description");
        let told = (!description.is_empty()).then(|| Shown::answered(description));
        let verdict = match entra_codes(members).into_iter().find_map(of_entra) {
            Some(verdict) => verdict,
            None => of_standard(error, description, text("error_subtype"), text("suberror")),
        };
        let error = Shown::answered(error);
        match verdict {
            Verdict::Refused(reason) => TokenError::Refused { reason, error, description: told },
            Verdict::SignInNeeded => TokenError::SignInNeeded { error, description: told },
            Verdict::ClientRejected => TokenError::ClientRejected { error, description: told },
            Verdict::Temporary => TokenError::Unavailable(Unavailability::Temporary(error)),
        }
    }
}

fn in_brackets(description: &Option<Shown>) -> String {
    description.as_ref().map_or(String::new(), |text| format!(" ({text})"))
}

#[derive(Clone, Copy)]
enum Verdict {
    Refused(Refusal),
    SignInNeeded,
    ClientRejected,
    Temporary,
}

/// RFC 6749, section 5.2; OpenID Connect Core 3.1.2.6, whose codes some send here; and Google's words.
fn of_standard(error: &str, description: &str, subtype: &str, suberror: &str) -> Verdict {
    match error {
        "invalid_grant" => of_invalid_grant(&description.to_ascii_lowercase(), subtype, suberror),
        "interaction_required"
        | "login_required"
        | "consent_required"
        | "account_selection_required"
        | "invalid_rapt"
        | "mfa_required" => Verdict::SignInNeeded,
        // GitHub's word for it.
        "bad_refresh_token" => Verdict::Refused(Refusal::GrantInvalid),
        // RFC 6749 has it for the authorization endpoint; here the person or an administrator said no since.
        "access_denied" | "admin_policy_enforced" => Verdict::Refused(Refusal::AccessWithdrawn),
        "server_error" | "temporarily_unavailable" | "slow_down" | "internal_failure" => Verdict::Temporary,
        // invalid_client, unauthorized_client, unsupported_grant_type, invalid_request, invalid_scope, redirect_uri_mismatch,
        // deleted_client and whatever else is told about a request that we made.
        _ => Verdict::ClientRejected,
    }
}

fn of_invalid_grant(description: &str, subtype: &str, suberror: &str) -> Verdict {
    // Google Workspace asks for a new sign-in after some hours, if an administrator wants it.
    if subtype == "invalid_rapt" || description.contains("invalid_rapt") {
        return Verdict::SignInNeeded;
    }
    if suberror == "consent_required" {
        return Verdict::Refused(Refusal::AccessWithdrawn);
    }
    if suberror == "basic_action" || suberror == "additional_action" || suberror == "device_authentication_failed" {
        return Verdict::SignInNeeded;
    }
    let reason = match description {
        text if text.contains("account has been deleted") => Refusal::AccountDeleted,
        text if text.contains("account has been disabled") || text.contains("account disabled") => {
            Refusal::AccountDisabled
        }
        // "Token has been expired or revoked.", "Bad Request", or nothing at all.
        _ => Refusal::GrantInvalid,
    };
    Verdict::Refused(reason)
}

/// The numbers in `error_codes`, which Entra ID alone sends.
fn entra_codes(members: &Map<String, Value>) -> Vec<u64> {
    const MOST: usize = 16;
    let codes = members.get("error_codes").and_then(Value::as_array);
    codes.into_iter().flatten().take(MOST).filter_map(Value::as_u64).collect()
}

/// Entra ID's codes that say more than the error beside them. Microsoft reserves the right to change them, so they only refine:
/// an unknown one leaves it to the error, and an unknown `invalid_grant` ends sessions, as what is not known must not keep a
/// person in.
fn of_entra(code: u64) -> Option<Verdict> {
    let verdict = match code {
        // Not in the directory, deleted from it, or no guest of it any more.
        50034 | 51004 | 500341 | 16003 | 50020 => Verdict::Refused(Refusal::AccountDeleted),
        50057 => Verdict::Refused(Refusal::AccountDisabled),
        // No consent, consent declined, not assigned to the application, an administrator's consent needed.
        65001 | 65004 | 50105 | 90094 | 90095 => Verdict::Refused(Refusal::AccessWithdrawn),
        // The grant ran out: unused for too long, lifetime over, sign-in frequency.
        70008 | 70043 | 700081 | 700082 | 700084 | 50085 | 50089 => Verdict::SignInNeeded,
        // Password changed or expired, sessions revoked, locked after wrong passwords.
        50053 | 50055 | 50126 | 50132 | 50133 | 50135 | 50144 | 50173 => Verdict::SignInNeeded,
        // A second factor, a device, a risk, or another decision of conditional access.
        50058 | 50072 | 50074 | 50076 | 50078 | 50079 | 50097 | 50129 | 50131 | 50155 | 50158 | 700020 => {
            Verdict::SignInNeeded
        }
        53000..=53004 | 53010 | 53011 | 530032 | 530034 | 530035 => Verdict::SignInNeeded,
        // Application or tenant unknown or disabled, secret wrong or expired. A tenant that removes our application looks the
        // same as our registration gone, and the latter must not put out everybody.
        700016 | 7000112 | 7000215 | 7000218 | 7000222 | 90002 | 9002313 => Verdict::ClientRejected,
        // Throttled or broken for the moment.
        50000 | 50033 | 50196 | 90006 | 90012 | 90024 | 90033 | 90055 => Verdict::Temporary,
        _ => return None,
    };
    Some(verdict)
}
