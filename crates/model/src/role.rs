//! Roles, permissions and the role sets organizations use (ROL).

use crate::{Millis, PermissionId, RoleId, RoleSetId};

/// Something a member may do (ROL-2, ROL-6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    pub id: PermissionId,
    /// `org:<feature>:<action>`
    pub key: String,
    pub name: String,
    pub description: String,
    pub kind: PermissionType,
    pub created_at: Millis,
    pub updated_at: Millis,
}

/// Who made a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PermissionType {
    /// Built in; never in a session token (ROL-4).
    System,
    /// Made by the operator.
    User,
}

impl PermissionType {
    /// The word on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
        }
    }

    /// Reads [`Self::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::System, Self::User].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A named set of permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    pub id: RoleId,
    /// `org:` + lower-case letters, digits, underscore (ROL-5)
    pub key: String,
    pub name: String,
    pub description: Option<String>,
    pub permissions: Vec<Permission>,
    pub created_at: Millis,
    pub updated_at: Millis,
}

/// The roles an organization may use, with the one joiners get and the one its creator gets (ROL-11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleSet {
    pub id: RoleSetId,
    /// `role_set:` + lower-case letters, digits, underscore
    pub key: String,
    pub name: String,
    pub description: Option<String>,
    pub kind: RoleSetType,
    pub default_role_id: RoleId,
    pub creator_role_id: RoleId,
    pub created_at: Millis,
    pub updated_at: Millis,
}

/// Whether new organizations get this role set (ROL-12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleSetType {
    /// Used for new organizations; exactly one per instance.
    Initial,
    /// Any other.
    Custom,
}

impl RoleSetType {
    /// The word on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Custom => "custom",
        }
    }

    /// Reads [`Self::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Initial, Self::Custom].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A built-in permission and whether the stock member role holds it (ROL-1, ROL-2).
pub struct SystemPermission {
    pub key: &'static str,
    pub name: &'static str,
    pub description: &'static str,
    pub held_by_member: bool,
}

/// The nine system permissions; the stock admin role holds all of them.
pub const SYSTEM_PERMISSIONS: [SystemPermission; 9] = [
    SystemPermission {
        key: "org:sys_profile:manage",
        name: "Manage organization",
        description: "Change the organization's name and picture",
        held_by_member: false,
    },
    SystemPermission {
        key: "org:sys_profile:delete",
        name: "Delete organization",
        description: "Delete the organization",
        held_by_member: false,
    },
    SystemPermission {
        key: "org:sys_memberships:read",
        name: "Read members",
        description: "See who is a member",
        held_by_member: true,
    },
    SystemPermission {
        key: "org:sys_memberships:manage",
        name: "Manage members",
        description: "Invite, change and remove members",
        held_by_member: false,
    },
    SystemPermission {
        key: "org:sys_domains:read",
        name: "Read domains",
        description: "See the organization's domains",
        held_by_member: false,
    },
    SystemPermission {
        key: "org:sys_domains:manage",
        name: "Manage domains",
        description: "Add, verify and remove domains",
        held_by_member: false,
    },
    SystemPermission {
        key: "org:sys_billing:read",
        name: "Read billing",
        description: "See plan and invoices",
        held_by_member: true,
    },
    SystemPermission {
        key: "org:sys_billing:manage",
        name: "Manage billing",
        description: "Change plan and payment",
        held_by_member: false,
    },
    SystemPermission {
        key: "org:sys_entconns:manage",
        name: "Manage enterprise connections",
        description: "Configure single sign-on",
        held_by_member: false,
    },
];
