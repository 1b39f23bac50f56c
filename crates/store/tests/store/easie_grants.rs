//! Whose turn it is to be asked after, and who asks.

use crate::support::reader;
use crate::support::samples::*;
use doorward_model::*;
use doorward_store::easie_grants::{self, Claim};
use doorward_store::{Page, Store, clients, enterprise_accounts, enterprise_connections, sessions, users};
use std::collections::HashSet;
use std::sync::Arc;

const NOW: Millis = START + 1_000_000;
const UNTIL: Millis = NOW + 100;

fn google(n: i64) -> EnterpriseConnection {
    EnterpriseConnection { provider: Provider::OauthGoogle, active: true, ..oidc_connection(n) }
}

/// A person with a due, free grant at a connection, and a session that lives.
async fn person(store: &Store, n: i64, at: &EnterpriseConnection, due_at: Option<Millis>) -> EasieGrant {
    let (user, client) = (user(n), client(n));
    let account = account(n, &user, at, &format!("subject {n}"));
    let grant = EasieGrant { due_at, claimed_until: 0, ..easie_grant(n, &account) };
    let session = live_session(n, &client, &user);
    committed!(store, |tx| {
        users::insert(tx, &user).await?;
        clients::insert(tx, &client).await?;
        enterprise_accounts::insert(tx, &account).await?;
        sessions::insert(tx, &session).await?;
        easie_grants::save(tx, &grant).await?;
    });
    grant
}

fn live_session(n: i64, client: &Client, user: &User) -> Session {
    Session::begin(id("sess", n), client.id.clone(), user.id.clone(), None, 10_000_000, START)
}

async fn connected(store: &Store, connection: &EnterpriseConnection) {
    committed!(store, |tx| { enterprise_connections::insert(tx, connection).await? });
}

async fn of(store: &Store, grant: &EasieGrant) -> EasieGrant {
    easie_grants::of_account(&mut reader(store).await, &grant.account_id).await.unwrap().unwrap()
}

async fn claim_due_at(store: &Store, provider: EasieProvider, now: Millis, most: i64) -> Vec<EasieGrant> {
    let due = easie_grants::due(&mut reader(store).await, provider, now, most).await.unwrap();
    committed!(store, |tx| {
        let mut claimed = Vec::new();
        for account in &due {
            claimed.extend(easie_grants::claim(tx, account, now, now + 100, true).await?);
        }
        claimed
    })
}

async fn claim_due(store: &Store, now: Millis, most: i64) -> Vec<EasieGrant> {
    claim_due_at(store, EasieProvider::Google, now, most).await
}

both_databases! {
    async fn eas4_who_is_due_and_signed_in_at_an_active_connection_is_claimed_in_the_order_of_waiting(store) {
        let at = google(1);
        let inactive = EnterpriseConnection { active: false, ..google(2) };
        let elsewhere = EnterpriseConnection { provider: Provider::OauthMicrosoft, ..google(3) };
        for connection in [&at, &inactive, &elsewhere] {
            connected(&store, connection).await;
        }
        let second = person(&store, 1, &at, Some(NOW)).await;
        let first = person(&store, 2, &at, Some(NOW - 1)).await;
        person(&store, 3, &at, Some(NOW + 1)).await;
        person(&store, 4, &at, None).await;
        person(&store, 5, &inactive, Some(NOW)).await;
        person(&store, 6, &elsewhere, Some(NOW)).await;
        let signed_out = person(&store, 7, &at, Some(NOW)).await;
        let expired = person(&store, 8, &at, Some(NOW)).await;
        let claimed = person(&store, 9, &at, Some(NOW)).await;
        committed!(store, |tx| {
            sessions::end_all_of_user(tx, &signed_out.user_id, SessionStatus::Ended, NOW).await?;
            assert!(easie_grants::claim(tx, &claimed.account_id, NOW, NOW + 1, false).await?.is_some());
        });
        // The session of this one has run out without anybody saying so.
        committed!(store, |tx| {
            sessions::end_all_of_user(tx, &expired.user_id, SessionStatus::Ended, NOW).await?;
            let old = Session::begin(id("sess", 80), client(8).id, expired.user_id.clone(), None, NOW - START, START);
            sessions::insert(tx, &old).await?;
        });
        let found = claim_due(&store, NOW, 1).await;
        assert_eq!(found, [EasieGrant { claimed_until: UNTIL, ..first }]);
        let found = claim_due(&store, NOW, 10).await;
        assert_eq!(found, [EasieGrant { claimed_until: UNTIL, ..second }]);
        assert_eq!(claim_due(&store, NOW, 10).await, []);
        let microsoft = claim_due_at(&store, EasieProvider::Microsoft, NOW, 10).await;
        assert_eq!(microsoft.len(), 1);
        // A claim whose holder died runs out.
        assert_eq!(claim_due(&store, NOW + 99, 10).await.len(), 2, "the one due later and the one claimed for a moment");
        assert_eq!(claim_due(&store, UNTIL, 10).await.len(), 2, "those that nobody saved");
    }

    async fn who_is_signed_out_or_switched_off_rests_and_keeps_nobody_from_the_front(store) {
        let at = google(1);
        let inactive = EnterpriseConnection { active: false, ..google(2) };
        connected(&store, &at).await;
        connected(&store, &inactive).await;
        let signed_in = person(&store, 1, &at, Some(NOW)).await;
        let signed_out = person(&store, 2, &at, Some(NOW - 1)).await;
        let off = person(&store, 3, &inactive, Some(NOW - 1)).await;
        let later = person(&store, 4, &at, Some(NOW + 1)).await;
        let claimed = person(&store, 5, &at, Some(NOW)).await;
        committed!(store, |tx| {
            for grant in [&signed_out, &later, &claimed] {
                sessions::end_all_of_user(tx, &grant.user_id, SessionStatus::Ended, NOW).await?;
            }
            easie_grants::claim(tx, &claimed.account_id, NOW, UNTIL, false).await?;
        });
        assert_eq!(committed!(store, |tx| { easie_grants::rest(tx, NOW).await? }), 2);
        assert_eq!(committed!(store, |tx| { easie_grants::rest(tx, NOW).await? }), 0);
        for (grant, due_at) in [(&signed_in, Some(NOW)), (&signed_out, None), (&off, None), (&later, Some(NOW + 1)), (&claimed, Some(NOW))] {
            let now = of(&store, grant).await;
            assert_eq!((now.due_at, now.state), (due_at, EasieGrantState::Live));
        }
        // Who rests is asked before her next session token, unless the connection is switched off.
        let tx = &mut reader(&store).await;
        let to_confirm = easie_grants::to_confirm(tx, &signed_out.user_id, NOW).await.unwrap();
        assert_eq!(to_confirm, [signed_out.account_id.clone()]);
        assert_eq!(easie_grants::to_confirm(tx, &off.user_id, NOW).await.unwrap(), []);
        assert_eq!(easie_grants::to_confirm(tx, &later.user_id, NOW).await.unwrap(), []);
        assert_eq!(easie_grants::to_confirm(tx, &signed_in.user_id, NOW).await.unwrap(), [signed_in.account_id.clone()]);
    }

    async fn a_claim_is_one_holders_and_its_proof_is_worth_nothing_afterwards(store) {
        let at = google(1);
        connected(&store, &at).await;
        let grant = person(&store, 1, &at, Some(NOW)).await;
        let claim = async |now: Millis, until: Millis| {
            committed!(store, |tx| { easie_grants::claim(tx, &grant.account_id, now, until, false).await? })
        };
        let save = async |proof: &Claim, grant: &EasieGrant| {
            committed!(store, |tx| { easie_grants::save_claimed(tx, proof, grant).await? })
        };
        committed!(store, |tx| {
            let too_early = easie_grants::claim(tx, &grant.account_id, NOW - 1, UNTIL, true).await?;
            assert_eq!(too_early, None, "it is not due");
        });
        let first = claim(NOW, UNTIL).await.unwrap();
        assert_eq!(Claim::of(&first).until(), UNTIL);
        assert_eq!(claim(UNTIL - 1, UNTIL + 50).await, None);
        let is_claimed = async |now| easie_grants::is_claimed(&mut reader(&store).await, &grant.account_id, now).await.unwrap();
        assert!(is_claimed(NOW).await && !is_claimed(UNTIL).await);
        let second = claim(UNTIL, UNTIL + 100).await.expect("the first holder was slower than its claim");
        let late = EasieGrant { failures: 77, ..first.clone() };
        assert!(!save(&Claim::of(&first), &late).await);
        committed!(store, |tx| { easie_grants::give_back(tx, &Claim::of(&first), None).await? });
        assert!(is_claimed(UNTIL).await, "nor can it be given back by another");
        let stale = committed!(store, |tx| { easie_grants::replace_token(tx, &Claim::of(&first), "another", NOW).await? });
        assert_eq!(stale, None);

        // The provider gave another token: the old proof counts no more, the new one does.
        let old = Claim::of(&second);
        let new = committed!(store, |tx| { easie_grants::replace_token(tx, &old, "rotated", NOW + 1).await? }).unwrap();
        assert_eq!(of(&store, &grant).await.encrypted_refresh_token.as_deref(), Some("rotated"));
        assert!(!save(&old, &second).await);
        let confirmed = EasieGrant {
            encrypted_refresh_token: Some("rotated".into()),
            confirmed_at: NOW + 2,
            due_at: Some(NOW + 500),
            failures: 0,
            last_error: None,
            updated_at: NOW + 2,
            ..second.clone()
        };
        assert!(save(&new, &confirmed).await);
        assert_eq!(of(&store, &grant).await, EasieGrant { claimed_until: 0, ..confirmed.clone() });
        assert!(!save(&new, &confirmed).await, "once");

        // A sign-in in the same moment, with a token of its own, is not undone by a check from before it.
        let third = claim(UNTIL + 200, UNTIL + 300).await.unwrap();
        let signed_in = EasieGrant { encrypted_refresh_token: Some("of the sign-in".into()), claimed_until: UNTIL + 300, ..confirmed };
        committed!(store, |tx| { easie_grants::save(tx, &signed_in).await? });
        let gone = EasieGrant { encrypted_refresh_token: None, state: EasieGrantState::Gone, ..third.clone() };
        assert!(!save(&Claim::of(&third), &gone).await);
        assert_eq!(of(&store, &grant).await, signed_in);
    }

    async fn eas5_what_is_decided_is_neither_claimed_nor_given_back_and_known_as_gone(store) {
        let at = google(1);
        connected(&store, &at).await;
        for (n, state, gone_at) in [(1, EasieGrantState::Gone, vec![NOW + 7]), (2, EasieGrantState::SignInNeeded, vec![])] {
            let grant = person(&store, n, &at, Some(NOW)).await;
            let claimed = committed!(store, |tx| { easie_grants::claim(tx, &grant.account_id, NOW, UNTIL, false).await? }).unwrap();
            let proof = Claim::of(&claimed);
            let decided = EasieGrant { encrypted_refresh_token: None, state, due_at: None, updated_at: NOW + 7, ..claimed };
            committed!(store, |tx| { assert!(easie_grants::save_claimed(tx, &proof, &decided).await?) });
            committed!(store, |tx| {
                assert_eq!(easie_grants::claim(tx, &grant.account_id, NOW + 999, NOW + 1999, false).await?, None);
                easie_grants::give_back(tx, &proof, Some(NOW)).await?;
            });
            assert_eq!(of(&store, &grant).await, EasieGrant { claimed_until: 0, ..decided });
            let tx = &mut reader(&store).await;
            assert_eq!(easie_grants::gone_at(tx, &grant.user_id).await.unwrap(), gone_at);
            assert_eq!(easie_grants::to_confirm(tx, &grant.user_id, NOW + 999).await.unwrap(), []);
        }
    }

    async fn eas4_a_session_token_knows_the_oldest_word_of_a_provider(store) {
        let [at, other] = [google(1), EnterpriseConnection { provider: Provider::OauthMicrosoft, ..google(2) }];
        let off = EnterpriseConnection { active: false, ..google(3) };
        for connection in [&at, &other, &off] {
            connected(&store, connection).await;
        }
        let grant = person(&store, 1, &at, Some(NOW)).await;
        let facts = async || {
            sessions::token_facts(&mut reader(&store).await, &id("sess", 1), None).await.unwrap().unwrap().easie
        };
        let known = |oldest_confirmed_at, earliest_due_at| Some(EasieConfirmations { oldest_confirmed_at, earliest_due_at });
        assert_eq!(facts().await, known(grant.confirmed_at, Some(NOW)));
        let save = async |n: i64, connection: &EnterpriseConnection, change: fn(EasieGrant) -> EasieGrant| {
            let account = account(n, &user(1), connection, "more");
            let grant = change(EasieGrant { confirmed_at: NOW, ..easie_grant(n, &account) });
            committed!(store, |tx| {
                if enterprise_accounts::by_id(tx, &account.id).await?.is_none() {
                    enterprise_accounts::insert(tx, &account).await?;
                }
                easie_grants::save(tx, &grant).await?;
            });
        };
        save(3, &off, |grant| EasieGrant { confirmed_at: 1, due_at: Some(1), ..grant }).await;
        save(2, &other, |grant| EasieGrant { confirmed_at: 2, state: EasieGrantState::Gone, due_at: None, ..grant }).await;
        assert_eq!(facts().await, known(grant.confirmed_at, Some(NOW)), "neither of a connection that is off nor one that is gone");
        save(2, &other, |grant| EasieGrant { due_at: Some(NOW - 5), ..grant }).await;
        assert_eq!(facts().await, known(grant.confirmed_at, Some(NOW - 5)), "the oldest of each");
        save(2, &other, |grant| EasieGrant { due_at: None, ..grant }).await;
        assert_eq!(facts().await, known(grant.confirmed_at, None), "one rests");
    }

    async fn those_of_a_connection_come_with_their_addresses_and_what_fails_first(store) {
        let [at, other] = [google(1), google(2)];
        connected(&store, &at).await;
        connected(&store, &other).await;
        for n in [1, 2, 3] {
            person(&store, n, &at, Some(NOW)).await;
        }
        person(&store, 4, &other, Some(NOW)).await;
        let tx = &mut reader(&store).await;
        assert_eq!(easie_grants::count_of_connection(tx, &at.id).await.unwrap(), 3);
        let page = easie_grants::of_connection(tx, &at.id, Page { limit: 2, offset: 0 }).await.unwrap();
        // The samples fail as often as their number says.
        assert_eq!(page.iter().map(|(grant, _)| grant.failures).collect::<Vec<_>>(), [3, 2]);
        assert_eq!(page[0].1, account(3, &user(3), &at, "x").email_address);
        let rest = easie_grants::of_connection(tx, &at.id, Page { limit: 2, offset: 2 }).await.unwrap();
        assert_eq!(rest.iter().map(|(grant, _)| grant.failures).collect::<Vec<_>>(), [1]);
    }

    async fn a_thousand_due_accounts_are_each_claimed_once_by_two_programs(store, database) {
        let at = google(1);
        connected(&store, &at).await;
        committed!(store, |tx| {
            for n in 1..=1000 {
                let (user, client) = (user(n), client(n));
                let account = account(n, &user, &at, &format!("subject {n}"));
                users::insert(tx, &user).await?;
                clients::insert(tx, &client).await?;
                enterprise_accounts::insert(tx, &account).await?;
                sessions::insert(tx, &live_session(n, &client, &user)).await?;
                easie_grants::save(tx, &EasieGrant { due_at: Some(NOW), claimed_until: 0, ..easie_grant(n, &account) }).await?;
            }
        });
        let checked = Arc::new(std::sync::Mutex::new(Vec::new()));
        let programs: Vec<_> = [store.clone(), database.open().await].into_iter().map(|store| {
            let checked = checked.clone();
            tokio::spawn(async move {
                loop {
                    let claimed = claim_due(&store, NOW, 16).await;
                    if easie_grants::due(&mut reader(&store).await, EasieProvider::Google, NOW, 1).await.unwrap().is_empty() && claimed.is_empty() {
                        return;
                    }
                    for grant in claimed {
                        checked.lock().unwrap().push(grant.account_id.clone());
                        let done = EasieGrant { due_at: Some(NOW + 500), ..grant.clone() };
                        assert!(committed!(store, |tx| { easie_grants::save_claimed(tx, &Claim::of(&grant), &done).await? }));
                    }
                }
            })
        }).collect();
        for program in programs {
            program.await.unwrap();
        }
        let checked = checked.lock().unwrap();
        assert_eq!(checked.len(), 1000);
        assert_eq!(checked.iter().collect::<HashSet<_>>().len(), 1000);
    }
}
