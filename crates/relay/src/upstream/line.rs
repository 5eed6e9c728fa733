//! Requests to the relay above: addresses that may be used, who may answer there, and signed headers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use wangge_trust::KeyPair;
use wangge_trust::request::{self, HEAD_HEADER, Signed};
use wangge_trust::tls::{self, KeyJudge, Proof};
use wangge_wire::PublicKey;
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
/// How long a meeting does as a relay says that is asked to be left alone, all in all, before it is over.
const AGAIN_WITHIN: Duration = Duration::from_secs(60);

/// Where the relay above is reached: scheme, host and port, and how it is proven to be there.
#[derive(Debug, Clone)]
pub(super) struct Address {
    url: Url,
    authority: String,
    proof: Proof,
}

impl Address {
    /// Returns the address in `url`; plain http is for this machine, whatever is said.
    pub(super) fn parse(url: &str) -> Result<Self, UpstreamTrouble> {
        let bad = UpstreamTrouble::Address;
        let mut url = Url::parse(url.trim()).map_err(|_| bad.clone())?;
        let host = url.host_str().ok_or(bad.clone())?.to_owned();
        let bare = matches!(url.path(), "" | "/") && url.query().is_none();
        let named = url.username().is_empty() && url.password().is_none();
        let proof = tls::judge(url.scheme(), &host, url.fragment()).filter(|_| bare && named);
        let proof = proof.ok_or(bad)?;
        url.set_fragment(None);
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host,
        };
        Ok(Self {
            url,
            authority,
            proof,
        })
    }

    /// Returns an address as an earlier program kept it: plain http to another machine is TLS by the key that
    /// was pinned, at the same place.
    pub(super) fn kept(url: &str) -> Result<Self, UpstreamTrouble> {
        Self::parse(url).or_else(|error| match tls::by_key(url) {
            Some(url) => Self::parse(&url),
            None => Err(error),
        })
    }

    /// Returns the address as it is kept.
    pub(super) fn text(&self) -> String {
        let url = self.url.as_str().trim_end_matches('/');
        match self.proof {
            Proof::Here | Proof::Key => url.to_owned(),
            Proof::Ordinary => format!("{url}#{}", tls::ORDINARY),
        }
    }
}

/// A client of the relay above.
pub(super) struct Line {
    client: Client,
    /// What carries instead of the network.
    carrier: Option<SharedCarrier>,
    address: Address,
    judge: Arc<KeyJudge>,
    /// Whose signatures count there; none before it is known.
    key: Option<PublicKey>,
    /// Its clock minus ours, as far as it is known, milliseconds.
    offset_ms: i64,
}

impl Line {
    /// Returns a line to the relay of this key, over `carrier` where there is one, over the network otherwise.
    pub(super) fn to(
        address: Address,
        carrier: Option<SharedCarrier>,
        key: PublicKey,
    ) -> Result<Self, RelayError> {
        Self::over(address, carrier, Some(key))
    }

    /// Returns a line to a relay whose key is not known yet: only its card may be asked for.
    pub(super) fn to_nobody_yet(
        address: Address,
        carrier: Option<SharedCarrier>,
    ) -> Result<Self, RelayError> {
        Self::over(address, carrier, None)
    }

    fn over(
        address: Address,
        carrier: Option<SharedCarrier>,
        key: Option<PublicKey>,
    ) -> Result<Self, RelayError> {
        let judge = key.map_or_else(KeyJudge::noting, KeyJudge::of);
        let builder = Client::builder()
            .connect_timeout(CONNECT_WITHIN)
            .read_timeout(SILENT_AT_MOST)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none());
        let builder = match address.proof {
            Proof::Here | Proof::Key => {
                let config = tls::client(Arc::clone(&judge));
                let no_tls = |_| RelayError::Internal { what: "no TLS" };
                builder.tls_backend_preconfigured(config.map_err(no_tls)?)
            }
            Proof::Ordinary => {
                tls::install();
                builder.tls_version_min(reqwest::tls::Version::TLS_1_3)
            }
        };
        Ok(Self {
            client: builder.build().map_err(|error| no_link(&error))?,
            carrier,
            address,
            judge,
            key,
            offset_ms: 0,
        })
    }

    /// Returns a line to the relay of this key alone, which must be the one that answered until now.
    pub(super) fn pinned(self, key: PublicKey) -> Result<Self, RelayError> {
        let over_tls = self.address.proof == Proof::Key && self.carrier.is_none();
        if over_tls && self.judge.met() != Some(key) {
            // It told another's card: nothing it is told may come to that one through it.
            return Err(UpstreamTrouble::WrongRelay.into());
        }
        Self::over(self.address, self.carrier, Some(key))
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
        let began = Instant::now();
        loop {
            let nonce: [u8; 8] = dice.random()?;
            let signed = Signed {
                relay: self.relay()?,
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
            if wait_if_asked(&response, began).await {
                continue;
            }
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
        let began = Instant::now();
        loop {
            let nonce: [u8; 8] = dice.random()?;
            let signed = Signed {
                relay: self.relay()?,
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
            if wait_if_asked(&response, began).await {
                continue;
            }
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

    fn relay(&self) -> Result<wangge_wire::RelayId, RelayError> {
        let key = self.key.ok_or(RelayError::Internal {
            what: "a request to nobody",
        })?;
        Ok(key.relay())
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
    if tls::is_somebody_else(error) {
        return UpstreamTrouble::WrongRelay;
    }
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
            let address = Address::parse(&answering(bytes)).unwrap();
            let line = Line::to_nobody_yet(address, None).unwrap();
            let asked = line.client.get(line.url("/").unwrap());
            let response = line.send(asked).await.unwrap();
            let read = body(response).await;
            assert_eq!(read.is_ok(), good, "{bytes}");
            if let Err(error) = read {
                assert!(matches!(error, UpstreamTrouble::Strange { .. }));
            }
        }
    }
}
