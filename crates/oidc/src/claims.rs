//! Claims of verified tokens and of userinfo, and what of them makes a profile.

use std::fmt;

use serde_json::{Map, Value};

use crate::id_token::IdToken;
use crate::userinfo::UserInfo;

const LONGEST_TEXT: usize = 1024;
const MOST_TEXTS: usize = 1024;
const DEEPEST_PATH: usize = 8;

/// Claims by name. They come from a verified ID token or from userinfo, never from anywhere else.
#[derive(Clone, Default, PartialEq)]
pub struct Claims(Map<String, Value>);

impl fmt::Debug for Claims {
    /// Their names: the values are about a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Whether the name of a claim may be a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nesting {
    /// A name is a name, dots and all, as in `https://example.com/groups`.
    #[default]
    Off,
    /// If there is no claim of that name, its parts between dots lead into objects: `realm_access.roles`.
    Dotted,
}

impl Claims {
    pub(crate) fn new(members: Map<String, Value>) -> Self {
        Claims(members)
    }

    /// A claim of the top level, as it came.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A claim by name or path, as it came.
    pub fn find(&self, name: &str, nesting: Nesting) -> Option<&Value> {
        if let Some(value) = self.0.get(name) {
            return Some(value);
        }
        if nesting == Nesting::Off || name.split('.').count() > DEEPEST_PATH {
            return None;
        }
        let mut parts = name.split('.');
        let first = self.0.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.as_object()?.get(part))
    }

    /// A claim as one text: a string without control characters and of at most 1024 bytes, not empty, space at its ends
    /// dropped; an integer or boolean as it is written. `None` for everything else.
    pub fn text(&self, name: &str, nesting: Nesting) -> Option<String> {
        as_text(self.find(name, nesting)?)
    }

    /// A claim as a list of texts: the usable entries of an array, at most 1024, or a single value. For groups and roles.
    pub fn texts(&self, name: &str, nesting: Nesting) -> Vec<String> {
        match self.find(name, nesting) {
            Some(Value::Array(entries)) => entries.iter().filter_map(as_text).take(MOST_TEXTS).collect(),
            Some(value) => as_text(value).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// A claim as a boolean: `true`, `false`, or these as strings, as Apple and others send them.
    pub fn flag(&self, name: &str, nesting: Nesting) -> Option<bool> {
        match self.find(name, nesting)? {
            Value::Bool(value) => Some(*value),
            Value::String(text) if text == "true" => Some(true),
            Value::String(text) if text == "false" => Some(false),
            _ => None,
        }
    }

    /// All claims.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The claims of both; where both have one, the ID token's, which is signed for this sign-in.
    ///
    /// `email_verified` speaks of the `email` beside it. It is taken from where the address comes from; from userinfo only if
    /// the ID token has no address, or the same one and no word about it.
    pub fn merged(id_token: Option<&IdToken>, userinfo: Option<&UserInfo>) -> Self {
        let empty = Claims::default();
        let signed = id_token.map_or(&empty, IdToken::claims);
        let told = userinfo.map_or(&empty, UserInfo::claims);
        let mut members = signed.0.clone();
        for (name, value) in &told.0 {
            if !members.contains_key(name) {
                members.insert(name.clone(), value.clone());
            }
        }
        let source = match (signed.get("email"), told.get("email")) {
            (Some(_), _) if signed.get("email_verified").is_some() => signed,
            (Some(own), Some(other)) if own == other => told,
            (Some(_), _) => signed,
            (None, _) => told,
        };
        match source.get("email_verified") {
            Some(verified) => members.insert("email_verified".to_owned(), verified.clone()),
            None => members.shift_remove("email_verified"),
        };
        Claims(members)
    }
}

fn as_text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Bool(value) => value.to_string(),
        // A number with a fraction has more than one spelling, so it names nobody and nothing.
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        _ => return None,
    };
    let is_usable = !text.is_empty() && text.len() <= LONGEST_TEXT && !text.chars().any(char::is_control);
    is_usable.then_some(text)
}

/// Which claims make the profile.
#[derive(Clone, Copy, Debug)]
pub struct Mapping<'a> {
    /// Usually `sub`.
    pub subject: &'a str,
    /// Usually `email`.
    pub email: &'a str,
    /// Usually `given_name`.
    pub given_name: &'a str,
    /// Usually `family_name`.
    pub family_name: &'a str,
    /// Whether these may be paths.
    pub nesting: Nesting,
}

impl Default for Mapping<'_> {
    /// The standard claims (OpenID Connect Core 5.1).
    fn default() -> Self {
        Mapping {
            subject: "sub",
            email: "email",
            given_name: "given_name",
            family_name: "family_name",
            nesting: Nesting::Off,
        }
    }
}

/// What the provider says about the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailVerified {
    /// `email_verified` is true, and is about this address.
    Yes,
    /// It is false, or is something else than a boolean.
    No,
    /// There is no word about this address: only a setting of the connection can answer.
    NotSaid,
}

/// A person as the provider describes her.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// By the mapping; usable as an identity, or `None`.
    pub subject: Option<String>,
    /// By the mapping.
    pub email: Option<String>,
    /// Whether the provider vouches for that address.
    pub email_verified: EmailVerified,
    /// By the mapping.
    pub given_name: Option<String>,
    /// By the mapping.
    pub family_name: Option<String>,
}

impl Profile {
    /// Reads a profile.
    ///
    /// `email_verified` is about the claim `email` (OpenID Connect Core 5.1). If the address is mapped from another claim, it
    /// counts only if `email` is the same address: else somebody verifies one address and signs in with another.
    pub fn read(claims: &Claims, mapping: &Mapping<'_>) -> Self {
        let text = |name: &str| claims.text(name, mapping.nesting);
        let email = text(mapping.email);
        let is_about_it = match (&email, claims.text("email", Nesting::Off)) {
            (Some(mapped), Some(standard)) => mapped.eq_ignore_ascii_case(&standard),
            _ => false,
        };
        let email_verified = match claims.get("email_verified") {
            Some(_) if is_about_it => match claims.flag("email_verified", Nesting::Off) {
                Some(true) => EmailVerified::Yes,
                _ => EmailVerified::No,
            },
            _ => EmailVerified::NotSaid,
        };
        Profile {
            subject: subject(claims, mapping.subject, mapping.nesting),
            email,
            email_verified,
            given_name: text(mapping.given_name),
            family_name: text(mapping.family_name),
        }
    }
}

/// An identity: a string as it is, or an integer. No boolean, and nothing trimmed, as identities are compared.
pub(crate) fn subject(claims: &Claims, name: &str, nesting: Nesting) -> Option<String> {
    let subject = match claims.find(name, nesting)? {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        _ => return None,
    };
    crate::id_token::is_subject(&subject).then_some(subject)
}
