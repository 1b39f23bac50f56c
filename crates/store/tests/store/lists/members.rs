//! The lists of an organization's members and of a user's organizations.

use super::{SIZES, exclude, ids_of_size, include, texts};
use crate::support::samples::*;
use crate::support::{ALL, reader};
use doorward_model::*;
use doorward_store::memberships::{self, ListFilter, Order};
use doorward_store::{Direction, Page, Selection, Store, organizations, users};

struct World {
    roles: Roles,
    organizations: [Organization; 2],
    users: Vec<User>,
    /// User `n` is in the first organization with membership `n`.
    memberships: Vec<OrganizationMembership>,
}

/// `(username, first name, last name, address, last active)` of users 0 to 5. All but the first joined in reverse.
const PEOPLE: [(&str, &str, &str, &str, Option<Millis>); 6] = [
    ("anna_1", "Anna", "Ünal", "z@acme.example", Some(100)),
    ("annax1", "bert", "O'Neil", "y%@acme.example", Some(200)),
    ("100%", "Carla", "", "x_x@acme.example", Some(300)),
    ("1000", "", "漢字", "xax@other.example", None),
    ("b\\s", "Eve_e", "Zed", "v@other.example", Some(200)),
    ("", "Evee", "AB", "", Some(100)),
];

impl World {
    async fn insert(store: &Store) -> Self {
        let roles = Roles::insert(store).await;
        let organizations = [1, 2].map(|n| organization(n, &roles.set));
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let users: Vec<User> = (0i64..)
            .zip(PEOPLE)
            .map(|(n, (username, first, last, address, active))| User {
                username: text(username),
                first_name: text(first),
                last_name: text(last),
                primary_email_address_id: text(address).map(|_| id("idn", n)),
                last_active_at: active,
                ..bare_user(n)
            })
            .collect();
        let memberships: Vec<OrganizationMembership> = (0i64..)
            .zip(&users)
            .map(|(n, user)| {
                let role = if n < 2 { &roles.admin } else { &roles.member };
                let held = membership(n, &organizations[0], user, role);
                OrganizationMembership { created_at: START + 10 - n, ..held }
            })
            .collect();
        committed!(store, |tx| {
            for organization in &organizations {
                organizations::insert(tx, organization).await?;
            }
            for (n, user) in (0i64..).zip(&users) {
                users::insert(tx, user).await?;
                let text = PEOPLE[n as usize].3;
                if !text.is_empty() {
                    let address = address(n, user, text, EmailVerification::Unverified);
                    users::insert_address(tx, &address).await?;
                }
            }
            for membership in &memberships {
                memberships::insert(tx, membership).await?;
            }
            // The first user is in the second organization too.
            let second = membership(100, &organizations[1], &users[0], &roles.member);
            memberships::insert(tx, &second).await?;
        });
        Self { roles, organizations, users, memberships }
    }

    /// The numbers of the members of the first organization that a list finds, by id; its count must agree.
    async fn found(&self, store: &Store, wanted: ListFilter) -> Vec<i64> {
        let wanted = ListFilter { organization_id: Some(self.organizations[0].id.clone()), ..wanted };
        let tx = &mut reader(store).await;
        let order = (Order::CreatedAt, Direction::Descending);
        let list = memberships::list(tx, &wanted, order, ALL).await.unwrap();
        let count = memberships::count(tx, &wanted).await.unwrap();
        assert_eq!(count, list.len() as i64, "{wanted:?}");
        for (membership, user) in &list {
            let n = (user.created_at - START) as usize;
            assert_eq!((membership, user), (&self.memberships[n], &self.users[n]));
        }
        let numbers = list.iter().map(|(_, user)| user.created_at - START);
        numbers.collect()
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

both_databases! {
    async fn members_come_with_their_users(store) {
        let world = World::insert(&store).await;
        assert_eq!(world.found(&store, ListFilter::default()).await, [0, 1, 2, 3, 4, 5]);
        let tx = &mut reader(&store).await;
        assert_eq!(memberships::count(tx, &ListFilter::default()).await.unwrap(), 7);
        let second = ListFilter { organization_id: Some(world.organizations[1].id.clone()), ..ListFilter::default() };
        let list = memberships::list(tx, &second, (Order::CreatedAt, Direction::Ascending), ALL).await.unwrap();
        assert_eq!(list.len(), 1);
        assert_eq!(list[0].1, world.users[0]);
        let none = ListFilter { organization_id: Some(id("org", 9)), ..ListFilter::default() };
        assert_eq!(memberships::list(tx, &none, (Order::CreatedAt, Direction::Ascending), ALL).await.unwrap(), []);
        assert_eq!(memberships::count(tx, &none).await.unwrap(), 0);
    }

    async fn members_by_every_filter(store) {
        let world = World::insert(&store).await;
        let all = ListFilter::default;
        let admin = || world.roles.admin.id.clone();
        let member = || world.roles.member.id.clone();
        for (wanted, expected) in [
            (ListFilter { email_address: texts(&["y%@acme.example", "xax@other.example"]), ..all() }, vec![1, 3]),
            (ListFilter { username: texts(&["anna_1", "100%", "none"]), ..all() }, vec![0, 2]),
            (ListFilter { role_id: Some(vec![admin()]), ..all() }, vec![0, 1]),
            (ListFilter { role_id: Some(vec![admin(), member(), id("role", 9)]), ..all() }, vec![0, 1, 2, 3, 4, 5]),
            // No role was recognized: nobody holds it.
            (ListFilter { role_id: Some(vec![]), ..all() }, vec![]),
            (ListFilter { query: some("ANNA_"), ..all() }, vec![0]),
            (ListFilter { query: some("x_x"), ..all() }, vec![2]),
            (ListFilter { query: some("%"), ..all() }, vec![1, 2]),
            (ListFilter { query: some("\\"), ..all() }, vec![4]),
            (ListFilter { query: some("漢"), ..all() }, vec![3]),
            (ListFilter { query: some(world.users[5].id.as_str()), ..all() }, vec![5]),
            (ListFilter { email_address_query: some("X_X"), ..all() }, vec![2]),
            (ListFilter { email_address_query: some("other"), ..all() }, vec![3, 4]),
            (ListFilter { username_query: some("a_1"), ..all() }, vec![0]),
            (ListFilter { username_query: some("ANNA"), ..all() }, vec![0, 1]),
            (ListFilter { name_query: some("E_E"), ..all() }, vec![4]),
            (ListFilter { name_query: some("t o'n"), ..all() }, vec![1]),
            (ListFilter { name_query: some("Ünal"), ..all() }, vec![0]),
            (ListFilter { last_active_at_before: Some(200), ..all() }, vec![0, 5]),
            (ListFilter { last_active_at_after: Some(200), ..all() }, vec![2]),
            // Of the membership, not of the user.
            (ListFilter { created_at_before: Some(START + 7), ..all() }, vec![4, 5]),
            (ListFilter { created_at_after: Some(START + 7), ..all() }, vec![0, 1, 2]),
            (ListFilter { role_id: Some(vec![member()]), query: some("e"), last_active_at_after: Some(100), ..all() }, vec![2, 4]),
        ] {
            assert_eq!(world.found(&store, wanted.clone()).await, expected, "{wanted:?}");
        }
    }

    async fn members_by_user_in_lists_of_any_size(store) {
        let world = World::insert(&store).await;
        for size in SIZES {
            let ids = ids_of_size(size, "user", 6);
            let hits = size.min(6) as i64;
            let wanted = ListFilter { user_id: include(&ids), ..ListFilter::default() };
            assert_eq!(world.found(&store, wanted).await, (0..hits).collect::<Vec<_>>(), "{size} ids");
            let wanted = ListFilter { user_id: exclude(&ids), ..ListFilter::default() };
            assert_eq!(world.found(&store, wanted).await, (hits..6).collect::<Vec<_>>(), "all but {size} ids");
        }
        let user_id = Selection { include: ids_of_size(3, "user", 6), exclude: ids_of_size(1, "user", 6) };
        assert_eq!(world.found(&store, ListFilter { user_id, ..ListFilter::default() }).await, [1, 2]);
    }

    async fn members_in_every_order(store) {
        let world = World::insert(&store).await;
        let by_text = |key: fn(usize) -> &'static str| {
            let mut numbers: Vec<usize> = (0..PEOPLE.len()).collect();
            numbers.sort_by_key(|n| (key(*n), *n));
            numbers
        };
        let orders = [
            (Order::CreatedAt, vec![5, 4, 3, 2, 1, 0]),
            (Order::EmailAddress, by_text(|n| PEOPLE[n].3)),
            (Order::FirstName, by_text(|n| PEOPLE[n].1)),
            (Order::LastName, by_text(|n| PEOPLE[n].2)),
            (Order::Username, by_text(|n| PEOPLE[n].0)),
        ];
        let wanted = ListFilter { organization_id: Some(world.organizations[0].id.clone()), ..ListFilter::default() };
        let tx = &mut reader(&store).await;
        for (order, mut expected) in orders {
            for direction in [Direction::Ascending, Direction::Descending] {
                let mut numbers = Vec::new();
                for offset in [0, 4, 8] {
                    let page = Page { limit: 4, offset };
                    let list = memberships::list(tx, &wanted, (order, direction), page).await.unwrap();
                    numbers.extend(list.iter().map(|(_, user)| (user.created_at - START) as usize));
                }
                assert_eq!(numbers, expected, "{order:?} {direction:?}");
                expected.reverse();
            }
        }
    }

    async fn pages_of_members_of_one_millisecond_neither_repeat_nor_skip(store) {
        let Roles { member, set, .. } = Roles::insert(&store).await;
        let home = organization(1, &set);
        committed!(store, |tx| {
            organizations::insert(tx, &home).await?;
            for n in [3, 0, 5, 1, 2, 4] {
                let user = bare_user(10 - n);
                users::insert(tx, &user).await?;
                let held = membership(n, &home, &user, &member);
                memberships::insert(tx, &OrganizationMembership { created_at: START, ..held }).await?;
            }
        });
        let wanted = ListFilter { organization_id: Some(home.id.clone()), ..ListFilter::default() };
        let tx = &mut reader(&store).await;
        for order in [Order::CreatedAt, Order::EmailAddress, Order::FirstName, Order::LastName, Order::Username] {
            let mut ids = Vec::new();
            for offset in 0..6 {
                let page = Page { limit: 1, offset };
                let list = memberships::list(tx, &wanted, (order, Direction::Ascending), page).await.unwrap();
                ids.extend(list.into_iter().map(|(membership, _)| membership.id));
            }
            assert_eq!(ids, [0, 1, 2, 3, 4, 5].map(|n| id("orgmem", n)), "{order:?}");
        }
    }

    async fn a_users_organizations_come_newest_first(store) {
        let Roles { member, set, .. } = Roles::insert(&store).await;
        let person = user(1);
        let homes = [1, 2, 3, 4].map(|n| organization(n, &set));
        // The middle two were joined in the same millisecond.
        let joined = [START + 9, START + 5, START + 5, START + 1];
        let held: Vec<OrganizationMembership> = (0..4)
            .map(|n| OrganizationMembership { created_at: joined[n], ..membership(n as i64, &homes[n], &person, &member) })
            .collect();
        committed!(store, |tx| {
            users::insert(tx, &person).await?;
            for n in 0..4 {
                organizations::insert(tx, &homes[n]).await?;
                memberships::insert(tx, &held[n]).await?;
            }
        });
        let tx = &mut reader(&store).await;
        let mut pages = Vec::new();
        for offset in 0..5 {
            pages.extend(memberships::of_user(tx, &person.id, Page { limit: 1, offset }).await.unwrap());
        }
        let counted = |n: usize| Organization { members_count: 1, ..homes[n].clone() };
        let expected = [0, 2, 1, 3].map(|n| (held[n].clone(), counted(n)));
        assert_eq!(pages, expected);
        assert_eq!(memberships::of_user(tx, &person.id, ALL).await.unwrap(), expected);
        assert_eq!(memberships::count_of_user(tx, &person.id).await.unwrap(), 4);
        assert_eq!(memberships::latest_of_user(tx, &person.id).await.unwrap(), Some(held[0].clone()));
        assert_eq!(memberships::count_of_user(tx, &id("user", 9)).await.unwrap(), 0);
        assert_eq!(memberships::latest_of_user(tx, &id("user", 9)).await.unwrap(), None);
    }
}
