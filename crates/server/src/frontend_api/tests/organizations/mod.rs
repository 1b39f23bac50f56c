//! Organizations in the hands of their members (ORG-9, ORG-15, ORG-16, ORG-21, MEM-9…MEM-11, ROL-13, ROL-20).

mod making;
mod managing;
mod permissions;
mod together;

use super::support::claims;
use crate::testing::{Answer, Browser, Identity, TestApp, TestIdp};
use axum::http::Method;
use serde_json::{Value, json};

/// An instance whose people sign in through a connection that belongs to no organization.
pub struct Town<'a> {
    app: &'a TestApp,
    idp: TestIdp,
}

impl<'a> Town<'a> {
    pub async fn found(app: &'a TestApp) -> Self {
        Self { app, idp: TestIdp::connect(app, "people.test", None, 0).await }
    }

    /// A person who has just signed in and is a member of nothing.
    pub async fn arrive(&self, name: &str) -> Person<'a> {
        Person::sign_in(self.app, &self.idp, &format!("{name}@people.test"), name).await
    }

    /// The operator makes an organization without members.
    pub async fn organization(&self, name: &str) -> String {
        super::support::organization(self.app, json!({"name": name, "slug": name})).await
    }

    /// The operator makes a person a member.
    pub async fn join(&self, organization: &str, person: &Person<'_>, role: &str) {
        let body = json!({"user_id": person.user, "role": role});
        self.app.backend(Method::POST, &format!("/v1/organizations/{organization}/memberships"), body).await.ok();
        self.app.advance(1);
    }

    /// A person who is a member with a role.
    pub async fn member(&self, organization: &str, name: &str, role: &str) -> Person<'a> {
        let person = self.arrive(name).await;
        self.join(organization, &person, role).await;
        person
    }
}

/// A signed-in browser.
pub struct Person<'a> {
    pub browser: Browser<'a>,
    pub user: String,
    pub session: String,
}

impl<'a> Person<'a> {
    pub async fn sign_in(app: &'a TestApp, idp: &TestIdp, email: &str, name: &str) -> Self {
        let browser = app.browser();
        idp.sign_in(app, &browser, email, &Identity::new(email, name, "Tester")).await;
        let session = super::support::client(&browser).await["sessions"][0].clone();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (user, session) = (text(&session["user"]["id"]), text(&session["id"]));
        Self { browser, user, session }
    }

    pub async fn does(&self, operation: &Operation) -> Answer {
        operation.by(&self.browser).await
    }

    /// The organization part of the next session token.
    pub async fn token(&self) -> Value {
        let path = format!("/v1/client/sessions/{}/tokens", self.session);
        let answer = self.browser.post(&path, &[]).await.ok();
        claims(answer["jwt"].as_str().unwrap())["o"].clone()
    }

    /// Makes an organization of one's own the active one.
    pub async fn activate(&self, organization: &str) {
        let path = format!("/v1/client/sessions/{}/touch", self.session);
        self.browser.post(&path, &[("active_organization_id", organization)]).await.ok();
    }
}

/// A request as a page of the application makes it.
#[derive(Clone, Debug)]
pub struct Operation {
    pub method: Method,
    pub path: String,
    pub form: Vec<(&'static str, String)>,
}

impl Operation {
    pub fn new(method: Method, path: impl Into<String>, form: &[(&'static str, &str)]) -> Self {
        let form = form.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { method, path: path.into(), form }
    }

    pub async fn by(&self, browser: &Browser<'_>) -> Answer {
        if self.method == Method::GET {
            return browser.get(&self.path).await;
        }
        let form: Vec<(&str, &str)> = self.form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mark = if self.path.contains('?') { '&' } else { '?' };
        browser.post(&format!("{}{mark}_method={}", self.path, self.method), &form).await
    }

    /// The same in the name of a session.
    pub fn of_session(&self, session: &str) -> Self {
        Self { path: format!("{}?_clerk_session_id={session}", self.path), ..self.clone() }
    }
}

pub fn rename(organization: &str, name: &str) -> Operation {
    Operation::new(Method::PATCH, format!("/v1/organizations/{organization}"), &[("name", name)])
}

pub fn delete(organization: &str) -> Operation {
    Operation::new(Method::DELETE, format!("/v1/organizations/{organization}"), &[])
}

pub fn give_role(organization: &str, user: &str, role: &str) -> Operation {
    Operation::new(Method::PATCH, format!("/v1/organizations/{organization}/memberships/{user}"), &[("role", role)])
}

pub fn remove(organization: &str, user: &str) -> Operation {
    Operation::new(Method::DELETE, format!("/v1/organizations/{organization}/memberships/{user}"), &[])
}

pub fn add(organization: &str, user: &str, role: &str) -> Operation {
    let path = format!("/v1/organizations/{organization}/memberships");
    Operation::new(Method::POST, path, &[("user_id", user), ("role", role)])
}

pub fn read(organization: &str, rest: &str) -> Operation {
    Operation::new(Method::GET, format!("/v1/organizations/{organization}{rest}"), &[])
}

pub fn create(form: &[(&'static str, &str)]) -> Operation {
    Operation::new(Method::POST, "/v1/organizations", form)
}

/// Every operation on an organization that is there; those on a member are on `user`, and `newcomer` would be added.
pub fn on_organization(organization: &str, user: &str, newcomer: &str) -> Vec<(Operation, Option<&'static str>)> {
    const READ: Option<&str> = Some("org:sys_memberships:read");
    const MANAGE: Option<&str> = Some("org:sys_memberships:manage");
    vec![
        (read(organization, ""), None),
        (read(organization, "/memberships"), READ),
        (read(organization, "/roles"), READ),
        (rename(organization, "Renamed"), Some("org:sys_profile:manage")),
        (delete(organization), Some("org:sys_profile:delete")),
        (add(organization, newcomer, "org:member"), MANAGE),
        (give_role(organization, user, "org:admin"), MANAGE),
        (remove(organization, user), MANAGE),
    ]
}

pub fn not_found() -> (u16, String) {
    (404, "organization_not_found_or_unauthorized".to_owned())
}

pub fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}
