//! Key pairs towards the IdPs of connections: RSA, which is what IdPs encrypt for, with a certificate to put into metadata.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A new key pair.
pub struct KeyPair {
    /// Base64 of DER. It signs itself and does not expire: IdPs read nothing but the key out of it.
    pub certificate: String,
    pub pkcs8: Vec<u8>,
}

/// Makes an RSA-2048 key pair; a tenth of a second of CPU time.
pub fn generate() -> Result<KeyPair, rcgen::Error> {
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)?;
    let mut params = rcgen::CertificateParams::new(Vec::<String>::new())?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, "Doorward service provider");
    let certificate = params.self_signed(&key)?;
    Ok(KeyPair { certificate: STANDARD.encode(certificate.der()), pkcs8: key.serialize_der() })
}
