//! The program `xmlsec1`: libxml2 and libxmlsec, which many service providers are built on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::Judged;

const RESPONSE: &str = "urn:oasis:names:tc:SAML:2.0:protocol:Response";
const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion:Assertion";

/// The program, which is on this machine.
#[derive(Clone, Debug)]
pub struct Xmlsec1 {
    folder: PathBuf,
}

impl Xmlsec1 {
    /// `None` if it is not installed. Files are written to `folder`.
    pub fn find(folder: &Path) -> Option<Self> {
        let output = Command::new("xmlsec1").arg("--version").output().ok()?;
        output.status.success().then(|| Xmlsec1 { folder: folder.to_owned() })
    }

    /// Whether every signature of the document verifies by one of the certificates' keys; there is at least one.
    ///
    /// # Errors
    /// The program does not start.
    pub fn verifies(&self, judged: &Judged) -> Result<bool> {
        let name = judged.name.replace('/', "-");
        let (document, certificate) =
            (self.folder.join(format!("{name}.xml")), self.folder.join(format!("{name}.crt")));
        fs::write(&document, &judged.xml)?;
        let mut verifies = false;
        for pem in &judged.certificates {
            fs::write(&certificate, pem)?;
            verifies |= self.verifies_by(&document, &certificate, &judged.xml)?;
        }
        fs::remove_file(document)?;
        let _absent = fs::remove_file(certificate);
        Ok(verifies)
    }

    fn verifies_by(&self, document: &Path, certificate: &Path, xml: &str) -> Result<bool> {
        let signatures = xml.matches("SignatureValue>").count().div_ceil(2);
        for number in 1..=signatures {
            let status = Command::new("xmlsec1")
                .args(["--verify", "--enabled-key-data", "x509,rsa,ec", "--pubkey-cert-pem"])
                .arg(certificate)
                .args(["--id-attr:ID", RESPONSE, "--id-attr:ID", ASSERTION, "--node-xpath"])
                .arg(format!("(//*[local-name()='Signature'])[{number}]"))
                .arg(document)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .context("xmlsec1 does not start")?;
            if !status.success() {
                return Ok(false);
            }
        }
        Ok(signatures > 0)
    }
}
