//! The schedule on which metadata is read again, and who has a connection.

use crate::support::reader;
use crate::support::samples::*;
use doorward_model::*;
use doorward_store::{Store, enterprise_connections, metadata_refreshes};
use std::sync::Arc;

fn record(n: i64) -> MetadataRefreshRecord {
    let notice = |n| MetadataRefreshNotice { code: "sso_url_differs".into(), message: odd("message", n) };
    let certificate =
        |n| RefreshedCertificate { fingerprint: sha256(n), subject: odd("CN=", n), expires_at: START + n };
    MetadataRefreshRecord {
        at: START + n,
        outcome: MetadataRefreshOutcome::Changed,
        requested: true,
        error: Some(notice(n)),
        trusted: vec![certificate(n), certificate(n + 1)],
        dropped: vec![certificate(n + 2)],
        notices: vec![notice(n + 1)],
    }
}

async fn with_connections(store: &Store, count: i64) -> Vec<EnterpriseConnection> {
    let connections: Vec<_> = (1..=count).map(|n| connection(n, None)).collect();
    committed!(store, |tx| {
        for connection in &connections {
            enterprise_connections::insert(tx, connection).await?;
        }
    });
    connections
}

both_databases! {
    async fn a_refresh_keeps_all_its_fields(store) {
        let tx = &mut reader(&store).await;
        let connections = with_connections(&store, 2).await;
        let (here, there) = (&connections[0].id, &connections[1].id);
        assert_eq!(metadata_refreshes::of(tx, here).await.unwrap(), None);
        committed!(store, |tx| {
            metadata_refreshes::schedule(tx, here, Some(START)).await?;
            metadata_refreshes::add(tx, there).await?;
            metadata_refreshes::add(tx, here).await?;
        });
        let fresh = MetadataRefresh {
            connection_id: here.clone(),
            due_at: Some(START),
            claimed_until: 0,
            failures: 0,
            succeeded_at: None,
            last: None,
            changes: Vec::new(),
        };
        assert_eq!(metadata_refreshes::of(tx, here).await.unwrap(), Some(fresh.clone()));
        let unscheduled = MetadataRefresh { connection_id: there.clone(), due_at: None, ..fresh.clone() };
        assert_eq!(metadata_refreshes::of(tx, there).await.unwrap(), Some(unscheduled.clone()));

        assert!(committed!(store, |tx| { metadata_refreshes::claim(tx, here, START, START + 9, true).await? }));
        let done = MetadataRefresh {
            due_at: Some(START + 100),
            claimed_until: START + 9,
            failures: 3,
            succeeded_at: Some(START + 1),
            last: Some(record(1)),
            changes: vec![record(2), record(3)],
            ..fresh.clone()
        };
        assert!(committed!(store, |tx| { metadata_refreshes::save(tx, &done).await? }));
        let saved = MetadataRefresh { claimed_until: 0, ..done.clone() };
        assert_eq!(metadata_refreshes::of(tx, here).await.unwrap(), Some(saved.clone()));
        assert_eq!(metadata_refreshes::of(tx, there).await.unwrap(), Some(unscheduled));

        // Taken off the schedule it keeps its history, and a new date forgets the failures alone.
        committed!(store, |tx| { metadata_refreshes::schedule(tx, here, None).await? });
        let off = MetadataRefresh { due_at: None, ..saved.clone() };
        assert_eq!(metadata_refreshes::of(tx, here).await.unwrap(), Some(off));
        committed!(store, |tx| { metadata_refreshes::schedule(tx, here, Some(START + 7)).await? });
        let again = MetadataRefresh { due_at: Some(START + 7), failures: 0, ..saved };
        assert_eq!(metadata_refreshes::of(tx, here).await.unwrap(), Some(again));
    }

    async fn who_is_due_and_free_comes_in_the_order_of_waiting(store) {
        let connections = with_connections(&store, 5).await;
        committed!(store, |tx| {
            for (connection, due_at) in connections.iter().zip([Some(30), Some(20), Some(10), None, Some(20)]) {
                metadata_refreshes::add(tx, &connection.id).await?;
                metadata_refreshes::schedule(tx, &connection.id, due_at).await?;
            }
            assert!(metadata_refreshes::claim(tx, &connections[4].id, 25, 40, true).await?);
        });
        let tx = &mut reader(&store).await;
        let id = |n: usize| connections[n].id.clone();
        assert_eq!(metadata_refreshes::due(tx, 9).await.unwrap(), []);
        assert_eq!(metadata_refreshes::due(tx, 29).await.unwrap(), [id(2), id(1)]);
        assert_eq!(metadata_refreshes::due(tx, 39).await.unwrap(), [id(2), id(1), id(0)]);
        // A claim whose holder died runs out.
        assert_eq!(metadata_refreshes::due(tx, 40).await.unwrap(), [id(2), id(1), id(4), id(0)]);
    }

    async fn what_is_put_off_is_free_and_due_later_and_only_for_whoever_has_it(store) {
        let connections = with_connections(&store, 2).await;
        let (on, off) = (&connections[0].id, &connections[1].id);
        committed!(store, |tx| {
            metadata_refreshes::schedule(tx, on, Some(10)).await?;
            metadata_refreshes::add(tx, off).await?;
            for id in [on, off] {
                assert!(metadata_refreshes::claim(tx, id, 10, 20, false).await?);
                metadata_refreshes::put_off(tx, id, 19, 30).await?;
            }
        });
        let tx = &mut reader(&store).await;
        let of = async |tx: &mut _, id| {
            let state = metadata_refreshes::of(tx, id).await.unwrap().unwrap();
            (state.due_at, state.claimed_until)
        };
        assert_eq!(of(tx, on).await, (Some(10), 20), "somebody else has it");
        committed!(store, |tx| {
            metadata_refreshes::put_off(tx, on, 20, 30).await?;
            metadata_refreshes::put_off(tx, off, 20, 30).await?;
        });
        assert_eq!(of(tx, on).await, (Some(30), 0));
        assert_eq!(of(tx, off).await.0, None, "it stays off the schedule");
    }

    async fn a_claim_is_one_holders_until_it_ends_and_its_proof_is_worth_nothing_afterwards(store) {
        let connections = with_connections(&store, 1).await;
        let id = &connections[0].id;
        let claim = async |now: i64, until: i64, only_if_due: bool| {
            committed!(store, |tx| { metadata_refreshes::claim(tx, id, now, until, only_if_due).await? })
        };
        assert!(!claim(START, START + 10, false).await, "there is nothing to claim");
        committed!(store, |tx| { metadata_refreshes::schedule(tx, id, Some(START + 5)).await? });
        assert!(!claim(START, START + 10, true).await, "it is not due");
        assert!(claim(START, START + 10, false).await, "the operator need not wait");
        assert!(!claim(START + 9, START + 19, false).await);
        let tx = &mut reader(&store).await;
        let mut first = metadata_refreshes::of(tx, id).await.unwrap().unwrap();
        assert!(claim(START + 10, START + 20, true).await, "the first holder was slower than its claim");
        first.failures = 1;
        assert!(!committed!(store, |tx| { metadata_refreshes::save(tx, &first).await? }));
        let second = metadata_refreshes::of(tx, id).await.unwrap().unwrap();
        assert_eq!((second.failures, second.claimed_until), (0, START + 20));
        assert!(committed!(store, |tx| { metadata_refreshes::save(tx, &second).await? }));
        assert!(!committed!(store, |tx| { metadata_refreshes::save(tx, &second).await? }), "once");
    }

    async fn of_many_who_claim_together_one_succeeds(store, database) {
        let connections = with_connections(&store, 1).await;
        committed!(store, |tx| { metadata_refreshes::schedule(tx, &connections[0].id, Some(START)).await? });
        let id = Arc::new(connections[0].id.clone());
        let nodes = [store.clone(), database.open().await];
        let claims: Vec<_> = (0..8)
            .map(|n| {
                let (store, id) = (nodes[n % 2].clone(), id.clone());
                let until = START + 100 + n as i64;
                tokio::spawn(async move {
                    committed!(store, |tx| { metadata_refreshes::claim(tx, &id, START, until, true).await? })
                })
            })
            .collect();
        let mut won = 0;
        for claim in claims {
            won += usize::from(claim.await.unwrap());
        }
        assert_eq!(won, 1);
    }
}
