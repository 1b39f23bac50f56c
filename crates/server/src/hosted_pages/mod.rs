//! Pages for applications without any SDK: sign in, sign out. Server-rendered, without a script.
//!
//! They call the same flows as the Frontend API. A form is accepted only from our own pages (the `Origin` check of every
//! mutation), so no other site can sign a browser in or out.

use crate::app::App;
use crate::backend_api::wire::user::UserView;
use crate::flows::sign_in::start::{self, NewSignIn, Strategy};
use crate::flows::sign_in::trip::TripUrls;
use crate::flows::{FlowError, Refusal, browser_sessions, clients as browsers, redirects};
use crate::frontend_api::visit::{address, cookie};
use crate::http::cookies::{self, Site};
use crate::http::params::read_body;
use crate::http::{ApiError, Params, Query, origin, trace};
use crate::pages::{render, see_other};
use askama::Template;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use axum::routing::get;
use doorward_model::{Client, EnterpriseConnection, VerificationStatus};
use doorward_rules::sign_in_route::route;
use doorward_store::{Tx, sign_ins, users};
use std::sync::Arc;

/// The pages.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(async || see_other("/sign-in")))
        .route("/sign-in", get(show_sign_in).post(sign_in))
        .route("/sign-in/callback", get(callback))
        .route("/sign-out", get(show_signed_out).post(sign_out))
        .route("/assets/style.css", get(crate::pages::style))
        .route("/assets/continue.js", get(crate::pages::continue_script))
        .with_state(app)
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    identifier: &'a str,
    redirect_url: &'a str,
    error: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "choose_connection.html")]
struct ChooseConnectionPage<'a> {
    identifier: &'a str,
    redirect_url: &'a str,
    connections: Vec<&'a EnterpriseConnection>,
    back: String,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    sentence: &'a str,
    code: &'a str,
    trace_id: &'a str,
    again: Option<&'a str>,
}

struct Person {
    name: String,
    identifier: String,
}

#[derive(Template)]
#[template(path = "signed_in.html")]
struct SignedInPage<'a> {
    people: Vec<Person>,
    redirect_url: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOutPage;

/// A failure as a page, for a person whose browser ended up here.
pub fn error_page(error: &ApiError) -> Response {
    let (sentence, code) = match error.first() {
        Some(entry) => (entry.long_message.as_str(), entry.code),
        None => ("Something went wrong on our side.", "internal_error"),
    };
    let page = ErrorPage { sentence, code, trace_id: &trace::current(), again: Some("/sign-in") };
    error.with_headers(render(error.status(), &page))
}

fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn own_site(app: &App) -> Site {
    Site { is_https: app.config.is_https(), is_proxied: false }
}

/// Where to go after signing in: the wanted URL if it is allowed; an empty one stays here.
async fn checked_redirect(app: &App, wanted: &str) -> Result<Option<String>, FlowError> {
    if wanted.is_empty() {
        return Ok(None);
    }
    redirects::allowed(app, wanted, &app.config.public_url).await?;
    Ok(Some(wanted.to_owned()))
}

/// The form, or the way on for a browser that is signed in.
async fn show_sign_in(State(app): State<Arc<App>>, query: Query, headers: HeaderMap) -> Response {
    match try_show_sign_in(&app, &query, &headers).await {
        Ok(response) => response,
        Err(error) => error_page(&error),
    }
}

async fn try_show_sign_in(app: &App, query: &Query, headers: &HeaderMap) -> Result<Response, ApiError> {
    let wanted = query.text("redirect_url").unwrap_or_default();
    let redirect_url = checked_redirect(app, wanted).await?;
    let mut tx = app.store.read().await?;
    let people = match browsers::find(&mut tx, cookie(headers).as_ref()).await? {
        Some(client) => signed_in_people(app, &mut tx, &client).await?,
        None => Vec::new(),
    };
    Ok(match (people.is_empty(), redirect_url) {
        (true, _) => {
            let identifier = query.text("login_hint").unwrap_or_default();
            render(StatusCode::OK, &SignInPage { identifier, redirect_url: wanted, error: None })
        }
        (false, Some(redirect_url)) => see_other(&redirect_url),
        (false, None) => render(StatusCode::OK, &SignedInPage { people, redirect_url: None }),
    })
}

async fn signed_in_people(app: &App, tx: &mut Tx, client: &Client) -> Result<Vec<Person>, ApiError> {
    let mut people = Vec::new();
    for session in browsers::active_sessions(tx, client, app.now()).await? {
        let Some(user) = users::by_id(tx, &session.user_id).await? else { continue };
        let names = [user.first_name.as_deref(), user.last_name.as_deref()];
        let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let identifier = UserView::load(tx, user).await?.identifier().to_owned();
        people.push(Person { name: if name.is_empty() { identifier.clone() } else { name }, identifier });
    }
    Ok(people)
}

/// The form was sent: on to the identity provider, or the form again with a sentence.
async fn sign_in(State(app): State<Arc<App>>, request: Request) -> Response {
    match try_sign_in(&app, request).await {
        Ok(response) => response,
        Err(error) => error_page(&error),
    }
}

async fn try_sign_in(app: &Arc<App>, request: Request) -> Result<Response, ApiError> {
    origin::identify(app, &Method::POST, request.headers()).await?;
    let (address, cookie) = (address(app, &request), cookie(request.headers()));
    let params = Params::from_form(&read_body(request).await?);
    let identifier = params.text("identifier")?.value().unwrap_or_default();
    let wanted = params.long_text("redirect_url", 4096)?.value().unwrap_or_default();
    let redirect_url = checked_redirect(app, &wanted).await?;
    app.rate_limits.attempt(address, Some(&identifier))?;
    let base_url = app.config.public_url.clone();
    let new = NewSignIn {
        identifier: Some(identifier.clone()),
        strategy: Some(Strategy::EnterpriseSso),
        enterprise_connection_id: crate::frontend_api::chosen_connection(&params)?,
        urls: Some(TripUrls {
            redirect_url: format!("{base_url}/sign-in/callback?redirect_url={}", encode(&wanted)),
            action_complete_redirect_url: redirect_url.clone().unwrap_or_else(|| format!("{base_url}/sign-in")),
            base_url,
        }),
        ..NewSignIn::default()
    };
    let started = match start::create(app, cookie.as_ref(), &new).await {
        Ok(started) => started,
        Err(FlowError::Refused(refusals)) => {
            return answer_refusal(app, &refusals, &identifier, &wanted, redirect_url).await;
        }
        Err(error) => return Err(error.into()),
    };
    let verification = started.sign_in.verification;
    let trip = verification.and_then(|verification| verification.external_verification_redirect_url);
    let mut response = see_other(&trip.ok_or_else(|| ApiError::internal("a trip without a URL"))?);
    if let Some(secret) = &started.browser.new_secret {
        let client = cookies::set_client(&started.browser.client.id, secret, own_site(app));
        cookies::append(response.headers_mut(), [client]);
    }
    Ok(response)
}

/// A refusal the person can do something about becomes a page to do it on.
async fn answer_refusal(
    app: &App,
    refusals: &[Refusal],
    identifier: &str,
    wanted: &str,
    redirect_url: Option<String>,
) -> Result<Response, ApiError> {
    match refusals {
        [Refusal::ConnectionIdRequired] => choose(app, identifier, wanted).await,
        [Refusal::AlreadySignedIn { .. }] => Ok(see_other(redirect_url.as_deref().unwrap_or("/sign-in"))),
        _ => {
            let error = ApiError::from(refusals.to_vec());
            let sentence = error.first().map(|entry| entry.long_message.clone());
            let page = SignInPage { identifier, redirect_url: wanted, error: sentence.as_deref() };
            Ok(render(error.status(), &page))
        }
    }
}

async fn choose(app: &App, identifier: &str, wanted: &str) -> Result<Response, ApiError> {
    let email = doorward_model::Email::parse(identifier).map_err(|_| Refusal::ConnectionIdRequired)?;
    let mut tx = app.store.read().await?;
    let found = crate::flows::sign_in::trip::connections_for(&mut tx, &email).await?;
    let connections = route(&email, &found).connections();
    let back = format!("/sign-in?redirect_url={}", encode(wanted));
    Ok(render(StatusCode::OK, &ChooseConnectionPage { identifier, redirect_url: wanted, connections, back }))
}

/// The browser came back without a session: says why, from what is kept on its sign-in.
async fn callback(State(app): State<Arc<App>>, query: Query, headers: HeaderMap) -> Response {
    let wanted = query.text("redirect_url").unwrap_or_default();
    let again = format!("/sign-in?redirect_url={}", encode(wanted));
    match failure(&app, &headers).await {
        Ok(Some((sentence, code))) => {
            let page = ErrorPage { sentence: &sentence, code: &code, trace_id: "", again: Some(&again) };
            render(StatusCode::OK, &page)
        }
        Ok(None) => see_other(&again),
        Err(error) => error_page(&error),
    }
}

async fn failure(app: &App, headers: &HeaderMap) -> Result<Option<(String, String)>, ApiError> {
    let mut tx = app.store.read().await?;
    let client = browsers::find(&mut tx, cookie(headers).as_ref()).await?;
    let Some(id) = client.and_then(|client| client.sign_in_id) else { return Ok(None) };
    let verification = sign_ins::by_id(&mut tx, &id).await?.and_then(|sign_in| sign_in.verification);
    let failed = verification.filter(|verification| verification.status == VerificationStatus::Failed);
    Ok(failed.and_then(|verification| verification.error).map(|error| (error.long_message, error.code)))
}

async fn show_signed_out() -> Response {
    render(StatusCode::OK, &SignedOutPage)
}

/// Ends all sessions of this browser and goes on to `redirect_url`.
async fn sign_out(State(app): State<Arc<App>>, query: Query, headers: HeaderMap) -> Response {
    match try_sign_out(&app, &query, &headers).await {
        Ok(response) => response,
        Err(error) => error_page(&error),
    }
}

async fn try_sign_out(app: &Arc<App>, query: &Query, headers: &HeaderMap) -> Result<Response, ApiError> {
    origin::identify(app, &Method::POST, headers).await?;
    let redirect_url = checked_redirect(app, query.text("redirect_url").unwrap_or_default()).await?;
    browser_sessions::sign_out(app, cookie(headers).as_ref()).await?;
    let mut response = see_other(redirect_url.as_deref().unwrap_or("/sign-out"));
    let site = own_site(app);
    cookies::append(response.headers_mut(), [cookies::clear_client(site)]);
    cookies::append(response.headers_mut(), cookies::set_client_uat(None, &app.config, site));
    Ok(response)
}

#[cfg(test)]
mod tests;
