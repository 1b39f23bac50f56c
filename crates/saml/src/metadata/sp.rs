//! Our own metadata, for one connection.

use super::HTTP_POST;
use crate::NAME_ID_EMAIL;
use crate::encryption::{ContentAlgorithm, KeyAlgorithm};
use crate::xml::escape::attribute;
use crate::xml::{NS_METADATA, NS_PROTOCOL, NS_SIGNATURE};

/// What an IdP needs to know of us (SAML metadata 2.4.4): one ACS by HTTP-POST, no logout, signed assertions wanted.
#[derive(Clone, Copy, Debug)]
pub struct SpMetadata<'a> {
    /// Our entity id towards this IdP.
    pub entity_id: &'a str,
    /// Where Responses are posted.
    pub acs_url: &'a str,
    /// Base64 of the DER of the certificates to encrypt Assertions for, the preferred one first, as some IdPs take the first;
    /// none takes none encrypted.
    pub encryption_certificates: &'a [&'a str],
    /// The same of the certificates that AuthnRequests are or will be signed with; none where they are not signed.
    pub signing_certificates: &'a [&'a str],
}

impl SpMetadata<'_> {
    /// The metadata document.
    pub fn to_xml(&self) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <md:EntityDescriptor xmlns:md=\"{NS_METADATA}\" entityID=\"{entity_id}\">\n  \
             <md:SPSSODescriptor AuthnRequestsSigned=\"{signed}\" WantAssertionsSigned=\"true\" \
             protocolSupportEnumeration=\"{NS_PROTOCOL}\">\n    \
             {signing}{encryption}\
             <md:NameIDFormat>{NAME_ID_EMAIL}</md:NameIDFormat>\n    \
             <md:AssertionConsumerService Binding=\"{HTTP_POST}\" Location=\"{acs_url}\" index=\"1\"/>\n  \
             </md:SPSSODescriptor>\n\
             </md:EntityDescriptor>\n",
            entity_id = attribute(self.entity_id),
            acs_url = attribute(self.acs_url),
            signed = !self.signing_certificates.is_empty(),
            signing =
                self.signing_certificates.iter().map(|key| key_descriptor("signing", key, "")).collect::<String>(),
            encryption = self.encryption_certificates.iter().map(|key| encryption_key(key)).collect::<String>(),
        )
    }
}

/// The key with all that we decrypt (metadata 2.4.1.1), best first: some IdPs take the first.
fn encryption_key(certificate: &str) -> String {
    let content = ContentAlgorithm::ALL.map(ContentAlgorithm::uri);
    let transport = KeyAlgorithm::URIS;
    let methods: String = content
        .iter()
        .chain(&transport)
        .map(|uri| format!("\n      <md:EncryptionMethod Algorithm=\"{uri}\"/>"))
        .collect();
    key_descriptor("encryption", certificate, &methods)
}

fn key_descriptor(purpose: &str, certificate: &str, methods: &str) -> String {
    format!(
        "<md:KeyDescriptor use=\"{purpose}\">\n      <ds:KeyInfo xmlns:ds=\"{NS_SIGNATURE}\"><ds:X509Data>\
         <ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>{methods}\n    \
         </md:KeyDescriptor>\n    ",
        certificate = attribute(certificate),
    )
}
