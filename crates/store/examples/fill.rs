//! Fills a database for `cargo xtask bench`: copies what the server wrote for one organization, with its connection and one
//! person who has signed in, so many times, each with numbers of its own in ids, names, domain and addresses.
//!
//! `fill <database URL> <organizations>`; the server must not be running on a SQLite file.

use doorward_store::Store;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use std::error::Error;
use std::str::FromStr as _;

/// What differs between the copies of a row: a column, and what stands in it. `{number}` is the copy's number in nine digits;
/// `{id}` is the column's own text, its last nine characters replaced by the number.
type Changes = &'static [(&'static str, &'static str)];

const TABLES: &[(&str, Changes)] = &[
    (
        "organizations",
        &[
            ("id", "{id}"),
            ("name", "'Company ' || {number}"),
            ("slug", "'company-' || {number}"),
            ("created_at", "{age}"),
        ],
    ),
    (
        "enterprise_connections",
        &[
            ("id", "{id}"),
            ("organization_id", "{id}"),
            ("saml_connection_id", "{id}"),
            ("domains", "'[\"company' || {number} || '.test\"]'"),
            ("created_at", "{age}"),
        ],
    ),
    ("enterprise_connection_domains", &[("connection_id", "{id}"), ("domain", "'company' || {number} || '.test'")]),
    ("users", &[("id", "{id}"), ("primary_email_address_id", "{id}"), ("created_at", "{age}")]),
    ("email_addresses", &[("id", "{id}"), ("user_id", "{id}"), ("address", "{address}")]),
    (
        "organization_memberships",
        &[("id", "{id}"), ("organization_id", "{id}"), ("user_id", "{id}"), ("created_at", "{age}")],
    ),
    (
        "enterprise_accounts",
        &[
            ("id", "{id}"),
            ("user_id", "{id}"),
            ("connection_id", "{id}"),
            ("subject", "{address}"),
            ("email_address", "{address}"),
        ],
    ),
    ("clients", &[("id", "{id}"), ("last_active_session_id", "{id}")]),
    (
        "sessions",
        &[
            ("id", "{id}"),
            ("client_id", "{id}"),
            ("user_id", "{id}"),
            ("last_active_organization_id", "{id}"),
            ("created_at", "{age}"),
        ],
    ),
];

enum Database {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Database {
    /// For one hurried writer whose work is thrown away if it fails.
    async fn open(url: &str) -> Result<Self, sqlx::Error> {
        if url.starts_with("postgres") {
            let mut database = Self::Postgres(PgConnection::connect(url).await?);
            // Foreign keys hold by construction.
            database.run("SET session_replication_role = replica").await?;
            return Ok(database);
        }
        let options = SqliteConnectOptions::from_str(url)?
            .journal_mode(SqliteJournalMode::Off)
            .synchronous(SqliteSynchronous::Off)
            .foreign_keys(false)
            .pragma("cache_size", "-1000000");
        Ok(Self::Sqlite(options.connect().await?))
    }

    async fn run(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        match self {
            Self::Sqlite(connection) => sql.execute(connection).await.map(drop),
            Self::Postgres(connection) => sql.execute(connection).await.map(drop),
        }
    }
}

/// The statement that copies a table's only row.
fn copy(table: &str, columns: &[String], changes: Changes, copies: u32) -> String {
    const NUMBER: &str = "SUBSTR(CAST(1000000000 + n AS TEXT), 2)";
    let changed = |column: &String| {
        let Some((_, text)) = changes.iter().find(|(name, _)| name == column) else { return column.clone() };
        text.replace("{id}", &format!("SUBSTR({column}, 1, LENGTH({column}) - 9) || {{number}}"))
            .replace("{address}", "'person@company' || {number} || '.test'")
            // A minute after the copy before, so that lists have an order.
            .replace("{age}", &format!("{column} - CAST({copies} - n AS BIGINT) * 60000"))
            .replace("{number}", NUMBER)
    };
    let values: Vec<String> = columns.iter().map(changed).collect();
    format!(
        "INSERT INTO {table} ({}) WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {copies}) \
         SELECT {} FROM {table}, numbers",
        columns.join(", "),
        values.join(", ")
    )
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(copies)) = (arguments.next(), arguments.next()) else {
        return Err("usage: fill <database URL> <organizations>".into());
    };
    let copies: u32 = copies.parse()?;
    let store = Store::open(&url).await?;
    let schema = store.read().await?.schema().await?;
    store.close().await;
    let mut database = Database::open(&url).await?;
    for (table, changes) in TABLES {
        let columns: Vec<String> =
            schema.iter().filter(|(name, _, _)| name == table).map(|(_, column, _)| column.clone()).collect();
        database.run(&copy(table, &columns, changes, copies)).await?;
        database
            .run(&format!("UPDATE totals SET amount = amount + {copies} WHERE counted = '{table}' AND part = ''"))
            .await?;
    }
    if let Database::Postgres(_) = &database {
        // What a server that has grown to this size has done long ago.
        for maintenance in ["VACUUM ANALYZE", "CHECKPOINT"] {
            database.run(maintenance).await?;
        }
    }
    Ok(())
}
