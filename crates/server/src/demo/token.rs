//! How an application verifies a session token: with the published keys, and nothing else.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// A token whose signature and times hold.
#[derive(Debug, PartialEq)]
pub struct VerifiedToken {
    pub header: Value,
    pub claims: Value,
}

/// Why a token is not believed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("it is no JSON Web Token")]
    Malformed,
    #[error("its algorithm is not RS256")]
    Algorithm,
    #[error("no published key has its key id")]
    UnknownKey,
    #[error("its signature is wrong")]
    Signature,
    #[error("it comes from another issuer")]
    Issuer,
    #[error("it was made for another application")]
    AuthorizedParty,
    #[error("its session is not active")]
    NotActive,
    #[error("it is older than the last sign-in or sign-out of this browser")]
    Outdated,
    #[error("it has expired")]
    Expired,
    #[error("it is not valid yet")]
    NotYetValid,
}

/// Tolerated difference between the clocks, in seconds.
const SKEW: i64 = 5;

fn decode(part: &str) -> Result<Value, TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenError::Malformed)
}

/// Checks algorithm, key, signature, issuer and times. `now` is in seconds.
pub fn verify(jwt: &str, jwks: &Value, issuer: &str, now: i64) -> Result<VerifiedToken, TokenError> {
    let (signed, signature) = jwt.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(TokenError::Malformed)?;
    let (header, claims) = (decode(header)?, decode(claims)?);
    // The algorithm is ours to choose, not the token's.
    if header["alg"] != "RS256" {
        return Err(TokenError::Algorithm);
    }
    let keys = jwks["keys"].as_array().ok_or(TokenError::UnknownKey)?;
    let key =
        keys.iter().find(|key| key["kid"] == header["kid"] && key["kty"] == "RSA").ok_or(TokenError::UnknownKey)?;
    let part = |name: &str| -> Result<Vec<u8>, TokenError> {
        URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap_or_default()).map_err(|_| TokenError::UnknownKey)
    };
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Malformed)?;
    RsaPublicKeyComponents { n: part("n")?, e: part("e")? }
        .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
        .map_err(|_| TokenError::Signature)?;
    if claims["iss"] != issuer {
        return Err(TokenError::Issuer);
    }
    if claims["exp"].as_i64().is_none_or(|end| now >= end + SKEW) {
        return Err(TokenError::Expired);
    }
    if claims["nbf"].as_i64().is_some_and(|start| now + SKEW < start) {
        return Err(TokenError::NotYetValid);
    }
    Ok(VerifiedToken { header, claims })
}

/// Whether a verified token may sign somebody in at the application on `origin`. `changed_at` is when this browser last
/// signed in or out, in seconds: a token from before may be another person's.
pub fn check_session(token: &VerifiedToken, origin: &str, changed_at: i64) -> Result<(), TokenError> {
    if token.claims["azp"] != origin {
        return Err(TokenError::AuthorizedParty);
    }
    if token.claims["sts"] != "active" {
        return Err(TokenError::NotActive);
    }
    match token.claims["iat"].as_i64() {
        Some(issued_at) if issued_at >= changed_at => Ok(()),
        _ => Err(TokenError::Outdated),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::session_token::{SigningKeyPair, SigningKeys};
    use serde_json::json;

    const ISSUER: &str = "https://127.0.0.1:4400";

    fn keys() -> SigningKeys {
        let pkcs8 = SigningKeyPair::generate().unwrap();
        SigningKeys::new(vec![SigningKeyPair::parse("k1", &pkcs8).unwrap()]).unwrap()
    }

    fn claims() -> Value {
        json!({"iss": ISSUER, "exp": 160, "nbf": 90, "iat": 100, "sub": "user_1", "azp": "http://app.test", "sts": "active"})
    }

    #[test]
    fn a_good_token_is_believed_until_it_ends() {
        let keys = keys();
        let jwt = keys.sign(&claims()).unwrap();
        let verified = verify(&jwt, &keys.jwks(), ISSUER, 100).unwrap();
        assert_eq!(verified.claims["sub"], "user_1");
        assert_eq!(verify(&jwt, &keys.jwks(), ISSUER, 165), Err(TokenError::Expired));
        assert_eq!(verify(&jwt, &keys.jwks(), ISSUER, 80), Err(TokenError::NotYetValid));
        assert_eq!(verify(&jwt, &keys.jwks(), "https://other", 100), Err(TokenError::Issuer));
    }

    #[test]
    fn only_an_active_session_of_this_application_and_this_sign_in_counts() {
        let with = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            check_session(&VerifiedToken { header: json!({}), claims }, "http://app.test", 100)
        };
        assert_eq!(with("iat", json!(100)), Ok(()));
        assert_eq!(with("iat", json!(99)), Err(TokenError::Outdated));
        assert_eq!(with("iat", Value::Null), Err(TokenError::Outdated));
        assert_eq!(with("sts", json!("pending")), Err(TokenError::NotActive));
        assert_eq!(with("sts", Value::Null), Err(TokenError::NotActive));
        assert_eq!(with("azp", json!("http://other.test")), Err(TokenError::AuthorizedParty));
        assert_eq!(with("azp", Value::Null), Err(TokenError::AuthorizedParty));
    }

    #[test]
    fn foreign_keys_tampering_and_other_algorithms_are_refused() {
        let keys_in_use = keys();
        let jwt = keys_in_use.sign(&claims()).unwrap();
        assert_eq!(verify(&jwt, &keys().jwks(), ISSUER, 100), Err(TokenError::Signature));
        let parts: Vec<&str> = jwt.split('.').collect();
        let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut forged = claims();
        forged["sub"] = json!("user_2");
        let tampered = format!("{}.{}.{}", parts[0], encode(forged), parts[2]);
        assert_eq!(verify(&tampered, &keys_in_use.jwks(), ISSUER, 100), Err(TokenError::Signature));
        for algorithm in ["none", "HS256", "rs256"] {
            let header = encode(json!({"alg": algorithm, "kid": "k1"}));
            let jwt = format!("{header}.{}.", parts[1]);
            assert_eq!(verify(&jwt, &keys_in_use.jwks(), ISSUER, 100), Err(TokenError::Algorithm));
        }
        let header = encode(json!({"alg": "RS256", "kid": "k2"}));
        let unknown = format!("{header}.{}.{}", parts[1], parts[2]);
        assert_eq!(verify(&unknown, &keys_in_use.jwks(), ISSUER, 100), Err(TokenError::UnknownKey));
        let mut endless = claims();
        endless.as_object_mut().unwrap().remove("exp");
        let endless = keys_in_use.sign(&endless).unwrap();
        assert_eq!(verify(&endless, &keys_in_use.jwks(), ISSUER, 100), Err(TokenError::Expired));
        for malformed in ["", "a", "a.b", "a.b.c", "..", &format!("{}.{}.!", parts[0], parts[1])] {
            assert_eq!(verify(malformed, &keys_in_use.jwks(), ISSUER, 100), Err(TokenError::Malformed), "{malformed}");
        }
    }
}
