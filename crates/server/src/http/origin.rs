//! Which site a request of the Frontend API comes from, and whether it may (DECISIONS "Wire" 10, CLIENTS "Transport").

use crate::app::App;
use crate::flows::Refusal;
use crate::http::ApiError;
use crate::http::cookies::Site;
use crate::random::sha256_hex;
use axum::http::{HeaderMap, Method, header};
use std::sync::Arc;
use url::Url;

/// The site a request belongs to, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// `azp` of tokens minted for this request.
    pub authorized_party: Option<String>,
    /// Base of the URLs under which this browser reaches us: the public URL, or the proxy's.
    pub base_url: String,
    pub site: Site,
    /// Set when the browser must be given CORS headers.
    pub cross_origin: Option<String>,
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty())
}

/// Identifies the caller. A mutation from an origin that is not allowed is refused, whatever cookies it carries.
pub async fn identify(app: &Arc<App>, method: &Method, headers: &HeaderMap) -> Result<Caller, ApiError> {
    let proxy = proxy_url(app, headers).await?;
    let base_url = proxy.clone().unwrap_or_else(|| app.config.public_url.clone());
    let own_origin = Url::parse(&base_url).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    let site = Site { is_https: base_url.starts_with("https://"), is_proxied: proxy.is_some() };
    let origin = text(headers, header::ORIGIN.as_str());
    let cross_origin = match origin {
        None => None,
        Some(origin) if origin == own_origin => None,
        Some(origin) if is_allowed(app, origin).await? => Some(origin.to_owned()),
        Some(origin) => return Err(Refusal::OriginInvalid { origin: origin.chars().take(200).collect() }.into()),
    };
    let is_mutation = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if is_mutation && origin.is_none() && proxy.is_none() && is_cross_site(headers) {
        return Err(Refusal::OriginInvalid { origin: "a request from another site without Origin".into() }.into());
    }
    let authorized_party = cross_origin.clone().or_else(|| Some(own_origin).filter(|origin| !origin.is_empty()));
    Ok(Caller { authorized_party, base_url, site, cross_origin })
}

/// Browsers say where a request comes from even when they leave `Origin` out.
fn is_cross_site(headers: &HeaderMap) -> bool {
    matches!(text(headers, "sec-fetch-site"), Some("cross-site" | "same-site"))
}

/// Whether pages of this origin may call the Frontend API.
pub async fn is_allowed(app: &Arc<App>, origin: &str) -> Result<bool, ApiError> {
    if app.config.allowed_origins.iter().any(|allowed| allowed == origin) {
        return Ok(true);
    }
    Ok(app.instance().await?.allowed_origins.iter().any(|allowed| allowed == origin))
}

/// The URL of a proxy on the application's host. It is believed only with the secret key, which only the operator's own
/// server knows (CLIENTS "Transport": a proxy sends `Clerk-Proxy-Url` and `Clerk-Secret-Key`).
async fn proxy_url(app: &Arc<App>, headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(proxy_url) = text(headers, "clerk-proxy-url") else { return Ok(None) };
    let Some(key) = text(headers, "clerk-secret-key") else { return Err(Refusal::ProxySecretKeyMissing.into()) };
    if !is_secret_key(app, key).await? {
        return Err(Refusal::ProxySecretKeyInvalid.into());
    }
    match Url::parse(proxy_url) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none() => {
            Ok(Some(proxy_url.trim_end_matches('/').to_owned()))
        }
        _ => Err(Refusal::RedirectUrlInvalid.into()),
    }
}

/// Whether a text is a valid secret key now.
pub async fn is_secret_key(app: &Arc<App>, key: &str) -> Result<bool, ApiError> {
    let mut tx = app.store.read().await?;
    let found = doorward_store::instance::secret_key_by_sha256(&mut tx, &sha256_hex(key)).await?;
    Ok(found.is_some_and(|key| key.expires_at.is_none_or(|end| app.now() < end)))
}
