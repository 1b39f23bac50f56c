use crate::flows::client_secrets;
use crate::testing::{MetadataServer, TestApp};
use axum::http::Method;
use doorward_model::{
    Email, EmailAddress, EmailAddressId, EmailVerification, EnterpriseAccount, EnterpriseAccountId,
    EnterpriseConnection, EnterpriseConnectionId, OidcConfig, UserId,
};
use doorward_store::{StoreError, enterprise_accounts, enterprise_connections, users, write_tx};
use serde_json::{Value, json};

const CONNECTIONS: &str = "/v1/enterprise_connections";
const KINDS: [&str; 3] = ["oidc_custom", "oidc_github_enterprise", "oidc_gitlab"];
const SECRET: &str = "correct horse battery staple";

/// An OpenID Connect provider, as far as setting up a connection goes: its configuration document.
struct Provider(MetadataServer);

impl Provider {
    async fn start() -> Self {
        let provider = Self(MetadataServer::start().await);
        provider.publish(json!({}));
        provider
    }

    fn issuer(&self) -> String {
        self.0.url().trim_end_matches("/metadata").to_owned()
    }

    fn discovery_url(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.issuer())
    }

    fn endpoint(&self, name: &str) -> String {
        format!("{}/{name}", self.issuer())
    }

    /// Publishes the document with changes; null takes a member away.
    fn publish(&self, change: Value) {
        let mut document = json!({
            "issuer": self.issuer(),
            "authorization_endpoint": self.endpoint("authorize"),
            "token_endpoint": self.endpoint("token"),
            "userinfo_endpoint": self.endpoint("userinfo"),
            "jwks_uri": self.endpoint("keys"),
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256"],
        });
        for (name, value) in change.as_object().unwrap() {
            document[name] = value.clone();
        }
        self.0.publish(&document.to_string());
    }
}

fn new(provider: &str, oidc: &Value) -> Value {
    json!({"name": "SSO", "provider": provider, "domains": ["acme.test"], "oidc": oidc})
}

fn by_hand() -> Value {
    json!({
        "client_id": "client",
        "client_secret": SECRET,
        "auth_url": "https://op.acme.test/authorize",
        "token_url": "https://op.acme.test/token",
        "user_info_url": "https://op.acme.test/userinfo",
    })
}

fn with(mut base: Value, change: Value) -> Value {
    for (key, value) in change.as_object().unwrap() {
        base[key] = value.clone();
    }
    base
}

fn path(connection: &Value) -> String {
    format!("{CONNECTIONS}/{}", connection["id"].as_str().unwrap())
}

async fn create(app: &TestApp, body: Value) -> Value {
    let answer = app.backend(Method::POST, CONNECTIONS, body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.ok()
}

async fn patch(app: &TestApp, connection: &Value, change: Value) -> Value {
    app.backend(Method::PATCH, &path(connection), change).await.ok()
}

async fn stored(app: &TestApp, connection: &Value) -> EnterpriseConnection {
    let id = EnterpriseConnectionId::from(connection["id"].as_str().unwrap());
    enterprise_connections::by_id(&mut app.app.store.read().await.unwrap(), &id).await.unwrap().unwrap()
}

async fn stored_oidc(app: &TestApp, connection: &Value) -> OidcConfig {
    stored(app, connection).await.oidc.unwrap()
}

async fn secret(app: &TestApp, connection: &Value) -> Option<String> {
    let secret = client_secrets::open(&app.app, &stored(app, connection).await).unwrap();
    secret.map(|secret| secret.expose().to_owned())
}

#[tokio::test]
async fn con6_each_kind_starts_inactive_with_its_defaults() {
    for app in TestApp::on_each_database().await {
        for kind in KINDS {
            app.advance(1);
            // The SDKs send null for what they leave open.
            let made =
                create(&app, with(new(kind, &json!({"client_id": null})), json!({"saml": {"name": null}}))).await;
            assert_eq!((&made["provider"], &made["active"]), (&json!(kind), &json!(false)));
            assert_eq!(made["saml_connection"], Value::Null);
            let oauth = &made["oauth_config"];
            let id = oauth["id"].as_str().unwrap().strip_prefix("oac_").unwrap();
            let key = match kind {
                "oidc_custom" => kind.to_owned(),
                "oidc_gitlab" => format!("oidc_gitlab_ent_{id}"),
                _ => format!("oidc_ghe_{id}"),
            };
            let is_github = kind == "oidc_github_enterprise";
            let expected = json!({
                "id": oauth["id"],
                "name": "SSO",
                "provider_key": key,
                "client_id": null,
                "has_client_secret": false,
                "discovery_url": null,
                "auth_url": null,
                "token_url": null,
                "user_info_url": null,
                "issuer": null,
                "jwks_url": null,
                "redirect_uri": format!("https://clerk.example.com/v1/oauth_callback/{}", made["id"].as_str().unwrap()),
                "requires_pkce": false,
                "scopes": if is_github { json!(["read:user", "user:email"]) } else { json!(["openid", "profile", "email"]) },
                "attribute_mapping": {
                    "user_id": if is_github { "id" } else { "sub" },
                    "email_address": "email",
                    "first_name": "given_name",
                    "last_name": "family_name",
                    "email_verified_default": false,
                },
                "login_hint": {"mode": "email_address"},
                "logo_public_url": null,
                "created_at": made["created_at"],
                "updated_at": made["updated_at"],
            });
            assert_eq!(*oauth, expected);
            assert_eq!(app.backend(Method::GET, &path(&made), Value::Null).await.ok(), made);
        }
        let listed = app.backend(Method::GET, CONNECTIONS, Value::Null).await.ok();
        assert_eq!(listed["total_count"], 3);
        // All of them were made at one moment, so their order says nothing.
        let listed = listed["data"].as_array().unwrap();
        assert!(KINDS.iter().all(|kind| listed.iter().any(|found| found["provider"] == *kind)), "{listed:#?}");
        app.close().await;
    }
}

#[tokio::test]
async fn con10_endpoints_by_hand_make_every_kind_complete() {
    for app in TestApp::on_each_database().await {
        for kind in KINDS {
            let made = create(&app, with(new(kind, &by_hand()), json!({"active": true}))).await;
            let oauth = &made["oauth_config"];
            assert_eq!((&made["active"], &oauth["has_client_secret"]), (&json!(true), &json!(true)));
            for field in ["client_id", "auth_url", "token_url", "user_info_url"] {
                assert_eq!(oauth[field], by_hand()[field], "{field}");
            }
            // CON-9: it stays complete as long as it is active.
            for field in ["client_id", "auth_url", "token_url", "user_info_url"] {
                let answer = app.backend(Method::PATCH, &path(&made), json!({"oidc": {field: ""}})).await;
                assert_eq!(answer.error(), (422, "saml_connection_cant_be_activated".to_owned()), "{field}");
                assert_eq!(answer.json()["errors"][0]["meta"]["missing_fields"], json!([field]));
            }
            assert_eq!(app.backend(Method::GET, &path(&made), Value::Null).await.ok(), made);
            let off = patch(&app, &made, json!({"active": false, "oidc": {"user_info_url": ""}})).await;
            assert_eq!((&off["active"], &off["oauth_config"]["user_info_url"]), (&json!(false), &Value::Null));
            let answer = app.backend(Method::PATCH, &path(&made), json!({"active": true})).await;
            assert_eq!(answer.error(), (422, "saml_connection_cant_be_activated".to_owned()));
            app.backend(Method::DELETE, &path(&made), Value::Null).await.ok();
            assert_eq!(app.backend(Method::GET, &path(&made), Value::Null).await.status, 404);
        }
        app.close().await;
    }
}

#[tokio::test]
async fn con10_issuer_and_keys_by_hand_come_together_and_need_no_userinfo() {
    for app in TestApp::on_each_database().await {
        let verifying =
            json!({"user_info_url": null, "issuer": "https://op.acme.test", "jwks_url": "https://op.acme.test/keys"});
        let oidc = with(by_hand(), verifying.clone());
        let made = create(&app, with(new("oidc_custom", &oidc), json!({"active": true}))).await;
        for field in ["user_info_url", "issuer", "jwks_url"] {
            assert_eq!(made["oauth_config"][field], verifying[field], "{field}");
        }
        for (left, missing) in [("issuer", "oidc.jwks_url"), ("jwks_url", "oidc.issuer")] {
            let mut half = oidc.clone();
            half[if left == "issuer" { "jwks_url" } else { "issuer" }] = Value::Null;
            let answer = app.backend(Method::POST, CONNECTIONS, new("oidc_custom", &half)).await;
            assert_eq!(answer.error(), (422, "form_param_missing".to_owned()), "{left}");
            assert_eq!(answer.json()["errors"][0]["meta"]["param_name"], missing);
        }
        for field in ["issuer", "jwks_url"] {
            let answer = app.backend(Method::PATCH, &path(&made), json!({"oidc": {field: ""}})).await;
            assert_eq!(answer.error(), (422, "form_param_missing".to_owned()), "{field}");
        }
        assert_eq!(app.backend(Method::GET, &path(&made), Value::Null).await.ok(), made);
        let by_userinfo =
            json!({"oidc": {"issuer": "", "jwks_url": "", "user_info_url": "https://op.acme.test/userinfo"}});
        let changed = patch(&app, &made, by_userinfo).await;
        assert_eq!((&changed["active"], &changed["oauth_config"]["issuer"]), (&json!(true), &Value::Null));
        app.close().await;
    }
}

#[tokio::test]
async fn oid8_a_stored_secret_follows_no_connection_to_another_provider() {
    for app in TestApp::on_each_database().await {
        let (op, other) = (Provider::start().await, Provider::start().await);
        let oidc = json!({"client_id": "client", "client_secret": SECRET, "discovery_url": op.discovery_url()});
        let made = create(&app, new("oidc_custom", &oidc)).await;
        op.publish(json!({"token_endpoint": other.endpoint("token")}));
        for change in [
            json!({"discovery_url": other.discovery_url()}),
            // The same document, which now names an endpoint elsewhere.
            json!({"discovery_url": op.discovery_url()}),
            json!({"discovery_url": "", "token_url": "https://evil.test/token"}),
            json!({"discovery_url": "", "token_url": "https://evil.test/token", "client_id": "another"}),
        ] {
            let answer = app.backend(Method::PATCH, &path(&made), json!({"name": "Changed", "oidc": change})).await;
            assert_eq!(answer.error(), (422, "form_param_missing".to_owned()), "{change}");
            assert_eq!(answer.json()["errors"][0]["meta"]["param_name"], "oidc.client_secret");
        }
        assert_eq!(app.backend(Method::GET, &path(&made), Value::Null).await.ok(), made);
        // Whoever leaves where it goes as it is keeps it, and so does a new one.
        patch(&app, &made, json!({"oidc": {"discovery_url": "", "token_url": op.endpoint("token2")}})).await;
        assert_eq!(secret(&app, &made).await.as_deref(), Some(SECRET));
        let moved = json!({"discovery_url": other.discovery_url(), "client_secret": "of the other"});
        patch(&app, &made, json!({"oidc": moved})).await;
        assert_eq!(secret(&app, &made).await.as_deref(), Some("of the other"));
        let public = json!({"token_url": "https://third.test/token", "discovery_url": "", "client_secret": "", "requires_pkce": true});
        patch(&app, &made, json!({"oidc": public})).await;
        assert_eq!(secret(&app, &made).await, None);
        // A draft that names nobody yet takes its secret along, and a public client has none to take.
        let draft = create(&app, new("oidc_custom", &json!({"client_id": "client", "client_secret": SECRET}))).await;
        patch(&app, &draft, json!({"oidc": {"token_url": "https://op.test/token"}})).await;
        patch(&app, &made, json!({"oidc": {"token_url": "https://fourth.test/token"}})).await;
        app.close().await;
    }
}

#[tokio::test]
async fn oid2_the_discovery_document_names_the_endpoints_and_is_fetched_when_its_url_is_given() {
    for app in TestApp::on_each_database().await {
        let op = Provider::start().await;
        let oidc = json!({"client_id": "client", "client_secret": SECRET, "discovery_url": op.discovery_url()});
        let made = create(&app, with(new("oidc_custom", &oidc), json!({"active": true}))).await;
        let shown = |made: &Value| {
            ["discovery_url", "auth_url", "token_url", "user_info_url"].map(|f| made["oauth_config"][f].clone())
        };
        let named = [op.discovery_url(), op.endpoint("authorize"), op.endpoint("token"), op.endpoint("userinfo")];
        assert_eq!(shown(&made), named.clone().map(Value::from));
        assert_eq!(op.0.hits(), 1);

        // Nothing is fetched for other changes, nor for a connection that is not there.
        patch(&app, &made, json!({"name": "Renamed", "active": false})).await;
        patch(&app, &made, json!({"active": true, "oidc": {"client_id": "other"}})).await;
        let nobody = format!("{CONNECTIONS}/entconn_nobody");
        let answer = app.backend(Method::PATCH, &nobody, json!({"oidc": {"discovery_url": op.discovery_url()}})).await;
        assert_eq!(answer.status, 404);
        assert_eq!(op.0.hits(), 1);

        // What is sent back as it was shown changes nothing; what contradicts the document is refused.
        let same = json!({"oidc": {"auth_url": named[1], "token_url": named[2], "user_info_url": named[3]}});
        assert_eq!(shown(&patch(&app, &made, same).await), named.clone().map(Value::from));
        for field in ["auth_url", "token_url", "user_info_url", "issuer", "jwks_url"] {
            let answer =
                app.backend(Method::PATCH, &path(&made), json!({"oidc": {field: "https://other.test/"}})).await;
            assert_eq!(answer.error(), (422, "form_param_value_conflict".to_owned()), "{field}");
            assert_eq!(answer.json()["errors"][0]["meta"]["param_name"], format!("oidc.{field}"));
        }

        // Given again, the document is read again.
        op.publish(json!({"token_endpoint": op.endpoint("token2"), "userinfo_endpoint": null}));
        let again = patch(&app, &made, json!({"oidc": {"discovery_url": op.discovery_url()}})).await;
        assert_eq!(again["oauth_config"]["token_url"], op.endpoint("token2"));
        assert_eq!((&again["oauth_config"]["user_info_url"], &again["active"]), (&Value::Null, &json!(true)));
        assert_eq!(op.0.hits(), 2);

        // Taken away, it leaves its endpoints behind, with the issuer and keys that say who somebody is.
        let manual = patch(&app, &made, json!({"oidc": {"discovery_url": ""}})).await;
        assert_eq!(shown(&manual)[..2], [Value::Null, json!(op.endpoint("authorize"))]);
        let verifying = ["issuer", "jwks_url"].map(|field| manual["oauth_config"][field].clone());
        assert_eq!(verifying, [json!(op.issuer()), json!(op.endpoint("keys"))]);
        let without = json!({"oidc": {"issuer": "", "jwks_url": ""}});
        let answer = app.backend(Method::PATCH, &path(&made), without).await;
        assert_eq!(answer.json()["errors"][0]["meta"]["missing_fields"], json!(["user_info_url"]));
        app.close().await;
    }
}

#[tokio::test]
async fn oid3_a_discovery_document_that_cannot_be_used_is_refused_and_changes_nothing() {
    for app in TestApp::on_each_database().await {
        let op = Provider::start().await;
        let oidc = json!({"client_id": "client", "client_secret": SECRET, "discovery_url": op.discovery_url()});
        let made = create(&app, with(new("oidc_gitlab", &oidc), json!({"active": true}))).await;
        let refused = async |url: &str, code: &str, says: &str| {
            let change = json!({"name": "Changed", "oidc": {"discovery_url": url}});
            for (method, path, body) in [
                (Method::PATCH, path(&made), change.clone()),
                (Method::POST, CONNECTIONS.to_owned(), with(new("oidc_custom", &json!({})), change)),
            ] {
                let answer = app.backend(method, &path, body).await;
                assert_eq!(answer.error(), (422, format!("custom_oauth_provider_{code}")), "{url}");
                let error = answer.json()["errors"][0].clone();
                assert_eq!(error["meta"]["param_name"], "discovery_url");
                assert!(error["long_message"].as_str().unwrap().contains(says), "{error}");
            }
        };
        let (retrieval, mismatch) = ("discovery_server_retrieval_error", "discovery_issuer_mismatch");
        op.publish(json!({"issuer": "https://other.test"}));
        refused(&op.discovery_url(), mismatch, "https://other.test").await;
        op.publish(json!({}));
        refused(&format!("{}/tenant/.well-known/openid-configuration", op.issuer()), mismatch, "/tenant").await;
        refused(&op.issuer(), mismatch, &op.issuer()).await;
        op.publish(json!({"issuer": format!("{}/{{tenantid}}", op.issuer())}));
        refused(&op.discovery_url(), mismatch, "tenantid").await;
        for (change, says) in [
            (json!({"issuer": null}), "no issuer"),
            (json!({"token_endpoint": null}), "no token_endpoint"),
            (json!({"jwks_uri": null}), "no jwks_uri"),
            (json!({"jwks_uri": "http://op.test/keys"}), "http://op.test/keys"),
            (json!({"authorization_endpoint": "http://op.test/authorize"}), "does not begin with https://"),
            (json!({"authorization_endpoint": "javascript:alert(1)"}), "https"),
            (json!({"response_types_supported": ["id_token"]}), "response_types_supported"),
            (json!({"id_token_signing_alg_values_supported": ["HS256", "none"]}), "HS256"),
        ] {
            op.publish(change);
            refused(&op.discovery_url(), retrieval, says).await;
        }
        for (status, body, says) in [
            ("404 Not Found", "{}", "404"),
            ("200 OK", "<html>Sign in", "refused"),
            ("200 OK", &" ".repeat(200 * 1024), "larger"),
        ] {
            op.0.answer(status, "", body);
            refused(&op.discovery_url(), retrieval, says).await;
        }
        for url in
            ["http://127.0.0.2/.well-known/openid-configuration", "ftp://op.test/", "nonsense", "https://u:p@op.test/"]
        {
            refused(url, retrieval, "not allowed").await;
        }
        assert_eq!(app.backend(Method::GET, &path(&made), Value::Null).await.ok(), made);
        assert_eq!(app.backend(Method::GET, CONNECTIONS, Value::Null).await.ok()["total_count"], 1);
        app.close().await;
    }
}

#[tokio::test]
async fn oid3_oid15_github_enterprise_has_no_discovery_document_and_none_is_fetched() {
    for app in TestApp::on_each_database().await {
        let op = Provider::start().await;
        let made = create(&app, new("oidc_github_enterprise", &by_hand())).await;
        let oidc = json!({"oidc": {"discovery_url": op.discovery_url()}});
        for (method, path, body) in [
            (Method::PATCH, path(&made), oidc.clone()),
            (Method::POST, CONNECTIONS.to_owned(), with(new("oidc_github_enterprise", &json!({})), oidc)),
        ] {
            let answer = app.backend(method, &path, body).await;
            assert_eq!(answer.error(), (422, "custom_oauth_provider_cannot_use_discovery_url".to_owned()));
            assert_eq!(answer.json()["errors"][0]["meta"]["param_name"], "discovery_url");
        }
        assert_eq!(op.0.hits(), 0);
        let answer = app
            .backend(
                Method::POST,
                CONNECTIONS,
                with(new("oidc_github_enterprise", &json!({})), json!({"active": true})),
            )
            .await;
        let missing = &answer.json()["errors"][0]["meta"]["missing_fields"];
        assert_eq!(*missing, json!(["client_id", "auth_url", "token_url", "user_info_url"]));
        app.close().await;
    }
}

#[tokio::test]
async fn oid7_a_public_client_needs_pkce() {
    for app in TestApp::on_each_database().await {
        let public = with(by_hand(), json!({"client_secret": ""}));
        let answer = app.backend(Method::POST, CONNECTIONS, new("oidc_custom", &public)).await;
        assert_eq!(answer.error(), (422, "form_public_client_requires_pkce".to_owned()));
        assert_eq!(answer.json()["errors"][0]["meta"]["param_name"], "oidc.requires_pkce");
        let public = with(public, json!({"requires_pkce": true}));
        let made = create(&app, with(new("oidc_custom", &public), json!({"active": true}))).await;
        assert_eq!(made["oauth_config"]["has_client_secret"], false);
        for change in [json!({"requires_pkce": false}), json!({"requires_pkce": false, "client_secret": ""})] {
            let answer = app.backend(Method::PATCH, &path(&made), json!({"oidc": change})).await;
            assert_eq!(answer.error(), (422, "form_public_client_requires_pkce".to_owned()));
        }
        let confidential = json!({"oidc": {"requires_pkce": false, "client_secret": SECRET}});
        assert_eq!(patch(&app, &made, confidential).await["oauth_config"]["requires_pkce"], false);
        let answer = app.backend(Method::PATCH, &path(&made), json!({"oidc": {"client_secret": ""}})).await;
        assert_eq!(answer.error(), (422, "form_public_client_requires_pkce".to_owned()));
        app.close().await;
    }
}

#[tokio::test]
async fn oid8_the_secret_is_kept_encrypted_for_its_connection_and_never_shown() {
    for app in TestApp::on_each_database().await {
        let created = app.backend(Method::POST, CONNECTIONS, new("oidc_custom", &by_hand())).await;
        let made = created.ok();
        let other = create(&app, new("oidc_custom", &by_hand())).await;
        assert_eq!(secret(&app, &made).await.as_deref(), Some(SECRET));
        let sealed = stored_oidc(&app, &made).await.encrypted_client_secret.unwrap();
        assert_ne!(stored_oidc(&app, &other).await.encrypted_client_secret.unwrap(), sealed);
        // In another connection it is of no use.
        let mut moved = stored(&app, &other).await;
        moved.oidc.as_mut().unwrap().encrypted_client_secret = Some(sealed.clone());
        assert!(client_secrets::open(&app.app, &moved).is_err());

        let updated = app.backend(Method::PATCH, &path(&made), json!({"oidc": {"client_id": "new"}})).await;
        let read = app.backend(Method::GET, &path(&made), Value::Null).await;
        let listed = app.backend(Method::GET, CONNECTIONS, Value::Null).await;
        let bad = json!({"oidc": {"client_secret": format!("{SECRET}\u{7}")}});
        let refused = app.backend(Method::PATCH, &path(&made), bad).await;
        assert_eq!(refused.error(), (422, "form_param_value_invalid".to_owned()));
        let long = json!({"oidc": {"client_secret": SECRET.repeat(100)}});
        let too_long = app.backend(Method::PATCH, &path(&made), long).await;
        assert_eq!(too_long.error(), (422, "form_param_max_length_exceeded".to_owned()));
        for answer in [&created, &updated, &read, &listed, &refused, &too_long] {
            assert!(!answer.text.contains("battery") && !answer.text.contains(&sealed), "{}", answer.text);
        }
        // It stays when it is not spoken of, and changes when it is.
        for silent in [json!({"oidc": {"client_secret": null}}), json!({"name": "Renamed"})] {
            patch(&app, &made, silent).await;
            assert_eq!(secret(&app, &made).await.as_deref(), Some(SECRET));
        }
        patch(&app, &made, json!({"oidc": {"client_secret": "new"}})).await;
        assert_eq!(secret(&app, &made).await.as_deref(), Some("new"));
        let public = patch(&app, &made, json!({"oidc": {"client_secret": "", "requires_pkce": true}})).await;
        assert_eq!((secret(&app, &made).await, &public["oauth_config"]["has_client_secret"]), (None, &json!(false)));
        app.close().await;
    }
}

#[tokio::test]
async fn a_change_prints_without_its_secret() {
    let params = crate::http::Params::from_json(json!({"client_secret": SECRET}).to_string().as_bytes()).unwrap();
    let change = super::change(&params).unwrap();
    assert_eq!(change.client_secret.as_ref().unwrap().expose(), SECRET);
    assert!(!format!("{change:?}").contains("battery"));
}

#[tokio::test]
async fn every_refusal_names_its_field_and_leaves_nothing_behind() {
    let (invalid, wrong_type) = ("form_param_value_invalid", "form_param_type_invalid");
    let mut cases = vec![
        (json!({"client_id": 7}), wrong_type, "client_id"),
        (json!({"client_id": "x".repeat(257)}), "form_param_max_length_exceeded", "client_id"),
        (json!({"client_secret": true}), wrong_type, "client_secret"),
        (json!({"requires_pkce": "yes"}), wrong_type, "requires_pkce"),
        (json!({"scopes": "openid"}), wrong_type, "scopes"),
        (json!({"scopes": ["open id"]}), invalid, "scopes"),
        (json!({"scopes": [""]}), invalid, "scopes"),
        (json!({"attribute_mapping": []}), wrong_type, "attribute_mapping"),
        (json!({"attribute_mapping": {"user_id": 1}}), wrong_type, "attribute_mapping.user_id"),
        (
            json!({"attribute_mapping": {"email_verified_default": "true"}}),
            wrong_type,
            "attribute_mapping.email_verified_default",
        ),
        (json!({"login_hint": {}}), "form_param_missing", "login_hint.mode"),
        (json!({"login_hint": {"mode": "guess"}}), invalid, "login_hint.mode"),
        (json!({"login_hint": {"mode": "custom_attribute"}}), "form_param_missing", "login_hint.source"),
    ];
    for issuer in
        ["nonsense", "https://op.test/?x", "https://op.test/#x", "https://op.test/{tenantid}", " https://op.test"]
    {
        cases.push((json!({"issuer": issuer}), invalid, "issuer"));
    }
    for field in ["auth_url", "token_url", "user_info_url", "jwks_url"] {
        for url in [
            "http://op.test/",
            "javascript:alert(1)",
            "nonsense",
            "https://",
            "https://u:p@op.test/",
            "https://op.test/#x",
            "https://op.test/ x",
            "//op.test/",
        ] {
            cases.push((json!({field: url}), invalid, field));
        }
    }
    for app in TestApp::on_each_database().await {
        let made = create(&app, new("oidc_custom", &by_hand())).await;
        for (change, code, param) in &cases {
            for (method, path, body) in [
                (Method::POST, CONNECTIONS.to_owned(), new("oidc_custom", change)),
                (Method::PATCH, path(&made), json!({"name": "Changed", "oidc": change})),
            ] {
                let answer = app.backend(method, &path, body).await;
                assert_eq!(answer.error(), (422, (*code).to_owned()), "{change}");
                assert_eq!(answer.json()["errors"][0]["meta"]["param_name"], format!("oidc.{param}"), "{change}");
            }
        }
        let answer = app.backend(Method::POST, CONNECTIONS, new("oidc_custom", &json!("x"))).await;
        assert_eq!(answer.error(), (422, wrong_type.to_owned()));
        for oidc in [json!({}), Value::Null] {
            let body = with(new("oidc_custom", &oidc), json!({"active": true}));
            let answer = app.backend(Method::POST, CONNECTIONS, body).await;
            assert_eq!(answer.error(), (422, "saml_connection_cant_be_activated".to_owned()));
            assert_eq!(answer.json()["errors"][0]["meta"]["missing_fields"], json!(["client_id", "discovery_url"]));
        }
        // What holds for every connection.
        for (change, code) in [
            (json!({"domains": ["gmail.com"]}), "organization_domain_common"),
            (json!({"domains": ["no domain"]}), invalid),
            (json!({"name": " "}), invalid),
        ] {
            let answer = app.backend(Method::POST, CONNECTIONS, with(new("oidc_gitlab", &by_hand()), change)).await;
            assert_eq!(answer.error(), (422, code.to_owned()));
        }
        assert_eq!(app.backend(Method::GET, &path(&made), Value::Null).await.ok(), made);
        assert_eq!(app.backend(Method::GET, CONNECTIONS, Value::Null).await.ok()["total_count"], 1);
        app.close().await;
    }
}

#[tokio::test]
async fn oid4_oid5_scopes_mapping_and_login_hint_are_set_and_go_back_to_their_defaults() {
    for app in TestApp::on_each_database().await {
        let made = create(&app, new("oidc_custom", &by_hand())).await;
        let change = json!({
            "scopes": ["openid", "email", "openid", "groups"],
            "attribute_mapping": {"user_id": "oid", "email_address": "upn", "email_verified_default": true},
            "login_hint": {"mode": "custom_attribute", "source": "employee"},
            "auth_url": " https://op.acme.test/authorize2 ",
        });
        let changed = patch(&app, &made, json!({"oidc": change})).await["oauth_config"].clone();
        assert_eq!(changed["scopes"], json!(["openid", "email", "groups"]));
        let mapping = json!({
            "user_id": "oid", "email_address": "upn", "first_name": "given_name", "last_name": "family_name",
            "email_verified_default": true,
        });
        assert_eq!(changed["attribute_mapping"], mapping);
        assert_eq!(changed["login_hint"], json!({"mode": "custom_attribute", "source": "employee"}));
        assert_eq!(changed["auth_url"], "https://op.acme.test/authorize2");
        let back = json!({
            "scopes": [],
            "attribute_mapping": {"user_id": "", "email_address": " ", "email_verified_default": false},
            "login_hint": {"mode": "email_address"},
            "auth_url": "https://op.acme.test/authorize",
        });
        let mut back = patch(&app, &made, json!({"oidc": back})).await["oauth_config"].clone();
        back["updated_at"] = made["oauth_config"]["updated_at"].clone();
        assert_eq!(back, made["oauth_config"]);
        app.close().await;
    }
}

#[tokio::test]
async fn oid14_a_connection_takes_only_what_its_protocol_has() {
    let certificate = rcgen::generate_simple_self_signed(vec!["idp.test".into()]).unwrap().cert.pem();
    for app in TestApp::on_each_database().await {
        let oidc = create(&app, new("oidc_custom", &by_hand())).await;
        let saml = create(&app, json!({"name": "SSO", "provider": "saml_custom", "domains": ["acme.test"]})).await;
        let invalid = (400, "enterprise_connection_invalid_type".to_owned());
        let metadata = MetadataServer::start().await;
        for settings in [
            json!({"idp_entity_id": "urn:idp"}),
            json!({"idp_metadata_url": metadata.url()}),
            json!({"force_authn": false}),
            json!({"attribute_mapping": {"user_id": "uid"}}),
        ] {
            let answer = app.backend(Method::PATCH, &path(&oidc), json!({"saml": settings})).await;
            assert_eq!(answer.error(), invalid, "{settings}");
            let body = with(new("oidc_gitlab", &json!({})), json!({"saml": settings}));
            assert_eq!(app.backend(Method::POST, CONNECTIONS, body).await.error(), invalid, "{settings}");
        }
        assert_eq!(metadata.hits(), 0);
        for settings in [
            json!({"client_id": "client"}),
            json!({"discovery_url": metadata.url()}),
            json!({"requires_pkce": false}),
            json!({"attribute_mapping": {"email_verified_default": false}}),
        ] {
            let answer = app.backend(Method::PATCH, &path(&saml), json!({"oidc": settings})).await;
            assert_eq!(answer.error(), invalid, "{settings}");
            let body = new("saml_okta", &settings);
            assert_eq!(app.backend(Method::POST, CONNECTIONS, body).await.error(), invalid, "{settings}");
        }
        assert_eq!(metadata.hits(), 0);
        // An object that says nothing is none.
        patch(&app, &oidc, json!({"saml": {}, "oidc": {}})).await;
        patch(&app, &saml, json!({"oidc": {"client_id": null, "attribute_mapping": null}})).await;

        for (method, operation, body) in [
            (Method::GET, "certificates", Value::Null),
            (Method::POST, "certificates", json!({"certificate": certificate})),
            (Method::DELETE, "certificates/x", Value::Null),
            (Method::GET, "keys", Value::Null),
            (Method::POST, "keys", json!({"purpose": "signing"})),
            (Method::POST, "keys/x/sign", Value::Null),
            (Method::DELETE, "keys/x", Value::Null),
            (Method::GET, "metadata_refresh", Value::Null),
            (Method::POST, "metadata_refresh", Value::Null),
        ] {
            let answer = app.backend(method, &format!("{}/{operation}", path(&oidc)), body).await;
            assert_eq!(answer.error(), invalid, "{operation}");
        }
        // It has neither metadata of a service provider nor an ACS.
        let id = stored(&app, &oidc).await.saml_connection_id;
        let browser = app.browser();
        assert_eq!(browser.get(&format!("/v1/saml/metadata/{id}.xml")).await.error().0, 404);
        let answer = browser.post_cross_site(&format!("/v1/saml/acs/{id}"), &[("SAMLResponse", "PHg+")]).await;
        assert!(answer.status.is_client_error(), "{}", answer.text);
        app.close().await;
    }
}

#[tokio::test]
async fn con5_the_kind_never_changes() {
    for app in TestApp::on_each_database().await {
        let made = create(&app, new("oidc_gitlab", &by_hand())).await;
        for provider in ["oidc_custom", "saml_custom"] {
            let kept = patch(&app, &made, json!({"provider": provider})).await;
            assert_eq!(kept["provider"], "oidc_gitlab");
            assert_eq!(kept["oauth_config"]["provider_key"], made["oauth_config"]["provider_key"]);
        }
        app.close().await;
    }
}

#[tokio::test]
async fn con30_con32_organizations_and_domains_go_as_with_every_connection() {
    for app in TestApp::on_each_database().await {
        let mut ids = Vec::new();
        for name in ["Acme", "Globex"] {
            let made = app.backend(Method::POST, "/v1/organizations", json!({"name": name})).await.ok();
            ids.push(made["id"].clone());
        }
        let body = with(new("oidc_custom", &by_hand()), json!({"organization_id": ids[0], "active": true}));
        let made = create(&app, body.clone()).await;
        let answer = app.backend(Method::POST, CONNECTIONS, body).await;
        assert_eq!(answer.error(), (422, "organization_already_has_sso_connection".to_owned()));
        let moved =
            patch(&app, &made, json!({"organization_id": ids[1], "domains": ["Globex.test", "acme.test"]})).await;
        assert_eq!((&moved["organization_id"], &moved["domains"]), (&ids[1], &json!(["globex.test", "acme.test"])));
        let kept = patch(&app, &made, json!({"organization_id": null, "domains": []})).await;
        assert_eq!((&kept["organization_id"], &kept["domains"]), (&moved["organization_id"], &moved["domains"]));
        let active = app.backend(Method::GET, &format!("{CONNECTIONS}?active=true"), Value::Null).await.ok();
        assert_eq!(active["data"], json!([kept]));
        app.backend(Method::DELETE, &format!("/v1/organizations/{}", ids[1].as_str().unwrap()), Value::Null).await.ok();
        let left = app.backend(Method::GET, &path(&made), Value::Null).await.ok();
        assert_eq!((&left["organization_id"], &left["active"]), (&Value::Null, &json!(false)));
        app.close().await;
    }
}

#[tokio::test]
async fn con2_accounts_through_such_a_connection_are_shown_as_oauth() {
    for app in TestApp::on_each_database().await {
        let user = app.backend(Method::POST, "/v1/users", json!({"email_address": ["ada@acme.test"]})).await.ok();
        app.advance(1);
        let address = EmailAddress {
            id: EmailAddressId::generate(app.now(), &*app.app.random),
            user_id: UserId::from(user["id"].as_str().unwrap()),
            address: Email::parse("ada@sso.acme.test").unwrap(),
            verification: EmailVerification::EnterpriseSso,
            created_at: app.now(),
            updated_at: app.now(),
        };
        write_tx!(app.app.store, StoreError, |tx| { users::insert_address(tx, &address).await }).unwrap();
        for (kind, strategy) in [
            ("oidc_custom", "oauth_custom_oidc"),
            ("oidc_github_enterprise", "oauth_custom_github"),
            ("oidc_gitlab", "oauth_custom_gitlab"),
        ] {
            let made = create(&app, new(kind, &by_hand())).await;
            let now = app.now();
            let account = EnterpriseAccount {
                id: EnterpriseAccountId::generate(now, &*app.app.random),
                user_id: UserId::from(user["id"].as_str().unwrap()),
                enterprise_connection_id: EnterpriseConnectionId::from(made["id"].as_str().unwrap()),
                subject: "ada".into(),
                email_address: address.address.clone(),
                first_name: None,
                last_name: None,
                public_metadata: Default::default(),
                last_authenticated_at: now,
                created_at: now,
                updated_at: now,
            };
            write_tx!(app.app.store, StoreError, |tx| { enterprise_accounts::insert(tx, &account).await }).unwrap();
            let path = format!("/v1/users/{}", user["id"].as_str().unwrap());
            let shown = app.backend(Method::GET, &path, Value::Null).await.ok();
            assert_eq!(shown["saml_accounts"], json!([]));
            let [shown_account] = &shown["enterprise_accounts"].as_array().unwrap()[..] else { panic!("{shown}") };
            assert_eq!((&shown_account["protocol"], &shown_account["provider"]), (&json!("oauth"), &json!(kind)));
            assert_eq!(shown_account["enterprise_connection"]["protocol"], "oauth");
            let verification = json!({
                "object": "verification_oauth", "status": "verified", "strategy": strategy, "error": null, "expire_at": now,
                "attempts": null,
            });
            assert_eq!(shown_account["verification"], verification);
            let linked = json!([{"type": strategy, "id": shown_account["id"]}]);
            assert_eq!(shown["email_addresses"][1]["linked_to"], linked);
            // The operator vouched for the first address, this connection for the second.
            let verified = |at: usize| {
                let verification = &shown["email_addresses"][at]["verification"];
                (verification["object"].clone(), verification["strategy"].clone())
            };
            assert_eq!(verified(0), (json!("verification_admin"), json!("admin")));
            assert_eq!(verified(1), (json!("verification_from_oauth"), json!(format!("from_{strategy}"))));
            app.backend(Method::DELETE, &self::path(&made), Value::Null).await.ok();
        }
        app.close().await;
    }
}
