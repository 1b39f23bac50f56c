//! The IdP's metadata (SAML metadata 2.4.3).

use crate::certificate::TrustedCertificate;
use crate::metadata::{HTTP_POST, HTTP_REDIRECT};
use crate::xml::escape::attribute;
use crate::xml::{NS_METADATA, NS_PROTOCOL, NS_SIGNATURE};
use crate::{NAME_ID_EMAIL, NAME_ID_PERSISTENT};

/// The metadata document of an IdP that takes AuthnRequests at `sso_url` and signs with the keys of `certificates`.
pub fn idp_metadata(entity_id: &str, sso_url: &str, certificates: &[&TrustedCertificate]) -> String {
    let entity_id = attribute(entity_id);
    let sso_url = attribute(sso_url);
    let keys: String = certificates
        .iter()
        .map(|certificate| {
            format!(
                "    <md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"{NS_SIGNATURE}\"><ds:X509Data>\
                 <ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>\n",
                certificate.base64()
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <md:EntityDescriptor xmlns:md=\"{NS_METADATA}\" entityID=\"{entity_id}\">\n  \
         <md:IDPSSODescriptor protocolSupportEnumeration=\"{NS_PROTOCOL}\" WantAuthnRequestsSigned=\"false\">\n\
         {keys}    \
         <md:NameIDFormat>{NAME_ID_EMAIL}</md:NameIDFormat>\n    \
         <md:NameIDFormat>{NAME_ID_PERSISTENT}</md:NameIDFormat>\n    \
         <md:SingleSignOnService Binding=\"{HTTP_REDIRECT}\" Location=\"{sso_url}\"/>\n    \
         <md:SingleSignOnService Binding=\"{HTTP_POST}\" Location=\"{sso_url}\"/>\n  \
         </md:IDPSSODescriptor>\n\
         </md:EntityDescriptor>\n"
    )
}
