//! Users as they see themselves.

use crate::app::App;
use crate::backend_api::wire::user::UserView as Account;
use crate::frontend_api::wire::organization;
use crate::http::json::{Extended, object};
use doorward_model::{Organization, OrganizationMembership, Role, User};
use doorward_rules::own_organization::creation_limit;
use doorward_store::{Page, StoreError, Tx, memberships};
use serde::Serialize;
use std::sync::Arc;

/// The most memberships that come with a user; the rest is listed page by page.
const MEMBERSHIPS: Page = Page { limit: 100, offset: 0 };

/// `public_user_data`: a user as the other members of an organization see them.
pub fn public_user_data(user: &User, identifier: impl Serialize) -> impl Serialize {
    object! {
        user_id: &user.id,
        first_name: &user.first_name,
        last_name: &user.last_name,
        username: &user.username,
        image_url: "",
        has_image: false,
        profile_image_url: "",
        identifier: identifier,
        banned: user.banned,
        deprovisioned: user.deprovisioned,
    }
}

/// A user with all that is shown of them.
pub struct UserView {
    account: Account,
    memberships: Vec<(OrganizationMembership, Organization)>,
    roles: Arc<Vec<Role>>,
}

impl UserView {
    /// Loads a user's view.
    pub async fn load(app: &App, tx: &mut Tx, user: User) -> Result<Self, StoreError> {
        let memberships = memberships::of_user(tx, &user.id, MEMBERSHIPS).await?;
        let roles = app.roles(tx, memberships.iter().map(|(held, _)| &held.role_id)).await?;
        Ok(Self { account: Account::load(tx, user).await?, memberships, roles })
    }

    /// One of the user's memberships.
    pub fn membership(&self, membership: &OrganizationMembership, of: &Organization, role: &Role) -> impl Serialize {
        organization::membership(membership, of, role, self.public_user_data())
    }

    /// `public_user_data`
    pub fn public_user_data(&self) -> impl Serialize {
        public_user_data(&self.account.user, self.account.identifier())
    }

    /// `user`, without private metadata.
    pub fn user(&self) -> impl Serialize {
        let with_role = self.memberships.iter().filter_map(|(membership, of)| {
            let role = self.roles.iter().find(|role| role.id == membership.role_id)?;
            Some(self.membership(membership, of, role))
        });
        let memberships: Vec<_> = with_role.collect();
        let more = object! {
            organization_memberships: memberships,
            // Here it is a number: 0 is no limit.
            create_organizations_limit: creation_limit(&self.account.user),
        };
        Extended { base: self.account.shared(), more }
    }
}
