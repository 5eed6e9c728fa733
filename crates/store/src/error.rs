//! What can go wrong with the file, by what the person can do about it.

use std::path::PathBuf;

use rusqlite::ErrorCode;
use wangge_crdt::DocumentError;
use wangge_wire::DocId;

/// The store could not do what was asked; nothing of it was done.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No room on the disk: free some and do it again.
    #[error("the disk is full")]
    Full,
    /// Another program holds the file: wait and do it again.
    #[error("the database is in use by another program")]
    Busy,
    /// The system let nothing be read or written: a disk that fails or is full, or permissions. What is in
    /// the file is as it was.
    #[error("the disk or its permissions: {reason}")]
    Disk {
        /// What of it: the database passes on no more.
        reason: &'static str,
    },
    /// The file is damaged; it stays where it is, or was set aside there.
    #[error("the database is damaged")]
    Damaged {
        /// Where the damaged file is.
        at: PathBuf,
    },
    /// A document does not read as it did, and the file around it does: all others are there.
    #[error("a document is damaged")]
    Unreadable {
        /// Which.
        doc: DocId,
    },
    /// A newer program wrote the file: update this one.
    #[error("the database has version {found}, this program knows {known}")]
    TooNew {
        /// The file's version.
        found: i64,
        /// This program's version.
        known: i64,
    },
    /// The document refuses the write.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A page leaves out what this device does not hold: ask for it in full.
    #[error("a page leaves out what is not held here")]
    NeedFull,
    /// A page or stored bytes do not read.
    #[error(transparent)]
    Malformed(#[from] wangge_wire::Malformed),
    /// The document is somebody else's now; what it was to say belongs to them.
    #[error("the document was handed over")]
    HandedOver {
        /// Where it went.
        gone: crate::gone::Gone,
    },
    /// No such document here.
    #[error("no such document")]
    Missing,
    /// Anything else the database says.
    #[error("the database refused: {0}")]
    Sql(rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                StoreError::Damaged { at: PathBuf::new() }
            }
            // A disk without room says this too, and the file is sound. "Out of memory" is what SQLCipher says
            // of a page that it could not open or seal, often because it did not come.
            Some(ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory) => StoreError::Disk {
                reason: "disk I/O error",
            },
            Some(ErrorCode::CannotOpen) => StoreError::Disk {
                reason: "unable to open database file",
            },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => StoreError::Disk {
                reason: "the database file may only be read",
            },
            _ => StoreError::Sql(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_file_says_of_itself_is_damage() {
        let told = |code| {
            let error = rusqlite::ffi::Error::new(code);
            StoreError::from(rusqlite::Error::SqliteFailure(error, None))
        };
        for code in [rusqlite::ffi::SQLITE_CORRUPT, rusqlite::ffi::SQLITE_NOTADB] {
            assert!(matches!(told(code), StoreError::Damaged { .. }));
        }
        for code in [
            rusqlite::ffi::SQLITE_IOERR_SHMSIZE,
            rusqlite::ffi::SQLITE_IOERR_WRITE,
            rusqlite::ffi::SQLITE_CANTOPEN,
            rusqlite::ffi::SQLITE_READONLY,
        ] {
            assert!(matches!(told(code), StoreError::Disk { .. }));
        }
        assert!(matches!(told(rusqlite::ffi::SQLITE_FULL), StoreError::Full));
    }
}
