//! XML as this crate admits it: one linear look at the bytes ([`gate`]), then one parser (roxmltree), one canonical form
//! ([`c14n`]) and one way to read an element ([`read`]).

pub(crate) mod c14n;
mod error;
pub(crate) mod escape;
mod gate;
mod limits;
pub(crate) mod read;

pub use error::XmlError;
pub(crate) use limits::Limits;

use roxmltree::{Document, ParsingOptions};

/// SAML 2.0 protocol messages: `samlp:`.
pub(crate) const NS_PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
/// SAML 2.0 assertions: `saml:`.
pub(crate) const NS_ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
/// SAML 2.0 metadata: `md:`.
pub(crate) const NS_METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
/// XML signatures: `ds:`.
pub(crate) const NS_SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
/// XML encryption: `xenc:`.
pub(crate) const NS_ENCRYPTION: &str = "http://www.w3.org/2001/04/xmlenc#";
/// What XML Encryption 1.1 added: `xenc11:`.
pub(crate) const NS_ENCRYPTION11: &str = "http://www.w3.org/2009/xmlenc11#";
/// `xsi:`, for `xsi:nil`.
pub(crate) const NS_SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// Exclusive canonicalization, without comments.
pub(crate) const EXCLUSIVE_C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

/// Lets bytes through the gate. The text that comes out lacks a byte order mark and the XML declaration.
pub(crate) fn admit<'a>(bytes: &'a [u8], limits: &Limits) -> Result<&'a str, XmlError> {
    gate::check(bytes, limits)
}

/// How many elements, attributes and comments the gate sees in text that it lets through.
#[cfg(test)]
pub(crate) fn counted(admitted: &str, limits: &Limits) -> (usize, usize, usize) {
    gate::counted(admitted, limits)
}

/// Parses text that [`admit`] let through, or canonical form made from it.
pub(crate) fn parse(admitted: &str) -> Result<Document<'_>, XmlError> {
    let options = ParsingOptions { allow_dtd: false, ..ParsingOptions::default() };
    Document::parse_with_options(admitted, options)
        .map_err(|error| XmlError::Malformed(error.to_string().as_str().into()))
}
