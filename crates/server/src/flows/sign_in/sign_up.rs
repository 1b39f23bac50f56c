//! Sign-ups. New accounts are made only through a connection: the instance is restricted (DEC-10, DEC-11, DEC-23).

use crate::app::App;
use crate::flows::clients::{self as browsers, Browser, ClientCookie};
use crate::flows::sign_in::oidc_trip::{self, Ahead, Halt};
use crate::flows::sign_in::start::{ATTEMPT_LIFETIME, Strategy, signed_in_as};
use crate::flows::sign_in::trip::{self, Traveller, TripUrls};
use crate::flows::{FlowError, Refusal};
use doorward_model::{
    AttemptId, Client, Email, EnterpriseConnectionId, JsonMap, Millis, SignUp, SignUpId, SignUpStatus,
};
use doorward_rules::sign_in_route::{Route, route};
use doorward_store::{Tx, sign_ups, write_tx};

/// What a sign-up is created or updated with; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct SignUpChange {
    pub email_address: Option<Email>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub unsafe_metadata: Option<JsonMap>,
    pub strategy: Option<Strategy>,
    pub has_password: bool,
    pub enterprise_connection_id: Option<EnterpriseConnectionId>,
    pub urls: Option<TripUrls>,
    pub oidc_prompt: Option<String>,
}

/// A sign-up with what is known around it.
#[derive(Clone, Debug)]
pub struct Started {
    pub browser: Browser,
    pub sign_up: SignUp,
}

/// Creates a sign-up for the browser, which is made if the cookie is of none.
pub async fn create(app: &App, cookie: Option<&ClientCookie>, change: &SignUpChange) -> Result<Started, FlowError> {
    let now = app.now();
    let mut ahead = None;
    loop {
        let ended = write_tx!(app.store, Halt, |tx| {
            let mut browser = browsers::find_or_make(tx, cookie, app, now).await?;
            let id = SignUpId::generate(now, &*app.random);
            browser.client.sign_up_id = Some(id.clone());
            browser.client.updated_at = now;
            browsers::save(tx, &browser).await?;
            let mut sign_up = SignUp {
                id,
                client_id: browser.client.id.clone(),
                status: SignUpStatus::MissingRequirements,
                email_address: None,
                first_name: None,
                last_name: None,
                unsafe_metadata: JsonMap::new(),
                verification: None,
                created_session_id: None,
                created_user_id: None,
                abandon_at: now + ATTEMPT_LIFETIME,
                created_at: now,
                updated_at: now,
            };
            apply(tx, app, &browser.client, &mut sign_up, (change, ahead.as_ref()), now).await?;
            sign_ups::insert(tx, &sign_up).await?;
            Ok(Started { browser, sign_up })
        });
        if let Some(started) = oidc_trip::ended(app, ended, &mut ahead).await? {
            return Ok(started);
        }
    }
}

/// Changes a sign-up of this browser that is still open.
pub async fn update(
    app: &App,
    cookie: Option<&ClientCookie>,
    id: &SignUpId,
    change: &SignUpChange,
) -> Result<Started, FlowError> {
    let now = app.now();
    let mut ahead = None;
    loop {
        let ended = write_tx!(app.store, Halt, |tx| {
            let (client, mut sign_up) = open(tx, cookie, id, now).await?;
            apply(tx, app, &client, &mut sign_up, (change, ahead.as_ref()), now).await?;
            sign_up.updated_at = now;
            sign_ups::update(tx, &sign_up).await?;
            Ok(Started { browser: Browser { client, new_secret: None }, sign_up })
        });
        if let Some(started) = oidc_trip::ended(app, ended, &mut ahead).await? {
            return Ok(started);
        }
    }
}

/// Loads a sign-up of this browser that is still open.
async fn open(
    tx: &mut Tx,
    cookie: Option<&ClientCookie>,
    id: &SignUpId,
    now: Millis,
) -> Result<(Client, SignUp), FlowError> {
    let client = browsers::find(tx, cookie).await?.ok_or(Refusal::SignedOut)?;
    let sign_up = get(tx, &client, id).await?;
    if sign_up.status == SignUpStatus::Complete || now >= sign_up.abandon_at {
        return Err(Refusal::NotFound { what: "sign up", id: id.to_string() }.into());
    }
    Ok((client, sign_up))
}

/// Loads a sign-up of this browser; another browser's does not exist for it.
pub async fn get(tx: &mut Tx, client: &Client, id: &SignUpId) -> Result<SignUp, FlowError> {
    let found = sign_ups::by_id(tx, id).await?.filter(|sign_up| sign_up.client_id == client.id);
    found.ok_or_else(|| Refusal::NotFound { what: "sign up", id: id.as_str().chars().take(100).collect() }.into())
}

async fn apply(
    tx: &mut Tx,
    app: &App,
    client: &Client,
    sign_up: &mut SignUp,
    (change, ahead): (&SignUpChange, Option<&Ahead>),
    now: Millis,
) -> Result<(), Halt> {
    if change.has_password || change.strategy == Some(Strategy::Other) {
        return Err(Refusal::SignUpRestricted.into());
    }
    if let Some(email) = &change.email_address {
        // Another address makes an earlier trip meaningless.
        if sign_up.email_address.as_ref() != Some(email) {
            sign_up.verification = None;
        }
        sign_up.email_address = Some(email.clone());
    }
    sign_up.first_name = change.first_name.clone().or(sign_up.first_name.take());
    sign_up.last_name = change.last_name.clone().or(sign_up.last_name.take());
    if let Some(metadata) = &change.unsafe_metadata {
        sign_up.unsafe_metadata.clone_from(metadata);
    }
    let Some(email) = sign_up.email_address.clone() else {
        return match change.strategy {
            Some(_) => Err(Refusal::ParamMissing { param: "email_address" }.into()),
            None => Ok(()),
        };
    };
    let connections = trip::connections_for(tx, &email).await?;
    let found = route(&email, &connections);
    if found == Route::NoConnection {
        let wanted_sso = change.strategy == Some(Strategy::EnterpriseSso);
        return Err(if wanted_sso { Refusal::SignUpConnectionMissing } else { Refusal::SignUpRestricted }.into());
    }
    if let Some(session) = signed_in_as(tx, client, &email, now).await? {
        return Err(Refusal::AlreadySignedIn { session_id: session.id.to_string() }.into());
    }
    if let (Some(Strategy::EnterpriseSso), Some(urls)) = (change.strategy, &change.urls) {
        let connection =
            trip::choose(&found, change.enterprise_connection_id.as_ref(), Refusal::SignUpConnectionMissing)?;
        let attempt = AttemptId::SignUp(sign_up.id.clone());
        let prompt = change.oidc_prompt.as_deref();
        let traveller = Traveller { attempt, client_id: &client.id, email: &email, prompt };
        sign_up.verification = Some(trip::begin(tx, app, connection, traveller, ahead, urls, now).await?);
    }
    Ok(())
}
