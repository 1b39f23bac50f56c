//! As much HTTP/1.1 as loading our own server takes: one kept-alive connection, no redirects followed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

pub(super) struct Connection {
    host: String,
    stream: BufReader<TcpStream>,
}

pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: &'a str,
}

pub(super) struct Response {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Connection {
    /// `base` is `http://host:port`.
    pub(super) fn open(base: &str) -> Result<Self> {
        let host = base.strip_prefix("http://").context("plain http only")?.trim_end_matches('/').to_owned();
        let stream = TcpStream::connect(&host).with_context(|| format!("nothing answers at {base}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self { host, stream: BufReader::new(stream) })
    }

    pub(super) fn get(&mut self, path: &str, headers: &[(&str, &str)]) -> Result<Response> {
        self.send(&Request { method: "GET", path, headers, body: "" })
    }

    pub(super) fn send(&mut self, request: &Request<'_>) -> Result<Response> {
        let Request { method, path, headers, body } = request;
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n", self.host, body.len());
        for (name, value) in *headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        text.push_str(body);
        self.stream.get_mut().write_all(text.as_bytes())?;
        Response::read(&mut self.stream).with_context(|| format!("{method} {path}"))
    }
}

impl Response {
    fn read(stream: &mut impl BufRead) -> Result<Self> {
        let status_line = read_line(stream)?;
        let status =
            status_line.split(' ').nth(1).and_then(|status| status.parse().ok()).context("not an HTTP answer")?;
        let mut headers = Vec::new();
        loop {
            let line = read_line(stream)?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').context("a header without a colon")?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut response = Self { status, headers, body: Vec::new() };
        response.body = if response.header("transfer-encoding") == Some("chunked") {
            read_chunks(stream)?
        } else {
            let length = response.header("content-length").map_or(Ok(0), str::parse)?;
            read_exactly(stream, length)?
        };
        Ok(response)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The value of a cookie that this answer sets.
    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        let set = self.headers.iter().filter(|(key, _)| key == "set-cookie");
        set.filter_map(|(_, value)| value.split(';').next()?.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    /// The body as JSON; an error that shows it unless the answer is a success.
    pub(super) fn json(&self) -> Result<serde_json::Value> {
        if !(200..300).contains(&self.status) {
            bail!("answered {}: {}", self.status, String::from_utf8_lossy(&self.body));
        }
        Ok(serde_json::from_slice(&self.body)?)
    }
}

/// Fields as a browser's form sends them.
pub(super) fn form(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    pairs.join("&")
}

fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn read_line(stream: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    ensure!(stream.read_line(&mut line)? > 0, "the server closed the connection");
    Ok(line.trim_end().to_owned())
}

fn read_exactly(stream: &mut impl Read, length: usize) -> Result<Vec<u8>> {
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(body)
}

fn read_chunks(stream: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let length = usize::from_str_radix(&read_line(stream)?, 16).context("a chunk without a length")?;
        body.extend(read_exactly(stream, length)?);
        ensure!(read_line(stream)?.is_empty(), "a chunk is longer than it says");
        if length == 0 {
            return Ok(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Response {
        Response::read(&mut text.as_bytes()).unwrap()
    }

    #[test]
    fn reads_answers() {
        let response = parse(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: b=2\r\n\r\n{}HTTP/1.1 …",
        );
        assert_eq!((response.status, response.body.as_slice()), (200, b"{}".as_slice()));
        assert_eq!((response.cookie("a"), response.cookie("b"), response.cookie("c")), (Some("1"), Some("2"), None));
        assert_eq!(parse("HTTP/1.1 303 See Other\r\nlocation: /x\r\n\r\n").header("location"), Some("/x"));
        assert_eq!(parse("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n").body, b"abc");
    }

    #[test]
    fn escapes_forms() {
        assert_eq!(form(&[("a", "x+/= é"), ("b", "1")]), "a=x%2B%2F%3D%20%C3%A9&b=1");
    }

    #[test]
    fn a_cut_answer_is_an_error() {
        assert!(Response::read(&mut "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc".as_bytes()).is_err());
        assert!(Response::read(&mut "".as_bytes()).is_err());
    }
}
