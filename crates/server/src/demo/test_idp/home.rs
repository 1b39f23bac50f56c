//! The start page of the identity providers, where people are suspended and restored.

use crate::demo::companies::{COMPANIES, Company, Person};
use crate::demo::test_idp::{TestIdp, refuse};
use crate::http::Field;
use crate::http::params::read_form;
use crate::pages::{render, see_other};
use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "demo/idp_home.html")]
struct HomePage<'a> {
    idp: &'a TestIdp,
    /// Where the sample application is.
    application: &'a str,
    companies: &'a [Company],
    /// Within what time the sessions of a suspended person end.
    time: String,
}

impl HomePage<'_> {
    fn is_suspended(&self, company: &Company, person: &Person) -> bool {
        self.idp.directory.is_suspended(&person.email(company))
    }
}

/// `GET /`
pub async fn home(State(idp): State<Arc<TestIdp>>) -> Response {
    let time = crate::demo::introduction::check_time(&idp.app.config);
    render(StatusCode::OK, &HomePage { idp: &idp, application: &idp.application, companies: &COMPANIES, time })
}

/// `POST /people`: suspends or restores somebody.
pub async fn change(State(idp): State<Arc<TestIdp>>, headers: HeaderMap, request: Request) -> Response {
    if !is_own_page(&headers, &idp.base) {
        return refuse(format!("This form counts only from the page {}.", idp.base));
    }
    let form = match read_form(request).await {
        Ok(form) => form,
        Err(error) => return error.into_response(),
    };
    let text = |name| form.text(name).ok().and_then(Field::value).unwrap_or_default();
    let (email, action) = (text("person"), text("action"));
    let is_known = COMPANIES.iter().any(|company| company.accounts().any(|person| person.email(company) == email));
    let is_suspended = match (is_known, action.as_str()) {
        (true, "suspend") => true,
        (true, "restore") => false,
        _ => return refuse("There is no such person, or nothing of the kind to do."),
    };
    match idp.directory.set(&email, is_suspended) {
        Ok(()) => see_other("/"),
        Err(error) => refuse(format!("This cannot be kept in the data directory: {error}.")),
    }
}

/// No other site may suspend anybody. Browsers name the page that a form comes from; what names none is no browser.
fn is_own_page(headers: &HeaderMap, base: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match (text(header::ORIGIN.as_str()), text("sec-fetch-site")) {
        (Some(origin), _) => origin == base,
        (None, site) => site.is_none_or(|site| site == "same-origin"),
    }
}
