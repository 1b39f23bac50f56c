//! Email addresses and domains, checked once at the door.

use serde::{Deserialize, Serialize};

/// A fully qualified domain name: lower-case A-labels, no trailing dot (DECISIONS "Wire" 13).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Domain(String);

/// The text is no fully qualified domain name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a fully qualified domain name")]
pub struct InvalidDomain(pub String);

impl Domain {
    /// Normalizes and checks: at least two labels, letters, digits and inner hyphens, not an IP address.
    pub fn parse(text: &str) -> Result<Self, InvalidDomain> {
        let invalid = || InvalidDomain(text.chars().take(100).collect());
        let trimmed = text.trim();
        let trimmed = trimmed.strip_suffix('.').unwrap_or(trimmed);
        let ascii = idna::domain_to_ascii_strict(trimmed).map_err(|_| invalid())?.to_ascii_lowercase();
        let labels_ok = ascii.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        });
        let top_is_numeric = ascii.rsplit('.').next().is_none_or(|top| top.bytes().all(|b| b.is_ascii_digit()));
        if !labels_ok || top_is_numeric || !ascii.contains('.') || ascii.len() > 253 {
            return Err(invalid());
        }
        Ok(Self(ascii))
    }

    /// A name that was checked when it was stored.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `self` lies below `parent`: `eu.acme.test` is below `acme.test`, `acme.test` and `badacme.test` are not.
    pub fn is_below(&self, parent: &Domain) -> bool {
        self.0.strip_suffix(parent.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
    }

    /// The registrable domain (eTLD+1) this name belongs to, by the public suffix list.
    pub fn registrable(&self) -> Option<Domain> {
        psl::domain_str(&self.0).map(|name| Domain(name.to_owned()))
    }
}

impl std::fmt::Display for Domain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// An email address, lower-cased, its domain normalized as [`Domain`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

/// The text is no email address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an email address")]
pub struct InvalidEmail(pub String);

impl Email {
    /// Normalizes and checks. Quoted local parts and address literals are refused: no IdP sends them, and they make look-alikes.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let invalid = || InvalidEmail(text.chars().take(100).collect());
        let (local, domain) = text.trim().rsplit_once('@').ok_or_else(invalid)?;
        // Beyond ASCII only letters and digits: invisible and direction-changing characters make look-alikes.
        let allowed = |c: char| {
            let is_letter = c.is_alphanumeric() && c != '\u{212a}';
            is_letter || "!#$%&'*+-/=?^_`{|}~.".contains(c)
        };
        let well_formed = (1..=64).contains(&local.len())
            && local.chars().all(|c| allowed(c) && !c.is_whitespace() && !c.is_control())
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..");
        let domain = Domain::parse(domain).map_err(|_| invalid())?;
        if !well_formed {
            return Err(invalid());
        }
        Ok(Self(format!("{}@{domain}", local.to_ascii_lowercase())))
    }

    /// An address that was checked when it was stored.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part after the `@`.
    pub fn domain(&self) -> Domain {
        Domain(self.0.rsplit_once('@').map_or("", |(_, domain)| domain).to_owned())
    }
}

impl std::fmt::Display for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q24_case_idn_and_trailing_dot_name_the_same_domain() {
        for text in ["Acme.Test", "acme.test.", " acme.test "] {
            assert_eq!(Domain::parse(text).unwrap().as_str(), "acme.test");
        }
        assert_eq!(Domain::parse("BÜCHER.example").unwrap().as_str(), "xn--bcher-kva.example");
    }

    #[test]
    fn names_that_are_no_domain_are_refused() {
        for text in [
            "",
            "acme",
            "-acme.test",
            "acme-.test",
            "a..test",
            "127.0.0.1",
            "acme.test/x",
            "a b.test",
            "*.acme.test",
            "a_b.test",
        ] {
            assert!(Domain::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_look_alike_is_not_below_the_domain() {
        let parent = Domain::parse("acme.test").unwrap();
        assert!(Domain::parse("eu.acme.test").unwrap().is_below(&parent));
        assert!(!Domain::parse("badacme.test").unwrap().is_below(&parent));
        assert!(!parent.is_below(&parent));
    }

    #[test]
    fn addresses_are_normalized() {
        let email = Email::parse(" Alice.Smith@ACME.test. ").unwrap();
        assert_eq!(email.as_str(), "alice.smith@acme.test");
        assert_eq!(email.domain().as_str(), "acme.test");
    }

    #[test]
    fn malformed_addresses_are_refused() {
        for text in [
            "",
            "alice",
            "@acme.test",
            "alice@",
            "a b@acme.test",
            "\"a\"@acme.test",
            "a@b@acme.test",
            ".a@acme.test",
            "a..b@acme.test",
            "a@[127.0.0.1]",
            "a\n@acme.test",
            "alice@acme.test\u{0}",
            "ni\u{212a}e@acme.test",
            "al\u{200b}ice@acme.test",
            "al\u{202e}ice@acme.test",
        ] {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
    }
}
