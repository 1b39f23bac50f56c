//! What is known about a provider: read from its configuration document (OpenID Connect Discovery 1.0) or entered by hand.

use serde_json::{Map, Value};

use crate::algorithm::Algorithm;
use crate::endpoint::{self, EndpointError};
use crate::json::{self, JsonError};
use crate::shown::Shown;
use crate::token::ClientAuthMethod;

const LARGEST: usize = 128 * 1024;
const MOST_MEMBERS: usize = 256;
const MOST_LISTED: usize = 128;
const LONGEST_ISSUER: usize = 1024;
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// What stands for the tenant in the issuer of Microsoft's shared configuration documents.
pub const TENANT_PLACEHOLDER: &str = "{tenantid}";

/// Why a configuration document was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// Not an acceptable JSON object.
    #[error("the configuration document was refused: {0}")]
    Json(#[from] JsonError),
    /// More members than any provider has.
    #[error("the configuration document has {got} members, at most {MOST_MEMBERS} are accepted")]
    TooManyMembers {
        /// How many there are.
        got: usize,
    },
    /// A member that must be there is not.
    #[error("the configuration document has no {0}")]
    Missing(&'static str),
    /// A member of another type.
    #[error("{field} must be {expected}, got {got}")]
    WrongType {
        /// The member.
        field: &'static str,
        /// In words.
        expected: &'static str,
        /// In words.
        got: &'static str,
    },
    /// A list longer than any provider's.
    #[error("{field} has {got} entries, at most {MOST_LISTED} are accepted")]
    ListTooLong {
        /// The member.
        field: &'static str,
        /// How many there are.
        got: usize,
    },
    /// The document is that of another issuer (Discovery 4.3).
    #[error("issuer: expected {expected}, got {got}")]
    IssuerMismatch {
        /// What the document would have to say, exactly.
        expected: Shown,
        /// What it says.
        got: Shown,
    },
    /// An issuer that could be none: not a web URL, or with a query or fragment (Discovery 3).
    #[error("issuer {problem}, got {got}")]
    IssuerInvalid {
        /// What is wrong with it.
        problem: &'static str,
        /// The issuer.
        got: Shown,
    },
    /// An address of no use.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The provider does not offer the authorization code flow.
    #[error("response_types_supported does not contain \"code\"")]
    NoCodeFlow,
    /// The provider signs ID tokens in no way that is accepted.
    #[error("id_token_signing_alg_values_supported has none of the accepted algorithms, got {got}")]
    NoSignatureAlgorithm {
        /// The list.
        got: Shown,
    },
    /// A configuration by hand from which nobody could be identified.
    #[error("either a userinfo endpoint, or an issuer and a jwks_uri, are needed to know who signed in")]
    NoIdentitySource,
}

impl DiscoveryError {
    /// A short stable reason for machines.
    pub fn code(&self) -> &'static str {
        match self {
            DiscoveryError::Json(error) => error.code(),
            DiscoveryError::TooManyMembers { .. } => "discovery_too_many_members",
            DiscoveryError::Missing(_) => "discovery_member_missing",
            DiscoveryError::WrongType { .. } => "discovery_member_type",
            DiscoveryError::ListTooLong { .. } => "discovery_list_too_long",
            DiscoveryError::IssuerMismatch { .. } => "issuer_mismatch",
            DiscoveryError::IssuerInvalid { .. } => "issuer_invalid",
            DiscoveryError::Endpoint(error) => error.code(),
            DiscoveryError::NoCodeFlow => "no_code_flow",
            DiscoveryError::NoSignatureAlgorithm { .. } => "no_signature_algorithm",
            DiscoveryError::NoIdentitySource => "no_identity_source",
        }
    }
}

/// Who makes the tokens of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Issuer {
    /// `iss` is this, character by character (OpenID Connect Core 3.1.3.7).
    Exact(String),
    /// `iss` is this with the token's `tid` in the place of [`TENANT_PLACEHOLDER`]: Microsoft's shared endpoints, where any
    /// tenant may have signed. Which tenant it has to be is another check, `easie::microsoft`.
    TenantTemplate(String),
}

impl Issuer {
    /// The issuer or template as text.
    pub fn as_str(&self) -> &str {
        match self {
            Issuer::Exact(text) | Issuer::TenantTemplate(text) => text,
        }
    }
}

/// What the `issuer` of a configuration document has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedIssuer<'a> {
    /// This, character by character.
    Exact(&'a str),
    /// One whose [`discovery_url`] is this address, which is where the document was fetched (Discovery 4.3). There are two,
    /// one with a slash at its end. A query of the address, such as Entra ID's `appid`, does not count.
    OfDiscoveryUrl(&'a str),
    /// This template with [`TENANT_PLACEHOLDER`] in it once, character by character.
    TenantTemplate(&'a str),
}

/// The address of an issuer's configuration document (Discovery 4.1).
///
/// # Errors
/// The issuer is not a web URL, or has a query or fragment.
pub fn discovery_url(issuer: &str) -> Result<String, DiscoveryError> {
    check_issuer(issuer)?;
    Ok(format!("{}{WELL_KNOWN}", issuer.strip_suffix('/').unwrap_or(issuer)))
}

/// Where the identity of a person comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentitySource {
    /// From a verified ID token, completed by userinfo if there is such an endpoint.
    IdToken,
    /// From the userinfo endpoint alone, asked over TLS with the access token of this sign-in. An ID token that comes along
    /// is not read, as its issuer and keys are unknown.
    UserInfo,
}

/// The endpoints of a provider without a configuration document.
#[derive(Clone, Copy, Debug, Default)]
pub struct ManualEndpoints<'a> {
    /// `authorization_endpoint`.
    pub authorization_endpoint: &'a str,
    /// `token_endpoint`.
    pub token_endpoint: &'a str,
    /// `userinfo_endpoint`.
    pub userinfo_endpoint: Option<&'a str>,
    /// `jwks_uri`; of use only together with the issuer.
    pub jwks_uri: Option<&'a str>,
    /// `issuer`; of use only together with the keys.
    pub issuer: Option<&'a str>,
}

/// A provider's configuration, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProviderMetadata {
    /// Whose tokens are accepted. `None` only for a configuration by hand.
    pub issuer: Option<Issuer>,
    /// Where the browser is sent.
    pub authorization_endpoint: String,
    /// Where codes and refresh tokens are exchanged.
    pub token_endpoint: String,
    /// Where claims are asked for with an access token.
    pub userinfo_endpoint: Option<String>,
    /// Where the keys are. `None` only for a configuration by hand.
    pub jwks_uri: Option<String>,
    /// Those of `token_endpoint_auth_methods_supported` that are known here; `None` if the provider does not say.
    pub token_endpoint_auth_methods: Option<Vec<ClientAuthMethod>>,
    /// `code_challenge_methods_supported` (RFC 8414); `None` if the provider does not say, which many do not that support it.
    pub code_challenge_methods: Option<Vec<String>>,
    /// The accepted ones of `id_token_signing_alg_values_supported`; never empty. RS256 if the provider does not say.
    pub id_token_algorithms: Vec<Algorithm>,
    /// The accepted ones of `userinfo_signing_alg_values_supported`; the same as for ID tokens if the provider does not say.
    pub userinfo_algorithms: Vec<Algorithm>,
    /// `response_modes_supported`; `query` and `fragment` if the provider does not say (Discovery 3).
    pub response_modes: Vec<String>,
    /// Whether each authorization response carries `iss` (RFC 9207, section 3).
    pub authorization_response_iss_parameter_supported: bool,
}

impl ProviderMetadata {
    /// Reads a configuration document of at most 128 KiB.
    ///
    /// The endpoints are absolute http or https URLs; the client that connects decides whether plain http is allowed.
    ///
    /// # Errors
    /// See [`DiscoveryError`]; above all the issuer is not the expected one.
    pub fn parse(bytes: &[u8], expected_issuer: ExpectedIssuer<'_>) -> Result<Self, DiscoveryError> {
        let document = Document(json::object(bytes, LARGEST)?);
        if document.0.len() > MOST_MEMBERS {
            return Err(DiscoveryError::TooManyMembers { got: document.0.len() });
        }
        let issuer = matching_issuer(document.required("issuer")?, expected_issuer)?;
        if document.list("response_types_supported")?.is_some_and(|types| !types.contains(&"code")) {
            return Err(DiscoveryError::NoCodeFlow);
        }
        let id_token_algorithms = match document.list("id_token_signing_alg_values_supported")? {
            Some(names) => accepted(&names)?,
            None => vec![Algorithm::RS256],
        };
        // `none` may stand here beside others, or alone where userinfo is never signed.
        let userinfo_algorithms = match document.list("userinfo_signing_alg_values_supported")? {
            Some(names) => accepted(&names).unwrap_or_else(|_| id_token_algorithms.clone()),
            None => id_token_algorithms.clone(),
        };
        let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<String>>();
        let methods = document.list("token_endpoint_auth_methods_supported")?;
        let response_modes = document.list("response_modes_supported")?;
        Ok(ProviderMetadata {
            issuer: Some(issuer),
            authorization_endpoint: document.endpoint("authorization_endpoint")?,
            token_endpoint: document.endpoint("token_endpoint")?,
            userinfo_endpoint: document.optional_endpoint("userinfo_endpoint")?,
            jwks_uri: Some(document.endpoint("jwks_uri")?),
            token_endpoint_auth_methods: methods
                .map(|names| names.into_iter().filter_map(ClientAuthMethod::from_name).collect()),
            code_challenge_methods: document.list("code_challenge_methods_supported")?.map(owned),
            id_token_algorithms,
            userinfo_algorithms,
            response_modes: response_modes.map_or_else(|| vec!["query".to_owned(), "fragment".to_owned()], owned),
            authorization_response_iss_parameter_supported: document
                .flag("authorization_response_iss_parameter_supported")?,
        })
    }

    /// A provider configured by hand.
    ///
    /// # Errors
    /// An address is of no use, or there is neither a userinfo endpoint nor both an issuer and its keys.
    pub fn manual(endpoints: ManualEndpoints<'_>) -> Result<Self, DiscoveryError> {
        let optional = |field, address: Option<&str>| address.map(|url| endpoint::checked(field, url)).transpose();
        if let Some(issuer) = endpoints.issuer {
            check_issuer(issuer)?;
            if issuer.contains(TENANT_PLACEHOLDER) {
                let problem = "must be that of one tenant";
                return Err(DiscoveryError::IssuerInvalid { problem, got: issuer.into() });
            }
        }
        let metadata = ProviderMetadata {
            issuer: endpoints.issuer.map(|issuer| Issuer::Exact(issuer.to_owned())),
            authorization_endpoint: endpoint::checked("authorization_endpoint", endpoints.authorization_endpoint)?,
            token_endpoint: endpoint::checked("token_endpoint", endpoints.token_endpoint)?,
            userinfo_endpoint: optional("userinfo_endpoint", endpoints.userinfo_endpoint)?,
            jwks_uri: optional("jwks_uri", endpoints.jwks_uri)?,
            token_endpoint_auth_methods: None,
            code_challenge_methods: None,
            // The operator's choice of keys is what binds; the algorithm has to fit the key in any case.
            id_token_algorithms: Algorithm::ALL.to_vec(),
            userinfo_algorithms: Algorithm::ALL.to_vec(),
            response_modes: vec!["query".to_owned(), "fragment".to_owned()],
            authorization_response_iss_parameter_supported: false,
        };
        if metadata.identity_source() == IdentitySource::UserInfo && metadata.userinfo_endpoint.is_none() {
            return Err(DiscoveryError::NoIdentitySource);
        }
        Ok(metadata)
    }

    /// Whether people are known by ID tokens or by userinfo. It follows from the configuration alone: what a response holds
    /// cannot choose the weaker way.
    pub fn identity_source(&self) -> IdentitySource {
        match (&self.issuer, &self.jwks_uri) {
            (Some(_), Some(_)) => IdentitySource::IdToken,
            _ => IdentitySource::UserInfo,
        }
    }

    /// Whether PKCE by S256 is known to be supported; `None` if the provider does not say. Sending a challenge does no harm
    /// either way, as unknown parameters are ignored (RFC 6749, section 3.1).
    pub fn supports_pkce(&self) -> Option<bool> {
        self.code_challenge_methods.as_ref().map(|methods| methods.iter().any(|method| method == "S256"))
    }
}

fn check_issuer(issuer: &str) -> Result<(), DiscoveryError> {
    let refused = |problem| DiscoveryError::IssuerInvalid { problem, got: Shown::from(issuer) };
    if issuer.len() > LONGEST_ISSUER {
        return Err(refused("is longer than 1024 bytes"));
    }
    if issuer.contains(['?', '#']) {
        return Err(refused("must have no query and no fragment"));
    }
    endpoint::checked("issuer", issuer)
        .map(|_| ())
        .map_err(|error| DiscoveryError::IssuerInvalid { problem: error.problem, got: error.got })
}

fn matching_issuer(got: &str, expected: ExpectedIssuer<'_>) -> Result<Issuer, DiscoveryError> {
    check_issuer(got)?;
    let mismatch = |expected: &str| DiscoveryError::IssuerMismatch { expected: expected.into(), got: got.into() };
    let is_template = got.contains(TENANT_PLACEHOLDER);
    match expected {
        ExpectedIssuer::Exact(issuer) if got == issuer && !is_template => Ok(Issuer::Exact(got.to_owned())),
        ExpectedIssuer::OfDiscoveryUrl(url) if !is_template && discovery_url(got)? == without_query(url) => {
            Ok(Issuer::Exact(got.to_owned()))
        }
        ExpectedIssuer::TenantTemplate(template) if got == template && got.matches(TENANT_PLACEHOLDER).count() == 1 => {
            Ok(Issuer::TenantTemplate(got.to_owned()))
        }
        ExpectedIssuer::Exact(issuer) | ExpectedIssuer::TenantTemplate(issuer) => Err(mismatch(issuer)),
        ExpectedIssuer::OfDiscoveryUrl(url) => {
            let url = without_query(url);
            Err(mismatch(url.strip_suffix(WELL_KNOWN).unwrap_or(url)))
        }
    }
}

fn without_query(url: &str) -> &str {
    url.split_once('?').map_or(url, |(url, _)| url)
}

fn accepted(names: &[&str]) -> Result<Vec<Algorithm>, DiscoveryError> {
    let mut algorithms: Vec<Algorithm> = names.iter().filter_map(|name| Algorithm::from_name(name)).collect();
    algorithms.dedup();
    if algorithms.is_empty() {
        return Err(DiscoveryError::NoSignatureAlgorithm { got: names.join(", ").into() });
    }
    Ok(algorithms)
}

/// Members by their type. `null` counts as absent, as some providers write what they do not have.
struct Document(Map<String, Value>);

impl Document {
    fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field).filter(|value| !value.is_null())
    }

    fn text(&self, field: &'static str) -> Result<Option<&str>, DiscoveryError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let wrong = || DiscoveryError::WrongType { field, expected: "a string", got: json::kind(value) };
        value.as_str().map(Some).ok_or_else(wrong)
    }

    fn required(&self, field: &'static str) -> Result<&str, DiscoveryError> {
        self.text(field)?.ok_or(DiscoveryError::Missing(field))
    }

    fn endpoint(&self, field: &'static str) -> Result<String, DiscoveryError> {
        Ok(endpoint::checked(field, self.required(field)?)?)
    }

    fn optional_endpoint(&self, field: &'static str) -> Result<Option<String>, DiscoveryError> {
        Ok(self.text(field)?.map(|url| endpoint::checked(field, url)).transpose()?)
    }

    fn flag(&self, field: &'static str) -> Result<bool, DiscoveryError> {
        let Some(value) = self.get(field) else { return Ok(false) };
        value.as_bool().ok_or_else(|| DiscoveryError::WrongType {
            field,
            expected: "a boolean",
            got: json::kind(value),
        })
    }

    fn list(&self, field: &'static str) -> Result<Option<Vec<&str>>, DiscoveryError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let wrong = |value| DiscoveryError::WrongType { field, expected: "a list of strings", got: json::kind(value) };
        let entries = value.as_array().ok_or_else(|| wrong(value))?;
        if entries.len() > MOST_LISTED {
            return Err(DiscoveryError::ListTooLong { field, got: entries.len() });
        }
        entries.iter().map(|entry| entry.as_str().ok_or_else(|| wrong(entry))).collect::<Result<_, _>>().map(Some)
    }
}
