//! What an OpenID Connect connection starts with, and what its provider can do (CON-25, OID-3 … OID-6, OID-15).

use doorward_model::{OidcAttributeMapping, Provider};

/// Whether providers of this kind describe themselves under a discovery URL. GitHub Enterprise Server speaks plain OAuth 2.0.
pub fn has_discovery(provider: Provider) -> bool {
    provider != Provider::OidcGithubEnterprise
}

/// The claims that hold what is needed, unless told otherwise (OID-5). GitHub names a user by number and has no claim for parts
/// of a name.
pub fn default_mapping(provider: Provider) -> OidcAttributeMapping {
    let subject = if provider == Provider::OidcGithubEnterprise { "id" } else { "sub" };
    OidcAttributeMapping {
        user_id: subject.into(),
        email_address: "email".into(),
        first_name: "given_name".into(),
        last_name: "family_name".into(),
        email_verified_default: false,
    }
}

/// What is asked for, unless told otherwise (OID-4).
pub fn default_scopes(provider: Provider) -> Vec<String> {
    let scopes: &[&str] = match provider {
        Provider::OidcGithubEnterprise => &["read:user", "user:email"],
        _ => &["openid", "profile", "email"],
    };
    scopes.iter().map(|scope| (*scope).to_owned()).collect()
}
