//! Whose account somebody signed in with at an EASIE provider (EAS-7 … EAS-9, DECISIONS "Wire" 3).

use crate::flows::Refusal;
use crate::flows::oidc_provider;
use doorward_model::{Domain, EasieProvider, EnterpriseConnection, OidcConfig};
use doorward_oidc::IdToken;
use doorward_oidc::easie::{EasieError, EasieIdentity, google, microsoft};

/// Reads it from a verified ID token; `None` where the connection is to one organization's own provider. Whether the tenant is the
/// connection's is decided again when its account is saved.
pub fn identity(
    connection: &EnterpriseConnection,
    oidc: &OidcConfig,
    id_token: Option<&IdToken>,
) -> Result<Option<EasieIdentity>, Refusal> {
    let Some(provider) = connection.provider.easie() else { return Ok(None) };
    let Some(id_token) = id_token else { return Err(Refusal::OauthConfigMissing { missing: "issuer" }) };
    let domains: Vec<&str> = connection.domains.iter().map(Domain::as_str).collect();
    let checked = match provider {
        EasieProvider::Google => google::check(id_token, &domains),
        EasieProvider::Microsoft => {
            let of_url = oidc_provider::tenant_of_discovery_url(connection);
            microsoft::check(id_token, &domains, oidc.tenant_id.as_deref().or(of_url.as_deref()))
        }
    };
    checked.map(Some).map_err(|error| {
        tracing::info!(connection = %connection.id, reason = error.code(), "EASIE account refused");
        refusal(&error, &connection.domains)
    })
}

fn refusal(error: &EasieError, domains: &[Domain]) -> Refusal {
    let text = error.to_string();
    let mut letters = text.chars();
    // Names of claims stay as they are.
    let reason = match text.starts_with("the ") {
        true => format!(
            "{}{}.",
            letters.next().map(|letter| letter.to_ascii_uppercase()).unwrap_or_default(),
            letters.as_str()
        ),
        false => format!("{text}."),
    };
    match error {
        EasieError::HostedDomainMissing { .. }
        | EasieError::HostedDomainMismatch { .. }
        | EasieError::PersonalAccount
        | EasieError::TenantMismatch { .. }
        | EasieError::Guest { .. } => Refusal::OtherTenant { reason },
        EasieError::EmailNotVerified { .. } => Refusal::EasieAddressUnverified { reason },
        EasieError::EmailMissing => Refusal::SsoAttributeMissing { attribute: "email".into() },
        EasieError::EmailInvalid { got } => Refusal::SsoAddressInvalid { value: got.to_string() },
        EasieError::EmailDomain { got, .. } => Refusal::SsoDomainMismatch {
            expected: domains.iter().map(ToString::to_string).collect(),
            received: got.to_string(),
        },
        _ => Refusal::OauthFetchUser { reason },
    }
}
