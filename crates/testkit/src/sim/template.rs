//! A district on its first morning, made once and copied for each seed.
//!
//! Enrolling costs a deliberately slow key derivation a device; **what a seed decides begins after it**.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::sync::Notify;
use wangge_agent::Replica;
use wangge_relay::NewInvitation;
use wangge_wire::{AreaCode, Role};

use super::Shape;
use super::device::machine;
use super::link::Link;
use super::station::{Station, copy_dir, settings};
use crate::town::MORNING_MS;

/// Where every simulated relay is said to be; nothing listens there.
const URL: &str = "http://127.0.0.1:9";
/// The folder of the relay.
pub(super) const RELAY: &str = "relay";
/// The folder of the member who means no good.
pub(super) const INTRUDER: &str = "intruder";
/// Grids that devices work in.
pub(super) const GRIDS: [&str; 4] = [
    "511724103202001",
    "511724103202002",
    "511724103203001",
    "511724103203002",
];
/// A grid that nobody works in.
pub(super) const NOBODYS: &str = "511724103204001";

/// A district on its first morning.
pub struct Template {
    dir: TempDir,
    shape: Shape,
}

/// Returns the name, role and areas of a device.
pub(super) fn member(index: usize) -> (String, Role, Vec<&'static str>) {
    let (role, areas) = match index {
        0 => (Role::Station, vec!["511724103202"]),
        1 => (Role::Worker, vec![GRIDS[0]]),
        2 => (Role::Worker, vec![GRIDS[0], GRIDS[1]]),
        3 => (Role::Township, vec!["511724103"]),
        5 => (Role::Station, vec!["511724103203"]),
        n => (Role::Worker, vec![GRIDS[n % GRIDS.len()]]),
    };
    (format!("网格员{index}"), role, areas)
}

impl Template {
    /// Makes the district of a shape; in memory where the machine has such a folder.
    ///
    /// # Panics
    /// If the machine gives no folder.
    pub fn new(shape: Shape) -> Self {
        let dir = folder();
        let now = Arc::new(AtomicI64::new(MORNING_MS));
        let runtime = runtime();
        let guard = runtime.enter();
        let station = Arc::new(Station::new(dir.path().join(RELAY), settings(&now, 1)));
        station.start(None);
        let intruder = (INTRUDER.to_owned(), Role::Worker, vec![GRIDS[1]]);
        let members = (0..shape.devices).map(member).chain([intruder]);
        for (index, (name, role, areas)) in members.enumerate() {
            let new = NewInvitation {
                name: name.clone(),
                role,
                areas: areas
                    .iter()
                    .map(|code| AreaCode::parse(code).unwrap())
                    .collect(),
            };
            let inline = station.inline().unwrap();
            let code = inline.relay().invite(&new, MORNING_MS).unwrap().shown();
            let skew = Arc::new(AtomicI64::new(0));
            let machine = machine(&now, &skew, 1_000 + index as u64);
            let folder = dir.path().join(&name);
            let mut replica = Replica::init(&folder, &name, Vec::new(), machine).unwrap();
            replica.carry_by(Arc::new(Link {
                station: Arc::clone(&station),
                fates: Arc::new(Mutex::new(VecDeque::new())),
                ledger: Arc::default(),
                device_off: Arc::new(Notify::new()),
            }));
            runtime
                .block_on(replica.enroll(&code, URL, &name, false))
                .unwrap();
        }
        station.stop();
        drop(guard);
        Self { dir, shape }
    }

    /// Returns how large it is.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Copies one folder of it.
    pub(super) fn copy(&self, name: &str, to: &Path) -> PathBuf {
        let folder = to.join(name);
        copy_dir(&self.dir.path().join(name), &folder);
        folder
    }
}

/// Returns a folder for data that needs no disk.
pub(super) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let in_memory = tempfile::tempdir_in(memory);
    in_memory.unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

/// Returns a runtime of one thread.
pub(super) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
}
