//! Parameters of a request, from JSON or a form alike, and from the query.
//!
//! Each getter checks one parameter and answers with the refusal that names it, so that a caller learns which field is wrong.
//! Unknown parameters are ignored (DECISIONS "Wire" 12).

use crate::flows::Refusal;
use crate::http::ApiError;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use bytes::{Bytes, BytesMut};
use doorward_model::{JsonMap, Millis};
use futures_util::StreamExt as _;
use serde_json::Value;
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The largest body that is read, in bytes. A SAML response of the largest accepted size fits, form-encoded.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// The longest text a parameter may hold, in characters, unless it says otherwise.
const MAX_TEXT: usize = 1024;

/// A parameter that may be absent, null or a value; an update treats the three differently.
#[derive(Clone, Debug, PartialEq)]
pub enum Field<T> {
    Absent,
    Null,
    Value(T),
}

impl<T> Field<T> {
    /// The value, if there is one.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// Converts the value, if there is one.
    pub fn try_map<U>(self, convert: impl FnOnce(T) -> Result<U, Refusal>) -> Result<Field<U>, Refusal> {
        Ok(match self {
            Self::Absent => Field::Absent,
            Self::Null => Field::Null,
            Self::Value(value) => Field::Value(convert(value)?),
        })
    }
}

/// The parameters of a request body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Params {
    values: JsonMap,
    /// Prefix of names in refusals: `saml.` for a nested object.
    path: String,
    /// A form has only texts, so numbers, booleans and objects are read from text.
    is_form: bool,
}

impl Params {
    /// Reads a JSON object; an empty body is an empty object.
    pub fn from_json(body: &[u8]) -> Result<Self, Refusal> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(values)) => Ok(Self { values, path: String::new(), is_form: false }),
            _ => Err(Refusal::BodyInvalid),
        }
    }

    /// Reads a form; a repeated name becomes a list.
    pub fn from_form(body: &[u8]) -> Self {
        let mut values = JsonMap::new();
        for (name, value) in url::form_urlencoded::parse(body) {
            let name = name.strip_suffix("[]").unwrap_or(&name).to_owned();
            let value = Value::from(value.into_owned());
            match values.get_mut(&name) {
                None => drop(values.insert(name, value)),
                Some(Value::Array(list)) => list.push(value),
                Some(first) => *first = Value::Array(vec![first.take(), value]),
            }
        }
        Self { values, path: String::new(), is_form: true }
    }

    /// The name of a parameter in refusals, with its path.
    pub fn name(&self, param: &str) -> String {
        format!("{}{param}", self.path)
    }

    /// Whether a parameter was sent at all, null included.
    pub fn has(&self, param: &str) -> bool {
        self.values.contains_key(param)
    }

    /// Whether a parameter was sent with a value; the published SDKs send null for what they leave open.
    pub fn has_value(&self, param: &str) -> bool {
        matches!(self.field(param), Field::Value(_))
    }

    fn field(&self, param: &str) -> Field<&Value> {
        match self.values.get(param) {
            None => Field::Absent,
            Some(Value::Null) => Field::Null,
            Some(value) => Field::Value(value),
        }
    }

    /// A text of up to 1024 characters without control characters, as sent (not trimmed).
    pub fn text(&self, param: &str) -> Result<Field<String>, Refusal> {
        self.long_text(param, MAX_TEXT)
    }

    /// As [`Self::text`], shorter: up to `max` characters.
    pub fn limited_text(&self, param: &str, max: usize) -> Result<Field<String>, Refusal> {
        self.long_text(param, max.min(MAX_TEXT))
    }

    /// A text of up to `max` characters; line breaks are allowed when more than 1024 are.
    pub fn long_text(&self, param: &str, max: usize) -> Result<Field<String>, Refusal> {
        let name = self.name(param);
        self.field(param).try_map(|value| {
            // A form field sent twice counts once, the last time.
            let value = if let (true, Value::Array(list)) = (self.is_form, value) {
                list.last().unwrap_or(value)
            } else {
                value
            };
            let text = value.as_str().ok_or(Refusal::ParamType { param: name.clone(), expected: "a string" })?;
            check_text(&name, text, max)?;
            Ok(text.to_owned())
        })
    }

    /// Refuses a parameter that was sent more than once, where it must not depend on the order which of them counts.
    pub fn once(&self, param: &'static str) -> Result<(), Refusal> {
        match self.values.get(param) {
            Some(Value::Array(_)) => Err(Refusal::ParamDuplicate { param }),
            _ => Ok(()),
        }
    }

    /// A text that must be there and not blank.
    pub fn required_text(&self, param: &'static str) -> Result<String, Refusal> {
        match self.text(param)? {
            Field::Value(text) if !text.trim().is_empty() => Ok(text),
            Field::Value(_) => {
                Err(Refusal::ParamInvalid { param: self.name(param), reason: "must not be empty".into() })
            }
            Field::Absent | Field::Null => Err(Refusal::ParamMissing { param }),
        }
    }

    /// A truth value.
    pub fn bool(&self, param: &str) -> Result<Field<bool>, Refusal> {
        self.field(param).try_map(|value| match value {
            Value::Bool(flag) => Ok(*flag),
            Value::String(text) if self.is_form && text == "true" => Ok(true),
            Value::String(text) if self.is_form && text == "false" => Ok(false),
            _ => Err(Refusal::ParamType { param: self.name(param), expected: "a boolean" }),
        })
    }

    /// A whole number within bounds.
    pub fn int(&self, param: &str, bounds: std::ops::RangeInclusive<i64>) -> Result<Field<i64>, Refusal> {
        self.field(param).try_map(|value| {
            let number = match value {
                Value::String(text) if self.is_form => text.parse().ok(),
                other => other.as_i64(),
            };
            let number = number.ok_or(Refusal::ParamType { param: self.name(param), expected: "an integer" })?;
            if bounds.contains(&number) {
                return Ok(number);
            }
            let reason = format!("must be between {} and {}", bounds.start(), bounds.end());
            Err(Refusal::ParamInvalid { param: self.name(param), reason })
        })
    }

    /// A time in RFC 3339 format.
    pub fn time(&self, param: &'static str) -> Result<Field<Millis>, Refusal> {
        self.text(param)?.try_map(|text| {
            let time = OffsetDateTime::parse(&text, &Rfc3339).map_err(|_| Refusal::ParamTime { param })?;
            i64::try_from(time.unix_timestamp_nanos() / 1_000_000).map_err(|_| Refusal::ParamTime { param })
        })
    }

    /// A list of at most `count` texts of up to `max` characters each, in which line breaks are allowed.
    pub fn long_texts(&self, param: &str, count: usize, max: usize) -> Result<Field<Vec<String>>, Refusal> {
        let name = self.name(param);
        self.field(param).try_map(|value| {
            let wrong = || Refusal::ParamType { param: name.clone(), expected: "a list of strings" };
            let values = value.as_array().ok_or_else(wrong)?;
            if values.len() > count {
                let reason = format!("must not hold more than {count} values");
                return Err(Refusal::ParamInvalid { param: name.clone(), reason });
            }
            let text = |value: &Value| {
                let text = value.as_str().ok_or_else(wrong)?;
                check_text(&name, text, max).map(|()| text.to_owned())
            };
            values.iter().map(text).collect()
        })
    }

    /// A list of texts; a single text counts as a list of one in a form.
    pub fn texts(&self, param: &str) -> Result<Field<Vec<String>>, Refusal> {
        let name = self.name(param);
        let wrong = || Refusal::ParamType { param: name.clone(), expected: "a list of strings" };
        self.field(param).try_map(|value| {
            let values = match value {
                Value::Array(values) => values.clone(),
                Value::String(_) if self.is_form => vec![value.clone()],
                _ => return Err(wrong()),
            };
            if values.len() > 100 {
                return Err(Refusal::ParamInvalid {
                    param: name.clone(),
                    reason: "must not hold more than 100 values".into(),
                });
            }
            let text = |value: Value| match value {
                Value::String(text) => check_text(&name, &text, MAX_TEXT).map(|()| text),
                _ => Err(wrong()),
            };
            values.into_iter().map(text).collect()
        })
    }

    /// A JSON object, in a form as JSON text; used for metadata (at most 8 KB).
    pub fn object(&self, param: &str) -> Result<Field<JsonMap>, Refusal> {
        let wrong = || Refusal::ParamType { param: self.name(param), expected: "an object" };
        self.field(param).try_map(|value| {
            let map = match value {
                Value::Object(map) => map.clone(),
                Value::String(text) if self.is_form => serde_json::from_str(text).map_err(|_| wrong())?,
                _ => return Err(wrong()),
            };
            let size = serde_json::to_string(&map).map_or(usize::MAX, |text| text.len());
            if size > 8 * 1024 {
                return Err(Refusal::ParamInvalid { param: self.name(param), reason: "must not exceed 8 KB".into() });
            }
            Ok(map)
        })
    }

    /// A nested object, read like the body itself.
    pub fn nested(&self, param: &str) -> Result<Field<Params>, Refusal> {
        self.field(param).try_map(|value| match value {
            Value::Object(values) => {
                Ok(Params { values: values.clone(), path: format!("{}.", self.name(param)), is_form: false })
            }
            _ => Err(Refusal::ParamType { param: self.name(param), expected: "an object" }),
        })
    }

    /// A list of nested objects.
    pub fn nested_list(&self, param: &str) -> Result<Field<Vec<Params>>, Refusal> {
        let wrong = || Refusal::ParamType { param: self.name(param), expected: "a list of objects" };
        self.field(param).try_map(|value| {
            let values = value.as_array().ok_or_else(wrong)?;
            let path = |index: usize| format!("{}.{index}.", self.name(param));
            let item = |(index, value): (usize, &Value)| match value {
                Value::Object(values) => Ok(Params { values: values.clone(), path: path(index), is_form: false }),
                _ => Err(wrong()),
            };
            values.iter().enumerate().map(item).collect()
        })
    }
}

/// PostgreSQL cannot store NUL, and control characters in names serve only to deceive.
fn check_text(param: &str, text: &str, max: usize) -> Result<(), Refusal> {
    if text.chars().count() > max {
        return Err(Refusal::ParamTooLong { param: param.to_owned(), max });
    }
    let allowed = |c: char| !c.is_control() || (max > MAX_TEXT && matches!(c, '\n' | '\r' | '\t'));
    if text.chars().all(allowed) {
        return Ok(());
    }
    Err(Refusal::ParamInvalid { param: param.to_owned(), reason: "must not hold control characters".into() })
}

impl<S: Send + Sync> FromRequest<S> for Params {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        let content_type = content_type(&request);
        let body = read_body(request).await?;
        match content_type.as_deref().map(media_type).as_deref() {
            Some(FORM) => Ok(Self::from_form(&body)),
            Some("application/json") => Ok(Self::from_json(&body)?),
            None if body.is_empty() => Ok(Self::default()),
            None => Ok(Self::from_json(&body)?),
            Some(_) if body.is_empty() => Ok(Self::default()),
            Some(_) => Err(Refusal::ContentType { received: content_type.unwrap_or_default() }.into()),
        }
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

fn content_type(request: &Request) -> Option<String> {
    request.headers().get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?").to_owned())
}

/// The type without its parameters. A form's charset is of no use: its octets are written as `%XX` and are UTF-8.
fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_lowercase()
}

/// Reads a body that is a form and nothing else.
pub async fn read_form(request: Request) -> Result<Params, ApiError> {
    let received = content_type(&request).unwrap_or_default();
    let body = read_body(request).await?;
    if media_type(&received) == FORM {
        Ok(Params::from_form(&body))
    } else {
        Err(Refusal::ContentType { received }.into())
    }
}

/// Reads a whole body of at most [`MAX_BODY_BYTES`].
///
/// What is beyond is read and thrown away, up to a bound: a client that is still sending would otherwise see a broken
/// connection instead of the answer.
pub async fn read_body(request: Request) -> Result<Bytes, ApiError> {
    /// Long enough for a large response over a bad line; a caller that sends byte by byte does not hold its connection for ever.
    const DEADLINE: Duration = Duration::from_secs(30);
    match tokio::time::timeout(DEADLINE, collect_body(request)).await {
        Ok(body) => body,
        Err(_) => Err(Refusal::BodyInvalid.into()),
    }
}

async fn collect_body(request: Request) -> Result<Bytes, ApiError> {
    const THROWN_AWAY_AT_MOST: usize = 72 * 1024 * 1024;
    let mut body = request.into_body().into_data_stream();
    let mut read = BytesMut::new();
    let mut size = 0usize;
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| Refusal::BodyInvalid)?;
        size += chunk.len();
        if size <= MAX_BODY_BYTES {
            read.extend_from_slice(&chunk);
        } else if size > THROWN_AWAY_AT_MOST {
            break;
        }
    }
    if size > MAX_BODY_BYTES { Err(Refusal::BodyTooLarge { max: MAX_BODY_BYTES }.into()) } else { Ok(read.freeze()) }
}

/// The parameters of a query; a name may stand several times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the part of a URL after `?`.
    pub fn parse(query: &str) -> Self {
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        Self(
            pairs
                .map(|(name, value)| (name.strip_suffix("[]").unwrap_or(&name).to_owned(), value.into_owned()))
                .collect(),
        )
    }

    /// The last value of a name; an empty one counts as absent.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rfind(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// All values of a name, at most 100 (API).
    pub fn texts(&self, name: &str) -> Result<Vec<String>, Refusal> {
        let values = self.0.iter().filter(|(found, value)| found == name && !value.is_empty());
        let values: Vec<String> = values.map(|(_, value)| value.clone()).collect();
        if values.len() > 100 {
            return Err(Refusal::QueryInvalid {
                param: name.to_owned(),
                reason: "may be given at most 100 times".into(),
            });
        }
        Ok(values)
    }

    /// A truth value.
    pub fn bool(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.text(name) {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => Err(Refusal::QueryInvalid { param: name.to_owned(), reason: "must be true or false".into() }),
        }
    }

    /// A whole number.
    pub fn int(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let wrong = |_| Refusal::QueryInvalid { param: name.to_owned(), reason: "must be an integer".into() };
        self.text(name).map(|text| text.parse().map_err(wrong)).transpose()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let query = Self::parse(parts.uri.query().unwrap_or_default());
        match query.0.iter().find(|(_, value)| value.contains('\0')) {
            Some((name, _)) => {
                let reason = "must not hold control characters".into();
                Err(Refusal::QueryInvalid { param: name.clone(), reason }.into())
            }
            None => Ok(query),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Params {
        Params::from_json(text.as_bytes()).unwrap()
    }

    #[test]
    fn absent_null_and_value_are_told_apart() {
        let params = json(r#"{"a": null, "b": "x"}"#);
        assert_eq!(params.text("c").unwrap(), Field::Absent);
        assert_eq!(params.text("a").unwrap(), Field::Null);
        assert_eq!(params.text("b").unwrap(), Field::Value("x".into()));
    }

    #[test]
    fn a_wrong_type_names_its_parameter_with_its_path() {
        let params = json(r#"{"saml": {"active": "yes"}, "n": 1.5}"#);
        let saml = params.nested("saml").unwrap().value().unwrap();
        assert_eq!(saml.bool("active"), Err(Refusal::ParamType { param: "saml.active".into(), expected: "a boolean" }));
        assert!(matches!(params.int("n", 0..=5), Err(Refusal::ParamType { .. })));
        assert!(matches!(params.text("n"), Err(Refusal::ParamType { .. })));
    }

    #[test]
    fn a_form_reads_booleans_numbers_lists_and_objects_from_text() {
        let form = Params::from_form(b"a=true&n=5&l=x&l=y&m=%7B%22k%22%3A1%7D&o[]=z");
        assert_eq!(form.bool("a").unwrap(), Field::Value(true));
        assert_eq!(form.int("n", 0..=9).unwrap(), Field::Value(5));
        assert_eq!(form.texts("l").unwrap(), Field::Value(vec!["x".into(), "y".into()]));
        assert_eq!(form.texts("o").unwrap(), Field::Value(vec!["z".into()]));
        assert_eq!(form.text("l").unwrap(), Field::Value("y".into()));
        assert!(form.object("m").unwrap().value().unwrap().contains_key("k"));
    }

    #[test]
    fn control_characters_and_oversize_are_refused() {
        assert!(matches!(json(r#"{"a": "x\u0000"}"#).text("a"), Err(Refusal::ParamInvalid { .. })));
        let long = format!(r#"{{"a": "{}"}}"#, "x".repeat(1025));
        assert!(matches!(json(&long).text("a"), Err(Refusal::ParamTooLong { .. })));
        for body in ["[]", "{", "\"x\"", "\u{0}"] {
            assert_eq!(Params::from_json(body.as_bytes()), Err(Refusal::BodyInvalid), "{body}");
        }
    }

    #[test]
    fn repeated_query_names_are_lists_and_bounds_are_kept() {
        let query = Query::parse("user_id=a&user_id=b&limit=x&flag=maybe&empty=");
        assert_eq!(query.texts("user_id").unwrap(), ["a", "b"]);
        assert!(query.int("limit").is_err());
        assert!(query.bool("flag").is_err());
        assert_eq!(query.text("empty"), None);
        assert!(Query::parse(&"a=1&".repeat(101)).texts("a").is_err());
    }
}
