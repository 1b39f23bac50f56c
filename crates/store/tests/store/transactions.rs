//! Transactions of several processes on one database, and transactions that do not come to their end.

use crate::support::samples::*;
use crate::support::{on_sqlite, reader};
use doorward_model::*;
use doorward_store::{
    Store, StoreError, TransactionError, clients, enterprise_connections, instance, memberships, oidc_requests,
    organizations, saml_requests, users, write_tx,
};
use std::future::poll_fn;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::task::JoinSet;

/// How a flow's transaction may end.
#[derive(Debug)]
enum Outcome {
    Refused,
    Store(StoreError),
}

impl From<StoreError> for Outcome {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl TransactionError for Outcome {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Refused => None,
            Self::Store(error) => Some(error),
        }
    }
}

/// The tasks' values. Each task runs on its own, on the stores in turn.
async fn concurrently<T, F>(stores: &[Store], tasks: i64, task: impl Fn(Store, i64) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut set = JoinSet::new();
    for n in 0..tasks {
        set.spawn(task(stores[n as usize % stores.len()].clone(), n));
    }
    set.join_all().await
}

async fn insert_home(store: &Store, max_allowed_memberships: i64) -> (Roles, Organization) {
    let roles = Roles::insert(store).await;
    let home = Organization { max_allowed_memberships, ..organization(1, &roles.set) };
    committed!(store, |tx| { organizations::insert(tx, &home).await? });
    (roles, home)
}

/// Polls a future at most so many times and then drops it, wherever it stands.
async fn polled<T>(future: impl Future<Output = T>, times: u32) -> Option<T> {
    let mut future = Box::pin(future);
    let mut left = times;
    poll_fn(move |context| {
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Checks that a transaction can begin, write and commit.
async fn assert_writable(store: &Store, n: i64) {
    let written = tokio::time::timeout(Duration::from_secs(5), async {
        committed!(store, |tx| { users::insert(tx, &user(n)).await? });
    });
    written.await.unwrap();
}

both_databases! {
    async fn fifty_changes_of_one_row_from_two_processes_are_all_kept(store, database) {
        let (_, home) = insert_home(&store, 0).await;
        let stores = [store, database.open().await];
        let outcomes = concurrently(&stores, 50, |store, _| {
            let id = home.id.clone();
            async move {
                write_tx!(store, StoreError, |tx| {
                    let mut home = organizations::by_id(tx, &id).await?.unwrap();
                    home.max_allowed_memberships += 1;
                    organizations::update(tx, &home).await
                })
            }
        });
        for outcome in outcomes.await {
            outcome.unwrap();
        }
        let counted = organizations::by_id(&mut reader(&stores[0]).await, &home.id).await.unwrap().unwrap();
        assert_eq!(counted.max_allowed_memberships, 50);
    }

    async fn org_11_two_processes_never_sell_a_seat_twice(store, database) {
        const SEATS: i64 = 5;
        let (roles, home) = insert_home(&store, SEATS).await;
        committed!(store, |tx| {
            for n in 0..24 {
                users::insert(tx, &user(n)).await?;
            }
        });
        let stores = [store, database.open().await];
        let outcomes = concurrently(&stores, 24, |store, n| {
            let (id, held) = (home.id.clone(), membership(n, &home, &user(n), &roles.member));
            async move {
                write_tx!(store, Outcome, |tx| {
                    let home = organizations::by_id(tx, &id).await?.unwrap();
                    if home.members_count >= home.max_allowed_memberships {
                        return Err(Outcome::Refused);
                    }
                    memberships::insert(tx, &held).await?;
                    Ok(())
                })
            }
        });
        let (mut seated, mut refused) = (0, 0);
        for outcome in outcomes.await {
            match outcome {
                Ok(()) => seated += 1,
                Err(Outcome::Refused) => refused += 1,
                Err(Outcome::Store(error)) => panic!("{error}"),
            }
        }
        assert_eq!((seated, refused), (SEATS, 24 - SEATS));
        assert_eq!(database.rows("organization_memberships").await, SEATS);
        let counted = organizations::by_id(&mut reader(&stores[0]).await, &home.id).await.unwrap().unwrap();
        assert_eq!(counted.members_count, SEATS);
    }

    /// Each of the two looks at the other's row and changes its own, so no row is changed twice.
    async fn two_admins_who_leave_at_once_do_not_leave_an_organization_without_one(store, database) {
        let (roles, home) = insert_home(&store, 0).await;
        let stores = [store, database.open().await];
        for round in 0..5i64 {
            let pair = [2 * round, 2 * round + 1];
            let held = pair.map(|n| membership(n, &home, &user(n), &roles.admin));
            committed!(stores[0], |tx| {
                for (n, membership) in pair.iter().zip(&held) {
                    users::insert(tx, &user(*n)).await?;
                    memberships::insert(tx, membership).await?;
                }
            });
            let outcomes = concurrently(&stores, 2, |store, n| {
                let held = held[n as usize].clone();
                let member = roles.member.id.clone();
                async move {
                    write_tx!(store, Outcome, |tx| {
                        let (home, user, role) = (&held.organization_id, &held.user_id, &held.role_id);
                        if memberships::count_others_with_role(tx, home, user, role).await? == 0 {
                            return Err(Outcome::Refused);
                        }
                        let demoted = OrganizationMembership { role_id: member.clone(), ..held.clone() };
                        memberships::update(tx, &demoted).await?;
                        Ok(())
                    })
                }
            });
            let refused = outcomes.await.iter().filter(|outcome| matches!(outcome, Err(Outcome::Refused))).count();
            assert_eq!(refused, 1, "round {round}");
            committed!(stores[0], |tx| {
                for n in pair {
                    users::delete(tx, &user(n).id).await?;
                }
            });
        }
    }

    async fn processes_that_start_together_make_one_instance(store, database) {
        let stores = [store, database.open().await];
        let outcomes = concurrently(&stores, 8, |store, n| async move {
            write_tx!(store, StoreError, |tx| {
                if let Some(found) = instance::get(tx).await? {
                    return Ok(found.id);
                }
                instance::insert(tx, &instance(n)).await?;
                Ok(instance(n).id)
            })
        });
        let mut ids: Vec<InstanceId> = outcomes.await.into_iter().map(Result::unwrap).collect();
        ids.dedup();
        assert_eq!(ids.len(), 1, "{ids:?}");
        assert_eq!(database.rows("instance").await, 1);
    }

    async fn sml_11_of_many_nodes_that_receive_one_assertion_one_accepts_it(store, database) {
        let idp = connection(1, None);
        committed!(store, |tx| { enterprise_connections::insert(tx, &idp).await? });
        let stores = [store, database.open().await];
        let outcomes = concurrently(&stores, 16, |store, _| {
            let idp = idp.id.clone();
            async move {
                write_tx!(store, StoreError, |tx| {
                    saml_requests::remember_assertion(tx, &idp, "_assertion", START).await
                })
            }
        });
        let accepted = outcomes.await.into_iter().filter(|outcome| *outcome.as_ref().unwrap()).count();
        assert_eq!(accepted, 1);
    }

    async fn of_many_nodes_that_receive_one_state_one_takes_the_trip(store, database) {
        let (idp, browser) = (oidc_connection(1), client(1));
        let trip = oidc_request(1, &idp, AttemptId::SignIn(id("sia", 1)), &browser);
        committed!(store, |tx| {
            enterprise_connections::insert(tx, &idp).await?;
            clients::insert(tx, &browser).await?;
            oidc_requests::insert(tx, &trip).await?;
        });
        let stores = [store, database.open().await];
        let outcomes = concurrently(&stores, 16, |store, _| {
            let state = trip.state_sha256.clone();
            async move { write_tx!(store, StoreError, |tx| { oidc_requests::take(tx, &state).await }) }
        });
        let taken: Vec<_> = outcomes.await.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(taken, [trip]);
        assert_eq!(database.rows("oidc_requests").await, 0);
    }

    async fn lnk_1_of_many_sign_ins_with_one_new_address_one_makes_the_user(store, database) {
        let stores = [store, database.open().await];
        let address_text = "anna@acme.example";
        let outcomes = concurrently(&stores, 12, |store, n| async move {
            write_tx!(store, StoreError, |tx| {
                let named = users::addresses_named(tx, &email(address_text)).await?;
                if let Some(owner) = named.into_iter().find(|address| address.verification.is_verified()) {
                    return Ok(owner.user_id);
                }
                users::insert(tx, &user(n)).await?;
                let address = address(n, &user(n), address_text, EmailVerification::EnterpriseSso);
                users::insert_address(tx, &address).await?;
                Ok(address.user_id)
            })
        });
        let mut owners: Vec<UserId> = outcomes.await.into_iter().map(Result::unwrap).collect();
        owners.dedup();
        assert_eq!(owners.len(), 1, "{owners:?}");
        assert_eq!(database.rows("users").await, 1);
    }

    async fn a_conflict_runs_the_whole_body_again(store, database) {
        let runs = AtomicU32::new(0);
        let value = write_tx!(store, StoreError, |tx| {
            let run = runs.fetch_add(1, Ordering::Relaxed);
            users::insert(tx, &user(i64::from(run))).await?;
            if run < 2 {
                return Err(StoreError::Conflict("try again".into()));
            }
            Ok(run)
        });
        assert_eq!(value.unwrap(), 2);
        assert_eq!(database.rows("users").await, 1);
        assert!(users::by_id(&mut reader(&store).await, &user(2).id).await.unwrap().is_some());
    }

    async fn a_conflict_that_stays_is_reported_in_the_end(store, database) {
        committed!(store, |tx| { users::insert(tx, &user(1)).await? });
        let runs = AtomicU32::new(0);
        let outcome = write_tx!(store, Outcome, |tx| {
            runs.fetch_add(1, Ordering::Relaxed);
            users::insert(tx, &user(2)).await?;
            users::insert(tx, &user(1)).await?;
            Ok(())
        });
        assert!(matches!(outcome, Err(Outcome::Store(StoreError::Conflict(_)))), "{outcome:?}");
        assert!(runs.load(Ordering::Relaxed) > 3);
        assert_eq!(database.rows("users").await, 1);
        assert_writable(&store, 3).await;
    }

    async fn while_one_transaction_waits_for_its_next_run_others_write(store) {
        committed!(store, |tx| { users::insert(tx, &user(1)).await? });
        let hopeless = tokio::spawn({
            let store = store.clone();
            async move {
                write_tx!(store, StoreError, |tx| { users::insert(tx, &user(1)).await })
            }
        });
        let mut written = 0;
        while !hopeless.is_finished() {
            written += 1;
            assert_writable(&store, 100 + written).await;
        }
        assert!(hopeless.await.unwrap().is_err());
        // It pauses for more than a second in all; a write takes a few milliseconds.
        assert!(written > 40, "only {written} other transactions were committed");
    }

    async fn what_the_database_refuses_for_good_is_not_tried_again(store, database) {
        let runs = AtomicU32::new(0);
        let outcome = write_tx!(store, StoreError, |tx| {
            runs.fetch_add(1, Ordering::Relaxed);
            users::insert(tx, &user(1)).await?;
            users::insert_address(tx, &address(1, &user(9), "a@acme.example", EmailVerification::Admin)).await
        });
        assert!(matches!(outcome, Err(StoreError::Database(_))), "{outcome:?}");
        assert_eq!(runs.load(Ordering::Relaxed), 1);
        assert_eq!(database.rows("users").await, 0);
    }

    async fn a_body_that_refuses_leaves_nothing(store, database) {
        let runs = AtomicU32::new(0);
        let outcome: Result<(), Outcome> = write_tx!(store, Outcome, |tx| {
            runs.fetch_add(1, Ordering::Relaxed);
            users::insert(tx, &user(1)).await?;
            Err(Outcome::Refused)
        });
        assert!(matches!(outcome, Err(Outcome::Refused)), "{outcome:?}");
        assert_eq!(runs.load(Ordering::Relaxed), 1);
        assert_eq!(database.rows("users").await, 0);
        assert_writable(&store, 1).await;
    }

    async fn a_body_that_panics_leaves_nothing_and_the_writer_free(store, database) {
        let panicked = tokio::spawn({
            let store = store.clone();
            async move {
                write_tx!(store, StoreError, |tx| {
                    users::insert(tx, &user(1)).await?;
                    if users::by_id(tx, &user(1).id).await?.is_some() {
                        panic!("in the middle");
                    }
                    Ok(())
                })
            }
        });
        assert!(panicked.await.unwrap_err().is_panic());
        assert_writable(&store, 2).await;
        assert_eq!(database.rows("users").await, 1);
    }

    async fn a_dropped_transaction_leaves_nothing_and_the_writer_free(store, database) {
        let waits_forever = async {
            write_tx!(store, StoreError, |tx| {
                users::insert(tx, &user(1)).await?;
                std::future::pending::<()>().await;
                Ok(())
            })
        };
        assert!(tokio::time::timeout(Duration::from_millis(200), waits_forever).await.is_err());
        assert_writable(&store, 2).await;
        assert_eq!(database.rows("users").await, 1);
    }

    /// A browser may hang up at any moment: while the transaction begins, between statements, during the commit.
    async fn a_transaction_that_is_dropped_at_any_moment_is_kept_whole_or_not_at_all(store, database) {
        let (mut finished, mut dropped) = (0, 0);
        for n in 0..90 {
            let (store, person) = (store.clone(), user(n));
            let transaction = async move {
                write_tx!(store, StoreError, |tx| {
                    users::insert(tx, &person).await?;
                    for m in 0..3 {
                        let text = format!("{m}@acme{n}.example");
                        let address = address(n * 3 + m, &person, &text, EmailVerification::Admin);
                        users::insert_address(tx, &address).await?;
                        // SQLite is called in place, so without this nothing would ever wait between its statements.
                        tokio::task::yield_now().await;
                    }
                    Ok(())
                })
            };
            match polled(transaction, n as u32 % 20 + 1).await {
                Some(outcome) => {
                    outcome.unwrap();
                    finished += 1;
                }
                None => dropped += 1,
            }
        }
        assert!(dropped > 0, "all {finished} transactions were finished");
        assert_writable(&store, 1000).await;
        let users = database.rows("users").await - 1;
        assert!(users >= finished);
        assert_eq!(database.rows("email_addresses").await, 3 * users);
    }

    async fn what_is_committed_is_seen_at_once_by_every_process(store, database) {
        let other = database.open().await;
        let (here, there) = (&mut reader(&store).await, &mut reader(&other).await);
        for n in 0..20 {
            committed!(store, |tx| { users::insert(tx, &user(n)).await? });
            assert!(users::by_id(here, &user(n).id).await.unwrap().is_some());
            assert!(users::by_id(there, &user(n).id).await.unwrap().is_some());
        }
    }

    async fn what_is_not_committed_is_seen_by_its_own_transaction_only(store) {
        let mut tx = store.begin().await.unwrap();
        users::insert(&mut tx, &user(1)).await.unwrap();
        assert!(users::by_id(&mut tx, &user(1).id).await.unwrap().is_some());
        // A reader neither sees it nor waits for it.
        let seen = users::by_id(&mut reader(&store).await, &user(1).id).await.unwrap();
        assert_eq!(seen, None);
    }

    async fn reads_go_on_while_a_transaction_is_open(store) {
        let mut tx = store.begin().await.unwrap();
        users::insert(&mut tx, &user(1)).await.unwrap();
        let reads = concurrently(std::slice::from_ref(&store), 40, |store, _| async move {
            let found = users::by_id(&mut reader(&store).await, &user(1).id).await;
            found.unwrap().is_none()
        });
        let reads = tokio::time::timeout(Duration::from_secs(5), reads).await.unwrap();
        assert_eq!(reads, [true; 40]);
    }
}

/// On PostgreSQL nobody waits for anybody, so there is nothing to prove.
#[tokio::test]
async fn who_waits_for_another_process_on_sqlite_blocks_no_thread() {
    on_sqlite(|database| async move {
        let (here, there) = (database.open().await, database.open().await);
        let mut held = there.begin().await.unwrap();
        users::insert(&mut held, &user(1)).await.unwrap();
        // The runtime of this test has one thread.
        let waiting = tokio::spawn(async move { assert_writable(&here, 2).await });
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            assert!(!waiting.is_finished());
        }
        drop(held);
        waiting.await.unwrap();
        assert_eq!(database.rows("users").await, 1);
    })
    .await;
}
