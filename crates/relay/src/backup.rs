//! A relay's backup: one file with its log, its key and its attachments, made while it serves.
//!
//! The database in it is one moment of the log: `VACUUM INTO` reads one transaction and stops nobody.
//! **A backup has its name only once it was written, synced and read back; no file is ever written
//! over.** What opens it lies in a second file ([`keys`]), which is to be kept apart and not for long.

mod file;
mod keys;
mod restore;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use wangge_wire::{BlobHash, ChangeHash, DocId, EntryKind};

use crate::audit::{About, What};
use crate::blobs::Shelf;
use crate::db;
use crate::error::{RelayError, Trouble, trouble};
use crate::log::{self, unsigned};
use crate::relay::Relay;
use crate::secrets;
use file::Secret;
pub use keys::KEYS_DAYS;
pub use restore::Restored;

/// Why a backup or a restore was not done. Nothing that was there was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackupTrouble {
    /// A file of this name is there. Choose another name.
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    /// No room where the file or the folder should be. Choose another disk.
    #[error("no room")]
    NoRoom,
    /// The file or the folder cannot be written. Choose another place.
    #[error("{} cannot be written: {reason}", path.display())]
    Unwritable {
        /// What was to be written.
        path: PathBuf,
        /// The system's reason.
        reason: String,
    },
    /// The backup cannot be read. Name the right file.
    #[error("{} cannot be read: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        reason: String,
    },
    /// It is no backup, or not as it was written. Take another one.
    #[error("{} is no whole backup", .0.display())]
    NotWhole(PathBuf),
    /// No keys of this backup are there. Name the file that was made with it.
    #[error("no keys at {}", .0.display())]
    NoKeys(PathBuf),
    /// The folder holds something. Restore into an empty one.
    #[error("{} is not empty", .0.display())]
    NotEmpty(PathBuf),
}

/// What is in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Backup {
    /// Size of the file.
    pub bytes: u64,
    /// Entries of the log, which is the last position.
    pub entries: u64,
    /// Documents that live somewhere.
    pub documents: u64,
    /// Attachments inside.
    pub attachments: u64,
    /// Attachments that the relay knew and had no file of; devices bring them again.
    pub missing: u64,
    /// Attachments whose files did not fit their names: they were put aside and are not inside.
    pub damaged: Vec<BlobHash>,
    /// When it was made, milliseconds since 1970.
    pub made_ms: i64,
    /// The file with the keys that open it.
    pub keys: PathBuf,
}

impl Relay {
    /// Writes a backup to a file that is not there yet, and its keys to another one, beside it if `keys` does
    /// not say where; the relay may be serving, in any process.
    ///
    /// Of attachments those are inside that were whole at that moment.
    pub fn backup(&self, file: &Path, keys: Option<&Path>) -> Result<Backup, RelayError> {
        let making = Making::begin(file)?;
        // Before the moment that is kept: what leaves the folder has its row inside.
        let now_ms = self.settings.clock.now_ms();
        let noted = self.note_of_operator(now_ms, What::BackupBegun, About::Nothing);
        if let Err(error) = noted {
            let _ = fs::remove_file(&making.part);
            return Err(error);
        }
        let keys = keys.map_or_else(|| keys::beside(file), Path::to_owned);
        let made = Making::begin(&keys).and_then(|beside| {
            let made = making.snapshot(self).and_then(|(found, blobs)| {
                let made = making.append(self, found, &blobs)?;
                // Last: what was sealed until now opens by them.
                beside.keep_keys(self, made.made_ms)?;
                beside.finish()?;
                making.finish()?;
                Ok(made)
            });
            if made.is_err() {
                let _ = fs::remove_file(&beside.part);
            }
            made
        });
        if made.is_err() {
            // Half a file, under a name that says so, made by this very call.
            let _ = fs::remove_file(&making.part);
        }
        let made = Backup { keys, ..made? };
        tracing::info!(entries = made.entries, bytes = made.bytes, "backed up");
        Ok(made)
    }
}

/// A backup that has no name yet.
struct Making {
    part: PathBuf,
    target: PathBuf,
}

impl Making {
    /// Makes the file to write to, beside the one it becomes.
    fn begin(target: &Path) -> Result<Self, RelayError> {
        if target.symlink_metadata().is_ok() {
            return Err(BackupTrouble::Exists(target.to_owned()).into());
        }
        // What a killed backup left stays, and in a container the next process has the same number.
        let mut number = 0;
        loop {
            let mut name = target.file_name().unwrap_or_default().to_owned();
            name.push(format!(".unfinished-{}-{number}", std::process::id()));
            let part = target.with_file_name(name);
            match private(&part) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                // The name that was typed, and not that of the file beside it.
                Err(error) => return Err(failed(target, error)),
                Ok(_) => {
                    return Ok(Self {
                        part,
                        target: target.to_owned(),
                    });
                }
            }
        }
    }

    /// Writes one moment of the database and proves it; returns what is in it, and its attachments.
    fn snapshot(&self, relay: &Relay) -> Result<(Found, Vec<BlobHash>), RelayError> {
        let name = self.part.to_str().ok_or_else(|| {
            RelayError::io(&self.part, io::Error::from(io::ErrorKind::InvalidInput))
        })?;
        let source = db::connect(&relay.place)?;
        let before = log::head(&source).map_err(|error| self.refused(relay, error))?;
        source
            .execute("VACUUM INTO ?1", [name])
            .map_err(|error| self.refused(relay, error))?;
        let not_whole = |_| BackupTrouble::NotWhole(self.part.clone());
        let copy = Connection::open(&self.part).map_err(not_whole)?;
        let found = prove(&copy, &relay.secrets.key.public().0).map_err(not_whole)?;
        let found = found.filter(|found| found.entries >= before.position);
        let found = found.ok_or_else(|| BackupTrouble::NotWhole(self.part.clone()))?;
        let blobs = blobs(&copy).map_err(not_whole)?;
        Ok((found, blobs))
    }

    /// Writes the keys and the relay's secrets, and reads them back.
    fn keep_keys(&self, relay: &Relay, made_ms: i64) -> Result<(), RelayError> {
        let secret = Secret {
            key: secrets::bytes(&relay.place.path.with_file_name(secrets::FILE))?
                .ok_or(RelayError::Internal { what: "no key" })?,
            tree: secrets::bytes(&relay.place.path.with_file_name(secrets::TREE_FILE))?,
        };
        keys::write(&self.part, &relay.place.keys, &secret, made_ms)?;
        let fail = |error| failed(&self.part, error);
        File::open(&self.part)
            .and_then(|file| file.sync_all())
            .map_err(fail)?;
        match keys::read(&self.part)? == secret {
            true => Ok(()),
            false => Err(BackupTrouble::NotWhole(self.part.clone()).into()),
        }
    }

    /// Adds attachments, syncs, and reads all of it back.
    fn append(
        &self,
        relay: &Relay,
        found: Found,
        blobs: &[BlobHash],
    ) -> Result<Backup, RelayError> {
        let fail = |error| failed(&self.part, error);
        let shelf = Shelf::beside(&relay.place.path);
        let (mut here, mut damaged) = (Vec::new(), Vec::new());
        for hash in blobs.iter().filter(|hash| shelf.has(hash)) {
            let path = shelf.whole(hash);
            match shelf
                .proves(hash)
                .map_err(|source| RelayError::io(&path, source))?
            {
                true => here.push((*hash, path)),
                false => damaged.push(*hash),
            }
        }
        let made_ms = relay.settings.clock.now_ms();
        let keys = &relay.place.keys;
        keys.make_for_blobs(here.iter().map(|(hash, _)| hash))?;
        file::append(&self.part, &here, keys, made_ms).map_err(fail)?;
        let read = file::read(&self.part)?;
        if read.blobs.len() != here.len() {
            return Err(BackupTrouble::NotWhole(self.part.clone()).into());
        }
        Ok(Backup {
            bytes: fs::metadata(&self.part).map_err(fail)?.len(),
            entries: found.entries,
            documents: found.documents,
            attachments: here.len() as u64,
            missing: blobs.len().saturating_sub(here.len() + damaged.len()) as u64,
            damaged,
            made_ms,
            keys: PathBuf::new(),
        })
    }

    /// Gives it its name, if nobody took that meanwhile.
    fn finish(&self) -> Result<(), RelayError> {
        let fail = |error| failed(&self.target, error);
        match fs::hard_link(&self.part, &self.target) {
            Ok(()) => fs::remove_file(&self.part).map_err(fail)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(BackupTrouble::Exists(self.target.clone()).into());
            }
            // A USB stick knows no second name for a file.
            Err(_) if self.target.symlink_metadata().is_err() => {
                fs::rename(&self.part, &self.target).map_err(fail)?;
            }
            Err(_) => return Err(BackupTrouble::Exists(self.target.clone()).into()),
        }
        sync_folder(&self.target).map_err(fail)
    }

    /// What an error while the database is copied means: of the source or of the disk written to.
    fn refused(&self, relay: &Relay, error: rusqlite::Error) -> RelayError {
        match (trouble(&error), error.sqlite_error_code()) {
            (Trouble::Full, _) => BackupTrouble::NoRoom.into(),
            (_, Some(rusqlite::ErrorCode::SystemIoFailure)) => {
                RelayError::io(&self.part, io::Error::other(error))
            }
            _ => RelayError::sqlite(&relay.place.path, error),
        }
    }
}

/// What a database was found to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    entries: u64,
    documents: u64,
    name: String,
}

/// Proves a relay's database: pages and indexes whole, the key the log's own, positions without a gap,
/// and the chain as its entries make it. None if any of it is not so.
fn prove(connection: &Connection, key: &[u8; 32]) -> rusqlite::Result<Option<Found>> {
    // No files beside it: it is to be one.
    connection.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    let whole: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    let is_relay = whole == "ok" && db::is_relay(connection)?;
    if !is_relay {
        return Ok(None);
    }
    let sql = "SELECT relay_key, name FROM meta WHERE id = 1";
    let (public, name): ([u8; 32], String) =
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut rows = connection
        .prepare("SELECT position, kind, doc, hash, chain FROM entry ORDER BY position")?;
    let mut rows = rows.query([])?;
    let mut head = log::Head::default();
    while let Some(row) = rows.next()? {
        let (kind, doc) = (EntryKind(row.get(1)?), DocId(row.get(2)?));
        let next = log::Head {
            position: head.position + 1,
            chain: log::next_chain(head.chain, kind, &doc, &ChangeHash(row.get(3)?)),
        };
        let told = (unsigned(row.get(0)?), log::chain(row.get(4)?));
        if told != (next.position, next.chain) {
            return Ok(None);
        }
        head = next;
    }
    let sql = "SELECT count(*) FROM document";
    let documents = connection.query_row(sql, [], |row| row.get(0).map(unsigned))?;
    let found = Found {
        entries: head.position,
        documents,
        name,
    };
    Ok((public == *key).then_some(found))
}

fn blobs(connection: &Connection) -> rusqlite::Result<Vec<BlobHash>> {
    let mut rows = connection.prepare("SELECT hash FROM blob ORDER BY hash")?;
    let rows = rows.query_map([], |row| row.get(0).map(BlobHash))?;
    rows.collect()
}

/// Makes a file that is not there yet and that nobody else may read.
pub(crate) fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes the names in a file's folder last.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    // Only there is a folder a file that can be synced.
    if cfg!(unix) {
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

/// What an error of the disk means that a backup is written to or restored on.
pub(crate) fn failed(path: &Path, error: io::Error) -> RelayError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => BackupTrouble::NoRoom.into(),
        _ => {
            let (path, reason) = (path.to_owned(), error.to_string());
            BackupTrouble::Unwritable { path, reason }.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doc_keys::DocKeys;
    use crate::settings::{Dice, Settings};
    use wangge_wire::order::LevelForm;

    fn relay(dir: &Path) -> Relay {
        Relay::open(dir, &Settings::new("杨家镇", LevelForm::Township)).unwrap()
    }

    #[test]
    fn killed_at_any_step_nothing_stands_under_the_name_and_the_next_backup_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let relay = relay(&dir.path().join("relay"));
        let target = dir.path().join("backup");
        for steps in 0..3 {
            // As a kill leaves it: nothing is cleaned up after the step.
            let making = Making::begin(&target).unwrap();
            if steps > 0 {
                let (found, blobs) = making.snapshot(&relay).unwrap();
                if steps > 1 {
                    making.append(&relay, found, &blobs).unwrap();
                }
            }
            assert!(!target.exists(), "after step {steps}");
        }
        let made = relay.backup(&target, None).unwrap();
        assert_eq!((made.entries, made.missing), (1, 0));
        assert_eq!(fs::metadata(&target).unwrap().len(), made.bytes);
        let unfinished = fs::read_dir(dir.path()).unwrap().filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().contains("unfinished")
        });
        assert_eq!(unfinished.count(), 3, "what was killed, and no more");
    }

    #[test]
    fn a_file_that_appears_meanwhile_is_not_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let relay = relay(&dir.path().join("relay"));
        let target = dir.path().join("backup");
        let making = Making::begin(&target).unwrap();
        let (found, blobs) = making.snapshot(&relay).unwrap();
        making.append(&relay, found, &blobs).unwrap();
        fs::write(&target, b"mine").unwrap();
        let exists = |result| matches!(result, Err(RelayError::Backup(BackupTrouble::Exists(_))));
        assert!(exists(making.finish()));
        fs::remove_file(&making.part).unwrap();
        assert!(exists(relay.backup(&target, None).map(|_| ())));
        assert_eq!(fs::read(&target).unwrap(), b"mine");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_said_to_be_full() {
        let dir = tempfile::tempdir().unwrap();
        let keys = DocKeys::beside(&dir.path().join(db::FILE), &Dice::system());
        let full = Path::new("/dev/full");
        let error = file::append(full, &[], &keys, 0).unwrap_err();
        let said = failed(full, error);
        assert!(
            matches!(said, RelayError::Backup(BackupTrouble::NoRoom)),
            "{said:?}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_backup_is_for_nobody_else_and_a_log_with_a_gap_makes_none() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let relay = relay(&dir.path().join("relay"));
        let target = dir.path().join("backup");
        let made = relay.backup(&target, None).unwrap();
        for file in [&target, &made.keys] {
            let mode = fs::metadata(file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let sql = "UPDATE entry SET position = 2 WHERE position = 1";
        relay.connection().execute(sql, []).unwrap();
        let second = dir.path().join("second");
        let made = relay.backup(&second, None);
        assert!(
            matches!(made, Err(RelayError::Backup(BackupTrouble::NotWhole(_)))),
            "{made:?}"
        );
        assert!(!second.exists());
    }
}
