//! Microsoft Entra ID.

use serde_json::Value;

use super::{EasieError, EasieIdentity, email_on_domains};
use crate::discovery::{DiscoveryError, ExpectedIssuer, Issuer, ProviderMetadata, TENANT_PLACEHOLDER};
use crate::id_token::IdToken;
use crate::shown::Shown;

/// The issuer that the shared configuration document names.
pub const ISSUER_TEMPLATE: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";
/// The configuration document of all tenants but the personal one.
pub const DISCOVERY_URL: &str = "https://login.microsoftonline.com/organizations/v2.0/.well-known/openid-configuration";
/// What has to be asked for. Without `profile` there is no `oid`; without `offline_access` no refresh token.
pub const SCOPES: &[&str] = &["openid", "email", "profile", "offline_access"];
/// The tenant that all personal accounts are in.
pub const PERSONAL_TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// What Entra ID wants in the authorization request besides: with one domain, where to look for the account. It is a
/// convenience; [`check`] decides.
pub fn authorization_parameters<'a>(domains: &[&'a str]) -> Vec<(&'static str, &'a str)> {
    match domains {
        [domain] => vec![("domain_hint", domain)],
        _ => Vec::new(),
    }
}

/// Whose account it is, for a connection with these domains (lower-case A-labels), pinned to a tenant or not yet.
///
/// Any tenant's administrator can write any address into `email`, also one of another company ("nOAuth"). Therefore: the
/// issuer has been checked against `tid` ([`Issuer::TenantTemplate`](crate::Issuer::TenantTemplate)); `tid` is the pinned one,
/// once there is one; `xms_edov` says that the tenant has proved to own the address's domain; and guests are refused, whom
/// another organization authenticates.
///
/// The subject is `oid.tid` in lower case, not `sub`: `sub` is another one for each application, so that a new registration of
/// ours, which EASIE's instance-wide credentials make likely one day, would make strangers of everybody. `oid` is the
/// account's for good, but only within its tenant, therefore with `tid`.
///
/// # Errors
/// See [`EasieError`].
pub fn check(id_token: &IdToken, domains: &[&str], pinned: Option<&str>) -> Result<EasieIdentity, EasieError> {
    let claim = |name: &str| id_token.claims().get(name);
    let tenant = id_token.tenant().ok_or(EasieError::TenantNotVerified)?;
    let tenant = guid(tenant).ok_or_else(|| EasieError::TenantInvalid { got: tenant.into() })?;
    if tenant == PERSONAL_TENANT {
        return Err(EasieError::PersonalAccount);
    }
    if let Some(pinned) = pinned
        && !pinned.eq_ignore_ascii_case(&tenant)
    {
        return Err(EasieError::TenantMismatch { expected: pinned.into(), got: tenant.into() });
    }
    refuse_guests(id_token, &tenant)?;
    if !is_domain_owner_verified(claim("xms_edov")) {
        let got = claim("xms_edov").map_or("nothing".to_owned(), Value::to_string);
        return Err(EasieError::EmailNotVerified { claim: "xms_edov", got: got.into() });
    }
    let email = email_on_domains(claim("email").and_then(Value::as_str), domains)?;
    let object_id = claim("oid").and_then(Value::as_str).unwrap_or_default();
    let object_id = guid(object_id).ok_or_else(|| EasieError::ObjectIdInvalid { got: object_id.into() })?;
    Ok(EasieIdentity { subject: format!("{object_id}.{tenant}"), email, tenant })
}

/// The issuer template that belongs to the address of a shared configuration document: its first folder, which is `common`,
/// `organizations` or `consumers`, is where the tenant stands. `None` for the document of one tenant.
pub fn issuer_template(discovery_url: &str) -> Option<String> {
    let (audience, template) = audience(discovery_url)?;
    matches!(audience, "common" | "organizations" | "consumers").then_some(template)
}

/// The tenant whose own configuration document is at this address, in lower case. `None` for a shared document.
pub fn tenant_of_discovery_url(discovery_url: &str) -> Option<String> {
    guid(audience(discovery_url)?.0)
}

/// The first folder of a document's address, and the issuer with the placeholder in its place.
fn audience(discovery_url: &str) -> Option<(&str, String)> {
    let address = discovery_url.split_once('?').map_or(discovery_url, |(address, _)| address);
    let authority = address.strip_suffix("/.well-known/openid-configuration")?;
    let (scheme, rest) = authority.split_once("://")?;
    let (host, path) = rest.split_once('/')?;
    let (audience, behind) = path.split_once('/').unwrap_or((path, ""));
    let behind = if behind.is_empty() { String::new() } else { format!("/{behind}") };
    Some((audience, format!("{scheme}://{host}/{TENANT_PLACEHOLDER}{behind}")))
}

/// Reads the configuration document that was found under `url`: a shared one, or that of one tenant. Of either kind the issuer
/// is a template, so that [`check`] knows the tenant; that it is the one of [`tenant_of_discovery_url`] is for the caller to ask.
///
/// # Errors
/// As [`ProviderMetadata::parse`]; or the address is of neither kind.
pub fn configuration(bytes: &[u8], url: &str) -> Result<ProviderMetadata, DiscoveryError> {
    if let Some(template) = issuer_template(url) {
        return ProviderMetadata::parse(bytes, ExpectedIssuer::TenantTemplate(&template));
    }
    let mut metadata = ProviderMetadata::parse(bytes, ExpectedIssuer::OfDiscoveryUrl(url))?;
    let template = audience(url).filter(|(audience, _)| guid(audience).is_some()).map(|(_, template)| template);
    let issuer = metadata.issuer.as_ref().map(Issuer::as_str).unwrap_or_default();
    match template.filter(|template| tenant_of_issuer(template, issuer).is_some()) {
        Some(template) => metadata.issuer = Some(Issuer::TenantTemplate(template)),
        None => {
            let problem = "must be that of a tenant, with its id as the first folder";
            return Err(DiscoveryError::IssuerInvalid { problem, got: issuer.into() });
        }
    }
    Ok(metadata)
}

/// The id of a tenant that organizations have, in lower case: a GUID, and not that of all personal accounts.
pub fn tenant_id(text: &str) -> Option<String> {
    guid(text).filter(|tenant| tenant != PERSONAL_TENANT)
}

/// What stands in `issuer` in the place of the placeholder, if it is a GUID and all else is equal.
pub(crate) fn tenant_of_issuer<'a>(template: &str, issuer: &'a str) -> Option<&'a str> {
    let (before, behind) = template.split_once(TENANT_PLACEHOLDER)?;
    let tenant = issuer.strip_prefix(before)?.strip_suffix(behind)?;
    guid(tenant).map(|_| tenant)
}

/// A GUID in its usual form, in lower case.
pub(super) fn guid(text: &str) -> Option<String> {
    let is_guid = text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    is_guid.then(|| text.to_ascii_lowercase())
}

/// Entra ID sends it as a boolean, a number or a string, depending on the kind of account and of token.
fn is_domain_owner_verified(claim: Option<&Value>) -> bool {
    match claim {
        Some(Value::Bool(value)) => *value,
        Some(Value::Number(number)) => number.as_u64() == Some(1),
        Some(Value::String(text)) => text == "1" || text == "true",
        _ => false,
    }
}

fn refuse_guests(id_token: &IdToken, tenant: &str) -> Result<(), EasieError> {
    let guest = |claim: &'static str, got: &Value| {
        let got = got.as_str().map_or_else(|| Shown::from(got.to_string()), Shown::from);
        Err(EasieError::Guest { claim, got })
    };
    // `idp` is there when somebody else authenticated the person. It may also repeat the tenant's own issuer.
    if let Some(idp) = id_token.claims().get("idp") {
        let own = [id_token.issuer().to_owned(), format!("https://sts.windows.net/{tenant}/")];
        if !idp.as_str().is_some_and(|idp| own.iter().any(|own| own.eq_ignore_ascii_case(idp))) {
            return guest("idp", idp);
        }
    }
    // The optional claim `acct`: 0 is a member, 1 a guest.
    if let Some(account) = id_token.claims().get("acct")
        && !(account.as_u64() == Some(0) || account.as_str() == Some("0"))
    {
        return guest("acct", account);
    }
    for claim in ["upn", "preferred_username", "unique_name", "email"] {
        if let Some(value) = id_token.claims().get(claim)
            && value.as_str().is_some_and(|text| text.to_ascii_uppercase().contains("#EXT#"))
        {
            return guest(claim, value);
        }
    }
    Ok(())
}
