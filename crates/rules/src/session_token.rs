//! How a member's custom permissions are written into a session token (TOK-2 … TOK-4).

use std::collections::{BTreeMap, BTreeSet};

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
pub fn encode_permissions<'a>(keys: impl IntoIterator<Item = &'a str>) -> PermissionClaims {
    // For each feature, the positions of its actions.
    let mut features: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
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
        features.entry(feature).or_default().insert(position);
    }
    let join = |parts: Vec<String>| parts.join(",");
    PermissionClaims {
        features: join(features.keys().map(|feature| format!("o:{feature}")).collect()),
        permissions: actions.join(","),
        feature_permission_map: join(features.values().map(decimal).collect()),
    }
}

/// The number in which the bits at these positions are set. Readers take one of any length.
fn decimal(bits: &BTreeSet<usize>) -> String {
    // Least significant digit first.
    let mut digits = vec![0u8];
    for position in (0..=bits.last().copied().unwrap_or(0)).rev() {
        let mut carry = u8::from(bits.contains(&position));
        for digit in &mut digits {
            let doubled = *digit * 2 + carry;
            (*digit, carry) = (doubled % 10, doubled / 10);
        }
        if carry > 0 {
            digits.push(carry);
        }
    }
    digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect()
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

    #[test]
    fn tok3_as_many_actions_as_there_are() {
        for (bits, expected) in [
            (vec![0], "1"),
            (vec![0, 1], "3"),
            (vec![63], "9223372036854775808"),
            (vec![0, 64], "18446744073709551617"),
            (vec![100], "1267650600228229401496703205376"),
        ] {
            assert_eq!(decimal(&bits.iter().copied().collect()), expected, "{bits:?}");
        }
        let keys: Vec<String> = (0..70).map(|n| format!("org:reports:a{n}")).collect();
        let claims = encode_permissions(keys.iter().map(String::as_str));
        assert_eq!(claims.permissions.split(',').count(), 70);
        assert_eq!(claims.feature_permission_map, ((1u128 << 70) - 1).to_string());
    }
}
