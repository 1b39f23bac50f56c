//! Tokens that are not what they should be, one of each class; all of them in `crates/oidc/tests`.

use super::{Trip, alice, refused};
use crate::frontend_api::tests::support::users;
use crate::testing::{OpKey, TestApp, TestOp};
use serde_json::{Value, json};

type Change = Box<dyn Fn(&mut Value, &mut Value) + Send + Sync>;

fn claim(name: &'static str, value: Value) -> Change {
    Box::new(move |_, claims| match &value {
        Value::Null => drop(claims.as_object_mut().unwrap().shift_remove(name)),
        value => claims[name] = value.clone(),
    })
}

fn header(name: &'static str, value: Value) -> Change {
    Box::new(move |header, _| header[name] = value.clone())
}

#[tokio::test]
async fn an_id_token_that_is_not_for_this_sign_in_signs_nobody_in() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::connect(&app, "acme.test", None).await;
        let now = app.now() / 1000;
        let spoils: Vec<(&str, Change)> = vec![
            ("iss: expected", claim("iss", json!("https://other.test"))),
            ("aud: expected", claim("aud", json!("another client"))),
            ("azp: expected", claim("azp", json!("another client"))),
            ("azp is missing", claim("aud", json!(["doorward at op", "another client"]))),
            ("the token was valid until", claim("exp", json!(now - 61))),
            ("in the future", claim("iat", json!(now + 61))),
            ("too long ago", claim("iat", json!(now - 100_000))),
            ("the token is valid from", claim("nbf", json!(now + 61))),
            ("the token has no exp", claim("exp", Value::Null)),
            ("nonce", claim("nonce", json!("n"))),
            ("nonce", claim("nonce", Value::Null)),
            ("at_hash does not fit", claim("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA"))),
            ("sub", claim("sub", json!(""))),
            ("sub", claim("sub", json!(7))),
            ("alg: expected", header("alg", json!("none"))),
            ("alg: expected", header("alg", json!("HS256"))),
            ("typ: expected JWT", header("typ", json!("at+jwt"))),
            ("jwk", header("jwk", json!({"kty": "EC"}))),
            ("crit", header("crit", json!(["exp"]))),
        ];
        for (words, change) in spoils {
            op.spoil(change);
            refused(&app, &op, &alice(), "oauth_token_exchange_error", words).await;
        }
        op.state().change = None;
        Trip::begin(&app, "alice@acme.test").await.answer(&app, &op, &alice()).await.unwrap();
        app.close().await;
    }
}

#[tokio::test]
async fn a_token_that_the_providers_keys_did_not_sign_signs_nobody_in() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::connect(&app, "acme.test", None).await;
        Trip::begin(&app, "alice@acme.test").await.answer(&app, &op, &alice()).await.unwrap();
        app.advance(60_000);
        // Another key under the same id: no fetch of keys helps, and none is made for it.
        let (genuine, forger) = (op.state().keys[0].clone(), OpKey::new("key-1"));
        let fetched = op.hits("/jwks");
        op.change_tokens(move |tokens| {
            let token = tokens["id_token"].as_str().unwrap();
            let parts: Vec<Value> = token.split('.').take(2).map(crate::testing::decode_part).collect();
            tokens["id_token"] = forger.sign(&parts[0], &parts[1]).into();
        });
        refused(&app, &op, &alice(), "oauth_token_exchange_error", "fits none of the 1 keys tried").await;
        assert!(op.hits("/jwks") - fetched <= 1);
        // The claims changed after they were signed.
        op.change_tokens(move |tokens| {
            let token = tokens["id_token"].as_str().unwrap().to_owned();
            let mut claims = crate::testing::decode_part(token.split('.').nth(1).unwrap());
            claims["email"] = "bob@acme.test".into();
            let changed = genuine.sign(&json!({}), &claims);
            let parts: Vec<&str> = token.split('.').collect();
            tokens["id_token"] = [parts[0], changed.split('.').nth(1).unwrap(), parts[2]].join(".").into();
        });
        refused(&app, &op, &alice(), "oauth_token_exchange_error", "fits none of").await;
        for (token, words) in [
            (json!("no.token"), "2 parts"),
            (json!("a.b.c.d.e"), "encrypted tokens are not supported"),
            (json!("x".repeat(70_000)), "too long"),
            (Value::Null, "no id_token"),
        ] {
            op.change_tokens(move |tokens| tokens["id_token"] = token.clone());
            refused(&app, &op, &alice(), "oauth_token_exchange_error", words).await;
        }
        assert_eq!(users(&app).await.len(), 1);
        app.close().await;
    }
}

#[tokio::test]
async fn keys_that_are_changed_are_fetched_again_once_and_those_that_are_dropped_are_no_longer_taken() {
    for app in TestApp::on_each_database().await {
        let op = TestOp::connect(&app, "acme.test", None).await;
        let sign_in = async || Trip::begin(&app, "alice@acme.test").await.answer(&app, &op, &alice()).await;
        sign_in().await.unwrap();
        let first = op.state().keys[0].clone();
        // A new key signs and the old one is kept beside it.
        app.advance(10_000);
        op.state().keys.insert(0, OpKey::new("key-2"));
        sign_in().await.unwrap();
        assert_eq!(op.hits("/jwks"), 2);
        // Tokens of the old one are good as long as it is published.
        op.state().keys.reverse();
        sign_in().await.unwrap();
        assert_eq!(op.hits("/jwks"), 2);
        // All at once.
        app.advance(10_000);
        op.state().keys = vec![OpKey::new("key-3")];
        sign_in().await.unwrap();
        assert_eq!(op.hits("/jwks"), 3);
        // Somebody has the old key still. Asking for it fetches the keys not more often than every ten seconds.
        let genuine = op.state().keys.clone();
        op.change_tokens(move |tokens| {
            let token = tokens["id_token"].as_str().unwrap();
            let parts: Vec<Value> = token.split('.').take(2).map(crate::testing::decode_part).collect();
            let mut header = parts[0].clone();
            header["kid"] = "key-1".into();
            tokens["id_token"] = first.sign(&header, &parts[1]).into();
        });
        for _ in 0..3 {
            refused(&app, &op, &alice(), "oauth_token_exchange_error", "kid: expected").await;
        }
        assert_eq!(op.hits("/jwks"), 3);
        app.advance(10_000);
        for _ in 0..3 {
            refused(&app, &op, &alice(), "oauth_token_exchange_error", "kid: expected").await;
        }
        assert_eq!(op.hits("/jwks"), 4);
        op.state().keys = genuine;
        app.close().await;
    }
}
