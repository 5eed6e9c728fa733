//! The folder of one person on one device: vault, sealed keys, profile, database, lock; `life` beside it.
//!
//! **One program at a time**: the lock is held while a
//! home is open.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use wangge_model::household::IdKey;
use wangge_store::{Health, Store, StoreError};
use wangge_trust::KeyPair;
use wangge_wire::{AreaCode, LifeNonce, PublicKey};

use crate::attach::shelf::{self, Shelf};
use crate::error::AgentError;
use crate::keys::{self, Keys, has_keys};
use crate::life;
use crate::machine::Machine;
use crate::purge;
use crate::settings;

const DATABASE: &str = "wangge.db";
const PROFILE: &str = "profile.json";
pub(crate) const LOCK: &str = "lock";
/// Made by whoever waits for the lock: what can wait itself makes room.
const KNOCK: &str = "knock";
/// Written and taken away again to learn why nothing can be written.
const PROBE: &str = "probe";
/// What a database wants at least to be opened.
const PROBE_BYTES: usize = 64 * 1024;
const TICKETS: &str = "tickets";
/// When the database before this one was found to be gone.
const LOST_META: &str = "lost";
/// How long a command waits for another one in the same home.
const LOCK_WAIT: Duration = Duration::from_secs(3);
const LOCK_PAUSE: Duration = Duration::from_millis(30);
/// How often what can wait looks for somebody at the door.
const KNOCK_PAUSE: Duration = Duration::from_millis(100);

/// Whose home it is and where it syncs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The person's name.
    pub name: String,
    /// The areas chosen when the home was made; an enrolment's grant goes before them.
    #[serde(default)]
    pub areas: Vec<AreaCode>,
    /// The relay this home is enrolled with.
    #[serde(default)]
    pub relay: Option<RelayLink>,
}

/// The relay a home is enrolled with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayLink {
    /// `http://127.0.0.1:8720`, without a path.
    pub url: String,
    /// The relay's key, pinned at enrolment, 64 hex digits.
    pub key: PublicKey,
    /// What people call it.
    pub name: String,
    /// `county township village`.
    pub level: String,
}

/// An open home.
pub struct Home {
    /// The folder.
    pub dir: PathBuf,
    /// Whose it is.
    pub profile: Profile,
    /// The device's key.
    pub key: KeyPair,
    /// The key of id hashes.
    pub id_key: IdKey,
    /// The keys that hashes on this device were made with before.
    pub past_id_keys: Vec<IdKey>,
    /// The life of the database.
    pub life: LifeNonce,
    /// The database.
    pub store: Store,
    /// What opens all of this.
    pub(crate) keys: Keys,
    /// Where a damaged database was put when this home was opened.
    pub set_aside: Option<PathBuf>,
    /// Whether there was no database any more when this home was opened, though there had been one.
    pub lost: bool,
    /// Whether the database was found to be a copy, or put back, when this home was opened.
    pub copied: bool,
    /// When the file of the database was made, milliseconds since 1970, where its folder says.
    pub(crate) born_ms: Option<i64>,
    _lock: File,
}

impl Home {
    /// Makes a home; refuses if there is one.
    pub fn make(dir: &Path, profile: &Profile, machine: &Machine) -> Result<Self, AgentError> {
        purge::finish(dir)?;
        if dir.join(PROFILE).exists() {
            let exists = AgentError::HomeExists { at: dir.to_owned() };
            return crate::begun::completed(dir, profile, machine)?.ok_or(exists);
        }
        fs::create_dir_all(dir).map_err(|error| unwritable(dir, error))?;
        keep_private(dir)?;
        let lock = lock(dir)?;
        let revoked = purge::look(dir).map(|purged| purged.device);
        Keys::make(dir, revoked.as_ref(), machine)?;
        save_profile(dir, profile)?;
        purge::forget(dir)?;
        drop(lock);
        Self::open(dir, machine)
    }

    /// Opens a home. A damaged database is set aside and a new one begun: what was synced comes back
    /// from the relay, and the damaged file stays, with what opens it.
    pub fn open(dir: &Path, machine: &Machine) -> Result<Self, AgentError> {
        if let Some(purged) = purge::finish(dir)?
            && !is_home(dir)
        {
            return Err(AgentError::Purged(Box::new(purged)));
        }
        let text = match fs::read_to_string(dir.join(PROFILE)) {
            Ok(text) => text,
            Err(error) => return Err(no_profile(dir, error)),
        };
        let profile = serde_json::from_str(&text).map_err(|_| AgentError::HomeFile {
            path: dir.join(PROFILE),
            missing: false,
        })?;
        let lock = lock(dir)?;
        let mut keys = Keys::open(dir, machine)?;
        let path = dir.join(DATABASE);
        leave_out_others(dir);
        let sealing = keys
            .is_plain_left()
            .then(|| life::Before::look(dir, machine, &path));
        let lost = life::had_one(dir) && fs::metadata(&path).map_or(0, |file| file.len()) == 0;
        if lost {
            // What was written last may be in what stands beside it, which a new database would overwrite.
            Store::set_aside(&path, &mark(machine))?;
        }
        let (store, set_aside) = match open_store(&path, &keys, machine) {
            Ok(store) => (store, None),
            Err(StoreError::Damaged { .. }) => {
                let aside = Store::set_aside(&path, &mark(machine))?;
                (open_store(&path, &keys, machine)?, Some(aside))
            }
            Err(error) => return Err(not_opened(dir, error)),
        };
        if let Some(before) = sealing {
            before.carry_over(dir, machine, &path)?;
            Shelf::of(dir, keys.blobs()).seal_plain()?;
            keys.drop_plain(dir)?;
        }
        let mut home = Self {
            dir: dir.to_owned(),
            profile,
            key: keys.device(),
            id_key: keys.id(),
            past_id_keys: keys.past_ids(),
            life: LifeNonce([0; 8]),
            store,
            keys,
            set_aside,
            lost,
            copied: false,
            born_ms: None,
            _lock: lock,
        };
        if lost {
            home.store
                .set_meta(LOST_META, &(machine.now_ms)().to_be_bytes())?;
        }
        home.settle_life(machine)?;
        drop_old_copies(&path, machine);
        Ok(home)
    }

    /// Returns since when this home has a database that was begun because the one before was gone, in
    /// milliseconds since 1970; none once somebody has seen that.
    pub fn lost_ms(&self) -> Result<Option<i64>, AgentError> {
        let bytes = self.store.meta(LOST_META)?.unwrap_or_default();
        Ok(bytes.try_into().ok().map(i64::from_be_bytes))
    }

    /// Notes that somebody has seen that the database before this one was gone.
    pub(crate) fn loss_seen(&self) -> Result<(), AgentError> {
        Ok(self.store.set_meta(LOST_META, &[])?)
    }

    /// Keeps a changed profile.
    pub fn keep_profile(&mut self, profile: Profile) -> Result<(), AgentError> {
        save_profile(&self.dir, &profile)?;
        self.profile = profile;
        Ok(())
    }

    /// Keeps the key that everyone below a relay hashes id numbers with.
    pub fn keep_id_key(&mut self, key: [u8; 32], machine: &Machine) -> Result<(), AgentError> {
        self.keys.replace_id(&self.dir, key, machine)?;
        self.id_key = self.keys.id();
        self.past_id_keys = self.keys.past_ids();
        Ok(())
    }

    /// Returns the next ticket number of this device; it is durable before it is used.
    pub fn next_ticket_number(&mut self) -> Result<u32, AgentError> {
        let path = self.dir.join(TICKETS);
        let last = match fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().unwrap_or(0),
            Err(_) => 0u32,
        };
        let next = last.saturating_add(1);
        write_whole(&path, next.to_string().as_bytes())?;
        Ok(next)
    }

    /// Reads every page of the database; a damaged one is set aside and a new one begun.
    pub fn check(&mut self, machine: &Machine) -> Result<Option<PathBuf>, AgentError> {
        if self.store.check()? == Health::Sound {
            return Ok(None);
        }
        let path = self.dir.join(DATABASE);
        let aside = Store::set_aside(&path, &mark(machine))?;
        self.store = open_store(&path, &self.keys, machine)?;
        self.settle_life(machine)?;
        self.set_aside = Some(aside.clone());
        Ok(Some(aside))
    }
}

/// Returns whether a home is in the folder.
pub(crate) fn is_home(dir: &Path) -> bool {
    dir.join(PROFILE).exists()
}

/// Returns the database of a home.
pub(crate) fn database(dir: &Path) -> PathBuf {
    dir.join(DATABASE)
}

/// Returns everything that a home consists of, the profile last; not what was set aside of a damaged one, and
/// not the lock, which whoever asks holds.
pub(crate) fn files(dir: &Path) -> Result<Vec<PathBuf>, AgentError> {
    let names = [
        DATABASE,
        "wangge.db-wal",
        "wangge.db-shm",
        "wangge.db-journal",
        shelf::FOLDER,
        life::FILE,
        TICKETS,
        settings::FILE,
        KNOCK,
        PROBE,
    ];
    // The keys first: what is left of the rest opens to nobody. But where a damaged database stays that may be
    // the only copy of something, what opens it stays too.
    let keys = match Store::all_set_aside(&dir.join(DATABASE))?.is_empty() {
        true => &keys::FILES[..],
        false => &[],
    };
    let names = keys.iter().chain(&names);
    let mut files: Vec<PathBuf> = names.map(|name| dir.join(name)).collect();
    // What was being written when the power went, and copies from before a change of form.
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let ends = |ending: &std::ffi::OsStr| {
            ["next", "unfinished", "sealing"]
                .map(Some)
                .contains(&ending.to_str())
        };
        if path.extension().is_some_and(ends) {
            files.push(path);
        }
    }
    files.extend(Store::copies_before(&dir.join(DATABASE))?);
    files.push(dir.join(PROFILE));
    Ok(files)
}

/// Takes away the copies from before a change of form whose days are over. What cannot be taken away now is
/// looked for at the next opening.
fn drop_old_copies(path: &Path, machine: &Machine) {
    let ms = u64::try_from((machine.now_ms)()).unwrap_or(0);
    let now = std::time::UNIX_EPOCH + Duration::from_millis(ms);
    if let Err(error) = Store::drop_old_copies(path, now) {
        tracing::warn!(kind = ?error.kind(), "copies from before a change of form stay for now");
    }
}

fn open_store(path: &Path, keys: &Keys, machine: &Machine) -> Result<Store, StoreError> {
    match machine.alone {
        true => Store::open_alone(path, &keys.database()),
        false => Store::open(path, &keys.database()),
    }
}

/// Returns once another command waits for this home; what was asked before does not count.
pub(crate) async fn knocked(dir: PathBuf) {
    let knock = dir.join(KNOCK);
    // One that has just been made is made again by who still waits.
    let _ = fs::remove_file(&knock);
    while !knock.exists() {
        tokio::time::sleep(KNOCK_PAUSE).await;
    }
}

pub(crate) fn lock(dir: &Path) -> Result<File, AgentError> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join(LOCK))
        .map_err(|error| unwritable(dir, error))?;
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if started.elapsed() < LOCK_WAIT => {
                // Without room for a knock the wait is the same.
                let _ = File::create(dir.join(KNOCK));
                std::thread::sleep(LOCK_PAUSE);
            }
            Err(TryLockError::WouldBlock) => return Err(AgentError::InUse),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
    }
}

fn save_profile(dir: &Path, profile: &Profile) -> Result<(), AgentError> {
    let text = serde_json::to_string_pretty(profile)
        .map_err(|error| AgentError::Internal(error.to_string()))?;
    write_whole(&dir.join(PROFILE), text.as_bytes())
}

/// Writes a file whole or not at all: a power cut leaves the old one.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), AgentError> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let write = || {
        let next = path.with_extension("next");
        let mut file = File::create(&next)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&next, path)?;
        File::open(dir)?.sync_all()
    };
    write().map_err(|error| unwritable(dir, error))
}

/// Returns the error of a home in which nothing can be written: which folder, and the system's word.
pub(crate) fn unwritable(dir: &Path, error: io::Error) -> AgentError {
    match error.kind() {
        io::ErrorKind::StorageFull => AgentError::DiskFull,
        _ => AgentError::HomeUnwritable {
            at: dir.to_owned(),
            reason: error.to_string(),
        },
    }
}

/// Returns why a home has no profile: a folder without one is no home, unless a device's key is there.
fn no_profile(dir: &Path, error: io::Error) -> AgentError {
    let path = dir.join(PROFILE);
    match error.kind() {
        io::ErrorKind::NotFound if has_keys(dir) && dir.join(DATABASE).exists() => {
            AgentError::HomeFile {
                path,
                missing: true,
            }
        }
        io::ErrorKind::PermissionDenied => AgentError::HomeUnreadable {
            path,
            reason: error.to_string(),
        },
        io::ErrorKind::InvalidData => AgentError::HomeFile {
            path,
            missing: false,
        },
        _ => AgentError::NoHome { at: dir.to_owned() },
    }
}

/// Returns why a database does not open: SQLite says only that it cannot, a file of our own says why.
fn not_opened(dir: &Path, error: StoreError) -> AgentError {
    let StoreError::Disk { reason } = error else {
        return error.into();
    };
    let probed = write_whole(&dir.join(PROBE), &[0; PROBE_BYTES]);
    // Nothing is in it, and it is made again.
    let _ = fs::remove_file(dir.join(PROBE));
    let _ = fs::remove_file(dir.join(PROBE).with_extension("next"));
    probed.err().unwrap_or(AgentError::HomeUnwritable {
        at: dir.to_owned(),
        reason: reason.to_owned(),
    })
}

/// Writes a file that only its owner reads, whole or not at all.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), AgentError> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let write = || {
        let next = path.with_extension("next");
        let mut options = OpenOptions::new();
        options.create(true).truncate(true).write(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let mut file = options.open(&next)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&next, path)?;
        File::open(dir)?.sync_all()
    };
    write().map_err(|error| unwritable(dir, error))
}

/// Lets nobody else on this computer read what residents told.
fn keep_private(dir: &Path) -> Result<(), AgentError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Takes from everybody what an earlier version left open; whom the owner lets in by a group stays in.
fn leave_out_others(dir: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let narrow = || {
            let now = fs::metadata(dir)?.permissions().mode();
            match now & 0o007 {
                0 => Ok(()),
                _ => fs::set_permissions(dir, fs::Permissions::from_mode(now & !0o007)),
            }
        };
        let narrowed: std::io::Result<()> = narrow();
        if let Err(error) = narrowed {
            tracing::warn!(kind = ?error.kind(), "the home stays readable by others");
        }
    }
}

pub(crate) fn read_secret(path: &Path) -> Result<[u8; 32], AgentError> {
    let damaged = |missing| AgentError::HomeFile {
        path: path.to_owned(),
        missing,
    };
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => damaged(true),
        _ => AgentError::HomeUnreadable {
            path: path.to_owned(),
            reason: error.to_string(),
        },
    })?;
    // A key is never made anew: what waits in the database is signed by the old one or by nobody.
    bytes.try_into().map_err(|_| damaged(false))
}

fn mark(machine: &Machine) -> String {
    (machine.now_ms)().to_string()
}
