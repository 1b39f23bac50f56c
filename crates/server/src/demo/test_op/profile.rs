//! What sets the providers apart.

use crate::demo::companies::{Company, Kind, Person};
use crate::random::sha256_hex;
use serde_json::{Value, json};

/// How somebody gets a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offline {
    /// By a scope (OpenID Connect Core 11).
    Scope,
    /// By `access_type=offline`, Google's own parameter.
    AccessType,
}

/// A kind of provider.
pub struct Profile {
    /// Where its endpoints are.
    pub path: &'static str,
    /// The issuer below the listener's address, with a placeholder where there is one for each tenant.
    pub issuer_path: &'static str,
    pub subject_type: &'static str,
    pub scopes: &'static [&'static str],
    pub claims_supported: &'static [&'static str],
    pub offline: Offline,
    /// Whether a refresh token is given at somebody's first consent alone, until the client asks for consent again.
    pub is_offline_once: bool,
    /// Whether a refresh gives another refresh token.
    pub renews_refresh_tokens: bool,
    /// Whether a person's claims stand in the ID token, or in userinfo alone.
    pub has_claims_in_id_token: bool,
    /// Whether the document says that PKCE is supported, which it is in any case.
    pub names_pkce: bool,
    /// Whether the authorization response says whose it is (RFC 9207).
    pub sends_iss: bool,
    /// Whether errors carry Microsoft's numbers.
    pub has_error_codes: bool,
    /// Whose claims these are, all scopes granted.
    pub claims: fn(&Company, &Person) -> Value,
}

impl Profile {
    /// The provider of a company; `None` where it speaks SAML.
    pub fn of(company: &Company) -> Option<&'static Self> {
        match company.kind {
            Kind::Saml => None,
            Kind::Oidc => Some(&GENERIC),
            Kind::Google => Some(&GOOGLE),
            Kind::Entra => Some(&ENTRA),
        }
    }
}

static GENERIC: Profile = Profile {
    path: "/openid",
    issuer_path: "/openid",
    subject_type: "public",
    scopes: &["openid", "profile", "email", "offline_access"],
    claims_supported: &["sub", "name", "given_name", "family_name", "preferred_username", "email", "email_verified"],
    offline: Offline::Scope,
    is_offline_once: false,
    renews_refresh_tokens: false,
    has_claims_in_id_token: false,
    names_pkce: true,
    sends_iss: true,
    has_error_codes: false,
    claims: generic_claims,
};

static GOOGLE: Profile = Profile {
    path: "/google",
    issuer_path: "/google",
    subject_type: "public",
    scopes: &["openid", "profile", "email"],
    claims_supported: &["sub", "hd", "name", "given_name", "family_name", "email", "email_verified"],
    offline: Offline::AccessType,
    is_offline_once: true,
    renews_refresh_tokens: false,
    has_claims_in_id_token: true,
    names_pkce: true,
    sends_iss: false,
    has_error_codes: false,
    claims: google_claims,
};

static ENTRA: Profile = Profile {
    path: "/organizations/v2.0",
    issuer_path: "/{tenantid}/v2.0",
    subject_type: "pairwise",
    scopes: &["openid", "profile", "email", "offline_access"],
    claims_supported: &["sub", "tid", "oid", "name", "preferred_username", "email", "xms_edov"],
    offline: Offline::Scope,
    is_offline_once: false,
    renews_refresh_tokens: true,
    has_claims_in_id_token: true,
    names_pkce: false,
    sends_iss: false,
    has_error_codes: true,
    claims: entra_claims,
};

/// The claims that a scope is for; `openid` alone is for the others.
fn scope_of(claim: &str) -> &'static str {
    match claim {
        "email" | "email_verified" => "email",
        // Entra ID gives no `oid` without the scope profile.
        "name" | "given_name" | "family_name" | "preferred_username" | "oid" => "profile",
        _ => "openid",
    }
}

/// What the granted scopes tell about somebody.
pub fn claims(profile: &Profile, company: &Company, person: &Person, scopes: &str) -> Value {
    let mut claims = (profile.claims)(company, person);
    if let Value::Object(members) = &mut claims {
        members.retain(|name, _| scopes.split(' ').any(|scope| scope == scope_of(name)));
    }
    claims
}

/// The tenant of somebody's account: the company's own, or for an outsider one that has nothing to do with it.
pub fn tenant(company: &Company, person: &Person) -> String {
    match company.outsider_note(person) {
        None => guid(&format!("tenant of {}", company.slug)),
        Some(_) => guid(&format!("tenant of {}", person.login)),
    }
}

/// A GUID that is the same in every run.
fn guid(text: &str) -> String {
    let hash = sha256_hex(text);
    format!("{}-{}-4{}-8{}-{}", &hash[..8], &hash[8..12], &hash[13..16], &hash[17..20], &hash[20..32])
}

fn named(company: &Company, person: &Person) -> Value {
    json!({
        "name": person.name(),
        "given_name": person.first_name,
        "family_name": person.last_name,
        "email": person.email(company),
    })
}

fn generic_claims(company: &Company, person: &Person) -> Value {
    let mut claims = named(company, person);
    claims["sub"] = json!(sha256_hex(&person.email(company))[..20]);
    claims["preferred_username"] = json!(person.login);
    claims["email_verified"] = json!(true);
    claims
}

/// `hd` stands in the tokens of an organization's accounts only. An outsider's is a private one.
fn google_claims(company: &Company, person: &Person) -> Value {
    let mut claims = named(company, person);
    let hash = sha256_hex(&person.email(company));
    let number = u64::from_str_radix(&hash[..16], 16).unwrap_or_default();
    claims["sub"] = json!(format!("1{number:020}"));
    claims["email_verified"] = json!(true);
    if company.outsider_note(person).is_none() {
        claims["hd"] = json!(company.domain);
    }
    claims
}

/// Whatever the administrator of another tenant writes into an address, `xms_edov` tells that the domain is not its own.
fn entra_claims(company: &Company, person: &Person) -> Value {
    let mut claims = named(company, person);
    let email = person.email(company);
    claims["sub"] = json!(sha256_hex(&format!("{email} at {}", super::CLIENT_ID)));
    claims["oid"] = json!(guid(&format!("object of {email}")));
    claims["tid"] = json!(tenant(company, person));
    claims["ver"] = json!("2.0");
    claims["preferred_username"] = json!(email);
    claims["xms_edov"] = json!(company.outsider_note(person).is_none());
    claims
}
