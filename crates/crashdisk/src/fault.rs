//! What can go wrong with one operation, and with which.

use rusqlite::ffi;

/// What is asked of a disk, as far as it can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// A file is opened that is there.
    Open,
    /// A file is made.
    Create,
    /// Bytes are read.
    Read,
    /// Bytes are written.
    Write,
    /// A file is cut or made longer.
    Truncate,
    /// What was written is to be durable.
    Sync,
    /// A file is taken away.
    Delete,
    /// Somebody asks how long a file is.
    Size,
}

/// How an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The device does not answer: any operation.
    Device,
    /// No room: what makes a file or a file longer. Half of the bytes may be written.
    NoRoom,
    /// Fewer bytes come than were asked for, and then an error. That a disk gives fewer and calls it all is not
    /// among these: no system does so before a file's end.
    ShortRead,
    /// What was written does not become durable.
    Sync,
}

/// An operation that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// How.
    pub kind: FaultKind,
    /// Which of those that can fail so, counted from 0.
    pub at: u64,
    /// Whether all after it fail too.
    pub lasts: bool,
}

impl FaultKind {
    /// Every kind.
    pub const ALL: [FaultKind; 4] = [
        FaultKind::Device,
        FaultKind::NoRoom,
        FaultKind::ShortRead,
        FaultKind::Sync,
    ];

    /// Returns whether an operation can fail so.
    pub(crate) fn meets(self, call: Call) -> bool {
        match self {
            FaultKind::Device => true,
            FaultKind::NoRoom => matches!(call, Call::Create | Call::Write | Call::Truncate),
            FaultKind::ShortRead => call == Call::Read,
            FaultKind::Sync => call == Call::Sync,
        }
    }

    /// Returns what SQLite is told.
    pub(crate) fn code(self, call: Call) -> i32 {
        match (self, call) {
            (_, Call::Open | Call::Create) => ffi::SQLITE_CANTOPEN,
            (FaultKind::NoRoom, _) => ffi::SQLITE_FULL,
            (_, Call::Read) => ffi::SQLITE_IOERR_READ,
            (_, Call::Write) => ffi::SQLITE_IOERR_WRITE,
            (_, Call::Truncate) => ffi::SQLITE_IOERR_TRUNCATE,
            (_, Call::Sync) => ffi::SQLITE_IOERR_FSYNC,
            (_, Call::Delete) => ffi::SQLITE_IOERR_DELETE,
            (_, Call::Size) => ffi::SQLITE_IOERR_FSTAT,
        }
    }
}
