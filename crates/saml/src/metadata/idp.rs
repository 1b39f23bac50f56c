//! An IdP's metadata, as an operator uploads it or names its URL (SAML metadata 2.3 and 2.4.3).
//!
//! Its own signature is not looked at: whoever sets up the connection vouches for it.

use roxmltree::Node;
use url::Url;

use super::{HTTP_POST, HTTP_REDIRECT};
use crate::certificate::{CertificateError, TrustedCertificate};
use crate::error::Shown;
use crate::instant::{UnixMillis, parse_duration};
use crate::xml::read::{children, describe, is, plain_text};
use crate::xml::{self, Limits, NS_METADATA, NS_PROTOCOL, NS_SIGNATURE, XmlError};

/// How an AuthnRequest travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SsoBinding {
    /// In the URL of a redirect (bindings 3.4).
    Redirect,
    /// In a form that the browser posts (bindings 3.5).
    Post,
}

impl SsoBinding {
    fn uri(self) -> &'static str {
        match self {
            SsoBinding::Redirect => HTTP_REDIRECT,
            SsoBinding::Post => HTTP_POST,
        }
    }
}

/// What a connection needs to know of its IdP.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdpMetadata {
    /// `EntityDescriptor/@entityID`.
    pub entity_id: String,
    /// Where AuthnRequests go, by each binding that we speak and the IdP offers, HTTP-Redirect first; http or https URLs,
    /// at least one.
    pub sso_urls: Vec<(SsoBinding, String)>,
    /// The certificates that may sign, in document order and without repetition; at least one.
    pub certificates: Vec<TrustedCertificate>,
    /// Signing certificates that were left out because they are of no use, such as RSA keys of 1024 bits.
    pub unusable_certificates: Vec<CertificateError>,
    /// Whether the IdP wants AuthnRequests to be signed.
    pub want_authn_requests_signed: bool,
    /// The earliest `validUntil` that applies to the IdP, in Unix milliseconds: from then on the document says nothing.
    pub valid_until_ms: Option<i64>,
    /// The shortest `cacheDuration` that applies to the IdP, in milliseconds; one that cannot be read is no wish.
    pub cache_duration_ms: Option<i64>,
}

/// Why metadata was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// The gate or the parser refused the document.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// The document is something else.
    #[error("expected SAML metadata (EntityDescriptor), got {got}")]
    NotMetadata { got: Shown },
    /// An aggregate of several IdPs; which one is meant?
    #[error("the metadata describes {got} IdPs, expected exactly one")]
    SeveralIdps { got: usize },
    /// What a connection needs is not there: `idp_entity_id`, `idp_sso_url`, `idp_certificate`.
    #[error("the metadata lacks {}", .0.join(", "))]
    MissingFields(Vec<&'static str>),
    /// The SSO URL is not one a browser may be sent to.
    #[error("the SSO URL {got} is not an absolute http or https URL")]
    SsoUrl { got: Shown },
    /// No signing certificate is of use; this is why not the first.
    #[error("no signing certificate of the metadata can be used: {0}")]
    Certificate(CertificateError),
    /// `validUntil` is no time, so nobody knows whether the document still holds.
    #[error("the metadata's validUntil {got} is no time")]
    ValidUntil { got: Shown },
    /// More signing certificates than any IdP has.
    #[error("the metadata has more than {limit} signing certificates")]
    TooManyCertificates { limit: usize },
}

impl MetadataError {
    /// A short stable reason for machines.
    pub fn code(&self) -> &'static str {
        match self {
            MetadataError::Xml(error) => error.code(),
            MetadataError::NotMetadata { .. } => "not_metadata",
            MetadataError::SeveralIdps { .. } => "several_idps",
            MetadataError::MissingFields(_) => "missing_fields",
            MetadataError::SsoUrl { .. } => "sso_url_invalid",
            MetadataError::Certificate(error) => error.code(),
            MetadataError::ValidUntil { .. } => "valid_until_invalid",
            MetadataError::TooManyCertificates { .. } => "too_many_certificates",
        }
    }
}

impl IdpMetadata {
    /// The most signing certificates read of one IdP; each costs at every sign-in.
    pub const MOST_CERTIFICATES: usize = 16;

    /// Reads an `EntityDescriptor`, or an `EntitiesDescriptor` with exactly one IdP in it, of at most 1 MB.
    ///
    /// # Errors
    /// See [`MetadataError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, MetadataError> {
        let document = xml::parse(xml::admit(bytes, &Limits::METADATA)?)?;
        let entity = only_idp(document.root_element())?;
        let role = children(entity, NS_METADATA, "IDPSSODescriptor").find(speaks_saml2);
        let entity_id = entity.attribute("entityID").map(str::trim_ascii).filter(|id| !id.is_empty());
        let offered = |binding: SsoBinding| Some((binding, sso_location(role?, binding.uri())?));
        let sso: Vec<_> = [SsoBinding::Redirect, SsoBinding::Post].into_iter().filter_map(offered).collect();
        let keys = role.map(signing_keys).unwrap_or_default();
        if keys.len() > Self::MOST_CERTIFICATES {
            let limit = Self::MOST_CERTIFICATES;
            return Err(MetadataError::TooManyCertificates { limit });
        }
        let (Some(role), Some(entity_id), false, false) = (role, entity_id, sso.is_empty(), keys.is_empty()) else {
            let missing = [
                ("idp_entity_id", entity_id.is_none()),
                ("idp_sso_url", sso.is_empty()),
                ("idp_certificate", keys.is_empty()),
            ];
            let missing = missing.iter().filter(|(_, absent)| *absent);
            return Err(MetadataError::MissingFields(missing.map(|(field, _)| *field).collect()));
        };
        let (certificates, unusable_certificates) = usable(&keys)?;
        Ok(IdpMetadata {
            entity_id: entity_id.to_owned(),
            sso_urls: sso
                .into_iter()
                .map(|(binding, location)| Ok((binding, checked_url(location)?)))
                .collect::<Result<_, MetadataError>>()?,
            certificates,
            unusable_certificates,
            want_authn_requests_signed: matches!(role.attribute("WantAuthnRequestsSigned"), Some("true" | "1")),
            valid_until_ms: valid_until(role)?,
            cache_duration_ms: role
                .ancestors()
                .filter_map(|node| parse_duration(node.attribute("cacheDuration")?))
                .min(),
        })
    }
}

impl IdpMetadata {
    /// How and where AuthnRequests go: by the binding that is wished for, if the IdP offers it.
    pub fn sso(&self, wished: SsoBinding) -> (SsoBinding, &str) {
        let by_wish = self.sso_urls.iter().find(|(binding, _)| *binding == wished);
        by_wish.or(self.sso_urls.first()).map_or((wished, ""), |(binding, url)| (*binding, url))
    }
}

/// The root if it is one entity, else the one entity of an aggregate that is an IdP.
fn only_idp<'a, 'i>(root: Node<'a, 'i>) -> Result<Node<'a, 'i>, MetadataError> {
    if is(&root, NS_METADATA, "EntityDescriptor") {
        return Ok(root);
    }
    if !is(&root, NS_METADATA, "EntitiesDescriptor") {
        return Err(MetadataError::NotMetadata { got: describe(&root).into() });
    }
    let is_idp = |node: &Node| {
        is(node, NS_METADATA, "EntityDescriptor")
            && children(*node, NS_METADATA, "IDPSSODescriptor").any(|role| speaks_saml2(&role))
    };
    let idps: Vec<Node> = root.descendants().filter(is_idp).collect();
    match idps.as_slice() {
        [only] => Ok(*only),
        [] => Err(MetadataError::MissingFields(vec!["idp_entity_id", "idp_sso_url", "idp_certificate"])),
        several => Err(MetadataError::SeveralIdps { got: several.len() }),
    }
}

/// Each level of the document may say when it ends; the inner ones cannot outlive the outer (metadata 2.3.1).
fn valid_until(role: Node) -> Result<Option<i64>, MetadataError> {
    let mut earliest: Option<i64> = None;
    for text in role.ancestors().filter_map(|node| node.attribute("validUntil")) {
        let end = UnixMillis::parse(text).ok_or_else(|| MetadataError::ValidUntil { got: text.into() })?;
        earliest = Some(earliest.map_or(end.0, |known| known.min(end.0)));
    }
    Ok(earliest)
}

fn speaks_saml2(role: &Node) -> bool {
    role.attribute("protocolSupportEnumeration")
        .unwrap_or_default()
        .split_ascii_whitespace()
        .any(|protocol| protocol == NS_PROTOCOL)
}

fn sso_location<'a>(role: Node<'a, '_>, binding: &str) -> Option<&'a str> {
    children(role, NS_METADATA, "SingleSignOnService")
        .filter(|service| service.attribute("Binding") == Some(binding))
        .filter_map(|service| service.attribute("Location"))
        .map(str::trim_ascii)
        .find(|location| !location.is_empty())
}

/// Url gives every http and https URL a host, or refuses it.
fn checked_url(location: &str) -> Result<String, MetadataError> {
    let is_usable = Url::parse(location).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    match is_usable {
        true => Ok(location.to_owned()),
        false => Err(MetadataError::SsoUrl { got: location.into() }),
    }
}

/// The certificates of keys for signing, that is, with `use="signing"` or without `use` (metadata 2.4.1.1). Where one
/// KeyDescriptor has several they are a chain, whose first is the key's; the issuers above it are not to be trusted.
fn signing_keys(role: Node) -> Vec<String> {
    children(role, NS_METADATA, "KeyDescriptor")
        .filter(|key| matches!(key.attribute("use"), None | Some("signing")))
        .filter_map(|key| {
            children(key, NS_SIGNATURE, "KeyInfo")
                .flat_map(|info| children(info, NS_SIGNATURE, "X509Data"))
                .flat_map(|data| children(data, NS_SIGNATURE, "X509Certificate"))
                .next()
        })
        .filter_map(plain_text)
        .map(str::to_owned)
        .filter(|text| !text.trim_ascii().is_empty())
        .take(IdpMetadata::MOST_CERTIFICATES + 1)
        .collect()
}

fn usable(keys: &[String]) -> Result<(Vec<TrustedCertificate>, Vec<CertificateError>), MetadataError> {
    let (mut usable, mut unusable) = (Vec::new(), Vec::new());
    for key in keys {
        match TrustedCertificate::parse(key) {
            Ok(certificate) if usable.contains(&certificate) => {}
            Ok(certificate) => usable.push(certificate),
            Err(error) => unusable.push(error),
        }
    }
    match (usable.is_empty(), unusable.first()) {
        (true, Some(error)) => Err(MetadataError::Certificate(error.clone())),
        _ => Ok((usable, unusable)),
    }
}
