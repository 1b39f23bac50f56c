//! The browser behind a cookie.

use crate::app::App;
use crate::flows::FlowError;
use crate::random::{sha256_hex, token};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use doorward_model::{Client, ClientId, Millis, Session, SessionStatus};
use doorward_store::{StoreError, Tx, clients, sessions, write_tx};

/// What a cookie claims; believed only after [`find`].
#[derive(Clone, Debug)]
pub struct ClientCookie {
    pub id: ClientId,
    pub secret: String,
}

/// A browser, and the new secret it must be given if it got one: when it is new, or when somebody signed in.
#[derive(Clone, Debug)]
pub struct Browser {
    pub client: Client,
    pub new_secret: Option<String>,
}

/// The browser a cookie belongs to. A wrong secret is the same as no cookie.
pub async fn find(tx: &mut Tx, cookie: Option<&ClientCookie>) -> Result<Option<Client>, StoreError> {
    let Some(cookie) = cookie else { return Ok(None) };
    let client = clients::by_id(tx, &cookie.id).await?;
    Ok(client.filter(|client| secret_matches(&cookie.secret, &client.token_sha256)))
}

/// Compares without telling by its duration how much matched.
pub fn secret_matches(secret: &str, sha256: &str) -> bool {
    verify_slices_are_equal(sha256_hex(secret).as_bytes(), sha256.as_bytes()).is_ok()
}

/// The browser a cookie belongs to, or a new one, which [`save`] is to store.
pub async fn find_or_make(
    tx: &mut Tx,
    cookie: Option<&ClientCookie>,
    app: &App,
    now: Millis,
) -> Result<Browser, StoreError> {
    if let Some(client) = find(tx, cookie).await? {
        return Ok(Browser { client, new_secret: None });
    }
    let secret = token(&*app.random);
    let client = Client {
        id: ClientId::generate(now, &*app.random),
        token_sha256: sha256_hex(&secret),
        last_active_session_id: None,
        sign_in_id: None,
        sign_up_id: None,
        last_authentication_strategy: None,
        created_at: now,
        updated_at: now,
    };
    Ok(Browser { client, new_secret: Some(secret) })
}

/// Stores a browser that [`find_or_make`] answered.
pub async fn save(tx: &mut Tx, browser: &Browser) -> Result<(), StoreError> {
    match &browser.new_secret {
        Some(_) => clients::insert(tx, &browser.client).await,
        None => clients::update(tx, &browser.client).await,
    }
}

/// The browser's active sessions, oldest first. A browser with none in focus has none: what begins a session puts it in
/// focus, and what ends that one puts another in its place.
pub async fn active_sessions(tx: &mut Tx, client: &Client, now: Millis) -> Result<Vec<Session>, StoreError> {
    if client.last_active_session_id.is_none() {
        return Ok(Vec::new());
    }
    let of_client = sessions::of_client(tx, &client.id).await?;
    Ok(of_client.into_iter().filter(|session| session.status_at(now) == SessionStatus::Active).collect())
}

/// Gives the browser a new secret, so that a cookie from before a sign-in is worth nothing after it (session fixation).
pub fn rotate(client: &mut Client, app: &App) -> String {
    let secret = token(&*app.random);
    client.token_sha256 = sha256_hex(&secret);
    secret
}

/// The browser a cookie belongs to, or a new one, in a transaction of its own.
pub async fn ensure(app: &App, cookie: Option<&ClientCookie>) -> Result<Browser, FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| {
        let browser = find_or_make(tx, cookie, app, now).await?;
        if browser.new_secret.is_some() {
            save(tx, &browser).await?;
        }
        Ok(browser)
    })
}
