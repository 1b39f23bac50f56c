//! Our side of a SAML connection: the URLs and the entity id an IdP is configured with (SML-1 … SML-4).

use crate::config::Config;
use doorward_model::SamlConnectionId;

/// Where the IdP posts responses.
pub fn acs_url(config: &Config, id: &SamlConnectionId) -> String {
    format!("{}/v1/saml/acs/{id}", config.public_url)
}

/// Our name at the IdP; not a place to visit (SML-3).
pub fn sp_entity_id(config: &Config, id: &SamlConnectionId) -> String {
    format!("https://{}/saml/{id}", config.host)
}

/// Where our metadata is served.
pub fn sp_metadata_url(config: &Config, id: &SamlConnectionId) -> String {
    format!("{}/v1/saml/metadata/{id}.xml", config.public_url)
}
