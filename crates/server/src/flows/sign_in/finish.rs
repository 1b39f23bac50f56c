//! The browser that began a SAML trip collects its outcome.

use crate::app::App;
use crate::flows::clients::{self as browsers, ClientCookie};
use crate::flows::sign_in::complete::{self, Arrival, Entrance};
use crate::flows::sign_in::outcome::{self, Finished, Journey};
use crate::flows::{FlowError, Refusal};
use crate::random::sha256_hex;
use doorward_model::Millis;
use doorward_store::{Tx, enterprise_connections, saml_requests, unsolicited_arrivals, write_tx};

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
        let found = request.outcome.clone().ok_or_else(|| complete::missing("the outcome of a trip"))?;
        outcome::apply(tx, app, &mut client, (&Journey::from(request), None), &found, now).await.map(Ok)
    })?;
    let finished = finished?;
    finished.log();
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
    Ok(
        match complete::arrive(tx, app, &arrival.connection_id, &arrival.profile, Entrance::PLAIN, client, now).await? {
            Arrival::Session(_, secret) => Ok(Finished {
                redirect_to: arrival.redirect_url,
                base_url: app.config.public_url.clone(),
                signed_in: Some((browser.client, secret)),
            }),
            arrival => Err(arrival.into_refusal()),
        },
    )
}
