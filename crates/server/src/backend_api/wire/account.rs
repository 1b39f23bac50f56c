//! Addresses and enterprise accounts.

use doorward_model::{EmailAddress, EmailVerification, EnterpriseAccount, EnterpriseConnection};
use serde_json::{Value, json};

/// An account with its connection.
pub type Linked = (EnterpriseAccount, EnterpriseConnection);

/// `email_address`, with the accounts whose IdP vouches for it (LNK-7).
///
/// `matches_sso_connection` says whether an active connection serves the address (DOM-28).
pub fn email_address(address: &EmailAddress, accounts: &[Linked], matches_sso_connection: bool) -> Value {
    let same = accounts.iter().filter(|(account, _)| account.email_address == address.address);
    let linked: Vec<Value> = same.map(|(account, _)| json!({"type": "saml", "id": account.id})).collect();
    json!({
        "object": "email_address",
        "id": address.id,
        "email_address": address.address,
        "reserved": !address.verification.is_verified(),
        "verification": verification(address.verification),
        "linked_to": linked,
        "matches_sso_connection": matches_sso_connection,
        "created_at": address.created_at,
        "updated_at": address.updated_at,
    })
}

/// A reserved address has no verification: nobody began one.
fn verification(kind: EmailVerification) -> Value {
    let (object, strategy) = match kind {
        EmailVerification::Admin => ("verification_admin", "admin"),
        EmailVerification::EnterpriseSso => ("verification_saml", "saml"),
        EmailVerification::Unverified => return Value::Null,
    };
    json!({"object": object, "status": "verified", "strategy": strategy, "attempts": null, "expire_at": null})
}

/// `saml_account`
pub fn saml_account(account: &EnterpriseAccount, connection: &EnterpriseConnection) -> Value {
    let mut wire = shared(account, connection);
    wire["object"] = json!("saml_account");
    wire["saml_connection"] = connection_summary(connection, connection.saml_connection_id.as_str());
    wire
}

/// `enterprise_account`
pub fn enterprise_account(account: &EnterpriseAccount, connection: &EnterpriseConnection) -> Value {
    let mut wire = shared(account, connection);
    wire["object"] = json!("enterprise_account");
    wire["protocol"] = json!("saml");
    wire["enterprise_connection_id"] = json!(connection.id);
    let mut summary = connection_summary(connection, connection.id.as_str());
    summary["protocol"] = json!("saml");
    summary["logo_public_url"] = Value::Null;
    wire["enterprise_connection"] = summary;
    wire
}

fn shared(account: &EnterpriseAccount, connection: &EnterpriseConnection) -> Value {
    json!({
        "id": account.id,
        "provider": connection.provider.as_str(),
        "active": connection.active,
        "email_address": account.email_address,
        "first_name": account.first_name,
        "last_name": account.last_name,
        "provider_user_id": account.subject,
        "public_metadata": account.public_metadata,
        "last_authenticated_at": account.last_authenticated_at,
        "verification": {
            "object": "verification_saml",
            "status": "verified",
            "strategy": "saml",
            "external_verification_redirect_url": null,
            "error": null,
            "expire_at": account.last_authenticated_at,
            "attempts": null,
        },
    })
}

fn connection_summary(connection: &EnterpriseConnection, id: &str) -> Value {
    json!({
        "id": id,
        "name": connection.name,
        "provider": connection.provider.as_str(),
        "domain": connection.domains.first(),
        "domains": connection.domains,
        "active": connection.active,
        "sync_user_attributes": connection.sync_user_attributes,
        "allow_subdomains": connection.saml.allow_subdomains,
        "allow_idp_initiated": connection.saml.allow_idp_initiated,
        "disable_additional_identifications": connection.disable_additional_identifications,
        "created_at": connection.created_at,
        "updated_at": connection.updated_at,
    })
}
