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

/// The page that posts the request of a trip to an IdP.
pub fn send_url(config: &Config, relay_state: &str, login_hint: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("relay_state", relay_state);
    query.extend_pairs(login_hint.map(|hint| ("login_hint", hint)));
    format!("{}/v1/saml/send?{}", config.public_url, query.finish())
}

/// Where our metadata is served.
pub fn sp_metadata_url(config: &Config, id: &SamlConnectionId) -> String {
    format!("{}/v1/saml/metadata/{id}.xml", config.public_url)
}
