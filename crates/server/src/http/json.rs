//! JSON answers, written straight to text. A tree of [`serde_json::Value`]s first would double their cost, so what browsers
//! ask for often is made of [`object!`].

use crate::http::ApiError;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

/// `null`
pub const NULL: Option<()> = None;
/// `[]`
pub const EMPTY: [(); 0] = [];

/// A JSON object, its fields in the order they are written: `object! { object: "token", jwt: &jwt }`.
macro_rules! object {
    ($($name:ident: $value:expr),* $(,)?) => {{
        #[allow(non_camel_case_types, reason = "the type of each field is a parameter of its name")]
        let object = {
            #[derive(serde::Serialize)]
            struct Object<$($name),*> {
                $($name: $name),*
            }
            Object { $($name: $value),* }
        };
        object
    }};
}
pub(crate) use object;

/// One object with the fields of two.
#[derive(Serialize)]
pub struct Extended<A, B> {
    #[serde(flatten)]
    pub base: A,
    #[serde(flatten)]
    pub more: B,
}

/// An answer whose body is a value.
pub fn respond(value: &impl Serialize) -> Response {
    let mut text = Vec::with_capacity(2048);
    match serde_json::to_writer(&mut text, value) {
        Ok(()) => ([(CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => ApiError::internal(&error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, to_value};

    #[test]
    fn an_object_is_what_json_would_make_of_it() {
        let name = "Zoë \"Z\"".to_owned();
        let base = object! { object: "user", name: &name, at: Some(5), none: NULL, list: EMPTY };
        let wire = Extended { base, more: object! { nested: object! { ok: true } } };
        let expected =
            json!({"object": "user", "name": name, "at": 5, "none": null, "list": [], "nested": {"ok": true}});
        assert_eq!(to_value(&wire).unwrap(), expected);
        assert_eq!(serde_json::to_string(&wire).unwrap(), expected.to_string(), "the order of the fields");
    }
}
