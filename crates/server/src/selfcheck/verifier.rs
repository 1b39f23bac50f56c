//! Whether the verifier is alive: answers of a throw-away identity provider, made in memory, go through the code that judges
//! real ones, with the settings of the connection and only its certificates exchanged. The good ones must pass, and what is
//! known to have broken others must not.

use super::Context;
use super::finding::{Check, Finding};
use crate::flows::sign_in::saml_callback::{profile_of, verify_with};
use crate::flows::{connection_keys as key_flow, saml_urls};
use crate::http::error_table::describe;
use crate::keys::connection_key;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_model::{AttemptId, Domain, EnterpriseConnection, KeyPurpose, Millis, SamlRequest};
use doorward_saml::idp::{
    AssertionEncryption, ContentCipher, IssuedAttribute, IssuedResponse, KeyTransport, RsaDigest, SignedPart,
    encrypt_assertion,
};
use doorward_saml::{DecryptionKey, SamlKey, TrustedCertificate, UnverifiedResponse};
use doorward_store::{StoreError, connection_keys};

const ACCEPTS: Check = Check::new("verifier_accepts", "If a genuine answer is refused, nobody can sign in.");
const REFUSES: Check = Check::new("verifier_refuses", "If one of these is accepted, strangers can sign in as anybody.");

const REQUEST_ID: &str = "_selfcheck-request";
const DEFECT: &str =
    "take the server off the network and report this: it is a defect of the program, or the program was altered";

/// What a probe is: a document, and whether it must be accepted.
pub struct Probe {
    pub name: &'static str,
    pub xml: String,
    pub is_genuine: bool,
}

pub async fn check(context: &Context<'_>, connection: &EnterpriseConnection) -> Result<Vec<Finding>, StoreError> {
    let stored = {
        let mut tx = context.store.read().await?;
        connection_keys::all(&mut tx, &connection.id, KeyPurpose::Decryption).await?
    };
    let made = tokio::task::spawn_blocking(|| Some([throw_away_key()?, throw_away_key()?])).await;
    let Some([key, foreign]) = made.ok().flatten() else {
        return Ok(vec![ACCEPTS.problem("no throw-away key could be made", "run the check again")]);
    };
    let connection = stand_in(connection, &key);
    let probes = Probes { context, connection: &connection, key: &key, foreign: &foreign };
    let Some(mut all) = probes.all() else {
        return Ok(vec![ACCEPTS.problem("no answer could be made up", DEFECT)]);
    };
    let keys: Vec<DecryptionKey> = match &context.encryption {
        Ok(encryption) => stored.iter().filter_map(|key| key_flow::open_decryption(encryption, key).ok()).collect(),
        Err(_) => Vec::new(),
    };
    if let (Some(newest), false) = (stored.first(), keys.is_empty()) {
        all.extend(probes.encrypted(&newest.certificate));
    }
    Ok(judge(&all, |xml| verify(context, &connection, &keys, xml)))
}

/// What becomes of an answer to a request of ours, by the code that judges real ones.
pub fn verify(
    context: &Context<'_>,
    connection: &EnterpriseConnection,
    keys: &[DecryptionKey],
    xml: &str,
) -> Result<(), String> {
    let request = request(connection, context.now);
    let response = UnverifiedResponse::decode(&STANDARD.encode(xml));
    let assertion = verify_with(context.config, connection, response, keys, Some(&request), context.now);
    let profile = assertion.and_then(|assertion| profile_of(connection, &assertion));
    profile.map(drop).map_err(|refusal| describe(&refusal).long_message)
}

/// Compares what a verifier does with what it must do.
pub fn judge(probes: &[Probe], verify: impl Fn(&str) -> Result<(), String>) -> Vec<Finding> {
    let (mut passed, mut refused, mut findings) = (Vec::new(), Vec::new(), Vec::new());
    for Probe { name, xml, is_genuine } in probes {
        match (is_genuine, verify(xml)) {
            (true, Ok(())) => passed.push(*name),
            (false, Err(_)) => refused.push(*name),
            (true, Err(reason)) => {
                let mend =
                    "check saml.attribute_mapping and the domains of the connection; if they are right, report this";
                findings.push(ACCEPTS.problem(format!("refused although genuine: {name}: {reason}"), mend));
            }
            (false, Ok(())) => findings.push(REFUSES.problem(format!("accepted: {name}"), DEFECT)),
        }
    }
    if !passed.is_empty() {
        findings.push(ACCEPTS.good(passed.join(", ")));
    }
    if !refused.is_empty() {
        findings.push(REFUSES.good(format!("{} kinds of hostile answers: {}", refused.len(), refused.join(", "))));
    }
    findings
}

/// A key pair that nothing outside of this process has seen.
pub fn throw_away_key() -> Option<SamlKey> {
    let pair = connection_key::generate().ok()?;
    SamlKey::from_pkcs8(&pair.pkcs8, &pair.certificate).ok()
}

/// The connection with the throw-away key in place of its IdP's, and with what it lacks made up, so that the verifier is tried
/// whatever state the settings are in; those have findings of their own.
pub fn stand_in(connection: &EnterpriseConnection, key: &SamlKey) -> EnterpriseConnection {
    let mut connection = connection.clone();
    connection.active = true;
    connection.authenticatable = true;
    connection.saml.idp_certificates = vec![key.certificate().base64()];
    connection.saml.idp_entity_id.get_or_insert_with(|| "https://selfcheck.invalid/".into());
    if connection.domains.is_empty() {
        connection.domains.extend(Domain::parse("selfcheck.invalid"));
    }
    connection
}

fn request(connection: &EnterpriseConnection, now: Millis) -> SamlRequest {
    SamlRequest {
        relay_state_sha256: String::new(),
        request_id: REQUEST_ID.into(),
        connection_id: connection.id.clone(),
        attempt: AttemptId::SignIn("sia_selfcheck".into()),
        client_id: "client_selfcheck".into(),
        redirect_url: String::new(),
        action_complete_redirect_url: String::new(),
        base_url: String::new(),
        expires_at: now + 60_000,
        outcome: None,
        finish_sha256: None,
        created_at: now,
    }
}

/// What the throw-away IdP works with.
pub struct Probes<'a> {
    pub context: &'a Context<'a>,
    pub connection: &'a EnterpriseConnection,
    pub key: &'a SamlKey,
    pub foreign: &'a SamlKey,
}

impl Probes<'_> {
    /// The answer of an honest IdP, changed before it is signed.
    fn issue(&self, email: &str, sign: Sign<'_>, change: impl FnOnce(&mut IssuedResponse<'_>)) -> Option<String> {
        let id = &self.connection.saml_connection_id;
        let (acs_url, audience) =
            (saml_urls::acs_url(self.context.config, id), saml_urls::sp_entity_id(self.context.config, id));
        let attributes = self.attributes(email);
        let now = self.context.now;
        let mut response = IssuedResponse {
            response_id: "_selfcheck-response",
            assertion_id: "_selfcheck-assertion",
            issuer: self.connection.saml.idp_entity_id.as_deref().unwrap_or_default(),
            acs_url: &acs_url,
            audience: &audience,
            in_response_to: Some(REQUEST_ID),
            issue_instant_ms: now,
            not_on_or_after_ms: now + 300_000,
            authn_instant_ms: now,
            session_index: "selfcheck",
            name_id: "selfcheck",
            attributes: &attributes,
            ..IssuedResponse::default()
        };
        change(&mut response);
        match sign {
            Sign::Nothing => Some(response.to_unsigned_xml()),
            Sign::With(key, part) => response.to_signed_xml(key, part, RsaDigest::Sha256).ok(),
        }
    }

    /// What the connection's mapping asks for, each name once.
    fn attributes(&self, email: &str) -> Vec<IssuedAttribute> {
        let mapping = &self.connection.saml.attribute_mapping;
        let user_id = mapping.user_id.as_deref().filter(|name| !name.is_empty());
        let wanted = [
            (Some(mapping.email_address.as_str()), email),
            (user_id, "selfcheck"),
            (Some(mapping.first_name.as_str()), "Self"),
            (Some(mapping.last_name.as_str()), "Check"),
        ];
        let mut attributes: Vec<IssuedAttribute> = Vec::new();
        for (name, value) in wanted {
            let Some(name) = name.filter(|name| !attributes.iter().any(|known| known.name == **name)) else { continue };
            attributes.push(IssuedAttribute { name: name.to_owned(), values: vec![value.to_owned()] });
        }
        attributes
    }

    fn email(&self) -> String {
        let domain = self.connection.domains.first().map_or("selfcheck.invalid", |domain| domain.as_str());
        format!("selfcheck@{domain}")
    }

    /// Every probe; `None` if one cannot be made.
    pub fn all(&self) -> Option<Vec<Probe>> {
        let email = self.email();
        let ours = Sign::With(self.key, SignedPart::Assertion);
        let genuine = |name, xml| Probe { name, xml, is_genuine: true };
        let good = self.issue(&email, ours, |_| {})?;
        let both = self.issue(&email, Sign::With(self.key, SignedPart::Both), |_| {})?;
        let mut probes =
            vec![genuine("signed assertion", good.clone()), genuine("signed response and assertion", both)];
        let mut hostile = |name, xml: String| probes.push(Probe { name, xml, is_genuine: false });
        hostile("no signature", self.issue(&email, Sign::Nothing, |_| {})?);
        hostile("signed by another key", self.issue(&email, Sign::With(self.foreign, SignedPart::Assertion), |_| {})?);
        for (name, xml) in self.tampered(&good)? {
            hostile(name, xml);
        }
        let (now, hour) = (self.context.now, 3_600_000);
        hostile("for another service provider", self.issue(&email, ours, |r| r.audience = "https://other.invalid/")?);
        hostile("for another ACS", self.issue(&email, ours, |r| r.acs_url = "https://other.invalid/acs")?);
        hostile("of another identity provider", self.issue(&email, ours, |r| r.issuer = "https://other.invalid/")?);
        hostile("to another request", self.issue(&email, ours, |r| r.in_response_to = Some("_other"))?);
        hostile("to no request", self.issue(&email, ours, |r| r.in_response_to = None)?);
        hostile(
            "run out",
            self.issue(&email, ours, |r| {
                (r.issue_instant_ms, r.not_on_or_after_ms, r.authn_instant_ms) =
                    (now - hour, now - hour / 2, now - hour);
            })?,
        );
        hostile(
            "not yet valid",
            self.issue(&email, ours, |r| (r.issue_instant_ms, r.not_on_or_after_ms) = (now + hour, now + 2 * hour))?,
        );
        hostile("address outside of the domains", self.issue("selfcheck@other.invalid", ours, |_| {})?);
        if self.connection.saml.force_authn {
            hostile(
                "older session where a fresh sign-in is wanted",
                self.issue(&email, ours, |r| r.authn_instant_ms = now - hour)?,
            );
        }
        Some(probes)
    }

    /// A genuine answer, changed after it was signed.
    fn tampered(&self, good: &str) -> Option<Vec<(&'static str, String)>> {
        let email = self.email();
        let forged_email = email.replace("selfcheck@", "administrator@");
        let unsigned = self.issue(&forged_email, Sign::Nothing, |r| r.assertion_id = "_forged")?;
        let forged = between(&unsigned, "<saml:Assertion ", "</saml:Assertion>")?;
        let genuine = between(good, "<saml:Assertion ", "</saml:Assertion>")?;
        let signature = between(good, "<ds:Signature ", "</ds:Signature>")?;
        let declared = forged
            .replace("<saml:Assertion ", r#"<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" "#);
        let same_id = forged.replace("_forged", "_selfcheck-assertion");
        let commented = email.replace("selfcheck@", "selfcheck<!---->@");
        let mut tampered = vec![
            ("subject changed", good.replacen(">selfcheck</saml:NameID>", ">administrator</saml:NameID>", 1)),
            ("address changed", good.replace(&email, &forged_email)),
            ("signature cut out", good.replacen(signature, "", 1)),
            ("forged assertion before the signed one", good.replacen(genuine, &format!("{forged}{genuine}"), 1)),
            ("forged assertion behind the signed one", good.replacen(genuine, &format!("{genuine}{forged}"), 1)),
            ("two assertions of one id", good.replacen(genuine, &format!("{same_id}{genuine}"), 1)),
            (
                "signed assertion moved aside",
                good.replacen(genuine, forged, 1).replacen(
                    "<samlp:Status>",
                    &format!("<samlp:Extensions>{genuine}</samlp:Extensions><samlp:Status>"),
                    1,
                ),
            ),
            (
                "signature moved to a forged assertion",
                good.replacen(
                    genuine,
                    &same_id.replacen("</saml:Issuer>", &format!("</saml:Issuer>{signature}"), 1),
                    1,
                ),
            ),
            (
                "signed assertion inside of the signature of a forged one",
                good.replacen(
                    genuine,
                    &forged.replacen(
                        "</saml:Issuer>",
                        &format!(
                            "</saml:Issuer>{}",
                            signature.replacen(
                                "</ds:Signature>",
                                &format!("<ds:Object>{genuine}</ds:Object></ds:Signature>"),
                                1
                            )
                        ),
                        1,
                    ),
                    1,
                ),
            ),
            ("comment inside of the address", good.replace(&email, &commented)),
            ("document type", format!("<!DOCTYPE Response [<!ENTITY a \"a\">]>{good}")),
            ("an assertion and no response", declared),
        ];
        // A change that changed nothing would be no test.
        if tampered.iter().any(|(_, xml)| xml == good) {
            return None;
        }
        tampered.push(("nothing", String::new()));
        Some(tampered)
    }

    /// A genuine answer encrypted for the connection's key, and one encrypted without any signature.
    pub fn encrypted(&self, certificate: &str) -> Vec<Probe> {
        let Ok(recipient) = TrustedCertificate::parse(certificate) else { return Vec::new() };
        let email = self.email();
        let seal = |sign, name, is_genuine| {
            let mut random = [0u8; 48];
            self.context.random.fill(&mut random);
            let (cipher, transport) = (ContentCipher::Aes256Gcm, KeyTransport::OaepSha1);
            let encryption = AssertionEncryption { recipient: &recipient, cipher, transport, random };
            let xml = encrypt_assertion(&self.issue(&email, sign, |_| {})?, &encryption).ok()?;
            Some(Probe { name, xml, is_genuine })
        };
        let signed = seal(Sign::With(self.key, SignedPart::Assertion), "encrypted assertion", true);
        let unsigned = seal(Sign::Nothing, "encrypted assertion without signature", false);
        signed.into_iter().chain(unsigned).collect()
    }
}

/// Who signs what.
#[derive(Clone, Copy)]
enum Sign<'a> {
    Nothing,
    With(&'a SamlKey, SignedPart),
}

/// From the first `start` to the end of the first `end` behind it.
fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let from = text.find(start)?;
    let to = from + text.get(from..)?.find(end)? + end.len();
    text.get(from..to)
}
