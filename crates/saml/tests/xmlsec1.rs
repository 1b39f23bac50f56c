//! Differential tests against the `xmlsec1` program (libxml2): it must verify what we sign, and we must verify what it
//! signs, whatever the namespaces and characters in the content. Skipped with a message where it is not installed.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test says what it skips")]

mod generated;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use doorward_saml::SamlKey;
use doorward_saml::idp::{
    IssuedAttribute, IssuedResponse, RsaDigest, SignedPart, sign_by_id, sign_by_id_with_prefixes,
};
use doorward_saml::{DEFAULT_CLOCK_SKEW_MS, Expectations, validate_response};
use generated::{Random, declarations, element};

const NOW_MS: i64 = 1_795_510_800_000;
const RESPONSE: &str = "urn:oasis:names:tc:SAML:2.0:protocol:Response";
const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion:Assertion";

fn keys() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/keys")
}

fn key() -> SamlKey {
    let read = |name| fs::read_to_string(keys().join(name)).unwrap();
    SamlKey::from_pem(&read("idp.key"), &read("idp.crt")).unwrap()
}

/// The program, or `None` with a message.
fn xmlsec1() -> Option<()> {
    match Command::new("xmlsec1").arg("--version").output() {
        Ok(output) if output.status.success() => Some(()),
        _ => {
            eprintln!("SKIPPED: the program xmlsec1 is not installed");
            None
        }
    }
}

fn scratch(name: &str, xml: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, xml).unwrap();
    path
}

fn verifies(name: &str, xml: &str, element: &str) -> Output {
    Command::new("xmlsec1")
        .args(["--verify", "--enabled-key-data", "x509,rsa", "--pubkey-cert-pem"])
        .arg(keys().join("idp.crt"))
        .args(["--id-attr:ID", element, "--node-xpath"])
        .arg(format!("//*[local-name()='{}']/*[local-name()='Signature']", element.rsplit(':').next().unwrap()))
        .arg(scratch(name, xml))
        .output()
        .unwrap()
}

fn assert_verifies(name: &str, xml: &str, element: &str) {
    let output = verifies(name, xml, element);
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {message}\n{xml}");
}

fn response<'a>(attributes: &'a [IssuedAttribute]) -> IssuedResponse<'a> {
    IssuedResponse {
        response_id: "_r1",
        assertion_id: "_a1",
        issuer: "https://idp.example.test/saml?a=1&b=<2>",
        acs_url: "https://sp.example.test/acs?a=1&b=\"2\"",
        audience: "https://sp.example.test/metadata",
        in_response_to: Some("_q1"),
        issue_instant_ms: NOW_MS,
        not_on_or_after_ms: NOW_MS + 300_000,
        authn_instant_ms: NOW_MS,
        session_index: "_s1 <&\">'\t\r\n",
        name_id: "o'neil <&> \"é\"]]>@example.test",
        attributes,
        ..IssuedResponse::default()
    }
}

fn expected<'a>(certificates: &'a [doorward_saml::TrustedCertificate]) -> Expectations<'a> {
    Expectations {
        now_ms: NOW_MS,
        clock_skew_ms: DEFAULT_CLOCK_SKEW_MS,
        acs_url: "https://sp.example.test/acs?a=1&b=\"2\"",
        sp_entity_id: "https://sp.example.test/metadata",
        idp_entity_id: "https://idp.example.test/saml?a=1&b=<2>",
        certificates,
        decryption_keys: &[],
        in_response_to: Some("_q1"),
    }
}

#[test]
fn what_we_issue_verifies_here_and_there() {
    let available = xmlsec1();
    let key = key();
    let certificates = [key.certificate().clone()];
    let attributes = [IssuedAttribute {
        name: "na<m>e\"&'".to_owned(),
        values: vec![" a <b> & \"c\" ]]> \r\n\t".to_owned(), String::new(), "名前 😀".to_owned()],
    }];
    for (part, parts) in [
        (SignedPart::Response, vec![RESPONSE]),
        (SignedPart::Assertion, vec![ASSERTION]),
        (SignedPart::Both, vec![RESPONSE, ASSERTION]),
    ] {
        for digest in [RsaDigest::Sha256, RsaDigest::Sha384, RsaDigest::Sha512] {
            let issued = response(&attributes);
            let xml = issued.to_signed_xml(&key, part, digest).unwrap();
            let form = issued.to_form_value(&key, part, digest).unwrap();
            let assertion = validate_response(&form, &expected(&certificates)).unwrap();
            assert_eq!(assertion.name_id.value, issued.name_id);
            assert_eq!(assertion.session_index.as_deref(), Some(issued.session_index));
            assert_eq!(assertion.attributes[0].name, attributes[0].name);
            assert_eq!(assertion.attributes[0].values, attributes[0].values);
            if available.is_some() {
                for element in &parts {
                    let name = format!("issued-{part:?}-{digest:?}.xml");
                    assert_verifies(&name, &xml, element);
                }
            }
        }
    }
}

#[test]
fn xmlsec1_refuses_what_we_refuse() {
    if xmlsec1().is_none() {
        return;
    }
    let xml = response(&[]).to_signed_xml(&key(), SignedPart::Assertion, RsaDigest::Sha256).unwrap();
    let changed = xml.replace("neil", "niel");
    assert!(!verifies("changed.xml", &changed, ASSERTION).status.success());
}

/// A signature to be filled in by xmlsec1.
fn template(prefixes: &str) -> String {
    let list = match prefixes {
        "" => String::new(),
        _ => format!(
            "<ec:InclusiveNamespaces xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\" PrefixList=\"{prefixes}\"/>"
        ),
    };
    format!(
        "<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><SignedInfo><CanonicalizationMethod \
         Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/><SignatureMethod \
         Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/>\n<Reference URI=\"#_a1\"><Transforms><Transform \
         Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/><Transform \
         Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">{list}</Transform></Transforms><DigestMethod \
         Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><DigestValue/></Reference></SignedInfo><SignatureValue/>\
         </Signature>"
    )
}

fn signed_by_xmlsec1(name: &str, xml: &str) -> String {
    let output = Command::new("xmlsec1")
        .args(["--sign", "--privkey-pem"])
        .arg(keys().join("idp.key"))
        .args(["--id-attr:ID", ASSERTION])
        .arg(scratch(name, xml))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn canonical_form_agrees_with_libxml2() {
    if xmlsec1().is_none() {
        return;
    }
    let key = key();
    let certificates = [key.certificate().clone()];
    for seed in 1..=60 {
        let mut random = Random(seed);
        let declarations = declarations(&mut random);
        let content = element(&mut random, 0);
        let attributes = [IssuedAttribute { name: "x".to_owned(), values: vec!["CONTENT".to_owned()] }];
        let xml = response(&attributes)
            .to_unsigned_xml()
            .replacen("<samlp:Response", &format!("<samlp:Response{declarations}"), 1)
            .replacen("CONTENT", &content, 1);
        let prefixes = ["", "p q", "#default r"][random.below(3)];

        // Theirs, read by us.
        let issuer_end = xml.find("</saml:Issuer><saml:Subject>").unwrap() + "</saml:Issuer>".len();
        let (before, behind) = xml.split_at(issuer_end);
        let theirs =
            signed_by_xmlsec1(&format!("template-{seed}.xml"), &format!("{before}{}{behind}", template(prefixes)));
        validate_response(&STANDARD.encode(&theirs), &expected(&certificates))
            .unwrap_or_else(|error| panic!("seed {seed}: {error}\n{theirs}"));

        // Ours, read by them.
        let ours = match prefixes {
            "p q" => sign_by_id_with_prefixes(&xml, "_a1", &key, RsaDigest::Sha256, &["p", "q"]),
            _ => sign_by_id(&xml, "_a1", &key, RsaDigest::Sha256),
        };
        assert_verifies(&format!("ours-{seed}.xml"), &ours.unwrap(), ASSERTION);
    }
}
