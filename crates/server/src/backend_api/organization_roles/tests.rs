use crate::testing::{TestApp, decode_part};
use axum::http::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn rol1_the_stock_roles_are_listed_and_read() {
    let app = TestApp::new().await;
    let roles = app.backend(Method::GET, "/v1/organization_roles?order_by=key", Value::Null).await.ok();
    assert_eq!(roles["total_count"], 2);
    let found = |role: &Value| json!([role["key"], role["is_creator_eligible"]]);
    let [admin, member] = [&roles["data"][0], &roles["data"][1]];
    assert_eq!(json!([found(admin), found(member)]), json!([["org:admin", true], ["org:member", false]]));
    let path = format!("/v1/organization_roles/{}", admin["id"].as_str().unwrap());
    assert_eq!(app.backend(Method::GET, &path, Value::Null).await.ok(), *admin);
    let permission = &admin["permissions"][0];
    let path = format!("/v1/organization_permissions/{}", permission["id"].as_str().unwrap());
    assert_eq!(app.backend(Method::GET, &path, Value::Null).await.ok(), *permission);
    for path in ["/v1/organization_roles/role_none", "/v1/organization_permissions/perm_none"] {
        let answer = app.backend(Method::GET, path, Value::Null).await;
        assert_eq!(answer.error(), (404, "resource_not_found".to_owned()), "{path}");
    }
    app.close().await;
}

async fn post(app: &TestApp, path: &str, body: Value) -> Value {
    app.backend(Method::POST, path, body).await.ok()
}

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

/// A role that can run an organization has these.
async fn creator_permissions(app: &TestApp) -> Vec<Value> {
    let all = app.backend(Method::GET, "/v1/organization_permissions?limit=100", Value::Null).await.ok();
    let wanted = ["org:sys_memberships:manage", "org:sys_memberships:read", "org:sys_profile:delete"];
    let found =
        |key: &&str| all["data"].as_array().unwrap().iter().find(|one| one["key"] == **key).unwrap()["id"].clone();
    wanted.iter().map(found).collect()
}

async fn role(app: &TestApp, key: &str) -> Value {
    let all = app.backend(Method::GET, "/v1/organization_roles?limit=100", Value::Null).await.ok();
    all["data"].as_array().unwrap().iter().find(|role| role["key"] == key).unwrap().clone()
}

async fn user(app: &TestApp, address: &str) -> String {
    id(&post(app, "/v1/users", json!({"email_address": [address]})).await).to_owned()
}

#[tokio::test]
async fn rol5_every_refusal_of_making_and_changing_a_role() {
    for app in TestApp::on_each_database().await {
        let made = post(&app, "/v1/organization_roles", json!({"name": " Analyst ", "key": "org:analyst"})).await;
        assert_eq!(
            json!([made["name"], made["description"], made["is_creator_eligible"], made["permissions"]]),
            json!(["Analyst", null, false, []])
        );
        let path = format!("/v1/organization_roles/{}", id(&made));
        for (change, status, code, param) in [
            (json!({"name": "  "}), 422, "form_param_value_invalid", "name"),
            (json!({"name": "n".repeat(257)}), 422, "form_param_max_length_exceeded", "name"),
            (json!({"name": 7}), 422, "form_param_type_invalid", "name"),
            (json!({"key": "org:Upper"}), 422, "form_param_format_invalid", "key"),
            (json!({"key": "analyst"}), 422, "form_param_format_invalid", "key"),
            (json!({"key": "org:admin"}), 422, "form_identifier_exists", "key"),
            (json!({"permissions": "perm"}), 422, "form_param_type_invalid", "permissions"),
        ] {
            let mut new = json!({"name": "Other", "key": "org:other"});
            for (key, value) in change.as_object().unwrap() {
                new[key] = value.clone();
            }
            for answer in [
                app.backend(Method::POST, "/v1/organization_roles", new).await,
                app.backend(Method::PATCH, &path, change.clone()).await,
            ] {
                assert_eq!(answer.error(), (status, code.to_owned()), "{change}");
                assert_eq!(answer.json()["errors"][0]["meta"]["param_name"], param, "{change}");
            }
        }
        let again = json!({"name": "Other", "key": "org:analyst"});
        let again = app.backend(Method::POST, "/v1/organization_roles", again).await;
        assert_eq!(again.error(), (422, "form_identifier_exists".to_owned()));
        for missing in [json!({"name": "Other"}), json!({"key": "org:other"})] {
            let answer = app.backend(Method::POST, "/v1/organization_roles", missing).await;
            assert_eq!(answer.error(), (422, "form_param_missing".to_owned()));
        }
        let not_found = (404, "resource_not_found".to_owned());
        let unknown = json!({"name": "Other", "key": "org:other", "permissions": ["perm_none"]});
        assert_eq!(app.backend(Method::POST, "/v1/organization_roles", unknown).await.error(), not_found);
        let unknown = json!({"permissions": ["perm_none"]});
        assert_eq!(app.backend(Method::PATCH, &path, unknown).await.error(), not_found);
        for (method, path) in [
            (Method::PATCH, "/v1/organization_roles/role_none"),
            (Method::DELETE, "/v1/organization_roles/role_none"),
            (Method::PATCH, "/v1/organization_permissions/perm_none"),
            (Method::DELETE, "/v1/organization_permissions/perm_none"),
        ] {
            assert_eq!(app.backend(method, path, json!({"name": "X"})).await.error(), not_found, "{path}");
        }
        assert_eq!(app.backend(Method::GET, &path, Value::Null).await.ok(), made, "nothing was changed");
        let change = json!({"name": "Reader", "key": "org:reader", "description": "Reads", "permissions": null});
        let changed = app.backend(Method::PATCH, &path, change).await.ok();
        assert_eq!(
            json!([changed["name"], changed["key"], changed["description"]]),
            json!(["Reader", "org:reader", "Reads"])
        );
        let cleared = app.backend(Method::PATCH, &path, json!({"description": null})).await.ok();
        assert_eq!(json!([cleared["name"], cleared["description"]]), json!(["Reader", null]));
        app.close().await;
    }
}

#[tokio::test]
async fn rol5_there_are_ten_custom_roles_at_most() {
    for app in TestApp::on_each_database().await {
        let new = |n: usize| json!({"name": "Role", "key": format!("org:r{n}"), "include_in_initial_role_set": n < 8});
        let mut roles = Vec::new();
        for n in 0..10 {
            roles.push(post(&app, "/v1/organization_roles", new(n)).await);
        }
        let quota = (403, "organization_instance_roles_quota_exceeded".to_owned());
        assert_eq!(app.backend(Method::POST, "/v1/organization_roles", new(10)).await.error(), quota);
        let stock = format!("/v1/organization_roles/{}", id(&role(&app, "org:member").await));
        assert_eq!(app.backend(Method::PATCH, &stock, json!({"key": "org:person"})).await.error(), quota);
        app.backend(Method::DELETE, &format!("/v1/organization_roles/{}", id(&roles[9])), Value::Null).await.ok();
        // The stock roles and eight more fill the initial set; nothing is left of a role that does not fit in.
        let mut more = new(10);
        more["include_in_initial_role_set"] = json!(true);
        let answer = app.backend(Method::POST, "/v1/organization_roles", more).await;
        assert_eq!(answer.error(), (422, "form_param_value_invalid".to_owned()));
        let set = app.backend(Method::GET, "/v1/role_sets/role_set:default", Value::Null).await.ok();
        assert_eq!(set["roles"].as_array().unwrap().len(), 10);
        let all = app.backend(Method::GET, "/v1/organization_roles?limit=100", Value::Null).await.ok();
        assert_eq!(all["total_count"], 11);
        app.close().await;
    }
}

#[tokio::test]
async fn rol6_permissions_are_made_and_changed_and_system_ones_are_not() {
    for app in TestApp::on_each_database().await {
        let new = json!({"name": "Read reports", "key": "org:reports:read"});
        let made = post(&app, "/v1/organization_permissions", new).await;
        assert_eq!(json!([made["description"], made["type"]]), json!(["", "user"]));
        let path = format!("/v1/organization_permissions/{}", id(&made));
        for (change, status, code, param) in [
            (json!({"name": ""}), 422, "form_param_value_invalid", "name"),
            (json!({"key": "org:reports"}), 422, "form_param_format_invalid", "key"),
            (json!({"key": "org:sys_reports:read"}), 422, "form_param_format_invalid", "key"),
            (json!({"key": "org:sys_memberships:read"}), 422, "form_param_format_invalid", "key"),
        ] {
            let mut new = json!({"name": "Other", "key": "org:other:read"});
            for (key, value) in change.as_object().unwrap() {
                new[key] = value.clone();
            }
            for answer in [
                app.backend(Method::POST, "/v1/organization_permissions", new).await,
                app.backend(Method::PATCH, &path, change.clone()).await,
            ] {
                assert_eq!(answer.error(), (status, code.to_owned()), "{change}");
                assert_eq!(answer.json()["errors"][0]["meta"]["param_name"], param, "{change}");
            }
        }
        let twice = json!({"name": "Other", "key": "org:reports:read"});
        let twice = app.backend(Method::POST, "/v1/organization_permissions", twice).await;
        assert_eq!(twice.error(), (422, "form_identifier_exists".to_owned()));
        let change = json!({"key": "org:reports:write", "description": "Writes"});
        let changed = app.backend(Method::PATCH, &path, change).await.ok();
        let shown = json!([changed["name"], changed["key"], changed["description"]]);
        assert_eq!(shown, json!(["Read reports", "org:reports:write", "Writes"]));
        let system = format!("/v1/organization_permissions/{}", creator_permissions(&app).await[0].as_str().unwrap());
        for (method, body) in [(Method::PATCH, json!({"name": "Mine"})), (Method::DELETE, Value::Null)] {
            let answer = app.backend(method, &system, body).await;
            assert_eq!(answer.error(), (403, "organization_system_permission_not_modifiable".to_owned()));
        }
        let gone = app.backend(Method::DELETE, &path, Value::Null).await.ok();
        assert_eq!(gone, json!({"object": "permission", "id": made["id"], "deleted": true}));
        assert_eq!(app.backend(Method::GET, &path, Value::Null).await.error().0, 404);
        app.close().await;
    }
}

#[tokio::test]
async fn rol9_a_role_that_is_needed_is_not_deleted() {
    for app in TestApp::on_each_database().await {
        let new = json!({"name": "Analyst", "key": "org:analyst", "include_in_initial_role_set": true});
        let analyst = post(&app, "/v1/organization_roles", new).await;
        let ada = user(&app, "ada@people.test").await;
        let acme = post(&app, "/v1/organizations", json!({"name": "Acme", "created_by": ada})).await;
        let ben = user(&app, "ben@people.test").await;
        let members = format!("/v1/organizations/{}/memberships", id(&acme));
        post(&app, &members, json!({"user_id": ben, "role": "org:analyst"})).await;
        let path = |role: &Value| format!("/v1/organization_roles/{}", id(role));
        for (role, code) in [
            (&role(&app, "org:admin").await, "organization_role_default_creator_role"),
            (&role(&app, "org:member").await, "organization_role_domain_default_role"),
            (&analyst, "organization_role_assigned_members"),
        ] {
            let answer = app.backend(Method::DELETE, &path(role), Value::Null).await;
            assert_eq!(answer.error(), (422, code.to_owned()));
        }
        let ben = format!("{members}/{ben}");
        app.backend(Method::PATCH, &ben, json!({"role": "org:member"})).await.ok();
        let gone = app.backend(Method::DELETE, &path(&analyst), Value::Null).await.ok();
        assert_eq!(gone, json!({"object": "role", "id": analyst["id"], "deleted": true}));
        let set = app.backend(Method::GET, "/v1/role_sets/role_set:default", Value::Null).await.ok();
        assert_eq!(set["roles"].as_array().unwrap().len(), 2);
        let answer = app.backend(Method::PATCH, &ben, json!({"role": "org:analyst"})).await;
        assert_eq!(answer.error(), (404, "resource_not_found".to_owned()));
        app.close().await;
    }
}

#[tokio::test]
async fn rol10_a_permission_is_assigned_once_and_removed_once() {
    for app in TestApp::on_each_database().await {
        let analyst = post(&app, "/v1/organization_roles", json!({"name": "Analyst", "key": "org:analyst"})).await;
        let new = json!({"name": "Read reports", "key": "org:reports:read"});
        let read = post(&app, "/v1/organization_permissions", new).await;
        let path = |role: &str, permission: &str| format!("/v1/organization_roles/{role}/permissions/{permission}");
        let pair = path(id(&analyst), id(&read));
        let assigned = app.backend(Method::POST, &pair, Value::Null).await.ok();
        assert_eq!(assigned["permissions"], json!([read]));
        let twice = app.backend(Method::POST, &pair, Value::Null).await;
        assert_eq!(twice.error(), (409, "organization_role_permission_association_exists".to_owned()));
        let removed = app.backend(Method::DELETE, &pair, Value::Null).await.ok();
        assert_eq!(removed["permissions"], json!([]));
        let absent = app.backend(Method::DELETE, &pair, Value::Null).await;
        assert_eq!(absent.error(), (404, "organization_role_permission_association_not_found".to_owned()));
        for unknown in [path("role_none", id(&read)), path(id(&analyst), "perm_none")] {
            for method in [Method::POST, Method::DELETE] {
                let answer = app.backend(method, &unknown, Value::Null).await;
                assert_eq!(answer.error(), (404, "resource_not_found".to_owned()), "{unknown}");
            }
        }
        app.close().await;
    }
}

#[tokio::test]
async fn rol7_org14_who_runs_an_organization_keeps_what_that_takes() {
    for app in TestApp::on_each_database().await {
        let needed = creator_permissions(&app).await;
        let admin = format!("/v1/organization_roles/{}", id(&role(&app, "org:admin").await));
        let lacks = (422, "organization_missing_creator_role_permissions".to_owned());
        let less = json!({"permissions": needed[1..]});
        assert_eq!(app.backend(Method::PATCH, &admin, less.clone()).await.error(), lacks);
        let taken = format!("{admin}/permissions/{}", needed[0].as_str().unwrap());
        assert_eq!(app.backend(Method::DELETE, &taken, Value::Null).await.error(), lacks);

        let new =
            json!({"name": "Boss", "key": "org:boss", "permissions": needed, "include_in_initial_role_set": true});
        let boss = post(&app, "/v1/organization_roles", new).await;
        assert_eq!(boss["is_creator_eligible"], true);
        let (ada, ben) = (user(&app, "ada@people.test").await, user(&app, "ben@people.test").await);
        let acme = post(&app, "/v1/organizations", json!({"name": "Acme"})).await;
        let members = format!("/v1/organizations/{}/memberships", id(&acme));
        post(&app, &members, json!({"user_id": ada, "role": "org:boss"})).await;
        let boss = format!("/v1/organization_roles/{}", id(&boss));
        let taken = format!("{boss}/permissions/{}", needed[0].as_str().unwrap());
        let nobody = (400, "organization_minimum_permissions_needed".to_owned());
        assert_eq!(app.backend(Method::PATCH, &boss, less.clone()).await.error(), nobody);
        assert_eq!(app.backend(Method::DELETE, &taken, Value::Null).await.error(), nobody);
        // Somebody else can run it: one role may permit less.
        post(&app, &members, json!({"user_id": ben, "role": "org:admin"})).await;
        let changed = app.backend(Method::DELETE, &taken, Value::Null).await.ok();
        assert_eq!(changed["is_creator_eligible"], false);
        let last = app.backend(Method::DELETE, &format!("{members}/{ben}"), Value::Null).await;
        assert_eq!(last.error(), nobody);
        app.close().await;
    }
}

#[tokio::test]
async fn tok2_tok4_a_token_follows_the_permissions_of_the_role_at_every_node() {
    for app in TestApp::on_each_database().await {
        let second = app.second_node().await;
        let new = json!({"name": "Read reports", "key": "org:reports:read"});
        let read = post(&app, "/v1/organization_permissions", new).await;
        let new = json!({"name": "Analyst", "key": "org:analyst", "permissions": [read["id"]], "include_in_initial_role_set": true});
        let analyst = post(&app, "/v1/organization_roles", new).await;
        let ada = user(&app, "ada@people.test").await;
        let acme = post(&app, "/v1/organizations", json!({"name": "Acme"})).await;
        let members = format!("/v1/organizations/{}/memberships", id(&acme));
        post(&app, &members, json!({"user_id": ada, "role": "org:analyst"})).await;
        let session = post(&app, "/v1/sessions", json!({"user_id": ada})).await;
        let path = format!("/v1/sessions/{}/tokens", id(&session));
        let claims = async || {
            let minted = second.backend(Method::POST, &path, json!({})).await.ok();
            decode_part(minted["jwt"].as_str().unwrap().split('.').nth(1).unwrap())
        };
        let told = |claims: &Value| json!([claims["fea"], claims["o"]["rol"], claims["o"]["per"], claims["o"]["fpm"]]);
        assert_eq!(told(&claims().await), json!(["o:reports", "analyst", "read", "1"]));
        let permission = format!("/v1/organization_permissions/{}", id(&read));
        app.backend(Method::PATCH, &permission, json!({"key": "org:papers:view"})).await.ok();
        assert_eq!(told(&claims().await), json!(["o:papers", "analyst", "view", "1"]));
        let role = format!("/v1/organization_roles/{}", id(&analyst));
        app.backend(Method::PATCH, &role, json!({"key": "org:reader"})).await.ok();
        assert_eq!(told(&claims().await), json!(["o:papers", "reader", "view", "1"]));
        app.backend(Method::DELETE, &format!("{role}/permissions/{}", id(&read)), Value::Null).await.ok();
        assert_eq!(told(&claims().await), json!([null, "reader", null, null]));
        // System permissions are never told.
        app.backend(Method::PATCH, &role, json!({"permissions": creator_permissions(&app).await})).await.ok();
        assert_eq!(told(&claims().await), json!([null, "reader", null, null]));
        second.close().await;
        app.close().await;
    }
}

#[tokio::test]
async fn rol14_a_role_made_at_one_node_is_known_at_the_other() {
    for app in TestApp::on_each_database().await {
        let second = app.second_node().await;
        let environment = async || second.browser().get("/v1/environment").await.ok();
        assert_eq!(environment().await["organization_settings"]["domains"]["default_role"], "org:member");
        let new = json!({"name": "Analyst", "key": "org:analyst", "include_in_initial_role_set": true});
        let analyst = post(&app, "/v1/organization_roles", new).await;
        let set = json!({"default_role_key": "org:analyst"});
        app.backend(Method::PATCH, "/v1/role_sets/role_set:default", set).await.ok();
        assert_eq!(environment().await["organization_settings"]["domains"]["default_role"], "org:analyst", "at once");
        let path = format!("/v1/organization_roles/{}", id(&analyst));
        app.backend(Method::PATCH, &path, json!({"key": "org:reader"})).await.ok();
        app.advance(2000);
        assert_eq!(
            environment().await["organization_settings"]["domains"]["default_role"],
            "org:reader",
            "in two seconds"
        );
        second.close().await;
        app.close().await;
    }
}
