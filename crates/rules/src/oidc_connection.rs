//! What an OpenID Connect connection starts with, what its kind of provider can do, and which endpoints it uses
//! (CON-10, CON-25, OID-3 … OID-7, OID-15).

use doorward_model::{OidcAttributeMapping, OidcConfig, Provider};

/// The most scopes that are asked for.
pub const MAX_SCOPES: usize = 50;
/// The longest that all of them together may be: they travel in a URL.
pub const MAX_SCOPES_LENGTH: usize = 1000;

/// Whether providers of this kind describe themselves under a discovery URL. GitHub Enterprise Server speaks plain OAuth 2.0.
pub fn has_discovery(provider: Provider) -> bool {
    provider != Provider::OidcGithubEnterprise
}

/// The claims that hold what is needed, unless told otherwise (OID-5). GitHub names a user by number and has no claim for parts
/// of a name.
pub fn default_mapping(provider: Provider) -> OidcAttributeMapping {
    let subject = if provider == Provider::OidcGithubEnterprise { "id" } else { "sub" };
    OidcAttributeMapping {
        user_id: subject.into(),
        email_address: "email".into(),
        first_name: "given_name".into(),
        last_name: "family_name".into(),
        email_verified_default: false,
    }
}

/// What is asked for, unless told otherwise (OID-4).
pub fn default_scopes(provider: Provider) -> Vec<String> {
    let scopes: &[&str] = match provider {
        Provider::OidcGithubEnterprise => &["read:user", "user:email"],
        Provider::OauthMicrosoft => &["openid", "email", "profile", "offline_access"],
        Provider::OauthGoogle => &["openid", "email", "profile"],
        _ => &["openid", "profile", "email"],
    };
    scopes.iter().map(|scope| (*scope).to_owned()).collect()
}

/// Whether these may be asked for together: scopes of RFC 6749, section 3.3, that fit into a request.
pub fn are_scopes(scopes: &[String]) -> bool {
    let is_scope = |scope: &String| {
        let allowed = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        !scope.is_empty() && scope.bytes().all(allowed)
    };
    let length: usize = scopes.iter().map(|scope| scope.len() + 1).sum();
    scopes.len() <= MAX_SCOPES && length <= MAX_SCOPES_LENGTH && scopes.iter().all(is_scope)
}

/// Where a provider is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    pub discovery_url: Option<String>,
    pub authorization_url: Option<String>,
    pub token_url: Option<String>,
    pub user_info_url: Option<String>,
}

impl Endpoints {
    /// Those of a connection.
    pub fn of(oidc: &OidcConfig) -> Self {
        Self {
            discovery_url: oidc.discovery_url.clone(),
            authorization_url: oidc.authorization_url.clone(),
            token_url: oidc.token_url.clone(),
            user_info_url: oidc.user_info_url.clone(),
        }
    }
}

/// What a change says of endpoints; `None` says nothing, an empty text clears.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointsChange {
    pub discovery_url: Option<String>,
    pub authorization_url: Option<String>,
    pub token_url: Option<String>,
    pub user_info_url: Option<String>,
}

/// An endpoint was given, by its wire name, that is not the one the discovery document names.
#[derive(Debug, PartialEq, Eq)]
pub struct Contradiction(pub &'static str);

/// The discovery URL that has to be read for a change: one that is given, be it the one there was.
pub fn to_discover(change: &EndpointsChange) -> Option<&str> {
    change.discovery_url.as_deref().filter(|url| !url.is_empty())
}

/// The endpoints after a change. `discovered` is what the document under its discovery URL says, if it gives one.
///
/// While there is a discovery URL, the document names the endpoints, and one that is given beside it has to be the same. When
/// the URL is taken away, they stay and are the operator's from then on.
pub fn endpoints(
    before: &Endpoints,
    change: &EndpointsChange,
    discovered: Option<&Endpoints>,
) -> Result<Endpoints, Contradiction> {
    let changed = |before: &Option<String>, change: &Option<String>| match change {
        None => before.clone(),
        Some(text) => (!text.is_empty()).then(|| text.clone()),
    };
    let discovery_url = changed(&before.discovery_url, &change.discovery_url);
    if discovery_url.is_none() {
        return Ok(Endpoints {
            discovery_url,
            authorization_url: changed(&before.authorization_url, &change.authorization_url),
            token_url: changed(&before.token_url, &change.token_url),
            user_info_url: changed(&before.user_info_url, &change.user_info_url),
        });
    }
    let named = discovered.unwrap_or(before);
    for (name, given, named) in [
        ("auth_url", &change.authorization_url, &named.authorization_url),
        ("token_url", &change.token_url, &named.token_url),
        ("user_info_url", &change.user_info_url, &named.user_info_url),
    ] {
        let given = given.as_ref().filter(|url| !url.is_empty());
        if given.is_some() && given != named.as_ref() {
            return Err(Contradiction(name));
        }
    }
    Ok(Endpoints { discovery_url, ..named.clone() })
}

/// The fields a connection still lacks to be active, by their wire names (CON-10).
///
/// Endpoints by hand come without issuer and keys, so people are known by what the userinfo endpoint says. With EASIE, what can
/// be missing is an application, which may be the instance's: see [`application`](crate::easie::application).
pub fn missing_fields(provider: Provider, oidc: &OidcConfig) -> Vec<&'static str> {
    let mut missing = Vec::new();
    if provider.easie().is_some() {
        return missing;
    }
    if oidc.client_id.is_none() {
        missing.push("client_id");
    }
    if oidc.discovery_url.is_some() {
        return missing;
    }
    let by_hand = [
        ("auth_url", oidc.authorization_url.is_none()),
        ("token_url", oidc.token_url.is_none()),
        ("user_info_url", oidc.user_info_url.is_none()),
    ];
    if has_discovery(provider) && by_hand.iter().all(|(_, is_missing)| *is_missing) {
        missing.push("discovery_url");
    } else {
        missing.extend(by_hand.iter().filter(|(_, is_missing)| *is_missing).map(|(name, _)| *name));
    }
    missing
}

/// Why a connection may not be as it would be.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Providers of this kind have no discovery document (OID-3).
    NoDiscovery,
    /// A client without a secret proves by PKCE alone that the code is its own (OID-7).
    PublicClientNeedsPkce,
    /// Id and secret of an application at an EASIE provider go together (EAS-2).
    HalfAnApplication,
    /// The discovery URL is that of another tenant than the one that may sign in.
    OtherTenant,
}

/// Checks the OpenID Connect half of a connection as it would be stored, active or not.
pub fn check(provider: Provider, oidc: &OidcConfig) -> Result<(), Refusal> {
    if provider.easie().is_some() {
        let is_whole = oidc.client_id.is_some() == oidc.encrypted_client_secret.is_some();
        return if is_whole { Ok(()) } else { Err(Refusal::HalfAnApplication) };
    }
    if oidc.discovery_url.is_some() && !has_discovery(provider) {
        return Err(Refusal::NoDiscovery);
    }
    if oidc.client_id.is_some() && oidc.encrypted_client_secret.is_none() && !oidc.requires_pkce {
        return Err(Refusal::PublicClientNeedsPkce);
    }
    Ok(())
}

/// Checks the tenant of an EASIE connection against the one whose own document its discovery URL is, if it is one's.
pub fn check_tenant(oidc: &OidcConfig, of_discovery_url: Option<&str>) -> Result<(), Refusal> {
    match (oidc.tenant_id.as_deref(), of_discovery_url) {
        (Some(tenant), Some(of_url)) if !tenant.eq_ignore_ascii_case(of_url) => Err(Refusal::OtherTenant),
        _ => Ok(()),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use doorward_model::{LoginHint, LoginHintMode};

    const KINDS: [Provider; 3] = [Provider::OidcCustom, Provider::OidcGithubEnterprise, Provider::OidcGitlab];

    /// A configuration with nothing in it.
    pub(crate) fn bare(provider: Provider) -> OidcConfig {
        OidcConfig {
            id: "oac_1".into(),
            discovery_url: None,
            authorization_url: None,
            token_url: None,
            user_info_url: None,
            client_id: None,
            encrypted_client_secret: None,
            requires_pkce: false,
            scopes: default_scopes(provider),
            attribute_mapping: default_mapping(provider),
            login_hint: LoginHint { mode: LoginHintMode::Off, source: None },
            tenant_id: None,
        }
    }

    fn some(is_there: bool, text: &str) -> Option<String> {
        is_there.then(|| text.to_owned())
    }

    #[test]
    fn con10_every_combination_of_fields_and_kinds() {
        for kind in KINDS {
            for bits in 0..32u8 {
                let has = |bit: u8| bits & (1 << bit) != 0;
                let oidc = OidcConfig {
                    client_id: some(has(0), "client"),
                    discovery_url: some(has(1), "https://op.test/.well-known/openid-configuration"),
                    authorization_url: some(has(2), "https://op.test/authorize"),
                    token_url: some(has(3), "https://op.test/token"),
                    user_info_url: some(has(4), "https://op.test/userinfo"),
                    ..bare(kind)
                };
                let missing = missing_fields(kind, &oidc);
                assert_eq!(missing.contains(&"client_id"), !has(0), "{kind:?} {bits:05b}");
                let is_complete = has(0) && (has(1) || (has(2) && has(3) && has(4)));
                assert_eq!(missing.is_empty(), is_complete, "{kind:?} {bits:05b}: {missing:?}");
                let nothing = !has(1) && !has(2) && !has(3) && !has(4);
                let wants_discovery = nothing && kind != Provider::OidcGithubEnterprise;
                assert_eq!(missing.contains(&"discovery_url"), wants_discovery, "{kind:?} {bits:05b}");
                for (bit, name) in [(2, "auth_url"), (3, "token_url"), (4, "user_info_url")] {
                    let expected = !has(1) && !has(bit) && !wants_discovery;
                    assert_eq!(missing.contains(&name), expected, "{kind:?} {bits:05b} {name}");
                }
            }
        }
    }

    #[test]
    fn oid7_every_combination_of_client_secret_and_pkce() {
        for kind in KINDS {
            for (client, secret, pkce) in (0..8u8).map(|bits| (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0)) {
                let oidc = OidcConfig {
                    client_id: some(client, "client"),
                    encrypted_client_secret: some(secret, "sealed"),
                    requires_pkce: pkce,
                    ..bare(kind)
                };
                let expected = match (client, secret, pkce) {
                    (true, false, false) => Err(Refusal::PublicClientNeedsPkce),
                    _ => Ok(()),
                };
                assert_eq!(check(kind, &oidc), expected, "{kind:?} {client} {secret} {pkce}");
            }
        }
    }

    #[test]
    fn eas2_id_and_secret_of_an_application_go_together() {
        for kind in [Provider::OauthGoogle, Provider::OauthMicrosoft] {
            for (client, secret) in [(false, false), (true, false), (false, true), (true, true)] {
                let oidc = OidcConfig {
                    client_id: some(client, "client"),
                    encrypted_client_secret: some(secret, "sealed"),
                    ..bare(kind)
                };
                let expected = if client == secret { Ok(()) } else { Err(Refusal::HalfAnApplication) };
                assert_eq!(check(kind, &oidc), expected, "{kind:?} {client} {secret}");
                assert!(missing_fields(kind, &oidc).is_empty(), "{kind:?}: its document is the provider's own");
            }
        }
    }

    #[test]
    fn eas9_a_discovery_url_of_another_tenant_contradicts_the_tenant() {
        for (tenant, of_url, expected) in [
            (None, None, Ok(())),
            (None, Some("a-1"), Ok(())),
            (Some("a-1"), None, Ok(())),
            (Some("A-1"), Some("a-1"), Ok(())),
            (Some("b-2"), Some("a-1"), Err(Refusal::OtherTenant)),
        ] {
            let oidc = OidcConfig { tenant_id: tenant.map(str::to_owned), ..bare(Provider::OauthMicrosoft) };
            assert_eq!(check_tenant(&oidc, of_url), expected, "{tenant:?} {of_url:?}");
        }
    }

    #[test]
    fn oid3_github_has_no_discovery_document() {
        for kind in KINDS {
            let url = Some("https://op.test/.well-known/openid-configuration".to_owned());
            let oidc = OidcConfig { discovery_url: url, ..bare(kind) };
            let expected = if kind == Provider::OidcGithubEnterprise { Err(Refusal::NoDiscovery) } else { Ok(()) };
            assert_eq!(check(kind, &oidc), expected, "{kind:?}");
        }
    }

    #[test]
    fn oid5_oid6_defaults() {
        for kind in KINDS {
            let mapping = default_mapping(kind);
            assert!(!mapping.email_verified_default, "{kind:?}");
            let subject = if kind == Provider::OidcGithubEnterprise { "id" } else { "sub" };
            assert_eq!((mapping.user_id.as_str(), mapping.email_address.as_str()), (subject, "email"));
            assert_eq!((mapping.first_name.as_str(), mapping.last_name.as_str()), ("given_name", "family_name"));
            assert!(are_scopes(&default_scopes(kind)), "{kind:?}");
        }
        assert_eq!(default_scopes(Provider::OidcCustom), ["openid", "profile", "email"]);
        assert_eq!(default_scopes(Provider::OidcGithubEnterprise), ["read:user", "user:email"]);
    }

    #[test]
    fn oid4_scopes_are_those_of_the_standard_and_fit_into_a_request() {
        let scopes = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        for good in [&[][..], &["openid"][..], &["api://id/.default", "read:user", "a!#[]~"][..]] {
            assert!(are_scopes(&scopes(good)), "{good:?}");
        }
        for bad in ["", "a b", "a\"b", "a\\b", "é", "a\nb", "\u{7f}"] {
            assert!(!are_scopes(&scopes(&["openid", bad])), "{bad:?}");
        }
        assert!(are_scopes(&vec!["a".to_owned(); MAX_SCOPES]));
        assert!(!are_scopes(&vec!["a".to_owned(); MAX_SCOPES + 1]));
        assert!(are_scopes(&["x".repeat(MAX_SCOPES_LENGTH - 1)]));
        assert!(!are_scopes(&["x".repeat(MAX_SCOPES_LENGTH)]));
    }

    fn named(host: &str, discovery: bool) -> Endpoints {
        Endpoints {
            discovery_url: some(discovery, &format!("https://{host}/.well-known/openid-configuration")),
            authorization_url: Some(format!("https://{host}/authorize")),
            token_url: Some(format!("https://{host}/token")),
            user_info_url: None,
        }
    }

    fn given(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn endpoints_by_hand_are_set_and_cleared_one_by_one() {
        let before = named("old.test", false);
        let change = EndpointsChange {
            discovery_url: given(""),
            authorization_url: given("https://new.test/authorize"),
            token_url: given(""),
            user_info_url: None,
        };
        let after = endpoints(&before, &change, None).unwrap();
        assert_eq!(after.authorization_url, given("https://new.test/authorize"));
        assert_eq!((after.discovery_url, after.token_url, after.user_info_url), (None, None, None));
        assert_eq!(endpoints(&before, &EndpointsChange::default(), None), Ok(before));
    }

    #[test]
    fn a_discovery_document_names_all_endpoints() {
        let document = named("new.test", false);
        let change = EndpointsChange { discovery_url: named("new.test", true).discovery_url, ..Default::default() };
        assert_eq!(to_discover(&change), change.discovery_url.as_deref());
        for before in [Endpoints::default(), named("old.test", false), named("old.test", true)] {
            let before = Endpoints { user_info_url: given("https://old.test/userinfo"), ..before };
            assert_eq!(endpoints(&before, &change, Some(&document)), Ok(named("new.test", true)));
        }
    }

    #[test]
    fn an_endpoint_beside_a_discovery_url_is_that_of_the_document() {
        let document = named("new.test", false);
        let discovery_url = named("new.test", true).discovery_url;
        // Given now, and given before.
        for (before, discovery_url, discovered) in
            [(Endpoints::default(), discovery_url, Some(&document)), (named("new.test", true), None, None)]
        {
            let change = EndpointsChange { discovery_url, ..Default::default() };
            let same = EndpointsChange {
                authorization_url: document.authorization_url.clone(),
                token_url: given(""),
                user_info_url: given(""),
                ..change.clone()
            };
            assert_eq!(endpoints(&before, &same, discovered), Ok(named("new.test", true)));
            let other = || given("https://other.test/");
            for (change, name) in [
                (EndpointsChange { authorization_url: other(), ..change.clone() }, "auth_url"),
                (EndpointsChange { token_url: other(), ..change.clone() }, "token_url"),
                (EndpointsChange { user_info_url: other(), ..change.clone() }, "user_info_url"),
            ] {
                assert_eq!(endpoints(&before, &change, discovered), Err(Contradiction(name)));
            }
        }
    }

    #[test]
    fn without_its_discovery_url_a_connection_keeps_the_endpoints() {
        let change = EndpointsChange { discovery_url: given(""), ..Default::default() };
        assert_eq!(to_discover(&change), None);
        assert_eq!(endpoints(&named("op.test", true), &change, None), Ok(named("op.test", false)));
        let change = EndpointsChange { token_url: given("https://other.test/token"), ..change };
        let after = endpoints(&named("op.test", true), &change, None).unwrap();
        assert_eq!(after.token_url, given("https://other.test/token"));
        assert_eq!(to_discover(&EndpointsChange::default()), None);
    }
}
