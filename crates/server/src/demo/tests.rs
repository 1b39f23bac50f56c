use super::companies::{ADMINS, COMPANIES};
use super::stage::{folder, serve_and_seed};
use super::*;
use crate::testing::TestApp;
use axum::http::Method;
use clap::Parser as _;
use serde_json::{Value, json};

#[derive(clap::Parser)]
struct Command {
    #[command(flatten)]
    options: DemoOptions,
}

fn options(arguments: &[&str]) -> DemoOptions {
    Command::parse_from([&["demo"], arguments].concat()).options
}

#[test]
fn the_demo_adds_to_settings_and_replaces_none() {
    let options =
        options(&["--data-dir", "x/y", "--app-listen", "0.0.0.0:4412", "--allowed-origins", "https://a.test"]);
    let raw = configure(options.settings.clone(), &options);
    assert_eq!(raw.database_url.as_deref(), Some("sqlite://x/y/doorward.db"));
    assert_eq!(raw.allowed_origins.as_deref(), Some("https://a.test,http://127.0.0.1:4412"));
    assert_eq!(raw.outbound_allow.as_deref(), Some("http://127.0.0.1"));
    assert_eq!(raw.easie_check_interval.as_deref(), Some("10s"));
    let given = RawConfig {
        database_url: Some("postgres://db".into()),
        easie_check_interval: Some("5m".into()),
        ..RawConfig::default()
    };
    let raw = configure(given, &options);
    assert_eq!(raw.database_url.as_deref(), Some("postgres://db"));
    assert_eq!(raw.easie_check_interval.as_deref(), Some("5m"));
}

#[test]
fn cookies_are_shared_only_on_one_host() {
    assert!(check_hosts("http://127.0.0.1:4400", "http://127.0.0.1:4402").is_ok());
    let refused = check_hosts("https://clerk.example.com", "http://127.0.0.1:4402").unwrap_err().to_string();
    assert!(refused.contains("https://clerk.example.com") && refused.contains("http://127.0.0.1:4402"), "{refused}");
}

#[test]
fn the_test_identity_provider_stays_on_this_machine() {
    for given in ["127.0.0.1:4401", "127.0.0.2:1", "[::1]:4401"] {
        assert!(check_loopback(given.parse().unwrap()).is_ok(), "{given}");
    }
    for given in ["0.0.0.0:4401", "[::]:4401", "192.168.1.2:4401"] {
        let refused = check_loopback(given.parse().unwrap()).unwrap_err().to_string();
        assert!(refused.contains(given) && refused.contains("--idp-listen"), "{refused}");
    }
}

#[test]
fn a_folder_that_cannot_be_used_is_one_sentence() {
    let folder = folder("file");
    let file = folder.join("file");
    std::fs::write(&file, "").unwrap();
    let refused = prepare(&file.join("below")).unwrap_err().to_string();
    assert!(refused.contains("cannot be written to") && refused.contains("--data-dir"), "{refused}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn the_secret_key_of_the_sample_application_is_one_that_the_database_knows() {
    let server = TestApp::new().await;
    let folder = folder("secret-key");
    let file = folder.join("secret-key");
    let configured = server.app.config.secret_key.as_ref().unwrap().expose().to_owned();
    // The configured one, whatever was kept; after it has been replaced, the kept one; where that is lost, a new one.
    std::fs::write(&file, "sk_live_ofanotherdatabaseofanotherdatabase\n").unwrap();
    assert_eq!(secret_key(&server.app, None, &folder).await.unwrap(), configured);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), configured);
    let replaced = rotate_secret_key(&server.app.store, server.now(), 0, &*server.app.random).await.unwrap();
    std::fs::write(&file, format!("{replaced}\n")).unwrap();
    assert_eq!(secret_key(&server.app, None, &folder).await.unwrap(), replaced);
    std::fs::remove_file(&file).unwrap();
    let new = secret_key(&server.app, None, &folder).await.unwrap();
    assert!(new != replaced && new != configured);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), new);
    assert!(is_valid(&server.app, &new).await.unwrap());
    // Whoever uses the old one has time to take the new one.
    assert!(is_valid(&server.app, &replaced).await.unwrap());
    std::fs::remove_dir_all(&folder).unwrap();
    server.close().await;
}

#[tokio::test]
async fn seeding_again_changes_nothing_but_a_moved_identity_provider() {
    let folder = folder("seed");
    for server in TestApp::on_each_database().await {
        let (idp, ..) = serve_and_seed(&server, &folder).await;
        let first = seed::run(&server.app, &idp).await.unwrap();
        server.advance(1000);
        assert_eq!(seed::run(&server.app, &idp).await.unwrap(), first);
        // The same data on another port.
        let (_, base, moved) = serve_and_seed(&server, &folder).await;
        for (before, after) in first.iter().zip(&moved) {
            assert_eq!((&before.id, &before.saml_connection_id), (&after.id, &after.saml_connection_id));
            let oidc = after.oidc.as_ref();
            let url = after.saml.idp_sso_url.as_ref().or(oidc.and_then(|oidc| oidc.discovery_url.as_ref())).unwrap();
            assert!(url.starts_with(&format!("{base}/")), "{url}");
            assert!(after.active && after.updated_at > before.updated_at);
            assert_eq!(before.oidc.as_ref().map(|oidc| &oidc.id), oidc.map(|oidc| &oidc.id));
        }
        let get = async |path: &str| server.backend(Method::GET, path, Value::Null).await.ok();
        assert_eq!(get("/v1/organizations").await["total_count"], json!(COMPANIES.len()));
        assert_eq!(get("/v1/enterprise_connections").await["total_count"], json!(COMPANIES.len()));
        assert_eq!(get("/v1/organizations/globex").await["role_set_key"], json!(ADMINS));
        server.close().await;
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
