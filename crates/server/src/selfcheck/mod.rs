//! `doorward selfcheck`: whether a connection would work and whether the server refuses what it must, told without a browser.
//!
//! Each part looks at one side of the connection and answers findings; none depends on another's. All but [`corpus`] only read.

mod certificates;
mod corpus;
#[cfg(test)]
mod corpus_tests;
mod finding;
mod keys;
mod metadata;
mod settings;
#[cfg(test)]
mod tests;
mod verifier;

pub use corpus::Target;
pub use finding::Report;

use crate::config::{Config, RawConfig};
use crate::keys::encryption::EncryptionKey;
use crate::outbound::Outbound;
use doorward_model::{EnterpriseConnection, Millis, Protocol, Random};
use doorward_store::{Store, StoreError, enterprise_connections, instance};
use finding::Check;

/// `doorward selfcheck saml`
#[derive(Debug, clap::Args)]
pub struct SamlOptions {
    #[command(flatten)]
    pub settings: RawConfig,
    /// The connection to check, by its id (entconn_… or samlc_…)
    #[arg(long, value_name = "ID")]
    pub connection: String,
    /// Where the running server listens, for the hostile answers that it is sent [default: http://<listen>]
    #[arg(long, value_name = "URL")]
    pub server_url: Option<String>,
    /// Print one JSON object instead of lines for people
    #[arg(long)]
    pub json: bool,
}

/// What the checks look at.
pub struct Context<'a> {
    pub config: &'a Config,
    pub store: &'a Store,
    pub outbound: &'a Outbound,
    /// The key that opens stored private keys, or why there is none.
    pub encryption: Result<&'a EncryptionKey, String>,
    pub random: &'a dyn Random,
    pub now: Millis,
    /// The running server; `None` where its secret key is not known.
    pub server: Option<Target<'a>>,
}

const EXISTS: Check = Check::new("connection", "People are routed to a connection by its id and domains.");

const PROTOCOL: Check = Check::new("protocol", "What is checked here is what SAML needs.");

/// Looks at a connection from all sides. An error means that the database cannot be read.
pub async fn saml(context: &Context<'_>, id: &str) -> Result<Report, StoreError> {
    let Some(connection) = find(context, id).await? else {
        let missing = EXISTS.problem(
            format!("there is no connection {id:?}"),
            "list the connections with GET /v1/enterprise_connections and check --database-url",
        );
        return Ok(Report::new(id, vec![missing]));
    };
    let mut findings =
        vec![EXISTS.good(format!("{} ({}), {}", connection.id, connection.name, connection.provider.as_str()))];
    if connection.provider.protocol() != Protocol::Saml {
        findings.push(PROTOCOL.problem("the connection speaks OpenID Connect", "check one that speaks SAML"));
        return Ok(Report::new(connection.id.as_str(), findings));
    }
    findings.extend(settings::check(context, &connection).await?);
    findings.extend(settings::sso_url(context, &connection).await);
    findings.extend(certificates::check(&connection, context.now));
    findings.extend(metadata::check(context, &connection).await?);
    findings.extend(keys::check(context, &connection).await?);
    findings.extend(verifier::check(context, &connection).await?);
    match &context.server {
        Some(target) => {
            let signing_keys = instance::signing_keys(&mut context.store.read().await?).await?;
            findings.extend(corpus::check(target, &signing_keys, &connection).await);
        }
        None => findings.push(corpus::not_run()),
    }
    Ok(Report::new(connection.id.as_str(), findings))
}

async fn find(context: &Context<'_>, id: &str) -> Result<Option<EnterpriseConnection>, StoreError> {
    let mut tx = context.store.read().await?;
    match enterprise_connections::by_id(&mut tx, &id.into()).await? {
        Some(found) => Ok(Some(found)),
        None => enterprise_connections::by_saml_connection_id(&mut tx, &id.into()).await,
    }
}
