//! The Response an IdP issues (SAML core 3.3.3, profiles 4.1.4.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::IdpError;
use crate::NAME_ID_EMAIL;
use crate::instant::UnixMillis;
use crate::signing::{RsaDigest, SamlKey, SignedPart, sign_by_id};
use crate::xml::escape::{attribute, text};
use crate::xml::{NS_ASSERTION, NS_PROTOCOL};

/// One attribute of the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedAttribute {
    /// `@Name`.
    pub name: String,
    /// The values, in order.
    pub values: Vec<String>,
}

/// Everything a Response says. Times are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedResponse<'a> {
    /// `Response/@ID`; a name: it starts with a letter or `_`.
    pub response_id: &'a str,
    /// `Assertion/@ID`; a name, other than the Response's.
    pub assertion_id: &'a str,
    /// The IdP's entity id.
    pub issuer: &'a str,
    /// The SP's ACS URL: Destination and Recipient.
    pub acs_url: &'a str,
    /// The SP's entity id: Audience.
    pub audience: &'a str,
    /// The id of the AuthnRequest that is answered; `None` makes an unsolicited Response.
    pub in_response_to: Option<&'a str>,
    /// When the Response is issued; the conditions hold from then.
    pub issue_instant_ms: i64,
    /// Until when the Response may be delivered.
    pub not_on_or_after_ms: i64,
    /// When the person signed in at the IdP.
    pub authn_instant_ms: i64,
    /// The session at the IdP.
    pub session_index: &'a str,
    /// When that session ends.
    pub session_not_on_or_after_ms: Option<i64>,
    /// The person.
    pub name_id: &'a str,
    /// The `NameID` format, such as [`NAME_ID_EMAIL`].
    pub name_id_format: &'a str,
    /// What else is said of the person.
    pub attributes: &'a [IssuedAttribute],
}

impl Default for IssuedResponse<'_> {
    fn default() -> Self {
        IssuedResponse {
            response_id: "",
            assertion_id: "",
            issuer: "",
            acs_url: "",
            audience: "",
            in_response_to: None,
            issue_instant_ms: 0,
            not_on_or_after_ms: 0,
            authn_instant_ms: 0,
            session_index: "",
            session_not_on_or_after_ms: None,
            name_id: "",
            name_id_format: NAME_ID_EMAIL,
            attributes: &[],
        }
    }
}

impl IssuedResponse<'_> {
    /// The form value for `SAMLResponse`: the signed document in base64 (bindings 3.5.4).
    ///
    /// # Errors
    /// See [`to_signed_xml`](Self::to_signed_xml).
    pub fn to_form_value(&self, key: &SamlKey, part: SignedPart, digest: RsaDigest) -> Result<String, IdpError> {
        Ok(STANDARD.encode(self.to_signed_xml(key, part, digest)?))
    }

    /// The signed document.
    ///
    /// # Errors
    /// The ids are empty or the same, or signing failed.
    pub fn to_signed_xml(&self, key: &SamlKey, part: SignedPart, digest: RsaDigest) -> Result<String, IdpError> {
        let mut xml = self.to_unsigned_xml();
        if part != SignedPart::Response {
            xml = sign_by_id(&xml, self.assertion_id, key, digest)?;
        }
        if part != SignedPart::Assertion {
            xml = sign_by_id(&xml, self.response_id, key, digest)?;
        }
        Ok(xml)
    }

    /// The document without any signature, which no SP accepts.
    pub fn to_unsigned_xml(&self) -> String {
        format!(
            "<samlp:Response xmlns:samlp=\"{NS_PROTOCOL}\" xmlns:saml=\"{NS_ASSERTION}\" ID=\"{id}\"{in_response_to} \
             IssueInstant=\"{instant}\" Version=\"2.0\" Destination=\"{acs}\"><saml:Issuer>{issuer}</saml:Issuer>\
             <samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:Status>\
             <saml:Assertion ID=\"{assertion_id}\" IssueInstant=\"{instant}\" Version=\"2.0\">\
             <saml:Issuer>{issuer}</saml:Issuer>{subject}{conditions}{authn}{attributes}</saml:Assertion></samlp:Response>",
            id = attribute(self.response_id),
            in_response_to = self.in_response_to(),
            instant = UnixMillis(self.issue_instant_ms),
            acs = attribute(self.acs_url),
            issuer = text(self.issuer),
            assertion_id = attribute(self.assertion_id),
            subject = self.subject(),
            conditions = self.conditions(),
            authn = self.authn_statement(),
            attributes = self.attribute_statement(),
        )
    }

    fn in_response_to(&self) -> String {
        self.in_response_to.map_or(String::new(), |id| format!(" InResponseTo=\"{}\"", attribute(id)))
    }

    fn subject(&self) -> String {
        format!(
            "<saml:Subject><saml:NameID Format=\"{format}\">{name_id}</saml:NameID>\
             <saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
             <saml:SubjectConfirmationData{in_response_to} NotOnOrAfter=\"{end}\" Recipient=\"{acs}\"/>\
             </saml:SubjectConfirmation></saml:Subject>",
            format = attribute(self.name_id_format),
            name_id = text(self.name_id),
            in_response_to = self.in_response_to(),
            end = UnixMillis(self.not_on_or_after_ms),
            acs = attribute(self.acs_url),
        )
    }

    fn conditions(&self) -> String {
        format!(
            "<saml:Conditions NotBefore=\"{start}\" NotOnOrAfter=\"{end}\"><saml:AudienceRestriction>\
             <saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>",
            start = UnixMillis(self.issue_instant_ms),
            end = UnixMillis(self.not_on_or_after_ms),
            audience = text(self.audience),
        )
    }

    fn authn_statement(&self) -> String {
        let session_end = self
            .session_not_on_or_after_ms
            .map_or(String::new(), |end| format!(" SessionNotOnOrAfter=\"{}\"", UnixMillis(end)));
        format!(
            "<saml:AuthnStatement AuthnInstant=\"{instant}\" SessionIndex=\"{index}\"{session_end}><saml:AuthnContext>\
             <saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport\
             </saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>",
            instant = UnixMillis(self.authn_instant_ms),
            index = attribute(self.session_index),
        )
    }

    fn attribute_statement(&self) -> String {
        if self.attributes.is_empty() {
            return String::new(); // the schema wants at least one Attribute in a statement
        }
        let mut xml = String::from("<saml:AttributeStatement>");
        for issued in self.attributes {
            xml.push_str(&format!("<saml:Attribute Name=\"{}\">", attribute(&issued.name)));
            for value in &issued.values {
                let value = text(value);
                xml.push_str(&format!("<saml:AttributeValue>{value}</saml:AttributeValue>"));
            }
            xml.push_str("</saml:Attribute>");
        }
        xml.push_str("</saml:AttributeStatement>");
        xml
    }
}
