//! The object `oidc` of a request.

use super::{MAX_NAME, attribute_mapping, invalid, login_hint};
use crate::flows::Refusal;
use crate::flows::connection_oidc::{OidcChange, problem_of_endpoint};
use crate::flows::enterprise_connections::AttributeMappingChange;
use crate::http::Params;
use doorward_oidc::Secret;
use doorward_rules::oidc_connection::{EndpointsChange, are_scopes};

pub fn change(oidc: &Params) -> Result<OidcChange, Refusal> {
    let mapping = oidc.nested("attribute_mapping")?.value();
    Ok(OidcChange {
        endpoints: EndpointsChange {
            discovery_url: url(oidc, "discovery_url")?,
            authorization_url: url(oidc, "auth_url")?,
            token_url: url(oidc, "token_url")?,
            user_info_url: url(oidc, "user_info_url")?,
        },
        client_id: oidc.limited_text("client_id", MAX_NAME)?.value(),
        client_secret: oidc.text("client_secret")?.value().map(Secret::new),
        requires_pkce: oidc.bool("requires_pkce")?.value(),
        scopes: scopes(oidc)?,
        attribute_mapping: match &mapping {
            None => AttributeMappingChange::default(),
            Some(mapping) => attribute_mapping(mapping)?,
        },
        email_verified_default: match &mapping {
            None => None,
            Some(mapping) => mapping.bool("email_verified_default")?.value(),
        },
        login_hint: match oidc.nested("login_hint")?.value() {
            None => None,
            Some(hint) => Some(login_hint(&hint, ["oidc.login_hint.mode", "oidc.login_hint.source"])?),
        },
        tenant_id: oidc.limited_text("tenant_id", MAX_NAME)?.value().map(|text| text.trim().to_owned()),
    })
}

fn url(oidc: &Params, param: &str) -> Result<Option<String>, Refusal> {
    let Some(text) = oidc.text(param)?.value() else { return Ok(None) };
    let text = text.trim();
    // A discovery URL is judged by fetching it.
    if !text.is_empty()
        && param != "discovery_url"
        && let Some(problem) = problem_of_endpoint(text)
    {
        return Err(invalid(oidc.name(param), problem));
    }
    Ok(Some(text.to_owned()))
}

/// Each once, in their order.
fn scopes(oidc: &Params) -> Result<Option<Vec<String>>, Refusal> {
    let Some(texts) = oidc.texts("scopes")?.value() else { return Ok(None) };
    let mut scopes: Vec<String> = Vec::new();
    for text in texts {
        let scope = text.trim();
        if !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
    if !are_scopes(&scopes) {
        return Err(invalid(
            oidc.name("scopes"),
            "must hold scopes without spaces, quotes and backslashes, of 1000 characters in all",
        ));
    }
    Ok(Some(scopes))
}

#[cfg(test)]
mod easie_tests;
#[cfg(test)]
mod tests;
