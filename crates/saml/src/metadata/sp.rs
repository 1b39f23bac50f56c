//! Our own metadata, for one connection.

use super::HTTP_POST;
use crate::NAME_ID_EMAIL;
use crate::xml::escape::attribute;
use crate::xml::{NS_METADATA, NS_PROTOCOL};

/// What an IdP needs to know of us (SAML metadata 2.4.4): one ACS by HTTP-POST, no logout, unsigned requests, signed
/// assertions wanted.
#[derive(Clone, Copy, Debug)]
pub struct SpMetadata<'a> {
    /// Our entity id towards this IdP.
    pub entity_id: &'a str,
    /// Where Responses are posted.
    pub acs_url: &'a str,
}

impl SpMetadata<'_> {
    /// The metadata document.
    pub fn to_xml(&self) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <md:EntityDescriptor xmlns:md=\"{NS_METADATA}\" entityID=\"{entity_id}\">\n  \
             <md:SPSSODescriptor AuthnRequestsSigned=\"false\" WantAssertionsSigned=\"true\" \
             protocolSupportEnumeration=\"{NS_PROTOCOL}\">\n    \
             <md:NameIDFormat>{NAME_ID_EMAIL}</md:NameIDFormat>\n    \
             <md:AssertionConsumerService Binding=\"{HTTP_POST}\" Location=\"{acs_url}\" index=\"1\"/>\n  \
             </md:SPSSODescriptor>\n\
             </md:EntityDescriptor>\n",
            entity_id = attribute(self.entity_id),
            acs_url = attribute(self.acs_url),
        )
    }
}
