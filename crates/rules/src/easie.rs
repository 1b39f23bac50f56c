//! Connections to Google Workspace and Microsoft Entra ID, where one application of ours serves all organizations: what can be
//! set on them, whose application they use, whose accounts sign in, and which refresh token is kept (EAS-1 … EAS-9, CON-12).

use doorward_model::{Domain, EasieGrant, EasieGrantState, EasieProvider, EnterpriseConnection, Provider};

/// What a change says that not every kind of connection takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Says {
    pub endpoints_by_hand: bool,
    pub scopes: bool,
    pub attribute_mapping: bool,
    pub requires_pkce: bool,
    /// `disable_additional_identifications` is switched off.
    pub additional_identifications: bool,
    pub tenant: bool,
}

/// Why a kind of connection does not take a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// The provider's own document names the endpoints.
    EndpointsByHand,
    /// Scopes, claims and PKCE are those that the checks of the tenant need.
    Fixed,
    /// Who signs in through EASIE has one identifier (EAS-3, CON-12).
    AdditionalIdentifications,
    /// Only Entra ID names its tenants by an id; Google's are named by the domains.
    Tenant,
}

/// Whether a connection to this provider takes a change that speaks of the right protocol.
pub fn takes(provider: Provider, says: Says) -> Result<(), NotTaken> {
    if says.tenant && provider.easie() != Some(EasieProvider::Microsoft) {
        return Err(NotTaken::Tenant);
    }
    if provider.easie().is_none() {
        return Ok(());
    }
    if says.endpoints_by_hand {
        return Err(NotTaken::EndpointsByHand);
    }
    if says.scopes || says.attribute_mapping || says.requires_pkce {
        return Err(NotTaken::Fixed);
    }
    if says.additional_identifications {
        return Err(NotTaken::AdditionalIdentifications);
    }
    Ok(())
}

/// Whose application at the provider a connection uses. Id and secret come from the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Application {
    /// The connection has one of its own.
    Own,
    /// The instance's, at an EASIE provider (EAS-2).
    Instance,
    Missing,
}

/// Decides.
pub fn application(connection: &EnterpriseConnection, instance_has_one: bool) -> Application {
    let has_own = connection.oidc.as_ref().is_some_and(|oidc| oidc.client_id.is_some());
    match connection.provider.easie() {
        _ if has_own => Application::Own,
        Some(_) if instance_has_one => Application::Instance,
        _ => Application::Missing,
    }
}

/// Whether the provider sends everybody back to one address for all connections like this one: those to the provider's own
/// servers by the instance's application, where a new address would have to be registered for each customer. They have one
/// provider and one client, so there is no other whose code could be taken for one of theirs.
pub fn shares_callback(connection: &EnterpriseConnection) -> bool {
    let Some(oidc) = &connection.oidc else { return false };
    connection.provider.easie().is_some() && oidc.client_id.is_none() && oidc.discovery_url.is_none()
}

/// The tenants that a connection is for.
#[derive(Clone, Copy, Debug)]
pub struct Tenants<'a> {
    pub provider: EasieProvider,
    pub domains: &'a [Domain],
    /// Set by the operator, or the first that signed in.
    pub pinned: Option<&'a str>,
    /// The connection's discovery URL is that of one tenant.
    pub of_discovery_url: Option<&'a str>,
}

/// Whether an account of a tenant may sign in.
#[derive(Debug, PartialEq, Eq)]
pub enum Tenant {
    /// It is the connection's.
    Keep,
    /// It is the first, and the connection's from now on (EAS-9).
    Pin,
    /// Another organization's.
    Mismatch { expected: String },
}

/// Decides for a verified tenant: Google's `hd` is one of the connection's domains (EAS-7), Microsoft's `tid` is the pinned one.
pub fn tenant(tenants: Tenants<'_>, got: &str) -> Tenant {
    match tenants.provider {
        EasieProvider::Google => {
            if tenants.domains.iter().any(|domain| domain.as_str() == got) {
                return Tenant::Keep;
            }
            let expected: Vec<&str> = tenants.domains.iter().map(Domain::as_str).collect();
            Tenant::Mismatch { expected: expected.join(", ") }
        }
        EasieProvider::Microsoft => {
            let bound = [tenants.pinned, tenants.of_discovery_url];
            let other = bound.into_iter().flatten().find(|expected| !expected.eq_ignore_ascii_case(got));
            match (other, tenants.pinned) {
                (Some(expected), _) => Tenant::Mismatch { expected: expected.to_owned() },
                (None, Some(_)) => Tenant::Keep,
                (None, None) => Tenant::Pin,
            }
        }
    }
}

/// Whether the person may still be asked for consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// There can be another trip.
    MayBeAsked,
    /// She was asked on this trip, or there is no trip.
    WasAsked,
}

/// Which refresh token the account is asked after with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// The one that came.
    Save,
    /// The one there is: the provider has given it before and does not repeat itself.
    Keep,
    /// None: consent, asked for anew, brings one.
    AskConsent,
    /// None, for good: without one nobody would notice that the account is gone (EAS-6).
    Missing,
}

/// Decides; `client_id` is our application of this sign-in.
pub fn grant(brought: bool, stored: Option<&EasieGrant>, client_id: &str, consent: Consent) -> Grant {
    let is_of_use = |grant: &EasieGrant| {
        grant.state == EasieGrantState::Live && grant.encrypted_refresh_token.is_some() && grant.client_id == client_id
    };
    match (brought, stored, consent) {
        (true, _, _) => Grant::Save,
        (false, Some(grant), _) if is_of_use(grant) => Grant::Keep,
        (false, _, Consent::MayBeAsked) => Grant::AskConsent,
        (false, _, Consent::WasAsked) => Grant::Missing,
    }
}

/// Whether a `prompt` asks for consent.
pub fn asks_consent(prompt: Option<&str>) -> bool {
    prompt.is_some_and(|prompt| prompt.split(' ').any(|word| word == "consent"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oidc_connection::tests::bare;
    use crate::sign_in_route::tests::connection;

    const EASIE: [Provider; 2] = [Provider::OauthGoogle, Provider::OauthMicrosoft];

    fn easie(provider: Provider) -> EnterpriseConnection {
        let mut acme = connection("a", &["acme.test"]);
        acme.provider = provider;
        acme.oidc = Some(bare(provider));
        acme
    }

    #[test]
    fn con12_what_can_be_set_on_which_kind() {
        let nothing = Says::default();
        let cases = [
            (Says { endpoints_by_hand: true, ..nothing }, NotTaken::EndpointsByHand),
            (Says { scopes: true, ..nothing }, NotTaken::Fixed),
            (Says { attribute_mapping: true, ..nothing }, NotTaken::Fixed),
            (Says { requires_pkce: true, ..nothing }, NotTaken::Fixed),
            (Says { additional_identifications: true, ..nothing }, NotTaken::AdditionalIdentifications),
        ];
        for provider in Provider::ALL {
            assert_eq!(takes(provider, nothing), Ok(()), "{provider:?}");
            for (says, refusal) in cases {
                let expected = if provider.easie().is_some() { Err(refusal) } else { Ok(()) };
                assert_eq!(takes(provider, says), expected, "{provider:?} {says:?}");
            }
            let expected = if provider == Provider::OauthMicrosoft { Ok(()) } else { Err(NotTaken::Tenant) };
            assert_eq!(takes(provider, Says { tenant: true, ..nothing }), expected, "{provider:?}");
        }
    }

    #[test]
    fn eas2_the_application_is_the_connections_or_the_instances() {
        for provider in EASIE {
            let mut acme = easie(provider);
            assert_eq!(application(&acme, false), Application::Missing);
            assert_eq!(application(&acme, true), Application::Instance);
            acme.oidc.as_mut().unwrap().client_id = Some("own".into());
            assert_eq!((application(&acme, true), application(&acme, false)), (Application::Own, Application::Own));
        }
        let custom = easie(Provider::OidcCustom);
        assert_eq!(application(&custom, true), Application::Missing, "the instance's is for EASIE alone");
    }

    #[test]
    fn only_who_has_the_same_provider_and_client_shares_a_callback() {
        for provider in EASIE {
            assert!(shares_callback(&easie(provider)), "{provider:?}");
            let mut own_client = easie(provider);
            own_client.oidc.as_mut().unwrap().client_id = Some("own".into());
            assert!(!shares_callback(&own_client));
            let mut elsewhere = easie(provider);
            elsewhere.oidc.as_mut().unwrap().discovery_url = Some("https://op.test/".into());
            assert!(!shares_callback(&elsewhere));
        }
        assert!(!shares_callback(&easie(Provider::OidcCustom)));
        assert!(!shares_callback(&connection("a", &["acme.test"])));
    }

    #[test]
    fn eas7_google_accounts_are_of_a_domain_of_the_connection_as_it_is_now() {
        let domains = ["acme.test", "acme.example"].map(|text| Domain::parse(text).unwrap());
        let provider = EasieProvider::Google;
        let tenants = Tenants { provider, domains: &domains, pinned: None, of_discovery_url: None };
        assert_eq!(tenant(tenants, "acme.test"), Tenant::Keep);
        assert_eq!(tenant(tenants, "acme.example"), Tenant::Keep);
        for other in ["evil.test", "", "sub.acme.test", "test"] {
            let expected = "acme.test, acme.example".to_owned();
            assert_eq!(tenant(tenants, other), Tenant::Mismatch { expected }, "{other}");
        }
    }

    #[test]
    fn eas9_the_first_tenant_is_pinned_and_no_other_comes_after_it() {
        let (a, b) = ("11111111-1111-4111-8111-111111111111", "66666666-6666-4666-8666-66666666666a");
        let mismatch = |expected: &str| Tenant::Mismatch { expected: expected.to_owned() };
        for (pinned, of_discovery_url, got, expected) in [
            (None, None, a, Tenant::Pin),
            (Some(a), None, a, Tenant::Keep),
            (Some(b.to_uppercase().as_str()), None, b, Tenant::Keep),
            (Some(a), None, b, mismatch(a)),
            (None, Some(a), a, Tenant::Pin),
            (None, Some(a), b, mismatch(a)),
            (Some(a), Some(a), a, Tenant::Keep),
            (Some(a), Some(b), a, mismatch(b)),
            (Some(a), Some(b), b, mismatch(a)),
        ] {
            let provider = EasieProvider::Microsoft;
            let tenants = Tenants { provider, domains: &[], pinned, of_discovery_url };
            assert_eq!(tenant(tenants, got), expected, "{pinned:?} {of_discovery_url:?} {got}");
        }
    }

    #[test]
    fn eas6_every_combination_of_tokens_and_consent() {
        let live = EasieGrant {
            account_id: "entacc_1".into(),
            user_id: "user_1".into(),
            connection_id: "entconn_1".into(),
            client_id: "client".into(),
            encrypted_refresh_token: Some("sealed".into()),
            state: EasieGrantState::Live,
            confirmed_at: 0,
            due_at: Some(1),
            claimed_until: 0,
            failures: 0,
            last_error: None,
            created_at: 0,
            updated_at: 0,
        };
        let gone = EasieGrant { state: EasieGrantState::Gone, ..live.clone() };
        let used_up = EasieGrant { state: EasieGrantState::SignInNeeded, ..live.clone() };
        let empty = EasieGrant { encrypted_refresh_token: None, ..live.clone() };
        let other = EasieGrant { client_id: "other".into(), ..live.clone() };
        for stored in [None, Some(&live), Some(&gone), Some(&used_up), Some(&empty), Some(&other)] {
            for consent in [Consent::MayBeAsked, Consent::WasAsked] {
                assert_eq!(grant(true, stored, "client", consent), Grant::Save, "{stored:?}");
                let expected = match (stored == Some(&live), consent) {
                    (true, _) => Grant::Keep,
                    (false, Consent::MayBeAsked) => Grant::AskConsent,
                    (false, Consent::WasAsked) => Grant::Missing,
                };
                assert_eq!(grant(false, stored, "client", consent), expected, "{stored:?} {consent:?}");
            }
        }
    }

    #[test]
    fn oid9_consent_is_a_word_of_the_prompt() {
        for (prompt, expected) in [(None, false), (Some(""), false), (Some("login"), false), (Some("consent"), true)] {
            assert_eq!(asks_consent(prompt), expected, "{prompt:?}");
        }
        assert!(asks_consent(Some("select_account consent")));
        assert!(!asks_consent(Some("consentful")));
    }
}
