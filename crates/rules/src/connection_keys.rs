//! Our own key pairs towards the IdP of a connection: which of several signs, which may be added and which taken away.
//!
//! A key is changed in steps, each of which can be taken back: add one (both are published, the old one signs), let the IdP
//! read our metadata again, sign with the new one, take the old one away.

use doorward_model::KeyPurpose;

/// The most key pairs of a connection for one purpose: the old, the new, and one that was a mistake.
pub const MAX_KEYS: usize = 3;

/// Why a key pair is not added, chosen or taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    TooMany {
        limit: usize,
    },
    Unknown,
    /// It does not sign.
    NotForSigning,
    /// The only one for its purpose: what the IdP encrypts, or expects to be signed, needs one.
    LastOne,
    /// Requests are signed with it.
    Signs,
}

/// The fingerprint of the key that signs, of those that are there for it, newest first: the one that was chosen, else the
/// oldest, which the IdP has known longest.
pub fn signing<'a>(newest_first: &'a [String], chosen: Option<&str>) -> Option<&'a String> {
    let is_chosen = |fingerprint: &&String| Some(fingerprint.as_str()) == chosen;
    newest_first.iter().find(is_chosen).or(newest_first.last())
}

/// May another be added to `held` for the same purpose.
pub fn add(held: usize) -> Result<(), Refusal> {
    if held >= MAX_KEYS { Err(Refusal::TooMany { limit: MAX_KEYS }) } else { Ok(()) }
}

/// A key as it is told from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub fingerprint: String,
    pub purpose: KeyPurpose,
}

/// May requests be signed with this one from now on.
pub fn choose(keys: &[Key], fingerprint: &str) -> Result<(), Refusal> {
    match find(keys, fingerprint)?.purpose {
        KeyPurpose::Signing => Ok(()),
        KeyPurpose::Decryption => Err(Refusal::NotForSigning),
    }
}

/// May this one be taken away. `signs` is the fingerprint of the one that signs.
pub fn retire(keys: &[Key], fingerprint: &str, signs: Option<&str>) -> Result<(), Refusal> {
    let key = find(keys, fingerprint)?;
    if keys.iter().filter(|other| other.purpose == key.purpose).count() < 2 {
        return Err(Refusal::LastOne);
    }
    if key.purpose == KeyPurpose::Signing && signs == Some(fingerprint) {
        return Err(Refusal::Signs);
    }
    Ok(())
}

fn find<'a>(keys: &'a [Key], fingerprint: &str) -> Result<&'a Key, Refusal> {
    keys.iter().find(|key| key.fingerprint == fingerprint).ok_or(Refusal::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(of: &[(&str, KeyPurpose)]) -> Vec<Key> {
        of.iter()
            .map(|(fingerprint, purpose)| Key { fingerprint: (*fingerprint).to_owned(), purpose: *purpose })
            .collect()
    }

    #[test]
    fn the_oldest_key_signs_until_another_is_chosen() {
        let held = ["new", "middle", "old"].map(str::to_owned);
        for (chosen, expected) in
            [(None, "old"), (Some("new"), "new"), (Some("middle"), "middle"), (Some("gone"), "old")]
        {
            assert_eq!(signing(&held, chosen).unwrap(), expected, "{chosen:?}");
        }
        assert_eq!(signing(&[], Some("new")), None);
    }

    #[test]
    fn the_number_of_keys_is_limited() {
        assert_eq!([0, 1, 2].map(add), [Ok(()), Ok(()), Ok(())]);
        assert_eq!(add(MAX_KEYS), Err(Refusal::TooMany { limit: MAX_KEYS }));
    }

    #[test]
    fn only_a_key_for_signing_is_chosen_to_sign() {
        let held = keys(&[("s", KeyPurpose::Signing), ("d", KeyPurpose::Decryption)]);
        assert_eq!(choose(&held, "s"), Ok(()));
        assert_eq!(choose(&held, "d"), Err(Refusal::NotForSigning));
        assert_eq!(choose(&held, "x"), Err(Refusal::Unknown));
    }

    #[test]
    fn neither_the_last_key_nor_the_one_that_signs_is_taken_away() {
        let (s, d) = (KeyPurpose::Signing, KeyPurpose::Decryption);
        let two = keys(&[("s2", s), ("s1", s), ("d2", d), ("d1", d)]);
        assert_eq!(retire(&two, "s1", Some("s2")), Ok(()));
        assert_eq!(retire(&two, "s2", Some("s1")), Ok(()), "one that was a mistake");
        assert_eq!(retire(&two, "s1", Some("s1")), Err(Refusal::Signs));
        assert_eq!(retire(&two, "d1", Some("s1")), Ok(()));
        assert_eq!(retire(&two, "x", None), Err(Refusal::Unknown));
        let one = keys(&[("s1", s), ("d1", d)]);
        assert_eq!(retire(&one, "s1", Some("s1")), Err(Refusal::LastOne));
        assert_eq!(retire(&one, "d1", None), Err(Refusal::LastOne));
    }
}
