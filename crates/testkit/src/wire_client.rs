//! The smallest HTTP client that tests need: one request, one connection, nothing hidden.
//!
//! It can break off at any byte and says exactly what came back, which a polite client never lets a
//! test do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// How long a test waits for a relay that says nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status; 0 if none came.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body, taken out of its chunks.
    pub body: Vec<u8>,
}

impl Reply {
    /// Returns a header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends a request and returns the answer.
pub fn send(
    to: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reply {
    let bytes = request(to, method, path, headers, body);
    send_raw(to, &bytes)
}

/// Returns a request as bytes.
pub fn request(
    to: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\n");
    if !headers
        .iter()
        .any(|(name, _)| *name == "content-length" || *name == "transfer-encoding")
    {
        text.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    [text.as_bytes(), body].concat()
}

/// Sends these bytes and returns what came back.
pub fn send_raw(to: SocketAddr, bytes: &[u8]) -> Reply {
    exchange(to, bytes, false)
}

/// Sends these bytes and returns what came back; none where nobody listens any more.
pub fn try_send_raw(to: SocketAddr, bytes: &[u8]) -> Option<Reply> {
    let stream = TcpStream::connect(to).ok()?;
    Some(over(stream, bytes, false))
}

/// Sends these bytes, hangs up, and returns what came back all the same.
pub fn send_cut(to: SocketAddr, bytes: &[u8]) -> Reply {
    exchange(to, bytes, true)
}

fn exchange(to: SocketAddr, bytes: &[u8], hang_up: bool) -> Reply {
    over(TcpStream::connect(to).unwrap(), bytes, hang_up)
}

fn over(mut stream: TcpStream, bytes: &[u8], hang_up: bool) -> Reply {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // A relay that refuses early may close before it has read everything.
    let _ = stream.write_all(bytes);
    if hang_up {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    read(&answer)
}

fn read(answer: &[u8]) -> Reply {
    let mut reply = Reply {
        status: 0,
        headers: Vec::new(),
        body: Vec::new(),
    };
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return reply;
    };
    let (head, body) = answer.split_at(end + 4);
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    reply.status = status.and_then(|status| status.parse().ok()).unwrap_or(0);
    reply.headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let chunked = reply.header("transfer-encoding") == Some("chunked");
    reply.body = if chunked {
        dechunk(body)
    } else {
        body.to_vec()
    };
    reply
}

fn dechunk(mut body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(end) = body.windows(2).position(|window| window == b"\r\n") {
        let (size, rest) = body.split_at(end);
        let size = std::str::from_utf8(size).unwrap_or("0");
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        let Some((chunk, rest)) = rest.get(2..).and_then(|rest| rest.split_at_checked(size)) else {
            break;
        };
        if size == 0 {
            break;
        }
        out.extend_from_slice(chunk);
        body = rest.get(2..).unwrap_or_default();
    }
    out
}
