//! The corpus of genuine and hostile answers against the running server, at a throw-away connection that is made for it and
//! deleted again.
//!
//! Nobody can be signed in by it: its domain belongs to nobody, the answers are about a person of another domain, and it makes no
//! users. So a genuine answer, too, ends in a refusal, but in one that comes after everything the verifier has to say.

use super::finding::{Check, Finding};
use crate::flows::sign_in::saml_callback::USED_BEFORE;
use crate::keys::connection_key;
use crate::random::hex;
use doorward_corpus::{ACCEPTED, Case, Group, KeyPair, REJECTED, Scene};
use doorward_model::{EnterpriseConnection, Millis, Random, SigningKey};
use doorward_saml::TrustedCertificate;
use doorward_saml::idp::ReceivedAuthnRequest;

use futures_util::FutureExt as _;
use reqwest::header::{HeaderMap, HeaderValue, LOCATION, RETRY_AFTER, SET_COOKIE};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use url::{Host, Url, form_urlencoded};

const RUN: Check = Check::new(
    "corpus",
    "It shows what this server does with what is known to have broken others, not what it should do.",
);
const TAKES: Check = Check::new("corpus_takes", "If a genuine answer is refused, nobody can sign in.");
const REFUSES: Check = Check::new("corpus_refuses", "If one of these is taken, strangers can sign in as anybody.");

const IDP_ENTITY_ID: &str = "https://idp.selfcheck.invalid/saml";
/// Below it are the domains of throw-away connections, and no others.
const DOMAIN: &str = "selfcheck.invalid";
const DEFECT: &str =
    "take the server off the network and report this: it is a defect of the program, or the program was altered";
/// The server lets one address begin two sign-ins a second.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
const MAX_ANSWER: usize = 1024 * 1024;
const NAME: &str = "Self-check (throw-away)";
const PAGE: usize = 100;
/// Longer than a run takes, in milliseconds.
const LONGEST_RUN: Millis = 30 * 60 * 1000;
/// Between two sign-ins, once the server has said that they come too fast: half of what it allows, so that others get in.
const PAUSE: Duration = Duration::from_secs(1);

/// The running server and how to reach it.
pub struct Target<'a> {
    /// Where it listens: scheme, host and port.
    pub url: &'a str,
    pub secret_key: &'a str,
    pub now: &'a (dyn Fn() -> Millis + Sync),
    pub random: &'a dyn Random,
    /// Told after each answer how many were tried, and of how many.
    pub progress: &'a (dyn Fn(usize, usize) + Sync),
}

/// What became of an answer.
enum Outcome {
    /// The verifier had nothing against it.
    Taken,
    Refused(String),
    /// Neither: somebody was signed in, or the server does something it should not.
    Wrong(String),
}

/// Runs every case that only its document makes genuine or hostile. `signing_keys` are those of the database: the server must have them.
pub async fn check(
    target: &Target<'_>,
    signing_keys: &[SigningKey],
    connection: &EnterpriseConnection,
) -> Vec<Finding> {
    match Run::prepare(target, signing_keys, connection).await {
        Err(reason) => vec![RUN.problem(reason, "start the server, and check --server-url and DOORWARD_SECRET_KEY")],
        Ok(mut run) => {
            // Whatever ends it, the connection goes.
            let outcome = tokio::select! {
                outcome = AssertUnwindSafe(run.all()).catch_unwind() => outcome,
                _ = tokio::signal::ctrl_c() => Ok(Err("interrupted".to_owned())),
            };
            let outcome = outcome.unwrap_or_else(|_| Err("the corpus could not be made".to_owned()));
            let removed = run.remove().await;
            let mut findings = outcome
                .unwrap_or_else(|reason| vec![RUN.problem(reason, "run the check again; read the server's log")]);
            if let Err(reason) = removed {
                let mend = format!("DELETE /v1/enterprise_connections/{}", run.stand_in.id);
                findings.push(RUN.problem(format!("the throw-away connection could not be deleted: {reason}"), mend));
            }
            findings
        }
    }
}

/// The finding where nothing was sent.
pub fn not_run() -> Finding {
    let what = "the hostile answers were not sent to the running server, as its secret key is not known here";
    RUN.warning(what, "set DOORWARD_SECRET_KEY and run the check again")
}

/// The throw-away connection.
struct StandIn {
    id: String,
    acs_url: String,
    sp_entity_id: String,
    /// Known once its metadata was read.
    recipient: Option<TrustedCertificate>,
    idp: connection_key::KeyPair,
    foreign: connection_key::KeyPair,
}

struct Run<'a> {
    server: Server<'a>,
    target: &'a Target<'a>,
    stand_in: StandIn,
    /// The sign-in that all answers belong to, one trip each.
    sign_in: String,
}

impl<'a> Run<'a> {
    async fn prepare(
        target: &'a Target<'a>,
        signing_keys: &[SigningKey],
        like: &EnterpriseConnection,
    ) -> Result<Self, String> {
        let server = Server::new(target)?;
        server.check_is_ours(signing_keys).await?;
        let [idp, foreign] = throw_away_keys().await?;
        let domain = throw_away_domain(target.random);
        let wanted = json!({
            "name": NAME,
            "provider": like.provider.as_str(),
            "domains": [domain],
            "active": true,
            "disable_jit_provisioning": true,
            "saml": {
                "idp_entity_id": IDP_ENTITY_ID,
                "idp_sso_url": "https://idp.selfcheck.invalid/sso",
                "idp_certificate": idp.certificate,
                "allow_idp_initiated": like.saml.allow_idp_initiated,
                "attribute_mapping": { "user_id": "", "email_address": "mail" },
            },
        });
        remove_left_over(&server).await?;
        let made = server.backend(Method::POST, "/v1/enterprise_connections", Some(&wanted)).await?;
        let stand_in = StandIn {
            id: text(&made, "/id")?,
            acs_url: text(&made, "/saml_connection/acs_url")?,
            sp_entity_id: text(&made, "/saml_connection/sp_entity_id")?,
            recipient: None,
            idp,
            foreign,
        };
        let metadata_url = text(&made, "/saml_connection/sp_metadata_url")?;
        let mut run = Run { server, target, stand_in, sign_in: String::new() };
        match run.begin(&metadata_url, &domain).await {
            Ok(()) => Ok(run),
            Err(reason) => Err(match run.remove().await {
                Ok(()) => reason,
                Err(left) => format!("{reason}; and {} could not be deleted: {left}", run.stand_in.id),
            }),
        }
    }

    async fn begin(&mut self, metadata_url: &str, domain: &str) -> Result<(), String> {
        let metadata = self.server.browse(Method::GET, metadata_url, None).await?.body;
        let recipient = encryption_certificate(&metadata).ok_or("the metadata has no certificate to encrypt for")?;
        self.stand_in.recipient = Some(recipient);
        let body = form(&[("identifier", &format!("nobody@{domain}"))]);
        let sign_in = self.server.browse(Method::POST, "/v1/client/sign_ins", Some(body)).await?.json()?;
        self.sign_in = text(&sign_in, "/response/id")?;
        Ok(())
    }

    async fn all(&mut self) -> Result<Vec<Finding>, String> {
        let counted = self.scene("_request", (self.target.now)())?;
        let plan: Vec<(Group, bool)> = ACCEPTED
            .iter()
            .map(|group| (*group, true))
            .chain(REJECTED.iter().flat_map(|groups| *groups).map(|group| (*group, false)))
            .collect();
        let cases: Vec<(Group, bool, usize)> = plan
            .into_iter()
            .flat_map(|(group, genuine)| {
                let cases = group(&counted);
                let chosen = cases.iter().enumerate().filter(|(_, case)| case.is_of_scene()).map(|(at, _)| at);
                chosen.map(move |at| (group, genuine, at)).collect::<Vec<_>>()
            })
            .collect();
        let (mut taken, mut refused, mut findings) = (0, 0, Vec::new());
        for (number, (group, genuine, at)) in cases.iter().enumerate() {
            let (name, outcome) = self.one(*group, *at).await?;
            match (genuine, outcome) {
                (true, Outcome::Taken) => taken += 1,
                (false, Outcome::Refused(_)) => refused += 1,
                (true, Outcome::Refused(reason)) => {
                    findings.push(TAKES.problem(format!("{name} was refused: {reason}"), "report this"));
                }
                (false, Outcome::Taken) => findings.push(REFUSES.problem(format!("{name} was taken"), DEFECT)),
                (_, Outcome::Wrong(what)) => findings.push(REFUSES.problem(format!("{name}: {what}"), DEFECT)),
            }
            (self.target.progress)(number + 1, cases.len());
        }
        if taken > 0 {
            findings.push(TAKES.good(format!("{taken} styles of genuine answers")));
        }
        if refused > 0 {
            findings.push(REFUSES.good(format!("{refused} hostile and broken answers")));
        }
        Ok(findings)
    }

    /// One answer to a request of its own.
    async fn one(&mut self, group: Group, at: usize) -> Result<(String, Outcome), String> {
        if self.server.is_limited {
            tokio::time::sleep(PAUSE).await;
        }
        let origin = origin(&self.stand_in.acs_url)?;
        let back = format!("{origin}/sign-in");
        let body =
            form(&[("strategy", "enterprise_sso"), ("redirect_url", &back), ("action_complete_redirect_url", &back)]);
        let path = format!("/v1/client/sign_ins/{}/prepare_first_factor", self.sign_in);
        let prepared = self.server.browse(Method::POST, &path, Some(body)).await?.json()?;
        let idp_url = text(&prepared, "/response/first_factor_verification/external_verification_redirect_url")?;
        let (_, query) = idp_url.split_once('?').ok_or("the way to the identity provider has no query")?;
        let request = ReceivedAuthnRequest::from_redirect_query(query).map_err(|error| error.to_string())?;
        let case = group(&self.scene(&request.id, (self.target.now)())?).into_iter().nth(at);
        let case: Case = case.ok_or("a case is gone")?;
        let relay_state = request.relay_state.unwrap_or_default();
        let body = form(&[("SAMLResponse", &case.form_value()), ("RelayState", &relay_state)]);
        let answer = self.server.post_from_elsewhere(&self.stand_in.acs_url, body).await?;
        let outcome = match answer.status {
            StatusCode::SEE_OTHER => self.outcome(&answer).await?,
            status if status.is_client_error() && answer.is_ours() => Outcome::Refused(format!("status {status}")),
            status => Outcome::Wrong(format!("the ACS answers with status {status}")),
        };
        Ok((format!("{} ({})", case.name, case.text("about")), outcome))
    }

    /// What the browser finds that collects the outcome.
    async fn outcome(&mut self, answer: &Answer) -> Result<Outcome, String> {
        let location = answer.location.as_deref().ok_or("the ACS redirects to nowhere")?;
        let finished = self.server.browse(Method::GET, location, None).await?;
        if !finished.status.is_redirection() {
            return Ok(Outcome::Wrong(format!("collecting the outcome answers with status {}", finished.status)));
        }
        let sign_in = self.server.browse(Method::GET, &format!("/v1/client/sign_ins/{}", self.sign_in), None).await?;
        let sign_in = sign_in.json()?;
        if sign_in["response"]["status"] != "needs_first_factor" {
            return Ok(Outcome::Wrong("it ended the sign-in".to_owned()));
        }
        let error = &sign_in["response"]["first_factor_verification"]["error"];
        let message = error["long_message"].as_str().unwrap_or_default().to_owned();
        Ok(match error["code"].as_str() {
            Some("saml_email_address_domain_mismatch") => Outcome::Taken,
            // The genuine ones have the same assertion id; that it was used before is said last.
            Some("saml_response_invalid") if message.ends_with(USED_BEFORE) => Outcome::Taken,
            Some("saml_response_invalid") => Outcome::Refused(message),
            code => Outcome::Wrong(format!("the sign-in ended with {code:?}: {message}")),
        })
    }

    fn scene(&self, request_id: &str, now_ms: Millis) -> Result<Scene, String> {
        let StandIn { acs_url, sp_entity_id, recipient, idp, foreign, .. } = &self.stand_in;
        let pair =
            |key: &connection_key::KeyPair| KeyPair { pkcs8: key.pkcs8.clone(), certificate: key.certificate.clone() };
        Ok(Scene {
            acs_url: acs_url.clone(),
            sp_entity_id: sp_entity_id.clone(),
            idp_entity_id: IDP_ENTITY_ID.to_owned(),
            request_id: request_id.to_owned(),
            now_ms,
            idp: pair(idp),
            foreign: pair(foreign),
            recipient: recipient.clone().ok_or("the metadata was not read")?,
            content_keys: RefCell::new(BTreeMap::new()),
        })
    }

    async fn remove(&self) -> Result<(), String> {
        self.server.delete(&self.stand_in.id).await
    }
}

/// Deletes what interrupted runs left: connections of that name all of whose domains are throw-away ones. A run that is under way
/// keeps its own.
pub async fn remove_left_over(server: &Server<'_>) -> Result<(), String> {
    let began_before = (server.target.now)() - LONGEST_RUN;
    let is_throw_away = |domain: &Value| {
        domain.as_str().and_then(|domain| domain.strip_suffix(DOMAIN)).is_some_and(|label| label.ends_with('.'))
    };
    let is_left_over = |connection: &&Value| {
        let domains = connection["domains"].as_array().map(Vec::as_slice).unwrap_or_default();
        connection["name"] == NAME
            && connection["created_at"].as_i64().is_some_and(|at| at < began_before)
            && !domains.is_empty()
            && domains.iter().all(is_throw_away)
    };
    let (mut left_over, mut offset) = (Vec::new(), 0);
    loop {
        let path = format!("/v1/enterprise_connections?limit={PAGE}&offset={offset}");
        let page = server.backend(Method::GET, &path, None).await?;
        let connections = page["data"].as_array().map(Vec::as_slice).unwrap_or_default();
        for connection in connections.iter().filter(is_left_over) {
            left_over.push(text(connection, "/id")?);
        }
        if connections.len() < PAGE {
            break;
        }
        offset += PAGE;
    }
    for id in left_over {
        server.delete(&id).await?;
    }
    Ok(())
}

async fn throw_away_keys() -> Result<[connection_key::KeyPair; 2], String> {
    let make = || Ok([connection_key::generate()?, connection_key::generate()?]);
    let made: Result<_, rcgen::Error> = tokio::task::spawn_blocking(make).await.map_err(|error| error.to_string())?;
    made.map_err(|error| format!("no throw-away key could be made: {error}"))
}

fn throw_away_domain(random: &dyn Random) -> String {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    format!("{}.{DOMAIN}", hex(&bytes))
}

fn text(json: &Value, pointer: &str) -> Result<String, String> {
    let found = json.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).ok_or_else(|| format!("the server's answer has no {pointer}"))
}

fn origin(url: &str) -> Result<String, String> {
    Url::parse(url).map(|url| url.origin().ascii_serialization()).map_err(|error| format!("{url}: {error}"))
}

fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// The first certificate of SP metadata that is for encryption.
fn encryption_certificate(metadata: &[u8]) -> Option<TrustedCertificate> {
    let metadata = std::str::from_utf8(metadata).ok()?;
    let (_, rest) = metadata.split_once("use=\"encryption\"")?;
    let (_, rest) = rest.split_once("<ds:X509Certificate>")?;
    TrustedCertificate::parse(rest.split_once('<')?.0).ok()
}

/// An HTTP client for the operator's own server. It follows no redirects, and sends what it sends to that server alone, whatever
/// the public URL is.
pub struct Server<'a> {
    client: reqwest::Client,
    target: &'a Target<'a>,
    /// The cookie that the browser has.
    browser: Option<String>,
    /// Whether it was told that it goes too fast.
    is_limited: bool,
}

struct Answer {
    status: StatusCode,
    location: Option<String>,
    body: Vec<u8>,
}

impl Answer {
    /// Whether an error is the server's, and not that of something in front of it.
    fn is_ours(&self) -> bool {
        serde_json::from_slice(&self.body).is_ok_and(|body: Value| body["clerk_trace_id"].is_string())
    }

    fn json(&self) -> Result<Value, String> {
        let json: Value = serde_json::from_slice(&self.body).map_err(|error| format!("{}: {error}", self.status))?;
        match json["errors"][0]["long_message"].as_str() {
            Some(message) => Err(format!("the server answers with status {}: {message}", self.status)),
            None => Ok(json),
        }
    }
}

impl<'a> Server<'a> {
    pub fn new(target: &'a Target<'a>) -> Result<Self, String> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(30))
            .no_proxy()
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { client, target, browser: None, is_limited: false })
    }

    /// The secret key goes to no other server, and not over the network in the clear.
    async fn check_is_ours(&self, signing_keys: &[SigningKey]) -> Result<(), String> {
        let url = self.at("/.well-known/jwks.json")?;
        let is_loopback = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        if url.scheme() != "https" && !is_loopback {
            return Err(format!("{url} is neither https nor on this machine, so the secret key is not sent there"));
        }
        let published = read(self.client.get(url).send().await.map_err(|error| unreachable(&error))?).await?.json()?;
        let published = published["keys"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_published = |key: &SigningKey| published.iter().any(|found| found["kid"] == *key.kid);
        match !signing_keys.is_empty() && signing_keys.iter().all(is_published) {
            true => Ok(()),
            false => Err(format!(
                "{} is not the server of this database, so the secret key is not sent there",
                self.target.url
            )),
        }
    }

    /// The path and query of a URL at the address where the server listens.
    fn at(&self, url: &str) -> Result<Url, String> {
        let base = Url::parse(self.target.url).map_err(|error| format!("{}: {error}", self.target.url))?;
        let wanted = base.join(url).map_err(|error| format!("{url}: {error}"))?;
        let mut here = base;
        here.set_path(wanted.path());
        here.set_query(wanted.query());
        Ok(here)
    }

    async fn backend(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, String> {
        let mut request = self.client.request(method, self.at(path)?).bearer_auth(self.target.secret_key);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        read(request.send().await.map_err(|error| unreachable(&error))?).await?.json()
    }

    async fn delete(&self, connection: &str) -> Result<(), String> {
        self.backend(Method::DELETE, &format!("/v1/enterprise_connections/{connection}"), None).await.map(drop)
    }

    /// As the browser that signs in; waits where it goes too fast for the server.
    async fn browse(&mut self, method: Method, url: &str, body: Option<String>) -> Result<Answer, String> {
        let mut headers = HeaderMap::new();
        if let Some(client) = &self.browser {
            let cookie = HeaderValue::from_str(&format!("__client={client}")).map_err(|error| error.to_string())?;
            headers.insert("cookie", cookie);
        }
        let mut waited = Duration::ZERO;
        loop {
            let response = self.send(method.clone(), url, headers.clone(), body.clone()).await?;
            let wait = retry_after(&response);
            if response.status() != StatusCode::TOO_MANY_REQUESTS || waited > LONGEST_WAIT {
                let cookies = response.headers().get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
                let client = cookies.filter_map(|cookie| cookie.strip_prefix("__client=")).next();
                if let Some(client) = client.and_then(|rest| rest.split(';').next()) {
                    self.browser = Some(client.to_owned());
                }
                return read(response).await;
            }
            self.is_limited = true;
            waited += wait;
            tokio::time::sleep(wait).await;
        }
    }

    /// As a page of the identity provider does it: without the cookie, which is not sent across sites.
    async fn post_from_elsewhere(&self, url: &str, body: String) -> Result<Answer, String> {
        read(self.send(Method::POST, url, HeaderMap::new(), Some(body)).await?).await
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: Option<String>,
    ) -> Result<Response, String> {
        let mut request = self.client.request(method, self.at(url)?).headers(headers);
        if let Some(body) = body {
            request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        }
        request.send().await.map_err(|error| unreachable(&error))
    }
}

fn retry_after(response: &Response) -> Duration {
    let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(1)).clamp(Duration::from_millis(500), Duration::from_secs(15))
}

async fn read(mut response: Response) -> Result<Answer, String> {
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err("the server's answer is too long".to_owned());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, location, body })
}

fn unreachable(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    format!("the server could not be reached: {cause}")
}
