//! Reading the metadata of a connection's IdP again, on a schedule.

use crate::{EnterpriseConnectionId, Millis};
use serde::{Deserialize, Serialize};

/// Where the refreshing of one connection's metadata stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataRefresh {
    pub connection_id: EnterpriseConnectionId,
    /// When it is due; `None`: it is not on the schedule.
    pub due_at: Option<Millis>,
    /// Until then it belongs to whoever claimed it, and to nobody else.
    pub claimed_until: Millis,
    /// How many refreshes failed since the last that did not.
    pub failures: i64,
    /// When the document was last read without a failure.
    pub succeeded_at: Option<Millis>,
    pub last: Option<MetadataRefreshRecord>,
    /// The latest refreshes that changed something, newest first.
    pub changes: Vec<MetadataRefreshRecord>,
}

/// What one refresh came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataRefreshRecord {
    pub at: Millis,
    pub outcome: MetadataRefreshOutcome,
    /// Whether the operator asked for it.
    #[serde(default)]
    pub requested: bool,
    /// Why nothing was changed, of one that failed.
    #[serde(default)]
    pub error: Option<MetadataRefreshNotice>,
    /// Certificates that are trusted since.
    #[serde(default)]
    pub trusted: Vec<RefreshedCertificate>,
    /// Certificates that are no longer trusted since.
    #[serde(default)]
    pub dropped: Vec<RefreshedCertificate>,
    /// What the document says that was not followed.
    #[serde(default)]
    pub notices: Vec<MetadataRefreshNotice>,
}

/// How a refresh ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetadataRefreshOutcome {
    /// The set of trusted certificates is another one.
    Changed,
    Unchanged,
    /// Nothing was changed.
    Failed,
    /// The connection was changed while the document was fetched, so it was not applied.
    Superseded,
}

/// A reason for machines and for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataRefreshNotice {
    pub code: String,
    pub message: String,
}

/// A certificate that a refresh added or dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshedCertificate {
    /// SHA-256 of the DER in hexadecimal.
    pub fingerprint: String,
    pub subject: String,
    pub expires_at: Millis,
}
