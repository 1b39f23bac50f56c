//! An EASIE provider for `cargo xtask bench`, in a process of its own, and the people who have accounts there. One JSON request a
//! line on standard input, one JSON answer a line on standard output.
//!
//! The token endpoint lets nobody go before it is told to, so that what a server does before the first answer is not measured.

#![expect(clippy::print_stdout, reason = "speaks on standard output")]
#![expect(clippy::disallowed_methods, reason = "a provider reads the clock")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow, bail};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_model::{
    Client, EasieGrant, EasieGrantState, Email, EnterpriseAccount, EnterpriseConnectionId, Session, User, UserId,
};
use doorward_store::{Store, StoreError, clients, easie_grants, enterprise_accounts, sessions, users, write_tx};
use serde_json::{Value, json};

const WEEK: i64 = 7 * 24 * 60 * 60 * 1000;

#[derive(Default)]
struct Progress {
    is_open: bool,
    answered: u64,
    first: Option<Instant>,
    last: Option<Instant>,
}

type Gate = Arc<(Mutex<Progress>, Condvar)>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    let gate = Gate::default();
    let (issuer, shared) = (url.clone(), gate.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (issuer, gate) = (issuer.clone(), shared.clone());
            // A connection that breaks off is the server's end.
            std::thread::spawn(move || drop(serve(stream, &issuer, &gate)));
        }
    });
    for line in std::io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        let answer = match request["do"].as_str() {
            Some("describe") => json!({ "url": url }),
            Some("fill") => fill(&request).await?,
            Some("open") => {
                gate.0.lock().unwrap_or_else(PoisonError::into_inner).is_open = true;
                gate.1.notify_all();
                json!({})
            }
            Some("progress") => {
                let progress = gate.0.lock().unwrap_or_else(PoisonError::into_inner);
                let took = progress.first.zip(progress.last).map_or(0.0, |(first, last)| (last - first).as_secs_f64());
                json!({ "answered": progress.answered, "seconds": took })
            }
            _ => bail!("unknown request"),
        };
        println!("{answer}");
    }
    Ok(())
}

/// Answers requests of one connection until it ends.
fn serve(stream: TcpStream, issuer: &str, gate: &Gate) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        let (mut line, mut path, mut length) = (String::new(), String::new(), 0);
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let text = line.trim_end().to_ascii_lowercase();
            if text.is_empty() {
                break;
            }
            if let Some(value) = text.strip_prefix("content-length:") {
                length = value.trim().parse()?;
            } else if path.is_empty() {
                path = text.split(' ').nth(1).unwrap_or_default().to_owned();
            }
        }
        reader.read_exact(&mut vec![0; length])?;
        let body = if path == "/token" {
            note(gate);
            json!({ "access_token": "access", "token_type": "Bearer", "expires_in": 3600 })
        } else {
            json!({
                "issuer": issuer, "authorization_endpoint": format!("{issuer}/auth"), "token_endpoint": format!("{issuer}/token"),
                "jwks_uri": format!("{issuer}/jwks"), "response_types_supported": ["code"], "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
            })
        };
        let body = body.to_string();
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        reader.get_mut().write_all(format!("{head}{body}").as_bytes())?;
    }
}

/// Waits until the gate is open, and counts.
fn note(gate: &Gate) {
    let progress = gate.0.lock().unwrap_or_else(PoisonError::into_inner);
    let mut progress =
        gate.1.wait_while(progress, |progress| !progress.is_open).unwrap_or_else(PoisonError::into_inner);
    let now = Instant::now();
    progress.answered += 1;
    progress.first.get_or_insert(now);
    progress.last = Some(now);
}

/// Makes people with an account at the connection, which is due, and a session that lives.
async fn fill(request: &Value) -> Result<Value> {
    let text = |name: &str| request[name].as_str().with_context(|| format!("no {name}"));
    let (store, key) = (Store::open(text("database_url")?).await?, STANDARD.decode(text("encryption_key")?)?);
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).map_err(|_| anyhow!("no key"))?);
    let connection = EnterpriseConnectionId::from(text("connection_id")?);
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let count = request["count"].as_u64().context("no count")?;
    let people = (0..count).map(|n| Ok((n, seal(&key, n, &connection)?))).collect::<Result<Vec<_>>>()?;
    write_tx!(store, StoreError, |tx| {
        for (n, sealed) in &people {
            insert(tx, *n, sealed, &connection, now).await?;
        }
        Ok(())
    })?;
    store.close().await;
    Ok(json!({}))
}

fn subject(n: u64) -> String {
    format!("subject-{n}")
}

/// A refresh token as the server stores it.
fn seal(key: &LessSafeKey, n: u64, connection: &EnterpriseConnectionId) -> Result<String> {
    let mut nonce = [0; 12];
    nonce[..8].copy_from_slice(&n.to_le_bytes());
    let mut sealed = format!("refresh-token-{n}").into_bytes();
    let context = format!("refresh token of {connection} for {}", subject(n));
    let aad = Aad::from(context.as_bytes());
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
        .map_err(|_| anyhow!("cannot seal"))?;
    Ok(STANDARD.encode([&nonce[..], &sealed].concat()))
}

async fn insert(
    tx: &mut doorward_store::Tx,
    n: u64,
    sealed: &str,
    connection: &EnterpriseConnectionId,
    now: i64,
) -> Result<(), StoreError> {
    let user = User::new(UserId::from(format!("user_{n:027}")), now);
    let client = Client {
        id: format!("client_{n:027}").as_str().into(),
        token_sha256: format!("{n:064}"),
        last_active_session_id: None,
        sign_in_id: None,
        sign_up_id: None,
        last_authentication_strategy: None,
        created_at: now,
        updated_at: now,
    };
    let session =
        Session::begin(format!("sess_{n:027}").as_str().into(), client.id.clone(), user.id.clone(), None, WEEK, now);
    let account = EnterpriseAccount {
        id: format!("entacc_{n:027}").as_str().into(),
        user_id: user.id.clone(),
        enterprise_connection_id: connection.clone(),
        subject: subject(n),
        email_address: Email::from_stored(format!("person{n}@accounts.test")),
        first_name: None,
        last_name: None,
        public_metadata: Default::default(),
        last_authenticated_at: now,
        created_at: now,
        updated_at: now,
    };
    let grant = EasieGrant {
        account_id: account.id.clone(),
        user_id: user.id.clone(),
        connection_id: connection.clone(),
        client_id: "bench".into(),
        encrypted_refresh_token: Some(sealed.to_owned()),
        state: EasieGrantState::Live,
        confirmed_at: now - WEEK,
        due_at: Some(1),
        claimed_until: 0,
        failures: 0,
        last_error: None,
        created_at: now,
        updated_at: now,
    };
    users::insert(tx, &user).await?;
    clients::insert(tx, &client).await?;
    sessions::insert(tx, &session).await?;
    enterprise_accounts::insert(tx, &account).await?;
    easie_grants::save(tx, &grant).await
}
