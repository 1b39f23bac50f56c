//! `environment`: what the application's pages need to know of the instance. Switches say what this release offers:
//! enterprise SSO and organizations; passwords, codes, social accounts and second factors are off.

use crate::config::Config;
use doorward_model::{Instance, Role};
use serde_json::{Value, json};

/// The environment.
pub fn environment(config: &Config, instance: &Instance, creator_role: &Role, default_role: &Role) -> Value {
    json!({
        "auth_config": auth_config(instance),
        "display_config": display_config(config, instance),
        "user_settings": user_settings(),
        "organization_settings": organization_settings(instance, creator_role, default_role),
        "fraud_settings": {"object": "fraud_settings", "native": {"device_attestation_mode": "disabled"}},
        "api_keys_settings": {"enabled": false, "user_api_keys_enabled": false, "orgs_api_keys_enabled": false},
        "client_debug_mode": false,
        "partitioned_cookies": false,
        "maintenance_mode": false,
    })
}

fn auth_config(instance: &Instance) -> Value {
    json!({
        "object": "auth_config",
        "id": instance.id.as_str().replacen("ins_", "aconf_", 1),
        "first_name": "on",
        "last_name": "on",
        "email_address": "required",
        "phone_number": "off",
        "username": "off",
        "password": "off",
        "identification_requirements": [["email_address"]],
        "identification_strategies": ["email_address"],
        "first_factors": ["enterprise_sso"],
        "second_factors": [],
        "email_address_verification_strategies": [],
        "single_session_mode": false,
        "enhanced_email_deliverability": false,
        "test_mode": false,
        "cookieless_dev": false,
        "url_based_session_syncing": false,
        "claimed_at": null,
        "reverification": false,
        "native_settings": {
            "object": "native_settings",
            "api_enabled": false,
            "trusted_device_sign_in_enabled": false,
            "trusted_device_enrollment_prompt_after_sign_in_enabled": false,
            "trusted_device_enrollment_prompt_after_sign_up_enabled": false,
        },
    })
}

fn display_config(config: &Config, instance: &Instance) -> Value {
    let base = &config.public_url;
    let sign_in = format!("{base}/sign-in");
    json!({
        "object": "display_config",
        "id": instance.id.as_str().replacen("ins_", "display_config_", 1),
        "instance_environment_type": "production",
        "application_name": "Doorward",
        "theme": {},
        "preferred_sign_in_strategy": "otp",
        "logo_image_url": null,
        "favicon_image_url": null,
        "home_url": config.home_url,
        "sign_in_url": sign_in,
        "sign_up_url": sign_in,
        "user_profile_url": sign_in,
        "waitlist_url": sign_in,
        "oauth_consent_url": sign_in,
        "after_sign_in_url": config.home_url,
        "after_sign_up_url": config.home_url,
        "after_sign_out_one_url": sign_in,
        "after_sign_out_all_url": sign_in,
        "after_switch_session_url": config.home_url,
        "after_join_waitlist_url": config.home_url,
        "organization_profile_url": sign_in,
        "create_organization_url": sign_in,
        "after_leave_organization_url": base,
        "after_create_organization_url": base,
        "logo_link_url": base,
        "support_email": instance.support_email,
        "branded": false,
        "experimental_force_oauth_first": false,
        "clerk_js_version": null,
        "show_devmode_warning": false,
        "google_one_tap_client_id": null,
        "help_url": null,
        "privacy_policy_url": null,
        "terms_url": null,
        "logo_url": null,
        "favicon_url": null,
        "logo_image": null,
        "favicon_image": null,
        "captcha_public_key": null,
        "captcha_widget_type": null,
        "captcha_public_key_invisible": null,
        "captcha_provider": null,
        "captcha_oauth_bypass": [],
        "captcha_heartbeat": false,
    })
}

/// An identifier is what the sign-in form asks for.
fn attribute(enabled: bool, is_identifier: bool) -> Value {
    json!({
        "enabled": enabled,
        "required": is_identifier,
        "used_for_first_factor": is_identifier,
        "first_factors": [],
        "used_for_second_factor": false,
        "second_factors": [],
        "verifications": [],
        "verify_at_sign_up": false,
        "immutable": false,
    })
}

fn user_settings() -> Value {
    let off = json!({"enabled": false});
    json!({
        "attributes": {
            "email_address": attribute(true, true),
            "first_name": attribute(true, false),
            "last_name": attribute(true, false),
            "phone_number": attribute(false, false),
            "username": attribute(false, false),
            "web3_wallet": attribute(false, false),
            "password": attribute(false, false),
            "authenticator_app": attribute(false, false),
            "ticket": attribute(false, false),
            "backup_code": attribute(false, false),
            "passkey": attribute(false, false),
        },
        "social": {},
        "saml": {"enabled": true},
        "enterprise_sso": {"enabled": true, "self_serve_sso": false},
        "sign_in": {"second_factor": {"required": false}},
        "sign_up": {
            "captcha_enabled": false,
            "captcha_widget_type": "smart",
            "custom_action_required": false,
            "progressive": true,
            // With "restricted" the sign-up form would turn away those too whose connection lets them in (DEC-23). Who has
            // none is refused by the server.
            "mode": "public",
            "legal_consent_enabled": false,
        },
        "restrictions": {
            "allowlist": off,
            "blocklist": off,
            "allowlist_blocklist_disabled_on_sign_in": off,
            "block_email_subaddresses": off,
            "block_disposable_email_domains": off,
        },
        "password_settings": {
            "disable_hibp": true,
            "disable_password_reverification": true,
            "min_length": 8,
            "max_length": 72,
            "require_special_char": false,
            "require_numbers": false,
            "require_uppercase": false,
            "require_lowercase": false,
            "show_zxcvbn": false,
            "min_zxcvbn_strength": 0,
            "enforce_hibp_on_sign_in": false,
            "allowed_special_characters": "",
        },
        "username_settings": {
            "min_length": 4,
            "max_length": 64,
            "allow_extended_special_characters": false,
            "allow_numeric_usernames": false,
        },
        "actions": {"delete_self": false, "create_organization": true, "create_organizations_limit": null},
        "attack_protection": {
            "user_lockout": {"enabled": false, "max_attempts": 0, "duration_in_minutes": 0},
            "pii": {"enabled": true},
            "email_link": {"require_same_client": true},
            "enumeration_protection": {"enabled": false},
        },
        "passkey_settings": {"allow_autofill": false, "show_sign_in_button": false, "satisfies_second_factor": false},
    })
}

fn organization_settings(instance: &Instance, creator_role: &Role, default_role: &Role) -> Value {
    let settings = &instance.organization_settings;
    json!({
        "enabled": settings.enabled,
        "max_allowed_memberships": settings.max_allowed_memberships,
        "actions": {"admin_delete": settings.admin_delete_enabled},
        "domains": {
            "enabled": settings.domains_enabled,
            "enrollment_modes": settings.domains_enrollment_modes,
            "default_role": default_role.key,
        },
        "slug": {"disabled": settings.slug_disabled},
        "creator_role": creator_role.key,
    })
}
