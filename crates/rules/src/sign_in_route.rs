//! Which connection an email address uses (DEC-1 … DEC-5).

use doorward_model::{Domain, Email, EnterpriseConnection};

/// How the person behind an address signs in.
#[derive(Debug, PartialEq)]
pub enum Route<'a> {
    /// No active connection covers the domain: other methods remain.
    NoConnection,
    /// SSO is enforced; this connection serves the domain.
    One(&'a EnterpriseConnection),
    /// SSO is enforced; the person must choose (DEC-5).
    Several(Vec<&'a EnterpriseConnection>),
}

impl<'a> Route<'a> {
    /// The connections in question, oldest first.
    pub fn connections(&self) -> Vec<&'a EnterpriseConnection> {
        match self {
            Self::NoConnection => Vec::new(),
            Self::One(connection) => vec![connection],
            Self::Several(connections) => connections.clone(),
        }
    }
}

/// The domains under which a connection for this address may be listed: its own and, for a subdomain, the registrable one
/// above it (CON-16 allows subdomains only below an eTLD+1).
pub fn domains_to_look_up(email: &Email) -> Vec<Domain> {
    let domain = email.domain();
    let registrable = domain.registrable().filter(|registrable| domain.is_below(registrable));
    std::iter::once(domain).chain(registrable).collect()
}

/// Whether a connection decides how people with an address sign in, or why it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serving {
    Serves,
    /// Neither the domain nor one above it is listed.
    NotListed,
    /// A domain above it is listed, and that does not count for this connection (CON-16).
    SubdomainsNotServed,
    /// Switched off (CON-36).
    Inactive,
    /// Not for signing in (CON-14).
    NotAuthenticatable,
}

/// Whether a connection decides how people with an address sign in.
pub fn serving(connection: &EnterpriseConnection, email: &Email) -> Serving {
    let domain = email.domain();
    if !covers(connection, email) {
        let is_above = |listed: &Domain| domain.is_below(listed);
        return if connection.domains.iter().any(is_above) { Serving::SubdomainsNotServed } else { Serving::NotListed };
    }
    match connection {
        EnterpriseConnection { active: false, .. } => Serving::Inactive,
        EnterpriseConnection { authenticatable: false, .. } => Serving::NotAuthenticatable,
        _ => Serving::Serves,
    }
}

/// Whether a connection may speak for this address: the domain is listed, or lies below a listed one and subdomains are allowed.
pub fn covers(connection: &EnterpriseConnection, email: &Email) -> bool {
    let domain = email.domain();
    connection.domains.iter().any(|listed| {
        *listed == domain
            || (connection.saml.allow_subdomains
                && domain.is_below(listed)
                && listed.registrable().as_ref() == Some(listed))
    })
}

/// Decides by domain alone, before any user is looked up, so that the answer does not tell whether an account exists (DEC-6).
pub fn route<'a>(email: &Email, connections: &'a [EnterpriseConnection]) -> Route<'a> {
    let mut usable: Vec<&EnterpriseConnection> =
        connections.iter().filter(|connection| serving(connection, email) == Serving::Serves).collect();
    usable.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    match usable.as_slice() {
        [] => Route::NoConnection,
        [connection] => Route::One(connection),
        _ => Route::Several(usable),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use doorward_model::{AttributeMapping, LoginHint, LoginHintMode, Provider, SamlConfig, SsoBinding};

    pub(crate) fn connection(id: &str, domains: &[&str]) -> EnterpriseConnection {
        EnterpriseConnection {
            id: id.into(),
            name: id.into(),
            provider: Provider::SamlCustom,
            active: true,
            domains: domains.iter().map(|domain| Domain::parse(domain).unwrap()).collect(),
            organization_id: Some("org_1".into()),
            sync_user_attributes: true,
            disable_additional_identifications: true,
            allow_organization_account_linking: false,
            authenticatable: true,
            disable_jit_provisioning: false,
            custom_attributes: Vec::new(),
            saml_connection_id: format!("samlc_{id}").into(),
            saml: SamlConfig {
                name: None,
                idp_entity_id: Some("https://idp.test/".into()),
                idp_sso_url: Some("https://idp.test/sso".into()),
                idp_sso_binding: SsoBinding::default(),
                sign_requests: false,
                signing_key: None,
                idp_certificates: vec!["AAAA".into()],
                idp_metadata_url: None,
                idp_metadata: None,
                refresh_idp_metadata: false,
                metadata_certificates: Vec::new(),
                removed_certificates: Vec::new(),
                removed_keys: Vec::new(),
                attribute_mapping: AttributeMapping {
                    user_id: None,
                    email_address: "mail".into(),
                    first_name: "firstName".into(),
                    last_name: "lastName".into(),
                },
                allow_subdomains: false,
                allow_idp_initiated: false,
                force_authn: false,
                login_hint: LoginHint { mode: LoginHintMode::Off, source: None },
            },
            oidc: None,
            created_at: 1,
            updated_at: 1,
        }
    }

    pub(crate) fn email(text: &str) -> Email {
        Email::parse(text).unwrap()
    }

    #[test]
    fn dec1_an_exact_domain_is_routed_to_its_connection() {
        let connections = [connection("a", &["acme.test"]), connection("b", &["globex.test"])];
        assert_eq!(route(&email("alice@ACME.test"), &connections), Route::One(&connections[0]));
    }

    #[test]
    fn dec3_other_domains_keep_other_methods() {
        let connections = [connection("a", &["acme.test"])];
        for address in ["alice@other.test", "alice@badacme.test", "alice@acme.test.evil.test", "alice@eu.acme.test"] {
            assert_eq!(route(&email(address), &connections), Route::NoConnection, "{address}");
        }
    }

    #[test]
    fn con16_subdomains_match_only_where_allowed_and_only_below_a_registrable_domain() {
        let mut allowed = connection("a", &["acme.com"]);
        allowed.saml.allow_subdomains = true;
        assert!(covers(&allowed, &email("alice@eu.acme.com")));
        assert!(!covers(&connection("b", &["acme.com"]), &email("alice@eu.acme.com")));
        for other in ["alice@acme.com.evil.com", "alice@badacme.com", "alice@eu.globex.com"] {
            assert!(!covers(&allowed, &email(other)), "{other}");
        }
        let mut below = connection("c", &["eu.acme.com"]);
        below.saml.allow_subdomains = true;
        assert!(!covers(&below, &email("alice@de.eu.acme.com")));
        let mut suffix = connection("d", &["co.uk"]);
        suffix.saml.allow_subdomains = true;
        assert!(!covers(&suffix, &email("alice@acme.co.uk")));
    }

    #[test]
    fn con36_con14_inactive_and_unauthenticatable_connections_do_not_route() {
        let mut inactive = connection("a", &["acme.test"]);
        inactive.active = false;
        let mut barred = connection("b", &["acme.test"]);
        barred.authenticatable = false;
        assert_eq!(route(&email("alice@acme.test"), &[inactive, barred]), Route::NoConnection);
    }

    #[test]
    fn why_a_connection_does_not_serve_an_address() {
        let served = connection("a", &["acme.test", "globex.com"]);
        let inactive = EnterpriseConnection { active: false, ..served.clone() };
        let barred = EnterpriseConnection { authenticatable: false, ..served.clone() };
        for (connection, address, expected) in [
            (&served, "alice@acme.test", Serving::Serves),
            (&served, "alice@other.test", Serving::NotListed),
            (&served, "alice@badglobex.com", Serving::NotListed),
            (&served, "alice@eu.globex.com", Serving::SubdomainsNotServed),
            (&inactive, "alice@acme.test", Serving::Inactive),
            (&inactive, "alice@eu.globex.com", Serving::SubdomainsNotServed),
            (&barred, "alice@acme.test", Serving::NotAuthenticatable),
        ] {
            assert_eq!(serving(connection, &email(address)), expected, "{address}");
        }
    }

    #[test]
    fn dec5_several_connections_are_offered_oldest_first() {
        let mut newer = connection("a", &["acme.test"]);
        newer.created_at = 9;
        let connections = [newer, connection("b", &["acme.test"])];
        let found = route(&email("alice@acme.test"), &connections);
        assert_eq!(found, Route::Several(vec![&connections[1], &connections[0]]));
        assert_eq!(found.connections().len(), 2);
    }

    #[test]
    fn a_subdomain_is_looked_up_under_its_registrable_domain_too() {
        let found = domains_to_look_up(&email("a@x.eu.acme.com"));
        let names: Vec<&str> = found.iter().map(Domain::as_str).collect();
        assert_eq!(names, ["x.eu.acme.com", "acme.com"]);
        assert_eq!(domains_to_look_up(&email("a@acme.com")).len(), 1);
    }
}
