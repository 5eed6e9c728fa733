//! What an attack does to whoever is honest: the slowest hundredth of their pushes, in quiet and under it.
//!
//! Both are measured in one run on one relay, one after the other. **The attackers run on the same two
//! processors**, so that what they cost themselves is in it too; the honest send at a fixed pace, however
//! long an answer takes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at, timeout};

use super::crowd::Load;
use super::ingest::{Standing, runtime, stand};
use super::measures::{at_percent, text};
use super::pushes::CHANGES;
use super::server::RelayProcess;
use super::talk::Line;
use super::town::Crowd;
use super::{Options, Outcome};

/// Devices that work.
const HONEST: usize = 8;
/// How often each sends.
const EVERY: Duration = Duration::from_millis(100);
/// Pushes in a day of one device.
const DAY_PUSHES: f64 = 30.0;
/// Connections that say nothing.
const IDLE: usize = 2_000;
/// Connections that send a head slowly.
const SLOW_HEADS: usize = 200;
/// Connections that send a body slowly.
const SLOW_BODIES: usize = 200;
/// Connections on which one member asks as fast as it is answered.
const FLOODING: usize = 32;
/// How often a slow one sends its next byte.
const DRIP: Duration = Duration::from_secs(1);
/// How long the attackers are given to stand there before the clock starts again.
const GATHER: Duration = Duration::from_secs(3);

/// The slowest hundredth under attack, as a multiple of the one in quiet.
pub(super) fn attack(options: &Options) -> Result<Outcome, String> {
    let seconds = options.seconds.unwrap_or(30.0);
    // Quiet, under attack, and a while after.
    let pushes = 2.2 * seconds / EVERY.as_secs_f64();
    let days = (pushes / DAY_PUSHES).ceil() as usize + 1;
    let crowd = Crowd::make_in(None, HONEST + 1, days, Some(CHANGES))?;
    let dir = tempfile::tempdir().map_err(text)?;
    let relay = RelayProcess::start(&dir.path().join("relay"))?;
    let (standing, mut days) = crowd.settle(&relay)?;
    let standing = stand(standing);
    days.truncate(HONEST);
    wangge_relay::open_many();

    let mut queues: Vec<std::vec::IntoIter<Load>> = days.into_iter().map(Vec::into_iter).collect();
    let length = Duration::from_secs_f64(seconds);
    let mut quiet = honest(&relay, &standing, &mut queues, length, 4)?;
    relay.forget_peak();
    let settled_mb = relay.peak_mb()?;

    let attackers = Attackers::begin(relay.address(), Arc::clone(&standing))?;
    let mut attacked = honest(&relay, &standing, &mut queues, length, 5)?;
    let (peak_mb, files) = (relay.peak_mb()?, relay.open_files()?);
    let counts = attackers.end()?;
    let mut after = honest(&relay, &standing, &mut queues, length / 6, 6)?;

    let at = |times: &mut Vec<f64>, share| at_percent(times, share);
    let (quiet_p99, attacked_p99) = (at(&mut quiet, 99.0), at(&mut attacked, 99.0));
    Ok(Outcome {
        value: attacked_p99 / quiet_p99,
        runs: 1,
        extra: BTreeMap::from([
            ("quiet_ms_median", at(&mut quiet, 50.0)),
            ("quiet_ms_p99", quiet_p99),
            ("attacked_ms_median", at(&mut attacked, 50.0)),
            ("attacked_ms_p99", attacked_p99),
            ("after_ms_median", at(&mut after, 50.0)),
            ("quiet_pushes", quiet.len() as f64),
            ("attacked_pushes", attacked.len() as f64),
            ("attackers_connected", counts.connected as f64),
            ("flood_answered", counts.answered as f64),
            ("flood_told_to_wait", counts.told_to_wait as f64),
            ("relay_peak_mb", peak_mb),
            ("relay_peak_before_mb", settled_mb),
            ("relay_open_files", files as f64),
        ]),
    })
}

/// Lets the honest send at their pace; returns how long each push took, ms. One that is not receipted whole
/// is no measurement.
fn honest(
    relay: &RelayProcess,
    standing: &Arc<Vec<Standing>>,
    queues: &mut [std::vec::IntoIter<Load>],
    length: Duration,
    phase: u64,
) -> Result<Vec<f64>, String> {
    let to = relay.address();
    let turns = (length.as_secs_f64() / EVERY.as_secs_f64()) as usize;
    runtime()?.block_on(async {
        let mut tasks = JoinSet::new();
        for (device, queue) in queues.iter_mut().enumerate() {
            let loads: Vec<Load> = queue.by_ref().take(turns).collect();
            let standing = Arc::clone(standing);
            tasks.spawn(async move {
                let own = standing.get(device).ok_or("no such device")?;
                let mut line = Line::open(to).await?;
                let mut pace = interval(EVERY);
                pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
                let mut times = Vec::with_capacity(loads.len());
                for (turn, load) in loads.iter().enumerate() {
                    // Its turn, not when it got to it: who waits for the answer before waits here too.
                    let due = pace.tick().await;
                    let nonce = phase << 48 | (device as u64) << 32 | turn as u64;
                    let heard = line.exchange(&own.request(to, load, nonce)).await?;
                    if heard.status != 200 || heard.strange > 0 || heard.numbered != load.items {
                        return Err(format!("of {} items: {heard:?}", load.items));
                    }
                    own.take(&heard);
                    times.push(due.elapsed().as_secs_f64() * 1000.0);
                }
                Ok::<Vec<f64>, String>(times)
            });
        }
        let mut all = Vec::new();
        while let Some(done) = tasks.join_next().await {
            all.extend(done.map_err(text)??);
        }
        Ok(all)
    })
}

/// Those who mean no good, on a thread of their own.
struct Attackers {
    stop: Arc<AtomicBool>,
    counted: Arc<Counted>,
    thread: std::thread::JoinHandle<Result<(), String>>,
}

#[derive(Default)]
struct Counted {
    connected: AtomicU64,
    answered: AtomicU64,
    told_to_wait: AtomicU64,
}

struct Counts {
    connected: u64,
    answered: u64,
    told_to_wait: u64,
}

impl Attackers {
    /// Lets them begin, and returns once they had time to stand there.
    fn begin(to: SocketAddr, standing: Arc<Vec<Standing>>) -> Result<Self, String> {
        let stop = Arc::new(AtomicBool::new(false));
        let counted = Arc::new(Counted::default());
        let (stopped, own) = (Arc::clone(&stop), Arc::clone(&counted));
        let thread = std::thread::spawn(move || {
            runtime()?.block_on(async move {
                let mut tasks = JoinSet::new();
                for number in 0..IDLE {
                    let after = DRIP * number as u32 / IDLE as u32;
                    tasks.spawn(hold(to, after, (b"", false), stopped.clone(), own.clone()));
                }
                let head = b"POST /v1/sync HTTP/1.1\r\nhost: x\r\nx-slow: ";
                for number in 0..SLOW_HEADS {
                    let after = DRIP * number as u32 / SLOW_HEADS as u32;
                    tasks.spawn(hold(to, after, (head, true), stopped.clone(), own.clone()));
                }
                let body =
                    b"POST /v1/sync HTTP/1.1\r\nhost: x\r\ncontent-length: 4096\r\n\r\n\0\0\x0f\0";
                for number in 0..SLOW_BODIES {
                    let after = DRIP * number as u32 / SLOW_BODIES as u32;
                    tasks.spawn(hold(to, after, (body, true), stopped.clone(), own.clone()));
                }
                for line in 0..FLOODING {
                    let (standing, stopped) = (standing.clone(), stopped.clone());
                    tasks.spawn(flood(to, standing, line, stopped, own.clone()));
                }
                while tasks.join_next().await.is_some() {}
                Ok(())
            })
        });
        runtime()?.block_on(async {
            let _ = timeout(GATHER, std::future::pending::<()>()).await;
        });
        Ok(Self {
            stop,
            counted,
            thread,
        })
    }

    fn end(self) -> Result<Counts, String> {
        self.stop.store(true, Ordering::SeqCst);
        let ended = self.thread.join();
        ended.map_err(|_| "the attackers panicked".to_owned())??;
        let load = |count: &AtomicU64| count.load(Ordering::SeqCst);
        Ok(Counts {
            connected: load(&self.counted.connected),
            answered: load(&self.counted.answered),
            told_to_wait: load(&self.counted.told_to_wait),
        })
    }
}

/// Connects after a while, says so much, then a byte now and then where it drips; connects again when the
/// relay hangs up.
async fn hold(
    to: SocketAddr,
    after: Duration,
    (opening, drips): (&'static [u8], bool),
    stopped: Arc<AtomicBool>,
    counted: Arc<Counted>,
) {
    let mut pace = interval_at(Instant::now() + after, DRIP);
    while !stopped.load(Ordering::SeqCst) {
        pace.tick().await;
        let Ok(mut line) = TcpStream::connect(to).await else {
            continue;
        };
        counted.connected.fetch_add(1, Ordering::SeqCst);
        if line.write_all(opening).await.is_err() {
            continue;
        }
        let mut said = [0; 512];
        while !stopped.load(Ordering::SeqCst) {
            match drips {
                true => {
                    pace.tick().await;
                    if line.write_all(b"a").await.is_err() {
                        break;
                    }
                }
                // Woken seldom: what the attackers cost themselves is no part of the attack.
                false => drop(timeout(DRIP * 3, line.readable()).await),
            }
            if matches!(line.try_read(&mut said), Ok(0)) {
                break;
            }
        }
    }
}

/// Asks as a member as fast as it is answered, whatever is answered.
async fn flood(
    to: SocketAddr,
    standing: Arc<Vec<Standing>>,
    number: usize,
    stopped: Arc<AtomicBool>,
    counted: Arc<Counted>,
) {
    let Some(own) = standing.last() else { return };
    let mut turn = 0_u64;
    while !stopped.load(Ordering::SeqCst) {
        let Ok(mut line) = Line::open(to).await else {
            continue;
        };
        counted.connected.fetch_add(1, Ordering::SeqCst);
        while !stopped.load(Ordering::SeqCst) {
            turn += 1;
            let nonce = 9 << 48 | (number as u64) << 32 | turn;
            let asked = own.request(to, &Load::default(), nonce);
            match line.exchange(&asked).await {
                Ok(heard) if heard.status == 200 => {
                    counted.answered.fetch_add(1, Ordering::SeqCst);
                }
                Ok(_) => {
                    counted.told_to_wait.fetch_add(1, Ordering::SeqCst);
                }
                Err(_) => break,
            }
        }
    }
}
