//! Requests at the same moment: what holds is how things stand in the end.

use super::{Town, create, delete, give_role, remove};
use crate::frontend_api::tests::support::members;
use crate::testing::TestApp;
use axum::http::Method;
use futures_util::future::join_all;
use serde_json::{Value, json};

#[tokio::test]
async fn mem11_two_last_admins_who_remove_each_other_leave_one() {
    for app in TestApp::on_each_database().await {
        let town = Town::found(&app).await;
        for round in 0..4 {
            let acme = town.organization(&format!("acme{round}")).await;
            let ada = town.member(&acme, &format!("ada{round}"), "org:admin").await;
            let bob = town.member(&acme, &format!("bob{round}"), "org:admin").await;
            town.member(&acme, &format!("carol{round}"), "org:member").await;
            let attacks = match round % 2 {
                0 => [remove(&acme, &bob.user), remove(&acme, &ada.user)],
                // Or each steps down.
                _ => [give_role(&acme, &ada.user, "org:member"), give_role(&acme, &bob.user, "org:member")],
            };
            let answers = join_all([ada.does(&attacks[0]), bob.does(&attacks[1])]).await;
            let granted = answers.iter().filter(|answer| answer.status.is_success()).count();
            assert_eq!(granted, 1, "{answers:?}");
            let admins = members(&app, &acme).await.iter().filter(|(_, role)| role == "org:admin").count();
            assert_eq!(admins, 1);
        }
        app.close().await;
    }
}

#[tokio::test]
async fn mem11_on_two_nodes_too() {
    for app in TestApp::on_each_database().await {
        let node = app.second_node().await;
        let town = Town::found(&app).await;
        let acme = town.organization("acme").await;
        let ada = town.member(&acme, "ada", "org:admin").await;
        let bob = town.member(&acme, "bob", "org:admin").await;
        let elsewhere = bob.browser.on(&node);
        let (out_bob, out_ada) = (remove(&acme, &bob.user), remove(&acme, &ada.user));
        let answers = join_all([out_bob.by(&ada.browser), out_ada.by(&elsewhere)]).await;
        assert_eq!(answers.iter().filter(|answer| answer.status.is_success()).count(), 1, "{answers:?}");
        assert_eq!(members(&app, &acme).await.len(), 1);
        node.close().await;
        app.close().await;
    }
}

#[tokio::test]
async fn org10_simultaneous_creations_keep_the_limit() {
    for app in TestApp::on_each_database().await {
        let town = Town::found(&app).await;
        let ada = town.arrive("ada").await;
        let limit = json!({"create_organizations_limit": 2});
        app.backend(Method::PATCH, &format!("/v1/users/{}", ada.user), limit).await.ok();
        let operation = create(&[("name", "Acme")]);
        let answers = join_all((0..6).map(|_| ada.does(&operation))).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 403, 403, 403, 403]);
        let all = app.backend(Method::GET, "/v1/organizations", Value::Null).await.ok();
        assert_eq!(all["total_count"], 2);
        app.close().await;
    }
}

#[tokio::test]
async fn org6_one_of_two_who_want_a_slug_gets_it() {
    for app in TestApp::on_each_database().await {
        let town = Town::found(&app).await;
        let (ada, bob) = (town.arrive("ada").await, town.arrive("bob").await);
        let operation = create(&[("name", "Acme"), ("slug", "acme")]);
        let answers = join_all([ada.does(&operation), bob.does(&operation)]).await;
        let mut outcomes: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        outcomes.sort_unstable();
        assert_eq!(outcomes, [200, 422], "{answers:?}");
        app.close().await;
    }
}

#[tokio::test]
async fn org17_a_deletion_and_a_change_at_once_leave_no_trace_of_the_change() {
    for app in TestApp::on_each_database().await {
        let town = Town::found(&app).await;
        let acme = town.organization("acme").await;
        let ada = town.member(&acme, "ada", "org:admin").await;
        let bob = town.member(&acme, "bob", "org:member").await;
        let (gone, raised) = (delete(&acme), give_role(&acme, &bob.user, "org:admin"));
        let answers = join_all([ada.does(&gone), ada.does(&raised)]).await;
        answers[0].ok();
        assert!(matches!(answers[1].status.as_u16(), 200 | 404), "{:?}", answers[1]);
        assert_eq!(bob.browser.get("/v1/me/organization_memberships").await.ok()["response"], json!([]));
        let all = app.backend(Method::GET, "/v1/organization_memberships", Value::Null).await.ok();
        assert_eq!(all["total_count"], 0);
        app.close().await;
    }
}
