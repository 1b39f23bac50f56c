//! The list of sessions.

use crate::support::samples::*;
use crate::support::{ALL, reader};
use doorward_model::*;
use doorward_store::sessions::{self, ListFilter};
use doorward_store::{Page, Store, clients, users};

const STATUSES: [SessionStatus; 7] = [
    SessionStatus::Active,
    SessionStatus::Ended,
    SessionStatus::Expired,
    SessionStatus::Removed,
    SessionStatus::Revoked,
    SessionStatus::Replaced,
    SessionStatus::Abandoned,
];

/// Two browsers and two users in all combinations; per pair a session of every status, and active ones that end differently.
async fn fill(store: &Store) -> Vec<Session> {
    let people = [user(1), user(2)];
    let browsers = [client(1), client(2)];
    let mut all: Vec<Session> = Vec::new();
    for person in &people {
        for browser in &browsers {
            for status in STATUSES {
                for (expire_at, abandon_at) in [(100, 200), (200, 100), (150, 150), (100, 100)] {
                    all.push(Session {
                        status,
                        expire_at: START + expire_at,
                        abandon_at: START + abandon_at,
                        ..session(all.len() as i64, browser, person)
                    });
                }
            }
        }
    }
    committed!(store, |tx| {
        for n in 0..2 {
            users::insert(tx, &people[n]).await?;
            clients::insert(tx, &browsers[n]).await?;
        }
        for session in &all {
            sessions::insert(tx, session).await?;
        }
    });
    all.reverse();
    all
}

both_databases! {
    async fn tok_11_sessions_by_every_filter_newest_first(store) {
        let all = fill(&store).await;
        let tx = &mut reader(&store).await;
        let statuses = || STATUSES.into_iter().map(Some).chain([None]);
        let clients = [None, Some(1), Some(9)].map(|n| n.map(|n| id::<String>("client", n)));
        let users = [None, Some(2)].map(|n| n.map(|n| id::<String>("user", n)));
        for now in [START, START + 99, START + 100, START + 101, START + 150, START + 199, START + 200, START + 201] {
            for status in statuses() {
                for client_id in clients.clone() {
                    for user_id in users.clone() {
                        let fits = |session: &&Session| {
                            client_id.as_ref().is_none_or(|id| session.client_id.as_str() == id)
                                && user_id.as_ref().is_none_or(|id| session.user_id.as_str() == id)
                                && status.is_none_or(|status| session.status_at(now) == status)
                        };
                        let expected: Vec<Session> = all.iter().filter(fits).cloned().collect();
                        let wanted = ListFilter { client_id: client_id.clone(), user_id: user_id.clone(), status };
                        let found = sessions::list(tx, &wanted, now, ALL).await.unwrap();
                        assert_eq!(found, expected, "{wanted:?} at {now}");
                        let count = sessions::count(tx, &wanted, now).await.unwrap();
                        assert_eq!(count, expected.len() as i64, "{wanted:?} at {now}");
                    }
                }
            }
        }
    }

    async fn pages_of_sessions_of_one_millisecond_neither_repeat_nor_skip(store) {
        let (person, browser) = (user(1), client(1));
        committed!(store, |tx| {
            users::insert(tx, &person).await?;
            clients::insert(tx, &browser).await?;
            for n in [4, 0, 3, 1, 2] {
                let twin = Session { created_at: START, ..session(n, &browser, &person) };
                sessions::insert(tx, &twin).await?;
            }
        });
        let tx = &mut reader(&store).await;
        let mut ids = Vec::new();
        for offset in [0, 2, 4] {
            let page = Page { limit: 2, offset };
            let list = sessions::list(tx, &ListFilter::default(), START, page).await.unwrap();
            ids.extend(list.into_iter().map(|session| session.id));
        }
        assert_eq!(ids, [4, 3, 2, 1, 0].map(|n| id("sess", n)));
    }
}
