//! The keys of a backup, in a file of their own: without it the backup opens to nobody, and with it alone
//! there is nothing to open.
//!
//! A copy of the keys of documents and attachments, and the relay's secrets. **It is to be kept apart, and
//! destroyed after [`KEYS_DAYS`] days**: what is erased lives on in it until then.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::BackupTrouble;
use super::file::Secret;
use crate::doc_keys::DocKeys;
use crate::error::RelayError;

/// How long a copy of the keys may be kept.
pub const KEYS_DAYS: i64 = 30;
/// What the name of a backup is followed by.
const SUFFIX: &str = ".keys";

const SECRETS: &str = "
CREATE TABLE secret (
    -- The relay's own secret, and the key for id numbers that the relay above gave.
    name   TEXT NOT NULL PRIMARY KEY,
    value  BLOB NOT NULL CHECK (length(value) = 32)
) STRICT;
";

/// Returns where the keys of a backup lie if nobody says another place.
pub(super) fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(SUFFIX);
    PathBuf::from(name)
}

/// Writes keys and secrets to an empty file.
pub(super) fn write(
    file: &Path,
    keys: &DocKeys,
    secret: &Secret,
    made_ms: i64,
) -> Result<(), RelayError> {
    keys.copy_to(file, made_ms)?;
    let fail = |source| RelayError::sqlite(file, source);
    let copy = Connection::open(file).map_err(fail)?;
    copy.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))
        .map_err(fail)?;
    copy.execute_batch(SECRETS).map_err(fail)?;
    let mut named = vec![("relay", secret.key)];
    named.extend(secret.tree.map(|tree| ("tree", tree)));
    for (name, value) in named {
        let sql = "INSERT INTO secret (name, value) VALUES (?1, ?2)";
        copy.execute(sql, (name, value)).map_err(fail)?;
    }
    Ok(())
}

/// Returns the secrets in a file of keys that was proved whole.
pub(super) fn read(file: &Path) -> Result<Secret, RelayError> {
    if !file.exists() {
        return Err(BackupTrouble::NoKeys(file.to_owned()).into());
    }
    let not_whole = |_| BackupTrouble::NotWhole(file.to_owned());
    let open = || -> rusqlite::Result<Option<Secret>> {
        let copy = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let whole: String = copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        let secret = |name: &str| {
            copy.prepare("SELECT value FROM secret WHERE name = ?1")?
                .query_row([name], |row| row.get(0))
                .optional()
        };
        let (key, tree) = (secret("relay")?, secret("tree")?);
        let key = key.filter(|_| whole == "ok");
        Ok(key.map(|key| Secret { key, tree }))
    };
    let secret = open().map_err(not_whole)?;
    secret.ok_or_else(|| BackupTrouble::NotWhole(file.to_owned()).into())
}

/// Makes the keys of a relay that is being restored out of such a file.
pub(super) fn restore(file: &Path, to: &Path) -> Result<(), RelayError> {
    let fail = |source| RelayError::sqlite(file, source);
    let name = to.to_string_lossy();
    let copy = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY);
    copy.and_then(|copy| copy.execute("VACUUM INTO ?1", [&*name]))
        .map_err(fail)?;
    let keys = Connection::open(to).map_err(fail)?;
    // What was made of the secrets here lies in files of its own.
    keys.execute_batch("DROP TABLE secret; VACUUM;")
        .map_err(fail)
}
