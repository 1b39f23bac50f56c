//! What goes with a deleted row, and what stays.

use crate::support::samples::*;
use crate::support::{Database, reader};
use doorward_model::*;
use doorward_store::{
    Store, clients, connection_keys, easie_grants, enterprise_accounts, enterprise_connections, memberships,
    metadata_refreshes, oidc_requests, organizations, saml_requests, sessions, sign_ins, sign_ups,
    unsolicited_arrivals, users,
};

/// Two organizations with a connection each; two users who are members of both, came through both connections and have a
/// session in each of two browsers, on the way through the first connection.
struct World {
    organizations: [Organization; 2],
    connections: [EnterpriseConnection; 2],
    users: [User; 2],
    clients: [Client; 2],
}

impl World {
    async fn insert(store: &Store) -> Self {
        let Roles { admin, set, .. } = Roles::insert(store).await;
        let organizations = [1, 2].map(|n| organization(n, &set));
        let connections = [1, 2].map(|n| connection(n, Some(&organizations[n as usize - 1])));
        let users = [user(1), user(2)];
        let clients = [client(1), client(2)];
        committed!(store, |tx| {
            for n in 0..2 {
                organizations::insert(tx, &organizations[n]).await?;
                enterprise_connections::insert(tx, &connections[n]).await?;
                connection_keys::insert(tx, &connection_key(&connections[n])).await?;
                metadata_refreshes::schedule(tx, &connections[n].id, Some(START)).await?;
                unsolicited_arrivals::insert(tx, &arrival(n as i64, &connections[n])).await?;
                users::insert(tx, &users[n]).await?;
                clients::insert(tx, &clients[n]).await?;
            }
            for (row, (n, m)) in (1i64..).zip([(0, 0), (0, 1), (1, 0), (1, 1)]) {
                let (user, browser) = (&users[n], &clients[m]);
                let held = membership(row, &organizations[m], user, &admin);
                memberships::insert(tx, &held).await?;
                let account = account(row, user, &connections[m], &format!("subject {row}"));
                enterprise_accounts::insert(tx, &account).await?;
                easie_grants::save(tx, &easie_grant(row, &account)).await?;
                let text = format!("user{n}@acme{m}.example");
                let address = address(row, user, &text, EmailVerification::Admin);
                users::insert_address(tx, &address).await?;
                let session = Session {
                    last_active_organization_id: Some(organizations[m].id.clone()),
                    ..session(row, browser, user)
                };
                sessions::insert(tx, &session).await?;
                sign_ins::insert(tx, &sign_in(row, browser)).await?;
                sign_ups::insert(tx, &sign_up(row, browser)).await?;
                let attempt = AttemptId::SignIn(id("sia", row));
                let trip = saml_request(row, &connections[m], attempt, browser);
                saml_requests::insert(tx, &trip).await?;
                let attempt = AttemptId::SignUp(id("sua", row));
                let trip = oidc_request(row, &connections[m], attempt, browser);
                oidc_requests::insert(tx, &trip).await?;
                let assertion = format!("_{row}");
                saml_requests::remember_assertion(tx, &connections[m].id, &assertion, START).await?;
            }
        });
        Self { organizations, connections, users, clients }
    }
}

/// Every table that a deletion may reach, with its rows before any.
const BEFORE: [(&str, i64); 19] = [
    ("organizations", 2),
    ("organization_memberships", 4),
    ("enterprise_connections", 2),
    ("enterprise_connection_domains", 4),
    ("connection_keys", 2),
    ("metadata_refreshes", 2),
    ("unsolicited_arrivals", 2),
    ("enterprise_accounts", 4),
    ("easie_grants", 4),
    ("users", 2),
    ("email_addresses", 4),
    ("clients", 2),
    ("sessions", 4),
    ("sign_ins", 4),
    ("sign_ups", 4),
    ("saml_requests", 4),
    ("oidc_requests", 4),
    ("saml_assertions", 4),
    ("roles", 2),
];

/// Checks that these tables lost these many rows, and no other table any.
async fn assert_lost(database: &Database, lost: &[(&str, i64)]) {
    for (table, before) in BEFORE {
        let gone = lost.iter().find(|(name, _)| *name == table);
        let expected = before - gone.map_or(0, |(_, rows)| *rows);
        assert_eq!(database.rows(table).await, expected, "{table}");
    }
}

both_databases! {
    async fn org_17_a_deleted_organization_takes_its_memberships_and_leaves_sessions_and_connections(store, database) {
        let world = World::insert(&store).await;
        assert_lost(database, &[]).await;
        let (gone, kept) = (&world.organizations[0].id, &world.organizations[1].id);
        assert!(committed!(store, |tx| { organizations::delete(tx, gone).await? }));
        assert_lost(database, &[("organizations", 1), ("organization_memberships", 2)]).await;

        let tx = &mut reader(&store).await;
        let connection = enterprise_connections::by_id(tx, &world.connections[0].id).await.unwrap();
        let unlinked = EnterpriseConnection { organization_id: None, ..world.connections[0].clone() };
        assert_eq!(connection, Some(unlinked));
        let connection = enterprise_connections::by_id(tx, &world.connections[1].id).await.unwrap();
        assert_eq!(connection.as_ref(), Some(&world.connections[1]));
        for (client, expected) in world.clients.iter().zip([None, Some(kept)]) {
            for session in sessions::of_client(tx, &client.id).await.unwrap() {
                assert_eq!(session.last_active_organization_id.as_ref(), expected);
                assert_eq!(session.status, SessionStatus::Active);
            }
        }
        let other = organizations::by_id(tx, kept).await.unwrap().unwrap();
        assert_eq!(other.members_count, 2);
        let left = memberships::count_of_user(tx, &world.users[0].id).await.unwrap();
        assert_eq!(left, 1);
    }

    async fn a_deleted_user_takes_everything_personal_and_is_no_longer_counted(store, database) {
        let world = World::insert(&store).await;
        assert!(committed!(store, |tx| { users::delete(tx, &world.users[0].id).await? }));
        let lost = [
            ("users", 1), ("email_addresses", 2), ("enterprise_accounts", 2), ("easie_grants", 2),
            ("organization_memberships", 2), ("sessions", 2),
        ];
        assert_lost(database, &lost).await;
        let tx = &mut reader(&store).await;
        for organization in &world.organizations {
            let found = organizations::by_id(tx, &organization.id).await.unwrap().unwrap();
            assert_eq!(found.members_count, 1);
        }
    }

    async fn con_34_a_deleted_connection_takes_its_accounts_and_leaves_the_people(store, database) {
        let world = World::insert(&store).await;
        let gone = &world.connections[0].id;
        assert!(committed!(store, |tx| { enterprise_connections::delete(tx, gone).await? }));
        let lost = [
            ("enterprise_connections", 1), ("enterprise_connection_domains", 2), ("enterprise_accounts", 2),
            ("saml_requests", 2), ("saml_assertions", 2), ("connection_keys", 1), ("unsolicited_arrivals", 1),
            ("metadata_refreshes", 1), ("oidc_requests", 2), ("easie_grants", 2),
        ];
        assert_lost(database, &lost).await;
        let tx = &mut reader(&store).await;
        for user in &world.users {
            let accounts = enterprise_accounts::of_user(tx, &user.id).await.unwrap();
            assert_eq!(accounts.len(), 1);
            assert_eq!(accounts[0].1.id, world.connections[1].id);
            let through = enterprise_accounts::user_came_through(tx, &user.id, &world.organizations[0].id);
            assert!(!through.await.unwrap());
        }
    }

    async fn a_deleted_client_takes_its_sessions_and_attempts(store, database) {
        let world = World::insert(&store).await;
        assert!(committed!(store, |tx| { clients::delete(tx, &world.clients[0].id).await? }));
        let lost = [
            ("clients", 1), ("sessions", 2), ("sign_ins", 2), ("sign_ups", 2), ("saml_requests", 2), ("oidc_requests", 2),
        ];
        assert_lost(database, &lost).await;
    }

    async fn a_removed_member_loses_the_organization_in_own_sessions_only(store, database) {
        let world = World::insert(&store).await;
        let (home, person) = (&world.organizations[0].id, &world.users[0].id);
        let tx = &mut reader(&store).await;
        let held = memberships::get(tx, home, person).await.unwrap().unwrap();
        let now = START + 5000;
        committed!(store, |tx| { memberships::delete(tx, &held, now).await? });
        assert_lost(database, &[("organization_memberships", 1)]).await;
        for client in &world.clients {
            for session in sessions::of_client(tx, &client.id).await.unwrap() {
                let cleared = session.user_id == *person && client.id == world.clients[0].id;
                assert_eq!(session.last_active_organization_id.is_none(), cleared);
                assert_eq!(session.updated_at == now, cleared);
            }
        }
    }
}
