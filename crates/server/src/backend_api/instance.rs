//! `/v1/instance` and `/v1/instance/organization_settings`

use crate::app::App;
use crate::config::parse_origin;
use crate::flows::Refusal;
use crate::flows::instance::{self as flow, OrganizationSettingsChange, OrganizationSettingsView};
use crate::http::{ApiError, Field, Params};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use doorward_model::Email;
use doorward_rules::role::MAX_CUSTOM_ROLES;
use serde_json::{Value, json};
use std::sync::Arc;

/// The instance.
pub async fn get(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    let instance = crate::app::load_instance(&mut app.store.read().await?).await?;
    Ok(Json(json!({
        "object": "instance",
        "id": instance.id,
        "environment_type": "production",
        "allowed_origins": instance.allowed_origins,
        // There are no workspaces above an instance here; its own id stands for the one it is in.
        "workspace_id": instance.id,
    })))
}

/// Changes origins and support address; what this instance has no use for is ignored.
pub async fn update(State(app): State<Arc<App>>, params: Params) -> Result<StatusCode, ApiError> {
    let origins = match params.texts("allowed_origins")? {
        Field::Absent => None,
        Field::Null => Some(Vec::new()),
        Field::Value(texts) => Some(texts.iter().map(|text| origin(text)).collect::<Result<_, _>>()?),
    };
    let support_email = match params.text("support_email")? {
        Field::Absent => None,
        Field::Null => Some(None),
        Field::Value(text) if text.is_empty() => Some(None),
        Field::Value(text) => Some(Some(address(&text)?)),
    };
    flow::update(&app, origins, support_email).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn origin(text: &str) -> Result<String, Refusal> {
    parse_origin(text).map_err(|reason| Refusal::ParamInvalid { param: "allowed_origins".into(), reason })
}

fn address(text: &str) -> Result<String, Refusal> {
    let malformed =
        |_| Refusal::ParamFormat { param: "support_email".into(), reason: "must be a valid email address".into() };
    Ok(Email::parse(text).map_err(malformed)?.to_string())
}

/// The most domains an organization has (DOM-6).
const MAX_DOMAINS: i64 = 10;

fn settings(view: &OrganizationSettingsView) -> Json<Value> {
    let settings = &view.instance.organization_settings;
    Json(json!({
        "object": "organization_settings",
        "enabled": settings.enabled,
        "max_allowed_memberships": settings.max_allowed_memberships,
        "max_allowed_roles": MAX_CUSTOM_ROLES,
        "max_role_sets_allowed": 0,
        "max_allowed_domains": MAX_DOMAINS,
        "creator_role": view.role_key(&view.set.creator_role_id),
        "admin_delete_enabled": settings.admin_delete_enabled,
        "domains_enabled": settings.domains_enabled,
        "slug_disabled": settings.slug_disabled,
        "domains_enrollment_modes": settings.domains_enrollment_modes,
        "domains_default_role": view.role_key(&view.set.default_role_id),
        "initial_role_set_key": view.set.key,
    }))
}

/// The settings for organizations.
pub async fn get_organization_settings(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    Ok(settings(&OrganizationSettingsView::load(&mut app.store.read().await?).await?))
}

/// Changes the settings for organizations.
pub async fn update_organization_settings(
    State(app): State<Arc<App>>,
    params: Params,
) -> Result<Json<Value>, ApiError> {
    let modes = params.texts("domains_enrollment_modes")?.value();
    if let Some(unknown) = modes
        .iter()
        .flatten()
        .find(|mode| !matches!(mode.as_str(), "automatic_invitation" | "automatic_suggestion" | "manual_invitation"))
    {
        let reason = format!("holds {unknown:?}, which is no enrollment mode");
        return Err(Refusal::ParamInvalid { param: "domains_enrollment_modes".into(), reason }.into());
    }
    let role = |name: &str| -> Result<_, Refusal> {
        Ok(params.text(name)?.value().filter(|id| !id.is_empty()).map(Into::into))
    };
    let change = OrganizationSettingsChange {
        enabled: params.bool("enabled")?.value(),
        max_allowed_memberships: params.int("max_allowed_memberships", 0..=i64::from(i32::MAX))?.value(),
        admin_delete_enabled: params.bool("admin_delete_enabled")?.value(),
        domains_enabled: params.bool("domains_enabled")?.value(),
        domains_enrollment_modes: modes,
        slug_disabled: params.bool("slug_disabled")?.value(),
        creator_role_id: role("creator_role_id")?,
        default_role_id: role("domains_default_role_id")?,
    };
    Ok(settings(&flow::update_organization_settings(&app, &change).await?))
}

#[cfg(test)]
mod tests {
    use crate::testing::TestApp;
    use axum::http::Method;
    use serde_json::{Value, json};

    const SETTINGS: &str = "/v1/instance/organization_settings";

    async fn role(app: &TestApp, key: &str) -> Value {
        let roles = app.backend(Method::GET, "/v1/organization_roles", Value::Null).await.ok();
        let role = roles["data"].as_array().unwrap().iter().find(|role| role["key"] == key).unwrap();
        role["id"].clone()
    }

    #[tokio::test]
    async fn origins_are_replaced_or_left_and_must_be_origins() {
        for app in TestApp::on_each_database().await {
            let origins =
                async || app.backend(Method::GET, "/v1/instance", Value::Null).await.ok()["allowed_origins"].clone();
            let wanted = json!(["https://app.test", "capacitor://localhost"]);
            let answer = app.backend(Method::PATCH, "/v1/instance", json!({"allowed_origins": wanted})).await;
            assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""));
            let ignored = json!({"test_mode": true, "hibp": false, "clerk_js_version": null});
            assert_eq!(app.backend(Method::PATCH, "/v1/instance", ignored).await.status.as_u16(), 204);
            for bad in ["*", "null", "", "app.test", "https://app.test/x", "https://u@app.test", "javascript:alert(1)"]
            {
                let answer = app.backend(Method::PATCH, "/v1/instance", json!({"allowed_origins": [bad]})).await;
                assert_eq!(answer.error(), (422, "form_param_value_invalid".to_owned()), "{bad}");
                assert_eq!(answer.json()["errors"][0]["meta"]["param_name"], "allowed_origins", "{bad}");
            }
            assert_eq!(origins().await, wanted);
            app.backend(Method::PATCH, "/v1/instance", json!({"allowed_origins": null})).await;
            assert_eq!(origins().await, json!([]));
            app.close().await;
        }
    }

    #[tokio::test]
    async fn a_wrong_instance_setting_changes_none_of_them() {
        let app = TestApp::new().await;
        for (body, code) in [
            (json!({"allowed_origins": "https://app.test"}), "form_param_type_invalid"),
            (json!({"allowed_origins": ["https://app.test"], "support_email": "nobody"}), "form_param_format_invalid"),
            (json!({"support_email": 7}), "form_param_type_invalid"),
        ] {
            let answer = app.backend(Method::PATCH, "/v1/instance", body.clone()).await;
            assert_eq!(answer.error(), (422, code.to_owned()), "{body}");
        }
        let instance = app.backend(Method::GET, "/v1/instance", Value::Null).await.ok();
        assert_eq!(instance["allowed_origins"], json!([]));
        assert_eq!(instance["environment_type"], "production");
        app.close().await;
    }

    #[tokio::test]
    async fn every_refusal_leaves_the_organization_settings() {
        for app in TestApp::on_each_database().await {
            let before = app.backend(Method::GET, SETTINGS, Value::Null).await.ok();
            let member = role(&app, "org:member").await;
            let set = json!({"name": "Members", "key": "role_set:other", "roles": ["org:admin"],
                "default_role_key": "org:admin", "creator_role_key": "org:admin"});
            app.backend(Method::POST, "/v1/role_sets", set).await.ok();
            let lacking = "organization_missing_creator_role_permissions";
            let cases = [
                (json!({"creator_role_id": member}), 422, lacking),
                (json!({"enabled": false, "creator_role_id": member}), 422, lacking),
                (json!({"creator_role_id": "role_none"}), 404, "resource_not_found"),
                (json!({"domains_default_role_id": "role_none"}), 404, "resource_not_found"),
                (json!({"domains_enrollment_modes": ["by_pigeon"]}), 422, "form_param_value_invalid"),
                (json!({"max_allowed_memberships": -1}), 422, "form_param_value_invalid"),
                (json!({"max_allowed_memberships": "many"}), 422, "form_param_type_invalid"),
                (json!({"enabled": "no"}), 422, "form_param_type_invalid"),
            ];
            for (body, status, code) in cases {
                let answer = app.backend(Method::PATCH, SETTINGS, body.clone()).await;
                assert_eq!(answer.error(), (status, code.to_owned()), "{body}");
            }
            assert_eq!(app.backend(Method::GET, SETTINGS, Value::Null).await.ok(), before);
            assert_eq!(app.backend(Method::PATCH, SETTINGS, json!({})).await.ok(), before);
            app.close().await;
        }
    }

    #[tokio::test]
    async fn rol8_org11_settings_hold_for_what_is_made_later() {
        for app in TestApp::on_each_database().await {
            let organization =
                async |name: &str| app.backend(Method::POST, "/v1/organizations", json!({"name": name})).await.ok();
            let old = organization("Old").await;
            let admin = role(&app, "org:admin").await;
            let change = json!({"max_allowed_memberships": 17, "admin_delete_enabled": false,
                "domains_default_role_id": admin, "creator_role_id": admin});
            let changed = app.backend(Method::PATCH, SETTINGS, change).await.ok();
            assert_eq!(
                (&changed["domains_default_role"], &changed["creator_role"]),
                (&json!("org:admin"), &json!("org:admin"))
            );
            let set = app.backend(Method::GET, "/v1/role_sets/role_set:default", Value::Null).await.ok();
            assert_eq!(set["default_role"]["key"], "org:admin");
            let new = organization("New").await;
            let limits = |found: &Value| json!([found["max_allowed_memberships"], found["admin_delete_enabled"]]);
            assert_eq!(limits(&new), json!([17, false]));
            let old_path = format!("/v1/organizations/{}", old["id"].as_str().unwrap());
            let old_now = app.backend(Method::GET, &old_path, Value::Null).await.ok();
            assert_eq!(limits(&old_now), limits(&old));
            app.close().await;
        }
    }
}
