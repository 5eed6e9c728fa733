//! The links: carry requests of devices and relays to a relay, and do to them what the seed says.
//!
//! Nothing here knows what a byte means, but for one thing: **every receipt that reached anybody is
//! written down**, since a receipt that was read is a promise, whatever its reader does after.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, Weak};

use http::{Request, Response};
use tokio::sync::Notify;
use tokio_stream::StreamExt as _;
use wangge_agent::AgentError;
use wangge_agent::link as agent;
use wangge_relay::{self as relay, UpstreamTrouble};
use wangge_wire::limits::ANSWER_FRAME_BYTES_MAX;
use wangge_wire::message::{AnswerKind, Standing};
use wangge_wire::stream::{self, Splitter};
use wangge_wire::{Ask, Cursor, ItemName, Receipt, Verdict, packing};

use super::seats::at_port;
use super::station::Station;

/// What happens to one request and its answer. Numbers are points on the way, of 65,536.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It arrives, and the answer too.
    Whole,
    /// It never arrives.
    Lost,
    /// It arrives when the device has long given up, maybe behind later ones.
    Late,
    /// It breaks off on the way up.
    CutUp(u16),
    /// The answer breaks off.
    CutDown(u16),
    /// It arrives twice; the second answer reaches the device.
    Twice,
    /// A bit of the body changes on the way up.
    FlipUp(u16),
    /// A bit of the answer changes.
    FlipDown(u16),
    /// The answer begins with a frame of a kind that a newer relay has.
    Newer,
    /// Who asked, a device or a relay, loses its power in the middle of the answer.
    DeviceOff(u16),
    /// The relay loses its power in the middle of the answer.
    RelayOff(u16),
}

/// A receipt that somebody has read.
pub(super) struct Told {
    pub(super) receipt: Receipt,
    /// The relay that gave it.
    pub(super) station: usize,
    /// After how many rollbacks of the relay.
    pub(super) rollbacks: u32,
    /// The relay that read it; none for a device.
    pub(super) reader: Option<usize>,
    /// What it is about, as whoever was told knows; none until somebody looked.
    pub(super) names: Option<Vec<ItemName>>,
}

/// What the links of a world have carried.
#[derive(Default)]
pub(super) struct Ledger {
    /// Every receipt that reached its reader whole.
    pub(super) receipts: Vec<Told>,
    /// What no request may meet.
    pub(super) broken: Vec<String>,
    /// How many requests were carried.
    pub(super) requests: u32,
}

/// All links of a world.
#[derive(Default)]
pub(super) struct Net {
    /// Relays know the net that carries their requests, so the net must not keep them.
    stations: Mutex<Vec<Weak<Station>>>,
    pub(super) fates: Mutex<VecDeque<Fate>>,
    pub(super) ledger: Mutex<Ledger>,
    /// Who asked lost its power.
    pub(super) off: Notify,
}

/// A link of one device.
pub(super) struct Link(pub(super) Arc<Net>);

/// A link of one relay to the one above it.
pub(super) struct Upward(pub(super) Arc<Net>);

impl Net {
    /// Connects these relays.
    pub(super) fn connect(&self, stations: &[Arc<Station>]) {
        let stations = stations.iter().map(Arc::downgrade).collect();
        *self.stations.lock().unwrap() = stations;
    }

    /// Carries a request to the relay at its port; none where there is no link.
    async fn carry(&self, request: reqwest::Request) -> Option<reqwest::Response> {
        let fate = self.fates.lock().unwrap().pop_front();
        let to = at_port(request.url().port());
        let station = self.stations.lock().unwrap().get(to)?.upgrade()?;
        let end = (&*station, to);
        carry(end, self, copy(&request), fate.unwrap_or(Fate::Whole)).await
    }
}

impl agent::Carrier for Link {
    fn carry(&self, request: reqwest::Request) -> agent::Carried {
        let net = Arc::clone(&self.0);
        let reason = || "simulated".to_owned();
        Box::pin(async move {
            let carried = net.carry(request).await;
            carried.ok_or_else(|| AgentError::NoLink {
                reason: reason(),
                reached: false,
            })
        })
    }
}

impl relay::Carrier for Upward {
    fn carry(&self, request: reqwest::Request) -> relay::Carried {
        let net = Arc::clone(&self.0);
        let reason = || "simulated".to_owned();
        Box::pin(async move {
            let carried = net.carry(request).await;
            carried.ok_or_else(|| UpstreamTrouble::NoLink { reason: reason() })
        })
    }
}

/// Returns the request as a listener would see it.
pub(crate) fn copy(request: &reqwest::Request) -> Request<Vec<u8>> {
    let url = request.url();
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let mut made = Request::builder().method(request.method()).uri(path);
    *made.headers_mut().unwrap() = request.headers().clone();
    let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(80));
    let body = request.body().and_then(|body| body.as_bytes());
    made.header("host", host)
        .body(body.unwrap_or_default().to_vec())
        .unwrap()
}

/// Returns the request a second time.
pub(crate) fn again(request: &Request<Vec<u8>>) -> Request<Vec<u8>> {
    let mut made = Request::builder()
        .method(request.method())
        .uri(request.uri());
    *made.headers_mut().unwrap() = request.headers().clone();
    made.body(request.body().clone()).unwrap()
}

async fn carry(
    (station, to): (&Station, usize),
    net: &Net,
    mut request: Request<Vec<u8>>,
    fate: Fate,
) -> Option<reqwest::Response> {
    let ledger = &net.ledger;
    ledger.lock().unwrap().requests += 1;
    let length = request.body().len();
    let arrives = match fate {
        Fate::Lost => return None,
        Fate::Late => {
            station.limbo.lock().unwrap().push(request);
            return None;
        }
        Fate::CutUp(at) => point(at, length),
        Fate::FlipUp(at) => {
            flip(request.body_mut(), at);
            length
        }
        _ => length,
    };
    let signed = request.headers().contains_key("signature");
    let (sent, stood) = (again(&request), standing_of(station, &request));
    let mut answer = station.answer(request, arrives).await?;
    if arrives < length {
        return None;
    }
    if fate == Fate::Twice {
        let first = answer.status();
        answer = station.answer(sent, length).await?;
        if signed && first.is_success() && answer.status().is_success() {
            let told = "a signed request was taken twice".to_owned();
            ledger.lock().unwrap().broken.push(told);
        }
    }
    if fate == Fate::Newer && answer.status().is_success() && stood.is_some() {
        let newer = stream::frame(200, b"what nobody knows yet");
        answer.body_mut().splice(0..0, newer);
    }
    let reaches = match fate {
        Fate::CutDown(at) | Fate::DeviceOff(at) | Fate::RelayOff(at) => {
            point(at, answer.body().len())
        }
        _ => answer.body().len(),
    };
    if let Fate::FlipDown(at) = fate {
        flip(answer.body_mut(), at);
    } else if let Some(stood) = stood {
        let mut ledger = ledger.lock().unwrap();
        observe(&mut ledger, (station, to), stood, &answer, reaches);
    }
    match fate {
        Fate::DeviceOff(_) => net.off.notify_one(),
        Fate::RelayOff(_) => station.power_off(&[0x37; 40]),
        _ => {}
    }
    Some(response(
        answer,
        reaches,
        matches!(fate, Fate::DeviceOff(_)),
    ))
}

/// Returns the answer as the device's client sees it: `reaches` bytes, then the end, a broken line, or
/// nothing for ever.
fn response(answer: Response<Vec<u8>>, reaches: usize, silent: bool) -> reqwest::Response {
    let (parts, mut body) = answer.into_parts();
    let whole = reaches >= body.len() && !silent;
    body.truncate(reaches);
    let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    let pieces = [Ok(body)]
        .into_iter()
        .chain((!whole).then_some(Err(broken)));
    let body = if silent {
        let first: Vec<Result<Vec<u8>, std::io::Error>> = pieces.take(1).collect();
        reqwest::Body::wrap_stream(tokio_stream::iter(first).chain(tokio_stream::pending()))
    } else {
        reqwest::Body::wrap_stream(tokio_stream::iter(pieces))
    };
    reqwest::Response::from(Response::from_parts(parts, body))
}

/// Where a cursor of a request stands: whether the relay's log has that place.
struct Stood {
    cursor: Option<(Cursor, bool)>,
}

/// Returns where the device of a sync stands; none for another request.
fn standing_of(station: &Station, request: &Request<Vec<u8>>) -> Option<Stood> {
    if request.uri().path() != "/v1/sync" || !station.is_on() {
        return None;
    }
    let (length, rest) = request.body().split_first_chunk::<4>()?;
    let head = rest.get(..u32::from_be_bytes(*length) as usize)?;
    let cursor = Ask::read(head).ok()?.cursor;
    let cursor = cursor.map(|cursor| {
        let position = i64::try_from(cursor.position).unwrap_or(i64::MAX);
        let sql = "SELECT chain FROM entry WHERE position = ?1";
        let found: Result<[u8; 8], _> = station.look().query_row(sql, [position], |row| row.get(0));
        let same = cursor.position == 0 || found.is_ok_and(|chain| chain_of(chain) == cursor.chain);
        (cursor, same)
    });
    Some(Stood { cursor })
}

fn chain_of(bytes: [u8; 8]) -> u64 {
    u64::from_le_bytes(bytes)
}

/// Writes down the receipts that reached their reader, and what it must have been told.
fn observe(
    ledger: &mut Ledger,
    (station, to): (&Station, usize),
    stood: Stood,
    answer: &Response<Vec<u8>>,
    reaches: usize,
) {
    if !answer.status().is_success() {
        return;
    }
    let mut splitter = Splitter::new(ANSWER_FRAME_BYTES_MAX);
    splitter.push(answer.body().get(..reaches).unwrap_or_default());
    let rollbacks = *station.rollbacks.lock().unwrap();
    while let Ok(Some((kind, payload))) = splitter.next_frame() {
        match AnswerKind(kind) {
            AnswerKind::VERDICT => {
                if let Ok(Verdict::Receipt(receipt)) = packing::decode(&payload, "verdict") {
                    ledger.receipts.push(Told {
                        receipt,
                        station: to,
                        rollbacks,
                        reader: None,
                        names: None,
                    });
                }
            }
            AnswerKind::STANDING => {
                let standing: Standing = packing::decode(&payload, "standing").unwrap();
                if let Some((cursor, false)) = &stood.cursor
                    && !standing.stale_cursor
                {
                    ledger.broken.push(format!(
                        "a cursor at {} of a log that has another entry there was believed",
                        cursor.position
                    ));
                }
            }
            _ => {}
        }
    }
}

fn point(at: u16, length: usize) -> usize {
    length * usize::from(at) / 65_536
}

fn flip(bytes: &mut [u8], at: u16) {
    let place = point(at, bytes.len());
    if let Some(byte) = bytes.get_mut(place) {
        *byte ^= 1 << (at % 8);
    }
}
