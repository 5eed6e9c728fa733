//! Many small pushes: five changes each, signed twice over, on the disk before they are answered.
//!
//! What a busy hour is, when everybody hands in each visit as it is recorded. Each push is a request of its
//! own with a batch of its own; **it counts when every item of it has its number**.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::crowd::Load;
use super::ingest::{Told, gather, runtime, stand};
use super::measures::{at_percent, text};
use super::server::RelayProcess;
use super::talk::Line;
use super::town::Crowd;
use super::{Options, Outcome};

/// Devices: so many that two pushes of one are never under way at once.
const DEVICES: usize = 400;
/// Connections that are used at once.
const CONNECTIONS: usize = 64;
/// Changes of one push.
pub(super) const CHANGES: usize = 5;
/// Pushes a second that are made: what is not sent was made for nothing.
const MADE_A_SECOND: f64 = 3_000.0;
/// Pushes in a day of one device.
const DAY_PUSHES: f64 = 30.0;

/// Pushes a second, until the time is over.
pub(super) fn signed_push(options: &Options) -> Result<Outcome, String> {
    let seconds = options.seconds.unwrap_or(30.0);
    let devices = options.devices.unwrap_or(DEVICES);
    let days = (seconds * MADE_A_SECOND / DAY_PUSHES / devices as f64).ceil() as usize;
    let crowd = Crowd::make_in(None, devices, days.max(1), Some(CHANGES))?;
    let dir = tempfile::tempdir().map_err(text)?;
    let relay = RelayProcess::start(&dir.path().join("relay"))?;
    let (standing, days) = crowd.settle(&relay)?;
    let standing = stand(standing);
    let most = days.iter().map(Vec::len).max().unwrap_or(0);
    let queue: Vec<(usize, Load)> = (0..most)
        .flat_map(|round| {
            let of = |(device, days): (usize, &Vec<Load>)| Some((device, days.get(round)?.clone()));
            days.iter().enumerate().filter_map(of).collect::<Vec<_>>()
        })
        .collect();
    drop(days);

    let runtime = runtime()?;
    let (queue, next) = (Arc::new(queue), Arc::new(AtomicUsize::new(0)));
    let before = relay.work()?;
    relay.forget_peak();
    let began = Instant::now();
    let until = began + Duration::from_secs_f64(seconds);
    let mut told = runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for connection in 0..CONNECTIONS {
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
                Ok::<Told, String>(told)
            });
        }
        gather(tasks).await
    })?;
    let elapsed = began.elapsed().as_secs_f64();
    let work = relay.work()?.since(before);
    let pushes = told.ms.len() as f64;
    let percent = |told: &mut Told, share| at_percent(&mut told.ms, share);
    Ok(Outcome {
        value: pushes / elapsed,
        runs: 1,
        extra: BTreeMap::from([
            ("seconds", elapsed),
            ("pushes", pushes),
            ("items", told.items as f64),
            ("push_ms_median", percent(&mut told, 50.0)),
            ("push_ms_p99", percent(&mut told, 99.0)),
            ("push_ms_most", percent(&mut told, 100.0)),
            ("relay_cores", work.cpu_ms / elapsed / 1000.0),
            ("relay_cpu_ms_a_push", work.cpu_ms / pushes),
            ("relay_peak_mb", relay.peak_mb()?),
            ("disk_bytes_a_push", work.written / pushes),
        ]),
    })
}
