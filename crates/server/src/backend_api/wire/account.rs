//! Addresses and enterprise accounts.

use crate::http::json::{Extended, NULL, object};
use doorward_model::{EmailAddress, EmailVerification, EnterpriseAccount, EnterpriseConnection, Protocol, Provider};
use serde::Serialize;

/// An account with its connection.
pub type Linked = (EnterpriseAccount, EnterpriseConnection);

/// `email_address`, with the accounts whose IdP vouches for it (LNK-7).
///
/// `matches_sso_connection` says whether an active connection serves the address (DOM-28).
pub fn email_address(address: &EmailAddress, accounts: &[Linked], matches_sso_connection: bool) -> impl Serialize {
    let same = || accounts.iter().filter(|(account, _)| account.email_address == address.address);
    let linked: Vec<_> = same()
        .map(|(account, connection)| object! { r#type: strategy(connection.provider), id: &account.id })
        .collect();
    let vouches = same().next().map(|(_, connection)| connection.provider);
    object! {
        object: "email_address",
        id: &address.id,
        email_address: &address.address,
        reserved: !address.verification.is_verified(),
        verification: verification(address.verification, vouches),
        linked_to: linked,
        matches_sso_connection: matches_sso_connection,
        created_at: &address.created_at,
        updated_at: &address.updated_at,
    }
}

/// A reserved address has no verification: nobody began one. `vouches` is the provider of the account that has the address, if
/// that is still there.
fn verification(kind: EmailVerification, vouches: Option<Provider>) -> Option<impl Serialize> {
    let (object, strategy) = match (kind, vouches) {
        (EmailVerification::Unverified, _) => return None,
        (EmailVerification::Admin, _) => ("verification_admin", "admin"),
        (EmailVerification::EnterpriseSso, Some(Provider::OidcCustom)) => {
            ("verification_from_oauth", "from_oauth_custom_oidc")
        }
        (EmailVerification::EnterpriseSso, Some(Provider::OidcGithubEnterprise)) => {
            ("verification_from_oauth", "from_oauth_custom_github")
        }
        (EmailVerification::EnterpriseSso, Some(Provider::OidcGitlab)) => {
            ("verification_from_oauth", "from_oauth_custom_gitlab")
        }
        (EmailVerification::EnterpriseSso, Some(Provider::OauthGoogle)) => {
            ("verification_from_oauth", "from_oauth_google")
        }
        (EmailVerification::EnterpriseSso, Some(Provider::OauthMicrosoft)) => {
            ("verification_from_oauth", "from_oauth_microsoft")
        }
        (EmailVerification::EnterpriseSso, _) => ("verification_saml", "saml"),
    };
    Some(object! { object: object, status: "verified", strategy: strategy, attempts: NULL, expire_at: NULL })
}

/// What a verification by a connection is called.
pub fn strategy(provider: Provider) -> &'static str {
    match provider {
        Provider::SamlCustom | Provider::SamlOkta | Provider::SamlGoogle | Provider::SamlMicrosoft => "saml",
        Provider::OidcCustom => "oauth_custom_oidc",
        Provider::OidcGithubEnterprise => "oauth_custom_github",
        Provider::OidcGitlab => "oauth_custom_gitlab",
        Provider::OauthGoogle => "oauth_google",
        Provider::OauthMicrosoft => "oauth_microsoft",
    }
}

/// The two words there are for a protocol (CON-2).
fn protocol(connection: &EnterpriseConnection) -> &'static str {
    match connection.provider.protocol() {
        Protocol::Saml => "saml",
        Protocol::Oidc => "oauth",
    }
}

/// `saml_account`
pub fn saml_account(account: &EnterpriseAccount, connection: &EnterpriseConnection) -> impl Serialize {
    Extended {
        base: object! {
            object: "saml_account",
            saml_connection: connection_summary(connection, connection.saml_connection_id.as_str()),
        },
        more: shared(account, connection),
    }
}

/// `enterprise_account`
pub fn enterprise_account(account: &EnterpriseAccount, connection: &EnterpriseConnection) -> impl Serialize {
    Extended {
        base: object! {
            object: "enterprise_account",
            protocol: protocol(connection),
            enterprise_connection_id: &connection.id,
            enterprise_connection: Extended {
                base: connection_summary(connection, connection.id.as_str()),
                more: object! { protocol: protocol(connection), logo_public_url: NULL },
            },
        },
        more: shared(account, connection),
    }
}

fn shared(account: &EnterpriseAccount, connection: &EnterpriseConnection) -> impl Serialize {
    object! {
        id: &account.id,
        provider: connection.provider.as_str(),
        active: &connection.active,
        email_address: &account.email_address,
        first_name: &account.first_name,
        last_name: &account.last_name,
        provider_user_id: &account.subject,
        public_metadata: &account.public_metadata,
        last_authenticated_at: &account.last_authenticated_at,
        verification: account_verification(account, connection.provider),
    }
}

/// There is no address to send anybody to any more; of the two forms only that of SAML says so.
fn account_verification(account: &EnterpriseAccount, provider: Provider) -> impl Serialize {
    let (name, nowhere) = match provider.protocol() {
        Protocol::Saml => ("verification_saml", Some(object! { external_verification_redirect_url: NULL })),
        Protocol::Oidc => ("verification_oauth", None),
    };
    Extended {
        base: object! {
            object: name,
            status: "verified",
            strategy: strategy(provider),
            error: NULL,
            expire_at: account.last_authenticated_at,
            attempts: NULL,
        },
        more: nowhere,
    }
}

fn connection_summary(connection: &EnterpriseConnection, id: &str) -> impl Serialize {
    object! {
        id: id,
        name: &connection.name,
        provider: connection.provider.as_str(),
        domain: connection.domains.first(),
        domains: &connection.domains,
        active: &connection.active,
        sync_user_attributes: &connection.sync_user_attributes,
        allow_subdomains: &connection.saml.allow_subdomains,
        allow_idp_initiated: &connection.saml.allow_idp_initiated,
        disable_additional_identifications: &connection.disable_additional_identifications,
        created_at: &connection.created_at,
        updated_at: &connection.updated_at,
    }
}
