//! Somebody between a device and its relay: passes everything on, or takes the line apart with a valid
//! certificate of their own.
//!
//! What they got to read is counted, so that a test can say that it was nothing.

#![allow(clippy::unwrap_used, reason = "a test's own machinery may fail loudly")]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use wangge_trust::KeyPair;
use wangge_trust::tls::{self, KeyJudge};
use wangge_wire::PublicKey;

/// Passes on what it cannot read.
const PASS: u8 = 0;
/// Shows a certificate of its own and reads.
const READ: u8 = 1;
/// Reads, and puts its own key where the relay says its own.
const REWRITE: u8 = 2;

/// Somebody in between; they stand there until the program ends.
pub struct InBetween {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    key: Arc<KeyPair>,
    relay: SocketAddr,
    relay_key: Mutex<Option<PublicKey>>,
    how: AtomicU8,
    read: AtomicU64,
    handshakes: AtomicU64,
}

impl InBetween {
    /// Returns somebody in front of `relay`, who passes everything on.
    ///
    /// # Panics
    /// If the machine gives no port.
    pub fn to(relay: SocketAddr) -> Self {
        let shared = Arc::new(Shared {
            key: Arc::new(KeyPair::from_secret(&[66; 32])),
            relay,
            relay_key: Mutex::default(),
            how: AtomicU8::new(PASS),
            read: AtomicU64::new(0),
            handshakes: AtomicU64::new(0),
        });
        let (ready, listening) = std::sync::mpsc::channel();
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
                ready.send(listener.local_addr().unwrap()).unwrap();
                while let Ok((near, _)) = listener.accept().await {
                    tokio::spawn(meet(near, Arc::clone(&own)));
                }
            });
        });
        let address = listening.recv().unwrap();
        Self { address, shared }
    }

    /// Returns the address that devices are told.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// From now on shows a certificate of their own, and reads what comes.
    pub fn reads(&self) {
        self.shared.how.store(READ, Ordering::SeqCst);
    }

    /// From now on reads, and says that the relay's key is theirs.
    ///
    /// # Panics
    /// If a test panicked meanwhile.
    pub fn poses_as(&self, relay: PublicKey) {
        *self.shared.relay_key.lock().unwrap() = Some(relay);
        self.shared.how.store(REWRITE, Ordering::SeqCst);
    }

    /// From now on passes everything on.
    pub fn passes(&self) {
        self.shared.how.store(PASS, Ordering::SeqCst);
    }

    /// Returns how many bytes of what was sent could be read since the last call, and how often somebody
    /// began to shake hands.
    pub fn take(&self) -> (u64, u64) {
        let take = |count: &AtomicU64| count.swap(0, Ordering::SeqCst);
        (take(&self.shared.read), take(&self.shared.handshakes))
    }
}

async fn meet(near: TcpStream, shared: Arc<Shared>) {
    let how = shared.how.load(Ordering::SeqCst);
    let Ok(far) = TcpStream::connect(shared.relay).await else {
        return;
    };
    if how == PASS {
        let (mut near, mut far) = (near, far);
        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
        return;
    }
    shared.handshakes.fetch_add(1, Ordering::SeqCst);
    let server = tls::server(tls::own(&shared.key).unwrap()).unwrap();
    let Ok(near) = TlsAcceptor::from(Arc::new(server)).accept(near).await else {
        return;
    };
    let client = tls::client(KeyJudge::noting()).unwrap();
    let name = ServerName::try_from("relay.example").unwrap();
    let connector = TlsConnector::from(Arc::new(client));
    let Ok(far) = connector.connect(name, far).await else {
        return;
    };
    let (near_in, near_out) = tokio::io::split(near);
    let (far_in, far_out) = tokio::io::split(far);
    let swap = match how {
        REWRITE => *shared.relay_key.lock().unwrap(),
        _ => None,
    };
    let swap = swap.map(|key| (key.0, shared.key.public().0));
    let up = pump(near_in, far_out, None, |bytes| {
        shared.read.fetch_add(bytes, Ordering::SeqCst);
    });
    let down = pump(far_in, near_out, swap, |_| ());
    tokio::join!(up, down);
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    swap: Option<([u8; 32], [u8; 32])>,
    read: impl Fn(u64),
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = match from.read(&mut buffer).await {
            Ok(count) if count > 0 => count,
            _ => break,
        };
        read(count as u64);
        let mut piece = buffer.get(..count).unwrap_or_default().to_vec();
        if let Some((own, other)) = swap {
            let at = piece.windows(32).position(|part| part == own);
            if let Some(place) = at.and_then(|at| piece.get_mut(at..at + 32)) {
                place.copy_from_slice(&other);
            }
        }
        if to.write_all(&piece).await.is_err() || to.flush().await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
