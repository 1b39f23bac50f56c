//! Changes to documents, as an attacker makes them (text only) and as a careless or hostile IdP could (signed again).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::Scene;

/// Replaces `from`, which must occur exactly once.
pub(crate) fn replace(xml: &str, from: &str, to: &str) -> String {
    assert_eq!(xml.matches(from).count(), 1, "{from} in {xml}");
    xml.replacen(from, to, 1)
}

/// The text from the first `start` to the first `end` behind it, both included.
pub(crate) fn between<'a>(xml: &'a str, start: &str, end: &str) -> &'a str {
    let from = xml.find(start).unwrap();
    let to = from + xml[from..].find(end).unwrap() + end.len();
    &xml[from..to]
}

/// The first Signature of the document.
pub(crate) fn signature(xml: &str) -> &str {
    between(xml, "<ds:Signature ", "</ds:Signature>")
}

/// The Assertion of the document.
pub(crate) fn assertion(xml: &str) -> &str {
    between(xml, "<saml:Assertion ", "</saml:Assertion>")
}

/// The document without its first Signature.
pub(crate) fn unsigned(xml: &str) -> String {
    replace(xml, signature(xml), "")
}

impl Scene {
    /// Changes the first SignedInfo by `edit` and signs it again with the IdP's key. The result of `edit` must be in
    /// canonical form but for the declaration of `ds`, which is added.
    pub(crate) fn resign(&self, xml: &str, edit: impl Fn(&str) -> String) -> String {
        let old = between(xml, "<ds:SignedInfo>", "</ds:SignedInfo>");
        let new = edit(old);
        let canonical =
            new.replacen("<ds:SignedInfo", "<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"", 1);
        let value = STANDARD.encode(self.sign(canonical.as_bytes()));
        let old_value = between(xml, "<ds:SignatureValue>", "</ds:SignatureValue>");
        let new_value = format!("<ds:SignatureValue>{value}</ds:SignatureValue>");
        replace(&replace(xml, old, &new), old_value, &new_value)
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let key = KeyPair::from_pkcs8(&self.idp.pkcs8).unwrap();
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
        signature
    }
}
