//! A member of the company holds genuine answers of his own and changes them into somebody else's (RELIABILITY §2a, §4.1,
//! §4.2, §4.7, §4.8). Each document is posted for a sign-in that waits for it.

use super::support::{Trip, footprint, organization};
use crate::testing::{Identity, TestApp, TestIdp, encrypt_for};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_saml::TrustedCertificate;
use doorward_saml::idp::SignedPart;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::json;
use std::io::Write as _;

const MALLORY: &str = "mallory@acme.test";
const VICTIM: &str = "victim@acme.test";

/// What Mallory has: answers about himself to his own request.
struct Genuine {
    by_assertion: String,
    by_response: String,
    unsigned: String,
    /// Signed with a key that the connection does not know, its certificate in KeyInfo.
    by_stranger: String,
    recipient: TrustedCertificate,
}

impl Genuine {
    fn new(app: &TestApp, idp: &TestIdp, trip: &Trip<'_>, recipient: &TrustedCertificate) -> Self {
        let mallory = Identity::new(MALLORY, "M", "M");
        let signed = |idp: &TestIdp, part| idp.document(app, &trip.request, &mallory, part, |_| {}, |xml| xml);
        let mut unsigned = String::new();
        idp.document(
            app,
            &trip.request,
            &mallory,
            SignedPart::Assertion,
            |_| {},
            |xml| {
                unsigned.clone_from(&xml);
                xml
            },
        );
        Self {
            by_assertion: signed(idp, SignedPart::Assertion),
            by_response: signed(idp, SignedPart::Response),
            unsigned,
            by_stranger: signed(&idp.with_other_key(1), SignedPart::Both),
            recipient: recipient.clone(),
        }
    }

    /// The signed assertion, changed.
    fn edited(&self, from: &str, to: &str) -> String {
        once(&self.by_assertion, from, to)
    }

    /// Something else in place of the signed assertion.
    fn instead(&self, inner: &str) -> String {
        once(&self.by_assertion, assertion(&self.by_assertion), inner)
    }

    /// The victim's assertion, which nobody signed.
    fn forged(&self) -> String {
        forge(assertion(&self.unsigned))
    }

    /// The victim's assertion with the signature of Mallory's.
    fn forged_with_signature(&self) -> String {
        once(&self.forged(), "</saml:Issuer>", &format!("</saml:Issuer>{}", signature(&self.by_assertion)))
    }

    /// Mallory's assertion without its signature.
    fn bare(&self) -> String {
        once(assertion(&self.by_assertion), signature(&self.by_assertion), "")
    }
}

fn between<'a>(xml: &'a str, start: &str, end: &str) -> &'a str {
    let from = xml.find(start).unwrap();
    let to = xml[from..].find(end).unwrap();
    &xml[from..from + to + end.len()]
}

fn assertion(xml: &str) -> &str {
    between(xml, "<saml:Assertion ", "</saml:Assertion>")
}

fn signature(xml: &str) -> &str {
    between(xml, "<ds:Signature ", "</ds:Signature>")
}

/// Replaces the first `from`, which must be there.
fn once(xml: &str, from: &str, to: &str) -> String {
    assert!(xml.contains(from), "{from} is not in {xml}");
    xml.replacen(from, to, 1)
}

/// The first id.
fn id(xml: &str) -> &str {
    let (_, rest) = xml.split_once(" ID=\"").unwrap();
    rest.split_once('"').unwrap().0
}

fn forge(xml: &str) -> String {
    once(&xml.replace(MALLORY, VICTIM), &format!(" ID=\"{}\"", id(xml)), " ID=\"_forged\"")
}

type Attack = (&'static str, fn(&Genuine) -> String, &'static str);

/// Name, document, and what the refusal says: each is refused for its own reason.
const WRAPPING: &[Attack] = &[
    (
        "the signed Response in an Object of a forged one's signature",
        |g| {
            let object = format!("<ds:Object>{}</ds:Object></ds:Signature>", g.unsigned);
            once(&forge(&g.by_response), "</ds:Signature>", &object)
        },
        "which does not belong there",
    ),
    (
        "the signed Response beside its signature in a forged one",
        |g| once(&forge(&g.by_response), "<ds:Signature ", &format!("{}<ds:Signature ", g.unsigned)),
        "which does not belong there",
    ),
    (
        "a forged assertion first",
        |g| g.edited("<saml:Assertion ", &format!("{}<saml:Assertion ", g.forged())),
        "2 Assertions",
    ),
    (
        "a forged assertion last",
        |g| g.edited("</saml:Assertion>", &format!("</saml:Assertion>{}", g.forged())),
        "2 Assertions",
    ),
    (
        "the signed assertion inside of the forged one",
        |g| {
            let inner = format!("{}</saml:Assertion>", assertion(&g.by_assertion));
            g.instead(&once(&g.forged(), "</saml:Assertion>", &inner))
        },
        "an Assertion inside",
    ),
    (
        "the signature in the forged one, the signed assertion behind",
        |g| g.instead(&format!("{}{}", g.forged_with_signature(), g.bare())),
        "2 Assertions",
    ),
    (
        "the signed assertion inside of the moved signature",
        |g| g.instead(&once(&g.forged_with_signature(), "</ds:Signature>", &format!("{}</ds:Signature>", g.bare()))),
        "an Assertion inside",
    ),
    (
        "the signed assertion in an Object of the moved signature",
        |g| {
            let object = format!("<ds:Object>{}</ds:Object></ds:Signature>", g.bare());
            g.instead(&once(&g.forged_with_signature(), "</ds:Signature>", &object))
        },
        "an Assertion inside",
    ),
    (
        "the forged assertion in Extensions",
        |g| g.edited("<samlp:Status>", &format!("<samlp:Extensions>{}</samlp:Extensions><samlp:Status>", g.forged())),
        "an Assertion inside",
    ),
    (
        "the forged assertion in Advice",
        |g| {
            let advice = format!("<saml:Advice>{}</saml:Advice><saml:AuthnStatement ", g.forged());
            g.edited("<saml:AuthnStatement ", &advice)
        },
        "an Assertion inside",
    ),
    (
        "the signature on the Response instead of the assertion",
        |g| {
            let moved = once(&g.unsigned, "</saml:Issuer>", &format!("</saml:Issuer>{}", signature(&g.by_assertion)));
            moved.replace(MALLORY, VICTIM)
        },
        "the signature of the Response was refused",
    ),
    (
        "one id twice",
        |g| {
            let id = id(assertion(&g.by_assertion));
            g.edited("<samlp:Status>", &format!("<samlp:Extensions><x ID=\"{id}\"/></samlp:Extensions><samlp:Status>"))
        },
        "occurs more than once",
    ),
    (
        "one id twice, once as xml:id",
        |g| {
            let id = id(assertion(&g.by_assertion));
            let decoy = format!("<samlp:Extensions><x xml:id=\"{id}\"/></samlp:Extensions><samlp:Status>");
            g.edited("<samlp:Status>", &decoy)
        },
        "occurs more than once",
    ),
];

const VALUES: &[Attack] = &[
    (
        "another name in the signed assertion",
        |g| g.by_assertion.replace(MALLORY, VICTIM),
        "the signature of the Assertion was refused",
    ),
    (
        "another name in the signed Response",
        |g| g.by_response.replace(MALLORY, VICTIM),
        "the signature of the Response was refused",
    ),
    (
        "a comment that cuts the NameID short",
        |g| g.edited(">subject-of-mallory", ">subject-of<!---->-mallory"),
        "a comment inside the text",
    ),
    (
        "a comment that cuts the address short",
        |g| g.edited(">mallory@acme.test<", ">mallory@acme.test<!-- -->.evil.test<"),
        "a comment inside the text",
    ),
    (
        "a comment in the digest",
        |g| g.edited("</ds:DigestValue>", "<!-- x --></ds:DigestValue>"),
        "a comment inside the text",
    ),
    (
        "CDATA for the NameID",
        |g| g.edited(">subject-of-mallory@acme.test<", "><![CDATA[subject-of-mallory@acme.test]]><"),
        "CDATA",
    ),
    (
        "a processing instruction in the NameID",
        |g| g.edited(">subject-of-mallory", ">subject-of<?x y?>-mallory"),
        "processing instruction",
    ),
    ("a document type", |g| format!("<!DOCTYPE Response>{}", g.by_assertion), "DOCTYPE"),
    (
        "an entity for the name",
        |g| {
            let xml = g.edited(">subject-of-mallory", ">&who;");
            format!("<!DOCTYPE r [<!ENTITY who \"subject-of-victim@acme.test\">]>{xml}")
        },
        "DOCTYPE",
    ),
    (
        "a file as an entity",
        |g| {
            let xml = g.edited(">subject-of-mallory", ">&who;");
            format!("<!DOCTYPE r [<!ENTITY who SYSTEM \"file:///etc/passwd\">]>{xml}")
        },
        "DOCTYPE",
    ),
    ("an undeclared entity", |g| g.edited(">subject-of-mallory", ">&who;"), "entity"),
    (
        "entities that multiply",
        |g| {
            let mut entities = String::from("<!ENTITY a0 \"ha\">");
            for n in 1..30 {
                entities.push_str(&format!("<!ENTITY a{n} \"{}\">", format!("&a{};", n - 1).repeat(10)));
            }
            format!("<!DOCTYPE r [{entities}]>{}", g.edited(">subject-of-mallory", ">&a29;"))
        },
        "DOCTYPE",
    ),
];

const SIGNATURES: &[Attack] = &[
    ("no signature at all", |g| g.unsigned.clone(), "neither the Response nor the Assertion is signed"),
    ("the signature taken off", |g| g.by_assertion.replace(signature(&g.by_assertion), ""), "is signed"),
    ("the certificate of the answer itself", |g| g.by_stranger.clone(), "no configured certificate verifies it"),
    (
        "a foreign signature with the genuine certificate",
        |g| {
            let genuine = between(&g.by_assertion, "<ds:KeyInfo>", "</ds:KeyInfo>");
            g.by_stranger.replace(between(&g.by_stranger, "<ds:KeyInfo>", "</ds:KeyInfo>"), genuine)
        },
        "no configured certificate verifies it",
    ),
    (
        "two SignedInfo",
        |g| {
            let signed_info = between(&g.by_assertion, "<ds:SignedInfo", "</ds:SignedInfo>").to_owned();
            g.edited("</ds:SignedInfo>", &format!("</ds:SignedInfo>{signed_info}"))
        },
        "was refused",
    ),
    (
        "two References",
        |g| {
            let reference = between(&g.by_assertion, "<ds:Reference ", "</ds:Reference>").to_owned();
            g.edited("</ds:Reference>", &format!("</ds:Reference>{reference}"))
        },
        "was refused",
    ),
    (
        "a shared secret instead of a key",
        |g| {
            g.edited("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2000/09/xmldsig#hmac-sha1")
        },
        "hmac-sha1",
    ),
    (
        "SHA-1",
        |g| g.edited("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
        "rsa-sha1",
    ),
    (
        "a stylesheet",
        |g| {
            let xslt = "Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\"";
            g.edited("Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"", xslt)
        },
        "xslt",
    ),
    (
        "a canonical form that is empty",
        |g| {
            let method = between(&g.by_assertion, "<ds:CanonicalizationMethod ", ">").to_owned();
            g.edited(&method, "<ds:CanonicalizationMethod Algorithm=\"#void\">")
        },
        "#void",
    ),
    ("encrypted, and signed by nobody", |g| encrypted(g, &g.unsigned), "the encrypted Assertion was refused"),
    (
        "encrypted, and forged under the signature of another",
        |g| encrypted(g, &g.instead(&g.forged_with_signature())),
        "the encrypted Assertion was refused",
    ),
    (
        "put encrypted into the signed Response",
        |g| encrypted(g, &g.by_response.replace(MALLORY, VICTIM)),
        "the signature of the Response was refused",
    ),
];

/// The random bytes are of no matter: nothing of it is secret.
fn encrypted(genuine: &Genuine, xml: &str) -> String {
    encrypt_for([7; 48], &genuine.recipient, xml)
}

/// What costs is refused before it is paid for.
const EXPENSIVE: &[Attack] = &[
    (
        "15,000 attributes",
        |g| {
            let attributes: String = (0..15_000).map(|n| format!(" a{n}=\"\"")).collect();
            g.edited("<samlp:Status>", &format!("<samlp:Status{attributes}>"))
        },
        "attributes",
    ),
    (
        "20,000 levels",
        |g| {
            let (open, close) = ("<a>".repeat(20_000), "</a>".repeat(20_000));
            g.edited("<samlp:Status>", &format!("<samlp:Extensions>{open}{close}</samlp:Extensions><samlp:Status>"))
        },
        "deep",
    ),
    (
        "30,000 elements",
        |g| {
            let elements = "<a/>".repeat(30_000);
            g.edited("<samlp:Status>", &format!("<samlp:Extensions>{elements}</samlp:Extensions><samlp:Status>"))
        },
        "elements",
    ),
    (
        "more text than any answer has",
        |g| g.edited(">subject-of-mallory", &format!(">{}", "x".repeat(300_000))),
        "at most",
    ),
];

/// Each attack in a sign-in of its own: refused for its reason, and nothing was written.
async fn refused(attacks: &[Attack]) {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme"})).await;
        let idp = TestIdp::connect(&app, "acme.test", Some(&acme), 0).await;
        let recipient = idp.encryption_certificate(&app).await;
        idp.sign_in(&app, &app.browser(), VICTIM, &Identity::new(VICTIM, "V", "V")).await;
        let before = footprint(&app).await;
        for (name, attack, reason) in attacks {
            let trip = Trip::begin(&app, &idp, MALLORY).await;
            let document = attack(&Genuine::new(&app, &idp, &trip, &recipient));
            let error = trip.deliver(idp.acs_url(), &STANDARD.encode(document)).await.expect_err(name);
            assert_eq!(error.0, "saml_response_invalid", "{name}: {}", error.1);
            assert!(error.1.contains(reason), "{name}: {}", error.1);
            assert_eq!(footprint(&app).await, before, "{name}");
        }
        // What he began with is worth a session, and it is his own.
        let documents: [fn(&Genuine) -> String; 3] =
            [|g| g.by_assertion.clone(), |g| g.by_response.clone(), |g| encrypted(g, &g.by_assertion)];
        for document in documents {
            let trip = Trip::begin(&app, &idp, MALLORY).await;
            let document = document(&Genuine::new(&app, &idp, &trip, &recipient));
            let session = trip.deliver(idp.acs_url(), &STANDARD.encode(document)).await.unwrap();
            assert_eq!(session["user"]["email_addresses"][0]["email_address"], MALLORY);
        }
        app.close().await;
    }
}

#[tokio::test]
async fn sml6_who_wraps_a_signed_answer_becomes_nobody_else() {
    refused(WRAPPING).await;
}

#[tokio::test]
async fn sml14_who_changes_what_a_signed_answer_says_becomes_nobody_else() {
    refused(VALUES).await;
}

#[tokio::test]
async fn sml6_only_the_key_of_the_connection_signs() {
    refused(SIGNATURES).await;
}

#[tokio::test]
async fn sml14_what_is_made_to_be_expensive_is_refused_before_it_is_parsed() {
    refused(EXPENSIVE).await;
}

#[tokio::test]
async fn sml14_what_is_no_plain_base64_of_xml_is_refused() {
    let deflated = |bytes: &[u8]| {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        STANDARD.encode(encoder.finish().unwrap())
    };
    for app in TestApp::on_each_database().await {
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        let before = footprint(&app).await;
        let attempt = async |edit: &dyn Fn(String) -> String| {
            let trip = Trip::begin(&app, &idp, MALLORY).await;
            let response = idp.respond(&app, &trip.request, &Identity::new(MALLORY, "M", "M"), |_| {});
            trip.deliver(idp.acs_url(), &edit(response)).await
        };
        let decoded = |response: &str| STANDARD.decode(response).unwrap();
        let hostile: [(&str, &dyn Fn(String) -> String); 12] = [
            ("deflated, as a redirect carries it", &|response| deflated(&decoded(&response))),
            ("a deflate bomb of 64 MiB", &|_| deflated(&vec![b' '; 64 * 1024 * 1024])),
            ("XML as it is", &|response| String::from_utf8(decoded(&response)).unwrap()),
            ("twice in base64", &|response| STANDARD.encode(response)),
            ("the alphabet of URLs", &|response| format!("-_{}", &response[2..])),
            ("without its end", &|response| response[..response.len() - 3].to_owned()),
            ("with something behind the end", &|response| format!("{}==QUJD", response.trim_end_matches('='))),
            ("two values", &|response| format!("{response},{response}")),
            ("of UTF-16", &|response| {
                let text = String::from_utf8(decoded(&response)).unwrap();
                STANDARD.encode(text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
            }),
            ("with a NUL inside", &|response| {
                let text = String::from_utf8(decoded(&response)).unwrap();
                STANDARD.encode(text.replacen("mallory", "mallo\0ry", 1))
            }),
            ("with broken UTF-8 inside", &|response| {
                let mut bytes = decoded(&response);
                let at = bytes.windows(7).position(|found| found == b"mallory").unwrap();
                bytes[at] = 0xff;
                STANDARD.encode(bytes)
            }),
            ("of nothing", &|_| STANDARD.encode(" ")),
        ];
        for (name, edit) in hostile {
            let error = attempt(edit).await.expect_err(name);
            assert_eq!(error.0, "saml_response_invalid", "{name}: {}", error.1);
            assert_eq!(footprint(&app).await, before, "{name}");
        }
        // Lines of 76 characters, as some identity providers write them.
        let lines = |response: String| {
            let lines: Vec<&str> =
                response.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
            lines.join("\r\n")
        };
        attempt(&lines).await.unwrap();
        app.close().await;
    }
}
