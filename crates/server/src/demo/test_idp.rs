//! The built-in identity provider, for testing only: it asks nobody for a password. It runs in the demo and nowhere else,
//! and says so on every page. Each company has an entity id and a key of its own, so the two are as apart as in real life.

use crate::app::App;
use crate::demo::{COMPANIES, Company, Person};
use crate::flows::saml_urls;
use crate::http::params::{Field, MAX_BODY_BYTES, read_form};
use crate::http::{Path, Query};
use crate::pages::{render, render_with_script};
use crate::random::hex;
use crate::server::write_private;
use anyhow::Context as _;
use askama::Template;
use axum::Router;
use axum::extract::{RawQuery, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use doorward_model::{EnterpriseConnection, Random};
use doorward_saml::SamlKey;
use doorward_saml::idp::{IssuedAttribute, IssuedResponse, ReceivedAuthnRequest, RsaDigest, SignedPart, idp_metadata};
use std::path::Path as FilePath;
use std::sync::Arc;

/// A company's identity provider.
pub struct CompanyIdp {
    pub entity_id: String,
    pub sso_url: String,
    pub key: SamlKey,
}

/// The identity providers, in the order of [`COMPANIES`].
pub struct Companies(Vec<CompanyIdp>);

impl Companies {
    /// Loads the keys from the data directory, making them at the first start.
    pub fn load(folder: &FilePath, base: &str, random: &dyn Random) -> anyhow::Result<Self> {
        let load = |company: &Company| -> anyhow::Result<CompanyIdp> {
            Ok(CompanyIdp {
                entity_id: format!("{base}/{}/metadata", company.slug),
                sso_url: format!("{base}/{}/sso", company.slug),
                key: load_key(&folder.join(format!("test-idp-{}.pem", company.slug)), random)?,
            })
        };
        Ok(Self(COMPANIES.iter().map(load).collect::<Result<_, _>>()?))
    }

    /// The identity provider of a company.
    pub fn of(&self, company: &Company) -> &CompanyIdp {
        let index = COMPANIES.iter().position(|known| known.slug == company.slug).unwrap_or(0);
        &self.0[index]
    }
}

/// Private key and certificate in one file.
fn load_key(file: &FilePath, random: &dyn Random) -> anyhow::Result<SamlKey> {
    let wrong = || format!("{} is no usable key; delete it to get a new one", file.display());
    if !file.exists() {
        let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)?;
        let mut params = rcgen::CertificateParams::new(Vec::<String>::new())?;
        params.distinguished_name.push(rcgen::DnType::CommonName, "Doorward test identity provider");
        let certificate = params.self_signed(&key)?;
        write_private(file, &format!("{}{}", key.serialize_pem(), certificate.pem()), random)
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let (key, certificate) = text.split_at(text.find("-----BEGIN CERTIFICATE").with_context(wrong)?);
    SamlKey::from_pem(key, certificate).with_context(wrong)
}

struct TestIdp {
    app: Arc<App>,
    companies: Companies,
    connections: Vec<EnterpriseConnection>,
}

/// The pages of the identity provider.
pub fn router(app: Arc<App>, companies: Companies, connections: Vec<EnterpriseConnection>) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/{company}/metadata", get(metadata))
        .route("/{company}/sso", get(choose).post(choose_posted))
        .route("/{company}/sso/as/{login}", get(continue_as))
        .route("/assets/style.css", get(crate::pages::style))
        .route("/assets/continue.js", get(crate::pages::continue_script))
        .fallback(async || not_found("There is no such page."))
        .with_state(Arc::new(TestIdp { app, companies, connections }))
}

#[derive(Template)]
#[template(path = "demo/idp_home.html")]
struct HomePage<'a> {
    companies: &'a [Company],
}

#[derive(Template)]
#[template(path = "demo/idp_choose.html")]
struct ChoosePage<'a> {
    company: &'a Company,
    query: &'a str,
    /// Whom the service provider expects; may be nobody who works here.
    expected: Option<&'a str>,
}

impl ChoosePage<'_> {
    /// Where somebody is expected, the others step back.
    fn is_secondary(&self, person: &Person) -> bool {
        let is_expected = |person: &Person| self.expected == Some(&person.email(self.company));
        self.company.people.iter().any(is_expected) && !is_expected(person)
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

fn refuse(reason: impl Into<String>) -> Response {
    render(StatusCode::BAD_REQUEST, &IdpErrorPage { reason: reason.into() })
}

fn not_found(reason: &str) -> Response {
    render(StatusCode::NOT_FOUND, &IdpErrorPage { reason: reason.into() })
}

async fn home() -> Response {
    render(StatusCode::OK, &HomePage { companies: &COMPANIES })
}

fn company(slug: &str) -> Option<(usize, &'static Company)> {
    COMPANIES.iter().enumerate().find(|(_, company)| company.slug == slug)
}

async fn metadata(State(idp): State<Arc<TestIdp>>, Path(slug): Path<String>) -> Response {
    let Some((_, company)) = company(&slug) else { return not_found("There is no such company.") };
    let own = idp.companies.of(company);
    let xml = idp_metadata(&own.entity_id, &own.sso_url, &[own.key.certificate()]);
    ([(header::CONTENT_TYPE, "application/samlmetadata+xml")], xml).into_response()
}

/// A request of the service provider that belongs to this company, and of no other.
fn receive(idp: &TestIdp, index: usize, query: &str) -> Result<(ReceivedAuthnRequest, String), String> {
    let request = ReceivedAuthnRequest::from_redirect_query(query)
        .map_err(|error| format!("The request cannot be read: {error}."))?;
    let connection = &idp.connections[index];
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
            let expected = request.login_hint.as_deref();
            render(StatusCode::OK, &ChoosePage { company, query, expected })
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
    let Some(person) = company.people.iter().find(|person| person.login == login) else {
        return not_found("Nobody of that name works here.");
    };
    let query = query.unwrap_or_default();
    let answer = receive(&idp, index, &query).and_then(|(request, acs_url)| {
        let response = respond(&idp, index, company, person, &request, &acs_url).map_err(|error| error.to_string())?;
        Ok((response, acs_url))
    });
    let (saml_response, acs_url) = match answer {
        Ok(answer) => answer,
        Err(reason) => return refuse(reason),
    };
    let parsed = Query::parse(&query);
    let relay_state = parsed.text("RelayState").unwrap_or_default();
    let page = ContinuePage { person, acs_url: &acs_url, saml_response: &saml_response, relay_state };
    render_with_script(StatusCode::OK, &page)
}

fn respond(
    idp: &TestIdp,
    index: usize,
    company: &Company,
    person: &Person,
    request: &ReceivedAuthnRequest,
    acs_url: &str,
) -> Result<String, doorward_saml::idp::IdpError> {
    let own = idp.companies.of(company);
    let now = idp.app.now();
    let id = || {
        let mut bytes = [0u8; 16];
        idp.app.random.fill(&mut bytes);
        format!("_{}", hex(&bytes))
    };
    let (response_id, assertion_id, session_index) = (id(), id(), id());
    let email = person.email(company);
    let attribute = |name: &str, value: &str| IssuedAttribute { name: name.into(), values: vec![value.into()] };
    let attributes =
        [attribute("mail", &email), attribute("firstName", person.first_name), attribute("lastName", person.last_name)];
    let audience = saml_urls::sp_entity_id(&idp.app.config, &idp.connections[index].saml_connection_id);
    let response = IssuedResponse {
        response_id: &response_id,
        assertion_id: &assertion_id,
        issuer: &own.entity_id,
        acs_url,
        audience: &audience,
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
