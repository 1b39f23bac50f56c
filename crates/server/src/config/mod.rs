//! Raw settings (flags, environment, file) become a checked [`Config`]. Every key is described in `docs/CONFIGURATION.md`.

mod raw;

pub use raw::RawConfig;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_model::{Domain, Millis};
use doorward_rules::metadata_refresh::DEFAULT_INTERVAL;
use doorward_rules::redirect::{ListingRefusal, check_listing};
use std::net::SocketAddr;
use std::path::PathBuf;
use url::Url;

/// What the program runs with.
#[derive(Clone, Debug)]
pub struct Config {
    pub listen: SocketAddr,
    pub database_url: String,
    /// Where browsers reach this server, without trailing slash.
    pub public_url: String,
    /// Where people land who were sent without saying where to.
    pub home_url: String,
    /// The host in the publishable key, in `iss` and in SAML entity ids.
    pub host: String,
    pub publishable_key: String,
    /// Used at first start instead of a generated one.
    pub secret_key: Option<Secret>,
    pub encryption_key: Option<Secret>,
    /// Origins the outbound client may reach although they are not public https.
    pub outbound_allow: Vec<String>,
    /// Origins of applications, beside those set over the Backend API.
    pub allowed_origins: Vec<String>,
    /// URLs browsers may be sent to, beside those set over the Backend API.
    pub redirect_urls: Vec<String>,
    pub rate_limits: bool,
    /// Whether the client address is taken from `X-Forwarded-For`; set behind a reverse proxy only.
    pub trust_forwarded_for: bool,
    /// How often IdP metadata is read again, in milliseconds; `None`: never.
    pub metadata_refresh_interval: Option<Millis>,
    /// Our applications at the EASIE providers, for connections that have none of their own.
    pub easie_google: Option<EasieClient>,
    pub easie_microsoft: Option<EasieClient>,
    /// How long an EASIE provider's word that an account is there counts, in milliseconds: ten minutes at the most (EAS-4).
    pub easie_check_interval: Millis,
    /// A `node_modules/@clerk` folder to serve the browser packages from.
    pub clerk_assets: Option<PathBuf>,
    pub log_json: bool,
}

/// The credentials of a multi-tenant application at Google or Microsoft (EAS-2).
#[derive(Clone, Debug)]
pub struct EasieClient {
    pub client_id: String,
    pub client_secret: Secret,
}

/// A text that must not be printed.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// A setting that cannot be used, in one sentence.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct ConfigError {
    pub key: &'static str,
    pub reason: String,
}

fn wrong(key: &'static str, reason: impl Into<String>) -> ConfigError {
    ConfigError { key, reason: reason.into() }
}

impl Config {
    /// Checks raw settings.
    pub fn check(raw: RawConfig) -> Result<Self, ConfigError> {
        let listen_text = raw.listen.unwrap_or_else(|| "127.0.0.1:4400".into());
        let listen: SocketAddr = listen_text
            .parse()
            .map_err(|_| wrong("listen", format!("{listen_text:?} is no address and port such as 127.0.0.1:4400")))?;
        let public_url = check_public_url(raw.public_url, listen)?;
        let host = host_of(&public_url)?;
        if let Some(key) = &raw.secret_key
            && !crate::keys::secret_key::is_well_formed(key)
        {
            return Err(wrong("secret_key", "must be sk_live_ followed by at least 20 letters and digits"));
        }
        let own_url = public_url.as_str().trim_end_matches('/').to_owned();
        Ok(Self {
            listen,
            home_url: raw.home_url.map(check_home_url).transpose()?.unwrap_or_else(|| own_url.clone()),
            database_url: raw.database_url.unwrap_or_else(|| "sqlite://doorward.db".into()),
            public_url: own_url,
            publishable_key: format!("pk_live_{}", STANDARD.encode(format!("{host}$"))),
            host,
            secret_key: raw.secret_key.map(Secret),
            encryption_key: raw.encryption_key.map(Secret),
            outbound_allow: list(raw.outbound_allow),
            allowed_origins: origins(list(raw.allowed_origins))?,
            redirect_urls: urls(list(raw.redirect_urls))?,
            rate_limits: switch("rate_limits", raw.rate_limits, true)?,
            trust_forwarded_for: switch("trust_forwarded_for", raw.trust_forwarded_for, false)?,
            metadata_refresh_interval: refresh_interval(raw.metadata_refresh_interval)?,
            easie_google: easie_client(
                "easie_google_client_secret",
                raw.easie_google_client_id,
                raw.easie_google_client_secret,
            )?,
            easie_microsoft: easie_client(
                "easie_microsoft_client_secret",
                raw.easie_microsoft_client_id,
                raw.easie_microsoft_client_secret,
            )?,
            easie_check_interval: check_interval(raw.easie_check_interval)?,
            clerk_assets: raw.clerk_assets.map(PathBuf::from),
            log_json: match raw.log_format.as_deref() {
                None | Some("text") => false,
                Some("json") => true,
                Some(other) => return Err(wrong("log_format", format!("must be text or json, not {other:?}"))),
            },
        })
    }

    /// `iss` of session tokens: always https, as the published SDKs expect.
    pub fn issuer(&self) -> String {
        format!("https://{}", self.host)
    }

    /// Whether cookies can be marked `Secure`.
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// The domain for cookies that the application's pages must read: the registrable one above our host, if we have a name.
    pub fn cookie_domain(&self) -> Option<String> {
        let name = self.host.split(':').next().unwrap_or_default();
        Domain::parse(name).ok()?.registrable().map(|domain| domain.as_str().to_owned())
    }
}

fn check_public_url(text: Option<String>, listen: SocketAddr) -> Result<Url, ConfigError> {
    let text = text.unwrap_or_else(|| {
        // A wildcard address is no place to send a browser to.
        if listen.ip().is_unspecified() {
            format!("http://127.0.0.1:{}", listen.port())
        } else {
            format!("http://{listen}")
        }
    });
    let url = Url::parse(&text).map_err(|_| wrong("public_url", format!("{text:?} is no URL")))?;
    let is_plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if !matches!(url.scheme(), "http" | "https") || !is_plain {
        return Err(wrong("public_url", format!("{text:?} must be http:// or https:// and a host, without a path")));
    }
    Ok(url)
}

fn check_home_url(text: String) -> Result<String, ConfigError> {
    let url =
        Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.username().is_empty());
    url.map(String::from).ok_or_else(|| wrong("home_url", format!("{text:?} is no http:// or https:// URL")))
}

/// The published SDKs reject a host without a dot.
fn host_of(url: &Url) -> Result<String, ConfigError> {
    let name = url.host_str().unwrap_or_default();
    if !name.contains('.') {
        return Err(wrong("public_url", format!("the host {name:?} needs a dot; use 127.0.0.1 instead of localhost")));
    }
    Ok(match url.port() {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    })
}

fn list(text: Option<String>) -> Vec<String> {
    let text = text.unwrap_or_default();
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn origins(texts: Vec<String>) -> Result<Vec<String>, ConfigError> {
    texts.into_iter().map(|text| parse_origin(&text).map_err(|reason| wrong("allowed_origins", reason))).collect()
}

/// An origin as browsers write it: scheme, host and port without a path.
pub fn parse_origin(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|_| format!("{text:?} is no origin such as https://app.example.com"))?;
    let origin = url.origin();
    if origin.is_tuple() && url.path() == "/" && url.query().is_none() && url.username().is_empty() {
        return Ok(origin.ascii_serialization());
    }
    // Extensions and native shells have origins with schemes of their own.
    let is_own_scheme = !matches!(url.scheme(), "http" | "https" | "javascript" | "data" | "file" | "blob" | "about");
    match url.host_str() {
        Some(host) if is_own_scheme && matches!(url.path(), "" | "/") => Ok(format!("{}://{host}", url.scheme())),
        _ => Err(format!("{text:?} is no origin such as https://app.example.com")),
    }
}

fn urls(texts: Vec<String>) -> Result<Vec<String>, ConfigError> {
    let check =
        |text: String| parse_redirect_url(&text).map_err(|reason| wrong("redirect_urls", format!("{text:?} {reason}")));
    texts.into_iter().map(check).collect()
}

/// A redirect URL as browsers write it, so that it can be compared; the error says what it must be or has.
pub fn parse_redirect_url(text: &str) -> Result<String, &'static str> {
    let url = Url::parse(text.trim()).map_err(|_| "must be an absolute URL")?;
    let is_place =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    match check_listing(url.scheme(), is_place) {
        Ok(()) => Ok(url.into()),
        Err(ListingRefusal::Scheme) => Err("has a scheme that browsers must not be sent to"),
        Err(ListingRefusal::MoreThanPlace) => Err("must hold neither credentials nor query nor fragment"),
    }
}

fn switch(key: &'static str, text: Option<String>, default: bool) -> Result<bool, ConfigError> {
    match text.as_deref() {
        None => Ok(default),
        Some("on" | "true" | "1") => Ok(true),
        Some("off" | "false" | "0") => Ok(false),
        Some(other) => Err(wrong(key, format!("must be on or off, not {other:?}"))),
    }
}

const MINUTE: Millis = 60_000;

/// A whole number and `s`, `m`, `h` or `d`, in milliseconds.
fn duration(text: &str) -> Option<Millis> {
    let units = [("s", 1000), ("m", MINUTE), ("h", 60 * MINUTE), ("d", 24 * 60 * MINUTE)];
    units.into_iter().find_map(|(unit, length)| {
        let number = text.strip_suffix(unit).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()))?;
        number.parse::<Millis>().ok()?.checked_mul(length)
    })
}

/// An application has an id and a secret, or there is none.
fn easie_client(
    secret_key: &'static str,
    client_id: Option<String>,
    client_secret: Option<String>,
) -> Result<Option<EasieClient>, ConfigError> {
    match (client_id, client_secret) {
        (None, None) => Ok(None),
        (Some(client_id), Some(client_secret)) => {
            Ok(Some(EasieClient { client_id, client_secret: Secret(client_secret) }))
        }
        (Some(_), None) => Err(wrong(secret_key, "must be set beside the client id")),
        (None, Some(_)) => Err(wrong(secret_key, "is of no use without the client id")),
    }
}

/// From a second to ten minutes, which is what EAS-4 allows.
fn check_interval(text: Option<String>) -> Result<Millis, ConfigError> {
    const LONGEST: Millis = 10 * MINUTE;
    let Some(text) = text else { return Ok(LONGEST) };
    match duration(&text).filter(|interval| (1000..=LONGEST).contains(interval)) {
        Some(interval) => Ok(interval),
        None => Err(wrong("easie_check_interval", format!("must be from 1s to 10m such as 5m, not {text:?}"))),
    }
}

/// A whole number and a unit, from a quarter of an hour to thirty days; or `off`.
fn refresh_interval(text: Option<String>) -> Result<Option<Millis>, ConfigError> {
    const BOUNDS: std::ops::RangeInclusive<Millis> = 15 * MINUTE..=30 * 24 * 60 * MINUTE;
    let Some(text) = text else { return Ok(Some(DEFAULT_INTERVAL)) };
    if text == "off" {
        return Ok(None);
    }
    match duration(&text).filter(|interval| BOUNDS.contains(interval)) {
        Some(interval) => Ok(Some(interval)),
        None => {
            Err(wrong("metadata_refresh_interval", format!("must be off or from 15m to 30d such as 24h, not {text:?}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut RawConfig)) -> Result<Config, ConfigError> {
        let mut raw = RawConfig::default();
        change(&mut raw);
        Config::check(raw)
    }

    #[test]
    fn defaults_serve_loopback_on_sqlite() {
        let config = check(|_| {}).unwrap();
        assert_eq!(config.public_url, "http://127.0.0.1:4400");
        assert_eq!(config.publishable_key, "pk_live_MTI3LjAuMC4xOjQ0MDAk");
        assert_eq!(config.issuer(), "https://127.0.0.1:4400");
        assert_eq!(config.database_url, "sqlite://doorward.db");
        assert_eq!(config.cookie_domain(), None);
    }

    #[test]
    fn a_named_host_shares_cookies_with_its_site() {
        let config = check(|raw| raw.public_url = Some("https://clerk.example.co.uk".into())).unwrap();
        assert_eq!(config.cookie_domain().as_deref(), Some("example.co.uk"));
        assert!(config.is_https());
    }

    #[test]
    fn each_wrong_setting_is_one_sentence_that_names_its_key() {
        type Case = (&'static str, fn(&mut RawConfig));
        let cases: [Case; 21] = [
            ("listen", |raw| raw.listen = Some("4400".into())),
            ("public_url", |raw| raw.public_url = Some("http://localhost:4400".into())),
            ("public_url", |raw| raw.public_url = Some("https://a.test/path".into())),
            ("home_url", |raw| raw.home_url = Some("app.test".into())),
            ("home_url", |raw| raw.home_url = Some("javascript:alert(1)".into())),
            ("secret_key", |raw| raw.secret_key = Some("sk_test_x".into())),
            ("allowed_origins", |raw| raw.allowed_origins = Some("https://a.test/x".into())),
            ("redirect_urls", |raw| raw.redirect_urls = Some("nowhere".into())),
            ("redirect_urls", |raw| raw.redirect_urls = Some("https://a.test/done?a=1".into())),
            ("redirect_urls", |raw| raw.redirect_urls = Some("javascript:alert(1)".into())),
            ("rate_limits", |raw| raw.rate_limits = Some("maybe".into())),
            ("metadata_refresh_interval", |raw| raw.metadata_refresh_interval = Some("14m".into())),
            ("metadata_refresh_interval", |raw| raw.metadata_refresh_interval = Some("31d".into())),
            ("metadata_refresh_interval", |raw| raw.metadata_refresh_interval = Some("-1h".into())),
            ("metadata_refresh_interval", |raw| raw.metadata_refresh_interval = Some("99999999999999999d".into())),
            ("easie_google_client_secret", |raw| raw.easie_google_client_id = Some("google".into())),
            ("easie_google_client_secret", |raw| raw.easie_google_client_secret = Some("secret".into())),
            ("easie_microsoft_client_secret", |raw| raw.easie_microsoft_client_id = Some("microsoft".into())),
            ("easie_microsoft_client_secret", |raw| raw.easie_microsoft_client_secret = Some("secret".into())),
            ("easie_check_interval", |raw| raw.easie_check_interval = Some("0s".into())),
            ("easie_check_interval", |raw| raw.easie_check_interval = Some("11m".into())),
        ];
        for (key, change) in cases {
            assert_eq!(check(change).unwrap_err().key, key);
        }
    }

    #[test]
    fn the_refresh_interval_is_a_number_with_a_unit_or_off() {
        for (text, expected) in [
            (None, Some(86_400_000)),
            (Some("off"), None),
            (Some("15m"), Some(900_000)),
            (Some("6h"), Some(21_600_000)),
            (Some("30d"), Some(2_592_000_000)),
        ] {
            let config = check(|raw| raw.metadata_refresh_interval = text.map(str::to_owned)).unwrap();
            assert_eq!(config.metadata_refresh_interval, expected, "{text:?}");
        }
    }

    #[test]
    fn eas4_the_word_of_a_provider_counts_for_ten_minutes_or_less() {
        for (text, expected) in [(None, 600_000), (Some("1s"), 1000), (Some("90s"), 90_000), (Some("10m"), 600_000)] {
            let config = check(|raw| raw.easie_check_interval = text.map(str::to_owned)).unwrap();
            assert_eq!(config.easie_check_interval, expected, "{text:?}");
        }
    }

    #[test]
    fn eas2_an_application_at_a_provider_is_an_id_and_a_secret() {
        let config = check(|raw| {
            raw.easie_google_client_id = Some("google".into());
            raw.easie_google_client_secret = Some("confidential".into());
        });
        let config = config.unwrap();
        let google = config.easie_google.as_ref().unwrap();
        assert_eq!((google.client_id.as_str(), google.client_secret.expose()), ("google", "confidential"));
        assert!(config.easie_microsoft.is_none());
        assert!(!format!("{config:?}").contains("confidential"));
    }

    #[test]
    fn secrets_are_not_printed() {
        let config = check(|raw| raw.secret_key = Some("sk_live_aaaaaaaaaaaaaaaaaaaaaaaa".into())).unwrap();
        assert!(!format!("{config:?}").contains("sk_live_"));
    }

    #[test]
    fn redirect_urls_are_kept_as_browsers_write_them() {
        let config = check(|raw| raw.redirect_urls = Some("https://A.test, myapp://done".into())).unwrap();
        assert_eq!(config.redirect_urls, ["https://a.test/", "myapp://done"]);
    }

    #[test]
    fn origins_are_normalized_as_browsers_write_them() {
        assert_eq!(parse_origin("https://App.Example.com:443/").unwrap(), "https://app.example.com");
        assert_eq!(parse_origin("chrome-extension://abcdef").unwrap(), "chrome-extension://abcdef");
        for bad in ["null", "*", "app.example.com", "https://a.test/x", "javascript:alert(1)", "https://u@a.test"] {
            assert!(parse_origin(bad).is_err(), "{bad}");
        }
    }
}
