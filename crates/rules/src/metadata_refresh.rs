//! What a freshly fetched metadata document may change of a connection, and when the next one is fetched.
//!
//! Nobody watches while this happens, so it follows the document only as far as a change of keys needs: certificates come and
//! go, each of them reported; entity id, SSO URL and signing of requests stay as the operator set them.

use crate::certificate_provenance::is_withheld;
use doorward_model::{Millis, SamlConfig, SsoBinding};

/// The most certificates a connection trusts; each costs at every sign-in. As many as one document may name.
pub const MAX_CERTIFICATES: usize = 16;

/// How often metadata is read again unless the operator says otherwise.
pub const DEFAULT_INTERVAL: Millis = 24 * HOUR;

const MINUTE: Millis = 60 * 1000;
const HOUR: Millis = 60 * MINUTE;
/// However short the time a document says it holds: not more often than that.
const SHORTEST_WAIT: Millis = HOUR;
/// The wait after the first failure; it doubles with each that follows.
const FIRST_RETRY: Millis = 5 * MINUTE;

/// A certificate, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Base64 of DER, as it is stored.
    pub base64: String,
    pub fingerprint: String,
    /// SHA-256 of its key; `None` if it cannot be read.
    pub key: Option<String>,
    pub subject: String,
    pub not_before: Millis,
    pub expires_at: Millis,
}

impl Certificate {
    fn is_in_date(&self, now: Millis) -> bool {
        self.not_before <= now && now < self.expires_at
    }
}

/// A certificate the connection trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    pub certificate: Certificate,
    /// Whether metadata named it; the others were added by hand.
    pub is_from_metadata: bool,
}

/// What is known of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub saml: &'a SamlConfig,
    /// [`SamlConfig::idp_certificates`], read.
    pub trusted: &'a [Trusted],
    pub now: Millis,
}

/// What the document says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub entity_id: String,
    /// Where AuthnRequests may go, the one that suits the connection first.
    pub sso: Vec<(SsoBinding, String)>,
    /// Usable signing certificates, each once.
    pub certificates: Vec<Certificate>,
    /// Why each of the others is of no use.
    pub unusable: Vec<String>,
    pub wants_signed_requests: bool,
    pub valid_until: Option<Millis>,
    pub cache_duration: Option<Millis>,
}

/// Why a document changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is another IdP's.
    EntityId { expected: Option<String>, got: String },
    /// It says itself that it no longer holds.
    Expired { valid_until: Millis },
    /// It names no certificate that is trusted already or may be trusted.
    NoUsableCertificate,
    /// With what it names there would be too many.
    TooManyCertificates { limit: usize, got: usize },
}

/// What a document says and is not followed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It names a certificate that was taken away by hand, or another over the same key.
    Withheld(Certificate),
    /// It names a certificate that has run out and was not trusted before.
    Expired(Certificate),
    /// It names a certificate that is of no use: a short key, for example.
    Unusable(String),
    /// It no longer names this one, but names none that was trusted before and is in date: not until the next refresh.
    KeptForNow(Certificate),
    /// It sends people elsewhere.
    SsoUrl { current: Option<String>, offered: String },
    /// It offers where people are sent, but not the way they are sent there.
    Binding { current: SsoBinding, offered: SsoBinding },
    /// It wants AuthnRequests signed, which the connection does not do.
    SignedRequestsWanted,
    /// It does not ask for the signatures that the connection makes.
    SignedRequestsNotWanted,
}

/// What changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// The trusted set from now on.
    pub certificates: Vec<Trusted>,
    pub added: Vec<Certificate>,
    pub dropped: Vec<Certificate>,
    pub notices: Vec<Notice>,
}

impl Refresh {
    /// Whether the trusted set is another one.
    pub fn is_change(&self) -> bool {
        !self.added.is_empty() || !self.dropped.is_empty()
    }
}

/// Decides what a document changes.
///
/// A certificate is dropped only if metadata had named it, metadata names it no longer, and one that is in date was trusted
/// before this document came and is named by it. So no document, however wrong, replaces the whole set at once.
pub fn refresh(facts: Facts<'_>, document: &Document) -> Result<Refresh, Refusal> {
    let Facts { saml, trusted, now } = facts;
    if saml.idp_entity_id.as_deref() != Some(document.entity_id.as_str()) {
        return Err(Refusal::EntityId { expected: saml.idp_entity_id.clone(), got: document.entity_id.clone() });
    }
    if let Some(valid_until) = document.valid_until.filter(|end| *end <= now) {
        return Err(Refusal::Expired { valid_until });
    }
    let mut notices: Vec<Notice> = document.unusable.iter().cloned().map(Notice::Unusable).collect();
    let mut added = Vec::new();
    let mut names_one_trusted = false;
    for certificate in &document.certificates {
        if is_among(trusted, certificate) {
            names_one_trusted = true;
        } else if is_withheld(saml, &certificate.fingerprint, certificate.key.as_deref()) {
            notices.push(Notice::Withheld(certificate.clone()));
        } else if certificate.expires_at <= now {
            notices.push(Notice::Expired(certificate.clone()));
        } else {
            added.push(certificate.clone());
        }
    }
    if !names_one_trusted && added.is_empty() {
        return Err(Refusal::NoUsableCertificate);
    }
    let is_named = |known: &Trusted| document.certificates.contains(&known.certificate);
    let may_drop = trusted.iter().any(|known| is_named(known) && known.certificate.is_in_date(now));
    let (mut certificates, mut dropped) = (Vec::new(), Vec::new());
    for known in trusted {
        if is_named(known) || !known.is_from_metadata {
            certificates.push(known.clone());
        } else if may_drop {
            dropped.push(known.certificate.clone());
        } else {
            notices.push(Notice::KeptForNow(known.certificate.clone()));
            certificates.push(known.clone());
        }
    }
    certificates
        .extend(added.iter().map(|certificate| Trusted { certificate: certificate.clone(), is_from_metadata: true }));
    if certificates.len() > MAX_CERTIFICATES && !added.is_empty() {
        return Err(Refusal::TooManyCertificates { limit: MAX_CERTIFICATES, got: certificates.len() });
    }
    notices.extend(left_to_the_operator(saml, document));
    Ok(Refresh { certificates, added, dropped, notices })
}

fn is_among(trusted: &[Trusted], certificate: &Certificate) -> bool {
    trusted.iter().any(|known| known.certificate == *certificate)
}

/// Where people are sent and what is signed for them changes under the operator's eyes only.
fn left_to_the_operator(saml: &SamlConfig, document: &Document) -> Vec<Notice> {
    let mut notices = Vec::new();
    let goes_there = |(_, url): &&(SsoBinding, String)| saml.idp_sso_url.as_ref() == Some(url);
    let same: Vec<&(SsoBinding, String)> = document.sso.iter().filter(goes_there).collect();
    if let (Some((_, offered)), true) = (document.sso.first(), same.is_empty()) {
        notices.push(Notice::SsoUrl { current: saml.idp_sso_url.clone(), offered: offered.clone() });
    }
    // Of an address that is another one, the binding that goes with it.
    let bindings: Vec<SsoBinding> = if same.is_empty() { document.sso.iter().collect() } else { same }
        .into_iter()
        .map(|(binding, _)| *binding)
        .collect();
    if let Some(offered) = bindings.first().filter(|_| !bindings.contains(&saml.idp_sso_binding)) {
        notices.push(Notice::Binding { current: saml.idp_sso_binding, offered: *offered });
    }
    match (document.wants_signed_requests, saml.sign_requests) {
        (true, false) => notices.push(Notice::SignedRequestsWanted),
        (false, true) => notices.push(Notice::SignedRequestsNotWanted),
        (true, true) | (false, false) => {}
    }
    notices
}

/// Whether a connection's metadata is read again.
pub fn is_on(saml: &SamlConfig) -> bool {
    saml.refresh_idp_metadata && saml.idp_metadata_url.is_some()
}

/// What a change of a connection means for its schedule.
#[derive(Debug, PartialEq, Eq)]
pub enum Schedule {
    Keep,
    /// A fresh start, without the failures of before.
    At(Millis),
    Off,
}

/// Decides when a connection that was changed is refreshed next. `was_read` says whether the change read what is under the URL.
pub fn reschedule(
    before: Option<&SamlConfig>,
    after: &SamlConfig,
    was_read: bool,
    interval: Millis,
    now: Millis,
) -> Schedule {
    let same = |before: &SamlConfig| is_on(before) && before.idp_metadata_url == after.idp_metadata_url;
    match before {
        Some(before) if is_on(before) && !is_on(after) => Schedule::Off,
        _ if !is_on(after) => Schedule::Keep,
        _ if was_read => Schedule::At(now + interval),
        Some(before) if same(before) => Schedule::Keep,
        _ => Schedule::At(now),
    }
}

/// When to come back after a document was read: after the interval, or before the document runs out, but not too often.
pub fn after_success(document: &Document, interval: Millis, now: Millis) -> Millis {
    let until_it_ends = document.valid_until.map(|end| end.saturating_sub(now));
    let wishes = [document.cache_duration, until_it_ends];
    let wait = wishes.into_iter().flatten().fold(interval, Millis::min);
    now + wait.max(SHORTEST_WAIT.min(interval))
}

/// When to try again after this many failures in a row.
pub fn after_failure(failures: i64, interval: Millis, now: Millis) -> Millis {
    let doublings = failures.saturating_sub(1).clamp(0, 20) as u32;
    now + (FIRST_RETRY << doublings).min(interval)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign_in_route::tests::connection;

    const NOW: Millis = 1_000_000;
    const LATER: Millis = NOW + 1;

    fn certificate(name: &str, expires_at: Millis) -> Certificate {
        let text = |kind: &str| format!("{kind} of {name}");
        Certificate {
            base64: text("DER"),
            fingerprint: text("print"),
            key: Some(text("key")),
            subject: text("subject"),
            not_before: NOW,
            expires_at,
        }
    }

    fn named(name: &str) -> Certificate {
        certificate(name, LATER)
    }

    fn expired(name: &str) -> Certificate {
        certificate(name, NOW)
    }

    fn early(name: &str) -> Certificate {
        Certificate { not_before: LATER, ..certificate(name, LATER + 1) }
    }

    fn from_metadata(certificate: Certificate) -> Trusted {
        Trusted { certificate, is_from_metadata: true }
    }

    fn by_hand(certificate: Certificate) -> Trusted {
        Trusted { certificate, is_from_metadata: false }
    }

    fn saml() -> SamlConfig {
        let mut saml = connection("a", &["acme.test"]).saml;
        saml.refresh_idp_metadata = true;
        saml.idp_metadata_url = Some("https://idp.test/metadata".into());
        saml
    }

    fn document(certificates: &[Certificate]) -> Document {
        Document {
            entity_id: "https://idp.test/".into(),
            sso: vec![(SsoBinding::Redirect, "https://idp.test/sso".into())],
            certificates: certificates.to_vec(),
            unusable: Vec::new(),
            wants_signed_requests: false,
            valid_until: None,
            cache_duration: None,
        }
    }

    fn decide(trusted: &[Trusted], document: &Document) -> Result<Refresh, Refusal> {
        refresh(Facts { saml: &saml(), trusted, now: NOW }, document)
    }

    #[test]
    fn con23_a_change_of_keys_goes_through_unattended_in_two_documents() {
        let (old, new) = (named("old"), named("new"));
        let overlap = decide(&[from_metadata(old.clone())], &document(&[old.clone(), new.clone()])).unwrap();
        assert_eq!((&overlap.added, &overlap.dropped), (&vec![new.clone()], &vec![]));
        assert_eq!(overlap.certificates, [from_metadata(old.clone()), from_metadata(new.clone())]);
        let done = decide(&overlap.certificates, &document(std::slice::from_ref(&new))).unwrap();
        assert_eq!((&done.added, &done.dropped), (&vec![], &vec![old]));
        assert_eq!(done.certificates, [from_metadata(new.clone())]);
        let again = decide(&done.certificates, &document(&[new])).unwrap();
        assert!(!again.is_change() && again.notices.is_empty());
    }

    #[test]
    fn con23_no_single_document_replaces_the_whole_set() {
        let (old, new) = (named("old"), named("new"));
        let abrupt = document(std::slice::from_ref(&new));
        let first = decide(&[from_metadata(old.clone())], &abrupt).unwrap();
        assert_eq!((&first.added, &first.dropped), (&vec![new.clone()], &vec![]));
        assert_eq!(first.notices, [Notice::KeptForNow(old.clone())]);
        let second = decide(&first.certificates, &abrupt).unwrap();
        assert_eq!((second.dropped, second.certificates), (vec![old], vec![from_metadata(new)]));
    }

    #[test]
    fn con23_the_only_certificate_in_date_is_never_dropped() {
        // What remains has run out: that is no reason to drop what works.
        let (alive, dead) = (named("alive"), expired("dead"));
        let trusted = [from_metadata(alive.clone()), from_metadata(dead.clone())];
        let found = decide(&trusted, &document(std::slice::from_ref(&dead))).unwrap();
        assert_eq!((found.certificates, found.notices), (trusted.to_vec(), vec![Notice::KeptForNow(alive.clone())]));
        // Nor if what remains is not in force yet, which is announced and trusted all the same.
        let young = early("young");
        let announced = decide(&[from_metadata(alive.clone())], &document(&[alive.clone(), young.clone()])).unwrap();
        assert_eq!(announced.added, std::slice::from_ref(&young));
        let found = decide(&announced.certificates, &document(&[young])).unwrap();
        assert_eq!((found.dropped, found.notices), (vec![], vec![Notice::KeptForNow(alive.clone())]));
        // The other way round the dead one goes.
        let found = decide(&trusted, &document(std::slice::from_ref(&alive))).unwrap();
        assert_eq!((found.certificates, found.dropped), (vec![from_metadata(alive)], vec![dead]));
    }

    #[test]
    fn con23_whatever_a_document_names_the_set_is_never_empty_nor_out_of_date() {
        // Every set of four certificates, each absent, by hand or from metadata, against every document that names some.
        let all = [named("a"), named("b"), expired("c"), early("d")];
        for held in 0..81usize {
            let state = |at: usize| held / 3usize.pow(at as u32) % 3;
            let trusted: Vec<Trusted> = all
                .iter()
                .enumerate()
                .filter(|(at, _)| state(*at) > 0)
                .map(|(at, certificate)| Trusted { certificate: certificate.clone(), is_from_metadata: state(at) == 1 })
                .collect();
            for names in 0..16usize {
                let named = all.iter().enumerate().filter(|(at, _)| names >> at & 1 == 1);
                let named: Vec<Certificate> = named.map(|(_, certificate)| certificate.clone()).collect();
                let Ok(found) = decide(&trusted, &document(&named)) else { continue };
                let in_date = |set: &[Trusted]| set.iter().any(|known| known.certificate.is_in_date(NOW));
                assert!(!found.certificates.is_empty(), "{trusted:?} {named:?}");
                assert!(!in_date(&trusted) || in_date(&found.certificates), "{trusted:?} {named:?}");
                assert!(
                    trusted
                        .iter()
                        .filter(|known| !known.is_from_metadata)
                        .all(|known| found.certificates.contains(known))
                );
                for known in &found.certificates {
                    let was_trusted = trusted.contains(known);
                    assert!(was_trusted || found.added.contains(&known.certificate), "nothing comes unsaid");
                    assert!(was_trusted || named.contains(&known.certificate), "nothing comes from nowhere");
                }
                for known in &trusted {
                    let stays = found.certificates.contains(known);
                    assert!(stays || found.dropped.contains(&known.certificate), "nothing goes unsaid");
                }
            }
        }
    }

    #[test]
    fn what_was_added_by_hand_stays_and_what_was_taken_away_by_hand_stays_away() {
        let (hand, old, new) = (named("hand"), named("old"), named("new"));
        let trusted = [by_hand(hand.clone()), from_metadata(old.clone())];
        let found = decide(&trusted, &document(std::slice::from_ref(&old))).unwrap();
        assert!(!found.is_change());
        assert_eq!(found.certificates, trusted);
        // Named by metadata too, it is still the operator's.
        let found = decide(&trusted, &document(&[hand.clone(), old.clone()])).unwrap();
        assert_eq!(found.certificates, trusted);

        let mut saml = saml();
        saml.removed_certificates = vec![new.fingerprint.clone()];
        let facts = Facts { saml: &saml, trusted: &trusted, now: NOW };
        let found = refresh(facts, &document(&[old, new.clone()])).unwrap();
        assert_eq!((found.added.len(), found.notices), (0, vec![Notice::Withheld(new.clone())]));
        assert_eq!(refresh(facts, &document(std::slice::from_ref(&new))), Err(Refusal::NoUsableCertificate));

        saml.removed_certificates = Vec::new();
        saml.removed_keys = new.key.clone().into_iter().collect();
        let reissued = Certificate { key: new.key, ..named("reissued") };
        let facts = Facts { saml: &saml, trusted: &trusted, now: NOW };
        let found = refresh(facts, &document(&[named("old"), reissued.clone()])).unwrap();
        assert_eq!((found.added.len(), found.notices), (0, vec![Notice::Withheld(reissued)]));
    }

    #[test]
    fn a_document_of_another_idp_or_that_has_ended_changes_nothing() {
        let trusted = [from_metadata(named("old"))];
        let good = document(&[named("old"), named("new")]);
        let other = Document { entity_id: "https://evil.test/".into(), ..good.clone() };
        let expected = Some("https://idp.test/".to_owned());
        assert_eq!(decide(&trusted, &other), Err(Refusal::EntityId { expected, got: "https://evil.test/".into() }));
        let mut nameless = saml();
        nameless.idp_entity_id = None;
        let facts = Facts { saml: &nameless, trusted: &trusted, now: NOW };
        assert!(matches!(refresh(facts, &good), Err(Refusal::EntityId { expected: None, .. })));
        let over = Document { valid_until: Some(NOW), ..good.clone() };
        assert_eq!(decide(&trusted, &over), Err(Refusal::Expired { valid_until: NOW }));
        assert!(decide(&trusted, &Document { valid_until: Some(LATER), ..good }).is_ok());
    }

    #[test]
    fn an_expired_or_unusable_certificate_is_not_added() {
        let trusted = [from_metadata(named("old"))];
        let mut mixed = document(&[named("old"), expired("late")]);
        mixed.unusable = vec!["1024 bits".into()];
        let found = decide(&trusted, &mixed).unwrap();
        assert!(!found.is_change());
        assert_eq!(found.notices, [Notice::Unusable("1024 bits".into()), Notice::Expired(expired("late"))]);
        assert_eq!(decide(&trusted, &document(&[expired("late")])), Err(Refusal::NoUsableCertificate));
        assert_eq!(decide(&trusted, &document(&[])), Err(Refusal::NoUsableCertificate));
        // An IdP that goes on with an expired certificate is as it was.
        let trusted = [from_metadata(expired("old"))];
        assert!(!decide(&trusted, &document(&[expired("old")])).unwrap().is_change());
    }

    #[test]
    fn the_number_of_certificates_is_limited() {
        let many: Vec<Certificate> = (0..MAX_CERTIFICATES).map(|n| named(&n.to_string())).collect();
        let trusted = [by_hand(named("hand"))];
        let got = MAX_CERTIFICATES + 1;
        let refusal = Refusal::TooManyCertificates { limit: MAX_CERTIFICATES, got };
        assert_eq!(decide(&trusted, &document(&many)), Err(refusal));
        assert_eq!(decide(&[], &document(&many)).unwrap().certificates.len(), MAX_CERTIFICATES);
    }

    #[test]
    fn people_are_not_sent_elsewhere_and_nothing_is_signed_unattended() {
        let trusted = [from_metadata(named("old"))];
        let mut moved = document(&[named("old")]);
        moved.sso = vec![(SsoBinding::Redirect, "https://elsewhere.test/sso".into())];
        moved.wants_signed_requests = true;
        let found = decide(&trusted, &moved).unwrap();
        let current = Some("https://idp.test/sso".to_owned());
        let offered = "https://elsewhere.test/sso".to_owned();
        assert_eq!(found.notices, [Notice::SsoUrl { current, offered }, Notice::SignedRequestsWanted]);
        moved.sso.push((SsoBinding::Redirect, "https://idp.test/sso".into()));
        assert_eq!(decide(&trusted, &moved).unwrap().notices, [Notice::SignedRequestsWanted]);
    }

    #[test]
    fn another_binding_and_signatures_nobody_asked_for_are_reported() {
        let (redirect, post) = (SsoBinding::Redirect, SsoBinding::Post);
        let trusted = [from_metadata(named("old"))];
        let mut saml = saml();
        saml.sign_requests = true;
        let notices = |saml: &SamlConfig, offered: &[(SsoBinding, &str)], wants_signed_requests: bool| {
            let sso = offered.iter().map(|(binding, host)| (*binding, format!("https://{host}/sso"))).collect();
            let document = Document { sso, wants_signed_requests, ..document(&[named("old")]) };
            refresh(Facts { saml, trusted: &trusted, now: NOW }, &document).unwrap().notices
        };
        let differs = Notice::Binding { current: redirect, offered: post };
        assert_eq!(notices(&saml, &[(redirect, "idp.test"), (post, "idp.test")], true), []);
        assert_eq!(notices(&saml, &[(post, "idp.test")], true), std::slice::from_ref(&differs));
        // The other address has the binding, the one in use does not.
        assert_eq!(
            notices(&saml, &[(redirect, "other.test"), (post, "idp.test")], true),
            std::slice::from_ref(&differs)
        );
        let moved = notices(&saml, &[(post, "other.test")], true);
        assert!(matches!(&moved[..], [Notice::SsoUrl { .. }, second] if *second == differs), "{moved:?}");
        assert_eq!(notices(&saml, &[(redirect, "idp.test")], false), [Notice::SignedRequestsNotWanted]);
        saml.sign_requests = false;
        assert_eq!(notices(&saml, &[(redirect, "idp.test")], false), []);
    }

    #[test]
    fn the_wait_follows_the_document_within_bounds() {
        let plain = document(&[]);
        let day = DEFAULT_INTERVAL;
        let wait = |valid_for: Option<Millis>, cache_duration: Option<Millis>, interval: Millis| {
            let valid_until = valid_for.map(|time| NOW + time);
            after_success(&Document { valid_until, cache_duration, ..plain.clone() }, interval, NOW) - NOW
        };
        assert_eq!(wait(None, None, day), day);
        assert_eq!(wait(None, Some(6 * HOUR), day), 6 * HOUR);
        assert_eq!(wait(Some(5 * HOUR), Some(6 * HOUR), day), 5 * HOUR);
        assert_eq!(wait(Some(99 * day), Some(99 * day), day), day, "the operator's interval is the longest");
        assert_eq!(wait(Some(1), Some(0), day), HOUR, "a document cannot make us hurry");
        assert_eq!(wait(None, Some(0), 15 * MINUTE), 15 * MINUTE);
        assert_eq!(wait(Some(Millis::MAX - NOW), Some(Millis::MAX), day), day);
    }

    #[test]
    fn failures_are_tried_again_ever_later() {
        let waits =
            [1, 2, 3, 9, 10, 1000, i64::MAX].map(|failures| after_failure(failures, DEFAULT_INTERVAL, NOW) - NOW);
        let expected = [5, 10, 20, 1280, 1440, 1440, 1440].map(|minutes| minutes * MINUTE);
        assert_eq!(waits, expected);
        assert_eq!(after_failure(0, MINUTE, NOW) - NOW, MINUTE);
    }

    #[test]
    fn a_change_of_the_connection_sets_its_schedule() {
        let on = saml();
        let off = SamlConfig { refresh_idp_metadata: false, ..on.clone() };
        let bare = SamlConfig { idp_metadata_url: None, ..on.clone() };
        let moved = SamlConfig { idp_metadata_url: Some("https://idp.test/other".into()), ..on.clone() };
        let day = DEFAULT_INTERVAL;
        for (before, after, was_read, expected) in [
            (None, &on, true, Schedule::At(NOW + day)),
            (None, &on, false, Schedule::At(NOW)),
            (None, &off, true, Schedule::Keep),
            (Some(&off), &on, false, Schedule::At(NOW)),
            (Some(&on), &on, false, Schedule::Keep),
            (Some(&on), &on, true, Schedule::At(NOW + day)),
            (Some(&on), &off, false, Schedule::Off),
            (Some(&off), &bare, false, Schedule::Keep),
            (Some(&on), &bare, false, Schedule::Off),
            (Some(&bare), &on, false, Schedule::At(NOW)),
            (Some(&on), &moved, false, Schedule::At(NOW)),
        ] {
            assert_eq!(reschedule(before, after, was_read, day, NOW), expected);
        }
    }
}
