//! `/npm/@clerk/{clerk-js,ui}@<version>/dist/*`: the browser packages, from a folder the operator names (CLIENTS §1).
//!
//! Nothing of them is in this program: they come from the operator's own `npm install`.

use crate::app::App;
use crate::flows::Refusal;
use crate::http::{ApiError, Path};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use std::path::{Component, Path as FilePath, PathBuf};
use std::sync::Arc;

/// Serves one file. The version asked for is ignored: the installed one is what there is.
pub async fn get(
    State(app): State<Arc<App>>,
    Path((package, file)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let path = app.config.clerk_assets.as_deref().and_then(|folder| locate(folder, &package, &file));
    let path = path.ok_or(Refusal::RouteNotFound)?;
    let body = tokio::fs::read(&path).await.map_err(|_| Refusal::RouteNotFound)?;
    let content_type = match path.extension().and_then(|extension| extension.to_str()) {
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        _ => "application/octet-stream",
    };
    let mut response = ([(header::CONTENT_TYPE, content_type)], body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    Ok(response)
}

/// The file below the package's `dist` folder; never anything beside it.
fn locate(folder: &FilePath, package: &str, file: &str) -> Option<PathBuf> {
    let name = package.split('@').next().filter(|name| matches!(*name, "clerk-js" | "ui"))?;
    let relative = FilePath::new(file);
    let is_below = relative.components().all(|part| matches!(part, Component::Normal(_)));
    (is_below && !file.contains('\0')).then(|| folder.join(name).join("dist").join(relative))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_below_the_two_dist_folders_are_found() {
        let folder = FilePath::new("/assets/@clerk");
        let found = locate(folder, "clerk-js@6", "clerk.browser.js");
        assert_eq!(found, Some(PathBuf::from("/assets/@clerk/clerk-js/dist/clerk.browser.js")));
        assert!(locate(folder, "ui@1.34.0", "chunks/a.js").is_some());
        for (package, file) in [
            ("backend@1", "index.js"),
            ("ui@1", "../package.json"),
            ("ui@1", "/etc/passwd"),
            ("..", "x"),
            ("ui@1", "a/../../b"),
        ] {
            assert_eq!(locate(folder, package, file), None, "{package} {file}");
        }
    }
}
