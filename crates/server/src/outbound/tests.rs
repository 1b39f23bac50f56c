use super::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

fn outbound(allow: &[&str]) -> Outbound {
    Outbound::new(&allow.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).unwrap()
}

/// A server that gives every request the same answer.
async fn server(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut buffer = [0u8; 4096];
                let _ = stream.read(&mut buffer).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    format!("http://{address}")
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

fn redirect(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

#[tokio::test]
async fn an_excepted_origin_is_fetched() {
    let url = server(ok("hello")).await;
    assert_eq!(outbound(&["http://127.0.0.1"]).get(&url, 100).await.unwrap(), b"hello");
}

#[tokio::test]
async fn without_an_exception_loopback_and_http_are_refused() {
    let url = server(ok("hello")).await;
    for url in [
        url.as_str(),
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest",
        "ftp://example.test/",
        "file:///etc/passwd",
    ] {
        assert!(matches!(outbound(&[]).get(url, 100).await, Err(OutboundError::Refused(..))), "{url}");
    }
}

#[tokio::test]
async fn the_loopback_exception_covers_nothing_else() {
    let client = outbound(&["http://127.0.0.1"]);
    for url in [
        "http://127.0.0.2/",
        "http://[::1]/",
        "http://0.0.0.0/",
        "http://169.254.169.254/",
        "https://127.0.0.1/",
        "http://u:p@127.0.0.1/",
        "http://u@127.0.0.1/",
        "http://:p@127.0.0.1/",
    ] {
        assert!(matches!(client.get(url, 100).await, Err(OutboundError::Refused(..))), "{url}");
    }
}

#[tokio::test]
async fn an_exception_for_one_port_of_a_name_opens_no_other() {
    let client = outbound(&["http://localhost:8080"]);
    for url in ["https://localhost/", "https://localhost:8443/", "http://localhost:81/"] {
        assert!(matches!(client.get(url, 100).await, Err(OutboundError::Refused(..))), "{url}");
    }
}

#[tokio::test]
async fn numeric_spellings_of_a_private_address_are_recognized() {
    for url in ["https://2130706433/", "https://0x7f.1/", "https://127.1/", "https://[::ffff:127.0.0.1]/"] {
        assert!(matches!(outbound(&[]).get(url, 100).await, Err(OutboundError::Refused(..))), "{url}");
    }
}

#[tokio::test]
async fn a_name_that_leads_to_a_private_address_is_not_connected_to() {
    let answer = outbound(&[]).get("https://localhost/", 100).await;
    assert_eq!(answer, Err(OutboundError::Unreachable("the name leads to no public address".into())));
}

#[tokio::test]
async fn a_redirect_to_a_refused_address_is_not_followed() {
    let client = outbound(&["http://127.0.0.1"]);
    for target in ["http://127.0.0.2/", "http://169.254.169.254/latest", "http://[::1]/", "file:///etc/passwd"] {
        let url = server(redirect(target)).await;
        assert!(
            matches!(client.get(&url, 100).await, Err(OutboundError::Unreachable(_) | OutboundError::Status(302))),
            "{target}"
        );
    }
}

#[tokio::test]
async fn a_redirect_leads_into_an_exception_only_from_a_url_that_it_covers_too() {
    let inside = server(ok("secret")).await;
    let elsewhere = server(redirect(&inside)).await;
    let refused = outbound(&[&inside, &elsewhere]).get(&elsewhere, 100).await;
    assert!(matches!(refused, Err(OutboundError::Unreachable(_))), "{refused:?}");
    let one_exception = outbound(&["http://127.0.0.1"]);
    assert_eq!(one_exception.get(&elsewhere, 100).await.unwrap(), b"secret");
}

#[tokio::test]
async fn what_a_tenants_document_names_reaches_no_exception_that_the_document_itself_is_not_of() {
    let inside = server(ok("secret")).await;
    let client = outbound(&[&inside]);
    for (document, is_allowed) in [(inside.as_str(), true), ("https://tenant.example/configuration", false)] {
        let fetched = client.document(&inside, Some(document), 100).await.map(|found| found.body);
        assert_eq!(fetched.is_ok(), is_allowed, "{fetched:?}");
        let sent = client.send(&form(&inside), Some(document), 100).await;
        assert_eq!(sent.is_ok(), is_allowed, "{document}");
        assert!(is_allowed || matches!(sent.err(), Some(OutboundError::Refused(..))));
    }
}

#[tokio::test]
async fn what_is_named_by_nothing_that_can_be_read_is_not_fetched() {
    let inside = server(ok("secret")).await;
    let client = outbound(&["http://127.0.0.1"]);
    for document in ["", "no url", "//127.0.0.1/"] {
        let fetched = client.document(&inside, Some(document), 100).await.err();
        assert!(matches!(fetched, Some(OutboundError::Refused(_, "it is no URL"))), "{document}");
        assert!(matches!(
            client.send(&form(&inside), Some(document), 100).await.err(),
            Some(OutboundError::Refused(..))
        ));
    }
}

#[test]
fn an_exception_without_a_scheme_is_a_host() {
    // Which reads like a URL of the scheme "localhost".
    for host in ["localhost:8080", "idp.internal", "IDP.internal"] {
        assert_eq!(Exception::parse(host), Exception::Host(host.to_lowercase()));
    }
}

#[test]
fn a_public_server_cannot_redirect_into_an_exception() {
    let url = |text: &str| Url::parse(text).unwrap();
    let allow = ["idp.internal", "http://localhost:8080", "http://127.0.0.1"].map(Exception::parse);
    for inside in ["https://idp.internal/x", "http://localhost:8080/x", "http://127.0.0.1:9000/x"].map(url) {
        assert!(check(&inside, None, &allow).is_ok(), "{inside}");
        assert!(check(&inside, Some(&inside), &allow).is_ok(), "{inside}");
        let sent = check(&inside, Some(&url("https://tenant.example/metadata")), &allow);
        assert!(matches!(sent, Err(OutboundError::Refused(..))), "{inside}");
    }
    let (public, inside) = (url("https://login.example/metadata"), url("https://idp.internal/x"));
    for asked in [&public, &inside] {
        assert!(check(&public, Some(asked), &allow).is_ok(), "{asked}");
    }
}

/// What names lead to in the tests below, and how often they were asked for.
mod names {
    use super::super::{Found, LookUp};
    use std::net::SocketAddr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn answer(addresses: &[&str]) -> Found {
        let found: Vec<SocketAddr> = addresses.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect();
        Box::pin(async move { Ok(found) })
    }

    /// One that has a different answer each time: public, private, loopback.
    pub static CHANGING: AtomicUsize = AtomicUsize::new(0);
    pub static STEADY: AtomicUsize = AtomicUsize::new(0);

    pub const LOOK_UP: LookUp = |host| match host.as_str() {
        "changing.test" => match CHANGING.fetch_add(1, Ordering::SeqCst) {
            0 => answer(&["10.0.0.1"]),
            1 => answer(&["127.0.0.1", "::1"]),
            2 => answer(&["169.254.169.254"]),
            _ => answer(&["fd00::1", "::ffff:192.168.0.1"]),
        },
        "inside.test" => {
            STEADY.fetch_add(1, Ordering::SeqCst);
            answer(&["127.0.0.1"])
        }
        "private.test" => answer(&["10.0.0.1"]),
        "mixed.test" => answer(&["127.0.0.1", "10.0.0.1", "93.184.216.34", "::1"]),
        _ => answer(&[]),
    };
}

fn with_names(allow: &[&str]) -> Outbound {
    let allow: Vec<String> = allow.iter().map(|text| (*text).to_owned()).collect();
    Outbound::with(&allow, names::LOOK_UP, TIMEOUT).unwrap()
}

#[tokio::test]
async fn a_name_is_looked_up_for_each_connection_and_refused_whatever_private_address_it_leads_to_this_time() {
    let client = with_names(&[]);
    let refused = Err(OutboundError::Unreachable("the name leads to no public address".into()));
    for asked in 1..=4 {
        assert_eq!(client.get("https://changing.test/", 100).await, refused);
        let times = names::CHANGING.load(std::sync::atomic::Ordering::SeqCst);
        assert_eq!(times, asked, "what is checked is what is connected to");
    }
    assert_eq!(client.get("https://nowhere.test/", 100).await, refused);
}

#[tokio::test]
async fn of_several_addresses_the_private_ones_are_left_out() {
    let resolver = PublicResolver { allow: Arc::new([]), look_up: names::LOOK_UP };
    let found = resolver.resolve("mixed.test".parse().unwrap()).await.unwrap();
    assert_eq!(found.map(|address| address.ip().to_string()).collect::<Vec<_>>(), ["93.184.216.34"]);
    let excepted = PublicResolver { allow: Arc::new([Exception::parse("mixed.test")]), look_up: names::LOOK_UP };
    assert_eq!(excepted.resolve("mixed.test".parse().unwrap()).await.unwrap().count(), 4);
}

#[tokio::test]
async fn a_redirect_to_a_name_is_followed_to_where_the_name_leads_and_no_further_than_allowed() {
    let inside = server(ok("inside")).await.replace("127.0.0.1", "inside.test");
    let port = Url::parse(&inside).unwrap().port().unwrap();
    let allowed = format!("http://inside.test:{port}");
    let client = with_names(&["http://127.0.0.1", &allowed]);
    assert_eq!(client.get(&inside, 100).await.unwrap(), b"inside");
    assert_eq!(names::STEADY.load(std::sync::atomic::Ordering::SeqCst), 1, "one look-up, one connection");
    // A stranger's name that leads inside gets nobody there, nor does a redirect to one.
    for target in ["https://private.test/", &inside, "http://inside.test/", "https://inside.test/"] {
        let url = server(redirect(target)).await;
        assert!(matches!(client.get(&url, 100).await, Err(OutboundError::Unreachable(_))), "{target}");
    }
}

#[tokio::test]
async fn every_private_address_is_refused_where_a_url_spells_it_and_where_a_redirect_does() {
    let client = outbound(&["http://127.0.0.1"]);
    for host in [
        "127.0.0.2",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[fe80::1]",
        "[fc00::1]",
        "[fd00::1]",
        "[fec0::1]",
        "[ff02::1]",
        "[2001:db8::1]",
        "[2001::1]",
        "[2001:1ff::1]",
        "[3fff::1]",
        "[100::1]",
        "[::ffff:10.0.0.1]",
        "[::10.0.0.1]",
        "[64:ff9b::10.0.0.1]",
        "[64:ff9b:1::10.0.0.1]",
        "[2002:a00:1::]",
    ] {
        let url = format!("https://{host}/");
        assert!(matches!(client.get(&url, 100).await, Err(OutboundError::Refused(..))), "{host}");
        let sent = client.send(&form(&url), None, 100).await.err();
        assert!(matches!(sent, Some(OutboundError::Refused(..))), "{host}");
        let redirecting = server(redirect(&url)).await;
        assert!(matches!(client.get(&redirecting, 100).await, Err(OutboundError::Unreachable(_))), "{host}");
    }
}

#[tokio::test]
async fn three_redirects_are_followed_and_no_fourth() {
    let client = outbound(&["http://127.0.0.1"]);
    let mut url = server(ok("there")).await;
    for _ in 0..3 {
        url = server(redirect(&url)).await;
    }
    assert_eq!(client.get(&url, 100).await.unwrap(), b"there");
    let fourth = server(redirect(&url)).await;
    assert_eq!(client.get(&fourth, 100).await, Err(OutboundError::Unreachable("too many redirects".into())));
}

#[tokio::test]
async fn who_answers_nothing_or_a_byte_now_and_then_is_given_up() {
    let patience = Duration::from_millis(500);
    let client = Outbound::with(&["http://127.0.0.1".to_owned()], look_up, patience).unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dripping = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let [of_silent, of_dripping] = [&silent, &dripping].map(|it| format!("http://{}/", it.local_addr().unwrap()));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = dripping.accept().await {
            tokio::spawn(async move {
                let _ = stream.read(&mut [0u8; 4096]).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n").await;
                while stream.write_all(b"x").await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            });
        }
    });
    for url in [of_silent, of_dripping] {
        let fetched = tokio::time::timeout(4 * patience, client.get(&url, 2000)).await.unwrap();
        assert_eq!(fetched, Err(OutboundError::TooSlow), "{url}");
        let form = form(&url);
        let sent = tokio::time::timeout(4 * patience, client.send(&form, None, 2000)).await.unwrap();
        assert_eq!(sent.err(), Some(OutboundError::TooSlow), "{url}");
    }
    drop(silent);
}

#[tokio::test]
async fn a_redirect_loop_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let port: u16 = Url::parse(&url).unwrap().port().unwrap();
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let answer = redirect(&url);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0u8; 4096];
            let _ = stream.read(&mut buffer).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    assert!(outbound(&["http://127.0.0.1"]).get(&url, 100).await.is_err());
}

/// A server that gives every request the same answer, and what it was sent.
async fn listener(answer: String) -> (String, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/token", listener.local_addr().unwrap());
    let (heard, hear) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = String::new();
            let mut buffer = [0u8; 4096];
            while !request.ends_with("grant_type=x") {
                let read = stream.read(&mut buffer).await.unwrap();
                request.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
            }
            drop(heard.send(request));
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (url, hear)
}

fn form(url: &str) -> HttpRequest {
    HttpRequest {
        method: HttpMethod::Post,
        url: url.to_owned(),
        headers: vec![
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("authorization", "Basic c2VjcmV0".to_owned()),
        ],
        body: Some("grant_type=x".to_owned()),
    }
}

#[tokio::test]
async fn a_form_is_posted_as_it_is_and_answered_with_any_status() {
    let client = outbound(&["http://127.0.0.1"]);
    let body = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    let (url, mut heard) = listener(body.into()).await;
    let received = client.send(&form(&url), None, 100).await.unwrap();
    let response = received.as_response();
    assert_eq!((response.status, response.content_type, response.body), (400, Some("application/json"), &b"{}"[..]));
    let request = heard.recv().await.unwrap();
    let (head, sent) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /token HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("authorization: Basic c2VjcmV0") && sent == "grant_type=x", "{request}");
}

#[tokio::test]
async fn what_carries_a_secret_follows_no_redirect() {
    let client = outbound(&["http://127.0.0.1"]);
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let (target, mut heard) = listener(ok("token")).await;
        let answer = format!("HTTP/1.1 {status}\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n");
        let (url, _) = listener(answer).await;
        let received = client.send(&form(&url), None, 100).await.unwrap();
        assert_eq!(received.as_response().status.to_string(), status[..3]);
        let get = HttpRequest { method: HttpMethod::Get, ..form(&server(redirect(&target)).await) };
        assert_eq!(client.send(&HttpRequest { body: None, ..get }, None, 100).await.unwrap().as_response().status, 302);
        assert!(heard.try_recv().is_err(), "{status}");
    }
}

#[tokio::test]
async fn what_carries_a_secret_goes_to_allowed_addresses_alone_and_its_answer_is_bounded() {
    let client = outbound(&["http://127.0.0.1"]);
    for url in ["http://127.0.0.2/", "https://169.254.169.254/", "http://op.test/", "https://[::1]/", "no url"] {
        assert!(matches!(client.send(&form(url), None, 100).await, Err(OutboundError::Refused(..))), "{url}");
    }
    let named = client.send(&form("https://localhost/token"), None, 100).await.err();
    assert_eq!(named, Some(OutboundError::Unreachable("the name leads to no public address".into())));
    let (large, _) = listener(ok(&"x".repeat(101))).await;
    assert_eq!(client.send(&form(&large), None, 100).await.err(), Some(OutboundError::TooLarge(100)));
}

#[tokio::test]
async fn size_and_status_are_checked() {
    let client = outbound(&["http://127.0.0.1"]);
    let large = server(ok(&"x".repeat(101))).await;
    assert_eq!(client.get(&large, 100).await, Err(OutboundError::TooLarge(100)));
    let just = server(ok(&"x".repeat(100))).await;
    assert_eq!(client.get(&just, 100).await.map(|body| body.len()), Ok(100));
    // Who does not say how much comes, or says less.
    let endless = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", "x".repeat(101));
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n33\r\n".to_owned()
        + &"x".repeat(51)
        + "\r\n33\r\n"
        + &"x".repeat(51)
        + "\r\n0\r\n\r\n";
    for answer in [endless, chunked] {
        let url = server(answer).await;
        assert_eq!(client.get(&url, 100).await, Err(OutboundError::TooLarge(100)));
    }
    let missing = server("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".into()).await;
    assert_eq!(client.get(&missing, 100).await, Err(OutboundError::Status(404)));
}
