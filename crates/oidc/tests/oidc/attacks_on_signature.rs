//! Signatures that are not the provider's over this token.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use doorward_oidc::{Algorithm, KeySet};

use crate::signer::{
    Attack, Setting, assert_refused, assert_refused_by, base64url, draft, draft_by, jwks, keys, setting,
};

/// The good token by `algorithm` with another signature.
fn signed_by(algorithm: Algorithm, signature: impl Fn(Vec<u8>) -> Vec<u8>) -> String {
    let draft = draft_by(algorithm);
    let message = format!("{}.{}", base64url(draft.header_json()), base64url(draft.claims_json()));
    let good = crate::signer::key_for(algorithm).sign(algorithm.name(), message.as_bytes());
    format!("{message}.{}", base64url(signature(good)))
}

#[test]
fn refuses_signatures_of_others_and_of_other_tokens() {
    let good = draft().sign();
    let parts: Vec<&str> = good.split('.').collect();
    let other = draft().claim("sub", "admin").sign();
    let other: Vec<&str> = other.split('.').collect();
    let header = draft().header("kid", "rsa-1").header("x", 1);
    let attacks: Vec<Attack<'_>> = vec![
        ("of a foreign key under the same id", draft().sign_with(&keys().foreign), "signature_invalid"),
        ("of a foreign key without id", draft().without_header("kid").sign_with(&keys().foreign), "signature_invalid"),
        ("another payload", format!("{}.{}.{}", parts[0], other[1], parts[2]), "signature_invalid"),
        ("of another token", format!("{}.{}.{}", parts[0], parts[1], other[2]), "signature_invalid"),
        (
            "another header",
            format!("{}.{}.{}", base64url(header.header_json()), parts[1], parts[2]),
            "signature_invalid",
        ),
        (
            "over the payload alone",
            format!("{}.{}.{}", parts[0], parts[1], base64url(keys().rsa.sign("RS256", parts[1].as_bytes()))),
            "signature_invalid",
        ),
        (
            "over the decoded texts",
            {
                let message = format!("{}.{}", draft().header_json(), draft().claims_json());
                format!("{}.{}.{}", parts[0], parts[1], base64url(keys().rsa.sign("RS256", message.as_bytes())))
            },
            "signature_invalid",
        ),
    ];
    assert_refused(&attacks);
}

#[test]
fn refuses_signatures_that_are_damaged_for_each_algorithm() {
    for algorithm in Algorithm::ALL {
        let flipped = |at: usize| {
            move |mut bytes: Vec<u8>| {
                let at = at % bytes.len();
                bytes[at] ^= 1;
                bytes
            }
        };
        let attacks: Vec<Attack<'_>> = vec![
            ("the first bit", signed_by(algorithm, flipped(0)), "signature_invalid"),
            ("a bit in the middle", signed_by(algorithm, flipped(33)), "signature_invalid"),
            (
                "the last bit",
                signed_by(algorithm, |mut bytes| {
                    *bytes.last_mut().unwrap() ^= 1;
                    bytes
                }),
                "signature_invalid",
            ),
            (
                "cut by one",
                signed_by(algorithm, |mut bytes| {
                    bytes.pop();
                    bytes
                }),
                "signature_invalid",
            ),
            (
                "longer by one",
                signed_by(algorithm, |mut bytes| {
                    bytes.push(0);
                    bytes
                }),
                "signature_invalid",
            ),
            ("a zero in front", signed_by(algorithm, |bytes| [vec![0], bytes].concat()), "signature_invalid"),
            ("all zero", signed_by(algorithm, |bytes| vec![0; bytes.len()]), "signature_invalid"),
            ("all ones", signed_by(algorithm, |bytes| vec![0xFF; bytes.len()]), "signature_invalid"),
            (
                "one",
                signed_by(algorithm, |bytes| {
                    let mut one = vec![0; bytes.len()];
                    *one.last_mut().unwrap() = 1;
                    one
                }),
                "signature_invalid",
            ),
            ("twice", signed_by(algorithm, |bytes| bytes.repeat(2)), "signature_invalid"),
            ("very long", signed_by(algorithm, |bytes| bytes.repeat(40)), "signature_invalid"),
        ];
        assert_refused(&attacks);
    }
}

#[test]
fn refuses_ecdsa_in_asn1_and_with_numbers_out_of_range() {
    // CVE-2022-21449: r = s = 0 once fitted every message.
    let order = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";
    let order: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&order[2 * at..2 * at + 2], 16).unwrap()).collect();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &keys().p256.private_der()).unwrap();
    let draft = draft_by(Algorithm::ES256);
    let message = format!("{}.{}", base64url(draft.header_json()), base64url(draft.claims_json()));
    let asn1 = pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    let asn1 = format!("{message}.{}", base64url(asn1.as_ref()));
    let (with_order, order_twice) = (order.clone(), order.repeat(2));
    let attacks: Vec<Attack<'_>> = vec![
        ("ASN.1", asn1, "signature_invalid"),
        ("r and s zero", signed_by(Algorithm::ES256, |_| vec![0; 64]), "signature_invalid"),
        ("r and s the order", signed_by(Algorithm::ES256, |_| order_twice.clone()), "signature_invalid"),
        ("r zero", signed_by(Algorithm::ES256, |good| [&[0; 32], &good[32..]].concat()), "signature_invalid"),
        ("s the order", signed_by(Algorithm::ES256, |good| [&good[..32], &with_order].concat()), "signature_invalid"),
        (
            "r and s swapped",
            signed_by(Algorithm::ES256, |good| [&good[32..], &good[..32]].concat()),
            "signature_invalid",
        ),
    ];
    assert_refused(&attacks);
}

#[test]
fn refuses_the_second_spelling_of_an_ed25519_signature() {
    // S plus the order of the base point (RFC 8032, section 5.1.7).
    let order: [u8; 32] = [
        0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let token = signed_by(Algorithm::EdDSA, |mut bytes| {
        let mut carry = 0_u16;
        for (at, addend) in order.iter().enumerate() {
            let sum = u16::from(bytes[32 + at]) + u16::from(*addend) + carry;
            bytes[32 + at] = sum as u8;
            carry = sum >> 8;
        }
        assert_eq!(carry, 0);
        bytes
    });
    assert_refused(&[("S plus the order", token, "signature_invalid")]);
}

#[test]
fn tries_a_bounded_number_of_keys() {
    // Nine keys of one id: the ninth, which would fit, is not tried.
    let mut many: Vec<_> = (0..8).map(|_| keys().foreign.jwk()).collect();
    many.push(keys().rsa.jwk());
    let setting = |keys: &[serde_json::Map<String, serde_json::Value>]| Setting {
        keys: KeySet::parse(&jwks(keys)).unwrap(),
        ..setting()
    };
    setting(&many[1..]).verify(&draft().sign()).unwrap();
    assert_refused_by(&setting(&many), &[("the ninth key", draft().sign(), "signature_invalid")]);
}
