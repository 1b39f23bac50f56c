//! Reading the metadata of a connection's IdP again: claim, fetch, decide, save.
//!
//! A claim is a moment in the future until which one node has a connection; two never fetch for it at once. Nothing but the
//! claim is written before the document is there, and all that comes of it is written in one transaction, so a program that
//! ends in between leaves a connection as it was, to be taken up again when the claim has run out.

use crate::app::App;
use crate::flows::enterprise_connections::{binding_of, by_id, fetch_metadata, parse_metadata, saml_by_id, sso_of};
use crate::flows::{FlowError, Refusal, idp_certificates};
use crate::http::error_table::describe;
use doorward_model::{
    EnterpriseConnection, EnterpriseConnectionId, MetadataRefresh, MetadataRefreshNotice, MetadataRefreshOutcome,
    MetadataRefreshRecord, Millis, RefreshedCertificate, SamlConfig, SsoBinding,
};
use doorward_rules::certificate_provenance::from_metadata;
use doorward_rules::metadata_refresh::{self as rules, Certificate, Document, Facts, Notice, Refresh, Schedule};
use doorward_saml::{IdpMetadata, TrustedCertificate};
use doorward_store::{Tx, enterprise_connections, metadata_refreshes, write_tx};
use futures_util::stream::{self, StreamExt as _};
use std::collections::HashSet;
use std::sync::Arc;
use tokio::task::JoinSet;

/// How long a node has a connection it claimed: more than the outbound client takes at the most.
const CLAIM: Millis = 5 * 60 * 1000;
/// How many documents are fetched at once.
const AT_ONCE: usize = 4;
/// The code of a notice that the connection signs requests for an IdP that does not ask for it.
const SIGNED_UNASKED: &str = "signed_requests_not_wanted";
/// How many of the refreshes that changed something are kept.
const CHANGES_KEPT: usize = 20;

/// Refreshes every connection that is due, each once; answers how many. One that fails does not keep the others from theirs.
pub async fn run_due(app: &Arc<App>) -> Result<usize, FlowError> {
    let (mut refreshed, mut tried) = (0, HashSet::new());
    loop {
        let mut due = metadata_refreshes::due(&mut app.store.read().await?, app.now()).await?;
        due.retain(|id| tried.insert(id.clone()));
        if due.is_empty() {
            return Ok(refreshed);
        }
        let outcomes: Vec<_> = stream::iter(due).map(|id| run_one(app, id)).buffer_unordered(AT_ONCE).collect().await;
        refreshed += outcomes.into_iter().filter(|done| *done).count();
    }
}

async fn run_one(app: &Arc<App>, id: EnterpriseConnectionId) -> bool {
    match refresh(app, &id, false).await {
        Ok(done) => done,
        Err(error) => {
            tracing::error!(connection = %id, %error, "metadata refresh failed; it is tried again when its claim ends");
            false
        }
    }
}

/// Refreshes a connection because the operator asks for it, whether or not it is on the schedule.
pub async fn run_now(app: &Arc<App>, id: &EnterpriseConnectionId) -> Result<(), FlowError> {
    let connection = saml_by_id(&mut app.store.read().await?, id).await?;
    if connection.saml.idp_metadata_url.is_none() {
        return Err(Refusal::ParamMissing { param: "saml.idp_metadata_url" }.into());
    }
    if refresh(app, id, true).await? {
        return Ok(());
    }
    // Nobody is at it if it was deleted meanwhile.
    by_id(&mut app.store.read().await?, id).await?;
    Err(Refusal::MetadataRefreshUnderWay.into())
}

/// Keeps the schedule of a connection true to its settings, in the transaction that changes them. `was_read` says that the
/// change has read what is under the URL.
pub async fn reschedule(
    tx: &mut Tx,
    app: &App,
    before: Option<&SamlConfig>,
    connection: &EnterpriseConnection,
    was_read: bool,
    now: Millis,
) -> Result<(), FlowError> {
    match rules::reschedule(before, &connection.saml, was_read, interval(app), now) {
        Schedule::Keep => {}
        Schedule::At(due_at) => metadata_refreshes::schedule(tx, &connection.id, Some(due_at)).await?,
        Schedule::Off => metadata_refreshes::schedule(tx, &connection.id, None).await?,
    }
    Ok(())
}

fn interval(app: &App) -> Millis {
    app.config.metadata_refresh_interval.unwrap_or(rules::DEFAULT_INTERVAL)
}

/// A claimed connection, as it was then.
struct Claimed {
    connection: EnterpriseConnection,
    until: Millis,
}

/// Answers `false` if there was nothing to do or another node does it.
async fn refresh(app: &Arc<App>, id: &EnterpriseConnectionId, requested: bool) -> Result<bool, FlowError> {
    let Some(until) = claim(app, id, requested).await? else { return Ok(false) };
    // In a task of its own, which ends with this one: a panic there is this connection's failure and nobody else's.
    let mut task = JoinSet::new();
    task.spawn(follow(app.clone(), id.clone(), until, requested));
    let error = match task.join_next().await {
        Some(Ok(Ok(done))) => return Ok(done),
        Some(Ok(Err(error))) => error.to_string(),
        Some(Err(panic)) => panic.to_string(),
        None => "it was not begun".to_owned(),
    };
    let error = clipped(&error);
    tracing::error!(connection = %id, error, "metadata refresh broke off; it is put down as failed");
    give_up(app, id, until, requested).await
}

/// Claims before anything of the connection is read, so that one that cannot be read is not due again and again.
async fn claim(app: &App, id: &EnterpriseConnectionId, requested: bool) -> Result<Option<Millis>, FlowError> {
    let now = app.now();
    write_tx!(app.store, FlowError, |tx| {
        if requested {
            by_id(tx, id).await?;
            metadata_refreshes::add(tx, id).await?;
        }
        let until = now + CLAIM;
        let is_ours = metadata_refreshes::claim(tx, id, now, until, !requested).await?;
        Ok(is_ours.then_some(until))
    })
}

/// Fetches and applies the metadata of a connection that was claimed.
async fn follow(app: Arc<App>, id: EnterpriseConnectionId, until: Millis, requested: bool) -> Result<bool, FlowError> {
    let connection = enterprise_connections::by_id(&mut app.store.read().await?, &id).await?;
    let Some(connection) = connection else { return Ok(false) };
    let fetched = match &connection.saml.idp_metadata_url {
        Some(url) => fetch_metadata(&app.outbound, url).await,
        None => Err(Refusal::ParamMissing { param: "saml.idp_metadata_url" }),
    };
    let fetched = match fetched {
        Ok(bytes) => read(&bytes, &connection.saml),
        Err(refusal) => Err(notice_of(&refusal)),
    };
    let claimed = Claimed { connection, until };
    let now = app.now();
    let record = write_tx!(app.store, FlowError, |tx| { save(tx, &app, &claimed, &fetched, requested, now).await })?;
    if let Some(record) = &record {
        log(&id, record);
    }
    Ok(record.is_some())
}

/// Puts a claimed refresh down as failed, for a reason that should not be and stands in the log. The connection is not read, as
/// that may be what failed; where the record cannot be read either, it is due after the interval again.
async fn give_up(app: &App, id: &EnterpriseConnectionId, until: Millis, requested: bool) -> Result<bool, FlowError> {
    let now = app.now();
    let reason = "Something failed here that should not; the log has the reason.";
    let noted = write_tx!(app.store, FlowError, |tx| {
        let state = metadata_refreshes::of(tx, id).await?;
        let Some(mut state) = state.filter(|state| state.claimed_until == until) else { return Ok(false) };
        note_failure(&mut state, app, now);
        let error = note("internal_error", reason.to_owned());
        state.last = Some(blank(MetadataRefreshOutcome::Failed, Some(error), requested, now));
        Ok(metadata_refreshes::save(tx, &state).await?)
    });
    if let Err(error) = noted {
        tracing::error!(connection = %id, %error, "metadata refresh: its record cannot be kept; it is put off");
        return write_tx!(app.store, FlowError, |tx| {
            metadata_refreshes::put_off(tx, id, until, now + interval(app)).await?;
            Ok(false)
        });
    }
    noted
}

/// A document with the text it was read from.
struct Read {
    document: Document,
    text: String,
}

fn read(bytes: &[u8], saml: &SamlConfig) -> Result<Read, MetadataRefreshNotice> {
    let metadata = parse_metadata(bytes).map_err(|refusal| notice_of(&refusal))?;
    Ok(Read { document: document(&metadata, saml), text: String::from_utf8_lossy(bytes).into_owned() })
}

/// What the rules need to know of a document.
pub fn document(metadata: &IdpMetadata, saml: &SamlConfig) -> Document {
    let preferred = sso_of(metadata, saml);
    let others = metadata.sso_urls.iter().map(|(binding, url)| (*binding, url.as_str()));
    Document {
        entity_id: metadata.entity_id.clone(),
        sso: std::iter::once(preferred).chain(others).map(|(how, url)| (binding_of(how), url.to_owned())).collect(),
        certificates: metadata.certificates.iter().map(facts_of).collect(),
        unusable: metadata.unusable_certificates.iter().map(ToString::to_string).collect(),
        wants_signed_requests: metadata.want_authn_requests_signed,
        valid_until: metadata.valid_until_ms,
        cache_duration: metadata.cache_duration_ms,
    }
}

/// What the rules need to know of the certificates a connection trusts. One that is stored and cannot be read is there, too: it
/// is kept, or dropped and said to be, like any other, and is never in date.
pub fn trusted(saml: &SamlConfig) -> Vec<rules::Trusted> {
    let from_metadata = from_metadata(saml, &idp_certificates::prints(&saml.idp_certificates));
    let known = |text: &String| {
        let read = TrustedCertificate::parse(text);
        let certificate = read.map_or_else(|_| unreadable(text), |certificate| facts_of(&certificate));
        let is_from_metadata = from_metadata.contains(&certificate.fingerprint);
        rules::Trusted { certificate, is_from_metadata }
    };
    saml.idp_certificates.iter().map(known).collect()
}

fn unreadable(text: &str) -> Certificate {
    Certificate {
        base64: text.to_owned(),
        fingerprint: idp_certificates::fingerprint(text),
        key: None,
        subject: "(a stored certificate that cannot be read)".to_owned(),
        not_before: 0,
        expires_at: 0,
    }
}

fn facts_of(certificate: &TrustedCertificate) -> Certificate {
    Certificate {
        base64: certificate.base64(),
        fingerprint: certificate.fingerprint(),
        key: Some(certificate.key_sha256().to_owned()),
        subject: certificate.subject().to_owned(),
        not_before: certificate.not_before_ms(),
        expires_at: certificate.not_after_ms(),
    }
}

/// Applies and notes what was fetched; `None` if the connection is gone or somebody else's by now.
async fn save(
    tx: &mut Tx,
    app: &App,
    claimed: &Claimed,
    fetched: &Result<Read, MetadataRefreshNotice>,
    requested: bool,
    now: Millis,
) -> Result<Option<MetadataRefreshRecord>, FlowError> {
    let id = &claimed.connection.id;
    let Some(mut state) = metadata_refreshes::of(tx, id).await? else { return Ok(None) };
    let Some(mut connection) = enterprise_connections::by_id(tx, id).await? else { return Ok(None) };
    if state.claimed_until != claimed.until {
        return Ok(None);
    }
    let record = if connection.saml == claimed.connection.saml {
        let saml = &connection.saml;
        let decided = fetched.as_ref().map_err(Clone::clone).and_then(|read| {
            let facts = Facts { saml, trusted: &trusted(saml), now };
            let refresh = rules::refresh(facts, &read.document).map_err(|refusal| notice_of_rule(&refusal))?;
            Ok((read, refresh))
        });
        match decided {
            Ok((read, refresh)) => {
                if refresh.is_change() {
                    apply(&mut connection.saml, read, &refresh);
                    connection.updated_at = now;
                    enterprise_connections::update(tx, &connection).await?;
                }
                note_success(&mut state, &read.document, app, now);
                record_of(&refresh, requested, now)
            }
            Err(error) => {
                note_failure(&mut state, app, now);
                blank(MetadataRefreshOutcome::Failed, Some(error), requested, now)
            }
        }
    } else {
        // It is as due as it was, unless the change has set another time: the connection as it is now is next.
        blank(MetadataRefreshOutcome::Superseded, None, requested, now)
    };
    if record.outcome == MetadataRefreshOutcome::Changed {
        state.changes.insert(0, record.clone());
        state.changes.truncate(CHANGES_KEPT);
    }
    state.last = Some(record.clone());
    Ok(metadata_refreshes::save(tx, &state).await?.then_some(record))
}

fn note_success(state: &mut MetadataRefresh, document: &Document, app: &App, now: Millis) {
    state.failures = 0;
    state.succeeded_at = Some(now);
    // One that is not on the schedule stays off it.
    state.due_at = state.due_at.map(|_| rules::after_success(document, interval(app), now));
}

fn note_failure(state: &mut MetadataRefresh, app: &App, now: Millis) {
    state.failures += 1;
    state.due_at = state.due_at.map(|_| rules::after_failure(state.failures, interval(app), now));
}

fn apply(saml: &mut SamlConfig, read: &Read, refresh: &Refresh) {
    let base64 = |known: &rules::Trusted| known.certificate.base64.clone();
    let fingerprint = |known: &rules::Trusted| known.certificate.fingerprint.clone();
    saml.idp_certificates = refresh.certificates.iter().map(base64).collect();
    saml.metadata_certificates =
        refresh.certificates.iter().filter(|known| known.is_from_metadata).map(fingerprint).collect();
    // The document is kept where it says what is in force, and all of it.
    let is_named =
        |known: &rules::Trusted| known.is_from_metadata && read.document.certificates.contains(&known.certificate);
    let is_whole = refresh.notices.is_empty() && refresh.certificates.iter().all(is_named);
    saml.idp_metadata = is_whole.then(|| read.text.clone());
}

fn record_of(refresh: &Refresh, requested: bool, now: Millis) -> MetadataRefreshRecord {
    let outcome = match refresh.is_change() {
        true => MetadataRefreshOutcome::Changed,
        false => MetadataRefreshOutcome::Unchanged,
    };
    MetadataRefreshRecord {
        trusted: refresh.added.iter().map(shown).collect(),
        dropped: refresh.dropped.iter().map(shown).collect(),
        notices: refresh.notices.iter().map(describe_notice).collect(),
        ..blank(outcome, None, requested, now)
    }
}

fn blank(
    outcome: MetadataRefreshOutcome,
    error: Option<MetadataRefreshNotice>,
    requested: bool,
    at: Millis,
) -> MetadataRefreshRecord {
    let (trusted, dropped, notices) = (Vec::new(), Vec::new(), Vec::new());
    MetadataRefreshRecord { at, outcome, requested, error, trusted, dropped, notices }
}

fn shown(certificate: &Certificate) -> RefreshedCertificate {
    RefreshedCertificate {
        fingerprint: certificate.fingerprint.clone(),
        subject: certificate.subject.clone(),
        expires_at: certificate.expires_at,
    }
}

fn note(code: &str, message: String) -> MetadataRefreshNotice {
    MetadataRefreshNotice { code: code.to_owned(), message }
}

/// A failure in the words it would have when the operator sets the URL.
fn notice_of(refusal: &Refusal) -> MetadataRefreshNotice {
    let entry = describe(refusal);
    note(entry.code, entry.long_message)
}

/// Why a document changes nothing.
pub fn notice_of_rule(refusal: &rules::Refusal) -> MetadataRefreshNotice {
    match refusal {
        rules::Refusal::EntityId { expected, got } => {
            let expected = expected.as_deref().unwrap_or("none, because the connection has none");
            note("entity_id_mismatch", format!("Expected the entity id {expected}, got {}.", clipped(got)))
        }
        rules::Refusal::Expired { valid_until } => {
            let until = doorward_saml::UnixMillis(*valid_until);
            note("metadata_expired", format!("Expected a document that holds, got one that was valid until {until}."))
        }
        rules::Refusal::NoUsableCertificate => {
            let text = "Expected a signing certificate that is trusted or can be, got none.";
            note("no_usable_certificate", text.to_owned())
        }
        rules::Refusal::TooManyCertificates { limit, got } => note(
            "too_many_certificates",
            format!("Expected at most {limit} certificates, got {got} with those that stay."),
        ),
    }
}

/// What the document says and was not followed in.
pub fn describe_notice(notice: &Notice) -> MetadataRefreshNotice {
    match notice {
        Notice::Withheld(certificate) => note(
            "certificate_withheld",
            format!("Certificate {} is named, but it, or another over its key, was taken away by hand.", certificate.fingerprint),
        ),
        Notice::Expired(certificate) => note(
            "certificate_expired",
            format!("Certificate {} is named, but has run out and was not trusted before.", certificate.fingerprint),
        ),
        Notice::Unusable(reason) => {
            note("certificate_unusable", format!("A certificate that is named is of no use: {reason}."))
        }
        Notice::KeptForNow(certificate) => note(
            "certificate_kept",
            format!(
                "Certificate {} is no longer named. It stays until a document names one that was trusted before and is in date.",
                certificate.fingerprint
            ),
        ),
        Notice::SsoUrl { current, offered } => note(
            "sso_url_differs",
            format!(
                "The document sends people to {}, the connection to {}. Set saml.idp_metadata_url again to follow.",
                clipped(offered),
                current.as_deref().unwrap_or("nowhere")
            ),
        ),
        Notice::Binding { current, offered } => {
            let (offered, current) = (binding_name(*offered), binding_name(*current));
            let text = format!("The document offers {offered}, the connection uses {current}. Set saml.idp_sso_binding to follow.");
            note("sso_binding_differs", text)
        }
        Notice::SignedRequestsNotWanted => note(
            SIGNED_UNASKED,
            "The document does not ask for signed requests, which the connection sends; set saml.sign_requests to follow.".into(),
        ),
        Notice::SignedRequestsWanted => note(
            "signed_requests_wanted",
            "The document asks for signed requests; set saml.sign_requests to follow.".into(),
        ),
    }
}

/// As the Backend API names it.
fn binding_name(binding: SsoBinding) -> &'static str {
    match binding {
        SsoBinding::Redirect => "redirect",
        SsoBinding::Post => "post",
    }
}

fn clipped(text: &str) -> String {
    text.chars().take(300).collect()
}

/// Each certificate that comes or goes stands in the log with its fingerprint, and so does what was not followed.
fn log(id: &EnterpriseConnectionId, record: &MetadataRefreshRecord) {
    for certificate in &record.trusted {
        let RefreshedCertificate { fingerprint, subject, .. } = certificate;
        tracing::warn!(connection = %id, fingerprint, subject, "metadata refresh: certificate trusted");
    }
    for certificate in &record.dropped {
        let RefreshedCertificate { fingerprint, subject, .. } = certificate;
        tracing::warn!(connection = %id, fingerprint, subject, "metadata refresh: certificate no longer trusted");
    }
    for MetadataRefreshNotice { code, message: reason } in &record.notices {
        if code == SIGNED_UNASKED {
            // Does no harm and may be meant to stay: not a warning a day.
            tracing::info!(connection = %id, code, reason, "metadata refresh: not followed");
        } else {
            tracing::warn!(connection = %id, code, reason, "metadata refresh: not followed");
        }
    }
    match (record.outcome, &record.error) {
        (_, Some(MetadataRefreshNotice { code, message: reason })) => {
            tracing::warn!(connection = %id, code, reason, "metadata refresh failed; nothing was changed");
        }
        (MetadataRefreshOutcome::Superseded, None) => {
            tracing::info!(connection = %id, "metadata refresh: the connection was changed meanwhile; nothing was applied");
        }
        (MetadataRefreshOutcome::Changed, None) => tracing::info!(connection = %id, "metadata refreshed, changed"),
        (_, None) => tracing::debug!(connection = %id, "metadata refreshed, unchanged"),
    }
}

/// Where the refreshing of a connection stands.
pub async fn state(
    tx: &mut Tx,
    id: &EnterpriseConnectionId,
) -> Result<(EnterpriseConnection, Option<MetadataRefresh>), FlowError> {
    let connection = saml_by_id(tx, id).await?;
    let state = metadata_refreshes::of(tx, id).await?;
    Ok((connection, state))
}
