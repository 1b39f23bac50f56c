//! What the database itself refuses, whoever forgets to ask first.

use crate::support::reader;
use crate::support::samples::*;
use doorward_model::*;
use doorward_store::{
    StoreError, clients, enterprise_accounts, enterprise_connections, instance, memberships, oidc_requests,
    organizations, redirect_urls, roles, saml_requests, users,
};

#[track_caller]
fn assert_conflict(outcome: Result<(), StoreError>) {
    match outcome {
        Err(StoreError::Conflict(_)) => {}
        other => panic!("expected a conflict, got {other:?}"),
    }
}

both_databases! {
    async fn lnk_1_a_verified_address_has_one_owner(store) {
        let text = "anna@acme.example";
        let people = [user(1), user(2), user(3)];
        committed!(store, |tx| {
            for person in &people {
                users::insert(tx, person).await?;
            }
            users::insert_address(tx, &address(1, &people[0], text, EmailVerification::EnterpriseSso)).await?;
        });
        for verified in [EmailVerification::Admin, EmailVerification::EnterpriseSso] {
            assert_conflict(attempted!(store, |tx| {
                users::insert_address(tx, &address(2, &people[1], text, verified)).await?
            }));
        }
        // Anyone may claim it, even several people, and none of them can turn the claim into the truth.
        committed!(store, |tx| {
            for (n, person) in (2i64..).zip(&people[1..]) {
                users::insert_address(tx, &address(n, person, text, EmailVerification::Unverified)).await?;
            }
        });
        assert_conflict(attempted!(store, |tx| {
            users::verify_address(tx, &id("idn", 2), EmailVerification::Admin, START).await?
        }));
        let named = users::addresses_named(&mut reader(&store).await, &email(text)).await.unwrap();
        let owners: Vec<_> = named.iter().filter(|address| address.verification.is_verified()).collect();
        assert_eq!((named.len(), owners.len()), (3, 1));

        // Once the owner is gone, the next one may be verified.
        committed!(store, |tx| {
            users::delete(tx, &people[0].id).await?;
            users::verify_address(tx, &id("idn", 2), EmailVerification::Admin, START).await?;
        });
    }

    async fn external_ids_and_usernames_are_unique_but_may_be_absent(store) {
        committed!(store, |tx| {
            for person in [user(1), bare_user(2), bare_user(3)] {
                users::insert(tx, &person).await?;
            }
        });
        let external_id = User { external_id: user(1).external_id, ..bare_user(4) };
        assert_conflict(attempted!(store, |tx| { users::insert(tx, &external_id).await? }));
        let username = User { username: user(1).username, ..bare_user(2) };
        assert_conflict(attempted!(store, |tx| { users::update(tx, &username).await? }));
    }

    async fn rol_12_there_is_one_initial_role_set(store) {
        let Roles { admin, set, .. } = Roles::insert(&store).await;
        let second = role_set(2, RoleSetType::Initial, &admin, &admin);
        assert_conflict(attempted!(store, |tx| { roles::insert_role_set(tx, &second, &[]).await? }));
        committed!(store, |tx| {
            for n in [2, 3] {
                roles::insert_role_set(tx, &role_set(n, RoleSetType::Custom, &admin, &admin), &[]).await?;
            }
        });
        assert_conflict(attempted!(store, |tx| { roles::update_role_set(tx, &second).await? }));
        // The place can be handed over within one transaction.
        committed!(store, |tx| {
            roles::update_role_set(tx, &RoleSet { kind: RoleSetType::Custom, ..set.clone() }).await?;
            roles::update_role_set(tx, &second).await?;
        });
        let initial = roles::initial_role_set(&mut reader(&store).await).await.unwrap();
        assert_eq!(initial.id, second.id);
    }

    async fn without_an_initial_role_set_the_error_says_so(store) {
        let error = roles::initial_role_set(&mut reader(&store).await).await.unwrap_err();
        assert!(error.to_string().contains("initial role set"), "{error}");
    }

    async fn a_role_that_a_role_set_needs_is_not_removed(store, database) {
        let Roles { .. } = Roles::insert(&store).await;
        let unknown = role_set(2, RoleSetType::Custom, &role(9, Vec::new()), &role(9, Vec::new()));
        let outcome = attempted!(store, |tx| { roles::insert_role_set(tx, &unknown, &[]).await? });
        assert!(matches!(outcome, Err(StoreError::Database(_))), "{outcome:?}");
        assert_eq!(database.rows("role_sets").await, 1);
    }

    async fn there_is_one_instance(store) {
        committed!(store, |tx| { instance::insert(tx, &instance(1)).await? });
        assert_conflict(attempted!(store, |tx| { instance::insert(tx, &instance(2)).await? }));
    }

    async fn secret_keys_redirect_urls_and_slugs_are_unique(store) {
        let Roles { set, .. } = Roles::insert(&store).await;
        committed!(store, |tx| {
            instance::insert_secret_key(tx, &secret_key(1)).await?;
            redirect_urls::insert(tx, &redirect_url(1)).await?;
            organizations::insert(tx, &organization(1, &set)).await?;
            organizations::insert(tx, &organization(2, &set)).await?;
        });
        let key = SecretKey { sha256: sha256(1), ..secret_key(2) };
        assert_conflict(attempted!(store, |tx| { instance::insert_secret_key(tx, &key).await? }));
        let url = RedirectUrl { url: redirect_url(1).url, ..redirect_url(2) };
        assert_conflict(attempted!(store, |tx| { redirect_urls::insert(tx, &url).await? }));
        let taken = Organization { slug: organization(1, &set).slug, ..organization(2, &set) };
        assert_conflict(attempted!(store, |tx| { organizations::update(tx, &taken).await? }));
    }

    async fn a_user_is_a_member_of_an_organization_once(store) {
        let Roles { admin, member, set } = Roles::insert(&store).await;
        let (home, other, person) = (organization(1, &set), organization(2, &set), user(1));
        committed!(store, |tx| {
            organizations::insert(tx, &home).await?;
            organizations::insert(tx, &other).await?;
            users::insert(tx, &person).await?;
            memberships::insert(tx, &membership(1, &home, &person, &admin)).await?;
            memberships::insert(tx, &membership(2, &other, &person, &admin)).await?;
        });
        let again = membership(3, &home, &person, &member);
        assert_conflict(attempted!(store, |tx| { memberships::insert(tx, &again).await? }));
        let counted = organizations::by_id(&mut reader(&store).await, &home.id).await.unwrap().unwrap();
        assert_eq!(counted.members_count, 1);
    }

    async fn lnk_6_a_subject_has_one_account_at_a_connection(store) {
        let (one, two) = (user(1), user(2));
        let (here, there) = (connection(1, None), connection(2, None));
        committed!(store, |tx| {
            users::insert(tx, &one).await?;
            users::insert(tx, &two).await?;
            enterprise_connections::insert(tx, &here).await?;
            enterprise_connections::insert(tx, &there).await?;
            enterprise_accounts::insert(tx, &account(1, &one, &here, "anna")).await?;
            enterprise_accounts::insert(tx, &account(2, &two, &there, "anna")).await?;
            enterprise_accounts::insert(tx, &account(3, &two, &here, "Anna")).await?;
        });
        let again = account(4, &two, &here, "anna");
        assert_conflict(attempted!(store, |tx| { enterprise_accounts::insert(tx, &again).await? }));
    }

    async fn sml_4_the_id_in_an_acs_url_names_one_connection(store) {
        committed!(store, |tx| { enterprise_connections::insert(tx, &connection(1, None)).await? });
        let other = EnterpriseConnection { saml_connection_id: id("samlc", 1), ..connection(2, None) };
        assert_conflict(attempted!(store, |tx| { enterprise_connections::insert(tx, &other).await? }));
    }

    async fn sml_11_an_assertion_is_accepted_once_per_connection(store) {
        let (here, there) = (connection(1, None), connection(2, None));
        let used = committed!(store, |tx| {
            enterprise_connections::insert(tx, &here).await?;
            enterprise_connections::insert(tx, &there).await?;
            [
                saml_requests::remember_assertion(tx, &here.id, ODD, START).await?,
                saml_requests::remember_assertion(tx, &here.id, ODD, START).await?,
                saml_requests::remember_assertion(tx, &there.id, ODD, START).await?,
            ]
        });
        assert_eq!(used, [true, false, true]);
        let used = committed!(store, |tx| {
            [
                // A later end does not make it new, and its transaction goes on.
                saml_requests::remember_assertion(tx, &here.id, ODD, START + 99).await?,
                saml_requests::remember_assertion(tx, &here.id, &ODD.to_lowercase(), START).await?,
            ]
        });
        assert_eq!(used, [false, true]);
    }

    async fn sml_11_a_rolled_back_sign_in_leaves_the_assertion_unused(store) {
        let idp = connection(1, None);
        committed!(store, |tx| { enterprise_connections::insert(tx, &idp).await? });
        attempted!(store, |tx| {
            assert!(saml_requests::remember_assertion(tx, &idp.id, "_a", START).await?);
        }).unwrap();
        assert!(committed!(store, |tx| { saml_requests::remember_assertion(tx, &idp.id, "_a", START).await? }));
    }

    async fn a_trip_is_answered_once(store) {
        let (idp, browser) = (connection(1, None), client(1));
        let trip = saml_request(1, &idp, AttemptId::SignIn(id("sia", 1)), &browser);
        committed!(store, |tx| {
            enterprise_connections::insert(tx, &idp).await?;
            clients::insert(tx, &browser).await?;
            saml_requests::insert(tx, &trip).await?;
        });
        let first = SsoOutcome::Verified(profile(1));
        let second = SsoOutcome::Failed(error(2));
        let relay_state = &trip.relay_state_sha256;
        assert!(committed!(store, |tx| { saml_requests::answer(tx, relay_state, &first, &sha256(11)).await? }));
        assert!(!committed!(store, |tx| { saml_requests::answer(tx, relay_state, &second, &sha256(12)).await? }));
        assert!(!committed!(store, |tx| { saml_requests::answer(tx, &sha256(99), &second, &sha256(13)).await? }));
        let tx = &mut reader(&store).await;
        let kept = saml_requests::by_finish(tx, &sha256(11)).await.unwrap().unwrap();
        assert_eq!(kept.outcome, Some(first));
        assert_eq!(saml_requests::by_finish(tx, &sha256(12)).await.unwrap(), None);
    }

    async fn a_finish_token_is_used_once(store) {
        let (idp, browser) = (connection(1, None), client(1));
        let trips = [1, 2].map(|n| saml_request(n, &idp, AttemptId::SignIn(id("sia", n)), &browser));
        let outcome = SsoOutcome::Failed(error(1));
        committed!(store, |tx| {
            enterprise_connections::insert(tx, &idp).await?;
            clients::insert(tx, &browser).await?;
            for trip in &trips {
                saml_requests::insert(tx, trip).await?;
            }
            saml_requests::answer(tx, &sha256(1), &outcome, &sha256(11)).await?;
        });
        // It names one trip only.
        assert_conflict(attempted!(store, |tx| {
            saml_requests::answer(tx, &sha256(2), &outcome, &sha256(11)).await?;
        }));
        assert!(committed!(store, |tx| { saml_requests::delete(tx, &sha256(1)).await? }));
        assert!(!committed!(store, |tx| { saml_requests::delete(tx, &sha256(1)).await? }));
        let tx = &mut reader(&store).await;
        assert_eq!(saml_requests::by_finish(tx, &sha256(11)).await.unwrap(), None);
        assert!(saml_requests::by_relay_state(tx, &sha256(2)).await.unwrap().is_some());
    }

    async fn rows_of_what_does_not_exist_are_refused(store) {
        let orphan = address(1, &user(9), "anna@acme.example", EmailVerification::Admin);
        let outcome = attempted!(store, |tx| { users::insert_address(tx, &orphan).await? });
        assert!(matches!(outcome, Err(StoreError::Database(_))), "{outcome:?}");
        let outcome = attempted!(store, |tx| {
            saml_requests::remember_assertion(tx, &id("entconn", 9), "_a", START).await?;
        });
        assert!(matches!(outcome, Err(StoreError::Database(_))), "{outcome:?}");
        let (idp, browser) = (oidc_connection(1), client(1));
        committed!(store, |tx| {
            enterprise_connections::insert(tx, &idp).await?;
            clients::insert(tx, &browser).await?;
        });
        let attempt = || AttemptId::SignIn(id("sia", 1));
        for orphan in [
            oidc_request(1, &oidc_connection(9), attempt(), &browser),
            oidc_request(1, &idp, attempt(), &client(9)),
        ] {
            let outcome = attempted!(store, |tx| { oidc_requests::insert(tx, &orphan).await? });
            assert!(matches!(outcome, Err(StoreError::Database(_))), "{outcome:?}");
        }
        // A state names one trip only.
        let trip = oidc_request(1, &idp, attempt(), &browser);
        committed!(store, |tx| { oidc_requests::insert(tx, &trip).await? });
        assert_conflict(attempted!(store, |tx| { oidc_requests::insert(tx, &trip).await? }));
    }
}
