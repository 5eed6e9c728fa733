//! A relay of a simulated district: its folder, its power, its copies.
//!
//! A power cut copies the files while the database is open and goes on with the copy: **what was not
//! committed is in no copy**. Bytes of a commit that was under way may stand at the end of the log.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use rusqlite::{Connection, OpenFlags};
use wangge_relay::{Clock, Dice as RelayDice, Inline, Relay, Settings, SharedCarrier};
use wangge_wire::{ChangeHash, DocId, PublicKey, RelayId};

use super::Shape;
use super::link::{Net, Upward};
use super::look;
use super::seats::{Seat, seats};
use crate::working_days::Dice;

/// A change or place by its name.
pub(super) type Name = (DocId, ChangeHash);

/// A relay, and who answers for it at the moment.
pub(super) struct Station {
    pub(super) seat: Seat,
    pub(super) dir: PathBuf,
    settings: Settings,
    inline: Mutex<Option<Arc<Inline>>>,
    /// Requests that are still on their way.
    pub(super) limbo: Mutex<Vec<Request<Vec<u8>>>>,
    /// How often it was put back from a copy.
    pub(super) rollbacks: Mutex<u32>,
    /// Where copies of before are.
    pub(super) copy: Mutex<Option<PathBuf>>,
    /// What was in a log of it that was put back.
    pub(super) ever: Mutex<BTreeSet<Name>>,
    /// What it had before it met the relay above.
    pub(super) seen: Mutex<BTreeSet<Name>>,
    /// How far it was ever seen to have read the log above.
    pub(super) furthest: Mutex<u64>,
}

/// Returns the settings of a relay whose clock and dice are the world's.
fn settings(seat: &Seat, now: &Arc<AtomicI64>, seed: u64) -> Settings {
    let (now, dice) = (Arc::clone(now), Mutex::new(Dice::new(seed ^ 0x51a7)));
    Settings {
        clock: Clock::of(move || now.load(Ordering::SeqCst)),
        dice: RelayDice::of(move |bytes| {
            dice.lock().unwrap().fill(bytes);
            Ok(())
        }),
        upstream_every: None,
        // A district is small, and packs are to be met all the same.
        packs_from: 1,
        ..Settings::new(seat.name, seat.level)
    }
}

impl Station {
    /// Returns the relays of a district whose folders lie in `dir`; all of them are off.
    pub(super) fn all(
        shape: Shape,
        dir: &Path,
        now: &Arc<AtomicI64>,
        seed: u64,
        net: &Arc<Net>,
    ) -> Vec<Arc<Self>> {
        let station = |(index, seat): (u64, &Seat)| {
            // The first one's dice are those of a relay that is alone.
            let mut settings = settings(seat, now, seed.wrapping_add(index << 40));
            settings.upstream_carrier = Some(SharedCarrier::new(Upward(Arc::clone(net))));
            Arc::new(Self::new(*seat, dir.join(seat.folder), settings))
        };
        let stations: Vec<_> = (0..).zip(seats(shape)).map(station).collect();
        net.connect(&stations);
        stations
    }

    fn new(seat: Seat, dir: PathBuf, settings: Settings) -> Self {
        Self {
            seat,
            dir,
            settings,
            inline: Mutex::default(),
            limbo: Mutex::default(),
            rollbacks: Mutex::new(0),
            copy: Mutex::default(),
            ever: Mutex::default(),
            seen: Mutex::default(),
            furthest: Mutex::default(),
        }
    }

    /// Switches it on; on the world's runtime only.
    pub(super) fn start(&self, pages_max: Option<u32>) {
        let settings = Settings {
            pages_max,
            ..self.settings.clone()
        };
        let relay = Relay::open(&self.dir, &settings).unwrap();
        *self.inline.lock().unwrap() = Some(Arc::new(Inline::open(relay).unwrap()));
    }

    pub(super) fn is_on(&self) -> bool {
        self.inline.lock().unwrap().is_some()
    }

    /// Returns what answers; none while the power is off.
    pub(super) fn inline(&self) -> Option<Arc<Inline>> {
        self.inline.lock().unwrap().clone()
    }

    /// Cuts the power; `torn` are bytes of a commit that was under way.
    pub(super) fn power_off(&self, torn: &[u8]) {
        let beside = self.dir.with_extension("off");
        copy_dir(&self.dir, &beside);
        self.inline.lock().unwrap().take();
        replace_dir(&self.dir, &beside);
        tear(&self.dir.join("relay.db-wal"), torn);
    }

    /// Switches it off as an operator does.
    pub(super) fn stop(&self) {
        self.inline.lock().unwrap().take();
    }

    /// Keeps a copy, as a backup does.
    pub(super) fn keep_copy(&self) {
        let beside = self.dir.with_extension("backup");
        let _ = std::fs::remove_dir_all(&beside);
        copy_dir(&self.dir, &beside);
        *self.copy.lock().unwrap() = Some(beside);
    }

    /// Keeps a backup, made by the tool; it is restored by the tool, as another life of the log.
    pub(super) fn back_up(&self) {
        let file = self.dir.with_extension("file");
        let _ = std::fs::remove_file(&file);
        let _ = std::fs::remove_file(file.with_extension("file.keys"));
        let relay = Relay::open(&self.dir, &self.settings).unwrap();
        relay.backup(&file, None).unwrap();
        *self.copy.lock().unwrap() = Some(file);
    }

    /// Puts the copy back behind everybody's back, where the life of the log stays the same; a backup by the tool.
    pub(super) fn put_back(&self) -> bool {
        let Some(beside) = self.copy.lock().unwrap().clone() else {
            return false;
        };
        let lost = look::names(&self.look(), "SELECT doc, hash FROM entry");
        self.ever.lock().unwrap().extend(lost);
        self.stop();
        let _ = std::fs::remove_dir_all(&self.dir);
        if beside.is_file() {
            Relay::restore(&beside, None, &self.dir, &self.settings).unwrap();
        } else {
            copy_dir(&beside, &self.dir);
        }
        *self.rollbacks.lock().unwrap() += 1;
        *self.furthest.lock().unwrap() = 0;
        true
    }

    /// Answers a request; none while the power is off.
    pub(super) async fn answer(
        &self,
        request: Request<Vec<u8>>,
        arrives: usize,
    ) -> Option<Response<Vec<u8>>> {
        let inline = self.inline()?;
        let answer = inline.answer(request, arrives).await;
        // What was being answered when its power went off never left.
        let on = |now: &Arc<Inline>| Arc::ptr_eq(now, &inline);
        self.inline().as_ref().is_some_and(on).then_some(answer)
    }

    /// Returns which relay it is.
    pub(super) fn id(&self) -> RelayId {
        let sql = "SELECT relay_key FROM meta WHERE id = 1";
        let key = self
            .look()
            .query_row(sql, [], |row| row.get(0).map(PublicKey));
        key.unwrap().relay()
    }

    /// Opens the database for reading, beside whoever has it.
    pub(super) fn look(&self) -> Connection {
        open(&self.dir.join("relay.db"))
    }
}

/// Opens a database for reading.
pub(super) fn open(path: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let connection = Connection::open_with_flags(path, flags).unwrap();
    connection.execute_batch("PRAGMA query_only = ON").unwrap();
    connection
}

/// Appends the beginning of a commit that the power cut.
pub(super) fn tear(wal: &Path, torn: &[u8]) {
    use std::io::Write as _;
    if let Ok(mut file) = std::fs::OpenOptions::new().append(true).open(wal) {
        file.write_all(torn).unwrap();
    }
}

/// Copies the files of a folder; what lies in further folders is nobody's data here.
pub(super) fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        // The index of the log lives in memory: after a power cut there is none.
        if entry.file_type().unwrap().is_file() && !name.to_string_lossy().ends_with("-shm") {
            std::fs::copy(entry.path(), to.join(name)).unwrap();
        }
    }
}

/// Puts the files of one folder in the place of another's.
pub(super) fn replace_dir(dir: &Path, with: &Path) {
    let _ = std::fs::remove_dir_all(dir);
    std::fs::rename(with, dir).unwrap();
}
