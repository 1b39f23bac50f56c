//! The secrets with which we are a client of the OpenID Connect providers of connections.

use crate::app::{App, internal};
use crate::flows::FlowError;
use doorward_model::{EnterpriseConnection, EnterpriseConnectionId};
use doorward_oidc::Secret;

/// What a secret is encrypted for, so that it is of no use in another row.
fn context(connection: &EnterpriseConnectionId) -> String {
    format!("client secret of {connection}")
}

/// A secret as it is stored.
pub fn seal(app: &App, connection: &EnterpriseConnectionId, secret: &Secret) -> Result<String, FlowError> {
    app.encryption.encrypt(secret.expose().as_bytes(), &context(connection), &*app.random).map_err(internal)
}

/// The secret of a connection out of its encryption; `None` where we are a public client.
pub fn open(app: &App, connection: &EnterpriseConnection) -> Result<Option<Secret>, FlowError> {
    let Some(sealed) = connection.oidc.as_ref().and_then(|oidc| oidc.encrypted_client_secret.as_ref()) else {
        return Ok(None);
    };
    let opened = app.encryption.decrypt(sealed, &context(&connection.id)).map_err(internal)?;
    Ok(Some(Secret::new(String::from_utf8(opened).map_err(internal)?)))
}
