//! May a connection be created, linked or activated (CON-6 … CON-10, CON-16, CON-32, Q-5, Q-6).

use crate::oidc_connection;
use doorward_model::{Domain, EnterpriseConnection, EnterpriseConnectionId, OrganizationId};

/// Why a connection may not be as it would be.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// At least one domain is needed (CON-6).
    NoDomains,
    /// A public mail provider's domain (Q-6).
    CommonDomain(Domain),
    /// Subdomains are allowed only when every domain is an eTLD+1 (CON-16).
    SubdomainsNeedRegistrableDomain(Domain),
    /// Activation needs these IdP fields (CON-9).
    MissingIdpFields(Vec<&'static str>),
    /// The organization has another connection already (CON-32).
    OrganizationHasConnection(OrganizationId),
    /// Of the OpenID Connect half alone.
    Oidc(oidc_connection::Refusal),
    /// Metadata that is to be read again needs a place to read it from.
    RefreshNeedsMetadataUrl,
}

/// The domains of public mail providers: whoever has an address there proves nothing about an employer.
const COMMON_DOMAINS: &[&str] = &[
    "126.com",
    "163.com",
    "aol.com",
    "bol.com.br",
    "comcast.net",
    "fastmail.com",
    "free.fr",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hey.com",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.de",
    "hotmail.es",
    "hotmail.fr",
    "hotmail.it",
    "icloud.com",
    "laposte.net",
    "libero.it",
    "live.co.uk",
    "live.com",
    "live.fr",
    "live.nl",
    "mac.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "naver.com",
    "orange.fr",
    "outlook.com",
    "outlook.de",
    "outlook.es",
    "outlook.fr",
    "pm.me",
    "proton.me",
    "protonmail.com",
    "protonmail.ch",
    "qq.com",
    "rediffmail.com",
    "rocketmail.com",
    "sbcglobal.net",
    "sina.com",
    "t-online.de",
    "tutanota.com",
    "uol.com.br",
    "verizon.net",
    "wanadoo.fr",
    "web.de",
    "ya.ru",
    "yahoo.ca",
    "yahoo.co.in",
    "yahoo.co.jp",
    "yahoo.co.uk",
    "yahoo.com",
    "yahoo.com.br",
    "yahoo.de",
    "yahoo.es",
    "yahoo.fr",
    "yahoo.it",
    "yandex.com",
    "yandex.ru",
    "ymail.com",
    "zoho.com",
];

/// Whether a domain belongs to a public mail provider.
pub fn is_common(domain: &Domain) -> bool {
    COMMON_DOMAINS.contains(&domain.as_str())
}

/// Whether a browser may be sent to an IdP under a URL: over https, or over plain http on its own machine.
pub fn is_sso_url(scheme: &str, host: Option<&str>) -> bool {
    let Some(host) = host.filter(|host| !host.is_empty()) else { return false };
    match scheme {
        "https" => true,
        "http" => matches!(host, "localhost" | "127.0.0.1" | "[::1]"),
        _ => false,
    }
}

/// Whether a key may name a custom attribute in metadata (CON-26): letters, digits, `_` and `-`, not `_` first.
pub fn is_custom_attribute_key(key: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    !key.is_empty() && !key.starts_with('_') && key.chars().all(allowed)
}

/// The IdP fields a connection still lacks (CON-10), by their wire names.
pub fn missing_idp_fields(connection: &EnterpriseConnection) -> Vec<&'static str> {
    if let Some(oidc) = &connection.oidc {
        return oidc_connection::missing_fields(connection.provider, oidc);
    }
    let saml = &connection.saml;
    let fields = [
        ("idp_entity_id", saml.idp_entity_id.is_none()),
        ("idp_sso_url", saml.idp_sso_url.is_none()),
        ("idp_certificate", saml.idp_certificates.is_empty()),
    ];
    fields.into_iter().filter(|(_, missing)| *missing).map(|(name, _)| name).collect()
}

/// Checks a connection as it would be stored, against the other connections of its organization.
pub fn check(connection: &EnterpriseConnection, of_organization: &[EnterpriseConnectionId]) -> Result<(), Refusal> {
    if connection.domains.is_empty() {
        return Err(Refusal::NoDomains);
    }
    if let Some(common) = connection.domains.iter().find(|domain| is_common(domain)) {
        return Err(Refusal::CommonDomain(common.clone()));
    }
    if connection.saml.allow_subdomains
        && let Some(below) = connection.domains.iter().find(|domain| domain.registrable().as_ref() != Some(domain))
    {
        return Err(Refusal::SubdomainsNeedRegistrableDomain(below.clone()));
    }
    if let Some(organization) = &connection.organization_id
        && of_organization.iter().any(|id| *id != connection.id)
    {
        return Err(Refusal::OrganizationHasConnection(organization.clone()));
    }
    if connection.saml.refresh_idp_metadata && connection.saml.idp_metadata_url.is_none() {
        return Err(Refusal::RefreshNeedsMetadataUrl);
    }
    if let Some(oidc) = &connection.oidc {
        oidc_connection::check(connection.provider, oidc).map_err(Refusal::Oidc)?;
    }
    let missing = missing_idp_fields(connection);
    if connection.active && !missing.is_empty() {
        return Err(Refusal::MissingIdpFields(missing));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oidc_connection::tests::bare;
    use crate::sign_in_route::tests::connection;
    use doorward_model::{Provider, SamlConfig};

    #[test]
    fn con9_activation_names_what_is_missing() {
        let mut acme = connection("a", &["acme.test"]);
        acme.saml.idp_sso_url = None;
        acme.saml.idp_certificates.clear();
        assert_eq!(check(&acme, &[]), Err(Refusal::MissingIdpFields(vec!["idp_sso_url", "idp_certificate"])));
        acme.active = false;
        assert_eq!(check(&acme, &[]), Ok(()));
    }

    #[test]
    fn con9_con10_a_connection_that_speaks_openid_connect_needs_what_that_takes() {
        let mut acme = connection("a", &["acme.test"]);
        acme.provider = Provider::OidcCustom;
        acme.saml = SamlConfig::default();
        acme.oidc = Some(bare(acme.provider));
        assert_eq!(check(&acme, &[]), Err(Refusal::MissingIdpFields(vec!["client_id", "discovery_url"])));
        let oidc = acme.oidc.as_mut().unwrap();
        oidc.client_id = Some("client".into());
        oidc.discovery_url = Some("https://op.test/.well-known/openid-configuration".into());
        let needs_pkce = oidc_connection::Refusal::PublicClientNeedsPkce;
        assert_eq!(check(&acme, &[]), Err(Refusal::Oidc(needs_pkce)));
        acme.oidc.as_mut().unwrap().requires_pkce = true;
        assert_eq!(check(&acme, &[]), Ok(()));
        assert_eq!(check(&acme, &["b".into()]), Err(Refusal::OrganizationHasConnection("org_1".into())));
        acme.provider = Provider::OidcGithubEnterprise;
        assert_eq!(check(&acme, &[]), Err(Refusal::Oidc(oidc_connection::Refusal::NoDiscovery)));
        acme.active = false;
        acme.provider = Provider::OidcCustom;
        acme.oidc = Some(bare(acme.provider));
        assert_eq!(check(&acme, &[]), Ok(()));
    }

    #[test]
    fn q6_public_mail_providers_cannot_be_claimed() {
        let gmail = connection("a", &["acme.test", "gmail.com"]);
        assert_eq!(check(&gmail, &[]), Err(Refusal::CommonDomain(Domain::parse("gmail.com").unwrap())));
    }

    #[test]
    fn con32_an_organization_has_one_connection() {
        let acme = connection("a", &["acme.test"]);
        assert_eq!(check(&acme, &["a".into()]), Ok(()));
        assert_eq!(check(&acme, &["b".into()]), Err(Refusal::OrganizationHasConnection("org_1".into())));
    }

    #[test]
    fn con16_subdomains_only_below_a_registrable_domain() {
        let mut acme = connection("a", &["acme.com"]);
        acme.saml.allow_subdomains = true;
        assert_eq!(check(&acme, &[]), Ok(()));
        acme.domains.push(Domain::parse("eu.acme.com").unwrap());
        assert!(matches!(check(&acme, &[]), Err(Refusal::SubdomainsNeedRegistrableDomain(_))));
    }

    #[test]
    fn browsers_are_sent_to_https_or_to_their_own_machine() {
        for (scheme, host) in [("https", "idp.acme.test"), ("http", "localhost"), ("http", "127.0.0.1")] {
            assert!(is_sso_url(scheme, Some(host)), "{scheme} {host}");
        }
        for (scheme, host) in [("http", "idp.acme.test"), ("javascript", "localhost"), ("data", "x"), ("https", "")] {
            assert!(!is_sso_url(scheme, Some(host)), "{scheme} {host}");
        }
        assert!(!is_sso_url("https", None));
    }

    #[test]
    fn con26_keys_of_custom_attributes() {
        for key in ["employee_id", "cost-centre", "2fa"] {
            assert!(is_custom_attribute_key(key), "{key}");
        }
        for key in ["", "_hidden", "sp ace", "dot.ted", "ümlaut"] {
            assert!(!is_custom_attribute_key(key), "{key}");
        }
    }

    #[test]
    fn con22_metadata_is_read_again_only_where_there_is_a_url() {
        let mut acme = connection("a", &["acme.test"]);
        acme.saml.refresh_idp_metadata = true;
        assert_eq!(check(&acme, &[]), Err(Refusal::RefreshNeedsMetadataUrl));
        acme.saml.idp_metadata_url = Some("https://idp.acme.test/metadata".into());
        assert_eq!(check(&acme, &[]), Ok(()));
    }

    #[test]
    fn con6_a_connection_serves_at_least_one_domain() {
        assert_eq!(check(&connection("a", &[]), &[]), Err(Refusal::NoDomains));
    }

    #[test]
    fn the_list_of_mail_providers_is_sorted_enough_to_have_no_duplicates() {
        let mut names = COMMON_DOMAINS.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), COMMON_DOMAINS.len());
    }
}
