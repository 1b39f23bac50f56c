//! Verified IdP attributes and a connection's mapping give one profile (SML-15, SML-16, SML-20, CON-26 … CON-28).

use crate::metadata::fits;
use crate::sign_in_route::covers;
use doorward_model::{
    AttributeMapping, Domain, Email, EnterpriseConnection, JsonMap, LoginHint, LoginHintMode, Provider, SsoProfile,
};
use serde_json::Value;

/// What a verified assertion says: its subject and its attributes, in order.
#[derive(Clone, Copy, Debug)]
pub struct VerifiedAttributes<'a> {
    /// The NameID's text.
    pub name_id: &'a str,
    /// Name and values of each attribute; a name may stand more than once.
    pub attributes: &'a [(String, Vec<String>)],
    /// A digest of what the connection expects of its IdP.
    pub trust_sha256: &'a str,
    /// Fingerprints of the certificates whose keys signed.
    pub signed_by: &'a [String],
}

impl<'a> VerifiedAttributes<'a> {
    fn values(self, name: &str) -> Vec<&'a str> {
        let named = self.attributes.iter().filter(|(found, _)| found == name);
        named.flat_map(|(_, values)| values).map(|value| value.trim()).filter(|value| !value.is_empty()).collect()
    }

    fn first(self, name: &str) -> Option<&'a str> {
        self.values(name).first().copied()
    }
}

/// What became of the attributes.
#[derive(Debug, PartialEq)]
pub enum ProfileOutcome {
    Profile(SsoProfile),
    /// A required attribute is absent or blank; the name is the IdP's.
    MissingAttribute(String),
    /// The address attribute holds no email address, or several.
    InvalidAddress(String),
    /// An attribute is larger than anything a person has; the text says which.
    TooLarge(&'static str),
    /// The address lies outside the connection's domains (DECISIONS "Wire" 6).
    DomainMismatch {
        expected: Vec<Domain>,
        received: Domain,
    },
}

/// A claim of this prefix goes to metadata (CON-28).
pub const METADATA_PREFIX: &str = "public_metadata_";

/// Applies the connection's mapping.
pub fn profile(connection: &EnterpriseConnection, verified: VerifiedAttributes<'_>) -> ProfileOutcome {
    let mapping = &connection.saml.attribute_mapping;
    let addresses = verified.values(&mapping.email_address);
    let address = match addresses.as_slice() {
        [] => return ProfileOutcome::MissingAttribute(mapping.email_address.clone()),
        [address] => *address,
        // Which of several addresses identifies the person must not depend on their order.
        [_, ..] => return ProfileOutcome::InvalidAddress(addresses.join(", ")),
    };
    let subject = match mapping.user_id.as_deref().filter(|name| !name.is_empty()) {
        None => Ok(verified.name_id),
        Some(name) => verified.first(name).ok_or_else(|| name.to_owned()),
    };
    put_together(
        connection,
        Person {
            subject,
            address,
            first_name: verified.first(&mapping.first_name),
            last_name: verified.first(&mapping.last_name),
            public_metadata: metadata(connection, verified),
            trust_sha256: verified.trust_sha256,
            signed_by: verified.signed_by,
        },
    )
}

/// What a connection's mapping found, whatever the protocol.
pub(crate) struct Person<'a> {
    /// Or the name of what should hold it.
    pub subject: Result<&'a str, String>,
    pub address: &'a str,
    pub first_name: Option<&'a str>,
    pub last_name: Option<&'a str>,
    pub public_metadata: JsonMap,
    pub trust_sha256: &'a str,
    pub signed_by: &'a [String],
}

/// Checks what was found and puts the profile together.
pub(crate) fn put_together(connection: &EnterpriseConnection, person: Person<'_>) -> ProfileOutcome {
    let Person { subject, address, first_name, last_name, public_metadata, trust_sha256, signed_by } = person;
    let Ok(email_address) = Email::parse(address) else {
        return ProfileOutcome::InvalidAddress(address.to_owned());
    };
    if !covers(connection, &email_address) {
        return ProfileOutcome::DomainMismatch {
            expected: connection.domains.clone(),
            received: email_address.domain(),
        };
    }
    let subject = match subject {
        Ok(subject) => subject,
        Err(name) => return ProfileOutcome::MissingAttribute(name),
    };
    if !is_short(subject) {
        return ProfileOutcome::TooLarge("the subject");
    }
    if [first_name, last_name].into_iter().flatten().any(|name| !is_short(name)) {
        return ProfileOutcome::TooLarge("a name");
    }
    if !fits(&public_metadata) {
        return ProfileOutcome::TooLarge("the metadata");
    }
    ProfileOutcome::Profile(SsoProfile {
        subject: subject.to_owned(),
        email_address,
        first_name: first_name.map(str::to_owned),
        last_name: last_name.map(str::to_owned),
        public_metadata,
        trust_sha256: trust_sha256.to_owned(),
        signed_by: signed_by.to_vec(),
        easie: None,
    })
}

/// Identity providers are other people's: what they send is bounded before it is kept.
fn is_short(text: &str) -> bool {
    text.chars().count() <= 255 && !text.chars().any(char::is_control)
}

pub(crate) fn metadata(connection: &EnterpriseConnection, verified: VerifiedAttributes<'_>) -> JsonMap {
    let mut metadata = JsonMap::new();
    for (name, values) in verified.attributes {
        // Of a name that comes several times the first value counts. They may be thousands, so none is looked up among the rest.
        if let Some(key) = name.strip_prefix(METADATA_PREFIX).filter(|key| !key.is_empty())
            && let Some(value) = values.iter().map(|value| value.trim()).find(|value| !value.is_empty())
        {
            metadata.entry(key).or_insert_with(|| Value::from(value));
        }
    }
    for custom in &connection.custom_attributes {
        let Some(path) = custom.sso_path.as_deref() else { continue };
        let values = verified.values(path);
        if custom.multi_valued {
            metadata.insert(custom.key.clone(), Value::from(values));
        } else if let Some(value) = values.first() {
            metadata.insert(custom.key.clone(), Value::from(*value));
        }
    }
    metadata
}

/// The attribute names a provider sends unless told otherwise (SML-20).
pub fn default_mapping(provider: Provider) -> AttributeMapping {
    const CLAIMS: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/";
    let (email, first, last) = match provider {
        Provider::SamlCustom | Provider::SamlOkta => ("mail".into(), "firstName".into(), "lastName".into()),
        Provider::SamlGoogle => ("email".into(), "firstName".into(), "lastName".into()),
        Provider::SamlMicrosoft => {
            (format!("{CLAIMS}emailaddress"), format!("{CLAIMS}givenname"), format!("{CLAIMS}surname"))
        }
        Provider::OidcCustom
        | Provider::OidcGithubEnterprise
        | Provider::OidcGitlab
        | Provider::OauthGoogle
        | Provider::OauthMicrosoft => return AttributeMapping::default(),
    };
    AttributeMapping { user_id: None, email_address: email, first_name: first, last_name: last }
}

/// The login hint a provider gets unless told otherwise (CON-19).
pub fn default_login_hint(provider: Provider) -> LoginHint {
    let mode = match provider {
        Provider::SamlCustom => LoginHintMode::Off,
        Provider::SamlOkta | Provider::SamlGoogle | Provider::SamlMicrosoft => LoginHintMode::EmailAddress,
        // A parameter of the protocol, which providers ignore that do not know it.
        Provider::OidcCustom
        | Provider::OidcGithubEnterprise
        | Provider::OidcGitlab
        | Provider::OauthGoogle
        | Provider::OauthMicrosoft => LoginHintMode::EmailAddress,
    };
    LoginHint { mode, source: None }
}

/// The hint to send for a typed address and the metadata of the account that has it (CON-19).
pub fn login_hint(hint: &LoginHint, identifier: Option<&Email>, public_metadata: Option<&JsonMap>) -> Option<String> {
    match hint.mode {
        LoginHintMode::Off => None,
        LoginHintMode::EmailAddress => identifier.map(|email| email.as_str().to_owned()),
        LoginHintMode::CustomAttribute => {
            let source = hint.source.as_deref()?;
            public_metadata?.get(source)?.as_str().map(str::to_owned)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign_in_route::tests::connection;
    use doorward_model::CustomAttribute;

    fn attributes(pairs: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
        pairs.iter().map(|(name, values)| ((*name).into(), values.iter().map(|v| (*v).into()).collect())).collect()
    }

    fn outcome(connection: &EnterpriseConnection, pairs: &[(&str, &[&str])]) -> ProfileOutcome {
        profile(
            connection,
            VerifiedAttributes { name_id: "n-1", attributes: &attributes(pairs), trust_sha256: "t", signed_by: &[] },
        )
    }

    fn found(connection: &EnterpriseConnection, pairs: &[(&str, &[&str])]) -> SsoProfile {
        match outcome(connection, pairs) {
            ProfileOutcome::Profile(profile) => profile,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn q10_the_subject_is_the_name_id_unless_an_attribute_is_mapped() {
        let mut acme = connection("a", &["acme.test"]);
        assert_eq!(found(&acme, &[("mail", &["Alice@acme.test"])]).subject, "n-1");
        acme.saml.attribute_mapping.user_id = Some("uid".into());
        assert_eq!(found(&acme, &[("mail", &["a@acme.test"]), ("uid", &["7"])]).subject, "7");
        assert_eq!(outcome(&acme, &[("mail", &["a@acme.test"])]), ProfileOutcome::MissingAttribute("uid".into()));
        acme.saml.attribute_mapping.user_id = Some(String::new());
        assert_eq!(found(&acme, &[("mail", &["a@acme.test"])]).subject, "n-1");
    }

    #[test]
    fn sml15_a_missing_or_blank_address_is_named() {
        let acme = connection("a", &["acme.test"]);
        for pairs in [&[][..], &[("mail", &[" "][..])][..]] {
            assert_eq!(outcome(&acme, pairs), ProfileOutcome::MissingAttribute("mail".into()));
        }
    }

    #[test]
    fn sml16_an_address_outside_the_connection_is_refused() {
        let acme = connection("a", &["acme.test"]);
        for address in ["alice@globex.test", "alice@badacme.test", "alice@eu.acme.test"] {
            assert!(
                matches!(outcome(&acme, &[("mail", &[address])]), ProfileOutcome::DomainMismatch { .. }),
                "{address}"
            );
        }
    }

    #[test]
    fn attributes_are_bounded() {
        let acme = connection("a", &["acme.test"]);
        let (long, huge) = ("x".repeat(256), "x".repeat(9000));
        let mail: (&str, &[&str]) = ("mail", &["a@acme.test"]);
        assert_eq!(outcome(&acme, &[mail, ("firstName", &[&long])]), ProfileOutcome::TooLarge("a name"));
        assert_eq!(outcome(&acme, &[mail, ("lastName", &["a\u{7}b"])]), ProfileOutcome::TooLarge("a name"));
        assert_eq!(outcome(&acme, &[mail, ("public_metadata_k", &[&huge])]), ProfileOutcome::TooLarge("the metadata"));
        let attributes = attributes(&[mail]);
        let subject = profile(
            &acme,
            VerifiedAttributes { name_id: &long, attributes: &attributes, trust_sha256: "t", signed_by: &[] },
        );
        assert_eq!(subject, ProfileOutcome::TooLarge("the subject"));
        let longest = "é".repeat(255);
        assert_eq!(found(&acme, &[mail, ("firstName", &[&longest])]).first_name, Some(longest));
    }

    #[test]
    fn several_addresses_are_no_address() {
        let acme = connection("a", &["acme.test"]);
        for pairs in [&[("mail", &["a@acme.test", "b@acme.test"][..])][..], &[("mail", &["nobody"][..])][..]] {
            assert!(matches!(outcome(&acme, pairs), ProfileOutcome::InvalidAddress(_)));
        }
    }

    #[test]
    fn con27_con28_custom_attributes_and_prefixed_claims_become_metadata() {
        let mut acme = connection("a", &["acme.test"]);
        let custom = |key: &str, path: &str, multi_valued| CustomAttribute {
            name: key.into(),
            key: key.into(),
            sso_path: Some(path.into()),
            directory_path: None,
            multi_valued,
        };
        acme.custom_attributes =
            vec![custom("team", "dept", false), custom("groups", "grp", true), custom("none", "x", true)];
        let profile = found(
            &acme,
            &[
                ("mail", &["a@acme.test"]),
                ("dept", &["R&D", "x"]),
                ("grp", &["a", " ", "b"]),
                ("public_metadata_plan", &["gold"]),
                ("public_metadata_", &["nameless"]),
            ],
        );
        let expected = serde_json::json!({"team": "R&D", "groups": ["a", "b"], "none": [], "plan": "gold"});
        assert_eq!(Value::Object(profile.public_metadata), expected);
    }

    #[test]
    fn con19_the_three_login_hint_modes() {
        let email = Email::parse("a@acme.test").unwrap();
        let hint = |mode, source: Option<&str>| LoginHint { mode, source: source.map(str::to_owned) };
        let metadata = serde_json::json!({"upn": "alice", "list": ["x"]});
        let metadata = metadata.as_object();
        assert_eq!(login_hint(&hint(LoginHintMode::Off, None), Some(&email), metadata), None);
        assert_eq!(
            login_hint(&hint(LoginHintMode::EmailAddress, None), Some(&email), None).as_deref(),
            Some("a@acme.test")
        );
        let custom = |key| login_hint(&hint(LoginHintMode::CustomAttribute, Some(key)), Some(&email), metadata);
        assert_eq!(custom("upn").as_deref(), Some("alice"));
        assert_eq!(custom("list"), None);
        assert_eq!(custom("absent"), None);
        assert_eq!(login_hint(&hint(LoginHintMode::CustomAttribute, None), Some(&email), metadata), None);
    }
}
