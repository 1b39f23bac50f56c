//! May a user make or delete an organization without the operator, and what is a new one called (ORG-9, ORG-10, ORG-15, ORG-25)?

use crate::connection_change::is_common;
use crate::organization::check_name;
use doorward_model::{Email, Organization, User};

/// How many organizations a user may make who has no limit of their own (ORG-10).
pub const DEFAULT_CREATION_LIMIT: i64 = 100;

/// How many organizations a user may make; `0` is no limit.
pub fn creation_limit(user: &User) -> i64 {
    user.create_organizations_limit.unwrap_or(DEFAULT_CREATION_LIMIT)
}

/// Why a user may not make another organization.
#[derive(Debug, PartialEq, Eq)]
pub enum CreationRefusal {
    NotEnabled,
    LimitReached { limit: i64 },
}

/// Decides. `made` is how many organizations are there that the user made.
pub fn may_create(user: &User, made: i64) -> Result<(), CreationRefusal> {
    if !user.create_organization_enabled {
        return Err(CreationRefusal::NotEnabled);
    }
    match creation_limit(user) {
        0 => Ok(()),
        limit if made < limit => Ok(()),
        limit => Err(CreationRefusal::LimitReached { limit }),
    }
}

/// Whether members may delete their organization at all, given the permission; the operator always may (ORG-15).
pub fn members_may_delete(organization: &Organization) -> bool {
    organization.admin_delete_enabled
}

/// A name to begin with: that of the user's company, else one made from the user's own name, else one that fits everybody.
pub fn suggested_name(email: Option<&Email>, user: &User) -> String {
    let own_name = [&user.first_name, &user.last_name].into_iter().flatten().find(|name| !name.trim().is_empty());
    email
        .and_then(company)
        .or_else(|| own_name.map(|name| format!("{}'s organization", name.trim())))
        // People's names come from elsewhere and may hold what a name here may not.
        .filter(|name| check_name(name).is_ok())
        .unwrap_or_else(|| "My organization".into())
}

/// The first label of the domain that was registered, in capitals where words begin; none of a public mail provider.
fn company(email: &Email) -> Option<String> {
    let domain = email.domain().registrable()?;
    let label = domain.as_str().split('.').next()?;
    if is_common(&domain) || label.starts_with("xn--") {
        return None;
    }
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    let words: Vec<String> = label.split('-').filter(|word| !word.is_empty()).map(capital).collect();
    Some(words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::join::tests::organization;

    fn user(limit: Option<i64>) -> User {
        User { create_organizations_limit: limit, ..User::new("user_1".into(), 0) }
    }

    #[test]
    fn org9_a_user_without_the_permission_makes_none() {
        let barred = User { create_organization_enabled: false, ..user(Some(0)) };
        assert_eq!(may_create(&barred, 0), Err(CreationRefusal::NotEnabled));
    }

    #[test]
    fn org10_the_limit_is_a_hundred_or_the_users_own_and_zero_is_none() {
        assert_eq!(may_create(&user(None), 99), Ok(()));
        assert_eq!(may_create(&user(None), 100), Err(CreationRefusal::LimitReached { limit: 100 }));
        assert_eq!(may_create(&user(Some(2)), 1), Ok(()));
        assert_eq!(may_create(&user(Some(2)), 2), Err(CreationRefusal::LimitReached { limit: 2 }));
        assert_eq!(may_create(&user(Some(2)), 7), Err(CreationRefusal::LimitReached { limit: 2 }));
        assert_eq!(may_create(&user(Some(0)), 1_000_000), Ok(()));
    }

    #[test]
    fn org15_the_organizations_own_switch_decides() {
        for on in [true, false] {
            let organization = Organization { admin_delete_enabled: on, ..organization(0, 0) };
            assert_eq!(members_may_delete(&organization), on);
        }
    }

    #[test]
    fn org25_a_name_comes_from_the_company_then_the_person_then_nowhere() {
        let named = |first: Option<&str>, last: Option<&str>| User {
            first_name: first.map(str::to_owned),
            last_name: last.map(str::to_owned),
            ..user(None)
        };
        let ada = named(Some(" Ada "), Some("Lovelace"));
        let cases = [
            (Some("ada@acme.test"), &ada, "Acme"),
            (Some("ada@mail.acme-corp.co.uk"), &ada, "Acme Corp"),
            (Some("ada@7up.test"), &ada, "7up"),
            (Some("ada@gmail.com"), &ada, "Ada's organization"),
            (Some("ada@xn--bcher-kva.test"), &ada, "Ada's organization"),
            (None, &ada, "Ada's organization"),
            (None, &named(Some(" "), Some("Lovelace")), "Lovelace's organization"),
            (None, &named(Some("<b>"), None), "My organization"),
            (None, &named(Some(&"x".repeat(300)), None), "My organization"),
            (None, &named(None, None), "My organization"),
        ];
        for (email, user, expected) in cases {
            let email = email.map(|text| Email::parse(text).unwrap());
            assert_eq!(suggested_name(email.as_ref(), user), expected, "{email:?}");
        }
    }
}
