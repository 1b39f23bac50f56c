//! SQLite, called in place: a statement takes a few microseconds, less than handing it to another thread would.
//!
//! One connection writes, a few read. A transaction waits for the writer without blocking a thread, also when another
//! process holds it.

use crate::db::{Arg, Reader, Row};
use crate::error::StoreError;
use rusqlite::types::{ToSql, ToSqlOutput, Value, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

const READERS: usize = 4;
/// Tries to begin a transaction while another process holds the writer: ten seconds in all.
const BEGIN_ATTEMPTS: u32 = 2000;
const BEGIN_PAUSE: Duration = Duration::from_millis(5);
const CACHED_STATEMENTS: usize = 256;

/// The connections to one file.
#[derive(Clone)]
pub(crate) struct Sqlite {
    /// `None` after [`Sqlite::close`].
    writer: Arc<tokio::sync::Mutex<Option<Connection>>>,
    readers: Arc<Readers>,
}

struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

fn open(path: &Path, pragmas: &str) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    // The cache takes memory only as the file grows. SQLite's own 2 MB do not hold the inner pages of a million organizations.
    connection.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -16000;")?;
    connection.execute_batch(pragmas)?;
    Ok(connection)
}

/// After close, or when a connection cannot be had.
fn closed() -> StoreError {
    StoreError::Database("the database has been closed".into())
}

impl Sqlite {
    /// Opens a file whose schema is up to date.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        // The wait for another process is in `begin`, where it blocks no thread.
        let writer = open(path, "PRAGMA busy_timeout = 0; PRAGMA wal_autocheckpoint = 4000;")?;
        let readers =
            Readers { path: path.to_owned(), idle: Mutex::new(Vec::new()), permits: Arc::new(Semaphore::new(READERS)) };
        Ok(Self { writer: Arc::new(tokio::sync::Mutex::new(Some(writer))), readers: Arc::new(readers) })
    }

    /// A connection that cannot write.
    pub(crate) async fn read(&self) -> Result<ReadConnection, StoreError> {
        let permit = self.readers.permits.clone().acquire_owned().await.map_err(|_| closed())?;
        let idle = self.readers.idle.lock().ok().and_then(|mut idle| idle.pop());
        let connection = match idle {
            Some(connection) => connection,
            None => open(&self.readers.path, "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON;")?,
        };
        Ok(ReadConnection { connection: Some(connection), readers: self.readers.clone(), _permit: permit })
    }

    /// A transaction for writing.
    pub(crate) async fn begin(&self) -> Result<WriteTransaction, StoreError> {
        let guard = self.writer.clone().lock_owned().await;
        let mut attempt = 0;
        loop {
            let connection = guard.as_ref().ok_or_else(closed)?;
            match connection.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.raw_execute()) {
                Ok(_) => return Ok(WriteTransaction { guard, is_open: true }),
                Err(error) if is_busy(&error) && attempt < BEGIN_ATTEMPTS => attempt += 1,
                Err(error) => return Err(error.into()),
            }
            tokio::time::sleep(BEGIN_PAUSE).await;
        }
    }

    /// Closes all connections; whoever holds one keeps it until done.
    pub(crate) async fn close(&self) {
        self.readers.permits.close();
        if let Ok(mut idle) = self.readers.idle.lock() {
            idle.clear();
        }
        drop(self.writer.lock().await.take());
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        const UNIQUE: i32 = rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE;
        const PRIMARY_KEY: i32 = rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY;
        let extended = error.sqlite_error().map(|error| error.extended_code);
        if is_busy(&error) || matches!(extended, Some(UNIQUE | PRIMARY_KEY)) {
            return Self::Conflict(error.to_string());
        }
        Self::Database(Box::new(error))
    }
}

/// A borrowed reader; it goes back when dropped.
pub(crate) struct ReadConnection {
    connection: Option<Connection>,
    readers: Arc<Readers>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for ReadConnection {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && !self.readers.permits.is_closed()
            && let Ok(mut idle) = self.readers.idle.lock()
        {
            idle.push(connection);
        }
    }
}

/// An open transaction; dropped without commit it is rolled back.
pub(crate) struct WriteTransaction {
    guard: OwnedMutexGuard<Option<Connection>>,
    is_open: bool,
}

impl WriteTransaction {
    pub(crate) fn commit(mut self) -> Result<(), StoreError> {
        let connection = self.guard.as_ref().ok_or_else(closed)?;
        connection.prepare_cached("COMMIT")?.raw_execute()?;
        self.is_open = false;
        Ok(())
    }
}

impl Drop for WriteTransaction {
    fn drop(&mut self) {
        if self.is_open
            && let Some(connection) = self.guard.as_ref()
            && let Err(error) = connection.execute_batch("ROLLBACK")
        {
            tracing::debug!(%error, "rollback failed");
        }
    }
}

/// Where statements run.
pub(crate) trait Session {
    fn connection(&self) -> Result<&Connection, StoreError>;

    /// Runs a statement that returns nothing; answers how many rows it changed.
    fn run(&self, sql: &str, args: &[Arg]) -> Result<u64, StoreError> {
        let mut statement = self.connection()?.prepare_cached(sql)?;
        bind(&mut statement, args)?;
        Ok(statement.raw_execute()? as u64)
    }

    /// The rows of a query, at most `limit`.
    fn rows<T>(&self, sql: &str, args: &[Arg], read: Reader<T>, limit: usize) -> Result<Vec<T>, StoreError> {
        let mut statement = self.connection()?.prepare_cached(sql)?;
        bind(&mut statement, args)?;
        let mut rows = statement.raw_query();
        let mut found = Vec::new();
        while found.len() < limit
            && let Some(row) = rows.next()?
        {
            found.push(read(&mut Row::of_sqlite(row))?);
        }
        Ok(found)
    }

    /// Parses and plans a statement.
    fn prepare(&self, sql: &str) -> Result<(), StoreError> {
        self.connection()?.prepare(sql)?;
        Ok(())
    }
}

impl Session for ReadConnection {
    fn connection(&self) -> Result<&Connection, StoreError> {
        self.connection.as_ref().ok_or_else(closed)
    }
}

impl Session for WriteTransaction {
    fn connection(&self) -> Result<&Connection, StoreError> {
        self.guard.as_ref().ok_or_else(closed)
    }
}

/// SQLite numbers `$2` by its first appearance, so each parameter is bound by its name.
fn bind(statement: &mut CachedStatement<'_>, args: &[Arg]) -> Result<(), StoreError> {
    for index in 1..=statement.parameter_count() {
        let number = statement.parameter_name(index).and_then(|name| name[1..].parse::<usize>().ok());
        let arg = number.and_then(|number| args.get(number.checked_sub(1)?));
        let arg = arg.ok_or_else(|| StoreError::Corrupt(format!("parameter {index} of a statement has no value")))?;
        statement.raw_bind_parameter(index, arg)?;
    }
    Ok(())
}

impl ToSql for Arg {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Text(Some(text)) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Int(Some(number)) => ToSqlOutput::Owned(Value::Integer(*number)),
            Self::Text(None) | Self::Int(None) => ToSqlOutput::Owned(Value::Null),
            Self::Bool(flag) => ToSqlOutput::Owned(Value::Integer(i64::from(*flag))),
        })
    }
}
