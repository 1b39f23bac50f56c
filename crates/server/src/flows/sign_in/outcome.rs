//! What an IdP's answer amounted to, applied to the attempt it belongs to; whatever the protocol.

use crate::app::App;
use crate::flows::sign_in::complete::{self, Arrival, Entrance, Known};
use crate::flows::sign_in::oidc_trip::Ahead;
use crate::flows::sign_in::trip::{self, Traveller, TripUrls};
use crate::flows::{FlowError, Refusal};
use crate::http::error_table::sso_error;
use doorward_model::{
    AttemptId, Client, EnterpriseConnectionId, Millis, OidcRequest, Protocol, SamlRequest, Session, SignInStatus,
    SignUpStatus, SsoError, SsoOutcome, SsoProfile, Verification, VerificationStatus,
};
use doorward_rules::easie::Consent;
use doorward_store::{Tx, enterprise_connections, sign_ins, sign_ups};

/// How long a transferable verification can be used.
const TRANSFER_LIFETIME: Millis = 10 * 60 * 1000;

/// Where the browser goes next.
#[derive(Debug)]
pub struct Finished {
    pub redirect_to: String,
    /// Where this browser reaches us.
    pub base_url: String,
    /// The browser, if it got a new secret with a session.
    pub signed_in: Option<(Client, String)>,
}

impl Finished {
    /// Tells the log of a session.
    pub fn log(&self) {
        if let Some((client, _)) = &self.signed_in {
            let session = client.last_active_session_id.as_ref().map(tracing::field::display);
            tracing::info!(client = %client.id, session, "signed in");
        }
    }
}

/// The part of a trip that every protocol has.
#[derive(Clone, Debug)]
pub struct Journey {
    pub protocol: Protocol,
    pub connection_id: EnterpriseConnectionId,
    pub attempt: AttemptId,
    pub redirect_url: String,
    pub action_complete_redirect_url: String,
    pub base_url: String,
    pub consent: Consent,
}

impl From<SamlRequest> for Journey {
    fn from(request: SamlRequest) -> Self {
        Self {
            protocol: Protocol::Saml,
            connection_id: request.connection_id,
            attempt: request.attempt,
            redirect_url: request.redirect_url,
            action_complete_redirect_url: request.action_complete_redirect_url,
            base_url: request.base_url,
            consent: Consent::WasAsked,
        }
    }
}

impl From<OidcRequest> for Journey {
    fn from(request: OidcRequest) -> Self {
        Self {
            protocol: Protocol::Oidc,
            connection_id: request.connection_id,
            attempt: request.attempt,
            redirect_url: request.redirect_url,
            action_complete_redirect_url: request.action_complete_redirect_url,
            base_url: request.base_url,
            consent: if request.asks_consent { Consent::WasAsked } else { Consent::MayBeAsked },
        }
    }
}

/// Applies it, for the browser that began. `ahead` is what another trip by OpenID Connect would need of the network.
pub async fn apply(
    tx: &mut Tx,
    app: &App,
    client: &mut Client,
    (journey, ahead): (&Journey, Option<&Ahead>),
    outcome: &SsoOutcome,
    now: Millis,
) -> Result<Finished, FlowError> {
    match outcome {
        SsoOutcome::Verified(profile) => arrive(tx, app, client, (journey, ahead), profile, now).await,
        SsoOutcome::Failed(error) => fail(tx, journey, error.clone(), now).await,
    }
}

async fn arrive(
    tx: &mut Tx,
    app: &App,
    client: &mut Client,
    (journey, ahead): (&Journey, Option<&Ahead>),
    profile: &SsoProfile,
    now: Millis,
) -> Result<Finished, FlowError> {
    let sign_up = match &journey.attempt {
        AttemptId::SignUp(id) => sign_ups::by_id(tx, id).await?,
        AttemptId::SignIn(_) => None,
    };
    let (connection_id, consent) = (&journey.connection_id, journey.consent);
    if sign_up.is_some() {
        match complete::known(tx, app, connection_id, profile, consent).await? {
            Known::No => {}
            Known::Yes => return transferable(tx, journey, profile, now).await,
            Known::NeedsConsent => return ask_consent(tx, app, client, (journey, ahead), profile, now).await,
            Known::Refused(refusal) => return fail(tx, journey, sso_error(&refusal), now).await,
        }
    }
    let entrance = Entrance { sign_up: sign_up.as_ref(), consent };
    match complete::arrive(tx, app, connection_id, profile, entrance, client, now).await? {
        Arrival::Session(session, secret) => {
            succeed(tx, journey, &session, now).await?;
            Ok(Finished {
                redirect_to: journey.action_complete_redirect_url.clone(),
                base_url: journey.base_url.clone(),
                signed_in: Some((client.clone(), secret)),
            })
        }
        Arrival::NeedsConsent => ask_consent(tx, app, client, (journey, ahead), profile, now).await,
        Arrival::Refused(refusal) => fail(tx, journey, sso_error(&refusal.in_words_of(journey.protocol)), now).await,
    }
}

/// Sends the browser to the provider once more, for the refresh token that comes with consent (EAS-6): the same attempt, and back
/// to the same places.
async fn ask_consent(
    tx: &mut Tx,
    app: &App,
    client: &Client,
    (journey, ahead): (&Journey, Option<&Ahead>),
    profile: &SsoProfile,
    now: Millis,
) -> Result<Finished, FlowError> {
    let connection = enterprise_connections::by_id(tx, &journey.connection_id).await?;
    let connection = connection.ok_or_else(|| complete::missing("the connection of a trip"))?;
    let urls = TripUrls {
        redirect_url: journey.redirect_url.clone(),
        action_complete_redirect_url: journey.action_complete_redirect_url.clone(),
        base_url: journey.base_url.clone(),
    };
    let traveller = Traveller {
        attempt: journey.attempt.clone(),
        client_id: &client.id,
        email: &profile.email_address,
        prompt: Some("consent"),
    };
    let verification = trip::begin(tx, app, &connection, traveller, ahead, &urls, now).await?;
    let there = verification.external_verification_redirect_url.clone();
    let redirect_to = there.ok_or_else(|| complete::missing("the address of a trip"))?;
    save_verification(tx, journey, verification, now).await?;
    Ok(Finished { redirect_to, base_url: journey.base_url.clone(), signed_in: None })
}

async fn succeed(tx: &mut Tx, journey: &Journey, session: &Session, now: Millis) -> Result<(), FlowError> {
    let verification = complete::verified(&journey.connection_id, now);
    match &journey.attempt {
        AttemptId::SignIn(id) => {
            let mut sign_in = sign_ins::by_id(tx, id).await?.ok_or_else(|| complete::missing("the sign-in"))?;
            sign_in.status = SignInStatus::Complete;
            sign_in.created_session_id = Some(session.id.clone());
            sign_in.verification = Some(verification);
            sign_in.updated_at = now;
            sign_ins::update(tx, &sign_in).await?;
        }
        AttemptId::SignUp(id) => {
            let mut sign_up = sign_ups::by_id(tx, id).await?.ok_or_else(|| complete::missing("the sign-up"))?;
            sign_up.status = SignUpStatus::Complete;
            sign_up.created_session_id = Some(session.id.clone());
            sign_up.created_user_id = Some(session.user_id.clone());
            sign_up.verification = Some(verification);
            sign_up.updated_at = now;
            sign_ups::update(tx, &sign_up).await?;
        }
    }
    Ok(())
}

/// A sign-up whose person has an account: the client may turn it into a sign-in (DEC-15).
async fn transferable(
    tx: &mut Tx,
    journey: &Journey,
    profile: &SsoProfile,
    now: Millis,
) -> Result<Finished, FlowError> {
    let verification = Verification {
        status: VerificationStatus::Transferable,
        connection_id: journey.connection_id.clone(),
        external_verification_redirect_url: None,
        error: Some(sso_error(&Refusal::AccountExists)),
        expire_at: now + TRANSFER_LIFETIME,
        attempts: 1,
        transfer_profile: Some(profile.clone()),
    };
    save_verification(tx, journey, verification, now).await?;
    Ok(go_on(journey))
}

/// Keeps the failure on the attempt; the browser goes back to the application all the same (DEC-17).
async fn fail(tx: &mut Tx, journey: &Journey, error: SsoError, now: Millis) -> Result<Finished, FlowError> {
    let verification = Verification {
        status: VerificationStatus::Failed,
        connection_id: journey.connection_id.clone(),
        external_verification_redirect_url: None,
        error: Some(error),
        expire_at: now,
        attempts: 1,
        transfer_profile: None,
    };
    save_verification(tx, journey, verification, now).await?;
    Ok(go_on(journey))
}

/// Back to the application, where more is to be done.
fn go_on(journey: &Journey) -> Finished {
    Finished { redirect_to: journey.redirect_url.clone(), base_url: journey.base_url.clone(), signed_in: None }
}

async fn save_verification(
    tx: &mut Tx,
    journey: &Journey,
    verification: Verification,
    now: Millis,
) -> Result<(), FlowError> {
    match &journey.attempt {
        AttemptId::SignIn(id) => {
            let mut sign_in = sign_ins::by_id(tx, id).await?.ok_or_else(|| complete::missing("the sign-in"))?;
            sign_in.verification = Some(verification);
            sign_in.updated_at = now;
            sign_ins::update(tx, &sign_in).await?;
        }
        AttemptId::SignUp(id) => {
            let mut sign_up = sign_ups::by_id(tx, id).await?.ok_or_else(|| complete::missing("the sign-up"))?;
            sign_up.verification = Some(verification);
            sign_up.updated_at = now;
            sign_ups::update(tx, &sign_up).await?;
        }
    }
    Ok(())
}
