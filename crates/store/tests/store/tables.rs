//! Every table: what goes in comes out, an update saves what it says it saves, and nothing else changes.

use crate::support::samples::*;
use crate::support::{ALL, reader};
use doorward_model::*;
use doorward_store::{
    clients, connection_keys, easie_grants, enterprise_accounts, enterprise_connections, instance, memberships,
    oidc_requests, organizations, redirect_urls, roles, saml_requests, sessions, sign_ins, sign_ups,
    unsolicited_arrivals, users,
};

both_databases! {
    async fn the_instance_keeps_all_its_fields(store) {
        let tx = &mut reader(&store).await;
        assert_eq!(instance::get(tx).await.unwrap(), None);
        let mut row = instance(1);
        committed!(store, |tx| { instance::insert(tx, &row).await? });
        assert_eq!(instance::get(tx).await.unwrap(), Some(row.clone()));

        row.organization_settings = OrganizationSettings::default();
        row.allowed_origins.clear();
        row.support_email = None;
        row.updated_at += 10;
        committed!(store, |tx| { instance::update(tx, &row).await? });
        assert_eq!(instance::get(tx).await.unwrap(), Some(row));
    }

    async fn secret_keys_are_found_by_hash_and_end_when_told(store) {
        let tx = &mut reader(&store).await;
        let forever = secret_key(1);
        let ending = SecretKey { expires_at: Some(START + 50), ..secret_key(2) };
        let late = SecretKey { expires_at: Some(START + 900), ..secret_key(3) };
        committed!(store, |tx| {
            for key in [&late, &ending, &forever] {
                instance::insert_secret_key(tx, key).await?;
            }
        });
        let keys = instance::secret_keys(tx).await.unwrap();
        assert_eq!(keys, [forever.clone(), ending.clone(), late.clone()]);
        let found = instance::secret_key_by_sha256(tx, &sha256(2)).await.unwrap();
        assert_eq!(found, Some(ending.clone()));
        assert_eq!(instance::secret_key_by_sha256(tx, &sha256(9)).await.unwrap(), None);

        committed!(store, |tx| { instance::expire_secret_keys(tx, START + 100).await? });
        let ends: Vec<_> =
            instance::secret_keys(tx).await.unwrap().iter().map(|key| key.expires_at).collect();
        assert_eq!(ends, [Some(START + 100), Some(START + 50), Some(START + 100)]);

        committed!(store, |tx| { instance::delete_expired_secret_keys(tx, START + 49).await? });
        assert_eq!(instance::secret_keys(tx).await.unwrap().len(), 3);
        committed!(store, |tx| { instance::delete_expired_secret_keys(tx, START + 50).await? });
        assert_eq!(instance::secret_keys(tx).await.unwrap().len(), 2);
        committed!(store, |tx| {
            instance::insert_secret_key(tx, &secret_key(4)).await?;
            instance::delete_expired_secret_keys(tx, i64::MAX).await?;
        });
        assert_eq!(instance::secret_keys(tx).await.unwrap(), [secret_key(4)]);
    }

    async fn signing_keys_come_oldest_first(store) {
        let tx = &mut reader(&store).await;
        committed!(store, |tx| {
            for n in [3, 1, 2] {
                instance::insert_signing_key(tx, &signing_key(n)).await?;
            }
        });
        let keys = instance::signing_keys(tx).await.unwrap();
        assert_eq!(keys, [signing_key(1), signing_key(2), signing_key(3)]);
    }

    async fn redirect_urls_keep_all_their_fields(store) {
        let tx = &mut reader(&store).await;
        let (one, two) = (redirect_url(1), redirect_url(2));
        committed!(store, |tx| {
            redirect_urls::insert(tx, &one).await?;
            redirect_urls::insert(tx, &two).await?;
        });
        assert_eq!(redirect_urls::by_id(tx, &one.id).await.unwrap(), Some(one.clone()));
        assert_eq!(redirect_urls::by_url(tx, &two.url).await.unwrap(), Some(two.clone()));
        assert_eq!(redirect_urls::by_url(tx, &two.url.to_uppercase()).await.unwrap(), None);
        assert_eq!(redirect_urls::list(tx, ALL).await.unwrap(), [two.clone(), one.clone()]);

        assert!(committed!(store, |tx| { redirect_urls::delete(tx, &one.id).await? }));
        assert!(!committed!(store, |tx| { redirect_urls::delete(tx, &one.id).await? }));
        assert_eq!(redirect_urls::by_id(tx, &one.id).await.unwrap(), None);
        assert_eq!(redirect_urls::list(tx, ALL).await.unwrap(), [two]);
    }

    async fn roles_come_with_their_permissions_oldest_first(store) {
        let tx = &mut reader(&store).await;
        let Roles { admin, member, .. } = Roles::insert(&store).await;
        assert_eq!(roles::permissions(tx).await.unwrap(), admin.permissions);
        let bare = Role { description: None, ..role(3, Vec::new()) };
        committed!(store, |tx| { roles::insert_role(tx, &bare).await? });
        assert_eq!(roles::roles(tx).await.unwrap(), [admin, member, bare]);
    }

    async fn role_sets_keep_all_their_fields_and_the_order_of_their_roles(store) {
        let tx = &mut reader(&store).await;
        let Roles { admin, member, set } = Roles::insert(&store).await;
        let other = RoleSet { description: None, ..role_set(2, RoleSetType::Custom, &admin, &admin) };
        committed!(store, |tx| {
            roles::insert_role_set(tx, &other, std::slice::from_ref(&admin.id)).await?;
        });
        assert_eq!(roles::role_sets(tx).await.unwrap(), [set.clone(), other.clone()]);
        assert_eq!(roles::role_set_by_id(tx, &other.id).await.unwrap(), Some(other.clone()));
        assert_eq!(roles::role_set_by_id(tx, &id("roleset", 9)).await.unwrap(), None);
        assert_eq!(roles::role_set_by_key(tx, &other.key).await.unwrap(), Some(other.clone()));
        assert_eq!(roles::role_set_by_key(tx, "role_set:none").await.unwrap(), None);
        assert_eq!(roles::initial_role_set(tx).await.unwrap(), set);
        let held = roles::role_set_roles(tx, &set.id).await.unwrap();
        assert_eq!(held, [admin.id.clone(), member.id.clone()]);
        assert!(roles::role_set_has_role(tx, &set.id, &member.id).await.unwrap());
        assert!(!roles::role_set_has_role(tx, &other.id, &member.id).await.unwrap());

        let changed = RoleSet {
            key: "role_set:changed".into(),
            name: ODD.into(),
            description: None,
            kind: RoleSetType::Custom,
            default_role_id: admin.id.clone(),
            creator_role_id: member.id.clone(),
            updated_at: START + 99,
            ..set.clone()
        };
        committed!(store, |tx| { roles::update_role_set(tx, &changed).await? });
        assert_eq!(roles::role_sets(tx).await.unwrap(), [changed, other]);
    }

    async fn users_keep_all_their_fields(store) {
        let tx = &mut reader(&store).await;
        let (full, bare) = (user(1), bare_user(2));
        committed!(store, |tx| {
            users::insert(tx, &full).await?;
            users::insert(tx, &bare).await?;
        });
        assert_eq!(users::by_id(tx, &full.id).await.unwrap(), Some(full.clone()));
        assert_eq!(users::by_id(tx, &bare.id).await.unwrap(), Some(bare.clone()));
        let external_id = full.external_id.as_deref().unwrap();
        assert_eq!(users::by_external_id(tx, external_id).await.unwrap(), Some(full.clone()));
        let username = full.username.as_deref().unwrap();
        assert_eq!(users::by_username(tx, username).await.unwrap(), Some(full.clone()));
        assert_eq!(users::by_username(tx, "nobody").await.unwrap(), None);

        let filled = User { id: bare.id.clone(), created_at: START + 7, ..user(3) };
        let emptied = User { id: full.id.clone(), created_at: START + 8, ..bare_user(4) };
        committed!(store, |tx| {
            users::update(tx, &filled).await?;
            users::update(tx, &emptied).await?;
        });
        assert_eq!(users::by_id(tx, &bare.id).await.unwrap(), Some(filled.clone()));
        assert_eq!(users::by_id(tx, &full.id).await.unwrap(), Some(emptied.clone()));

        committed!(store, |tx| { users::touch(tx, &emptied.id, START + 77).await? });
        let touched = User { last_active_at: Some(START + 77), ..emptied };
        assert_eq!(users::by_id(tx, &full.id).await.unwrap(), Some(touched));
        assert_eq!(users::by_id(tx, &bare.id).await.unwrap(), Some(filled));

        assert!(committed!(store, |tx| { users::delete(tx, &full.id).await? }));
        assert!(!committed!(store, |tx| { users::delete(tx, &full.id).await? }));
        assert_eq!(users::by_id(tx, &full.id).await.unwrap(), None);
        assert!(users::by_id(tx, &bare.id).await.unwrap().is_some());
    }

    async fn addresses_keep_all_their_fields(store) {
        let tx = &mut reader(&store).await;
        let (one, two) = (user(1), user(2));
        let kinds = [EmailVerification::Admin, EmailVerification::EnterpriseSso, EmailVerification::Unverified];
        let mut addresses: Vec<EmailAddress> = (1i64..).zip(kinds)
            .map(|(n, kind)| address(n, &one, &format!("o'jürgen{n}@bücher.example"), kind))
            .collect();
        let foreign = address(4, &two, "o'jürgen3@bücher.example", EmailVerification::Unverified);
        committed!(store, |tx| {
            users::insert(tx, &one).await?;
            users::insert(tx, &two).await?;
            for address in addresses.iter().rev().chain([&foreign]) {
                users::insert_address(tx, address).await?;
            }
        });
        assert_eq!(users::addresses(tx, &one.id).await.unwrap(), addresses);
        let named = users::addresses_named(tx, &foreign.address).await.unwrap();
        assert_eq!(named, [addresses[2].clone(), foreign.clone()]);

        addresses[2].verification = EmailVerification::EnterpriseSso;
        addresses[2].updated_at = START + 99;
        let (verified, now) = (&addresses[2], START + 99);
        committed!(store, |tx| {
            users::verify_address(tx, &verified.id, verified.verification, now).await?;
        });
        assert_eq!(users::addresses(tx, &one.id).await.unwrap(), addresses);
        assert_eq!(users::addresses(tx, &two.id).await.unwrap(), [foreign]);
    }

    async fn organizations_keep_all_their_fields(store) {
        let tx = &mut reader(&store).await;
        let Roles { admin, set, .. } = Roles::insert(&store).await;
        let other_set = role_set(2, RoleSetType::Custom, &admin, &admin);
        let full = organization(1, &set);
        let bare = Organization { created_by: None, ..organization(2, &set) };
        committed!(store, |tx| {
            roles::insert_role_set(tx, &other_set, &[]).await?;
            organizations::insert(tx, &full).await?;
            organizations::insert(tx, &bare).await?;
        });
        assert_eq!(organizations::by_id(tx, &full.id).await.unwrap(), Some(full.clone()));
        assert_eq!(organizations::by_slug(tx, &bare.slug).await.unwrap(), Some(bare.clone()));
        assert_eq!(organizations::by_slug(tx, "nothing").await.unwrap(), None);
        assert_eq!(organizations::count_created_by(tx, &id("user", 1)).await.unwrap(), 1);
        assert_eq!(organizations::count_created_by(tx, &id("user", 2)).await.unwrap(), 0);

        let changed = Organization {
            name: ODD.into(),
            slug: "changed".into(),
            max_allowed_memberships: 0,
            admin_delete_enabled: false,
            self_serve_sso_enabled: true,
            public_metadata: JsonMap::new(),
            private_metadata: metadata(77),
            role_set_id: other_set.id.clone(),
            created_at: START - 5,
            updated_at: START + 99,
            ..full.clone()
        };
        committed!(store, |tx| { organizations::update(tx, &changed).await? });
        assert_eq!(organizations::by_id(tx, &full.id).await.unwrap(), Some(changed));
        assert_eq!(organizations::by_id(tx, &bare.id).await.unwrap(), Some(bare));

        assert!(committed!(store, |tx| { organizations::delete(tx, &full.id).await? }));
        assert!(!committed!(store, |tx| { organizations::delete(tx, &full.id).await? }));
        assert_eq!(organizations::by_id(tx, &full.id).await.unwrap(), None);
        assert_eq!(organizations::count_created_by(tx, &id("user", 1)).await.unwrap(), 0);
    }

    async fn memberships_keep_all_their_fields_and_the_members_count(store) {
        let tx = &mut reader(&store).await;
        let Roles { admin, member, set } = Roles::insert(&store).await;
        let (home, other) = (organization(1, &set), organization(2, &set));
        let (one, two) = (user(1), user(2));
        let first = membership(1, &home, &one, &admin);
        let second = membership(2, &home, &two, &member);
        committed!(store, |tx| {
            organizations::insert(tx, &home).await?;
            organizations::insert(tx, &other).await?;
            users::insert(tx, &one).await?;
            users::insert(tx, &two).await?;
            memberships::insert(tx, &first).await?;
            memberships::insert(tx, &second).await?;
        });
        assert_eq!(memberships::get(tx, &home.id, &one.id).await.unwrap(), Some(first.clone()));
        assert_eq!(memberships::get(tx, &other.id, &one.id).await.unwrap(), None);
        let counted = organizations::by_id(tx, &home.id).await.unwrap().unwrap();
        assert_eq!(counted, Organization { members_count: 2, ..home.clone() });
        assert_eq!(organizations::by_id(tx, &other.id).await.unwrap(), Some(other));

        let changed = OrganizationMembership {
            role_id: member.id.clone(),
            public_metadata: metadata(50),
            private_metadata: JsonMap::new(),
            updated_at: START + 99,
            ..first.clone()
        };
        committed!(store, |tx| {
            // A whole organization is saved without touching what memberships count.
            organizations::update(tx, &home).await?;
            memberships::update(tx, &changed).await?;
        });
        assert_eq!(memberships::get(tx, &home.id, &one.id).await.unwrap(), Some(changed.clone()));
        assert_eq!(memberships::get(tx, &home.id, &two.id).await.unwrap(), Some(second));

        for _ in 0..2 {
            committed!(store, |tx| { memberships::delete(tx, &changed, START + 99).await? });
            assert_eq!(memberships::get(tx, &home.id, &one.id).await.unwrap(), None);
            let counted = organizations::by_id(tx, &home.id).await.unwrap().unwrap();
            assert_eq!(counted.members_count, 1);
        }
    }

    async fn connections_keep_all_their_fields_and_the_order_of_domains(store) {
        let tx = &mut reader(&store).await;
        let Roles { set, .. } = Roles::insert(&store).await;
        let owner = organization(1, &set);
        let bare = bare_connection(9);
        let all: Vec<_> = (1..=4).map(|n| connection(n, Some(&owner))).chain([bare.clone()]).collect();
        committed!(store, |tx| {
            organizations::insert(tx, &owner).await?;
            for connection in &all {
                enterprise_connections::insert(tx, connection).await?;
            }
        });
        for connection in &all {
            let found = enterprise_connections::by_id(tx, &connection.id).await.unwrap();
            assert_eq!(found.as_ref(), Some(connection));
            let saml_id = &connection.saml_connection_id;
            let found = enterprise_connections::by_saml_connection_id(tx, saml_id).await.unwrap();
            assert_eq!(found.as_ref(), Some(connection));
        }
        assert_eq!(enterprise_connections::by_id(tx, &id("entconn", 99)).await.unwrap(), None);
        let none = enterprise_connections::by_saml_connection_id(tx, &id("samlc", 99)).await;
        assert_eq!(none.unwrap(), None);

        // CON-5: the provider stays what it was; so do the id in the ACS URL and the time of creation.
        let (full, kept) = (&all[0], &all[1]);
        let emptied = EnterpriseConnection {
            id: full.id.clone(),
            provider: full.provider,
            saml_connection_id: full.saml_connection_id.clone(),
            created_at: full.created_at,
            updated_at: START + 99,
            ..bare_connection(50)
        };
        let filled = EnterpriseConnection {
            id: bare.id.clone(),
            provider: bare.provider,
            domains: vec![domain("y.example"), domain("b.example"), domain("z.example")],
            saml_connection_id: bare.saml_connection_id.clone(),
            created_at: bare.created_at,
            ..connection(51, Some(&owner))
        };
        committed!(store, |tx| {
            enterprise_connections::update(tx, &emptied).await?;
            enterprise_connections::update(tx, &filled).await?;
        });
        for expected in [&emptied, &filled, kept] {
            let found = enterprise_connections::by_id(tx, &expected.id).await.unwrap();
            assert_eq!(found.as_ref(), Some(expected));
        }

        assert!(committed!(store, |tx| { enterprise_connections::delete(tx, &kept.id).await? }));
        assert!(!committed!(store, |tx| { enterprise_connections::delete(tx, &kept.id).await? }));
        assert_eq!(enterprise_connections::by_id(tx, &kept.id).await.unwrap(), None);
    }

    async fn connections_keep_all_fields_of_their_openid_connect_half(store) {
        let tx = &mut reader(&store).await;
        // Every kind, with everything set and with nothing.
        let all: Vec<_> = (1..=5).flat_map(|n| [oidc_connection(n), bare_oidc_connection(n + 10)]).collect();
        committed!(store, |tx| {
            for connection in &all {
                enterprise_connections::insert(tx, connection).await?;
            }
        });
        for connection in &all {
            let found = enterprise_connections::by_id(tx, &connection.id).await.unwrap();
            assert_eq!(found.as_ref(), Some(connection));
            // It has no ACS.
            let found = enterprise_connections::by_saml_connection_id(tx, &connection.saml_connection_id).await;
            assert_eq!(found.unwrap(), None);
        }
        let swap = |now: &EnterpriseConnection, then: &EnterpriseConnection| EnterpriseConnection {
            oidc: then.oidc.clone(),
            ..now.clone()
        };
        let (emptied, filled) = (swap(&all[0], &all[1]), swap(&all[1], &all[0]));
        committed!(store, |tx| {
            enterprise_connections::update(tx, &emptied).await?;
            enterprise_connections::update(tx, &filled).await?;
        });
        for expected in [&emptied, &filled, &all[2]] {
            let found = enterprise_connections::by_id(tx, &expected.id).await.unwrap();
            assert_eq!(found.as_ref(), Some(expected));
        }
    }

    async fn easie_grants_keep_all_their_fields_and_a_later_one_takes_the_place(store, database) {
        let tx = &mut reader(&store).await;
        let (idp, person) = (oidc_connection(3), user(1));
        let account = account(1, &person, &idp, "subject");
        let one = easie_grant(1, &account);
        committed!(store, |tx| {
            enterprise_connections::insert(tx, &idp).await?;
            users::insert(tx, &person).await?;
            enterprise_accounts::insert(tx, &account).await?;
            easie_grants::save(tx, &one).await?;
        });
        assert_eq!(easie_grants::of_account(tx, &account.id).await.unwrap().as_ref(), Some(&one));
        assert_eq!(easie_grants::of_account(tx, &id("entacc", 9)).await.unwrap(), None);
        for state in [EasieGrantState::Gone, EasieGrantState::SignInNeeded] {
            let later = EasieGrant {
                encrypted_refresh_token: None,
                state,
                due_at: None,
                last_error: None,
                created_at: one.created_at,
                ..easie_grant(2, &account)
            };
            committed!(store, |tx| { easie_grants::save(tx, &later).await? });
            assert_eq!(easie_grants::of_account(tx, &account.id).await.unwrap(), Some(later));
        }
        assert_eq!(database.rows("easie_grants").await, 1);
    }

    async fn trips_to_an_openid_connect_provider_keep_all_their_fields_and_are_taken_once(store, database) {
        let tx = &mut reader(&store).await;
        let (idp, browser) = (oidc_connection(1), client(1));
        let one = oidc_request(1, &idp, AttemptId::SignIn(id("sia", 1)), &browser);
        let two = OidcRequest {
            encrypted_code_verifier: None,
            ..oidc_request(2, &idp, AttemptId::SignUp(id("sua", 2)), &browser)
        };
        committed!(store, |tx| {
            enterprise_connections::insert(tx, &idp).await?;
            clients::insert(tx, &browser).await?;
            oidc_requests::insert(tx, &one).await?;
            oidc_requests::insert(tx, &two).await?;
        });
        for trip in [&one, &two] {
            for _ in 0..2 {
                let found = oidc_requests::by_state(tx, &trip.state_sha256).await.unwrap();
                assert_eq!(found.as_ref(), Some(trip));
            }
        }
        assert_eq!(oidc_requests::by_state(tx, &sha256(9)).await.unwrap(), None);
        assert_eq!(committed!(store, |tx| { oidc_requests::take(tx, &sha256(9)).await? }), None);
        assert_eq!(committed!(store, |tx| { oidc_requests::take(tx, &one.state_sha256).await? }), Some(one.clone()));
        assert_eq!(committed!(store, |tx| { oidc_requests::take(tx, &one.state_sha256).await? }), None);
        assert_eq!(oidc_requests::by_state(tx, &one.state_sha256).await.unwrap(), None);
        assert_eq!(oidc_requests::by_state(tx, &two.state_sha256).await.unwrap(), Some(two));
        assert_eq!(database.rows("oidc_requests").await, 1);
    }

    async fn lnk_6_accounts_are_found_by_connection_and_subject(store) {
        let tx = &mut reader(&store).await;
        let person = user(1);
        let (here, there) = (connection(1, None), connection(2, None));
        let full = account(1, &person, &here, ODD);
        let bare = EnterpriseAccount {
            first_name: None,
            last_name: None,
            public_metadata: JsonMap::new(),
            ..account(2, &person, &there, ODD)
        };
        committed!(store, |tx| {
            users::insert(tx, &person).await?;
            enterprise_connections::insert(tx, &here).await?;
            enterprise_connections::insert(tx, &there).await?;
            enterprise_accounts::insert(tx, &bare).await?;
            enterprise_accounts::insert(tx, &full).await?;
        });
        let found = enterprise_accounts::by_subject(tx, &here.id, ODD).await.unwrap();
        assert_eq!(found, Some(full.clone()));
        let found = enterprise_accounts::by_subject(tx, &there.id, ODD).await.unwrap();
        assert_eq!(found, Some(bare.clone()));
        // Subjects are opaque: another case is another person.
        let other = enterprise_accounts::by_subject(tx, &here.id, &ODD.to_lowercase()).await;
        assert_eq!(other.unwrap(), None);
        let of_user = enterprise_accounts::of_user(tx, &person.id).await.unwrap();
        assert_eq!(of_user, [(full.clone(), here.clone()), (bare.clone(), there.clone())]);

        let changed = EnterpriseAccount {
            email_address: email("new@acme.example"),
            first_name: None,
            last_name: Some("O'Neil".into()),
            public_metadata: metadata(50),
            last_authenticated_at: START + 98,
            updated_at: START + 99,
            ..full
        };
        committed!(store, |tx| { enterprise_accounts::update(tx, &changed).await? });
        let of_user = enterprise_accounts::of_user(tx, &person.id).await.unwrap();
        assert_eq!(of_user, [(changed, here.clone()), (bare, there.clone())]);
    }

    async fn connection_keys_keep_all_their_fields_and_the_newest_counts(store) {
        let tx = &mut reader(&store).await;
        let (here, there) = (connection(1, None), connection(2, None));
        let old = connection_key(&here);
        let new = ConnectionKey { certificate: ODD.into(), created_at: old.created_at + 1, ..old.clone() };
        committed!(store, |tx| {
            enterprise_connections::insert(tx, &here).await?;
            enterprise_connections::insert(tx, &there).await?;
            connection_keys::insert(tx, &new).await?;
            connection_keys::insert(tx, &old).await?;
        });
        let purpose = KeyPurpose::Decryption;
        assert_eq!(connection_keys::all(tx, &here.id, purpose).await.unwrap(), [new.clone(), old.clone()]);
        assert_eq!(connection_keys::newest(tx, &here.id, purpose).await.unwrap(), Some(new.clone()));
        assert_eq!(connection_keys::newest(tx, &here.id, KeyPurpose::Signing).await.unwrap(), None);
        assert_eq!(connection_keys::newest(tx, &there.id, purpose).await.unwrap(), None);
        assert!(committed!(store, |tx| { connection_keys::delete(tx, &new).await? }));
        assert!(!committed!(store, |tx| { connection_keys::delete(tx, &new).await? }));
        assert_eq!(connection_keys::all(tx, &here.id, purpose).await.unwrap(), [old]);
    }

    async fn clients_keep_all_their_fields(store) {
        let tx = &mut reader(&store).await;
        let full = client(1);
        let bare = Client {
            last_active_session_id: None,
            sign_in_id: None,
            sign_up_id: None,
            last_authentication_strategy: None,
            ..client(2)
        };
        committed!(store, |tx| {
            clients::insert(tx, &full).await?;
            clients::insert(tx, &bare).await?;
        });
        assert_eq!(clients::by_id(tx, &full.id).await.unwrap(), Some(full.clone()));
        assert_eq!(clients::by_id(tx, &bare.id).await.unwrap(), Some(bare.clone()));

        let filled = Client { id: bare.id.clone(), created_at: bare.created_at, ..client(3) };
        let emptied = Client { id: full.id.clone(), created_at: full.created_at, updated_at: START + 99, ..bare };
        committed!(store, |tx| {
            clients::update(tx, &filled).await?;
            clients::update(tx, &emptied).await?;
        });
        assert_eq!(clients::by_id(tx, &full.id).await.unwrap(), Some(emptied));
        assert_eq!(clients::by_id(tx, &filled.id).await.unwrap(), Some(filled));

        assert!(committed!(store, |tx| { clients::delete(tx, &full.id).await? }));
        assert!(!committed!(store, |tx| { clients::delete(tx, &full.id).await? }));
        assert_eq!(clients::by_id(tx, &full.id).await.unwrap(), None);
    }

    async fn sessions_keep_all_their_fields(store) {
        let tx = &mut reader(&store).await;
        let Roles { set, .. } = Roles::insert(&store).await;
        let (home, person, browser) = (organization(1, &set), user(1), client(1));
        let statuses = [
            SessionStatus::Active, SessionStatus::Ended, SessionStatus::Expired, SessionStatus::Removed,
            SessionStatus::Revoked, SessionStatus::Replaced, SessionStatus::Abandoned,
        ];
        let mut all: Vec<Session> = (1i64..).zip(statuses)
            .map(|(n, status)| Session { status, ..session(n, &browser, &person) })
            .collect();
        all[0].last_active_organization_id = Some(home.id.clone());
        committed!(store, |tx| {
            organizations::insert(tx, &home).await?;
            users::insert(tx, &person).await?;
            clients::insert(tx, &browser).await?;
            for session in &all {
                sessions::insert(tx, session).await?;
            }
        });
        assert_eq!(sessions::of_client(tx, &browser.id).await.unwrap(), all);
        assert_eq!(sessions::by_id(tx, &all[0].id).await.unwrap(), Some(all[0].clone()));
        assert_eq!(sessions::by_id(tx, &id("sess", 99)).await.unwrap(), None);

        all[0].last_active_organization_id = None;
        all[1].last_active_organization_id = Some(home.id.clone());
        for session in &mut all[..2] {
            session.status = SessionStatus::Revoked;
            session.last_active_at = START + 98;
            session.updated_at = START + 99;
        }
        committed!(store, |tx| {
            sessions::update(tx, &all[0]).await?;
            sessions::update(tx, &all[1]).await?;
        });
        assert_eq!(sessions::of_client(tx, &browser.id).await.unwrap(), all);
    }

    async fn ending_all_sessions_of_a_user_touches_active_ones_of_that_user_only(store) {
        let tx = &mut reader(&store).await;
        let (one, two, browser) = (user(1), user(2), client(1));
        let active = session(1, &browser, &one);
        let ended = Session { status: SessionStatus::Ended, ..session(2, &browser, &one) };
        let foreign = session(3, &browser, &two);
        committed!(store, |tx| {
            users::insert(tx, &one).await?;
            users::insert(tx, &two).await?;
            clients::insert(tx, &browser).await?;
            for session in [&active, &ended, &foreign] {
                sessions::insert(tx, session).await?;
            }
            sessions::end_all_of_user(tx, &one.id, SessionStatus::Revoked, START + 99).await?;
        });
        let revoked = Session { status: SessionStatus::Revoked, updated_at: START + 99, ..active };
        assert_eq!(sessions::of_client(tx, &browser.id).await.unwrap(), [revoked, ended, foreign]);
    }

    async fn sign_ins_keep_all_their_fields(store) {
        let tx = &mut reader(&store).await;
        let browser = client(1);
        let full = sign_in(1, &browser);
        let bare = SignIn {
            status: SignInStatus::NeedsIdentifier,
            identifier: None,
            verification: None,
            created_session_id: None,
            ..sign_in(2, &browser)
        };
        committed!(store, |tx| {
            clients::insert(tx, &browser).await?;
            sign_ins::insert(tx, &full).await?;
            sign_ins::insert(tx, &bare).await?;
        });
        assert_eq!(sign_ins::by_id(tx, &full.id).await.unwrap(), Some(full.clone()));
        assert_eq!(sign_ins::by_id(tx, &bare.id).await.unwrap(), Some(bare.clone()));

        let complete = SignIn {
            id: bare.id.clone(),
            status: SignInStatus::Complete,
            abandon_at: bare.abandon_at,
            created_at: bare.created_at,
            ..sign_in(3, &browser)
        };
        let emptied = SignIn { id: full.id.clone(), abandon_at: full.abandon_at, created_at: full.created_at, ..bare };
        committed!(store, |tx| {
            sign_ins::update(tx, &complete).await?;
            sign_ins::update(tx, &emptied).await?;
        });
        assert_eq!(sign_ins::by_id(tx, &complete.id).await.unwrap(), Some(complete));
        assert_eq!(sign_ins::by_id(tx, &emptied.id).await.unwrap(), Some(emptied));
    }

    async fn sign_ups_keep_all_their_fields(store) {
        let tx = &mut reader(&store).await;
        let browser = client(1);
        let full = sign_up(1, &browser);
        let bare = SignUp {
            email_address: None,
            first_name: None,
            last_name: None,
            unsafe_metadata: JsonMap::new(),
            verification: None,
            created_session_id: None,
            created_user_id: None,
            ..sign_up(2, &browser)
        };
        committed!(store, |tx| {
            clients::insert(tx, &browser).await?;
            sign_ups::insert(tx, &full).await?;
            sign_ups::insert(tx, &bare).await?;
        });
        assert_eq!(sign_ups::by_id(tx, &full.id).await.unwrap(), Some(full.clone()));
        assert_eq!(sign_ups::by_id(tx, &bare.id).await.unwrap(), Some(bare.clone()));

        let complete = SignUp {
            id: bare.id.clone(),
            status: SignUpStatus::Complete,
            abandon_at: bare.abandon_at,
            created_at: bare.created_at,
            ..sign_up(3, &browser)
        };
        let emptied = SignUp { id: full.id.clone(), abandon_at: full.abandon_at, created_at: full.created_at, ..bare };
        committed!(store, |tx| {
            sign_ups::update(tx, &complete).await?;
            sign_ups::update(tx, &emptied).await?;
        });
        assert_eq!(sign_ups::by_id(tx, &complete.id).await.unwrap(), Some(complete));
        assert_eq!(sign_ups::by_id(tx, &emptied.id).await.unwrap(), Some(emptied));
    }

    async fn trips_to_an_idp_keep_all_their_fields(store) {
        let tx = &mut reader(&store).await;
        let (idp, browser) = (connection(1, None), client(1));
        let attempts = [AttemptId::SignIn(id("sia", 1)), AttemptId::SignUp(id("sua", 2))];
        let mut trips: Vec<SamlRequest> = (1i64..).zip(attempts)
            .map(|(n, attempt)| saml_request(n, &idp, attempt, &browser))
            .collect();
        let outcomes = [SsoOutcome::Verified(profile(1)), SsoOutcome::Failed(error(2))];
        committed!(store, |tx| {
            enterprise_connections::insert(tx, &idp).await?;
            clients::insert(tx, &browser).await?;
            for trip in &trips {
                saml_requests::insert(tx, trip).await?;
            }
        });
        for trip in &trips {
            let found = saml_requests::by_relay_state(tx, &trip.relay_state_sha256).await.unwrap();
            assert_eq!(found.as_ref(), Some(trip));
        }
        assert_eq!(saml_requests::by_relay_state(tx, &sha256(9)).await.unwrap(), None);
        assert_eq!(saml_requests::by_finish(tx, &sha256(101)).await.unwrap(), None);

        for (n, (trip, outcome)) in (101i64..).zip(trips.iter_mut().zip(outcomes)) {
            committed!(store, |tx| {
                saml_requests::answer(tx, &trip.relay_state_sha256, &outcome, &sha256(n)).await?
            });
            trip.outcome = Some(outcome);
            trip.finish_sha256 = Some(sha256(n));
            let found = saml_requests::by_finish(tx, &sha256(n)).await.unwrap();
            assert_eq!(found.as_ref(), Some(&*trip));
        }
    }

    async fn browsers_nobody_signed_in_with_are_pruned_and_no_others(store, database) {
        let stranger = |n| Client { last_authentication_strategy: None, last_active_session_id: None, ..client(n) };
        let (with_session, with_sign_in, with_sign_up) = (stranger(2), stranger(3), stranger(4));
        committed!(store, |tx| {
            users::insert(tx, &user(1)).await?;
            for browser in [&stranger(1), &with_session, &with_sign_in, &with_sign_up, &client(5), &stranger(100)] {
                clients::insert(tx, browser).await?;
            }
            sessions::insert(tx, &session(1, &with_session, &user(1))).await?;
            sign_ins::insert(tx, &SignIn { verification: None, ..sign_in(1, &with_sign_in) }).await?;
            sign_ups::insert(tx, &SignUp { verification: None, ..sign_up(1, &with_sign_up) }).await?;
        });
        assert_eq!(committed!(store, |tx| { clients::prune(tx, START + 1).await? }), 0);
        assert_eq!(committed!(store, |tx| { clients::prune(tx, START + 50).await? }), 1);
        assert_eq!(clients::by_id(&mut reader(&store).await, &stranger(1).id).await.unwrap(), None);
        assert_eq!(database.rows("clients").await, 5);
        committed!(store, |tx| { sign_ins::prune(tx, START + 1_000_000_000).await? });
        assert_eq!(committed!(store, |tx| { clients::prune(tx, START + 50).await? }), 1);
        assert_eq!(database.rows("clients").await, 4);
    }

    async fn unsolicited_arrivals_keep_all_their_fields_and_are_taken_once(store) {
        let tx = &mut reader(&store).await;
        let idp = connection(1, None);
        let (one, two) = (arrival(1, &idp), arrival(2, &idp));
        committed!(store, |tx| {
            enterprise_connections::insert(tx, &idp).await?;
            unsolicited_arrivals::insert(tx, &one).await?;
            unsolicited_arrivals::insert(tx, &two).await?;
        });
        let found = unsolicited_arrivals::by_finish(tx, &one.finish_sha256).await.unwrap();
        assert_eq!(found, Some(one.clone()));
        assert!(committed!(store, |tx| { unsolicited_arrivals::delete(tx, &one.finish_sha256).await? }));
        assert!(!committed!(store, |tx| { unsolicited_arrivals::delete(tx, &one.finish_sha256).await? }));
        assert_eq!(unsolicited_arrivals::by_finish(tx, &one.finish_sha256).await.unwrap(), None);
        let found = unsolicited_arrivals::by_finish(tx, &two.finish_sha256).await.unwrap();
        assert_eq!(found, Some(two));
    }

    async fn what_ran_out_is_pruned_a_thousand_rows_at_a_time(store, database) {
        let (idp, browser) = (connection(1, None), client(1));
        committed!(store, |tx| {
            enterprise_connections::insert(tx, &idp).await?;
            clients::insert(tx, &browser).await?;
            for n in 0..1002 {
                // All end at START + 5 but the last, which ends one millisecond later.
                let end = START + 5 + i64::from(n == 1001);
                sign_ins::insert(tx, &SignIn { abandon_at: end, verification: None, ..sign_in(n, &browser) }).await?;
                sign_ups::insert(tx, &SignUp { abandon_at: end, verification: None, ..sign_up(n, &browser) }).await?;
                let trip = saml_request(n, &idp, AttemptId::SignIn(id("sia", n)), &browser);
                saml_requests::insert(tx, &SamlRequest { expires_at: end, ..trip }).await?;
                let trip = oidc_request(n, &idp, AttemptId::SignIn(id("sia", n)), &browser);
                oidc_requests::insert(tx, &OidcRequest { expires_at: end, ..trip }).await?;
                saml_requests::remember_assertion(tx, &idp.id, &format!("{ODD}{n}"), end).await?;
                let arrived = UnsolicitedArrival { expires_at: end, ..arrival(n, &idp) };
                unsolicited_arrivals::insert(tx, &arrived).await?;
            }
        });
        for (now, removed) in [(START + 4, 0), (START + 5, 1000), (START + 5, 1), (START + 5, 0), (START + 6, 1)] {
            let counts = committed!(store, |tx| {
                [
                    sign_ins::prune(tx, now).await?,
                    sign_ups::prune(tx, now).await?,
                    saml_requests::prune(tx, now).await?,
                    oidc_requests::prune(tx, now).await?,
                    saml_requests::prune_assertions(tx, now).await?,
                    unsolicited_arrivals::prune(tx, now).await?,
                ]
            });
            assert_eq!(counts, [removed; 6]);
        }
        for table in ["sign_ins", "sign_ups", "saml_requests", "oidc_requests", "saml_assertions", "unsolicited_arrivals"] {
            assert_eq!(database.rows(table).await, 0, "{table}");
        }
    }
}
