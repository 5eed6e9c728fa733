//! Requests to a relay: addresses that may be used, signed headers, counted bytes.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use wangge_trust::KeyPair;
use wangge_trust::request::{self, HEAD_HEADER, Signed};

use super::carrier::SharedCarrier;
use crate::error::AgentError;
use crate::machine::Machine;
use crate::replica::Replica;

/// How long connecting may take before there is no link.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The header in which a relay tells its time to a device whose clock is wrong.
const TIME_HEADER: &str = "wangge-time";
/// How long the line may be silent before it counts as cut.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);

/// The address of a relay: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    url: reqwest::Url,
    authority: String,
}

impl Address {
    /// Returns the address in `url`; plain http is for loopback, or where `plain_http` says so.
    pub fn parse(url: &str, plain_http: bool) -> Result<Self, AgentError> {
        let unsafe_address = || AgentError::UnsafeAddress {
            url: url.to_owned(),
        };
        let parsed = reqwest::Url::parse(url.trim()).map_err(|_| unsafe_address())?;
        let host = parsed.host_str().ok_or_else(unsafe_address)?;
        let loopback = matches!(host, "localhost" | "[::1]")
            || host
                .parse::<std::net::Ipv4Addr>()
                .is_ok_and(|ip| ip.is_loopback());
        let bare = matches!(parsed.path(), "" | "/") && parsed.query().is_none();
        if parsed.scheme() != "http" || !bare || !(loopback || plain_http) {
            return Err(unsafe_address());
        }
        let authority = match parsed.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        Ok(Self {
            url: parsed,
            authority,
        })
    }

    /// Returns the address as it is kept.
    pub fn as_str(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }
}

/// A client of one relay; counts what it sends and receives.
pub(super) struct Line {
    client: Client,
    /// What carries instead of the network.
    carrier: Option<SharedCarrier>,
    address: Address,
    /// Bytes sent, request lines and headers included.
    pub(super) bytes_up: u64,
    /// Bytes received, status lines and headers included.
    pub(super) bytes_down: u64,
    /// Requests made.
    pub(super) requests: u32,
}

impl Replica {
    /// Returns a line to a relay. Lines of one replica share their connections: on a village's link a new
    /// one costs a third of a second.
    pub(super) fn line(&self, address: Address) -> Result<Line, AgentError> {
        let client = match self.client.get() {
            Some(client) => client.clone(),
            None => {
                let client = new_client()?;
                self.client.get_or_init(|| client).clone()
            }
        };
        Ok(Line {
            client,
            carrier: self.carrier.clone(),
            address,
            bytes_up: 0,
            bytes_down: 0,
            requests: 0,
        })
    }
}

fn new_client() -> Result<Client, AgentError> {
    wangge_trust::install_ciphers();
    Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(SILENCE_TIMEOUT)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| AgentError::Internal(error.to_string()))
}

impl Line {
    /// Asks without a signature.
    pub(super) async fn get(&mut self, path: &str) -> Result<Response, AgentError> {
        let request = self.request(Method::GET, path)?;
        self.send(request, 0).await
    }

    /// Posts without a signature.
    pub(super) async fn post(&mut self, path: &str, body: Vec<u8>) -> Result<Response, AgentError> {
        let bytes = body.len();
        let request = self.request(Method::POST, path)?.body(body);
        self.send(request, bytes).await
    }

    /// Posts what `key` signs for: the head is covered by the signature, the body begins with it.
    pub(super) async fn post_signed(
        &mut self,
        path: &str,
        head: &[u8],
        body: Vec<u8>,
        key: &KeyPair,
        created_s: i64,
        nonce: &[u8; 8],
    ) -> Result<Response, AgentError> {
        let authority = self.address.authority.clone();
        let signed = Signed {
            method: "POST",
            authority: &authority,
            path,
            query: "?",
            head,
        };
        let headers = request::sign(key, &signed, created_s, nonce);
        let bytes = body.len();
        let request = self
            .request(Method::POST, path)?
            .header(HEAD_HEADER, headers.head)
            .header("signature-input", headers.signature_input)
            .header("signature", headers.signature)
            .body(body);
        self.send(request, bytes).await
    }

    /// Posts what `key` signs for; a relay that finds the clock wrong tells its own time, and it is
    /// tried once more. `offset_ms` is the relay's time minus the device's, as far as it is known.
    ///
    /// An answer that is no success is an error.
    pub(super) async fn post_in_time(
        &mut self,
        path: &str,
        head: &[u8],
        body: &[u8],
        key: &KeyPair,
        machine: &Machine,
        offset_ms: &mut i64,
    ) -> Result<Response, AgentError> {
        let response = self
            .post_told(path, head, body, key, machine, offset_ms)
            .await?;
        if response.status().is_success() {
            Ok(response)
        } else {
            Err(refusal(response.status()))
        }
    }

    /// Posts like [`Self::post_in_time`] and returns whatever is answered in the end.
    pub(super) async fn post_told(
        &mut self,
        path: &str,
        head: &[u8],
        body: &[u8],
        key: &KeyPair,
        machine: &Machine,
        offset_ms: &mut i64,
    ) -> Result<Response, AgentError> {
        let mut told_time = false;
        loop {
            let now_ms = (machine.now_ms)() + *offset_ms;
            let (created_s, nonce) = (now_ms.div_euclid(1000), machine.random::<8>()?);
            let sent = self.post_signed(path, head, body.to_vec(), key, created_s, &nonce);
            let response = sent.await?;
            match relay_time(&response).filter(|_| !told_time) {
                Some(relay_ms) => *offset_ms = relay_ms - (machine.now_ms)(),
                None => return Ok(response),
            }
            told_time = true;
        }
    }

    /// Asks for the bytes behind `from`, signed, in the relay's time; returns whatever is answered in
    /// the end. The head is empty: path and query say what is asked.
    pub(super) async fn get_told(
        &mut self,
        (path, query): (&str, &str),
        from: u64,
        key: &KeyPair,
        machine: &Machine,
        offset_ms: &mut i64,
    ) -> Result<Response, AgentError> {
        let mut told_time = false;
        loop {
            let now_ms = (machine.now_ms)() + *offset_ms;
            let authority = self.address.authority.clone();
            let signed = Signed {
                method: "GET",
                authority: &authority,
                path,
                query,
                head: &[],
            };
            let nonce = machine.random::<8>()?;
            let headers = request::sign(key, &signed, now_ms.div_euclid(1000), &nonce);
            let request = self
                .request(Method::GET, &format!("{path}{query}"))?
                .header(HEAD_HEADER, headers.head)
                .header("signature-input", headers.signature_input)
                .header("signature", headers.signature)
                .header(reqwest::header::RANGE, format!("bytes={from}-"));
            let response = self.send(request, 0).await?;
            match relay_time(&response).filter(|_| !told_time) {
                Some(relay_ms) => *offset_ms = relay_ms - (machine.now_ms)(),
                None => return Ok(response),
            }
            told_time = true;
        }
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, AgentError> {
        let url = self.address.url.join(path);
        Ok(self.client.request(
            method,
            url.map_err(|error| AgentError::Internal(error.to_string()))?,
        ))
    }

    async fn send(&mut self, request: RequestBuilder, body: usize) -> Result<Response, AgentError> {
        let request = request
            .build()
            .map_err(|error| AgentError::Internal(error.to_string()))?;
        self.requests += 1;
        self.bytes_up += request_bytes(&request, &self.address.authority, body);
        let response = match &self.carrier {
            Some(carrier) => carrier.carry(request).await?,
            None => self
                .client
                .execute(request)
                .await
                .map_err(|error| no_link(&error))?,
        };
        self.bytes_down += response_bytes(&response);
        Ok(response)
    }
}

/// Returns the relay's time in an answer that is no success because of it.
fn relay_time(response: &Response) -> Option<i64> {
    let time = response.headers().get(TIME_HEADER)?;
    let time = time.to_str().ok()?.parse().ok()?;
    (!response.status().is_success()).then_some(time)
}

/// Returns the whole body of an answer; one past so many bytes is not read to its end.
pub(super) async fn capped(mut response: Response, max: usize) -> Result<Vec<u8>, AgentError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| no_link(&error))? {
        if body.len() + chunk.len() > max {
            return Err(AgentError::StrangeAnswer {
                reason: format!("an answer past {max} bytes"),
            });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Returns the error of a line that gave no answer.
pub(super) fn no_link(error: &reqwest::Error) -> AgentError {
    // The error's own text has the address, which is no secret, and nothing of the body.
    AgentError::NoLink {
        reason: error.to_string(),
        reached: false,
    }
}

/// Returns what a status that is no success means.
pub(super) fn refusal(status: StatusCode) -> AgentError {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => AgentError::Refused {
            reason: status.to_string(),
        },
        StatusCode::UPGRADE_REQUIRED => AgentError::StrangeAnswer {
            reason: status.to_string(),
        },
        StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::TOO_MANY_REQUESTS
        | StatusCode::INSUFFICIENT_STORAGE
        | StatusCode::INTERNAL_SERVER_ERROR => AgentError::NoLink {
            reason: status.to_string(),
            reached: true,
        },
        _ => AgentError::StrangeAnswer {
            reason: status.to_string(),
        },
    }
}

/// Returns the bytes of a request as HTTP/1.1 writes it.
fn request_bytes(request: &reqwest::Request, authority: &str, body: usize) -> u64 {
    let line =
        request.method().as_str().len() + request.url().path().len() + " HTTP/1.1\r\n".len() + 1;
    let own: usize = request
        .headers()
        .iter()
        .map(|(name, value)| field(name.as_str(), value.len()))
        .sum();
    // What the client adds by itself.
    let host = field("host", authority.len());
    let accept = field("accept", 3);
    let length = if body > 0 {
        field("content-length", body.to_string().len())
    } else {
        0
    };
    (line + own + host + accept + length + 2 + body) as u64
}

/// Returns the bytes of a response's status line and headers.
fn response_bytes(response: &Response) -> u64 {
    let reason = response
        .status()
        .canonical_reason()
        .unwrap_or_default()
        .len();
    let line = "HTTP/1.1 200 \r\n".len() + reason;
    let fields: usize = response
        .headers()
        .iter()
        .map(|(name, value)| field(name.as_str(), value.len()))
        .sum();
    (line + fields + 2) as u64
}

fn field(name: &str, value: usize) -> usize {
    name.len() + ": ".len() + value + "\r\n".len()
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use wangge_wire::limits::{ANSWER_BYTES_MAX, REPAIR_ANSWER_BYTES_MAX};

    use super::*;

    #[test]
    fn plain_http_is_for_loopback_only_unless_it_is_asked_for() {
        for good in [
            "http://127.0.0.1:8720",
            "http://localhost:1/",
            "http://[::1]:8720",
        ] {
            assert!(Address::parse(good, false).is_ok(), "{good}");
        }
        for bad in [
            "http://192.168.1.5:8720",
            "https://127.0.0.1",
            "127.0.0.1:8720",
            "http://a/b",
            "",
        ] {
            assert!(Address::parse(bad, false).is_err(), "{bad}");
        }
        assert!(Address::parse("http://192.168.1.5:8720", true).is_ok());
    }

    /// Answers one request with so many bytes, which it does not announce.
    fn answering(bytes: usize) -> String {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut line, _) = listener.accept().unwrap();
            let mut asked = [0; 1024];
            assert!(line.read(&mut asked).unwrap() > 0);
            line.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
                .unwrap();
            // Whoever asked may hang up before the end.
            let _ = line.write_all(&vec![7; bytes]);
        });
        url
    }

    #[tokio::test]
    async fn an_answer_is_read_up_to_its_limit_and_not_a_byte_further() {
        for max in [ANSWER_BYTES_MAX, REPAIR_ANSWER_BYTES_MAX] {
            for (bytes, good) in [(max, true), (max + 1, false)] {
                let response = reqwest::get(answering(bytes)).await.unwrap();
                let read = capped(response, max).await;
                assert_eq!(read.is_ok(), good, "{bytes}");
                if let Err(error) = read {
                    assert!(matches!(error, AgentError::StrangeAnswer { .. }));
                }
            }
        }
    }
}
