//! Tokens that are no compact JWS, or not in its one spelling.

use crate::signer::{Attack, assert_refused, base64url, draft, with_header, with_payload};

/// A part of the good token in another spelling.
fn part(at: usize, change: impl Fn(&str) -> String) -> String {
    let token = draft().sign();
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    parts[at] = change(&parts[at]);
    parts.join(".")
}

#[test]
fn refuses_what_is_no_compact_token() {
    let good = draft().sign();
    let parts: Vec<&str> = good.split('.').collect();
    let json = format!(r#"{{"payload":"{}","protected":"{}","signature":"{}"}}"#, parts[1], parts[0], parts[2]);
    let attacks: Vec<Attack<'_>> = vec![
        ("empty", String::new(), "token_parts"),
        ("two dots", "..".into(), "token_header_invalid"),
        ("one part", parts[0].into(), "token_parts"),
        ("no signature", format!("{}.{}", parts[0], parts[1]), "token_parts"),
        ("a fourth part", format!("{good}.x"), "token_parts"),
        ("an empty fourth part", format!("{good}."), "token_parts"),
        ("five parts, encrypted", format!("{good}.x.y"), "token_encrypted"),
        ("an empty signature", format!("{}.{}.", parts[0], parts[1]), "signature_invalid"),
        ("an empty payload", format!("{}..{}", parts[0], parts[2]), "signature_invalid"),
        ("the JSON serialization", json, "token_parts"),
        ("with its scheme", format!("Bearer {good}"), "token_base64_invalid"),
        ("longer than accepted", draft().claim("x", "x".repeat(70_000)).sign(), "token_too_long"),
    ];
    assert_refused(&attacks);
}

#[test]
fn refuses_other_spellings_of_the_same_bytes() {
    let last = |text: &str| {
        // 256 bytes leave two characters with four unused bits; set one of them.
        let (rest, last) = text.split_at(text.len() - 1);
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let at = alphabet.find(last).unwrap();
        format!("{rest}{}", &alphabet[at + 1..at + 2])
    };
    let padded = |text: &str| {
        format!("{text}{}", "=".repeat((4 - text.len() % 4) % 4 + usize::from(text.len().is_multiple_of(4))))
    };
    let standard = |text: &str| text.replace('-', "+").replace('_', "/");
    let token_with_both = loop {
        // A signature with a character of the other alphabet in it; nearly all have one.
        let token = draft().claim("jti", base64url(draft().sign())).sign();
        if token.rsplit('.').next().unwrap().contains(['-', '_']) {
            break token;
        }
    };
    let attacks: Vec<Attack<'_>> = vec![
        ("padding behind the header", part(0, padded), "token_base64_invalid"),
        ("padding behind the payload", part(1, padded), "token_base64_invalid"),
        ("padding behind the signature", part(2, padded), "token_base64_invalid"),
        ("the alphabet of base64", standard(&token_with_both), "token_base64_invalid"),
        ("unused bits of the signature", part(2, last), "token_base64_invalid"),
        ("space in front", format!(" {}", draft().sign()), "token_base64_invalid"),
        ("a line break behind", format!("{}\n", draft().sign()), "token_base64_invalid"),
        ("a line break within", part(1, |text| format!("{}\r\n{}", &text[..8], &text[8..])), "token_base64_invalid"),
        ("a zero byte", part(1, |text| format!("{text}\0")), "token_base64_invalid"),
        ("a letter that is not ASCII", part(0, |text| format!("{text}é")), "token_base64_invalid"),
        ("percent-encoding", part(1, |text| format!("{text}%3D")), "token_base64_invalid"),
        ("one character less", part(2, |text| text[..text.len() - 1].to_owned()), "token_base64_invalid"),
    ];
    assert_refused(&attacks);
}

#[test]
fn refuses_signed_payloads_that_are_no_unambiguous_json() {
    let claims = draft().claims_json();
    let inside = &claims[..claims.len() - 1];
    let nested = format!("{inside},\"x\":{}{}}}", "[".repeat(40), "]".repeat(40));
    let attacks: Vec<Attack<'_>> = vec![
        ("two subjects", with_payload(format!("{inside},\"sub\":\"admin\"}}")), "token_payload_invalid"),
        (
            "two subjects, one escaped",
            with_payload(format!("{inside},\"\\u0073ub\":\"admin\"}}")),
            "token_payload_invalid",
        ),
        (
            "two issuers of one value",
            with_payload(format!("{inside},\"iss\":\"x\",\"iss\":\"x\"}}")),
            "token_payload_invalid",
        ),
        (
            "a member twice further down",
            with_payload(format!("{inside},\"x\":[{{\"a\":1,\"a\":2}}]}}")),
            "token_payload_invalid",
        ),
        ("text behind", with_payload(format!("{claims}{{}}")), "token_payload_invalid"),
        ("a comment", with_payload(format!("/**/{claims}")), "token_payload_invalid"),
        ("a list", with_payload(format!("[{claims}]")), "token_payload_invalid"),
        ("a string", with_payload("\"sub\""), "token_payload_invalid"),
        ("null", with_payload("null"), "token_payload_invalid"),
        ("nothing", with_payload(""), "token_payload_invalid"),
        ("a byte order mark", with_payload(format!("\u{FEFF}{claims}")), "token_payload_invalid"),
        ("invalid UTF-8", with_payload([inside.as_bytes(), b",\"x\":\"\xC0\xAF\"}"].concat()), "token_payload_invalid"),
        ("half a surrogate pair", with_payload(format!("{inside},\"x\":\"\\ud800\"}}")), "token_payload_invalid"),
        ("NaN", with_payload(format!("{inside},\"x\":NaN}}")), "token_payload_invalid"),
        ("an infinite number", with_payload(format!("{inside},\"x\":1e999}}")), "token_payload_invalid"),
        ("deeply nested", with_payload(nested), "token_payload_invalid"),
        ("a token in the token", with_payload(draft().sign()), "token_payload_invalid"),
    ];
    assert_refused(&attacks);
}

#[test]
fn refuses_headers_that_are_no_unambiguous_json() {
    let header = draft().header_json();
    let inside = &header[..header.len() - 1];
    let attacks: Vec<Attack<'_>> = vec![
        ("two algorithms", with_header(format!("{inside},\"alg\":\"none\"}}")), "token_header_invalid"),
        (
            "two algorithms, the good one last",
            with_header(format!("{{\"alg\":\"none\",{}", &header[1..])),
            "token_header_invalid",
        ),
        ("two key ids, one escaped", with_header(format!("{inside},\"\\u006bid\":\"x\"}}")), "token_header_invalid"),
        ("text behind", with_header(format!("{header} x")), "token_header_invalid"),
        ("a list", with_header(format!("[{header}]")), "token_header_invalid"),
        ("nothing", with_header(""), "token_header_invalid"),
        ("invalid UTF-8", with_header(b"{\"alg\":\"RS256\xFF\"}"), "token_header_invalid"),
        ("larger than accepted", draft().header("x5c", "M".repeat(20_000)).sign(), "token_header_invalid"),
    ];
    assert_refused(&attacks);
}
