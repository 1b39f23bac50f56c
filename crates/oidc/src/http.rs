//! What goes to a provider and what comes back, as values. Somebody else sends and receives them.

use std::fmt;

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpMethod {
    /// Without a body.
    Get,
    /// With a body.
    Post,
}

impl HttpMethod {
    /// The method as it stands in a request line.
    pub fn as_str(self) -> &'static str {
        match self {
            HttpMethod::Get => "GET",
            HttpMethod::Post => "POST",
        }
    }
}

/// A request to be sent as it is, without following redirects: it carries a secret for one address.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// GET or POST.
    pub method: HttpMethod,
    /// An absolute http or https URL.
    pub url: String,
    /// Names in lower case, and values.
    pub headers: Vec<(&'static str, String)>,
    /// `application/x-www-form-urlencoded`, if there is one.
    pub body: Option<String>,
}

impl fmt::Debug for HttpRequest {
    /// Header values and the body carry credentials, so their names alone are shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        let method = self.method.as_str();
        f.debug_struct("HttpRequest")
            .field("method", &method)
            .field("url", &self.url)
            .field("headers", &headers)
            .finish()
    }
}

/// What came back. The caller bounds how much it reads; each parser here has a smaller bound of its own.
#[derive(Clone, Copy)]
pub struct HttpResponse<'a> {
    /// The status code.
    pub status: u16,
    /// The `Content-Type` header.
    pub content_type: Option<&'a str>,
    /// The body, decompressed.
    pub body: &'a [u8],
}

impl fmt::Debug for HttpResponse<'_> {
    /// The body may hold tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("HttpResponse");
        shown.field("status", &self.status).field("content_type", &self.content_type);
        shown.field("body_length", &self.body.len()).finish()
    }
}

impl HttpResponse<'_> {
    /// The media type in lower case, without parameters.
    pub(crate) fn media_type(&self) -> String {
        let media_type = self.content_type.unwrap_or_default().split(';').next().unwrap_or_default();
        media_type.trim().to_ascii_lowercase()
    }

    pub(crate) fn is_json(&self) -> bool {
        let media_type = self.media_type();
        media_type == "application/json" || (media_type.starts_with("application/") && media_type.ends_with("+json"))
    }
}
