//! Sends a browser to the OpenID Connect provider of a connection (OID-2, OID-7, OID-9).

use crate::app::{App, internal};
use crate::flows::sign_in::complete::trust_sha256;
use crate::flows::sign_in::trip::{self, TRIP_LIFETIME, Traveller, TripUrls};
use crate::flows::{FlowError, Refusal, connection_oidc, oidc_clients, oidc_provider};
use crate::random::{sha256_hex, token};
use doorward_model::{
    EasieProvider, Email, EnterpriseConnection, EnterpriseConnectionId, Millis, OidcConfig, OidcRequest,
};
use doorward_oidc::easie::{google, microsoft};
use doorward_oidc::{AuthorizationRequest, CodeVerifier, ProviderMetadata, ResponseMode};
use doorward_rules::easie::asks_consent;
use doorward_rules::oidc_trip::{must_post, sends_challenge};
use doorward_rules::sign_in_route::route;
use doorward_store::{Tx, oidc_requests};
use std::sync::Arc;

/// What a trip needs of the network, fetched before its transaction.
#[derive(Clone, Debug)]
pub struct Ahead {
    connection_id: EnterpriseConnectionId,
    trust_sha256: String,
    provider: Arc<ProviderMetadata>,
}

/// Fetches what a trip of this address will need: nothing, where it goes by another protocol or will be refused.
pub async fn look_ahead(
    app: &App,
    email: Option<&Email>,
    chosen: Option<&EnterpriseConnectionId>,
) -> Result<Option<Ahead>, FlowError> {
    let Some(email) = email else { return Ok(None) };
    let connections = trip::connections_for(&mut app.store.read().await?, email).await?;
    let found = route(email, &connections);
    let Ok(connection) = trip::choose(&found, chosen, Refusal::SignInConnectionMissing) else { return Ok(None) };
    match &connection.oidc {
        Some(oidc) => Ahead::of(app, connection, oidc).await.map(Some),
        None => Ok(None),
    }
}

impl Ahead {
    /// What a trip by this connection will need.
    pub async fn of(app: &App, connection: &EnterpriseConnection, oidc: &OidcConfig) -> Result<Self, FlowError> {
        let provider = oidc_provider::configuration(app, connection, oidc).await?;
        let trust_sha256 = trust_sha256(&app.config, connection);
        Ok(Self { connection_id: connection.id.clone(), trust_sha256, provider })
    }
}

/// What is asked for, and the parameters that this kind of provider wants besides.
fn wishes<'a>(connection: &'a EnterpriseConnection, oidc: &'a OidcConfig) -> (Vec<&'a str>, Vec<(&'a str, &'a str)>) {
    let domains: Vec<&str> = connection.domains.iter().map(|domain| domain.as_str()).collect();
    match connection.provider.easie() {
        None => (oidc.scopes.iter().map(String::as_str).collect(), Vec::new()),
        Some(EasieProvider::Google) => (google::SCOPES.to_vec(), google::authorization_parameters(&domains)),
        Some(EasieProvider::Microsoft) => (microsoft::SCOPES.to_vec(), microsoft::authorization_parameters(&domains)),
    }
}

/// Makes the authorization request and remembers it: the provider's URL, and when the trip ends.
pub async fn begin(
    tx: &mut Tx,
    app: &App,
    (connection, oidc): (&EnterpriseConnection, &OidcConfig),
    traveller: &Traveller<'_>,
    ahead: Option<&Ahead>,
    urls: &TripUrls,
    now: Millis,
) -> Result<(String, Millis), FlowError> {
    let trust_sha256 = trust_sha256(&app.config, connection);
    let is_for_it = |ahead: &&Ahead| ahead.connection_id == connection.id && ahead.trust_sha256 == trust_sha256;
    let provider = match ahead.filter(is_for_it) {
        Some(ahead) => &ahead.provider,
        None => {
            let reason = "The connection was changed at this very moment; try again.".to_owned();
            return Err(Refusal::OauthMisconfigured { reason }.into());
        }
    };
    let client_id = oidc_clients::client_id(&app.config, connection);
    let client_id = client_id.ok_or(Refusal::OauthConfigMissing { missing: "client_id" })?;
    let (state, nonce) = (token(&*app.random), token(&*app.random));
    let state_sha256 = sha256_hex(&state);
    // An application of the instance always has one.
    let has_secret = oidc.client_id.is_none() || oidc.encrypted_client_secret.is_some();
    let verifier = sends_challenge(provider.supports_pkce(), oidc.requires_pkce, has_secret).then(|| {
        let mut random = [0u8; 32];
        app.random.fill(&mut random);
        CodeVerifier::from_random(&random)
    });
    let challenge = verifier.as_ref().map(CodeVerifier::challenge);
    let hint = trip::hint_for(tx, &oidc.login_hint, traveller.email).await?;
    let (scopes, additional) = wishes(connection, oidc);
    let url = AuthorizationRequest {
        authorization_endpoint: &provider.authorization_endpoint,
        client_id,
        redirect_uri: &connection_oidc::redirect_uri(&app.config, connection),
        scopes: &scopes,
        state: &state,
        nonce: &nonce,
        code_challenge: challenge.as_deref(),
        login_hint: hint.as_deref(),
        prompt: traveller.prompt,
        max_age_s: None,
        response_mode: must_post(&provider.response_modes).then_some(ResponseMode::FormPost),
        additional: &additional,
    }
    .url()
    .map_err(|error| Refusal::OauthMisconfigured { reason: format!("{error}.") })?;
    let sealed = verifier.map(|verifier| {
        app.encryption.encrypt(verifier.as_str().as_bytes(), &verifier_context(&state_sha256), &*app.random)
    });
    let request = OidcRequest {
        encrypted_code_verifier: sealed.transpose().map_err(internal)?,
        state_sha256,
        nonce,
        connection_id: connection.id.clone(),
        trust_sha256,
        attempt: traveller.attempt.clone(),
        client_id: traveller.client_id.clone(),
        redirect_url: urls.redirect_url.clone(),
        action_complete_redirect_url: urls.action_complete_redirect_url.clone(),
        base_url: urls.base_url.clone(),
        asks_consent: asks_consent(traveller.prompt),
        expires_at: now + TRIP_LIFETIME,
        created_at: now,
    };
    oidc_requests::insert(tx, &request).await?;
    Ok((url, request.expires_at))
}

/// The verifier of a trip that is over.
pub fn verifier_of(app: &App, request: &OidcRequest) -> Result<Option<CodeVerifier>, FlowError> {
    let Some(sealed) = &request.encrypted_code_verifier else { return Ok(None) };
    let opened = app.encryption.decrypt(sealed, &verifier_context(&request.state_sha256)).map_err(internal)?;
    let text = String::from_utf8(opened).map_err(internal)?;
    Ok(Some(CodeVerifier::from_stored(&text).map_err(internal)?))
}

/// What a verifier is encrypted for, so that it is of no use in another row.
fn verifier_context(state_sha256: &str) -> String {
    format!("code verifier of {state_sha256}")
}
