//! SAML Responses that a service provider must accept, and what attackers and careless identity providers make of them.
//!
//! The tests of `doorward-saml` keep them as files, made for one scene at one moment; `doorward selfcheck` makes them again
//! for a connection of a running server.

#![expect(
    clippy::unwrap_used,
    reason = "every change names a text that its base has, whatever the scene, and the tests make all of them"
)]

mod accepted;
mod edit;
mod encrypted;
mod rejected;

use std::cell::RefCell;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use doorward_saml::idp::{RsaDigest, SignedPart, sign_by_id};
use doorward_saml::{SamlKey, TrustedCertificate};
use serde_json::{Map, Value, json};

pub use accepted::{ASSERTION_ID, NAME_ID, RESPONSE_ID};

/// Some of the cases. Which there are, and in which order, is the same in every scene.
pub type Group = fn(&Scene) -> Vec<Case>;

/// Those that must be accepted.
pub const ACCEPTED: &[Group] = &[accepted::cases, encrypted::accepted];

/// Those that must be refused, by what they aim at.
pub const REJECTED: [&[Group]; 2] = [rejected::GROUPS, encrypted::GROUPS];

/// Who takes part, and when.
pub struct Scene {
    /// Where the Responses are delivered.
    pub acs_url: String,
    /// The service provider that they are for.
    pub sp_entity_id: String,
    /// The identity provider that they are from.
    pub idp_entity_id: String,
    /// The id of the AuthnRequest that they answer.
    pub request_id: String,
    /// The moment, in Unix milliseconds; whole seconds.
    pub now_ms: i64,
    /// The identity provider's key.
    pub idp: KeyPair,
    /// A key that nobody trusts.
    pub foreign: KeyPair,
    /// The certificate that assertions are encrypted for.
    pub recipient: TrustedCertificate,
    /// Content keys that were encrypted before, in base64, by `recipient-algorithm-length`. One encryption of a key differs from the
    /// next, so whoever wants the same bytes again keeps them; those that are missing are added.
    pub content_keys: RefCell<BTreeMap<String, String>>,
}

/// An RSA key and its certificate.
pub struct KeyPair {
    /// DER.
    pub pkcs8: Vec<u8>,
    /// PEM, or base64 of DER.
    pub certificate: String,
}

impl KeyPair {
    /// From PEM: `BEGIN PRIVATE KEY` and `BEGIN CERTIFICATE`.
    ///
    /// # Panics
    /// The key is no base64 between a first and a last line.
    pub fn from_pem(private_key: &str, certificate: &str) -> Self {
        let base64: String = private_key.lines().filter(|line| !line.starts_with('-')).collect();
        Self { pkcs8: STANDARD.decode(base64).unwrap(), certificate: certificate.to_owned() }
    }
}

/// A document, what is expected of it, and with which settings.
#[derive(Clone, Debug)]
pub struct Case {
    /// Unique; the name of its folder.
    pub name: String,
    /// The Response.
    pub xml: String,
    /// What is delivered instead of `xml` in base64, where the base64 itself is the point.
    pub base64: Option<String>,
    /// `about`, and what is expected: of an accepted one `name_id`, `assertion_id` and `groups`, of a rejected one `error` and the accepted
    /// one that it was made from as `base`. Anything else differs from the scene: `now_ms`, `acs_url`, `sp_entity_id`, `idp_entity_id`,
    /// `in_response_to`, `certificates`, `decryption_keys`.
    pub params: Map<String, Value>,
}

impl Case {
    fn new(name: &str, about: &str, xml: String) -> Case {
        let params = Map::from_iter([("about".to_owned(), Value::from(about))]);
        Case { name: name.to_owned(), xml, base64: None, params }
    }

    fn with(mut self, key: &str, value: Value) -> Case {
        self.params.insert(key.to_owned(), value);
        self
    }

    /// A text of `params`; empty if there is none.
    pub fn text(&self, key: &str) -> &str {
        self.params.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// The value of the form field `SAMLResponse`.
    pub fn form_value(&self) -> String {
        self.base64.clone().unwrap_or_else(|| STANDARD.encode(&self.xml))
    }

    /// Whether only the document makes it what it is: it goes with the settings of its scene.
    pub fn is_of_scene(&self) -> bool {
        const SETTINGS: [&str; 6] =
            ["now_ms", "acs_url", "sp_entity_id", "idp_entity_id", "in_response_to", "certificates"];
        let is_usual = |keys: &Value| *keys == json!(["sp"]);
        !SETTINGS.iter().any(|setting| self.params.contains_key(*setting))
            && self.params.get("decryption_keys").is_none_or(is_usual)
    }
}

impl Scene {
    /// Responses that must be accepted.
    ///
    /// # Panics
    /// A key or certificate of the scene is unusable.
    pub fn accepted(&self) -> Vec<Case> {
        ACCEPTED.iter().flat_map(|group| group(self)).collect()
    }

    /// Responses that must be refused.
    ///
    /// # Panics
    /// See [`accepted`](Self::accepted).
    pub fn rejected(&self) -> Vec<Case> {
        REJECTED.iter().flat_map(|groups| *groups).flat_map(|group| group(self)).collect()
    }

    /// `idp` or `foreign`.
    fn key(&self, name: &str) -> SamlKey {
        let pair = if name == "idp" { &self.idp } else { &self.foreign };
        SamlKey::from_pkcs8(&pair.pkcs8, &pair.certificate).unwrap()
    }

    /// A time of XML Schema, so many milliseconds from now.
    fn time(&self, offset_ms: i64) -> String {
        doorward_saml::UnixMillis(self.now_ms + offset_ms).to_string()
    }

    /// Signs `xml` as asked.
    fn signed(&self, xml: &str, part: SignedPart, digest: RsaDigest) -> String {
        let key = self.key("idp");
        let mut xml = xml.to_owned();
        if part != SignedPart::Response {
            xml = sign_by_id(&xml, ASSERTION_ID, &key, digest).unwrap();
        }
        if part != SignedPart::Assertion {
            xml = sign_by_id(&xml, RESPONSE_ID, &key, digest).unwrap();
        }
        xml
    }
}
