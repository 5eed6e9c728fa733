//! A database of an earlier program, sealed in place; and the copy that is made before anything is changed.
//!
//! **The copy is read back and compared row by row before the file it was made of is touched**, and it is
//! sealed too. It stays beside the database for [`BACKUP_DAYS`] days.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use crate::error::StoreError;
use crate::open::{key_pragma, with_suffix};

/// How long a copy from before a change of form is kept.
pub const BACKUP_DAYS: u64 = 30;
/// What a file of SQLite's own begins with; a sealed one begins with random bytes.
const PLAIN: &[u8; 16] = b"SQLite format 3\0";
/// What a copy is called while it is not proved.
const UNFINISHED: &str = ".unfinished";
/// How much of a plain file is overwritten at once.
const WIPED_AT_ONCE: usize = 1 << 20;

/// Says whether a file is a database that nobody sealed.
pub(crate) fn is_plain(path: &Path) -> bool {
    let mut head = [0; 16];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    // None, or too short for one: the database itself says what is wrong.
    read.is_ok() && &head == PLAIN
}

/// Seals a plain database with this key, in place: a proved copy first, then the file itself in one step.
///
/// A program that is killed meanwhile leaves the plain file, and begins again.
pub(crate) fn seal(path: &Path, key: &[u8; 32]) -> Result<(), StoreError> {
    // It is there; what is attached to it is made.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let plain = Connection::open_with_flags(path, flags)?;
    plain.busy_timeout(Duration::from_millis(crate::open::BUSY_MS))?;
    plain.pragma_update(None, "temp_store", "MEMORY")?;
    let verdict: String = plain.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(StoreError::Damaged {
            at: path.to_owned(),
        });
    }
    let version = plain.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let copy = back_up(&plain, path, key, version)?;
    // What the log still held is in the copy; from here the file alone is the whole database.
    let busy: i64 = plain.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    plain
        .close()
        .map_err(|(_, error)| StoreError::from(error))?;
    if busy != 0 || is_filled(&with_suffix(path, "-wal")) {
        return Err(StoreError::Busy);
    }
    replace(path, &copy).map_err(disk)
}

/// Puts a copy in the place of a plain file and overwrites what that file held.
fn replace(path: &Path, copy: &Path) -> std::io::Result<()> {
    let next = with_suffix(path, ".sealing");
    fs::copy(copy, &next)?;
    let sealed = File::open(&next)?;
    sealed.sync_all()?;
    let mut plain = File::options().write(true).open(path)?;
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(with_suffix(path, suffix));
    }
    fs::rename(&next, path)?;
    sync_folder(path)?;
    // The disk may have kept other copies; this one at least is gone.
    wipe(&mut plain)
}

/// Overwrites what a file holds that lay in the clear, durably.
pub fn wipe(file: &mut File) -> std::io::Result<()> {
    let mut left = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    let zeros = vec![0; WIPED_AT_ONCE];
    while left > 0 {
        let now = zeros
            .get(..usize::try_from(left).map_or(WIPED_AT_ONCE, |left| left.min(WIPED_AT_ONCE)))
            .unwrap_or_default();
        file.write_all(now)?;
        left -= now.len() as u64;
    }
    file.sync_all()
}

/// Makes a sealed copy of a database, proves that it has every row, and returns where it is.
pub(crate) fn back_up(
    conn: &Connection,
    path: &Path,
    key: &[u8; 32],
    version: i64,
) -> Result<PathBuf, StoreError> {
    let copy = path.with_extension(format!("before-{}.db", version + 1));
    let unfinished = with_suffix(&copy, UNFINISHED);
    let _ = fs::remove_file(&unfinished);
    let made = export(conn, &unfinished, key, version);
    if let Err(error) = made {
        // Half a copy is none, and a full disk wants its room back.
        let _ = fs::remove_file(&unfinished);
        return Err(error);
    }
    let settle = || {
        File::open(&unfinished)?.sync_all()?;
        fs::rename(&unfinished, &copy)?;
        sync_folder(&copy)
    };
    settle().map_err(disk)?;
    Ok(copy)
}

/// Takes away the copies that are older than [`BACKUP_DAYS`] days.
pub(crate) fn drop_old(path: &Path, now: SystemTime) -> std::io::Result<()> {
    for copy in copies(path)? {
        let age = now.duration_since(fs::metadata(&copy)?.modified()?);
        if age.is_ok_and(|age| age > Duration::from_secs(BACKUP_DAYS * 24 * 60 * 60)) {
            fs::remove_file(copy)?;
        }
    }
    Ok(())
}

/// Returns the copies beside a database that were made before its form changed.
pub(crate) fn copies(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    let (Some(folder), Some(stem)) = (path.parent(), path.file_stem()) else {
        return Ok(Vec::new());
    };
    let begins = format!("{}.before-", stem.to_string_lossy());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&begins) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Copies every row into a sealed file and compares both.
fn export(conn: &Connection, to: &Path, key: &[u8; 32], version: i64) -> Result<(), StoreError> {
    let name = to.to_str().ok_or(StoreError::Disk {
        reason: "the folder's name is no text",
    })?;
    // The statement holds the key and is wiped; the name comes in as a value.
    conn.execute(&key_pragma("ATTACH ?1 AS sealed KEY ", key), [name])?;
    let copied = || -> Result<(), StoreError> {
        conn.query_row("SELECT sqlcipher_export('sealed')", [], |_| Ok(()))?;
        conn.pragma_update(Some("sealed"), "user_version", version)?;
        match same_rows(conn)? {
            true => Ok(()),
            false => Err(StoreError::Disk {
                reason: "a copy was not what it was made of",
            }),
        }
    };
    let copied = copied();
    conn.execute_batch("DETACH sealed;")?;
    copied
}

/// Says whether both databases have the same tables with the same rows in the same order.
fn same_rows(conn: &Connection) -> Result<bool, StoreError> {
    let tables = |of: &str| -> Result<Vec<String>, StoreError> {
        let sql = format!(
            "SELECT name FROM {of}.sqlite_schema
             WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        );
        let mut statement = conn.prepare(&sql)?;
        let names = statement.query_map([], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    };
    let names = tables("main")?;
    if names != tables("sealed")? {
        return Ok(false);
    }
    for name in names {
        let select = |of: &str| conn.prepare(&format!("SELECT * FROM {of}.\"{name}\""));
        let (mut own, mut copied) = (select("main")?, select("sealed")?);
        let columns = own.column_count();
        if columns != copied.column_count() {
            return Ok(false);
        }
        let (mut own, mut copied) = (own.query([])?, copied.query([])?);
        loop {
            match (own.next()?, copied.next()?) {
                (None, None) => break,
                (Some(own), Some(copied)) => {
                    for column in 0..columns {
                        if !same(own.get_ref(column)?, copied.get_ref(column)?) {
                            return Ok(false);
                        }
                    }
                }
                _ => return Ok(false),
            }
        }
    }
    Ok(true)
}

/// Says whether two values are the same bytes; a number that is none equals itself here.
fn same(a: ValueRef<'_>, b: ValueRef<'_>) -> bool {
    match (a, b) {
        (ValueRef::Real(a), ValueRef::Real(b)) => a.to_bits() == b.to_bits(),
        _ => a == b,
    }
}

fn is_filled(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.len() > 0)
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn disk(error: std::io::Error) -> StoreError {
    match error.kind() {
        std::io::ErrorKind::StorageFull => StoreError::Full,
        std::io::ErrorKind::PermissionDenied => StoreError::Disk {
            reason: "the database file may only be read",
        },
        _ => StoreError::Disk {
            reason: "disk I/O error",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::{Health, Store};

    const KEY: [u8; 32] = [7; 32];

    /// Makes what a program before sealing left: a plain file, its last rows still in its log.
    fn plain(dir: &Path, rows: u32) -> PathBuf {
        let path = dir.join("wangge.db");
        let store = Store::open(&path, &KEY).unwrap();
        let source = dir.join("plain.db");
        store
            .conn
            .execute("ATTACH ?1 AS plain KEY ''", [source.to_str().unwrap()])
            .unwrap();
        let export = "SELECT sqlcipher_export('plain')";
        store.conn.query_row(export, [], |_| Ok(())).unwrap();
        let version: u32 = store
            .conn
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap();
        let version = format!("PRAGMA plain.user_version = {version}; DETACH plain;");
        store.conn.execute_batch(&version).unwrap();
        drop(store);
        fs::remove_file(&path).unwrap();
        let open = Connection::open(&source).unwrap();
        open.pragma_update(None, "journal_mode", "WAL").unwrap();
        for n in 0..rows {
            let name = format!("张建国 {n}");
            open.execute("INSERT INTO meta VALUES (?1, ?2)", (&name, &[3u8; 64][..]))
                .unwrap();
        }
        // Copied while it is open: as a killed program leaves it.
        for suffix in ["", "-wal"] {
            fs::copy(with_suffix(&source, suffix), with_suffix(&path, suffix)).unwrap();
        }
        assert!(is_plain(&path) && is_filled(&with_suffix(&path, "-wal")));
        drop(open);
        for suffix in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(with_suffix(&source, suffix));
        }
        path
    }

    fn holds(dir: &Path, text: &str) -> bool {
        let entries = fs::read_dir(dir).unwrap();
        let mut files = entries.map(|entry| fs::read(entry.unwrap().path()).unwrap());
        files.any(|bytes| {
            bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        })
    }

    #[test]
    fn a_plain_database_is_sealed_in_place_with_every_row_of_its_log_and_a_copy_of_it_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = plain(dir.path(), 300);
        assert!(holds(dir.path(), "张建国"));
        let store = Store::open(&path, &KEY).unwrap();
        for n in [0, 150, 299] {
            let found = store.meta(&format!("张建国 {n}")).unwrap();
            assert_eq!(found.as_deref(), Some([3u8; 64].as_slice()));
        }
        assert_eq!(store.check().unwrap(), Health::Sound);
        let copies = copies(&path).unwrap();
        assert_eq!(copies.len(), 1);
        let copy = Store::open(&copies[0], &KEY).unwrap();
        assert!(copy.meta("张建国 299").unwrap().is_some());
        assert!(!holds(dir.path(), "张建国"), "no page of it is readable");
        drop((store, copy));
        let other = Store::open(&path, &[8; 32]);
        assert!(matches!(other, Err(StoreError::Damaged { .. })));
    }

    #[test]
    fn sealing_that_was_broken_off_begins_again_and_loses_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = plain(dir.path(), 50);
        let dry = tempfile::tempdir().unwrap();
        let told = plain(dry.path(), 1);
        drop(Store::open(&told, &KEY).unwrap());
        let copy = dir
            .path()
            .join(copies(&told).unwrap()[0].file_name().unwrap());
        for left in [
            with_suffix(&copy, UNFINISHED),
            copy,
            with_suffix(&path, ".sealing"),
        ] {
            fs::write(left, b"half of something").unwrap();
        }
        let store = Store::open(&path, &KEY).unwrap();
        assert!(store.meta("张建国 49").unwrap().is_some());
        let names = fs::read_dir(dir.path()).unwrap();
        let left = names.filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            let name = name.to_string_lossy().into_owned();
            name.ends_with(UNFINISHED) || name.ends_with(".sealing")
        });
        assert_eq!(left.count(), 0);
    }

    #[test]
    fn a_damaged_plain_database_is_not_sealed_and_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = plain(dir.path(), 300);
        drop(
            Connection::open(&path)
                .unwrap()
                .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)"),
        );
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..].fill(0xa5);
        fs::write(&path, &bytes).unwrap();
        let opened = Store::open(&path, &KEY);
        assert!(matches!(opened, Err(StoreError::Damaged { at }) if at == path));
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }

    #[test]
    fn a_copy_is_made_before_an_older_form_is_changed_and_goes_after_its_days() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wangge.db");
        let conn = crate::open::keyed(&path, &KEY).unwrap();
        let first = include_str!("../migrations/0001-first.sql");
        conn.execute_batch(first).unwrap();
        conn.pragma_update(None, "user_version", 1).unwrap();
        let change = "INSERT INTO change (doc, hash, actor, seq, raw) VALUES (x'01', x'02', x'03', 1, x'04')";
        conn.execute_batch(change).unwrap();
        drop(conn);
        Store::open(&path, &KEY).unwrap();
        let made = copies(&path).unwrap();
        assert_eq!(made, [dir.path().join("wangge.before-2.db")]);
        Store::open(&path, &KEY).unwrap();
        let day = Duration::from_secs(24 * 60 * 60);
        drop_old(&path, SystemTime::now() + 29 * day).unwrap();
        assert_eq!(copies(&path).unwrap(), made);
        drop_old(&path, SystemTime::now() + 31 * day).unwrap();
        assert!(copies(&path).unwrap().is_empty());
    }
}
