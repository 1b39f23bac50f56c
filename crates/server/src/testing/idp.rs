//! An identity provider that signs, for the connection of one organization.

use crate::testing::{Answer, Browser, TestApp};
use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_saml::SamlKey;
use doorward_saml::TrustedCertificate;
use doorward_saml::idp::{
    AssertionEncryption, ContentCipher, IssuedAttribute, IssuedResponse, KeyTransport, ReceivedAuthnRequest, RsaDigest,
    SignedPart, encrypt_assertion, sign_by_id,
};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// One key for all tests that need just one: making an RSA key takes longer than most of them.
static KEYS: LazyLock<[Key; 2]> = LazyLock::new(|| [Key::make(), Key::make()]);

struct Key {
    signs: SamlKey,
    /// Another certificate over the same key.
    reissued: TrustedCertificate,
}

impl Key {
    fn make() -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let issue = |name: &[&str]| {
            let names: Vec<String> = name.iter().map(|name| (*name).to_owned()).collect();
            rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap().pem()
        };
        Self {
            signs: SamlKey::from_pkcs8(&key.serialize_der(), &issue(&[])).unwrap(),
            reissued: TrustedCertificate::parse(&issue(&["reissued.test"])).unwrap(),
        }
    }
}

/// Who signs in.
#[derive(Clone, Debug)]
pub struct Identity {
    pub subject: String,
    pub attributes: Vec<(String, Vec<String>)>,
}

impl Identity {
    /// A person with the default attributes.
    pub fn new(email: &str, first: &str, last: &str) -> Self {
        let attribute = |name: &str, value: &str| (name.to_owned(), vec![value.to_owned()]);
        Self {
            subject: format!("subject-of-{email}"),
            attributes: vec![attribute("mail", email), attribute("firstName", first), attribute("lastName", last)],
        }
    }
}

/// An IdP and the connection that trusts it.
pub struct TestIdp {
    pub entity_id: String,
    key: &'static Key,
    /// The connection as the Backend API shows it.
    pub connection: Value,
}

impl TestIdp {
    /// An active connection for `domain`, linked to `organization`. Every second `key` is another one.
    pub async fn connect(server: &TestApp, domain: &str, organization: Option<&str>, key: usize) -> Self {
        let entity_id = format!("https://idp.{domain}/metadata");
        let key = &KEYS[key % 2];
        let body = json!({
            "name": format!("SSO of {domain}"),
            "provider": "saml_custom",
            "domains": [domain],
            "organization_id": organization,
            "active": true,
            "saml": {
                "idp_entity_id": entity_id,
                "idp_sso_url": format!("https://idp.{domain}/sso"),
                "idp_certificate": key.signs.certificate().pem(),
            },
        });
        let connection = server.backend(Method::POST, "/v1/enterprise_connections", body).await.ok();
        Self { entity_id, key, connection }
    }

    /// The connection's id.
    pub fn connection_id(&self) -> &str {
        self.connection["id"].as_str().unwrap()
    }

    /// The same IdP once it signs with another key.
    pub fn with_other_key(&self, key: usize) -> Self {
        Self { entity_id: self.entity_id.clone(), key: &KEYS[key % 2], connection: self.connection.clone() }
    }

    /// What it signs with.
    pub fn certificate(&self) -> &TrustedCertificate {
        self.key.signs.certificate()
    }

    /// Another certificate over the key that it signs with.
    pub fn reissued_certificate(&self) -> &'static TrustedCertificate {
        &self.key.reissued
    }

    /// The connection's ACS.
    pub fn acs_url(&self) -> &str {
        self.connection["saml_connection"]["acs_url"].as_str().unwrap()
    }

    /// The name under which the connection knows us.
    pub fn sp_entity_id(&self) -> &str {
        self.connection["saml_connection"]["sp_entity_id"].as_str().unwrap()
    }

    /// Reads the request in a redirect to this IdP.
    pub fn receive(&self, redirect: &str) -> ReceivedAuthnRequest {
        let (_, query) = redirect.split_once('?').unwrap();
        ReceivedAuthnRequest::from_redirect_query(query).unwrap()
    }

    /// A signed response to a request, as the form value `SAMLResponse`; `change` may spoil it before it is signed.
    pub fn respond(
        &self,
        server: &TestApp,
        request: &ReceivedAuthnRequest,
        identity: &Identity,
        change: impl FnOnce(&mut IssuedResponse<'_>),
    ) -> String {
        self.issue(server, Some(&request.id), identity, change)
    }

    /// As [`Self::respond`], but to nothing: what an IdP's page of applications posts.
    pub fn respond_unsolicited(&self, server: &TestApp, identity: &Identity) -> String {
        self.issue(server, None, identity, |_| {})
    }

    fn issue(
        &self,
        server: &TestApp,
        in_response_to: Option<&str>,
        identity: &Identity,
        change: impl FnOnce(&mut IssuedResponse<'_>),
    ) -> String {
        self.issue_with(server, in_response_to, identity, |mut response| {
            change(&mut response);
            response.to_form_value(&self.key.signs, SignedPart::Assertion, RsaDigest::Sha256).unwrap()
        })
    }

    fn issue_with(
        &self,
        server: &TestApp,
        in_response_to: Option<&str>,
        identity: &Identity,
        finish: impl FnOnce(IssuedResponse<'_>) -> String,
    ) -> String {
        let attribute =
            |(name, values): &(String, Vec<String>)| IssuedAttribute { name: name.clone(), values: values.clone() };
        let attributes: Vec<IssuedAttribute> = identity.attributes.iter().map(attribute).collect();
        let mut random = [0u8; 8];
        server.app.random.fill(&mut random);
        let response_id = format!("_r{}", crate::random::hex(&random));
        let assertion_id = format!("_a{}", crate::random::hex(&random));
        finish(IssuedResponse {
            response_id: &response_id,
            assertion_id: &assertion_id,
            issuer: &self.entity_id,
            acs_url: self.acs_url(),
            audience: self.sp_entity_id(),
            in_response_to,
            issue_instant_ms: server.now(),
            not_on_or_after_ms: server.now() + 300_000,
            authn_instant_ms: server.now(),
            session_index: "s1",
            session_not_on_or_after_ms: None,
            name_id: &identity.subject,
            attributes: &attributes,
            ..IssuedResponse::default()
        })
    }

    /// A response as XML: `change` may spoil what it says and `edit` the document, both before `part` of it is signed.
    pub fn document(
        &self,
        server: &TestApp,
        request: &ReceivedAuthnRequest,
        identity: &Identity,
        part: SignedPart,
        change: impl FnOnce(&mut IssuedResponse<'_>),
        edit: impl FnOnce(String) -> String,
    ) -> String {
        self.issue_with(server, Some(&request.id), identity, |mut response| {
            change(&mut response);
            let mut xml = edit(response.to_unsigned_xml());
            if part != SignedPart::Response {
                xml = sign_by_id(&xml, response.assertion_id, &self.key.signs, RsaDigest::Sha256).unwrap();
            }
            if part != SignedPart::Assertion {
                xml = sign_by_id(&xml, response.response_id, &self.key.signs, RsaDigest::Sha256).unwrap();
            }
            xml
        })
    }

    /// The certificate to encrypt for, from the connection's metadata.
    pub async fn encryption_certificate(&self, server: &TestApp) -> TrustedCertificate {
        let url = self.connection["saml_connection"]["sp_metadata_url"].as_str().unwrap();
        let metadata = server.browser().visit(url).await.text;
        let (_, rest) = metadata.split_once("<ds:X509Certificate>").unwrap();
        TrustedCertificate::parse(rest.split_once('<').unwrap().0).unwrap()
    }

    /// As [`Self::respond`], with the signed assertion encrypted.
    pub fn respond_encrypted(
        &self,
        server: &TestApp,
        request: &ReceivedAuthnRequest,
        identity: &Identity,
        recipient: &TrustedCertificate,
    ) -> String {
        let signed = STANDARD.decode(self.respond(server, request, identity, |_| {})).unwrap();
        let mut random = [0u8; 48];
        server.app.random.fill(&mut random);
        STANDARD.encode(encrypt_for(random, recipient, std::str::from_utf8(&signed).unwrap()))
    }

    /// The whole way from the typed address to the answer of the last redirect, in one browser.
    pub async fn sign_in(&self, server: &TestApp, browser: &Browser<'_>, email: &str, identity: &Identity) -> Answer {
        let redirect = begin_sign_in(browser, email).await;
        self.answer(server, browser, &redirect, identity).await
    }

    /// From the redirect to the IdP to the answer of the last redirect.
    pub async fn answer(&self, server: &TestApp, browser: &Browser<'_>, redirect: &str, identity: &Identity) -> Answer {
        let request = self.receive(redirect);
        let response = self.respond(server, &request, identity, |_| {});
        let relay_state = request.relay_state.unwrap();
        let posted =
            browser.post_cross_site(self.acs_url(), &[("SAMLResponse", &response), ("RelayState", &relay_state)]).await;
        browser.visit(posted.location()).await
    }
}

/// The document with its assertion encrypted, which anybody can do who knows the certificate.
pub fn encrypt_for(random: [u8; 48], recipient: &TrustedCertificate, xml: &str) -> String {
    let (cipher, transport) = (ContentCipher::Aes128Gcm, KeyTransport::OaepSha1);
    encrypt_assertion(xml, &AssertionEncryption { recipient, cipher, transport, random }).unwrap()
}

/// Types an address and goes where the answer says.
pub async fn begin_sign_in(browser: &Browser<'_>, email: &str) -> String {
    let created = browser.post("/v1/client/sign_ins", &[("identifier", email)]).await.ok();
    let id = created["response"]["id"].as_str().unwrap().to_owned();
    let form = [
        ("strategy", "enterprise_sso"),
        ("redirect_url", "https://app.example.com/sso-callback"),
        ("action_complete_redirect_url", "https://app.example.com/done"),
    ];
    let prepared = browser.post(&format!("/v1/client/sign_ins/{id}/prepare_first_factor"), &form).await.ok();
    let verification = &prepared["response"]["first_factor_verification"];
    verification["external_verification_redirect_url"].as_str().unwrap().to_owned()
}
