//! `doorward explain`: what `POST /v1/sso/explain` answers, on the command line.

use crate::config::{Config, RawConfig};
use crate::flows::explain::{ConnectionExplanation, Explanation, explain};
use crate::http::error_table::sso_error;
use doorward_model::Email;
use doorward_rules::explain::Step;
use doorward_store::Store;

/// `doorward explain`
#[derive(Debug, clap::Args)]
pub struct ExplainOptions {
    #[command(flatten)]
    pub settings: RawConfig,
    /// The address that somebody would type
    #[arg(long)]
    pub email: String,
    /// Print one JSON object instead of lines for people
    #[arg(long)]
    pub json: bool,
}

/// Reads the database as it is, also beside a running server.
pub async fn run(config: &Config, options: &ExplainOptions) -> anyhow::Result<String> {
    let email = Email::parse(&options.email)
        .map_err(|_| anyhow::anyhow!("--email: {:?} is not a valid email address", options.email))?;
    let store = Store::open_to_read(&config.database_url).await?;
    let explained = explain(&mut store.read().await?, email).await;
    store.close().await;
    let explained = explained?;
    Ok(match options.json {
        true => serde_json::to_string_pretty(&crate::backend_api::wire::explanation::explanation(&explained))?,
        false => to_text(&explained),
    })
}

fn line(of: &Step) -> String {
    format!("{} ({})", of.reason, of.rule)
}

fn to_text(of: &Explanation) -> String {
    let mut lines = vec![format!("{}", of.email), format!("  {}", line(&of.route))];
    if of.connections.is_empty() {
        lines.push("  No connection lists this domain or one above it.".to_owned());
    }
    lines.extend(of.connections.iter().flat_map(connection_lines));
    lines.join("\n")
}

fn connection_lines(of: &ConnectionExplanation) -> Vec<String> {
    let connection = &of.connection;
    let mut lines = vec![
        format!("  Connection {} ({}, {})", connection.name, connection.id, connection.provider.as_str()),
        format!("    {}", line(&of.serving)),
    ];
    let Some(sign_in) = &of.sign_in else { return lines };
    lines.push(format!("    {}", line(&sign_in.account)));
    if let Some(user) = &sign_in.user_id {
        lines.push(format!("    User: {user}"));
    }
    if let Some(membership) = &sign_in.membership {
        lines.push(format!("    {}", line(membership)));
    }
    if let Some(organization) = &sign_in.organization {
        let role = sign_in.role.as_ref().map_or_else(String::new, |role| format!(", role {}", role.key));
        lines.push(format!("    Organization: {} ({}){role}", organization.name, organization.id));
    }
    match &sign_in.refusal {
        Some(refusal) => {
            let error = sso_error(refusal);
            lines.push(format!("    Not signed in: {}: {}", error.code, error.long_message));
        }
        None => lines.push("    Signed in, if the identity provider vouches for this address.".to_owned()),
    }
    lines
}
