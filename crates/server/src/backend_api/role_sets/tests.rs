use crate::testing::TestApp;
use axum::http::Method;
use serde_json::{Value, json};

fn set(change: Value) -> Value {
    let mut body = json!({"name": "Partners", "roles": ["org:admin", "org:member"],
        "default_role_key": "org:member", "creator_role_key": "org:admin"});
    for (key, value) in change.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

#[tokio::test]
async fn rol11_every_refusal_of_making_and_changing() {
    for app in TestApp::on_each_database().await {
        let made = app.backend(Method::POST, "/v1/role_sets", set(json!({"key": "role_set:taken"}))).await.ok();
        let many: Vec<String> = (0..11).map(|i| format!("org:r{i}")).collect();
        for (change, status, code, param) in [
            (json!({"name": "  "}), 422, "form_param_value_invalid", "name"),
            (json!({"name": null}), 422, "form_param_missing", "name"),
            (json!({"key": "role_set:Upper"}), 422, "form_param_format_invalid", "key"),
            (json!({"key": "role_set:taken"}), 422, "form_identifier_exists", "key"),
            (json!({"roles": null}), 422, "form_param_missing", "roles"),
            (json!({"roles": []}), 422, "form_param_value_invalid", "roles"),
            (json!({"roles": many}), 422, "form_param_value_invalid", "roles"),
            (json!({"roles": ["org:none"]}), 404, "resource_not_found", "roles"),
            (json!({"default_role_key": "org:none"}), 422, "form_param_value_invalid", "default_role_key"),
            (json!({"creator_role_key": "org:none"}), 422, "form_param_value_invalid", "creator_role_key"),
            (json!({"type": "special"}), 422, "form_param_value_invalid", "type"),
        ] {
            let answer = app.backend(Method::POST, "/v1/role_sets", set(change.clone())).await;
            assert_eq!(answer.error(), (status, code.to_owned()), "{change}");
            assert_eq!(answer.json()["errors"][0]["meta"]["param_name"], param, "{change}");
        }
        for (change, status, code) in [
            (json!({"type": "custom"}), 422, "form_param_value_invalid"),
            (json!({"default_role_key": "org:none"}), 422, "form_param_value_invalid"),
            (json!({"creator_role_key": "org:member"}), 422, "organization_missing_creator_role_permissions"),
            (json!({"key": "role_set:default"}), 422, "form_identifier_exists"),
            (json!({"key": "default"}), 422, "form_param_format_invalid"),
            (json!({"name": ""}), 422, "form_param_value_invalid"),
        ] {
            let answer = app.backend(Method::PATCH, "/v1/role_sets/role_set:taken", change.clone()).await;
            assert_eq!(answer.error(), (status, code.to_owned()), "{change}");
        }
        for key_or_id in ["role_set:none", "roleset_none"] {
            let path = format!("/v1/role_sets/{key_or_id}");
            let not_found = (404, "resource_not_found".to_owned());
            assert_eq!(app.backend(Method::GET, &path, Value::Null).await.error(), not_found);
            assert_eq!(app.backend(Method::PATCH, &path, json!({"name": "X"})).await.error(), not_found);
        }
        let kept = app.backend(Method::GET, "/v1/role_sets/role_set:taken", Value::Null).await.ok();
        assert_eq!(kept, made);
        app.close().await;
    }
}

#[tokio::test]
async fn rol12_exactly_one_set_is_initial() {
    for app in TestApp::on_each_database().await {
        let made = app.backend(Method::POST, "/v1/role_sets", set(json!({"type": "initial"}))).await.ok();
        assert_eq!((&made["key"], &made["type"]), (&json!("role_set:partners"), &json!("initial")));
        let twin = app.backend(Method::POST, "/v1/role_sets", set(json!({}))).await.ok();
        assert!(twin["key"].as_str().unwrap().starts_with("role_set:partners_"), "{twin}");
        let old = app.backend(Method::GET, "/v1/role_sets/role_set:default", Value::Null).await.ok();
        assert_eq!(old["type"], "custom");
        let acme = app.backend(Method::POST, "/v1/organizations", json!({"name": "Acme"})).await.ok();
        assert_eq!(acme["role_set_key"], "role_set:partners");
        let back = json!({"type": "initial", "description": "Back"});
        let back = app.backend(Method::PATCH, "/v1/role_sets/role_set:default", back).await.ok();
        assert_eq!((&back["type"], &back["description"]), (&json!("initial"), &json!("Back")));
        app.close().await;
    }
}

async fn post(app: &TestApp, path: &str, body: Value) -> Value {
    app.backend(Method::POST, path, body).await.ok()
}

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

fn keys(set: &Value) -> Vec<&str> {
    set["roles"].as_array().unwrap().iter().map(|role| role["key"].as_str().unwrap()).collect()
}

async fn role(app: &TestApp, name: &str) -> Value {
    post(app, "/v1/organization_roles", json!({"name": name, "key": format!("org:{name}")})).await
}

async fn organization(app: &TestApp, role_set_key: &str) -> String {
    let new = json!({"name": "Acme", "role_set_key": role_set_key});
    format!("/v1/organizations/{}", id(&post(app, "/v1/organizations", new).await))
}

async fn member(app: &TestApp, organization: &str, address: &str, role: &str) {
    let user = post(app, "/v1/users", json!({"email_address": [address]})).await;
    post(app, &format!("{organization}/memberships"), json!({"user_id": user["id"], "role": role})).await;
}

/// Address and role of an organization's members, by address.
async fn held(app: &TestApp, organization: &str) -> Value {
    let path = format!("{organization}/memberships?order_by=email_address");
    let found = app.backend(Method::GET, &path, Value::Null).await.ok();
    let pair = |member: &Value| json!([member["public_user_data"]["identifier"], member["role"]]);
    found["data"].as_array().unwrap().iter().map(pair).collect()
}

#[tokio::test]
async fn rol14_roles_are_added_to_a_set() {
    for app in TestApp::on_each_database().await {
        role(&app, "reader").await;
        post(&app, "/v1/role_sets", set(json!({"key": "role_set:partners"}))).await;
        let path = "/v1/role_sets/role_set:partners/roles";
        let many: Vec<String> = (0..11).map(|n| format!("org:r{n}")).collect();
        for (body, status, code, param) in [
            (json!({}), 422, "form_param_missing", "role_keys"),
            (json!({"role_keys": []}), 422, "form_param_value_invalid", "role_keys"),
            (json!({"role_keys": ["org:none"]}), 404, "resource_not_found", "role_keys"),
            (json!({"role_keys": many}), 404, "resource_not_found", "role_keys"),
            (
                json!({"role_keys": ["org:reader"], "default_role_key": "org:none"}),
                422,
                "form_param_value_invalid",
                "default_role_key",
            ),
        ] {
            let answer = app.backend(Method::POST, path, body.clone()).await;
            assert_eq!(answer.error(), (status, code.to_owned()), "{body}");
            assert_eq!(answer.json()["errors"][0]["meta"]["param_name"], param, "{body}");
        }
        let lacks = json!({"role_keys": ["org:reader"], "creator_role_key": "org:reader"});
        let lacks = app.backend(Method::POST, path, lacks).await;
        assert_eq!(lacks.error(), (422, "organization_missing_creator_role_permissions".to_owned()));
        let acme = organization(&app, "role_set:partners").await;
        let added = json!({"role_keys": ["org:reader", "org:member"], "default_role_key": "org:reader"});
        let added = post(&app, path, added).await;
        assert_eq!(keys(&added), ["org:admin", "org:member", "org:reader"]);
        assert_eq!(
            (&added["default_role"]["key"], &added["creator_role"]["key"]),
            (&json!("org:reader"), &json!("org:admin"))
        );
        member(&app, &acme, "ada@people.test", "org:reader").await;
        // Eight more do not fit.
        let mut names = Vec::new();
        for n in 0..8 {
            names.push(role(&app, &format!("r{n}")).await["key"].clone());
        }
        let answer = app.backend(Method::POST, path, json!({"role_keys": names})).await;
        assert_eq!(answer.error(), (422, "form_param_value_invalid".to_owned()));
        let full = post(&app, path, json!({"role_keys": names[..7]})).await;
        assert_eq!(keys(&full).len(), 10);
        let unknown =
            app.backend(Method::POST, "/v1/role_sets/role_set:none/roles", json!({"role_keys": ["org:admin"]})).await;
        assert_eq!(unknown.error(), (404, "resource_not_found".to_owned()));
        app.close().await;
    }
}

#[tokio::test]
async fn rol15_rol18_a_role_gives_way_to_another() {
    for app in TestApp::on_each_database().await {
        role(&app, "reader").await;
        post(&app, "/v1/role_sets", set(json!({"key": "role_set:partners"}))).await;
        let (acme, other) =
            (organization(&app, "role_set:partners").await, organization(&app, "role_set:default").await);
        member(&app, &acme, "ada@people.test", "org:admin").await;
        member(&app, &acme, "ben@people.test", "org:member").await;
        member(&app, &other, "cy@people.test", "org:member").await;
        let path = "/v1/role_sets/role_set:partners/roles/replace";
        let replace = |role: &str, by: &str| json!({"role_key": role, "to_role_key": by});
        for (body, status, code, param) in [
            (json!({"to_role_key": "org:reader"}), 422, "form_param_missing", "role_key"),
            (json!({"role_key": "org:member"}), 422, "form_param_missing", "to_role_key"),
            (replace("org:none", "org:reader"), 404, "resource_not_found", "role_key"),
            (replace("org:reader", "org:member"), 404, "resource_not_found", "role_key"),
            (replace("org:member", "org:none"), 404, "resource_not_found", "to_role_key"),
            (replace("org:member", "org:member"), 422, "form_param_value_invalid", "to_role_key"),
        ] {
            let answer = app.backend(Method::POST, path, body.clone()).await;
            assert_eq!(answer.error(), (status, code.to_owned()), "{body}");
            assert_eq!(answer.json()["errors"][0]["meta"]["param_name"], param, "{body}");
        }
        // The creator role can only give way to one that can run an organization.
        let nobody = app.backend(Method::POST, path, replace("org:admin", "org:reader")).await;
        assert_eq!(nobody.error(), (400, "organization_minimum_permissions_needed".to_owned()));
        app.advance(5);
        let done = post(&app, path, replace("org:member", "org:reader")).await;
        assert_eq!(keys(&done), ["org:admin", "org:reader"]);
        assert_eq!(done["default_role"]["key"], "org:reader");
        let counts: Vec<&Value> = done["roles"].as_array().unwrap().iter().map(|role| &role["members_count"]).collect();
        assert_eq!(counts, [1, 1]);
        assert_eq!(done["role_set_migration"], Value::Null);
        assert_eq!(
            held(&app, &acme).await,
            json!([["ada@people.test", "org:admin"], ["ben@people.test", "org:reader"]])
        );
        assert_eq!(held(&app, &other).await, json!([["cy@people.test", "org:member"]]), "another set's organizations");
        let newcomer = post(&app, "/v1/users", json!({"email_address": ["dan@people.test"]})).await;
        let join = json!({"user_id": newcomer["id"], "role": "org:member"});
        let refused = app.backend(Method::POST, &format!("{acme}/memberships"), join).await;
        assert_eq!(refused.error(), (404, "resource_not_found".to_owned()));
        let merged = post(&app, path, replace("org:reader", "org:admin")).await;
        assert_eq!(keys(&merged), ["org:admin"]);
        assert_eq!(
            held(&app, &acme).await,
            json!([["ada@people.test", "org:admin"], ["ben@people.test", "org:admin"]])
        );
        app.close().await;
    }
}

#[tokio::test]
async fn rol7_the_creator_role_gives_way_only_to_one_that_may_be_it() {
    for app in TestApp::on_each_database().await {
        role(&app, "reader").await;
        let path = "/v1/role_sets/role_set:default/roles/replace";
        let lacks =
            app.backend(Method::POST, path, json!({"role_key": "org:admin", "to_role_key": "org:reader"})).await;
        assert_eq!(lacks.error(), (422, "organization_missing_creator_role_permissions".to_owned()));
        app.close().await;
    }
}

#[tokio::test]
async fn rol15_rol17_a_set_gives_way_to_another() {
    for app in TestApp::on_each_database().await {
        for name in ["reader", "writer"] {
            role(&app, name).await;
        }
        let old = json!({"key": "role_set:old", "roles": ["org:admin", "org:reader", "org:writer"], "default_role_key": "org:reader"});
        let old = post(&app, "/v1/role_sets", set(old)).await;
        let acme = organization(&app, "role_set:old").await;
        for (address, role) in [("ada", "org:admin"), ("ben", "org:reader"), ("cy", "org:writer")] {
            member(&app, &acme, &format!("{address}@people.test"), role).await;
        }
        let path = "/v1/role_sets/role_set:old/replace";
        let missing = "organization_role_set_reassignment_mappings_missing";
        let invalid = "organization_role_set_reassignment_mappings_invalid";
        let to_default =
            |mappings: Value| json!({"dest_role_set_key": "role_set:default", "reassignment_mappings": mappings});
        for (body, status, code, meta) in [
            (json!({}), 422, "form_param_missing", json!({"param_name": "dest_role_set_key"})),
            (
                json!({"dest_role_set_key": "role_set:none"}),
                422,
                "form_resource_not_found",
                json!({"param_name": "dest_role_set_key"}),
            ),
            (
                json!({"dest_role_set_key": "role_set:old"}),
                422,
                "form_param_value_invalid",
                json!({"param_name": "dest_role_set_key"}),
            ),
            (to_default(json!(7)), 422, "form_param_type_invalid", json!({"param_name": "reassignment_mappings"})),
            (
                to_default(json!({"org:reader": 7})),
                422,
                "form_param_type_invalid",
                json!({"param_name": "reassignment_mappings"}),
            ),
            (to_default(Value::Null), 422, missing, json!({"role_keys": ["org:reader", "org:writer"]})),
            (to_default(json!({"org:reader": "org:member"})), 422, missing, json!({"role_keys": ["org:writer"]})),
            (to_default(json!({"org:reader": "org:writer"})), 422, invalid, json!({"role_key": "org:writer"})),
            (to_default(json!({"org:none": "org:member"})), 422, invalid, json!({"role_key": "org:none"})),
            (
                to_default(json!({"org:reader": "org:member", "org:writer": "org:member", "org:admin": "org:member"})),
                400,
                "organization_minimum_permissions_needed",
                Value::Null,
            ),
        ] {
            let answer = app.backend(Method::POST, path, body.clone()).await;
            assert_eq!(answer.error(), (status, code.to_owned()), "{body}");
            let mut found = answer.json()["errors"][0]["meta"].clone();
            if let (Some(keys), Some(list)) = (found.as_object_mut(), meta["role_keys"].as_array()) {
                let mut sorted: Vec<Value> = keys["role_keys"].as_array().unwrap().clone();
                sorted.sort_by_key(|key| key.to_string());
                assert_eq!(&sorted, list);
                keys.insert("role_keys".into(), json!(sorted));
            }
            if !meta.is_null() {
                assert_eq!(found, meta, "{body}");
            }
        }
        let untouched = app.backend(Method::GET, &acme, Value::Null).await.ok();
        assert_eq!(untouched["role_set_key"], "role_set:old");
        let initial = app
            .backend(
                Method::POST,
                "/v1/role_sets/role_set:default/replace",
                json!({"dest_role_set_key": "role_set:old"}),
            )
            .await;
        assert_eq!(initial.error(), (403, "cannot_delete_initial_role_set".to_owned()));
        let mappings = json!({"org:reader": "org:member", "org:writer": "org:admin"});
        let gone = post(&app, path, to_default(mappings)).await;
        assert_eq!(gone, json!({"object": "role_set", "id": old["id"], "deleted": true}));
        assert_eq!(
            held(&app, &acme).await,
            json!([
                ["ada@people.test", "org:admin"],
                ["ben@people.test", "org:member"],
                ["cy@people.test", "org:admin"]
            ])
        );
        assert_eq!(app.backend(Method::GET, &acme, Value::Null).await.ok()["role_set_key"], "role_set:default");
        assert_eq!(app.backend(Method::GET, "/v1/role_sets/role_set:old", Value::Null).await.error().0, 404);
        assert_eq!(
            app.backend(Method::POST, path, json!({"dest_role_set_key": "role_set:default"})).await.error().0,
            404
        );
        app.close().await;
    }
}

#[tokio::test]
async fn rol15_an_organization_changes_its_set() {
    for app in TestApp::on_each_database().await {
        role(&app, "reader").await;
        let readers =
            json!({"key": "role_set:readers", "roles": ["org:admin", "org:reader"], "default_role_key": "org:reader"});
        post(&app, "/v1/role_sets", set(readers)).await;
        let (acme, other) =
            (organization(&app, "role_set:default").await, organization(&app, "role_set:default").await);
        member(&app, &acme, "ada@people.test", "org:admin").await;
        member(&app, &acme, "ben@people.test", "org:member").await;
        member(&app, &other, "cy@people.test", "org:member").await;
        let change = |mappings: Value| json!({"role_set_key": "role_set:readers", "reassignment_mappings": mappings});
        for (body, status, code) in [
            (change(json!({})), 422, "organization_role_set_reassignment_mappings_missing"),
            (change(json!({"org:member": "org:member"})), 422, "organization_role_set_reassignment_mappings_invalid"),
            (
                change(json!({"org:member": "org:reader", "org:admin": "org:reader"})),
                400,
                "organization_minimum_permissions_needed",
            ),
            (json!({"reassignment_mappings": {"org:member": "org:reader"}}), 422, "form_param_missing"),
        ] {
            let answer = app.backend(Method::PATCH, &acme, body.clone()).await;
            assert_eq!(answer.error(), (status, code.to_owned()), "{body}");
        }
        let changed = app.backend(Method::PATCH, &acme, change(json!({"org:member": "org:reader"}))).await.ok();
        assert_eq!(changed["role_set_key"], "role_set:readers");
        assert_eq!(
            held(&app, &acme).await,
            json!([["ada@people.test", "org:admin"], ["ben@people.test", "org:reader"]])
        );
        assert_eq!(held(&app, &other).await, json!([["cy@people.test", "org:member"]]));
        app.close().await;
    }
}

#[tokio::test]
async fn rol15_fifty_thousand_members_change_at_once_and_more_are_refused() {
    for app in TestApp::on_each_database().await {
        role(&app, "reader").await;
        post(&app, "/v1/role_sets", set(json!({"key": "role_set:large"}))).await;
        let acme = organization(&app, "role_set:large").await;
        member(&app, &acme, "model@people.test", "org:member").await;
        // Copies of one member, in one statement: by the API it would take minutes.
        let numbers = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 50000)";
        let copies = |table: &str, columns: &str, changed: &str| {
            format!("{numbers} INSERT INTO {table} ({columns}) SELECT {changed} FROM {table} t, numbers")
        };
        let rest = "public_metadata, private_metadata, unsafe_metadata, banned, locked, deprovisioned, delete_self_enabled, \
                    create_organization_enabled, bypass_client_trust, created_at, updated_at";
        app.sql(&copies("users", &format!("id, {rest}"), &format!("'user_' || n, {rest}"))).await;
        let rest = "role_id, public_metadata, private_metadata, created_at, updated_at";
        let (columns, changed) = (
            format!("id, organization_id, user_id, {rest}"),
            format!("'orgmem_' || n, organization_id, 'user_' || n, {rest}"),
        );
        app.sql(&copies("organization_memberships", &columns, &changed)).await;
        let path = "/v1/role_sets/role_set:large/roles/replace";
        let body = json!({"role_key": "org:member", "to_role_key": "org:reader"});
        let refused = app.backend(Method::POST, path, body.clone()).await;
        assert_eq!(refused.error(), (422, "organization_role_set_reassignment_contact_support".to_owned()));
        app.sql("DELETE FROM organization_memberships WHERE id = 'orgmem_1'").await;
        let done = post(&app, path, body).await;
        assert_eq!(
            (keys(&done), &done["roles"][1]["members_count"]),
            (vec!["org:admin", "org:reader"], &json!(50_000))
        );
        app.close().await;
    }
}
