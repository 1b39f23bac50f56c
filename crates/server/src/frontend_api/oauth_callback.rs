//! `/v1/oauth_callback/{id}`: where OpenID Connect providers send the browser back to (OID-1).

use crate::app::App;
use crate::flows::sign_in::oidc_callback::{self, MOVED, Next};
use crate::flows::{Refusal, connection_oidc};
use crate::frontend_api::arrival::{self, accepts_html, answer_error, is_navigation};
use crate::frontend_api::visit::cookie;
use crate::http::params::read_form;
use crate::http::{ApiError, origin};
use crate::pages::see_other;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use doorward_rules::oidc_trip::Callback;
use std::sync::Arc;

/// Where this is, under each of our addresses.
pub const PATH: &str = "/v1/oauth_callback/{id}";

/// What a response may bring, and how long it may be. The rest is dropped: it means nothing, and addresses have their limits.
const PARAMETERS: [(&str, usize); 5] =
    [("code", 8192), ("state", 512), ("iss", 2048), ("error", 2048), ("error_description", 2048)];

/// Signs the browser in that began.
pub async fn get(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let Some(address) = address(&id) else { return answer_error(unknown().into(), accepts_html(&headers)) };
    if !is_navigation(&headers) {
        let reason = "The browser has to come here itself.".to_owned();
        return answer_error(Refusal::OauthCallbackInvalid { reason }.into(), false);
    }
    match receive(&app, &address, &query, &headers).await {
        Ok(Next::Finished(finished)) => arrival::answer(&app, *finished),
        Ok(Next::Elsewhere { base_url }) => {
            see_other(&format!("{base_url}/v1/oauth_callback/{}?{}&{MOVED}=1", address.as_str(), known_part(&query)))
        }
        Err(error) => answer_error(error, accepts_html(&headers)),
    }
}

async fn receive(app: &Arc<App>, address: &Callback, query: &str, headers: &HeaderMap) -> Result<Next, ApiError> {
    let caller = origin::identify(app, &Method::GET, headers).await?;
    Ok(oidc_callback::receive(app, address, query, cookie(headers).as_ref(), &caller.base_url).await?)
}

/// A form that another site posts comes without our cookie; the same as a GET comes with it.
pub async fn post(State(app): State<Arc<App>>, Path(id): Path<String>, request: Request) -> Response {
    let wants_html = accepts_html(request.headers());
    let Some(address) = address(&id) else { return answer_error(unknown().into(), wants_html) };
    match as_query(request).await {
        Ok(query) => see_other(&format!("{}?{query}", connection_oidc::callback_url(&app.config, &address))),
        Err(error) => answer_error(error, wants_html),
    }
}

/// What a response may bring, written anew: what else stands in a query may be no text at all.
fn known_part(query: &str) -> String {
    let is_known = |name: &str| PARAMETERS.iter().any(|(known, _)| *known == name);
    let known = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| is_known(name));
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(known).finish()
}

/// The address that ends like this: a connection's id as we make them, or the name of an EASIE provider. The text goes into addresses.
fn address(text: &str) -> Option<Callback> {
    let is_id = text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_id.then(|| Callback::parse(text))
}

fn unknown() -> Refusal {
    Refusal::OauthCallbackInvalid { reason: "There is no such connection.".to_owned() }
}

async fn as_query(request: Request) -> Result<String, ApiError> {
    let form = read_form(request).await?;
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, longest) in PARAMETERS {
        form.once(name)?;
        query.extend_pairs(form.long_text(name, longest)?.value().map(|value| (name, value)));
    }
    Ok(query.finish())
}
