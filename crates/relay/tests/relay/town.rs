//! A relay that serves on a free port, and people with devices.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wangge_relay::{
    Clock, Code, LevelForm, NewInvitation, Relay, RelayError, Role, Settings, serve,
};
use wangge_testkit::device::Device;
use wangge_wire::{AreaCode, DocId};

pub(crate) const GRID_1: &str = "511724103202001";
pub(crate) const GRID_2: &str = "511724103202002";
pub(crate) const TOWNSHIP: &str = "511724103";
pub(crate) const ELSEWHERE: &str = "511724104202001";

/// A relay that serves.
pub(crate) struct Town {
    pub(crate) dir: TempDir,
    pub(crate) relay: SocketAddr,
    pub(crate) settings: Settings,
    clock: Arc<AtomicI64>,
    runtime: Runtime,
    running: Option<Running>,
}

struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), RelayError>>,
}

impl Town {
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let clock = Arc::new(AtomicI64::new(1_795_000_000_000));
        let mut settings = Settings::new("杨家镇", LevelForm::Township);
        let read = Arc::clone(&clock);
        settings.clock = Clock::of(move || read.load(Ordering::SeqCst));
        change(&mut settings);
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.worker_threads(2).enable_all().build().unwrap();
        let relay = SocketAddr::from(([127, 0, 0, 1], 0));
        let dir = tempfile::tempdir().unwrap();
        let mut town = Self {
            dir,
            relay,
            settings,
            clock,
            runtime,
            running: None,
        };
        town.start();
        town
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }

    pub(crate) fn wait_ms(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
    }

    /// Opens the relay's folder a second time, as a command beside the server does.
    pub(crate) fn open(&self) -> Relay {
        Relay::open(self.dir.path(), &self.settings).unwrap()
    }

    pub(crate) fn start(&mut self) {
        let relay = self.open();
        let listener = self
            .runtime
            .block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0)));
        let listener = listener.unwrap();
        self.relay = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = self.runtime.spawn(serve(relay, listener, async {
            let _ = stopped.await;
        }));
        self.running = Some(Running { stop, task });
    }

    pub(crate) fn stop(&mut self) {
        let Running { stop, task } = self.running.take().unwrap();
        stop.send(()).unwrap();
        self.runtime.block_on(task).unwrap().unwrap();
    }

    /// Copies the database as a power cut would leave it: the file and what is in its log.
    pub(crate) fn copy_to(&self, dir: &Path) {
        for name in [
            "relay.db",
            "relay.db-wal",
            "relay.key",
            "keys.db",
            "keys.db-wal",
        ] {
            let from = self.dir.path().join(name);
            if from.exists() {
                std::fs::copy(from, dir.join(name)).unwrap();
            }
        }
    }

    pub(crate) fn invite(&self, role: Role, areas: &[&str]) -> Code {
        let areas = areas
            .iter()
            .map(|code| AreaCode::parse(code).unwrap())
            .collect();
        let new = NewInvitation {
            name: "李梅".into(),
            role,
            areas,
        };
        self.open().invite(&new, self.now_ms()).unwrap()
    }

    pub(crate) fn device(&self, seed: u8, role: Role, areas: &[&str]) -> Device {
        let mut device = Device::new(seed);
        device.enroll(self.relay, &self.invite(role, areas));
        device
    }

    pub(crate) fn worker(&self, seed: u8, areas: &[&str]) -> Device {
        self.device(seed, Role::Worker, areas)
    }

    pub(crate) fn desk(&self, seed: u8) -> Device {
        self.device(seed, Role::Township, &[TOWNSHIP])
    }
}

pub(crate) fn doc(n: u8) -> DocId {
    // No document has the id of zeros.
    DocId([n + 1; 16])
}
