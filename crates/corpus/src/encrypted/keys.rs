//! How the content key comes: algorithms that are not accepted, keys for others, keys in the wrong place.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use doorward_saml::idp::{ContentCipher, KeyTransport};
use serde_json::json;

use super::{
    FAILED, MALFORMED, RANDOM, VALUE, case, encrypted_key, key_beside_data, message, seal, sealed, signed,
    signed_assertion, standalone, with_key, wrapped_key,
};
use crate::edit::{between, replace};
use crate::{Case, Scene};

const REFUSED: &str = "key_transport_refused";
const OAEP: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
const MASK_SHA1: &str = "http://www.w3.org/2009/xmlenc11#mgf1sha1";

pub(super) fn transport(scene: &Scene) -> Vec<Case> {
    let good = sealed(scene, &signed_assertion(scene));
    let changed = |from: &str, to: &str| message(scene, &replace(&good, from, to));
    let method_end = "</xenc:EncryptionMethod>";
    let mask =
        |uri: &str| format!("<m:MGF xmlns:m=\"http://www.w3.org/2009/xmlenc11#\" Algorithm=\"{uri}\"/>{method_end}");
    let newer = "http://www.w3.org/2009/xmlenc11#rsa-oaep";
    let vouched = {
        let unsigned = seal(scene, standalone(scene).as_bytes(), ContentCipher::Aes128Gcm, KeyTransport::OaepSha256);
        replace(&unsigned, newer, "http://www.w3.org/2001/04/xmlenc#rsa-1_5")
    };
    vec![
        case(
            "encrypted",
            "encrypted-rsa-1-5",
            REFUSED,
            "RSA-1_5, which Bleichenbacher's attack decrypts",
            message(
                scene,
                &replace(&with_key(scene, &good, "sp-rsa_1_5-32"), OAEP, "http://www.w3.org/2001/04/xmlenc#rsa-1_5"),
            ),
        ),
        case(
            "encrypted-response-signed",
            "encrypted-rsa-1-5-signed",
            REFUSED,
            "the same, vouched for",
            signed(scene, &vouched),
        ),
        case(
            "encrypted",
            "encrypted-rsa-1-5-called-oaep",
            FAILED,
            "padded for RSA-1_5 and said to be OAEP",
            message(scene, &with_key(scene, &good, "sp-rsa_1_5-32")),
        ),
        case(
            "encrypted",
            "encrypted-key-wrap",
            REFUSED,
            "a content key under a shared key that nobody has",
            changed(OAEP, "http://www.w3.org/2001/04/xmlenc#kw-aes256"),
        ),
        case(
            "encrypted",
            "encrypted-oaep-md5",
            REFUSED,
            "OAEP with MD5",
            changed("http://www.w3.org/2000/09/xmldsig#sha1", "http://www.w3.org/2001/04/xmldsig-more#md5"),
        ),
        case(
            "encrypted",
            "encrypted-oaep-mixed",
            REFUSED,
            "SHA-256 in the digest and SHA-1 in the mask",
            changed("http://www.w3.org/2000/09/xmldsig#sha1", "http://www.w3.org/2001/04/xmlenc#sha256"),
        ),
        case(
            "encrypted",
            "encrypted-oaep-mgf1p-with-mask",
            REFUSED,
            "rsa-oaep-mgf1p has its mask in its name; another one beside it is a contradiction",
            changed(method_end, &mask(MASK_SHA1)),
        ),
        case(
            "encrypted",
            "encrypted-oaep-parameters",
            REFUSED,
            "OAEPparams, whatever they are",
            message(
                scene,
                &replace(
                    &replace(&good, OAEP, newer),
                    method_end,
                    &format!("<xenc:OAEPparams Algorithm=\"{MASK_SHA1}\"></xenc:OAEPparams>{method_end}"),
                ),
            ),
        ),
        case(
            "encrypted",
            "encrypted-key-without-algorithm",
            MALFORMED,
            "a key transport that leaves the algorithm open",
            changed(&format!(" Algorithm=\"{OAEP}\""), ""),
        ),
        case(
            "encrypted",
            "encrypted-triple-des",
            "encryption_algorithm_refused",
            "triple DES",
            changed("http://www.w3.org/2009/xmlenc11#aes256-gcm", "http://www.w3.org/2001/04/xmlenc#tripledes-cbc"),
        ),
        case(
            "encrypted",
            "encrypted-aes-192",
            "encryption_algorithm_refused",
            "AES-192, which our metadata does not offer",
            changed("#aes256-gcm", "#aes192-gcm"),
        ),
        case(
            "encrypted",
            "encrypted-without-algorithm",
            MALFORMED,
            "no algorithm of the content",
            changed(" Algorithm=\"http://www.w3.org/2009/xmlenc11#aes256-gcm\"", ""),
        ),
        case(
            "encrypted",
            "encrypted-without-method",
            MALFORMED,
            "no EncryptionMethod of the content",
            changed("<xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#aes256-gcm\"/>", ""),
        ),
        case(
            "encrypted",
            "encrypted-key-longer-than-cipher",
            FAILED,
            "a key of 256 bits for AES-128-GCM",
            changed("#aes256-gcm", "#aes128-gcm"),
        ),
        case(
            "encrypted-cbc",
            "encrypted-key-shorter-than-cipher",
            FAILED,
            "a key of 128 bits for AES-256-CBC",
            message(
                scene,
                &replace(
                    &seal(scene, signed_assertion(scene).as_bytes(), ContentCipher::Aes128Cbc, KeyTransport::OaepSha1),
                    "#aes128-cbc",
                    "#aes256-cbc",
                ),
            ),
        ),
    ]
}

pub(super) fn places(scene: &Scene) -> Vec<Case> {
    let good = sealed(scene, &signed_assertion(scene));
    let key = encrypted_key(&good).to_owned();
    let content_key = STANDARD.encode(&RANDOM[..32]);
    let changed = |from: &str, to: &str| message(scene, &replace(&good, from, to));
    let data = between(&good, "<xenc:EncryptedData ", "</xenc:EncryptedData>").to_owned();
    let wrapped = wrapped_key(scene, "sp-oaep-sha1-32");
    let instead =
        |name: &str, about: &str, key_info: &str| case("encrypted", name, MALFORMED, about, changed(&key, key_info));
    vec![
        case(
            "encrypted",
            "encrypted-no-key-of-ours",
            "decryption_key_missing",
            "we have no key",
            message(scene, &good),
        )
        .with("decryption_keys", json!([])),
        case("encrypted", "encrypted-other-key-of-ours", FAILED, "we have only another key", message(scene, &good))
            .with("decryption_keys", json!(["foreign"])),
        case(
            "encrypted",
            "encrypted-for-another",
            FAILED,
            "encrypted for another SP",
            message(scene, &with_key(scene, &good, "foreign-oaep-sha1-32")),
        ),
        instead("encrypted-key-missing", "no content key", ""),
        instead(
            "encrypted-key-embedded",
            "the content key stands there in the open",
            &format!("<ds:KeyValue>{content_key}</ds:KeyValue>"),
        ),
        instead("encrypted-key-named", "a name of a key that both are to know", "<ds:KeyName>sp</ds:KeyName>"),
        instead(
            "encrypted-key-elsewhere",
            "the content key is to be fetched",
            "<ds:RetrievalMethod Type=\"http://www.w3.org/2001/04/xmlenc#EncryptedKey\" URI=\"http://127.0.0.1:1/key\"/>",
        ),
        instead("encrypted-key-twice", "two content keys: which one counts?", &format!("{key}{key}")),
        instead(
            "encrypted-key-nested",
            "a content key inside of something else",
            &format!("<ds:KeyInfo>{key}</ds:KeyInfo>"),
        ),
        case(
            "encrypted",
            "encrypted-key-inside-and-beside",
            MALFORMED,
            "one content key in each of the two places",
            message(scene, &key_beside_data(&good).replacen("</ds:KeyInfo>", &format!("{key}</ds:KeyInfo>"), 1)),
        ),
        case("encrypted", "encrypted-key-empty", FAILED, "an empty content key", changed(&wrapped, "")),
        case(
            "encrypted",
            "encrypted-key-garbage",
            MALFORMED,
            "a content key that is not base64",
            changed(&wrapped, "*"),
        ),
        case(
            "encrypted",
            "encrypted-key-by-reference",
            MALFORMED,
            "the content key's bytes are to be fetched",
            changed(
                &format!("{}{wrapped}{}", VALUE.0, VALUE.1),
                "<xenc:CipherReference URI=\"http://127.0.0.1:1/key\"/>",
            ),
        ),
        case(
            "encrypted",
            "encrypted-data-missing",
            MALFORMED,
            "an EncryptedAssertion with nothing in it",
            changed(&data, ""),
        ),
        case(
            "encrypted",
            "encrypted-data-twice",
            MALFORMED,
            "two ciphertexts in one EncryptedAssertion",
            changed(&data, &format!("{data}{data}")),
        ),
        case("encrypted", "encrypted-cipher-reference", MALFORMED, "the ciphertext is to be fetched", {
            let (before, value) = good.rsplit_once(VALUE.0).unwrap();
            let (_, behind) = value.split_once(VALUE.1).unwrap();
            message(scene, &format!("{before}<xenc:CipherReference URI=\"http://127.0.0.1:1/x\"/>{behind}"))
        }),
        case("encrypted", "encrypted-markup-in-value", MALFORMED, "an element inside of the ciphertext", {
            let (before, behind) = good.rsplit_once(VALUE.1).unwrap();
            message(scene, &format!("{before}<x/>{}{behind}", VALUE.1))
        }),
        case(
            "encrypted",
            "encrypted-type-content",
            MALFORMED,
            "the content of an element instead of an element",
            changed("xmlenc#Element\"", "xmlenc#Content\""),
        ),
    ]
}
