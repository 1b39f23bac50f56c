//! What an IdP posts to the ACS: verify, map, store the outcome (DECISIONS "Wire" 4, 5).
//!
//! No cookie comes with a cross-site POST, so nobody is signed in here. The outcome waits under a one-time token for the
//! browser that began.

use crate::app::App;
use crate::flows::{FlowError, Refusal, connection_keys, saml_urls};
use crate::http::error_table::sso_error;
use crate::random::{sha256_hex, token};
use doorward_model::{EnterpriseConnection, Millis, SamlConnectionId, SamlRequest, SsoOutcome};
use doorward_rules::profile::{ProfileOutcome, VerifiedAttributes, profile};
use doorward_saml::{Assertion, DecryptionKey, Expectations, ResponseError, TrustedCertificate, UnverifiedResponse};
use doorward_store::{Tx, enterprise_connections, saml_requests, write_tx};

/// Where the browser collects the outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collect {
    pub base_url: String,
    pub token: String,
}

/// Takes a response. An error means that no sign-in could be found for it; every other failure is stored on its sign-in.
pub async fn receive(
    app: &App,
    id: &SamlConnectionId,
    saml_response: &str,
    relay_state: Option<&str>,
) -> Result<Collect, FlowError> {
    let now = app.now();
    let relay_state_sha256 = sha256_hex(relay_state.filter(|text| !text.is_empty()).ok_or(Refusal::RelayStateMissing)?);
    let mut tx = app.store.read().await?;
    let (connection, request) = load(&mut tx, id, &relay_state_sha256, now).await?;
    let response = UnverifiedResponse::decode(saml_response);
    let keys = match &response {
        Ok(response) if response.may_be_encrypted() => {
            connection_keys::decryption_keys(app, &mut tx, &connection.id).await?
        }
        _ => Vec::new(),
    };
    drop(tx);
    let verified = verify(app, &connection, &request, response, &keys, now);
    let finish = token(&*app.random);
    let finish_sha256 = sha256_hex(&finish);
    write_tx!(app.store, FlowError, |tx| {
        let outcome = match &verified {
            Ok((assertion, outcome)) => {
                // The memory outlives the assertion, so no copy of it can be used after it is forgotten (SML-11).
                let first_use =
                    saml_requests::remember_assertion(tx, &connection.id, &assertion.id, assertion.not_on_or_after_ms)
                        .await?;
                if first_use { outcome.clone() } else { failed(&invalid("This assertion was used before.")) }
            }
            Err(refusal) => failed(refusal),
        };
        if saml_requests::answer(tx, &relay_state_sha256, &outcome, &finish_sha256).await? {
            return Ok(());
        }
        Err(invalid("The sign-in it answers has had its answer already.").into())
    })?;
    Ok(Collect { base_url: request.base_url, token: finish })
}

fn invalid(reason: &str) -> Refusal {
    Refusal::SamlResponseInvalid { reason: reason.to_owned() }
}

fn failed(refusal: &Refusal) -> SsoOutcome {
    tracing::info!(?refusal, "SAML response refused");
    SsoOutcome::Failed(sso_error(refusal))
}

/// The connection of this ACS and the trip this RelayState belongs to. They must belong to each other: a response that
/// one organization's IdP signed must never answer a sign-in at another's (RELIABILITY §2c).
async fn load(
    tx: &mut Tx,
    id: &SamlConnectionId,
    relay_state_sha256: &str,
    now: Millis,
) -> Result<(EnterpriseConnection, SamlRequest), FlowError> {
    let not_found = || Refusal::ActiveConnectionNotFound { id: id.as_str().chars().take(100).collect() };
    let connection = enterprise_connections::by_saml_connection_id(tx, id).await?.ok_or_else(not_found)?;
    let request =
        saml_requests::by_relay_state(tx, relay_state_sha256).await?.filter(|request| now < request.expires_at);
    let request = request.ok_or_else(|| invalid("The sign-in it answers is unknown or has run out of time."))?;
    // Before any cryptography: one RelayState buys one verification.
    if request.outcome.is_some() {
        return Err(invalid("The sign-in it answers has had its answer already.").into());
    }
    if request.connection_id != connection.id {
        return Err(invalid("The sign-in it answers began at another connection.").into());
    }
    Ok((connection, request))
}

/// The assertion and what it amounts to, or why the response is refused.
fn verify(
    app: &App,
    connection: &EnterpriseConnection,
    request: &SamlRequest,
    response: Result<UnverifiedResponse, ResponseError>,
    decryption_keys: &[DecryptionKey],
    now: Millis,
) -> Result<(Assertion, SsoOutcome), Refusal> {
    let inactive = || Refusal::ActiveConnectionNotFound { id: connection.saml_connection_id.to_string() };
    if !connection.active || !connection.authenticatable {
        return Err(inactive());
    }
    let idp_entity_id = connection.saml.idp_entity_id.as_deref().ok_or_else(inactive)?;
    let certificates: Vec<TrustedCertificate> =
        connection.saml.idp_certificates.iter().filter_map(|text| TrustedCertificate::parse(text).ok()).collect();
    let expectations = Expectations {
        now_ms: now,
        clock_skew_ms: doorward_saml::DEFAULT_CLOCK_SKEW_MS,
        acs_url: &saml_urls::acs_url(&app.config, &connection.saml_connection_id),
        sp_entity_id: &saml_urls::sp_entity_id(&app.config, &connection.saml_connection_id),
        idp_entity_id,
        certificates: &certificates,
        decryption_keys,
        in_response_to: Some(&request.request_id),
    };
    let assertion = response.and_then(|response| response.validate(&expectations)).map_err(|error| {
        tracing::info!(connection = %connection.id, reason = error.code(), "SAML response invalid");
        invalid(&error.to_string())
    })?;
    // The request is not signed, so whoever holds a session at the IdP could have taken the wish for a fresh sign-in out of it.
    if connection.saml.force_authn
        && assertion.authn_instant_ms + doorward_saml::DEFAULT_CLOCK_SKEW_MS < request.created_at
    {
        return Err(invalid(
            "A fresh sign-in at the identity provider was asked for, but it answered with an older one.",
        ));
    }
    let attributes: Vec<(String, Vec<String>)> =
        assertion.attributes.iter().map(|attribute| (attribute.name.clone(), attribute.values.clone())).collect();
    let verified = VerifiedAttributes { name_id: &assertion.name_id.value, attributes: &attributes };
    let outcome = match profile(connection, verified) {
        ProfileOutcome::Profile(profile) => SsoOutcome::Verified(profile),
        ProfileOutcome::MissingAttribute(attribute) => failed(&Refusal::AttributeMissing { attribute }),
        ProfileOutcome::InvalidAddress(value) => {
            failed(&Refusal::AddressInvalid { value: value.chars().take(200).collect() })
        }
        ProfileOutcome::TooLarge(what) => failed(&invalid(&format!("It is too large: {what}."))),
        ProfileOutcome::DomainMismatch { expected, received } => failed(&Refusal::DomainMismatch {
            expected: expected.iter().map(ToString::to_string).collect(),
            received: received.to_string(),
        }),
    };
    Ok((assertion, outcome))
}
