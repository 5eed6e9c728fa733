//! The database file: how it is opened, brought up to date and believed.
//!
//! **A damaged file is never opened for writing and never deleted.** Migrations are an ordered table;
//! a database's `user_version` is how many of them it has.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior, ffi};

use crate::doc_keys::DocKeys;
use crate::error::RelayError;
use crate::room;
use crate::settings::Dice;

/// The database's name in the data folder.
pub(crate) const FILE: &str = "relay.db";

/// Ordered by number, never edited once released; forward only.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001-log.sql"),
    include_str!("../migrations/0002-units.sql"),
    include_str!("../migrations/0003-proof.sql"),
    include_str!("../migrations/0004-levels.sql"),
    include_str!("../migrations/0005-inbox.sql"),
    include_str!("../migrations/0006-levels.sql"),
    include_str!("../migrations/0007-decisions.sql"),
    include_str!("../migrations/0008-origins.sql"),
    include_str!("../migrations/0009-blobs.sql"),
    include_str!("../migrations/0010-sealed.sql"),
    include_str!("../migrations/0011-lost-devices.sql"),
    include_str!("../migrations/0012-audit.sql"),
];
/// Marks a file as a relay's: "wgRl".
const APPLICATION_ID: i32 = 0x7767_526c;
/// Older ones can lose a write when the WAL is reset while another connection reads.
const SQLITE_NEEDED: (i32, &str) = (3_051_003, "3.51.3");
const BUSY_MS: u64 = 5_000;
/// Bodies of an earlier program that are sealed in one transaction.
const SEALED_AT_ONCE: u32 = 5_000;
/// What the writer's connection keeps of the database: a group of commits touches thousands of pages, and
/// what does not fit is written twice.
const WRITER_CACHE_KIB: u32 = 32 * 1024;

/// Where a relay's database is and how large it may grow.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    pub(crate) pages_max: Option<u32>,
    /// What opens the bodies in it.
    pub(crate) keys: DocKeys,
}

impl Place {
    /// Returns the place of a database in a folder.
    pub(crate) fn in_folder(dir: &Path, pages_max: Option<u32>, dice: &Dice) -> Self {
        let path = dir.join(FILE);
        let keys = DocKeys::beside(&path, dice);
        Self {
            path,
            pages_max,
            keys,
        }
    }
}

/// Returns whether there is a database with anything in it: the first start writes its first page at once.
pub(crate) fn has_bytes(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.len() > 0)
}

/// Returns a connection to a database that was found whole and brought up to date.
pub(crate) fn open(place: &Place) -> Result<Connection, RelayError> {
    if rusqlite::version_number() < SQLITE_NEEDED.0 {
        return Err(RelayError::OldSqlite {
            found: rusqlite::version(),
            needed: SQLITE_NEEDED.1,
        });
    }
    let fail = |source| RelayError::sqlite(&place.path, source);
    let damaged = || RelayError::Damaged {
        path: place.path.clone(),
    };
    room::to_open(&place.path)?;
    if place.path.exists() {
        // Looked at before anything is set: setting WAL mode would already write.
        let looked = look(&place.path).map_err(fail)?;
        if !looked {
            return Err(damaged());
        }
    }
    let mut connection = connect(place)?;
    bring_up(&mut connection, &place.path)?;
    seal_old(&mut connection).map_err(fail)?;
    Ok(connection)
}

/// Seals the bodies that an earlier program kept in the clear, some thousand at a time: whoever is killed in
/// between goes on there.
fn seal_old(connection: &mut Connection) -> rusqlite::Result<()> {
    let mut any = false;
    for (table, id) in [("entry", "position"), ("parked", "id")] {
        let sql = format!(
            "UPDATE {table} SET body = sealed(doc, hash, body), sealed = 1 WHERE {id} IN
               (SELECT {id} FROM {table} WHERE sealed = 0 AND kind = 1 LIMIT {SEALED_AT_ONCE})"
        );
        let left = format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE sealed = 0 AND kind = 1)");
        // Asked without a lock: nearly always there is none.
        while connection.query_row(&left, [], |row| row.get(0))? {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // What a body leaves behind is overwritten, not only given free.
            transaction.query_row("PRAGMA secure_delete = ON", [], |_| Ok(()))?;
            transaction.execute(&sql, [])?;
            transaction.commit()?;
            any = true;
        }
    }
    if any {
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    }
    Ok(())
}

/// Returns the schema of a database and the newest one known; an error if it is newer than that.
pub(crate) fn check_version(
    connection: &Connection,
    path: &Path,
) -> Result<(i64, i64), RelayError> {
    let found: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(|source| RelayError::sqlite(path, source))?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(RelayError::TooNew { found, known });
    }
    Ok((found, known))
}

/// Brings a database of an earlier program up to date.
pub(crate) fn bring_up(connection: &mut Connection, path: &Path) -> Result<(), RelayError> {
    let (found, known) = check_version(connection, path)?;
    if found < known {
        migrate(connection, known).map_err(|source| RelayError::sqlite(path, source))?;
    }
    Ok(())
}

/// Returns whether a database says that it is a relay's.
pub(crate) fn is_relay(connection: &Connection) -> rusqlite::Result<bool> {
    let id: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    Ok(id == APPLICATION_ID)
}

/// Returns a further connection to a database that [`open`] returned one to.
pub(crate) fn connect(place: &Place) -> Result<Connection, RelayError> {
    let fail = |source| RelayError::sqlite(&place.path, source);
    let mut connection = Connection::open(&place.path).map_err(fail)?;
    set_up(&connection, place.pages_max).map_err(fail)?;
    place.keys.serve(&mut connection).map_err(fail)?;
    Ok(connection)
}

/// Returns the connection of the one who writes: it keeps the pages of a busy evening in memory.
pub(crate) fn connect_writer(place: &Place) -> Result<Connection, RelayError> {
    let connection = connect(place)?;
    let sql = format!("PRAGMA cache_size = -{WRITER_CACHE_KIB}; PRAGMA temp_store = MEMORY;");
    connection
        .execute_batch(&sql)
        .map_err(|source| RelayError::sqlite(&place.path, source))?;
    Ok(connection)
}

/// Returns a connection that can only read.
pub(crate) fn connect_reader(place: &Place) -> Result<Connection, RelayError> {
    let connection = connect(place)?;
    let sql = "PRAGMA query_only = ON";
    connection
        .execute_batch(sql)
        .map_err(|source| RelayError::sqlite(&place.path, source))?;
    Ok(connection)
}

fn set_up(connection: &Connection, pages_max: Option<u32>) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_millis(BUSY_MS))?;
    connection.set_prepared_statement_cache_capacity(64);
    keep_a_log(connection)?;
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
    // Checkpoints cost a pause; the writer chooses when.
    connection.query_row("PRAGMA wal_autocheckpoint = 0", [], |_| Ok(()))?;
    if let Some(pages) = pages_max {
        connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
    }
    Ok(())
}

/// Has changes go to a log first; an error where the file is not kept so.
///
/// To the end of the answer: SQLite says "wal" before it commits that, and where the disk fails just then it
/// goes on without a log. **A power cut would take back what was committed so.**
pub(crate) fn keep_a_log(connection: &Connection) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("PRAGMA journal_mode = WAL")?;
    let mut rows = statement.query([])?;
    let mut kept = false;
    while let Some(row) = rows.next()? {
        kept = row.get::<_, String>(0)?.eq_ignore_ascii_case("wal");
    }
    match kept {
        true => Ok(()),
        false => Err(disks()),
    }
}

/// Returns whether the file is a whole database, and a relay's or still empty.
fn look(path: &Path) -> rusqlite::Result<bool> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(Duration::from_millis(BUSY_MS))?;
    let check = || -> rusqlite::Result<String> {
        let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        match is_disks(&found) {
            true => Err(disks()),
            false => Ok(found),
        }
    };
    let mut whole = check()?;
    if whole != "ok" {
        // A disk that fails once may say of a sound file that a page cannot be had: damage is what is there
        // the second time too.
        whole = check()?;
    }
    let id: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(whole == "ok" && (id == APPLICATION_ID || version == 0))
}

/// Returns whether what a check found is the disk's doing: a page that did not come is not one that is wrong.
fn is_disks(found: &str) -> bool {
    let code = found.rsplit("error code=").next();
    let code = code.and_then(|code| code.trim().parse::<i32>().ok());
    code.is_some_and(|code| code & 0xff == ffi::SQLITE_IOERR)
}

/// Returns what SQLite says of a disk that does not do what it was asked.
fn disks() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR), None)
}

fn migrate(connection: &mut Connection, known: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Asked again: another process may have migrated while this one waited.
    let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    for sql in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        transaction.execute_batch(sql)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_committed_has_reached_the_disk_when_a_receipt_is_signed() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::in_folder(dir.path(), None, &Dice::system());
        drop(open(&place).unwrap());
        let writer = connect_writer(&place).unwrap();
        let told = |pragma| writer.pragma_query_value(None, pragma, |row| row.get(0));
        let synchronous: i64 = told("synchronous").unwrap();
        assert_eq!(synchronous, 2, "FULL");
    }
}
