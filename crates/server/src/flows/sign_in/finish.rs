//! The browser that began a trip collects its outcome.

use crate::app::App;
use crate::flows::clients::{self as browsers, ClientCookie};
use crate::flows::sign_in::complete::{self, Arrival};
use crate::flows::{FlowError, Refusal};
use crate::http::error_table::sso_error;
use crate::random::sha256_hex;
use doorward_model::{
    AttemptId, Client, Millis, SamlRequest, Session, SignInStatus, SignUpStatus, SsoError, SsoOutcome, SsoProfile,
    Verification, VerificationStatus,
};
use doorward_store::{Tx, enterprise_connections, saml_requests, sign_ins, sign_ups, unsolicited_arrivals, write_tx};

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

/// What a browser brings to collect an outcome.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    pub token: &'a str,
    pub client: Option<&'a ClientCookie>,
    /// Of an answer nobody asked for.
    pub arrival_cookie: Option<&'a str>,
}

/// Applies the outcome to its attempt. Only the browser that began may do so, and only once.
pub async fn finish(app: &App, claim: Claim<'_>) -> Result<Finished, FlowError> {
    let now = app.now();
    let finish_sha256 = sha256_hex(claim.token);
    // A refusal of an arrival is a value, so that the arrival is used up all the same.
    let finished: Result<Finished, Refusal> = write_tx!(app.store, FlowError, |tx| {
        let request = saml_requests::by_finish(tx, &finish_sha256).await?;
        let Some(request) = request.filter(|request| now < request.expires_at) else {
            return arrive_unsolicited(tx, app, claim, &finish_sha256, now).await;
        };
        let client = browsers::find(tx, claim.client).await?;
        let Some(mut client) = client.filter(|client| client.id == request.client_id) else {
            return Err(Refusal::OtherBrowser.into());
        };
        saml_requests::delete(tx, &request.relay_state_sha256).await?;
        match request.outcome.clone() {
            Some(SsoOutcome::Verified(profile)) => arrive(tx, app, &mut client, &request, &profile, now).await.map(Ok),
            Some(SsoOutcome::Failed(error)) => fail(tx, &request, error, now).await.map(Ok),
            None => Err(complete::missing("the outcome of a trip")),
        }
    })?;
    let finished = finished?;
    if let Some((client, _)) = &finished.signed_in {
        let session = client.last_active_session_id.as_ref().map(tracing::field::display);
        tracing::info!(client = %client.id, session, "signed in");
    }
    Ok(finished)
}

/// Somebody whom an IdP sent without having been asked: signed in in the browser that brought the answer, once. There is no
/// attempt to keep a refusal on, so it is the answer.
async fn arrive_unsolicited(
    tx: &mut Tx,
    app: &App,
    claim: Claim<'_>,
    finish_sha256: &str,
    now: Millis,
) -> Result<Result<Finished, Refusal>, FlowError> {
    let arrival = unsolicited_arrivals::by_finish(tx, finish_sha256).await?;
    let Some(arrival) = arrival.filter(|arrival| now < arrival.expires_at) else {
        let reason = "It was collected before, or too late.".to_owned();
        return Ok(Err(Refusal::SamlResponseInvalid { reason }));
    };
    // Without this a link would be enough to sign somebody's browser in as somebody else.
    if !claim.arrival_cookie.is_some_and(|cookie| browsers::secret_matches(cookie, &arrival.cookie_sha256)) {
        return Ok(Err(Refusal::OtherBrowser));
    }
    unsolicited_arrivals::delete(tx, finish_sha256).await?;
    let connection = enterprise_connections::by_id(tx, &arrival.connection_id).await?;
    if !connection.is_some_and(|connection| connection.saml.allow_idp_initiated) {
        return Ok(Err(Refusal::RelayStateMissing));
    }
    let mut browser = browsers::find_or_make(tx, claim.client, app, now).await?;
    browsers::save(tx, &browser).await?;
    let client = &mut browser.client;
    Ok(match complete::arrive(tx, app, &arrival.connection_id, &arrival.profile, None, client, now).await? {
        Arrival::Session(_, secret) => Ok(Finished {
            redirect_to: arrival.redirect_url,
            base_url: app.config.public_url.clone(),
            signed_in: Some((browser.client, secret)),
        }),
        Arrival::Refused(refusal) => Err(refusal),
    })
}

async fn arrive(
    tx: &mut Tx,
    app: &App,
    client: &mut Client,
    request: &SamlRequest,
    profile: &SsoProfile,
    now: Millis,
) -> Result<Finished, FlowError> {
    let sign_up = match &request.attempt {
        AttemptId::SignUp(id) => sign_ups::by_id(tx, id).await?,
        AttemptId::SignIn(_) => None,
    };
    if sign_up.is_some() && complete::is_known(tx, &request.connection_id, profile).await? {
        return transferable(tx, request, profile, now).await;
    }
    match complete::arrive(tx, app, &request.connection_id, profile, sign_up.as_ref(), client, now).await? {
        Arrival::Session(session, secret) => {
            succeed(tx, request, &session, now).await?;
            Ok(Finished {
                redirect_to: request.action_complete_redirect_url.clone(),
                base_url: request.base_url.clone(),
                signed_in: Some((client.clone(), secret)),
            })
        }
        Arrival::Refused(refusal) => fail(tx, request, sso_error(&refusal), now).await,
    }
}

async fn succeed(tx: &mut Tx, request: &SamlRequest, session: &Session, now: Millis) -> Result<(), FlowError> {
    let verification = complete::verified(&request.connection_id, now);
    match &request.attempt {
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
    request: &SamlRequest,
    profile: &SsoProfile,
    now: Millis,
) -> Result<Finished, FlowError> {
    let verification = Verification {
        status: VerificationStatus::Transferable,
        connection_id: request.connection_id.clone(),
        external_verification_redirect_url: None,
        error: Some(sso_error(&Refusal::AccountExists)),
        expire_at: now + TRANSFER_LIFETIME,
        attempts: 1,
        transfer_profile: Some(profile.clone()),
    };
    save_verification(tx, request, verification, now).await?;
    Ok(go_on(request))
}

/// Keeps the failure on the attempt; the browser goes back to the application all the same (DEC-17).
async fn fail(tx: &mut Tx, request: &SamlRequest, error: SsoError, now: Millis) -> Result<Finished, FlowError> {
    let verification = Verification {
        status: VerificationStatus::Failed,
        connection_id: request.connection_id.clone(),
        external_verification_redirect_url: None,
        error: Some(error),
        expire_at: now,
        attempts: 1,
        transfer_profile: None,
    };
    save_verification(tx, request, verification, now).await?;
    Ok(go_on(request))
}

/// Back to the application, where more is to be done.
fn go_on(request: &SamlRequest) -> Finished {
    Finished { redirect_to: request.redirect_url.clone(), base_url: request.base_url.clone(), signed_in: None }
}

async fn save_verification(
    tx: &mut Tx,
    request: &SamlRequest,
    verification: Verification,
    now: Millis,
) -> Result<(), FlowError> {
    match &request.attempt {
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
