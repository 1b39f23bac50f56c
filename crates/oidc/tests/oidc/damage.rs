//! Thousands of damaged copies of good tokens, in the same places on every run, though keys and signatures are new each time.
//! Whatever the damage, there is no panic, and what is accepted says exactly what the undamaged token said.

use doorward_oidc::{
    Algorithm, Callback, ExpectedIssuer, HttpResponse, IdToken, KeySet, ProviderMetadata, TokenResponse, UserInfo,
    UserInfoSubject,
};

use crate::signer::{base64url, draft_by, jwks, keys, setting};

const ROUNDS: usize = 1500;

/// xorshift; the same numbers on every run.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: usize) -> usize {
        for _ in 0..3 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
        }
        (self.0 % bound.max(1) as u64) as usize
    }

    pub fn damage(&mut self, text: &[u8]) -> Vec<u8> {
        const SNIPPETS: [&str; 16] =
            [".", "=", " ", "\n", "\0", "A", "-", "_", "+", "/", "\"", "{", "}", ",\"sub\":\"admin\"", "é", "none"];
        let mut damaged = text.to_vec();
        let (at, other) = (self.below(text.len()), self.below(text.len()));
        let end = (at + 1 + self.below(24)).min(text.len());
        match self.below(7) {
            0 => damaged[at] ^= 1 << self.below(8),
            1 => {
                damaged.splice(at..at, SNIPPETS[self.below(SNIPPETS.len())].bytes());
            }
            2 => {
                damaged.drain(at..end);
            }
            3 => damaged.truncate(at),
            4 => damaged.swap(at, other),
            5 => {
                // Moves a piece, which keeps the length.
                let piece: Vec<u8> = damaged.drain(at..end).collect();
                let to = self.below(damaged.len());
                damaged.splice(to..to, piece);
            }
            _ => {
                damaged.splice(at..at, text[at..end].iter().copied());
            }
        }
        damaged
    }

    /// Damage to the decoded text of one part, with the other parts as they are, or parts in another order.
    fn damage_part(&mut self, token: &str) -> String {
        let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
        let at = self.below(3);
        match self.below(4) {
            0 => {
                let other = self.below(3);
                parts.swap(at, other);
            }
            1 => parts[at] = parts[self.below(3)].clone(),
            _ => {
                let bytes = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, &parts[at]);
                parts[at] = base64url(self.damage(&bytes.unwrap()));
            }
        }
        parts.join(".")
    }
}

#[test]
fn a_damaged_token_is_refused_or_says_the_same() {
    let setting = setting();
    let (mut refused, mut unchanged) = (0, 0);
    for (seed, algorithm) in Algorithm::ALL.into_iter().enumerate() {
        let good = draft_by(algorithm).sign();
        let claims: IdToken = setting.verify(&good).unwrap();
        let mut random = Random(seed as u64 + 1);
        for round in 0..ROUNDS {
            let damaged = match random.below(2) {
                0 => String::from_utf8_lossy(&random.damage(good.as_bytes())).into_owned(),
                _ => random.damage_part(&good),
            };
            match setting.verify(&damaged) {
                Ok(token) => {
                    // A token has one spelling. Only damage that changed nothing may pass, such as two equal letters swapped.
                    assert_eq!((token, &damaged), (claims.clone(), &good), "{algorithm} round {round}");
                    unchanged += 1;
                }
                Err(error) => {
                    crate::signer::assert_fit_for_a_log(&error.to_string());
                    refused += 1;
                }
            }
        }
    }
    // Were everything refused, or nearly nothing, this would test little.
    assert!(unchanged > 10 && refused > ROUNDS * 9, "{refused} refused, {unchanged} unchanged");
}

#[test]
fn claims_signed_in_another_order_say_the_same() {
    let setting = setting();
    let draft = draft_by(Algorithm::ES256);
    let good = setting.verify(&draft.sign()).unwrap();
    let mut random = Random(77);
    for _ in 0..50 {
        let mut names: Vec<String> = draft.claims.keys().cloned().collect();
        for at in (1..names.len()).rev() {
            names.swap(at, random.below(at + 1));
        }
        let mut other = draft.clone();
        other.claims = names.into_iter().map(|name| (name.clone(), draft.claims[&name].clone())).collect();
        assert_eq!(setting.verify(&other.sign()).unwrap(), good);
    }
}

#[test]
fn damaged_documents_never_panic_and_never_change_the_issuer() {
    let discovery = crate::discovery::document().to_string();
    let set = jwks(&[keys().rsa.jwk(), keys().p256.jwk(), keys().ed25519.jwk()]);
    let tokens = br#"{"access_token":"abc","token_type":"Bearer","expires_in":3600,"error_codes":[50057]}"#;
    let userinfo = br#"{"sub":"248289761001","email":"jane@acme.test","address":{"country":"NL"}}"#;
    let callback = b"code=abc&state=def&iss=https%3A%2F%2Fop.example.test&error_description=x";
    let mut random = Random(5);
    let mut parsed = 0;
    for _ in 0..4000 {
        let expected = ExpectedIssuer::Exact(crate::discovery::ISSUER);
        if let Ok(metadata) = ProviderMetadata::parse(&random.damage(discovery.as_bytes()), expected) {
            assert_eq!(metadata.issuer.unwrap().as_str(), crate::discovery::ISSUER);
            parsed += 1;
        }
        let _ = KeySet::parse(&random.damage(&set));
        for status in [200, 400] {
            let body = random.damage(tokens);
            let _ = TokenResponse::parse(&HttpResponse { status, content_type: Some("application/json"), body: &body });
        }
        let body = random.damage(userinfo);
        let response = HttpResponse { status: 200, content_type: Some("application/json"), body: &body };
        if let Ok(info) = UserInfo::parse(&response, UserInfoSubject::SameAs("248289761001"), None) {
            assert_eq!(info.subject(), "248289761001");
        }
        let _ = Callback::parse_query(&String::from_utf8_lossy(&random.damage(callback)));
    }
    assert!(parsed > 100, "{parsed}");
}
