//! Users as they see themselves.

use crate::frontend_api::wire::account::{email_address, enterprise_account, saml_account};
use crate::frontend_api::wire::organization;
use doorward_model::{
    EmailAddress, EnterpriseAccount, EnterpriseConnection, Organization, OrganizationMembership, Role, User,
};
use doorward_store::{Page, StoreError, Tx, enterprise_accounts, enterprise_connections, memberships, roles, users};
use serde_json::{Value, json};

/// The most memberships that come with a user; the rest is listed page by page.
const MEMBERSHIPS: Page = Page { limit: 100, offset: 0 };

/// A user with all that is shown of them.
pub struct UserView {
    pub user: User,
    addresses: Vec<EmailAddress>,
    accounts: Vec<(EnterpriseAccount, EnterpriseConnection)>,
    memberships: Vec<(OrganizationMembership, Organization)>,
    roles: Vec<Role>,
}

impl UserView {
    /// Loads a user's view.
    pub async fn load(tx: &mut Tx, user: User) -> Result<Self, StoreError> {
        let addresses = users::addresses(tx, &user.id).await?;
        let mut accounts = Vec::new();
        for account in enterprise_accounts::of_user(tx, &user.id).await? {
            if let Some(connection) = enterprise_connections::by_id(tx, &account.enterprise_connection_id).await? {
                accounts.push((account, connection));
            }
        }
        let memberships = memberships::of_user(tx, &user.id, MEMBERSHIPS).await?;
        let roles = if memberships.is_empty() { Vec::new() } else { roles::roles(tx).await? };
        Ok(Self { user, addresses, accounts, memberships, roles })
    }

    /// The address the user is known by.
    pub fn identifier(&self) -> &str {
        let primary = self.user.primary_email_address_id.as_ref();
        let address = self.addresses.iter().find(|address| Some(&address.id) == primary).or(self.addresses.first());
        address.map_or("", |address| address.address.as_str())
    }

    /// `organization_membership`s of the user.
    pub fn memberships(&self) -> Vec<Value> {
        let wire = |(membership, of): &(OrganizationMembership, Organization)| {
            let role = self.roles.iter().find(|role| role.id == membership.role_id)?;
            Some(organization::membership(membership, of, role, Some((&self.user, self.identifier()))))
        };
        self.memberships.iter().filter_map(wire).collect()
    }

    /// `public_user_data`
    pub fn public_user_data(&self) -> Value {
        public_user_data(&self.user, self.identifier())
    }

    /// `user`
    pub fn user(&self) -> Value {
        let user = &self.user;
        let accounts = || self.accounts.iter();
        let saml_accounts: Vec<Value> =
            accounts().map(|(account, connection)| saml_account(account, connection)).collect();
        let enterprise_accounts: Vec<Value> =
            accounts().map(|(account, connection)| enterprise_account(account, connection)).collect();
        let addresses: Vec<Value> =
            self.addresses.iter().map(|address| email_address(address, &self.accounts)).collect();
        json!({
            "object": "user",
            "id": user.id,
            "username": user.username,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "locale": user.locale,
            "image_url": "",
            "has_image": false,
            "profile_image_url": "",
            "primary_email_address_id": user.primary_email_address_id,
            "primary_phone_number_id": null,
            "primary_web3_wallet_id": null,
            "password_enabled": false,
            "two_factor_enabled": false,
            "totp_enabled": false,
            "backup_code_enabled": false,
            "mfa_enabled_at": null,
            "mfa_disabled_at": null,
            "email_addresses": addresses,
            "phone_numbers": [],
            "web3_wallets": [],
            "passkeys": [],
            "organization_memberships": self.memberships(),
            "external_accounts": [],
            "saml_accounts": saml_accounts,
            "enterprise_accounts": enterprise_accounts,
            "password_last_updated_at": null,
            "public_metadata": user.public_metadata,
            "unsafe_metadata": user.unsafe_metadata,
            "external_id": user.external_id,
            "last_sign_in_at": user.last_sign_in_at,
            "banned": user.banned,
            "locked": user.locked,
            "deprovisioned": user.deprovisioned,
            "lockout_expires_in_seconds": null,
            "verification_attempts_remaining": null,
            "delete_self_enabled": user.delete_self_enabled,
            "create_organization_enabled": user.create_organization_enabled,
            "create_organizations_limit": user.create_organizations_limit,
            "last_active_at": user.last_active_at,
            "legal_accepted_at": user.legal_accepted_at,
            "created_at": user.created_at,
            "updated_at": user.updated_at,
        })
    }
}

/// `public_user_data`
pub fn public_user_data(user: &User, identifier: &str) -> Value {
    json!({
        "user_id": user.id,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "username": user.username,
        "image_url": "",
        "has_image": false,
        "profile_image_url": "",
        "identifier": identifier,
        "banned": user.banned,
        "deprovisioned": user.deprovisioned,
    })
}
