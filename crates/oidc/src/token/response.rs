//! Responses of the token endpoint.

use serde_json::{Map, Value};

use super::error::{TokenError, Unavailability};
use crate::http::HttpResponse;
use crate::json;
use crate::secret::Secret;

/// ID tokens with many groups are large; nothing larger than this is parsed.
const LARGEST: usize = 256 * 1024;
const LONGEST_TOKEN: usize = 64 * 1024;

/// A successful answer (RFC 6749, section 5.1; OpenID Connect Core 3.1.3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenResponse {
    /// For the userinfo endpoint. Its type is Bearer.
    pub access_token: Secret,
    /// Not verified: see [`verify_id_token`](crate::verify_id_token).
    pub id_token: Option<Secret>,
    /// Replaces the one that was used, if it was a refresh and one is there (RFC 6749, section 6).
    pub refresh_token: Option<Secret>,
    /// How long the access token lasts, in seconds, if the provider says so.
    pub expires_in_s: Option<u64>,
    /// The scopes that were given, if the provider says so.
    pub scope: Option<String>,
}

impl TokenResponse {
    /// Reads an answer of the token endpoint.
    ///
    /// # Errors
    /// Everything but a complete success, by what it means for the account: see [`TokenError`].
    pub fn parse(response: &HttpResponse<'_>) -> Result<Self, TokenError> {
        let malformed = |why: &str| TokenError::Unavailable(Unavailability::Malformed(why.into()));
        match response.status {
            // 200 among them: GitHub and others report errors with it. 401 is that of invalid_client (section 5.2).
            200 | 400 | 401 | 403 => {}
            429 => return Err(TokenError::Unavailable(Unavailability::TooManyRequests)),
            status => return Err(TokenError::Unavailable(Unavailability::Status(status))),
        }
        let members = match json::object(response.body, LARGEST) {
            Ok(members) => members,
            // A page of a proxy says nothing about an account.
            Err(_) if response.status != 200 => {
                return Err(TokenError::Unavailable(Unavailability::Status(response.status)));
            }
            Err(error) => return Err(TokenError::Unavailable(Unavailability::Malformed(error.to_string().into()))),
        };
        if let Some(error) = members.get("error") {
            let error = error.as_str().ok_or_else(|| malformed("error is no string"))?;
            return Err(TokenError::classify(error, &members));
        }
        if response.status != 200 {
            return Err(TokenError::Unavailable(Unavailability::Status(response.status)));
        }
        if !response.is_json() {
            return Err(malformed("it is not application/json"));
        }
        let access_token = token(&members, "access_token")?.ok_or_else(|| malformed("access_token is missing"))?;
        match text(&members, "token_type")? {
            Some(token_type) if token_type.eq_ignore_ascii_case("bearer") => {}
            Some(_) => return Err(malformed("token_type is not Bearer")),
            None => return Err(malformed("token_type is missing")),
        }
        Ok(TokenResponse {
            access_token,
            id_token: token(&members, "id_token")?,
            refresh_token: token(&members, "refresh_token")?,
            expires_in_s: seconds(&members),
            scope: text(&members, "scope")?.map(|scope| scope.chars().take(4096).collect()),
        })
    }
}

fn text<'a>(members: &'a Map<String, Value>, name: &'static str) -> Result<Option<&'a str>, TokenError> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => {
            let why = format!("{name} is {}, not a string", json::kind(other));
            Err(TokenError::Unavailable(Unavailability::Malformed(why.into())))
        }
    }
}

/// A token as it may stand in a header (RFC 6750, section 2.1): printable ASCII. An empty one counts as absent.
fn token(members: &Map<String, Value>, name: &'static str) -> Result<Option<Secret>, TokenError> {
    let Some(text) = text(members, name)?.filter(|text| !text.is_empty()) else { return Ok(None) };
    if text.len() > LONGEST_TOKEN || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let why = format!("{name} is too long or has characters that no token has");
        return Err(TokenError::Unavailable(Unavailability::Malformed(why.into())));
    }
    Ok(Some(Secret::new(text)))
}

/// A number, or one in a string as Entra ID's first version sends it. What cannot be read counts as unknown: it only says when
/// to ask again.
fn seconds(members: &Map<String, Value>) -> Option<u64> {
    match members.get("expires_in")? {
        Value::String(text) => text.parse().ok(),
        value => value.as_u64(),
    }
}
