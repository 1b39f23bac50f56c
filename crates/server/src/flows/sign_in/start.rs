//! Begins a sign-in: which connection an address uses, and the trip there (DEC-4 … DEC-8, DEC-14, DEC-24).

use crate::app::App;
use crate::flows::clients::{self as browsers, Browser, ClientCookie};
use crate::flows::sign_in::complete::{self, Arrival, Entrance};
use crate::flows::sign_in::oidc_trip::{self, Ahead};
use crate::flows::sign_in::trip::{self, Traveller, TripUrls};
use crate::flows::{FlowError, Refusal};
use doorward_model::{
    AttemptId, Client, Email, EnterpriseConnection, EnterpriseConnectionId, Millis, Protocol, Session, SignIn,
    SignInId, SignInStatus, VerificationStatus,
};
use doorward_rules::sign_in_route::{Route, route};
use doorward_store::{Tx, enterprise_accounts, enterprise_connections, sign_ins, sign_ups, users, write_tx};

/// An attempt is abandoned after a day (DEC-29).
pub const ATTEMPT_LIFETIME: Millis = 24 * 60 * 60 * 1000;

/// How the caller wants to prove who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// `enterprise_sso`, or its alias `saml` (DEC-30).
    EnterpriseSso,
    /// Anything this instance does not offer.
    Other,
}

/// What a sign-in is created with.
#[derive(Clone, Debug, Default)]
pub struct NewSignIn {
    pub identifier: Option<String>,
    pub strategy: Option<Strategy>,
    pub has_password: bool,
    /// Continue a sign-up that found an existing account (DEC-15).
    pub transfer: bool,
    pub enterprise_connection_id: Option<EnterpriseConnectionId>,
    pub urls: Option<TripUrls>,
    pub oidc_prompt: Option<String>,
}

/// A sign-in with what is known around it.
#[derive(Clone, Debug)]
pub struct Started {
    pub browser: Browser,
    pub sign_in: SignIn,
    /// The connections that serve its address.
    pub connections: Vec<EnterpriseConnection>,
}

/// Creates a sign-in for the browser, which is made if the cookie is of none.
pub async fn create(app: &App, cookie: Option<&ClientCookie>, new: &NewSignIn) -> Result<Started, FlowError> {
    let now = app.now();
    let email = match &new.identifier {
        Some(text) => Some(parse_identifier(app, text).await?),
        None => None,
    };
    let begins_a_trip = !new.transfer && new.strategy == Some(Strategy::EnterpriseSso) && new.urls.is_some();
    let ahead = match begins_a_trip {
        true => oidc_trip::look_ahead(app, email.as_ref(), new.enterprise_connection_id.as_ref()).await?,
        false => None,
    };
    write_tx!(app.store, FlowError, |tx| {
        let browser = browsers::find_or_make(tx, cookie, app, now).await?;
        if new.transfer {
            return transfer(tx, app, browser, now).await;
        }
        create_in(tx, app, browser, (email.clone(), ahead.as_ref()), new, now).await
    })
}

/// An address, or the refusal for anything else: a username of an account with SSO is told to use its address.
async fn parse_identifier(app: &App, text: &str) -> Result<Email, FlowError> {
    if let Ok(email) = Email::parse(text) {
        return Ok(email);
    }
    if text.contains('@') {
        return Err(Refusal::ParamFormat {
            param: "identifier".into(),
            reason: "must be a valid email address".into(),
        }
        .into());
    }
    let mut tx = app.store.read().await?;
    if let Some(user) = users::by_username(&mut tx, text).await?
        && !enterprise_accounts::of_user(&mut tx, &user.id).await?.is_empty()
    {
        return Err(Refusal::MustUseEnterpriseIdentifier.into());
    }
    Err(Refusal::IdentifierNotFound { param: "identifier" }.into())
}

async fn create_in(
    tx: &mut Tx,
    app: &App,
    mut browser: Browser,
    (email, ahead): (Option<Email>, Option<&Ahead>),
    new: &NewSignIn,
    now: Millis,
) -> Result<Started, FlowError> {
    let connections = match &email {
        Some(email) => trip::connections_for(tx, email).await?,
        None => Vec::new(),
    };
    let id = SignInId::generate(now, &*app.random);
    browser.client.sign_in_id = Some(id.clone());
    browser.client.updated_at = now;
    browsers::save(tx, &browser).await?;
    let mut sign_in = SignIn {
        id,
        client_id: browser.client.id.clone(),
        status: if email.is_some() { SignInStatus::NeedsFirstFactor } else { SignInStatus::NeedsIdentifier },
        identifier: email.clone(),
        verification: None,
        created_session_id: None,
        abandon_at: now + ATTEMPT_LIFETIME,
        created_at: now,
        updated_at: now,
    };
    if let Some(email) = &email {
        let found = route(email, &connections);
        check_strategy(tx, email, &found, new).await?;
        if let Some(session) = signed_in_as(tx, &browser.client, email, now).await? {
            return Err(Refusal::AlreadySignedIn { session_id: session.id.to_string() }.into());
        }
        if let (Some(Strategy::EnterpriseSso), Some(urls)) = (new.strategy, &new.urls) {
            let connection =
                trip::choose(&found, new.enterprise_connection_id.as_ref(), Refusal::SignInConnectionMissing)?;
            let traveller = Traveller {
                attempt: AttemptId::SignIn(sign_in.id.clone()),
                client_id: &browser.client.id,
                email,
                prompt: new.oidc_prompt.as_deref(),
            };
            sign_in.verification = Some(trip::begin(tx, app, connection, traveller, ahead, urls, now).await?);
        }
    } else if new.strategy.is_some() || new.has_password {
        return Err(Refusal::ParamMissing { param: "identifier" }.into());
    }
    sign_ins::insert(tx, &sign_in).await?;
    Ok(Started { browser, sign_in, connections })
}

/// On an SSO domain only SSO is left, for strangers as for users, so that the answer tells nobody who has an account
/// . Elsewhere an account must exist.
async fn check_strategy(tx: &mut Tx, email: &Email, found: &Route<'_>, new: &NewSignIn) -> Result<(), FlowError> {
    if new.has_password || new.strategy == Some(Strategy::Other) {
        return Err(Refusal::StrategyInvalid.into());
    }
    if *found != Route::NoConnection {
        return Ok(());
    }
    if new.strategy == Some(Strategy::EnterpriseSso) {
        return Err(Refusal::SignInConnectionMissing.into());
    }
    let addresses = users::addresses_named(tx, email).await?;
    if addresses.iter().any(|address| address.verification.is_verified()) {
        return Ok(());
    }
    Err(Refusal::IdentifierNotFound { param: "identifier" }.into())
}

/// The browser's active session of the address's owner, if there is one (DEC-24).
pub async fn signed_in_as(
    tx: &mut Tx,
    client: &Client,
    email: &Email,
    now: Millis,
) -> Result<Option<Session>, FlowError> {
    let active = browsers::active_sessions(tx, client, now).await?;
    if active.is_empty() {
        return Ok(None);
    }
    let addresses = users::addresses_named(tx, email).await?;
    let owner = addresses.into_iter().find(|address| address.verification.is_verified());
    Ok(owner.and_then(|owner| active.into_iter().find(|session| session.user_id == owner.user_id)))
}

/// Loads a sign-in of this browser that is still open.
pub async fn open(tx: &mut Tx, client: &Client, id: &SignInId, now: Millis) -> Result<SignIn, FlowError> {
    let sign_in = get(tx, client, id).await?;
    if sign_in.status == SignInStatus::Complete || now >= sign_in.abandon_at {
        return Err(Refusal::NotFound { what: "sign in", id: id.to_string() }.into());
    }
    Ok(sign_in)
}

/// Loads a sign-in of this browser; another browser's does not exist for it (DEC-29).
pub async fn get(tx: &mut Tx, client: &Client, id: &SignInId) -> Result<SignIn, FlowError> {
    let found = sign_ins::by_id(tx, id).await?.filter(|sign_in| sign_in.client_id == client.id);
    found.ok_or_else(|| Refusal::NotFound { what: "sign in", id: id.as_str().chars().take(100).collect() }.into())
}

/// Prepares the trip of an existing sign-in (DEC-7). Preparing again begins another trip.
pub async fn prepare(
    app: &App,
    cookie: Option<&ClientCookie>,
    id: &SignInId,
    connection_id: Option<&EnterpriseConnectionId>,
    (urls, prompt): (&TripUrls, Option<&str>),
) -> Result<Started, FlowError> {
    let now = app.now();
    let email = identifier_of(app, cookie, id, now).await?;
    let ahead = oidc_trip::look_ahead(app, email.as_ref(), connection_id).await?;
    write_tx!(app.store, FlowError, |tx| {
        let client = browsers::find(tx, cookie).await?.ok_or(Refusal::SignedOut)?;
        let mut sign_in = open(tx, &client, id, now).await?;
        let email = sign_in.identifier.clone().ok_or(Refusal::ParamMissing { param: "identifier" })?;
        let connections = trip::connections_for(tx, &email).await?;
        let connection = trip::choose(&route(&email, &connections), connection_id, Refusal::SignInConnectionMissing)?;
        let attempt = AttemptId::SignIn(id.clone());
        let traveller = Traveller { attempt, client_id: &client.id, email: &email, prompt };
        let verification = trip::begin(tx, app, connection, traveller, ahead.as_ref(), urls, now).await?;
        sign_in.verification = Some(verification);
        sign_in.updated_at = now;
        sign_ins::update(tx, &sign_in).await?;
        Ok(Started { browser: Browser { client, new_secret: None }, sign_in, connections })
    })
}

/// The address of a sign-in of this browser that is still open.
async fn identifier_of(
    app: &App,
    cookie: Option<&ClientCookie>,
    id: &SignInId,
    now: Millis,
) -> Result<Option<Email>, FlowError> {
    let mut tx = app.store.read().await?;
    let client = browsers::find(&mut tx, cookie).await?.ok_or(Refusal::SignedOut)?;
    Ok(open(&mut tx, &client, id, now).await?.identifier)
}

/// Turns the browser's sign-up, whose person turned out to have an account, into a completed sign-in (DEC-15).
async fn transfer(tx: &mut Tx, app: &App, mut browser: Browser, now: Millis) -> Result<Started, FlowError> {
    let invalid = || FlowError::from(Refusal::TransferInvalid);
    let sign_up_id = browser.client.sign_up_id.clone().ok_or_else(invalid)?;
    let mut sign_up = sign_ups::by_id(tx, &sign_up_id).await?.ok_or_else(invalid)?;
    let mut verification = sign_up.verification.clone().ok_or_else(invalid)?;
    if verification.status != VerificationStatus::Transferable || now >= verification.expire_at {
        return Err(invalid());
    }
    // The verified profile serves once.
    let profile = verification.transfer_profile.take().ok_or_else(invalid)?;
    let connection_id = verification.connection_id.clone();
    verification.status = VerificationStatus::Expired;
    sign_up.verification = Some(verification);
    sign_up.updated_at = now;
    sign_ups::update(tx, &sign_up).await?;
    let mut sign_in = SignIn {
        id: SignInId::generate(now, &*app.random),
        client_id: browser.client.id.clone(),
        status: SignInStatus::NeedsFirstFactor,
        identifier: Some(profile.email_address.clone()),
        verification: None,
        created_session_id: None,
        abandon_at: now + ATTEMPT_LIFETIME,
        created_at: now,
        updated_at: now,
    };
    let arrived =
        complete::arrive(tx, app, &connection_id, &profile, Entrance::PLAIN, &mut browser.client, now).await?;
    let Arrival::Session(session, secret) = arrived else {
        let connection = enterprise_connections::by_id(tx, &connection_id).await?;
        let protocol = connection.map_or(Protocol::Saml, |connection| connection.provider.protocol());
        return Err(arrived.into_refusal().in_words_of(protocol).into());
    };
    sign_in.status = SignInStatus::Complete;
    sign_in.created_session_id = Some(session.id.clone());
    sign_in.verification = Some(complete::verified(&connection_id, now));
    sign_ins::insert(tx, &sign_in).await?;
    browser.new_secret = Some(secret);
    Ok(Started { browser, sign_in, connections: Vec::new() })
}
