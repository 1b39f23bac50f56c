//! The ids in an address.

use crate::flows::Refusal;
use crate::http::ApiError;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

/// The variable parts of an address. What cannot be an id (broken UTF-8, a NUL) leads nowhere, like any unknown address.
#[derive(Clone, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        // PostgreSQL cannot even compare a text with NUL in it.
        if parts.uri.path().contains("%00") {
            return Err(Refusal::RouteNotFound.into());
        }
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(_) => Err(Refusal::RouteNotFound.into()),
        }
    }
}
