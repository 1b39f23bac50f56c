//! An OpenID Connect provider on loopback: configuration, keys and the token endpoint over HTTP; who has signed in is told by the
//! bench.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

const CLIENT_ID: &str = "bench";
const CLIENT_SECRET: &str = "bench-secret";
const LARGEST_FORM: usize = 64 * 1024;

/// Who was given a code, and with which nonce.
struct Grant {
    email: String,
    nonce: String,
}

struct Shared {
    issuer: String,
    key: KeyPair,
    grants: Mutex<HashMap<String, Grant>>,
}

pub struct Provider(Arc<Shared>);

impl Provider {
    pub fn start(key: KeyPair) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let issuer = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared { issuer, key, grants: Mutex::default() });
        let served = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(std::io::Result::ok) {
                let shared = served.clone();
                // A connection that ends badly is the server's to complain about.
                std::thread::spawn(move || drop(shared.serve(stream)));
            }
        });
        Ok(Self(shared))
    }

    pub fn describe(&self) -> Value {
        let discovery_url = format!("{}/.well-known/openid-configuration", self.0.issuer);
        json!({ "discovery_url": discovery_url, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET })
    }

    /// Has the person `email` signed in who was sent to `url`: where she is sent back to.
    pub fn authorize(&self, request: &Value) -> Result<Value> {
        let text = |name: &str| request[name].as_str().with_context(|| format!("no {name}"));
        let (_, query) = text("url")?.split_once('?').context("no query")?;
        let asked = parameters(query);
        let asked = |name: &str| asked.get(name).with_context(|| format!("the request has no {name}"));
        let (state, redirect_uri) = (asked("state")?, asked("redirect_uri")?);
        let grant = Grant { email: text("email")?.to_owned(), nonce: asked("nonce")?.clone() };
        let code = format!("code-{state}");
        self.0.grants.lock().unwrap_or_else(PoisonError::into_inner).insert(code.clone(), grant);
        // Neither has characters that a URL changes.
        Ok(json!({ "location": format!("{redirect_uri}?code={code}&state={state}") }))
    }
}

impl Shared {
    /// Answers the requests of one connection.
    fn serve(&self, mut stream: TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream.try_clone()?);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let path = line.split(' ').nth(1).context("no path")?.to_owned();
            let mut length = 0;
            loop {
                let mut header = String::new();
                reader.read_line(&mut header)?;
                match header.trim_end().split_once(':') {
                    Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                        length = value.trim().parse()?
                    }
                    Some(_) => {}
                    None => break,
                }
            }
            let mut body = vec![0; usize::min(length, LARGEST_FORM)];
            reader.read_exact(&mut body)?;
            let answer = self.answer(&path, std::str::from_utf8(&body)?)?.to_string();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                answer.len()
            );
            stream.write_all(format!("{head}{answer}").as_bytes())?;
        }
    }

    fn answer(&self, path: &str, form: &str) -> Result<Value> {
        let issuer = &self.issuer;
        match path {
            "/.well-known/openid-configuration" => Ok(json!({
                "issuer": issuer,
                "authorization_endpoint": format!("{issuer}/auth"),
                "token_endpoint": format!("{issuer}/token"),
                "jwks_uri": format!("{issuer}/jwks"),
                "response_types_supported": ["code"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            })),
            "/jwks" => {
                let components = RsaPublicKeyComponents::<Vec<u8>>::from(self.key.public_key());
                let [n, e] = [components.n, components.e].map(|part| URL_SAFE_NO_PAD.encode(part));
                Ok(json!({ "keys": [{ "kty": "RSA", "kid": "bench", "use": "sig", "n": n, "e": e }] }))
            }
            "/token" => self.tokens(form),
            _ => Err(anyhow!("nothing is at {path}")),
        }
    }

    fn tokens(&self, form: &str) -> Result<Value> {
        let form = parameters(form);
        let code = form.get("code").context("no code")?;
        let grant = self.grants.lock().unwrap_or_else(PoisonError::into_inner).remove(code).context("unknown code")?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let header = json!({ "alg": "RS256", "kid": "bench", "typ": "JWT" });
        let claims = json!({
            "iss": self.issuer, "sub": grant.email, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": grant.nonce,
            "email": grant.email, "email_verified": true, "given_name": "Bea", "family_name": "Bench",
        });
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let message = format!("{header}.{claims}");
        let mut signature = vec![0; self.key.public_modulus_len()];
        let signed = self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature);
        signed.map_err(|_| anyhow!("cannot sign"))?;
        let id_token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
        Ok(
            json!({ "access_token": format!("access-{code}"), "token_type": "Bearer", "expires_in": 300, "id_token": id_token }),
        )
    }
}

/// The parameters of a query or form.
fn parameters(text: &str) -> HashMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, behind @ ..] = rest {
        rest = behind;
        let escaped = behind.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => bytes.push(if *first == b'+' { b' ' } else { *first }),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
