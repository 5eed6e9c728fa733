//! What can go wrong with a relay, by what the caller can do about it.
//!
//! **No variant carries what a document says**: paths, counts and codes only, so that every error may
//! be logged.

use std::path::PathBuf;

use rusqlite::ErrorCode;
use wangge_trust::tls::BadCertificate;

use crate::backup::BackupTrouble;
use crate::room;
use crate::upstream::UpstreamTrouble;

/// A relay that cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// A file is damaged; it was left as it is. Restore a backup beside it.
    #[error("{} is damaged; nothing was changed", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// A file that belongs to the relay in this folder is gone. Nothing was made in its place: restore a
    /// backup in another folder.
    #[error("{} is gone; nothing was changed", path.display())]
    Gone {
        /// The file.
        path: PathBuf,
    },
    /// A newer program wrote the database. Use that program.
    #[error("the database has schema {found}, this program knows {known}")]
    TooNew {
        /// The database's schema.
        found: i64,
        /// The newest schema this program knows.
        known: i64,
    },
    /// The SQLite this program was built with loses data. Build it with a newer one.
    #[error("SQLite {found} is too old; {needed} is needed")]
    OldSqlite {
        /// The version.
        found: &'static str,
        /// The oldest that is good enough.
        needed: &'static str,
    },
    /// The disk is full. Make room; nothing was half-written.
    #[error("the disk is full")]
    Full,
    /// Another process holds the database. Try again.
    #[error("the database is busy")]
    Busy,
    /// Another process serves this folder. Stop it, or take another folder.
    #[error("another process serves this folder")]
    Served,
    /// The invitation asks for what cannot be.
    #[error("the invitation's {what}")]
    BadInvitation {
        /// What is wrong, as a phrase that follows "the invitation's".
        what: &'static str,
    },
    /// Only the relay at the top of the tree does this.
    #[error("this relay is below another")]
    BelowAnother,
    /// No device with this id was ever enrolled here.
    #[error("no such device")]
    UnknownDevice,
    /// No open unit has this id.
    #[error("no such unit")]
    UnknownUnit,
    /// The relay above was of no use; why says what to do. Nothing was lost here.
    #[error("the relay above: {0}")]
    Upstream(UpstreamTrouble),
    /// A backup was not made or not restored; why says what to do. Nothing that was there was changed.
    #[error("the backup: {0}")]
    Backup(#[from] BackupTrouble),
    /// Plain HTTP would leave this machine. Listen on 127.0.0.1 or ::1.
    #[error("plain HTTP would leave this machine")]
    PlainElsewhere,
    /// A certificate and its key cannot be shown; why says which file to look at.
    #[error("the certificate: {0}")]
    Certificate(#[from] BadCertificate),
    /// The system has no random numbers.
    #[error("no random numbers")]
    Random,
    /// A file or socket cannot be used.
    #[error("{}", path.display())]
    Io {
        /// The file or folder; empty for the network.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// SQLite refused for a reason of its own.
    #[error("the database refused")]
    Sqlite {
        /// SQLite's reason.
        source: rusqlite::Error,
    },
    /// The program contradicts itself; the log says where.
    #[error("internal: {what}")]
    Internal {
        /// What did not fit.
        what: &'static str,
    },
}

/// What an error of SQLite means for whoever writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// No room: nothing was written, reading goes on.
    Full,
    /// Somebody else writes.
    Busy,
    /// The file can no longer be believed.
    Damaged,
    /// The disk did not do what it was asked, or the file cannot be opened: it may be full.
    Disk,
    /// A statement failed; the rest stands.
    Statement,
}

impl RelayError {
    /// Returns the error of a statement on the database at `path`.
    pub(crate) fn sqlite(path: &std::path::Path, source: rusqlite::Error) -> Self {
        match trouble(&source) {
            Trouble::Full => RelayError::Full,
            Trouble::Busy => RelayError::Busy,
            Trouble::Damaged => RelayError::Damaged {
                path: path.to_owned(),
            },
            // SQLite says only that it cannot; a file of our own says why.
            Trouble::Disk if room::is_full(path) => RelayError::Full,
            Trouble::Disk => RelayError::io(path, std::io::Error::other(source)),
            Trouble::Statement => RelayError::Sqlite { source },
        }
    }

    pub(crate) fn io(path: &std::path::Path, source: std::io::Error) -> Self {
        RelayError::Io {
            path: path.to_owned(),
            source,
        }
    }
}

/// Returns what an error of SQLite means.
pub(crate) fn trouble(error: &rusqlite::Error) -> Trouble {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Trouble::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Trouble::Busy,
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => Trouble::Disk,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Trouble::Damaged,
        _ => Trouble::Statement,
    }
}
