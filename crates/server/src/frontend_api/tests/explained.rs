//! What is explained is what happens: each situation is explained, and then somebody really signs in (DEC, LNK, MEM).

use super::support::{alice, change, client, footprint, members, organization};
use crate::config::RawConfig;
use crate::explain::ExplainOptions;
use crate::testing::{Identity, TestApp, TestIdp};
use axum::http::Method;
use serde_json::{Value, json};

async fn explain(app: &TestApp, email: &str) -> Value {
    let before = footprint(app).await;
    let explained = app.backend(Method::POST, "/v1/sso/explain", json!({ "email": email })).await.ok();
    assert_eq!(footprint(app).await, before, "nothing changes");
    explained
}

/// The one connection that takes part, as it is explained.
fn only(explained: &Value) -> &Value {
    assert_eq!(explained["enforced"], true, "{explained}");
    let serving: Vec<&Value> = explained["enterprise_connections"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|found| !found["sign_in"].is_null())
        .collect();
    assert_eq!(serving.len(), 1, "{explained}");
    &serving[0]["sign_in"]
}

/// Explains Alice's sign-in, lets her sign in, and checks that it went as it was explained; answers account and membership.
async fn explained_and_done(app: &TestApp, idp: &TestIdp, organization: Option<&str>) -> (String, String) {
    let explained = explain(app, "alice@acme.test").await;
    let sign_in = only(&explained).clone();
    let browser = app.browser();
    idp.sign_in(app, &browser, "alice@acme.test", &alice()).await;
    let client = client(&browser).await;
    let word = |step: &Value| step["decision"].as_str().unwrap_or_default().to_owned();
    let words = (word(&sign_in["account"]), word(&sign_in["membership"]));
    let Some(session) = client["sessions"].as_array().unwrap().first() else {
        let error = &client["sign_in"]["first_factor_verification"]["error"];
        assert_eq!(error, &sign_in["error"]);
        assert!(words.0 == "refused" || words.1 == "refused", "{sign_in}");
        return words;
    };
    assert_eq!(sign_in["error"], Value::Null);
    if words.0 != "create" {
        assert_eq!(session["user"]["id"], sign_in["user_id"]);
    }
    assert_eq!(sign_in["organization"]["id"].as_str(), organization);
    if let Some(organization) = organization {
        assert_eq!(session["last_active_organization_id"], json!(organization));
        let expected = ("alice@acme.test".to_owned(), sign_in["role"].as_str().unwrap().to_owned());
        assert!(members(app, organization).await.contains(&expected), "{sign_in}");
    }
    words
}

fn words(account: &str, membership: &str) -> (String, String) {
    (account.to_owned(), membership.to_owned())
}

#[tokio::test]
async fn a_sign_in_goes_as_it_was_explained() {
    for app in TestApp::on_each_database().await {
        let acme = organization(&app, json!({"name": "Acme"})).await;
        let idp = TestIdp::connect(&app, "acme.test", Some(&acme), 0).await;
        assert_eq!(explained_and_done(&app, &idp, Some(&acme)).await, words("create", "add"));
        assert_eq!(explained_and_done(&app, &idp, Some(&acme)).await, words("known", "keep"));
        let explained = explain(&app, "Alice@ACME.test").await;
        let user = explained["user_id"].as_str().unwrap().to_owned();
        assert_eq!(explained["route"]["rule"], "DEC-2");

        // MEM-12: she follows the connection to its next organization.
        let globex = organization(&app, json!({"name": "Globex"})).await;
        change(&app, &idp, json!({"organization_id": globex})).await;
        assert_eq!(explained_and_done(&app, &idp, Some(&globex)).await, words("known", "add"));

        for (block, unblock) in [("ban", "unban"), ("lock", "unlock")] {
            app.backend(Method::POST, &format!("/v1/users/{user}/{block}"), Value::Null).await.ok();
            assert_eq!(explained_and_done(&app, &idp, None).await, words("refused", ""));
            app.backend(Method::POST, &format!("/v1/users/{user}/{unblock}"), Value::Null).await.ok();
        }
        app.close().await;
    }
}

#[tokio::test]
async fn somebody_whom_the_operator_made_is_explained_to_be_linked() {
    for app in TestApp::on_each_database().await {
        let idp = TestIdp::connect(&app, "acme.test", None, 0).await;
        let person = json!({"email_address": ["alice@acme.test"]});
        let made = app.backend(Method::POST, "/v1/users", person).await.ok();
        let explained = explain(&app, "alice@acme.test").await;
        assert_eq!(explained["user_id"], made["id"]);
        assert_eq!(explained_and_done(&app, &idp, None).await, words("link", "none"));
        assert_eq!(explained_and_done(&app, &idp, None).await, words("known", "none"));
        app.close().await;
    }
}

#[tokio::test]
async fn refusals_are_explained_with_the_error_that_a_sign_in_gets() {
    for app in TestApp::on_each_database().await {
        let full = organization(&app, json!({"name": "Acme", "max_allowed_memberships": 1})).await;
        let idp = TestIdp::connect(&app, "acme.test", Some(&full), 0).await;
        let carol = Identity::new("carol@acme.test", "Carol", "C");
        idp.sign_in(&app, &app.browser(), "carol@acme.test", &carol).await;
        let explained = explain(&app, "alice@acme.test").await;
        assert_eq!(only(&explained)["error"]["code"], "organization_membership_quota_exceeded_for_sso");
        assert_eq!(explained_and_done(&app, &idp, None).await, words("create", "refused"));
        change(&app, &idp, json!({"disable_jit_provisioning": true})).await;
        let explained = explain(&app, "alice@acme.test").await;
        assert_eq!(only(&explained)["error"]["code"], "saml_jit_provisioning_disabled");
        assert_eq!(explained_and_done(&app, &idp, None).await, words("refused", ""));
        // Carol's account is of a domain that the connection then no longer serves.
        change(&app, &idp, json!({"disable_jit_provisioning": false, "domains": ["carol.test"]})).await;
        let explained = explain(&app, "carol@acme.test").await;
        assert_eq!((&explained["enforced"], &explained["route"]["rule"]), (&json!(false), &json!("DEC-3")));
        app.close().await;
    }
}

#[tokio::test]
async fn con36_dec5_connections_that_take_no_part_are_explained_and_several_are_a_choice() {
    for app in TestApp::on_each_database().await {
        let none = explain(&app, "alice@acme.test").await;
        assert_eq!((&none["enforced"], &none["enterprise_connections"]), (&json!(false), &json!([])));
        let one = TestIdp::connect(&app, "acme.test", None, 0).await;
        let two = TestIdp::connect(&app, "acme.test", None, 1).await;
        let both = explain(&app, "alice@acme.test").await;
        assert_eq!(both["route"]["rule"], "DEC-5");
        let found = both["enterprise_connections"].as_array().unwrap();
        assert!(found.iter().all(|found| found["serving"]["decision"] == "serves"), "{both}");
        change(&app, &two, json!({"active": false})).await;
        let explained = explain(&app, "alice@acme.test").await;
        assert_eq!(explained["route"]["rule"], "DEC-2");
        let found = explained["enterprise_connections"].as_array().unwrap();
        let of = |idp: &TestIdp| found.iter().find(|found| found["id"] == idp.connection_id()).unwrap();
        assert_eq!((&of(&two)["serving"]["rule"], &of(&two)["sign_in"]), (&json!("CON-36"), &Value::Null));
        assert_eq!(of(&one)["serving"]["decision"], "serves");
        app.close().await;
    }
}

#[tokio::test]
async fn the_command_line_explains_the_same() {
    let app = TestApp::new().await;
    let acme = organization(&app, json!({"name": "Acme"})).await;
    TestIdp::connect(&app, "acme.test", Some(&acme), 0).await;
    let asked = |email: &str, json| ExplainOptions { settings: RawConfig::default(), email: email.to_owned(), json };
    let told = crate::explain::run(&app.app.config, &asked("alice@acme.test", true)).await.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&told).unwrap(), explain(&app, "alice@acme.test").await);
    let told = crate::explain::run(&app.app.config, &asked("alice@acme.test", false)).await.unwrap();
    for part in ["(DEC-2)", "(LNK-5)", "(MEM-1)", "role org:member", "Signed in"] {
        assert!(told.contains(part), "{told}");
    }
    let told = crate::explain::run(&app.app.config, &asked("bob@globex.test", false)).await.unwrap();
    assert!(told.contains("(DEC-3)") && told.contains("No connection lists"), "{told}");
    app.backend(Method::PATCH, &format!("/v1/organizations/{acme}"), json!({"max_allowed_memberships": 1})).await.ok();
    let person = json!({"email_address": ["carol@acme.test"]});
    let carol = app.backend(Method::POST, "/v1/users", person).await.ok();
    let member = json!({"user_id": carol["id"], "role": "org:member"});
    app.backend(Method::POST, &format!("/v1/organizations/{acme}/memberships"), member).await.ok();
    let told = crate::explain::run(&app.app.config, &asked("alice@acme.test", false)).await.unwrap();
    assert!(told.contains("Not signed in: organization_membership_quota_exceeded_for_sso"), "{told}");
    let error = crate::explain::run(&app.app.config, &asked("nobody", false)).await.unwrap_err();
    assert!(error.to_string().contains("--email"), "{error}");
    app.close().await;
}

#[tokio::test]
async fn an_address_is_asked_for() {
    let app = TestApp::new().await;
    for (body, code) in [
        (json!({}), "form_param_missing"),
        (json!({"email": ""}), "form_param_value_invalid"),
        (json!({"email": "acme.test"}), "form_param_format_invalid"),
        (json!({"email": 5}), "form_param_type_invalid"),
    ] {
        let answer = app.backend(Method::POST, "/v1/sso/explain", body.clone()).await;
        assert_eq!(answer.error(), (422, code.to_owned()), "{body}");
    }
    app.close().await;
}
