//! Refresh tokens, and what becomes of them when somebody is suspended.

use super::party::{NONCE, Party, path, read};
use super::*;

#[tokio::test]
async fn refresh_tokens_are_given_as_each_provider_gives_them() {
    let stage = Stage::new("op-refresh").await;
    for slug in OPS {
        let party = Party::at(&stage, slug).await;
        let login = party.op.company.people[0].login;
        let is_google = slug == "meadow";
        let first = party.tokens(login, &party.additional()).await;
        let refresh = first.refresh_token.clone().unwrap();
        // Google: at the first consent, and when the client asks for another.
        let second = party.tokens(login, &party.additional()).await;
        assert_eq!(second.refresh_token.is_some(), !is_google);
        if is_google {
            let request = party.request(&party.additional(), Some(&party.verifier.challenge()));
            let back = party.choose(&format!("{request}&prompt=consent"), login).await;
            let code = Secret::new(parameters(back.location())["code"].as_str());
            let client = party.client(party.op.client_secret());
            assert!(party.exchange_with(&code, &client).await.unwrap().refresh_token.is_some());
            assert!(party.tokens("hugo", &[]).await.refresh_token.is_none(), "without access_type=offline");
        } else {
            let request = party.request(&[], Some(&party.verifier.challenge())).replace("+offline_access", "");
            let back = party.choose(&request, login).await;
            let code = Secret::new(parameters(back.location())["code"].as_str());
            let client = party.client(party.op.client_secret());
            assert!(party.exchange_with(&code, &client).await.unwrap().refresh_token.is_none());
        }
        stage.server.advance(24 * 60 * 60 * 1000);
        let again = party.refresh(&refresh).await.unwrap();
        assert_eq!(again.refresh_token.is_some(), slug == "harbour");
        assert_ne!(again.access_token, first.access_token);
        let keys = stage.get(&path(party.provider.jwks_uri.as_ref().unwrap())).await;
        let keys = KeySet::parse(keys.text.as_bytes()).unwrap();
        let now = stage.server.now();
        let expected = Expectations::of_sign_in(&party.provider, CLIENT_ID, NONCE, &again.access_token, now).unwrap();
        let expected = Expectations { nonce: None, ..expected };
        let token = verify_id_token(again.id_token.as_ref().unwrap().expose(), &keys, &expected).unwrap();
        assert_eq!(token.auth_time_ms(), Some(now - 24 * 60 * 60 * 1000), "nobody signed in again");
        assert_eq!(token.claims().get("nonce"), None);
        // Neither token is the other, and neither is another provider's.
        assert!(party.refresh(&first.access_token).await.is_err());
        let neighbour = Party::at(&stage, if is_google { "harbour" } else { "meadow" }).await;
        assert!(neighbour.refresh(&refresh).await.is_err());
        let endpoint = party.provider.userinfo_endpoint.clone().unwrap();
        for (token, status) in [(&refresh, 401), (&first.access_token, 401), (&again.access_token, 200)] {
            assert_eq!(party.send(userinfo_request(&endpoint, token).unwrap()).await.status, status);
        }
        // Less may be asked for, more may not.
        let client = party.client(party.op.client_secret());
        for (scope, is_given) in [("openid", true), ("openid email", true), ("openid admin", false)] {
            let request = refresh_request(&party.provider.token_endpoint, &client, &refresh, Some(scope)).unwrap();
            assert_eq!(read(&party.send(request).await).is_ok(), is_given, "{scope}");
        }
    }
    stage.close().await;
}

#[tokio::test]
async fn eas6_a_suspended_person_is_refused_everywhere_until_restored() {
    let stage = Stage::new("op-suspended").await;
    for slug in OPS {
        let party = Party::at(&stage, slug).await;
        let person = &party.op.company.people[0];
        let email = person.email(party.op.company);
        let tokens = party.tokens(person.login, &party.additional()).await;
        let refresh = tokens.refresh_token.clone().unwrap();
        let code = party.code(person.login, &[]).await;
        stage.set(&email, "suspend").await;
        let refused = party.refresh(&refresh).await;
        assert_eq!(AccountState::of(&refused), AccountState::Gone(Refusal::AccountDisabled), "{refused:?}");
        let client = party.client(party.op.client_secret());
        assert!(party.exchange_with(&code, &client).await.is_err(), "a code from before");
        let endpoint = party.provider.userinfo_endpoint.clone().unwrap();
        let userinfo = || async { party.send(userinfo_request(&endpoint, &tokens.access_token).unwrap()).await.status };
        assert_eq!(userinfo().await, StatusCode::UNAUTHORIZED);
        // On the page there is no way to be her, and the address behind it is closed as well.
        let request = party.request(&[], Some(&party.verifier.challenge()));
        let people = stage.get(&request).await;
        assert!(people.text.contains("suspended") && !people.text.contains(&format!("/as/{}?", person.login)));
        let link = request.replace("/authorize?", &format!("/authorize/as/{}?", person.login));
        let forced = stage.get(&link).await;
        assert!(forced.status == StatusCode::FORBIDDEN && forced.text.contains("is suspended"), "{}", forced.text);
        // Her colleague is not meant.
        party.code(party.op.company.people[1].login, &[]).await;
        stage.set(&email, "restore").await;
        assert_eq!(AccountState::of(&party.refresh(&refresh).await), AccountState::Active);
        assert_eq!(userinfo().await, StatusCode::OK);
        party.code(person.login, &[]).await;
    }
    stage.close().await;
}
