//! Whether an ID token that came with a refresh is about the account that was asked after.

use serde_json::Value;

use super::contains_domain;
use super::microsoft::guid;
use crate::id_token::IdToken;
use crate::json;
use crate::shown::Shown;

/// Whose account the token is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SameAccount {
    /// The one that was asked after, in an organization that is the connection's.
    Yes,
    /// Another one, or one that left the connection's organization. The message says what was expected and what came.
    No(Shown),
    /// The token does not say enough.
    Unclear(Shown),
}

/// For an account at a connection to Google with these domains (lower-case A-labels). `subject` is what
/// [`google::check`](super::google::check) answered when the person signed in.
///
/// An account that has no `hd` any more, or another, has left the organization: a person may take a former address along into a
/// consumer account.
pub fn is_same_google_account(id_token: &IdToken, subject: &str, domains: &[&str]) -> SameAccount {
    if id_token.subject() != subject {
        return other("sub", subject, id_token.subject());
    }
    match id_token.claims().get("hd") {
        Some(Value::String(hosted_domain)) if contains_domain(domains, hosted_domain) => SameAccount::Yes,
        hosted_domain => other("hd", &format!("one of {}", domains.join(", ")), &told(hosted_domain)),
    }
}

/// For an account at a connection to Microsoft. `subject` is what [`microsoft::check`](super::microsoft::check) answered when the
/// person signed in, with the tenant in it.
pub fn is_same_microsoft_account(id_token: &IdToken, subject: &str) -> SameAccount {
    let unclear = |why: &str| SameAccount::Unclear(Shown::from(why));
    let Some(tenant) = id_token.tenant().and_then(guid) else {
        return unclear("the token was not verified against a tenant template");
    };
    let object_id = id_token.claims().get("oid").and_then(Value::as_str).unwrap_or_default();
    let Some(object_id) = guid(object_id) else { return unclear("oid is missing or not a GUID") };
    let got = format!("{object_id}.{tenant}");
    if got == subject { SameAccount::Yes } else { other("oid and tid", subject, &got) }
}

fn told(claim: Option<&Value>) -> String {
    claim.map_or("nothing", |claim| claim.as_str().unwrap_or(json::kind(claim))).to_owned()
}

fn other(what: &str, expected: &str, got: &str) -> SameAccount {
    SameAccount::No(Shown::from(format!("{what}: expected {expected}, got {got}")))
}
