//! The AuthnRequest (SAML core 3.4.1) and its way to the IdP by HTTP-Redirect or HTTP-POST (bindings 3.4, 3.5).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::{Url, form_urlencoded};

use crate::certificate::DigestSize;
use crate::hex::hex;
use crate::instant::UnixMillis;
use crate::signature::algorithm::SignatureAlgorithm;
use crate::signing::{RsaDigest, SamlKey, SigningError, sign_by_id};
use crate::xml::escape::{attribute, text};
use crate::xml::{NS_ASSERTION, NS_PROTOCOL};

/// RelayState may not be longer (bindings 3.4.3), in bytes.
const LONGEST_RELAY_STATE: usize = 80;

/// Why no redirect could be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthnRequestError {
    /// The IdP's URL is not one a browser may be sent to.
    #[error("the IdP's SSO URL is not an absolute http or https URL")]
    SsoUrl,
    /// RelayState is too long (bindings 3.4.3).
    #[error("RelayState has {got} bytes, at most {LONGEST_RELAY_STATE} are allowed")]
    RelayStateTooLong { got: usize },
    /// Signing failed.
    #[error(transparent)]
    Signing(#[from] SigningError),
}

impl AuthnRequestError {
    /// A short stable reason for machines.
    pub fn code(&self) -> &'static str {
        match self {
            AuthnRequestError::SsoUrl => "sso_url_invalid",
            AuthnRequestError::RelayStateTooLong { .. } => "relay_state_too_long",
            AuthnRequestError::Signing(_) => "signing_failed",
        }
    }
}

/// A request that the IdP sign somebody in and tell our ACS.
#[derive(Clone, Copy, Debug)]
pub struct AuthnRequest<'a> {
    /// `ID`, from [`request_id`]. The Response will carry it as `InResponseTo`.
    pub id: &'a str,
    /// Time of issue, in Unix milliseconds.
    pub issue_instant_ms: i64,
    /// Where the browser is sent; may have a query already.
    pub idp_sso_url: &'a str,
    /// Where the Response shall be posted.
    pub acs_url: &'a str,
    /// Our entity id towards this IdP.
    pub sp_entity_id: &'a str,
    /// Whether the IdP shall ask for credentials even if the person has a session there.
    pub force_authn: bool,
    /// The `NameIDPolicy` format to ask for; `None` leaves it to the IdP.
    pub name_id_format: Option<&'a str>,
}

/// An id for an AuthnRequest: `_` and the bytes in hexadecimal. The caller supplies at least 16 random bytes, as SAML core
/// 1.3.4 wants ids not to be guessed.
pub fn request_id(random: &[u8]) -> String {
    format!("_{}", hex(random))
}

impl AuthnRequest<'_> {
    /// The request as XML.
    pub fn to_xml(&self) -> String {
        let format = self.name_id_format.map_or(String::new(), |format| format!(" Format=\"{}\"", attribute(format)));
        let force = if self.force_authn { " ForceAuthn=\"true\"" } else { "" };
        format!(
            "<samlp:AuthnRequest xmlns:samlp=\"{NS_PROTOCOL}\" xmlns:saml=\"{NS_ASSERTION}\" ID=\"{id}\" Version=\"2.0\" \
             IssueInstant=\"{instant}\" Destination=\"{destination}\"{force} \
             ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" \
             AssertionConsumerServiceURL=\"{acs}\"><saml:Issuer>{issuer}</saml:Issuer>\
             <samlp:NameIDPolicy{format} AllowCreate=\"true\"/></samlp:AuthnRequest>",
            id = attribute(self.id),
            instant = UnixMillis(self.issue_instant_ms),
            destination = attribute(self.idp_sso_url),
            acs = attribute(self.acs_url),
            issuer = text(self.sp_entity_id),
        )
    }

    /// The URL that carries the request to the IdP (bindings 3.4.4.1), with RelayState and the customary `login_hint` if
    /// given, signed if there is a key. A query that the IdP's URL already has is kept.
    ///
    /// # Errors
    /// The IdP's URL is not http or https, RelayState is longer than 80 bytes, or signing failed.
    pub fn redirect_url(
        &self,
        relay_state: Option<&str>,
        login_hint: Option<&str>,
        key: Option<&SamlKey>,
    ) -> Result<String, AuthnRequestError> {
        let mut url = self.checked_url(relay_state)?;
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("SAMLRequest", &STANDARD.encode(deflate(self.to_xml().as_bytes())));
        if let Some(relay_state) = relay_state {
            query.append_pair("RelayState", relay_state);
        }
        if key.is_some() {
            query.append_pair("SigAlg", &SignatureAlgorithm::Rsa(DigestSize::Sha256).uri());
        }
        // What is signed is the query as it stands, in this order (bindings 3.4.4.1).
        let mut query = query.finish();
        if let Some(key) = key {
            let signature = key.sign(RsaDigest::Sha256, query.as_bytes())?;
            let mut rest = form_urlencoded::Serializer::new(query);
            rest.append_pair("Signature", &STANDARD.encode(signature));
            query = rest.finish();
        }
        if let Some(login_hint) = login_hint {
            let mut rest = form_urlencoded::Serializer::new(query);
            rest.append_pair("login_hint", login_hint);
            query = rest.finish();
        }
        let query = match url.query() {
            Some(kept) if !kept.is_empty() => format!("{kept}&{query}"),
            _ => query,
        };
        url.set_query(Some(&query));
        Ok(url.into())
    }

    /// The form that carries the request to the IdP (bindings 3.5.4), signed if there is a key. RelayState goes beside it.
    ///
    /// # Errors
    /// The IdP's URL is not http or https, RelayState is longer than 80 bytes, or signing failed.
    pub fn post_form(
        &self,
        relay_state: Option<&str>,
        login_hint: Option<&str>,
        key: Option<&SamlKey>,
    ) -> Result<PostForm, AuthnRequestError> {
        let mut url = self.checked_url(relay_state)?;
        if let Some(login_hint) = login_hint {
            url.query_pairs_mut().append_pair("login_hint", login_hint);
        }
        let xml = match key {
            Some(key) => sign_by_id(&self.to_xml(), self.id, key, RsaDigest::Sha256)?,
            None => self.to_xml(),
        };
        Ok(PostForm { action: url.into(), saml_request: STANDARD.encode(xml) })
    }

    fn checked_url(&self, relay_state: Option<&str>) -> Result<Url, AuthnRequestError> {
        let mut url = Url::parse(self.idp_sso_url).map_err(|_| AuthnRequestError::SsoUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(AuthnRequestError::SsoUrl);
        }
        let got = relay_state.map_or(0, str::len);
        if got > LONGEST_RELAY_STATE {
            return Err(AuthnRequestError::RelayStateTooLong { got });
        }
        url.set_fragment(None);
        Ok(url)
    }
}

/// What a browser posts to an IdP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostForm {
    /// Where it goes.
    pub action: String,
    /// The field `SAMLRequest`.
    pub saml_request: String,
}

/// DEFLATE without a zlib header (bindings 3.4.4.1), in blocks that are stored as they are (RFC 1951 3.2.4): a request is
/// half a kilobyte, and a compressor needs hundreds of kilobytes of tables to save a part of it.
pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 5);
    let mut blocks = bytes.chunks(usize::from(u16::MAX)).peekable();
    while let Some(block) = blocks.next() {
        let length = block.len() as u16;
        out.push(u8::from(blocks.peek().is_none()));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    out
}
