//! A disk in memory under SQLite: every operation is written down, and its power can be cut after any.
//!
//! [`Disk`] holds files as a system that runs sees them, and a journal of what was asked of it. [`Walk`]
//! goes through the journal and makes an [`Image`] of what a disk may hold if the power fails just there:
//! **what was synced is there whole; what was not may be there, torn, gone, or there without what was
//! written before it.** A [`Fault`] makes an operation fail instead. It knows nothing of whose databases
//! lie on it, and ships with nothing.

mod content;
mod disk;
mod fault;
mod journal;
mod locks;
mod vfs;
mod walk;

pub use content::Content;
pub use disk::{Disk, Mounted, Weak};
pub use fault::{Call, Fault, FaultKind};
pub use journal::{FileId, Op};
pub use walk::{Cut, Image, Walk};

#[cfg(test)]
mod tests;
