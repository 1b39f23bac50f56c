//! People whose account at an EASIE provider goes away (EAS-4 … EAS-6, Q-11).
//!
//! The grants that sign-ins keep are put into the store here, of people who are signed in through another connection: sessions do
//! not depend on the way by which they began.

mod claims;
mod job;
mod outages;
mod tokens;
mod verdicts;

use super::support::client;
use crate::flows::easie_grants as refresh_tokens;
use crate::testing::{AccountProvider, Answer, Browser, Identity, TestApp, TestIdp};
use axum::http::Method;
use doorward_model::{EasieGrant, EasieGrantState, EnterpriseAccount, EnterpriseAccountId, Millis, UserId};
use doorward_oidc::Secret;
use doorward_store::{StoreError, easie_grants, enterprise_accounts, write_tx};
use serde_json::{Value, json};

const MINUTE: Millis = 60_000;
/// How long a provider's word counts.
const INTERVAL: Millis = 10 * MINUTE;

/// An instance with a connection through which people sign in and one, to an EASIE provider, where they have accounts.
struct World {
    app: TestApp,
    idp: TestIdp,
    provider: AccountProvider,
    connection: String,
}

/// Somebody signed in.
struct Person<'a> {
    browser: Browser<'a>,
    session: String,
    user: UserId,
    account: EnterpriseAccountId,
}

impl World {
    async fn on_each_database() -> Vec<Self> {
        let mut worlds = Vec::new();
        for app in TestApp::on_each_database().await {
            worlds.push(Self::on(app, "oauth_google", json!({})).await);
        }
        worlds
    }

    async fn new() -> Self {
        Self::on(TestApp::new().await, "oauth_google", json!({})).await
    }

    async fn on(app: TestApp, word: &str, oidc: Value) -> Self {
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        let provider = AccountProvider::start(&app).await;
        let connection = provider.connect(&app, word, "easie.test", oidc).await;
        Self { app, idp, provider, connection }
    }

    /// Signs somebody in, who has an account at the provider that was confirmed just now.
    async fn person(&self, name: &str) -> Person<'_> {
        let (browser, session, user) = self.sign_in(name).await;
        let account = EnterpriseAccountId::from(format!("entacc_{name}"));
        self.give(&user, &account, &format!("refresh-of-{name}")).await;
        Person { browser, session, user, account }
    }

    async fn sign_in(&self, name: &str) -> (Browser<'_>, String, UserId) {
        let (browser, email) = (self.app.browser(), format!("{name}@acme.test"));
        self.idp.sign_in(&self.app, &browser, &email, &Identity::new(&email, name, "Müller")).await;
        let session = client(&browser).await["sessions"][0].clone();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (session, user) = (text(&session["id"]), UserId::from(text(&session["user"]["id"])));
        (browser, session, user)
    }

    /// What a sign-in through the provider would have saved.
    async fn give(&self, user: &UserId, account: &EnterpriseAccountId, refresh_token: &str) {
        let now = self.app.now();
        let connection_id = self.connection.as_str().into();
        let account = EnterpriseAccount {
            id: account.clone(),
            user_id: user.clone(),
            enterprise_connection_id: self.connection.as_str().into(),
            subject: format!("subject of {account}"),
            email_address: doorward_model::Email::from_stored(format!("{account}@easie.test")),
            first_name: None,
            last_name: None,
            public_metadata: Default::default(),
            last_authenticated_at: now,
            created_at: now,
            updated_at: now,
        };
        self.provider.accounts().live.insert(refresh_token.to_owned());
        let sealed =
            refresh_tokens::seal(&self.app.app, &connection_id, &account.subject, &Secret::new(refresh_token)).unwrap();
        let grant = EasieGrant {
            account_id: account.id.clone(),
            user_id: user.clone(),
            connection_id,
            client_id: "application".into(),
            encrypted_refresh_token: Some(sealed),
            state: EasieGrantState::Live,
            confirmed_at: now,
            due_at: Some(doorward_rules::deprovision::due_after(now, INTERVAL)),
            claimed_until: 0,
            failures: 0,
            last_error: None,
            created_at: now,
            updated_at: now,
        };
        write_tx!(self.app.app.store, StoreError, |tx| {
            if enterprise_accounts::by_id(tx, &account.id).await?.is_none() {
                enterprise_accounts::insert(tx, &account).await?;
            }
            easie_grants::save(tx, &grant).await
        })
        .unwrap();
    }

    async fn grant(&self, account: &EnterpriseAccountId) -> EasieGrant {
        let tx = &mut self.app.app.store.read().await.unwrap();
        easie_grants::of_account(tx, account).await.unwrap().unwrap()
    }

    /// A session token as the application's server asks for one.
    async fn backend_token(&self, session: &str) -> Answer {
        self.app.backend(Method::POST, &format!("/v1/sessions/{session}/tokens"), Value::Null).await
    }

    /// What the operator sees of the accounts.
    async fn account_checks(&self) -> Value {
        let path = format!("/v1/enterprise_connections/{}/account_checks", self.connection);
        self.app.backend(Method::GET, &path, Value::Null).await.ok()
    }

    async fn change_connection(&self, change: Value) {
        let path = format!("/v1/enterprise_connections/{}", self.connection);
        self.app.backend(Method::PATCH, &path, change).await.ok();
    }

    async fn close(self) {
        self.app.close().await;
    }
}

impl Person<'_> {
    async fn token(&self) -> Answer {
        self.browser.post(&format!("/v1/client/sessions/{}/tokens", self.session), &[]).await
    }

    #[track_caller]
    fn is_minted(answer: &Answer) {
        assert!(answer.ok()["jwt"].is_string(), "{}", answer.text);
    }

    /// How many sessions the browser shows.
    async fn sessions(&self) -> usize {
        client(&self.browser).await["sessions"].as_array().unwrap().len()
    }
}

/// Status and code of an error.
fn error(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}
