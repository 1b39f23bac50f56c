//! The web server an identity provider publishes its metadata on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

const PLENTY: usize = 1000;

/// Gives every request the answer that was set last.
pub struct MetadataServer {
    url: String,
    answer: Arc<Mutex<Vec<u8>>>,
    hits: Arc<AtomicUsize>,
    /// A request waits here for its turn; normally nobody does.
    gate: Arc<Semaphore>,
}

impl MetadataServer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            url: format!("http://{}/metadata", listener.local_addr().unwrap()),
            answer: Arc::default(),
            hits: Arc::default(),
            gate: Arc::new(Semaphore::new(PLENTY)),
        };
        let (answer, hits, gate) = (server.answer.clone(), server.hits.clone(), server.gate.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (answer, hits, gate) = (answer.clone(), hits.clone(), gate.clone());
                tokio::spawn(async move {
                    let mut request = [0u8; 4096];
                    let _ = stream.read(&mut request).await;
                    hits.fetch_add(1, Ordering::SeqCst);
                    let _turn = gate.acquire().await.unwrap();
                    let answer = answer.lock().unwrap().clone();
                    let _ = stream.write_all(&answer).await;
                });
            }
        });
        server
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// How many requests came.
    pub fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }

    /// Publishes a document.
    pub fn publish(&self, body: &str) {
        self.answer("200 OK", "", body);
    }

    /// Answers with anything; `headers` end with a line break each.
    pub fn answer(&self, status: &str, headers: &str, body: &str) {
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n");
        *self.answer.lock().unwrap() = format!("{head}{body}").into_bytes();
    }

    /// Lets requests wait until [`Self::open_gate`].
    pub async fn close_gate(&self) {
        self.gate.acquire_many(PLENTY as u32).await.unwrap().forget();
    }

    pub fn open_gate(&self) {
        self.gate.add_permits(PLENTY);
    }

    /// Waits until this many requests have come.
    pub async fn wait_for_hits(&self, hits: usize) {
        while self.hits() < hits {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}
