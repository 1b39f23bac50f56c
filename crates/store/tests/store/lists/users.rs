//! The list of users.

use super::{SIZES, exclude, ids_of_size, include, texts};
use crate::support::samples::*;
use crate::support::{ALL, reader};
use doorward_model::*;
use doorward_store::users::{self, ListFilter, Order};
use doorward_store::{Direction, Page, Selection, Store, memberships, organizations};

/// What tells one user of these tests from another; users are numbered from 0.
#[derive(Default)]
struct Person {
    username: Option<&'static str>,
    first_name: Option<&'static str>,
    last_name: Option<&'static str>,
    external_id: Option<&'static str>,
    addresses: &'static [&'static str],
    organizations: &'static [i64],
    banned: bool,
    last_active_at: Option<Millis>,
    last_sign_in_at: Option<Millis>,
}

const PEOPLE: [Person; 7] = [
    Person {
        username: Some("anna_1"),
        first_name: Some("Anna"),
        last_name: Some("Ünal"),
        external_id: Some("ext'0"),
        addresses: &["anna@acme.example", "zoe@other.example"],
        organizations: &[1],
        banned: false,
        last_active_at: Some(100),
        last_sign_in_at: Some(300),
    },
    Person {
        username: Some("annaX1"),
        first_name: Some("bert"),
        last_name: Some("O'Neil"),
        external_id: Some("EXT'0"),
        addresses: &["bert%100@acme.example"],
        organizations: &[1, 2],
        banned: true,
        last_active_at: Some(200),
        last_sign_in_at: Some(200),
    },
    Person {
        username: Some("100%"),
        first_name: Some("Carla"),
        last_name: None,
        external_id: None,
        addresses: &["carla_c@acme.example"],
        organizations: &[2],
        banned: false,
        last_active_at: Some(300),
        last_sign_in_at: Some(100),
    },
    Person {
        username: Some("1000"),
        first_name: None,
        last_name: Some("漢字"),
        external_id: Some("3"),
        addresses: &["carlaxc@acme.example"],
        organizations: &[],
        banned: false,
        last_active_at: None,
        last_sign_in_at: None,
    },
    Person {
        username: Some("back\\slash"),
        first_name: Some("Under_score"),
        last_name: Some("🦀"),
        external_id: Some("4"),
        addresses: &[],
        organizations: &[],
        banned: true,
        last_active_at: Some(400),
        last_sign_in_at: Some(400),
    },
    Person {
        username: None,
        first_name: Some("Underscore"),
        last_name: Some("AB"),
        external_id: Some("5"),
        addresses: &["jürgen@bücher.example"],
        organizations: &[1],
        banned: false,
        last_active_at: Some(100),
        last_sign_in_at: Some(100),
    },
    Person {
        username: None,
        first_name: None,
        last_name: None,
        external_id: None,
        addresses: &[],
        organizations: &[],
        banned: false,
        last_active_at: None,
        last_sign_in_at: None,
    },
];

/// User `n` is created at `START + n` and changed in the opposite order.
fn person(n: i64, person: &Person) -> User {
    let text = |text: Option<&str>| text.map(str::to_owned);
    User {
        username: text(person.username),
        first_name: text(person.first_name),
        last_name: text(person.last_name),
        external_id: text(person.external_id),
        primary_email_address_id: person.addresses.first().map(|_| id("idn", n * 10)),
        banned: person.banned,
        last_active_at: person.last_active_at,
        last_sign_in_at: person.last_sign_in_at,
        updated_at: START + 100 - n,
        ..bare_user(n)
    }
}

async fn fill(store: &Store) -> Vec<User> {
    let Roles { admin, set, .. } = Roles::insert(store).await;
    let homes = [1, 2].map(|n| organization(n, &set));
    let users: Vec<User> = (0i64..).zip(&PEOPLE).map(|(n, p)| person(n, p)).collect();
    committed!(store, |tx| {
        for home in &homes {
            organizations::insert(tx, home).await?;
        }
        for (n, (user, person)) in (0i64..).zip(users.iter().zip(&PEOPLE)) {
            users::insert(tx, user).await?;
            for (m, text) in (0i64..).zip(person.addresses) {
                let address = address(n * 10 + m, user, text, EmailVerification::Admin);
                users::insert_address(tx, &address).await?;
            }
            for m in person.organizations {
                let held = membership(n * 10 + m, &homes[*m as usize - 1], user, &admin);
                memberships::insert(tx, &held).await?;
            }
        }
    });
    users
}

/// The numbers of the users a list finds, oldest first; its count must agree.
async fn found(store: &Store, wanted: ListFilter) -> Vec<i64> {
    let tx = &mut reader(store).await;
    let order = (Order::CreatedAt, Direction::Ascending);
    let users = users::list(tx, &wanted, order, ALL).await.unwrap();
    let count = users::count(tx, &wanted).await.unwrap();
    assert_eq!(count, users.len() as i64, "{wanted:?}");
    users.iter().map(|user| user.created_at - START).collect()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

both_databases! {
    async fn without_a_filter_all_users_come_whole(store) {
        let all = fill(&store).await;
        let tx = &mut reader(&store).await;
        let list = users::list(tx, &ListFilter::default(), (Order::CreatedAt, Direction::Ascending), ALL).await;
        assert_eq!(list.unwrap(), all);
        assert_eq!(found(&store, ListFilter::default()).await, [0, 1, 2, 3, 4, 5, 6]);
    }

    async fn users_by_exact_address(store) {
        fill(&store).await;
        for (addresses, expected) in [
            (texts(&["anna@acme.example"]), vec![0]),
            (texts(&["zoe@other.example"]), vec![0]),
            (texts(&[email("jürgen@bücher.example").as_str()]), vec![5]),
            (texts(&["carla_c@acme.example", "bert%100@acme.example", "none@acme.example"]), vec![1, 2]),
            // Both are Anna's: she is found once.
            (texts(&["anna@acme.example", "zoe@other.example"]), vec![0]),
            (texts(&["acme.example"]), vec![]),
        ] {
            let wanted = ListFilter { email_address: addresses, ..ListFilter::default() };
            assert_eq!(found(&store, wanted.clone()).await, expected, "{wanted:?}");
        }
    }

    async fn users_by_exact_username(store) {
        fill(&store).await;
        for (usernames, expected) in [
            (texts(&["anna_1"]), vec![0]),
            (texts(&["annax1"]), vec![]),
            (texts(&["annaX1", "100%", "back\\slash"]), vec![1, 2, 4]),
        ] {
            let wanted = ListFilter { username: usernames, ..ListFilter::default() };
            assert_eq!(found(&store, wanted.clone()).await, expected, "{wanted:?}");
        }
    }

    async fn users_by_external_id(store) {
        fill(&store).await;
        for (external_id, expected) in [
            (include(&["ext'0"]), vec![0]),
            (include(&["ext'0", "EXT'0", "5"]), vec![0, 1, 5]),
            // Who has no external id is not who was left out.
            (exclude(&["ext'0"]), vec![1, 2, 3, 4, 5, 6]),
            (exclude(&["3", "4", "5"]), vec![0, 1, 2, 6]),
            (Selection { include: texts(&["3", "4"]), exclude: texts(&["4"]) }, vec![3]),
            // An absent external id is not an empty one.
            (include(&[""]), vec![]),
            (exclude(&[""]), vec![0, 1, 2, 3, 4, 5, 6]),
        ] {
            let wanted = ListFilter { external_id, ..ListFilter::default() };
            assert_eq!(found(&store, wanted.clone()).await, expected, "{wanted:?}");
        }
    }

    async fn users_by_id_in_lists_of_any_size(store) {
        fill(&store).await;
        for size in SIZES {
            let ids = ids_of_size(size, "user", 7);
            let hits = size.min(7) as i64;
            let wanted = ListFilter { user_id: include(&ids), ..ListFilter::default() };
            assert_eq!(found(&store, wanted).await, (0..hits).collect::<Vec<_>>(), "{size} ids");
            let wanted = ListFilter { user_id: exclude(&ids), ..ListFilter::default() };
            assert_eq!(found(&store, wanted).await, (hits..7).collect::<Vec<_>>(), "all but {size} ids");
        }
    }

    async fn users_by_organization(store) {
        fill(&store).await;
        let (one, two) = (id::<String>("org", 1), id::<String>("org", 2));
        for (organization_id, expected) in [
            (include(&[&one]), vec![0, 1, 5]),
            (include(&[&one, &two]), vec![0, 1, 2, 5]),
            (exclude(&[&one]), vec![2, 3, 4, 6]),
            (exclude(&[&one, &two]), vec![3, 4, 6]),
            (Selection { include: texts(&[&one]), exclude: texts(&[&two]) }, vec![0, 5]),
            (include(&ids_of_size(100, "org", 2)), vec![0, 1, 5]),
            (include(&["org_none"]), vec![]),
        ] {
            let wanted = ListFilter { organization_id, ..ListFilter::default() };
            assert_eq!(found(&store, wanted.clone()).await, expected, "{wanted:?}");
        }
    }

    async fn users_by_any_text(store) {
        fill(&store).await;
        let last = id::<UserId>("user", 6);
        for (query, expected) in [
            ("anna", vec![0, 1]),
            ("ANNA", vec![0, 1]),
            ("anna_1", vec![0]),
            ("%", vec![1, 2]),
            ("_", vec![0, 1, 2, 3, 4, 5, 6]),
            ("100%", vec![2]),
            ("t%1", vec![1]),
            ("carla_c", vec![2]),
            ("\\", vec![4]),
            ("k\\s", vec![4]),
            ("r_s", vec![4]),
            ("漢", vec![3]),
            ("🦀", vec![4]),
            ("o'n", vec![1]),
            // Spans first and last name.
            ("bert o", vec![1]),
            ("zoe@other", vec![0]),
            (last.as_str(), vec![6]),
            ("nothing like this", vec![]),
        ] {
            let wanted = ListFilter { query: some(query), ..ListFilter::default() };
            assert_eq!(found(&store, wanted).await, expected, "{query}");
        }
    }

    async fn users_by_part_of_an_address(store) {
        fill(&store).await;
        for (text, expected) in [
            ("ACME", vec![0, 1, 2, 3]),
            ("a_c@", vec![2]),
            ("t%1", vec![1]),
            ("zoe", vec![0]),
            ("JÜRGEN", vec![5]),
            ("\\", vec![]),
        ] {
            let wanted = ListFilter { email_address_query: some(text), ..ListFilter::default() };
            assert_eq!(found(&store, wanted).await, expected, "{text}");
        }
    }

    async fn users_by_part_of_a_username(store) {
        fill(&store).await;
        for (text, expected) in [
            ("ANNA", vec![0, 1]),
            ("a_1", vec![0]),
            ("00%", vec![2]),
            ("00", vec![2, 3]),
            ("\\S", vec![4]),
            ("carla", vec![]),
        ] {
            let wanted = ListFilter { username_query: some(text), ..ListFilter::default() };
            assert_eq!(found(&store, wanted).await, expected, "{text}");
        }
    }

    async fn users_by_part_of_a_name(store) {
        fill(&store).await;
        for (text, expected) in [
            ("BERT", vec![1]),
            ("R_S", vec![4]),
            ("under", vec![4, 5]),
            ("e a", vec![5]),
            ("漢字", vec![3]),
            // As it was written it is always found, umlauts too.
            ("Ünal", vec![0]),
            ("Anna Ünal", vec![0]),
            ("annax", vec![]),
            ("%", vec![]),
        ] {
            let wanted = ListFilter { name_query: some(text), ..ListFilter::default() };
            assert_eq!(found(&store, wanted).await, expected, "{text}");
        }
    }

    async fn users_by_ban(store) {
        fill(&store).await;
        let wanted = ListFilter { banned: Some(true), ..ListFilter::default() };
        assert_eq!(found(&store, wanted).await, [1, 4]);
        let wanted = ListFilter { banned: Some(false), ..ListFilter::default() };
        assert_eq!(found(&store, wanted).await, [0, 2, 3, 5, 6]);
    }

    async fn users_between_two_times(store) {
        fill(&store).await;
        let all = ListFilter::default;
        for (wanted, expected) in [
            (ListFilter { created_at_before: Some(START + 2), ..all() }, vec![0, 1]),
            (ListFilter { created_at_after: Some(START + 4), ..all() }, vec![5, 6]),
            (ListFilter { created_at_after: Some(START + 1), created_at_before: Some(START + 4), ..all() }, vec![2, 3]),
            (ListFilter { last_active_at_before: Some(200), ..all() }, vec![0, 5]),
            (ListFilter { last_active_at_after: Some(200), ..all() }, vec![2, 4]),
            (ListFilter { last_sign_in_at_before: Some(200), ..all() }, vec![2, 5]),
            (ListFilter { last_sign_in_at_after: Some(200), ..all() }, vec![0, 4]),
        ] {
            assert_eq!(found(&store, wanted.clone()).await, expected, "{wanted:?}");
        }
    }

    async fn all_conditions_hold_at_once(store) {
        fill(&store).await;
        let mut wanted = ListFilter {
            email_address: texts(&["anna@acme.example", "bert%100@acme.example"]),
            external_id: exclude(&["5"]),
            username: texts(&["anna_1", "annaX1"]),
            user_id: exclude(&[id::<String>("user", 5)]),
            organization_id: include(&[id::<String>("org", 1)]),
            query: some("a"),
            email_address_query: some("acme"),
            username_query: some("1"),
            name_query: some("n"),
            banned: Some(false),
            last_active_at_before: Some(101),
            last_active_at_after: Some(99),
            created_at_before: Some(START + 1),
            created_at_after: Some(START - 1),
            last_sign_in_at_before: Some(301),
            last_sign_in_at_after: Some(299),
            older_than: Some((START + 1, id("user", 1))),
            newer_than: Some((START - 1, id("user", 99))),
        };
        assert_eq!(found(&store, wanted.clone()).await, [0]);
        wanted.banned = Some(true);
        assert_eq!(found(&store, wanted).await, [0; 0]);
    }

    async fn users_in_every_order(store) {
        let all = fill(&store).await;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let by_text = |key: &dyn Fn(usize) -> String| {
            let mut numbers: Vec<usize> = (0..all.len()).collect();
            numbers.sort_by_key(|n| (key(*n), *n));
            numbers
        };
        let by_time = |key: &dyn Fn(&User) -> Option<Millis>| {
            let mut numbers: Vec<usize> = (0..all.len()).collect();
            numbers.sort_by_key(|n| (key(&all[*n]).unwrap_or(0), *n));
            numbers
        };
        let address = |n: usize| PEOPLE[n].addresses.first().map(|text| email(text).to_string());
        let orders = [
            (Order::CreatedAt, by_time(&|user| Some(user.created_at))),
            (Order::UpdatedAt, by_time(&|user| Some(user.updated_at))),
            (Order::EmailAddress, by_text(&|n| address(n).unwrap_or_default())),
            (Order::FirstName, by_text(&|n| text(&all[n].first_name))),
            (Order::LastName, by_text(&|n| text(&all[n].last_name))),
            (Order::Username, by_text(&|n| text(&all[n].username))),
            (Order::LastActiveAt, by_time(&|user| user.last_active_at)),
            (Order::LastSignInAt, by_time(&|user| user.last_sign_in_at)),
        ];
        let tx = &mut reader(&store).await;
        for (order, mut expected) in orders {
            for direction in [Direction::Ascending, Direction::Descending] {
                let list = users::list(tx, &ListFilter::default(), (order, direction), ALL).await.unwrap();
                let numbers: Vec<usize> = list.iter().map(|user| (user.created_at - START) as usize).collect();
                assert_eq!(numbers, expected, "{order:?} {direction:?}");
                expected.reverse();
            }
        }
    }

    async fn pages_of_users_of_one_millisecond_neither_repeat_nor_skip(store) {
        let all: Vec<User> = (0..10).map(|n| User { created_at: START, updated_at: START, ..bare_user(n) }).collect();
        committed!(store, |tx| {
            for n in [3, 9, 0, 5, 1, 8, 2, 7, 4, 6] {
                users::insert(tx, &all[n]).await?;
            }
        });
        let tx = &mut reader(&store).await;
        let orders = [
            Order::CreatedAt, Order::UpdatedAt, Order::EmailAddress, Order::FirstName, Order::LastName,
            Order::Username, Order::LastActiveAt, Order::LastSignInAt,
        ];
        for order in orders {
            for direction in [Direction::Ascending, Direction::Descending] {
                let mut seen = Vec::new();
                for offset in [0, 3, 6, 9, 12] {
                    let page = Page { limit: 3, offset };
                    seen.extend(users::list(tx, &ListFilter::default(), (order, direction), page).await.unwrap());
                }
                if direction == Direction::Descending {
                    seen.reverse();
                }
                assert_eq!(seen, all, "{order:?} {direction:?}");
            }
        }
        assert_eq!(users::count(tx, &ListFilter::default()).await.unwrap(), 10);
        let nothing = Page { limit: 0, offset: 0 };
        let list = users::list(tx, &ListFilter::default(), (Order::CreatedAt, Direction::Ascending), nothing).await;
        assert_eq!(list.unwrap(), []);
    }

    async fn users_after_one_that_was_seen(store) {
        // 0 and 1 share a millisecond, 2 and 3 the next, 4 and 5 the one after.
        let all: Vec<User> = (0..6).map(|n| User { created_at: START + n / 2, ..bare_user(n) }).collect();
        committed!(store, |tx| {
            for user in &all {
                users::insert(tx, user).await?;
            }
        });
        let tx = &mut reader(&store).await;
        for n in 0..all.len() {
            let seen = Some((all[n].created_at, all[n].id.clone()));
            let wanted = ListFilter { newer_than: seen.clone(), ..ListFilter::default() };
            let list = users::list(tx, &wanted, (Order::CreatedAt, Direction::Ascending), ALL).await.unwrap();
            assert_eq!(list, all[n + 1..]);
            assert_eq!(users::count(tx, &wanted).await.unwrap(), list.len() as i64);

            let wanted = ListFilter { older_than: seen, ..ListFilter::default() };
            let list = users::list(tx, &wanted, (Order::CreatedAt, Direction::Descending), ALL).await.unwrap();
            let expected: Vec<User> = all[..n].iter().rev().cloned().collect();
            assert_eq!(list, expected);
            assert_eq!(users::count(tx, &wanted).await.unwrap(), list.len() as i64);
        }
    }

    async fn addresses_of_many_users(store) {
        fill(&store).await;
        let tx = &mut reader(&store).await;
        assert_eq!(users::addresses_of_all(tx, &[]).await.unwrap(), []);
        for size in SIZES {
            let ids = ids_of_size(size, "user", 7);
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            let addresses = users::addresses_of_all(tx, &ids).await.unwrap();
            let expected: Vec<String> =
                PEOPLE.iter().take(size).flat_map(|person| person.addresses).map(|text| email(text).to_string()).collect();
            let texts: Vec<String> = addresses.iter().map(|address| address.address.to_string()).collect();
            assert_eq!(texts, expected, "{size} users");
        }
    }
}
