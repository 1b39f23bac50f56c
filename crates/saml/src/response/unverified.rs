//! A Response before verification: good for finding the connection and for telling an operator what came, nothing else.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Assertion, Expectations, RESPONSE_BYTES, validate};
use crate::error::ResponseError;
use crate::xml::read::{children, plain_text};
use crate::xml::{self, Limits, NS_ASSERTION, XmlError};

/// base64 of the largest document, with line breaks.
const BASE64_BYTES: usize = RESPONSE_BYTES / 3 * 4 + RESPONSE_BYTES / 16;

/// A decoded document that passed the gate. **Anybody may have written it.** Nothing read from it may sign anyone in; only
/// [`validate`](Self::validate) gives claims that can be relied on.
#[derive(Clone)]
pub struct UnverifiedResponse {
    xml: String,
    /// Where the admitted text starts, behind a byte order mark and the XML declaration.
    start: usize,
}

/// Without the document, which is long and somebody else's.
impl fmt::Debug for UnverifiedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedResponse").field("bytes", &self.xml.len()).finish_non_exhaustive()
    }
}

/// What a Response says about itself, unverified; for routing and for messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnverifiedHeader {
    /// `Response/@ID`.
    pub id: Option<String>,
    /// `Response/@InResponseTo`.
    pub in_response_to: Option<String>,
    /// `Response/@Destination`.
    pub destination: Option<String>,
    /// `Issuer` of the Response, or else of its first Assertion.
    pub issuer: Option<String>,
}

impl UnverifiedResponse {
    /// Decodes the form value and lets the document through the gate.
    ///
    /// # Errors
    /// [`ResponseError::TooLarge`], [`ResponseError::Base64`] or [`ResponseError::Xml`].
    pub fn decode(saml_response: &str) -> Result<Self, ResponseError> {
        if saml_response.len() > BASE64_BYTES {
            return Err(ResponseError::TooLarge { limit: BASE64_BYTES, got: saml_response.len() });
        }
        let decoded = STANDARD.decode(saml_response).or_else(|_| {
            let mut compact = saml_response.as_bytes().to_vec();
            compact.retain(|byte| !byte.is_ascii_whitespace());
            STANDARD.decode(compact)
        });
        let xml = decoded.map_err(|error| ResponseError::Base64(error.to_string().into()))?;
        let admitted = xml::admit(&xml, &Limits::RESPONSE)?.len();
        let start = xml.len() - admitted;
        let xml = String::from_utf8(xml).map_err(|error| XmlError::Encoding(error.to_string().into()))?;
        Ok(UnverifiedResponse { xml, start })
    }

    /// Reads the header without verifying anything. Fields that are absent or in doubt are `None`.
    ///
    /// # Errors
    /// [`ResponseError::Xml`] if the document is not well-formed.
    pub fn header(&self) -> Result<UnverifiedHeader, ResponseError> {
        let document = xml::parse(self.admitted())?;
        let root = document.root_element();
        let attribute = |name| root.attribute(name).map(str::to_owned);
        let issuer = children(root, NS_ASSERTION, "Issuer")
            .chain(
                children(root, NS_ASSERTION, "Assertion")
                    .flat_map(|assertion| children(assertion, NS_ASSERTION, "Issuer")),
            )
            .next();
        Ok(UnverifiedHeader {
            id: attribute("ID"),
            in_response_to: attribute("InResponseTo"),
            destination: attribute("Destination"),
            issuer: issuer.and_then(plain_text).map(|text| text.trim_ascii().to_owned()),
        })
    }

    /// See [`validate_response`](crate::validate_response).
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn validate(&self, expected: &Expectations) -> Result<Assertion, ResponseError> {
        validate(&xml::parse(self.admitted())?, expected)
    }

    /// Whether keys to decrypt with could be needed to validate it.
    pub fn may_be_encrypted(&self) -> bool {
        self.xml.contains("EncryptedAssertion")
    }

    /// The document as it came, for a debugging view that shows it escaped.
    pub fn xml(&self) -> &str {
        &self.xml
    }

    fn admitted(&self) -> &str {
        self.xml.get(self.start..).unwrap_or_default()
    }
}
