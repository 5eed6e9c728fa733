//! The names, messages and limits both ends agree on, and their bytes.
//!
//! This crate is vocabulary and codec: what a document, a change, a batch and a place are called,
//! how they look as bytes, and how large they may be. It decides nothing, stores nothing and reads
//! no clock; it knows the outside of a change (its chunk, hash and dependencies), never its meaning.
//!
//! Formats are **v0**: they may be re-issued with a decision record until they are frozen
//! (`docs/protocol.md`). Data already on a device or a relay is migrated, always.

pub mod area;
pub mod audit;
pub mod batch;
pub mod blob;
pub mod chunk;
pub mod columns;
pub mod day;
pub mod device;
pub mod digest;
pub mod enroll;
pub mod entry;
pub mod frame;
pub mod group;
pub mod hold;
pub mod id;
pub mod inbox;
pub mod lease;
pub mod limits;
pub mod message;
pub mod order;
pub mod pack;
pub mod packing;
pub mod purge;
pub mod receipt;
pub mod repair;
pub mod rise;
pub mod sabotage;
pub mod settle;
pub mod stream;

pub use area::{AreaCode, Audience, BadAreaCode, Level};
pub use audit::AuditCheckpoint;
pub use batch::{About, Batch, BatchHead, Item, ItemName};
pub use blob::{BlobAsk, BlobState};
pub use day::Day;
pub use digest::Digest;
pub use entry::{Change, DocKind, EntryKind, Place, Shape};
pub use hold::{HoldReason, Ruling};
pub use id::{
    ActionId, ActorId, AuditHash, BatchHash, BlobHash, ChangeHash, CoverId, DeviceId, DocId,
    FrameHash, Incarnation, LifeNonce, PersonId, PublicKey, RelayId, Signature,
};
pub use lease::{Lease, LeaseKey};
pub use message::{Ask, CoversRead, Cursor, End, Page, PageBatch, Verdict};
pub use order::{
    Cover, GoodLife, Grant, NumberRange, Order, OrderAsk, OrderBody, OrderRefusal, Recovery,
    RelayAbove, RelayBelow, Role, Unit,
};
pub use pack::{Manifest, PackFrame, PackKey};
pub use purge::{DurableLife, PurgeAnswer, PurgeOrder};
pub use receipt::Receipt;
pub use settle::{Decision, Settled, Settlement};

/// The protocol both ends speak.
///
/// * 0 (2026-11-23): one round trip, batches of ten, elided dependencies, places, digests.
pub const PROTOCOL_VERSION: u16 = 0;

/// Bytes that do not read as what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The bytes end too early, have the wrong type, or carry a value out of its range.
    #[error("malformed {what}")]
    Shape {
        /// What was being read.
        what: &'static str,
    },
    /// A size or count is past its limit in [`limits`].
    #[error("{what} is past its limit of {limit}")]
    TooLarge {
        /// What was being measured.
        what: &'static str,
        /// The limit, in the unit its constant names.
        limit: usize,
    },
    /// The bytes were packed with a dictionary this program does not have.
    #[error("packed with unknown dictionary {id}")]
    UnknownDictionary {
        /// The dictionary id inside the frame.
        id: u32,
    },
}

impl Malformed {
    pub(crate) fn shape(what: &'static str) -> Self {
        Malformed::Shape { what }
    }
}
