//! What is known of the OpenID Connect provider of a connection: its configuration and its keys, fetched with no transaction open
//! and kept for a while.

use crate::app::App;
use crate::flows::Refusal;
use crate::flows::enterprise_connections::is_browsable;
use crate::outbound::OutboundError;
use crate::outbound::kept::{Fetched, Kept, Key, Shelf, Want};
use doorward_model::{EasieProvider, EnterpriseConnection, OidcConfig, Provider};
use doorward_oidc::easie::{google, microsoft};
use doorward_oidc::{DiscoveryError, ExpectedIssuer, KeySet, ManualEndpoints, ProviderMetadata};
use std::sync::Arc;

/// What is read of a document; the parsers have smaller bounds of their own for what they make of it.
const LARGEST_CONFIGURATION: usize = 128 * 1024;
const LARGEST_KEY_SET: usize = 512 * 1024;
/// Room for documents of each kind, in number and in bytes.
const MOST: usize = 2000;
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// The documents of all providers.
pub struct OidcDocuments {
    configurations: Shelf<ProviderMetadata, DocumentError>,
    key_sets: Shelf<KeySet, DocumentError>,
}

impl Default for OidcDocuments {
    fn default() -> Self {
        Self { configurations: Shelf::new(MOST, MOST_BYTES), key_sets: Shelf::new(MOST, MOST_BYTES) }
    }
}

/// Why there is no document.
#[derive(Clone, Debug)]
enum DocumentError {
    TooSlow,
    /// In words.
    Unavailable(String),
}

impl DocumentError {
    fn refusal(self, what: &'static str) -> Refusal {
        match self {
            Self::TooSlow => Refusal::GatewayTimeout { what },
            Self::Unavailable(reason) => {
                Refusal::OauthMisconfigured { reason: format!("{what} is of no use: {reason}.") }
            }
        }
    }
}

impl From<OutboundError> for DocumentError {
    fn from(error: OutboundError) -> Self {
        match error {
            OutboundError::TooSlow => Self::TooSlow,
            error => Self::Unavailable(error.to_string()),
        }
    }
}

/// Documents belong to the connection that names them; those of the EASIE providers themselves are the same for all.
fn key(connection: &EnterpriseConnection, url: &str) -> Key {
    let names_one = connection.oidc.as_ref().is_some_and(|oidc| oidc.discovery_url.is_some());
    let owner = match connection.provider.easie() {
        Some(_) if !names_one => connection.provider.as_str().to_owned(),
        _ => connection.id.to_string(),
    };
    Key { owner, url: url.to_owned() }
}

/// Where the provider's configuration document is, if it has one: where the connection says, else an EASIE provider's own.
pub fn discovery_url(connection: &EnterpriseConnection) -> Option<&str> {
    let own = match connection.provider.easie() {
        None => None,
        Some(EasieProvider::Google) => Some(google::DISCOVERY_URL),
        Some(EasieProvider::Microsoft) => Some(microsoft::DISCOVERY_URL),
    };
    connection.oidc.as_ref()?.discovery_url.as_deref().or(own)
}

/// The only tenant whose people can come, because the discovery URL of the connection is that tenant's own.
pub fn tenant_of_discovery_url(connection: &EnterpriseConnection) -> Option<String> {
    match connection.provider.easie()? {
        EasieProvider::Google => None,
        EasieProvider::Microsoft => microsoft::tenant_of_discovery_url(discovery_url(connection)?),
    }
}

/// Reads the document under the discovery URL of a connection to this kind of provider.
pub fn parse(provider: Provider, document: &[u8], url: &str) -> Result<ProviderMetadata, DiscoveryError> {
    match provider.easie() {
        None => ProviderMetadata::parse(document, ExpectedIssuer::OfDiscoveryUrl(url)),
        Some(EasieProvider::Google) => google::configuration(document, url),
        Some(EasieProvider::Microsoft) => microsoft::configuration(document, url),
    }
}

/// The provider's configuration: from its document, or as it was entered by hand.
pub async fn configuration(
    app: &App,
    connection: &EnterpriseConnection,
    oidc: &OidcConfig,
) -> Result<Arc<ProviderMetadata>, Refusal> {
    let Some(url) = discovery_url(connection) else { return by_hand(oidc).map(Arc::new) };
    let fetch = async || {
        let document = app.outbound.document(url, None, LARGEST_CONFIGURATION).await?;
        let parsed = parse(connection.provider, &document.body, url);
        let value = parsed.map_err(|error| DocumentError::Unavailable(error.to_string()))?;
        if !is_browsable(&value.authorization_endpoint) {
            let reason = "authorization_endpoint does not begin with https://".to_owned();
            return Err(DocumentError::Unavailable(reason));
        }
        Ok(Fetched { value, size: document.body.len(), cache_control: document.cache_control })
    };
    let shelf = &app.oidc_documents.configurations;
    let found =
        shelf.get(&key(connection, url), Want::Fresh, app.now(), async || logged(connection, fetch().await)).await;
    found.map(|kept| kept.value).map_err(|error| error.refusal("The configuration document"))
}

/// Keeps a document as if it had been fetched for a connection, for tests of providers that no test asks.
#[cfg(test)]
pub async fn keep(app: &App, id: &doorward_model::EnterpriseConnectionId, document: &[u8]) {
    let mut tx = app.store.read().await.unwrap();
    let connection = doorward_store::enterprise_connections::by_id(&mut tx, id).await.unwrap().unwrap();
    let url = discovery_url(&connection).unwrap();
    let value = parse(connection.provider, document, url).unwrap();
    let fetched = Fetched { value, size: document.len(), cache_control: None };
    let shelf = &app.oidc_documents.configurations;
    let kept = shelf.get(&key(&connection, url), Want::Fresh, app.now(), async || Ok(fetched)).await;
    assert!(kept.is_ok());
}

fn by_hand(oidc: &OidcConfig) -> Result<ProviderMetadata, Refusal> {
    let missing = |missing| Refusal::OauthConfigMissing { missing };
    let endpoints = ManualEndpoints {
        authorization_endpoint: oidc.authorization_url.as_deref().ok_or_else(|| missing("authorization_url"))?,
        token_endpoint: oidc.token_url.as_deref().ok_or_else(|| missing("token_url"))?,
        userinfo_endpoint: oidc.user_info_url.as_deref(),
        jwks_uri: None,
        issuer: None,
    };
    ProviderMetadata::manual(endpoints).map_err(|error| Refusal::OauthMisconfigured { reason: format!("{error}.") })
}

/// The provider's keys.
pub async fn keys(
    app: &App,
    connection: &EnterpriseConnection,
    provider: &ProviderMetadata,
    want: Want,
) -> Result<Kept<KeySet>, Refusal> {
    let url = provider.jwks_uri.as_deref().ok_or(Refusal::OauthConfigMissing { missing: "jwks_uri" })?;
    let named_by = discovery_url(connection);
    let fetch = async || {
        let document = app.outbound.document(url, named_by, LARGEST_KEY_SET).await?;
        let parsed = KeySet::parse(&document.body);
        let value = parsed.map_err(|error| DocumentError::Unavailable(error.to_string()))?;
        Ok(Fetched { value, size: document.body.len(), cache_control: document.cache_control })
    };
    let shelf = &app.oidc_documents.key_sets;
    let found = shelf.get(&key(connection, url), want, app.now(), async || logged(connection, fetch().await)).await;
    found.map_err(|error| error.refusal("The key set"))
}

/// An operator has to see that sign-ins live on what was kept.
fn logged<T>(
    connection: &EnterpriseConnection,
    fetched: Result<Fetched<T>, DocumentError>,
) -> Result<Fetched<T>, DocumentError> {
    if let Err(error) = &fetched {
        tracing::warn!(connection = %connection.id, ?error, "a document of the OpenID Connect provider cannot be fetched");
    }
    fetched
}
