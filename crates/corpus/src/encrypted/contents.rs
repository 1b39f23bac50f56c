//! Good ciphertexts of something that must not get in. Where nobody vouches for the ciphertext, they fail like a changed one;
//! where the IdP signed around it, the reason is told.

use doorward_saml::idp::{ContentCipher, KeyTransport, RsaDigest, sign_by_id};

use super::{FAILED, case, ciphertext, message, seal, sealed, signed_assertion, standalone, with_ciphertext};
use crate::accepted::{ASSERTION_ID, NAME_ID, RESPONSE_ID, plain};
use crate::edit::{between, replace};
use crate::{Case, Scene};

const EVIL: &str = "admin@example.test";
const UNSIGNED_BASE: &str = "encrypted-response-signed";

/// Somebody else than the IdP made it: our certificate is public.
pub(super) fn unsigned(scene: &Scene) -> Vec<Case> {
    let good = signed_assertion(scene);
    let with_cbc = |content: &str| {
        message(scene, &seal(scene, content.as_bytes(), ContentCipher::Aes128Cbc, KeyTransport::OaepSha1))
    };
    let forged = standalone(scene).replace(NAME_ID, EVIL);
    let by_stranger = |content: &str, id| sign_by_id(content, id, &scene.key("foreign"), RsaDigest::Sha256).unwrap();
    let failed = |name: &str, about: &str, content: &str| {
        case("encrypted", name, FAILED, about, message(scene, &sealed(scene, content)))
    };
    let moved = replace(&good, &format!(" ID=\"{ASSERTION_ID}\""), " ID=\"_other\"");
    vec![
        failed("encrypted-unsigned", "encryption is no signature (CVE-2026-2092)", &standalone(scene)),
        case("encrypted-cbc", "encrypted-unsigned-cbc", FAILED, "the same in CBC mode", with_cbc(&standalone(scene))),
        failed("encrypted-forged", "a good signature of another person", &good.replace(NAME_ID, EVIL)),
        case(
            "encrypted-cbc",
            "encrypted-forged-cbc",
            FAILED,
            "the same in CBC mode",
            with_cbc(&good.replace(NAME_ID, EVIL)),
        ),
        failed("encrypted-signed-by-stranger", "signed with somebody's own key", &by_stranger(&forged, ASSERTION_ID)),
        failed("encrypted-signature-of-other-id", "a signature that covers another id", &moved),
        case(
            UNSIGNED_BASE,
            "encrypted-signature-of-other-id-signed",
            "reference_uri_mismatch",
            "the same inside of a signed Response",
            super::signed(scene, &sealed(scene, &moved)),
        ),
        case(
            UNSIGNED_BASE,
            "encrypted-signed-by-stranger-signed",
            "signature_invalid",
            "the IdP signed around a stranger's signature",
            super::signed(scene, &sealed(scene, &by_stranger(&standalone(scene), ASSERTION_ID))),
        ),
        case(
            UNSIGNED_BASE,
            "encrypted-response-signed-by-stranger",
            "signature_invalid",
            "a stranger signed the Response",
            sign_by_id(&message(scene, &sealed(scene, &good)), RESPONSE_ID, &scene.key("foreign"), RsaDigest::Sha256)
                .unwrap(),
        ),
        case(
            UNSIGNED_BASE,
            "encrypted-ciphertext-exchanged",
            "digest_mismatch",
            "another ciphertext, a good one, in a signed Response",
            {
                let old = super::signed(scene, &sealed(scene, &standalone(scene)));
                let other = sealed(scene, &signed_assertion(scene));
                with_ciphertext(&old, &ciphertext(&other))
            },
        ),
    ]
}

/// Not one Assertion, or not one that the gate and the shape let through.
pub(super) fn strange(scene: &Scene) -> Vec<Case> {
    let good = signed_assertion(scene);
    let unsigned = standalone(scene);
    let declared = "xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"";
    let forged = format!("<saml:Assertion {declared} ID=\"_evil\" Version=\"2.0\">");
    let subject = between(&unsigned, "<saml:Subject>", "</saml:Subject>").replacen('>', &format!(" {declared}>"), 1);
    let signature = between(&good, "<ds:Signature ", "</ds:Signature>").to_owned();
    let deep = format!("{}{}", "<x>".repeat(33), "</x>".repeat(33));
    let many = "<x/>".repeat(4096);
    let wide: String = (0..41).map(|n| format!(" a{n}=\"\"")).collect();
    // Each as a stranger sends it, and as it would be inside of a signed Response, with the reason that is then told.
    let kinds: [(&str, &str, String, &str); 18] = [
        ("nothing", "nothing at all", String::new(), "xml_malformed"),
        ("text", "text that is no XML", "hello".into(), "xml_malformed"),
        ("doctype", "a DOCTYPE with an entity", format!("<!DOCTYPE x [<!ENTITY e \"x\">]>{good}"), "xml_doctype"),
        ("instruction", "a processing instruction", format!("<?x y?>{good}"), "xml_processing_instruction"),
        ("cdata", "a CDATA section", good.replacen(NAME_ID, "<![CDATA[jane.doe]]>@example.test", 1), "xml_cdata"),
        ("entity", "an entity without DOCTYPE", good.replacen(NAME_ID, "&nbsp;", 1), "xml_entity_reference"),
        (
            "too-deep",
            "33 levels",
            good.replacen("</saml:Assertion>", &format!("{deep}</saml:Assertion>"), 1),
            "xml_too_deep",
        ),
        (
            "too-many-elements",
            "4,096 elements behind the others",
            good.replacen("</saml:Assertion>", &format!("{many}</saml:Assertion>"), 1),
            "xml_too_many_elements",
        ),
        (
            "too-wide",
            "41 attributes",
            good.replacen("<saml:Subject>", &format!("<saml:Subject{wide}>"), 1),
            "xml_too_many_attributes",
        ),
        ("two-assertions", "one behind the other", format!("{good}{good}"), "xml_malformed"),
        ("response", "a whole Response", plain(scene), "assertion_missing"),
        ("subject", "a part of an Assertion", subject, "assertion_missing"),
        ("wrapped", "an Assertion in another element", format!("<x>{good}</x>"), "assertion_missing"),
        ("encrypted-again", "encrypted once more", sealed(scene, &good), "assertion_missing"),
        (
            "wrapped-in-assertion",
            "a forged Assertion around the signed one",
            format!("{forged}<saml:Advice>{good}</saml:Advice></saml:Assertion>"),
            "assertion_misplaced",
        ),
        (
            "wrapped-in-signature",
            "a forged Assertion whose Signature holds the signed one",
            format!(
                "{forged}{}</saml:Assertion>",
                signature.replacen("</ds:Signature>", &format!("<ds:Object>{good}</ds:Object></ds:Signature>"), 1)
            ),
            "assertion_misplaced",
        ),
        (
            "id-twice",
            "two elements with the signed id",
            good.replacen("<saml:Subject>", &format!("<saml:Subject ID=\"{ASSERTION_ID}\">"), 1),
            "duplicate_id",
        ),
        (
            "comment",
            "a comment inside of the NameID",
            good.replacen(NAME_ID, "jane<!-- -->.doe@example.test", 1),
            "comment_in_text",
        ),
    ];
    let both = kinds.into_iter().flat_map(|(name, about, content, error)| {
        let encrypted = sealed(scene, &content);
        [
            case("encrypted", &format!("encrypted-holding-{name}"), FAILED, about, message(scene, &encrypted)),
            case(
                UNSIGNED_BASE,
                &format!("encrypted-holding-{name}-signed"),
                error,
                about,
                super::signed(scene, &encrypted),
            ),
        ]
    });
    let not_utf8 = seal(scene, b"<saml:Assertion>\xff", ContentCipher::Aes256Gcm, KeyTransport::OaepSha1);
    both.chain([case(
        UNSIGNED_BASE,
        "encrypted-holding-latin-1-signed",
        FAILED,
        "bytes that are no UTF-8; not told apart from a failure even here",
        super::signed(scene, &not_utf8),
    )])
    .collect()
}

/// What the IdP signed and did not mean for us, here and now. Whoever has something signed may know why it is refused.
pub(super) fn signed(scene: &Scene) -> Vec<Case> {
    let other_sp = standalone(scene).replace(&scene.sp_entity_id, "https://other.example.test");
    let other_sp_signed = sign_by_id(&other_sp, ASSERTION_ID, &scene.key("idp"), RsaDigest::Sha256).unwrap();
    let cut_off = standalone(scene).replacen("<saml:Subject>", "<saml:EncryptedAssertion/><saml:Subject>", 1);
    vec![
        case(
            "encrypted",
            "encrypted-for-other-sp",
            "audience_mismatch",
            "an Assertion for another SP, encrypted for us by whoever got it",
            message(scene, &sealed(scene, &other_sp_signed)),
        ),
        case(
            UNSIGNED_BASE,
            "encrypted-for-other-sp-signed",
            "audience_mismatch",
            "the same inside of a signed Response",
            super::signed(scene, &sealed(scene, &other_sp)),
        ),
        case(
            UNSIGNED_BASE,
            "encrypted-inside-of-assertion-signed",
            "assertion_misplaced",
            "an EncryptedAssertion inside of the decrypted one",
            super::signed(scene, &sealed(scene, &cut_off)),
        ),
        case(
            "encrypted",
            "encrypted-replayed-after-ten-minutes",
            "subject_confirmation_expired",
            "a good one ten minutes later",
            message(scene, &sealed(scene, &signed_assertion(scene))),
        )
        .with("now_ms", (scene.now_ms + 600_000).into()),
        case(
            "encrypted",
            "encrypted-answer-to-other-request",
            "in_response_to_mismatch",
            "the answer to another request",
            message(scene, &sealed(scene, &signed_assertion(scene))),
        )
        .with("in_response_to", "_other".into()),
    ]
}

/// Several, or elsewhere.
pub(super) fn places(scene: &Scene) -> Vec<Case> {
    let good = sealed(scene, &signed_assertion(scene));
    let forged = standalone(scene).replace(NAME_ID, EVIL);
    let signature = between(&signed_assertion(scene), "<ds:Signature ", "</ds:Signature>").to_owned();
    let data = between(&good, "<xenc:EncryptedData ", "</xenc:EncryptedData>").to_owned();
    let case = |name: &str, error: &str, about: &str, xml: String| case("encrypted", name, error, about, xml);
    vec![
        case(
            "encrypted-beside-forged",
            "assertion_multiple",
            "a forged Assertion in front of the encrypted one",
            message(scene, &format!("{forged}{good}")),
        ),
        case(
            "encrypted-before-forged",
            "assertion_multiple",
            "a forged Assertion behind the encrypted one",
            message(scene, &format!("{good}{forged}")),
        ),
        case("encrypted-twice", "assertion_multiple", "two encrypted ones", message(scene, &format!("{good}{good}"))),
        case(
            "encrypted-in-extensions",
            "assertion_misplaced",
            "a second one in Extensions",
            message(scene, &good).replacen(
                "<samlp:Status>",
                &format!("<samlp:Extensions>{good}</samlp:Extensions><samlp:Status>"),
                1,
            ),
        ),
        case(
            "encrypted-only-in-extensions",
            "assertion_missing",
            "nowhere but in Extensions",
            message(scene, "").replacen(
                "<samlp:Status>",
                &format!("<samlp:Extensions>{good}</samlp:Extensions><samlp:Status>"),
                1,
            ),
        ),
        case(
            "encrypted-data-in-response",
            "assertion_missing",
            "EncryptedData without its EncryptedAssertion",
            message(scene, &data),
        ),
        case(
            "encrypted-signature-beside-data",
            "signature_misplaced",
            "a genuine Signature beside the ciphertext, where it covers nothing",
            message(scene, &replace(&good, "<xenc:EncryptedData ", &format!("{signature}<xenc:EncryptedData "))),
        ),
        case(
            "encrypted-signature-in-key",
            "signature_misplaced",
            "a genuine Signature in the content key",
            message(scene, &replace(&good, "<xenc:EncryptedKey>", &format!("{signature}<xenc:EncryptedKey>"))),
        ),
    ]
}
