//! Checks the URLs a browser is to be sent to.

use crate::app::App;
use crate::flows::{FlowError, Refusal};
use doorward_rules::redirect::{ParsedUrl, RedirectRefusal, check};
use doorward_store::redirect_urls;
use url::Url;

/// Refuses a URL that is neither on an allowed origin nor on the list. `base_url` is where this browser reaches us.
pub async fn allowed(app: &App, text: &str, base_url: &str) -> Result<(), FlowError> {
    if text.len() > 4096 {
        return Err(Refusal::RedirectUrlInvalid.into());
    }
    let url = Url::parse(text).ok();
    let mut origins = app.config.allowed_origins.clone();
    origins.extend(app.instance().await?.allowed_origins.iter().cloned());
    let own = [base_url, &app.config.public_url];
    origins.extend(own.iter().filter_map(|url| Some(Url::parse(url).ok()?.origin().ascii_serialization())));
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
