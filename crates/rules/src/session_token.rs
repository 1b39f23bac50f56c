//! How a member's custom permissions are written into a session token (TOK-2 … TOK-4).

use std::collections::BTreeMap;

/// The three claims that carry custom permissions of a role.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PermissionClaims {
    /// `fea`: the features, each with the prefix `o:`.
    pub features: String,
    /// `o.per`: the names of all actions.
    pub permissions: String,
    /// `o.fpm`: one number per feature; bit *i* says that the feature has the *i*-th action.
    pub feature_permission_map: String,
}

/// Encodes keys of the form `org:<feature>:<action>`; system permissions and malformed keys are left out (ROL-4).
///
/// A role with more than 63 distinct actions loses those beyond: a claim that cannot be read would lose them all.
pub fn encode_permissions<'a>(keys: impl IntoIterator<Item = &'a str>) -> PermissionClaims {
    let mut features: BTreeMap<&str, u64> = BTreeMap::new();
    let mut actions: Vec<&str> = Vec::new();
    for key in keys {
        let Some((feature, action)) = key.strip_prefix("org:").and_then(|rest| rest.split_once(':')) else { continue };
        if feature.starts_with("sys_") {
            continue;
        }
        let position = actions.iter().position(|known| *known == action).unwrap_or_else(|| {
            actions.push(action);
            actions.len() - 1
        });
        if let Some(bit) = u32::try_from(position).ok().and_then(|shift| 1u64.checked_shl(shift)) {
            *features.entry(feature).or_default() |= bit;
        }
    }
    let join = |parts: Vec<String>| parts.join(",");
    PermissionClaims {
        features: join(features.keys().map(|feature| format!("o:{feature}")).collect()),
        permissions: actions.join(","),
        feature_permission_map: join(features.values().map(u64::to_string).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tok3_the_documented_example() {
        let claims = encode_permissions(["org:dashboard:manage", "org:dashboard:read", "org:teams:read"]);
        assert_eq!(claims.features, "o:dashboard,o:teams");
        assert_eq!(claims.permissions, "manage,read");
        assert_eq!(claims.feature_permission_map, "3,2");
    }

    #[test]
    fn tok4_system_permissions_never_appear() {
        assert_eq!(encode_permissions(["org:sys_memberships:manage", "nonsense"]), PermissionClaims::default());
    }
}
