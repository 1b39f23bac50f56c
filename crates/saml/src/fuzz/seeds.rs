//! The documents that everything starts from: the corpus, and what we and a test IdP write.

use std::fs;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::idp::idp_metadata;
use crate::{AuthnRequest, DecryptionKey, Expectations, SamlKey, SpMetadata, TrustedCertificate};

fn tests_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// The Responses of `accepted` or `rejected`, in the order of their names.
pub(super) fn responses(kind: &str) -> Vec<Vec<u8>> {
    let mut folders: Vec<PathBuf> =
        fs::read_dir(tests_folder().join(kind)).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let documents: Vec<Vec<u8>> =
        folders.iter().filter_map(|folder| fs::read(folder.join("response.xml")).ok()).collect();
    assert!(documents.len() > 20, "{} documents", documents.len());
    documents
}

/// All of them but the largest, which would take most of the time.
pub(super) fn all() -> Vec<Vec<u8>> {
    let mut all = [responses("accepted"), responses("rejected")].concat();
    all.retain(|document| document.len() < 20_000);
    all
}

pub(super) fn read(name: &str) -> String {
    fs::read_to_string(tests_folder().join("keys").join(name)).unwrap()
}

pub(super) fn certificate(name: &str) -> TrustedCertificate {
    TrustedCertificate::parse(&read(&format!("{name}.crt"))).unwrap()
}

pub(super) fn idp() -> SamlKey {
    SamlKey::from_pem(&read("idp.key"), &read("idp.crt")).unwrap()
}

pub(super) fn decryption_key() -> DecryptionKey {
    let pem = read("sp.key");
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    DecryptionKey::from_pkcs8(&STANDARD.decode(base64).unwrap()).unwrap()
}

/// What most of the corpus agrees with.
pub(super) fn expectations<'a>(
    certificates: &'a [TrustedCertificate],
    decryption_keys: &'a [DecryptionKey],
) -> Expectations<'a> {
    Expectations {
        now_ms: 1_795_510_800_000,
        clock_skew_ms: crate::DEFAULT_CLOCK_SKEW_MS,
        acs_url: "https://sp.example.test/acs",
        sp_entity_id: "https://sp.example.test/metadata",
        idp_entity_id: "https://idp.example.test/saml",
        certificates,
        decryption_keys,
        in_response_to: Some("_request1"),
    }
}

pub(super) fn metadata() -> Vec<Vec<u8>> {
    let (idp, foreign, ec) = (certificate("idp"), certificate("foreign"), certificate("ec"));
    let one = idp_metadata("https://i.test", "https://i.test/sso", &[&idp]);
    let three = idp_metadata("https://i.test/?a=1&b=2", "https://i.test/sso?c=1&d", &[&idp, &foreign, &ec]);
    let sp = SpMetadata {
        entity_id: "https://s.test",
        acs_url: "https://s.test/acs",
        encryption_certificates: &[],
        signing_certificates: &[],
    };
    let inner = one.split_once("?>").unwrap().1;
    let aggregate =
        format!("<EntitiesDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\">{inner}<x/></EntitiesDescriptor>");
    [one, three, sp.to_xml(), aggregate].map(String::into_bytes).into()
}

pub(super) fn request() -> AuthnRequest<'static> {
    AuthnRequest {
        id: "_1",
        issue_instant_ms: 0,
        idp_sso_url: "https://i.test/sso?x=1",
        acs_url: "https://s.test/acs",
        sp_entity_id: "https://s.test",
        force_authn: true,
        name_id_format: Some(crate::NAME_ID_EMAIL),
    }
}
