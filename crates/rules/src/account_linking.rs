//! Whose sign-in a verified profile is: a known account, an existing user, a new user, or nobody's (LNK, DEC tree).

use doorward_model::{EmailAddress, EmailAddressId, EnterpriseAccount, User, UserId};

/// What is known about the person before deciding.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The account with this (connection, subject) and its user.
    pub account: Option<(&'a EnterpriseAccount, &'a User)>,
    /// The verified address equal to the profile's, and its user.
    pub owner: Option<(&'a EmailAddress, &'a User)>,
    /// Whether the connection serves the address the account had at its latest sign-in.
    pub account_is_covered: bool,
    /// The connection's `disable_jit_provisioning`.
    pub jit_disabled: bool,
}

/// Whose sign-in it is.
#[derive(Debug, PartialEq, Eq)]
pub enum Linking {
    /// The account is known; its user signs in whatever the address now is (LNK-6).
    Known(UserId),
    /// A user owns the verified address; the account is attached to it (LNK-2).
    Attach { user_id: UserId, email_address_id: EmailAddressId },
    /// Nobody has the account or the address; a user is made (LNK-5). An unverified address of somebody else counts as
    /// nobody's (LNK-4): holding an address proves nothing.
    Create,
    /// Nobody has it and the connection makes no users (MEM-3, Q-18).
    JitDisabled,
    /// The account was made for an address that the connection no longer serves: it now speaks for other people, and the
    /// subjects of its former IdP must not become theirs.
    AccountOfFormerDomain,
    /// The user may not sign in.
    Blocked(Blocked),
}

/// Why a user may not sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocked {
    Banned,
    Locked,
    Deprovisioned,
}

/// Whether a user may sign in at all.
pub fn blocked(user: &User) -> Option<Blocked> {
    match user {
        User { banned: true, .. } => Some(Blocked::Banned),
        User { deprovisioned: true, .. } => Some(Blocked::Deprovisioned),
        User { locked: true, .. } => Some(Blocked::Locked),
        _ => None,
    }
}

/// Decides. The account comes before the address: identity keys on (connection, subject) (DECISIONS "Wire" 6).
pub fn link(facts: Facts<'_>) -> Linking {
    if let Some((_, user)) = facts.account {
        return match blocked(user) {
            _ if !facts.account_is_covered => Linking::AccountOfFormerDomain,
            Some(reason) => Linking::Blocked(reason),
            None => Linking::Known(user.id.clone()),
        };
    }
    if let Some((address, user)) = facts.owner {
        return match blocked(user) {
            Some(reason) => Linking::Blocked(reason),
            None => Linking::Attach { user_id: user.id.clone(), email_address_id: address.id.clone() },
        };
    }
    if facts.jit_disabled { Linking::JitDisabled } else { Linking::Create }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use doorward_model::{Email, EmailVerification, JsonMap};

    pub(crate) fn user(id: &str) -> User {
        User::new(id.into(), 1)
    }

    fn account(user: &User) -> EnterpriseAccount {
        EnterpriseAccount {
            id: "entacc_1".into(),
            user_id: user.id.clone(),
            enterprise_connection_id: "entconn_1".into(),
            subject: "s".into(),
            email_address: Email::parse("old@acme.test").unwrap(),
            first_name: None,
            last_name: None,
            public_metadata: JsonMap::new(),
            last_authenticated_at: 1,
            created_at: 1,
            updated_at: 1,
        }
    }

    fn address(user: &User) -> EmailAddress {
        EmailAddress {
            id: "idn_1".into(),
            user_id: user.id.clone(),
            address: Email::parse("alice@acme.test").unwrap(),
            verification: EmailVerification::Admin,
            created_at: 1,
            updated_at: 1,
        }
    }

    #[test]
    fn lnk6_a_known_account_wins_over_the_owner_of_the_address() {
        let (alice, mallory) = (user("user_a"), user("user_m"));
        let facts = Facts {
            account: Some((&account(&alice), &alice)),
            owner: Some((&address(&mallory), &mallory)),
            account_is_covered: true,
            jit_disabled: true,
        };
        assert_eq!(link(facts), Linking::Known("user_a".into()));
    }

    #[test]
    fn a_repointed_connection_does_not_hand_over_its_former_users() {
        let alice = user("user_a");
        let facts = Facts {
            account: Some((&account(&alice), &alice)),
            owner: None,
            account_is_covered: false,
            jit_disabled: false,
        };
        assert_eq!(link(facts), Linking::AccountOfFormerDomain);
    }

    #[test]
    fn lnk2_a_verified_address_attaches_the_account() {
        let alice = user("user_a");
        let facts = Facts {
            account: None,
            owner: Some((&address(&alice), &alice)),
            account_is_covered: true,
            jit_disabled: true,
        };
        assert_eq!(link(facts), Linking::Attach { user_id: "user_a".into(), email_address_id: "idn_1".into() });
    }

    #[test]
    fn lnk5_mem3_a_stranger_is_created_unless_jit_is_off() {
        let facts = Facts { account: None, owner: None, account_is_covered: true, jit_disabled: false };
        assert_eq!(link(facts), Linking::Create);
        assert_eq!(link(Facts { jit_disabled: true, ..facts }), Linking::JitDisabled);
    }

    #[test]
    fn a_blocked_user_does_not_sign_in_by_account_or_address() {
        for (reason, mark) in [
            (Blocked::Banned, (|user| user.banned = true) as fn(&mut User)),
            (Blocked::Locked, |user| user.locked = true),
            (Blocked::Deprovisioned, |user| user.deprovisioned = true),
        ] {
            let mut alice = user("user_a");
            mark(&mut alice);
            let by_account = Facts {
                account: Some((&account(&alice), &alice)),
                owner: None,
                account_is_covered: true,
                jit_disabled: false,
            };
            let by_address = Facts {
                account: None,
                owner: Some((&address(&alice), &alice)),
                account_is_covered: true,
                jit_disabled: false,
            };
            assert_eq!(link(by_account), Linking::Blocked(reason));
            assert_eq!(link(by_address), Linking::Blocked(reason));
        }
    }
}
