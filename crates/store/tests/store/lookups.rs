//! Questions that several tables answer together.

use crate::support::reader;
use crate::support::samples::*;
use doorward_model::*;
use doorward_store::role_holders::Scope;
use doorward_store::sessions::{self, TokenFacts, TokenMembership};
use doorward_store::{
    clients, enterprise_accounts, enterprise_connections, memberships, organizations, role_holders, roles, users,
};

both_databases! {
    async fn a_session_token_tells_of_the_wanted_or_the_active_organization(store) {
        let Roles { admin, member, set } = Roles::insert(&store).await;
        let homes = [1, 2, 3].map(|n| organization(n, &set));
        let (person, browser) = (user(1), client(1));
        let active = Session { last_active_organization_id: Some(homes[0].id.clone()), ..session(1, &browser, &person) };
        let personal = session(2, &browser, &person);
        let foreign = Session { last_active_organization_id: Some(homes[2].id.clone()), ..session(3, &browser, &person) };
        committed!(store, |tx| {
            users::insert(tx, &person).await?;
            clients::insert(tx, &browser).await?;
            for home in &homes {
                organizations::insert(tx, home).await?;
            }
            memberships::insert(tx, &membership(1, &homes[0], &person, &admin)).await?;
            memberships::insert(tx, &membership(2, &homes[1], &person, &member)).await?;
            for session in [&active, &personal, &foreign] {
                sessions::insert(tx, session).await?;
            }
        });
        // ROL-4: system permissions do not appear in tokens; the admin has two others, the member none.
        let as_admin = TokenMembership {
            organization_id: homes[0].id.clone(),
            organization_slug: homes[0].slug.clone(),
            role_id: admin.id.clone(),
            role_key: admin.key.clone(),
            custom_permissions: 2,
        };
        let as_member = TokenMembership {
            organization_id: homes[1].id.clone(),
            organization_slug: homes[1].slug.clone(),
            role_id: member.id.clone(),
            role_key: member.key.clone(),
            custom_permissions: 0,
        };
        let tx = &mut reader(&store).await;
        for (session, wanted, expected) in [
            (&active, None, Some(&as_admin)),
            (&active, Some(&homes[1].id), Some(&as_member)),
            (&active, Some(&homes[2].id), None),
            (&personal, None, None),
            (&personal, Some(&homes[0].id), Some(&as_admin)),
            // The active organization is one the user is not a member of.
            (&foreign, None, None),
            (&foreign, Some(&id("org", 9)), None),
        ] {
            let facts = sessions::token_facts(tx, &session.id, wanted).await.unwrap();
            let expected = TokenFacts {
                session: session.clone(),
                client_token_sha256: browser.token_sha256.clone(),
                user_banned: person.banned,
                user_locked: person.locked,
                user_deprovisioned: person.deprovisioned,
                membership: expected.cloned(),
                easie: None,
            };
            assert_eq!(facts, Some(expected));
        }
        assert_eq!(sessions::token_facts(tx, &id("sess", 9), None).await.unwrap(), None);

        for (banned, locked, deprovisioned) in [(true, false, false), (false, true, false), (false, false, true)] {
            let changed = User { banned, locked, deprovisioned, ..person.clone() };
            committed!(store, |tx| { users::update(tx, &changed).await? });
            let facts = sessions::token_facts(tx, &active.id, None).await.unwrap().unwrap();
            let seen = (facts.user_banned, facts.user_locked, facts.user_deprovisioned);
            assert_eq!(seen, (banned, locked, deprovisioned));
        }
    }

    async fn x_12_a_user_came_through_an_organization_by_any_of_its_connections(store) {
        let Roles { set, .. } = Roles::insert(&store).await;
        let homes = [1, 2].map(|n| organization(n, &set));
        let people = [user(1), user(2)];
        let off = EnterpriseConnection { active: false, ..connection(1, Some(&homes[0])) };
        let unlinked = connection(2, None);
        committed!(store, |tx| {
            for n in 0..2 {
                organizations::insert(tx, &homes[n]).await?;
                users::insert(tx, &people[n]).await?;
            }
            enterprise_connections::insert(tx, &off).await?;
            enterprise_connections::insert(tx, &unlinked).await?;
            enterprise_accounts::insert(tx, &account(1, &people[0], &off, "a")).await?;
            enterprise_accounts::insert(tx, &account(2, &people[0], &off, "b")).await?;
            enterprise_accounts::insert(tx, &account(3, &people[1], &unlinked, "a")).await?;
        });
        let tx = &mut reader(&store).await;
        for (person, home, expected) in [(0, 0, true), (0, 1, false), (1, 0, false), (1, 1, false)] {
            let came = enterprise_accounts::user_came_through(tx, &people[person].id, &homes[home].id).await;
            assert_eq!(came.unwrap(), expected, "user {person}, organization {home}");
        }
    }

    async fn rol_15_holders_of_roles_change_places_and_others_stay(store) {
        let Roles { admin, member, set } = Roles::insert(&store).await;
        let guest = role(3, Vec::new());
        let other_set = role_set(2, RoleSetType::Custom, &member, &admin);
        let homes = [organization(1, &set), organization(2, &set), organization(3, &other_set)];
        let people = [1, 2, 3].map(user);
        committed!(store, |tx| {
            roles::insert_role(tx, &guest).await?;
            roles::insert_role_set(tx, &other_set, &[]).await?;
            for n in 0..3 {
                organizations::insert(tx, &homes[n]).await?;
                users::insert(tx, &people[n]).await?;
            }
            let held = [(0, 0, &admin), (0, 1, &member), (0, 2, &guest), (1, 0, &member), (2, 0, &admin), (2, 1, &member)];
            for (row, (home, person, role)) in (1i64..).zip(held) {
                memberships::insert(tx, &membership(row, &homes[home], &people[person], role)).await?;
            }
        });
        let swapped = [(admin.id.clone(), member.id.clone()), (member.id.clone(), admin.id.clone())];
        let now = START + 77;
        committed!(store, |tx| { role_holders::reassign_in_role_set(tx, &set.id, &swapped, now).await? });
        let tx = &mut reader(&store).await;
        for (home, person, expected, is_changed) in [
            (0, 0, &member, true), (0, 1, &admin, true), (0, 2, &guest, false), (1, 0, &admin, true), (2, 0, &admin, false),
            (2, 1, &member, false),
        ] {
            let found = memberships::get(tx, &homes[home].id, &people[person].id).await.unwrap().unwrap();
            assert_eq!((&found.role_id, found.updated_at == now), (&expected.id, is_changed), "{home} {person}");
        }
        committed!(store, |tx| { role_holders::reassign_in_organization(tx, &homes[0].id, &swapped[..1], now).await? });
        assert_eq!(role_holders::of_organization(tx, &homes[0].id).await.unwrap().len(), 2);
        assert_eq!(role_holders::of_organization(tx, &homes[1].id).await.unwrap(), [(admin.id.clone(), 1)]);
        committed!(store, |tx| { role_holders::reassign_in_organization(tx, &homes[1].id, &[], now).await? });
        assert_eq!(role_holders::of_organization(tx, &homes[1].id).await.unwrap(), [(admin.id.clone(), 1)]);
        let too_many = vec![swapped[0].clone(); 13];
        let outcome = attempted!(store, |tx| { role_holders::reassign_in_role_set(tx, &set.id, &too_many, now).await? });
        assert!(outcome.is_err());
        committed!(store, |tx| { role_holders::move_organizations(tx, &set.id, &other_set.id, now).await? });
        assert_eq!(role_holders::of_role_set(tx, &set.id).await.unwrap(), []);
        assert!(attempted!(store, |tx| { roles::delete_role_set(tx, &other_set.id).await? }).is_err(), "it is in use");
        committed!(store, |tx| { roles::delete_role_set(tx, &set.id).await? });
    }

    async fn org_14_organizations_without_anybody_in_charge_are_found(store) {
        let Roles { admin, member, set } = Roles::insert(&store).await;
        let boss = role(3, Vec::new());
        let homes = [organization(1, &set), organization(2, &set)];
        let people = [1, 2].map(user);
        committed!(store, |tx| {
            roles::insert_role(tx, &boss).await?;
            for n in 0..2 {
                organizations::insert(tx, &homes[n]).await?;
                users::insert(tx, &people[n]).await?;
            }
            memberships::insert(tx, &membership(1, &homes[0], &people[0], &boss)).await?;
            memberships::insert(tx, &membership(2, &homes[0], &people[1], &admin)).await?;
            memberships::insert(tx, &membership(3, &homes[1], &people[0], &boss)).await?;
        });
        let tx = &mut reader(&store).await;
        let other = id("roleset", 9);
        for (scope, ends, stays, expected) in [
            (Scope::Instance, &boss, vec![&admin], true),
            (Scope::RoleSet(&set.id), &boss, vec![&admin], true),
            (Scope::RoleSet(&other), &boss, vec![&admin], false),
            (Scope::Organization(&homes[0].id), &boss, vec![&admin], false),
            (Scope::Organization(&homes[1].id), &boss, vec![&admin], true),
            (Scope::Organization(&homes[1].id), &boss, vec![&admin, &boss], false),
            (Scope::Organization(&homes[0].id), &boss, vec![], true),
            (Scope::Instance, &member, vec![], false),
            (Scope::Instance, &admin, vec![&boss], false),
        ] {
            let stays: Vec<_> = stays.into_iter().map(|role| role.id.clone()).collect();
            let found = role_holders::any_without_charge(tx, scope, std::slice::from_ref(&ends.id), &stays).await;
            assert_eq!(found.unwrap(), expected, "{scope:?} {stays:?}");
        }
        for (role, expected) in [(&boss, true), (&member, false)] {
            assert_eq!(role_holders::any(tx, &role.id).await.unwrap(), expected);
        }
    }

    async fn rol_9_what_is_deleted_leaves_roles_and_sets(store, database) {
        let Roles { admin, member, set } = Roles::insert(&store).await;
        let guest = role(3, admin.permissions.clone());
        committed!(store, |tx| {
            roles::insert_role(tx, &guest).await?;
            let ids = [guest.id.clone(), admin.id.clone(), member.id.clone()];
            roles::set_role_set_roles(tx, &set.id, &ids).await?;
        });
        let tx = &mut reader(&store).await;
        assert_eq!(roles::role_set_roles(tx, &set.id).await.unwrap()[0], guest.id);
        let mut changed = Permission { key: "org:reports:all".into(), updated_at: 9, ..guest.permissions[0].clone() };
        changed.description = "Other".into();
        committed!(store, |tx| { roles::update_permission(tx, &changed).await? });
        assert_eq!(roles::permissions(tx).await.unwrap()[0], changed);
        let fewer = Role { name: "Other".into(), permissions: vec![changed.clone()], updated_at: 9, ..guest.clone() };
        committed!(store, |tx| { roles::update_role(tx, &fewer).await? });
        assert_eq!(roles::roles(tx).await.unwrap()[2], fewer);
        committed!(store, |tx| { roles::delete_permission(tx, &changed.id).await? });
        assert_eq!(roles::roles(tx).await.unwrap()[2].permissions, []);
        committed!(store, |tx| { roles::delete_role(tx, &guest.id).await? });
        assert_eq!(roles::role_set_roles(tx, &set.id).await.unwrap(), [admin.id.clone(), member.id]);
        // The default role is kept by the database itself.
        assert!(attempted!(store, |tx| { roles::delete_role(tx, &admin.id).await? }).is_err());
        assert_eq!(database.rows("roles").await, 2);
    }

    async fn holders_of_roles_are_counted_per_organization_and_per_set(store) {
        let Roles { admin, member, set } = Roles::insert(&store).await;
        let other_set = role_set(2, RoleSetType::Custom, &member, &admin);
        let homes = [organization(1, &set), organization(2, &set), organization(3, &other_set)];
        let people = [1, 2, 3].map(user);
        committed!(store, |tx| {
            roles::insert_role_set(tx, &other_set, &[]).await?;
            for n in 0..3 {
                organizations::insert(tx, &homes[n]).await?;
                users::insert(tx, &people[n]).await?;
            }
            let held = [(0, 0, &admin), (0, 1, &admin), (0, 2, &member), (1, 0, &admin), (2, 0, &member)];
            for (row, (home, person, role)) in (1i64..).zip(held) {
                memberships::insert(tx, &membership(row, &homes[home], &people[person], role)).await?;
            }
        });
        let tx = &mut reader(&store).await;
        for (home, person, role, expected) in [
            (0, 0, &admin, 1), (0, 2, &admin, 2), (0, 2, &member, 0), (0, 0, &member, 1), (1, 0, &admin, 0), (2, 0, &admin, 0),
        ] {
            let (home, person) = (&homes[home].id, &people[person].id);
            let others = memberships::count_others_with_role(tx, home, person, &role.id).await.unwrap();
            assert_eq!(others, expected);
        }
        for (home, role, expected) in [(0, &admin, true), (0, &member, true), (1, &member, false), (2, &admin, false)] {
            let any = memberships::any_with_role(tx, &homes[home].id, &role.id).await.unwrap();
            assert_eq!(any, expected, "organization {home}");
        }
        let mut holders = role_holders::of_role_set(tx, &set.id).await.unwrap();
        holders.sort();
        assert_eq!(holders, [(admin.id.clone(), 3), (member.id.clone(), 1)]);
        let holders = role_holders::of_role_set(tx, &other_set.id).await.unwrap();
        assert_eq!(holders, [(member.id.clone(), 1)]);
        assert_eq!(role_holders::of_role_set(tx, &id("roleset", 9)).await.unwrap(), []);
    }
}
