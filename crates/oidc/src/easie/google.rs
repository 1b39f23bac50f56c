//! Google Workspace.

use serde_json::Value;

use super::{EasieError, EasieIdentity, contains_domain, email_on_domains};
use crate::discovery::{DiscoveryError, ExpectedIssuer, ProviderMetadata};
use crate::id_token::IdToken;
use crate::json;
use crate::shown::Shown;

/// Where Google's configuration document is.
pub const DISCOVERY_URL: &str = "https://accounts.google.com/.well-known/openid-configuration";
/// Who Google's tokens are of.
pub const ISSUER: &str = "https://accounts.google.com";
/// What has to be asked for.
pub const SCOPES: &[&str] = &["openid", "email", "profile"];

/// What Google wants in the authorization request besides: a refresh token, which it gives at the first consent only (with
/// `prompt=consent` again), and a choice of accounts of the organization. The latter is a convenience; [`check`] decides.
pub fn authorization_parameters<'a>(domains: &[&'a str]) -> Vec<(&'static str, &'a str)> {
    let hosted_domain = match domains {
        [domain] => domain,
        _ => "*",
    };
    vec![("access_type", "offline"), ("hd", hosted_domain)]
}

/// Reads the configuration document that was found under `url`. Under another address than Google's own it is that of the
/// address, or says of itself to be Google's.
///
/// # Errors
/// As [`ProviderMetadata::parse`].
pub fn configuration(bytes: &[u8], url: &str) -> Result<ProviderMetadata, DiscoveryError> {
    ProviderMetadata::parse(bytes, ExpectedIssuer::OfDiscoveryUrl(url)).or_else(|error| match error {
        DiscoveryError::IssuerMismatch { .. } => {
            ProviderMetadata::parse(bytes, ExpectedIssuer::Exact(ISSUER)).map_err(|_| error)
        }
        error => Err(error),
    })
}

/// Whose account it is, for a connection with these domains (lower-case A-labels).
///
/// `hd` names the organization that owns the account, and only accounts of an organization have it. A consumer account may
/// have an address on the connection's domain, from before the domain came to Google or of somebody who has left; `hd` is what
/// tells them apart. It is asked for in the request, but that is only a hint; it counts in the token. The address has to be
/// on one of the domains as well, as an organization's accounts may be on domains that are not the connection's.
///
/// # Errors
/// No or another `hd`, `email_verified` is not true, or the address is on another domain.
pub fn check(id_token: &IdToken, domains: &[&str]) -> Result<EasieIdentity, EasieError> {
    let expected = || Shown::from(domains.join(", "));
    let hosted_domain = match id_token.claims().get("hd") {
        None | Some(Value::Null) => return Err(EasieError::HostedDomainMissing { expected: expected() }),
        Some(Value::String(hosted_domain)) if contains_domain(domains, hosted_domain) => hosted_domain,
        Some(other) => {
            let got = Shown::from(other.as_str().unwrap_or(json::kind(other)));
            return Err(EasieError::HostedDomainMismatch { expected: expected(), got });
        }
    };
    match id_token.claims().get("email_verified") {
        Some(Value::Bool(true)) => {}
        Some(Value::String(text)) if text == "true" => {}
        other => {
            let got = other.map_or("nothing".to_owned(), Value::to_string);
            return Err(EasieError::EmailNotVerified { claim: "email_verified", got: got.into() });
        }
    }
    let email = email_on_domains(id_token.claims().get("email").and_then(Value::as_str), domains)?;
    Ok(EasieIdentity {
        // Google: "sub" is never reused; the address may be.
        subject: id_token.subject().to_owned(),
        email,
        tenant: hosted_domain.to_ascii_lowercase(),
    })
}
