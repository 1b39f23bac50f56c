//! The crate `bergshamra`: pure Rust, another parser, another canonicalization.

use anyhow::{Result, anyhow};
use bergshamra::c14n::{C14nMode, canonicalize_doc};
use bergshamra::keys::loader::load_x509_cert_pem;
use bergshamra::xml::{NodeSet, uppsala};
use bergshamra::{DsigContext, KeysManager, verify_all};

use crate::Judged;

/// The crate, with the settings it recommends for SAML.
#[derive(Clone, Copy, Debug)]
pub struct Bergshamra;

impl Bergshamra {
    /// Whether every signature of the document verifies by one of the certificates' keys; there is at least one.
    pub fn verifies(self, judged: &Judged) -> bool {
        judged.certificates.iter().any(|certificate| {
            let Ok(key) = load_x509_cert_pem(certificate.as_bytes()) else { return false };
            let mut keys = KeysManager::new();
            keys.add_key(key);
            let context = DsigContext::new(keys);
            verify_all(&context, &judged.xml)
                .is_ok_and(|results| !results.is_empty() && results.iter().all(|result| result.is_valid()))
        })
    }

    /// The exclusive canonical form of the element whose `ID` is `id`.
    ///
    /// # Errors
    /// The document does not parse or has no such element.
    pub fn canonical(self, xml: &str, id: &str, prefixes: &[&str]) -> Result<Vec<u8>> {
        let document = uppsala::parse(xml).map_err(|error| anyhow!("{error}"))?;
        let element = document
            .descendants(document.root())
            .into_iter()
            .find(|node| document.element(*node).is_some_and(|element| element.get_attribute("ID") == Some(id)))
            .ok_or_else(|| anyhow!("no element {id}"))?;
        let nodes = NodeSet::tree_without_comments(element, &document);
        canonicalize_doc(&document, C14nMode::Exclusive, Some(&nodes), prefixes).map_err(|error| anyhow!("{error}"))
    }
}
