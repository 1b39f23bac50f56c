//! Roles and role sets that change at two nodes at the same time: whoever wins, every member holds a role of their organization's
//! set, and nobody is told of a failure of ours.

use crate::testing::{Answer, TestApp};
use axum::http::Method;
use serde_json::{Value, json};

async fn post(app: &TestApp, path: &str, body: Value) -> Value {
    app.backend(Method::POST, path, body).await.ok()
}

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

async fn role(app: &TestApp, key: &str) -> Value {
    let new = json!({"name": "Role", "key": key, "include_in_initial_role_set": true});
    post(app, "/v1/organization_roles", new).await
}

/// Sets of ten rounds have names of their own.
async fn set(app: &TestApp, key: &str, roles: &[&str]) {
    let new = json!({"name": "Set", "key": key, "roles": roles, "default_role_key": roles[1], "creator_role_key": "org:admin"});
    post(app, "/v1/role_sets", new).await;
}

async fn organization(app: &TestApp, set: &str) -> String {
    let made = post(app, "/v1/organizations", json!({"name": "Acme", "role_set_key": set})).await;
    format!("/v1/organizations/{}", id(&made))
}

async fn user(app: &TestApp) -> String {
    id(&post(app, "/v1/users", json!({"skip_user_requirement": true, "first_name": "Ada"})).await).to_owned()
}

async fn join(app: &TestApp, organization: &str, user: &str, role: &str) -> Answer {
    app.backend(Method::POST, &format!("{organization}/memberships"), json!({"user_id": user, "role": role})).await
}

/// The roles that members of an organization hold; all are of its set.
async fn held(app: &TestApp, organization: &str) -> Vec<String> {
    let key = app.backend(Method::GET, organization, Value::Null).await.ok()["role_set_key"].clone();
    let set = app.backend(Method::GET, &format!("/v1/role_sets/{}", key.as_str().unwrap()), Value::Null).await.ok();
    let allowed: Vec<&Value> = set["roles"].as_array().unwrap().iter().map(|role| &role["key"]).collect();
    let members = app.backend(Method::GET, &format!("{organization}/memberships?limit=100"), Value::Null).await.ok();
    let roles: Vec<String> =
        members["data"].as_array().unwrap().iter().map(|member| member["role"].as_str().unwrap().to_owned()).collect();
    assert_eq!(members["total_count"], roles.len(), "a member without a role is not listed");
    for role in &roles {
        assert!(allowed.iter().any(|key| *key == role), "{role} is not in {key}");
    }
    roles
}

#[tokio::test]
async fn rol9_rol13_a_role_is_deleted_while_it_is_given_to_a_member() {
    for first in TestApp::on_each_database().await {
        let second = first.second_node().await;
        let acme = organization(&first, "role_set:default").await;
        let (mut deleted, mut given) = (0, 0);
        for round in 0..10 {
            let (key, ada) = (format!("org:r{round}"), user(&first).await);
            join(&first, &acme, &ada, "org:member").await.ok();
            let analyst = role(&first, &key).await;
            let (path, member) =
                (format!("/v1/organization_roles/{}", id(&analyst)), format!("{acme}/memberships/{ada}"));
            let delete = first.backend(Method::DELETE, &path, Value::Null);
            let give = second.backend(Method::PATCH, &member, json!({"role": key}));
            // Who begins takes turns.
            let (deletion, gift) = if round % 2 == 0 {
                tokio::join!(delete, give)
            } else {
                let (gift, deletion) = tokio::join!(give, delete);
                (deletion, gift)
            };
            if gift.status == 200 {
                given += 1;
                assert_eq!(deletion.error(), (422, "organization_role_assigned_members".to_owned()), "{round}");
                first.backend(Method::PATCH, &member, json!({"role": "org:member"})).await.ok();
                first.backend(Method::DELETE, &path, Value::Null).await.ok();
            } else {
                deleted += 1;
                assert_eq!(gift.error(), (404, "resource_not_found".to_owned()), "{round}");
                deletion.ok();
            }
            held(&first, &acme).await;
        }
        assert_eq!(deleted + given, 10);
        second.close().await;
        first.close().await;
    }
}

#[tokio::test]
async fn rol15_two_replacements_at_once_have_one_winner() {
    for first in TestApp::on_each_database().await {
        let second = first.second_node().await;
        for key in ["org:left", "org:right"] {
            role(&first, key).await;
        }
        for round in 0..6 {
            let key = format!("role_set:s{round}");
            set(&first, &key, &["org:admin", "org:left", "org:right"]).await;
            let acme = organization(&first, &key).await;
            for role in ["org:left", "org:right", "org:left"] {
                join(&first, &acme, &user(&first).await, role).await.ok();
            }
            let path = format!("/v1/role_sets/{key}/roles/replace");
            let replace = |role: &str, by: &str| json!({"role_key": role, "to_role_key": by});
            let answers = tokio::join!(
                first.backend(Method::POST, &path, replace("org:left", "org:right")),
                second.backend(Method::POST, &path, replace("org:right", "org:left")),
            );
            let won = match (answers.0.status.as_u16(), answers.1.status.as_u16()) {
                // The second one to come moves everybody back: then its role had left the set before.
                (200, 200) => None,
                (200, 404) => Some("org:right"),
                (404, 200) => Some("org:left"),
                other => panic!("round {round}: {other:?}"),
            };
            let roles = held(&first, &acme).await;
            assert_eq!(roles.len(), 3);
            assert!(roles.iter().all(|role| *role == roles[0]), "round {round}: {roles:?}");
            if let Some(won) = won {
                assert_eq!(roles[0], won, "round {round}");
            }
        }
        second.close().await;
        first.close().await;
    }
}

#[tokio::test]
async fn rol17_a_set_is_replaced_while_people_join_and_organizations_are_made_with_it() {
    for first in TestApp::on_each_database().await {
        let second = first.second_node().await;
        role(&first, "org:guest").await;
        for round in 0..6 {
            let key = format!("role_set:s{round}");
            set(&first, &key, &["org:admin", "org:guest"]).await;
            let acme = organization(&first, &key).await;
            join(&first, &acme, &user(&first).await, "org:guest").await.ok();
            let (ben, cy) = (user(&first).await, user(&first).await);
            let body =
                json!({"dest_role_set_key": "role_set:default", "reassignment_mappings": {"org:guest": "org:member"}});
            let new = json!({"name": "Globex", "role_set_key": key, "created_by": cy});
            let path = format!("/v1/role_sets/{key}/replace");
            let (replaced, joined, made) = tokio::join!(
                first.backend(Method::POST, &path, body),
                join(&second, &acme, &ben, "org:guest"),
                second.backend(Method::POST, "/v1/organizations", new),
            );
            replaced.ok();
            // `org:guest` is in the default set as well.
            joined.ok();
            let roles = held(&first, &acme).await;
            assert!(roles.contains(&"org:member".to_owned()), "round {round}: {roles:?}");
            match made.status.as_u16() {
                200 => {
                    let globex = format!("/v1/organizations/{}", id(&made.ok()));
                    assert_eq!(held(&first, &globex).await, ["org:admin"]);
                }
                _ => assert_eq!(made.error(), (422, "form_resource_not_found".to_owned()), "round {round}"),
            }
        }
        second.close().await;
        first.close().await;
    }
}

#[tokio::test]
async fn rol5_the_last_place_for_a_role_is_given_once() {
    for first in TestApp::on_each_database().await {
        let second = first.second_node().await;
        let new = |n: usize| json!({"name": "Role", "key": format!("org:r{n}")});
        for n in 0..9 {
            post(&first, "/v1/organization_roles", new(n)).await;
        }
        let answers = tokio::join!(
            first.backend(Method::POST, "/v1/organization_roles", new(10)),
            second.backend(Method::POST, "/v1/organization_roles", new(11)),
            first.backend(Method::POST, "/v1/organization_roles", new(12)),
        );
        let mut found = [&answers.0, &answers.1, &answers.2].map(|answer| answer.status.as_u16());
        found.sort_unstable();
        assert_eq!(found, [200, 403, 403]);
        let all = first.backend(Method::GET, "/v1/organization_roles", Value::Null).await.ok();
        assert_eq!(all["total_count"], 12);
        second.close().await;
        first.close().await;
    }
}
