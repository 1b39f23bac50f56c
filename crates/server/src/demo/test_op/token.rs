//! The token endpoint (OpenID Connect Core 3.1.3 and 12).

use crate::demo::companies::Person;
use crate::demo::test_op::answer::{Fault, answer};
use crate::demo::test_op::{CLIENT_ID, Op, Served, profile};
use crate::http::params::read_form;
use crate::http::{Field, Params};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use doorward_model::{Millis, Random};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How long access tokens and ID tokens last, in seconds.
const LIFETIME_S: i64 = 3600;
/// Longer than any parameter of a token request.
const LONGEST: usize = 8192;

/// What an access or refresh token stands for. It is the token, under the provider's key.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ticket {
    pub login: String,
    pub scopes: String,
    pub signed_in_at: Millis,
    /// Refresh tokens have no end.
    pub expires_at: Option<Millis>,
}

/// What a ticket is for; one is of no use as the other, nor at another provider, whose key is another.
#[derive(Clone, Copy, Debug)]
pub enum Use {
    Access,
    Refresh,
}

impl Op {
    fn seal(&self, ticket: &Ticket, usage: Use, random: &dyn Random) -> Result<String, Fault> {
        let text = serde_json::to_vec(ticket).map_err(|_| Fault::Server)?;
        self.keys.sealing.encrypt(&text, &format!("{usage:?}"), random).map_err(|_| Fault::Server)
    }

    /// A ticket that is still good, and whose it is.
    pub fn open(&self, sealed: &str, usage: Use, now: Millis) -> Option<(Ticket, &'static Person)> {
        let text = self.keys.sealing.decrypt(sealed, &format!("{usage:?}")).ok()?;
        let ticket: Ticket = serde_json::from_slice(&text).ok()?;
        let person = self.company.account(&ticket.login)?;
        ticket.expires_at.is_none_or(|end| now < end).then_some((ticket, person))
    }

    /// By the header or by the form, and not by both (RFC 6749, section 2.3).
    fn authenticate(&self, headers: &HeaderMap, form: &Params) -> Result<(), Fault> {
        let text = |name| optional(form, name);
        let (id, secret) = match headers.get(header::AUTHORIZATION) {
            None => (text("client_id")?, text("client_secret")?),
            Some(_) if form.has("client_secret") => return Err(Fault::Parameters),
            Some(header) => {
                let (id, secret) = header.to_str().ok().and_then(basic).ok_or(Fault::Client)?;
                // The id may stand in the form as well, if it is the same.
                if text("client_id")?.is_some_and(|repeated| repeated != id) {
                    return Err(Fault::Parameters);
                }
                (Some(id), Some(secret))
            }
        };
        let is_secret =
            |secret: &String| verify_slices_are_equal(secret.as_bytes(), self.keys.client_secret.as_bytes()).is_ok();
        match id.as_deref() == Some(CLIENT_ID) && secret.as_ref().is_some_and(is_secret) {
            true => Ok(()),
            false => Err(Fault::Client),
        }
    }

    fn id_token(
        &self,
        person: &Person,
        ticket: &Ticket,
        nonce: Option<&str>,
        access: &str,
        now: Millis,
    ) -> Result<String, Fault> {
        let tenant = profile::tenant(self.company, person);
        let told = profile::claims(self.profile, self.company, person, &ticket.scopes);
        let half = digest(&SHA256, access.as_bytes()).as_ref()[..16].to_vec();
        let mut claims = json!({
            "iss": self.issuer(Some(&tenant)), "aud": CLIENT_ID, "sub": told["sub"],
            "iat": now / 1000, "exp": now / 1000 + LIFETIME_S, "auth_time": ticket.signed_in_at / 1000,
            "at_hash": URL_SAFE_NO_PAD.encode(half),
        });
        if let (Value::Object(claims), Value::Object(told), true) =
            (&mut claims, told, self.profile.has_claims_in_id_token)
        {
            claims.extend(told);
        }
        if let Some(nonce) = nonce {
            claims["nonce"] = json!(nonce);
        }
        self.keys.signing.sign(&claims).map_err(|_| Fault::Server)
    }
}

/// The two halves of a Basic header, which are form-encoded (RFC 6749, section 2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, credentials) = header.split_once(' ')?;
    let text = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':').filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let decode = |part: &str| {
        let form = format!("value={part}");
        url::form_urlencoded::parse(form.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    Some((decode(id)?, decode(secret)?))
}

/// A parameter that is there once and not empty.
fn optional(form: &Params, name: &str) -> Result<Option<String>, Fault> {
    let text = form.long_text(name, LONGEST).map_err(|_| Fault::Parameters)?;
    Ok(Field::value(text).filter(|text| !text.is_empty()))
}

/// `POST /token`
pub async fn token(State(served): State<Served>, headers: HeaderMap, request: Request) -> Response {
    let form = match read_form(request).await {
        Ok(form) => form,
        Err(error) => return error.into_response(),
    };
    match grant(&served, &headers, &form) {
        Ok(tokens) => answer(StatusCode::OK, &tokens),
        Err(fault) => fault.response(served.op().profile),
    }
}

fn grant(served: &Served, headers: &HeaderMap, form: &Params) -> Result<Value, Fault> {
    served.op().authenticate(headers, form)?;
    match optional(form, "grant_type")?.as_deref() {
        Some("authorization_code") => exchange(served, form),
        Some("refresh_token") => refresh(served, form),
        Some(_) => Err(Fault::GrantType),
        None => Err(Fault::Parameters),
    }
}

fn exchange(served: &Served, form: &Params) -> Result<Value, Fault> {
    let (op, now) = (served.op(), served.idp.app.now());
    let code = optional(form, "code")?.ok_or(Fault::Parameters)?;
    let grant = op.take(&code, now).ok_or(Fault::Code)?;
    if optional(form, "redirect_uri")?.as_ref() != Some(&grant.redirect_uri) {
        return Err(Fault::RedirectUri);
    }
    let verifier = optional(form, "code_verifier")?;
    let hash = verifier.map(|verifier| URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())));
    if hash != grant.challenge {
        return Err(Fault::Verifier);
    }
    let person = op.company.account(grant.login).ok_or(Fault::Code)?;
    let refresh = grant.is_offline.then(|| grant.scopes.clone());
    let (scopes, signed_in_at, nonce) = (grant.scopes, grant.signed_in_at, grant.nonce);
    tokens(served, person, Granted { scopes, signed_in_at, refresh, nonce })
}

fn refresh(served: &Served, form: &Params) -> Result<Value, Fault> {
    let op = served.op();
    let sealed = optional(form, "refresh_token")?.ok_or(Fault::Parameters)?;
    let (ticket, person) = op.open(&sealed, Use::Refresh, served.idp.app.now()).ok_or(Fault::RefreshToken)?;
    let wanted = optional(form, "scope")?;
    let is_granted = |scope: &str| ticket.scopes.split(' ').any(|granted| granted == scope);
    if wanted.as_ref().is_some_and(|wanted| !wanted.split(' ').all(is_granted)) {
        return Err(Fault::Scope);
    }
    // Fewer scopes now are no fewer for the next time (RFC 6749, section 6).
    let next = op.profile.renews_refresh_tokens.then(|| ticket.scopes.clone());
    let scopes = wanted.unwrap_or(ticket.scopes);
    tokens(served, person, Granted { scopes, signed_in_at: ticket.signed_in_at, refresh: next, nonce: None })
}

/// What tokens are made from.
struct Granted {
    scopes: String,
    signed_in_at: Millis,
    /// The scopes of the refresh token, if there is to be one.
    refresh: Option<String>,
    nonce: Option<String>,
}

fn tokens(served: &Served, person: &'static Person, granted: Granted) -> Result<Value, Fault> {
    let (op, random, now) = (served.op(), &*served.idp.app.random, served.idp.app.now());
    if served.is_suspended(&person.email(op.company)) {
        return Err(Fault::Disabled);
    }
    let ticket = |scopes: String, expires_at| Ticket {
        login: person.login.to_owned(),
        scopes,
        signed_in_at: granted.signed_in_at,
        expires_at,
    };
    let access = ticket(granted.scopes, Some(now + LIFETIME_S * 1000));
    let token = op.seal(&access, Use::Access, random)?;
    let mut tokens = json!({"token_type": "Bearer", "expires_in": LIFETIME_S, "scope": access.scopes});
    if access.scopes.split(' ').any(|scope| scope == "openid") {
        tokens["id_token"] = json!(op.id_token(person, &access, granted.nonce.as_deref(), &token, now)?);
    }
    if let Some(scopes) = granted.refresh {
        tokens["refresh_token"] = json!(op.seal(&ticket(scopes, None), Use::Refresh, random)?);
    }
    tokens["access_token"] = json!(token);
    Ok(tokens)
}
