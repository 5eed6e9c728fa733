//! A device of a simulated district: a real replica whose clock, dice, disk and power are the world's.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use wangge_agent::link::SharedCarrier;
use wangge_agent::{Machine, Replica};
use wangge_wire::{ChangeHash, DocId};

use super::station::{copy_dir, replace_dir, tear};
use crate::sealed;
use crate::working_days::Dice;

/// Pages a disk takes when it is not full.
const PAGES_MAX: u32 = 1 << 30;

/// A device.
pub(super) struct Device {
    pub(super) name: String,
    /// The relay that it usually syncs with.
    pub(super) home: usize,
    /// Whether it was ever at another level: what it heard there its home may lack.
    pub(super) roamed: bool,
    dir: PathBuf,
    seed: u64,
    starts: u64,
    now: Arc<AtomicI64>,
    /// How far its clock is off, milliseconds.
    pub(super) skew: Arc<AtomicI64>,
    carrier: SharedCarrier,
    replica: Option<Replica>,
    /// The key of its database.
    key: [u8; 32],
    /// Whether it was taken out by the relay.
    pub(super) revoked: bool,
    /// What it was ever seen to hold of others.
    pub(super) seen: BTreeSet<(DocId, ChangeHash)>,
    copy: Option<PathBuf>,
}

/// Returns a machine whose clock and dice are given.
pub(super) fn machine(now: &Arc<AtomicI64>, skew: &Arc<AtomicI64>, seed: u64) -> Machine {
    let (now, skew, dice) = (
        Arc::clone(now),
        Arc::clone(skew),
        Mutex::new(Dice::new(seed)),
    );
    Machine {
        now_ms: Box::new(move || now.load(Ordering::SeqCst) + skew.load(Ordering::SeqCst)),
        fill: Box::new(move |bytes| {
            dice.lock().unwrap().fill(bytes);
            Ok(())
        }),
        // A copy is told from its original by the relay alone here: as where a whole disk is put back.
        born_ms: Box::new(|_| None),
        ..Machine::default()
    }
}

impl Device {
    pub(super) fn new(
        (name, home): (String, usize),
        dir: PathBuf,
        seed: u64,
        now: &Arc<AtomicI64>,
        carrier: SharedCarrier,
    ) -> Self {
        let key = sealed::key_of(&dir);
        let mut device = Self {
            name,
            key,
            home,
            roamed: false,
            dir,
            seed,
            starts: 0,
            now: Arc::clone(now),
            skew: Arc::new(AtomicI64::new(0)),
            carrier,
            replica: None,
            revoked: false,
            seen: BTreeSet::new(),
            copy: None,
        };
        device.start();
        device
    }

    /// Switches it on.
    pub(super) fn start(&mut self) {
        // Dice that fell the same after each start would make ids that were there before.
        self.starts += 1;
        let seed = self.seed.wrapping_mul(1009).wrapping_add(self.starts);
        let machine = machine(&self.now, &self.skew, seed);
        let mut replica = Replica::open(&self.dir, machine).unwrap();
        assert!(replica.set_aside().is_none(), "{}: damaged", self.name);
        replica.carry_by(Arc::clone(&self.carrier));
        self.replica = Some(replica);
    }

    /// Goes on although the device was revoked: whoever has it may have another program, which removes nothing.
    pub(super) fn start_anyway(&mut self) {
        self.replica = None;
        std::fs::remove_file(self.dir.join("purged.json")).unwrap();
        self.start();
    }

    pub(super) fn replica(&mut self) -> &mut Replica {
        self.replica.as_mut().unwrap()
    }

    /// Opens its database for reading, beside whoever has it.
    pub(super) fn look(&self) -> Connection {
        let connection = sealed::connection(&self.dir.join("wangge.db"), &self.key);
        connection.execute_batch("PRAGMA query_only = ON").unwrap();
        connection
    }

    /// Cuts the power and switches it on again; `torn` are bytes of a commit that was under way.
    pub(super) fn power_cut(&mut self, torn: &[u8]) {
        let beside = self.dir.with_extension("off");
        copy_dir(&self.dir, &beside);
        self.replica = None;
        replace_dir(&self.dir, &beside);
        tear(&self.dir.join("wangge.db-wal"), torn);
        self.start();
    }

    /// Cuts the power in the middle of what was just committed and of which nobody heard: the log ends
    /// `keep` bytes after where it ended before.
    pub(super) fn power_cut_within(&mut self, before: u64, keep: u64) -> bool {
        let wal = self.dir.join("wangge.db-wal");
        let length = wal_length(&self.dir);
        // A log that began anew has other bytes there.
        if before == 0 || length <= before {
            return false;
        }
        let beside = self.dir.with_extension("off");
        copy_dir(&self.dir, &beside);
        self.replica = None;
        replace_dir(&self.dir, &beside);
        let file = std::fs::OpenOptions::new().write(true).open(&wal).unwrap();
        file.set_len(before + keep % (length - before)).unwrap();
        drop(file);
        self.start();
        true
    }

    pub(super) fn wal_length(&self) -> u64 {
        wal_length(&self.dir)
    }

    /// Keeps a copy of the whole folder.
    pub(super) fn keep_copy(&mut self) {
        let beside = self.dir.with_extension("backup");
        let _ = std::fs::remove_dir_all(&beside);
        copy_dir(&self.dir, &beside);
        self.copy = Some(beside);
    }

    /// Puts the copy back: all of the folder, or the database alone.
    pub(super) fn put_back(&mut self, all: bool) -> bool {
        let Some(beside) = self.copy.clone() else {
            return false;
        };
        self.replica = None;
        if all {
            let _ = std::fs::remove_dir_all(&self.dir);
            copy_dir(&beside, &self.dir);
        } else {
            for name in ["wangge.db", "wangge.db-wal"] {
                let _ = std::fs::remove_file(self.dir.join(name));
                if beside.join(name).exists() {
                    std::fs::copy(beside.join(name), self.dir.join(name)).unwrap();
                }
            }
        }
        self.start();
        true
    }

    /// Returns a second device of the same folder.
    pub(super) fn cloned(&self, name: String) -> Self {
        let dir = self.dir.with_file_name(&name);
        copy_dir(&self.dir, &dir);
        let carrier = Arc::clone(&self.carrier);
        let device = Self::new((name, self.home), dir, self.seed + 7, &self.now, carrier);
        Self {
            roamed: self.roamed,
            ..device
        }
    }

    /// Lets the disk take `more` pages beside those there are.
    pub(super) fn limit_disk(&mut self, more: Option<u32>) {
        let store = self.replica.as_ref().unwrap().store();
        let pages = more.map_or(PAGES_MAX, |more| store.pages().unwrap() + more);
        store.limit_pages(pages).unwrap();
    }
}

fn wal_length(dir: &Path) -> u64 {
    std::fs::metadata(dir.join("wangge.db-wal")).map_or(0, |meta| meta.len())
}
