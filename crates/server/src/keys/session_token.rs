//! Session tokens: RS256 JSON Web Tokens, version 2 claims (TOK-1, TOK-2, TOK-6), and the key set that verifies them.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Value, json};

/// A key could not be made, read or used.
#[derive(Debug, thiserror::Error)]
#[error("signing key: {0}")]
pub struct SigningError(&'static str);

/// One key pair, parsed once: parsing costs a third of a signature.
pub struct SigningKeyPair {
    kid: String,
    pair: RsaKeyPair,
    /// The encoded JOSE header, the same for every token.
    header: String,
}

impl SigningKeyPair {
    /// A new RSA-2048 key in PKCS#8; the size and algorithm every published verifier accepts.
    pub fn generate() -> Result<Vec<u8>, SigningError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| SigningError("cannot be generated"))?;
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| SigningError("cannot be encoded"))?;
        Ok(der.as_ref().to_vec())
    }

    /// Reads a key from PKCS#8.
    pub fn parse(kid: &str, pkcs8: &[u8]) -> Result<Self, SigningError> {
        let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| SigningError("cannot be read"))?;
        let header = encode(&json!({"alg": "RS256", "kid": kid, "typ": "JWT"}))?;
        Ok(Self { kid: kid.to_owned(), pair, header })
    }

    /// A signed token with these claims.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, SigningError> {
        let mut token = format!("{}.{}", self.header, encode(claims)?);
        let mut signature = vec![0u8; self.pair.public_modulus_len()];
        let signed = self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature);
        signed.map_err(|_| SigningError("cannot sign"))?;
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(signature));
        Ok(token)
    }

    /// The public half as a JSON Web Key (RFC 7517).
    pub fn jwk(&self) -> Value {
        let components = PublicKeyComponents::<Vec<u8>>::from(self.pair.public_key());
        json!({
            "use": "sig",
            "kty": "RSA",
            "kid": self.kid,
            "alg": "RS256",
            "n": URL_SAFE_NO_PAD.encode(components.n),
            "e": URL_SAFE_NO_PAD.encode(components.e),
        })
    }
}

fn encode(value: &impl Serialize) -> Result<String, SigningError> {
    serde_json::to_vec(value).map(|json| URL_SAFE_NO_PAD.encode(json)).map_err(|_| SigningError("cannot encode claims"))
}

/// The instance's signing keys, oldest first; the newest signs, all of them verify.
pub struct SigningKeys(Vec<SigningKeyPair>);

impl SigningKeys {
    /// At least one key is needed.
    pub fn new(keys: Vec<SigningKeyPair>) -> Result<Self, SigningError> {
        if keys.is_empty() { Err(SigningError("there is none")) } else { Ok(Self(keys)) }
    }

    /// Signs with the newest key.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, SigningError> {
        self.0.last().ok_or(SigningError("there is none"))?.sign(claims)
    }

    /// The JSON Web Key Set (RFC 7517 §5).
    pub fn jwks(&self) -> Value {
        json!({"keys": self.0.iter().rev().map(SigningKeyPair::jwk).collect::<Vec<_>>()})
    }
}

/// The claims of a session token, version 2.
#[derive(Debug, Serialize)]
pub struct SessionClaims {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub azp: Option<String>,
    pub exp: i64,
    /// `o:feature,…`; present only with custom permissions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fea: Option<String>,
    /// Minutes since the first and the second factor, -1 for never.
    pub fva: [i64; 2],
    pub iat: i64,
    pub iss: String,
    pub jti: String,
    pub nbf: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub o: Option<OrganizationClaim>,
    pub sid: String,
    pub sts: &'static str,
    pub sub: String,
    pub v: u8,
}

/// The active organization in a session token (TOK-2).
#[derive(Debug, Serialize)]
pub struct OrganizationClaim {
    pub id: String,
    /// Role key without `org:`.
    pub rol: String,
    pub slg: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fpm: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

    #[test]
    fn a_token_verifies_with_the_published_key() {
        let pkcs8 = SigningKeyPair::generate().unwrap();
        let keys = SigningKeys::new(vec![SigningKeyPair::parse("k1", &pkcs8).unwrap()]).unwrap();
        let token = keys.sign(&json!({"sub": "user_1"})).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let jwk = keys.jwks()["keys"][0].clone();
        let part = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
        let key = RsaPublicKeyComponents { n: part("n"), e: part("e") };
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        key.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature).unwrap();
    }

    #[test]
    fn a_ring_without_keys_is_refused() {
        assert!(SigningKeys::new(Vec::new()).is_err());
    }
}
