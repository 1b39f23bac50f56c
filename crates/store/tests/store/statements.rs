//! One SQL text and one schema for both engines.

use crate::support::{Database, reader};
use std::collections::BTreeSet;

both_databases! {
    async fn every_statement_prepares(store) {
        let statements = doorward_store::statements();
        assert!(statements.len() > 80, "{} statements are listed", statements.len());
        let mut tx = reader(&store).await;
        for sql in statements {
            if let Err(error) = tx.prepare(sql).await {
                panic!("{sql}: {error}");
            }
        }
    }

    async fn a_statement_that_is_wrong_does_not_prepare(store) {
        assert!(reader(&store).await.prepare("SELECT missing FROM users").await.is_err());
    }
}

#[tokio::test]
async fn both_engines_have_the_same_tables_and_columns() {
    let sqlite = Database::sqlite();
    let on_sqlite = schema(&sqlite).await;
    sqlite.remove().await;
    assert!(on_sqlite.len() > 150, "{} columns", on_sqlite.len());
    let types: BTreeSet<&str> = on_sqlite.iter().map(|(_, _, kind)| kind.as_str()).collect();
    assert_eq!(types, BTreeSet::from(["bigint", "boolean", "text"]));

    if let Some(postgres) = Database::postgres().await {
        let on_postgres = schema(&postgres).await;
        postgres.remove().await;
        assert_eq!(on_sqlite, on_postgres);
    }
}

/// SQLite keeps the declared words, which are PostgreSQL's own names of the three types.
async fn schema(database: &Database) -> BTreeSet<(String, String, String)> {
    let store = database.open().await;
    let schema = reader(&store).await.schema().await.unwrap();
    store.close().await;
    schema.into_iter().collect()
}
