//! The provider's keys: a JWK set (RFC 7517), as far as its keys verify signatures (RFC 7518, section 6; RFC 8037).

use std::fmt;

use aws_lc_rs::signature::{self, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents, VerificationAlgorithm};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::algorithm::Algorithm;
use crate::json::{self, JsonError};
use crate::shown::Shown;

const LARGEST: usize = 512 * 1024;
const MOST_KEYS: usize = 128;
/// Longer ones are not told apart by anybody.
const LONGEST_KID: usize = 512;
/// Keys that one token is tried with. Each costs a verification, and a token may fit all keys of its kind.
const MOST_TRIED: usize = 8;
/// 8192 bits and the zero that some write in front.
const LONGEST_MODULUS: usize = 1025;

/// Why a key set was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// Not an acceptable JSON object.
    #[error("the key set was refused: {0}")]
    Json(#[from] JsonError),
    /// No list of keys in it.
    #[error("the key set has no list \"keys\"")]
    NoKeys,
    /// More keys than any provider has.
    #[error("the key set has {got} keys, at most {MOST_KEYS} are accepted")]
    TooManyKeys {
        /// How many there are.
        got: usize,
    },
    /// No key that verifies signatures.
    #[error("none of the {got} keys in the key set verifies signatures{}", first_reason(ignored))]
    NoUsableKey {
        /// How many there are.
        got: usize,
        /// Why each is of no use.
        ignored: Vec<IgnoredKey>,
    },
}

impl KeySetError {
    /// A short stable reason for machines.
    pub fn code(&self) -> &'static str {
        match self {
            KeySetError::Json(error) => error.code(),
            KeySetError::NoKeys => "key_set_without_keys",
            KeySetError::TooManyKeys { .. } => "key_set_too_many_keys",
            KeySetError::NoUsableKey { .. } => "key_set_no_usable_key",
        }
    }
}

fn first_reason(ignored: &[IgnoredKey]) -> String {
    ignored.first().map_or(String::new(), |key| format!("; the first: {}", key.reason))
}

/// A key that was left out. Sets hold keys for other purposes and of kinds to come, which is no error (RFC 7517, section 5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoredKey {
    /// `kid`, if it has one.
    pub kid: Option<Shown>,
    /// Why.
    pub reason: &'static str,
}

/// A public key, with the algorithms it may verify.
#[derive(Clone)]
pub struct VerifyingKey {
    kid: Option<String>,
    /// `alg` of the JWK, to which the key is then confined.
    algorithm: Option<Algorithm>,
    issuer: Option<String>,
    material: Material,
}

#[derive(Clone)]
enum Material {
    /// Modulus and exponent, big-endian, checked.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// On its curve, so for one algorithm.
    Curve { algorithm: Algorithm, key: ParsedPublicKey },
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.material {
            Material::Rsa { .. } => "RSA",
            Material::Curve { algorithm, .. } => algorithm.name(),
        };
        f.debug_struct("VerifyingKey").field("kid", &self.kid).field("kind", &kind).finish_non_exhaustive()
    }
}

impl VerifyingKey {
    /// `kid`.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// `issuer`, which Microsoft's shared key sets have: whose tokens the key may sign, perhaps with
    /// [`TENANT_PLACEHOLDER`](crate::TENANT_PLACEHOLDER) in it. It counts where the issuer is a template.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Whether the key is of the algorithm's kind and not confined to another one. The key decides, not the token
    /// (RFC 8725, section 3.1).
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        let is_of_kind = match &self.material {
            Material::Rsa { .. } => rsa_parameters(algorithm).is_some(),
            Material::Curve { algorithm: own, .. } => *own == algorithm,
        };
        is_of_kind && self.algorithm.is_none_or(|own| own == algorithm)
    }

    pub(crate) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if !self.fits(algorithm) {
            return false;
        }
        match &self.material {
            Material::Rsa { n, e } => rsa_parameters(algorithm).is_some_and(|parameters| {
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok()
            }),
            Material::Curve { key, .. } => key.verify_sig(message, signature).is_ok(),
        }
    }

    fn parse(jwk: &Value) -> Result<Self, IgnoredKey> {
        let Value::Object(jwk) = jwk else { return Err(IgnoredKey { kid: None, reason: "it is no object" }) };
        let kid = jwk.get("kid").and_then(Value::as_str);
        let ignored = |reason| IgnoredKey { kid: kid.map(Shown::from), reason };
        if jwk.get("kid").is_some_and(|kid| !kid.is_string()) || kid.is_some_and(|kid| kid.len() > LONGEST_KID) {
            return Err(ignored("its kid is no string or too long"));
        }
        let issuer = match jwk.get("issuer") {
            None => None,
            Some(Value::String(issuer)) => Some(issuer.clone()),
            Some(_) => return Err(ignored("its issuer is no string")),
        };
        let algorithm = purpose(jwk).map_err(ignored)?;
        let material = material(jwk).map_err(ignored)?;
        let key = VerifyingKey { kid: kid.map(str::to_owned), algorithm, issuer, material };
        if algorithm.is_some_and(|algorithm| !key.fits(algorithm)) {
            return Err(ignored("its alg is not one of its kind of key"));
        }
        Ok(key)
    }
}

/// Whether the key is a public one for signatures, and for which algorithm, if it says so.
fn purpose(jwk: &Map<String, Value>) -> Result<Option<Algorithm>, &'static str> {
    // Also of use for encryption: `use` may be absent.
    if jwk.get("use").is_some_and(|used| used != "sig") {
        return Err("its use is not sig");
    }
    if let Some(operations) = jwk.get("key_ops") {
        let verifies = |operations: &Vec<Value>| operations.iter().any(|operation| operation == "verify");
        if !operations.as_array().is_some_and(verifies) {
            return Err("its key_ops do not contain verify");
        }
    }
    if jwk.get("kty").is_some_and(|kind| kind == "oct") || jwk.contains_key("k") {
        return Err("it is a symmetric key, which everybody who reads it could sign with");
    }
    if ["d", "p", "q", "dp", "dq", "qi", "oth", "priv"].iter().any(|part| jwk.contains_key(*part)) {
        return Err("its private part is published, so everybody could sign with it");
    }
    match jwk.get("alg") {
        None => Ok(None),
        Some(name) => {
            name.as_str().and_then(Algorithm::from_name).map(Some).ok_or("its alg is none of the accepted ones")
        }
    }
}

fn material(jwk: &Map<String, Value>) -> Result<Material, &'static str> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str).unwrap_or_default();
    let bytes = |name| URL_SAFE_NO_PAD.decode(text(name)).map_err(|_| "a part of it is not base64url");
    let point = |algorithm, verification, length: usize| {
        let (x, y) = (bytes("x")?, bytes("y")?);
        if x.len() != length || y.len() != length {
            return Err("its coordinates have another length than its curve");
        }
        let point = [&[4], x.as_slice(), y.as_slice()].concat();
        curve(algorithm, verification, &point)
    };
    match (text("kty"), text("crv")) {
        ("RSA", _) => rsa(&bytes("n")?, &bytes("e")?),
        ("EC", "P-256") => point(Algorithm::ES256, &signature::ECDSA_P256_SHA256_FIXED, 32),
        ("EC", "P-384") => point(Algorithm::ES384, &signature::ECDSA_P384_SHA384_FIXED, 48),
        ("EC", "P-521") => point(Algorithm::ES512, &signature::ECDSA_P521_SHA512_FIXED, 66),
        ("OKP", "Ed25519") => {
            let key = bytes("x")?;
            if key.len() != 32 {
                return Err("it has another length than an Ed25519 key");
            }
            curve(Algorithm::EdDSA, &signature::ED25519, &key)
        }
        ("EC" | "OKP", _) => Err("its curve is none of the accepted ones"),
        _ => Err("its kty is none of the accepted ones"),
    }
}

fn curve(
    algorithm: Algorithm,
    verification: &'static dyn VerificationAlgorithm,
    bytes: &[u8],
) -> Result<Material, &'static str> {
    let key = ParsedPublicKey::new(verification, bytes).map_err(|_| "it is no point of its curve")?;
    Ok(Material::Curve { algorithm, key })
}

/// 2048 to 8192 bits (RFC 7518, section 3.3), and an odd exponent from 65537 to 32 bits (FIPS 186-5, 5.4): a small exponent has
/// broken careless verifiers, a large one costs time.
fn rsa(n: &[u8], e: &[u8]) -> Result<Material, &'static str> {
    if n.len() > LONGEST_MODULUS {
        return Err("its modulus is longer than 8192 bits");
    }
    // RFC 7518, section 6.3.1.1, forbids zeros in front, and some write the one that ASN.1 needs. The number is the same.
    let significant = |bytes: &[u8]| bytes.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<u8>>();
    let (n, e) = (significant(n), significant(e));
    let exponent = e.iter().fold(0_u64, |value, byte| value.saturating_mul(256).saturating_add(u64::from(*byte)));
    if !(65_537..=u64::from(u32::MAX)).contains(&exponent) || exponent.is_multiple_of(2) {
        return Err("its exponent is even, smaller than 65537 or longer than 32 bits");
    }
    // The library looks at the length only when it verifies.
    let bits = n.first().map_or(0, |first| 8 * n.len() - first.leading_zeros() as usize);
    let components = RsaPublicKeyComponents { n: n.as_slice(), e: e.as_slice() };
    let parsed = components.to_parsed_public_key(&signature::RSA_PKCS1_2048_8192_SHA256);
    if !(2048..=8192).contains(&bits) || n.last().is_some_and(|last| last.is_multiple_of(2)) || parsed.is_err() {
        return Err("its modulus is even or not of 2048 to 8192 bits");
    }
    Ok(Material::Rsa { n, e })
}

fn rsa_parameters(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::RS256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::PS384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::PS512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
        Algorithm::ES256 | Algorithm::ES384 | Algorithm::ES512 | Algorithm::EdDSA => None,
    }
}

/// What a key set has for a token.
#[derive(Clone, Debug)]
pub enum Lookup<'a> {
    /// Keys to try, at most eight, at least one.
    Keys(Vec<&'a VerifyingKey>),
    /// There is a key of this id, but not for this algorithm. Fetching the set again would not help.
    WrongAlgorithm,
    /// No such key. The provider may have changed its keys: fetch the set again, though not on every such token, as anybody
    /// can send one.
    UnknownKey,
}

/// A provider's keys for signatures.
#[derive(Clone, Debug)]
pub struct KeySet {
    keys: Vec<VerifyingKey>,
    ignored: Vec<IgnoredKey>,
}

impl KeySet {
    /// Reads a JWK set of at most 512 KiB and 128 keys. Keys of other kinds and purposes are left out.
    ///
    /// # Errors
    /// It is no JWK set, or has no key that verifies signatures.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeySetError> {
        let members = json::object(bytes, LARGEST)?;
        let jwks = members.get("keys").and_then(Value::as_array).ok_or(KeySetError::NoKeys)?;
        if jwks.len() > MOST_KEYS {
            return Err(KeySetError::TooManyKeys { got: jwks.len() });
        }
        let (mut keys, mut ignored) = (Vec::new(), Vec::new());
        for jwk in jwks {
            match VerifyingKey::parse(jwk) {
                Ok(key) => keys.push(key),
                Err(key) => ignored.push(key),
            }
        }
        if keys.is_empty() {
            return Err(KeySetError::NoUsableKey { got: jwks.len(), ignored });
        }
        Ok(KeySet { keys, ignored })
    }

    /// The keys, in the order of the set.
    pub fn keys(&self) -> &[VerifyingKey] {
        &self.keys
    }

    /// The keys that were left out.
    pub fn ignored(&self) -> &[IgnoredKey] {
        &self.ignored
    }

    /// The keys for a token with this `kid`, or without one. Ids may occur twice (RFC 7517, section 4.5), and a token without
    /// an id may fit several keys; all are candidates. A token with an id fits no key that has none.
    pub fn lookup(&self, kid: Option<&str>, algorithm: Algorithm) -> Lookup<'_> {
        let named = |key: &&VerifyingKey| kid.is_none() || key.kid() == kid;
        let fitting: Vec<&VerifyingKey> =
            self.keys.iter().filter(named).filter(|key| key.fits(algorithm)).take(MOST_TRIED).collect();
        if !fitting.is_empty() {
            return Lookup::Keys(fitting);
        }
        let is_known = kid.is_some() && self.keys.iter().any(|key| key.kid() == kid);
        if is_known { Lookup::WrongAlgorithm } else { Lookup::UnknownKey }
    }
}
