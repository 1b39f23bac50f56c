//! The addresses a provider names.

use url::Url;

use crate::shown::Shown;

const LONGEST: usize = 2048;

/// Why an address is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}, got {got}")]
pub struct EndpointError {
    /// The member of the metadata, such as `token_endpoint`.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: &'static str,
    /// The address.
    pub got: Shown,
}

impl EndpointError {
    /// A short stable reason for machines.
    pub fn code(&self) -> &'static str {
        "endpoint_invalid"
    }
}

/// Checks that `text` is an absolute http or https URL with a host, without credentials and fragment. Whether plain http and
/// private addresses are allowed is for the client that connects.
pub(crate) fn checked(field: &'static str, text: &str) -> Result<String, EndpointError> {
    // What stands in front of an @ may be a password.
    let got = if text.contains('@') { "one with @ in it" } else { text };
    let refused = |problem| EndpointError { field, problem, got: Shown::from(got) };
    if text.len() > LONGEST {
        return Err(refused("is longer than 2048 bytes"));
    }
    // The parser would repair these, and then another address is fetched than the one that is shown.
    if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(refused("has white space, control characters or backslashes in it"));
    }
    let url = Url::parse(text).map_err(|_| refused("must be an absolute URL"))?;
    if !matches!(url.scheme(), "http" | "https") || !text.contains("://") {
        return Err(refused("must be an https URL"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("must not contain credentials"));
    }
    if url.fragment().is_some() {
        return Err(refused("must not have a fragment"));
    }
    Ok(text.to_owned())
}
