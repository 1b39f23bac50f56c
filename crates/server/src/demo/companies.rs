//! The companies of the demo and the people who work there.

/// How the people of a company sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Saml,
    Oidc,
    /// EASIE, at a provider that behaves like Google's.
    Google,
    /// EASIE, at a provider that behaves like Microsoft's.
    Entra,
}

impl Kind {
    /// In a word or two.
    pub fn title(self) -> &'static str {
        match self {
            Self::Saml => "SAML",
            Self::Oidc => "OpenID Connect",
            Self::Google => "EASIE (Google)",
            Self::Entra => "EASIE (Microsoft)",
        }
    }

    /// What its provider is, in words.
    pub fn provider(self) -> &'static str {
        match self {
            Self::Saml => "an identity provider that speaks SAML 2.0",
            Self::Oidc => "an OpenID Connect provider",
            Self::Google => "a provider that behaves like Google Workspace",
            Self::Entra => "a provider that behaves like Microsoft Entra ID",
        }
    }

    /// Whether the server keeps asking if its people are still there.
    pub fn is_watched(self) -> bool {
        matches!(self, Self::Google | Self::Entra)
    }
}

/// A company of the demo: an organization and the people at its identity provider.
pub struct Company {
    pub name: &'static str,
    /// In URLs; the organization's slug.
    pub slug: &'static str,
    pub domain: &'static str,
    pub kind: Kind,
    /// The role set, where it is not the instance's initial one.
    pub role_set: Option<&'static str>,
    /// What newcomers become, for people who read about it.
    pub newcomer: &'static str,
    /// The demo suggests the first.
    pub people: &'static [Person],
    /// Somebody with an address of the company who is none of its people, and who that is. Must be kept out.
    pub outsider: Option<(Person, &'static str)>,
}

/// Somebody who works there.
#[derive(Debug)]
pub struct Person {
    pub login: &'static str,
    pub first_name: &'static str,
    pub last_name: &'static str,
}

impl Company {
    /// Everybody the identity provider knows.
    pub fn accounts(&self) -> impl Iterator<Item = &Person> {
        self.people.iter().chain(self.outsider.iter().map(|(person, _)| person))
    }

    /// The person with this login.
    pub fn account(&self, login: &str) -> Option<&Person> {
        self.accounts().find(|person| person.login == login)
    }

    /// Who somebody is that does not belong to the company.
    pub fn outsider_note(&self, person: &Person) -> Option<&'static str> {
        self.outsider.as_ref().filter(|(outsider, _)| outsider.login == person.login).map(|(_, note)| *note)
    }
}

impl Person {
    pub fn name(&self) -> String {
        full_name(self.first_name, self.last_name)
    }

    /// The address of somebody at this company.
    pub fn email(&self, company: &Company) -> String {
        format!("{}@{}", self.login, company.domain)
    }
}

/// First name and last name in the order of their script: Chinese, Japanese and Korean names begin with the family.
pub fn full_name(first: &str, last: &str) -> String {
    let begins_with_family = last.chars().next().is_some_and(|letter| letter >= '\u{2e80}');
    let (one, two) = if begins_with_family { (last, first) } else { (first, last) };
    format!("{one} {two}").trim().to_owned()
}

const fn person(login: &'static str, first_name: &'static str, last_name: &'static str) -> Person {
    Person { login, first_name, last_name }
}

/// The role set whose newcomers are admins.
pub const ADMINS: &str = "role_set:admins";

const ACME: Company = Company {
    name: "Acme",
    slug: "acme",
    domain: "acme.test",
    kind: Kind::Saml,
    role_set: None,
    newcomer: "member",
    people: &[person("alice", "Alice", "Müller"), person("carol", "Carol", "O'Brien"), person("chen", "大文", "陳")],
    outsider: None,
};

pub static COMPANIES: [Company; 5] = [
    ACME,
    Company {
        name: "Globex",
        slug: "globex",
        domain: "globex.test",
        role_set: Some(ADMINS),
        newcomer: "admin",
        people: &[person("bob", "Bob", "Nováček"), person("dana", "Dana", "Levi")],
        ..ACME
    },
    Company {
        name: "Initech",
        slug: "initech",
        domain: "initech.test",
        kind: Kind::Oidc,
        people: &[person("erin", "Erin", "Walsh"), person("farid", "Farid", "Rahimi")],
        ..ACME
    },
    Company {
        name: "Meadow",
        slug: "meadow",
        domain: "meadow.test",
        kind: Kind::Google,
        people: &[person("grace", "Grace", "Okafor"), person("hugo", "Hugo", "Lindström")],
        outsider: Some((person("sam", "Sam", "Reed"), "a private account, made with a work address")),
        ..ACME
    },
    Company {
        name: "Harbour",
        slug: "harbour",
        domain: "harbour.test",
        kind: Kind::Entra,
        people: &[person("iris", "Iris", "Tanaka"), person("jonas", "Jonas", "Weber")],
        outsider: Some((person("mallory", "Mallory", "Moore"), "another tenant's account, given a foreign address")),
        ..ACME
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_in_the_order_of_their_script() {
        assert_eq!(full_name("Alice", "Müller"), "Alice Müller");
        assert_eq!(full_name("大文", "陳"), "陳 大文");
        assert_eq!(full_name("", "Cher"), "Cher");
        assert_eq!(full_name("", ""), "");
    }

    #[test]
    fn every_address_is_one_persons() {
        let addresses = COMPANIES.iter().flat_map(|company| company.accounts().map(|person| person.email(company)));
        let addresses: Vec<String> = addresses.collect();
        let distinct: std::collections::BTreeSet<&String> = addresses.iter().collect();
        assert_eq!(distinct.len(), addresses.len());
    }
}
