//! The table of errors: each refusal with its status, code and texts. Statuses and codes are those of the published catalogue.

use crate::flows::Refusal;
use crate::flows::refusal::ErrorEntry;
use doorward_model::{JsonMap, SsoError};
use serde_json::{Value, json};

fn entry(status: u16, code: &'static str, message: &str, long_message: impl Into<String>) -> ErrorEntry {
    ErrorEntry { status, code, message: message.to_owned(), long_message: long_message.into(), meta: JsonMap::new() }
}

impl ErrorEntry {
    fn with(mut self, key: &str, value: Value) -> Self {
        self.meta.insert(key.to_owned(), value);
        self
    }

    fn param(self, name: &str) -> Self {
        self.with("param_name", json!(name))
    }
}

/// The answer to a failure that is ours.
pub fn internal() -> ErrorEntry {
    entry(
        500,
        "internal_error",
        "internal error",
        "Something went wrong on our side. The trace id finds it in the log.",
    )
}

/// The form in which a failed trip to an IdP is kept on its sign-in or sign-up (DEC-17).
pub fn sso_error(refusal: &Refusal) -> SsoError {
    let ErrorEntry { code, message, long_message, meta, .. } = describe(refusal);
    SsoError { code: code.to_owned(), message, long_message, meta }
}

/// A kept failure on the wire.
pub fn sso_error_wire(error: &SsoError) -> Value {
    let mut object = json!({"message": error.message, "long_message": error.long_message, "code": error.code});
    if !error.meta.is_empty() {
        object["meta"] = Value::Object(error.meta.clone());
    }
    object
}

/// Status, code and texts of a refusal.
pub fn describe(refusal: &Refusal) -> ErrorEntry {
    parameters(refusal)
        .or_else(|| organizations(refusal))
        .or_else(|| roles(refusal))
        .or_else(|| connections(refusal))
        .or_else(|| signing_in(refusal))
        .or_else(|| openid_connect(refusal))
        .or_else(|| easie(refusal))
        .or_else(|| requests(refusal))
        .unwrap_or_else(internal)
}

fn parameters(refusal: &Refusal) -> Option<ErrorEntry> {
    use Refusal::*;
    Some(match refusal {
        ParamMissing { param } => {
            entry(422, "form_param_missing", "is missing", format!("{param} must be included.")).param(param)
        }
        ParamType { param, expected } => {
            entry(422, "form_param_type_invalid", "is invalid", format!("{param} must be {expected}.")).param(param)
        }
        ParamInvalid { param, reason } => {
            entry(422, "form_param_value_invalid", "is invalid", format!("{param} {reason}.")).param(param)
        }
        ParamFormat { param, reason } => {
            entry(422, "form_param_format_invalid", "is invalid", format!("{param} {reason}.")).param(param)
        }
        ParamTooLong { param, max } => {
            let text = format!("{param} must not exceed {max} characters.");
            entry(422, "form_param_max_length_exceeded", "exceeds maximum length", text).param(param)
        }
        ParamUnknown { param, reason } => {
            entry(422, "form_param_unknown", "is unknown", format!("{param} cannot be set: {reason}.")).param(param)
        }
        ParamDeprecated { param, instead } => {
            let text = format!("{param} is no longer accepted here; use {instead}.");
            entry(422, "form_param_deprecated", "is deprecated", text).param(param)
        }
        IdentifierExists { param, value } => {
            entry(422, "form_identifier_exists", "already exists", format!("{value} is taken already.")).param(param)
        }
        IdentifierNotFound { param } => {
            entry(422, "form_identifier_not_found", "is invalid", "Couldn't find your account.").param(param)
        }
        QueryInvalid { param, reason } => {
            entry(422, "form_param_value_invalid", "is invalid", format!("{param} {reason}.")).param(param)
        }
        ParamConflict { param, other } => {
            let text = format!("{param} and {other} name the same thing and must not differ.");
            entry(422, "form_param_value_conflict", "conflicting values", text).param(param)
        }
        ParamTime { param } => {
            entry(422, "form_param_invalid_time", "is invalid", format!("{param} must be a time in RFC 3339 format."))
                .param(param)
        }
        ParamLength { param, expected } => {
            let text = format!("{param} must hold exactly {expected} values, one for each.");
            entry(422, "form_param_array_length_mismatch", "wrong number of values", text).param(param)
        }
        ParamDuplicate { param } => {
            entry(422, "form_param_duplicate", "duplicate values", format!("{param} holds a value twice.")).param(param)
        }
        VerificationNeeded { param } => {
            let text = format!("{param} must name a verified address.");
            entry(422, "form_verification_needed", "is not verified", text).param(param)
        }
        ResourceMissing { param } => {
            let text = format!("What {param} names was not found.");
            entry(422, "form_resource_not_found", "not found", text).param(param)
        }
        DataMissing => entry(
            422,
            "form_data_missing",
            "data missing",
            "A user needs at least one identifier, unless skip_user_requirement is set.",
        ),
        DuplicateRecord { value } => {
            entry(400, "duplicate_record", "already exists", format!("{value} exists already."))
        }
        _ => return None,
    })
}

fn organizations(refusal: &Refusal) -> Option<ErrorEntry> {
    use Refusal::*;
    Some(match refusal {
        NotFound { what, id } => {
            entry(404, "resource_not_found", "not found", format!("No {what} was found with id {id}."))
        }
        OrganizationNotFound => entry(
            404,
            "organization_not_found_or_unauthorized",
            "not found or unauthorized",
            "There is no such organization, or you may not see it.",
        ),
        RoleNotFound { param, key } => {
            entry(404, "resource_not_found", "not found", format!("There is no role {key}.")).param(param)
        }
        OrganizationsDisabled => entry(
            403,
            "organization_not_enabled_in_instance",
            "organizations are disabled",
            "Organizations are switched off for this instance.",
        ),
        OrganizationCreatorNotFound { user_id } => {
            let text = format!("No user was found with id {user_id}.");
            entry(400, "organization_creator_not_found", "creator not found", text).param("created_by")
        }
        SlugsDisabled => entry(
            403,
            "organization_slugs_disabled",
            "organization slugs are disabled",
            "Slugs are switched off for this instance; leave slug out.",
        )
        .param("slug"),
        AlreadyMember { user_id } => entry(
            400,
            "already_a_member_in_organization",
            "already a member",
            format!("{user_id} is a member of the organization already."),
        ),
        MembershipQuota { max } => entry(
            403,
            "organization_membership_quota_exceeded",
            "organization membership quota exceeded",
            format!("The organization has reached its limit of {max} members."),
        ),
        MembershipQuotaForSso { max } => entry(
            403,
            "organization_membership_quota_exceeded_for_sso",
            "organization is full",
            format!("The organization you are joining has no seat left (limit {max}). Please ask its administrator."),
        ),
        MinimumPermissionsNeeded => entry(
            400,
            "organization_minimum_permissions_needed",
            "minimum organization permissions needed",
            "At least one member must keep the permissions to manage the organization.",
        ),
        CannotLeave => entry(
            403,
            "organization_membership_enterprise_connection_cannot_remove",
            "cannot leave the organization",
            "You are a member through single sign-on and cannot leave by yourself. Ask an administrator of the organization.",
        ),
        NotAMember => entry(404, "resource_not_found", "not found", "The user is not a member of the organization."),
        MissingOrganizationPermission { permissions } => entry(
            403,
            "missing_organization_permission",
            "missing permission",
            format!("Your role in the organization lacks these permissions: {}.", permissions.join(", ")),
        )
        .with("permissions", json!(permissions)),
        CreateOrganizationNotEnabled => entry(
            403,
            "user_create_organization_not_enabled",
            "creating organizations is not enabled",
            "You may not create organizations.",
        ),
        OrganizationCreationLimit { limit } => entry(
            403,
            "org_creation_limit_exceeded",
            "organization creation limit exceeded",
            format!("You have reached your limit of {limit} organizations."),
        ),
        AdminDeleteNotEnabled => entry(
            403,
            "organization_admin_delete_not_enabled",
            "deletion is not enabled",
            "This organization cannot be deleted by its members.",
        ),
        MissingCreatorPermissions { missing } => entry(
            422,
            "organization_missing_creator_role_permissions",
            "missing creator permissions",
            format!("A creator role needs these permissions too: {}.", missing.join(", ")),
        )
        .with("permissions", json!(missing)),
        RoleReassignmentMissing { role_keys } => entry(
            422,
            "organization_role_set_reassignment_mappings_missing",
            "reassignment mappings missing",
            format!("Members hold these roles, which the other role set does not have: {}.", role_keys.join(", ")),
        )
        .with("role_keys", json!(role_keys)),
        _ => return None,
    })
}

fn roles(refusal: &Refusal) -> Option<ErrorEntry> {
    use Refusal::*;
    Some(match refusal {
        RoleReassignmentInvalid { role_key } => entry(
            422,
            "organization_role_set_reassignment_mappings_invalid",
            "reassignment mappings invalid",
            format!("The mappings name {role_key}. They must lead from a role that exists to one of the role set members will have."),
        )
        .with("role_key", json!(role_key)),
        RoleReassignmentTooLarge { members, max } => entry(
            422,
            "organization_role_set_reassignment_contact_support",
            "too many members",
            format!("{members} members would get another role; at most {max} do at once. Change the roles of some of them first."),
        ),
        InitialRoleSetStays => entry(
            403,
            "cannot_delete_initial_role_set",
            "cannot delete initial role set",
            "This is the role set of new organizations. Make another one the initial set first.",
        ),
        RoleQuota { max } => entry(
            403,
            "organization_instance_roles_quota_exceeded",
            "too many organization roles",
            format!("There are {max} roles beside the stock ones; there can be no more."),
        ),
        RoleIsCreatorRole => entry(
            422,
            "organization_role_default_creator_role",
            "role is a creator role",
            "The role is the creator role of a role set. Give that set another creator role first.",
        ),
        RoleIsDefaultRole => entry(
            422,
            "organization_role_domain_default_role",
            "role is a default role",
            "The role is the default role of a role set. Give that set another default role first.",
        ),
        RoleHasMembers => entry(
            422,
            "organization_role_assigned_members",
            "role is held by members",
            "Members hold this role. Give them another one first.",
        ),
        PermissionNotModifiable => entry(
            403,
            "organization_system_permission_not_modifiable",
            "system permission",
            "System permissions can be neither changed nor deleted.",
        ),
        PermissionHeld => entry(
            409,
            "organization_role_permission_association_exists",
            "permission held already",
            "The role has this permission already.",
        ),
        PermissionNotHeld => entry(
            404,
            "organization_role_permission_association_not_found",
            "permission not held",
            "The role does not have this permission.",
        ),
        _ => return None,
    })
}

fn connections(refusal: &Refusal) -> Option<ErrorEntry> {
    use Refusal::*;
    Some(match refusal {
        OrganizationHasConnection => entry(
            422,
            "organization_already_has_sso_connection",
            "organization already has an SSO connection",
            "This organization is linked to another enterprise connection already.",
        )
        .param("organization_id"),
        CommonDomain { domain } => entry(
            422,
            "organization_domain_common",
            "is a common email provider",
            format!("{domain} belongs to a public email provider and cannot be used for single sign-on."),
        )
        .param("domains"),
        CannotBeActivated { missing } => entry(
            422,
            "saml_connection_cant_be_activated",
            "connection cannot be activated",
            format!("These must be provided before the connection can be activated: {}.", missing.join(", ")),
        )
        .with("missing_fields", json!(missing)),
        MetadataFetch { reason } => entry(
            400,
            "saml_failed_to_fetch_idp_metadata",
            "IdP metadata could not be fetched",
            format!("The IdP metadata could not be fetched: {reason}."),
        )
        .param("idp_metadata_url"),
        MetadataInvalid { reason } => entry(
            422,
            "saml_failed_to_parse_idp_metadata",
            "IdP metadata could not be read",
            format!("The IdP metadata could not be read: {reason}."),
        )
        .param("idp_metadata"),
        MetadataIncomplete { missing } => entry(
            422,
            "saml_metadata_missing_fields",
            "IdP metadata is missing required fields",
            format!("The IdP metadata lacks: {}.", missing.join(", ")),
        )
        .with("missing_fields", json!(missing)),
        ConnectionTypeInvalid { reason } => {
            entry(400, "enterprise_connection_invalid_type", "invalid enterprise connection type", *reason)
        }
        DiscoveryImpossible => entry(
            422,
            "custom_oauth_provider_cannot_use_discovery_url",
            "provider cannot use a discovery URL",
            "Providers of this kind have no discovery document. Give auth_url, token_url and user_info_url instead.",
        )
        .param("discovery_url"),
        DiscoveryFailed { url, reason } => entry(
            422,
            "custom_oauth_provider_discovery_server_retrieval_error",
            "error retrieving the discovery document",
            format!("The provider's configuration could not be read from {url}: {reason}."),
        )
        .param("discovery_url"),
        DiscoveryIssuerMismatch { expected, issuer } => entry(
            422,
            "custom_oauth_provider_discovery_issuer_mismatch",
            "issuer mismatch in discovery document",
            format!("The discovery URL belongs to the issuer {expected}, but the document there names {issuer}."),
        )
        .param("discovery_url"),
        PublicClientNeedsPkce => entry(
            422,
            "form_public_client_requires_pkce",
            "is invalid",
            "A client without a secret needs PKCE: set requires_pkce, or give client_secret.",
        )
        .param("oidc.requires_pkce"),
        EasieCredentials { reason } => {
            entry(422, "easie_invalid_oauth_credentials", "OAuth credentials invalid", *reason)
                .param("oauth_credentials")
        }
        ClientSecretOfAnotherProvider => entry(
            422,
            "form_param_missing",
            "is missing",
            "The stored client secret was given for another provider and is not sent to this one. Give its client_secret, or an \
             empty one for a public client.",
        )
        .param("oidc.client_secret"),
        MetadataRefreshUnderWay => entry(
            409,
            "metadata_refresh_under_way",
            "metadata is being refreshed",
            "The metadata of this connection is being read right now. Look at the outcome in a moment.",
        ),
        SignInConnectionMissing => entry(
            422,
            "enterprise_sso_sign_in_connection_missing",
            "no enterprise connection",
            "Single sign-on is not set up for this email address.",
        )
        .param("identifier"),
        SignUpConnectionMissing => entry(
            422,
            "enterprise_sso_sign_up_connection_missing",
            "no enterprise connection",
            "Single sign-on is not set up for this email address.",
        )
        .param("email_address"),
        ConnectionIdRequired => entry(
            422,
            "enterprise_connection_id_is_required_with_multiple_connections",
            "enterprise_connection_id is required",
            "Several enterprise connections serve this email address; enterprise_connection_id must name one.",
        )
        .param("enterprise_connection_id"),
        ConnectionNotFound { id } => {
            entry(404, "resource_not_found", "not found", format!("No enterprise connection was found with id {id}."))
        }
        ActiveConnectionNotFound { id } => entry(
            404,
            "saml_connection_active_not_found",
            "not found",
            format!("No active SAML connection was found with id {id}."),
        ),
        _ => return None,
    })
}

fn signing_in(refusal: &Refusal) -> Option<ErrorEntry> {
    use Refusal::*;
    Some(match refusal {
        StrategyInvalid => entry(
            400,
            "strategy_for_user_invalid",
            "invalid verification strategy",
            "This strategy cannot be used for this account.",
        )
        .param("strategy"),
        SignUpRestricted => entry(
            403,
            "sign_up_mode_restricted",
            "sign-ups are restricted",
            "New accounts are made only through single sign-on or by the operator.",
        ),
        TransferInvalid => {
            entry(400, "account_transfer_invalid", "invalid account transfer", "There is no account to transfer.")
        }
        AlreadySignedIn { session_id } => {
            entry(400, "identifier_already_signed_in", "already signed in", "You are signed in with this account already.")
                .with("session_id", json!(session_id))
        }
        SamlResponseInvalid { reason } => entry(
            401,
            "saml_response_invalid",
            "invalid SAML response",
            format!("The SAML response is invalid. {reason}"),
        ),
        RelayStateMissing => entry(
            400,
            "saml_response_relaystate_missing",
            "RelayState missing",
            "The SAML response carries no RelayState of a sign-in that began here, and this connection does not allow sign-ins that begin at the IdP.",
        ),
        AttributeMissing { attribute } => entry(
            400,
            "saml_user_attribute_missing",
            "required attribute missing",
            format!("The identity provider did not send the attribute {attribute}, which this connection requires."),
        )
        .with("missing_attribute", json!(attribute)),
        AddressInvalid { value } => entry(
            400,
            "saml_user_attribute_missing",
            "email address unusable",
            format!("The identity provider must send exactly one email address, but sent {value:?}."),
        )
        .with("missing_attribute", json!("email_address")),
        DomainMismatch { expected, received } => entry(
            400,
            "saml_email_address_domain_mismatch",
            "email address domain mismatch",
            format!("The email address from the identity provider is on {received}; this connection serves {}.", expected.join(", ")),
        )
        .with("expected_domain", json!(expected.join(", ")))
        .with("received_domain", json!(received)),
        MustUseEnterpriseIdentifier => entry(
            422,
            "sign_in_must_use_enterprise_connection_identifier",
            "use your work email address",
            "This account signs in through single sign-on. Use the email address of your organization.",
        )
        .param("identifier"),
        OtherBrowser => entry(
            401,
            "saml_response_invalid",
            "sign-in began elsewhere",
            "This sign-in began in another browser, or its cookies are gone. Start again in this browser.",
        ),
        JitDisabled { email_address } => entry(
            404,
            "saml_jit_provisioning_disabled",
            "no account",
            format!("There is no account for {email_address}, and this connection does not make accounts. Ask your administrator."),
        )
        .with("email_address", json!(email_address)),
        AccountExists => entry(
            422,
            "external_account_exists",
            "account exists",
            "There is an account with this identity already.",
        ),
        UserBanned => entry(403, "user_banned", "user banned", "This account has been banned. Please contact support."),
        UserLocked => entry(403, "user_locked", "account locked", "This account is locked. Please contact support."),
        UserDeactivated => {
            entry(403, "user_deactivated", "account deactivated", "This account has been deactivated. Please contact support.")
        }
        RedirectUrlInvalid => {
            entry(422, "invalid_redirect_url", "redirect URL invalid", "The redirect URL is no absolute URL.").param("redirect_url")
        }
        RedirectUrlScheme => {
            entry(422, "invalid_url_scheme", "invalid URL scheme", "The redirect URL's scheme is not allowed.").param("redirect_url")
        }
        RedirectUrlNotAllowed { url } => entry(
            400,
            "resource_missmatch",
            "redirect URL not allowed",
            format!("The redirect URL {url} is neither on an allowed origin nor on the list of redirect URLs."),
        )
        .param("redirect_url"),
        _ => return None,
    })
}

fn openid_connect(refusal: &Refusal) -> Option<ErrorEntry> {
    use Refusal::*;
    Some(match refusal {
        OauthAccessDenied { reason } => entry(
            403,
            "oauth_access_denied",
            "access denied",
            format!("The identity provider did not sign you in. {reason}"),
        ),
        OauthCallbackInvalid { reason } => entry(
            400,
            "oauth_callback_invalid",
            "invalid OAuth callback",
            format!("The answer of the identity provider cannot be used. {reason}"),
        ),
        OauthTokenExchange { reason } => entry(
            400,
            "oauth_token_exchange_error",
            "token exchange error",
            format!("The identity provider gave no usable token. {reason}"),
        ),
        OauthFetchUser { reason } => entry(
            400,
            "oauth_fetch_user_error",
            "fetch user error",
            format!("The identity provider did not tell who signed in. {reason}"),
        ),
        OauthRedirectUri { redirect_uri, reason } => entry(
            400,
            "redirect_uri_mismatch",
            "redirect URI not registered",
            format!("The identity provider does not accept our redirect URI; register {redirect_uri} there. {reason}"),
        ),
        OauthMisconfigured { reason } => entry(
            400,
            "misconfigured_oauth_provider",
            "misconfigured identity provider",
            format!("The connection and its identity provider do not fit each other. {reason}"),
        ),
        OauthConfigMissing { missing } => entry(
            400,
            "oauth_config_missing",
            "connection incomplete",
            format!("The enterprise connection has no {missing}."),
        ),
        OauthNotEnabled { id } => entry(
            400,
            "oauth_provider_not_enabled",
            "connection not enabled",
            format!("The enterprise connection {id} is not active."),
        ),
        GatewayTimeout { what } => entry(
            504,
            "gateway_timeout",
            "gateway timeout",
            format!("{what} of the identity provider did not answer in time. Try again."),
        ),
        AddressUnverified { address, is_denied } => entry(
            400,
            "external_account_email_address_verification_required",
            "email address not verified",
            match is_denied {
                true => {
                    format!("The identity provider says that {address} is not verified; email_verified must be true.")
                }
                false => format!(
                    "The identity provider does not say whether {address} is verified; expected email_verified to be true."
                ),
            },
        ),
        SsoAttributeMissing { attribute } => entry(
            400,
            "enterprise_sso_user_attribute_missing",
            "required attribute missing",
            format!("The identity provider did not send the claim {attribute}, which this connection requires."),
        )
        .with("missing_attribute", json!(attribute)),
        SsoAddressInvalid { value } => entry(
            400,
            "enterprise_sso_user_attribute_missing",
            "email address unusable",
            format!("The identity provider must send an email address, but sent {value:?}."),
        )
        .with("missing_attribute", json!("email_address")),
        SsoDomainMismatch { expected, received } => entry(
            400,
            "enterprise_sso_email_address_domain_mismatch",
            "email address domain mismatch",
            format!(
                "The email address from the identity provider is on {received}; this connection serves {}.",
                expected.join(", ")
            ),
        )
        .with("expected_domain", json!(expected.join(", ")))
        .with("received_domain", json!(received)),
        _ => return None,
    })
}

fn easie(refusal: &Refusal) -> Option<ErrorEntry> {
    use Refusal::*;
    Some(match refusal {
        EasieNotEnabled { id } => entry(
            404,
            "easie_connection_active_not_found",
            "not found",
            format!("No active EASIE connection was found with id {id}."),
        ),
        OtherTenant { reason } => entry(
            400,
            "enterprise_sso_hosted_domain_mismatch",
            "hosted domain mismatch",
            format!("The account is not one of the organization that this connection is for. {reason}"),
        ),
        EasieAddressUnverified { reason } => entry(
            400,
            "external_account_email_address_verification_required",
            "email address not verified",
            format!("The identity provider does not vouch for the email address. {reason}"),
        ),
        RefreshTokenMissing => entry(
            422,
            "oauth_missing_refresh_token",
            "refresh token missing",
            "The identity provider gave no refresh token, although consent was asked for. Without one it could not be seen \
             that the account is gone; see that our application may have offline access there.",
        ),
        _ => return None,
    })
}

fn requests(refusal: &Refusal) -> Option<ErrorEntry> {
    use Refusal::*;
    Some(match refusal {
        SignedOut => entry(401, "signed_out", "signed out", "You are signed out."),
        Deprovisioned => entry(
            401,
            "deprovisioned",
            "account deprovisioned",
            "Your organization's identity provider does not stand by your account any more. You are signed out.",
        ),
        TargetDeprovisioned => entry(
            400,
            "deprovisioned",
            "account deprovisioned",
            "The identity provider does not stand by an account of this user any more; the user's sessions have ended.",
        ),
        ActionInvalidForSession => {
            entry(400, "invalid_action_for_session", "invalid action", "The session is no longer active.")
        }
        AuthenticationMissing => {
            entry(401, "authentication_invalid", "invalid authentication", "The request carries no credentials.")
        }
        AuthorizationFormat => entry(
            401,
            "authorization_header_format_invalid",
            "invalid Authorization header format",
            "The Authorization header must be 'Bearer <secret key>'.",
        ),
        SecretKeyInvalid => entry(401, "clerk_key_invalid", "invalid secret key", "The secret key is not a valid one."),
        OriginConflict => entry(
            400,
            "origin_authorization_headers_conflict",
            "conflicting headers",
            "A request may carry either an Origin or an Authorization header, not both.",
        ),
        OriginInvalid { origin } => entry(
            400,
            "origin_invalid",
            "invalid Origin header",
            format!("{origin} is not one of the allowed origins of this instance."),
        ),
        ProxySecretKeyMissing => entry(
            400,
            "proxy_request_missing_secret_key",
            "proxy secret key missing",
            "A request with Clerk-Proxy-Url must carry Clerk-Secret-Key.",
        ),
        ProxySecretKeyInvalid => entry(
            401,
            "proxy_request_invalid_secret_key",
            "proxy secret key invalid",
            "The Clerk-Secret-Key of the proxied request is not valid.",
        ),
        BodyInvalid => entry(400, "request_body_invalid", "request body invalid", "The request body cannot be read."),
        BodyTooLarge { max } => entry(
            413,
            "request_body_too_large",
            "request body too large",
            format!("The request body must not exceed {max} bytes."),
        ),
        ContentType { received } => entry(
            415,
            "unsupported_content_type",
            "unsupported content type",
            format!("Content-Type {received:?} is not supported here."),
        ),
        TooManyRequests { retry_after_seconds } => entry(
            429,
            "too_many_requests",
            "too many requests",
            format!("Too many requests. Try again in {retry_after_seconds} seconds."),
        ),
        RouteNotFound => entry(404, "resource_not_found", "not found", "There is nothing under this address."),
        MethodNotAllowed => entry(404, "resource_not_found", "not found", "This address does not take this method."),
        _ => return None,
    })
}
