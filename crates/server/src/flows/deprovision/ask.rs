//! What an EASIE provider says when an account's refresh token is used. No transaction is open while it is asked.

use super::under_way::Health;
use crate::app::App;
use crate::flows::{FlowError, Refusal, easie_grants as tokens, oidc_clients, oidc_provider};
use crate::http::error_table::describe;
use crate::outbound::kept::Want;
use doorward_model::{Domain, EasieGrant, EasieProvider, EnterpriseAccount, EnterpriseConnection, Millis};
use doorward_oidc::easie::{AccountState, SameAccount, is_same_google_account, is_same_microsoft_account};
use doorward_oidc::{
    DEFAULT_CLOCK_SKEW_MS, DEFAULT_OLDEST_TOKEN_MS, Expectations, HttpRequest, IdToken, IdTokenError, OidcClient,
    ProviderMetadata, Secret, TokenError, TokenResponse, Unavailability, refresh_request, verify_id_token,
};
use doorward_rules::deprovision::{Answer, back_off};
use doorward_store::easie_grants::{self, Claim};
use doorward_store::write_tx;
use std::time::Duration;

/// Token responses: the parser accepts as much.
const LARGEST_ANSWER: usize = 256 * 1024;
/// What is left of a claim when the refresh token is sent: more than the outbound client takes at the most. A token is not sent
/// while somebody else may have the account.
const NEEDED: Millis = 30_000;

/// How long after a failure to save a new refresh token it is tried again.
const AGAIN: Duration = Duration::from_millis(200);
/// And how many times.
const TRIES: usize = 25;

/// What was heard of an account.
pub(super) struct Heard {
    pub(super) answer: Answer,
    /// In the provider's words and ours, for the operator; without secrets.
    pub(super) said: Option<String>,
    /// The proof as it is now.
    pub(super) claim: Claim,
    /// With which it is asked next.
    pub(super) encrypted_refresh_token: Option<String>,
}

/// Asks about an account that was claimed. `None`: the claim is no longer ours, or too short.
pub(super) async fn ask(
    app: &App,
    grant: &EasieGrant,
    account: &EnterpriseAccount,
    connection: &EnterpriseConnection,
) -> Result<Option<Heard>, FlowError> {
    let mut heard = Heard {
        answer: Answer::Unknown,
        said: None,
        claim: Claim::of(grant),
        encrypted_refresh_token: grant.encrypted_refresh_token.clone(),
    };
    let conversation = match Conversation::prepare(app, grant, account, connection).await? {
        Ok(conversation) => conversation,
        Err(reason) => {
            heard.said = Some(reason);
            return Ok(Some(heard));
        }
    };
    let Some(outcome) = conversation.refresh(heard.claim.until()).await else { return Ok(None) };
    let tokens = match outcome {
        Ok(tokens) => tokens,
        Err((state, reason)) => {
            heard.answer = match state {
                AccountState::Gone(_) => Answer::Gone,
                AccountState::SignInNeeded => Answer::SignInNeeded,
                AccountState::Active | AccountState::Unknown => Answer::Unknown,
            };
            heard.said = Some(reason);
            return Ok(Some(heard));
        }
    };
    // Before anything else that may fail or take time: the old one may be worth nothing from now on.
    if let Some(refresh_token) = &tokens.refresh_token {
        let sealed = tokens::seal(app, &connection.id, &account.subject, refresh_token)?;
        let Some(proof) = keep_token(app, &heard.claim, &sealed).await? else { return Ok(None) };
        heard.claim = proof;
        heard.encrypted_refresh_token = Some(sealed);
    }
    (heard.answer, heard.said) = match conversation.same_account(&tokens).await {
        SameAccount::Yes => (Answer::Confirmed, None),
        SameAccount::No(reason) => (Answer::OtherAccount, Some(format!("other_account: {reason}"))),
        SameAccount::Unclear(reason) => (Answer::Unknown, Some(format!("id_token: {reason}"))),
    };
    Ok(Some(heard))
}

/// Saves a refresh token that was given in the place of another; tries for five seconds and more, as nothing can bring it
/// back. `None`: somebody else has the account.
async fn keep_token(app: &App, claim: &Claim, sealed: &str) -> Result<Option<Claim>, FlowError> {
    let mut tries = 0;
    loop {
        let now = app.now();
        let kept =
            write_tx!(app.store, FlowError, |tx| { Ok(easie_grants::replace_token(tx, claim, sealed, now).await?) });
        match kept {
            Err(FlowError::Store(error)) if tries < TRIES => {
                tries += 1;
                tracing::warn!(%error, "a new refresh token cannot be kept; it is tried again");
                tokio::time::sleep(AGAIN).await;
            }
            kept => return kept,
        }
    }
}

/// With the token endpoint of a connection's provider, about one account.
struct Conversation<'a> {
    app: &'a App,
    account: &'a EnterpriseAccount,
    connection: &'a EnterpriseConnection,
    provider: std::sync::Arc<ProviderMetadata>,
    client_id: &'a str,
    /// What no message may repeat.
    secrets: Vec<Secret>,
    request: HttpRequest,
}

impl<'a> Conversation<'a> {
    /// Gets together what it takes, or says what is missing.
    async fn prepare(
        app: &'a App,
        grant: &EasieGrant,
        account: &'a EnterpriseAccount,
        connection: &'a EnterpriseConnection,
    ) -> Result<Result<Self, String>, FlowError> {
        let missing = |what: &str| Ok(Err(format!("{what} is missing.")));
        let Some(oidc) = &connection.oidc else { return missing("The OpenID Connect half of the connection") };
        let Some(client_id) = oidc_clients::client_id(&app.config, connection) else {
            return missing("Our application at the provider");
        };
        let Some(sealed) = &grant.encrypted_refresh_token else { return missing("The refresh token") };
        let refresh_token = tokens::open(app, &connection.id, &account.subject, sealed)?;
        let secret = oidc_clients::client_secret(app, connection)?;
        let provider = match oidc_provider::configuration(app, connection, oidc).await {
            Ok(provider) => provider,
            Err(refusal) => return Ok(Err(told(&refusal))),
        };
        let request = OidcClient::choose(client_id, secret.as_ref().map(Secret::expose), &provider)
            .and_then(|client| refresh_request(&provider.token_endpoint, &client, &refresh_token, None));
        let request = match request {
            Ok(request) => request,
            Err(error) => return Ok(Err(format!("{}: {error}", error.code()))),
        };
        let secrets = std::iter::once(refresh_token).chain(secret).collect();
        Ok(Ok(Self { app, account, connection, provider, client_id, secrets, request }))
    }

    /// Uses the refresh token, once. `None` if the claim ends too soon.
    async fn refresh(&self, claimed_until: Millis) -> Option<Result<TokenResponse, (AccountState, String)>> {
        let Self { app, connection, .. } = self;
        let (checks, endpoint) = (&app.account_checks, self.provider.token_endpoint.as_str());
        let Some(_permit) = checks.room_at(endpoint, app.now()).await else {
            let reason = "token_endpoint_unavailable: it did not answer others; it is left alone for the moment";
            return Some(Err((AccountState::Unknown, reason.to_owned())));
        };
        if app.now() + NEEDED > claimed_until {
            return None;
        }
        let named_by = oidc_provider::discovery_url(connection);
        let received = app.outbound.send(&self.request, named_by, LARGEST_ANSWER).await;
        let (outcome, why_unreachable) = match received {
            Ok(received) => (TokenResponse::parse(&received.as_response()), None),
            Err(error) => (Err(TokenError::Unavailable(Unavailability::Unreachable)), Some(error.to_string())),
        };
        let health = match &outcome {
            Err(TokenError::Unavailable(Unavailability::TooManyRequests)) => Health::Crowded,
            Err(TokenError::Unavailable(_)) => Health::Bad,
            _ => Health::Good,
        };
        checks.note(endpoint, health, app.now(), back_off(1, app.config.easie_check_interval));
        let state = AccountState::of(&outcome);
        Some(outcome.map_err(|error| {
            let more = why_unreachable.map(|why| format!(" ({why})")).unwrap_or_default();
            (state, self.without_secrets(format!("{}: {error}{more}", error.code())))
        }))
    }

    fn without_secrets(&self, text: String) -> String {
        let hidden = self.secrets.iter().map(Secret::expose).filter(|secret| !secret.is_empty());
        let text = hidden.fold(text, |text, secret| text.replace(secret, "[…]"));
        text.chars().take(500).collect()
    }

    /// Whether the ID token, if one came along, is about the account.
    async fn same_account(&self, tokens: &TokenResponse) -> SameAccount {
        let Some(id_token) = &tokens.id_token else { return SameAccount::Yes };
        let unclear = |reason: String| SameAccount::Unclear(reason.into());
        let id_token = match self.verified(id_token, &tokens.access_token).await {
            Ok(id_token) => id_token,
            Err(reason) => return unclear(self.without_secrets(reason)),
        };
        let subject = &self.account.subject;
        match self.connection.provider.easie() {
            Some(EasieProvider::Google) => {
                let domains: Vec<&str> = self.connection.domains.iter().map(Domain::as_str).collect();
                is_same_google_account(&id_token, subject, &domains)
            }
            Some(EasieProvider::Microsoft) => is_same_microsoft_account(&id_token, subject),
            None => unclear("the connection is none to an EASIE provider".to_owned()),
        }
    }

    async fn verified(&self, token: &Secret, access_token: &Secret) -> Result<IdToken, String> {
        let Self { app, connection, provider, client_id, .. } = self;
        let expected = Expectations {
            now_ms: app.now(),
            clock_skew_ms: DEFAULT_CLOCK_SKEW_MS,
            oldest_token_ms: DEFAULT_OLDEST_TOKEN_MS,
            issuer: provider.issuer.as_ref().ok_or("the provider has no issuer")?,
            client_id,
            algorithms: &provider.id_token_algorithms,
            nonce: None,
            access_token: Some(access_token.expose()),
            max_age_s: None,
        };
        let keys = oidc_provider::keys(app, connection, provider, Want::Fresh).await.map_err(|error| told(&error))?;
        let mut verified = verify_id_token(token.expose(), &keys.value, &expected);
        if verified.as_ref().is_err_and(IdTokenError::wants_new_keys) {
            let want = Want::NewerThan(keys.fetched_at);
            let newer = oidc_provider::keys(app, connection, provider, want).await.map_err(|error| told(&error))?;
            verified = verify_id_token(token.expose(), &newer.value, &expected);
        }
        verified.map_err(|error| format!("{}: {error}", error.code()))
    }
}

/// A refusal in the words in which a person or an operator would read it.
fn told(refusal: &Refusal) -> String {
    let entry = describe(refusal);
    format!("{}: {}", entry.code, entry.long_message)
}
