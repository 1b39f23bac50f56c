//! Settings as given, before any check. Flags win over the environment, the environment over the file.

use figment::Figment;
use figment::providers::{Format as _, Serialized, Toml};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The settings of `serve` and `demo`. Each is a flag, a variable `DOORWARD_<NAME>` and a key of the file.
#[derive(Clone, Debug, Default, Deserialize, Serialize, clap::Args)]
pub struct RawConfig {
    /// Address and port to listen on [default: 127.0.0.1:4400]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// Where browsers reach this server, for example https://clerk.example.com [default: http://<listen>]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// Where people land who were sent without saying where to, for example https://app.example.com [default: <public url>]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home_url: Option<String>,
    /// sqlite://<file> or postgres://… [default: sqlite://doorward.db]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_url: Option<String>,
    /// Secret key to use at first start instead of a generated one (environment or file only)
    #[arg(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_key: Option<String>,
    /// 32 bytes in base64 that encrypt stored secrets (environment or file only) [default: a file beside the database]
    #[arg(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_key: Option<String>,
    /// Origins or hosts that outbound requests may reach although they are not public https, comma-separated
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbound_allow: Option<String>,
    /// Origins of your applications, comma-separated
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_origins: Option<String>,
    /// URLs browsers may be sent to, comma-separated
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_urls: Option<String>,
    /// on or off [default: on]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limits: Option<String>,
    /// on behind a reverse proxy that sets X-Forwarded-For [default: off]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_forwarded_for: Option<String>,
    /// How often metadata of identity providers is read again where a connection wants it: 15m to 30d, or off [default: 24h]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata_refresh_interval: Option<String>,
    /// Client id of your application at Google that all EASIE connections to Google Workspace use
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub easie_google_client_id: Option<String>,
    /// Its secret (environment or file only)
    #[arg(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub easie_google_client_secret: Option<String>,
    /// Client id of your application at Microsoft that all EASIE connections to Entra ID use
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub easie_microsoft_client_id: Option<String>,
    /// Its secret (environment or file only)
    #[arg(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub easie_microsoft_client_secret: Option<String>,
    /// How long an EASIE provider's word that an account is there counts: 1s to 10m [default: 10m]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub easie_check_interval: Option<String>,
    /// A node_modules/@clerk folder to serve the browser packages from
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clerk_assets: Option<String>,
    /// text or json [default: text]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_format: Option<String>,
}

impl RawConfig {
    /// Adds what the environment and the file say to what the flags say.
    pub fn load(flags: &Self, file: Option<&Path>) -> Result<Self, String> {
        let mut figment = Figment::new();
        if let Some(path) = file {
            if !path.is_file() {
                return Err(format!("the configuration file {} does not exist", path.display()));
            }
            figment = figment.merge(Toml::file_exact(PathBuf::from(path)));
        }
        figment = figment.merge(environment()).merge(Serialized::defaults(flags));
        figment.extract().map_err(|error| format!("configuration: {error}"))
    }
}

/// Variables as plain text: a key such as `1e5` must not be read as a number. An empty variable counts as unset.
fn environment() -> Serialized<std::collections::BTreeMap<String, String>> {
    let set = std::env::vars().filter(|(_, value)| !value.is_empty());
    let ours = set.filter_map(|(name, value)| Some((name.strip_prefix("DOORWARD_")?.to_lowercase(), value)));
    Serialized::defaults(ours.collect())
}
