//! SAML endpoints: SP metadata, the ACS, and the step that brings the browser back (SML-1, SML-2, DECISIONS "Wire" 4).

use crate::app::App;
use crate::flows::sign_in::finish::{self as finishing, Claim};
use crate::flows::sign_in::{saml_callback, trip};
use crate::flows::{Refusal, connection_keys, saml_urls};
use crate::frontend_api::arrival::{self, accepts_html, answer_error, is_navigation};
use crate::frontend_api::visit::{address, cookie};
use crate::http::cookies::{self, Site};
use crate::http::params::read_form;
use crate::http::{ApiError, Path, Query};
use crate::pages::{render_with_script, see_other};
use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use doorward_model::{KeyPurpose, SamlConnectionId};
use doorward_saml::PostForm;
use doorward_store::enterprise_connections;
use std::sync::Arc;

/// `GET /v1/saml/metadata/{id}.xml`
pub async fn metadata(State(app): State<Arc<App>>, Path(file): Path<String>) -> Result<Response, ApiError> {
    let not_found = || Refusal::ConnectionNotFound { id: file.chars().take(100).collect() };
    let id = SamlConnectionId::from(file.strip_suffix(".xml").ok_or_else(not_found)?);
    let mut tx = app.store.read().await?;
    let connection = enterprise_connections::by_saml_connection_id(&mut tx, &id).await?.ok_or_else(not_found)?;
    drop(tx);
    let encryption = connection_keys::published(&app, &connection, KeyPurpose::Decryption).await?;
    let signing = match connection.saml.sign_requests {
        true => connection_keys::published(&app, &connection, KeyPurpose::Signing).await?,
        false => Vec::new(),
    };
    let [encryption, signing] = [&encryption, &signing].map(|held| held.iter().map(String::as_str).collect::<Vec<_>>());
    let xml = doorward_saml::SpMetadata {
        entity_id: &saml_urls::sp_entity_id(&app.config, &connection.saml_connection_id),
        acs_url: &saml_urls::acs_url(&app.config, &connection.saml_connection_id),
        encryption_certificates: &encryption,
        signing_certificates: &signing,
    }
    .to_xml();
    Ok(([(header::CONTENT_TYPE, "application/samlmetadata+xml")], xml).into_response())
}

#[derive(Template)]
#[template(path = "saml_send.html")]
struct SendPage<'a> {
    form: PostForm,
    relay_state: &'a str,
}

/// `GET /v1/saml/send?relay_state=…`: takes the browser to an IdP that wants its requests posted.
pub async fn send(State(app): State<Arc<App>>, query: Query, headers: HeaderMap) -> Response {
    let relay_state = query.text("relay_state").unwrap_or_default();
    match trip::post_form(&app, relay_state, query.text("login_hint")).await {
        Ok(form) => render_with_script(StatusCode::OK, &SendPage { form, relay_state }),
        Err(error) => answer_error(error.into(), accepts_html(&headers)),
    }
}

/// `POST /v1/saml/acs/{id}`: a cross-site form post without cookies. Goes on by a redirect to our own origin.
pub async fn acs(State(app): State<Arc<App>>, Path(id): Path<String>, request: Request) -> Response {
    let wants_html = accepts_html(request.headers());
    match receive(&app, id, request).await {
        Ok(collect) => {
            let mut response = see_other(&format!("{}/v1/saml/finish?token={}", collect.base_url, collect.token));
            let site = Site { is_https: app.config.is_https(), is_proxied: false };
            let cookie = collect.arrival_cookie.map(|secret| cookies::set_arrival(&secret, site));
            cookies::append(response.headers_mut(), cookie);
            response
        }
        Err(error) => answer_error(error, wants_html),
    }
}

async fn receive(app: &App, id: String, request: Request) -> Result<saml_callback::Collect, ApiError> {
    let address = address(app, &request);
    let form = read_form(request).await?;
    // Whatever stands between an IdP and us may look at the first of two, or at the second.
    form.once("SAMLResponse")?;
    form.once("RelayState")?;
    let response = form.long_text("SAMLResponse", crate::http::params::MAX_BODY_BYTES)?.value();
    let response = response.ok_or(Refusal::ParamMissing { param: "SAMLResponse" })?;
    let relay_state = form.text("RelayState")?.value();
    let id = SamlConnectionId::from(id);
    Ok(saml_callback::receive(app, &id, &response, relay_state.as_deref(), address).await?)
}

/// `GET /v1/saml/finish?token=…`: the browser that began collects the outcome.
pub async fn finish(State(app): State<Arc<App>>, query: Query, headers: HeaderMap) -> Response {
    if !is_navigation(&headers) {
        return answer_error(Refusal::OtherBrowser.into(), false);
    }
    let client = cookie(&headers);
    let claim = Claim {
        token: query.text("token").unwrap_or_default(),
        client: client.as_ref(),
        arrival_cookie: cookies::get(&headers, cookies::ARRIVAL),
    };
    match finishing::finish(&app, claim).await {
        Ok(finished) => arrival::answer(&app, finished),
        Err(error) => answer_error(error.into(), accepts_html(&headers)),
    }
}
