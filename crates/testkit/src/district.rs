//! A small district on loopback: relays that start and stop for real, and homes with people's names.
//!
//! A relay runs on a runtime of its own thread, so that the code under test may block or be async as
//! it is. Stopping waits until it has stopped.

#![allow(clippy::unwrap_used, reason = "a test's own machinery may fail loudly")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use tempfile::TempDir;
use tokio::sync::oneshot;
use wangge_agent::link::SyncReport;
use wangge_agent::{AgentError, Machine, Replica};
use wangge_relay::{LevelForm, NewInvitation, Relay, Settings, serve};
use wangge_wire::{AreaCode, Role};

/// A folder with a relay and homes in it; gone when it is dropped.
pub struct District {
    dir: TempDir,
    relay: Option<Running>,
    address: Option<SocketAddr>,
    settings: Settings,
}

struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl District {
    /// Returns a district whose township relay runs.
    ///
    /// # Panics
    /// If the machine gives no folder or port: a test cannot go on.
    pub fn new() -> Self {
        Self::with(Settings::new("杨家镇", LevelForm::Township))
    }

    /// Returns a district whose relay has these settings.
    ///
    /// # Panics
    /// If the machine gives no folder or port.
    pub fn with(settings: Settings) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut district = Self {
            dir,
            relay: None,
            address: None,
            settings,
        };
        district.start();
        district
    }

    /// Starts the relay, on the port it had before.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(&mut self) {
        let folder = self.relay_dir();
        let settings = self.settings.clone();
        let wanted = self
            .address
            .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
        let (stop, stopped) = oneshot::channel();
        let (ready, listening) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let relay = Relay::open(&folder, &settings).unwrap();
                let listener = tokio::net::TcpListener::bind(wanted).await.unwrap();
                ready.send(listener.local_addr().unwrap()).unwrap();
                let stop = async {
                    let _ = stopped.await;
                };
                serve(relay, listener, stop).await.unwrap();
            });
        });
        self.address = Some(listening.recv().unwrap());
        self.relay = Some(Running { stop, thread });
    }

    /// Stops the relay and waits until it has stopped.
    ///
    /// # Panics
    /// If it does not run, or failed while it ran.
    pub fn stop(&mut self) {
        let running = self.relay.take().unwrap();
        let _ = running.stop.send(());
        running.thread.join().unwrap();
    }

    /// Returns the relay's folder.
    pub fn relay_dir(&self) -> PathBuf {
        self.dir.path().join("relay")
    }

    /// Returns the relay's folder opened once more, as an operator's command does.
    ///
    /// # Panics
    /// If it cannot be opened.
    pub fn relay(&self) -> Relay {
        Relay::open(&self.relay_dir(), &self.settings).unwrap()
    }

    /// Returns the relay's port on loopback.
    ///
    /// # Panics
    /// Before the relay ran.
    pub fn address(&self) -> SocketAddr {
        self.address.unwrap()
    }

    /// Returns the folder everything lies in.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Returns an invitation's code.
    ///
    /// # Panics
    /// If the relay makes none.
    pub fn invite(&self, name: &str, role: Role, areas: &[&str]) -> String {
        let relay = Relay::open(&self.relay_dir(), &self.settings).unwrap();
        let areas = areas
            .iter()
            .map(|code| AreaCode::parse(code).unwrap())
            .collect();
        let new = NewInvitation {
            name: name.to_owned(),
            role,
            areas,
        };
        relay
            .invite(&new, self.settings.clock.now_ms())
            .unwrap()
            .shown()
    }

    /// Returns a new home that is enrolled with the relay.
    ///
    /// # Panics
    /// If it cannot be made or enrolled.
    pub fn home(&self, name: &str, role: Role, areas: &[&str]) -> Replica {
        let url = format!("http://{}", self.address());
        self.home_at(name, role, areas, &url)
    }

    /// Returns a new home that is enrolled through this address.
    ///
    /// # Panics
    /// If it cannot be made or enrolled.
    pub fn home_at(&self, name: &str, role: Role, areas: &[&str], url: &str) -> Replica {
        let folder = self.dir.path().join(name);
        let mut replica = Replica::init(&folder, name, Vec::new(), Machine::default()).unwrap();
        let code = self.invite(name, role, areas);
        wait(replica.enroll(&code, url, name, None)).unwrap();
        replica
    }
}

impl Default for District {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for District {
    fn drop(&mut self) {
        if let Some(running) = self.relay.take() {
            let _ = running.stop.send(());
            let _ = running.thread.join();
        }
    }
}

/// A relay's database as it was.
#[derive(Debug)]
pub struct Yesterday(PathBuf);

impl Yesterday {
    /// Keeps a copy; the relay serves again then.
    pub fn keep(district: &mut District) -> Self {
        district.stop();
        let kept = district.path().join("yesterday.db");
        std::fs::copy(district.relay_dir().join("relay.db"), &kept).unwrap();
        district.start();
        Self(kept)
    }

    /// Puts it back behind everybody's back.
    pub fn return_to(&self, district: &mut District) {
        district.stop();
        let folder = district.relay_dir();
        for name in ["relay.db-wal", "relay.db-shm"] {
            let _ = std::fs::remove_file(folder.join(name));
        }
        std::fs::copy(&self.0, folder.join("relay.db")).unwrap();
        district.start();
    }
}

/// Syncs a home.
pub fn sync(replica: &mut Replica) -> Result<SyncReport, AgentError> {
    wait(replica.sync())
}

/// Runs a future to its end on a runtime of its own.
///
/// # Panics
/// If the machine gives no runtime.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}
