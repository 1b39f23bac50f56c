//! Accepts connections and speaks HTTP/1.1 on them.
//!
//! axum's own server has no limit on how many there are and how slowly they talk, which would let one caller keep out all
//! others.

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

/// What callers may take.
#[derive(Clone, Copy)]
pub struct Limits {
    /// Connections served at a time; further ones wait to be accepted.
    pub connections: usize,
    /// How long a caller may take to send the head of a request, and may keep a connection open between two.
    pub head: Duration,
    /// How long requests under way may go on after `stop`.
    pub stop: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 10_000, head: Duration::from_secs(30), stop: Duration::from_secs(10) }
    }
}

/// Serves until `stop` resolves and the requests under way are answered.
pub async fn run(listener: TcpListener, router: Router, limits: Limits, stop: impl Future<Output = ()> + Send) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let open = GracefulShutdown::new();
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(limits.head);
    let mut stop = std::pin::pin!(stop);
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await.ok()?;
            Some((listener.accept().await, place))
        };
        let (accepted, place) = tokio::select! {
            Some(next) = next => next,
            () = &mut stop => break,
        };
        let Ok((stream, address)) = accepted else {
            // Out of file descriptors, most likely; those who hold them will be done some time.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // Answers are written in one piece; waiting for more to send only delays them.
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(address));
            router.clone().oneshot(request)
        });
        let connection = open.watch(protocol.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
            drop(place);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(limits.stop, open.shutdown()).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::sync::{Notify, oneshot};
    use tokio::task::JoinHandle;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: a.test\r\n\r\n";

    struct Running {
        address: SocketAddr,
        stop: oneshot::Sender<()>,
        task: JoinHandle<()>,
    }

    /// `/` answers at once, `/slow` when `finish` is notified; it notifies `begun` before.
    async fn running(limits: Limits, begun: Arc<Notify>, finish: Arc<Notify>) -> Running {
        let slow = async move || {
            begun.notify_one();
            finish.notified().await;
            "slow"
        };
        let router = Router::new().route("/", get(async || "quick")).route("/slow", get(slow));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(run(listener, router, limits, async move { drop(stopped.await) }));
        Running { address, stop, task }
    }

    async fn simple(limits: Limits) -> Running {
        running(limits, Arc::default(), Arc::default()).await
    }

    /// Reads until what came ends with `end`.
    async fn read_to(stream: &mut TcpStream, end: &str) -> String {
        let mut text = String::new();
        while !text.ends_with(end) {
            let mut part = [0; 1024];
            let count = stream.read(&mut part).await.unwrap();
            assert!(count > 0, "closed after {text:?}");
            text.push_str(std::str::from_utf8(&part[..count]).unwrap());
        }
        text
    }

    async fn is_closed(stream: &mut TcpStream) -> bool {
        let mut rest = Vec::new();
        // A reset is an end too.
        stream.read_to_end(&mut rest).await.is_ok_and(|_| !rest.starts_with(b"HTTP/1.1 200")) || rest.is_empty()
    }

    #[tokio::test]
    async fn who_never_ends_a_head_is_disconnected_and_keeps_nobody_out() {
        let limits = Limits { head: Duration::from_millis(200), ..Limits::default() };
        let server = simple(limits).await;
        let mut slow = TcpStream::connect(server.address).await.unwrap();
        slow.write_all(b"GET / HTTP/1.1\r\nhost: a").await.unwrap();
        let mut other = TcpStream::connect(server.address).await.unwrap();
        other.write_all(REQUEST).await.unwrap();
        assert!(read_to(&mut other, "quick").await.starts_with("HTTP/1.1 200"));
        assert!(is_closed(&mut slow).await);
        // Idle after an answer counts the same.
        assert!(is_closed(&mut other).await);
    }

    #[tokio::test]
    async fn one_connection_too_many_waits_for_a_place() {
        let server = simple(Limits { connections: 1, ..Limits::default() }).await;
        let mut first = TcpStream::connect(server.address).await.unwrap();
        first.write_all(REQUEST).await.unwrap();
        read_to(&mut first, "quick").await;
        let mut second = TcpStream::connect(server.address).await.unwrap();
        second.write_all(REQUEST).await.unwrap();
        let early = tokio::time::timeout(Duration::from_millis(200), second.readable()).await;
        assert!(early.is_err(), "served beside the first");
        drop(first);
        assert!(read_to(&mut second, "quick").await.starts_with("HTTP/1.1 200"));
    }

    #[tokio::test]
    async fn a_stop_answers_what_is_under_way_and_takes_nothing_new() {
        let (begun, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let server = running(Limits::default(), begun.clone(), finish.clone()).await;
        let mut idle = TcpStream::connect(server.address).await.unwrap();
        idle.write_all(REQUEST).await.unwrap();
        read_to(&mut idle, "quick").await;
        let mut slow = TcpStream::connect(server.address).await.unwrap();
        slow.write_all(b"GET /slow HTTP/1.1\r\nhost: a.test\r\n\r\n").await.unwrap();
        begun.notified().await;
        server.stop.send(()).unwrap();
        assert!(is_closed(&mut idle).await);
        assert!(TcpStream::connect(server.address).await.is_err(), "still listening");
        finish.notify_one();
        assert!(read_to(&mut slow, "slow").await.starts_with("HTTP/1.1 200"));
        server.task.await.unwrap();
    }

    #[tokio::test]
    async fn a_stop_does_not_wait_for_ever() {
        let begun = Arc::new(Notify::new());
        let limits = Limits { stop: Duration::from_millis(50), ..Limits::default() };
        let server = running(limits, begun.clone(), Arc::default()).await;
        let mut slow = TcpStream::connect(server.address).await.unwrap();
        slow.write_all(b"GET /slow HTTP/1.1\r\nhost: a.test\r\n\r\n").await.unwrap();
        begun.notified().await;
        server.stop.send(()).unwrap();
        server.task.await.unwrap();
    }
}
