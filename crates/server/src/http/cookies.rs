//! Cookies of the Frontend API (TOK-13).

use crate::config::Config;
use aws_lc_rs::digest;
use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_model::{ClientId, Millis};

/// The cookie that is the browser: client id and secret.
pub const CLIENT: &str = "__client";
/// Ties an answer nobody asked for to the browser that posted it.
pub const ARRIVAL: &str = "__arrival";
const CLIENT_UAT: &str = "__client_uat";
/// How long a browser is remembered, in seconds: 400 days, the longest browsers keep a cookie.
const MAX_AGE: i64 = 400 * 24 * 60 * 60;

/// The value of a cookie, the first of that name.
pub fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

/// Client id and secret from the cookie.
pub fn client(headers: &HeaderMap) -> Option<(ClientId, &str)> {
    let (id, secret) = get(headers, CLIENT)?.split_once('.')?;
    Some((ClientId::from(id), secret))
}

/// First eight characters of the base64url SHA-1 of the publishable key: tells the cookies of several instances on one site apart.
pub fn suffix(publishable_key: &str) -> String {
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, publishable_key.as_bytes());
    URL_SAFE_NO_PAD.encode(hash.as_ref()).chars().take(8).collect()
}

/// Where a cookie goes: through a proxy on the application's own host, or on ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    pub is_https: bool,
    /// Whether the browser sees the application's host.
    pub is_proxied: bool,
}

/// `__client`, host-only and out of scripts' reach.
pub fn set_client(id: &ClientId, secret: &str, site: Site) -> String {
    format!("{CLIENT}={id}.{secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={MAX_AGE}{}", secure(site))
}

/// `__arrival`, for the minute in which the browser comes back.
pub fn set_arrival(secret: &str, site: Site) -> String {
    format!("{ARRIVAL}={secret}; Path=/v1/saml/finish; HttpOnly; SameSite=Lax; Max-Age=60{}", secure(site))
}

/// Takes `__client` away.
pub fn clear_client(site: Site) -> String {
    format!("{CLIENT}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0{}", secure(site))
}

/// `__client_uat` with and without suffix: seconds of the last change with a signed-in session, `0` for none. Scripts and
/// server-side SDKs of the application read it, so it is set for the whole site.
pub fn set_client_uat(updated_at: Option<Millis>, config: &Config, site: Site) -> [String; 2] {
    let seconds = updated_at.map_or(0, |at| at / 1000);
    let domain =
        config.cookie_domain().filter(|_| !site.is_proxied).map_or(String::new(), |name| format!("; Domain={name}"));
    let cookie =
        |name: &str| format!("{name}={seconds}; Path=/; SameSite=Lax; Max-Age={MAX_AGE}{domain}{}", secure(site));
    [cookie(CLIENT_UAT), cookie(&format!("{CLIENT_UAT}_{}", suffix(&config.publishable_key)))]
}

fn secure(site: Site) -> &'static str {
    if site.is_https { "; Secure" } else { "" }
}

/// Adds cookies to an answer.
pub fn append(headers: &mut HeaderMap, cookies: impl IntoIterator<Item = String>) {
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            headers.append(header::SET_COOKIE, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_cookie_is_read_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("a=1; __client=client_x.secret; b=2"));
        assert_eq!(client(&headers), Some((ClientId::from("client_x"), "secret")));
        headers.insert(header::COOKIE, HeaderValue::from_static("__client=nodot"));
        assert_eq!(client(&headers), None);
    }

    #[test]
    fn the_suffix_is_the_one_sdks_compute() {
        // echo -n pk_live_MTI3LjAuMC4xOjQ0MDAk | openssl sha1 -binary | basenc --base64url | cut -c1-8
        assert_eq!(suffix("pk_live_MTI3LjAuMC4xOjQ0MDAk"), "V3roXyTO");
    }

    #[test]
    fn the_client_cookie_is_out_of_scripts_reach() {
        let https = Site { is_https: true, is_proxied: false };
        let cookie = set_client(&ClientId::from("client_x"), "s", https);
        for part in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
            assert!(cookie.contains(part), "{part}");
        }
        assert!(!cookie.contains("Domain"));
    }
}
