//! Opening a database, whatever state it is in.

use crate::support::samples::*;
use crate::support::{Database, on_postgres, on_sqlite, reader};
use doorward_store::{Store, StoreError, instance, users};
use std::path::PathBuf;
use std::sync::Arc;

/// The reason why a database cannot be opened.
#[track_caller]
fn refusal(outcome: Result<Store, StoreError>) -> (String, String) {
    match outcome {
        Err(StoreError::Open { url, reason }) => (url, reason),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was opened"),
    }
}

both_databases! {
    async fn a_database_is_opened_again_with_all_that_was_in_it(store, database) {
        committed!(store, |tx| { instance::insert(tx, &instance(1)).await? });
        let before = reader(&store).await.schema().await.unwrap();
        let migrations = database.rows("_sqlx_migrations").await;
        store.close().await;
        for _ in 0..2 {
            let store = database.open().await;
            let tx = &mut reader(&store).await;
            assert_eq!(instance::get(tx).await.unwrap(), Some(instance(1)));
            assert_eq!(tx.schema().await.unwrap(), before);
        }
        assert_eq!(database.rows("_sqlx_migrations").await, migrations, "nothing was migrated again");
    }

    async fn a_database_of_a_newer_version_is_refused_and_left_alone(store, database) {
        committed!(store, |tx| { users::insert(tx, &user(1)).await? });
        store.close().await;
        let bytes = match database {
            Database::Sqlite { .. } => "x'00'",
            Database::Postgres { .. } => "'\\x00'",
        };
        let columns = "version, description, success, checksum, execution_time";
        let row = format!("9999, 'from the future', TRUE, {bytes}, 1");
        database.execute(&format!("INSERT INTO _sqlx_migrations ({columns}) VALUES ({row})")).await;
        for _ in 0..2 {
            let error = Store::open(&database.url()).await.err().unwrap();
            assert!(matches!(error, StoreError::NewerVersion(9999)), "{error:?}");
            assert!(error.to_string().contains("newer version"), "{error}");
        }
        assert_eq!(database.rows("users").await, 1);
    }

    async fn a_database_opened_to_read_is_up_to_date_and_left_alone(store, database) {
        committed!(store, |tx| { users::insert(tx, &user(1)).await? });
        store.close().await;
        let looking = Store::open_to_read(&database.url()).await.unwrap();
        assert_eq!(users::by_id(&mut reader(&looking).await, &user(1).id).await.unwrap(), Some(user(1)));
        assert!(looking.begin().await.is_err());
        looking.close().await;
        database.execute("DELETE FROM _sqlx_migrations WHERE version = 9").await;
        let error = Store::open_to_read(&database.url()).await.err().unwrap();
        assert!(matches!(error, StoreError::Outdated), "{error:?}");
        let bytes = if matches!(database, Database::Sqlite { .. }) { "x'00'" } else { "'\\x00'" };
        let columns = "version, description, success, checksum, execution_time";
        let row = format!("9999, 'from the future', TRUE, {bytes}, 1");
        database.execute(&format!("INSERT INTO _sqlx_migrations ({columns}) VALUES ({row})")).await;
        let error = Store::open_to_read(&database.url()).await.err().unwrap();
        assert!(matches!(error, StoreError::NewerVersion(9999)), "{error:?}");
    }

    async fn a_closed_store_answers_with_an_error(store) {
        store.close().await;
        assert!(store.read().await.is_err());
        assert!(store.begin().await.is_err());
    }
}

/// Six processes, as of a deployment whose first database this is.
async fn open_together(database: Arc<Database>) {
    let url = database.url();
    let opened: Vec<_> = (0..6)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { Store::open(&url).await })
        })
        .collect();
    for (n, store) in (1i64..).zip(opened) {
        let store = store.await.unwrap().unwrap();
        committed!(store, |tx| { users::insert(tx, &user(n)).await? });
        assert_eq!(database.rows("users").await, n);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_open_a_fresh_sqlite_file_together_all_succeed() {
    for _ in 0..20 {
        on_sqlite(open_together).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_open_a_fresh_postgres_database_together_all_succeed() {
    for _ in 0..3 {
        on_postgres(open_together).await;
    }
}

#[tokio::test]
async fn connections_for_reading_refuse_writes_on_sqlite() {
    on_sqlite(|database| async move {
        let store = database.open().await;
        let mut tx = reader(&store).await;
        let outcome = users::insert(&mut tx, &user(1)).await;
        assert!(outcome.unwrap_err().to_string().contains("readonly"));
        assert_eq!(users::by_id(&mut tx, &user(1).id).await.unwrap(), None);
        drop(tx);
        committed!(store, |tx| { users::insert(tx, &user(1)).await? });
        assert_eq!(database.rows("users").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_database_that_is_opened_to_read_is_never_made() {
    on_sqlite(|database: Arc<Database>| async move {
        let path = PathBuf::from(database.url().strip_prefix("sqlite://").unwrap());
        refusal(Store::open_to_read(&database.url()).await);
        assert!(!path.exists());
        std::fs::write(&path, "").unwrap();
        assert!(matches!(Store::open_to_read(&database.url()).await.err(), Some(StoreError::Outdated)));
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    on_sqlite(|database| async move {
        let path = PathBuf::from(database.url().strip_prefix("sqlite://").unwrap());
        let text = "This is a letter, not a database. ".repeat(100);
        std::fs::write(&path, &text).unwrap();
        let (url, reason) = refusal(Store::open(&database.url()).await);
        assert_eq!(url, database.url());
        assert!(reason.contains("not a database"), "{reason}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    })
    .await;
}

#[tokio::test]
async fn a_path_that_cannot_be_a_file_is_refused() {
    on_sqlite(|database| async move {
        let folder = database.url().replace("/store.db", "");
        for url in [folder.clone(), format!("{folder}/missing/store.db"), format!("{folder}/@/store.db")] {
            let (shown, reason) = refusal(Store::open(&url).await);
            assert_eq!(shown, url);
            assert!(reason.contains("unable to open"), "{reason}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_named_without_its_password() {
    // Nothing listens on the port of discarded data. All at once, since each attempt waits for a server that is starting.
    let opened = [
        "postgres://doorward:hunter2@127.0.0.1:9/doorward",
        "postgresql://doorward:hunter2@127.0.0.1:9/doorward?sslmode=disable",
        "postgres://doorward:a%40hunter2%40@127.0.0.1:9/doorward",
        "postgres://127.0.0.1:9/doorward?user=doorward&password=hunter2",
        "postgres://127.0.0.1:9/doorward?password=hunter2&sslmode=disable",
    ]
    .map(|url| tokio::spawn(Store::open(url)));
    for outcome in opened {
        let (shown, reason) = refusal(outcome.await.unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("127.0.0.1:9/doorward"), "{shown}");
        assert!(reason.contains("refused"), "{reason}");
    }
}

#[tokio::test]
async fn a_url_of_another_kind_is_refused_without_its_password() {
    for url in [
        "mysql://doorward:hunter2@127.0.0.1/doorward",
        "doorward:hunter2@127.0.0.1/doorward",
        "postgres://doorward@127.0.0.1:port/doorward?password=hunt@hunter2",
        "postgres://doorward:hunter2?hunter2@127.0.0.1:port/doorward",
        "postgres:doorward:hunter2@127.0.0.1/doorward",
        "postgres://doorward:hunter2@127.0.0.1:port/doorward",
        "postgres://doorward:hunter2@127.0.0.1/doorward?sslmode=sometimes",
        "store.db",
        "",
    ] {
        let error = Store::open(url).await.err().unwrap();
        let text = format!("{error} {error:?}");
        assert!(matches!(error, StoreError::Open { .. }), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn a_database_that_is_missing_on_the_server_is_refused() {
    on_postgres(|database| async move {
        let url = format!("{}_missing", database.url());
        let (_, reason) = refusal(Store::open(&url).await);
        assert!(reason.contains("does not exist"), "{reason}");
    })
    .await;
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_of_a_new_database_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    on_sqlite(|database: Arc<Database>| async move {
        let store = database.open().await;
        committed!(store, |tx| { users::insert(tx, &user(1)).await? });
        let url = database.url();
        let file = url.trim_start_matches("sqlite://");
        for file in [file.to_owned(), format!("{file}-wal"), format!("{file}-shm")] {
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
        }
        store.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_database_in_memory_is_refused_with_the_reason() {
    for url in ["sqlite::memory:", "sqlite://:memory:", "sqlite://x.db?mode=memory"] {
        let (_, reason) = refusal(Store::open(url).await);
        assert!(reason.contains("would be lost"), "{reason}");
    }
}

/// Version and beginning of the SHA-384 of each migration. A row is added with a migration and never changed: a database that
/// was brought up to date by an edited one refuses to start.
const LANDED: [(i64, &str); 8] = [
    (1, "74074d6f47aac2a5c6b757a0afe96c41"),
    (2, "e0f2c512e743e949cea4b9e40ff7f336"),
    (3, "670955d01f0033693ff610f6b4f07b6c"),
    (4, "d9be29dcce925590b926afdc66d5f01c"),
    (5, "55e8a9000ec4ea8ec382cab955aba752"),
    (6, "48b497ed359257157e3577e91c0c2dd7"),
    (8, "3d378f3cd209d79eef1308641cd49584"),
    (9, "e1aad0d4ecbcab44068b81f525e98882"),
];

#[test]
fn migrations_that_have_landed_are_never_edited() {
    let migrator = sqlx::migrate!("./migrations");
    let hex = |bytes: &[u8]| -> String { bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect() };
    let found: Vec<(i64, String)> =
        migrator.iter().map(|migration| (migration.version, hex(&migration.checksum))).collect();
    let landed: Vec<(i64, String)> = LANDED.iter().map(|(version, text)| (*version, (*text).to_owned())).collect();
    assert_eq!(found, landed);
}
