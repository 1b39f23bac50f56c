//! What an IdP posts to the ACS: verify, map, store the outcome (DECISIONS "Wire" 4, 5).
//!
//! No cookie comes with a cross-site POST, so nobody is signed in here. The outcome waits under a one-time token for the
//! browser that began.

use crate::app::App;
use crate::config::Config;
use crate::flows::sign_in::complete::saml_trust_sha256;
use crate::flows::{FlowError, Refusal, connection_keys, redirects, saml_urls};
use crate::http::error_table::sso_error;
use crate::random::{sha256_hex, token};
use doorward_model::{
    EnterpriseConnection, Millis, SamlConnectionId, SamlRequest, SsoOutcome, SsoProfile, UnsolicitedArrival,
};
use doorward_rules::profile::{ProfileOutcome, VerifiedAttributes, profile};
use doorward_rules::saml_answer::{Answer, Facts, answer, is_fresh};
use doorward_saml::{Assertion, DecryptionKey, Expectations, ResponseError, TrustedCertificate, UnverifiedResponse};
use doorward_store::{Tx, enterprise_connections, saml_requests, unsolicited_arrivals, write_tx};
use std::net::IpAddr;

/// Where the browser collects the outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collect {
    pub base_url: String,
    pub token: String,
    /// To be given to the browser that posted an answer nobody asked for: it alone may collect it.
    pub arrival_cookie: Option<String>,
}

/// How long the browser has to come back with an answer nobody asked for.
const ARRIVAL_LIFETIME: Millis = 60_000;

/// Takes a response. An error means that no sign-in could be found for it; every other failure is stored on its sign-in.
pub async fn receive(
    app: &App,
    id: &SamlConnectionId,
    saml_response: &str,
    relay_state: Option<&str>,
    address: Option<IpAddr>,
) -> Result<Collect, FlowError> {
    let now = app.now();
    let relay_state = relay_state.filter(|text| !text.is_empty());
    let mut tx = app.store.read().await?;
    let connection = enterprise_connections::by_saml_connection_id(&mut tx, id).await?.ok_or_else(|| unknown(id))?;
    let request = match relay_state {
        Some(text) => saml_requests::by_relay_state(&mut tx, &sha256_hex(text)).await?,
        None => None,
    };
    drop(tx);
    let has_relay_state = relay_state.is_some();
    let taken_for = answer(Facts { connection: &connection, has_relay_state, trip: request.as_ref(), now });
    let came = Came { connection: &connection, saml_response };
    match (taken_for, request) {
        (Answer::ToTrip, Some(request)) => answer_trip(app, came, request, now).await,
        (Answer::Unsolicited, _) => {
            // Nothing else limits how many of these are tried: a RelayState, which buys one verification, is not needed.
            app.rate_limits.attempt(address, None)?;
            arrive_unsolicited(app, came, relay_state, now).await
        }
        (Answer::AnsweredBefore, _) => Err(answered_before().into()),
        (Answer::OtherConnection, _) => Err(invalid("The sign-in it answers began at another connection.").into()),
        (Answer::UnknownTrip | Answer::ToTrip, _) => {
            Err(invalid("The sign-in it answers is unknown or has run out of time.").into())
        }
        (Answer::RelayStateMissing, _) => Err(Refusal::RelayStateMissing.into()),
        (Answer::FreshSignInWanted, _) => {
            let reason =
                "The connection asks for a fresh sign-in every time, which an answer that nobody asked for cannot be.";
            Err(invalid(reason).into())
        }
    }
}

fn answered_before() -> Refusal {
    invalid("The sign-in it answers has had its answer already.")
}

/// What came to the ACS of a connection.
#[derive(Clone, Copy)]
struct Came<'a> {
    connection: &'a EnterpriseConnection,
    saml_response: &'a str,
}

/// The answer to an AuthnRequest of ours.
async fn answer_trip(app: &App, came: Came<'_>, request: SamlRequest, now: Millis) -> Result<Collect, FlowError> {
    let connection = came.connection;
    let verified = verify(app, came, Some(&request), now).await?.map(|assertion| {
        let profile = profile_of(connection, &assertion);
        (assertion, profile)
    });
    let finish = token(&*app.random);
    let finish_sha256 = sha256_hex(&finish);
    write_tx!(app.store, FlowError, |tx| {
        let is_first_use = match &verified {
            Ok((assertion, _)) => remember(tx, connection, assertion).await?,
            Err(_) => true,
        };
        let outcome = match &verified {
            _ if !is_first_use => failed(&used_before()),
            Ok((_, Ok(profile))) => SsoOutcome::Verified(profile.clone()),
            Ok((_, Err(refusal))) | Err(refusal) => failed(refusal),
        };
        if saml_requests::answer(tx, &request.relay_state_sha256, &outcome, &finish_sha256).await? {
            return Ok(());
        }
        Err(answered_before().into())
    })?;
    Ok(Collect { base_url: request.base_url, token: finish, arrival_cookie: None })
}

/// An answer nobody asked for (SAML profiles 4.1.5), at a connection that allows it (SML-9). There is no sign-in to keep a
/// failure on, so whoever posted it is told. The person lands where RelayState says, if that is allowed, else at home.
async fn arrive_unsolicited(
    app: &App,
    came: Came<'_>,
    relay_state: Option<&str>,
    now: Millis,
) -> Result<Collect, FlowError> {
    let connection = came.connection;
    let assertion = verify(app, came, None, now).await??;
    let profile = profile_of(connection, &assertion)?;
    let redirect_url = match relay_state {
        Some(url) if redirects::allowed(app, url, &app.config.public_url).await.is_ok() => url.to_owned(),
        _ => app.config.home_url.clone(),
    };
    let (finish, cookie) = (token(&*app.random), token(&*app.random));
    let arrival = UnsolicitedArrival {
        finish_sha256: sha256_hex(&finish),
        connection_id: connection.id.clone(),
        cookie_sha256: sha256_hex(&cookie),
        profile,
        redirect_url,
        expires_at: now + ARRIVAL_LIFETIME,
        created_at: now,
    };
    write_tx!(app.store, FlowError, |tx| {
        if !remember(tx, connection, &assertion).await? {
            return Err(used_before().into());
        }
        Ok(unsolicited_arrivals::insert(tx, &arrival).await?)
    })?;
    Ok(Collect { base_url: app.config.public_url.clone(), token: finish, arrival_cookie: Some(cookie) })
}

/// Answers `false` for an assertion that was used before. The memory outlives it, so no copy of it can be used after it is
/// forgotten (SML-11).
async fn remember(tx: &mut Tx, connection: &EnterpriseConnection, assertion: &Assertion) -> Result<bool, FlowError> {
    let until = assertion.not_on_or_after_ms;
    Ok(saml_requests::remember_assertion(tx, &connection.id, &assertion.id, until).await?)
}

/// How the refusal of an assertion that was used before ends.
pub const USED_BEFORE: &str = "This assertion was used before.";

fn used_before() -> Refusal {
    invalid(USED_BEFORE)
}

fn unknown(id: &SamlConnectionId) -> Refusal {
    Refusal::ActiveConnectionNotFound { id: id.as_str().chars().take(100).collect() }
}

fn invalid(reason: &str) -> Refusal {
    Refusal::SamlResponseInvalid { reason: reason.to_owned() }
}

fn failed(refusal: &Refusal) -> SsoOutcome {
    tracing::info!(?refusal, "SAML response refused");
    SsoOutcome::Failed(sso_error(refusal))
}

/// The assertion, or why the response is refused. `request` is what it must answer; `None` means that it must answer nothing.
async fn verify(
    app: &App,
    came: Came<'_>,
    request: Option<&SamlRequest>,
    now: Millis,
) -> Result<Result<Assertion, Refusal>, FlowError> {
    let response = UnverifiedResponse::decode(came.saml_response);
    let decryption_keys = match &response {
        Ok(response) if response.may_be_encrypted() => {
            let mut tx = app.store.read().await?;
            connection_keys::decryption_keys(app, &mut tx, &came.connection.id).await?
        }
        _ => Vec::new(),
    };
    Ok(verify_with(&app.config, came.connection, response, &decryption_keys, request, now))
}

/// As [`verify`], with everything at hand.
pub fn verify_with(
    config: &Config,
    connection: &EnterpriseConnection,
    response: Result<UnverifiedResponse, ResponseError>,
    decryption_keys: &[DecryptionKey],
    request: Option<&SamlRequest>,
    now: Millis,
) -> Result<Assertion, Refusal> {
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
        acs_url: &saml_urls::acs_url(config, &connection.saml_connection_id),
        sp_entity_id: &saml_urls::sp_entity_id(config, &connection.saml_connection_id),
        idp_entity_id,
        certificates: &certificates,
        decryption_keys,
        in_response_to: request.map(|request| request.request_id.as_str()),
    };
    let assertion = response.and_then(|response| response.validate(&expectations)).map_err(|error| {
        tracing::info!(connection = %connection.id, reason = error.code(), "SAML response invalid");
        invalid(&error.to_string())
    })?;
    if let Some(request) = request
        && !is_fresh(connection, request.created_at, assertion.authn_instant_ms, doorward_saml::DEFAULT_CLOCK_SKEW_MS)
    {
        return Err(invalid(
            "A fresh sign-in at the identity provider was asked for, but it answered with an older one.",
        ));
    }
    Ok(assertion)
}

/// Who the assertion is about, as the connection maps its attributes.
pub fn profile_of(connection: &EnterpriseConnection, assertion: &Assertion) -> Result<SsoProfile, Refusal> {
    let attributes: Vec<(String, Vec<String>)> =
        assertion.attributes.iter().map(|attribute| (attribute.name.clone(), attribute.values.clone())).collect();
    let trust_sha256 = saml_trust_sha256(connection);
    let (name_id, attributes) = (assertion.name_id.value.as_str(), attributes.as_slice());
    let signed_by = assertion.signed_by.as_slice();
    let verified = VerifiedAttributes { name_id, attributes, trust_sha256: &trust_sha256, signed_by };
    match profile(connection, verified) {
        ProfileOutcome::Profile(profile) => Ok(profile),
        ProfileOutcome::MissingAttribute(attribute) => Err(Refusal::AttributeMissing { attribute }),
        ProfileOutcome::InvalidAddress(value) => {
            Err(Refusal::AddressInvalid { value: value.chars().take(200).collect() })
        }
        ProfileOutcome::TooLarge(what) => Err(invalid(&format!("It is too large: {what}."))),
        ProfileOutcome::DomainMismatch { expected, received } => Err(Refusal::DomainMismatch {
            expected: expected.iter().map(ToString::to_string).collect(),
            received: received.to_string(),
        }),
    }
}
