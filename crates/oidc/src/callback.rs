//! What the browser brings back to the redirect URI (OpenID Connect Core 3.1.2.5 and 3.1.2.6, RFC 9207).

use std::borrow::Cow;

use url::form_urlencoded;

use crate::discovery::{Issuer, ProviderMetadata};
use crate::secret::Secret;
use crate::shown::Shown;

const MOST_PARAMETERS: usize = 64;
/// Codes are up to two kilobytes at Entra ID.
const LONGEST_CODE: usize = 8192;
const LONGEST_STATE: usize = 512;
const LONGEST_OTHER: usize = 2048;
/// Of these each may come once (RFC 6749, section 3.1). Others are ignored, as the same section says.
const KNOWN: [&str; 6] = ["code", "state", "iss", "error", "error_description", "error_uri"];

/// Why what the browser brought was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackError {
    /// More parameters than any provider sends.
    #[error("the response has more than {MOST_PARAMETERS} parameters")]
    TooManyParameters,
    /// A parameter twice.
    #[error("{0} occurs more than once")]
    Duplicate(&'static str),
    /// A parameter longer than accepted.
    #[error("{0} is too long")]
    TooLong(&'static str),
    /// No state, so the response belongs to no sign-in.
    #[error("state is missing")]
    StateMissing,
    /// Neither a code nor an error.
    #[error("the response has neither a code nor an error")]
    NoCode,
    /// Both a code and an error.
    #[error("the response has a code and an error")]
    CodeAndError,
    /// The provider says that it always sends `iss`, and did not (RFC 9207, section 2.4).
    #[error("iss is missing, expected {expected}")]
    IssuerMissing {
        /// The issuer of the connection.
        expected: Shown,
    },
    /// The response is of another provider (RFC 9207, section 2.4): a mix-up.
    #[error("iss: expected {expected}, got {got}")]
    IssuerMismatch {
        /// The issuer of the connection.
        expected: Shown,
        /// What came.
        got: Shown,
    },
    /// The provider did not sign the person in.
    #[error(transparent)]
    Provider(#[from] AuthorizationError),
}

impl CallbackError {
    /// A short stable reason for machines.
    pub fn code(&self) -> &'static str {
        match self {
            CallbackError::TooManyParameters => "callback_too_many_parameters",
            CallbackError::Duplicate(_) => "callback_parameter_duplicate",
            CallbackError::TooLong(_) => "callback_parameter_too_long",
            CallbackError::StateMissing => "state_missing",
            CallbackError::NoCode => "code_missing",
            CallbackError::CodeAndError => "code_and_error",
            CallbackError::IssuerMissing { .. } => "callback_issuer_missing",
            CallbackError::IssuerMismatch { .. } => "callback_issuer_mismatch",
            CallbackError::Provider(error) => error.kind.code(),
        }
    }
}

/// What kind of refusal an `error` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorizationErrorKind {
    /// The person or a policy said no: `access_denied`.
    Denied,
    /// The person has to do something at the provider, which `prompt=none` forbids: `login_required` and the like.
    InteractionRequired,
    /// The provider and we disagree about the client, the redirect URI, a scope or a parameter: for the operator.
    Misconfigured,
    /// Later it may work: `server_error`, `temporarily_unavailable`.
    Unavailable,
    /// Something else.
    Other,
}

impl AuthorizationErrorKind {
    /// A short stable reason for machines.
    pub fn code(self) -> &'static str {
        match self {
            AuthorizationErrorKind::Denied => "authorization_denied",
            AuthorizationErrorKind::InteractionRequired => "authorization_interaction_required",
            AuthorizationErrorKind::Misconfigured => "authorization_misconfigured",
            AuthorizationErrorKind::Unavailable => "authorization_unavailable",
            AuthorizationErrorKind::Other => "authorization_failed",
        }
    }

    fn of(error: &str) -> Self {
        match error {
            "access_denied" | "consent_denied" | "user_cancelled_login" | "user_cancelled_authorize" => Self::Denied,
            "interaction_required" | "login_required" | "account_selection_required" | "consent_required" => {
                Self::InteractionRequired
            }
            "invalid_request"
            | "unauthorized_client"
            | "invalid_client"
            | "unsupported_response_type"
            | "unsupported_response_mode"
            | "invalid_scope"
            | "invalid_resource"
            | "redirect_uri_mismatch"
            | "invalid_request_uri"
            | "invalid_request_object"
            | "request_not_supported"
            | "request_uri_not_supported"
            | "registration_not_supported"
            | "admin_policy_enforced"
            | "disallowed_useragent"
            | "org_internal"
            | "deleted_client"
            | "disabled_client" => Self::Misconfigured,
            "server_error" | "temporarily_unavailable" => Self::Unavailable,
            _ => Self::Other,
        }
    }
}

/// The `error` of an authorization response (RFC 6749, section 4.1.2.1; OpenID Connect Core 3.1.2.6). It comes through the
/// browser, so anybody can have written it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the provider answered {error}{}", description.as_ref().map_or(String::new(), |text| format!(" ({text})")))]
pub struct AuthorizationError {
    /// What kind it is.
    pub kind: AuthorizationErrorKind,
    /// The value of `error`.
    pub error: Shown,
    /// The value of `error_description`.
    pub description: Option<Shown>,
}

/// The parameters of a response, in shape but not yet believed.
#[derive(Clone, Debug)]
pub struct Callback {
    state: Secret,
    iss: Option<String>,
    outcome: Result<Secret, AuthorizationError>,
}

impl Callback {
    /// Reads the parameters of the query or of the posted form.
    ///
    /// # Errors
    /// A known parameter twice or too long, no state, not exactly one of code and error. An error that the provider reports
    /// is none yet; [`code`](Self::code) tells.
    pub fn parse<K, V>(parameters: impl IntoIterator<Item = (K, V)>) -> Result<Self, CallbackError>
    where
        K: AsRef<str>,
        V: Into<String>,
    {
        let mut found: [Option<String>; KNOWN.len()] = Default::default();
        for (count, (name, value)) in parameters.into_iter().enumerate() {
            if count >= MOST_PARAMETERS {
                return Err(CallbackError::TooManyParameters);
            }
            let Some(at) = KNOWN.iter().position(|known| *known == name.as_ref()) else { continue };
            if found[at].is_some() {
                return Err(CallbackError::Duplicate(KNOWN[at]));
            }
            let value = value.into();
            let longest = match at {
                0 => LONGEST_CODE,
                1 => LONGEST_STATE,
                _ => LONGEST_OTHER,
            };
            if value.len() > longest {
                return Err(CallbackError::TooLong(KNOWN[at]));
            }
            found[at] = Some(value);
        }
        let [code, state, iss, error, description, _uri] = found;
        // Without a value a parameter counts as omitted (RFC 6749, section 3.1).
        let not_empty = |text: Option<String>| text.filter(|text| !text.is_empty());
        let state = not_empty(state).ok_or(CallbackError::StateMissing)?;
        let outcome = match (not_empty(code), not_empty(error)) {
            (Some(_), Some(_)) => return Err(CallbackError::CodeAndError),
            (None, None) => return Err(CallbackError::NoCode),
            (Some(code), None) => Ok(Secret::new(code)),
            (None, Some(error)) => Err(AuthorizationError {
                kind: AuthorizationErrorKind::of(&error),
                error: Shown::answered(&error),
                description: not_empty(description).map(|text| Shown::answered(&text)),
            }),
        };
        Ok(Callback { state: Secret::new(state), iss, outcome })
    }

    /// Reads the query of the redirect URI, or the body of the posted form.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_query(query: &str) -> Result<Self, CallbackError> {
        Self::parse(form_urlencoded::parse(query.as_bytes()).map(|(name, value)| (name, Cow::into_owned(value))))
    }

    /// The `state`, by which the sign-in of this browser is found.
    pub fn state(&self) -> &str {
        self.state.expose()
    }

    /// The code, after checking that the response is one of the provider the browser was sent to (RFC 9207, section 2.4): `iss`
    /// must be there if the provider says that it sends it, and must be right wherever it is there. Errors are checked like
    /// codes, so that no other provider can end a sign-in.
    ///
    /// With a tenant template the tenant is not known yet; whatever fits into the placeholder is accepted here, and the ID
    /// token decides.
    ///
    /// # Errors
    /// The issuer is missing or another, or the provider reports an error.
    pub fn code(&self, provider: &ProviderMetadata) -> Result<Secret, CallbackError> {
        match (&self.iss, &provider.issuer) {
            (Some(got), Some(issuer)) if !could_be(issuer, got) => {
                return Err(CallbackError::IssuerMismatch {
                    expected: issuer.as_str().into(),
                    got: Shown::from(got.as_str()),
                });
            }
            (None, Some(issuer)) if provider.authorization_response_iss_parameter_supported => {
                return Err(CallbackError::IssuerMissing { expected: issuer.as_str().into() });
            }
            // Configured by hand without an issuer, there is nothing to compare with.
            _ => {}
        }
        Ok(self.outcome.clone()?)
    }
}

fn could_be(issuer: &Issuer, got: &str) -> bool {
    match issuer {
        Issuer::Exact(expected) => got == expected,
        Issuer::TenantTemplate(template) => crate::easie::microsoft::tenant_of_issuer(template, got).is_some(),
    }
}
