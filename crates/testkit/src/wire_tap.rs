//! A line between a device and a relay that counts every byte, and is cut where a test says.
//!
//! What a client says of its own traffic is a claim; this counts what really went over the socket.

#![allow(clippy::unwrap_used, reason = "a test's own machinery may fail loudly")]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// A line; it listens until the program ends.
pub struct WireTap {
    address: SocketAddr,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    up: AtomicU64,
    down: AtomicU64,
    cut_up_after: AtomicU64,
    cut_down_after: AtomicU64,
    before_answer: Mutex<Option<Act>>,
    /// What went over the line either way, where a test wants to read it.
    recorded: Mutex<Option<Recorded>>,
}

/// Bytes that went over a line.
pub type Recorded = Arc<Mutex<Vec<u8>>>;

type Act = Box<dyn FnOnce() + Send>;

impl WireTap {
    /// Returns a line to `relay`.
    ///
    /// # Panics
    /// If the machine gives no port.
    pub fn to(relay: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let counts = Arc::new(Counts::default());
        counts.cut_up_after.store(u64::MAX, Ordering::SeqCst);
        counts.cut_down_after.store(u64::MAX, Ordering::SeqCst);
        let shared = Arc::clone(&counts);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    if let Ok(far) = TcpStream::connect(relay) {
                        carry(&near, &far, &shared);
                    }
                });
            }
        });
        Self { address, counts }
    }

    /// Returns the address devices use.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the bytes since the last call: (up, down).
    pub fn take(&self) -> (u64, u64) {
        let take = |count: &AtomicU64| count.swap(0, Ordering::SeqCst);
        (take(&self.counts.up), take(&self.counts.down))
    }

    /// Cuts the line once so many further bytes went up or down; `u64::MAX` never.
    pub fn cut_after(&self, up: u64, down: u64) {
        self.take();
        self.counts.cut_up_after.store(up, Ordering::SeqCst);
        self.counts.cut_down_after.store(down, Ordering::SeqCst);
    }

    /// Records what goes over the line from now on.
    ///
    /// # Panics
    /// If a test panicked meanwhile.
    pub fn record(&self) -> Recorded {
        let recorded = Recorded::default();
        *self.counts.recorded.lock().unwrap() = Some(Arc::clone(&recorded));
        recorded
    }

    /// Does something once, when the next answer is on its way down and before a byte of it arrives.
    ///
    /// # Panics
    /// If an act before this one panicked.
    pub fn before_the_answer(&self, act: impl FnOnce() + Send + 'static) {
        *self.counts.before_answer.lock().unwrap() = Some(Box::new(act));
    }
}

impl Counts {
    fn note(&self, piece: &[u8]) {
        if let Some(recorded) = &*self.recorded.lock().unwrap() {
            recorded.lock().unwrap().extend_from_slice(piece);
        }
    }
}

fn carry(near: &TcpStream, far: &TcpStream, counts: &Arc<Counts>) {
    let (Ok(near_in), Ok(far_out)) = (near.try_clone(), far.try_clone()) else {
        return;
    };
    let (Ok(far_in), Ok(near_out)) = (far.try_clone(), near.try_clone()) else {
        return;
    };
    let shared = Arc::clone(counts);
    let up = std::thread::spawn(move || {
        let note = |piece: &[u8]| shared.note(piece);
        pump(near_in, far_out, &shared.up, &shared.cut_up_after, &note);
    });
    let act = |piece: &[u8]| {
        counts.note(piece);
        let act = counts.before_answer.lock().unwrap().take();
        act.into_iter().for_each(|act| act());
    };
    pump(far_in, near_out, &counts.down, &counts.cut_down_after, &act);
    let _ = up.join();
}

fn pump(
    mut from: TcpStream,
    mut to: TcpStream,
    count: &AtomicU64,
    cut_after: &AtomicU64,
    before: &dyn Fn(&[u8]),
) {
    let mut buffer = [0; 4096];
    while let Ok(read) = from.read(&mut buffer) {
        let Some(piece) = buffer.get(..read).filter(|piece| !piece.is_empty()) else {
            break;
        };
        before(piece);
        let before = count.load(Ordering::SeqCst);
        let left = cut_after.load(Ordering::SeqCst).saturating_sub(before);
        let allowed = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        let whole = allowed == piece.len();
        if to
            .write_all(piece.get(..allowed).unwrap_or_default())
            .is_err()
        {
            break;
        }
        count.fetch_add(allowed as u64, Ordering::SeqCst);
        if !whole {
            let _ = from.shutdown(Shutdown::Both);
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
