//! Whether the disk has room: learnt by writing a file of our own beside the database and taking it away.
//!
//! SQLite says of a full disk as well that the file cannot be opened or did not read, and it writes through
//! a mapping of memory, where a full disk ends the process.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use crate::error::RelayError;

/// More than SQLite needs to open a database: its index of the log is 32 KiB.
const TO_OPEN: usize = 64 * 1024;
/// What a relay that begins to serve must be able to write.
const TO_SERVE: usize = 1024 * 1024;

/// Returns whether a file cannot be written beside this one for want of room.
pub(crate) fn is_full(beside: &Path) -> bool {
    lacks(beside.parent().unwrap_or(Path::new(".")), TO_OPEN)
}

/// Refuses to open a database where its own files would not fit.
pub(crate) fn to_open(database: &Path) -> Result<(), RelayError> {
    match is_full(database) {
        true => Err(RelayError::Full),
        false => Ok(()),
    }
}

/// Refuses to serve a folder without room for what devices bring.
pub(crate) fn to_serve(dir: &Path) -> Result<(), RelayError> {
    match lacks(dir, TO_SERVE) {
        true => Err(RelayError::Full),
        false => Ok(()),
    }
}

fn lacks(dir: &Path, bytes: usize) -> bool {
    // Two commands beside each other must not take each other's file away.
    let thread = std::thread::current().id();
    let path = dir.join(format!("probe-{}-{thread:?}", std::process::id()));
    let written = File::create(&path).and_then(|mut file| file.write_all(&vec![0; bytes]));
    let _ = fs::remove_file(&path);
    written.is_err_and(|error| is_want_of_room(&error))
}

/// Returns whether an error means that there is no room: on the disk, or within what the system allows.
pub(crate) fn is_want_of_room(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}
