//! Requests to a relay: signed headers, counted bytes, and a relay that asks to be left alone for a while.

use std::time::{Duration, Instant};

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use wangge_trust::KeyPair;
use wangge_trust::request::{self, HEAD_HEADER, Signed};
use wangge_trust::tls::{self, Proof};
use wangge_wire::limits::PURGE_BYTES_MAX;
use wangge_wire::purge::PURGE_CONTENT_TYPE;
use wangge_wire::{PublicKey, packing};

use super::address::Address;
use super::carrier::SharedCarrier;
use super::peer::Peer;
use crate::error::AgentError;
use crate::machine::Machine;
use crate::replica::Replica;

/// The header in which a relay tells its time to a device whose clock is wrong.
const TIME_HEADER: &str = "wangge-time";
/// How long one request does as a relay says that is asked to be left alone, all in all, before it is no link.
const AGAIN_WITHIN: Duration = Duration::from_secs(60);

/// A client of one relay; counts what it sends and receives.
pub(super) struct Line {
    client: Client,
    /// What carries instead of the network.
    carrier: Option<SharedCarrier>,
    address: Address,
    peer: Peer,
    /// Bytes sent, request lines and headers included.
    pub(super) bytes_up: u64,
    /// Bytes received, status lines and headers included.
    pub(super) bytes_down: u64,
    /// Requests made.
    pub(super) requests: u32,
}

impl Replica {
    /// Returns a line to the relay of this key.
    pub(super) fn line(&self, address: Address, key: PublicKey) -> Result<Line, AgentError> {
        self.line_to(address, Peer::of(key))
    }

    /// Asks this member's own relay what a head alone says, and returns whatever is answered.
    pub(super) async fn ask_relay(&self, path: &str, head: &[u8]) -> Result<Response, AgentError> {
        let link = self.home.profile.relay.as_ref();
        let link = link.filter(|_| self.member().is_some());
        let link = link.ok_or(AgentError::NotEnrolled)?;
        let mut line = self.line(Address::kept(&link.url)?, link.key)?;
        let length = u32::try_from(head.len()).unwrap_or(u32::MAX);
        let whole = [length.to_be_bytes().as_slice(), head].concat();
        let (key, machine) = (&self.home.key, &self.machine);
        line.post_told(path, head, &whole, key, machine, &mut 0)
            .await
    }

    /// Returns a line to whom `peer` lets be there. Lines of one replica share their connections: on a
    /// village's link a new one costs a third of a second.
    pub(super) fn line_to(&self, address: Address, peer: Peer) -> Result<Line, AgentError> {
        Ok(Line {
            client: self.clients.client(address.proof(), &peer)?,
            carrier: self.carrier.clone(),
            address,
            peer,
            bytes_up: 0,
            bytes_down: 0,
            requests: 0,
        })
    }
}

impl Line {
    /// Refuses a relay that says another key than the one that is wanted, or was shown when the line was
    /// made; where there is no TLS, or an authority vouches for the place, nothing was shown.
    pub(super) fn must_be(&self, key: &PublicKey) -> Result<(), AgentError> {
        let over_tls = self.address.proof() == Proof::Key && self.carrier.is_none();
        let expected = match self.peer.key() {
            Some(wanted) => Some(wanted),
            None if over_tls => self.peer.met(),
            None => Some(*key),
        };
        match expected == Some(*key) {
            true => Ok(()),
            false => Err(self.somebody_else()),
        }
    }

    fn somebody_else(&self) -> AgentError {
        AgentError::OtherRelay {
            url: self.address.text(),
        }
    }

    fn no_link(&self, error: &reqwest::Error) -> AgentError {
        match tls::is_somebody_else(error) {
            true => self.somebody_else(),
            false => no_link(error),
        }
    }

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
        let authority = self.address.authority().to_owned();
        let signed = Signed {
            relay: self.peer.relay()?,
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
        let began = Instant::now();
        loop {
            let now_ms = (machine.now_ms)() + *offset_ms;
            let (created_s, nonce) = (now_ms.div_euclid(1000), machine.random::<8>()?);
            let sent = self.post_signed(path, head, body.to_vec(), key, created_s, &nonce);
            let response = sent.await?;
            if wait_if_asked(&response, began).await {
                continue;
            }
            match relay_time(&response).filter(|_| !told_time) {
                Some(relay_ms) => *offset_ms = relay_ms - (machine.now_ms)(),
                None => return unless_revoked(response).await,
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
        let began = Instant::now();
        loop {
            let now_ms = (machine.now_ms)() + *offset_ms;
            let authority = self.address.authority().to_owned();
            let signed = Signed {
                relay: self.peer.relay()?,
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
            if wait_if_asked(&response, began).await {
                continue;
            }
            match relay_time(&response).filter(|_| !told_time) {
                Some(relay_ms) => *offset_ms = relay_ms - (machine.now_ms)(),
                None => return unless_revoked(response).await,
            }
            told_time = true;
        }
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, AgentError> {
        Ok(self.client.request(method, self.address.join(path)?))
    }

    async fn send(&mut self, request: RequestBuilder, body: usize) -> Result<Response, AgentError> {
        let request = request
            .build()
            .map_err(|error| AgentError::Internal(error.to_string()))?;
        self.requests += 1;
        self.bytes_up += request_bytes(&request, self.address.authority(), body);
        let response = match &self.carrier {
            Some(carrier) => carrier.carry(request).await?,
            None => self
                .client
                .execute(request)
                .await
                .map_err(|error| self.no_link(&error))?,
        };
        self.bytes_down += response_bytes(&response);
        Ok(response)
    }
}

/// Waits as long as a relay asks for that has too much to do; false where it asks for nothing, or for too much.
async fn wait_if_asked(response: &Response, began: Instant) -> bool {
    let header = response.headers().get(reqwest::header::RETRY_AFTER);
    let header = header.and_then(|value| value.to_str().ok());
    match request::again_in(response.status().as_u16(), header) {
        Some(wait) if began.elapsed() + wait <= AGAIN_WITHIN => {
            tokio::time::sleep(wait).await;
            true
        }
        _ => false,
    }
}

/// Returns the answer, unless it is what a relay says to a device that was revoked.
async fn unless_revoked(response: Response) -> Result<Response, AgentError> {
    let kind = response.headers().get(reqwest::header::CONTENT_TYPE);
    let says_so = kind.is_some_and(|kind| kind.as_bytes() == PURGE_CONTENT_TYPE.as_bytes());
    if response.status() != StatusCode::FORBIDDEN || !says_so {
        return Ok(response);
    }
    let bytes = capped(response, PURGE_BYTES_MAX).await?;
    let told = packing::decode(&bytes, "purge").map_err(super::sync::strange)?;
    Err(AgentError::PurgeTold(Box::new(told)))
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

    use super::super::peer::Clients;
    use super::*;

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
                let client = Clients::default().client(Proof::Here, &Peer::of(PublicKey([1; 32])));
                let sent = client.unwrap().get(answering(bytes)).send();
                let response = sent.await.unwrap();
                let read = capped(response, max).await;
                assert_eq!(read.is_ok(), good, "{bytes}");
                if let Err(error) = read {
                    assert!(matches!(error, AgentError::StrangeAnswer { .. }));
                }
            }
        }
    }
}
