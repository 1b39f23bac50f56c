//! The lists of enterprise connections and of enterprise accounts.

use super::{SIZES, ids_of_size};
use crate::support::samples::*;
use crate::support::{ALL, reader};
use doorward_model::*;
use doorward_store::enterprise_connections::{self, ListFilter};
use doorward_store::{Page, Store, enterprise_accounts, organizations, users};

/// Connections 0 to 5: 0 to 2 belong to the first organization, 3 to the second; odd ones are off.
async fn fill(store: &Store) -> Vec<EnterpriseConnection> {
    let Roles { set, .. } = Roles::insert(store).await;
    let homes = [1, 2].map(|n| organization(n, &set));
    let owners = [Some(0), Some(0), Some(0), Some(1), None, None];
    let domains: [&[&str]; 6] = [
        &["z.example", "a.example"],
        &["a.example"],
        &[],
        &["xn--bcher-kva.example"],
        &["c.example", "b.example", "a.example"],
        &["d.example"],
    ];
    let all: Vec<EnterpriseConnection> = (0i64..)
        .zip(owners.iter().zip(domains))
        .map(|(n, (owner, names))| EnterpriseConnection {
            active: n % 2 == 0,
            domains: names.iter().map(|name| domain(name)).collect(),
            ..connection(n, owner.map(|home: usize| &homes[home]))
        })
        .collect();
    committed!(store, |tx| {
        for home in &homes {
            organizations::insert(tx, home).await?;
        }
        for connection in &all {
            enterprise_connections::insert(tx, connection).await?;
        }
    });
    all
}

both_databases! {
    async fn con_40_connections_by_every_filter_newest_first(store) {
        let all = fill(&store).await;
        let organization = |n| Some(id::<String>("org", n));
        let tx = &mut reader(&store).await;
        for (organization_id, active, expected) in [
            (None, None, vec![5, 4, 3, 2, 1, 0]),
            (None, Some(true), vec![4, 2, 0]),
            (None, Some(false), vec![5, 3, 1]),
            (organization(1), None, vec![2, 1, 0]),
            (organization(1), Some(true), vec![2, 0]),
            (organization(2), Some(true), vec![]),
            (organization(9), None, vec![]),
        ] {
            let wanted = ListFilter { organization_id, active };
            let expected: Vec<_> = expected.into_iter().map(|n: usize| all[n].clone()).collect();
            assert_eq!(enterprise_connections::list(tx, &wanted, ALL).await.unwrap(), expected, "{wanted:?}");
            assert_eq!(enterprise_connections::count(tx, &wanted).await.unwrap(), expected.len() as i64, "{wanted:?}");
        }
    }

    async fn pages_of_connections_of_one_millisecond_neither_repeat_nor_skip(store) {
        committed!(store, |tx| {
            for n in [4, 0, 3, 1, 2] {
                let twin = EnterpriseConnection { created_at: START, ..bare_connection(n) };
                enterprise_connections::insert(tx, &twin).await?;
            }
        });
        let tx = &mut reader(&store).await;
        let mut ids = Vec::new();
        for offset in [0, 2, 4] {
            let page = Page { limit: 2, offset };
            let list = enterprise_connections::list(tx, &ListFilter::default(), page).await.unwrap();
            ids.extend(list.into_iter().map(|found| found.id));
        }
        assert_eq!(ids, [4, 3, 2, 1, 0].map(|n| id("entconn", n)));
    }

    async fn connections_of_an_organization_come_oldest_first(store) {
        let all = fill(&store).await;
        let tx = &mut reader(&store).await;
        let found = enterprise_connections::of_organization(tx, &id("org", 1)).await.unwrap();
        assert_eq!(found, all[..3]);
        assert_eq!(enterprise_connections::of_organization(tx, &id("org", 9)).await.unwrap(), []);
    }

    async fn connections_that_serve_a_domain_come_once_and_oldest_first(store) {
        let all = fill(&store).await;
        let tx = &mut reader(&store).await;
        for (names, expected) in [
            (vec![], vec![]),
            (vec!["a.example"], vec![0, 1, 4]),
            (vec!["a.example", "b.example", "c.example", "z.example"], vec![0, 1, 4]),
            (vec!["BÜCHER.example."], vec![3]),
            (vec!["none.example", "d.example", "xn--bcher-kva.example"], vec![3, 5]),
            (vec!["example.example", "x.a.example"], vec![]),
        ] {
            let domains: Vec<Domain> = names.iter().map(|name| domain(name)).collect();
            let found = enterprise_connections::serving(tx, &domains).await.unwrap();
            let expected: Vec<_> = expected.into_iter().map(|n: usize| all[n].clone()).collect();
            assert_eq!(found, expected, "{names:?}");
        }
        let many: Vec<Domain> = (0..100).map(|n| domain(&format!("{n}.a.example"))).chain([domain("d.example")]).collect();
        assert_eq!(enterprise_connections::serving(tx, &many).await.unwrap(), all[5..]);
    }

    async fn accounts_of_many_users_come_oldest_first(store) {
        let people: Vec<User> = (0..6).map(user).collect();
        let idps = [connection(1, None), connection(2, None)];
        // Each user's second account is older than everyone's first.
        let accounts: Vec<EnterpriseAccount> = (0..12)
            .map(|n| account(n, &people[n as usize % 6], &idps[n as usize / 6], &format!("subject {n}")))
            .rev()
            .map(|account| EnterpriseAccount { created_at: START + 100 - account.created_at, ..account })
            .collect();
        committed!(store, |tx| {
            for person in &people {
                users::insert(tx, person).await?;
            }
            for idp in &idps {
                enterprise_connections::insert(tx, idp).await?;
            }
            for account in accounts.iter().rev() {
                enterprise_accounts::insert(tx, account).await?;
            }
        });
        let tx = &mut reader(&store).await;
        assert_eq!(enterprise_accounts::of_users(tx, &[]).await.unwrap(), []);
        for size in SIZES {
            let ids = ids_of_size(size, "user", 6);
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            let expected: Vec<_> = accounts.iter().filter(|a| ids.contains(&a.user_id.as_str())).cloned().collect();
            assert_eq!(enterprise_accounts::of_users(tx, &ids).await.unwrap(), expected, "{size} users");
        }
    }
}
