//! Which rule decided what, in a word for programs and a sentence for people. The decisions are those of the rules that sign
//! people in; nothing is decided here.

use crate::account_linking::{Blocked, Linking};
use crate::join::Join;
use crate::sign_in_route::{Route, Serving};

/// One decision on the way to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The rule's id in the behaviour catalogue.
    pub rule: &'static str,
    pub decision: &'static str,
    pub reason: &'static str,
}

const fn step(rule: &'static str, decision: &'static str, reason: &'static str) -> Step {
    Step { rule, decision, reason }
}

/// How the address's domain is routed.
pub fn of_route(route: &Route<'_>) -> Step {
    match route {
        Route::NoConnection => step(
            "DEC-3",
            "not_enforced",
            "No active connection serves the domain: single sign-on is not enforced for it.",
        ),
        Route::One(_) => step(
            "DEC-2",
            "enforced",
            "One active connection serves the domain: its identity provider is the only way in.",
        ),
        Route::Several(_) => {
            step("DEC-5", "enforced", "Several active connections serve the domain: the person chooses one of them.")
        }
    }
}

/// Whether one connection takes part.
pub fn of_serving(serving: Serving) -> Step {
    match serving {
        Serving::Serves => step("DEC-1", "serves", "The connection is active and lists the domain."),
        Serving::NotListed => step("DEC-1", "not_listed", "The connection does not list the domain."),
        Serving::SubdomainsNotServed => step(
            "CON-16",
            "subdomains_not_served",
            "The connection lists a domain above, and does not serve subdomains of it.",
        ),
        Serving::Inactive => step("CON-36", "inactive", "The connection is not active."),
        Serving::NotAuthenticatable => step("CON-14", "not_authenticatable", "The connection is not for signing in."),
    }
}

/// Whose sign-in it would be.
pub fn of_linking(linking: &Linking) -> Step {
    match linking {
        Linking::Known(_) => {
            step("LNK-6", "known", "The person has an account at this identity provider and signs in to its user.")
        }
        Linking::Attach { .. } => step(
            "LNK-2",
            "link",
            "A user owns the verified address: an account at this identity provider is linked to that user.",
        ),
        Linking::Create => step("LNK-5", "create", "Nobody owns the address: a user is created."),
        Linking::JitDisabled => {
            step("MEM-3", "refused", "Nobody owns the address, and the connection creates no users.")
        }
        Linking::AccountOfFormerDomain => step(
            "LNK-6",
            "refused",
            "The person's account was made for an address that the connection no longer serves.",
        ),
        Linking::Blocked(Blocked::Banned) => step("ERR", "refused", "The user is banned."),
        Linking::Blocked(Blocked::Locked) => step("ERR", "refused", "The user is locked."),
        Linking::Blocked(Blocked::Deprovisioned) => step("DIR-6", "refused", "A directory has switched the user off."),
    }
}

/// What the sign-in would do to memberships.
pub fn of_join(join: &Join) -> Step {
    match join {
        Join::NoOrganization => step("CON-31", "none", "The connection is linked to no organization."),
        Join::Keep => step("Q-7", "keep", "The person is a member already, and the role stays."),
        Join::Add(_) => step("MEM-1", "add", "The person becomes a member with the organization's default role."),
        Join::Full { .. } => step("ORG-12", "refused", "The organization has no seat left."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign_in_route::tests::connection;

    #[test]
    fn every_decision_has_its_own_word_and_reason() {
        let connections = [connection("a", &["acme.test"]), connection("b", &["acme.test"])];
        let linking = [
            Linking::Known("user_1".into()),
            Linking::Attach { user_id: "user_1".into(), email_address_id: "idn_1".into() },
            Linking::Create,
            Linking::JitDisabled,
            Linking::AccountOfFormerDomain,
            Linking::Blocked(Blocked::Banned),
            Linking::Blocked(Blocked::Locked),
            Linking::Blocked(Blocked::Deprovisioned),
        ];
        let joins =
            [Join::NoOrganization, Join::Keep, Join::Add("role_1".into()), Join::Full { max_allowed_memberships: 1 }];
        let serving = [
            Serving::Serves,
            Serving::NotListed,
            Serving::SubdomainsNotServed,
            Serving::Inactive,
            Serving::NotAuthenticatable,
        ];
        let routes = [Route::NoConnection, Route::One(&connections[0]), Route::Several(connections.iter().collect())];
        let families: [Vec<Step>; 4] = [
            routes.iter().map(of_route).collect(),
            serving.into_iter().map(of_serving).collect(),
            linking.iter().map(of_linking).collect(),
            joins.iter().map(of_join).collect(),
        ];
        for steps in families {
            let mut reasons: Vec<&str> = steps.iter().map(|step| step.reason).collect();
            reasons.sort_unstable();
            reasons.dedup();
            assert_eq!(reasons.len(), steps.len(), "{steps:?}");
        }
        let refused = |linking: &Linking| of_linking(linking).decision == "refused";
        assert_eq!(
            linking.iter().map(refused).collect::<Vec<_>>(),
            [false, false, false, true, true, true, true, true]
        );
        assert_eq!(of_route(&Route::NoConnection).decision, "not_enforced");
    }
}
