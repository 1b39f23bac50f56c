//! Where a browser may be sent (DEC-28, DECISIONS "Wire" 10).

/// Why a redirect URL is refused.
#[derive(Debug, PartialEq, Eq)]
pub enum RedirectRefusal {
    /// Not an absolute URL.
    Invalid,
    /// A scheme that runs code.
    Scheme,
    /// Neither an allowed origin nor an allow-listed URL.
    NotAllowed,
}

/// A URL taken apart by the caller, so that this crate needs no URL library.
#[derive(Clone, Copy, Debug)]
pub struct ParsedUrl<'a> {
    pub scheme: &'a str,
    /// `scheme://host[:port]` as browsers write it; `None` for opaque origins.
    pub origin: Option<&'a str>,
    /// Whether the URL carries a user name or password, which makes a foreign host look like a known one.
    pub has_credentials: bool,
    /// The URL without query and fragment.
    pub without_query: &'a str,
}

/// Decides. `origins` are allowed with any path; `urls` exactly, apart from query and fragment.
pub fn check(url: Option<ParsedUrl<'_>>, origins: &[String], urls: &[String]) -> Result<(), RedirectRefusal> {
    let Some(url) = url else { return Err(RedirectRefusal::Invalid) };
    if url.has_credentials {
        return Err(RedirectRefusal::Invalid);
    }
    if is_refused_scheme(url.scheme) {
        return Err(RedirectRefusal::Scheme);
    }
    let listed = urls.iter().any(|allowed| allowed == url.without_query);
    let own_origin = url.origin.is_some_and(|origin| origins.iter().any(|allowed| allowed == origin));
    if !listed && !own_origin {
        return Err(RedirectRefusal::NotAllowed);
    }
    Ok(())
}

/// Why a URL cannot be put on the list.
#[derive(Debug, PartialEq, Eq)]
pub enum ListingRefusal {
    /// A scheme that runs code.
    Scheme,
    /// It holds credentials, a query or a fragment, so that [`check`] could never find it.
    MoreThanPlace,
}

/// Decides what may be put on the list of redirect URLs. `is_place` says that the URL has no credentials, query or fragment.
pub fn check_listing(scheme: &str, is_place: bool) -> Result<(), ListingRefusal> {
    if is_refused_scheme(scheme) {
        return Err(ListingRefusal::Scheme);
    }
    if !is_place {
        return Err(ListingRefusal::MoreThanPlace);
    }
    Ok(())
}

fn is_refused_scheme(scheme: &str) -> bool {
    matches!(scheme, "javascript" | "data" | "vbscript" | "file" | "blob" | "about")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url<'a>(scheme: &'a str, origin: Option<&'a str>, without_query: &'a str) -> ParsedUrl<'a> {
        ParsedUrl { scheme, origin, has_credentials: false, without_query }
    }

    #[test]
    fn dec28_only_listed_origins_and_urls_are_reached() {
        let origins = ["https://app.test".to_owned()];
        let urls = ["myapp://callback".to_owned()];
        assert_eq!(check(Some(url("https", Some("https://app.test"), "https://app.test/x")), &origins, &urls), Ok(()));
        assert_eq!(check(Some(url("myapp", None, "myapp://callback")), &origins, &urls), Ok(()));
        for (origin, text) in
            [("https://app.test.evil.test", "https://app.test.evil.test/"), ("http://app.test", "http://app.test/")]
        {
            let refused = check(Some(url("https", Some(origin), text)), &origins, &urls);
            assert_eq!(refused, Err(RedirectRefusal::NotAllowed), "{text}");
        }
    }

    #[test]
    fn script_schemes_and_credentials_are_refused() {
        let refused =
            check(Some(url("javascript", None, "javascript:alert(1)")), &[], &["javascript:alert(1)".to_owned()]);
        assert_eq!(refused, Err(RedirectRefusal::Scheme));
        let credentials =
            ParsedUrl { has_credentials: true, ..url("https", Some("https://app.test"), "https://app.test/") };
        assert_eq!(check(Some(credentials), &["https://app.test".to_owned()], &[]), Err(RedirectRefusal::Invalid));
        assert_eq!(check(None, &[], &[]), Err(RedirectRefusal::Invalid));
    }

    #[test]
    fn dec28_only_places_that_can_be_reached_are_listed() {
        assert_eq!(check_listing("https", true), Ok(()));
        assert_eq!(check_listing("myapp", true), Ok(()));
        assert_eq!(check_listing("https", false), Err(ListingRefusal::MoreThanPlace));
        for scheme in ["javascript", "data", "vbscript", "file", "blob", "about"] {
            assert_eq!(check_listing(scheme, true), Err(ListingRefusal::Scheme), "{scheme}");
        }
    }
}
