//! A line as a village has it: every byte takes its time, and it breaks again and again.
//!
//! It carries bytes between a device and a relay with a delay each way and a rate, and counts them;
//! **a connection costs its handshake**, so that one that is kept open is worth what it is worth. Not
//! imitated are a real network's slow start and loss.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a line does to bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    /// How long a byte travels one way.
    pub delay: Duration,
    /// Bytes a second and way; 0 for as many as the machine can.
    pub bytes_a_second: u64,
    /// After about so many bytes, both ways and all connections together, it breaks; 0 for never.
    pub cut_every: u64,
}

/// A line; it listens until the program ends.
pub struct SlowLine {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    weather: Mutex<Weather>,
    counts: Counts,
    /// Bytes until it breaks, and what says how many the next time.
    left: Mutex<(u64, u64)>,
}

#[derive(Default)]
struct Counts {
    up: AtomicU64,
    down: AtomicU64,
    connections: AtomicU64,
    cuts: AtomicU64,
}

/// What went over a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes to the relay.
    pub up: u64,
    /// Bytes to the device.
    pub down: u64,
    /// Connections made.
    pub connections: u64,
    /// Connections that the line broke.
    pub cuts: u64,
}

impl SlowLine {
    /// Returns a line to `relay`.
    ///
    /// # Errors
    /// If the machine gives no port.
    pub fn to(relay: SocketAddr, weather: Weather) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let line = Self {
            address,
            shared: Arc::default(),
        };
        line.set(weather, 1);
        let shared = Arc::clone(&line.shared);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                shared.counts.connections.fetch_add(1, Ordering::SeqCst);
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    if let Ok(far) = TcpStream::connect(relay) {
                        carry(&near, &far, &shared);
                    }
                });
            }
        });
        Ok(line)
    }

    /// Changes the weather from the next byte on; where it breaks follows from `seed`.
    pub fn set(&self, weather: Weather, seed: u64) {
        *lock(&self.shared.weather) = weather;
        *lock(&self.shared.left) = next_cut(weather.cut_every, seed);
    }

    /// Returns the address devices use.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns what went over it since the last call.
    pub fn take(&self) -> Traffic {
        let take = |count: &AtomicU64| count.swap(0, Ordering::SeqCst);
        let counts = &self.shared.counts;
        Traffic {
            up: take(&counts.up),
            down: take(&counts.down),
            connections: take(&counts.connections),
            cuts: take(&counts.cuts),
        }
    }
}

impl Shared {
    /// Takes bytes off what is left until the line breaks; returns how many of them still pass.
    fn pass(&self, bytes: usize) -> usize {
        let every = lock(&self.weather).cut_every;
        if every == 0 {
            return bytes;
        }
        let mut left = lock(&self.left);
        let (had, seed) = *left;
        *left = match had.saturating_sub(bytes as u64) {
            0 => next_cut(every, seed),
            rest => (rest, seed),
        };
        usize::try_from(had).unwrap_or(usize::MAX).min(bytes)
    }
}

/// Returns how far it is to the next break, a quarter more or less than said, and the next seed.
fn next_cut(every: u64, seed: u64) -> (u64, u64) {
    let next = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (every * 3 / 4 + (next >> 33) % (every / 2).max(1), next)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn carry(near: &TcpStream, far: &TcpStream, shared: &Arc<Shared>) {
    let clones = (
        near.try_clone(),
        far.try_clone(),
        far.try_clone(),
        near.try_clone(),
    );
    let (Ok(near_in), Ok(far_out), Ok(far_in), Ok(near_out)) = clones else {
        return;
    };
    for stream in [near, far] {
        let _ = stream.set_nodelay(true);
    }
    // The first byte follows a handshake, which this line answered without asking the other side.
    let open_at = Instant::now() + lock(&shared.weather).delay * 2;
    let upward = Arc::clone(shared);
    let up =
        std::thread::spawn(move || pump(near_in, far_out, open_at, &upward, &upward.counts.up));
    let cut = pump(far_in, near_out, open_at, shared, &shared.counts.down);
    let cut = up.join().is_ok_and(|up| up) || cut;
    shared
        .counts
        .cuts
        .fetch_add(u64::from(cut), Ordering::SeqCst);
}

/// Carries one way until it ends; returns whether the line broke.
fn pump(
    mut from: TcpStream,
    to: TcpStream,
    open_at: Instant,
    shared: &Shared,
    count: &AtomicU64,
) -> bool {
    let (pieces, arriving) = channel::<(Instant, Vec<u8>)>();
    let Ok(broken) = from.try_clone() else {
        return false;
    };
    let far = std::thread::spawn(move || deliver(to, &arriving));
    let mut free_at = open_at;
    let mut buffer = [0; 1_400];
    let mut cut = false;
    while let Ok(read) = from.read(&mut buffer) {
        let Some(piece) = buffer.get(..read).filter(|piece| !piece.is_empty()) else {
            break;
        };
        let passes = shared.pass(read);
        let piece = piece.get(..passes).unwrap_or_default();
        let weather = *lock(&shared.weather);
        free_at = free_at.max(Instant::now()) + airtime(piece.len(), weather.bytes_a_second);
        count.fetch_add(piece.len() as u64, Ordering::SeqCst);
        let sent = pieces
            .send((free_at + weather.delay, piece.to_vec()))
            .is_ok();
        cut = passes < read;
        if cut || !sent {
            break;
        }
    }
    drop(pieces);
    let _ = far.join();
    if cut {
        let _ = broken.shutdown(Shutdown::Both);
    }
    cut
}

fn airtime(bytes: usize, bytes_a_second: u64) -> Duration {
    match bytes_a_second {
        0 => Duration::ZERO,
        rate => Duration::from_secs_f64(bytes as f64 / rate as f64),
    }
}

fn deliver(mut to: TcpStream, arriving: &Receiver<(Instant, Vec<u8>)>) {
    while let Ok((at, piece)) = arriving.recv() {
        wait_until(at);
        if to.write_all(&piece).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// Waits for the clock as one waits for a letter that never comes.
fn wait_until(at: Instant) {
    let (_nobody, letter): (Sender<()>, Receiver<()>) = channel();
    while let Some(left) = at
        .checked_duration_since(Instant::now())
        .filter(|left| !left.is_zero())
    {
        match letter.recv_timeout(left) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
