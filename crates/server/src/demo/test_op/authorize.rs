//! The authorization endpoint (OpenID Connect Core 3.1.2): somebody says who she is, and is sent back with a code.

use crate::demo::companies::Person;
use crate::demo::test_idp::{ChoosePage, not_found, refuse, suspended_page};
use crate::demo::test_op::profile::Offline;
use crate::demo::test_op::{CLIENT_ID, Op, Served};
use crate::http::params::read_body;
use crate::http::{Path, Query};
use crate::pages::{render, see_other};
use crate::random::token;
use axum::extract::{RawQuery, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use doorward_model::Millis;
use std::sync::PoisonError;

/// How long a code lasts.
const CODE_LIFETIME: Millis = 60_000;

/// What a code is good for, once.
pub struct Grant {
    pub login: &'static str,
    pub redirect_uri: String,
    pub nonce: Option<String>,
    pub challenge: Option<String>,
    /// Those that were granted, with a space between.
    pub scopes: String,
    pub is_offline: bool,
    pub signed_in_at: Millis,
    pub expires_at: Millis,
}

/// An authorization request of our client.
struct Asked {
    redirect_uri: String,
    state: Option<String>,
    nonce: Option<String>,
    challenge: Option<String>,
    scopes: String,
    is_offline: bool,
    asks_consent: bool,
    login_hint: Option<String>,
}

/// Why a request is not answered with a code.
enum Refused {
    /// Nobody is sent anywhere: who asks is not our client, or wants the answer elsewhere.
    Here(String),
    /// The client is told: where, and what.
    There(String),
}

impl Refused {
    fn response(self) -> Response {
        match self {
            Self::Here(reason) => refuse(reason),
            Self::There(url) => see_other(&url),
        }
    }
}

fn receive(served: &Served, query: &str) -> Result<Asked, Refused> {
    let op = served.op();
    let parsed = Query::parse(query);
    let only = |name: &str| match parsed.texts(name).as_deref() {
        Ok([]) => Ok(None),
        Ok([value]) => Ok(Some(value.clone())),
        _ => Err(format!("{name} is there more than once.")),
    };
    let here = Refused::Here;
    let registered = served.redirect_uri().ok_or_else(|| here("The demo is still starting.".into()))?;
    match only("client_id").map_err(here)?.as_deref() {
        Some(CLIENT_ID) => {}
        _ => return Err(here(format!("The client is not {CLIENT_ID}, the only one that is known here."))),
    }
    // Character by character (RFC 9700, section 2.1).
    if only("redirect_uri").map_err(here)?.as_ref() != Some(&registered) {
        return Err(here("The request wants its answer at an address that is not the registered one.".into()));
    }
    let state = only("state").map_err(here)?;
    let there = |error: &str, reason: String| {
        let parameters = [("error", error), ("error_description", &reason)];
        Refused::There(op.send_back(&registered, &parameters, state.as_deref()))
    };
    let text = |name: &str| only(name).map_err(|reason| there("invalid_request", reason));
    if text("response_type")?.as_deref() != Some("code") {
        return Err(there("unsupported_response_type", "Only code is supported.".into()));
    }
    if text("response_mode")?.is_some_and(|mode| mode != "query") {
        return Err(there("invalid_request", "The only response mode is query.".into()));
    }
    for (name, error) in [("request", "request_not_supported"), ("request_uri", "request_uri_not_supported")] {
        if text(name)?.is_some() {
            return Err(there(error, format!("{name} is not supported.")));
        }
    }
    let asked = text("scope")?.unwrap_or_default();
    let granted: Vec<&str> =
        op.profile.scopes.iter().copied().filter(|own| asked.split(' ').any(|scope| scope == *own)).collect();
    if !granted.contains(&"openid") {
        return Err(there("invalid_scope", "The scope openid is missing.".into()));
    }
    // Nobody is ever signed in here already.
    let prompt = text("prompt")?.unwrap_or_default();
    if prompt == "none" {
        return Err(there("login_required", "Somebody has to say who she is.".into()));
    }
    let (challenge, method) = (text("code_challenge")?, text("code_challenge_method")?);
    let is_hash = challenge.as_ref().is_some_and(|challenge| challenge.len() == 43);
    match (&challenge, method.as_deref()) {
        (None, None) => {}
        (Some(_), Some("S256")) if is_hash => {}
        _ => return Err(there("invalid_request", "The code challenge must be one of the method S256.".into())),
    }
    let is_offline = match op.profile.offline {
        Offline::Scope => granted.contains(&"offline_access"),
        Offline::AccessType => text("access_type")?.as_deref() == Some("offline"),
    };
    Ok(Asked {
        nonce: text("nonce")?,
        login_hint: text("login_hint")?,
        asks_consent: prompt.split(' ').any(|prompt| prompt == "consent"),
        scopes: granted.join(" "),
        redirect_uri: registered.clone(),
        state: state.clone(),
        challenge,
        is_offline,
    })
}

/// Who are you?
pub async fn choose(State(served): State<Served>, RawQuery(query): RawQuery) -> Response {
    ask(&served, &query.unwrap_or_default())
}

/// As [`choose`], of a request that comes as a form (Core 3.1.2.1).
pub async fn choose_posted(State(served): State<Served>, request: Request) -> Response {
    match read_body(request).await {
        Ok(body) => ask(&served, &String::from_utf8_lossy(&body)),
        Err(error) => error.into_response(),
    }
}

fn ask(served: &Served, query: &str) -> Response {
    let asked = match receive(served, query) {
        Ok(asked) => asked,
        Err(refused) => return refused.response(),
    };
    let op = served.op();
    let action = format!("{}/authorize", op.profile.path);
    let page = ChoosePage {
        idp: &served.idp,
        company: op.company,
        action: &action,
        query,
        expected: asked.login_hint.as_deref(),
        asks_consent: asked.asks_consent,
    };
    render(StatusCode::OK, &page)
}

/// Sends the chosen person back with a code.
pub async fn continue_as(
    State(served): State<Served>,
    Path(login): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let op = served.op();
    let Some(person) = op.company.account(&login) else { return not_found("Nobody of that name works here.") };
    let asked = match receive(&served, &query.unwrap_or_default()) {
        Ok(asked) => asked,
        Err(refused) => return refused.response(),
    };
    if served.is_suspended(&person.email(op.company)) {
        return suspended_page(op.company, person);
    }
    let (app, now) = (&served.idp.app, served.idp.app.now());
    let code = token(&*app.random);
    let url = op.send_back(&asked.redirect_uri, &[("code", &code)], asked.state.as_deref());
    op.keep(code, asked, person, now);
    see_other(&url)
}

impl Op {
    /// Where a browser goes with an answer.
    fn send_back(&self, redirect_uri: &str, parameters: &[(&str, &str)], state: Option<&str>) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters).extend_pairs(state.map(|state| ("state", state)));
        if self.profile.sends_iss {
            query.append_pair("iss", &self.issuer(None));
        }
        format!("{redirect_uri}?{}", query.finish())
    }

    fn keep(&self, code: String, asked: Asked, person: &'static Person, now: Millis) {
        let is_first = self.consented.lock().unwrap_or_else(PoisonError::into_inner).insert(person.login);
        let grant = Grant {
            login: person.login,
            redirect_uri: asked.redirect_uri,
            nonce: asked.nonce,
            challenge: asked.challenge,
            scopes: asked.scopes,
            is_offline: asked.is_offline && (is_first || asked.asks_consent || !self.profile.is_offline_once),
            signed_in_at: now,
            expires_at: now + CODE_LIFETIME,
        };
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|_, grant| now < grant.expires_at);
        codes.insert(code, grant);
    }

    /// A code is taken away by whoever brings it, so that it buys one answer, right or wrong.
    pub fn take(&self, code: &str, now: Millis) -> Option<Grant> {
        let taken = self.codes.lock().unwrap_or_else(PoisonError::into_inner).remove(code);
        taken.filter(|grant| now < grant.expires_at)
    }
}
