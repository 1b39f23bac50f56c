//! Changed ciphertexts. Whoever can learn which of them decrypt to something sensible can decrypt others (Jager and
//! Somorovsky, 2011), so all of them are one and the same error.

use aws_lc_rs::cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use doorward_saml::idp::{ContentCipher, KeyTransport};

use super::{FAILED, RANDOM, ciphertext, message, seal, sealed, signed_assertion, with_ciphertext};
use crate::{Case, Scene};

const BLOCK: usize = 16;

/// AES-GCM: every bit counts, and no bit of the tag may be left out.
pub(super) fn authenticated(scene: &Scene) -> Vec<Case> {
    let good = sealed(scene, &signed_assertion(scene));
    let bytes = ciphertext(&good);
    let end = bytes.len();
    let case = |name: &str, about: &str, bytes: &[u8]| {
        super::case("encrypted", name, FAILED, about, message(scene, &with_ciphertext(&good, bytes)))
    };
    vec![
        case("encrypted-tag-truncated", "the last four bytes of the tag are missing", &bytes[..end - 4]),
        case("encrypted-tag-missing", "no tag", &bytes[..end - 16]),
        case("encrypted-tag-flipped", "one bit of the tag", &flipped(&bytes, end - 1)),
        case("encrypted-nonce-flipped", "one bit of the nonce", &flipped(&bytes, 0)),
        case("encrypted-content-flipped", "one bit of the content", &flipped(&bytes, 200)),
        case("encrypted-content-longer", "a byte behind the tag", &[&bytes[..], &[0]].concat()),
        case("encrypted-only-nonce", "a nonce and nothing else", &bytes[..12]),
        case("encrypted-nothing", "no bytes at all", &[]),
    ]
}

/// AES-CBC: nothing protects these from changes but the signature inside, and how far each got must not show.
pub(super) fn chained(scene: &Scene) -> Vec<Case> {
    let content = signed_assertion(scene);
    let good = seal(scene, content.as_bytes(), ContentCipher::Aes128Cbc, KeyTransport::OaepSha1);
    let bytes = ciphertext(&good);
    let end = bytes.len();
    let case = |name: &str, about: &str, bytes: &[u8]| {
        super::case("encrypted-cbc", name, FAILED, about, message(scene, &with_ciphertext(&good, bytes)))
    };
    let padded = |last: u8| {
        // Of whole blocks, a padding of a whole block would be the right one.
        let before = if content.len().is_multiple_of(BLOCK) { "\n" } else { "" };
        let padding = BLOCK - (before.len() + content.len()) % BLOCK;
        let mut blocks = [before.as_bytes(), content.as_bytes(), &vec![0; padding]].concat();
        *blocks.last_mut().unwrap() = last;
        chain(blocks)
    };
    vec![
        case("encrypted-cbc-padding-of-0", "the last byte says that there is no padding", &padded(0)),
        case("encrypted-cbc-padding-of-17", "more padding than a block has", &padded(17)),
        case("encrypted-cbc-padding-of-255", "the most that a byte can say", &padded(255)),
        case("encrypted-cbc-padding-into-content", "padding that takes some of the content", &padded(16)),
        case("encrypted-cbc-padding-only", "one block, all of it padding", &chain(vec![BLOCK as u8; BLOCK])),
        case("encrypted-cbc-last-block-missing", "cut off at a block", &bytes[..end - BLOCK]),
        case("encrypted-cbc-partial-block", "cut off inside of a block", &bytes[..end - 1]),
        case("encrypted-cbc-only-vector", "an initialization vector and nothing else", &bytes[..BLOCK]),
        case("encrypted-cbc-vector-flipped", "another first character", &flipped(&bytes, 1)),
        case("encrypted-cbc-block-flipped", "a garbled block, and one changed bit behind it", &flipped(&bytes, 200)),
        case(
            "encrypted-cbc-blocks-swapped",
            "two blocks change places",
            &[&bytes[..64], &bytes[80..96], &bytes[64..80], &bytes[96..]].concat(),
        ),
    ]
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    changed[at] ^= 1;
    changed
}

/// Initialization vector and ciphertext of whole blocks.
fn chain(mut blocks: Vec<u8>) -> Vec<u8> {
    let key = EncryptingKey::cbc(UnboundCipherKey::new(&AES_128, &RANDOM[..16]).unwrap()).unwrap();
    let vector: [u8; BLOCK] = RANDOM[32..].try_into().unwrap();
    key.less_safe_encrypt(&mut blocks, EncryptionContext::Iv128(FixedLength::from(vector))).unwrap();
    [&vector[..], &blocks].concat()
}
