//! A district on its first morning, made once and copied for each seed.
//!
//! Enrolling costs a deliberately slow key derivation a device; **what a seed decides begins after it**.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use tempfile::TempDir;
use tokio::runtime::Runtime;
use wangge_agent::Replica;
use wangge_relay::NewInvitation;
use wangge_wire::{AreaCode, Role};

use super::Shape;
use super::device::machine;
use super::link::{Link, Net};
use super::seats::{GRIDS, Member, member, seats, url};
use super::station::{Station, copy_dir};
use crate::town::MORNING_MS;

/// The folder of the member who means no good.
pub(super) const INTRUDER: &str = "intruder";
/// Meetings after which everybody of a tree has heard everything.
const MEETINGS: usize = 3;

/// A district on its first morning.
pub struct Template {
    dir: TempDir,
    shape: Shape,
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
        let net = Arc::new(Net::default());
        let stations = Station::all(shape, dir.path(), &now, 1, &net);
        for station in &stations {
            station.start(None);
        }
        join(&runtime, &stations);
        let intruder = Member {
            name: INTRUDER.to_owned(),
            role: Role::Worker,
            areas: vec![GRIDS[1]],
            home: 0,
        };
        let members = (0..shape.devices).map(|index| member(shape, index));
        let mut replicas = Vec::new();
        for (index, member) in members.chain([intruder]).enumerate() {
            let code = invite(&stations[member.home], &member);
            let machine = machine(&now, &Arc::default(), 1_000 + index as u64);
            let folder = dir.path().join(&member.name);
            let mut replica = Replica::init(&folder, &member.name, Vec::new(), machine).unwrap();
            replica.carry_by(Arc::new(Link(Arc::clone(&net))));
            let url = url(member.home);
            let enrolled = replica.enroll(&code, &url, &member.name, None);
            runtime.block_on(enrolled).unwrap();
            replicas.push(replica);
        }
        if shape.is_tree() {
            meet(&runtime, &stations);
            for replica in &mut replicas {
                runtime.block_on(replica.sync()).unwrap();
            }
        }
        drop(replicas);
        for station in &stations {
            station.stop();
        }
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

    /// Copies the folder of every relay.
    pub(super) fn copy_relays(&self, to: &Path) {
        for seat in seats(self.shape) {
            self.copy(seat.folder, to);
        }
    }
}

/// Lets each relay go below the one above it, the highest first: a relay invites only as far as it was
/// given areas itself.
fn join(runtime: &Runtime, stations: &[Arc<Station>]) {
    for station in stations.iter().rev() {
        let Some(above) = station.seat.above else {
            continue;
        };
        let relay = Member {
            name: station.seat.name.to_owned(),
            role: Role::Relay,
            areas: vec![station.seat.area],
            home: above,
        };
        let code = invite(&stations[above], &relay);
        let inline = station.inline().unwrap();
        let url = url(above);
        let joined = inline.relay().join(&code, &url);
        runtime.block_on(joined).unwrap();
    }
    meet(runtime, stations);
}

fn meet(runtime: &Runtime, stations: &[Arc<Station>]) {
    for _ in 0..MEETINGS {
        for station in stations.iter().filter(|it| it.seat.above.is_some()) {
            let inline = station.inline().unwrap();
            runtime.block_on(inline.relay().meet_upstream()).unwrap();
        }
    }
}

fn invite(station: &Station, member: &Member) -> String {
    let areas = member.areas.iter();
    let new = NewInvitation {
        name: member.name.clone(),
        role: member.role,
        areas: areas.map(|code| AreaCode::parse(code).unwrap()).collect(),
    };
    let inline = station.inline().unwrap();
    inline.relay().invite(&new, MORNING_MS).unwrap().shown()
}

/// Returns a folder for data that needs no disk.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let in_memory = tempfile::tempdir_in(memory);
    in_memory.unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

/// Returns a runtime of one thread.
pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
}
