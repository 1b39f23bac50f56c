//! The built-in identity providers, for testing only: they ask nobody for a password. They run in the demo and nowhere else,
//! and say so on every page. Here are what all share and those that speak SAML; the others are in `test_op.rs`. Each company has
//! an entity id and a key of its own, so that they are as apart as in real life.

mod home;
mod keys;

pub use keys::{Companies, CompanyIdp};

use crate::app::App;
use crate::demo::companies::{COMPANIES, Company, Kind, Person};
use crate::demo::directory::Directory;
use crate::demo::test_op::{self, Op};
use crate::flows::saml_urls;
use crate::http::params::{Field, MAX_BODY_BYTES, read_form};
use crate::http::{Path, Query};
use crate::pages::{render, render_with_script};
use crate::random::hex;
use askama::Template;
use axum::Router;
use axum::extract::{RawQuery, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use doorward_model::EnterpriseConnection;
use doorward_saml::idp::{IssuedAttribute, IssuedResponse, ReceivedAuthnRequest, RsaDigest, SignedPart, idp_metadata};
use std::path::Path as FilePath;
use std::sync::{Arc, OnceLock};

/// All identity providers, and what they know of the server.
pub struct TestIdp {
    pub app: Arc<App>,
    /// Where browsers on this machine reach them.
    base: String,
    /// Where the sample application is, for people who read about it.
    application: String,
    pub saml: Companies,
    pub ops: Vec<Op>,
    pub directory: Directory,
    /// In the order of [`COMPANIES`]. They come after the first requests: the server reads documents of ours to make them.
    connections: OnceLock<Vec<EnterpriseConnection>>,
}

impl TestIdp {
    /// Reads what is kept in the data directory, making it at the first start.
    pub fn load(app: Arc<App>, folder: &FilePath, base: &str, application: &str) -> anyhow::Result<Arc<Self>> {
        let saml = Companies::load(folder, base, &*app.random)?;
        let ops = Op::load_all(folder, base, &*app.random)?;
        let directory = Directory::load(folder)?;
        let (base, application) = (base.to_owned(), application.to_owned());
        Ok(Arc::new(Self { app, base, application, saml, ops, directory, connections: OnceLock::new() }))
    }

    /// From now on, requests of these connections are answered.
    pub fn trust(&self, connections: Vec<EnterpriseConnection>) {
        // Whoever was trusted first still is.
        let _ = self.connections.set(connections);
    }

    /// The OpenID provider of a company; `None` where it speaks SAML.
    pub fn op(&self, company: &Company) -> Option<&Op> {
        self.ops.iter().find(|op| op.company.slug == company.slug)
    }

    /// The connection of a company, which is the only one that is trusted with its people.
    pub fn connection(&self, index: usize) -> Option<&EnterpriseConnection> {
        self.connections.get()?.get(index)
    }
}

/// The pages of the identity providers.
pub fn router(idp: &Arc<TestIdp>) -> Router {
    Router::new()
        .route("/", get(home::home))
        .route("/people", post(home::change))
        .route("/{company}/metadata", get(metadata))
        .route("/{company}/sso", get(choose).post(choose_posted))
        .route("/{company}/sso/as/{login}", get(continue_as))
        .route("/assets/style.css", get(crate::pages::style))
        .route("/assets/continue.js", get(crate::pages::continue_script))
        .fallback(async || not_found("There is no such page."))
        .with_state(idp.clone())
        .merge(test_op::router(idp))
}

/// Who are you?
#[derive(Template)]
#[template(path = "demo/idp_choose.html")]
pub struct ChoosePage<'a> {
    pub idp: &'a TestIdp,
    pub company: &'a Company,
    /// The address that asked, which the choice is added to.
    pub action: &'a str,
    pub query: &'a str,
    /// Whom the service provider expects; may be nobody who works here.
    pub expected: Option<&'a str>,
    /// Whether the service provider wants consent, though she may have given it before.
    pub asks_consent: bool,
}

impl ChoosePage<'_> {
    /// Where somebody is expected, the others step back.
    fn is_secondary(&self, person: &Person) -> bool {
        let is_expected = |person: &Person| self.expected == Some(&person.email(self.company));
        self.company.accounts().any(is_expected) && !is_expected(person)
    }

    fn is_suspended(&self, person: &Person) -> bool {
        self.idp.directory.is_suspended(&person.email(self.company))
    }
}

#[derive(Template)]
#[template(path = "demo/idp_continue.html")]
struct ContinuePage<'a> {
    person: &'a Person,
    acs_url: &'a str,
    saml_response: &'a str,
    relay_state: &'a str,
}

#[derive(Template)]
#[template(path = "demo/idp_error.html")]
struct IdpErrorPage {
    reason: String,
}

pub fn refuse(reason: impl Into<String>) -> Response {
    render(StatusCode::BAD_REQUEST, &IdpErrorPage { reason: reason.into() })
}

pub fn not_found(reason: &str) -> Response {
    render(StatusCode::NOT_FOUND, &IdpErrorPage { reason: reason.into() })
}

/// What a suspended person gets to see.
pub fn suspended_page(company: &Company, person: &Person) -> Response {
    let reason = format!("{} is suspended at {} and cannot sign in anywhere.", person.name(), company.name);
    render(StatusCode::FORBIDDEN, &IdpErrorPage { reason })
}

/// A company that speaks SAML, and its place in [`COMPANIES`].
fn company(slug: &str) -> Option<(usize, &'static Company)> {
    COMPANIES.iter().enumerate().find(|(_, company)| company.slug == slug && company.kind == Kind::Saml)
}

async fn metadata(State(idp): State<Arc<TestIdp>>, Path(slug): Path<String>) -> Response {
    let Some(own) = company(&slug).and_then(|(_, company)| idp.saml.of(company)) else {
        return not_found("There is no such company.");
    };
    let xml = idp_metadata(&own.entity_id, &own.sso_url, &[own.key.certificate()]);
    ([(header::CONTENT_TYPE, "application/samlmetadata+xml")], xml).into_response()
}

/// A request of the service provider that belongs to this company, and of no other.
fn receive(idp: &TestIdp, index: usize, query: &str) -> Result<(ReceivedAuthnRequest, String), String> {
    let request = ReceivedAuthnRequest::from_redirect_query(query)
        .map_err(|error| format!("The request cannot be read: {error}."))?;
    let connection = idp.connection(index).ok_or("The demo is still starting.")?;
    let expected = saml_urls::sp_entity_id(&idp.app.config, &connection.saml_connection_id);
    let acs_url = saml_urls::acs_url(&idp.app.config, &connection.saml_connection_id);
    if request.issuer != expected {
        return Err(format!("The request comes from {}, but this company trusts only {expected}.", request.issuer));
    }
    if request.acs_url.as_deref().is_some_and(|wanted| wanted != acs_url) {
        return Err("The request wants its answer at an address that is not the service provider's.".into());
    }
    Ok((request, acs_url))
}

/// Who are you?
async fn choose(State(idp): State<Arc<TestIdp>>, Path(slug): Path<String>, RawQuery(query): RawQuery) -> Response {
    ask(&idp, &slug, &query.unwrap_or_default())
}

/// As [`choose`], of somebody who comes with a form (HTTP-POST, as the metadata says). The links on the page carry what was
/// in it.
async fn choose_posted(
    State(idp): State<Arc<TestIdp>>,
    Path(slug): Path<String>,
    query: Query,
    request: Request,
) -> Response {
    let form = match read_form(request).await {
        Ok(form) => form,
        Err(error) => return error.into_response(),
    };
    let text = |name| form.long_text(name, MAX_BODY_BYTES).ok().and_then(Field::value);
    let (saml_request, relay_state) = (text("SAMLRequest").unwrap_or_default(), text("RelayState"));
    let hint = query.text("login_hint");
    match ReceivedAuthnRequest::redirect_query_of_form(&saml_request, relay_state.as_deref(), hint) {
        Ok(query) => ask(&idp, &slug, &query),
        Err(error) => refuse(format!("The request cannot be read: {error}.")),
    }
}

fn ask(idp: &TestIdp, slug: &str, query: &str) -> Response {
    let Some((index, company)) = company(slug) else { return not_found("There is no such company.") };
    match receive(idp, index, query) {
        Ok((request, _)) => {
            let (expected, action) = (request.login_hint.as_deref(), format!("/{slug}/sso"));
            render(StatusCode::OK, &ChoosePage { idp, company, action: &action, query, expected, asks_consent: false })
        }
        Err(reason) => refuse(reason),
    }
}

/// Signs a response about the chosen person; the page posts it.
async fn continue_as(
    State(idp): State<Arc<TestIdp>>,
    Path((slug, login)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Response {
    let Some((index, company)) = company(&slug) else { return not_found("There is no such company.") };
    let Some(person) = company.account(&login) else { return not_found("Nobody of that name works here.") };
    let query = query.unwrap_or_default();
    let (request, acs_url) = match receive(&idp, index, &query) {
        Ok(received) => received,
        Err(reason) => return refuse(reason),
    };
    if idp.directory.is_suspended(&person.email(company)) {
        return suspended_page(company, person);
    }
    let Some(own) = idp.saml.of(company) else { return not_found("There is no such company.") };
    let saml_response = match respond(&idp.app, own, company, person, &request, &acs_url) {
        Ok(response) => response,
        Err(error) => return refuse(error.to_string()),
    };
    let parsed = Query::parse(&query);
    let relay_state = parsed.text("RelayState").unwrap_or_default();
    let page = ContinuePage { person, acs_url: &acs_url, saml_response: &saml_response, relay_state };
    render_with_script(StatusCode::OK, &page)
}

/// The receiver of the request is the audience of the answer, which [`receive`] has made sure of.
fn respond(
    app: &App,
    own: &CompanyIdp,
    company: &Company,
    person: &Person,
    request: &ReceivedAuthnRequest,
    acs_url: &str,
) -> Result<String, doorward_saml::idp::IdpError> {
    let now = app.now();
    let id = || {
        let mut bytes = [0u8; 16];
        app.random.fill(&mut bytes);
        format!("_{}", hex(&bytes))
    };
    let (response_id, assertion_id, session_index) = (id(), id(), id());
    let email = person.email(company);
    let attribute = |name: &str, value: &str| IssuedAttribute { name: name.into(), values: vec![value.into()] };
    let attributes =
        [attribute("mail", &email), attribute("firstName", person.first_name), attribute("lastName", person.last_name)];
    let response = IssuedResponse {
        response_id: &response_id,
        assertion_id: &assertion_id,
        issuer: &own.entity_id,
        acs_url,
        audience: &request.issuer,
        in_response_to: Some(&request.id),
        issue_instant_ms: now,
        not_on_or_after_ms: now + 5 * 60 * 1000,
        authn_instant_ms: now,
        session_index: &session_index,
        name_id: &email,
        attributes: &attributes,
        ..IssuedResponse::default()
    };
    response.to_form_value(&own.key, SignedPart::Both, RsaDigest::Sha256)
}

#[cfg(test)]
mod tests;
