//! Requests to the relay above: addresses that may be used, and signed headers.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use wangge_trust::KeyPair;
use wangge_trust::request::{self, HEAD_HEADER, Signed};
use wangge_wire::enroll::{EnrollAnswer, EnrollAsk, RelayCard};
use wangge_wire::limits::ANSWER_BYTES_MAX;
use wangge_wire::packing;

use super::UpstreamTrouble;
use super::carrier::SharedCarrier;
use crate::error::RelayError;
use crate::settings::Dice;

/// How long connecting may take before there is no link.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// How long the line may be silent before it counts as cut.
const SILENT_AT_MOST: Duration = Duration::from_secs(60);
/// The header in which a relay tells its time to one whose clock is wrong.
const TIME_HEADER: &str = "wangge-time";

/// Where the relay above is reached: scheme, host and port.
#[derive(Debug, Clone)]
pub(super) struct Address {
    url: Url,
    authority: String,
}

impl Address {
    /// Returns the address in `url`; plain http is for loopback, or where `plain_http` says so.
    pub(super) fn parse(url: &str, plain_http: bool) -> Result<Self, UpstreamTrouble> {
        let bad = UpstreamTrouble::Address;
        let url = Url::parse(url.trim()).map_err(|_| bad.clone())?;
        let host = url.host_str().ok_or(bad.clone())?.to_owned();
        let loopback = matches!(&*host, "localhost" | "[::1]")
            || host
                .parse::<std::net::Ipv4Addr>()
                .is_ok_and(|ip| ip.is_loopback());
        let bare = matches!(url.path(), "" | "/") && url.query().is_none();
        if url.scheme() != "http" || !bare || !(loopback || plain_http) {
            return Err(bad);
        }
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host,
        };
        Ok(Self { url, authority })
    }

    /// Returns the address as it is kept.
    pub(super) fn as_str(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }
}

/// A client of the relay above.
pub(super) struct Line {
    client: Client,
    /// What carries instead of the network.
    carrier: Option<SharedCarrier>,
    address: Address,
    /// Its clock minus ours, as far as it is known, milliseconds.
    offset_ms: i64,
}

impl Line {
    /// Returns a line over `carrier` where there is one, over the network otherwise.
    pub(super) fn over(
        address: Address,
        carrier: Option<SharedCarrier>,
    ) -> Result<Self, RelayError> {
        wangge_trust::install_ciphers();
        let client = Client::builder()
            .connect_timeout(CONNECT_WITHIN)
            .read_timeout(SILENT_AT_MOST)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build();
        Ok(Self {
            client: client.map_err(|error| no_link(&error))?,
            carrier,
            address,
            offset_ms: 0,
        })
    }

    /// Returns what the relay says of itself.
    pub(super) async fn card(&mut self) -> Result<RelayCard, UpstreamTrouble> {
        let sent = self.send(self.client.get(self.url("/v1/relay")?)).await;
        let body = body(success(sent?)?).await?;
        packing::decode(&body, "card").map_err(|_| UpstreamTrouble::Strange { what: "a card" })
    }

    /// Hands in an invitation.
    pub(super) async fn enroll(
        &mut self,
        ask: &EnrollAsk,
    ) -> Result<EnrollAnswer, UpstreamTrouble> {
        let request = self.client.post(self.url("/v1/enroll")?);
        let response = self.send(request.body(packing::encode(ask))).await?;
        let good = response.status().is_success();
        let body = body(response).await?;
        if !good {
            return Err(super::refusal(&body));
        }
        let what = "an enrolment";
        packing::decode(&body, what).map_err(|_| UpstreamTrouble::Strange { what })
    }

    /// Posts a head and what follows it, signed; one that finds the clock wrong tells its own time, and
    /// it is tried once more.
    pub(super) async fn post(
        &mut self,
        path: &str,
        head: &[u8],
        rest: &[u8],
        key: &KeyPair,
        (dice, now_ms): (&Dice, i64),
    ) -> Result<Response, RelayError> {
        let length = u32::try_from(head.len()).unwrap_or(u32::MAX).to_be_bytes();
        let whole = [length.as_slice(), head, rest].concat();
        let mut told_time = false;
        loop {
            let nonce: [u8; 8] = dice.random()?;
            let signed = Signed {
                method: "POST",
                authority: &self.address.authority,
                path,
                query: "?",
                head,
            };
            let created_s = now_ms.saturating_add(self.offset_ms).div_euclid(1000);
            let headers = request::sign(key, &signed, created_s, &nonce);
            let request = self
                .client
                .post(self.url(path)?)
                .header(HEAD_HEADER, headers.head)
                .header("signature-input", headers.signature_input)
                .header("signature", headers.signature)
                .body(whole.clone());
            let response = self.send(request).await?;
            match relay_time(&response).filter(|_| !told_time) {
                Some(relay_ms) => self.offset_ms = relay_ms.saturating_sub(now_ms),
                None => return Ok(success(response)?),
            }
            told_time = true;
        }
    }

    /// Asks for the bytes behind `from`, signed; the head is empty, path and query say what is asked. Returns
    /// whatever is answered in the end.
    pub(super) async fn get(
        &mut self,
        (path, query): (&str, &str),
        from: u64,
        key: &KeyPair,
        (dice, now_ms): (&Dice, i64),
    ) -> Result<Response, RelayError> {
        let mut told_time = false;
        loop {
            let nonce: [u8; 8] = dice.random()?;
            let signed = Signed {
                method: "GET",
                authority: &self.address.authority,
                path,
                query,
                head: &[],
            };
            let created_s = now_ms.saturating_add(self.offset_ms).div_euclid(1000);
            let headers = request::sign(key, &signed, created_s, &nonce);
            let request = self
                .client
                .get(self.url(&format!("{path}{query}"))?)
                .header(HEAD_HEADER, headers.head)
                .header("signature-input", headers.signature_input)
                .header("signature", headers.signature)
                .header(reqwest::header::RANGE, format!("bytes={from}-"));
            let response = self.send(request).await?;
            match relay_time(&response).filter(|_| !told_time) {
                Some(relay_ms) => self.offset_ms = relay_ms.saturating_sub(now_ms),
                None => return Ok(response),
            }
            told_time = true;
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, UpstreamTrouble> {
        let request = request.build().map_err(|error| no_link(&error))?;
        match &self.carrier {
            Some(carrier) => carrier.carry(request).await,
            None => {
                let sent = self.client.execute(request).await;
                sent.map_err(|error| no_link(&error))
            }
        }
    }

    fn url(&self, path: &str) -> Result<Url, UpstreamTrouble> {
        let url = self.address.url.join(path);
        url.map_err(|_| UpstreamTrouble::Address)
    }
}

/// Returns the whole body of an answer; one past the limit is not read to its end.
pub(super) async fn body(response: Response) -> Result<Vec<u8>, UpstreamTrouble> {
    body_up_to(response, ANSWER_BYTES_MAX).await
}

/// Returns the whole body of an answer of at most so many bytes.
pub(super) async fn body_up_to(
    mut response: Response,
    most: usize,
) -> Result<Vec<u8>, UpstreamTrouble> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| no_link(&error))? {
        if body.len() + chunk.len() > most {
            let what = "an answer past its limit";
            return Err(UpstreamTrouble::Strange { what });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Returns the error of a line that gave no answer.
pub(super) fn no_link(error: &reqwest::Error) -> UpstreamTrouble {
    // The error's own text has the address, which is no secret, and nothing of the body.
    UpstreamTrouble::NoLink {
        reason: error.to_string(),
    }
}

fn success(response: Response) -> Result<Response, UpstreamTrouble> {
    match response.status() {
        status if status.is_success() => Ok(response),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(UpstreamTrouble::Refused),
        StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::TOO_MANY_REQUESTS
        | StatusCode::INSUFFICIENT_STORAGE
        | StatusCode::INTERNAL_SERVER_ERROR => Err(UpstreamTrouble::NoLink {
            reason: response.status().to_string(),
        }),
        _ => Err(UpstreamTrouble::Strange { what: "a status" }),
    }
}

/// Returns the relay's time in an answer that is no success because of it.
fn relay_time(response: &Response) -> Option<i64> {
    let time = response.headers().get(TIME_HEADER)?;
    let time = time.to_str().ok()?.parse().ok()?;
    (!response.status().is_success()).then_some(time)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

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
        for (bytes, good) in [(ANSWER_BYTES_MAX, true), (ANSWER_BYTES_MAX + 1, false)] {
            let response = reqwest::get(answering(bytes)).await.unwrap();
            let read = body(response).await;
            assert_eq!(read.is_ok(), good, "{bytes}");
            if let Err(error) = read {
                assert!(matches!(error, UpstreamTrouble::Strange { .. }));
            }
        }
    }
}
