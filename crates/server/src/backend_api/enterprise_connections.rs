//! `/v1/enterprise_connections`

mod oidc;

use super::wire::enterprise_connection::enterprise_connection;
use super::wire::{Deleted, deleted};
use crate::app::App;
use crate::flows::Refusal;
use crate::flows::connection_oidc::OidcChange;
use crate::flows::enterprise_connections::{
    self as flow, AttributeMappingChange, EnterpriseConnectionChange, NewEnterpriseConnection, SamlChange, is_browsable,
};
use crate::http::pagination::{list as wire_list, page};
use crate::http::params::MAX_BODY_BYTES;
use crate::http::{ApiError, Params, Path, Query};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use doorward_model::{
    CustomAttribute, Domain, EnterpriseConnectionId, LoginHint, LoginHintMode, OrganizationId, Provider, SsoBinding,
};
use doorward_rules::connection_change::is_custom_attribute_key;
use doorward_saml::TrustedCertificate;
use doorward_store::enterprise_connections::{self as store, ListFilter};
use serde_json::Value;
use std::sync::Arc;

/// The most certificates that can be given in one request, which is Clerk's limit (CON-23). A connection may trust more, added
/// one by one or by metadata: `MAX_CERTIFICATES` of `rules::metadata_refresh`.
const MAX_CERTIFICATES: usize = 5;
/// The longest certificate that is read, in characters.
const MAX_CERTIFICATE: usize = 64 * 1024;
/// The longest name of a connection or an attribute.
const MAX_NAME: usize = 256;

/// The connections, newest first (CON-40).
pub async fn list(State(app): State<Arc<App>>, query: Query) -> Result<Json<Value>, ApiError> {
    let filter =
        ListFilter { organization_id: query.text("organization_id").map(str::to_owned), active: query.bool("active")? };
    let page = page(&query)?;
    let mut tx = app.store.read().await?;
    let found = store::list(&mut tx, &filter, page).await?;
    let data = found.iter().map(|connection| enterprise_connection(&app.config, connection)).collect();
    Ok(Json(wire_list(data, store::count(&mut tx, &filter).await?)))
}

/// Makes a connection.
pub async fn create(State(app): State<Arc<App>>, params: Params) -> Result<(StatusCode, Json<Value>), ApiError> {
    let new = NewEnterpriseConnection {
        name: name(&params)?.ok_or(Refusal::ParamMissing { param: "name" })?,
        provider: provider(&params)?,
        change: change(&params)?,
    };
    if !params.has("domains") {
        return Err(Refusal::ParamMissing { param: "domains" }.into());
    }
    let connection = flow::create(&app, new).await?;
    Ok((StatusCode::CREATED, Json(enterprise_connection(&app.config, &connection))))
}

/// One connection.
pub async fn get(State(app): State<Arc<App>>, Path(id): Path<EnterpriseConnectionId>) -> Result<Json<Value>, ApiError> {
    let connection = flow::by_id(&mut app.store.read().await?, &id).await?;
    Ok(Json(enterprise_connection(&app.config, &connection)))
}

/// Changes a connection; its provider never changes (CON-5).
pub async fn update(
    State(app): State<Arc<App>>,
    Path(id): Path<EnterpriseConnectionId>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let connection = flow::update(&app, &id, change(&params)?).await?;
    Ok(Json(enterprise_connection(&app.config, &connection)))
}

/// Deletes a connection.
pub async fn delete(
    State(app): State<Arc<App>>,
    Path(id): Path<EnterpriseConnectionId>,
) -> Result<Json<Deleted>, ApiError> {
    flow::delete(&app, &id).await?;
    Ok(deleted("enterprise_connection", id.as_str()))
}

fn invalid(param: String, reason: impl Into<String>) -> Refusal {
    Refusal::ParamInvalid { param, reason: reason.into() }
}

fn name(params: &Params) -> Result<Option<String>, Refusal> {
    match params.limited_text("name", MAX_NAME)?.value() {
        Some(name) if name.trim().is_empty() => Err(invalid("name".into(), "must not be empty")),
        name => Ok(name.map(|name| name.trim().to_owned())),
    }
}

fn provider(params: &Params) -> Result<Provider, Refusal> {
    let word = params.required_text("provider")?;
    Provider::parse(&word).ok_or_else(|| {
        let known = Provider::ALL.map(Provider::as_str).join(", ");
        invalid("provider".into(), format!("must be one of {known}"))
    })
}

fn change(params: &Params) -> Result<EnterpriseConnectionChange, Refusal> {
    let organization = params.text("organization_id")?.value().filter(|id| !id.trim().is_empty());
    Ok(EnterpriseConnectionChange {
        name: name(params)?,
        active: params.bool("active")?.value(),
        domains: domains(params)?,
        organization_id: organization.map(OrganizationId::from),
        sync_user_attributes: params.bool("sync_user_attributes")?.value(),
        disable_additional_identifications: params.bool("disable_additional_identifications")?.value(),
        allow_organization_account_linking: params.bool("allow_organization_account_linking")?.value(),
        authenticatable: params.bool("authenticatable")?.value(),
        disable_jit_provisioning: params.bool("disable_jit_provisioning")?.value(),
        custom_attributes: custom_attributes(params)?,
        saml: match params.nested("saml")?.value() {
            Some(saml) => saml_change(&saml)?,
            None => SamlChange::default(),
        },
        oidc: match params.nested("oidc")?.value() {
            Some(oidc) => oidc::change(&oidc)?,
            None => OidcChange::default(),
        },
    })
}

/// Domains in the form they are compared in, each once.
fn domains(params: &Params) -> Result<Vec<Domain>, Refusal> {
    let mut domains = Vec::new();
    for text in params.texts("domains")?.value().unwrap_or_default() {
        let domain = Domain::parse(&text);
        let domain = domain.map_err(|error| invalid("domains".into(), format!("is wrong: {error}")))?;
        if !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    Ok(domains)
}

fn saml_change(saml: &Params) -> Result<SamlChange, Refusal> {
    let idp_sso_url = saml.text("idp_sso_url")?.value();
    if let Some(url) = idp_sso_url.as_ref().filter(|url| !url.trim().is_empty() && !is_browsable(url.trim())) {
        let reason = format!("must be a URL that begins with https://, not {url:?}");
        return Err(invalid(saml.name("idp_sso_url"), reason));
    }
    Ok(SamlChange {
        name: saml.limited_text("name", MAX_NAME)?.value(),
        idp_entity_id: saml.text("idp_entity_id")?.value(),
        idp_sso_url,
        idp_sso_binding: binding(saml)?,
        sign_requests: saml.bool("sign_requests")?.value(),
        idp_certificates: certificates(saml)?,
        idp_metadata_url: saml.text("idp_metadata_url")?.value(),
        idp_metadata: saml.long_text("idp_metadata", MAX_BODY_BYTES)?.value(),
        refresh_idp_metadata: saml.bool("refresh_idp_metadata")?.value(),
        attribute_mapping: match saml.nested("attribute_mapping")?.value() {
            None => AttributeMappingChange::default(),
            Some(mapping) => attribute_mapping(&mapping)?,
        },
        allow_subdomains: saml.bool("allow_subdomains")?.value(),
        allow_idp_initiated: saml.bool("allow_idp_initiated")?.value(),
        force_authn: saml.bool("force_authn")?.value(),
        login_hint: match saml.nested("login_hint")?.value() {
            None => None,
            Some(hint) => Some(login_hint(&hint, ["saml.login_hint.mode", "saml.login_hint.source"])?),
        },
    })
}

fn attribute_mapping(mapping: &Params) -> Result<AttributeMappingChange, Refusal> {
    Ok(AttributeMappingChange {
        user_id: mapping.text("user_id")?.value(),
        email_address: mapping.text("email_address")?.value(),
        first_name: mapping.text("first_name")?.value(),
        last_name: mapping.text("last_name")?.value(),
    })
}

fn binding(saml: &Params) -> Result<Option<SsoBinding>, Refusal> {
    match saml.text("idp_sso_binding")?.value().as_deref() {
        None => Ok(None),
        Some("redirect") => Ok(Some(SsoBinding::Redirect)),
        Some("post") => Ok(Some(SsoBinding::Post)),
        Some(_) => Err(invalid(saml.name("idp_sso_binding"), "must be redirect or post")),
    }
}

/// The whole trusted set (CON-23). The older parameter for a single certificate says it too; the newer one wins.
fn certificates(saml: &Params) -> Result<Option<Vec<String>>, Refusal> {
    let several = saml.long_texts("idp_certificates", MAX_CERTIFICATES, MAX_CERTIFICATE)?.value();
    let (param, texts) = match several {
        Some(texts) => ("idp_certificates", texts),
        None => match saml.long_text("idp_certificate", MAX_CERTIFICATE)?.value() {
            // An empty text takes the certificate away.
            Some(text) => ("idp_certificate", vec![text].into_iter().filter(|text| !text.trim().is_empty()).collect()),
            None => return Ok(None),
        },
    };
    let mut certificates = Vec::with_capacity(texts.len());
    for text in texts {
        let certificate = TrustedCertificate::parse(&text);
        let base64 =
            certificate.map_err(|error| invalid(saml.name(param), format!("cannot be used: {error}")))?.base64();
        if !certificates.contains(&base64) {
            certificates.push(base64);
        }
    }
    Ok(Some(certificates))
}

/// `names` are the full names of mode and source.
fn login_hint(hint: &Params, names: [&'static str; 2]) -> Result<LoginHint, Refusal> {
    let mode = match hint.text("mode")?.value().as_deref() {
        None => return Err(Refusal::ParamMissing { param: names[0] }),
        Some("email_address") => LoginHintMode::EmailAddress,
        Some("custom_attribute") => LoginHintMode::CustomAttribute,
        Some("off") => LoginHintMode::Off,
        Some(_) => return Err(invalid(hint.name("mode"), "must be email_address, custom_attribute or off")),
    };
    let source = hint.text("source")?.value().filter(|source| !source.trim().is_empty());
    match (mode, source) {
        (LoginHintMode::CustomAttribute, None) => Err(Refusal::ParamMissing { param: names[1] }),
        (LoginHintMode::CustomAttribute, source) => Ok(LoginHint { mode, source }),
        (_, _) => Ok(LoginHint { mode, source: None }),
    }
}

fn custom_attributes(params: &Params) -> Result<Option<Vec<CustomAttribute>>, Refusal> {
    let Some(items) = params.nested_list("custom_attributes")?.value() else { return Ok(None) };
    let mut attributes: Vec<CustomAttribute> = Vec::with_capacity(items.len());
    for item in &items {
        let attribute = custom_attribute(item)?;
        if attributes.iter().any(|known| known.key == attribute.key) {
            return Err(Refusal::ParamDuplicate { param: "custom_attributes" });
        }
        attributes.push(attribute);
    }
    Ok(Some(attributes))
}

fn custom_attribute(item: &Params) -> Result<CustomAttribute, Refusal> {
    let text = |param: &str| Ok(item.limited_text(param, MAX_NAME)?.value().filter(|text| !text.trim().is_empty()));
    let name = text("name")?.ok_or(Refusal::ParamMissing { param: "custom_attributes.name" })?;
    let key = text("key")?.ok_or(Refusal::ParamMissing { param: "custom_attributes.key" })?;
    if !is_custom_attribute_key(&key) {
        let reason = "must hold letters, digits, underscores and dashes and not begin with an underscore";
        return Err(Refusal::ParamFormat { param: item.name("key"), reason: reason.into() });
    }
    let (old, new) = (text("scim_path")?, text("directory_path")?);
    if let (Some(old), Some(new)) = (&old, &new)
        && old != new
    {
        return Err(Refusal::ParamConflict { param: item.name("scim_path"), other: "directory_path" });
    }
    Ok(CustomAttribute {
        name,
        key,
        sso_path: text("sso_path")?,
        directory_path: new.or(old),
        multi_valued: item.bool("multi_valued")?.value().unwrap_or(false),
    })
}

#[cfg(test)]
mod tests;
