use crate::flows::idp_certificates::fingerprint;
use crate::flows::metadata_refresh::run_due;
use crate::flows::{FlowError, Refusal};
use crate::testing::{Identity, MetadataServer, TestApp, TestIdp, begin_sign_in};
use axum::http::Method;
use doorward_saml::TrustedCertificate;
use doorward_saml::idp::idp_metadata;
use doorward_store::{StoreError, enterprise_connections, metadata_refreshes, write_tx};
use futures_util::future::join_all;
use serde_json::{Value, json};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// A connection whose IdP publishes its metadata.
struct World {
    server: MetadataServer,
    idp: TestIdp,
}

impl World {
    /// The IdP signs with its first key, and the connection follows its metadata.
    async fn new(app: &TestApp) -> Self {
        let idp = TestIdp::connect(app, "acme.test", None, 0).await;
        let world = Self { server: MetadataServer::start().await, idp };
        world.publish(&[world.idp.certificate()]);
        let saml = json!({"idp_metadata_url": world.server.url(), "refresh_idp_metadata": true});
        let changed = app.backend(Method::PATCH, &world.path(""), json!({ "saml": saml })).await.ok();
        assert_eq!(changed["saml_connection"]["refresh_idp_metadata"], true);
        world
    }

    fn path(&self, below: &str) -> String {
        format!("/v1/enterprise_connections/{}{below}", self.idp.connection_id())
    }

    fn document(&self, certificates: &[&TrustedCertificate]) -> String {
        idp_metadata(&self.idp.entity_id, "https://idp.acme.test/sso", certificates)
    }

    fn publish(&self, certificates: &[&TrustedCertificate]) {
        self.server.publish(&self.document(certificates));
    }

    async fn state(&self, app: &TestApp) -> Value {
        app.backend(Method::GET, &self.path("/metadata_refresh"), Value::Null).await.ok()
    }

    async fn refresh_now(&self, app: &TestApp) -> Value {
        app.backend(Method::POST, &self.path("/metadata_refresh"), Value::Null).await.ok()
    }

    async fn trusted(&self, app: &TestApp) -> Vec<String> {
        let listed = app.backend(Method::GET, &self.path("/certificates"), Value::Null).await.ok();
        let text = |certificate: &Value| certificate["fingerprint"].as_str().unwrap().to_owned();
        listed["data"].as_array().unwrap().iter().map(text).collect()
    }

    /// Everything the operator sees of the connection.
    async fn shown(&self, app: &TestApp) -> (Value, Vec<String>) {
        (app.backend(Method::GET, &self.path(""), Value::Null).await.ok(), self.trusted(app).await)
    }
}

fn certificate(name: &str, expired: bool) -> TrustedCertificate {
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    if expired {
        params.not_after = rcgen::date_time_ymd(2026, 1, 1);
    }
    let key = rcgen::KeyPair::generate().unwrap();
    TrustedCertificate::parse(&params.self_signed(&key).unwrap().pem()).unwrap()
}

fn prints(certificates: &[&TrustedCertificate]) -> Vec<String> {
    certificates.iter().map(|certificate| certificate.fingerprint()).collect()
}

fn fingerprints(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|found| found["fingerprint"].as_str().unwrap().to_owned()).collect()
}

/// The codes of what was not followed.
fn codes(state: &Value) -> Vec<&str> {
    state["last"]["notices"].as_array().unwrap().iter().map(|notice| notice["code"].as_str().unwrap()).collect()
}

fn alice() -> Identity {
    Identity::new("alice@acme.test", "Alice", "Müller")
}

async fn signs_in(app: &TestApp, idp: &TestIdp) -> bool {
    let done = idp.sign_in(app, &app.browser(), "alice@acme.test", &alice()).await;
    done.location() == "https://app.example.com/done"
}

#[tokio::test]
async fn con23_an_idp_changes_its_key_while_nobody_watches_and_nobody_is_locked_out() {
    for app in TestApp::on_each_database().await {
        let world = World::new(&app).await;
        let (old, new) = (&world.idp, world.idp.with_other_key(1));
        assert_eq!(world.state(&app).await["next_at"], app.now() + DAY);
        world.publish(&[old.certificate(), new.certificate()]);
        app.advance(DAY - 1);
        assert_eq!(run_due(&app.app).await.unwrap(), 0, "not before its time");
        app.advance(1);
        assert_eq!(run_due(&app.app).await.unwrap(), 1);
        assert_eq!((signs_in(&app, old).await, signs_in(&app, &new).await), (true, true));
        let state = world.state(&app).await;
        assert_eq!((&state["last"]["outcome"], &state["last"]["at"]), (&json!("changed"), &json!(app.now())));
        assert_eq!(fingerprints(&state["last"]["trusted"]), prints(&[new.certificate()]));
        assert_eq!((&state["last_success_at"], &state["next_at"]), (&json!(app.now()), &json!(app.now() + DAY)));

        world.publish(&[new.certificate()]);
        app.advance(DAY);
        run_due(&app.app).await.unwrap();
        assert_eq!((signs_in(&app, old).await, signs_in(&app, &new).await), (false, true));
        app.advance(DAY);
        run_due(&app.app).await.unwrap();
        let state = world.state(&app).await;
        assert_eq!(state["last"]["outcome"], "unchanged");
        let changes = state["changes"].as_array().unwrap();
        assert_eq!(changes.len(), 2, "newest first");
        assert_eq!(fingerprints(&changes[0]["dropped"]), prints(&[old.certificate()]));
        assert_eq!(fingerprints(&changes[1]["trusted"]), prints(&[new.certificate()]));
        app.close().await;
    }
}

#[tokio::test]
async fn sml9_a_sign_in_under_way_survives_a_new_certificate_and_not_the_loss_of_its_own() {
    for app in TestApp::on_each_database().await {
        let world = World::new(&app).await;
        let new = world.idp.with_other_key(1);
        let on_the_way = async |idp: &TestIdp| {
            let browser = app.browser();
            let request = idp.receive(&begin_sign_in(&browser, "alice@acme.test").await);
            let response = idp.respond(&app, &request, &alice(), |_| {});
            let relay_state = request.relay_state.unwrap();
            let form = [("SAMLResponse", response.as_str()), ("RelayState", relay_state.as_str())];
            let posted = browser.post_cross_site(idp.acs_url(), &form).await;
            (browser, posted.location().to_owned())
        };
        let arrives = async |(browser, url): (crate::testing::Browser<'_>, String)| {
            browser.visit(&url).await.location() == "https://app.example.com/done"
        };
        let first = on_the_way(&world.idp).await;
        world.publish(&[world.idp.certificate(), new.certificate()]);
        assert_eq!(world.refresh_now(&app).await["last"]["outcome"], "changed");
        assert!(arrives(first).await);

        let (by_old, by_new) = (on_the_way(&world.idp).await, on_the_way(&new).await);
        world.publish(&[new.certificate()]);
        world.refresh_now(&app).await;
        assert!(!arrives(by_old).await, "the certificate that vouched for it is no longer trusted");
        assert!(arrives(by_new).await);

        // Another certificate over the same key vouches as well.
        let by_new = on_the_way(&new).await;
        world.publish(&[new.reissued_certificate()]);
        world.refresh_now(&app).await;
        world.refresh_now(&app).await;
        assert_eq!(world.trusted(&app).await, prints(&[new.reissued_certificate()]));
        assert!(arrives(by_new).await);
        app.close().await;
    }
}

#[tokio::test]
async fn con23_no_document_takes_away_what_works() {
    for app in TestApp::on_each_database().await {
        let world = World::new(&app).await;
        let (old, new, dead) = (world.idp.certificate(), certificate("new", false), certificate("dead", true));
        // All at once: the old one stays until the next document says the same.
        world.publish(&[&new, &dead]);
        let state = world.refresh_now(&app).await;
        assert_eq!(world.trusted(&app).await, prints(&[old, &new]));
        assert_eq!(codes(&state), ["certificate_expired", "certificate_kept"]);
        world.refresh_now(&app).await;
        assert_eq!(world.trusted(&app).await, prints(&[&new]));
        app.close().await;
    }
}

#[tokio::test]
async fn every_bad_document_changes_nothing_and_is_recorded_with_the_reason() {
    for app in TestApp::on_each_database().await {
        let world = World::new(&app).await;
        let (old, new, dead) = (world.idp.certificate(), certificate("new", false), certificate("dead", true));
        let good = world.document(&[old, &new]);
        let before = world.shown(&app).await;
        let weak = include_str!("../../../../saml/tests/keys/weak.crt");
        let weak: String = weak.lines().filter(|line| !line.starts_with('-')).collect();
        let other = idp_metadata("https://evil.test/", "https://idp.acme.test/sso", &[old, &new]);
        let entity = world.idp.entity_id.as_str();
        let plain = idp_metadata(entity, "http://idp.acme.test/sso", &[old, &new]);
        let documents = [
            ("entity_id_mismatch", other, "https://evil.test/"),
            (
                "metadata_expired",
                good.replace("entityID", r#"validUntil="2026-01-15T12:00:00Z" entityID"#),
                "2026-01-15T12:00:00",
            ),
            ("no_usable_certificate", world.document(&[&dead]), "got none"),
            ("saml_failed_to_parse_idp_metadata", world.document(&[&new]).replace(&new.base64(), &weak), "1024"),
            ("saml_metadata_missing_fields", world.document(&[]), "idp_certificate"),
            (
                "saml_failed_to_parse_idp_metadata",
                plain.replace("/sso", &"/sso".repeat(9999)),
                "http://idp.acme.test/sso",
            ),
            ("saml_failed_to_parse_idp_metadata", plain, "http://idp.acme.test/sso"),
            ("saml_failed_to_parse_idp_metadata", good.replace("entityID", r#"validUntil="soon" entityID"#), "soon"),
            ("saml_failed_to_parse_idp_metadata", "<html>Sign in</html>".into(), "EntityDescriptor"),
            ("saml_failed_to_parse_idp_metadata", good.replace("</md:EntityDescriptor>", ""), ""),
            ("saml_failed_to_parse_idp_metadata", format!("<!DOCTYPE x>{}", good.split_once("?>").unwrap().1), ""),
            ("saml_failed_to_parse_idp_metadata", String::new(), ""),
            ("saml_failed_to_fetch_idp_metadata", "x".repeat(1024 * 1024 + 1), "1048576"),
        ];
        let mut failures = 0;
        let mut expect = async |code: &str, reason: &str, what: &str| {
            failures += 1;
            let state = world.refresh_now(&app).await;
            assert_eq!(state["last"]["outcome"], "failed", "{what}");
            assert_eq!(state["last"]["error"]["code"], code, "{what}");
            let message = state["last"]["error"]["message"].as_str().unwrap();
            assert!(message.contains(reason), "{what}: {message}");
            assert!(message.len() < 500, "{what}: what a stranger writes is kept short");
            assert_eq!(state["consecutive_failures"], failures, "{what}");
            assert_eq!((&state["last_success_at"], &state["changes"]), (&Value::Null, &json!([])), "{what}");
            assert_eq!(world.shown(&app).await, before, "{what}");
        };
        for (code, document, reason) in &documents {
            world.server.publish(document);
            expect(code, reason, &document.chars().take(300).collect::<String>()).await;
        }
        for (status, headers, reason) in [
            ("404 Not Found", "", "404"),
            ("500 Internal Server Error", "", "500"),
            ("302 Found", "location: http://127.0.0.2/metadata\r\n", "not allowed"),
            ("302 Found", "location: http://169.254.169.254/latest\r\n", "not allowed"),
            ("302 Found", "location: file:///etc/passwd\r\n", ""),
            ("nonsense", "", ""),
        ] {
            world.server.answer(status, headers, &good);
            expect("saml_failed_to_fetch_idp_metadata", reason, headers).await;
        }
        world.server.publish(&good);
        let state = world.refresh_now(&app).await;
        assert_eq!((&state["last"]["outcome"], &state["consecutive_failures"]), (&json!("changed"), &json!(0)));
        app.close().await;
    }
}

#[tokio::test]
async fn failures_are_tried_again_ever_later_and_a_documents_own_times_are_kept() {
    let app = TestApp::new().await;
    let world = World::new(&app).await;
    world.server.answer("503 Service Unavailable", "", "");
    app.advance(DAY);
    for minutes in [5, 10, 20] {
        assert_eq!(run_due(&app.app).await.unwrap(), 1);
        assert_eq!(world.state(&app).await["next_at"], app.now() + minutes * MINUTE);
        app.advance(minutes * MINUTE);
    }
    let document = world.document(&[world.idp.certificate()]);
    world.server.publish(&document.replace("entityID", r#"cacheDuration="PT6H" entityID"#));
    run_due(&app.app).await.unwrap();
    assert_eq!(world.state(&app).await["next_at"], app.now() + 6 * 60 * MINUTE);
    app.close().await;
}

#[tokio::test]
async fn two_nodes_that_wake_together_fetch_once() {
    for app in TestApp::on_each_database().await {
        let world = World::new(&app).await;
        let other = app.second_node().await;
        let hits = world.server.hits();
        app.advance(DAY);
        world.server.close_gate().await;
        let nodes = [app.app.clone(), other.app.clone(), app.app.clone(), other.app.clone()];
        let runs: Vec<_> =
            nodes.into_iter().map(|node| tokio::spawn(async move { run_due(&node).await.unwrap() })).collect();
        world.server.wait_for_hits(hits + 1).await;
        // While it is being fetched the operator is told so.
        let refused = app.backend(Method::POST, &world.path("/metadata_refresh"), Value::Null).await;
        assert_eq!(refused.error(), (409, "metadata_refresh_under_way".to_owned()));
        world.server.open_gate();
        let refreshed: usize = join_all(runs).await.into_iter().map(Result::unwrap).sum();
        assert_eq!((refreshed, world.server.hits()), (1, hits + 1));
        other.close().await;
        app.close().await;
    }
}

#[tokio::test]
async fn a_node_that_dies_while_it_fetches_leaves_the_connection_to_the_next() {
    for app in TestApp::on_each_database().await {
        let world = World::new(&app).await;
        let new = certificate("new", false);
        let before = world.shown(&app).await;
        let hits = world.server.hits();
        app.advance(DAY);
        world.server.close_gate().await;
        let dying = tokio::spawn({
            let node = app.app.clone();
            async move { run_due(&node).await }
        });
        world.server.wait_for_hits(hits + 1).await;
        dying.abort();
        let _ = dying.await;
        world.server.open_gate();
        world.publish(&[world.idp.certificate(), &new]);
        let other = app.second_node().await;
        assert_eq!(run_due(&other.app).await.unwrap(), 0, "it may still be alive");
        assert_eq!(world.shown(&app).await, before);
        app.advance(5 * MINUTE);
        assert_eq!(run_due(&other.app).await.unwrap(), 1);
        assert_eq!(world.trusted(&app).await, prints(&[world.idp.certificate(), &new]));
        other.close().await;
        app.close().await;
    }
}

#[tokio::test]
async fn a_connection_that_changes_while_its_metadata_is_fetched_is_left_as_it_is() {
    for app in TestApp::on_each_database().await {
        let world = World::new(&app).await;
        let new = certificate("new", false);
        let fetch_while = async |change: (Method, String, Value)| {
            world.publish(&[world.idp.certificate(), &new]);
            let hits = world.server.hits();
            world.server.close_gate().await;
            let node = app.app.clone();
            let id = world.idp.connection_id().into();
            let run = tokio::spawn(async move { crate::flows::metadata_refresh::run_now(&node, &id).await });
            world.server.wait_for_hits(hits + 1).await;
            app.backend(change.0, &change.1, change.2).await.ok();
            world.server.open_gate();
            run.await.unwrap()
        };
        for change in [
            (Method::PATCH, world.path(""), json!({"saml": {"idp_entity_id": "https://moved.test/"}})),
            (Method::PATCH, world.path(""), json!({"saml": {"force_authn": true}})),
            (Method::POST, world.path("/certificates"), json!({"certificate": certificate("hand", false).pem()})),
            (Method::PATCH, world.path(""), json!({"saml": {"refresh_idp_metadata": false}})),
        ] {
            fetch_while(change.clone()).await.unwrap();
            let state = world.state(&app).await;
            assert_eq!(state["last"]["outcome"], "superseded", "{change:?}");
            assert!(!world.trusted(&app).await.contains(&new.fingerprint()), "{change:?}");
        }
        assert_eq!(world.state(&app).await["next_at"], Value::Null, "it was switched off meanwhile");
        let gone = fetch_while((Method::DELETE, world.path(""), Value::Null)).await;
        let Err(FlowError::Refused(why)) = gone else { panic!("there is nothing left to tell about: {gone:?}") };
        assert!(matches!(why[..], [Refusal::ConnectionNotFound { .. }]), "{why:?}");
        let answer = app.backend(Method::GET, &world.path("/metadata_refresh"), Value::Null).await;
        assert_eq!(answer.error(), (404, "resource_not_found".to_owned()));
        app.close().await;
    }
}

#[tokio::test]
async fn what_the_operator_added_stays_and_what_he_took_away_stays_away() {
    for app in TestApp::on_each_database().await {
        let world = World::new(&app).await;
        let (old, new, hand) = (world.idp.certificate(), certificate("new", false), certificate("hand", false));
        let add = async |certificate: &TrustedCertificate| {
            let body = json!({"certificate": certificate.pem()});
            app.backend(Method::POST, &world.path("/certificates"), body).await.ok();
        };
        add(&hand).await;
        world.publish(&[old, &new]);
        world.refresh_now(&app).await;
        assert_eq!(world.trusted(&app).await, prints(&[old, &hand, &new]));
        // Adopted by hand, it is the operator's, whatever metadata says later.
        add(&new).await;
        world.publish(&[old]);
        world.refresh_now(&app).await;
        assert_eq!(world.trusted(&app).await, prints(&[old, &hand, &new]));

        let removed = world.path(&format!("/certificates/{}", new.fingerprint()));
        app.backend(Method::DELETE, &removed, Value::Null).await.ok();
        world.publish(&[old, &new]);
        let state = world.refresh_now(&app).await;
        assert_eq!(state["last"]["notices"][0]["code"], "certificate_withheld");
        assert_eq!(world.trusted(&app).await, prints(&[old, &hand]));
        // The operator who names the whole set says what is not in it, too.
        let whole = json!({"saml": {"idp_certificates": [hand.pem(), new.pem()]}});
        app.backend(Method::PATCH, &world.path(""), whole).await.ok();
        world.refresh_now(&app).await;
        assert_eq!(world.trusted(&app).await, prints(&[&hand, &new]));
        // Who sets the document again vouches for all of it.
        let again = json!({"saml": {"idp_metadata_url": world.server.url()}});
        app.backend(Method::PATCH, &world.path(""), again).await.ok();
        assert_eq!(world.trusted(&app).await, prints(&[old, &new]));
        app.close().await;
    }
}

#[tokio::test]
async fn a_key_that_was_taken_away_by_hand_stays_away_in_any_certificate() {
    for app in TestApp::on_each_database().await {
        let world = World::new(&app).await;
        let (old, leaked) = (world.idp.certificate(), world.idp.with_other_key(1));
        world.publish(&[old, leaked.certificate()]);
        world.refresh_now(&app).await;
        assert!(signs_in(&app, &leaked).await);
        let removed = world.path(&format!("/certificates/{}", leaked.certificate().fingerprint()));
        app.backend(Method::DELETE, &removed, Value::Null).await.ok();
        world.publish(&[old, leaked.reissued_certificate()]);
        let state = world.refresh_now(&app).await;
        assert_eq!(codes(&state), ["certificate_withheld"]);
        assert_eq!(world.trusted(&app).await, prints(&[old]));
        assert!(!signs_in(&app, &leaked).await);
        app.close().await;
    }
}

#[tokio::test]
async fn what_a_document_the_operator_brings_leaves_out_is_not_brought_back_by_the_url() {
    for app in TestApp::on_each_database().await {
        let world = World::new(&app).await;
        let (old, new) = (world.idp.certificate(), certificate("new", false));
        let due = world.state(&app).await["next_at"].clone();
        app.advance(MINUTE);
        let brought = json!({"saml": {"idp_metadata": world.document(&[&new])}});
        app.backend(Method::PATCH, &world.path(""), brought).await.ok();
        assert_eq!(world.trusted(&app).await, prints(&[&new]));
        assert_eq!(world.state(&app).await["next_at"], due, "the URL was not read");
        world.publish(&[old, &new]);
        let state = world.refresh_now(&app).await;
        assert_eq!(codes(&state), ["certificate_withheld"]);
        assert_eq!(world.trusted(&app).await, prints(&[&new]));
        app.close().await;
    }
}

#[tokio::test]
async fn a_stored_certificate_that_cannot_be_read_stays_or_is_said_to_go() {
    for app in TestApp::on_each_database().await {
        let world = World::new(&app).await;
        let (old, new) = (world.idp.certificate(), certificate("new", false));
        let store = async |is_from_metadata: bool| {
            let id = world.idp.connection_id().into();
            write_tx!(app.app.store, StoreError, |tx| {
                let mut connection = enterprise_connections::by_id(tx, &id).await?.unwrap();
                connection.saml.idp_metadata = None;
                connection.saml.idp_certificates = vec![old.base64(), "bm9uc2Vuc2U=".to_owned()];
                connection.saml.metadata_certificates = vec![fingerprint(&old.base64())];
                if is_from_metadata {
                    connection.saml.metadata_certificates.push(fingerprint("bm9uc2Vuc2U="));
                }
                enterprise_connections::update(tx, &connection).await
            })
            .unwrap();
            world.publish(&[old, &new]);
            let state = world.refresh_now(&app).await;
            assert_eq!(world.trusted(&app).await, prints(&[old, &new]));
            let stored = enterprise_connections::by_id(&mut app.app.store.read().await.unwrap(), &id).await.unwrap();
            (stored.unwrap().saml.idp_certificates.len(), fingerprints(&state["last"]["dropped"]))
        };
        assert_eq!(store(false).await, (3, vec![]), "the operator's stays");
        assert_eq!(store(true).await, (2, vec![fingerprint("bm9uc2Vuc2U=")]));
        app.close().await;
    }
}

#[tokio::test]
async fn a_refresh_sends_nobody_elsewhere() {
    let app = TestApp::new().await;
    let world = World::new(&app).await;
    let before = world.shown(&app).await;
    let (entity_id, certificate) = (world.idp.entity_id.as_str(), world.idp.certificate());
    let moved = idp_metadata(entity_id, "https://elsewhere.test/sso", &[certificate]);
    world.server.publish(&moved.replace(r#"WantAuthnRequestsSigned="false""#, r#"WantAuthnRequestsSigned="true""#));
    let state = world.refresh_now(&app).await;
    assert_eq!(state["last"]["outcome"], "unchanged");
    assert_eq!(codes(&state), ["sso_url_differs", "signed_requests_wanted"]);
    assert_eq!(world.shown(&app).await, before);

    let set = json!({"saml": {"sign_requests": true, "idp_sso_binding": "post"}});
    app.backend(Method::PATCH, &world.path(""), set).await.ok();
    let before = world.shown(&app).await;
    let redirect_only = world.document(&[certificate]);
    world.server.publish(&redirect_only.lines().filter(|line| !line.contains("HTTP-POST")).collect::<String>());
    let state = world.refresh_now(&app).await;
    assert_eq!(codes(&state), ["sso_binding_differs", "signed_requests_not_wanted"]);
    assert_eq!(world.shown(&app).await, before);
    app.close().await;
}

#[tokio::test]
async fn a_refresh_is_asked_for_where_the_schedule_is_off_and_bad_input_is_refused() {
    for app in TestApp::on_each_database().await {
        let world = World::new(&app).await;
        let switch = async |saml: Value| app.backend(Method::PATCH, &world.path(""), json!({ "saml": saml })).await;
        switch(json!({"refresh_idp_metadata": false})).await.ok();
        let state = world.state(&app).await;
        assert_eq!((&state["enabled"], &state["next_at"]), (&json!(false), &Value::Null));
        app.advance(30 * DAY);
        assert_eq!(run_due(&app.app).await.unwrap(), 0);
        let state = world.refresh_now(&app).await;
        assert_eq!((&state["last"]["requested"], &state["next_at"]), (&json!(true), &Value::Null));
        // Switched on again, it is due at once.
        switch(json!({"refresh_idp_metadata": true})).await.ok();
        assert_eq!(world.state(&app).await["next_at"], app.now());

        for (saml, code) in [
            (json!({"refresh_idp_metadata": "yes"}), "form_param_type_invalid"),
            (json!({"idp_metadata_url": ""}), "form_param_value_invalid"),
        ] {
            assert_eq!(switch(saml).await.error(), (422, code.to_owned()));
        }
        let body = json!({"name": "X", "provider": "saml_custom", "domains": ["x.test"], "saml": {"refresh_idp_metadata": true}});
        let refused = app.backend(Method::POST, "/v1/enterprise_connections", body).await;
        assert_eq!(refused.error(), (422, "form_param_value_invalid".to_owned()));
        assert_eq!(refused.json()["errors"][0]["meta"]["param_name"], "saml.refresh_idp_metadata");

        switch(json!({"refresh_idp_metadata": false, "idp_metadata_url": ""})).await.ok();
        let refused = app.backend(Method::POST, &world.path("/metadata_refresh"), Value::Null).await;
        assert_eq!(refused.error(), (422, "form_param_missing".to_owned()));
        for method in [Method::GET, Method::POST] {
            let answer =
                app.backend(method, "/v1/enterprise_connections/ent_nobody/metadata_refresh", Value::Null).await;
            assert_eq!(answer.error(), (404, "resource_not_found".to_owned()));
        }
        app.close().await;
    }
}

#[tokio::test]
async fn the_operator_can_stop_it_for_the_whole_instance() {
    let app = TestApp::with(|raw| raw.metadata_refresh_interval = Some("off".into())).await;
    let world = World::new(&app).await;
    let hits = world.server.hits();
    app.advance(30 * DAY);
    crate::jobs::metadata_refresh::run(&app.app).await.unwrap();
    assert_eq!(world.server.hits(), hits);
    app.close().await;
}

#[tokio::test]
async fn a_panic_on_the_way_is_that_connections_failure_and_no_others() {
    for app in TestApp::on_each_database().await {
        let world = World::new(&app).await;
        let before = world.shown(&app).await;
        let hits = world.server.hits();
        app.advance(DAY);
        world.server.close_gate().await;
        let node = app.app.clone();
        let run = tokio::spawn(async move { run_due(&node).await });
        world.server.wait_for_hits(hits + 1).await;
        app.break_clock_once();
        world.server.open_gate();
        assert_eq!(run.await.unwrap().unwrap(), 1);
        let state = world.state(&app).await;
        assert_eq!((&state["last"]["outcome"], &state["consecutive_failures"]), (&json!("failed"), &json!(1)));
        assert_eq!(state["last"]["error"]["code"], "internal_error");
        assert_eq!(state["next_at"], app.now() + 5 * MINUTE);
        assert_eq!(world.shown(&app).await, before);
        app.advance(5 * MINUTE);
        assert_eq!(run_due(&app.app).await.unwrap(), 1);
        assert_eq!(world.state(&app).await["last"]["outcome"], "unchanged");
        app.close().await;
    }
}

#[tokio::test]
async fn rows_that_cannot_be_read_keep_nobody_else_from_being_refreshed() {
    const BROKEN: usize = 33;
    for app in TestApp::on_each_database().await {
        let server = MetadataServer::start().await;
        server.publish(&idp_metadata("https://idp.test/", "https://idp.test/sso", &[&certificate("a", false)]));
        make_many(&app, &server, BROKEN + 2).await;
        let waiting = "SELECT connection_id FROM metadata_refreshes ORDER BY due_at, connection_id";
        let first = |count: usize| format!("({waiting} LIMIT {count})");
        app.sql(&format!("UPDATE enterprise_connections SET saml = 'x' WHERE id IN {}", first(BROKEN))).await;
        app.advance(DAY);
        assert_eq!(run_due(&app.app).await.unwrap(), BROKEN + 2, "failures among them");
        assert_eq!(server.hits(), BROKEN + 2 + 2);
        assert_eq!(run_due(&app.app).await.unwrap(), 0, "they are tried again later");

        app.sql(&format!("UPDATE metadata_refreshes SET last = 'x' WHERE connection_id IN {}", first(BROKEN))).await;
        app.advance(DAY);
        assert_eq!(run_due(&app.app).await.unwrap(), 2);
        assert_eq!(server.hits(), BROKEN + 2 + 4);
        // Put off, without a record to count failures in.
        app.advance(DAY - 1);
        let due = metadata_refreshes::due(&mut app.app.store.read().await.unwrap(), app.now()).await.unwrap();
        assert_eq!(due, []);
        app.close().await;
    }
}

#[tokio::test]
async fn many_connections_that_are_due_together_are_all_refreshed() {
    for app in TestApp::on_each_database().await {
        refresh_many(app).await;
    }
}

/// On two nodes at once.
async fn refresh_many(app: TestApp) {
    let server = MetadataServer::start().await;
    server.publish(&idp_metadata("https://idp.test/", "https://idp.test/sso", &[&certificate("a", false)]));
    make_many(&app, &server, 40).await;
    app.advance(DAY);
    let node = app.second_node().await;
    let (here, there) = tokio::join!(run_due(&app.app), run_due(&node.app));
    assert_eq!(here.unwrap() + there.unwrap(), 40);
    assert_eq!(server.hits(), 80);
    assert_eq!(run_due(&app.app).await.unwrap(), 0);
    node.close().await;
    app.close().await;
}

/// Connections that all follow one server.
async fn make_many(app: &TestApp, server: &MetadataServer, count: usize) {
    for number in 0..count {
        let saml = json!({"idp_metadata_url": server.url(), "refresh_idp_metadata": true});
        let domain = format!("d{number}.test");
        let body = json!({"name": domain, "provider": "saml_custom", "domains": [domain], "saml": saml});
        app.backend(Method::POST, "/v1/enterprise_connections", body).await.ok();
    }
}
