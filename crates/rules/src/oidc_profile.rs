//! What an OpenID Connect provider says about a person gives one profile (OID-5, OID-6, OID-13; DECISIONS "Wire" 3, 6).

use crate::profile::{Person, ProfileOutcome, VerifiedAttributes, metadata, put_together};
use doorward_model::{EnterpriseConnection, OidcConfig};

/// What the provider says about the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vouched {
    Yes,
    No,
    NotSaid,
}

/// What verified claims say, by the connection's mapping.
#[derive(Clone, Copy, Debug)]
pub struct ToldClaims<'a> {
    pub subject: Option<&'a str>,
    pub email_address: Option<&'a str>,
    pub email_verified: Vouched,
    pub first_name: Option<&'a str>,
    pub last_name: Option<&'a str>,
    /// Claims that go to metadata, by name or path.
    pub attributes: &'a [(String, Vec<String>)],
    /// A digest of what the connection expects of its provider.
    pub trust_sha256: &'a str,
}

/// Whether userinfo has to be asked for what an ID token does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lacks {
    Nothing,
    /// A name or a custom attribute, without which somebody can sign in.
    Something,
    /// Without it nobody is known.
    Essentials,
}

/// Decides.
pub fn lacks(connection: &EnterpriseConnection, oidc: &OidcConfig, told: &ToldClaims<'_>) -> Lacks {
    let is_open = told.email_verified == Vouched::NotSaid && !oidc.attribute_mapping.email_verified_default;
    if told.subject.is_none() || told.email_address.is_none() || is_open {
        return Lacks::Essentials;
    }
    let is_there = |path: &str| told.attributes.iter().any(|(name, _)| name == path);
    let mut paths = connection.custom_attributes.iter().filter_map(|custom| custom.sso_path.as_deref());
    let all = told.first_name.is_some() && told.last_name.is_some() && paths.all(is_there);
    if all { Lacks::Nothing } else { Lacks::Something }
}

/// What became of the claims.
#[derive(Debug, PartialEq)]
pub enum OidcProfileOutcome {
    /// As with every protocol.
    Told(ProfileOutcome),
    /// The provider does not vouch for the address, or `is_denied`: says that it does not.
    AddressUnverified { address: String, is_denied: bool },
}

/// Applies the connection's rules.
pub fn oidc_profile(connection: &EnterpriseConnection, oidc: &OidcConfig, told: &ToldClaims<'_>) -> OidcProfileOutcome {
    let mapping = &oidc.attribute_mapping;
    let Some(address) = told.email_address else {
        return OidcProfileOutcome::Told(ProfileOutcome::MissingAttribute(mapping.email_address.clone()));
    };
    // Of OpenID Connect only the metadata is read by name here.
    let attributes = VerifiedAttributes {
        name_id: told.subject.unwrap_or_default(),
        attributes: told.attributes,
        trust_sha256: told.trust_sha256,
        signed_by: &[],
    };
    let outcome = put_together(
        connection,
        Person {
            subject: told.subject.ok_or_else(|| mapping.user_id.clone()),
            address,
            first_name: told.first_name,
            last_name: told.last_name,
            public_metadata: metadata(connection, attributes),
            trust_sha256: told.trust_sha256,
            signed_by: &[],
        },
    );
    // Who owns the address is asked last: a foreign one is refused for being foreign.
    let is_vouched_for = match told.email_verified {
        Vouched::Yes => true,
        Vouched::No => false,
        Vouched::NotSaid => mapping.email_verified_default,
    };
    if matches!(outcome, ProfileOutcome::Profile(_)) && !is_vouched_for {
        let is_denied = told.email_verified == Vouched::No;
        return OidcProfileOutcome::AddressUnverified { address: address.to_owned(), is_denied };
    }
    OidcProfileOutcome::Told(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign_in_route::tests::connection;
    use doorward_model::{CustomAttribute, LoginHint, OidcAttributeMapping, SsoProfile};

    fn oidc(email_verified_default: bool) -> OidcConfig {
        OidcConfig {
            id: "oac_1".into(),
            discovery_url: None,
            authorization_url: None,
            token_url: None,
            user_info_url: None,
            issuer: None,
            jwks_url: None,
            client_id: None,
            encrypted_client_secret: None,
            requires_pkce: false,
            scopes: Vec::new(),
            attribute_mapping: OidcAttributeMapping {
                user_id: "sub".into(),
                email_address: "email".into(),
                first_name: "given_name".into(),
                last_name: "family_name".into(),
                email_verified_default,
            },
            login_hint: LoginHint::default(),
            tenant_id: None,
        }
    }

    const ALICE: ToldClaims<'_> = ToldClaims {
        subject: Some("s-1"),
        email_address: Some("alice@acme.test"),
        email_verified: Vouched::Yes,
        first_name: Some("Alice"),
        last_name: Some("M"),
        attributes: &[],
        trust_sha256: "t",
    };

    fn outcome(told: &ToldClaims<'_>) -> OidcProfileOutcome {
        oidc_profile(&connection("a", &["acme.test"]), &oidc(false), told)
    }

    fn profile(outcome: OidcProfileOutcome) -> SsoProfile {
        match outcome {
            OidcProfileOutcome::Told(ProfileOutcome::Profile(profile)) => profile,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn oid5_subject_and_address_are_needed_and_names_are_not() {
        let nameless = ToldClaims { first_name: None, last_name: None, ..ALICE };
        let found = profile(outcome(&nameless));
        assert_eq!((found.subject.as_str(), found.email_address.as_str()), ("s-1", "alice@acme.test"));
        assert_eq!((found.first_name, found.trust_sha256.as_str()), (None, "t"));
        let missing = |name: &str| OidcProfileOutcome::Told(ProfileOutcome::MissingAttribute(name.into()));
        assert_eq!(outcome(&ToldClaims { subject: None, ..ALICE }), missing("sub"));
        assert_eq!(outcome(&ToldClaims { email_address: None, ..ALICE }), missing("email"));
    }

    #[test]
    fn oid6_an_address_is_vouched_for_by_the_provider_or_where_it_is_silent_by_the_connection() {
        let acme = connection("a", &["acme.test"]);
        for (said, default, accepted) in [
            (Vouched::Yes, false, true),
            (Vouched::NotSaid, false, false),
            (Vouched::NotSaid, true, true),
            (Vouched::No, false, false),
            // What the provider denies, no setting grants.
            (Vouched::No, true, false),
        ] {
            let found = oidc_profile(&acme, &oidc(default), &ToldClaims { email_verified: said, ..ALICE });
            match found {
                OidcProfileOutcome::Told(ProfileOutcome::Profile(_)) => assert!(accepted, "{said:?} {default}"),
                OidcProfileOutcome::AddressUnverified { is_denied, .. } => {
                    assert!(!accepted, "{said:?} {default}");
                    assert_eq!(is_denied, said == Vouched::No);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn oid13_a_foreign_address_is_refused_whether_or_not_it_is_vouched_for() {
        for email_verified in [Vouched::Yes, Vouched::No] {
            for address in ["alice@globex.test", "alice@eu.acme.test"] {
                let found = outcome(&ToldClaims { email_verified, email_address: Some(address), ..ALICE });
                assert!(matches!(found, OidcProfileOutcome::Told(ProfileOutcome::DomainMismatch { .. })), "{address}");
            }
        }
        let found = outcome(&ToldClaims { email_address: Some("nobody"), ..ALICE });
        assert_eq!(found, OidcProfileOutcome::Told(ProfileOutcome::InvalidAddress("nobody".into())));
    }

    #[test]
    fn what_a_provider_says_is_bounded() {
        let long = "x".repeat(256);
        let found = outcome(&ToldClaims { first_name: Some(&long), ..ALICE });
        assert_eq!(found, OidcProfileOutcome::Told(ProfileOutcome::TooLarge("a name")));
        let huge = [("public_metadata_k".to_owned(), vec!["x".repeat(9000)])];
        let found = outcome(&ToldClaims { attributes: &huge, ..ALICE });
        assert_eq!(found, OidcProfileOutcome::Told(ProfileOutcome::TooLarge("the metadata")));
    }

    #[test]
    fn con27_custom_attributes_come_from_claims() {
        let mut acme = connection("a", &["acme.test"]);
        acme.custom_attributes = vec![CustomAttribute {
            name: "Roles".into(),
            key: "roles".into(),
            sso_path: Some("realm_access.roles".into()),
            directory_path: None,
            multi_valued: true,
        }];
        let attributes = [("realm_access.roles".to_owned(), vec!["a".to_owned(), "b".to_owned()])];
        let told = ToldClaims { attributes: &attributes, ..ALICE };
        let found = profile(oidc_profile(&acme, &oidc(false), &told));
        assert_eq!(serde_json::Value::from(found.public_metadata), serde_json::json!({"roles": ["a", "b"]}));
        assert_eq!(lacks(&acme, &oidc(false), &told), Lacks::Nothing);
        assert_eq!(lacks(&acme, &oidc(false), &ALICE), Lacks::Something);
    }

    #[test]
    fn userinfo_is_asked_for_what_the_id_token_does_not_say() {
        let acme = connection("a", &["acme.test"]);
        let of = |told: ToldClaims<'_>, default| lacks(&acme, &oidc(default), &told);
        let silent = ToldClaims { email_verified: Vouched::NotSaid, ..ALICE };
        assert_eq!(of(ALICE, false), Lacks::Nothing);
        assert_eq!(of(ToldClaims { email_verified: Vouched::No, ..ALICE }, false), Lacks::Nothing);
        assert_eq!(of(silent, true), Lacks::Nothing);
        assert_eq!(of(silent, false), Lacks::Essentials);
        assert_eq!(of(ToldClaims { subject: None, ..ALICE }, true), Lacks::Essentials);
        assert_eq!(of(ToldClaims { email_address: None, ..ALICE }, true), Lacks::Essentials);
        assert_eq!(of(ToldClaims { first_name: None, ..ALICE }, true), Lacks::Something);
        assert_eq!(of(ToldClaims { last_name: None, ..ALICE }, true), Lacks::Something);
    }
}
