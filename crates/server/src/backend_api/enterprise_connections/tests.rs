use crate::testing::TestApp;
use axum::http::Method;
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const CONNECTIONS: &str = "/v1/enterprise_connections";

fn certificate() -> String {
    rcgen::generate_simple_self_signed(vec!["idp.test".into()]).unwrap().cert.pem()
}

fn whole_idp() -> Value {
    json!({
        "idp_entity_id": "https://idp.acme.test/metadata",
        "idp_sso_url": "https://idp.acme.test/sso",
        "idp_certificate": certificate(),
    })
}

fn new(change: Value) -> Value {
    let mut body = json!({"name": "SSO", "provider": "saml_custom", "domains": ["acme.test"]});
    for (key, value) in change.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

async fn organization(app: &TestApp) -> Value {
    app.backend(Method::POST, "/v1/organizations", json!({"name": "Acme"})).await.ok()["id"].clone()
}

fn path(connection: &Value) -> String {
    format!("{CONNECTIONS}/{}", connection["id"].as_str().unwrap())
}

fn metadata(entity_id: &str, sso_url: Option<&str>) -> String {
    let key: String = certificate().lines().filter(|line| !line.starts_with('-')).collect();
    let sso = sso_url.map_or(String::new(), |url| {
        let binding = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
        format!(r#"<SingleSignOnService Binding="{binding}" Location="{url}"/>"#)
    });
    format!(
        r#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity_id}">
        <IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
        <KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>
        <X509Certificate>{key}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>{sso}
        </IDPSSODescriptor></EntityDescriptor>"#
    )
}

/// A web server that gives one answer to every request, and counts them.
async fn serve(status: &'static str, body: String) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/metadata", listener.local_addr().unwrap());
    let hits = Arc::new(AtomicUsize::new(0));
    let counter = hits.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            counter.fetch_add(1, Ordering::SeqCst);
            let mut request = [0u8; 4096];
            let _ = stream.read(&mut request).await;
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
        }
    });
    (url, hits)
}

#[tokio::test]
async fn con6_a_connection_starts_inactive_with_the_defaults() {
    for app in TestApp::on_each_database().await {
        let body = new(json!({"domains": ["ACME.test.", "acme.test"], "organization_id": null, "saml": null}));
        let answer = app.backend(Method::POST, CONNECTIONS, body).await;
        assert_eq!(answer.status, 201);
        let made = answer.ok();
        assert_eq!((&made["active"], &made["domains"]), (&json!(false), &json!(["acme.test"])));
        let saml = &made["saml_connection"];
        let id = saml["id"].as_str().unwrap();
        assert_eq!(saml["acs_url"], format!("https://clerk.example.com/v1/saml/acs/{id}"));
        assert_eq!(saml["sp_entity_id"], format!("https://clerk.example.com/saml/{id}"));
        assert_eq!(saml["sp_metadata_url"], format!("https://clerk.example.com/v1/saml/metadata/{id}.xml"));
        assert_eq!(saml["login_hint"], json!({"mode": "off"}));
        assert_eq!(app.backend(Method::GET, &path(&made), Value::Null).await.ok(), made);
        app.close().await;
    }
}

#[tokio::test]
async fn every_refusal_of_creating_leaves_nothing_behind() {
    let certificates = vec![certificate(); 6];
    let cases = [
        (json!({"name": null}), 422, "form_param_missing", "name"),
        (json!({"name": " "}), 422, "form_param_value_invalid", "name"),
        (json!({"provider": null}), 422, "form_param_missing", "provider"),
        (json!({"provider": "oidc_google"}), 422, "form_param_value_invalid", "provider"),
        (json!({"domains": null}), 422, "form_param_missing", "domains"),
        (json!({"domains": []}), 422, "form_param_missing", "domains"),
        (json!({"domains": ["no domain"]}), 422, "form_param_value_invalid", "domains"),
        (json!({"domains": ["gmail.com"]}), 422, "organization_domain_common", "domains"),
        (json!({"active": "yes"}), 422, "form_param_type_invalid", "active"),
        (json!({"saml": {"idp_sso_url": "javascript:alert(1)"}}), 422, "form_param_value_invalid", "saml.idp_sso_url"),
        (json!({"saml": {"idp_sso_url": "http://idp.test"}}), 422, "form_param_value_invalid", "saml.idp_sso_url"),
        (json!({"saml": {"idp_certificate": "x"}}), 422, "form_param_value_invalid", "saml.idp_certificate"),
        (json!({"saml": {"idp_certificates": certificates}}), 422, "form_param_value_invalid", "saml.idp_certificates"),
        (json!({"saml": {"login_hint": {}}}), 422, "form_param_missing", "saml.login_hint.mode"),
        (
            json!({"saml": {"login_hint": {"mode": "custom_attribute"}}}),
            422,
            "form_param_missing",
            "saml.login_hint.source",
        ),
        (json!({"saml": {"login_hint": {"mode": "guess"}}}), 422, "form_param_value_invalid", "saml.login_hint.mode"),
        (
            json!({"domains": ["eu.acme.test"], "saml": {"allow_subdomains": true}}),
            422,
            "form_param_value_invalid",
            "saml.allow_subdomains",
        ),
        (
            json!({"custom_attributes": [{"name": "X", "key": "_x"}]}),
            422,
            "form_param_format_invalid",
            "custom_attributes.0.key",
        ),
        (json!({"custom_attributes": [{"key": "x"}]}), 422, "form_param_missing", "custom_attributes.name"),
        (
            json!({"custom_attributes": [{"name": "X", "key": "x", "scim_path": "a", "directory_path": "b"}]}),
            422,
            "form_param_value_conflict",
            "custom_attributes.0.scim_path",
        ),
        (
            json!({"custom_attributes": [{"name": "X", "key": "x"}, {"name": "Y", "key": "x"}]}),
            422,
            "form_param_duplicate",
            "custom_attributes",
        ),
        (json!({"saml": {"idp_metadata": "<html/>"}}), 422, "saml_failed_to_parse_idp_metadata", "idp_metadata"),
        (
            json!({"saml": {"idp_metadata_url": "http://127.0.0.2/"}}),
            400,
            "saml_failed_to_fetch_idp_metadata",
            "idp_metadata_url",
        ),
    ];
    for app in TestApp::on_each_database().await {
        for (change, status, code, param) in &cases {
            let answer = app.backend(Method::POST, CONNECTIONS, new(change.clone())).await;
            assert_eq!(answer.error(), (*status, (*code).to_owned()), "{change}");
            assert_eq!(answer.json()["errors"][0]["meta"]["param_name"], *param, "{change}");
        }
        for (change, status, code) in [
            (json!({"organization_id": "org_nobody"}), 404, "resource_not_found"),
            (json!({"active": true}), 422, "saml_connection_cant_be_activated"),
            (json!({"saml": {"idp_metadata": metadata("e", None)}}), 422, "saml_metadata_missing_fields"),
        ] {
            let answer = app.backend(Method::POST, CONNECTIONS, new(change.clone())).await;
            assert_eq!(answer.error(), (status, code.to_owned()), "{change}");
        }
        assert_eq!(app.backend(Method::GET, CONNECTIONS, Value::Null).await.ok()["total_count"], 0);
        app.close().await;
    }
}

#[tokio::test]
async fn con9_only_a_complete_connection_is_active_and_it_stays_complete() {
    for app in TestApp::on_each_database().await {
        let made = app.backend(Method::POST, CONNECTIONS, new(json!({"saml": whole_idp(), "active": true}))).await.ok();
        for (change, lacking) in [
            (json!({"saml": {"idp_certificates": []}}), "idp_certificate"),
            (json!({"saml": {"idp_sso_url": ""}}), "idp_sso_url"),
            (json!({"saml": {"idp_entity_id": ""}}), "idp_entity_id"),
        ] {
            let answer = app.backend(Method::PATCH, &path(&made), change).await;
            assert_eq!(answer.error(), (422, "saml_connection_cant_be_activated".to_owned()));
            assert_eq!(answer.json()["errors"][0]["meta"]["missing_fields"], json!([lacking]));
        }
        assert_eq!(app.backend(Method::GET, &path(&made), Value::Null).await.ok(), made);
        let off = app.backend(Method::PATCH, &path(&made), json!({"active": false})).await.ok();
        assert_eq!(off["saml_connection"]["active"], false);
        app.close().await;
    }
}

#[tokio::test]
async fn con32_an_organization_has_one_connection_also_in_a_race() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app).await;
        let body = new(json!({"organization_id": acme}));
        let answers = join_all([1, 2, 3].map(|_| app.backend(Method::POST, CONNECTIONS, body.clone()))).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 422, 422]);
        let other = app.backend(Method::POST, CONNECTIONS, new(json!({}))).await.ok();
        let answer = app.backend(Method::PATCH, &path(&other), json!({"organization_id": acme})).await;
        assert_eq!(answer.error(), (422, "organization_already_has_sso_connection".to_owned()));
        app.close().await;
    }
}

#[tokio::test]
async fn con30_a_link_changes_and_is_never_cleared_but_by_the_organizations_end() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app).await;
        let body = new(json!({"organization_id": acme, "saml": whole_idp(), "active": true}));
        let made = app.backend(Method::POST, CONNECTIONS, body).await.ok();
        for nothing in [json!(null), json!("")] {
            let kept = app.backend(Method::PATCH, &path(&made), json!({"organization_id": nothing})).await.ok();
            assert_eq!(kept["organization_id"], acme);
        }
        let acme = format!("/v1/organizations/{}", acme.as_str().unwrap());
        app.backend(Method::DELETE, &acme, Value::Null).await.ok();
        let left = app.backend(Method::GET, &path(&made), Value::Null).await.ok();
        assert_eq!((&left["organization_id"], &left["active"]), (&json!(null), &json!(false)));
        app.close().await;
    }
}

#[tokio::test]
async fn con22_metadata_is_fetched_once_and_overrides_the_fields() {
    for app in TestApp::on_each_database().await {
        let (url, hits) = serve("200 OK", metadata("https://idp.test/e", Some("https://idp.test/sso"))).await;
        let saml = json!({"idp_metadata_url": url, "idp_entity_id": "ignored"});
        let made = app.backend(Method::POST, CONNECTIONS, new(json!({"saml": saml, "active": true}))).await.ok();
        let shown = &made["saml_connection"];
        assert_eq!(shown["idp_entity_id"], "https://idp.test/e");
        assert_eq!((&shown["idp_sso_url"], &shown["idp_metadata_url"]), (&json!("https://idp.test/sso"), &json!(url)));
        app.backend(Method::PATCH, &path(&made), json!({"name": "Renamed"})).await.ok();
        assert_eq!(hits.load(Ordering::SeqCst), 1);
        let nobody = format!("{CONNECTIONS}/entconn_nobody");
        let answer = app.backend(Method::PATCH, &nobody, json!({"saml": {"idp_metadata_url": url}})).await;
        assert_eq!(answer.error(), (404, "resource_not_found".to_owned()));
        assert_eq!(hits.load(Ordering::SeqCst), 1, "nothing is fetched for a connection that is not there");
        let (gone, _) = serve("404 Not Found", String::new()).await;
        let (login, _) = serve("200 OK", "<html>Sign in".into()).await;
        let (plain, _) = serve("200 OK", metadata("e", Some("http://idp.test/sso"))).await;
        for (url, status, code) in [
            (gone, 400, "saml_failed_to_fetch_idp_metadata"),
            (login, 422, "saml_failed_to_parse_idp_metadata"),
            (plain, 422, "saml_failed_to_parse_idp_metadata"),
        ] {
            let answer = app.backend(Method::PATCH, &path(&made), json!({"saml": {"idp_metadata_url": url}})).await;
            assert_eq!(answer.error(), (status, code.to_owned()));
        }
        app.close().await;
    }
}

#[tokio::test]
async fn con21_an_empty_mapping_goes_back_to_the_default() {
    let app = TestApp::new().await;
    let mapping = json!({"attribute_mapping": {"user_id": "uid", "email_address": "email"}});
    let made = app.backend(Method::POST, CONNECTIONS, new(json!({"saml": mapping}))).await.ok();
    let stored = async || {
        let mut tx = app.app.store.read().await.unwrap();
        let id = made["id"].as_str().unwrap().into();
        let found = doorward_store::enterprise_connections::by_id(&mut tx, &id).await.unwrap().unwrap();
        (found.saml.attribute_mapping.user_id, found.saml.attribute_mapping.email_address)
    };
    assert_eq!(stored().await, (Some("uid".to_owned()), "email".to_owned()));
    let cleared = json!({"saml": {"attribute_mapping": {"user_id": "", "email_address": ""}}});
    app.backend(Method::PATCH, &path(&made), cleared).await.ok();
    assert_eq!(stored().await, (None, "mail".to_owned()));
    app.close().await;
}

#[tokio::test]
async fn con40_unknown_connections_and_filters() {
    let app = TestApp::new().await;
    let made = app.backend(Method::POST, CONNECTIONS, new(json!({}))).await.ok();
    let nobody = format!("{CONNECTIONS}/entconn_nobody");
    for (method, body) in [(Method::GET, Value::Null), (Method::PATCH, json!({})), (Method::DELETE, Value::Null)] {
        let answer = app.backend(method, &nobody, body).await;
        assert_eq!(answer.error(), (404, "resource_not_found".to_owned()));
    }
    for (query, total) in [("", 1), ("?active=true", 0), ("?active=false", 1), ("?organization_id=org_x", 0)] {
        let found = app.backend(Method::GET, &format!("{CONNECTIONS}{query}"), Value::Null).await.ok();
        assert_eq!(found["total_count"], total, "{query}");
    }
    let answer = app.backend(Method::GET, &format!("{CONNECTIONS}?active=perhaps"), Value::Null).await;
    assert_eq!(answer.error(), (422, "form_param_value_invalid".to_owned()));
    let gone = app.backend(Method::DELETE, &path(&made), Value::Null).await;
    assert_eq!(gone.text, format!(r#"{{"object":"enterprise_connection","id":{},"deleted":true}}"#, made["id"]));
    assert_eq!(app.backend(Method::DELETE, &path(&made), Value::Null).await.status, 404);
    app.close().await;
}
