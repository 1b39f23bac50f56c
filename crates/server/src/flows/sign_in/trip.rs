//! Sends a browser to the IdP of a connection.

use crate::app::{App, internal};
use crate::flows::sign_in::oidc_trip::{self, Ahead, Halt};
use crate::flows::{FlowError, Refusal, connection_keys, saml_urls};
use crate::random::{sha256_hex, token};
use doorward_model::{
    AttemptId, ClientId, Email, EnterpriseConnection, EnterpriseConnectionId, JsonMap, LoginHint, LoginHintMode,
    Millis, SamlRequest, SsoBinding, Verification, VerificationStatus,
};
use doorward_rules::profile::login_hint;
use doorward_rules::sign_in_route::{Route, domains_to_look_up};
use doorward_saml::{AuthnRequest, PostForm, request_id};
use doorward_store::{Tx, enterprise_connections, saml_requests, users};

/// How long the person has at the IdP.
pub const TRIP_LIFETIME: Millis = 20 * 60 * 1000;

/// Where a trip goes afterwards; the URLs are checked.
#[derive(Clone, Debug)]
pub struct TripUrls {
    /// When more is to be done, or it failed.
    pub redirect_url: String,
    /// Once a session exists.
    pub action_complete_redirect_url: String,
    /// Where this browser reaches us.
    pub base_url: String,
}

/// The active connections that serve an address.
pub async fn connections_for(tx: &mut Tx, email: &Email) -> Result<Vec<EnterpriseConnection>, FlowError> {
    Ok(enterprise_connections::serving(tx, &domains_to_look_up(email)).await?)
}

/// The connection to use: the only one, or the one that was chosen among several (DEC-5). `missing` is the refusal when none serves.
pub fn choose<'a>(
    found: &Route<'a>,
    chosen: Option<&EnterpriseConnectionId>,
    missing: Refusal,
) -> Result<&'a EnterpriseConnection, Refusal> {
    let connections = found.connections();
    match (connections.as_slice(), chosen) {
        ([], _) => Err(missing),
        ([connection], None) => Ok(connection),
        (_, None) => Err(Refusal::ConnectionIdRequired),
        (several, Some(id)) => {
            let found = several.iter().find(|connection| connection.id == *id);
            found.copied().ok_or_else(|| Refusal::ConnectionNotFound { id: id.as_str().chars().take(100).collect() })
        }
    }
}

/// Who goes on a trip.
#[derive(Clone, Debug)]
pub struct Traveller<'a> {
    pub attempt: AttemptId,
    pub client_id: &'a ClientId,
    pub email: &'a Email,
    /// `oidc_prompt` as it was sent (OID-9).
    pub prompt: Option<&'a str>,
}

/// Makes the request and remembers it (DEC-7). Answers the state the attempt is then in. `ahead` is what
/// [`oidc_trip::ended`] fetched for it.
pub async fn begin(
    tx: &mut Tx,
    app: &App,
    connection: &EnterpriseConnection,
    traveller: Traveller<'_>,
    ahead: Option<&Ahead>,
    urls: &TripUrls,
    now: Millis,
) -> Result<Verification, Halt> {
    let (redirect, expire_at) = match &connection.oidc {
        Some(oidc) => oidc_trip::begin(tx, app, (connection, oidc), &traveller, ahead, urls, now).await?,
        None => begin_saml(tx, app, connection, traveller, urls, now).await?,
    };
    Ok(Verification {
        status: VerificationStatus::Unverified,
        connection_id: connection.id.clone(),
        provider: connection.provider,
        external_verification_redirect_url: Some(redirect),
        error: None,
        expire_at,
        attempts: 0,
        transfer_profile: None,
    })
}

/// Makes the AuthnRequest: where the browser goes with it, and when the trip ends.
async fn begin_saml(
    tx: &mut Tx,
    app: &App,
    connection: &EnterpriseConnection,
    traveller: Traveller<'_>,
    urls: &TripUrls,
    now: Millis,
) -> Result<(String, Millis), FlowError> {
    let Traveller { attempt, client_id, email, .. } = traveller;
    let Some(idp_sso_url) = connection.saml.idp_sso_url.as_deref() else {
        return Err(Refusal::ActiveConnectionNotFound { id: connection.saml_connection_id.to_string() }.into());
    };
    let mut random_id = [0u8; 20];
    app.random.fill(&mut random_id);
    let relay_state = token(&*app.random);
    let id = request_id(&random_id);
    let hint = hint_for(tx, &connection.saml.login_hint, email).await?;
    let redirect = match connection.saml.idp_sso_binding {
        SsoBinding::Redirect => {
            let key = connection_keys::request_key(app, tx, connection).await?;
            let (acs_url, sp_entity_id) = own_names(app, connection);
            let authn_request = authn_request(connection, idp_sso_url, &id, now, &acs_url, &sp_entity_id);
            authn_request.redirect_url(Some(&relay_state), hint.as_deref(), key.as_ref()).map_err(internal)?
        }
        SsoBinding::Post => saml_urls::send_url(&app.config, &relay_state, hint.as_deref()),
    };
    let request = SamlRequest {
        relay_state_sha256: sha256_hex(&relay_state),
        request_id: id.clone(),
        connection_id: connection.id.clone(),
        attempt,
        client_id: client_id.clone(),
        redirect_url: urls.redirect_url.clone(),
        action_complete_redirect_url: urls.action_complete_redirect_url.clone(),
        base_url: urls.base_url.clone(),
        expires_at: now + TRIP_LIFETIME,
        outcome: None,
        finish_sha256: None,
        created_at: now,
    };
    saml_requests::insert(tx, &request).await?;
    Ok((redirect, request.expires_at))
}

/// What the IdP is told about who is coming (CON-19).
pub async fn hint_for(tx: &mut Tx, hint: &LoginHint, email: &Email) -> Result<Option<String>, FlowError> {
    let metadata = match hint.mode {
        LoginHintMode::CustomAttribute => metadata_of(tx, email).await?,
        LoginHintMode::EmailAddress | LoginHintMode::Off => None,
    };
    Ok(login_hint(hint, Some(email), metadata.as_ref()))
}

/// Our ACS URL and entity id towards the IdP of a connection.
fn own_names(app: &App, connection: &EnterpriseConnection) -> (String, String) {
    let id = &connection.saml_connection_id;
    (saml_urls::acs_url(&app.config, id), saml_urls::sp_entity_id(&app.config, id))
}

fn authn_request<'a>(
    connection: &EnterpriseConnection,
    idp_sso_url: &'a str,
    id: &'a str,
    issue_instant_ms: Millis,
    acs_url: &'a str,
    sp_entity_id: &'a str,
) -> AuthnRequest<'a> {
    let force_authn = connection.saml.force_authn;
    AuthnRequest { id, issue_instant_ms, idp_sso_url, acs_url, sp_entity_id, force_authn, name_id_format: None }
}

/// The form of a trip that began and goes by HTTP-POST. Whoever has the RelayState has begun it; the request says nothing else
/// that the IdP's configuration does not.
pub async fn post_form(app: &App, relay_state: &str, login_hint: Option<&str>) -> Result<PostForm, FlowError> {
    let gone = || Refusal::SamlResponseInvalid { reason: "The sign-in is unknown or has run out of time.".into() };
    let mut tx = app.store.read().await?;
    let request = saml_requests::by_relay_state(&mut tx, &sha256_hex(relay_state)).await?;
    let request = request.filter(|request| app.now() < request.expires_at && request.outcome.is_none());
    let request = request.ok_or_else(gone)?;
    let connection = enterprise_connections::by_id(&mut tx, &request.connection_id).await?.ok_or_else(gone)?;
    let inactive = || Refusal::ActiveConnectionNotFound { id: connection.saml_connection_id.to_string() };
    if !connection.active || !connection.authenticatable {
        return Err(inactive().into());
    }
    let idp_sso_url = connection.saml.idp_sso_url.as_deref().ok_or_else(inactive)?;
    let key = connection_keys::request_key(app, &mut tx, &connection).await?;
    let (acs_url, sp_entity_id) = own_names(app, &connection);
    let (id, now) = (request.request_id.as_str(), request.created_at);
    let authn_request = authn_request(&connection, idp_sso_url, id, now, &acs_url, &sp_entity_id);
    authn_request.post_form(Some(relay_state), login_hint, key.as_ref()).map_err(internal)
}

/// Public metadata of the user who owns an address, for login hints of mode `custom_attribute`.
async fn metadata_of(tx: &mut Tx, email: &Email) -> Result<Option<JsonMap>, FlowError> {
    let addresses = users::addresses_named(tx, email).await?;
    let Some(owned) = addresses.iter().find(|address| address.verification.is_verified()) else { return Ok(None) };
    Ok(users::by_id(tx, &owned.user_id).await?.map(|user| user.public_metadata))
}
