//! SAML metadata: ours to give, the IdP's to read.

mod idp;
mod sp;

pub use idp::{IdpMetadata, MetadataError, SsoBinding};
pub use sp::SpMetadata;

pub(crate) const HTTP_REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
pub(crate) const HTTP_POST: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
