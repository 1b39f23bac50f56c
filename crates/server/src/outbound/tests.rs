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

#[tokio::test]
async fn size_and_status_are_checked() {
    let client = outbound(&["http://127.0.0.1"]);
    let large = server(ok(&"x".repeat(101))).await;
    assert_eq!(client.get(&large, 100).await, Err(OutboundError::TooLarge(100)));
    let missing = server("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".into()).await;
    assert_eq!(client.get(&missing, 100).await, Err(OutboundError::Status(404)));
}
