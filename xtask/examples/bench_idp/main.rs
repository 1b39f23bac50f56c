//! The other side of `cargo xtask bench`, in a process of its own so that its work is not counted as the server's: an
//! identity provider that signs at once, by SAML and by OpenID Connect, and the cost of one signature. One JSON request a line
//! on standard input, one JSON answer a line on standard output.

#![expect(clippy::print_stdout, reason = "speaks on standard output")]
#![expect(clippy::disallowed_methods, reason = "an identity provider reads the clock")]

mod openid;

use std::io::BufRead;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow, bail};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_saml::SamlKey;
use doorward_saml::idp::{IssuedAttribute, IssuedResponse, ReceivedAuthnRequest, RsaDigest, SignedPart};
use serde_json::{Value, json};

const ENTITY_ID: &str = "https://idp.bench.test/saml";
const SSO_URL: &str = "https://idp.bench.test/sso";
const SIGNATURES: u32 = 400;

fn main() -> Result<()> {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/saml/tests/keys");
    let private_key = std::fs::read_to_string(keys.join("idp.key"))?;
    let certificate = std::fs::read_to_string(keys.join("idp.crt"))?;
    let idp = SamlKey::from_pem(&private_key, &certificate)?;
    let op = openid::Provider::start(rsa(&private_key)?)?;
    for line in std::io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        let answer = match request["do"].as_str() {
            Some("describe") => {
                json!({ "entity_id": ENTITY_ID, "sso_url": SSO_URL, "certificate": certificate })
            }
            Some("signature") => json!({ "cpu_us": signature_us(&private_key)? }),
            Some("respond") => respond(&idp, &request)?,
            Some("describe_op") => op.describe(),
            Some("authorize") => op.authorize(&request)?,
            _ => bail!("unknown request"),
        };
        println!("{answer}");
    }
    Ok(())
}

/// Answers the AuthnRequest in the query of `url` for the person `email`.
fn respond(idp: &SamlKey, request: &Value) -> Result<Value> {
    let text = |name: &str| request[name].as_str().with_context(|| format!("no {name}"));
    let (_, query) = text("url")?.split_once('?').context("no query")?;
    let email = text("email")?;
    let received = ReceivedAuthnRequest::from_redirect_query(query)?;
    let acs_url = received.acs_url.context("the request has no ACS URL")?;
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let attribute = |name: &str, value: &str| IssuedAttribute { name: name.to_owned(), values: vec![value.to_owned()] };
    let attributes = [attribute("mail", email), attribute("firstName", "Bea"), attribute("lastName", "Bench")];
    let saml_response = IssuedResponse {
        response_id: &format!("_r{}", received.id),
        assertion_id: &format!("_a{}", received.id),
        issuer: ENTITY_ID,
        acs_url: &acs_url,
        audience: &received.issuer,
        in_response_to: Some(&received.id),
        issue_instant_ms: now,
        not_on_or_after_ms: now + 300_000,
        authn_instant_ms: now,
        session_index: &format!("_s{}", received.id),
        name_id: email,
        attributes: &attributes,
        ..IssuedResponse::default()
    }
    .to_form_value(idp, SignedPart::Assertion, RsaDigest::Sha256)?;
    Ok(json!({ "acs_url": acs_url, "saml_response": saml_response, "relay_state": received.relay_state }))
}

fn rsa(private_key: &str) -> Result<KeyPair> {
    let base64: String = private_key.lines().filter(|line| !line.starts_with('-')).collect();
    Ok(KeyPair::from_pkcs8(&STANDARD.decode(base64)?)?)
}

/// CPU time of one RS256-2048 signature with the key parsed once.
fn signature_us(private_key: &str) -> Result<f64> {
    let key = rsa(private_key)?;
    let random = SystemRandom::new();
    let mut signature = vec![0; key.public_modulus_len()];
    let mut sign =
        || key.sign(&RSA_PKCS1_SHA256, &random, &[7; 600], &mut signature).map_err(|_| anyhow!("cannot sign"));
    sign()?;
    let start = charged_ns()?;
    for _ in 0..SIGNATURES {
        sign()?;
    }
    Ok((charged_ns()? - start) as f64 / 1000.0 / f64::from(SIGNATURES))
}

/// What the scheduler charged this thread. Yielding makes the kernel bring the counter up to date.
fn charged_ns() -> Result<u64> {
    std::thread::yield_now();
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(stat.split(' ').next().context("schedstat is empty")?.parse()?)
}
