//! `doorward demo`: everything a newcomer needs on loopback: the server, a test identity provider, a sample application
//! and two organizations with working connections.

mod sample_app;
mod seed;
mod test_idp;
mod token;

use crate::config::{Config, RawConfig};
use crate::server;
use anyhow::Context as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Settings of the demo beside those of the server.
#[derive(Clone, Debug, clap::Args)]
pub struct DemoOptions {
    #[command(flatten)]
    pub settings: RawConfig,
    /// Where database and keys are kept
    #[arg(long, default_value = "doorward-demo")]
    pub data_dir: PathBuf,
    /// Address and port of the test identity provider
    #[arg(long, default_value = "127.0.0.1:4401")]
    pub idp_listen: SocketAddr,
    /// Address and port of the sample application
    #[arg(long, default_value = "127.0.0.1:4402")]
    pub app_listen: SocketAddr,
}

/// A company of the demo: an organization and the people at its identity provider.
pub struct Company {
    pub name: &'static str,
    /// In URLs; the organization's slug.
    pub slug: &'static str,
    pub domain: &'static str,
    /// The role set, where it is not the instance's initial one.
    pub role_set: Option<&'static str>,
    pub people: &'static [Person],
}

/// Somebody who works there.
pub struct Person {
    pub login: &'static str,
    pub first_name: &'static str,
    pub last_name: &'static str,
}

const fn person(login: &'static str, first_name: &'static str, last_name: &'static str) -> Person {
    Person { login, first_name, last_name }
}

/// The role set whose newcomers are admins.
pub const ADMINS: &str = "role_set:admins";

pub const COMPANIES: [Company; 2] = [
    Company {
        name: "Acme",
        slug: "acme",
        domain: "acme.test",
        role_set: None,
        people: &[
            person("alice", "Alice", "Müller"),
            person("carol", "Carol", "O'Brien"),
            person("chen", "大文", "陳"),
        ],
    },
    Company {
        name: "Globex",
        slug: "globex",
        domain: "globex.test",
        role_set: Some(ADMINS),
        people: &[person("bob", "Bob", "Nováček"), person("dana", "Dana", "Levi")],
    },
];

/// Settings of the server as the demo needs them, unless they are given.
pub fn configure(mut raw: RawConfig, options: &DemoOptions) -> RawConfig {
    let app_origin = origin(options.app_listen);
    let add = |list: Option<String>, item: &str| Some(list.map_or(item.to_owned(), |list| format!("{list},{item}")));
    raw.outbound_allow = add(raw.outbound_allow, "http://127.0.0.1");
    raw.allowed_origins = add(raw.allowed_origins, &app_origin);
    let file = options.data_dir.join("doorward.db");
    raw.database_url = raw.database_url.or_else(|| Some(format!("sqlite://{}", file.display())));
    raw
}

fn origin(listen: SocketAddr) -> String {
    format!("http://{listen}")
}

/// Runs the three servers until `stop`.
pub async fn run(
    config: Config,
    options: &DemoOptions,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let folder = &options.data_dir;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot use the data directory {}", folder.display()))?;
    // All ports first: a demo that cannot run should not leave a half-made data directory behind.
    let listener = server::bind(config.listen).await?;
    let idp_listener = server::bind(options.idp_listen).await?;
    let app_listener = server::bind(options.app_listen).await?;
    let (app, generated) = server::open(config).await?;
    let secret_key = secret_key(&app, generated, folder).await?;
    let idps = test_idp::Companies::load(folder, &origin(options.idp_listen), &*app.random)?;
    let connections = seed::run(&app, &idps).await.context("seeding the demo")?;
    let idp_router = test_idp::router(app.clone(), idps, connections);
    let app_router = sample_app::router(app.clone(), origin(options.app_listen), secret_key);

    let (stopped, wait) = watch::channel(false);
    tokio::spawn(async move {
        stop.await;
        stopped.send_replace(true);
    });
    let idp = serve(idp_listener, idp_router, until(wait.clone()));
    let sample = serve(app_listener, app_router, until(wait.clone()));
    let main = server::serve(app.clone(), listener, until(wait));
    introduce(&app.config, options)?;
    tokio::try_join!(idp, sample, main)?;
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

/// The sample application's secret key. It is kept in the data directory, since the database knows only its hash.
async fn secret_key(app: &Arc<crate::app::App>, generated: Option<String>, folder: &Path) -> anyhow::Result<String> {
    let file = folder.join("secret-key");
    if let Some(configured) = &app.config.secret_key {
        return Ok(configured.expose().to_owned());
    }
    if generated.is_none()
        && let Ok(kept) = std::fs::read_to_string(&file)
    {
        return Ok(kept.trim().to_owned());
    }
    let key = match generated {
        Some(key) => key,
        None => crate::flows::setup::rotate_secret_key(&app.store, app.now(), 0, &*app.random).await?,
    };
    let _ = std::fs::remove_file(&file);
    server::write_private(&file, &key, &*app.random).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(key)
}

fn introduce(config: &Config, options: &DemoOptions) -> anyhow::Result<()> {
    crate::say(&format!(
        "\nDoorward demo\n\n  Open      {}   the sample application\n\n  Be        alice@acme.test    arrives at Acme as a member \
         (carol@acme.test and chen@acme.test work there too)\n            bob@globex.test    arrives at Globex as an admin \
         (so does dana@globex.test)\n\n  Also      {}/sign-in   the hosted sign-in page\n            {}   the test identity \
         provider\n            {}   the data; delete it to start afresh\n\n  Stop      Ctrl-C\n",
        origin(options.app_listen),
        config.public_url,
        origin(options.idp_listen),
        options.data_dir.display(),
    ))?;
    crate::say(&format!("ready {}", config.public_url))
}
