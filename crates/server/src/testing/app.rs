//! The server under test and the operator who uses its Backend API.

use crate::accept;
use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, RawConfig};
use crate::server;
use crate::testing::browser::{Answer, Browser};
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use doorward_model::{Millis, Random};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use tower::ServiceExt as _;

/// 2026-01-15T12:00:00Z
const START: Millis = 1_768_478_400_000;
pub const SECRET_KEY: &str = "sk_live_testtesttesttesttesttesttest";

/// A clock that stands still until it is moved, and panics when it is read if it was broken.
struct ManualClock {
    now: AtomicI64,
    is_broken: AtomicBool,
}

impl Clock for ManualClock {
    fn now(&self) -> Millis {
        assert!(!self.is_broken.swap(false, Ordering::SeqCst), "the clock is broken {}", "x".repeat(1000));
        self.now.load(Ordering::SeqCst)
    }
}

/// Bytes that look random and come out the same in every run.
struct SeededRandom(AtomicU64);

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            // SplitMix64: each call moves on, whichever thread makes it.
            let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// A server in process.
pub struct TestApp {
    pub app: Arc<App>,
    router: Router,
    clock: Arc<ManualClock>,
    directory: PathBuf,
    database: Option<String>,
    url: String,
}

impl TestApp {
    /// One server on SQLite and, where `DOORWARD_TEST_POSTGRES` names a server, one on PostgreSQL.
    pub async fn on_each_database() -> Vec<Self> {
        let mut apps = vec![Self::new().await];
        match std::env::var("DOORWARD_TEST_POSTGRES") {
            Ok(url) => apps.push(Self::on_postgres(&url).await),
            Err(_) => eprintln!("DOORWARD_TEST_POSTGRES is not set: SQLite only"),
        }
        apps
    }

    /// A server on SQLite.
    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// A server on SQLite with settings of its own.
    pub async fn with(change: impl FnOnce(&mut RawConfig)) -> Self {
        let directory = temporary_directory();
        let url = format!("sqlite://{}", directory.join("test.db").display());
        Self::open(&url, directory, None, change).await
    }

    async fn on_postgres(server: &str) -> Self {
        let name = format!("doorward_{}", unique());
        let (base, _) = server.rsplit_once('/').unwrap();
        administer(server, &format!("CREATE DATABASE {name}")).await;
        Self::open(&format!("{base}/{name}"), temporary_directory(), Some(name), |_| ()).await
    }

    async fn open(
        url: &str,
        directory: PathBuf,
        database: Option<String>,
        change: impl FnOnce(&mut RawConfig),
    ) -> Self {
        let clock = Arc::new(ManualClock { now: AtomicI64::new(START), is_broken: AtomicBool::new(false) });
        let app = Self::node(url, clock.clone(), change).await;
        Self { router: server::router(app.clone()), app, clock, directory, database, url: url.to_owned() }
    }

    /// Another program on the same database, with the same clock.
    pub async fn second_node(&self) -> Self {
        let app = Self::node(&self.url, self.clock.clone(), |_| ()).await;
        let router = server::router(app.clone());
        let (clock, directory, url) = (self.clock.clone(), temporary_directory(), self.url.clone());
        Self { app, router, clock, directory, database: None, url }
    }

    async fn node(url: &str, clock: Arc<ManualClock>, change: impl FnOnce(&mut RawConfig)) -> Arc<App> {
        let mut raw = RawConfig {
            database_url: Some(url.to_owned()),
            public_url: Some("https://clerk.example.com".into()),
            secret_key: Some(SECRET_KEY.into()),
            encryption_key: Some("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=".into()),
            allowed_origins: Some("https://app.example.com".into()),
            outbound_allow: Some("http://127.0.0.1".into()),
            rate_limits: Some("off".into()),
            ..RawConfig::default()
        };
        change(&mut raw);
        let random = Arc::new(SeededRandom(AtomicU64::new(unique())));
        server::open_with(Config::check(raw).unwrap(), clock, random).await.unwrap().0
    }

    /// The time the server sees.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Lets time pass.
    pub fn advance(&self, milliseconds: Millis) {
        self.clock.now.fetch_add(milliseconds, Ordering::SeqCst);
    }

    /// Has whatever asks for the time next panic.
    pub fn break_clock_once(&self) {
        self.clock.is_broken.store(true, Ordering::SeqCst);
    }

    /// Does as [`Self::break_clock_once`] when it is called, from wherever.
    pub fn clock_breaker(&self) -> impl Fn() + Send + Sync + 'static {
        let clock = self.clock.clone();
        move || clock.is_broken.store(true, Ordering::SeqCst)
    }

    /// Changes the database behind the server's back.
    pub async fn sql(&self, sql: &str) {
        administer(&self.url, sql).await;
    }

    /// All files of the database, on SQLite.
    pub fn database_bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(&self.directory).unwrap().map(|file| file.unwrap().path());
        files.flat_map(|file| std::fs::read(file).unwrap()).collect()
    }

    /// Sends a request as it is.
    pub async fn request(&self, request: Request<Body>) -> Answer {
        Answer::read(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// Serves on loopback until the answer's second half is dropped; the first is the address.
    pub async fn listen(&self) -> (String, tokio::sync::oneshot::Sender<()>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let stopped = async move { drop(stopped.await) };
        tokio::spawn(accept::run(listener, self.router.clone(), accept::Limits::default(), stopped));
        (url, stop)
    }

    /// Calls the Backend API with the secret key.
    pub async fn backend(&self, method: Method, path: &str, body: Value) -> Answer {
        let mut request =
            Request::builder().method(method).uri(path).header("authorization", format!("Bearer {SECRET_KEY}"));
        let body = if body.is_null() {
            Body::empty()
        } else {
            request = request.header("content-type", "application/json");
            Body::from(body.to_string())
        };
        self.request(request.body(body).unwrap()).await
    }

    /// A new browser that shows pages of the allowed application.
    pub fn browser(&self) -> Browser<'_> {
        Browser::new(self)
    }

    /// Deletes the database. A test that fails before leaves it for inspection.
    pub async fn close(self) {
        self.app.store.close().await;
        if let Some(name) = &self.database {
            administer(
                &std::env::var("DOORWARD_TEST_POSTGRES").unwrap(),
                &format!("DROP DATABASE {name} WITH (FORCE)"),
            )
            .await;
        }
        std::fs::remove_dir_all(&self.directory).unwrap();
    }
}

async fn administer(server: &str, sql: &str) {
    doorward_store::administer(server, sql).await.unwrap();
}

/// A number no other test of this run or another one uses.
fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    (u64::from(std::process::id()) << 20) | NEXT.fetch_add(1, Ordering::SeqCst)
}

fn temporary_directory() -> PathBuf {
    let directory = std::env::temp_dir().join(format!("doorward-test-{}", unique()));
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    directory
}
