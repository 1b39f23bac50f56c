//! Totals that are kept instead of counted.

use crate::support::samples::*;
use crate::support::{Database, on_postgres, on_sqlite, reader};
use doorward_model::*;
use doorward_store::{Selection, Store, enterprise_connections, memberships, organizations, users};
use sqlx::migrate::Migrator;
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use std::sync::Arc;
use tokio::task::JoinSet;

/// What the lists tell: organizations, users, memberships, connections.
async fn told(store: &Store) -> [i64; 4] {
    let tx = &mut reader(store).await;
    [
        organizations::count(tx, &organizations::ListFilter::default()).await.unwrap(),
        users::count(tx, &users::ListFilter::default()).await.unwrap(),
        memberships::count(tx, &memberships::ListFilter::default()).await.unwrap(),
        enterprise_connections::count(tx, &enterprise_connections::ListFilter::default()).await.unwrap(),
    ]
}

/// What is there.
async fn counted(database: &Database) -> [i64; 4] {
    [
        database.rows("organizations").await,
        database.rows("users").await,
        database.rows("organization_memberships").await,
        database.rows("enterprise_connections").await,
    ]
}

/// Organizations 0 to 3 with a connection each; user n is a member of organizations 0 to n.
async fn fill(store: &Store) -> (Vec<Organization>, Vec<User>, Vec<EnterpriseConnection>) {
    let Roles { member, set, .. } = Roles::insert(store).await;
    let homes: Vec<_> = (0..4).map(|n| organization(n, &set)).collect();
    let people: Vec<_> = (0..4).map(bare_user).collect();
    let connections: Vec<_> = homes.iter().zip(0..).map(|(home, n)| connection(n, Some(home))).collect();
    committed!(store, |tx| {
        for ((home, person), connection) in homes.iter().zip(&people).zip(&connections) {
            organizations::insert(tx, home).await?;
            users::insert(tx, person).await?;
            enterprise_connections::insert(tx, connection).await?;
        }
        for (n, person) in (0i64..).zip(&people) {
            for (m, home) in (0i64..=n).zip(&homes) {
                memberships::insert(tx, &membership(10 * n + m, home, person, &member)).await?;
            }
        }
    });
    (homes, people, connections)
}

both_databases! {
    async fn totals_follow_everything_that_is_added_and_removed(store, database) {
        let (homes, people, connections) = fill(&store).await;
        assert_eq!(told(&store).await, [4, 4, 10, 4]);

        let tx = &mut reader(&store).await;
        let held = memberships::get(tx, &homes[3].id, &people[3].id).await.unwrap().unwrap();
        committed!(store, |tx| {
            memberships::delete(tx, &held, START).await?;
            // Once more: it is gone.
            memberships::delete(tx, &held, START).await?;
        });
        assert_eq!(told(&store).await, [4, 4, 9, 4]);

        for expected in [true, false] {
            let deleted = committed!(store, |tx| {
                [
                    organizations::delete(tx, &homes[0].id).await?,
                    users::delete(tx, &people[2].id).await?,
                    enterprise_connections::delete(tx, &connections[1].id).await?,
                ]
            });
            assert_eq!(deleted, [expected; 3]);
            // Organization 0 had four members; user 2 was in two more.
            assert_eq!(told(&store).await, [3, 3, 3, 3]);
            assert_eq!(counted(database).await, [3, 3, 3, 3]);
        }
    }

    async fn what_is_rolled_back_is_not_counted(store) {
        fill(&store).await;
        let outcome = attempted!(store, |tx| { users::insert(tx, &bare_user(9)).await? });
        outcome.unwrap();
        assert_eq!(told(&store).await, [4, 4, 10, 4]);
    }

    async fn filtered_lists_are_counted_themselves(store) {
        let (homes, ..) = fill(&store).await;
        let tx = &mut reader(&store).await;
        let of_two = memberships::ListFilter { organization_id: Some(homes[2].id.clone()), ..Default::default() };
        assert_eq!(memberships::count(tx, &of_two).await.unwrap(), 2);
        let exclude = Selection { exclude: vec![homes[0].id.to_string()], ..Default::default() };
        let but_one = organizations::ListFilter { organization_id: exclude, ..Default::default() };
        assert_eq!(organizations::count(tx, &but_one).await.unwrap(), 3);
        let off = enterprise_connections::ListFilter { active: Some(false), ..Default::default() };
        assert_eq!(enterprise_connections::count(tx, &off).await.unwrap(), 0);
    }

    async fn many_who_add_at_once_are_all_counted(store, database) {
        let stores = [store, database.open().await];
        let mut adding = JoinSet::new();
        for n in 0..60 {
            let store = stores[n as usize % 2].clone();
            // The ids end in a digit, so they meet over ten parts.
            adding.spawn(async move { committed!(store, |tx| { users::insert(tx, &bare_user(n)).await? }) });
        }
        adding.join_all().await;
        assert_eq!(told(&stores[0]).await, [0, 60, 0, 0]);
    }
}

/// A database of the version before totals were kept, with rows in it.
async fn bring_up_to_date(database: Arc<Database>) {
    let mut before: Migrator = sqlx::migrate!("./migrations");
    before.migrations.to_mut().retain(|migration| migration.version == 1);
    match &*database {
        Database::Sqlite { .. } => {
            let options = format!("{}?mode=rwc", database.url());
            before.run_direct(None, &mut SqliteConnection::connect(&options).await.unwrap(), false).await.unwrap();
        }
        Database::Postgres { .. } => {
            before.run_direct(None, &mut PgConnection::connect(&database.url()).await.unwrap(), false).await.unwrap();
        }
    }
    let columns = "id, public_metadata, private_metadata, unsafe_metadata, banned, locked, deprovisioned, delete_self_enabled, \
                   create_organization_enabled, bypass_client_trust, created_at, updated_at";
    for id in ["user_a", "user_b"] {
        let row = format!("'{id}', '{{}}', '{{}}', '{{}}', FALSE, FALSE, FALSE, TRUE, TRUE, FALSE, 1, 1");
        database.execute(&format!("INSERT INTO users ({columns}) VALUES ({row})")).await;
    }
    let store = database.open().await;
    assert_eq!(told(&store).await, [0, 2, 0, 0]);
    committed!(store, |tx| { users::insert(tx, &bare_user(1)).await? });
    assert_eq!(told(&store).await, [0, 3, 0, 0]);
}

#[tokio::test]
async fn rows_of_an_earlier_version_are_counted_on_sqlite() {
    on_sqlite(bring_up_to_date).await;
}

#[tokio::test]
async fn rows_of_an_earlier_version_are_counted_on_postgres() {
    on_postgres(bring_up_to_date).await;
}
