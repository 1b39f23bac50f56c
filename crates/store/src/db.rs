//! The two drivers behind one `Store` and one `Tx`.

use crate::error::{StoreError, TransactionError, is_transient};
use crate::sqlite::{ReadConnection, Session as _, Sqlite, WriteTransaction};
use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Postgres, Row as _, SqlSafeStr, SqlStr, SqliteConnection};
use std::path::Path;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How often a transaction is run before its conflict is reported.
const ATTEMPTS: u32 = 12;

/// The database of one instance.
#[derive(Clone)]
pub struct Store {
    engine: Engine,
    is_to_read: bool,
}

#[derive(Clone)]
enum Engine {
    Sqlite(Sqlite),
    Postgres(sqlx::Pool<Postgres>),
}

impl Store {
    /// Opens the database at `url` (`sqlite://…`, created if missing, or `postgres://…`) and brings its schema up to date.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let engine = if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let pool = connect_postgres(url).await.map_err(|error| open_error(url, &error))?;
            migrations().run(&pool).await.map_err(migration_error)?;
            Engine::Postgres(pool)
        } else {
            let options = sqlite_options(url).map_err(|error| open_error(url, &error))?;
            create_private(options.get_filename());
            let connection = connect_sqlite(&options).await.map_err(|error| open_error(url, &error))?;
            migrate_sqlite(connection).await?;
            Engine::Sqlite(Sqlite::open(options.get_filename())?)
        };
        Ok(Self { engine, is_to_read: false })
    }

    /// Opens a database that is there and up to date, and refuses every change of it: for programs that only look.
    pub async fn open_to_read(url: &str) -> Result<Self, StoreError> {
        let engine = if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Engine::Postgres(connect_postgres(url).await.map_err(|error| open_error(url, &error))?)
        } else {
            let options = sqlite_options(url).map_err(|error| open_error(url, &error))?;
            let opened = Sqlite::open(options.get_filename());
            Engine::Sqlite(opened.map_err(|error| StoreError::Open { url: redacted(url), reason: error.to_string() })?)
        };
        let store = Self { engine, is_to_read: true };
        store.check_is_up_to_date().await?;
        Ok(store)
    }

    async fn check_is_up_to_date(&self) -> Result<(), StoreError> {
        const LANDED: &str = "SELECT version FROM _sqlx_migrations ORDER BY version";
        let landed = self.read().await?.all(LANDED, args![], |row| row.int()).await;
        let landed = landed.map_err(|_| StoreError::Outdated)?;
        let known: Vec<i64> = migrations().iter().map(|migration| migration.version).collect();
        match landed.iter().find(|version| !known.contains(version)) {
            Some(newer) => Err(StoreError::NewerVersion(*newer)),
            None if landed == known => Ok(()),
            None => Err(StoreError::Outdated),
        }
    }

    /// A connection for reading. It sees each statement's own snapshot and must not write.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        Ok(Tx(match &self.engine {
            Engine::Sqlite(sqlite) => Connection::SqliteRead(sqlite.read().await?),
            Engine::Postgres(pool) => Connection::PostgresRead(pool.acquire().await?),
        }))
    }

    /// Begins a transaction for writing. Use [`write_tx!`](crate::write_tx), which commits and replays.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        if self.is_to_read {
            return Err(StoreError::Database("the database was opened to read".into()));
        }
        Ok(Tx(match &self.engine {
            Engine::Sqlite(sqlite) => Connection::SqliteWrite(sqlite.begin().await?),
            Engine::Postgres(pool) => {
                Connection::PostgresWrite(pool.begin_with("BEGIN ISOLATION LEVEL SERIALIZABLE").await?)
            }
        }))
    }

    /// Commits what [`write_tx!`](crate::write_tx) ran, or rolls it back. `None` asks for another attempt.
    pub async fn end<T, E: TransactionError>(
        &self,
        tx: Tx,
        outcome: Result<T, E>,
        attempt: &mut u32,
    ) -> Option<Result<T, E>> {
        let outcome = match outcome {
            Ok(value) => tx.commit().await.map(|()| value).map_err(E::from),
            Err(error) => {
                // Before the pause below: until then it holds its locks, on SQLite the only writer.
                tx.roll_back().await;
                Err(error)
            }
        };
        *attempt += 1;
        let again = matches!(&outcome, Err(error) if error.store_error().is_some_and(StoreError::is_conflict));
        if !again || *attempt >= ATTEMPTS {
            return Some(outcome);
        }
        tracing::debug!(attempt, "transaction is run again");
        tokio::time::sleep(pause(*attempt)).await;
        None
    }

    /// Ends all connections; what was committed stays.
    pub async fn close(&self) {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.close().await,
            Engine::Postgres(pool) => pool.close().await,
        }
    }
}

/// How long a transaction waits before it is run again. Those that lost to the same winner wait for different times, or
/// they would all meet again and all but one would lose again.
fn pause(attempt: u32) -> Duration {
    static TURN: AtomicU64 = AtomicU64::new(0);
    let turn = TURN.fetch_add(1, Ordering::Relaxed);
    let longest = Duration::from_millis(4 << attempt.min(7));
    longest.mul_f64((1 + turn % 16) as f64 / 16.0)
}

/// Runs a body as one transaction and runs it again when another transaction was in the way.
///
/// `write_tx!(store, Error, |tx| { …; Ok(value) })` evaluates to `Result<value, Error>`. The body is an async block, so
/// `?` and `return Err(..)` leave the transaction (rolled back), not the caller. Everything the body changes must be in
/// the transaction: it may run several times. The network must not be awaited inside.
#[macro_export]
macro_rules! write_tx {
    ($store:expr, $error:ty, |$tx:ident| $body:block) => {{
        let store: &$crate::Store = &$store;
        let mut attempt = 0u32;
        loop {
            let mut transaction = match store.begin().await {
                Ok(transaction) => transaction,
                Err(error) => break Err(<$error>::from(error)),
            };
            let outcome = $crate::typed_future::<$error, _, _>(async {
                let $tx = &mut transaction;
                $body
            })
            .await;
            if let Some(result) = store.end(transaction, outcome, &mut attempt).await {
                break result;
            }
        }
    }};
}

/// Tells the compiler the error type of an async block; used by [`write_tx!`](crate::write_tx).
#[doc(hidden)]
pub fn typed_future<E, T, F: Future<Output = Result<T, E>>>(future: F) -> F {
    future
}

fn migrations() -> sqlx::migrate::Migrator {
    sqlx::migrate!("./migrations")
}

fn migration_error(error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(version) => StoreError::NewerVersion(version),
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        other => StoreError::Corrupt(other.to_string()),
    }
}

async fn connect_postgres(url: &str) -> Result<sqlx::Pool<Postgres>, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?.application_name("doorward");
    let connected = PgPoolOptions::new()
        .max_connections(20)
        .acquire_timeout(Duration::from_secs(10))
        // A broken connection shows as an error of the statement; asking first would cost a round trip each time.
        .test_before_acquire(false)
        .connect_with(options.clone())
        .await;
    match connected {
        // The pool waits for a server that is still starting, but keeps to itself what it waited for.
        Err(sqlx::Error::PoolTimedOut) => Err(match PgConnection::connect_with(&options).await {
            Ok(_) => sqlx::Error::PoolTimedOut,
            Err(error) => error,
        }),
        outcome => outcome,
    }
}

fn sqlite_options(url: &str) -> Result<SqliteConnectOptions, sqlx::Error> {
    if !url.starts_with("sqlite:") {
        return Err(sqlx::Error::Configuration("the URL must begin with sqlite:// or postgres://".into()));
    }
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(sqlx::Error::Configuration("a database in memory would be lost at the end; give it a file".into()));
    }
    let options = SqliteConnectOptions::from_str(url)?;
    Ok(options.create_if_missing(true).journal_mode(SqliteJournalMode::Wal).busy_timeout(Duration::from_secs(10)))
}

/// Makes a database file that is missing readable for its owner only: it holds people's data. SQLite gives the files
/// beside it the same mode. Where it cannot be made, opening it says why.
fn create_private(path: &Path) {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    drop(options.open(path));
}

/// The connection for migrations.
async fn connect_sqlite(options: &SqliteConnectOptions) -> Result<SqliteConnection, sqlx::Error> {
    let mut attempt = 0;
    loop {
        match SqliteConnection::connect_with(options).await {
            // Only one process can switch a fresh file to write-ahead logging, and SQLite does not let the others wait.
            Err(error) if is_busy(&error) && attempt < 100 => attempt += 1,
            outcome => return outcome,
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The migrator takes no lock of its own on SQLite: of two processes that open a fresh file together, one would find
/// tables that the other has just made. So the whole migration is one transaction.
async fn migrate_sqlite(mut connection: SqliteConnection) -> Result<(), StoreError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    // `run` with a borrowed connection makes no `Send` future, which is what `run_direct` is there for.
    migrations().run_direct(None, &mut *transaction, false).await.map_err(migration_error)?;
    transaction.commit().await?;
    Ok(connection.close().await?)
}

fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| is_transient(&code))
}

/// The URL without its password, which may stand before the host or among the parameters.
fn redacted(url: &str) -> String {
    if url.starts_with("sqlite:") {
        return url.to_owned();
    }
    let (scheme, rest) = url.split_at(url.find("://").map_or(0, |at| at + 3));
    let end = rest.find('?').unwrap_or(rest.len());
    match rest.rfind('@') {
        // A password with a question mark, or a parameter with an at sign: no telling where it ends.
        Some(at) if at > end => format!("{scheme}…"),
        Some(at) => format!("{scheme}…{}", &rest[at..end]),
        None => format!("{scheme}{}", &rest[..end]),
    }
}

fn open_error(url: &str, error: &sqlx::Error) -> StoreError {
    let reason = match error {
        sqlx::Error::Database(inner) => inner.message().to_owned(),
        other => other.to_string(),
    };
    StoreError::Open { url: redacted(url), reason }
}

/// One connection: a transaction for writing, or one for reading only.
pub struct Tx(Connection);

enum Connection {
    SqliteRead(ReadConnection),
    SqliteWrite(WriteTransaction),
    PostgresRead(sqlx::pool::PoolConnection<Postgres>),
    PostgresWrite(sqlx::Transaction<'static, Postgres>),
}

/// A bound value.
#[derive(Clone, Debug)]
pub(crate) enum Arg {
    Text(Option<String>),
    Int(Option<i64>),
    Bool(bool),
}

macro_rules! arg_from {
    ($($from:ty => |$value:ident| $arg:expr;)*) => {$(
        impl From<$from> for Arg {
            fn from($value: $from) -> Self {
                $arg
            }
        }
    )*};
}

arg_from! {
    &str => |value| Arg::Text(Some(value.to_owned()));
    &String => |value| Arg::Text(Some(value.clone()));
    String => |value| Arg::Text(Some(value));
    Option<&str> => |value| Arg::Text(value.map(str::to_owned));
    &Option<String> => |value| Arg::Text(value.clone());
    Option<String> => |value| Arg::Text(value);
    i64 => |value| Arg::Int(Some(value));
    Option<i64> => |value| Arg::Int(value);
    bool => |value| Arg::Bool(value);
}

/// Bound values of any of the types a column may have.
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::db::Arg::from($value)),*] };
}
pub(crate) use args;

/// Gives each SQL text of a module a name, and the module a list of them all (`ALL`), which a test prepares on both engines.
macro_rules! statements {
    ($($name:ident = $sql:expr;)*) => {
        $(const $name: &str = $sql;)*
        pub(crate) const ALL: &[&str] = &[$($name),*];
    };
}
pub(crate) use statements;

macro_rules! bind_all {
    ($sql:expr, $args:expr) => {{
        let mut query = sqlx::query($sql);
        for arg in $args {
            query = match arg {
                Arg::Text(value) => query.bind(value),
                Arg::Int(value) => query.bind(value),
                Arg::Bool(value) => query.bind(value),
            };
        }
        query
    }};
}

impl Tx {
    async fn commit(self) -> Result<(), StoreError> {
        match self.0 {
            Connection::SqliteWrite(transaction) => transaction.commit()?,
            Connection::PostgresWrite(transaction) => transaction.commit().await?,
            Connection::SqliteRead(_) | Connection::PostgresRead(_) => {}
        }
        Ok(())
    }

    /// Gives up what was changed. A connection that broke has given it up already.
    async fn roll_back(self) {
        if let Connection::PostgresWrite(transaction) = self.0
            && let Err(error) = transaction.rollback().await
        {
            tracing::debug!(%error, "rollback failed");
        }
    }

    /// Runs a statement that returns nothing; answers how many rows it changed.
    pub(crate) async fn run(&mut self, sql: &'static str, args: Vec<Arg>) -> Result<u64, StoreError> {
        match &mut self.0 {
            Connection::SqliteRead(connection) => connection.run(sql, &args),
            Connection::SqliteWrite(transaction) => transaction.run(sql, &args),
            Connection::PostgresRead(connection) => {
                Ok(bind_all!(sql, args).execute(&mut **connection).await?.rows_affected())
            }
            Connection::PostgresWrite(transaction) => {
                Ok(bind_all!(sql, args).execute(&mut **transaction).await?.rows_affected())
            }
        }
    }

    /// All rows of a query.
    pub(crate) async fn all<T>(
        &mut self,
        sql: &'static str,
        args: Vec<Arg>,
        read: Reader<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.all_sql(sql.into_sql_str(), args, read).await
    }

    pub(crate) async fn all_sql<T>(
        &mut self,
        sql: SqlStr,
        args: Vec<Arg>,
        read: Reader<T>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = match &mut self.0 {
            Connection::SqliteRead(connection) => return connection.rows(sql.as_str(), &args, read, usize::MAX),
            Connection::SqliteWrite(transaction) => return transaction.rows(sql.as_str(), &args, read, usize::MAX),
            Connection::PostgresRead(connection) => bind_all!(sql, args).fetch_all(&mut **connection).await?,
            Connection::PostgresWrite(transaction) => bind_all!(sql, args).fetch_all(&mut **transaction).await?,
        };
        rows.iter().map(|row| read(&mut Row::of_postgres(row))).collect()
    }

    /// The row of a query that finds at most one.
    pub(crate) async fn optional<T>(
        &mut self,
        sql: &'static str,
        args: Vec<Arg>,
        read: Reader<T>,
    ) -> Result<Option<T>, StoreError> {
        let row = match &mut self.0 {
            Connection::SqliteRead(connection) => return Ok(connection.rows(sql, &args, read, 1)?.pop()),
            Connection::SqliteWrite(transaction) => return Ok(transaction.rows(sql, &args, read, 1)?.pop()),
            Connection::PostgresRead(connection) => bind_all!(sql, args).fetch_optional(&mut **connection).await?,
            Connection::PostgresWrite(transaction) => bind_all!(sql, args).fetch_optional(&mut **transaction).await?,
        };
        row.map(|row| read(&mut Row::of_postgres(&row))).transpose()
    }

    /// The number a `SELECT COUNT(*)` finds.
    pub(crate) async fn count_sql(&mut self, sql: SqlStr, args: Vec<Arg>) -> Result<i64, StoreError> {
        let rows = self.all_sql(sql, args, |row| row.int()).await?;
        rows.first().copied().ok_or_else(|| StoreError::Corrupt("a count returned no row".into()))
    }

    /// Asks the engine to parse and plan a statement without running it.
    pub async fn prepare(&mut self, sql: &str) -> Result<(), StoreError> {
        use sqlx::Executor as _;
        let text = AssertSqlSafe(sql.to_owned()).into_sql_str();
        match &mut self.0 {
            Connection::SqliteRead(connection) => connection.prepare(sql)?,
            Connection::SqliteWrite(transaction) => transaction.prepare(sql)?,
            Connection::PostgresRead(connection) => drop(connection.prepare(text).await?),
            Connection::PostgresWrite(transaction) => drop(transaction.prepare(text).await?),
        }
        Ok(())
    }

    /// `(table, column, type)` of every column, sorted; for comparing the two schemas.
    pub async fn schema(&mut self) -> Result<Vec<(String, String, String)>, StoreError> {
        let sql = match &self.0 {
            Connection::SqliteRead(_) | Connection::SqliteWrite(_) => {
                "SELECT m.name, c.name, LOWER(c.type) FROM sqlite_master m, pragma_table_info(m.name) c \
                 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> '_sqlx_migrations' ORDER BY 1, 2"
            }
            Connection::PostgresRead(_) | Connection::PostgresWrite(_) => {
                "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns \
                 WHERE table_schema = current_schema() AND table_name <> '_sqlx_migrations' ORDER BY 1, 2"
            }
        };
        self.all(sql, args![], |row| Ok((row.text()?, row.text()?, row.text()?))).await
    }
}

/// Turns a row into a value.
pub(crate) type Reader<T> = fn(&mut Row<'_>) -> Result<T, StoreError>;

enum RawRow<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r PgRow),
}

/// A row, read column by column from the left, so that joined tables are read one after the other.
pub(crate) struct Row<'r> {
    raw: RawRow<'r>,
    next: usize,
}

macro_rules! read_column {
    ($row:expr) => {{
        let index = $row.next;
        $row.next += 1;
        match &$row.raw {
            RawRow::Sqlite(row) => row.get(index)?,
            RawRow::Postgres(row) => row.try_get(index)?,
        }
    }};
}

impl<'r> Row<'r> {
    pub(crate) fn of_sqlite(row: &'r rusqlite::Row<'r>) -> Self {
        Self { raw: RawRow::Sqlite(row), next: 0 }
    }

    fn of_postgres(row: &'r PgRow) -> Self {
        Self { raw: RawRow::Postgres(row), next: 0 }
    }

    pub(crate) fn text(&mut self) -> Result<String, StoreError> {
        Ok(read_column!(self))
    }

    pub(crate) fn maybe_text(&mut self) -> Result<Option<String>, StoreError> {
        Ok(read_column!(self))
    }

    pub(crate) fn int(&mut self) -> Result<i64, StoreError> {
        Ok(read_column!(self))
    }

    pub(crate) fn maybe_int(&mut self) -> Result<Option<i64>, StoreError> {
        Ok(read_column!(self))
    }

    pub(crate) fn bool(&mut self) -> Result<bool, StoreError> {
        Ok(read_column!(self))
    }

    /// A column that holds an id.
    pub(crate) fn id<T: From<String>>(&mut self) -> Result<T, StoreError> {
        Ok(T::from(self.text()?))
    }

    /// A column that may hold an id.
    pub(crate) fn maybe_id<T: From<String>>(&mut self) -> Result<Option<T>, StoreError> {
        Ok(self.maybe_text()?.map(T::from))
    }

    /// A column that holds JSON.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, StoreError> {
        let text = self.text()?;
        serde_json::from_str(&text).map_err(|error| StoreError::Corrupt(error.to_string()))
    }

    /// A column that may hold JSON.
    pub(crate) fn maybe_json<T: serde::de::DeserializeOwned>(&mut self) -> Result<Option<T>, StoreError> {
        let text = self.maybe_text()?;
        text.map(|text| serde_json::from_str(&text).map_err(|error| StoreError::Corrupt(error.to_string()))).transpose()
    }

    /// A column that holds one of a fixed set of words.
    pub(crate) fn word<T>(&mut self, parse: fn(&str) -> Option<T>) -> Result<T, StoreError> {
        let text = self.text()?;
        parse(&text).ok_or_else(|| StoreError::Corrupt(format!("{text:?} is no known word")))
    }
}

/// JSON text of a value, for a TEXT column.
pub(crate) fn json_text<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// Runs one statement outside any transaction, such as `CREATE DATABASE`; for tests and tools.
pub async fn administer(url: &str, sql: &str) -> Result<(), StoreError> {
    if url.starts_with("sqlite:") {
        let options = sqlite_options(url).map_err(|error| open_error(url, &error))?;
        return Ok(rusqlite::Connection::open(options.get_filename())?.execute_batch(sql)?);
    }
    use sqlx::{Connection as _, Executor as _};
    let mut connection = sqlx::PgConnection::connect(url).await.map_err(|error| open_error(url, &error))?;
    connection.execute(AssertSqlSafe(sql.to_owned())).await?;
    Ok(connection.close().await?)
}
