//! How a trip to an OpenID Connect provider is made, and what somebody who comes back from one is taken for (OID-1, OID-7,
//! DECISIONS "Wire" 4).

use crate::easie::shares_callback;
use doorward_model::{
    ClientId, EnterpriseConnection, EnterpriseConnectionId, Millis, OidcRequest, Provider, SsoProfile,
};

/// Whether the request carries a PKCE challenge. A provider that does not say whether it knows PKCE ignores what it does not
/// know (RFC 6749, section 3.1), so only one that says it does not is spared, and only where nothing hangs on it.
pub fn sends_challenge(provider_says: Option<bool>, connection_requires: bool, has_secret: bool) -> bool {
    provider_says != Some(false) || connection_requires || !has_secret
}

/// Whether the provider has to be told to post its answer, because it does not offer the query.
pub fn must_post(response_modes: &[String]) -> bool {
    let offers = |mode: &str| response_modes.iter().any(|offered| offered == mode);
    !offers("query") && offers("form_post")
}

/// An address that a provider sends browsers back to, by the last part of its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Callback {
    /// A connection's own.
    Connection(EnterpriseConnectionId),
    /// That of all connections to this EASIE provider by the instance's application.
    Provider(Provider),
}

impl Callback {
    /// That of a connection.
    pub fn of(connection: &EnterpriseConnection) -> Self {
        match shares_callback(connection) {
            true => Self::Provider(connection.provider),
            false => Self::Connection(connection.id.clone()),
        }
    }

    /// Reads [`Self::as_str`] back.
    pub fn parse(text: &str) -> Self {
        match Provider::parse(text).filter(|provider| provider.easie().is_some()) {
            Some(provider) => Self::Provider(provider),
            None => Self::Connection(text.into()),
        }
    }

    /// The last part of its path.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Connection(id) => id.as_str(),
            Self::Provider(provider) => provider.as_str(),
        }
    }
}

/// What is known of somebody who came to the callback.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The trip whose state was brought.
    pub trip: Option<&'a OidcRequest>,
    /// The trip's connection.
    pub connection: Option<&'a EnterpriseConnection>,
    /// To which address she came.
    pub callback: &'a Callback,
    /// The browser, by its cookie.
    pub browser: Option<&'a ClientId>,
    /// Under which of our addresses it came; `None` if it has been sent to the right one already.
    pub base_url: Option<&'a str>,
    pub now: Millis,
}

/// What she is taken for.
#[derive(Debug, PartialEq, Eq)]
pub enum Return {
    /// The browser that began the trip is back.
    Own,
    /// The provider sends everybody to our own address; the browser knows us under this one, where its cookie is.
    ElsewhereKnown(String),
    /// The state belongs to no trip, or its time has run out, or somebody came with it before.
    UnknownState,
    /// The trip began in another browser: whoever hands somebody a link with a code of his own signs nobody in.
    OtherBrowser,
}

/// Decides. Only [`Return::Own`] uses the trip up.
pub fn came_back(facts: Facts<'_>) -> Return {
    let Facts { trip, connection, callback, browser, base_url, now } = facts;
    // A code that another connection's provider gave must not reach this one's, even if somebody sent the browser to that
    // provider with the state of this trip.
    let came_to_its = |connection: &EnterpriseConnection| Callback::of(connection) == *callback;
    let is_its = |trip: &&OidcRequest| {
        let own = connection.filter(|connection| connection.id == trip.connection_id);
        now < trip.expires_at && own.is_some_and(came_to_its)
    };
    let Some(trip) = trip.filter(is_its) else { return Return::UnknownState };
    if browser == Some(&trip.client_id) {
        Return::Own
    } else if base_url.is_some_and(|base_url| base_url != trip.base_url) {
        Return::ElsewhereKnown(trip.base_url.clone())
    } else {
        Return::OtherBrowser
    }
}

/// Whether the code may still be sent to the connection's provider.
#[derive(Debug, PartialEq, Eq)]
pub enum Standing {
    Good,
    /// Deleted or switched off.
    Inactive,
    /// It trusts another provider than the one the browser was sent to, who would learn the code.
    Changed,
}

/// Decides; `trust_sha256` is of what the connection expects of its provider now.
pub fn standing(connection: Option<&EnterpriseConnection>, trip: &OidcRequest, trust_sha256: &str) -> Standing {
    match connection {
        Some(connection) if connection.active && connection.authenticatable => {
            if trip.trust_sha256 == trust_sha256 {
                Standing::Good
            } else {
                Standing::Changed
            }
        }
        _ => Standing::Inactive,
    }
}

/// Whether a profile that was verified before may still sign in, as the connection is now.
pub fn is_still_trusted(profile: &SsoProfile, trust_sha256: &str) -> bool {
    profile.trust_sha256 == trust_sha256
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oidc_connection::tests::bare;
    use crate::sign_in_route::tests::connection;
    use doorward_model::{AttemptId, OidcConfig};

    const OWN: &str = "https://sso.test";

    fn trip(base_url: &str) -> OidcRequest {
        OidcRequest {
            state_sha256: "s".into(),
            nonce: "n".into(),
            encrypted_code_verifier: None,
            connection_id: "entconn_1".into(),
            trust_sha256: "t".into(),
            attempt: AttemptId::SignIn("sia_1".into()),
            client_id: "client_1".into(),
            redirect_url: "https://app.test/".into(),
            action_complete_redirect_url: "https://app.test/".into(),
            base_url: base_url.into(),
            asks_consent: false,
            expires_at: 100,
            created_at: 0,
        }
    }

    #[test]
    fn oid7_a_challenge_is_sent_wherever_it_may_help() {
        for (provider, required, secret, expected) in [
            (Some(true), false, true, true),
            (None, false, true, true),
            (Some(false), false, true, false),
            (Some(false), true, true, true),
            (Some(false), false, false, true),
        ] {
            assert_eq!(sends_challenge(provider, required, secret), expected, "{provider:?} {required} {secret}");
        }
    }

    #[test]
    fn oid1_the_form_is_asked_for_only_where_the_query_is_not_offered() {
        let modes = |texts: &[&str]| -> Vec<String> { texts.iter().map(|text| (*text).to_owned()).collect() };
        assert!(!must_post(&modes(&["query", "fragment"])));
        assert!(!must_post(&modes(&["form_post", "query"])));
        assert!(!must_post(&modes(&["fragment"])));
        assert!(!must_post(&[]));
        assert!(must_post(&modes(&["fragment", "form_post"])));
    }

    #[test]
    fn wire4_only_the_browser_that_began_comes_back_and_in_time() {
        let (own, other) = (ClientId::from("client_1"), ClientId::from("client_2"));
        let mut acme = connection("a", &["acme.test"]);
        acme.id = "entconn_1".into();
        let connection = Some(&acme);
        let (callback, another) = (Callback::parse("entconn_1"), Callback::parse("entconn_2"));
        let callback = &callback;
        let (here, there) = (trip(OWN), trip("https://app.test/__clerk"));
        let proxied = there.base_url.clone();
        let moved = Facts { trip: Some(&there), connection, callback, browser: None, base_url: None, now: 0 };
        assert_eq!(came_back(moved), Return::OtherBrowser, "nobody goes round in circles");
        let back = Facts { trip: Some(&here), browser: Some(&own), base_url: Some(OWN), ..moved };
        let lured = Facts { callback: &another, ..back };
        assert_eq!(came_back(lured), Return::UnknownState, "what another provider gave is no answer of this one");
        assert_eq!(came_back(Facts { connection: None, ..back }), Return::UnknownState, "it was deleted");
        for (trip, browser, base_url, now, expected) in [
            (Some(&here), Some(&own), OWN, 99, Return::Own),
            (Some(&here), Some(&own), OWN, 100, Return::UnknownState),
            (None, Some(&own), OWN, 0, Return::UnknownState),
            (Some(&here), Some(&other), OWN, 0, Return::OtherBrowser),
            (Some(&here), None, OWN, 0, Return::OtherBrowser),
            (Some(&there), None, OWN, 0, Return::ElsewhereKnown(proxied.clone())),
            (Some(&there), Some(&other), OWN, 0, Return::ElsewhereKnown(proxied.clone())),
            (Some(&there), Some(&own), OWN, 0, Return::Own),
            (Some(&there), Some(&own), &proxied, 0, Return::Own),
            (Some(&there), None, &proxied, 0, Return::OtherBrowser),
            (Some(&there), None, OWN, 100, Return::UnknownState),
        ] {
            assert_eq!(
                came_back(Facts { trip, connection, callback, browser, base_url: Some(base_url), now }),
                expected,
                "{browser:?} {base_url} {now}"
            );
        }
    }

    #[test]
    fn eas1_the_shared_callback_is_for_connections_to_that_provider_by_the_instances_application() {
        let (own, trip) = (ClientId::from("client_1"), trip(OWN));
        let mut easie = connection("entconn_1", &["acme.test"]);
        easie.provider = Provider::OauthGoogle;
        easie.oidc = Some(bare(Provider::OauthGoogle));
        let callbacks = ["entconn_1", "oauth_google", "oauth_microsoft", "oidc_custom"].map(Callback::parse);
        let came = |connection: &EnterpriseConnection| {
            callbacks.clone().map(|callback| {
                let facts = Facts {
                    trip: Some(&trip),
                    connection: Some(connection),
                    callback: &callback,
                    browser: Some(&own),
                    base_url: Some(OWN),
                    now: 0,
                };
                came_back(facts) == Return::Own
            })
        };
        assert_eq!(came(&easie), [false, true, false, false]);
        for change in [
            |half: &mut OidcConfig| half.client_id = Some("own".into()),
            |half: &mut OidcConfig| {
                half.discovery_url = Some("https://op.test/".into());
            },
        ] {
            let mut own = easie.clone();
            change(own.oidc.as_mut().unwrap());
            assert_eq!(came(&own), [true, false, false, false]);
        }
        easie.provider = Provider::OidcCustom;
        assert_eq!(came(&easie), [true, false, false, false]);
        easie.id = "entconn_2".into();
        assert_eq!(came(&easie), [false; 4], "that of another trip");
        // The connection is always the trip's, whoever loads it.
        easie.provider = Provider::OauthGoogle;
        assert_eq!(came(&easie), [false; 4], "another that shares the callback");
        assert_eq!(callbacks[3], Callback::Connection("oidc_custom".into()), "no provider that shares one");
        for callback in &callbacks {
            assert_eq!(&Callback::parse(callback.as_str()), callback);
        }
    }

    #[test]
    fn con37_a_code_goes_to_the_provider_it_came_from_and_to_no_other() {
        let mut acme = connection("a", &["acme.test"]);
        let trip = trip(OWN);
        assert_eq!(standing(Some(&acme), &trip, "t"), Standing::Good);
        assert_eq!(standing(Some(&acme), &trip, "other"), Standing::Changed);
        assert_eq!(standing(None, &trip, "t"), Standing::Inactive);
        acme.authenticatable = false;
        assert_eq!(standing(Some(&acme), &trip, "t"), Standing::Inactive);
        (acme.authenticatable, acme.active) = (true, false);
        assert_eq!(standing(Some(&acme), &trip, "t"), Standing::Inactive);
    }
}
