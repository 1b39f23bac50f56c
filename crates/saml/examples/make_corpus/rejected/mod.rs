//! Attacks and mistakes, in files by what they aim at. The texts name incidents where there was one; "signed" in a name
//! means that the IdP's own key signed it like that.

mod documents;
mod messages;
mod signatures;
mod wrapping;

use doorward_saml::idp::{RsaDigest, SignedPart};

use crate::Case;
use crate::accepted::{plain, signed};

const EVIL: &str = "admin@example.test";

const RESPONSE_ID_ATTRIBUTE: &str = " ID=\"_response1\"";

/// The bases, signed.
struct Bases {
    plain: String,
    assertion: String,
    response: String,
    both: String,
}

pub(crate) fn cases() -> Vec<Case> {
    let plain = plain();
    let bases = Bases {
        assertion: signed(&plain, SignedPart::Assertion, RsaDigest::Sha256),
        response: signed(&plain, SignedPart::Response, RsaDigest::Sha256),
        both: signed(&plain, SignedPart::Both, RsaDigest::Sha256),
        plain,
    };
    let mut cases = Vec::new();
    cases.extend(wrapping::wrapping(&bases));
    cases.extend(wrapping::placement(&bases));
    cases.extend(signatures::references(&bases));
    cases.extend(signatures::strictness(&bases));
    cases.extend(signatures::algorithms(&bases));
    cases.extend(signatures::keys(&bases));
    cases.extend(documents::text_tricks(&bases));
    cases.extend(documents::xml_tricks(&bases));
    cases.extend(documents::encoding(&bases));
    cases.extend(messages::envelope(&bases));
    cases.extend(messages::subject(&bases));
    cases.extend(messages::conditions(&bases));
    cases.extend(messages::times(&bases));
    cases.extend(messages::statements(&bases));
    cases
}

fn case(name: &str, error: &str, about: &str, xml: String) -> Case {
    Case::new(name, about, xml).with("base", "assertion-signed".into()).with("error", error.into())
}

fn on(base: &str, case: Case) -> Case {
    case.with("base", base.into())
}
