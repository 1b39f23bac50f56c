//! Good signatures of messages that are not for us, not from our IdP, too late or incomplete.

use doorward_saml::idp::{RsaDigest, SignedPart};
use serde_json::Value;

use super::{Bases, RESPONSE_ID_ATTRIBUTE, case, on};
use crate::Case;
use crate::edit::{assertion, between, replace};

/// A change that the IdP signed.
fn genuine(bases: &Bases<'_>, from: &str, to: &str) -> String {
    bases.scene.signed(&replace(&bases.plain, from, to), SignedPart::Assertion, RsaDigest::Sha256)
}

pub(super) fn envelope(bases: &Bases<'_>) -> Vec<Case> {
    let acs_url = &bases.scene.acs_url;
    let idp_entity_id = &bases.scene.idp_entity_id;
    let request_id = &bases.scene.request_id;
    let xml = &bases.assertion;
    let response_issuer = format!("<saml:Issuer>{idp_entity_id}</saml:Issuer><samlp:Status>");
    let status = between(xml, "<samlp:Status>", "</samlp:Status>").to_owned();
    let in_response = format!("{RESPONSE_ID_ATTRIBUTE} InResponseTo=\"{request_id}\"");
    let response = |from: &str, to: &str| {
        bases.scene.signed(&replace(&bases.plain, from, to), SignedPart::Response, RsaDigest::Sha256)
    };
    vec![
        case(
            "id-too-long",
            "id_invalid",
            "an ID of 257 characters",
            replace(xml, RESPONSE_ID_ATTRIBUTE, &format!(" ID=\"_{}\"", "x".repeat(256))),
        ),
        case(
            "version-1-1",
            "version_mismatch",
            "a Response of version 1.1",
            replace(xml, "Version=\"2.0\" Destination", "Version=\"1.1\" Destination"),
        ),
        case(
            "assertion-version-1-1-signed",
            "version_mismatch",
            "an Assertion of version 1.1",
            genuine(
                bases,
                &format!("Version=\"2.0\"><saml:Issuer>{idp_entity_id}</saml:Issuer><saml:Subject>"),
                &format!("Version=\"1.1\"><saml:Issuer>{idp_entity_id}</saml:Issuer><saml:Subject>"),
            ),
        ),
        case(
            "status-responder",
            "status_not_success",
            "the IdP reports a failure",
            replace(
                xml,
                &status,
                "<samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Responder\"><samlp:StatusCode \
             Value=\"urn:oasis:names:tc:SAML:2.0:status:AuthnFailed\"/></samlp:StatusCode><samlp:StatusMessage>the \
             person\ncancelled</samlp:StatusMessage></samlp:Status>",
            ),
        ),
        case(
            "status-failure-unsigned-without-assertion",
            "status_not_success",
            "how IdPs report a failure in practice: not signed, no Assertion",
            replace(
                &replace(xml, assertion(xml), ""),
                &status,
                "<samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Requester\"/></samlp:Status>",
            ),
        ),
        case(
            "status-nested-success",
            "status_not_success",
            "Success only as the second code",
            replace(
                xml,
                &status,
                "<samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Requester\"><samlp:StatusCode \
             Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:StatusCode></samlp:Status>",
            ),
        ),
        case(
            "status-without-code",
            "status_not_success",
            "a Status without code",
            replace(xml, &status, "<samlp:Status/>"),
        ),
        case("status-missing", "element_count", "no Status", replace(xml, &status, "")),
        case("status-twice", "element_count", "two Statuses", replace(xml, &status, &format!("{status}{status}"))),
        case(
            "destination-elsewhere",
            "destination_mismatch",
            "sent to another SP",
            replace(xml, &format!("Destination=\"{acs_url}\""), "Destination=\"https://other.example.test/acs\""),
        ),
        case(
            "destination-prefix",
            "destination_mismatch",
            "an address that starts with ours",
            replace(xml, &format!("Destination=\"{acs_url}\""), &format!("Destination=\"{acs_url}/x\"")),
        ),
        on(
            "response-signed",
            case(
                "destination-missing-signed",
                "destination_missing",
                "a signed Response that does not say where to",
                response(&format!(" Destination=\"{acs_url}\""), ""),
            ),
        ),
        on(
            "response-signed",
            case(
                "destination-elsewhere-signed",
                "destination_mismatch",
                "a signed Response to another SP",
                response(&format!("Destination=\"{acs_url}\""), "Destination=\"https://other.example.test/acs\""),
            ),
        ),
        case(
            "response-issuer-other",
            "response_issuer_mismatch",
            "the Response names another IdP",
            replace(xml, &response_issuer, "<saml:Issuer>https://other.example.test/saml</saml:Issuer><samlp:Status>"),
        ),
        case(
            "response-issuer-twice",
            "element_count",
            "the Response has two Issuers",
            replace(xml, &response_issuer, &format!("<saml:Issuer>{idp_entity_id}</saml:Issuer>{response_issuer}")),
        ),
        case(
            "response-in-response-to-other",
            "in_response_to_mismatch",
            "the Response answers another request",
            replace(xml, &in_response, &format!("{RESPONSE_ID_ATTRIBUTE} InResponseTo=\"_other\"")),
        ),
        case(
            "response-in-response-to-missing",
            "in_response_to_missing",
            "the Response does not say what it answers",
            replace(xml, &in_response, RESPONSE_ID_ATTRIBUTE),
        ),
        on(
            "unsolicited",
            case(
                "unsolicited-with-in-response-to",
                "in_response_to_unexpected",
                "no request is pending, yet it answers one (CVE-2026-53425)",
                xml.clone(),
            )
            .with("in_response_to", Value::Null),
        ),
        on(
            "unsolicited",
            case(
                "unsolicited-with-in-response-to-inside",
                "in_response_to_unexpected",
                "the same, only in the signed part",
                replace(xml, &in_response, RESPONSE_ID_ATTRIBUTE),
            )
            .with("in_response_to", Value::Null),
        ),
        case(
            "encrypted-assertion",
            "decryption_key_missing",
            "an EncryptedAssertion, though nobody was given a key to encrypt with",
            replace(xml, assertion(xml), "<saml:EncryptedAssertion/>"),
        ),
        case(
            "encrypted-beside-signed",
            "assertion_multiple",
            "an EncryptedAssertion beside the signed one",
            replace(xml, "<saml:Assertion ", "<saml:EncryptedAssertion/><saml:Assertion "),
        ),
    ]
}

pub(super) fn subject(bases: &Bases<'_>) -> Vec<Case> {
    let acs_url = &bases.scene.acs_url;
    let idp_entity_id = &bases.scene.idp_entity_id;
    let request_id = &bases.scene.request_id;
    let subject = between(&bases.plain, "<saml:Subject>", "</saml:Subject>").to_owned();
    let name_id = between(&bases.plain, "<saml:NameID ", "</saml:NameID>").to_owned();
    let confirmation = between(&bases.plain, "<saml:SubjectConfirmation ", "</saml:SubjectConfirmation>").to_owned();
    let data = between(&bases.plain, "<saml:SubjectConfirmationData ", "/>").to_owned();
    let in_data = format!("<saml:SubjectConfirmationData InResponseTo=\"{request_id}\"");
    let genuine = |from: &str, to: &str| genuine(bases, from, to);
    let issuer = format!("<saml:Issuer>{idp_entity_id}</saml:Issuer><saml:Subject>");
    vec![
        case(
            "issuer-other-signed",
            "issuer_mismatch",
            "the same key signs for another IdP",
            genuine(&issuer, "<saml:Issuer>https://other.example.test/saml</saml:Issuer><saml:Subject>"),
        ),
        on(
            "response-signed",
            case(
                "issuer-missing-signed",
                "element_count",
                "no Issuer in the Assertion",
                bases.scene.signed(
                    &replace(&bases.plain, &issuer, "<saml:Subject>"),
                    SignedPart::Response,
                    RsaDigest::Sha256,
                ),
            ),
        ),
        case(
            "issuer-twice-signed",
            "element_count",
            "two Issuers",
            genuine(&issuer, &format!("<saml:Issuer>{idp_entity_id}</saml:Issuer>{issuer}")),
        ),
        case("subject-missing-signed", "element_count", "no Subject", genuine(&subject, "")),
        case(
            "subject-twice-signed",
            "element_count",
            "two Subjects",
            genuine(&subject, &format!("{subject}{subject}")),
        ),
        case("name-id-missing-signed", "element_count", "a Subject without NameID", genuine(&name_id, "")),
        case("name-id-twice-signed", "element_count", "two NameIDs", genuine(&name_id, &format!("{name_id}{name_id}"))),
        case(
            "encrypted-id-signed",
            "encrypted_part_unsupported",
            "an encrypted NameID",
            genuine(&name_id, "<saml:EncryptedID/>"),
        ),
        case(
            "confirmation-missing-signed",
            "subject_confirmation_count",
            "no SubjectConfirmation",
            genuine(&confirmation, ""),
        ),
        case(
            "confirmation-twice-signed",
            "subject_confirmation_count",
            "two bearer confirmations",
            genuine(&confirmation, &format!("{confirmation}{confirmation}")),
        ),
        case(
            "confirmation-holder-of-key-signed",
            "subject_confirmation_count",
            "not for a bearer",
            genuine("cm:bearer", "cm:holder-of-key"),
        ),
        case("confirmation-data-missing-signed", "element_count", "a confirmation without data", genuine(&data, "")),
        case(
            "recipient-elsewhere-signed",
            "recipient_mismatch",
            "made for another SP",
            genuine(&format!("Recipient=\"{acs_url}\""), "Recipient=\"https://other.example.test/acs\""),
        ),
        case(
            "recipient-missing-signed",
            "recipient_missing",
            "made for nobody in particular",
            genuine(&format!(" Recipient=\"{acs_url}\""), ""),
        ),
        case(
            "in-response-to-other-signed",
            "in_response_to_mismatch",
            "the Assertion answers another request (CVE-2026-53424)",
            genuine(&in_data, "<saml:SubjectConfirmationData InResponseTo=\"_other\""),
        ),
        case(
            "in-response-to-missing-signed",
            "in_response_to_missing",
            "the Assertion does not say what it answers",
            genuine(&in_data, "<saml:SubjectConfirmationData"),
        ),
        case(
            "confirmation-not-before-signed",
            "subject_confirmation_not_before",
            "NotBefore is forbidden there",
            genuine(&in_data, &format!("{in_data} NotBefore=\"{}\"", bases.scene.time(-3_600_000))),
        ),
    ]
}

pub(super) fn conditions(bases: &Bases<'_>) -> Vec<Case> {
    let sp_entity_id = &bases.scene.sp_entity_id;
    let conditions = between(&bases.plain, "<saml:Conditions ", "</saml:Conditions>").to_owned();
    let restriction = between(&bases.plain, "<saml:AudienceRestriction>", "</saml:AudienceRestriction>").to_owned();
    let audience = format!("<saml:Audience>{sp_entity_id}</saml:Audience>");
    let other = "<saml:Audience>https://other.example.test</saml:Audience>";
    let genuine = |from: &str, to: &str| genuine(bases, from, to);
    vec![
        case("conditions-missing-signed", "element_count", "no Conditions (CVE-2026-41577)", genuine(&conditions, "")),
        case(
            "conditions-twice-signed",
            "element_count",
            "two Conditions",
            genuine(&conditions, &format!("{conditions}{conditions}")),
        ),
        case("audience-missing-signed", "audience_missing", "no AudienceRestriction", genuine(&restriction, "")),
        case("audience-other-signed", "audience_mismatch", "for another SP (CVE-2026-9093)", genuine(&audience, other)),
        case("audience-empty-signed", "audience_mismatch", "for nobody", genuine(&audience, "")),
        case(
            "audience-prefix-signed",
            "audience_mismatch",
            "an entity id that starts with ours",
            genuine(&audience, &format!("<saml:Audience>{sp_entity_id}2</saml:Audience>")),
        ),
        case(
            "audience-second-restriction-signed",
            "audience_mismatch",
            "every restriction must name us",
            genuine(
                &restriction,
                &format!("{restriction}<saml:AudienceRestriction>{other}</saml:AudienceRestriction>"),
            ),
        ),
        case(
            "condition-unknown-signed",
            "unknown_condition",
            "a condition we cannot judge",
            genuine(&restriction, &format!("{restriction}<saml:Condition/>")),
        ),
        case(
            "condition-of-other-namespace-signed",
            "unknown_condition",
            "a condition of somebody's own",
            genuine(&restriction, &format!("{restriction}<d:Delegate xmlns:d=\"urn:d\"/>")),
        ),
        case(
            "element-unknown-signed",
            "unexpected_element",
            "an element the schema does not have",
            genuine(&conditions, &format!("{conditions}<x xmlns=\"urn:x\"/>")),
        ),
    ]
}

/// Every time there is, before and behind.
pub(super) fn times(bases: &Bases<'_>) -> Vec<Case> {
    let request_id = &bases.scene.request_id;
    let time = |offset_ms| bases.scene.time(offset_ms);
    let (past, future) = (&time(-61_000), &time(61_000));
    let (yesterday, authenticated) = (&time(-86_461_000), &time(-60_000));
    let (issued, until, session_end) = (time(-2000), time(300_000), time(28_800_000));
    let genuine = |from: &str, to: &str| genuine(bases, from, to);
    let assertion_issued = format!("ID=\"_assertion1\" IssueInstant=\"{issued}\"");
    let assertion_at = |at: &str| genuine(&assertion_issued, &format!("ID=\"_assertion1\" IssueInstant=\"{at}\""));
    let response_issued = format!("InResponseTo=\"{request_id}\" IssueInstant=\"{issued}\"");
    let response_at =
        |at: &str| genuine(&response_issued, &format!("InResponseTo=\"{request_id}\" IssueInstant=\"{at}\""));
    let not_before = |at: &str| genuine(&format!("NotBefore=\"{issued}\""), &format!("NotBefore=\"{at}\""));
    let conditions_until = |to: &str| {
        genuine(
            &format!("\" NotOnOrAfter=\"{until}\"><saml:AudienceRestriction>"),
            &format!("\"{to}><saml:AudienceRestriction>"),
        )
    };
    let confirmed_until =
        |to: &str| genuine(&format!(" NotOnOrAfter=\"{until}\" Recipient"), &format!("{to} Recipient"));
    let session =
        |at: &str| genuine(&format!("SessionNotOnOrAfter=\"{session_end}\""), &format!("SessionNotOnOrAfter=\"{at}\""));
    vec![
        case(
            "response-issued-in-future",
            "issued_in_future",
            "the Response comes from the future",
            response_at(future),
        ),
        case(
            "response-issued-long-ago",
            "issued_too_long_ago",
            "the Response is older than a day",
            response_at(yesterday),
        ),
        case(
            "response-issue-instant-missing",
            "time_invalid",
            "the Response has no IssueInstant",
            genuine(&response_issued, &format!("InResponseTo=\"{request_id}\"")),
        ),
        case(
            "assertion-issued-in-future-signed",
            "issued_in_future",
            "the Assertion comes from the future",
            assertion_at(future),
        ),
        case(
            "assertion-issued-long-ago-signed",
            "issued_too_long_ago",
            "the Assertion is older than a day",
            assertion_at(yesterday),
        ),
        case("assertion-issue-instant-garbage-signed", "time_invalid", "not a time", assertion_at("yesterday")),
        case("conditions-not-yet-valid-signed", "conditions_not_yet_valid", "NotBefore lies ahead", not_before(future)),
        case("conditions-not-before-garbage-signed", "time_invalid", "NotBefore is not a time", not_before("")),
        case(
            "conditions-expired-signed",
            "conditions_expired",
            "NotOnOrAfter has passed",
            conditions_until(&format!(" NotOnOrAfter=\"{past}\"")),
        ),
        case(
            "conditions-expired-to-the-millisecond-signed",
            "conditions_expired",
            "the limit itself is too late",
            conditions_until(&format!(" NotOnOrAfter=\"{authenticated}\"")),
        ),
        case(
            "confirmation-expired-signed",
            "subject_confirmation_expired",
            "delivered too late (CVE-2026-1190)",
            confirmed_until(&format!(" NotOnOrAfter=\"{past}\"")),
        ),
        case("confirmation-without-end-signed", "time_invalid", "a bearer confirmation must end", confirmed_until("")),
        case("session-expired-signed", "session_expired", "the session at the IdP is over", session(past)),
        case("session-end-garbage-signed", "time_invalid", "not a time", session("0")),
        case(
            "authn-instant-in-future-signed",
            "issued_in_future",
            "signed in in the future",
            genuine(&format!("AuthnInstant=\"{authenticated}\""), &format!("AuthnInstant=\"{future}\"")),
        ),
        case(
            "authn-instant-missing-signed",
            "time_invalid",
            "signed in at no time",
            genuine(&format!(" AuthnInstant=\"{authenticated}\""), ""),
        ),
        case("replayed-next-day", "issued_too_long_ago", "a good Response a day later", bases.assertion.clone())
            .with("now_ms", (bases.scene.now_ms + 86_400_000 + 60_000).into()),
        case(
            "replayed-after-ten-minutes",
            "subject_confirmation_expired",
            "a good Response ten minutes later",
            bases.assertion.clone(),
        )
        .with("now_ms", (bases.scene.now_ms + 600_000).into()),
    ]
}

pub(super) fn statements(bases: &Bases<'_>) -> Vec<Case> {
    let authn = between(&bases.plain, "<saml:AuthnStatement ", "</saml:AuthnStatement>").to_owned();
    let expired = format!(
        "<saml:AuthnStatement AuthnInstant=\"{}\" SessionNotOnOrAfter=\"{}\"/>",
        bases.scene.time(-3_600_000),
        bases.scene.time(-1_800_000)
    );
    let genuine = |from: &str, to: &str| genuine(bases, from, to);
    vec![
        case("authn-statement-missing-signed", "authn_statement_missing", "nobody signed in", genuine(&authn, "")),
        case(
            "authn-statement-second-expired-signed",
            "session_expired",
            "one of two statements is over",
            genuine(&authn, &format!("{authn}{expired}")),
        ),
        case(
            "attribute-without-name-signed",
            "attribute_name_missing",
            "an attribute without a name",
            genuine("<saml:Attribute Name=\"mail\">", "<saml:Attribute>"),
        ),
        case(
            "attribute-with-empty-name-signed",
            "attribute_name_missing",
            "an attribute whose name is empty",
            genuine("<saml:Attribute Name=\"mail\">", "<saml:Attribute Name=\"\">"),
        ),
        case(
            "encrypted-attribute-signed",
            "encrypted_part_unsupported",
            "an encrypted attribute",
            genuine("<saml:AttributeStatement>", "<saml:AttributeStatement><saml:EncryptedAttribute/>"),
        ),
        case(
            "attribute-statement-text-signed",
            "unexpected_element",
            "text between statements",
            genuine(&authn, &format!("{authn}x")),
        ),
        case(
            "for-other-idp",
            "response_issuer_mismatch",
            "the connection expects another IdP",
            bases.assertion.clone(),
        )
        .with("idp_entity_id", "https://other.example.test/saml".into()),
        case("for-other-sp", "audience_mismatch", "the connection has another entity id", bases.assertion.clone())
            .with("sp_entity_id", "https://other.example.test".into()),
        case("for-other-acs", "destination_mismatch", "delivered at another connection's ACS", bases.assertion.clone())
            .with("acs_url", "https://sp.example.test/acs/2".into()),
    ]
}
