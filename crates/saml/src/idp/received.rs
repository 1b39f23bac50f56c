//! The AuthnRequest as it reaches the IdP by HTTP-Redirect (SAML bindings 3.4.4.1).

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::DeflateDecoder;

use super::IdpError;
use crate::xml::read::{children, describe, is, plain_text};
use crate::xml::{self, Limits, NS_ASSERTION, NS_PROTOCOL};

/// The largest AuthnRequest accepted, inflated; deflate alone would let a kilobyte become a megabyte.
const REQUEST_BYTES: u64 = 64 * 1024;

/// What an SP asks for. It is not signed: anybody may have written it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceivedAuthnRequest {
    /// `@ID`, to be answered as InResponseTo.
    pub id: String,
    /// The SP's entity id.
    pub issuer: String,
    /// Where the SP wants the Response; an IdP must check that it belongs to the SP.
    pub acs_url: Option<String>,
    /// Where the SP sent the request.
    pub destination: Option<String>,
    /// Whether the person shall enter credentials again.
    pub force_authn: bool,
    /// The NameID format the SP asks for.
    pub name_id_format: Option<String>,
    /// To be returned unchanged with the Response.
    pub relay_state: Option<String>,
    /// Whom the SP expects to sign in.
    pub login_hint: Option<String>,
}

impl ReceivedAuthnRequest {
    /// Reads the query string of the redirect, without `?`.
    ///
    /// # Errors
    /// The query has no SAMLRequest, or it is no AuthnRequest with an ID and an Issuer.
    pub fn from_redirect_query(query: &str) -> Result<Self, IdpError> {
        let parameter = |name: &str| {
            url::form_urlencoded::parse(query.as_bytes())
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        let request = parameter("SAMLRequest").ok_or(IdpError::RequestMissing)?;
        let mut request = Self::from_xml(&inflate(&request)?)?;
        request.relay_state = parameter("RelayState");
        request.login_hint = parameter("login_hint");
        Ok(request)
    }

    /// Reads the XML of a request, however it came.
    ///
    /// # Errors
    /// It is no AuthnRequest with an ID and an Issuer.
    pub fn from_xml(bytes: &[u8]) -> Result<Self, IdpError> {
        let unusable = |why: &str| IdpError::NotAnAuthnRequest(why.into());
        let document = xml::parse(xml::admit(bytes, &Limits::RESPONSE)?)?;
        let root = document.root_element();
        if !is(&root, NS_PROTOCOL, "AuthnRequest") {
            return Err(unusable(&describe(&root)));
        }
        if root.attribute("Version") != Some("2.0") {
            return Err(unusable("its version is not 2.0"));
        }
        let attribute = |name| root.attribute(name).map(str::to_owned);
        let issuer = children(root, NS_ASSERTION, "Issuer")
            .next()
            .and_then(plain_text)
            .map(str::trim_ascii)
            .filter(|issuer| !issuer.is_empty())
            .ok_or_else(|| unusable("it has no Issuer"))?;
        let policy = children(root, NS_PROTOCOL, "NameIDPolicy").next();
        Ok(ReceivedAuthnRequest {
            id: attribute("ID").ok_or_else(|| unusable("it has no ID"))?,
            issuer: issuer.to_owned(),
            acs_url: attribute("AssertionConsumerServiceURL"),
            destination: attribute("Destination"),
            force_authn: matches!(root.attribute("ForceAuthn"), Some("true" | "1")),
            name_id_format: policy.and_then(|policy| policy.attribute("Format")).map(str::to_owned),
            relay_state: None,
            login_hint: None,
        })
    }
}

fn inflate(request: &str) -> Result<Vec<u8>, IdpError> {
    let failed = |why| Err(IdpError::RequestEncoding(why));
    if request.len() as u64 > REQUEST_BYTES {
        return failed("it is too long");
    }
    let Ok(deflated) = STANDARD.decode(request) else {
        return failed("it is not base64");
    };
    let mut inflated = Vec::new();
    let mut decoder = DeflateDecoder::new(deflated.as_slice()).take(REQUEST_BYTES + 1);
    if decoder.read_to_end(&mut inflated).is_err() {
        return failed("it does not inflate");
    }
    if inflated.len() as u64 > REQUEST_BYTES {
        return failed("it inflates to more than 64 KB");
    }
    Ok(inflated)
}
