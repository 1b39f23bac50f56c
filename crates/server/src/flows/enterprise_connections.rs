//! Making, changing and deleting enterprise connections (CON).

use crate::app::App;
use crate::config::Config;
use crate::flows::connection_oidc::{self, OidcChange};
use crate::flows::idp_certificates::prints;
use crate::flows::organizations::by_id as organization_by_id;
use crate::flows::{FlowError, Refusal, connection_keys, metadata_refresh};
use crate::outbound::Outbound;
use doorward_model::{
    ConnectionKey, CustomAttribute, Domain, EnterpriseConnection, EnterpriseConnectionId, KeyPurpose, LoginHint,
    OrganizationId, Protocol, Provider, SamlConfig, SamlConnectionId, SsoBinding,
};
use doorward_rules::certificate_provenance::{self as provenance, Source};
use doorward_rules::connection_change::{self, check, is_sso_url};
use doorward_rules::profile::{default_login_hint, default_mapping};
use doorward_saml::{IdpMetadata, MetadataError};
use doorward_store::{Tx, enterprise_connections, write_tx};
use url::Url;

/// The largest metadata that is read.
const MAX_METADATA_BYTES: usize = 1024 * 1024;

/// A connection to be made.
#[derive(Clone, Debug)]
pub struct NewEnterpriseConnection {
    pub name: String,
    pub provider: Provider,
    /// The rest is applied as to a connection with the defaults.
    pub change: EnterpriseConnectionChange,
}

/// What changes of a connection; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct EnterpriseConnectionChange {
    pub name: Option<String>,
    pub active: Option<bool>,
    /// An empty list changes nothing (CON-29).
    pub domains: Vec<Domain>,
    /// The link can be set and changed, never cleared (CON-30).
    pub organization_id: Option<OrganizationId>,
    pub sync_user_attributes: Option<bool>,
    pub disable_additional_identifications: Option<bool>,
    pub allow_organization_account_linking: Option<bool>,
    pub authenticatable: Option<bool>,
    pub disable_jit_provisioning: Option<bool>,
    pub custom_attributes: Option<Vec<CustomAttribute>>,
    pub saml: SamlChange,
    pub oidc: OidcChange,
}

/// What changes of a connection's SAML half. An empty text clears what may be absent and restores what has a default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SamlChange {
    pub name: Option<String>,
    pub idp_entity_id: Option<String>,
    pub idp_sso_url: Option<String>,
    pub idp_sso_binding: Option<SsoBinding>,
    pub sign_requests: Option<bool>,
    /// The whole trusted set, base64 of DER.
    pub idp_certificates: Option<Vec<String>>,
    pub idp_metadata_url: Option<String>,
    pub idp_metadata: Option<String>,
    pub refresh_idp_metadata: Option<bool>,
    pub attribute_mapping: AttributeMappingChange,
    pub allow_subdomains: Option<bool>,
    pub allow_idp_initiated: Option<bool>,
    pub force_authn: Option<bool>,
    pub login_hint: Option<LoginHint>,
}

/// What changes of an attribute mapping.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AttributeMappingChange {
    pub user_id: Option<String>,
    pub email_address: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
}

/// The connection with this id.
pub async fn by_id(tx: &mut Tx, id: &EnterpriseConnectionId) -> Result<EnterpriseConnection, FlowError> {
    let found = enterprise_connections::by_id(tx, id).await?;
    Ok(found.ok_or_else(|| Refusal::ConnectionNotFound { id: id.to_string() })?)
}

/// The connection with this id, for what only those that speak SAML can do (OID-14).
pub async fn saml_by_id(tx: &mut Tx, id: &EnterpriseConnectionId) -> Result<EnterpriseConnection, FlowError> {
    let found = by_id(tx, id).await?;
    match found.provider.protocol() {
        Protocol::Saml => Ok(found),
        Protocol::Oidc => Err(Refusal::ConnectionTypeInvalid { reason: NOT_SAML }.into()),
    }
}

const NOT_SAML: &str = "This connection speaks OpenID Connect; what was asked for belongs to SAML.";
const NOT_OIDC: &str = "This connection speaks SAML; what was asked for belongs to OpenID Connect.";

/// Whether a change is about what the connection speaks (OID-14).
fn check_type(provider: Provider, change: &EnterpriseConnectionChange) -> Result<(), Refusal> {
    match provider.protocol() {
        Protocol::Saml if change.oidc != OidcChange::default() => {
            Err(Refusal::ConnectionTypeInvalid { reason: NOT_OIDC })
        }
        Protocol::Oidc if change.saml != SamlChange::default() => {
            Err(Refusal::ConnectionTypeInvalid { reason: NOT_SAML })
        }
        _ => connection_oidc::check_takes(provider, &change.oidc, change.disable_additional_identifications),
    }
}

/// What was found out for a change before the transaction that makes it.
struct Prepared {
    metadata: Option<ReadMetadata>,
    oidc: connection_oidc::Prepared,
}

async fn prepare(
    app: &App,
    connection: &EnterpriseConnection,
    change: &EnterpriseConnectionChange,
) -> Result<Prepared, FlowError> {
    check_type(connection.provider, change)?;
    let metadata = read_metadata(app, &change.saml).await?;
    let oidc = connection_oidc::prepare(app, &connection.id, connection.provider, &change.oidc).await?;
    Ok(Prepared { metadata, oidc })
}

/// Makes a connection.
pub async fn create(app: &App, new: NewEnterpriseConnection) -> Result<EnterpriseConnection, FlowError> {
    let now = app.now();
    if let Some(organization) = &new.change.organization_id {
        organization_by_id(&mut app.store.read().await?, organization).await?;
    }
    let mut connection = blank(app, &new, now);
    let prepared = prepare(app, &connection, &new.change).await?;
    apply(&mut connection, &new.change, &prepared)?;
    let was_read = was_read(prepared.metadata.as_ref());
    let key = request_key(app, &connection).await?;
    write_tx!(app.store, FlowError, |tx| {
        check_against_others(tx, &app.config, &connection, new.change.organization_id.as_ref()).await?;
        enterprise_connections::insert(tx, &connection).await?;
        metadata_refresh::reschedule(tx, app, None, &connection, was_read, now).await?;
        if let Some(key) = &key {
            connection_keys::keep_first(tx, key).await?;
        }
        Ok(connection.clone())
    })
}

/// Changes a connection. A change of an active one takes effect at once (CON-37).
pub async fn update(
    app: &App,
    id: &EnterpriseConnectionId,
    change: EnterpriseConnectionChange,
) -> Result<EnterpriseConnection, FlowError> {
    let now = app.now();
    // Nothing is fetched for a connection that is not there.
    let mut before = by_id(&mut app.store.read().await?, id).await?;
    let prepared = prepare(app, &before, &change).await?;
    let signed = before.saml.sign_requests;
    apply(&mut before, &change, &prepared)?;
    let was_read = was_read(prepared.metadata.as_ref());
    let key = if signed { None } else { request_key(app, &before).await? };
    write_tx!(app.store, FlowError, |tx| {
        let mut connection = by_id(tx, id).await?;
        let before = connection.saml.clone();
        apply(&mut connection, &change, &prepared)?;
        connection.updated_at = now;
        check_against_others(tx, &app.config, &connection, change.organization_id.as_ref()).await?;
        enterprise_connections::update(tx, &connection).await?;
        metadata_refresh::reschedule(tx, app, Some(&before), &connection, was_read, now).await?;
        if let Some(key) = &key {
            connection_keys::keep_first(tx, key).await?;
        }
        Ok(connection)
    })
}

/// A key for a connection that is to sign its AuthnRequests.
async fn request_key(app: &App, connection: &EnterpriseConnection) -> Result<Option<ConnectionKey>, FlowError> {
    if !connection.saml.sign_requests {
        return Ok(None);
    }
    connection_keys::make(app, &connection.id, KeyPurpose::Signing).await.map(Some)
}

/// Deletes a connection with its enterprise accounts; users and memberships stay (CON-34, CON-35).
pub async fn delete(app: &App, id: &EnterpriseConnectionId) -> Result<(), FlowError> {
    write_tx!(app.store, FlowError, |tx| {
        match enterprise_connections::delete(tx, id).await? {
            true => Ok(()),
            false => Err(Refusal::ConnectionNotFound { id: id.to_string() }.into()),
        }
    })
}

/// A new connection as it is before anything was said about it (CON-8, CON-11 … CON-19).
fn blank(app: &App, new: &NewEnterpriseConnection, now: i64) -> EnterpriseConnection {
    EnterpriseConnection {
        id: EnterpriseConnectionId::generate(now, &*app.random),
        name: new.name.clone(),
        provider: new.provider,
        active: false,
        domains: Vec::new(),
        organization_id: None,
        sync_user_attributes: true,
        disable_additional_identifications: true,
        allow_organization_account_linking: false,
        authenticatable: true,
        disable_jit_provisioning: false,
        custom_attributes: Vec::new(),
        saml_connection_id: SamlConnectionId::generate(now, &*app.random),
        saml: match new.provider.protocol() {
            Protocol::Saml => SamlConfig {
                attribute_mapping: default_mapping(new.provider),
                login_hint: default_login_hint(new.provider),
                ..SamlConfig::default()
            },
            Protocol::Oidc => SamlConfig::default(),
        },
        oidc: match new.provider.protocol() {
            Protocol::Saml => None,
            Protocol::Oidc => Some(connection_oidc::blank(app, new.provider, now)),
        },
        created_at: now,
        updated_at: now,
    }
}

/// Metadata and the text it was read from.
struct ReadMetadata {
    metadata: IdpMetadata,
    text: String,
    source: Source,
}

/// Whether a change has read what is under the metadata URL.
fn was_read(metadata: Option<&ReadMetadata>) -> bool {
    metadata.is_some_and(|read| read.source == Source::Url)
}

/// Reads the metadata of a change: its text, else what its URL answers. Called outside of transactions.
async fn read_metadata(app: &App, change: &SamlChange) -> Result<Option<ReadMetadata>, FlowError> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let (bytes, source) = match (given(&change.idp_metadata), given(&change.idp_metadata_url)) {
        (Some(text), _) => (text.into_bytes(), Source::Text),
        (None, Some(url)) => (fetch_metadata(&app.outbound, &url).await?, Source::Url),
        (None, None) => return Ok(None),
    };
    let metadata = parse_metadata(&bytes)?;
    // The parser admits UTF-8 only.
    Ok(Some(ReadMetadata { metadata, text: String::from_utf8_lossy(&bytes).into_owned(), source }))
}

/// The document under a metadata URL.
pub async fn fetch_metadata(outbound: &Outbound, url: &str) -> Result<Vec<u8>, Refusal> {
    let fetched = outbound.get(url.trim(), MAX_METADATA_BYTES).await;
    fetched.map_err(|error| Refusal::MetadataFetch { reason: error.to_string() })
}

/// Reads a metadata document that a connection may be set up with.
pub fn parse_metadata(bytes: &[u8]) -> Result<IdpMetadata, Refusal> {
    let metadata = IdpMetadata::parse(bytes).map_err(|error| match error {
        MetadataError::MissingFields(missing) => Refusal::MetadataIncomplete { missing },
        other => Refusal::MetadataInvalid { reason: other.to_string() },
    })?;
    match metadata.sso_urls.iter().find(|(_, url)| !is_browsable(url)) {
        Some((_, url)) => {
            let url: String = url.chars().take(200).collect();
            Err(Refusal::MetadataInvalid { reason: format!("the SSO URL {url} must begin with https://") })
        }
        None => Ok(metadata),
    }
}

/// How and where AuthnRequests of a connection go, of what metadata offers.
pub fn sso_of<'a>(metadata: &'a IdpMetadata, saml: &SamlConfig) -> (doorward_saml::SsoBinding, &'a str) {
    metadata.sso(match saml.idp_sso_binding {
        SsoBinding::Redirect => doorward_saml::SsoBinding::Redirect,
        SsoBinding::Post => doorward_saml::SsoBinding::Post,
    })
}

/// A binding that metadata names, as it is stored.
pub fn binding_of(binding: doorward_saml::SsoBinding) -> SsoBinding {
    match binding {
        doorward_saml::SsoBinding::Redirect => SsoBinding::Redirect,
        doorward_saml::SsoBinding::Post => SsoBinding::Post,
    }
}

/// Whether browsers may be sent to an IdP under this URL.
pub fn is_browsable(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| is_sso_url(url.scheme(), url.host_str()))
}

pub fn replace<T: Clone>(current: &mut T, change: Option<&T>) {
    if let Some(value) = change {
        current.clone_from(value);
    }
}

/// An empty text clears.
pub fn replace_text(current: &mut Option<String>, change: Option<&String>) {
    if let Some(text) = change {
        let text = text.trim();
        *current = (!text.is_empty()).then(|| text.to_owned());
    }
}

/// An empty text restores the default.
pub fn replace_name(current: &mut String, change: Option<&String>, default: String) {
    if let Some(text) = change {
        *current = if text.trim().is_empty() { default } else { text.trim().to_owned() };
    }
}

fn apply(
    connection: &mut EnterpriseConnection,
    change: &EnterpriseConnectionChange,
    prepared: &Prepared,
) -> Result<(), Refusal> {
    replace(&mut connection.name, change.name.as_ref());
    replace(&mut connection.active, change.active.as_ref());
    if !change.domains.is_empty() {
        connection.domains.clone_from(&change.domains);
    }
    if change.organization_id.is_some() {
        connection.organization_id.clone_from(&change.organization_id);
    }
    replace(&mut connection.sync_user_attributes, change.sync_user_attributes.as_ref());
    replace(&mut connection.disable_additional_identifications, change.disable_additional_identifications.as_ref());
    replace(&mut connection.allow_organization_account_linking, change.allow_organization_account_linking.as_ref());
    replace(&mut connection.authenticatable, change.authenticatable.as_ref());
    replace(&mut connection.disable_jit_provisioning, change.disable_jit_provisioning.as_ref());
    replace(&mut connection.custom_attributes, change.custom_attributes.as_ref());
    apply_saml(connection, &change.saml);
    if let Some(read) = &prepared.metadata {
        apply_metadata(&mut connection.saml, read, &change.saml);
    }
    connection_oidc::apply(connection, &change.oidc, &prepared.oidc)
}

fn apply_saml(connection: &mut EnterpriseConnection, change: &SamlChange) {
    let defaults = default_mapping(connection.provider);
    let saml = &mut connection.saml;
    replace_text(&mut saml.name, change.name.as_ref());
    if change.idp_entity_id.is_some() || change.idp_sso_url.is_some() || change.idp_certificates.is_some() {
        let trusted = prints(&saml.idp_certificates);
        provenance::outgrow_metadata(saml, &trusted);
    }
    replace_text(&mut saml.idp_entity_id, change.idp_entity_id.as_ref());
    replace_text(&mut saml.idp_sso_url, change.idp_sso_url.as_ref());
    replace(&mut saml.idp_sso_binding, change.idp_sso_binding.as_ref());
    replace(&mut saml.sign_requests, change.sign_requests.as_ref());
    if let Some(certificates) = &change.idp_certificates {
        let before = std::mem::replace(&mut saml.idp_certificates, certificates.clone());
        let named = prints(certificates);
        provenance::change_by_hand(saml, &prints(&before), &named, &named);
    }
    replace(&mut saml.refresh_idp_metadata, change.refresh_idp_metadata.as_ref());
    replace_text(&mut saml.idp_metadata_url, change.idp_metadata_url.as_ref());
    replace_text(&mut saml.attribute_mapping.user_id, change.attribute_mapping.user_id.as_ref());
    let (mapping, mapped) = (&mut saml.attribute_mapping, &change.attribute_mapping);
    replace_name(&mut mapping.email_address, mapped.email_address.as_ref(), defaults.email_address);
    replace_name(&mut mapping.first_name, mapped.first_name.as_ref(), defaults.first_name);
    replace_name(&mut mapping.last_name, mapped.last_name.as_ref(), defaults.last_name);
    replace(&mut saml.allow_subdomains, change.allow_subdomains.as_ref());
    replace(&mut saml.allow_idp_initiated, change.allow_idp_initiated.as_ref());
    replace(&mut saml.force_authn, change.force_authn.as_ref());
    replace(&mut saml.login_hint, change.login_hint.as_ref());
}

/// Metadata overrides the single fields (CON-22) and trusts every signing certificate it lists (CON-23). An IdP that wants
/// signed requests gets them unless the change says otherwise.
fn apply_metadata(saml: &mut SamlConfig, read: &ReadMetadata, change: &SamlChange) {
    saml.idp_entity_id = Some(read.metadata.entity_id.clone());
    let (binding, url) = sso_of(&read.metadata, saml);
    saml.idp_sso_url = Some(url.to_owned());
    saml.idp_sso_binding = binding_of(binding);
    if read.metadata.want_authn_requests_signed && change.sign_requests.is_none() {
        saml.sign_requests = true;
    }
    let named = read.metadata.certificates.iter().map(|certificate| certificate.base64()).collect();
    let before = std::mem::replace(&mut saml.idp_certificates, named);
    saml.idp_metadata = Some(read.text.clone());
    let named = prints(&saml.idp_certificates);
    provenance::set_metadata(saml, &prints(&before), &named, read.source);
}

/// Checks a connection as it would be stored. `linked` is the organization it is being linked to.
pub async fn check_against_others(
    tx: &mut Tx,
    config: &Config,
    connection: &EnterpriseConnection,
    linked: Option<&OrganizationId>,
) -> Result<(), FlowError> {
    if let Some(organization) = linked {
        organization_by_id(tx, organization).await?;
    }
    let of_organization = match &connection.organization_id {
        Some(organization) => enterprise_connections::of_organization(tx, organization).await?,
        None => Vec::new(),
    };
    let ids: Vec<EnterpriseConnectionId> = of_organization.into_iter().map(|other| other.id).collect();
    check(connection, &ids).map_err(refusal)?;
    Ok(connection_oidc::check_application(config, connection)?)
}

fn refusal(refusal: connection_change::Refusal) -> Refusal {
    use connection_change::Refusal as Rule;
    match refusal {
        Rule::NoDomains => Refusal::ParamMissing { param: "domains" },
        Rule::CommonDomain(domain) => Refusal::CommonDomain { domain: domain.to_string() },
        Rule::SubdomainsNeedRegistrableDomain(domain) => Refusal::ParamInvalid {
            param: "saml.allow_subdomains".into(),
            reason: format!("needs domains without a subdomain, which {domain} is not"),
        },
        Rule::MissingIdpFields(missing) => Refusal::CannotBeActivated { missing },
        Rule::OrganizationHasConnection(_) => Refusal::OrganizationHasConnection,
        Rule::Oidc(refusal) => connection_oidc::refusal(refusal),
        Rule::RefreshNeedsMetadataUrl => Refusal::ParamInvalid {
            param: "saml.refresh_idp_metadata".into(),
            reason: "needs saml.idp_metadata_url".into(),
        },
    }
}
