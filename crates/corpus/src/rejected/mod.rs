//! Attacks and mistakes, in files by what they aim at. The texts name incidents where there was one; "signed" in a name
//! means that the IdP's own key signed it like that.

mod documents;
mod messages;
mod signature_shape;
mod signatures;
mod wrapping;

use doorward_saml::idp::{RsaDigest, SignedPart};

use crate::accepted::plain;
use crate::{Case, Group, Scene};

const EVIL: &str = "admin@example.test";

const RESPONSE_ID_ATTRIBUTE: &str = " ID=\"_response1\"";

/// The bases, signed.
struct Bases<'a> {
    scene: &'a Scene,
    plain: String,
    assertion: String,
    response: String,
    both: String,
}

/// The cases by what they aim at.
pub(crate) const GROUPS: &[Group] = &[
    |scene| wrapping::wrapping(&Bases::of(scene)),
    |scene| wrapping::placement(&Bases::of(scene)),
    |scene| signatures::references(&Bases::of(scene)),
    |scene| signature_shape::signature(&Bases::of(scene)),
    |scene| signature_shape::signed_info(&Bases::of(scene)),
    |scene| signature_shape::canonicalization(&Bases::of(scene)),
    |scene| signatures::algorithms(&Bases::of(scene)),
    |scene| signatures::keys(&Bases::of(scene)),
    |scene| documents::text_tricks(&Bases::of(scene)),
    |scene| documents::xml_tricks(&Bases::of(scene)),
    |scene| documents::encoding(&Bases::of(scene)),
    |scene| messages::envelope(&Bases::of(scene)),
    |scene| messages::subject(&Bases::of(scene)),
    |scene| messages::conditions(&Bases::of(scene)),
    |scene| messages::times(&Bases::of(scene)),
    |scene| messages::statements(&Bases::of(scene)),
];

impl<'a> Bases<'a> {
    fn of(scene: &'a Scene) -> Self {
        let plain = plain(scene);
        let signed = |part| scene.signed(&plain, part, RsaDigest::Sha256);
        let (assertion, response, both) =
            (signed(SignedPart::Assertion), signed(SignedPart::Response), signed(SignedPart::Both));
        Bases { scene, plain, assertion, response, both }
    }
}

fn case(name: &str, error: &str, about: &str, xml: String) -> Case {
    Case::new(name, about, xml).with("base", "assertion-signed".into()).with("error", error.into())
}

fn on(base: &str, case: Case) -> Case {
    case.with("base", base.into())
}
