//! Doorward: self-hosted organization-level enterprise single sign-on.

#![recursion_limit = "256"]

mod accept;
mod app;
mod backend_api;
mod clock;
mod config;
mod demo;
mod explain;
mod flows;
mod frontend_api;
mod hosted_pages;
mod http;
mod jobs;
mod keys;
mod outbound;
mod pages;
mod random;
mod selfcheck;
mod server;
#[cfg(test)]
mod testing;

use clap::{Parser, Subcommand};
use config::{Config, RawConfig};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// A request makes some hundred small things; the system's allocator takes a tenth of the time of a sign-in for them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "doorward", version, about = "Self-hosted organization-level enterprise single sign-on")]
struct Cli {
    /// A TOML file with settings; flags and DOORWARD_… variables win over it
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve(RawConfig),
    /// Try it: the server, a test identity provider and a sample application on this machine
    Demo(demo::DemoOptions),
    /// Show or replace the secret key of the Backend API
    SecretKey {
        #[command(subcommand)]
        action: SecretKeyAction,
    },
    /// Say what would happen if somebody signed in with an address now, and which rule decides each step
    Explain(explain::ExplainOptions),
    /// Tell whether something works, and whether the server refuses what it must
    #[command(name = "selfcheck")]
    SelfCheck {
        #[command(subcommand)]
        what: SelfCheck,
    },
}

#[derive(Subcommand)]
enum SelfCheck {
    /// A SAML connection, from its settings to the verifier of answers; exit code 1 if it would not work
    Saml(selfcheck::SamlOptions),
}

#[derive(Subcommand)]
enum SecretKeyAction {
    /// Show the publishable key and which secret keys are valid (a secret key itself is shown only when it is made)
    Show(RawConfig),
    /// Make a new secret key and show it once
    Rotate {
        #[command(flatten)]
        settings: RawConfig,
        /// How long the old key stays valid, in minutes
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=43_200))]
        grace_minutes: u32,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli).await {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "doorward: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let load = |flags: &RawConfig| -> anyhow::Result<Config> {
        let raw = RawConfig::load(flags, cli.config.as_deref()).map_err(|reason| anyhow::anyhow!(reason))?;
        Ok(Config::check(raw)?)
    };
    match &cli.command {
        Command::Serve(flags) => serve(load(flags)?).await?,
        Command::Demo(options) => {
            let raw =
                RawConfig::load(&options.settings, cli.config.as_deref()).map_err(|reason| anyhow::anyhow!(reason))?;
            let config = Config::check(demo::configure(raw, options))?;
            start_log(config.log_json, "warn");
            demo::run(config, options, stop_signal()).await?;
        }
        Command::SecretKey { action: SecretKeyAction::Show(flags) } => show_keys(load(flags)?).await?,
        Command::SecretKey { action: SecretKeyAction::Rotate { settings, grace_minutes } } => {
            rotate_key(load(settings)?, *grace_minutes).await?;
        }
        Command::Explain(options) => say(&explain::run(&load(&options.settings)?, options).await?)?,
        Command::SelfCheck { what: SelfCheck::Saml(options) } => {
            return check_saml(load(&options.settings)?, options).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn check_saml(config: Config, options: &selfcheck::SamlOptions) -> anyhow::Result<ExitCode> {
    let store = doorward_store::Store::open_to_read(&config.database_url).await?;
    let outbound = outbound::Outbound::new(&config.outbound_allow).map_err(|reason| anyhow::anyhow!(reason))?;
    let encryption = server::read_encryption_key(&config).map_err(|error| format!("{error:#}"));
    let encryption = encryption.and_then(|key| key.ok_or_else(|| "there is no encryption key".to_owned()));
    let server_url = options.server_url.clone().unwrap_or_else(|| format!("http://{}", config.listen));
    let (now, progress) = (|| clock::Clock::now(&clock::SystemClock), progress(options.json));
    let server = config.secret_key.as_ref().map(|key| selfcheck::Target {
        url: &server_url,
        secret_key: key.expose(),
        now: &now,
        random: &random::SystemRandom,
        progress: &progress,
    });
    let context = selfcheck::Context {
        server,
        config: &config,
        store: &store,
        outbound: &outbound,
        encryption: encryption.as_ref().map_err(Clone::clone),
        random: &random::SystemRandom,
        now: clock::Clock::now(&clock::SystemClock),
    };
    let report = selfcheck::saml(&context, &options.connection).await?;
    store.close().await;
    match options.json {
        true => say(&serde_json::to_string_pretty(&report)?)?,
        false => say(report.to_text().trim_end())?,
    }
    Ok(if report.works { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Shows how far it has got, to people who watch.
fn progress(is_for_programs: bool) -> impl Fn(usize, usize) {
    let is_watched = !is_for_programs && std::io::IsTerminal::is_terminal(&std::io::stderr());
    move |done, all| {
        if is_watched {
            let end = if done == all { "\n" } else { "" };
            let _ = write!(std::io::stderr(), "\r{done} of {all} answers sent to the server{end}");
        }
    }
}

/// A line on standard output, where scripts read it.
fn say(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

async fn serve(config: Config) -> anyhow::Result<()> {
    start_log(config.log_json, "info,sqlx=warn");
    let listener = server::bind(config.listen, "--listen").await?;
    let (app, generated) = server::open(config).await?;
    if let Some(key) = generated {
        say(&format!("secret key (shown only now): {key}"))?;
    }
    say(&format!("publishable key: {}", app.config.publishable_key))?;
    say(&format!("ready {}", app.config.public_url))?;
    server::serve(app, listener, stop_signal()).await
}

async fn show_keys(config: Config) -> anyhow::Result<()> {
    let publishable_key = config.publishable_key.clone();
    let store = doorward_store::Store::open(&config.database_url).await?;
    let now = clock::Clock::now(&clock::SystemClock);
    let keys = doorward_store::instance::secret_keys(&mut store.read().await?).await?;
    say(&format!("publishable key: {publishable_key}"))?;
    for key in keys.iter().filter(|key| key.expires_at.is_none_or(|end| now < end)) {
        let end =
            key.expires_at.map_or(String::new(), |end| format!(", valid for {} more minutes", (end - now) / 60_000));
        say(&format!(
            "secret key: sk_live_…{} (made {} days ago{end})",
            key.hint,
            (now - key.created_at) / 86_400_000
        ))?;
    }
    say("A secret key is stored as a hash and cannot be shown again; `doorward secret-key rotate` makes a new one.")
}

async fn rotate_key(config: Config, grace_minutes: u32) -> anyhow::Result<()> {
    let store = doorward_store::Store::open(&config.database_url).await?;
    let now = clock::Clock::now(&clock::SystemClock);
    let grace = i64::from(grace_minutes) * 60_000;
    let key = flows::setup::rotate_secret_key(&store, now, grace, &random::SystemRandom).await?;
    say(&key)
}

/// Structured log on standard error; `RUST_LOG` filters it.
fn start_log(json: bool, default: &str) {
    use tracing_subscriber::{EnvFilter, fmt};
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let builder = fmt().with_env_filter(filter).with_ansi(is_terminal).with_writer(std::io::stderr);
    if json {
        builder.json().flatten_event(true).init();
    } else {
        builder.init();
    }
}

/// Resolves at Ctrl-C or SIGTERM.
async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
