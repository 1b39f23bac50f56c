//! Users as they see themselves.

use crate::backend_api::wire::user::UserView as Account;
use crate::frontend_api::wire::organization;
use doorward_model::{Organization, OrganizationMembership, Role, User};
use doorward_store::{Page, StoreError, Tx, memberships, roles};
use serde_json::{Value, json};

/// The most memberships that come with a user; the rest is listed page by page.
const MEMBERSHIPS: Page = Page { limit: 100, offset: 0 };

/// A user with all that is shown of them.
pub struct UserView {
    account: Account,
    memberships: Vec<(OrganizationMembership, Organization)>,
    roles: Vec<Role>,
}

impl UserView {
    /// Loads a user's view.
    pub async fn load(tx: &mut Tx, user: User) -> Result<Self, StoreError> {
        let memberships = memberships::of_user(tx, &user.id, MEMBERSHIPS).await?;
        let roles = if memberships.is_empty() { Vec::new() } else { roles::roles(tx).await? };
        Ok(Self { account: Account::load(tx, user).await?, memberships, roles })
    }

    /// `organization_membership`s of the user.
    fn memberships(&self) -> Vec<Value> {
        let wire = |(membership, of): &(OrganizationMembership, Organization)| {
            let role = self.roles.iter().find(|role| role.id == membership.role_id)?;
            Some(self.membership(membership, of, role))
        };
        self.memberships.iter().filter_map(wire).collect()
    }

    /// One of the user's memberships.
    pub fn membership(&self, membership: &OrganizationMembership, of: &Organization, role: &Role) -> Value {
        organization::membership(membership, of, role, self.public_user_data())
    }

    /// `public_user_data`
    pub fn public_user_data(&self) -> Value {
        let user = &self.account.user;
        json!({
            "user_id": user.id,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "username": user.username,
            "image_url": "",
            "has_image": false,
            "profile_image_url": "",
            "identifier": self.account.identifier(),
            "banned": user.banned,
            "deprovisioned": user.deprovisioned,
        })
    }

    /// `user`, without private metadata.
    pub fn user(&self) -> Value {
        let mut object = self.account.shared();
        // Here it is a number: 0 is no limit.
        object["create_organizations_limit"] = json!(self.account.user.create_organizations_limit.unwrap_or(0));
        object["organization_memberships"] = Value::Array(self.memberships());
        object
    }
}
