//! Enterprise connections.

use crate::config::Config;
use crate::flows::saml_urls;
use doorward_model::{CustomAttribute, EnterpriseConnection};
use serde_json::{Value, json};

/// A connection with its SAML half. Certificates are not shown (CON-44).
pub fn enterprise_connection(config: &Config, connection: &EnterpriseConnection) -> Value {
    json!({
        "object": "enterprise_connection",
        "id": connection.id,
        "name": connection.name,
        "provider": connection.provider.as_str(),
        "logo_public_url": null,
        "active": connection.active,
        "domains": connection.domains,
        "organization_id": connection.organization_id,
        "sync_user_attributes": connection.sync_user_attributes,
        "disable_additional_identifications": connection.disable_additional_identifications,
        "allow_organization_account_linking": connection.allow_organization_account_linking,
        "authenticatable": connection.authenticatable,
        "disable_jit_provisioning": connection.disable_jit_provisioning,
        "custom_attributes": connection.custom_attributes.iter().map(custom_attribute).collect::<Vec<_>>(),
        "saml_connection": saml_connection(config, connection),
        "oauth_config": null,
        "created_at": connection.created_at,
        "updated_at": connection.updated_at,
    })
}

fn saml_connection(config: &Config, connection: &EnterpriseConnection) -> Value {
    let (id, saml) = (&connection.saml_connection_id, &connection.saml);
    json!({
        "id": id,
        "name": saml.name.as_ref().unwrap_or(&connection.name),
        "idp_entity_id": saml.idp_entity_id,
        "idp_sso_url": saml.idp_sso_url,
        "idp_sso_binding": saml.idp_sso_binding,
        "sign_requests": saml.sign_requests,
        "idp_metadata_url": saml.idp_metadata_url,
        "refresh_idp_metadata": saml.refresh_idp_metadata,
        "acs_url": saml_urls::acs_url(config, id),
        "sp_entity_id": saml_urls::sp_entity_id(config, id),
        "sp_metadata_url": saml_urls::sp_metadata_url(config, id),
        "active": connection.active,
        "allow_idp_initiated": saml.allow_idp_initiated,
        "allow_subdomains": saml.allow_subdomains,
        "force_authn": saml.force_authn,
        "login_hint": saml.login_hint,
    })
}

/// The directory path goes by its old and its new name.
fn custom_attribute(attribute: &CustomAttribute) -> Value {
    let mut object = json!({"name": attribute.name, "key": attribute.key, "multi_valued": attribute.multi_valued});
    if let Some(path) = &attribute.sso_path {
        object["sso_path"] = json!(path);
    }
    if let Some(path) = &attribute.directory_path {
        object["scim_path"] = json!(path);
        object["directory_path"] = json!(path);
    }
    object
}
