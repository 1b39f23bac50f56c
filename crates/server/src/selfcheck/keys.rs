//! Our own keys towards the identity provider.

use super::Context;
use super::finding::{Check, Finding};
use crate::flows::{connection_keys as flow, saml_urls};
use doorward_model::{ConnectionKey, EnterpriseConnection, KeyPurpose};
use doorward_saml::AuthnRequest;
use doorward_saml::idp::ReceivedAuthnRequest;
use doorward_store::{StoreError, connection_keys};

const ENCRYPTION_KEY: Check =
    Check::new("encryption_key", "It opens the stored private keys; without it they are lost.");
const DECRYPTION: Check =
    Check::new("decryption_key", "What the identity provider encrypts can be read with it alone.");
const REQUEST: Check =
    Check::new("authn_request", "A sign-in begins with it; an identity provider that wants signatures refuses others.");

const WRONG_KEY: &str =
    "set encryption_key, or bring back the file beside the database, as they were when the key was made";

pub async fn check(context: &Context<'_>, connection: &EnterpriseConnection) -> Result<Vec<Finding>, StoreError> {
    let mut tx = context.store.read().await?;
    let decryption = connection_keys::all(&mut tx, &connection.id, KeyPurpose::Decryption).await?;
    let signing = connection_keys::all(&mut tx, &connection.id, KeyPurpose::Signing).await?;
    let signing = flow::signing_first(connection, signing).into_iter().next();
    let mut findings = Vec::new();
    if let Err(reason) = &context.encryption {
        findings.push(ENCRYPTION_KEY.problem(reason.clone(), WRONG_KEY));
    }
    findings.extend(decrypting(context, &decryption));
    findings.extend(requests(context, connection, signing.as_ref()));
    Ok(findings)
}

fn decrypting(context: &Context<'_>, keys: &[ConnectionKey]) -> Vec<Finding> {
    if keys.is_empty() {
        return vec![
            DECRYPTION
                .good("none yet; it is made when the metadata is first fetched, and nothing can be encrypted before"),
        ];
    }
    let Ok(encryption) = context.encryption else { return Vec::new() };
    let one = |key| match flow::open_decryption(encryption, key) {
        Ok(_) => DECRYPTION.good("opens with the encryption key"),
        Err(error) => DECRYPTION.problem(error.to_string(), WRONG_KEY),
    };
    keys.iter().map(one).collect()
}

/// Makes a request as a sign-in would, and reads it as an identity provider would.
fn requests(context: &Context<'_>, connection: &EnterpriseConnection, key: Option<&ConnectionKey>) -> Option<Finding> {
    let saml = &connection.saml;
    let idp_sso_url = saml.idp_sso_url.as_deref()?;
    let key = match (saml.sign_requests, key, &context.encryption) {
        (false, ..) => None,
        (true, None, _) => {
            let mend = r#"PATCH the connection with {"saml": {"sign_requests": false}} and then with true"#;
            return Some(REQUEST.problem("requests are to be signed, but there is no key", mend));
        }
        (true, Some(_), Err(_)) => return None,
        (true, Some(key), Ok(encryption)) => match flow::open_signing(encryption, key) {
            Ok(key) => Some(key),
            Err(error) => return Some(REQUEST.problem(error.to_string(), WRONG_KEY)),
        },
    };
    let id = &connection.saml_connection_id;
    let request = AuthnRequest {
        id: "_selfcheck",
        issue_instant_ms: context.now,
        idp_sso_url,
        acs_url: &saml_urls::acs_url(context.config, id),
        sp_entity_id: &saml_urls::sp_entity_id(context.config, id),
        force_authn: saml.force_authn,
        name_id_format: None,
    };
    let mend = "PATCH the connection with the saml.idp_sso_url of the identity provider";
    let redirect = match request.redirect_url(Some("selfcheck"), None, key.as_ref()) {
        Ok(redirect) => redirect,
        Err(error) => return Some(REQUEST.problem(format!("cannot be made: {error}"), mend)),
    };
    let query = redirect.split_once('?').map_or("", |(_, query)| query);
    if let Err(error) = ReceivedAuthnRequest::from_redirect_query(query) {
        return Some(REQUEST.problem(format!("cannot be read: {error}"), mend));
    }
    Some(match key {
        None => REQUEST.good("can be made; not signed"),
        Some(key) if ReceivedAuthnRequest::is_redirect_signed_by(query, key.certificate()) => {
            REQUEST.good("can be made and signed, and the signature verifies")
        }
        Some(_) => {
            REQUEST.problem("the signature does not verify", "this is a defect of the program; please report it")
        }
    })
}
