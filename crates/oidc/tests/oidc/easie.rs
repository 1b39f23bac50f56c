//! Whose account it is at Google and Microsoft.

use doorward_oidc::easie::{EasieError, EasieIdentity, google, microsoft};
use doorward_oidc::{IdToken, Issuer};
use serde_json::{Value, json};

use crate::signer::{Draft, Setting, draft, setting};

const DOMAINS: &[&str] = &["acme.test", "acme.example"];
const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const OTHER_TENANT: &str = "11111111-86f1-41af-91ab-2d7cd011db47";
const OBJECT: &str = "b3809430-6c28-4e43-870d-fa7d38636dcd";

/// A change to the good claims; `None` takes one away.
type Change<'a> = (&'a str, Option<Value>);

fn changed(mut draft: Draft, changes: &[Change<'_>]) -> Draft {
    for (name, value) in changes {
        draft = match value {
            Some(value) => draft.claim(name, value.clone()),
            None => draft.without(name),
        };
    }
    draft
}

fn assert_refused(
    outcome: impl Fn(&[Change<'_>]) -> Result<EasieIdentity, EasieError>,
    cases: Vec<(Vec<Change<'_>>, &'static str)>,
) {
    for (changes, code) in cases {
        let error = outcome(&changes).unwrap_err();
        assert_eq!(error.code(), code, "{changes:?}");
        crate::signer::assert_fit_for_a_log(&error.to_string());
    }
}

fn by_google(changes: &[Change<'_>]) -> Result<EasieIdentity, EasieError> {
    let draft = draft().claim("iss", "https://accounts.google.com").claim("hd", "acme.test");
    let setting = Setting { issuer: Issuer::Exact("https://accounts.google.com".to_owned()), ..setting() };
    google::check(&setting.verify(&changed(draft, changes).sign()).unwrap(), DOMAINS)
}

#[test]
fn accepts_accounts_of_the_google_organization() {
    let identity = by_google(&[]).unwrap();
    assert_eq!(identity.subject, "248289761001");
    assert_eq!((identity.email.as_str(), identity.tenant.as_str()), ("jane@acme.test", "acme.test"));
    let identity = by_google(&[("hd", Some(json!("ACME.test"))), ("email", Some(json!("Jane@Acme.Example")))]).unwrap();
    assert_eq!((identity.email.as_str(), identity.tenant.as_str()), ("Jane@acme.example", "acme.test"));
    by_google(&[("email_verified", Some(json!("true")))]).unwrap();
}

#[test]
fn refuses_google_accounts_of_nobody_or_of_others() {
    let hd = |value: Value| vec![("hd", Some(value))];
    let email = |value: Value| vec![("email", Some(value))];
    let verified = |value: Value| vec![("email_verified", Some(value))];
    assert_refused(
        by_google,
        vec![
            // A consumer account with an address on the connection's domain.
            (vec![("hd", None)], "hosted_domain_missing"),
            (hd(Value::Null), "hosted_domain_missing"),
            (hd(json!("evil.test")), "hosted_domain_mismatch"),
            (hd(json!("sub.acme.test")), "hosted_domain_mismatch"),
            (hd(json!("acme.test.evil.test")), "hosted_domain_mismatch"),
            (hd(json!("acme.test.")), "hosted_domain_mismatch"),
            (hd(json!("acme")), "hosted_domain_mismatch"),
            (hd(json!("")), "hosted_domain_mismatch"),
            (hd(json!(" acme.test")), "hosted_domain_mismatch"),
            (hd(json!(["acme.test"])), "hosted_domain_mismatch"),
            (hd(json!(true)), "hosted_domain_mismatch"),
            (verified(json!(false)), "email_not_verified"),
            (verified(json!("false")), "email_not_verified"),
            (verified(json!(1)), "email_not_verified"),
            (vec![("email_verified", None)], "email_not_verified"),
            (vec![("email", None)], "email_missing"),
            (email(json!(["jane@acme.test"])), "email_missing"),
            (email(json!("jane@gmail.com")), "email_domain_mismatch"),
            (email(json!("jane@sub.acme.test")), "email_domain_mismatch"),
            (email(json!("jane@acme.test.evil.test")), "email_domain_mismatch"),
            (email(json!("jane@evil-acme.test")), "email_domain_mismatch"),
            (email(json!("jane@acme.test@evil.test")), "email_invalid"),
            (email(json!("jane@evil.test@acme.test")), "email_invalid"),
            (email(json!("jane@evil.test\n@acme.test")), "email_invalid"),
            (email(json!("jane@evil.test, jane@acme.test")), "email_invalid"),
            (email(json!("@acme.test")), "email_invalid"),
            (email(json!("jane@")), "email_invalid"),
            (email(json!("acme.test")), "email_invalid"),
        ],
    );
    let message = by_google(&hd(json!("evil.test"))).unwrap_err().to_string();
    assert_eq!(message, "hd: expected one of acme.test, acme.example, got evil.test");
    let nobody = Setting { issuer: Issuer::Exact("https://accounts.google.com".to_owned()), ..setting() };
    let token = nobody.verify(&draft().claim("iss", "https://accounts.google.com").claim("hd", "").sign()).unwrap();
    assert_eq!(google::check(&token, &[""]).unwrap_err().code(), "hosted_domain_mismatch");
}

fn microsoft_token(changes: &[Change<'_>]) -> IdToken {
    let draft = draft().claim("tid", TENANT).claim("oid", OBJECT).claim("xms_edov", true);
    let draft = changed(draft, changes);
    let tenant = draft.claims["tid"].as_str().unwrap().to_owned();
    let draft = draft.claim("iss", microsoft::ISSUER_TEMPLATE.replace("{tenantid}", &tenant));
    let issuer = Issuer::TenantTemplate(microsoft::ISSUER_TEMPLATE.to_owned());
    Setting { issuer, ..setting() }.verify(&draft.sign()).unwrap()
}

fn by_microsoft(changes: &[Change<'_>]) -> Result<EasieIdentity, EasieError> {
    microsoft::check(&microsoft_token(changes), DOMAINS, Some(TENANT))
}

#[test]
fn accepts_accounts_of_the_microsoft_tenant() {
    let identity = by_microsoft(&[]).unwrap();
    assert_eq!(identity.subject, format!("{OBJECT}.{TENANT}"));
    assert_eq!((identity.email.as_str(), identity.tenant.as_str()), ("jane@acme.test", TENANT));
    for edov in [json!(true), json!(1), json!("1"), json!("true")] {
        by_microsoft(&[("xms_edov", Some(edov))]).unwrap();
    }
    // Not pinned yet, and spelled in capitals.
    let token =
        microsoft_token(&[("tid", Some(json!(TENANT.to_uppercase()))), ("oid", Some(json!(OBJECT.to_uppercase())))]);
    let identity = microsoft::check(&token, DOMAINS, None).unwrap();
    assert_eq!((identity.subject, identity.tenant), (format!("{OBJECT}.{TENANT}"), TENANT.to_owned()));
    microsoft::check(&token, DOMAINS, Some(TENANT)).unwrap();
    by_microsoft(&[("acct", Some(json!(0))), ("idp", Some(json!(format!("https://sts.windows.net/{TENANT}/"))))])
        .unwrap();
    by_microsoft(&[("idp", Some(json!(format!("https://login.microsoftonline.com/{TENANT}/v2.0"))))]).unwrap();
}

#[test]
fn refuses_microsoft_accounts_of_other_tenants_guests_and_addresses_nobody_vouches_for() {
    let one = |name: &'static str, value: Value| vec![(name, Some(value))];
    assert_refused(
        by_microsoft,
        vec![
            (one("tid", json!(OTHER_TENANT)), "tenant_mismatch"),
            (one("tid", json!(microsoft::PERSONAL_TENANT)), "personal_account"),
            (one("tid", json!(microsoft::PERSONAL_TENANT.to_uppercase())), "personal_account"),
            // The address is what the tenant's administrator wrote: nOAuth.
            (vec![("xms_edov", None)], "email_not_verified"),
            (one("xms_edov", json!(false)), "email_not_verified"),
            (one("xms_edov", json!(0)), "email_not_verified"),
            (one("xms_edov", json!("0")), "email_not_verified"),
            (one("xms_edov", json!("false")), "email_not_verified"),
            (one("xms_edov", json!("")), "email_not_verified"),
            (one("xms_edov", json!(2)), "email_not_verified"),
            (one("xms_edov", json!(1.5)), "email_not_verified"),
            (one("xms_edov", json!(null)), "email_not_verified"),
            (one("xms_edov", json!([true])), "email_not_verified"),
            (one("idp", json!("live.com")), "guest_account"),
            (one("idp", json!("google.com")), "guest_account"),
            (one("idp", json!(format!("https://sts.windows.net/{OTHER_TENANT}/"))), "guest_account"),
            (one("idp", json!(null)), "guest_account"),
            (one("acct", json!(1)), "guest_account"),
            (one("acct", json!("1")), "guest_account"),
            (one("acct", json!(true)), "guest_account"),
            (one("upn", json!("jane_evil.test#EXT#@acme.onmicrosoft.com")), "guest_account"),
            (one("preferred_username", json!("jane_evil.test#ext#@acme.test")), "guest_account"),
            (one("email", json!("jane_evil.test#EXT#@acme.test")), "guest_account"),
            (one("email", json!("jane@evil.test")), "email_domain_mismatch"),
            (one("email", json!("jane@acme.test.evil.test")), "email_domain_mismatch"),
            (one("email", json!("jane")), "email_invalid"),
            (vec![("email", None)], "email_missing"),
            (vec![("oid", None)], "object_id_invalid"),
            (one("oid", json!("")), "object_id_invalid"),
            (one("oid", json!("jane")), "object_id_invalid"),
            (one("oid", json!(1)), "object_id_invalid"),
        ],
    );
    let personal = microsoft_token(&[("tid", Some(json!(microsoft::PERSONAL_TENANT)))]);
    for pinned in [None, Some(microsoft::PERSONAL_TENANT)] {
        assert_eq!(microsoft::check(&personal, DOMAINS, pinned).unwrap_err().code(), "personal_account");
    }
    let message = by_microsoft(&one("tid", json!(OTHER_TENANT))).unwrap_err().to_string();
    assert_eq!(message, format!("tid: expected {TENANT}, got {OTHER_TENANT}"));
}

#[test]
fn refuses_a_tid_that_the_issuer_was_not_checked_against() {
    // A token of some other provider that writes whatever it likes into tid.
    let draft = draft().claim("tid", TENANT).claim("oid", OBJECT).claim("xms_edov", true);
    let token = setting().verify(&draft.sign()).unwrap();
    assert_eq!(microsoft::check(&token, DOMAINS, Some(TENANT)).unwrap_err(), EasieError::TenantNotVerified);
}

#[test]
fn requests_point_the_person_to_the_organizations_accounts() {
    assert_eq!(google::authorization_parameters(&["acme.test"]), [("access_type", "offline"), ("hd", "acme.test")]);
    assert_eq!(google::authorization_parameters(DOMAINS), [("access_type", "offline"), ("hd", "*")]);
    assert_eq!(microsoft::authorization_parameters(&["acme.test"]), [("domain_hint", "acme.test")]);
    assert!(microsoft::authorization_parameters(DOMAINS).is_empty());
}

#[test]
fn the_template_belongs_to_the_shared_document() {
    let template = microsoft::issuer_template(microsoft::DISCOVERY_URL);
    assert_eq!(template.as_deref(), Some(microsoft::ISSUER_TEMPLATE));
    let own = "http://127.0.0.1:8080/common/v2.0/.well-known/openid-configuration";
    assert_eq!(microsoft::issuer_template(own).as_deref(), Some("http://127.0.0.1:8080/{tenantid}/v2.0"));
    let one_tenant = format!("https://login.microsoftonline.com/{TENANT}/v2.0/.well-known/openid-configuration");
    for url in [
        one_tenant.as_str(),
        "https://login.test/.well-known/openid-configuration",
        "https://login.test/common",
        "common",
    ] {
        assert_eq!(microsoft::issuer_template(url), None, "{url}");
    }
}

/// The smallest document of an issuer.
fn document(issuer: &str) -> Vec<u8> {
    let endpoint = |name: &str| format!("https://op.test/{name}");
    json!({
        "issuer": issuer,
        "authorization_endpoint": endpoint("authorize"),
        "token_endpoint": endpoint("token"),
        "jwks_uri": endpoint("keys"),
    })
    .to_string()
    .into_bytes()
}

#[test]
fn googles_document_is_googles_or_that_of_its_address() {
    let own = "https://op.test/.well-known/openid-configuration";
    for (issuer, url) in [(google::ISSUER, google::DISCOVERY_URL), (google::ISSUER, own), ("https://op.test", own)] {
        let metadata = google::configuration(&document(issuer), url).unwrap();
        assert_eq!(metadata.issuer, Some(Issuer::Exact(issuer.to_owned())), "{url}");
    }
    for (issuer, url) in [
        ("https://op.test", google::DISCOVERY_URL),
        ("https://accounts.google.com/", own),
        ("https://evil.test", own),
        ("https://accounts.google.com.evil.test", own),
        (microsoft::ISSUER_TEMPLATE, own),
    ] {
        let error = google::configuration(&document(issuer), url).unwrap_err();
        assert_eq!(error.code(), "issuer_mismatch", "{issuer} {url}");
        let expected = if url == own { "https://op.test" } else { google::ISSUER };
        assert!(error.to_string().contains(&format!("expected {expected}")), "{error}");
    }
}

#[test]
fn microsofts_document_is_shared_or_of_one_tenant() {
    let at = |audience: &str| format!("https://login.test/{audience}/v2.0/.well-known/openid-configuration");
    let template = "https://login.test/{tenantid}/v2.0";
    let own = format!("https://login.test/{TENANT}/v2.0");
    for (issuer, url) in [
        (template, at("organizations")),
        (template, at("common")),
        (template, format!("{}?appid=1", at("organizations"))),
        (&own, at(TENANT)),
        (&own, format!("{}?appid=1", at(TENANT))),
    ] {
        let metadata = microsoft::configuration(&document(issuer), &url).unwrap();
        assert_eq!(metadata.issuer, Some(Issuer::TenantTemplate(template.to_owned())), "{url}");
    }
    for (issuer, url, code) in [
        (own.as_str(), at("organizations"), "issuer_mismatch"),
        (template, at(TENANT), "issuer_mismatch"),
        (&own, at(OTHER_TENANT), "issuer_mismatch"),
        ("https://evil.test/{tenantid}/v2.0", at("organizations"), "issuer_mismatch"),
        ("https://login.test/acme.test/v2.0", at("acme.test"), "issuer_invalid"),
        ("https://login.test", "https://login.test/.well-known/openid-configuration".to_owned(), "issuer_invalid"),
        (google::ISSUER, google::DISCOVERY_URL.to_owned(), "issuer_invalid"),
    ] {
        let error = microsoft::configuration(&document(issuer), &url).unwrap_err();
        assert_eq!(error.code(), code, "{issuer} {url}");
    }
}

#[test]
fn a_document_of_one_tenant_says_which_by_its_address() {
    let at = |audience: &str| format!("https://login.test/{audience}/v2.0/.well-known/openid-configuration");
    assert_eq!(microsoft::tenant_of_discovery_url(&at(&TENANT.to_uppercase())).as_deref(), Some(TENANT));
    for audience in ["organizations", "common", "acme.test", "", "x"] {
        assert_eq!(microsoft::tenant_of_discovery_url(&at(audience)), None, "{audience}");
    }
    assert_eq!(microsoft::tenant_of_discovery_url(microsoft::DISCOVERY_URL), None);
    assert_eq!(microsoft::tenant_of_discovery_url(google::DISCOVERY_URL), None);
}

#[test]
fn an_organizations_tenant_has_a_guid_and_not_that_of_personal_accounts() {
    assert_eq!(microsoft::tenant_id(&TENANT.to_uppercase()).as_deref(), Some(TENANT));
    let personal = microsoft::PERSONAL_TENANT;
    for text in ["", "acme.test", "organizations", "{tenantid}", personal, &personal.to_uppercase(), &TENANT[1..]] {
        assert_eq!(microsoft::tenant_id(text), None, "{text}");
    }
}
