//! Our side of an OpenID Connect connection.

use crate::config::Config;

/// The path of the callback under each of our addresses.
pub const CALLBACK: &str = "/v1/oauth_callback";

/// Where the provider sends the browser back to (OID-1); registered there.
pub fn redirect_uri(config: &Config) -> String {
    format!("{}{CALLBACK}", config.public_url)
}
