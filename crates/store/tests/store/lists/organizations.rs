//! The lists of organizations and of redirect URLs.

use super::{SIZES, exclude, ids_of_size, include, texts};
use crate::support::samples::*;
use crate::support::{ALL, reader};
use doorward_model::*;
use doorward_store::organizations::{self, ListFilter, Order};
use doorward_store::{Direction, Page, Selection, Store, memberships, redirect_urls, users};

/// `(name, slug, members)` of organizations 0 to 5.
const ORGANIZATIONS: [(&str, &str, &[i64]); 6] = [
    ("Acme 100%", "acme-a", &[1, 2, 3]),
    ("Acme 1000", "acme-b", &[1]),
    ("under_score", "acme_c", &[2]),
    ("underXscore", "other", &[]),
    ("back\\slash 漢字", "back", &[]),
    ("Ärzte & 'Söhne'", "100", &[1, 2]),
];

async fn fill(store: &Store) {
    let Roles { member, set, .. } = Roles::insert(store).await;
    committed!(store, |tx| {
        let people = [1, 2, 3].map(bare_user);
        for person in &people {
            users::insert(tx, person).await?;
        }
        for (n, (name, slug, members)) in (0i64..).zip(ORGANIZATIONS) {
            let home = Organization { name: name.into(), slug: slug.into(), ..organization(n, &set) };
            organizations::insert(tx, &home).await?;
            for m in members {
                let held = membership(n * 10 + m, &home, &people[*m as usize - 1], &member);
                memberships::insert(tx, &held).await?;
            }
        }
    });
}

/// The numbers of the organizations a list finds, oldest first; its count must agree.
async fn found(store: &Store, wanted: &ListFilter) -> Vec<i64> {
    let tx = &mut reader(store).await;
    let order = (Order::CreatedAt, Direction::Ascending);
    let list = organizations::list(tx, wanted, order, ALL).await.unwrap();
    let count = organizations::count(tx, wanted).await.unwrap();
    assert_eq!(count, list.len() as i64, "{wanted:?}");
    list.iter().map(|found| found.created_at - START).collect()
}

both_databases! {
    async fn org_22_query_is_exact_on_the_id_and_partial_on_name_and_slug(store) {
        fill(&store).await;
        let whole = id::<String>("org", 3);
        for (query, expected) in [
            ("acme", vec![0, 1, 2]),
            ("ACME", vec![0, 1, 2]),
            ("100%", vec![0]),
            ("100", vec![0, 1, 5]),
            ("r_s", vec![2]),
            ("e_c", vec![2]),
            ("\\", vec![4]),
            ("K\\S", vec![4]),
            ("漢", vec![4]),
            ("Ärzte", vec![5]),
            ("'Söhne'", vec![5]),
            (whole.as_str(), vec![3]),
            (&whole[..whole.len() - 1], vec![]),
            ("%", vec![0]),
            ("_", vec![2]),
        ] {
            let wanted = ListFilter { query: Some(query.to_owned()), ..ListFilter::default() };
            assert_eq!(found(&store, &wanted).await, expected, "{query}");
        }
    }

    async fn org_22_organizations_with_and_without_members(store) {
        fill(&store).await;
        let user = |n| id::<String>("user", n);
        for (user_id, expected) in [
            (include(&[user(1)]), vec![0, 1, 5]),
            (include(&[user(2), user(3)]), vec![0, 2, 5]),
            (exclude(&[user(1)]), vec![2, 3, 4]),
            (exclude(&[user(1), user(2), user(3)]), vec![3, 4]),
            (Selection { include: vec![user(1)], exclude: vec![user(3)] }, vec![1, 5]),
            (include(&["user_none"]), vec![]),
            (exclude(&["user_none"]), vec![0, 1, 2, 3, 4, 5]),
        ] {
            let wanted = ListFilter { user_id, ..ListFilter::default() };
            assert_eq!(found(&store, &wanted).await, expected, "{wanted:?}");
        }
    }

    async fn org_22_organizations_by_id_in_lists_of_any_size(store) {
        fill(&store).await;
        for size in SIZES {
            let ids = ids_of_size(size, "org", 6);
            let hits = size.min(6) as i64;
            let wanted = ListFilter { organization_id: include(&ids), ..ListFilter::default() };
            assert_eq!(found(&store, &wanted).await, (0..hits).collect::<Vec<_>>(), "{size} ids");
            let wanted = ListFilter { organization_id: exclude(&ids), ..ListFilter::default() };
            assert_eq!(found(&store, &wanted).await, (hits..6).collect::<Vec<_>>(), "all but {size} ids");
        }
    }

    async fn org_22_all_conditions_hold_at_once(store) {
        fill(&store).await;
        let wanted = ListFilter {
            query: Some("acme".into()),
            user_id: include(&[id::<String>("user", 1)]),
            organization_id: Selection { include: ids_of_size(3, "org", 6), exclude: texts(&[id::<String>("org", 0)]) },
        };
        assert_eq!(found(&store, &wanted).await, [1]);
    }

    async fn org_22_organizations_in_every_order_page_by_page(store) {
        fill(&store).await;
        let mut by_name: Vec<i64> = (0..6).collect();
        by_name.sort_by_key(|n| ORGANIZATIONS[*n as usize].0);
        let mut by_members: Vec<i64> = (0..6).collect();
        by_members.sort_by_key(|n| (ORGANIZATIONS[*n as usize].2.len(), *n));
        let orders = [
            (Order::CreatedAt, vec![0, 1, 2, 3, 4, 5]),
            (Order::Name, by_name),
            (Order::MembersCount, by_members),
        ];
        let tx = &mut reader(&store).await;
        for (order, mut expected) in orders {
            for direction in [Direction::Ascending, Direction::Descending] {
                let mut numbers = Vec::new();
                for offset in [0, 2, 4, 6] {
                    let page = Page { limit: 2, offset };
                    let list = organizations::list(tx, &ListFilter::default(), (order, direction), page).await.unwrap();
                    numbers.extend(list.iter().map(|found| found.created_at - START));
                }
                assert_eq!(numbers, expected, "{order:?} {direction:?}");
                expected.reverse();
            }
        }
    }

    async fn org_22_pages_of_equal_organizations_neither_repeat_nor_skip(store) {
        let Roles { set, .. } = Roles::insert(&store).await;
        committed!(store, |tx| {
            for n in [4, 0, 3, 1, 2] {
                let twin = Organization { name: "Acme".into(), created_at: START, ..organization(n, &set) };
                organizations::insert(tx, &twin).await?;
            }
        });
        let tx = &mut reader(&store).await;
        for order in [Order::CreatedAt, Order::Name, Order::MembersCount] {
            let mut ids = Vec::new();
            for offset in [0, 2, 4] {
                let page = Page { limit: 2, offset };
                let list = organizations::list(tx, &ListFilter::default(), (order, Direction::Descending), page).await;
                ids.extend(list.unwrap().into_iter().map(|found| found.id));
            }
            assert_eq!(ids, [4, 3, 2, 1, 0].map(|n| id("org", n)), "{order:?}");
        }
    }

    async fn redirect_urls_come_newest_first_page_by_page(store) {
        committed!(store, |tx| {
            for n in 0..5 {
                let url = RedirectUrl { created_at: START + n / 2, ..redirect_url(n) };
                redirect_urls::insert(tx, &url).await?;
            }
        });
        let tx = &mut reader(&store).await;
        let mut ids = Vec::new();
        for offset in [0, 2, 4] {
            let list = redirect_urls::list(tx, Page { limit: 2, offset }).await.unwrap();
            ids.extend(list.into_iter().map(|url| url.id));
        }
        assert_eq!(ids, [4, 3, 2, 1, 0].map(|n| id("ru", n)));
        assert_eq!(redirect_urls::count(tx).await.unwrap(), 5);
    }
}
