//! Where the certificates of a connection came from, and which were taken away by hand: what metadata that is read again may
//! take away, and what it does not bring back.

use doorward_model::SamlConfig;

/// A certificate, as it is told from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Print {
    /// SHA-256 of the whole.
    pub fingerprint: String,
    /// SHA-256 of its key; `None` if it cannot be read.
    pub key: Option<String>,
}

/// Where the operator took metadata from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Url,
    /// The operator brought the document.
    Text,
}

/// The fingerprints of those that are trusted because metadata named them. A document that is kept says all that is in force.
pub fn from_metadata(saml: &SamlConfig, trusted: &[Print]) -> Vec<String> {
    if saml.idp_metadata.is_some() { fingerprints(trusted) } else { saml.metadata_certificates.clone() }
}

/// Notes that a document no longer says what is in force, and which of the `trusted` came from it.
pub fn outgrow_metadata(saml: &mut SamlConfig, trusted: &[Print]) {
    saml.metadata_certificates = from_metadata(saml, trusted);
    saml.idp_metadata = None;
}

/// Notes a change of the trusted set by hand: what was `added` is the operator's, what was taken away does not come back by
/// itself.
pub fn change_by_hand(saml: &mut SamlConfig, before: &[Print], after: &[Print], added: &[Print]) {
    outgrow_metadata(saml, before);
    take_away(saml, before, after);
    let (after, added) = (fingerprints(after), fingerprints(added));
    saml.metadata_certificates.retain(|known| after.contains(known) && !added.contains(known));
}

/// Notes that the operator set metadata, which vouches for all that it names, also for what was taken away once. A document
/// the operator brought says what is no longer trusted, too: the one under the URL may be an older one, and would bring it
/// back.
pub fn set_metadata(saml: &mut SamlConfig, before: &[Print], named: &[Print], source: Source) {
    let before = if source == Source::Text { before } else { &[] };
    take_away(saml, before, named);
    saml.metadata_certificates = fingerprints(named);
}

/// Whether a certificate was taken away by hand, or another over the same key.
pub fn is_withheld(saml: &SamlConfig, fingerprint: &str, key: Option<&str>) -> bool {
    let is_among = |list: &[String], wanted: &str| list.iter().any(|known| known == wanted);
    is_among(&saml.removed_certificates, fingerprint) || key.is_some_and(|key| is_among(&saml.removed_keys, key))
}

/// Remembers those of `before` that are not in `after`, and forgets that anything in `after` was taken away once. A key stays
/// trusted as long as any certificate over it.
fn take_away(saml: &mut SamlConfig, before: &[Print], after: &[Print]) {
    let keys = |prints: &[Print]| prints.iter().filter_map(|print| print.key.clone()).collect();
    remember(&mut saml.removed_certificates, fingerprints(before), &fingerprints(after));
    remember(&mut saml.removed_keys, keys(before), &keys(after));
}

fn remember(removed: &mut Vec<String>, before: Vec<String>, after: &[String]) {
    removed.retain(|known| !after.contains(known));
    for gone in before {
        if !after.contains(&gone) && !removed.contains(&gone) {
            removed.push(gone);
        }
    }
}

fn fingerprints(prints: &[Print]) -> Vec<String> {
    prints.iter().map(|print| print.fingerprint.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign_in_route::tests::connection;

    /// `a1` and `a2` are certificates over the key `a`; `?1` cannot be read.
    fn prints(names: &[&str]) -> Vec<Print> {
        let key = |name: &str| name.chars().next().filter(|key| *key != '?').map(|key| key.to_string());
        names.iter().map(|name| Print { fingerprint: (*name).to_owned(), key: key(name) }).collect()
    }

    fn saml() -> SamlConfig {
        connection("x", &["acme.test"]).saml
    }

    fn is_back(saml: &SamlConfig, name: &str) -> bool {
        let print = prints(&[name]).remove(0);
        !is_withheld(saml, &print.fingerprint, print.key.as_deref())
    }

    #[test]
    fn while_a_document_is_kept_all_comes_from_it_and_afterwards_what_was_noted() {
        let mut saml = saml();
        saml.metadata_certificates = vec!["b1".into()];
        assert_eq!(from_metadata(&saml, &prints(&["a1", "b1"])), ["b1"]);
        saml.idp_metadata = Some("<document>".into());
        assert_eq!(from_metadata(&saml, &prints(&["a1", "b1"])), ["a1", "b1"]);
        outgrow_metadata(&mut saml, &prints(&["a1", "b1"]));
        assert_eq!((saml.idp_metadata.as_deref(), saml.metadata_certificates.len()), (None, 2));
        outgrow_metadata(&mut saml, &prints(&["a1", "b1", "c1"]));
        assert_eq!(saml.metadata_certificates, ["a1", "b1"]);
    }

    #[test]
    fn what_is_added_by_hand_is_the_operators_and_the_rest_stays_metadatas() {
        let mut saml = saml();
        saml.idp_metadata = Some("<document>".into());
        let (before, after) = (prints(&["a1", "b1"]), prints(&["a1", "b1", "c1"]));
        change_by_hand(&mut saml, &before, &after, &prints(&["c1"]));
        assert_eq!(
            (saml.idp_metadata.as_deref(), &saml.metadata_certificates),
            (None, &vec!["a1".into(), "b1".into()])
        );
        assert!(saml.removed_certificates.is_empty() && saml.removed_keys.is_empty());
        change_by_hand(&mut saml, &after, &after, &prints(&["a1"]));
        assert_eq!(saml.metadata_certificates, ["b1"], "adopted by hand");
    }

    #[test]
    fn what_is_taken_away_by_hand_stays_away_in_any_certificate_over_its_key() {
        let mut saml = saml();
        saml.idp_metadata = Some("<document>".into());
        change_by_hand(&mut saml, &prints(&["a1", "b1", "?1"]), &prints(&["b1"]), &[]);
        assert_eq!(saml.metadata_certificates, ["b1"]);
        assert_eq!(
            ["a1", "a2", "?1", "?2", "b1", "b2"].map(|name| is_back(&saml, name)),
            [false, false, false, true, true, true]
        );
        // Added again by hand the key is trusted, and the certificate that was taken away is not.
        change_by_hand(&mut saml, &prints(&["b1"]), &prints(&["b1", "a2"]), &prints(&["a2"]));
        assert_eq!(["a1", "a2", "a3"].map(|name| is_back(&saml, name)), [false, true, true]);
        // Each is remembered once.
        for _ in 0..2 {
            change_by_hand(&mut saml, &prints(&["a1", "a2"]), &[], &[]);
        }
        assert_eq!((saml.removed_certificates.len(), saml.removed_keys.len()), (3, 1), "?1, a1, a2; a");
    }

    #[test]
    fn a_key_is_trusted_as_long_as_any_certificate_over_it() {
        let mut saml = saml();
        change_by_hand(&mut saml, &prints(&["a1", "a2"]), &prints(&["a2"]), &[]);
        assert_eq!(["a1", "a2", "a3"].map(|name| is_back(&saml, name)), [false, true, true]);
        change_by_hand(&mut saml, &prints(&["a2"]), &[], &[]);
        assert_eq!(["a1", "a2", "a3"].map(|name| is_back(&saml, name)), [false, false, false]);
    }

    #[test]
    fn setting_metadata_vouches_for_all_that_it_names() {
        for source in [Source::Url, Source::Text] {
            let mut saml = saml();
            change_by_hand(&mut saml, &prints(&["a1", "c1"]), &[], &[]);
            set_metadata(&mut saml, &[], &prints(&["a1", "b1"]), source);
            assert_eq!(saml.metadata_certificates, ["a1", "b1"]);
            assert_eq!(
                ["a1", "a2", "b1", "c1", "c2"].map(|name| is_back(&saml, name)),
                [true, true, true, false, false]
            );
        }
    }

    #[test]
    fn what_a_document_leaves_out_that_the_operator_brought_stays_away() {
        for (source, comes_back) in [(Source::Url, true), (Source::Text, false)] {
            let mut saml = saml();
            set_metadata(&mut saml, &prints(&["a1", "b1"]), &prints(&["b1"]), source);
            assert_eq!(["a1", "a2"].map(|name| is_back(&saml, name)), [comes_back; 2], "{source:?}");
            assert!(is_back(&saml, "b1"));
        }
    }
}
