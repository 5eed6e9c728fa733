//! What was asked of a disk, in order.

/// A file by the number it got when it was made; a name may come to mean another file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileId(pub(crate) u64);

/// One operation that changes a disk, or makes what was changed durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// A file was made under a name.
    Create {
        /// The file.
        file: FileId,
        /// Its name.
        name: String,
    },
    /// A name was taken away, and the file with it.
    Delete {
        /// The name.
        name: String,
    },
    /// Bytes were written.
    Write {
        /// The file.
        file: FileId,
        /// Where.
        at: usize,
        /// What.
        bytes: Box<[u8]>,
    },
    /// The file was cut or made longer.
    Truncate {
        /// The file.
        file: FileId,
        /// How long it is now.
        length: usize,
    },
    /// All that was written to the file before is durable.
    Sync {
        /// The file.
        file: FileId,
    },
    /// The system could not make durable what was written before, forgot that it was to, and said so once:
    /// a further sync makes durable only what is written after this.
    SyncFailed {
        /// The file.
        file: FileId,
    },
    /// All names are durable as they are.
    SyncNames,
}

impl Op {
    /// Returns whether it puts bytes into a file.
    pub fn is_write(&self) -> bool {
        matches!(self, Op::Write { .. })
    }
}
