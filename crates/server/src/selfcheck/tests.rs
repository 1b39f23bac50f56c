use super::finding::Finding;
use super::finding::{Report, Status};
use super::verifier::{self, judge};
use super::{Context, saml};
use crate::keys::encryption::EncryptionKey;
use crate::random::SystemRandom;
use crate::testing::{MetadataServer, TestApp, TestIdp};
use axum::http::Method;
use doorward_saml::idp::idp_metadata;
use doorward_store::Store;
use serde_json::{Value, json};

fn context(app: &TestApp) -> Context<'_> {
    let app = &app.app;
    Context {
        config: &app.config,
        store: &app.store,
        outbound: &app.outbound,
        encryption: Ok(&app.encryption),
        random: &*app.random,
        now: app.clock.now(),
        server: None,
    }
}

/// A connection about which there is nothing to say.
async fn sound(app: &TestApp) -> (TestIdp, MetadataServer) {
    let organization = app.backend(Method::POST, "/v1/organizations", json!({"name": "Acme"})).await.ok()["id"].clone();
    let idp = TestIdp::connect(app, "acme.test", organization.as_str(), 0).await;
    let server = MetadataServer::start().await;
    server.publish(&idp_metadata(&idp.entity_id, server.url(), &[idp.certificate()]));
    let saml = json!({"idp_metadata_url": server.url(), "refresh_idp_metadata": true, "sign_requests": true});
    patch(app, &idp, json!({ "saml": saml })).await;
    idp.encryption_certificate(app).await;
    (idp, server)
}

async fn patch(app: &TestApp, idp: &TestIdp, change: Value) {
    app.backend(Method::PATCH, &path(idp), change).await.ok();
}

fn path(idp: &TestIdp) -> String {
    format!("/v1/enterprise_connections/{}", idp.connection_id())
}

async fn check(app: &TestApp, idp: &TestIdp) -> Report {
    saml(&context(app), idp.connection_id()).await.unwrap()
}

fn worst<'a>(report: &'a Report, check: &str) -> &'a Finding {
    let found = report.findings.iter().filter(|finding| finding.check == check);
    found.max_by_key(|finding| finding.status).unwrap_or_else(|| panic!("no {check} in {report:#?}"))
}

#[track_caller]
fn expect(report: &Report, check: &str, status: Status, what: &str) {
    let finding = worst(report, check);
    assert_eq!(finding.status, status, "{finding:?}");
    assert!(finding.what.contains(what), "{finding:?}");
    assert_eq!(finding.mend.is_some(), status != Status::Good, "{finding:?}");
    assert!(!finding.why.is_empty());
    assert!(report.works || report.findings.iter().any(|finding| finding.status == Status::Problem));
}

#[tokio::test]
async fn a_sound_connection_has_only_good_findings_and_is_left_as_it_is() {
    for app in TestApp::on_each_database().await {
        let (idp, server) = sound(&app).await;
        let seen = async || {
            let shown = app.backend(Method::GET, &path(&idp), Value::Null).await.ok();
            (shown, app.backend(Method::GET, &format!("{}/metadata_refresh", path(&idp)), Value::Null).await.ok())
        };
        // A document that would change something, too, changes nothing.
        let new = TestIdp::with_other_key(&idp, 1);
        server.publish(&idp_metadata(&idp.entity_id, server.url(), &[idp.certificate(), new.certificate()]));
        let before = seen().await;
        let looking = Store::open_to_read(&app.app.config.database_url).await.unwrap();
        let report = saml(&Context { store: &looking, ..context(&app) }, idp.connection_id()).await.unwrap();
        looking.close().await;
        assert!(report.works);
        // Without the secret key nothing is sent to the server, which the report says.
        let is_bad = |finding: &&Finding| finding.status != Status::Good && finding.check != "corpus";
        let bad: Vec<_> = report.findings.iter().filter(is_bad).collect();
        assert!(bad.is_empty(), "{bad:#?}");
        expect(&report, "idp_metadata", Status::Good, "the next refresh follows");
        expect(&report, "authn_request", Status::Good, "the signature verifies");
        expect(&report, "decryption_key", Status::Good, "opens");
        expect(&report, "verifier_accepts", Status::Good, "encrypted assertion");
        expect(&report, "verifier_refuses", Status::Good, "encrypted assertion without signature");
        assert_eq!(seen().await, before);
        // By the id in its URLs, too.
        let by_other_id = idp.connection["saml_connection"]["id"].as_str().unwrap();
        assert!(saml(&context(&app), by_other_id).await.unwrap().works);
        app.close().await;
    }
}

#[tokio::test]
async fn each_setting_that_keeps_people_out_is_a_problem() {
    for app in TestApp::on_each_database().await {
        let nobody = saml(&context(&app), "entconn_nobody").await.unwrap();
        assert!(!nobody.works && nobody.findings.len() == 1);
        expect(&nobody, "connection", Status::Problem, "entconn_nobody");

        let body = json!({"name": "Bare", "provider": "saml_custom", "domains": ["bare.test"]});
        let bare = app.backend(Method::POST, "/v1/enterprise_connections", body).await.ok();
        let report = saml(&context(&app), bare["id"].as_str().unwrap()).await.unwrap();
        expect(&report, "active", Status::Problem, "switched off");
        expect(&report, "organization", Status::Warning, "none is linked");
        expect(&report, "idp_fields", Status::Problem, "idp_entity_id, idp_sso_url, idp_certificate");
        expect(&report, "verifier_accepts", Status::Good, "signed assertion");

        let other = json!({"name": "Other", "provider": "oidc_custom", "domains": ["other.test"]});
        let other = app.backend(Method::POST, "/v1/enterprise_connections", other).await.ok();
        let report = saml(&context(&app), other["id"].as_str().unwrap()).await.unwrap();
        assert!(!report.works && report.findings.len() == 2);
        expect(&report, "protocol", Status::Problem, "OpenID Connect");

        let (idp, _server) = sound(&app).await;
        patch(&app, &idp, json!({"authenticatable": false})).await;
        expect(&check(&app, &idp).await, "active", Status::Problem, "signing in");
        patch(&app, &idp, json!({"authenticatable": true})).await;
        let other = TestIdp::connect(&app, "acme.test", None, 0).await;
        expect(&check(&app, &idp).await, "domains", Status::Warning, other.connection_id());
        app.close().await;
    }
}

#[tokio::test]
async fn certificates_are_judged_by_their_dates_and_keys() {
    let app = TestApp::new().await;
    let (idp, _server) = sound(&app).await;
    let certificate = |year: i32, month: u8| {
        let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
        params.not_after = rcgen::date_time_ymd(year, month, 1);
        params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem()
    };
    for (year, month, what) in [(2026, 1, "expired 14 days ago"), (2026, 2, "only 16 days left")] {
        let saml = json!({"saml": {"idp_certificates": [certificate(year, month)]}});
        patch(&app, &idp, saml).await;
        let report = check(&app, &idp).await;
        expect(&report, "certificate", Status::Warning, what);
        expect(&report, "certificate", Status::Warning, "ECDSA P-256");
        assert!(report.works, "dates are not enforced");
    }
    app.close().await;
}

#[tokio::test]
async fn metadata_that_differs_or_is_gone_is_told() {
    let app = TestApp::new().await;
    let (idp, server) = sound(&app).await;
    let new = idp.with_other_key(1);
    patch(&app, &idp, json!({"saml": {"refresh_idp_metadata": false}})).await;
    server.publish(&idp_metadata(&idp.entity_id, "https://elsewhere.test/", &[new.certificate(), idp.certificate()]));
    let report = check(&app, &idp).await;
    let short: String = new.certificate().fingerprint().chars().take(16).collect();
    let told: Vec<&str> =
        report.findings.iter().filter(|found| found.check == "idp_metadata").map(|found| found.what.as_str()).collect();
    assert!(told.iter().any(|what| what.contains("https://elsewhere.test/")), "{told:?}");
    assert!(told.iter().any(|what| what.contains(&short)), "{told:?}");
    assert!(report.works);

    server.publish(&idp_metadata("https://other.test/", server.url(), &[idp.certificate()]));
    expect(&check(&app, &idp).await, "idp_metadata", Status::Problem, "https://other.test/");
    server.answer("404 Not Found", "", "");
    let report = check(&app, &idp).await;
    expect(&report, "idp_metadata", Status::Warning, "404");
    expect(&report, "sso_url", Status::Warning, "404");
    // The IdP answers a visit without a request as it likes.
    server.answer("400 Bad Request", "", "");
    expect(&check(&app, &idp).await, "sso_url", Status::Good, "400");

    patch(&app, &idp, json!({"saml": {"refresh_idp_metadata": true}})).await;
    app.backend(Method::POST, &format!("{}/metadata_refresh", path(&idp)), Value::Null).await.ok();
    expect(&check(&app, &idp).await, "metadata_refresh", Status::Warning, "failed 1 times");
    app.close().await;
}

#[tokio::test]
async fn an_address_that_leads_inside_is_a_finding_and_is_not_visited() {
    let app = TestApp::new().await;
    let (idp, _server) = sound(&app).await;
    patch(&app, &idp, json!({"saml": {"idp_sso_url": "https://169.254.169.254/latest"}})).await;
    expect(&check(&app, &idp).await, "sso_url", Status::Warning, "not public");
    app.close().await;
}

#[tokio::test]
async fn keys_that_do_not_open_are_a_problem() {
    for app in TestApp::on_each_database().await {
        let (idp, _server) = sound(&app).await;
        let other = EncryptionKey::parse(&EncryptionKey::generate(&SystemRandom)).unwrap();
        let wrong = Context { encryption: Ok(&other), ..context(&app) };
        let report = saml(&wrong, idp.connection_id()).await.unwrap();
        expect(&report, "decryption_key", Status::Problem, "cannot be decrypted");
        expect(&report, "authn_request", Status::Problem, "cannot be decrypted");
        let missing = Context { encryption: Err("there is no encryption key".into()), ..context(&app) };
        let report = saml(&missing, idp.connection_id()).await.unwrap();
        expect(&report, "encryption_key", Status::Problem, "no encryption key");
        app.close().await;
    }
}

#[tokio::test]
async fn a_server_without_tls_is_a_problem_unless_it_is_for_this_machine() {
    for (url, status) in [("http://sso.example.com", Status::Problem), ("http://127.0.0.1:4400", Status::Warning)] {
        let app = TestApp::with(|raw| raw.public_url = Some(url.into())).await;
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        expect(&check(&app, &idp).await, "public_url", status, url);
        app.close().await;
    }
}

#[tokio::test]
async fn the_verifier_is_tried_with_the_settings_of_the_connection() {
    let app = TestApp::new().await;
    let (idp, _server) = sound(&app).await;
    let mapping = json!({"user_id": "uid", "email_address": "e-mail"});
    patch(&app, &idp, json!({"saml": {"force_authn": true, "attribute_mapping": mapping}})).await;
    let report = check(&app, &idp).await;
    expect(&report, "verifier_refuses", Status::Good, "a fresh sign-in is wanted");
    expect(&report, "verifier_accepts", Status::Good, "signed response and assertion");
    app.close().await;
}

#[tokio::test]
async fn a_verifier_that_accepts_or_refuses_everything_is_found_out() {
    let app = TestApp::new().await;
    let (idp, _server) = sound(&app).await;
    let context = context(&app);
    let mut tx = app.app.store.read().await.unwrap();
    let id = idp.connection_id().into();
    let connection = doorward_store::enterprise_connections::by_id(&mut tx, &id).await.unwrap().unwrap();
    drop(tx);
    let [key, foreign] = [(); 2].map(|()| verifier::throw_away_key().unwrap());
    let connection = verifier::stand_in(&connection, &key);
    let probes = verifier::Probes { context: &context, connection: &connection, key: &key, foreign: &foreign };
    let probes = probes.all().unwrap();
    let hostile = probes.iter().filter(|probe| !probe.is_genuine).count();
    assert!(hostile >= 20, "{hostile}");

    let credulous = judge(&probes, |_| Ok(()));
    let problems: Vec<_> = credulous.iter().filter(|found| found.status == Status::Problem).collect();
    assert_eq!(problems.len(), hostile);
    assert!(problems.iter().all(|found| found.check == "verifier_refuses"));
    let dead = judge(&probes, |_| Err("no".into()));
    let problems: Vec<_> = dead.iter().filter(|found| found.status == Status::Problem).collect();
    assert_eq!(problems.len(), probes.len() - hostile);
    assert!(problems.iter().all(|found| found.check == "verifier_accepts"));
    // Each hostile answer is refused for what is wrong with it, not because the probes are broken in one way.
    let reasons = [
        ("no signature", "is signed"),
        ("signed by another key", "no configured certificate verifies it"),
        ("subject changed", "was changed after it had been signed"),
        ("address changed", "was changed after it had been signed"),
        ("signature cut out", "is signed"),
        ("forged assertion before the signed one", "2 Assertions"),
        ("forged assertion behind the signed one", "2 Assertions"),
        ("two assertions of one id", "2 Assertions"),
        ("signed assertion moved aside", "Extensions; it belongs directly"),
        ("signature moved to a forged assertion", "was changed after it had been signed"),
        ("signed assertion inside of the signature of a forged one", "Object; it belongs directly"),
        ("comment inside of the address", "a comment inside"),
        ("document type", "DOCTYPE"),
        ("an assertion and no response", "expected a SAML 2.0 Response"),
        ("nothing", "not well-formed"),
        ("for another service provider", "Audience: expected"),
        ("for another ACS", "Destination: expected"),
        ("of another identity provider", "Issuer of the Response: expected"),
        ("to another request", "expected _selfcheck-request, got _other"),
        ("to no request", "is missing, expected _selfcheck-request"),
        ("run out", "had to be delivered before"),
        ("not yet valid", "in the future"),
        ("address outside of the domains", "other.invalid"),
    ];
    let refused: Vec<_> = probes.iter().filter(|probe| !probe.is_genuine).collect();
    assert_eq!(refused.iter().map(|probe| probe.name).collect::<Vec<_>>(), reasons.map(|(name, _)| name));
    for (probe, (name, reason)) in refused.iter().zip(reasons) {
        let refusal = verifier::verify(&context, &connection, &[], &probe.xml).unwrap_err();
        assert!(refusal.contains(reason), "{name}: {refusal}");
    }
    app.close().await;
}

#[tokio::test]
async fn the_report_is_for_people_and_for_programs() {
    let app = TestApp::new().await;
    let (idp, server) = sound(&app).await;
    let good = check(&app, &idp).await;
    let text = good.to_text();
    let (about_connection, about_server) = text.split_once("warning  corpus: ").unwrap();
    assert!(about_connection.lines().all(|line| line.starts_with("ok ")), "{text}");
    assert!(about_server.contains("mend: set DOORWARD_SECRET_KEY") && about_server.contains("would work"), "{text}");
    server.publish("no metadata");
    patch(&app, &idp, json!({"active": false})).await;
    let bad = check(&app, &idp).await;
    let text = bad.to_text();
    assert!(text.contains("PROBLEM  active: the connection is switched off\n          why:  "), "{text}");
    assert!(text.contains("would NOT work"), "{text}");
    let object = serde_json::to_value(&bad).unwrap();
    assert_eq!((&object["works"], &object["connection"]), (&json!(false), &json!(idp.connection_id())));
    let active = object["findings"].as_array().unwrap().iter().find(|found| found["check"] == "active").unwrap();
    assert_eq!(active["status"], "problem");
    assert!(active["why"].is_string() && active["mend"].is_string());
    app.close().await;

    // What a stranger's server wrote does not write on the terminal.
    let what = "red \u{1b}[31m".to_owned();
    let finding = Finding { check: "x", status: Status::Good, what, why: "y", mend: None };
    assert!(!Report::new("entconn_1", vec![finding]).to_text().contains('\u{1b}'));
}
