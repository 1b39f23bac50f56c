//! One type per kind of id: `prefix_` + 27 base62 characters, sortable by creation time.

use crate::{Millis, Random};
use serde::{Deserialize, Serialize};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Encodes a 160-bit number, most significant byte first, as exactly 27 base62 digits; order is preserved.
fn base62(mut bytes: [u8; 20]) -> String {
    let mut digits = [0u8; 27];
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0u32;
        for byte in &mut bytes {
            let value = (remainder << 8) | u32::from(*byte);
            *byte = (value / 62) as u8;
            remainder = value % 62;
        }
        *digit = ALPHABET[remainder as usize];
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

/// The part of an id after its prefix: 48 bits of time, 112 random bits.
fn suffix(now: Millis, random: &dyn Random) -> String {
    let mut bytes = [0u8; 20];
    random.fill(&mut bytes[6..]);
    bytes[..6].copy_from_slice(&now.to_be_bytes()[2..]);
    base62(bytes)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// A new id for something created at `now`.
            pub fn generate(now: Millis, random: &dyn Random) -> Self {
                Self(format!(concat!($prefix, "_{}"), suffix(now, random)))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// The one instance a deployment is.
    InstanceId = "ins";
    /// A person.
    UserId = "user";
    /// An address of a user; Clerk calls it an identification.
    EmailAddressId = "idn";
    /// A customer of the operator.
    OrganizationId = "org";
    /// A user's place in an organization.
    OrganizationMembershipId = "orgmem";
    /// A role.
    RoleId = "role";
    /// A permission.
    PermissionId = "perm";
    /// A role set.
    RoleSetId = "roleset";
    /// An enterprise connection.
    EnterpriseConnectionId = "entconn";
    /// The SAML half of a connection; the id in its ACS URL (SML-4).
    SamlConnectionId = "samlc";
    /// The OpenID Connect half of a connection.
    OauthConfigId = "oac";
    /// A user's identity at an IdP.
    EnterpriseAccountId = "entacc";
    /// A browser.
    ClientId = "client";
    /// A signed-in user in a browser.
    SessionId = "sess";
    /// A sign-in attempt.
    SignInId = "sia";
    /// A sign-up attempt.
    SignUpId = "sua";
    /// An allow-listed redirect URL.
    RedirectUrlId = "ru";
    /// A secret key of the Backend API.
    SecretKeyId = "key";
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn an_id_is_its_prefix_and_27_base62_characters() {
        let id = UserId::generate(1_700_000_000_000, &Fixed(0xff));
        let suffix = id.as_str().strip_prefix("user_").unwrap();
        assert_eq!(suffix.len(), 27);
        assert!(suffix.bytes().all(|b| b.is_ascii_alphanumeric()));
    }

    #[test]
    fn ids_sort_by_time_whatever_their_random_part() {
        let earlier = UserId::generate(1_700_000_000_000, &Fixed(0xff));
        let later = UserId::generate(1_700_000_000_001, &Fixed(0));
        assert!(earlier < later);
    }

    #[test]
    fn base62_keeps_order_at_carry_boundaries() {
        let mut low = [0u8; 20];
        low[19] = 61;
        let mut high = [0u8; 20];
        high[19] = 62;
        assert_eq!(&base62(low)[25..], "0z");
        assert_eq!(&base62(high)[25..], "10");
    }
}
