//! Enterprise connections.

use crate::config::Config;
use crate::flows::connection_oidc::redirect_uri;
use crate::flows::saml_urls;
use doorward_model::{CustomAttribute, EnterpriseConnection, OidcConfig, Protocol, Provider};
use serde_json::{Value, json};

/// A connection with the half that it speaks. Certificates and secrets are not shown (CON-44, OID-8).
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
        "saml_connection": match connection.provider.protocol() {
            Protocol::Saml => saml_connection(config, connection),
            Protocol::Oidc => Value::Null,
        },
        "oauth_config": connection.oidc.as_ref().map(|oidc| oauth_config(config, connection, oidc)),
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

fn oauth_config(config: &Config, connection: &EnterpriseConnection, oidc: &OidcConfig) -> Value {
    let mapping = &oidc.attribute_mapping;
    let mut object = json!({
        "id": oidc.id,
        "name": connection.name,
        "provider_key": provider_key(connection.provider, oidc),
        "client_id": oidc.client_id,
        "has_client_secret": oidc.encrypted_client_secret.is_some(),
        "discovery_url": oidc.discovery_url,
        "auth_url": oidc.authorization_url,
        "token_url": oidc.token_url,
        "user_info_url": oidc.user_info_url,
        "redirect_uri": redirect_uri(config, connection),
        "requires_pkce": oidc.requires_pkce,
        "scopes": oidc.scopes,
        // Whom an EASIE account is of is told by checks of its own.
        "attribute_mapping": connection.provider.easie().is_none().then(|| json!({
            "user_id": mapping.user_id,
            "email_address": mapping.email_address,
            "first_name": mapping.first_name,
            "last_name": mapping.last_name,
            "email_verified_default": mapping.email_verified_default,
        })),
        "login_hint": oidc.login_hint,
        "logo_public_url": null,
        "created_at": connection.created_at,
        "updated_at": connection.updated_at,
    });
    if connection.provider == Provider::OauthMicrosoft {
        object["tenant_id"] = json!(oidc.tenant_id);
    }
    object
}

/// The key by which the provider is known in the instance; it never changes (CON-3, CON-4).
fn provider_key(provider: Provider, oidc: &OidcConfig) -> String {
    let id = oidc.id.as_str().trim_start_matches("oac_");
    match provider {
        Provider::OidcGithubEnterprise => format!("oidc_ghe_{id}"),
        Provider::OidcGitlab => format!("oidc_gitlab_ent_{id}"),
        other => other.as_str().to_owned(),
    }
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
