//! The OpenID Connect half of enterprise connections: what a change says of it, and the document under a discovery URL
//! (CON-25, OID-1 … OID-8).

use crate::app::App;
use crate::config::Config;
use crate::flows::enterprise_connections::{AttributeMappingChange, is_browsable, replace, replace_name, replace_text};
use crate::flows::{FlowError, Refusal, client_secrets, oidc_clients, oidc_provider};
use crate::outbound::Outbound;
use doorward_model::{EnterpriseConnection, EnterpriseConnectionId, LoginHint, OauthConfigId, OidcConfig, Provider};
use doorward_oidc::easie::microsoft::tenant_id;
use doorward_oidc::{DiscoveryError, ManualEndpoints, ProviderMetadata, Secret};
use doorward_rules::easie::{self, Application, NotTaken, Says};
use doorward_rules::oidc_connection::{self as rules, Contradiction, Endpoints, EndpointsChange};
use doorward_rules::oidc_trip::Callback;
use doorward_rules::profile::default_login_hint;

/// The largest discovery document that is read; the parser takes no larger one.
const MAX_DOCUMENT_BYTES: usize = 128 * 1024;

/// What changes of a connection's OpenID Connect half. An empty text clears what may be absent and restores what has a default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OidcChange {
    pub endpoints: EndpointsChange,
    pub client_id: Option<String>,
    /// Empty: we are a public client.
    pub client_secret: Option<Secret>,
    pub requires_pkce: Option<bool>,
    /// An empty list restores the default.
    pub scopes: Option<Vec<String>>,
    pub attribute_mapping: AttributeMappingChange,
    pub email_verified_default: Option<bool>,
    pub login_hint: Option<LoginHint>,
    /// The only tenant that may sign in; empty: the first that does is (EAS-9).
    pub tenant_id: Option<String>,
}

/// What was found out for a change before the transaction that makes it.
#[derive(Debug, Default)]
pub struct Prepared {
    discovered: Option<Endpoints>,
    sealed_secret: Option<String>,
}

/// Where the provider of a connection sends browsers back to (OID-1). Each connection has an address of its own, so that a code
/// which one provider gave is not taken to another, whatever sent the browser there (RFC 9700, section 4.4.2.2). Those that have
/// one provider and one client, by EASIE, share one.
pub fn redirect_uri(config: &Config, connection: &EnterpriseConnection) -> String {
    callback_url(config, &Callback::of(connection))
}

/// An address that browsers are sent back to.
pub fn callback_url(config: &Config, callback: &Callback) -> String {
    format!("{}/v1/oauth_callback/{}", config.public_url, callback.as_str())
}

/// Whether a change says what its kind of connection takes; `additional` is `disable_additional_identifications`.
pub fn check_takes(provider: Provider, change: &OidcChange, additional: Option<bool>) -> Result<(), Refusal> {
    let by_hand = [&change.endpoints.authorization_url, &change.endpoints.token_url, &change.endpoints.user_info_url];
    let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    let says = Says {
        endpoints_by_hand: by_hand.into_iter().any(given),
        scopes: change.scopes.is_some(),
        attribute_mapping: change.attribute_mapping != AttributeMappingChange::default()
            || change.email_verified_default.is_some(),
        requires_pkce: change.requires_pkce.is_some(),
        additional_identifications: additional == Some(false),
        tenant: given(&change.tenant_id),
    };
    let reason = match easie::takes(provider, says) {
        Ok(()) => return Ok(()),
        Err(NotTaken::EndpointsByHand) => {
            "The provider names its endpoints itself; discovery_url says where, if it is not its usual place."
        }
        Err(NotTaken::Fixed) => "Scopes, attribute mapping and PKCE of this kind of connection are fixed.",
        Err(NotTaken::AdditionalIdentifications) => {
            "People of this kind of connection have no other identifications; disable_additional_identifications stays on."
        }
        Err(NotTaken::Tenant) => "Only connections of the provider oauth_microsoft have a tenant_id.",
    };
    Err(Refusal::ConnectionTypeInvalid { reason })
}

/// Whether a connection as it would be stored has an application at its provider, where it needs one (EAS-2).
pub fn check_application(config: &Config, connection: &EnterpriseConnection) -> Result<(), Refusal> {
    let Some(oidc) = connection.oidc.as_ref().filter(|_| connection.provider.easie().is_some()) else { return Ok(()) };
    let of_url = oidc_provider::tenant_of_discovery_url(connection);
    rules::check_tenant(oidc, of_url.as_deref()).map_err(refusal)?;
    match oidc_clients::whose(config, connection) {
        Application::Missing if connection.active => Err(Refusal::EasieCredentials {
            reason: "Neither the connection nor the instance has a client id and secret at this provider.",
        }),
        _ => Ok(()),
    }
}

/// The OpenID Connect half of a new connection as it is before anything was said about it.
pub fn blank(app: &App, provider: Provider, now: i64) -> OidcConfig {
    OidcConfig {
        id: OauthConfigId::generate(now, &*app.random),
        discovery_url: None,
        authorization_url: None,
        token_url: None,
        user_info_url: None,
        client_id: None,
        encrypted_client_secret: None,
        requires_pkce: false,
        scopes: rules::default_scopes(provider),
        attribute_mapping: rules::default_mapping(provider),
        login_hint: default_login_hint(provider),
        tenant_id: None,
    }
}

/// Reads the discovery document of a change and encrypts its secret. Called outside of transactions.
pub async fn prepare(
    app: &App,
    id: &EnterpriseConnectionId,
    provider: Provider,
    change: &OidcChange,
) -> Result<Prepared, FlowError> {
    let discovered = match rules::to_discover(&change.endpoints) {
        None => None,
        Some(_) if !rules::has_discovery(provider) => return Err(Refusal::DiscoveryImpossible.into()),
        Some(url) => Some(discover(&app.outbound, provider, url).await?),
    };
    if let Some(tenant) = change.tenant_id.as_deref().filter(|text| !text.is_empty())
        && tenant_id(tenant).is_none()
    {
        let reason = "must be the id of an Entra ID tenant, a GUID, and not the one of personal accounts";
        return Err(Refusal::ParamInvalid { param: "oidc.tenant_id".into(), reason: reason.into() }.into());
    }
    let sealed_secret = match &change.client_secret {
        Some(secret) if !secret.expose().is_empty() => Some(client_secrets::seal(app, id, secret)?),
        _ => None,
    };
    Ok(Prepared { discovered, sealed_secret })
}

/// The endpoints that the document under a discovery URL names.
async fn discover(outbound: &Outbound, provider: Provider, url: &str) -> Result<Endpoints, Refusal> {
    let failed = |reason: String| Refusal::DiscoveryFailed { url: url.to_owned(), reason };
    let bytes = outbound.get(url, MAX_DOCUMENT_BYTES).await.map_err(|error| failed(error.to_string()))?;
    let metadata = oidc_provider::parse(provider, &bytes, url).map_err(|error| match error {
        DiscoveryError::IssuerMismatch { expected, got } => {
            Refusal::DiscoveryIssuerMismatch { expected: expected.to_string(), issuer: got.to_string() }
        }
        other => failed(other.to_string()),
    })?;
    let named = [Some(&metadata.authorization_endpoint), Some(&metadata.token_endpoint)];
    let named = named.into_iter().chain([metadata.userinfo_endpoint.as_ref(), metadata.jwks_uri.as_ref()]);
    if let Some(plain) = named.flatten().find(|endpoint| !is_browsable(endpoint)) {
        return Err(failed(format!("it names {plain}, which does not begin with https://")));
    }
    Ok(Endpoints {
        discovery_url: Some(url.to_owned()),
        authorization_url: Some(metadata.authorization_endpoint),
        token_url: Some(metadata.token_endpoint),
        user_info_url: metadata.userinfo_endpoint,
    })
}

/// What is wrong with an endpoint that was entered by hand; completes "the parameter …".
pub fn problem_of_endpoint(url: &str) -> Option<String> {
    let alone = ManualEndpoints {
        authorization_endpoint: url,
        token_endpoint: url,
        userinfo_endpoint: Some(url),
        ..ManualEndpoints::default()
    };
    match ProviderMetadata::manual(alone) {
        Err(DiscoveryError::Endpoint(error)) => Some(error.problem.to_owned()),
        Err(error) => Some(format!("is of no use: {error}")),
        Ok(_) if !is_browsable(url) => Some("must begin with https://".to_owned()),
        Ok(_) => None,
    }
}

/// Applies a change to the half of a connection that it is about.
pub fn apply(connection: &mut EnterpriseConnection, change: &OidcChange, prepared: &Prepared) -> Result<(), Refusal> {
    let provider = connection.provider;
    let Some(oidc) = connection.oidc.as_mut() else { return Ok(()) };
    let endpoints = rules::endpoints(&Endpoints::of(oidc), &change.endpoints, prepared.discovered.as_ref());
    let endpoints = endpoints.map_err(|Contradiction(name)| Refusal::ParamConflict {
        param: format!("oidc.{name}"),
        other: "the document of oidc.discovery_url",
    })?;
    let is_easie = provider.easie().is_some();
    // Those of an EASIE provider are never the operator's, also not once the URL is taken away.
    let shown = |endpoint: Option<String>| endpoint.filter(|_| !is_easie);
    oidc.discovery_url = endpoints.discovery_url;
    oidc.authorization_url = shown(endpoints.authorization_url);
    oidc.token_url = shown(endpoints.token_url);
    oidc.user_info_url = shown(endpoints.user_info_url);
    if let Some(tenant) = &change.tenant_id {
        oidc.tenant_id = tenant_id(tenant);
    }
    replace_text(&mut oidc.client_id, change.client_id.as_ref());
    if change.client_secret.is_some() {
        oidc.encrypted_client_secret.clone_from(&prepared.sealed_secret);
    }
    replace(&mut oidc.requires_pkce, change.requires_pkce.as_ref());
    if let Some(scopes) = &change.scopes {
        oidc.scopes = if scopes.is_empty() { rules::default_scopes(provider) } else { scopes.clone() };
    }
    let (mapping, mapped, defaults) =
        (&mut oidc.attribute_mapping, &change.attribute_mapping, rules::default_mapping(provider));
    replace_name(&mut mapping.user_id, mapped.user_id.as_ref(), defaults.user_id);
    replace_name(&mut mapping.email_address, mapped.email_address.as_ref(), defaults.email_address);
    replace_name(&mut mapping.first_name, mapped.first_name.as_ref(), defaults.first_name);
    replace_name(&mut mapping.last_name, mapped.last_name.as_ref(), defaults.last_name);
    replace(&mut mapping.email_verified_default, change.email_verified_default.as_ref());
    replace(&mut oidc.login_hint, change.login_hint.as_ref());
    Ok(())
}

/// A refusal of the rules, with its data.
pub fn refusal(refusal: rules::Refusal) -> Refusal {
    match refusal {
        rules::Refusal::NoDiscovery => Refusal::DiscoveryImpossible,
        rules::Refusal::PublicClientNeedsPkce => Refusal::PublicClientNeedsPkce,
        rules::Refusal::HalfAnApplication => Refusal::EasieCredentials {
            reason: "client_id and client_secret go together: give both, or clear both to use the instance's.",
        },
        rules::Refusal::OtherTenant => {
            Refusal::ParamConflict { param: "oidc.tenant_id".into(), other: "the tenant of oidc.discovery_url" }
        }
    }
}
