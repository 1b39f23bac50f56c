//! From a code to the profile of a person: tokens, keys, userinfo, mapping (OID-5, OID-6, OID-11, OID-13). No transaction is
//! open while this runs.

use crate::app::App;
use crate::flows::sign_in::complete::trust_sha256;
use crate::flows::sign_in::easie_identity;
use crate::flows::sign_in::oidc_trip::verifier_of;
use crate::flows::{FlowError, Refusal, connection_oidc, easie_grants, oidc_clients, oidc_provider};
use crate::outbound::OutboundError;
use crate::outbound::kept::{Kept, Want};
use doorward_model::{EasieProof, EnterpriseConnection, OidcConfig, OidcRequest, SsoProfile};
use doorward_oidc::easie::EasieIdentity;
use doorward_oidc::{
    AuthorizationErrorKind, Callback, CallbackError, Claims, DEFAULT_CLOCK_SKEW_MS, EmailVerified, Expectations,
    IdToken, IdentitySource, KeySet, Mapping, Nesting, OidcClient, Profile, ProviderMetadata, Secret, TokenError,
    TokenResponse, UserInfo, UserInfoError, UserInfoJwt, UserInfoSubject, authorization_code_request, userinfo_request,
    verify_id_token,
};
use doorward_rules::oidc_profile::{Lacks, OidcProfileOutcome, ToldClaims, Vouched, lacks, oidc_profile};
use doorward_rules::profile::{METADATA_PREFIX, ProfileOutcome};
use std::collections::HashSet;
use std::sync::Arc;

/// Token responses and userinfo: the parsers accept as much.
const LARGEST_ANSWER: usize = 256 * 1024;

/// Errors of the token endpoint that only the operator can do something about (RFC 6749, section 5.2).
const CLIENT_ERRORS: [&str; 4] = ["invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope"];

/// One sign-in at one provider.
struct Visit<'a> {
    app: &'a App,
    connection: &'a EnterpriseConnection,
    oidc: &'a OidcConfig,
    trip: &'a OidcRequest,
    provider: Arc<ProviderMetadata>,
    client_id: &'a str,
    /// Known once the ID token is verified.
    easie: Option<EasieIdentity>,
}

/// Who came back with this callback, or why it is nobody.
pub async fn profile_of(
    app: &App,
    connection: &EnterpriseConnection,
    trip: &OidcRequest,
    callback: &Callback,
) -> Result<Result<SsoProfile, Refusal>, FlowError> {
    match try_profile_of(app, connection, trip, callback).await {
        Ok(profile) => Ok(Ok(profile)),
        Err(FlowError::Refused(refusals)) => match refusals.into_iter().next() {
            Some(refusal) => Ok(Err(refusal)),
            None => Err(crate::app::internal("a refusal without a reason")),
        },
        Err(error) => Err(error),
    }
}

async fn try_profile_of(
    app: &App,
    connection: &EnterpriseConnection,
    trip: &OidcRequest,
    callback: &Callback,
) -> Result<SsoProfile, FlowError> {
    let missing = |missing| Refusal::OauthConfigMissing { missing };
    let oidc = connection.oidc.as_ref().ok_or_else(|| missing("OpenID Connect settings"))?;
    let client_id = oidc_clients::client_id(&app.config, connection).ok_or_else(|| missing("client_id"))?;
    let provider = oidc_provider::configuration(app, connection, oidc).await?;
    let mut visit = Visit { app, connection, oidc, trip, provider, client_id, easie: None };
    let code = callback.code(&visit.provider).map_err(|error| visit.not_answered(error))?;
    let tokens = visit.exchange(&code).await?;
    let mut keys = None;
    let id_token = match visit.provider.identity_source() {
        IdentitySource::IdToken => Some(visit.id_token(&tokens, &mut keys).await?),
        // By hand there is neither an issuer nor a key to read one by.
        IdentitySource::UserInfo => None,
    };
    visit.easie = easie_identity::identity(connection, oidc, id_token.as_ref())?;
    let claims = visit.claims(&tokens.access_token, id_token.as_ref(), keys.as_ref()).await?;
    let profile = visit.profile(&claims)?;
    visit.with_proof(profile, tokens.refresh_token.as_ref())
}

impl Visit<'_> {
    /// What the provider said instead of giving a code.
    fn not_answered(&self, error: CallbackError) -> Refusal {
        tracing::info!(connection = %self.connection.id, reason = error.code(), "OpenID Connect callback refused");
        let CallbackError::Provider(said) = &error else {
            return Refusal::OauthCallbackInvalid { reason: format!("{error}.") };
        };
        let reason = format!("It says: {error}.");
        if said.error.as_str().contains("redirect_uri") {
            return self.redirect_uri(reason);
        }
        match said.kind {
            AuthorizationErrorKind::Denied | AuthorizationErrorKind::InteractionRequired => {
                Refusal::OauthAccessDenied { reason }
            }
            AuthorizationErrorKind::Misconfigured => Refusal::OauthMisconfigured { reason },
            _ => Refusal::OauthCallbackInvalid { reason },
        }
    }

    fn redirect_uri(&self, reason: String) -> Refusal {
        Refusal::OauthRedirectUri {
            redirect_uri: connection_oidc::redirect_uri(&self.app.config, self.connection),
            reason,
        }
    }

    /// Exchanges the code, at the token endpoint of this connection's provider.
    async fn exchange(&self, code: &Secret) -> Result<TokenResponse, FlowError> {
        let misconfigured = |error: doorward_oidc::TokenRequestError| {
            FlowError::from(Refusal::OauthMisconfigured { reason: format!("{error}.") })
        };
        let secret = oidc_clients::client_secret(self.app, self.connection)?;
        let client = OidcClient::choose(self.client_id, secret.as_ref().map(Secret::expose), &self.provider)
            .map_err(misconfigured)?;
        let verifier = verifier_of(self.app, self.trip)?;
        let redirect_uri = connection_oidc::redirect_uri(&self.app.config, self.connection);
        let endpoint = &self.provider.token_endpoint;
        let request = authorization_code_request(endpoint, &client, code, &redirect_uri, verifier.as_ref())
            .map_err(misconfigured)?;
        let received = self
            .app
            .outbound
            .send(&request, oidc_provider::discovery_url(self.connection), LARGEST_ANSWER)
            .await
            .map_err(|error| match error {
                OutboundError::TooSlow => Refusal::GatewayTimeout { what: "The token endpoint" },
                error => Refusal::OauthTokenExchange { reason: format!("The token endpoint: {error}.") },
            })?;
        Ok(TokenResponse::parse(&received.as_response()).map_err(|error| {
            tracing::info!(connection = %self.connection.id, reason = error.code(), "OpenID Connect code refused");
            let reason = format!("{error}.");
            match error {
                _ if reason.contains("redirect_uri") => self.redirect_uri(reason),
                // What is no word of the standard may be about the code, as GitHub's are.
                TokenError::ClientRejected { error, .. } if CLIENT_ERRORS.contains(&error.as_str()) => {
                    Refusal::OauthMisconfigured { reason }
                }
                _ => Refusal::OauthTokenExchange { reason },
            }
        })?)
    }

    /// Verifies the ID token; the keys that did it stay in `keys`.
    async fn id_token(&self, tokens: &TokenResponse, keys: &mut Option<Kept<KeySet>>) -> Result<IdToken, Refusal> {
        let refused = |reason: String| Refusal::OauthTokenExchange { reason };
        let token = tokens.id_token.as_ref();
        let token = token.ok_or_else(|| refused("The answer has no id_token; is the scope openid allowed?".into()))?;
        let now = self.app.now();
        let nonce = &self.trip.nonce;
        let expected = Expectations::of_sign_in(&self.provider, self.client_id, nonce, &tokens.access_token, now);
        let expected = expected.ok_or(Refusal::OauthConfigMissing { missing: "issuer" })?;
        let found = oidc_provider::keys(self.app, self.connection, &self.provider, Want::Fresh).await?;
        let mut verified = verify_id_token(token.expose(), &found.value, &expected);
        *keys = Some(found);
        if verified.as_ref().is_err_and(doorward_oidc::IdTokenError::wants_new_keys)
            && let Some(newer) = self.newer_keys(keys.as_ref()).await?
        {
            verified = verify_id_token(token.expose(), &newer.value, &expected);
            *keys = Some(newer);
        }
        verified.map_err(|error| {
            tracing::info!(connection = %self.connection.id, reason = error.code(), "ID token refused");
            refused(format!("{error}."))
        })
    }

    /// Keys that were fetched after these: the provider may have changed them since. `None` where there are none to be had.
    async fn newer_keys(&self, keys: Option<&Kept<KeySet>>) -> Result<Option<Kept<KeySet>>, Refusal> {
        let Some(known) = keys else { return Ok(None) };
        let want = Want::NewerThan(known.fetched_at);
        let found = oidc_provider::keys(self.app, self.connection, &self.provider, want).await?;
        Ok(Some(found).filter(|found| !Arc::ptr_eq(&found.value, &known.value)))
    }

    /// The claims of the ID token, completed by userinfo where they do not suffice.
    async fn claims(
        &self,
        access_token: &Secret,
        id_token: Option<&IdToken>,
        keys: Option<&Kept<KeySet>>,
    ) -> Result<Claims, Refusal> {
        let signed = Claims::merged(id_token, None);
        let lacking = match id_token {
            Some(_) => self.told(&signed).lacks(self),
            None => Lacks::Essentials,
        };
        let endpoint = match (&self.provider.userinfo_endpoint, lacking) {
            (Some(endpoint), Lacks::Something | Lacks::Essentials) => endpoint,
            _ => return Ok(signed),
        };
        match self.userinfo(endpoint, access_token, id_token, keys).await {
            Ok(told) => Ok(Claims::merged(id_token, Some(&told))),
            // Without a name somebody can sign in. What is about somebody else or not genuine is another matter.
            Err(NoUserInfo::NotToBeHad(reason)) if lacking == Lacks::Something => {
                tracing::info!(connection = %self.connection.id, %reason, "signed in without userinfo");
                Ok(signed)
            }
            Err(NoUserInfo::TooSlow) if lacking == Lacks::Something => Ok(signed),
            Err(NoUserInfo::TooSlow) => Err(Refusal::GatewayTimeout { what: "The userinfo endpoint" }),
            Err(NoUserInfo::NotToBeHad(reason) | NoUserInfo::Wrong(reason)) => Err(Refusal::OauthFetchUser { reason }),
        }
    }

    async fn userinfo(
        &self,
        endpoint: &str,
        access_token: &Secret,
        id_token: Option<&IdToken>,
        keys: Option<&Kept<KeySet>>,
    ) -> Result<UserInfo, NoUserInfo> {
        let not_to_be_had = |reason: &dyn std::fmt::Display| NoUserInfo::NotToBeHad(format!("{reason}."));
        let request = userinfo_request(endpoint, access_token).map_err(|error| not_to_be_had(&error))?;
        let received = self
            .app
            .outbound
            .send(&request, oidc_provider::discovery_url(self.connection), LARGEST_ANSWER)
            .await
            .map_err(|error| match error {
                OutboundError::TooSlow => NoUserInfo::TooSlow,
                error => not_to_be_had(&format_args!("The userinfo endpoint: {error}")),
            })?;
        let claim = &self.oidc.attribute_mapping.user_id;
        let subject = id_token.map_or(UserInfoSubject::Claim(claim), |token| UserInfoSubject::SameAs(token.subject()));
        let parse = |keys: Option<&Kept<KeySet>>| {
            let issuer = self.provider.issuer.as_ref();
            let jwt = keys.zip(issuer).map(|(keys, issuer)| UserInfoJwt {
                keys: &keys.value,
                algorithms: &self.provider.userinfo_algorithms,
                issuer,
                client_id: self.client_id,
                now_ms: self.app.now(),
                clock_skew_ms: DEFAULT_CLOCK_SKEW_MS,
            });
            UserInfo::parse(&received.as_response(), subject, jwt.as_ref())
        };
        let mut told = parse(keys);
        if told.as_ref().is_err_and(UserInfoError::wants_new_keys)
            && let Ok(Some(newer)) = self.newer_keys(keys).await
        {
            told = parse(Some(&newer));
        }
        told.map_err(|error| {
            tracing::info!(connection = %self.connection.id, reason = error.code(), "userinfo refused");
            match error {
                UserInfoError::Status(_) | UserInfoError::ContentType { .. } | UserInfoError::Json(_) => {
                    not_to_be_had(&error)
                }
                error => NoUserInfo::Wrong(format!("{error}.")),
            }
        })
    }

    fn told(&self, claims: &Claims) -> Told {
        let mapping = &self.oidc.attribute_mapping;
        let names = Mapping {
            subject: &mapping.user_id,
            email: &mapping.email_address,
            given_name: &mapping.first_name,
            family_name: &mapping.last_name,
            nesting: Nesting::Dotted,
        };
        let paths = self.connection.custom_attributes.iter().filter_map(|custom| custom.sso_path.as_deref());
        let prefixed = claims.iter().map(|(name, _)| name).filter(|name| name.starts_with(METADATA_PREFIX));
        let (mut attributes, mut seen): (Vec<(String, Vec<String>)>, _) = (Vec::new(), HashSet::new());
        for name in prefixed.chain(paths) {
            if seen.insert(name) && claims.find(name, Nesting::Dotted).is_some() {
                attributes.push((name.to_owned(), claims.texts(name, Nesting::Dotted)));
            }
        }
        let mut profile = Profile::read(claims, &names);
        if let Some(identity) = &self.easie {
            profile.subject = Some(identity.subject.clone());
            profile.email = Some(identity.email.clone());
            profile.email_verified = EmailVerified::Yes;
        }
        Told { profile, attributes, trust_sha256: trust_sha256(&self.app.config, self.connection) }
    }

    /// With whose tenant it was, and the refresh token under its encryption.
    fn with_proof(&self, profile: SsoProfile, refresh_token: Option<&Secret>) -> Result<SsoProfile, FlowError> {
        let Some(identity) = &self.easie else { return Ok(profile) };
        let seal = |token| easie_grants::seal(self.app, &self.connection.id, &profile.subject, token);
        let proof = EasieProof {
            tenant: identity.tenant.clone(),
            client_id: self.client_id.to_owned(),
            encrypted_refresh_token: refresh_token.map(seal).transpose()?,
        };
        Ok(SsoProfile { easie: Some(Box::new(proof)), ..profile })
    }

    /// Who she is, as the connection maps the claims.
    fn profile(&self, claims: &Claims) -> Result<SsoProfile, Refusal> {
        let told = self.told(claims);
        let invalid = |reason: String| Refusal::OauthFetchUser { reason };
        match oidc_profile(self.connection, self.oidc, &told.claims()) {
            OidcProfileOutcome::Told(ProfileOutcome::Profile(profile)) => Ok(profile),
            OidcProfileOutcome::Told(ProfileOutcome::MissingAttribute(attribute)) => {
                Err(Refusal::SsoAttributeMissing { attribute })
            }
            OidcProfileOutcome::Told(ProfileOutcome::InvalidAddress(value)) => {
                Err(Refusal::SsoAddressInvalid { value: value.chars().take(200).collect() })
            }
            OidcProfileOutcome::Told(ProfileOutcome::TooLarge(what)) => {
                Err(invalid(format!("What it says is too large: {what}.")))
            }
            OidcProfileOutcome::Told(ProfileOutcome::DomainMismatch { expected, received }) => {
                Err(Refusal::SsoDomainMismatch {
                    expected: expected.iter().map(ToString::to_string).collect(),
                    received: received.to_string(),
                })
            }
            OidcProfileOutcome::AddressUnverified { address, is_denied } => {
                Err(Refusal::AddressUnverified { address, is_denied })
            }
        }
    }
}

/// Why there is no userinfo.
enum NoUserInfo {
    TooSlow,
    /// The endpoint does not tell.
    NotToBeHad(String),
    /// It tells about somebody else, or what it tells is not genuine.
    Wrong(String),
}

/// What claims say, by the connection's mapping.
struct Told {
    profile: Profile,
    attributes: Vec<(String, Vec<String>)>,
    trust_sha256: String,
}

impl Told {
    fn claims(&self) -> ToldClaims<'_> {
        ToldClaims {
            subject: self.profile.subject.as_deref(),
            email_address: self.profile.email.as_deref(),
            email_verified: match self.profile.email_verified {
                EmailVerified::Yes => Vouched::Yes,
                EmailVerified::No => Vouched::No,
                EmailVerified::NotSaid => Vouched::NotSaid,
            },
            first_name: self.profile.given_name.as_deref(),
            last_name: self.profile.family_name.as_deref(),
            attributes: &self.attributes,
            trust_sha256: &self.trust_sha256,
        }
    }

    fn lacks(&self, visit: &Visit<'_>) -> Lacks {
        lacks(visit.connection, visit.oidc, &self.claims())
    }
}
