use crate::testing::TestApp;
use axum::http::Method;
use futures_util::future::join_all;
use serde_json::{Value, json};

const USERS: &str = "/v1/users";

/// Users differ in their time of creation, so that lists have one order.
async fn made(app: &TestApp, body: Value) -> Value {
    app.advance(1);
    app.backend(Method::POST, USERS, body).await.ok()
}

async fn user(app: &TestApp, address: &str) -> Value {
    made(app, json!({"email_address": [address]})).await
}

fn path(user: &Value) -> String {
    format!("{USERS}/{}", user["id"].as_str().unwrap())
}

async fn found(app: &TestApp, query: &str) -> Vec<Value> {
    let list = app.backend(Method::GET, &format!("{USERS}?{query}"), Value::Null).await.ok();
    list.as_array().unwrap().iter().map(|user| user["id"].clone()).collect()
}

async fn count(app: &TestApp, query: &str) -> Value {
    app.backend(Method::GET, &format!("{USERS}/count?{query}"), Value::Null).await.ok()["total_count"].clone()
}

#[tokio::test]
async fn every_refusal_of_create_leaves_nobody_behind() {
    for app in TestApp::on_each_database().await {
        let taken = json!({"email_address": ["ada@people.test"], "external_id": "e1", "username": "ada_b"});
        made(&app, taken).await;
        let new = ["new@people.test"];
        let cases = [
            (json!({}), "form_data_missing", None),
            (json!({"email_address": [], "first_name": "Nobody"}), "form_data_missing", None),
            (json!({"email_address": ["plain"]}), "form_param_format_invalid", Some("email_address")),
            (json!({"email_address": [7]}), "form_param_type_invalid", Some("email_address")),
            (json!({"email_address": "new@people.test"}), "form_param_type_invalid", Some("email_address")),
            (json!({"email_address": ["ADA@People.test"]}), "form_identifier_exists", Some("email_address")),
            (
                json!({"email_address": ["new@people.test", "ada@people.test"]}),
                "form_identifier_exists",
                Some("email_address"),
            ),
            (
                json!({"email_address": ["new@people.test", "NEW@people.test"]}),
                "form_param_duplicate",
                Some("email_address"),
            ),
            (json!({"email_address": new, "external_id": "e1"}), "form_identifier_exists", Some("external_id")),
            (json!({"email_address": new, "username": "ADA_B"}), "form_identifier_exists", Some("username")),
            (json!({"email_address": new, "username": "no good"}), "form_param_format_invalid", Some("username")),
            (json!({"email_address": new, "locale": "not a tag!"}), "form_param_format_invalid", Some("locale")),
            (json!({"email_address": new, "first_name": 7}), "form_param_type_invalid", Some("first_name")),
            (
                json!({"email_address": new, "last_name": "x".repeat(1025)}),
                "form_param_max_length_exceeded",
                Some("last_name"),
            ),
            (json!({"email_address": new, "first_name": "a\u{0}"}), "form_param_value_invalid", Some("first_name")),
            (json!({"email_address": new, "created_at": "yesterday"}), "form_param_invalid_time", Some("created_at")),
            (
                json!({"email_address": new, "legal_accepted_at": "soon"}),
                "form_param_invalid_time",
                Some("legal_accepted_at"),
            ),
            (json!({"email_address": new, "banned": "yes"}), "form_param_type_invalid", Some("banned")),
            (
                json!({"email_address": new, "create_organizations_limit": -1}),
                "form_param_value_invalid",
                Some("create_organizations_limit"),
            ),
            (json!({"email_address": new, "public_metadata": [1]}), "form_param_type_invalid", Some("public_metadata")),
            (
                json!({"email_address": new, "private_metadata": {"a": "x".repeat(9000)}}),
                "form_param_value_invalid",
                Some("private_metadata"),
            ),
            (
                json!({"email_address": new, "email_address_identification_status": ["verified", "reserved"]}),
                "form_param_array_length_mismatch",
                Some("email_address_identification_status"),
            ),
            (
                json!({"email_address": new, "email_address_identification_status": ["maybe"]}),
                "form_param_value_invalid",
                Some("email_address_identification_status"),
            ),
            (json!({"email_address": new, "password": "correct horse"}), "form_param_unknown", Some("password")),
            (json!({"email_address": new, "password_digest": "x"}), "form_param_unknown", Some("password_digest")),
            (json!({"email_address": new, "totp_secret": "x"}), "form_param_unknown", Some("totp_secret")),
            (json!({"email_address": new, "backup_codes": ["x"]}), "form_param_unknown", Some("backup_codes")),
            (
                json!({"email_address": new, "phone_number": ["+15555550100"]}),
                "form_param_unknown",
                Some("phone_number"),
            ),
            (json!({"email_address": new, "web3_wallet": ["0x1"]}), "form_param_unknown", Some("web3_wallet")),
        ];
        for (body, code, param) in cases {
            let answer = app.backend(Method::POST, USERS, body.clone()).await;
            assert_eq!(answer.error(), (422, code.to_owned()), "{body}");
            assert_eq!(answer.json()["errors"][0]["meta"]["param_name"].as_str(), param, "{body}");
        }
        assert_eq!(count(&app, "").await, 1);
        app.close().await;
    }
}

#[tokio::test]
async fn a_user_needs_no_identifier_where_the_operator_says_so() {
    let app = TestApp::new().await;
    let nobody = made(&app, json!({"first_name": "Nobody", "skip_user_requirement": true})).await;
    assert_eq!((&nobody["email_addresses"], &nobody["primary_email_address_id"]), (&json!([]), &Value::Null));
    app.close().await;
}

#[tokio::test]
async fn null_counts_as_absent_for_what_cannot_be_set() {
    let app = TestApp::new().await;
    let nulls =
        json!({"email_address": ["ada@people.test"], "password": null, "totp_secret": null, "phone_number": null});
    let ada = made(&app, nulls).await;
    app.backend(Method::PATCH, &path(&ada), json!({"password": null})).await.ok();
    app.close().await;
}

#[tokio::test]
async fn one_address_goes_to_one_of_many_who_ask_at_once() {
    for app in TestApp::on_each_database().await {
        for status in ["verified", "reserved"] {
            let address = format!("{status}@people.test");
            let body = json!({"email_address": [address], "email_address_identification_status": [status]});
            let answers = join_all((0..8).map(|_| app.backend(Method::POST, USERS, body.clone()))).await;
            let (made, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status.is_success());
            assert_eq!(made.len(), 1, "{status}");
            for answer in refused {
                assert_eq!(answer.error(), (422, "form_identifier_exists".to_owned()));
            }
        }
        app.close().await;
    }
}

#[tokio::test]
async fn every_refusal_of_update_leaves_the_user_as_it_was() {
    for app in TestApp::on_each_database().await {
        let other =
            made(&app, json!({"email_address": ["bob@people.test"], "external_id": "taken", "username": "bob_b"}))
                .await;
        let statuses = json!(["verified", "reserved"]);
        let addresses = json!(["ada@people.test", "ada2@people.test"]);
        let ada = json!({"email_address": addresses, "email_address_identification_status": statuses});
        let ada = made(&app, ada).await;
        let reserved = &ada["email_addresses"][1]["id"];
        let cases = [
            (json!({"external_id": "taken"}), "form_identifier_exists"),
            (json!({"username": "bob_b"}), "form_identifier_exists"),
            (json!({"primary_email_address_id": other["primary_email_address_id"]}), "form_resource_not_found"),
            (json!({"primary_email_address_id": reserved}), "form_verification_needed"),
            (json!({"public_metadata": {}}), "form_param_deprecated"),
            (json!({"private_metadata": null}), "form_param_deprecated"),
            (json!({"unsafe_metadata": {}}), "form_param_deprecated"),
            (json!({"password": "correct horse"}), "form_param_unknown"),
            (json!({"locale": "!"}), "form_param_format_invalid"),
            (json!({"delete_self_enabled": 1}), "form_param_type_invalid"),
            (json!({"created_at": "then"}), "form_param_invalid_time"),
        ];
        for (body, code) in cases {
            let answer = app.backend(Method::PATCH, &path(&ada), body.clone()).await;
            assert_eq!(answer.error(), (422, code.to_owned()), "{body}");
        }
        assert_eq!(app.backend(Method::GET, &path(&ada), Value::Null).await.ok(), ada);
        // Keeping one's own identifiers is no conflict.
        app.backend(Method::PATCH, &path(&other), json!({"external_id": "taken", "username": "bob_b"})).await.ok();
        app.close().await;
    }
}

#[tokio::test]
async fn nothing_can_be_done_with_an_unknown_user() {
    let app = TestApp::new().await;
    for (method, rest) in [
        (Method::GET, ""),
        (Method::PATCH, ""),
        (Method::DELETE, ""),
        (Method::PATCH, "/metadata"),
        (Method::PUT, "/metadata"),
        (Method::GET, "/organization_memberships"),
        (Method::POST, "/ban"),
        (Method::POST, "/unban"),
        (Method::POST, "/lock"),
        (Method::POST, "/unlock"),
    ] {
        let answer = app.backend(method.clone(), &format!("{USERS}/user_nobody{rest}"), json!({})).await;
        assert_eq!(answer.error(), (404, "resource_not_found".to_owned()), "{method} {rest}");
    }
    app.close().await;
}

#[tokio::test]
async fn lists_and_counts_refuse_what_they_cannot_read() {
    let app = TestApp::new().await;
    let ada = user(&app, "ada@people.test").await;
    let id = ada["id"].as_str().unwrap();
    let many = format!("user_id={}", vec!["a"; 101].join("&user_id="));
    let by_name = format!("starting_after={id}&order_by=first_name");
    let with_offset = format!("starting_after={id}&offset=1");
    let cases = [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("offset=-1", "offset"),
        ("order_by=shoe_size", "order_by"),
        ("banned=maybe", "banned"),
        ("created_at_before=then", "created_at_before"),
        ("query=%00", "query"),
        ("starting_after=user_nobody", "starting_after"),
        (&by_name, "starting_after"),
        (&with_offset, "starting_after"),
        (&many, "user_id"),
    ];
    for (query, param) in cases {
        let answer = app.backend(Method::GET, &format!("{USERS}?{query}"), Value::Null).await;
        assert_eq!(answer.error(), (422, "form_param_value_invalid".to_owned()), "{query}");
        assert_eq!(answer.json()["errors"][0]["meta"]["param_name"], param, "{query}");
    }
    let answer = app.backend(Method::GET, &format!("{USERS}/count?banned=maybe"), Value::Null).await;
    assert_eq!(answer.error(), (422, "form_param_value_invalid".to_owned()));
    app.close().await;
}

#[tokio::test]
async fn filters_find_whom_they_describe() {
    for app in TestApp::on_each_database().await {
        let ada = json!({"email_address": ["ada@bücher.example"], "username": "Ada_B", "first_name": "Ada 50%"});
        let ada = made(&app, ada).await["id"].clone();
        let bob = made(&app, json!({"email_address": ["bob@people.test"], "banned": true})).await["id"].clone();
        let cases = [
            ("", vec![&bob, &ada]),
            ("order_by=%2Bcreated_at", vec![&ada, &bob]),
            ("email_address=ADA@B%C3%9CCHER.example", vec![&ada]),
            ("email_address=nonsense", vec![]),
            ("username=ADA_B", vec![&ada]),
            ("username_query=A_b", vec![&ada]),
            ("name_query=50%25", vec![&ada]),
            ("name_query=5_", vec![]),
            ("banned=true", vec![&bob]),
            ("last_active_at_since=1", vec![]),
            ("phone_number=%2B15555550100", vec![]),
            ("phone_number_query=555", vec![]),
            ("web3_wallet=0x1", vec![]),
            ("provider=oauth_google", vec![]),
        ];
        for (query, wanted) in cases {
            let wanted: Vec<Value> = wanted.into_iter().cloned().collect();
            assert_eq!(found(&app, query).await, wanted, "{query}");
            assert_eq!(count(&app, query).await, wanted.len(), "{query}");
        }
        app.close().await;
    }
}

#[tokio::test]
async fn metadata_merges_replaces_and_has_a_limit() {
    for app in TestApp::on_each_database().await {
        let start = json!({"a": 1, "n": {"x": 1, "y": 2}});
        let ada = made(
            &app,
            json!({"email_address": ["ada@people.test"], "public_metadata": start, "private_metadata": start}),
        )
        .await;
        let metadata = format!("{}/metadata", path(&ada));
        let patch = json!({"public_metadata": {"a": null, "n": {"y": null, "z": [1]}}});
        let merged = app.backend(Method::PATCH, &metadata, patch).await.ok();
        assert_eq!(merged["public_metadata"], json!({"n": {"x": 1, "z": [1]}}));
        assert_eq!(merged["private_metadata"], start);
        let replaced = app.backend(Method::PUT, &metadata, json!({"public_metadata": {"b": 2}})).await.ok();
        assert_eq!((&replaced["public_metadata"], &replaced["private_metadata"]), (&json!({"b": 2}), &start));
        app.backend(Method::PATCH, &metadata, json!({"unsafe_metadata": {"c": "x".repeat(5000)}})).await.ok();
        let over = app.backend(Method::PATCH, &metadata, json!({"unsafe_metadata": {"d": "x".repeat(5000)}})).await;
        assert_eq!(over.error(), (422, "form_param_value_invalid".to_owned()));
        let wrong = app.backend(Method::PUT, &metadata, json!({"unsafe_metadata": "text"})).await;
        assert_eq!(wrong.error(), (422, "form_param_type_invalid".to_owned()));
        app.close().await;
    }
}

#[tokio::test]
async fn a_ban_ends_sessions_and_a_lock_stops_their_tokens() {
    for app in TestApp::on_each_database().await {
        let ada = user(&app, "ada@people.test").await;
        let start = json!({"user_id": ada["id"]});
        let session = app.backend(Method::POST, "/v1/sessions", start.clone()).await.ok();
        let session = format!("/v1/sessions/{}", session["id"].as_str().unwrap());
        let act =
            async |what: &str| app.backend(Method::POST, &format!("{}/{what}", path(&ada)), Value::Null).await.ok();
        let token = async || app.backend(Method::POST, &format!("{session}/tokens"), Value::Null).await;
        let invalid = (400, "invalid_action_for_session".to_owned());

        assert_eq!(act("lock").await["locked"], true);
        assert_eq!(token().await.error(), invalid);
        let locked = app.backend(Method::POST, "/v1/sessions", start.clone()).await;
        assert_eq!(locked.error(), (403, "user_locked".to_owned()));
        assert_eq!(act("unlock").await["locked"], false);
        token().await.ok();

        assert_eq!(act("ban").await["banned"], true);
        assert_eq!(app.backend(Method::GET, &session, Value::Null).await.ok()["status"], "revoked");
        let banned = app.backend(Method::POST, "/v1/sessions", start.clone()).await;
        assert_eq!(banned.error(), (403, "user_banned".to_owned()));
        assert_eq!(act("unban").await["banned"], false);
        // What a ban ended stays ended.
        assert_eq!(token().await.error(), invalid);
        app.backend(Method::POST, "/v1/sessions", start).await.ok();
        app.close().await;
    }
}

#[tokio::test]
async fn even_the_last_administrator_can_be_deleted() {
    for app in TestApp::on_each_database().await {
        let ada = user(&app, "ada@people.test").await;
        let acme = json!({"name": "Acme", "created_by": ada["id"]});
        let acme = app.backend(Method::POST, "/v1/organizations", acme).await.ok();
        let session = app.backend(Method::POST, "/v1/sessions", json!({"user_id": ada["id"]})).await.ok();
        let gone = app.backend(Method::DELETE, &path(&ada), Value::Null).await.ok();
        assert_eq!(gone, json!({"object": "user", "id": ada["id"], "deleted": true}));
        let acme = format!("/v1/organizations/{}?include_members_count=true", acme["id"].as_str().unwrap());
        assert_eq!(app.backend(Method::GET, &acme, Value::Null).await.ok()["members_count"], 0);
        let session = format!("/v1/sessions/{}", session["id"].as_str().unwrap());
        let not_found = (404, "resource_not_found".to_owned());
        assert_eq!(app.backend(Method::GET, &session, Value::Null).await.error(), not_found);
        assert_eq!(app.backend(Method::DELETE, &path(&ada), Value::Null).await.error(), not_found);
        user(&app, "ada@people.test").await;
        app.close().await;
    }
}

#[tokio::test]
async fn org1_memberships_of_a_user_come_newest_first() {
    let app = TestApp::new().await;
    let ada = user(&app, "ada@people.test").await;
    let list = format!("{}/organization_memberships", path(&ada));
    assert_eq!(app.backend(Method::GET, &list, Value::Null).await.ok(), json!({"data": [], "total_count": 0}));
    for name in ["First", "Second"] {
        app.advance(1);
        app.backend(Method::POST, "/v1/organizations", json!({"name": name, "created_by": ada["id"]})).await.ok();
    }
    let page = app.backend(Method::GET, &format!("{list}?limit=1"), Value::Null).await.ok();
    assert_eq!(page["total_count"], 2);
    let row = &page["data"][0];
    assert_eq!((&row["organization"]["name"], &row["role"]), (&json!("Second"), &json!("org:admin")));
    assert_eq!(row["public_user_data"]["identifier"], "ada@people.test");
    let answer = app.backend(Method::GET, &format!("{list}?limit=0"), Value::Null).await;
    assert_eq!(answer.error(), (422, "form_param_value_invalid".to_owned()));
    app.close().await;
}
