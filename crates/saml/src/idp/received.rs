//! The AuthnRequest as it reaches the IdP by HTTP-Redirect (SAML bindings 3.4.4.1) or HTTP-POST (3.5.4).

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::DeflateDecoder;

use super::IdpError;
use crate::authn_request::deflate;
use crate::certificate::{DigestSize, TrustedCertificate};
use crate::signature::algorithm::SignatureAlgorithm;
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

    /// The query of a redirect that says what a posted form says (bindings 3.5.4), for an IdP that goes on by links. A
    /// signature in the document stays where it is.
    ///
    /// # Errors
    /// `saml_request` is no AuthnRequest with an ID and an Issuer.
    pub fn redirect_query_of_form(
        saml_request: &str,
        relay_state: Option<&str>,
        login_hint: Option<&str>,
    ) -> Result<String, IdpError> {
        let xml = decode(saml_request)?;
        Self::from_xml(&xml)?;
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("SAMLRequest", &STANDARD.encode(deflate(&xml)));
        for (name, value) in [("RelayState", relay_state), ("login_hint", login_hint)] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        Ok(query.finish())
    }

    /// Whether the query of a redirect is signed by RSA-SHA256 with the key of `certificate` (bindings 3.4.4.1), for a query
    /// whose parameters come in the order in which they are signed.
    pub fn is_redirect_signed_by(query: &str, certificate: &TrustedCertificate) -> bool {
        let signed = query.find("SAMLRequest=").and_then(|start| query.get(start..)?.split_once("&Signature="));
        let (Some((signed, rest)), Some(key)) = (signed, certificate.rsa_key(DigestSize::Sha256)) else { return false };
        let value = format!("Signature={}", rest.split('&').next().unwrap_or_default());
        let value = url::form_urlencoded::parse(value.as_bytes()).next().map(|(_, value)| value.into_owned());
        let signature = value.and_then(|value| STANDARD.decode(value).ok()).unwrap_or_default();
        let algorithm: String =
            url::form_urlencoded::byte_serialize(SignatureAlgorithm::Rsa(DigestSize::Sha256).uri().as_bytes())
                .collect();
        signed.ends_with(&format!("&SigAlg={algorithm}")) && key.verify_sig(signed.as_bytes(), &signature).is_ok()
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

fn decode(request: &str) -> Result<Vec<u8>, IdpError> {
    if request.len() as u64 > REQUEST_BYTES {
        return Err(IdpError::RequestEncoding("it is too long"));
    }
    STANDARD.decode(request).map_err(|_| IdpError::RequestEncoding("it is not base64"))
}

fn inflate(request: &str) -> Result<Vec<u8>, IdpError> {
    let failed = |why| Err(IdpError::RequestEncoding(why));
    let deflated = decode(request)?;
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
