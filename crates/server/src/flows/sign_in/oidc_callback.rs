//! A browser comes back from an OpenID Connect provider (OID-1, OID-11; DECISIONS "Wire" 4, 5).
//!
//! It comes by a navigation of its own, so its cookie is there and no second step is needed. The state is used up before the
//! network is asked, and what came of it is applied in a second transaction.

use crate::app::App;
use crate::flows::clients::{self as browsers, ClientCookie};
use crate::flows::sign_in::complete::trust_sha256;
use crate::flows::sign_in::oidc_identity::profile_of;
use crate::flows::sign_in::oidc_trip::Ahead;
use crate::flows::sign_in::outcome::{self, Finished, Journey};
use crate::flows::{FlowError, Refusal};
use crate::http::error_table::sso_error;
use crate::random::sha256_hex;
use doorward_model::{ClientId, EnterpriseConnection, Millis, OidcRequest, SsoOutcome, SsoProfile};
use doorward_oidc::{Callback, CallbackError};
use doorward_rules::oidc_trip::{self as rules, Facts, Return, Standing, came_back, standing};
use doorward_store::{Tx, clients, enterprise_connections, oidc_requests, write_tx};

/// Where the browser goes next.
#[derive(Debug)]
pub enum Next {
    /// To the application.
    Finished(Box<Finished>),
    /// To our other address, under which it began, with the same query.
    Elsewhere { base_url: String },
}

/// A trip that is over, and the connection if the code may be sent to its provider.
struct Taken {
    trip: OidcRequest,
    client_id: ClientId,
    connection: Result<EnterpriseConnection, Refusal>,
}

/// Set when the browser was sent from one of our addresses to another, which happens once.
pub const MOVED: &str = "moved";

/// Takes what a browser brings. An error means that it fits no sign-in of this browser; every other failure is stored on the
/// sign-in.
pub async fn receive(
    app: &App,
    address: &rules::Callback,
    query: &str,
    cookie: Option<&ClientCookie>,
    base_url: &str,
) -> Result<Next, FlowError> {
    let now = app.now();
    let callback = Callback::parse_query(query);
    let state = match &callback {
        Ok(callback) => Some(callback.state().to_owned()),
        // What is wrong with the rest is a matter between the sign-in and its provider.
        Err(_) => only_state(query),
    };
    let state_sha256 = match (&state, &callback) {
        (Some(state), _) => sha256_hex(state),
        (None, Err(error)) => return Err(unusable(error).into()),
        (None, Ok(_)) => return Err(unknown_state().into()),
    };
    // Anybody may send states that never were; they are no reason to write.
    if oidc_requests::by_state(&mut app.store.read().await?, &state_sha256).await?.is_none() {
        return Err(unknown_state().into());
    }
    let has_moved = url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == MOVED);
    let came = Came { address, state_sha256: &state_sha256, cookie, base_url: (!has_moved).then_some(base_url) };
    let taken = write_tx!(app.store, FlowError, |tx| { take(tx, app, came, now).await })?;
    let Taken { trip, client_id, connection } = match taken {
        Ok(taken) => taken,
        Err(base_url) => return Ok(Next::Elsewhere { base_url }),
    };
    let (outcome, ahead) = match (connection, callback) {
        (Err(refusal), _) => (failed(&refusal), None),
        (_, Err(error)) => (failed(&unusable(&error)), None),
        (Ok(connection), Ok(callback)) => match profile_of(app, &connection, &trip, &callback).await? {
            Ok(profile) => {
                let ahead = look_ahead(app, &connection, &profile).await?;
                (SsoOutcome::Verified(profile), ahead)
            }
            Err(refusal) => (failed(&refusal), None),
        },
    };
    let (journey, now) = (Journey::from(trip), app.now());
    let finished = write_tx!(app.store, FlowError, |tx| {
        let mut client = clients::by_id(tx, &client_id).await?.ok_or_else(other_browser)?;
        outcome::apply(tx, app, &mut client, (&journey, ahead.as_ref()), &outcome, now).await
    })?;
    finished.log();
    Ok(Next::Finished(Box::new(finished)))
}

/// Fetches what another trip would need, if this one came without the refresh token that it was made for.
async fn look_ahead(
    app: &App,
    connection: &EnterpriseConnection,
    profile: &SsoProfile,
) -> Result<Option<Ahead>, FlowError> {
    let lacks_token = profile.easie.as_ref().is_some_and(|proof| proof.encrypted_refresh_token.is_none());
    match connection.oidc.as_ref().filter(|_| lacks_token) {
        Some(oidc) => Ahead::of(app, connection, oidc).await.map(Some),
        None => Ok(None),
    }
}

#[derive(Clone, Copy)]
struct Came<'a> {
    /// Which address it came to.
    address: &'a rules::Callback,
    state_sha256: &'a str,
    cookie: Option<&'a ClientCookie>,
    /// Where it came to; `None` if it was sent there by us.
    base_url: Option<&'a str>,
}

/// Ends the trip, if this is the browser that began it; else the address under which that browser knows us.
async fn take(tx: &mut Tx, app: &App, came: Came<'_>, now: Millis) -> Result<Result<Taken, String>, FlowError> {
    let trip = oidc_requests::by_state(tx, came.state_sha256).await?;
    let connection = match &trip {
        Some(trip) => enterprise_connections::by_id(tx, &trip.connection_id).await?,
        None => None,
    };
    let client = browsers::find(tx, came.cookie).await?;
    let browser = client.as_ref().map(|client| &client.id);
    match came_back(Facts {
        trip: trip.as_ref(),
        connection: connection.as_ref(),
        callback: came.address,
        browser,
        base_url: came.base_url,
        now,
    }) {
        Return::Own => {}
        Return::ElsewhereKnown(base_url) => return Ok(Err(base_url)),
        Return::UnknownState => return Err(unknown_state().into()),
        Return::OtherBrowser => return Err(other_browser().into()),
    }
    let trip = oidc_requests::take(tx, came.state_sha256).await?.ok_or_else(unknown_state)?;
    let trust_sha256 = connection.as_ref().map(|found| trust_sha256(&app.config, found)).unwrap_or_default();
    let is_easie = connection.as_ref().is_some_and(|connection| connection.provider.easie().is_some());
    let connection = match (standing(connection.as_ref(), &trip, &trust_sha256), connection) {
        (Standing::Good, Some(connection)) => Ok(connection),
        (Standing::Changed, _) => Err(Refusal::OauthCallbackInvalid {
            reason: "The connection was changed meanwhile; sign in again.".to_owned(),
        }),
        (Standing::Inactive | Standing::Good, _) if is_easie => {
            Err(Refusal::EasieNotEnabled { id: trip.connection_id.to_string() })
        }
        (Standing::Inactive | Standing::Good, _) => {
            Err(Refusal::OauthNotEnabled { id: trip.connection_id.to_string() })
        }
    };
    Ok(Ok(Taken { client_id: trip.client_id.clone(), trip, connection }))
}

/// The state of a query that is otherwise of no use, if there is exactly one.
fn only_state(query: &str) -> Option<String> {
    let mut states = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "state");
    let (_, state) = states.next()?;
    states.next().is_none().then(|| state.into_owned())
}

fn unusable(error: &CallbackError) -> Refusal {
    Refusal::OauthCallbackInvalid { reason: format!("{error}.") }
}

fn unknown_state() -> Refusal {
    let reason = "The sign-in it belongs to is unknown, has run out of time, or has had its answer already.".to_owned();
    Refusal::OauthCallbackInvalid { reason }
}

fn other_browser() -> Refusal {
    let reason =
        "This sign-in began in another browser, or its cookies are gone. Start again in this browser.".to_owned();
    Refusal::OauthCallbackInvalid { reason }
}

fn failed(refusal: &Refusal) -> SsoOutcome {
    SsoOutcome::Failed(sso_error(refusal))
}
