//! From configuration to a listening server, and from a request to the surface it is addressed to.

use crate::accept::{self, Limits};
use crate::app::{App, Recent};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::flows::deprovision::{self, AccountChecks};
use crate::flows::oidc_provider::OidcDocuments;
use crate::flows::setup;
use crate::http::rate_limit::RateLimits;
use crate::http::trace;
use crate::keys::encryption::EncryptionKey;
use crate::outbound::Outbound;
use crate::random::SystemRandom;
use crate::{backend_api, frontend_api, hosted_pages};
use anyhow::{Context as _, anyhow};
use axum::Router;
use axum::extract::Request;
use axum::http::Method;
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use doorward_model::Random;
use doorward_store::Store;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower::ServiceExt as _;
use tower_http::catch_panic::CatchPanicLayer;

/// Opens the database, prepares it if it is new, and answers the program's parts and the secret key a first start made.
pub async fn open(config: Config) -> anyhow::Result<(Arc<App>, Option<String>)> {
    open_with(config, Arc::new(SystemClock), Arc::new(SystemRandom)).await
}

/// As [`open`], with the clock and the source of randomness to use.
pub async fn open_with(
    config: Config,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> anyhow::Result<(Arc<App>, Option<String>)> {
    let store = Store::open(&config.database_url).await?;
    let encryption = load_encryption_key(&config, &*random)?;
    let now = clock.now();
    let setup = setup::run(&store, &config, &encryption, now, &*random).await?;
    let outbound = Outbound::new(&config.outbound_allow).map_err(|reason| anyhow!("outbound client: {reason}"))?;
    let rate_limits = RateLimits::new(config.rate_limits);
    let app = App {
        config,
        store,
        clock,
        random,
        encryption,
        key_making: Semaphore::new(1),
        signing_keys: setup.signing_keys,
        outbound,
        oidc_documents: OidcDocuments::default(),
        account_checks: AccountChecks::default(),
        rate_limits,
        instance: Recent::default(),
        roles: Recent::default(),
    };
    Ok((Arc::new(app), setup.generated_secret_key))
}

/// The configured key, else the file beside the database, which a first start creates with mode 0600.
fn load_encryption_key(config: &Config, random: &dyn Random) -> anyhow::Result<EncryptionKey> {
    match read_encryption_key(config)? {
        Some(key) => Ok(key),
        None => {
            let path = encryption_key_file(&config.database_url);
            let text = EncryptionKey::generate(random);
            write_private(&path, &text, random).with_context(|| format!("cannot write {}", path.display()))?;
            // Another process may have been faster; the file that is there counts.
            Ok(EncryptionKey::parse(&std::fs::read_to_string(&path)?)?)
        }
    }
}

/// The configured key, else that of the file; `None` where there is no file.
pub fn read_encryption_key(config: &Config) -> anyhow::Result<Option<EncryptionKey>> {
    if let Some(key) = &config.encryption_key {
        return Ok(Some(EncryptionKey::parse(key.expose())?));
    }
    let path = encryption_key_file(&config.database_url);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(EncryptionKey::parse(&text).with_context(|| format!("reading {}", path.display()))?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Beside an SQLite file; in the working directory for PostgreSQL.
fn encryption_key_file(database_url: &str) -> PathBuf {
    match database_url.strip_prefix("sqlite:") {
        Some(rest) => {
            let file = rest.trim_start_matches("//").split('?').next().unwrap_or_default();
            PathBuf::from(format!("{file}.encryption-key"))
        }
        None => PathBuf::from("doorward.encryption-key"),
    }
}

/// Writes a file only its owner can read, whole or not at all; one that exists already is kept.
pub fn write_private(path: &std::path::Path, text: &str, random: &dyn Random) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut bytes = [0u8; 8];
    random.fill(&mut bytes);
    let draft = path.with_extension(format!("{}.new", crate::random::hex(&bytes)));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Binds the port; the error is one clear sentence that names the `flag` to change.
pub async fn bind(listen: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow!("{listen} is in use by another program; choose another with {flag}"),
        _ => anyhow!("cannot listen on {listen}: {error}"),
    })
}

/// How long a stop waits for account checks under way.
const LAST_CHECKS: Duration = Duration::from_secs(8);

/// Serves until `stop` resolves; requests under way are finished, and so are account checks.
pub async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let jobs = tokio::spawn(crate::jobs::run(app.clone()));
    accept::run(listener, router(app.clone()), Limits::default(), stop).await;
    jobs.abort();
    deprovision::finish(&app, LAST_CHECKS).await;
    app.store.close().await;
    Ok(())
}

/// Everything under one port.
pub fn router(app: Arc<App>) -> Router {
    let backend = backend_api::router(app.clone());
    // A path only the Backend API has answers there, without a key with its 401.
    let frontend = frontend_api::router(app.clone());
    let frontend = frontend.merge(hosted_pages::router(app.clone())).fallback_service(backend.clone());
    Router::new()
        .fallback(move |request: Request| dispatch(backend.clone(), frontend.clone(), request))
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            crate::http::ApiError::internal("a handler panicked").into_response()
        }))
        .layer(middleware::from_fn_with_state(app, trace::middleware))
}

async fn dispatch(backend: Router, frontend: Router, mut request: Request) -> Response {
    let surface = if backend_api::is_addressed(request.headers()) {
        backend
    } else {
        override_method(&mut request);
        frontend
    };
    surface.oneshot(request).await.unwrap_or_else(|never| match never {})
}

/// Browsers' SDKs send PATCH, PUT and DELETE as `POST ?_method=…` (API-2).
fn override_method(request: &mut Request) {
    if request.method() != Method::POST {
        return;
    }
    let query = crate::http::Query::parse(request.uri().query().unwrap_or_default());
    let wanted = match query.text("_method") {
        Some("PATCH") => Method::PATCH,
        Some("PUT") => Method::PUT,
        Some("DELETE") => Method::DELETE,
        _ => return,
    };
    *request.method_mut() = wanted;
}
