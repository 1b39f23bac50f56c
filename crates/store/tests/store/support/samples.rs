//! Values with every field set, full of what a careless driver would mangle. `bare_…` has every optional field empty.

use doorward_model::*;
use doorward_store::{Store, roles};
use serde_json::{Value, json};

/// When everything begins; a sample with number `n` was created `n` milliseconds later.
pub(crate) const START: Millis = 1_700_000_000_000;

/// Quotes, escapes, umlauts, CJK, emoji with joiners, line ends, LIKE wildcards and placeholders of both engines.
pub(crate) const ODD: &str = "O'Brien \"Müller\" ñ e\u{301} 漢字 👩‍🚀 \\ % _ $1 ? :a @b\r\n\t; DROP TABLE users; -- ";

pub(crate) fn odd(what: &str, n: i64) -> String {
    format!("{what} {ODD}{n}")
}

pub(crate) fn id<T: From<String>>(prefix: &str, n: i64) -> T {
    T::from(format!("{prefix}_{n:027}"))
}

pub(crate) fn sha256(n: i64) -> String {
    format!("{n:064x}")
}

pub(crate) fn email(text: &str) -> Email {
    Email::parse(text).unwrap()
}

pub(crate) fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

pub(crate) fn map(value: Value) -> JsonMap {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

pub(crate) fn metadata(n: i64) -> JsonMap {
    map(json!({
        "n": n,
        "nothing": null,
        "nested": {"nothing": null, "list": [1, null, {"deep": [null, []]}], "empty": {}},
        ODD: ODD,
        "escapes": "\u{0}\u{1f}\u{7f}\u{2028}\u{fffd}",
        "numbers": [9_007_199_254_740_993i64, i64::MIN, u64::MAX, -1.5, 1e300],
        "": false,
    }))
}

pub(crate) fn instance(n: i64) -> Instance {
    Instance {
        id: id("ins", n),
        organization_settings: OrganizationSettings {
            enabled: false,
            max_allowed_memberships: n + 5,
            admin_delete_enabled: false,
            domains_enabled: true,
            domains_enrollment_modes: vec![odd("mode", n), String::new()],
            slug_disabled: true,
        },
        allowed_origins: vec!["https://app.example".into(), odd("origin", n)],
        support_email: Some(odd("support", n)),
        created_at: START + n,
        updated_at: START + n + 1,
    }
}

pub(crate) fn secret_key(n: i64) -> SecretKey {
    SecretKey { id: id("key", n), sha256: sha256(n), hint: "wxYz".into(), created_at: START + n, expires_at: None }
}

pub(crate) fn signing_key(n: i64) -> SigningKey {
    SigningKey { kid: odd("kid", n), encrypted_private_key: odd("private", n), created_at: START + n }
}

pub(crate) fn connection_key(of: &EnterpriseConnection) -> ConnectionKey {
    ConnectionKey {
        connection_id: of.id.clone(),
        purpose: KeyPurpose::Decryption,
        certificate: odd("certificate", 1),
        encrypted_private_key: odd("private", 1),
        created_at: START,
    }
}

pub(crate) fn redirect_url(n: i64) -> RedirectUrl {
    RedirectUrl {
        id: id("ru", n),
        url: odd("https://app.example/?a=%20&b=", n),
        created_at: START + n,
        updated_at: START + n + 1,
    }
}

pub(crate) fn permission(n: i64, kind: PermissionType) -> Permission {
    Permission {
        id: id("perm", n),
        key: format!("org:feature{n}:manage"),
        name: odd("permission", n),
        description: odd("allows", n),
        kind,
        created_at: START + n,
        updated_at: START + n + 1,
    }
}

pub(crate) fn role(n: i64, permissions: Vec<Permission>) -> Role {
    Role {
        id: id("role", n),
        key: format!("org:role{n}"),
        name: odd("role", n),
        description: Some(odd("may", n)),
        permissions,
        created_at: START + n,
        updated_at: START + n + 1,
    }
}

pub(crate) fn role_set(n: i64, kind: RoleSetType, default: &Role, creator: &Role) -> RoleSet {
    RoleSet {
        id: id("roleset", n),
        key: format!("role_set:set{n}"),
        name: odd("set", n),
        description: Some(odd("holds", n)),
        kind,
        default_role_id: default.id.clone(),
        creator_role_id: creator.id.clone(),
        created_at: START + n,
        updated_at: START + n + 1,
    }
}

/// What every organization needs: two roles and the set of both.
pub(crate) struct Roles {
    pub(crate) admin: Role,
    pub(crate) member: Role,
    pub(crate) set: RoleSet,
}

impl Roles {
    /// Adds them to a database. The admin has two permissions that tokens show and one that they do not.
    pub(crate) async fn insert(store: &Store) -> Self {
        let permissions = vec![
            permission(1, PermissionType::System),
            permission(2, PermissionType::User),
            permission(3, PermissionType::User),
        ];
        let admin = role(1, permissions.clone());
        let member = role(2, permissions[..1].to_vec());
        let set = role_set(1, RoleSetType::Initial, &member, &admin);
        committed!(store, |tx| {
            for permission in &permissions {
                roles::insert_permission(tx, permission).await?;
            }
            roles::insert_role(tx, &admin).await?;
            roles::insert_role(tx, &member).await?;
            roles::insert_role_set(tx, &set, &[admin.id.clone(), member.id.clone()]).await?;
        });
        Self { admin, member, set }
    }
}

pub(crate) fn user(n: i64) -> User {
    User {
        id: id("user", n),
        external_id: Some(odd("external", n)),
        username: Some(odd("username", n)),
        first_name: Some(odd("first", n)),
        last_name: Some(odd("last", n)),
        locale: Some("zh-Hant-TW".into()),
        primary_email_address_id: Some(id("idn", n)),
        public_metadata: metadata(n),
        private_metadata: metadata(n + 1),
        unsafe_metadata: metadata(n + 2),
        banned: true,
        locked: false,
        deprovisioned: true,
        delete_self_enabled: false,
        create_organization_enabled: true,
        create_organizations_limit: Some(i64::MAX),
        bypass_client_trust: true,
        legal_accepted_at: Some(START - 3),
        last_sign_in_at: Some(START - 2),
        last_active_at: Some(START - 1),
        created_at: START + n,
        updated_at: START + n + 1,
    }
}

pub(crate) fn bare_user(n: i64) -> User {
    User {
        id: id("user", n),
        external_id: None,
        username: None,
        first_name: None,
        last_name: None,
        locale: None,
        primary_email_address_id: None,
        public_metadata: JsonMap::new(),
        private_metadata: JsonMap::new(),
        unsafe_metadata: JsonMap::new(),
        banned: false,
        locked: true,
        deprovisioned: false,
        delete_self_enabled: true,
        create_organization_enabled: false,
        create_organizations_limit: None,
        bypass_client_trust: false,
        legal_accepted_at: None,
        last_sign_in_at: None,
        last_active_at: None,
        created_at: START + n,
        updated_at: START + n,
    }
}

pub(crate) fn address(n: i64, user: &User, text: &str, verification: EmailVerification) -> EmailAddress {
    EmailAddress {
        id: id("idn", n),
        user_id: user.id.clone(),
        address: email(text),
        verification,
        created_at: START + n,
        updated_at: START + n + 1,
    }
}

pub(crate) fn organization(n: i64, set: &RoleSet) -> Organization {
    Organization {
        id: id("org", n),
        name: odd("organization", n),
        slug: format!("organization-{n}"),
        created_by: Some(id("user", n)),
        max_allowed_memberships: n + 100,
        admin_delete_enabled: true,
        self_serve_sso_enabled: false,
        public_metadata: metadata(n),
        private_metadata: metadata(n + 1),
        role_set_id: set.id.clone(),
        members_count: 0,
        created_at: START + n,
        updated_at: START + n + 1,
    }
}

pub(crate) fn membership(n: i64, organization: &Organization, user: &User, role: &Role) -> OrganizationMembership {
    OrganizationMembership {
        id: id("orgmem", n),
        organization_id: organization.id.clone(),
        user_id: user.id.clone(),
        role_id: role.id.clone(),
        public_metadata: metadata(n),
        private_metadata: metadata(n + 1),
        created_at: START + n,
        updated_at: START + n + 1,
    }
}

pub(crate) fn connection(n: i64, organization: Option<&Organization>) -> EnterpriseConnection {
    EnterpriseConnection {
        id: id("entconn", n),
        name: odd("connection", n),
        provider: Provider::ALL[(n % 4) as usize],
        active: true,
        domains: vec![domain(&format!("z{n}.example")), domain("bücher.example")],
        organization_id: organization.map(|organization| organization.id.clone()),
        sync_user_attributes: true,
        disable_additional_identifications: false,
        allow_organization_account_linking: true,
        authenticatable: false,
        disable_jit_provisioning: true,
        custom_attributes: vec![
            CustomAttribute {
                name: odd("attribute", n),
                key: odd("key", n),
                sso_path: Some(odd("path", n)),
                directory_path: Some(String::new()),
                multi_valued: true,
            },
            CustomAttribute {
                name: String::new(),
                key: "bare".into(),
                sso_path: None,
                directory_path: None,
                multi_valued: false,
            },
        ],
        saml_connection_id: id("samlc", n),
        saml: SamlConfig {
            name: Some(odd("saml", n)),
            idp_entity_id: Some(odd("entity", n)),
            idp_sso_url: Some("https://idp.example/sso?a=1&b='".into()),
            idp_sso_binding: SsoBinding::Post,
            sign_requests: true,
            signing_key: Some(sha256(n)),
            idp_certificates: vec!["MIIC+/==".repeat(300), odd("second", n)],
            idp_metadata_url: Some("https://idp.example/metadata".into()),
            idp_metadata: Some(format!("<EntityDescriptor>{ODD}</EntityDescriptor>")),
            refresh_idp_metadata: true,
            metadata_certificates: vec![sha256(n)],
            removed_certificates: vec![sha256(n + 1)],
            removed_keys: vec![sha256(n + 2)],
            attribute_mapping: AttributeMapping {
                user_id: Some(odd("uid", n)),
                email_address: odd("mail", n),
                first_name: odd("givenName", n),
                last_name: odd("sn", n),
            },
            allow_subdomains: true,
            allow_idp_initiated: true,
            force_authn: true,
            login_hint: LoginHint { mode: LoginHintMode::CustomAttribute, source: Some(odd("source", n)) },
        },
        oidc: None,
        created_at: START + n,
        updated_at: START + n + 1,
    }
}

/// A connection that speaks OpenID Connect.
pub(crate) fn oidc_connection(n: i64) -> EnterpriseConnection {
    EnterpriseConnection {
        provider: Provider::ALL[4 + (n % 5) as usize],
        saml: SamlConfig::default(),
        oidc: Some(OidcConfig {
            id: id("oac", n),
            discovery_url: Some(odd("https://op.example/.well-known/openid-configuration?x=", n)),
            authorization_url: Some(odd("https://op.example/authorize?x=", n)),
            token_url: Some(odd("https://op.example/token?x=", n)),
            user_info_url: Some(odd("https://op.example/userinfo?x=", n)),
            issuer: Some(odd("https://op.example/", n)),
            jwks_url: Some(odd("https://op.example/keys?x=", n)),
            client_id: Some(odd("client", n)),
            encrypted_client_secret: Some(odd("secret", n)),
            requires_pkce: true,
            scopes: vec!["openid".into(), odd("scope", n)],
            attribute_mapping: OidcAttributeMapping {
                user_id: odd("uid", n),
                email_address: odd("mail", n),
                first_name: odd("given", n),
                last_name: odd("family", n),
                email_verified_default: true,
            },
            login_hint: LoginHint { mode: LoginHintMode::CustomAttribute, source: Some(odd("source", n)) },
            tenant_id: Some(odd("tenant", n)),
        }),
        ..connection(n, None)
    }
}

/// One of those about whose provider nothing is known yet.
pub(crate) fn bare_oidc_connection(n: i64) -> EnterpriseConnection {
    let full = oidc_connection(n);
    EnterpriseConnection {
        oidc: Some(OidcConfig {
            discovery_url: None,
            authorization_url: None,
            token_url: None,
            user_info_url: None,
            issuer: None,
            jwks_url: None,
            client_id: None,
            encrypted_client_secret: None,
            requires_pkce: false,
            scopes: Vec::new(),
            login_hint: LoginHint::default(),
            ..full.oidc.unwrap()
        }),
        provider: full.provider,
        saml: SamlConfig::default(),
        ..bare_connection(n)
    }
}

/// A connection about whose IdP nothing is known yet.
pub(crate) fn bare_connection(n: i64) -> EnterpriseConnection {
    EnterpriseConnection {
        name: String::new(),
        active: false,
        domains: Vec::new(),
        organization_id: None,
        sync_user_attributes: false,
        disable_additional_identifications: true,
        allow_organization_account_linking: false,
        authenticatable: true,
        disable_jit_provisioning: false,
        custom_attributes: Vec::new(),
        saml: SamlConfig {
            name: None,
            idp_entity_id: None,
            idp_sso_url: None,
            idp_sso_binding: SsoBinding::Redirect,
            sign_requests: false,
            signing_key: None,
            idp_certificates: Vec::new(),
            idp_metadata_url: None,
            idp_metadata: None,
            refresh_idp_metadata: false,
            metadata_certificates: Vec::new(),
            removed_certificates: Vec::new(),
            removed_keys: Vec::new(),
            attribute_mapping: AttributeMapping {
                user_id: None,
                email_address: "mail".into(),
                first_name: "firstName".into(),
                last_name: "lastName".into(),
            },
            allow_subdomains: false,
            allow_idp_initiated: false,
            force_authn: false,
            login_hint: LoginHint { mode: LoginHintMode::Off, source: None },
        },
        ..connection(n, None)
    }
}

pub(crate) fn account(n: i64, user: &User, connection: &EnterpriseConnection, subject: &str) -> EnterpriseAccount {
    EnterpriseAccount {
        id: id("entacc", n),
        user_id: user.id.clone(),
        enterprise_connection_id: connection.id.clone(),
        subject: subject.into(),
        email_address: email(&format!("jürgen+{n}@bücher.example")),
        first_name: Some(odd("first", n)),
        last_name: Some(odd("last", n)),
        public_metadata: metadata(n),
        last_authenticated_at: START + n + 2,
        created_at: START + n,
        updated_at: START + n + 1,
    }
}

pub(crate) fn client(n: i64) -> Client {
    Client {
        id: id("client", n),
        token_sha256: sha256(n),
        last_active_session_id: Some(id("sess", n)),
        sign_in_id: Some(id("sia", n)),
        sign_up_id: Some(id("sua", n)),
        last_authentication_strategy: Some(odd("strategy", n)),
        created_at: START + n,
        updated_at: START + n + 1,
    }
}

pub(crate) fn session(n: i64, client: &Client, user: &User) -> Session {
    Session {
        id: id("sess", n),
        client_id: client.id.clone(),
        user_id: user.id.clone(),
        status: SessionStatus::Active,
        last_active_organization_id: None,
        last_active_at: START + n + 2,
        authenticated_at: START + n + 3,
        expire_at: START + n + 1000,
        abandon_at: START + n + 2000,
        created_at: START + n,
        updated_at: START + n + 1,
    }
}

pub(crate) fn error(n: i64) -> SsoError {
    SsoError {
        code: "saml_response_invalid".into(),
        message: odd("message", n),
        long_message: odd("long message", n),
        meta: metadata(n),
    }
}

pub(crate) fn profile(n: i64) -> SsoProfile {
    SsoProfile {
        subject: odd("subject", n),
        email_address: email(&format!("jürgen+{n}@bücher.example")),
        first_name: Some(odd("first", n)),
        last_name: None,
        public_metadata: metadata(n),
        trust_sha256: sha256(n),
        signed_by: vec![sha256(n + 1)],
        easie: None,
    }
}

pub(crate) fn verification(n: i64) -> Verification {
    Verification {
        status: VerificationStatus::Transferable,
        connection_id: id("entconn", n),
        provider: Provider::OidcGitlab,
        external_verification_redirect_url: Some(odd("https://idp.example/", n)),
        error: Some(error(n)),
        expire_at: START + n + 500,
        attempts: n,
        transfer_profile: Some(profile(n)),
    }
}

pub(crate) fn sign_in(n: i64, client: &Client) -> SignIn {
    SignIn {
        id: id("sia", n),
        client_id: client.id.clone(),
        status: SignInStatus::NeedsFirstFactor,
        identifier: Some(email(&format!("jürgen+{n}@bücher.example"))),
        verification: Some(verification(n)),
        created_session_id: Some(id("sess", n)),
        abandon_at: START + n + 1000,
        created_at: START + n,
        updated_at: START + n + 1,
    }
}

pub(crate) fn sign_up(n: i64, client: &Client) -> SignUp {
    SignUp {
        id: id("sua", n),
        client_id: client.id.clone(),
        status: SignUpStatus::MissingRequirements,
        email_address: Some(email(&format!("jürgen+{n}@bücher.example"))),
        first_name: Some(odd("first", n)),
        last_name: Some(odd("last", n)),
        unsafe_metadata: metadata(n),
        verification: Some(verification(n)),
        created_session_id: Some(id("sess", n)),
        created_user_id: Some(id("user", n)),
        abandon_at: START + n + 1000,
        created_at: START + n,
        updated_at: START + n + 1,
    }
}

/// A trip to the IdP that begins.
pub(crate) fn saml_request(
    n: i64,
    connection: &EnterpriseConnection,
    attempt: AttemptId,
    client: &Client,
) -> SamlRequest {
    SamlRequest {
        relay_state_sha256: sha256(n),
        request_id: odd("_request", n),
        connection_id: connection.id.clone(),
        attempt,
        client_id: client.id.clone(),
        redirect_url: odd("https://app.example/continue?", n),
        action_complete_redirect_url: odd("https://app.example/done?", n),
        base_url: "https://accounts.example/proxy".into(),
        expires_at: START + n + 1000,
        outcome: None,
        finish_sha256: None,
        created_at: START + n,
    }
}

/// A trip to an OpenID Connect provider.
pub(crate) fn oidc_request(
    n: i64,
    connection: &EnterpriseConnection,
    attempt: AttemptId,
    client: &Client,
) -> OidcRequest {
    OidcRequest {
        state_sha256: sha256(n),
        nonce: odd("nonce", n),
        encrypted_code_verifier: Some(odd("verifier", n)),
        connection_id: connection.id.clone(),
        trust_sha256: sha256(n + 5),
        attempt,
        client_id: client.id.clone(),
        redirect_url: odd("https://app.example/continue?", n),
        action_complete_redirect_url: odd("https://app.example/done?", n),
        base_url: "https://accounts.example/proxy".into(),
        asks_consent: n % 2 == 1,
        expires_at: START + n + 1000,
        created_at: START + n,
    }
}

/// What a provider gave for an account.
pub(crate) fn easie_grant(n: i64, account: &EnterpriseAccount) -> EasieGrant {
    EasieGrant {
        account_id: account.id.clone(),
        user_id: account.user_id.clone(),
        connection_id: account.enterprise_connection_id.clone(),
        client_id: odd("client", n),
        encrypted_refresh_token: Some(odd("refresh", n)),
        state: EasieGrantState::Live,
        confirmed_at: START + n,
        due_at: Some(START + n + 1000),
        claimed_until: START + n + 2000,
        failures: n,
        last_error: Some(odd("unreachable", n)),
        created_at: START + n,
        updated_at: START + n + 1,
    }
}

pub(crate) fn arrival(n: i64, connection: &EnterpriseConnection) -> UnsolicitedArrival {
    UnsolicitedArrival {
        finish_sha256: sha256(n),
        connection_id: connection.id.clone(),
        cookie_sha256: sha256(n + 7),
        profile: profile(n),
        redirect_url: odd("https://app.example/?a=", n),
        expires_at: START + n + 1000,
        created_at: START + n,
    }
}
