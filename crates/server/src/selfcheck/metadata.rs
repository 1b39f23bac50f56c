//! The identity provider's metadata, as it is now, against what is stored.

use super::Context;
use super::finding::{Check, Finding};
use crate::flows::enterprise_connections::{fetch_metadata, parse_metadata};
use crate::flows::metadata_refresh::{describe_notice, document, notice_of_rule, trusted};
use crate::http::error_table::describe;
use doorward_model::{EnterpriseConnection, MetadataRefreshOutcome};
use doorward_rules::metadata_refresh::{Certificate, Facts, Notice, Refresh, Refusal, refresh};
use doorward_store::{StoreError, metadata_refreshes};

const METADATA: Check = Check::new(
    "idp_metadata",
    "What the identity provider publishes is what it does, today or soon: keys it will sign with, above all.",
);
const REFRESH: Check = Check::new(
    "metadata_refresh",
    "Where it fails for long, the next change of keys at the identity provider ends all sign-ins.",
);

pub async fn check(context: &Context<'_>, connection: &EnterpriseConnection) -> Result<Vec<Finding>, StoreError> {
    let saml = &connection.saml;
    let Some(url) = &saml.idp_metadata_url else {
        return Ok(vec![METADATA.good("no URL is set; the connection is as it was entered")]);
    };
    let mut findings = match fetch_metadata(context.outbound, url).await.and_then(|bytes| parse_metadata(&bytes)) {
        Err(refusal) => {
            let what = format!("{url}: {}", describe(&refusal).long_message);
            vec![METADATA.warning(
                what,
                "ask the identity provider's administrator for the present URL and PATCH saml.idp_metadata_url",
            )]
        }
        Ok(metadata) => {
            let facts = Facts { saml, trusted: &trusted(saml), now: context.now };
            match refresh(facts, &document(&metadata, saml)) {
                Err(refusal) => vec![refused(&refusal)],
                Ok(found) => compared(saml.refresh_idp_metadata, &found),
            }
        }
    };
    findings.extend(last_refresh(context, connection).await?);
    Ok(findings)
}

fn refused(refusal: &Refusal) -> Finding {
    let what = notice_of_rule(refusal).message;
    match refusal {
        Refusal::EntityId { .. } => METADATA.problem(
            format!("the document is of another identity provider. {what}"),
            "PATCH the connection with the saml.idp_metadata_url that belongs to it",
        ),
        _ => METADATA
            .warning(what, "tell the identity provider's administrator; until then the document changes nothing"),
    }
}

fn compared(is_refreshed: bool, found: &Refresh) -> Vec<Finding> {
    let list = |certificates: &[Certificate]| {
        let short = |certificate: &Certificate| certificate.fingerprint.chars().take(16).collect::<String>() + "…";
        certificates.iter().map(short).collect::<Vec<_>>().join(", ")
    };
    let mut findings: Vec<Finding> = found
        .notices
        .iter()
        .map(|notice| {
            let what = describe_notice(notice).message;
            match notice {
                // Signatures that nobody asked for do no harm.
                Notice::SignedRequestsNotWanted => METADATA.good(what),
                _ => METADATA.warning(what, "PATCH saml.idp_metadata_url again to follow all of the document"),
            }
        })
        .collect();
    let mut differences = Vec::new();
    if !found.added.is_empty() {
        differences.push(format!("it names certificates that are not trusted: {}", list(&found.added)));
    }
    if !found.dropped.is_empty() {
        differences.push(format!("it no longer names these, which are trusted: {}", list(&found.dropped)));
    }
    findings.push(match (differences.is_empty(), is_refreshed) {
        (true, _) => METADATA.good("the document names the certificates that are trusted"),
        (false, true) => METADATA.good(format!("{}; the next refresh follows", differences.join("; "))),
        (false, false) => METADATA.warning(
            differences.join("; "),
            "POST …/metadata_refresh, or switch saml.refresh_idp_metadata on so that it follows by itself",
        ),
    });
    findings
}

async fn last_refresh(context: &Context<'_>, connection: &EnterpriseConnection) -> Result<Option<Finding>, StoreError> {
    if !connection.saml.refresh_idp_metadata {
        return Ok(None);
    }
    if context.config.metadata_refresh_interval.is_none() {
        let what = "the connection wants its metadata refreshed, but metadata_refresh_interval is off";
        return Ok(Some(REFRESH.warning(what, "set metadata_refresh_interval, for example to 24h")));
    }
    let state = metadata_refreshes::of(&mut context.store.read().await?, &connection.id).await?;
    let failed = state.as_ref().and_then(|state| {
        let last = state.last.as_ref().filter(|last| last.outcome == MetadataRefreshOutcome::Failed)?;
        let reason = last.error.as_ref().map_or("", |error| error.message.as_str());
        Some(format!("failed {} times in a row, last with: {reason}", state.failures))
    });
    Ok(Some(match failed {
        Some(what) => REFRESH.warning(what, "see GET …/metadata_refresh; nothing was changed meanwhile"),
        None => REFRESH.good("on"),
    }))
}
