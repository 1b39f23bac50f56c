//! Answers of a provider to programs.

use crate::demo::test_op::Profile;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

/// JSON that nobody keeps (RFC 6749, section 5.1).
pub fn answer(status: StatusCode, body: &Value) -> Response {
    let mut response = (status, body.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Why there are no tokens (RFC 6749, section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Client,
    Parameters,
    GrantType,
    Code,
    RedirectUri,
    Verifier,
    RefreshToken,
    Scope,
    /// The person is suspended.
    Disabled,
    Tenant,
    /// Ours.
    Server,
}

impl Fault {
    /// The word of the standard, a sentence, and Microsoft's number.
    fn row(self) -> (&'static str, &'static str, u32) {
        match self {
            Self::Client => ("invalid_client", "The client id or the client secret is wrong.", 7_000_215),
            Self::Parameters => ("invalid_request", "A parameter is missing, or there twice.", 900_144),
            Self::GrantType => ("unsupported_grant_type", "There is no such grant type here.", 70_003),
            Self::Code => ("invalid_grant", "The code is unknown, used or too old.", 54_005),
            Self::RedirectUri => ("invalid_grant", "The code was sent to another redirect URI.", 50_011),
            Self::Verifier => ("invalid_grant", "The code verifier does not belong to the code challenge.", 501_481),
            Self::RefreshToken => ("invalid_grant", "Token has been expired or revoked.", 9_002_313),
            Self::Scope => ("invalid_scope", "More is asked for than was granted.", 70_011),
            Self::Disabled => ("invalid_grant", "Account has been disabled.", 50_057),
            Self::Tenant => ("invalid_tenant", "There is no such tenant.", 90_002),
            Self::Server => ("server_error", "Something went wrong here.", 90_033),
        }
    }

    pub fn response(self, profile: &Profile) -> Response {
        let (error, sentence, number) = self.row();
        let body = match profile.has_error_codes {
            false => json!({"error": error, "error_description": sentence}),
            true => json!({
                "error": error, "error_description": format!("AADSTS{number}: {sentence}"), "error_codes": [number],
            }),
        };
        let status = match self {
            Self::Client => StatusCode::UNAUTHORIZED,
            Self::Server => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        let mut response = answer(status, &body);
        if self == Self::Client {
            let challenge = HeaderValue::from_static("Basic realm=\"test OpenID provider\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
