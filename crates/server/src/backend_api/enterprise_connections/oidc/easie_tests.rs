//! Connections to Google Workspace and Microsoft Entra ID (EAS-1, EAS-2, CON-2, CON-12).

use crate::flows::oidc_clients;
use crate::testing::{TestApp, TestOp};
use axum::http::Method;
use doorward_model::{EnterpriseConnection, EnterpriseConnectionId};
use doorward_store::enterprise_connections;
use serde_json::{Value, json};

const CONNECTIONS: &str = "/v1/enterprise_connections";
const KINDS: [&str; 2] = ["oauth_google", "oauth_microsoft"];
const TENANT: &str = "aaaaaaaa-1111-4111-8111-11111111111a";
const OTHER_TENANT: &str = "bbbbbbbb-6666-4666-8666-66666666666b";
const INVALID_CREDENTIALS: &str = "easie_invalid_oauth_credentials";

fn new(kind: &str, oidc: &Value) -> Value {
    json!({"name": "SSO", "provider": kind, "domains": ["acme.test"], "oidc": oidc})
}

fn own() -> Value {
    json!({"client_id": "client", "client_secret": "correct horse battery staple"})
}

fn path(connection: &Value) -> String {
    format!("{CONNECTIONS}/{}", connection["id"].as_str().unwrap())
}

async fn create(app: &TestApp, kind: &str, oidc: &Value) -> Value {
    app.backend(Method::POST, CONNECTIONS, new(kind, oidc)).await.ok()
}

async fn patch(app: &TestApp, connection: &Value, change: Value) -> Value {
    app.backend(Method::PATCH, &path(connection), change).await.ok()
}

async fn refused(app: &TestApp, connection: &Value, change: Value) -> (u16, String) {
    let before = app.backend(Method::GET, &path(connection), Value::Null).await.ok();
    let answer = app.backend(Method::PATCH, &path(connection), change).await;
    assert_eq!(app.backend(Method::GET, &path(connection), Value::Null).await.ok(), before);
    answer.error()
}

async fn stored(app: &TestApp, connection: &Value) -> EnterpriseConnection {
    let id = EnterpriseConnectionId::from(connection["id"].as_str().unwrap());
    enterprise_connections::by_id(&mut app.app.store.read().await.unwrap(), &id).await.unwrap().unwrap()
}

#[tokio::test]
async fn con2_each_kind_starts_inactive_and_shows_what_is_fixed() {
    for app in TestApp::on_each_database().await {
        for kind in KINDS {
            let made = create(&app, kind, &json!({})).await;
            let is_google = kind == "oauth_google";
            assert_eq!((&made["provider"], &made["active"]), (&json!(kind), &json!(false)));
            assert_eq!(made["disable_additional_identifications"], true);
            assert_eq!(made["saml_connection"], Value::Null);
            let mut expected = json!({
                "id": made["oauth_config"]["id"],
                "name": "SSO",
                "provider_key": kind,
                "client_id": null,
                "has_client_secret": false,
                "discovery_url": null,
                "auth_url": null,
                "token_url": null,
                "user_info_url": null,
                "issuer": null,
                "jwks_url": null,
                "redirect_uri": format!("https://clerk.example.com/v1/oauth_callback/{kind}"),
                "requires_pkce": false,
                "scopes": ["openid", "email", "profile"],
                "attribute_mapping": null,
                "login_hint": {"mode": "email_address"},
                "logo_public_url": null,
                "created_at": made["created_at"],
                "updated_at": made["updated_at"],
            });
            if !is_google {
                expected["scopes"] = json!(["openid", "email", "profile", "offline_access"]);
                expected["tenant_id"] = Value::Null;
            }
            assert_eq!(made["oauth_config"], expected);
            assert_eq!(app.backend(Method::GET, &path(&made), Value::Null).await.ok(), made);
        }
        app.close().await;
    }
}

#[test]
fn what_is_shown_as_scopes_is_what_is_asked_for() {
    use doorward_model::Provider::{OauthGoogle, OauthMicrosoft};
    use doorward_oidc::easie::{google, microsoft};
    let shown = doorward_rules::oidc_connection::default_scopes;
    assert_eq!((shown(OauthGoogle), shown(OauthMicrosoft)), {
        let owned = |scopes: &[&str]| scopes.iter().map(|scope| (*scope).to_owned()).collect::<Vec<_>>();
        (owned(google::SCOPES), owned(microsoft::SCOPES))
    });
}

#[tokio::test]
async fn con10_eas2_activation_needs_an_application_of_the_connection_or_of_the_instance() {
    for app in TestApp::on_each_database().await {
        for kind in KINDS {
            let mut body = new(kind, &json!({}));
            body["active"] = json!(true);
            let answer = app.backend(Method::POST, CONNECTIONS, body).await;
            assert_eq!(answer.error(), (422, INVALID_CREDENTIALS.to_owned()));
            let made = create(&app, kind, &json!({})).await;
            assert_eq!(refused(&app, &made, json!({"active": true})).await, (422, INVALID_CREDENTIALS.to_owned()));
            // Half of one is none, whether it is active or not.
            for half in [json!({"client_id": "client"}), json!({"client_secret": "secret"})] {
                assert_eq!(refused(&app, &made, json!({"oidc": half})).await, (422, INVALID_CREDENTIALS.to_owned()));
            }
            let whole = patch(&app, &made, json!({"active": true, "oidc": own()})).await;
            assert_eq!((&whole["active"], &whole["oauth_config"]["client_id"]), (&json!(true), &json!("client")));
            let own_address = format!("https://clerk.example.com/v1/oauth_callback/{}", made["id"].as_str().unwrap());
            assert_eq!(whole["oauth_config"]["redirect_uri"], own_address);
            assert!(!whole.to_string().contains("battery"));
            for half in [json!({"client_id": ""}), json!({"client_secret": ""})] {
                assert_eq!(refused(&app, &made, json!({"oidc": half})).await, (422, INVALID_CREDENTIALS.to_owned()));
            }
            let none = json!({"oidc": {"client_id": "", "client_secret": ""}});
            assert_eq!(refused(&app, &made, none).await, (422, INVALID_CREDENTIALS.to_owned()));
            patch(&app, &made, json!({"active": false, "oidc": {"client_id": "", "client_secret": ""}})).await;
        }
        app.close().await;
    }
}

#[tokio::test]
async fn eas2_id_and_secret_come_from_one_place() {
    let app = TestApp::with(|raw| {
        raw.easie_google_client_id = Some("instance google".into());
        raw.easie_google_client_secret = Some("google secret".into());
    })
    .await;
    let used = async |connection: &Value| {
        let connection = stored(&app, connection).await;
        let secret = oidc_clients::client_secret(&app.app, &connection).unwrap();
        let id = oidc_clients::client_id(&app.app.config, &connection).map(str::to_owned);
        (id, secret.map(|secret| secret.expose().to_owned()))
    };
    let pair = |id: &str, secret: &str| (Some(id.to_owned()), Some(secret.to_owned()));
    let google = create(&app, "oauth_google", &json!({})).await;
    patch(&app, &google, json!({"active": true})).await;
    assert_eq!(used(&google).await, pair("instance google", "google secret"));
    patch(&app, &google, json!({"oidc": own()})).await;
    assert_eq!(used(&google).await, pair("client", "correct horse battery staple"));
    patch(&app, &google, json!({"oidc": {"client_id": "", "client_secret": ""}})).await;
    assert_eq!(used(&google).await, pair("instance google", "google secret"));
    // The one of Google is none at Microsoft.
    let microsoft = create(&app, "oauth_microsoft", &json!({})).await;
    assert_eq!(refused(&app, &microsoft, json!({"active": true})).await, (422, INVALID_CREDENTIALS.to_owned()));
    assert_eq!(used(&microsoft).await, (None, None));
    assert!(!google.to_string().contains("instance google") && !google.to_string().contains("google secret"));
    app.close().await;
}

#[tokio::test]
async fn con12_oid14_what_is_fixed_cannot_be_set() {
    let invalid_type = (400, "enterprise_connection_invalid_type".to_owned());
    for app in TestApp::on_each_database().await {
        for kind in KINDS {
            let made = create(&app, kind, &own()).await;
            for change in [
                json!({"oidc": {"auth_url": "https://op.test/authorize"}}),
                json!({"oidc": {"token_url": "https://op.test/token"}}),
                json!({"oidc": {"user_info_url": "https://op.test/userinfo"}}),
                json!({"oidc": {"scopes": ["openid"]}}),
                json!({"oidc": {"scopes": []}}),
                json!({"oidc": {"requires_pkce": true}}),
                json!({"oidc": {"attribute_mapping": {"user_id": "email"}}}),
                json!({"oidc": {"attribute_mapping": {"email_address": "upn"}}}),
                json!({"oidc": {"attribute_mapping": {"email_verified_default": true}}}),
                json!({"disable_additional_identifications": false}),
                json!({"saml": {"idp_entity_id": "urn:idp"}}),
            ] {
                assert_eq!(refused(&app, &made, change.clone()).await, invalid_type, "{kind} {change}");
                let mut body = new(kind, &own());
                for (name, value) in change.as_object().unwrap() {
                    body[name] = value.clone();
                }
                assert_eq!(app.backend(Method::POST, CONNECTIONS, body).await.error(), invalid_type, "{kind} {change}");
            }
            patch(
                &app,
                &made,
                json!({"disable_additional_identifications": true, "oidc": {"login_hint": {"mode": "off"}}}),
            )
            .await;
            for addition in ["certificates", "keys", "metadata_refresh"] {
                let answer = app.backend(Method::GET, &format!("{}/{addition}", path(&made)), Value::Null).await;
                assert_eq!(answer.error(), invalid_type, "{addition}");
            }
        }
        app.close().await;
    }
}

#[tokio::test]
async fn eas9_the_tenant_is_set_and_cleared_by_the_operator() {
    for app in TestApp::on_each_database().await {
        let made = create(&app, "oauth_microsoft", &json!({"tenant_id": TENANT.to_uppercase()})).await;
        assert_eq!(made["oauth_config"]["tenant_id"], TENANT);
        for bad in ["acme.test", "organizations", "{tenantid}", doorward_oidc::easie::microsoft::PERSONAL_TENANT, "0"] {
            let answer = refused(&app, &made, json!({"oidc": {"tenant_id": bad}})).await;
            assert_eq!(answer, (422, "form_param_value_invalid".to_owned()), "{bad}");
        }
        assert_eq!(
            patch(&app, &made, json!({"oidc": {"tenant_id": ""}})).await["oauth_config"]["tenant_id"],
            Value::Null
        );
        assert_eq!(
            patch(&app, &made, json!({"oidc": {"tenant_id": OTHER_TENANT}})).await["oauth_config"]["tenant_id"],
            OTHER_TENANT
        );
        let of_others = [("oauth_google", own()), ("oidc_custom", json!({}))];
        for (kind, oidc) in of_others {
            let other = create(&app, kind, &oidc).await;
            let answer = refused(&app, &other, json!({"oidc": {"tenant_id": TENANT}})).await;
            assert_eq!(answer, (400, "enterprise_connection_invalid_type".to_owned()), "{kind}");
        }
        app.close().await;
    }
}

#[tokio::test]
async fn eas1_a_discovery_url_of_ones_own_is_read_and_has_to_be_of_the_kind() {
    for app in TestApp::on_each_database().await {
        let google = TestOp::google(&app, &["acme.test"], None).await;
        let shown = &google.connection["oauth_config"];
        assert_eq!((&shown["discovery_url"], &shown["token_url"]), (&json!(google.discovery_url()), &Value::Null));
        // Google's document is none of Entra ID's, and neither is that of any other provider.
        let mismatch = (422, "custom_oauth_provider_discovery_issuer_mismatch".to_owned());
        let made = create(&app, "oauth_microsoft", &own()).await;
        let at = |url: &str| {
            let mut oidc = own();
            oidc["discovery_url"] = json!(url);
            json!({ "oidc": oidc })
        };
        assert_eq!(refused(&app, &made, at(&google.discovery_url())).await, mismatch);
        google.state().issuer = Some("https://op.evil.test".into());
        let other = create(&app, "oauth_google", &own()).await;
        assert_eq!(refused(&app, &other, at(&google.discovery_url())).await, mismatch);

        let entra = TestOp::entra(&app, &["globex.test"], None).await;
        let of_tenant = format!("{}/{TENANT}/v2.0/.well-known/openid-configuration", entra.url);
        // OID-8: the secret that was for the provider itself does not go elsewhere by itself, and does not come back either.
        let secret_missing = (422, "form_param_missing".to_owned());
        let alone = |url: &str| json!({"oidc": {"discovery_url": url}});
        assert_eq!(refused(&app, &made, alone(&of_tenant)).await, secret_missing);
        patch(&app, &made, at(&of_tenant)).await;
        patch(&app, &made, alone(&of_tenant)).await;
        assert_eq!(refused(&app, &made, alone("")).await, secret_missing);
        let contradiction = (422, "form_param_value_conflict".to_owned());
        assert_eq!(refused(&app, &made, json!({"oidc": {"tenant_id": OTHER_TENANT}})).await, contradiction);
        patch(&app, &made, json!({"oidc": {"tenant_id": TENANT}})).await;
        let of_other = of_tenant.replace(TENANT, OTHER_TENANT);
        assert_eq!(refused(&app, &made, at(&of_other)).await, contradiction);
        let failed = (422, "custom_oauth_provider_discovery_server_retrieval_error".to_owned());
        let nobodys = format!("{}/.well-known/openid-configuration", entra.url);
        assert!([&failed, &mismatch].contains(&&refused(&app, &made, at(&nobodys)).await));
        entra.state().document = json!({"issuer": format!("{}/{OTHER_TENANT}/v2.0", entra.url)});
        assert_eq!(refused(&app, &made, at(&of_tenant)).await, mismatch);
        // Without the URL it is the provider's own document again, and no endpoint stays behind.
        let back = patch(&app, &made, at("")).await;
        for name in ["discovery_url", "auth_url", "token_url", "user_info_url"] {
            assert_eq!(back["oauth_config"][name], Value::Null, "{name}");
        }
        app.close().await;
    }
}
