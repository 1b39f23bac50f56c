//! A provider of the test's own: its keys, its tokens, and what the relying party expects of it.

use std::sync::OnceLock;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaEncoding, RsaPublicKeyComponents,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_oidc::{Algorithm, Expectations, IdToken, IdTokenError, Issuer, KeySet, verify_id_token};
use serde_json::{Map, Value, json};

pub const NOW_S: i64 = 1_795_510_800;
pub const ISSUER: &str = "https://op.example.test/realms/acme";
pub const CLIENT_ID: &str = "doorward-client";
pub const NONCE: &str = "n-0S6_WzA2MjAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
pub const ACCESS_TOKEN: &str = "SlAV32hkKG.access-token";

pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ec(EcdsaKeyPair, &'static str),
    Ed(Ed25519KeyPair),
}

/// A key pair under the id that its JWK has.
pub struct SigningKey {
    pub kid: &'static str,
    pair: Pair,
}

impl SigningKey {
    fn rsa(kid: &'static str) -> Self {
        SigningKey { kid, pair: Pair::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())) }
    }

    fn ec(kid: &'static str, algorithm: &'static EcdsaSigningAlgorithm, curve: &'static str) -> Self {
        SigningKey { kid, pair: Pair::Ec(EcdsaKeyPair::generate(algorithm).unwrap(), curve) }
    }

    /// The signature by the algorithm of this name; for EC and Ed25519 keys their own, whatever the name.
    pub fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let encoding: &'static dyn RsaEncoding = match algorithm {
                    "RS384" => &signature::RSA_PKCS1_SHA384,
                    "RS512" => &signature::RSA_PKCS1_SHA512,
                    "PS256" => &signature::RSA_PSS_SHA256,
                    "PS384" => &signature::RSA_PSS_SHA384,
                    "PS512" => &signature::RSA_PSS_SHA512,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            }
            Pair::Ec(pair, _) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// The public key as a JWK without `use` and `alg`, as Entra ID publishes them.
    pub fn jwk(&self) -> Map<String, Value> {
        let jwk = match &self.pair {
            Pair::Rsa(pair) => {
                let (n, e) = rsa_components(pair);
                json!({"kty": "RSA", "n": base64url(n), "e": base64url(e)})
            }
            Pair::Ec(pair, curve) => {
                let (x, y) = halves(&pair.public_key().as_ref()[1..]);
                json!({"kty": "EC", "crv": curve, "x": base64url(x), "y": base64url(y)})
            }
            Pair::Ed(pair) => json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(pair.public_key())}),
        };
        let mut jwk = jwk.as_object().unwrap().clone();
        jwk.insert("kid".into(), self.kid.into());
        jwk
    }

    /// The modulus: what a confused verifier would take for an HMAC secret.
    pub fn public_bytes(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair) => rsa_components(pair).0,
            Pair::Ec(pair, _) => pair.public_key().as_ref().to_vec(),
            Pair::Ed(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    /// The private key in the form that `jsonwebtoken` reads: PKCS#1 for RSA, PKCS#8 for the others.
    pub fn private_der(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let pkcs8 = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&**pair).unwrap();
                // Behind version, algorithm and the two headers of the octet string.
                pkcs8.as_ref()[26..].to_vec()
            }
            Pair::Ec(pair, _) => pair.to_pkcs8v1().unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.to_pkcs8().unwrap().as_ref().to_vec(),
        }
    }
}

fn rsa_components(pair: &RsaKeyPair) -> (Vec<u8>, Vec<u8>) {
    let components = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
    (components.n, components.e)
}

fn halves(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_at(bytes.len() / 2)
}

/// The provider's keys, and one that is not its.
pub struct Keys {
    pub rsa: SigningKey,
    pub p256: SigningKey,
    pub p384: SigningKey,
    pub p521: SigningKey,
    pub ed25519: SigningKey,
    pub foreign: SigningKey,
}

pub fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| Keys {
        rsa: SigningKey::rsa("rsa-1"),
        p256: SigningKey::ec("p256-1", &signature::ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
        p384: SigningKey::ec("p384-1", &signature::ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
        p521: SigningKey::ec("p521-1", &signature::ECDSA_P521_SHA512_FIXED_SIGNING, "P-521"),
        ed25519: SigningKey { kid: "ed-1", pair: Pair::Ed(Ed25519KeyPair::generate().unwrap()) },
        foreign: SigningKey::rsa("rsa-1"),
    })
}

pub fn jwks(keys: &[Map<String, Value>]) -> Vec<u8> {
    serde_json::to_vec(&json!({ "keys": keys })).unwrap()
}

pub fn provider_keys() -> KeySet {
    let keys = keys();
    let all = [&keys.rsa, &keys.p256, &keys.p384, &keys.p521, &keys.ed25519].map(SigningKey::jwk);
    KeySet::parse(&jwks(&all)).unwrap()
}

/// The key of the provider that an algorithm needs.
pub fn key_for(algorithm: Algorithm) -> &'static SigningKey {
    match algorithm {
        Algorithm::ES256 => &keys().p256,
        Algorithm::ES384 => &keys().p384,
        Algorithm::ES512 => &keys().p521,
        Algorithm::EdDSA => &keys().ed25519,
        _ => &keys().rsa,
    }
}

/// A token in the making.
#[derive(Clone)]
pub struct Draft {
    pub header: Map<String, Value>,
    pub claims: Map<String, Value>,
}

/// A good token by RS256.
pub fn draft() -> Draft {
    draft_by(Algorithm::RS256)
}

pub fn draft_by(algorithm: Algorithm) -> Draft {
    let header = json!({"alg": algorithm.name(), "kid": key_for(algorithm).kid, "typ": "JWT"});
    let claims = json!({
        "iss": ISSUER, "sub": "248289761001", "aud": CLIENT_ID, "exp": NOW_S + 300, "iat": NOW_S - 2,
        "nonce": NONCE, "email": "jane@acme.test", "email_verified": true, "given_name": "Jane",
        "family_name": "Doe", "realm_access": {"roles": ["admin", "member"]},
    });
    Draft { header: header.as_object().unwrap().clone(), claims: claims.as_object().unwrap().clone() }
}

impl Draft {
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.into(), value.into());
        self
    }

    pub fn without_header(mut self, name: &str) -> Self {
        self.header.shift_remove(name).unwrap();
        self
    }

    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.claims.shift_remove(name).unwrap();
        self
    }

    pub fn header_json(&self) -> String {
        serde_json::to_string(&self.header).unwrap()
    }

    pub fn claims_json(&self) -> String {
        serde_json::to_string(&self.claims).unwrap()
    }

    /// Signed by the provider, by the algorithm in the header.
    pub fn sign(&self) -> String {
        let name = self.header["alg"].as_str().unwrap_or_default();
        let key = Algorithm::from_name(name).map_or(&keys().rsa, key_for);
        self.sign_with(key)
    }

    pub fn sign_with(&self, key: &SigningKey) -> String {
        let name = self.header["alg"].as_str().unwrap_or_default();
        raw(key, name, self.header_json(), self.claims_json())
    }
}

/// A token of exactly these texts, signed by `key` with `algorithm`, whatever the header says.
pub fn raw(key: &SigningKey, algorithm: &str, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    let message = format!("{}.{}", base64url(header), base64url(claims));
    let signature = key.sign(algorithm, message.as_bytes());
    format!("{message}.{}", base64url(signature))
}

/// Header and payload of the good token by RS256, with other text for either.
pub fn with_header(header: impl AsRef<[u8]>) -> String {
    raw(&keys().rsa, "RS256", header, draft().claims_json())
}

pub fn with_payload(payload: impl AsRef<[u8]>) -> String {
    raw(&keys().rsa, "RS256", draft().header_json(), payload)
}

/// What the relying party expects, in owned form.
#[derive(Clone)]
pub struct Setting {
    pub keys: KeySet,
    pub issuer: Issuer,
    pub client_id: &'static str,
    pub algorithms: Vec<Algorithm>,
    pub nonce: Option<&'static str>,
    pub access_token: Option<&'static str>,
    pub max_age_s: Option<u64>,
    pub now_ms: i64,
}

pub fn setting() -> Setting {
    Setting {
        keys: provider_keys(),
        issuer: Issuer::Exact(ISSUER.to_owned()),
        client_id: CLIENT_ID,
        algorithms: Algorithm::ALL.to_vec(),
        nonce: Some(NONCE),
        access_token: Some(ACCESS_TOKEN),
        max_age_s: None,
        now_ms: NOW_S * 1000,
    }
}

impl Setting {
    pub fn verify(&self, token: &str) -> Result<IdToken, IdTokenError> {
        let expected = Expectations {
            now_ms: self.now_ms,
            clock_skew_ms: doorward_oidc::DEFAULT_CLOCK_SKEW_MS,
            oldest_token_ms: doorward_oidc::DEFAULT_OLDEST_TOKEN_MS,
            issuer: &self.issuer,
            client_id: self.client_id,
            algorithms: &self.algorithms,
            nonce: self.nonce,
            access_token: self.access_token,
            max_age_s: self.max_age_s,
        };
        verify_id_token(token, &self.keys, &expected)
    }
}

/// An attack by its name, the token that carries it, and the code it has to be refused with.
pub type Attack<'a> = (&'a str, String, &'a str);

/// All attacks of a table, against the standard setting. What goes wrong is told for all of them at once.
pub fn assert_refused(attacks: &[Attack<'_>]) {
    assert_refused_by(&setting(), attacks);
}

pub fn assert_refused_by(setting: &Setting, attacks: &[Attack<'_>]) {
    let mut wrong = Vec::new();
    for (name, token, code) in attacks {
        let outcome = match setting.verify(token) {
            Ok(_) => "ACCEPTED".to_owned(),
            Err(error) => {
                assert_fit_for_a_log(&error.to_string());
                error.code().to_owned()
            }
        };
        if outcome != *code {
            wrong.push(format!("{name}: expected {code}, got {outcome}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

pub fn assert_fit_for_a_log(message: &str) {
    assert!(message.len() < 1500 && !message.chars().any(char::is_control), "{message:?}");
    for secret in [NONCE, ACCESS_TOKEN] {
        assert!(!message.contains(secret), "{message:?}");
    }
}
