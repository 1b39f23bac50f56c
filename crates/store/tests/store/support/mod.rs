//! A fresh database for every test, on either engine, and values to put into it.

use doorward_store::{Page, Store, Tx, administer};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Once};

/// Names the server on which PostgreSQL databases are made; its absence leaves that half of the tests out.
const POSTGRES: &str = "DOORWARD_TEST_POSTGRES";

/// A page that holds every row a test makes.
pub(crate) const ALL: Page = Page { limit: 500, offset: 0 };

/// Turns each function into a test on SQLite and one on PostgreSQL. The first argument is an open store on a fresh database,
/// the second, if there is one, the database itself.
macro_rules! both_databases {
    ($($(#[doc = $doc:literal])* async fn $name:ident($store:ident $(, $database:ident)?) $body:block)*) => {$(
        $(#[doc = $doc])*
        mod $name {
            #[allow(unused_imports, reason = "a small test may need none of them")]
            use super::*;

            async fn prove(database: std::sync::Arc<$crate::support::Database>) {
                let $store = database.open().await;
                $(let $database = &*database;)?
                $body
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                $crate::support::on_sqlite(prove).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                $crate::support::on_postgres(prove).await;
            }
        }
    )*};
}

/// Runs a body in a transaction that must succeed, and evaluates to the body's value.
macro_rules! committed {
    ($store:expr, |$tx:ident| $body:block) => {
        doorward_store::write_tx!($store, doorward_store::StoreError, |$tx| {
            let value = $body;
            Ok(value)
        })
        .unwrap()
    };
}

/// Runs a body in a transaction that is rolled back, and evaluates to the body's result: the first error, if there was one.
macro_rules! attempted {
    ($store:expr, |$tx:ident| $body:block) => {{
        let mut transaction = $store.begin().await.unwrap();
        let $tx = &mut transaction;
        let outcome: Result<(), doorward_store::StoreError> = async {
            $body;
            Ok(())
        }
        .await;
        outcome
    }};
}

/// After the macros, which it uses.
pub(crate) mod samples;

pub(crate) enum Database {
    Sqlite { folder: PathBuf },
    Postgres { server: String, name: String },
}

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A name that no other test of this or another process uses.
fn unused_name() -> String {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("doorward_store_{}_{number}", std::process::id())
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        let folder = std::env::temp_dir().join(unused_name());
        std::fs::create_dir_all(&folder).unwrap();
        Self::Sqlite { folder }
    }

    /// `None` where no server was named.
    pub(crate) async fn postgres() -> Option<Self> {
        let Ok(server) = std::env::var(POSTGRES) else {
            static SAID: Once = Once::new();
            SAID.call_once(|| eprintln!("{POSTGRES} is not set: nothing is tested on PostgreSQL"));
            return None;
        };
        let name = unused_name();
        // Byte order, so that one expectation holds for both engines.
        let options = "TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'";
        administer(&server, &format!("CREATE DATABASE {name} {options}")).await.unwrap();
        Some(Self::Postgres { server, name })
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite { folder } => format!("sqlite://{}/store.db", folder.display()),
            Self::Postgres { server, name } => {
                let (prefix, _) = server.rsplit_once('/').unwrap();
                format!("{prefix}/{name}")
            }
        }
    }

    /// Another store on this database, as a second process would have it.
    pub(crate) async fn open(&self) -> Store {
        Store::open(&self.url()).await.unwrap()
    }

    /// Runs SQL past the store.
    pub(crate) async fn execute(&self, sql: &str) {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        match self {
            Self::Sqlite { .. } => {
                let mut connection = SqliteConnection::connect(&self.url()).await.unwrap();
                sql.execute(&mut connection).await.unwrap();
            }
            Self::Postgres { .. } => {
                let mut connection = PgConnection::connect(&self.url()).await.unwrap();
                sql.execute(&mut connection).await.unwrap();
            }
        }
    }

    /// How many rows a table holds, seen past the store.
    pub(crate) async fn rows(&self, table: &str) -> i64 {
        let sql = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        match self {
            Self::Sqlite { .. } => {
                let mut connection = SqliteConnection::connect(&self.url()).await.unwrap();
                let count = sqlx::query_scalar(sql).fetch_one(&mut connection).await;
                count.unwrap()
            }
            Self::Postgres { .. } => {
                let mut connection = PgConnection::connect(&self.url()).await.unwrap();
                let count = sqlx::query_scalar(sql).fetch_one(&mut connection).await;
                count.unwrap()
            }
        }
    }

    pub(crate) async fn remove(&self) {
        match self {
            Self::Sqlite { folder } => std::fs::remove_dir_all(folder).unwrap(),
            Self::Postgres { server, name } => {
                administer(server, &format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
            }
        }
    }
}

pub(crate) async fn on_sqlite<F>(prove: impl FnOnce(Arc<Database>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    on(Database::sqlite(), prove).await;
}

pub(crate) async fn on_postgres<F>(prove: impl FnOnce(Arc<Database>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    if let Some(database) = Database::postgres().await {
        on(database, prove).await;
    }
}

/// Removes the database whether or not the test succeeded.
async fn on<F>(database: Database, prove: impl FnOnce(Arc<Database>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let database = Arc::new(database);
    let outcome = tokio::spawn(prove(database.clone())).await;
    database.remove().await;
    if let Err(error) = outcome {
        resume_unwind(error.into_panic());
    }
}

pub(crate) async fn reader(store: &Store) -> Tx {
    store.read().await.unwrap()
}
