//! The way in through an OpenID Connect provider (OID, DECISIONS "Wire" 3–6).

mod callbacks;
mod hostile_tokens;
mod meanwhile;
mod outages;
mod profiles;
mod requests;
mod sign_in;

use super::support::{client, footprint};
use crate::testing::{Browser, Person, TestApp, TestOp, begin_sign_in, callback_url};
use serde_json::Value;

fn alice() -> Person {
    Person::new("alice@acme.test", "Alice", "Müller")
}

/// A sign-in whose browser is at the provider.
pub(super) struct Trip<'a> {
    pub(super) browser: Browser<'a>,
    pub(super) redirect: String,
}

impl<'a> Trip<'a> {
    pub(super) async fn begin(app: &'a TestApp, email: &str) -> Self {
        let browser = app.browser();
        let redirect = begin_sign_in(&browser, email).await;
        Self { browser, redirect }
    }

    /// The person signs in and comes back.
    pub(super) async fn answer(&self, app: &TestApp, op: &TestOp, person: &Person) -> Result<Value, (String, String)> {
        self.come_back(&op.authorize(app, &self.redirect, person)).await
    }

    /// Comes back with these parameters; the session, or code and reason of the refusal that the sign-in keeps.
    pub(super) async fn come_back<K: AsRef<str>, V: AsRef<str>>(
        &self,
        with: &[(K, V)],
    ) -> Result<Value, (String, String)> {
        let location = self.browser.visit(&callback_url(with)).await.location().to_owned();
        let client = client(&self.browser).await;
        if let Some(session) = client["sessions"].as_array().unwrap().first() {
            assert_eq!(location, "https://app.example.com/done");
            return Ok(session.clone());
        }
        assert_eq!(location, "https://app.example.com/sso-callback");
        let verification = &client["sign_in"]["first_factor_verification"];
        assert_eq!(verification["status"], "failed");
        let text = |name: &str| verification["error"][name].as_str().unwrap_or_else(|| panic!("{client}")).to_owned();
        Err((text("code"), text("long_message")))
    }
}

/// A sign-in of Alice that has to fail, with this code and these words, and to leave nothing behind.
pub(super) async fn refused(app: &TestApp, op: &TestOp, person: &Person, code: &str, words: &str) {
    let before = footprint(app).await;
    let trip = Trip::begin(app, "alice@acme.test").await;
    let error = trip.answer(app, op, person).await.expect_err(words);
    assert!(error.0 == code && error.1.contains(words), "expected {code}: {words}, got {error:?}");
    assert_eq!(footprint(app).await, before, "{words}");
}
