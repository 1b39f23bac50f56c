//! Proof Key for Code Exchange (RFC 7636), and the other random values of a request.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A value for `state` or `nonce`: 43 characters that fit into a URL. Each value needs bytes of its own from a
/// cryptographic random source.
pub fn opaque_value(random: &[u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(random)
}

/// A stored verifier is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code verifier has 43 to 128 unreserved characters (RFC 7636, section 4.1)")]
pub struct CodeVerifierError;

/// The `code_verifier` (RFC 7636, section 4.1): a secret of one sign-in, kept on the server until the code is exchanged.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeVerifier(String);

impl CodeVerifier {
    /// From 32 bytes of a cryptographic random source, as section 4.1 recommends.
    pub fn from_random(random: &[u8; 32]) -> Self {
        CodeVerifier(URL_SAFE_NO_PAD.encode(random))
    }

    /// From what [`as_str`](Self::as_str) gave.
    ///
    /// # Errors
    /// It is not 43 to 128 of the unreserved characters.
    pub fn from_stored(text: &str) -> Result<Self, CodeVerifierError> {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_verifier = (43..=128).contains(&text.len()) && text.bytes().all(unreserved);
        if is_verifier { Ok(CodeVerifier(text.to_owned())) } else { Err(CodeVerifierError) }
    }

    /// The verifier, for the token request or an encrypted column.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The `code_challenge` of method S256 (section 4.2). `plain` is not offered: whoever sees it has the verifier.
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.0.as_bytes()))
    }
}

impl fmt::Debug for CodeVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeVerifier([secret])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_the_challenge_of_the_standards_appendix() {
        let octets = [
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105, 214, 191,
            240, 91, 88, 5, 88, 83, 132, 141, 121,
        ];
        let verifier = CodeVerifier::from_random(&octets);
        assert_eq!(verifier.as_str(), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(verifier.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert_eq!(CodeVerifier::from_stored(verifier.as_str()).unwrap(), verifier);
        assert!(!format!("{verifier:?}").contains("dBjf"));
    }

    #[test]
    fn refuses_verifiers_that_are_short_long_or_of_other_characters() {
        for text in ["a".repeat(42), "a".repeat(129), format!("{}+", "a".repeat(42)), "é".repeat(30)] {
            assert!(CodeVerifier::from_stored(&text).is_err(), "{text}");
        }
    }
}
