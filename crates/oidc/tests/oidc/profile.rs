//! From claims to a profile.

use doorward_oidc::{Claims, EmailVerified, Mapping, Nesting, Profile};
use serde_json::{Value, json};

use crate::signer::{draft, setting};

fn claims(values: &[(&str, Value)]) -> Claims {
    let mut draft = draft().without("email_verified");
    for (name, value) in values {
        draft = draft.claim(name, value.clone());
    }
    setting().verify(&draft.sign()).unwrap().claims().clone()
}

#[test]
fn reads_the_standard_claims() {
    let profile = Profile::read(&claims(&[("email_verified", json!(true))]), &Mapping::default());
    let text = |text: &str| Some(text.to_owned());
    let expected = Profile {
        subject: text("248289761001"),
        email: text("jane@acme.test"),
        email_verified: EmailVerified::Yes,
        given_name: text("Jane"),
        family_name: text("Doe"),
    };
    assert_eq!(profile, expected);
}

#[test]
fn an_address_is_verified_only_where_it_is_said_so() {
    let verified =
        |value: Value| Profile::read(&claims(&[("email_verified", value)]), &Mapping::default()).email_verified;
    assert_eq!(verified(json!("true")), EmailVerified::Yes);
    for value in [
        json!(false),
        json!("false"),
        json!("True"),
        json!("1"),
        json!(1),
        json!("yes"),
        json!(null),
        json!([true]),
        json!({"true": true}),
        json!(""),
    ] {
        assert_eq!(verified(value.clone()), EmailVerified::No, "{value}");
    }
    assert_eq!(Profile::read(&claims(&[]), &Mapping::default()).email_verified, EmailVerified::NotSaid);
}

#[test]
fn a_word_about_one_address_is_none_about_another() {
    let mapping = Mapping { email: "preferred_username", ..Mapping::default() };
    let with = |name: &str| claims(&[("email_verified", json!(true)), ("preferred_username", json!(name))]);
    let profile = Profile::read(&with("admin@acme.test"), &mapping);
    assert_eq!((profile.email.as_deref(), profile.email_verified), (Some("admin@acme.test"), EmailVerified::NotSaid));
    assert_eq!(Profile::read(&with("Jane@acme.test"), &mapping).email_verified, EmailVerified::Yes);
}

#[test]
fn names_are_names_and_paths_only_where_it_is_asked_for() {
    let claims = claims(&[("realm_access.roles", json!("flat")), ("a", json!({"b": {"c": "deep"}, "b.c": "x"}))]);
    let text = |name: &str, nesting| claims.text(name, nesting);
    assert_eq!(text("a.b.c", Nesting::Off), None);
    assert_eq!(text("a.b.c", Nesting::Dotted).as_deref(), Some("deep"));
    // A claim of that very name comes first.
    assert_eq!(text("realm_access.roles", Nesting::Dotted).as_deref(), Some("flat"));
    for name in ["a.b", "a.b.c.d", "a..b", ".a", "", "a.x", "email.x"] {
        assert_eq!(text(name, Nesting::Dotted), None, "{name}");
    }
    let nested = setting().verify(&draft().sign()).unwrap().claims().clone();
    assert_eq!(nested.texts("realm_access.roles", Nesting::Dotted), ["admin", "member"]);
    let mapping = Mapping { given_name: "a.b.c", nesting: Nesting::Dotted, ..Mapping::default() };
    assert_eq!(Profile::read(&claims, &mapping).given_name.as_deref(), Some("deep"));
}

#[test]
fn texts_are_bounded_and_of_usable_kinds() {
    let claims = claims(&[
        ("number", json!(42)),
        ("flag", json!(true)),
        ("fraction", json!(1.5)),
        ("spaced", json!("  x ")),
        ("blank", json!("  ")),
        ("control", json!("a\u{0}b")),
        ("long", json!("x".repeat(1025))),
        ("object", json!({"a": 1})),
        ("mixed", json!(["a", 1, true, null, {"x": 1}, ["y"], "", "b"])),
        ("many", json!(vec!["g"; 2000])),
    ]);
    let text = |name: &str| claims.text(name, Nesting::Off);
    assert_eq!(text("number").as_deref(), Some("42"));
    assert_eq!(text("flag").as_deref(), Some("true"));
    assert_eq!(text("spaced").as_deref(), Some("x"));
    for name in ["fraction", "blank", "control", "long", "object", "mixed", "absent"] {
        assert_eq!(text(name), None, "{name}");
    }
    assert_eq!(claims.texts("mixed", Nesting::Off), ["a", "1", "true", "b"]);
    assert_eq!(claims.texts("number", Nesting::Off), ["42"]);
    assert_eq!(claims.texts("many", Nesting::Off).len(), 1024);
    assert!(claims.texts("absent", Nesting::Off).is_empty());
    let printed = format!("{claims:?}");
    assert!(printed.contains("\"number\"") && !printed.contains("jane"), "{printed}");
    assert!(claims.iter().any(|(name, value)| name == "number" && value == 42));
}

#[test]
fn another_claim_may_be_the_subject_if_it_can_be_an_identity() {
    let subject = |value: Value| {
        let mapping = Mapping { subject: "employee", ..Mapping::default() };
        Profile::read(&claims(&[("employee", value)]), &mapping).subject
    };
    assert_eq!(subject(json!("e-1")).as_deref(), Some("e-1"));
    assert_eq!(subject(json!(7)).as_deref(), Some("7"));
    for value in [
        json!(""),
        json!(" e"),
        json!("é"),
        json!("a\tb"),
        json!(true),
        json!(1.0),
        json!(null),
        json!(["e"]),
        json!("x".repeat(256)),
    ] {
        assert_eq!(subject(value.clone()), None, "{value}");
    }
}
