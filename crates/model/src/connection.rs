//! Enterprise connections and the accounts people have through them (CON, LNK).

use crate::{
    Domain, EasieProvider, Email, EnterpriseAccountId, EnterpriseConnectionId, JsonMap, Millis, OauthConfigId,
    OrganizationId, SamlConnectionId, UserId,
};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The kind of IdP a connection speaks to (CON-1). Never changes (CON-5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provider {
    SamlCustom,
    SamlOkta,
    SamlGoogle,
    SamlMicrosoft,
    OidcCustom,
    OidcGithubEnterprise,
    OidcGitlab,
    OauthGoogle,
    OauthMicrosoft,
}

/// What a connection speaks with its IdP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    Saml,
    Oidc,
}

impl Provider {
    /// Every provider.
    pub const ALL: [Self; 9] = [
        Self::SamlCustom,
        Self::SamlOkta,
        Self::SamlGoogle,
        Self::SamlMicrosoft,
        Self::OidcCustom,
        Self::OidcGithubEnterprise,
        Self::OidcGitlab,
        Self::OauthGoogle,
        Self::OauthMicrosoft,
    ];

    /// The word on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SamlCustom => "saml_custom",
            Self::SamlOkta => "saml_okta",
            Self::SamlGoogle => "saml_google",
            Self::SamlMicrosoft => "saml_microsoft",
            Self::OidcCustom => "oidc_custom",
            Self::OidcGithubEnterprise => "oidc_github_enterprise",
            Self::OidcGitlab => "oidc_gitlab",
            Self::OauthGoogle => "oauth_google",
            Self::OauthMicrosoft => "oauth_microsoft",
        }
    }

    /// Reads [`Self::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.as_str() == text)
    }

    /// What is spoken with IdPs of this kind.
    pub fn protocol(self) -> Protocol {
        match self {
            Self::SamlCustom | Self::SamlOkta | Self::SamlGoogle | Self::SamlMicrosoft => Protocol::Saml,
            Self::OidcCustom
            | Self::OidcGithubEnterprise
            | Self::OidcGitlab
            | Self::OauthGoogle
            | Self::OauthMicrosoft => Protocol::Oidc,
        }
    }

    /// Whose tenants are told apart, if this is EASIE.
    pub fn easie(self) -> Option<EasieProvider> {
        match self {
            Self::OauthGoogle => Some(EasieProvider::Google),
            Self::OauthMicrosoft => Some(EasieProvider::Microsoft),
            _ => None,
        }
    }
}

impl Serialize for Provider {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Provider {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::parse(&word).ok_or_else(|| D::Error::custom("no provider that is known"))
    }
}

/// How an organization's people sign in at their IdP.
#[derive(Clone, Debug, PartialEq)]
pub struct EnterpriseConnection {
    pub id: EnterpriseConnectionId,
    pub name: String,
    pub provider: Provider,
    pub active: bool,
    /// Email domains served, in the order they were given.
    pub domains: Vec<Domain>,
    /// `None`: instance-wide, no membership effects (CON-31).
    pub organization_id: Option<OrganizationId>,
    pub sync_user_attributes: bool,
    pub disable_additional_identifications: bool,
    pub allow_organization_account_linking: bool,
    pub authenticatable: bool,
    pub disable_jit_provisioning: bool,
    pub custom_attributes: Vec<CustomAttribute>,
    /// The id in the connection's ACS and metadata URLs (SML-4).
    pub saml_connection_id: SamlConnectionId,
    /// Empty where the provider speaks something else.
    pub saml: SamlConfig,
    /// There exactly where the provider speaks OpenID Connect.
    pub oidc: Option<OidcConfig>,
    pub created_at: Millis,
    pub updated_at: Millis,
}

/// The SAML half of a connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SamlConfig {
    pub name: Option<String>,
    pub idp_entity_id: Option<String>,
    pub idp_sso_url: Option<String>,
    #[serde(default)]
    pub idp_sso_binding: SsoBinding,
    /// Whether AuthnRequests are signed; a connection that signs them has a key of the purpose [`KeyPurpose::Signing`].
    #[serde(default)]
    pub sign_requests: bool,
    /// The fingerprint of the key pair that signs them; `None`: the oldest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_key: Option<String>,
    /// Trusted signing certificates, base64 of DER, in order of preference.
    pub idp_certificates: Vec<String>,
    pub idp_metadata_url: Option<String>,
    pub idp_metadata: Option<String>,
    /// Whether the metadata under its URL is read again on a schedule.
    #[serde(default)]
    pub refresh_idp_metadata: bool,
    /// Fingerprints of the trusted certificates that metadata named; the others were added by hand. Says nothing while
    /// `idp_metadata` is there: then all come from it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metadata_certificates: Vec<String>,
    /// Fingerprints of certificates that were taken away by hand, which a refresh does not bring back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed_certificates: Vec<String>,
    /// SHA-256 of the keys that went with them: a refresh brings back no certificate over any of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed_keys: Vec<String>,
    pub attribute_mapping: AttributeMapping,
    pub allow_subdomains: bool,
    pub allow_idp_initiated: bool,
    pub force_authn: bool,
    pub login_hint: LoginHint,
}

/// How AuthnRequests travel to the IdP (SAML bindings 3.4, 3.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SsoBinding {
    #[default]
    Redirect,
    Post,
}

/// Names of the IdP's attributes (CON-21).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeMapping {
    /// `None` or empty: the NameID is the subject.
    pub user_id: Option<String>,
    pub email_address: String,
    pub first_name: String,
    pub last_name: String,
}

/// The OpenID Connect half of a connection (CON-25).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OidcConfig {
    pub id: OauthConfigId,
    /// Where the provider describes itself; it then names the endpoints below.
    pub discovery_url: Option<String>,
    pub authorization_url: Option<String>,
    pub token_url: Option<String>,
    pub user_info_url: Option<String>,
    /// Who signs ID tokens, and where the keys are; both or neither. Without them userinfo says who somebody is.
    #[serde(default)]
    pub issuer: Option<String>,
    #[serde(default)]
    pub jwks_url: Option<String>,
    pub client_id: Option<String>,
    /// Under the instance's encryption key; never shown. `None`: a public client.
    pub encrypted_client_secret: Option<String>,
    pub requires_pkce: bool,
    pub scopes: Vec<String>,
    pub attribute_mapping: OidcAttributeMapping,
    pub login_hint: LoginHint,
    /// The only tenant of a multi-tenant provider that may sign in; `None`: the first that does (EAS-9).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
}

/// Names of the provider's claims (OID-5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OidcAttributeMapping {
    pub user_id: String,
    pub email_address: String,
    pub first_name: String,
    pub last_name: String,
    /// Whether an address counts as verified where the provider does not say (OID-6): whoever can set an address there
    /// can then be anybody.
    pub email_verified_default: bool,
}

/// What the IdP is told about who is coming (CON-19).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginHint {
    pub mode: LoginHintMode,
    /// The public metadata key of mode `custom_attribute`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// How a login hint is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginHintMode {
    EmailAddress,
    CustomAttribute,
    #[default]
    Off,
}

/// An IdP attribute that lands in the user's public metadata (CON-26, CON-27).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomAttribute {
    pub name: String,
    pub key: String,
    #[serde(default)]
    pub sso_path: Option<String>,
    #[serde(default)]
    pub directory_path: Option<String>,
    #[serde(default)]
    pub multi_valued: bool,
}

/// A user's identity at the IdP of one connection. Identity keys on (connection, subject), never on the address (LNK-6).
#[derive(Clone, Debug, PartialEq)]
pub struct EnterpriseAccount {
    pub id: EnterpriseAccountId,
    pub user_id: UserId,
    pub enterprise_connection_id: EnterpriseConnectionId,
    /// The mapped user id attribute, else the NameID.
    pub subject: String,
    pub email_address: Email,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub public_metadata: JsonMap,
    pub last_authenticated_at: Millis,
    pub created_at: Millis,
    pub updated_at: Millis,
}

/// What a key pair of a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPurpose {
    /// The IdP encrypts assertions for it.
    Decryption,
    /// Signs AuthnRequests.
    Signing,
}

impl KeyPurpose {
    /// The word in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decryption => "decryption",
            Self::Signing => "signing",
        }
    }

    /// Reads [`Self::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Decryption, Self::Signing].into_iter().find(|purpose| purpose.as_str() == text)
    }
}

/// Our own key pair towards the IdP of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionKey {
    pub connection_id: EnterpriseConnectionId,
    pub purpose: KeyPurpose,
    /// Base64 of DER, as metadata has it.
    pub certificate: String,
    /// PKCS#8 under the instance's encryption key.
    pub encrypted_private_key: String,
    pub created_at: Millis,
}
