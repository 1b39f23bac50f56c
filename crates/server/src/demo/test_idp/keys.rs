//! The identity providers that speak SAML: their addresses and their keys.

use crate::demo::companies::{COMPANIES, Company, Kind};
use crate::server::write_private;
use anyhow::Context as _;
use doorward_model::Random;
use doorward_saml::SamlKey;
use std::collections::BTreeMap;
use std::path::Path;

/// A company's identity provider.
pub struct CompanyIdp {
    pub entity_id: String,
    pub sso_url: String,
    pub key: SamlKey,
}

/// The identity providers that speak SAML, by the companies' slugs.
pub struct Companies(BTreeMap<&'static str, CompanyIdp>);

impl Companies {
    /// Loads the keys from the data directory, making them at the first start.
    pub fn load(folder: &Path, base: &str, random: &dyn Random) -> anyhow::Result<Self> {
        let load = |company: &'static Company| -> anyhow::Result<(&str, CompanyIdp)> {
            let idp = CompanyIdp {
                entity_id: format!("{base}/{}/metadata", company.slug),
                sso_url: format!("{base}/{}/sso", company.slug),
                key: load_key(&folder.join(format!("test-idp-{}.pem", company.slug)), random)?,
            };
            Ok((company.slug, idp))
        };
        let companies = COMPANIES.iter().filter(|company| company.kind == Kind::Saml);
        Ok(Self(companies.map(load).collect::<Result<_, _>>()?))
    }

    /// The identity provider of a company; `None` where it does not speak SAML.
    pub fn of(&self, company: &Company) -> Option<&CompanyIdp> {
        self.0.get(company.slug)
    }
}

/// Private key and certificate in one file.
fn load_key(file: &Path, random: &dyn Random) -> anyhow::Result<SamlKey> {
    let wrong = || format!("{} is no usable key; delete it to get a new one", file.display());
    if !file.exists() {
        let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)?;
        let mut params = rcgen::CertificateParams::new(Vec::<String>::new())?;
        params.distinguished_name.push(rcgen::DnType::CommonName, "Doorward test identity provider");
        let certificate = params.self_signed(&key)?;
        write_private(file, &format!("{}{}", key.serialize_pem(), certificate.pem()), random)
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let (key, certificate) = text.split_at(text.find("-----BEGIN CERTIFICATE").with_context(wrong)?);
    SamlKey::from_pem(key, certificate).with_context(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_is_its_owners_alone() {
        let folder = std::env::temp_dir().join(format!("doorward-test-idp-key-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("key.pem");
        let load = || load_key(&file, &crate::random::SystemRandom);
        assert_eq!(load().unwrap().certificate().base64(), load().unwrap().certificate().base64());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        std::fs::write(&file, "nothing").unwrap();
        assert!(load().unwrap_err().to_string().contains("delete it to get a new one"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
