//! Who we are at the OpenID Connect provider of a connection: a client of its own, or the instance's application at an EASIE
//! provider (EAS-2). Id and secret always come from the same place.

use crate::app::App;
use crate::config::{Config, EasieClient};
use crate::flows::{FlowError, client_secrets};
use doorward_model::{EasieProvider, EnterpriseConnection};
use doorward_oidc::Secret;
use doorward_rules::easie::{Application, application};

/// The instance's application at the provider of a connection.
fn of_instance<'a>(config: &'a Config, connection: &EnterpriseConnection) -> Option<&'a EasieClient> {
    match connection.provider.easie()? {
        EasieProvider::Google => config.easie_google.as_ref(),
        EasieProvider::Microsoft => config.easie_microsoft.as_ref(),
    }
}

/// Whose application a connection uses.
pub fn whose(config: &Config, connection: &EnterpriseConnection) -> Application {
    application(connection, of_instance(config, connection).is_some())
}

/// Our client id; `None` where there is none to use.
pub fn client_id<'a>(config: &'a Config, connection: &'a EnterpriseConnection) -> Option<&'a str> {
    match whose(config, connection) {
        Application::Own => connection.oidc.as_ref()?.client_id.as_deref(),
        Application::Instance => of_instance(config, connection).map(|client| client.client_id.as_str()),
        Application::Missing => None,
    }
}

/// The secret that belongs to [`client_id`]; `None` where we are a public client.
pub fn client_secret(app: &App, connection: &EnterpriseConnection) -> Result<Option<Secret>, FlowError> {
    match whose(&app.config, connection) {
        Application::Own => client_secrets::open(app, connection),
        Application::Instance => {
            Ok(of_instance(&app.config, connection).map(|client| Secret::new(client.client_secret.expose())))
        }
        Application::Missing => Ok(None),
    }
}
