//! The refresh tokens with which EASIE accounts are asked after (EAS-4, EAS-6), as they are stored.

use crate::app::{App, internal};
use crate::flows::FlowError;
use doorward_model::EnterpriseConnectionId;
use doorward_oidc::Secret;

/// What a token is encrypted for, so that it is of no use for another account.
fn context(connection: &EnterpriseConnectionId, subject: &str) -> String {
    format!("refresh token of {connection} for {subject}")
}

/// A refresh token of the account with this subject, as it is stored.
pub fn seal(
    app: &App,
    connection: &EnterpriseConnectionId,
    subject: &str,
    refresh_token: &Secret,
) -> Result<String, FlowError> {
    let context = context(connection, subject);
    app.encryption.encrypt(refresh_token.expose().as_bytes(), &context, &*app.random).map_err(internal)
}

/// A stored refresh token out of its encryption.
pub fn open(app: &App, connection: &EnterpriseConnectionId, subject: &str, sealed: &str) -> Result<Secret, FlowError> {
    let opened = app.encryption.decrypt(sealed, &context(connection, subject)).map_err(internal)?;
    Ok(Secret::new(String::from_utf8(opened).map_err(internal)?))
}
