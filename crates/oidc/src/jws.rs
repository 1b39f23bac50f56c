//! Signed tokens: the compact serialization of JWS (RFC 7515, section 7.1), by the practices of RFC 8725.
//!
//! Nothing here returns a payload that no configured key has signed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::algorithm::Algorithm;
use crate::json::{self, JsonError};
use crate::key_set::{KeySet, Lookup};
use crate::shown::Shown;

const LONGEST: usize = 64 * 1024;
const LARGEST_HEADER: usize = 16 * 1024;
const LONGEST_KID: usize = 512;
/// ECDSA is at most 132 bytes, RSA with 8192 bits 1024.
const LONGEST_SIGNATURE: usize = 1400;

/// Why a signed token was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwsError {
    /// Longer than any accepted token.
    #[error("the token has {got} bytes, at most {LONGEST} are accepted")]
    TooLong {
        /// In bytes.
        got: usize,
    },
    /// Not three parts. Five are an encrypted token.
    #[error("the token has {got} parts, expected the three of a signed one{}", if *got == 5 { "; encrypted tokens are not supported, turn encryption off at the provider" } else { "" })]
    Parts {
        /// How many there are.
        got: usize,
    },
    /// A part is not base64url without padding, in the one spelling it has.
    #[error("the {0} of the token is not base64url")]
    Base64(&'static str),
    /// The header is no acceptable JSON object.
    #[error("the header of the token was refused: {0}")]
    Header(JsonError),
    /// The payload is no acceptable JSON object.
    #[error("the payload of the token was refused: {0}")]
    Payload(JsonError),
    /// A header parameter of another type.
    #[error("{0} in the header of the token is not a string of acceptable length")]
    HeaderParameter(&'static str),
    /// `none`, an HMAC or an unknown algorithm.
    #[error("alg: expected one of {expected}, got {got}")]
    AlgorithmRefused {
        /// What is accepted of this provider.
        expected: Shown,
        /// What came.
        got: Shown,
    },
    /// A header parameter that must not be there.
    #[error("the header of the token has {0}, which is refused")]
    ParameterRefused(&'static str),
    /// A token of another kind, such as an access token (RFC 8725, section 3.11).
    #[error("typ: expected JWT, got {got}")]
    Type {
        /// What came.
        got: Shown,
    },
    /// No such key; the provider may have changed its keys.
    #[error("kid: expected that of one of the provider's keys for {algorithm}, got {}", got.as_ref().map_or("none", Shown::as_str))]
    UnknownKey {
        /// The token's algorithm.
        algorithm: Algorithm,
        /// What came; without a kid, no key of the set is for this algorithm.
        got: Option<Shown>,
    },
    /// The key of this id is not one for the token's algorithm.
    #[error("the key {kid} is not one for {algorithm}")]
    KeyAlgorithm {
        /// The token's algorithm.
        algorithm: Algorithm,
        /// Its key id.
        kid: Shown,
    },
    /// No key has made this signature.
    #[error("the signature by {algorithm} fits none of the {tried} keys tried, kid {}", kid.as_ref().map_or("not given", Shown::as_str))]
    Signature {
        /// The token's algorithm.
        algorithm: Algorithm,
        /// Its key id, if it has one.
        kid: Option<Shown>,
        /// How many keys were tried.
        tried: usize,
    },
}

impl JwsError {
    /// A short stable reason for machines.
    pub fn code(&self) -> &'static str {
        match self {
            JwsError::TooLong { .. } => "token_too_long",
            JwsError::Parts { got: 5 } => "token_encrypted",
            JwsError::Parts { .. } => "token_parts",
            JwsError::Base64(_) => "token_base64_invalid",
            JwsError::Header(_) => "token_header_invalid",
            JwsError::Payload(_) => "token_payload_invalid",
            JwsError::HeaderParameter(_) => "token_header_parameter_invalid",
            JwsError::AlgorithmRefused { .. } => "algorithm_refused",
            JwsError::ParameterRefused(_) => "header_parameter_refused",
            JwsError::Type { .. } => "token_type_mismatch",
            JwsError::UnknownKey { .. } => "key_unknown",
            JwsError::KeyAlgorithm { .. } => "key_algorithm_mismatch",
            JwsError::Signature { .. } => "signature_invalid",
        }
    }

    /// Whether the token may be good under keys that the provider has published since: an unknown `kid`, or a signature that
    /// fits none where the token does not name its key. Anybody may be able to cause it, so fetch no more than once in a while.
    pub fn wants_new_keys(&self) -> bool {
        match self {
            JwsError::UnknownKey { .. } => true,
            JwsError::Signature { kid, .. } => kid.is_none(),
            _ => false,
        }
    }
}

/// The payload of a token that a key of the set has signed.
pub(crate) struct Verified {
    pub(crate) algorithm: Algorithm,
    /// Whom the key says that it signs for: see [`VerifyingKey::issuer`](crate::VerifyingKey::issuer).
    pub(crate) key_issuer: Option<String>,
    pub(crate) claims: Map<String, Value>,
}

struct Header {
    algorithm: Algorithm,
    kid: Option<String>,
}

/// Verifies a token with one of `accepted` algorithms by a key of the set.
pub(crate) fn verify(token: &str, keys: &KeySet, accepted: &[Algorithm]) -> Result<Verified, JwsError> {
    if token.len() > LONGEST {
        return Err(JwsError::TooLong { got: token.len() });
    }
    let parts: Vec<&str> = token.split('.').collect();
    let &[header, payload, signature] = parts.as_slice() else {
        return Err(JwsError::Parts { got: parts.len() });
    };
    let Header { algorithm, kid } = read_header(&decode("header", header)?, accepted)?;
    let signed_bytes = decode("payload", payload)?;
    let signature = decode("signature", signature)?;
    let shown_kid = || kid.as_deref().map(Shown::from);
    let candidates = match keys.lookup(kid.as_deref(), algorithm) {
        Lookup::Keys(candidates) => candidates,
        Lookup::WrongAlgorithm => {
            return Err(JwsError::KeyAlgorithm { algorithm, kid: Shown::from(kid.unwrap_or_default()) });
        }
        Lookup::UnknownKey => return Err(JwsError::UnknownKey { algorithm, got: shown_kid() }),
    };
    // What is signed is the text as it stands, up to the second dot (RFC 7515, section 5.2).
    let message = &token.as_bytes()[..header.len() + 1 + payload.len()];
    let signer = candidates
        .iter()
        .find(|key| signature.len() <= LONGEST_SIGNATURE && key.verifies(algorithm, message, &signature))
        .ok_or_else(|| JwsError::Signature { algorithm, kid: shown_kid(), tried: candidates.len() })?;
    let claims = json::object(&signed_bytes, LONGEST).map_err(JwsError::Payload)?;
    Ok(Verified { algorithm, key_issuer: signer.issuer().map(str::to_owned), claims })
}

/// Strict: no padding, no white space, no stray bits at the end, so that a token has one spelling.
fn decode(part: &'static str, text: &str) -> Result<Vec<u8>, JwsError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JwsError::Base64(part))
}

fn read_header(bytes: &[u8], accepted: &[Algorithm]) -> Result<Header, JwsError> {
    let header = json::object(bytes, LARGEST_HEADER).map_err(JwsError::Header)?;
    let text = |name: &'static str| match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if text.len() <= LONGEST_KID => Ok(Some(text.as_str())),
        Some(_) => Err(JwsError::HeaderParameter(name)),
    };
    // `crit` names extensions that must be understood, and none is (RFC 7515, section 4.1.11); `b64` is one of them, and
    // changes what is signed (RFC 7797). `jwk`, `jku` and `x5u` bring or name a key; OpenID Connect Core 2 wants ID tokens
    // without them, so one that has them is somebody's attempt. `x5c`, which the same section discourages, and the thumbprints
    // `x5t` and `x5t#S256` are sent by honest providers; they are never read.
    for refused in ["crit", "b64", "jwk", "jku", "x5u"] {
        if header.contains_key(refused) {
            return Err(JwsError::ParameterRefused(refused));
        }
    }
    let name = text("alg")?.unwrap_or_default();
    let Some(algorithm) = Algorithm::from_name(name).filter(|algorithm| accepted.contains(algorithm)) else {
        let expected: Vec<&str> = accepted.iter().map(|algorithm| algorithm.name()).collect();
        return Err(JwsError::AlgorithmRefused { expected: expected.join(", ").into(), got: name.into() });
    };
    if let Some(kind) = text("typ")? {
        // "application/" may be left out or not, and case does not matter (RFC 7515, section 4.1.9).
        let lower = kind.to_ascii_lowercase();
        if lower.strip_prefix("application/").unwrap_or(&lower) != "jwt" {
            return Err(JwsError::Type { got: kind.into() });
        }
    }
    Ok(Header { algorithm, kid: text("kid")?.map(str::to_owned) })
}
