//! JSON that has one meaning. Parsers disagree about an object that has a member twice (RFC 8259, section 4), so a token with
//! two `sub` could be one person here and another elsewhere; such documents are refused, at every depth.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::shown::Shown;

/// Objects and arrays inside each other.
const DEEPEST: usize = 16;
/// Members and elements in the whole document.
const MOST_VALUES: usize = 8192;

/// Why a document was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// More bytes than are accepted for what it is.
    #[error("it has {got} bytes, at most {limit} are accepted")]
    TooLarge {
        /// In bytes.
        limit: usize,
        /// In bytes.
        got: usize,
    },
    /// Not JSON, or more deeply nested or with more values than accepted, or with a member twice.
    #[error("it is not acceptable JSON: {0}")]
    Malformed(Shown),
    /// JSON, but no object.
    #[error("expected a JSON object, got {0}")]
    NotAnObject(&'static str),
}

impl JsonError {
    /// A short stable reason for machines.
    pub fn code(&self) -> &'static str {
        match self {
            JsonError::TooLarge { .. } => "json_too_large",
            JsonError::Malformed(_) => "json_malformed",
            JsonError::NotAnObject(_) => "json_not_an_object",
        }
    }
}

/// Reads one object of at most `limit` bytes.
pub(crate) fn object(bytes: &[u8], limit: usize) -> Result<Map<String, Value>, JsonError> {
    if bytes.len() > limit {
        return Err(JsonError::TooLarge { limit, got: bytes.len() });
    }
    let malformed = |error: serde_json::Error| JsonError::Malformed(describe(&error));
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let mut left = MOST_VALUES;
    let value = Strict { depth: 0, left: &mut left }.deserialize(&mut deserializer).map_err(malformed)?;
    deserializer.end().map_err(malformed)?;
    match value {
        Value::Object(members) => Ok(members),
        other => Err(JsonError::NotAnObject(kind(&other))),
    }
}

/// What a value is, for messages that must not repeat it.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The parser's own message may quote the document, which may be a token response; only its kind and place are told.
fn describe(error: &serde_json::Error) -> Shown {
    let what = match error.classify() {
        serde_json::error::Category::Data => return Shown::from(error.to_string()),
        serde_json::error::Category::Eof => "it ends too early",
        _ => "a syntax error",
    };
    Shown::from(format!("{what} at line {} column {}", error.line(), error.column()))
}

struct Strict<'a> {
    depth: usize,
    left: &'a mut usize,
}

impl Strict<'_> {
    fn deeper<E: Error>(&mut self) -> Result<Strict<'_>, E> {
        if self.depth == DEEPEST {
            return Err(E::custom("too deeply nested"));
        }
        *self.left = self.left.checked_sub(1).ok_or_else(|| E::custom("too many values"))?;
        Ok(Strict { depth: self.depth + 1, left: self.left })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

// Messages made here name no content: they reach logs.
impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut access: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = access.next_element_seed(self.deeper()?)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            let value = access.next_value_seed(self.deeper()?)?;
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("an object has a member twice"));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        object(text.as_bytes(), 1 << 20).map_or_else(|error| error.code(), |_| "ok")
    }

    #[test]
    fn keeps_what_is_unambiguous() {
        let text = r#"{"a":[1,-2,1.5,true,null,"x"],"b":{"a":1},"c":18446744073709551615}"#;
        let members = object(text.as_bytes(), 1000).unwrap();
        assert_eq!(Value::Object(members), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn refuses_members_twice_at_every_depth_and_in_every_spelling() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"x":{"a":1,"\u0061":2}}"#, r#"{"x":[{"a":1,"b":2,"a":3}]}"#] {
            assert_eq!(code(text), "json_malformed", "{text}");
        }
    }

    #[test]
    fn refuses_what_is_too_large_deep_or_many() {
        assert_eq!(object(b"{}", 1).unwrap_err(), JsonError::TooLarge { limit: 1, got: 2 });
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(
            (code(&nested(15)), code(&nested(16)), code(&nested(9000))),
            ("ok", "json_malformed", "json_malformed")
        );
        let many = |count: usize| format!("{{\"a\":[{}0]}}", "0,".repeat(count));
        assert_eq!((code(&many(8000)), code(&many(8192))), ("ok", "json_malformed"));
    }

    #[test]
    fn refuses_other_documents() {
        for text in [
            "",
            "{",
            "{}{}",
            "{} x",
            "{'a':1}",
            "{\"a\":1,}",
            "{\"a\":\"\u{1}\"}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":NaN}",
        ] {
            assert_eq!(code(text), "json_malformed", "{text}");
        }
        assert_eq!(code("[]"), "json_not_an_object");
        assert_eq!(object(b"{\"a\":\"\xFF\"}", 100).unwrap_err().code(), "json_malformed");
    }

    #[test]
    fn messages_quote_nothing() {
        for text in ["{\"access_token\":s3cret}", "{\"s3cret\":1,\"s3cret\":2}", "{\"a\":\"s3cret"] {
            let message = object(text.as_bytes(), 100).unwrap_err().to_string();
            assert!(!message.contains("s3cret"), "{message}");
        }
    }
}
