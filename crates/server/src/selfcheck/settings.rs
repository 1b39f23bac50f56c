//! What the operator set: the connection itself, and our side of it.

use super::Context;
use super::finding::{Check, Finding};
use crate::flows::enterprise_connections::is_browsable;
use crate::flows::saml_urls;
use crate::outbound::OutboundError;
use doorward_model::EnterpriseConnection;
use doorward_rules::connection_change::{is_common, missing_idp_fields};
use doorward_store::{StoreError, enterprise_connections, organizations};
use url::Url;

const ACTIVE: Check = Check::new("active", "Nobody is routed to a connection that is switched off.");
const ORGANIZATION: Check = Check::new("organization", "Who signs in becomes a member of the linked organization.");
const DOMAINS: Check = Check::new("domains", "The domain of the typed address decides which connection is used.");
const FIELDS: Check = Check::new("idp_fields", "Without them no request can be sent and no answer be verified.");
const PUBLIC_URL: Check = Check::new(
    "public_url",
    "Identity providers and browsers come to this URL; over plain http anybody on the way can read along.",
);
const OWN_NAMES: Check = Check::new("service_provider", "The identity provider must be set up with exactly these.");
const SSO_URL: Check = Check::new("sso_url", "Browsers are sent there to sign in.");

/// How much of the answer of an SSO URL is read; what is in it does not matter.
const MAX_ANSWER: usize = 256 * 1024;

pub async fn check(context: &Context<'_>, connection: &EnterpriseConnection) -> Result<Vec<Finding>, StoreError> {
    let mut findings = vec![active(connection), organization(context, connection).await?];
    findings.extend(domains(context, connection).await?);
    let missing = missing_idp_fields(connection);
    findings.push(match (missing.is_empty(), &connection.saml.idp_entity_id) {
        (true, Some(entity_id)) => FIELDS.good(format!("complete; the identity provider is {entity_id}")),
        _ => FIELDS.problem(
            format!("missing: {}", missing.join(", ")),
            "PATCH the connection with saml.idp_metadata_url, saml.idp_metadata or these fields",
        ),
    });
    findings.push(public_url(&context.config.public_url));
    let id = &connection.saml_connection_id;
    findings.push(OWN_NAMES.good(format!(
        "entity id {}, ACS {}, metadata {}",
        saml_urls::sp_entity_id(context.config, id),
        saml_urls::acs_url(context.config, id),
        saml_urls::sp_metadata_url(context.config, id)
    )));
    Ok(findings)
}

fn active(connection: &EnterpriseConnection) -> Finding {
    match (connection.active, connection.authenticatable) {
        (true, true) => ACTIVE.good("yes"),
        (false, _) => ACTIVE.problem("the connection is switched off", r#"PATCH it with {"active": true}"#),
        (true, false) => ACTIVE
            .problem("signing in through the connection is switched off", r#"PATCH it with {"authenticatable": true}"#),
    }
}

async fn organization(context: &Context<'_>, connection: &EnterpriseConnection) -> Result<Finding, StoreError> {
    let Some(id) = &connection.organization_id else {
        let mend = "PATCH the connection with organization_id, unless it is meant for the whole instance";
        return Ok(ORGANIZATION.warning("none is linked, so nobody becomes a member of anything", mend));
    };
    let found = organizations::by_id(&mut context.store.read().await?, id).await?;
    Ok(match found {
        Some(organization) => ORGANIZATION.good(format!("{id} ({})", organization.name)),
        None => ORGANIZATION
            .problem(format!("{id} is linked and does not exist"), "PATCH the connection with another organization_id"),
    })
}

async fn domains(context: &Context<'_>, connection: &EnterpriseConnection) -> Result<Vec<Finding>, StoreError> {
    if connection.domains.is_empty() {
        return Ok(vec![DOMAINS.problem("none, so nobody is routed here", "PATCH the connection with domains")]);
    }
    if let Some(common) = connection.domains.iter().find(|domain| is_common(domain)) {
        let what = format!("{common} belongs to a public mail provider: an address there proves nothing");
        return Ok(vec![DOMAINS.problem(what, "PATCH the connection with domains of the company's own")]);
    }
    let serving = enterprise_connections::serving(&mut context.store.read().await?, &connection.domains).await?;
    let others: Vec<String> = serving
        .iter()
        .filter(|other| other.id != connection.id && other.active && other.authenticatable)
        .map(|other| other.id.to_string())
        .collect();
    let names: Vec<&str> = connection.domains.iter().map(|domain| domain.as_str()).collect();
    Ok(vec![match others.is_empty() {
        true => DOMAINS.good(names.join(", ")),
        false => DOMAINS.warning(
            format!("{} also served by {}, so people have to choose", names.join(", "), others.join(", ")),
            "take the domain from one of the connections, unless the choice is wanted",
        ),
    }])
}

fn public_url(text: &str) -> Finding {
    let host = Url::parse(text).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    match (text.starts_with("https://"), host.as_str()) {
        (true, _) => PUBLIC_URL.good(text),
        (false, "127.0.0.1" | "[::1]") => PUBLIC_URL
            .warning(format!("{text} is for this machine alone"), "set public_url to the https:// URL of the server"),
        _ => PUBLIC_URL
            .problem(format!("{text} is not https"), "put TLS in front and set public_url to its https:// URL"),
    }
}

/// Whether there is somebody at the other end.
pub async fn sso_url(context: &Context<'_>, connection: &EnterpriseConnection) -> Option<Finding> {
    let url = connection.saml.idp_sso_url.as_deref()?;
    if !is_browsable(url) {
        let what = format!("{url} is no https:// URL");
        return Some(SSO_URL.problem(what, "PATCH the connection with the saml.idp_sso_url of the identity provider"));
    }
    let mend = "compare with the identity provider's metadata, and check DNS and firewall; if only browsers inside of the company \
                reach it, nothing needs mending";
    Some(match context.outbound.get(url, MAX_ANSWER).await {
        Ok(_) | Err(OutboundError::TooLarge(_)) => SSO_URL.good(format!("{url} answers")),
        // Without a request in it most identity providers answer with an error.
        Err(OutboundError::Status(status)) if !matches!(status, 404 | 410 | 500..) => {
            SSO_URL.good(format!("{url} answers (status {status}, as it was asked for nothing)"))
        }
        Err(error) => SSO_URL.warning(format!("{url}: {error}"), mend),
    })
}
