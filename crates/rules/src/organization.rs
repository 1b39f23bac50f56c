//! Names and slugs of organizations, keys of roles and role sets (ORG-5, ORG-6, ROL-5, ROL-11).

/// Why a name is refused.
#[derive(Debug, PartialEq, Eq)]
pub enum NameRefusal {
    Empty,
    /// More than 256 characters.
    TooLong,
    /// Contains a URL or HTML.
    Unsafe,
}

/// The longest name or slug, in characters.
pub const MAX_NAME_LENGTH: usize = 256;

/// Checks a name: it ends up in mails and on other people's screens, so it may hold neither URLs nor HTML.
pub fn check_name(name: &str) -> Result<(), NameRefusal> {
    let name = name.trim();
    if name.is_empty() {
        return Err(NameRefusal::Empty);
    }
    if name.chars().count() > MAX_NAME_LENGTH {
        return Err(NameRefusal::TooLong);
    }
    let lower = name.to_lowercase();
    let is_url = lower.contains("://") || lower.contains("www.");
    let is_markup = name.contains(['<', '>']) || name.chars().any(char::is_control);
    if is_url || is_markup { Err(NameRefusal::Unsafe) } else { Ok(()) }
}

/// Whether a slug is well-formed: lower-case letters, digits and inner dashes.
pub fn is_slug(slug: &str) -> bool {
    let characters_ok = slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    characters_ok && !slug.is_empty() && slug.len() <= MAX_NAME_LENGTH && !slug.starts_with('-') && !slug.ends_with('-')
}

/// A slug made from a name; `unique` is appended so that it need not be tried again.
pub fn slug_from(name: &str, unique: &str) -> String {
    let mut slug = String::new();
    for c in name.trim().to_lowercase().chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug: String = slug.trim_end_matches('-').chars().take(60).collect();
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { format!("org-{unique}") } else { format!("{slug}-{unique}") }
}

/// Whether a key is `prefix` + lower-case letters, digits, underscore.
pub fn is_key(key: &str, prefix: &str) -> bool {
    key.strip_prefix(prefix).is_some_and(|rest| {
        !rest.is_empty()
            && rest.len() <= 64
            && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    })
}

/// A key made from a name (ROL-11).
pub fn key_from(name: &str, prefix: &str) -> String {
    let mut key = String::new();
    for c in name.trim().to_lowercase().chars() {
        if c.is_ascii_alphanumeric() {
            key.push(c);
        } else if !key.is_empty() && !key.ends_with('_') {
            key.push('_');
        }
    }
    let key: String = key.trim_end_matches('_').chars().take(60).collect();
    format!("{prefix}{}", key.trim_end_matches('_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn org5_names_hold_neither_urls_nor_html() {
        for name in ["Acme", "Bücher & Söhne", "東京 (\"K.K.\")", "a.b GmbH"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["http://evil.test", "see www.evil.test", "<b>Acme</b>", "a\u{7}b"] {
            assert_eq!(check_name(name), Err(NameRefusal::Unsafe), "{name}");
        }
        assert_eq!(check_name("  "), Err(NameRefusal::Empty));
        assert_eq!(check_name(&"x".repeat(257)), Err(NameRefusal::TooLong));
        assert_eq!(check_name(&"ü".repeat(256)), Ok(()));
    }

    #[test]
    fn org6_slugs() {
        for slug in ["acme", "acme-2", "2"] {
            assert!(is_slug(slug), "{slug}");
        }
        for slug in ["", "Acme", "a_b", "-a", "a-", "a b", "ä"] {
            assert!(!is_slug(slug), "{slug}");
        }
        assert_eq!(slug_from("Bücher & Söhne!", "17"), "b-cher-s-hne-17");
        assert_eq!(slug_from("東京", "17"), "org-17");
        assert!(is_slug(&slug_from(&"a-".repeat(200), "17")));
    }

    #[test]
    fn rol5_rol11_keys() {
        assert!(is_key("org:billing_2", "org:"));
        for key in ["org:", "org:Admin", "role:a", "org:a-b"] {
            assert!(!is_key(key, "org:"), "{key}");
        }
        assert_eq!(key_from("All Admins!", "role_set:"), "role_set:all_admins");
    }
}
