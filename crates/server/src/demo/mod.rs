//! `doorward demo`: everything a newcomer needs on loopback: the server, test identity providers, a sample application
//! and organizations with working connections of each kind.

mod companies;
mod directory;
mod introduction;
mod sample_app;
mod seed;
mod test_idp;
mod test_op;
mod token;

use crate::app::App;
use crate::config::{Config, RawConfig};
use crate::flows::setup::rotate_secret_key;
use crate::random::sha256_hex;
use crate::server;
use anyhow::{Context as _, anyhow, bail};
use doorward_model::{Millis, Random};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use test_idp::TestIdp;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How long a secret key stays valid that the demo had to replace.
const KEY_GRACE: Millis = 24 * 60 * 60 * 1000;
/// How often the demo's server asks whether people are still there, so that nobody has to wait for it.
const CHECK_INTERVAL: &str = "10s";
/// Browsers keep connections open that they may never use again; a stop does not wait longer for them.
const STOP_PATIENCE: Duration = Duration::from_secs(3);

/// Settings of the demo beside those of the server.
#[derive(Clone, Debug, clap::Args)]
pub struct DemoOptions {
    #[command(flatten)]
    pub settings: RawConfig,
    /// Where database and keys are kept
    #[arg(long, default_value = "doorward-demo")]
    pub data_dir: PathBuf,
    /// Address and port of the test identity providers
    #[arg(long, default_value = "127.0.0.1:4401")]
    pub idp_listen: SocketAddr,
    /// Address and port of the sample application
    #[arg(long, default_value = "127.0.0.1:4402")]
    pub app_listen: SocketAddr,
}

/// Settings of the server as the demo needs them, unless they are given.
pub fn configure(mut raw: RawConfig, options: &DemoOptions) -> RawConfig {
    let add = |list: Option<String>, item: &str| Some(list.map_or(item.to_owned(), |list| format!("{list},{item}")));
    raw.outbound_allow = add(raw.outbound_allow, "http://127.0.0.1");
    let idp = origin(options.idp_listen);
    if !options.idp_listen.ip().is_unspecified() && !idp.starts_with("http://127.0.0.1:") {
        raw.outbound_allow = add(raw.outbound_allow, &idp);
    }
    raw.easie_check_interval = raw.easie_check_interval.or_else(|| Some(CHECK_INTERVAL.into()));
    raw.allowed_origins = add(raw.allowed_origins, &origin(options.app_listen));
    let file = options.data_dir.join("doorward.db");
    raw.database_url = raw.database_url.or_else(|| Some(format!("sqlite://{}", file.display())));
    raw
}

/// Where a browser on this machine reaches a listener.
fn origin(listen: SocketAddr) -> String {
    match listen.ip().is_unspecified() {
        true => format!("http://127.0.0.1:{}", listen.port()),
        false => format!("http://{listen}"),
    }
}

/// Runs the server, the identity providers and the application until `stop`.
pub async fn run(
    config: Config,
    options: &DemoOptions,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let app_origin = origin(options.app_listen);
    check_hosts(&config.public_url, &app_origin)?;
    check_loopback(options.idp_listen)?;
    // All ports first: a demo that cannot run should not leave a half-made data directory behind.
    let listener = server::bind(config.listen, "--listen").await?;
    let idp_listener = server::bind(options.idp_listen, "--idp-listen").await?;
    let app_listener = server::bind(options.app_listen, "--app-listen").await?;
    let folder = &options.data_dir;
    prepare(folder)?;
    let (app, generated) = server::open(config).await?;
    let secret_key = secret_key(&app, generated, folder).await?;
    let idp_origin = origin(options.idp_listen);
    let idp = TestIdp::load(app.clone(), folder, &idp_origin, &app_origin)?;
    let app_router = sample_app::router(app.clone(), app_origin, secret_key, idp_origin)?;

    let (stopped, wait) = watch::channel(false);
    tokio::spawn(async move {
        stop.await;
        stopped.send_replace(true);
    });
    let idps = serve(idp_listener, test_idp::router(&idp), until(wait.clone()));
    let others = async {
        // The server reads the identity providers' documents when it makes the connections.
        idp.trust(seed::run(&app, &idp).await.context("seeding the demo")?);
        let sample = serve(app_listener, app_router, until(wait.clone()));
        let main = server::serve(app.clone(), listener, until(wait.clone()));
        tokio::try_join!(sample, main, introduction::introduce_when_ready(&app.config, options)).map(drop)
    };
    let too_long = async {
        until(wait.clone()).await;
        tokio::time::sleep(STOP_PATIENCE).await;
    };
    tokio::select! {
        ended = async { tokio::try_join!(idps, others) } => ended.map(drop)?,
        () = too_long => app.store.close().await,
    }
    Ok(())
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is a reason to stop too.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn serve(
    listener: TcpListener,
    router: axum::Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    Ok(axum::serve(listener, router).with_graceful_shutdown(stop).await?)
}

/// The test identity providers ask nobody for a password, so they are there for this machine alone.
fn check_loopback(idp: SocketAddr) -> anyhow::Result<()> {
    match idp.ip().is_loopback() {
        true => Ok(()),
        false => bail!(
            "The test identity providers sign anybody in and may only be reached from this machine: --idp-listen is {idp}; give it a port of 127.0.0.1."
        ),
    }
}

/// Browsers keep cookies by host, whatever the port: that is how the sample application learns of a sign-in.
fn check_hosts(public_url: &str, app_origin: &str) -> anyhow::Result<()> {
    let host = |text: &str| url::Url::parse(text).ok().and_then(|url| url.host_str().map(str::to_owned));
    if host(public_url) == host(app_origin) {
        return Ok(());
    }
    bail!("the sample application at {app_origin} must be on the same host as the server's public URL {public_url}")
}

/// Makes the data directory, and makes sure now that files can be written there.
fn prepare(folder: &Path) -> anyhow::Result<()> {
    let probe = folder.join(".writable");
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    // A new one is the owner's alone: database and keys are in it.
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let outcome = builder.create(folder).and_then(|()| std::fs::write(&probe, ""));
    outcome.and_then(|()| std::fs::remove_file(&probe)).map_err(|error| {
        anyhow!("the data directory {} cannot be written to: {error}; choose another with --data-dir", folder.display())
    })
}

/// The sample application's secret key. It is kept in the data directory, since the database knows only its hash. A key
/// that the database does not know (another database than last time, or a setting that came too late) is of no use.
async fn secret_key(app: &Arc<App>, generated: Option<String>, folder: &Path) -> anyhow::Result<String> {
    let file = folder.join("secret-key");
    let configured = app.config.secret_key.as_ref().map(|key| key.expose().to_owned());
    let kept = std::fs::read_to_string(&file).ok().map(|text| text.trim().to_owned());
    for key in [configured, generated, kept.clone()].into_iter().flatten() {
        if is_valid(app, &key).await? {
            if kept.as_ref() != Some(&key) {
                keep(&file, &key, &*app.random)?;
            }
            return Ok(key);
        }
    }
    let key = rotate_secret_key(&app.store, app.now(), KEY_GRACE, &*app.random).await?;
    keep(&file, &key, &*app.random)?;
    Ok(key)
}

async fn is_valid(app: &App, key: &str) -> anyhow::Result<bool> {
    let mut tx = app.store.read().await?;
    let found = doorward_store::instance::secret_key_by_sha256(&mut tx, &sha256_hex(key)).await?;
    Ok(found.is_some_and(|key| key.expires_at.is_none_or(|end| app.now() < end)))
}

fn keep(file: &Path, key: &str, random: &dyn Random) -> anyhow::Result<()> {
    let removed = match std::fs::remove_file(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    let written = removed.and_then(|()| server::write_private(file, key, random));
    written.with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod stage;
#[cfg(test)]
mod tests;
