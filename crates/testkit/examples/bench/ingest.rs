//! How much a relay takes in: a minute of devices that hand in their days, and a thousand at once.
//!
//! The relay is a process of its own and syncs its log to the disk; the clients run on the same
//! processors. **What is counted was receipted, item by item**; what the devices have to send was made
//! before the clock starts, and each is a device that was in sync until then.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use wangge_wire::Cursor;

use super::crowd::{Load, Walker, request};
use super::measures::{middle, text};
use super::server::RelayProcess;
use super::talk::{Heard, Line};
use super::town::Crowd;
use super::{Options, Outcome};

/// Devices of a minute; each has a day for every round.
const INGEST_DEVICES: usize = 200;
/// Connections that are used in turn.
const CONNECTIONS: usize = 32;
/// Changes a second that are made for a minute: what is not sent was made for nothing.
const MADE_A_SECOND: f64 = 15_000.0;
/// Changes in a day of one device.
const DAY_CHANGES: f64 = 150.0;
/// Devices of a rush.
const RUSH_DEVICES: usize = 1_000;
/// How long a device waits that was told to come again: shorter and longer by its number.
const AGAIN_MS: u64 = 250;

/// A device while the clock runs.
pub(super) struct Standing {
    walker: Walker,
    cursor: Mutex<Cursor>,
}

/// Changes a second, through one minute.
pub(super) fn ingest(options: &Options) -> Result<Outcome, String> {
    let seconds = options.seconds.unwrap_or(60.0);
    let devices = options.devices.unwrap_or(INGEST_DEVICES);
    let rounds = (seconds * MADE_A_SECOND / DAY_CHANGES / devices as f64).ceil() as usize;
    let rounds = if options.workload.is_some() {
        1
    } else {
        rounds
    };
    let crowd = Crowd::make(options.workload.as_deref(), devices, rounds)?;
    let dir = tempfile::tempdir().map_err(text)?;
    let relay = RelayProcess::start(&dir.path().join("relay"))?;
    let (standing, days) = crowd.settle(&relay)?;
    let standing = stand(standing);
    // All first days before any second one: a day rests on the one before.
    let queue: Vec<(usize, Load)> = (0..rounds)
        .flat_map(|round| {
            let of = |(device, days): (usize, &Vec<Load>)| Some((device, days.get(round)?.clone()));
            days.iter().enumerate().filter_map(of).collect::<Vec<_>>()
        })
        .collect();

    let runtime = runtime()?;
    let (queue, next) = (Arc::new(queue), Arc::new(AtomicUsize::new(0)));
    let before = relay.work()?;
    relay.forget_peak();
    let began = Instant::now();
    let until = began + Duration::from_secs_f64(seconds);
    let mut told = runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for connection in 0..CONNECTIONS.min(devices / 4).max(1) {
            let (queue, next, standing) = (queue.clone(), next.clone(), standing.clone());
            let to = relay.address();
            tasks.spawn(async move {
                let mut line = Line::open(to).await?;
                let mut told = Told::default();
                while Instant::now() < until {
                    let at = next.fetch_add(1, Ordering::SeqCst);
                    let Some((device, load)) = queue.get(at) else {
                        break;
                    };
                    let device = standing.get(*device).ok_or("no such device")?;
                    let nonce = (connection as u64) << 32 | at as u64;
                    let sent = Instant::now();
                    let heard = line.exchange(&device.request(to, load, nonce)).await?;
                    told.note(load, &heard, sent)?;
                    device.take(&heard);
                }
                told.up += line.up;
                told.down += line.down;
                Ok::<Told, String>(told)
            });
        }
        gather(tasks).await
    })?;
    let elapsed = began.elapsed().as_secs_f64();
    let work = relay.work()?.since(before);
    let (median, p95) = middle(&mut told.ms);
    let changes = told.changes as f64;
    Ok(Outcome {
        value: changes / elapsed,
        runs: 1,
        extra: BTreeMap::from([
            ("seconds", elapsed),
            ("changes", changes),
            ("items", told.items as f64),
            ("requests", told.requests as f64),
            ("relay_cpu_ms_a_change", work.cpu_ms / changes),
            ("relay_cores", work.cpu_ms / elapsed / 1000.0),
            ("relay_peak_mb", relay.peak_mb()?),
            ("disk_bytes_a_change", work.written / changes),
            ("request_ms_median", median),
            ("request_ms_p95", p95),
            ("bytes_up_a_change", told.up as f64 / changes),
            ("bytes_down_a_change", told.down as f64 / changes),
        ]),
    })
}

/// Seconds until a thousand devices that come at once have every receipt.
pub(super) fn rush(options: &Options) -> Result<Outcome, String> {
    let devices = options.devices.unwrap_or(RUSH_DEVICES);
    let crowd = Crowd::make(options.workload.as_deref(), devices, 1)?;
    let dir = tempfile::tempdir().map_err(text)?;
    let relay = RelayProcess::start(&dir.path().join("relay"))?;
    let (standing, days) = crowd.settle(&relay)?;
    let standing = stand(standing);
    let settled_mb = relay.peak_mb()?;

    let runtime = runtime()?;
    let before = relay.work()?;
    relay.forget_peak();
    let began = Instant::now();
    let mut told = runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for (number, day) in days.into_iter().enumerate() {
            let (standing, to) = (standing.clone(), relay.address());
            tasks.spawn(async move {
                let device = standing.get(number).ok_or("no such device")?;
                let mut told = Told::default();
                let mut line = Line::open(to).await?;
                for load in &day {
                    let mut turn = 0;
                    loop {
                        let nonce = (number as u64) << 32 | turn;
                        let sent = device.request(to, load, nonce);
                        let heard = line.exchange(&sent).await?;
                        if heard.status == 200 && heard.failed.is_none() {
                            told.note(load, &heard, began)?;
                            break;
                        }
                        told.again(&heard)?;
                        turn += 1;
                        let wait = AGAIN_MS * (1 + (number as u64 + turn) % 4);
                        let nobody = std::future::pending::<()>();
                        let _ = tokio::time::timeout(Duration::from_millis(wait), nobody).await;
                    }
                }
                told.up += line.up;
                told.down += line.down;
                Ok::<Told, String>(told)
            });
        }
        gather(tasks).await
    })?;
    let ended = began.elapsed().as_secs_f64();
    let work = relay.work()?.since(before);
    let receipted = told.receipted.ok_or("no receipt")?;
    let (median, p95) = middle(&mut told.ms);
    Ok(Outcome {
        value: receipted.duration_since(began).as_secs_f64(),
        runs: 1,
        extra: BTreeMap::from([
            ("devices", devices as f64),
            ("changes", told.changes as f64),
            ("items", told.items as f64),
            ("failed", told.strange as f64),
            ("told_to_come_again", told.again as f64),
            ("broke_off", told.broke_off as f64),
            ("all_answered_s", ended),
            ("device_ms_median", median),
            ("device_ms_p95", p95),
            ("relay_cpu_ms_a_change", work.cpu_ms / told.changes as f64),
            ("relay_peak_mb", relay.peak_mb()?),
            ("relay_peak_before_mb", settled_mb),
            ("bytes_up", told.up as f64),
            ("bytes_down", told.down as f64),
        ]),
    })
}

/// What all clients together were told.
#[derive(Default)]
pub(super) struct Told {
    changes: usize,
    pub(super) items: usize,
    requests: usize,
    strange: usize,
    again: usize,
    broke_off: usize,
    pub(super) ms: Vec<f64>,
    receipted: Option<Instant>,
    up: u64,
    down: u64,
}

impl Told {
    /// Notes an answer; one that does not receipt everything is no measurement.
    pub(super) fn note(
        &mut self,
        load: &Load,
        heard: &Heard,
        since: Instant,
    ) -> Result<(), String> {
        if heard.status != 200 || heard.strange > 0 || heard.numbered != load.items {
            return Err(format!("of {} items: {heard:?}", load.items));
        }
        self.changes += load.changes;
        self.items += heard.numbered;
        self.requests += 1;
        self.ms.push(since.elapsed().as_secs_f64() * 1000.0);
        self.receipted = self.receipted.max(heard.receipted);
        Ok(())
    }

    fn again(&mut self, heard: &Heard) -> Result<(), String> {
        match (heard.status, heard.failed.as_deref()) {
            (503, _) => self.again += 1,
            (200, Some("busy")) => self.broke_off += 1,
            _ => return Err(format!("{heard:?}")),
        }
        Ok(())
    }

    fn and(mut self, other: Told) -> Told {
        self.changes += other.changes;
        self.items += other.items;
        self.requests += other.requests;
        self.strange += other.strange;
        self.again += other.again;
        self.broke_off += other.broke_off;
        self.ms.extend(other.ms);
        self.receipted = self.receipted.max(other.receipted);
        self.up += other.up;
        self.down += other.down;
        self
    }
}

impl Standing {
    pub(super) fn request(&self, to: std::net::SocketAddr, load: &Load, nonce: u64) -> Vec<u8> {
        let cursor = *self.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        let key = &self.walker.key;
        request(
            key,
            self.walker.actor(),
            (cursor.relay, &to.to_string()),
            Some(cursor),
            load,
            nonce,
        )
    }

    pub(super) fn take(&self, heard: &Heard) {
        if let Some(cursor) = heard.cursor {
            *self.cursor.lock().unwrap_or_else(PoisonError::into_inner) = cursor;
        }
    }
}

pub(super) fn stand(settled: Vec<(Walker, Cursor)>) -> Arc<Vec<Standing>> {
    let standing = settled.into_iter().map(|(walker, cursor)| Standing {
        walker,
        cursor: Mutex::new(cursor),
    });
    Arc::new(standing.collect())
}

pub(super) async fn gather(mut tasks: JoinSet<Result<Told, String>>) -> Result<Told, String> {
    let mut all = Told::default();
    while let Some(done) = tasks.join_next().await {
        all = all.and(done.map_err(text)??);
    }
    Ok(all)
}

pub(super) fn runtime() -> Result<tokio::runtime::Runtime, String> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().map_err(text)
}
