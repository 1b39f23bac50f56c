//! Users.

use super::account::{Linked, email_address, enterprise_account, saml_account};
use crate::http::json::{EMPTY, Extended, NULL, object};
use doorward_model::{Domain, EmailAddress, EnterpriseConnection, EnterpriseConnectionId, Protocol, User, UserId};
use doorward_rules::sign_in_route::{covers, domains_to_look_up};
use doorward_store::{StoreError, Tx, enterprise_accounts, enterprise_connections, users};
use serde::Serialize;
use std::collections::HashMap;

/// A user with addresses and accounts.
pub struct UserView {
    pub user: User,
    pub addresses: Vec<EmailAddress>,
    pub accounts: Vec<Linked>,
    /// The active connections that serve one of the addresses and are not among the accounts'.
    serving: Vec<EnterpriseConnection>,
}

impl UserView {
    /// Loads the view of one user.
    pub async fn load(tx: &mut Tx, user: User) -> Result<Self, StoreError> {
        let addresses = users::addresses(tx, &user.id).await?;
        let accounts = enterprise_accounts::of_user(tx, &user.id).await?;
        let mut view = Self { user, addresses, accounts, serving: Vec::new() };
        view.serving = serving(tx, std::slice::from_ref(&view)).await?;
        Ok(view)
    }

    /// Loads the views of a page of users with a fixed number of queries, and one for each connection among them.
    pub async fn load_all(tx: &mut Tx, page: Vec<User>) -> Result<Vec<Self>, StoreError> {
        let ids: Vec<&str> = page.iter().map(|user| user.id.as_str()).collect();
        let mut addresses: HashMap<UserId, Vec<EmailAddress>> = HashMap::new();
        for address in users::addresses_of_all(tx, &ids).await? {
            addresses.entry(address.user_id.clone()).or_default().push(address);
        }
        let mut connections: HashMap<EnterpriseConnectionId, EnterpriseConnection> = HashMap::new();
        let mut accounts: HashMap<UserId, Vec<Linked>> = HashMap::new();
        for account in enterprise_accounts::of_users(tx, &ids).await? {
            let id = account.enterprise_connection_id.clone();
            if !connections.contains_key(&id)
                && let Some(connection) = enterprise_connections::by_id(tx, &id).await?
            {
                connections.insert(id.clone(), connection);
            }
            if let Some(connection) = connections.get(&id) {
                accounts.entry(account.user_id.clone()).or_default().push((account, connection.clone()));
            }
        }
        let view = |user: User| {
            let (addresses, accounts) = (addresses.remove(&user.id), accounts.remove(&user.id));
            let (addresses, accounts) = (addresses.unwrap_or_default(), accounts.unwrap_or_default());
            Self { user, addresses, accounts, serving: Vec::new() }
        };
        let mut views: Vec<Self> = page.into_iter().map(view).collect();
        let serving = serving(tx, &views).await?;
        for view in &mut views {
            view.serving = serving.iter().filter(|connection| view.is_served_by(connection)).cloned().collect();
        }
        Ok(views)
    }

    fn is_served_by(&self, connection: &EnterpriseConnection) -> bool {
        self.addresses.iter().any(|address| covers(connection, &address.address))
    }

    /// Whether an active connection serves an address (DOM-28).
    fn matches_sso(&self, address: &EmailAddress) -> bool {
        let known = self.accounts.iter().map(|(_, connection)| connection).chain(&self.serving);
        known.filter(|connection| connection.active).any(|connection| covers(connection, &address.address))
    }

    /// The address the user is known by; empty for a user without any.
    pub fn identifier(&self) -> &str {
        let primary = self.user.primary_email_address_id.as_ref();
        let address = self.addresses.iter().find(|address| Some(&address.id) == primary).or(self.addresses.first());
        address.map_or("", |address| address.address.as_str())
    }

    /// What every surface shows of a user.
    pub fn shared(&self) -> impl Serialize {
        let user = &self.user;
        let accounts = || self.accounts.iter();
        let saml_accounts: Vec<_> = accounts()
            .filter(|(_, connection)| connection.provider.protocol() == Protocol::Saml)
            .map(|(account, connection)| saml_account(account, connection))
            .collect();
        let enterprise_accounts: Vec<_> =
            accounts().map(|(account, connection)| enterprise_account(account, connection)).collect();
        let addresses: Vec<_> = self
            .addresses
            .iter()
            .map(|address| email_address(address, &self.accounts, self.matches_sso(address)))
            .collect();
        object! {
            object: "user",
            id: &user.id,
            external_id: &user.external_id,
            username: &user.username,
            first_name: &user.first_name,
            last_name: &user.last_name,
            locale: &user.locale,
            image_url: "",
            has_image: false,
            profile_image_url: "",
            primary_email_address_id: &user.primary_email_address_id,
            primary_phone_number_id: NULL,
            primary_web3_wallet_id: NULL,
            password_enabled: false,
            two_factor_enabled: false,
            totp_enabled: false,
            backup_code_enabled: false,
            mfa_enabled_at: NULL,
            mfa_disabled_at: NULL,
            password_last_updated_at: NULL,
            email_addresses: addresses,
            phone_numbers: EMPTY,
            web3_wallets: EMPTY,
            passkeys: EMPTY,
            external_accounts: EMPTY,
            saml_accounts: saml_accounts,
            enterprise_accounts: enterprise_accounts,
            public_metadata: &user.public_metadata,
            unsafe_metadata: &user.unsafe_metadata,
            last_sign_in_at: &user.last_sign_in_at,
            banned: &user.banned,
            locked: &user.locked,
            deprovisioned: &user.deprovisioned,
            lockout_expires_in_seconds: NULL,
            verification_attempts_remaining: NULL,
            delete_self_enabled: &user.delete_self_enabled,
            create_organization_enabled: &user.create_organization_enabled,
            last_active_at: &user.last_active_at,
            legal_accepted_at: &user.legal_accepted_at,
            created_at: &user.created_at,
            updated_at: &user.updated_at,
        }
    }
}

/// The connections that serve addresses which no account's connection serves already; one query when there are any.
async fn serving(tx: &mut Tx, views: &[UserView]) -> Result<Vec<EnterpriseConnection>, StoreError> {
    let open = |view: &UserView| -> Vec<Domain> {
        let unmatched = view.addresses.iter().filter(|address| !view.matches_sso(address));
        unmatched.flat_map(|address| domains_to_look_up(&address.address)).collect()
    };
    let mut domains: Vec<Domain> = views.iter().flat_map(open).collect();
    domains.sort();
    domains.dedup();
    if domains.is_empty() { Ok(Vec::new()) } else { enterprise_connections::serving(tx, &domains).await }
}

/// `user` as the operator sees it.
pub fn user(view: &UserView) -> impl Serialize {
    let more = object! {
        private_metadata: &view.user.private_metadata,
        create_organizations_limit: view.user.create_organizations_limit,
        bypass_client_trust: view.user.bypass_client_trust,
    };
    Extended { base: view.shared(), more }
}
