//! Checks the URLs a browser is to be sent to.

use crate::app::App;
use crate::flows::{FlowError, Refusal};
use doorward_rules::redirect::{ParsedUrl, RedirectRefusal, check};
use doorward_store::redirect_urls;
use url::Url;

/// Refuses a URL that is not on an allowed origin. A session token goes there, so the list of redirect URLs, which may name
/// other people's pages, is not enough.
pub async fn allowed_origin(app: &App, text: &str, base_url: &str) -> Result<(), FlowError> {
    allowed(app, text, base_url).await?;
    let origin = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let origin = origin.and_then(|url| origin_of(&url));
    let allowed = origins(app, base_url).await?;
    if origin.is_some_and(|origin| allowed.contains(&origin)) {
        return Ok(());
    }
    Err(Refusal::RedirectUrlNotAllowed { url: text.chars().take(200).collect() }.into())
}

/// Refuses a URL that is neither on an allowed origin nor on the list. `base_url` is where this browser reaches us.
pub async fn allowed(app: &App, text: &str, base_url: &str) -> Result<(), FlowError> {
    // URL parsers drop line breaks, header lines do not.
    if text.len() > 4096 || text.chars().any(|c| c.is_control()) {
        return Err(Refusal::RedirectUrlInvalid.into());
    }
    let url = Url::parse(text).ok();
    let origins = origins(app, base_url).await?;
    let decide = |urls: &[String]| match &url {
        None => check(None, &origins, urls),
        Some(url) => {
            let origin = origin_of(url);
            let without_query = without_query(url);
            let parsed = ParsedUrl {
                scheme: url.scheme(),
                origin: origin.as_deref(),
                has_credentials: !url.username().is_empty() || url.password().is_some(),
                without_query: &without_query,
            };
            check(Some(parsed), &origins, urls)
        }
    };
    let mut outcome = decide(&app.config.redirect_urls);
    if outcome == Err(RedirectRefusal::NotAllowed)
        && let Some(url) = &url
    {
        let mut tx = app.store.read().await?;
        let listed = redirect_urls::by_url(&mut tx, &without_query(url)).await?;
        outcome = decide(&listed.map(|listed| listed.url).into_iter().collect::<Vec<_>>());
    }
    outcome.map_err(|refusal| match refusal {
        RedirectRefusal::Invalid => Refusal::RedirectUrlInvalid.into(),
        RedirectRefusal::Scheme => Refusal::RedirectUrlScheme.into(),
        RedirectRefusal::NotAllowed => Refusal::RedirectUrlNotAllowed { url: text.chars().take(200).collect() }.into(),
    })
}

/// The origins of the applications and our own.
async fn origins(app: &App, base_url: &str) -> Result<Vec<String>, FlowError> {
    let mut origins = app.config.allowed_origins.clone();
    origins.extend(app.instance().await?.allowed_origins.iter().cloned());
    let own = [base_url, &app.config.public_url];
    origins.extend(own.iter().filter_map(|url| Some(Url::parse(url).ok()?.origin().ascii_serialization())));
    Ok(origins)
}

/// `scheme://host[:port]`, also for schemes browsers consider opaque (extensions, native shells).
fn origin_of(url: &Url) -> Option<String> {
    let origin = url.origin();
    if origin.is_tuple() {
        return Some(origin.ascii_serialization());
    }
    url.host_str().map(|host| format!("{}://{host}", url.scheme()))
}

fn without_query(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}
