//! The one HTTP client to the world: https to public addresses only, after resolution and on every redirect, with limits
//! on size and time (DECISIONS "Wire" 9). Exceptions are the operator's `outbound_allow`; a redirect leads into one only from
//! a URL that it covers, too.

mod address;
pub mod kept;

use address::is_public;
use doorward_oidc::{HttpMethod, HttpRequest, HttpResponse};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use url::{Host, Url};

const TIMEOUT: Duration = Duration::from_secs(10);
const MAX_REDIRECTS: usize = 3;

/// The client; clones share its connections.
#[derive(Clone)]
pub struct Outbound {
    client: reqwest::Client,
    /// For requests that carry a secret for one address: what redirects them gets nothing.
    without_redirects: reqwest::Client,
    allow: Arc<[Exception]>,
}

/// What came back, whatever its status.
pub struct Received {
    status: u16,
    content_type: Option<String>,
    cache_control: Option<String>,
    body: Vec<u8>,
}

impl Received {
    /// For the parsers.
    pub fn as_response(&self) -> HttpResponse<'_> {
        HttpResponse { status: self.status, content_type: self.content_type.as_deref(), body: &self.body }
    }
}

/// A document, and for how long it may be kept.
pub struct Document {
    pub body: Vec<u8>,
    /// `Cache-Control` as it came.
    pub cache_control: Option<String>,
}

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    #[error("{0} is not allowed: {1}")]
    Refused(String, &'static str),
    #[error("the server answered with status {0}")]
    Status(u16),
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the server could not be reached: {0}")]
    Unreachable(String),
    #[error("the server could not be reached: it took too long")]
    TooSlow,
}

/// Something the operator allows beyond public https.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Exception {
    /// `http://127.0.0.1` (any port) or `http://127.0.0.1:8080`: this scheme and host.
    Origin { scheme: String, host: String, port: Option<u16> },
    /// `idp.internal`: this host over https, wherever it resolves to.
    Host(String),
}

impl Exception {
    fn parse(text: &str) -> Self {
        match Url::parse(text) {
            Ok(url) if url.has_host() => Self::Origin {
                scheme: url.scheme().to_owned(),
                host: url.host_str().unwrap_or_default().to_owned(),
                port: url.port(),
            },
            _ => Self::Host(text.to_lowercase()),
        }
    }

    fn covers(&self, url: &Url) -> bool {
        let found = url.host_str().unwrap_or_default();
        match self {
            Self::Origin { scheme, host, port } => {
                scheme == url.scheme()
                    && host == found
                    && port.is_none_or(|port| url.port_or_known_default() == Some(port))
            }
            Self::Host(host) => url.scheme() == "https" && host == found,
        }
    }

    fn covers_host(&self, name: &str) -> bool {
        match self {
            Self::Origin { host, .. } | Self::Host(host) => host == name,
        }
    }
}

/// Refuses a URL by what it says; the resolver below refuses it by where it leads. `asked` is the URL that was asked for where
/// `url` is a redirect's or stands in a document: an exception is made for whoever names it, and not for whom a stranger's server
/// sends there.
fn check(url: &Url, asked: Option<&Url>, allow: &[Exception]) -> Result<(), OutboundError> {
    let refused = |reason| Err(OutboundError::Refused(url.as_str().chars().take(200).collect(), reason));
    if !url.username().is_empty() || url.password().is_some() {
        return refused("URLs with credentials are not fetched");
    }
    let is_for_whoever_asked = |exception: &Exception| asked.is_none_or(|asked| exception.covers(asked));
    if allow.iter().any(|exception| exception.covers(url) && is_for_whoever_asked(exception)) {
        return Ok(());
    }
    // The resolver lets an excepted name lead anywhere, so only what the exception says may use it.
    let name = url.host_str().unwrap_or_default();
    if allow.iter().any(|exception| exception.covers_host(name)) {
        return refused("only what outbound_allow says of this host is fetched");
    }
    if url.scheme() != "https" {
        return refused("only https is fetched");
    }
    match url.host() {
        None => refused("it names no host"),
        Some(Host::Ipv4(address)) if !is_public(IpAddr::V4(address)) => refused("the address is not public"),
        Some(Host::Ipv6(address)) if !is_public(IpAddr::V6(address)) => refused("the address is not public"),
        Some(_) => Ok(()),
    }
}

/// What a name leads to.
type Found = Pin<Box<dyn Future<Output = std::io::Result<Vec<SocketAddr>>> + Send>>;
type LookUp = fn(String) -> Found;

/// Asks the machine.
fn look_up(host: String) -> Found {
    Box::pin(async move { Ok(tokio::net::lookup_host((host.as_str(), 0)).await?.collect()) })
}

/// Resolves names to public addresses only. The connection is made to exactly the addresses answered here, so a DNS
/// answer that changes afterwards changes nothing.
struct PublicResolver {
    allow: Arc<[Exception]>,
    look_up: LookUp,
}

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (allow, look_up) = (self.allow.clone(), self.look_up);
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = look_up(host.clone()).await?;
            let excepted = allow.iter().any(|exception| exception.covers_host(&host));
            let usable: Vec<SocketAddr> =
                found.into_iter().filter(|address| excepted || is_public(address.ip())).collect();
            if usable.is_empty() {
                return Err("the name leads to no public address".into());
            }
            Ok(Box::new(usable.into_iter()) as Addrs)
        })
    }
}

impl Outbound {
    /// A client with the operator's exceptions.
    pub fn new(allow: &[String]) -> Result<Self, String> {
        Self::with(allow, look_up, TIMEOUT)
    }

    fn with(allow: &[String], look_up: LookUp, patience: Duration) -> Result<Self, String> {
        let allow: Arc<[Exception]> = allow.iter().map(|text| Exception::parse(text)).collect();
        let for_redirects = allow.clone();
        let redirects = reqwest::redirect::Policy::custom(move |attempt| {
            if attempt.previous().len() > MAX_REDIRECTS {
                return attempt.error("too many redirects");
            }
            match check(attempt.url(), attempt.previous().first(), &for_redirects) {
                Ok(()) => attempt.follow(),
                Err(error) => attempt.error(error),
            }
        });
        let build = |redirects| {
            let builder = reqwest::Client::builder()
                .timeout(patience)
                .connect_timeout(patience / 2)
                .redirect(redirects)
                .dns_resolver(Arc::new(PublicResolver { allow: allow.clone(), look_up }))
                .no_proxy()
                .referer(false)
                .user_agent(concat!("doorward/", env!("CARGO_PKG_VERSION")));
            builder.build().map_err(|error| error.to_string())
        };
        let client = build(redirects)?;
        let without_redirects = build(reqwest::redirect::Policy::none())?;
        Ok(Self { client, without_redirects, allow })
    }

    /// Fetches a document of at most `max` bytes.
    pub async fn get(&self, url: &str, max: usize) -> Result<Vec<u8>, OutboundError> {
        Ok(self.document(url, None, max).await?.body)
    }

    /// As [`Self::get`], with what says how long it may be kept. `named_by` is the URL of the document that names `url`, if one does.
    pub async fn document(&self, url: &str, named_by: Option<&str>, max: usize) -> Result<Document, OutboundError> {
        let received = receive(self.client.get(self.checked(url, named_by)?), max, true).await?;
        Ok(Document { body: received.body, cache_control: received.cache_control })
    }

    /// Sends a request that carries a secret: to its address and nowhere else. The answer, of at most `max` bytes, may have
    /// any status, that of a redirect among them. `named_by` as in [`Self::document`].
    pub async fn send(
        &self,
        request: &HttpRequest,
        named_by: Option<&str>,
        max: usize,
    ) -> Result<Received, OutboundError> {
        let url = self.checked(&request.url, named_by)?;
        let builder = match request.method {
            HttpMethod::Get => self.without_redirects.get(url),
            HttpMethod::Post => self.without_redirects.post(url),
        };
        let builder = request.headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, value));
        let builder = match &request.body {
            Some(body) => builder.body(body.clone()),
            None => builder,
        };
        receive(builder, max, false).await
    }

    fn checked(&self, url: &str, named_by: Option<&str>) -> Result<Url, OutboundError> {
        let parse = |url: &str| {
            Url::parse(url).map_err(|_| OutboundError::Refused(url.chars().take(200).collect(), "it is no URL"))
        };
        let (url, named_by) = (parse(url)?, named_by.map(parse).transpose()?);
        check(&url, named_by.as_ref(), &self.allow)?;
        Ok(url)
    }
}

async fn receive(request: reqwest::RequestBuilder, max: usize, wants_success: bool) -> Result<Received, OutboundError> {
    let mut response = request.send().await.map_err(|error| reason(&error))?;
    let status = response.status();
    if wants_success && !status.is_success() {
        return Err(OutboundError::Status(status.as_u16()));
    }
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (content_type, cache_control) = (header(reqwest::header::CONTENT_TYPE), header(reqwest::header::CACHE_CONTROL));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| reason(&error))? {
        if body.len() + chunk.len() > max {
            return Err(OutboundError::TooLarge(max));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Received { status: status.as_u16(), content_type, cache_control, body })
}

/// The innermost cause: the outer ones repeat the URL.
fn reason(error: &reqwest::Error) -> OutboundError {
    if error.is_timeout() {
        return OutboundError::TooSlow;
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    OutboundError::Unreachable(cause.to_string().chars().take(200).collect())
}

#[cfg(test)]
mod tests;
