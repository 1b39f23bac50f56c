//! The certificates the identity provider may sign with.

use super::finding::{Check, Finding};
use doorward_model::{EnterpriseConnection, Millis};
use doorward_rules::certificate_dates::{Dates, dates};
use doorward_saml::TrustedCertificate;

const CERTIFICATE: Check = Check::new(
    "certificate",
    "Answers are verified with its key. Its dates are not enforced, but identity providers change their keys by them.",
);

pub fn check(connection: &EnterpriseConnection, now: Millis) -> Vec<Finding> {
    connection.saml.idp_certificates.iter().map(|text| one(text, now)).collect()
}

fn one(text: &str, now: Millis) -> Finding {
    let certificate = match TrustedCertificate::parse(text) {
        Ok(certificate) => certificate,
        Err(error) => {
            let mend = "PATCH the connection with saml.idp_certificates or its metadata";
            return CERTIFICATE.problem(format!("a stored certificate cannot be used: {error}"), mend);
        }
    };
    let fingerprint: String = certificate.fingerprint().chars().take(16).collect();
    let name = format!("{fingerprint}… {} ({})", certificate.key_kind(), certificate.subject());
    let roll_over = "ask the identity provider's administrator for the next one and add it with POST …/certificates, or switch \
                     saml.refresh_idp_metadata on";
    match dates(certificate.not_before_ms(), certificate.not_after_ms(), now) {
        Dates::Ahead { days } => {
            CERTIFICATE.warning(format!("{name}: valid only in {days} days"), "nothing, if it is the next one")
        }
        Dates::Current { days_left } => CERTIFICATE.good(format!("{name}: {days_left} days left")),
        Dates::EndsSoon { days_left } => CERTIFICATE.warning(format!("{name}: only {days_left} days left"), roll_over),
        Dates::Over { days } => CERTIFICATE.warning(format!("{name}: expired {days} days ago"), roll_over),
    }
}
