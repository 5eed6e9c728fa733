//! Opening the file: its key, settings, migrations, and what happens when it is damaged.
//!
//! **Every page of it is sealed** with the key its home hands in: SQLCipher, which is SQLite beside that.
//! **A damaged file is set aside, never deleted**: it may hold the only copy of a day's work. A file of
//! a newer program is not touched. Migrations are an ordered table, their position is their version,
//! and each runs in one transaction.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use wangge_wire::digest::content_hash;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::sealing;

/// Migrations by position; one that has landed is never edited.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001-first.sql"),
    include_str!("../migrations/0002-documents.sql"),
    include_str!("../migrations/0003-proof.sql"),
    include_str!("../migrations/0004-levels.sql"),
    include_str!("../migrations/0005-packs.sql"),
    include_str!("../migrations/0006-unnumbered.sql"),
    include_str!("../migrations/0007-search.sql"),
    include_str!("../migrations/0008-damaged.sql"),
    include_str!("../migrations/0009-visits.sql"),
    include_str!("../migrations/0010-undecided.sql"),
    include_str!("../migrations/0011-gone.sql"),
    include_str!("../migrations/0012-lease.sql"),
];

/// Older SQLite has a race between a checkpoint and a writer that damages the file.
const SQLITE_VERSION_MIN: i32 = 3_051_003;

/// What a file's salt is made for; it is no secret, and the file begins with it.
const SALT: &[u8] = b"wangge 2026 device database salt\0";
const SALT_BYTES: usize = 16;

/// SQLite's cache: less than nothing means KiB.
const CACHE_SIZE: i64 = -32_000;
/// Pages of the write-ahead log after which they are copied into the file: a first download writes some
/// ten thousand, and each copying waits for the disk.
const CHECKPOINT_PAGES: i64 = 12_000;
/// Statements that stay prepared; taking a page or a frame in uses more than a hundred.
const STATEMENTS_KEPT: usize = 256;

/// What is said of a disk that does not do what it was asked.
const DISK: &str = "disk I/O error";

/// How long a command waits for another one to finish its transaction.
pub(crate) const BUSY_MS: u64 = 5_000;

/// The database of one device.
pub struct Store {
    pub(crate) conn: Connection,
    path: PathBuf,
}

/// What a check of the file found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Every page reads.
    Sound,
    /// Some page does not.
    Damaged,
}

impl Store {
    /// Opens the file with its key, making it if there is none, and brings it to this program's version. One
    /// of an earlier program that is not sealed yet is sealed first (`sealing`).
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for a damaged file, and for another key than it was made with: they look the
    /// same.
    pub fn open(path: &Path, key: &[u8; 32]) -> Result<Self, StoreError> {
        Self::open_as(path, key, "NORMAL")
    }

    /// Opens the file as [`Store::open`] does, for a program that has it to itself until it is closed.
    ///
    /// SQLite then keeps the index of its log in memory instead of in a mapped file, whose pages a full disk
    /// refuses with a signal that ends the process.
    pub fn open_alone(path: &Path, key: &[u8; 32]) -> Result<Self, StoreError> {
        Self::open_as(path, key, "EXCLUSIVE")
    }

    /// Opens the file; **damage is believed only when it was found twice and the disk reads**: a page that did
    /// not come is to SQLCipher one that does not open.
    fn open_as(path: &Path, key: &[u8; 32], locking: &str) -> Result<Self, StoreError> {
        let opened = Self::try_open(path, key, locking);
        if !matches!(opened, Err(StoreError::Damaged { .. })) {
            return opened;
        }
        let again = Self::try_open(path, key, locking);
        match (&again, reads(path)) {
            (Err(StoreError::Damaged { .. }), Err(disk)) => Err(disk),
            _ => again,
        }
    }

    fn try_open(path: &Path, key: &[u8; 32], locking: &str) -> Result<Self, StoreError> {
        let damaged = |error: StoreError| match error {
            StoreError::Damaged { .. } => StoreError::Damaged {
                at: path.to_owned(),
            },
            other => other,
        };
        let was_plain = sealing::is_plain(path);
        if was_plain {
            sealing::seal(path, key).map_err(damaged)?;
        }
        let store = Self::connect(path, key, locking).map_err(damaged)?;
        // Sealing leaves a copy of what it was.
        let copy = (!was_plain).then_some(key);
        store.migrate(copy).map_err(damaged)?;
        crate::derive::renew(&store.conn).map_err(damaged)?;
        Ok(store)
    }

    fn connect(path: &Path, key: &[u8; 32], locking: &str) -> Result<Self, StoreError> {
        if rusqlite::version_number() < SQLITE_VERSION_MIN {
            return Err(StoreError::Sql(rusqlite::Error::InvalidQuery));
        }
        let conn = keyed(path, key)?;
        conn.busy_timeout(Duration::from_millis(BUSY_MS))?;
        conn.pragma_update(None, "locking_mode", locking)?;
        keep_a_log(&conn)?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        conn.pragma_update(None, "foreign_keys", "ON")?;
        conn.pragma_update(None, "cache_size", CACHE_SIZE)?;
        conn.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        conn.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        Ok(Self {
            conn,
            path: path.to_owned(),
        })
    }

    /// Brings the file to this program's version; a copy sealed with `copy` is made before that.
    fn migrate(&self, copy: Option<&[u8; 32]>) -> Result<(), StoreError> {
        let found: i64 = self
            .conn
            .pragma_query_value(None, "user_version", |row| row.get(0))?;
        let known = MIGRATIONS.len() as i64;
        if found > known {
            return Err(StoreError::TooNew { found, known });
        }
        if let Some(key) = copy.filter(|_| (1..known).contains(&found)) {
            // One whose making was broken off holds nothing that a copy could keep.
            let holds = "SELECT EXISTS (SELECT 1 FROM change)";
            if self.conn.query_row(holds, [], |row| row.get(0))? {
                sealing::back_up(&self.conn, &self.path, key, found)?;
            }
        }
        for (version, sql) in (1..)
            .zip(MIGRATIONS)
            .skip(usize::try_from(found).unwrap_or(0))
        {
            self.conn.execute_batch(&format!(
                "BEGIN IMMEDIATE; {sql} PRAGMA user_version = {version}; COMMIT;"
            ))?;
        }
        Ok(())
    }

    /// Reads every page of the file.
    pub fn check(&self) -> Result<Health, StoreError> {
        match self.look() {
            // A disk that fails once may say of a sound file that a page cannot be had: damage is what is
            // there the second time too.
            Ok(Health::Damaged) => self.look(),
            looked => looked,
        }
    }

    fn look(&self) -> Result<Health, StoreError> {
        let verdict: Result<String, _> = self
            .conn
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
        match verdict.map_err(StoreError::from) {
            Ok(text) if text == "ok" => Ok(Health::Sound),
            Ok(text) if is_disks(&text) => Err(StoreError::Disk { reason: DISK }),
            Ok(_) | Err(StoreError::Damaged { .. }) => Ok(Health::Damaged),
            Err(other) => Err(other),
        }
    }

    /// Moves the file and what belongs to it beside itself, and returns where it is now.
    ///
    /// `mark` is part of the new name, so that a second damaged file does not replace the first.
    pub fn set_aside(path: &Path, mark: &str) -> std::io::Result<PathBuf> {
        let aside = path.with_extension(format!("damaged-{mark}.db"));
        for suffix in ["", "-wal", "-shm"] {
            let from = with_suffix(path, suffix);
            if from.exists() {
                std::fs::rename(&from, with_suffix(&aside, suffix))?;
            }
        }
        Ok(aside)
    }

    /// Returns what was set aside beside a database, and is still there.
    pub fn all_set_aside(path: &Path) -> std::io::Result<Vec<PathBuf>> {
        let (Some(folder), Some(stem)) = (path.parent(), path.file_stem()) else {
            return Ok(Vec::new());
        };
        let begins = format!("{}.damaged-", stem.to_string_lossy());
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // Of a database that was gone only its write-ahead log may be left.
            let left = name.ends_with(".db-wal") && !path_without_wal(&entry.path()).exists();
            if name.starts_with(&begins) && (name.ends_with(".db") || left) {
                found.push(entry.path());
            }
        }
        found.sort();
        Ok(found)
    }

    /// Says whether a file is a database of an earlier program, which sealed none.
    pub fn is_plain(path: &Path) -> bool {
        sealing::is_plain(path)
    }

    /// Returns the copies that were made before the form of a database changed.
    pub fn copies_before(path: &Path) -> std::io::Result<Vec<PathBuf>> {
        sealing::copies(path)
    }

    /// Takes away such copies once they are [`BACKUP_DAYS`](crate::BACKUP_DAYS) days old.
    pub fn drop_old_copies(path: &Path, now: std::time::SystemTime) -> std::io::Result<()> {
        sealing::drop_old(path, now)
    }

    /// Returns the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns a fact about this database.
    pub fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        meta(&self.conn, name)
    }

    /// Keeps a fact about this database.
    pub fn set_meta(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        set_meta(&self.conn, name, value)
    }

    /// Limits the file to `pages`; past it every write says the disk is full. For tests of a full disk.
    pub fn limit_pages(&self, pages: u32) -> Result<(), StoreError> {
        Ok(self.conn.pragma_update(None, "max_page_count", pages)?)
    }

    /// Says that another program made the file. For tests of a newer one.
    pub fn claim_version(&self, version: i64) -> Result<(), StoreError> {
        Ok(self.conn.pragma_update(None, "user_version", version)?)
    }

    /// Returns how many pages the file has.
    pub fn pages(&self) -> Result<u32, StoreError> {
        Ok(self
            .conn
            .pragma_query_value(None, "page_count", |row| row.get(0))?)
    }
}

/// Opens a connection whose pages are sealed with this key; nothing of the file is read yet. For the store, and
/// for whoever looks into a database from outside: tests.
pub fn keyed(path: &Path, key: &[u8; 32]) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    // SQLCipher would tell of a wrong key on stderr; what is wrong is said by whoever asked.
    conn.execute_batch("PRAGMA cipher_log_level = NONE; PRAGMA temp_store = MEMORY;")?;
    conn.execute_batch(&key_pragma("PRAGMA key = ", key))?;
    Ok(conn)
}

/// Returns a statement that hands a key over as it is, not as a word to be stretched, and with it the salt of
/// the file: SQLCipher would read that from the file, and where the disk fails just then take a random one and
/// call the file damaged.
pub(crate) fn key_pragma(statement: &str, key: &[u8; 32]) -> Zeroizing<String> {
    use std::fmt::Write as _;
    // Made once, as large as it gets: a text that grows leaves copies behind.
    let mut text = Zeroizing::new(String::with_capacity(statement.len() + 112));
    text.push_str(statement);
    text.push_str("\"x'");
    let salt = content_hash(&[SALT, key.as_slice()].concat()).0;
    for byte in key.iter().chain(salt.iter().take(SALT_BYTES)) {
        let _ = write!(text, "{byte:02x}");
    }
    text.push_str("'\";");
    text
}

pub(crate) fn meta(conn: &Connection, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
    Ok(statement.query_row([name], |row| row.get(0)).optional()?)
}

pub(crate) fn set_meta(conn: &Connection, name: &str, value: &[u8]) -> Result<(), StoreError> {
    let sql = "INSERT INTO meta (name, value) VALUES (?1, ?2)
               ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    conn.prepare_cached(sql)?.execute(params![name, value])?;
    Ok(())
}

/// Has changes go to a log first; an error where the file is not kept so.
///
/// To the end of the answer: SQLite says "wal" before it commits that, and where the disk fails just then it
/// goes on without a log. **A power cut would take back what was committed so.**
fn keep_a_log(conn: &Connection) -> Result<(), StoreError> {
    let mut statement = conn.prepare("PRAGMA journal_mode = WAL")?;
    let mut rows = statement.query([])?;
    let mut kept = false;
    while let Some(row) = rows.next()? {
        kept = row.get::<_, String>(0)?.eq_ignore_ascii_case("wal");
    }
    match kept {
        true => Ok(()),
        false => Err(StoreError::Disk { reason: DISK }),
    }
}

/// Says that the disk does not read a file's beginning: without a key it is no database to SQLite, but its
/// bytes come or do not.
fn reads(path: &Path) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let looked = Connection::open_with_flags(path, flags)
        .and_then(|plain| plain.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())));
    match looked.map_err(StoreError::from) {
        Err(error @ StoreError::Disk { .. }) => Err(error),
        _ => Ok(()),
    }
}

/// Returns whether what a check found is the disk's doing: a page that did not come is not one that is wrong.
fn is_disks(found: &str) -> bool {
    let code = found.rsplit("error code=").next();
    let code = code.and_then(|code| code.trim().parse::<i32>().ok());
    code.is_some_and(|code| code & 0xff == rusqlite::ffi::SQLITE_IOERR)
}

fn path_without_wal(path: &Path) -> PathBuf {
    let name = path.to_string_lossy();
    PathBuf::from(name.strip_suffix("-wal").unwrap_or(&name))
}

pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    #[test]
    fn a_new_file_has_this_programs_version_and_opens_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wangge.db");
        Store::open(&path, &KEY)
            .unwrap()
            .set_meta("life", b"1")
            .unwrap();
        let store = Store::open(&path, &KEY).unwrap();
        assert_eq!(
            store.meta("life").unwrap().as_deref(),
            Some(b"1".as_slice())
        );
        assert_eq!(store.check().unwrap(), Health::Sound);
        let sync: i64 = store
            .conn
            .pragma_query_value(None, "synchronous", |row| row.get(0))
            .unwrap();
        assert_eq!(sync, 2, "FULL");
    }

    #[test]
    fn a_page_that_does_not_come_is_not_called_damaged() {
        let found = |code| format!("Tree 5 page 12: unable to get the page. error code={code}");
        assert!(is_disks(&found(rusqlite::ffi::SQLITE_IOERR_READ)));
        assert!(!is_disks(&found(rusqlite::ffi::SQLITE_CORRUPT)));
        assert!(!is_disks(
            "Tree 5 page 12: btreeInitPage() returns error code 11"
        ));
    }

    #[test]
    fn a_file_of_a_newer_program_is_not_touched() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wangge.db");
        Store::open(&path, &KEY)
            .unwrap()
            .conn
            .pragma_update(None, "user_version", 999)
            .unwrap();
        assert!(matches!(
            Store::open(&path, &KEY),
            Err(StoreError::TooNew { found: 999, .. })
        ));
    }

    #[test]
    fn a_file_that_is_no_database_is_named_and_can_be_set_aside_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wangge.db");
        let garbage = b"this is not a database, it is a shopping list".repeat(100);
        std::fs::write(&path, &garbage).unwrap();
        assert!(matches!(Store::open(&path, &KEY), Err(StoreError::Damaged { at }) if at == path));
        let aside = Store::set_aside(&path, "1").unwrap();
        assert_eq!(std::fs::read(aside).unwrap(), garbage);
        assert!(Store::open(&path, &KEY).is_ok());
    }

    #[test]
    fn damage_inside_a_file_is_found_by_the_check() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wangge.db");
        let store = Store::open(&path, &KEY).unwrap();
        for n in 0..200 {
            store.set_meta(&format!("fact {n}"), &[7; 500]).unwrap();
        }
        store
            .conn
            .pragma_update(None, "wal_checkpoint", "TRUNCATE")
            .unwrap();
        drop(store);
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..].fill(0xa5);
        std::fs::write(&path, bytes).unwrap();
        let found = Store::open(&path, &KEY).and_then(|store| store.check());
        assert!(
            matches!(found, Ok(Health::Damaged) | Err(StoreError::Damaged { .. })),
            "{found:?}"
        );
    }
}
