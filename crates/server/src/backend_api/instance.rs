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

/// The most custom roles an instance has (ROL-5).
const MAX_ROLES: i64 = 10;
/// The most domains an organization has (DOM-6).
const MAX_DOMAINS: i64 = 10;

fn settings(view: &OrganizationSettingsView) -> Json<Value> {
    let settings = &view.instance.organization_settings;
    Json(json!({
        "object": "organization_settings",
        "enabled": settings.enabled,
        "max_allowed_memberships": settings.max_allowed_memberships,
        "max_allowed_roles": MAX_ROLES,
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
